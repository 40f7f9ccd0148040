//! What all operations of the API have in common, driven from their description: so no new one is forgotten.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use jiff::SignedDuration;
use porchlight_server::{
    access::Scope,
    http,
    store::{AuditFilter, AuditRecord, Command, Failure, Tx},
};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::app::{CONVERSATION, PDF, TestApp, good, problem, text};

/// Every status that says that a request was not done.
const PROBLEMS: [&str; 10] = ["400", "401", "403", "404", "409", "413", "422", "429", "500", "503"];

fn description() -> Value {
    serde_json::from_str(&http::openapi()).unwrap()
}

/// An operation of the description.
pub(crate) struct Operation {
    pub(crate) method: Method,
    path: String,
    about: Value,
}

impl Operation {
    pub(crate) fn is_write(&self) -> bool {
        self.method != Method::GET
    }

    /// The one scope that it needs.
    fn scope(&self) -> Scope {
        let scopes = self.about["security"][0]["key"].as_array().unwrap();
        assert_eq!(scopes.len(), 1, "{} {} names no scope", self.method, self.path);
        text(&scopes[0]).parse().unwrap()
    }

    /// Its address, with values for the parts that have names.
    pub(crate) fn address(&self, values: &[(&str, &str)]) -> String {
        let path = values.iter().fold(self.path.clone(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value));
        // What has no value of its own may be anything.
        path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect::<Vec<_>>().join("/")
    }
}

pub(crate) fn operations() -> Vec<Operation> {
    let description = description();
    let paths = description["paths"].as_object().unwrap();
    let mut all = Vec::new();
    for (path, item) in paths {
        for (method, about) in item.as_object().unwrap() {
            let method = method.to_uppercase().parse().unwrap();
            all.push(Operation { method, path: path.clone(), about: about.clone() });
        }
    }
    assert!(all.len() >= 12, "there are operations");
    all
}

async fn send(app: &TestApp, key: &str, method: &Method, path: &str, body: impl Into<reqwest::Body>) -> Response {
    let url = format!("http://{}{path}", app.address);
    Client::new().request(method.clone(), url).bearer_auth(key).body(body).send().await.unwrap()
}

struct Audited(AuditFilter);

impl Command for Audited {
    type Done = Vec<AuditRecord>;
    type Refusal = ();

    async fn run(self, tx: &mut Tx<'_>) -> Result<Vec<AuditRecord>, Failure<()>> {
        Ok(tx.audited(&self.0).await?)
    }
}

/// What was done, the oldest first.
pub(crate) async fn audited(app: &TestApp) -> Vec<AuditRecord> {
    let mut all = app.store.look(Audited(AuditFilter { limit: 1000, ..AuditFilter::default() })).await.unwrap();
    all.reverse();
    all
}

#[test]
fn every_reference_leads_somewhere() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(object) => {
                found.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
                object.values().for_each(|value| references(value, found));
            }
            Value::Array(list) => list.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let description = description();
    let mut found = BTreeSet::new();
    references(&description, &mut found);
    assert!(found.contains("#/components/schemas/ProblemBody"));
    for reference in found {
        assert!(description.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{reference}");
    }
}

#[test]
fn the_description_is_whole() {
    let description = description();
    assert!(text(&description["openapi"]).starts_with("3.1."));
    assert_eq!(
        (text(&description["info"]["title"]).as_str(), text(&description["info"]["version"]).as_str()),
        ("Porchlight", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(description["components"]["securitySchemes"]["key"]["scheme"], "bearer");
    let tags: Vec<_> = description["tags"].as_array().unwrap().iter().map(|tag| text(&tag["name"])).collect();
    let mut names = BTreeSet::new();
    for operation in operations() {
        let Operation { method, path, about } = &operation;
        let called = format!("{method} {path}");
        assert!(names.insert(text(&about["operationId"])), "{called}: its operationId is that of another");
        assert!(!text(&about["summary"]).is_empty(), "{called}");
        let own = about["tags"].as_array().unwrap();
        assert!(own.len() == 1 && tags.contains(&text(&own[0])), "{called}: {own:?}");
        operation.scope();
        let responses = about["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{called} never succeeds");
        for status in PROBLEMS {
            let schema = &responses[status]["content"]["application/problem+json"]["schema"]["$ref"];
            assert_eq!(schema, "#/components/schemas/ProblemBody", "{called}: {status}");
        }
        let parameters: Vec<_> = about["parameters"].as_array().into_iter().flatten().collect();
        let within: BTreeSet<String> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).map(str::to_owned).collect();
        let told = parameters.iter().filter(|parameter| parameter["in"] == "path" && parameter["required"] == true);
        assert_eq!(told.map(|parameter| text(&parameter["name"])).collect::<BTreeSet<_>>(), within, "{called}");
        for parameter in &parameters {
            assert!(parameter["in"] != "path" || within.contains(parameter["name"].as_str().unwrap()), "{called}: {parameter}");
        }
        let once = parameters.iter().any(|parameter| parameter["in"] == "header" && parameter["name"] == "Idempotency-Key");
        assert_eq!(once, operation.is_write(), "{called}");
    }
}

/// The operations as the source has them; and every route below `/api/v1` that would be none.
fn in_source(folder: &Path, found: &mut BTreeSet<(String, String)>, undescribed: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            in_source(&path, found, undescribed);
            continue;
        }
        let source = fs::read_to_string(path).unwrap();
        for rest in source.split("#[utoipa::path(").skip(1) {
            let route = rest.split("path = \"").nth(1).unwrap().split('"').next().unwrap();
            found.insert((rest.split(',').next().unwrap().trim().to_uppercase(), route.to_owned()));
        }
        let routes = source.split(".route(").skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
        undescribed.extend(routes.filter(|route| route.starts_with("/api/v1")).map(str::to_owned));
    }
}

#[test]
fn the_description_has_every_operation_and_no_other() {
    let (mut found, mut undescribed) = (BTreeSet::new(), Vec::new());
    in_source(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http"), &mut found, &mut undescribed);
    assert_eq!(undescribed, Vec::<String>::new());
    let told: BTreeSet<_> = operations().into_iter().map(|operation| (operation.method.to_string(), operation.path)).collect();
    assert_eq!(found, told);
}

#[tokio::test]
async fn the_description_is_served_to_programs_and_people() {
    let app = TestApp::init().start().await;
    let served = app.get("/api/openapi.json").send().await.unwrap();
    assert!(served.headers()["cache-control"].to_str().unwrap().contains("max-age"));
    assert_eq!(good(served).await, description());
    let page = app.get("/api").send().await.unwrap();
    assert_eq!((page.status(), page.headers()["content-type"].to_str().unwrap()), (StatusCode::OK, "text/html; charset=utf-8"));
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    let html = page.text().await.unwrap();
    // The policy lets in the page's own style, and nothing else at all.
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && html.contains("<style>:root"), "{policy}");
    assert!(!html.contains("<script") && !html.contains("<link") && !html.contains(" src="));
    for operation in operations() {
        let (id, scope) = (text(&operation.about["operationId"]), operation.scope());
        assert!(html.contains(&format!("<article id=\"{id}\">")) && html.contains(&format!("href=\"#{id}\"")), "{id}");
        assert!(html.contains(&format!("<code>{scope}</code>")));
    }
    for shape in description()["components"]["schemas"].as_object().unwrap().keys() {
        assert!(html.contains(&format!("id=\"shape-{shape}\"")), "{shape}");
    }
}

#[tokio::test]
async fn an_operation_needs_its_scope_and_no_other() {
    let app = TestApp::init().start().await;
    let mut keys: BTreeMap<&str, (String, String)> = BTreeMap::new();
    for (scope, name, _) in Scope::ALL {
        let others: Vec<Scope> = Scope::ALL.iter().map(|(other, ..)| *other).filter(|other| other != scope).collect();
        let only = app.key(&format!("only {name}"), Some(&[*scope]), None).await;
        keys.insert(*name, (only, app.key(&format!("all but {name}"), Some(&others), None).await));
    }
    for operation in operations() {
        let (only, all_but) = &keys[operation.scope().name()];
        let address = operation.address(&[("site", "shop")]);
        let refused = send(&app, all_but, &operation.method, &address, "").await;
        let told = problem(refused, 403, "forbidden").await;
        assert!(text(&told["detail"]).contains(operation.scope().name()), "{} {address}: {told}", operation.method);
        let status = send(&app, only, &operation.method, &address, "").await.status();
        assert!(!matches!(status.as_u16(), 401 | 403 | 405), "{} {address}: {status}", operation.method);
    }
}

#[tokio::test]
async fn a_site_that_a_key_is_not_good_for_is_not_there() {
    let app = TestApp::init().start().await;
    app.import("key = \"books\"\ntitle = \"Books\"\norigins = []\n", &[CONVERSATION.to_owned()]).await;
    let key = app.key("shop only", None, Some(&["shop"])).await;
    let mut tried = 0;
    for operation in operations().into_iter().filter(|operation| operation.path.contains("{site}")) {
        let values = [("site", "books"), ("id", "welcome"), ("version", "1"), ("name", "guide.pdf")];
        let address = operation.address(&values);
        let body = match (&operation.method, address.as_str()) {
            (&Method::PUT, "/api/v1/sites/books") => {
                json!({ "key": "books", "title": "B", "origins": [] }).to_string().into_bytes()
            }
            (&Method::PUT, "/api/v1/sites/books/files/guide.pdf") => PDF.to_vec(),
            _ => CONVERSATION.as_bytes().to_vec(),
        };
        let told = problem(send(&app, &key, &operation.method, &address, body.clone()).await, 404, "unknown_site").await;
        // As who may do everything is told of one that there is not.
        let nowhere = send(&app, &app.key, &operation.method, &address.replace("books", "other"), body).await;
        if operation.path != "/api/v1/sites/{site}" || operation.method == Method::GET {
            let nowhere = problem(nowhere, 404, "unknown_site").await;
            assert_eq!(text(&nowhere["detail"]).replace("other", "books"), text(&told["detail"]));
        }
        tried += 1;
    }
    assert!(tried >= 12, "{tried}");
    let sites = good(send(&app, &key, &Method::GET, "/api/v1/sites", "").await).await;
    assert_eq!(sites["sites"], json!(["shop"]));
    let all = good(send(&app, &app.key, &Method::GET, "/api/v1/sites", "").await).await;
    assert_eq!(all["sites"], json!(["books", "shop"]));
    let changed = good(send(&app, &app.key, &Method::GET, "/api/v1/sites/books", "").await).await;
    assert_eq!(changed["title"], "Books", "nothing was changed");
}

#[tokio::test]
async fn what_a_key_may_ask_is_counted_and_told() {
    let app = TestApp::init().with_settings(|settings| settings.api_requests_per_minute = 3).start().await;
    let ask = async |key: &str| {
        let response = send(&app, key, &Method::GET, "/api/v1/sites", "").await;
        let told = ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"]
            .map(|name| response.headers()[name].to_str().unwrap().parse::<u32>().unwrap());
        (response, told)
    };
    for told in [[3, 2, 20], [3, 1, 40], [3, 0, 60]] {
        let (response, found) = ask(&app.key).await;
        assert_eq!((response.status(), found), (StatusCode::OK, told));
    }
    let (refused, told) = ask(&app.key).await;
    assert_eq!((refused.headers()["retry-after"].to_str().unwrap(), told), ("20", [3, 0, 60]));
    let refused = problem(refused, 429, "too_many_requests").await;
    assert!(text(&refused["detail"]).contains("api_requests_per_minute"));
    let other = app.key("other", None, None).await;
    assert_eq!(ask(&other).await.1, [3, 2, 20], "each key for itself");
    app.pass(SignedDuration::from_millis(19_999));
    assert_eq!(ask(&app.key).await.0.status(), StatusCode::TOO_MANY_REQUESTS);
    app.pass(SignedDuration::from_millis(1));
    assert_eq!(ask(&app.key).await.0.status(), StatusCode::OK);
}

#[tokio::test]
async fn guesses_are_counted_by_address_and_stop_nobody_with_a_key() {
    let app = TestApp::init().with_settings(|settings| settings.api_guesses_per_minute = 2).start().await;
    let guess = format!("plk_{}", "A".repeat(43));
    for remaining in ["1", "0"] {
        let response = send(&app, &guess, &Method::GET, "/api/v1/sites", "").await;
        let headers = response.headers();
        assert_eq!(
            (headers["ratelimit-limit"].to_str().unwrap(), headers["ratelimit-remaining"].to_str().unwrap()),
            ("2", remaining)
        );
        problem(response, 401, "bad_key").await;
    }
    let refused = send(&app, &guess, &Method::GET, "/api/v1/events", "").await;
    assert_eq!(refused.headers()["retry-after"], "30");
    problem(refused, 429, "too_many_requests").await;
    assert_eq!(send(&app, &app.key, &Method::GET, "/api/v1/sites", "").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn what_no_handler_answers_is_a_problem_too() {
    let app = TestApp::init().start().await;
    problem(send(&app, &app.key, &Method::GET, "/api/v1/nothing", "").await, 404, "not_found").await;
    problem(send(&app, &app.key, &Method::PATCH, "/api/v1/sites", "").await, 405, "method").await;
    problem(send(&app, "", &Method::PATCH, "/api/v1/sites", "").await, 401, "bad_key").await;
    // Percent signs that are no UTF-8.
    problem(send(&app, &app.key, &Method::GET, "/api/v1/sites/%ff", "").await, 400, "malformed").await;
    problem(send(&app, &app.key, &Method::GET, "/api/v1/sites/shop/conversations/%ff/versions", "").await, 400, "malformed")
        .await;
}

#[tokio::test]
async fn what_takes_too_long_is_a_problem_too() {
    let app = TestApp::init().with_settings(|settings| settings.request_timeout_seconds = 1).start().await;
    let mut connection = TcpStream::connect(app.address).await.unwrap();
    let head = format!(
        "PUT /api/v1/sites/shop/files/a.pdf HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: 10\r\nconnection: close\r\n\r\n",
        app.key
    );
    // Of the body, nothing ever comes.
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("content-type: application/problem+json") && answer.contains("retry-after: 1"), "{answer}");
    assert!(answer.contains("\"code\":\"unavailable\""), "{answer}");
}

#[tokio::test]
async fn every_write_is_noted_with_the_key_that_did_it() {
    let app = TestApp::init().start().await;
    let before = audited(&app).await.len();
    let key = app.key("crm", None, None).await;
    let anew = CONVERSATION.replace("\"name\": \"Welcome\"", "\"name\": \"Anew\"");
    let settings = json!({ "key": "shop", "title": "Shop", "origins": ["https://shop.example"] }).to_string();
    for (method, path, body) in [
        (Method::PUT, "", settings.into_bytes()),
        (Method::PUT, "/files/a.pdf", PDF.to_vec()),
        (Method::PUT, "/conversations/welcome", anew.into_bytes()),
        (Method::POST, "/conversations/welcome/publish", Vec::new()),
        (Method::POST, "/conversations/welcome/publish", Vec::new()),
        (Method::POST, "/conversations/welcome/unpublish", Vec::new()),
        (Method::DELETE, "/conversations/welcome", Vec::new()),
        (Method::DELETE, "/conversations/welcome", Vec::new()),
        (Method::DELETE, "/files/a.pdf", Vec::new()),
        (Method::DELETE, "/files/a.pdf", Vec::new()),
    ] {
        let response = send(&app, &key, &method, &format!("/api/v1/sites/shop{path}"), body).await;
        assert!(response.status().is_success(), "{method} {path}: {}", response.text().await.unwrap());
    }
    // What was refused is not there.
    problem(
        send(&app, &key, &Method::POST, "/api/v1/sites/shop/conversations/welcome/publish", "").await,
        404,
        "unknown_conversation",
    )
    .await;
    let noted = audited(&app).await.split_off(before);
    let said: Vec<_> = noted.iter().map(|entry| (entry.action.as_str(), entry.subject.as_str())).collect();
    // What changes nothing, such as publishing what is published, is not done.
    assert_eq!(
        said,
        [
            ("site.changed", "shop"),
            ("file.put", "a.pdf"),
            ("draft.changed", "welcome"),
            ("conversation.published", "welcome"),
            ("conversation.unpublished", "welcome"),
            ("draft.removed", "welcome"),
            ("file.removed", "a.pdf"),
        ]
    );
    assert!(noted.iter().all(|entry| entry.actor_kind == "key" && entry.actor == "crm"));
    assert!(noted.iter().all(|entry| entry.site.as_ref().is_some_and(|site| site.as_str() == "shop")));
    assert_eq!((&noted[0].detail, &noted[3].detail), (&json!({ "new": false }), &json!({ "version": 2 })));
}
