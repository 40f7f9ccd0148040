//! Parts that several screens share.

mod icon;
mod markup;
mod plain;
mod sent_file;
mod tone;

pub use icon::{Icon, IconName};
pub use markup::Markup;
pub use plain::Plain;
pub use sent_file::SentFile;
pub use tone::ring;

/// A text as what stands between the tags of a `<textarea>`. Leptos writes it there as it is, so it is escaped here; and the line break
/// before it is the one that browsers leave out ([HTML](https://html.spec.whatwg.org/multipage/syntax.html#element-restrictions)).
#[must_use]
pub fn as_content(text: &str) -> String {
    format!("\n{}", text.replace('&', "&amp;").replace('<', "&lt;"))
}
