//! The agents' side: the desk where they answer, and the pages around it.

pub mod accounts;
pub mod audit;
pub mod calendar;
pub mod callbacks;
mod desk;
mod frame;
pub mod meetings;
pub mod pages;
pub mod surveys;
pub mod visitors;
pub mod wire;

pub use desk::{DeskPage, say_stopped};
pub use frame::ConsoleFrame;
