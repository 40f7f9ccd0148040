//! `/console/teams`: who belongs together.

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use jiff::Timestamp;
use leptos::prelude::*;
use porchlight_app::console::{
    pages::{TeamLine, TeamsPage},
    wire::Team,
};
use porchlight_domain::{
    id::{SiteKey, TeamId},
    schedule::Availability,
};
use serde::Deserialize;

use super::{
    agents::words,
    invite::NAME_MAX,
    render,
    session::{Right, SignedIn},
};
use crate::{
    http::{
        App,
        body::Form,
        problem::{Code, Problem},
    },
    store::{Actor, AgentRow, AuditEntry, Command, Failure, Tx},
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/console/teams", get(show).post(change))
}

#[derive(Debug, Deserialize)]
struct Given {
    site: SiteKey,
    id: String,
    name: String,
    #[serde(default)]
    members: String,
    /// Its opening hours; the site's, if they are empty.
    #[serde(default)]
    time_zone: String,
    #[serde(default)]
    hours: String,
}

async fn show(State(app): State<App>, SignedIn { agent, .. }: SignedIn) -> Result<Response, Problem> {
    page(&app, &agent, None).await
}

async fn page(app: &App, agent: &AgentRow, problem: Option<Problem>) -> Result<Response, Problem> {
    agent.must(Right::ManageTeams)?;
    let (teams, sites) = app.store.look(List(agent.clone())).await?;
    let sites: Vec<String> = sites.iter().map(ToString::to_string).collect();
    let status = problem.as_ref().map_or(StatusCode::OK, |problem| problem.code.status());
    let problem = problem.map(|problem| problem.in_words());
    Ok(render::page(status, Some(agent), ("teams", "Teams"), move |_| {
        let (teams, sites, problem) = (teams.clone(), sites.clone(), problem.clone());
        view! { <TeamsPage teams sites problem/> }
    })
    .await)
}

async fn change(State(app): State<App>, SignedIn { agent, .. }: SignedIn, Form(given): Form<Given>) -> Result<Response, Problem> {
    agent.must(Right::ManageTeams)?;
    match app.store.commit(Change { agent: agent.clone(), given, now: app.engine.outside.now() }).await.map_err(Problem::from) {
        Ok(()) => Ok(Redirect::to("/console/teams").into_response()),
        Err(problem) => page(&app, &agent, Some(problem)).await,
    }
}

struct List(AgentRow);

impl Command for List {
    type Done = (Vec<TeamLine>, Vec<SiteKey>);
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Self::Done, Failure<Problem>> {
        let agents = tx.agents().await?;
        let mut lines = Vec::new();
        for team in tx.teams().await?.into_iter().filter(|team| self.0.serves(&team.site)) {
            let members = tx.team_members(&team.site, &team.id).await?;
            let named = agents.iter().filter(|agent| members.contains(&agent.id)).map(|agent| agent.email.as_str());
            let members = named.collect::<Vec<_>>().join(", ");
            let own = tx.team_hours(&team.site, &team.id).await?;
            lines.push(TeamLine {
                site: team.site.to_string(),
                id: team.id.to_string(),
                name: team.name,
                members,
                time_zone: own.as_ref().map(|own| own.time_zone.clone()).unwrap_or_default(),
                hours: own.map(|own| own.in_words()).unwrap_or_default(),
            });
        }
        let mut sites = tx.sites().await?;
        sites.retain(|site| self.0.serves(site));
        Ok((lines, sites))
    }
}

struct Change {
    agent: AgentRow,
    given: Given,
    now: Timestamp,
}

impl Command for Change {
    type Done = ();
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<Problem>> {
        let Self { agent, given, now } = self;
        let bad = |field: &str, detail: String| Failure::Refused(Problem::new(Code::Malformed, detail).field(field));
        if !agent.serves(&given.site) || tx.site_revision(&given.site).await?.is_none() {
            return Err(bad("site", "expected one of your sites".to_owned()));
        }
        let id: TeamId = given.id.trim().parse().map_err(|error| bad("id", format!("{error}")))?;
        let name = given.name.trim().to_owned();
        if name.is_empty() || name.chars().count() > NAME_MAX {
            return Err(bad("name", format!("expected a name of 1 to {NAME_MAX} characters")));
        }
        let mut members = Vec::new();
        for email in words(&given.members) {
            let member = tx.agent_by_email(&email).await?.filter(|member| member.serves(&given.site));
            members.push(member.ok_or_else(|| bad("members", format!("no agent of this site has the address {email}")))?.id);
        }
        let hours = match given.hours.trim() {
            "" => None,
            hours => {
                let zone = Some(given.time_zone.trim()).filter(|zone| !zone.is_empty()).unwrap_or("UTC");
                Some(Availability::read(zone, hours).map_err(|error| bad("hours", error.to_string()))?)
            }
        };
        tx.put_team(&Team { site: given.site.clone(), id: id.clone(), name }, &members).await?;
        tx.put_team_hours(&given.site, &id, hours.as_ref()).await?;
        let entry = AuditEntry {
            actor: &Actor::Agent(agent.id),
            action: "team.changed",
            site: Some(&given.site),
            subject: id.as_str(),
            detail: serde_json::json!({ "members": members, "hours": hours.map(|hours| hours.in_words()) }),
            at: now,
        };
        Ok(tx.audit(entry).await?)
    }
}
