//! Properties of the engine over generated conversations and generated visitors.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod generate;

use std::collections::{BTreeMap, HashMap};

use generate::{Move, PlainPhones, conversation, moves};
use jiff::Timestamp;
use porchlight_domain::{
    conversation::Conversation,
    event::{Event, EventType},
    id::{AnswerId, EventId, SessionId, VisitorId, uuid_v7},
    session::{
        Answer, Ask, Author, Command, ContactKind, Context, Entry, Input, Progress, Report, Reported, Session, Standing, State,
        Talk, Widget, decide,
    },
};
use proptest::prelude::*;
use uuid::Uuid;

/// A visitor driving the engine, who keeps what the server would store.
struct Run<'d> {
    document: &'d Conversation,
    session: Session,
    progress: Progress,
    ids: u64,
    events: Vec<Event>,
    transcript: Vec<Entry>,
}

impl<'d> Run<'d> {
    fn new(document: &'d Conversation) -> Self {
        let id = SessionId::new(uuid_v7(1, &[1; 10]));
        let session = Session { id, visitor: VisitorId::new(uuid_v7(1, &[2; 10])), site: "demo".parse().unwrap(), seq: 0 };
        let progress = Progress::offered(document.id.clone(), 1, id);
        Self { document, session, progress, ids: 100, events: vec![], transcript: vec![] }
    }

    fn id(&mut self) -> Uuid {
        self.ids += 1;
        uuid_v7(self.ids, &[0; 10])
    }

    /// Does a command; a refusal must leave no trace, which holds because the state is only taken over on success.
    fn run(&mut self, command: Command, with_talk: bool) -> bool {
        let talk = with_talk.then(|| Talk { document: self.document, progress: self.progress.clone() });
        let state = State { session: self.session.clone(), talk };
        let mut ids = self.ids;
        let mut new_id = || {
            ids += 1;
            uuid_v7(ids, &[0; 10])
        };
        let mut context =
            Context { now: Timestamp::UNIX_EPOCH, page: "https://shop.example/", new_id: &mut new_id, phones: &PlainPhones };
        let Ok((state, happened)) = decide(state, command, &mut context) else { return false };
        self.ids = ids;
        self.session = state.session;
        if let Some(talk) = state.talk {
            self.progress = talk.progress;
        }
        self.events.extend(happened.events);
        self.transcript.extend(happened.entries);
        true
    }

    fn widget() -> Widget {
        Widget { widget: "launcher".into(), element: "porchlight".into() }
    }

    fn report(&mut self, what: Reported) -> bool {
        let id = EventId::new(self.id());
        self.run(Command::Report(Report { id, at: Timestamp::UNIX_EPOCH, what }), true)
    }

    fn answer(&mut self, input: Input) -> bool {
        let id = AnswerId::new(self.id());
        let Standing::At(card) = self.progress.standing.clone() else { return false };
        self.run(Command::Answer(Answer { id, turn: self.progress.turn, card, input }), true)
    }

    fn right_answer(&self, choice: usize) -> Option<Input> {
        let given = |value: &str| Input::Given { value: value.to_owned(), country: None };
        Some(match self.progress.prompt(self.document)?.ask {
            Ask::Choice { options } => given(&options[choice % options.len()].value),
            Ask::Email { optional: true } | Ask::Phone { optional: true } if choice % 2 == 1 => Input::Skipped,
            Ask::Email { .. } => given("ada@example.com"),
            Ask::Phone { .. } => given("+493012345678"),
        })
    }

    fn step(&mut self, step: &Move) {
        match step {
            Move::Load => drop(self.run(Command::Load(Self::widget()), true)),
            Move::Show => drop(self.report(Reported::Shown(Self::widget()))),
            Move::Hide => drop(self.report(Reported::Hidden(Self::widget()))),
            Move::Click => drop(self.report(Reported::Clicked(Self::widget(), ContactKind::Chat))),
            Move::Open => drop(self.run(Command::Open, true)),
            Move::Close => drop(self.report(Reported::Closed)),
            Move::AnswerRightly(choice) => {
                if let Some(input) = self.right_answer(*choice) {
                    assert!(self.answer(input), "a right answer is taken");
                }
            }
            Move::AnswerWith(text) => drop(self.answer(Input::Given { value: text.clone(), country: Some("DE".into()) })),
            Move::Skip => drop(self.answer(Input::Skipped)),
            Move::AnswerTurn(turn) => {
                let before = (self.session.clone(), self.progress.clone());
                let input = self.right_answer(0).unwrap_or(Input::Skipped);
                let id = AnswerId::new(self.id());
                let card = "elsewhere".parse().unwrap();
                assert!(!self.run(Command::Answer(Answer { id, turn: *turn, card, input }), true), "another card is refused");
                assert_eq!(before, (self.session.clone(), self.progress.clone()));
            }
            Move::NewSession => {
                let id = SessionId::new(self.id());
                self.session = Session { id, seq: 0, ..self.session.clone() };
            }
        }
    }
}

/// The order and the counts that docs/contract promises, over all sessions of a run.
fn check_order(events: &[Event]) {
    let mut sessions: BTreeMap<SessionId, Vec<&Event>> = BTreeMap::new();
    for event in events {
        let fields: Vec<_> = event.data.keys().map(String::as_str).collect();
        let mut expected: Vec<_> = event.kind.entry().fields.iter().map(|field| field.name).collect();
        expected.sort_unstable();
        assert_eq!(fields, expected, "the fields of {} are those of the catalogue", event.kind);
        sessions.entry(event.session).or_default().push(event);
    }
    for events in sessions.values() {
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
            if event.kind.name().starts_with("input.") {
                assert!(engaged.is_some_and(|engaged| engaged < index), "inputs come after engaged");
                assert!(completed.is_none_or(|completed| index < completed), "inputs come before completed");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_run_keeps_the_order(document in conversation(), moves in moves()) {
        let mut run = Run::new(&document);
        for step in &moves {
            run.step(step);
        }
        check_order(&run.events);
        let numbers: Vec<_> = run.transcript.iter().map(|entry| entry.number).collect();
        prop_assert_eq!(numbers, (1..=run.progress.entries).collect::<Vec<_>>());
    }

    #[test]
    fn a_patient_visitor_can_always_reach_an_end(document in conversation(), seed in 0_usize..1000) {
        // Answering at random might circle for long; the shortest way to an end must exist from wherever one stands.
        let mut run = Run::new(&document);
        run.step(&Move::Show);
        run.step(&Move::Open);
        for turn in 0..seed % 7 {
            run.step(&Move::AnswerRightly(seed / (turn + 1)));
        }
        let reached = generate::end_within(&document, &run.progress);
        prop_assert!(reached, "no end from {:?}", run.progress.standing);
    }

    #[test]
    fn completed_means_ended_and_told_once(document in conversation(), choices in proptest::collection::vec(0_usize..20, 1..60)) {
        let mut run = Run::new(&document);
        run.step(&Move::Load);
        run.step(&Move::Show);
        run.step(&Move::Open);
        for choice in choices {
            run.step(&Move::AnswerRightly(choice));
        }
        let completed = run.events.iter().filter(|event| event.kind == EventType::ConversationCompleted).count();
        prop_assert_eq!(completed, usize::from(run.progress.standing == Standing::Ended));
        let answers = run.transcript.iter().filter(|entry| entry.author == Author::Visitor).count();
        let engaged = run.events.iter().filter(|event| event.kind == EventType::ConversationEngaged).count();
        prop_assert_eq!(engaged, usize::from(answers > 0));
    }

    #[test]
    fn documents_round_trip(document in conversation()) {
        let json = document.to_json();
        prop_assert_eq!(Conversation::read(&json), Ok(document.clone()));
        prop_assert_eq!(serde_json::from_str::<Conversation>(&json).unwrap(), document);
    }

    #[test]
    fn the_published_schema_takes_every_valid_document(document in conversation()) {
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
    fn no_mutilated_document_makes_the_reader_panic(document in conversation(), cut in 0_usize..2000, put in "[\\x00-\\x7f]{0,4}") {
        let mut json = document.to_json();
        let at = json.char_indices().map(|(at, _)| at).nth(cut % json.chars().count()).unwrap();
        json.insert_str(at, &put);
        if let Err(problems) = Conversation::read(&json) {
            prop_assert!(!problems.is_empty());
            prop_assert!(problems.iter().all(|problem| problem.line >= 1 && problem.column >= 1 && !problem.message.is_empty()));
        }
    }
}
