//! The state of a live chat, and of those who can take it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::{AgentId, CardId, ChatId, TeamId};

/// A live chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chat {
    /// Its id; CTLive's `chatID`.
    pub id: ChatId,
    /// The card that asked for it.
    pub card: CardId,
    /// Where it stands.
    pub phase: Phase,
    /// When the visitor asked for an agent.
    pub requested_at: Timestamp,
    /// The agents it was offered to since it was requested, who let it pass.
    pub passed: Vec<AgentId>,
    /// The last time either side did something.
    pub active_at: Timestamp,
    /// Since when the visitor has had no connection and has sent nothing, if they had one before.
    pub gone_since: Option<Timestamp>,
}

/// Where a live chat stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// All who could take it are busy; the author lets the visitor wait.
    Queued,
    /// An agent is asked.
    Offered(Offer),
    /// An agent answers.
    Online {
        /// Who answers.
        agent: AgentId,
        /// Whom they are handing it to.
        transfer: Option<Transfer>,
    },
    /// It is over.
    Ended(Ended),
}

/// An agent is asked to take a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Who is asked.
    pub agent: AgentId,
    /// Until when they may accept; at this moment they no longer can.
    pub until: Timestamp,
}

/// A chat is being handed on. Until it is accepted it stays with whom it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// Who is asked now.
    pub offer: Offer,
    /// The team it is meant for, if not for one agent.
    pub team: Option<TeamId>,
    /// Those of the team who let it pass.
    #[serde(default)]
    pub passed: Vec<AgentId>,
}

/// How a chat came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// The visitor ended it.
    Visitor,
    /// The agent ended it.
    Agent,
    /// Nobody accepted.
    Unanswered,
    /// Neither side did anything for too long.
    VisitorIdle,
    /// The visitor's connection was gone for too long.
    VisitorDropped,
    /// Nobody was there to be asked. No live chat came about, and no event tells of one: it is kept so that the agents find what the visitor
    /// left in its place.
    Nobody,
}

/// What the transcript of a live chat notes besides messages. Its name is what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// An agent accepted.
    Joined,
    /// The chat was handed to another agent, who is named.
    Transferred,
    /// The visitor ended it.
    EndedByVisitor,
    /// The agent ended it.
    EndedByAgent,
    /// Nobody accepted.
    Unanswered,
    /// It ended after a long silence.
    Idle,
    /// It ended because the visitor was gone.
    Dropped,
}

impl Notice {
    /// All, with their names.
    pub const ALL: [(&'static str, Self); 7] = [
        ("joined", Self::Joined),
        ("transferred", Self::Transferred),
        ("ended_by_visitor", Self::EndedByVisitor),
        ("ended_by_agent", Self::EndedByAgent),
        ("unanswered", Self::Unanswered),
        ("idle", Self::Idle),
        ("dropped", Self::Dropped),
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, notice)| *notice == self).map_or("", |(name, _)| name)
    }

    /// The notice of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, notice)| *notice)
    }
}

/// Those who can take a chat, as they are now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roster {
    /// The agents of the site, in the order of their ids.
    pub members: Vec<Member>,
    /// Who answered this visitor last.
    pub last: Option<AgentId>,
    /// To whom the visitor's company, or the domain of their address, is assigned.
    pub account: Option<AgentId>,
    /// How many chats of the site are queued before this one.
    pub ahead: u32,
}

/// An agent, as far as routing asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who it is.
    pub id: AgentId,
    /// Their name, which the visitor sees.
    pub name: String,
    /// Their address, by which a conversation may name them.
    pub email: String,
    /// Their teams.
    pub teams: Vec<TeamId>,
    /// The languages they answer in, as tags; any, if none is said.
    pub languages: Vec<String>,
    /// What they know about.
    pub skills: Vec<String>,
    /// Whether they are present and within their hours, or have switched themselves on.
    pub available: bool,
    /// How many chats they hold or are being offered.
    pub open: u32,
    /// How many they can hold.
    pub limit: u32,
    /// When a chat was last offered to them; the longest ago is the next in turn.
    pub offered_at: Option<Timestamp>,
}

/// What a visitor is shown of their chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChatView<'a> {
    /// The chat.
    pub chat: &'a Chat,
    /// The name of the agent who holds it.
    pub agent: &'a str,
    /// How many chats are queued before it.
    pub ahead: u32,
}

impl Chat {
    /// Who holds it.
    #[must_use]
    pub const fn agent(&self) -> Option<AgentId> {
        match &self.phase {
            Phase::Online { agent, .. } => Some(*agent),
            Phase::Queued | Phase::Offered(_) | Phase::Ended(_) => None,
        }
    }

    /// Who is asked to take it.
    #[must_use]
    pub fn asked(&self) -> Option<AgentId> {
        match &self.phase {
            Phase::Offered(offer) => Some(offer.agent),
            Phase::Online { transfer, .. } => transfer.as_ref().map(|transfer| transfer.offer.agent),
            Phase::Queued | Phase::Ended(_) => None,
        }
    }

    /// Whether it has ended.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Ended(_))
    }
}
