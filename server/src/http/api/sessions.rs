//! Sessions: what a visitor did without a longer pause.

use axum::{
    Json,
    extract::{Path, State},
};
use jiff::Timestamp;
use porchlight_domain::id::{SessionId, SiteKey, VisitorId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Authorized,
    command::command,
    parsed,
    problems::Problems,
    told::{self, Part},
};
use crate::{
    http::{App, body::Query, problem::Problem},
    store::{ListFilter, SessionRecord},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(list_sessions)).routes(routes!(get_session))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Only those of this site.
    #[param(value_type = Option<String>)]
    site: Option<SiteKey>,
    /// Only those of this visitor.
    #[param(value_type = Option<String>)]
    visitor: Option<VisitorId>,
    /// Only those that began at this time or later.
    #[param(value_type = Option<String>, format = "date-time")]
    from: Option<Timestamp>,
    /// Only those that began before this time.
    #[param(value_type = Option<String>, format = "date-time")]
    to: Option<Timestamp>,
    /// The `next` of the page before; without it, from the beginning.
    after: Option<String>,
    /// The most in the answer.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
}

/// A session.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Session {
    /// Its id, as events name it.
    #[schema(value_type = String, format = "uuid")]
    id: SessionId,
    /// Its site.
    #[schema(value_type = String)]
    site: SiteKey,
    /// Whose it is.
    #[schema(value_type = String, format = "uuid")]
    visitor: VisitorId,
    /// When it began.
    #[schema(format = "date-time")]
    started_at: String,
    /// When something last happened in it.
    #[schema(format = "date-time")]
    active_at: String,
    /// How many events it has: the `seq` of its last.
    events: u64,
    /// The page that led to its first load; empty if none did, null if that is not known.
    #[schema(required)]
    referrer: Option<String>,
    /// The kind of device: `desktop`, `tablet` or `phone`, as far as it is known.
    #[schema(required)]
    device: Option<String>,
}

/// A page of sessions.
#[derive(Debug, Serialize, ToSchema)]
struct SessionsPage {
    /// The sessions, in the order in which they began.
    sessions: Vec<Session>,
    /// The `after` of the next page, if there may be one.
    #[schema(required)]
    next: Option<String>,
}

impl From<SessionRecord> for Session {
    fn from(record: SessionRecord) -> Self {
        Self {
            id: record.id,
            site: record.site,
            visitor: record.visitor,
            started_at: told::time(record.started_at),
            active_at: told::time(record.active_at),
            events: record.events,
            referrer: record.referrer,
            device: record.device,
        }
    }
}

/// Lists sessions.
#[utoipa::path(
    get, path = "/api/v1/sessions", tag = "sessions", params(Asked),
    responses((status = 200, description = "A page of the sessions.", body = SessionsPage), Problems), security(("key" = ["visitors:read"]))
)]
async fn list_sessions(
    key: Authorized,
    State(app): State<App>,
    Query(asked): Query<Asked>,
) -> Result<Json<SessionsPage>, Problem> {
    let part = Part {
        site: asked.site,
        after: asked.after.as_deref(),
        limit: asked.limit,
        from: asked.from,
        to: asked.to,
        visitor: asked.visitor,
        agent: None,
        phases: &[],
    };
    let filter = part.read(&key)?;
    let limit = filter.limit;
    let found = app
        .store
        .look(command!(|tx, filter: ListFilter<SessionId>| -> Vec<SessionRecord> { Ok(tx.sessions_listed(&filter).await?) }))
        .await?;
    let next = told::next(&found, limit, |record| record.id);
    Ok(Json(SessionsPage { sessions: found.into_iter().map(Session::from).collect(), next }))
}

/// Gives a session.
#[utoipa::path(
    get, path = "/api/v1/sessions/{id}", tag = "sessions", params(("id" = String, Path, description = "The session's id.")),
    responses((status = 200, description = "The session.", body = Session), Problems), security(("key" = ["visitors:read"]))
)]
async fn get_session(key: Authorized, State(app): State<App>, Path(id): Path<String>) -> Result<Json<Session>, Problem> {
    let id: SessionId = parsed(&id, "id")?;
    let found =
        app.store.look(command!(|tx, id: SessionId| -> Option<SessionRecord> { Ok(tx.session_record(id).await?) })).await?;
    Ok(Json(told::there(found, |record| &record.site, &key, "session")?.into()))
}
