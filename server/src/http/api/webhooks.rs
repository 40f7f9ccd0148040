//! Endpoints of webhooks: what they are, what was sent to them, and sending it again.

use axum::{
    Json,
    extract::{DefaultBodyLimit, Path, State},
    http::StatusCode,
    response::Response,
};
use jiff::{SignedDuration, Timestamp};
use porchlight_domain::{
    event::EventType,
    id::{EndpointId, EventId, SiteKey},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Authorized, once::OnceToken, page, problems::Problems};
use crate::{
    access::Scope,
    http::{
        App,
        body::{Json as Body, Query, Raw, json},
        problem::{Code, Problem},
    },
    store::{Attempt, AttemptFilter, Command, Failure, Tx},
    webhooks::{
        Adapter, Endpoint, EndpointSettings, WebhookSecret,
        manage::{
            Attempts, BODY_BYTES, By, Change, Known, List, Make, ReadSecret, Remove, Replay, Rotate, Show, Switch, Turn, Which,
            no_webhook, overlap, try_out,
        },
    },
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(list_webhooks, make_webhook))
        .routes(routes!(get_webhook, put_webhook, delete_webhook))
        .routes(routes!(enable_webhook))
        .routes(routes!(disable_webhook))
        .routes(routes!(get_webhook_secret))
        .routes(routes!(rotate_webhook_secret))
        .routes(routes!(test_webhook))
        .routes(routes!(list_webhook_attempts))
        .routes(routes!(replay_webhook))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
}

/// A command whose answer is told as the API tells it.
struct Told<C: Command, T>(C, fn(C::Done) -> T);

impl<C, T> Command for Told<C, T>
where
    C: Command<Refusal = Problem>,
    T: Send + 'static,
{
    type Done = T;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<T, Failure<Problem>> {
        let Self(command, tell) = self;
        Ok(tell(command.run(tx).await?))
    }
}

fn by(key: &Authorized, app: &App) -> Result<By, Problem> {
    Ok(By { actor: key.actor(), sites: key.sites(None)?, now: app.engine.outside.now() })
}

/// The endpoint that an address names. What is no id names none.
fn named(id: &str) -> Result<EndpointId, Problem> {
    id.parse().map_err(|_| no_webhook(id))
}

/// A body that may be left out.
fn optional<T: DeserializeOwned + Default>(body: &[u8]) -> Result<T, Problem> {
    if body.is_empty() { Ok(T::default()) } else { json(body) }
}

/// Leaves of what was read, with one more than a page holds, the page; and says where to go on from.
fn cut<T>(mut list: Vec<T>, limit: u32, place: impl Fn(&T) -> String) -> (Vec<T>, Option<String>) {
    let limit = limit as usize;
    let more = list.len() > limit;
    list.truncate(limit);
    let next = list.last().filter(|_| more).map(place);
    (list, next)
}

fn moment(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// An endpoint that events are sent to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Webhook {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// The site whose events it is sent.
    site: String,
    /// What it is for.
    name: String,
    /// Where it is.
    #[schema(format = "uri")]
    url: String,
    /// The types of events it is sent; none named: all, also those to come.
    types: Vec<String>,
    /// The form they are sent in. Secrets in it are told as "…".
    adapter: Adapter,
    /// Who is told by e-mail when nothing is sent to it any more; null: all administrators.
    #[schema(required)]
    notify: Option<String>,
    /// `on`; or why nothing is sent to it: `person` switched it off, it answered that it is `gone` (410), or it was `failing` for too long.
    #[schema(example = "on")]
    state: String,
    /// Since when nothing but failures came of it; null: the last event was accepted.
    #[schema(required, format = "date-time")]
    failing_since: Option<String>,
    /// How many failures there were since then.
    failures: u32,
    /// The last failure, in words.
    #[schema(required)]
    problem: Option<String>,
    /// How many events wait to be tried again.
    waiting: u32,
    /// How many were given up, and are sent again only if somebody asks for it.
    given_up: u32,
    /// When the oldest event happened that has not been tried yet.
    #[schema(required, format = "date-time")]
    behind_since: Option<String>,
    /// When it was made.
    #[schema(format = "date-time")]
    created_at: String,
    /// When people changed it last, or it was switched off.
    #[schema(format = "date-time")]
    changed_at: String,
}

impl Webhook {
    fn of(Known { endpoint, backlog }: Known) -> Self {
        let EndpointSettings { name, url, types, adapter, notify } = endpoint.settings;
        Self {
            id: endpoint.id.to_string(),
            site: endpoint.site.to_string(),
            name,
            url,
            types: types.iter().map(ToString::to_string).collect(),
            adapter: adapter.masked(),
            notify,
            state: endpoint.state.name().to_owned(),
            failing_since: endpoint.failing_since.map(moment),
            failures: endpoint.failures,
            problem: endpoint.problem,
            waiting: backlog.waiting,
            given_up: backlog.given_up,
            behind_since: backlog.behind_since.map(moment),
            created_at: moment(endpoint.created_at),
            changed_at: moment(endpoint.changed_at),
        }
    }
}

/// An endpoint that is new, with its secret.
#[derive(Debug, Serialize, ToSchema)]
struct NewWebhook {
    #[serde(flatten)]
    webhook: Webhook,
    /// What is signed with.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    secret: String,
}

impl NewWebhook {
    fn of(known: Known) -> Self {
        let secret = known.endpoint.secret.reveal();
        Self { webhook: Webhook::of(known), secret }
    }
}

/// Endpoints, a page of them.
#[derive(Debug, Serialize, ToSchema)]
struct WebhookPage {
    /// The endpoints, the oldest first.
    webhooks: Vec<Webhook>,
    /// Where to go on from: the `after` of the next request; null: these were the last.
    #[schema(required)]
    next: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AskedList {
    /// Only endpoints of this site.
    #[param(value_type = Option<String>)]
    site: Option<SiteKey>,
    /// The `next` of an earlier page.
    after: Option<String>,
    /// The most endpoints in the answer.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
}

/// Lists endpoints.
#[utoipa::path(
    get,
    path = "/api/v1/webhooks",
    tag = "webhooks",
    params(AskedList),
    responses((status = 200, description = "A page of them.", body = WebhookPage), Problems),
    security(("key" = ["webhooks:read"]))
)]
async fn list_webhooks(
    key: Authorized,
    State(app): State<App>,
    Query(asked): Query<AskedList>,
) -> Result<Json<WebhookPage>, Problem> {
    key.needs(Scope::WebhooksRead)?;
    let limit = page::limit(asked.limit)?;
    let by = By { sites: key.sites(asked.site)?, ..by(&key, &app)? };
    let list = List { by, after: page::cursor(asked.after.as_deref())?, limit: limit + 1 };
    let (list, next) = cut(app.store.look(list).await?, limit, |known| known.endpoint.id.to_string());
    Ok(Json(WebhookPage { webhooks: list.into_iter().map(Webhook::of).collect(), next }))
}

/// What a new endpoint is to be.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MakeWebhook {
    /// The site whose events it is sent.
    #[schema(value_type = String)]
    site: SiteKey,
    /// What it is for.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// Where it is: https, or http to a host that the setting egress_allow lists.
    #[schema(format = "uri", max_length = 2000)]
    url: String,
    /// The types of events it is sent; all, also those to come, if none are named.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    types: Vec<EventType>,
    /// The form they are sent in; as they are, if none is named.
    #[serde(default)]
    adapter: Adapter,
    /// Who is told by e-mail when nothing is sent to it any more; all administrators, if nobody is named.
    #[serde(default)]
    notify: Option<String>,
}

/// Makes an endpoint.
///
/// It is sent what happens from now on. Its secret is in the answer.
#[utoipa::path(
    post,
    path = "/api/v1/webhooks",
    tag = "webhooks",
    request_body(content = MakeWebhook, content_type = "application/json"),
    responses(
        (status = 201, description = "It is there.", body = NewWebhook),
        Problems
    ),
    security(("key" = ["webhooks:write"]))
)]
async fn make_webhook(
    key: Authorized,
    once: OnceToken,
    State(app): State<App>,
    Body(asked): Body<MakeWebhook>,
) -> Result<Response, Problem> {
    key.needs(Scope::WebhooksWrite)?;
    let outside = &app.engine.outside;
    let MakeWebhook { site, name, url, types, adapter, notify } = asked.clone();
    let make = Make {
        by: by(&key, &app)?,
        hooks: app.hooks.clone(),
        id: EndpointId::new(outside.new_id()),
        site,
        settings: EndpointSettings { name, url, types, adapter, notify },
        secret: WebhookSecret::new(&outside.new_secret()),
        most: app.settings.webhooks_limit,
    };
    once.commit(&app, &key, &asked, StatusCode::CREATED, Told(make, NewWebhook::of)).await
}

/// Gives an endpoint.
#[utoipa::path(
    get,
    path = "/api/v1/webhooks/{id}",
    tag = "webhooks",
    params(("id" = String, Path, description = "The id of the endpoint.")),
    responses((status = 200, description = "The endpoint, and how it does.", body = Webhook), Problems),
    security(("key" = ["webhooks:read"]))
)]
async fn get_webhook(key: Authorized, State(app): State<App>, Path(id): Path<String>) -> Result<Json<Webhook>, Problem> {
    key.needs(Scope::WebhooksRead)?;
    let show = Show { by: by(&key, &app)?, id: named(&id)? };
    Ok(Json(Webhook::of(app.store.look(show).await?)))
}

/// Puts other settings in the place of those of an endpoint.
///
/// Where it is in the log stays. A secret of its form that comes as "…" stays as it is, as long as scheme, host and port of the
/// address stay.
#[utoipa::path(
    put,
    path = "/api/v1/webhooks/{id}",
    tag = "webhooks",
    params(("id" = String, Path, description = "The id of the endpoint.")),
    request_body(content = EndpointSettings, content_type = "application/json"),
    responses((status = 200, description = "The endpoint as it is now.", body = Webhook), Problems),
    security(("key" = ["webhooks:write"]))
)]
async fn put_webhook(
    key: Authorized,
    once: OnceToken,
    State(app): State<App>,
    Path(id): Path<String>,
    Body(settings): Body<EndpointSettings>,
) -> Result<Response, Problem> {
    key.needs(Scope::WebhooksWrite)?;
    let asked = settings.clone();
    let change = Change { by: by(&key, &app)?, hooks: app.hooks.clone(), id: named(&id)?, settings };
    once.commit(&app, &key, &asked, StatusCode::OK, Told(change, Webhook::of)).await
}

/// Removes an endpoint.
///
/// What it has yet to be sent is not sent any more, and what came of attempts is forgotten.
#[utoipa::path(
    delete,
    path = "/api/v1/webhooks/{id}",
    tag = "webhooks",
    params(("id" = String, Path, description = "The id of the endpoint.")),
    responses((status = 204, description = "It is gone."), Problems),
    security(("key" = ["webhooks:write"]))
)]
async fn delete_webhook(
    key: Authorized,
    once: OnceToken,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    key.needs(Scope::WebhooksWrite)?;
    let remove = Remove { by: by(&key, &app)?, id: named(&id)? };
    once.commit(&app, &key, &(), StatusCode::NO_CONTENT, remove).await
}

/// How an endpoint is switched on.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EnableWebhook {
    /// Whether it is sent what happens from now on only. Otherwise it goes on from where it stopped.
    #[serde(default)]
    skip: bool,
}

/// Switches an endpoint on.
///
/// One that is on already stays as it is. With `skip`, what it has missed is not sent, and what waited to be tried again counts as given up.
#[utoipa::path(
    post,
    path = "/api/v1/webhooks/{id}/enable",
    tag = "webhooks",
    params(("id" = String, Path, description = "The id of the endpoint.")),
    request_body(content = Option<EnableWebhook>, content_type = "application/json"),
    responses((status = 200, description = "The endpoint as it is now.", body = Webhook), Problems),
    security(("key" = ["webhooks:write"]))
)]
async fn enable_webhook(
    key: Authorized,
    once: OnceToken,
    State(app): State<App>,
    Path(id): Path<String>,
    Raw(body): Raw,
) -> Result<Response, Problem> {
    key.needs(Scope::WebhooksWrite)?;
    let asked: EnableWebhook = optional(&body)?;
    let switch = Switch { by: by(&key, &app)?, id: named(&id)?, turn: Turn::On { skip: asked.skip } };
    once.commit(&app, &key, &asked, StatusCode::OK, Told(switch, Webhook::of)).await
}

/// Switches an endpoint off.
///
/// Nothing is sent to it until it is switched on. One that is off already stays as it is.
#[utoipa::path(
    post,
    path = "/api/v1/webhooks/{id}/disable",
    tag = "webhooks",
    params(("id" = String, Path, description = "The id of the endpoint.")),
    responses((status = 200, description = "The endpoint as it is now.", body = Webhook), Problems),
    security(("key" = ["webhooks:write"]))
)]
async fn disable_webhook(
    key: Authorized,
    once: OnceToken,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    key.needs(Scope::WebhooksWrite)?;
    let switch = Switch { by: by(&key, &app)?, id: named(&id)?, turn: Turn::Off };
    once.commit(&app, &key, &(), StatusCode::OK, Told(switch, Webhook::of)).await
}

/// What is signed with.
#[derive(Debug, Serialize, ToSchema)]
struct SigningSecret {
    /// The secret.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    secret: String,
    /// The one before it, as long as that is signed with, too.
    #[schema(required)]
    previous: Option<PreviousSecret>,
}

/// A secret that was rotated.
#[derive(Debug, Serialize, ToSchema)]
struct PreviousSecret {
    /// The secret.
    secret: String,
    /// Until when it is signed with.
    #[schema(format = "date-time")]
    until: String,
}

impl SigningSecret {
    fn of(endpoint: Endpoint) -> Self {
        let previous = endpoint.previous.map(|(secret, until)| PreviousSecret { secret: secret.reveal(), until: moment(until) });
        Self { secret: endpoint.secret.reveal(), previous }
    }
}

/// Gives the secret of an endpoint.
///
/// That it was read is in the audit log.
#[utoipa::path(
    get,
    path = "/api/v1/webhooks/{id}/secret",
    tag = "webhooks",
    params(("id" = String, Path, description = "The id of the endpoint.")),
    responses((status = 200, description = "The secret.", body = SigningSecret), Problems),
    security(("key" = ["webhooks:write"]))
)]
async fn get_webhook_secret(
    key: Authorized,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<SigningSecret>, Problem> {
    key.needs(Scope::WebhooksWrite)?;
    let read = ReadSecret { by: by(&key, &app)?, id: named(&id)? };
    Ok(Json(SigningSecret::of(app.store.commit(read).await?)))
}

/// Gives an endpoint another secret.
///
/// The one before it is signed with, too, for as long as the setting `webhook_secret_overlap_hours` says.
#[utoipa::path(
    post,
    path = "/api/v1/webhooks/{id}/rotate-secret",
    tag = "webhooks",
    params(("id" = String, Path, description = "The id of the endpoint.")),
    responses((status = 200, description = "The new secret.", body = SigningSecret), Problems),
    security(("key" = ["webhooks:write"]))
)]
async fn rotate_webhook_secret(
    key: Authorized,
    once: OnceToken,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    key.needs(Scope::WebhooksWrite)?;
    let rotate = Rotate {
        by: by(&key, &app)?,
        id: named(&id)?,
        secret: WebhookSecret::new(&app.engine.outside.new_secret()),
        overlap: overlap(&app.settings),
    };
    once.commit(&app, &key, &(), StatusCode::OK, Told(rotate, SigningSecret::of)).await
}

/// What is sent as a test.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TestWebhook {
    /// The type of the event; `widget.loaded`, if none is named.
    #[serde(rename = "type")]
    #[schema(value_type = Option<String>)]
    kind: Option<EventType>,
}

/// What came of a test.
#[derive(Debug, Serialize, ToSchema)]
struct TestOutcome {
    /// The id of the event that was sent. The log has no such event.
    #[schema(format = "uuid")]
    event: String,
    /// Its type.
    #[serde(rename = "type")]
    #[schema(required)]
    kind: Option<String>,
    /// When it was sent.
    #[schema(format = "date-time")]
    at: String,
    /// How long it took to be answered.
    milliseconds: i64,
    /// The status that was answered, if something was.
    #[schema(required)]
    status: Option<u16>,
    /// Why it would count as failed; null: it was accepted.
    #[schema(required)]
    problem: Option<String>,
}

/// Sends a made-up event to an endpoint, and says what came of it.
///
/// It is signed and has the form of all others, and its `data` has one more field: `"test": true`. It stands in no log, is sent once and at
/// once, also to an endpoint that is switched off, and counts for nothing.
#[utoipa::path(
    post,
    path = "/api/v1/webhooks/{id}/test",
    tag = "webhooks",
    params(("id" = String, Path, description = "The id of the endpoint.")),
    request_body(content = Option<TestWebhook>, content_type = "application/json"),
    responses((status = 200, description = "What came of it.", body = TestOutcome), Problems),
    security(("key" = ["webhooks:write"]))
)]
async fn test_webhook(
    key: Authorized,
    once: OnceToken,
    State(app): State<App>,
    Path(id): Path<String>,
    Raw(body): Raw,
) -> Result<Response, Problem> {
    key.needs(Scope::WebhooksWrite)?;
    let wanted = optional::<TestWebhook>(&body)?.kind.unwrap_or(EventType::WidgetLoaded);
    let (by, id) = (by(&key, &app)?, named(&id)?);
    let (store, hooks) = (app.store.clone(), app.hooks.clone());
    let work = async move {
        let Attempt { event, kind, at, took, status, problem, .. } = try_out(&store, &hooks, by, id, wanted).await?;
        Ok(TestOutcome {
            event: event.to_string(),
            kind: kind.map(|kind| kind.to_string()),
            at: moment(at),
            milliseconds: milliseconds(took),
            status,
            problem,
        })
    };
    once.around(&app, &key, wanted, StatusCode::OK, work).await
}

fn milliseconds(took: SignedDuration) -> i64 {
    i64::try_from(took.as_millis()).unwrap_or(i64::MAX)
}

/// What came of sending an event once.
#[derive(Debug, Serialize, ToSchema)]
struct DeliveryAttempt {
    /// Its id.
    id: String,
    /// The event that was sent.
    #[schema(format = "uuid")]
    event: String,
    /// The event's type; null: the log does not have the event any more.
    #[serde(rename = "type")]
    #[schema(required)]
    kind: Option<String>,
    /// When it was sent.
    #[schema(format = "date-time")]
    at: String,
    /// How long it took to be answered.
    milliseconds: i64,
    /// The status that was answered, if something was.
    #[schema(required)]
    status: Option<u16>,
    /// Why it counts as failed; null: it was accepted.
    #[schema(required)]
    problem: Option<String>,
}

impl DeliveryAttempt {
    fn of(attempt: Attempt) -> Self {
        Self {
            id: attempt.id.to_string(),
            event: attempt.event.to_string(),
            kind: attempt.kind.map(|kind| kind.to_string()),
            at: moment(attempt.at),
            milliseconds: milliseconds(attempt.took),
            status: attempt.status,
            problem: attempt.problem,
        }
    }
}

/// Attempts, a page of them.
#[derive(Debug, Serialize, ToSchema)]
struct AttemptPage {
    /// The attempts, the newest first.
    attempts: Vec<DeliveryAttempt>,
    /// Where to go on from: the `after` of the next request; null: these were the last.
    #[schema(required)]
    next: Option<String>,
}

/// Whether an event was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Succeeded,
    Failed,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AskedAttempts {
    /// Only attempts to send this event.
    #[param(value_type = Option<String>, format = "uuid")]
    event: Option<EventId>,
    /// Only those that were accepted, or only those that were not.
    #[param(inline)]
    outcome: Option<Outcome>,
    /// The `next` of an earlier page.
    after: Option<String>,
    /// The most attempts in the answer.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
}

/// Lists what came of sending events to an endpoint.
///
/// It can be seen for as long as the setting `webhook_attempt_days` says.
#[utoipa::path(
    get,
    path = "/api/v1/webhooks/{id}/attempts",
    tag = "webhooks",
    params(("id" = String, Path, description = "The id of the endpoint."), AskedAttempts),
    responses((status = 200, description = "A page of attempts.", body = AttemptPage), Problems),
    security(("key" = ["webhooks:read"]))
)]
async fn list_webhook_attempts(
    key: Authorized,
    State(app): State<App>,
    Path(id): Path<String>,
    Query(asked): Query<AskedAttempts>,
) -> Result<Json<AttemptPage>, Problem> {
    key.needs(Scope::WebhooksRead)?;
    let limit = page::limit(asked.limit)?;
    let filter = AttemptFilter {
        before: page::cursor(asked.after.as_deref())?,
        limit: limit + 1,
        event: asked.event,
        failed: asked.outcome.map(|outcome| outcome == Outcome::Failed),
    };
    let list = app.store.look(Attempts { by: by(&key, &app)?, id: named(&id)?, filter }).await?;
    let (list, next) = cut(list, limit, |attempt| attempt.id.to_string());
    Ok(Json(AttemptPage { attempts: list.into_iter().map(DeliveryAttempt::of).collect(), next }))
}

/// Which events are sent again: one, those of a stretch of time, or those that were given up.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReplayWebhook {
    /// One event of the endpoint's site, whatever types it is sent otherwise.
    #[schema(value_type = Option<String>, format = "uuid")]
    event: Option<EventId>,
    /// Those that happened at this time or later, and before `to`.
    #[schema(value_type = Option<String>, format = "date-time")]
    from: Option<Timestamp>,
    /// The end of that time.
    #[schema(value_type = Option<String>, format = "date-time")]
    to: Option<Timestamp>,
    /// True: those that were given up.
    failed: Option<bool>,
}

impl ReplayWebhook {
    fn which(&self) -> Result<Which, Problem> {
        match (self.event, self.from, self.to, self.failed) {
            (Some(event), None, None, None) => Ok(Which::One(event)),
            (None, Some(from), Some(to), None) => Ok(Which::Between(from, to)),
            (None, None, None, Some(true)) => Ok(Which::Failed),
            _ => {
                let detail = "expected one of {\"event\": id}, {\"from\": time, \"to\": time} and {\"failed\": true}";
                Err(Problem::new(Code::Malformed, detail))
            }
        }
    }
}

/// What is sent again.
#[derive(Debug, Serialize, ToSchema)]
struct ReplayedEvents {
    /// How many events.
    events: u64,
}

/// Has events sent to an endpoint again.
///
/// They are sent beside what happens meanwhile, each under the id that it has always had, and are tried as if for the first time. An endpoint that
/// is switched off is switched on first: 409 `switched_off`.
#[utoipa::path(
    post,
    path = "/api/v1/webhooks/{id}/replay",
    tag = "webhooks",
    params(("id" = String, Path, description = "The id of the endpoint.")),
    request_body(content = ReplayWebhook, content_type = "application/json"),
    responses((status = 202, description = "They will be sent.", body = ReplayedEvents), Problems),
    security(("key" = ["webhooks:write"]))
)]
async fn replay_webhook(
    key: Authorized,
    once: OnceToken,
    State(app): State<App>,
    Path(id): Path<String>,
    Body(asked): Body<ReplayWebhook>,
) -> Result<Response, Problem> {
    key.needs(Scope::WebhooksWrite)?;
    let replay = Replay { by: by(&key, &app)?, id: named(&id)?, which: asked.which()?, most: app.settings.webhook_replay_limit };
    once.commit(&app, &key, &asked, StatusCode::ACCEPTED, Told(replay, |events| ReplayedEvents { events })).await
}
