//! Asks for a day.

use leptos::prelude::*;

use super::{AnswerField, Entering, Field};

/// A field for a day, with the browser's own calendar.
#[component]
pub(super) fn DateCard(min: Option<String>, max: Option<String>, field: Field) -> impl IntoView {
    let texts = field.texts;
    view! { <AnswerField label=texts.date entering=Entering { kind: "date", min, max, ..Entering::default() } field/> }
}
