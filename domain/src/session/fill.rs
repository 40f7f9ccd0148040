//! Forms that visitors fill in.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::Value;

use super::{
    Attributes, Context, Format, Input, InvalidInput, Refusal,
    answer::{Taken, address, first_name, is_value, text},
    decide::Step,
};
use crate::{
    conversation::{Card, Conversation, FieldKind, Form, FormField, Purpose, limits},
    event::{Data, EventType},
    id::{AttributeName, CardId, ChatId},
    session::ContactKind,
};

/// A form that was filled in, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The form.
    pub card: CardId,
    /// What it is for.
    pub purpose: Purpose,
    /// The kind of contact it came before.
    pub kind: ContactKind,
    /// The live chat it is about, if it is a survey.
    pub chat: Option<ChatId>,
    /// What was given to each field that was filled in, in the form's order.
    pub answers: Vec<(AttributeName, String)>,
}

/// The faces of [`FieldKind::Smileys`], from sad to glad.
const FACES: [&str; 5] = ["😞", "🙁", "😐", "🙂", "😀"];

/// Takes a form that was filled in, or says what is wrong with which field: with all of them, so that nobody mends one after the other.
pub(super) fn take(
    document: &Conversation,
    form: &Form,
    input: &Input,
    attributes: &Attributes,
    context: &Context<'_>,
) -> Result<Taken, Refusal> {
    let given = match input {
        Input::Form(given) => given,
        Input::Skipped if form.optional => return Ok(Taken::default()),
        _ => return Err(Refusal::Invalid(InvalidInput::Required)),
    };
    let mut taken = Taken::default();
    let (mut lines, mut wrong, mut answers) = (Vec::new(), Vec::new(), Vec::new());
    for field in &form.fields {
        match one(document, field, given, context) {
            Ok(None) => {}
            Ok(Some((value, shown))) => {
                lines.push(format!("{}: {shown}", document.say(&field.label, context.locale)));
                match field.field {
                    FieldKind::Email => taken.events.push((EventType::InputEmail, value.clone())),
                    FieldKind::Phone => taken.events.push((EventType::InputPhone, value.clone())),
                    _ if form.purpose == Purpose::Contact => {
                        taken.events.push((EventType::InputCaptured, field.name.to_string()))
                    }
                    _ => {}
                }
                if let Some(name) = form.kept_as(field) {
                    if field.field == FieldKind::Name && name.as_str() == "name" {
                        taken.attributes.extend(first_name(&value, attributes, context.locale));
                    }
                    taken.attributes.push((name.clone(), value.clone()));
                }
                answers.push((field.name.clone(), value));
            }
            Err(why) => wrong.push((field.name.to_string(), why)),
        }
    }
    if !wrong.is_empty() {
        return Err(Refusal::BadForm(wrong));
    }
    taken.shown = Some(lines.join("\n")).filter(|lines| !lines.is_empty());
    taken.format = Format::Text;
    taken.answers = Some(answers);
    Ok(taken)
}

/// What was given to a field: as it is kept, and as the transcript shows it; nothing if it was left empty and may be.
fn one(
    document: &Conversation,
    field: &FormField,
    given: &BTreeMap<String, Vec<String>>,
    context: &Context<'_>,
) -> Result<Option<(String, String)>, InvalidInput> {
    let typed = given.get(field.name.as_str()).and_then(|values| values.first()).map_or("", String::as_str);
    let empty = typed.trim().is_empty();
    if empty {
        return match field.field {
            FieldKind::Consent if field.mandatory => Err(InvalidInput::NoConsent),
            // A box that is not checked is an answer, too: no.
            FieldKind::CheckBox if !field.mandatory => Ok(Some(("false".to_owned(), "–".to_owned()))),
            _ if field.mandatory => Err(InvalidInput::Required),
            _ => Ok(None),
        };
    }
    let same = |value: String| (value.clone(), value);
    let taken = match field.field {
        FieldKind::Text | FieldKind::Name | FieldKind::FirstName | FieldKind::LastName | FieldKind::Company => {
            same(text(typed, limits::LABEL, false)?)
        }
        FieldKind::TextArea => same(text(typed, limits::VALUE, true)?),
        FieldKind::Email => same(address(typed, context)?.to_string()),
        FieldKind::Phone => {
            let country = given.get(&format!("{}.country", field.name)).and_then(|values| values.first());
            same(context.phones.parse(typed.trim(), country.map(String::as_str))?.to_string())
        }
        FieldKind::Date => same(typed.trim().parse::<Date>().map_err(|_| InvalidInput::NotADate)?.to_string()),
        FieldKind::Choice => {
            let choice = field.choices.iter().find(|choice| is_value(choice, typed)).ok_or(InvalidInput::NotAChoice)?;
            (choice.value().to_owned(), document.say(&choice.label, context.locale).to_owned())
        }
        FieldKind::CheckBox | FieldKind::Consent => ("true".to_owned(), "✓".to_owned()),
        FieldKind::Stars | FieldKind::Smileys | FieldKind::Score => rated(field.field, typed)?,
    };
    if let Some(pattern) = &field.pattern {
        // The reader has read it as one; the whole text has to match, as in HTML's `pattern`.
        let matches = regex_lite::Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|pattern| pattern.is_match(&taken.0));
        if !matches {
            return Err(InvalidInput::NoMatch);
        }
    }
    Ok(Some(taken))
}

fn rated(kind: FieldKind, typed: &str) -> Result<(String, String), InvalidInput> {
    let (least, most) = kind.scale().ok_or(InvalidInput::NotOnTheScale)?;
    let rating: u8 = typed.trim().parse().map_err(|_| InvalidInput::NotOnTheScale)?;
    if !(least..=most).contains(&rating) {
        return Err(InvalidInput::NotOnTheScale);
    }
    let shown = match kind {
        FieldKind::Stars => format!("{}{}", "★".repeat(rating.into()), "☆".repeat((most - rating).into())),
        FieldKind::Smileys => FACES[usize::from(rating - 1)].to_owned(),
        _ => format!("{rating} / {most}"),
    };
    Ok((rating.to_string(), shown))
}

impl Step<'_, '_, '_> {
    /// A form is shown.
    pub(super) fn form_shown(&mut self, form: &Form) {
        match form.purpose {
            Purpose::Contact => self.of_contact(EventType::DatacollectionStarted, form.kind()),
            Purpose::Survey => self.of_survey(EventType::SurveyStarted),
        }
    }

    /// A form was answered: with what was given, or nothing if it was skipped.
    pub(super) fn submit(&mut self, card: &Card, form: &Form, answers: Option<Vec<(AttributeName, String)>>) {
        let chat = self.state.talk.as_ref().and_then(|talk| talk.progress.chat).filter(|_| form.purpose == Purpose::Survey);
        if let Some(answers) = answers {
            match form.purpose {
                Purpose::Contact => self.of_contact(EventType::DatacollectionSubmitted, form.kind()),
                Purpose::Survey => self.of_survey(EventType::SurveySubmitted),
            }
            self.happened.submission =
                Some(Submission { card: card.id.clone(), purpose: form.purpose, kind: form.kind(), chat, answers });
            if let Some(talk) = self.state.talk.as_mut().filter(|_| form.purpose == Purpose::Survey) {
                // A chat is judged once: there is no way back to it.
                talk.progress.chat = None;
                talk.progress.trail.clear();
            }
        }
    }

    /// Fires an event of a form that comes before a contact.
    pub(super) fn of_contact(&mut self, kind: EventType, contact: ContactKind) {
        let mut data = Data::new();
        data.insert("widget".to_owned(), self.widget().into());
        data.insert("kind".to_owned(), contact.name().into());
        self.event(kind, None, data, true);
    }

    fn of_survey(&mut self, kind: EventType) {
        let chat = self.state.talk.as_ref().and_then(|talk| talk.progress.chat);
        let mut data = Data::new();
        data.insert("widget".to_owned(), self.widget().into());
        data.insert("chat".to_owned(), chat.map_or(Value::Null, |chat| chat.to_string().into()));
        self.event(kind, None, data, true);
    }

    /// The widget that shows the conversation at hand: the launcher shows dialogues that are chatbots, all others are widgets of their own.
    pub(super) fn widget(&self) -> String {
        match &self.state.talk {
            Some(talk) if talk.document.ui != crate::conversation::Ui::Chatbot => talk.document.id.to_string(),
            _ => "launcher".to_owned(),
        }
    }
}
