//! How many visitors come to each card of a conversation, answer it, and stay there: counted as transcripts are written.

use jiff::Timestamp;
use porchlight_domain::{
    id::{CardId, ConversationId, SiteKey, VisitorId},
    session::{Author, Entry, Progress, Standing},
};
use sqlx::Row;

use super::{Result, Tx, parse};
use crate::analytics::tally::day_of;

/// How visitors came through a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardCount {
    /// The card.
    pub card: CardId,
    /// How many came to it for the first time.
    pub reached: i64,
    /// How many answered it for the first time.
    pub answered: i64,
    /// How many came to it and are at it still.
    pub waiting: i64,
}

/// The card a visitor is at, and the version it is of.
fn place(progress: &Progress) -> Option<(&CardId, u32)> {
    match &progress.standing {
        Standing::At(card) => Some((card, progress.version)),
        Standing::Offered | Standing::Ended => None,
    }
}

impl Tx<'_> {
    /// Counts that a visitor goes from one card to another: before [`Tx::put_progress`], which forgets since when they were at the one.
    pub async fn count_place(
        &mut self,
        (site, visitor): (&SiteKey, VisitorId),
        before: Option<&Progress>,
        after: &Progress,
        now: Timestamp,
    ) -> Result<()> {
        let (left, come) = (before.and_then(place), place(after));
        if left == come {
            return Ok(());
        }
        if let Some((card, version)) = left {
            sqlx::query(
                "update funnel set waiting = waiting - 1 where site = $1 and conversation = $2 and version = $3 and card = $4
                     and day = (select since from progress where visitor = $5 and conversation = $2)",
            )
            .bind(site.as_str())
            .bind(after.conversation.as_str())
            .bind(version)
            .bind(card.as_str())
            .bind(visitor.to_string())
            .execute(&mut *self.connection)
            .await?;
        }
        if let Some((card, version)) = come {
            sqlx::query(
                "insert into funnel (site, conversation, day, version, card, reached, answered, waiting)
                 values ($1, $2, $3, $4, $5, 0, 0, 1)
                 on conflict (site, conversation, day, version, card) do update set waiting = funnel.waiting + 1",
            )
            .bind(site.as_str())
            .bind(after.conversation.as_str())
            .bind(day_of(now))
            .bind(version)
            .bind(card.as_str())
            .execute(&mut *self.connection)
            .await?;
        }
        Ok(())
    }

    /// Counts the cards that are reached or answered with new lines of a transcript: each once for each visitor, whatever is said again later.
    pub async fn count_lines(
        &mut self,
        (site, visitor): (&SiteKey, VisitorId),
        progress: &Progress,
        lines: &[Entry],
        now: Timestamp,
    ) -> Result<()> {
        for (index, line) in lines.iter().enumerate() {
            let (author, reached, answered) = match line.author {
                Author::Bot => ("bot", 1, 0),
                Author::Visitor => ("visitor", 0, 1),
                // What an agent writes is neither.
                Author::Agent => continue,
            };
            if lines[..index].iter().any(|other| other.author == line.author && other.card == line.card) {
                continue;
            }
            sqlx::query(
                "insert into funnel (site, conversation, day, version, card, reached, answered, waiting)
                 select $1, $2, $3, $4, $5, $6, $7, 0 where not exists (
                     select 1 from entry where visitor = $8 and conversation = $2 and card = $5 and author = $9 and number < $10)
                 on conflict (site, conversation, day, version, card) do update set
                     reached = funnel.reached + excluded.reached, answered = funnel.answered + excluded.answered",
            )
            .bind(site.as_str())
            .bind(progress.conversation.as_str())
            .bind(day_of(now))
            .bind(progress.version)
            .bind(line.card.as_str())
            .bind(reached)
            .bind(answered)
            .bind(visitor.to_string())
            .bind(author)
            .bind(line.number)
            .execute(&mut *self.connection)
            .await?;
        }
        Ok(())
    }

    /// How visitors came through the cards of a conversation, from a first day to before a last; in one version, if it is named.
    pub async fn funnel(
        &mut self,
        site: &SiteKey,
        conversation: &ConversationId,
        version: Option<u32>,
        (first, before): (i64, i64),
    ) -> Result<Vec<CardCount>> {
        let rows = sqlx::query(
            "select card, sum(reached) as reached, sum(answered) as answered, sum(waiting) as waiting from funnel
             where site = $1 and conversation = $2 and day >= $3 and day < $4 and ($5 is null or version = $5)
             group by card order by card",
        )
        .bind(site.as_str())
        .bind(conversation.as_str())
        .bind(first)
        .bind(before)
        .bind(version)
        .fetch_all(&mut *self.connection)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(CardCount {
                    card: parse(row, "card")?,
                    reached: row.try_get("reached")?,
                    answered: row.try_get("answered")?,
                    waiting: row.try_get("waiting")?,
                })
            })
            .collect()
    }
}
