//! Forms that visitors filled in, and the results of surveys.

use jiff::Timestamp;
use porchlight_domain::{
    conversation::Purpose,
    id::{AgentId, AttributeName, CardId, ChatId, ConversationId, SiteKey, SubmissionId, VisitorId},
    session::Submission,
};
use sqlx::{Row, sqlite::SqliteRow};

use super::{Result, Tx, corrupt, parse, time};

/// A form that was filled in, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmissionRecord {
    /// Its id.
    pub id: SubmissionId,
    /// Its site.
    pub site: SiteKey,
    /// Who filled it in.
    pub visitor: VisitorId,
    /// The conversation.
    pub conversation: ConversationId,
    /// Its version.
    pub version: u32,
    /// The form.
    pub card: CardId,
    /// What it is for.
    pub purpose: Purpose,
    /// The chat it is about.
    pub chat: Option<ChatId>,
    /// Who answered that last.
    pub agent: Option<AgentId>,
    /// What was given to each field.
    pub answers: Vec<(AttributeName, String)>,
    /// When.
    pub at: Timestamp,
}

/// Which surveys are looked at.
#[derive(Debug, Clone)]
pub struct SurveyFilter<'a> {
    /// Those of these sites; all, if none are named.
    pub sites: Option<&'a [SiteKey]>,
    /// Those about this agent.
    pub agent: Option<AgentId>,
    /// Those about agents of a team: site and team.
    pub team: Option<(&'a str, &'a str)>,
    /// Those given since.
    pub from: Timestamp,
    /// Those given before.
    pub to: Timestamp,
    /// The most.
    pub limit: u32,
}

pub(super) fn record(row: &SqliteRow) -> Result<SubmissionRecord> {
    let optional = |column: &str| row.try_get::<Option<String>, _>(column);
    Ok(SubmissionRecord {
        id: parse(row, "id")?,
        site: parse(row, "site")?,
        visitor: parse(row, "visitor")?,
        conversation: parse(row, "conversation")?,
        version: super::small(row, "version")?,
        card: parse(row, "card")?,
        purpose: if row.try_get::<String, _>("purpose")? == "survey" { Purpose::Survey } else { Purpose::Contact },
        chat: optional("chat")?.map(|chat| chat.parse().map_err(corrupt)).transpose()?,
        agent: optional("agent")?.map(|agent| agent.parse().map_err(corrupt)).transpose()?,
        answers: serde_json::from_str(&row.try_get::<String, _>("answers")?).map_err(corrupt)?,
        at: time(row, "submitted_at")?,
    })
}

impl Tx<'_> {
    /// Keeps a form that was filled in.
    pub async fn add_submission(
        &mut self,
        id: &str,
        (site, visitor): (&SiteKey, VisitorId),
        (conversation, version): (&ConversationId, u32),
        submission: &Submission,
        now: Timestamp,
    ) -> Result<()> {
        sqlx::query(
            "insert into submission (id, site, visitor, conversation, version, card, purpose, kind, chat, agent, answers, submitted_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, (select agent from chat where id = $9), $10, $11)",
        )
        .bind(id)
        .bind(site.as_str())
        .bind(visitor.to_string())
        .bind(conversation.as_str())
        .bind(version)
        .bind(submission.card.as_str())
        .bind(if submission.purpose == Purpose::Survey { "survey" } else { "contact" })
        .bind(submission.kind.name())
        .bind(submission.chat.map(|chat| chat.to_string()))
        .bind(serde_json::to_string(&submission.answers).map_err(corrupt)?)
        .bind(now.as_millisecond())
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Surveys, the latest first.
    pub async fn surveys(&mut self, filter: &SurveyFilter<'_>) -> Result<Vec<SubmissionRecord>> {
        let sites = filter.sites.map(serde_json::to_string).transpose().map_err(corrupt)?;
        let rows = sqlx::query(
            "select * from submission where purpose = 'survey' and ($1 is null or site in (select value from json_each($1)))
                 and ($2 is null or agent = $2)
                 and ($3 is null or agent in (select agent from team_member where site = $3 and team = $4))
                 and submitted_at >= $5 and submitted_at < $6
             order by submitted_at desc, id desc limit $7",
        )
        .bind(sites)
        .bind(filter.agent.map(|agent| agent.to_string()))
        .bind(filter.team.map(|(site, _)| site.to_owned()))
        .bind(filter.team.map(|(_, team)| team.to_owned()))
        .bind(filter.from.as_millisecond())
        .bind(filter.to.as_millisecond())
        .bind(filter.limit)
        .fetch_all(&mut *self.connection)
        .await?;
        rows.iter().map(record).collect()
    }

    /// The forms a visitor filled in, the latest first.
    pub async fn submissions_of(&mut self, visitor: VisitorId, limit: u32) -> Result<Vec<SubmissionRecord>> {
        let rows = sqlx::query("select * from submission where visitor = $1 order by submitted_at desc, id desc limit $2")
            .bind(visitor.to_string())
            .bind(limit)
            .fetch_all(&mut *self.connection)
            .await?;
        rows.iter().map(record).collect()
    }
}
