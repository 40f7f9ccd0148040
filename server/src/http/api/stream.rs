//! `GET /api/v1/events/stream`: the log as it grows, as server-sent events
//! ([HTML §9.2](https://html.spec.whatwg.org/multipage/server-sent-events.html)).
//!
//! Nothing is pushed. A stream has a place in the log and reads on from there, a page at a time, when the client has taken what was read
//! before; the hub only says that there may be more. So a client that is slow, or stuck, costs one page of memory, and misses nothing.

use std::{time::Duration, vec::IntoIter};

use axum::{
    BoxError,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{StreamExt as _, stream};
use porchlight_domain::id::{ConversationId, SessionId, VisitorId};
use serde::Deserialize;
use tokio::sync::watch;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Authorized, events::place, problems::Problems, told};
use crate::{
    http::{
        App,
        body::Query,
        problem::{Code, Problem},
        streams::Slot,
    },
    store::{EventFilter, Logged, Store},
};

/// How many events are read at once.
const PAGE: u32 = 500;
/// After so many places of the log in which nothing was wanted, the client is told how far that is, so that when it comes again they are
/// not looked at again.
const PASSED_MAX: i64 = 500;
/// The header by which a client that comes again says how far it has come.
const LAST_EVENT_ID: &str = "last-event-id";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(stream_events))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// The place to begin after, if there is no Last-Event-ID: the `next` of a page, or the id of a message; 0: from the beginning.
    after: Option<String>,
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
}

/// Follows the log as it grows.
///
/// Server-sent events. Each message's `event` is the event's type, its `data` the envelope, its `id` a place in the log, the same as the
/// `next` of a page. Without Last-Event-ID and `after`, the stream begins with what happens from now on. The first message, and some
/// later ones, have only an `id`: that is how far the stream has come without anything to tell.
#[utoipa::path(
    get, path = "/api/v1/events/stream", tag = "events",
    params(Asked, ("Last-Event-ID" = Option<String>, Header, description = "The id of the last message that was received: goes before `after`.")),
    responses((status = 200, description = "The stream; it has no end of its own.", body = String, content_type = "text/event-stream"), Problems),
    security(("key" = ["events:read"]))
)]
async fn stream_events(
    key: Authorized,
    State(app): State<App>,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let last = match headers.get(LAST_EVENT_ID).map(HeaderValue::to_str) {
        None | Some(Ok("")) => None,
        Some(Ok(last)) => Some(place(last, "Last-Event-ID")?),
        Some(Err(_)) => {
            let problem = Problem::new(Code::Malformed, "expected the id of the last message that was received");
            return Err(problem.field("Last-Event-ID"));
        }
    };
    let asked_after = asked.after.as_deref().filter(|after| !after.is_empty()).map(|after| place(after, "after")).transpose()?;
    let mut filter = EventFilter {
        after: 0,
        until: None,
        limit: PAGE,
        kinds: told::kinds(asked.kind.as_deref())?,
        sites: told::sites(&key, asked.site.as_deref())?,
        session: asked.session,
        visitor: asked.visitor,
        conversation: asked.conversation,
        from: None,
        to: None,
    };
    let slot = app.limits.streams.begin(key.id())?;
    let hub = app.store.hub();
    // Before anything is read: what is committed after the read wakes.
    let (grown, stopping) = (hub.log(), hub.stopping());
    filter.after = match last.or(asked_after) {
        Some(after) => after,
        None => app.store.end_of_log().await?,
    };
    let follow = Follow {
        store: app.store.clone(),
        key: key.id().to_owned(),
        told: None,
        page: Vec::new().into_iter(),
        erasures: hub.erasures(),
        is_at_end: false,
        filter,
        grown,
        stopping,
        _slot: slot,
    };
    let events = stream::unfold(follow, |mut follow| async move {
        let told = follow.next().await.transpose()?;
        Some((told, follow))
    });
    let every = Duration::from_secs(app.settings.stream_ping_seconds);
    let mut response = Sse::new(events.fuse()).keep_alive(KeepAlive::new().interval(every).text("ping")).into_response();
    // nginx would keep what is sent until its buffer is full.
    response.headers_mut().insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

/// A client that follows the log.
struct Follow {
    store: Store,
    /// The key it came with.
    key: String,
    /// Where the next page begins, and what is wanted.
    filter: EventFilter,
    /// What was read and is yet to be told.
    page: IntoIter<Logged>,
    /// How many visitors had been erased before that was read.
    erasures: u64,
    /// Whether there was nothing more behind that page.
    is_at_end: bool,
    /// The last place that the client was told; none before the first message.
    told: Option<i64>,
    grown: watch::Receiver<()>,
    stopping: watch::Receiver<bool>,
    _slot: Slot,
}

impl Follow {
    /// The next message, as soon as there is one; none once the server stops, or the key was taken back.
    async fn next(&mut self) -> Result<Option<Event>, BoxError> {
        loop {
            let Some(told) = self.told else {
                // At once: a client that loses its connection before the first event then knows where it began.
                return Ok(Some(self.place(self.filter.after)));
            };
            let erasures = self.store.hub().erasures();
            if erasures != self.erasures {
                // What was read before may hold what is to be nowhere any more: it is read anew, as it is now.
                self.erasures = erasures;
                if !self.page.as_slice().is_empty() {
                    self.page = Vec::new().into_iter();
                    self.is_at_end = false;
                    self.filter.after = told;
                }
            }
            if let Some(logged) = self.page.next() {
                let event = Event::default().event(logged.event.kind.name()).json_data(&logged.event)?;
                self.told = Some(logged.position);
                return Ok(Some(event.id(logged.position.to_string())));
            }
            if self.is_at_end {
                if self.filter.after - told >= PASSED_MAX {
                    return Ok(Some(self.place(self.filter.after)));
                }
                tokio::select! {
                    grown = self.grown.changed() => grown?,
                    () = stopped(&mut self.stopping) => return Ok(None),
                }
            }
            // A stream lives no longer than the right to it.
            let stops = *self.stopping.borrow();
            if stops || !self.store.has_api_key(&self.key).await? {
                return Ok(None);
            }
            // Before it is read, so that an erasure in between is seen.
            self.erasures = self.store.hub().erasures();
            let page = self.store.events(&self.filter).await?;
            self.is_at_end = u32::try_from(page.events.len()).is_ok_and(|count| count < PAGE);
            self.filter.after = page.next;
            self.page = page.events.into_iter();
        }
    }

    /// A message that only says how far the stream has come.
    fn place(&mut self, place: i64) -> Event {
        self.told = Some(place);
        Event::default().id(place.to_string())
    }
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that the hub is gone, which is as good a reason to stop.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}
