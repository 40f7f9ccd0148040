//! Endpoints, what they have yet to be sent, and what came of each attempt.

use jiff::{SignedDuration, Timestamp};
use porchlight_domain::{
    event::EventType,
    id::{EndpointId, EventId, SiteKey},
};
use sqlx::{QueryBuilder, Row, Sqlite, sqlite::SqliteRow};

use super::{Logged, Result, Tx, corrupt, logged, parse, small, time};
use crate::{
    store::News,
    webhooks::{Endpoint, EndpointState},
};

/// An event that was taken up and not yet accepted.
#[derive(Debug, Clone)]
pub struct DueDelivery {
    /// The event, with its place in the log.
    pub logged: Logged,
    /// How often it was tried.
    pub tries: u32,
    /// When it was tried first.
    pub first_at: Timestamp,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its number; grows with time.
    pub id: i64,
    /// The event that was sent.
    pub event: EventId,
    /// Its type, as long as the log has it.
    pub kind: Option<EventType>,
    /// When.
    pub at: Timestamp,
    /// How long it took.
    pub took: SignedDuration,
    /// The status that was answered.
    pub status: Option<u16>,
    /// Why it counts as failed; none: it was accepted.
    pub problem: Option<String>,
}

/// Which attempts are wanted: the newest first.
#[derive(Debug, Clone, Default)]
pub struct AttemptFilter {
    /// Before this one.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u32,
    /// Of this event only.
    pub event: Option<EventId>,
    /// Only those that failed, or only those that did not.
    pub failed: Option<bool>,
}

/// How far an endpoint is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backlog {
    /// How many events wait to be tried again.
    pub waiting: u32,
    /// How many were given up.
    pub given_up: u32,
    /// When the oldest event happened that was not even taken up.
    pub behind_since: Option<Timestamp>,
}

/// A stretch of the log that an endpoint takes up.
#[derive(Debug, Clone)]
pub struct Stretch {
    /// The events of the endpoint's site and types.
    pub events: Vec<Logged>,
    /// Up to where it was read.
    pub read_to: i64,
}

fn endpoint(row: &SqliteRow) -> Result<Endpoint> {
    let optional = |column: &str| -> Result<Option<Timestamp>> {
        row.try_get::<Option<i64>, _>(column)?.map(|at| Timestamp::from_millisecond(at).map_err(corrupt)).transpose()
    };
    let previous: Option<String> = row.try_get("previous_secret")?;
    let previous = previous.map(|secret| secret.parse().map_err(corrupt)).transpose()?;
    Ok(Endpoint {
        id: parse(row, "id")?,
        site: parse(row, "site")?,
        settings: serde_json::from_str(&row.try_get::<String, _>("settings")?).map_err(corrupt)?,
        secret: parse(row, "secret")?,
        previous: previous.zip(optional("previous_until")?),
        position: row.try_get("position")?,
        state: EndpointState::named(&row.try_get::<String, _>("state")?).ok_or_else(|| corrupt("the state of an endpoint"))?,
        failing_since: optional("failing_since")?,
        failures: small(row, "failures")?,
        problem: row.try_get("problem")?,
        created_at: time(row, "created_at")?,
        changed_at: time(row, "changed_at")?,
    })
}

/// Leaves only events of some types, or those of all if none are named. The plus keeps to the index of the site: each type's own would have to
/// be sorted again.
fn push_types(query: &mut QueryBuilder<Sqlite>, types: &[EventType]) {
    if types.is_empty() {
        return;
    }
    query.push(" and +type in (");
    let mut list = query.separated(", ");
    for kind in types {
        list.push_bind(kind.name());
    }
    query.push(")");
}

/// Leaves only events of a stretch of time that an endpoint has taken up. What it has not comes anyway.
fn push_between(query: &mut QueryBuilder<Sqlite>, endpoint: &Endpoint, from: Timestamp, to: Timestamp) {
    query.push(" from event where site = ").push_bind(endpoint.site.as_str().to_owned());
    query.push(" and position <= ").push_bind(endpoint.position);
    query.push(" and time >= ").push_bind(from.as_millisecond()).push(" and time < ").push_bind(to.as_millisecond());
    push_types(query, &endpoint.settings.types);
}

impl Tx<'_> {
    /// The end of the log: the place of its last event.
    pub async fn log_end(&mut self) -> Result<i64> {
        let end: Option<i64> = sqlx::query_scalar("select max(position) from event").fetch_one(&mut *self.connection).await?;
        Ok(end.unwrap_or_default())
    }

    /// Keeps an endpoint: a new one, or what people changed of one. Where it is in the log, and how it does, stays.
    pub async fn put_endpoint(&mut self, endpoint: &Endpoint) -> Result<()> {
        sqlx::query(
            "insert into webhook_endpoint
                (id, site, settings, secret, previous_secret, previous_until, position, state, failing_since, failures, problem, created_at, changed_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
             on conflict (id) do update set settings = excluded.settings, secret = excluded.secret, previous_secret = excluded.previous_secret,
                previous_until = excluded.previous_until, changed_at = excluded.changed_at",
        )
        .bind(endpoint.id.to_string())
        .bind(endpoint.site.as_str())
        .bind(serde_json::to_string(&endpoint.settings).map_err(corrupt)?)
        .bind(endpoint.secret.reveal())
        .bind(endpoint.previous.as_ref().map(|(secret, _)| secret.reveal()))
        .bind(endpoint.previous.as_ref().map(|(_, until)| until.as_millisecond()))
        .bind(endpoint.position)
        .bind(endpoint.state.name())
        .bind(endpoint.failing_since.map(Timestamp::as_millisecond))
        .bind(endpoint.failures)
        .bind(endpoint.problem.as_deref())
        .bind(endpoint.created_at.as_millisecond())
        .bind(endpoint.changed_at.as_millisecond())
        .execute(&mut *self.connection)
        .await?;
        self.tell(News::Webhooks);
        Ok(())
    }

    /// Switches an endpoint on or off. Switched on, it has not failed yet, and what waits is due now.
    pub async fn switch_endpoint(&mut self, id: EndpointId, state: EndpointState, now: Timestamp) -> Result<()> {
        let update = if state == EndpointState::On {
            "update webhook_endpoint set state = $2, changed_at = $3, failing_since = null, failures = 0, problem = null where id = $1"
        } else {
            "update webhook_endpoint set state = $2, changed_at = $3 where id = $1"
        };
        sqlx::query(update)
            .bind(id.to_string())
            .bind(state.name())
            .bind(now.as_millisecond())
            .execute(&mut *self.connection)
            .await?;
        if state == EndpointState::On {
            self.hasten_deliveries(id, Timestamp::UNIX_EPOCH, now).await?;
        }
        self.tell(News::Webhooks);
        Ok(())
    }

    /// Sets an endpoint that is switched off to the end of the log. What it has missed it is not sent; what waited to be sent once more counts as
    /// given up.
    pub async fn skip_endpoint(&mut self, id: EndpointId) -> Result<()> {
        let end = self.log_end().await?;
        sqlx::query("update webhook_endpoint set position = $2 where id = $1")
            .bind(id.to_string())
            .bind(end)
            .execute(&mut *self.connection)
            .await?;
        sqlx::query("update webhook_delivery set due_at = null where endpoint = $1")
            .bind(id.to_string())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// Removes an endpoint, with what it has yet to be sent and its attempts.
    pub async fn remove_endpoint(&mut self, id: EndpointId) -> Result<bool> {
        let removed =
            sqlx::query("delete from webhook_endpoint where id = $1").bind(id.to_string()).execute(&mut *self.connection).await?;
        self.tell(News::Webhooks);
        Ok(removed.rows_affected() > 0)
    }

    /// An endpoint.
    pub async fn endpoint(&mut self, id: EndpointId) -> Result<Option<Endpoint>> {
        let row = sqlx::query("select * from webhook_endpoint where id = $1")
            .bind(id.to_string())
            .fetch_optional(&mut *self.connection)
            .await?;
        row.as_ref().map(endpoint).transpose()
    }

    /// Endpoints after one, by their ids; of some sites, or of all.
    pub async fn endpoints(&mut self, sites: Option<&[SiteKey]>, after: Option<EndpointId>, limit: u32) -> Result<Vec<Endpoint>> {
        let mut query = QueryBuilder::<Sqlite>::new("select * from webhook_endpoint where id > ");
        query.push_bind(after.map(|id| id.to_string()).unwrap_or_default());
        if let Some(sites) = sites {
            query.push(" and site in (");
            let mut list = query.separated(", ");
            for site in sites {
                list.push_bind(site.as_str().to_owned());
            }
            query.push(")");
        }
        query.push(" order by id limit ").push_bind(limit);
        let rows = query.build().fetch_all(&mut *self.connection).await?;
        rows.iter().map(endpoint).collect()
    }

    /// The endpoints that are on. One that cannot be read, as after a step back to an older version, holds up none of the others.
    pub async fn endpoints_on(&mut self) -> Result<Vec<Endpoint>> {
        let rows = sqlx::query("select * from webhook_endpoint where state = 'on'").fetch_all(&mut *self.connection).await?;
        let read = rows.iter().filter_map(|row| {
            endpoint(row).inspect_err(|error| tracing::error!(%error, "an endpoint of webhooks cannot be read")).ok()
        });
        Ok(read.collect())
    }

    /// How many endpoints a site has.
    pub async fn count_endpoints(&mut self, site: &SiteKey) -> Result<u32> {
        let count = sqlx::query_scalar("select count(*) from webhook_endpoint where site = $1").bind(site.as_str());
        Ok(count.fetch_one(&mut *self.connection).await?)
    }

    /// How far an endpoint is behind.
    pub async fn backlog(&mut self, endpoint: &Endpoint) -> Result<Backlog> {
        let row = sqlx::query(
            "select count(due_at) as waiting, count(*) - count(due_at) as given_up from webhook_delivery where endpoint = $1",
        )
        .bind(endpoint.id.to_string())
        .fetch_one(&mut *self.connection)
        .await?;
        let mut query = QueryBuilder::<Sqlite>::new("select time from event where site = ");
        query.push_bind(endpoint.site.as_str().to_owned()).push(" and position > ").push_bind(endpoint.position);
        push_types(&mut query, &endpoint.settings.types);
        query.push(" order by position limit 1");
        let behind: Option<i64> = query.build_query_scalar().fetch_optional(&mut *self.connection).await?;
        let behind_since = behind.map(|at| Timestamp::from_millisecond(at).map_err(corrupt)).transpose()?;
        Ok(Backlog { waiting: small(&row, "waiting")?, given_up: small(&row, "given_up")?, behind_since })
    }

    /// The next stretch of the log for an endpoint, after a place.
    pub async fn stretch(&mut self, site: &SiteKey, types: &[EventType], after: i64, limit: u32) -> Result<Stretch> {
        let end = self.log_end().await?;
        let mut query = QueryBuilder::<Sqlite>::new("select * from event where site = ");
        query.push_bind(site.as_str().to_owned()).push(" and position > ").push_bind(after);
        push_types(&mut query, types);
        query.push(" order by position limit ").push_bind(limit);
        let rows = query.build().fetch_all(&mut *self.connection).await?;
        let events = rows.iter().map(logged).collect::<Result<Vec<_>>>()?;
        let full = u32::try_from(events.len()).is_ok_and(|count| count == limit);
        // All that was there at that moment was looked through, unless there was too much of it.
        let read_to = events.last().filter(|_| full).map_or(end.max(after), |last| last.position);
        Ok(Stretch { events, read_to })
    }

    /// Events that an endpoint is to be sent again by now, the longest due first.
    pub async fn deliveries_due(&mut self, endpoint: EndpointId, now: Timestamp, limit: u32) -> Result<Vec<DueDelivery>> {
        let rows = sqlx::query(
            "select event.*, tries, first_at from webhook_delivery join event on event.id = webhook_delivery.event
             where endpoint = $1 and due_at <= $2 order by due_at, webhook_delivery.rowid limit $3",
        )
        .bind(endpoint.to_string())
        .bind(now.as_millisecond())
        .bind(limit)
        .fetch_all(&mut *self.connection)
        .await?;
        rows.iter()
            .map(|row| Ok(DueDelivery { logged: logged(row)?, tries: small(row, "tries")?, first_at: time(row, "first_at")? }))
            .collect()
    }

    /// When, after a moment, the next event is due to be sent again.
    pub async fn next_delivery(&mut self, endpoint: EndpointId, after: Timestamp) -> Result<Option<Timestamp>> {
        let next: Option<i64> =
            sqlx::query_scalar("select min(due_at) from webhook_delivery where endpoint = $1 and due_at > $2")
                .bind(endpoint.to_string())
                .bind(after.as_millisecond())
                .fetch_one(&mut *self.connection)
                .await?;
        next.map(|at| Timestamp::from_millisecond(at).map_err(corrupt)).transpose()
    }

    /// Keeps an event that was not accepted, with when it is tried again; never, if it is given up.
    pub async fn put_delivery(
        &mut self,
        endpoint: EndpointId,
        event: EventId,
        tries: u32,
        first_at: Timestamp,
        due_at: Option<Timestamp>,
    ) -> Result<()> {
        sqlx::query(
            "insert into webhook_delivery (endpoint, event, tries, first_at, due_at) values ($1, $2, $3, $4, $5)
             on conflict (endpoint, event) do update set tries = excluded.tries, first_at = excluded.first_at, due_at = excluded.due_at",
        )
        .bind(endpoint.to_string())
        .bind(event.to_string())
        .bind(tries)
        .bind(first_at.as_millisecond())
        .bind(due_at.map(Timestamp::as_millisecond))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Forgets an event that was accepted.
    pub async fn remove_delivery(&mut self, endpoint: EndpointId, event: EventId) -> Result<()> {
        sqlx::query("delete from webhook_delivery where endpoint = $1 and event = $2")
            .bind(endpoint.to_string())
            .bind(event.to_string())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// Makes due now whatever waits to be tried again.
    pub async fn hasten_deliveries(&mut self, endpoint: EndpointId, since: Timestamp, now: Timestamp) -> Result<()> {
        sqlx::query("update webhook_delivery set due_at = $2 where endpoint = $1 and due_at > $2 and first_at >= $3")
            .bind(endpoint.to_string())
            .bind(now.as_millisecond())
            .bind(since.as_millisecond())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// How many events of a stretch of time an endpoint could be sent again, counted no further than to a limit.
    pub async fn count_between(&mut self, endpoint: &Endpoint, from: Timestamp, to: Timestamp, limit: u32) -> Result<u32> {
        let mut query = QueryBuilder::<Sqlite>::new("select count(*) from (select 1 as one");
        push_between(&mut query, endpoint, from, to);
        query.push(" limit ").push_bind(limit).push(") as some");
        Ok(query.build_query_scalar().fetch_one(&mut *self.connection).await?)
    }

    /// Has events of a stretch of time sent to an endpoint again, as if for the first time; gives how many.
    pub async fn replay_between(&mut self, endpoint: &Endpoint, from: Timestamp, to: Timestamp, now: Timestamp) -> Result<u64> {
        let mut query =
            QueryBuilder::<Sqlite>::new("insert into webhook_delivery (endpoint, event, tries, first_at, due_at) select ");
        query.push_bind(endpoint.id.to_string()).push(", id, 0, ").push_bind(now.as_millisecond()).push(", ");
        query.push_bind(now.as_millisecond());
        push_between(&mut query, endpoint, from, to);
        query.push(
            " on conflict (endpoint, event) do update set tries = 0, first_at = excluded.first_at, due_at = excluded.due_at",
        );
        let done = query.build().execute(&mut *self.connection).await?;
        self.tell(News::Webhooks);
        Ok(done.rows_affected())
    }

    /// Has one event sent to an endpoint again; false if the log of its site has no such event.
    pub async fn replay_one(&mut self, endpoint: &Endpoint, event: EventId, now: Timestamp) -> Result<bool> {
        let there: Option<i64> = sqlx::query_scalar("select position from event where id = $1 and site = $2")
            .bind(event.to_string())
            .bind(endpoint.site.as_str())
            .fetch_optional(&mut *self.connection)
            .await?;
        if there.is_none() {
            return Ok(false);
        }
        self.put_delivery(endpoint.id, event, 0, now, Some(now)).await?;
        self.tell(News::Webhooks);
        Ok(true)
    }

    /// Has events that were given up sent to an endpoint again, up to a limit; gives how many.
    pub async fn replay_failed(&mut self, endpoint: EndpointId, now: Timestamp, limit: u32) -> Result<u64> {
        let done = sqlx::query(
            "update webhook_delivery set tries = 0, first_at = $2, due_at = $2 where endpoint = $1 and due_at is null and event in (
                 select event from webhook_delivery where endpoint = $1 and due_at is null limit $3)",
        )
        .bind(endpoint.to_string())
        .bind(now.as_millisecond())
        .bind(limit)
        .execute(&mut *self.connection)
        .await?;
        self.tell(News::Webhooks);
        Ok(done.rows_affected())
    }

    /// Notes where in the log an endpoint is, and how it does.
    pub async fn endpoint_went_on(
        &mut self,
        id: EndpointId,
        position: i64,
        failing_since: Option<Timestamp>,
        failures: u32,
        problem: Option<&str>,
    ) -> Result<()> {
        sqlx::query(
            "update webhook_endpoint set position = case when position < $2 then $2 else position end, failing_since = $3, failures = $4, problem = $5 where id = $1",
        )
        .bind(id.to_string())
        .bind(position)
        .bind(failing_since.map(Timestamp::as_millisecond))
        .bind(failures)
        .bind(problem)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Notes an attempt.
    pub async fn add_attempt(&mut self, endpoint: EndpointId, attempt: &Attempt) -> Result<()> {
        sqlx::query("insert into webhook_attempt (endpoint, event, at, took, status, problem) values ($1, $2, $3, $4, $5, $6)")
            .bind(endpoint.to_string())
            .bind(attempt.event.to_string())
            .bind(attempt.at.as_millisecond())
            .bind(i64::try_from(attempt.took.as_millis()).map_err(corrupt)?)
            .bind(attempt.status.map(i64::from))
            .bind(attempt.problem.as_deref())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// Attempts of an endpoint, the newest first.
    pub async fn attempts(&mut self, endpoint: EndpointId, filter: &AttemptFilter) -> Result<Vec<Attempt>> {
        let mut query = QueryBuilder::<Sqlite>::new(
            "select webhook_attempt.*, event.type as kind from webhook_attempt left join event on event.id = webhook_attempt.event
             where webhook_attempt.endpoint = ",
        );
        query.push_bind(endpoint.to_string());
        query.push(" and webhook_attempt.id < ").push_bind(filter.before.unwrap_or(i64::MAX));
        if let Some(event) = filter.event {
            query.push(" and webhook_attempt.event = ").push_bind(event.to_string());
        }
        match filter.failed {
            Some(true) => drop(query.push(" and webhook_attempt.problem is not null")),
            Some(false) => drop(query.push(" and webhook_attempt.problem is null")),
            None => {}
        }
        query.push(" order by webhook_attempt.id desc limit ").push_bind(filter.limit);
        let rows = query.build().fetch_all(&mut *self.connection).await?;
        rows.iter()
            .map(|row| {
                let status: Option<i64> = row.try_get("status")?;
                let kind: Option<String> = row.try_get("kind")?;
                Ok(Attempt {
                    id: row.try_get("id")?,
                    event: parse(row, "event")?,
                    kind: kind.map(|kind| kind.parse().map_err(corrupt)).transpose()?,
                    at: time(row, "at")?,
                    took: SignedDuration::from_millis(row.try_get("took")?),
                    status: status.map(|status| u16::try_from(status).map_err(corrupt)).transpose()?,
                    problem: row.try_get("problem")?,
                })
            })
            .collect()
    }

    /// Forgets attempts that are older than a moment, some at a time; gives how many were forgotten.
    pub async fn forget_attempts(&mut self, before: Timestamp, limit: u32) -> Result<u64> {
        let done = sqlx::query(
            "delete from webhook_attempt where id in (select id from webhook_attempt where at < $1 order by at limit $2)",
        )
        .bind(before.as_millisecond())
        .bind(limit)
        .execute(&mut *self.connection)
        .await?;
        Ok(done.rows_affected())
    }
}
