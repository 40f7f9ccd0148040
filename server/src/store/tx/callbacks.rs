//! Call backs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use porchlight_domain::{
    agent::Right,
    callback::{Callback, CallbackPhase},
    id::{CallbackId, ConversationId, SessionId, SiteKey, TeamId, VisitorId},
    session::ContactKind,
};
use sqlx::{Row, sqlite::SqliteRow};

use super::{AgentRow, Result, Tx, corrupt, parse, time};

/// A call back as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct CallbackRecord {
    /// The domain's state of it.
    pub callback: Callback,
    /// Its site.
    pub site: SiteKey,
    /// Who is called.
    pub visitor: VisitorId,
    /// The conversation it was asked for in.
    pub conversation: ConversationId,
    /// The session it was asked for in.
    pub session: SessionId,
    /// The address of the page it was asked for on.
    pub page: String,
    /// When it last changed.
    pub changed_at: Timestamp,
    /// What agents noted.
    pub note: String,
}

/// As many are called at that time as can be: the database has refused one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

/// SQLite's code for what a unique index refuses ([SQLITE_CONSTRAINT_UNIQUE](https://www.sqlite.org/rescode.html#constraint_unique)).
const REFUSED_AS_DOUBLE: &str = "2067";

pub(super) fn record(row: &SqliteRow) -> Result<CallbackRecord> {
    Ok(CallbackRecord {
        callback: serde_json::from_str(&row.try_get::<String, _>("state")?).map_err(corrupt)?,
        site: parse(row, "site")?,
        visitor: parse(row, "visitor")?,
        conversation: parse(row, "conversation")?,
        session: parse(row, "session")?,
        page: row.try_get("page")?,
        changed_at: time(row, "changed_at")?,
        note: row.try_get("note")?,
    })
}

/// Whether an agent may make a call back: it is of one of their sites, and of their team if it is of one. Binds what the function of this name returns.
macro_rules! mine {
    () => {
        "($1 is null or site in (select value from json_each($1)))
         and ($2 is null or team = '' or exists (
             select 1 from team_member m where m.site = callback.site and m.team = callback.team and m.agent = $2))"
    };
}

/// The sites and the teams of which an agent makes call backs; no agent: those of all teams, since they look after them.
fn mine(agent: &AgentRow) -> Result<(Option<String>, Option<String>)> {
    let sites = agent.sites().map(serde_json::to_string).transpose().map_err(corrupt)?;
    Ok((sites, (!agent.may(Right::ManageTeams)).then(|| agent.id.to_string())))
}

impl Tx<'_> {
    /// Keeps a call back. One for a time of choice needs one of the places at that time, of which there are `capacity`; if none is free, nothing has
    /// changed.
    pub async fn put_callback(&mut self, record: &CallbackRecord, capacity: u16) -> Result<std::result::Result<(), Full>> {
        let callback = &record.callback;
        let phase = match callback.phase {
            CallbackPhase::Choosing => "choosing",
            CallbackPhase::Waiting => "waiting",
            CallbackPhase::Claimed { .. } => "claimed",
            CallbackPhase::Done { .. } => "done",
            CallbackPhase::Dropped => "dropped",
        };
        let slot = callback.promised.filter(|_| callback.kind == ContactKind::CallbackLater).map(|promised| promised.start);
        let known = self.callback(callback.id).await?.is_some();
        for seat in 0..capacity.max(1) {
            let query = if known {
                "update callback set phase = $6, state = $7, team = $8, agent = $9, slot_at = $10, seat = coalesce(seat, $11),
                     call_from = $12, changed_at = $15, note = $16
                 where id = $1 and $2 = $2 and $3 = $3 and $4 = $4 and $5 = $5 and $13 = $13 and $14 = $14"
            } else {
                "insert into callback (id, site, visitor, conversation, session, phase, state, team, agent, slot_at, seat, call_from,
                     page, requested_at, changed_at, note)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
            };
            let kept = sqlx::query(query)
                .bind(callback.id.to_string())
                .bind(record.site.as_str())
                .bind(record.visitor.to_string())
                .bind(record.conversation.as_str())
                .bind(record.session.to_string())
                .bind(phase)
                .bind(serde_json::to_string(callback).map_err(corrupt)?)
                .bind(callback.team.as_ref().map_or("", TeamId::as_str))
                .bind(callback.agent().map(|agent| agent.to_string()))
                .bind(slot.map(Timestamp::as_millisecond))
                .bind(slot.map(|_| i64::from(seat)))
                .bind(callback.from().as_millisecond())
                .bind(&record.page)
                .bind(callback.requested_at.as_millisecond())
                .bind(record.changed_at.as_millisecond())
                .bind(&record.note)
                .execute(&mut *self.connection)
                .await;
            match kept {
                Ok(_) => return Ok(Ok(())),
                Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(REFUSED_AS_DOUBLE) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Err(Full))
    }

    /// A call back.
    pub async fn callback(&mut self, id: CallbackId) -> Result<Option<CallbackRecord>> {
        let row = sqlx::query("select * from callback where id = $1")
            .bind(id.to_string())
            .fetch_optional(&mut *self.connection)
            .await?;
        row.as_ref().map(record).transpose()
    }

    /// The call back whose time a visitor is choosing in a conversation.
    pub async fn callback_chosen(&mut self, visitor: VisitorId, conversation: &ConversationId) -> Result<Option<CallbackRecord>> {
        let row = sqlx::query(
            "select * from callback where visitor = $1 and conversation = $2 and phase = 'choosing' order by id desc limit 1",
        )
        .bind(visitor.to_string())
        .bind(conversation.as_str())
        .fetch_optional(&mut *self.connection)
        .await?;
        row.as_ref().map(record).transpose()
    }

    /// How many of the places at each time are taken.
    pub async fn seats_taken(
        &mut self,
        site: &SiteKey,
        team: Option<&TeamId>,
        from: Timestamp,
    ) -> Result<BTreeMap<Timestamp, u16>> {
        let rows = sqlx::query(
            "select slot_at, count(*) as taken from callback
             where site = $1 and team = $2 and slot_at >= $3 and phase in ('waiting', 'claimed') group by slot_at",
        )
        .bind(site.as_str())
        .bind(team.map_or("", TeamId::as_str))
        .bind(from.as_millisecond())
        .fetch_all(&mut *self.connection)
        .await?;
        rows.iter()
            .map(|row| {
                let taken: i64 = row.try_get("taken")?;
                Ok((time(row, "slot_at")?, u16::try_from(taken).unwrap_or(u16::MAX)))
            })
            .collect()
    }

    /// Call backs: those to be made, the first to be made first; or those that are over, the last first.
    pub async fn callbacks(&mut self, agent: &AgentRow, open: bool, limit: u32) -> Result<Vec<CallbackRecord>> {
        let (sites, member) = mine(agent)?;
        let query = if open {
            concat!(
                "select * from callback where ",
                mine!(),
                " and phase in ('waiting', 'claimed') order by call_from, id limit $3"
            )
        } else {
            concat!("select * from callback where ", mine!(), " and phase = 'done' order by changed_at desc, id limit $3")
        };
        let rows = sqlx::query(query).bind(sites).bind(member).bind(limit).fetch_all(&mut *self.connection).await?;
        rows.iter().map(record).collect()
    }

    /// A call back that an agent may make.
    pub async fn callback_of(&mut self, agent: &AgentRow, id: CallbackId) -> Result<Option<CallbackRecord>> {
        let (sites, member) = mine(agent)?;
        let query = concat!("select * from callback where ", mine!(), " and id = $3");
        let row = sqlx::query(query).bind(sites).bind(member).bind(id.to_string()).fetch_optional(&mut *self.connection).await?;
        row.as_ref().map(record).transpose()
    }

    /// How many call backs an agent may make are to be made by now, and nobody has them.
    pub async fn callbacks_waiting(&mut self, agent: &AgentRow, now: Timestamp) -> Result<u32> {
        let (sites, member) = mine(agent)?;
        let count: i64 = sqlx::query_scalar(concat!(
            "select count(*) from callback where ",
            mine!(),
            " and phase = 'waiting' and call_from <= $3"
        ))
        .bind(sites)
        .bind(member)
        .bind(now.as_millisecond())
        .fetch_one(&mut *self.connection)
        .await?;
        u32::try_from(count).map_err(corrupt)
    }

    /// The call backs of a visitor, the latest first.
    pub async fn callbacks_of(&mut self, visitor: VisitorId, limit: u32) -> Result<Vec<CallbackRecord>> {
        let rows = sqlx::query(
            "select * from callback where visitor = $1 and phase not in ('choosing', 'dropped') order by requested_at desc limit $2",
        )
        .bind(visitor.to_string())
        .bind(limit)
        .fetch_all(&mut *self.connection)
        .await?;
        rows.iter().map(record).collect()
    }
}
