//! How far visitors have come in conversations, and their transcripts.

use jiff::Timestamp;
use porchlight_domain::{
    id::{AnswerId, ConversationId, VisitorId},
    session::{Author, Entry, Format, Progress, Speaker, Standing},
};
use sqlx::{Row, sqlite::SqliteRow};

use super::{Result, Tx, corrupt, parse, small};
use crate::analytics::tally::day_of;

impl Tx<'_> {
    /// How far a visitor has come in a conversation.
    pub async fn progress(&mut self, visitor: VisitorId, conversation: &ConversationId) -> Result<Option<Progress>> {
        let row = sqlx::query("select * from progress where visitor = $1 and conversation = $2")
            .bind(visitor.to_string())
            .bind(conversation.as_str())
            .fetch_optional(&mut *self.connection)
            .await?;
        row.map(|row| progress(&row)).transpose()
    }

    /// How far a visitor has come in each conversation, the one they were last in first.
    pub async fn all_progress(&mut self, visitor: VisitorId) -> Result<Vec<Progress>> {
        let rows = sqlx::query("select * from progress where visitor = $1 order by changed_at desc, conversation")
            .bind(visitor.to_string())
            .fetch_all(&mut *self.connection)
            .await?;
        rows.iter().map(progress).collect()
    }

    /// Keeps how far a visitor has come.
    pub async fn put_progress(&mut self, visitor: VisitorId, progress: &Progress, now: Timestamp) -> Result<()> {
        let (standing, card) = match &progress.standing {
            Standing::Offered => ("offered", None),
            Standing::At(card) => ("at", Some(card.as_str())),
            Standing::Ended => ("ended", None),
        };
        sqlx::query(
            "insert into progress
                 (visitor, conversation, version, standing, card, turn, entries, answered, counted, changed_at, completed, trail, chat,
                 since)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
             on conflict (visitor, conversation) do update set version = excluded.version, standing = excluded.standing,
                 card = excluded.card, turn = excluded.turn, entries = excluded.entries, answered = excluded.answered,
                 counted = excluded.counted, changed_at = excluded.changed_at, completed = excluded.completed,
                 trail = excluded.trail, chat = excluded.chat,
                 since = case when progress.card = excluded.card and progress.version = excluded.version then progress.since
                     else excluded.since end",
        )
        .bind(visitor.to_string())
        .bind(progress.conversation.as_str())
        .bind(progress.version)
        .bind(standing)
        .bind(card)
        .bind(progress.turn)
        .bind(progress.entries)
        .bind(i64::from(progress.answered))
        .bind(serde_json::to_string(&progress.counted).map_err(corrupt)?)
        .bind(now.as_millisecond())
        .bind(i64::from(progress.completed))
        .bind(serde_json::to_string(&progress.trail).map_err(corrupt)?)
        .bind(progress.chat.map(|chat| chat.to_string()))
        .bind(card.map(|_| day_of(now)))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Takes back what was said after a line; it is no longer shown, and is kept.
    pub async fn take_back(&mut self, visitor: VisitorId, conversation: &ConversationId, after: u32) -> Result<()> {
        sqlx::query("update entry set taken_back = 1 where visitor = $1 and conversation = $2 and number > $3")
            .bind(visitor.to_string())
            .bind(conversation.as_str())
            .bind(after)
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// Adds a line to a transcript; `answer` names the submission a visitor's line came with.
    pub async fn add_entry(
        &mut self,
        visitor: VisitorId,
        conversation: &ConversationId,
        entry: &Entry,
        answer: Option<AnswerId>,
        now: Timestamp,
    ) -> Result<()> {
        sqlx::query(
            "insert into entry (visitor, conversation, number, author, card, text, answer, said_at, format, agent, agent_name)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(visitor.to_string())
        .bind(conversation.as_str())
        .bind(entry.number)
        .bind(AUTHORS.iter().find(|(_, author)| *author == entry.author).map(|(name, _)| *name))
        .bind(entry.card.as_str())
        .bind(entry.text.as_deref())
        .bind(answer.map(|answer| answer.to_string()))
        .bind(now.as_millisecond())
        .bind(FORMATS.iter().find(|(_, format)| *format == entry.format).map(|(name, _)| *name))
        .bind(entry.agent.as_ref().map(|agent| agent.id.to_string()))
        .bind(entry.agent.as_ref().map(|agent| agent.name.as_str()))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// The lines of a transcript after a number, in order.
    pub async fn entries(&mut self, visitor: VisitorId, conversation: &ConversationId, after: u32) -> Result<Vec<Entry>> {
        let rows = sqlx::query(
            "select number, author, card, text, format, agent, agent_name from entry
             where visitor = $1 and conversation = $2 and number > $3 and taken_back = 0 order by number",
        )
        .bind(visitor.to_string())
        .bind(conversation.as_str())
        .bind(after)
        .fetch_all(&mut *self.connection)
        .await?;
        rows.iter().map(entry).collect()
    }

    /// Whether a submission was taken before.
    pub async fn was_answered(&mut self, visitor: VisitorId, conversation: &ConversationId, answer: AnswerId) -> Result<bool> {
        let found: Option<i64> =
            sqlx::query_scalar("select 1 from entry where visitor = $1 and conversation = $2 and answer = $3")
                .bind(visitor.to_string())
                .bind(conversation.as_str())
                .bind(answer.to_string())
                .fetch_optional(&mut *self.connection)
                .await?;
        Ok(found.is_some())
    }
}

const AUTHORS: [(&str, Author); 3] = [("bot", Author::Bot), ("visitor", Author::Visitor), ("agent", Author::Agent)];
const FORMATS: [(&str, Format); 7] = [
    ("text", Format::Text),
    ("number", Format::Number),
    ("date", Format::Date),
    ("notice", Format::Notice),
    ("file", Format::File),
    ("meeting", Format::Meeting),
    ("callback", Format::Callback),
];

fn named<T: Copy>(table: &[(&str, T)], row: &SqliteRow, column: &str) -> Result<T> {
    let name: String = row.try_get(column)?;
    let found = table.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    found.ok_or_else(|| corrupt(format!("{column}: {name}")))
}

pub(super) fn entry(row: &SqliteRow) -> Result<Entry> {
    let agent: Option<String> = row.try_get("agent")?;
    Ok(Entry {
        number: small(row, "number")?,
        author: named(&AUTHORS, row, "author")?,
        card: parse(row, "card")?,
        text: row.try_get("text")?,
        format: named(&FORMATS, row, "format")?,
        agent: match agent {
            Some(id) => Some(Speaker { id: id.parse().map_err(corrupt)?, name: row.try_get("agent_name")? }),
            None => None,
        },
    })
}

fn progress(row: &SqliteRow) -> Result<Progress> {
    let standing = match row.try_get::<String, _>("standing")?.as_str() {
        "at" => Standing::At(parse(row, "card")?),
        "ended" => Standing::Ended,
        _ => Standing::Offered,
    };
    Ok(Progress {
        conversation: parse(row, "conversation")?,
        version: small(row, "version")?,
        standing,
        turn: small(row, "turn")?,
        entries: small(row, "entries")?,
        answered: row.try_get::<i64, _>("answered")? != 0,
        completed: row.try_get::<i64, _>("completed")? != 0,
        trail: serde_json::from_str(&row.try_get::<String, _>("trail")?).map_err(corrupt)?,
        counted: serde_json::from_str(&row.try_get::<String, _>("counted")?).map_err(corrupt)?,
        chat: row.try_get::<Option<String>, _>("chat")?.map(|chat| chat.parse().map_err(corrupt)).transpose()?,
    })
}
