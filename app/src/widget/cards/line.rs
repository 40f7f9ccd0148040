//! Asks for a line of text: an e-mail address, a name, a company.

use leptos::prelude::*;
use porchlight_domain::conversation::{CaptureField, limits};

use super::{AnswerField, Entering, Field};

/// A field for one line.
#[component]
pub(super) fn LineCard(kind: CaptureField, field: Field) -> impl IntoView {
    let texts = field.texts;
    let (label, fills) = match kind {
        CaptureField::Email => {
            // RFC 5321 §4.5.3.1.3 allows 254 octets.
            let entering = Entering {
                kind: "email",
                keyboard: "email",
                fills: "email",
                example: texts.email_example,
                max_length: Some(254),
                ltr: true,
                ..Entering::default()
            };
            return view! { <AnswerField label=texts.email entering field/> };
        }
        CaptureField::Name => (texts.name, "name"),
        CaptureField::FirstName => (texts.first_name, "given-name"),
        CaptureField::LastName => (texts.last_name, "family-name"),
        CaptureField::Company => (texts.company, "organization"),
        _ => (texts.answer, ""),
    };
    let entering = Entering { kind: "text", keyboard: "text", fills, max_length: Some(limits::LABEL), ..Entering::default() };
    view! { <AnswerField label entering field/> }
}
