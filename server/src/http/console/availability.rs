//! `/console/availability`: one's own hours.

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use leptos::prelude::*;
use porchlight_app::console::pages::AvailabilityPage;
use porchlight_domain::agent::Availability;
use serde::Deserialize;

use super::{render, session::SignedIn};
use crate::{
    http::{
        App,
        body::{Form, Query},
        problem::{Code, Problem},
    },
    store::{AgentRow, Command, Failure, News, Tx},
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/console/availability", get(show).post(change))
}

#[derive(Debug, Clone, Deserialize)]
struct Hours {
    time_zone: String,
    #[serde(default)]
    hours: String,
}

#[derive(Debug, Deserialize)]
struct Shown {
    #[serde(default)]
    saved: bool,
}

async fn show(State(app): State<App>, SignedIn { agent, .. }: SignedIn, Query(Shown { saved }): Query<Shown>) -> Response {
    let hours = Hours { time_zone: agent.availability.time_zone.clone(), hours: agent.availability.in_words() };
    page(&app, &agent, hours, saved, None).await
}

async fn page(app: &App, agent: &AgentRow, hours: Hours, saved: bool, problem: Option<String>) -> Response {
    let now = app.engine.outside.now();
    let by_hand = match agent.switched.filter(|(_, until)| until.is_none_or(|until| now < until)) {
        Some((true, _)) => "You have switched yourself to available, until your next hours begin or end.",
        Some((false, _)) => "You have switched yourself to away, until your next hours begin or end.",
        None if agent.availability.is_open(now) => "These are your hours.",
        None => "These are not your hours.",
    };
    let status = if problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    render::page(status, Some(agent), ("availability", "Availability"), move |_| {
        let (hours, problem) = (hours.clone(), problem.clone());
        view! { <AvailabilityPage time_zone=hours.time_zone hours=hours.hours now=by_hand.to_owned() saved problem/> }
    })
    .await
}

async fn change(State(app): State<App>, SignedIn { agent, .. }: SignedIn, Form(given): Form<Hours>) -> Result<Response, Problem> {
    match Availability::read(&given.time_zone, &given.hours) {
        Ok(availability) => {
            let now = app.engine.outside.now();
            let mut agent = agent;
            agent.availability = availability;
            app.store.commit(Keep { agent, now }).await?;
            Ok(Redirect::to("/console/availability?saved=true").into_response())
        }
        Err(error) => {
            let problem = Problem::new(Code::Malformed, error.to_string()).in_words();
            Ok(page(&app, &agent, given, false, Some(problem)).await)
        }
    }
}

struct Keep {
    agent: AgentRow,
    now: jiff::Timestamp,
}

impl Command for Keep {
    type Done = ();
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<Problem>> {
        tx.put_agent(&self.agent, self.now).await?;
        // New hours hold from now on.
        tx.set_switched(self.agent.id, None, None).await?;
        tx.tell(News::Agent { agent: self.agent.id });
        Ok(())
    }
}
