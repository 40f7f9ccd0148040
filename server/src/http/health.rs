//! `GET /healthz`: the process runs. `GET /readyz`: it can do its work.

use axum::{Router, extract::State, routing::get};

use super::{App, problem::Problem};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/healthz", get(healthz)).route("/readyz", get(readyz))
}

async fn healthz() -> &'static str {
    "ok\n"
}

async fn readyz(State(app): State<App>) -> Result<&'static str, Problem> {
    app.store.ready().await?;
    Ok("ready\n")
}
