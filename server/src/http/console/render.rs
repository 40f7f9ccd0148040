//! Pages of the console as HTML.

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use leptos::{nonce::use_nonce, prelude::*};
use leptos_axum::ResponseOptions;
use porchlight_app::console::{ConsoleFrame, Me};

use crate::{assets::manifest, store::AgentRow};

/// Who is signed in, for the frame.
pub(super) fn me(agent: &AgentRow) -> Me {
    Me { name: agent.name.clone(), role: agent.role }
}

/// A page with what it is about within the console's frame.
pub(super) async fn page<V: IntoView + 'static>(
    status: StatusCode,
    agent: Option<&AgentRow>,
    (active, title): (&'static str, &'static str),
    about: impl Fn(String) -> V + Clone + Send + Sync + 'static,
) -> Response {
    let me = agent.map(me);
    let view = move || {
        allow();
        let nonce = use_nonce().map(|nonce| nonce.to_string()).unwrap_or_default();
        let (about, me) = (about(nonce), me.clone());
        view! { <ConsoleFrame title=title.to_owned() me active css=css()>{about}</ConsoleFrame> }
    };
    response(status, view).await
}

/// A whole document.
pub(super) async fn response<V: IntoView + 'static>(
    status: StatusCode,
    view: impl Fn() -> V + Clone + Send + Sync + 'static,
) -> Response {
    let mut response = leptos_axum::render_app_async_with_context(|| {}, view)(Request::new(Body::empty())).await;
    *response.status_mut() = status;
    response
}

/// The address of the console's style.
pub(super) fn css() -> String {
    format!("/assets/{}", manifest().console_css)
}

/// Sets the policy of a page, with the nonce of this rendering.
pub(super) fn allow() {
    let nonce = use_nonce().map(|nonce| format!("'nonce-{nonce}'")).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; script-src {nonce} 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    if let (Some(response), Ok(policy)) = (use_context::<ResponseOptions>(), HeaderValue::from_str(&policy)) {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}
