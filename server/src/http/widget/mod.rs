//! The widget's interface: what the loader and the panel say to the server. See docs/widget-protocol.md.

mod answers;
pub(super) mod booking;
mod device;
mod events;
mod identity;
mod offer;
mod panel;
mod render;
mod settings;
mod shown;
mod socket;
mod start;
mod times;

use std::sync::Arc;

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, header},
    middleware::{self, Next},
    response::Response,
};
use porchlight_domain::{
    event::Event,
    id::{PageViewId, SessionId},
    session::Refusal,
};
use serde::Serialize;

use settings::LauncherSettings;

use super::{
    App,
    page::{Caller, Page},
    problem::{Code, Problem},
};
use crate::{
    secret::Secret,
    site::Site,
    sites::SiteNow,
    store::{Failure, Tx, VisitorRow},
    visit::Engine,
};

pub(super) use socket::READ_BUFFER;

pub(super) fn routes(attachment_limit: usize) -> Router<App> {
    let of_pages = Router::new().merge(start::routes()).merge(events::routes()).layer(middleware::from_fn(cross_origin));
    of_pages.merge(panel::routes()).merge(answers::routes(attachment_limit)).merge(socket::routes())
}

/// Lets the page read the answer. Which pages may get one at all, the handlers decide by the site's list of origins; an error
/// may be read by any page, so that its developer learns what is wrong. No cookie and no other authority travels by itself.
async fn cross_origin(request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Retry-After"));
    }
    response
}

/// What every answer to a page carries.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Told {
    session: SessionId,
    cursor: i64,
    events: Vec<Event>,
}

impl Told {
    /// The place in the log up to which this tells.
    const fn cursor(&self) -> i64 {
        self.cursor
    }

    /// The events of a page view that the page has not been told, as a browser may see them.
    async fn of(
        tx: &mut Tx<'_>,
        site: &Site,
        visitor: &VisitorRow,
        session: SessionId,
        view: PageViewId,
        after: i64,
    ) -> Result<Self, Failure<Problem>> {
        let logged = tx.events_of_view(visitor.id, view, after).await?;
        let cursor = logged.last().map_or(after, |last| last.position);
        let events = logged.into_iter().map(|logged| logged.event.for_browser(site.contact_details_in_browser)).collect();
        Ok(Self { session, cursor, events })
    }
}

/// Finds the visitor a token belongs to, and checks that the page is one of their site's.
async fn admit(
    tx: &mut Tx<'_>,
    engine: &Engine,
    token: &Secret,
    page: &Page,
    caller: &Caller,
) -> Result<(VisitorRow, Arc<SiteNow>), Failure<Problem>> {
    let unknown = || Problem::new(Code::BadToken, "no visitor has this token; start anew without one").field("token");
    let (visitor, revision) = tx.visitor(token).await?.ok_or_else(|| Failure::Refused(unknown()))?;
    let site = engine.sites.get(tx, &visitor.site, revision).await?;
    page.check(&site.site, caller).map_err(Failure::Refused)?;
    Ok((visitor, site))
}

impl From<Failure<Self>> for Problem {
    fn from(failure: Failure<Self>) -> Self {
        match failure {
            Failure::Refused(problem) => problem,
            Failure::Store(error) => error.into(),
        }
    }
}

/// A refusal of the domain as a problem.
fn refused(refusal: &Refusal) -> Problem {
    let detail = refusal.to_string();
    match refusal {
        Refusal::NoConversation => Problem::new(Code::UnknownConversation, detail).field("conversation"),
        Refusal::NotCurrent { .. } => Problem::new(Code::NotCurrent, detail).field("turn"),
        Refusal::NotWaiting => Problem::new(Code::NotWaiting, detail).field("card"),
        Refusal::NotAllowed => Problem::new(Code::NotAllowed, detail).field("do"),
        Refusal::NotOnline => Problem::new(Code::NotOnline, detail).field("do"),
        Refusal::BadMessage(_) => Problem::new(Code::InvalidAnswer, detail).field("value"),
        Refusal::NotYours | Refusal::NotOffered | Refusal::NoSuchAgent => Problem::new(Code::NotYours, detail).field("do"),
        Refusal::Invalid(_) => Problem::new(Code::InvalidAnswer, detail).field("value"),
        Refusal::BadForm(wrong) => {
            let problem = Problem::new(Code::InvalidAnswer, detail);
            match wrong.first() {
                Some((field, _)) => problem.field(field),
                None => problem,
            }
        }
        Refusal::SlotTaken { .. } => Problem::new(Code::SlotTaken, detail).field("value"),
        Refusal::HoldLapsed => Problem::new(Code::HoldLapsed, detail).field("turn"),
        Refusal::NotBooked | Refusal::TooLate => Problem::new(Code::NotBooked, detail).field("do"),
        Refusal::NotCalled(_) => Problem::new(Code::NotYours, detail).field("do"),
    }
}

/// A domain failure as a failure of the operation.
fn lift(failure: Failure<Refusal>) -> Failure<Problem> {
    match failure {
        Failure::Refused(refusal) => Failure::Refused(refused(&refusal)),
        Failure::Store(error) => Failure::Store(error),
    }
}
