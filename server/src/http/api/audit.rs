//! The audit log: who did what.

use axum::{Json, extract::State};
use porchlight_domain::id::SiteKey;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Authorized, page, problems::Problems, told};
use crate::{
    http::{App, body::Query, problem::Problem},
    store::{AuditFilter, AuditRecord, Command, Failure, Tx},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(list_audit))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Only what was done on this site. A key that is good for some sites reads of those only, and of nothing that is of no site.
    #[param(value_type = Option<String>)]
    site: Option<SiteKey>,
    /// Only what was done to this: an id or a name.
    subject: Option<String>,
    /// The `next` of the page before; without it, from the newest.
    after: Option<String>,
    /// The most in the answer.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
}

/// Something that was done.
#[derive(Debug, Serialize, ToSchema)]
struct AuditedAct {
    /// Its place in the audit log.
    id: String,
    /// When it was done.
    #[schema(format = "date-time")]
    time: String,
    /// Who did it.
    actor: AuditedActor,
    /// What was done, such as `visitor.erased`.
    #[schema(example = "visitor.erased")]
    action: String,
    /// The site it was done on, if on one.
    #[schema(required, value_type = Option<String>)]
    site: Option<SiteKey>,
    /// What it was done to: an id or a name.
    subject: String,
    /// What else there is to say.
    #[schema(value_type = Value)]
    detail: Value,
}

/// Who did something.
#[derive(Debug, Serialize, ToSchema)]
struct AuditedActor {
    /// `agent`, `key`, `command line` or `server`.
    kind: String,
    /// The id of the agent or of the key.
    #[schema(required)]
    id: Option<String>,
}

/// A page of the audit log.
#[derive(Debug, Serialize, ToSchema)]
struct AuditPage {
    /// What was done, the newest first.
    audit: Vec<AuditedAct>,
    /// The `after` of the next page, if there may be one.
    #[schema(required)]
    next: Option<String>,
}

impl From<AuditRecord> for AuditedAct {
    fn from(record: AuditRecord) -> Self {
        Self {
            id: record.position.to_string(),
            time: told::time(record.at),
            actor: AuditedActor { kind: record.actor_kind, id: Some(record.actor).filter(|actor| !actor.is_empty()) },
            action: record.action,
            site: record.site,
            subject: record.subject,
            detail: record.detail,
        }
    }
}

/// Reads the audit log, the newest first.
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "audit", params(Asked),
    responses((status = 200, description = "A page of the audit log.", body = AuditPage), Problems), security(("key" = ["audit:read"]))
)]
async fn list_audit(key: Authorized, State(app): State<App>, Query(asked): Query<Asked>) -> Result<Json<AuditPage>, Problem> {
    let (before, limit) = (page::cursor(asked.after.as_deref())?, page::limit(asked.limit)?);
    let read = Read { sites: key.sites(asked.site)?, subject: asked.subject, before, limit };
    let found = app.store.look(read).await?;
    let next = told::next(&found, limit, |record| record.position);
    Ok(Json(AuditPage { audit: found.into_iter().map(AuditedAct::from).collect(), next }))
}

struct Read {
    sites: Option<Vec<SiteKey>>,
    subject: Option<String>,
    before: Option<i64>,
    limit: u32,
}

impl Command for Read {
    type Done = Vec<AuditRecord>;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Vec<AuditRecord>, Failure<Problem>> {
        let Self { sites, subject, before, limit } = self;
        let sites = sites.map_or_else(|| vec![None], |sites| sites.into_iter().map(Some).collect());
        let mut found = Vec::new();
        for site in sites {
            found.extend(tx.audited(&AuditFilter { before, limit, site, subject: subject.clone() }).await?);
        }
        found.sort_by_key(|record| std::cmp::Reverse(record.position));
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(found)
    }
}
