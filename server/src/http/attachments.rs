//! `GET /attachments/{id}`: what visitors and agents have sent each other.
//!
//! The id is a secret of 256 bits: who was sent it may have the file, and nothing that a browser sends along by itself is asked for. The file
//! is never shown as a page: it is something to keep, and nothing in it runs (RFC 6266; CSP 3 `sandbox`).

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};

use super::{
    App,
    problem::{Code, Problem},
};
use crate::store::{Command, Failure, Tx};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/attachments/{id}", get(attachment))
}

async fn attachment(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Problem> {
    let (name, kind, content) = app.store.look(Read(id)).await.map_err(|failure| match failure {
        Failure::Refused(()) => Problem::new(Code::NotFound, "there is no such file"),
        Failure::Store(error) => error.into(),
    })?;
    let kind = if kind == "text/plain" { "text/plain; charset=utf-8".to_owned() } else { kind };
    // A form's encoding writes a blank as "+", a header's as "%20" (RFC 8187); a "+" that is meant is "%2B" in both.
    let encoded: String =
        url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20").replace('*', "%2A");
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_DISPOSITION, format!("attachment; filename*=UTF-8''{encoded}")),
        // It never changes.
        (header::CACHE_CONTROL, "private, max-age=31536000, immutable".to_owned()),
    ];
    let mut response = (headers, content).into_response();
    let own = [
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox; frame-ancestors 'none'"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in own {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

struct Read(String);

impl Command for Read {
    type Done = (String, String, Vec<u8>);
    type Refusal = ();

    async fn run(self, tx: &mut Tx<'_>) -> Result<Self::Done, Failure<()>> {
        tx.attachment(&self.0).await?.ok_or(Failure::Refused(()))
    }
}
