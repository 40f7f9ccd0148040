//! `POST /widget/v1/events`: what happened on the page.

use axum::{Router, extract::State, routing::post};
use jiff::{SignedDuration, Timestamp};
use porchlight_domain::{
    id::{ConversationId, EventId, PageViewId, SessionId},
    session::{self, ContactKind, Report, Reported, Widget},
};
use serde::Deserialize;

use super::{Told, admit, lift, offer::offer};
use crate::{
    http::{
        App,
        body::Json,
        page::{Caller, Page},
        problem::{Code, Problem},
    },
    secret::Secret,
    store::{Command, Failure, Tx},
    visit::{About, Engine, Subject},
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/widget/v1/events", post(events))
}

#[derive(Debug, Deserialize)]
struct Asked {
    token: Secret,
    view: PageViewId,
    /// The place in the log up to which the page has been told; nothing if it wants to be told nothing.
    after: Option<i64>,
    page: Page,
    /// What the reports are about that do not say it themselves.
    conversation: Option<ConversationId>,
    /// The session the page was in when it made those that do not say it themselves.
    session: Option<SessionId>,
    reports: Vec<ReportAsked>,
}

/// The longest name of a widget or of its element, in characters.
const NAME_MAX: usize = 200;

#[derive(Debug, Deserialize)]
struct ReportAsked {
    id: EventId,
    time: Timestamp,
    /// Where it happened, if that is not where the request comes from: an earlier load of a page may not have been able to send it.
    view: Option<PageViewId>,
    page: Option<Page>,
    session: Option<SessionId>,
    conversation: Option<ConversationId>,
    #[serde(flatten)]
    what: What,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type")]
enum What {
    #[serde(rename = "widget.shown")]
    Shown(Widget),
    #[serde(rename = "widget.hidden")]
    Hidden(Widget),
    #[serde(rename = "widget.clicked")]
    Clicked {
        #[serde(flatten)]
        widget: Widget,
        kind: ContactKind,
    },
    #[serde(rename = "conversation.closed")]
    Closed,
}

impl From<What> for Reported {
    fn from(what: What) -> Self {
        match what {
            What::Shown(widget) => Self::Shown(widget),
            What::Hidden(widget) => Self::Hidden(widget),
            What::Clicked { widget, kind } => Self::Clicked(widget, kind),
            What::Closed => Self::Closed,
        }
    }
}

impl What {
    fn widget(&self) -> Option<&Widget> {
        match self {
            Self::Shown(widget) | Self::Hidden(widget) | Self::Clicked { widget, .. } => Some(widget),
            Self::Closed => None,
        }
    }
}

async fn events(State(app): State<App>, caller: Caller, Json(asked): Json<Asked>) -> Result<axum::Json<Told>, Problem> {
    let limit = app.settings.reports_limit;
    if asked.reports.len() > limit {
        return Err(Problem::new(Code::Malformed, format!("expected at most {limit} reports, got {}", asked.reports.len()))
            .field("reports"));
    }
    for (index, report) in asked.reports.iter().enumerate() {
        if let Some(widget) = report.what.widget()
            && [&widget.widget, &widget.element].iter().any(|name| name.is_empty() || name.chars().count() > NAME_MAX)
        {
            let problem =
                Problem::new(Code::Malformed, format!("expected names of widget and element of 1 to {NAME_MAX} characters"));
            return Err(problem.field(format!("reports[{index}]")));
        }
    }
    app.limits.command(&asked.token)?;
    let days = i64::try_from(app.settings.late_report_days).unwrap_or_default();
    let take = Take { engine: app.engine, caller, asked, late: SignedDuration::from_hours(24 * days) };
    Ok(axum::Json(app.store.commit(take).await?))
}

struct Take {
    engine: Engine,
    caller: Caller,
    asked: Asked,
    late: SignedDuration,
}

impl Command for Take {
    type Done = Told;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Told, Failure<Problem>> {
        let Self { engine, caller, asked, late } = self;
        let (visitor, site) = admit(tx, &engine, &asked.token, &asked.page, &caller).await?;
        let now = engine.outside.now();
        let mut current = engine.session_at(tx, &visitor, now).await?;
        for report in asked.reports {
            if let Some(page) = &report.page {
                page.check(&site.site, &caller).map_err(Failure::Refused)?;
            }
            let page = report.page.as_ref().unwrap_or(&asked.page);
            let view = report.view.unwrap_or(asked.view);
            // It asks to be told nothing, or has gone.
            let is_gone = asked.after.is_none() || view != asked.view;
            match tx.event_owner(report.id).await? {
                // Told before: counted before.
                Some(owner) if owner == visitor.id => continue,
                Some(_) => {
                    let problem = Problem::new(Code::Taken, format!("the id {} is taken", report.id));
                    return Err(Failure::Refused(problem.field("reports")));
                }
                None => {}
            }
            // A page's clock is not ours: what lies ahead, or too far back, happens now.
            let happened = Timestamp::from_millisecond(report.time.as_millisecond()).unwrap_or(now);
            let at = if happened <= now && now.duration_since(happened) <= late { happened } else { now };
            // What comes late joins the session it happened in. It shows no conversation there: the visitor has gone on.
            let earlier = match report.session.or(asked.session).filter(|id| *id != current.id) {
                Some(id) => {
                    tx.session(&visitor, id).await?.filter(|(_, active)| engine.lives(*active, at)).map(|(session, _)| session)
                }
                None => None,
            };
            // Only what shows or closes a conversation is about one; and a page that is gone cannot be told that it was triggered.
            let named = report.conversation.as_ref().or(asked.conversation.as_ref());
            let conversation = match (&report.what, named, &earlier) {
                (What::Shown(_), Some(id), None) if !is_gone => Some(id),
                (What::Closed, Some(id), None) => Some(id),
                // It counts for the session it happened in, unless the conversation has counted for a later one since.
                (What::Closed, Some(id), Some(earlier)) => {
                    let progress = tx.progress(visitor.id, id).await?;
                    progress.is_some_and(|progress| progress.counted.session == earlier.id).then_some(id)
                }
                _ => None,
            };
            // A popup or an inline conversation is shown before its panel opens, and offered by that.
            if let (What::Shown(_), Some(id)) = (&report.what, conversation)
                && let Some((version, _)) = site.published(id)
                && tx.progress(visitor.id, id).await?.is_none()
            {
                offer(tx, &engine, &visitor, &current, id, *version, None).await?;
            }
            let about = About {
                visitor: &visitor,
                view: Some(view),
                page: page.as_str(),
                conversation,
                locale: "",
                time_zone: "",
                at,
                subject: Subject::Conversation,
            };
            let command = session::Command::Report(Report { id: report.id, at, what: report.what.into() });
            match earlier {
                Some(earlier) => drop(engine.step(tx, earlier, about, command, None).await.map_err(lift)?),
                None => current = engine.step(tx, current, about, command, None).await.map_err(lift)?,
            }
        }
        let session = current;
        match asked.after {
            Some(after) => Told::of(tx, &site.site, &visitor, session.id, asked.view, after).await,
            None => Ok(Told { session: session.id, cursor: 0, events: Vec::new() }),
        }
    }
}
