//! Asks for an e-mail address.

use leptos::prelude::*;

use super::{Field, SendButton, SkipButton};

/// A field for an e-mail address.
#[component]
pub(super) fn EmailCard(optional: bool, field: Field) -> impl IntoView {
    let Field { typed, wrong, texts } = field;
    view! {
        <label class="label" for="value">{texts.email}</label>
        <div class="field">
            <input
                id="value"
                name="value"
                type="email"
                inputmode="email"
                autocomplete="email"
                autocapitalize="none"
                spellcheck="false"
                maxlength="254"
                dir="ltr"
                class="input"
                placeholder=texts.email_example
                value=typed
                aria-required=(!optional).to_string()
                aria-invalid=wrong.to_string()
                aria-describedby="problem"
            />
            <SendButton texts/>
        </div>
        {optional.then(|| view! { <SkipButton texts/> })}
    }
}
