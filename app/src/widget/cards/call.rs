//! Shows a number to call.

use leptos::prelude::*;

use crate::{
    i18n::{PanelTexts, named},
    ui::{Icon, IconName},
};

/// A number as a link that dials it, and the button that goes on.
#[component]
pub(super) fn CallCard(number: String, digits: String, texts: &'static PanelTexts) -> impl IntoView {
    let (before, after) = texts.call_number.split_once("{}").unwrap_or((texts.call_number, ""));
    let name = named(texts.call_number, &number);
    view! {
        <div class="choices">
            <a href=format!("tel:{digits}") class="go-on" target="_top" aria-label=name data-call>
                <Icon name=IconName::Phone class="size-4"/>
                <span>{before}<bdi dir="ltr">{number.clone()}</bdi>{after}</span>
            </a>
            <button type="submit" name="value" value=number class="skip">{texts.go_on}</button>
        </div>
    }
}
