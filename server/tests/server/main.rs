//! The server through real HTTP, against a real database: one module an operation.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accounts;
mod answers;
mod api;
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
mod export;
mod forms;
mod generated;
mod identify;
mod keys;
mod kill;
mod limits;
mod live_chat;
mod mail;
mod meetings;
mod once;
mod panel;
mod races;
mod resources;
mod sides;
mod sites;
mod start;
mod store;
mod stream;
mod targeting;
