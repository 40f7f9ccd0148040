//! How long everybody may take.

use jiff::{SignedDuration, Timestamp};

use super::{Chat, Phase};

/// How long everybody may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChatPolicy {
    /// How long an agent has to accept.
    pub accept: SignedDuration,
    /// How long neither side may do anything.
    pub idle: SignedDuration,
    /// How long the visitor's connection may be gone.
    pub dropped: SignedDuration,
    /// How long the time of a meeting is held while its visitor says who they are.
    pub hold: SignedDuration,
}

impl Default for ChatPolicy {
    fn default() -> Self {
        Self {
            accept: SignedDuration::from_secs(100),
            idle: SignedDuration::from_mins(10),
            dropped: SignedDuration::from_secs(60),
            hold: SignedDuration::from_mins(5),
        }
    }
}

pub(crate) fn later(from: Timestamp, by: SignedDuration) -> Timestamp {
    from.checked_add(by).unwrap_or(Timestamp::MAX)
}

impl Chat {
    /// When the visitor counts as dropped, if they do not come back.
    pub(crate) fn drops_at(&self, policy: &ChatPolicy) -> Option<Timestamp> {
        self.gone_since.map(|since| later(since, policy.dropped))
    }

    /// When it ends if nobody does anything.
    pub(crate) fn idle_at(&self, policy: &ChatPolicy) -> Option<Timestamp> {
        matches!(self.phase, Phase::Online { .. }).then(|| later(self.active_at, policy.idle))
    }

    /// When what is offered is offered no more.
    pub(crate) fn lapses_at(&self) -> Option<Timestamp> {
        match &self.phase {
            Phase::Offered(offer) => Some(offer.until),
            Phase::Online { transfer, .. } => transfer.as_ref().map(|transfer| transfer.offer.until),
            Phase::Queued | Phase::Ended(_) => None,
        }
    }

    /// When something next happens to it by itself: then it is to be given a [`Tick`](super::ChatCommand::Tick).
    #[must_use]
    pub fn due_at(&self, policy: &ChatPolicy) -> Option<Timestamp> {
        if self.is_over() {
            return None;
        }
        [self.drops_at(policy), self.idle_at(policy), self.lapses_at()].into_iter().flatten().min()
    }
}
