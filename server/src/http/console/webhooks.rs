//! `/console/webhooks`: where events are sent, and what came of it.

use std::collections::BTreeMap;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use jiff::{SignedDuration, Timestamp, civil::DateTime};
use leptos::prelude::*;
use porchlight_app::console::webhooks::{
    AttemptLine, EndpointFacts, EndpointFields, EndpointHealth, EndpointLine, EndpointSecrets, EndpointView, RemoveWebhookPage,
    WebhookPage, WebhooksPage, events,
};
use porchlight_domain::{
    event::{CATALOGUE, EventType, UnknownEventType},
    id::{EndpointId, SiteKey},
};
use serde::Deserialize;

use super::{
    render,
    session::{Right, SignedIn},
};
use crate::{
    http::{
        App,
        body::{Form, Query, SEVERAL},
        problem::{Code, Problem},
    },
    store::{Actor, AgentRow, Attempt, AttemptFilter, Command, Failure, Tx},
    webhooks::{
        Adapter, Endpoint, EndpointSettings, EndpointState, WebhookSecret,
        manage::{
            Attempts, BODY_BYTES, By, Change, Known, List, Make, ReadSecret, Remove, Replay, Rotate, Show, Switch, Turn, Which,
            no_webhook, overlap, try_out,
        },
    },
    when::When,
};

/// How many endpoints are shown at once.
const ENDPOINTS_SHOWN: u32 = 100;
/// How many attempts.
const ATTEMPTS_SHOWN: u32 = 50;
/// What has waited for less than this is on its way.
const ON_ITS_WAY: SignedDuration = SignedDuration::from_mins(1);
/// A beginning for JSON of one's own.
const BODY: &str = "{ \"text\": \"{{type}} on {{page}}\" }";

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/console/webhooks", get(show).post(make))
        .route("/console/webhooks/{id}", get(show_one).post(act))
        .route("/console/webhooks/{id}/remove", get(ask))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
}

/// Who asks. Who may not manage integrations has nothing to ask.
fn by(app: &App, agent: &AgentRow) -> Result<By, Problem> {
    agent.must(Right::ManageIntegrations)?;
    let sites = agent.sites().map(<[SiteKey]>::to_vec);
    Ok(By { actor: Actor::Agent(agent.id), sites, now: app.engine.outside.now() })
}

fn named(id: &str) -> Result<EndpointId, Problem> {
    id.parse().map_err(|_| no_webhook(id))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Wanted {
    /// After which endpoint the list begins.
    after: Option<EndpointId>,
    /// Which attempts are shown.
    outcome: String,
    /// Before which one.
    before: Option<i64>,
    /// What was done just now.
    done: String,
    /// With how many events.
    events: Option<u32>,
}

/// What the forms send.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Given {
    site: String,
    name: String,
    url: String,
    kind: String,
    text: String,
    measurement_id: String,
    api_secret: String,
    body: String,
    headers: String,
    #[serde(rename = "type")]
    types: String,
    notify: String,
    #[serde(rename = "do")]
    act: String,
    /// Where an endpoint goes on.
    begin: String,
    /// What is sent again.
    event: String,
    from: String,
    to: String,
    /// The type of a test.
    test: String,
}

fn bad(field: &str, detail: impl Into<String>) -> Problem {
    Problem::new(Code::Malformed, detail).field(field)
}

impl Given {
    fn settings(&self) -> Result<EndpointSettings, Problem> {
        let adapter = match self.kind.as_str() {
            "standard" => Adapter::Standard,
            "slack" => Adapter::Slack { text: Some(self.text.trim().to_owned()).filter(|text| !text.is_empty()) },
            "ga4" => Adapter::Ga4 {
                measurement_id: self.measurement_id.trim().to_owned(),
                api_secret: self.api_secret.trim().to_owned(),
            },
            "template" => {
                let body = serde_json::from_str(&self.body).map_err(|error| bad("body", format!("JSON: {error}")))?;
                Adapter::Template { body, headers: headers(&self.headers)? }
            }
            kind => return Err(bad("kind", format!("form: expected one of the list, got {kind:?}"))),
        };
        let kind = |name: &str| name.parse::<EventType>().map_err(|error: UnknownEventType| bad("type", error.to_string()));
        let types = self.chosen().map(kind).collect::<Result<Vec<_>, _>>()?;
        if types.is_empty() {
            return Err(bad("type", "events: expected at least one type"));
        }
        let all = CATALOGUE.iter().all(|entry| types.contains(&entry.kind));
        Ok(EndpointSettings {
            name: self.name.clone(),
            url: self.url.clone(),
            // Those to come, too.
            types: if all { Vec::new() } else { types },
            adapter,
            notify: Some(self.notify.clone()),
        })
    }

    fn chosen(&self) -> impl Iterator<Item = &str> {
        self.types.split(SEVERAL).filter(|name| !name.is_empty())
    }

    /// The fields as they were sent.
    fn fields(&self) -> EndpointFields {
        EndpointFields {
            site: self.site.clone(),
            name: self.name.clone(),
            url: self.url.clone(),
            kind: self.kind.clone(),
            text: self.text.clone(),
            measurement_id: self.measurement_id.clone(),
            api_secret: self.api_secret.clone(),
            body: self.body.clone(),
            headers: self.headers.clone(),
            types: self.chosen().map(str::to_owned).collect(),
            notify: self.notify.clone(),
        }
    }
}

/// Headers, a line each.
fn headers(text: &str) -> Result<BTreeMap<String, String>, Problem> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let header = |line: &str| -> Result<(String, String), Problem> {
        let (name, value) =
            line.split_once(':').ok_or_else(|| bad("headers", "headers: expected lines such as X-Api-Key: secret"))?;
        Ok((name.trim().to_owned(), value.trim().to_owned()))
    };
    lines.map(header).collect()
}

/// What stands in the fields of an endpoint.
fn fields(endpoint: &Endpoint) -> EndpointFields {
    let EndpointSettings { name, url, adapter, notify, .. } = &endpoint.settings;
    let types = CATALOGUE.iter().filter(|entry| endpoint.wants(entry.kind)).map(|entry| entry.name.to_owned());
    let mut fields = EndpointFields {
        site: endpoint.site.to_string(),
        name: name.clone(),
        url: url.clone(),
        kind: adapter.kind().to_owned(),
        body: BODY.to_owned(),
        types: types.collect(),
        notify: notify.clone().unwrap_or_default(),
        ..EndpointFields::default()
    };
    match adapter.masked() {
        Adapter::Standard => {}
        Adapter::Slack { text } => fields.text = text.unwrap_or_default(),
        Adapter::Ga4 { measurement_id, api_secret } => (fields.measurement_id, fields.api_secret) = (measurement_id, api_secret),
        Adapter::Template { body, headers } => {
            fields.body = serde_json::to_string_pretty(&body).unwrap_or_default();
            fields.headers = headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        }
    }
    fields
}

/// What stands in the fields of one that is not there yet.
fn no_fields() -> EndpointFields {
    EndpointFields {
        kind: Adapter::default().kind().to_owned(),
        body: BODY.to_owned(),
        types: CATALOGUE.iter().map(|entry| entry.name.to_owned()).collect(),
        ..EndpointFields::default()
    }
}

const fn health(endpoint: &Endpoint) -> EndpointHealth {
    match endpoint.state {
        EndpointState::On if endpoint.failing_since.is_some() => EndpointHealth::Failing,
        EndpointState::On => EndpointHealth::Well,
        EndpointState::Person => EndpointHealth::Off,
        EndpointState::Gone => EndpointHealth::Gone,
        EndpointState::Failing => EndpointHealth::GivenUp,
    }
}

/// Writes moments for an agent.
struct Clock {
    writes: When,
    zone: jiff::tz::TimeZone,
    now: Timestamp,
}

impl Clock {
    fn of(agent: &AgentRow, now: Timestamp) -> Self {
        Self { writes: When::of("en-GB"), zone: agent.availability.zone(), now }
    }

    fn words(&self, at: Timestamp) -> String {
        self.writes.day_and_time(at, &self.zone)
    }

    /// To the second, as short as it gets.
    fn exactly(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// Since when an endpoint is behind, if it is by more than what is on its way anyway.
    fn behind(&self, known: &Known) -> Option<String> {
        let since = known.backlog.behind_since.filter(|since| self.now.duration_since(*since) >= ON_ITS_WAY);
        since.map(|since| self.words(since))
    }

    fn line(&self, attempt: Attempt) -> AttemptLine {
        AttemptLine {
            at: self.exactly(attempt.at),
            took: format!("{} ms", attempt.took.as_millis()),
            kind: attempt.kind.map_or("", EventType::name),
            event: attempt.event.to_string(),
            status: attempt.status,
            problem: attempt.problem,
        }
    }

    /// A moment as a field for a date and a time sends it.
    fn moment(&self, field: &str, text: &str) -> Result<Timestamp, Problem> {
        let local: Option<DateTime> = text.parse().ok();
        let zoned = local.and_then(|local| local.to_zoned(self.zone.clone()).ok());
        let expected = || bad(field, format!("{field}: expected a day and a time such as 2026-11-26T10:30, got {text:?}"));
        zoned.map(|zoned| zoned.timestamp()).ok_or_else(expected)
    }
}

async fn show(
    State(app): State<App>,
    SignedIn { agent, .. }: SignedIn,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let said = (wanted.done == "removed").then_some("Removed.");
    list_page(&app, &agent, wanted.after, said, None).await
}

async fn list_page(
    app: &App,
    agent: &AgentRow,
    after: Option<EndpointId>,
    said: Option<&'static str>,
    wrong: Option<(EndpointFields, Problem)>,
) -> Result<Response, Problem> {
    let by = by(app, agent)?;
    let clock = Clock::of(agent, by.now);
    let mut list = app.store.look(List { by, after, limit: ENDPOINTS_SHOWN + 1 }).await?;
    let there_is_more = list.len() > ENDPOINTS_SHOWN as usize;
    list.truncate(ENDPOINTS_SHOWN as usize);
    let more = list.last().filter(|_| there_is_more).map(|last| format!("/console/webhooks?after={}", last.endpoint.id));
    let lines: Vec<EndpointLine> = list.iter().map(|known| line(known, &clock)).collect();
    let sites = app.store.look(Sites(agent.clone())).await?;
    let status = wrong.as_ref().map_or(StatusCode::OK, |(_, problem)| problem.code.status());
    let (fields, problem) = wrong.map_or_else(|| (no_fields(), None), |(fields, problem)| (fields, Some(problem.in_words())));
    Ok(render::page(status, Some(agent), ("webhooks", "Webhooks"), move |_| {
        let (lines, more, sites, fields, problem) = (lines.clone(), more.clone(), sites.clone(), fields.clone(), problem.clone());
        view! { <WebhooksPage lines more sites fields said problem/> }
    })
    .await)
}

fn line(known: &Known, clock: &Clock) -> EndpointLine {
    let Known { endpoint, backlog } = known;
    let mut open = Vec::new();
    if backlog.waiting > 0 {
        open.push(events(backlog.waiting, "to be tried again"));
    }
    if backlog.given_up > 0 {
        open.push(events(backlog.given_up, "given up"));
    }
    open.extend(clock.behind(known).map(|since| format!("behind since {since}")));
    EndpointLine {
        id: endpoint.id.to_string(),
        name: endpoint.settings.name.clone(),
        site: endpoint.site.to_string(),
        url: endpoint.settings.url.clone(),
        kind: endpoint.settings.adapter.kind(),
        health: health(endpoint),
        open,
    }
}

/// The sites that an agent works for.
struct Sites(AgentRow);

impl Command for Sites {
    type Done = Vec<String>;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Vec<String>, Failure<Problem>> {
        let sites = tx.sites().await?.into_iter().filter(|site| self.0.serves(site));
        Ok(sites.map(|site| site.to_string()).collect())
    }
}

async fn make(State(app): State<App>, SignedIn { agent, .. }: SignedIn, Form(given): Form<Given>) -> Result<Response, Problem> {
    let by = by(&app, &agent)?;
    let outside = &app.engine.outside;
    let id = EndpointId::new(outside.new_id());
    let made = async {
        let site = given.site.parse().map_err(|_| bad("site", "site: expected one of the list"))?;
        let make = Make {
            by,
            hooks: app.hooks.clone(),
            id,
            site,
            settings: given.settings()?,
            secret: WebhookSecret::new(&outside.new_secret()),
            most: app.settings.webhooks_limit,
        };
        app.store.commit(make).await.map_err(Problem::from)
    };
    match made.await {
        Ok(_) => Ok(Redirect::to(&format!("/console/webhooks/{id}?done=made")).into_response()),
        Err(problem) => list_page(&app, &agent, None, None, Some((given.fields(), problem))).await,
    }
}

/// What was done, in words.
fn in_words(done: &str, count: u32) -> Option<String> {
    Some(match done {
        "made" => "Made. It is sent what happens from now on. Give its secret to your receiver, and try it.".to_owned(),
        "saved" => "Saved.".to_owned(),
        "on" => "Switched on.".to_owned(),
        "off" => "Switched off. What happens meanwhile is kept for it.".to_owned(),
        "rotated" => "There is a new secret. Give it to your receiver.".to_owned(),
        "replayed" => format!("Sent again: {}.", events(count, "").trim_end()),
        _ => return None,
    })
}

/// What is shown of an endpoint besides what there always is.
struct Besides {
    wanted: Wanted,
    secrets: Option<Endpoint>,
    tried: Option<Attempt>,
    /// The type of event to be chosen for a test.
    test: EventType,
    /// What is wrong, and where it was sent along the fields as they were.
    wrong: Option<(Problem, Option<EndpointFields>)>,
}

impl Default for Besides {
    fn default() -> Self {
        Self { wanted: Wanted::default(), secrets: None, tried: None, test: EventType::WidgetLoaded, wrong: None }
    }
}

async fn show_one(
    State(app): State<App>,
    SignedIn { agent, .. }: SignedIn,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let by = by(&app, &agent)?;
    page(&app, &agent, by, named(&id)?, Besides { wanted, ..Besides::default() }).await
}

async fn page(app: &App, agent: &AgentRow, by: By, id: EndpointId, besides: Besides) -> Result<Response, Problem> {
    let Besides { wanted, secrets, tried, test, wrong } = besides;
    let clock = Clock::of(agent, by.now);
    let failed = wanted.outcome == "failed";
    let filter = AttemptFilter { before: wanted.before, limit: ATTEMPTS_SHOWN + 1, event: None, failed: failed.then_some(true) };
    let known = app.store.look(Show { by: by.clone(), id }).await?;
    let mut attempts = app.store.look(Attempts { by, id, filter }).await?;
    let there_are_older = attempts.len() > ATTEMPTS_SHOWN as usize;
    attempts.truncate(ATTEMPTS_SHOWN as usize);
    let older = attempts
        .last()
        .filter(|_| there_are_older)
        .map(|last| format!("/console/webhooks/{id}?outcome={}&before={}#attempts", if failed { "failed" } else { "" }, last.id));
    let status = wrong.as_ref().map_or(StatusCode::OK, |(problem, _)| problem.code.status());
    let (problem, typed) = wrong.map_or((None, None), |(problem, typed)| (Some(problem.in_words()), typed));
    let shown = EndpointView {
        facts: facts(&known, &clock),
        editing: typed.is_some(),
        fields: typed.unwrap_or_else(|| fields(&known.endpoint)),
        secrets: secrets.map(|endpoint| EndpointSecrets {
            secret: endpoint.secret.reveal(),
            previous: endpoint.previous.map(|(secret, until)| (secret.reveal(), clock.words(until))),
        }),
        overlap: app.settings.webhook_secret_overlap_hours,
        test: test.name(),
        tried: tried.map(|attempt| clock.line(attempt)),
        attempts: attempts.into_iter().map(|attempt| clock.line(attempt)).collect(),
        failed,
        older,
        said: in_words(&wanted.done, wanted.events.unwrap_or_default()),
        problem,
    };
    Ok(render::page(status, Some(agent), ("webhooks", "Webhooks"), move |_| {
        let shown = shown.clone();
        view! { <WebhookPage shown/> }
    })
    .await)
}

fn facts(known: &Known, clock: &Clock) -> EndpointFacts {
    let Known { endpoint, backlog } = known;
    let types: Vec<&str> = endpoint.settings.types.iter().map(|kind| kind.name()).collect();
    let failing = endpoint.failing_since.map(|since| {
        let times = if endpoint.failures == 1 { "once".to_owned() } else { format!("{} times in a row", endpoint.failures) };
        format!("{times}, since {}", clock.words(since))
    });
    EndpointFacts {
        id: endpoint.id.to_string(),
        site: endpoint.site.to_string(),
        name: endpoint.settings.name.clone(),
        url: endpoint.settings.url.clone(),
        kind: endpoint.settings.adapter.kind(),
        types: if types.is_empty() { "all".to_owned() } else { types.join(", ") },
        health: health(endpoint),
        failing,
        problem: endpoint.problem.clone(),
        waiting: backlog.waiting,
        given_up: backlog.given_up,
        behind: clock.behind(known),
        made: clock.words(endpoint.created_at),
        changed: clock.words(endpoint.changed_at),
    }
}

/// What came of what a form asked for.
enum Came {
    /// It was done, and there is a word for it; with so many events, where that says something.
    Done(&'static str, Option<u64>),
    Removed,
    Secret(Box<Endpoint>),
    Tried(Attempt),
}

async fn act(
    State(app): State<App>,
    SignedIn { agent, .. }: SignedIn,
    Path(id): Path<String>,
    Form(given): Form<Given>,
) -> Result<Response, Problem> {
    let by = by(&app, &agent)?;
    let id = named(&id)?;
    let mut besides = Besides::default();
    match carry_out(&app, &agent, by.clone(), id, &given).await {
        Ok(Came::Done(done, count)) => {
            let count = count.map(|count| format!("&events={count}")).unwrap_or_default();
            return Ok(Redirect::to(&format!("/console/webhooks/{id}?done={done}{count}")).into_response());
        }
        Ok(Came::Removed) => return Ok(Redirect::to("/console/webhooks?done=removed").into_response()),
        Ok(Came::Secret(endpoint)) => besides.secrets = Some(*endpoint),
        Ok(Came::Tried(attempt)) => {
            besides.test = attempt.kind.unwrap_or(besides.test);
            besides.tried = Some(attempt);
        }
        Err(problem) if problem.code == Code::UnknownWebhook => return Err(problem),
        Err(problem) => besides.wrong = Some((problem, (given.act == "save").then(|| given.fields()))),
    }
    page(&app, &agent, by, id, besides).await
}

async fn carry_out(app: &App, agent: &AgentRow, by: By, id: EndpointId, given: &Given) -> Result<Came, Problem> {
    let clock = Clock::of(agent, by.now);
    Ok(match given.act.as_str() {
        "on" => {
            let turn = Turn::On { skip: given.begin == "skip" };
            app.store.commit(Switch { by, id, turn }).await?;
            Came::Done("on", None)
        }
        "off" => {
            app.store.commit(Switch { by, id, turn: Turn::Off }).await?;
            Came::Done("off", None)
        }
        "save" => {
            app.store.commit(Change { by, hooks: app.hooks.clone(), id, settings: given.settings()? }).await?;
            Came::Done("saved", None)
        }
        "secret" => Came::Secret(Box::new(app.store.commit(ReadSecret { by, id }).await?)),
        "rotate" => {
            let secret = WebhookSecret::new(&app.engine.outside.new_secret());
            app.store.commit(Rotate { by, id, secret, overlap: overlap(&app.settings) }).await?;
            Came::Done("rotated", None)
        }
        "test" => {
            let kind = given.test.parse().map_err(|error: UnknownEventType| bad("test", error.to_string()))?;
            Came::Tried(try_out(&app.store, &app.hooks, by, id, kind).await?)
        }
        "replay-failed" => again(app, by, id, Which::Failed).await?,
        "replay-between" => {
            let (from, to) = (clock.moment("from", &given.from)?, clock.moment("to", &given.to)?);
            again(app, by, id, Which::Between(from, to)).await?
        }
        "replay-one" => {
            let event = given.event.trim();
            let event = event.parse().map_err(|_| bad("event", format!("expected the id of an event, got {event:?}")))?;
            again(app, by, id, Which::One(event)).await?
        }
        "remove" => {
            app.store.commit(Remove { by, id }).await?;
            Came::Removed
        }
        act => return Err(bad("do", format!("expected something that can be done to an endpoint, got {act:?}"))),
    })
}

async fn again(app: &App, by: By, id: EndpointId, which: Which) -> Result<Came, Problem> {
    let replay = Replay { by, id, which, most: app.settings.webhook_replay_limit };
    Ok(Came::Done("replayed", Some(app.store.commit(replay).await?)))
}

async fn ask(State(app): State<App>, SignedIn { agent, .. }: SignedIn, Path(id): Path<String>) -> Result<Response, Problem> {
    let by = by(&app, &agent)?;
    let Known { endpoint, backlog } = app.store.look(Show { by, id: named(&id)? }).await?;
    Ok(render::page(StatusCode::OK, Some(&agent), ("webhooks", "Webhooks"), move |_| {
        let (id, name, site) = (endpoint.id.to_string(), endpoint.settings.name.clone(), endpoint.site.to_string());
        view! { <RemoveWebhookPage id name site waiting=backlog.waiting/> }
    })
    .await)
}
