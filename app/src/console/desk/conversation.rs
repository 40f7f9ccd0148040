//! The transcript, and the field to answer in.

use leptos::prelude::*;
use porchlight_domain::{
    livechat::Notice,
    session::{Author, Format},
};

use super::{
    at::{Say, in_words},
    connection,
    state::{Pending, State, say},
};
use crate::{
    console::wire::{Ask, Colleague, Detail, Line, PhaseName, Team},
    ui::{Icon, IconName, Plain, SentFile},
};

#[component]
pub(super) fn Conversation(state: State, answers: bool) -> impl IntoView {
    let shown = Memo::new(move |_| state.detail.with(|detail| detail.as_ref().map(|detail| detail.row.id)));
    view! {
        <section class="conversation" aria-label="Conversation">
            <p class="offline" role="status" hidden=move || state.connected.get() || state.seconds.get() == 0>"Reconnecting… What you write is kept."</p>
            {move || state.problem.get().map(|problem| view! {
                <p class="offline" role="alert">{problem} " " <button class="button" type="button" on:click=move |_| state.problem.set(None)>"Close"</button></p>
            })}
            {move || match shown.get() {
                None => view! { <p class="empty">"Choose a chat. Press ? for the keys."</p> }.into_any(),
                Some(_) => (view! { <Head state answers/> }.into_any(), view! { <Log state/> }.into_any(), view! { <Composer state answers/> }.into_any()).into_any(),
            }}
        </section>
    }
}

fn of<T: Default>(state: State, get: impl FnOnce(&Detail) -> T) -> T {
    state.detail.with(|detail| detail.as_ref().map(get).unwrap_or_default())
}

#[component]
fn Head(state: State, answers: bool) -> impl IntoView {
    let name = move || of(state, |detail| detail.row.visitor.clone()).unwrap_or_else(|| "Visitor".to_owned());
    let mine = move || of(state, |detail| detail.row.mine) && answers;
    let ending = RwSignal::new(false);
    let handing = RwSignal::new(false);
    let end = move |_| {
        if let Some(chat) = state.selected() {
            connection::ask(state, Ask::End { chat });
        }
        ending.set(false);
    };
    let hand_to = move |agent, team| {
        if let Some(chat) = state.selected() {
            connection::ask(state, Ask::Transfer { chat, agent, team });
        }
        handing.set(false);
    };
    let others = move || -> (Vec<Colleague>, Vec<Team>) {
        state.desk.with(|desk| {
            let me = desk.me.as_ref().map(|me| me.id);
            (desk.colleagues.iter().filter(|one| Some(one.id) != me && one.available).cloned().collect(), desk.teams.clone())
        })
    };
    view! {
        <header class="bar">
            <button class="button md:hidden" type="button" aria-label="Back to the list" on:click=move |_| connection::left(state)>"←"</button>
            <h2 class="row-name mb-0" dir="auto">{name}</h2>
            <button class="button lg:hidden" type="button" aria-pressed=move || state.about.get().to_string()
                on:click=move |_| state.about.update(|about| *about = !*about)>"About"</button>
            <Show when=mine>
                <div class="menu">
                    <button class="button" type="button" aria-expanded=move || handing.get().to_string() on:click=move |_| handing.update(|on| *on = !*on)>"Transfer"</button>
                    <Show when=move || handing.get()>
                        <div class="menu-items">
                            {move || {
                                let (agents, teams) = others();
                                if agents.is_empty() && teams.is_empty() {
                                    return view! { <p class="hint p-2">"Nobody else is available."</p> }.into_any();
                                }
                                let agents = agents.into_iter().map(|one| view! {
                                    <button class="response" type="button" on:click=move |_| hand_to(Some(one.id), None)>{one.name}</button>
                                }).collect_view();
                                let teams = teams.into_iter().map(|team| {
                                    let id = team.id.clone();
                                    view! { <button class="response" type="button" on:click=move |_| hand_to(None, Some(id.clone()))>{format!("Team {}", team.name)}</button> }
                                }).collect_view();
                                view! { {agents} {teams} }.into_any()
                            }}
                        </div>
                    </Show>
                </div>
                <Show when=move || ending.get() fallback=move || view! { <button id="end" class="button" type="button" on:click=move |_| ending.set(true)>"End"</button> }>
                    <button class="button-primary" type="button" on:click=end>"End chat"</button>
                    <button class="button" type="button" on:click=move |_| ending.set(false)>"Keep"</button>
                </Show>
            </Show>
        </header>
    }
}

#[component]
fn Log(state: State) -> impl IntoView {
    let lines = move || of(state, |detail| detail.lines.clone());
    let seen = move || of(state, |detail| detail.seen);
    let pending = move || {
        let chat = state.selected();
        state.pending.with(|pending| pending.iter().filter(|one| Some(one.chat) == chat).cloned().collect::<Vec<_>>())
    };
    let last_mine =
        move || of(state, |detail| detail.lines.iter().rev().find(|line| line.author == Author::Agent).map(|line| line.number));
    view! {
        <div id="log" class="log" role="log" aria-label="Transcript" tabindex="0">
            <For each=lines key=|line| line.number let:line><LineView line/></For>
            {move || last_mine().map(|number| view! { <span class="mark">{if seen() >= number { "Seen" } else { "Delivered" }}</span> })}
            {move || state.uploading.get().map(|name| view! { <span class="mark" role="status">"Sending " <bdi>{name}</bdi> "…"</span> })}
            {move || pending().into_iter().map(|one| view! { <PendingView state one/> }).collect_view()}
        </div>
        <p class="typing-line" role="status">
            {move || (state.typing.get().is_some() && state.typing.get() == state.selected()).then_some("The visitor is typing…")}
        </p>
    }
}

#[component]
fn LineView(line: Line) -> impl IntoView {
    let at = in_words(line.at, Say::Clock);
    let name = line.agent.map(|agent| agent.name).unwrap_or_default();
    if line.format == Format::Notice {
        let text = match line.text.as_deref().and_then(Notice::named) {
            Some(Notice::Joined) => format!("{name} joined"),
            Some(Notice::Transferred) => format!("{name} took over"),
            Some(Notice::EndedByVisitor) => "The visitor ended the chat".to_owned(),
            Some(Notice::EndedByAgent) => format!("{name} ended the chat"),
            Some(Notice::Unanswered) => "Nobody accepted".to_owned(),
            Some(Notice::Idle) => "Ended after a long silence".to_owned(),
            Some(Notice::Dropped) => "Ended: the visitor was gone".to_owned(),
            None => String::new(),
        };
        return view! { <p class="notice-line" dir="auto">{move || at.get()} " · " {text}</p> }.into_any();
    }
    let (class, who) = match line.author {
        Author::Visitor => ("line visitor-line", "Visitor:".to_owned()),
        Author::Agent => ("line agent-line", format!("{name}:")),
        Author::Bot => ("line bot-line", "Bot:".to_owned()),
    };
    let text = line.text.unwrap_or_else(|| "–".to_owned());
    let said = match line.format {
        Format::File => view! { <SentFile text/> }.into_any(),
        _ => view! { <Plain text/> }.into_any(),
    };
    view! { <div class=class dir="auto" title=move || at.get()><span class="sr-only">{who} " "</span>{said}</div> }.into_any()
}

#[component]
fn PendingView(state: State, one: Pending) -> impl IntoView {
    let again = one.clone();
    let message = one.message;
    let mark = match one.refused {
        None => view! { <span class="mark">"Sending…"</span> }.into_any(),
        Some(why) => view! {
            <span class="mark failed">{why} " "
                <button class="button" type="button" on:click=move |_| {
                    let asked = connection::ask(state, say(&again));
                    state.pending.update(|all| all.iter_mut().filter(|one| one.message == message).for_each(|one| {
                        one.refused = None;
                        one.asked = asked;
                    }));
                }>"Send again"</button>
                <button class="button" type="button" on:click=move |_| state.forget(message)>"Discard"</button>
            </span>
        }
        .into_any(),
    };
    view! { <div class="line agent-line pending" dir="auto"><Plain text=one.text/></div> {mark} }
}

#[component]
fn Composer(state: State, answers: bool) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let told = StoredValue::new(0_i64);
    let mine = move || of(state, |detail| detail.row.mine && detail.row.phase == PhaseName::Online) && answers;
    let send = move || {
        let said = text.get_untracked();
        if said.trim().is_empty() {
            return;
        }
        let (Some(chat), Some(message)) = (state.selected(), connection::new_message()) else { return };
        let mut pending = Pending { chat, message, text: said, refused: None, asked: 0 };
        pending.asked = connection::ask(state, say(&pending));
        state.pending.update(|all| all.push(pending));
        text.set(String::new());
        connection::scroll_down();
    };
    let responses = move || {
        let typed = text.get();
        let Some(wanted) = typed.strip_prefix('/').map(str::to_lowercase) else { return Vec::new() };
        let site = of(state, |detail| Some(detail.row.site.clone()));
        state.desk.with(|desk| {
            let fits = |shortcut: &str| shortcut.to_lowercase().starts_with(&wanted);
            desk.responses
                .iter()
                .filter(|one| Some(&one.site) == site.as_ref() && fits(&one.shortcut))
                .cloned()
                .collect::<Vec<_>>()
        })
    };
    let fill = move |template: &str| {
        let me = state.desk.with_untracked(|desk| desk.me.as_ref().map(|me| me.name.clone()).unwrap_or_default());
        let mut filled = template.replace("{{agent}}", &me);
        for (name, value) in of(state, |detail| detail.attributes.clone()) {
            filled = filled.replace(&format!("{{{{visitor.{name}}}}}"), &value);
        }
        // What is not known is left out rather than shown as it was written.
        while let Some((before, rest)) = filled.clone().split_once("{{") {
            let Some((_, after)) = rest.split_once("}}") else { break };
            filled = format!("{}{after}", before.trim_end());
        }
        text.set(filled);
        connection::focus("composer");
    };
    let on_key = move |event: leptos::ev::KeyboardEvent| {
        if event.key() != "Enter" || event.shift_key() || event.is_composing() {
            return;
        }
        event.prevent_default();
        match responses().first() {
            Some(response) => fill(&response.text),
            None => send(),
        }
    };
    let on_input = move |event: leptos::ev::Event| {
        text.set(event_target_value(&event));
        let now = connection::now_ms();
        if now - told.get_value() > 3000
            && let Some(chat) = state.selected()
        {
            told.set_value(now);
            connection::ask(state, Ask::Typing { chat });
        }
    };
    view! {
        <Show when=mine fallback=move || view! { <p class="bar hint">{move || over(state)}</p> }>
            <form class="composer" on:submit=move |event| { event.prevent_default(); send(); }>
                {move || {
                    let found = responses();
                    (!found.is_empty()).then(|| view! {
                        <div class="responses" aria-label="Canned responses">
                            {found.into_iter().map(|one| {
                                let template = one.text.clone();
                                view! { <button class="response" type="button" on:click=move |_| fill(&template)><strong>"/"{one.shortcut}</strong> " " {one.text}</button> }
                            }).collect_view()}
                        </div>
                    })
                }}
                <label class="button attach" title="Attach a file">
                    <input type="file" class="sr-only" accept=".png,.jpg,.jpeg,.gif,.webp,.pdf,.txt" aria-label="Attach a file"
                        on:change=move |event| {
                            if let Some(chat) = state.selected() {
                                connection::send_files(state, chat, &event);
                            }
                        }/>
                    <Icon name=IconName::Attach class="size-5"/>
                </label>
                <textarea id="composer" class="input" rows="1" maxlength="5000" dir="auto" aria-label="Message to the visitor" placeholder="Write, or / for a response"
                    prop:value=move || text.get() on:input=on_input on:keydown=on_key
                    on:paste=move |event| {
                        if let Some(chat) = state.selected() {
                            connection::send_files(state, chat, &event);
                        }
                    }></textarea>
                <button class="button-primary" type="submit">"Send"</button>
            </form>
        </Show>
    }
}

fn over(state: State) -> String {
    of(state, |detail| match detail.row.phase {
        PhaseName::Queued => "Waits for somebody to be free.".to_owned(),
        PhaseName::Offered => "Is being offered.".to_owned(),
        PhaseName::Online => detail.row.agent.as_ref().map(|agent| format!("{} answers.", agent.name)).unwrap_or_default(),
        PhaseName::Ended => "This chat has ended.".to_owned(),
    })
}
