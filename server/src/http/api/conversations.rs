//! The conversations of a site: drafts, what is published, and every version.

use axum::{
    Json,
    extract::{DefaultBodyLimit, Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use porchlight_domain::{
    conversation::{Conversation, limits},
    id::{ConversationId, SiteKey},
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ArrayBuilder, ObjectBuilder, RefOr, Type,
        schema::{AdditionalProperties, Schema},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Authorized, command::command, once::OnceToken, parsed, problems::Problems, sites::known};
use crate::{
    http::{
        App,
        body::Raw,
        problem::{Code, Problem},
    },
    publish::{self, NotPublished, Outcome, Sources, Wrong},
    store::{Actor, AuditEntry, Command, Failure, Tx},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(list_conversations))
        .routes(routes!(get_draft, put_draft, delete_draft))
        .routes(routes!(publish_conversation))
        .routes(routes!(unpublish_conversation))
        .routes(routes!(list_versions))
        .routes(routes!(get_version))
        // One more, so that the reader can tell how large it is.
        .layer(DefaultBodyLimit::max(limits::DOCUMENT_BYTES + 1))
}

/// A conversation as its author wrote it.
struct ConversationDocument;

impl PartialSchema for ConversationDocument {
    fn schema() -> RefOr<Schema> {
        let text = |about: &str| ObjectBuilder::new().schema_type(Type::String).description(Some(about));
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some(
                "A conversation as its author wrote it. Its JSON Schema is at `/schema/conversation.json`, and in the repository in \
                 docs/conversation.schema.json; docs/conversations.md tells of every field.",
            ))
            .property("id", text("Its name within the site. It is that of the address."))
            .property("name", text("What it is called."))
            .property("cards", ArrayBuilder::new().items(ObjectBuilder::new().schema_type(Type::Object)))
            .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(true)))
            .into()
    }
}

impl ToSchema for ConversationDocument {}

/// The conversations of a site.
#[derive(Debug, Serialize, ToSchema)]
struct ConversationList {
    /// All of them, as drafts and as published, in the order of their ids.
    conversations: Vec<ConversationEntry>,
}

/// A conversation of a site.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ConversationEntry {
    /// Its name within the site.
    #[schema(value_type = String)]
    id: ConversationId,
    /// What it is called.
    name: Option<String>,
    /// `dialogue` or `conversationFlow`.
    #[serde(rename = "type")]
    #[schema(value_type = Option<String>)]
    kind: Option<&'static str>,
    /// `popup`, `chatbot` or `inline`.
    #[schema(value_type = Option<String>)]
    ui: Option<&'static str>,
    /// The version that is published; null, if none is.
    version: Option<u32>,
    /// Whether the draft says something else than what is published.
    changed: bool,
    /// When the draft was changed last; null, if there is none.
    #[schema(format = DateTime)]
    changed_at: Option<String>,
}

/// The versions of a conversation.
#[derive(Debug, Serialize, ToSchema)]
struct VersionList {
    /// All of them, the newest first.
    versions: Vec<VersionEntry>,
}

/// A version of a conversation. It never changes.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct VersionEntry {
    /// Its number, counted from 1.
    version: u32,
    /// When it was published first.
    #[schema(format = DateTime)]
    published_at: String,
    /// Whether it is the one that visitors get now.
    published: bool,
}

/// What came of publishing.
#[derive(Debug, Serialize, ToSchema)]
struct PublishOutcome {
    /// What is published now: what was asked for, and the conversations that run it and have changed with it.
    published: Vec<PublishedVersion>,
    /// The ids of the conversations that were taken out of publication.
    #[schema(value_type = Vec<String>)]
    unpublished: Vec<ConversationId>,
}

/// A conversation as it is published.
#[derive(Debug, Serialize, ToSchema)]
struct PublishedVersion {
    /// Its name within the site.
    #[schema(value_type = String)]
    id: ConversationId,
    /// Its version.
    version: u32,
}

fn no_conversation(id: &ConversationId) -> Problem {
    Problem::new(Code::UnknownConversation, format!("there is no conversation \"{id}\"")).field("conversation")
}

/// The site and the conversation of an address.
fn named(key: &Authorized, site: &str, id: &str) -> Result<(SiteKey, ConversationId), Problem> {
    Ok((key.site(parsed(site, "site")?)?, parsed(id, "conversation")?))
}

fn document(source: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], source).into_response()
}

/// Lists the conversations of a site.
#[utoipa::path(
    get,
    path = "/api/v1/sites/{site}/conversations",
    tag = "conversations",
    params(("site" = String, Path, description = "The key of the site.")),
    responses((status = 200, description = "Its conversations.", body = ConversationList), Problems),
    security(("key" = ["conversations:read"]))
)]
async fn list_conversations(
    key: Authorized,
    State(app): State<App>,
    Path(site): Path<String>,
) -> Result<Json<ConversationList>, Problem> {
    let site = key.site(parsed(&site, "site")?)?;
    let read = command!(|tx, site: SiteKey| -> Vec<ConversationEntry> {
        known(tx, &site).await?;
        let (drafts, published) = (tx.drafts(&site).await?, tx.published_sources(&site).await?);
        let mut ids: Vec<_> = drafts.iter().map(|draft| &draft.conversation).collect();
        ids.extend(published.iter().map(|known| &known.published.conversation));
        ids.sort();
        ids.dedup();
        let list = ids.into_iter().map(|id| {
            let draft = drafts.iter().find(|draft| draft.conversation == *id);
            let known = published.iter().find(|known| known.published.conversation == *id);
            let source = draft.map(|draft| &draft.source).or(known.map(|known| &known.source));
            let read = source.and_then(|source| Conversation::read(source).ok());
            ConversationEntry {
                id: id.clone(),
                kind: read.as_ref().map(|read| read.kind.name()),
                ui: read.as_ref().map(|read| read.ui.name()),
                name: read.map(|read| read.name),
                version: known.map(|known| known.published.version),
                changed: draft.is_some_and(|draft| known.is_none_or(|known| known.source != draft.source)),
                changed_at: draft.map(|draft| format!("{:.3}", draft.changed_at)),
            }
        });
        Ok(list.collect::<Vec<ConversationEntry>>())
    });
    Ok(Json(ConversationList { conversations: app.store.look(read).await? }))
}

/// Gives the draft of a conversation, as its author wrote it.
///
/// Of a conversation without a draft, it is what is published.
#[utoipa::path(
    get,
    path = "/api/v1/sites/{site}/conversations/{id}",
    tag = "conversations",
    params(
        ("site" = String, Path, description = "The key of the site."),
        ("id" = String, Path, description = "The id of the conversation.")
    ),
    responses((status = 200, description = "The document.", body = ConversationDocument), Problems),
    security(("key" = ["conversations:read"]))
)]
async fn get_draft(
    key: Authorized,
    State(app): State<App>,
    Path((site, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (site, id) = named(&key, &site, &id)?;
    let read = command!(|tx, site: SiteKey, id: ConversationId| -> String {
        known(tx, &site).await?;
        let draft = tx.drafts(&site).await?.into_iter().find(|draft| draft.conversation == id).map(|draft| draft.source);
        let source = match draft {
            Some(draft) => Some(draft),
            None => {
                let published = tx.published_sources(&site).await?;
                published.into_iter().find(|known| known.published.conversation == id).map(|known| known.source)
            }
        };
        source.ok_or_else(|| Failure::Refused(no_conversation(&id)))
    });
    Ok(document(app.store.look(read).await?))
}

/// Keeps the draft of a conversation.
///
/// Visitors get it when it is published. A document with problems is refused with all of them, each with its line and column.
#[utoipa::path(
    put,
    path = "/api/v1/sites/{site}/conversations/{id}",
    tag = "conversations",
    params(
        ("site" = String, Path, description = "The key of the site."),
        ("id" = String, Path, description = "The id of the conversation.")
    ),
    request_body(content = ConversationDocument, content_type = "application/json"),
    responses((status = 204, description = "It is kept."), Problems),
    security(("key" = ["conversations:write"]))
)]
async fn put_draft(
    key: Authorized,
    once: OnceToken,
    State(app): State<App>,
    Path((site, id)): Path<(String, String)>,
    Raw(source): Raw,
) -> Result<Response, Problem> {
    let (site, id) = named(&key, &site, &id)?;
    let source = String::from_utf8(source).map_err(|_| Problem::new(Code::Malformed, "expected text in UTF-8"))?;
    let conversation = Conversation::read(&source)
        .map_err(|problems| invalid(problems.into_iter().map(|problem| Wrong { conversation: id.clone(), problem }).collect()))?;
    if conversation.id != id {
        let detail = format!("the address names the conversation \"{id}\", but the document \"{}\"", conversation.id);
        return Err(Problem::new(Code::Malformed, detail).field("id"));
    }
    let (request, actor, now) = (source.clone(), key.actor(), app.engine.outside.now());
    let put = command!(|tx, site: SiteKey, id: ConversationId, source: String, actor: Actor, now: Timestamp| -> () {
        known(tx, &site).await?;
        tx.put_draft(&site, &id, &source, now).await?;
        let (action, subject, detail) = ("draft.changed", id.as_str(), json!({}));
        Ok(tx.audit(AuditEntry { actor: &actor, action, site: Some(&site), subject, detail, at: now }).await?)
    });
    once.commit(&app, &key, &request, StatusCode::NO_CONTENT, put).await
}

/// Throws the draft of a conversation away.
///
/// What is published stays published. That there is no draft is no error.
#[utoipa::path(
    delete,
    path = "/api/v1/sites/{site}/conversations/{id}",
    tag = "conversations",
    params(
        ("site" = String, Path, description = "The key of the site."),
        ("id" = String, Path, description = "The id of the conversation.")
    ),
    responses((status = 204, description = "There is no draft any more."), Problems),
    security(("key" = ["conversations:write"]))
)]
async fn delete_draft(
    key: Authorized,
    once: OnceToken,
    State(app): State<App>,
    Path((site, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (site, id) = named(&key, &site, &id)?;
    let (actor, now) = (key.actor(), app.engine.outside.now());
    let remove = command!(|tx, site: SiteKey, id: ConversationId, actor: Actor, now: Timestamp| -> () {
        known(tx, &site).await?;
        if !tx.remove_draft(&site, &id).await? {
            return Ok(());
        }
        let (action, subject, detail) = ("draft.removed", id.as_str(), json!({}));
        Ok(tx.audit(AuditEntry { actor: &actor, action, site: Some(&site), subject, detail, at: now }).await?)
    });
    once.commit(&app, &key, &(), StatusCode::NO_CONTENT, remove).await
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
    pub(crate) actor: Actor,
    pub(crate) now: Timestamp,
}

impl Command for Publish {
    type Done = Outcome;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Outcome, Failure<Problem>> {
        let Self { site, put, out, actor, now } = self;
        known(tx, &site).await?;
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
        publish::publish(tx, &site, sources, &out, &actor, now).await.map_err(|error| match error {
            NotPublished::Wrong(wrong) => Failure::Refused(invalid(wrong)),
            NotPublished::Store(error) => Failure::Store(error),
        })
    }
}

/// The same, with what came of it as the API tells it.
struct Told(Publish);

impl Command for Told {
    type Done = PublishOutcome;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<PublishOutcome, Failure<Problem>> {
        let Outcome { published, unpublished } = self.0.run(tx).await?;
        let published = published.into_iter().map(|(id, version)| PublishedVersion { id, version }).collect();
        Ok(PublishOutcome { published, unpublished })
    }
}

/// Publishes the draft of a conversation.
///
/// All that is published of a site is checked together, so a change of a conversation reaches those that run it. If something would not
/// run, nothing is published, and all that is wrong is told.
#[utoipa::path(
    post,
    path = "/api/v1/sites/{site}/conversations/{id}/publish",
    tag = "conversations",
    params(
        ("site" = String, Path, description = "The key of the site."),
        ("id" = String, Path, description = "The id of the conversation.")
    ),
    responses((status = 200, description = "What is published now.", body = PublishOutcome), Problems),
    security(("key" = ["conversations:write"]))
)]
async fn publish_conversation(
    key: Authorized,
    once: OnceToken,
    State(app): State<App>,
    Path((site, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (site, id) = named(&key, &site, &id)?;
    let publish = Publish { site, put: vec![id], out: Vec::new(), actor: key.actor(), now: app.engine.outside.now() };
    once.commit(&app, &key, &(), StatusCode::OK, Told(publish)).await
}

/// Takes a conversation out of publication.
///
/// Visitors who have begun it go on with it.
#[utoipa::path(
    post,
    path = "/api/v1/sites/{site}/conversations/{id}/unpublish",
    tag = "conversations",
    params(
        ("site" = String, Path, description = "The key of the site."),
        ("id" = String, Path, description = "The id of the conversation.")
    ),
    responses((status = 200, description = "What is published no more.", body = PublishOutcome), Problems),
    security(("key" = ["conversations:write"]))
)]
async fn unpublish_conversation(
    key: Authorized,
    once: OnceToken,
    State(app): State<App>,
    Path((site, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (site, id) = named(&key, &site, &id)?;
    let publish = Publish { site, put: Vec::new(), out: vec![id], actor: key.actor(), now: app.engine.outside.now() };
    once.commit(&app, &key, &(), StatusCode::OK, Told(publish)).await
}

/// Lists the versions of a conversation.
#[utoipa::path(
    get,
    path = "/api/v1/sites/{site}/conversations/{id}/versions",
    tag = "conversations",
    params(
        ("site" = String, Path, description = "The key of the site."),
        ("id" = String, Path, description = "The id of the conversation.")
    ),
    responses((status = 200, description = "Its versions.", body = VersionList), Problems),
    security(("key" = ["conversations:read"]))
)]
async fn list_versions(
    key: Authorized,
    State(app): State<App>,
    Path((site, id)): Path<(String, String)>,
) -> Result<Json<VersionList>, Problem> {
    let (site, id) = named(&key, &site, &id)?;
    let read = command!(|tx, site: SiteKey, id: ConversationId| -> Vec<VersionEntry> {
        known(tx, &site).await?;
        let published = tx.published(&site).await?.into_iter().find(|known| known.conversation == id);
        let versions = tx.versions(&site, &id).await?;
        if versions.is_empty() {
            return Err(Failure::Refused(no_conversation(&id)));
        }
        let list = versions.into_iter().map(|known| VersionEntry {
            version: known.version,
            published_at: format!("{:.3}", known.published_at),
            published: published.as_ref().is_some_and(|published| published.version == known.version),
        });
        Ok(list.collect::<Vec<VersionEntry>>())
    });
    Ok(Json(VersionList { versions: app.store.look(read).await? }))
}

/// Gives a version of a conversation, as its author wrote it.
#[utoipa::path(
    get,
    path = "/api/v1/sites/{site}/conversations/{id}/versions/{version}",
    tag = "conversations",
    params(
        ("site" = String, Path, description = "The key of the site."),
        ("id" = String, Path, description = "The id of the conversation."),
        ("version" = u32, Path, description = "The number of the version.")
    ),
    responses((status = 200, description = "The document.", body = ConversationDocument), Problems),
    security(("key" = ["conversations:read"]))
)]
async fn get_version(
    key: Authorized,
    State(app): State<App>,
    Path((site, id, version)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    let (site, id) = named(&key, &site, &id)?;
    let version: u32 = parsed(&version, "version")?;
    let read = command!(|tx, site: SiteKey, id: ConversationId, version: u32| -> String {
        known(tx, &site).await?;
        tx.version_source(&site, &id, version).await?.ok_or_else(|| Failure::Refused(no_conversation(&id)))
    });
    Ok(document(app.store.look(read).await?))
}
