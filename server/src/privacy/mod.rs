//! Visitors' privacy: what is known of one is exported and erased, what is too old is removed, and some addresses are not taken.

mod domains;
mod erase;
mod export;
mod retention;

pub use domains::{BLOCKED_MAX, BlockedDomains};
pub(crate) use erase::{Erase, NotErased, erase};
pub(crate) use export::export;
pub use retention::Retention;
