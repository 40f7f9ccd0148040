//! The visitor writes to an agent.

use leptos::prelude::*;
use porchlight_domain::conversation::limits;

use super::SendButton;
use crate::{
    i18n::{PanelTexts, megabytes, named},
    ui::{Icon, IconName},
};

/// What a browser offers to choose; the server looks at what it gets.
const ACCEPTED: &str =
    ".png,.jpg,.jpeg,.gif,.webp,.pdf,.txt,image/png,image/jpeg,image/gif,image/webp,application/pdf,text/plain";

/// A field for messages to an agent, and a way to end the chat.
#[component]
pub(super) fn ChatCard(agent: String, file_limit: usize, texts: &'static PanelTexts) -> impl IntoView {
    view! {
        <Composer label=named(texts.message, &agent) file_limit texts/>
        <div class="steps">
            <button type="submit" name="do" value="end" class="skip">{texts.end_chat}</button>
            // The panel's script makes the sound, so it shows the switch.
            <button type="button" class="skip switch" aria-pressed="true" data-sound hidden=true>
                <Icon name=IconName::Sound class="size-4"/>{texts.sound}
            </button>
        </div>
    }
}

/// A field for a message. Enter sends where the panel's script runs, Shift and Enter begin a new line.
#[component]
pub(super) fn Composer(label: String, file_limit: usize, texts: &'static PanelTexts) -> impl IntoView {
    view! {
        <label class="label" for="value" dir="auto">{label}</label>
        <div class="field items-end">
            // The panel's script shows it: it opens the browser's own choice of files.
            <button type="button" class="attach" title=texts.attach aria-label=texts.attach hidden=true data-choose
                data-accept=ACCEPTED data-limit=file_limit.to_string() data-too-large=named(texts.file_too_large, &megabytes(file_limit))>
                <Icon name=IconName::Attach class="size-5"/>
            </button>
            <textarea id="value" name="value" rows="1" maxlength=limits::MESSAGE.to_string() dir="auto" class="input lines" data-composer aria-describedby="problem"></textarea>
            <SendButton texts/>
        </div>
        <noscript>
            <input type="file" name="file" accept=ACCEPTED aria-label=texts.attach class="mt-2 block w-full"/>
            <button type="submit" name="do" value="refresh" class="skip">{texts.go_on}</button>
        </noscript>
    }
}
