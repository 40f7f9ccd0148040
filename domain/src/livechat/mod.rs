//! Live chat: a visitor asks for an agent, and one answers.
//!
//! A chat is a part of a conversation: what is said in it stands in the same transcript, what happens in it goes through the
//! same [`decide`](crate::session::decide), and when it is over the conversation goes on at the card after it.

mod state;

pub use state::{Chat, Ended, Member, Notice, Offer, Phase, Roster, Transfer};
