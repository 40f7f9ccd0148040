//! What a command can do within its transaction.
//!
//! The SQL is written so that it reads the same for SQLite and PostgreSQL: `$1` placeholders, `on conflict … do update`, plain types.

use jiff::Timestamp;
use porchlight_domain::{
    conversation::Conversation,
    event::{Data, Event},
    id::{AnswerId, AttributeName, ConversationId, EventId, PageViewId, SessionId, SiteKey, VisitorId},
    session::{Author, Entry, Progress, Session, Standing},
};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::StoreError;
use crate::{secret::Secret, site::Site};

type Result<T> = std::result::Result<T, StoreError>;

/// One command's part of a transaction.
pub struct Tx<'c> {
    connection: &'c mut SqliteConnection,
}

/// A visitor.
#[derive(Debug, Clone)]
pub struct VisitorRow {
    /// Who it is.
    pub id: VisitorId,
    /// The site they visit.
    pub site: SiteKey,
}

/// A conversation as it is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Which.
    pub conversation: ConversationId,
    /// In which version.
    pub version: u32,
}

/// An event with its place in the log.
#[derive(Debug, Clone)]
pub struct Logged {
    /// Its place; grows in the order of commits.
    pub position: i64,
    /// The event.
    pub event: Event,
}

fn corrupt(error: impl ToString) -> StoreError {
    StoreError::Corrupt(error.to_string())
}

fn parse<T: std::str::FromStr<Err: ToString>>(row: &SqliteRow, column: &str) -> Result<T> {
    row.try_get::<String, _>(column)?.parse().map_err(|error: T::Err| corrupt(format!("{column}: {}", error.to_string())))
}

fn small(row: &SqliteRow, column: &str) -> Result<u32> {
    u32::try_from(row.try_get::<i64, _>(column)?).map_err(corrupt)
}

pub(super) fn time(row: &SqliteRow, column: &str) -> Result<Timestamp> {
    Timestamp::from_millisecond(row.try_get(column)?).map_err(corrupt)
}

pub(super) fn logged(row: &SqliteRow) -> Result<Logged> {
    let event = Event {
        id: parse(row, "id")?,
        kind: parse(row, "type")?,
        seq: u64::try_from(row.try_get::<i64, _>("seq")?).map_err(corrupt)?,
        time: time(row, "time")?,
        site: parse(row, "site")?,
        visitor: parse(row, "visitor")?,
        session: parse(row, "session")?,
        conversation: row.try_get::<Option<String>, _>("conversation")?.map(|id| id.parse().map_err(corrupt)).transpose()?,
        page: row.try_get("page")?,
        data: serde_json::from_str::<Data>(&row.try_get::<String, _>("data")?).map_err(corrupt)?,
    };
    Ok(Logged { position: row.try_get("position")?, event })
}

impl<'c> Tx<'c> {
    pub(super) fn new(connection: &'c mut SqliteConnection) -> Self {
        Self { connection }
    }

    /// Shows that the database can be written to, and leaves it as it is.
    pub async fn touch(&mut self) -> Result<()> {
        sqlx::query("update site set key = key where key = ''").execute(&mut *self.connection).await?;
        Ok(())
    }

    // Sites and conversations.

    /// A site's settings.
    pub async fn site(&mut self, key: &SiteKey) -> Result<Option<Site>> {
        let settings: Option<String> = sqlx::query_scalar("select settings from site where key = $1")
            .bind(key.as_str())
            .fetch_optional(&mut *self.connection)
            .await?;
        settings.map(|settings| serde_json::from_str(&settings).map_err(corrupt)).transpose()
    }

    /// Puts a site's settings in the place of the ones before.
    pub async fn put_site(&mut self, site: &Site) -> Result<()> {
        let settings = serde_json::to_string(site).map_err(corrupt)?;
        sqlx::query(
            "insert into site (key, settings) values ($1, $2) on conflict (key) do update set settings = excluded.settings",
        )
        .bind(site.key.as_str())
        .bind(settings)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// The conversations a site has published.
    pub async fn published(&mut self, site: &SiteKey) -> Result<Vec<Published>> {
        let rows = sqlx::query("select conversation, version from published where site = $1 order by conversation")
            .bind(site.as_str())
            .fetch_all(&mut *self.connection)
            .await?;
        rows.iter()
            .map(|row| Ok(Published { conversation: parse(row, "conversation")?, version: small(row, "version")? }))
            .collect()
    }

    /// A version of a conversation, published now or once.
    pub async fn document(&mut self, site: &SiteKey, conversation: &ConversationId, version: u32) -> Result<Conversation> {
        let document: String =
            sqlx::query_scalar("select document from conversation where site = $1 and id = $2 and version = $3")
                .bind(site.as_str())
                .bind(conversation.as_str())
                .bind(version)
                .fetch_one(&mut *self.connection)
                .await?;
        serde_json::from_str(&document).map_err(corrupt)
    }

    /// Publishes a conversation as the version after its last; if that is the same to the letter, it becomes the published one again.
    pub async fn publish(&mut self, site: &SiteKey, conversation: &Conversation, now: Timestamp) -> Result<Published> {
        let document = serde_json::to_string(conversation).map_err(corrupt)?;
        let last =
            sqlx::query("select version, document from conversation where site = $1 and id = $2 order by version desc limit 1")
                .bind(site.as_str())
                .bind(conversation.id.as_str())
                .fetch_optional(&mut *self.connection)
                .await?;
        let (last_version, unchanged) = match &last {
            Some(row) => (small(row, "version")?, row.try_get::<String, _>("document")? == document),
            None => (0, false),
        };
        let version = if unchanged { last_version } else { last_version + 1 };
        if !unchanged {
            sqlx::query("insert into conversation (site, id, version, document, published_at) values ($1, $2, $3, $4, $5)")
                .bind(site.as_str())
                .bind(conversation.id.as_str())
                .bind(version)
                .bind(document)
                .bind(now.as_millisecond())
                .execute(&mut *self.connection)
                .await?;
        }
        sqlx::query(
            "insert into published (site, conversation, version) values ($1, $2, $3)
             on conflict (site, conversation) do update set version = excluded.version",
        )
        .bind(site.as_str())
        .bind(conversation.id.as_str())
        .bind(version)
        .execute(&mut *self.connection)
        .await?;
        Ok(Published { conversation: conversation.id.clone(), version })
    }

    /// Takes a conversation out of publication; those who began it may go on.
    pub async fn unpublish(&mut self, site: &SiteKey, conversation: &ConversationId) -> Result<()> {
        sqlx::query("delete from published where site = $1 and conversation = $2")
            .bind(site.as_str())
            .bind(conversation.as_str())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    // Visitors and sessions.

    /// The visitor with this token, with their site's settings.
    pub async fn visitor(&mut self, token: &Secret) -> Result<Option<(VisitorRow, Site)>> {
        let row = sqlx::query(
            "select visitor.id, visitor.site, site.settings from visitor join site on site.key = visitor.site
             where visitor.token_hash = $1",
        )
        .bind(token.hash())
        .fetch_optional(&mut *self.connection)
        .await?;
        row.map(|row| {
            let site = serde_json::from_str(&row.try_get::<String, _>("settings")?).map_err(corrupt)?;
            Ok((VisitorRow { id: parse(&row, "id")?, site: parse(&row, "site")? }, site))
        })
        .transpose()
    }

    /// Adds a visitor.
    pub async fn add_visitor(&mut self, visitor: &VisitorRow, token: &Secret, now: Timestamp) -> Result<()> {
        sqlx::query("insert into visitor (id, site, token_hash, created_at) values ($1, $2, $3, $4)")
            .bind(visitor.id.to_string())
            .bind(visitor.site.as_str())
            .bind(token.hash())
            .bind(now.as_millisecond())
            .execute(&mut *self.connection)
            .await?;
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

    /// The visitor's latest session, with the time of its last activity.
    pub async fn latest_session(&mut self, visitor: &VisitorRow) -> Result<Option<(Session, Timestamp)>> {
        let row =
            sqlx::query("select id, seq, active_at from session where visitor = $1 order by active_at desc, id desc limit 1")
                .bind(visitor.id.to_string())
                .fetch_optional(&mut *self.connection)
                .await?;
        row.map(|row| session(visitor, &row)).transpose()
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

    // Progress and transcripts.

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
            "insert into progress (visitor, conversation, version, standing, card, turn, entries, answered, counted, changed_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             on conflict (visitor, conversation) do update set version = excluded.version, standing = excluded.standing,
                 card = excluded.card, turn = excluded.turn, entries = excluded.entries, answered = excluded.answered,
                 counted = excluded.counted, changed_at = excluded.changed_at",
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
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Forgets what was said in a conversation that begins anew, before anybody answered.
    pub async fn clear_transcript(&mut self, visitor: VisitorId, conversation: &ConversationId) -> Result<()> {
        sqlx::query("delete from entry where visitor = $1 and conversation = $2")
            .bind(visitor.to_string())
            .bind(conversation.as_str())
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
            "insert into entry (visitor, conversation, number, author, card, text, answer, said_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(visitor.to_string())
        .bind(conversation.as_str())
        .bind(entry.number)
        .bind(if entry.author == Author::Bot { "bot" } else { "visitor" })
        .bind(entry.card.as_str())
        .bind(entry.text.as_deref())
        .bind(answer.map(|answer| answer.to_string()))
        .bind(now.as_millisecond())
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// The lines of a transcript after a number, in order.
    pub async fn entries(&mut self, visitor: VisitorId, conversation: &ConversationId, after: u32) -> Result<Vec<Entry>> {
        let rows = sqlx::query(
            "select number, author, card, text from entry where visitor = $1 and conversation = $2 and number > $3 order by number",
        )
        .bind(visitor.to_string())
        .bind(conversation.as_str())
        .bind(after)
        .fetch_all(&mut *self.connection)
        .await?;
        rows.iter()
            .map(|row| {
                let author = if row.try_get::<String, _>("author")? == "bot" { Author::Bot } else { Author::Visitor };
                Ok(Entry { number: small(row, "number")?, author, card: parse(row, "card")?, text: row.try_get("text")? })
            })
            .collect()
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

    // The log.

    /// Whose event an id is, if it is in the log.
    pub async fn event_owner(&mut self, id: EventId) -> Result<Option<VisitorId>> {
        let row = sqlx::query("select visitor from event where id = $1")
            .bind(id.to_string())
            .fetch_optional(&mut *self.connection)
            .await?;
        row.map(|row| parse(&row, "visitor")).transpose()
    }

    /// Adds an event to the log, as caused on a load of a page.
    pub async fn add_event(&mut self, event: &Event, view: PageViewId) -> Result<()> {
        sqlx::query(
            "insert into event (id, type, seq, time, site, visitor, session, view, conversation, page, data)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(event.id.to_string())
        .bind(event.kind.name())
        .bind(i64::try_from(event.seq).map_err(corrupt)?)
        .bind(event.time.as_millisecond())
        .bind(event.site.as_str())
        .bind(event.visitor.to_string())
        .bind(event.session.to_string())
        .bind(view.to_string())
        .bind(event.conversation.as_ref().map(ConversationId::as_str))
        .bind(&event.page)
        .bind(serde_json::to_string(&event.data).map_err(corrupt)?)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// A visitor's events of a load of a page, after a place in the log.
    pub async fn events_of_view(&mut self, visitor: VisitorId, view: PageViewId, after: i64) -> Result<Vec<Logged>> {
        let rows = sqlx::query("select * from event where view = $1 and visitor = $2 and position > $3 order by position")
            .bind(view.to_string())
            .bind(visitor.to_string())
            .bind(after)
            .fetch_all(&mut *self.connection)
            .await?;
        rows.iter().map(logged).collect()
    }

    // Keys.

    /// Adds an API key.
    pub async fn add_api_key(&mut self, key: &Secret, name: &str, now: Timestamp) -> Result<()> {
        sqlx::query("insert into api_key (hash, name, created_at) values ($1, $2, $3)")
            .bind(key.hash())
            .bind(name)
            .bind(now.as_millisecond())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// Takes back every API key of a name.
    pub async fn remove_api_keys(&mut self, name: &str) -> Result<u64> {
        Ok(sqlx::query("delete from api_key where name = $1").bind(name).execute(&mut *self.connection).await?.rows_affected())
    }
}

fn session(visitor: &VisitorRow, row: &SqliteRow) -> Result<(Session, Timestamp)> {
    let seq = u64::try_from(row.try_get::<i64, _>("seq")?).map_err(corrupt)?;
    let session = Session { id: parse(row, "id")?, visitor: visitor.id, site: visitor.site.clone(), seq };
    Ok((session, time(row, "active_at")?))
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
        counted: serde_json::from_str(&row.try_get::<String, _>("counted")?).map_err(corrupt)?,
    })
}
