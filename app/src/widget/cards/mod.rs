//! The cards that wait for the visitor: one file each. Every card is an HTML form that works without script.

mod call;
mod chat;
mod choice;
mod date;
mod document;
mod form;
mod guest;
mod line;
mod number;
mod phone;
mod pick;
mod several;
mod slots;
mod text;
mod transcript;
mod waiting;

pub(super) use slots::SlotsCard;

use leptos::prelude::*;
use porchlight_domain::session::{Ask, Prompt};

use super::state::{Asked, Standing, Ticket};
use crate::{
    i18n::{PanelTexts, named},
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
    let (state, live) = (standing.state(), standing.is_live());
    // Where the time zone is to be chosen, it stands in a field of its own.
    let picks_zone = standing.asked.as_ref().is_some_and(|asked| asked.booking.is_some());
    let typing = match standing.asked.as_ref().map(|asked| &asked.prompt.ask) {
        Some(Ask::Chat { agent }) => Some(named(texts.typing, agent)),
        _ => None,
    };
    let Standing { asked, turn, answer, back, restart, problem, wrong, wrong_fields, filled, said, transcript, typed } = standing;
    let mut hidden = vec![
        ("token", ticket.token),
        ("view", ticket.view.to_string()),
        ("after", ticket.after.to_string()),
        ("page", ticket.page),
        ("conversation", ticket.conversation.to_string()),
        ("locale", ticket.locale),
        ("theme", ticket.theme),
        ("have", ticket.have.to_string()),
        ("id", answer.to_string()),
        ("turn", turn.to_string()),
    ];
    if !picks_zone {
        hidden.push(("zone", ticket.zone));
    }
    let controls = match asked {
        None => view! { <p class="ended" tabindex="-1"><Icon name=IconName::Check class="size-4"/>{texts.ended}</p> }.into_any(),
        Some(asked) => {
            hidden.push(("card", asked.prompt.card.to_string()));
            controls(asked, typed, wrong, form::FilledIn { values: filled, wrong: wrong_fields }, texts)
        }
    };
    let back = back.then(|| view! { <Step to="back" icon=IconName::Back label=texts.back/> });
    let restart = restart.then(|| view! { <Step to="restart" icon=IconName::Restart label=texts.restart/> });
    let steps = (back.is_some() || restart.is_some()).then(|| view! { <div class="steps">{back}{restart}</div> });
    view! {
        <form method="post" action="/widget/v1/answers" enctype=live.then_some("multipart/form-data") novalidate autocomplete="on" data-state=state data-live=live.then_some("") data-typing=typing>
            {hidden.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect_view()}
            {controls}
            // There from the start, so that screen readers announce what is put into it.
            <p id="problem" class="problem" role="alert">{problem}</p>
            <p class="said-so" role="status">{said}</p>
            {steps}
            {transcript.map(|mail_to| view! { <transcript::TranscriptField mail_to texts/> })}
        </form>
    }
}

fn controls(asked: Asked, typed: Vec<String>, wrong: bool, filled: form::FilledIn, texts: &'static PanelTexts) -> AnyView {
    let Asked { prompt, countries, country, address, open, file_limit, booking, held } = asked;
    let Prompt { ask, optional, label, known, .. } = prompt;
    let first = typed.first().cloned();
    let field = Field { label, typed: first.or(known).unwrap_or_default(), optional, wrong, texts };
    match ask {
        Ask::Choice { options, list } => view! { <choice::ChoiceCard options list texts/> }.into_any(),
        Ask::Several { options } => view! { <several::SeveralCard options chosen=typed texts/> }.into_any(),
        Ask::Pick { options } => view! { <pick::PickCard options field/> }.into_any(),
        Ask::Line(kind) => view! { <line::LineCard kind field/> }.into_any(),
        Ask::Phone => view! { <phone::PhoneCard countries country field/> }.into_any(),
        Ask::Text { max } => view! { <text::TextCard max field/> }.into_any(),
        Ask::Number { min, max } => view! { <number::NumberCard min max field/> }.into_any(),
        Ask::Date { min, max } => view! { <date::DateCard min max field/> }.into_any(),
        Ask::Document { title, .. } => view! { <document::DocumentCard title address open texts/> }.into_any(),
        Ask::Waiting { ahead } => view! { <waiting::WaitingCard ahead file_limit texts/> }.into_any(),
        Ask::Chat { agent } => view! { <chat::ChatCard agent file_limit texts/> }.into_any(),
        Ask::Form { fields, submit } => {
            view! { <form::FormCard fields submit optional filled countries country texts/> }.into_any()
        }
        Ask::Slot(_) => booking.map(|booking| view! { <slots::SlotsCard booking optional texts/> }).into_any(),
        Ask::Guest { name, email, .. } => {
            let of = |field: &str, known: String| {
                filled.values.iter().find(|(name, _)| name == field).map_or(known, |(_, typed)| typed.clone())
            };
            let (name, email) = (of("name", name), of("email", email));
            held.map(|held| view! { <guest::GuestCard held name email wrong=filled.wrong texts/> }).into_any()
        }
        Ask::Call { number, digits } => view! { <call::CallCard number digits texts/> }.into_any(),
    }
}

/// What is wrong with a field; there from the start, so that screen readers announce what is put into it.
#[component]
fn Wrong(field: String, why: Option<String>) -> impl IntoView {
    view! { <p id=format!("wrong-{field}") class="problem">{why}</p> }
}

/// A way back, beside the way on.
#[component]
fn Step(to: &'static str, icon: IconName, label: &'static str) -> impl IntoView {
    view! { <button type="submit" name="do" value=to class="step"><Icon name=icon class="size-4"/>{label}</button> }
}

/// What a field shows besides what it asks for.
struct Field {
    /// What the author wants above it.
    label: Option<String>,
    /// What was typed before, or is known.
    typed: String,
    /// Whether it may be skipped.
    optional: bool,
    /// Whether something was wrong with it.
    wrong: bool,
    /// System texts.
    texts: &'static PanelTexts,
}

/// How a field is to be filled in: what a browser makes of an `<input>`.
#[derive(Default)]
struct Entering {
    /// Its type.
    kind: &'static str,
    /// The keyboard it brings up.
    keyboard: &'static str,
    /// What the browser may fill in; nothing if that is empty.
    fills: &'static str,
    /// An example.
    example: &'static str,
    /// The longest text, in characters.
    max_length: Option<usize>,
    /// The least, of a number or a day.
    min: Option<String>,
    /// The most, of a number or a day.
    max: Option<String>,
    /// The step of a number.
    step: Option<&'static str>,
    /// Whether it is written from left to right in every language: addresses, numbers.
    ltr: bool,
}

/// A field for one line, with the button that sends it, and one that goes on without where that is allowed.
#[component]
fn AnswerField(
    /// What is asked for, unless the author says otherwise.
    label: &'static str,
    /// How it is filled in.
    entering: Entering,
    /// What it shows besides.
    field: Field,
) -> impl IntoView {
    let Field { label: own, typed, optional, wrong, texts } = field;
    let words = matches!(entering.fills, "given-name" | "family-name" | "name" | "organization");
    view! {
        <label class="label" for="value" dir="auto">{own.unwrap_or_else(|| label.to_owned())}</label>
        <div class="field">
            <input
                id="value"
                name="value"
                type=entering.kind
                inputmode=entering.keyboard
                autocomplete=if entering.fills.is_empty() { "off" } else { entering.fills }
                autocapitalize=if words { "words" } else { "none" }
                spellcheck="false"
                maxlength=entering.max_length.map(|max| max.to_string())
                min=entering.min
                max=entering.max
                step=entering.step
                dir=if entering.ltr { "ltr" } else { "auto" }
                class="input"
                placeholder=entering.example
                value=typed
                aria-required=(!optional).to_string()
                aria-invalid=wrong.to_string()
                aria-describedby="problem"
            />
            <SendButton texts/>
        </div>
        <SkipButton optional texts/>
    }
}

#[component]
fn SendButton(texts: &'static PanelTexts) -> impl IntoView {
    view! {
        <button type="submit" class="send" aria-label=texts.send>
            <Icon name=IconName::Send class="size-5"/>
        </button>
    }
}

#[component]
fn SkipButton(optional: bool, texts: &'static PanelTexts) -> impl IntoView {
    optional.then(|| view! { <button type="submit" name="do" value="skip" class="skip">{texts.skip}</button> })
}
