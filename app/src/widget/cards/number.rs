//! Asks for a number.

use leptos::prelude::*;

use super::{AnswerField, Entering, Field};

/// A field for a number, which the browser lets people write as they are used to.
#[component]
pub(super) fn NumberCard(min: Option<f64>, max: Option<f64>, field: Field) -> impl IntoView {
    let texts = field.texts;
    let entering = Entering {
        kind: "number",
        keyboard: "decimal",
        min: min.map(|min| min.to_string()),
        max: max.map(|max| max.to_string()),
        step: Some("any"),
        ltr: true,
        ..Entering::default()
    };
    view! { <AnswerField label=texts.number entering field/> }
}
