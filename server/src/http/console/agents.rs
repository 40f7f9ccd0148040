//! `/console/agents`: who may sign in, and as what.

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use leptos::prelude::*;
use porchlight_app::console::pages::{AgentLine, AgentsPage};
use porchlight_domain::{
    agent::Role,
    contact::Email,
    id::{AgentId, SiteKey},
};
use serde::Deserialize;

use super::{
    invite::{Invite, NAME_MAX, invited, link},
    render,
    session::{Right, SignedIn},
};
use crate::{
    http::{
        App,
        body::Form,
        problem::{Code, Problem},
    },
    outside::Outside,
    store::{Actor, AgentRow, AuditEntry, Command, Failure, News, Tx},
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/console/agents", get(show).post(invite)).route("/console/agents/{id}", post(change))
}

#[derive(Debug, Deserialize)]
struct Invited {
    name: String,
    email: String,
    role: Role,
    #[serde(default)]
    sites: String,
}

#[derive(Debug, Deserialize)]
struct Changed {
    name: String,
    role: Role,
    #[serde(default)]
    sites: String,
    #[serde(default)]
    languages: String,
    #[serde(default)]
    skills: String,
    #[serde(default)]
    limit: String,
    #[serde(default)]
    disabled: bool,
    #[serde(rename = "do")]
    act: String,
}

/// The words of a list with commas between.
pub(super) fn words(text: &str) -> Vec<String> {
    text.split(',').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
}

fn keys(text: &str) -> Result<Vec<SiteKey>, Problem> {
    let key = |word: &String| word.parse().map_err(|error| Problem::new(Code::Malformed, format!("{error}")).field("sites"));
    words(text).iter().map(key).collect()
}

async fn show(State(app): State<App>, SignedIn { agent, .. }: SignedIn) -> Result<Response, Problem> {
    page(&app, &agent, None, None).await
}

type Link = Option<(String, String)>;

async fn page(app: &App, agent: &AgentRow, link: Link, problem: Option<Problem>) -> Result<Response, Problem> {
    agent.must(Right::ManageAgents)?;
    let (agents, sites) = app.store.look(List).await?;
    let lines: Vec<AgentLine> = agents
        .into_iter()
        .map(|agent| AgentLine {
            id: agent.id.to_string(),
            sites: agent.sites().unwrap_or_default().iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            name: agent.name,
            email: agent.email,
            role: agent.role.name(),
            languages: agent.languages.join(", "),
            skills: agent.skills.join(", "),
            limit: agent.chat_limit.map(|limit| limit.to_string()).unwrap_or_default(),
            state: if agent.disabled {
                "may not sign in"
            } else if agent.joined {
                ""
            } else {
                "invited"
            },
            disabled: agent.disabled,
        })
        .collect();
    let sites: Vec<String> = sites.iter().map(ToString::to_string).collect();
    let status = problem.as_ref().map_or(StatusCode::OK, |problem| problem.code.status());
    let problem = problem.map(|problem| problem.in_words());
    Ok(render::page(status, Some(agent), ("agents", "Agents"), move |_| {
        let (agents, sites, link, problem) = (lines.clone(), sites.clone(), link.clone(), problem.clone());
        view! { <AgentsPage agents sites link problem/> }
    })
    .await)
}

async fn invite(
    State(app): State<App>,
    SignedIn { agent, .. }: SignedIn,
    Form(given): Form<Invited>,
) -> Result<Response, Problem> {
    agent.must(Right::ManageAgents)?;
    let made = async {
        let bad = |error: String| Problem::new(Code::Malformed, error).field("email");
        let email: Email = given.email.trim().parse().map_err(|error| bad(format!("{error}")))?;
        let invite = Invite {
            by: Actor::Agent(agent.id),
            name: given.name,
            role: given.role,
            sites: keys(&given.sites)?,
            again: false,
            outside: app.engine.outside.clone(),
            hours: app.settings.invitation_hours,
            email,
        };
        Ok(app.store.commit(invite).await?)
    };
    match made.await {
        Ok(path) => page(&app, &agent, Some((given.email, path)), None).await,
        Err(problem) => page(&app, &agent, None, Some(problem)).await,
    }
}

async fn change(
    State(app): State<App>,
    SignedIn { agent, .. }: SignedIn,
    Path(id): Path<String>,
    Form(given): Form<Changed>,
) -> Result<Response, Problem> {
    agent.must(Right::ManageAgents)?;
    let id = id.parse().map_err(|_| Problem::new(Code::NotFound, "there is no such agent"))?;
    let change = Change { by: agent.id, id, given, outside: app.engine.outside.clone(), hours: app.settings.invitation_hours };
    match app.store.commit(change).await.map_err(Problem::from) {
        Ok(None) => Ok(Redirect::to("/console/agents").into_response()),
        Ok(link) => page(&app, &agent, link, None).await,
        Err(problem) => page(&app, &agent, None, Some(problem)).await,
    }
}

struct List;

impl Command for List {
    type Done = (Vec<AgentRow>, Vec<SiteKey>);
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Self::Done, Failure<Problem>> {
        let sites = tx.sites().await?;
        Ok((tx.agents().await?, sites))
    }
}

struct Change {
    by: AgentId,
    id: AgentId,
    given: Changed,
    outside: Outside,
    hours: u64,
}

impl Command for Change {
    type Done = Link;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Link, Failure<Problem>> {
        let Self { by, id, given, outside, hours } = self;
        let bad = |field: &str, detail: String| Failure::Refused(Problem::new(Code::Malformed, detail).field(field));
        let unknown = || Failure::Refused(Problem::new(Code::NotFound, "there is no such agent"));
        let mut agent = tx.agent(id).await?.ok_or_else(unknown)?;
        if given.act == "link" {
            invited(tx, &Actor::Agent(by), id, agent.role, outside.now()).await?;
            return Ok(Some((agent.email.clone(), link(tx, id, &outside, hours).await?)));
        }
        let name = given.name.trim();
        if name.is_empty() || name.chars().count() > NAME_MAX {
            return Err(bad("name", format!("expected a name of 1 to {NAME_MAX} characters")));
        }
        let limit = given.limit.trim();
        let limit = if limit.is_empty() { None } else { Some(limit.parse().ok().filter(|limit| (1..=1000).contains(limit))) };
        if limit == Some(None) {
            return Err(bad("limit", "expected a number from 1 to 1000, or nothing".to_owned()));
        }
        // Whoever shut themselves out could not let themselves in again.
        if by == id && (given.disabled || given.role != Role::Administrator) {
            return Err(bad("role", "you cannot take your own rights; another administrator can".to_owned()));
        }
        let sites = keys(&given.sites).map_err(Failure::Refused)?;
        for site in &sites {
            if tx.site_revision(site).await?.is_none() {
                return Err(bad("sites", format!("there is no site \"{site}\"")));
            }
        }
        let action = if given.disabled && !agent.disabled { "agent.disabled" } else { "agent.changed" };
        name.clone_into(&mut agent.name);
        (agent.role, agent.disabled, agent.chat_limit) = (given.role, given.disabled, limit.flatten());
        (agent.languages, agent.skills) = (words(&given.languages), words(&given.skills));
        tx.put_agent(&agent, outside.now()).await?;
        tx.put_agent_sites(id, &sites).await?;
        if agent.disabled {
            tx.remove_logins(id).await?;
        }
        let entry = AuditEntry {
            actor: &Actor::Agent(by),
            action,
            site: None,
            subject: &id.to_string(),
            detail: serde_json::json!({
                "role": agent.role.name(),
                "sites": sites,
                "languages": agent.languages,
                "skills": agent.skills,
                "chatLimit": agent.chat_limit,
                "disabled": agent.disabled,
            }),
            at: outside.now(),
        };
        tx.audit(entry).await?;
        tx.tell(News::Agent { agent: id });
        Ok(None)
    }
}
