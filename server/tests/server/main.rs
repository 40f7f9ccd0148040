//! The server through real HTTP, against a real database: one module an operation.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod answers;
mod api_events;
mod app;
mod assets;
mod cli;
mod events;
mod generated;
mod kill;
mod limits;
mod panel;
mod start;
mod store;
