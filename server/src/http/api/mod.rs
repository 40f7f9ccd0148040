//! The customer's interface: `/api/v1`, with an API key.
//!
//! Who may ask is decided before a handler is reached: by the key, its rate, and the scopes that the description names for the operation.

mod agents;
mod analytics;
mod audit;
mod callbacks;
mod command;
mod conversations;
mod erasure;
mod events;
mod export;
mod files;
mod meetings;
mod once;
mod openapi;
mod page;
mod problems;
mod reference;
mod sessions;
mod sites;
mod stream;
mod surveys;
mod told;
mod transcripts;
mod visitors;
mod webhooks;

use std::sync::Arc;

use axum::{
    Router,
    extract::{FromRequestParts, MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use porchlight_domain::id::SiteKey;
use utoipa_axum::router::OpenApiRouter;

use super::{
    App,
    limits::Address,
    problem::{Code, Problem},
};
use crate::{
    access::{ApiKey, KEY_PREFIX, Scope},
    secret::Secret,
    settings::Settings,
    store::{Actor, Command, Failure, Tx},
};
use openapi::Needs;

pub(crate) use conversations::Publish;

/// Every operation, with its description.
fn operations(settings: &Settings) -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .merge(sites::routes(settings.site_limit_bytes))
        .merge(files::routes(settings.file_limit_bytes))
        .merge(conversations::routes())
        .merge(events::routes())
        .merge(stream::routes())
        .merge(export::routes())
        .merge(visitors::routes())
        .merge(sessions::routes())
        .merge(transcripts::routes())
        .merge(meetings::routes())
        .merge(callbacks::routes())
        .merge(surveys::routes())
        .merge(agents::routes())
        .merge(audit::routes())
        .merge(analytics::routes())
        .merge(webhooks::routes())
        .merge(erasure::routes())
}

/// The description of the API, as docs/openapi.json has it.
pub(super) fn description() -> String {
    openapi::text(&openapi::complete(operations(&Settings::default()).into_openapi()))
}

pub(super) fn routes(app: &App) -> Router<App> {
    let (router, document) = operations(&app.settings).split_for_parts();
    let document = openapi::complete(document);
    // It is made of texts and numbers only, so it can be read as JSON.
    let value = serde_json::to_value(&document).unwrap_or_default();
    let needs = Arc::new(Needs::of(&value));
    let gate = move |State(app): State<App>, address: Address, request: Request, next: Next| {
        let needs = Arc::clone(&needs);
        async move { admit(&app, address, &needs, request, next).await }
    };
    router
        .method_not_allowed_fallback(super::wrong_method)
        .route_layer(middleware::from_fn_with_state(app.clone(), gate))
        .merge(openapi::routes(openapi::text(&document), &value))
}

/// The key that the caller has.
#[derive(Clone)]
pub(super) struct Authorized(ApiKey);

impl Authorized {
    /// Refuses what the key may not do.
    pub(super) fn needs(&self, scope: Scope) -> Result<(), Problem> {
        if self.0.may(scope) { Ok(()) } else { Err(Problem::new(Code::Forbidden, format!("the key lacks the scope {scope}"))) }
    }

    /// The site that a request names, if the key is good for it. One that it is not good for is not there.
    pub(super) fn site(&self, site: SiteKey) -> Result<SiteKey, Problem> {
        if self.0.serves(&site) { Ok(site) } else { Err(no_site(&site)) }
    }

    /// The sites that a request is about: the one it names, or else all that the key is good for (none: all there are).
    pub(super) fn sites(&self, asked: Option<SiteKey>) -> Result<Option<Vec<SiteKey>>, Problem> {
        match asked {
            Some(site) => Ok(Some(vec![self.site(site)?])),
            None => Ok(self.0.sites.clone()),
        }
    }

    /// Its id.
    pub(super) fn id(&self) -> &str {
        &self.0.id
    }

    /// Whom the audit log names.
    pub(super) fn actor(&self) -> Actor {
        Actor::Key(self.0.id.clone())
    }
}

/// Reads a part of an address, and names it if it cannot be read.
pub(super) fn parsed<T: std::str::FromStr<Err: ToString>>(text: &str, field: &str) -> Result<T, Problem> {
    text.parse().map_err(|error: T::Err| Problem::new(Code::Malformed, error.to_string()).field(field))
}

pub(super) fn no_site(key: &SiteKey) -> Problem {
    Problem::new(Code::UnknownSite, format!("there is no site with the key \"{key}\"")).field("site")
}

struct Used(String, Timestamp);

impl Command for Used {
    type Done = ();
    type Refusal = std::convert::Infallible;

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<Self::Refusal>> {
        Ok(tx.api_key_used(&self.0, self.1).await?)
    }
}

/// Lets a request through, if its key is good for it, and says how the key stands.
async fn admit(app: &App, Address(address): Address, needs: &Needs, request: Request, next: Next) -> Response {
    let found = find(app, request.headers()).await;
    let (standing, counted) = match &found {
        Ok(key) => app.limits.api(&key.id),
        Err(_) => app.limits.api_guess(address),
    };
    let answered = match counted.and(found) {
        Ok(key) => let_in(app, Authorized(key), needs, request, next).await,
        Err(problem) => Err(problem),
    };
    let mut response = answered.map_or_else(Problem::into_response, told_as_problem);
    standing.tell(response.headers_mut());
    response
}

async fn let_in(app: &App, key: Authorized, needs: &Needs, mut request: Request, next: Next) -> Result<Response, Problem> {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    for scope in needs.scopes(request.method(), path) {
        key.needs(*scope)?;
    }
    let now = app.engine.outside.now();
    if key.0.is_to_be_noted(now)
        && let Err(failure) = app.store.commit(Used(key.0.id.clone(), now)).await
    {
        // What the request is about matters more.
        tracing::warn!(%failure, "that a key was used could not be noted");
    }
    request.extensions_mut().insert(key);
    Ok(next.run(request).await)
}

/// What is refused before a handler is asked, such as an address whose parts are no text, is told as everything else is.
fn told_as_problem(response: Response) -> Response {
    let kind = response.headers().get(header::CONTENT_TYPE);
    if response.status() == StatusCode::BAD_REQUEST && kind != Some(&HeaderValue::from_static("application/problem+json")) {
        return Problem::new(Code::Malformed, "the address cannot be read").into_response();
    }
    response
}

/// The key that a request comes with.
async fn find(app: &App, headers: &HeaderMap) -> Result<ApiKey, Problem> {
    let secret = headers.get(header::AUTHORIZATION).and_then(|value| secret(value.to_str().ok()?)).ok_or_else(no_key)?;
    app.store.api_key(&secret).await?.ok_or_else(no_key)
}

fn secret(authorization: &str) -> Option<Secret> {
    let (scheme, key) = authorization.split_once(' ')?;
    let secret = key.trim().strip_prefix(KEY_PREFIX)?.parse().ok()?;
    scheme.eq_ignore_ascii_case("bearer").then_some(secret)
}

fn no_key() -> Problem {
    Problem::new(Code::BadKey, "expected the header Authorization: Bearer plk_…, with a key of `porchlight key create`")
}

impl<S: Send + Sync> FromRequestParts<S> for Authorized {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(no_key)
    }
}
