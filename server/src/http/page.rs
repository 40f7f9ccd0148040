//! The host page: its address, its origin, and whether it is one of the site's.

use std::fmt;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use serde::Deserialize;
use url::Url;

use super::problem::{Code, Problem};
use crate::site::Site;

/// The longest address of a page, in bytes.
pub(super) const PAGE_MAX: usize = 4096;

/// The address of a host page: `http` or `https`, without a user's name or password.
#[derive(Debug, Clone)]
pub(crate) struct Page(Url);

impl<'de> Deserialize<'de> for Page {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let expected =
            || serde::de::Error::custom(format!("expected the address of a page, http or https, of at most {PAGE_MAX} bytes"));
        let mut url = Url::parse(&text).ok().filter(|_| text.len() <= PAGE_MAX).ok_or_else(expected)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(expected());
        }
        // Neither can fail for an address with a host, which these schemes have.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        Ok(Self(url))
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Page {
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Its origin as a browser writes it.
    pub(crate) fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// Checks that the page is one of the site's, and that the browser names no other origin than the page's or our own.
    pub(crate) fn check(&self, site: &Site, caller: &Caller) -> Result<(), Problem> {
        let origin = self.0.origin();
        if !site.allows(&origin) {
            let detail = format!("{} is not among the origins of site \"{}\"", self.origin(), site.key);
            return Err(Problem::new(Code::ForbiddenOrigin, detail).field("page"));
        }
        match &caller.origin {
            Some(named) if *named != self.origin() && !caller.is_own(named) => {
                let detail = format!("the request comes from {named}, but names a page of {}", self.origin());
                Err(Problem::new(Code::ForbiddenOrigin, detail).field("page"))
            }
            _ => Ok(()),
        }
    }
}

/// What the browser says of where a request comes from.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The `Origin` header. A page whose referrer policy hides it sends `null`, which says nothing.
    origin: Option<String>,
    host: Option<String>,
}

impl Caller {
    fn of(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Self { origin: text(header::ORIGIN).filter(|origin| origin != "null"), host: text(header::HOST) }
    }

    /// Whether an origin is the server's own, as the panel's requests name it. The scheme is not compared: behind a proxy the
    /// server does not know its own.
    fn is_own(&self, origin: &str) -> bool {
        let host = origin.split_once("://").map(|(_, host)| host);
        host.is_some() && host == self.host.as_deref()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&parts.headers))
    }
}
