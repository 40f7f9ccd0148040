//! The description of the API: OpenAPI 3.1 for programs, and a page for people.

use std::collections::HashMap;

use axum::{
    Router,
    body::Bytes,
    http::{HeaderValue, Method, header},
    response::IntoResponse,
    routing::get,
};
use serde_json::Value;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Components, InfoBuilder, LicenseBuilder, ObjectBuilder, OpenApi, RefOr, Required, Tag, Type,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn},
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
        tag::TagBuilder,
    },
};

use super::{
    once::{HEADER, REPLAYED, TOKEN_MAX},
    problems::ProblemBody,
    reference,
};
use crate::{access::Scope, http::App};

/// What there is, in the order in which it is told.
const TAGS: [(&str, &str); 14] = [
    ("sites", "The settings of sites."),
    ("files", "The documents and pictures of a site."),
    ("conversations", "What visitors are asked and told: drafts, what is published, and every version."),
    ("events", "The log of everything that happened, as it is read, followed and exported."),
    ("visitors", "Who came, and what is known of them."),
    ("sessions", "The visits of visitors."),
    ("transcripts", "What was said, by visitors, conversations and agents."),
    ("meetings", "Meetings that were booked with agents."),
    ("callbacks", "Visitors who want to be called."),
    ("surveys", "What visitors said of a chat."),
    ("agents", "Those who answer, and their teams."),
    ("webhooks", "Endpoints elsewhere that are told events as they happen."),
    ("analytics", "How conversations, pages and agents do, in numbers."),
    ("audit", "Who did what."),
];

const ABOUT: &str = "The interface of Porchlight for the programs of those who run sites.

Every request has a key: `Authorization: Bearer plk_…`. A key may do what its scopes say, on the sites it was made for. Another site \
is answered as one that is not there: 404 `unknown_site`.

Bodies are JSON unless an operation says otherwise. Times are RFC 3339 in UTC with milliseconds. Lists come a page at a time: \
`limit` says how many entries (100 if nothing is said, at most 1000), and the `next` of a page is the `after` of the page behind it, \
until it is null.

A write that comes with an `Idempotency-Key` is done once, however often it is sent: see the parameter of that name. Answers say how \
often a key may ask in `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset`.

What goes wrong is told as `application/problem+json` (RFC 9457). An address that is not there is 404 `not_found`, a method that an \
address does not take 405 `method`.";

const KEY: &str = "A key of the API: `porchlight key create`, or the console's page API keys. Its scopes say what it may do; a key \
without scopes may do everything:";

/// Puts to the operations what all of them share.
pub(super) fn complete(mut document: OpenApi) -> OpenApi {
    let licence = env!("CARGO_PKG_LICENSE");
    document.info = InfoBuilder::new()
        .title("Porchlight")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(LicenseBuilder::new().name(licence).identifier(Some(licence)).build()))
        .build();
    let scopes: String = Scope::ALL.iter().map(|(_, name, about)| format!("\n- `{name}`: {about}")).collect();
    let key = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("plk_…")
        .description(Some(format!("{KEY}\n{scopes}")))
        .build();
    let components = document.components.get_or_insert_with(Components::new);
    components.add_security_scheme("key", SecurityScheme::Http(key));
    components.schemas.insert(ProblemBody::name().into_owned(), ProblemBody::schema());
    for item in document.paths.paths.values_mut() {
        for write in [&mut item.post, &mut item.put, &mut item.delete, &mut item.patch].into_iter().flatten() {
            add_idempotency(write);
        }
    }
    document.tags = Some(TAGS.into_iter().map(|(name, about)| tag(name, about)).collect());
    document
}

fn tag(name: &str, about: &str) -> Tag {
    TagBuilder::new().name(name).description(Some(about)).build()
}

fn add_idempotency(write: &mut Operation) {
    let parameters = write.parameters.get_or_insert_with(Vec::new);
    let named = |known: &RefOr<Parameter>| matches!(known, RefOr::T(known) if known.name == HEADER);
    if !parameters.iter().any(named) {
        parameters.push(RefOr::T(idempotency()));
    }
}

fn idempotency() -> Parameter {
    let about = format!(
        "A token of your own for this write. If the same write comes again with it, nothing is done, and the first answer is given once \
         more, with the header `{REPLAYED}: true`. Another write with it is refused: 422 `idempotency_mismatch`. What was refused may \
         be sent again with the same token."
    );
    let token =
        ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(TOKEN_MAX)).pattern(Some("^[!-~]+$"));
    ParameterBuilder::new()
        .name(HEADER)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(about))
        .schema(Some(token))
        .build()
}

/// The description as text.
pub(super) fn text(document: &OpenApi) -> String {
    // A description is made of texts and numbers only, so it can be written.
    document.to_pretty_json().unwrap_or_default() + "\n"
}

/// `GET /api/openapi.json`, and `GET /api`, the same to be read.
pub(super) fn routes(text: String, document: &Value) -> Router<App> {
    let (style, html) = reference::page(document);
    let policy = format!("default-src 'none'; style-src '{style}'; base-uri 'none'; frame-ancestors 'none'");
    // A hash has letters, digits and signs that headers may have.
    let policy = HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    let (text, html) = (Bytes::from(text), Bytes::from(html));
    let json = move || async move { told("application/json", text) };
    let page = move || async move { ([(header::CONTENT_SECURITY_POLICY, policy)], told("text/html; charset=utf-8", html)) };
    Router::new().route("/api/openapi.json", get(json)).route("/api", get(page))
}

fn told(kind: &'static str, body: Bytes) -> impl IntoResponse {
    // It changes with the server's version only.
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=300")], body)
}

/// The scopes that operations need, by method and path.
#[derive(Debug, Default)]
pub(super) struct Needs(HashMap<(Method, String), Vec<Scope>>);

impl Needs {
    /// As the description says.
    pub(super) fn of(document: &Value) -> Self {
        let mut needs = HashMap::new();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let scopes = operation["security"][0]["key"].as_array().into_iter().flatten();
                let scopes: Vec<Scope> = scopes.filter_map(|scope| scope.as_str()?.parse().ok()).collect();
                if let Ok(method) = method.to_uppercase().parse() {
                    needs.insert((method, path.clone()), scopes);
                }
            }
        }
        Self(needs)
    }

    /// Those of an operation.
    pub(super) fn scopes(&self, method: &Method, path: &str) -> &[Scope] {
        // Who may see a thing may see its headers.
        let method = if method == Method::HEAD { Method::GET } else { method.clone() };
        self.0.get(&(method, path.to_owned())).map_or(&[], Vec::as_slice)
    }
}
