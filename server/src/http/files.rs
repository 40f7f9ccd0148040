//! `GET /files/{site}/{name}`: the files of a site, which anybody may have.

use axum::{
    Router,
    extract::{Path, RawQuery, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};
use porchlight_domain::id::{FileName, SiteKey};

use super::{
    App,
    problem::{Code, Problem},
};
use crate::store::{Command, Failure, SiteFile, Tx};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/files/{site}/{name}", get(file))
}

/// With the hash of its content in its address, a file never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Without it, it may.
const A_WHILE: &str = "public, max-age=300";
/// A browser's own viewer of documents is an object of the document's page; nothing else of it may run.
const POLICY: &str = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; img-src 'self'; media-src 'self'";

async fn file(
    State(app): State<App>,
    Path((site, name)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let unknown = || Problem::new(Code::NotFound, "the site has no such file");
    let (Ok(site), Ok(name)) = (site.parse(), name.parse()) else { return Err(unknown()) };
    let file = app.store.look(Read { site, name }).await.map_err(|failure| match failure {
        Failure::Refused(()) => unknown(),
        Failure::Store(error) => error.into(),
    })?;
    let asked = |wanted: &str| query.as_deref().unwrap_or_default().split('&').any(|part| part == wanted);
    let cache = if asked(&format!("v={}", file.hash)) { FOR_EVER } else { A_WHILE };
    let how = if asked("download") { "attachment" } else { "inline" };
    // The name is of letters, digits, dots and dashes only.
    let disposition = format!("{how}; filename=\"{}\"", file.name);
    let headers = [
        (header::CONTENT_TYPE, file.kind.clone()),
        (header::CACHE_CONTROL, cache.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
        (header::ETAG, format!("\"{}\"", file.hash)),
    ];
    let mut response = (headers, file.content).into_response();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    Ok(response)
}

struct Read {
    site: SiteKey,
    name: FileName,
}

impl Command for Read {
    type Done = SiteFile;
    type Refusal = ();

    async fn run(self, tx: &mut Tx<'_>) -> Result<SiteFile, Failure<()>> {
        tx.file(&self.site, &self.name).await?.ok_or(Failure::Refused(()))
    }
}
