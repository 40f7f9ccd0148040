//! Asks for a text of several lines.

use leptos::prelude::*;

use super::{Field, SendButton, SkipButton};

/// A text as what stands between the tags of a `<textarea>`. Leptos writes it there as it is, so it is escaped here; and the line break
/// before it is the one that browsers leave out ([HTML](https://html.spec.whatwg.org/multipage/syntax.html#element-restrictions)).
fn as_content(text: &str) -> String {
    format!("\n{}", text.replace('&', "&amp;").replace('<', "&lt;"))
}

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
