//! The desk: queues, the conversation, the visitor.

mod at;
mod connection;
mod conversation;
mod lists;
mod state;
mod visitor;

use leptos::{config::LeptosOptions, prelude::*};

use super::{
    ConsoleFrame, Me,
    wire::{Ask, Desk, Detail},
};
use conversation::Conversation;
use lists::Lists;
use state::State;
use visitor::Visitor;

/// The desk as a page.
#[component]
pub fn DeskPage(
    /// What there is.
    desk: Desk,
    /// The chat that is shown.
    selected: Option<Detail>,
    /// The agent.
    me: Me,
    /// Whether they may answer.
    answers: bool,
    /// The address of the style sheet.
    css: String,
    /// Where the script is.
    options: LeptosOptions,
) -> impl IntoView {
    view! {
        <ConsoleFrame title="Inbox".to_owned() me=Some(me) active="" css script=options>
            <DeskIsland desk selected answers/>
        </ConsoleFrame>
    }
}

/// The desk itself.
#[island]
fn DeskIsland(desk: Desk, selected: Option<Detail>, answers: bool) -> impl IntoView {
    let state = State::new(desk, selected);
    Effect::new(move || connection::start(state));
    view! {
        <div class="desk" class:has-chat=move || state.detail.with(Option::is_some) class:about=move || state.about.get()>
            <h1 class="sr-only">"Inbox"</h1>
            <OfferBanner state/>
            <Lists state/>
            <Conversation state answers/>
            <Visitor state/>
            <Keys/>
        </div>
    }
}

/// A chat is offered; of several, the one that runs out next.
#[component]
fn OfferBanner(state: State) -> impl IntoView {
    let offers = Memo::new(move |_| {
        let offers = state.offers();
        offers.first().cloned().map(|first| (first, offers.len() - 1))
    });
    view! {
        <div role="alert" class="offers">
            {move || offers.get().map(|(row, more)| {
                let chat = row.id;
                let until = row.offer_until;
                let left = move || until.map_or(0, |until| (until.as_second() - state.seconds.get().max(0)).clamp(0, 3600));
                let who = row.visitor.clone().unwrap_or_else(|| "A visitor".to_owned());
                let from = row.from.clone().map(|from| format!("{from} hands you this chat."));
                view! {
                    <div class="offer">
                        <p><strong dir="auto">{who}</strong>" is waiting. " {from} " "
                            <span aria-hidden="true">{move || if state.seconds.get() > 0 { format!("{} s", left()) } else { String::new() }}</span>
                        </p>
                        {(more > 0).then(|| view! { <span class="chip">{format!("+{more} more")}</span> })}
                        <button class="button-primary" type="button" on:click=move |_| {
                            connection::accept(state, chat);
                        }>"Accept"</button>
                        <button class="button" type="button" on:click=move |_| { connection::ask(state, Ask::Decline { chat }); }>"Decline"</button>
                    </div>
                }
            })}
        </div>
    }
}

/// The sheet of keys.
#[component]
fn Keys() -> impl IntoView {
    let keys = [
        ("j, k", "next and previous chat"),
        ("a, d", "accept and decline"),
        ("r", "write"),
        ("Enter", "send; Shift and Enter for a new line"),
        ("/", "canned responses, in the empty field; ↑ and ↓ choose, Enter takes"),
        ("s", "search"),
        ("e", "end the chat"),
        ("Esc", "close what is open; back to the list"),
        ("?", "this sheet"),
    ];
    view! {
        <dialog id="keys" class="sheet" aria-label="Keys">
            <h2>"Keys"</h2>
            <dl class="keys">{keys.map(|(key, what)| view! { <dt><kbd>{key}</kbd></dt><dd>{what}</dd> }).collect_view()}</dl>
            <form method="dialog" class="buttons"><button class="button" type="submit">"Close"</button></form>
        </dialog>
    }
}

/// Says that the script has stopped: the page needs to be loaded again.
pub fn say_stopped() {
    if let Some(title) = web_sys::window().and_then(|window| window.document()) {
        title.set_title("The desk has stopped: load this page again");
    }
}
