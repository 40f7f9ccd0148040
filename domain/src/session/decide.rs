//! Commands, and what comes of them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{Author, Counted, Entry, Progress, Session, Standing};
use crate::{
    contact::{BadEmail, BadPhone, Email, PhoneRules},
    conversation::{Body, CaptureField, Conversation, Stop},
    event::{Data, Event, EventType},
    id::{AnswerId, AttributeName, CardId, EventId},
};

/// What a decision needs from outside.
pub struct Context<'a> {
    /// The time.
    pub now: Timestamp,
    /// The address of the page the visitor is on.
    pub page: &'a str,
    /// Makes a UUIDv7 that was never made before.
    pub new_id: &'a mut dyn FnMut() -> Uuid,
    /// The world's phone numbers.
    pub phones: &'a dyn PhoneRules,
}

/// What a decision starts from, and what it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State<'d> {
    /// The session.
    pub session: Session,
    /// The conversation at hand, if the command is about one.
    pub talk: Option<Talk<'d>>,
}

/// A conversation and how far the visitor has come in it.
#[derive(Debug, Clone, PartialEq, Eq)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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

/// What a visitor gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A text or a choice, and for a phone number where it is dialled (ISO 3166, two letters).
    Given {
        /// As the visitor typed or chose it.
        value: String,
        /// The country of a phone number that is written without its code.
        country: Option<String>,
    },
    /// Nothing, on purpose.
    Skipped,
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
    /// The answer is not of the kind that was asked for.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
}

/// Why an answer is not of the kind that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidInput {
    /// None of the choices.
    #[error("expected one of the choices of the card")]
    NotAChoice,
    /// No e-mail address.
    #[error(transparent)]
    Email(#[from] BadEmail),
    /// No phone number.
    #[error(transparent)]
    Phone(#[from] BadPhone),
    /// The card cannot be skipped.
    #[error("an answer is required here")]
    Required,
}

/// What came of a command.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Happened {
    /// The events, in order.
    pub events: Vec<Event>,
    /// What was said, in order.
    pub entries: Vec<Entry>,
    /// What is now known of the visitor.
    pub attributes: Vec<(AttributeName, String)>,
}

/// Decides what comes of a command.
///
/// # Errors
/// A [`Refusal`]; then nothing happened.
pub fn decide<'d>(state: State<'d>, command: Command, context: &mut Context<'_>) -> Result<(State<'d>, Happened), Refusal> {
    let mut step = Step { state, happened: Happened::default(), context };
    step.begin();
    match command {
        Command::Load(widget) => step.of_widget(EventType::WidgetLoaded, None, &widget, None),
        Command::Report(report) => step.report(report),
        Command::Open => step.open()?,
        Command::Answer(answer) => step.answer(answer)?,
    }
    Ok((step.state, step.happened))
}

/// A decision in the making.
struct Step<'d, 'c, 'x> {
    state: State<'d>,
    happened: Happened,
    context: &'x mut Context<'c>,
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

    fn talk(&mut self) -> Result<&mut Talk<'d>, Refusal> {
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
        self.trigger();
        if standing == Standing::Offered {
            self.speak(document.first());
        }
        Ok(())
    }

    fn answer(&mut self, answer: Answer) -> Result<(), Refusal> {
        let phones = self.context.phones;
        let talk = self.talk()?;
        let document = talk.document;
        let Standing::At(card) = &talk.progress.standing else { return Err(Refusal::NotWaiting) };
        if answer.turn != talk.progress.turn || answer.card != *card {
            return Err(Refusal::NotCurrent { given: answer.turn, current: talk.progress.turn });
        }
        let Some(card) = document.position(card).map(|index| &document.cards[index]) else { return Err(Refusal::NotWaiting) };
        let taken = take(card, &answer.input, phones)?;

        talk.progress.answered = true;
        self.trigger();
        self.once(|counted| &mut counted.engaged, EventType::ConversationEngaged, None);
        self.say(Author::Visitor, &card.id, taken.shown);
        if let Some((kind, value)) = taken.contact {
            let fields = [("card", Value::from(card.id.as_str())), ("value", Value::from(value))];
            self.of_talk(kind, None, fields);
        }
        self.happened.attributes.extend(taken.attribute);
        let next = match taken.choice {
            Some(index) => document.ways(card).get(index).and_then(|(_, next)| *next),
            None => document.ways(card).first().and_then(|(_, next)| *next),
        };
        self.speak(next);
        Ok(())
    }

    /// The bot speaks until it waits or the conversation ends.
    fn speak(&mut self, from: Option<&'d CardId>) {
        let Some(talk) = &mut self.state.talk else { return };
        let walk = talk.document.walk(from);
        match walk.stop {
            Stop::Waits(card) => {
                talk.progress.standing = Standing::At(card.id.clone());
                talk.progress.turn += 1;
            }
            Stop::Ended(_) | Stop::Lost => talk.progress.standing = Standing::Ended,
        }
        let ended = talk.progress.standing == Standing::Ended;
        for (card, text) in walk.said {
            self.say(Author::Bot, card, Some(text.to_owned()));
        }
        if ended {
            self.once(|counted| &mut counted.completed, EventType::ConversationCompleted, None);
        }
    }

    fn say(&mut self, author: Author, card: &CardId, text: Option<String>) {
        let Some(talk) = &mut self.state.talk else { return };
        talk.progress.entries += 1;
        self.happened.entries.push(Entry { number: talk.progress.entries, author, card: card.clone(), text });
    }

    /// A conversation that is shown is triggered, unless it is over.
    fn trigger(&mut self) {
        if self.state.talk.as_ref().is_some_and(|talk| talk.progress.standing != Standing::Ended) {
            self.once(|counted| &mut counted.triggered, EventType::ConversationTriggered, None);
        }
    }

    /// Closing counts only before the end, and only of what was shown.
    fn close(&mut self, named: Option<(EventId, Timestamp)>) {
        let open = self.state.talk.as_ref().is_some_and(|talk| talk.progress.standing != Standing::Ended);
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
    fn of_talk<const N: usize>(&mut self, kind: EventType, named: Option<(EventId, Timestamp)>, more: [(&str, Value); N]) {
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
            data.insert("kind".to_owned(), format!("{contact:?}").into());
        }
        self.event(kind, named, data, false);
    }

    fn event(&mut self, kind: EventType, named: Option<(EventId, Timestamp)>, data: Data, of_talk: bool) {
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

/// An answer that was accepted.
struct Taken {
    /// What the transcript shows.
    shown: Option<String>,
    /// What is now known of the visitor.
    attribute: Option<(AttributeName, String)>,
    /// The contact event it causes.
    contact: Option<(EventType, String)>,
    /// The choice that decides the way on.
    choice: Option<usize>,
}

fn take(card: &crate::conversation::Card, input: &Input, phones: &dyn PhoneRules) -> Result<Taken, InvalidInput> {
    match (&card.body, input) {
        (Body::Question { choices, attribute, .. }, Input::Given { value, .. }) => {
            let (index, choice) =
                choices.iter().enumerate().find(|(_, choice)| choice.value() == value).ok_or(InvalidInput::NotAChoice)?;
            let attribute = attribute.clone().map(|name| (name, choice.value().to_owned()));
            Ok(Taken { shown: Some(choice.label.clone()), attribute, contact: None, choice: Some(index) })
        }
        (Body::Capture { field, .. }, Input::Given { value, country }) => {
            let (kind, value) = match field {
                CaptureField::Email => (EventType::InputEmail, value.parse::<Email>()?.to_string()),
                CaptureField::Phone => (EventType::InputPhone, phones.parse(value, country.as_deref())?.to_string()),
            };
            // The fields' own names are valid attribute names.
            let attribute = field.name().parse().ok().map(|name| (name, value.clone()));
            Ok(Taken { shown: Some(value.clone()), attribute, contact: Some((kind, value)), choice: None })
        }
        (Body::Capture { optional: true, .. }, Input::Skipped) => {
            Ok(Taken { shown: None, attribute: None, contact: None, choice: None })
        }
        _ => Err(InvalidInput::Required),
    }
}
