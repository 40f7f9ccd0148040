//! `/meetings/{id}/{signature}`: a meeting, as its guest looks at it, moves it, and calls it off. Whoever has the address may: it stands in the letters
//! about it. Nothing is changed by looking, since programs look at addresses in letters, too.

use axum::{
    Router,
    body::Body as HttpBody,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use jiff::{Timestamp, ToSpan};
use leptos::{nonce::use_nonce, prelude::*};
use leptos_axum::ResponseOptions;
use porchlight_app::{
    i18n::{Locale, named},
    widget::{Booking, MeetingPage, MeetingState},
};
use porchlight_domain::{
    conversation::Body,
    id::MeetingId,
    meeting::{MeetingCommand, MeetingPhase, Party},
    schedule::find_zone,
    session::Refusal,
};
use serde::Deserialize;

use super::{
    App,
    body::{Form, Query},
    limits::Address,
    problem::{Code, Problem},
    widget::booking::{Look, Wanted, lay_out, month},
};
use crate::{
    assets::manifest,
    calendar::ics::stored,
    links::May,
    meetings::{in_calendars, when},
    store::{Command, Failure, MeetingRecord, Tx},
    visit::Engine,
};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/meetings/{id}/{signature}", get(show).post(change))
        .route("/meetings/{id}/{signature}/meeting.ics", get(file))
}

/// What is looked at.
#[derive(Debug, Default, Deserialize)]
struct Looked {
    #[serde(default)]
    zone: String,
    day: Option<String>,
    month: Option<String>,
    #[serde(default)]
    shown: String,
    /// What was done just now.
    #[serde(default)]
    done: Option<Done>,
    #[serde(default, rename = "do")]
    act: Act,
    /// The time it is to be moved to.
    #[serde(default)]
    value: String,
}

/// What was done just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Done {
    Moved,
    Cancelled,
}

/// What the guest does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Act {
    /// Moves it to the time that is sent along, or looks at other days.
    #[default]
    Move,
    /// Looks at the times it could be moved to.
    Look,
    /// Calls it off.
    Cancel,
}

impl Looked {
    fn wanted(&self) -> Wanted {
        let chosen = self.day.as_deref().or(self.month.as_deref()).and_then(Look::read);
        Wanted { chosen, before: Look::read(&self.shown) }
    }
}

/// The meeting of an address, if the signature is ours.
fn signed(engine: &Engine, may: May, id: &str, signature: &str) -> Result<MeetingId, Problem> {
    let unknown =
        || Problem::new(Code::NotFound, "this link is not valid; use the one in the letter about the meeting").field("signature");
    let id: MeetingId = id.parse().map_err(|_| unknown())?;
    if engine.links.is_signed(may, id, signature) { Ok(id) } else { Err(unknown()) }
}

async fn show(
    State(app): State<App>,
    Path((id, signature)): Path<(String, String)>,
    headers: HeaderMap,
    Query(looked): Query<Looked>,
) -> Response {
    page(app, &id, &signature, &headers, looked, None).await
}

async fn change(
    State(app): State<App>,
    Path((id, signature)): Path<(String, String)>,
    Address(address): Address,
    headers: HeaderMap,
    Form(looked): Form<Looked>,
) -> Response {
    if let Err(problem) = app.limits.start(address) {
        return problem.into_response();
    }
    let meeting = match signed(&app.engine, May::Change, &id, &signature) {
        Ok(meeting) => meeting,
        Err(problem) => return refused(&headers, problem.code.status()).await,
    };
    let command = match (looked.act, looked.value.parse::<Timestamp>()) {
        (Act::Cancel, _) => Some((MeetingCommand::Cancel { by: Party::Guest }, "cancelled")),
        (Act::Move, Ok(start)) => {
            let time_zone = Some(looked.zone.clone()).filter(|zone| find_zone(zone).is_some());
            Some((MeetingCommand::Move { start, time_zone, by: Party::Guest }, "moved"))
        }
        _ => None,
    };
    let Some((command, done)) = command else {
        return page(app, &id, &signature, &headers, Looked { act: Act::Look, ..looked }, None).await;
    };
    let outcome = app.store.commit(Change { engine: app.engine.clone(), meeting, command }).await;
    match outcome {
        Ok(()) => Redirect::to(&format!("{}?done={done}", app.engine.links.path_of(meeting))).into_response(),
        Err(Failure::Refused(refusal)) => {
            page(app, &id, &signature, &headers, Looked { act: Act::Look, value: String::new(), ..looked }, Some(refusal)).await
        }
        Err(Failure::Store(error)) => Problem::from(error).into_response(),
    }
}

/// Does something about a meeting.
pub(super) struct Change {
    pub(super) engine: Engine,
    pub(super) meeting: MeetingId,
    pub(super) command: MeetingCommand,
}

impl Command for Change {
    type Done = ();
    type Refusal = Refusal;

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<Refusal>> {
        let record = tx.meeting(self.meeting).await?.ok_or(Failure::Refused(Refusal::NotBooked))?;
        self.engine.of_meeting(tx, &record, self.command).await
    }
}

/// A meeting, with the times it could be moved to.
struct Seen {
    record: MeetingRecord,
    agent: String,
    booking: Option<Booking>,
    css: String,
}

struct See {
    engine: Engine,
    meeting: MeetingId,
    /// The times it could be moved to are wanted, too: in this zone and language.
    times: Option<(Wanted, String)>,
    locale: String,
}

impl Command for See {
    type Done = Option<Seen>;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Self::Done, Failure<Problem>> {
        let Self { engine, meeting, times, locale } = self;
        let now = engine.outside.now();
        let Some(record) = tx.meeting(meeting).await? else { return Ok(None) };
        let agent = tx.agent_name(record.meeting.agent).await?.unwrap_or_default();
        let booking = match times {
            Some((wanted, zone)) if record.meeting.is_booked() && now < record.meeting.span.start => {
                let visitor = crate::store::VisitorRow { id: record.visitor, site: record.site.clone() };
                let talk = engine.talk(tx, &visitor, &record.conversation).await?;
                let card = talk.as_ref().and_then(|(document, _)| document.card(&record.meeting.card)).map(|card| &card.body);
                let card = if let Some(Body::Meeting(card)) = card { Some(card.as_ref()) } else { None };
                let calendars = tx.calendars(&record.site, now, crate::visit::horizon(None)).await?;
                calendars.diary(record.meeting.agent).map(|diary| {
                    let schedule = diary.schedule_of(&record.meeting, card);
                    let taken = diary.taken_but_for(&record.meeting, true);
                    let first =
                        schedule.first(porchlight_domain::schedule::Span { start: now, end: Timestamp::MAX }, &taken, now);
                    let within = month(wanted, first, &zone, now);
                    let mut free = schedule.slots(within, &taken, now);
                    // Where it is already it need not be moved to.
                    free.retain(|slot| slot.start != record.meeting.span.start);
                    let last = now.checked_add((i64::from(schedule.horizon) * 24).hours()).unwrap_or(Timestamp::MAX);
                    lay_out(&free, wanted, (first, last), &zone, &locale, now)
                })
            }
            _ => None,
        };
        Ok(Some(Seen { record, agent, booking, css: format!("/assets/{}", manifest().css) }))
    }
}

/// The languages of whoever looks.
fn accepted(headers: &HeaderMap) -> String {
    headers.get(header::ACCEPT_LANGUAGE).and_then(|tags| tags.to_str().ok()).unwrap_or_default().to_owned()
}

async fn page(app: App, id: &str, signature: &str, headers: &HeaderMap, looked: Looked, refusal: Option<Refusal>) -> Response {
    let Ok(meeting) = signed(&app.engine, May::Change, id, signature) else {
        return refused(headers, StatusCode::NOT_FOUND).await;
    };
    let looks = looked.act == Act::Look || looked.day.is_some() || looked.month.is_some();
    let engine = app.engine.clone();
    let known = match app.store.look(See { engine: engine.clone(), meeting, times: None, locale: String::new() }).await {
        Ok(Some(seen)) => seen,
        Ok(None) => return refused(headers, StatusCode::NOT_FOUND).await,
        Err(failure) => return Problem::from(failure).into_response(),
    };
    // In the language it was booked in: it is the guest's, whichever browser they look with.
    let locale = known.record.meeting.locale.clone();
    let zone = if find_zone(&looked.zone).is_some() { looked.zone.clone() } else { known.record.meeting.time_zone.clone() };
    let times = looks.then(|| (looked.wanted(), zone));
    let seen = match app.store.look(See { engine: engine.clone(), meeting, times, locale: locale.clone() }).await {
        Ok(Some(seen)) => seen,
        Ok(None) => return refused(headers, StatusCode::NOT_FOUND).await,
        Err(failure) => return Problem::from(failure).into_response(),
    };
    let language = Locale::best(&locale);
    let (texts, system) = (language.panel(), language.system());
    let record = &seen.record;
    let over = engine.outside.now() >= record.meeting.span.start;
    let state = match record.meeting.phase {
        MeetingPhase::Booked if over => MeetingState::Over,
        MeetingPhase::Booked => MeetingState::Booked,
        _ => MeetingState::CalledOff,
    };
    let problem = refusal.as_ref().map(|refusal| match refusal {
        Refusal::TooLate => system.too_late,
        Refusal::NotBooked => system.not_booked,
        _ => system.slot_taken,
    });
    let status = refusal.as_ref().map_or(StatusCode::OK, |_| StatusCode::CONFLICT);
    let title = record.meeting.title.clone();
    let said = looked.done.map(|done| match done {
        Done::Moved => texts.meeting_moved,
        Done::Cancelled => texts.meeting_called_off,
    });
    let (at, with) = (when(&record.meeting, &locale), named(texts.with_agent, &seen.agent));
    let (location, booking, css) = (record.meeting.location.clone(), seen.booking.clone(), seen.css.clone());
    let path = engine.links.path_of(meeting);
    let view = move || {
        allow();
        view! {
            <MeetingPage locale=language title=title.clone() when=at.clone() with=with.clone() location=location.clone() state path=path.clone()
                booking=booking.clone() said problem css=css.clone()/>
        }
    };
    answer(status, view).await
}

/// A page that says that there is no such meeting.
async fn refused(headers: &HeaderMap, status: StatusCode) -> Response {
    let locale = Locale::best(&accepted(headers));
    let view = move || {
        allow();
        let css = format!("/assets/{}", manifest().css);
        view! { <porchlight_app::widget::BadLink locale css/> }
    };
    answer(status, view).await
}

async fn answer<V: IntoView + 'static>(status: StatusCode, view: impl Fn() -> V + Clone + Send + Sync + 'static) -> Response {
    let mut response = leptos_axum::render_app_async_with_context(|| {}, view)(Request::new(HttpBody::empty())).await;
    *response.status_mut() = status;
    // The address is all that is needed to change the meeting: it is told to nobody.
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

fn allow() {
    let nonce = use_nonce().map(|nonce| format!("'nonce-{nonce}'")).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; script-src {nonce}; style-src 'self' {nonce}; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    if let (Some(response), Ok(policy)) = (use_context::<ResponseOptions>(), HeaderValue::from_str(&policy)) {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}

/// The meeting as a file for calendars.
async fn file(State(app): State<App>, Path((id, signature)): Path<(String, String)>) -> Result<Response, Problem> {
    let (meeting, changes) = match signed(&app.engine, May::Change, &id, &signature) {
        Ok(meeting) => (meeting, true),
        Err(_) => (signed(&app.engine, May::Read, &id, &signature)?, false),
    };
    let content = app.store.look(Kept { engine: app.engine.clone(), meeting, changes }).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/calendar; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"meeting.ics\""),
    ];
    Ok((headers, content).into_response())
}

struct Kept {
    engine: Engine,
    meeting: MeetingId,
    /// Whether the file tells how the meeting is changed.
    changes: bool,
}

impl Command for Kept {
    type Done = String;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<String, Failure<Problem>> {
        let gone = || Failure::Refused(Problem::new(Code::NotFound, "this meeting does not take place").field("id"));
        let record = tx.meeting(self.meeting).await?.filter(|record| record.meeting.is_booked()).ok_or_else(gone)?;
        let agent = tx.agent(record.meeting.agent).await?.ok_or_else(gone)?;
        let (links, now) = (&self.engine.links, self.engine.outside.now());
        let address = self.changes.then(|| links.address_of(record.meeting.id));
        Ok(in_calendars(links, &record.meeting, &agent, now, address.as_deref(), stored))
    }
}
