//! Agents, their sign-ins, teams and canned responses.

use jiff::Timestamp;
use porchlight_app::console::wire::{CannedResponse, Colleague, Team};
use porchlight_domain::{
    agent::{Availability, Right, Role},
    id::{AgentId, SiteKey, TeamId, VisitorId},
    livechat::{Member, Roster},
};
use sqlx::{Row, sqlite::SqliteRow};

use super::{Result, Tx, corrupt, parse, time};
use crate::secret::Secret;

/// An agent.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentRow {
    /// Who it is.
    pub id: AgentId,
    /// Their address, in lower case.
    pub email: String,
    /// Their name, which visitors see.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// Whether they have chosen a password.
    pub joined: bool,
    /// The languages they answer in.
    pub languages: Vec<String>,
    /// What they know about.
    pub skills: Vec<String>,
    /// The most chats they hold at once, if it is not as the server's setting says.
    pub chat_limit: Option<u32>,
    /// Their hours.
    pub availability: Availability,
    /// What they have switched by hand, and until when that holds.
    pub switched: Option<(bool, Option<Timestamp>)>,
    /// Until when they count as present.
    pub present_until: Timestamp,
    /// When a chat was last offered to them.
    pub offered_at: Option<Timestamp>,
    /// Whether they may no longer sign in.
    pub disabled: bool,
    /// Their sites.
    pub(super) sites: Vec<SiteKey>,
}

impl AgentRow {
    /// The sites they work for; none: all.
    #[must_use]
    pub fn sites(&self) -> Option<&[SiteKey]> {
        (self.role != Role::Administrator).then_some(self.sites.as_slice())
    }

    /// Whether they work for a site.
    #[must_use]
    pub fn serves(&self, site: &SiteKey) -> bool {
        self.sites().is_none_or(|sites| sites.contains(site))
    }

    /// Whether they work for a site for which another does, too.
    #[must_use]
    pub fn works_with(&self, other: &Self) -> bool {
        match (self.sites(), other.sites()) {
            (None, _) | (_, None) => true,
            (Some(own), Some(theirs)) => own.iter().any(|site| theirs.contains(site)),
        }
    }

    /// Whether they may do something.
    #[must_use]
    pub fn may(&self, right: Right) -> bool {
        !self.disabled && self.role.may(right)
    }

    /// Whether they take chats at a moment: they are there, and it is their time or they have said so.
    #[must_use]
    pub fn is_available(&self, now: Timestamp) -> bool {
        let open = match self.switched {
            Some((on, until)) if until.is_none_or(|until| now < until) => on,
            _ => self.availability.is_open(now),
        };
        self.present_until > now && open && self.may(Right::Answer)
    }
}

fn list<T: serde::de::DeserializeOwned>(row: &SqliteRow, column: &str) -> Result<Vec<T>> {
    serde_json::from_str(&row.try_get::<String, _>(column)?).map_err(corrupt)
}

fn agent(row: &SqliteRow) -> Result<AgentRow> {
    let moment = |column: &str| -> Result<Option<Timestamp>> {
        row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_millisecond).transpose().map_err(corrupt)
    };
    let switched: Option<String> = row.try_get("switched")?;
    let limit: Option<i64> = row.try_get("chat_limit")?;
    let sites: Option<String> = row.try_get("sites")?;
    Ok(AgentRow {
        id: parse(row, "id")?,
        email: row.try_get("email")?,
        name: row.try_get("name")?,
        role: parse(row, "role")?,
        joined: row.try_get::<Option<String>, _>("password")?.is_some(),
        languages: list(row, "languages")?,
        skills: list(row, "skills")?,
        chat_limit: limit.map(u32::try_from).transpose().map_err(corrupt)?,
        availability: {
            let zone: String = row.try_get("time_zone")?;
            let other: Vec<String> = list(row, "exceptions")?;
            Availability { blocks: list(row, "hours")?, ..Availability::read(&zone, &other.join("\n")).map_err(corrupt)? }
        },
        switched: match switched {
            Some(switched) => Some((switched == "on", moment("switched_until")?)),
            None => None,
        },
        present_until: time(row, "present_until")?,
        offered_at: moment("offered_at")?,
        disabled: moment("disabled_at")?.is_some(),
        sites: sites.map(|sites| serde_json::from_str(&sites).map_err(corrupt)).transpose()?.unwrap_or_default(),
    })
}

const AGENT: &str =
    "select agent.*, (select json_group_array(site) from agent_site where agent_site.agent = agent.id) as sites from agent";

impl Tx<'_> {
    pub(super) async fn agents_where(&mut self, condition: &str, value: &str) -> Result<Vec<AgentRow>> {
        // The condition is our own; what people write is bound.
        let query = format!("{AGENT} where {condition} order by agent.id");
        let rows = sqlx::query(sqlx::AssertSqlSafe(query)).bind(value).fetch_all(&mut *self.connection).await?;
        rows.iter().map(agent).collect()
    }

    /// Every agent.
    pub async fn agents(&mut self) -> Result<Vec<AgentRow>> {
        self.agents_where("$1 = $1", "").await
    }

    /// An agent.
    pub async fn agent(&mut self, id: AgentId) -> Result<Option<AgentRow>> {
        Ok(self.agents_where("agent.id = $1", &id.to_string()).await?.pop())
    }

    /// The agent with an address.
    pub async fn agent_by_email(&mut self, email: &str) -> Result<Option<AgentRow>> {
        Ok(self.agents_where("agent.email = $1", &email.trim().to_lowercase()).await?.pop())
    }

    /// The hash of an agent's password.
    pub async fn password(&mut self, id: AgentId) -> Result<Option<String>> {
        let password = sqlx::query_scalar("select password from agent where id = $1").bind(id.to_string());
        Ok(password.fetch_optional(&mut *self.connection).await?.flatten())
    }

    /// Adds an agent who has yet to choose a password.
    pub async fn add_agent(&mut self, id: AgentId, email: &str, name: &str, role: Role, now: Timestamp) -> Result<()> {
        sqlx::query("insert into agent (id, email, name, role, created_at) values ($1, $2, $3, $4, $5)")
            .bind(id.to_string())
            .bind(email.trim().to_lowercase())
            .bind(name)
            .bind(role.name())
            .bind(now.as_millisecond())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// Keeps what was changed of an agent: name, role, languages, skills, limit, and whether they may sign in.
    pub async fn put_agent(&mut self, agent: &AgentRow, now: Timestamp) -> Result<()> {
        sqlx::query(
            "update agent set name = $2, role = $3, languages = $4, skills = $5, chat_limit = $6, time_zone = $7, hours = $8,
                 disabled_at = case when $9 = 1 then coalesce(disabled_at, $10) end, exceptions = $11 where id = $1",
        )
        .bind(agent.id.to_string())
        .bind(&agent.name)
        .bind(agent.role.name())
        .bind(serde_json::to_string(&agent.languages).map_err(corrupt)?)
        .bind(serde_json::to_string(&agent.skills).map_err(corrupt)?)
        .bind(agent.chat_limit)
        .bind(&agent.availability.time_zone)
        .bind(serde_json::to_string(&agent.availability.blocks).map_err(corrupt)?)
        .bind(i64::from(agent.disabled))
        .bind(now.as_millisecond())
        .bind(serde_json::to_string(&agent.availability.exceptions_in_words()).map_err(corrupt)?)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Says which sites an agent works for.
    pub async fn put_agent_sites(&mut self, agent: AgentId, sites: &[SiteKey]) -> Result<()> {
        sqlx::query("delete from agent_site where agent = $1").bind(agent.to_string()).execute(&mut *self.connection).await?;
        for site in sites {
            sqlx::query("insert into agent_site (agent, site) values ($1, $2) on conflict do nothing")
                .bind(agent.to_string())
                .bind(site.as_str())
                .execute(&mut *self.connection)
                .await?;
        }
        Ok(())
    }

    /// Keeps a password's hash.
    pub async fn put_password(&mut self, agent: AgentId, hash: &str) -> Result<()> {
        sqlx::query("update agent set password = $2 where id = $1")
            .bind(agent.to_string())
            .bind(hash)
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// Keeps what an agent switched by hand, and until when it holds.
    pub async fn set_switched(&mut self, agent: AgentId, on: Option<bool>, until: Option<Timestamp>) -> Result<()> {
        sqlx::query("update agent set switched = $2, switched_until = $3 where id = $1")
            .bind(agent.to_string())
            .bind(on.map(|on| if on { "on" } else { "off" }))
            .bind(until.map(Timestamp::as_millisecond))
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// Says until when an agent counts as present.
    pub async fn set_present_until(&mut self, agent: AgentId, until: Timestamp) -> Result<()> {
        sqlx::query("update agent set present_until = $2 where id = $1")
            .bind(agent.to_string())
            .bind(until.as_millisecond())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// Makes a link that lets an agent choose a password; those made before end.
    pub async fn add_invitation(&mut self, token: &Secret, agent: AgentId, now: Timestamp, until: Timestamp) -> Result<()> {
        sqlx::query("delete from invitation where agent = $1").bind(agent.to_string()).execute(&mut *self.connection).await?;
        sqlx::query("insert into invitation (hash, agent, created_at, expires_at) values ($1, $2, $3, $4)")
            .bind(token.hash())
            .bind(agent.to_string())
            .bind(now.as_millisecond())
            .bind(until.as_millisecond())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// Takes an invitation: it is good once.
    pub async fn take_invitation(&mut self, token: &Secret, now: Timestamp) -> Result<Option<AgentId>> {
        let row = sqlx::query("delete from invitation where hash = $1 returning agent, expires_at")
            .bind(token.hash())
            .fetch_optional(&mut *self.connection)
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(if time(&row, "expires_at")? > now { Some(parse(&row, "agent")?) } else { None })
    }

    /// Signs an agent in.
    pub async fn add_login(&mut self, token: &Secret, agent: AgentId, now: Timestamp) -> Result<()> {
        sqlx::query("insert into login (hash, agent, created_at, seen_at) values ($1, $2, $3, $3)")
            .bind(token.hash())
            .bind(agent.to_string())
            .bind(now.as_millisecond())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// Whose sign-in it is, since when, and when it was last used.
    pub async fn login(&mut self, token: &Secret) -> Result<Option<(AgentRow, Timestamp, Timestamp)>> {
        let row = sqlx::query("select agent, created_at, seen_at from login where hash = $1")
            .bind(token.hash())
            .fetch_optional(&mut *self.connection)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let agent = self.agent(parse(&row, "agent")?).await?;
        let (since, seen) = (time(&row, "created_at")?, time(&row, "seen_at")?);
        Ok(agent.map(|agent| (agent, since, seen)))
    }

    /// Notes that a sign-in is used.
    pub async fn touch_login(&mut self, token: &Secret, now: Timestamp) -> Result<()> {
        sqlx::query("update login set seen_at = $2 where hash = $1")
            .bind(token.hash())
            .bind(now.as_millisecond())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// Ends one sign-in.
    pub async fn remove_login(&mut self, token: &Secret) -> Result<()> {
        sqlx::query("delete from login where hash = $1").bind(token.hash()).execute(&mut *self.connection).await?;
        Ok(())
    }

    /// Ends every sign-in of an agent.
    pub async fn remove_logins(&mut self, agent: AgentId) -> Result<()> {
        sqlx::query("delete from login where agent = $1").bind(agent.to_string()).execute(&mut *self.connection).await?;
        Ok(())
    }

    /// How many chats each agent holds or is being offered.
    async fn open_chats(&mut self) -> Result<std::collections::HashMap<AgentId, u32>> {
        let rows = sqlx::query(
            "select who, count(*) as open from (
                 select agent as who from chat where phase in ('offered', 'online') and agent is not null
                 union all select asked as who from chat where asked is not null) group by who",
        )
        .fetch_all(&mut *self.connection)
        .await?;
        rows.iter().map(|row| Ok((parse(row, "who")?, super::small(row, "open")?))).collect()
    }

    /// Who could take a chat of a visitor of a site.
    pub async fn roster(&mut self, site: &SiteKey, visitor: VisitorId, now: Timestamp, limit: u32) -> Result<Roster> {
        let open = self.open_chats().await?;
        let rows = sqlx::query("select team, agent from team_member where site = $1")
            .bind(site.as_str())
            .fetch_all(&mut *self.connection)
            .await?;
        let teams: Vec<(TeamId, AgentId)> =
            rows.iter().map(|row| Ok((parse(row, "team")?, parse(row, "agent")?))).collect::<Result<_>>()?;
        let agents = self.agents().await?.into_iter().filter(|agent| agent.may(Right::Answer) && agent.serves(site));
        let members = agents.map(|agent| Member {
            id: agent.id,
            available: agent.is_available(now),
            teams: teams.iter().filter(|(_, member)| *member == agent.id).map(|(team, _)| team.clone()).collect(),
            open: open.get(&agent.id).copied().unwrap_or_default(),
            limit: agent.chat_limit.unwrap_or(limit),
            offered_at: agent.offered_at,
            name: agent.name,
            email: agent.email,
            languages: agent.languages,
            skills: agent.skills,
        });
        let last: Option<String> = sqlx::query_scalar(
            "select agent from chat where visitor = $1 and phase = 'ended' and agent is not null order by ended_at desc limit 1",
        )
        .bind(visitor.to_string())
        .fetch_optional(&mut *self.connection)
        .await?;
        let last = last.map(|last| last.parse().map_err(corrupt)).transpose()?;
        Ok(Roster { members: members.collect(), last, account: None, ahead: 0 })
    }

    /// Every agent, as the others see them.
    pub async fn colleagues(&mut self, now: Timestamp, limit: u32) -> Result<Vec<Colleague>> {
        let open = self.open_chats().await?;
        let agents = self.agents().await?.into_iter().filter(|agent| !agent.disabled && agent.joined);
        Ok(agents
            .map(|agent| Colleague {
                id: agent.id,
                present: agent.present_until > now,
                available: agent.is_available(now),
                open: open.get(&agent.id).copied().unwrap_or_default(),
                limit: agent.chat_limit.unwrap_or(limit),
                sites: agent.sites().map(<[SiteKey]>::to_vec).unwrap_or_default(),
                name: agent.name,
            })
            .collect())
    }

    /// Every team.
    pub async fn teams(&mut self) -> Result<Vec<Team>> {
        let rows = sqlx::query("select site, id, name from team order by site, name").fetch_all(&mut *self.connection).await?;
        rows.iter().map(|row| Ok(Team { site: parse(row, "site")?, id: parse(row, "id")?, name: row.try_get("name")? })).collect()
    }

    /// Those of a team.
    pub async fn team_members(&mut self, site: &SiteKey, team: &TeamId) -> Result<Vec<AgentId>> {
        let rows = sqlx::query("select agent from team_member where site = $1 and team = $2")
            .bind(site.as_str())
            .bind(team.as_str())
            .fetch_all(&mut *self.connection)
            .await?;
        rows.iter().map(|row| parse(row, "agent")).collect()
    }

    /// Makes a team, or says anew what it is called and who is in it.
    pub async fn put_team(&mut self, team: &Team, members: &[AgentId]) -> Result<()> {
        sqlx::query(
            "insert into team (site, id, name) values ($1, $2, $3) on conflict (site, id) do update set name = excluded.name",
        )
        .bind(team.site.as_str())
        .bind(team.id.as_str())
        .bind(&team.name)
        .execute(&mut *self.connection)
        .await?;
        sqlx::query("delete from team_member where site = $1 and team = $2")
            .bind(team.site.as_str())
            .bind(team.id.as_str())
            .execute(&mut *self.connection)
            .await?;
        for member in members {
            sqlx::query("insert into team_member (site, team, agent) values ($1, $2, $3) on conflict do nothing")
                .bind(team.site.as_str())
                .bind(team.id.as_str())
                .bind(member.to_string())
                .execute(&mut *self.connection)
                .await?;
        }
        Ok(())
    }

    /// Every canned response.
    pub async fn canned_responses(&mut self) -> Result<Vec<CannedResponse>> {
        let rows = sqlx::query("select site, shortcut, text from canned_response order by site, shortcut")
            .fetch_all(&mut *self.connection)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(CannedResponse { site: parse(row, "site")?, shortcut: row.try_get("shortcut")?, text: row.try_get("text")? })
            })
            .collect()
    }

    /// Keeps a canned response.
    pub async fn put_canned_response(&mut self, id: &str, response: &CannedResponse) -> Result<()> {
        sqlx::query(
            "insert into canned_response (id, site, shortcut, text) values ($1, $2, $3, $4)
             on conflict (site, shortcut) do update set text = excluded.text",
        )
        .bind(id)
        .bind(response.site.as_str())
        .bind(&response.shortcut)
        .bind(&response.text)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Removes a canned response. Whether there was one.
    pub async fn remove_canned_response(&mut self, site: &SiteKey, shortcut: &str) -> Result<bool> {
        let removed = sqlx::query("delete from canned_response where site = $1 and shortcut = $2")
            .bind(site.as_str())
            .bind(shortcut)
            .execute(&mut *self.connection)
            .await?;
        Ok(removed.rows_affected() > 0)
    }
}
