//! A question with answers to choose from.

use leptos::prelude::*;
use porchlight_domain::session::Choice;

use crate::i18n::PanelTexts;

/// A button for each answer: beside each other, or one below the other.
#[component]
pub(super) fn ChoiceCard(options: Vec<Choice>, list: bool, texts: &'static PanelTexts) -> impl IntoView {
    view! {
        <div role="group" aria-label=texts.choose class=if list { "choices list" } else { "choices" }>
            {options
                .into_iter()
                .map(|Choice { label, value }| {
                    view! { <button type="submit" name="value" value=value class="choice" dir="auto">{label}</button> }
                })
                .collect_view()}
        </div>
    }
}
