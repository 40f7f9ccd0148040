//! `/console/keys`: the keys of the API.

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use jiff::Timestamp;
use leptos::prelude::*;
use porchlight_app::console::keys::{KeyLine, KeysPage, MadeKey};
use porchlight_domain::id::SiteKey;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    render,
    session::{Right, SignedIn},
};
use crate::{
    access::{ApiKey, KEY_PREFIX, Scope},
    http::{
        App,
        body::{Form, SEVERAL},
        problem::{Code, Problem},
    },
    outside::Outside,
    store::{Actor, AgentRow, AuditEntry, Command, Failure, Tx},
};

/// The longest name of a key, in characters.
const NAME_MAX: usize = 100;
/// How many characters of a key are kept, by which its owner knows it again.
const ENDING: usize = 4;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/console/keys", get(show).post(make)).route("/console/keys/{id}/revoke", post(revoke))
}

#[derive(Debug, Deserialize)]
struct Given {
    /// The id that the form was made with: a form that is sent again makes no second key.
    #[serde(default)]
    id: String,
    name: String,
    #[serde(default)]
    scopes: String,
    #[serde(default)]
    sites: String,
}

/// The values of boxes that are ticked; nothing ticked: no limit.
fn ticked<T: std::str::FromStr<Err: ToString>>(text: &str, field: &str) -> Result<Option<Vec<T>>, Problem> {
    let words = text.split(SEVERAL).filter(|word| !word.is_empty());
    let read = |word: &str| word.parse::<T>().map_err(|error| Problem::new(Code::Malformed, error.to_string()).field(field));
    let all = words.map(read).collect::<Result<Vec<T>, Problem>>()?;
    Ok(Some(all).filter(|all| !all.is_empty()))
}

async fn show(State(app): State<App>, SignedIn { agent, .. }: SignedIn) -> Result<Response, Problem> {
    page(&app, &agent, None, None).await
}

async fn page(app: &App, agent: &AgentRow, made: Option<MadeKey>, problem: Option<Problem>) -> Result<Response, Problem> {
    agent.must(Right::ManageIntegrations)?;
    let (keys, sites) = app.store.look(List).await?;
    let keys: Vec<KeyLine> = keys.into_iter().map(line).collect();
    let sites: Vec<String> = sites.iter().map(ToString::to_string).collect();
    let scopes: Vec<(&'static str, &'static str)> = Scope::ALL.iter().map(|(_, name, about)| (*name, *about)).collect();
    let status = problem.as_ref().map_or(StatusCode::OK, |problem| problem.code.status());
    let problem = problem.map(|problem| problem.in_words());
    let id = app.engine.outside.new_id().to_string();
    Ok(render::page(status, Some(agent), ("keys", "API keys"), move |_| {
        let (keys, scopes, sites, made, problem) = (keys.clone(), scopes.clone(), sites.clone(), made.clone(), problem.clone());
        let id = id.clone();
        view! { <KeysPage id keys scopes sites made problem/> }
    })
    .await)
}

fn line(key: ApiKey) -> KeyLine {
    let day = |at: Timestamp| at.strftime("%Y-%m-%d %H:%M UTC").to_string();
    KeyLine {
        scopes: key.scopes.iter().flatten().map(ToString::to_string).collect(),
        sites: key.sites.iter().flatten().map(ToString::to_string).collect(),
        id: key.id,
        name: key.name,
        ending: key.ending,
        made: day(key.created_at),
        used: key.used_at.map(day),
    }
}

async fn make(State(app): State<App>, SignedIn { agent, .. }: SignedIn, Form(given): Form<Given>) -> Result<Response, Problem> {
    agent.must(Right::ManageIntegrations)?;
    let made = async {
        let id = match given.id.as_str() {
            "" => None,
            id => Some(id.parse().map_err(|_| Problem::new(Code::Malformed, "expected the form of this page").field("id"))?),
        };
        let create = CreateKey {
            id,
            name: given.name.clone(),
            scopes: ticked(&given.scopes, "scopes")?,
            sites: ticked(&given.sites, "sites")?,
            only: false,
            actor: Actor::Agent(agent.id),
            outside: app.engine.outside.clone(),
        };
        Ok::<_, Problem>(app.store.commit(create).await?)
    };
    match made.await {
        Ok(key) => page(&app, &agent, Some(MadeKey { name: given.name.trim().to_owned(), key }), None).await,
        Err(problem) => page(&app, &agent, None, Some(problem)).await,
    }
}

async fn revoke(State(app): State<App>, SignedIn { agent, .. }: SignedIn, Path(id): Path<String>) -> Result<Response, Problem> {
    agent.must(Right::ManageIntegrations)?;
    let revoke = RevokeKeys { which: Which::Id(id), actor: Actor::Agent(agent.id), now: app.engine.outside.now() };
    match app.store.commit(revoke).await.map_err(Problem::from) {
        Ok(_) => Ok(Redirect::to("/console/keys").into_response()),
        Err(problem) => page(&app, &agent, None, Some(problem)).await,
    }
}

/// Every key, and every site.
struct List;

impl Command for List {
    type Done = (Vec<ApiKey>, Vec<SiteKey>);
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Self::Done, Failure<Problem>> {
        let keys = tx.api_keys().await?;
        Ok((keys, tx.sites().await?))
    }
}

/// Makes a key.
pub(crate) struct CreateKey {
    /// Its id, if whoever makes it has chosen one; it makes one key only.
    pub(crate) id: Option<Uuid>,
    pub(crate) name: String,
    /// What it may do; none named: everything.
    pub(crate) scopes: Option<Vec<Scope>>,
    /// The sites it may do that on; none named: all, also those to come.
    pub(crate) sites: Option<Vec<SiteKey>>,
    /// Whether the other keys of its name are taken back.
    pub(crate) only: bool,
    pub(crate) actor: Actor,
    pub(crate) outside: Outside,
}

impl Command for CreateKey {
    /// The key as text, which cannot be told again.
    type Done = String;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<String, Failure<Problem>> {
        let Self { id, name, scopes, sites, only, actor, outside } = self;
        let refuse = |field: &str, detail: String| Err(Failure::Refused(Problem::new(Code::Malformed, detail).field(field)));
        let name = name.trim().to_owned();
        if name.is_empty() || name.chars().count() > NAME_MAX {
            return refuse("name", format!("expected a name of 1 to {NAME_MAX} characters"));
        }
        for site in sites.iter().flatten() {
            if tx.site_revision(site).await?.is_none() {
                return refuse("sites", format!("there is no site \"{site}\""));
            }
        }
        let now = outside.now();
        let id = id.unwrap_or_else(|| outside.new_id()).to_string();
        if tx.api_keys().await?.iter().any(|key| key.id == id) {
            return refuse(
                "id",
                "this key was made already, and is shown only once; take it back if you have lost it".to_owned(),
            );
        }
        if only {
            take_back(tx, &Which::Name(name.clone()), &actor, now).await?;
        }
        let secret = outside.new_secret();
        let text = format!("{KEY_PREFIX}{}", secret.reveal());
        // It is ASCII, so each character is a byte.
        let ending = text[text.len() - ENDING..].to_owned();
        let key = ApiKey { id, name, scopes, sites, ending, created_at: now, used_at: None };
        tx.add_api_key(&secret, &key).await?;
        let detail = json!({ "name": key.name, "scopes": key.scopes, "sites": key.sites });
        let (action, subject) = ("key.created", key.id.as_str());
        tx.audit(AuditEntry { actor: &actor, action, site: None, subject, detail, at: now }).await?;
        Ok(text)
    }
}

/// Which keys are meant.
#[derive(Debug, Clone)]
pub(crate) enum Which {
    /// All of a name.
    Name(String),
    /// The one with an id.
    Id(String),
}

/// Takes keys back.
pub(crate) struct RevokeKeys {
    pub(crate) which: Which,
    pub(crate) actor: Actor,
    pub(crate) now: Timestamp,
}

impl Command for RevokeKeys {
    /// How many there were.
    type Done = usize;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<usize, Failure<Problem>> {
        let count = take_back(tx, &self.which, &self.actor, self.now).await?;
        if count == 0 {
            let detail = match self.which {
                Which::Name(name) => format!("there is no key named {name:?}"),
                Which::Id(id) => format!("there is no key with the id {id:?}"),
            };
            return Err(Failure::Refused(Problem::new(Code::NotFound, detail)));
        }
        Ok(count)
    }
}

/// Takes keys back, and gives how many there were.
async fn take_back(tx: &mut Tx<'_>, which: &Which, actor: &Actor, now: Timestamp) -> Result<usize, Failure<Problem>> {
    let gone: Vec<(String, String)> = match which {
        Which::Name(name) => tx.remove_api_keys(name).await?.into_iter().map(|id| (id, name.clone())).collect(),
        Which::Id(id) => tx.remove_api_key(id).await?.into_iter().map(|name| (id.clone(), name)).collect(),
    };
    for (id, name) in &gone {
        let (action, detail) = ("key.revoked", json!({ "name": name }));
        tx.audit(AuditEntry { actor, action, site: None, subject: id, detail, at: now }).await?;
    }
    Ok(gone.len())
}
