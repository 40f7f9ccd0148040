//! `/console/visitors`: what is known of a visitor is found, exported and erased.

use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use jiff::Timestamp;
use leptos::prelude::*;
use porchlight_app::console::visitors::{ErasePage, VisitorFound, VisitorPage, VisitorsPage};
use porchlight_domain::{
    contact::{Email, PhoneRules},
    id::VisitorId,
};
use serde::Deserialize;

use super::{
    render,
    session::{Right, SignedIn},
};
use crate::{
    http::{
        App,
        body::Query,
        problem::{Code, Problem},
    },
    phone::NumberingPlans,
    privacy::{Erase, NotErased, erase, export},
    store::{Actor, AgentRow, Command, Failure, Person, StoreError, Tx, VisitorRow},
    when::When,
};

/// The most visitors that are shown.
const FOUND_MAX: u32 = 20;
/// The longest text that is looked for, in characters.
const WANTED_MAX: usize = 254;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/console/visitors", get(find))
        .route("/console/visitors/{id}", get(show))
        .route("/console/visitors/{id}/export", get(download))
        .route("/console/visitors/{id}/erase", get(ask).post(go))
}

#[derive(Debug, Deserialize)]
struct Wanted {
    #[serde(default)]
    q: String,
    /// How many events were emptied when somebody was erased just now.
    erased: Option<u64>,
    /// Whether nothing was left behind by that.
    #[serde(default)]
    scrubbed: bool,
}

async fn find(
    State(app): State<App>,
    SignedIn { agent, .. }: SignedIn,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    agent.must(Right::ManageVisitors)?;
    let typed = wanted.q.trim().to_owned();
    let done = wanted.erased.map(|events| {
        let rest = if wanted.scrubbed {
            "Nothing is left of them in the server’s files."
        } else {
            "Traces may still be in the server’s files: its log and docs/privacy.md say why, and what to do."
        };
        format!("The visitor was erased, and {events} events were emptied. {rest}")
    });
    let problem = (typed.chars().count() > WANTED_MAX).then(|| format!("expected at most {WANTED_MAX} characters"));
    let found = match typed.as_str() {
        "" => Vec::new(),
        _ if problem.is_some() => Vec::new(),
        typed => app.store.look(Find { agent: agent.clone(), typed: typed.to_owned() }).await?,
    };
    let status = if problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let more = found.len() > FOUND_MAX as usize;
    Ok(render::page(status, Some(&agent), ("visitors", "Visitors"), move |_| {
        let found = found.iter().take(FOUND_MAX as usize).cloned().collect();
        let (wanted, done, problem) = (typed.clone(), done.clone(), problem.clone());
        view! { <VisitorsPage wanted found more done problem/> }
    })
    .await)
}

fn unknown() -> Problem {
    Problem::new(Code::NotFound, "there is no such visitor")
}

async fn one(app: &App, agent: &AgentRow, id: &str) -> Result<(VisitorId, VisitorFound), Problem> {
    agent.must(Right::ManageVisitors)?;
    let visitor: VisitorId = id.parse().map_err(|_| unknown())?;
    let found = app.store.look(Read { agent: agent.clone(), visitor }).await?;
    Ok((visitor, found))
}

async fn show(State(app): State<App>, SignedIn { agent, .. }: SignedIn, Path(id): Path<String>) -> Result<Response, Problem> {
    let (_, found) = one(&app, &agent, &id).await?;
    Ok(render::page(StatusCode::OK, Some(&agent), ("visitors", "Visitor"), move |_| {
        let visitor = found.clone();
        view! { <VisitorPage visitor/> }
    })
    .await)
}

async fn download(State(app): State<App>, SignedIn { agent, .. }: SignedIn, Path(id): Path<String>) -> Result<Response, Problem> {
    agent.must(Right::ManageVisitors)?;
    let visitor: VisitorId = id.parse().map_err(|_| unknown())?;
    let sites = agent.sites().map(<[_]>::to_vec);
    let exported = export(&app.store, Actor::Agent(agent.id), visitor, sites, app.engine.outside.now()).await;
    let document = exported.map_err(|failure| match failure {
        Failure::Refused(_) => unknown(),
        Failure::Store(error) => error.into(),
    })?;
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"visitor-{visitor}.json\"")),
    ];
    Ok((headers, format!("{document:#}\n")).into_response())
}

async fn ask(State(app): State<App>, SignedIn { agent, .. }: SignedIn, Path(id): Path<String>) -> Result<Response, Problem> {
    let (_, found) = one(&app, &agent, &id).await?;
    Ok(sure(&agent, StatusCode::OK, found, None).await)
}

/// The page on which one says that one is sure.
async fn sure(agent: &AgentRow, status: StatusCode, found: VisitorFound, problem: Option<String>) -> Response {
    render::page(status, Some(agent), ("visitors", "Erase a visitor"), move |_| {
        let (visitor, problem) = (found.clone(), problem.clone());
        view! { <ErasePage visitor problem/> }
    })
    .await
}

async fn go(State(app): State<App>, SignedIn { agent, .. }: SignedIn, Path(id): Path<String>) -> Result<Response, Problem> {
    let (visitor, found) = one(&app, &agent, &id).await?;
    let command =
        Erase { engine: app.engine.clone(), actor: Actor::Agent(agent.id), visitor, sites: agent.sites().map(<[_]>::to_vec) };
    match erase(&app.store, &app.settings, command).await {
        Ok(erased) => {
            let to = format!("/console/visitors?erased={}&scrubbed={}", erased.events, erased.scrubbed);
            Ok(Redirect::to(&to).into_response())
        }
        Err(Failure::Refused(NotErased::Unknown)) => Err(unknown()),
        Err(Failure::Refused(refusal @ NotErased::InChat)) => {
            Ok(sure(&agent, StatusCode::CONFLICT, found, Some(refusal.to_string())).await)
        }
        Err(Failure::Store(error)) => Err(error.into()),
    }
}

struct Find {
    agent: AgentRow,
    typed: String,
}

impl Command for Find {
    type Done = Vec<VisitorFound>;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Self::Done, Failure<Problem>> {
        let Self { agent, typed } = self;
        let email = typed.parse::<Email>().map(|email| email.to_string());
        let phone = NumberingPlans.parse(&typed, None).map(|phone| phone.to_string());
        let as_written = email.ok().or(phone.ok()).unwrap_or_else(|| typed.clone());
        let mut found = Vec::new();
        for visitor in tx.visitors_called(&typed, &as_written, FOUND_MAX + 1).await? {
            if let Some(person) = tx.person(visitor).await?.filter(|person| agent.serves(&person.site)) {
                found.push(known(tx, &agent, &person).await?);
            }
        }
        Ok(found)
    }
}

struct Read {
    agent: AgentRow,
    visitor: VisitorId,
}

impl Command for Read {
    type Done = VisitorFound;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<VisitorFound, Failure<Problem>> {
        let person = tx.person(self.visitor).await?.filter(|person| self.agent.serves(&person.site));
        let person = person.ok_or_else(|| Failure::Refused(unknown()))?;
        Ok(known(tx, &self.agent, &person).await?)
    }
}

/// What the console shows of a visitor.
async fn known(tx: &mut Tx<'_>, agent: &AgentRow, person: &Person) -> Result<VisitorFound, StoreError> {
    let (writes, zone) = (When::of("en-GB"), agent.availability.zone());
    let mut facts: Vec<(String, String)> = Vec::new();
    if let Some(identity) = &person.identity {
        facts.push(("identified as".to_owned(), identity.clone()));
    }
    let attributes = tx.attributes(person.id).await?;
    facts.extend(attributes.into_iter().map(|(name, value)| (name.to_string(), value)));
    facts.push(("first seen".to_owned(), writes.day_and_time(person.created_at, &zone)));
    let (mut sessions, mut chats, mut meetings, mut callbacks, mut forms) = (0, 0, 0, 0, 0);
    let mut seen: Option<Timestamp> = None;
    for part in &person.parts {
        let of_part = tx.sessions(&VisitorRow { id: *part, site: person.site.clone() }).await?;
        seen = seen.max(of_part.first().map(|(_, active, _)| *active));
        sessions += of_part.len();
        chats += tx.chats_of(*part, u32::MAX).await?.len();
        meetings += tx.meetings_of(*part, u32::MAX).await?.len();
        callbacks += tx.callbacks_of(*part, u32::MAX).await?.len();
        forms += tx.submissions_of(*part, u32::MAX).await?.len();
    }
    facts.extend(seen.map(|seen| ("last seen".to_owned(), writes.day_and_time(seen, &zone))));
    Ok(VisitorFound {
        id: person.id.to_string(),
        site: person.site.to_string(),
        facts,
        counts: vec![
            ("sessions", sessions),
            ("chats", chats),
            ("forms", forms),
            ("meetings", meetings),
            ("call backs", callbacks),
        ],
    })
}
