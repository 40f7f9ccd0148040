//! The visitor takes the transcript of a live chat along.

use leptos::prelude::*;

use crate::{
    i18n::PanelTexts,
    ui::{Icon, IconName},
    widget::MailTo,
};

/// A field for the address a transcript goes to; closed until it is wanted.
#[component]
pub(super) fn TranscriptField(mail_to: MailTo, texts: &'static PanelTexts) -> impl IntoView {
    view! {
        <details class="transcript" open=mail_to.open>
            <summary class="skip">{texts.email_transcript}</summary>
            <div class="field">
                <input
                    name="email"
                    type="email"
                    inputmode="email"
                    autocomplete="email"
                    dir="ltr"
                    class="input"
                    placeholder=texts.email_example
                    value=mail_to.address
                    aria-label=texts.email
                    aria-describedby="problem"
                    data-enter="transcript"
                />
                <button type="submit" name="do" value="transcript" class="send" aria-label=texts.email_transcript>
                    <Icon name=IconName::Send class="size-5"/>
                </button>
            </div>
        </details>
    }
}
