//! Calendars of others: what they are told of a meeting, and when they say that somebody is busy.
//!
//! Everything is iCalendar (RFC 5545): invitations and feeds that are written ([`ics`]), other calendars that are read ([`busy`]),
//! and the protocol by which a calendar server is asked and written to ([`caldav`]).

pub mod busy;
pub mod caldav;
pub mod ics;
mod sync;

pub use sync::{BadSyncSettings, Sync};
