//! The conversation document.

use std::borrow::Cow;

use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::{CallCard, CallbackCard, Form, MeetingCard, Purpose, Rule, Target, Text, Trigger, limits, text::LOCALE_PATTERN};
use crate::{
    id::{AttributeName, CardId, ConversationId, FileName},
    livechat::{Routing, RoutingRule},
};

/// A conversation: whom it is for, how it is shown, and its cards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Conversation {
    /// Where the schema of this document is found, for editors that check while one types.
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Its name within the site; stays the same over all versions.
    pub id: ConversationId,
    /// What reports, and the page's events, call it.
    #[schemars(length(min = 1, max = 120))]
    pub name: String,
    /// Whether it is offered to visitors who match, or started by something they do.
    #[serde(rename = "type", default)]
    pub kind: Kind,
    /// How it is shown; `chatbot` is the default of a dialogue, `popup` of a conversation flow.
    #[serde(default)]
    pub ui: Ui,
    /// The language of texts that are written without one; English if there is none.
    #[serde(default = "english", skip_serializing_if = "is_english")]
    #[schemars(regex(pattern = LOCALE_PATTERN))]
    pub locale: String,
    /// Of several dialogues that target a visitor, the one with the highest priority is offered.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(range(min = -1_000_000, max = 1_000_000))]
    pub priority: i64,
    /// Whom a dialogue is offered to; everybody, everywhere, if nothing is said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub target: Target,
    /// When a dialogue that is offered is shown; at once if nothing is said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub trigger: Trigger,
    /// A line beside the launcher.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "Text::schema::<120>")]
    pub poke: Option<Text>,
    /// Whether the visitor may go back to the question before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub back: bool,
    /// Whether the visitor may begin again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restart: bool,
    /// How long a line of the bot takes to appear, in milliseconds.
    #[serde(default = "typing_delay", skip_serializing_if = "is_typing_delay")]
    #[schemars(range(max = 3000))]
    pub typing_delay: u32,
    /// The cards. The conversation begins with the first; a card without `next` is followed by the one below it.
    #[schemars(length(min = 1, max = 500))]
    pub cards: Vec<Card>,
}

pub(super) const ENGLISH: &str = "en";

fn english() -> String {
    ENGLISH.to_owned()
}

fn is_english(locale: &str) -> bool {
    locale == ENGLISH
}

const fn typing_delay() -> u32 {
    limits::TYPING_DELAY
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_typing_delay(delay: &u32) -> bool {
    *delay == limits::TYPING_DELAY
}

pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What a conversation is: Dynamic Chat's two kinds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Targeted at pages and visitors; the highest priority wins.
    #[default]
    Dialogue,
    /// Started by something the visitor does, or placed on a page.
    ConversationFlow,
}

/// How a conversation is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Ui {
    /// Opens by itself above the page.
    Popup,
    /// Waits behind the launcher.
    #[default]
    Chatbot,
    /// Stands in the page's own flow.
    Inline,
}

impl Kind {
    /// As events name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dialogue => "dialogue",
            Self::ConversationFlow => "conversationFlow",
        }
    }
}

impl Ui {
    /// As events name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Popup => "popup",
            Self::Chatbot => "chatbot",
            Self::Inline => "inline",
        }
    }
}

/// One step of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Card {
    /// Its name within the conversation.
    pub id: CardId,
    /// What it does.
    #[serde(flatten)]
    pub body: Body,
}

/// What a card does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "card", rename_all = "camelCase")]
pub enum Body {
    /// Says something and goes on.
    Message {
        /// What it says.
        #[schemars(schema_with = "Text::schema::<2000>")]
        text: Text,
        /// The card that follows; the one below if there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<CardId>,
    },
    /// Asks, and offers answers to choose from.
    Question(Question),
    /// Asks for something to be filled in, and checks it.
    Capture(Box<Capture>),
    /// Offers a document to read and to download, until the visitor goes on.
    Document(Document),
    /// Notes that a goal was reached, and goes on.
    Goal {
        /// The goal's name, for reports.
        #[schemars(length(min = 1, max = 120))]
        goal: String,
        /// The card that follows; the one below if there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<CardId>,
    },
    /// Takes the first branch whose rule holds.
    Condition {
        /// The branches, in order.
        #[schemars(length(min = 1, max = 20))]
        branches: Vec<Branch>,
        /// The card that follows if none holds; the one below if there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<CardId>,
    },
    /// Sets an attribute of the visitor, and goes on.
    Set {
        /// The attribute.
        attribute: AttributeName,
        /// What it becomes; may hold tokens.
        #[schemars(length(max = 1000))]
        value: String,
        /// The card that follows; the one below if there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<CardId>,
    },
    /// Goes to another card.
    Jump {
        /// That card.
        to: CardId,
    },
    /// Runs the cards of another conversation of the site, and goes on when they have come to an end.
    SubFlow {
        /// That conversation.
        conversation: ConversationId,
        /// The card that follows; the one below if there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<CardId>,
    },
    /// Hands the visitor to an agent.
    LiveChat(Box<LiveChat>),
    /// Offers a meeting with an agent.
    Meeting(Box<MeetingCard>),
    /// Offers to call the visitor, now or at a time of their choice.
    Callback(Box<CallbackCard>),
    /// Shows a number to call.
    Call(Box<CallCard>),
    /// Asks for several things at once: before a contact, or about one.
    Form(Box<Form>),
    /// Ends the conversation.
    End {
        /// A last word.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<Text>,
    },
}

/// A question, with answers to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Question {
    /// What it asks.
    #[schemars(schema_with = "Text::schema::<2000>")]
    pub text: Text,
    /// How the answers are offered.
    #[serde(default, skip_serializing_if = "is_default")]
    pub style: Style,
    /// The answers.
    #[schemars(length(min = 1, max = 20))]
    pub choices: Vec<Choice>,
    /// The visitor's attribute that keeps the chosen value; several values are joined by `;`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute: Option<AttributeName>,
    /// Of several, the fewest that may be chosen; 1 if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 20))]
    pub min: Option<u32>,
    /// Of several, the most that may be chosen; all if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 20))]
    pub max: Option<u32>,
    /// The card that follows a choice without a `next` of its own; the one below if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<CardId>,
}

/// How the answers of a question are offered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Style {
    /// Buttons beside each other, for short answers.
    #[default]
    Buttons,
    /// One below the other, for long answers.
    List,
    /// Several may be chosen.
    Multiple,
}

/// One answer to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// What the visitor reads.
    #[schemars(schema_with = "Text::schema::<120>")]
    pub label: Text,
    /// What is kept; the label if there is none, which must then be the same in every language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 120))]
    pub value: Option<String>,
    /// The card that follows this choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<CardId>,
}

impl Choice {
    /// What is kept, and what a form sends, when the visitor chooses this.
    #[must_use]
    pub fn value(&self) -> &str {
        self.value.as_deref().or_else(|| self.label.all().next().map(|(_, label)| label)).unwrap_or_default()
    }
}

/// Asks for something to be filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Capture {
    /// What it asks for.
    pub field: CaptureField,
    /// How it asks.
    #[schemars(schema_with = "Text::schema::<2000>")]
    pub text: Text,
    /// What stands above the field; the field's usual name if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Text>,
    /// The visitor's attribute that keeps it. A `text`, `number`, `date` or `pickList` needs one; the others have their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute: Option<AttributeName>,
    /// Whether the visitor may go on without giving it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// What happens if it is known already.
    #[serde(default, skip_serializing_if = "is_default")]
    pub if_known: IfKnown,
    /// Whether what is given takes the place of what was known.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub overwrite: bool,
    /// The least: a number, a date, or the fewest characters of a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Bound>,
    /// The most: a number, a date, or the most characters of a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Bound>,
    /// What a pick list offers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub choices: Vec<Choice>,
    /// The card that follows; the one below if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<CardId>,
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_yes(value: &bool) -> bool {
    *value
}

/// What a capture does if the visitor's attribute is known already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum IfKnown {
    /// It asks, with what is known filled in.
    #[default]
    Ask,
    /// It says nothing and goes on.
    Skip,
}

/// One end of what may be given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Bound {
    /// A number, or a number of characters.
    Number(serde_json::Number),
    /// A day.
    Date(Date),
}

impl JsonSchema for Bound {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Bound".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["number", "string"], "pattern": "^\\d{4}-\\d{2}-\\d{2}$" })
    }
}

impl Bound {
    /// As a number; a day has none.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => number.as_f64(),
            Self::Date(_) => None,
        }
    }

    /// As a day; a number has none.
    #[must_use]
    pub const fn date(&self) -> Option<Date> {
        match self {
            Self::Number(_) => None,
            Self::Date(date) => Some(*date),
        }
    }
}

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CaptureField {
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
    /// A whole name.
    Name,
    /// A first name.
    FirstName,
    /// A last name.
    LastName,
    /// A company.
    Company,
    /// Any text.
    Text,
    /// A number.
    Number,
    /// A day.
    Date,
    /// One of a list.
    PickList,
}

impl CaptureField {
    /// Every field with its word in a document.
    pub(crate) const ALL: [(&'static str, Self); 10] = [
        ("email", Self::Email),
        ("phone", Self::Phone),
        ("name", Self::Name),
        ("firstName", Self::FirstName),
        ("lastName", Self::LastName),
        ("company", Self::Company),
        ("text", Self::Text),
        ("number", Self::Number),
        ("date", Self::Date),
        ("pickList", Self::PickList),
    ];

    /// Whether the visitor's attribute of the field's own name keeps it, if the card names no other.
    #[must_use]
    pub const fn has_own_attribute(self) -> bool {
        !matches!(self, Self::Text | Self::Number | Self::Date | Self::PickList)
    }

    /// Its word in a document, which is its own attribute's name, too.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, field)| *field == self).map_or("", |(name, _)| name)
    }
}

impl Capture {
    /// The visitor's attribute that keeps what is given.
    #[must_use]
    pub fn kept_as(&self) -> Option<AttributeName> {
        self.attribute.clone().or_else(|| self.field.name().parse().ok().filter(|_| self.field.has_own_attribute()))
    }
}

/// A document to read and to download.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Document {
    /// How it is offered.
    #[schemars(schema_with = "Text::schema::<2000>")]
    pub text: Text,
    /// Its title.
    #[schemars(schema_with = "Text::schema::<120>")]
    pub title: Text,
    /// The file, one of the site's.
    pub file: FileName,
    /// The card that follows; the one below if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<CardId>,
}

/// Hands the visitor to an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LiveChat {
    /// What is said when an agent is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Text>,
    /// Whom the chat is for; any agent of the site, if nothing is said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub routing: Routing,
    /// The first rule that holds says whom the chat is for, in the place of `routing`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub rules: Vec<RoutingRule>,
    /// Whether the visitor may wait while all who could take it are busy.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub queue: bool,
    /// What is said when nobody can take it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_text: Option<Text>,
    /// The card that follows when nobody can take it; `next` if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<CardId>,
    /// The card that follows when the chat has ended; the one below if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<CardId>,
}

/// One way of a condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    /// When it is taken.
    #[serde(rename = "if")]
    pub rule: Rule,
    /// The card it leads to.
    pub next: CardId,
}

impl Conversation {
    /// The place of a card in the list.
    #[must_use]
    pub fn position(&self, id: &CardId) -> Option<usize> {
        self.cards.iter().position(|card| card.id == *id)
    }

    /// A card by its id.
    #[must_use]
    pub fn card(&self, id: &CardId) -> Option<&Card> {
        self.cards.iter().find(|card| card.id == *id)
    }

    /// The document as JSON, laid out for people.
    #[must_use]
    pub fn to_json(&self) -> String {
        // A tree of strings, numbers and lists always has a JSON form.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// A text of this conversation in a visitor's language.
    #[must_use]
    pub fn say<'t>(&self, text: &'t Text, locale: &str) -> &'t str {
        text.in_locale(locale, &self.locale)
    }

    /// Whether any of its cards hands the visitor to an agent.
    #[must_use]
    pub fn has_live_chat(&self) -> bool {
        self.cards.iter().any(|card| matches!(card.body, Body::LiveChat(_)))
    }

    /// Whether a visitor who goes on from a card may come to one of a kind before they are asked anything else; from the beginning, if there is no
    /// such card.
    #[must_use]
    pub fn leads_to(&self, from: Option<&CardId>, wanted: &dyn Fn(&Body) -> bool) -> bool {
        let mut looked_at = vec![false; self.cards.len()];
        let from = from.and_then(|id| self.card(id));
        let mut ahead: Vec<&CardId> = match from {
            Some(card) => self.ways(card).into_iter().filter_map(|(_, target)| target).collect(),
            None => self.first().into_iter().collect(),
        };
        while let Some(index) = ahead.pop().and_then(|id| self.position(id)) {
            if std::mem::replace(&mut looked_at[index], true) {
                continue;
            }
            let card = &self.cards[index];
            if wanted(&card.body) {
                return true;
            }
            if !card.body.always_waits() {
                ahead.extend(self.ways(card).into_iter().filter_map(|(_, target)| target));
            }
        }
        false
    }

    /// Whether any of its cards is of a kind.
    #[must_use]
    pub fn has(&self, wanted: &dyn Fn(&Body) -> bool) -> bool {
        self.cards.iter().any(|card| wanted(&card.body))
    }

    /// Whether a survey can follow a card: what a visitor is told of a chat's end says so.
    #[must_use]
    pub fn survey_follows(&self, card: &CardId) -> bool {
        let mut looked_at = vec![false; self.cards.len()];
        let mut ahead = vec![card];
        while let Some(id) = ahead.pop() {
            let Some(index) = self.position(id) else { continue };
            if std::mem::replace(&mut looked_at[index], true) {
                continue;
            }
            let at = &self.cards[index];
            if at.body.is_survey() {
                return true;
            }
            // A later chat has a survey of its own; and the fallback is for who has had no chat.
            if matches!(at.body, Body::LiveChat(_)) {
                if at.id == *card {
                    ahead.extend(self.after(at));
                }
            } else {
                ahead.extend(self.ways(at).into_iter().filter_map(|(_, target)| target));
            }
        }
        false
    }

    /// The files its cards show.
    pub fn files(&self) -> impl Iterator<Item = &FileName> {
        self.cards.iter().filter_map(|card| match &card.body {
            Body::Document(document) => Some(&document.file),
            _ => None,
        })
    }
}

impl Body {
    /// Whether it is a survey.
    #[must_use]
    pub fn is_survey(&self) -> bool {
        matches!(self, Self::Form(form) if form.purpose == Purpose::Survey)
    }
}

const _: () = assert!(
    limits::CARDS == 500
        && limits::CHOICES == 20
        && limits::OPTIONS == 100
        && limits::LABEL == 120
        && limits::BRANCHES == 20
        && limits::VALUE == 1_000
        && limits::TYPING_DELAY_MAX == 3_000
);
