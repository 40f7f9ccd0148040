//! What happens while nobody asks: who is told of what was committed, and the clock that does what is due.

mod clock;
mod hub;

pub use clock::Clock;
pub(crate) use hub::{AgentConnection, Hub, Talk, ToAgent, ToVisitor, VisitorConnection};
