//! The visitor's panel: what stands in the iframe.
//!
//! Transcript and cards are rendered on the server only, as a page when the panel opens and as fragments after each answer, so
//! the browser carries no card, however many kinds there are. The one island takes the forms over, and answers without a reload.

mod answering;
mod bridge;
mod cards;
mod format;
mod grid;
mod live;
mod meeting;
mod outbox;
mod panel;
mod send;
mod state;
mod transcript;

pub use answering::give_up;
pub use cards::Card;
pub use meeting::{BadLink, MeetingPage, MeetingState};
pub use panel::{Panel, PanelFrame, PrivacyNote, Unavailable};
pub use state::{Asked, Booking, Country, DayCell, DayShown, Held, Lines, MailTo, MeetingLine, Standing, Ticket, TimeCell};
pub use transcript::Said;
