//! `/feeds/{secret}/meetings.ics`: an agent's meetings, as a calendar program subscribes to them. Calendar programs know no other way to say who they are than
//! the address, so whoever has it may read them.

use axum::{
    Router,
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use jiff::{SignedDuration, Timestamp};

use super::{
    App,
    problem::{Code, Problem},
};
use crate::{
    calendar::ics::{Invitation, feed},
    meetings::in_calendars,
    secret::Secret,
    store::{Command, Failure, MeetingFilter, Tx},
    visit::Engine,
};

/// How far back meetings stay in the feed.
const BEFORE: SignedDuration = SignedDuration::from_hours(60 * 24);
/// How far ahead it goes.
const AHEAD: SignedDuration = SignedDuration::from_hours(400 * 24);
/// The most meetings of a feed.
const MEETINGS_MAX: u32 = 2000;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/feeds/{secret}/meetings.ics", get(meetings))
}

async fn meetings(State(app): State<App>, Path(secret): Path<String>) -> Result<Response, Problem> {
    let unknown = || Problem::new(Code::NotFound, "this calendar has another address now").field("secret");
    let secret: Secret = secret.parse().map_err(|_| unknown())?;
    let content = app.store.look(Feed { engine: app.engine.clone(), secret }).await?.ok_or_else(unknown)?;
    Ok(([(header::CONTENT_TYPE, "text/calendar; charset=utf-8")], content).into_response())
}

struct Feed {
    engine: Engine,
    secret: Secret,
}

impl Command for Feed {
    type Done = Option<String>;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Self::Done, Failure<Problem>> {
        let Self { engine, secret } = self;
        let Some(agent) = tx.feed(&secret).await? else { return Ok(None) };
        let Some(agent) = tx.agent(agent).await?.filter(|agent| !agent.disabled) else { return Ok(None) };
        let now = engine.outside.now();
        let filter = MeetingFilter {
            sites: None,
            agent: Some(agent.id),
            from: now.checked_sub(BEFORE).unwrap_or(Timestamp::MIN),
            to: now.checked_add(AHEAD).unwrap_or(Timestamp::MAX),
            cancelled: false,
            limit: MEETINGS_MAX,
        };
        let records = tx.meetings(&filter).await?;
        let described: Vec<_> = records
            .iter()
            .map(|record| {
                in_calendars(&engine.links, &record.meeting, &agent, record.changed_at, None, |event| {
                    let guest = event.attendees.first().map(|(name, email)| format!("{name} <{email}>")).unwrap_or_default();
                    (event.uid.to_owned(), guest)
                })
            })
            .collect();
        let more = engine.links.meetings();
        let events: Vec<Invitation<'_>> = records
            .iter()
            .zip(&described)
            .map(|(record, (uid, guest))| Invitation {
                uid,
                sequence: record.meeting.sequence,
                now: record.changed_at,
                start: record.meeting.span.start,
                end: record.meeting.span.end,
                title: &record.meeting.title,
                description: guest,
                location: record.meeting.location.as_deref(),
                organizer: (&agent.name, &agent.email),
                attendees: &[],
                url: Some(&more),
            })
            .collect();
        Ok(Some(feed(&format!("Meetings of {}", agent.name), &events)))
    }
}
