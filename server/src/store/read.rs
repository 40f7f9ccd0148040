//! Reads that need no turn at the writer.

use std::collections::BTreeSet;

use jiff::Timestamp;
use porchlight_domain::{
    event::EventType,
    id::{ConversationId, EventId, SessionId, SiteKey, VisitorId},
};

use sqlx::{QueryBuilder, Sqlite};

use super::{
    Store, StoreError,
    tx::{Logged, api_key, logged, one_of},
};
use crate::{access::ApiKey, secret::Secret};

/// The most parts that a read of the log is put together from.
const PARTS_MAX: usize = 100;

/// Which events of the log are wanted.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// After this place.
    pub after: i64,
    /// Up to this place, and what is there; else to the end.
    pub until: Option<i64>,
    /// At most so many.
    pub limit: u32,
    /// Of these types only; none named: of all.
    pub kinds: Vec<EventType>,
    /// Of these sites only.
    pub sites: Option<Vec<SiteKey>>,
    /// Of this session only.
    pub session: Option<SessionId>,
    /// Of this visitor only.
    pub visitor: Option<VisitorId>,
    /// Of this conversation only.
    pub conversation: Option<ConversationId>,
    /// What happened at this time or later.
    pub from: Option<Timestamp>,
    /// What happened before this time.
    pub to: Option<Timestamp>,
}

/// A page of the log.
#[derive(Debug, Clone)]
pub struct EventPage {
    /// The events, in the order of the log.
    pub events: Vec<Logged>,
    /// The place to go on from: after the last event, or the end of the log if there are no more of them.
    pub next: i64,
}

/// A part of the log that one index gives in order: what happened on a site, what is of a type.
type Part<'f> = (Option<&'f SiteKey>, Option<EventType>);

impl EventFilter {
    /// Whether nothing can be wanted.
    fn is_of_nothing(&self) -> bool {
        self.sites.as_ref().is_some_and(Vec::is_empty)
    }

    /// The parts that are read. Several sites are read each by itself, and so are types: an index gives each part in order, and no more
    /// of it than is wanted is looked at. With a list in one condition, all that lies after the place would be sorted for every page.
    fn parts(&self) -> Vec<Part<'_>> {
        // Of a session, a visitor or a conversation there is so little that what else is asked is looked at event by event.
        if self.session.is_some() || self.visitor.is_some() || self.conversation.is_some() {
            return vec![(None, None)];
        }
        // Sets: what is named twice is wanted once.
        let sites: BTreeSet<Option<&SiteKey>> = match &self.sites {
            Some(sites) if sites.len() <= PARTS_MAX => sites.iter().map(Some).collect(),
            _ => BTreeSet::from([None]),
        };
        let kinds: BTreeSet<Option<EventType>> = match self.kinds.len() {
            0 => BTreeSet::from([None]),
            count if count * sites.len() <= PARTS_MAX => self.kinds.iter().copied().map(Some).collect(),
            _ => BTreeSet::from([None]),
        };
        sites.iter().flat_map(|site| kinds.iter().map(move |kind| (*site, *kind))).collect()
    }

    /// The conditions of a part: only those that are asked for, so that each combination finds its index.
    fn conditions(&self, query: &mut QueryBuilder<Sqlite>, (site, kind): Part<'_>) {
        query.push(" position > ").push_bind(self.after);
        if let Some(until) = self.until {
            query.push(" and position <= ").push_bind(until);
        }
        let narrow = [
            ("session", self.session.map(|session| session.to_string())),
            ("visitor", self.visitor.map(|visitor| visitor.to_string())),
            ("conversation", self.conversation.as_ref().map(ToString::to_string)),
        ];
        let narrow = narrow.into_iter().filter_map(|(column, value)| Some((column, value?)));
        for (index, (column, value)) in narrow.enumerate() {
            // The narrowest leads, by its index; the others are kept from leading by theirs.
            let column = if index == 0 { column.to_owned() } else { format!("coalesce({column}, '')") };
            query.push(format_args!(" and {column} = ")).push_bind(value);
        }
        match (site, &self.sites) {
            (Some(site), _) => {
                query.push(" and site = ").push_bind(site.as_str());
            }
            (None, Some(sites)) => one_of(query, "site", sites.iter().map(SiteKey::as_str)),
            (None, None) => {}
        }
        match kind {
            Some(kind) => {
                query.push(" and type = ").push_bind(kind.name());
            }
            None if self.kinds.is_empty() => {}
            None => one_of(query, "type", self.kinds.iter().map(|kind| kind.name())),
        }
        if let Some(from) = self.from {
            query.push(" and time >= ").push_bind(from.as_millisecond());
        }
        if let Some(to) = self.to {
            query.push(" and time < ").push_bind(to.as_millisecond());
        }
    }
}

impl Store {
    /// A page of the log.
    ///
    /// Whoever reads page after page sees each event once, and none too few, while others write: an event gets its place from the one
    /// task that writes, within its commit, and the next commit begins after this one. So no event ever comes to stand before one that
    /// can be seen already. (A sequence that several connections draw from would not do: who drew first may commit last. A second engine
    /// has to give places in the order of commits, too.)
    ///
    /// # Errors
    /// If the database fails.
    pub async fn events(&self, filter: &EventFilter) -> Result<EventPage, StoreError> {
        // Read first: of what is committed between the two reads, the second sees all that is wanted.
        let end = self.end_of_log().await?;
        let end = filter.until.map_or(end, |until| until.min(end)).max(filter.after);
        if filter.is_of_nothing() {
            return Ok(EventPage { events: Vec::new(), next: end });
        }
        let parts = filter.parts();
        let mut query = QueryBuilder::<Sqlite>::new("");
        if let [part] = parts.as_slice() {
            query.push("select * from event where");
            filter.conditions(&mut query, *part);
        } else {
            for (index, part) in parts.iter().enumerate() {
                query.push(if index == 0 { "" } else { " union all " }).push("select * from (select * from event where");
                filter.conditions(&mut query, *part);
                query.push(" order by position limit ").push_bind(filter.limit).push(") as part");
            }
        }
        query.push(" order by position limit ").push_bind(filter.limit);
        let rows = query.build().fetch_all(&self.readers).await?;
        let events = rows.iter().map(logged).collect::<Result<Vec<_>, _>>()?;
        let full = u32::try_from(events.len()).is_ok_and(|count| count >= filter.limit);
        let last = events.last().map_or(filter.after, |last| last.position);
        Ok(EventPage { next: if full { last } else { last.max(end) }, events })
    }

    /// How many events are wanted, whatever the limit.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn count_events(&self, filter: &EventFilter) -> Result<u64, StoreError> {
        let mut total = 0;
        if filter.is_of_nothing() {
            return Ok(total);
        }
        for part in filter.parts() {
            let mut query = QueryBuilder::<Sqlite>::new("select count(*) from event where");
            filter.conditions(&mut query, part);
            let count: i64 = query.build_query_scalar().fetch_one(&self.readers).await?;
            total += u64::try_from(count).unwrap_or_default();
        }
        Ok(total)
    }

    /// The place of the last event of the log; 0 if there is none.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn end_of_log(&self) -> Result<i64, StoreError> {
        let end: Option<i64> = sqlx::query_scalar("select max(position) from event").fetch_one(&self.readers).await?;
        Ok(end.unwrap_or_default())
    }

    /// An event.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn event(&self, id: EventId) -> Result<Option<Logged>, StoreError> {
        let row = sqlx::query("select * from event where id = $1").bind(id.to_string()).fetch_optional(&self.readers).await?;
        row.as_ref().map(logged).transpose()
    }

    /// The API key that a secret is.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn api_key(&self, secret: &Secret) -> Result<Option<ApiKey>, StoreError> {
        let row = sqlx::query("select * from api_key where hash = $1").bind(secret.hash()).fetch_optional(&self.readers).await?;
        row.as_ref().map(api_key).transpose()
    }

    /// Whether there is still an API key with an id.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn has_api_key(&self, id: &str) -> Result<bool, StoreError> {
        let found: Option<i64> =
            sqlx::query_scalar("select 1 from api_key where id = $1").bind(id).fetch_optional(&self.readers).await?;
        Ok(found.is_some())
    }
}
