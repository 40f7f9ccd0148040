//! Rate limits.

use std::{
    hash::Hash,
    net::{IpAddr, SocketAddr},
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, HeaderName, HeaderValue, request::Parts},
};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, Reference},
    middleware::{NoOpMiddleware, StateInformationMiddleware},
    nanos::Nanos,
    state::keyed::DefaultKeyedStateStore,
};

use super::{
    App,
    problem::{Code, Problem},
    streams::Streams,
};
use crate::{outside::Outside, secret::Secret, settings::Settings};

type Keyed<K> = RateLimiter<K, DefaultKeyedStateStore<K>, OutsideClock, NoOpMiddleware<Instant>>;

/// The same, which says how much is left.
type Counting<K> = RateLimiter<K, DefaultKeyedStateStore<K>, OutsideClock, StateInformationMiddleware>;

/// How often somebody may do something.
pub(crate) struct Limits {
    starts: Keyed<IpAddr>,
    commands: Keyed<Vec<u8>>,
    sign_ins: Keyed<IpAddr>,
    guesses: Keyed<(IpAddr, String)>,
    /// The streams of events that keys have open.
    pub(super) streams: Streams,
    api: Counting<String>,
    api_guesses: Counting<IpAddr>,
    clock: OutsideClock,
    since_tidied: AtomicU32,
}

/// After so many checks, what is known of those who have been away is forgotten.
const TIDY_AFTER: u32 = 10_000;

impl Limits {
    pub(super) fn new(settings: &Settings, outside: Outside) -> Self {
        let clock = OutsideClock(outside);
        let quota = |per_minute| Quota::per_minute(NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN));
        Self {
            starts: RateLimiter::new(quota(settings.starts_per_minute), DefaultKeyedStateStore::default(), clock.clone()),
            commands: RateLimiter::new(quota(settings.commands_per_minute), DefaultKeyedStateStore::default(), clock.clone()),
            sign_ins: RateLimiter::new(quota(settings.sign_ins_per_minute), DefaultKeyedStateStore::default(), clock.clone()),
            guesses: RateLimiter::new(quota(settings.guesses_per_minute), DefaultKeyedStateStore::default(), clock.clone()),
            streams: Streams::new(settings.streams_limit),
            api: RateLimiter::new(quota(settings.api_requests_per_minute), DefaultKeyedStateStore::default(), clock.clone()),
            api_guesses: RateLimiter::new(
                quota(settings.api_guesses_per_minute),
                DefaultKeyedStateStore::default(),
                clock.clone(),
            ),
            clock,
            since_tidied: AtomicU32::new(0),
        }
    }

    /// Counts a start of a page from an address.
    pub(super) fn start(&self, address: IpAddr) -> Result<(), Problem> {
        self.tidy();
        self.starts.check_key(&address).map_err(|refused| self.problem(&refused, "starts_per_minute"))
    }

    /// Counts a request of a visitor.
    pub(super) fn command(&self, token: &Secret) -> Result<(), Problem> {
        self.tidy();
        self.commands.check_key(&token.hash()).map_err(|refused| self.problem(&refused, "commands_per_minute"))
    }

    /// Counts an attempt to sign in: of an address, and, where an account is named, of an address for that account. The account itself is never
    /// locked, so that nobody can lock another out.
    pub(super) fn sign_in(&self, address: IpAddr, email: Option<&str>) -> Result<(), Problem> {
        self.tidy();
        self.sign_ins.check_key(&address).map_err(|refused| self.problem(&refused, "sign_ins_per_minute"))?;
        let Some(email) = email else { return Ok(()) };
        let guess = (address, email.trim().to_lowercase());
        self.guesses.check_key(&guess).map_err(|refused| self.problem(&refused, "guesses_per_minute"))
    }

    /// Counts a request to the API with a key, and says how the key stands.
    pub(super) fn api(&self, key: &str) -> (Standing, Result<(), Problem>) {
        self.counted(&self.api, &key.to_owned(), "api_requests_per_minute")
    }

    /// Counts a request to the API without a key that is good, and says how the address stands.
    pub(super) fn api_guess(&self, address: IpAddr) -> (Standing, Result<(), Problem>) {
        self.counted(&self.api_guesses, &address, "api_guesses_per_minute")
    }

    fn counted<K: Hash + Eq + Clone>(&self, limiter: &Counting<K>, key: &K, limit: &str) -> (Standing, Result<(), Problem>) {
        self.tidy();
        match limiter.check_key(key) {
            Ok(state) => (Standing { limit: state.quota().burst_size(), remaining: state.remaining_burst_capacity() }, Ok(())),
            Err(refused) => (Standing { limit: refused.quota().burst_size(), remaining: 0 }, Err(self.problem(&refused, limit))),
        }
    }

    fn problem(&self, refused: &governor::NotUntil<Instant>, limit: &str) -> Problem {
        let wait = refused.wait_time_from(self.clock.now());
        Problem::new(Code::TooMany, format!("more than {limit} allows; wait a moment"))
            .retry_after(u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(60))
    }

    fn tidy(&self) {
        if self.since_tidied.fetch_add(1, Ordering::Relaxed) == TIDY_AFTER {
            self.since_tidied.store(0, Ordering::Relaxed);
            self.starts.retain_recent();
            self.commands.retain_recent();
            self.sign_ins.retain_recent();
            self.guesses.retain_recent();
            self.api.retain_recent();
            self.api_guesses.retain_recent();
        }
    }
}

/// How somebody stands who is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    /// How many requests they may make a minute.
    limit: NonZeroU32,
    /// How many of them they may make now.
    remaining: u32,
}

impl Standing {
    /// Says it in the headers of draft-ietf-httpapi-ratelimit-headers-06.
    pub(super) fn tell(self, headers: &mut HeaderMap) {
        headers.insert(HeaderName::from_static("ratelimit-limit"), HeaderValue::from(self.limit.get()));
        headers.insert(HeaderName::from_static("ratelimit-remaining"), HeaderValue::from(self.remaining));
        headers.insert(HeaderName::from_static("ratelimit-reset"), HeaderValue::from(self.reset()));
    }

    /// After how many seconds they may make all of them again.
    fn reset(self) -> u64 {
        let used = u64::from(self.limit.get().saturating_sub(self.remaining));
        (used * 60).div_ceil(u64::from(self.limit.get()))
    }
}

/// The server's own clock, for governor.
#[derive(Clone)]
struct OutsideClock(Outside);

/// A moment of that clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(Nanos);

impl std::ops::Add<Nanos> for Instant {
    type Output = Self;

    fn add(self, other: Nanos) -> Self {
        Self(self.0 + other)
    }
}

impl Reference for Instant {
    fn duration_since(&self, earlier: Self) -> Nanos {
        self.0.as_u64().saturating_sub(earlier.0.as_u64()).into()
    }

    fn saturating_sub(&self, duration: Nanos) -> Self {
        Self(self.0.as_u64().saturating_sub(duration.as_u64()).into())
    }
}

impl Clock for OutsideClock {
    type Instant = Instant;

    fn now(&self) -> Instant {
        Instant(u64::try_from(self.0.now().as_nanosecond()).unwrap_or_default().into())
    }
}

/// The address a request comes from.
pub(super) struct Address(pub(super) IpAddr);

impl FromRequestParts<App> for Address {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map_or(IpAddr::from([0, 0, 0, 0]), |info| info.0.ip());
        Ok(Self(forwarded(&parts.headers, app.settings.trusted_proxies).unwrap_or(peer)))
    }
}

/// The address that the last proxy we trust saw. Everything before it in the header could have been written by anyone.
fn forwarded(headers: &HeaderMap, trusted_proxies: usize) -> Option<IpAddr> {
    let mut addresses: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    addresses.reverse();
    addresses.get(trusted_proxies.checked_sub(1)?)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_trusted_proxies_wrote_is_believed() {
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "1.1.1.1, 2.2.2.2".parse().unwrap());
        headers.append("x-forwarded-for", "3.3.3.3".parse().unwrap());
        assert_eq!(forwarded(&headers, 0), None);
        assert_eq!(forwarded(&headers, 1), Some([3, 3, 3, 3].into()));
        assert_eq!(forwarded(&headers, 2), Some([2, 2, 2, 2].into()));
        assert_eq!(forwarded(&headers, 4), None);
    }

    #[test]
    fn a_standing_is_told_in_whole_seconds() {
        let standing = |limit, remaining| Standing { limit: NonZeroU32::new(limit).unwrap(), remaining };
        assert_eq!(standing(600, 600).reset(), 0);
        assert_eq!(standing(600, 599).reset(), 1, "a tenth of a second, rounded up");
        assert_eq!(standing(2, 1).reset(), 30);
        assert_eq!(standing(30, 0).reset(), 60);
        let mut headers = HeaderMap::new();
        standing(30, 29).tell(&mut headers);
        let told = ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"].map(|name| headers[name].to_str().unwrap());
        assert_eq!(told, ["30", "29", "2"]);
    }
}
