//! What a command can do within its transaction.
//!
//! The SQL is written so that it reads the same for SQLite and PostgreSQL: `$1` placeholders, `on conflict … do update`, plain types.

mod agents;
mod analytics;
mod audit;
mod calendars;
mod callbacks;
mod chats;
mod funnel;
mod idempotency;
mod keys;
mod lists;
mod log;
mod mail;
mod meetings;
mod privacy;
mod sites;
mod submissions;
mod talks;
mod visitors;
mod webhooks;

use jiff::Timestamp;
use porchlight_domain::id::SiteKey;
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{News, StoreError};

pub use agents::AgentRow;
pub(crate) use analytics::Cell;
pub use analytics::CountedTo;
pub use audit::{Actor, AuditEntry, AuditFilter, AuditRecord};
pub use calendars::{AccountRow, CalDavRow, CalendarRow};
pub use callbacks::{CallbackRecord, Full};
pub use chats::{ChatEntry, ChatFilter, ChatRecord, Queue};
pub use funnel::CardCount;
pub(super) use keys::api_key;
pub(super) use lists::one_of;
pub use lists::{ListFilter, SessionRecord, VisitorRecord};
pub use log::Logged;
pub(super) use log::logged;
pub use mail::DueLetter;
pub use meetings::{MeetingFilter, MeetingRecord, Overlap};
pub use privacy::{Forgotten, Person};
pub use sites::{Draft, Published, PublishedSource, SiteFile, SiteHead, Version};
pub use submissions::{SubmissionRecord, SurveyFilter};
pub use visitors::VisitorRow;
pub use webhooks::{Attempt, AttemptFilter, Backlog, DueDelivery, Stretch};

type Result<T> = std::result::Result<T, StoreError>;

/// One command's part of a transaction.
pub struct Tx<'c> {
    connection: &'c mut SqliteConnection,
    news: Vec<News>,
}

fn corrupt(error: impl ToString) -> StoreError {
    StoreError::corrupt(error)
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

impl<'c> Tx<'c> {
    pub(super) fn new(connection: &'c mut SqliteConnection) -> Self {
        Self { connection, news: Vec::new() }
    }

    /// Notes what is to be told once this is committed.
    pub fn tell(&mut self, news: News) {
        self.news.push(news);
    }

    /// Notes that the log of a site has grown: once a command is enough.
    fn tell_log(&mut self, of: &SiteKey) {
        if !self.news.iter().any(|news| matches!(news, News::Log { site } if site == of)) {
            self.news.push(News::Log { site: of.clone() });
        }
    }

    /// What is to be told once this is committed.
    pub(super) fn into_news(self) -> Vec<News> {
        self.news
    }

    /// Shows that the database can be written to, and leaves it as it is.
    pub async fn touch(&mut self) -> Result<()> {
        sqlx::query("update site set key = key where key = ''").execute(&mut *self.connection).await?;
        Ok(())
    }
}
