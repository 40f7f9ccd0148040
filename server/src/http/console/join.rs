//! `/console/join`: a link lets its bearer choose a password.

use axum::{Router, extract::State, http::StatusCode, response::Response, routing::get};
use jiff::Timestamp;
use leptos::prelude::*;
use porchlight_app::console::pages::JoinPage;
use porchlight_domain::id::AgentId;
use serde::Deserialize;

use super::{
    invite::NAME_MAX,
    render,
    session::OwnOrigin,
    sign_in::{PASSWORD_MAX, begin, hash},
};
use crate::{
    http::{
        App,
        body::Form,
        limits::Address,
        problem::{Code, Problem},
    },
    secret::Secret,
    store::{Actor, AuditEntry, Command, Failure, Tx},
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/console/join", get(show).post(join))
}

/// The shortest password, in characters.
const PASSWORD_MIN: usize = 12;

#[derive(Debug, Clone, Deserialize)]
struct Given {
    token: String,
    name: String,
    password: String,
}

async fn show() -> Response {
    page(StatusCode::OK, String::new(), String::new(), None).await
}

async fn page(status: StatusCode, token: String, name: String, problem: Option<String>) -> Response {
    render::page(status, None, ("join", "Welcome"), move |nonce| {
        let (token, name, problem) = (token.clone(), name.clone(), problem.clone());
        view! { <JoinPage token name problem nonce/> }
    })
    .await
}

async fn join(State(app): State<App>, _: OwnOrigin, Address(address): Address, Form(given): Form<Given>) -> Response {
    let (token, name) = (given.token.clone(), given.name.clone());
    match take(&app, address, given).await {
        Ok(response) => response,
        Err(problem) => page(problem.code.status(), token, name, Some(problem.detail().to_owned())).await,
    }
}

async fn take(app: &App, address: std::net::IpAddr, given: Given) -> Result<Response, Problem> {
    app.limits.sign_in(address, None)?;
    let bad = |field: &str, detail: String| Problem::new(Code::Malformed, detail).field(field);
    let used = || bad("token", "The link is not good, or no longer: ask for a new one.".to_owned());
    let token: Secret = given.token.trim().trim_start_matches('#').parse().map_err(|_| used())?;
    let name = given.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > NAME_MAX {
        return Err(bad("name", format!("Expected a name of 1 to {NAME_MAX} characters.")));
    }
    if !(PASSWORD_MIN..=PASSWORD_MAX).contains(&given.password.chars().count()) {
        return Err(bad("password", format!("Expected a password of {PASSWORD_MIN} to {PASSWORD_MAX} characters.")));
    }
    let hashed = tokio::task::spawn_blocking(move || hash(&given.password)).await.ok().flatten();
    let hash = hashed.ok_or_else(|| Problem::new(Code::Internal, "The password could not be kept."))?;
    let taken = app.store.commit(Take { token, name, hash, now: app.engine.outside.now() }).await?;
    begin(app, taken.ok_or_else(used)?, None).await
}

struct Take {
    token: Secret,
    name: String,
    hash: String,
    now: Timestamp,
}

impl Command for Take {
    type Done = Option<AgentId>;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Option<AgentId>, Failure<Problem>> {
        let Some(id) = tx.take_invitation(&self.token, self.now).await? else { return Ok(None) };
        let Some(mut agent) = tx.agent(id).await?.filter(|agent| !agent.disabled) else { return Ok(None) };
        agent.name = self.name;
        tx.put_agent(&agent, self.now).await?;
        tx.put_password(id, &self.hash).await?;
        // Whoever knew the old password is signed out.
        tx.remove_logins(id).await?;
        let entry = AuditEntry {
            actor: &Actor::Agent(id),
            action: "agent.password_set",
            site: None,
            subject: &id.to_string(),
            detail: serde_json::json!({}),
            at: self.now,
        };
        tx.audit(entry).await?;
        Ok(Some(id))
    }
}
