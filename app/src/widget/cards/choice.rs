//! A question with answers to choose from.

use leptos::prelude::*;
use porchlight_domain::session::Choice;

use crate::i18n::PanelTexts;

/// A button for each answer.
#[component]
pub(super) fn ChoiceCard(options: Vec<Choice>, texts: &'static PanelTexts) -> impl IntoView {
    view! {
        <div role="group" aria-label=texts.choose class="flex flex-wrap justify-end gap-2">
            {options
                .into_iter()
                .map(|Choice { label, value }| {
                    view! { <button type="submit" name="value" value=value class="choice" dir="auto">{label}</button> }
                })
                .collect_view()}
        </div>
    }
}
