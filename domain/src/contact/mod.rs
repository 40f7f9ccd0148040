//! Contact details: what is a valid one, and how it is kept.

mod email;
mod phone;

pub use email::{BadEmail, Email};
pub use phone::{BadPhone, Phone, PhoneRules};
