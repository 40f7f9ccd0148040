//! A meeting as it is kept.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    id::{AgentId, CardId, MeetingId},
    schedule::Span,
};

/// A meeting, from the moment its time is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meeting {
    /// Its id.
    pub id: MeetingId,
    /// The card that offered it.
    pub card: CardId,
    /// Whose calendar it is on.
    pub agent: AgentId,
    /// From when to when.
    pub span: Span,
    /// What it takes of the agent's time: itself, and its buffers.
    pub occupied: Span,
    /// Where it stands.
    pub phase: MeetingPhase,
    /// How often it was changed since it was booked ([RFC 5546 §2.1.4](https://www.rfc-editor.org/rfc/rfc5546#section-2.1.4)).
    pub sequence: u32,
    /// What it is called.
    pub title: String,
    /// Where it is, if that was said.
    pub location: Option<String>,
    /// The IANA name of the zone its guest reads it in.
    pub time_zone: String,
    /// The language to write to its guest in.
    pub locale: String,
    /// Who comes, once they have said so.
    pub guest: Option<Guest>,
}

/// Where a meeting stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MeetingPhase {
    /// Its time is kept for the visitor.
    Held {
        /// Until when; at this moment it no longer is.
        until: Timestamp,
    },
    /// It takes place.
    Booked,
    /// It was called off.
    Cancelled {
        /// Who did.
        by: Party,
    },
    /// It was never booked: the visitor chose another time, or took too long.
    Released,
}

/// Who does something about a meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Party {
    /// Who comes.
    Guest,
    /// Whose calendar it is on, or a colleague of theirs.
    Agent,
}

/// Who comes to a meeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guest {
    /// Their name, if they gave one.
    pub name: Option<String>,
    /// Their address.
    pub email: String,
}

impl Meeting {
    /// Whether it takes the agent's time: nothing else may be then.
    #[must_use]
    pub const fn is_taking(&self) -> bool {
        matches!(self.phase, MeetingPhase::Held { .. } | MeetingPhase::Booked)
    }

    /// Whether it is booked.
    #[must_use]
    pub const fn is_booked(&self) -> bool {
        matches!(self.phase, MeetingPhase::Booked)
    }

    /// Whether its time is held at a moment.
    #[must_use]
    pub fn is_held(&self, now: Timestamp) -> bool {
        matches!(self.phase, MeetingPhase::Held { until } if now < until)
    }

    /// When something happens to it by itself.
    #[must_use]
    pub const fn due_at(&self) -> Option<Timestamp> {
        match self.phase {
            MeetingPhase::Held { until } => Some(until),
            MeetingPhase::Booked | MeetingPhase::Cancelled { .. } | MeetingPhase::Released => None,
        }
    }
}

/// A meeting as a line of a transcript shows it. What was said stays as it was: a meeting that is moved is a line of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MeetingShown {
    /// Its id.
    pub id: MeetingId,
    /// What it is called.
    pub title: String,
    /// When it begins.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
    /// The zone its guest reads it in.
    pub time_zone: String,
    /// Where it is.
    pub location: Option<String>,
    /// Whether it was called off.
    pub cancelled: bool,
    /// Whether it was moved.
    pub moved: bool,
}
