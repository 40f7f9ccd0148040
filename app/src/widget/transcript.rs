//! The transcript.

use leptos::prelude::*;
use porchlight_domain::session::{Author, Entry};

use crate::i18n::PanelTexts;

/// Lines of the transcript. What is said is shown as text, with its line breaks, in the direction of its own script.
#[component]
pub fn Said(
    /// What was said.
    entries: Vec<Entry>,
    /// System texts.
    texts: &'static PanelTexts,
) -> impl IntoView {
    entries.into_iter().map(|entry| view! { <Bubble entry texts/> }).collect_view()
}

#[component]
fn Bubble(entry: Entry, texts: &'static PanelTexts) -> impl IntoView {
    let (who, said, class) = match entry.author {
        Author::Bot => ("bot", texts.bot_said, "bubble self-start rounded-es-sm bg-bubble text-ink"),
        Author::Visitor => ("visitor", texts.you_said, "bubble self-end rounded-ee-sm bg-accent text-on-accent"),
    };
    let skipped = entry.text.is_none();
    view! {
        <div class=class class:skipped=skipped data-author=who>
            <span class="sr-only">{said} " "</span>
            <span class="block" dir="auto">{entry.text.unwrap_or_else(|| texts.skipped.to_owned())}</span>
        </div>
    }
}
