//! HTTP: one file an operation.

mod api;
mod assets;
mod attachments;
mod body;
mod console;
mod export;
mod feeds;
mod files;
mod health;
mod limits;
mod meetings;
mod page;
mod problem;
mod streams;
mod widget;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, MatchedPath, Request},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
};
use jiff::SignedDuration;
use porchlight_domain::livechat::ChatPolicy;
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{CompressionLayer, CompressionLevel, Predicate, predicate::DefaultPredicate},
    timeout::TimeoutLayer,
    trace::{DefaultOnResponse, TraceLayer},
};
use tracing::Level;

use crate::{
    analytics::Counter,
    links::Links,
    meetings::reminder,
    outside::Outside,
    realtime::Clock,
    settings::Settings,
    sites::Sites,
    store::Store,
    visit::{Documents, Engine},
    webhooks::Hooks,
    workers::Workers,
};
use limits::Limits;

pub(crate) use api::Publish;
pub(crate) use console::{CreateKey, Invite, RevokeKeys, Which, first_administrator, hash};
pub(crate) use problem::{Code, Problem};

/// What handlers share.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) settings: Arc<Settings>,
    pub(crate) engine: Engine,
    pub(crate) limits: Arc<Limits>,
    pub(crate) hooks: Hooks,
    pub(crate) counter: Counter,
}

/// The whole of the server's HTTP, and the clock that does what is due without a request.
pub fn app(store: Store, settings: Settings, outside: Outside, workers: &Workers) -> (Router, Clock) {
    // Leptos renders on the runtime that serves; an error says that it knows already.
    let _ = any_spawner::Executor::init_tokio();
    let minutes = i64::try_from(settings.session_timeout_minutes).unwrap_or(i64::MAX / 60);
    let engine = Engine {
        outside: outside.clone(),
        session_timeout: SignedDuration::from_mins(minutes),
        chats: ChatPolicy {
            accept: seconds(settings.chat_accept_seconds),
            idle: seconds(settings.chat_idle_seconds),
            dropped: seconds(settings.chat_dropped_seconds),
            hold: seconds(settings.meeting_hold_seconds),
        },
        chat_limit: settings.chat_limit,
        presence_grace: seconds(settings.presence_grace_seconds),
        attachment_limit: settings.attachment_limit_bytes,
        attachments_per_chat: settings.attachments_per_chat,
        mails: !settings.smtp_url.is_empty() || !settings.mail_dir.is_empty(),
        transcripts_per_chat: settings.transcripts_per_chat,
        reminder: reminder(settings.meeting_reminder_hours),
        links: Arc::new(Links::new(*store.link_key(), &settings.public_url())),
        documents: Documents::default(),
        sites: Sites::default(),
    };
    let limits = Arc::new(Limits::new(&settings, outside));
    let (attachment_limit, accounts_limit) = (settings.attachment_limit_bytes, settings.accounts_limit_bytes);
    let (body_limit, timeout) = (settings.body_limit_bytes, Duration::from_secs(settings.request_timeout_seconds));
    let clock = Clock::new(store.clone(), engine.clone());
    let state = App {
        store,
        settings: Arc::new(settings),
        engine,
        limits,
        hooks: workers.hooks.clone(),
        counter: workers.counter.clone(),
    };
    let router = Router::new()
        .merge(widget::routes(attachment_limit))
        .merge(console::routes(attachment_limit, accounts_limit))
        .merge(api::routes(&state))
        .merge(health::routes())
        .merge(attachments::routes())
        .merge(meetings::routes())
        .merge(feeds::routes())
        .merge(files::routes())
        .merge(assets::routes())
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(body_limit))
        .layer(
            CompressionLayer::new()
                .quality(CompressionLevel::Precise(4))
                .compress_when(DefaultPredicate::new().and(not_yet_compressed)),
        )
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, timeout))
        .layer(middleware::map_response(late))
        .layer(CatchPanicLayer::custom(broken))
        .layer(middleware::map_response(common_headers))
        .layer(TraceLayer::new_for_http().make_span_with(span).on_response(DefaultOnResponse::new().level(Level::INFO)))
        .with_state(state);
    (router, clock)
}

/// What the log says of a request: the pattern of its path, and no query. Addresses of meetings and feeds are secrets.
fn span(request: &Request) -> tracing::Span {
    let path = request.extensions().get::<MatchedPath>().map_or("unknown", MatchedPath::as_str);
    tracing::info_span!("request", method = %request.method(), path)
}

fn seconds(number: u64) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(number).unwrap_or(i64::MAX))
}

fn not_yet_compressed(
    _: StatusCode,
    _: axum::http::Version,
    headers: &axum::http::HeaderMap,
    _: &axum::http::Extensions,
) -> bool {
    !headers.contains_key(header::CONTENT_ENCODING)
}

async fn common_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Answers hold what only one visitor may see, unless a handler says otherwise.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("same-origin"));
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    headers.entry(HeaderName::from_static("cross-origin-resource-policy")).or_insert(HeaderValue::from_static("cross-origin"));
    response
}

/// What took too long has no body yet.
async fn late(response: Response) -> Response {
    let is_late = response.status() == StatusCode::SERVICE_UNAVAILABLE && !response.headers().contains_key(header::CONTENT_TYPE);
    if is_late {
        return Problem::new(Code::Unavailable, "it took longer than request_timeout_seconds allows; try again")
            .retry_after(1)
            .into_response();
    }
    response
}

/// A handler stopped in the middle: the panic itself is in the log, by the hook of the process.
fn broken(_: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a request could not be answered: its handler panicked");
    Problem::new(Code::Internal, "the server failed; its log says why").into_response()
}

/// The description of the API, as docs/openapi.json has it.
#[must_use]
pub fn openapi() -> String {
    api::description()
}

async fn not_found() -> Problem {
    Problem::new(Code::NotFound, "there is nothing at this address")
}

async fn wrong_method() -> Problem {
    Problem::new(Code::Method, "this address does not take this method")
}
