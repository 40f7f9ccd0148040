//! `/console/audit`: who did what.

use std::collections::HashMap;

use axum::{Router, extract::State, http::StatusCode, response::Response, routing::get};
use leptos::prelude::*;
use porchlight_app::console::audit::{AuditChoice, AuditLine, AuditPage};
use porchlight_domain::id::SiteKey;
use serde::Deserialize;
use serde_json::Value;

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
    store::{AgentRow, AuditFilter, AuditRecord, Command, Failure, Tx},
    when::When,
};

/// How many entries a page has.
const PAGE: u32 = 50;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/console/audit", get(show))
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Wanted {
    #[serde(default)]
    site: String,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    before: String,
}

impl Wanted {
    fn filter(&self) -> Result<AuditFilter, Problem> {
        let bad = |field: &str, detail: &str| Problem::new(Code::Malformed, detail).field(field);
        let site = match self.site.as_str() {
            "" => None,
            site => Some(site.parse::<SiteKey>().map_err(|_| bad("site", "expected one of the sites"))?),
        };
        let before = match self.before.as_str() {
            "" => None,
            before => Some(before.parse().map_err(|_| bad("before", "expected the way to older entries of a page"))?),
        };
        let subject = Some(self.subject.trim().to_owned()).filter(|subject| !subject.is_empty());
        Ok(AuditFilter { before, limit: PAGE + 1, site, subject })
    }
}

async fn show(
    State(app): State<App>,
    SignedIn { agent, .. }: SignedIn,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    agent.must(Right::ManageIntegrations)?;
    let (filter, problem) = match wanted.filter() {
        Ok(filter) => (filter, None),
        Err(problem) => (Wanted::default().filter()?, Some(problem)),
    };
    let status = problem.as_ref().map_or(StatusCode::OK, |problem| problem.code.status());
    let problem = problem.map(|problem| problem.in_words());
    let (sites, mut records, names) = app.store.look(Read { agent: agent.clone(), filter }).await?;
    let more = records.len() > PAGE as usize;
    records.truncate(PAGE as usize);
    let choice = AuditChoice { site: wanted.site, subject: wanted.subject.trim().to_owned() };
    let older = records.last().filter(|_| more).and_then(|last| {
        let before = last.position.to_string();
        let query = [("site", choice.site.as_str()), ("subject", choice.subject.as_str()), ("before", before.as_str())];
        serde_urlencoded::to_string(query).ok().map(|query| format!("/console/audit?{query}"))
    });
    let (writes, zone) = (When::of("en-GB"), agent.availability.zone());
    let lines: Vec<AuditLine> =
        records.into_iter().map(|record| line(record, &names, &|at| writes.day_and_time(at, &zone))).collect();
    let sites: Vec<String> = sites.iter().map(ToString::to_string).collect();
    Ok(render::page(status, Some(&agent), ("audit", "Audit log"), move |_| {
        let (choice, sites, lines) = (choice.clone(), sites.clone(), lines.clone());
        let (older, problem) = (older.clone(), problem.clone());
        view! { <AuditPage choice sites lines older problem/> }
    })
    .await)
}

/// Agents and keys by their ids.
type Names = HashMap<String, String>;

fn line(record: AuditRecord, names: &Names, at: &dyn Fn(jiff::Timestamp) -> String) -> AuditLine {
    let named = |id: &str| names.get(id).cloned().unwrap_or_else(|| id.to_owned());
    let actor = match record.actor_kind.as_str() {
        "agent" => named(&record.actor),
        "key" => format!("the key {}", named(&record.actor)),
        "command line" => "the command line".to_owned(),
        _ => "the server".to_owned(),
    };
    let facts = match record.detail {
        Value::Object(facts) => facts.into_iter().map(|(name, value)| (name, words(&value))).collect(),
        Value::Null => Vec::new(),
        other => vec![("detail".to_owned(), words(&other))],
    };
    let key: String = url::form_urlencoded::byte_serialize(record.subject.as_bytes()).collect();
    AuditLine {
        at: at(record.at),
        actor,
        action: record.action,
        site: record.site.map(|site| site.to_string()),
        subject: named(&record.subject),
        key,
        facts,
    }
}

/// A value as people read it.
fn words(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(words).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

struct Read {
    agent: AgentRow,
    filter: AuditFilter,
}

impl Command for Read {
    type Done = (Vec<SiteKey>, Vec<AuditRecord>, Names);
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Self::Done, Failure<Problem>> {
        let mut sites = tx.sites().await?;
        sites.retain(|site| self.agent.serves(site));
        let records = tx.audited(&self.filter).await?;
        let mut names: Names = tx.agents().await?.into_iter().map(|agent| (agent.id.to_string(), agent.name)).collect();
        names.extend(tx.api_keys().await?.into_iter().map(|key| (key.id, key.name)));
        Ok((sites, records, names))
    }
}
