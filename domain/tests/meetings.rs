//! Meetings: who is asked, every transition, and what holds whatever visitors, agents and the clock do between each other.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod model;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use model::{Around, Subject, Visit, agent, conversation, moment, stored};
use porchlight_domain::{
    contact::BadEmail,
    conversation::{Body, Conversation, MeetingCard},
    event::EventType,
    id::{AgentId, MeetingId},
    livechat::Roster,
    meeting::{Calendars, Diary, Guest, Looking, Meeting, MeetingCommand, MeetingPhase, MeetingShown, Offered, Party},
    schedule::{Availability, Span, find_zone},
    session::{Ask, Beside, Command, Format, Happened, Input, InvalidInput, Refusal, SlotsOf},
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// How long a time is held.
const HOLD: SignedDuration = SignedDuration::from_mins(5);
/// How long the meetings of these tests take.
const LENGTH: SignedDuration = SignedDuration::from_mins(30);

/// A conversation that offers a meeting as often as the visitor wants one.
fn document(more: Value) -> Conversation {
    let mut meet = json!({
        "id": "meet", "card": "meeting", "text": "When?", "title": { "en": "A talk", "de": "Ein Gespräch" }, "location": "Room 1",
        "notice": 0, "horizon": 7, "fallbackText": "No time",
    });
    meet.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let question = |id: &str, text: &str| {
        let choices = json!([{ "label": "Yes", "next": "meet" }, { "label": "No", "next": "end" }]);
        json!({ "id": id, "card": "question", "text": text, "choices": choices })
    };
    let cards = json!([
        question("ask", "Shall we meet?"),
        meet,
        question("again", "Another?"),
        question("none", "Shall we look again?"),
        { "id": "end", "card": "end" },
    ]);
    conversation(&cards)
}

/// An agent's calendar, with the same hours on so many days of a week.
fn diary(number: u8, zone: &str, days: usize, hours: &str, (before, after): (u16, u16), daily: Option<u16>) -> Diary {
    let week = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let lines: Vec<_> = week.iter().take(days).map(|day| format!("{day} {hours}")).collect();
    Diary {
        agent: agent(number),
        hours: Availability::read(zone, &lines.join("\n")).unwrap(),
        before,
        after,
        daily,
        busy: vec![],
        meetings: vec![],
        of_day: BTreeMap::new(),
        booked: 0,
        booked_at: None,
    }
}

/// A meeting as the server's database has it.
#[derive(Clone)]
struct Kept {
    visitor: usize,
    made_at: Timestamp,
    meeting: Meeting,
}

/// A site: agents with calendars, visitors, and the meetings between them.
struct Site<'d> {
    document: &'d Conversation,
    around: Around,
    diaries: Vec<Diary>,
    visits: Vec<Visit<'d>>,
    /// Who answered each visitor last.
    last: Vec<Option<AgentId>>,
    /// To whom each visitor is assigned.
    account: Vec<Option<AgentId>>,
    kept: Vec<Kept>,
    /// Until when each visitor's time is held, as the test knows it.
    until: Vec<Option<Timestamp>>,
}

impl<'d> Site<'d> {
    /// Agents who are there on weekdays from 8 to 16 by UTC in winter, and visitors.
    fn new(document: &'d Conversation, agents: u8, visitors: u8) -> Self {
        let count = usize::from(visitors);
        Self {
            document,
            around: Around::new(moment("2026-11-24T06:00:00Z"), agents),
            diaries: (1..=agents).map(|number| diary(number, "Europe/Berlin", 5, "09:00-17:00", (0, 0), None)).collect(),
            visits: (1..=visitors).map(|number| Visit::new(document, number)).collect(),
            last: vec![None; count],
            account: vec![None; count],
            kept: vec![],
            until: vec![None; count],
        }
    }

    /// A site whose visitors have all come to the card that offers a meeting.
    fn arrived(document: &'d Conversation, agents: u8, visitors: u8) -> Self {
        let mut site = Self::new(document, agents, visitors);
        for visitor in 0..site.visits.len() {
            site.arrives(visitor);
        }
        site
    }

    fn arrives(&mut self, visitor: usize) {
        self.does(visitor, Command::Open, None).unwrap();
        self.answers(visitor).unwrap();
    }

    /// Says yes to the question that waits.
    fn answers(&mut self, visitor: usize) -> Result<Happened, Refusal> {
        let yes = self.visits[visitor].answer(Input::text("Yes"));
        self.does(visitor, yes, None)
    }

    fn card(&self) -> &'d MeetingCard {
        let Body::Meeting(card) = &self.document.card(&"meet".parse().unwrap()).unwrap().body else { panic!("no meeting") };
        card
    }

    fn roster(&self, visitor: usize) -> Roster {
        Roster { last: self.last[visitor], account: self.account[visitor], ..self.around.roster.clone() }
    }

    /// The calendars with what is kept in them; the time that one of them takes is left free for itself.
    fn calendars(&self, but_for: Option<MeetingId>) -> Calendars {
        let mut diaries = self.diaries.clone();
        for diary in &mut diaries {
            let (whose, zone) = (diary.agent, diary.hours.zone());
            let own = self.kept.iter().filter(|kept| kept.meeting.agent == whose && kept.meeting.is_taking());
            for Kept { made_at, meeting, .. } in own {
                *diary.of_day.entry(meeting.span.start.to_zoned(zone.clone()).date()).or_default() += 1;
                if but_for != Some(meeting.id) {
                    diary.meetings.push(meeting.occupied);
                }
                if meeting.is_booked() {
                    diary.booked += 1;
                    diary.booked_at = diary.booked_at.max(Some(*made_at));
                }
            }
        }
        Calendars { diaries }
    }

    /// What a visitor who looks now is offered: of the agents' time, their own is theirs to exchange.
    fn offered(&self, visitor: usize) -> Vec<Offered> {
        let (card, roster, now) = (self.card(), self.roster(visitor), self.around.now);
        let looking = Looking { card, routing: &card.routing, roster: &roster, locale: self.visits[visitor].locale, now };
        let own = self.held(visitor).map(|held| held.id);
        self.calendars(own).offered(&looking, self.ahead())
    }

    /// Who is offered at a time.
    fn offered_at(&self, visitor: usize, start: &str) -> Vec<AgentId> {
        let start = moment(start);
        let offered = self.offered(visitor).into_iter().find(|offered| offered.span.start == start);
        offered.map(|offered| offered.agents).unwrap_or_default()
    }

    fn ahead(&self) -> Span {
        Span { start: self.around.now, end: self.around.now + SignedDuration::from_hours(30 * 24) }
    }

    fn held(&self, visitor: usize) -> Option<&Meeting> {
        let mut own = self.kept.iter().filter(|kept| kept.visitor == visitor).map(|kept| &kept.meeting);
        own.find(|meeting| matches!(meeting.phase, MeetingPhase::Held { .. }))
    }

    /// Does a command as the server does: what somebody else has taken is refused, and then nothing was kept.
    fn does(&mut self, visitor: usize, command: Command, subject: Option<MeetingId>) -> Result<Happened, Refusal> {
        let before = match subject {
            Some(id) => self.kept.iter().map(|kept| &kept.meeting).find(|meeting| meeting.id == id).cloned(),
            None => self.held(visitor).filter(|_| self.visits[visitor].at() == "meet").cloned(),
        };
        self.around.calendars = self.calendars(None);
        self.around.roster = self.roster(visitor);
        let subject = Subject { meeting: before.clone(), ..Subject::default() };
        let (mut state, happened) = self.visits[visitor].decide(command, subject, &self.around)?;
        if let Some(meeting) = state.meeting.take().filter(|meeting| before.as_ref() != Some(meeting)) {
            self.put(visitor, &meeting)?;
        }
        self.visits[visitor].keep(state, &happened);
        Ok(happened)
    }

    /// What the database's triggers do: no two meetings of an agent overlap, buffers included.
    fn put(&mut self, visitor: usize, meeting: &Meeting) -> Result<(), Refusal> {
        let read = stored(meeting);
        assert_eq!(read, *meeting, "what is stored is read as it was");
        if read.is_taking() && !self.is_free(read.id, read.agent, read.occupied) {
            return Err(Refusal::SlotTaken { agent: Some(read.agent) });
        }
        let id = read.id;
        match self.kept.iter_mut().find(|kept| kept.meeting.id == id) {
            Some(kept) => kept.meeting = read,
            None => self.kept.push(Kept { visitor, made_at: self.around.now, meeting: read }),
        }
        Ok(())
    }

    /// Whether an agent has no other meeting then.
    fn is_free(&self, but_for: MeetingId, agent: AgentId, occupied: Span) -> bool {
        let others = self.kept.iter().map(|kept| &kept.meeting).filter(|meeting| meeting.id != but_for && meeting.agent == agent);
        !others.filter(|meeting| meeting.is_taking()).any(|meeting| meeting.occupied.meets(&occupied))
    }

    fn about(&mut self, visitor: usize, command: MeetingCommand) -> Result<Happened, Refusal> {
        self.does(visitor, Command::Meeting(command), None)
    }

    /// Takes a time as the server does: of whom somebody else has taken it, the next is asked.
    fn hold(&mut self, visitor: usize, turn: u32, start: Timestamp) -> Result<Happened, Refusal> {
        let mut taken = vec![];
        loop {
            match self.about(visitor, MeetingCommand::Hold { turn, start, taken: taken.clone() }) {
                Err(Refusal::SlotTaken { agent: Some(agent) }) => {
                    assert!(!taken.contains(&agent), "nobody is asked twice");
                    taken.push(agent);
                }
                outcome => return outcome,
            }
        }
    }

    fn take(&mut self, visitor: usize, start: &str) -> Result<Happened, Refusal> {
        self.hold(visitor, self.visits[visitor].progress.turn, moment(start))
    }

    fn release(&mut self, visitor: usize) -> Result<Happened, Refusal> {
        self.about(visitor, MeetingCommand::Release { turn: self.visits[visitor].progress.turn })
    }

    fn confirm(&mut self, visitor: usize, name: &str, email: &str) -> Result<Happened, Refusal> {
        let turn = self.visits[visitor].progress.turn;
        self.about(visitor, MeetingCommand::Confirm { turn, name: name.to_owned(), email: email.to_owned() })
    }

    /// Takes a time and books it; which meeting it is then.
    fn book(&mut self, visitor: usize, start: &str) -> usize {
        self.take(visitor, start).unwrap();
        let id = self.held(visitor).unwrap().id;
        self.confirm(visitor, "Ada", "ada@example.com").unwrap();
        self.kept.iter().position(|kept| kept.meeting.id == id).unwrap()
    }

    fn go_back(&mut self, visitor: usize) -> Result<Happened, Refusal> {
        self.does(visitor, Command::Back { turn: self.visits[visitor].progress.turn }, None)
    }

    fn skip(&mut self, visitor: usize) -> Result<Happened, Refusal> {
        let skipped = self.visits[visitor].answer(Input::Skipped);
        self.does(visitor, skipped, None)
    }

    /// Does something about a meeting of whatever time.
    fn of(&mut self, index: usize, command: MeetingCommand) -> Result<Happened, Refusal> {
        let Kept { visitor, meeting, .. } = &self.kept[index];
        let (visitor, id) = (*visitor, meeting.id);
        self.does(visitor, Command::Meeting(command), Some(id))
    }

    fn move_to(&mut self, index: usize, start: &str, by: Party) -> Result<Happened, Refusal> {
        self.of(index, MeetingCommand::Move { start: moment(start), time_zone: None, by })
    }

    fn cancel(&mut self, index: usize, by: Party) -> Result<Happened, Refusal> {
        self.of(index, MeetingCommand::Cancel { by })
    }

    fn pass(&mut self, millis: i64) {
        self.around.now += SignedDuration::from_millis(millis);
    }

    fn asked(&self, visitor: usize) -> Ask {
        let meeting = self.held(visitor).filter(|held| held.is_held(self.around.now));
        self.visits[visitor].prompt(Beside { meeting, ..Beside::default() }).unwrap().ask
    }
}

/// A moment as clocks of a zone show it, with how far they are from UTC.
fn wall(moment: Timestamp, zone: &str) -> String {
    let offset = find_zone(zone).unwrap().to_offset(moment).seconds();
    let shown = moment + SignedDuration::from_secs(offset.into());
    let sign = if offset < 0 { '-' } else { '+' };
    let far = offset.abs() / 60;
    let text = format!("{}{sign}{:02}:{:02}", shown.strftime("%Y-%m-%dT%H:%M:%S"), far / 60, far % 60);
    assert_eq!(text.parse::<Timestamp>().unwrap(), moment, "RFC 3339 names the same moment");
    text
}

/// What an event tells of a meeting.
fn info(meeting: &Meeting) -> Value {
    json!({
        "id": meeting.id.to_string(),
        "start": wall(meeting.span.start, &meeting.time_zone),
        "end": wall(meeting.span.end, &meeting.time_zone),
        "timeZone": meeting.time_zone,
        "title": meeting.title,
        "location": meeting.location,
        "icsUrl": format!("https://chat.example/meetings/{}.ics", meeting.id),
    })
}

/// Exactly one event and one line tell of a meeting, and they tell the same.
fn tells(happened: &Happened, kind: EventType, meeting: &Meeting) {
    let told: Vec<_> = happened.events.iter().filter(|event| event.data.contains_key("meetingInfo")).collect();
    assert_eq!(told.iter().map(|event| event.kind).collect::<Vec<_>>(), [kind]);
    let data = &told[0].data;
    assert_eq!(data["agentID"], json!(meeting.agent.to_string()));
    assert_eq!(data["agentName"], json!(format!("Agent {}", meeting.agent.uuid().as_bytes()[15])));
    assert_eq!(data["meetingInfo"], info(meeting));
    let lines: Vec<_> = happened.entries.iter().filter(|entry| entry.format == Format::Meeting).collect();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].agent.as_ref().map(|with| with.id), Some(meeting.agent));
    let shown: MeetingShown = serde_json::from_str(lines[0].text.as_deref().unwrap()).unwrap();
    let expected = MeetingShown {
        id: meeting.id,
        title: meeting.title.clone(),
        start: meeting.span.start,
        end: meeting.span.end,
        time_zone: meeting.time_zone.clone(),
        location: meeting.location.clone(),
        cancelled: kind == EventType::MeetingCancelled,
        moved: kind == EventType::MeetingRescheduled,
    };
    assert_eq!(shown, expected);
}

const TAKEN: Refusal = Refusal::SlotTaken { agent: None };

#[test]
fn a_meeting_from_the_first_look_to_its_end() {
    let document = document(json!({}));
    let mut site = Site::new(&document, 2, 1);
    site.visits[0].time_zone = "Asia/Kathmandu";
    site.visits[0].locale = "de-AT";
    site.arrives(0);
    assert_eq!(site.asked(0), Ask::Slot(SlotsOf::Meeting));
    let offered = site.offered(0);
    assert_eq!(offered[0].agents, [agent(1), agent(2)]);
    assert_eq!(offered[0].span, Span { start: moment("2026-11-24T08:00:00Z"), end: moment("2026-11-24T08:30:00Z") });
    let last = offered.last().unwrap().span.start;
    assert_eq!((offered.len(), last), (6 * 16, moment("2026-12-01T15:30:00Z")), "six weekdays within seven days");

    let held = site.take(0, "2026-11-24T08:00:00Z").unwrap();
    assert!(held.events.is_empty() && held.entries.is_empty());
    let until = moment("2026-11-24T06:05:00Z");
    let span = Span { start: moment("2026-11-24T08:00:00Z"), end: moment("2026-11-24T08:30:00Z") };
    assert_eq!(site.asked(0), Ask::Guest { span, until, name: String::new(), email: String::new() });

    let booked = site.confirm(0, " Ada  Lovelace ", " Ada@Example.com ").unwrap();
    assert_eq!(site.visits[0].at(), "again");
    assert_eq!(site.visits[0].kinds(), ["conversation.triggered", "conversation.engaged", "input.email", "meeting.booked"]);
    let id = site.kept[0].meeting.id;
    let expected = json!({
        "name": "Talk", "type": "dialogue", "uiType": "chatbot", "agentName": "Agent 1", "agentID": agent(1).to_string(),
        "meetingInfo": {
            "id": id.to_string(), "start": "2026-11-24T13:45:00+05:45", "end": "2026-11-24T14:15:00+05:45",
            "timeZone": "Asia/Kathmandu", "title": "Ein Gespräch", "location": "Room 1",
            "icsUrl": format!("https://chat.example/meetings/{id}.ics"),
        },
    });
    let event = booked.events.last().unwrap();
    assert_eq!(Value::from(event.data.clone()), expected);
    let adobe = event.adobe().unwrap();
    assert_eq!(adobe.name, "CONVERSATION_MEETING_BOOKED");
    for field in ["agentName", "agentID", "meetingInfo"] {
        assert_eq!(adobe.payload[field], expected[field]);
    }
    assert_eq!(booked.entries[0].text.as_deref(), Some("Ada  Lovelace\nAda@example.com"));
    assert_eq!(site.visits[0].known("email"), Some("Ada@example.com"));
    assert_eq!(site.visits[0].known("firstName"), Some("Ada"));
    let guest = Guest { name: Some("Ada  Lovelace".to_owned()), email: "Ada@example.com".to_owned() };
    assert_eq!(site.kept[0].meeting.guest, Some(guest));
    tells(&booked, EventType::MeetingBooked, &site.kept[0].meeting);

    let moved = site.move_to(0, "2026-11-24T10:00:00Z", Party::Guest).unwrap();
    tells(&moved, EventType::MeetingRescheduled, &site.kept[0].meeting);
    let moved = site.move_to(0, "2026-11-24T19:00:00Z", Party::Agent).unwrap();
    tells(&moved, EventType::MeetingRescheduled, &site.kept[0].meeting);
    let called_off = site.cancel(0, Party::Guest).unwrap();
    tells(&called_off, EventType::MeetingCancelled, &site.kept[0].meeting);
    assert_eq!((site.kept[0].meeting.phase, site.kept[0].meeting.sequence), (MeetingPhase::Cancelled { by: Party::Guest }, 3));
    assert_eq!(site.visits[0].at(), "again", "the conversation is where it was");
}

#[test]
fn what_is_known_is_filled_in_and_a_name_is_not_asked_of_anybody() {
    let document = document(json!({}));
    let mut site = Site::arrived(&document, 1, 1);
    for (name, value) in [("firstName", "Grace"), ("email", "grace@example.com")] {
        site.visits[0].attributes.insert(name.parse().unwrap(), value.to_owned());
    }
    site.take(0, "2026-11-24T08:00:00Z").unwrap();
    let Ask::Guest { name, email, .. } = site.asked(0) else { panic!("{:?}", site.asked(0)) };
    assert_eq!((name.as_str(), email.as_str()), ("Grace", "grace@example.com"));
    let booked = site.confirm(0, " ", "grace@example.com").unwrap();
    assert_eq!(booked.entries[0].text.as_deref(), Some("grace@example.com"));
    assert_eq!(site.kept[0].meeting.guest, Some(Guest { name: None, email: "grace@example.com".to_owned() }));
    assert_eq!(site.visits[0].known("firstName"), Some("Grace"), "what was known stays");
}

#[test]
fn who_takes_a_time_has_responded() {
    let cards = json!([
        { "id": "meet", "card": "meeting", "text": "When?", "title": "A talk", "notice": 0 }, { "id": "end", "card": "end" }
    ]);
    let document = conversation(&cards);
    let mut site = Site::new(&document, 1, 1);
    site.does(0, Command::Open, None).unwrap();
    assert!(!site.visits[0].progress.answered);
    site.take(0, "2026-11-24T08:00:00Z").unwrap();
    assert_eq!(site.visits[0].kinds(), ["conversation.triggered", "conversation.engaged"]);
    assert!(site.visits[0].progress.answered);
    site.confirm(0, "", "ada@example.com").unwrap();
    let more = ["input.email", "meeting.booked", "conversation.completed"];
    assert_eq!(site.visits[0].kinds()[2..], more);
}

#[test]
fn a_hold_lapses_exactly_at_its_deadline() {
    let document = document(json!({}));
    for (passed, in_time) in [(0, true), (299_999, true), (300_000, false), (300_001, false)] {
        for ticked in [false, true] {
            let mut site = Site::arrived(&document, 1, 1);
            site.take(0, "2026-11-24T08:00:00Z").unwrap();
            let before = (site.kept[0].meeting.clone(), site.visits[0].progress.clone());
            site.pass(passed);
            if ticked {
                let happened = site.of(0, MeetingCommand::Tick).unwrap();
                assert_eq!(happened, Happened::default(), "nobody is told anything");
                let phase = if in_time { before.0.phase } else { MeetingPhase::Released };
                assert_eq!(site.kept[0].meeting, Meeting { phase, ..before.0 });
                assert_eq!(site.visits[0].progress, before.1, "what is typed meanwhile stays");
            }
            assert_eq!(matches!(site.asked(0), Ask::Guest { .. }), in_time);
            let confirmed = site.confirm(0, "Ada", "ada@example.com");
            if in_time {
                assert!(confirmed.is_ok() && site.kept[0].meeting.is_booked(), "{passed}");
            } else {
                assert_eq!(confirmed, Err(Refusal::HoldLapsed), "{passed}");
                assert!(!site.kept[0].meeting.is_booked());
                // The same time is there still, and can be taken again.
                site.take(0, "2026-11-24T08:00:00Z").unwrap();
                site.confirm(0, "Ada", "ada@example.com").unwrap();
            }
        }
    }
}

#[test]
fn a_time_that_lapsed_is_anybody_s_once_the_clock_has_come_by() {
    let document = document(json!({}));
    let mut site = Site::arrived(&document, 1, 2);
    site.take(0, "2026-11-24T08:00:00Z").unwrap();
    assert_eq!(site.take(1, "2026-11-24T08:00:00Z"), Err(TAKEN));
    site.pass(300_000);
    site.of(0, MeetingCommand::Tick).unwrap();
    site.take(1, "2026-11-24T08:00:00Z").unwrap();
    assert_eq!(site.confirm(0, "Ada", "ada@example.com"), Err(Refusal::HoldLapsed));
    assert_eq!(site.take(0, "2026-11-24T08:00:00Z"), Err(TAKEN), "the loser is told at once");
    assert!(!site.offered(0).is_empty(), "and there are others");
}

#[test]
fn what_is_booked_does_not_lapse() {
    let document = document(json!({}));
    let mut site = Site::arrived(&document, 1, 1);
    let index = site.book(0, "2026-11-24T08:00:00Z");
    let before = site.kept[index].meeting.clone();
    site.pass(3_600_000);
    assert_eq!(site.of(index, MeetingCommand::Tick), Ok(Happened::default()));
    assert_eq!(site.kept[index].meeting, before);
}

#[test]
fn taking_another_time_keeps_the_id_and_lets_the_first_go() {
    let document = document(json!({}));
    let mut site = Site::arrived(&document, 1, 2);
    site.take(0, "2026-11-24T08:00:00Z").unwrap();
    let first = site.kept[0].meeting.clone();
    site.pass(60_000);
    site.take(0, "2026-11-24T08:30:00Z").unwrap();
    let second = &site.kept[0].meeting;
    assert_eq!((site.kept.len(), second.id, second.sequence), (1, first.id, 0));
    assert_eq!(second.phase, MeetingPhase::Held { until: moment("2026-11-24T06:06:00Z") }, "for as long again");
    site.take(1, "2026-11-24T08:00:00Z").unwrap();
    assert_eq!(site.take(0, "2026-11-24T08:00:00Z"), Err(TAKEN));
    assert_eq!(site.held(0).unwrap().span.start, moment("2026-11-24T08:30:00Z"), "what was held is held still");

    site.release(0).unwrap();
    assert_eq!((site.kept[0].meeting.phase, site.asked(0)), (MeetingPhase::Released, Ask::Slot(SlotsOf::Meeting)));
    assert_eq!(site.confirm(0, "Ada", "ada@example.com"), Err(Refusal::HoldLapsed));
    site.take(0, "2026-11-24T09:00:00Z").unwrap();
    assert_ne!(site.held(0).unwrap().id, first.id, "what was let go is another's");
}

#[test]
fn a_meeting_keeps_its_buffers_free() {
    let document = document(json!({}));
    let mut site = Site::new(&document, 1, 3);
    site.diaries = vec![diary(1, "Europe/Berlin", 5, "09:00-17:00", (10, 20), None)];
    for visitor in 0..3 {
        site.arrives(visitor);
    }
    site.take(0, "2026-11-24T10:00:00Z").unwrap();
    let occupied = Span { start: moment("2026-11-24T09:50:00Z"), end: moment("2026-11-24T10:50:00Z") };
    assert_eq!(site.held(0).unwrap().occupied, occupied);
    for (start, free) in [
        ("2026-11-24T09:00:00Z", true),
        ("2026-11-24T09:30:00Z", false),
        ("2026-11-24T10:00:00Z", false),
        ("2026-11-24T10:30:00Z", false),
        ("2026-11-24T11:00:00Z", true),
    ] {
        assert_eq!(!site.offered_at(1, start).is_empty(), free, "{start}");
        assert_eq!(site.take(1, start).is_ok(), free, "{start}");
        if free {
            site.release(1).unwrap();
        }
    }
    // What somebody has in their other calendars is kept free of buffers, too.
    site.diaries[0].busy = vec![Span { start: moment("2026-11-24T12:10:00Z"), end: moment("2026-11-24T12:15:00Z") }];
    for (start, free) in [
        ("2026-11-24T11:00:00Z", true),
        ("2026-11-24T11:30:00Z", false),
        ("2026-11-24T12:00:00Z", false),
        ("2026-11-24T12:30:00Z", true),
    ] {
        assert_eq!(site.take(2, start).is_ok(), free, "{start}");
    }
}

#[test]
fn of_several_agents_the_next_is_asked_until_nobody_is_left() {
    let document = document(json!({}));
    let mut site = Site::arrived(&document, 2, 3);
    for (visitor, number) in [(0, 1), (1, 2)] {
        site.take(visitor, "2026-11-24T08:00:00Z").unwrap();
        assert_eq!(site.held(visitor).unwrap().agent, agent(number));
    }
    assert_eq!(site.take(2, "2026-11-24T08:00:00Z"), Err(TAKEN));
    assert_eq!((site.offered_at(2, "2026-11-24T08:00:00Z"), site.kept.len()), (vec![], 2), "nothing is kept of what was refused");
    site.release(1).unwrap();
    site.take(2, "2026-11-24T08:00:00Z").unwrap();
    assert_eq!(site.held(2).unwrap().agent, agent(2));
}

#[test]
fn what_nobody_offers_cannot_be_had() {
    let document = document(json!({ "notice": 120 }));
    let mut site = Site::arrived(&document, 1, 1);
    site.around.now = moment("2026-11-24T12:00:00Z");
    for (start, free) in [
        ("2026-11-24T08:00:00Z", false),     // it has passed
        ("2026-11-24T13:30:00Z", false),     // notice
        ("2026-11-24T14:00:00Z", true),      // exactly at its edge
        ("2026-11-24T14:10:00Z", false),     // between two times
        ("2026-11-24T14:00:00.001Z", false), // a moment beside one
        ("2026-11-24T15:30:00Z", true),      // the last of the day
        ("2026-11-24T16:00:00Z", false),     // after hours
        ("2026-11-28T10:00:00Z", false),     // a Saturday
        ("2026-12-01T10:00:00Z", true),      // the last day of the horizon
        ("2026-12-02T10:00:00Z", false),     // the first beyond
    ] {
        let taken = site.take(0, start);
        assert_eq!(taken.as_ref().err(), Some(&TAKEN).filter(|_| !free), "{start}");
        assert_eq!(!site.offered_at(0, start).is_empty(), free, "{start}");
    }
    site.pass(1);
    assert_eq!(site.take(0, "2026-11-24T14:00:00Z"), Err(TAKEN), "a millisecond later the notice is too short");
}

#[test]
fn a_day_has_so_many_meetings() {
    let document = document(json!({}));
    let mut site = Site::new(&document, 1, 2);
    site.diaries = vec![diary(1, "Europe/Berlin", 5, "09:00-17:00", (0, 0), Some(1))];
    site.arrives(0);
    site.arrives(1);
    let first = site.book(0, "2026-11-24T08:00:00Z");
    assert_eq!(site.take(1, "2026-11-24T10:00:00Z"), Err(TAKEN));
    assert_eq!(site.offered(1)[0].span.start, moment("2026-11-25T08:00:00Z"));
    let second = site.book(1, "2026-11-25T08:00:00Z");
    site.move_to(first, "2026-11-24T10:00:00Z", Party::Guest).unwrap();
    assert_eq!(site.move_to(first, "2026-11-25T10:00:00Z", Party::Guest), Err(TAKEN), "that day is full");
    site.move_to(first, "2026-11-25T10:00:00Z", Party::Agent).unwrap();
    site.move_to(second, "2026-11-24T10:00:00Z", Party::Guest).unwrap();
    site.cancel(first, Party::Agent).unwrap();
    site.answers(0).unwrap();
    site.take(0, "2026-11-25T12:00:00Z").unwrap();
}

#[test]
fn who_has_the_fewest_bookings_is_asked_first_and_then_who_was_booked_the_longest_ago() {
    let document = document(json!({}));
    let mut site = Site::arrived(&document, 4, 1);
    let days_ago = |days: i64| Some(moment("2026-11-24T06:00:00Z") - SignedDuration::from_hours(24 * days));
    for (diary, (booked, at)) in site.diaries.iter_mut().zip([(2, days_ago(9)), (1, days_ago(1)), (1, days_ago(3)), (3, None)]) {
        (diary.booked, diary.booked_at) = (booked, at);
    }
    assert_eq!(site.offered_at(0, "2026-11-24T08:00:00Z"), [agent(3), agent(2), agent(1), agent(4)]);
    site.book(0, "2026-11-24T08:00:00Z");
    assert_eq!(site.kept[0].meeting.agent, agent(3));
    assert_eq!(site.offered_at(0, "2026-11-24T08:30:00Z"), [agent(2), agent(1), agent(3), agent(4)]);

    // What is only held counts for nothing yet.
    let mut site = Site::arrived(&document, 3, 2);
    for (visitor, start) in [(0, "2026-11-24T08:00:00Z"), (1, "2026-11-24T08:30:00Z")] {
        site.take(visitor, start).unwrap();
        assert_eq!(site.held(visitor).unwrap().agent, agent(1));
    }

    // Who was never booked comes first, and then each in turn.
    let mut site = Site::arrived(&document, 3, 4);
    for (visitor, number) in [(0, 1), (1, 2), (2, 3), (3, 1)] {
        site.take(visitor, "2026-11-24T08:00:00Z").unwrap_or_else(|_| site.take(visitor, "2026-11-24T09:00:00Z").unwrap());
        site.pass(1000);
        site.confirm(visitor, "", "ada@example.com").unwrap();
        assert_eq!(site.kept[visitor].meeting.agent, agent(number), "{visitor}");
    }
}

#[test]
fn the_agent_of_last_time_is_asked_first_if_the_author_wants_that() {
    for (routing, expected) in [(json!({}), [1, 2, 3]), (json!({ "sameAgent": true }), [3, 1, 2])] {
        let document = document(json!({ "routing": routing }));
        let mut site = Site::arrived(&document, 3, 2);
        site.last = vec![Some(agent(3)), None];
        assert_eq!(site.offered_at(0, "2026-11-24T08:00:00Z"), expected.map(agent));
        assert_eq!(site.offered_at(1, "2026-11-24T08:00:00Z"), [1, 2, 3].map(agent));
        site.take(0, "2026-11-24T08:00:00Z").unwrap();
        assert_eq!(site.held(0).unwrap().agent, agent(expected[0]));
        // Taken, there are the others.
        site.last[1] = Some(agent(expected[0]));
        site.take(1, "2026-11-24T08:00:00Z").unwrap();
        assert_eq!(site.held(1).unwrap().agent, agent(expected[1]));
    }
}

#[test]
fn an_account_is_its_agent_s_alone() {
    let document = document(json!({ "routing": { "account": true, "sameAgent": true } }));
    let mut site = Site::arrived(&document, 3, 3);
    site.account = vec![Some(agent(2)), Some(agent(2)), None];
    site.last[0] = Some(agent(3));
    assert!(site.offered(0).iter().all(|offered| offered.agents == [agent(2)]));
    site.take(0, "2026-11-24T08:00:00Z").unwrap();
    assert_eq!(site.held(0).unwrap().agent, agent(2));
    assert_eq!(site.take(1, "2026-11-24T08:00:00Z"), Err(TAKEN), "though others are free");
    site.take(1, "2026-11-24T08:30:00Z").unwrap();
    assert_eq!(site.held(1).unwrap().agent, agent(2));
    assert_eq!(site.offered_at(2, "2026-11-24T09:00:00Z"), [1, 2, 3].map(agent), "who has none meets anybody");

    // Who cannot be met at all has the others stand in.
    let mut site = Site::new(&document, 3, 1);
    site.account = vec![Some(agent(2))];
    site.diaries.remove(1);
    site.arrives(0);
    assert_eq!(site.offered_at(0, "2026-11-24T08:00:00Z"), [1, 3].map(agent));

    // It is the author who says that accounts count, and of whom.
    for (routing, expected) in
        [(json!({}), &[1, 2, 3][..]), (json!({ "account": true, "team": "odd" }), &[1, 3]), (json!({ "team": "even" }), &[2])]
    {
        let document = self::document(json!({ "routing": routing }));
        let mut site = Site::arrived(&document, 3, 1);
        site.account = vec![Some(agent(2))];
        let expected: Vec<_> = expected.iter().map(|number| agent(*number)).collect();
        assert_eq!(site.offered_at(0, "2026-11-24T08:00:00Z"), expected);
    }
}

#[test]
fn the_first_rule_that_holds_says_whom_it_is_with() {
    let rules = json!([
        { "if": { "attribute": "topic", "contains": "bike" }, "routing": { "team": "even" } },
        { "if": { "attribute": "topic", "known": true }, "routing": { "agent": "Agent3@example.com" } },
    ]);
    let document = document(json!({ "rules": rules, "routing": { "agent": "agent1@example.com" }, "fallback": "none" }));
    for (topic, expected) in [(Some("bikes"), 2), (Some("tents"), 3), (None, 1)] {
        let mut site = Site::new(&document, 4, 1);
        if let Some(topic) = topic {
            site.visits[0].attributes.insert("topic".parse().unwrap(), topic.to_owned());
        }
        site.arrives(0);
        site.take(0, "2026-11-24T08:00:00Z").unwrap();
        assert_eq!(site.held(0).unwrap().agent, agent(expected), "{topic:?}");
    }
    // Whom a rule names can be met, or nobody: the next rule is for other visitors.
    let mut site = Site::new(&document, 4, 1);
    site.visits[0].attributes.insert("topic".parse().unwrap(), "bikes".to_owned());
    site.diaries.retain(|diary| diary.agent == agent(1) || diary.agent == agent(3));
    site.arrives(0);
    assert_eq!(site.visits[0].at(), "none");
}

#[test]
fn where_nobody_can_be_met_the_fallback_is_shown() {
    type Change = fn(&mut Site<'_>);
    let nobody: [(Value, Change); 4] = [
        (json!({}), |site| site.diaries.clear()),
        (json!({ "routing": { "team": "no-such-team" } }), |_| ()),
        (json!({}), |site| site.diaries.iter_mut().for_each(|diary| diary.daily = Some(0))),
        (json!({}), |site| {
            let busy = Span { start: moment("2026-11-24T00:00:00Z"), end: moment("2027-01-01T00:00:00Z") };
            site.diaries.iter_mut().for_each(|diary| diary.busy = vec![busy]);
        }),
    ];
    for (mut card, change) in nobody {
        for fallback in [None, Some("none")] {
            if let Some(fallback) = fallback {
                card["fallback"] = fallback.into();
            }
            let document = document(card.clone());
            let mut site = Site::new(&document, 2, 1);
            let own = site.diaries.clone();
            change(&mut site);
            site.arrives(0);
            assert_eq!(site.visits[0].at(), fallback.unwrap_or("again"), "the card of the fallback, or the one below");
            assert_eq!(site.visits[0].kinds(), ["conversation.triggered", "conversation.engaged", "fallback.shown"]);
            assert_eq!(site.visits[0].events[2].data["card"], json!("meet"));
            let said: Vec<_> = site.visits[0].entries.iter().filter_map(|entry| entry.text.as_deref()).collect();
            assert_eq!(said[..3], ["Shall we meet?", "Yes", "No time"]);
            assert_eq!(site.about(0, MeetingCommand::Release { turn: 2 }), Err(Refusal::NotAllowed));
            // When there are times again, they are offered.
            if card["routing"].is_null() {
                site.diaries = own;
                site.answers(0).unwrap();
                assert_eq!(site.visits[0].at(), "meet");
            }
        }
    }
}

#[test]
fn whom_no_time_is_left_for_goes_on_with_the_fallback() {
    let document = document(json!({ "fallback": "none" }));
    let mut site = Site::arrived(&document, 1, 1);
    assert_eq!(site.skip(0), Err(Refusal::Invalid(InvalidInput::Required)), "there are times");
    site.diaries[0].busy = vec![Span { start: moment("2026-11-24T00:00:00Z"), end: moment("2027-01-01T00:00:00Z") }];
    let typed = site.visits[0].answer(Input::text("none of them"));
    assert_eq!(site.does(0, typed, None), Err(Refusal::Invalid(InvalidInput::Required)));
    let skipped = site.skip(0).unwrap();
    assert_eq!(skipped.events.iter().map(|event| event.kind).collect::<Vec<_>>(), [EventType::FallbackShown]);
    let said: Vec<_> = skipped.entries.iter().map(|entry| entry.text.as_deref()).collect();
    assert_eq!(said, [None, Some("No time"), Some("Shall we look again?")]);
    assert_eq!(site.visits[0].at(), "none", "what follows a meeting that is booked is for others");
}

#[test]
fn what_is_optional_can_be_skipped() {
    let must = document(json!({}));
    let mut site = Site::arrived(&must, 1, 1);
    assert_eq!(site.skip(0), Err(Refusal::Invalid(InvalidInput::Required)));
    assert_eq!(site.visits[0].at(), "meet");

    let may = document(json!({ "optional": true }));
    let mut site = Site::arrived(&may, 1, 2);
    assert!(site.visits[0].prompt(Beside::default()).unwrap().optional);
    let skipped = site.skip(0).unwrap();
    assert_eq!((site.visits[0].at(), skipped.events.len()), ("again", 0));
    assert_eq!(skipped.entries[0].text, None);
    // Who goes on without booking lets go of what was held for them.
    site.take(1, "2026-11-24T08:00:00Z").unwrap();
    site.skip(1).unwrap();
    assert_eq!((site.kept[0].meeting.phase, site.visits[1].at()), (MeetingPhase::Released, "again"));
    site.answers(0).unwrap();
    site.take(0, "2026-11-24T08:00:00Z").unwrap();
    // They may change their mind.
    site.go_back(1).unwrap();
    assert_eq!(site.visits[1].at(), "meet");
    assert_eq!(site.take(1, "2026-11-24T08:00:00Z"), Err(TAKEN));
    site.take(1, "2026-11-24T08:30:00Z").unwrap();
}

#[test]
fn going_back_lets_go_and_there_is_no_way_back_behind_what_is_booked() {
    let document = document(json!({}));
    let mut site = Site::arrived(&document, 1, 2);
    site.take(0, "2026-11-24T08:00:00Z").unwrap();
    let back = site.go_back(0).unwrap();
    assert_eq!((site.visits[0].at(), back.taken_back_to), ("ask", Some(1)));
    assert_eq!(site.kept[0].meeting.phase, MeetingPhase::Released);
    site.take(1, "2026-11-24T08:00:00Z").unwrap();
    site.answers(0).unwrap();
    site.book(0, "2026-11-24T09:00:00Z");
    assert_eq!(site.go_back(0), Err(Refusal::NotAllowed));
    assert!(site.kept[2].meeting.is_booked());
}

#[test]
fn bad_fields_are_named_and_nothing_is_lost_by_them() {
    let document = document(json!({}));
    let mut site = Site::arrived(&document, 1, 1);
    site.take(0, "2026-11-24T08:00:00Z").unwrap();
    let long = "ä".repeat(121);
    let (name, email) = (("name".to_owned(), InvalidInput::TooLong), ("email".to_owned(), InvalidInput::Email(BadEmail)));
    for (typed, address, wrong) in [
        ("Ada", "ada", vec![email.clone()]),
        ("Ada", "", vec![email.clone()]),
        ("Ada", "ada@localhost", vec![email.clone()]),
        (long.as_str(), "ada@example.com", vec![name.clone()]),
        (long.as_str(), "ada", vec![name, email]),
    ] {
        let (before, events) = (site.kept[0].meeting.clone(), site.visits[0].events.len());
        assert_eq!(site.confirm(0, typed, address), Err(Refusal::BadForm(wrong)));
        assert_eq!((&site.kept[0].meeting, site.visits[0].events.len()), (&before, events));
    }
    site.confirm(0, &long[2..], "ada@example.com").unwrap();
}

#[test]
fn an_old_page_changes_nothing() {
    let document = document(json!({}));
    let mut site = Site::arrived(&document, 1, 1);
    let old = site.visits[0].progress.turn;
    site.take(0, "2026-11-24T08:00:00Z").unwrap();
    let current = site.visits[0].progress.turn;
    assert_eq!(current, old + 1);
    let stale = Refusal::NotCurrent { given: old, current };
    assert_eq!(site.hold(0, old, moment("2026-11-24T09:00:00Z")), Err(stale.clone()));
    assert_eq!(site.about(0, MeetingCommand::Release { turn: old }), Err(stale.clone()));
    let (name, email) = ("Ada".to_owned(), "ada@example.com".to_owned());
    assert_eq!(site.about(0, MeetingCommand::Confirm { turn: old, name, email }), Err(stale));
    assert_eq!(site.held(0).unwrap().span.start, moment("2026-11-24T08:00:00Z"));
    site.confirm(0, "Ada", "ada@example.com").unwrap();
    assert_eq!(site.confirm(0, "Ada", "ada@example.com"), Err(Refusal::NotAllowed), "a question is no meeting");
    assert_eq!(site.take(0, "2026-11-24T09:00:00Z"), Err(Refusal::NotAllowed));
}

#[test]
fn the_guest_moves_within_the_hours_and_the_agent_wherever_they_like() {
    let document = document(json!({}));
    let mut site = Site::new(&document, 2, 2);
    site.diaries[0] = diary(1, "Europe/Berlin", 5, "09:00-17:00", (15, 5), None);
    site.diaries[0].busy = vec![Span { start: moment("2026-11-24T14:00:00Z"), end: moment("2026-11-24T15:00:00Z") }];
    site.arrives(0);
    site.arrives(1);
    let index = site.book(0, "2026-11-24T08:00:00Z");
    assert_eq!(site.kept[index].meeting.agent, agent(1));
    let outside = [
        "2026-11-24T07:30:00Z", // before the hours
        "2026-11-24T08:10:00Z", // between two times
        "2026-11-24T14:00:00Z", // they are busy
        "2026-11-24T16:00:00Z", // after the hours
        "2026-11-28T10:00:00Z", // a Saturday
        "2026-12-02T10:00:00Z", // beyond the horizon
    ];
    for (sequence, start) in (1..).zip(outside) {
        let before = site.kept[index].meeting.clone();
        assert_eq!(site.move_to(index, start, Party::Guest), Err(TAKEN), "{start}");
        assert_eq!(site.kept[index].meeting, before);
        site.move_to(index, start, Party::Agent).unwrap();
        let start = moment(start);
        let minutes = SignedDuration::from_mins;
        let occupied = Span { start: start - minutes(15), end: start + minutes(35) };
        let span = Span { start, end: start + LENGTH };
        let before = Meeting { span, occupied, sequence, ..before };
        assert_eq!(site.kept[index].meeting, before);
    }
    site.move_to(index, "2026-11-24T09:00:00Z", Party::Guest).unwrap();
    assert_eq!(site.kept[index].meeting.agent, agent(1), "it stays with whom it is");
    // A half hour of its own time does not stand in its own way.
    site.move_to(index, "2026-11-24T09:30:00Z", Party::Guest).unwrap();
    // The time of another guest does, whoever moves it; not that of another agent.
    let other = site.book(1, "2026-11-24T09:30:00Z");
    assert_eq!(site.kept[other].meeting.agent, agent(2), "who has the fewest");
    site.answers(1).unwrap();
    site.diaries.truncate(1);
    let other = site.book(1, "2026-11-24T11:00:00Z");
    assert_eq!(site.kept[other].meeting.agent, agent(1));
    let taken = Err(Refusal::SlotTaken { agent: Some(agent(1)) });
    for by in [Party::Guest, Party::Agent] {
        // That one takes until 11:35 with what is kept free after it, and this needs 15 minutes before it.
        assert_eq!(site.move_to(index, "2026-11-24T11:30:00Z", by), taken, "{by:?}");
        site.move_to(index, "2026-11-24T12:00:00Z", by).unwrap();
    }
}

#[test]
fn a_guest_reads_times_in_their_own_zone() {
    let document = document(json!({}));
    let mut site = Site::arrived(&document, 1, 1);
    let index = site.book(0, "2026-11-24T08:00:00Z");
    for (zone, start, text) in [
        ("UTC", "2027-01-01T00:00:00Z", "2027-01-01T00:00:00+00:00"),
        ("Asia/Kathmandu", "2027-01-01T00:00:00Z", "2027-01-01T05:45:00+05:45"),
        ("America/St_Johns", "2027-01-01T00:00:00Z", "2026-12-31T20:30:00-03:30"),
        // An hour that is left out, and one that comes twice.
        ("Europe/Berlin", "2027-03-28T00:30:00Z", "2027-03-28T01:30:00+01:00"),
        ("Europe/Berlin", "2027-03-28T01:00:00Z", "2027-03-28T03:00:00+02:00"),
        ("Europe/Berlin", "2027-10-31T00:30:00Z", "2027-10-31T02:30:00+02:00"),
        ("Europe/Berlin", "2027-10-31T01:30:00Z", "2027-10-31T02:30:00+01:00"),
    ] {
        let time_zone = Some(zone.to_owned());
        let moved = site.of(index, MeetingCommand::Move { start: moment(start), time_zone, by: Party::Agent }).unwrap();
        assert_eq!(moved.events[0].data["meetingInfo"]["start"], json!(text));
        assert_eq!(moved.events[0].data["meetingInfo"]["timeZone"], json!(zone));
    }
    let moved = site.move_to(index, "2027-01-01T12:00:00Z", Party::Agent).unwrap();
    assert_eq!(moved.events[0].data["meetingInfo"]["start"], json!("2027-01-01T13:00:00+01:00"), "the zone stays");
}

#[test]
fn what_has_begun_is_neither_moved_nor_called_off() {
    let document = document(json!({}));
    for by in [Party::Guest, Party::Agent] {
        for before in [1, 0, -1] {
            let mut site = Site::arrived(&document, 1, 1);
            let index = site.book(0, "2026-11-24T08:00:00Z");
            site.around.now = moment("2026-11-24T08:00:00Z") - SignedDuration::from_millis(before);
            let moved = site.move_to(index, "2026-11-24T10:00:00Z", by);
            if before > 0 {
                moved.unwrap();
                site.move_to(index, "2026-11-24T08:30:00Z", by).unwrap();
                site.cancel(index, by).unwrap();
                assert_eq!(site.kept[index].meeting.phase, MeetingPhase::Cancelled { by });
            } else {
                assert_eq!(moved, Err(Refusal::TooLate));
                assert_eq!(site.cancel(index, by), Err(Refusal::TooLate));
                assert!(site.kept[index].meeting.is_booked());
            }
        }
        // Nor is anything moved into the past.
        let mut site = Site::arrived(&document, 1, 1);
        site.around.now = moment("2026-11-24T09:00:00Z");
        let index = site.book(0, "2026-11-24T10:00:00Z");
        for start in ["2026-11-24T08:00:00Z", "2026-11-24T08:59:59.999Z", "2026-11-24T09:00:00Z"] {
            assert_eq!(site.move_to(index, start, by), Err(Refusal::TooLate), "{start}");
        }
    }
}

#[test]
fn what_is_called_off_is_over_and_its_time_is_free() {
    let document = document(json!({}));
    for by in [Party::Guest, Party::Agent] {
        let mut site = Site::arrived(&document, 1, 2);
        site.take(0, "2026-11-24T08:00:00Z").unwrap();
        assert_eq!(site.cancel(0, by), Err(Refusal::NotBooked), "it is not booked yet");
        assert_eq!(site.move_to(0, "2026-11-24T09:00:00Z", by), Err(Refusal::NotBooked));
        site.confirm(0, "Ada", "ada@example.com").unwrap();
        site.cancel(0, by).unwrap();
        let told = site.visits[0].events.len();
        for other in [Party::Guest, Party::Agent] {
            assert_eq!(site.cancel(0, other), Err(Refusal::NotBooked));
            assert_eq!(site.move_to(0, "2026-11-24T09:00:00Z", other), Err(Refusal::NotBooked));
        }
        assert_eq!(site.of(0, MeetingCommand::Tick), Ok(Happened::default()));
        assert_eq!((site.visits[0].events.len(), site.kept[0].meeting.phase), (told, MeetingPhase::Cancelled { by }));
        site.take(1, "2026-11-24T08:00:00Z").unwrap();
    }
}

/// Something that somebody, or time, does.
#[derive(Debug, Clone)]
enum Move {
    /// A visitor goes on to the card that offers a meeting, if they are asked before it.
    Answer(usize),
    /// Takes one of the first times that are offered.
    Take(usize, usize),
    /// Takes a time that may be nobody's: so many quarters of an hour from now.
    TakeAny(usize, i64),
    /// Two visitors look at the same time, and both want it.
    Race(usize, usize, usize),
    Release(usize),
    /// Says who they are, rightly or not.
    Confirm(usize, bool),
    Back(usize),
    Skip(usize),
    /// Sends what an old page shows.
    Old(usize),
    /// Time is looked at for one meeting, due or not.
    Tick(usize),
    /// The clock of the server comes by.
    Clock,
    /// So many milliseconds pass.
    Pass(i64),
    /// The guest of a meeting moves it to one of the first times that there are.
    Reschedule(usize, usize),
    /// Somebody moves a meeting to so many quarters of an hour from now.
    RescheduleAnywhere(usize, i64, Party),
    Cancel(usize, Party),
}

const VISITORS: u8 = 4;

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let (v, m) = (0..usize::from(VISITORS), 0_usize..40);
    let party = || prop_oneof![Just(Party::Guest), Just(Party::Agent)];
    let one = prop_oneof![
        5 => v.clone().prop_map(Move::Answer),
        8 => (v.clone(), 0_usize..6).prop_map(|(v, pick)| Move::Take(v, pick)),
        2 => (v.clone(), -4_i64..300).prop_map(|(v, quarters)| Move::TakeAny(v, quarters)),
        3 => (v.clone(), v.clone(), 0_usize..6).prop_map(|(v, w, pick)| Move::Race(v, w, pick)),
        2 => v.clone().prop_map(Move::Release),
        8 => (v.clone(), prop::bool::weighted(0.8)).prop_map(|(v, good)| Move::Confirm(v, good)),
        1 => v.clone().prop_map(Move::Back),
        1 => v.clone().prop_map(Move::Skip),
        1 => v.prop_map(Move::Old),
        2 => m.clone().prop_map(Move::Tick),
        2 => Just(Move::Clock),
        2 => (0_i64..600_000).prop_map(Move::Pass),
        2 => prop_oneof![Just(299_999_i64), Just(300_000), Just(1)].prop_map(Move::Pass),
        1 => (0_i64..30 * 3_600_000).prop_map(Move::Pass),
        3 => (m.clone(), 0_usize..6).prop_map(|(m, pick)| Move::Reschedule(m, pick)),
        3 => (m.clone(), -4_i64..300, party()).prop_map(|(m, quarters, by)| Move::RescheduleAnywhere(m, quarters, by)),
        2 => (m, party()).prop_map(|(m, by)| Move::Cancel(m, by)),
    ];
    prop::collection::vec(one, 1..100)
}

impl Site<'_> {
    /// So many quarters of an hour from the last one.
    fn quarters(&self, count: i64) -> Timestamp {
        let last = self.around.now.as_second().div_euclid(900);
        Timestamp::from_second((last + count) * 900).unwrap()
    }

    fn own(&self, agent: AgentId) -> &Diary {
        self.diaries.iter().find(|diary| diary.agent == agent).unwrap()
    }

    /// A meeting with what is kept free around it.
    fn occupied(&self, agent: AgentId, start: Timestamp) -> Span {
        let (diary, minutes) = (self.own(agent), |minutes: u16| SignedDuration::from_mins(minutes.into()));
        Span { start: start - minutes(diary.before), end: start + LENGTH + minutes(diary.after) }
    }

    /// Takes a time: it is to be had exactly if it is offered, with whoever is the first of those who have it.
    fn takes(&mut self, visitor: usize, start: Timestamp) {
        let waits = self.visits[visitor].at() == "meet";
        let offered = self.offered(visitor).into_iter().find(|offered| offered.span.start == start);
        let before = self.held(visitor).cloned();
        let outcome = self.hold(visitor, self.visits[visitor].progress.turn, start);
        let Some(offered) = offered.filter(|_| waits) else {
            assert_eq!(outcome, Err(if waits { TAKEN } else { Refusal::NotAllowed }), "what is not offered cannot be had");
            assert_eq!(self.held(visitor), before.as_ref(), "and what was held is held still");
            return;
        };
        assert_eq!(outcome, Ok(Happened::default()), "what is offered can be had");
        let held = self.held(visitor).unwrap();
        let until = self.around.now + HOLD;
        assert_eq!((held.agent, held.span), (offered.agents[0], offered.span));
        assert_eq!((held.phase, held.sequence), (MeetingPhase::Held { until }, 0));
        assert!(before.is_none_or(|before| before.id == held.id), "what was held is exchanged");
        self.is_within_limits(visitor, held);
        self.until[visitor] = Some(until);
    }

    /// Whether it is right that a time was offered, looked at by hand.
    fn is_within_limits(&self, visitor: usize, held: &Meeting) {
        let (diary, card, now) = (self.own(held.agent), self.card(), self.around.now);
        let local = |moment: Timestamp| moment.to_zoned(diary.hours.zone());
        let (start, today) = (local(held.span.start), local(now).date());
        let minute = u16::try_from(i32::from(start.hour()) * 60 + i32::from(start.minute())).unwrap();
        let fits = |from: u16, to: u16| from <= minute && minute + 30 <= to && (minute - from).is_multiple_of(15);
        assert!(diary.hours.said_of(start.date()).iter().any(|hours| fits(hours.from, hours.to)), "{start}");
        assert!(held.span.start >= now + SignedDuration::from_mins(card.notice.into()), "{start}");
        let days = start.date().since(today).unwrap().get_days();
        assert!((0..=i32::from(card.horizon)).contains(&days), "{start}");
        assert!(!diary.busy.iter().any(|busy| busy.meets(&held.occupied)), "{start}");
        let same_day = |kept: &&Kept| {
            let Meeting { id, agent, span, .. } = kept.meeting;
            id != held.id && agent == held.agent && kept.meeting.is_taking() && local(span.start).date() == start.date()
        };
        let others = self.kept.iter().filter(same_day).count();
        assert!(diary.daily.is_none_or(|most| others < usize::from(most)), "{start}");
        let member = self.around.roster.member(held.agent).unwrap();
        assert!(card.routing.team.as_ref().is_none_or(|team| member.teams.contains(team)));
        if card.routing.account && card.routing.team.is_none() {
            assert!(self.account[visitor].is_none_or(|own| own == held.agent));
        }
    }

    fn confirms(&mut self, visitor: usize, good: bool) {
        let waits = self.visits[visitor].at() == "meet";
        let in_time = self.until[visitor].is_some_and(|until| self.around.now < until);
        let held = self.held(visitor).cloned();
        let outcome = self.confirm(visitor, "Ada", if good { "ada@example.com" } else { "ada@" });
        match (waits, in_time) {
            (false, _) => assert_eq!(outcome, Err(Refusal::NotAllowed)),
            (true, false) => assert_eq!(outcome, Err(Refusal::HoldLapsed)),
            (true, true) if !good => {
                let wrong = vec![("email".to_owned(), InvalidInput::Email(BadEmail))];
                assert_eq!(outcome, Err(Refusal::BadForm(wrong)));
            }
            (true, true) => {
                let happened = outcome.unwrap();
                let held = held.unwrap();
                let guest = Some(Guest { name: Some("Ada".to_owned()), email: "ada@example.com".to_owned() });
                let expected = Meeting { phase: MeetingPhase::Booked, guest, ..held };
                assert_eq!(self.meeting(expected.id), &expected);
                tells(&happened, EventType::MeetingBooked, &expected);
                self.until[visitor] = None;
                return;
            }
        }
        assert_eq!(self.held(visitor), held.as_ref());
    }

    fn meeting(&self, id: MeetingId) -> &Meeting {
        self.kept.iter().map(|kept| &kept.meeting).find(|meeting| meeting.id == id).unwrap()
    }

    /// What was held for a visitor is not any more, and nothing tells of it.
    fn lets_go(&mut self, visitor: usize, before: Option<Meeting>) {
        if let Some(before) = before {
            assert_eq!(*self.meeting(before.id), Meeting { phase: MeetingPhase::Released, ..before });
        }
        assert_eq!(self.held(visitor), None);
        self.until[visitor] = None;
    }

    fn ticks(&mut self, index: usize) {
        let Kept { visitor, meeting, .. } = self.kept[index].clone();
        let due = meeting.due_at().is_some_and(|due| due <= self.around.now);
        let progress = self.visits[visitor].progress.clone();
        assert_eq!(self.of(index, MeetingCommand::Tick), Ok(Happened::default()));
        assert_eq!(self.visits[visitor].progress, progress);
        if due {
            assert_eq!(meeting.due_at(), self.until[visitor]);
            self.lets_go(visitor, Some(meeting));
        } else {
            assert_eq!(self.kept[index].meeting, meeting);
        }
    }

    /// The times a guest may move their meeting to.
    fn slots_for(&self, meeting: &Meeting) -> Vec<Span> {
        let calendars = self.calendars(None);
        let diary = calendars.diary(meeting.agent).unwrap();
        let schedule = diary.schedule_of(meeting, Some(self.card()));
        schedule.slots(self.ahead(), &diary.taken_but_for(meeting, true), self.around.now)
    }

    fn moves(&mut self, index: usize, start: Timestamp, by: Party) {
        let (meeting, now) = (self.kept[index].meeting.clone(), self.around.now);
        let occupied = self.occupied(meeting.agent, start);
        let can = match by {
            Party::Guest => self.slots_for(&meeting).iter().any(|slot| slot.start == start),
            Party::Agent => self.is_free(meeting.id, meeting.agent, occupied),
        };
        let time_zone = (index % 2 == 1).then(|| "America/St_Johns".to_owned());
        let outcome = self.of(index, MeetingCommand::Move { start, time_zone: time_zone.clone(), by });
        if !meeting.is_booked() {
            assert_eq!(outcome, Err(Refusal::NotBooked));
        } else if now >= meeting.span.start || start <= now {
            assert_eq!(outcome, Err(Refusal::TooLate));
        } else if can {
            let expected = Meeting {
                span: Span { start, end: start + LENGTH },
                occupied,
                sequence: meeting.sequence + 1,
                time_zone: time_zone.unwrap_or_else(|| meeting.time_zone.clone()),
                ..meeting
            };
            assert_eq!(self.kept[index].meeting, expected);
            tells(&outcome.unwrap(), EventType::MeetingRescheduled, &expected);
            return;
        } else {
            assert!(matches!(outcome, Err(Refusal::SlotTaken { .. })), "{outcome:?}");
        }
        assert_eq!(self.kept[index].meeting, meeting);
    }

    fn cancels(&mut self, index: usize, by: Party) {
        let meeting = self.kept[index].meeting.clone();
        let outcome = self.cancel(index, by);
        if !meeting.is_booked() {
            assert_eq!(outcome, Err(Refusal::NotBooked));
        } else if self.around.now >= meeting.span.start {
            assert_eq!(outcome, Err(Refusal::TooLate));
        } else {
            let phase = MeetingPhase::Cancelled { by };
            let expected = Meeting { phase, sequence: meeting.sequence + 1, ..meeting };
            assert_eq!(self.kept[index].meeting, expected);
            tells(&outcome.unwrap(), EventType::MeetingCancelled, &expected);
            return;
        }
        assert_eq!(self.kept[index].meeting, meeting);
    }

    fn step(&mut self, step: &Move) {
        let count = self.kept.len();
        match *step {
            Move::Answer(v) if self.visits[v].at() != "meet" => drop(self.answers(v).unwrap()),
            Move::Answer(_) => {}
            Move::Take(v, pick) => {
                let offered = self.offered(v);
                if let Some(offered) = offered.get(pick % offered.len().clamp(1, 6)) {
                    self.takes(v, offered.span.start);
                }
            }
            Move::TakeAny(v, quarters) => self.takes(v, self.quarters(quarters)),
            Move::Race(v, w, pick) => {
                let offered = self.offered(v);
                if let Some(offered) = offered.get(pick % offered.len().clamp(1, 6)) {
                    self.takes(v, offered.span.start);
                    self.takes(w, offered.span.start);
                }
            }
            Move::Release(v) => {
                let (waits, held) = (self.visits[v].at() == "meet", self.held(v).cloned());
                let outcome = self.release(v);
                assert_eq!(outcome, if waits { Ok(Happened::default()) } else { Err(Refusal::NotAllowed) });
                self.lets_go(v, held);
            }
            Move::Confirm(v, good) => self.confirms(v, good),
            Move::Back(v) => {
                let (may, held) = (self.visits[v].progress.may_go_back(self.document), self.held(v).cloned());
                let outcome = self.go_back(v);
                assert_eq!(outcome.is_ok(), may, "{outcome:?}");
                if may {
                    self.lets_go(v, held);
                } else {
                    assert_eq!(self.held(v), held.as_ref());
                }
            }
            Move::Skip(v) => {
                let (waits, held) = (self.visits[v].at() == "meet", self.held(v).cloned());
                let outcome = self.skip(v);
                assert_eq!(outcome.is_ok(), waits, "{outcome:?}");
                self.lets_go(v, held);
            }
            Move::Old(v) => {
                let (given, held) = (self.visits[v].progress.turn - 1, self.held(v).cloned());
                let stale = Refusal::NotCurrent { given, current: given + 1 };
                assert_eq!(self.hold(v, given, self.quarters(9)), Err(stale.clone()));
                assert_eq!(self.about(v, MeetingCommand::Release { turn: given }), Err(stale));
                assert_eq!(self.held(v), held.as_ref());
            }
            Move::Tick(m) if count > 0 => self.ticks(m % count),
            Move::Clock => {
                let due = |kept: &Kept| kept.meeting.due_at().is_some_and(|due| due <= self.around.now);
                let due: Vec<_> = (0..count).filter(|index| due(&self.kept[*index])).collect();
                due.into_iter().for_each(|index| self.ticks(index));
            }
            Move::Pass(millis) => self.pass(millis),
            Move::Reschedule(m, pick) if count > 0 => {
                let slots = self.slots_for(&self.kept[m % count].meeting);
                if let Some(slot) = slots.get(pick % slots.len().clamp(1, 6)) {
                    self.moves(m % count, slot.start, Party::Guest);
                }
            }
            Move::RescheduleAnywhere(m, quarters, by) if count > 0 => self.moves(m % count, self.quarters(quarters), by),
            Move::Cancel(m, by) if count > 0 => self.cancels(m % count, by),
            Move::Tick(_) | Move::Reschedule(..) | Move::RescheduleAnywhere(..) | Move::Cancel(..) => {}
        }
    }

    /// What holds at every moment.
    fn holds(&self) {
        let taking: Vec<_> = self.kept.iter().map(|kept| &kept.meeting).filter(|meeting| meeting.is_taking()).collect();
        for (index, one) in taking.iter().enumerate() {
            assert_eq!(one.span.end, one.span.start + LENGTH);
            assert_eq!(one.occupied, self.occupied(one.agent, one.span.start), "buffers included");
            for other in &taking[..index] {
                assert!(one.agent != other.agent || !one.occupied.meets(&other.occupied), "{one:?} and {other:?}");
            }
        }
        for visitor in 0..self.visits.len() {
            let of = |kept: &&Kept| kept.visitor == visitor && matches!(kept.meeting.phase, MeetingPhase::Held { .. });
            let held: Vec<_> = self.kept.iter().filter(of).map(|kept| kept.meeting.due_at()).collect();
            assert_eq!(held, Vec::from_iter(self.until[visitor].map(Some)), "each holds one time at most");
            assert!(held.is_empty() || self.visits[visitor].at() == "meet", "and nobody who has gone elsewhere");
        }
    }

    /// Of each meeting it was told once that it was booked, then how it was moved, and last that it was called off.
    fn told(&self) {
        for Kept { visitor, meeting, .. } in &self.kept {
            let id = json!(meeting.id.to_string());
            let of = self.visits[*visitor].events.iter().filter(|event| {
                let info = event.data.get("meetingInfo");
                info.is_some_and(|info| info["id"] == id)
            });
            let cancelled = usize::from(matches!(meeting.phase, MeetingPhase::Cancelled { .. }));
            let booked = cancelled + usize::from(meeting.is_booked());
            let moved = meeting.sequence as usize - cancelled;
            let expected = [
                vec![EventType::MeetingBooked; booked],
                vec![EventType::MeetingRescheduled; moved],
                vec![EventType::MeetingCancelled; cancelled],
            ];
            assert_eq!(of.map(|event| event.kind).collect::<Vec<_>>(), expected.concat());
        }
    }
}

fn routing() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!({}),
        json!({ "sameAgent": true }),
        json!({ "account": true }),
        json!({ "account": true, "sameAgent": true, "team": "odd" }),
    ])
}

/// What is computed for each move is much: a part of the usual number is enough, and `make torture` has its multiple.
fn config() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases.div_ceil(4), ..usual }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn whatever_happens_nobody_is_booked_twice(moves in moves(), routing in routing()) {
        let card = json!({ "step": 15, "notice": 30, "horizon": 3, "optional": true, "fallback": "none", "routing": routing });
        let document = document(card);
        let mut site = Site::new(&document, 3, VISITORS);
        // Three days before the clocks of one of their zones are changed.
        site.around.now = moment("2026-10-22T05:30:00Z");
        site.diaries = vec![
            diary(1, "Europe/Berlin", 7, "09:00-11:00", (0, 15), None),
            diary(2, "Europe/Berlin", 7, "09:30-12:00", (10, 5), Some(2)),
            diary(3, "Asia/Kathmandu", 7, "13:00-16:00", (0, 0), Some(3)),
        ];
        site.diaries[0].busy = vec![Span { start: moment("2026-10-23T07:30:00Z"), end: moment("2026-10-23T08:00:00Z") }];
        site.diaries[2].busy = vec![Span { start: moment("2026-10-22T08:00:00Z"), end: moment("2026-10-22T08:20:00Z") }];
        site.last = vec![None, Some(agent(2)), Some(agent(3)), None];
        site.account = vec![Some(agent(2)), None, Some(agent(1)), None];
        let zones = ["Europe/Berlin", "Asia/Kathmandu", "America/New_York", "UTC"];
        for (visitor, zone) in zones.into_iter().enumerate() {
            site.visits[visitor].time_zone = zone;
            site.arrives(visitor);
        }
        for step in &moves {
            site.step(step);
            site.holds();
        }
        site.told();
        // When time runs on and nobody does anything, no time stays held.
        site.pass(300_000);
        site.step(&Move::Clock);
        site.holds();
        let held = site.kept.iter().any(|kept| matches!(kept.meeting.phase, MeetingPhase::Held { .. }));
        prop_assert!(!held);
    }
}
