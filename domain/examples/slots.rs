//! How long it takes to compute a month of times, printed as JSON for `make bench`.
#![expect(clippy::print_stdout, reason = "it is what it is for")]

use std::{collections::BTreeMap, hint::black_box, time::Instant};

use jiff::{SignedDuration, Timestamp};
use porchlight_domain::{
    conversation::{Body, Conversation},
    id::{AgentId, uuid_v7},
    livechat::{Member, Roster},
    meeting::{Calendars, Diary, Looking},
    schedule::{Availability, Span},
};

const BUSY: i64 = 1000;
const ROUNDS: usize = 30;

/// Agents with a thousand busy times each, spread over a month.
fn calendars(count: u8, now: Timestamp) -> (Calendars, Roster) {
    let hours = "monday 09:00-17:00\ntuesday 09:00-17:00\nwednesday 09:00-17:00\nthursday 09:00-17:00\nfriday 09:00-17:00";
    let zones = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Sydney"];
    let diary = |number: u8| {
        let busy = (0..BUSY).map(|index| {
            let start = now + SignedDuration::from_mins(index * 43 + i64::from(number) * 7);
            Span { start, end: start + SignedDuration::from_mins(10) }
        });
        Diary {
            agent: AgentId::new(uuid_v7(1, &[number; 10])),
            hours: Availability::read(zones[usize::from(number) % zones.len()], hours).unwrap_or_default(),
            before: 5,
            after: 5,
            daily: None,
            busy: busy.collect(),
            meetings: Vec::new(),
            of_day: BTreeMap::new(),
            booked: 0,
            booked_at: None,
        }
    };
    let member = |number: u8| Member {
        id: AgentId::new(uuid_v7(1, &[number; 10])),
        name: format!("Agent {number}"),
        email: format!("agent{number}@example.com"),
        teams: Vec::new(),
        languages: Vec::new(),
        skills: Vec::new(),
        available: false,
        open: 0,
        limit: 10,
        offered_at: None,
    };
    let roster = Roster { members: (0..count).map(member).collect(), ..Roster::default() };
    (Calendars { diaries: (0..count).map(diary).collect() }, roster)
}

fn main() {
    let document = r#"{ "id": "m", "name": "M", "cards": [
        { "id": "meet", "card": "meeting", "text": "When?", "title": "Talk", "notice": 0, "horizon": 31 }, { "id": "end", "card": "end" } ] }"#;
    let Ok(document) = Conversation::read(document) else { return };
    let Body::Meeting(card) = &document.cards[0].body else { return };
    let now: Timestamp = "2026-10-05T08:00:00Z".parse().unwrap_or_default();
    let within = Span { start: now, end: now + SignedDuration::from_hours(31 * 24) };
    let figures: Vec<String> = [1_u8, 100]
        .into_iter()
        .map(|count| {
            let (calendars, roster) = calendars(count, now);
            let looking = Looking { card, routing: &card.routing, roster: &roster, locale: "en", now };
            let slots = calendars.offered(&looking, within).len();
            let mut times: Vec<f64> = (0..ROUNDS)
                .map(|_| {
                    let began = Instant::now();
                    black_box(calendars.offered(black_box(&looking), within));
                    began.elapsed().as_secs_f64() * 1000.0
                })
                .collect();
            times.sort_by(f64::total_cmp);
            format!(r#"{{"agents":{count},"slots":{slots},"median":{:.3},"most":{:.3}}}"#, times[ROUNDS / 2], times[ROUNDS - 1])
        })
        .collect();
    println!("[{}]", figures.join(","));
}
