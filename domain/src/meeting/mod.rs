//! Meetings: a visitor takes a time on an agent's calendar.
//!
//! A time is held while the visitor says who they are, and booked when they have. That no two meetings of an agent overlap is not decided here: only
//! whoever keeps them can know, at the moment they are kept. What is decided here is which times there are, and who of several is asked first.

mod calendars;
mod state;

pub use calendars::{Calendars, Diary, Looking, Offered};
pub use state::{Guest, Meeting, MeetingPhase, MeetingShown, Party};

use jiff::Timestamp;

use crate::id::AgentId;

/// What is done about a meeting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MeetingCommand {
    /// The visitor takes a time, which is then held for a while.
    Hold {
        /// The number of the prompt.
        turn: u32,
        /// When it begins.
        start: Timestamp,
        /// Agents of whom it was found that somebody else has taken that time.
        taken: Vec<AgentId>,
    },
    /// The visitor lets a time go that is held, to choose another.
    Release {
        /// The number of the prompt.
        turn: u32,
    },
    /// The visitor says who they are: the meeting is booked.
    Confirm {
        /// The number of the prompt.
        turn: u32,
        /// Their name, as they typed it.
        name: String,
        /// Their address, as they typed it.
        email: String,
    },
    /// Time has passed: a time that was held for too long is free again.
    Tick,
    /// A meeting that is booked is moved.
    Move {
        /// When it begins now.
        start: Timestamp,
        /// The zone its guest reads it in, if that is another now.
        time_zone: Option<String>,
        /// Who moves it. An agent may meet somebody outside their hours, too.
        by: Party,
    },
    /// A meeting that is booked is called off.
    Cancel {
        /// Who calls it off.
        by: Party,
    },
}

impl MeetingCommand {
    /// Whether it is about a meeting of whatever time, not about what the conversation is at.
    #[must_use]
    pub const fn is_of_meeting(&self) -> bool {
        matches!(self, Self::Tick | Self::Move { .. } | Self::Cancel { .. })
    }
}
