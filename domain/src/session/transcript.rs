//! What the panel shows: what was said, and what is asked.

use serde::{Deserialize, Serialize};

use super::{Progress, Standing};
use crate::{
    conversation::{Body, CaptureField, Conversation},
    id::CardId,
};

/// One line of a transcript. What is said is text, never markup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place in the transcript, counted from 1.
    pub number: u32,
    /// Who said it.
    pub author: Author,
    /// The card that said it, or that it answers.
    pub card: CardId,
    /// What was said; `None` where the visitor chose not to answer.
    pub text: Option<String>,
}

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Author {
    /// The conversation's author, by a card.
    Bot,
    /// The visitor.
    Visitor,
}

/// What the visitor is asked now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// Its number; the answer names it.
    pub turn: u32,
    /// The card that asks; the answer names it.
    pub card: CardId,
    /// What kind of answer it takes.
    pub ask: Ask,
}

/// The kind of answer a prompt takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Ask {
    /// One of these.
    Choice {
        /// In the author's order.
        options: Vec<Choice>,
    },
    /// An e-mail address.
    Email {
        /// Whether it may be skipped.
        optional: bool,
    },
    /// A phone number.
    Phone {
        /// Whether it may be skipped.
        optional: bool,
    },
}

/// One answer to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What the visitor reads.
    pub label: String,
    /// What the answer sends.
    pub value: String,
}

impl Progress {
    /// What the visitor is asked now, if anything.
    #[must_use]
    pub fn prompt(&self, document: &Conversation) -> Option<Prompt> {
        let Standing::At(card) = &self.standing else { return None };
        let ask = match &document.cards.get(document.position(card)?)?.body {
            Body::Question { choices, .. } => Ask::Choice {
                options: choices
                    .iter()
                    .map(|choice| Choice { label: choice.label.clone(), value: choice.value().to_owned() })
                    .collect(),
            },
            Body::Capture { field: CaptureField::Email, optional, .. } => Ask::Email { optional: *optional },
            Body::Capture { field: CaptureField::Phone, optional, .. } => Ask::Phone { optional: *optional },
            Body::Message { .. } | Body::Jump { .. } | Body::End { .. } => return None,
        };
        Some(Prompt { turn: self.turn, card: card.clone(), ask })
    }
}
