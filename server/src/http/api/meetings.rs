//! Meetings that were booked.

use axum::{
    Json,
    extract::{Path, State},
};
use jiff::Timestamp;
use porchlight_domain::{
    id::{AgentId, ConversationId, MeetingId, SessionId, SiteKey, VisitorId},
    meeting::{MeetingPhase, Party},
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
    store::{ListFilter, MeetingRecord},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(list_meetings)).routes(routes!(get_meeting))
}

/// Where a meeting stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum MeetingState {
    /// It takes place, or did.
    Booked,
    /// It was called off.
    Cancelled,
}

impl MeetingState {
    /// The state of a meeting; none of a time that is or was only held.
    const fn of(phase: MeetingPhase) -> Option<Self> {
        match phase {
            MeetingPhase::Booked => Some(Self::Booked),
            MeetingPhase::Cancelled { .. } => Some(Self::Cancelled),
            MeetingPhase::Held { .. } | MeetingPhase::Released => None,
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
    /// Only those on the calendar of this agent.
    #[param(value_type = Option<String>)]
    agent: Option<AgentId>,
    /// Only those of this visitor.
    #[param(value_type = Option<String>)]
    visitor: Option<VisitorId>,
    /// Only those that begin at this time or later.
    #[param(value_type = Option<String>, format = "date-time")]
    from: Option<Timestamp>,
    /// Only those that begin before this time.
    #[param(value_type = Option<String>, format = "date-time")]
    to: Option<Timestamp>,
    /// Only those that stand so.
    #[param(inline)]
    state: Option<MeetingState>,
    /// The `next` of the page before; without it, from the beginning.
    after: Option<String>,
    /// The most in the answer.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
}

/// A meeting.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Meeting {
    /// Its id, as events name it.
    #[schema(value_type = String, format = "uuid")]
    id: MeetingId,
    /// Its site.
    #[schema(value_type = String)]
    site: SiteKey,
    /// Who booked it.
    #[schema(value_type = String, format = "uuid")]
    visitor: VisitorId,
    /// The session it was booked in.
    #[schema(value_type = String, format = "uuid")]
    session: SessionId,
    /// The conversation it was booked in.
    #[schema(value_type = String)]
    conversation: ConversationId,
    /// Whose calendar it is on.
    #[schema(value_type = String, format = "uuid")]
    agent: AgentId,
    /// Where it stands.
    state: MeetingState,
    /// Who called it off: `guest` or `agent`; null if nobody did.
    #[schema(required, value_type = Option<String>)]
    cancelled_by: Option<Party>,
    /// When it begins.
    #[schema(format = "date-time")]
    start: String,
    /// When it ends.
    #[schema(format = "date-time")]
    end: String,
    /// The IANA name of the zone its guest reads it in.
    time_zone: String,
    /// What it is called.
    title: String,
    /// Where it is, if that was said.
    #[schema(required)]
    location: Option<String>,
    /// Who comes.
    #[schema(required)]
    guest: Option<MeetingGuest>,
    /// How often it was changed since it was booked.
    changes: u32,
    /// The address of the page it was booked on.
    page: String,
    /// When it was made.
    #[schema(format = "date-time")]
    made_at: String,
    /// When it last changed.
    #[schema(format = "date-time")]
    changed_at: String,
}

/// Who comes to a meeting.
#[derive(Debug, Serialize, ToSchema)]
struct MeetingGuest {
    /// Their name, if they gave one.
    #[schema(required)]
    name: Option<String>,
    /// Their address.
    email: String,
}

/// A page of meetings.
#[derive(Debug, Serialize, ToSchema)]
struct MeetingsPage {
    /// The meetings, in the order in which they were made.
    meetings: Vec<Meeting>,
    /// The `after` of the next page, if there may be one.
    #[schema(required)]
    next: Option<String>,
}

/// A meeting as it is told; none of a time that is or was only held.
fn shown(record: MeetingRecord) -> Option<Meeting> {
    let MeetingRecord { meeting, site, visitor, conversation, session, page, made_at, changed_at, .. } = record;
    Some(Meeting {
        id: meeting.id,
        site,
        visitor,
        session,
        conversation,
        agent: meeting.agent,
        state: MeetingState::of(meeting.phase)?,
        cancelled_by: match meeting.phase {
            MeetingPhase::Cancelled { by } => Some(by),
            MeetingPhase::Held { .. } | MeetingPhase::Booked | MeetingPhase::Released => None,
        },
        start: told::time(meeting.span.start),
        end: told::time(meeting.span.end),
        time_zone: meeting.time_zone,
        title: meeting.title,
        location: meeting.location,
        guest: meeting.guest.map(|guest| MeetingGuest { name: guest.name, email: guest.email }),
        changes: meeting.sequence,
        page,
        made_at: told::time(made_at),
        changed_at: told::time(changed_at),
    })
}

/// Lists meetings.
///
/// Those that were booked, also those that were called off since.
#[utoipa::path(
    get, path = "/api/v1/meetings", tag = "meetings", params(Asked),
    responses((status = 200, description = "A page of the meetings.", body = MeetingsPage), Problems), security(("key" = ["meetings:read"]))
)]
async fn list_meetings(
    key: Authorized,
    State(app): State<App>,
    Query(asked): Query<Asked>,
) -> Result<Json<MeetingsPage>, Problem> {
    let part = Part {
        site: asked.site,
        after: asked.after.as_deref(),
        limit: asked.limit,
        from: asked.from,
        to: asked.to,
        visitor: asked.visitor,
        agent: asked.agent,
        phases: match asked.state {
            Some(MeetingState::Booked) => &["booked"],
            Some(MeetingState::Cancelled) => &["cancelled"],
            None => &["booked", "cancelled"],
        },
    };
    let filter = part.read(&key)?;
    let limit = filter.limit;
    let found = app
        .store
        .look(command!(|tx, filter: ListFilter<MeetingId>| -> Vec<MeetingRecord> { Ok(tx.meetings_listed(&filter).await?) }))
        .await?;
    let next = told::next(&found, limit, |record| record.meeting.id);
    Ok(Json(MeetingsPage { meetings: found.into_iter().filter_map(shown).collect(), next }))
}

/// Gives a meeting.
#[utoipa::path(
    get, path = "/api/v1/meetings/{id}", tag = "meetings", params(("id" = String, Path, description = "The meeting's id.")),
    responses((status = 200, description = "The meeting.", body = Meeting), Problems), security(("key" = ["meetings:read"]))
)]
async fn get_meeting(key: Authorized, State(app): State<App>, Path(id): Path<String>) -> Result<Json<Meeting>, Problem> {
    let id: MeetingId = parsed(&id, "id")?;
    let found = app
        .store
        .look(command!(|tx, id: MeetingId| -> Option<MeetingRecord> { Ok(tx.meeting(id).await?) }))
        .await?
        .and_then(shown);
    Ok(Json(told::there(found, |meeting| &meeting.site, &key, "meeting")?))
}
