//! Visitors, what is known of them, and their sessions.

use jiff::Timestamp;
use porchlight_domain::{
    id::{AttributeName, SessionId, SiteKey, VisitorId},
    session::{Attributes, Session},
};
use sqlx::{Row, sqlite::SqliteRow};

use super::{Result, Tx, corrupt, parse, time};
use crate::secret::Secret;

/// A visitor.
#[derive(Debug, Clone)]
pub struct VisitorRow {
    /// Who it is.
    pub id: VisitorId,
    /// The site they visit.
    pub site: SiteKey,
}

impl Tx<'_> {
    /// The visitor with this token, with the revision of their site.
    pub async fn visitor(&mut self, token: &Secret) -> Result<Option<(VisitorRow, i64)>> {
        let row = sqlx::query(
            "select visitor.id, visitor.site, site.revision from token join visitor on visitor.id = token.visitor
             join site on site.key = visitor.site where token.hash = $1",
        )
        .bind(token.hash())
        .fetch_optional(&mut *self.connection)
        .await?;
        row.map(|row| Ok((VisitorRow { id: parse(&row, "id")?, site: parse(&row, "site")? }, row.try_get("revision")?)))
            .transpose()
    }

    /// Adds a visitor with their first browser's token.
    pub async fn add_visitor(&mut self, visitor: &VisitorRow, token: &Secret, now: Timestamp) -> Result<()> {
        sqlx::query("insert into visitor (id, site, token_hash, created_at) values ($1, $2, $3, $4)")
            .bind(visitor.id.to_string())
            .bind(visitor.site.as_str())
            .bind(token.hash())
            .bind(now.as_millisecond())
            .execute(&mut *self.connection)
            .await?;
        sqlx::query("insert into token (hash, visitor) values ($1, $2)")
            .bind(token.hash())
            .bind(visitor.id.to_string())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// The site's own name for a visitor, if it ever identified them.
    pub async fn identity(&mut self, visitor: VisitorId) -> Result<Option<String>> {
        let identity = sqlx::query_scalar("select identity from visitor where id = $1").bind(visitor.to_string());
        Ok(identity.fetch_optional(&mut *self.connection).await?.flatten())
    }

    /// The visitor whom a site identified so.
    pub async fn visitor_identified(&mut self, site: &SiteKey, identity: &str) -> Result<Option<VisitorRow>> {
        let row = sqlx::query("select id, site from visitor where site = $1 and identity = $2")
            .bind(site.as_str())
            .bind(identity)
            .fetch_optional(&mut *self.connection)
            .await?;
        row.map(|row| Ok(VisitorRow { id: parse(&row, "id")?, site: parse(&row, "site")? })).transpose()
    }

    /// Keeps how a site identified a visitor.
    pub async fn put_identity(&mut self, visitor: VisitorId, identity: &str) -> Result<()> {
        sqlx::query("update visitor set identity = $2 where id = $1")
            .bind(visitor.to_string())
            .bind(identity)
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// Joins what one visitor did to another, who turned out to be the same person: browsers, sessions, what is known, and the
    /// conversations. Of a conversation that both began, the later one is gone on with; the other stays with the first visitor, and so
    /// does everything in the log.
    pub async fn join_visitors(&mut self, from: VisitorId, to: VisitorId) -> Result<()> {
        let (from, to) = (from.to_string(), to.to_string());
        // Rows that point at each other change one after the other.
        sqlx::query("pragma defer_foreign_keys = on").execute(&mut *self.connection).await?;
        for statement in [
            "update token set visitor = $2 where visitor = $1",
            "update session set visitor = $2 where visitor = $1",
            "insert into attribute (visitor, name, value, changed_at) select $2, name, value, changed_at from attribute
             where visitor = $1 on conflict do nothing",
        ] {
            sqlx::query(statement).bind(&from).bind(&to).execute(&mut *self.connection).await?;
        }
        let newer: Vec<String> = sqlx::query_scalar(
            "select a.conversation from progress a left join progress b on b.visitor = $2 and b.conversation = a.conversation
             where a.visitor = $1 and (b.visitor is null or (a.answered = 1 and a.changed_at >= b.changed_at))",
        )
        .bind(&from)
        .bind(&to)
        .fetch_all(&mut *self.connection)
        .await?;
        for conversation in newer {
            // Each changes places by way of a name that nobody has.
            for (one, other) in [(to.as_str(), "-"), (from.as_str(), to.as_str()), ("-", from.as_str())] {
                for statement in [
                    "update progress set visitor = $2 where visitor = $1 and conversation = $3",
                    "update entry set visitor = $2 where visitor = $1 and conversation = $3",
                    "update chat set visitor = $2 where visitor = $1 and conversation = $3",
                ] {
                    sqlx::query(statement).bind(one).bind(other).bind(&conversation).execute(&mut *self.connection).await?;
                }
            }
        }
        Ok(())
    }

    /// What is known of a visitor.
    pub async fn attributes(&mut self, visitor: VisitorId) -> Result<Attributes> {
        let rows = sqlx::query("select name, value from attribute where visitor = $1")
            .bind(visitor.to_string())
            .fetch_all(&mut *self.connection)
            .await?;
        rows.iter().map(|row| Ok((parse(row, "name")?, row.try_get("value")?))).collect()
    }

    /// The sessions of a visitor, the latest first, with the time of their last activity, and when they began.
    pub async fn sessions(&mut self, visitor: &VisitorRow) -> Result<Vec<(Session, Timestamp, Timestamp)>> {
        let rows =
            sqlx::query("select id, seq, active_at, started_at from session where visitor = $1 order by active_at desc, id desc")
                .bind(visitor.id.to_string())
                .fetch_all(&mut *self.connection)
                .await?;
        rows.iter()
            .map(|row| session(visitor, row).and_then(|(session, active)| Ok((session, active, time(row, "started_at")?))))
            .collect()
    }

    /// Whether a visitor has had a session besides one.
    pub async fn has_other_session(&mut self, visitor: VisitorId, session: SessionId) -> Result<bool> {
        let found: Option<i64> = sqlx::query_scalar("select 1 from session where visitor = $1 and id <> $2 limit 1")
            .bind(visitor.to_string())
            .bind(session.to_string())
            .fetch_optional(&mut *self.connection)
            .await?;
        Ok(found.is_some())
    }

    /// Gives a browser to another visitor.
    pub async fn move_token(&mut self, token: &Secret, to: VisitorId) -> Result<()> {
        let update = sqlx::query("update token set visitor = $2 where hash = $1").bind(token.hash()).bind(to.to_string());
        update.execute(&mut *self.connection).await?;
        Ok(())
    }

    /// Keeps what is now known of a visitor.
    pub async fn put_attribute(&mut self, visitor: VisitorId, name: &AttributeName, value: &str, now: Timestamp) -> Result<()> {
        sqlx::query(
            "insert into attribute (visitor, name, value, changed_at) values ($1, $2, $3, $4)
             on conflict (visitor, name) do update set value = excluded.value, changed_at = excluded.changed_at",
        )
        .bind(visitor.to_string())
        .bind(name.as_str())
        .bind(value)
        .bind(now.as_millisecond())
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// The visitor's latest session, with the time of its last activity, and when it began.
    pub async fn latest_session(&mut self, visitor: &VisitorRow) -> Result<Option<(Session, Timestamp, Timestamp)>> {
        let row = sqlx::query(
            "select id, seq, active_at, started_at from session where visitor = $1 order by active_at desc, id desc limit 1",
        )
        .bind(visitor.id.to_string())
        .fetch_optional(&mut *self.connection)
        .await?;
        row.map(|row| session(visitor, &row).and_then(|(session, active)| Ok((session, active, time(&row, "started_at")?))))
            .transpose()
    }

    /// A session, with the time of its last activity.
    pub async fn session_by_id(&mut self, id: SessionId) -> Result<Option<(Session, Timestamp)>> {
        let row = sqlx::query(
            "select session.id, session.seq, session.active_at, visitor.id as visitor, visitor.site from session
             join visitor on visitor.id = session.visitor where session.id = $1",
        )
        .bind(id.to_string())
        .fetch_optional(&mut *self.connection)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let visitor = VisitorRow { id: parse(&row, "visitor")?, site: parse(&row, "site")? };
        session(&visitor, &row).map(Some)
    }

    /// One session of a visitor, with the time of its last activity.
    pub async fn session(&mut self, visitor: &VisitorRow, id: SessionId) -> Result<Option<(Session, Timestamp)>> {
        let row = sqlx::query("select id, seq, active_at from session where visitor = $1 and id = $2")
            .bind(visitor.id.to_string())
            .bind(id.to_string())
            .fetch_optional(&mut *self.connection)
            .await?;
        row.map(|row| session(visitor, &row)).transpose()
    }

    /// Keeps how a visitor came to a session that is there: the page that led to its first load, and the device they use now.
    pub async fn put_visit(&mut self, session: SessionId, referrer: &str, device: &str) -> Result<()> {
        sqlx::query("update session set referrer = coalesce(referrer, $2), device = $3 where id = $1")
            .bind(session.to_string())
            .bind(referrer)
            .bind(device)
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// How a visitor came to a session, as far as it is known: the page that led there (empty: none did), and the kind of device.
    pub async fn visit(&mut self, session: SessionId) -> Result<(Option<String>, Option<String>)> {
        let row = sqlx::query("select referrer, device from session where id = $1")
            .bind(session.to_string())
            .fetch_optional(&mut *self.connection)
            .await?;
        let Some(row) = row else { return Ok((None, None)) };
        Ok((row.try_get("referrer")?, row.try_get("device")?))
    }

    /// Keeps a session; `active` is when something last happened in it.
    pub async fn put_session(&mut self, session: &Session, active: Timestamp) -> Result<()> {
        sqlx::query(
            "insert into session (id, visitor, seq, started_at, active_at) values ($1, $2, $3, $4, $4)
             on conflict (id) do update set seq = excluded.seq, active_at = max(session.active_at, excluded.active_at)",
        )
        .bind(session.id.to_string())
        .bind(session.visitor.to_string())
        .bind(i64::try_from(session.seq).map_err(corrupt)?)
        .bind(active.as_millisecond())
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }
}

fn session(visitor: &VisitorRow, row: &SqliteRow) -> Result<(Session, Timestamp)> {
    let seq = u64::try_from(row.try_get::<i64, _>("seq")?).map_err(corrupt)?;
    let session = Session { id: parse(row, "id")?, visitor: visitor.id, site: visitor.site.clone(), seq };
    Ok((session, time(row, "active_at")?))
}
