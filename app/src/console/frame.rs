//! What every page of the console has around it.

use leptos::{config::LeptosOptions, prelude::*};

/// A page of the console: the head of the document, and the ways to the other pages.
#[component]
pub fn ConsoleFrame(
    /// The page's title.
    title: String,
    /// Who is signed in.
    me: Option<String>,
    /// Whether they may manage agents.
    manages: bool,
    /// Whether they may see the numbers.
    analyses: bool,
    /// The page one is on, by the last part of its address.
    active: &'static str,
    /// The address of the style sheet.
    css: String,
    /// Where the script of the page is, if it has one.
    #[prop(optional, into)]
    script: Option<LeptosOptions>,
    /// What the page is about.
    children: Children,
) -> impl IntoView {
    let link = move |to: &'static str, label: &'static str| {
        let href = if to.is_empty() { "/console".to_owned() } else { format!("/console/{to}") };
        view! { <a class="nav-link" href=href aria-current=(active == to).then_some("page")>{label}</a> }
    };
    let nav = me.map(|me| {
        view! {
            <nav class="nav" aria-label="Console">
                <span class="brand" aria-hidden="true">"Porchlight"</span>
                {link("", "Inbox")} {link("callbacks", "Call backs")} {link("meetings", "Meetings")} {link("calendar", "Calendar")}
                {link("surveys", "Surveys")} {analyses.then(|| link("analytics", "Analytics"))} {link("availability", "Availability")} {link("responses", "Responses")}
                {manages.then(|| view! { {link("teams", "Teams")} {link("accounts", "Accounts")} {link("agents", "Agents")} {link("webhooks", "Webhooks")} {link("keys", "API keys")} {link("export", "Export")} })}
                <form method="post" action="/console/sign-out" class="nav-end">
                    <span class="me" dir="auto">{me}</span>
                    <button class="nav-link" type="submit">"Sign out"</button>
                </form>
            </nav>
        }
    });
    view! {
        <!DOCTYPE html>
        <html lang="en" dir="ltr">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <title>{format!("{title} · Porchlight")}</title>
                <link rel="stylesheet" href=css/>
                {script.map(|options| view! { <HydrationScripts options islands=true/> })}
            </head>
            <body class="console">
                {nav}
                <main class="page">{children()}</main>
            </body>
        </html>
    }
}
