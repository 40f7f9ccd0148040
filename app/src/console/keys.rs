//! The keys of the API.

use leptos::prelude::*;

use super::pages::{LabelledField, ProblemLine};

/// A key, as the list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyLine {
    /// Its id.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// Its last characters.
    pub ending: String,
    /// What it may do; nothing named: everything.
    pub scopes: Vec<String>,
    /// The sites it is good for; none named: all.
    pub sites: Vec<String>,
    /// When it was made.
    pub made: String,
    /// When it was used last, if ever.
    pub used: Option<String>,
}

/// A key that was just made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeKey {
    /// What it is for.
    pub name: String,
    /// The key itself. It is shown once.
    pub key: String,
}

/// Chips of some names; one word, where there are none.
#[component]
fn Chips(names: Vec<String>, none: &'static str) -> impl IntoView {
    let names = if names.is_empty() { vec![none.to_owned()] } else { names };
    names.into_iter().map(|name| view! { <span class="chip">{name}</span> " " }).collect_view()
}

/// The keys of the API, and how to make one.
#[component]
pub fn KeysPage(
    /// The id of the key that the form makes.
    id: String,
    /// All of them, the oldest first.
    keys: Vec<KeyLine>,
    /// What a key may be allowed: name, and what it means.
    scopes: Vec<(&'static str, &'static str)>,
    /// The sites there are.
    sites: Vec<String>,
    /// The key that was just made.
    made: Option<MadeKey>,
    /// What was wrong.
    problem: Option<String>,
) -> impl IntoView {
    let empty = keys.is_empty();
    view! {
        <h1>"API keys"</h1>
        <p class="hint mb-3">"A program shows its key with each request. "<a href="/api">"What the API can do"</a></p>
        <ProblemLine problem/>
        {made.map(|MadeKey { name, key }| view! {
            <div class="card notice" role="status">
                <p>"The key "<strong dir="auto">{name}</strong>". Copy it now to where the program keeps its secrets: it is not shown again."</p>
                <p><code class="link-once">{key}</code></p>
            </div>
        })}
        {empty.then(|| view! { <p class="empty">"There are no keys yet."</p> })}
        <ul class="agent-list">
            {keys.into_iter().map(|key| view! {
                <li class="card">
                    <strong dir="auto">{key.name.clone()}</strong> " " <span class="hint">"…"{key.ending}</span>
                    <p class="hint">"May: "<Chips names=key.scopes none="everything"/></p>
                    <p class="hint">"Sites: "<Chips names=key.sites none="all"/></p>
                    <p class="hint">"Made "{key.made}", "{key.used.map_or_else(|| "never used".to_owned(), |used| format!("last used {used}"))}"."</p>
                    <details>
                        <summary class="hint">"Revoke…"</summary>
                        <form method="post" action=format!("/console/keys/{}/revoke", key.id)>
                            <p>"Programs that show this key are turned away from now on. That cannot be undone."</p>
                            <div class="buttons"><button class="button" type="submit">"Revoke the key "{key.name}</button></div>
                        </form>
                    </details>
                </li>
            }).collect_view()}
        </ul>
        <form class="card" method="post" action="/console/keys">
            <h2>"Make a key"</h2>
            <input type="hidden" name="id" value=id/>
            <LabelledField name="name" label="What it is for" hint="1 to 100 characters"/>
            <fieldset class="field">
                <legend class="label">"What it may do"</legend>
                <p class="hint mb-2">"With nothing ticked: everything."</p>
                {scopes.into_iter().map(|(name, about)| view! {
                    <label class="check"><input type="checkbox" name="scopes" value=name/><span><code>{name}</code>" "<span class="hint">{about}</span></span></label>
                }).collect_view()}
            </fieldset>
            <fieldset class="field">
                <legend class="label">"On which sites"</legend>
                <p class="hint mb-2">"With nothing ticked: on all, also those to come."</p>
                {sites.into_iter().map(|site| view! {
                    <label class="check"><input type="checkbox" name="sites" value=site.clone()/>{site}</label>
                }).collect_view()}
            </fieldset>
            <button class="button-primary" type="submit">"Make the key"</button>
        </form>
    }
}
