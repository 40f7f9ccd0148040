//! Asks for one of a list.

use leptos::prelude::*;
use porchlight_domain::session::Choice;

use super::{Field, SendButton, SkipButton};

/// A list that opens.
#[component]
pub(super) fn PickCard(options: Vec<Choice>, field: Field) -> impl IntoView {
    let Field { label, typed, optional, wrong, texts } = field;
    let nothing = typed.is_empty();
    let options = options
        .into_iter()
        .map(|Choice { label, value }| {
            let chosen = value == typed;
            view! { <option value=value selected=chosen>{label}</option> }
        })
        .collect_view();
    view! {
        <label class="label" for="value" dir="auto">{label.unwrap_or_else(|| texts.choose.to_owned())}</label>
        <div class="field">
            <select
                id="value"
                name="value"
                class="input"
                aria-required=(!optional).to_string()
                aria-invalid=wrong.to_string()
                aria-describedby="problem"
            >
                <option value="" selected=nothing>{texts.pick}</option>
                {options}
            </select>
            <SendButton texts/>
        </div>
        <SkipButton optional texts/>
    }
}
