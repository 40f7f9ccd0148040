//! Asks for a text of several lines.

use leptos::prelude::*;

use crate::ui::as_content;

use super::{Field, SendButton, SkipButton};

/// A field that grows with what is typed.
#[component]
pub(super) fn TextCard(max: u32, field: Field) -> impl IntoView {
    let Field { label, typed, optional, wrong, texts } = field;
    view! {
        <label class="label" for="value" dir="auto">{label.unwrap_or_else(|| texts.answer.to_owned())}</label>
        <div class="field items-end">
            <textarea
                id="value"
                name="value"
                rows="2"
                maxlength=max.to_string()
                dir="auto"
                class="input lines"
                aria-required=(!optional).to_string()
                aria-invalid=wrong.to_string()
                aria-describedby="problem"
            >
                {as_content(&typed)}
            </textarea>
            <SendButton texts/>
        </div>
        <SkipButton optional texts/>
    }
}
