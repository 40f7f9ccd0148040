//! What every page of the console has around it.

use leptos::{config::LeptosOptions, prelude::*};
use porchlight_domain::agent::{Right, Role};

/// Who is signed in, as far as the frame has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// Their name.
    pub name: String,
    /// What they are: by that some pages are theirs and others are not.
    pub role: Role,
}

/// The daily work: the last part of the address, what the link is called, and the right that one needs for it, if not everybody has it.
const WORK: [(&str, &str, Option<Right>); 9] = [
    ("", "Inbox", None),
    ("callbacks", "Call backs", None),
    ("meetings", "Meetings", None),
    ("calendar", "Calendar", None),
    ("surveys", "Surveys", None),
    ("analytics", "Analytics", Some(Right::SeeAnalytics)),
    ("visitors", "Visitors", Some(Right::ManageVisitors)),
    ("availability", "Availability", None),
    ("responses", "Responses", None),
];
/// What is set up once and looked after now and then.
const SET_UP: [(&str, &str, Option<Right>); 7] = [
    ("teams", "Teams", Some(Right::ManageTeams)),
    ("accounts", "Accounts", Some(Right::ManageTeams)),
    ("agents", "Agents", Some(Right::ManageAgents)),
    ("webhooks", "Webhooks", Some(Right::ManageIntegrations)),
    ("keys", "API keys", Some(Right::ManageIntegrations)),
    ("export", "Export", Some(Right::ManageIntegrations)),
    ("audit", "Audit log", Some(Right::ManageIntegrations)),
];

/// A page of the console: the head of the document, and the ways to the other pages.
#[component]
pub fn ConsoleFrame(
    /// The page's title.
    title: String,
    /// Who is signed in.
    me: Option<Me>,
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
    let nav = me.map(|Me { name, role }| {
        let group = |links: &[(&'static str, &'static str, Option<Right>)]| {
            let theirs = links.iter().filter(|(.., right)| right.is_none_or(|right| role.may(right)));
            let links: Vec<_> = theirs
                .map(|(to, label, _)| {
                    let href = if to.is_empty() { "/console".to_owned() } else { format!("/console/{to}") };
                    view! { <a class="nav-link" href=href aria-current=(active == *to).then_some("page")>{*label}</a> }
                })
                .collect();
            (!links.is_empty()).then(|| view! { <div class="nav-group">{links}</div> })
        };
        view! {
            <nav class="nav" aria-label="Console">
                <span class="brand" aria-hidden="true">"Porchlight"</span>
                <div class="nav-groups">{group(&WORK)} {group(&SET_UP)}</div>
                <form method="post" action="/console/sign-out" class="nav-end">
                    <span class="me" dir="auto">{name}</span>
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
