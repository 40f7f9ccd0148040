//! The state of a session and of a visitor's way through a conversation.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{AttributeName, CardId, ChatId, ConversationId, SessionId, SiteKey, VisitorId};

/// A visitor's session: their visits to one site, until they have been away for too long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id; Adobe's `sid`.
    pub id: SessionId,
    /// Whose it is.
    pub visitor: VisitorId,
    /// The site it is on.
    pub site: SiteKey,
    /// The number of its last event; 0 before the first.
    pub seq: u64,
}

/// How far a visitor has come in a conversation. It outlives the session, so that they can go on another day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The conversation.
    pub conversation: ConversationId,
    /// The version they began with, and stay on.
    pub version: u32,
    /// Where they stand.
    pub standing: Standing,
    /// The number of the prompt they were last given; 0 before the first. An answer names it, so that an old page cannot
    /// answer a new question.
    pub turn: u32,
    /// How many entries their transcript has.
    pub entries: u32,
    /// Whether they have answered since they began, or began again.
    pub answered: bool,
    /// Whether they have ever reached an end.
    pub completed: bool,
    /// The questions they have answered, where the author lets them go back.
    pub trail: Vec<Mark>,
    /// What has been counted in which session.
    pub counted: Counted,
    /// The last live chat that an agent answered, as long as no survey was given of it.
    pub chat: Option<ChatId>,
}

/// Where a visitor stands in a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It was offered; the bot has not said anything yet.
    Offered,
    /// A card waits for an answer.
    At(CardId),
    /// An end was reached.
    Ended,
}

/// A question that was answered: what going back returns to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The card that asked.
    pub card: CardId,
    /// How many entries the transcript had when it asked.
    pub entries: u32,
}

/// What is known of a visitor.
pub type Attributes = BTreeMap<AttributeName, String>;

/// What is known under a name. A value of nothing is as good as none: a card that sets nothing forgets what was known.
pub(super) fn known<'a>(attributes: &'a Attributes, name: &AttributeName) -> Option<&'a str> {
    attributes.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
}

/// The same by a name as text, for those who know which names there are.
#[must_use]
pub fn known_as<'a>(attributes: &'a Attributes, name: &str) -> Option<&'a str> {
    attributes.iter().find(|(known, _)| known.as_str() == name).map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
}

/// Which of the four conversation events have fired in a session; each fires once per conversation and session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// The session counted in.
    pub session: SessionId,
    /// `conversation.triggered` has fired.
    pub triggered: bool,
    /// `conversation.engaged` has fired.
    pub engaged: bool,
    /// `conversation.closed` has fired.
    pub closed: bool,
    /// `conversation.completed` has fired.
    pub completed: bool,
}

impl Counted {
    /// Nothing counted yet.
    #[must_use]
    pub const fn nothing(session: SessionId) -> Self {
        Self { session, triggered: false, engaged: false, closed: false, completed: false }
    }
}

impl Progress {
    /// A conversation that is being offered and has not begun.
    #[must_use]
    pub const fn offered(conversation: ConversationId, version: u32, session: SessionId) -> Self {
        Self {
            conversation,
            version,
            standing: Standing::Offered,
            turn: 0,
            entries: 0,
            answered: false,
            completed: false,
            trail: Vec::new(),
            counted: Counted::nothing(session),
            chat: None,
        }
    }

    /// The conversation anew, in a version. What was counted stays counted, entries go on counting, and old forms stay old.
    #[must_use]
    pub fn anew(self, version: u32) -> Self {
        Self { version, standing: Standing::Offered, answered: false, trail: Vec::new(), chat: None, ..self }
    }

    /// Whether the visitor is in the middle of it, and goes on where they were.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.answered && self.standing != Standing::Ended
    }

    /// Whether it was completed, so that it is not offered again; who began again and is under way goes on.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.completed && !self.is_under_way()
    }
}
