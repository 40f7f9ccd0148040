//! The visitor waits for an agent.

use leptos::prelude::*;

use super::chat::Composer;
use crate::i18n::{PanelTexts, named};

/// What is being done for the visitor, how long the queue is, and a way out. They may write already: the agent will read it.
#[component]
pub(super) fn WaitingCard(ahead: Option<u32>, file_limit: usize, texts: &'static PanelTexts) -> impl IntoView {
    let queue = ahead.map(|ahead| named(texts.ahead, &ahead.to_string()));
    view! {
        <p class="waiting" role="status">
            <span class="dots" aria-hidden="true"><i></i><i></i><i></i></span>
            {texts.waiting}
            {queue.map(|queue| view! { <span class="queue">{queue}</span> })}
        </p>
        <Composer label=texts.answer.to_owned() file_limit texts/>
        <button type="submit" name="do" value="end" class="skip">{texts.give_up}</button>
    }
}
