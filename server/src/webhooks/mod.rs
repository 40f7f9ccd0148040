//! Webhooks: every event is sent to the customer's own systems until they take it.
//!
//! The log is the outbox. An event is written to it in the transaction of what happened, and each endpoint has a place in it: what
//! comes after that is yet to be sent. An attempt is noted, and the place moved on, in one transaction after the answer; so a
//! crash in between sends an event again, and loses none. The id of an event is the same in every attempt, so that whoever
//! receives it twice can tell.

mod adapter;
mod endpoint;
mod lane;
pub(crate) mod manage;
mod sample;
mod schedule;
mod sign;
mod worker;

pub use adapter::{Adapter, BadTemplate};
pub use endpoint::{BadEndpoint, Endpoint, EndpointSettings, EndpointState};
pub use sign::{Signer, WebhookSecret};
pub use worker::{BadWebhookSettings, Hooks};
