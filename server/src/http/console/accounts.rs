//! `/console/accounts`: which companies and domains are assigned to which agents.

use std::collections::{BTreeMap, HashMap};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Multipart, State, multipart::MultipartError},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use jiff::Timestamp;
use leptos::prelude::*;
use porchlight_app::console::accounts::AccountsPage;
use porchlight_domain::id::{AgentId, SiteKey};
use serde::Deserialize;

use super::{
    render,
    session::{Right, SignedIn},
};
use crate::{
    csv,
    http::{
        App,
        body::Query,
        problem::{Code, Problem},
    },
    store::{AccountRow, Actor, AgentRow, AuditEntry, Command, Failure, Tx},
};

/// The longest name of a company or domain, in characters.
const NAME_MAX: usize = 253;
/// Room for what separates the parts of a form, in bytes.
const BESIDE: usize = 10_000;

pub(super) fn routes(limit: usize) -> Router<App> {
    let limit = DefaultBodyLimit::max(limit.saturating_mul(2).saturating_add(BESIDE));
    Router::new().route("/console/accounts", get(show).post(change).layer(limit))
}

#[derive(Debug, Deserialize)]
struct Which {
    site: Option<SiteKey>,
    #[serde(default)]
    saved: bool,
}

async fn show(State(app): State<App>, SignedIn { agent, .. }: SignedIn, Query(which): Query<Which>) -> Result<Response, Problem> {
    agent.must(Right::ManageTeams)?;
    page(&app, &agent, which.site, None, which.saved, Vec::new()).await
}

async fn page(
    app: &App,
    agent: &AgentRow,
    site: Option<SiteKey>,
    typed: Option<String>,
    saved: bool,
    problems: Vec<String>,
) -> Result<Response, Problem> {
    let (sites, site, csv, count) = app.store.look(Read { agent: agent.clone(), site }).await?;
    let csv = typed.unwrap_or(csv);
    let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let sites: Vec<String> = sites.iter().map(ToString::to_string).collect();
    let site = site.map(|site| site.to_string()).unwrap_or_default();
    Ok(render::page(status, Some(agent), ("accounts", "Accounts"), move |_| {
        let (sites, site, csv, problems) = (sites.clone(), site.clone(), csv.clone(), problems.clone());
        view! { <AccountsPage sites site csv count saved problems/> }
    })
    .await)
}

struct Read {
    agent: AgentRow,
    site: Option<SiteKey>,
}

impl Command for Read {
    type Done = (Vec<SiteKey>, Option<SiteKey>, String, usize);
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Self::Done, Failure<Problem>> {
        let mut sites = tx.sites().await?;
        sites.retain(|site| self.agent.serves(site));
        let site = self.site.filter(|site| sites.contains(site)).or_else(|| sites.first().cloned());
        let mut text = String::new();
        let mut count = 0;
        if let Some(site) = &site {
            let agents: HashMap<AgentId, String> = tx.agents().await?.into_iter().map(|agent| (agent.id, agent.email)).collect();
            for account in tx.accounts(site).await? {
                count += 1;
                let email = agents.get(&account.agent).map_or("", String::as_str);
                text += &format!("{},{}\n", csv::cell(&account.name), csv::cell(email));
            }
        }
        Ok((sites, site, text, count))
    }
}

async fn change(State(app): State<App>, SignedIn { agent, .. }: SignedIn, form: Multipart) -> Result<Response, Problem> {
    agent.must(Right::ManageTeams)?;
    let (site, text) = parts(form, app.settings.accounts_limit_bytes).await?;
    let put = Put {
        agent: agent.clone(),
        site: site.clone(),
        text: text.clone(),
        most: app.settings.accounts_limit,
        now: app.engine.outside.now(),
    };
    match app.store.commit(put).await {
        Ok(()) => Ok(Redirect::to(&format!("/console/accounts?site={site}&saved=true")).into_response()),
        Err(Failure::Refused(Refused::Lines(problems))) => page(&app, &agent, Some(site), Some(text), false, problems).await,
        Err(Failure::Refused(Refused::Problem(problem))) => Err(*problem),
        Err(Failure::Store(error)) => Err(error.into()),
    }
}

/// The site, and what is to be assigned: the file, if one was chosen.
async fn parts(mut form: Multipart, most: usize) -> Result<(SiteKey, String), Problem> {
    let bad = |detail: &str, field: &str| Problem::new(Code::Malformed, detail).field(field);
    let (mut site, mut typed, mut file) = (None, String::new(), None);
    let too_large = || Problem::new(Code::TooLarge, format!("expected at most {most} bytes")).field("csv");
    let failed = |error: MultipartError| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        _ => bad("the form could not be received", "csv"),
    };
    while let Some(part) = form.next_field().await.map_err(failed)? {
        let name = part.name().unwrap_or_default().to_owned();
        let chosen = part.file_name().is_some_and(|name| !name.is_empty());
        let bytes = part.bytes().await.map_err(|error| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Problem::new(Code::TooLarge, format!("expected at most {most} bytes")).field(name.as_str())
            }
            _ => bad("the form could not be received", &name),
        })?;
        if bytes.len() > most {
            return Err(Problem::new(Code::TooLarge, format!("expected at most {most} bytes")).field(name));
        }
        let text = String::from_utf8(bytes.to_vec()).map_err(|_| bad("expected text in UTF-8", &name))?;
        match name.as_str() {
            "site" => site = Some(text.parse().map_err(|_| bad("expected one of your sites", "site"))?),
            "csv" => typed = text,
            "file" if chosen => file = Some(text),
            _ => {}
        }
    }
    Ok((site.ok_or_else(|| bad("\"site\" is missing", "site"))?, file.unwrap_or(typed)))
}

/// Why nothing was assigned.
enum Refused {
    /// What is wrong with which lines.
    Lines(Vec<String>),
    /// Something else.
    Problem(Box<Problem>),
}

struct Put {
    agent: AgentRow,
    site: SiteKey,
    text: String,
    most: usize,
    now: Timestamp,
}

impl Command for Put {
    type Done = ();
    type Refusal = Refused;

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<Refused>> {
        let Self { agent, site, text, most, now } = self;
        let refused = |problems: Vec<String>| Failure::Refused(Refused::Lines(problems));
        if !agent.serves(&site) || tx.site_revision(&site).await?.is_none() {
            let problem = Problem::new(Code::Malformed, "expected one of your sites").field("site");
            return Err(Failure::Refused(Refused::Problem(Box::new(problem))));
        }
        let lines =
            csv::read(&text).map_err(|line| refused(vec![format!("line {line}: a quote is opened here, and never closed")]))?;
        if lines.len() > most {
            return Err(refused(vec![format!("expected at most {most} lines, got {}", lines.len())]));
        }
        let agents: HashMap<String, AgentRow> =
            tx.agents().await?.into_iter().map(|agent| (agent.email.clone(), agent)).collect();
        let mut accounts: BTreeMap<(String, String), (usize, AgentId)> = BTreeMap::new();
        let mut problems = Vec::new();
        for (number, cells) in lines {
            match account(&cells, &agents, &site) {
                Ok((kind, name, agent)) => {
                    let key = (kind.to_owned(), name);
                    if let Some((first, _)) = accounts.get(&key) {
                        problems.push(format!("line {number}: {} is assigned in line {first} already", key.1));
                    } else {
                        accounts.insert(key, (number, agent));
                    }
                }
                Err(problem) => problems.push(format!("line {number}: {problem}")),
            }
        }
        if !problems.is_empty() {
            return Err(refused(problems));
        }
        let rows: Vec<AccountRow> =
            accounts.into_iter().map(|((kind, name), (_, agent))| AccountRow { kind, name, agent }).collect();
        tx.put_accounts(&site, &rows).await?;
        let entry = AuditEntry {
            actor: &Actor::Agent(agent.id),
            action: "accounts.imported",
            site: Some(&site),
            subject: site.as_str(),
            detail: serde_json::json!({ "accounts": rows.len() }),
            at: now,
        };
        Ok(tx.audit(entry).await?)
    }
}

/// A line: a company or a domain, and the agent's address.
fn account(
    cells: &[String],
    agents: &HashMap<String, AgentRow>,
    site: &SiteKey,
) -> Result<(&'static str, String, AgentId), String> {
    let [name, email] = cells else {
        return Err(format!("expected two cells, a company or domain and the agent's address, got {}", cells.len()));
    };
    let name = csv::uncell(name.trim()).trim_start_matches('@').to_lowercase();
    if name.is_empty() || name.chars().count() > NAME_MAX {
        return Err(format!("expected a company or domain of 1 to {NAME_MAX} characters"));
    }
    let email = csv::uncell(email.trim()).to_lowercase();
    let agent = agents.get(&email).filter(|agent| agent.serves(site) && !agent.disabled);
    let agent =
        agent.ok_or_else(|| format!("no agent of this site has the address {:?}", email.chars().take(80).collect::<String>()))?;
    // A domain has a point and no space: a company's name that looks so is meant as one.
    let is_domain = name.contains('.') && !name.contains(char::is_whitespace) && !name.ends_with('.');
    Ok((if is_domain { "domain" } else { "company" }, name, agent.id))
}
