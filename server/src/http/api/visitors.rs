//! Visitors: what is known of them, and their sessions.
//!
//! An address that a visitor typed proves nothing, so it never shows one visitor what another said. Here, to the site, it joins them:
//! `GET /api/v1/visitors?email=…` is everybody with that address.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, State},
};
use jiff::Timestamp;
use porchlight_domain::{
    contact::Email,
    id::{AttributeName, SessionId, SiteKey, VisitorId},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Authorized, parsed,
    problems::Problems,
    told::{self, Part},
};
use crate::{
    http::{
        App,
        body::Query,
        problem::{Code, Problem},
    },
    store::{Command, Failure, ListFilter, Tx, VisitorRecord, VisitorRow},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(list_visitors)).routes(routes!(get_visitor))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Only visitors of this site.
    #[param(value_type = Option<String>)]
    site: Option<SiteKey>,
    /// Only those who gave this e-mail address, typed or told by the site.
    email: Option<String>,
    /// Only whom the site identified so.
    identity: Option<String>,
    /// Only those who came first at this time or later.
    #[param(value_type = Option<String>, format = "date-time")]
    from: Option<Timestamp>,
    /// Only those who came first before this time.
    #[param(value_type = Option<String>, format = "date-time")]
    to: Option<Timestamp>,
    /// The `next` of the page before; without it, from the beginning.
    after: Option<String>,
    /// The most visitors in the answer.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
}

/// A visitor, with what is known of them.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Visitor {
    /// Who it is.
    #[schema(value_type = String, format = "uuid")]
    id: VisitorId,
    /// The site they visit.
    #[schema(value_type = String)]
    site: SiteKey,
    /// When they came first.
    #[schema(format = "date-time")]
    created_at: String,
    /// Whether the site itself has said who they are.
    identified: bool,
    /// The site's own name for them, if it has.
    #[schema(required)]
    identity: Option<String>,
    /// What is known of them, by name: given in conversations, or told by the site.
    #[schema(value_type = BTreeMap<String, String>)]
    attributes: BTreeMap<AttributeName, String>,
    /// Their sessions, the latest first.
    sessions: Vec<VisitorSession>,
}

/// A session of a visitor.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct VisitorSession {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    id: SessionId,
    /// When it began.
    #[schema(format = "date-time")]
    started_at: String,
    /// When something last happened in it.
    #[schema(format = "date-time")]
    active_at: String,
    /// How many events it has.
    events: u64,
}

/// A page of visitors.
#[derive(Debug, Serialize, ToSchema)]
struct VisitorsPage {
    /// The visitors, in the order in which they came.
    visitors: Vec<Visitor>,
    /// The `after` of the next page, if there may be one.
    #[schema(required)]
    next: Option<String>,
}

/// Lists visitors.
#[utoipa::path(
    get, path = "/api/v1/visitors", tag = "visitors", params(Asked),
    responses((status = 200, description = "A page of the visitors.", body = VisitorsPage), Problems), security(("key" = ["visitors:read"]))
)]
async fn list_visitors(
    key: Authorized,
    State(app): State<App>,
    Query(asked): Query<Asked>,
) -> Result<Json<VisitorsPage>, Problem> {
    let bad = |error: String| Problem::new(Code::Malformed, error).field("email");
    let email = asked.email.as_deref().map(|email| email.parse::<Email>().map_err(|error| bad(error.to_string()))).transpose()?;
    let part = Part {
        site: asked.site,
        after: asked.after.as_deref(),
        limit: asked.limit,
        from: asked.from,
        to: asked.to,
        visitor: None,
        agent: None,
        phases: &[],
    };
    let filter = part.read(&key)?;
    let limit = filter.limit;
    let email = email.map(|email| email.to_string());
    let visitors = app.store.look(List { filter, email, identity: asked.identity }).await?;
    Ok(Json(VisitorsPage { next: told::next(&visitors, limit, |visitor| visitor.id), visitors }))
}

/// Gives a visitor.
#[utoipa::path(
    get, path = "/api/v1/visitors/{id}", tag = "visitors", params(("id" = String, Path, description = "The visitor's id.")),
    responses((status = 200, description = "The visitor.", body = Visitor), Problems), security(("key" = ["visitors:read"]))
)]
async fn get_visitor(key: Authorized, State(app): State<App>, Path(id): Path<String>) -> Result<Json<Visitor>, Problem> {
    let found = app.store.look(One(parsed(&id, "id")?)).await?;
    Ok(Json(told::there(found, |visitor| &visitor.site, &key, "visitor")?))
}

/// What is known of a visitor.
async fn whole(tx: &mut Tx<'_>, record: VisitorRecord) -> Result<Visitor, Failure<Problem>> {
    let row = VisitorRow { id: record.id, site: record.site.clone() };
    let sessions = tx.sessions(&row).await?.into_iter().map(|(session, active, began)| VisitorSession {
        id: session.id,
        started_at: told::time(began),
        active_at: told::time(active),
        events: session.seq,
    });
    let sessions = sessions.collect();
    Ok(Visitor {
        id: record.id,
        site: record.site,
        created_at: told::time(record.created_at),
        identified: record.identity.is_some(),
        identity: record.identity,
        attributes: tx.attributes(record.id).await?,
        sessions,
    })
}

struct List {
    filter: ListFilter<VisitorId>,
    email: Option<String>,
    identity: Option<String>,
}

impl Command for List {
    type Done = Vec<Visitor>;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Vec<Visitor>, Failure<Problem>> {
        let known = self.email.as_deref().map(|email| ("email", email));
        let mut visitors = Vec::new();
        for record in tx.visitors_listed(&self.filter, known, self.identity.as_deref()).await? {
            visitors.push(whole(tx, record).await?);
        }
        Ok(visitors)
    }
}

struct One(VisitorId);

impl Command for One {
    type Done = Option<Visitor>;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Option<Visitor>, Failure<Problem>> {
        match tx.visitor_by_id(self.0).await? {
            Some(record) => whole(tx, record).await.map(Some),
            None => Ok(None),
        }
    }
}
