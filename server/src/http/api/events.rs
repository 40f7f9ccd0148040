//! `GET /api/v1/events`: the log, a page at a time.

use axum::{Json, Router, extract::State, routing::get};
use porchlight_domain::{
    event::{Event, EventType},
    id::{SessionId, SiteKey},
};
use serde::{Deserialize, Serialize};

use super::Authorized;
use crate::{
    http::{
        App,
        body::Query,
        problem::{Code, Problem},
    },
    store::EventFilter,
};

/// How many events a page holds if the caller does not say.
const LIMIT_DEFAULT: u32 = 100;
/// The most events a page may hold.
const LIMIT_MAX: u32 = 1000;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/api/v1/events", get(events))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    after: Option<String>,
    limit: Option<u32>,
    #[serde(rename = "type")]
    kind: Option<EventType>,
    site: Option<SiteKey>,
    session: Option<SessionId>,
}

#[derive(Debug, Serialize)]
struct Page {
    events: Vec<Event>,
    /// Where to go on from: the `after` of the next request.
    next: String,
}

async fn events(_: Authorized, State(app): State<App>, Query(asked): Query<Asked>) -> Result<Json<Page>, Problem> {
    let after = match asked.after.as_deref() {
        None | Some("") => 0,
        Some(cursor) => cursor
            .parse()
            .ok()
            .filter(|after| *after >= 0)
            .ok_or_else(|| Problem::new(Code::Malformed, "expected the `next` of an earlier page").field("after"))?,
    };
    let limit = asked.limit.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(Problem::new(Code::Malformed, format!("expected a number from 1 to {LIMIT_MAX}")).field("limit"));
    }
    let page =
        app.store.events(&EventFilter { after, limit, kind: asked.kind, site: asked.site, session: asked.session }).await?;
    Ok(Json(Page { events: page.events.into_iter().map(|logged| logged.event).collect(), next: page.next.to_string() }))
}
