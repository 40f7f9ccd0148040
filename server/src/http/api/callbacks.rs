//! Call backs: whom to call, when, and what came of it.

use axum::{
    Json,
    extract::{Path, State},
};
use jiff::Timestamp;
use porchlight_domain::{
    callback::{CallbackPhase, Outcome},
    id::{AgentId, CallbackId, ConversationId, SessionId, SiteKey, TeamId, VisitorId},
};
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
    store::{CallbackRecord, ListFilter},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(list_callbacks)).routes(routes!(get_callback))
}

/// Where a call back stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum CallbackState {
    /// Somebody is to call.
    Waiting,
    /// An agent is calling.
    Claimed,
    /// It is over.
    Done,
}

impl CallbackState {
    /// The state of a call back; none of one that was never asked for to its end.
    const fn of(phase: CallbackPhase) -> Option<Self> {
        match phase {
            CallbackPhase::Waiting => Some(Self::Waiting),
            CallbackPhase::Claimed { .. } => Some(Self::Claimed),
            CallbackPhase::Done { .. } => Some(Self::Done),
            CallbackPhase::Choosing | CallbackPhase::Dropped => None,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Only those of this site.
    #[param(value_type = Option<String>)]
    site: Option<SiteKey>,
    /// Only those that this agent has, or made last.
    #[param(value_type = Option<String>)]
    agent: Option<AgentId>,
    /// Only those of this visitor.
    #[param(value_type = Option<String>)]
    visitor: Option<VisitorId>,
    /// Only those that were asked for at this time or later.
    #[param(value_type = Option<String>, format = "date-time")]
    from: Option<Timestamp>,
    /// Only those that were asked for before this time.
    #[param(value_type = Option<String>, format = "date-time")]
    to: Option<Timestamp>,
    /// Only those that stand so.
    #[param(inline)]
    state: Option<CallbackState>,
    /// The `next` of the page before; without it, from the beginning.
    after: Option<String>,
    /// The most in the answer.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
}

/// A call back.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Callback {
    /// Its id, as events name it.
    #[schema(value_type = String, format = "uuid")]
    id: CallbackId,
    /// Its site.
    #[schema(value_type = String)]
    site: SiteKey,
    /// Who is called.
    #[schema(value_type = String, format = "uuid")]
    visitor: VisitorId,
    /// The session it was asked for in.
    #[schema(value_type = String, format = "uuid")]
    session: SessionId,
    /// The conversation it was asked for in.
    #[schema(value_type = String)]
    conversation: ConversationId,
    /// `CallbackNow`, or `CallbackLater` for one at a time of choice.
    #[schema(value_type = String)]
    kind: &'static str,
    /// The number to call, in E.164.
    phone: String,
    /// Where it stands.
    state: CallbackState,
    /// Who has it, or made it last.
    #[schema(required, value_type = Option<String>, format = "uuid")]
    agent: Option<AgentId>,
    /// What came of it: `reached`, `not_reached` or `wrong_number`; null while it is not over.
    #[schema(required, value_type = Option<String>)]
    outcome: Option<&'static str>,
    /// The team that calls; null: any agent of the site.
    #[schema(required, value_type = Option<String>)]
    team: Option<TeamId>,
    /// From when it was promised that somebody calls.
    #[schema(required, format = "date-time")]
    promised_from: Option<String>,
    /// Until when.
    #[schema(required, format = "date-time")]
    promised_until: Option<String>,
    /// How often somebody has called.
    attempts: u32,
    /// What agents noted.
    note: String,
    /// The address of the page it was asked for on.
    page: String,
    /// When it was asked for.
    #[schema(format = "date-time")]
    requested_at: String,
    /// When it last changed.
    #[schema(format = "date-time")]
    changed_at: String,
}

/// A page of call backs.
#[derive(Debug, Serialize, ToSchema)]
struct CallbacksPage {
    /// The call backs, in the order in which they were asked for.
    callbacks: Vec<Callback>,
    /// The `after` of the next page, if there may be one.
    #[schema(required)]
    next: Option<String>,
}

/// A call back as it is told; none of one that was never asked for to its end.
fn shown(record: CallbackRecord) -> Option<Callback> {
    let CallbackRecord { callback, site, visitor, conversation, session, page, changed_at, note } = record;
    Some(Callback {
        id: callback.id,
        site,
        visitor,
        session,
        conversation,
        kind: callback.kind.name(),
        state: CallbackState::of(callback.phase)?,
        agent: callback.agent(),
        outcome: match callback.phase {
            CallbackPhase::Done { outcome, .. } => Some(Outcome::name(outcome)),
            CallbackPhase::Choosing | CallbackPhase::Waiting | CallbackPhase::Claimed { .. } | CallbackPhase::Dropped => None,
        },
        promised_from: callback.promised.map(|promised| told::time(promised.start)),
        promised_until: callback.promised.map(|promised| told::time(promised.end)),
        attempts: callback.attempts,
        note,
        page,
        requested_at: told::time(callback.requested_at),
        changed_at: told::time(changed_at),
        phone: callback.phone,
        team: callback.team,
    })
}

/// Lists call backs.
#[utoipa::path(
    get, path = "/api/v1/callbacks", tag = "callbacks", params(Asked),
    responses((status = 200, description = "A page of the call backs.", body = CallbacksPage), Problems), security(("key" = ["callbacks:read"]))
)]
async fn list_callbacks(
    key: Authorized,
    State(app): State<App>,
    Query(asked): Query<Asked>,
) -> Result<Json<CallbacksPage>, Problem> {
    let part = Part {
        site: asked.site,
        after: asked.after.as_deref(),
        limit: asked.limit,
        from: asked.from,
        to: asked.to,
        visitor: asked.visitor,
        agent: asked.agent,
        phases: match asked.state {
            Some(CallbackState::Waiting) => &["waiting"],
            Some(CallbackState::Claimed) => &["claimed"],
            Some(CallbackState::Done) => &["done"],
            None => &["waiting", "claimed", "done"],
        },
    };
    let filter = part.read(&key)?;
    let limit = filter.limit;
    let found = app
        .store
        .look(command!(|tx, filter: ListFilter<CallbackId>| -> Vec<CallbackRecord> { Ok(tx.callbacks_listed(&filter).await?) }))
        .await?;
    let next = told::next(&found, limit, |record| record.callback.id);
    Ok(Json(CallbacksPage { callbacks: found.into_iter().filter_map(shown).collect(), next }))
}

/// Gives a call back.
#[utoipa::path(
    get, path = "/api/v1/callbacks/{id}", tag = "callbacks", params(("id" = String, Path, description = "The call back's id.")),
    responses((status = 200, description = "The call back.", body = Callback), Problems), security(("key" = ["callbacks:read"]))
)]
async fn get_callback(key: Authorized, State(app): State<App>, Path(id): Path<String>) -> Result<Json<Callback>, Problem> {
    let id: CallbackId = parsed(&id, "id")?;
    let found = app
        .store
        .look(command!(|tx, id: CallbackId| -> Option<CallbackRecord> { Ok(tx.callback(id).await?) }))
        .await?
        .and_then(shown);
    Ok(Json(told::there(found, |callback| &callback.site, &key, "call back")?))
}
