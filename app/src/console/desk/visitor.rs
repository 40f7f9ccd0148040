//! What is known of the visitor.

use leptos::prelude::*;
use porchlight_domain::id::ChatId;

use super::{
    at::{At, Say},
    connection,
    state::{State, keep},
};
use crate::ui::{Icon, IconName};

/// How many of the last events are shown.
const EVENTS: usize = 15;

#[component]
pub(super) fn Visitor(state: State) -> impl IntoView {
    // Each part looks at what it shows only: what is being typed in one stays while messages come.
    let shown = Memo::new(move |_| state.selected());
    view! {
        <aside class="visitor" aria-label="Visitor">
            // Where there is no room beside the chat, this lies upon it, and upon the button that brought it.
            <button id="about-close" class="button self-end lg:hidden" type="button" aria-label="Close About" on:click=move |_| {
                state.about.set(false);
                connection::focus("about");
            }><Icon name=IconName::Close class="size-5"/></button>
            {move || shown.get().map(|chat| view! {
                <Facts state/>
                <Tags state chat/>
                <Notes state chat/>
                <Dealings state/>
                <Course state/>
                <Before state/>
                <Transcript state chat/>
                <Privacy state/>
            })}
        </aside>
    }
}

#[component]
fn Facts(state: State) -> impl IntoView {
    let facts = Memo::new(move |_| {
        state.of(|detail| {
            let known = detail.attributes.iter().map(|(name, value)| (name.clone(), value.clone()));
            let visit = [
                ("page", Some(&detail.page)),
                ("came from", detail.referrer.as_ref()),
                ("device", detail.device.as_ref()),
                ("language", Some(&detail.locale)),
            ];
            let visit = visit.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.clone())));
            known.chain(visit).collect::<Vec<_>>()
        })
    });
    view! {
        <section>
            <h2>"Visitor"</h2>
            <dl class="facts">
                {move || facts.get().into_iter().map(|(name, value)| view! { <dt>{name}</dt><dd dir="auto">{value}</dd> }).collect_view()}
            </dl>
        </section>
    }
}

#[component]
fn Tags(state: State, chat: ChatId) -> impl IntoView {
    let tags = Memo::new(move |_| state.of(|detail| detail.row.tags.join(", ")));
    view! {
        <section>
            <h2>"Tags"</h2>
            <input class="input" aria-label="Tags, with commas between" prop:value=move || tags.get() on:change=move |event| {
                let tags = event_target_value(&event).split(',').map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty()).collect();
                connection::tags(state, chat, tags);
            }/>
        </section>
    }
}

#[component]
fn Notes(state: State, chat: ChatId) -> impl IntoView {
    let kept = Memo::new(move |_| state.of(|detail| detail.notes.clone()));
    let text = Memo::new(move |_| state.notes.with(|notes| notes.get(&chat).cloned().unwrap_or_default()));
    view! {
        <section>
            <h2>"Notes"</h2>
            {move || kept.get().into_iter().map(|note| view! {
                <p class="said" dir="auto"><span class="hint">{note.agent} ": "</span>{note.text}</p>
            }).collect_view()}
            <form on:submit=move |event| {
                event.prevent_default();
                let text = text.get_untracked();
                if !text.trim().is_empty() {
                    keep(state.notes, chat, String::new());
                    connection::note(state, chat, text);
                }
            }>
                <textarea class="input" rows="2" dir="auto" aria-label="A note, which the visitor does not see" prop:value=move || text.get()
                    on:input=move |event| keep(state.notes, chat, event_target_value(&event))></textarea>
                <button class="button mt-2" type="submit">"Add note"</button>
            </form>
        </section>
    }
}

/// Meetings, call backs, and what was filled in.
#[component]
fn Dealings(state: State) -> impl IntoView {
    let dealings = Memo::new(move |_| state.of(|detail| detail.dealings.clone()));
    view! {
        {move || Some(dealings.get()).filter(|dealings| !dealings.is_empty()).map(|dealings| view! {
            <section>
                <h2>"Answers, meetings, calls"</h2>
                {dealings.into_iter().map(|dealing| view! {
                    <p class="mt-2 font-medium" dir="auto">{dealing.title} " " <span class="hint"><At at=dealing.at say=Say::Day/></span></p>
                    <dl class="facts">{dealing.facts.into_iter().map(|(name, value)| view! { <dt dir="auto">{name}</dt><dd dir="auto" class="said">{value}</dd> }).collect_view()}</dl>
                }).collect_view()}
            </section>
        })}
    }
}

/// Where the visitor has been, and what happened there.
#[component]
fn Course(state: State) -> impl IntoView {
    let pages = Memo::new(move |_| state.of(|detail| detail.pages.clone()));
    let events = Memo::new(move |_| state.of(|detail| detail.events.iter().rev().take(EVENTS).cloned().collect::<Vec<_>>()));
    view! {
        <section>
            <h2>"Pages"</h2>
            <ol class="history">{move || pages.get().into_iter().map(|page| view! { <li>{page}</li> }).collect_view()}</ol>
        </section>
        <section>
            <h2>"Events"</h2>
            <ol class="history">
                {move || events.get().into_iter().map(|(kind, at)| view! { <li><At at say=Say::Second/> " " {kind}</li> }).collect_view()}
            </ol>
        </section>
    }
}

#[component]
fn Before(state: State) -> impl IntoView {
    let before = Memo::new(move |_| state.of(|detail| detail.before.clone()));
    view! {
        {move || Some(before.get()).filter(|before| !before.is_empty()).map(|before| view! {
            <section>
                <h2>"Earlier chats"</h2>
                {before.into_iter().map(|row| {
                    let chat = row.id;
                    view! {
                        <a class="row" href=format!("/console/chats/{chat}") on:click=move |event| {
                            if !(event.ctrl_key() || event.meta_key() || event.shift_key()) {
                                event.prevent_default();
                                connection::open(state, chat);
                            }
                        }><span class="row-last block"><At at=row.changed_at say=Say::Day/> " " {row.last}</span></a>
                    }
                }).collect_view()}
            </section>
        })}
    }
}

#[component]
fn Transcript(state: State, chat: ChatId) -> impl IntoView {
    let email = state.detail.with_untracked(|detail| {
        let attributes = &detail.as_ref()?.attributes;
        attributes.iter().find(|(name, _)| name == "email").map(|(_, value)| value.clone())
    });
    let mail_to = RwSignal::new(email.unwrap_or_default());
    view! {
        <section>
            <h2>"Transcript"</h2>
            <a class="button" href=format!("/console/chats/{chat}/transcript.txt")>"Download as text"</a>
            {state.desk.with_untracked(|desk| desk.mails).then(|| view! {
                <form class="mt-2 flex gap-2" on:submit=move |event| {
                    event.prevent_default();
                    connection::mail_transcript(state, chat, mail_to.get_untracked());
                }>
                    <input class="input min-w-0" type="email" aria-label="E-mail address the transcript goes to" placeholder="ada@example.com"
                        prop:value=move || mail_to.get() on:input=move |event| mail_to.set(event_target_value(&event))/>
                    <button class="button shrink-0 whitespace-nowrap" type="submit">"E-mail"</button>
                </form>
            })}
            <p class="hint" role="status">{move || state.mailed.get().filter(|(of, _)| *of == chat).map(|(_, became)| became)}</p>
        </section>
    }
}

/// The way to all that is known of the visitor, for those who may export and erase it.
#[component]
fn Privacy(state: State) -> impl IntoView {
    let visitor = state.detail.with_untracked(|detail| detail.as_ref()?.visitor);
    visitor.map(|visitor| {
        view! {
            <section>
                <h2>"Privacy"</h2>
                <a class="button" href=format!("/console/visitors/{visitor}")>"Export or erase"</a>
            </section>
        }
    })
}
