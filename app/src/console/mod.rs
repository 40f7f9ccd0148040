//! The agents' side: the desk where they answer, and the pages around it.

pub mod accounts;
pub mod analytics;
pub mod audit;
pub mod calendar;
pub mod callbacks;
pub mod chart;
mod desk;
pub mod export;
mod frame;
pub mod keys;
pub mod meetings;
pub mod pages;
pub mod surveys;
pub mod visitors;
pub mod webhooks;
pub mod wire;

pub use desk::{DeskPage, say_stopped};
pub use frame::{ConsoleFrame, Me};
