//! Keeps in step with the agents' other calendars: reads when they are busy, and writes their meetings where they want them.
//!
//! What is to be done, and when, stands in the store. A calendar that cannot be reached holds up none of the others: each is asked by itself, and what was
//! read of it before stays until it can be read again.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use porchlight_domain::{
    id::{AgentId, MeetingId},
    schedule::Span,
};
use tokio::task::JoinSet;
use url::Url;

use super::{busy, caldav, ics};
use crate::{
    egress::{Allowed, BadAllowed, Egress, EgressError, EgressLimits, Request},
    links::Links,
    meetings::{in_calendars, uid},
    outside::Outside,
    settings::Settings,
    store::{AgentRow, CalDavRow, CalendarRow, Command, Failure, MeetingRecord, News, Store, StoreError, Tx},
};

/// How many calendars are asked at the same time.
const AT_ONCE: u32 = 8;
/// How often it is looked what is due, if nothing new came.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// How far ahead busy times are read.
const AHEAD: SignedDuration = SignedDuration::from_hours(370 * 24);
/// The longest wait before a meeting is written again that could not be.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(6);
/// After so many tries a meeting is not written any more.
const TRIES_MAX: u32 = 20;

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum BadSyncSettings {
    /// A host or network is none.
    #[error("setting egress_allow: {0}")]
    Allowed(#[from] BadAllowed),
    /// The client cannot be made.
    #[error(transparent)]
    Egress(#[from] EgressError),
}

/// Keeps in step with calendars elsewhere.
#[derive(Debug, Clone)]
pub struct Sync {
    store: Store,
    outside: Outside,
    egress: Egress,
    links: Arc<Links>,
    poll: SignedDuration,
    busy_limit: usize,
}

impl Sync {
    /// One that asks by the limits of the settings.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub fn new(store: Store, outside: Outside, settings: &Settings) -> Result<Self, BadSyncSettings> {
        let egress = Egress::new(EgressLimits {
            timeout: Duration::from_secs(settings.egress_timeout_seconds),
            body_limit: settings.calendar_limit_bytes,
            cut: false,
            allow: Allowed::list(&settings.egress_allow)?,
        })?;
        let links = Arc::new(Links::new(*store.link_key(), &settings.public_url()));
        let poll = SignedDuration::from_mins(i64::try_from(settings.calendar_poll_minutes).unwrap_or(15));
        Ok(Self { store, outside, egress, links, poll, busy_limit: settings.calendar_busy_limit })
    }

    /// Reads and writes as it is due, for ever.
    pub async fn run(self) {
        loop {
            if let Err(error) = self.work().await {
                tracing::error!(%error, "calendars elsewhere could not be seen to");
            }
            // That nothing came is as good: the store says what is due.
            let _ = tokio::time::timeout(LOOK_EVERY, self.store.hub().calendar()).await;
        }
    }

    /// Does all that is due now.
    ///
    /// # Errors
    /// If the store fails. What another server does wrong is noted, and is no error here.
    pub async fn work(&self) -> Result<(), StoreError> {
        loop {
            let due = self.store.look(Due(self.outside.now())).await.map_err(StoreError::from)?;
            if due.read.is_empty() && due.write.is_empty() {
                return Ok(());
            }
            let mut tasks = JoinSet::new();
            for (agent, row) in due.read {
                let own = self.clone();
                tasks.spawn(async move { own.read(agent, row).await });
            }
            for (record, tries, caldav) in due.write {
                let own = self.clone();
                tasks.spawn(async move { own.write(record, tries, caldav).await });
            }
            while let Some(done) = tasks.join_next().await {
                match done {
                    Ok(done) => done?,
                    Err(error) => tracing::error!(%error, "a calendar was not seen to"),
                }
            }
        }
    }

    /// Reads when an agent is busy.
    async fn read(&self, agent: AgentRow, row: CalendarRow) -> Result<(), StoreError> {
        let now = self.outside.now();
        let next = now.checked_add(self.poll).unwrap_or(Timestamp::MAX);
        let outcome = match self.fetch(&agent, &row, now).await {
            Ok(busy) => Ok(busy),
            Err(problem) => {
                tracing::info!(agent = %agent.id, problem, "an agent's other calendar could not be read");
                Err(problem)
            }
        };
        self.store.commit_in_turn(Read { agent: agent.id, outcome, now, next }).await.map_err(StoreError::from)
    }

    async fn fetch(&self, agent: &AgentRow, row: &CalendarRow, now: Timestamp) -> Result<Vec<Span>, String> {
        let within = Span {
            start: now.checked_sub(SignedDuration::from_hours(48)).unwrap_or(Timestamp::MIN),
            end: now.checked_add(AHEAD).unwrap_or(Timestamp::MAX),
        };
        let mut texts = Vec::new();
        if let Some(address) = &row.busy_url {
            let url = Url::parse(address)
                .map_err(|_| format!("expected an address such as https://…/calendar.ics, got {address:?}"))?;
            let answer = self.egress.send(Request::get(url)).await.map_err(|error| error.to_string())?;
            if !answer.status.is_success() {
                return Err(format!("the server of the calendar answers {}", answer.status));
            }
            texts.push(String::from_utf8(answer.body).map_err(|_| "the calendar is not in UTF-8".to_owned())?);
        }
        let before = row.read_at;
        if let Some(row) = &row.caldav {
            let account = account(row)?;
            if before.is_none() {
                // What is wrong with an address is told once and clearly; afterwards it only may be down.
                caldav::check(&self.egress, &account).await.map_err(|error| error.to_string())?;
            }
            texts.push(caldav::busy(&self.egress, &account, within).await.map_err(|error| error.to_string())?);
        }
        let zone = row.hours.as_ref().map_or_else(|| agent.availability.zone(), porchlight_domain::schedule::Availability::zone);
        let (limit, host) = (self.busy_limit, format!("@{}", self.links.host()));
        // A calendar of years takes a while to unfold, in which nobody else shall wait.
        let read = tokio::task::spawn_blocking(move || {
            let mut all = Vec::new();
            for text in texts {
                all.extend(
                    busy::busy(&text, within, &zone, &|uid| uid.ends_with(&host), limit).map_err(|error| error.to_string())?,
                );
                // The limit is for both together.
                if all.len() > limit {
                    return Err(busy::BadFeed::TooMany { limit }.to_string());
                }
            }
            Ok(all)
        });
        read.await.map_err(|error| error.to_string())?
    }

    /// Writes a meeting to its agent's calendar, or takes it out.
    async fn write(&self, record: MeetingRecord, tries: u32, caldav: Option<(AgentRow, CalDavRow)>) -> Result<(), StoreError> {
        let now = self.outside.now();
        let problem = match caldav {
            Some((agent, row)) => self.put(&record, &agent, &row, now).await.err(),
            None => None,
        };
        let wait = SignedDuration::from_mins(1 << tries.min(9)).min(LONGEST_WAIT);
        let again = problem.as_ref().filter(|_| tries < TRIES_MAX).map(|_| now.checked_add(wait).unwrap_or(Timestamp::MAX));
        if let Some(problem) = &problem {
            tracing::warn!(meeting = %record.meeting.id, problem, given_up = again.is_none(), "a meeting was not written to a calendar");
        }
        let written =
            Written { meeting: record.meeting.id, agent: record.meeting.agent, changed_at: record.changed_at, problem, again };
        self.store.commit_in_turn(written).await.map_err(StoreError::from)
    }

    async fn put(&self, record: &MeetingRecord, agent: &AgentRow, row: &CalDavRow, now: Timestamp) -> Result<(), String> {
        let account = account(row)?;
        let uid = uid(&self.links, record.meeting.id);
        let done = if record.meeting.is_booked() {
            let content = in_calendars(&self.links, &record.meeting, agent, now, Some(&self.links.meetings()), ics::stored);
            caldav::put(&self.egress, &account, &uid, &content).await
        } else {
            caldav::delete(&self.egress, &account, &uid).await
        };
        done.map_err(|error| error.to_string())
    }
}

fn account(row: &CalDavRow) -> Result<caldav::Account, String> {
    let url = Url::parse(&row.url).map_err(|_| format!("expected the address of a calendar, got {:?}", row.url))?;
    Ok(caldav::Account { url, user: row.user.clone(), password: row.password.clone() })
}

/// What is to be read and written by now.
struct ToDo {
    read: Vec<(AgentRow, CalendarRow)>,
    write: Vec<Write>,
}

/// A meeting to put into its agent's own calendar: how often it was tried, and the calendar if one is connected.
type Write = (MeetingRecord, u32, Option<(AgentRow, CalDavRow)>);

struct Due(Timestamp);

impl Command for Due {
    type Done = ToDo;
    type Refusal = std::convert::Infallible;

    async fn run(self, tx: &mut Tx<'_>) -> Result<ToDo, Failure<Self::Refusal>> {
        let mut todo = ToDo { read: Vec::new(), write: Vec::new() };
        for (agent, row) in tx.calendars_to_read(self.0, AT_ONCE).await? {
            todo.read.extend(tx.agent(agent).await?.map(|agent| (agent, row)));
        }
        for (record, tries) in tx.meetings_to_push(self.0, AT_ONCE).await? {
            let caldav = tx.calendar(record.meeting.agent).await?.caldav;
            let caldav = tx.agent(record.meeting.agent).await?.zip(caldav);
            todo.write.push((record, tries, caldav));
        }
        Ok(todo)
    }
}

struct Read {
    agent: AgentId,
    outcome: Result<Vec<Span>, String>,
    now: Timestamp,
    next: Timestamp,
}

impl Command for Read {
    type Done = ();
    type Refusal = std::convert::Infallible;

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<Self::Refusal>> {
        match self.outcome {
            Ok(busy) => tx.put_busy(self.agent, &busy, self.now, self.next).await?,
            Err(problem) => tx.calendar_failed(self.agent, &problem, self.next).await?,
        }
        tx.tell(News::Agent { agent: self.agent });
        Ok(())
    }
}

struct Written {
    meeting: MeetingId,
    agent: AgentId,
    changed_at: Timestamp,
    problem: Option<String>,
    again: Option<Timestamp>,
}

impl Command for Written {
    type Done = ();
    type Refusal = std::convert::Infallible;

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<Self::Refusal>> {
        tx.calendar_written(self.agent, self.problem.as_deref()).await?;
        Ok(tx.meeting_pushed(self.meeting, self.changed_at, self.again).await?)
    }
}
