//! The server under test, on a port of its own, with a database of its own and a clock that only the test moves.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use jiff::Timestamp;
use porchlight_domain::id::SiteKey;
use porchlight_server::{
    access::{ApiKey, Scope},
    analytics::Counter,
    calendar::Sync,
    http,
    mail::Postman,
    outside::Outside,
    realtime::Clock,
    secret::Secret,
    settings::Settings,
    site_files::{Import, SiteFiles},
    store::{Command, Failure, Store, Tx},
    webhooks::Hooks,
    workers::Workers,
};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const PAGE: &str = "https://shop.example/bikes";
pub(crate) const ORIGIN: &str = "https://shop.example";

const SITE: &str = "key = \"shop\"\ntitle = \"Shop\"\norigins = [\"https://shop.example\", \"loopback\"]\ncountry = \"DE\"\n";
pub(crate) const CONVERSATION: &str = r#"{ "id": "welcome", "name": "Welcome", "cards": [
    { "id": "hi", "card": "message", "text": "Hello <b>you</b>" },
    { "id": "topic", "card": "question", "text": "What about?", "attribute": "topic",
      "choices": [{ "label": "Price", "value": "price" }, { "label": "Nothing", "value": "none", "next": "bye" }] },
    { "id": "mail", "card": "capture", "field": "email", "text": "Your address?" },
    { "id": "phone", "card": "capture", "field": "phone", "text": "Your number?", "optional": true },
    { "id": "bye", "card": "end", "text": "Goodbye" }
] }"#;

/// A document, as far as its kind is looked at.
pub(crate) const PDF: &[u8] = b"%PDF-1.7 test";

pub(crate) struct TestApp {
    pub(crate) address: SocketAddr,
    pub(crate) store: Store,
    pub(crate) key: String,
    clock: Arc<AtomicI64>,
    /// Does what is due, when a test says so.
    pub(crate) ticking: Clock,
    /// Sends what is to be sent, when a test says so; where the settings say how.
    pub(crate) postman: Option<Postman>,
    /// Reads and writes calendars elsewhere, when a test says so.
    pub(crate) sync: Sync,
    /// Sends events to endpoints, when a test says so.
    pub(crate) hooks: Hooks,
    outside: Outside,
    settings: Settings,
    /// Counts the log, when a test says so.
    pub(crate) counter: Counter,
    client: reqwest::Client,
    /// Where its database is.
    pub(crate) folder: TempDir,
}

pub(crate) struct Builder {
    settings: Settings,
    conversations: Vec<String>,
    site: String,
}

impl Builder {
    pub(crate) fn with_settings(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    pub(crate) fn with_conversation(mut self, json: &str) -> Self {
        self.conversations.push(json.to_owned());
        self
    }

    pub(crate) fn with_site(mut self, toml: &str) -> Self {
        toml.clone_into(&mut self.site);
        self
    }

    /// Starts with the conversations that were added, and without the usual one.
    pub(crate) async fn start_only(mut self) -> TestApp {
        self.conversations.remove(0);
        self.start().await
    }

    pub(crate) async fn start(self) -> TestApp {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), self.settings.commit_batch, self.settings.queue_limit).await.unwrap();
        let clock = Arc::new(AtomicI64::new("2026-11-21T08:00:00Z".parse::<Timestamp>().unwrap().as_millisecond()));
        let hands = Arc::clone(&clock);
        let outside = Outside::with_clock(move || Timestamp::from_millisecond(hands.load(Ordering::SeqCst)).unwrap());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut settings = self.settings;
        settings.listen = address;
        let workers = Workers::new(&store, &outside, &settings).unwrap();
        let (router, ticking) = http::app(store.clone(), settings.clone(), outside.clone(), &workers);
        tokio::spawn(axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).into_future());
        let secret = outside.new_secret();
        let key = format!("plk_{}", secret.reveal());
        store.commit(AddKey { secret, id: "test".to_owned(), scopes: None, sites: None }).await.unwrap();
        let client = reqwest::Client::new();
        let Workers { postman, sync, hooks, counter } = workers;
        let app =
            TestApp { address, store, key, clock, ticking, postman, sync, hooks, counter, outside, settings, client, folder };
        app.import(&self.site, &self.conversations).await;
        app
    }
}

struct AddKey {
    secret: Secret,
    id: String,
    scopes: Option<Vec<Scope>>,
    sites: Option<Vec<SiteKey>>,
}

impl Command for AddKey {
    type Done = ();
    type Refusal = ();

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<()>> {
        let Self { secret, id, scopes, sites } = self;
        let name = id.clone();
        let key = ApiKey { id, name, scopes, sites, ending: String::new(), created_at: Timestamp::UNIX_EPOCH, used_at: None };
        Ok(tx.add_api_key(&secret, &key).await?)
    }
}

impl TestApp {
    pub(crate) fn init() -> Builder {
        // The clock stands, and tests look into the log more often than programs do.
        let settings = Settings { api_requests_per_minute: 1_000_000, ..Settings::default() };
        Builder { settings, conversations: vec![CONVERSATION.to_owned()], site: SITE.to_owned() }
    }

    pub(crate) async fn import(&self, site: &str, conversations: &[String]) {
        let mut files = vec![("site.toml".to_owned(), site.as_bytes().to_vec()), ("files/guide.pdf".to_owned(), PDF.to_vec())];
        files.extend(conversations.iter().enumerate().map(|(index, json)| (format!("{index}.json"), json.clone().into_bytes())));
        let files = SiteFiles::read(files, 1_000_000).unwrap();
        let now = self.now();
        self.store.commit(Import { files, publish: true, outside: Outside::with_clock(move || now) }).await.unwrap();
    }

    /// Publishes other conversations in the place of those before.
    pub(crate) async fn republish(&self, conversations: &[String]) {
        self.import(SITE, conversations).await;
    }

    /// Another key, with scopes and sites of its own; nothing named: everything.
    pub(crate) async fn key(&self, id: &str, scopes: Option<&[Scope]>, sites: Option<&[&str]>) -> String {
        let secret = Outside::real().new_secret();
        let text = format!("plk_{}", secret.reveal());
        let sites = sites.map(|sites| sites.iter().map(|site| site.parse().unwrap()).collect());
        self.store.commit(AddKey { secret, id: id.to_owned(), scopes: scopes.map(<[_]>::to_vec), sites }).await.unwrap();
        text
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.clock.load(Ordering::SeqCst)).unwrap()
    }

    pub(crate) fn pass(&self, time: jiff::SignedDuration) {
        self.clock.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// What sends events to endpoints, as it is after a restart: with nothing but what is stored.
    pub(crate) fn hooks_anew(&self) -> Hooks {
        Hooks::new(self.store.clone(), self.outside.clone(), &self.settings).unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("http://{}{path}", self.address))
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("http://{}{path}", self.address))
    }

    /// As the loader sends: JSON as text, from the page's origin.
    pub(crate) async fn send(&self, path: &str, body: &Value) -> Response {
        self.post(path).header("origin", ORIGIN).body(body.to_string()).send().await.unwrap()
    }

    pub(crate) async fn visitor(&self) -> Visitor<'_> {
        let begun = good(self.send("/widget/v1/start", &json!({ "site": "shop", "page": PAGE, "locale": "en-GB" })).await).await;
        Visitor { app: self, token: text(&begun["token"]), view: text(&begun["view"]), begun, next_id: std::cell::Cell::new(0) }
    }

    /// The log, as the API tells it.
    pub(crate) async fn log(&self) -> Vec<Value> {
        let page: Value = good(self.get("/api/v1/events?limit=1000").bearer_auth(&self.key).send().await.unwrap()).await;
        page["events"].as_array().unwrap().clone()
    }

    pub(crate) async fn types(&self) -> Vec<String> {
        self.log().await.iter().map(|event| text(&event["type"])).collect()
    }
}

/// A visitor with a page open.
pub(crate) struct Visitor<'a> {
    pub(crate) app: &'a TestApp,
    pub(crate) token: String,
    pub(crate) view: String,
    pub(crate) begun: Value,
    next_id: std::cell::Cell<u32>,
}

/// What a form of the panel holds.
pub(crate) type Form = Vec<(String, String)>;

impl Visitor<'_> {
    /// An id of the page's own making.
    pub(crate) fn id(&self) -> String {
        self.next_id.set(self.next_id.get() + 1);
        let millis = u64::try_from(self.app.now().as_millisecond()).unwrap();
        let mut random = [0; 10];
        random[..4].copy_from_slice(&self.next_id.get().to_be_bytes());
        random[4..].copy_from_slice(&self.view.as_bytes()[30..36]);
        porchlight_domain::id::uuid_v7(millis, &random).to_string()
    }

    pub(crate) fn reports(&self, reports: &Value) -> Value {
        json!({ "token": self.token, "view": self.view, "session": self.begun["session"], "after": 0, "page": PAGE,
                "conversation": "welcome", "reports": reports })
    }

    pub(crate) fn report(&self, kind: &str) -> Value {
        json!({ "id": self.id(), "time": self.app.now().to_string(), "type": kind, "widget": "launcher", "element": "porchlight", "kind": "Chat" })
    }

    pub(crate) async fn tell(&self, kind: &str) -> Value {
        good(self.app.send("/widget/v1/events", &self.reports(&json!([self.report(kind)]))).await).await
    }

    pub(crate) fn opening(&self) -> Form {
        let fields = [
            ("token", self.token.as_str()),
            ("view", &self.view),
            ("after", "0"),
            ("page", PAGE),
            ("conversation", "welcome"),
            ("locale", "en-GB"),
            ("theme", "auto"),
        ];
        fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }

    /// Opens the panel, and gives the form of its card.
    pub(crate) async fn open(&self) -> (String, Form) {
        let response = self.app.post("/widget/panel").header("origin", ORIGIN).form(&self.opening()).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let html = response.text().await.unwrap();
        let form = form_of(&html);
        (html, form)
    }

    /// Answers as the panel's script does.
    pub(crate) async fn answer(&self, form: &Form, value: &str) -> Response {
        self.answer_with(form, &[("value", value)]).await
    }

    pub(crate) async fn answer_with(&self, form: &Form, more: &[(&str, &str)]) -> Response {
        let request = self.app.post("/widget/v1/answers").header("accept", "application/json");
        request.header("origin", format!("http://{}", self.app.address)).form(&filled(form, more)).send().await.unwrap()
    }

    /// Answers, is taken, and gives the form of the next card.
    pub(crate) async fn go_on(&self, form: &Form, value: &str) -> (Value, Form) {
        let answered = good(self.answer(form, value).await).await;
        let form = form_of(answered["card"].as_str().unwrap());
        (answered, form)
    }
}

pub(crate) fn filled(form: &Form, more: &[(&str, &str)]) -> Form {
    let mut form = form.clone();
    for (name, value) in more {
        form.retain(|(known, _)| known != name);
        form.push(((*name).to_owned(), (*value).to_owned()));
    }
    form
}

/// The hidden fields of the form in a piece of HTML.
pub(crate) fn form_of(html: &str) -> Form {
    let attribute = |tag: &str, name: &str| {
        let start = tag.find(&format!("{name}=\""))? + name.len() + 2;
        Some(tag[start..].split('"').next()?.replace("&amp;", "&"))
    };
    let tags = html.split("<input ").skip(1).filter_map(|rest| rest.split('>').next());
    let hidden = tags.filter(|tag| tag.contains("type=\"hidden\""));
    hidden.filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value")?))).collect()
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

pub(crate) async fn good(response: Response) -> Value {
    let status = response.status();
    let text = response.text().await.unwrap();
    assert_eq!(status, StatusCode::OK, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// Checks that an answer is a problem of a status and a code, and gives it.
pub(crate) async fn problem(response: Response, status: u16, code: &str) -> Value {
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let found = response.status();
    let problem: Value = response.json().await.unwrap();
    assert_eq!((found.as_u16(), problem["code"].as_str()), (status, Some(code)), "{problem}");
    assert_eq!(problem["status"], status);
    problem
}
