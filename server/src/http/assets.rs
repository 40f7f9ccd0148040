//! `GET /porchlight.js`, its types, and what the panel loads.

use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use porchlight_domain::conversation::schema;

use super::{
    App,
    problem::{Code, Problem},
};
use crate::assets::{self, Manifest, manifest};

pub(super) fn routes() -> Router<App> {
    let public = assets::public().fold(Router::new(), |router, (name, content)| {
        let headers = [(header::CONTENT_TYPE, kind(&name)), (header::CACHE_CONTROL, "public, max-age=86400")];
        router.route(&format!("/{name}"), get(async move || (headers, content)))
    });
    public
        .route("/porchlight.js", get(|headers: HeaderMap| async move { serve("porchlight.js", LOADER, &headers) }))
        .route("/porchlight.d.ts", get(|headers: HeaderMap| async move { serve("porchlight.d.ts", LOADER, &headers) }))
        .route("/schema/conversation.json", get(async || ([(header::CONTENT_TYPE, "application/schema+json")], schema::json())))
        .route("/assets/{name}", get(hashed))
}

/// The loader keeps its name, so a browser asks again after five minutes, and meanwhile uses what it has.
const LOADER: &str = "public, max-age=300, stale-while-revalidate=86400";
/// A name with a hash never means anything else.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

async fn hashed(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Manifest { widget, css, console, console_css, stage, analytics } = manifest();
    // A loader that a browser still has from before an update asks for the parts of that time: this one's do as well.
    for (part, now) in [("stage.", stage), ("analytics.", analytics)] {
        if name.starts_with(part) && name.ends_with(".js") && name != *now {
            return serve(now, LOADER, &headers);
        }
    }
    // Only what pages and panels load; the other files have addresses of their own.
    let known = [css.clone(), stage.clone(), analytics.clone(), format!("{widget}.js"), format!("{widget}_bg.wasm")];
    let of_console = [console_css.clone(), format!("{console}.js"), format!("{console}_bg.wasm")];
    if known.contains(&name) || of_console.contains(&name) {
        serve(&name, FOR_EVER, &headers)
    } else {
        Problem::new(Code::NotFound, "there is no such file in this version").into_response()
    }
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("wasm") => "application/wasm",
        _ => "text/plain; charset=utf-8",
    }
}

fn serve(name: &str, cache: &'static str, headers: &HeaderMap) -> Response {
    let accepts = |header, wanted: &str| {
        headers
            .get_all(header)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|part| part.split(';').next().is_some_and(|part| part.trim().trim_start_matches("W/") == wanted))
    };
    let brotli = accepts(header::ACCEPT_ENCODING, "br");
    let (Some(content), Some(etag)) = (assets::file(name, brotli), assets::etag(name)) else {
        return Problem::new(Code::NotFound, "there is no such file").into_response();
    };
    let common = [
        (header::CACHE_CONTROL, cache),
        (header::VARY, "Accept-Encoding"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ETAG, etag.as_str()),
    ];
    if accepts(header::IF_NONE_MATCH, &etag) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let mut response = (common, [(header::CONTENT_TYPE, kind(name))], content).into_response();
    if brotli {
        response.headers_mut().insert(header::CONTENT_ENCODING, axum::http::HeaderValue::from_static("br"));
    }
    response
}
