//! Asks for a phone number.

use leptos::prelude::*;

use super::{AnswerField, Entering, Field};
use crate::{i18n::PanelTexts, widget::state::Country};

/// Around the calling code: what is read from left to right in any language (Unicode UAX #9).
const ISOLATE: char = '\u{2066}';
/// Ends that.
const END: char = '\u{2069}';

/// The country that a number is dialled in, to be chosen.
#[component]
pub(super) fn CountryPicker(name: String, countries: Vec<Country>, country: String, texts: &'static PanelTexts) -> impl IntoView {
    let countries = countries
        .into_iter()
        .map(|Country { code, name, calling }| {
            let chosen = code == country;
            view! { <option value=code selected=chosen>{format!("{name} ({ISOLATE}+{calling}{END})")}</option> }
        })
        .collect_view();
    view! { <select id=name.clone() name=name.clone() autocomplete="country" class="input" aria-label=texts.country>{countries}</select> }
}

/// A field for a phone number, with the country it is dialled in.
#[component]
pub(super) fn PhoneCard(countries: Vec<Country>, country: String, field: Field) -> impl IntoView {
    let texts = field.texts;
    let entering =
        Entering { kind: "tel", keyboard: "tel", fills: "tel", max_length: Some(40), ltr: true, ..Entering::default() };
    view! {
        <label class="label" for="country">{texts.country}</label>
        <div class="field mb-3">
            <CountryPicker name="country".to_owned() countries country texts/>
        </div>
        <AnswerField label=texts.phone entering field/>
    }
}
