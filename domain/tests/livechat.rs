//! Live chats: every transition, and what holds whatever visitors, agents, the clock and restarts do between each other.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use jiff::{SignedDuration, Timestamp};
use porchlight_domain::{
    contact::{AnyEmail, BadPhone, Phone, PhoneRules},
    conversation::Conversation,
    event::{Event, EventType},
    id::{AgentId, AnswerId, SessionId, VisitorId, uuid_v7},
    livechat::{Chat, ChatCommand, ChatPolicy, Ended, Member, Notice, Offer, Phase, Roster, Transfer, TransferTo},
    meeting::Calendars,
    schedule::Openings,
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
    attributes: Attributes,
    /// Who answered them last.
    last: Option<AgentId>,
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
            teams: vec![if number % 2 == 0 { "even" } else { "odd" }.parse().unwrap()],
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
                attributes: Attributes::new(),
                last: None,
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

    /// Who can take a visitor's chat, as the store would count it.
    fn roster(&self, visitor: usize) -> Roster {
        let under_way = || self.visits.iter().filter_map(|visit| visit.chat.as_ref()).filter(|chat| !chat.is_over());
        let mut members = self.members.clone();
        for member in &mut members {
            let open = under_way().filter(|chat| chat.agent() == Some(member.id) || chat.asked() == Some(member.id)).count();
            member.open = u32::try_from(open).unwrap();
        }
        let own = self.visits[visitor].chat.as_ref().filter(|chat| !chat.is_over());
        let before = |chat: &Chat| own.is_none_or(|own| (chat.requested_at, chat.id) < (own.requested_at, own.id));
        let ahead = under_way().filter(|chat| chat.phase == Phase::Queued && before(chat)).count();
        Roster { members, last: self.visits[visitor].last, account: None, ahead: u32::try_from(ahead).unwrap() }
    }

    fn does(&mut self, visitor: usize, command: Command) -> Result<Happened, Refusal> {
        let roster = self.roster(visitor);
        let visit = self.visits[visitor].clone();
        let talk = Some(Talk { document: self.document, progress: visit.progress });
        let chat = visit.chat.filter(|chat| !chat.is_over());
        let holder = chat.as_ref().and_then(Chat::agent);
        let state = State { session: visit.session, talk, attributes: visit.attributes, chat, meeting: None, callback: None };
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
            emails: &AnyEmail,
            roster: &roster,
            policy: &self.policy,
            time_zone: "UTC",
            calendars: &Calendars::default(),
            openings: &Openings::default(),
            address_of: &|_| String::new(),
        };
        let (state, happened) = decide(state, command, &mut context)?;
        self.ids = ids;
        let visit = &mut self.visits[visitor];
        visit.session = state.session;
        visit.progress = state.talk.unwrap().progress;
        visit.attributes = state.attributes;
        if state.chat.as_ref().is_none_or(Chat::is_over) || happened.over.is_some() {
            visit.last = holder.or(visit.last);
        }
        visit.events.extend(happened.events.clone());
        visit.entries.extend(happened.entries.clone());
        visit.over.extend(happened.over.clone());
        visit.chat = state.chat.or(visit.chat.take());
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

    /// What a chat is by itself: who holds it and who is asked.
    fn places(&self, visitor: usize) -> Option<(Option<AgentId>, Option<AgentId>)> {
        let chat = self.visits[visitor].chat.as_ref().filter(|chat| !chat.is_over());
        chat.map(|chat| (chat.agent(), chat.asked()))
    }

    /// The server is killed and, so many seconds later, started: what is stored is read again, and nobody is connected any more.
    fn restart(&mut self, seconds: i64) {
        for visit in &mut self.visits {
            visit.chat = visit.chat.as_ref().map(stored);
            visit.over = visit.over.iter().map(stored).collect();
            visit.events = visit.events.iter().map(stored).collect();
            visit.entries = visit.entries.iter().map(stored).collect();
            visit.attributes = stored(&visit.attributes);
            visit.progress.trail = stored(&visit.progress.trail);
            visit.progress.counted = stored(&visit.progress.counted);
        }
        self.pass(seconds);
        let before: Vec<_> = (0..self.visits.len()).map(|visitor| self.places(visitor)).collect();
        for visitor in (0..self.visits.len()).filter(|visitor| before[*visitor].is_some()) {
            self.chat(visitor, ChatCommand::Gone).unwrap();
            self.chat(visitor, ChatCommand::Renew).unwrap();
            let chat = self.visits[visitor].chat.as_ref().unwrap();
            assert!(chat.due_at(&self.policy).is_none_or(|due| due > self.now), "what ran out meanwhile begins anew: {chat:?}");
        }
        self.tick();
        for (visitor, before) in before.into_iter().enumerate() {
            // Who waits in the queue may be offered now, or be told that nobody is there.
            if before.is_some_and(|before| before != (None, None)) {
                assert_eq!(self.places(visitor), before, "a restart takes nothing from anybody");
            }
        }
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
        let of = |visit: &Visit| {
            visit.chat.as_ref().filter(|chat| chat.phase == Phase::Queued).map(|chat| (chat.requested_at, chat.id))
        };
        let mut queued: Vec<_> = (0..self.visits.len()).filter(|visitor| of(&self.visits[*visitor]).is_some()).collect();
        queued.sort_by_key(|visitor| of(&self.visits[*visitor]));
        for visitor in queued {
            self.chat(visitor, ChatCommand::Free).unwrap();
        }
    }
}

/// Something as it is read again after it was stored.
fn stored<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
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
fn a_transfer_to_a_team_asks_one_after_the_other_until_none_is_left() {
    let document = document(json!({}));
    let mut site = Site::new(&document, 6, 1, 10);
    site.does(0, Command::Open).unwrap();
    site.chat(0, ChatCommand::Accept { agent: agent(1) }).unwrap();
    let to = |team: &str| ChatCommand::Transfer { agent: agent(1), to: TransferTo::Team(team.parse().unwrap()) };
    site.members[5].available = false;
    site.chat(0, to("even")).unwrap();
    assert_eq!(site.places(0), Some((Some(agent(1)), Some(agent(2)))));
    site.chat(0, ChatCommand::Decline { agent: agent(2) }).unwrap();
    assert_eq!(site.places(0), Some((Some(agent(1)), Some(agent(4)))), "let pass, the next of the team is asked");
    site.pass(99);
    site.tick();
    assert_eq!(site.places(0), Some((Some(agent(1)), Some(agent(4)))), "who has as long to accept");
    assert_eq!(site.chat(0, ChatCommand::Accept { agent: agent(2) }), Err(Refusal::NotOffered), "it was let pass");
    site.pass(1);
    site.tick();
    assert_eq!(site.phase(0), &Phase::Online { agent: agent(1), transfer: None }, "nobody is left: it stays where it is");

    // Handed on anew, all may be asked anew; the holder is not, whatever team they are in.
    site.chat(0, to("odd")).unwrap();
    assert_eq!(site.places(0), Some((Some(agent(1)), Some(agent(3)))));
    site.chat(0, ChatCommand::Decline { agent: agent(3) }).unwrap();
    site.chat(0, ChatCommand::Accept { agent: agent(5) }).unwrap();
    assert_eq!(site.phase(0), &Phase::Online { agent: agent(5), transfer: None });
    let back = ChatCommand::Transfer { agent: agent(5), to: TransferTo::Team("even".parse().unwrap()) };
    site.chat(0, back).unwrap();
    assert_eq!(site.places(0), Some((Some(agent(5)), Some(agent(2)))), "who let it pass before, too");
    assert_eq!(notices(&site.visits[0]), [Notice::Joined, Notice::Transferred]);
}

#[test]
fn who_comes_later_queues_behind_those_who_wait() {
    let document = document(json!({ "queue": true }));
    let mut site = Site::new(&document, 1, 3, 1);
    site.does(0, Command::Open).unwrap();
    site.chat(0, ChatCommand::Accept { agent: agent(1) }).unwrap();
    site.pass(1);
    site.does(1, Command::Open).unwrap();
    assert_eq!(site.phase(1), &Phase::Queued);
    site.pass(1);
    site.chat(0, ChatCommand::AgentEnd { agent: agent(1) }).unwrap();
    // The agent is free, and the clock has not come to the queue yet.
    site.does(2, Command::Open).unwrap();
    assert_eq!(site.phase(2), &Phase::Queued, "nobody jumps the queue");
    assert_eq!(kinds(&site.visits[2]), ["conversation.triggered", "livechat.requested"]);
    site.tick();
    assert_eq!((site.places(1), site.phase(2)), (Some((None, Some(agent(1)))), &Phase::Queued));
}

#[test]
fn who_waits_for_others_does_not_hold_up_the_newcomer() {
    let sales = json!([{ "if": { "attribute": "topic", "is": "sales" }, "routing": { "team": "even" } }]);
    let document = document(json!({ "queue": true, "rules": sales }));
    let mut site = Site::new(&document, 2, 3, 1);
    for visitor in [0, 1] {
        site.visits[visitor].attributes.insert("topic".parse().unwrap(), "sales".into());
        site.does(visitor, Command::Open).unwrap();
        site.pass(1);
    }
    assert_eq!((site.places(0), site.phase(1)), (Some((None, Some(agent(2)))), &Phase::Queued));
    site.does(2, Command::Open).unwrap();
    site.tick();
    assert_eq!((site.phase(1), site.places(2)), (&Phase::Queued, Some((None, Some(agent(1))))));
}

#[test]
fn who_is_heard_of_without_a_connection_is_gone_from_then_on_only() {
    let document = document(json!({}));
    let mut site = Site::new(&document, 1, 1, 10);
    site.does(0, Command::Open).unwrap();
    site.chat(0, ChatCommand::Accept { agent: agent(1) }).unwrap();
    site.chat(0, ChatCommand::Heard).unwrap();
    assert_eq!(site.visits[0].chat.as_ref().unwrap().gone_since, None, "who never had a connection has lost none");
    site.chat(0, ChatCommand::Gone).unwrap();
    for _ in 0..5 {
        site.pass(59);
        site.chat(0, ChatCommand::Heard).unwrap();
        site.tick();
        assert!(!site.visits[0].chat.as_ref().unwrap().is_over());
    }
    site.pass(60);
    site.tick();
    assert_eq!(site.phase(0), &Phase::Ended(Ended::VisitorDropped), "silence is silence");
}

#[test]
fn what_ran_out_while_the_server_was_stopped_begins_anew() {
    let document = document(json!({ "queue": true }));
    let mut site = Site::new(&document, 3, 4, 1);
    for visitor in 0..4 {
        site.does(visitor, Command::Open).unwrap();
        site.pass(1);
    }
    for (visitor, number) in [(0, 1), (1, 2)] {
        site.chat(visitor, ChatCommand::Accept { agent: agent(number) }).unwrap();
    }
    site.members[2].limit = 2;
    site.chat(0, ChatCommand::Transfer { agent: agent(1), to: TransferTo::Agent(agent(3)) }).unwrap();
    let (handed_on, asked) = ((Some(agent(1)), Some(agent(3))), (None, Some(agent(3))));
    assert_eq!((site.places(0), site.places(2), site.phase(3)), (Some(handed_on), Some(asked), &Phase::Queued));
    site.restart(3600);
    let until = site.now + SignedDuration::from_secs(100);
    let offer = Offer { agent: agent(3), until };
    let transfer = Transfer { offer, team: None, passed: vec![] };
    assert_eq!(site.phase(0), &Phase::Online { agent: agent(1), transfer: Some(transfer) });
    assert_eq!(site.phase(1), &Phase::Online { agent: agent(2), transfer: None }, "silent only because nobody could be heard");
    assert_eq!(site.phase(2), &Phase::Offered(offer), "the same agent has all the time again");
    assert_eq!(site.phase(3), &Phase::Queued);
    site.pass(59);
    site.tick();
    site.chat(2, ChatCommand::Accept { agent: agent(3) }).unwrap();
    site.pass(1);
    site.tick();
    assert_eq!(site.phase(1), &Phase::Ended(Ended::VisitorDropped), "who does not come back is gone, all the same");

    // A short stop changes nothing.
    let mut site = Site::new(&document, 1, 1, 1);
    site.does(0, Command::Open).unwrap();
    let before = site.phase(0).clone();
    site.restart(99);
    assert_eq!(site.phase(0), &before);
}

#[test]
fn chats_that_an_earlier_version_kept_are_still_read() {
    let document = document(json!({}));
    let mut site = Site::new(&document, 3, 1, 10);
    site.does(0, Command::Open).unwrap();
    site.chat(0, ChatCommand::Accept { agent: agent(1) }).unwrap();
    site.chat(0, ChatCommand::Transfer { agent: agent(1), to: TransferTo::Team("even".parse().unwrap()) }).unwrap();
    let chat = site.visits[0].chat.clone().unwrap();
    let mut kept = serde_json::to_value(&chat).unwrap();
    kept["team"] = Value::Null;
    kept["phase"]["online"]["transfer"].as_object_mut().unwrap().remove("passed").unwrap();
    assert_eq!(serde_json::from_value::<Chat>(kept).unwrap(), chat);
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

#[test]
fn of_several_rules_the_first_that_holds_says_who_is_asked() {
    let rules = json!([
        { "if": { "attribute": "topic", "contains": "bike" }, "routing": { "team": "even" } },
        { "if": { "attribute": "topic", "known": true }, "routing": { "agent": "agent3@example.com" } },
    ]);
    let document = document(json!({ "rules": rules, "routing": { "agent": "agent1@example.com" } }));
    for (topic, expected) in [(Some("bikes"), 2), (Some("tents"), 3), (None, 1)] {
        let mut site = Site::new(&document, 4, 1, 10);
        if let Some(topic) = topic {
            site.visits[0].attributes.insert("topic".parse().unwrap(), topic.into());
        }
        site.does(0, Command::Open).unwrap();
        assert_eq!(site.places(0), Some((None, Some(agent(expected)))), "{topic:?}");
    }
    // Whom a rule names is asked, or nobody: the next rule is for other visitors.
    let mut site = Site::new(&document, 4, 1, 10);
    site.visits[0].attributes.insert("topic".parse().unwrap(), "bikes".into());
    site.members[1].available = false;
    site.members[3].available = false;
    site.does(0, Command::Open).unwrap();
    assert_eq!(site.phase(0), &Phase::Ended(Ended::Nobody));
}

#[test]
fn by_fewest_chats_whoever_has_the_fewest_is_asked() {
    let document = document(json!({ "routing": { "by": "fewestChats" } }));
    let mut site = Site::new(&document, 3, 5, 10);
    for (visitor, expected) in [(0, 1), (1, 2), (2, 3)] {
        site.does(visitor, Command::Open).unwrap();
        site.pass(1);
        assert_eq!(site.places(visitor), Some((None, Some(agent(expected)))));
        site.chat(visitor, ChatCommand::Accept { agent: agent(expected) }).unwrap();
    }
    site.chat(2, ChatCommand::AgentEnd { agent: agent(3) }).unwrap();
    site.does(3, Command::Open).unwrap();
    assert_eq!(site.places(3), Some((None, Some(agent(3)))), "though they were asked last");
    site.members[0].available = false;
    site.does(4, Command::Open).unwrap();
    assert_eq!(site.places(4), Some((None, Some(agent(2)))), "as many as the other, and asked longer ago");
}

#[test]
fn the_same_agent_as_last_time_is_asked_if_they_can() {
    let document = document(json!({ "routing": { "sameAgent": true } }));
    let ask = |change: fn(&mut Site<'_>)| {
        let mut site = Site::new(&document, 4, 2, 1);
        site.visits[0].last = Some(agent(3));
        change(&mut site);
        site.does(0, Command::Open).unwrap();
        site.visits[0].chat.as_ref().and_then(Chat::asked)
    };
    assert_eq!(ask(|_| ()), Some(agent(3)));
    assert_eq!(ask(|site| site.members[2].available = false), Some(agent(1)), "they are away: whose turn it is");
    let busy = |site: &mut Site<'_>| {
        site.visits[1].last = Some(agent(3));
        site.does(1, Command::Open).unwrap();
    };
    assert_eq!(ask(busy), Some(agent(1)), "they have no room");
    assert_eq!(ask(|site| site.visits[0].last = None), Some(agent(1)), "nobody answered them before");

    let without = json!({ "routing": { "sameAgent": true, "team": "even" } });
    let without = self::document(without);
    let mut site = Site::new(&without, 4, 1, 1);
    site.visits[0].last = Some(agent(3));
    site.does(0, Command::Open).unwrap();
    assert_eq!(site.places(0), Some((None, Some(agent(2)))), "it is not for them");
}

#[derive(Debug, Clone)]
enum Move {
    Open(usize),
    Say(usize),
    End(usize),
    Gone(usize),
    Back(usize),
    Heard(usize),
    Accept(usize, u8),
    Decline(usize, u8),
    AgentSay(usize, u8),
    AgentEnd(usize, u8),
    Transfer(usize, u8, u8),
    ToTeam(usize, u8, &'static str),
    Switch(u8),
    Pass(i64),
    Restart(i64),
}

const AGENTS: u8 = 5;
const VISITORS: u8 = 5;

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let (v, a) = (0..usize::from(VISITORS), 1..=AGENTS);
    let one = prop_oneof![
        3 => v.clone().prop_map(Move::Open),
        2 => v.clone().prop_map(Move::Say),
        1 => v.clone().prop_map(Move::End),
        1 => v.clone().prop_map(Move::Gone),
        1 => v.clone().prop_map(Move::Back),
        1 => v.clone().prop_map(Move::Heard),
        5 => (v.clone(), a.clone()).prop_map(|(v, a)| Move::Accept(v, a)),
        2 => (v.clone(), a.clone()).prop_map(|(v, a)| Move::Decline(v, a)),
        2 => (v.clone(), a.clone()).prop_map(|(v, a)| Move::AgentSay(v, a)),
        2 => (v.clone(), a.clone()).prop_map(|(v, a)| Move::AgentEnd(v, a)),
        2 => (v.clone(), a.clone(), a.clone()).prop_map(|(v, a, b)| Move::Transfer(v, a, b)),
        2 => (v, a.clone(), prop_oneof![Just("even"), Just("odd")]).prop_map(|(v, a, team)| Move::ToTeam(v, a, team)),
        1 => a.prop_map(Move::Switch),
        3 => (0..150_i64).prop_map(Move::Pass),
        1 => (0..1500_i64).prop_map(Move::Restart),
    ];
    prop::collection::vec(one, 1..120)
}

fn holds(site: &Site<'_>, limit: u32) {
    for member in &site.roster(0).members {
        assert!(member.open <= limit, "{} holds {} chats", member.name, member.open);
    }
    for visit in &site.visits {
        if let Some(Chat { phase, passed, .. }) = &visit.chat {
            let of_team = |transfer: &Transfer| {
                let member = site.members.iter().find(|member| member.id == transfer.offer.agent).unwrap();
                transfer.team.as_ref().is_none_or(|team| member.teams.contains(team))
            };
            match phase {
                Phase::Offered(offer) => assert!(!passed.contains(&offer.agent), "who let it pass is not asked again"),
                Phase::Online { agent, transfer: Some(transfer) } => {
                    assert_ne!(transfer.offer.agent, *agent, "nobody hands a chat to themselves");
                    assert!(!transfer.passed.contains(&transfer.offer.agent), "who let it pass is not asked again");
                    assert!(of_team(transfer), "only those of the team are asked");
                }
                Phase::Online { transfer: None, .. } | Phase::Queued | Phase::Ended(_) => {}
            }
        }
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
    fn whatever_happens_no_chat_is_lost_or_held_twice(
        moves in moves(),
        limit in 1_u32..3,
        queue in any::<bool>(),
        by in prop_oneof![Just("roundRobin"), Just("fewestChats")],
    ) {
        let sales = json!([{ "if": { "attribute": "topic", "is": "sales" }, "routing": { "team": "even", "by": by } }]);
        let document = document(json!({ "queue": queue, "rules": sales, "routing": { "by": by } }));
        let mut site = Site::new(&document, AGENTS, VISITORS, limit);
        for visit in site.visits.iter_mut().step_by(2) {
            visit.attributes.insert("topic".parse().unwrap(), "sales".into());
        }
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
                Move::Heard(v) => site.chat(v, ChatCommand::Heard),
                Move::Accept(v, a) => site.chat(v, ChatCommand::Accept { agent: agent(a) }),
                Move::Decline(v, a) => site.chat(v, ChatCommand::Decline { agent: agent(a) }),
                Move::AgentSay(v, a) => site.chat(v, ChatCommand::AgentSay { by: speaker(a), id, text: "y".into() }),
                Move::AgentEnd(v, a) => site.chat(v, ChatCommand::AgentEnd { agent: agent(a) }),
                Move::Transfer(v, a, b) => {
                    site.chat(v, ChatCommand::Transfer { agent: agent(a), to: TransferTo::Agent(agent(b)) })
                }
                Move::ToTeam(v, a, team) => {
                    site.chat(v, ChatCommand::Transfer { agent: agent(a), to: TransferTo::Team(team.parse().unwrap()) })
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
                Move::Restart(seconds) => {
                    site.restart(seconds);
                    Ok(Happened::default())
                }
            };
            holds(&site, limit);
        }
        // When time runs on and nobody does anything, each comes to an end.
        for _ in 0..60 {
            site.pass(100);
            site.tick();
            holds(&site, limit);
        }
        for visit in &site.visits {
            prop_assert!(visit.chat.as_ref().is_none_or(Chat::is_over), "{:?}", visit.chat);
        }
    }
}
