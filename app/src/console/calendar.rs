//! An agent's calendar, a day or a week of it, and how they can be met.

use leptos::prelude::*;

use super::pages::{LabelledField, ProblemLine};
use crate::ui::as_content;

/// What takes a part of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockKind {
    /// Hours in which the agent can be met.
    Open,
    /// The agent is busy by another calendar.
    Busy,
    /// A meeting.
    Meeting,
}

/// A part of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayBlock {
    /// What takes it.
    pub kind: BlockKind,
    /// The row it begins in, counted from 1; a row is a quarter of an hour.
    pub row: u16,
    /// How many rows it has.
    pub rows: u16,
    /// From when to when, in words.
    pub time: String,
    /// What it is called.
    pub title: String,
    /// Where there is more about it.
    pub link: Option<String>,
}

/// A day of the calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarDay {
    /// The day, as `YYYY-MM-DD`.
    pub date: String,
    /// The day, in words.
    pub title: String,
    /// Whether it is today.
    pub today: bool,
    /// What takes its parts.
    pub blocks: Vec<DayBlock>,
}

/// A day or a week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarView {
    /// The days.
    pub days: Vec<CalendarDay>,
    /// The hours beside them, one every four rows.
    pub hours: Vec<String>,
    /// Whether it is a week.
    pub week: bool,
    /// The day it is about.
    pub on: String,
    /// The days before and after that are turned to.
    pub previous: String,
    /// The days after.
    pub next: String,
    /// Today.
    pub today: String,
    /// In words.
    pub title: String,
    /// The zone of the times.
    pub zone: String,
    /// Those whose calendars can be looked at: id and name.
    pub agents: Vec<(String, String)>,
    /// Whose it is.
    pub agent: String,
}

/// The calendar.
#[component]
pub fn CalendarPage(
    /// What is shown.
    view: CalendarView,
) -> impl IntoView {
    let CalendarView { days, hours, week, on, previous, next, today, title, zone, agents, agent } = view;
    let of = agent.clone();
    let to =
        move |day: &str, week: bool| format!("/console/calendar?agent={of}&on={day}&view={}", if week { "week" } else { "day" });
    let several = agents.len() > 1;
    let view_name = if week { "week" } else { "day" };
    view! {
        <h1>"Calendar"</h1>
        <div class="buttons mb-3">
            <a class="button" href=to(&previous, week) aria-label=if week { "The week before" } else { "The day before" }>"←"</a>
            <a class="button" href=to(&today, week)>"Today"</a>
            <a class="button" href=to(&next, week) aria-label=if week { "The week after" } else { "The day after" }>"→"</a>
            <strong class="self-center">{title}</strong>
            <span class="hint self-center ms-auto">{zone}</span>
            <a class="button" href=to(&on, false) aria-current=(!week).then_some("true")>"Day"</a>
            <a class="button" href=to(&on, true) aria-current=week.then_some("true")>"Week"</a>
        </div>
        {several.then(|| view! {
            <form class="buttons mb-3" action="/console/calendar">
                <input type="hidden" name="on" value=on.clone()/>
                <input type="hidden" name="view" value=view_name/>
                <label class="flex items-center gap-2">"Of "
                    <select class="input" name="agent">
                        {agents.into_iter().map(|(id, name)| {
                            let selected = id == agent;
                            view! { <option value=id selected=selected>{name}</option> }
                        }).collect_view()}
                    </select>
                </label>
                <button class="button" type="submit">"Show"</button>
            </form>
        })}
        <div class="week" class:one=!week tabindex="0" role="region" aria-label="Days">
            <div class="hours" aria-hidden="true"><span class="day-head"></span>{hours.into_iter().map(|hour| view! { <span class="hour">{hour}</span> }).collect_view()}</div>
            {days.into_iter().map(|day| view! { <Day day/> }).collect_view()}
        </div>
    }
}

#[component]
fn Day(day: CalendarDay) -> impl IntoView {
    let CalendarDay { date, title, today, blocks } = day;
    let name = title.clone();
    let nothing = !blocks.iter().any(|block| block.kind != BlockKind::Open);
    view! {
        <section class="day-column" class:today=today aria-label=name data-date=date>
            <h2 class="day-head">{title}</h2>
            <div class="day-grid">
                {blocks.into_iter().map(|block| {
                    let DayBlock { kind, row, rows, time, title, link } = block;
                    let class = match kind {
                        BlockKind::Open => "open",
                        BlockKind::Busy => "busy",
                        BlockKind::Meeting => "meeting",
                    };
                    let class = format!("block-{class} at-{row} tall-{rows}");
                    let says = match kind {
                        BlockKind::Open => format!("Can be met {time}"),
                        BlockKind::Busy => format!("Busy {time}"),
                        BlockKind::Meeting => format!("{time} {title}"),
                    };
                    match link {
                        Some(link) => view! { <a class=class class:short={rows <= 2} href=link title=says.clone()><span class="when">{time}</span>" "<span class="what" dir="auto">{title}</span></a> }.into_any(),
                        None => view! { <div class=class title=says.clone()><span class="sr-only">{says.clone()}</span></div> }.into_any(),
                    }
                }).collect_view()}
                {nothing.then(|| view! { <p class="sr-only">"No meetings."</p> })}
            </div>
        </section>
    }
}

/// How an agent can be met, as it is typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MeetingHours {
    /// The time zone.
    pub time_zone: String,
    /// The hours, a line each; empty: those for chats.
    pub hours: String,
    /// Minutes before and after a meeting.
    pub before: String,
    /// Minutes after.
    pub after: String,
    /// The most meetings of a day.
    pub daily: String,
    /// Where the other calendar is.
    pub busy_url: String,
    /// A CalDAV calendar.
    pub caldav_url: String,
    /// Whose it is there.
    pub caldav_user: String,
    /// Whether a password is known.
    pub has_password: bool,
}

/// How the calendars elsewhere are doing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Elsewhere {
    /// When they were last read, in words.
    pub read: Option<String>,
    /// Why they could not be, the last time.
    pub problem: Option<String>,
    /// Why a meeting could not be written, the last time.
    pub write_problem: Option<String>,
    /// Whether they are about to be read for the first time.
    pub awaited: bool,
    /// How many busy times are known.
    pub busy: usize,
    /// Whether there is an address to subscribe to.
    pub has_feed: bool,
    /// That address, if it was made just now.
    pub feed: Option<String>,
}

/// How one can be met, with a preview of the times that result.
#[component]
pub fn MeetingsSection(
    /// As it is, or as it was typed.
    hours: MeetingHours,
    /// The calendars elsewhere.
    elsewhere: Elsewhere,
    /// The days of the next two weeks, each with its times, for half an hour.
    preview: Vec<(String, Vec<String>)>,
    /// Whether it was saved.
    saved: bool,
    /// What was wrong.
    problem: Option<String>,
) -> impl IntoView {
    let none = preview.iter().all(|(_, times)| times.is_empty());
    view! {
        <h1 id="meetings">"Meetings"</h1>
        <form class="card" method="post" action="/console/availability/meetings">
            <ProblemLine problem/>
            {saved.then(|| view! { <p role="status">"Saved."</p> })}
            <LabelledField name="time_zone" label="Time zone" value=hours.time_zone hint="Such as Europe/Berlin"/>
            <label class="field">
                <span class="label">"Hours for meetings"</span>
                <textarea class="input" name="hours" rows="6" spellcheck="false">{as_content(&hours.hours)}</textarea>
                <span class="hint">"A line each, such as monday 09:00-12:00, 2026-12-24 09:00-12:00 or 2026-12-25..2026-12-31 closed. Empty: the hours for chats; without those you cannot be booked."</span>
            </label>
            <div class="thirds">
                <LabelledField name="before" label="Minutes before" value=hours.before optional=true hint="Kept free before a meeting"/>
                <LabelledField name="after" label="Minutes after" value=hours.after optional=true hint="Kept free after it"/>
                <LabelledField name="daily" label="A day at most" value=hours.daily optional=true hint="Empty: any number"/>
            </div>
            <h2>"Your other calendars"</h2>
            <LabelledField name="busy_url" label="Address of a calendar (ICS)" value=hours.busy_url optional=true hint="It is read again and again; when it says you are busy, you cannot be booked"/>
            <LabelledField name="caldav_url" label="CalDAV calendar" value=hours.caldav_url optional=true hint="Its own address: meetings are written to it, and it is read, too"/>
            <div class="thirds">
                <LabelledField name="caldav_user" label="User name there" value=hours.caldav_user optional=true/>
                <LabelledField name="caldav_password" label="Password there" kind="password" autocomplete="off" optional=true
                    hint=if hours.has_password { "Empty: as it is. Kept unencrypted, since it has to be sent: use one for this alone" } else { "Kept unencrypted, since it has to be sent: use one for this alone" }/>
            </div>
            <p class="hint" role="status">
                {match (&elsewhere.read, &elsewhere.problem) {
                    (Some(read), None) => format!("Read {read}: {} busy times.", elsewhere.busy),
                    (Some(read), Some(problem)) => format!("Could not be read: {problem}. What was read {read} counts still: {} busy times.", elsewhere.busy),
                    (None, Some(problem)) => format!("Could not be read: {problem}."),
                    (None, None) if elsewhere.awaited => "Being read: load this page again in a moment.".to_owned(),
                    (None, None) => String::new(),
                }}
            </p>
            {elsewhere.write_problem.map(|problem| view! { <p class="problem">{format!("A meeting could not be written: {problem}. It is tried again.")}</p> })}
            <button class="button-primary" type="submit">"Save"</button>
        </form>
        <form class="card" method="post" action="/console/availability/feed">
            <h2>"Subscribe to your meetings"</h2>
            {elsewhere.feed.map(|feed| view! {
                <p role="status">"The address for your calendar program. It is shown only now, and whoever has it can read your meetings:"</p>
                <p><code class="link-once">{feed}</code></p>
            })}
            <button class="button" type="submit">{if elsewhere.has_feed { "Make a new address; the old one ends" } else { "Make an address" }}</button>
        </form>
        <section class="card" aria-labelledby="preview">
            <h2 id="preview">"What visitors can choose: half an hour, the next two weeks"</h2>
            {none.then(|| view! { <p class="hint">"Nothing."</p> })}
            <dl class="preview">
                {preview.into_iter().filter(|(_, times)| !times.is_empty()).map(|(day, times)| view! { <dt>{day}</dt><dd>{times.join("  ")}</dd> }).collect_view()}
            </dl>
        </section>
    }
}
