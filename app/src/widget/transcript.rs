//! The transcript.

use leptos::prelude::*;
use porchlight_domain::session::{Author, Entry, Format};

use crate::{i18n::PanelTexts, ui::Markup};

/// The most lines that appear one after the other; what comes after them appears with the last.
const STEPS: usize = 9;

/// How many lines a panel shows at once, and more: those before them are laid out and painted when they are scrolled to.
const RECENT: usize = 50;

/// Lines of the transcript, with their line breaks, each in the direction of its own script.
#[component]
pub fn Said(
    /// What was said.
    entries: Vec<Entry>,
    /// The number of the last line that was there before: lines of the bot after it appear one by one, as if they were typed. A line
    /// is there for screen readers at once.
    typed_after: u32,
    /// System texts.
    texts: &'static PanelTexts,
) -> impl IntoView {
    let mut step = 0;
    let recent = entries.len().saturating_sub(RECENT);
    entries
        .into_iter()
        .enumerate()
        .map(|(index, entry)| {
            let typed = entry.author == Author::Bot && entry.number > typed_after;
            if typed {
                step = STEPS.min(step + 1);
            }
            view! { <Bubble entry texts step=typed.then_some(step) old={index < recent}/> }
        })
        .collect_view()
}

#[component]
fn Bubble(entry: Entry, texts: &'static PanelTexts, step: Option<usize>, old: bool) -> impl IntoView {
    let (who, said, class) = match entry.author {
        Author::Bot => ("bot", texts.bot_said, "bubble self-start rounded-es-sm bg-bubble text-ink"),
        Author::Agent => ("agent", texts.bot_said, "bubble self-start rounded-es-sm bg-bubble text-ink"),
        Author::Visitor => ("visitor", texts.you_said, "bubble self-end rounded-ee-sm bg-accent text-on-accent"),
    };
    let skipped = entry.text.is_none();
    let text = entry.text.unwrap_or_else(|| texts.skipped.to_owned());
    let text = match (entry.author, entry.format) {
        (Author::Bot, _) => view! { <Markup text/> }.into_any(),
        (_, Format::Text | Format::Notice | Format::File) => text.into_any(),
        // The panel's script writes it as its reader does.
        (_, Format::Date) => {
            let day = text.clone();
            view! { <time datetime=day data-format="date">{text}</time> }.into_any()
        }
        (_, Format::Number) => {
            let number = text.clone();
            view! { <data value=number data-format="number">{text}</data> }.into_any()
        }
    };
    view! {
        <div class=class class:skipped=skipped class:typed=step.is_some() class:old=old data-author=who data-step=step.map(|step| step.to_string())>
            <span class="sr-only">{said} " "</span>
            <span class="block" dir="auto">{text}</span>
        </div>
    }
}
