//! `GET /console/socket`, and where sockets are blocked `GET /console/events` with `POST /console/api/do`.

use std::{convert::Infallible, time::Duration};

use axum::{
    Router,
    extract::{
        State, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
    routing::{get, post},
};
use futures_util::stream;
use porchlight_app::console::wire::{Asked, Told};
use tokio::time::Instant;

use super::{
    act::act,
    feed::Feed,
    session::{OwnOrigin, Right, SignedIn},
};
use crate::http::{App, body::Json, problem::Problem, widget::READ_BUFFER};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/console/socket", get(socket))
        .route("/console/events", get(events))
        .route("/console/api/do", post(by_request))
}

/// How often a console is asked whether it is still there.
const PING_EVERY: Duration = Duration::from_secs(25);
/// How long it may be silent, pings answered included, before it counts as gone.
const SILENT_MAX: Duration = Duration::from_secs(60);

async fn socket(
    State(app): State<App>,
    _: OwnOrigin,
    signed_in: SignedIn,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Problem> {
    signed_in.agent.must(Right::Answer)?;
    let most = app.settings.body_limit_bytes.saturating_mul(4);
    Ok(upgrade.read_buffer_size(READ_BUFFER).write_buffer_size(0).max_message_size(most).max_frame_size(most).on_upgrade(
        move |mut socket| async move {
            // Whatever ended it, it has ended; the console comes again.
            let _ = serve(app, signed_in, &mut socket).await;
            let _ = socket.send(Message::Close(None)).await;
        },
    ))
}

async fn tell(socket: &mut WebSocket, told: &Told) -> Result<(), axum::Error> {
    let text = serde_json::to_string(told).map_err(axum::Error::new)?;
    socket.send(Message::Text(text.into())).await
}

/// How often presence is noted: often enough that one that is late or lost does no harm.
fn presence(app: &App) -> tokio::time::Interval {
    let every = Duration::from_secs((app.settings.presence_grace_seconds / 3).max(1));
    tokio::time::interval_at(Instant::now() + every, every)
}

async fn serve(app: App, signed_in: SignedIn, socket: &mut WebSocket) -> Result<(), axum::Error> {
    let failed = |problem: Problem| axum::Error::new(std::io::Error::other(problem.in_words()));
    let mut feed = Feed::begin(app.clone(), signed_in).await.map_err(failed)?;
    tell(socket, &feed.desk().await.map_err(failed)?).await?;
    let mut pings = tokio::time::interval_at(Instant::now() + PING_EVERY, PING_EVERY);
    let mut presence = presence(&app);
    let mut heard = Instant::now();
    loop {
        tokio::select! {
            news = feed.next() => {
                let Some(news) = news else { return Ok(()) };
                for told in &news {
                    tell(socket, told).await?;
                }
            }
            received = socket.recv() => {
                let Some(received) = received else { return Ok(()) };
                heard = Instant::now();
                match received? {
                    Message::Text(text) => {
                        let told = match serde_json::from_str::<Asked>(&text) {
                            Ok(asked) => act(&app, &feed.agent, asked).await,
                            Err(error) => Told::Refused { id: 0, code: "malformed".to_owned(), detail: error.to_string() },
                        };
                        tell(socket, &told).await?;
                    }
                    Message::Close(_) => return Ok(()),
                    Message::Binary(_) | Message::Ping(_) | Message::Pong(_) => {}
                }
            }
            _ = pings.tick() => {
                if heard.elapsed() >= SILENT_MAX {
                    return Ok(());
                }
                socket.send(Message::Ping(axum::body::Bytes::new())).await?;
            }
            _ = presence.tick() => feed.present().await.map_err(failed)?,
        }
    }
}

async fn events(State(app): State<App>, signed_in: SignedIn) -> Result<Response, Problem> {
    signed_in.agent.must(Right::Answer)?;
    let feed = Feed::begin(app.clone(), signed_in).await?;
    let first = vec![feed.desk().await?];
    let state = (feed, presence(&app), Some(first));
    let told = stream::unfold(state, |(mut feed, mut presence, first)| async move {
        if let Some(first) = first {
            return Some((first, (feed, presence, None)));
        }
        loop {
            tokio::select! {
                news = feed.next() => return news.map(|news| (news, (feed, presence, None))),
                _ = presence.tick() => if feed.present().await.is_err() { return None },
            }
        }
    });
    use futures_util::StreamExt as _;
    let events = told.flat_map(|told| {
        let event = |told: &Told| Ok::<_, Infallible>(Event::default().json_data(told).unwrap_or_default());
        stream::iter(told.iter().map(event).collect::<Vec<_>>())
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}

async fn by_request(State(app): State<App>, SignedIn { agent, .. }: SignedIn, Json(asked): Json<Asked>) -> axum::Json<Told> {
    axum::Json(act(&app, &agent, asked).await)
}
