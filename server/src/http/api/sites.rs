//! Sites, their conversations and their files.
//!
//! - `GET /api/v1/sites`, `GET` and `PUT /api/v1/sites/{site}`: settings, as JSON.
//! - `GET …/conversations`: what there is, as drafts and as published.
//! - `GET`, `PUT` and `DELETE …/conversations/{id}`: the draft. `POST …/{id}/publish` and `…/{id}/unpublish`.
//! - `GET …/conversations/{id}/versions` and `…/versions/{number}`.
//! - `GET …/files`, `PUT` and `DELETE …/files/{name}`.

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use jiff::Timestamp;
use porchlight_domain::{
    conversation::{Conversation, limits},
    id::{ConversationId, FileName, SiteKey},
};
use serde_json::{Value, json};

use super::{Authorized, no_site};
use crate::{
    files,
    http::{
        App,
        body::{Json as Body, Raw},
        problem::{Code, Problem},
    },
    publish::{self, NotPublished, Outcome, Sources, Wrong},
    secret::Secret,
    site::Site,
    store::{Command, Failure, SiteFile, Tx},
};

pub(super) fn routes(file_limit: usize) -> Router<App> {
    let conversations = Router::new()
        .route("/api/v1/sites/{site}/conversations", get(conversations))
        .route("/api/v1/sites/{site}/conversations/{id}", get(draft).put(put_draft).delete(delete_draft))
        .route("/api/v1/sites/{site}/conversations/{id}/publish", post(publish_one))
        .route("/api/v1/sites/{site}/conversations/{id}/unpublish", post(unpublish_one))
        .route("/api/v1/sites/{site}/conversations/{id}/versions", get(versions))
        .route("/api/v1/sites/{site}/conversations/{id}/versions/{version}", get(version))
        // One more, so that the reader can tell how large it is.
        .layer(DefaultBodyLimit::max(limits::DOCUMENT_BYTES + 1));
    let files = Router::new()
        .route("/api/v1/sites/{site}/files", get(files_of))
        .route("/api/v1/sites/{site}/files/{name}", put(put_file).delete(delete_file))
        .layer(DefaultBodyLimit::max(file_limit));
    Router::new()
        .route("/api/v1/sites", get(sites))
        .route("/api/v1/sites/{site}", get(site).put(put_site))
        .merge(conversations)
        .merge(files)
}

/// A command made of a block of code, with the variables that it needs.
macro_rules! command {
    (|$tx:ident $(, $name:ident: $kind:ty)*| -> $done:ty $body:block) => {{
        struct Block { $($name: $kind),* }
        impl Command for Block {
            type Done = $done;
            type Refusal = Problem;

            async fn run(self, $tx: &mut Tx<'_>) -> Result<$done, Failure<Problem>> {
                let Self { $($name),* } = self;
                $body
            }
        }
        Block { $($name),* }
    }};
}

fn parsed<T: std::str::FromStr<Err: ToString>>(text: &str, field: &str) -> Result<T, Problem> {
    text.parse().map_err(|error: T::Err| Problem::new(Code::Malformed, error.to_string()).field(field))
}

fn no_conversation(id: &ConversationId) -> Problem {
    Problem::new(Code::UnknownConversation, format!("there is no conversation \"{id}\"")).field("conversation")
}

async fn sites(_: Authorized, State(app): State<App>) -> Result<Json<Value>, Problem> {
    let keys = app.store.look(command!(|tx| -> Vec<SiteKey> { Ok(tx.sites().await?) })).await?;
    Ok(Json(json!({ "sites": keys })))
}

async fn site(_: Authorized, State(app): State<App>, Path(key): Path<String>) -> Result<Json<Site>, Problem> {
    let key: SiteKey = parsed(&key, "site")?;
    let read = command!(|tx, key: SiteKey| -> Site {
        let head = tx.site(&key).await?.ok_or_else(|| Failure::Refused(no_site(&key)))?;
        Ok(head.site)
    });
    Ok(Json(app.store.look(read).await?))
}

async fn put_site(
    _: Authorized,
    State(app): State<App>,
    Path(key): Path<String>,
    Body(site): Body<Site>,
) -> Result<StatusCode, Problem> {
    if site.key.as_str() != key {
        let detail = format!("the address names the site \"{key}\", but the settings \"{}\"", site.key);
        return Err(Problem::new(Code::Malformed, detail).field("key"));
    }
    let secret = app.engine.outside.new_secret();
    let put = command!(|tx, site: Site, secret: Secret| -> () {
        if let Some(avatar) = &site.theme.avatar
            && tx.file(&site.key, avatar).await?.is_none()
        {
            let detail = format!("the site has no file \"{avatar}\"; put it there first");
            return Err(Failure::Refused(Problem::new(Code::Malformed, detail).field("theme.avatar")));
        }
        Ok(tx.put_site(&site, &site.to_toml(), &secret).await?)
    });
    app.store.commit(put).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn conversations(_: Authorized, State(app): State<App>, Path(key): Path<String>) -> Result<Json<Value>, Problem> {
    let key: SiteKey = parsed(&key, "site")?;
    let read = command!(|tx, key: SiteKey| -> Vec<Value> {
        if tx.site_revision(&key).await?.is_none() {
            return Err(Failure::Refused(no_site(&key)));
        }
        let (drafts, published) = (tx.drafts(&key).await?, tx.published_sources(&key).await?);
        let mut ids: Vec<_> = drafts.iter().map(|draft| &draft.conversation).collect();
        ids.extend(published.iter().map(|known| &known.published.conversation));
        ids.sort();
        ids.dedup();
        let list = ids.into_iter().map(|id| {
            let draft = drafts.iter().find(|draft| draft.conversation == *id);
            let known = published.iter().find(|known| known.published.conversation == *id);
            let source = draft.map(|draft| &draft.source).or(known.map(|known| &known.source));
            let read = source.and_then(|source| Conversation::read(source).ok());
            json!({
                "id": id,
                "name": read.as_ref().map(|read| &read.name),
                "type": read.as_ref().map(|read| read.kind.name()),
                "ui": read.as_ref().map(|read| read.ui.name()),
                "version": known.map(|known| known.published.version),
                "changed": draft.is_some_and(|draft| known.is_none_or(|known| known.source != draft.source)),
                "changedAt": draft.map(|draft| format!("{:.3}", draft.changed_at)),
            })
        });
        Ok(list.collect::<Vec<Value>>())
    });
    Ok(Json(json!({ "conversations": app.store.look(read).await? })))
}

fn document(source: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], source).into_response()
}

async fn draft(_: Authorized, State(app): State<App>, Path((key, id)): Path<(String, String)>) -> Result<Response, Problem> {
    let (key, id): (SiteKey, ConversationId) = (parsed(&key, "site")?, parsed(&id, "conversation")?);
    let read = command!(|tx, key: SiteKey, id: ConversationId| -> String {
        let draft = tx.drafts(&key).await?.into_iter().find(|draft| draft.conversation == id).map(|draft| draft.source);
        let source = match draft {
            Some(draft) => Some(draft),
            None => {
                let published = tx.published_sources(&key).await?;
                published.into_iter().find(|known| known.published.conversation == id).map(|known| known.source)
            }
        };
        source.ok_or_else(|| Failure::Refused(no_conversation(&id)))
    });
    Ok(document(app.store.look(read).await?))
}

async fn put_draft(
    _: Authorized,
    State(app): State<App>,
    Path((key, id)): Path<(String, String)>,
    Raw(source): Raw,
) -> Result<StatusCode, Problem> {
    let (key, id): (SiteKey, ConversationId) = (parsed(&key, "site")?, parsed(&id, "conversation")?);
    let source = String::from_utf8(source).map_err(|_| Problem::new(Code::Malformed, "expected text in UTF-8"))?;
    let conversation = Conversation::read(&source)
        .map_err(|problems| invalid(problems.into_iter().map(|problem| Wrong { conversation: id.clone(), problem }).collect()))?;
    if conversation.id != id {
        let detail = format!("the address names the conversation \"{id}\", but the document \"{}\"", conversation.id);
        return Err(Problem::new(Code::Malformed, detail).field("id"));
    }
    let now = app.engine.outside.now();
    let put = command!(|tx, key: SiteKey, id: ConversationId, source: String, now: Timestamp| -> () {
        if tx.site_revision(&key).await?.is_none() {
            return Err(Failure::Refused(no_site(&key)));
        }
        Ok(tx.put_draft(&key, &id, &source, now).await?)
    });
    app.store.commit(put).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn delete_draft(
    _: Authorized,
    State(app): State<App>,
    Path((key, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let (key, id): (SiteKey, ConversationId) = (parsed(&key, "site")?, parsed(&id, "conversation")?);
    let remove = command!(|tx, key: SiteKey, id: ConversationId| -> () { Ok(tx.remove_draft(&key, &id).await?) });
    app.store.commit(remove).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn invalid(wrong: Vec<Wrong>) -> Problem {
    let list: Vec<Value> = wrong
        .iter()
        .map(|Wrong { conversation, problem }| {
            json!({
                "conversation": conversation, "line": problem.line, "column": problem.column, "pointer": problem.pointer,
                "message": problem.message,
            })
        })
        .collect();
    Problem::new(Code::InvalidConversation, "the conversation has problems; nothing was changed").with("problems", list)
}

/// Publishes the drafts of some conversations, or takes them out of publication.
pub(crate) struct Publish {
    pub(crate) site: SiteKey,
    pub(crate) put: Vec<ConversationId>,
    pub(crate) out: Vec<ConversationId>,
    pub(crate) now: Timestamp,
}

impl Command for Publish {
    type Done = Outcome;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Outcome, Failure<Problem>> {
        let Self { site, put, out, now } = self;
        if tx.site_revision(&site).await?.is_none() {
            return Err(Failure::Refused(no_site(&site)));
        }
        let drafts = tx.drafts(&site).await?;
        let published = tx.published(&site).await?;
        let mut sources = Sources::new();
        for id in put {
            let draft =
                drafts.iter().find(|draft| draft.conversation == id).ok_or_else(|| Failure::Refused(no_conversation(&id)))?;
            sources.insert(id, draft.source.clone());
        }
        if let Some(id) = out.iter().find(|id| !published.iter().any(|known| known.conversation == **id)) {
            return Err(Failure::Refused(no_conversation(id)));
        }
        publish::publish(tx, &site, sources, &out, now).await.map_err(|error| match error {
            NotPublished::Wrong(wrong) => Failure::Refused(invalid(wrong)),
            NotPublished::Store(error) => Failure::Store(error),
        })
    }
}

fn told(outcome: &Outcome) -> Json<Value> {
    let published: Vec<_> = outcome.published.iter().map(|(id, version)| json!({ "id": id, "version": version })).collect();
    Json(json!({ "published": published, "unpublished": outcome.unpublished }))
}

async fn publish_one(
    _: Authorized,
    State(app): State<App>,
    Path((key, id)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let (site, put) = (parsed(&key, "site")?, vec![parsed(&id, "conversation")?]);
    let now = app.engine.outside.now();
    Ok(told(&app.store.commit(Publish { site, put, out: Vec::new(), now }).await?))
}

async fn unpublish_one(
    _: Authorized,
    State(app): State<App>,
    Path((key, id)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let (site, out) = (parsed(&key, "site")?, vec![parsed(&id, "conversation")?]);
    let now = app.engine.outside.now();
    Ok(told(&app.store.commit(Publish { site, put: Vec::new(), out, now }).await?))
}

async fn versions(
    _: Authorized,
    State(app): State<App>,
    Path((key, id)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let (key, id): (SiteKey, ConversationId) = (parsed(&key, "site")?, parsed(&id, "conversation")?);
    let read = command!(|tx, key: SiteKey, id: ConversationId| -> Vec<Value> {
        let published = tx.published(&key).await?.into_iter().find(|known| known.conversation == id);
        let versions = tx.versions(&key, &id).await?;
        if versions.is_empty() {
            return Err(Failure::Refused(no_conversation(&id)));
        }
        let list = versions.into_iter().map(|known| {
            json!({
                "version": known.version,
                "publishedAt": format!("{:.3}", known.published_at),
                "published": published.as_ref().is_some_and(|published| published.version == known.version),
            })
        });
        Ok(list.collect::<Vec<Value>>())
    });
    Ok(Json(json!({ "versions": app.store.look(read).await? })))
}

async fn version(
    _: Authorized,
    State(app): State<App>,
    Path((key, id, version)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    let (key, id): (SiteKey, ConversationId) = (parsed(&key, "site")?, parsed(&id, "conversation")?);
    let version: u32 = parsed(&version, "version")?;
    let read = command!(|tx, key: SiteKey, id: ConversationId, version: u32| -> String {
        tx.version_source(&key, &id, version).await?.ok_or_else(|| Failure::Refused(no_conversation(&id)))
    });
    Ok(document(app.store.look(read).await?))
}

async fn files_of(_: Authorized, State(app): State<App>, Path(key): Path<String>) -> Result<Json<Value>, Problem> {
    let key: SiteKey = parsed(&key, "site")?;
    let read = command!(|tx, key: SiteKey| -> Vec<(FileName, String)> { Ok(tx.file_names(&key).await?) });
    let names = app.store.look(read).await?;
    let list: Vec<_> = names.iter().map(|(name, hash)| json!({ "name": name, "hash": hash })).collect();
    Ok(Json(json!({ "files": list })))
}

async fn put_file(
    _: Authorized,
    State(app): State<App>,
    Path((key, name)): Path<(String, String)>,
    Raw(content): Raw,
) -> Result<StatusCode, Problem> {
    let (key, name): (SiteKey, FileName) = (parsed(&key, "site")?, parsed(&name, "name")?);
    let file = files::read(name, content, app.settings.file_limit_bytes)
        .map_err(|error| Problem::new(Code::Malformed, error.to_string()).field("name"))?;
    let put = command!(|tx, key: SiteKey, file: SiteFile| -> () {
        if tx.site_revision(&key).await?.is_none() {
            return Err(Failure::Refused(no_site(&key)));
        }
        tx.put_file(&key, &file).await?;
        Ok(tx.touch_site(&key).await?)
    });
    app.store.commit(put).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn delete_file(
    _: Authorized,
    State(app): State<App>,
    Path((key, name)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let (key, name): (SiteKey, FileName) = (parsed(&key, "site")?, parsed(&name, "name")?);
    let remove = command!(|tx, key: SiteKey, name: FileName| -> () {
        tx.remove_file(&key, &name).await?;
        Ok(tx.touch_site(&key).await?)
    });
    app.store.commit(remove).await?;
    Ok(StatusCode::NO_CONTENT)
}
