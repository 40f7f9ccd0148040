//! `/console/responses`: what is written often.

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use jiff::Timestamp;
use leptos::prelude::*;
use porchlight_app::console::{pages::ResponsesPage, wire::CannedResponse};
use porchlight_domain::{
    id::{SiteKey, is_slug},
    livechat::message,
};
use serde::Deserialize;

use super::{
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
    Router::new().route("/console/responses", get(show).post(change))
}

#[derive(Debug, Deserialize)]
struct Given {
    site: SiteKey,
    shortcut: String,
    #[serde(default)]
    text: String,
    #[serde(rename = "do")]
    act: String,
}

async fn show(State(app): State<App>, SignedIn { agent, .. }: SignedIn) -> Result<Response, Problem> {
    page(&app, &agent, None).await
}

async fn page(app: &App, agent: &AgentRow, problem: Option<Problem>) -> Result<Response, Problem> {
    agent.must(Right::SeeChats)?;
    let (responses, sites) = app.store.look(List(agent.clone())).await?;
    let responses: Vec<_> =
        responses.into_iter().map(|response| (response.site.to_string(), response.shortcut, response.text)).collect();
    let sites: Vec<String> = sites.iter().map(ToString::to_string).collect();
    let changes = agent.may(Right::ManageResponses);
    let status = problem.as_ref().map_or(StatusCode::OK, |problem| problem.code.status());
    let problem = problem.map(|problem| problem.in_words());
    Ok(render::page(status, Some(agent), ("responses", "Responses"), move |_| {
        let (responses, sites, problem) = (responses.clone(), sites.clone(), problem.clone());
        view! { <ResponsesPage responses sites changes problem/> }
    })
    .await)
}

async fn change(State(app): State<App>, SignedIn { agent, .. }: SignedIn, Form(given): Form<Given>) -> Result<Response, Problem> {
    agent.must(Right::ManageResponses)?;
    let id = app.engine.outside.new_id().to_string();
    match app.store.commit(Change { agent: agent.clone(), id, given, now: app.engine.outside.now() }).await.map_err(Problem::from)
    {
        Ok(()) => Ok(Redirect::to("/console/responses").into_response()),
        Err(problem) => page(&app, &agent, Some(problem)).await,
    }
}

struct List(AgentRow);

impl Command for List {
    type Done = (Vec<CannedResponse>, Vec<SiteKey>);
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Self::Done, Failure<Problem>> {
        let mut responses = tx.canned_responses().await?;
        responses.retain(|response| self.0.serves(&response.site));
        let mut sites = tx.sites().await?;
        sites.retain(|site| self.0.serves(site));
        Ok((responses, sites))
    }
}

struct Change {
    agent: AgentRow,
    id: String,
    given: Given,
    now: Timestamp,
}

impl Command for Change {
    type Done = ();
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<Problem>> {
        let Self { agent, id, given, now } = self;
        let bad = |field: &str, detail: &str| Failure::Refused(Problem::new(Code::Malformed, detail).field(field));
        if !agent.serves(&given.site) || tx.site_revision(&given.site).await?.is_none() {
            return Err(bad("site", "expected one of your sites"));
        }
        let actor = Actor::Agent(agent.id);
        let entry = |action: &'static str, subject| {
            let (site, detail) = (Some(&given.site), serde_json::json!({}));
            AuditEntry { actor: &actor, action, site, subject, detail, at: now }
        };
        if given.act == "remove" {
            // What is not there was not removed.
            if tx.remove_canned_response(&given.site, &given.shortcut).await? {
                tx.audit(entry("response.removed", &given.shortcut)).await?;
            }
            return Ok(());
        }
        let shortcut = given.shortcut.trim().trim_start_matches('/').to_owned();
        if !is_slug(&shortcut) {
            return Err(bad("shortcut", "expected 1 to 64 letters, digits, - or _"));
        }
        let text = message(&given.text).map_err(|error| bad("text", &error.to_string()))?;
        let response = CannedResponse { site: given.site.clone(), shortcut, text };
        tx.put_canned_response(&id, &response).await?;
        Ok(tx.audit(entry("response.changed", &response.shortcut)).await?)
    }
}
