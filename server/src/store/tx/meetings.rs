//! Meetings.

use jiff::Timestamp;
use porchlight_domain::{
    id::{AgentId, ConversationId, MeetingId, SessionId, SiteKey, VisitorId},
    meeting::{Meeting, MeetingPhase},
};
use sqlx::{Row, sqlite::SqliteRow};

use super::{Result, Tx, corrupt, parse, time};

/// A meeting as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct MeetingRecord {
    /// The domain's state of it.
    pub meeting: Meeting,
    /// Its site.
    pub site: SiteKey,
    /// Who comes.
    pub visitor: VisitorId,
    /// The conversation it was booked in.
    pub conversation: ConversationId,
    /// The session it was booked in.
    pub session: SessionId,
    /// The address of the page it was booked on.
    pub page: String,
    /// Whether its guest was reminded.
    pub reminded: bool,
    /// When it was made.
    pub made_at: Timestamp,
    /// When it last changed.
    pub changed_at: Timestamp,
}

/// The agent has another meeting then, or one is held: the database has refused it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overlap;

/// Which meetings are listed.
#[derive(Debug, Clone, Copy)]
pub struct MeetingFilter<'a> {
    /// Those of these sites; all, if none are named.
    pub sites: Option<&'a [SiteKey]>,
    /// Those of this agent.
    pub agent: Option<AgentId>,
    /// Those that end after this.
    pub from: Timestamp,
    /// Those that begin before this.
    pub to: Timestamp,
    /// Whether those that were called off are among them.
    pub cancelled: bool,
    /// The most.
    pub limit: u32,
}

/// SQLite's code for what a trigger refuses ([SQLITE_CONSTRAINT_TRIGGER](https://www.sqlite.org/rescode.html#constraint_trigger)).
const REFUSED_BY_TRIGGER: &str = "1811";

pub(super) fn record(row: &SqliteRow) -> Result<MeetingRecord> {
    Ok(MeetingRecord {
        meeting: serde_json::from_str(&row.try_get::<String, _>("state")?).map_err(corrupt)?,
        site: parse(row, "site")?,
        visitor: parse(row, "visitor")?,
        conversation: parse(row, "conversation")?,
        session: parse(row, "session")?,
        page: row.try_get("page")?,
        reminded: row.try_get::<i64, _>("reminded")? != 0,
        made_at: time(row, "made_at")?,
        changed_at: time(row, "changed_at")?,
    })
}

impl Tx<'_> {
    /// Keeps a meeting; `due` is when something next happens to it by itself, `push` whether it is to be written to the agent's CalDAV calendar.
    /// The agent's other meetings may stand in its way, which only the database knows for sure; then nothing has changed.
    pub async fn put_meeting(
        &mut self,
        record: &MeetingRecord,
        due: Option<Timestamp>,
        push: Option<Timestamp>,
    ) -> Result<std::result::Result<(), Overlap>> {
        let meeting = &record.meeting;
        let phase = match meeting.phase {
            MeetingPhase::Held { .. } => "held",
            MeetingPhase::Booked => "booked",
            MeetingPhase::Cancelled { .. } => "cancelled",
            MeetingPhase::Released => "released",
        };
        let kept = sqlx::query(
            "insert into meeting (id, site, visitor, conversation, session, agent, phase, state, starts_at, ends_at, occupied_from,
                 occupied_to, due_at, reminded, page, made_at, changed_at, push_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
             on conflict (id) do update set agent = excluded.agent, phase = excluded.phase, state = excluded.state,
                 starts_at = excluded.starts_at, ends_at = excluded.ends_at, occupied_from = excluded.occupied_from,
                 occupied_to = excluded.occupied_to, due_at = excluded.due_at, reminded = excluded.reminded,
                 changed_at = excluded.changed_at, push_at = coalesce(excluded.push_at, meeting.push_at),
                 push_tries = case when excluded.push_at is null then meeting.push_tries else 0 end",
        )
        .bind(meeting.id.to_string())
        .bind(record.site.as_str())
        .bind(record.visitor.to_string())
        .bind(record.conversation.as_str())
        .bind(record.session.to_string())
        .bind(meeting.agent.to_string())
        .bind(phase)
        .bind(serde_json::to_string(meeting).map_err(corrupt)?)
        .bind(meeting.span.start.as_millisecond())
        .bind(meeting.span.end.as_millisecond())
        .bind(meeting.occupied.start.as_millisecond())
        .bind(meeting.occupied.end.as_millisecond())
        .bind(due.map(Timestamp::as_millisecond))
        .bind(i64::from(record.reminded))
        .bind(&record.page)
        .bind(record.made_at.as_millisecond())
        .bind(record.changed_at.as_millisecond())
        .bind(push.map(Timestamp::as_millisecond))
        .execute(&mut *self.connection)
        .await;
        match kept {
            Ok(_) => Ok(Ok(())),
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(REFUSED_BY_TRIGGER) => Ok(Err(Overlap)),
            Err(error) => Err(error.into()),
        }
    }

    /// A meeting.
    pub async fn meeting(&mut self, id: MeetingId) -> Result<Option<MeetingRecord>> {
        let row =
            sqlx::query("select * from meeting where id = $1").bind(id.to_string()).fetch_optional(&mut *self.connection).await?;
        row.as_ref().map(record).transpose()
    }

    /// The meeting whose time is held for a visitor in a conversation.
    pub async fn meeting_held(&mut self, visitor: VisitorId, conversation: &ConversationId) -> Result<Option<MeetingRecord>> {
        let row = sqlx::query("select * from meeting where visitor = $1 and conversation = $2 and phase = 'held'")
            .bind(visitor.to_string())
            .bind(conversation.as_str())
            .fetch_optional(&mut *self.connection)
            .await?;
        row.as_ref().map(record).transpose()
    }

    /// The meetings to which something happens by itself by now, the most overdue first.
    pub async fn meetings_due(&mut self, now: Timestamp, limit: u32) -> Result<Vec<MeetingRecord>> {
        let rows = sqlx::query("select * from meeting where due_at <= $1 order by due_at, id limit $2")
            .bind(now.as_millisecond())
            .bind(limit)
            .fetch_all(&mut *self.connection)
            .await?;
        rows.iter().map(record).collect()
    }

    /// When something next happens to a meeting by itself.
    pub async fn next_meeting_due(&mut self) -> Result<Option<Timestamp>> {
        let due: Option<i64> = sqlx::query_scalar("select min(due_at) from meeting").fetch_one(&mut *self.connection).await?;
        due.map(Timestamp::from_millisecond).transpose().map_err(corrupt)
    }

    /// Meetings that were booked, in the order of their beginnings.
    pub async fn meetings(&mut self, filter: &MeetingFilter<'_>) -> Result<Vec<MeetingRecord>> {
        let sites = filter.sites.map(serde_json::to_string).transpose().map_err(corrupt)?;
        let rows = sqlx::query(
            "select * from meeting where ($1 is null or site in (select value from json_each($1))) and ($2 is null or agent = $2)
                 and ends_at > $3 and starts_at < $4 and (phase = 'booked' or ($5 = 1 and phase = 'cancelled'))
             order by starts_at, id limit $6",
        )
        .bind(sites)
        .bind(filter.agent.map(|agent| agent.to_string()))
        .bind(filter.from.as_millisecond())
        .bind(filter.to.as_millisecond())
        .bind(i64::from(filter.cancelled))
        .bind(filter.limit)
        .fetch_all(&mut *self.connection)
        .await?;
        rows.iter().map(record).collect()
    }

    /// The meetings a visitor has booked, the latest first.
    pub async fn meetings_of(&mut self, visitor: VisitorId, limit: u32) -> Result<Vec<MeetingRecord>> {
        let rows = sqlx::query(
            "select * from meeting where visitor = $1 and phase in ('booked', 'cancelled') order by starts_at desc, id limit $2",
        )
        .bind(visitor.to_string())
        .bind(limit)
        .fetch_all(&mut *self.connection)
        .await?;
        rows.iter().map(record).collect()
    }

    /// The meetings that are to be written to CalDAV calendars by now, with how often that has failed.
    pub async fn meetings_to_push(&mut self, now: Timestamp, limit: u32) -> Result<Vec<(MeetingRecord, u32)>> {
        let rows = sqlx::query("select * from meeting where push_at <= $1 order by push_at, id limit $2")
            .bind(now.as_millisecond())
            .bind(limit)
            .fetch_all(&mut *self.connection)
            .await?;
        rows.iter().map(|row| Ok((record(row)?, super::small(row, "push_tries")?))).collect()
    }

    /// Notes that a meeting was written to a calendar as it was then, or when that is tried again. One that has changed meanwhile is written again
    /// in any case.
    pub async fn meeting_pushed(&mut self, id: MeetingId, changed_at: Timestamp, again: Option<Timestamp>) -> Result<()> {
        sqlx::query(
            "update meeting set push_at = $3, push_tries = case when $3 is null then 0 else push_tries + 1 end
             where id = $1 and changed_at = $2",
        )
        .bind(id.to_string())
        .bind(changed_at.as_millisecond())
        .bind(again.map(Timestamp::as_millisecond))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }
}
