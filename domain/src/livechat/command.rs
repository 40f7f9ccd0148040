//! What is done in a live chat.

use crate::{
    id::{AgentId, AnswerId, TeamId},
    session::Speaker,
};

/// What is done in a live chat, by the visitor, an agent, or the clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChatCommand {
    /// The visitor writes.
    Say {
        /// Names the message.
        id: AnswerId,
        /// The text.
        text: String,
    },
    /// The visitor sends a file.
    SendFile {
        /// Names the message.
        id: AnswerId,
        /// The file's id, a `/`, and its name.
        file: String,
    },
    /// The visitor ends it, or gives up waiting.
    End,
    /// An agent accepts what they are offered.
    Accept {
        /// Who.
        agent: AgentId,
    },
    /// An agent lets an offer pass.
    Decline {
        /// Who.
        agent: AgentId,
    },
    /// The agent writes.
    AgentSay {
        /// Who.
        by: Speaker,
        /// Names the message.
        id: AnswerId,
        /// The text.
        text: String,
    },
    /// The agent sends a file.
    AgentSendFile {
        /// Who.
        by: Speaker,
        /// Names the message.
        id: AnswerId,
        /// The file's id, a `/`, and its name.
        file: String,
    },
    /// The agent ends it.
    AgentEnd {
        /// Who.
        agent: AgentId,
    },
    /// The agent hands it on. It stays with them until it is accepted.
    Transfer {
        /// Who.
        agent: AgentId,
        /// To whom.
        to: TransferTo,
    },
    /// The visitor's last connection has gone.
    Gone,
    /// The visitor has a connection again.
    Back,
    /// The visitor sent something by a request: if they have no connection, it is from now on that they are gone.
    Heard,
    /// Time has passed: what is due by now is done.
    Tick,
    /// Somebody may have become free: one that is queued is offered, if it can be.
    Free,
    /// The server was stopped: what ran out meanwhile begins anew, since nobody could do anything about it.
    Renew,
}

/// To whom a chat is handed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferTo {
    /// To one agent.
    Agent(AgentId),
    /// To whoever is next in a team.
    Team(TeamId),
}

impl ChatCommand {
    /// Whether it is the visitor who does it.
    #[must_use]
    pub const fn is_by_visitor(&self) -> bool {
        matches!(self, Self::Say { .. } | Self::SendFile { .. } | Self::End)
    }

    /// Whether something is only said: who else could take the chat does not matter.
    #[must_use]
    pub const fn is_message(&self) -> bool {
        matches!(self, Self::Say { .. } | Self::SendFile { .. } | Self::AgentSay { .. } | Self::AgentSendFile { .. })
    }
}
