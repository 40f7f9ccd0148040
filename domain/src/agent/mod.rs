//! Agents: the people who sign in to the console.

mod availability;
mod role;

pub use availability::{Availability, BLOCKS_MAX, BadAvailability, Block};
pub use role::{Right, Role};
