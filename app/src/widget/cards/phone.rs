//! Asks for a phone number.

use leptos::prelude::*;

use super::{Field, SendButton, SkipButton};
use crate::widget::state::Country;

/// A field for a phone number, with the country it is dialled in.
#[component]
pub(super) fn PhoneCard(optional: bool, countries: Vec<Country>, country: String, field: Field) -> impl IntoView {
    let Field { typed, wrong, texts } = field;
    let countries = countries
        .into_iter()
        .map(|Country { code, name, calling }| {
            let chosen = code == country;
            view! { <option value=code selected=chosen>{format!("{name} (+{calling})")}</option> }
        })
        .collect_view();
    view! {
        <label class="label" for="country">{texts.country}</label>
        <div class="field mb-2">
            <select id="country" name="country" autocomplete="country" class="input">{countries}</select>
        </div>
        <label class="label" for="value">{texts.phone}</label>
        <div class="field">
            <input
                id="value"
                name="value"
                type="tel"
                inputmode="tel"
                autocomplete="tel"
                maxlength="40"
                dir="ltr"
                class="input"
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
