//! `GET /api/v1/visitors?site=…&email=…`: everybody with that address, with what is known of them and their sessions.
//!
//! An address that a visitor typed proves nothing, so it never shows one visitor what another said. Here, to the site, it joins them.

use axum::{Json, Router, extract::State, routing::get};
use porchlight_domain::{contact::Email, id::SiteKey};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Authorized;
use crate::{
    http::{
        App,
        body::Query,
        problem::{Code, Problem},
    },
    store::{Command, Failure, Tx},
};

/// The most visitors an answer holds.
const VISITORS_MAX: u32 = 100;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/api/v1/visitors", get(visitors))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    site: SiteKey,
    email: String,
}

async fn visitors(_: Authorized, State(app): State<App>, Query(asked): Query<Asked>) -> Result<Json<Value>, Problem> {
    let email: Email = asked.email.parse().map_err(|error| Problem::new(Code::Malformed, format!("{error}")).field("email"))?;
    let found = app.store.look(Find { site: asked.site, email }).await?;
    Ok(Json(json!({ "visitors": found })))
}

struct Find {
    site: SiteKey,
    email: Email,
}

impl Command for Find {
    type Done = Vec<Value>;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Vec<Value>, Failure<Problem>> {
        let mut found = Vec::new();
        for visitor in tx.visitors_with(&self.site, "email", &self.email.to_string(), VISITORS_MAX).await? {
            let sessions: Vec<_> = tx
                .sessions(&visitor)
                .await?
                .into_iter()
                .map(|(session, active, began)| {
                    json!({ "id": session.id, "startedAt": format!("{began:.3}"), "activeAt": format!("{active:.3}"), "events": session.seq })
                })
                .collect();
            let identity = tx.identity(visitor.id).await?;
            let attributes = tx.attributes(visitor.id).await?;
            found.push(
                json!({ "id": visitor.id, "identified": identity.is_some(), "attributes": attributes, "sessions": sessions }),
            );
        }
        Ok(found)
    }
}
