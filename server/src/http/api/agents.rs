//! Agents and teams: who they are, without anything that is secret.

use axum::{
    Json,
    extract::{Path, State},
};
use jiff::Timestamp;
use porchlight_domain::{
    agent::Role,
    id::{AgentId, SiteKey, TeamId},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Authorized, command::command, page, parsed, problems::Problems, told};
use crate::{
    http::{
        App,
        body::Query,
        problem::{Code, Problem},
    },
    store::{AgentRow, Command, Failure, Tx},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(list_agents)).routes(routes!(get_agent)).routes(routes!(list_teams))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Only those who work for this site.
    #[param(value_type = Option<String>)]
    site: Option<SiteKey>,
    /// The `next` of the page before; without it, from the beginning.
    after: Option<String>,
    /// The most in the answer.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AskedOfTeams {
    /// Only those of this site.
    #[param(value_type = Option<String>)]
    site: Option<SiteKey>,
    /// The `next` of the page before; without it, from the beginning.
    after: Option<String>,
    /// The most in the answer.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
}

/// Somebody who signs in to the console.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Agent {
    /// Who it is.
    #[schema(value_type = String, format = "uuid")]
    id: AgentId,
    /// Their e-mail address.
    email: String,
    /// Their name, which visitors see.
    name: String,
    /// What they are: `administrator`, `author` or `agent`.
    #[schema(value_type = String)]
    role: Role,
    /// The sites they work for, of those that the key is good for; null: all.
    #[schema(required, value_type = Option<Vec<String>>)]
    sites: Option<Vec<SiteKey>>,
    /// The languages they answer in; none: any.
    languages: Vec<String>,
    /// What they know about.
    skills: Vec<String>,
    /// The most chats they hold at once, if it is not as the server's setting says.
    #[schema(required)]
    chat_limit: Option<u32>,
    /// The IANA name of their time zone.
    time_zone: String,
    /// Whether they have chosen a password.
    joined: bool,
    /// Whether they may no longer sign in.
    disabled: bool,
    /// Whether their console is open.
    present: bool,
    /// Whether they take chats now.
    available: bool,
}

/// A team of a site.
#[derive(Debug, Serialize, ToSchema)]
struct Team {
    /// Its site.
    #[schema(value_type = String)]
    site: SiteKey,
    /// The key by which conversations name it.
    #[schema(value_type = String)]
    id: TeamId,
    /// What people call it.
    name: String,
    /// The ids of those in it.
    #[schema(value_type = Vec<String>)]
    members: Vec<AgentId>,
}

/// A page of agents.
#[derive(Debug, Serialize, ToSchema)]
struct AgentsPage {
    /// The agents, in the order in which they were invited.
    agents: Vec<Agent>,
    /// The `after` of the next page, if there may be one.
    #[schema(required)]
    next: Option<String>,
}

/// A page of teams.
#[derive(Debug, Serialize, ToSchema)]
struct TeamsPage {
    /// The teams, by site and key.
    teams: Vec<Team>,
    /// The `after` of the next page, if there may be one.
    #[schema(required)]
    next: Option<String>,
}

/// Whether an agent works for one of some sites; none named: of any.
fn works_for(agent: &AgentRow, sites: Option<&[SiteKey]>) -> bool {
    sites.is_none_or(|sites| sites.iter().any(|site| agent.serves(site)))
}

fn shown(agent: AgentRow, key: &Authorized, now: Timestamp) -> Agent {
    let own = |sites: &[SiteKey]| sites.iter().filter(|site| key.site((*site).clone()).is_ok()).cloned().collect();
    Agent {
        id: agent.id,
        role: agent.role,
        sites: agent.sites().map(own),
        present: agent.present_until > now,
        available: agent.is_available(now),
        chat_limit: agent.chat_limit,
        joined: agent.joined,
        disabled: agent.disabled,
        email: agent.email,
        name: agent.name,
        languages: agent.languages,
        skills: agent.skills,
        time_zone: agent.availability.time_zone,
    }
}

/// Lists agents.
#[utoipa::path(
    get, path = "/api/v1/agents", tag = "agents", params(Asked),
    responses((status = 200, description = "A page of the agents.", body = AgentsPage), Problems), security(("key" = ["agents:read"]))
)]
async fn list_agents(key: Authorized, State(app): State<App>, Query(asked): Query<Asked>) -> Result<Json<AgentsPage>, Problem> {
    let (after, limit) = (page::cursor(asked.after.as_deref())?, page::limit(asked.limit)?);
    let sites = key.sites(asked.site)?;
    let found =
        app.store.look(command!(|tx, after: Option<AgentId>| -> Vec<AgentRow> { Ok(tx.agents_after(after).await?) })).await?;
    // There are few of them, and whom they work for is in their role, too.
    let wanted = found.into_iter().filter(|agent| works_for(agent, sites.as_deref()));
    let wanted: Vec<AgentRow> = wanted.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect();
    let next = told::next(&wanted, limit, |agent| agent.id);
    let now = app.engine.outside.now();
    Ok(Json(AgentsPage { agents: wanted.into_iter().map(|agent| shown(agent, &key, now)).collect(), next }))
}

/// Gives an agent.
#[utoipa::path(
    get, path = "/api/v1/agents/{id}", tag = "agents", params(("id" = String, Path, description = "The agent's id.")),
    responses((status = 200, description = "The agent.", body = Agent), Problems), security(("key" = ["agents:read"]))
)]
async fn get_agent(key: Authorized, State(app): State<App>, Path(id): Path<String>) -> Result<Json<Agent>, Problem> {
    let sites = key.sites(None)?;
    let id: AgentId = parsed(&id, "id")?;
    let found = app.store.look(command!(|tx, id: AgentId| -> Option<AgentRow> { Ok(tx.agent(id).await?) })).await?;
    let found = found.filter(|agent| works_for(agent, sites.as_deref()));
    let found = found.ok_or_else(|| Problem::new(Code::NotFound, "there is no such agent").field("id"))?;
    Ok(Json(shown(found, &key, app.engine.outside.now())))
}

/// Lists teams.
#[utoipa::path(
    get, path = "/api/v1/teams", tag = "agents", params(AskedOfTeams),
    responses((status = 200, description = "A page of the teams.", body = TeamsPage), Problems), security(("key" = ["agents:read"]))
)]
async fn list_teams(
    key: Authorized,
    State(app): State<App>,
    Query(asked): Query<AskedOfTeams>,
) -> Result<Json<TeamsPage>, Problem> {
    let expected = || Problem::new(Code::Malformed, "expected the `next` of an earlier page").field("after");
    let after: Option<(SiteKey, TeamId)> = match asked.after.as_deref() {
        None | Some("") => None,
        Some(after) => {
            let (site, team) = after.split_once('/').ok_or_else(expected)?;
            Some((site.parse().map_err(|_| expected())?, team.parse().map_err(|_| expected())?))
        }
    };
    let limit = page::limit(asked.limit)?;
    let teams = app.store.look(Teams { sites: key.sites(asked.site)?, after, limit }).await?;
    let next = told::next(&teams, limit, |team| format!("{}/{}", team.site, team.id));
    Ok(Json(TeamsPage { teams, next }))
}

struct Teams {
    sites: Option<Vec<SiteKey>>,
    after: Option<(SiteKey, TeamId)>,
    limit: u32,
}

impl Command for Teams {
    type Done = Vec<Team>;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Vec<Team>, Failure<Problem>> {
        let mut known = tx.teams().await?;
        known.sort_by(|one, other| (&one.site, &one.id).cmp(&(&other.site, &other.id)));
        let wanted = known.into_iter().filter(|team| {
            self.sites.as_ref().is_none_or(|sites| sites.contains(&team.site))
                && self.after.as_ref().is_none_or(|(site, id)| (site, id) < (&team.site, &team.id))
        });
        let mut teams = Vec::new();
        for team in wanted.take(usize::try_from(self.limit).unwrap_or(usize::MAX)) {
            let mut members = tx.team_members(&team.site, &team.id).await?;
            members.sort();
            teams.push(Team { members, site: team.site, id: team.id, name: team.name });
        }
        Ok(teams)
    }
}
