//! `/console/calendar`: a day or a week of an agent's calendar.

use std::collections::BTreeSet;

use axum::{Router, extract::State, http::StatusCode, response::Response, routing::get};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use leptos::prelude::*;
use porchlight_app::console::calendar::{BlockKind, CalendarDay, CalendarPage, CalendarView, DayBlock};
use porchlight_domain::{
    id::AgentId,
    meeting::Diary,
    schedule::{Availability, Span},
};
use serde::Deserialize;

use super::{
    render,
    session::{Right, SignedIn},
};
use crate::{
    http::{App, body::Query, problem::Problem},
    store::{AgentRow, Command, Failure, MeetingFilter, MeetingRecord, Tx},
    when::{When, midnight},
};

/// The most meetings of a week that are drawn.
const SHOWN_MAX: u32 = 500;
/// How many rows an hour has.
const ROWS: i64 = 4;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/console/calendar", get(show))
}

#[derive(Debug, Deserialize)]
struct Wanted {
    #[serde(default)]
    on: String,
    #[serde(default)]
    view: String,
    #[serde(default)]
    agent: String,
}

async fn show(
    State(app): State<App>,
    SignedIn { agent, .. }: SignedIn,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    agent.must(Right::SeeChats)?;
    let now = app.engine.outside.now();
    let shown = app.store.look(Show { agent: agent.clone(), wanted, now }).await?;
    Ok(render::page(StatusCode::OK, Some(&agent), ("calendar", "Calendar"), move |_| {
        let view = shown.clone();
        view! { <CalendarPage view/> }
    })
    .await)
}

struct Show {
    agent: AgentRow,
    wanted: Wanted,
    now: Timestamp,
}

impl Command for Show {
    type Done = CalendarView;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<CalendarView, Failure<Problem>> {
        let Self { agent, wanted, now } = self;
        let colleagues: Vec<AgentRow> = tx
            .agents()
            .await?
            .into_iter()
            .filter(|other| !other.disabled && other.joined && (other.id == agent.id || agent.works_with(other)))
            .collect();
        let whose: Option<AgentId> = wanted.agent.parse().ok();
        let of = colleagues.iter().find(|other| Some(other.id) == whose).unwrap_or(&agent).clone();
        let zone = agent.availability.zone();
        let today = now.to_zoned(zone.clone()).date();
        let on: Date = wanted.on.parse().unwrap_or(today);
        let week = wanted.view != "day";
        let monday = on.checked_sub(i32::from(on.weekday().to_monday_zero_offset()).days()).unwrap_or(on);
        let (first, count) = if week { (monday, 7) } else { (on, 1) };
        let days: Vec<Date> = (0..count).filter_map(|ahead| first.checked_add(ahead.days()).ok()).collect();
        let begin = midnight(first, &zone);
        let end = midnight(first.checked_add(count.days()).unwrap_or(Date::MAX), &zone);
        let filter = MeetingFilter { sites: None, agent: Some(of.id), from: begin, to: end, cancelled: false, limit: SHOWN_MAX };
        let meetings = tx.meetings(&filter).await?;
        let diary = tx.diary(&of, begin, end).await?;
        let spans = parts(&of, diary, meetings, &agent, now, (begin, end));
        Ok(lay_out(spans, &days, Laid { agent: &agent, of: &of, colleagues: &colleagues, zone, today, on, week, first, count }))
    }
}

/// Something that takes time.
struct Part {
    kind: BlockKind,
    span: Span,
    title: String,
    link: Option<String>,
}

fn parts(
    of: &AgentRow,
    diary: Option<Diary>,
    meetings: Vec<MeetingRecord>,
    reader: &AgentRow,
    now: Timestamp,
    (begin, end): (Timestamp, Timestamp),
) -> Vec<Part> {
    let mut parts = Vec::new();
    let plain = |kind, span| Part { kind, span, title: String::new(), link: None };
    if let Some(diary) = diary {
        parts.extend(open(&diary.hours, begin, end).into_iter().map(|span| plain(BlockKind::Open, span)));
        parts.extend(diary.busy.into_iter().map(|span| plain(BlockKind::Busy, span)));
    }
    for MeetingRecord { meeting, site, .. } in meetings {
        // What is another site's is nothing but taken.
        let known = reader.serves(&site);
        let guest =
            meeting.guest.as_ref().map(|guest| guest.name.clone().unwrap_or_else(|| guest.email.clone())).unwrap_or_default();
        let link = known.then(|| {
            let whose = if of.id == reader.id { "mine" } else { "all" };
            let past = if meeting.span.start < now { "&when=past" } else { "" };
            format!("/console/meetings?whose={whose}{past}#{}", meeting.id)
        });
        let title = if known { format!("{}, {guest}", meeting.title) } else { String::new() };
        parts.push(Part { kind: BlockKind::Meeting, span: meeting.span, title, link });
    }
    parts
}

/// The hours within a span, as moments.
fn open(hours: &Availability, begin: Timestamp, end: Timestamp) -> Vec<Span> {
    let zone = hours.zone();
    let mut day = begin.to_zoned(zone.clone()).date();
    let last = end.to_zoned(zone.clone()).date();
    let mut open = Vec::new();
    while day <= last {
        let at = |minute: u16| {
            let wall = day.at(0, 0, 0, 0).checked_add(i64::from(minute).minutes()).ok()?;
            wall.to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp())
        };
        for hours in hours.said_of(day) {
            if let (Some(start), Some(end)) = (at(hours.from), at(hours.to)) {
                open.push(Span { start, end });
            }
        }
        let Ok(next) = day.tomorrow() else { break };
        day = next;
    }
    open
}

struct Laid<'a> {
    agent: &'a AgentRow,
    of: &'a AgentRow,
    colleagues: &'a [AgentRow],
    zone: TimeZone,
    today: Date,
    on: Date,
    week: bool,
    first: Date,
    count: i32,
}

fn lay_out(parts: Vec<Part>, days: &[Date], laid: Laid<'_>) -> CalendarView {
    let Laid { agent, of, colleagues, zone, today, on, week, first, count } = laid;
    let writes = When::of("en-GB");
    // From the hour in which anything begins to that in which all has ended; at least the usual day.
    let mut hours: BTreeSet<i64> = BTreeSet::from([8, 17]);
    let mut by_day: Vec<Vec<(i64, i64, &Part)>> = vec![Vec::new(); days.len()];
    for part in &parts {
        for (index, day) in days.iter().enumerate() {
            let (from, to) = (midnight(*day, &zone), midnight(day.tomorrow().unwrap_or(*day), &zone));
            let (start, end) = (part.span.start.max(from), part.span.end.min(to));
            if start >= end {
                continue;
            }
            let quarter = |moment: Timestamp, up: bool| {
                let minutes = (moment.as_second() - from.as_second()) / 60;
                if up { (minutes + 14) / 15 } else { minutes / 15 }
            };
            // A day of 25 hours has more quarters than there are rows.
            let (first, last) = (quarter(start, false).min(24 * ROWS - 1), quarter(end, true).clamp(1, 24 * ROWS));
            hours.extend([first / ROWS, (last - 1) / ROWS]);
            by_day[index].push((first, last.max(first + 1), part));
        }
    }
    let (top, bottom) = (hours.first().copied().unwrap_or(8), hours.last().copied().unwrap_or(17));
    let days_shown = days.iter().zip(by_day).map(|(day, mut blocks)| {
        blocks.sort_by_key(|(first, _, part)| (part.kind == BlockKind::Meeting, part.kind == BlockKind::Busy, *first));
        let blocks = blocks.into_iter().map(|(first, last, part)| DayBlock {
            kind: part.kind,
            row: u16::try_from(first - top * ROWS + 1).unwrap_or(1),
            rows: u16::try_from(last - first).unwrap_or(1),
            time: format!("{}–{}", writes.time(part.span.start, &zone), writes.time(part.span.end, &zone)),
            title: part.title.clone(),
            link: part.link.clone(),
        });
        CalendarDay { date: day.to_string(), title: writes.day_of_year(*day), today: *day == today, blocks: blocks.collect() }
    });
    CalendarView {
        days: days_shown.collect(),
        hours: (top..=bottom).map(|hour| format!("{hour:02}:00")).collect(),
        week,
        on: on.to_string(),
        previous: on.checked_sub(count.days()).unwrap_or(on).to_string(),
        next: on.checked_add(count.days()).unwrap_or(on).to_string(),
        today: today.to_string(),
        title: if week { format!("Week of {}", writes.day(first)) } else { writes.day(on) },
        zone: agent.availability.time_zone.clone(),
        agents: colleagues.iter().map(|other| (other.id.to_string(), other.name.clone())).collect(),
        agent: of.id.to_string(),
    }
}
