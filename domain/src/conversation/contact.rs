//! The cards by which a visitor meets, is called, or calls.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Day, Text};
use crate::{
    id::{CardId, TeamId},
    livechat::{Routing, RoutingRule},
    schedule::{Availability, Block, Schedule},
};

/// How long a meeting takes if nothing is said, in minutes.
pub const DURATION: u16 = 30;
/// The longest meeting, in minutes.
pub const DURATION_MAX: u16 = 480;
/// How long beforehand it is booked at least if nothing is said, in minutes.
pub const NOTICE: u32 = 240;
/// The longest notice, in minutes: 90 days.
pub const NOTICE_MAX: u32 = 90 * 24 * 60;
/// How many days ahead it may be booked if nothing is said.
pub const HORIZON: u16 = 30;
/// The most days ahead.
pub const HORIZON_MAX: u16 = 365;
/// Within how many minutes a call back is promised if nothing is said.
pub const WITHIN: u16 = 15;
/// The most minutes within which a call back may be promised: a day.
pub const WITHIN_MAX: u16 = 24 * 60;
/// The most call backs that begin at the same time.
pub const CAPACITY_MAX: u16 = 100;

/// Offers a meeting with an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MeetingCard {
    /// How it is offered.
    #[schemars(schema_with = "Text::schema::<2000>")]
    pub text: Text,
    /// What the meeting is called, on both calendars.
    #[schemars(schema_with = "Text::schema::<120>")]
    pub title: Text,
    /// Where it is: an address, a number, a link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "Text::schema::<500>")]
    pub location: Option<Text>,
    /// How long it takes, in minutes.
    #[serde(default = "duration", skip_serializing_if = "is_duration")]
    #[schemars(range(min = 5, max = 480))]
    pub duration: u16,
    /// From one time that is offered to the next, in minutes; as long as the meeting takes, if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 5, max = 480))]
    pub step: Option<u16>,
    /// How long beforehand it is booked at least, in minutes.
    #[serde(default = "notice", skip_serializing_if = "is_notice")]
    #[schemars(range(max = 129_600))]
    pub notice: u32,
    /// How many days ahead it may be booked.
    #[serde(default = "horizon", skip_serializing_if = "is_horizon")]
    #[schemars(range(min = 1, max = 365))]
    pub horizon: u16,
    /// Whom it is with; any agent of the site who can be met, if nothing is said.
    #[serde(default, skip_serializing_if = "super::document::is_default")]
    pub routing: Routing,
    /// The first rule that holds says whom it is with, in the place of `routing`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub rules: Vec<RoutingRule>,
    /// Whether the visitor may go on without booking.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// What is said when no time can be had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "Text::schema::<2000>")]
    pub fallback_text: Option<Text>,
    /// The card that follows when no time can be had; `next` if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<CardId>,
    /// The card that follows when it is booked; the one below if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<CardId>,
}

impl MeetingCard {
    /// From one time that is offered to the next, in minutes.
    #[must_use]
    pub fn step(&self) -> u16 {
        self.step.unwrap_or(self.duration)
    }
}

/// Offers to call the visitor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CallbackCard {
    /// How it is offered: it asks for the number.
    #[schemars(schema_with = "Text::schema::<2000>")]
    pub text: Text,
    /// When the visitor is called.
    #[serde(default, skip_serializing_if = "super::document::is_default")]
    pub when: When,
    /// The team that calls; any agent of the site, if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    /// Of a call at once: within how many minutes it is promised.
    #[serde(default = "within", skip_serializing_if = "is_within")]
    #[schemars(range(min = 1, max = 1440))]
    pub within: u16,
    /// Of a call at a time of choice: how long a time is, in minutes.
    #[serde(default = "duration", skip_serializing_if = "is_duration")]
    #[schemars(range(min = 5, max = 480))]
    pub duration: u16,
    /// Of a call at a time of choice: how many can be called at each.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    #[schemars(range(min = 1, max = 100))]
    pub capacity: u16,
    /// Of a call at a time of choice: how long beforehand it is asked for at least, in minutes.
    #[serde(default = "notice", skip_serializing_if = "is_notice")]
    #[schemars(range(max = 129_600))]
    pub notice: u32,
    /// Of a call at a time of choice: how many days ahead it may be asked for.
    #[serde(default = "horizon", skip_serializing_if = "is_horizon")]
    #[schemars(range(min = 1, max = 365))]
    pub horizon: u16,
    /// What is said when nobody can call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "Text::schema::<2000>")]
    pub fallback_text: Option<Text>,
    /// The card that follows when nobody can call; `next` if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<CardId>,
    /// The card that follows; the one below if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<CardId>,
}

/// When a visitor is called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum When {
    /// As soon as somebody is free.
    #[default]
    Now,
    /// At a time of their choice.
    Later,
}

impl CallbackCard {
    /// How the times are laid into opening hours.
    #[must_use]
    pub fn schedule(&self, hours: &Availability) -> Schedule {
        let mut hours = hours.clone();
        if hours.blocks.is_empty() {
            // Who says only which days are other is open on all the rest.
            hours.blocks = Day::ALL.map(|day| Block { day, from: 0, to: 24 * 60 }).to_vec();
        }
        Schedule {
            hours,
            duration: self.duration,
            before: 0,
            after: 0,
            notice: self.notice,
            horizon: self.horizon,
            step: self.duration,
            daily: None,
        }
    }
}

/// Shows a number to call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CallCard {
    /// How it is offered.
    #[schemars(schema_with = "Text::schema::<2000>")]
    pub text: Text,
    /// The numbers; the first that suits the visitor's language, else the first.
    #[schemars(length(min = 1, max = 20))]
    pub numbers: Vec<CallNumber>,
    /// The team whose opening hours count; the site's, if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    /// What is said outside the opening hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "Text::schema::<2000>")]
    pub fallback_text: Option<Text>,
    /// The card that follows outside the opening hours; `next` if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<CardId>,
    /// The card that follows; the one below if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<CardId>,
}

/// A number to call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CallNumber {
    /// The number as it is dialled from anywhere, such as `+44 20 7946 0000`.
    #[schemars(regex(pattern = r"^\+[0-9][0-9 ()./-]{5,30}$"))]
    pub number: String,
    /// The language that is spoken there; any, if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
}

impl CallNumber {
    /// The number as `tel:` takes it ([RFC 3966 §3](https://www.rfc-editor.org/rfc/rfc3966#section-3)).
    #[must_use]
    pub fn digits(&self) -> String {
        self.number.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect()
    }

    /// Whether it is a number that can be dialled from anywhere ([ITU-T E.164](https://www.itu.int/rec/T-REC-E.164) §6.2.1: at most 15 digits).
    #[must_use]
    pub fn is_dialled(text: &str) -> bool {
        let digits = text.chars().filter(char::is_ascii_digit).count();
        text.starts_with('+')
            && (7..=15).contains(&digits)
            && text.chars().skip(1).all(|c| c.is_ascii_digit() || " ()./-".contains(c))
            && text.len() <= 32
    }
}

impl CallCard {
    /// The number for a visitor.
    #[must_use]
    pub fn number(&self, locale: &str) -> Option<&CallNumber> {
        let speaks = |number: &&CallNumber| number.locale.as_ref().is_some_and(|own| super::fits_locale(own, locale));
        let any = |number: &&CallNumber| number.locale.is_none();
        self.numbers.iter().find(speaks).or_else(|| self.numbers.iter().find(any)).or_else(|| self.numbers.first())
    }
}

macro_rules! defaults {
    ($($name:ident, $is:ident: $kind:ty = $value:expr;)*) => {$(
        const fn $name() -> $kind {
            $value
        }

        const fn $is(value: &$kind) -> bool {
            *value == $value
        }
    )*};
}

defaults! {
    duration, is_duration: u16 = DURATION;
    notice, is_notice: u32 = NOTICE;
    horizon, is_horizon: u16 = HORIZON;
    within, is_within: u16 = WITHIN;
    one, is_one: u16 = 1;
}
