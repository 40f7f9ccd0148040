//! Endpoints of webhooks, as the customer's programs make them and look after them. How events get there is in webhooks.rs.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use jiff::SignedDuration;
use porchlight_domain::{
    event::{CATALOGUE, Event},
    id::EndpointId,
};
use porchlight_server::{
    access::{ApiKey, Scope},
    outside::Outside,
    secret::Secret,
    store::{AuditFilter, AuditRecord, Command, Failure, Tx},
    webhooks::{Adapter, Endpoint, EndpointState, Signer, WebhookSecret},
};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::app::{Builder, TestApp, good, problem, text};

const OTHER: &str = "key = \"other\"\ntitle = \"Other\"\norigins = [\"https://shop.example\"]\n";
/// An address that nothing is sent to in these tests.
const URL: &str = "https://hooks.example.com/porchlight";

/// Sends what a customer's program would.
async fn call(app: &TestApp, key: &str, method: Method, path: &str, body: &Value) -> Response {
    let request = Client::new().request(method, format!("http://{}/api/v1/webhooks{path}", app.address)).bearer_auth(key);
    let request = if body.is_null() { request } else { request.body(body.to_string()) };
    request.send().await.unwrap()
}

async fn get(app: &TestApp, path: &str) -> Value {
    good(call(app, &app.key, Method::GET, path, &Value::Null).await).await
}

async fn send(app: &TestApp, method: Method, path: &str, body: &Value) -> Response {
    call(app, &app.key, method, path, body).await
}

/// What an endpoint is to be; `more` are fields besides, or instead.
fn asked(more: &Value) -> Value {
    let mut asked = json!({ "site": "shop", "name": "CRM", "url": URL });
    asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    asked
}

/// Makes an endpoint, and gives it as it was told.
pub(crate) async fn make(app: &TestApp, more: &Value) -> Value {
    let response = send(app, Method::POST, "", &asked(more)).await;
    let status = response.status();
    let made: Value = response.json().await.unwrap();
    assert_eq!(status, StatusCode::CREATED, "{made}");
    made
}

fn id(made: &Value) -> String {
    text(&made["id"])
}

/// The settings of an endpoint, as they were told.
fn settings(told: &Value) -> Value {
    json!({ "name": told["name"], "url": told["url"], "types": told["types"], "adapter": told["adapter"], "notify": told["notify"] })
}

struct Kept(EndpointId);

impl Command for Kept {
    type Done = Endpoint;
    type Refusal = ();

    async fn run(self, tx: &mut Tx<'_>) -> Result<Endpoint, Failure<()>> {
        Ok(tx.endpoint(self.0).await?.unwrap())
    }
}

/// An endpoint as it is kept.
pub(crate) async fn kept(app: &TestApp, id: &str) -> Endpoint {
    app.store.look(Kept(id.parse().unwrap())).await.unwrap()
}

struct End;

impl Command for End {
    type Done = i64;
    type Refusal = ();

    async fn run(self, tx: &mut Tx<'_>) -> Result<i64, Failure<()>> {
        Ok(tx.log_end().await?)
    }
}

struct Audited;

impl Command for Audited {
    type Done = Vec<AuditRecord>;
    type Refusal = ();

    async fn run(self, tx: &mut Tx<'_>) -> Result<Vec<AuditRecord>, Failure<()>> {
        Ok(tx.audited(&AuditFilter { limit: 1000, ..AuditFilter::default() }).await?)
    }
}

/// What the audit log says of webhooks, the oldest first.
pub(crate) async fn audited(app: &TestApp) -> Vec<AuditRecord> {
    let mut records = app.store.look(Audited).await.unwrap();
    records.retain(|record| record.action.starts_with("webhook."));
    records.reverse();
    records
}

async fn actions(app: &TestApp) -> Vec<String> {
    audited(app).await.into_iter().map(|record| record.action).collect()
}

struct AddKey(Secret, ApiKey);

impl Command for AddKey {
    type Done = ();
    type Refusal = ();

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<()>> {
        Ok(tx.add_api_key(&self.0, &self.1).await?)
    }
}

/// A key for some things on some sites.
async fn key(app: &TestApp, scopes: &[Scope], site: &str) -> String {
    let secret = Outside::real().new_secret();
    let text = format!("plk_{}", secret.reveal());
    let key = ApiKey {
        id: format!("{scopes:?} {site}"),
        name: "limited".to_owned(),
        scopes: Some(scopes.to_vec()),
        sites: Some(vec![site.parse().unwrap()]),
        ending: String::new(),
        created_at: app.now(),
        used_at: None,
    };
    app.store.commit(AddKey(secret, key)).await.unwrap();
    text
}

/// What somebody received.
pub(crate) struct Received {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Whoever receives, with the status they answer.
pub(crate) struct Receiver {
    address: SocketAddr,
    pub(crate) status: Arc<AtomicU16>,
    pub(crate) received: Arc<Mutex<Vec<Received>>>,
}

type Shared = (Arc<AtomicU16>, Arc<Mutex<Vec<Received>>>);

async fn receive(State((status, received)): State<Shared>, headers: HeaderMap, body: Bytes) -> StatusCode {
    received.lock().unwrap().push(Received { headers, body: body.to_vec() });
    StatusCode::from_u16(status.load(Ordering::SeqCst)).unwrap()
}

impl Receiver {
    pub(crate) async fn serve() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (status, received) = (Arc::new(AtomicU16::new(200)), Arc::default());
        let shared: Shared = (Arc::clone(&status), Arc::clone(&received));
        tokio::spawn(axum::serve(listener, Router::new().route("/hook", post(receive)).with_state(shared)).into_future());
        Self { address, status, received }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }
}

/// A server that may send to this machine.
pub(crate) fn local() -> Builder {
    TestApp::init().with_settings(|settings| settings.egress_allow = "127.0.0.1".to_owned())
}

#[tokio::test]
async fn an_endpoint_is_made_changed_and_removed() {
    let app = TestApp::init().start().await;
    let made =
        make(&app, &json!({ "types": ["meeting.booked", "input.email", "meeting.booked"], "notify": " ops@example.com " })).await;
    assert!(text(&made["secret"]).starts_with("whsec_"));
    let id = id(&made);
    let told = json!({
        "id": id, "site": "shop", "name": "CRM", "url": URL, "types": ["input.email", "meeting.booked"], "adapter": { "kind": "standard" },
        "notify": "ops@example.com", "state": "on", "failingSince": null, "failures": 0, "problem": null, "waiting": 0, "givenUp": 0,
        "behindSince": null, "createdAt": "2026-11-21T08:00:00.000Z", "changedAt": "2026-11-21T08:00:00.000Z",
    });
    let found = get(&app, &format!("/{id}")).await;
    assert_eq!(found, told, "without its secret");
    assert_eq!(get(&app, "").await, json!({ "webhooks": [told], "next": null }));

    app.pass(SignedDuration::from_secs(1));
    let slack = json!({ "name": " Sales ", "url": URL, "adapter": { "kind": "slack" } });
    let changed = good(send(&app, Method::PUT, &format!("/{id}"), &slack).await).await;
    assert_eq!((&changed["name"], &changed["types"], &changed["notify"]), (&json!("Sales"), &json!([]), &Value::Null));
    assert_eq!((&changed["adapter"], &changed["changedAt"]), (&json!({ "kind": "slack" }), &json!("2026-11-21T08:00:01.000Z")));
    // The same once more changes nothing.
    good(send(&app, Method::PUT, &format!("/{id}"), &slack).await).await;

    assert_eq!(send(&app, Method::DELETE, &format!("/{id}"), &Value::Null).await.status(), StatusCode::NO_CONTENT);
    for path in ["", "/attempts", "/secret"] {
        problem(send(&app, Method::GET, &format!("/{id}{path}"), &Value::Null).await, 404, "unknown_webhook").await;
    }
    problem(send(&app, Method::DELETE, "/none", &Value::Null).await, 404, "unknown_webhook").await;

    let records = audited(&app).await;
    let said: Vec<_> = records.iter().map(|record| (record.action.as_str(), record.subject.as_str(), &record.detail)).collect();
    let about = |name: &str, adapter: &str| json!({ "name": name, "host": "hooks.example.com", "adapter": adapter });
    let mut changes = about("Sales", "slack");
    changes["fields"] = json!(["name", "types", "adapter", "notify"]);
    let expected =
        [("webhook.made", about("CRM", "standard")), ("webhook.changed", changes), ("webhook.removed", about("Sales", "slack"))];
    assert_eq!(said, expected.iter().map(|(action, detail)| (*action, id.as_str(), detail)).collect::<Vec<_>>());
    for record in &records {
        assert_eq!((record.actor_kind.as_str(), record.actor.as_str()), ("key", "test"));
        assert_eq!(record.site.as_ref().unwrap().as_str(), "shop");
    }
}

#[tokio::test]
async fn lists_come_a_page_at_a_time() {
    let app = TestApp::init().start().await;
    app.import(OTHER, &[]).await;
    let mut made = Vec::new();
    for site in ["shop", "other", "shop"] {
        made.push(id(&make(&app, &json!({ "site": site })).await));
        app.pass(SignedDuration::from_secs(1));
    }
    let ids = |page: &Value| page["webhooks"].as_array().unwrap().iter().map(id).collect::<Vec<_>>();
    let first = get(&app, "?limit=2").await;
    assert_eq!(ids(&first), made[..2]);
    let last = get(&app, &format!("?limit=2&after={}", text(&first["next"]))).await;
    assert_eq!((ids(&last), &last["next"]), (made[2..].to_vec(), &Value::Null));
    assert_eq!(ids(&get(&app, "?site=shop").await), [made[0].as_str(), &made[2]]);
    let whole = get(&app, "?limit=3").await;
    assert_eq!((ids(&whole).len(), &whole["next"]), (3, &Value::Null), "as many as there are are all");
    for (query, field) in [("?limit=0", "limit"), ("?limit=1001", "limit"), ("?after=x", "after"), ("?site=a%20b", "site")] {
        let found = problem(send(&app, Method::GET, query, &Value::Null).await, 400, "malformed").await;
        assert_eq!(found["field"], field, "{query}");
    }
}

#[tokio::test]
async fn secrets_of_a_form_are_hidden_and_kept_where_they_come_back_hidden() {
    let app = TestApp::init().start().await;
    let ga4 = json!({ "kind": "ga4", "measurementId": "G-1", "apiSecret": "s3cret" });
    let made = make(&app, &json!({ "adapter": ga4 })).await;
    assert_eq!(made["adapter"], json!({ "kind": "ga4", "measurementId": "G-1", "apiSecret": "…" }));
    let at = format!("/{}", id(&made));
    let mut wanted = settings(&made);
    wanted["url"] = "https://hooks.example.com/elsewhere".into();
    good(send(&app, Method::PUT, &at, &wanted).await).await;
    let is_kept = async |secret: &str| {
        let Adapter::Ga4 { api_secret, .. } = kept(&app, &id(&made)).await.settings.adapter else { unreachable!("it is GA4") };
        assert_eq!(api_secret, secret);
    };
    is_kept("s3cret").await;
    // Whoever may write could have it sent to themselves otherwise.
    for url in ["https://elsewhere.example.com/", "https://hooks.example.com:8443/porchlight"] {
        wanted["url"] = url.into();
        let refused = problem(send(&app, Method::PUT, &at, &wanted).await, 400, "malformed").await;
        assert_eq!(refused["field"], "adapter");
    }
    is_kept("s3cret").await;
    wanted["adapter"]["apiSecret"] = "new".into();
    good(send(&app, Method::PUT, &at, &wanted).await).await;
    is_kept("new").await;

    let headers = json!({ "X-Key": "k1", "X-Other": "k2" });
    let made = make(&app, &json!({ "adapter": { "kind": "template", "body": { "t": "{{type}}" }, "headers": headers } })).await;
    assert_eq!(made["adapter"]["headers"], json!({ "X-Key": "…", "X-Other": "…" }));
    let mut wanted = settings(&made);
    wanted["adapter"]["headers"] = json!({ "x-key": "…", "X-Other": "k3" });
    good(send(&app, Method::PUT, &format!("/{}", id(&made)), &wanted).await).await;
    let Adapter::Template { headers, .. } = kept(&app, &id(&made)).await.settings.adapter else { unreachable!("it is one") };
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(headers, [("X-Other", "k3"), ("x-key", "k1")]);
    let told = serde_json::to_string(&get(&app, "").await).unwrap();
    assert!(!["s3cret", "k1", "k2", "k3"].iter().any(|secret| told.contains(secret)), "{told}");
}

#[tokio::test]
async fn what_is_wrong_is_named_and_nothing_is_made() {
    let app = TestApp::init().start().await;
    let long = |length: usize| "x".repeat(length);
    let body = |length: usize| json!({ "adapter": { "kind": "template", "body": long(length) } });
    for (more, field) in [
        (json!({ "name": "" }), "name"),
        (json!({ "name": " \n " }), "name"),
        (json!({ "name": "a\nb" }), "name"),
        (json!({ "name": long(101) }), "name"),
        (json!({ "types": ["no.such"] }), "types[0]"),
        (json!({ "adapter": { "kind": "template", "body": "{{email}}" } }), "adapter"),
        (json!({ "adapter": { "kind": "template", "body": {}, "headers": { "webhook-id": "x" } } }), "adapter"),
        (json!({ "adapter": { "kind": "ga4", "measurementId": "UA-1", "apiSecret": "x" } }), "adapter"),
        (json!({ "adapter": { "kind": "ga4", "measurementId": "G-1", "apiSecret": "…" } }), "adapter"),
        (body(16_383), "adapter"),
        (json!({ "notify": "nobody" }), "notify"),
        (json!({ "url": "hooks.example.com" }), "url"),
        (json!({ "url": "ftp://hooks.example.com" }), "url"),
        (json!({ "url": "https://user:password@hooks.example.com" }), "url"),
        (json!({ "url": format!("https://hooks.example.com/{}", long(1975)) }), "url"),
        (json!({ "more": 1 }), "more"),
    ] {
        let refused = problem(send(&app, Method::POST, "", &asked(&more)).await, 400, "malformed").await;
        assert_eq!(refused["field"], field, "{more}: {refused}");
    }
    problem(send(&app, Method::POST, "", &asked(&json!({ "site": "none" }))).await, 404, "unknown_site").await;
    assert_eq!(get(&app, "").await["webhooks"], json!([]));
    assert!(audited(&app).await.is_empty());

    // What is just as long as it may be.
    let url = format!("https://hooks.example.com/{}", long(1974));
    assert_eq!(url.len(), 2_000);
    make(&app, &json!({ "url": url, "name": long(100) })).await;
    make(&app, &body(16_382)).await;
}

#[tokio::test]
async fn local_addresses_are_refused_however_they_are_spelled() {
    let app = TestApp::init().start().await;
    let at = format!("/{}", id(&make(&app, &json!({})).await));
    for host in [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.01",
        "0",
        "%31%32%37.0.0.1",
        "\u{ff11}\u{ff12}\u{ff17}.0.0.1",
        "10.0.0.1:8443",
        "192.168.0.1",
        "169.254.169.254",
        "100.100.100.200",
        "[::1]",
        "[::]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fd00:ec2::254]",
        "[fe80::1]",
    ] {
        let url = format!("https://{host}/");
        for (method, path, body) in
            [(Method::POST, "", asked(&json!({ "url": url }))), (Method::PUT, at.as_str(), json!({ "name": "CRM", "url": url }))]
        {
            let refused = problem(send(&app, method, path, &body).await, 400, "malformed").await;
            assert_eq!(refused["field"], "url", "{url}");
            assert!(text(&refused["detail"]).contains("egress_allow"), "{url}: {refused}");
        }
    }
    // Without TLS only to what is listed, by name or by address.
    for url in ["http://hooks.example.com/", "http://127.0.0.1/", "http://localhost/"] {
        let refused = problem(send(&app, Method::POST, "", &asked(&json!({ "url": url }))).await, 400, "malformed").await;
        assert_eq!(refused["field"], "url", "{url}");
    }
    let app = TestApp::init().with_settings(|settings| settings.egress_allow = "10.1.0.0/16, hooks.lan".to_owned()).start().await;
    for url in ["http://10.1.2.3/", "http://hooks.lan/", "https://hooks.lan:8443/"] {
        make(&app, &json!({ "url": url })).await;
    }
    problem(send(&app, Method::POST, "", &asked(&json!({ "url": "http://10.2.0.1/" }))).await, 400, "malformed").await;
}

#[tokio::test]
async fn a_site_has_so_many_endpoints_and_no_more() {
    let app = TestApp::init().with_settings(|settings| settings.webhooks_limit = 2).start().await;
    app.import(OTHER, &[]).await;
    let first = make(&app, &json!({})).await;
    make(&app, &json!({})).await;
    problem(send(&app, Method::POST, "", &asked(&json!({}))).await, 409, "too_many_webhooks").await;
    make(&app, &json!({ "site": "other" })).await;
    send(&app, Method::DELETE, &format!("/{}", id(&first)), &Value::Null).await;
    make(&app, &json!({})).await;
}

#[tokio::test]
async fn a_key_does_what_its_scopes_say_on_its_sites() {
    let app = local().start().await;
    let receiver = Receiver::serve().await;
    app.import(OTHER, &[]).await;
    let reads = key(&app, &[Scope::WebhooksRead], "shop").await;
    let writes = key(&app, &[Scope::WebhooksWrite], "shop").await;
    let elsewhere = key(&app, &[Scope::WebhooksRead, Scope::WebhooksWrite], "other").await;
    let not = key(&app, &[Scope::EventsRead, Scope::SitesWrite], "shop").await;
    let made = make(&app, &json!({ "url": receiver.url() })).await;
    let of = |path: &str| format!("/{}{path}", id(&made));
    let change = settings(&made);
    let to_read = [("".to_owned(), Value::Null), (of(""), Value::Null), (of("/attempts"), Value::Null)];
    for (path, body) in &to_read {
        good(call(&app, &reads, Method::GET, path, body).await).await;
        for key in [&writes, &not] {
            problem(call(&app, key, Method::GET, path, body).await, 403, "forbidden").await;
        }
    }
    assert_eq!(good(call(&app, &elsewhere, Method::GET, "", &Value::Null).await).await["webhooks"], json!([]));
    problem(call(&app, &elsewhere, Method::GET, "?site=shop", &Value::Null).await, 404, "unknown_site").await;
    let to_write = [
        (Method::GET, of("/secret"), Value::Null, 200),
        (Method::PUT, of(""), change, 200),
        (Method::POST, of("/replay"), json!({ "failed": true }), 202),
        (Method::POST, of("/rotate-secret"), Value::Null, 200),
        (Method::POST, of("/disable"), Value::Null, 200),
        (Method::POST, of("/enable"), Value::Null, 200),
        (Method::POST, of("/test"), json!({ "type": "widget.loaded" }), 200),
        (Method::POST, "".to_owned(), asked(&json!({})), 201),
        (Method::DELETE, of(""), Value::Null, 204),
    ];
    for (method, path, body, _) in &to_write {
        for key in [&reads, &not] {
            problem(call(&app, key, method.clone(), path, body).await, 403, "forbidden").await;
        }
        let code = if path.is_empty() { "unknown_site" } else { "unknown_webhook" };
        problem(call(&app, &elsewhere, method.clone(), path, body).await, 404, code).await;
        problem(call(&app, "plk_none", method.clone(), path, body).await, 401, "bad_key").await;
    }
    for (path, _) in to_read.iter().filter(|(path, _)| !path.is_empty()) {
        problem(call(&app, &elsewhere, Method::GET, path, &Value::Null).await, 404, "unknown_webhook").await;
    }
    assert_eq!(actions(&app).await, ["webhook.made"], "nothing came of any of it");
    for (method, path, body, status) in to_write {
        let answer = call(&app, &writes, method.clone(), &path, &body).await;
        assert_eq!(answer.status().as_u16(), status, "{method} {path}");
    }
    // What changed nothing is not in it.
    let done = ["secret_read", "replayed", "secret_rotated", "disabled", "enabled", "tested", "made", "removed"];
    assert_eq!(actions(&app).await[1..], done.map(|action| format!("webhook.{action}")));
}

#[tokio::test]
async fn a_write_is_done_once_however_often_it_is_sent() {
    let app = TestApp::init().start().await;
    let again = async |token: &str, path: &str, body: &Value| {
        let request = app.post(&format!("/api/v1/webhooks{path}")).bearer_auth(&app.key).header("idempotency-key", token);
        let response = request.body(body.to_string()).send().await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    let (status, first) = again("a", "", &asked(&json!({}))).await;
    assert_eq!(status, 201);
    assert_eq!(again("a", "", &asked(&json!({}))).await, (201, first.clone()), "with the same secret");
    assert_ne!(again("b", "", &asked(&json!({}))).await.1["id"], first["id"]);
    assert_eq!(get(&app, "").await["webhooks"].as_array().unwrap().len(), 2);
    let rotate = format!("/{}/rotate-secret", id(&first));
    let (_, rotated) = again("c", &rotate, &json!({})).await;
    assert_eq!(again("c", &rotate, &json!({})).await.1, rotated);
    assert_eq!(actions(&app).await, ["webhook.made", "webhook.made", "webhook.secret_rotated"]);
}

#[tokio::test]
async fn secrets_are_told_when_they_are_asked_for_and_rotated_with_an_overlap() {
    let app = TestApp::init().start().await;
    let made = make(&app, &json!({})).await;
    let at = format!("/{}", id(&made));
    let secret = async || get(&app, &format!("{at}/secret")).await;
    assert_eq!(secret().await, json!({ "secret": made["secret"], "previous": null }));
    let rotated = good(send(&app, Method::POST, &format!("{at}/rotate-secret"), &Value::Null).await).await;
    assert_ne!(rotated["secret"], made["secret"]);
    let previous = json!({ "secret": made["secret"], "until": "2026-11-22T08:00:00.000Z" });
    assert_eq!(rotated["previous"], previous);
    app.pass(SignedDuration::from_hours(24) - SignedDuration::from_millis(1));
    assert_eq!(secret().await["previous"], previous);
    app.pass(SignedDuration::from_millis(1));
    assert_eq!(secret().await, json!({ "secret": rotated["secret"], "previous": null }));
    let reads = actions(&app).await.into_iter().filter(|action| action == "webhook.secret_read").count();
    assert_eq!(reads, 3, "each time");
    let records = audited(&app).await;
    for told in [&made["secret"], &rotated["secret"]] {
        assert!(!format!("{records:?}").contains(told.as_str().unwrap()));
    }
    assert!(!get(&app, "").await.to_string().contains("whsec_"));
}

#[tokio::test]
async fn one_that_was_off_goes_on_where_it_stopped_or_from_now() {
    let app = local().start().await;
    let receiver = Receiver::serve().await;
    let more = json!({ "url": receiver.url(), "types": ["widget.loaded"] });
    let (goes_on, skips) = (id(&make(&app, &more).await), id(&make(&app, &more).await));
    // One event that nobody takes, and waits.
    receiver.status.store(500, Ordering::SeqCst);
    app.visitor().await;
    app.hooks.work().await.unwrap();
    for id in [&goes_on, &skips] {
        let off = good(send(&app, Method::POST, &format!("/{id}/disable"), &Value::Null).await).await;
        assert_eq!((&off["state"], &off["waiting"]), (&json!("person"), &json!(1)));
        problem(send(&app, Method::POST, &format!("/{id}/replay"), &json!({ "failed": true })).await, 409, "switched_off").await;
    }
    app.pass(SignedDuration::from_mins(1));
    let missed = app.now();
    app.visitor().await;
    app.hooks.work().await.unwrap();
    assert_eq!(get(&app, &format!("/{skips}")).await["behindSince"], format!("{missed:.3}"));

    receiver.status.store(204, Ordering::SeqCst);
    receiver.received.lock().unwrap().clear();
    let on = good(send(&app, Method::POST, &format!("/{skips}/enable"), &json!({ "skip": true })).await).await;
    let counts = (&on["state"], &on["waiting"], &on["givenUp"], &on["behindSince"]);
    assert_eq!(counts, (&json!("on"), &json!(0), &json!(1), &Value::Null), "what waited counts as given up");
    assert_eq!(kept(&app, &skips).await.position, app.store.look(End).await.unwrap());
    app.hooks.work().await.unwrap();
    assert!(receiver.received.lock().unwrap().is_empty());
    // On already: where it is does not change any more.
    problem(send(&app, Method::POST, &format!("/{skips}/enable"), &json!({ "skip": true })).await, 409, "switched_on").await;
    good(send(&app, Method::POST, &format!("/{skips}/enable"), &Value::Null).await).await;

    good(send(&app, Method::POST, &format!("/{goes_on}/enable"), &Value::Null).await).await;
    let known = kept(&app, &goes_on).await;
    assert_eq!((known.state, known.failures, known.failing_since, known.problem), (EndpointState::On, 0, None, None));
    app.hooks.work().await.unwrap();
    assert_eq!(receiver.received.lock().unwrap().len(), 2, "the one that waited and the one that was missed");

    let records = audited(&app).await;
    let enabled: Vec<_> =
        records.iter().filter(|record| record.action == "webhook.enabled").map(|record| &record.detail).collect();
    let detail = |skip: bool| json!({ "name": "CRM", "was": "person", "skip": skip });
    assert_eq!(enabled, [&detail(true), &detail(false)]);
}

#[tokio::test]
async fn what_is_to_be_sent_again_is_said_in_one_of_three_ways() {
    let app = local().with_settings(|settings| settings.webhook_replay_limit = 2).start().await;
    app.import(OTHER, &[]).await;
    let receiver = Receiver::serve().await;
    let at = format!("/{}/replay", id(&make(&app, &json!({ "url": receiver.url(), "types": ["widget.loaded"] })).await));
    for _ in 0..3 {
        app.visitor().await;
        app.pass(SignedDuration::from_mins(1));
    }
    app.hooks.work().await.unwrap();
    let (from, to) = ("2026-11-21T08:00:00Z", "2026-11-21T08:01:00.001Z");
    let again = async |which: &Value| {
        let response = send(&app, Method::POST, &at, which).await;
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        response.json::<Value>().await.unwrap()["events"].as_u64().unwrap()
    };
    assert_eq!(again(&json!({ "from": from, "to": to })).await, 2, "as many as the setting allows");
    let events: Vec<Value> = app.log().await.into_iter().filter(|event| event["type"] == "widget.loaded").collect();
    assert_eq!(again(&json!({ "event": events[2]["id"] })).await, 1);
    assert_eq!(again(&json!({ "failed": true })).await, 0);
    let none = "01890000-0000-7000-8000-000000000000";
    for (which, status, code, field) in [
        (json!({ "from": from, "to": "2026-11-21T09:00:00Z" }), 400, "malformed", json!("to")),
        (json!({ "from": from, "to": from }), 400, "malformed", json!("to")),
        (json!({ "event": none }), 404, "not_found", json!("event")),
        (json!({ "event": "x" }), 400, "malformed", json!("event")),
        (json!({ "from": "yesterday", "to": to }), 400, "malformed", json!("from")),
        (json!({ "from": from }), 400, "malformed", Value::Null),
        (json!({ "failed": false }), 400, "malformed", Value::Null),
        (json!({ "failed": true, "event": none }), 400, "malformed", Value::Null),
        (json!({}), 400, "malformed", Value::Null),
    ] {
        let refused = problem(send(&app, Method::POST, &at, &which).await, status, code).await;
        assert_eq!(refused["field"], field, "{which}: {refused}");
    }
    // Another site's events are none of its.
    let other = format!("/{}/replay", id(&make(&app, &json!({ "site": "other" })).await));
    problem(send(&app, Method::POST, &other, &json!({ "event": events[0]["id"] })).await, 404, "not_found").await;
    let records = audited(&app).await;
    let replayed: Vec<_> =
        records.iter().filter(|record| record.action == "webhook.replayed").map(|record| &record.detail["events"]).collect();
    assert_eq!(replayed, [&json!(2), &json!(1), &json!(0)]);
}

#[tokio::test]
async fn what_came_of_attempts_is_told_a_page_at_a_time() {
    let app = local().start().await;
    let receiver = Receiver::serve().await;
    let at = format!("/{}/attempts", id(&make(&app, &json!({ "url": receiver.url(), "types": ["widget.loaded"] })).await));
    assert_eq!(get(&app, &at).await, json!({ "attempts": [], "next": null }));
    for status in [200, 503, 204] {
        receiver.status.store(status, Ordering::SeqCst);
        app.visitor().await;
        app.hooks.work().await.unwrap();
    }
    let log: Vec<String> =
        app.log().await.iter().filter(|event| event["type"] == "widget.loaded").map(|event| text(&event["id"])).collect();
    let page = get(&app, &at).await;
    let attempts = page["attempts"].as_array().unwrap();
    let told: Vec<_> = attempts.iter().map(|attempt| (text(&attempt["event"]), attempt["status"].as_u64().unwrap())).collect();
    let expected = [204, 503, 200].into_iter().zip(log.iter().rev()).map(|(status, event)| (event.clone(), status));
    assert_eq!(told, expected.collect::<Vec<_>>(), "the newest first");
    let failed = &attempts[1];
    assert_eq!(
        (&failed["type"], &failed["at"], &failed["milliseconds"]),
        (&json!("widget.loaded"), &json!("2026-11-21T08:00:00.000Z"), &json!(0))
    );
    assert!(text(&failed["problem"]).contains("503") && attempts[0]["problem"].is_null());

    let first = get(&app, &format!("{at}?limit=2")).await;
    assert_eq!(first["attempts"], json!(attempts[..2]));
    let last = get(&app, &format!("{at}?limit=2&after={}", text(&first["next"]))).await;
    assert_eq!((&last["attempts"], &last["next"]), (&json!(attempts[2..]), &Value::Null));
    assert_eq!(get(&app, &format!("{at}?outcome=failed")).await["attempts"], json!([failed]));
    assert_eq!(get(&app, &format!("{at}?outcome=succeeded")).await["attempts"].as_array().unwrap().len(), 2);
    assert_eq!(get(&app, &format!("{at}?event={}", log[0])).await["attempts"], json!([attempts[2]]));
    for (query, field) in [("limit=0", "limit"), ("after=x", "after"), ("outcome=maybe", "outcome"), ("event=x", "event")] {
        let refused = problem(send(&app, Method::GET, &format!("{at}?{query}"), &Value::Null).await, 400, "malformed").await;
        assert_eq!(refused["field"], field, "{query}");
    }
}

#[tokio::test]
async fn a_test_event_is_sent_like_any_other_and_stands_nowhere() {
    let app = local().start().await;
    let receiver = Receiver::serve().await;
    let made = make(&app, &json!({ "url": receiver.url() })).await;
    let at = format!("/{}/test", id(&made));
    let before = get(&app, &format!("/{}", id(&made))).await;
    let tried = good(send(&app, Method::POST, &at, &json!({ "type": "input.email" })).await).await;
    let expected = json!({
        "event": tried["event"], "type": "input.email", "at": "2026-11-21T08:00:00.000Z", "milliseconds": 0, "status": 200, "problem": null,
    });
    assert_eq!(tried, expected);
    {
        let received = receiver.received.lock().unwrap();
        let [Received { headers, body }] = received.as_slice() else { unreachable!("it was sent once") };
        let event: Event = serde_json::from_slice(body).unwrap();
        assert_eq!(
            (event.id.to_string(), headers["webhook-id"].to_str().unwrap()),
            (text(&tried["event"]), tried["event"].as_str().unwrap())
        );
        assert_eq!(
            (event.kind.name(), &event.data["test"], &event.data["value"]),
            ("input.email", &json!(true), &json!("test@example.com"))
        );
        assert_eq!(headers["content-type"], "application/json");
        let secret: WebhookSecret = text(&made["secret"]).parse().unwrap();
        assert_eq!(headers["webhook-timestamp"], app.now().as_second().to_string());
        assert_eq!(headers["webhook-signature"], Signer::new(vec![&secret]).sign(event.id, app.now(), body));
    }
    assert!(app.log().await.is_empty(), "it is not in the log");
    assert_eq!(get(&app, &format!("/{}/attempts", id(&made))).await["attempts"], json!([]));

    receiver.status.store(500, Ordering::SeqCst);
    let tried = good(send(&app, Method::POST, &at, &Value::Null).await).await;
    assert_eq!((&tried["type"], &tried["status"]), (&json!("widget.loaded"), &json!(500)));
    assert!(text(&tried["problem"]).contains("500"));
    assert_eq!(get(&app, &format!("/{}", id(&made))).await, before, "and counts for nothing");

    // Also to one that is switched off; and to where nobody is.
    send(&app, Method::POST, &format!("/{}/disable", id(&made)), &Value::Null).await;
    receiver.status.store(200, Ordering::SeqCst);
    for entry in CATALOGUE {
        let tried = good(send(&app, Method::POST, &at, &json!({ "type": entry.name })).await).await;
        assert_eq!((&tried["type"], &tried["problem"]), (&json!(entry.name), &Value::Null));
    }
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let nobody = make(&app, &json!({ "url": format!("http://{free}/") })).await;
    let tried = good(send(&app, Method::POST, &format!("/{}/test", id(&nobody)), &Value::Null).await).await;
    assert_eq!(tried["status"], Value::Null);
    assert!(text(&tried["problem"]).contains("cannot be connected to"));
    let refused = problem(send(&app, Method::POST, &at, &json!({ "type": "no.such" })).await, 400, "malformed").await;
    assert_eq!(refused["field"], "type");
    assert_eq!(audited(&app).await[1].detail["status"], 200);
}
