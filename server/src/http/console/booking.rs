//! `/console/availability/meetings`: how one can be met, and the calendars elsewhere that say when not.

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Redirect, Response},
    routing::post,
};
use jiff::{SignedDuration, Timestamp, civil::Date};
use porchlight_app::console::calendar::{Elsewhere, MeetingHours};
use porchlight_domain::{
    agent::Right,
    schedule::{Availability, Schedule, Span},
};
use serde::Deserialize;
use url::Url;

use super::{availability, session::SignedIn};
use crate::{
    http::{
        App,
        body::Form,
        problem::{Code, Problem},
    },
    secret::Secret,
    store::{AgentRow, CalDavRow, CalendarRow, Command, Failure, News, Tx},
    when::When,
};

/// The longest buffer, in minutes.
const BUFFER_MAX: u16 = 480;
/// The most meetings of a day that can be asked for.
const DAILY_MAX: u16 = 100;
/// The longest address of a calendar, user name and password, in bytes.
const TEXT_MAX: usize = 2000;
/// How far ahead the preview looks.
const PREVIEW: SignedDuration = SignedDuration::from_hours(14 * 24);
/// How long the meetings of the preview take, in minutes.
const PREVIEW_DURATION: u16 = 30;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/console/availability/meetings", post(change)).route("/console/availability/feed", post(feed))
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Given {
    time_zone: String,
    #[serde(default)]
    hours: String,
    #[serde(default)]
    before: String,
    #[serde(default)]
    after: String,
    #[serde(default)]
    daily: String,
    #[serde(default)]
    busy_url: String,
    #[serde(default)]
    caldav_url: String,
    #[serde(default)]
    caldav_user: String,
    #[serde(default)]
    caldav_password: String,
}

impl Given {
    /// As it is kept.
    fn of(agent: &AgentRow, row: &CalendarRow) -> Self {
        let number = |number: u16| if number == 0 { String::new() } else { number.to_string() };
        let caldav = row.caldav.clone().unwrap_or_default();
        Self {
            time_zone: row.hours.as_ref().map_or_else(|| agent.availability.time_zone.clone(), |hours| hours.time_zone.clone()),
            hours: row.hours.as_ref().map(Availability::in_words).unwrap_or_default(),
            before: number(row.before),
            after: number(row.after),
            daily: row.daily.map(|daily| daily.to_string()).unwrap_or_default(),
            busy_url: row.busy_url.clone().unwrap_or_default(),
            caldav_url: caldav.url,
            caldav_user: caldav.user,
            caldav_password: String::new(),
        }
    }

    /// What is to be kept; a password that is not typed again stays.
    fn read(&self, known: &CalendarRow) -> Result<CalendarRow, Problem> {
        let bad = |field: &str, detail: String| Problem::new(Code::Malformed, detail).field(field);
        let number = |field: &str, text: &str, least: u16, most: u16| -> Result<Option<u16>, Problem> {
            let text = text.trim();
            if text.is_empty() {
                return Ok(None);
            }
            let number = text.parse().ok().filter(|number| (least..=most).contains(number));
            number
                .map(Some)
                .ok_or_else(|| bad(field, format!("{field}: expected a whole number from {least} to {most}, got {text:?}")))
        };
        let hours = Availability::read(&self.time_zone, &self.hours).map_err(|error| {
            bad(
                if matches!(error, porchlight_domain::schedule::BadAvailability::Zone(_)) { "time_zone" } else { "hours" },
                error.to_string(),
            )
        })?;
        let address = |field: &str, text: &str| -> Result<Option<String>, Problem> {
            let text = text.trim();
            if text.is_empty() {
                return Ok(None);
            }
            // What calendars offer for subscription begins so, and is fetched by HTTPS.
            let text = text.strip_prefix("webcal://").map_or_else(|| text.to_owned(), |rest| format!("https://{rest}"));
            let url = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && text.len() <= TEXT_MAX);
            if url.as_ref().is_some_and(|url| !url.username().is_empty() || url.password().is_some()) {
                return Err(bad(field, format!("{field}: expected an address without a user name and password in it")));
            }
            url.map(|url| Some(url.to_string())).ok_or_else(|| {
                bad(
                    field,
                    format!(
                        "{field}: expected an address such as https://calendar.example/ada.ics, got {:?}",
                        text.chars().take(80).collect::<String>()
                    ),
                )
            })
        };
        if self.caldav_user.len() > TEXT_MAX || self.caldav_password.len() > TEXT_MAX {
            return Err(bad("caldav_user", format!("expected a user name and a password of at most {TEXT_MAX} bytes")));
        }
        let caldav = address("caldav_url", &self.caldav_url)?.map(|url| {
            // One for another server, or of another user, is not sent there.
            let before =
                known.caldav.as_ref().filter(|known| known.user == self.caldav_user.trim() && is_same_server(&known.url, &url));
            let before = before.map(|known| known.password.clone()).unwrap_or_default();
            let password = if self.caldav_password.is_empty() { before } else { self.caldav_password.clone() };
            CalDavRow { url, user: self.caldav_user.trim().to_owned(), password }
        });
        Ok(CalendarRow {
            hours: Some(hours).filter(|hours| !hours.blocks.is_empty() || !hours.exceptions.is_empty()),
            before: number("before", &self.before, 0, BUFFER_MAX)?.unwrap_or_default(),
            after: number("after", &self.after, 0, BUFFER_MAX)?.unwrap_or_default(),
            daily: number("daily", &self.daily, 1, DAILY_MAX)?,
            busy_url: address("busy_url", &self.busy_url)?,
            caldav,
            ..CalendarRow::default()
        })
    }
}

fn is_same_server(one: &str, other: &str) -> bool {
    let origin = |text: &str| Url::parse(text).ok().map(|url| url.origin());
    origin(one).is_some_and(|one| one.is_tuple() && Some(one) == origin(other))
}

/// What the page shows of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Section {
    pub(super) hours: MeetingHours,
    pub(super) elsewhere: Elsewhere,
    pub(super) preview: Vec<(String, Vec<String>)>,
}

/// Reads that; what was typed, if it was not taken.
pub(super) struct ReadSection {
    pub(super) agent: AgentRow,
    pub(super) given: Option<Given>,
    pub(super) now: Timestamp,
}

impl Command for ReadSection {
    type Done = Section;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Section, Failure<Problem>> {
        let Self { agent, given, now } = self;
        let row = tx.calendar(agent.id).await?;
        let busy = tx.busy_count(agent.id).await?;
        let preview = preview(tx, &agent, now).await?;
        let given = given.unwrap_or_else(|| Given::of(&agent, &row));
        let read = row.read_at.map(|at| When::of("en-GB").day_and_time(at, &agent.availability.zone()));
        let has_caldav = row.caldav.is_some();
        Ok(Section {
            hours: MeetingHours {
                time_zone: given.time_zone,
                hours: given.hours,
                before: given.before,
                after: given.after,
                daily: given.daily,
                busy_url: given.busy_url,
                caldav_url: given.caldav_url,
                caldav_user: given.caldav_user,
                has_password: row.caldav.is_some_and(|caldav| !caldav.password.is_empty()),
            },
            elsewhere: Elsewhere {
                awaited: read.is_none() && (row.busy_url.is_some() || has_caldav),
                read,
                problem: row.problem,
                write_problem: row.write_problem,
                busy,
                has_feed: row.has_feed,
                feed: None,
            },
            preview,
        })
    }
}

/// The times of the next two weeks, by day.
async fn preview(tx: &mut Tx<'_>, agent: &AgentRow, now: Timestamp) -> Result<Vec<(String, Vec<String>)>, Failure<Problem>> {
    let until = now.checked_add(PREVIEW).unwrap_or(Timestamp::MAX);
    let days = u16::try_from(PREVIEW.as_hours() / 24).unwrap_or(14);
    let site = tx.sites().await?.into_iter().find(|site| agent.serves(site));
    let Some(site) = site else { return Ok(Vec::new()) };
    let calendars = tx.calendars(&site, now, days).await?;
    let Some(diary) = calendars.diary(agent.id) else { return Ok(Vec::new()) };
    let schedule = Schedule {
        hours: diary.hours.clone(),
        duration: PREVIEW_DURATION,
        before: diary.before,
        after: diary.after,
        notice: 0,
        horizon: days,
        step: PREVIEW_DURATION,
        daily: diary.daily,
    };
    let (writes, zone) = (When::of("en-GB"), diary.hours.zone());
    let mut shown: Vec<(Date, Vec<String>)> = Vec::new();
    for slot in schedule.slots(Span { start: now, end: until }, &diary.taken(), now) {
        let day = slot.start.to_zoned(zone.clone()).date();
        let time = writes.time(slot.start, &zone);
        match shown.last_mut() {
            Some((last, times)) if *last == day => times.push(time),
            _ => shown.push((day, vec![time])),
        }
    }
    Ok(shown.into_iter().map(|(day, times)| (writes.day_of_year(day), times)).collect())
}

async fn change(State(app): State<App>, SignedIn { agent, .. }: SignedIn, Form(given): Form<Given>) -> Result<Response, Problem> {
    agent.must(Right::Answer)?;
    let now = app.engine.outside.now();
    match app.store.commit(Keep { agent: agent.clone(), given: given.clone(), now }).await.map_err(Problem::from) {
        Ok(()) => Ok(Redirect::to("/console/availability?met=true#meetings").into_response()),
        Err(problem) => availability::page_with(&app, &agent, Some((given, problem.in_words())), None).await,
    }
}

struct Keep {
    agent: AgentRow,
    given: Given,
    now: Timestamp,
}

impl Command for Keep {
    type Done = ();
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<Problem>> {
        let known = tx.calendar(self.agent.id).await?;
        let row = self.given.read(&known).map_err(Failure::Refused)?;
        tx.put_calendar(self.agent.id, &row, self.now).await?;
        // Who has no hours for chats has said by this where they are: the console's times are in that zone.
        let mut agent = self.agent;
        if agent.availability.blocks.is_empty() && agent.availability.exceptions.is_empty() {
            agent.availability.time_zone = self.given.time_zone.trim().to_owned();
            tx.put_agent(&agent, self.now).await?;
        }
        tx.tell(News::Calendar);
        Ok(())
    }
}

async fn feed(State(app): State<App>, SignedIn { agent, .. }: SignedIn) -> Result<Response, Problem> {
    agent.must(Right::Answer)?;
    let secret = app.engine.outside.new_secret();
    app.store.commit(PutFeed { agent: agent.clone(), secret: secret.clone() }).await?;
    let address = format!("{}/feeds/{}/meetings.ics", app.engine.links.base(), secret.reveal());
    availability::page_with(&app, &agent, None, Some(address)).await
}

struct PutFeed {
    agent: AgentRow,
    secret: Secret,
}

impl Command for PutFeed {
    type Done = ();
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<Problem>> {
        Ok(tx.put_feed(self.agent.id, &self.secret).await?)
    }
}
