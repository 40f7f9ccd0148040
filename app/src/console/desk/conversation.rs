//! The transcript, and the field to answer in.

use leptos::prelude::*;
use porchlight_domain::{
    conversation::template::{Token, fill_plain},
    livechat::Notice,
    session::{Author, Format},
};

use super::{
    at::{Say, in_words},
    connection,
    state::{Pending, State, keep, say},
};
use crate::{
    console::wire::{Ask, CannedResponse, Colleague, Line, PhaseName, Team},
    ui::{Icon, IconName, Plain, SentFile},
};

/// Emoji that agents use often, and what they are called.
const EMOJI: [(&str, &str); 24] = [
    ("🙂", "slight smile"),
    ("😀", "grin"),
    ("😄", "laugh"),
    ("😉", "wink"),
    ("😊", "warm smile"),
    ("😍", "heart eyes"),
    ("😂", "tears of joy"),
    ("😅", "sweat smile"),
    ("🤔", "thinking"),
    ("😮", "surprise"),
    ("😕", "puzzled"),
    ("😢", "tear"),
    ("👍", "thumbs up"),
    ("👎", "thumbs down"),
    ("👋", "wave"),
    ("👏", "applause"),
    ("🙏", "thanks"),
    ("💪", "strong"),
    ("❤️", "heart"),
    ("🎉", "party"),
    ("✅", "check mark"),
    ("⭐", "star"),
    ("🔥", "fire"),
    ("👀", "eyes"),
];

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

#[component]
fn Head(state: State, answers: bool) -> impl IntoView {
    let name = move || state.of(|detail| detail.row.visitor.clone()).unwrap_or_else(|| "Visitor".to_owned());
    let mine = move || state.of(|detail| detail.row.mine) && answers;
    let ending = RwSignal::new(false);
    let handing = RwSignal::new(false);
    let end = move |_| {
        if let Some(chat) = state.selected() {
            connection::ask(state, Ask::End { chat });
        }
        ending.set(false);
    };
    // The button that was pressed goes away: the keyboard goes on at the one in its place.
    let sure = move |ask: bool| {
        ending.set(ask);
        connection::focus(if ask { "end-now" } else { "end" });
    };
    let hand_to = move |agent, team| {
        if let Some(chat) = state.selected() {
            connection::ask(state, Ask::Transfer { chat, agent, team });
        }
        handing.set(false);
    };
    // Those who work for the chat's site: nobody else may take it.
    let others = move || -> (Vec<Colleague>, Vec<Team>) {
        let Some(site) = state.of(|detail| Some(detail.row.site.clone())) else { return Default::default() };
        state.desk.with(|desk| {
            let me = desk.me.as_ref().map(|me| me.id);
            // Who names no site works for all of them.
            let serves = |one: &Colleague| one.sites.is_empty() || one.sites.contains(&site);
            let agents = desk.colleagues.iter().filter(|one| Some(one.id) != me && one.available && serves(one));
            (agents.cloned().collect(), desk.teams.iter().filter(|team| team.site == site).cloned().collect())
        })
    };
    let asked = move || state.of(|detail| detail.row.asked.clone().filter(|_| detail.row.mine));
    view! {
        <header class="bar">
            <button class="button md:hidden" type="button" aria-label="Back to the list" on:click=move |_| connection::left(state)>"←"</button>
            <h2 class="row-name mb-0" dir="auto">{name}</h2>
            <button id="about" class="button lg:hidden" type="button" aria-expanded=move || state.about.get().to_string()
                on:click=move |_| {
                    state.about.update(|about| *about = !*about);
                    connection::focus("about-close");
                }>"About"</button>
            <Show when=mine>
                <div class="menu" on:keydown=move |event| {
                    if event.key() == "Escape" && handing.get_untracked() {
                        event.prevent_default();
                        handing.set(false);
                        connection::focus("transfer");
                    }
                }>
                    <button id="transfer" class="button" type="button" aria-expanded=move || handing.get().to_string()
                        on:click=move |_| handing.update(|on| *on = !*on)>"Transfer"</button>
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
                <Show when=move || ending.get() fallback=move || view! {
                    <button id="end" class="button" type="button" on:click=move |_| sure(true)>"End"</button>
                }>
                    <button id="end-now" class="button-primary" type="button" on:click=end>"End chat"</button>
                    <button class="button" type="button" on:click=move |_| sure(false)>"Keep"</button>
                </Show>
            </Show>
        </header>
        <p class="asking" role="status">{move || asked().map(|name| view! { "Asking "<bdi>{name}</bdi>"…" })}</p>
    }
}

#[component]
fn Log(state: State) -> impl IntoView {
    let lines = move || state.of(|detail| detail.lines.clone());
    let seen = move || state.of(|detail| detail.seen);
    let pending = move || {
        let chat = state.selected();
        state.pending.with(|pending| pending.iter().filter(|one| Some(one.chat) == chat).cloned().collect::<Vec<_>>())
    };
    let last_mine =
        move || state.of(|detail| detail.lines.iter().rev().find(|line| line.author == Author::Agent).map(|line| line.number));
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

/// A canned response, filled in: `{{visitor.NAME|fallback}}` and `{{page.url}}` as in what the bot says, and `{{agent}}`.
fn filled(state: State, response: &str) -> String {
    let me = state.desk.with_untracked(|desk| desk.me.as_ref().map(|me| me.name.clone()).unwrap_or_default());
    let (known, page) = state.detail.with_untracked(|detail| {
        detail.as_ref().map(|detail| (detail.attributes.clone(), detail.page.clone())).unwrap_or_default()
    });
    let fill = |part: &str| {
        fill_plain(part, |token| match token {
            Token::Visitor(wanted) => known.iter().find(|(name, _)| name == wanted.as_str()).map(|(_, value)| value.clone()),
            Token::PageUrl => Some(page.clone()),
        })
    };
    // Between the agent's names, so that what a visitor is called is never taken for a token.
    response.split("{{agent}}").map(fill).collect::<Vec<_>>().join(&me)
}

#[component]
fn Composer(state: State, answers: bool) -> impl IntoView {
    // What is written stays with its chat, whichever is shown meanwhile.
    let text = Memo::new(move |_| {
        let drafts = state.drafts;
        state.selected().and_then(|chat| drafts.with(|drafts| drafts.get(&chat).cloned())).unwrap_or_default()
    });
    let write = move |text: String| {
        if let Some(chat) = state.selected() {
            keep(state.drafts, chat, text);
        }
    };
    let told = StoredValue::new(0_i64);
    // Of the responses that are found: the one that Enter takes, and whether they are put aside until something else is typed.
    let chosen = RwSignal::new(0_usize);
    let aside = RwSignal::new(false);
    let picking = RwSignal::new(false);
    let mine = move || state.of(|detail| detail.row.mine && detail.row.phase == PhaseName::Online) && answers;
    let send = move || {
        let said = text.get_untracked();
        if said.trim().is_empty() {
            return;
        }
        let (Some(chat), Some(message)) = (state.selected(), connection::new_message()) else { return };
        let mut pending = Pending { chat, message, text: said, refused: None, asked: 0 };
        pending.asked = connection::ask(state, say(&pending));
        state.pending.update(|all| all.push(pending));
        keep(state.drafts, chat, String::new());
        connection::scroll_down();
    };
    let responses = Memo::new(move |_| {
        let typed = text.get();
        let Some(wanted) = typed.strip_prefix('/').map(str::to_lowercase).filter(|_| !aside.get()) else { return Vec::new() };
        let site = state.of(|detail| Some(detail.row.site.clone()));
        state.desk.with(|desk| {
            let fits =
                |one: &&CannedResponse| Some(&one.site) == site.as_ref() && one.shortcut.to_lowercase().starts_with(&wanted);
            desk.responses.iter().filter(fits).cloned().collect::<Vec<_>>()
        })
    });
    let some = move || responses.with(|found| !found.is_empty());
    // There may be fewer than when it was chosen.
    let at = move || chosen.get().min(responses.with(Vec::len).saturating_sub(1));
    let choose = move |next: usize| {
        chosen.set(next);
        connection::scroll_to(&format!("response-{next}"));
    };
    let fill = move |response: &str| {
        write(filled(state, response));
        connection::focus("composer");
    };
    let on_key = move |event: leptos::ev::KeyboardEvent| {
        if event.is_composing() {
            return;
        }
        let found = responses.with_untracked(Vec::len);
        match event.key().as_str() {
            "ArrowDown" if found > 0 => {
                event.prevent_default();
                choose((untrack(at) + 1) % found);
            }
            "ArrowUp" if found > 0 => {
                event.prevent_default();
                choose((untrack(at) + found - 1) % found);
            }
            "Escape" if found > 0 => {
                event.prevent_default();
                aside.set(true);
            }
            "Enter" if !event.shift_key() => {
                event.prevent_default();
                let number = untrack(at);
                match responses.with_untracked(|found| found.get(number).map(|one| one.text.clone())) {
                    Some(response) => fill(&response),
                    None => send(),
                }
            }
            _ => {}
        }
    };
    let on_input = move |event: leptos::ev::Event| {
        write(event_target_value(&event));
        chosen.set(0);
        aside.set(false);
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
                <Show when=some>
                    <div id="responses" class="responses" role="listbox" aria-label="Canned responses">
                        {move || responses.get().into_iter().enumerate().map(|(number, one)| {
                            let response = one.text.clone();
                            view! {
                                <button id=format!("response-{number}") class="response" type="button" role="option"
                                    aria-selected=move || (at() == number).to_string() on:click=move |_| fill(&response)>
                                    <strong>"/"{one.shortcut}</strong> " " {one.text}
                                </button>
                            }
                        }).collect_view()}
                    </div>
                </Show>
                <label class="button attach" title="Attach a file">
                    <input type="file" class="sr-only" accept=".png,.jpg,.jpeg,.gif,.webp,.pdf,.txt" aria-label="Attach a file"
                        on:change=move |event| {
                            if let Some(chat) = state.selected() {
                                connection::send_files(state, chat, &event);
                            }
                        }/>
                    <Icon name=IconName::Attach class="size-5"/>
                </label>
                <EmojiPicker state open=picking/>
                <textarea id="composer" class="input" rows="1" maxlength="5000" dir="auto" aria-label="Message to the visitor" placeholder="Write, or / for a response"
                    aria-autocomplete="list" aria-controls=move || some().then_some("responses")
                    aria-activedescendant=move || some().then(|| format!("response-{}", at()))
                    prop:value=move || text.get() on:input=on_input on:keydown=on_key on:focus=move |_| picking.set(false)
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

/// Emoji to put into the message, where the cursor is.
#[component]
fn EmojiPicker(state: State, open: RwSignal<bool>) -> impl IntoView {
    view! {
        <div on:keydown=move |event| {
            if event.key() == "Escape" && open.get_untracked() {
                event.prevent_default();
                open.set(false);
                connection::focus("emoji");
            }
        }>
            <button id="emoji" class="button px-2.5" type="button" aria-label="Emoji" title="Emoji"
                aria-expanded=move || open.get().to_string() on:click=move |_| open.update(|open| *open = !*open)>
                <span aria-hidden="true">"☺"</span>
            </button>
            <Show when=move || open.get()>
                <div class="emoji" role="group" aria-label="Emoji to put in">
                    {EMOJI.map(|(emoji, name)| view! {
                        // The field has the cursor again afterwards, which closes this.
                        <button class="emoji-item" type="button" aria-label=name title=name
                            on:click=move |_| connection::insert(state, emoji)>{emoji}</button>
                    }).collect_view()}
                </div>
            </Show>
        </div>
    }
}

fn over(state: State) -> String {
    state.of(|detail| match detail.row.phase {
        PhaseName::Queued => "Waits for somebody to be free.".to_owned(),
        PhaseName::Offered => "Is being offered.".to_owned(),
        PhaseName::Online => detail.row.agent.as_ref().map(|agent| format!("{} answers.", agent.name)).unwrap_or_default(),
        PhaseName::Ended => "This chat has ended.".to_owned(),
    })
}
