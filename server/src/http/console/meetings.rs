//! `/console/meetings`: the meetings that were booked, and what an agent does about them.

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use jiff::{SignedDuration, Timestamp, civil::DateTime};
use leptos::prelude::*;
use porchlight_app::console::meetings::{MeetingRow, MeetingsPage};
use porchlight_domain::{
    id::MeetingId,
    meeting::{MeetingCommand, MeetingPhase, Party},
    session::Refusal,
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
    meetings::when_between,
    store::{AgentRow, Command, Failure, MeetingFilter, MeetingRecord, StoreError, Tx},
    visit::Engine,
};

/// How many are shown at once.
const SHOWN_MAX: u32 = 200;
/// How far back and ahead it is looked.
const YEAR: SignedDuration = SignedDuration::from_hours(366 * 24);

pub(super) fn routes() -> Router<App> {
    Router::new().route("/console/meetings", get(show)).route("/console/meetings/{id}", post(change))
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Which {
    #[serde(default)]
    when: String,
    #[serde(default)]
    whose: String,
    #[serde(default)]
    done: String,
}

async fn show(State(app): State<App>, SignedIn { agent, .. }: SignedIn, Query(which): Query<Which>) -> Result<Response, Problem> {
    page(&app, &agent, &which, None).await
}

async fn page(app: &App, agent: &AgentRow, which: &Which, problem: Option<Problem>) -> Result<Response, Problem> {
    agent.must(Right::SeeChats)?;
    let (past, all) = (which.when == "past", which.whose == "all");
    let now = app.engine.outside.now();
    let rows = app.store.look(List { agent: agent.clone(), past, all, now }).await?;
    let status = problem.as_ref().map_or(StatusCode::OK, |problem| problem.code.status());
    let problem = problem.map(|problem| problem.in_words());
    let said = match which.done.as_str() {
        "move" => Some("The meeting was moved, and its guest is told."),
        "cancel" => Some("The meeting was called off, and its guest is told."),
        _ => None,
    };
    Ok(render::page(status, Some(agent), ("meetings", "Meetings"), move |_| {
        let (rows, problem) = (rows.clone(), problem.clone());
        view! { <MeetingsPage rows past all said=said.map(str::to_owned) problem/> }
    })
    .await)
}

struct List {
    agent: AgentRow,
    past: bool,
    all: bool,
    now: Timestamp,
}

impl Command for List {
    type Done = Vec<MeetingRow>;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Self::Done, Failure<Problem>> {
        let Self { agent, past, all, now } = self;
        let (from, to) = if past {
            (now.checked_sub(YEAR).unwrap_or(Timestamp::MIN), now)
        } else {
            (now, now.checked_add(YEAR).unwrap_or(Timestamp::MAX))
        };
        let filter = MeetingFilter {
            sites: agent.sites(),
            agent: (!all).then_some(agent.id),
            from,
            to,
            cancelled: true,
            limit: SHOWN_MAX,
        };
        let mut records = tx.meetings(&filter).await?;
        if past {
            records.reverse();
        }
        let mut rows = Vec::with_capacity(records.len());
        for record in records {
            rows.push(row(tx, &agent, record, now).await?);
        }
        Ok(rows)
    }
}

async fn row(tx: &mut Tx<'_>, agent: &AgentRow, record: MeetingRecord, now: Timestamp) -> Result<MeetingRow, StoreError> {
    let meeting = record.meeting;
    let own = agent.availability.time_zone.as_str();
    let attributes = tx.attributes(record.visitor).await?;
    let email = meeting.guest.as_ref().map(|guest| guest.email.clone()).unwrap_or_default();
    Ok(MeetingRow {
        id: meeting.id.to_string(),
        site: record.site.to_string(),
        when: when_between(meeting.span.start, meeting.span.end, own, "en-GB"),
        local: meeting.span.start.to_zoned(agent.availability.zone()).strftime("%Y-%m-%dT%H:%M").to_string(),
        agent: tx.agent_name(meeting.agent).await?.unwrap_or_default(),
        guest: meeting.guest.as_ref().and_then(|guest| guest.name.clone()).unwrap_or_default(),
        email,
        zone: Some(meeting.time_zone.clone()).filter(|zone| zone != own).map(|zone| zone.replace('_', " ")),
        attributes: attributes.iter().map(|(name, value)| (name.to_string(), value.clone())).collect(),
        cancelled: match meeting.phase {
            MeetingPhase::Cancelled { by: Party::Guest } => Some("called off by the guest"),
            MeetingPhase::Cancelled { by: Party::Agent } => Some("called off"),
            _ => None,
        },
        open: meeting.is_booked() && now < meeting.span.start && may_change(agent, meeting.agent),
        title: meeting.title,
        location: meeting.location,
    })
}

/// One changes one's own meetings; those of others, whoever manages agents.
fn may_change(agent: &AgentRow, whose: porchlight_domain::id::AgentId) -> bool {
    agent.may(Right::Answer) && (whose == agent.id || agent.may(Right::ManageAgents))
}

#[derive(Debug, Deserialize)]
struct Wanted {
    #[serde(rename = "do")]
    act: String,
    /// As a field for a date and a time sends it, in the agent's zone.
    #[serde(default)]
    start: String,
}

async fn change(
    State(app): State<App>,
    SignedIn { agent, .. }: SignedIn,
    Path(id): Path<String>,
    Form(wanted): Form<Wanted>,
) -> Result<Response, Problem> {
    agent.must(Right::Answer)?;
    let unknown = || Problem::new(Code::NotFound, "there is no such meeting").field("id");
    let id: MeetingId = id.parse().map_err(|_| unknown())?;
    let command = match wanted.act.as_str() {
        "cancel" => MeetingCommand::Cancel { by: Party::Agent },
        "move" => {
            let local: Option<DateTime> = wanted.start.parse().ok();
            let moment = local.and_then(|local| local.to_zoned(agent.availability.zone()).ok()).map(|zoned| zoned.timestamp());
            let Some(start) = moment else {
                let detail = format!("expected a day and a time such as 2026-11-26T10:30, got {:?}", wanted.start);
                return page(&app, &agent, &Which::default(), Some(Problem::new(Code::Malformed, detail).field("start"))).await;
            };
            MeetingCommand::Move { start, time_zone: None, by: Party::Agent }
        }
        act => {
            let problem = Problem::new(Code::Malformed, format!("expected move or cancel, got {act:?}")).field("do");
            return page(&app, &agent, &Which::default(), Some(problem)).await;
        }
    };
    match app.store.commit(Change { engine: app.engine.clone(), agent: agent.clone(), id, command }).await {
        Ok(()) => Ok(Redirect::to(&format!("/console/meetings?done={}#{id}", wanted.act)).into_response()),
        Err(Failure::Refused(problem)) if matches!(problem.code, Code::NotFound | Code::Forbidden) => Err(problem),
        Err(failure) => page(&app, &agent, &Which::default(), Some(failure.into())).await,
    }
}

struct Change {
    engine: Engine,
    agent: AgentRow,
    id: MeetingId,
    command: MeetingCommand,
}

impl Command for Change {
    type Done = ();
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<Problem>> {
        let unknown = || Failure::Refused(Problem::new(Code::NotFound, "there is no such meeting").field("id"));
        let record = tx.meeting(self.id).await?.filter(|record| self.agent.serves(&record.site)).ok_or_else(unknown)?;
        if !may_change(&self.agent, record.meeting.agent) {
            return Err(Failure::Refused(Problem::new(Code::Forbidden, "the meeting is another agent's").field("id")));
        }
        self.engine.of_meeting(tx, &record, self.command).await.map_err(|failure| match failure {
            Failure::Refused(refusal @ (Refusal::TooLate | Refusal::NotBooked)) => {
                Failure::Refused(Problem::new(Code::NotBooked, refusal.to_string()).field("start"))
            }
            Failure::Refused(_) => Failure::Refused(
                Problem::new(Code::SlotTaken, "there is another meeting then, with what is kept free around it").field("start"),
            ),
            Failure::Store(error) => Failure::Store(error),
        })
    }
}
