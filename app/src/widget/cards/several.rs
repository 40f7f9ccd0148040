//! A question of which several answers may be chosen.

use leptos::prelude::*;
use porchlight_domain::session::Choice;

use crate::i18n::PanelTexts;

/// A box to tick for each answer, and a button that sends them.
#[component]
pub(super) fn SeveralCard(options: Vec<Choice>, chosen: Vec<String>, texts: &'static PanelTexts) -> impl IntoView {
    view! {
        <div role="group" aria-label=texts.choose_several aria-describedby="problem" class="choices list">
            {options
                .into_iter()
                .map(|Choice { label, value }| {
                    let ticked = chosen.contains(&value);
                    view! {
                        <label class="choice tick" dir="auto">
                            <input type="checkbox" name="value" value=value checked=ticked/>
                            <span>{label}</span>
                        </label>
                    }
                })
                .collect_view()}
        </div>
        <button type="submit" class="go-on">{texts.go_on}</button>
    }
}
