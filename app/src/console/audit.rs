//! Who did what.

use leptos::prelude::*;

use super::pages::ProblemLine;

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// When, in words.
    pub at: String,
    /// Who did it, in words.
    pub actor: String,
    /// What was done, such as `visitor.erased`.
    pub action: String,
    /// On which site, if on one.
    pub site: Option<String>,
    /// What it was done to, in words.
    pub subject: String,
    /// The same as it is kept, by which all about it is found.
    pub key: String,
    /// What else there is to say: name and value.
    pub facts: Vec<(String, String)>,
}

/// What is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditChoice {
    /// The site; all, if it is empty.
    pub site: String,
    /// What it is about; all, if it is empty.
    pub subject: String,
}

/// The audit log.
#[component]
pub fn AuditPage(
    /// What is looked at.
    choice: AuditChoice,
    /// The sites there are.
    sites: Vec<String>,
    /// The entries, the newest first.
    lines: Vec<AuditLine>,
    /// Where older ones are.
    older: Option<String>,
    /// What was wrong.
    problem: Option<String>,
) -> impl IntoView {
    let empty = lines.is_empty();
    let AuditChoice { site, subject } = choice;
    view! {
        <h1>"Audit log"</h1>
        <form class="card thirds" action="/console/audit">
            <label class="field">
                <span class="label">"Site"</span>
                <select class="input" name="site">
                    <option value="">"All"</option>
                    {sites.into_iter().map(|one| {
                        let selected = one == site;
                        view! { <option value=one.clone() selected=selected>{one.clone()}</option> }
                    }).collect_view()}
                </select>
            </label>
            <label class="field">
                <span class="label">"About"</span>
                <input class="input" name="subject" value=subject autocomplete="off" placeholder="An id or a name"/>
            </label>
            <div class="buttons self-end mb-3"><button class="button-primary" type="submit">"Show"</button></div>
        </form>
        <ProblemLine problem/>
        {empty.then(|| view! { <p class="empty">"Nothing was done yet."</p> })}
        <ul class="log">
            {lines.into_iter().map(|line| {
                let about = format!("/console/audit?subject={}", line.key);
                view! {
                    <li>
                        <p class="hint">{line.at} " · " <bdi>{line.actor}</bdi> {line.site.map(|site| view! { " " <span class="chip">{site}</span> })}</p>
                        <p><strong>{line.action}</strong> " " <a class="break-all" href=about><bdi>{line.subject}</bdi></a></p>
                        <dl class="facts">
                            {line.facts.into_iter().map(|(name, value)| view! { <dt>{name}</dt><dd class="said">{value}</dd> }).collect_view()}
                        </dl>
                    </li>
                }
            }).collect_view()}
        </ul>
        {older.map(|older| view! { <p class="buttons"><a class="button" href=older>"Older"</a></p> })}
    }
}
