//! What the panel is rendered from.

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
