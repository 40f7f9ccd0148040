//! Contact details: what is a valid one, and how it is kept.

mod email;
mod phone;

pub use email::{AnyEmail, BadEmail, Email, EmailRules};
pub use phone::{BadPhone, Phone, PhoneRules};
