//! The cards that wait for the visitor: one file each. Every card is an HTML form that works without script.

mod choice;
mod email;
mod phone;

use leptos::prelude::*;
use porchlight_domain::session::Ask;

use super::state::{Standing, Ticket};
use crate::{
    i18n::PanelTexts,
    ui::{Icon, IconName},
};

/// The card that waits, or the end of the conversation.
#[component]
pub fn Card(
    /// What the form sends along.
    ticket: Ticket,
    /// Where the conversation stands.
    standing: Standing,
    /// System texts.
    texts: &'static PanelTexts,
) -> impl IntoView {
    let Standing { asked, problem, wrong, typed } = standing;
    let Some(asked) = asked else {
        return view! {
            <p class="ended" tabindex="-1"><Icon name=IconName::Check class="size-4"/>{texts.ended}</p>
            <p id="problem" class="problem" role="alert">{problem}</p>
        }
        .into_any();
    };
    let field = Field { typed, wrong, texts };
    let controls = match asked.prompt.ask {
        Ask::Choice { options } => view! { <choice::ChoiceCard options texts/> }.into_any(),
        Ask::Email { optional } => view! { <email::EmailCard optional field/> }.into_any(),
        Ask::Phone { optional } => {
            view! { <phone::PhoneCard optional countries=asked.countries country=asked.country field/> }.into_any()
        }
    };
    let hidden = [
        ("token", ticket.token),
        ("view", ticket.view.to_string()),
        ("after", ticket.after.to_string()),
        ("page", ticket.page),
        ("conversation", ticket.conversation.to_string()),
        ("locale", ticket.locale),
        ("theme", ticket.theme),
        ("have", ticket.have.to_string()),
        ("id", asked.answer.to_string()),
        ("turn", asked.prompt.turn.to_string()),
        ("card", asked.prompt.card.to_string()),
    ];
    view! {
        <form method="post" action="/widget/v1/answers" novalidate autocomplete="on">
            {hidden.map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).to_vec()}
            {controls}
            // There from the start, so that screen readers announce what is put into it.
            <p id="problem" class="problem" role="alert">{problem}</p>
        </form>
    }
    .into_any()
}

/// What a field shows besides what it asks for.
struct Field {
    /// What was typed before.
    typed: String,
    /// Whether something was wrong with it.
    wrong: bool,
    /// System texts.
    texts: &'static PanelTexts,
}

/// A field for one line of text, with the button that sends it, and one that goes on without where that is allowed.
#[component]
fn AnswerField(
    /// `email` or `tel`: the type of the field, the keyboard it brings up, and what the browser may fill in.
    kind: &'static str,
    /// What is asked for.
    label: &'static str,
    /// An example, or nothing.
    example: &'static str,
    /// The longest text, in characters.
    max: u32,
    /// Whether it may be skipped.
    optional: bool,
    /// What it shows besides.
    field: Field,
) -> impl IntoView {
    let Field { typed, wrong, texts } = field;
    let skip = optional.then(|| view! { <button type="submit" name="skip" value="true" class="skip">{texts.skip}</button> });
    view! {
        <label class="label" for="value">{label}</label>
        <div class="field">
            <input
                id="value"
                name="value"
                type=kind
                inputmode=kind
                autocomplete=kind
                autocapitalize="none"
                spellcheck="false"
                maxlength=max.to_string()
                dir="ltr"
                class="input"
                placeholder=example
                value=typed
                aria-required=(!optional).to_string()
                aria-invalid=wrong.to_string()
                aria-describedby="problem"
            />
            <button type="submit" class="send" aria-label=texts.send>
                <Icon name=IconName::Send class="size-5"/>
            </button>
        </div>
        {skip}
    }
}
