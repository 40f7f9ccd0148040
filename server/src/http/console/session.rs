//! Who is signed in.

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::{HeaderMap, HeaderValue, Method, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use jiff::{SignedDuration, Timestamp};
pub(super) use porchlight_domain::agent::Right;

use crate::{
    http::{
        App,
        problem::{Code, Problem},
    },
    secret::Secret,
    store::{AgentRow, Command, Failure, Tx},
};

/// The cookie. Its prefix makes browsers take it only from this very host, over a safe connection (RFC 6265bis §4.1.3.2).
const COOKIE: &str = "__Host-porchlight";
/// How long a sign-in may be used before that is noted.
const NOTED_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// The agent who asks. Whoever is not signed in is sent to sign in, or told so where a program asks.
pub(super) struct SignedIn {
    pub(super) agent: AgentRow,
    pub(super) token: Secret,
}

/// The request was not made by a page of somebody else.
pub(super) struct OwnOrigin;

impl AgentRow {
    /// Refuses what they may not do.
    pub(in crate::http) fn must(&self, right: Right) -> Result<(), Problem> {
        if self.may(right) { Ok(()) } else { Err(Problem::new(Code::Forbidden, format!("an {} may not do this", self.role))) }
    }
}

fn cookie(headers: &HeaderMap) -> Option<Secret> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
    pairs.filter_map(|pair| pair.trim().split_once('=')).find(|(name, _)| *name == COOKIE)?.1.parse().ok()
}

/// The header that keeps a sign-in in the browser, or without one forgets it.
pub(super) fn set_cookie(token: Option<&Secret>, days: u64) -> HeaderValue {
    let (value, age) = token.map_or((String::new(), 0), |token| (token.reveal(), days.saturating_mul(86_400)));
    let cookie = format!("{COOKIE}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={age}");
    // Letters, digits and signs that headers may have.
    HeaderValue::from_str(&cookie).unwrap_or(HeaderValue::from_static(""))
}

/// What a browser that is not signed in gets.
pub(super) enum SignedOut {
    ToSignIn,
    Told(Problem),
}

impl IntoResponse for SignedOut {
    fn into_response(self) -> Response {
        match self {
            Self::ToSignIn => Redirect::to("/console/sign-in").into_response(),
            Self::Told(problem) => problem.into_response(),
        }
    }
}

/// Whether what a browser sends along by itself may be believed: a page of another origin cannot make it ask in an agent's name.
fn is_own(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    match text(header::ORIGIN) {
        Some(origin) => origin.split_once("://").map(|(_, host)| host) == text(header::HOST),
        // Browsers name the origin of whatever is no plain visit; a program that names none has no cookie by accident.
        None => !matches!(text(header::HeaderName::from_static("sec-fetch-site")), Some("cross-site" | "same-site")),
    }
}

fn foreign() -> Problem {
    Problem::new(Code::ForbiddenOrigin, "the request comes from a page of another origin")
}

impl<S: Send + Sync> FromRequestParts<S> for OwnOrigin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        if is_own(&parts.headers) { Ok(Self) } else { Err(foreign()) }
    }
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = SignedOut;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, SignedOut> {
        let path = parts.uri.path();
        let by_program = path.starts_with("/console/api/") || matches!(path, "/console/socket" | "/console/events");
        if parts.method != Method::GET && !is_own(&parts.headers) {
            return Err(SignedOut::Told(foreign()));
        }
        let found = match cookie(&parts.headers) {
            Some(token) => find(app, token).await.map_err(SignedOut::Told)?,
            None => None,
        };
        found.ok_or_else(|| {
            if by_program {
                SignedOut::Told(Problem::new(Code::SignedOut, "sign in at /console/sign-in"))
            } else {
                SignedOut::ToSignIn
            }
        })
    }
}

impl OptionalFromRequestParts<App> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Option<Self>, Problem> {
        match cookie(&parts.headers) {
            Some(token) => find(app, token).await,
            None => Ok(None),
        }
    }
}

async fn find(app: &App, token: Secret) -> Result<Option<SignedIn>, Problem> {
    let now = app.engine.outside.now();
    let (idle, days) = (app.settings.sign_in_idle_hours, app.settings.sign_in_days);
    let hours = |hours: u64| SignedDuration::from_hours(i64::try_from(hours).unwrap_or(i64::MAX / 3600));
    let lives = |since: Timestamp, seen: Timestamp| {
        now.duration_since(seen) < hours(idle) && now.duration_since(since) < hours(days.saturating_mul(24))
    };
    let found = app.store.look(Find(token.clone())).await.map_err(Problem::from)?;
    let Some((agent, since, seen)) = found.filter(|(agent, since, seen)| !agent.disabled && lives(*since, *seen)) else {
        return Ok(None);
    };
    let _ = since;
    if now.duration_since(seen) >= NOTED_AFTER {
        app.store.commit(Touch(token.clone(), now)).await.map_err(Problem::from)?;
    }
    Ok(Some(SignedIn { agent, token }))
}

struct Find(Secret);

impl Command for Find {
    type Done = Option<(AgentRow, Timestamp, Timestamp)>;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Self::Done, Failure<Problem>> {
        Ok(tx.login(&self.0).await?)
    }
}

struct Touch(Secret, Timestamp);

impl Command for Touch {
    type Done = ();
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<Problem>> {
        Ok(tx.touch_login(&self.0, self.1).await?)
    }
}
