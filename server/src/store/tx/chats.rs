//! Live chats.

use jiff::Timestamp;
use porchlight_domain::{
    event::EventType,
    id::{AgentId, AnswerId, ChatId, ConversationId, PageViewId, SessionId, SiteKey, VisitorId},
    livechat::{Chat, Phase},
    session::Entry,
};
use sqlx::{Row, sqlite::SqliteRow};

use super::{Logged, Result, Tx, corrupt, logged, parse, small, talks::entry, time};

/// A live chat as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatRecord {
    /// The domain's state of it.
    pub chat: Chat,
    /// Its site.
    pub site: SiteKey,
    /// Who asked for it.
    pub visitor: VisitorId,
    /// The conversation it is a part of.
    pub conversation: ConversationId,
    /// The session it was requested in.
    pub session: SessionId,
    /// The load of the page the visitor was last seen on.
    pub view: PageViewId,
    /// The address of that page.
    pub page: String,
    /// The visitor's language.
    pub locale: String,
    /// Whether the visitor has a connection, as far as the store knows.
    pub connected: bool,
    /// When an agent first accepted.
    pub accepted_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// When it last changed.
    pub changed_at: Timestamp,
    /// Up to which line the agent has seen the transcript.
    pub seen_by_agent: u32,
    /// Up to which line the visitor has.
    pub seen_by_visitor: u32,
    /// What it was filed under.
    pub tags: Vec<String>,
    /// Who held it last.
    pub held_by: Option<AgentId>,
}

/// A line of a transcript as the console shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatEntry {
    /// The line.
    pub entry: Entry,
    /// When it was said.
    pub at: Timestamp,
    /// Names the message, if a person sent it.
    pub answer: Option<AnswerId>,
}

/// The lists of chats an agent can look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Queue {
    /// Those the agent holds.
    Mine,
    /// Those nobody holds yet.
    Waiting,
    /// All under way.
    All,
    /// Those that are over.
    Ended,
    /// Those of them that nobody answered.
    Missed,
}

/// Which chats are wanted.
#[derive(Debug, Clone)]
pub struct ChatFilter<'a> {
    /// The list.
    pub queue: Queue,
    /// The agent who looks.
    pub agent: AgentId,
    /// Their sites; none: all sites.
    pub sites: Option<&'a [SiteKey]>,
    /// Only those in which this was said, or whose visitor or tag is called so; then of every list, since who searches may not know
    /// of which.
    pub text: Option<&'a str>,
    /// Only those after this place, as (time of change in ms, id).
    pub after: Option<(i64, ChatId)>,
    /// The most to give.
    pub limit: u32,
}

pub(super) fn record(row: &SqliteRow) -> Result<ChatRecord> {
    let moment = |name: &str| -> Result<Option<Timestamp>> {
        let value: Option<i64> = row.try_get(name)?;
        value.map(Timestamp::from_millisecond).transpose().map_err(corrupt)
    };
    let agent: Option<String> = row.try_get("agent")?;
    Ok(ChatRecord {
        chat: serde_json::from_str(&row.try_get::<String, _>("state")?).map_err(corrupt)?,
        site: parse(row, "site")?,
        visitor: parse(row, "visitor")?,
        conversation: parse(row, "conversation")?,
        session: parse(row, "session")?,
        view: parse(row, "view")?,
        page: row.try_get("page")?,
        locale: row.try_get("locale")?,
        connected: row.try_get::<i64, _>("connected")? != 0,
        accepted_at: moment("accepted_at")?,
        ended_at: moment("ended_at")?,
        changed_at: time(row, "changed_at")?,
        seen_by_agent: small(row, "seen_by_agent")?,
        seen_by_visitor: small(row, "seen_by_visitor")?,
        tags: serde_json::from_str(&row.try_get::<String, _>("tags")?).map_err(corrupt)?,
        held_by: agent.map(|agent| agent.parse().map_err(corrupt)).transpose()?,
    })
}

impl Tx<'_> {
    /// A chat.
    pub async fn chat(&mut self, id: ChatId) -> Result<Option<ChatRecord>> {
        let row =
            sqlx::query("select * from chat where id = $1").bind(id.to_string()).fetch_optional(&mut *self.connection).await?;
        row.map(|row| record(&row)).transpose()
    }

    /// The chat that is under way in a visitor's conversation.
    pub async fn chat_under_way(&mut self, visitor: VisitorId, conversation: &ConversationId) -> Result<Option<ChatRecord>> {
        let row = sqlx::query("select * from chat where visitor = $1 and conversation = $2 and phase <> 'ended'")
            .bind(visitor.to_string())
            .bind(conversation.as_str())
            .fetch_optional(&mut *self.connection)
            .await?;
        row.map(|row| record(&row)).transpose()
    }

    /// The conversation in which a visitor has a chat under way.
    pub async fn conversation_in_chat(&mut self, visitor: VisitorId) -> Result<Option<ConversationId>> {
        let row = sqlx::query("select conversation from chat where visitor = $1 and phase <> 'ended' limit 1")
            .bind(visitor.to_string())
            .fetch_optional(&mut *self.connection)
            .await?;
        row.map(|row| parse(&row, "conversation")).transpose()
    }

    /// The last chat of a visitor's conversation, whether it is over or not.
    pub async fn last_chat(&mut self, visitor: VisitorId, conversation: &ConversationId) -> Result<Option<ChatRecord>> {
        let row = sqlx::query("select * from chat where visitor = $1 and conversation = $2 order by requested_at desc limit 1")
            .bind(visitor.to_string())
            .bind(conversation.as_str())
            .fetch_optional(&mut *self.connection)
            .await?;
        row.map(|row| record(&row)).transpose()
    }

    /// Keeps a chat; `due` is when something happens to it by itself.
    pub async fn put_chat(&mut self, record: &ChatRecord, due: Option<Timestamp>) -> Result<()> {
        let phase = match record.chat.phase {
            Phase::Queued => "queued",
            Phase::Offered(_) => "offered",
            Phase::Online { .. } => "online",
            Phase::Ended(_) => "ended",
        };
        let (holds, asked) = match &record.chat.phase {
            Phase::Online { agent, transfer } => (Some(*agent), transfer.as_ref().map(|transfer| transfer.offer.agent)),
            Phase::Offered(offer) => (Some(offer.agent), None),
            Phase::Queued => (None, None),
            // Who held it last stays with it.
            Phase::Ended(_) => (record.held_by, None),
        };
        sqlx::query(
            "insert into chat (id, site, visitor, conversation, session, state, phase, agent, asked, due_at, requested_at, accepted_at,
                 ended_at, changed_at, view, page, locale, seen_by_agent, seen_by_visitor, tags, connected)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
             on conflict (id) do update set state = excluded.state, phase = excluded.phase, agent = excluded.agent,
                 asked = excluded.asked, due_at = excluded.due_at, accepted_at = excluded.accepted_at, ended_at = excluded.ended_at,
                 changed_at = excluded.changed_at, view = excluded.view, page = excluded.page, locale = excluded.locale,
                 seen_by_agent = excluded.seen_by_agent, seen_by_visitor = excluded.seen_by_visitor, tags = excluded.tags,
                 connected = excluded.connected",
        )
        .bind(record.chat.id.to_string())
        .bind(record.site.as_str())
        .bind(record.visitor.to_string())
        .bind(record.conversation.as_str())
        .bind(record.session.to_string())
        .bind(serde_json::to_string(&record.chat).map_err(corrupt)?)
        .bind(phase)
        .bind(holds.map(|agent| agent.to_string()))
        .bind(asked.map(|agent| agent.to_string()))
        .bind(due.map(Timestamp::as_millisecond))
        .bind(record.chat.requested_at.as_millisecond())
        .bind(record.accepted_at.map(Timestamp::as_millisecond))
        .bind(record.ended_at.map(Timestamp::as_millisecond))
        .bind(record.changed_at.as_millisecond())
        .bind(record.view.to_string())
        .bind(&record.page)
        .bind(&record.locale)
        .bind(record.seen_by_agent)
        .bind(record.seen_by_visitor)
        .bind(serde_json::to_string(&record.tags).map_err(corrupt)?)
        .bind(i64::from(record.connected))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// What an agent is called.
    pub async fn agent_name(&mut self, agent: AgentId) -> Result<Option<String>> {
        let name = sqlx::query_scalar("select name from agent where id = $1").bind(agent.to_string());
        Ok(name.fetch_optional(&mut *self.connection).await?)
    }

    /// Notes that a chat was offered to an agent: the next in turn is another.
    pub async fn put_offered(&mut self, agent: AgentId, now: Timestamp) -> Result<()> {
        sqlx::query("update agent set offered_at = $2 where id = $1")
            .bind(agent.to_string())
            .bind(now.as_millisecond())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// Notes up to which line a side has seen the transcript. It never goes back.
    pub async fn put_seen(&mut self, chat: ChatId, by_agent: bool, number: u32) -> Result<()> {
        let statement = if by_agent {
            "update chat set seen_by_agent = max(seen_by_agent, $2) where id = $1"
        } else {
            "update chat set seen_by_visitor = max(seen_by_visitor, $2) where id = $1"
        };
        sqlx::query(statement).bind(chat.to_string()).bind(number).execute(&mut *self.connection).await?;
        Ok(())
    }

    /// The chats to which something happens by itself by now, the most overdue first.
    pub async fn chats_due(&mut self, now: Timestamp, limit: u32) -> Result<Vec<ChatId>> {
        let rows = sqlx::query("select id from chat where due_at <= $1 order by due_at limit $2")
            .bind(now.as_millisecond())
            .bind(limit)
            .fetch_all(&mut *self.connection)
            .await?;
        rows.iter().map(|row| parse(row, "id")).collect()
    }

    /// When something next happens to a chat by itself.
    pub async fn next_due(&mut self) -> Result<Option<Timestamp>> {
        let due: Option<i64> = sqlx::query_scalar("select min(due_at) from chat").fetch_one(&mut *self.connection).await?;
        due.map(Timestamp::from_millisecond).transpose().map_err(corrupt)
    }

    /// The chats that wait for somebody to be free, the longest waiting first.
    pub async fn chats_queued(&mut self) -> Result<Vec<ChatId>> {
        let rows = sqlx::query("select id from chat where phase = 'queued' order by requested_at, id")
            .fetch_all(&mut *self.connection)
            .await?;
        rows.iter().map(|row| parse(row, "id")).collect()
    }

    /// The chats whose visitors were connected when the server stopped.
    pub async fn chats_connected(&mut self) -> Result<Vec<ChatId>> {
        let rows =
            sqlx::query("select id from chat where connected = 1 and phase <> 'ended'").fetch_all(&mut *self.connection).await?;
        rows.iter().map(|row| parse(row, "id")).collect()
    }

    /// How many chats of a site wait for somebody to be free since before one of them.
    pub async fn queued_before(&mut self, site: &SiteKey, requested_at: Timestamp) -> Result<u32> {
        let count: i64 =
            sqlx::query_scalar("select count(*) from chat where site = $1 and phase = 'queued' and requested_at < $2")
                .bind(site.as_str())
                .bind(requested_at.as_millisecond())
                .fetch_one(&mut *self.connection)
                .await?;
        u32::try_from(count).map_err(corrupt)
    }

    /// A list of chats, the latest change first, and how many there are in all.
    pub async fn chats(&mut self, filter: &ChatFilter<'_>) -> Result<(Vec<ChatRecord>, u32)> {
        let which = match filter.queue {
            _ if filter.text.is_some() => "$1 = $1",
            Queue::Mine => "(chat.agent = $1 and chat.phase = 'online')",
            Queue::Waiting => "chat.phase in ('queued', 'offered') and $1 = $1",
            Queue::All => "chat.phase <> 'ended' and $1 = $1",
            Queue::Ended => "chat.phase = 'ended' and $1 = $1",
            Queue::Missed => "chat.phase = 'ended' and chat.accepted_at is null and $1 = $1",
        };
        let of_sites = "($2 is null or chat.site in (select value from json_each($2)))";
        let with_text = "($3 is null or exists (select 1 from attribute where attribute.visitor = chat.visitor
                 and attribute.name in ('name', 'email', 'firstName', 'lastName', 'company') and attribute.value like $3 escape '\\')
             or exists (select 1 from entry where entry.visitor = chat.visitor and entry.conversation = chat.conversation
                 and entry.text like $3 escape '\\') or chat.tags like $3 escape '\\')";
        let sites = filter.sites.map(serde_json::to_string).transpose().map_err(corrupt)?;
        let text = filter.text.map(|text| {
            let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            format!("%{escaped}%")
        });
        let agent = filter.agent.to_string();
        // The pieces are our own; what people write is bound.
        let count = format!("select count(*) from chat where {which} and {of_sites} and {with_text}");
        let total: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(count))
            .bind(&agent)
            .bind(&sites)
            .bind(&text)
            .fetch_one(&mut *self.connection)
            .await?;
        let page = format!(
            "select chat.* from chat where {which} and {of_sites} and {with_text}
             and ($4 is null or (chat.changed_at, chat.id) < ($4, $5)) order by chat.changed_at desc, chat.id desc limit $6"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(page))
            .bind(&agent)
            .bind(&sites)
            .bind(&text)
            .bind(filter.after.map(|(at, _)| at))
            .bind(filter.after.map(|(_, id)| id.to_string()))
            .bind(filter.limit)
            .fetch_all(&mut *self.connection)
            .await?;
        Ok((rows.iter().map(record).collect::<Result<_>>()?, u32::try_from(total).map_err(corrupt)?))
    }

    /// The chats of a visitor, the latest first.
    pub async fn chats_of(&mut self, visitor: VisitorId, limit: u32) -> Result<Vec<ChatRecord>> {
        let rows = sqlx::query("select * from chat where visitor = $1 order by requested_at desc limit $2")
            .bind(visitor.to_string())
            .bind(limit)
            .fetch_all(&mut *self.connection)
            .await?;
        rows.iter().map(record).collect()
    }

    /// The lines of a transcript after a number, with when each was said.
    pub async fn chat_entries(
        &mut self,
        visitor: VisitorId,
        conversation: &ConversationId,
        after: u32,
    ) -> Result<Vec<ChatEntry>> {
        let rows = sqlx::query(
            "select number, author, card, text, format, agent, agent_name, said_at, answer from entry
             where visitor = $1 and conversation = $2 and number > $3 and taken_back = 0 order by number",
        )
        .bind(visitor.to_string())
        .bind(conversation.as_str())
        .bind(after)
        .fetch_all(&mut *self.connection)
        .await?;
        rows.iter()
            .map(|row| {
                let answer: Option<String> = row.try_get("answer")?;
                let answer = answer.map(|answer| answer.parse().map_err(corrupt)).transpose()?;
                Ok(ChatEntry { entry: entry(row)?, at: time(row, "said_at")?, answer })
            })
            .collect()
    }

    /// The last line of a transcript that a person or the bot said; how many lines of the visitor stand after a number; and the
    /// number of the last line of all.
    pub async fn last_line(
        &mut self,
        visitor: VisitorId,
        conversation: &ConversationId,
        seen: u32,
    ) -> Result<(Option<String>, u32, u32)> {
        let row = sqlx::query(
            "select (select case format when 'file' then substr(text, instr(text, '/') + 1) else text end from entry where visitor = $1 and conversation = $2 and taken_back = 0 and format not in ('notice', 'meeting', 'callback')
                     order by number desc limit 1) as last,
                    (select count(*) from entry where visitor = $1 and conversation = $2 and taken_back = 0
                     and author = 'visitor' and number > $3) as unread,
                    (select coalesce(max(number), 0) from entry where visitor = $1 and conversation = $2
                     and taken_back = 0) as number",
        )
        .bind(visitor.to_string())
        .bind(conversation.as_str())
        .bind(seen)
        .fetch_one(&mut *self.connection)
        .await?;
        Ok((row.try_get("last")?, small(&row, "unread")?, small(&row, "number")?))
    }

    /// The line that a submission led to, if it was taken.
    pub async fn line_of(&mut self, visitor: VisitorId, conversation: &ConversationId, answer: AnswerId) -> Result<Option<u32>> {
        let row = sqlx::query("select number from entry where visitor = $1 and conversation = $2 and answer = $3")
            .bind(visitor.to_string())
            .bind(conversation.as_str())
            .bind(answer.to_string())
            .fetch_optional(&mut *self.connection)
            .await?;
        row.map(|row| small(&row, "number")).transpose()
    }

    /// Gives what happened while no page of a visitor was there to the page that is there now.
    pub async fn adopt_events(&mut self, visitor: VisitorId, view: PageViewId) -> Result<()> {
        sqlx::query("update event set view = $2 where visitor = $1 and view = ''")
            .bind(visitor.to_string())
            .bind(view.to_string())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// Files a chat under other tags.
    pub async fn put_tags(&mut self, chat: ChatId, tags: &[String]) -> Result<()> {
        sqlx::query("update chat set tags = $2 where id = $1")
            .bind(chat.to_string())
            .bind(serde_json::to_string(tags).map_err(corrupt)?)
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// The last events of a session, in order.
    pub async fn events_of_session(&mut self, session: SessionId, limit: usize) -> Result<Vec<Logged>> {
        let rows = sqlx::query("select * from event where session = $1 order by position desc limit $2")
            .bind(session.to_string())
            .bind(i64::try_from(limit).map_err(corrupt)?)
            .fetch_all(&mut *self.connection)
            .await?;
        rows.iter().rev().map(logged).collect()
    }

    /// The pages that were loaded in a session, the latest last; one that was loaded again at once is there once.
    pub async fn pages_of_session(&mut self, session: SessionId, limit: usize) -> Result<Vec<String>> {
        let mut pages: Vec<String> = sqlx::query_scalar(
            "select page from (select page, seq, lag(page) over (order by seq) as former from event
                 where session = $1 and type = $2) as loads
             where former is null or former <> page order by seq desc limit $3",
        )
        .bind(session.to_string())
        .bind(EventType::WidgetLoaded.name())
        .bind(i64::try_from(limit).map_err(corrupt)?)
        .fetch_all(&mut *self.connection)
        .await?;
        pages.reverse();
        Ok(pages)
    }

    /// Adds a note to a chat.
    pub async fn add_note(&mut self, id: &str, chat: ChatId, agent: AgentId, text: &str, now: Timestamp) -> Result<()> {
        sqlx::query("insert into note (id, chat, agent, text, written_at) values ($1, $2, $3, $4, $5)")
            .bind(id)
            .bind(chat.to_string())
            .bind(agent.to_string())
            .bind(text)
            .bind(now.as_millisecond())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// The notes on a chat, the oldest first: who, what, when.
    pub async fn notes(&mut self, chat: ChatId) -> Result<Vec<(String, String, Timestamp)>> {
        let rows = sqlx::query(
            "select agent.name, note.text, note.written_at from note join agent on agent.id = note.agent
             where note.chat = $1 order by note.written_at, note.id",
        )
        .bind(chat.to_string())
        .fetch_all(&mut *self.connection)
        .await?;
        rows.iter().map(|row| Ok((row.try_get("name")?, row.try_get("text")?, time(row, "written_at")?))).collect()
    }

    /// Keeps a file that was sent in a chat.
    pub async fn add_attachment(
        &mut self,
        id: &str,
        chat: ChatId,
        name: &str,
        kind: &str,
        content: &[u8],
        now: Timestamp,
    ) -> Result<()> {
        sqlx::query("insert into attachment (id, chat, name, type, content, sent_at) values ($1, $2, $3, $4, $5, $6)")
            .bind(id)
            .bind(chat.to_string())
            .bind(name)
            .bind(kind)
            .bind(content)
            .bind(now.as_millisecond())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// Whether an agent has ever answered a visitor in a conversation.
    pub async fn was_answered_live(&mut self, visitor: VisitorId, conversation: &ConversationId) -> Result<bool> {
        let found: Option<i64> =
            sqlx::query_scalar("select 1 from chat where visitor = $1 and conversation = $2 and accepted_at is not null limit 1")
                .bind(visitor.to_string())
                .bind(conversation.as_str())
                .fetch_optional(&mut *self.connection)
                .await?;
        Ok(found.is_some())
    }

    /// How many files were sent in a chat.
    pub async fn attachments_of(&mut self, chat: ChatId) -> Result<u32> {
        let count = sqlx::query_scalar("select count(*) from attachment where chat = $1")
            .bind(chat.to_string())
            .fetch_one(&mut *self.connection)
            .await?;
        Ok(count)
    }

    /// A file that was sent in a chat: its name, type and content.
    pub async fn attachment(&mut self, id: &str) -> Result<Option<(String, String, Vec<u8>)>> {
        let row = sqlx::query("select name, type, content from attachment where id = $1")
            .bind(id)
            .fetch_optional(&mut *self.connection)
            .await?;
        row.map(|row| Ok((row.try_get("name")?, row.try_get("type")?, row.try_get("content")?))).transpose()
    }

    /// Whether any visitor waits for an agent to accept, or for one to be free.
    pub async fn anybody_waits(&mut self) -> Result<bool> {
        let found: Option<i64> =
            sqlx::query_scalar("select 1 from chat where phase in ('queued', 'offered') or asked is not null limit 1")
                .fetch_optional(&mut *self.connection)
                .await?;
        Ok(found.is_some())
    }
}
