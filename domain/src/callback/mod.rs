//! Call backs: a visitor asks to be called, now or at a time of their choice, and an agent calls.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    id::{AgentId, CallbackId, CardId, TeamId},
    schedule::Span,
    session::{ContactKind, Speaker},
};

/// A call back, from the moment the visitor gave their number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// Its id.
    pub id: CallbackId,
    /// The card that offered it.
    pub card: CardId,
    /// At once, or at a time of choice.
    pub kind: ContactKind,
    /// The number to call, in E.164.
    pub phone: String,
    /// Where it stands.
    pub phase: CallbackPhase,
    /// The team that calls; any agent of the site, if none.
    pub team: Option<TeamId>,
    /// When the visitor asked.
    pub requested_at: Timestamp,
    /// From when, and until when, it was promised that somebody calls; nothing while the visitor has yet to choose.
    pub promised: Option<Span>,
    /// From when it is to be tried again, after somebody was not reached.
    pub not_before: Option<Timestamp>,
    /// How often somebody has called.
    pub attempts: u32,
}

/// Where a call back stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CallbackPhase {
    /// The visitor has given their number, and has yet to choose when.
    Choosing,
    /// Somebody is to call.
    Waiting,
    /// An agent is calling.
    Claimed {
        /// Who.
        agent: AgentId,
    },
    /// It is over.
    Done {
        /// Who called last.
        agent: AgentId,
        /// What came of it.
        outcome: Outcome,
    },
    /// The visitor went away before they chose a time.
    Dropped,
}

/// What came of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// They talked.
    Reached,
    /// Nobody answered, and it is not tried again.
    NotReached,
    /// The number is another's, or none.
    WrongNumber,
}

impl Outcome {
    /// All, with their names.
    pub const ALL: [(&'static str, Self); 3] =
        [("reached", Self::Reached), ("not_reached", Self::NotReached), ("wrong_number", Self::WrongNumber)];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, outcome)| *outcome == self).map_or("", |(name, _)| name)
    }

    /// The outcome of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, outcome)| *outcome)
    }
}

/// What an agent does with a call back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallbackCommand {
    /// Says that they call.
    Claim {
        /// Who.
        agent: AgentId,
    },
    /// Leaves it to the others again.
    Release {
        /// Who had it.
        agent: AgentId,
    },
    /// Has called, and says what came of it.
    Complete {
        /// Who.
        by: Speaker,
        /// What.
        outcome: Outcome,
    },
    /// Has called, reached nobody, and it is to be tried again.
    Retry {
        /// Who.
        agent: AgentId,
        /// From when.
        at: Timestamp,
    },
}

/// Why nothing is done with a call back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotCalled {
    /// Somebody else has it, or it is over.
    #[error("the call back is another agent's, or over")]
    NotYours,
    /// It is to be tried again at a time that has passed.
    #[error("expected a time that is still to come")]
    Past,
}

impl Callback {
    /// Who calls.
    #[must_use]
    pub const fn agent(&self) -> Option<AgentId> {
        match self.phase {
            CallbackPhase::Claimed { agent } | CallbackPhase::Done { agent, .. } => Some(agent),
            CallbackPhase::Choosing | CallbackPhase::Waiting | CallbackPhase::Dropped => None,
        }
    }

    /// Whether somebody is to call still.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.phase, CallbackPhase::Waiting | CallbackPhase::Claimed { .. })
    }

    /// From when somebody is to call.
    #[must_use]
    pub fn from(&self) -> Timestamp {
        self.not_before.or_else(|| self.promised.map(|promised| promised.start)).unwrap_or(self.requested_at)
    }

    /// What an agent does to it. Whether they have called, which an event tells of, is the second part.
    ///
    /// # Errors
    /// If it is not theirs to do.
    pub fn after(self, command: &CallbackCommand, now: Timestamp) -> Result<(Self, Option<Outcome>), NotCalled> {
        let own = |agent: AgentId| self.phase == CallbackPhase::Claimed { agent };
        match command {
            // Pressed twice: it is theirs.
            CallbackCommand::Claim { agent } if self.phase == CallbackPhase::Waiting || own(*agent) => {
                Ok((Self { phase: CallbackPhase::Claimed { agent: *agent }, ..self }, None))
            }
            CallbackCommand::Release { agent } if own(*agent) => Ok((Self { phase: CallbackPhase::Waiting, ..self }, None)),
            CallbackCommand::Complete { by, outcome } if own(by.id) => {
                let phase = CallbackPhase::Done { agent: by.id, outcome: *outcome };
                Ok((Self { phase, attempts: self.attempts.saturating_add(1), ..self }, Some(*outcome)))
            }
            CallbackCommand::Retry { agent, at } if own(*agent) => {
                if *at <= now {
                    return Err(NotCalled::Past);
                }
                let attempts = self.attempts.saturating_add(1);
                Ok((Self { phase: CallbackPhase::Waiting, not_before: Some(*at), attempts, ..self }, None))
            }
            _ => Err(NotCalled::NotYours),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::uuid_v7;

    fn agent(number: u8) -> AgentId {
        AgentId::new(uuid_v7(1, &[number; 10]))
    }

    fn asked() -> Callback {
        Callback {
            id: CallbackId::new(uuid_v7(2, &[2; 10])),
            card: "call".parse().unwrap(),
            kind: ContactKind::CallbackNow,
            phone: "+442079460000".to_owned(),
            phase: CallbackPhase::Waiting,
            team: None,
            requested_at: Timestamp::UNIX_EPOCH,
            promised: None,
            not_before: None,
            attempts: 0,
        }
    }

    #[test]
    fn one_agent_has_it_and_says_what_came_of_it() {
        let now = Timestamp::UNIX_EPOCH;
        let (ada, grace) = (agent(1), agent(2));
        let done =
            |who: AgentId| CallbackCommand::Complete { by: Speaker { id: who, name: "A".to_owned() }, outcome: Outcome::Reached };
        assert_eq!(asked().after(&done(ada), now), Err(NotCalled::NotYours), "it is claimed first");
        let (claimed, _) = asked().after(&CallbackCommand::Claim { agent: ada }, now).unwrap();
        assert_eq!(claimed.clone().after(&CallbackCommand::Claim { agent: ada }, now).unwrap().0, claimed);
        for command in [CallbackCommand::Claim { agent: grace }, CallbackCommand::Release { agent: grace }, done(grace)] {
            assert_eq!(claimed.clone().after(&command, now), Err(NotCalled::NotYours), "{command:?}");
        }
        let (over, told) = claimed.clone().after(&done(ada), now).unwrap();
        assert_eq!((told, over.attempts, over.is_open(), over.agent()), (Some(Outcome::Reached), 1, false, Some(ada)));
        assert_eq!(over.after(&CallbackCommand::Claim { agent: grace }, now), Err(NotCalled::NotYours));
        let (waiting, _) = claimed.after(&CallbackCommand::Release { agent: ada }, now).unwrap();
        assert!(waiting.after(&CallbackCommand::Claim { agent: grace }, now).is_ok());
    }

    #[test]
    fn who_was_not_reached_is_called_again_later() {
        let now = Timestamp::UNIX_EPOCH;
        let ada = agent(1);
        let (claimed, _) = asked().after(&CallbackCommand::Claim { agent: ada }, now).unwrap();
        assert_eq!(claimed.clone().after(&CallbackCommand::Retry { agent: ada, at: now }, now), Err(NotCalled::Past));
        let at = Timestamp::from_second(3600).unwrap();
        let (again, told) = claimed.after(&CallbackCommand::Retry { agent: ada, at }, now).unwrap();
        assert_eq!((told, again.attempts, again.from(), again.phase), (None, 1, at, CallbackPhase::Waiting));
    }
}
