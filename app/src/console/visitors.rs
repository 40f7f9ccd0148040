//! What is known of visitors: it is found, exported and erased.

use leptos::prelude::*;

use super::pages::ProblemLine;

/// A visitor who was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VisitorFound {
    /// Their id.
    pub id: String,
    /// Their site.
    pub site: String,
    /// What is known of them: name and value.
    pub facts: Vec<(String, String)>,
    /// How much there is of them: what, and how many.
    pub counts: Vec<(&'static str, usize)>,
}

/// Finding a visitor.
#[component]
pub fn VisitorsPage(
    /// What was looked for.
    wanted: String,
    /// Who was found.
    found: Vec<VisitorFound>,
    /// Whether there are more than are shown.
    more: bool,
    /// What was done just now.
    done: Option<String>,
    /// What was wrong.
    problem: Option<String>,
) -> impl IntoView {
    let nobody = !wanted.is_empty() && found.is_empty() && problem.is_none();
    view! {
        <h1>"Visitors"</h1>
        {done.map(|done| view! { <p class="card notice" role="status">{done}</p> })}
        <form class="card" action="/console/visitors">
            <ProblemLine problem/>
            <label class="field">
                <span class="label">"Who?"</span>
                <input class="input" name="q" type="search" value=wanted autocomplete="off" required=true dir="auto"/>
                <span class="hint">"An e-mail address, a phone number, the name that your site identifies them by, or a visitor’s id"</span>
            </label>
            <button class="button-primary" type="submit">"Find"</button>
        </form>
        {nobody.then(|| view! { <p class="empty">"Nobody of that name is known."</p> })}
        {more.then(|| view! { <p class="hint mb-3">"There are more; these are the latest."</p> })}
        <ul class="agent-list">
            {found.into_iter().map(|visitor| {
                let id = visitor.id.clone();
                view! {
                    <li class="card">
                        <Known visitor/>
                        <Ways id/>
                    </li>
                }
            }).collect_view()}
        </ul>
    }
}

/// One visitor.
#[component]
pub fn VisitorPage(
    /// Who.
    visitor: VisitorFound,
) -> impl IntoView {
    let id = visitor.id.clone();
    view! {
        <h1>"Visitor"</h1>
        <div class="card">
            <Known visitor/>
            <Ways id/>
        </div>
    }
}

/// The last step before a visitor is erased.
#[component]
pub fn ErasePage(
    /// Who.
    visitor: VisitorFound,
    /// Why it was not done.
    problem: Option<String>,
) -> impl IntoView {
    let id = visitor.id.clone();
    view! {
        <h1>"Erase this visitor?"</h1>
        <div class="card">
            <ProblemLine problem/>
            <Known visitor/>
            <h2>"What goes"</h2>
            <ul class="list-disc ps-5 mb-3">
                <li>"All that is known of them by name, and by which browsers they would be known again"</li>
                <li>"What was said in conversations and chats, with notes, tags and files"</li>
                <li>"Forms and surveys, meetings and call backs. A chat under way is ended, and meetings to come are called off"</li>
                <li>"Letters about them that the server keeps or has still to send"</li>
                <li>"The page and the contents of each event in the log"</li>
            </ul>
            <h2>"What stays"</h2>
            <ul class="list-disc ps-5 mb-3">
                <li>"That these events happened, and when: numbers stay right. Whom they happened to cannot be told any more"</li>
                <li>"What was sent elsewhere already: letters, webhooks, copies in calendars, backups. See to those yourself"</li>
                <li>"In the audit log: that you erased this id, and when"</li>
            </ul>
            <p class="mb-3">"It cannot be undone. Export first what you have to keep."</p>
            <form class="buttons" method="post" action=format!("/console/visitors/{id}/erase")>
                <button class="button-primary" type="submit">"Erase for good"</button>
                <a class="button" href=format!("/console/visitors/{id}")>"Keep"</a>
            </form>
        </div>
    }
}

/// What is known of somebody.
#[component]
fn Known(visitor: VisitorFound) -> impl IntoView {
    let VisitorFound { id, site, facts, counts } = visitor;
    let unknown = facts.is_empty();
    let counts = counts.into_iter().map(|(what, count)| format!("{count} {what}")).collect::<Vec<_>>().join(", ");
    view! {
        <p class="hint mb-2 break-all">{id} " " <span class="chip">{site}</span></p>
        {unknown.then(|| view! { <p class="mb-2">"Nothing is known of them by name."</p> })}
        <dl class="facts mb-2">
            {facts.into_iter().map(|(name, value)| view! { <dt dir="auto">{name}</dt><dd dir="auto" class="said">{value}</dd> }).collect_view()}
        </dl>
        <p class="hint mb-3">{counts}</p>
    }
}

#[component]
fn Ways(id: String) -> impl IntoView {
    view! {
        <div class="buttons">
            <a class="button" href=format!("/console/visitors/{id}/export") download=format!("visitor-{id}.json")>"Export"</a>
            <a class="button" href=format!("/console/visitors/{id}/erase")>"Erase…"</a>
        </div>
    }
}
