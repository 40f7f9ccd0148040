//! What happens while nobody asks: who is told of what was committed, and the clock that does what is due.

mod clock;
mod frame;
mod hub;

pub use clock::Clock;
pub use frame::Frame;
pub(crate) use hub::{AgentConnection, Hub, Talk, ToAgent, ToVisitor, VisitorConnection};
