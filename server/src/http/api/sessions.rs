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
    problems::Problems,
    told::{self, Part},
};
use crate::{
    access::Scope,
    http::{App, body::Query, problem::Problem},
    store::{Command, Failure, ListFilter, SessionRecord, Tx},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(sessions)).routes(routes!(session))
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

/// Sessions, a page at a time
#[utoipa::path(
    get, path = "/api/v1/sessions", tag = "sessions", params(Asked),
    responses((status = 200, description = "A page of the sessions", body = SessionsPage), Problems), security(("key" = []))
)]
async fn sessions(key: Authorized, State(app): State<App>, Query(asked): Query<Asked>) -> Result<Json<SessionsPage>, Problem> {
    key.needs(Scope::VisitorsRead)?;
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
    let found = app.store.look(List(filter)).await?;
    let next = told::next(&found, limit, |record| record.id);
    Ok(Json(SessionsPage { sessions: found.into_iter().map(Session::from).collect(), next }))
}

/// One session
#[utoipa::path(
    get, path = "/api/v1/sessions/{id}", tag = "sessions", params(("id" = String, Path, description = "The session's id")),
    responses((status = 200, description = "The session", body = Session), Problems), security(("key" = []))
)]
async fn session(key: Authorized, State(app): State<App>, Path(id): Path<String>) -> Result<Json<Session>, Problem> {
    key.needs(Scope::VisitorsRead)?;
    let found = app.store.look(One(told::id(&id)?)).await?;
    Ok(Json(told::there(found, |record| &record.site, &key, "session")?.into()))
}

struct List(ListFilter<SessionId>);

impl Command for List {
    type Done = Vec<SessionRecord>;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Vec<SessionRecord>, Failure<Problem>> {
        Ok(tx.sessions_listed(&self.0).await?)
    }
}

struct One(SessionId);

impl Command for One {
    type Done = Option<SessionRecord>;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Option<SessionRecord>, Failure<Problem>> {
        Ok(tx.session_record(self.0).await?)
    }
}
