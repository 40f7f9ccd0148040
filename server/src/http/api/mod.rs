//! The customer's interface: `/api/v1`, with an API key.

mod events;
mod sites;
mod visitors;
mod webhooks;

use axum::{
    Router,
    extract::FromRequestParts,
    http::{header, request::Parts},
};

use jiff::Timestamp;
use porchlight_domain::id::SiteKey;

use super::{
    App,
    problem::{Code, Problem},
};
use crate::{
    access::{ApiKey, KEY_PREFIX, Scope},
    secret::Secret,
    store::{Actor, Command, Failure, Tx},
};

pub(crate) use sites::Publish;

pub(super) fn routes(file_limit: usize) -> Router<App> {
    events::routes().merge(sites::routes(file_limit)).merge(visitors::routes()).merge(webhooks::routes())
}

/// The key that the caller has.
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

    /// Whom the audit log names.
    pub(super) fn actor(&self) -> Actor {
        Actor::Key(self.0.id.clone())
    }
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

impl FromRequestParts<App> for Authorized {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let expected = || {
            Problem::new(Code::BadKey, "expected the header Authorization: Bearer plk_…, with a key of `porchlight key create`")
        };
        let value = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or_else(expected)?;
        let (scheme, key) = value.split_once(' ').ok_or_else(expected)?;
        let secret: Secret = key.trim().strip_prefix(KEY_PREFIX).and_then(|key| key.parse().ok()).ok_or_else(expected)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(expected());
        }
        let key = app.store.api_key(&secret).await?.ok_or_else(expected)?;
        let now = app.engine.outside.now();
        if key.is_to_be_noted(now)
            && let Err(failure) = app.store.commit(Used(key.id.clone(), now)).await
        {
            // What the request is about matters more.
            tracing::warn!(%failure, "that a key was used could not be noted");
        }
        Ok(Self(key))
    }
}
