//! Asks for a phone number.

use leptos::prelude::*;

use super::{AnswerField, Entering, Field};
use crate::widget::state::Country;

/// Around the calling code: what is read from left to right in any language (Unicode UAX #9).
const ISOLATE: char = '\u{2066}';
/// Ends that.
const END: char = '\u{2069}';

/// A field for a phone number, with the country it is dialled in.
#[component]
pub(super) fn PhoneCard(countries: Vec<Country>, country: String, field: Field) -> impl IntoView {
    let texts = field.texts;
    let countries = countries
        .into_iter()
        .map(|Country { code, name, calling }| {
            let chosen = code == country;
            view! { <option value=code selected=chosen>{format!("{name} ({ISOLATE}+{calling}{END})")}</option> }
        })
        .collect_view();
    let entering =
        Entering { kind: "tel", keyboard: "tel", fills: "tel", max_length: Some(40), ltr: true, ..Entering::default() };
    view! {
        <label class="label" for="country">{texts.country}</label>
        <div class="field mb-3">
            <select id="country" name="country" autocomplete="country" class="input">{countries}</select>
        </div>
        <AnswerField label=texts.phone entering field/>
    }
}
