//! What the console and the server say to each other, as JSON: over the socket, and by requests where sockets are blocked.

use jiff::Timestamp;
use porchlight_domain::{
    id::{AgentId, AnswerId, ChatId, SiteKey, TeamId, VisitorId},
    session::{Author, Format},
};
use serde::{Deserialize, Serialize};

/// What the server tells the console of its own accord.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Told {
    /// Everything of the desk: once at the beginning, and whenever parts may have been missed.
    Desk(Box<Desk>),
    /// A chat is new or has changed. One that is no longer this agent's business has `mine` false and no offer.
    Chat(Box<ChatRow>),
    /// A chat is not there any more: its visitor was erased.
    Gone {
        /// Which.
        chat: ChatId,
    },
    /// Lines of a transcript of a chat this agent holds, in order.
    Said {
        /// The chat.
        chat: ChatId,
        /// The lines.
        lines: Vec<Line>,
    },
    /// The visitor of a chat is typing; told again while they go on, and over after [`TYPING_FOR_MS`].
    Typing {
        /// The chat.
        chat: ChatId,
    },
    /// The visitor has seen the transcript up to a line.
    Seen {
        /// The chat.
        chat: ChatId,
        /// The line's number.
        number: u32,
    },
    /// An agent's state has changed, maybe one's own.
    Colleague(Colleague),
    /// A call back is new, or was changed.
    Callbacks {
        /// How many are to be made by now, and nobody has them.
        waiting: u32,
    },
    /// What the console asked for under this number was done.
    Done {
        /// The number.
        id: u32,
        /// The number of the line it led to, if it led to one.
        line: Option<u32>,
    },
    /// What the console asked for under this number was refused.
    Refused {
        /// The number.
        id: u32,
        /// Why, for programs.
        code: String,
        /// Why, for people.
        detail: String,
    },
}

/// How long somebody counts as typing after they were last heard of, in milliseconds.
pub const TYPING_FOR_MS: u32 = 6000;

/// What the console asks of the server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// A number the answer names.
    pub id: u32,
    /// What is asked.
    #[serde(flatten)]
    pub what: Ask,
}

/// What the console asks of the server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "camelCase")]
pub enum Ask {
    /// Takes a chat that is offered.
    Accept {
        /// The chat.
        chat: ChatId,
    },
    /// Lets an offered chat pass to the next agent.
    Decline {
        /// The chat.
        chat: ChatId,
    },
    /// Writes to the visitor.
    Say {
        /// The chat.
        chat: ChatId,
        /// Names the message: sent twice, it is said once.
        message: AnswerId,
        /// The text.
        text: String,
    },
    /// Ends a chat.
    End {
        /// The chat.
        chat: ChatId,
    },
    /// Hands a chat to another agent, or to a team: exactly one of them.
    Transfer {
        /// The chat.
        chat: ChatId,
        /// The agent.
        agent: Option<AgentId>,
        /// The team.
        team: Option<TeamId>,
    },
    /// Is typing.
    Typing {
        /// The chat.
        chat: ChatId,
    },
    /// Has seen the transcript up to a line.
    Seen {
        /// The chat.
        chat: ChatId,
        /// The line's number.
        number: u32,
    },
    /// Switches one's own availability, until the next block of one's hours.
    Available {
        /// Whether one takes chats.
        on: bool,
    },
}

/// The desk of an agent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Desk {
    /// Who it is.
    pub me: Option<Colleague>,
    /// How many call backs are to be made by now, and nobody has them.
    #[serde(default)]
    pub callbacks: u32,
    /// Whether transcripts can be sent by e-mail.
    pub mails: bool,
    /// The chats under way of the sites they work for, the latest change first.
    pub chats: Vec<ChatRow>,
    /// Those they work with, and themselves.
    pub colleagues: Vec<Colleague>,
    /// The teams of their sites.
    pub teams: Vec<Team>,
    /// The canned responses of their sites.
    pub responses: Vec<CannedResponse>,
}

/// An agent, as others see them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Colleague {
    /// Who it is.
    pub id: AgentId,
    /// Their name.
    pub name: String,
    /// Whether their console is open.
    pub present: bool,
    /// Whether they take chats now.
    pub available: bool,
    /// How many chats they hold or are being offered.
    pub open: u32,
    /// How many they can hold.
    pub limit: u32,
    /// Their sites.
    pub sites: Vec<SiteKey>,
}

/// A team.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Team {
    /// Its site.
    pub site: SiteKey,
    /// Its name within the site.
    pub id: TeamId,
    /// What people call it.
    pub name: String,
}

/// A text that is written often.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CannedResponse {
    /// Its site.
    pub site: SiteKey,
    /// What is typed after `/`.
    pub shortcut: String,
    /// The text; may hold `{{visitor.NAME}}` or `{{visitor.NAME|fallback}}`, an attribute of the visitor, `{{page.url}}`, and
    /// `{{agent}}`, the agent's own name.
    pub text: String,
}

/// The phase of a chat, as the console tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PhaseName {
    /// Waits for somebody to be free.
    Queued,
    /// Somebody is asked.
    Offered,
    /// Somebody answers.
    Online,
    /// Over.
    Ended,
}

/// A chat in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChatRow {
    /// The chat.
    pub id: ChatId,
    /// Its site.
    pub site: SiteKey,
    /// What to call the visitor: their name, their address, or nothing.
    pub visitor: Option<String>,
    /// The last line that somebody said, in plain text, cut.
    pub last: String,
    /// Where it stands.
    pub phase: PhaseName,
    /// Who holds it, or held it last.
    pub agent: Option<Colleagueship>,
    /// Until when the agent who reads this may accept it, if it is offered to them.
    pub offer_until: Option<Timestamp>,
    /// Who offers it to them, if it is handed on.
    pub from: Option<String>,
    /// Who is asked to take it, while it is handed on.
    pub asked: Option<String>,
    /// Whether the agent who reads this holds it.
    pub mine: bool,
    /// How many lines of the visitor they have not seen.
    pub unread: u32,
    /// The number of the last line of its transcript: lines up to it are in `last` and `unread` already.
    pub lines: u32,
    /// When the visitor asked.
    pub requested_at: Timestamp,
    /// When it last changed.
    pub changed_at: Timestamp,
    /// How it ended, if it did: the name of a notice.
    pub ended: Option<String>,
    /// What it was filed under.
    pub tags: Vec<String>,
    /// Whether the visitor is connected now.
    pub here: bool,
}

/// An agent by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Colleagueship {
    /// Who it is.
    pub id: AgentId,
    /// Their name.
    pub name: String,
}

/// A line of a transcript.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Its place, counted from 1.
    pub number: u32,
    /// Who said it.
    pub author: Author,
    /// What was said. A line of the bot may hold markup, which is shown as plain text here; a notice is its name; a file is its id, a `/`, and its name.
    pub text: Option<String>,
    /// How it is to be shown.
    pub format: Format,
    /// The agent who said it, or whom it is about.
    pub agent: Option<Colleagueship>,
    /// When it was said.
    pub at: Timestamp,
    /// Names the message, if a person sent it.
    pub message: Option<AnswerId>,
}

/// A page of a list of chats.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ChatPage {
    /// The chats, the latest change first.
    pub chats: Vec<ChatRow>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
    /// How many there are in all.
    pub total: u32,
}

/// All of a chat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Detail {
    /// As in the list.
    pub row: ChatRow,
    /// The visitor, for those who may export and erase them.
    #[serde(default)]
    pub visitor: Option<VisitorId>,
    /// The transcript, what the bot said before included.
    pub lines: Vec<Line>,
    /// Up to which line the visitor has seen it.
    pub seen: u32,
    /// What is known of the visitor: name and value.
    pub attributes: Vec<(String, String)>,
    /// The pages they visited in this session, the latest last.
    pub pages: Vec<String>,
    /// The page they are on.
    pub page: String,
    /// The page that led them to this session's first, if one did.
    pub referrer: Option<String>,
    /// The kind of device they use: `phone`, `tablet` or `desktop`.
    pub device: Option<String>,
    /// Their language.
    pub locale: String,
    /// What happened in their session, the latest last: type and time.
    pub events: Vec<(String, Timestamp)>,
    /// What agents noted.
    pub notes: Vec<Note>,
    /// Their earlier chats, the latest first.
    pub before: Vec<ChatRow>,
    /// Their meetings, call backs, and the forms they filled in, the latest first.
    #[serde(default)]
    pub dealings: Vec<Dealing>,
}

/// Something else that a visitor did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dealing {
    /// When.
    pub at: Timestamp,
    /// What, in words.
    pub title: String,
    /// More of it: name and value.
    pub facts: Vec<(String, String)>,
}

/// What an agent noted on a chat; the visitor never sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// Who.
    pub agent: String,
    /// What.
    pub text: String,
    /// When.
    pub at: Timestamp,
}
