//! The log.

use porchlight_domain::{
    event::{Data, Event},
    id::{ConversationId, EventId, PageViewId, VisitorId},
};
use sqlx::{Row, sqlite::SqliteRow};

use super::{Result, Tx, corrupt, parse, time};

/// An event with its place in the log.
#[derive(Debug, Clone)]
pub struct Logged {
    /// Its place; grows in the order of commits.
    pub position: i64,
    /// The event.
    pub event: Event,
}

pub(in crate::store) fn logged(row: &SqliteRow) -> Result<Logged> {
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

impl Tx<'_> {
    /// Whose event an id is, if it is in the log.
    pub async fn event_owner(&mut self, id: EventId) -> Result<Option<VisitorId>> {
        let row = sqlx::query("select visitor from event where id = $1")
            .bind(id.to_string())
            .fetch_optional(&mut *self.connection)
            .await?;
        row.map(|row| parse(&row, "visitor")).transpose()
    }

    /// Adds an event to the log, as caused on a load of a page; without one, the next page the visitor loads is told.
    pub async fn add_event(&mut self, event: &Event, view: Option<PageViewId>) -> Result<()> {
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
        .bind(view.map(|view| view.to_string()).unwrap_or_default())
        .bind(event.conversation.as_ref().map(ConversationId::as_str))
        .bind(&event.page)
        .bind(serde_json::to_string(&event.data).map_err(corrupt)?)
        .execute(&mut *self.connection)
        .await?;
        self.tell_log(&event.site);
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
}
