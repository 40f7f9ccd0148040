//! What the panel shows: what was said, and what is asked.

use serde::{Deserialize, Serialize};

use jiff::Timestamp;

use super::{Attributes, Progress, Standing, state::known};
use crate::{
    callback::{Callback, CallbackPhase},
    conversation::{Body, Bound, Capture, CaptureField, Conversation, FieldKind, Form, Style},
    id::{AgentId, AttributeName, CardId, FileName},
    livechat::{ChatView, Phase},
    meeting::Meeting,
    schedule::Span,
};

/// One line of a transcript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place in the transcript, counted from 1.
    pub number: u32,
    /// Who said it.
    pub author: Author,
    /// The card that said it, or that it answers.
    pub card: CardId,
    /// What was said; `None` where the visitor chose not to answer. A line of the bot may hold [markup](crate::conversation::markup),
    /// one of the visitor or of an agent is plain text.
    pub text: Option<String>,
    /// How it is to be shown.
    pub format: Format,
    /// The agent who said it, or whom a notice is about.
    pub agent: Option<Speaker>,
}

/// An agent, as a line of a transcript names them: by the name they had when it was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Speaker {
    /// Who it is.
    pub id: AgentId,
    /// Their name.
    pub name: String,
}

/// How a line is to be shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Format {
    /// As it is.
    #[default]
    Text,
    /// A number, which the browser writes as its reader does.
    Number,
    /// A day as `YYYY-MM-DD`, which the browser writes as its reader does.
    Date,
    /// Something that happened in a live chat: the text is the [name of a notice](crate::livechat::Notice), which is said in the reader's language.
    Notice,
    /// A file: the text is its id, a `/`, and its name.
    File,
    /// A meeting: the text is a [`MeetingShown`](crate::meeting::MeetingShown) as JSON.
    Meeting,
    /// A call back that was promised: the text is a [`CallShown`] as JSON.
    Callback,
}

/// A call back that was promised, as a line of a transcript shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallShown {
    /// The number that is called.
    pub phone: String,
    /// From when.
    pub start: Timestamp,
    /// Until when.
    pub end: Timestamp,
    /// The visitor's time zone.
    pub time_zone: String,
    /// Whether the visitor has chosen the time.
    pub chosen: bool,
}

/// The id and the name of a file, from the text of a line that is [one](Format::File).
#[must_use]
pub fn file_of(text: &str) -> (&str, &str) {
    text.split_once('/').unwrap_or(("", text))
}

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Author {
    /// The conversation's author, by a card.
    Bot,
    /// The visitor.
    Visitor,
    /// An agent, in a live chat.
    Agent,
}

/// What the visitor is asked now.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    /// Its number; the answer names it.
    pub turn: u32,
    /// The card that asks; the answer names it.
    pub card: CardId,
    /// What kind of answer it takes.
    pub ask: Ask,
    /// Whether it may be skipped.
    pub optional: bool,
    /// What stands above the field, if the author says so.
    pub label: Option<String>,
    /// What is known already, to be filled in.
    pub known: Option<String>,
}

/// The kind of answer a prompt takes.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// One of these.
    Choice {
        /// In the author's order.
        options: Vec<Choice>,
        /// Whether they stand one below the other.
        list: bool,
    },
    /// Some of these.
    Several {
        /// In the author's order.
        options: Vec<Choice>,
    },
    /// One of these, from a list that opens.
    Pick {
        /// In the author's order.
        options: Vec<Choice>,
    },
    /// A line of text of some kind: a name, a company, an address.
    Line(CaptureField),
    /// A phone number.
    Phone,
    /// A text of several lines.
    Text {
        /// The most characters.
        max: u32,
    },
    /// A number.
    Number {
        /// The least.
        min: Option<f64>,
        /// The most.
        max: Option<f64>,
    },
    /// A day, as `YYYY-MM-DD`.
    Date {
        /// The first.
        min: Option<String>,
        /// The last.
        max: Option<String>,
    },
    /// A document to read, until the visitor goes on.
    Document {
        /// Its title.
        title: String,
        /// The file.
        file: FileName,
    },
    /// Nothing for now: the visitor waits for an agent.
    Waiting {
        /// How many wait before them, where the author lets them queue and nobody is being asked for them.
        ahead: Option<u32>,
    },
    /// A message to an agent.
    Chat {
        /// The agent's name.
        agent: String,
    },
    /// Several things at once.
    Form {
        /// The fields, in the author's order.
        fields: Vec<FormAsk>,
        /// What is written on the button that sends it.
        submit: Option<String>,
    },
    /// One of the times that are free, which change all the time: whoever shows them looks them up.
    Slot(SlotsOf),
    /// Who comes to the meeting whose time is held.
    Guest {
        /// From when to when it is.
        span: Span,
        /// Until when it is held.
        until: Timestamp,
        /// The name that is known.
        name: String,
        /// The address that is known.
        email: String,
    },
    /// Nothing: a number to call.
    Call {
        /// As it is written.
        number: String,
        /// As it is dialled.
        digits: String,
    },
}

/// What a time is chosen for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotsOf {
    /// A meeting.
    Meeting,
    /// A call back.
    Callback,
}

/// A field of a form, as it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormAsk {
    /// Its name.
    pub name: AttributeName,
    /// What it takes.
    pub kind: FieldKind,
    /// What stands above it.
    pub label: String,
    /// Whether it must be filled in.
    pub mandatory: bool,
    /// What can be chosen.
    pub choices: Vec<Choice>,
    /// What the visitor consents to.
    pub consent: Option<String>,
    /// What is known already.
    pub known: Option<String>,
}

/// What a prompt needs to know besides how far the visitor has come.
#[derive(Debug, Clone, Copy, Default)]
pub struct Beside<'a> {
    /// The live chat that is under way.
    pub chat: Option<ChatView<'a>>,
    /// The meeting whose time is held now.
    pub meeting: Option<&'a Meeting>,
    /// The call back whose time is being chosen.
    pub callback: Option<&'a Callback>,
}

/// One answer to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What the visitor reads.
    pub label: String,
    /// What the answer sends.
    pub value: String,
}

impl Progress {
    /// What the visitor is asked now, if anything, in their language.
    #[must_use]
    pub fn prompt(&self, document: &Conversation, attributes: &Attributes, locale: &str, beside: Beside<'_>) -> Option<Prompt> {
        let Standing::At(card) = &self.standing else { return None };
        let (turn, body) = (self.turn, &document.card(card)?.body);
        let options = |choices: &[crate::conversation::Choice]| {
            let option = |choice: &crate::conversation::Choice| Choice {
                label: document.say(&choice.label, locale).to_owned(),
                value: choice.value().to_owned(),
            };
            choices.iter().map(option).collect()
        };
        let plain = |ask| Some(Prompt { turn, card: card.clone(), ask, optional: false, label: None, known: None });
        match body {
            Body::Question(question) if question.style == Style::Multiple => {
                plain(Ask::Several { options: options(&question.choices) })
            }
            Body::Question(question) => {
                plain(Ask::Choice { options: options(&question.choices), list: question.style == Style::List })
            }
            Body::Document(shown) => {
                plain(Ask::Document { title: document.say(&shown.title, locale).to_owned(), file: shown.file.clone() })
            }
            Body::LiveChat(_) => {
                let view = beside.chat.filter(|view| !view.chat.is_over())?;
                plain(match view.chat.phase {
                    Phase::Online { .. } => Ask::Chat { agent: view.agent.to_owned() },
                    Phase::Queued => Ask::Waiting { ahead: Some(view.ahead) },
                    Phase::Offered(_) | Phase::Ended(_) => Ask::Waiting { ahead: None },
                })
            }
            Body::Form(form) => {
                let ask = Ask::Form {
                    fields: form_asks(form, document, attributes, locale),
                    submit: form.submit.as_ref().map(|submit| document.say(submit, locale).to_owned()),
                };
                Some(Prompt { turn, card: card.clone(), ask, optional: form.optional, label: None, known: None })
            }
            Body::Meeting(meeting) => {
                let value = |name: &str| {
                    let name = name.parse().ok()?;
                    known(attributes, &name).map(str::to_owned)
                };
                let held = beside.meeting.filter(|held| held.card == *card);
                let ask = match held.map(|held| (held.span, held.due_at())) {
                    Some((span, Some(until))) => Ask::Guest {
                        span,
                        until,
                        name: value("name").or_else(|| value("firstName")).unwrap_or_default(),
                        email: value("email").unwrap_or_default(),
                    },
                    _ => Ask::Slot(SlotsOf::Meeting),
                };
                Some(Prompt { turn, card: card.clone(), ask, optional: meeting.optional, label: None, known: None })
            }
            Body::Callback(_) => {
                let choosing = |callback: &&Callback| callback.card == *card && callback.phase == CallbackPhase::Choosing;
                let known = "phone".parse().ok().and_then(|name| attributes.get(&name).cloned());
                // Whom no time suits goes on without one.
                let optional = beside.callback.as_ref().is_some_and(choosing);
                let ask = if optional { Ask::Slot(SlotsOf::Callback) } else { Ask::Phone };
                Some(Prompt { turn, card: card.clone(), ask, optional, label: None, known })
            }
            Body::Call(call) => {
                let number = call.number(locale)?;
                plain(Ask::Call { number: number.number.clone(), digits: number.digits() })
            }
            Body::Capture(capture) => {
                let ask = match capture.field {
                    CaptureField::Phone => Ask::Phone,
                    CaptureField::Text => Ask::Text { max: capture.most_characters() },
                    CaptureField::Number => Ask::Number {
                        min: capture.min.as_ref().and_then(Bound::number),
                        max: capture.max.as_ref().and_then(Bound::number),
                    },
                    CaptureField::Date => {
                        let day = |bound: &Option<Bound>| Some(bound.as_ref()?.date()?.to_string());
                        Ask::Date { min: day(&capture.min), max: day(&capture.max) }
                    }
                    CaptureField::PickList => Ask::Pick { options: options(&capture.choices) },
                    line => Ask::Line(line),
                };
                Some(Prompt {
                    turn,
                    card: card.clone(),
                    ask,
                    optional: capture.optional,
                    label: capture.label.as_ref().map(|label| document.say(label, locale).to_owned()),
                    known: capture.kept_as().and_then(|name| attributes.get(&name).cloned()),
                })
            }
            _ => None,
        }
    }

    /// Whether the visitor may go back to the question before.
    #[must_use]
    pub fn may_go_back(&self, document: &Conversation) -> bool {
        document.back && matches!(self.standing, Standing::At(_)) && !self.trail.is_empty()
    }

    /// Whether a live chat, or the waiting for one, is under way.
    #[must_use]
    pub fn is_live(&self, document: &Conversation) -> bool {
        matches!(&self.standing, Standing::At(card) if document.card(card).is_some_and(|card| matches!(card.body, Body::LiveChat(_))))
    }

    /// Whether the visitor may begin again. Where an agent can be reached they always may once it has ended: who has talked to one may want to
    /// again.
    #[must_use]
    pub fn may_restart(&self, document: &Conversation) -> bool {
        let ended = self.standing == Standing::Ended;
        (document.restart && (self.answered || ended) || document.has_live_chat() && ended) && !self.is_live(document)
    }
}

fn form_asks(form: &Form, document: &Conversation, attributes: &Attributes, locale: &str) -> Vec<FormAsk> {
    form.fields
        .iter()
        .map(|field| FormAsk {
            name: field.name.clone(),
            kind: field.field,
            label: document.say(&field.label, locale).to_owned(),
            mandatory: field.mandatory,
            choices: field
                .choices
                .iter()
                .map(|choice| Choice { label: document.say(&choice.label, locale).to_owned(), value: choice.value().to_owned() })
                .collect(),
            consent: field.consent.as_ref().map(|consent| document.say(consent, locale).to_owned()),
            // What was said of the last chat is not suggested for this one.
            known: form.kept_as(field).and_then(|name| known(attributes, name).map(str::to_owned)),
        })
        .collect()
}

impl Capture {
    /// The most characters of a text.
    #[must_use]
    pub fn most_characters(&self) -> u32 {
        let most = self.max.as_ref().and_then(Bound::number).unwrap_or(f64::INFINITY);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "clamped before"
        )]
        let most = most.clamp(1.0, crate::conversation::limits::VALUE as f64) as u32;
        most
    }
}
