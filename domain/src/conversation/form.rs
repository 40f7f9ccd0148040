//! Forms: several fields at once, before a chat or a call, or after one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Choice, Text};
use crate::{
    id::{AttributeName, CardId},
    session::ContactKind,
};

/// Several fields that are filled in together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Form {
    /// What is said above it.
    #[schemars(schema_with = "Text::schema::<2000>")]
    pub text: Text,
    /// What it is for: a contact, or the survey after a live chat.
    #[serde(default, skip_serializing_if = "super::document::is_default")]
    pub purpose: Purpose,
    /// The kind of contact it comes before; a chat, if nothing is said. A survey comes before none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ContactKind>,
    /// The fields.
    #[schemars(length(min = 1, max = 20))]
    pub fields: Vec<FormField>,
    /// What is written on the button that sends it; the usual word if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "Text::schema::<120>")]
    pub submit: Option<Text>,
    /// Whether the visitor may go on without filling it in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// The card that follows; the one below if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<CardId>,
}

/// What a form is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Purpose {
    /// It comes before a chat, a call back or a call.
    #[default]
    Contact,
    /// It comes after a live chat, and is about it. Without a chat that an agent answered, it is left out.
    Survey,
}

/// A field of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FormField {
    /// Its name within the form; of a contact form it is the visitor's attribute that keeps what is given.
    pub name: AttributeName,
    /// What it takes.
    pub field: FieldKind,
    /// What stands above it.
    #[schemars(schema_with = "Text::schema::<120>")]
    pub label: Text,
    /// Whether it must be filled in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mandatory: bool,
    /// A regular expression that the whole of what is given has to match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 500))]
    pub pattern: Option<String>,
    /// What is said when it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "Text::schema::<120>")]
    pub pattern_message: Option<Text>,
    /// What a choice offers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub choices: Vec<Choice>,
    /// What the visitor consents to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "Text::schema::<2000>")]
    pub consent: Option<Text>,
}

/// What a field of a form takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum FieldKind {
    /// A line of text.
    Text,
    /// A text of several lines.
    TextArea,
    /// A whole name.
    Name,
    /// A first name.
    FirstName,
    /// A last name.
    LastName,
    /// A company.
    Company,
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
    /// A day.
    Date,
    /// One of a list.
    Choice,
    /// Yes or no.
    CheckBox,
    /// One to five stars.
    Stars,
    /// One of five faces, from sad to glad.
    Smileys,
    /// A number from 0 to 10.
    Score,
    /// A consent, with what it is to.
    Consent,
}

impl FieldKind {
    /// Every kind with its word in a document.
    pub(crate) const ALL: [(&'static str, Self); 15] = [
        ("text", Self::Text),
        ("textArea", Self::TextArea),
        ("name", Self::Name),
        ("firstName", Self::FirstName),
        ("lastName", Self::LastName),
        ("company", Self::Company),
        ("email", Self::Email),
        ("phone", Self::Phone),
        ("date", Self::Date),
        ("choice", Self::Choice),
        ("checkBox", Self::CheckBox),
        ("stars", Self::Stars),
        ("smileys", Self::Smileys),
        ("score", Self::Score),
        ("consent", Self::Consent),
    ];

    /// The numbers it takes, the least and the most, if it is a rating.
    #[must_use]
    pub const fn scale(self) -> Option<(u8, u8)> {
        match self {
            Self::Stars | Self::Smileys => Some((1, 5)),
            Self::Score => Some((0, 10)),
            _ => None,
        }
    }

    /// Whether what is given can be held against a pattern: something that is typed.
    #[must_use]
    pub const fn is_typed(self) -> bool {
        matches!(
            self,
            Self::Text
                | Self::TextArea
                | Self::Name
                | Self::FirstName
                | Self::LastName
                | Self::Company
                | Self::Email
                | Self::Phone
        )
    }
}

impl Form {
    /// The visitor's attribute that keeps what is given to a field; a survey's answers are kept with the chat they are about.
    #[must_use]
    pub fn kept_as<'f>(&self, field: &'f FormField) -> Option<&'f AttributeName> {
        // A consent is given anew each time, so it is not known.
        (self.purpose == Purpose::Contact && field.field != FieldKind::Consent).then_some(&field.name)
    }

    /// The kind of contact it comes before.
    #[must_use]
    pub fn kind(&self) -> ContactKind {
        self.kind.unwrap_or(ContactKind::Chat)
    }
}
