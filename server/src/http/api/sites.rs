//! Sites and their settings.

use axum::{
    Json,
    extract::{DefaultBodyLimit, Path, State},
    http::StatusCode,
    response::Response,
};
use jiff::Timestamp;
use porchlight_domain::id::SiteKey;
use serde::Serialize;
use serde_json::json;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ArrayBuilder, ObjectBuilder, RefOr, Type,
        schema::{AdditionalProperties, Schema, SchemaType},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Authorized, command::command, no_site, once::OnceToken, parsed, problems::Problems};
use crate::{
    http::{
        App,
        body::Json as Body,
        problem::{Code, Problem},
    },
    secret::Secret,
    site::Site,
    store::{Actor, AuditEntry, Failure, Tx},
};

pub(super) fn routes(limit: usize) -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(list_sites)).routes(routes!(get_site, put_site)).layer(DefaultBodyLimit::max(limit))
}

/// Refuses a site that is not there.
pub(super) async fn known(tx: &mut Tx<'_>, site: &SiteKey) -> Result<(), Failure<Problem>> {
    if tx.site_revision(site).await?.is_none() {
        return Err(Failure::Refused(no_site(site)));
    }
    Ok(())
}

/// The sites there are.
#[derive(Debug, Serialize, ToSchema)]
struct SiteList {
    /// Their keys.
    #[schema(value_type = Vec<String>)]
    sites: Vec<SiteKey>,
}

/// A site's settings, as an author writes them in `site.toml`.
struct SiteSettings;

impl PartialSchema for SiteSettings {
    fn schema() -> RefOr<Schema> {
        let text = |about: &str| ObjectBuilder::new().schema_type(Type::String).description(Some(about));
        let title = ObjectBuilder::new()
            .schema_type(SchemaType::AnyValue)
            .description(Some("The title of the panel: a text, or an object with a text for each language."));
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some(
                "The settings of a site, with the fields of `site.toml`: docs/conversations.md tells of each. Those that are not named \
                 get their defaults.",
            ))
            .property("key", text("The public key of the site, as in `data-site`. It is that of the address."))
            .property("title", title)
            .property("origins", ArrayBuilder::new().items(text("An origin of the site's pages, or `loopback`.")))
            .property("accent", text("Its colour."))
            .property("country", text("The country of phone numbers that name none, as two letters."))
            .required("key")
            .required("title")
            .required("origins")
            .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(true)))
            .into()
    }
}

impl ToSchema for SiteSettings {}

/// Lists the sites that the key is good for.
#[utoipa::path(
    get,
    path = "/api/v1/sites",
    tag = "sites",
    responses((status = 200, description = "Their keys.", body = SiteList), Problems),
    security(("key" = ["sites:read"]))
)]
async fn list_sites(key: Authorized, State(app): State<App>) -> Result<Json<SiteList>, Problem> {
    let good = key.sites(None)?;
    let mut sites = app.store.look(command!(|tx| -> Vec<SiteKey> { Ok(tx.sites().await?) })).await?;
    sites.retain(|site| good.as_ref().is_none_or(|good| good.contains(site)));
    Ok(Json(SiteList { sites }))
}

/// Gives the settings of a site.
#[utoipa::path(
    get,
    path = "/api/v1/sites/{site}",
    tag = "sites",
    params(("site" = String, Path, description = "The key of the site.")),
    responses((status = 200, description = "Its settings.", body = SiteSettings), Problems),
    security(("key" = ["sites:read"]))
)]
async fn get_site(key: Authorized, State(app): State<App>, Path(site): Path<String>) -> Result<Json<Site>, Problem> {
    let site = key.site(parsed(&site, "site")?)?;
    let read = command!(|tx, site: SiteKey| -> Site {
        let head = tx.site(&site).await?.ok_or_else(|| Failure::Refused(no_site(&site)))?;
        Ok(head.site)
    });
    Ok(Json(app.store.look(read).await?))
}

/// Keeps the settings of a site, and makes the site if it is new.
///
/// They take the place of all that were there before. A picture that they name is a file of the site, which has to be there already.
#[utoipa::path(
    put,
    path = "/api/v1/sites/{site}",
    tag = "sites",
    params(("site" = String, Path, description = "The key of the site.")),
    request_body(content = SiteSettings, content_type = "application/json"),
    responses((status = 204, description = "They are kept, and pages get them from now on."), Problems),
    security(("key" = ["sites:write"]))
)]
async fn put_site(
    key: Authorized,
    once: OnceToken,
    State(app): State<App>,
    Path(named): Path<String>,
    Body(site): Body<Site>,
) -> Result<Response, Problem> {
    if site.key.as_str() != named {
        let detail = format!("the address names the site \"{named}\", but the settings \"{}\"", site.key);
        return Err(Problem::new(Code::Malformed, detail).field("key"));
    }
    key.site(site.key.clone())?;
    let (request, secret) = (site.clone(), app.engine.outside.new_secret());
    let (actor, now) = (key.actor(), app.engine.outside.now());
    let put = command!(|tx, site: Site, secret: Secret, actor: Actor, now: Timestamp| -> () {
        if let Some(avatar) = &site.theme.avatar
            && tx.file(&site.key, avatar).await?.is_none()
        {
            let detail = format!("the site has no file \"{avatar}\"; put it there first");
            return Err(Failure::Refused(Problem::new(Code::Malformed, detail).field("theme.avatar")));
        }
        let detail = json!({ "new": tx.site_revision(&site.key).await?.is_none() });
        tx.put_site(&site, &site.to_toml(), &secret).await?;
        let (action, subject) = ("site.changed", site.key.as_str());
        Ok(tx.audit(AuditEntry { actor: &actor, action, site: Some(&site.key), subject, detail, at: now }).await?)
    });
    once.commit(&app, &key, &request, StatusCode::NO_CONTENT, put).await
}
