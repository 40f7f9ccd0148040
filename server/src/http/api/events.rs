//! The log: `GET /api/v1/events`, a page at a time, and `GET /api/v1/events/{id}`.

use axum::{
    Json,
    extract::{Path, State},
};
use jiff::Timestamp;
use porchlight_domain::{
    event::Event,
    id::{ConversationId, SessionId, VisitorId},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Authorized, page, parsed, problems::Problems, told};
use crate::{
    http::{
        App,
        body::Query,
        problem::{Code, Problem},
    },
    store::EventFilter,
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(list_events)).routes(routes!(get_event))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// The `next` of an earlier page; without it, from the beginning of the log.
    after: Option<String>,
    /// The most events in the answer.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
    /// Only events of these types, with commas between.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Only events of these sites, with commas between.
    site: Option<String>,
    /// Only events of this session.
    #[param(value_type = Option<String>)]
    session: Option<SessionId>,
    /// Only events of this visitor.
    #[param(value_type = Option<String>)]
    visitor: Option<VisitorId>,
    /// Only events of this conversation.
    #[param(value_type = Option<String>)]
    conversation: Option<ConversationId>,
    /// Only what happened at this time or later.
    #[param(value_type = Option<String>, format = "date-time")]
    from: Option<Timestamp>,
    /// Only what happened before this time.
    #[param(value_type = Option<String>, format = "date-time")]
    to: Option<Timestamp>,
}

/// The envelope of an event. What `data` holds depends on the type; the reference of events lists it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes the domain's event, which knows nothing of this API")]
pub(super) struct EventEnvelope {
    /// The same on the page, in the log and in a webhook: whoever gets an event twice knows it by this.
    #[schema(format = "uuid")]
    id: String,
    /// What happened.
    #[schema(rename = "type", example = "conversation.engaged")]
    kind: String,
    /// Counts from 1 without gaps inside a session.
    #[schema(minimum = 1)]
    seq: u64,
    /// When it happened: UTC, with three decimals of a second.
    #[schema(format = "date-time")]
    time: String,
    /// The key of the site it happened on.
    site: String,
    /// Whom it happened to.
    #[schema(format = "uuid")]
    visitor: String,
    /// The session it belongs to.
    #[schema(format = "uuid")]
    session: String,
    /// The conversation it belongs to, if to one.
    #[schema(required)]
    conversation: Option<String>,
    /// The address of the page it happened on.
    page: String,
    /// The fields of its type.
    #[schema(value_type = Object)]
    data: serde_json::Value,
}

/// A page of the log.
#[derive(Debug, Serialize, ToSchema)]
struct EventsPage {
    /// The events, in the order of the log.
    #[schema(value_type = Vec<EventEnvelope>)]
    events: Vec<Event>,
    /// Where to go on from: the `after` of the next request. Always there, since the log grows.
    next: String,
}

/// A place in the log, as pages and streams tell it.
pub(super) fn place(text: &str, field: &str) -> Result<i64, Problem> {
    let place = text.parse::<i64>().ok().filter(|place| *place >= 0);
    place.ok_or_else(|| {
        Problem::new(Code::Malformed, "expected the `next` of an earlier page, or the id of a message").field(field)
    })
}

/// Reads the log of events, a page at a time.
///
/// The events come in the order in which they were stored. Who asks again and again with the `next` of the last page sees each event
/// once, and none too few, while others are written.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "events", params(Asked),
    responses((status = 200, description = "A page of the log.", body = EventsPage), Problems), security(("key" = ["events:read"]))
)]
async fn list_events(key: Authorized, State(app): State<App>, Query(asked): Query<Asked>) -> Result<Json<EventsPage>, Problem> {
    let filter = EventFilter {
        after: asked.after.as_deref().filter(|after| !after.is_empty()).map_or(Ok(0), |after| place(after, "after"))?,
        until: None,
        limit: page::limit(asked.limit)?,
        kinds: told::kinds(asked.kind.as_deref())?,
        sites: told::sites(&key, asked.site.as_deref())?,
        session: asked.session,
        visitor: asked.visitor,
        conversation: asked.conversation,
        from: asked.from,
        to: asked.to,
    };
    let page = app.store.events(&filter).await?;
    Ok(Json(EventsPage { events: page.events.into_iter().map(|logged| logged.event).collect(), next: page.next.to_string() }))
}

/// Gives an event.
#[utoipa::path(
    get, path = "/api/v1/events/{id}", tag = "events", params(("id" = String, Path, description = "The event's id.")),
    responses((status = 200, description = "The event.", body = EventEnvelope), Problems), security(("key" = ["events:read"]))
)]
async fn get_event(key: Authorized, State(app): State<App>, Path(id): Path<String>) -> Result<Json<Event>, Problem> {
    let found = app.store.event(parsed(&id, "id")?).await?;
    Ok(Json(told::there(found.map(|logged| logged.event), |event| &event.site, &key, "event")?))
}
