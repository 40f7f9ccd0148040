//! The server through real HTTP, against a real database: one module an operation.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accounts;
mod answers;
mod api_events;
mod app;
mod assets;
mod attachments;
mod authorization;
mod broken;
mod calendars;
mod callbacks;
mod cards;
mod cli;
mod events;
mod forms;
mod generated;
mod identify;
mod kill;
mod limits;
mod live_chat;
mod mail;
mod meetings;
mod panel;
mod privacy;
mod races;
mod sides;
mod sites;
mod start;
mod store;
mod targeting;
