//! Parts that several screens share.

mod icon;
mod markup;

pub use icon::{Icon, IconName};
pub use markup::Markup;
