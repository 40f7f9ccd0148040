//! Asks for an e-mail address.

use leptos::prelude::*;

use super::{AnswerField, Field};

/// A field for an e-mail address.
#[component]
pub(super) fn EmailCard(optional: bool, field: Field) -> impl IntoView {
    let texts = field.texts;
    // RFC 5321 §4.5.3.1.3.
    view! { <AnswerField kind="email" label=texts.email example=texts.email_example max=254 optional field/> }
}
