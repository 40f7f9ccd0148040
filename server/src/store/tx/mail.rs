//! E-mail on its way.

use jiff::Timestamp;
use porchlight_domain::id::ChatId;
use sqlx::Row;

use super::{Result, Tx};
use crate::{
    calendar::ics::Method,
    mail::{CalendarPart, Letter, Purpose},
};

/// A letter that is due, and how often it was tried.
#[derive(Debug, Clone)]
pub struct DueLetter {
    /// The letter.
    pub letter: Letter,
    /// How often sending it has failed.
    pub tries: u32,
    /// When it was written.
    pub made_at: Timestamp,
}

impl Tx<'_> {
    /// Keeps a letter to be sent; one of the same id is there already.
    pub async fn add_mail(&mut self, letter: &Letter, now: Timestamp) -> Result<()> {
        sqlx::query(
            "insert into mail (id, purpose, recipient, subject, body, chat, made_at, due_at, calendar, method, visitor)
             values ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10)
             on conflict (id) do nothing",
        )
        .bind(letter.id.as_str())
        .bind(letter.purpose.name())
        .bind(letter.recipient.as_str())
        .bind(letter.subject.as_str())
        .bind(letter.body.as_str())
        .bind(letter.chat.map(|chat| chat.to_string()))
        .bind(now.as_millisecond())
        .bind(letter.calendar.as_ref().map(|calendar| calendar.content.as_str()))
        .bind(letter.calendar.as_ref().map(|calendar| calendar.method.name()))
        .bind(letter.visitor.map(|visitor| visitor.to_string()))
        .execute(&mut *self.connection)
        .await?;
        self.tell(crate::store::News::Mail);
        Ok(())
    }

    /// How many letters of a purpose were written about a chat.
    pub async fn mails_of(&mut self, chat: ChatId, purpose: Purpose) -> Result<u32> {
        let count = sqlx::query_scalar("select count(*) from mail where chat = $1 and purpose = $2")
            .bind(chat.to_string())
            .bind(purpose.name())
            .fetch_one(&mut *self.connection)
            .await?;
        Ok(count)
    }

    /// Whether a letter was written.
    pub async fn has_mail(&mut self, id: &str) -> Result<bool> {
        let found: Option<i64> =
            sqlx::query_scalar("select 1 from mail where id = $1").bind(id).fetch_optional(&mut *self.connection).await?;
        Ok(found.is_some())
    }

    /// The letters that are due, the longest due first.
    pub async fn mail_due(&mut self, now: Timestamp, limit: u32) -> Result<Vec<DueLetter>> {
        let rows = sqlx::query("select * from mail where due_at <= $1 order by due_at, id limit $2")
            .bind(now.as_millisecond())
            .bind(limit)
            .fetch_all(&mut *self.connection)
            .await?;
        rows.iter()
            .map(|row| {
                let chat: Option<String> = row.try_get("chat")?;
                let content: Option<String> = row.try_get("calendar")?;
                let method: Option<String> = row.try_get("method")?;
                let visitor: Option<String> = row.try_get("visitor")?;
                let letter = Letter {
                    id: row.try_get("id")?,
                    purpose: Purpose::named(&row.try_get::<String, _>("purpose")?),
                    recipient: row.try_get("recipient")?,
                    subject: row.try_get("subject")?,
                    body: row.try_get("body")?,
                    chat: chat.map(|chat| chat.parse().map_err(super::corrupt)).transpose()?,
                    visitor: visitor.map(|visitor| visitor.parse().map_err(super::corrupt)).transpose()?,
                    calendar: content
                        .zip(method.as_deref().and_then(Method::named))
                        .map(|(content, method)| CalendarPart { method, content }),
                };
                Ok(DueLetter { letter, tries: super::small(row, "tries")?, made_at: super::time(row, "made_at")? })
            })
            .collect()
    }

    /// Notes that a letter was sent. False if there is none any more: whom it was about was erased meanwhile.
    pub async fn mail_sent(&mut self, id: &str, now: Timestamp) -> Result<bool> {
        let sent =
            sqlx::query("update mail set sent_at = $2, due_at = null, body = '', calendar = null, problem = null where id = $1")
                .bind(id)
                .bind(now.as_millisecond())
                .execute(&mut *self.connection)
                .await?;
        Ok(sent.rows_affected() > 0)
    }

    /// Notes that a letter could not be sent, and when it is tried again, if it is.
    pub async fn mail_failed(&mut self, id: &str, problem: &str, again: Option<Timestamp>) -> Result<()> {
        sqlx::query("update mail set tries = tries + 1, problem = $2, due_at = $3 where id = $1")
            .bind(id)
            .bind(problem)
            .bind(again.map(Timestamp::as_millisecond))
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }
}
