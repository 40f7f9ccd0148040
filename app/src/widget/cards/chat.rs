//! The visitor writes to an agent.

use leptos::prelude::*;
use porchlight_domain::conversation::limits;

use super::SendButton;
use crate::i18n::{PanelTexts, named};

/// A field for messages to an agent, and a way to end the chat.
#[component]
pub(super) fn ChatCard(agent: String, texts: &'static PanelTexts) -> impl IntoView {
    view! {
        <Composer label=named(texts.message, &agent) texts/>
        <button type="submit" name="do" value="end" class="skip">{texts.end_chat}</button>
    }
}

/// A field for a message. Enter sends where the panel's script runs, Shift and Enter begin a new line.
#[component]
pub(super) fn Composer(label: String, texts: &'static PanelTexts) -> impl IntoView {
    view! {
        <label class="label" for="value" dir="auto">{label}</label>
        <div class="field items-end">
            <textarea id="value" name="value" rows="1" maxlength=limits::MESSAGE.to_string() dir="auto" class="input lines" data-composer aria-describedby="problem"></textarea>
            <SendButton texts/>
        </div>
        <noscript><button type="submit" name="do" value="refresh" class="skip">{texts.go_on}</button></noscript>
    }
}
