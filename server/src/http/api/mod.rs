//! The customer's interface: `/api/v1`, with an API key.

mod events;
mod sites;
mod visitors;

use axum::{
    Router,
    extract::FromRequestParts,
    http::{header, request::Parts},
};

use super::{
    App,
    problem::{Code, Problem},
};
use crate::secret::Secret;

pub(crate) use sites::Publish;

pub(super) fn routes(file_limit: usize) -> Router<App> {
    events::routes().merge(sites::routes(file_limit)).merge(visitors::routes())
}

/// How an API key begins, so that a person, or a scanner for leaked secrets, knows it when they see it.
pub(crate) const KEY_PREFIX: &str = "plk_";

/// Shows that the caller has an API key.
pub(super) struct Authorized;

impl FromRequestParts<App> for Authorized {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let expected = || {
            Problem::new(Code::BadKey, "expected the header Authorization: Bearer plk_…, with a key of `porchlight key create`")
        };
        let value = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or_else(expected)?;
        let (scheme, key) = value.split_once(' ').ok_or_else(expected)?;
        let secret: Secret = key.trim().strip_prefix(KEY_PREFIX).and_then(|key| key.parse().ok()).ok_or_else(expected)?;
        if scheme.eq_ignore_ascii_case("bearer") && app.store.knows_api_key(&secret).await? { Ok(Self) } else { Err(expected()) }
    }
}
