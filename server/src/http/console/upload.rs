//! `POST /console/api/chats/{id}/files`: an agent sends a file.

use axum::{
    Router,
    extract::{DefaultBodyLimit, Path, State},
    routing::post,
};
use porchlight_domain::id::AnswerId;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    act::send_file,
    chats::chat_id,
    session::{Right, SignedIn},
};
use crate::{
    files::Upload,
    http::{
        App,
        body::{Query, Raw},
        problem::Problem,
    },
};

pub(super) fn routes(limit: usize) -> Router<App> {
    // One more, so that what is too large is told as such.
    let limit = DefaultBodyLimit::max(limit.saturating_add(1));
    Router::new().route("/console/api/chats/{id}/files", post(upload).layer(limit))
}

#[derive(Debug, Deserialize)]
struct Sent {
    /// Names the message: sent twice, it is said once.
    message: AnswerId,
    /// What the file is called.
    name: String,
}

/// The body is the file. The answer is the number of its line.
async fn upload(
    State(app): State<App>,
    SignedIn { agent, .. }: SignedIn,
    Path(id): Path<String>,
    Query(Sent { message, name }): Query<Sent>,
    Raw(content): Raw,
) -> Result<axum::Json<Value>, Problem> {
    agent.must(Right::Answer)?;
    let line = send_file(&app, &agent, chat_id(&id)?, message, Upload { name, content }).await?;
    Ok(axum::Json(json!({ "line": line })))
}
