//! Commands, and what comes of them.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{
    Attributes, Author, Counted, Entry, Format, Input, InvalidInput, Mark, Progress, Session, Speaker, Standing, Submission,
    answer::{first_name, take},
    fill,
    state::known,
};
use crate::{
    callback::{Callback, CallbackCommand, NotCalled},
    contact::{Email, EmailRules, PhoneRules},
    conversation::{Body, Card, Conversation, IfKnown, Purpose, Text, Ui, template},
    event::{Data, Event, EventType},
    id::{AgentId, AnswerId, AttributeName, CardId, EventId, MeetingId},
    livechat::{BadMessage, Chat, ChatCommand, ChatPolicy, Roster},
    meeting::{Calendars, Meeting, MeetingCommand},
    schedule::Openings,
};

/// What a decision needs from outside.
pub struct Context<'a> {
    /// The time.
    pub now: Timestamp,
    /// The address of the page the visitor is on.
    pub page: &'a str,
    /// Makes a UUIDv7 that was never made before.
    pub new_id: &'a mut dyn FnMut() -> Uuid,
    /// The visitor's language: a tag, or several as in `Accept-Language`.
    pub locale: &'a str,
    /// The IANA name of the visitor's time zone.
    pub time_zone: &'a str,
    /// The world's phone numbers.
    pub phones: &'a dyn PhoneRules,
    /// The e-mail addresses that the site takes.
    pub emails: &'a dyn EmailRules,
    /// Who can take a live chat, where the command may lead to one or change one.
    pub roster: &'a Roster,
    /// How long agents may take, and visitors be silent.
    pub policy: &'a ChatPolicy,
    /// The agents' calendars, where the command may lead to a meeting or change one.
    pub calendars: &'a Calendars,
    /// When the site and its teams are open.
    pub openings: &'a Openings,
    /// The address of a meeting's iCalendar file. The page's scripts are told of it, so nothing can be changed by it.
    pub address_of: &'a dyn Fn(MeetingId) -> String,
}

/// What a decision starts from, and what it leads to.
#[derive(Debug, Clone, PartialEq)]
pub struct State<'d> {
    /// The session.
    pub session: Session,
    /// The conversation at hand, if the command is about one.
    pub talk: Option<Talk<'d>>,
    /// What is known of the visitor.
    pub attributes: Attributes,
    /// The live chat that is under way in the conversation at hand. What happens in it belongs to the session it was requested in, which is then
    /// the one above.
    pub chat: Option<Chat>,
    /// The meeting that the command is about, or whose time is held in the conversation at hand.
    pub meeting: Option<Meeting>,
    /// The call back that the command is about, or whose time is being chosen in the conversation at hand.
    pub callback: Option<Callback>,
}

/// A conversation and how far the visitor has come in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Talk<'d> {
    /// The document, in the version the visitor is on.
    pub document: &'d Conversation,
    /// How far they have come.
    pub progress: Progress,
}

/// Something that is asked of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// The loader ran on a page and has its configuration.
    Load(Widget),
    /// Something happened on the page.
    Report(Report),
    /// The panel opens: the bot speaks first.
    Open,
    /// The visitor answers.
    Answer(Answer),
    /// The visitor opens or downloads the document of the card that waits.
    Document {
        /// The prompt's number.
        turn: u32,
        /// What they do with it.
        what: DocumentUse,
    },
    /// The visitor goes back to the question before.
    Back {
        /// The number of the prompt they go back from.
        turn: u32,
    },
    /// The site tells who the visitor is.
    Identify {
        /// Their e-mail address.
        email: Option<Email>,
        /// Their name.
        name: Option<String>,
    },
    /// Something is done in the live chat that is under way.
    Chat(ChatCommand),
    /// Something is done about a meeting.
    Meeting(MeetingCommand),
    /// An agent does something about a call back.
    Callback(CallbackCommand),
}

/// What a visitor does with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DocumentUse {
    /// Opens it in the panel.
    Opened,
    /// Downloads it.
    Downloaded,
}

/// A widget on a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Widget {
    /// Its own id.
    pub widget: String,
    /// The id of its element on the page.
    pub element: String,
}

/// Something that happened on the page, named there before the server knew of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The event's id, made by the page: telling it twice counts once.
    pub id: EventId,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub what: Reported,
}

/// What a page reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reported {
    /// A widget became visible; with it the conversation it offers, if it offers one.
    Shown(Widget),
    /// A widget stopped being visible.
    Hidden(Widget),
    /// The visitor activated a widget.
    Clicked(Widget, ContactKind),
    /// The visitor closed the conversation.
    Closed,
}

/// The kinds of contact a widget can offer, as CTLive names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ContactKind {
    /// A chat.
    Chat,
    /// A call back at once.
    CallbackNow,
    /// A call back at a time of choice.
    CallbackLater,
    /// A call by the visitor.
    ClickToCall,
}

impl ContactKind {
    /// All, with their names.
    pub const ALL: [(&'static str, Self); 4] = [
        ("Chat", Self::Chat),
        ("CallbackNow", Self::CallbackNow),
        ("CallbackLater", Self::CallbackLater),
        ("ClickToCall", Self::ClickToCall),
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }
}

/// A visitor's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Names this submission.
    pub id: AnswerId,
    /// The prompt's number.
    pub turn: u32,
    /// The card that asked.
    pub card: CardId,
    /// What the visitor gave.
    pub input: Input,
}

/// Why a command is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The command needs a conversation, and there is none at hand.
    #[error("no conversation is being offered to this visitor")]
    NoConversation,
    /// The answer is to another card than the one that waits.
    #[error("the answer is to turn {given}, but turn {current} is waiting")]
    NotCurrent {
        /// What the answer names.
        given: u32,
        /// What waits.
        current: u32,
    },
    /// Nothing waits for an answer.
    #[error("the conversation does not wait for an answer")]
    NotWaiting,
    /// The author does not let visitors do this, or there is nothing to go back to.
    #[error("this conversation does not allow that here")]
    NotAllowed,
    /// The answer is not of the kind that was asked for.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// No live chat is under way, or none that could take this now.
    #[error("no live chat is under way that this could be done in")]
    NotOnline,
    /// The live chat is another agent's.
    #[error("the chat is another agent's")]
    NotYours,
    /// The live chat is not offered to this agent, or no longer.
    #[error("the chat is not offered to you any more")]
    NotOffered,
    /// Nobody whom the chat is to be handed to can take it.
    #[error("nobody there can take the chat now")]
    NoSuchAgent,
    /// The message is none.
    #[error(transparent)]
    BadMessage(#[from] BadMessage),
    /// Something is wrong with fields of a form: which, and what.
    #[error("{}", .0.iter().map(|(field, why)| format!("{field}: {why}")).collect::<Vec<_>>().join("; "))]
    BadForm(Vec<(String, InvalidInput)>),
    /// The time is not to be had, or not any more; of which agent, if it was one who was asked.
    #[error("this time is not to be had any more")]
    SlotTaken {
        /// Whose time it is.
        agent: Option<AgentId>,
    },
    /// The time was held for too long, and is free again.
    #[error("the time was not held any longer; choose one again")]
    HoldLapsed,
    /// The meeting was called off, or was never booked.
    #[error("there is no such meeting any more")]
    NotBooked,
    /// The meeting has begun, or is to begin in the past.
    #[error("expected a meeting, and a time for it, that are still to come")]
    TooLate,
    /// The call back is not to be changed so.
    #[error(transparent)]
    NotCalled(#[from] NotCalled),
}

/// What came of a command.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Happened {
    /// The events, in order.
    pub events: Vec<Event>,
    /// What was said, in order.
    pub entries: Vec<Entry>,
    /// The number of the last entry that still stands, where the visitor went back; those after it, and before the ones that were
    /// said now, are taken back.
    pub taken_back_to: Option<u32>,
    /// What is now known of the visitor.
    pub attributes: Vec<(AttributeName, String)>,
    /// The agent who was asked to take the live chat.
    pub offered: Option<AgentId>,
    /// The live chat that ended, where the conversation went on to another at once.
    pub over: Option<Chat>,
    /// The form that was filled in.
    pub submission: Option<Submission>,
}

/// How many questions a visitor can go back.
pub const TRAIL_MAX: usize = 100;

/// Decides what comes of a command.
///
/// # Errors
/// A [`Refusal`]; then nothing happened.
pub fn decide<'d>(state: State<'d>, command: Command, context: &mut Context<'_>) -> Result<(State<'d>, Happened), Refusal> {
    let mut step = Step { state, happened: Happened::default(), context };
    // What is done about a meeting or a call back belongs to the session it was made in, and counts for nothing in it.
    let counts = match &command {
        Command::Meeting(command) => !command.is_of_meeting(),
        Command::Callback(_) => false,
        _ => true,
    };
    if counts {
        step.begin();
    }
    match command {
        Command::Load(widget) => step.of_widget(EventType::WidgetLoaded, None, &widget, None),
        Command::Report(report) => step.report(report),
        Command::Open => step.open()?,
        Command::Answer(answer) => step.answer(&answer)?,
        Command::Document { turn, what } => step.document(turn, what)?,
        Command::Back { turn } => step.back(turn)?,
        Command::Identify { email, name } => step.identify(email.as_ref(), name.as_deref()),
        Command::Chat(command) => step.chat(command)?,
        Command::Meeting(command) => step.meeting(command)?,
        Command::Callback(command) => step.callback(&command)?,
    }
    Ok((step.state, step.happened))
}

/// A decision in the making.
pub(super) struct Step<'d, 'c, 'x> {
    pub(super) state: State<'d>,
    pub(super) happened: Happened,
    pub(super) context: &'x mut Context<'c>,
}

impl<'d> Step<'d, '_, '_> {
    /// A new session counts anew.
    fn begin(&mut self) {
        let session = self.state.session.id;
        if let Some(talk) = &mut self.state.talk
            && talk.progress.counted.session != session
        {
            talk.progress.counted = Counted::nothing(session);
        }
    }

    pub(super) fn talk(&mut self) -> Result<&mut Talk<'d>, Refusal> {
        self.state.talk.as_mut().ok_or(Refusal::NoConversation)
    }

    fn report(&mut self, report: Report) {
        let named = Some((report.id, report.at));
        match report.what {
            Reported::Shown(widget) => {
                self.of_widget(EventType::WidgetShown, named, &widget, None);
                self.trigger();
            }
            Reported::Hidden(widget) => self.of_widget(EventType::WidgetHidden, named, &widget, None),
            Reported::Clicked(widget, kind) => self.of_widget(EventType::WidgetClicked, named, &widget, Some(kind)),
            Reported::Closed => self.close(named),
        }
    }

    fn open(&mut self) -> Result<(), Refusal> {
        let talk = self.talk()?;
        let (document, standing) = (talk.document, talk.progress.standing.clone());
        // One that stands in the page is loaded before it comes into view, and shown when it does.
        if document.ui != Ui::Inline {
            self.trigger();
        }
        if standing == Standing::Offered {
            self.speak(document.first());
        }
        Ok(())
    }

    /// The card that waits, if it is the one that was meant.
    pub(super) fn waiting(&mut self, turn: u32) -> Result<(&'d Conversation, &'d Card), Refusal> {
        let talk = self.talk()?;
        let Standing::At(card) = &talk.progress.standing else { return Err(Refusal::NotWaiting) };
        if turn != talk.progress.turn {
            return Err(Refusal::NotCurrent { given: turn, current: talk.progress.turn });
        }
        Ok((talk.document, talk.document.card(card).ok_or(Refusal::NotWaiting)?))
    }

    fn answer(&mut self, answer: &Answer) -> Result<(), Refusal> {
        let (document, card) = self.waiting(answer.turn)?;
        if answer.card != card.id {
            return Err(Refusal::NotCurrent { given: answer.turn, current: answer.turn });
        }
        let taken = match &card.body {
            Body::Form(form) => fill::take(document, form, &answer.input, &self.state.attributes, self.context)?,
            Body::Callback(callback) => return self.call_back(card, callback, &answer.input),
            Body::Meeting(meeting) => return self.no_meeting(card, meeting, &answer.input),
            body => take(document, body, &answer.input, &self.state.attributes, self.context)?,
        };
        self.mark(&card.id);
        self.engage();
        self.say(Author::Visitor, &card.id, taken.shown, taken.format);
        for (kind, value) in taken.events {
            self.input(kind, &card.id, value);
        }
        for (name, value) in taken.attributes {
            self.learn(name, value);
        }
        if let (Body::Form(form), given) = (&card.body, taken.answers) {
            self.submit(card, form, given);
        }
        self.speak(match taken.choice {
            Some(index) => document.after_choice(card, index),
            None => document.after(card),
        });
        Ok(())
    }

    /// Remembers the question that is answered, where the author lets visitors go back to it.
    pub(super) fn mark(&mut self, card: &CardId) {
        if let Some(Talk { document, progress }) = &mut self.state.talk
            && document.back
        {
            // Who goes round and round cannot make it grow for ever: the oldest steps are forgotten.
            if progress.trail.len() >= TRAIL_MAX {
                progress.trail.remove(0);
            }
            progress.trail.push(Mark { card: card.clone(), entries: progress.entries });
        }
    }

    /// Something was given: an address or number itself, of anything else the name under which it is kept.
    pub(super) fn input(&mut self, kind: EventType, card: &CardId, value: String) {
        let field = if kind == EventType::InputCaptured { "field" } else { "value" };
        self.of_talk(kind, None, [("card", Value::from(card.as_str())), (field, Value::from(value))]);
    }

    fn document(&mut self, turn: u32, what: DocumentUse) -> Result<(), Refusal> {
        let (_, card) = self.waiting(turn)?;
        let Body::Document(shown) = &card.body else { return Err(Refusal::NotAllowed) };
        self.engage();
        let kind = match what {
            DocumentUse::Opened => EventType::DocumentOpened,
            DocumentUse::Downloaded => EventType::DocumentDownloaded,
        };
        self.of_talk(kind, None, [("card", card.id.as_str().into()), ("document", shown.file.as_str().into())]);
        Ok(())
    }

    fn back(&mut self, turn: u32) -> Result<(), Refusal> {
        let (document, _) = self.waiting(turn)?;
        let progress = &mut self.talk()?.progress;
        let Some(mark) = progress.trail.pop().filter(|_| document.back) else { return Err(Refusal::NotAllowed) };
        progress.standing = Standing::At(mark.card);
        progress.turn += 1;
        self.happened.taken_back_to = Some(mark.entries);
        self.let_go();
        Ok(())
    }

    pub(super) fn identify(&mut self, email: Option<&Email>, name: Option<&str>) {
        if let (Some(email), Ok(attribute)) = (email, "email".parse()) {
            self.learn(attribute, email.to_string());
        }
        let name = name.map(str::trim).filter(|name| !name.is_empty());
        if let (Some(name), Ok(attribute)) = (name, "name".parse()) {
            if let Some((attribute, first)) = first_name(name, &self.state.attributes, self.context.locale) {
                self.learn(attribute, first);
            }
            self.learn(attribute, name.to_owned());
        }
    }

    pub(super) fn learn(&mut self, name: AttributeName, value: String) {
        if self.state.attributes.get(&name) != Some(&value) {
            self.state.attributes.insert(name.clone(), value.clone());
            self.happened.attributes.push((name, value));
        }
    }

    /// The visitor's first response.
    pub(super) fn engage(&mut self) {
        if let Some(talk) = &mut self.state.talk {
            talk.progress.answered = true;
        }
        self.trigger();
        self.once(|counted| &mut counted.engaged, EventType::ConversationEngaged, None);
    }

    /// The bot speaks until it waits or the conversation ends.
    pub(super) fn speak(&mut self, from: Option<&'d CardId>) {
        let Some(document) = self.state.talk.as_ref().map(|talk| talk.document) else { return };
        let mut at = from;
        // The reader refuses cards that go round without asking, so none comes twice; were it otherwise, this still ends.
        for _ in 0..=document.cards.len() {
            let Some(card) = at.and_then(|id| document.card(id)) else { break };
            at = document.after(card);
            match &card.body {
                Body::Message { text, .. } => self.bot_says(&card.id, text),
                Body::Question(question) => return self.ask(card, &question.text),
                Body::Document(shown) => return self.ask(card, &shown.text),
                Body::LiveChat(live) => {
                    // A survey is about the chat before it, if that was one.
                    if let Some(talk) = &mut self.state.talk {
                        talk.progress.chat = None;
                    }
                    if self.request(card, live) {
                        return;
                    }
                    at = document.after_fallback(card);
                }
                Body::Meeting(meeting) => {
                    if self.invite(card, meeting) {
                        return;
                    }
                    at = document.after_fallback(card);
                }
                Body::Callback(callback) => {
                    if self.offer_call_back(card, callback) {
                        return;
                    }
                    at = document.after_fallback(card);
                }
                Body::Call(call) => {
                    if self.context.openings.is_open(call.team.as_ref(), self.context.now) {
                        return self.ask(card, &call.text);
                    }
                    self.fall_back_to(card, call.fallback_text.as_ref());
                    at = document.after_fallback(card);
                }
                Body::Form(form) => {
                    // A survey is about a chat: who has had none is not asked.
                    let surveyed = self.state.talk.as_ref().is_some_and(|talk| talk.progress.chat.is_some());
                    if form.purpose == Purpose::Contact || surveyed {
                        self.ask(card, &form.text);
                        self.form_shown(form);
                        return;
                    }
                }
                Body::Capture(capture) => {
                    let known = capture.kept_as().is_some_and(|name| known(&self.state.attributes, &name).is_some());
                    if !known || capture.if_known == IfKnown::Ask {
                        return self.ask(card, &capture.text);
                    }
                }
                Body::Goal { goal, .. } => {
                    // What happens in a conversation happens after it was shown, also where it comes into view only later.
                    self.trigger();
                    let fields = [("card", Value::from(card.id.as_str())), ("goal", Value::from(goal.as_str()))];
                    self.of_talk(EventType::GoalReached, None, fields);
                }
                Body::Condition { branches, .. } => {
                    let known = |name: &AttributeName| self.state.attributes.get(name).map(String::as_str);
                    if let Some(branch) = branches.iter().find(|branch| branch.rule.holds(&known)) {
                        at = Some(&branch.next);
                    }
                }
                Body::Set { attribute, value, .. } => {
                    let value = template::fill_plain(value, |token| self.value(token));
                    self.learn(attribute.clone(), value);
                }
                Body::End { text } => {
                    if let Some(text) = text {
                        self.bot_says(&card.id, text);
                    }
                    break;
                }
                // Sub-flows were put in when the version was published.
                Body::Jump { .. } | Body::SubFlow { .. } => {}
            }
        }
        self.trigger();
        if let Some(talk) = &mut self.state.talk {
            talk.progress.standing = Standing::Ended;
            talk.progress.completed = true;
        }
        self.once(|counted| &mut counted.completed, EventType::ConversationCompleted, None);
    }

    pub(super) fn ask(&mut self, card: &'d Card, text: &Text) {
        self.bot_says(&card.id, text);
        if let Some(talk) = &mut self.state.talk {
            talk.progress.standing = Standing::At(card.id.clone());
            talk.progress.turn += 1;
        }
    }

    pub(super) fn bot_says(&mut self, card: &CardId, text: &Text) {
        let Some(document) = self.state.talk.as_ref().map(|talk| talk.document) else { return };
        let said = template::fill(document.say(text, self.context.locale), |token| self.value(token));
        self.say(Author::Bot, card, Some(said), Format::Text);
    }

    fn value(&self, token: template::Token<'_>) -> Option<String> {
        match token {
            template::Token::Visitor(name) => self.state.attributes.get(name).cloned(),
            template::Token::PageUrl => Some(self.context.page.to_owned()),
        }
    }

    pub(super) fn say(&mut self, author: Author, card: &CardId, text: Option<String>, format: Format) {
        let Some(talk) = &mut self.state.talk else { return };
        talk.progress.entries += 1;
        self.happened.entries.push(Entry {
            number: talk.progress.entries,
            author,
            card: card.clone(),
            text,
            format,
            agent: None,
        });
    }

    /// Adds a line that is an agent's, or about one.
    pub(super) fn say_of(&mut self, author: Author, card: &CardId, text: String, format: Format, agent: Option<Speaker>) {
        self.say(author, card, Some(text), format);
        if let Some(entry) = self.happened.entries.last_mut() {
            entry.agent = agent;
        }
    }

    /// A conversation that is shown is triggered, unless it is over.
    pub(super) fn trigger(&mut self) {
        if self.state.talk.as_ref().is_some_and(|talk| talk.progress.standing != Standing::Ended) {
            self.once(|counted| &mut counted.triggered, EventType::ConversationTriggered, None);
        }
    }

    /// Closing counts only before the end, and only of what was shown.
    fn close(&mut self, named: Option<(EventId, Timestamp)>) {
        let open = self.state.talk.as_ref().is_some_and(|Talk { progress, .. }| {
            // Who has completed it in this session and began again may leave without closing it.
            progress.standing != Standing::Ended && !progress.counted.completed
        });
        if open {
            self.trigger();
            self.once(|counted| &mut counted.closed, EventType::ConversationClosed, named);
        }
    }

    /// Fires a conversation event unless this session has had it.
    fn once(&mut self, flag: fn(&mut Counted) -> &mut bool, kind: EventType, named: Option<(EventId, Timestamp)>) {
        let Some(talk) = &mut self.state.talk else { return };
        if !std::mem::replace(flag(&mut talk.progress.counted), true) {
            self.of_talk(kind, named, []);
        }
    }

    /// Fires an event of the conversation at hand.
    pub(super) fn of_talk<const N: usize>(
        &mut self,
        kind: EventType,
        named: Option<(EventId, Timestamp)>,
        more: [(&str, Value); N],
    ) {
        let Some(talk) = &self.state.talk else { return };
        let usual = [
            ("name", Value::from(talk.document.name.as_str())),
            ("type", talk.document.kind.name().into()),
            ("uiType", talk.document.ui.name().into()),
        ];
        let data = usual.into_iter().chain(more).map(|(name, value)| (name.to_owned(), value)).collect();
        self.event(kind, named, data, true);
    }

    fn of_widget(&mut self, kind: EventType, named: Option<(EventId, Timestamp)>, widget: &Widget, contact: Option<ContactKind>) {
        let mut data = Data::new();
        data.insert("element".to_owned(), widget.element.as_str().into());
        data.insert("widget".to_owned(), widget.widget.as_str().into());
        if let Some(contact) = contact {
            data.insert("kind".to_owned(), contact.name().into());
        }
        self.event(kind, named, data, false);
    }

    pub(super) fn event(&mut self, kind: EventType, named: Option<(EventId, Timestamp)>, data: Data, of_talk: bool) {
        let session = &mut self.state.session;
        session.seq += 1;
        let (id, time) = named.unwrap_or_else(|| (EventId::new((self.context.new_id)()), self.context.now));
        self.happened.events.push(Event {
            id,
            kind,
            seq: session.seq,
            time,
            site: session.site.clone(),
            visitor: session.visitor,
            session: session.id,
            conversation: self.state.talk.as_ref().filter(|_| of_talk).map(|talk| talk.progress.conversation.clone()),
            page: self.context.page.to_owned(),
            data,
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        contact::{AnyEmail, BadPhone, Phone},
        id::{SessionId, VisitorId, uuid_v7},
        session::Beside,
    };

    struct NoPhones;

    impl PhoneRules for NoPhones {
        fn parse(&self, _: &str, _: Option<&str>) -> Result<Phone, BadPhone> {
            Err(BadPhone::NotANumber)
        }
    }

    struct Visit<'d> {
        state: State<'d>,
        locale: &'static str,
        ids: u64,
    }

    fn document(cards: Value) -> Conversation {
        let json = json!({ "id": "d", "name": "Demo", "back": true, "cards": cards });
        Conversation::read(&json.to_string()).unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    impl<'d> Visit<'d> {
        fn of(document: Option<&'d Conversation>, known: &[(&str, &str)]) -> Self {
            let id = SessionId::new(uuid_v7(1, &[1; 10]));
            let session = Session { id, visitor: VisitorId::new(uuid_v7(1, &[2; 10])), site: "demo".parse().unwrap(), seq: 0 };
            let talk = document.map(|document| Talk { document, progress: Progress::offered(document.id.clone(), 1, id) });
            let attributes = known.iter().map(|(name, value)| (name.parse().unwrap(), (*value).to_owned())).collect();
            Self { state: State { session, talk, attributes, chat: None, meeting: None, callback: None }, locale: "en", ids: 0 }
        }

        /// A visit in which the panel was opened; what the bot said, too.
        fn opened(document: &'d Conversation, known: &[(&str, &str)]) -> (Self, Vec<String>) {
            let mut visit = Self::of(Some(document), known);
            let said = said(&visit.does(Command::Open).unwrap());
            (visit, said)
        }

        fn does(&mut self, command: Command) -> Result<Happened, Refusal> {
            let mut new_id = || {
                self.ids += 1;
                uuid_v7(self.ids, &[0; 10])
            };
            let mut context = Context {
                now: Timestamp::UNIX_EPOCH,
                page: "https://shop.example/a",
                new_id: &mut new_id,
                locale: self.locale,
                phones: &NoPhones,
                emails: &AnyEmail,
                roster: &Roster::default(),
                policy: &ChatPolicy::default(),
                time_zone: "UTC",
                calendars: &Calendars::default(),
                openings: &Openings::default(),
                address_of: &|id| format!("https://chat.example/meetings/{id}"),
            };
            let (state, happened) = decide(self.state.clone(), command, &mut context)?;
            self.state = state;
            Ok(happened)
        }

        fn progress(&self) -> &Progress {
            &self.state.talk.as_ref().unwrap().progress
        }

        fn at(&self) -> &str {
            match &self.progress().standing {
                Standing::At(card) => card.as_str(),
                Standing::Offered => "offered",
                Standing::Ended => "ended",
            }
        }

        fn answers(&mut self, text: &str) -> Result<Happened, Refusal> {
            let card = self.at().parse().unwrap();
            let id = AnswerId::new(uuid_v7(9, &[9; 10]));
            self.does(Command::Answer(Answer { id, turn: self.progress().turn, card, input: Input::text(text) }))
        }

        fn goes_back(&mut self) -> Result<Happened, Refusal> {
            self.does(Command::Back { turn: self.progress().turn })
        }

        fn known(&self, name: &str) -> Option<&str> {
            self.state.attributes.get(&name.parse().unwrap()).map(String::as_str)
        }
    }

    fn said(happened: &Happened) -> Vec<String> {
        happened.entries.iter().filter_map(|entry| entry.text.clone()).collect()
    }

    fn events(happened: &Happened) -> Vec<&'static str> {
        happened.events.iter().map(|event| event.kind.name()).collect()
    }

    #[test]
    fn what_is_known_is_skipped() {
        let document = document(json!([
            { "id": "mail", "card": "capture", "field": "email", "text": "Mail?", "ifKnown": "skip" },
            { "id": "seats", "card": "capture", "field": "number", "attribute": "seats", "text": "Seats?", "ifKnown": "skip" },
            { "id": "end", "card": "end", "text": "Bye" }
        ]));
        assert_eq!(Visit::opened(&document, &[]).1, ["Mail?"]);
        assert_eq!(Visit::opened(&document, &[("email", "a@b.example")]).1, ["Seats?"]);
        assert_eq!(Visit::opened(&document, &[("email", "a@b.example"), ("seats", "3")]).1, ["Bye"]);
        assert_eq!(Visit::opened(&document, &[("email", " "), ("seats", "3")]).1, ["Mail?"], "what was forgotten is not known");
    }

    #[test]
    fn what_is_known_is_filled_in() {
        let document = document(json!([
            { "id": "mail", "card": "capture", "field": "email", "text": "Mail?", "label": "Work mail", "optional": true },
            { "id": "end", "card": "end" }
        ]));
        let (visit, _) = Visit::opened(&document, &[("email", "a@b.example")]);
        let prompt = visit.progress().prompt(&document, &visit.state.attributes, "en", Beside::default()).unwrap();
        assert_eq!(
            (prompt.known.as_deref(), prompt.label.as_deref(), prompt.optional),
            (Some("a@b.example"), Some("Work mail"), true)
        );
    }

    #[test]
    fn whom_no_time_is_left_for_goes_on() {
        let document = document(json!([
            { "id": "meet", "card": "meeting", "text": "When?", "title": "Demo", "fallbackText": "Sorry" },
            { "id": "end", "card": "end", "text": "Bye" }
        ]));
        let (mut visit, _) = Visit::opened(&document, &[]);
        // There was a time when it was asked, and the last is gone by now.
        visit.state.talk.as_mut().unwrap().progress.standing = Standing::At("meet".parse().unwrap());
        let answer = |visit: &Visit<'_>, input| {
            let id = AnswerId::new(uuid_v7(9, &[9; 10]));
            Command::Answer(Answer { id, turn: visit.progress().turn, card: "meet".parse().unwrap(), input })
        };
        let given = answer(&visit, Input::text("x"));
        assert_eq!(visit.does(given).unwrap_err(), Refusal::Invalid(super::super::InvalidInput::Required));
        let skipped = answer(&visit, Input::Skipped);
        assert_eq!(said(&visit.does(skipped).unwrap()), ["Sorry", "Bye"]);
    }

    #[test]
    fn a_survey_is_given_once() {
        let document = document(json!([
            { "id": "topic", "card": "capture", "field": "text", "attribute": "topic", "text": "What about?" },
            { "id": "how", "card": "form", "purpose": "survey", "text": "How was it?", "fields": [{ "name": "stars", "field": "stars", "label": "Stars" }] },
            { "id": "more", "card": "capture", "field": "text", "attribute": "more", "text": "Anything else?" },
            { "id": "end", "card": "end" }
        ]));
        let (mut visit, _) = Visit::opened(&document, &[]);
        visit.state.talk.as_mut().unwrap().progress.chat = Some(crate::id::ChatId::new(uuid_v7(8, &[8; 10])));
        visit.answers("beds").unwrap();
        let id = AnswerId::new(uuid_v7(9, &[9; 10]));
        let input = Input::Form([("stars".to_owned(), vec!["5".to_owned()])].into());
        let answer = Answer { id, turn: visit.progress().turn, card: "how".parse().unwrap(), input };
        assert_eq!(visit.at(), "how");
        assert!(visit.does(Command::Answer(answer)).unwrap().submission.is_some());
        assert_eq!(visit.at(), "more");
        assert_eq!(visit.goes_back().unwrap_err(), Refusal::NotAllowed);
    }

    #[test]
    fn a_condition_takes_the_first_branch_that_holds() {
        let document = document(json!([
            { "id": "if", "card": "condition", "next": "no", "branches": [
                { "if": { "attribute": "plan", "is": "pro" }, "next": "pro" },
                { "if": { "attribute": "plan", "known": true }, "next": "some" }
            ] },
            { "id": "pro", "card": "end", "text": "pro" },
            { "id": "some", "card": "end", "text": "some" },
            { "id": "no", "card": "end", "text": "none" }
        ]));
        for (plan, expected) in [("Pro", "pro"), ("basic;pro", "pro"), ("basic", "some"), ("", "none")] {
            assert_eq!(Visit::opened(&document, &[("plan", plan)]).1, [expected], "{plan}");
        }
        assert_eq!(Visit::opened(&document, &[]).1, ["none"]);
    }

    #[test]
    fn an_attribute_is_set_and_forgotten() {
        let document = document(json!([
            { "id": "set", "card": "set", "attribute": "greeting", "value": "Hi {{visitor.name|you}}, *{{page.url}}*" },
            { "id": "forget", "card": "set", "attribute": "email", "value": "" },
            { "id": "mail", "card": "capture", "field": "email", "text": "{{visitor.greeting}}", "ifKnown": "skip" },
            { "id": "end", "card": "end" }
        ]));
        let (visit, said) = Visit::opened(&document, &[("name", "A*d*a"), ("email", "a@b.example")]);
        assert_eq!(visit.known("greeting"), Some("Hi A*d*a, *https://shop.example/a*"), "a value has no formatting");
        assert_eq!(said, ["Hi A\\*d\\*a, \\*https://shop.example/a\\*"], "and is shown as it is");
        assert_eq!((visit.at(), visit.known("email")), ("mail", Some("")), "what is forgotten is asked for");

        let mut visit = Visit::of(Some(&document), &[]);
        let happened = visit.does(Command::Open).unwrap();
        let stored: Vec<_> = happened.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(stored, [("greeting", "Hi you, *https://shop.example/a*"), ("email", "")]);
    }

    #[test]
    fn tokens_are_filled_or_fall_back() {
        let document = document(json!([
            { "id": "hi", "card": "message", "text": { "en": "Hello {{visitor.firstName|*you*}}", "de": "Hallo {{visitor.firstName}}!" } },
            { "id": "end", "card": "end", "text": "{{ page.url }} {{visitor.x}}." }
        ]));
        let (_, said) = Visit::opened(&document, &[]);
        assert_eq!(said, ["Hello *you*", "https://shop.example/a ."]);
        let mut visit = Visit { locale: "de-CH", ..Visit::of(Some(&document), &[("firstName", "Ada"), ("x", "`1`")]) };
        let opened = visit.does(Command::Open).unwrap();
        assert_eq!(super::tests::said(&opened), ["Hallo Ada!", "https://shop.example/a \\`1\\`."]);
    }

    #[test]
    fn a_goal_is_told_whenever_it_is_reached() {
        let document = document(json!([
            { "id": "ask", "card": "question", "text": "?", "choices": [{ "label": "again" }, { "label": "stop", "next": "end" }] },
            { "id": "won", "card": "goal", "goal": "Asked for a demo", "next": "ask" },
            { "id": "end", "card": "end" }
        ]));
        let (mut visit, _) = Visit::opened(&document, &[]);
        let first = visit.answers("again").unwrap();
        assert_eq!(events(&first), ["conversation.engaged", "goal.reached"]);
        let usual = json!({ "name": "Demo", "type": "dialogue", "uiType": "chatbot", "card": "won", "goal": "Asked for a demo" });
        assert_eq!(Value::from(first.events[1].data.clone()), usual);
        assert_eq!(first.events[1].conversation.as_ref().map(ToString::to_string).as_deref(), Some("d"));
        assert_eq!(events(&visit.answers("again").unwrap()), ["goal.reached"]);
        assert_eq!(events(&visit.answers("stop").unwrap()), ["conversation.completed"]);
    }

    #[test]
    fn a_captured_field_is_told_by_its_name() {
        let document = document(json!([
            { "id": "seats", "card": "capture", "field": "number", "attribute": "seats", "text": "?" },
            { "id": "mail", "card": "capture", "field": "email", "attribute": "workMail", "text": "?" },
            { "id": "end", "card": "end" }
        ]));
        let (mut visit, _) = Visit::opened(&document, &[]);
        let seats = visit.answers("3").unwrap();
        assert_eq!(events(&seats), ["conversation.engaged", "input.captured"]);
        assert_eq!((&seats.events[1].data["card"], &seats.events[1].data["field"]), (&json!("seats"), &json!("seats")));
        assert!(!seats.events[1].data.contains_key("value"));
        let mail = visit.answers("a@b.example").unwrap();
        assert_eq!(events(&mail), ["input.email", "conversation.completed"]);
        assert_eq!(mail.events[0].data["value"], "a@b.example");
        assert_eq!((visit.known("workMail"), visit.known("email"), visit.known("seats")), (Some("a@b.example"), None, Some("3")));
    }

    #[test]
    fn a_document_is_opened_and_downloaded_and_left() {
        let document = document(json!([
            { "id": "read", "card": "document", "text": "Here:", "title": "Guide", "file": "guide.pdf" },
            { "id": "ask", "card": "question", "text": "?", "choices": [{ "label": "ok" }] },
            { "id": "end", "card": "end" }
        ]));
        let mut visit = Visit::of(Some(&document), &[]);
        let use_of = |visit: &Visit<'_>, what| Command::Document { turn: visit.progress().turn, what };
        assert_eq!(visit.does(use_of(&visit, DocumentUse::Opened)), Err(Refusal::NotWaiting));
        visit.does(Command::Open).unwrap();
        let opened = visit.does(use_of(&visit, DocumentUse::Opened)).unwrap();
        assert_eq!(events(&opened), ["conversation.engaged", "document.opened"], "it is a response");
        let usual = json!({ "name": "Demo", "type": "dialogue", "uiType": "chatbot", "card": "read", "document": "guide.pdf" });
        assert_eq!(Value::from(opened.events[1].data.clone()), usual);
        assert!(opened.entries.is_empty() && visit.progress().answered);
        let downloaded = visit.does(use_of(&visit, DocumentUse::Downloaded)).unwrap();
        assert_eq!(events(&downloaded), ["document.downloaded"]);
        assert_eq!(visit.does(use_of(&visit, DocumentUse::Opened)).map(|done| done.events.len()), Ok(1), "any number of times");
        let old = visit.progress().turn;
        assert_eq!(said(&visit.answers("").unwrap()), ["Guide", "?"]);
        let (stale, current) = (Command::Document { turn: old, what: DocumentUse::Opened }, old + 1);
        assert_eq!(visit.does(stale), Err(Refusal::NotCurrent { given: old, current }));
        assert_eq!(visit.does(use_of(&visit, DocumentUse::Opened)), Err(Refusal::NotAllowed), "a question is no document");
    }

    #[test]
    fn going_back_returns_to_the_question_before() {
        let cards = json!([
            { "id": "hi", "card": "message", "text": "Hi" },
            { "id": "ask", "card": "question", "text": "One?", "attribute": "one", "choices": [{ "label": "a" }, { "label": "b", "next": "end" }] },
            { "id": "say", "card": "message", "text": "So" },
            { "id": "name", "card": "capture", "field": "text", "attribute": "two", "text": "Two?" },
            { "id": "end", "card": "end" }
        ]);
        let document = document(cards);
        let (mut visit, _) = Visit::opened(&document, &[]);
        assert_eq!(visit.goes_back(), Err(Refusal::NotAllowed), "there is nothing to go back to");
        visit.answers("a").unwrap();
        assert_eq!((visit.at(), visit.progress().entries, visit.progress().turn), ("name", 5, 2));
        assert_eq!(visit.does(Command::Back { turn: 1 }), Err(Refusal::NotCurrent { given: 1, current: 2 }), "an old form");
        let back = visit.goes_back().unwrap();
        assert_eq!((back.taken_back_to, back.events.len(), back.entries.len()), (Some(2), 0, 0));
        assert_eq!((visit.at(), visit.progress().turn, visit.known("one")), ("ask", 3, Some("a")), "what was learned stays");
        assert_eq!(visit.goes_back(), Err(Refusal::NotAllowed));
        let again = visit.answers("b").unwrap();
        assert_eq!(again.entries[0].number, 6, "numbers go on");
        assert_eq!((visit.at(), visit.known("one")), ("ended", Some("b")));
        assert_eq!(visit.goes_back(), Err(Refusal::NotWaiting), "it is over");

        let without = Conversation { back: false, ..document.clone() };
        let (mut visit, _) = Visit::opened(&without, &[]);
        visit.answers("a").unwrap();
        assert_eq!(visit.goes_back(), Err(Refusal::NotAllowed), "the author does not allow it");
    }

    #[test]
    fn begun_anew_the_events_are_not_told_again() {
        let document = document(json!([
            { "id": "ask", "card": "question", "text": "?", "choices": [{ "label": "ok" }] }, { "id": "end", "card": "end" }
        ]));
        let (mut visit, _) = Visit::opened(&document, &[]);
        assert_eq!(events(&visit.answers("ok").unwrap()), ["conversation.engaged", "conversation.completed"]);
        let talk = visit.state.talk.as_mut().unwrap();
        talk.progress = talk.progress.clone().anew(2);
        assert_eq!(visit.at(), "offered");
        let opened = visit.does(Command::Open).unwrap();
        assert_eq!((events(&opened), opened.entries[0].number, visit.progress().turn), (vec![], 3, 2));
        let close = Report { id: EventId::new(uuid_v7(7, &[7; 10])), at: Timestamp::UNIX_EPOCH, what: Reported::Closed };
        assert_eq!(events(&visit.does(Command::Report(close)).unwrap()), [""; 0], "never closed after completed");
        assert_eq!(events(&visit.answers("ok").unwrap()), [""; 0]);
        assert!(visit.progress().is_done());
    }

    #[test]
    fn the_site_says_who_the_visitor_is() {
        let identified = |locale, known: &[(&str, &str)], email: Option<&str>, name: Option<&str>| {
            let mut visit = Visit { locale, ..Visit::of(None, known) };
            let email = email.map(|email| email.parse().unwrap());
            let happened = visit.does(Command::Identify { email, name: name.map(str::to_owned) }).unwrap();
            assert!(happened.events.is_empty() && happened.entries.is_empty());
            let of = |name: &str| visit.known(name).unwrap_or_default().to_owned();
            (of("email"), of("name"), of("firstName"), happened.attributes.len())
        };
        let are = |email: &str, name: &str, first: &str, stored| (email.to_owned(), name.to_owned(), first.to_owned(), stored);
        let (mail, ada) = (Some("ada@example.com"), Some(" Ada Lovelace "));
        assert_eq!(identified("en", &[], mail, ada), are("ada@example.com", "Ada Lovelace", "Ada", 3));
        assert_eq!(identified("ja", &[], mail, Some("山田 太郎")), are("ada@example.com", "山田 太郎", "", 2));
        let known = &[("email", "ada@example.com"), ("name", "Bob B"), ("firstName", "Bob")];
        assert_eq!(
            identified("en", known, mail, ada),
            are("ada@example.com", "Ada Lovelace", "Ada", 2),
            "only what is new is stored"
        );
        assert_eq!(identified("en", &[("firstName", "Augusta")], None, ada), are("", "Ada Lovelace", "Augusta", 1));
        assert_eq!(identified("en", known, None, Some(" ")), are("ada@example.com", "Bob B", "Bob", 0), "no name is not told");
    }

    #[test]
    fn without_a_conversation_nothing_is_done_in_it() {
        let mut visit = Visit::of(None, &[]);
        for command in [Command::Open, Command::Back { turn: 0 }, Command::Document { turn: 0, what: DocumentUse::Opened }] {
            assert_eq!(visit.does(command), Err(Refusal::NoConversation));
        }
    }

    #[test]
    fn an_answer_is_to_the_card_that_waits() {
        let document = document(json!([
            { "id": "ask", "card": "question", "text": "?", "choices": [{ "label": "ok" }] }, { "id": "end", "card": "end" }
        ]));
        let (mut visit, _) = Visit::opened(&document, &[]);
        let answer = |turn, card: &str| {
            let id = AnswerId::new(uuid_v7(9, &[9; 10]));
            Command::Answer(Answer { id, turn, card: card.parse().unwrap(), input: Input::text("ok") })
        };
        assert_eq!(visit.does(answer(2, "ask")), Err(Refusal::NotCurrent { given: 2, current: 1 }));
        assert!(visit.does(answer(1, "end")).is_err());
        assert_eq!(visit.answers("no"), Err(Refusal::Invalid(InvalidInput::NotAChoice)));
        assert!(visit.does(answer(1, "ask")).is_ok());
        assert_eq!(visit.does(answer(1, "ask")), Err(Refusal::NotWaiting));
    }

    #[test]
    fn one_can_go_back_so_many_questions_and_no_further() {
        let document = document(json!([
            { "id": "q", "card": "question", "text": "?", "choices": [{ "label": "Again", "next": "q" }, { "label": "End" }] },
            { "id": "end", "card": "end" }
        ]));
        let (mut visit, _) = Visit::opened(&document, &[]);
        for _ in 0..TRAIL_MAX + 10 {
            visit.answers("Again").unwrap();
        }
        assert_eq!(visit.progress().trail.len(), TRAIL_MAX);
        for _ in 0..TRAIL_MAX {
            visit.goes_back().unwrap();
        }
        assert_eq!(visit.goes_back(), Err(Refusal::NotAllowed));
    }
}
