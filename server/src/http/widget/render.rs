//! The panel as HTML: as a page, and as the fragments that an answer brings.

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use leptos::{config::LeptosOptions, nonce::use_nonce, prelude::*};
use leptos_axum::ResponseOptions;
use porchlight_app::{
    i18n::Locale,
    widget::{Card, Panel, PanelFrame, PrivacyNote, Said, Unavailable},
};

use super::shown::Shown;
use crate::assets::manifest;

/// The panel's page, which only the host page's origin may frame.
pub(super) async fn page(status: StatusCode, shown: Shown, host: String) -> Response {
    let site = &shown.site.site;
    let (accent, on_accent) = (site.accent, site.accent.text_on());
    let (font, radius, typing) = (site.theme.font.family(), site.theme.radius.get(), shown.typing_delay);
    let frame = PanelFrame {
        title: site.title_in(&shown.language).to_owned(),
        avatar: site.theme.avatar.as_ref().map(|avatar| shown.site.address(avatar)),
        ui: shown.ui,
        look: format!("--accent:{accent};--on-accent:{on_accent};--font:{font};--radius:{radius}px;--typing:{typing}ms"),
        locale: shown.locale(),
        host: host.clone(),
        privacy: (site.privacy_text.is_some() || site.privacy_url.is_some()).then(|| PrivacyNote {
            text: site.privacy_text.as_ref().map(|text| text.in_locale(&shown.language, site.main_locale()).to_owned()),
            url: site.privacy_url.clone(),
        }),
        css: css(),
        options: LeptosOptions::builder().output_name(manifest().widget.as_str()).site_pkg_dir("assets").build(),
    };
    let view = move || {
        allow(&host);
        let Shown { entries, lines, ticket, standing, typed_after, .. } = shown.clone();
        view! { <Panel frame=frame.clone() transcript=entries lines typed_after ticket standing/> }
    };
    let mut response = leptos_axum::render_app_async_with_context(|| {}, view)(Request::new(Body::empty())).await;
    *response.status_mut() = status;
    response
}

/// A page that says, in the panel's place, that it cannot be shown. It holds nothing that any page might not frame.
pub(super) async fn unavailable(status: StatusCode, locale: Locale) -> Response {
    let view = move || {
        allow("http: https:");
        view! { <Unavailable locale css=css()/> }
    };
    let mut response = leptos_axum::render_app_async_with_context(|| {}, view)(Request::new(Body::empty())).await;
    *response.status_mut() = status;
    response
}

fn css() -> String {
    format!("/assets/{}", manifest().css)
}

/// Sets the page's policy, with the nonce of this rendering.
fn allow(ancestors: &str) {
    let nonce = use_nonce().map(|nonce| format!("'nonce-{nonce}'")).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; script-src {nonce} 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self' {nonce}; img-src 'self' data:; \
         frame-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
    );
    if let (Some(response), Ok(policy)) = (use_context::<ResponseOptions>(), HeaderValue::from_str(&policy)) {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}

/// What was said since, and the card that waits now.
pub(super) fn fragments(shown: &Shown) -> (String, String) {
    let (texts, typed_after) = (shown.locale().panel(), shown.typed_after);
    let (entries, lines) = (shown.entries.clone(), shown.lines.clone());
    let (ticket, standing) = (shown.ticket.clone(), shown.standing.clone());
    Owner::new()
        .with(|| (view! { <Said entries typed_after lines texts/> }.to_html(), view! { <Card ticket standing texts/> }.to_html()))
}
