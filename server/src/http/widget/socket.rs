//! `GET /widget/v1/socket`: the panel's connection while a live chat is under way. See docs/widget-protocol.md.
//!
//! The visitor's token comes in the first frame, never in the address. What the panel is told is what an answer by script brings, read from the
//! store after what the connection was told last: so nothing is lost, doubled or out of order, whatever woke it.

use std::time::Duration;

use axum::{
    Router,
    extract::{
        State, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    response::Response,
    routing::get,
};
use porchlight_domain::{
    id::{AnswerId, ChatId, ConversationId, VisitorId},
    livechat::ChatCommand,
    session::{self, Ask, Refusal},
};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::{
    admit, answers,
    shown::{PanelSent, Shown},
};
use crate::{
    http::{
        App, body,
        page::{Caller, Page},
        problem::Problem,
    },
    realtime::{Frame, ToAgent, ToVisitor, VisitorConnection},
    store::{ChatRecord, Command, Failure, StoreError, Tx},
    visit::Engine,
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/widget/v1/socket", get(socket))
}

/// How long a connection may take to say whose it is.
const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// How often it is asked whether it is still there.
const PING_EVERY: Duration = Duration::from_secs(25);
/// How long it may be silent, pings answered included, before it counts as gone.
const SILENT_MAX: Duration = Duration::from_secs(60);
/// What a socket reads at once, in bytes: small, since there are many sockets and most are idle. What is longer is read in several pieces.
pub(in crate::http) const READ_BUFFER: usize = 1024;

async fn socket(State(app): State<App>, caller: Caller, upgrade: WebSocketUpgrade) -> Response {
    let most = app.settings.body_limit_bytes.saturating_mul(4);
    upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_message_size(most)
        .max_frame_size(most)
        .on_upgrade(move |socket| serve(app, caller, socket))
}

async fn serve(app: App, caller: Caller, mut socket: WebSocket) {
    let hello = match tokio::time::timeout(HELLO_WITHIN, socket.recv()).await {
        Ok(Some(Ok(Message::Text(text)))) => hello(&text),
        _ => return,
    };
    // What is done now and then has its room on the heap only while it is done: a connection that waits takes little.
    let begun = match hello {
        Ok(sent) => Box::pin(Live::begin(app, caller, sent)).await,
        Err(problem) => Err(problem),
    };
    match begun {
        Ok((mut live, shown)) => {
            let told = Box::pin(live.tell(&mut socket, &shown)).await;
            drop(shown);
            if told.is_ok() {
                // Whatever ended it, it has ended.
                let _ = live.run(&mut socket).await;
            }
            Box::pin(live.end()).await;
        }
        Err(problem) => {
            let _ = say(&mut socket, &json!({ "bad": problem.code.name(), "status": problem.code.status().as_u16() })).await;
        }
    }
    let _ = socket.send(Message::Close(None)).await;
}

/// The first frame: the fields of the panel's form.
fn hello(text: &str) -> Result<PanelSent, Problem> {
    let fields: Map<String, Value> = body::json(text)?;
    let texts = fields.iter().map(|(name, value)| (name, value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
    body::urlencoded(url::form_urlencoded::Serializer::new(String::new()).extend_pairs(texts).finish().as_bytes())
}

async fn say(socket: &mut WebSocket, what: &Value) -> Result<(), axum::Error> {
    socket.send(Message::Text(what.to_string().into())).await
}

/// A connection that has said whose it is.
struct Live {
    app: App,
    caller: Caller,
    sent: PanelSent,
    connection: VisitorConnection,
    visitor: VisitorId,
    /// The last that the panel was shown as its card.
    card: String,
    heard: Instant,
}

impl Live {
    async fn begin(app: App, caller: Caller, sent: PanelSent) -> Result<(Self, Shown), Problem> {
        app.limits.command(&sent.token)?;
        let whose = Whose { engine: app.engine.clone(), caller: caller.clone(), sent: sent.clone() };
        let visitor = app.store.look(whose).await?;
        // Registered before anything is read, so that nothing falls between.
        let on = (sent.view, sent.page.as_str().to_owned());
        let connection = app.store.hub().visitor((visitor, sent.conversation.clone()), on);
        let read = Read { engine: app.engine.clone(), caller: caller.clone(), sent: sent.clone() };
        let shown = if app.store.look(UnderWay(visitor, sent.conversation.clone())).await?.is_some() {
            app.store.commit(Come(read)).await?
        } else {
            // There is nothing to note.
            app.store.look(read).await?
        };
        Ok((Self { app, caller, sent, connection, visitor, card: String::new(), heard: Instant::now() }, shown))
    }

    async fn run(&mut self, socket: &mut WebSocket) -> Result<(), axum::Error> {
        let mut pings = tokio::time::interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        loop {
            tokio::select! {
                news = self.connection.news.recv() => {
                    // Cut off for being too slow: it comes again, and catches up.
                    let Some(mut news) = news else { return Ok(()) };
                    let mut changed = false;
                    loop {
                        match news {
                            ToVisitor::Changed => changed = true,
                            ToVisitor::Typing => say(socket, &json!({ "typing": true })).await?,
                            ToVisitor::Seen(number) => say(socket, &json!({ "seen": number })).await?,
                        }
                        match self.connection.news.try_recv() {
                            Ok(next) => news = next,
                            Err(_) => break,
                        }
                    }
                    if changed {
                        Box::pin(self.catch_up(socket)).await?;
                    }
                }
                received = socket.recv() => {
                    let Some(Ok(received)) = received else { return Ok(()) };
                    self.heard = Instant::now();
                    match received {
                        Message::Text(text) => match serde_json::from_str::<Frame>(&text) {
                            Ok(said) => Box::pin(self.hear(socket, said)).await?,
                            Err(error) => say(socket, &json!({ "bad": "malformed", "detail": error.to_string() })).await?,
                        },
                        Message::Close(_) => return Ok(()),
                        Message::Binary(_) | Message::Ping(_) | Message::Pong(_) => {}
                    }
                }
                _ = pings.tick() => {
                    if self.heard.elapsed() >= SILENT_MAX {
                        return Ok(());
                    }
                    socket.send(Message::Ping(axum::body::Bytes::new())).await?;
                }
            }
        }
    }

    async fn catch_up(&mut self, socket: &mut WebSocket) -> Result<(), axum::Error> {
        let read = Read { engine: self.app.engine.clone(), caller: self.caller.clone(), sent: self.sent.clone() };
        match self.app.store.look(read).await {
            Ok(shown) => self.tell(socket, &shown).await,
            Err(failure) => {
                tracing::warn!(%failure, "a panel could not be brought up to date");
                // It comes again, and asks for what it missed.
                socket.send(Message::Close(None)).await
            }
        }
    }

    /// Tells the panel what is new, if anything is.
    async fn tell(&mut self, socket: &mut WebSocket, shown: &Shown) -> Result<(), axum::Error> {
        let ask = shown.standing.asked.as_ref().map(|asked| &asked.prompt.ask);
        let queued = matches!(ask, Some(Ask::Waiting { ahead: Some(_) }));
        self.connection.stands_in(queued.then_some(&shown.site.site.key));
        let update = answers::update(shown, false, true);
        let card = shown.standing.state();
        let news = !shown.entries.is_empty() || shown.told.cursor() > self.sent.after || card != self.card;
        (self.sent.have, self.sent.after, self.card) = (shown.ticket.have, shown.told.cursor().max(self.sent.after), card);
        if news { say(socket, &json!({ "update": update })).await } else { Ok(()) }
    }

    async fn hear(&mut self, socket: &mut WebSocket, said: Frame) -> Result<(), axum::Error> {
        match said {
            Frame::Say { id, text } => self.write(socket, id, ChatCommand::Say { id, text }).await,
            Frame::End(id) => self.write(socket, id, ChatCommand::End).await,
            Frame::Typing(_) | Frame::Seen(_) => {
                // Not worth keeping, so not worth a word when there are too many of them.
                if self.app.limits.command(&self.sent.token).is_ok() {
                    self.pass_on(&said).await;
                }
                Ok(())
            }
            Frame::Here { page, after } => {
                if let Some(page) = page.and_then(|page| serde_json::from_value::<Page>(Value::from(page)).ok()) {
                    self.connection.goes_to(page.as_str());
                    self.sent.page = page;
                }
                self.sent.after = after.unwrap_or(0).max(self.sent.after);
                Ok(())
            }
        }
    }

    async fn write(&mut self, socket: &mut WebSocket, id: AnswerId, command: ChatCommand) -> Result<(), axum::Error> {
        let refused = |code: &str, detail: String| json!({ "refused": id, "code": code, "message": detail });
        if let Err(problem) = self.app.limits.command(&self.sent.token) {
            return say(socket, &refused(problem.code.name(), problem.code.name().to_owned())).await;
        }
        let speak = Speak { engine: self.app.engine.clone(), caller: self.caller.clone(), sent: self.sent.clone(), id, command };
        let answer = match self.app.store.commit(speak).await {
            Ok(line) => json!({ "done": id, "have": line }),
            Err(Failure::Refused(problem)) => refused(problem.code.name(), problem.detail().to_owned()),
            Err(Failure::Store(error)) => {
                tracing::warn!(%error, "a visitor's message was not kept");
                refused("unavailable", "not now".to_owned())
            }
        };
        say(socket, &answer).await
    }

    /// Passes on what is not part of the transcript.
    async fn pass_on(&self, said: &Frame) {
        let under_way = UnderWay(self.visitor, self.sent.conversation.clone());
        let Ok(Some(record)) = self.app.store.look(under_way).await else { return };
        let chat = record.chat.id;
        let what = match *said {
            // What was seen before needs no commit, and nobody has to hear of it again.
            Frame::Seen(number) if number > record.seen_by_visitor => {
                if self.app.store.commit(See { chat, number }).await.is_err() {
                    return;
                }
                ToAgent::Seen(chat, number)
            }
            Frame::Typing(_) => ToAgent::Typing(chat),
            _ => return,
        };
        if let Some(agent) = record.chat.agent() {
            self.app.store.hub().tell_agent(agent, &what);
        }
    }

    async fn end(self) {
        let Self { app, sent, connection, visitor, .. } = self;
        let talk = (visitor, sent.conversation);
        drop(connection);
        // Whoever has no chat has nothing to lose; and when all go at once, none of those who have one is forgotten.
        let under_way = UnderWay(visitor, talk.1.clone());
        if matches!(app.store.look(under_way).await, Ok(None)) {
            return;
        }
        let gone = app.store.commit_in_turn(Go { engine: app.engine.clone(), hub: app.store.hub().clone(), talk }).await;
        if let Err(failure) = gone {
            tracing::warn!(%failure, "that a visitor has gone was not noted");
        }
    }
}

/// Whose connection it is.
struct Whose {
    engine: Engine,
    caller: Caller,
    sent: PanelSent,
}

impl Command for Whose {
    type Done = VisitorId;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<VisitorId, Failure<Problem>> {
        Ok(admit(tx, &self.engine, &self.sent.token, &self.sent.page, &self.caller).await?.0.id)
    }
}

/// The panel is there.
struct Come(Read);

impl Command for Come {
    type Done = Shown;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Shown, Failure<Problem>> {
        let Self(Read { engine, caller, sent }) = self;
        let (visitor, _) = admit(tx, &engine, &sent.token, &sent.page, &caller).await?;
        if let Some(mut record) = tx.chat_under_way(visitor.id, &sent.conversation).await? {
            record.connected = true;
            record.view = sent.view;
            sent.page.as_str().clone_into(&mut record.page);
            tx.put_chat(&record, record.chat.due_at(&engine.chats)).await?;
            if record.chat.gone_since.is_some() {
                engine.chat(tx, &record, ChatCommand::Back, None).await.or_else(harmless)?;
            }
        }
        tx.adopt_events(visitor.id, sent.view).await?;
        Read { engine, caller, sent }.run(tx).await
    }
}

/// What is refused here was not to be: the state is as it should be already.
fn harmless(failure: Failure<Refusal>) -> Result<(), StoreError> {
    match failure {
        Failure::Refused(_) => Ok(()),
        Failure::Store(error) => Err(error),
    }
}

/// What is new for the panel.
struct Read {
    engine: Engine,
    caller: Caller,
    sent: PanelSent,
}

impl Command for Read {
    type Done = Shown;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Shown, Failure<Problem>> {
        let Self { engine, caller, sent } = self;
        let (visitor, site) = admit(tx, &engine, &sent.token, &sent.page, &caller).await?;
        let session = engine.session_at(tx, &visitor, engine.outside.now()).await?;
        let have = sent.have;
        Shown::read(tx, &engine, site, &visitor, session.id, sent, have).await
    }
}

/// The visitor does something in the chat.
struct Speak {
    engine: Engine,
    caller: Caller,
    sent: PanelSent,
    id: AnswerId,
    command: ChatCommand,
}

impl Command for Speak {
    /// The number of the line it led to, if to one.
    type Done = Option<u32>;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Option<u32>, Failure<Problem>> {
        let Self { engine, caller, sent, id, command } = self;
        let (visitor, site) = admit(tx, &engine, &sent.token, &sent.page, &caller).await?;
        // Sent twice, said once.
        if let Some(line) = tx.line_of(visitor.id, &sent.conversation, id).await? {
            return Ok(Some(line));
        }
        let Some(record) = tx.chat_under_way(visitor.id, &sent.conversation).await? else {
            return Err(Failure::Refused(super::refused(&Refusal::NotOnline)));
        };
        let session = engine.session_of(tx, &record).await?.0;
        let locale = site.site.language(&sent.locale);
        let about = sent.about(&visitor, &locale, engine.outside.now());
        engine.step(tx, session, about, session::Command::Chat(command), Some(id)).await.map_err(super::lift)?;
        Ok(tx.line_of(visitor.id, &sent.conversation, id).await?)
    }
}

/// Notes what the visitor has seen of a chat.
struct See {
    chat: ChatId,
    number: u32,
}

impl Command for See {
    type Done = ();
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<Problem>> {
        Ok(tx.put_seen(self.chat, false, self.number).await?)
    }
}

/// The chat that a visitor has under way.
struct UnderWay(VisitorId, ConversationId);

impl Command for UnderWay {
    type Done = Option<ChatRecord>;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Self::Done, Failure<Problem>> {
        Ok(tx.chat_under_way(self.0, &self.1).await?)
    }
}

/// A connection of the visitor has gone.
struct Go {
    engine: Engine,
    hub: crate::realtime::Hub,
    talk: crate::realtime::Talk,
}

impl Command for Go {
    type Done = ();
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<Problem>> {
        let Self { engine, hub, talk } = self;
        let Some(mut record) = tx.chat_under_way(talk.0, &talk.1).await? else { return Ok(()) };
        // One that came meanwhile has registered before it writes that it is there.
        let places = hub.places(&talk);
        let Some(latest) = places.last() else { return Ok(engine.left(tx, record).await?) };
        // The page that was told what agents do may be the one that has gone: another of the visitor's is told from now on.
        if !places.iter().any(|(view, _)| *view == record.view) {
            (record.view, record.page) = latest.clone();
            tx.put_chat(&record, record.chat.due_at(&engine.chats)).await?;
        }
        Ok(())
    }
}
