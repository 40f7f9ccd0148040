//! Live chats: every transition, and what holds whatever visitors, agents, the clock and restarts do between each other.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use jiff::{SignedDuration, Timestamp};
use porchlight_domain::{
    contact::{BadPhone, Phone, PhoneRules},
    conversation::Conversation,
    event::{Event, EventType},
    id::{AgentId, AnswerId, SessionId, VisitorId, uuid_v7},
    livechat::{Chat, ChatCommand, ChatPolicy, Ended, Member, Notice, Phase, Roster, TransferTo},
    session::{
        Attributes, Author, Command, Context, Entry, Format, Happened, Progress, Refusal, Session, Speaker, Standing, State,
        Talk, decide,
    },
};
use proptest::prelude::*;
use serde_json::{Value, json};

struct NoPhones;

impl PhoneRules for NoPhones {
    fn parse(&self, _: &str, _: Option<&str>) -> Result<Phone, BadPhone> {
        Err(BadPhone::NotANumber)
    }
}

fn document(card: Value) -> Conversation {
    let mut live = json!({ "id": "agent", "card": "liveChat", "text": "One moment", "fallbackText": "Nobody is there" });
    live.as_object_mut().unwrap().extend(card.as_object().unwrap().clone());
    let cards = json!([live, { "id": "after", "card": "question", "text": "Was it good?", "choices": [{ "label": "Yes" }] },
        { "id": "end", "card": "end" }]);
    let json = json!({ "id": "talk", "name": "Talk", "cards": cards });
    Conversation::read(&json.to_string()).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn agent(number: u8) -> AgentId {
    AgentId::new(uuid_v7(1, &[number; 10]))
}

fn speaker(number: u8) -> Speaker {
    Speaker { id: agent(number), name: format!("Agent {number}") }
}

fn message(number: u64) -> AnswerId {
    AnswerId::new(uuid_v7(number, &[7; 10]))
}

/// A site: agents, visitors with at most one chat each, and a clock.
struct Site<'d> {
    document: &'d Conversation,
    now: Timestamp,
    ids: u64,
    members: Vec<Member>,
    visits: Vec<Visit>,
    policy: ChatPolicy,
}

#[derive(Clone)]
struct Visit {
    session: Session,
    progress: Progress,
    chat: Option<Chat>,
    over: Vec<Chat>,
    events: Vec<Event>,
    entries: Vec<Entry>,
}

impl<'d> Site<'d> {
    fn new(document: &'d Conversation, agents: u8, visitors: u8, limit: u32) -> Self {
        let member = |number| Member {
            id: agent(number),
            name: format!("Agent {number}"),
            email: format!("agent{number}@example.com"),
            teams: if number % 2 == 0 { vec!["even".parse().unwrap()] } else { vec![] },
            languages: vec![],
            skills: vec![],
            available: true,
            open: 0,
            limit,
            offered_at: None,
        };
        let visit = |number: u8| {
            let id = SessionId::new(uuid_v7(3, &[number; 10]));
            let visitor = VisitorId::new(uuid_v7(2, &[number; 10]));
            Visit {
                session: Session { id, visitor, site: "shop".parse().unwrap(), seq: 0 },
                progress: Progress::offered(document.id.clone(), 1, id),
                chat: None,
                over: vec![],
                events: vec![],
                entries: vec![],
            }
        };
        Self {
            document,
            now: "2026-11-24T09:00:00Z".parse().unwrap(),
            ids: 0,
            members: (1..=agents).map(member).collect(),
            visits: (1..=visitors).map(visit).collect(),
            policy: ChatPolicy::default(),
        }
    }

    /// Who can take a chat, as the store would count it.
    fn roster(&self) -> Roster {
        let under_way = || self.visits.iter().filter_map(|visit| visit.chat.as_ref()).filter(|chat| !chat.is_over());
        let mut members = self.members.clone();
        for member in &mut members {
            let open = under_way().filter(|chat| chat.agent() == Some(member.id) || chat.asked() == Some(member.id)).count();
            member.open = u32::try_from(open).unwrap();
        }
        Roster { members, last: None, ahead: 0 }
    }

    fn does(&mut self, visitor: usize, command: Command) -> Result<Happened, Refusal> {
        let roster = self.roster();
        let visit = self.visits[visitor].clone();
        let talk = Some(Talk { document: self.document, progress: visit.progress });
        let chat = visit.chat.filter(|chat| !chat.is_over());
        let state = State { session: visit.session, talk, attributes: Attributes::new(), chat };
        let mut ids = self.ids;
        let mut new_id = || {
            ids += 1;
            uuid_v7(ids, &[0; 10])
        };
        let mut context = Context {
            now: self.now,
            page: "https://shop.example/",
            locale: "en",
            new_id: &mut new_id,
            phones: &NoPhones,
            roster: &roster,
            policy: &self.policy,
        };
        let (state, happened) = decide(state, command, &mut context)?;
        self.ids = ids;
        let visit = &mut self.visits[visitor];
        visit.session = state.session;
        visit.progress = state.talk.unwrap().progress;
        visit.events.extend(happened.events.clone());
        visit.entries.extend(happened.entries.clone());
        visit.over.extend(happened.over.clone());
        if let Some(chat) = state.chat {
            // As a restart would read it again.
            visit.chat = Some(serde_json::from_value(serde_json::to_value(chat).unwrap()).unwrap());
        }
        if let Some(offered) = happened.offered {
            self.members.iter_mut().find(|member| member.id == offered).unwrap().offered_at = Some(self.now);
        }
        Ok(happened)
    }

    fn chat(&mut self, visitor: usize, command: ChatCommand) -> Result<Happened, Refusal> {
        self.does(visitor, Command::Chat(command))
    }

    fn phase(&self, visitor: usize) -> &Phase {
        &self.visits[visitor].chat.as_ref().unwrap().phase
    }

    fn pass(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    /// What the clock of the server does.
    fn tick(&mut self) {
        for visitor in 0..self.visits.len() {
            let due = self.visits[visitor].chat.as_ref().and_then(|chat| chat.due_at(&self.policy));
            if due.is_some_and(|due| due <= self.now) {
                self.chat(visitor, ChatCommand::Tick).unwrap();
                let due = self.visits[visitor].chat.as_ref().and_then(|chat| chat.due_at(&self.policy));
                assert!(due.is_none_or(|due| due > self.now), "what was due was done");
            }
        }
        for visitor in 0..self.visits.len() {
            if self.visits[visitor].chat.as_ref().is_some_and(|chat| chat.phase == Phase::Queued) {
                self.chat(visitor, ChatCommand::Free).unwrap();
            }
        }
    }
}

fn kinds(visit: &Visit) -> Vec<&'static str> {
    visit.events.iter().map(|event| event.kind.name()).collect()
}

fn notices(visit: &Visit) -> Vec<Notice> {
    let notices = visit.entries.iter().filter(|entry| entry.format == Format::Notice);
    notices.map(|entry| Notice::named(entry.text.as_deref().unwrap()).unwrap()).collect()
}

#[test]
fn a_chat_from_request_to_end() {
    let document = document(json!({}));
    let mut site = Site::new(&document, 2, 1, 10);
    site.does(0, Command::Open).unwrap();
    assert_eq!(site.visits[0].chat.as_ref().unwrap().asked(), Some(agent(1)));
    assert_eq!(site.chat(0, ChatCommand::Accept { agent: agent(2) }), Err(Refusal::NotOffered));
    site.chat(0, ChatCommand::Say { id: message(1), text: "Hello?".into() }).unwrap();
    site.chat(0, ChatCommand::Accept { agent: agent(1) }).unwrap();
    site.chat(0, ChatCommand::Accept { agent: agent(1) }).unwrap();
    assert_eq!(site.chat(0, ChatCommand::AgentSay { by: speaker(2), id: message(2), text: "Hi".into() }), Err(Refusal::NotYours));
    site.chat(0, ChatCommand::AgentSay { by: speaker(1), id: message(2), text: "Hi".into() }).unwrap();
    assert_eq!(site.chat(0, ChatCommand::AgentEnd { agent: agent(2) }), Err(Refusal::NotYours));
    site.chat(0, ChatCommand::AgentEnd { agent: agent(1) }).unwrap();
    assert_eq!(site.phase(0), &Phase::Ended(Ended::Agent));
    assert_eq!(
        kinds(&site.visits[0]),
        [
            "conversation.triggered",
            "livechat.requested",
            "conversation.engaged",
            "message.sent",
            "livechat.initiated",
            "message.received",
            "livechat.ended"
        ]
    );
    assert_eq!(notices(&site.visits[0]), [Notice::Joined, Notice::EndedByAgent]);
    assert_eq!(site.visits[0].progress.standing, Standing::At("after".parse().unwrap()), "the conversation goes on");
    let said: Vec<_> =
        site.visits[0].entries.iter().map(|entry| (entry.author, entry.agent.clone().map(|agent| agent.name))).collect();
    assert_eq!(said[3], (Author::Agent, Some("Agent 1".into())));
    assert_eq!(site.chat(0, ChatCommand::End), Err(Refusal::NotOnline));
}

#[test]
fn an_agent_has_so_long_to_accept_and_then_the_next_is_asked() {
    let document = document(json!({}));
    let mut site = Site::new(&document, 2, 1, 10);
    site.does(0, Command::Open).unwrap();
    site.pass(99);
    site.tick();
    assert_eq!(site.visits[0].chat.as_ref().unwrap().asked(), Some(agent(1)), "a second before");
    site.pass(1);
    assert_eq!(site.chat(0, ChatCommand::Accept { agent: agent(1) }), Err(Refusal::NotOffered), "at the end it is over");
    site.tick();
    assert_eq!(site.visits[0].chat.as_ref().unwrap().asked(), Some(agent(2)));
    site.chat(0, ChatCommand::Decline { agent: agent(2) }).unwrap();
    assert_eq!(site.phase(0), &Phase::Ended(Ended::Unanswered));
    assert_eq!(kinds(&site.visits[0]), ["conversation.triggered", "livechat.requested", "livechat.timeout", "fallback.shown"]);
    let timeout = &site.visits[0].events[2];
    assert_eq!((&timeout.data["reason"], &timeout.data["online"]), (&json!("unanswered"), &json!(false)));
}

#[test]
fn with_nobody_there_the_fallback_is_shown_and_no_agent_was_requested() {
    let document = document(json!({ "fallback": "end", "queue": true }));
    let mut site = Site::new(&document, 1, 1, 10);
    site.members[0].available = false;
    site.does(0, Command::Open).unwrap();
    assert_eq!(site.phase(0), &Phase::Ended(Ended::Nobody), "kept for the agents, and no event tells of it");
    assert_eq!(kinds(&site.visits[0]), ["conversation.triggered", "fallback.shown", "conversation.completed"]);
    assert_eq!(site.visits[0].entries[0].text.as_deref(), Some("Nobody is there"));
}

#[test]
fn while_all_are_busy_a_visitor_may_wait_if_the_author_lets_them() {
    for queue in [false, true] {
        let document = document(json!({ "queue": queue }));
        let mut site = Site::new(&document, 1, 2, 1);
        site.does(0, Command::Open).unwrap();
        site.chat(0, ChatCommand::Accept { agent: agent(1) }).unwrap();
        site.does(1, Command::Open).unwrap();
        assert_eq!(
            site.visits[1].chat.as_ref().map(|chat| chat.phase.clone()),
            Some(if queue { Phase::Queued } else { Phase::Ended(Ended::Nobody) })
        );
        if queue {
            site.pass(3600);
            site.chat(0, ChatCommand::AgentSay { by: speaker(1), id: message(1), text: "still here".into() }).unwrap();
            site.tick();
            assert_eq!(site.phase(1), &Phase::Queued, "waiting takes as long as it takes");
            site.chat(0, ChatCommand::AgentEnd { agent: agent(1) }).unwrap();
            site.tick();
            assert_eq!(site.visits[1].chat.as_ref().unwrap().asked(), Some(agent(1)));
        }
    }
}

#[test]
fn a_transfer_stays_with_the_agent_until_it_is_accepted() {
    let document = document(json!({}));
    let mut site = Site::new(&document, 3, 1, 10);
    site.does(0, Command::Open).unwrap();
    site.chat(0, ChatCommand::Accept { agent: agent(1) }).unwrap();
    let to = |number| ChatCommand::Transfer { agent: agent(1), to: TransferTo::Agent(agent(number)) };
    assert_eq!(site.chat(0, to(1)), Err(Refusal::NoSuchAgent), "not to oneself");
    site.members[1].available = false;
    assert_eq!(site.chat(0, to(2)), Err(Refusal::NoSuchAgent));
    site.members[1].available = true;
    site.chat(0, to(3)).unwrap();
    site.chat(0, ChatCommand::AgentSay { by: speaker(1), id: message(1), text: "One moment".into() }).unwrap();
    site.pass(100);
    site.tick();
    assert_eq!(site.phase(0), &Phase::Online { agent: agent(1), transfer: None }, "let pass, it is still the first's");
    site.chat(0, ChatCommand::Transfer { agent: agent(1), to: TransferTo::Team("even".parse().unwrap()) }).unwrap();
    site.chat(0, ChatCommand::Accept { agent: agent(2) }).unwrap();
    assert_eq!(site.phase(0), &Phase::Online { agent: agent(2), transfer: None });
    assert_eq!(notices(&site.visits[0]), [Notice::Joined, Notice::Transferred]);
    assert_eq!(site.chat(0, ChatCommand::AgentEnd { agent: agent(1) }), Err(Refusal::NotYours));
}

#[test]
fn silence_and_a_lost_connection_end_a_chat() {
    let document = document(json!({}));
    for (gone, wait, reason) in [(false, 600, "visitor_idle"), (true, 60, "visitor_dropped")] {
        let mut site = Site::new(&document, 1, 1, 10);
        site.does(0, Command::Open).unwrap();
        site.chat(0, ChatCommand::Accept { agent: agent(1) }).unwrap();
        if gone {
            site.chat(0, ChatCommand::Gone).unwrap();
            site.pass(59);
            site.chat(0, ChatCommand::Back).unwrap();
            site.pass(59);
            site.tick();
            assert!(!site.visits[0].chat.as_ref().unwrap().is_over(), "who comes back in time goes on");
            site.chat(0, ChatCommand::Gone).unwrap();
        }
        site.pass(wait - 1);
        site.tick();
        assert!(!site.visits[0].chat.as_ref().unwrap().is_over());
        site.pass(1);
        site.tick();
        let last = site.visits[0].events.last().unwrap();
        assert_eq!(
            (last.kind, &last.data["reason"], &last.data["online"]),
            (EventType::LivechatTimeout, &json!(reason), &json!(true))
        );
    }
}

#[test]
fn routing_asks_those_whom_it_is_for() {
    let ask = |card: Value, change: fn(&mut Site<'_>)| {
        let document = document(card);
        let mut site = Site::new(&document, 4, 1, 10);
        change(&mut site);
        site.does(0, Command::Open).unwrap();
        site.visits[0].chat.as_ref().and_then(Chat::asked)
    };
    assert_eq!(ask(json!({ "routing": { "team": "even" } }), |_| ()), Some(agent(2)));
    assert_eq!(ask(json!({ "routing": { "agent": "Agent3@example.com" } }), |_| ()), Some(agent(3)));
    assert_eq!(ask(json!({ "routing": { "skill": "bikes" } }), |_| ()), None);
    assert_eq!(
        ask(json!({ "routing": { "skill": "bikes" } }), |site| site.members[3].skills.push("Bikes".into())),
        Some(agent(4))
    );
    let german = |site: &mut Site<'_>| site.members.iter_mut().for_each(|member| member.languages.push("de-AT".into()));
    assert_eq!(ask(json!({ "routing": { "language": true } }), german), Some(agent(1)), "nobody speaks it: anybody");
    let spoken = |site: &mut Site<'_>| {
        site.members.iter_mut().for_each(|member| member.languages.push("de".into()));
        site.members[2].languages.push("en-GB".into());
    };
    assert_eq!(ask(json!({ "routing": { "language": true } }), spoken), Some(agent(3)));
    let turn = |site: &mut Site<'_>| {
        let now = site.now;
        site.members.iter_mut().take(2).for_each(|member| member.offered_at = Some(now));
    };
    assert_eq!(ask(json!({}), turn), Some(agent(3)), "who was asked the longest ago");
    let rule = json!({ "rules": [{ "if": { "attribute": "topic", "known": false }, "routing": { "team": "even" } }] });
    assert_eq!(ask(rule, |_| ()), Some(agent(2)));
}

#[derive(Debug, Clone)]
enum Move {
    Open(usize),
    Say(usize),
    End(usize),
    Gone(usize),
    Back(usize),
    Accept(usize, u8),
    Decline(usize, u8),
    AgentSay(usize, u8),
    AgentEnd(usize, u8),
    Transfer(usize, u8, u8),
    ToTeam(usize, u8),
    Switch(u8),
    Pass(i64),
}

const AGENTS: u8 = 3;
const VISITORS: u8 = 5;

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let (v, a) = (0..usize::from(VISITORS), 1..=AGENTS);
    let one = prop_oneof![
        3 => v.clone().prop_map(Move::Open),
        2 => v.clone().prop_map(Move::Say),
        1 => v.clone().prop_map(Move::End),
        1 => v.clone().prop_map(Move::Gone),
        1 => v.clone().prop_map(Move::Back),
        5 => (v.clone(), a.clone()).prop_map(|(v, a)| Move::Accept(v, a)),
        2 => (v.clone(), a.clone()).prop_map(|(v, a)| Move::Decline(v, a)),
        2 => (v.clone(), a.clone()).prop_map(|(v, a)| Move::AgentSay(v, a)),
        2 => (v.clone(), a.clone()).prop_map(|(v, a)| Move::AgentEnd(v, a)),
        2 => (v.clone(), a.clone(), a.clone()).prop_map(|(v, a, b)| Move::Transfer(v, a, b)),
        1 => (v, a.clone()).prop_map(|(v, a)| Move::ToTeam(v, a)),
        1 => a.prop_map(Move::Switch),
        3 => (0..150_i64).prop_map(Move::Pass),
    ];
    prop::collection::vec(one, 1..120)
}

fn holds(site: &Site<'_>, limit: u32) {
    for member in &site.roster().members {
        assert!(member.open <= limit, "{} holds {} chats", member.name, member.open);
    }
    for visit in &site.visits {
        let chats = visit.over.iter().chain(&visit.chat).count();
        let of = |kind: EventType| visit.events.iter().filter(|event| event.kind == kind).count();
        let ends = of(EventType::LivechatEnded) + of(EventType::LivechatTimeout);
        let under_way = visit.chat.iter().filter(|chat| !chat.is_over()).count();
        assert!(chats >= usize::from(visit.chat.is_some()));
        assert_eq!(of(EventType::LivechatRequested), ends + under_way, "each chat has exactly one end");
        assert_eq!(under_way == 1, visit.progress.is_live_at("agent"), "the visitor waits where the chat is");
        for (index, event) in visit.events.iter().enumerate() {
            assert_eq!(event.seq, index as u64 + 1);
        }
        for (index, entry) in visit.entries.iter().enumerate() {
            assert_eq!(entry.number as usize, index + 1);
        }
    }
}

trait IsLiveAt {
    fn is_live_at(&self, card: &str) -> bool;
}

impl IsLiveAt for Progress {
    fn is_live_at(&self, card: &str) -> bool {
        matches!(&self.standing, Standing::At(at) if at.as_str() == card)
    }
}

proptest! {
    #[test]
    fn whatever_happens_no_chat_is_lost_or_held_twice(moves in moves(), limit in 1_u32..3, queue in any::<bool>()) {
        let document = document(json!({ "queue": queue }));
        let mut site = Site::new(&document, AGENTS, VISITORS, limit);
        for (number, step) in moves.into_iter().enumerate() {
            let id = message(number as u64 + 1);
            // What is refused leaves everything as it was.
            let _ = match step {
                Move::Open(v) if site.visits[v].chat.is_none() => site.does(v, Command::Open),
                Move::Open(_) => continue,
                Move::Say(v) => site.chat(v, ChatCommand::Say { id, text: "x".into() }),
                Move::End(v) => site.chat(v, ChatCommand::End),
                Move::Gone(v) => site.chat(v, ChatCommand::Gone),
                Move::Back(v) => site.chat(v, ChatCommand::Back),
                Move::Accept(v, a) => site.chat(v, ChatCommand::Accept { agent: agent(a) }),
                Move::Decline(v, a) => site.chat(v, ChatCommand::Decline { agent: agent(a) }),
                Move::AgentSay(v, a) => site.chat(v, ChatCommand::AgentSay { by: speaker(a), id, text: "y".into() }),
                Move::AgentEnd(v, a) => site.chat(v, ChatCommand::AgentEnd { agent: agent(a) }),
                Move::Transfer(v, a, b) => {
                    site.chat(v, ChatCommand::Transfer { agent: agent(a), to: TransferTo::Agent(agent(b)) })
                }
                Move::ToTeam(v, a) => {
                    site.chat(v, ChatCommand::Transfer { agent: agent(a), to: TransferTo::Team("even".parse().unwrap()) })
                }
                Move::Switch(a) => {
                    let member = site.members.iter_mut().find(|member| member.id == agent(a)).unwrap();
                    member.available = !member.available;
                    continue;
                }
                Move::Pass(seconds) => {
                    site.pass(seconds);
                    site.tick();
                    Ok(Happened::default())
                }
            };
            holds(&site, limit);
        }
        // When time runs on and nobody does anything, each comes to an end.
        for _ in 0..40 {
            site.pass(100);
            site.tick();
            holds(&site, limit);
        }
        for visit in &site.visits {
            prop_assert!(visit.chat.as_ref().is_none_or(Chat::is_over), "{:?}", visit.chat);
        }
    }
}
