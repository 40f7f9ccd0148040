//! Transcripts of live chats: what was said, by whom, and when.

use axum::{
    Json,
    extract::{Path, State},
};
use jiff::Timestamp;
use porchlight_domain::{
    conversation::markup,
    id::{AgentId, ChatId, ConversationId, SessionId, SiteKey, VisitorId},
    livechat::{Ended, Phase},
    session::{Author, Format, file_of},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Authorized, parsed,
    problems::Problems,
    told::{self, Part},
};
use crate::{
    http::{App, body::Query, problem::Problem},
    store::{ChatEntry, ChatRecord, Command, Failure, ListFilter, Tx},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(list_transcripts))
        .routes(routes!(get_transcript))
        .routes(routes!(list_transcripts_of_visitor))
}

/// Where a live chat stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum ChatState {
    /// Nobody has accepted it yet.
    Waiting,
    /// An agent answers.
    Online,
    /// It is over.
    Ended,
}

impl ChatState {
    const fn of(phase: &Phase) -> Self {
        match phase {
            Phase::Queued | Phase::Offered(_) => Self::Waiting,
            Phase::Online { .. } => Self::Online,
            Phase::Ended(_) => Self::Ended,
        }
    }

    /// The phases of the store that are meant.
    const fn phases(asked: Option<Self>) -> &'static [&'static str] {
        match asked {
            None => &[],
            Some(Self::Waiting) => &["queued", "offered"],
            Some(Self::Online) => &["online"],
            Some(Self::Ended) => &["ended"],
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Only those of this site.
    #[param(value_type = Option<String>)]
    site: Option<SiteKey>,
    /// Only those that this agent holds, or held last.
    #[param(value_type = Option<String>)]
    agent: Option<AgentId>,
    /// Only those of this visitor.
    #[param(value_type = Option<String>)]
    visitor: Option<VisitorId>,
    /// Only those that were asked for at this time or later.
    #[param(value_type = Option<String>, format = "date-time")]
    from: Option<Timestamp>,
    /// Only those that were asked for before this time.
    #[param(value_type = Option<String>, format = "date-time")]
    to: Option<Timestamp>,
    /// Only those that stand so.
    #[param(inline)]
    state: Option<ChatState>,
    /// The `next` of the page before; without it, from the beginning.
    after: Option<String>,
    /// The most in the answer.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AskedOfVisitor {
    /// The `next` of the page before; without it, from the beginning.
    after: Option<String>,
    /// The most in the answer.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
}

/// A live chat, and what was said.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Transcript {
    /// The chat's id, as events name it.
    #[schema(value_type = String, format = "uuid")]
    chat: ChatId,
    /// Its site.
    #[schema(value_type = String)]
    site: SiteKey,
    /// Who asked for it.
    #[schema(value_type = String, format = "uuid")]
    visitor: VisitorId,
    /// The session it was asked for in.
    #[schema(value_type = String, format = "uuid")]
    session: SessionId,
    /// The conversation it is a part of.
    #[schema(value_type = String)]
    conversation: ConversationId,
    /// Where it stands.
    state: ChatState,
    /// How it ended: `visitor`, `agent`, `unanswered`, `visitor_idle`, `visitor_dropped`, or `nobody` if nobody was there to be asked.
    #[schema(required, value_type = Option<String>)]
    ended: Option<Ended>,
    /// Who holds it, or held it last.
    #[schema(required, value_type = Option<String>, format = "uuid")]
    agent: Option<AgentId>,
    /// The address of the page the visitor was last seen on.
    page: String,
    /// The visitor's language.
    locale: String,
    /// What it was filed under.
    tags: Vec<String>,
    /// When the visitor asked for an agent.
    #[schema(format = "date-time")]
    requested_at: String,
    /// When an agent first accepted.
    #[schema(required, format = "date-time")]
    accepted_at: Option<String>,
    /// When it ended.
    #[schema(required, format = "date-time")]
    ended_at: Option<String>,
    /// What was said in the conversation, in order; left out of the list of all chats.
    #[serde(skip_serializing_if = "Option::is_none")]
    lines: Option<Vec<TranscriptLine>>,
}

/// A line of a transcript.
#[derive(Debug, Serialize, ToSchema)]
struct TranscriptLine {
    /// Its place in the transcript. What a visitor took back is left out.
    number: u32,
    /// When it was said.
    #[schema(format = "date-time")]
    time: String,
    /// Who said it: `bot`, `visitor` or `agent`.
    #[schema(value_type = String)]
    author: Author,
    /// The agent who said it, or whom a notice is about.
    #[schema(required)]
    agent: Option<TranscriptAgent>,
    /// What it is: `text`, `number`, `date`, `notice`, `file`, `meeting` or `callback`.
    #[schema(value_type = String)]
    format: Format,
    /// What was said, as plain text; of a notice its name, such as `joined`. Null of a file, of a meeting, of a call back, and where the
    /// visitor chose not to answer.
    #[schema(required)]
    text: Option<String>,
    /// The name of the file that was sent.
    #[schema(required)]
    attachment: Option<String>,
    /// What a line about a meeting or a call back is about.
    #[schema(required, value_type = Option<Object>)]
    detail: Option<Value>,
}

/// An agent, by the name they had when the line was said.
#[derive(Debug, Serialize, ToSchema)]
struct TranscriptAgent {
    /// Who it is.
    #[schema(value_type = String, format = "uuid")]
    id: AgentId,
    /// Their name.
    name: String,
}

/// A page of transcripts.
#[derive(Debug, Serialize, ToSchema)]
struct TranscriptsPage {
    /// The transcripts, in the order in which the chats were asked for.
    transcripts: Vec<Transcript>,
    /// The `after` of the next page, if there may be one.
    #[schema(required)]
    next: Option<String>,
}

impl From<ChatEntry> for TranscriptLine {
    fn from(ChatEntry { entry, at, answer: _ }: ChatEntry) -> Self {
        let (mut text, mut attachment, mut detail) = (None, None, None);
        match (entry.format, entry.text) {
            (_, None) => {}
            // The id of a file opens it: it is for those it was sent to.
            (Format::File, Some(file)) => attachment = Some(file_of(&file).1.to_owned()),
            (Format::Meeting | Format::Callback, Some(json)) => detail = serde_json::from_str(&json).ok(),
            (Format::Text, Some(said)) if entry.author == Author::Bot => text = Some(markup::plain(&said)),
            (Format::Text | Format::Number | Format::Date | Format::Notice, Some(said)) => text = Some(said),
        }
        Self {
            number: entry.number,
            time: told::time(at),
            author: entry.author,
            agent: entry.agent.map(|agent| TranscriptAgent { id: agent.id, name: agent.name }),
            format: entry.format,
            text,
            attachment,
            detail,
        }
    }
}

fn shown(record: ChatRecord, lines: Option<Vec<ChatEntry>>) -> Transcript {
    let holds = match &record.chat.phase {
        Phase::Online { agent, .. } => Some(*agent),
        Phase::Queued | Phase::Offered(_) => None,
        // Who was only asked never held it.
        Phase::Ended(_) => record.held_by.filter(|_| record.accepted_at.is_some()),
    };
    Transcript {
        chat: record.chat.id,
        site: record.site,
        visitor: record.visitor,
        session: record.session,
        conversation: record.conversation,
        state: ChatState::of(&record.chat.phase),
        ended: match record.chat.phase {
            Phase::Ended(ended) => Some(ended),
            Phase::Queued | Phase::Offered(_) | Phase::Online { .. } => None,
        },
        agent: holds,
        page: record.page,
        locale: record.locale,
        tags: record.tags,
        requested_at: told::time(record.chat.requested_at),
        accepted_at: record.accepted_at.map(told::time),
        ended_at: record.ended_at.map(told::time),
        lines: lines.map(|lines| lines.into_iter().map(TranscriptLine::from).collect()),
    }
}

/// Lists live chats.
///
/// Without what was said in them: that is read one by one.
#[utoipa::path(
    get, path = "/api/v1/transcripts", tag = "transcripts", params(Asked),
    responses((status = 200, description = "A page of the chats.", body = TranscriptsPage), Problems), security(("key" = ["visitors:read"]))
)]
async fn list_transcripts(
    key: Authorized,
    State(app): State<App>,
    Query(asked): Query<Asked>,
) -> Result<Json<TranscriptsPage>, Problem> {
    let part = Part {
        site: asked.site,
        after: asked.after.as_deref(),
        limit: asked.limit,
        from: asked.from,
        to: asked.to,
        visitor: asked.visitor,
        agent: asked.agent,
        phases: ChatState::phases(asked.state),
    };
    let filter = part.read(&key)?;
    let limit = filter.limit;
    let found = app.store.look(List(filter)).await?;
    let next = told::next(&found, limit, |record| record.chat.id);
    Ok(Json(TranscriptsPage { transcripts: found.into_iter().map(|record| shown(record, None)).collect(), next }))
}

/// Gives the transcript of a live chat.
///
/// Of a live chat: all that was said in its conversation.
#[utoipa::path(
    get, path = "/api/v1/transcripts/{chat}", tag = "transcripts", params(("chat" = String, Path, description = "The chat's id.")),
    responses((status = 200, description = "The transcript.", body = Transcript), Problems), security(("key" = ["visitors:read"]))
)]
async fn get_transcript(key: Authorized, State(app): State<App>, Path(chat): Path<String>) -> Result<Json<Transcript>, Problem> {
    let found = app.store.look(One(parsed(&chat, "chat")?)).await?;
    Ok(Json(told::there(found, |transcript| &transcript.site, &key, "chat")?))
}

/// Lists the live chats of a visitor, with what was said in them.
#[utoipa::path(
    get, path = "/api/v1/visitors/{id}/transcripts", tag = "transcripts",
    params(("id" = String, Path, description = "The visitor's id."), AskedOfVisitor),
    responses((status = 200, description = "A page of the transcripts.", body = TranscriptsPage), Problems), security(("key" = ["visitors:read"]))
)]
async fn list_transcripts_of_visitor(
    key: Authorized,
    State(app): State<App>,
    Path(id): Path<String>,
    Query(asked): Query<AskedOfVisitor>,
) -> Result<Json<TranscriptsPage>, Problem> {
    let visitor: VisitorId = parsed(&id, "id")?;
    let part = Part {
        site: None,
        after: asked.after.as_deref(),
        limit: asked.limit,
        from: None,
        to: None,
        visitor: Some(visitor),
        agent: None,
        phases: &[],
    };
    let filter = part.read(&key)?;
    let limit = filter.limit;
    let found = app.store.look(OfVisitor(visitor, filter)).await?;
    let (_, transcripts) = told::there(found, |(site, _)| site, &key, "visitor")?;
    let next = told::next(&transcripts, limit, |transcript| transcript.chat);
    Ok(Json(TranscriptsPage { transcripts, next }))
}

struct List(ListFilter<ChatId>);

impl Command for List {
    type Done = Vec<ChatRecord>;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Vec<ChatRecord>, Failure<Problem>> {
        Ok(tx.chats_listed(&self.0).await?)
    }
}

async fn whole(tx: &mut Tx<'_>, record: ChatRecord) -> Result<Transcript, Failure<Problem>> {
    let lines = tx.chat_entries(record.visitor, &record.conversation, 0).await?;
    Ok(shown(record, Some(lines)))
}

struct One(ChatId);

impl Command for One {
    type Done = Option<Transcript>;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Option<Transcript>, Failure<Problem>> {
        match tx.chat(self.0).await? {
            Some(record) => whole(tx, record).await.map(Some),
            None => Ok(None),
        }
    }
}

struct OfVisitor(VisitorId, ListFilter<ChatId>);

impl Command for OfVisitor {
    type Done = Option<(SiteKey, Vec<Transcript>)>;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Self::Done, Failure<Problem>> {
        let Some(visitor) = tx.visitor_by_id(self.0).await? else { return Ok(None) };
        let mut transcripts = Vec::new();
        for record in tx.chats_listed(&self.1).await? {
            transcripts.push(whole(tx, record).await?);
        }
        Ok(Some((visitor.site, transcripts)))
    }
}
