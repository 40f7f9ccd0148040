//! What happens to a visitor: the state machine of a session.
//!
//! [`decide`] is the only place where events are made. It takes the state, a command, and from outside the time and new ids
//! ([`Context`]); it gives the new state with what happened, or a refusal, and then nothing has changed.

mod answer;
mod call;
mod decide;
mod fill;
mod live;
mod meet;
mod state;
mod transcript;

pub use answer::{Input, InvalidInput};
pub use decide::{
    Answer, Command, ContactKind, Context, DocumentUse, Happened, Refusal, Report, Reported, State, TRAIL_MAX, Talk, Widget,
    decide,
};
pub use fill::Submission;
pub use state::{Attributes, Counted, Mark, Progress, Session, Standing, known_as};
pub use transcript::{Ask, Author, Beside, CallShown, Choice, Entry, FormAsk, Format, Prompt, SlotsOf, Speaker, file_of};
