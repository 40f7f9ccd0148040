//! The numbers: how conversations, pages and agents do, day by day.
//!
//! They are counted from the log as it grows, so looking at a year reads sums and no events. [`tally`] says what an event adds to them, [`Counter`] goes
//! through the log, and [`read`] puts a time and what is asked of it together.

pub(crate) mod read;
pub mod tally;
mod worker;

pub use worker::Counter;
