//! The panel's page.

use leptos::{config::LeptosOptions, nonce::use_nonce, prelude::*};
use porchlight_domain::{conversation::Ui, session::Entry};

use super::{
    answering::Answering,
    cards::Card,
    state::{Lines, Standing, Ticket},
    transcript::Said,
};
use crate::{i18n::Locale, ui::Markup};

/// What stands around the conversation.
#[derive(Debug, Clone)]
pub struct PanelFrame {
    /// The title in the panel's head.
    pub title: String,
    /// The address of the picture in the head, on our own origin.
    pub avatar: Option<String>,
    /// How the conversation is shown.
    pub ui: Ui,
    /// The site's look, as CSS variables of values that were checked.
    pub look: String,
    /// The language of our own texts.
    pub locale: Locale,
    /// The origin of the host page.
    pub host: String,
    /// What stands at its foot about privacy.
    pub privacy: Option<PrivacyNote>,
    /// The address of the style sheet.
    pub css: String,
    /// Where the browser finds the wasm and its glue.
    pub options: LeptosOptions,
}

/// What is said about privacy at the foot of the panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivacyNote {
    /// In words of the site's own.
    pub text: Option<String>,
    /// The page about it.
    pub url: Option<String>,
}

/// The panel: a whole page, shown in the iframe. Its one landmark has a name, so that it is not taken for the host page's.
#[component]
pub fn Panel(
    /// What stands around the conversation.
    frame: PanelFrame,
    /// The transcript so far.
    transcript: Vec<Entry>,
    /// What its lines are about, where that is more than their words.
    lines: Lines,
    /// The number of the last line that was there before.
    typed_after: u32,
    /// What forms send along.
    ticket: Ticket,
    /// Where the conversation stands.
    standing: Standing,
) -> impl IntoView {
    let texts = frame.locale.panel();
    let theme = ticket.theme.clone();
    let name = frame.title.clone();
    let look = format!(":root{{{}}}", frame.look);
    // Within a page's own text there is no need to say whose it is.
    let head = (frame.ui != Ui::Inline).then(|| view! { <Head title=frame.title.clone() avatar=frame.avatar/> });
    view! {
        <!DOCTYPE html>
        <html lang=frame.locale.tag() dir=frame.locale.dir() data-theme=theme data-ui=frame.ui.name()>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content"/>
                <meta name="robots" content="noindex"/>
                <title>{frame.title}</title>
                <link rel="stylesheet" href=frame.css/>
                <style nonce=use_nonce()>{look}</style>
                <HydrationScripts options=frame.options islands=true/>
            </head>
            <body>
                <main aria-label=name class="panel">
                    {head}
                    <Answering host=frame.host unreachable=texts.unreachable.to_owned()>
                        <div class="scroller">
                            <div class="log" role="log" aria-label=texts.transcript tabindex="0">
                                <div id="said" class="contents"><Said entries=transcript typed_after lines texts/></div>
                                // What is not there yet: the log says it once it is.
                                <div id="unsent" class="contents" aria-live="off" data-unsent=texts.unsent></div>
                                <div id="typing" class="typing">
                                    <span class="sr-only">{texts.sending}</span>
                                    <i></i><i></i><i></i>
                                </div>
                            </div>
                        </div>
                        <p id="seen" class="seen" hidden=true>{texts.seen}</p>
                        // There from the start, so that screen readers announce what is put into it.
                        <p id="live" class="live-line" role="status" data-reconnecting=texts.reconnecting></p>
                        <div id="card" class="card"><Card ticket standing texts/></div>
                    </Answering>
                    {frame.privacy.map(|note| view! { <Foot note label=texts.privacy/> })}
                </main>
            </body>
        </html>
    }
}

/// The same from the first moment to the last, so that nothing moves because of it.
#[component]
fn Foot(note: PrivacyNote, label: &'static str) -> impl IntoView {
    let PrivacyNote { text, url } = note;
    view! {
        <p class="privacy">
            {text.map(|text| view! { <span dir="auto"><Markup text/></span> " " })}
            {url.map(|url| view! { <a href=url target="_blank" rel="noopener noreferrer">{label}</a> })}
        </p>
    }
}

#[component]
fn Head(title: String, avatar: Option<String>) -> impl IntoView {
    let monogram: String = title.chars().take(1).flat_map(char::to_uppercase).collect();
    let picture = match avatar {
        Some(avatar) => view! { <img src=avatar alt="" class="monogram object-cover" width="36" height="36"/> }.into_any(),
        None => view! { <span class="monogram" aria-hidden="true">{monogram}</span> }.into_any(),
    };
    view! {
        <div class="head">
            {picture}
            <h1 class="truncate text-base font-semibold" dir="auto">{title}</h1>
        </div>
    }
}

/// What stands in the iframe when the panel cannot be shown.
#[component]
pub fn Unavailable(
    /// The language.
    locale: Locale,
    /// The address of the style sheet.
    css: String,
) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang=locale.tag() dir=locale.dir()>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <title>{locale.system().failed}</title>
                <link rel="stylesheet" href=css/>
            </head>
            <body>
                <main aria-label=locale.system().failed class="unavailable">
                    <p>{locale.system().failed}</p>
                </main>
            </body>
        </html>
    }
}
