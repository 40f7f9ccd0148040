//! Reads that need no turn at the writer.

use porchlight_domain::{
    event::EventType,
    id::{SessionId, SiteKey},
};

use sqlx::{QueryBuilder, Sqlite};

use super::{
    Store, StoreError,
    tx::{Logged, api_key, logged},
};
use crate::{access::ApiKey, secret::Secret};

/// Which events of the log are wanted.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// After this place.
    pub after: i64,
    /// At most so many.
    pub limit: u32,
    /// Of this type only.
    pub kind: Option<EventType>,
    /// Of this site only.
    pub site: Option<SiteKey>,
    /// Of this session only.
    pub session: Option<SessionId>,
}

/// A page of the log.
#[derive(Debug, Clone)]
pub struct EventPage {
    /// The events, in the order of the log.
    pub events: Vec<Logged>,
    /// The place to go on from.
    pub next: i64,
}

impl Store {
    /// A page of the log.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn events(&self, filter: &EventFilter) -> Result<EventPage, StoreError> {
        // Only the conditions that are asked for, so that each combination finds its index.
        let mut query = QueryBuilder::<Sqlite>::new("select * from event where position > ");
        query.push_bind(filter.after);
        if let Some(kind) = filter.kind {
            query.push(" and type = ").push_bind(kind.name());
        }
        if let Some(site) = &filter.site {
            query.push(" and site = ").push_bind(site.as_str());
        }
        if let Some(session) = filter.session {
            query.push(" and session = ").push_bind(session.to_string());
        }
        query.push(" order by position limit ").push_bind(filter.limit);
        let rows = query.build().fetch_all(&self.readers).await?;
        let events = rows.iter().map(logged).collect::<Result<Vec<_>, _>>()?;
        Ok(EventPage { next: events.last().map_or(filter.after, |last| last.position), events })
    }

    /// The API key that a secret is.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn api_key(&self, secret: &Secret) -> Result<Option<ApiKey>, StoreError> {
        let row = sqlx::query("select * from api_key where hash = $1").bind(secret.hash()).fetch_optional(&self.readers).await?;
        row.as_ref().map(api_key).transpose()
    }
}
