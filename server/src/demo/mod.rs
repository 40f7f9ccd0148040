//! The demo customer: a site on a port of its own, so that everything between it and Porchlight is as across the web.
//!
//! What a customer's backend would do, this does the same way: it asks Porchlight's API for events, with a key.

mod agents;

use axum::{
    Router,
    extract::{Path, RawQuery, State},
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use rust_embed::RustEmbed;

use crate::site_files::{CONVERSATIONS, FILES, SITE_FILE, SiteFiles};

pub(crate) use agents::add_agents;
pub use agents::{AGENTS, PASSWORD};

/// The files of demo/.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../demo"]
struct Demo;

fn text(name: &str) -> Option<String> {
    Some(String::from_utf8_lossy(&Demo::get(name)?.data).into_owned())
}

/// The demo site, to import.
///
/// # Errors
/// The problems of its files, which the tests would have told first.
pub fn site_files(limit: usize) -> Result<SiteFiles, String> {
    let of_site = |name: &str| name == SITE_FILE || [CONVERSATIONS, FILES].iter().any(|folder| name.starts_with(folder));
    let files = Demo::iter()
        .filter(|name| of_site(name))
        .filter_map(|name| Some((name.to_string(), Demo::get(&name)?.data.into_owned())));
    SiteFiles::read(files.collect(), limit)
}

#[derive(Clone)]
struct Customer {
    /// Where Porchlight is.
    porchlight: String,
    /// The key of its API.
    key: String,
    client: reqwest::Client,
}

/// The customer's pages.
pub fn pages(porchlight: &str, key: &str) -> Router {
    let customer = Customer { porchlight: porchlight.to_owned(), key: key.to_owned(), client: reqwest::Client::new() };
    Router::new()
        .route("/", get(|customer: State<Customer>| async move { page(customer, Path("index.html".to_owned())).await }))
        .route("/server-events", get(server_events))
        .route("/{name}", get(page))
        .with_state(customer)
}

async fn page(State(customer): State<Customer>, Path(name): Path<String>) -> Response {
    let kind = match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => return (StatusCode::NOT_FOUND, "There is no such page.\n").into_response(),
    };
    let Some(content) = text(&format!("pages/{name}")) else {
        return (StatusCode::NOT_FOUND, "There is no such page.\n").into_response();
    };
    let porchlight = &customer.porchlight;
    // A strict policy, as a careful customer has: no inline script, no inline style, no wasm.
    let policy = format!(
        "default-src 'none'; script-src 'self' {porchlight}; style-src 'self'; img-src 'self' data:; connect-src 'self' {porchlight}; \
         frame-src {porchlight}; form-action {porchlight}; base-uri 'none'"
    );
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
        (header::CONTENT_SECURITY_POLICY, policy),
        (HeaderName::from_static("x-content-type-options"), "nosniff".to_owned()),
    ];
    (headers, content.replace("{{porchlight}}", porchlight)).into_response()
}

/// What the server's log holds: the customer's backend asks Porchlight, since the key must not be on the page.
async fn server_events(State(customer): State<Customer>, RawQuery(query): RawQuery) -> Response {
    let address = format!("{}/api/v1/events?{}", customer.porchlight, query.unwrap_or_default());
    let answer = match customer.client.get(address).bearer_auth(&customer.key).send().await {
        Ok(answer) => answer,
        Err(_) => return (StatusCode::BAD_GATEWAY, "Porchlight could not be reached.\n").into_response(),
    };
    let status = StatusCode::from_u16(answer.status().as_u16()).unwrap_or(StatusCode::BAD_GATEWAY);
    match answer.text().await {
        Ok(text) => (status, [(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(_) => (StatusCode::BAD_GATEWAY, "Porchlight's answer broke off.\n").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_site_has_no_problems() {
        let files = site_files(10_000_000).unwrap();
        assert_eq!(files.site.key.as_str(), "demo");
        assert!(!files.conversations.is_empty());
    }
}
