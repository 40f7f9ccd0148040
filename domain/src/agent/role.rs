//! What an agent may do.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What an agent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// May do everything, on every site.
    Administrator,
    /// Writes what is said: conversations, canned responses; looks after teams.
    Author,
    /// Answers visitors.
    Agent,
}

/// Something that not everybody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// To take chats and to write in them.
    Answer,
    /// To read chats.
    SeeChats,
    /// To invite and change agents.
    ManageAgents,
    /// To make teams and say who is in them.
    ManageTeams,
    /// To write canned responses.
    ManageResponses,
    /// To see how conversations, pages and agents do, in numbers.
    SeeAnalytics,
    /// To connect other systems: webhooks and keys of the API; and to read the audit log.
    ManageIntegrations,
    /// To export and erase what is known of a visitor.
    ManageVisitors,
}

impl Role {
    /// All, with their names.
    pub const ALL: [(&'static str, Self); 3] =
        [("administrator", Self::Administrator), ("author", Self::Author), ("agent", Self::Agent)];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, role)| *role == self).map_or("", |(name, _)| name)
    }

    /// Whether it may do something.
    #[must_use]
    pub const fn may(self, right: Right) -> bool {
        match self {
            Self::Administrator => true,
            Self::Author => matches!(right, Right::SeeChats | Right::ManageTeams | Right::ManageResponses | Right::SeeAnalytics),
            Self::Agent => matches!(right, Right::SeeChats | Right::Answer),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text is no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected administrator, author or agent")]
pub struct BadRole;

impl FromStr for Role {
    type Err = BadRole;

    fn from_str(text: &str) -> Result<Self, BadRole> {
        Self::ALL.iter().find(|(name, _)| *name == text).map(|(_, role)| *role).ok_or(BadRole)
    }
}
