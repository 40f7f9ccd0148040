//! What writes with an Idempotency-Key were answered.

use jiff::Timestamp;
use sqlx::Row;

use super::{Result, Tx};

impl Tx<'_> {
    /// What a write was answered that came with a token of a key, if that is not older than a moment: the hash of the request, and the answer.
    pub async fn kept_answer(&mut self, key: &str, token: &str, since: Timestamp) -> Result<Option<(Vec<u8>, String)>> {
        let row = sqlx::query("select request, answer from idempotency where key_id = $1 and token = $2 and made_at > $3")
            .bind(key)
            .bind(token)
            .bind(since.as_millisecond())
            .fetch_optional(&mut *self.connection)
            .await?;
        row.map(|row| Ok((row.try_get("request")?, row.try_get("answer")?))).transpose()
    }

    /// Keeps what a write was answered. One that is kept already is too old, or it would have been found.
    pub async fn keep_answer(&mut self, key: &str, token: &str, request: &[u8], answer: &str, now: Timestamp) -> Result<()> {
        sqlx::query(
            "insert into idempotency (key_id, token, request, answer, made_at) values ($1, $2, $3, $4, $5)
             on conflict (key_id, token) do update
                 set request = excluded.request, answer = excluded.answer, made_at = excluded.made_at",
        )
        .bind(key)
        .bind(token)
        .bind(request)
        .bind(answer)
        .bind(now.as_millisecond())
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Forgets the oldest answers that are not younger than a moment, at most so many.
    pub async fn forget_answers(&mut self, until: Timestamp, most: u32) -> Result<()> {
        sqlx::query(
            "delete from idempotency where (key_id, token) in
                 (select key_id, token from idempotency where made_at <= $1 order by made_at limit $2)",
        )
        .bind(until.as_millisecond())
        .bind(most)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }
}
