//! The files of a site: documents that cards show, and pictures.

use axum::{
    Json,
    extract::{DefaultBodyLimit, Path, State},
    http::StatusCode,
    response::Response,
};
use jiff::Timestamp;
use porchlight_domain::id::{FileName, SiteKey};
use serde::Serialize;
use serde_json::json;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, SchemaFormat, Type, schema::Schema},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Authorized, command::command, once::OnceToken, parsed, problems::Problems, sites::known};
use crate::{
    files,
    http::{
        App,
        body::Raw,
        problem::{Code, Problem},
    },
    store::{Actor, AuditEntry, SiteFile},
};

pub(super) fn routes(limit: usize) -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(list_files))
        .routes(routes!(put_file, delete_file))
        .layer(DefaultBodyLimit::max(limit))
}

/// The files of a site.
#[derive(Debug, Serialize, ToSchema)]
struct FileList {
    /// All of them.
    files: Vec<FileEntry>,
}

/// A file of a site.
#[derive(Debug, Serialize, ToSchema)]
struct FileEntry {
    /// Its name, as cards name it.
    #[schema(value_type = String)]
    name: FileName,
    /// What tells its content from others.
    hash: String,
}

/// The bytes of a file.
struct FileContent;

impl PartialSchema for FileContent {
    fn schema() -> RefOr<Schema> {
        let bytes = ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)));
        bytes.description(Some("A PDF, PNG, JPEG, GIF or WebP, as the ending of its name says.")).into()
    }
}

impl ToSchema for FileContent {}

/// Lists the files of a site.
#[utoipa::path(
    get,
    path = "/api/v1/sites/{site}/files",
    tag = "files",
    params(("site" = String, Path, description = "The key of the site.")),
    responses((status = 200, description = "Its files.", body = FileList), Problems),
    security(("key" = ["sites:read"]))
)]
async fn list_files(key: Authorized, State(app): State<App>, Path(site): Path<String>) -> Result<Json<FileList>, Problem> {
    let site = key.site(parsed(&site, "site")?)?;
    let read = command!(|tx, site: SiteKey| -> Vec<(FileName, String)> {
        known(tx, &site).await?;
        Ok(tx.file_names(&site).await?)
    });
    let files = app.store.look(read).await?.into_iter().map(|(name, hash)| FileEntry { name, hash }).collect();
    Ok(Json(FileList { files }))
}

/// Keeps a file of a site.
///
/// It takes the place of one of the same name. Visitors get it at `/files/{site}/{name}`.
#[utoipa::path(
    put,
    path = "/api/v1/sites/{site}/files/{name}",
    tag = "files",
    params(
        ("site" = String, Path, description = "The key of the site."),
        ("name" = String, Path, description = "The name of the file, such as `guide.pdf`.")
    ),
    request_body(content = FileContent, content_type = "application/octet-stream"),
    responses((status = 204, description = "It is kept."), Problems),
    security(("key" = ["sites:write"]))
)]
async fn put_file(
    key: Authorized,
    once: OnceToken,
    State(app): State<App>,
    Path((site, name)): Path<(String, String)>,
    Raw(content): Raw,
) -> Result<Response, Problem> {
    let (site, name): (SiteKey, FileName) = (key.site(parsed(&site, "site")?)?, parsed(&name, "name")?);
    let file = files::read(name, content, app.settings.file_limit_bytes)
        .map_err(|error| Problem::new(Code::Malformed, error.to_string()).field("name"))?;
    let (hash, actor, now) = (file.hash.clone(), key.actor(), app.engine.outside.now());
    let put = command!(|tx, site: SiteKey, file: SiteFile, actor: Actor, now: Timestamp| -> () {
        known(tx, &site).await?;
        tx.put_file(&site, &file).await?;
        tx.touch_site(&site).await?;
        let detail = json!({ "hash": file.hash });
        let (action, subject) = ("file.put", file.name.as_str());
        Ok(tx.audit(AuditEntry { actor: &actor, action, site: Some(&site), subject, detail, at: now }).await?)
    });
    once.commit(&app, &key, &hash, StatusCode::NO_CONTENT, put).await
}

/// Throws a file of a site away.
///
/// Cards that show it have a link to nothing from then on. That there is no such file is no error.
#[utoipa::path(
    delete,
    path = "/api/v1/sites/{site}/files/{name}",
    tag = "files",
    params(
        ("site" = String, Path, description = "The key of the site."),
        ("name" = String, Path, description = "The name of the file.")
    ),
    responses((status = 204, description = "It is not there any more."), Problems),
    security(("key" = ["sites:write"]))
)]
async fn delete_file(
    key: Authorized,
    once: OnceToken,
    State(app): State<App>,
    Path((site, name)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (site, name): (SiteKey, FileName) = (key.site(parsed(&site, "site")?)?, parsed(&name, "name")?);
    let (actor, now) = (key.actor(), app.engine.outside.now());
    let remove = command!(|tx, site: SiteKey, name: FileName, actor: Actor, now: Timestamp| -> () {
        known(tx, &site).await?;
        if !tx.remove_file(&site, &name).await? {
            return Ok(());
        }
        tx.touch_site(&site).await?;
        let (action, subject, detail) = ("file.removed", name.as_str(), json!({}));
        Ok(tx.audit(AuditEntry { actor: &actor, action, site: Some(&site), subject, detail, at: now }).await?)
    });
    once.commit(&app, &key, &(), StatusCode::NO_CONTENT, remove).await
}
