//! Who is assigned to whom.

use leptos::prelude::*;

use crate::ui::as_content;

/// The companies and domains that are assigned to agents.
#[component]
pub fn AccountsPage(
    /// The sites one works for.
    sites: Vec<String>,
    /// The site that is shown.
    site: String,
    /// What is assigned, as CSV.
    csv: String,
    /// How many there are.
    count: usize,
    /// Whether it was saved.
    saved: bool,
    /// What is wrong, line by line.
    problems: Vec<String>,
) -> impl IntoView {
    let several = sites.len() > 1;
    let shown = site.clone();
    view! {
        <h1>"Accounts"</h1>
        <p class="hint mb-3">"Visitors of a company, or who write from its domain, are handed to its agent, where a conversation says \"account\": true."</p>
        {several.then(|| view! {
            <form class="buttons mb-3" action="/console/accounts">
                <label class="flex items-center gap-2">"Site "
                    <select class="input w-auto" name="site">
                        {sites.into_iter().map(|one| {
                            let selected = one == shown;
                            view! { <option value=one.clone() selected=selected>{one.clone()}</option> }
                        }).collect_view()}
                    </select>
                </label>
                <button class="button" type="submit">"Show"</button>
            </form>
        })}
        <form class="card" method="post" action="/console/accounts" enctype="multipart/form-data">
            <input type="hidden" name="site" value=site/>
            {saved.then(|| view! { <p role="status">{format!("Saved: {count} accounts.")}</p> })}
            {(!problems.is_empty()).then(|| view! {
                <div role="alert" class="form-problem">
                    <p>"Nothing was changed. Please mend these lines first:"</p>
                    <ul>{problems.iter().map(|problem| view! { <li>{problem.clone()}</li> }).collect_view()}</ul>
                </div>
            })}
            <label class="field">
                <span class="label">"A file of comma-separated values (CSV)"</span>
                <input class="input" type="file" name="file" accept=".csv,text/csv"/>
                <span class="hint">"A line each: a domain such as acme.example, or a company’s name, and the e-mail address of an agent. It takes the place of all that is here."</span>
            </label>
            <label class="field">
                <span class="label">"Or here"</span>
                <textarea class="input font-mono" name="csv" rows="12" spellcheck="false">{as_content(&csv)}</textarea>
            </label>
            <button class="button-primary" type="submit">"Save"</button>
        </form>
    }
}
