//! The one table of events. The browser's dispatch, the log, the reference page and the TypeScript types all come from here.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// One row of the catalogue.
#[derive(Debug)]
pub struct Entry {
    /// The event's type.
    pub kind: EventType,
    /// The type as text, such as `conversation.engaged`.
    pub name: &'static str,
    /// When it fires, in a sentence for the reference page.
    pub when: &'static str,
    /// The fields of `data`.
    pub fields: &'static [&'static Field],
    /// Its name under `AdobeDX.Enum.Events`, and what its payload carries beyond the usual.
    pub adobe: Option<Adobe>,
    /// The CTLive message it is also told as.
    pub ctlive: Option<CtLive>,
}

/// One field of an event's `data`.
#[derive(Debug)]
pub struct Field {
    /// Its name in `data`.
    pub name: &'static str,
    /// Its type, as TypeScript writes it.
    pub ts: &'static str,
    /// What it holds.
    pub about: &'static str,
    /// A contact detail: the server's copy carries it, the browser's does not unless the site switches that on.
    pub contact: bool,
}

/// How an event is told to listeners added by `AdobeDX.addListener`.
#[derive(Debug)]
pub struct Adobe {
    /// The name in `AdobeDX.Enum.Events`.
    pub name: &'static str,
    /// Payload fields beyond those of every event: (name, where it comes from in the envelope).
    pub extra: &'static [(&'static str, &'static str)],
}

/// How an event is told as a CTLive message.
#[derive(Debug)]
pub struct CtLive {
    /// The message's `type`.
    pub name: &'static str,
    /// The message's `object`: (name, where it comes from in the envelope).
    pub object: &'static [(&'static str, &'static str)],
    /// Told only if this field of the envelope is true.
    pub only_if: Option<&'static str>,
}

/// A text is no event type of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no event type; docs/events.md lists them")]
pub struct UnknownEventType(pub String);

macro_rules! fields {
    ($($name:ident = $text:literal : $ts:literal, $about:literal $(, $contact:ident)?;)*) => {
        $(const $name: Field = Field { name: $text, ts: $ts, about: $about, contact: fields!(@ $($contact)?) };)*
    };
    (@) => { false };
    (@ contact) => { true };
}

fields! {
    ELEMENT = "element": "string", "the id of the widget's element on the page";
    WIDGET = "widget": "string", "the widget's own id";
    KIND = "kind": "\"Chat\" | \"CallbackNow\" | \"CallbackLater\" | \"ClickToCall\"", "the kind of contact it offers";
    NAME = "name": "string", "the conversation's name";
    TYPE = "type": "\"dialogue\" | \"conversationFlow\"", "what the conversation is";
    UI_TYPE = "uiType": "\"popup\" | \"chatbot\" | \"inline\"", "how the conversation is shown";
    CARD = "card": "string", "the card that asked";
    FIELD = "field": "string", "the attribute the answer is kept as";
    VALUE = "value": "string", "the address or number itself; on the server only, unless the site shows contact details to its pages", contact;
    AGENT_NAME = "agentName": "string | null", "the agent's name";
    AGENT_ID = "agentID": "string | null", "the agent's id";
    MEETING_INFO = "meetingInfo": "MeetingInfo", "the meeting: id, start and end (RFC 3339 with offset), time zone, title, location, address of its ICS file";
    CHAT = "chat": "string", "the live chat's id";
    USERS = "users": "string[]", "the ids of visitor and agents in the chat";
    SURVEY = "surveyConfigured": "boolean", "whether a survey follows";
    ONLINE = "online": "boolean", "whether an agent had accepted";
    REASON = "reason": "\"unanswered\" | \"visitor_idle\" | \"visitor_dropped\"", "why it ended";
    DOCUMENT = "document": "string", "the document's name";
    GOAL = "goal": "string", "the goal's name";
    CALLBACK = "callback": "string", "the call back's id";
    OUTCOME = "outcome": "\"reached\" | \"not_reached\" | \"wrong_number\"", "what came of the call";
    MESSAGE = "message": "string", "the message's id; its text is in the transcript only";
}

const AGENT: &[(&str, &str)] = &[("agentName", "data.agentName"), ("agentID", "data.agentID")];
const MEETING: &[(&str, &str)] =
    &[("agentName", "data.agentName"), ("agentID", "data.agentID"), ("meetingInfo", "data.meetingInfo")];
const OF_WIDGET: &[(&str, &str)] = &[("elementID", "data.element"), ("widgetID", "data.widget"), ("userID", "visitor")];
const OF_CLICK: &[(&str, &str)] =
    &[("elementID", "data.element"), ("widgetID", "data.widget"), ("userID", "visitor"), ("type", "data.kind")];
const OF_FORM: &[(&str, &str)] = &[("widgetID", "data.widget"), ("userID", "visitor"), ("type", "data.kind")];
const OF_CHAT: &[(&str, &str)] = &[("chatID", "data.chat"), ("userID", "visitor")];
const OF_ONLINE: &[(&str, &str)] = &[("chatID", "data.chat"), ("users", "data.users")];
const OF_FINISH: &[(&str, &str)] =
    &[("chatID", "data.chat"), ("userID", "visitor"), ("isSurveyConfigured", "data.surveyConfigured")];
const OF_SURVEY: &[(&str, &str)] = &[("widgetID", "data.widget"), ("chatID", "data.chat"), ("userID", "visitor")];

macro_rules! catalogue {
    ($(
        $kind:ident = $name:literal, $when:literal,
        [$($field:ident),*]
        $(, adobe $adobe:literal $(+ $extra:ident)?)?
        $(, ctlive $ctlive:literal $object:ident $(if $only_if:literal)?)?;
    )*) => {
        /// What happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(into = "&'static str", try_from = "String")]
        #[repr(u8)]
        pub enum EventType {
            $(#[doc = $when] $kind,)*
        }

        /// Every event there is, in the order of the contract.
        pub static CATALOGUE: &[Entry] = &[$(
            Entry {
                kind: EventType::$kind,
                name: $name,
                when: $when,
                fields: &[$(&$field),*],
                adobe: catalogue!(@adobe $($adobe $($extra)?)?),
                ctlive: catalogue!(@ctlive $($ctlive $object $($only_if)?)?),
            },
        )*];
    };
    (@adobe) => { None };
    (@adobe $name:literal) => { Some(Adobe { name: $name, extra: &[] }) };
    (@adobe $name:literal $extra:ident) => { Some(Adobe { name: $name, extra: $extra }) };
    (@ctlive) => { None };
    (@ctlive $name:literal $object:ident) => { Some(CtLive { name: $name, object: $object, only_if: None }) };
    (@ctlive $name:literal $object:ident $only_if:literal) => {
        Some(CtLive { name: $name, object: $object, only_if: Some($only_if) })
    };
}

catalogue! {
    WidgetLoaded = "widget.loaded", "The loader runs and the site's configuration has been read.",
        [ELEMENT, WIDGET], ctlive "Loaded" OF_WIDGET;
    WidgetShown = "widget.shown", "A launcher, popup or inline widget becomes visible; once per widget on the page.",
        [ELEMENT, WIDGET], ctlive "WidgetShown" OF_WIDGET;
    WidgetHidden = "widget.hidden", "A widget stops being visible.",
        [ELEMENT, WIDGET], ctlive "WidgetHidden" OF_WIDGET;
    WidgetClicked = "widget.clicked", "The visitor activates a widget.",
        [ELEMENT, WIDGET, KIND], ctlive "WidgetClicked" OF_CLICK;

    ConversationTriggered = "conversation.triggered", "A conversation that targets this page and visitor is resolved and shown.",
        [NAME, TYPE, UI_TYPE], adobe "CONVERSATION_TRIGGERED";
    ConversationEngaged = "conversation.engaged", "The visitor's first response; opening the panel is not a response.",
        [NAME, TYPE, UI_TYPE], adobe "CONVERSATION_ENGAGED";
    ConversationCompleted = "conversation.completed", "The end of any branch is reached.",
        [NAME, TYPE, UI_TYPE], adobe "CONVERSATION_COMPLETED";
    ConversationClosed = "conversation.closed", "The visitor closes the conversation before its end.",
        [NAME, TYPE, UI_TYPE], adobe "CONVERSATION_CLOSED";

    InputPhone = "input.phone", "A valid phone number is given.",
        [NAME, TYPE, UI_TYPE, CARD, VALUE], adobe "CONVERSATION_INPUT_PHONE";
    InputEmail = "input.email", "A valid e-mail address is given.",
        [NAME, TYPE, UI_TYPE, CARD, VALUE], adobe "CONVERSATION_INPUT_EMAIL";
    InputCaptured = "input.captured", "Any other field is given; the event holds the field's name only.",
        [NAME, TYPE, UI_TYPE, CARD, FIELD];

    MeetingBooked = "meeting.booked", "A meeting is on an agent's calendar.",
        [NAME, TYPE, UI_TYPE, AGENT_NAME, AGENT_ID, MEETING_INFO], adobe "CONVERSATION_MEETING_BOOKED" + MEETING;
    MeetingRescheduled = "meeting.rescheduled", "A meeting was moved to another time.",
        [NAME, TYPE, UI_TYPE, AGENT_NAME, AGENT_ID, MEETING_INFO];
    MeetingCancelled = "meeting.cancelled", "A meeting was called off.",
        [NAME, TYPE, UI_TYPE, AGENT_NAME, AGENT_ID, MEETING_INFO];

    LivechatRequested = "livechat.requested", "The visitor asks for an agent and an available one is being resolved.",
        [NAME, TYPE, UI_TYPE, CHAT, AGENT_NAME, AGENT_ID],
        adobe "CONVERSATION_LIVE_CHAT_REQUESTED" + AGENT, ctlive "ChatStarted" OF_CHAT;
    LivechatInitiated = "livechat.initiated", "An agent accepts.",
        [NAME, TYPE, UI_TYPE, CHAT, AGENT_NAME, AGENT_ID, USERS],
        adobe "CONVERSATION_LIVE_CHAT_INITIATED" + AGENT, ctlive "ChatOnline" OF_ONLINE;
    LivechatTransferred = "livechat.transferred", "The chat is handed to another agent.",
        [NAME, TYPE, UI_TYPE, CHAT, AGENT_NAME, AGENT_ID, USERS];
    LivechatEnded = "livechat.ended", "Visitor or agent ends the chat.",
        [NAME, TYPE, UI_TYPE, CHAT, AGENT_NAME, AGENT_ID, SURVEY],
        adobe "CONVERSATION_LIVE_CHAT_ENDED" + AGENT, ctlive "ChatFinished" OF_FINISH;
    LivechatTimeout = "livechat.timeout", "The chat ends because nobody accepted, or the visitor fell silent or dropped.",
        [NAME, TYPE, UI_TYPE, CHAT, AGENT_NAME, AGENT_ID, SURVEY, ONLINE, REASON],
        adobe "CONVERSATION_LIVE_CHAT_REQUEST_TIMEOUT" + AGENT, ctlive "ChatFinished" OF_FINISH if "data.online";
    MessageSent = "message.sent", "The visitor wrote to an agent.", [CHAT, MESSAGE];
    MessageReceived = "message.received", "An agent wrote to the visitor.", [CHAT, MESSAGE, AGENT_NAME, AGENT_ID];

    DatacollectionStarted = "datacollection.started", "A contact form that precedes a chat, callback or call is shown.",
        [WIDGET, KIND], ctlive "DatacollectionStarted" OF_FORM;
    DatacollectionSubmitted = "datacollection.submitted", "That form is sent.",
        [WIDGET, KIND], ctlive "DatacollectionSubmitted" OF_FORM;
    SurveyStarted = "survey.started", "The survey after a chat is shown.",
        [WIDGET, CHAT], ctlive "SurveyStarted" OF_SURVEY;
    SurveySubmitted = "survey.submitted", "The survey is sent.",
        [WIDGET, CHAT], ctlive "SurveySubmitted" OF_SURVEY;

    DocumentOpened = "document.opened", "A document is opened.", [NAME, TYPE, UI_TYPE, CARD, DOCUMENT];
    DocumentDownloaded = "document.downloaded", "A document is downloaded.", [NAME, TYPE, UI_TYPE, CARD, DOCUMENT];
    GoalReached = "goal.reached", "The visitor reaches a goal of the conversation.", [NAME, TYPE, UI_TYPE, CARD, GOAL];
    CallbackRequested = "callback.requested", "The visitor asks to be called.", [WIDGET, CALLBACK, KIND];
    CallbackCompleted = "callback.completed", "The call was made.", [WIDGET, CALLBACK, KIND, AGENT_NAME, AGENT_ID, OUTCOME];
    FallbackShown = "fallback.shown", "Nobody is available, and the visitor is shown what is possible instead.",
        [NAME, TYPE, UI_TYPE, CARD];
}

impl EventType {
    /// The event's row of the catalogue.
    #[must_use]
    pub fn entry(self) -> &'static Entry {
        &CATALOGUE[self as usize]
    }

    /// The type as text, such as `conversation.engaged`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.entry().name
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<EventType> for &'static str {
    fn from(kind: EventType) -> Self {
        kind.name()
    }
}

impl FromStr for EventType {
    type Err = UnknownEventType;

    fn from_str(text: &str) -> Result<Self, UnknownEventType> {
        CATALOGUE
            .iter()
            .find(|entry| entry.name == text)
            .map(|entry| entry.kind)
            .ok_or_else(|| UnknownEventType(text.chars().take(80).collect()))
    }
}

impl TryFrom<String> for EventType {
    type Error = UnknownEventType;

    fn try_from(text: String) -> Result<Self, UnknownEventType> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_row_stands_where_its_type_points() {
        for (index, entry) in CATALOGUE.iter().enumerate() {
            assert_eq!(entry.kind as usize, index);
            assert_eq!(entry.name.parse(), Ok(entry.kind));
        }
    }

    #[test]
    fn no_field_hides_one_of_the_envelope_that_is_told() {
        for field in CATALOGUE.iter().flat_map(|entry| entry.fields) {
            assert!(!["visitor", "session", "conversation"].contains(&field.name));
        }
    }

    #[test]
    fn names_are_unique_and_projections_name_real_fields() {
        let names: BTreeSet<_> = CATALOGUE.iter().map(|entry| entry.name).collect();
        assert_eq!(names.len(), CATALOGUE.len());
        for entry in CATALOGUE {
            // What Adobe's payloads always carry.
            let usual = ["name", "type", "uiType"].iter().all(|name| entry.fields.iter().any(|field| field.name == *name));
            assert!(usual || entry.adobe.is_none(), "{}", entry.name);
            let extra = entry.adobe.iter().flat_map(|adobe| adobe.extra);
            let object = entry.ctlive.iter().flat_map(|ctlive| ctlive.object);
            for (_, source) in extra.chain(object) {
                if let Some(field) = source.strip_prefix("data.") {
                    assert!(entry.fields.iter().any(|f| f.name == field), "{}: no field {field}", entry.name);
                } else {
                    assert_eq!(*source, "visitor");
                }
            }
        }
    }
}
