//! Lists of what is kept, page by page, in the order of ids: they begin with the time at which they were made.

use jiff::Timestamp;
use porchlight_domain::id::{AgentId, CallbackId, ChatId, MeetingId, SessionId, SiteKey, SubmissionId, VisitorId};
use sqlx::{QueryBuilder, Row, Sqlite, sqlite::SqliteRow};

use super::{
    AgentRow, CallbackRecord, ChatRecord, MeetingRecord, Result, SubmissionRecord, Tx, callbacks, chats, corrupt, meetings,
    parse, submissions, time,
};

/// Which of a list are wanted.
#[derive(Debug, Clone)]
pub struct ListFilter<I> {
    /// Those after this one.
    pub after: Option<I>,
    /// At most so many.
    pub limit: u32,
    /// Those of these sites only.
    pub sites: Option<Vec<SiteKey>>,
    /// Those at this time or later.
    pub from: Option<Timestamp>,
    /// Those before this time.
    pub to: Option<Timestamp>,
    /// Those of this visitor only.
    pub visitor: Option<VisitorId>,
    /// Those of this agent only.
    pub agent: Option<AgentId>,
    /// Those that stand so only, as the store names it; none named: whatever is no mere beginning.
    pub phases: &'static [&'static str],
}

/// A visitor, as lists have them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitorRecord {
    /// Who it is.
    pub id: VisitorId,
    /// The site they visit.
    pub site: SiteKey,
    /// The site's own name for them, if it ever identified them.
    pub identity: Option<String>,
    /// When they came first.
    pub created_at: Timestamp,
}

/// A session, as lists have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRecord {
    /// Its id.
    pub id: SessionId,
    /// Its site.
    pub site: SiteKey,
    /// Whose it is.
    pub visitor: VisitorId,
    /// How many events it has.
    pub events: u64,
    /// When it began.
    pub started_at: Timestamp,
    /// When something last happened in it.
    pub active_at: Timestamp,
    /// The page that led to its first load (empty: none did), as far as it is known.
    pub referrer: Option<String>,
    /// The kind of device, as far as it is known.
    pub device: Option<String>,
}

/// A table, as a list reads it.
struct Table {
    /// What is read, up to its first condition.
    select: &'static str,
    id: &'static str,
    site: &'static str,
    /// Whether an index has the rows of a site in order.
    in_order: bool,
    /// The column of the time that lists are cut by.
    time: &'static str,
    visitor: &'static str,
    agent: &'static str,
    phase: &'static str,
}

const VISITORS: Table = Table {
    select: "select id, site, identity, created_at from visitor where erased_at is null and",
    id: "id",
    site: "site",
    in_order: true,
    time: "created_at",
    visitor: "id",
    agent: "",
    phase: "",
};

const SESSIONS: Table = Table {
    select: "select session.*, visitor.site as site from session join visitor on visitor.id = session.visitor where",
    id: "session.id",
    site: "visitor.site",
    in_order: false,
    time: "session.started_at",
    visitor: "session.visitor",
    agent: "",
    phase: "",
};

const fn table(select: &'static str, time: &'static str) -> Table {
    Table { select, id: "id", site: "site", in_order: true, time, visitor: "visitor", agent: "agent", phase: "phase" }
}

const CHATS: Table = table("select * from chat where", "requested_at");
const MEETINGS: Table = table("select * from meeting where", "starts_at");
const CALLBACKS: Table = table("select * from callback where", "requested_at");
const SURVEYS: Table = table("select * from submission where purpose = 'survey' and", "submitted_at");

/// Adds a condition: a column is one of some values. No index is found by it, so it does not change the order in which rows are read.
pub(in crate::store) fn one_of<'v>(query: &mut QueryBuilder<Sqlite>, column: &str, values: impl Iterator<Item = &'v str>) {
    query.push(format_args!(" and coalesce({column}, '') in ("));
    let mut list = query.separated(", ");
    for value in values {
        list.push_bind(value);
    }
    list.push_unseparated(")");
}

impl Table {
    /// The conditions of a list.
    fn query<I: ToString>(&self, filter: &ListFilter<I>) -> QueryBuilder<Sqlite> {
        let mut query = QueryBuilder::<Sqlite>::new(self.select);
        // Every id comes after the empty text.
        query.push(format_args!(" {} > ", self.id)).push_bind(filter.after.as_ref().map(ToString::to_string).unwrap_or_default());
        match filter.sites.as_deref() {
            Some([site]) if self.in_order => {
                query.push(format_args!(" and {} = ", self.site)).push_bind(site.as_str());
            }
            Some(sites) => one_of(&mut query, self.site, sites.iter().map(SiteKey::as_str)),
            None => {}
        }
        if let Some(visitor) = filter.visitor {
            query.push(format_args!(" and {} = ", self.visitor)).push_bind(visitor.to_string());
        }
        if let Some(agent) = filter.agent {
            query.push(format_args!(" and {} = ", self.agent)).push_bind(agent.to_string());
        }
        if !filter.phases.is_empty() {
            one_of(&mut query, self.phase, filter.phases.iter().copied());
        }
        if let Some(from) = filter.from {
            query.push(format_args!(" and {} >= ", self.time)).push_bind(from.as_millisecond());
        }
        if let Some(to) = filter.to {
            query.push(format_args!(" and {} < ", self.time)).push_bind(to.as_millisecond());
        }
        query
    }

    async fn rows<I: ToString>(&self, tx: &mut Tx<'_>, filter: &ListFilter<I>) -> Result<Vec<SqliteRow>> {
        self.end(tx, self.query(filter), filter.limit).await
    }

    async fn end(&self, tx: &mut Tx<'_>, mut query: QueryBuilder<Sqlite>, limit: u32) -> Result<Vec<SqliteRow>> {
        query.push(format_args!(" order by {} limit ", self.id)).push_bind(limit);
        Ok(query.build().fetch_all(&mut *tx.connection).await?)
    }
}

fn visitor(row: &SqliteRow) -> Result<VisitorRecord> {
    Ok(VisitorRecord {
        id: parse(row, "id")?,
        site: parse(row, "site")?,
        identity: row.try_get("identity")?,
        created_at: time(row, "created_at")?,
    })
}

fn session(row: &SqliteRow) -> Result<SessionRecord> {
    Ok(SessionRecord {
        id: parse(row, "id")?,
        site: parse(row, "site")?,
        visitor: parse(row, "visitor")?,
        events: u64::try_from(row.try_get::<i64, _>("seq")?).map_err(corrupt)?,
        started_at: time(row, "started_at")?,
        active_at: time(row, "active_at")?,
        referrer: row.try_get("referrer")?,
        device: row.try_get("device")?,
    })
}

impl Tx<'_> {
    /// A page of the visitors: all, those whom something is known of, as a name and a value, or whom the site identified so.
    pub async fn visitors_listed(
        &mut self,
        filter: &ListFilter<VisitorId>,
        known: Option<(&str, &str)>,
        identity: Option<&str>,
    ) -> Result<Vec<VisitorRecord>> {
        let mut query = VISITORS.query(filter);
        if let Some((name, value)) = known {
            query.push(" and id in (select visitor from attribute where name = ").push_bind(name);
            query.push(" and value = ").push_bind(value).push(")");
        }
        if let Some(identity) = identity {
            query.push(" and identity = ").push_bind(identity);
        }
        let rows = VISITORS.end(self, query, filter.limit).await?;
        rows.iter().map(visitor).collect()
    }

    /// A visitor. Who stands in for somebody who was erased is none.
    pub async fn visitor_by_id(&mut self, id: VisitorId) -> Result<Option<VisitorRecord>> {
        let row = sqlx::query("select id, site, identity, created_at from visitor where id = $1 and erased_at is null")
            .bind(id.to_string())
            .fetch_optional(&mut *self.connection)
            .await?;
        row.as_ref().map(visitor).transpose()
    }

    /// A page of the sessions.
    pub async fn sessions_listed(&mut self, filter: &ListFilter<SessionId>) -> Result<Vec<SessionRecord>> {
        SESSIONS.rows(self, filter).await?.iter().map(session).collect()
    }

    /// A session, with how the visitor came to it.
    pub async fn session_record(&mut self, id: SessionId) -> Result<Option<SessionRecord>> {
        let row = sqlx::query(
            "select session.*, visitor.site as site from session join visitor on visitor.id = session.visitor where session.id = $1",
        )
        .bind(id.to_string())
        .fetch_optional(&mut *self.connection)
        .await?;
        row.as_ref().map(session).transpose()
    }

    /// A page of the live chats. Those of an agent are those that they accepted.
    pub async fn chats_listed(&mut self, filter: &ListFilter<ChatId>) -> Result<Vec<ChatRecord>> {
        let mut query = CHATS.query(filter);
        if filter.agent.is_some() {
            // As long as a chat is only offered, the agent is who is asked.
            query.push(" and accepted_at is not null and phase in ('online', 'ended')");
        }
        CHATS.end(self, query, filter.limit).await?.iter().map(chats::record).collect()
    }

    /// A page of the meetings.
    pub async fn meetings_listed(&mut self, filter: &ListFilter<MeetingId>) -> Result<Vec<MeetingRecord>> {
        MEETINGS.rows(self, filter).await?.iter().map(meetings::record).collect()
    }

    /// A page of the call backs.
    pub async fn callbacks_listed(&mut self, filter: &ListFilter<CallbackId>) -> Result<Vec<CallbackRecord>> {
        CALLBACKS.rows(self, filter).await?.iter().map(callbacks::record).collect()
    }

    /// A page of the surveys.
    pub async fn surveys_listed(&mut self, filter: &ListFilter<SubmissionId>) -> Result<Vec<SubmissionRecord>> {
        SURVEYS.rows(self, filter).await?.iter().map(submissions::record).collect()
    }

    /// A survey.
    pub async fn survey(&mut self, id: SubmissionId) -> Result<Option<SubmissionRecord>> {
        let row = sqlx::query("select * from submission where id = $1 and purpose = 'survey'")
            .bind(id.to_string())
            .fetch_optional(&mut *self.connection)
            .await?;
        row.as_ref().map(submissions::record).transpose()
    }

    /// The agents after one, in the order of their ids.
    pub async fn agents_after(&mut self, after: Option<AgentId>) -> Result<Vec<AgentRow>> {
        let after = after.map(|after| after.to_string()).unwrap_or_default();
        self.agents_where("agent.id > $1", &after).await
    }
}
