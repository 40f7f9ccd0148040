//! What Porchlight knows: the events it promises, the conversations people author, and what happens to a visitor's session.
//!
//! Everything here is pure. There is no I/O, no clock and no randomness: the time and new ids come in as arguments
//! ([`session::Context`]), so every rule can be tested by calling a function. The same code runs on the server and in the browser.

pub mod agent;
pub mod callback;
pub mod contact;
pub mod conversation;
pub mod event;
pub mod id;
pub mod livechat;
pub mod meeting;
pub mod schedule;
pub mod session;
