//! `GET /api/v1/events/export`: the log as a file.

use axum::{extract::State, response::Response};
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Authorized, problems::Problems, told};
use crate::{
    export::ExportFormat,
    http::{App, body::Query, export, problem::Problem},
    store::EventFilter,
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(export_events))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// `ndjson`, a line of JSON an event, or `csv`, a table with the envelope's members as columns.
    #[param(value_type = Option<String>, default = "ndjson")]
    format: Option<ExportFormat>,
    /// Only events of these types, with commas between.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Only events of these sites, with commas between.
    site: Option<String>,
    /// Only what happened at this time or later.
    #[param(value_type = Option<String>, format = "date-time")]
    from: Option<Timestamp>,
    /// Only what happened before this time.
    #[param(value_type = Option<String>, format = "date-time")]
    to: Option<Timestamp>,
}

/// Exports the log, or a part of it, as a file.
///
/// The log, or a part of it, as it was when the request came. It is sent while it is read; the header `Porchlight-Total` says how many
/// events are to come. An export that cannot be read to its end is cut off, not ended.
#[utoipa::path(
    get, path = "/api/v1/events/export", tag = "events", params(Asked),
    responses(
        (
            status = 200, description = "The file.",
            content((String = "application/x-ndjson"), (String = "text/csv")),
            headers(("porchlight-total" = u64, description = "How many events the file holds."))
        ),
        Problems
    ),
    security(("key" = ["events:read"]))
)]
async fn export_events(key: Authorized, State(app): State<App>, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let filter = EventFilter {
        kinds: told::kinds(asked.kind.as_deref())?,
        sites: told::sites(&key, asked.site.as_deref())?,
        from: asked.from,
        to: asked.to,
        ..EventFilter::default()
    };
    export::file(&app, filter, asked.format.unwrap_or_default()).await
}
