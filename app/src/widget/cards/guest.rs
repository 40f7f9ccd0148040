//! Asks who comes to a meeting whose time is held.

use leptos::prelude::*;
use porchlight_domain::conversation::limits;

use super::Wrong;
use crate::{
    i18n::{PanelTexts, named},
    ui::{Icon, IconName},
    widget::state::Held,
};

/// The time that is held, and fields for who comes.
#[component]
pub(super) fn GuestCard(
    held: Held,
    name: String,
    email: String,
    wrong: Vec<(String, String)>,
    texts: &'static PanelTexts,
) -> impl IntoView {
    let of = |field: &str| wrong.iter().find(|(known, _)| known == field).map(|(_, why)| why.clone());
    let (bad_name, bad_email) = (of("name"), of("email"));
    view! {
        <div class="held">
            <p class="held-when"><Icon name=IconName::Calendar class="size-5 shrink-0"/><span dir="auto">{held.when}</span></p>
            <p class="hint">{named(texts.hold_until, &held.until)}</p>
        </div>
        <label class="label" for="value" dir="auto">{texts.name}</label>
        <input id="value" name="guest_name" type="text" class="input whole" autocomplete="name" autocapitalize="words" spellcheck="false" dir="auto"
            maxlength=limits::LABEL.to_string() value=name aria-invalid=bad_name.is_some().to_string() aria-describedby="wrong-name"/>
        <Wrong field="name".to_owned() why=bad_name/>
        <label class="label" for="guest-email" dir="auto">{texts.email}</label>
        <input id="guest-email" name="guest_email" type="email" inputmode="email" class="input whole" autocomplete="email" autocapitalize="none" spellcheck="false" dir="ltr"
            maxlength="254" placeholder=texts.email_example value=email aria-required="true" aria-invalid=bad_email.is_some().to_string() aria-describedby="wrong-email"/>
        <Wrong field="email".to_owned() why=bad_email/>
        <div class="choices">
            <button type="submit" class="go-on">{texts.book}</button>
            <button type="submit" name="do" value="release" class="skip">{texts.other_time}</button>
        </div>
    }
}
