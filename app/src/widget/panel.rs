//! The panel's page.

use leptos::{config::LeptosOptions, nonce::use_nonce, prelude::*};
use porchlight_domain::session::Entry;

use super::{
    answering::Answering,
    cards::Card,
    state::{Standing, Ticket},
    transcript::Said,
};
use crate::i18n::Locale;

/// What stands around the conversation.
#[derive(Debug, Clone)]
pub struct PanelFrame {
    /// The title in the panel's head.
    pub title: String,
    /// The site's colour and the colour of text on it, as CSS colours that were checked.
    pub accent: String,
    /// See `accent`.
    pub on_accent: String,
    /// The language.
    pub locale: Locale,
    /// The origin of the host page.
    pub host: String,
    /// The address of the style sheet.
    pub css: String,
    /// Where the browser finds the wasm and its glue.
    pub options: LeptosOptions,
}

/// The panel: a whole page, shown in the iframe. Its one landmark has a name, so that it is not taken for the host page's.
#[component]
pub fn Panel(
    /// What stands around the conversation.
    frame: PanelFrame,
    /// The transcript so far.
    transcript: Vec<Entry>,
    /// What forms send along.
    ticket: Ticket,
    /// Where the conversation stands.
    standing: Standing,
) -> impl IntoView {
    let texts = frame.locale.panel();
    let monogram: String = frame.title.chars().take(1).flat_map(char::to_uppercase).collect();
    let colours = format!(":root{{--accent:{};--on-accent:{}}}", frame.accent, frame.on_accent);
    let theme = ticket.theme.clone();
    let name = frame.title.clone();
    view! {
        <!DOCTYPE html>
        <html lang=frame.locale.tag() dir=frame.locale.dir() data-theme=theme>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content"/>
                <meta name="robots" content="noindex"/>
                <title>{frame.title.clone()}</title>
                <link rel="stylesheet" href=frame.css/>
                <style nonce=use_nonce()>{colours}</style>
                <HydrationScripts options=frame.options islands=true/>
            </head>
            <body>
                <main aria-label=name class="panel">
                    <div class="head">
                        <span class="monogram" aria-hidden="true">{monogram}</span>
                        <h1 class="truncate text-base font-semibold" dir="auto">{frame.title}</h1>
                    </div>
                    <Answering host=frame.host unreachable=texts.unreachable.to_owned()>
                        <div class="scroller">
                            <div class="log" role="log" aria-label=texts.transcript tabindex="0">
                                <Said entries=transcript texts/>
                                <div id="typing" class="typing">
                                    <span class="sr-only">{texts.sending}</span>
                                    <i></i><i></i><i></i>
                                </div>
                            </div>
                        </div>
                        <div id="card" class="card"><Card ticket standing texts/></div>
                    </Answering>
                </main>
            </body>
        </html>
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
        <html lang=locale.tag() dir=locale.dir() data-theme="auto">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <title>{locale.system().failed}</title>
                <link rel="stylesheet" href=css/>
            </head>
            <body>
                <main aria-label=locale.system().failed class="grid h-full place-items-center p-8 text-center">
                    <p>{locale.system().failed}</p>
                </main>
            </body>
        </html>
    }
}
