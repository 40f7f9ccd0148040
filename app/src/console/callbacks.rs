//! Who asked to be called.

use leptos::prelude::*;

use super::pages::ProblemLine;
use crate::ui::{Plain, as_content};

/// A call back in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackRow {
    /// Its id.
    pub id: String,
    /// Its site.
    pub site: String,
    /// The team that calls, if one was named.
    pub team: Option<String>,
    /// What to call the visitor.
    pub visitor: Option<String>,
    /// The number.
    pub phone: String,
    /// When it was promised, in words.
    pub promised: String,
    /// Whether that has passed.
    pub late: bool,
    /// Whether it is to be made by now.
    pub due: bool,
    /// From when it is to be tried again.
    pub again: Option<String>,
    /// How often somebody has called.
    pub attempts: u32,
    /// The page it was asked for on.
    pub page: String,
    /// What is known of the visitor besides.
    pub attributes: Vec<(String, String)>,
    /// Who calls, if somebody does.
    pub agent: Option<String>,
    /// Whether that is who reads this.
    pub mine: bool,
    /// What came of it, if it is over.
    pub outcome: Option<&'static str>,
    /// What agents noted.
    pub note: String,
}

/// The queue of call backs.
#[component]
pub fn CallbacksPage(
    /// The call backs.
    rows: Vec<CallbackRow>,
    /// Whether those that are over are shown.
    done: bool,
    /// Whether who reads this may call.
    answers: bool,
    /// What was wrong.
    problem: Option<String>,
    /// The nonce of the script that looks for new ones.
    nonce: String,
) -> impl IntoView {
    let empty = rows.is_empty();
    // New ones come by themselves, but nothing is taken away from under somebody's hands.
    let script = "setInterval(async()=>{const q=document.getElementById('queue');\
        if(document.hidden||q.contains(document.activeElement)||q.querySelector('details[open]'))return;\
        try{const r=await fetch(location.href,{headers:{accept:'text/html'}});if(!r.ok||r.redirected)return;\
        const n=new DOMParser().parseFromString(await r.text(),'text/html').getElementById('queue');\
        if(n&&n.innerHTML!==q.innerHTML)q.innerHTML=n.innerHTML}catch{}},10000)";
    view! {
        <h1>"Call backs"</h1>
        <div class="buttons mb-3">
            <a class="button" href="/console/callbacks" aria-current=(!done).then_some("true")>"To be made"</a>
            <a class="button" href="/console/callbacks?done=true" aria-current=done.then_some("true")>"Done"</a>
        </div>
        <ProblemLine problem/>
        <div id="queue" aria-live="polite">
            {empty.then(|| view! { <p class="empty">{if done { "No calls yet." } else { "Nobody waits for a call." }}</p> })}
            <ul class="agent-list">{rows.into_iter().map(|row| view! { <Row row answers/> }).collect_view()}</ul>
        </div>
        {(!done).then(|| view! { <script nonce=nonce>{script}</script> })}
    }
}

#[component]
fn Row(row: CallbackRow, answers: bool) -> impl IntoView {
    let CallbackRow {
        id,
        site,
        team,
        visitor,
        phone,
        promised,
        late,
        due,
        again,
        attempts,
        page,
        attributes,
        agent,
        mine,
        outcome,
        note,
    } = row;
    let action = format!("/console/callbacks/{id}");
    let over = outcome.is_some();
    let free = agent.is_none() && !over;
    let who = visitor.unwrap_or_else(|| "Visitor".to_owned());
    let state = match (outcome, late, due) {
        (Some(outcome), ..) => outcome,
        (None, true, _) => "late",
        (None, false, true) => "now",
        (None, false, false) => "later",
    };
    view! {
        <li class="card" id=id>
            <p>
                <strong dir="auto">{who}</strong> " " <bdi dir="ltr">{phone.clone()}</bdi> " "
                <span class="chip" class:late=late>{state}</span>
                {agent.map(|agent| view! { " " <span class="chip" dir="auto">{agent}</span> })}
            </p>
            <p class="hint">
                {promised} " · " {site} {team.map(|team| format!(" · {team}"))}
                {again.map(|again| format!(" · again from {again}"))}
                {(attempts > 0).then(|| if attempts == 1 { " · called once".to_owned() } else { format!(" · called {attempts} times") })}
            </p>
            <p class="hint break-all">{page}</p>
            {(!note.is_empty()).then(|| view! { <p class="said" dir="auto"><Plain text=note.clone()/></p> })}
            {(!attributes.is_empty()).then(|| view! {
                <details>
                    <summary class="hint">"What is known of them"</summary>
                    <dl class="facts">{attributes.into_iter().map(|(name, value)| view! { <dt>{name}</dt><dd dir="auto">{value}</dd> }).collect_view()}</dl>
                </details>
            })}
            {(answers && free).then(|| view! {
                <form method="post" action=action.clone() class="buttons"><button class="button-primary" type="submit" name="do" value="claim">"I call"</button></form>
            })}
            {(answers && mine && !over).then(|| view! {
                <div class="buttons"><a class="button-primary" href=format!("tel:{phone}")>"Call "<bdi dir="ltr">{phone.clone()}</bdi></a></div>
                <form method="post" action=action class="mt-2">
                    <label class="field"><span class="label">"Note"</span><textarea class="input" name="note" rows="2" maxlength="5000" dir="auto">{as_content(&note)}</textarea></label>
                    <div class="buttons">
                        <button class="button-primary" type="submit" name="do" value="reached">"Reached"</button>
                        <button class="button" type="submit" name="do" value="not_reached">"Not reached, give up"</button>
                        <button class="button" type="submit" name="do" value="wrong_number">"Wrong number"</button>
                        <button class="button" type="submit" name="do" value="release">"Leave it to others"</button>
                    </div>
                    <div class="buttons">
                        <label class="flex items-center gap-2">"Again in "
                            <select class="input w-auto" name="minutes">
                                {[(15, "15 minutes"), (60, "an hour"), (180, "3 hours"), (1440, "a day")].map(|(minutes, words)| view! { <option value=minutes>{words}</option> }).collect_view()}
                            </select>
                        </label>
                        <button class="button" type="submit" name="do" value="retry">"Not reached, call again"</button>
                    </div>
                </form>
            })}
        </li>
    }
}
