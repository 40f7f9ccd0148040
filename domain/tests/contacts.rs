//! Call backs, calls, forms and surveys: what is asked, what is kept, what the events tell, and how their cards are written.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod model;

use jiff::SignedDuration;
use model::{Around, Subject, Visit, agent, conversation, moment, stored};
use porchlight_domain::{
    callback::{Callback, CallbackCommand, CallbackPhase, NotCalled, Outcome},
    contact::{BadEmail, BadPhone},
    conversation::{Body, Conversation, FieldKind, Purpose, Ui},
    event::{Event, EventType},
    id::{AnswerId, uuid_v7},
    livechat::{Chat, ChatCommand, Ended, Phase},
    schedule::{Availability, Span},
    session::{
        Ask, Author, Beside, CallShown, Choice, Command, ContactKind, FormAsk, Format, Happened, Input, InvalidInput, Prompt,
        Refusal, SlotsOf, Speaker, Submission,
    },
};
use serde_json::{Value, json};

const PHONE: &str = "+493012345678";

/// A visitor of a site with one agent, who is there on weekdays from nine to five.
struct Run<'d> {
    visit: Visit<'d>,
    around: Around,
    chat: Option<Chat>,
    over: Vec<Chat>,
    callbacks: Vec<Callback>,
    submissions: Vec<Submission>,
}

impl<'d> Run<'d> {
    fn new(document: &'d Conversation, now: &str) -> Self {
        let mut around = Around::new(moment(now), 1);
        around.openings.site = Some(weekdays("09:00-17:00"));
        Self { visit: Visit::new(document, 1), around, chat: None, over: vec![], callbacks: vec![], submissions: vec![] }
    }

    /// A visitor who opens the panel on a Tuesday, in the moment in which the site opens.
    fn opened(document: &'d Conversation) -> Self {
        let mut run = Self::new(document, "2026-11-24T09:00:00Z");
        run.does(Command::Open).unwrap();
        run
    }

    /// The call back whose time is being chosen.
    fn choosing(&self) -> Option<&Callback> {
        let choosing = |known: &&Callback| known.phase == CallbackPhase::Choosing && known.card.as_str() == self.visit.at();
        self.callbacks.iter().find(choosing)
    }

    /// Does a command, and keeps what the server would.
    fn does(&mut self, command: Command) -> Result<Happened, Refusal> {
        let of_agent = matches!(command, Command::Callback(_));
        let callback = if of_agent { self.callbacks.last() } else { self.choosing() };
        let subject = Subject { chat: self.chat.clone(), callback: callback.cloned(), ..Subject::default() };
        let (mut state, happened) = self.visit.decide(command, subject, &self.around)?;
        if let Some(callback) = state.callback.take() {
            assert_eq!(stored(&callback), callback, "what is stored is read as it was");
            let id = callback.id;
            match self.callbacks.iter_mut().find(|known| known.id == id) {
                Some(known) => *known = callback,
                None => self.callbacks.push(callback),
            }
        }
        self.over.extend(happened.over.clone());
        if let Some(chat) = state.chat.take() {
            self.chat = Some(chat.clone()).filter(|chat| !chat.is_over());
            self.over.extend(Some(chat).filter(Chat::is_over));
        }
        self.submissions.extend(happened.submission.clone());
        self.visit.keep(state, &happened);
        Ok(happened)
    }

    fn gives(&mut self, input: Input) -> Result<Happened, Refusal> {
        let answer = self.visit.answer(input);
        self.does(answer)
    }

    fn says(&mut self, text: &str) -> Result<Happened, Refusal> {
        self.gives(Input::text(text))
    }

    fn fills(&mut self, fields: &[(&str, &str)]) -> Result<Happened, Refusal> {
        self.gives(Input::Form(fields.iter().map(|(name, typed)| ((*name).to_owned(), vec![(*typed).to_owned()])).collect()))
    }

    fn goes_back(&mut self) -> Result<Happened, Refusal> {
        self.does(Command::Back { turn: self.visit.progress.turn })
    }

    fn chats(&mut self, command: ChatCommand) -> Happened {
        self.does(Command::Chat(command)).unwrap()
    }

    /// The agent accepts, the visitor says something, and the agent ends it.
    fn chats_to_the_end(&mut self) -> Happened {
        self.chats(ChatCommand::Accept { agent: agent(1) });
        self.chats(ChatCommand::Say { id: AnswerId::new(uuid_v7(7, &[7; 10])), text: "Hello".to_owned() });
        self.chats(ChatCommand::AgentEnd { agent: agent(1) })
    }

    fn prompt(&self) -> Prompt {
        self.visit.prompt(Beside { callback: self.choosing(), ..Beside::default() }).unwrap()
    }

    fn said(&self) -> Vec<&str> {
        self.visit.entries.iter().filter_map(|entry| entry.text.as_deref()).collect()
    }

    /// The last event of a kind.
    fn last(&self, kind: EventType) -> &Event {
        self.visit.events.iter().rfind(|event| event.kind == kind).unwrap()
    }
}

fn weekdays(hours: &str) -> Availability {
    let week = ["monday", "tuesday", "wednesday", "thursday", "friday"];
    Availability::read("UTC", &week.map(|day| format!("{day} {hours}")).join("\n")).unwrap()
}

fn kinds(happened: &Happened) -> Vec<&'static str> {
    happened.events.iter().map(|event| event.kind.name()).collect()
}

fn with(mut card: Value, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("{more}") };
    card.as_object_mut().unwrap().extend(more);
    card
}

/// A question after which all is over.
fn question(id: &str, text: &str) -> Value {
    json!({ "id": id, "card": "question", "text": text, "choices": [{ "label": "Ok", "next": "end" }] })
}

/// A card, what comes after it, and another card.
fn document(card: Value) -> Conversation {
    let card = with(card, json!({ "id": "first" }));
    let end = json!({ "id": "end", "card": "end" });
    conversation(&json!([card, question("after", "Thanks"), question("closed", "Write to us"), end]))
}

fn call_back(more: Value) -> Value {
    let card = json!({ "card": "callback", "text": "Your number?", "fallbackText": "Closed now", "fallback": "closed" });
    with(card, more)
}

fn call(more: Value) -> Value {
    let numbers = json!([
        { "number": "+49 30 1234567", "locale": "de" },
        { "number": "+44 20 7946 0000" },
        { "number": "+81 3 1234 5678", "locale": "ja" },
    ]);
    let card = json!({
        "card": "call", "text": "Call us", "numbers": numbers, "fallbackText": "Closed now", "fallback": "closed",
    });
    with(card, more)
}

fn live_chat(more: Value) -> Value {
    with(json!({ "card": "liveChat", "text": "One moment", "fallbackText": "Closed now", "fallback": "closed" }), more)
}

fn form(fields: Value, more: Value) -> Value {
    with(json!({ "card": "form", "text": "About you", "fields": fields }), more)
}

/// A field of a kind, with what that kind must have.
fn field(kind: &str) -> Value {
    let field = json!({ "name": "x", "field": kind, "label": "X" });
    match kind {
        "choice" => {
            let red = json!({ "label": { "en": "Red", "de": "Rot" }, "value": "r" });
            with(field, json!({ "choices": [red, { "label": "Blue\nlight" }] }))
        }
        "consent" => with(field, json!({ "consent": "I agree to everything." })),
        _ => field,
    }
}

const KINDS: [&str; 15] = [
    "text",
    "textArea",
    "name",
    "firstName",
    "lastName",
    "company",
    "email",
    "phone",
    "date",
    "choice",
    "checkBox",
    "stars",
    "smileys",
    "score",
    "consent",
];

/// What is kept of what is typed into a field, or what is wrong with it.
fn kept(field: &Value, typed: &str) -> Result<Option<String>, InvalidInput> {
    let document = document(form(json!([field]), json!({})));
    let mut run = Run::opened(&document);
    match run.fills(&[("x", typed)]) {
        Ok(_) => Ok(run.submissions[0].answers.first().map(|(_, value)| value.clone())),
        Err(Refusal::BadForm(wrong)) => {
            assert_eq!((wrong.len(), wrong[0].0.as_str()), (1, "x"));
            assert!(run.submissions.is_empty() && run.visit.attributes.is_empty(), "nothing is kept of what is refused");
            Err(wrong[0].1)
        }
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn a_call_back_at_once() {
    let document = document(call_back(json!({ "within": 20 })));
    let mut run = Run::opened(&document);
    assert_eq!(run.visit.kinds(), ["conversation.triggered", "datacollection.started"]);
    let started = &run.visit.events[1];
    assert_eq!(Value::from(started.data.clone()), json!({ "widget": "launcher", "kind": "CallbackNow" }));
    assert_eq!(started.conversation.as_ref().map(ToString::to_string).as_deref(), Some("talk"));
    let told = started.ctlive().unwrap();
    let object = json!({ "widgetID": "launcher", "userID": started.visitor.to_string(), "type": "CallbackNow" });
    assert_eq!((told.kind, Value::from(told.object)), ("DatacollectionStarted", object));
    assert_eq!((run.prompt().ask, run.prompt().known, run.prompt().optional), (Ask::Phone, None, false));

    let none = || Input::Given { values: vec![], country: None };
    for (input, why) in [
        (Input::text("call me"), InvalidInput::Phone(BadPhone::NotANumber)),
        (Input::text("03012345678"), InvalidInput::Phone(BadPhone::NotANumber)),
        (Input::text(" "), InvalidInput::Phone(BadPhone::NotANumber)),
        (none(), InvalidInput::Phone(BadPhone::NotANumber)),
        (Input::Skipped, InvalidInput::Required),
    ] {
        assert_eq!(run.gives(input.clone()), Err(Refusal::Invalid(why)), "{input:?}");
    }
    assert_eq!((run.visit.events.len(), run.visit.entries.len(), run.callbacks.len()), (2, 1, 0), "nothing is left of them");

    let asked = run.says(&format!(" {PHONE} ")).unwrap();
    assert_eq!(kinds(&asked), ["conversation.engaged", "input.phone", "datacollection.submitted", "callback.requested"]);
    assert_eq!((&asked.events[1].data["value"], &asked.events[1].data["card"]), (&json!(PHONE), &json!("first")));
    assert_eq!(asked.events[2].data, run.visit.events[1].data, "it is the same form");
    let told = asked.events[2].ctlive().unwrap();
    assert_eq!((told.kind, &told.object["type"]), ("DatacollectionSubmitted", &json!("CallbackNow")));
    let now = moment("2026-11-24T09:00:00Z");
    let promised = Span { start: now, end: now + SignedDuration::from_mins(20) };
    let expected = Callback {
        id: run.callbacks[0].id,
        card: "first".parse().unwrap(),
        kind: ContactKind::CallbackNow,
        phone: PHONE.to_owned(),
        phase: CallbackPhase::Waiting,
        team: None,
        requested_at: now,
        promised: Some(promised),
        not_before: None,
        attempts: 0,
    };
    assert_eq!(run.callbacks, [expected]);
    let data = json!({ "widget": "launcher", "callback": run.callbacks[0].id.to_string(), "kind": "CallbackNow" });
    assert_eq!(Value::from(asked.events[3].data.clone()), data);

    let line = &asked.entries[1];
    assert_eq!((asked.entries[0].text.as_deref(), line.author, line.format), (Some(PHONE), Author::Bot, Format::Callback));
    let shown: CallShown = serde_json::from_str(line.text.as_deref().unwrap()).unwrap();
    let Span { start, end } = promised;
    let expected = CallShown { phone: PHONE.to_owned(), start, end, time_zone: "UTC".to_owned(), chosen: false };
    assert_eq!(shown, expected);
    assert_eq!((run.visit.at(), run.visit.known("phone")), ("after", Some(PHONE)));
    assert_eq!(run.goes_back(), Err(Refusal::NotAllowed), "what was promised is not taken back");
}

#[test]
fn a_number_may_be_written_as_at_home_and_a_widget_has_its_own_name() {
    let document = document(call_back(json!({})));
    let mut run = Run::opened(&document);
    run.gives(Input::Given { values: vec!["03012345678".to_owned()], country: Some("DE".to_owned()) }).unwrap();
    assert_eq!(run.callbacks[0].phone, PHONE);
    let fifteen = SignedDuration::from_mins(15);
    assert_eq!(run.callbacks[0].promised.map(|promised| promised.end), Some(run.around.now + fifteen), "if nothing is said");

    let popup = Conversation { ui: Ui::Popup, ..document.clone() };
    let mut run = Run::opened(&popup);
    run.says(PHONE).unwrap();
    for kind in [EventType::DatacollectionStarted, EventType::DatacollectionSubmitted, EventType::CallbackRequested] {
        assert_eq!(run.last(kind).data["widget"], json!("talk"));
    }
}

#[test]
fn a_call_back_at_a_time_of_choice() {
    let card = json!({ "when": "later", "notice": 60, "horizon": 2, "team": "sales" });
    let document = document(call_back(card));
    let chosen = || {
        let mut run = Run::new(&document, "2026-11-24T09:00:00Z");
        // The team has its own hours, and it is those that count.
        run.around.openings.site = Some(weekdays("00:00-01:00"));
        run.around.openings.teams = [("sales".parse().unwrap(), weekdays("09:00-17:00"))].into();
        run.visit.time_zone = "Asia/Tokyo";
        run.does(Command::Open).unwrap();
        assert_eq!(run.last(EventType::DatacollectionStarted).data["kind"], json!("CallbackLater"));
        let turn = run.visit.progress.turn;
        let given = run.says(PHONE).unwrap();
        assert_eq!(kinds(&given), ["conversation.engaged", "input.phone", "datacollection.submitted"]);
        assert_eq!(given.events[2].data["kind"], json!("CallbackLater"));
        let choosing = run.choosing().unwrap();
        assert_eq!((choosing.kind, choosing.promised, choosing.is_open()), (ContactKind::CallbackLater, None, false));
        assert_eq!((run.prompt().ask, run.prompt().turn), (Ask::Slot(SlotsOf::Callback), turn + 1));
        run
    };
    for (start, free) in [
        ("2026-11-24T08:30:00Z", false),     // it has passed
        ("2026-11-24T09:30:00Z", false),     // too short a notice
        ("2026-11-24T10:00:00Z", true),      // exactly at its edge
        ("2026-11-24T10:10:00Z", false),     // between two times
        ("2026-11-24T10:00:00.001Z", false), // a moment beside one
        ("2026-11-24T19:30:00+09:00", true), // wherever it is written
        ("2026-11-24T16:30:00Z", true),      // the last of the day
        ("2026-11-24T17:00:00Z", false),     // after hours
        ("2026-11-25T00:30:00Z", false),     // the hours of the site
        ("2026-11-26T10:00:00Z", true),      // the last day of the horizon
        ("2026-11-27T10:00:00Z", false),     // beyond it
    ] {
        let mut run = chosen();
        let before = run.callbacks.clone();
        let outcome = run.says(start);
        if !free {
            assert_eq!(outcome, Err(Refusal::SlotTaken { agent: None }), "{start}");
            assert_eq!((&run.callbacks, run.prompt().ask), (&before, Ask::Slot(SlotsOf::Callback)));
            continue;
        }
        let asked = outcome.unwrap();
        assert_eq!(kinds(&asked), ["callback.requested"], "{start}");
        assert_eq!(asked.events[0].data["kind"], json!("CallbackLater"));
        let start = moment(start);
        let promised = Some(Span { start, end: start + SignedDuration::from_mins(30) });
        let expected = Callback { phase: CallbackPhase::Waiting, promised, ..before[0].clone() };
        assert_eq!(run.callbacks, [expected]);
        assert_eq!(
            (run.callbacks[0].from(), run.callbacks[0].team.as_ref().map(ToString::to_string)),
            (start, Some("sales".to_owned()))
        );
        let shown: CallShown = serde_json::from_str(asked.entries[0].text.as_deref().unwrap()).unwrap();
        assert_eq!((shown.start, shown.chosen, shown.time_zone.as_str()), (start, true, "Asia/Tokyo"));
        assert_eq!(run.visit.at(), "after");
        assert_eq!(run.goes_back(), Err(Refusal::NotAllowed));
    }
    let mut run = chosen();
    for (input, why) in [
        (Input::text("at noon"), InvalidInput::NotAChoice),
        (Input::text("2026-11-24"), InvalidInput::NotAChoice),
        (Input::text(""), InvalidInput::NotAChoice),
        (Input::text(PHONE), InvalidInput::NotAChoice),
    ] {
        assert_eq!(run.gives(input.clone()), Err(Refusal::Invalid(why)), "{input:?}");
    }
    assert!(run.choosing().is_some());
}

#[test]
fn going_back_drops_what_was_being_chosen() {
    let document = document(call_back(json!({ "when": "later", "notice": 0 })));
    let mut run = Run::opened(&document);
    assert_eq!(run.goes_back(), Err(Refusal::NotAllowed), "there is nothing to go back to");
    run.says(PHONE).unwrap();
    let events = run.visit.events.len();
    let back = run.goes_back().unwrap();
    assert_eq!((back.taken_back_to, run.visit.events.len()), (Some(1), events));
    assert_eq!((run.callbacks[0].phase, run.callbacks[0].is_open()), (CallbackPhase::Dropped, false));
    assert_eq!((run.prompt().ask, run.prompt().known.as_deref()), (Ask::Phone, Some(PHONE)), "the number is asked for again");
    assert_eq!(run.says("2026-11-24T10:00:00Z"), Err(Refusal::Invalid(InvalidInput::Phone(BadPhone::NotANumber))));

    run.says("+493011111111").unwrap();
    run.says("2026-11-24T10:00:00Z").unwrap();
    let phases: Vec<_> = run.callbacks.iter().map(|callback| (callback.phase, callback.phone.as_str())).collect();
    assert_eq!(phases, [(CallbackPhase::Dropped, PHONE), (CallbackPhase::Waiting, "+493011111111")]);
    assert_ne!(run.callbacks[0].id, run.callbacks[1].id);
    let requested = run.visit.kinds().into_iter().filter(|kind| *kind == "callback.requested").count();
    assert_eq!(requested, 1);

    let forward = Conversation { back: false, ..document.clone() };
    let mut run = Run::opened(&forward);
    run.says(PHONE).unwrap();
    assert_eq!(run.goes_back(), Err(Refusal::NotAllowed), "the author does not allow it");
    assert!(run.choosing().is_some());
}

#[test]
fn whom_no_time_suits_goes_on_with_the_fallback() {
    let document = document(call_back(json!({ "when": "later", "notice": 0 })));
    let mut run = Run::opened(&document);
    assert_eq!(run.gives(Input::Skipped), Err(Refusal::Invalid(InvalidInput::Required)), "the number is needed");
    run.says(PHONE).unwrap();
    assert!(run.prompt().optional);
    let skipped = run.gives(Input::Skipped).unwrap();
    assert_eq!((kinds(&skipped), run.callbacks[0].phase), (vec!["fallback.shown"], CallbackPhase::Dropped));
    let said: Vec<_> = skipped.entries.iter().map(|entry| entry.text.as_deref()).collect();
    assert_eq!(said, [None, Some("Closed now"), Some("Write to us")]);
    assert_eq!(run.visit.at(), "closed", "what follows a call back that is promised is for others");
    assert!(!run.visit.kinds().contains(&"callback.requested"));
}

#[test]
fn an_agent_calls_and_says_what_came_of_it() {
    let document = document(call_back(json!({})));
    let mut run = Run::opened(&document);
    run.says(PHONE).unwrap();
    let by = Speaker { id: agent(1), name: "Ada".to_owned() };
    let complete = || Command::Callback(CallbackCommand::Complete { by: by.clone(), outcome: Outcome::NotReached });
    assert_eq!(run.does(complete()), Err(Refusal::NotCalled(NotCalled::NotYours)), "it is claimed first");
    let claimed = run.does(Command::Callback(CallbackCommand::Claim { agent: agent(1) })).unwrap();
    assert_eq!(claimed, Happened::default());
    let done = run.does(complete()).unwrap();
    let id = run.callbacks[0].id.to_string();
    let data = json!({
        "widget": "launcher", "callback": id, "kind": "CallbackNow", "agentName": "Ada", "agentID": agent(1).to_string(),
        "outcome": "not_reached",
    });
    assert_eq!((kinds(&done), Value::from(done.events[0].data.clone())), (vec!["callback.completed"], data));
    assert_eq!(run.callbacks[0].phase, CallbackPhase::Done { agent: agent(1), outcome: Outcome::NotReached });
    assert_eq!(run.does(complete()), Err(Refusal::NotCalled(NotCalled::NotYours)), "it is told once");
}

#[test]
fn outside_the_hours_a_card_shows_what_is_possible_then() {
    let holiday = |run: &mut Run<'_>| {
        let site = "tuesday 09:00-17:00\n2026-11-24 closed";
        run.around.openings.site = Some(Availability::read("UTC", site).unwrap());
    };
    let nothing = |_: &mut Run<'_>| ();
    let own_hours = |run: &mut Run<'_>| {
        run.around.openings.teams = [("odd".parse().unwrap(), weekdays("18:00-20:00"))].into();
    };
    let always = |run: &mut Run<'_>| run.around.openings.site = None;
    let cards = [call_back(json!({})), call(json!({})), live_chat(json!({}))];
    let of_team = |card: &Value, team: &str| match card["card"].as_str() {
        Some("liveChat") => with(card.clone(), json!({ "routing": { "team": team } })),
        _ => with(card.clone(), json!({ "team": team })),
    };
    for card in &cards {
        for (now, team, change, open) in [
            ("2026-11-24T08:59:59.999Z", None, &nothing as &dyn Fn(&mut Run<'_>), false),
            ("2026-11-24T09:00:00Z", None, &nothing, true),
            ("2026-11-24T16:59:59.999Z", None, &nothing, true),
            ("2026-11-24T17:00:00Z", None, &nothing, false),
            ("2026-11-28T12:00:00Z", None, &nothing, false),
            ("2026-11-24T12:00:00Z", None, &holiday, false),
            ("2026-11-28T03:00:00Z", None, &always, true),
            // A team has its own hours, or else the site's.
            ("2026-11-24T12:00:00Z", Some("odd"), &own_hours, false),
            ("2026-11-24T18:00:00Z", Some("odd"), &own_hours, true),
            ("2026-11-24T12:00:00Z", Some("odd"), &nothing, true),
            ("2026-11-24T18:00:00Z", Some("odd"), &nothing, false),
        ] {
            let card = team.map_or_else(|| card.clone(), |team| of_team(card, team));
            let document = document(card.clone());
            let mut run = Run::new(&document, now);
            change(&mut run);
            run.does(Command::Open).unwrap();
            assert_eq!(run.visit.at() == "first", open, "{now} {card}");
            if open {
                continue;
            }
            assert_eq!((run.visit.at(), run.said()), ("closed", vec!["Closed now", "Write to us"]));
            assert_eq!(run.visit.kinds(), ["conversation.triggered", "fallback.shown"], "nothing was collected or requested");
            assert_eq!(run.last(EventType::FallbackShown).data["card"], json!("first"));
        }
        // Without a card of its own for that, it goes on below.
        let mut card = card.clone();
        card.as_object_mut().unwrap().retain(|name, _| !name.starts_with("fallback"));
        let document = document(card);
        let mut run = Run::new(&document, "2026-11-24T17:00:00Z");
        run.does(Command::Open).unwrap();
        assert_eq!((run.visit.at(), run.said()), ("after", vec!["Thanks"]));
    }
}

#[test]
fn without_times_there_is_no_call_back_at_a_time_of_choice() {
    let document = document(call_back(json!({ "when": "later", "notice": 60, "horizon": 1 })));
    let read = |hours: &str| Some(Availability::read("UTC", hours).unwrap());
    for (hours, can) in [
        (None, false),
        (read("tuesday 09:00-10:00"), false),
        (read("tuesday 09:00-10:29"), false),
        (read("tuesday 09:00-10:30"), true),
        (read("wednesday 09:00-10:00"), true),
        (read("thursday 09:00-10:00"), false),
        (read("wednesday 09:00-10:00\n2026-11-25 closed"), false),
        (read("thursday 09:00-10:00\n2026-11-25 15:00-15:30"), true),
    ] {
        let mut run = Run::new(&document, "2026-11-24T09:00:00Z");
        run.around.openings.site = hours.clone();
        run.does(Command::Open).unwrap();
        assert_eq!(run.visit.at(), if can { "first" } else { "closed" }, "{hours:?}");
        assert_eq!(run.visit.kinds().contains(&"datacollection.started"), can);
    }
}

#[test]
fn the_number_to_call_is_that_of_the_visitors_language() {
    let document = document(call(json!({})));
    for (locale, number, digits) in [
        ("de", "+49 30 1234567", "+49301234567"),
        ("de-AT", "+49 30 1234567", "+49301234567"),
        ("ja-JP, de;q=0.5", "+81 3 1234 5678", "+81312345678"),
        ("en-GB", "+44 20 7946 0000", "+442079460000"),
        ("fr", "+44 20 7946 0000", "+442079460000"),
    ] {
        let mut run = Run::new(&document, "2026-11-24T12:00:00Z");
        run.visit.locale = locale;
        run.does(Command::Open).unwrap();
        assert_eq!(run.prompt().ask, Ask::Call { number: number.to_owned(), digits: digits.to_owned() }, "{locale}");
        let gone_on = run.gives(Input::Given { values: vec![], country: None }).unwrap();
        assert_eq!((gone_on.entries[0].text.as_deref(), run.visit.at()), (Some(number), "after"));
        assert_eq!(run.visit.kinds(), ["conversation.triggered", "conversation.engaged"]);
    }
    // Where no number is for everybody, it is the first.
    let numbers = json!([{ "number": "+81 3 1234 5678", "locale": "ja" }, { "number": "+49 30 1234567", "locale": "de" }]);
    let document = self::document(call(json!({ "numbers": numbers })));
    let run = Run::opened(&document);
    let Ask::Call { number, .. } = run.prompt().ask else { panic!("{:?}", run.prompt()) };
    assert_eq!(number, "+81 3 1234 5678");
}

#[test]
fn every_kind_of_field_takes_what_it_asks_for() {
    let long = "ä".repeat(120);
    let longer = "ä".repeat(1000);
    for (kind, typed, expected) in [
        ("text", " one\ttwo\u{7} ", "one two"),
        ("text", "<b>{{visitor.email}}", "<b>{{visitor.email}}"),
        ("text", &long, &long),
        ("textArea", "a\r\nb\tc\n", "a\nb c"),
        ("textArea", &longer, &longer),
        ("name", " Ada Lovelace ", "Ada Lovelace"),
        ("name", &long, &long),
        ("firstName", "Ada", "Ada"),
        ("lastName", "Lovelace", "Lovelace"),
        ("company", "Bücher & Söhne", "Bücher & Söhne"),
        ("email", " Ada@Example.COM ", "Ada@example.com"),
        ("phone", " +493012345678 ", PHONE),
        ("date", " 2028-02-29 ", "2028-02-29"),
        ("choice", "r", "r"),
        ("choice", "Blue\r\nlight", "Blue\nlight"),
        ("checkBox", "on", "true"),
        ("checkBox", "", "false"),
        ("stars", "1", "1"),
        ("stars", " 5 ", "5"),
        ("smileys", "1", "1"),
        ("smileys", "5", "5"),
        ("score", "0", "0"),
        ("score", "10", "10"),
        ("consent", "on", "true"),
    ] {
        let expected = Ok(Some(expected.to_owned()));
        assert_eq!(kept(&field(kind), typed), expected, "{kind} {typed:?}");
        if !typed.is_empty() {
            assert_eq!(kept(&with(field(kind), json!({ "mandatory": true })), typed), expected, "{kind} {typed:?}");
        }
    }
}

#[test]
fn what_is_none_of_its_kind_is_refused() {
    use InvalidInput::{NotAChoice, NotADate, NotOnTheScale, TooLong};
    let long = "ä".repeat(121);
    let longer = "ä".repeat(1001);
    for (kind, typed, expected) in [
        ("text", long.as_str(), TooLong),
        ("textArea", &longer, TooLong),
        ("name", &long, TooLong),
        ("firstName", &long, TooLong),
        ("lastName", &long, TooLong),
        ("company", &long, TooLong),
        ("email", "ada@localhost", InvalidInput::Email(BadEmail)),
        ("phone", "12", InvalidInput::Phone(BadPhone::NotANumber)),
        ("date", "2026-02-29", NotADate),
        ("date", "24.11.2026", NotADate),
        ("choice", "Red", NotAChoice),
        ("choice", "R", NotAChoice),
        ("stars", "0", NotOnTheScale),
        ("stars", "6", NotOnTheScale),
        ("stars", "4.5", NotOnTheScale),
        ("stars", "★★", NotOnTheScale),
        ("smileys", "0", NotOnTheScale),
        ("smileys", "6", NotOnTheScale),
        ("smileys", "🙂", NotOnTheScale),
        ("score", "-1", NotOnTheScale),
        ("score", "11", NotOnTheScale),
        ("score", "256", NotOnTheScale),
    ] {
        assert_eq!(kept(&field(kind), typed), Err(expected), "{kind} {typed:?}");
    }
}

#[test]
fn what_is_mandatory_must_be_given() {
    for kind in KINDS {
        for typed in ["", " ", "\r\n\t"] {
            let left_out = if kind == "checkBox" { Some("false".to_owned()) } else { None };
            assert_eq!(kept(&field(kind), typed), Ok(left_out), "{kind} {typed:?}");
            let why = if kind == "consent" { InvalidInput::NoConsent } else { InvalidInput::Required };
            let mandatory = with(field(kind), json!({ "mandatory": true }));
            assert_eq!(kept(&mandatory, typed), Err(why), "{kind} {typed:?}");
        }
    }
    // One that was not sent at all was not given.
    let document = document(form(json!([with(field("consent"), json!({ "mandatory": true }))]), json!({})));
    let mut run = Run::opened(&document);
    assert_eq!(run.fills(&[]), Err(Refusal::BadForm(vec![("x".to_owned(), InvalidInput::NoConsent)])));
    assert_eq!(run.fills(&[("y", "on")]), Err(Refusal::BadForm(vec![("x".to_owned(), InvalidInput::NoConsent)])));
    for input in [Input::text("on"), Input::Skipped] {
        assert_eq!(run.gives(input), Err(Refusal::Invalid(InvalidInput::Required)), "it is no form");
    }
}

#[test]
fn a_pattern_has_to_match_the_whole_text() {
    let order = with(field("text"), json!({ "pattern": "[A-Z]{2}\\d{4}|none", "patternMessage": "Two letters, four digits" }));
    for (typed, matches) in [
        ("AB1234", true),
        (" AB1234 ", true),
        ("none", true),
        ("", true),
        ("xAB1234", false),
        ("AB12345", false),
        ("AB1234 or so", false),
        ("none at all", false),
        ("surely none", false),
        ("ab1234", false),
    ] {
        let expected =
            if matches { Ok(Some(typed.trim().to_owned()).filter(|kept| !kept.is_empty())) } else { Err(InvalidInput::NoMatch) };
        assert_eq!(kept(&order, typed), expected, "{typed:?}");
    }
    let letters = with(field("textArea"), json!({ "pattern": "[a-z]+" }));
    assert_eq!(kept(&letters, "ab\n"), Ok(Some("ab".to_owned())), "as it is kept");
    for lines in ["ab\ncd", "ab\n1", "1\nab"] {
        assert_eq!(kept(&letters, lines), Err(InvalidInput::NoMatch), "a line is not the whole: {lines:?}");
    }
    // What is typed has to be of its kind, and match as it is kept.
    let ours = with(field("email"), json!({ "pattern": ".*@example\\.com" }));
    assert_eq!(kept(&ours, "Ada@EXAMPLE.com"), Ok(Some("Ada@example.com".to_owned())));
    assert_eq!(kept(&ours, "ada@example.org"), Err(InvalidInput::NoMatch));
    assert_eq!(kept(&ours, "ada"), Err(InvalidInput::Email(BadEmail)));
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let of = |name: &str, kind: &str| with(field(kind), json!({ "name": name, "mandatory": true }));
    let fields = json!([of("mail", "email"), of("score", "score"), of("remark", "text"), of("ok", "consent"), of("day", "date")]);
    let document = document(form(fields, json!({})));
    let mut run = Run::opened(&document);
    let before = (run.visit.events.clone(), run.visit.entries.clone(), run.visit.progress.clone());
    let refused = run.fills(&[("mail", "ada"), ("score", "11"), ("remark", "fine"), ("day", "soon")]).unwrap_err();
    let wrong = [
        ("mail", InvalidInput::Email(BadEmail)),
        ("score", InvalidInput::NotOnTheScale),
        ("ok", InvalidInput::NoConsent),
        ("day", InvalidInput::NotADate),
    ];
    assert_eq!(refused, Refusal::BadForm(wrong.map(|(name, why)| (name.to_owned(), why)).to_vec()), "in the form's order");
    let words = refused.to_string();
    assert!(wrong.iter().all(|(name, why)| words.contains(&format!("{name}: {why}"))), "{words}");
    assert_eq!(before, (run.visit.events.clone(), run.visit.entries.clone(), run.visit.progress.clone()));
    let good = [("mail", "a@b.example"), ("score", "10"), ("remark", "fine"), ("ok", "on"), ("day", "2026-11-24")];
    run.fills(&good).unwrap();
}

#[test]
fn a_form_before_a_contact_is_kept_with_the_visitor() {
    let label = json!({ "en": "Colour", "de": "Farbe" });
    let of = |name: &str, kind: &str| with(field(kind), json!({ "name": name, "label": name }));
    let fields = json!([
        of("name", "name"),
        of("email", "email"),
        with(of("mobile", "phone"), json!({ "mandatory": true })),
        with(of("colour", "choice"), json!({ "label": label })),
        of("day", "date"),
        of("stars", "stars"),
        of("smiley", "smileys"),
        of("score", "score"),
        of("news", "checkBox"),
        of("spam", "checkBox"),
        of("terms", "consent"),
        of("remark", "textArea"),
    ]);
    let document = document(form(fields, json!({ "kind": "ClickToCall", "submit": { "en": "Go", "de": "Los" } })));
    let mut run = Run::new(&document, "2026-11-24T12:00:00Z");
    run.visit.locale = "de";
    run.visit.attributes.insert("email".parse().unwrap(), "old@example.com".to_owned());
    run.visit.attributes.insert("terms".parse().unwrap(), "true".to_owned());
    run.does(Command::Open).unwrap();
    assert_eq!(run.visit.kinds(), ["conversation.triggered", "datacollection.started"]);
    let expected = json!({ "widget": "launcher", "kind": "ClickToCall" });
    assert_eq!(Value::from(run.visit.events[1].data.clone()), expected);

    let Ask::Form { fields, submit } = run.prompt().ask else { panic!("{:?}", run.prompt()) };
    assert_eq!((fields.len(), submit.as_deref()), (12, Some("Los")));
    assert_eq!(fields[1].known.as_deref(), Some("old@example.com"));
    assert!(fields[2].mandatory && !fields[1].mandatory);
    let red = Choice { label: "Rot".to_owned(), value: "r".to_owned() };
    let expected = FormAsk {
        name: "colour".parse().unwrap(),
        kind: FieldKind::Choice,
        label: "Farbe".to_owned(),
        mandatory: false,
        choices: vec![red, Choice { label: "Blue\nlight".to_owned(), value: "Blue\nlight".to_owned() }],
        consent: None,
        known: None,
    };
    assert_eq!(fields[3], expected);
    let consent = (fields[10].consent.as_deref(), fields[10].known.as_deref());
    assert_eq!(consent, (Some("I agree to everything."), None), "a consent is given anew each time");

    let given = [
        ("name", "Ada Lovelace"),
        ("email", "ada@example.com"),
        ("mobile", "03012345678"),
        ("mobile.country", "DE"),
        ("colour", "r"),
        ("day", "2026-11-24"),
        ("stars", "3"),
        ("smiley", "4"),
        ("score", "7"),
        ("news", "on"),
        ("terms", "on"),
        ("remark", " "),
        ("unasked", "x"),
    ];
    let sent = run.fills(&given).unwrap();
    let said = "name: Ada Lovelace\nemail: ada@example.com\nmobile: +493012345678\nFarbe: Rot\nday: 2026-11-24\nstars: ★★★☆☆\n\
        smiley: 🙂\nscore: 7 / 10\nnews: ✓\nspam: –\nterms: ✓";
    assert_eq!(sent.entries[0].text.as_deref(), Some(said));
    let answers = [
        ("name", "Ada Lovelace"),
        ("email", "ada@example.com"),
        ("mobile", PHONE),
        ("colour", "r"),
        ("day", "2026-11-24"),
        ("stars", "3"),
        ("smiley", "4"),
        ("score", "7"),
        ("news", "true"),
        ("spam", "false"),
        ("terms", "true"),
    ];
    let submission = Submission {
        card: "first".parse().unwrap(),
        purpose: Purpose::Contact,
        kind: ContactKind::ClickToCall,
        chat: None,
        answers: answers.map(|(name, value)| (name.parse().unwrap(), value.to_owned())).to_vec(),
    };
    assert_eq!(run.submissions, [submission]);
    for (name, value) in answers {
        // The consent is what was known before: it is kept with the form alone.
        assert_eq!(run.visit.known(name), Some(value), "{name}");
    }
    assert_eq!((run.visit.known("firstName"), run.visit.known("remark"), run.visit.known("unasked")), (Some("Ada"), None, None));
    assert!(sent.attributes.iter().all(|(name, _)| name.as_str() != "terms"));

    let told: Vec<_> =
        sent.events.iter().map(|event| (event.kind.name(), event.data.get("value").or(event.data.get("field")))).collect();
    let named = |name: &str| json!(name);
    let expected = [
        ("conversation.engaged", None),
        ("input.captured", Some(named("name"))),
        ("input.email", Some(named("ada@example.com"))),
        ("input.phone", Some(named(PHONE))),
        ("input.captured", Some(named("colour"))),
        ("input.captured", Some(named("day"))),
        ("input.captured", Some(named("stars"))),
        ("input.captured", Some(named("smiley"))),
        ("input.captured", Some(named("score"))),
        ("input.captured", Some(named("news"))),
        ("input.captured", Some(named("spam"))),
        ("input.captured", Some(named("terms"))),
        ("datacollection.submitted", None),
    ];
    assert_eq!(told, expected.each_ref().map(|(kind, value)| (*kind, value.as_ref())));
    assert_eq!(sent.events[12].data["kind"], json!("ClickToCall"));
}

#[test]
fn a_form_that_is_optional_may_be_skipped_or_left_empty() {
    let fields = json!([field("text"), with(field("email"), json!({ "name": "mail" }))]);
    let document = document(form(fields, json!({ "optional": true })));
    let mut run = Run::opened(&document);
    assert!(run.prompt().optional);
    let skipped = run.gives(Input::Skipped).unwrap();
    assert_eq!((kinds(&skipped), skipped.entries[0].text.as_deref()), (vec!["conversation.engaged"], None));
    assert_eq!((skipped.submission, run.visit.at()), (None, "after"), "what was not sent is told by no event");

    let mut run = Run::opened(&document);
    let empty = run.fills(&[]).unwrap();
    assert_eq!(
        (kinds(&empty), empty.entries[0].text.as_deref()),
        (vec!["conversation.engaged", "datacollection.submitted"], None)
    );
    assert!(run.submissions[0].answers.is_empty());
    assert_eq!(
        run.last(EventType::DatacollectionSubmitted).data["kind"],
        json!("Chat"),
        "if nothing is said, it is before a chat"
    );

    // Gone back to, it is filled in again.
    run.goes_back().unwrap();
    run.fills(&[("x", "again")]).unwrap();
    assert_eq!((run.submissions.len(), run.visit.known("x")), (2, Some("again")));
}

/// A live chat, and a survey after it.
fn surveyed(more: Value) -> Conversation {
    let fields = json!([
        { "name": "score", "field": "score", "label": "Score", "mandatory": true },
        { "name": "remark", "field": "textArea", "label": "Remark" },
        { "name": "email", "field": "email", "label": "E-mail" },
    ]);
    let rate = json!({ "id": "rate", "card": "form", "purpose": "survey", "text": "How was it?", "fields": fields });
    let again = json!([{ "label": "Again", "next": "chat" }, { "label": "Ok", "next": "end" }]);
    conversation(&json!([
        live_chat(json!({ "id": "chat" })),
        with(rate, more),
        { "id": "again", "card": "question", "text": "Anything else?", "choices": again },
        question("closed", "Write to us"),
        { "id": "end", "card": "end" },
    ]))
}

#[test]
fn a_survey_follows_a_chat_and_is_about_it() {
    let document = surveyed(json!({}));
    let mut run = Run::opened(&document);
    let chat = run.chat.as_ref().unwrap().id;
    let ended = run.chats_to_the_end();
    assert_eq!(kinds(&ended), ["livechat.ended", "survey.started"]);
    assert_eq!(ended.events[0].data["surveyConfigured"], json!(true));
    let told = ended.events[0].ctlive().unwrap();
    assert_eq!((told.kind, &told.object["isSurveyConfigured"]), ("ChatFinished", &json!(true)));
    let data = json!({ "widget": "launcher", "chat": chat.to_string() });
    assert_eq!(Value::from(ended.events[1].data.clone()), data);
    let told = ended.events[1].ctlive().unwrap();
    let object = json!({ "widgetID": "launcher", "chatID": chat.to_string(), "userID": ended.events[1].visitor.to_string() });
    assert_eq!((told.kind, Value::from(told.object)), ("SurveyStarted", object));

    run.visit.attributes.insert("email".parse().unwrap(), "ada@example.com".to_owned());
    let Ask::Form { fields, .. } = run.prompt().ask else { panic!("{:?}", run.prompt()) };
    assert!(fields.iter().all(|field| field.known.is_none()), "what was said before is not suggested");
    assert_eq!(run.fills(&[("remark", "Nice")]), Err(Refusal::BadForm(vec![("score".to_owned(), InvalidInput::Required)])));
    assert!(run.submissions.is_empty());

    let sent = run.fills(&[("score", "9"), ("remark", "Nice")]).unwrap();
    assert_eq!(kinds(&sent), ["survey.submitted"], "what is said in it is told nobody else");
    assert_eq!(Value::from(sent.events[0].data.clone()), data);
    assert_eq!(sent.events[0].ctlive().unwrap().kind, "SurveySubmitted");
    let answers = [("score", "9"), ("remark", "Nice")].map(|(name, value)| (name.parse().unwrap(), value.to_owned())).to_vec();
    let submission = Submission {
        card: "rate".parse().unwrap(),
        purpose: Purpose::Survey,
        kind: ContactKind::Chat,
        chat: Some(chat),
        answers,
    };
    assert_eq!(run.submissions, [submission]);
    assert_eq!((run.visit.known("score"), run.visit.known("remark"), sent.attributes.len()), (None, None, 0), "it is the chat's");
    assert_eq!((run.visit.at(), run.visit.progress.chat), ("again", None));
}

#[test]
fn whatever_is_sent_of_a_survey_is_about_its_chat() {
    let document = surveyed(json!({}));
    let mut run = Run::opened(&document);
    let first = run.chat.as_ref().unwrap().id;
    run.chats_to_the_end();
    run.fills(&[("score", "1")]).unwrap();
    // If one may go back to it, what is sent then is about the same chat.
    if run.goes_back().is_ok() {
        let again = run.fills(&[("score", "2")]).unwrap();
        assert_eq!(again.events[0].data["chat"], json!(first.to_string()));
        assert_eq!(run.submissions.last().unwrap().chat, Some(first));
    }
    // Another chat has another survey, or none if nobody answers.
    run.says("Again").unwrap();
    let second = run.chat.as_ref().unwrap().id;
    assert_ne!(first, second);
    run.chats_to_the_end();
    assert_eq!(run.last(EventType::SurveyStarted).data["chat"], json!(second.to_string()));
    run.fills(&[("score", "3")]).unwrap();
    assert_eq!(run.last(EventType::SurveySubmitted).data["chat"], json!(second.to_string()));
    assert_eq!(run.submissions.last().unwrap().chat, Some(second));
    run.says("Again").unwrap();
    let declined = run.chats(ChatCommand::Decline { agent: agent(1) });
    assert_eq!(kinds(&declined), ["livechat.timeout", "fallback.shown"]);
    assert_eq!(run.visit.at(), "closed");
}

#[test]
fn a_survey_that_is_skipped_is_not_submitted() {
    let must = surveyed(json!({}));
    let mut run = Run::opened(&must);
    run.chats_to_the_end();
    assert_eq!(run.gives(Input::Skipped), Err(Refusal::Invalid(InvalidInput::Required)));

    let may = surveyed(json!({ "optional": true }));
    let mut run = Run::opened(&may);
    run.chats_to_the_end();
    assert!(run.prompt().optional);
    let skipped = run.gives(Input::Skipped).unwrap();
    assert_eq!((skipped.events.len(), skipped.submission, run.visit.at()), (0, None, "again"));
    assert!(!run.visit.kinds().contains(&"survey.submitted"));
    // Who changes their mind still judges the chat they had.
    let chat = run.over[0].id;
    run.goes_back().unwrap();
    let sent = run.fills(&[("score", "9")]).unwrap();
    assert_eq!((kinds(&sent), &sent.events[0].data["chat"]), (vec!["survey.submitted"], &json!(chat.to_string())));
    assert_eq!((run.submissions[0].chat, run.visit.progress.chat), (Some(chat), None));
}

#[test]
fn without_a_chat_that_an_agent_answered_there_is_no_survey() {
    // Nobody accepts.
    let document = surveyed(json!({}));
    let mut run = Run::opened(&document);
    let declined = run.chats(ChatCommand::Decline { agent: agent(1) });
    assert_eq!(kinds(&declined), ["livechat.timeout", "fallback.shown"]);
    let timeout = &declined.events[0].data;
    assert_eq!((&timeout["surveyConfigured"], &timeout["online"]), (&json!(false), &json!(false)));
    assert_eq!((run.visit.at(), run.visit.progress.chat), ("closed", None));

    // Nobody is there, and the survey comes next.
    let cards = json!([{ "id": "chat", "card": "liveChat" }, rating(), question("after", "Bye"), { "id": "end", "card": "end" }]);
    let document = conversation(&cards);
    let mut run = Run::new(&document, "2026-11-24T17:00:00Z");
    run.does(Command::Open).unwrap();
    assert_eq!((run.visit.at(), run.said()), ("after", vec!["Bye"]));

    // Who falls silent had a chat.
    let document = surveyed(json!({}));
    let mut run = Run::opened(&document);
    run.chats(ChatCommand::Accept { agent: agent(1) });
    run.around.now += SignedDuration::from_mins(10);
    let idle = run.chats(ChatCommand::Tick);
    assert_eq!(kinds(&idle), ["livechat.timeout", "survey.started"]);
    let timeout = &idle.events[0].data;
    assert_eq!((&timeout["reason"], &timeout["surveyConfigured"]), (&json!("visitor_idle"), &json!(true)));

    // Begun anew, an old chat is not asked about.
    run.visit.progress = run.visit.progress.clone().anew(2);
    assert_eq!(run.visit.progress.chat, None);
}

/// Whether the page is told of a survey when the first chat ends.
fn configured(document: &Conversation) -> bool {
    let mut run = Run::opened(document);
    let card = run.chat.as_ref().unwrap().card.clone();
    let ended = run.chats_to_the_end();
    let event = ended.events.iter().find(|event| event.kind == EventType::LivechatEnded).unwrap();
    let told = event.data["surveyConfigured"].as_bool().unwrap();
    assert_eq!(event.ctlive().unwrap().object["isSurveyConfigured"], json!(told));
    assert_eq!(document.survey_follows(&card), told);
    told
}

fn rating() -> Value {
    json!({ "id": "rate", "card": "form", "purpose": "survey", "text": "?", "fields": [field("stars")] })
}

#[test]
fn the_page_is_told_whether_a_survey_follows() {
    let chat = |more: Value| with(json!({ "id": "chat", "card": "liveChat" }), more);
    let end = || json!({ "id": "end", "card": "end" });
    let message = || json!({ "id": "hm", "card": "message", "text": "Hm" });
    let choice = json!([{ "label": "Rate", "next": "rate" }, { "label": "No", "next": "end" }]);
    let asked = json!({ "id": "ask", "card": "question", "text": "Well?", "choices": choice });
    let branches = json!([{ "if": { "attribute": "vip", "known": true }, "next": "rate" }]);
    let condition = json!({ "id": "if", "card": "condition", "branches": branches, "next": "end" });
    let contact = with(form(json!([field("text")]), json!({})), json!({ "id": "contact" }));
    let second = json!({ "id": "second", "card": "liveChat" });
    for (cards, expected) in [
        (json!([chat(json!({})), end()]), false),
        (json!([chat(json!({})), rating(), end()]), true),
        (json!([chat(json!({})), message(), question("ask", "?"), rating(), end()]), false),
        (json!([chat(json!({})), message(), asked, rating(), end()]), true),
        (json!([chat(json!({})), condition, rating(), end()]), true),
        (json!([chat(json!({})), contact.clone(), end()]), false),
        (json!([chat(json!({})), contact, rating(), end()]), true),
        // It is for who has had no chat.
        (json!([chat(json!({ "fallback": "rate", "next": "end" })), rating(), end()]), false),
        (json!([chat(json!({ "fallback": "end", "next": "rate" })), end(), with(rating(), json!({ "next": "end" }))]), true),
        // It comes before.
        (json!([rating(), chat(json!({})), end()]), false),
        // It is about another chat.
        (json!([chat(json!({})), second, rating(), end()]), false),
    ] {
        assert_eq!(configured(&conversation(&cards)), expected, "{cards}");
    }
}

#[test]
fn a_survey_of_a_sub_flow_follows_too() {
    let of = |id: &str, cards: &Value| Conversation { id: id.parse().unwrap(), ..conversation(cards) };
    let end = || json!({ "id": "end", "card": "end" });
    let flows = [
        of("talking", &json!([{ "id": "chat", "card": "liveChat" }, end()])),
        of("rating", &json!([{ "id": "hm", "card": "message", "text": "Hm" }, rating(), end()])),
        of(
            "both",
            &json!([{ "id": "t", "card": "subFlow", "conversation": "talking" },
            { "id": "r", "card": "subFlow", "conversation": "rating" }, end()]),
        ),
        of("nothing", &json!([{ "id": "hm", "card": "message", "text": "Hm" }, end()])),
    ];
    for (runs, expected) in [
        (&["talking", "rating"][..], true),
        (&["both"], true),
        (&["both", "nothing"], true),
        (&["nothing", "talking", "nothing", "rating"], true),
        (&["talking"], false),
        (&["talking", "nothing"], false),
        (&["rating", "talking", "nothing"], false),
    ] {
        let cards = runs
            .iter()
            .enumerate()
            .map(|(index, flow)| json!({ "id": format!("run{index}"), "card": "subFlow", "conversation": flow }));
        let main = conversation(&Value::Array(cards.chain([end()]).collect()));
        let linked = main.linked(&|id| flows.iter().find(|flow| flow.id == *id)).unwrap();
        assert_eq!(configured(&linked), expected, "{runs:?}");
        let mut run = Run::opened(&linked);
        let chat = run.chat.as_ref().unwrap().id;
        let ended = run.chats_to_the_end();
        let started: Vec<_> = ended.events.iter().filter(|event| event.kind == EventType::SurveyStarted).collect();
        assert_eq!(started.len(), usize::from(expected), "{runs:?}");
        assert!(started.iter().all(|event| event.data["chat"] == json!(chat.to_string())));
    }
}

#[test]
fn who_waits_when_it_closes_is_told() {
    let document = document(live_chat(json!({ "queue": true })));
    let mut run = Run::new(&document, "2026-11-24T16:00:00Z");
    run.around.roster.members[0].limit = 0;
    run.does(Command::Open).unwrap();
    assert_eq!(run.chat.as_ref().map(|chat| &chat.phase), Some(&Phase::Queued));
    run.around.now = moment("2026-11-24T16:59:59.999Z");
    assert_eq!(run.chats(ChatCommand::Free), Happened::default());
    run.around.now = moment("2026-11-24T17:00:00Z");
    let closed = run.chats(ChatCommand::Free);
    assert_eq!(kinds(&closed), ["livechat.timeout", "fallback.shown"]);
    assert_eq!((run.visit.at(), &run.over[0].phase), ("closed", &Phase::Ended(Ended::Unanswered)));

    // Who comes later asks for nobody.
    let mut run = Run::new(&document, "2026-11-24T17:00:00Z");
    run.does(Command::Open).unwrap();
    assert_eq!(run.visit.kinds(), ["conversation.triggered", "fallback.shown"]);
    assert_eq!(run.over[0].phase, Phase::Ended(Ended::Nobody), "the agents find it all the same");
}

/// A document of one card, and an end.
fn written(card: &Value) -> String {
    json!({ "id": "d", "name": "D", "cards": [card, { "id": "end", "card": "end" }] }).to_string()
}

fn read(card: &Value) -> Conversation {
    let conversation = Conversation::read(&written(card)).unwrap_or_else(|problems| panic!("{card}: {problems:?}"));
    assert_eq!(Conversation::read(&conversation.to_json()), Ok(conversation.clone()), "written again it is the same");
    conversation
}

fn body(card: &Value) -> Body {
    read(card).cards.swap_remove(0).body
}

fn problems(card: &Value) -> Vec<String> {
    match Conversation::read(&written(card)) {
        Ok(_) => vec![],
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

/// A card has exactly these problems: where, and in which words.
fn has_problems(card: &Value, expected: &[(&str, &str)]) {
    let told = problems(card);
    for (place, words) in expected {
        let is_it = |problem: &&String| problem.contains(&format!(": {place}: ")) && problem.contains(*words);
        assert_eq!(told.iter().filter(is_it).count(), 1, "{place}: {words}\n{}", told.join("\n"));
    }
    assert_eq!(told.len(), expected.len(), "{}", told.join("\n"));
}

/// A field of a card takes some values, and of others it is said that they are wrong, and where.
fn limits(card: &Value, name: &str, good: &[Value], bad: &[Value]) {
    for value in good {
        read(&with(card.clone(), json!({ name: value })));
    }
    for value in bad {
        let told = problems(&with(card.clone(), json!({ name: value })));
        assert!(told.len() == 1 && told[0].contains(&format!("/cards/0/{name}")), "{name} {value}: {told:?}");
    }
}

/// So many letters.
fn letters(count: usize) -> Value {
    "ä".repeat(count).into()
}

const MINUTES: &str = "expected a whole number from 5 to 480, got ";

#[test]
fn a_meeting_card_is_read() {
    let short = json!({ "id": "m", "card": "meeting", "text": "When?", "title": "A talk" });
    let Body::Meeting(card) = body(&short) else { panic!("no meeting") };
    assert_eq!((card.duration, card.step(), card.notice, card.horizon, card.optional), (30, 30, 240, 30, false));
    let long = json!({
        "id": "m", "card": "meeting", "text": { "en": "When, **{{visitor.name|you}}**?", "de": "Wann?" },
        "title": { "en": "A talk", "de": "Ein Gespräch" }, "location": "Room 1",
        "duration": 45, "step": 15, "notice": 0, "horizon": 365,
        "routing": {
            "team": "sales", "skill": "bikes", "language": true, "sameAgent": true, "account": true,
        },
        "rules": [{ "if": { "attribute": "topic", "is": "x" }, "routing": { "agent": "ada@example.com" } }],
        "optional": true, "fallbackText": "Sorry", "fallback": "end", "next": "end",
    });
    let Body::Meeting(card) = body(&long) else { panic!("no meeting") };
    assert_eq!((card.duration, card.step(), card.notice, card.horizon, card.optional), (45, 15, 0, 365, true));
    assert!(card.routing.account && card.rules.len() == 1);

    for name in ["duration", "step"] {
        limits(&short, name, &[json!(5), json!(480)], &[json!(4), json!(481), json!(7.5), json!("30"), Value::Null]);
    }
    limits(&short, "notice", &[json!(0), json!(129_600)], &[json!(-1), json!(129_601)]);
    limits(&short, "horizon", &[json!(1), json!(365)], &[json!(0), json!(366)]);
    limits(&short, "title", &[letters(120)], &[letters(121), json!(""), json!(3)]);
    limits(&short, "location", &[letters(500)], &[letters(501), json!(" ")]);
    for name in ["text", "fallbackText"] {
        limits(&short, name, &[letters(2000)], &[letters(2001), json!({}), json!("{{visitr.name}}")]);
    }
    limits(&short, "fallback", &[json!("end")], &[json!("nowhere"), json!("no where")]);
    limits(&short, "next", &[json!("end")], &[json!("nowhere"), json!(["end"])]);
}

#[test]
fn every_mistake_of_a_meeting_card_is_told() {
    let card = json!({
        "id": "m", "card": "meeting", "text": 3, "titl": "A talk", "location": {}, "duration": 4, "step": 481, "notice": 129_601,
        "horizon": 0, "routing": { "tem": "sales", "by": "roundRobin" }, "rules": [], "optional": "yes", "fallbackText": "",
        "fallback": "no where", "next": 7,
    });
    has_problems(
        &card,
        &[
            ("/cards/0/text", "expected a text in quotes"),
            ("/cards/0", "\"title\" is missing"),
            ("/cards/0/titl", "unknown field \"titl\"; did you mean \"title\"?"),
            ("/cards/0/location", "expected a text for each"),
            ("/cards/0/duration", &format!("{MINUTES}4")),
            ("/cards/0/step", &format!("{MINUTES}481")),
            ("/cards/0/notice", "expected a whole number from 0 to 129600, got 129601"),
            ("/cards/0/horizon", "expected a whole number from 1 to 365, got 0"),
            ("/cards/0/routing/tem", "unknown field \"tem\"; did you mean \"team\"?"),
            ("/cards/0/routing/by", "\"by\" is of live chats"),
            ("/cards/0/rules", "the list is empty"),
            ("/cards/0/optional", "expected true or false, got a text"),
            ("/cards/0/fallbackText", "the text is empty"),
            ("/cards/0/fallback", "expected 1 to 64 letters"),
            ("/cards/0/next", "expected a text in quotes, got a number"),
        ],
    );
}

#[test]
fn a_call_back_card_is_read() {
    let now = json!({ "id": "c", "card": "callback", "text": "Your number?" });
    let Body::Callback(card) = body(&now) else { panic!("no call back") };
    assert_eq!((card.kind(), card.within), (ContactKind::CallbackNow, 15));
    read(&with(
        now.clone(),
        json!({ "when": "now", "team": "sales", "within": 60, "fallbackText": "Closed", "fallback": "end", "next": "end" }),
    ));
    let later = with(now.clone(), json!({ "when": "later" }));
    let Body::Callback(card) = body(&later) else { panic!("no call back") };
    let told = (card.kind(), card.duration, card.capacity, card.notice, card.horizon);
    assert_eq!(told, (ContactKind::CallbackLater, 30, 1, 240, 30));

    limits(&now, "within", &[json!(1), json!(1440)], &[json!(0), json!(1441)]);
    limits(&later, "duration", &[json!(5), json!(480)], &[json!(4), json!(481)]);
    limits(&later, "capacity", &[json!(1), json!(100)], &[json!(0), json!(101)]);
    limits(&later, "notice", &[json!(0), json!(129_600)], &[json!(-1), json!(129_601)]);
    limits(&later, "horizon", &[json!(1), json!(365)], &[json!(0), json!(366)]);
    for card in [&now, &later] {
        limits(card, "text", &[letters(2000)], &[letters(2001), json!("")]);
        limits(card, "fallback", &[json!("end")], &[json!("nowhere")]);
    }
    limits(&now, "when", &[json!("now"), json!("later")], &[json!("soon"), json!(0)]);
}

#[test]
fn every_mistake_of_a_call_back_card_is_told() {
    let now = json!({
        "id": "c", "card": "callback", "text": "", "within": 0, "duration": 30, "capacity": 2, "notice": 0, "horizon": 2,
        "team": "a b", "fallbackText": 7, "fallback": "", "next": "x y", "wen": "now",
    });
    let only_later = "only \"when\": \"later\" has them";
    has_problems(
        &now,
        &[
            ("/cards/0/text", "the text is empty"),
            ("/cards/0/within", "expected a whole number from 1 to 1440, got 0"),
            ("/cards/0/duration", only_later),
            ("/cards/0/capacity", only_later),
            ("/cards/0/notice", only_later),
            ("/cards/0/horizon", only_later),
            ("/cards/0/team", "expected 1 to 64 letters"),
            ("/cards/0/fallbackText", "expected a text in quotes"),
            ("/cards/0/fallback", "expected 1 to 64 letters"),
            ("/cards/0/next", "expected 1 to 64 letters"),
            ("/cards/0/wen", "unknown field \"wen\"; did you mean \"when\"?"),
        ],
    );
    let later = json!({
        "id": "c", "card": "callback", "when": "later",
        "within": 5, "duration": 481, "capacity": 101, "notice": -1, "horizon": 366,
    });
    has_problems(
        &later,
        &[
            ("/cards/0", "\"text\" is missing"),
            ("/cards/0/within", "\"within\" is the promise of a call at once"),
            ("/cards/0/duration", &format!("{MINUTES}481")),
            ("/cards/0/capacity", "expected a whole number from 1 to 100, got 101"),
            ("/cards/0/notice", "expected a whole number from 0 to 129600, got -1"),
            ("/cards/0/horizon", "expected a whole number from 1 to 365, got 366"),
        ],
    );
    let neither = json!({ "id": "c", "card": "callback", "text": "?", "when": "lter" });
    has_problems(&neither, &[("/cards/0/when", "expected one of \"now\", \"later\", got \"lter\"; did you mean \"later\"?")]);
}

#[test]
fn a_call_card_is_read() {
    let number = |number: &str| json!([{ "number": number }]);
    let card = json!({ "id": "c", "card": "call", "text": "Call us", "numbers": number("+442079460000") });
    let numbers = json!([{ "number": " +49 (30) 123/45-67 ", "locale": "de-AT" }, { "number": "+44.20.7946.0000" }]);
    let long = json!({ "numbers": numbers, "team": "sales", "fallbackText": "Closed", "fallback": "end", "next": "end" });
    let Body::Call(read_card) = body(&with(card.clone(), long)) else { panic!("no call") };
    let digits: Vec<_> = read_card.numbers.iter().map(|number| number.digits()).collect();
    assert_eq!(digits, ["+49301234567", "+442079460000"]);

    let good = ["+1234567", "+123456789012345"].map(number);
    let bad = ["", "1234567", "+123456", "+1234567890123456", "+49 30 12x4567", "++4930123456", "tel:+4930123456"].map(number);
    limits(&card, "numbers", &good, &bad);
    let many = |count: usize| Value::Array(vec![json!({ "number": "+442079460000" }); count]);
    limits(&card, "numbers", &[many(1), many(20)], &[many(0), many(21), json!("+442079460000")]);
}

#[test]
fn every_mistake_of_a_call_card_is_told() {
    let numbers = json!([
        { "number": "030 123456" },
        { "number": "+12345", "locale": "german" },
        { "numbr": "+442079460000" },
        "+442079460000",
        { "number": 7 },
    ]);
    let card = json!({ "id": "c", "card": "call", "numbers": numbers, "team": 7, "optional": true });
    let a_number = "expected a phone number with its country";
    has_problems(
        &card,
        &[
            ("/cards/0", "\"text\" is missing"),
            ("/cards/0/numbers/0/number", a_number),
            ("/cards/0/numbers/1/number", a_number),
            ("/cards/0/numbers/1/locale", "expected a language tag"),
            ("/cards/0/numbers/2", "\"number\" is missing"),
            ("/cards/0/numbers/2/numbr", "unknown field \"numbr\"; did you mean \"number\"?"),
            ("/cards/0/numbers/3", "expected an object, got a text"),
            ("/cards/0/numbers/4/number", "expected a text in quotes, got a number"),
            ("/cards/0/team", "expected a text in quotes, got a number"),
            ("/cards/0/optional", "unknown field \"optional\""),
        ],
    );
    let without = json!({ "id": "c", "card": "call", "text": "Call us" });
    has_problems(&without, &[("/cards/0", "\"numbers\" is missing")]);
}

#[test]
fn a_form_is_read() {
    let all: Vec<_> = KINDS.iter().map(|kind| with(field(kind), json!({ "name": *kind, "mandatory": true }))).collect();
    let card = |fields: Value, more: Value| with(form(fields, json!({ "id": "f" })), more);
    let submit = json!({ "en": "Go", "de": "Los" });
    let more = json!({ "purpose": "contact", "kind": "CallbackLater", "submit": submit, "optional": true, "next": "end" });
    let Body::Form(read_form) = body(&card(json!(all), more)) else { panic!("no form") };
    assert_eq!((read_form.fields.len(), read_form.kind()), (15, ContactKind::CallbackLater));
    let survey = card(json!([field("stars")]), json!({ "purpose": "survey" }));
    assert!(body(&survey).is_survey());

    let plain = card(json!([field("text")]), json!({}));
    let named = |count: usize| (0..count).map(|n| with(field("text"), json!({ "name": format!("x{n}") }))).collect::<Value>();
    limits(&plain, "fields", &[named(1), named(20)], &[named(0), named(21), json!({})]);
    limits(&plain, "submit", &[letters(120)], &[letters(121), json!("")]);
    limits(&plain, "kind", &["Chat", "CallbackNow", "CallbackLater", "ClickToCall"].map(Value::from), &[json!("chat")]);

    let of_field = |more: Value| json!([with(field("text"), more)]);
    let pattern = |length: usize| of_field(json!({ "pattern": "a".repeat(length), "patternMessage": "M" }));
    limits(
        &plain,
        "fields",
        &[pattern(500)],
        &[pattern(501), of_field(json!({ "pattern": "(" })), of_field(json!({ "pattern": "" }))],
    );
    let label = |length: usize| of_field(json!({ "label": letters(length) }));
    limits(&plain, "fields", &[label(120)], &[label(121), label(0)]);
    let choices = |count: usize| {
        let choices: Vec<_> = (0..count).map(|n| json!({ "label": format!("c{n}") })).collect();
        json!([with(field("choice"), json!({ "choices": choices }))])
    };
    limits(&plain, "fields", &[choices(1), choices(100)], &[choices(0), choices(101)]);
    let consent = |length: usize| json!([with(field("consent"), json!({ "consent": letters(length) }))]);
    limits(&plain, "fields", &[consent(2000)], &[consent(2001), consent(0)]);
}

#[test]
fn every_mistake_of_a_form_is_told() {
    let of = |name: &str, kind: &str, more: Value| with(json!({ "name": name, "field": kind, "label": "L" }), more);
    let fields = json!([
        of("a b", "text", json!({})),
        of("b", "txt", json!({ "pattern": "(", "choices": 3 })),
        of("c", "text", json!({ "label": "", "pattern": "(" })),
        of("d", "email", json!({ "patternMessage": "M" })),
        of("e", "stars", json!({ "pattern": "1", "patternMessage": "M", "choices": [{ "label": "x" }], "consent": "C" })),
        of("f", "choice", json!({})),
        of("g", "consent", json!({})),
        { "name": "h", "field": "checkBox", "mandatory": "yes" },
        of("i", "text", json!({})),
        of("i", "text", json!({})),
        of("j", "text", json!({ "hint": "H" })),
        7,
    ]);
    let card = json!({
        "id": "f", "card": "form", "text": "?", "purpose": "survy", "kind": "chat", "submit": "", "optional": 1, "fields": fields,
        "fallback": "end",
    });
    has_problems(
        &card,
        &[
            ("/cards/0/purpose", "expected one of \"contact\", \"survey\", got \"survy\"; did you mean \"survey\"?"),
            ("/cards/0/kind", "did you mean \"Chat\"?"),
            ("/cards/0/submit", "the text is empty"),
            ("/cards/0/optional", "expected true or false, got a number"),
            ("/cards/0/fallback", "unknown field \"fallback\""),
            ("/cards/0/fields/0/name", "expected 1 to 64 letters"),
            ("/cards/0/fields/1/field", "got \"txt\"; did you mean \"text\"?"),
            ("/cards/0/fields/2/label", "the text is empty"),
            ("/cards/0/fields/2/pattern", "this is no regular expression"),
            ("/cards/0/fields/3", "\"patternMessage\" is said when \"pattern\" does not match"),
            ("/cards/0/fields/4/pattern", "\"pattern\" is for what is typed"),
            ("/cards/0/fields/4/patternMessage", "\"patternMessage\" is for what is typed"),
            ("/cards/0/fields/4/choices", "a \"stars\" takes no \"choices\""),
            ("/cards/0/fields/4/consent", "a \"stars\" takes no \"consent\""),
            ("/cards/0/fields/5", "\"choices\" is missing"),
            ("/cards/0/fields/6", "\"consent\" is missing"),
            ("/cards/0/fields/7", "\"label\" is missing"),
            ("/cards/0/fields/7/mandatory", "expected true or false, got a text"),
            ("/cards/0/fields/9", "another field has the name \"i\" already"),
            ("/cards/0/fields/10/hint", "unknown field \"hint\""),
            ("/cards/0/fields/11", "expected an object, got a number"),
        ],
    );
    let survey = json!({ "id": "f", "card": "form", "purpose": "survey", "kind": "Chat", "fields": [field("stars")] });
    has_problems(&survey, &[("/cards/0", "\"text\" is missing"), ("/cards/0/kind", "a survey comes after a chat")]);
}
