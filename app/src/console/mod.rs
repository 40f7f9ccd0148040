//! The agents' side: the desk where they answer, and the pages around it.

mod desk;
mod frame;
pub mod pages;
pub mod wire;

pub use desk::{DeskPage, say_stopped};
pub use frame::ConsoleFrame;
