//! Properties of the engine over generated conversations and generated visitors.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod generate;

use std::collections::{BTreeMap, HashMap};

use generate::{Move, PlainPhones, authored, conversation, distances, moves, site};
use jiff::Timestamp;
use porchlight_domain::{
    contact::AnyEmail,
    conversation::{
        Body, CaptureField, Card, Choice, Conversation, FieldKind, IfKnown, Kind, Question, Style, Text,
        markup::{Span, spans},
    },
    event::{Event, EventType},
    id::{AnswerId, ConversationId, EventId, SessionId, VisitorId, uuid_v7},
    livechat::{ChatPolicy, Roster},
    meeting::Calendars,
    schedule::Openings,
    session::{
        Answer, Ask, Attributes, Author, Beside, Command, ContactKind, Context, Entry, FormAsk, Happened, Input, Progress,
        Report, Reported, Session, Standing, State, Talk, Widget, decide,
    },
};
use proptest::prelude::*;
use uuid::Uuid;

/// What a field of a form takes.
fn filled(field: &FormAsk, choice: usize) -> String {
    match field.kind {
        FieldKind::Email => format!("ada{choice}@example.com"),
        FieldKind::Phone => format!("+4930123456{choice:02}"),
        FieldKind::Date => "2026-11-21".to_owned(),
        FieldKind::Choice => field.choices[choice % field.choices.len()].value.clone(),
        FieldKind::Stars | FieldKind::Smileys => (choice % 5 + 1).to_string(),
        FieldKind::Score => (choice % 11).to_string(),
        FieldKind::CheckBox | FieldKind::Consent if !field.mandatory && choice.is_multiple_of(2) => String::new(),
        _ => "true".to_owned(),
    }
}

/// A visitor driving the engine, who keeps what the server would store.
#[derive(Clone)]
struct Run<'d> {
    document: &'d Conversation,
    locale: &'static str,
    session: Session,
    progress: Progress,
    attributes: Attributes,
    ids: u64,
    events: Vec<Event>,
    /// Every line, and whether it was taken back.
    transcript: Vec<(Entry, bool)>,
    /// What was shown when each question was asked that can be gone back to: a model of the trail.
    asked: Vec<(Standing, Vec<Entry>)>,
    /// Where the conversation was begun anew: the session, and the number of its last event.
    anew: Vec<(SessionId, u64)>,
}

impl<'d> Run<'d> {
    fn new(document: &'d Conversation) -> Self {
        let id = SessionId::new(uuid_v7(1, &[1; 10]));
        let session = Session { id, visitor: VisitorId::new(uuid_v7(1, &[2; 10])), site: "demo".parse().unwrap(), seq: 0 };
        Self {
            document,
            locale: "en",
            session,
            progress: Progress::offered(document.id.clone(), 1, id),
            attributes: Attributes::new(),
            ids: 100,
            events: vec![],
            transcript: vec![],
            asked: vec![],
            anew: vec![],
        }
    }

    fn id(&mut self) -> Uuid {
        self.ids += 1;
        uuid_v7(self.ids, &[0; 10])
    }

    /// What the panel shows.
    fn shown(&self) -> Vec<Entry> {
        self.transcript.iter().filter(|(_, taken_back)| !taken_back).map(|(entry, _)| entry.clone()).collect()
    }

    fn said(&self) -> Vec<(Author, Option<String>)> {
        self.shown().into_iter().map(|entry| (entry.author, entry.text)).collect()
    }

    fn take_back(&mut self, last: u32) {
        self.transcript.iter_mut().filter(|(entry, _)| entry.number > last).for_each(|(_, taken_back)| *taken_back = true);
    }

    /// Does a command; a refusal must leave no trace, which holds because the state is only taken over on success.
    fn run(&mut self, command: Command) -> Option<Happened> {
        let talk = Some(Talk { document: self.document, progress: self.progress.clone() });
        let state = State {
            session: self.session.clone(),
            talk,
            attributes: self.attributes.clone(),
            chat: None,
            meeting: None,
            callback: None,
        };
        let mut ids = self.ids;
        let mut new_id = || {
            ids += 1;
            uuid_v7(ids, &[0; 10])
        };
        let mut context = Context {
            now: Timestamp::UNIX_EPOCH,
            page: "https://shop.example/",
            new_id: &mut new_id,
            locale: self.locale,
            phones: &PlainPhones,
            emails: &AnyEmail,
            roster: &Roster::default(),
            policy: &ChatPolicy::default(),
            time_zone: "UTC",
            calendars: &Calendars::default(),
            openings: &Openings::default(),
            address_of: &|_| String::new(),
        };
        let (state, happened) = decide(state, command, &mut context).ok()?;
        self.ids = ids;
        self.session = state.session;
        if let Some(talk) = state.talk {
            self.progress = talk.progress;
        }
        // What the server stores is what the next decision starts from.
        for (name, value) in &happened.attributes {
            self.attributes.insert(name.clone(), value.clone());
        }
        assert_eq!(self.attributes, state.attributes);
        self.events.extend(happened.events.clone());
        if let Some(last) = happened.taken_back_to {
            self.take_back(last);
        }
        self.transcript.extend(happened.entries.iter().map(|entry| (entry.clone(), false)));
        self.never_lost();
        Some(happened)
    }

    /// The visitor is asked something, or it is over, or has not begun.
    fn never_lost(&self) {
        let prompt = self.progress.prompt(self.document, &self.attributes, self.locale, Beside::default());
        match &self.progress.standing {
            Standing::Offered => assert!(self.shown().is_empty() && prompt.is_none()),
            Standing::At(card) => {
                let body = &self.document.card(card).unwrap().body;
                assert!(
                    matches!(body, Body::Question(_) | Body::Capture(_) | Body::Document(_) | Body::Form(_) | Body::Call(_)),
                    "{card} does not wait"
                );
                let prompt = prompt.unwrap();
                assert_eq!((prompt.turn, &prompt.card), (self.progress.turn, card));
                let last = self.shown().pop().unwrap();
                assert_eq!((last.author, &last.card), (Author::Bot, card), "the question is the last that is shown");
            }
            Standing::Ended => assert!(prompt.is_none() && self.progress.completed),
        }
    }

    fn widget() -> Widget {
        Widget { widget: "launcher".into(), element: "porchlight".into() }
    }

    fn report(&mut self, what: Reported) {
        let id = EventId::new(self.id());
        assert!(self.run(Command::Report(Report { id, at: Timestamp::UNIX_EPOCH, what })).is_some());
    }

    fn answer(&mut self, input: Input) -> bool {
        let id = AnswerId::new(self.id());
        let Standing::At(card) = self.progress.standing.clone() else { return false };
        let before = (self.progress.standing.clone(), self.shown());
        let taken = self.run(Command::Answer(Answer { id, turn: self.progress.turn, card, input })).is_some();
        if taken && self.document.back {
            self.asked.push(before);
        }
        taken
    }

    /// An answer that the card takes, of several that differ.
    fn right_answer(&self, choice: usize) -> Option<Input> {
        let given = |value: &str| Input::Given { values: vec![value.to_owned()], country: None };
        let prompt = self.progress.prompt(self.document, &self.attributes, self.locale, Beside::default())?;
        if prompt.optional && choice % 3 == 2 {
            return Some(Input::Skipped);
        }
        let within = |min: Option<f64>, max: Option<f64>| match choice % 2 {
            0 => min.or(max).unwrap_or(1.5),
            _ => max.or(min).unwrap_or(-2.0),
        };
        Some(match prompt.ask {
            Ask::Choice { options, .. } | Ask::Pick { options } => given(&options[choice % options.len()].value),
            Ask::Several { options } => {
                let Body::Question(Question { min, max, .. }) = &self.document.card(&prompt.card)?.body else { return None };
                let most = max.map_or(options.len(), |max| max as usize);
                let least = min.unwrap_or(1) as usize;
                let count = least + choice % (most - least + 1);
                let values = (0..count).map(|index| options[(choice + index) % options.len()].value.clone()).collect();
                Input::Given { values, country: None }
            }
            Ask::Line(CaptureField::Email) => given(&format!("ada{choice}@example.com")),
            Ask::Line(_) => given(&format!("Ada L{choice}")),
            Ask::Phone => given(&format!("+4930123456{choice:02}")),
            Ask::Text { max } => given(&"ä".repeat(if choice.is_multiple_of(2) { max as usize } else { 1 })),
            Ask::Number { min, max } => given(&within(min, max).to_string()),
            Ask::Date { min, max } => given(&min.or(max).unwrap_or_else(|| "2026-11-21".to_owned())),
            // Nobody is there to chat with.
            Ask::Waiting { .. } | Ask::Chat { .. } => return None,
            Ask::Document { .. } | Ask::Call { .. } => Input::Given { values: vec![], country: None },
            Ask::Form { fields, .. } => {
                Input::Form(fields.iter().map(|field| (field.name.to_string(), vec![filled(field, choice)])).collect())
            }
            // Nobody can be met here, nor is there a call back.
            Ask::Slot(_) | Ask::Guest { .. } => return None,
        })
    }

    fn answer_rightly(&mut self, choice: usize) {
        if let Some(input) = self.right_answer(choice) {
            assert!(self.answer(input.clone()), "{input:?} is taken");
        }
    }

    fn back(&mut self) -> bool {
        let may = self.progress.may_go_back(self.document);
        let model = self.asked.pop();
        let went = self.run(Command::Back { turn: self.progress.turn });
        assert_eq!(went.is_some(), may);
        match model {
            Some(model) if may => {
                assert_eq!((self.progress.standing.clone(), self.shown()), model, "as it was when it was asked")
            }
            model => {
                assert!(model.is_none() || !matches!(self.progress.standing, Standing::At(_)));
                self.asked.extend(model);
            }
        }
        may
    }

    /// As the server does it: what was said is taken back, and the bot begins to speak.
    fn begin_anew(&mut self) {
        let again = self.document.kind == Kind::ConversationFlow && self.progress.standing == Standing::Ended;
        if !again && !self.progress.may_restart(self.document) {
            return;
        }
        self.take_back(0);
        self.asked.clear();
        self.anew.push((self.session.id, self.session.seq));
        self.progress = self.progress.clone().anew(2);
        assert!(self.run(Command::Open).is_some());
    }

    fn step(&mut self, step: &Move) {
        match step {
            Move::Load => drop(self.run(Command::Load(Self::widget()))),
            Move::Show => self.report(Reported::Shown(Self::widget())),
            Move::Hide => self.report(Reported::Hidden(Self::widget())),
            Move::Click => self.report(Reported::Clicked(Self::widget(), ContactKind::Chat)),
            Move::Open => drop(self.run(Command::Open)),
            Move::Close => self.report(Reported::Closed),
            Move::AnswerRightly(choice) => self.answer_rightly(*choice),
            Move::AnswerWith(values) => {
                self.answer(Input::Given { values: values.clone(), country: Some("DE".into()) });
            }
            Move::Skip => {
                self.answer(Input::Skipped);
            }
            Move::Back => {
                self.back();
            }
            Move::BackFrom(turn) => {
                if *turn != self.progress.turn {
                    assert!(self.run(Command::Back { turn: *turn }).is_none(), "an old form does not go back");
                }
            }
            Move::Document(what) => {
                let before = (self.progress.standing.clone(), self.shown(), self.progress.turn);
                let done = self.run(Command::Document { turn: self.progress.turn, what: *what });
                let shows = match &before.0 {
                    Standing::At(card) => matches!(self.document.card(card).unwrap().body, Body::Document(_)),
                    _ => false,
                };
                assert_eq!(done.is_some(), shows);
                assert_eq!(before, (self.progress.standing.clone(), self.shown(), self.progress.turn));
            }
            Move::Identify(email, name) => {
                let email = email.then(|| "grace@example.com".parse().unwrap());
                assert!(self.run(Command::Identify { email, name: name.clone() }).is_some());
            }
            Move::Anew => self.begin_anew(),
            Move::AnswerTurn(turn) => {
                let before = (self.session.clone(), self.progress.clone());
                let input = self.right_answer(0).unwrap_or(Input::Skipped);
                let id = AnswerId::new(self.id());
                let card = "elsewhere".parse().unwrap();
                let taken = self.run(Command::Answer(Answer { id, turn: *turn, card, input }));
                assert!(taken.is_none(), "another card is refused");
                assert_eq!(before, (self.session.clone(), self.progress.clone()));
            }
            Move::NewSession => {
                let id = SessionId::new(self.id());
                self.session = Session { id, seq: 0, ..self.session.clone() };
            }
        }
        assert_eq!(self.asked.len(), self.progress.trail.len());
        let waits = matches!(self.progress.standing, Standing::At(_));
        assert_eq!(self.progress.may_go_back(self.document), self.document.back && waits && !self.asked.is_empty());
    }
}

/// The order and the counts that docs/contract promises, over all sessions of a run.
fn check_order(events: &[Event], anew: &[(SessionId, u64)]) {
    let mut sessions: BTreeMap<SessionId, Vec<&Event>> = BTreeMap::new();
    for event in events {
        let fields: Vec<_> = event.data.keys().map(String::as_str).collect();
        let mut expected: Vec<_> = event.kind.entry().fields.iter().map(|field| field.name).collect();
        expected.sort_unstable();
        assert_eq!(fields, expected, "the fields of {} are those of the catalogue", event.kind);
        sessions.entry(event.session).or_default().push(event);
    }
    for (session, events) in &sessions {
        let seqs: Vec<_> = events.iter().map(|event| event.seq).collect();
        assert_eq!(seqs, (1..=events.len() as u64).collect::<Vec<_>>(), "seq counts from 1 without gaps");
        let mut at: HashMap<EventType, usize> = HashMap::new();
        for (index, event) in events.iter().enumerate() {
            if event.kind.name().starts_with("conversation.") {
                assert_eq!(at.insert(event.kind, index), None, "{} fires once a session", event.kind);
            }
        }
        let first = |kind| at.get(&kind).copied();
        let triggered = first(EventType::ConversationTriggered);
        for later in [EventType::ConversationEngaged, EventType::ConversationClosed, EventType::ConversationCompleted] {
            if let Some(later) = first(later) {
                assert!(triggered.is_some_and(|triggered| triggered < later), "triggered comes first");
            }
        }
        let engaged = first(EventType::ConversationEngaged);
        let completed = first(EventType::ConversationCompleted);
        if let (Some(completed), Some(closed)) = (completed, first(EventType::ConversationClosed)) {
            assert!(closed < completed, "never closed after completed");
        }
        for (index, event) in events.iter().enumerate() {
            let name = event.kind.name();
            if name.starts_with("input.") || name.starts_with("document.") {
                assert!(engaged.is_some_and(|engaged| engaged < index), "inputs come after engaged");
            }
            if name.starts_with("input.") || name.starts_with("document.") || name == "goal.reached" {
                assert!(triggered.is_some_and(|triggered| triggered < index), "what happens in it comes after triggered");
                // Who began again gives their answers again.
                let again = |after: u64| anew.iter().any(|(of, seq)| of == session && (after..event.seq).contains(seq));
                let first_run = completed.is_none_or(|completed| index < completed);
                assert!(first_run || again(events[completed.unwrap()].seq), "inputs come before completed");
            }
        }
    }
}

/// The conversation, as if every attribute were unknown: nothing is skipped, and no condition decides.
fn without_conditions(document: &Conversation) -> Conversation {
    let mut document = document.clone();
    for Card { body, .. } in &mut document.cards {
        match body {
            Body::Condition { next, .. } => *body = Body::Goal { goal: "passed".into(), next: next.clone() },
            Body::Capture(capture) => capture.if_known = IfKnown::Ask,
            _ => {}
        }
    }
    document
}

/// What is said in a conversation whose sub-flows are run one by one, by somebody who knows nothing of linking; whether it ended.
fn by_hand(
    document: &Conversation,
    flows: &[Conversation],
    attributes: &mut Attributes,
    answers: &mut dyn Iterator<Item = usize>,
    locale: &'static str,
    said: &mut Vec<(Author, Option<String>)>,
) -> bool {
    // Where a sub-flow would run, a question waits until it has been run.
    let mut halting = document.clone();
    for card in &mut halting.cards {
        if let Body::SubFlow { next, .. } = &card.body {
            let choice = Choice { label: Text::plain("done"), value: None, next: None };
            let (text, style) = (Text::plain("runs"), Style::Buttons);
            card.body = Body::Question(Question {
                text,
                style,
                choices: vec![choice],
                attribute: None,
                min: None,
                max: None,
                next: next.clone(),
            });
        }
    }
    let mut run = Run { locale, attributes: attributes.clone(), ..Run::new(&halting) };
    run.run(Command::Open);
    let mut heard = 0;
    loop {
        let lines = run.said().split_off(heard);
        heard += lines.len();
        said.extend(lines);
        let Standing::At(card) = &run.progress.standing else { break };
        let original = document.card(card).unwrap();
        if let Body::SubFlow { conversation, .. } = &original.body {
            said.pop();
            let flow = flows.iter().find(|flow| flow.id == *conversation).unwrap();
            if !by_hand(flow, flows, &mut run.attributes, answers, locale, said) {
                return false;
            }
            assert!(run.answer(Input::text("done")));
            heard += 1;
        } else {
            let Some(choice) = answers.next() else { return false };
            run.answer_rightly(choice);
        }
    }
    *attributes = run.attributes;
    true
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_run_keeps_the_order_and_loses_nobody(document in conversation(), moves in moves()) {
        let mut run = Run::new(&document);
        for step in &moves {
            run.step(step);
        }
        check_order(&run.events, &run.anew);
        let numbers: Vec<_> = run.transcript.iter().map(|(entry, _)| entry.number).collect();
        prop_assert_eq!(numbers, (1..=run.progress.entries).collect::<Vec<_>>());
    }

    #[test]
    fn an_end_can_always_be_reached(document in conversation(), choices in proptest::collection::vec(0_usize..20, 0..8)) {
        prop_assert_eq!(distances(&document).len(), document.cards.len());
        let mut run = Run::new(&document);
        run.step(&Move::Open);
        for choice in choices {
            run.answer_rightly(choice);
            prop_assert!(generate::end_within(&document, &run.progress), "no end from {:?}", run.progress.standing);
        }
    }

    #[test]
    fn a_patient_visitor_reaches_an_end(document in conversation(), choices in proptest::collection::vec(0_usize..20, 0..8)) {
        // Rules may ask for what no answer gives; without them, an answer leads nearer to an end from wherever one stands.
        let document = without_conditions(&document);
        let distances = distances(&document);
        prop_assume!(distances.len() == document.cards.len());
        let mut run = Run::new(&document);
        run.step(&Move::Show);
        run.step(&Move::Open);
        for choice in choices {
            run.answer_rightly(choice);
        }
        let mut left = document.cards.len();
        while let Standing::At(id) = run.progress.standing.clone() {
            prop_assert!(left > 0, "no end from {id}");
            left -= 1;
            let card = document.card(&id).unwrap();
            let best = match &card.body {
                Body::Question(question) if question.style != Style::Multiple => {
                    (0..question.choices.len()).min_by_key(|choice| document.after_choice(card, *choice).map(|way| distances[way]))
                }
                _ => None,
            };
            run.answer_rightly(best.unwrap_or(0));
        }
        prop_assert_eq!(run.progress.standing, Standing::Ended);
    }

    #[test]
    fn completed_means_ended_and_told_once(document in conversation(), choices in proptest::collection::vec(0_usize..20, 1..60)) {
        let mut run = Run::new(&document);
        run.step(&Move::Load);
        run.step(&Move::Show);
        run.step(&Move::Open);
        for choice in choices {
            run.answer_rightly(choice);
        }
        let completed = run.events.iter().filter(|event| event.kind == EventType::ConversationCompleted).count();
        prop_assert_eq!(completed, usize::from(run.progress.standing == Standing::Ended));
        let answers = run.transcript.iter().filter(|(entry, _)| entry.author == Author::Visitor).count();
        let engaged = run.events.iter().filter(|event| event.kind == EventType::ConversationEngaged).count();
        prop_assert_eq!(engaged, usize::from(answers > 0));
    }

    #[test]
    fn the_same_answer_after_going_back_leads_to_the_same_place(
        document in conversation(), choices in proptest::collection::vec(0_usize..20, 0..6), last in 0_usize..20, decides: bool
    ) {
        let document = Conversation { back: true, ..if decides { document } else { without_conditions(&document) } };
        let mut run = Run::new(&document);
        run.step(&Move::Open);
        for choice in choices {
            run.answer_rightly(choice);
        }
        let Some(input) = run.right_answer(last) else { return Ok(()) };
        let mut places = vec![];
        for _ in 0..3 {
            let known = run.attributes.clone();
            prop_assert!(run.answer(input.clone()));
            places.push((run.progress.standing.clone(), run.said(), known));
            if run.progress.standing == Standing::Ended {
                return Ok(());
            }
            prop_assert!(run.back());
        }
        // What was learned is not forgotten by going back; where it decides, as nothing new was learned, it decides the same.
        prop_assert!(decides || places[0].0 == places[1].0);
        if places[1].2 == places[2].2 {
            prop_assert_eq!(&places[1], &places[2]);
        }
    }

    #[test]
    fn a_linked_conversation_says_what_its_parts_say(
        (main, flows) in site(), choices in proptest::collection::vec(0_usize..20, 0..20), german: bool
    ) {
        let find = |id: &ConversationId| flows.iter().find(|flow| flow.id == *id);
        let linked = main.linked(&find).unwrap();
        let flat = linked.cards.iter().all(|card| !matches!(card.body, Body::SubFlow { .. }));
        prop_assert!(flat);
        prop_assert_eq!(&linked.linked(&|_| None), &Ok(linked.clone()), "linked again it is the same");
        // A stored version is read as it was written.
        prop_assert_eq!(&serde_json::from_str::<Conversation>(&linked.to_json()).unwrap(), &linked);

        let locale = if german { "de-AT" } else { "en" };
        let mut run = Run { locale, ..Run::new(&linked) };
        run.step(&Move::Open);
        for choice in &choices {
            run.answer_rightly(*choice);
        }
        let mut said = vec![];
        let mut attributes = Attributes::new();
        let ended = by_hand(&main, &flows, &mut attributes, &mut choices.iter().copied(), locale, &mut said);
        prop_assert_eq!(run.said(), said);
        prop_assert_eq!(run.progress.standing == Standing::Ended, ended);
        if ended {
            prop_assert_eq!(run.attributes, attributes);
        }
    }

    #[test]
    fn a_name_is_shown_as_it_was_given(
        name in "\\PC{1,40}|[a*`\\\\\\[\\](){}|. ]{1,40}|(\\{\\{(visitor\\.(email|name)|page\\.url)\\|?|\\}\\}|\\]\\(https://x|<b>|a){1,6}"
    ) {
        let document = Conversation::read(r#"{ "id": "hello", "name": "Hello", "cards": [
            { "id": "name", "card": "capture", "field": "name", "text": "Who?" },
            { "id": "hi", "card": "message", "text": "Hello {{visitor.name}}, well?" },
            { "id": "loud", "card": "message", "text": "**{{visitor.name}}**" },
            { "id": "copy", "card": "set", "attribute": "copy", "value": "{{visitor.name}}" },
            { "id": "end", "card": "end", "text": "{{visitor.copy}}" }
        ] }"#).unwrap();
        let mut run = Run::new(&document);
        run.step(&Move::Open);
        prop_assume!(run.answer(Input::text(&name)));
        let name = name.trim().to_owned();
        let said: Vec<_> = run.said().into_iter().map(|(_, text)| text.unwrap()).collect();
        prop_assert_eq!(&said[1], &name, "the visitor's own line is plain text");
        let text = |text: String| vec![Span::Text(text)];
        prop_assert_eq!(spans(&said[2]), text(format!("Hello {name}, well?")));
        prop_assert_eq!(spans(&said[3]), [Span::Bold(text(name.clone()))]);
        prop_assert_eq!(spans(&said[4]), text(name));
    }

    #[test]
    fn documents_round_trip(document in authored()) {
        let json = document.to_json();
        prop_assert_eq!(Conversation::read(&json), Ok(document.clone()));
        prop_assert_eq!(serde_json::from_str::<Conversation>(&json).unwrap(), document);
    }

    #[test]
    fn the_published_schema_takes_every_valid_document(document in authored()) {
        let validator = generate::schema();
        let json = serde_json::from_str(&document.to_json()).unwrap();
        let errors: Vec<_> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
        prop_assert!(errors.is_empty(), "{errors:?}");
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,200}") {
        let _ = Conversation::read(&text);
    }

    #[test]
    fn no_mutilated_document_makes_the_reader_panic(document in authored(), cut in 0_usize..20_000, put in "[\\x00-\\x7f]{0,4}") {
        let mut json = document.to_json();
        let at = json.char_indices().map(|(at, _)| at).nth(cut % json.chars().count()).unwrap();
        json.insert_str(at, &put);
        if let Err(problems) = Conversation::read(&json) {
            prop_assert!(!problems.is_empty());
            prop_assert!(problems.iter().all(|problem| problem.line >= 1 && problem.column >= 1 && !problem.message.is_empty()));
        }
    }
}
