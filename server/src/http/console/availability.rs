//! `/console/availability`: one's own hours.

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use leptos::prelude::*;
use porchlight_app::console::{calendar::MeetingsSection, pages::AvailabilityPage};
use porchlight_domain::agent::Availability;
use serde::Deserialize;

use super::{
    booking, render,
    session::{Right, SignedIn},
};
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

impl Hours {
    fn of(agent: &AgentRow) -> Self {
        Self { time_zone: agent.availability.time_zone.clone(), hours: agent.availability.in_words() }
    }
}

#[derive(Debug, Default, Deserialize)]
struct Shown {
    /// The hours for chats were saved just now.
    #[serde(default)]
    saved: bool,
    /// How one can be met was.
    #[serde(default)]
    met: bool,
}

async fn show(State(app): State<App>, SignedIn { agent, .. }: SignedIn, Query(shown): Query<Shown>) -> Result<Response, Problem> {
    page(&app, &agent, Hours::of(&agent), &shown, (None, None), None).await
}

/// The page with how one can be met as it was typed, and what is wrong with it; or with the address of a feed that was made just now.
pub(super) async fn page_with(
    app: &App,
    agent: &AgentRow,
    typed: Option<(booking::Given, String)>,
    feed: Option<String>,
) -> Result<Response, Problem> {
    page(app, agent, Hours::of(agent), &Shown::default(), (None, typed), feed).await
}

async fn page(
    app: &App,
    agent: &AgentRow,
    hours: Hours,
    &Shown { saved, met }: &Shown,
    (problem, typed): (Option<String>, Option<(booking::Given, String)>),
    feed: Option<String>,
) -> Result<Response, Problem> {
    let (given, bad_meetings) = typed.unzip();
    let now = app.engine.outside.now();
    let by_hand = match agent.switched.filter(|(_, until)| until.is_none_or(|until| now < until)) {
        Some((true, _)) => "You have switched yourself to available, until your next hours begin or end.",
        Some((false, _)) => "You have switched yourself to away, until your next hours begin or end.",
        None if agent.availability.is_open(now) => "These are your hours.",
        None => "These are not your hours.",
    };
    let wrong = problem.is_some() || bad_meetings.is_some();
    let status = if wrong { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let answers = agent.may(Right::Answer);
    let mut section = app.store.look(booking::ReadSection { agent: agent.clone(), given, now }).await?;
    section.elsewhere.feed = feed;
    Ok(render::page(status, Some(agent), ("availability", "Availability"), move |_| {
        let (hours, problem) = (hours.clone(), problem.clone());
        let (booking::Section { hours: meetings, elsewhere, preview }, bad) = (section.clone(), bad_meetings.clone());
        view! {
            <AvailabilityPage time_zone=hours.time_zone hours=hours.hours now=by_hand.to_owned() saved problem/>
            {answers.then(|| view! { <MeetingsSection hours=meetings elsewhere preview saved=met problem=bad/> })}
        }
    })
    .await)
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
            page(&app, &agent, given, &Shown::default(), (Some(problem), None), None).await
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
