//! What the panel is rendered from.

use std::collections::BTreeMap;

use porchlight_domain::{
    id::{AnswerId, ConversationId, PageViewId},
    session::{Ask, Prompt},
};

/// What every form of the panel sends along: whose answer it is, and what the panel shows already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// The visitor's secret.
    pub token: String,
    /// The load of the host page that the panel belongs to.
    pub view: PageViewId,
    /// The place in the log up to which the page has been told the view's events.
    pub after: i64,
    /// The address of the host page.
    pub page: String,
    /// The conversation.
    pub conversation: ConversationId,
    /// The language, as a tag.
    pub locale: String,
    /// `light`, `dark` or `auto`.
    pub theme: String,
    /// The number of the last entry that is shown.
    pub have: u32,
    /// The IANA name of the visitor's time zone.
    pub zone: String,
}

/// Where the conversation stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// What is asked now; nothing when the conversation has ended.
    pub asked: Option<Asked>,
    /// The number of the last prompt.
    pub turn: u32,
    /// Names the next answer, so that sending it twice answers once.
    pub answer: AnswerId,
    /// Whether the visitor may go back to the question before.
    pub back: bool,
    /// Whether the visitor may begin again.
    pub restart: bool,
    /// What was wrong with the answer that was just given, in the visitor's language.
    pub problem: Option<String>,
    /// Whether it is the field that is wrong, not the moment.
    pub wrong: bool,
    /// Of a card with several fields, those that are wrong, and why.
    pub wrong_fields: Vec<(String, String)>,
    /// What was typed into the fields of such a card, where something was wrong with one of them.
    pub filled: Vec<(String, String)>,
    /// What was done, in the visitor's language, where that is not to be seen otherwise.
    pub said: Option<String>,
    /// Where the transcript of a live chat can be sent by e-mail.
    pub transcript: Option<MailTo>,
    /// What was typed or chosen, where something was wrong with it.
    pub typed: Vec<String>,
}

impl Standing {
    /// What the card is, in a word: as long as it is the same, what is typed in it stays.
    #[must_use]
    pub fn state(&self) -> String {
        match self.asked.as_ref().map(|asked| &asked.prompt.ask) {
            Some(Ask::Waiting { ahead }) => format!("{} waiting {ahead:?}", self.turn),
            Some(Ask::Chat { agent }) => format!("{} chat {agent}", self.turn),
            // What is free changes all the time, and what is held runs out.
            Some(Ask::Slot(_)) => format!("{} slots", self.turn),
            Some(Ask::Guest { .. }) => format!("{} guest", self.turn),
            Some(_) => self.turn.to_string(),
            None => String::new(),
        }
    }

    /// Whether a live chat, or the waiting for one, is under way.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.asked.as_ref().is_some_and(|asked| matches!(asked.prompt.ask, Ask::Waiting { .. } | Ask::Chat { .. }))
    }
}

/// The field for the address a transcript goes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailTo {
    /// The address that is suggested, or that was typed.
    pub address: String,
    /// Whether the field is shown; else there is a button that shows it.
    pub open: bool,
}

/// What is asked, with what a form for it needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The prompt.
    pub prompt: Prompt,
    /// For a phone number: the countries to choose from, in the order of their names.
    pub countries: Vec<Country>,
    /// For a phone number: the country that is chosen at first, as two letters.
    pub country: String,
    /// For a document: its address on our own origin.
    pub address: String,
    /// Whether that document is open in the panel.
    pub open: bool,
    /// For a live chat: the largest file that may be sent, in bytes.
    pub file_limit: usize,
    /// For a time to choose: what is free.
    pub booking: Option<Booking>,
    /// For who comes: the time that is held.
    pub held: Option<Held>,
}

/// The days of a month with free times, and the times of one of them, in the visitor's language and zone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Booking {
    /// The month, in words.
    pub month: String,
    /// The month before, as `YYYY-MM`, if it can have free times.
    pub previous: Option<String>,
    /// The month after.
    pub next: Option<String>,
    /// The days of the week, in short and whole, the first of a week first.
    pub weekdays: Vec<(String, String)>,
    /// The weeks; a day of another month is left out.
    pub weeks: Vec<Vec<Option<DayCell>>>,
    /// The day whose times are shown.
    pub day: Option<DayShown>,
    /// Those times.
    pub times: Vec<TimeCell>,
    /// The zone they are in.
    pub zone: String,
    /// The zones to choose from.
    pub zones: Vec<String>,
    /// What is shown: the month, or the day.
    pub shown: String,
    /// The month one has turned from or to, whose button keeps the focus.
    pub focus: Option<String>,
}

/// A day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayCell {
    /// The day, as `YYYY-MM-DD`.
    pub date: String,
    /// Its number within the month.
    pub number: String,
    /// The day, in words.
    pub label: String,
    /// Whether it has free times.
    pub free: bool,
    /// Whether its times are shown.
    pub chosen: bool,
    /// Whether it is today.
    pub today: bool,
}

/// The day whose times are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayShown {
    /// The day, in words.
    pub title: String,
    /// Whether the visitor has chosen it just now; else it is the first with free times.
    pub chosen: bool,
}

/// A time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeCell {
    /// The moment, as RFC 3339 in UTC.
    pub start: String,
    /// The time of the day, in words; with its offset, where it comes twice.
    pub label: String,
}

/// A time that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// When it is, in words.
    pub when: String,
    /// Until when it is held, in words.
    pub until: String,
}

/// What lines of the transcript are about, by their numbers, where that is more than their words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    /// Meetings.
    pub meetings: BTreeMap<u32, MeetingLine>,
    /// Until or at when somebody calls, in a sentence.
    pub calls: BTreeMap<u32, String>,
}

/// A meeting, as a line of the transcript shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeetingLine {
    /// Whether it is booked, was moved, or was called off.
    pub heading: &'static str,
    /// What it is called.
    pub title: String,
    /// When it is, in words.
    pub when: String,
    /// With whom, in words.
    pub with: String,
    /// Where it is.
    pub location: Option<String>,
    /// Ways to put it into a calendar, and to change it: what is written on each, and its address.
    pub links: Vec<(String, String)>,
}

/// A country that has phone numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Country {
    /// Two letters (ISO 3166-1).
    pub code: String,
    /// Its name in the visitor's language.
    pub name: String,
    /// The number to dial before, without `+`.
    pub calling: u16,
}
