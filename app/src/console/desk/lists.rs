//! The queues and their chats.

use leptos::prelude::*;

use super::{
    at::{At, Say},
    connection,
    state::{Queue, State},
};
use crate::console::wire::{Ask, ChatRow, PhaseName};

/// How high a row is, in px: as style/console.css says.
const ROW: i32 = 64;
/// How many rows are drawn at once; the others are blank space until they are scrolled to.
const DRAWN: usize = 60;

#[component]
pub(super) fn Lists(state: State) -> impl IntoView {
    let rows = Memo::new(move |_| state.rows());
    let top = RwSignal::new(0_usize);
    let first = Memo::new(move |_| top.get().saturating_sub(DRAWN / 3).min(rows.with(Vec::len).saturating_sub(1)));
    let choose = move |queue: Queue| {
        state.queue.set(queue);
        // What is searched for is searched for in all of them.
        state.search.set(String::new());
        state.clear_list();
        top.set(0);
        if queue.is_past() {
            connection::list(state, false);
        }
    };
    let search = move |text: String| {
        let was_empty = state.search.with_untracked(String::is_empty);
        if was_empty || text.is_empty() {
            state.clear_list();
        }
        state.search.set(text);
        connection::list(state, false);
    };
    let is_fetched = move || state.queue.get().is_past() || !state.search.with(String::is_empty);
    let count = move |queue: Queue| {
        state.desk.with(|desk| match queue {
            Queue::Mine => desk.chats.iter().map(|row| row.unread * u32::from(row.mine)).sum(),
            Queue::Waiting => {
                u32::try_from(desk.chats.iter().filter(|row| row.phase != PhaseName::Online).count()).unwrap_or_default()
            }
            Queue::All | Queue::Ended | Queue::Missed => 0,
        })
    };
    let me = move || state.desk.with(|desk| desk.me.clone());
    let scrolled = move |event: leptos::ev::Event| {
        let list: web_sys::Element = event_target(&event);
        top.set(usize::try_from(list.scroll_top() / ROW).unwrap_or_default());
        let left = list.scroll_height() - list.scroll_top() - list.client_height();
        if left < ROW * 10 && untrack(is_fetched) && state.next.with_untracked(Option::is_some) {
            connection::list(state, true);
            state.next.set(None);
        }
    };
    view! {
        <section class="lists" aria-label="Chats">
            <div class="bar">
                {move || me().map(|me| {
                    let on = me.available;
                    view! {
                        <span class="dot" class:on=on aria-hidden="true"></span>
                        <button class="button" type="button" aria-pressed=on.to_string()
                            on:click=move |_| { connection::ask(state, Ask::Available { on: !on }); }>
                            {if on { "Available" } else { "Away" }}
                        </button>
                        <span class="hint">{format!("{} of {} chats", me.open, me.limit)}</span>
                    }
                })}
                <button class="button ms-auto" type="button" aria-label="Show the keys" on:click=move |_| connection::show_keys()>"?"</button>
                {move || state.notify.get().map(|may| view! {
                    <button class="button" type="button" disabled=!may on:click=move |_| connection::allow_notifications(state)>
                        {if may { "Notify me" } else { "Notifications blocked" }}
                    </button>
                })}
            </div>
            <div class="queues">
                {Queue::ALL.map(|(queue, label, _)| view! {
                    <button type="button" class="queue-tab" aria-pressed=move || (state.queue.get() == queue).to_string() on:click=move |_| choose(queue)>
                        {label}
                        {move || Some(count(queue)).filter(|count| *count > 0).map(|count| view! { <span class="count">{count}</span> })}
                    </button>
                }).collect_view()}
            </div>
            {move || Some(state.desk.with(|desk| desk.callbacks)).filter(|calls| *calls > 0).map(|calls| view! {
                <a class="calls" href="/console/callbacks">"Call backs to make: " <span class="count">{calls}</span></a>
            })}
            <div class="search">
                <input id="search" class="input" type="search" placeholder="Search all chats" aria-label="Search chats" prop:value=move || state.search.get()
                    on:input=move |event| search(event_target_value(&event))/>
            </div>
            <nav class="rows" aria-label="Chats of this queue" on:scroll=scrolled>
                {move || {
                    let all = rows.get();
                    if all.is_empty() {
                        let why = if is_fetched() && state.listing.get() { "Loading…" } else { "No chats here." };
                        return view! { <p class="empty">{why}</p> }.into_any();
                    }
                    let (from, to) = (first.get(), (first.get() + DRAWN).min(all.len()));
                    // Blank rows keep the list as long as it is; few, since each stands for many.
                    let total = state.total.get();
                    view! {
                        {(is_fetched() && total > 0).then(|| view! { <p class="hint px-3">{format!("{total} in all")}</p> })}
                        <Blank rows=from/>
                        {all[from..to].iter().cloned().map(|row| view! { <Row state row/> }).collect_view()}
                        <Blank rows=all.len() - to/>
                    }.into_any()
                }}
            </nav>
        </section>
    }
}

/// Space in the place of rows that are not drawn.
#[component]
fn Blank(rows: usize) -> impl IntoView {
    // A picture of nothing: the policy allows no style in the markup.
    let height = (i32::try_from(rows).unwrap_or(i32::MAX / ROW) * ROW).to_string();
    view! { <svg class="block" width="1" height=height aria-hidden="true"></svg> }
}

#[component]
fn Row(state: State, row: ChatRow) -> impl IntoView {
    let chat = row.id;
    let what = match row.phase {
        PhaseName::Queued => "waiting",
        PhaseName::Offered => "being offered",
        PhaseName::Online => "",
        PhaseName::Ended => "ended",
    };
    let agent = row.agent.as_ref().filter(|_| !row.mine).map(|agent| agent.name.clone());
    let who = row.visitor.clone().unwrap_or_else(|| "Visitor".to_owned());
    view! {
        <a class="row" href=format!("/console/chats/{chat}") aria-current=move || (state.selected() == Some(chat)).then_some("true")
            on:click=move |event| {
                if !(event.ctrl_key() || event.meta_key() || event.shift_key()) {
                    event.prevent_default();
                    connection::open(state, chat);
                }
            }>
            <span class="row-top">
                <span class="dot" class:on=row.here aria-hidden="true"></span>
                <span class="row-name" dir="auto">{who}</span>
                {(row.unread > 0).then(|| view! { <span class="count">{row.unread}<span class="sr-only">" unread"</span></span> })}
                <span class="hint"><At at=row.changed_at say=Say::Minute/></span>
            </span>
            <span class="row-last block" dir="auto">
                {(!what.is_empty()).then(|| view! { <span class="chip">{what}</span>" " })}
                {agent.map(|agent| view! { <span class="chip">{agent}</span>" " })}
                {row.last}
            </span>
        </a>
    }
}
