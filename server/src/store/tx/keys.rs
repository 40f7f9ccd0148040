//! The keys of the API.

use jiff::{SignedDuration, Timestamp};
use sqlx::{Row, sqlite::SqliteRow};

use super::{Result, Tx, corrupt, time};
use crate::{access::ApiKey, secret::Secret};

/// A use of a key is noted if the last note is older than this: to note each would be a write a request.
const NOTED_AFTER: SignedDuration = SignedDuration::from_hours(1);

pub(in crate::store) fn api_key(row: &SqliteRow) -> Result<ApiKey> {
    let list = |column: &str| -> Result<Option<String>> { Ok(row.try_get(column)?) };
    Ok(ApiKey {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        scopes: list("scopes")?.map(|list| serde_json::from_str(&list).map_err(corrupt)).transpose()?,
        sites: list("sites")?.map(|list| serde_json::from_str(&list).map_err(corrupt)).transpose()?,
        ending: row.try_get("ending")?,
        created_at: time(row, "created_at")?,
        used_at: row
            .try_get::<Option<i64>, _>("used_at")?
            .map(|at| Timestamp::from_millisecond(at).map_err(corrupt))
            .transpose()?,
    })
}

impl Tx<'_> {
    /// Adds an API key.
    pub async fn add_api_key(&mut self, secret: &Secret, key: &ApiKey) -> Result<()> {
        let list = |list: Option<std::result::Result<String, serde_json::Error>>| list.transpose().map_err(corrupt);
        sqlx::query(
            "insert into api_key (hash, id, name, scopes, sites, ending, created_at) values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(secret.hash())
        .bind(key.id.as_str())
        .bind(key.name.as_str())
        .bind(list(key.scopes.as_ref().map(serde_json::to_string))?)
        .bind(list(key.sites.as_ref().map(serde_json::to_string))?)
        .bind(key.ending.as_str())
        .bind(key.created_at.as_millisecond())
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// All API keys, the oldest first.
    pub async fn api_keys(&mut self) -> Result<Vec<ApiKey>> {
        let rows = sqlx::query("select * from api_key order by created_at, id").fetch_all(&mut *self.connection).await?;
        rows.iter().map(api_key).collect()
    }

    /// Takes back every API key of a name, and gives their ids.
    pub async fn remove_api_keys(&mut self, name: &str) -> Result<Vec<String>> {
        let ids = sqlx::query_scalar("delete from api_key where name = $1 returning id").bind(name);
        Ok(ids.fetch_all(&mut *self.connection).await?)
    }

    /// Takes back an API key by its id, and gives its name.
    pub async fn remove_api_key(&mut self, id: &str) -> Result<Option<String>> {
        let name = sqlx::query_scalar("delete from api_key where id = $1 returning name").bind(id);
        Ok(name.fetch_optional(&mut *self.connection).await?)
    }

    /// Notes that a key was used.
    pub async fn api_key_used(&mut self, id: &str, now: Timestamp) -> Result<()> {
        sqlx::query("update api_key set used_at = $2 where id = $1")
            .bind(id)
            .bind(now.as_millisecond())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }
}

impl ApiKey {
    /// Whether it is to be noted that the key is used now.
    pub(crate) fn is_to_be_noted(&self, now: Timestamp) -> bool {
        self.used_at.is_none_or(|used| now.duration_since(used) >= NOTED_AFTER)
    }
}
