//! Sites: their settings, files, drafts, and what of them is published.

use jiff::Timestamp;
use porchlight_domain::{
    conversation::Conversation,
    id::{ConversationId, FileName, SiteKey},
};
use sqlx::Row;

use super::{Result, Tx, corrupt, parse, small, time};
use crate::{secret::Secret, site::Site};

/// A conversation as it is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Which.
    pub conversation: ConversationId,
    /// In which version.
    pub version: u32,
}

/// What the author of a published conversation wrote, beside what visitors get of it.
#[derive(Debug, Clone)]
pub struct PublishedSource {
    /// Which, in which version.
    pub published: Published,
    /// As the author wrote it.
    pub source: String,
    /// With its sub-flows in it, as it is stored.
    pub document: String,
}

/// A draft.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Of which conversation.
    pub conversation: ConversationId,
    /// As the author wrote it.
    pub source: String,
    /// When it was last changed.
    pub changed_at: Timestamp,
}

/// A version of a conversation.
#[derive(Debug, Clone)]
pub struct Version {
    /// Its number, counted from 1.
    pub version: u32,
    /// When it was published first.
    pub published_at: Timestamp,
}

/// A file of a site.
#[derive(Debug, Clone)]
pub struct SiteFile {
    /// Its name.
    pub name: FileName,
    /// Its media type.
    pub kind: String,
    /// The hash of its content, as text.
    pub hash: String,
    /// Its content.
    pub content: Vec<u8>,
}

/// A site, in short.
#[derive(Debug, Clone)]
pub struct SiteHead {
    /// Its settings.
    pub site: Site,
    /// The settings as the author wrote them.
    pub source: String,
}

impl Tx<'_> {
    /// The revision of a site: it grows with everything that visitors are to see.
    pub async fn site_revision(&mut self, key: &SiteKey) -> Result<Option<i64>> {
        let revision = sqlx::query_scalar("select revision from site where key = $1").bind(key.as_str());
        Ok(revision.fetch_optional(&mut *self.connection).await?)
    }

    /// A site's settings.
    pub async fn site(&mut self, key: &SiteKey) -> Result<Option<SiteHead>> {
        let row = sqlx::query("select settings, source from site where key = $1")
            .bind(key.as_str())
            .fetch_optional(&mut *self.connection)
            .await?;
        row.map(|row| {
            let site: Site = serde_json::from_str(&row.try_get::<String, _>("settings")?).map_err(corrupt)?;
            let source = row.try_get::<Option<String>, _>("source")?.unwrap_or_else(|| site.to_toml());
            Ok(SiteHead { site, source })
        })
        .transpose()
    }

    /// Every site there is.
    pub async fn sites(&mut self) -> Result<Vec<SiteKey>> {
        let rows = sqlx::query("select key from site order by key").fetch_all(&mut *self.connection).await?;
        rows.iter().map(|row| parse(row, "key")).collect()
    }

    /// Puts a site's settings in the place of the ones before; a new site gets the secret.
    pub async fn put_site(&mut self, site: &Site, source: &str, secret: &Secret) -> Result<()> {
        let settings = serde_json::to_string(site).map_err(corrupt)?;
        sqlx::query(
            "insert into site (key, settings, source, secret) values ($1, $2, $3, $4)
             on conflict (key) do update set settings = excluded.settings, source = excluded.source,
                 secret = coalesce(site.secret, excluded.secret)",
        )
        .bind(site.key.as_str())
        .bind(settings)
        .bind(source)
        .bind(secret.reveal())
        .execute(&mut *self.connection)
        .await?;
        self.touch_site(&site.key).await
    }

    /// Notes that what visitors are to see has changed.
    pub async fn touch_site(&mut self, key: &SiteKey) -> Result<()> {
        sqlx::query("update site set revision = revision + 1 where key = $1")
            .bind(key.as_str())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// The secret that a site's own server signs the identities of its visitors with.
    pub async fn site_secret(&mut self, key: &SiteKey) -> Result<Option<String>> {
        let secret = sqlx::query_scalar("select secret from site where key = $1").bind(key.as_str());
        Ok(secret.fetch_optional(&mut *self.connection).await?.flatten())
    }

    /// Puts another secret in the place of a site's. False if there is no such site.
    pub async fn put_site_secret(&mut self, key: &SiteKey, secret: &Secret) -> Result<bool> {
        let update = sqlx::query("update site set secret = $2 where key = $1").bind(key.as_str()).bind(secret.reveal());
        Ok(update.execute(&mut *self.connection).await?.rows_affected() > 0)
    }

    // Drafts.

    /// The drafts of a site, in the order of their ids.
    pub async fn drafts(&mut self, site: &SiteKey) -> Result<Vec<Draft>> {
        let rows = sqlx::query("select id, source, changed_at from draft where site = $1 order by id")
            .bind(site.as_str())
            .fetch_all(&mut *self.connection)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Draft {
                    conversation: parse(row, "id")?,
                    source: row.try_get("source")?,
                    changed_at: time(row, "changed_at")?,
                })
            })
            .collect()
    }

    /// Keeps a draft.
    pub async fn put_draft(&mut self, site: &SiteKey, id: &ConversationId, source: &str, now: Timestamp) -> Result<()> {
        sqlx::query(
            "insert into draft (site, id, source, changed_at) values ($1, $2, $3, $4) on conflict (site, id) do update set
                 changed_at = case when draft.source = excluded.source then draft.changed_at else excluded.changed_at end,
                 source = excluded.source",
        )
        .bind(site.as_str())
        .bind(id.as_str())
        .bind(source)
        .bind(now.as_millisecond())
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Throws a draft away. False if there was none.
    pub async fn remove_draft(&mut self, site: &SiteKey, id: &ConversationId) -> Result<bool> {
        let delete = sqlx::query("delete from draft where site = $1 and id = $2").bind(site.as_str()).bind(id.as_str());
        Ok(delete.execute(&mut *self.connection).await?.rows_affected() > 0)
    }

    // What is published.

    /// The conversations a site has published, in the order of their ids.
    pub async fn published(&mut self, site: &SiteKey) -> Result<Vec<Published>> {
        let rows = sqlx::query("select conversation, version from published where site = $1 order by conversation")
            .bind(site.as_str())
            .fetch_all(&mut *self.connection)
            .await?;
        rows.iter()
            .map(|row| Ok(Published { conversation: parse(row, "conversation")?, version: small(row, "version")? }))
            .collect()
    }

    /// The same with what their authors wrote.
    pub async fn published_sources(&mut self, site: &SiteKey) -> Result<Vec<PublishedSource>> {
        let rows = sqlx::query(
            "select p.conversation, p.version, c.document, coalesce(c.source, c.document) as source from published p
             join conversation c on c.site = p.site and c.id = p.conversation and c.version = p.version
             where p.site = $1 order by p.conversation",
        )
        .bind(site.as_str())
        .fetch_all(&mut *self.connection)
        .await?;
        rows.iter()
            .map(|row| {
                let published = Published { conversation: parse(row, "conversation")?, version: small(row, "version")? };
                Ok(PublishedSource { published, source: row.try_get("source")?, document: row.try_get("document")? })
            })
            .collect()
    }

    /// A version of a conversation, published now or once.
    pub async fn document(&mut self, site: &SiteKey, conversation: &ConversationId, version: u32) -> Result<Conversation> {
        let document: String =
            sqlx::query_scalar("select document from conversation where site = $1 and id = $2 and version = $3")
                .bind(site.as_str())
                .bind(conversation.as_str())
                .bind(version)
                .fetch_one(&mut *self.connection)
                .await?;
        serde_json::from_str(&document).map_err(corrupt)
    }

    /// What the author wrote of a version, if there is such a version.
    pub async fn version_source(&mut self, site: &SiteKey, id: &ConversationId, version: u32) -> Result<Option<String>> {
        let source = sqlx::query_scalar(
            "select coalesce(source, document) from conversation where site = $1 and id = $2 and version = $3",
        )
        .bind(site.as_str())
        .bind(id.as_str())
        .bind(version);
        Ok(source.fetch_optional(&mut *self.connection).await?)
    }

    /// Every version of a conversation, the newest first.
    pub async fn versions(&mut self, site: &SiteKey, id: &ConversationId) -> Result<Vec<Version>> {
        let rows =
            sqlx::query("select version, published_at from conversation where site = $1 and id = $2 order by version desc")
                .bind(site.as_str())
                .bind(id.as_str())
                .fetch_all(&mut *self.connection)
                .await?;
        rows.iter().map(|row| Ok(Version { version: small(row, "version")?, published_at: time(row, "published_at")? })).collect()
    }

    /// Publishes a conversation as the version after its last; if that is the same to the letter, it becomes the published one again.
    pub async fn publish(
        &mut self,
        site: &SiteKey,
        conversation: &Conversation,
        source: &str,
        now: Timestamp,
    ) -> Result<Published> {
        let document = serde_json::to_string(conversation).map_err(corrupt)?;
        let last =
            sqlx::query("select version, document from conversation where site = $1 and id = $2 order by version desc limit 1")
                .bind(site.as_str())
                .bind(conversation.id.as_str())
                .fetch_optional(&mut *self.connection)
                .await?;
        let (last_version, unchanged) = match &last {
            Some(row) => (small(row, "version")?, row.try_get::<String, _>("document")? == document),
            None => (0, false),
        };
        let version = if unchanged { last_version } else { last_version + 1 };
        // Laid out anew, or in other words that mean the same, it is the same version all the same.
        sqlx::query(
            "insert into conversation (site, id, version, document, source, published_at) values ($1, $2, $3, $4, $5, $6)
             on conflict (site, id, version) do update set source = excluded.source",
        )
        .bind(site.as_str())
        .bind(conversation.id.as_str())
        .bind(version)
        .bind(document)
        .bind(source)
        .bind(now.as_millisecond())
        .execute(&mut *self.connection)
        .await?;
        sqlx::query(
            "insert into published (site, conversation, version) values ($1, $2, $3)
             on conflict (site, conversation) do update set version = excluded.version",
        )
        .bind(site.as_str())
        .bind(conversation.id.as_str())
        .bind(version)
        .execute(&mut *self.connection)
        .await?;
        Ok(Published { conversation: conversation.id.clone(), version })
    }

    /// Takes a conversation out of publication; those who began it may go on.
    pub async fn unpublish(&mut self, site: &SiteKey, conversation: &ConversationId) -> Result<()> {
        sqlx::query("delete from published where site = $1 and conversation = $2")
            .bind(site.as_str())
            .bind(conversation.as_str())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    // Files.

    /// The names of a site's files, with their hashes.
    pub async fn file_names(&mut self, site: &SiteKey) -> Result<Vec<(FileName, String)>> {
        let rows = sqlx::query("select name, hash from file where site = $1 order by name")
            .bind(site.as_str())
            .fetch_all(&mut *self.connection)
            .await?;
        rows.iter().map(|row| Ok((parse(row, "name")?, row.try_get("hash")?))).collect()
    }

    /// A file of a site.
    pub async fn file(&mut self, site: &SiteKey, name: &FileName) -> Result<Option<SiteFile>> {
        let row = sqlx::query("select name, type, hash, content from file where site = $1 and name = $2")
            .bind(site.as_str())
            .bind(name.as_str())
            .fetch_optional(&mut *self.connection)
            .await?;
        row.as_ref().map(site_file).transpose()
    }

    /// Keeps a file.
    pub async fn put_file(&mut self, site: &SiteKey, file: &SiteFile) -> Result<()> {
        sqlx::query(
            "insert into file (site, name, type, hash, content) values ($1, $2, $3, $4, $5)
             on conflict (site, name) do update set type = excluded.type, hash = excluded.hash, content = excluded.content",
        )
        .bind(site.as_str())
        .bind(file.name.as_str())
        .bind(&file.kind)
        .bind(&file.hash)
        .bind(&file.content)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Throws a file away. False if there was none.
    pub async fn remove_file(&mut self, site: &SiteKey, name: &FileName) -> Result<bool> {
        let delete = sqlx::query("delete from file where site = $1 and name = $2").bind(site.as_str()).bind(name.as_str());
        Ok(delete.execute(&mut *self.connection).await?.rows_affected() > 0)
    }
}

pub(in crate::store) fn site_file(row: &sqlx::sqlite::SqliteRow) -> Result<SiteFile> {
    Ok(SiteFile {
        name: parse(row, "name")?,
        kind: row.try_get("type")?,
        hash: row.try_get("hash")?,
        content: row.try_get("content")?,
    })
}
