//! The agents' calendars, who is assigned to whom, and when sites and teams are open.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use porchlight_domain::{
    agent::Right,
    id::{AgentId, SiteKey, TeamId},
    meeting::{Calendars, Diary},
    schedule::{Availability, Openings, Span},
};
use sqlx::{Row, sqlite::SqliteRow};

use super::{Result, Tx, corrupt, parse, time};
use crate::secret::Secret;

/// How far meetings are counted back for who is next in turn.
const OF_LATE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How an agent can be met, as it is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CalendarRow {
    /// The hours for meetings; none: the hours for chats.
    pub hours: Option<Availability>,
    /// Minutes before a meeting in which nothing else may be.
    pub before: u16,
    /// Minutes after it.
    pub after: u16,
    /// The most meetings of a day.
    pub daily: Option<u16>,
    /// Whether there is an address to subscribe to the meetings at.
    pub has_feed: bool,
    /// Where the agent's other calendar is read from.
    pub busy_url: Option<String>,
    /// A calendar on a CalDAV server.
    pub caldav: Option<CalDavRow>,
    /// When the other calendar was last read.
    pub read_at: Option<Timestamp>,
    /// Why reading it failed the last time.
    pub problem: Option<String>,
    /// Why writing a meeting to it failed the last time.
    pub write_problem: Option<String>,
}

/// A calendar on a CalDAV server.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CalDavRow {
    /// Its address.
    pub url: String,
    /// Whose it is there.
    pub user: String,
    /// Their password.
    pub password: String,
}

impl std::fmt::Debug for CalDavRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CalDavRow({}, {})", self.url, self.user)
    }
}

/// Who is assigned: a company or a domain, and the agent's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// `company` or `domain`.
    pub kind: String,
    /// Its name, in lower case.
    pub name: String,
    /// The agent.
    pub agent: AgentId,
}

fn calendar(row: &SqliteRow) -> Result<CalendarRow> {
    let text = |column: &str| row.try_get::<Option<String>, _>(column);
    let minutes = |column: &str| -> Result<u16> { u16::try_from(row.try_get::<i64, _>(column)?).map_err(corrupt) };
    let daily: Option<i64> = row.try_get("daily")?;
    let read_at: Option<i64> = row.try_get("read_at")?;
    Ok(CalendarRow {
        hours: text("hours")?.map(|hours| serde_json::from_str(&hours).map_err(corrupt)).transpose()?,
        before: minutes("buffer_before")?,
        after: minutes("buffer_after")?,
        daily: daily.map(u16::try_from).transpose().map_err(corrupt)?,
        has_feed: row.try_get::<Option<Vec<u8>>, _>("feed_hash")?.is_some(),
        busy_url: text("busy_url")?,
        caldav: text("caldav_url")?
            .map(|url| -> Result<CalDavRow> {
                Ok(CalDavRow {
                    url,
                    user: text("caldav_user")?.unwrap_or_default(),
                    password: text("caldav_password")?.unwrap_or_default(),
                })
            })
            .transpose()?,
        read_at: read_at.map(Timestamp::from_millisecond).transpose().map_err(corrupt)?,
        problem: text("problem")?,
        write_problem: text("write_problem")?,
    })
}

impl Tx<'_> {
    /// How an agent can be met.
    pub async fn calendar(&mut self, agent: AgentId) -> Result<CalendarRow> {
        let row = sqlx::query("select * from calendar where agent = $1")
            .bind(agent.to_string())
            .fetch_optional(&mut *self.connection)
            .await?;
        Ok(row.as_ref().map(calendar).transpose()?.unwrap_or_default())
    }

    /// Keeps how an agent can be met. What is read from elsewhere is read anew, and what was read from where it is no longer read is forgotten.
    pub async fn put_calendar(&mut self, agent: AgentId, row: &CalendarRow, now: Timestamp) -> Result<()> {
        let reads = row.busy_url.is_some() || row.caldav.is_some();
        let before = self.calendar(agent).await?;
        let url = |row: &CalendarRow| row.caldav.as_ref().map(|caldav| caldav.url.clone());
        let elsewhere = before.busy_url != row.busy_url || url(&before) != url(row);
        sqlx::query(
            "insert into calendar (agent, hours, buffer_before, buffer_after, daily, busy_url, caldav_url, caldav_user, caldav_password, poll_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             on conflict (agent) do update set hours = excluded.hours, buffer_before = excluded.buffer_before,
                 buffer_after = excluded.buffer_after, daily = excluded.daily, busy_url = excluded.busy_url,
                 caldav_url = excluded.caldav_url, caldav_user = excluded.caldav_user,
                 caldav_password = excluded.caldav_password, poll_at = excluded.poll_at,
                 problem = null, write_problem = null, read_at = case when $11 then null else calendar.read_at end",
        )
        .bind(agent.to_string())
        .bind(row.hours.as_ref().map(serde_json::to_string).transpose().map_err(corrupt)?)
        .bind(i64::from(row.before))
        .bind(i64::from(row.after))
        .bind(row.daily.map(i64::from))
        .bind(row.busy_url.as_deref())
        .bind(row.caldav.as_ref().map(|caldav| caldav.url.as_str()))
        .bind(row.caldav.as_ref().map(|caldav| caldav.user.as_str()))
        .bind(row.caldav.as_ref().map(|caldav| caldav.password.as_str()))
        .bind(reads.then(|| now.as_millisecond()))
        .bind(elsewhere)
        .execute(&mut *self.connection)
        .await?;
        if elsewhere {
            sqlx::query("delete from busy where agent = $1").bind(agent.to_string()).execute(&mut *self.connection).await?;
        }
        Ok(())
    }

    /// Makes the address at which an agent's calendar program subscribes; the one before ends.
    pub async fn put_feed(&mut self, agent: AgentId, secret: &Secret) -> Result<()> {
        sqlx::query(
            "insert into calendar (agent, feed_hash) values ($1, $2) on conflict (agent) do update set feed_hash = excluded.feed_hash",
        )
        .bind(agent.to_string())
        .bind(secret.hash())
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Whose feed has an address.
    pub async fn feed(&mut self, secret: &Secret) -> Result<Option<AgentId>> {
        let row = sqlx::query("select agent from calendar where feed_hash = $1")
            .bind(secret.hash())
            .fetch_optional(&mut *self.connection)
            .await?;
        row.map(|row| parse(&row, "agent")).transpose()
    }

    /// The agents whose other calendars are to be read by now.
    pub async fn calendars_to_read(&mut self, now: Timestamp, limit: u32) -> Result<Vec<(AgentId, CalendarRow)>> {
        let rows = sqlx::query("select * from calendar where poll_at <= $1 order by poll_at, agent limit $2")
            .bind(now.as_millisecond())
            .bind(limit)
            .fetch_all(&mut *self.connection)
            .await?;
        rows.iter().map(|row| Ok((parse(row, "agent")?, calendar(row)?))).collect()
    }

    /// Keeps when an agent is busy by their other calendars, in the place of what was read before.
    pub async fn put_busy(&mut self, agent: AgentId, busy: &[Span], now: Timestamp, next: Timestamp) -> Result<()> {
        sqlx::query("delete from busy where agent = $1").bind(agent.to_string()).execute(&mut *self.connection).await?;
        let spans: Vec<(i64, i64)> = busy.iter().map(|span| (span.start.as_millisecond(), span.end.as_millisecond())).collect();
        sqlx::query(
            "insert into busy (agent, starts_at, ends_at)
             select $1, json_extract(value, '$[0]'), json_extract(value, '$[1]') from json_each($2)",
        )
        .bind(agent.to_string())
        .bind(serde_json::to_string(&spans).map_err(corrupt)?)
        .execute(&mut *self.connection)
        .await?;
        sqlx::query("update calendar set read_at = $2, poll_at = $3, problem = null where agent = $1")
            .bind(agent.to_string())
            .bind(now.as_millisecond())
            .bind(next.as_millisecond())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// Notes that an agent's other calendar could not be read; what was read before stays.
    pub async fn calendar_failed(&mut self, agent: AgentId, problem: &str, next: Timestamp) -> Result<()> {
        sqlx::query("update calendar set problem = $2, poll_at = $3 where agent = $1")
            .bind(agent.to_string())
            .bind(problem)
            .bind(next.as_millisecond())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// Notes how writing a meeting to an agent's other calendar went.
    pub async fn calendar_written(&mut self, agent: AgentId, problem: Option<&str>) -> Result<()> {
        sqlx::query("update calendar set write_problem = $2 where agent = $1")
            .bind(agent.to_string())
            .bind(problem)
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    async fn spans(&mut self, query: &'static str, from: Timestamp, to: Timestamp) -> Result<HashMap<AgentId, Vec<Span>>> {
        let rows =
            sqlx::query(query).bind(from.as_millisecond()).bind(to.as_millisecond()).fetch_all(&mut *self.connection).await?;
        let mut spans: HashMap<AgentId, Vec<Span>> = HashMap::new();
        let mut last: Option<(String, AgentId)> = None;
        for row in &rows {
            let text: &str = row.try_get("agent")?;
            // Rows of an agent stand together, and an id is long to read.
            let agent = match &last {
                Some((known, agent)) if known == text => *agent,
                _ => {
                    let agent = text.parse().map_err(corrupt)?;
                    last = Some((text.to_owned(), agent));
                    agent
                }
            };
            spans.entry(agent).or_default().push(Span { start: time(row, "from_at")?, end: time(row, "to_at")? });
        }
        Ok(spans)
    }

    /// The calendar of an agent within a span, if they can be met at all.
    pub async fn diary(&mut self, agent: &super::AgentRow, from: Timestamp, to: Timestamp) -> Result<Option<Diary>> {
        let row = self.calendar(agent.id).await?;
        let hours = row.hours.unwrap_or_else(|| agent.availability.clone());
        if hours.blocks.is_empty() && hours.exceptions.is_empty() && row.busy_url.is_none() && row.caldav.is_none() {
            return Ok(None);
        }
        let rows = sqlx::query(
            "select starts_at, ends_at from busy where agent = $1 and ends_at > $2 and starts_at < $3 order by starts_at",
        )
        .bind(agent.id.to_string())
        .bind(from.as_millisecond())
        .bind(to.as_millisecond())
        .fetch_all(&mut *self.connection)
        .await?;
        let busy = rows
            .iter()
            .map(|row| Ok(Span { start: time(row, "starts_at")?, end: time(row, "ends_at")? }))
            .collect::<Result<_>>()?;
        Ok(Some(Diary {
            agent: agent.id,
            hours,
            before: row.before,
            after: row.after,
            daily: row.daily,
            busy,
            meetings: Vec::new(),
            of_day: BTreeMap::new(),
            booked: 0,
            booked_at: None,
        }))
    }

    /// How many busy times of an agent are known.
    pub async fn busy_count(&mut self, agent: AgentId) -> Result<usize> {
        let count: i64 = sqlx::query_scalar("select count(*) from busy where agent = $1")
            .bind(agent.to_string())
            .fetch_one(&mut *self.connection)
            .await?;
        usize::try_from(count).map_err(corrupt)
    }

    /// The calendars of the agents of a site, from now until so many days later.
    pub async fn calendars(&mut self, site: &SiteKey, now: Timestamp, days: u16) -> Result<Calendars> {
        let to = now.checked_add(SignedDuration::from_hours(i64::from(days) * 24 + 72)).unwrap_or(Timestamp::MAX);
        let from = now.checked_sub(SignedDuration::from_hours(48)).unwrap_or(Timestamp::MIN);
        let agents =
            self.agents().await?.into_iter().filter(|agent| agent.may(Right::Answer) && agent.serves(site) && agent.joined);
        let agents: Vec<_> = agents.collect();
        let rows = sqlx::query("select * from calendar").fetch_all(&mut *self.connection).await?;
        let mut kept: HashMap<AgentId, CalendarRow> =
            rows.iter().map(|row| Ok((parse(row, "agent")?, calendar(row)?))).collect::<Result<_>>()?;
        let mut busy = self
            .spans("select agent, starts_at as from_at, ends_at as to_at from busy where ends_at > $1 and starts_at < $2 order by agent", from, to)
            .await?;
        let mut occupied = self
            .spans(
                "select agent, occupied_from as from_at, occupied_to as to_at from meeting
                 where phase in ('held', 'booked') and occupied_to > $1 and occupied_from < $2 order by agent",
                from,
                to,
            )
            .await?;
        let begins = self
            .spans(
                "select agent, starts_at as from_at, ends_at as to_at from meeting
                 where phase in ('held', 'booked') and ends_at > $1 and starts_at < $2 order by agent",
                from,
                to,
            )
            .await?;
        let since = now.checked_sub(OF_LATE).unwrap_or(Timestamp::MIN);
        let rows = sqlx::query(
            "select agent, count(*) as booked, max(made_at) as booked_at from meeting where phase = 'booked' and made_at > $1 group by agent",
        )
        .bind(since.as_millisecond())
        .fetch_all(&mut *self.connection)
        .await?;
        let mut booked: HashMap<AgentId, (u32, Timestamp)> = rows
            .iter()
            .map(|row| Ok((parse(row, "agent")?, (super::small(row, "booked")?, time(row, "booked_at")?))))
            .collect::<Result<_>>()?;
        let diaries = agents.into_iter().map(|agent| {
            let row = kept.remove(&agent.id).unwrap_or_default();
            let hours = row.hours.unwrap_or(agent.availability);
            // Who has said no hours is available for chats whenever they are there, and for meetings never; what is booked with them still
            // can be moved.
            let zone = hours.zone();
            let mut of_day: BTreeMap<jiff::civil::Date, u16> = BTreeMap::new();
            for span in begins.get(&agent.id).into_iter().flatten() {
                *of_day.entry(span.start.to_zoned(zone.clone()).date()).or_default() += 1;
            }
            let (booked, booked_at) = booked.remove(&agent.id).map_or((0, None), |(count, at)| (count, Some(at)));
            Diary {
                agent: agent.id,
                hours,
                before: row.before,
                after: row.after,
                daily: row.daily,
                busy: busy.remove(&agent.id).unwrap_or_default(),
                meetings: occupied.remove(&agent.id).unwrap_or_default(),
                of_day,
                booked,
                booked_at,
            }
        });
        Ok(Calendars { diaries: diaries.collect() })
    }

    /// When a site and its teams are open.
    pub async fn openings(&mut self, site: &SiteKey) -> Result<Openings> {
        let own = self.site(site).await?.and_then(|head| head.site.opening_hours);
        let rows = sqlx::query("select id, hours from team where site = $1 and hours is not null")
            .bind(site.as_str())
            .fetch_all(&mut *self.connection)
            .await?;
        let teams = rows
            .iter()
            .map(|row| {
                Ok((parse::<TeamId>(row, "id")?, serde_json::from_str(&row.try_get::<String, _>("hours")?).map_err(corrupt)?))
            })
            .collect::<Result<_>>()?;
        Ok(Openings { site: own, teams })
    }

    /// The opening hours of a team of its own.
    pub async fn team_hours(&mut self, site: &SiteKey, team: &TeamId) -> Result<Option<Availability>> {
        Ok(self.openings(site).await?.teams.remove(team))
    }

    /// Keeps them; a team without its own has the site's.
    pub async fn put_team_hours(&mut self, site: &SiteKey, team: &TeamId, hours: Option<&Availability>) -> Result<()> {
        sqlx::query("update team set hours = $3 where site = $1 and id = $2")
            .bind(site.as_str())
            .bind(team.as_str())
            .bind(hours.map(serde_json::to_string).transpose().map_err(corrupt)?)
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// The agent to whom whoever has this address, or works for this company, is assigned. A domain is more exact than a name.
    pub async fn account_of(&mut self, site: &SiteKey, email: Option<&str>, company: Option<&str>) -> Result<Option<AgentId>> {
        let domain = email.and_then(|email| email.rsplit_once('@')).map(|(_, domain)| domain.to_lowercase());
        for (kind, name) in [("domain", domain), ("company", company.map(|company| company.trim().to_lowercase()))] {
            let Some(name) = name.filter(|name| !name.is_empty()) else { continue };
            let row = sqlx::query("select agent from account where site = $1 and kind = $2 and name = $3")
                .bind(site.as_str())
                .bind(kind)
                .bind(name)
                .fetch_optional(&mut *self.connection)
                .await?;
            if let Some(row) = row {
                return Ok(Some(parse(&row, "agent")?));
            }
        }
        Ok(None)
    }

    /// Who is assigned, by name.
    pub async fn accounts(&mut self, site: &SiteKey) -> Result<Vec<AccountRow>> {
        let rows = sqlx::query("select kind, name, agent from account where site = $1 order by kind, name")
            .bind(site.as_str())
            .fetch_all(&mut *self.connection)
            .await?;
        rows.iter()
            .map(|row| Ok(AccountRow { kind: row.try_get("kind")?, name: row.try_get("name")?, agent: parse(row, "agent")? }))
            .collect()
    }

    /// Keeps who is assigned, in the place of all that was kept before.
    pub async fn put_accounts(&mut self, site: &SiteKey, accounts: &[AccountRow]) -> Result<()> {
        sqlx::query("delete from account where site = $1").bind(site.as_str()).execute(&mut *self.connection).await?;
        for account in accounts {
            sqlx::query("insert into account (site, kind, name, agent) values ($1, $2, $3, $4)")
                .bind(site.as_str())
                .bind(&account.kind)
                .bind(&account.name)
                .bind(account.agent.to_string())
                .execute(&mut *self.connection)
                .await?;
        }
        Ok(())
    }

    /// A key of the server's own; a new one, if there is none yet.
    pub async fn server_key(&mut self, name: &str, new: &[u8; 32]) -> Result<[u8; 32]> {
        sqlx::query("insert into server_key (name, key) values ($1, $2) on conflict (name) do nothing")
            .bind(name)
            .bind(new.as_slice())
            .execute(&mut *self.connection)
            .await?;
        let key: Vec<u8> =
            sqlx::query_scalar("select key from server_key where name = $1").bind(name).fetch_one(&mut *self.connection).await?;
        key.try_into().map_err(|_| corrupt("a key has 32 bytes"))
    }
}
