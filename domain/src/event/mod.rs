//! Lifecycle events: the one table of them, the envelope they travel in, and what is derived from the table.

mod catalogue;
mod envelope;
mod projection;
pub mod reference;

pub use catalogue::{Adobe, CATALOGUE, CtLive, Entry, EventType, Field, UnknownEventType};
pub use envelope::{Data, Event};
pub use projection::{AdobeEvent, CtLiveMessage};
