//! `/console/export`: the log as a file, for those who connect other systems.

use axum::{Router, extract::State, http::StatusCode, response::Response, routing::get};
use jiff::{Timestamp, ToSpan, civil::Date};
use leptos::{config::LeptosOptions, prelude::*};
use porchlight_app::console::export::ExportPage;
use porchlight_domain::{
    event::{CATALOGUE, EventType},
    id::SiteKey,
};
use serde::Deserialize;

use super::{
    render,
    session::{Right, SignedIn},
};
use crate::{
    assets::manifest,
    export::ExportFormat,
    http::{
        App,
        body::{Query, SEVERAL},
        export,
        problem::{Code, Problem},
    },
    store::{AgentRow, Command, EventFilter, Failure, Tx},
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/console/export", get(show)).route("/console/export/events", get(file))
}

async fn show(State(app): State<App>, SignedIn { agent, .. }: SignedIn) -> Result<Response, Problem> {
    agent.must(Right::ManageIntegrations)?;
    let sites: Vec<String> = app.store.look(Sites(agent.clone())).await?.iter().map(ToString::to_string).collect();
    let kinds: Vec<String> = CATALOGUE.iter().map(|entry| entry.name.to_owned()).collect();
    let me = render::me(&agent);
    let view = move || {
        render::allow();
        let options = LeptosOptions::builder().output_name(manifest().console.as_str()).site_pkg_dir("assets").build();
        let (sites, kinds, me) = (sites.clone(), kinds.clone(), me.clone());
        view! { <ExportPage sites kinds me css=render::css() options/> }
    };
    Ok(render::response(StatusCode::OK, view).await)
}

/// The fields of the form; what is empty is not asked for.
#[derive(Debug, Deserialize)]
struct Wanted {
    format: ExportFormat,
    #[serde(default)]
    site: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default, rename = "type")]
    kind: String,
}

impl Wanted {
    fn read(&self, agent: &AgentRow) -> Result<EventFilter, Problem> {
        let zone = agent.availability.zone();
        let day = |field: &str, text: &str, later: i32| -> Result<Option<Timestamp>, Problem> {
            if text.is_empty() {
                return Ok(None);
            }
            let expected = || {
                Problem::new(Code::Malformed, format!("{field}: expected a day such as 2026-11-26, got {text:?}")).field(field)
            };
            let day: Date = text.parse().map_err(|_| expected())?;
            let begins = day.checked_add(later.days()).and_then(|day| day.to_zoned(zone.clone())).map_err(|_| expected())?;
            Ok(Some(begins.timestamp()))
        };
        let bad = |field: &str| Problem::new(Code::Malformed, format!("{field}: expected one of the list")).field(field);
        let sites = if self.site.is_empty() {
            agent.sites().map(<[SiteKey]>::to_vec)
        } else {
            let site: SiteKey = self.site.parse().map_err(|_| bad("site"))?;
            Some(vec![Some(site).filter(|site| agent.serves(site)).ok_or_else(|| bad("site"))?])
        };
        let kinds = self.kind.split(SEVERAL).filter(|kind| !kind.is_empty());
        Ok(EventFilter {
            kinds: kinds.map(|kind| kind.parse::<EventType>().map_err(|_| bad("type"))).collect::<Result<_, _>>()?,
            sites,
            from: day("from", &self.from, 0)?,
            // The last day is part of it.
            to: day("to", &self.to, 1)?,
            ..EventFilter::default()
        })
    }
}

async fn file(
    State(app): State<App>,
    SignedIn { agent, .. }: SignedIn,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    agent.must(Right::ManageIntegrations)?;
    export::file(&app, wanted.read(&agent)?, wanted.format).await
}

/// The sites of an agent.
struct Sites(AgentRow);

impl Command for Sites {
    type Done = Vec<SiteKey>;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Vec<SiteKey>, Failure<Problem>> {
        Ok(tx.sites().await?.into_iter().filter(|site| self.0.serves(site)).collect())
    }
}
