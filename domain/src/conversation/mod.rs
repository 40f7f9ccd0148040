//! What people author: conversations, as JSON documents.
//!
//! [`Conversation::read`] is the one way in. It either gives a conversation that the engine can run to an end from every card,
//! or it lists every problem with its place.

mod document;
mod flow;
mod pages;
mod problem;
mod read;
pub mod schema;

pub use document::{Body, CaptureField, Card, Choice, Conversation, Kind, Ui};
pub use flow::{Stop, Walk};
pub use pages::PagePattern;
pub use problem::{Problem, problems_in_words};

/// The limits of what can be authored. They keep a panel readable and the engine's work bounded.
pub mod limits {
    /// The largest document, in bytes.
    pub const DOCUMENT_BYTES: usize = 256 * 1024;
    /// The most cards in a conversation.
    pub const CARDS: usize = 500;
    /// The most choices on a question.
    pub const CHOICES: usize = 20;
    /// The most page patterns of a conversation.
    pub const PAGES: usize = 100;
    /// The longest text of a card, in characters.
    pub const TEXT: usize = 2_000;
    /// The longest label of a choice, or name of a conversation, in characters.
    pub const LABEL: usize = 120;
    /// The longest page pattern, in characters.
    pub const PATTERN: usize = 500;
    /// Priorities lie between minus this and this.
    pub const PRIORITY: i64 = 1_000_000;
}
