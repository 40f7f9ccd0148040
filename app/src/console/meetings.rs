//! The meetings that were booked.

use leptos::prelude::*;

use super::pages::ProblemLine;

/// A meeting in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeetingRow {
    /// Its id.
    pub id: String,
    /// Its site.
    pub site: String,
    /// What it is called.
    pub title: String,
    /// When it is, in words.
    pub when: String,
    /// When it begins, as a field for a date and a time takes it, in the agent's zone.
    pub local: String,
    /// The agent's name.
    pub agent: String,
    /// Who comes.
    pub guest: String,
    /// Their address.
    pub email: String,
    /// Their zone, if it is another.
    pub zone: Option<String>,
    /// Where it is.
    pub location: Option<String>,
    /// What is known of the guest besides.
    pub attributes: Vec<(String, String)>,
    /// Whether it was called off, and by whom.
    pub cancelled: Option<&'static str>,
    /// Whether it can be changed: it is still to come, and theirs to change.
    pub open: bool,
}

/// The meetings.
#[component]
pub fn MeetingsPage(
    /// The meetings.
    rows: Vec<MeetingRow>,
    /// Whether those that are over are shown.
    past: bool,
    /// Whether those of all are shown.
    all: bool,
    /// What was done just now.
    said: Option<String>,
    /// What was wrong.
    problem: Option<String>,
) -> impl IntoView {
    let empty = rows.is_empty();
    let to = move |past: bool, all: bool| {
        format!("/console/meetings?when={}&whose={}", if past { "past" } else { "coming" }, if all { "all" } else { "mine" })
    };
    view! {
        <h1>"Meetings"</h1>
        <div class="buttons mb-3">
            <a class="button" href=to(false, all) aria-current=(!past).then_some("true")>"To come"</a>
            <a class="button" href=to(true, all) aria-current=past.then_some("true")>"Past"</a>
            <a class="button ms-auto" href=to(past, false) aria-current=(!all).then_some("true")>"Mine"</a>
            <a class="button" href=to(past, true) aria-current=all.then_some("true")>"Everybody’s"</a>
        </div>
        <ProblemLine problem/>
        {said.map(|said| view! { <p role="status" class="mb-3">{said}</p> })}
        {empty.then(|| view! { <p class="empty">"No meetings here."</p> })}
        <ul class="agent-list">
            {rows.into_iter().map(|row| view! { <Row row/> }).collect_view()}
        </ul>
    }
}

#[component]
fn Row(row: MeetingRow) -> impl IntoView {
    let MeetingRow { id, site, title, when, local, agent, guest, email, zone, location, attributes, cancelled, open } = row;
    let action = format!("/console/meetings/{id}");
    view! {
        <li class="card" id=id>
            <p><strong>{when}</strong> " " {cancelled.map(|by| view! { <span class="chip">{by}</span> })}</p>
            <p dir="auto">{title}</p>
            <p><bdi>{guest}</bdi> " " <a href=format!("mailto:{email}")>{email.clone()}</a> {zone.map(|zone| view! { " " <span class="hint">{zone}</span> })}</p>
            <p class="hint">"With "<bdi>{agent}</bdi>" · "{site}{location.map(|location| view! { " · " <bdi>{location}</bdi> })}</p>
            {(!attributes.is_empty()).then(|| view! {
                <details>
                    <summary class="hint">"What is known of them"</summary>
                    <dl class="facts">{attributes.into_iter().map(|(name, value)| view! { <dt>{name}</dt><dd dir="auto">{value}</dd> }).collect_view()}</dl>
                </details>
            })}
            {open.then(|| {
                let (first, second) = (action.clone(), action);
                view! {
                    <div class="buttons">
                        <details>
                            <summary class="button">"Move"</summary>
                            <form method="post" action=first class="mt-2 flex flex-wrap gap-2">
                                <input class="input w-auto" type="datetime-local" name="start" value=local required=true aria-label="When, in your time zone"/>
                                <button class="button-primary" type="submit" name="do" value="move">"Move it"</button>
                            </form>
                        </details>
                        <details>
                            <summary class="button">"Call off"</summary>
                            <form method="post" action=second class="mt-2">
                                <button class="button-primary" type="submit" name="do" value="cancel">"Call it off, and tell the guest"</button>
                            </form>
                        </details>
                    </div>
                }
            })}
        </li>
    }
}
