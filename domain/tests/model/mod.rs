//! A visitor as the server keeps them, for the tests of meetings, call backs, forms and surveys.

use jiff::Timestamp;
use porchlight_domain::{
    callback::Callback,
    contact::{AnyEmail, BadPhone, Phone, PhoneRules},
    conversation::Conversation,
    event::Event,
    id::{AgentId, AnswerId, SessionId, VisitorId, uuid_v7},
    livechat::{Chat, ChatPolicy, Member, Roster},
    meeting::{Calendars, Meeting},
    schedule::Openings,
    session::{
        Answer, Attributes, Beside, Command, Context, Entry, Happened, Input, Progress, Prompt, Refusal, Session, Standing,
        State, Talk, decide,
    },
};
use serde_json::{Value, json};

/// Numbers that already are E.164, and German ones as they are dialled at home; the world's numbering plans are the server's.
struct PlainPhones;

impl PhoneRules for PlainPhones {
    fn parse(&self, text: &str, country: Option<&str>) -> Result<Phone, BadPhone> {
        let national = text.strip_prefix('0').filter(|_| country == Some("DE")).map(|rest| format!("+49{rest}"));
        Phone::from_e164(&national.unwrap_or_else(|| text.to_owned())).ok_or(BadPhone::NotANumber)
    }
}

/// A conversation of these cards, in which one may go back.
pub(crate) fn conversation(cards: &Value) -> Conversation {
    let json = json!({ "id": "talk", "name": "Talk", "back": true, "cards": cards });
    Conversation::read(&json.to_string()).unwrap_or_else(|problems| panic!("{problems:?}"))
}

pub(crate) fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn agent(number: u8) -> AgentId {
    AgentId::new(uuid_v7(1, &[number; 10]))
}

/// Something as it is read again after it was stored.
pub(crate) fn stored<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
}

/// What is there besides the visitor: the time, and the people they may come to.
pub(crate) struct Around {
    pub(crate) now: Timestamp,
    pub(crate) roster: Roster,
    pub(crate) calendars: Calendars,
    pub(crate) openings: Openings,
}

impl Around {
    /// So many agents, of two teams by turns, and nothing else.
    pub(crate) fn new(now: Timestamp, agents: u8) -> Self {
        let member = |number: u8| Member {
            id: agent(number),
            name: format!("Agent {number}"),
            email: format!("agent{number}@example.com"),
            teams: vec![if number.is_multiple_of(2) { "even" } else { "odd" }.parse().unwrap()],
            languages: vec![],
            skills: vec![],
            available: true,
            open: 0,
            limit: 10,
            offered_at: None,
        };
        let roster = Roster { members: (1..=agents).map(member).collect(), ..Roster::default() };
        Self { now, roster, calendars: Calendars::default(), openings: Openings::default() }
    }
}

/// What a command is about besides the conversation.
#[derive(Default)]
pub(crate) struct Subject {
    pub(crate) chat: Option<Chat>,
    pub(crate) meeting: Option<Meeting>,
    pub(crate) callback: Option<Callback>,
}

/// A visitor in a conversation.
pub(crate) struct Visit<'d> {
    pub(crate) locale: &'static str,
    pub(crate) time_zone: &'static str,
    pub(crate) progress: Progress,
    pub(crate) attributes: Attributes,
    pub(crate) events: Vec<Event>,
    pub(crate) entries: Vec<Entry>,
    document: &'d Conversation,
    session: Session,
    number: u8,
    ids: u64,
}

impl<'d> Visit<'d> {
    pub(crate) fn new(document: &'d Conversation, number: u8) -> Self {
        let id = SessionId::new(uuid_v7(3, &[number; 10]));
        let visitor = VisitorId::new(uuid_v7(2, &[number; 10]));
        Self {
            locale: "en",
            time_zone: "UTC",
            progress: Progress::offered(document.id.clone(), 1, id),
            attributes: Attributes::new(),
            events: vec![],
            entries: vec![],
            document,
            session: Session { id, visitor, site: "shop".parse().unwrap(), seq: 0 },
            number,
            ids: 10,
        }
    }

    /// What comes of a command; it is not kept yet, as somebody else may have taken what it takes.
    pub(crate) fn decide(
        &mut self,
        command: Command,
        subject: Subject,
        around: &Around,
    ) -> Result<(State<'d>, Happened), Refusal> {
        let Subject { chat, meeting, callback } = subject;
        let talk = Some(Talk { document: self.document, progress: self.progress.clone() });
        let (session, attributes) = (self.session.clone(), self.attributes.clone());
        let state = State { session, talk, attributes, chat, meeting, callback };
        let (number, ids) = (self.number, &mut self.ids);
        let mut new_id = || {
            *ids += 1;
            uuid_v7(*ids, &[number; 10])
        };
        let mut context = Context {
            now: around.now,
            page: "https://shop.example/",
            new_id: &mut new_id,
            locale: self.locale,
            time_zone: self.time_zone,
            phones: &PlainPhones,
            emails: &AnyEmail,
            roster: &around.roster,
            policy: &ChatPolicy::default(),
            calendars: &around.calendars,
            openings: &around.openings,
            address_of: &|id| format!("https://chat.example/meetings/{id}.ics"),
        };
        decide(state, command, &mut context)
    }

    /// Keeps what came of a command.
    pub(crate) fn keep(&mut self, state: State<'d>, happened: &Happened) {
        self.session = state.session;
        self.progress = state.talk.unwrap().progress;
        for (name, value) in &happened.attributes {
            self.attributes.insert(name.clone(), value.clone());
        }
        assert_eq!(self.attributes, state.attributes, "what is stored is what the next decision starts from");
        for event in &happened.events {
            assert_eq!(event.seq, self.events.len() as u64 + 1, "events count from 1 without gaps");
            let mut fields: Vec<_> = event.data.keys().map(String::as_str).collect();
            let mut expected: Vec<_> = event.kind.entry().fields.iter().map(|field| field.name).collect();
            fields.sort_unstable();
            expected.sort_unstable();
            assert_eq!(fields, expected, "the fields of {} are those of the catalogue", event.kind);
            self.events.push(event.clone());
        }
        for entry in &happened.entries {
            assert_eq!(entry.number as usize, self.entries.len() + 1, "lines count from 1 without gaps");
            self.entries.push(entry.clone());
        }
        assert_eq!(self.progress.entries as usize, self.entries.len());
    }

    /// The card they stand at.
    pub(crate) fn at(&self) -> &str {
        match &self.progress.standing {
            Standing::At(card) => card.as_str(),
            Standing::Offered => "offered",
            Standing::Ended => "ended",
        }
    }

    /// An answer to the card that waits.
    pub(crate) fn answer(&self, input: Input) -> Command {
        let id = AnswerId::new(uuid_v7(9, &[9; 10]));
        Command::Answer(Answer { id, turn: self.progress.turn, card: self.at().parse().unwrap(), input })
    }

    pub(crate) fn prompt(&self, beside: Beside<'_>) -> Option<Prompt> {
        self.progress.prompt(self.document, &self.attributes, self.locale, beside)
    }

    /// What happened so far, by the names of the events.
    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        self.events.iter().map(|event| event.kind.name()).collect()
    }

    pub(crate) fn known(&self, name: &str) -> Option<&str> {
        self.attributes.get(&name.parse().unwrap()).map(String::as_str)
    }
}
