//! What is known of the visitor.

use leptos::prelude::*;

use super::{
    at::{At, Say},
    connection,
    state::State,
};
use crate::console::wire::{ChatRow, Detail};

#[component]
pub(super) fn Visitor(state: State) -> impl IntoView {
    // What is said in the chat is no part of it: what is being typed here stays while messages come.
    let shown = Memo::new(move |_| {
        let detail = state.detail.get()?;
        let row = ChatRow { last: String::new(), unread: 0, changed_at: detail.row.requested_at, here: false, ..detail.row };
        Some(Detail { lines: Vec::new(), seen: 0, row, ..detail })
    });
    let note = RwSignal::new(String::new());
    view! {
        <aside class="visitor" aria-label="Visitor">
            {move || shown.get().map(|detail| {
                let chat = detail.row.id;
                let tags = detail.row.tags.join(", ");
                let email = detail.attributes.iter().find(|(name, _)| name == "email").map(|(_, value)| value.clone());
                let mail_to = RwSignal::new(email.unwrap_or_default());
                let facts = detail.attributes.into_iter().chain([
                    ("page".to_owned(), detail.page),
                    ("language".to_owned(), detail.locale),
                ]);
                let events: Vec<_> = detail.events.into_iter().rev().take(15).collect();
                view! {
                    <section>
                        <h2>"Visitor"</h2>
                        <dl class="facts">{facts.map(|(name, value)| view! { <dt>{name}</dt><dd dir="auto">{value}</dd> }).collect_view()}</dl>
                    </section>
                    <section>
                        <h2>"Tags"</h2>
                        <input class="input" aria-label="Tags, with commas between" value=tags on:change=move |event| {
                            let tags = event_target_value(&event).split(',').map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty()).collect();
                            connection::tags(chat, tags);
                        }/>
                    </section>
                    <section>
                        <h2>"Notes"</h2>
                        {detail.notes.into_iter().map(|note| view! {
                            <p class="said"><span class="hint">{note.agent} ": "</span>{note.text}</p>
                        }).collect_view()}
                        <form on:submit=move |event| {
                            event.prevent_default();
                            let text = note.get_untracked();
                            if !text.trim().is_empty() {
                                connection::note(state, chat, text);
                                note.set(String::new());
                            }
                        }>
                            <textarea class="input" rows="2" dir="auto" aria-label="A note, which the visitor does not see" prop:value=move || note.get()
                                on:input=move |event| note.set(event_target_value(&event))></textarea>
                            <button class="button mt-2" type="submit">"Add note"</button>
                        </form>
                    </section>
                    <section>
                        <h2>"Pages"</h2>
                        <ol class="history">{detail.pages.into_iter().map(|page| view! { <li>{page}</li> }).collect_view()}</ol>
                    </section>
                    <section>
                        <h2>"Events"</h2>
                        <ol class="history">{events.into_iter().map(|(kind, at)| view! { <li><At at say=Say::Second/> " " {kind}</li> }).collect_view()}</ol>
                    </section>
                    {(!detail.before.is_empty()).then(|| view! {
                        <section>
                            <h2>"Earlier chats"</h2>
                            {detail.before.into_iter().map(|row| view! {
                                <a class="row" href=format!("/console/chats/{}", row.id)><span class="row-last block"><At at=row.changed_at say=Say::Day/> " " {row.last}</span></a>
                            }).collect_view()}
                        </section>
                    })}
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
                        <p class="hint" role="status">{move || state.mailed.get()}</p>
                    </section>
                    <button class="button self-start" type="button" on:click=move |_| connection::allow_notifications()>"Notify me of new chats"</button>
                }
            })}
        </aside>
    }
}
