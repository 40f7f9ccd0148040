//! What people author: conversations, as JSON documents.
//!
//! [`Conversation::read`] is the one way in. It either gives a conversation that the engine can run to an end from every card,
//! or it lists every problem with its place. What a conversation takes from others, [`Conversation::linked`] puts in.

mod contact;
mod document;
mod flow;
mod form;
mod link;
pub mod markup;
mod pages;
mod problem;
mod read;
mod rule;
mod schedule;
pub mod schema;
mod target;
pub mod template;
mod text;
mod trigger;

pub use contact::{
    CAPACITY_MAX, CallCard, CallNumber, CallbackCard, DURATION_MAX, HORIZON_MAX, MeetingCard, NOTICE_MAX, WITHIN_MAX, When,
};
pub use document::{
    Body, Bound, Branch, Capture, CaptureField, Card, Choice, Conversation, Document, IfKnown, Kind, LiveChat, Question, Style,
    Ui,
};
pub use form::{FieldKind, Form, FormField, Purpose};
pub use link::BadLink;
pub use pages::PagePattern;
pub use problem::{Problem, problems_in_words};
pub use rule::Rule;
pub use schedule::Day;
pub use target::{Device, Facts, Target, Visitors, choose};
pub use text::{Text, fits_locale, is_locale};
pub use trigger::Trigger;

/// The limits of what can be authored. They keep a panel readable and the engine's work bounded.
pub mod limits {
    /// The largest document, in bytes.
    pub const DOCUMENT_BYTES: usize = 256 * 1024;
    /// The most cards in a conversation.
    pub const CARDS: usize = 500;
    /// The most cards in a conversation with those of its sub-flows.
    pub const LINKED_CARDS: usize = 2_000;
    /// The most choices on a question.
    pub const CHOICES: usize = 20;
    /// The most choices of a pick list.
    pub const OPTIONS: usize = 100;
    /// The most branches of a condition.
    pub const BRANCHES: usize = 20;
    /// The most entries of a list in a target: page patterns, parameters, locales.
    pub const PAGES: usize = 100;
    /// The longest text of a card, in characters.
    pub const TEXT: usize = 2_000;
    /// The most languages of a text.
    pub const LOCALES: usize = 50;
    /// The longest label of a choice, or name of a conversation, in characters.
    pub const LABEL: usize = 120;
    /// The longest value that a card sets, in characters, and the longest that a visitor may type.
    pub const VALUE: usize = 1_000;
    /// The longest message in a live chat, in characters.
    pub const MESSAGE: usize = 5_000;
    /// The longest page pattern, in characters.
    pub const PATTERN: usize = 500;
    /// Priorities lie between minus this and this.
    pub const PRIORITY: i64 = 1_000_000;
    /// How long a line of the bot takes to appear if the author says nothing, in milliseconds.
    pub const TYPING_DELAY: u32 = 400;
    /// The longest it may take, in milliseconds.
    pub const TYPING_DELAY_MAX: u32 = 3_000;
}
