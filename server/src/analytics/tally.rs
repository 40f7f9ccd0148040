//! What an event adds to the figures. Nothing here reads or writes.

use std::ops::{AddAssign, Index, IndexMut};

use jiff::Timestamp;
use porchlight_domain::{
    event::{Event, EventType},
    id::{AgentId, ChatId},
};
use serde_json::Value;
use url::Url;

macro_rules! figures {
    ($($figure:ident = $name:literal, $about:literal;)*) => {
        /// Something that is counted or summed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Figure { $(#[doc = $about] $figure,)* }

        impl Figure {
            /// All, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$figure,)*];

            /// Its name: the column that keeps it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$figure => $name,)* }
            }
        }
    };
}

figures! {
    Triggered = "triggered", "Conversations that were shown.";
    Engaged = "engaged", "Conversations that got a first response.";
    Completed = "completed", "Conversations of which an end was reached.";
    Closed = "closed", "Conversations that were closed before their end.";
    Acquired = "acquired", "People acquired: addresses that were given, once for each visitor and session.";
    Contacts = "contacts", "New contacts: visitors who gave an address or a number for the first time.";
    Emails = "emails", "Addresses that were given, each time.";
    Phones = "phones", "Phone numbers that were given, each time.";
    Meetings = "meetings", "Meetings that were booked.";
    MeetingsCancelled = "meetings_cancelled", "Meetings that were called off.";
    ChatsRequested = "chats_requested", "Live chats that were asked for.";
    ChatsAnswered = "chats_answered", "Live chats that an agent accepted.";
    ChatsMissed = "chats_missed", "Live chats that ended before an agent had accepted.";
    Waits = "waits", "Chats of which it is known how long their visitors waited for an agent.";
    Waited = "waited", "How long they waited, all together, in milliseconds.";
    Answers = "answers", "Chats in which an agent wrote something.";
    Answering = "answering", "How long the first message took from the moment the chat was accepted, all together, in milliseconds.";
    Surveys = "surveys", "Surveys that were given.";
    Rated = "rated", "Surveys that hold a rating.";
    Rating = "rating", "Their ratings, all together: each from 0, the worst, to 10,000, the best.";
    Callbacks = "callbacks", "Call backs that were asked for.";
    CallbacksCompleted = "callbacks_completed", "Calls that were made.";
}

/// How many figures there are.
pub const FIGURES: usize = Figure::ALL.len();

/// All figures of something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures([i64; FIGURES]);

impl Figures {
    /// One figure, and nothing else.
    fn one(figure: Figure) -> Self {
        Self::default().and(figure, 1)
    }

    /// The same with something added to a figure.
    #[must_use]
    pub fn and(mut self, figure: Figure, number: i64) -> Self {
        self[figure] += number;
        self
    }

    /// Whether there is nothing in them.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|number| *number == 0)
    }
}

impl Index<Figure> for Figures {
    type Output = i64;

    fn index(&self, figure: Figure) -> &i64 {
        &self.0[figure as usize]
    }
}

impl IndexMut<Figure> for Figures {
    fn index_mut(&mut self, figure: Figure) -> &mut i64 {
        &mut self.0[figure as usize]
    }
}

impl AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        for (own, other) in self.0.iter_mut().zip(other.0) {
            *own += other;
        }
    }
}

/// What is told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    /// Nothing: all of a site.
    All,
    /// Its conversations.
    Conversation,
    /// The pages that visitors were on.
    Page,
    /// Its agents.
    Agent,
}

impl Dimension {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Conversation => "conversation",
            Self::Page => "page",
            Self::Agent => "agent",
        }
    }
}

/// What the pages are called that are not told apart, because there are too many.
pub const OTHER_PAGES: &str = "(other)";

/// The longest address of a page that is told apart, in characters; of a longer one its beginning counts.
const PAGE_MAX: usize = 500;

/// A day in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// The day of a moment, counted in UTC since 1970.
#[must_use]
pub fn day_of(moment: Timestamp) -> i64 {
    moment.as_millisecond().div_euclid(DAY_MS)
}

/// The page that an address is of: its origin and path, without what follows `?` and `#`, which may be anybody's.
#[must_use]
pub fn page_of(address: &str) -> String {
    let page = match Url::parse(address) {
        // Whatever has no such origin is told apart by what it says.
        Ok(url) if url.has_host() && url.origin().is_tuple() => format!("{}{}", url.origin().ascii_serialization(), url.path()),
        _ => address.split(['?', '#']).next().unwrap_or_default().to_owned(),
    };
    page.chars().take(PAGE_MAX).collect()
}

/// What has to be looked up before an event can be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// Nothing.
    Nothing,
    /// What the visitor gave before.
    Given,
    /// What is known of a chat.
    Chat(ChatId),
    /// The survey that was given of a chat.
    Survey(ChatId),
}

/// What was looked up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// Whether the visitor had given an address or a number before.
    pub(crate) gave: bool,
    /// Whether they had given an address in this session before.
    pub(crate) gave_address_now: bool,
    /// The chat, if its beginning was counted.
    pub(crate) chat: Option<ChatKnown>,
    /// The survey, if it is still there.
    pub(crate) survey: Option<SurveyKnown>,
}

/// What is known of a chat that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChatKnown {
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When an agent accepted it.
    pub accepted_at: Option<Timestamp>,
    /// Whether an agent has written in it.
    pub answered: bool,
}

/// What is known of a survey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SurveyKnown {
    /// Who held the chat last.
    pub(crate) agent: Option<AgentId>,
    /// Its rating, from 0 to 10,000, if it holds one.
    pub(crate) rating: Option<i64>,
}

/// What an event adds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Adds {
    /// To the figures of its site, conversation and page, and of its agent if it has one.
    pub(crate) figures: Figures,
    /// Whose doing it is.
    pub(crate) agent: Option<AgentId>,
    /// The chat as it is known from now on; `None` in it: it is over.
    pub(crate) chat: Option<(ChatId, Option<ChatKnown>)>,
}

fn named<T: std::str::FromStr>(event: &Event, field: &str) -> Option<T> {
    event.data.get(field).and_then(Value::as_str)?.parse().ok()
}

/// What has to be looked up before an event can be counted.
pub(crate) fn lookup(event: &Event) -> Lookup {
    let chat = || named::<ChatId>(event, "chat");
    match event.kind {
        EventType::InputEmail | EventType::InputPhone => Lookup::Given,
        EventType::LivechatInitiated | EventType::MessageReceived => chat().map_or(Lookup::Nothing, Lookup::Chat),
        EventType::SurveySubmitted => chat().map_or(Lookup::Nothing, Lookup::Survey),
        _ => Lookup::Nothing,
    }
}

/// What an event adds, with what was looked up for it.
pub(crate) fn adds(event: &Event, known: Known) -> Adds {
    let one = |figure| Adds { figures: Figures::one(figure), ..Adds::default() };
    let of_agent = |figure| Adds { agent: named(event, "agentID"), ..one(figure) };
    let chat = named::<ChatId>(event, "chat");
    let since = |moment: Timestamp| (event.time.as_millisecond() - moment.as_millisecond()).max(0);
    match event.kind {
        EventType::ConversationTriggered => one(Figure::Triggered),
        EventType::ConversationEngaged => one(Figure::Engaged),
        EventType::ConversationCompleted => one(Figure::Completed),
        EventType::ConversationClosed => one(Figure::Closed),
        EventType::InputEmail | EventType::InputPhone => {
            let address = event.kind == EventType::InputEmail;
            let mut adds = one(if address { Figure::Emails } else { Figure::Phones });
            adds.figures[Figure::Acquired] = i64::from(address && !known.gave_address_now);
            adds.figures[Figure::Contacts] = i64::from(!known.gave);
            adds
        }
        EventType::MeetingBooked => of_agent(Figure::Meetings),
        EventType::MeetingCancelled => of_agent(Figure::MeetingsCancelled),
        EventType::LivechatRequested => {
            let begun = ChatKnown { requested_at: event.time, accepted_at: None, answered: false };
            Adds { chat: chat.map(|chat| (chat, Some(begun))), ..one(Figure::ChatsRequested) }
        }
        EventType::LivechatInitiated => {
            let mut adds = of_agent(Figure::ChatsAnswered);
            if let (Some(chat), Some(before)) = (chat, known.chat) {
                adds.figures = adds.figures.and(Figure::Waits, 1).and(Figure::Waited, since(before.requested_at));
                adds.chat = Some((chat, Some(ChatKnown { accepted_at: Some(event.time), ..before })));
            }
            adds
        }
        EventType::MessageReceived => match (chat, known.chat) {
            (Some(chat), Some(before @ ChatKnown { accepted_at: Some(accepted), answered: false, .. })) => {
                let mut adds = of_agent(Figure::Answers);
                adds.figures[Figure::Answering] = since(accepted);
                adds.chat = Some((chat, Some(ChatKnown { answered: true, ..before })));
                adds
            }
            _ => Adds::default(),
        },
        EventType::LivechatEnded | EventType::LivechatTimeout => {
            let accepted = match event.kind {
                EventType::LivechatTimeout => event.data.get("online").and_then(Value::as_bool).unwrap_or_default(),
                _ => event.data.get("agentID").is_some_and(Value::is_string),
            };
            let adds = if accepted { Adds::default() } else { one(Figure::ChatsMissed) };
            Adds { chat: chat.map(|chat| (chat, None)), ..adds }
        }
        EventType::SurveySubmitted => {
            let mut adds = one(Figure::Surveys);
            if let Some(survey) = known.survey {
                adds.agent = survey.agent;
                if let Some(rating) = survey.rating {
                    adds.figures = adds.figures.and(Figure::Rated, 1).and(Figure::Rating, rating);
                }
            }
            adds
        }
        EventType::CallbackRequested => one(Figure::Callbacks),
        EventType::CallbackCompleted => of_agent(Figure::CallbacksCompleted),
        _ => Adds::default(),
    }
}

/// The rating of a survey, from 0 to 10,000: the mean of its ratings, each as its place on its scale. Of what is no rating there is none.
pub(crate) fn rating(given: impl IntoIterator<Item = (String, Option<(u8, u8)>)>) -> Option<i64> {
    let (mut sum, mut count) = (0, 0);
    for (value, scale) in given {
        if let (Ok(number), Some((least, most))) = (value.parse::<i64>(), scale)
            && most > least
        {
            let (least, most) = (i64::from(least), i64::from(most));
            sum += (number.clamp(least, most) - least) * 10_000 / (most - least);
            count += 1;
        }
    }
    (count > 0).then(|| sum / count)
}

/// The lengths of spans that are summed, in days.
pub(crate) const SPANS: [i64; 3] = [1, 8, 64];

/// A run of spans of one length: from a first day on, to before a last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) span: i64,
    pub(crate) from: i64,
    pub(crate) before: i64,
}

/// The fewest spans that are exactly the days from a first to before a last: at most five runs.
pub(crate) fn runs(first: i64, before: i64) -> Vec<Run> {
    let mut runs = Vec::new();
    let (mut from, mut to) = (first, before.max(first));
    for (span, next) in SPANS.into_iter().zip(SPANS.into_iter().skip(1)) {
        let up = (from + next - 1).div_euclid(next) * next;
        let inner = up.min(to);
        let outer = (to.div_euclid(next) * next).max(inner);
        runs.extend([Run { span, from, before: inner }, Run { span, from: outer, before: to }]);
        (from, to) = (inner, outer);
    }
    runs.push(Run { span: SPANS[SPANS.len() - 1], from, before: to });
    runs.retain(|run| run.from < run.before);
    runs
}

#[cfg(test)]
mod tests {
    use porchlight_domain::id::uuid_v7;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn event(kind: EventType, data: &Value) -> Event {
        let id = |number: u8| uuid_v7(1, &[number; 10]).to_string();
        serde_json::from_value(json!({
            "id": id(1), "type": kind.name(), "seq": 7, "time": "2026-11-21T08:00:30Z", "site": "shop", "visitor": id(2),
            "session": id(3), "conversation": "welcome", "page": "https://shop.example/bikes?a=b", "data": data,
        }))
        .unwrap()
    }

    fn chat() -> ChatId {
        ChatId::new(uuid_v7(1, &[4; 10]))
    }

    fn agent() -> AgentId {
        AgentId::new(uuid_v7(1, &[5; 10]))
    }

    fn of_chat() -> Value {
        json!({ "chat": chat().to_string(), "agentID": agent().to_string() })
    }

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    fn sum(pairs: &[(Figure, i64)]) -> Figures {
        pairs.iter().fold(Figures::default(), |sum, (figure, number)| sum.and(*figure, *number))
    }

    #[test]
    fn pages_are_told_apart_by_origin_and_path() {
        for (address, page) in [
            ("https://shop.example/bikes?utm=1#top", "https://shop.example/bikes"),
            ("https://SHOP.example:443", "https://shop.example/"),
            ("http://shop.example:8080/a%20b/", "http://shop.example:8080/a%20b/"),
            ("about:blank?x", "about:blank"),
            ("no address#x", "no address"),
            ("", ""),
        ] {
            assert_eq!(page_of(address), page);
        }
        let long = format!("https://shop.example/{}", "é".repeat(600));
        assert_eq!(page_of(&long).chars().count(), PAGE_MAX);
    }

    #[test]
    fn a_contact_is_new_once_and_acquired_once_a_session() {
        let given = event(EventType::InputEmail, &json!({ "value": "ada@example.com" }));
        assert_eq!(lookup(&given), Lookup::Given);
        let first = adds(&given, Known::default()).figures;
        assert_eq!(first, sum(&[(Figure::Emails, 1), (Figure::Acquired, 1), (Figure::Contacts, 1)]));
        let in_another_session = adds(&given, Known { gave: true, ..Known::default() }).figures;
        assert_eq!(in_another_session, sum(&[(Figure::Emails, 1), (Figure::Acquired, 1)]));
        let again = adds(&given, Known { gave: true, gave_address_now: true, ..Known::default() }).figures;
        assert_eq!(again, sum(&[(Figure::Emails, 1)]));
        let phone = adds(&event(EventType::InputPhone, &json!({})), Known::default()).figures;
        assert_eq!(phone, sum(&[(Figure::Phones, 1), (Figure::Contacts, 1)]), "a number acquires nobody, as Dynamic Chat counts");
    }

    #[test]
    fn waiting_and_answering_are_timed_once() {
        let requested = adds(&event(EventType::LivechatRequested, &of_chat()), Known::default());
        assert_eq!((requested.figures, requested.agent), (sum(&[(Figure::ChatsRequested, 1)]), None), "who is asked did nothing");
        let begun = ChatKnown { requested_at: at("2026-11-21T08:00:00Z"), accepted_at: None, answered: false };
        let accepted = adds(&event(EventType::LivechatInitiated, &of_chat()), Known { chat: Some(begun), ..Known::default() });
        assert_eq!(accepted.figures, sum(&[(Figure::ChatsAnswered, 1), (Figure::Waits, 1), (Figure::Waited, 30_000)]));
        assert_eq!(accepted.agent, Some(agent()));
        let (_, known) = accepted.chat.unwrap();
        assert_eq!(known.unwrap().accepted_at, Some(at("2026-11-21T08:00:30Z")));
        let earlier = ChatKnown { accepted_at: Some(at("2026-11-21T08:00:20Z")), ..begun };
        let wrote = adds(&event(EventType::MessageReceived, &of_chat()), Known { chat: Some(earlier), ..Known::default() });
        assert_eq!(wrote.figures, sum(&[(Figure::Answers, 1), (Figure::Answering, 10_000)]));
        let known = wrote.chat.unwrap().1;
        let again = adds(&event(EventType::MessageReceived, &of_chat()), Known { chat: known, ..Known::default() });
        assert_eq!(again, Adds::default());
        let unknown = adds(&event(EventType::LivechatInitiated, &of_chat()), Known::default());
        assert_eq!(unknown.figures, sum(&[(Figure::ChatsAnswered, 1)]), "how long is not known");
    }

    #[test]
    fn a_chat_that_nobody_accepted_was_missed() {
        let chat = chat().to_string();
        for (kind, data, missed) in [
            (EventType::LivechatTimeout, json!({ "chat": chat, "online": false, "reason": "unanswered" }), 1),
            (EventType::LivechatTimeout, json!({ "chat": chat, "online": true, "reason": "visitor_idle" }), 0),
            (EventType::LivechatEnded, json!({ "chat": chat, "agentID": null }), 1),
            (EventType::LivechatEnded, of_chat(), 0),
        ] {
            let adds = adds(&event(kind, &data), Known::default());
            assert_eq!((adds.figures[Figure::ChatsMissed], adds.chat.unwrap().1), (missed, None), "{data}");
        }
    }

    #[test]
    fn a_survey_counts_for_who_held_the_chat() {
        let event = event(EventType::SurveySubmitted, &json!({ "widget": "launcher", "chat": chat().to_string() }));
        assert_eq!(lookup(&event), Lookup::Survey(chat()));
        let survey = SurveyKnown { agent: Some(agent()), rating: Some(7_500) };
        let counted = adds(&event, Known { survey: Some(survey), ..Known::default() });
        assert_eq!(counted.figures, sum(&[(Figure::Surveys, 1), (Figure::Rated, 1), (Figure::Rating, 7_500)]));
        assert_eq!(counted.agent, Some(agent()));
        assert_eq!(adds(&event, Known::default()).figures, sum(&[(Figure::Surveys, 1)]), "it was erased since");
    }

    #[test]
    fn ratings_of_different_scales_are_one() {
        let given = |pairs: &[(&str, Option<(u8, u8)>)]| {
            rating(pairs.iter().map(|(value, scale)| ((*value).to_owned(), *scale)).collect::<Vec<_>>())
        };
        assert_eq!(given(&[("4", Some((1, 5)))]), Some(7_500));
        assert_eq!(given(&[("5", Some((1, 5))), ("5", Some((0, 10)))]), Some(7_500));
        assert_eq!(given(&[("words", None)]), None);
        assert_eq!(given(&[("words", Some((1, 5)))]), None);
        assert_eq!(given(&[("11", Some((0, 10)))]), Some(10_000));
    }

    #[test]
    fn a_year_is_read_from_few_spans() {
        for first in 20_000..20_064 {
            let spans: i64 = runs(first, first + 365).iter().map(|run| (run.before - run.from) / run.span).sum();
            assert!(spans <= 33, "{first}: {spans}");
        }
    }

    proptest! {
        #[test]
        fn runs_are_the_days_and_no_others(first in -200_i64..40_000, days in 0_i64..800) {
            let mut all: Vec<i64> = Vec::new();
            let runs = runs(first, first + days);
            for run in &runs {
                prop_assert!(run.from.rem_euclid(run.span) == 0 && (run.before - run.from) % run.span == 0);
                all.extend(run.from..run.before);
            }
            all.sort_unstable();
            prop_assert_eq!(all, (first..first + days).collect::<Vec<_>>());
            prop_assert!(runs.len() <= 5);
        }
    }
}
