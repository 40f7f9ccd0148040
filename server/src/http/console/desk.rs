//! `/console`: the desk.

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use leptos::{config::LeptosOptions, prelude::*};
use porchlight_app::console::DeskPage;

use super::{
    chats::Whole,
    feed::ReadDesk,
    render,
    session::{Right, SignedIn},
};
use crate::{
    assets::manifest,
    http::{App, problem::Problem},
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/console", get(inbox)).route("/console/chats/{id}", get(chat))
}

async fn inbox(State(app): State<App>, signed_in: SignedIn) -> Result<Response, Problem> {
    show(app, signed_in, None).await
}

async fn chat(State(app): State<App>, signed_in: SignedIn, Path(id): Path<String>) -> Result<Response, Problem> {
    show(app, signed_in, Some(id)).await
}

async fn show(app: App, SignedIn { agent, .. }: SignedIn, chat: Option<String>) -> Result<Response, Problem> {
    agent.must(Right::SeeChats)?;
    let desk = app.store.look(ReadDesk::of(&app, &agent)).await?;
    let wanted = chat.is_some();
    let selected = match chat.and_then(|chat| chat.parse().ok()) {
        Some(chat) => app.store.look(Whole { agent: agent.clone(), hub: app.store.hub().clone(), chat }).await.ok(),
        None => None,
    };
    // The inbox is there all the same.
    let status = if wanted && selected.is_none() { StatusCode::NOT_FOUND } else { StatusCode::OK };
    let (me, answers) = (render::me(&agent), agent.may(Right::Answer));
    let view = move || {
        render::allow();
        let options = LeptosOptions::builder().output_name(manifest().console.as_str()).site_pkg_dir("assets").build();
        let (desk, selected, me) = (desk.clone(), selected.clone(), me.clone());
        view! { <DeskPage desk selected me answers css=render::css() options/> }
    };
    Ok(render::response(status, view).await.into_response())
}
