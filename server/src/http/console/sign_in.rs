//! `/console/sign-in` and `/console/sign-out`.

use std::sync::OnceLock;

use argon2::{
    Argon2, PasswordHash, PasswordHasher, PasswordVerifier,
    password_hash::{SaltString, rand_core::OsRng},
};
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use jiff::Timestamp;
use leptos::prelude::*;
use porchlight_app::console::pages::SignInPage;
use porchlight_domain::id::AgentId;
use serde::Deserialize;

use super::{
    render,
    session::{OwnOrigin, SignedIn, set_cookie},
};
use crate::{
    http::{
        App,
        body::Form,
        limits::Address,
        problem::{Code, Problem},
    },
    secret::Secret,
    store::{AgentRow, Command, Failure, News, Tx},
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/console/sign-in", get(show).post(sign_in)).route("/console/sign-out", post(sign_out))
}

/// The longest password, in characters: a longer one would only cost time.
pub(super) const PASSWORD_MAX: usize = 200;

#[derive(Debug, Deserialize)]
struct Given {
    email: String,
    password: String,
}

async fn show(signed_in: Option<SignedIn>) -> Response {
    if signed_in.is_some() {
        return Redirect::to("/console").into_response();
    }
    page(StatusCode::OK, String::new(), None).await
}

async fn page(status: StatusCode, email: String, problem: Option<String>) -> Response {
    render::page(status, None, ("sign-in", "Sign in"), move |_| {
        let (email, problem) = (email.clone(), problem.clone());
        view! { <SignInPage email problem/> }
    })
    .await
}

async fn sign_in(
    State(app): State<App>,
    _: OwnOrigin,
    Address(address): Address,
    before: Option<SignedIn>,
    Form(given): Form<Given>,
) -> Response {
    let email = given.email.clone();
    match check(&app, address, given).await {
        Ok(agent) => match begin(&app, agent, before.map(|before| before.token)).await {
            Ok(response) => response,
            Err(problem) => page(problem.code.status(), email, Some(problem.detail().to_owned())).await,
        },
        Err(problem) => page(problem.code.status(), email, Some(problem.detail().to_owned())).await,
    }
}

/// The agent, if the password is theirs. Whether there is such an agent is not told, and takes as long to find out.
async fn check(app: &App, address: std::net::IpAddr, given: Given) -> Result<AgentId, Problem> {
    let wrong = || Problem::new(Code::SignedOut, "The address or the password is wrong.");
    app.limits.sign_in(address, Some(&given.email))?;
    if given.password.chars().count() > PASSWORD_MAX {
        return Err(wrong());
    }
    let known = app.store.look(ByEmail(given.email)).await?;
    let (agent, hash) = known.map_or((None, None), |(agent, hash)| (Some(agent), hash));
    let hash = hash.unwrap_or_else(|| nobody().to_owned());
    // It takes long on purpose, and must not hold up the others.
    let right = tokio::task::spawn_blocking(move || matches(&given.password, &hash)).await.unwrap_or(false);
    agent.filter(|agent| right && !agent.disabled).map(|agent| agent.id).ok_or_else(wrong)
}

fn matches(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

/// The hash of a password nobody has, for those who are not there.
fn nobody() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| hash(SaltString::generate(&mut OsRng).as_ref()).unwrap_or_default())
}

/// A password as it is kept: Argon2id with the parameters that OWASP names first.
pub(crate) fn hash(password: &str) -> Option<String> {
    let salt = SaltString::generate(&mut OsRng);
    Argon2::default().hash_password(password.as_bytes(), &salt).ok().map(|hash| hash.to_string())
}

/// Signs an agent in, under a secret that was never used before.
pub(super) async fn begin(app: &App, agent: AgentId, before: Option<Secret>) -> Result<Response, Problem> {
    let (token, now) = (app.engine.outside.new_secret(), app.engine.outside.now());
    app.store.commit(Begin { agent, token: token.clone(), before, now }).await?;
    let cookie = set_cookie(Some(&token), app.settings.sign_in_days);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/console")).into_response())
}

async fn sign_out(State(app): State<App>, SignedIn { agent, token }: SignedIn) -> Result<Response, Problem> {
    app.store.commit(End(token, agent.id)).await?;
    Ok(([(header::SET_COOKIE, set_cookie(None, 0))], Redirect::to("/console/sign-in")).into_response())
}

struct ByEmail(String);

impl Command for ByEmail {
    type Done = Option<(AgentRow, Option<String>)>;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Self::Done, Failure<Problem>> {
        let Some(agent) = tx.agent_by_email(&self.0).await? else { return Ok(None) };
        let hash = tx.password(agent.id).await?;
        Ok(Some((agent, hash)))
    }
}

struct Begin {
    agent: AgentId,
    token: Secret,
    before: Option<Secret>,
    now: Timestamp,
}

impl Command for Begin {
    type Done = ();
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<Problem>> {
        if let Some(before) = &self.before {
            tx.remove_login(before).await?;
        }
        Ok(tx.add_login(&self.token, self.agent, self.now).await?)
    }
}

struct End(Secret, AgentId);

impl Command for End {
    type Done = ();
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<Problem>> {
        tx.remove_login(&self.0).await?;
        // The connections of this sign-in are let go.
        tx.tell(News::Agent { agent: self.1 });
        Ok(())
    }
}
