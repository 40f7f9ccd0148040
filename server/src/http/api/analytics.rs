//! `GET /api/v1/analytics` and `GET /api/v1/analytics/funnel`: the numbers of a site.

use axum::{Json, extract::State};
use porchlight_domain::id::{ConversationId, SiteKey};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Authorized, no_site, problems::Problems};
use crate::{
    access::Scope,
    analytics::{
        read::{CardTotals, Funnel, Line, Period, all, date_of, funnel, lines},
        tally::{Dimension, Figure, Figures},
    },
    http::{
        App,
        body::Query,
        problem::{Code, Problem},
    },
    store::{Command, Failure, Tx},
    visit::Documents,
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(numbers)).routes(routes!(of_cards))
}

/// What the numbers are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum By {
    /// Days, each of the time.
    Day,
    /// Conversations.
    Conversation,
    /// Pages.
    Page,
    /// Agents.
    Agent,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// The site.
    #[param(value_type = String)]
    site: SiteKey,
    /// The first day, in UTC, such as `2026-11-01`; 29 days before the last, if it is not named.
    #[serde(default)]
    from: String,
    /// The last day; today, if it is not named. At most 3,660 days.
    #[serde(default)]
    to: String,
    /// What the numbers are told apart by; day, if it is not named.
    #[param(inline)]
    by: Option<By>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AskedOfCards {
    /// The site.
    #[param(value_type = String)]
    site: SiteKey,
    /// The conversation.
    #[param(value_type = String)]
    conversation: ConversationId,
    /// One version of it only.
    version: Option<u32>,
    /// The first day, in UTC.
    #[serde(default)]
    from: String,
    /// The last day.
    #[serde(default)]
    to: String,
}

/// What is counted. docs/analytics.md says what each is.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AnalyticsNumbers {
    /// Conversations that were shown.
    triggered: i64,
    /// Conversations that got a first response.
    engaged: i64,
    /// Conversations of which an end was reached.
    completed: i64,
    /// Conversations that were closed before their end.
    closed: i64,
    /// Addresses that were given, once for each visitor and session.
    acquired: i64,
    /// Visitors who gave an address or a number for the first time.
    contacts: i64,
    /// Addresses that were given, each time.
    emails: i64,
    /// Phone numbers that were given, each time.
    phones: i64,
    /// Meetings that were booked.
    meetings: i64,
    /// Meetings that were called off.
    meetings_cancelled: i64,
    /// Live chats that were asked for.
    chats_requested: i64,
    /// Live chats that an agent accepted.
    chats_answered: i64,
    /// Live chats that ended before an agent had accepted.
    chats_missed: i64,
    /// Surveys that were given.
    surveys: i64,
    /// Call backs that were asked for.
    callbacks: i64,
    /// Calls that were made.
    callbacks_completed: i64,
    /// Engaged of triggered, from 0 to 1; `null`, if nothing was triggered.
    engagement_rate: Option<f64>,
    /// Completed of engaged.
    completion_rate: Option<f64>,
    /// Acquired of engaged.
    conversion_rate: Option<f64>,
    /// How long visitors waited for an agent who came, on average, in milliseconds.
    mean_waiting_ms: Option<f64>,
    /// How long agents took to write after they had accepted, on average, in milliseconds.
    mean_answering_ms: Option<f64>,
    /// What surveys rate on average, from 0 to 100.
    mean_rating_percent: Option<f64>,
}

impl From<Figures> for AnalyticsNumbers {
    fn from(figures: Figures) -> Self {
        Self {
            triggered: figures[Figure::Triggered],
            engaged: figures[Figure::Engaged],
            completed: figures[Figure::Completed],
            closed: figures[Figure::Closed],
            acquired: figures[Figure::Acquired],
            contacts: figures[Figure::Contacts],
            emails: figures[Figure::Emails],
            phones: figures[Figure::Phones],
            meetings: figures[Figure::Meetings],
            meetings_cancelled: figures[Figure::MeetingsCancelled],
            chats_requested: figures[Figure::ChatsRequested],
            chats_answered: figures[Figure::ChatsAnswered],
            chats_missed: figures[Figure::ChatsMissed],
            surveys: figures[Figure::Surveys],
            callbacks: figures[Figure::Callbacks],
            callbacks_completed: figures[Figure::CallbacksCompleted],
            engagement_rate: figures.engagement_rate(),
            completion_rate: figures.completion_rate(),
            conversion_rate: figures.conversion_rate(),
            mean_waiting_ms: figures.mean_wait(),
            mean_answering_ms: figures.mean_answer(),
            mean_rating_percent: figures.mean_rating(),
        }
    }
}

/// The numbers of one day, conversation, page or agent.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
struct AnalyticsRow {
    /// A day, the id of a conversation or an agent, or a page.
    value: String,
    /// What it is called; of a day and a page the same.
    name: String,
    /// Its numbers.
    numbers: AnalyticsNumbers,
}

/// The numbers of a site.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Analytics {
    /// The site.
    site: String,
    /// The first day, in UTC.
    from: String,
    /// The last day.
    to: String,
    /// Up to when is counted, if that is not done yet.
    counted_to: Option<String>,
    /// The numbers of all together.
    total: AnalyticsNumbers,
    /// The numbers of each, in the order of their names.
    rows: Vec<AnalyticsRow>,
}

/// How visitors came through a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct FunnelCardEntry {
    /// The card; `null`, for those that are not in the conversation any more.
    card: Option<String>,
    /// What kind of card it is.
    kind: Option<String>,
    /// Visitors who came to it for the first time.
    reached: i64,
    /// Visitors who answered it for the first time.
    answered: i64,
    /// Visitors who came to it last, and have neither answered nor gone on.
    still_there: i64,
}

/// How visitors came through a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ConversationFunnel {
    /// The site.
    site: String,
    /// The conversation.
    conversation: String,
    /// What it is called.
    name: String,
    /// The first day, in UTC.
    from: String,
    /// The last day.
    to: String,
    /// Its cards that say something, in the order of the document.
    cards: Vec<FunnelCardEntry>,
}

/// Tells the numbers of a site over a time.
///
/// They are shown, answered, completed and closed conversations, contacts, meetings, chats, times of waiting and answering, and surveys; of all together, and told
/// apart by day, conversation, page or agent.
#[utoipa::path(
    get,
    path = "/api/v1/analytics",
    tag = "analytics",
    params(Asked),
    responses((status = 200, description = "Its numbers.", body = Analytics), Problems),
    security(("key" = ["analytics:read"]))
)]
async fn numbers(key: Authorized, State(app): State<App>, Query(asked): Query<Asked>) -> Result<Json<Analytics>, Problem> {
    key.needs(Scope::AnalyticsRead)?;
    let site = key.site(asked.site)?;
    let period = Period::read(&asked.from, &asked.to, app.engine.outside.now())?;
    let counted_to = app.counter.before_shown().await?;
    let by = asked.by.unwrap_or(By::Day);
    let read = Read { documents: app.engine.documents.clone(), site: site.clone(), period, by };
    let (total, rows) = app.store.look(read).await?;
    let row = |Line { value, name, figures }| AnalyticsRow { value, name, numbers: AnalyticsNumbers::from(figures) };
    Ok(Json(Analytics {
        site: site.to_string(),
        from: period.first.to_string(),
        to: period.last.to_string(),
        counted_to: counted_to.map(|at| format!("{at:.3}")),
        total: AnalyticsNumbers::from(total),
        rows: rows.into_iter().map(row).collect(),
    }))
}

struct Read {
    documents: Documents,
    site: SiteKey,
    period: Period,
    by: By,
}

impl Command for Read {
    type Done = (Figures, Vec<Line>);
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Self::Done, Failure<Problem>> {
        let Self { documents, site, period, by } = self;
        if tx.site_revision(&site).await?.is_none() {
            return Err(Failure::Refused(no_site(&site)));
        }
        let total = all(tx, &site, period).await?;
        let dimension = match by {
            By::Day => {
                let (first, before) = period.bounds();
                let days = tx.figures_by_day(&site, first, before).await?;
                let line = |number: i64| {
                    let value = date_of(number).to_string();
                    Line { name: value.clone(), value, figures: days.get(&number).copied().unwrap_or_default() }
                };
                return Ok((total, (first..before).map(line).collect()));
            }
            By::Conversation => Dimension::Conversation,
            By::Page => Dimension::Page,
            By::Agent => Dimension::Agent,
        };
        Ok((total, lines(tx, &documents, &site, dimension, period).await?))
    }
}

/// Tells how visitors came through the cards of a conversation.
///
/// Each visitor counts once for each card. Who has come to a card and has neither answered it nor gone on is still there.
#[utoipa::path(
    get,
    path = "/api/v1/analytics/funnel",
    tag = "analytics",
    params(AskedOfCards),
    responses((status = 200, description = "Its cards.", body = ConversationFunnel), Problems),
    security(("key" = ["analytics:read"]))
)]
async fn of_cards(
    key: Authorized,
    State(app): State<App>,
    Query(asked): Query<AskedOfCards>,
) -> Result<Json<ConversationFunnel>, Problem> {
    key.needs(Scope::AnalyticsRead)?;
    let AskedOfCards { site, conversation, version, from, to } = asked;
    let site = key.site(site)?;
    let period = Period::read(&from, &to, app.engine.outside.now())?;
    let documents = app.engine.documents.clone();
    let read = ReadCards { documents, site: site.clone(), conversation: conversation.clone(), version, period };
    let Funnel { name, cards, removed, .. } = app.store.look(read).await?;
    let row = |card: Option<(String, &'static str)>, totals: CardTotals| {
        let (card, kind) = card.map(|(card, kind)| (card, kind.to_owned())).unzip();
        FunnelCardEntry { card, kind, reached: totals.reached, answered: totals.answered, still_there: totals.waiting }
    };
    let mut rows: Vec<FunnelCardEntry> =
        cards.into_iter().map(|card| row(Some((card.card.to_string(), card.kind)), card.totals)).collect();
    rows.extend(removed.map(|totals| row(None, totals)));
    Ok(Json(ConversationFunnel {
        site: site.to_string(),
        conversation: conversation.to_string(),
        name,
        from: period.first.to_string(),
        to: period.last.to_string(),
        cards: rows,
    }))
}

struct ReadCards {
    documents: Documents,
    site: SiteKey,
    conversation: ConversationId,
    version: Option<u32>,
    period: Period,
}

impl Command for ReadCards {
    type Done = Funnel;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Funnel, Failure<Problem>> {
        let Self { documents, site, conversation, version, period } = self;
        if tx.site_revision(&site).await?.is_none() {
            return Err(Failure::Refused(no_site(&site)));
        }
        let found = funnel(tx, &documents, &site, &conversation, version, period).await?;
        found.ok_or_else(|| {
            let detail = format!("there is no conversation \"{conversation}\", or not in this version");
            Failure::Refused(Problem::new(Code::UnknownConversation, detail).field("conversation"))
        })
    }
}
