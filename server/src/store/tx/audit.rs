//! The audit log: who did what, written in the transaction of what was done.

use jiff::Timestamp;
use porchlight_domain::id::{AgentId, SiteKey};
use serde_json::Value;
use sqlx::{QueryBuilder, Row, Sqlite, sqlite::SqliteRow};

use super::{Result, Tx, corrupt, time};

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// An agent, in the console.
    Agent(AgentId),
    /// A program with a key of the API, by the id of the key.
    Key(String),
    /// Whoever has the machine.
    CommandLine,
    /// The server by itself, because it was due.
    Server,
}

impl Actor {
    fn parts(&self) -> (&'static str, String) {
        match self {
            Self::Agent(agent) => ("agent", agent.to_string()),
            Self::Key(key) => ("key", key.clone()),
            Self::CommandLine => ("command line", String::new()),
            Self::Server => ("server", String::new()),
        }
    }
}

/// Something that was done.
#[derive(Debug, Clone)]
pub struct AuditEntry<'a> {
    /// Who did it.
    pub actor: &'a Actor,
    /// What was done, such as `visitor.erased`.
    pub action: &'static str,
    /// The site it was done on, if on one.
    pub site: Option<&'a SiteKey>,
    /// What it was done to: an id or a name.
    pub subject: &'a str,
    /// What else there is to say, without anything that a visitor said or is.
    pub detail: Value,
    /// When.
    pub at: Timestamp,
}

/// An entry, as it is read.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRecord {
    /// Its place in the log.
    pub position: i64,
    /// When it was done.
    pub at: Timestamp,
    /// `agent`, `key`, `command line` or `server`.
    pub actor_kind: String,
    /// The id of the agent or key; else nothing.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// The site it was done on.
    pub site: Option<SiteKey>,
    /// What it was done to.
    pub subject: String,
    /// What else there is to say.
    pub detail: Value,
}

/// Which entries are wanted: the newest first.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Before this place; from the newest, if none is named.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u32,
    /// Of this site only.
    pub site: Option<SiteKey>,
    /// About this only.
    pub subject: Option<String>,
}

fn record(row: &SqliteRow) -> Result<AuditRecord> {
    Ok(AuditRecord {
        position: row.try_get("position")?,
        at: time(row, "at")?,
        actor_kind: row.try_get("actor_kind")?,
        actor: row.try_get("actor")?,
        action: row.try_get("action")?,
        site: row.try_get::<Option<String>, _>("site")?.map(|site| site.parse().map_err(corrupt)).transpose()?,
        subject: row.try_get("subject")?,
        detail: serde_json::from_str(&row.try_get::<String, _>("detail")?).map_err(corrupt)?,
    })
}

impl Tx<'_> {
    /// Notes what is done in this transaction.
    pub async fn audit(&mut self, entry: AuditEntry<'_>) -> Result<()> {
        let (kind, actor) = entry.actor.parts();
        sqlx::query(
            "insert into audit (at, actor_kind, actor, action, site, subject, detail) values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(entry.at.as_millisecond())
        .bind(kind)
        .bind(actor)
        .bind(entry.action)
        .bind(entry.site.map(SiteKey::as_str))
        .bind(entry.subject)
        .bind(entry.detail.to_string())
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Entries of the audit log, the newest first.
    pub async fn audited(&mut self, filter: &AuditFilter) -> Result<Vec<AuditRecord>> {
        let mut query = QueryBuilder::<Sqlite>::new("select * from audit where position < ");
        query.push_bind(filter.before.unwrap_or(i64::MAX));
        if let Some(site) = &filter.site {
            query.push(" and site = ").push_bind(site.as_str());
        }
        if let Some(subject) = &filter.subject {
            query.push(" and subject = ").push_bind(subject.as_str());
        }
        query.push(" order by position desc limit ").push_bind(filter.limit);
        let rows = query.build().fetch_all(&mut *self.connection).await?;
        rows.iter().map(record).collect()
    }
}
