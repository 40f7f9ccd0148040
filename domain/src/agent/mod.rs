//! Agents: the people who sign in to the console.

mod role;

pub use crate::schedule::{Availability, BLOCKS_MAX, BadAvailability, Block};
pub use role::{Right, Role};
