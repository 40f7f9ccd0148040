//! Errors as [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) tells them: `application/problem+json`.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use crate::store::StoreError;

macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident = $name:literal, $status:ident, $title:literal;)*) => {
        /// What kind of error it is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code { $($(#[$doc])* $code,)* }

        impl Code {
            /// The code as programs read it.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$code => $name,)* }
            }

            fn title(self) -> &'static str {
                match self { $(Self::$code => $title,)* }
            }

            pub(crate) fn status(self) -> StatusCode {
                match self { $(Self::$code => StatusCode::$status,)* }
            }
        }
    };
}

codes! {
    Malformed = "malformed", BAD_REQUEST, "The request cannot be read";
    BadToken = "bad_token", UNAUTHORIZED, "No visitor has this token";
    BadKey = "bad_key", UNAUTHORIZED, "The API key is missing or unknown";
    SignedOut = "signed_out", UNAUTHORIZED, "Nobody is signed in";
    Forbidden = "forbidden", FORBIDDEN, "Not allowed";
    BadHash = "bad_hash", FORBIDDEN, "The identity is not the site's to tell";
    ForbiddenOrigin = "forbidden_origin", FORBIDDEN, "The page is not one of the site's";
    UnknownSite = "unknown_site", NOT_FOUND, "There is no such site";
    UnknownConversation = "unknown_conversation", NOT_FOUND, "There is no such conversation";
    UnknownWebhook = "unknown_webhook", NOT_FOUND, "There is no such endpoint of webhooks";
    NotFound = "not_found", NOT_FOUND, "Not found";
    Method = "method", METHOD_NOT_ALLOWED, "Method not allowed";
    NotCurrent = "not_current", CONFLICT, "Another card is waiting";
    NotWaiting = "not_waiting", CONFLICT, "Nothing waits for an answer";
    NotAllowed = "not_allowed", CONFLICT, "The conversation does not allow that";
    NotYours = "not_yours", CONFLICT, "The chat is somebody else's";
    NotOffered = "not_offered", CONFLICT, "The chat is not offered to this agent any more";
    NotOnline = "not_online", CONFLICT, "No live chat is under way";
    NoSuchAgent = "no_such_agent", CONFLICT, "Nobody can take the chat";
    SlotTaken = "slot_taken", CONFLICT, "The time is not to be had any more";
    HoldLapsed = "hold_lapsed", CONFLICT, "The time was not held any longer";
    NotBooked = "not_booked", CONFLICT, "There is no such meeting to come";
    Taken = "taken", CONFLICT, "The id belongs to somebody else";
    SwitchedOff = "switched_off", CONFLICT, "The endpoint is switched off";
    SwitchedOn = "switched_on", CONFLICT, "The endpoint is switched on";
    TooManyWebhooks = "too_many_webhooks", CONFLICT, "The site has as many endpoints as it may have";
    TooLarge = "too_large", PAYLOAD_TOO_LARGE, "The request is too large";
    InvalidConversation = "invalid_conversation", UNPROCESSABLE_ENTITY, "The conversation has problems";
    InvalidAnswer = "invalid_answer", UNPROCESSABLE_ENTITY, "The answer is not of the kind asked for";
    IdempotencyMismatch = "idempotency_mismatch", UNPROCESSABLE_ENTITY, "The Idempotency-Key belongs to another request";
    TooMany = "too_many_requests", TOO_MANY_REQUESTS, "Too many requests";
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "The server cannot take it now";
    Internal = "internal", INTERNAL_SERVER_ERROR, "The server failed";
}

/// An error, on its way to the caller.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    detail: String,
    members: Map<String, Value>,
    retry_after: Option<u64>,
}

impl Problem {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), members: Map::new(), retry_after: None }
    }

    /// What is wrong, in a sentence.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// The problem in words, for people: what is wrong, and each part of it on a line of its own.
    pub(crate) fn in_words(&self) -> String {
        let parts = self.members.get("problems").and_then(Value::as_array).into_iter().flatten().map(|part| {
            let text = |name: &str| {
                part.get(name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).unwrap_or_default()
            };
            format!("\n{}:{}:{}: {}: {}", text("conversation"), text("line"), text("column"), text("pointer"), text("message"))
        });
        format!("{}{}", self.detail, parts.collect::<String>())
    }

    /// Names the field that is at fault.
    pub(crate) fn field(self, field: impl Into<String>) -> Self {
        self.with("field", field.into())
    }

    /// Adds a member of our own.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// Says after how many seconds to try again.
    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        // What went wrong is for the operator's log, not for visitors.
        match error {
            StoreError::Busy | StoreError::Closed => {
                tracing::warn!(%error, "a command was turned away");
                Self::new(Code::Unavailable, "the server is busy; try again soon").retry_after(1)
            }
            error => {
                tracing::error!(%error, "the store failed");
                Self::new(Code::Internal, "the server failed; its log says why")
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.code.status();
        let mut body = json!({
            "type": "about:blank", "title": self.code.title(), "status": status.as_u16(), "code": self.code.name(), "detail": self.detail,
        });
        if let Some(object) = body.as_object_mut() {
            object.extend(self.members);
        }
        let mut response = (status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.code == Code::BadKey {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
