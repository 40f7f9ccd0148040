//! The conversation document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PagePattern, limits};
use crate::id::{AttributeName, CardId, ConversationId};

/// A conversation: whom it is for, how it is shown, and its cards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Conversation {
    /// Where the schema of this document is found, for editors that check while one types.
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Its name within the site; stays the same over all versions.
    pub id: ConversationId,
    /// What reports, and the page's events, call it.
    #[schemars(length(min = 1, max = 120))]
    pub name: String,
    /// Whether it is offered to visitors who match, or started by something they do.
    #[serde(rename = "type", default)]
    pub kind: Kind,
    /// How it is shown.
    #[serde(default)]
    pub ui: Ui,
    /// Of several dialogues that target a visitor, the one with the highest priority is offered.
    #[serde(default)]
    #[schemars(range(min = -1_000_000, max = 1_000_000))]
    pub priority: i64,
    /// The pages a dialogue is offered on; all pages if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub pages: Vec<PagePattern>,
    /// The cards. The conversation begins with the first; a card without `next` is followed by the one below it.
    #[schemars(length(min = 1, max = 500))]
    pub cards: Vec<Card>,
}

/// What a conversation is: Dynamic Chat's two kinds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Targeted at pages and visitors; the highest priority wins.
    #[default]
    Dialogue,
    /// Started by something the visitor does, or placed on a page.
    ConversationFlow,
}

/// How a conversation is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Ui {
    /// Opens by itself above the page.
    Popup,
    /// Waits behind the launcher.
    #[default]
    Chatbot,
    /// Stands in the page's own flow.
    Inline,
}

impl Kind {
    /// As events name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dialogue => "dialogue",
            Self::ConversationFlow => "conversationFlow",
        }
    }
}

impl Ui {
    /// As events name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Popup => "popup",
            Self::Chatbot => "chatbot",
            Self::Inline => "inline",
        }
    }
}

/// One step of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Card {
    /// Its name within the conversation.
    pub id: CardId,
    /// What it does.
    #[serde(flatten)]
    pub body: Body,
}

/// What a card does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "card", rename_all = "camelCase")]
pub enum Body {
    /// Says something and goes on.
    Message {
        /// What it says.
        #[schemars(length(min = 1, max = 2_000))]
        text: String,
        /// The card that follows; the one below if there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<CardId>,
    },
    /// Asks, and offers answers to choose from.
    Question {
        /// What it asks.
        #[schemars(length(min = 1, max = 2_000))]
        text: String,
        /// The answers.
        #[schemars(length(min = 1, max = 20))]
        choices: Vec<Choice>,
        /// The visitor's attribute that keeps the chosen value.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attribute: Option<AttributeName>,
        /// The card that follows a choice without a `next` of its own; the one below if there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<CardId>,
    },
    /// Asks for a contact detail, and checks it.
    Capture {
        /// What it asks for.
        field: CaptureField,
        /// How it asks.
        #[schemars(length(min = 1, max = 2_000))]
        text: String,
        /// Whether the visitor may go on without giving it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        optional: bool,
        /// The card that follows; the one below if there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<CardId>,
    },
    /// Goes to another card.
    Jump {
        /// That card.
        to: CardId,
    },
    /// Ends the conversation.
    End {
        /// A last word.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(length(min = 1, max = 2_000))]
        text: Option<String>,
    },
}

/// One answer to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// What the visitor reads.
    #[schemars(length(min = 1, max = 120))]
    pub label: String,
    /// What is kept; the label if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 120))]
    pub value: Option<String>,
    /// The card that follows this choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<CardId>,
}

impl Choice {
    /// What is kept, and what a form sends, when the visitor chooses this.
    #[must_use]
    pub fn value(&self) -> &str {
        self.value.as_deref().unwrap_or(&self.label)
    }
}

/// A contact detail that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CaptureField {
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
}

impl CaptureField {
    /// The visitor's attribute that keeps it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
        }
    }
}

impl Conversation {
    /// The place of a card in the list.
    #[must_use]
    pub fn position(&self, id: &CardId) -> Option<usize> {
        self.cards.iter().position(|card| card.id == *id)
    }

    /// The document as JSON, laid out for people.
    #[must_use]
    pub fn to_json(&self) -> String {
        // A tree of strings, numbers and lists always has a JSON form.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Whether it targets a page.
    #[must_use]
    pub fn targets(&self, page: &str) -> bool {
        self.kind == Kind::Dialogue && (self.pages.is_empty() || self.pages.iter().any(|pattern| pattern.matches(page)))
    }
}

const _: () = assert!(
    limits::CARDS == 500 && limits::CHOICES == 20 && limits::TEXT == 2_000 && limits::LABEL == 120 && limits::PAGES == 100
);
