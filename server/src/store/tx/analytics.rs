//! The numbers: sums over days, and up to where the log is counted.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::{Arc, LazyLock},
};

use jiff::Timestamp;
use porchlight_domain::id::{ChatId, SessionId, SiteKey, VisitorId};
use sqlx::{Row, sqlite::SqliteRow};

use super::{Result, SubmissionRecord, Tx, corrupt, submissions, time};
use crate::analytics::tally::{ChatKnown, Dimension, Figure, Figures, OTHER_PAGES, Run};

/// What figures are about: a site, what is told apart, which of it, and the first day of the span.
pub(crate) type Cell = (SiteKey, Dimension, String, i64);

/// Up to where the log is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountedTo {
    /// The place of the last event.
    pub position: i64,
    /// When that happened; the beginning of time, if there was none.
    pub time: Timestamp,
}

fn columns(each: impl Fn(&str) -> String) -> String {
    Figure::ALL.iter().map(|figure| each(figure.name())).collect::<Vec<_>>().join(", ")
}

// The names are our own; what people write is bound.
static ADD: LazyLock<Arc<str>> = LazyLock::new(|| {
    let places = (6..6 + Figure::ALL.len()).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ");
    format!(
        "insert into tally (site, dimension, span, day, value, {}) values ($1, $2, $3, $4, $5, {places})
         on conflict (site, dimension, span, day, value) do update set {}",
        columns(str::to_owned),
        columns(|name| format!("{name} = tally.{name} + excluded.{name}")),
    )
    .into()
});
static BY_VALUE: LazyLock<Arc<str>> = LazyLock::new(|| {
    format!(
        "select value, {} from tally where site = $1 and dimension = $2 and span = $3 and day >= $4 and day < $5 group by value",
        columns(|name| format!("sum({name}) as {name}")),
    )
    .into()
});
static BY_DAY: LazyLock<Arc<str>> = LazyLock::new(|| {
    format!(
        "select day, {} from tally where site = $1 and dimension = 'all' and span = 1 and day >= $2 and day < $3 order by day",
        columns(str::to_owned),
    )
    .into()
});

fn figures(row: &SqliteRow) -> Result<Figures> {
    let mut figures = Figures::default();
    for figure in Figure::ALL {
        figures[*figure] = row.try_get(figure.name())?;
    }
    Ok(figures)
}

impl Tx<'_> {
    /// Up to where the log is counted.
    pub async fn counted_to(&mut self) -> Result<CountedTo> {
        let row = sqlx::query("select position, time from analytics_cursor").fetch_one(&mut *self.connection).await?;
        Ok(CountedTo { position: row.try_get("position")?, time: time(&row, "time")? })
    }

    /// Notes up to where the log is counted.
    pub async fn put_counted_to(&mut self, counted: CountedTo) -> Result<()> {
        sqlx::query("update analytics_cursor set position = $1, time = $2")
            .bind(counted.position)
            .bind(counted.time.as_millisecond())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// The pages of the events of a stretch of the log, by their places, as they are now.
    pub(crate) async fn pages_between(&mut self, after: i64, to: i64) -> Result<HashMap<i64, String>> {
        let rows = sqlx::query("select position, page from event where position > $1 and position <= $2")
            .bind(after)
            .bind(to)
            .fetch_all(&mut *self.connection)
            .await?;
        rows.iter().map(|row| Ok((row.try_get("position")?, row.try_get("page")?))).collect()
    }

    /// Adds figures to a span.
    pub(crate) async fn add_figures(&mut self, cell: &Cell, span: i64, figures: &Figures) -> Result<()> {
        let (site, dimension, value, day) = cell;
        let mut query = sqlx::query(sqlx::AssertSqlSafe(Arc::clone(&ADD)))
            .bind(site.as_str())
            .bind(dimension.name())
            .bind(span)
            .bind(*day)
            .bind(value);
        for figure in Figure::ALL {
            query = query.bind(figures[*figure]);
        }
        query.execute(&mut *self.connection).await?;
        Ok(())
    }

    /// Counts some pages with those that are not told apart.
    pub(crate) async fn fold_pages(&mut self, site: &SiteKey, pages: &BTreeSet<String>) -> Result<()> {
        for page in pages.iter().filter(|page| *page != OTHER_PAGES) {
            let rows = sqlx::query("delete from tally where site = $1 and dimension = $2 and value = $3 returning *")
                .bind(site.as_str())
                .bind(Dimension::Page.name())
                .bind(page)
                .fetch_all(&mut *self.connection)
                .await?;
            for row in &rows {
                let cell = (site.clone(), Dimension::Page, OTHER_PAGES.to_owned(), row.try_get("day")?);
                self.add_figures(&cell, row.try_get("span")?, &figures(row)?).await?;
            }
        }
        Ok(())
    }

    /// What is told apart in the span that begins with a day.
    pub(crate) async fn values_of(
        &mut self,
        site: &SiteKey,
        dimension: Dimension,
        span: i64,
        day: i64,
    ) -> Result<HashSet<String>> {
        let values = sqlx::query_scalar("select value from tally where site = $1 and dimension = $2 and span = $3 and day = $4")
            .bind(site.as_str())
            .bind(dimension.name())
            .bind(span)
            .bind(day)
            .fetch_all(&mut *self.connection)
            .await?;
        Ok(values.into_iter().collect())
    }

    /// The figures of runs of days, for each of what is told apart.
    pub(crate) async fn figures_of(
        &mut self,
        site: &SiteKey,
        dimension: Dimension,
        runs: &[Run],
    ) -> Result<HashMap<String, Figures>> {
        let mut sums: HashMap<String, Figures> = HashMap::new();
        for run in runs {
            let rows = sqlx::query(sqlx::AssertSqlSafe(Arc::clone(&BY_VALUE)))
                .bind(site.as_str())
                .bind(dimension.name())
                .bind(run.span)
                .bind(run.from)
                .bind(run.before)
                .fetch_all(&mut *self.connection)
                .await?;
            for row in &rows {
                *sums.entry(row.try_get("value")?).or_default() += figures(row)?;
            }
        }
        Ok(sums)
    }

    /// The figures of each day that has some, from a first to before a last.
    pub async fn figures_by_day(&mut self, site: &SiteKey, first: i64, before: i64) -> Result<BTreeMap<i64, Figures>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(Arc::clone(&BY_DAY)))
            .bind(site.as_str())
            .bind(first)
            .bind(before)
            .fetch_all(&mut *self.connection)
            .await?;
        rows.iter().map(|row| Ok((row.try_get("day")?, figures(row)?))).collect()
    }

    /// What a visitor gave before a place in the log: whether they gave an address or a number, and whether they gave an address in a session.
    pub async fn gave_before(&mut self, visitor: VisitorId, session: SessionId, position: i64) -> Result<(bool, bool)> {
        let row = sqlx::query(
            "select count(*) as given, coalesce(sum(case when session = $3 and type = 'input.email' then 1 else 0 end), 0) as now
             from event where visitor = $1 and position < $2 and type in ('input.email', 'input.phone')",
        )
        .bind(visitor.to_string())
        .bind(position)
        .bind(session.to_string())
        .fetch_one(&mut *self.connection)
        .await?;
        Ok((row.try_get::<i64, _>("given")? > 0, row.try_get::<i64, _>("now")? > 0))
    }

    /// What is known of a chat under way, as far as the log is counted.
    pub async fn chat_known(&mut self, chat: ChatId) -> Result<Option<ChatKnown>> {
        let row = sqlx::query("select requested_at, accepted_at, answered from tally_chat where chat = $1")
            .bind(chat.to_string())
            .fetch_optional(&mut *self.connection)
            .await?;
        row.map(|row| {
            let accepted: Option<i64> = row.try_get("accepted_at")?;
            Ok(ChatKnown {
                requested_at: time(&row, "requested_at")?,
                accepted_at: accepted.map(Timestamp::from_millisecond).transpose().map_err(corrupt)?,
                answered: row.try_get::<i64, _>("answered")? != 0,
            })
        })
        .transpose()
    }

    /// Notes what is known of a chat under way; nothing, once it is over.
    pub async fn put_chat_known(&mut self, chat: ChatId, known: Option<ChatKnown>) -> Result<()> {
        let query = match known {
            None => sqlx::query("delete from tally_chat where chat = $1").bind(chat.to_string()),
            Some(known) => sqlx::query(
                "insert into tally_chat (chat, requested_at, accepted_at, answered) values ($1, $2, $3, $4)
                 on conflict (chat) do update set requested_at = excluded.requested_at, accepted_at = excluded.accepted_at,
                     answered = excluded.answered",
            )
            .bind(chat.to_string())
            .bind(known.requested_at.as_millisecond())
            .bind(known.accepted_at.map(|at| at.as_millisecond()))
            .bind(i64::from(known.answered)),
        };
        query.execute(&mut *self.connection).await?;
        Ok(())
    }

    /// The survey that a visitor gave of a chat.
    pub async fn survey_of(&mut self, visitor: VisitorId, chat: ChatId) -> Result<Option<SubmissionRecord>> {
        let row = sqlx::query(
            "select * from submission where visitor = $1 and purpose = 'survey' and chat = $2 order by submitted_at, id limit 1",
        )
        .bind(visitor.to_string())
        .bind(chat.to_string())
        .fetch_optional(&mut *self.connection)
        .await?;
        row.as_ref().map(submissions::record).transpose()
    }
}
