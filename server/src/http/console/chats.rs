//! `/console/api/chats`: the chats, as an agent may see them.

use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use porchlight_app::{
    console::wire::{ChatPage, ChatRow, Colleagueship, Dealing, Detail, Line, Note, PhaseName},
    i18n::Locale,
};
use porchlight_domain::{
    contact::Email,
    conversation::{Purpose, markup},
    id::{ChatId, VisitorId},
    livechat::{Chat, Ended, Notice, Phase},
    session::{Author, Format, known_as},
};
use serde::Deserialize;

use super::session::{Right, SignedIn};
use crate::{
    http::{
        App,
        body::{Json, Query},
        problem::{Code, Problem},
    },
    meetings::dealing_in_words,
    realtime::Hub,
    store::{AgentRow, ChatEntry, ChatFilter, ChatNews, ChatRecord, Command, Failure, News, Queue, StoreError, Tx},
    visit::{Engine, for_agents},
    when::When,
};

/// How many chats a page of a list has.
const PAGE: u32 = 50;
/// The longest note, in characters.
const NOTE_MAX: usize = 5000;
/// The most tags of a chat, and the longest, in characters.
const TAGS_MAX: usize = 20;
const TAG_MAX: usize = 40;
/// The longest text that is searched for, in characters.
const SEARCH_MAX: usize = 100;
/// How much of the last line a list shows, in characters.
const LAST_MAX: usize = 140;
/// How many events and pages of a session are shown.
const HISTORY_MAX: usize = 100;
/// How many earlier chats of a visitor are shown.
const BEFORE_MAX: u32 = 20;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/console/api/chats", get(list))
        .route("/console/api/chats/{id}", get(detail))
        .route("/console/api/chats/{id}/notes", post(note))
        .route("/console/api/chats/{id}/tags", put(tags))
        .route("/console/chats/{id}/transcript.txt", get(transcript))
        .route("/console/api/chats/{id}/transcript", post(mail))
}

/// A chat as a list shows it to an agent.
pub(in crate::http) async fn row(
    tx: &mut Tx<'_>,
    hub: &Hub,
    agent: &AgentRow,
    record: &ChatRecord,
) -> Result<ChatRow, StoreError> {
    let chat = &record.chat;
    let attributes = tx.attributes(record.visitor).await?;
    let known = |name: &str| known_as(&attributes, name).map(str::to_owned);
    let (last, unread, lines) = tx.last_line(record.visitor, &record.conversation, record.seen_by_agent).await?;
    let holder = chat.agent().or(record.held_by.filter(|_| chat.is_over()));
    let named = match holder {
        Some(id) => tx.agent(id).await?.map(|agent| Colleagueship { id, name: agent.name }),
        None => None,
    };
    let asked = match &chat.phase {
        Phase::Online { transfer: Some(transfer), .. } => tx.agent_name(transfer.offer.agent).await?,
        _ => None,
    };
    let mine = chat.agent() == Some(agent.id) && !chat.is_over();
    let asked_me = chat.asked() == Some(agent.id);
    Ok(ChatRow {
        id: chat.id,
        site: record.site.clone(),
        visitor: known("name").or_else(|| known("firstName")).or_else(|| known("email")),
        last: markup::plain(&last.unwrap_or_default()).chars().take(LAST_MAX).collect(),
        phase: match chat.phase {
            Phase::Queued => PhaseName::Queued,
            Phase::Offered(_) => PhaseName::Offered,
            Phase::Online { .. } => PhaseName::Online,
            Phase::Ended(_) => PhaseName::Ended,
        },
        offer_until: match &chat.phase {
            Phase::Offered(offer) if asked_me => Some(offer.until),
            Phase::Online { transfer: Some(transfer), .. } if asked_me => Some(transfer.offer.until),
            _ => None,
        },
        from: named.as_ref().filter(|_| asked_me).map(|named| named.name.clone()),
        agent: named,
        asked,
        mine,
        unread: if mine || asked_me { unread } else { 0 },
        lines,
        requested_at: chat.requested_at,
        changed_at: record.changed_at,
        ended: ended(chat),
        tags: record.tags.clone(),
        here: hub.is_here(&(record.visitor, record.conversation.clone())),
    })
}

fn ended(chat: &Chat) -> Option<String> {
    let Phase::Ended(ended) = &chat.phase else { return None };
    let notice = match ended {
        Ended::Visitor => Notice::EndedByVisitor,
        Ended::Agent => Notice::EndedByAgent,
        Ended::Unanswered | Ended::Nobody => Notice::Unanswered,
        Ended::VisitorIdle => Notice::Idle,
        Ended::VisitorDropped => Notice::Dropped,
    };
    Some(notice.name().to_owned())
}

/// A line as the console shows it: the bot's markup as plain text.
pub(in crate::http) fn line(said: &ChatEntry) -> Line {
    let entry = &said.entry;
    let plain = |text: &String| match (entry.author, entry.format) {
        (Author::Bot, Format::Text) => markup::plain(text),
        (_, Format::Meeting | Format::Callback) => dealing_in_words(entry, Locale::En.panel(), "en-GB"),
        _ => text.clone(),
    };
    Line {
        number: entry.number,
        author: entry.author,
        text: entry.text.as_ref().map(plain),
        // In words it is a text as any other.
        format: if matches!(entry.format, Format::Meeting | Format::Callback) { Format::Text } else { entry.format },
        agent: entry.agent.as_ref().map(|agent| Colleagueship { id: agent.id, name: agent.name.clone() }),
        at: said.at,
        message: said.answer,
    }
}

/// The chat, if the agent may see it. One of another site is not there for them.
pub(in crate::http) async fn seen(tx: &mut Tx<'_>, agent: &AgentRow, chat: ChatId) -> Result<ChatRecord, Failure<Problem>> {
    let record = tx.chat(chat).await?.filter(|record| agent.serves(&record.site));
    record.ok_or_else(|| Failure::Refused(Problem::new(Code::NotFound, "there is no such chat").field("chat")))
}

pub(super) fn chat_id(text: &str) -> Result<ChatId, Problem> {
    text.parse().map_err(|_| Problem::new(Code::NotFound, "there is no such chat").field("chat"))
}

#[derive(Debug, Deserialize)]
struct Wanted {
    queue: Queue,
    #[serde(default)]
    q: String,
    #[serde(default)]
    after: String,
}

async fn list(
    State(app): State<App>,
    SignedIn { agent, .. }: SignedIn,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<ChatPage>, Problem> {
    agent.must(Right::SeeChats)?;
    let after = match wanted.after.split_once('.') {
        None if wanted.after.is_empty() => None,
        Some((at, id)) if at.parse::<i64>().is_ok() => at.parse().ok().zip(id.parse().ok()),
        _ => return Err(Problem::new(Code::Malformed, "expected the \"next\" of the page before").field("after")),
    };
    let text: String = wanted.q.trim().chars().take(SEARCH_MAX).collect();
    let hub = app.store.hub().clone();
    Ok(axum::Json(app.store.look(List { agent, hub, queue: wanted.queue, text, after }).await?))
}

struct List {
    agent: AgentRow,
    hub: Hub,
    queue: Queue,
    text: String,
    after: Option<(i64, ChatId)>,
}

impl Command for List {
    type Done = ChatPage;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<ChatPage, Failure<Problem>> {
        let filter = ChatFilter {
            queue: self.queue,
            agent: self.agent.id,
            sites: self.agent.sites(),
            text: Some(self.text.as_str()).filter(|text| !text.is_empty()),
            after: self.after,
            limit: PAGE + 1,
        };
        let (mut records, total) = tx.chats(&filter).await?;
        let more = records.len() > PAGE as usize;
        records.truncate(PAGE as usize);
        let mut chats = Vec::with_capacity(records.len());
        for record in &records {
            chats.push(row(tx, &self.hub, &self.agent, record).await?);
        }
        let last = records.last().filter(|_| more);
        Ok(ChatPage { chats, next: last.map(|last| format!("{}.{}", last.changed_at.as_millisecond(), last.chat.id)), total })
    }
}

async fn detail(
    State(app): State<App>,
    SignedIn { agent, .. }: SignedIn,
    Path(id): Path<String>,
) -> Result<axum::Json<Detail>, Problem> {
    agent.must(Right::SeeChats)?;
    let chat = chat_id(&id)?;
    let hub = app.store.hub().clone();
    Ok(axum::Json(app.store.look(Whole { agent, hub, chat }).await?))
}

/// All of a chat.
pub(super) struct Whole {
    pub(super) agent: AgentRow,
    pub(super) hub: Hub,
    pub(super) chat: ChatId,
}

impl Command for Whole {
    type Done = Detail;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Detail, Failure<Problem>> {
        let record = seen(tx, &self.agent, self.chat).await?;
        let lines = tx.chat_entries(record.visitor, &record.conversation, 0).await?;
        let attributes = tx.attributes(record.visitor).await?;
        let events = tx.events_of_session(record.session, HISTORY_MAX).await?;
        // On their own: in a long chat the last events are messages.
        let pages = tx.pages_of_session(record.session, HISTORY_MAX).await?;
        let (referrer, device) = tx.visit(record.session).await?;
        let mut before = Vec::new();
        for earlier in tx.chats_of(record.visitor, BEFORE_MAX).await?.iter().filter(|earlier| earlier.chat.id != self.chat) {
            before.push(row(tx, &self.hub, &self.agent, earlier).await?);
        }
        let notes = tx.notes(self.chat).await?;
        Ok(Detail {
            row: row(tx, &self.hub, &self.agent, &record).await?,
            visitor: Some(record.visitor).filter(|_| self.agent.may(Right::ManageVisitors)),
            lines: lines.iter().map(line).collect(),
            seen: record.seen_by_visitor,
            attributes: attributes.into_iter().map(|(name, value)| (name.to_string(), value)).collect(),
            pages,
            page: record.page,
            referrer: referrer.filter(|referrer| !referrer.is_empty()),
            device,
            locale: record.locale,
            events: events.into_iter().map(|logged| (logged.event.kind.name().to_owned(), logged.event.time)).collect(),
            dealings: dealings(tx, &self.agent, record.visitor).await?,
            notes: notes.into_iter().map(|(agent, text, at)| Note { agent, text, at }).collect(),
            before,
        })
    }
}

/// What else a visitor did: meetings, call backs, forms.
async fn dealings(tx: &mut Tx<'_>, agent: &AgentRow, visitor: VisitorId) -> Result<Vec<Dealing>, StoreError> {
    let (writes, zone) = (When::of("en-GB"), agent.availability.zone());
    let mut dealings = Vec::new();
    for record in tx.meetings_of(visitor, BEFORE_MAX).await? {
        let meeting = &record.meeting;
        let state = if meeting.is_booked() { "Meeting" } else { "Meeting, called off" };
        let mut facts = vec![("when".to_owned(), writes.day_and_time(meeting.span.start, &zone))];
        facts.extend(tx.agent_name(meeting.agent).await?.map(|name| ("with".to_owned(), name)));
        facts.extend(meeting.location.clone().map(|location| ("where".to_owned(), location)));
        dealings.push(Dealing { at: record.made_at, title: format!("{state}: {}", meeting.title), facts });
    }
    for record in tx.callbacks_of(visitor, BEFORE_MAX).await? {
        let callback = &record.callback;
        let mut facts = vec![("number".to_owned(), callback.phone.clone())];
        facts.extend(callback.promised.map(|promised| ("promised".to_owned(), writes.day_and_time(promised.start, &zone))));
        if !record.note.is_empty() {
            facts.push(("note".to_owned(), record.note.clone()));
        }
        let title = if callback.is_open() { "Call back, to be made" } else { "Call back, done" };
        dealings.push(Dealing { at: callback.requested_at, title: title.to_owned(), facts });
    }
    for record in tx.submissions_of(visitor, BEFORE_MAX).await? {
        let title = if record.purpose == Purpose::Survey { "Survey" } else { "Form" };
        let facts = record.answers.into_iter().map(|(name, value)| (name.to_string(), value)).collect();
        dealings.push(Dealing { at: record.at, title: format!("{title}: {}", record.card), facts });
    }
    dealings.sort_by_key(|dealing| std::cmp::Reverse(dealing.at));
    Ok(dealings)
}

#[derive(Debug, Deserialize)]
struct WrittenNote {
    text: String,
}

async fn note(
    State(app): State<App>,
    SignedIn { agent, .. }: SignedIn,
    Path(id): Path<String>,
    Json(WrittenNote { text }): Json<WrittenNote>,
) -> Result<axum::Json<Note>, Problem> {
    agent.must(Right::Answer)?;
    let text = text.trim().to_owned();
    if text.is_empty() || text.chars().count() > NOTE_MAX {
        return Err(Problem::new(Code::Malformed, format!("expected 1 to {NOTE_MAX} characters")).field("text"));
    }
    let (note, at) = (app.engine.outside.new_id().to_string(), app.engine.outside.now());
    Ok(axum::Json(app.store.commit(AddNote { agent, chat: chat_id(&id)?, id: note, text, at }).await?))
}

struct AddNote {
    agent: AgentRow,
    chat: ChatId,
    id: String,
    text: String,
    at: jiff::Timestamp,
}

impl Command for AddNote {
    type Done = Note;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Note, Failure<Problem>> {
        seen(tx, &self.agent, self.chat).await?;
        tx.add_note(&self.id, self.chat, self.agent.id, &self.text, self.at).await?;
        Ok(Note { agent: self.agent.name, text: self.text, at: self.at })
    }
}

#[derive(Debug, Deserialize)]
struct Filed {
    tags: Vec<String>,
}

async fn tags(
    State(app): State<App>,
    SignedIn { agent, .. }: SignedIn,
    Path(id): Path<String>,
    Json(Filed { tags }): Json<Filed>,
) -> Result<StatusCode, Problem> {
    agent.must(Right::Answer)?;
    let tags: Vec<String> = tags.iter().map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty()).collect();
    if tags.len() > TAGS_MAX || tags.iter().any(|tag| tag.chars().count() > TAG_MAX) {
        let expected = format!("expected at most {TAGS_MAX} tags of at most {TAG_MAX} characters");
        return Err(Problem::new(Code::Malformed, expected).field("tags"));
    }
    app.store.commit(File { agent, chat: chat_id(&id)?, tags }).await?;
    Ok(StatusCode::NO_CONTENT)
}

struct File {
    agent: AgentRow,
    chat: ChatId,
    tags: Vec<String>,
}

impl Command for File {
    type Done = ();
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<Problem>> {
        let record = seen(tx, &self.agent, self.chat).await?;
        if record.tags == self.tags {
            return Ok(());
        }
        tx.put_tags(self.chat, &self.tags).await?;
        // Every console of the site shows them.
        tx.tell(News::Chat(Box::new(ChatNews {
            chat: self.chat,
            site: record.site,
            visitor: record.visitor,
            conversation: record.conversation,
            agents: Vec::new(),
            changed: true,
            lines: Vec::new(),
            freed: false,
        })));
        Ok(())
    }
}

async fn transcript(
    State(app): State<App>,
    SignedIn { agent, .. }: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    agent.must(Right::SeeChats)?;
    let chat = chat_id(&id)?;
    let text = app.store.look(Written { agent, chat }).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"chat-{chat}.txt\"")),
    ];
    Ok((headers, text).into_response())
}

/// A chat as text, for an agent.
struct Written {
    agent: AgentRow,
    chat: ChatId,
}

impl Command for Written {
    type Done = String;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<String, Failure<Problem>> {
        let record = seen(tx, &self.agent, self.chat).await?;
        Ok(for_agents(tx, &record).await?)
    }
}

#[derive(Debug, Deserialize)]
struct MailTo {
    to: String,
}

/// Sends a transcript to an address.
async fn mail(
    State(app): State<App>,
    SignedIn { agent, .. }: SignedIn,
    Path(id): Path<String>,
    Json(MailTo { to }): Json<MailTo>,
) -> Result<StatusCode, Problem> {
    agent.must(Right::Answer)?;
    let to = to.parse::<Email>().map_err(|error| Problem::new(Code::Malformed, error.to_string()).field("to"))?;
    app.store.commit(Mail { engine: app.engine.clone(), agent, chat: chat_id(&id)?, to: to.to_string() }).await?;
    Ok(StatusCode::ACCEPTED)
}

struct Mail {
    engine: Engine,
    agent: AgentRow,
    chat: ChatId,
    to: String,
}

impl Command for Mail {
    type Done = ();
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<Problem>> {
        let Self { engine, agent, chat, to } = self;
        let record = seen(tx, &agent, chat).await?;
        let id = engine.outside.new_id().to_string();
        engine.mail_transcript(tx, &record, &record.locale, to, id).await.map_err(|failure| match failure {
            Failure::Refused(refusal) => Failure::Refused(Problem::new(Code::NotAllowed, refusal.to_string())),
            Failure::Store(error) => Failure::Store(error),
        })
    }
}
