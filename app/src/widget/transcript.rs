//! The transcript.

use leptos::prelude::*;
use porchlight_domain::{
    livechat::Notice,
    session::{Author, Entry, Format},
};

use super::state::{Lines, MeetingLine};
use crate::{
    i18n::{PanelTexts, named},
    ui::{Icon, IconName, Markup, Plain, SentFile},
};

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
    /// What lines are about, where that is more than their words.
    lines: Lines,
    /// System texts.
    texts: &'static PanelTexts,
) -> impl IntoView {
    let Lines { mut meetings, mut calls } = lines;
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
            let (meeting, call) = (meetings.remove(&entry.number), calls.remove(&entry.number));
            view! { <Bubble entry meeting call texts step=typed.then_some(step) old={index < recent}/> }
        })
        .collect_view()
}

#[component]
fn Bubble(
    entry: Entry,
    meeting: Option<MeetingLine>,
    call: Option<String>,
    texts: &'static PanelTexts,
    step: Option<usize>,
    old: bool,
) -> AnyView {
    let name = entry.agent.map(|agent| agent.name).unwrap_or_default();
    if entry.format == Format::Notice {
        let notice = entry.text.as_deref().and_then(Notice::named);
        let text = notice.map(|notice| named(texts.notice(notice), &name)).unwrap_or_default();
        return view! { <p class="notice" class:old=old data-author="notice" dir="auto">{text}</p> }.into_any();
    }
    let (who, said, class) = match entry.author {
        Author::Bot => ("bot", texts.bot_said.to_owned(), "bubble self-start rounded-es-sm bg-bubble text-ink"),
        Author::Agent => ("agent", named(texts.agent_said, &name), "bubble live self-start rounded-es-sm bg-bubble text-ink"),
        Author::Visitor => ("visitor", texts.you_said.to_owned(), "bubble live self-end rounded-ee-sm bg-accent text-on-accent"),
    };
    let skipped = entry.text.is_none();
    let text = entry.text.unwrap_or_else(|| texts.skipped.to_owned());
    let text = match (entry.author, entry.format) {
        (_, Format::Meeting) => meeting.map(|meeting| view! { <Meeting meeting texts/> }).into_any(),
        (_, Format::Callback) => call.unwrap_or_default().into_any(),
        (Author::Bot, _) => view! { <Markup text/> }.into_any(),
        (_, Format::File) => view! { <SentFile text/> }.into_any(),
        (Author::Agent, _) => view! { <Plain text/> }.into_any(),
        (_, Format::Text | Format::Notice) => text.into_any(),
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
    // A line that is about an agent is not said by them.
    let initial: String = name.chars().take(1).flat_map(char::to_uppercase).collect();
    let shown_name = (entry.author == Author::Agent).then(|| {
        view! { <span class="who" aria-hidden="true" dir="auto"><span class="face">{initial}</span>{name}</span> }
    });
    view! {
        <div class=class class:skipped=skipped class:typed=step.is_some() class:old=old data-author=who data-step=step.map(|step| step.to_string())>
            <span class="sr-only">{said} " "</span>
            {shown_name}
            <span class="block" dir="auto">{text}</span>
        </div>
    }
    .into_any()
}

/// A meeting, with the ways to put it into a calendar.
#[component]
fn Meeting(meeting: MeetingLine, texts: &'static PanelTexts) -> impl IntoView {
    let MeetingLine { heading, title, when, with, location, links } = meeting;
    view! {
        <span class="meeting">
            <span class="meeting-head"><Icon name=IconName::Calendar class="size-4 shrink-0"/>{heading}</span>
            <strong class="block" dir="auto">{title}</strong>
            <span class="block" dir="auto">{when}</span>
            <span class="block" dir="auto">{with}</span>
            {location.map(|location| view! { <span class="block" dir="auto"><Plain text=location/></span> })}
            {(!links.is_empty()).then(|| view! {
                <span class="meeting-links" role="group" aria-label=texts.add_to_calendar>
                    {links.into_iter().map(|(label, address)| view! {
                        <a href=address target="_blank" rel="noopener noreferrer">{label}</a>
                    }).collect_view()}
                </span>
            })}
        </span>
    }
}
