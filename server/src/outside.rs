//! Time and randomness, as arguments: the only place where the server asks the machine for either.

use std::{fmt, sync::Arc};

use jiff::Timestamp;
use porchlight_domain::id::uuid_v7;
use uuid::Uuid;

use crate::secret::Secret;

/// Where time and randomness come from.
#[derive(Clone)]
pub struct Outside {
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl fmt::Debug for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outside")
    }
}

impl Outside {
    /// The machine's clock.
    #[must_use]
    pub fn real() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
        Self::with_clock(Timestamp::now)
    }

    /// Another clock, for tests.
    #[must_use]
    pub fn with_clock(clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { clock: Arc::new(clock) }
    }

    /// The time, in whole milliseconds: what the store keeps.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let now = (self.clock)();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    /// A new UUIDv7.
    #[must_use]
    pub fn new_id(&self) -> Uuid {
        let millis = u64::try_from(self.now().as_millisecond()).unwrap_or_default();
        uuid_v7(millis, &random())
    }

    /// A new secret of 256 random bits.
    #[must_use]
    pub fn new_secret(&self) -> Secret {
        Secret::new(random())
    }
}

#[expect(
    clippy::expect_used,
    reason = "a machine without randomness can make no secret and no id: there is nothing to go on with"
)]
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has no randomness");
    bytes
}
