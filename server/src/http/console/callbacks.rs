//! `/console/callbacks`: who asked to be called, and what came of it.

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use leptos::prelude::*;
use porchlight_app::console::callbacks::{CallbackRow, CallbacksPage};
use porchlight_domain::{
    callback::{CallbackCommand, CallbackPhase, Outcome},
    id::CallbackId,
    session::{self, ContactKind, Refusal, Speaker, known_as},
};
use serde::Deserialize;

use super::{
    render,
    session::{Right, SignedIn},
};
use crate::{
    http::{
        App,
        body::{Form, Query},
        problem::{Code, Problem},
    },
    store::{AgentRow, CallbackRecord, Command, Failure, StoreError, Tx, VisitorRow},
    visit::{About, Engine, Subject},
    when::When,
};

/// How many are shown at once.
const SHOWN_MAX: u32 = 200;
/// The longest note, in characters.
const NOTE_MAX: usize = 5000;
/// The longest time after which somebody is called again, in minutes: a week.
const AGAIN_MAX: u32 = 7 * 24 * 60;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/console/callbacks", get(show)).route("/console/callbacks/{id}", post(change))
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct Which {
    #[serde(default)]
    done: bool,
}

async fn show(State(app): State<App>, SignedIn { agent, .. }: SignedIn, Query(which): Query<Which>) -> Result<Response, Problem> {
    page(&app, &agent, which.done, None).await
}

async fn page(app: &App, agent: &AgentRow, done: bool, problem: Option<Problem>) -> Result<Response, Problem> {
    agent.must(Right::SeeChats)?;
    let now = app.engine.outside.now();
    let rows = app.store.look(List { agent: agent.clone(), done, now }).await?;
    let status = problem.as_ref().map_or(StatusCode::OK, |problem| problem.code.status());
    let problem = problem.map(|problem| problem.in_words());
    let answers = agent.may(Right::Answer);
    Ok(render::page(status, Some(agent), ("callbacks", "Call backs"), move |nonce| {
        let (rows, problem) = (rows.clone(), problem.clone());
        view! { <CallbacksPage rows done answers problem nonce/> }
    })
    .await)
}

struct List {
    agent: AgentRow,
    done: bool,
    now: Timestamp,
}

impl Command for List {
    type Done = Vec<CallbackRow>;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Self::Done, Failure<Problem>> {
        let records = tx.callbacks(&self.agent, !self.done, SHOWN_MAX).await?;
        let mut rows = Vec::with_capacity(records.len());
        for record in records {
            rows.push(row(tx, &self.agent, record, self.now).await?);
        }
        Ok(rows)
    }
}

async fn row(tx: &mut Tx<'_>, agent: &AgentRow, record: CallbackRecord, now: Timestamp) -> Result<CallbackRow, StoreError> {
    let callback = &record.callback;
    let (writes, zone) = (When::of("en-GB"), agent.availability.zone());
    let holder = callback.agent();
    let named = match holder {
        Some(holder) => tx.agent_name(holder).await?,
        None => None,
    };
    let attributes = tx.attributes(record.visitor).await?;
    let known = |name: &str| known_as(&attributes, name).map(str::to_owned);
    let open = callback.is_open();
    Ok(CallbackRow {
        id: callback.id.to_string(),
        site: record.site.to_string(),
        team: callback.team.as_ref().map(ToString::to_string),
        visitor: known("name").or_else(|| known("firstName")).or_else(|| known("email")),
        phone: callback.phone.clone(),
        promised: promised(callback, &writes, &zone),
        late: open
            && callback.promised.is_some_and(|promised| now >= promised.end)
            && callback.not_before.is_none_or(|at| now >= at),
        due: open && callback.from() <= now,
        again: callback.not_before.filter(|at| open && *at > now).map(|at| writes.day_and_time(at, &zone)),
        attempts: callback.attempts,
        page: record.page,
        attributes: attributes.iter().map(|(name, value)| (name.to_string(), value.clone())).collect(),
        agent: named,
        mine: callback.phase == CallbackPhase::Claimed { agent: agent.id },
        outcome: match callback.phase {
            CallbackPhase::Done { outcome, .. } => Some(match outcome {
                Outcome::Reached => "reached",
                Outcome::NotReached => "not reached",
                Outcome::WrongNumber => "wrong number",
            }),
            _ => None,
        },
        note: record.note,
    })
}

fn promised(callback: &porchlight_domain::callback::Callback, writes: &When, zone: &TimeZone) -> String {
    match callback.promised {
        Some(promised) if callback.kind == ContactKind::CallbackLater => {
            format!("{} – {}", writes.day_and_time(promised.start, zone), writes.time(promised.end, zone))
        }
        Some(promised) => {
            format!("asked {}, promised by {}", writes.day_and_time(promised.start, zone), writes.time(promised.end, zone))
        }
        None => String::new(),
    }
}

#[derive(Debug, Deserialize)]
struct Done {
    #[serde(rename = "do")]
    act: String,
    #[serde(default)]
    note: Option<String>,
    #[serde(default)]
    minutes: Option<String>,
}

async fn change(
    State(app): State<App>,
    SignedIn { agent, .. }: SignedIn,
    Path(id): Path<String>,
    Form(done): Form<Done>,
) -> Result<Response, Problem> {
    agent.must(Right::Answer)?;
    let unknown = || Problem::new(Code::NotFound, "there is no such call back").field("id");
    let id: CallbackId = id.parse().map_err(|_| unknown())?;
    let command = match read(&agent, &done, app.engine.outside.now()) {
        Ok(command) => command,
        Err(problem) => return page(&app, &agent, false, Some(problem)).await,
    };
    let change = Change { engine: app.engine.clone(), agent: agent.clone(), id, command, note: done.note };
    match app.store.commit(change).await {
        Ok(()) => Ok(Redirect::to("/console/callbacks").into_response()),
        Err(Failure::Refused(problem)) if problem.code == Code::NotFound => Err(problem),
        Err(failure) => page(&app, &agent, false, Some(failure.into())).await,
    }
}

fn read(agent: &AgentRow, done: &Done, now: Timestamp) -> Result<CallbackCommand, Problem> {
    let bad = |field: &str, detail: String| Problem::new(Code::Malformed, detail).field(field);
    if done.note.as_ref().is_some_and(|note| note.chars().count() > NOTE_MAX) {
        return Err(bad("note", format!("expected a note of at most {NOTE_MAX} characters")));
    }
    let agent_id = agent.id;
    Ok(match done.act.as_str() {
        "claim" => CallbackCommand::Claim { agent: agent_id },
        "release" => CallbackCommand::Release { agent: agent_id },
        "retry" => {
            let minutes = done.minutes.as_deref().unwrap_or_default();
            let minutes: u32 =
                minutes.parse().ok().filter(|minutes| (1..=AGAIN_MAX).contains(minutes)).ok_or_else(|| {
                    bad("minutes", format!("expected a number of minutes from 1 to {AGAIN_MAX}, got {minutes:?}"))
                })?;
            let at = now.checked_add(SignedDuration::from_mins(i64::from(minutes))).unwrap_or(Timestamp::MAX);
            CallbackCommand::Retry { agent: agent_id, at }
        }
        act => {
            let outcome = Outcome::named(act).ok_or_else(|| {
                bad("do", format!("expected claim, release, retry, reached, not_reached or wrong_number, got {act:?}"))
            })?;
            CallbackCommand::Complete { by: Speaker { id: agent_id, name: agent.name.clone() }, outcome }
        }
    })
}

struct Change {
    engine: Engine,
    agent: AgentRow,
    id: CallbackId,
    command: CallbackCommand,
    note: Option<String>,
}

impl Command for Change {
    type Done = ();
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<Problem>> {
        let Self { engine, agent, id, command, note } = self;
        let unknown = || Failure::Refused(Problem::new(Code::NotFound, "there is no such call back").field("id"));
        let mut record = tx.callback_of(&agent, id).await?.ok_or_else(unknown)?;
        if let Some(note) = note {
            note.trim().clone_into(&mut record.note);
        }
        let visitor = VisitorRow { id: record.visitor, site: record.site.clone() };
        let session = tx.session_by_id(record.session).await?;
        let (session, active) = session.ok_or_else(|| StoreError::Corrupt(format!("call back {id} has no session")))?;
        let about = About {
            visitor: &visitor,
            view: None,
            page: &record.page,
            conversation: Some(&record.conversation),
            locale: "",
            time_zone: "",
            // What others do keeps no session alive.
            at: active,
            subject: Subject::Callback(&record),
        };
        engine.step(tx, session, about, session::Command::Callback(command), None).await.map_err(|failure| match failure {
            Failure::Refused(Refusal::NotCalled(why)) => {
                Failure::Refused(Problem::new(Code::NotYours, why.to_string()).field("do"))
            }
            Failure::Refused(refusal) => Failure::Refused(Problem::new(Code::NotYours, refusal.to_string()).field("do")),
            Failure::Store(error) => Failure::Store(error),
        })?;
        Ok(())
    }
}
