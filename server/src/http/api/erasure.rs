//! `GET /api/v1/visitors/{id}/export` and `DELETE /api/v1/visitors/{id}`: all that is known of a visitor, given and taken away.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use porchlight_domain::id::VisitorId;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Authorized, once::OnceToken, problems::Problems};
use crate::{
    access::Scope,
    http::{
        App,
        problem::{Code, Problem},
    },
    privacy::{Erase, NotErased, erase, export},
    store::Failure,
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(export_visitor)).routes(routes!(erase_visitor))
}

/// What came of an erasure.
#[derive(Debug, Serialize, ToSchema)]
struct Outcome {
    /// The visitor is erased.
    erased: bool,
    /// Whether nothing of them is left behind in the server's files. If something may be, the server's log says why.
    scrubbed: bool,
    /// How many events of the log were emptied.
    events: u64,
}

fn unknown() -> Problem {
    Problem::new(Code::NotFound, "there is no such visitor").field("id")
}

/// All that is known of a visitor.
///
/// Attributes, sessions, events, transcripts, chats with notes and files, forms, meetings, call backs and letters, as one document. That it was exported
/// stands in the audit log.
#[utoipa::path(
    get,
    path = "/api/v1/visitors/{id}/export",
    tag = "visitors",
    params(("id" = String, Path, description = "The visitor's id")),
    responses((status = 200, description = "All that is known, as one document", body = Value), Problems),
    security(("key" = ["visitors:write"]))
)]
async fn export_visitor(key: Authorized, State(app): State<App>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    key.needs(Scope::VisitorsWrite)?;
    let visitor: VisitorId = id.parse().map_err(|_| unknown())?;
    let exported = export(&app.store, key.actor(), visitor, key.sites(None)?, app.engine.outside.now()).await;
    exported.map(Json).map_err(|failure| match failure {
        Failure::Refused(_) => unknown(),
        Failure::Store(error) => error.into(),
    })
}

/// Erases a visitor.
///
/// All that is known of them goes. A chat under way is ended, and meetings to come are called off. The events of the log stay, without whom they happened
/// to and what they held. The answer comes when it is done, also in the files; what was sent elsewhere before is not the server's to take back.
#[utoipa::path(
    delete,
    path = "/api/v1/visitors/{id}",
    tag = "visitors",
    params(("id" = String, Path, description = "The visitor's id")),
    responses((status = 200, description = "The visitor is erased", body = Outcome), Problems),
    security(("key" = ["visitors:write"]))
)]
async fn erase_visitor(
    key: Authorized,
    once: OnceToken,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    key.needs(Scope::VisitorsWrite)?;
    let visitor: VisitorId = id.parse().map_err(|_| unknown())?;
    let command = Erase { engine: app.engine.clone(), actor: key.actor(), visitor, sites: key.sites(None)? };
    let (store, settings) = (app.store.clone(), Arc::clone(&app.settings));
    let work = async move {
        match erase(&store, &settings, command).await {
            Ok(erased) => Ok(Outcome { erased: true, scrubbed: erased.scrubbed, events: erased.events }),
            Err(Failure::Refused(NotErased::Unknown)) => Err(unknown()),
            Err(Failure::Refused(refusal @ NotErased::InChat)) => {
                Err(Problem::new(Code::NotAllowed, refusal.to_string()).field("id"))
            }
            Err(Failure::Store(error)) => Err(error.into()),
        }
    };
    once.around(&app, &key, (), StatusCode::OK, work).await
}
