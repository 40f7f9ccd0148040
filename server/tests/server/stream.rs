//! `GET /api/v1/events/stream`, and pages of the log while it is written.

use std::{cell::Cell, fs, process::Stdio, time::Duration};

use futures_util::future::join_all;
use porchlight_server::{
    access::Scope,
    store::{Command, Failure, Tx},
};
use reqwest::Response;
use serde_json::{Value, json};
use tokio::process::Command as Process;

use crate::{
    app::{CONVERSATION, ORIGIN, TestApp, Visitor, good, problem, text},
    kill::{once, serve},
    resources::OTHER,
};

/// How long is waited for what has to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A message of a stream.
#[derive(Debug, Clone, PartialEq)]
struct Message {
    id: String,
    /// The event's type, and the event; nothing in a message that only says how far the stream has come.
    event: Option<(String, Value)>,
}

/// A client that follows the log.
struct Stream {
    response: Response,
    received: String,
}

impl Stream {
    fn of(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert!(!response.headers().contains_key("content-encoding"), "what is compressed would be kept back");
        Self { response, received: String::new() }
    }

    async fn open(app: &TestApp, query: &str) -> Self {
        let request = app.get(&format!("/api/v1/events/stream{query}")).header("accept-encoding", "gzip, br");
        Self::of(request.bearer_auth(&app.key).send().await.unwrap())
    }

    /// Comes again after a message.
    async fn again(app: &TestApp, last: &str) -> Self {
        let request = app.get("/api/v1/events/stream?after=0").header("last-event-id", last);
        Self::of(request.bearer_auth(&app.key).send().await.unwrap())
    }

    /// What comes next, comments too; nothing once the stream has ended.
    async fn next_block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.received.split_once("\n\n") {
                let block = block.to_owned();
                self.received = rest.to_owned();
                return Some(block);
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await.unwrap().unwrap()?;
            self.received += std::str::from_utf8(&chunk).unwrap();
        }
    }

    /// The next message.
    async fn next(&mut self) -> Option<Message> {
        loop {
            let block = self.next_block().await?;
            let field =
                |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).map(str::to_owned);
            if let Some(id) = field("id") {
                let data = field("data").map(|data| serde_json::from_str(&data).unwrap());
                return Some(Message { id, event: field("event").zip(data) });
            }
        }
    }

    /// The next event.
    async fn event(&mut self) -> Option<Value> {
        loop {
            if let Some((kind, event)) = self.next().await?.event {
                assert_eq!(kind, text(&event["type"]));
                return Some(event);
            }
        }
    }
}

async fn page(app: &TestApp, query: &str) -> Value {
    good(app.get(&format!("/api/v1/events{query}")).bearer_auth(&app.key).send().await.unwrap()).await
}

fn ids<'e>(events: impl IntoIterator<Item = &'e Value>) -> Vec<String> {
    events.into_iter().map(|event| text(&event["id"])).collect()
}

/// Several visitors at once, each of whom does several things.
async fn write(app: &TestApp) {
    join_all((0..8).map(|_| async move {
        let visitor = app.visitor().await;
        for _ in 0..6 {
            visitor.tell("widget.shown").await;
            visitor.tell("widget.hidden").await;
        }
    }))
    .await;
}

/// Many events of one visitor.
pub(crate) async fn write_many(visitor: &Visitor<'_>, times: usize) {
    for _ in 0..times {
        let reports: Vec<_> = (0..50).map(|_| visitor.report("widget.clicked")).collect();
        good(visitor.app.send("/widget/v1/events", &visitor.reports(&json!(reports))).await).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_pages_while_others_write_sees_each_event_once_and_in_order() {
    let app = TestApp::init().start().await;
    let is_over = Cell::new(false);
    let writing = async {
        write(&app).await;
        is_over.set(true);
    };
    let reading = async {
        let (mut read, mut after) = (Vec::new(), "0".to_owned());
        loop {
            let last = is_over.get();
            let page = page(&app, &format!("?limit=3&after={after}")).await;
            after = text(&page["next"]);
            let found = ids(page["events"].as_array().unwrap());
            if found.is_empty() && last {
                return read;
            }
            read.extend(found);
        }
    };
    let ((), read) = tokio::join!(writing, reading);
    let all = ids(&app.log().await);
    assert!(all.len() >= 8 * 12, "{}", all.len());
    assert_eq!(read, all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_breaks_again_and_again_misses_nothing_and_repeats_nothing() {
    // That a stream has ended is noticed some time after it has, and here the next begins at once.
    let app = TestApp::init().with_settings(|settings| settings.streams_limit = 1000).start().await;
    let writing = async {
        write(&app).await;
        // After all others, by which the reader knows that it has all.
        app.visitor().await.tell("widget.clicked").await;
    };
    let reading = async {
        let (mut read, mut last, mut round) = (Vec::new(), "0".to_owned(), 0);
        loop {
            // Each time it is lost a little later.
            round = (round + 1) % 7;
            let mut stream = Stream::again(&app, &last).await;
            for _ in 0..=round {
                let message = stream.next().await.unwrap();
                last = message.id;
                if let Some((kind, event)) = message.event {
                    read.push(event);
                    if kind == "widget.clicked" {
                        return read;
                    }
                }
            }
        }
    };
    let ((), read) = tokio::join!(writing, reading);
    assert_eq!(read, app.log().await, "the envelopes are those of the pages");
}

#[tokio::test]
async fn without_a_place_it_begins_with_what_happens_from_now_on() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    visitor.tell("widget.shown").await;
    let mut stream = Stream::open(&app, "").await;
    let first = stream.next().await.unwrap();
    assert_eq!(first, Message { id: text(&page(&app, "").await["next"]), event: None }, "who loses it now knows where it began");
    visitor.tell("widget.hidden").await;
    assert_eq!(stream.event().await.unwrap()["type"], "widget.hidden");
    drop(stream);
    visitor.tell("widget.clicked").await;
    let mut again = Stream::again(&app, &first.id).await;
    assert_eq!(again.event().await.unwrap()["type"], "widget.hidden");
    assert_eq!(again.event().await.unwrap()["type"], "widget.clicked");
    // The id of a message is a place for pages, too.
    assert_eq!(page(&app, &format!("?after={}", first.id)).await["events"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_stream_tells_what_is_asked_for_and_how_far_it_has_come() {
    let app = TestApp::init().start().await;
    let (ada, eve) = (app.visitor().await, app.visitor().await);
    ada.tell("widget.shown").await;
    eve.tell("widget.shown").await;
    let all = app.log().await;
    let session = text(&ada.begun["session"]);
    let one_of = |kinds: &'static [&'static str]| move |event: &Value| kinds.iter().any(|kind| event["type"] == *kind);
    let (begun, visitor) = (session.clone(), ada.begun["visitor"].clone());
    let (shown, first) = (one_of(&["conversation.triggered", "widget.shown"]), one_of(&["widget.loaded"]));
    type Wanted<'a> = (String, &'a dyn Fn(&Value) -> bool);
    let wanted: [Wanted<'_>; 6] = [
        (format!("&session={session}"), &|event| event["session"] == begun),
        (format!("&visitor={}", text(&visitor)), &|event| event["visitor"] == visitor),
        ("&conversation=welcome".to_owned(), &|event| event["conversation"] == "welcome"),
        ("&type=widget.loaded".to_owned(), &first),
        ("&type=conversation.triggered,widget.shown,widget.shown".to_owned(), &shown),
        (format!("&type=widget.loaded&site=shop&session={session}"), &|event| first(event) && event["session"] == begun),
    ];
    for (query, is_wanted) in wanted {
        let expected: Vec<_> = all.iter().filter(|event| is_wanted(event)).cloned().collect();
        assert!(!expected.is_empty() && expected.len() < all.len(), "{query}");
        assert_eq!(page(&app, &format!("?after=0{query}")).await["events"], json!(expected), "{query}");
        let mut stream = Stream::open(&app, &format!("?after=0{query}")).await;
        for event in expected {
            assert_eq!(stream.event().await, Some(event), "{query}");
        }
    }
    // Where nothing is wanted for long, the place moves on all the same.
    write_many(&eve, 12).await;
    let mut stream = Stream::open(&app, "?after=0&type=input.email").await;
    assert_eq!(stream.next().await.unwrap(), Message { id: "0".to_owned(), event: None });
    let end = text(&page(&app, "?after=600&limit=1000").await["next"]);
    assert_eq!(stream.next().await.unwrap(), Message { id: end, event: None });
}

#[tokio::test]
async fn places_that_are_none_are_refused() {
    let app = TestApp::init().start().await;
    for last in ["x", "-1", "1.5", "018bcfe5-6800-7707-8707-070707070707"] {
        let request = app.get("/api/v1/events/stream").header("last-event-id", last).bearer_auth(&app.key);
        assert_eq!(problem(request.send().await.unwrap(), 400, "malformed").await["field"], "Last-Event-ID", "{last}");
    }
    for (query, field) in
        [("?after=x", "after"), ("?type=conversation.opened", "type"), ("?site=a%20b", "site"), ("?until=1", "until")]
    {
        let response = app.get(&format!("/api/v1/events/stream{query}")).bearer_auth(&app.key).send().await.unwrap();
        assert_eq!(problem(response, 400, "malformed").await["field"], field);
    }
}

#[tokio::test]
async fn a_key_has_so_many_streams_at_once() {
    let app = TestApp::init().with_settings(|settings| settings.streams_limit = 2).start().await;
    let _one = Stream::open(&app, "").await;
    let two = Stream::open(&app, "").await;
    let ask = || app.get("/api/v1/events/stream").bearer_auth(&app.key).send();
    let refused = problem(ask().await.unwrap(), 429, "too_many_requests").await;
    assert!(text(&refused["detail"]).contains("streams_limit"), "{refused}");
    // Another key has its own.
    let other = app.key("other", None, None).await;
    assert_eq!(app.get("/api/v1/events/stream").bearer_auth(&other).send().await.unwrap().status(), 200);
    drop(two);
    // That it has ended is noticed some time after it has.
    let again = async {
        while ask().await.unwrap().status() != 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, again).await.unwrap();
}

#[tokio::test]
async fn a_key_hears_only_of_its_sites_and_only_as_long_as_it_is_good() {
    let app = TestApp::init().start().await;
    app.import(OTHER, &[CONVERSATION.to_owned()]).await;
    let elsewhere = json!({ "site": "other", "page": "https://shop.example/", "locale": "en-GB" });
    let elsewhere = || app.post("/widget/v1/start").header("origin", ORIGIN).body(elsewhere.to_string()).send();
    let limited = app.key("limited", None, Some(&["shop"])).await;
    let mut stream = Stream::of(app.get("/api/v1/events/stream?after=0").bearer_auth(&limited).send().await.unwrap());
    elsewhere().await.unwrap();
    let visitor = app.visitor().await;
    elsewhere().await.unwrap();
    visitor.tell("widget.shown").await;
    let own: Vec<_> = app.log().await.into_iter().filter(|event| event["site"] == "shop").collect();
    assert!(own.len() == 3 && app.log().await.len() == 5);
    for event in own {
        assert_eq!(stream.event().await, Some(event));
    }
    for path in ["/api/v1/events/stream?site=other", "/api/v1/events?site=shop,other", "/api/v1/events/export?site=other"] {
        problem(app.get(path).bearer_auth(&limited).send().await.unwrap(), 404, "unknown_site").await;
    }
    let none = app.key("scopeless", Some(&[Scope::AgentsRead]), None).await;
    problem(app.get("/api/v1/events/stream").bearer_auth(&none).send().await.unwrap(), 403, "forbidden").await;
    app.store.commit(TakeBack("limited")).await.unwrap();
    visitor.tell("widget.hidden").await;
    assert_eq!(stream.event().await, None, "it ends, and nothing more is told");
}

struct TakeBack(&'static str);

impl Command for TakeBack {
    type Done = ();
    type Refusal = ();

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<()>> {
        assert_eq!(tx.remove_api_keys(self.0).await?.len(), 1);
        Ok(())
    }
}

#[tokio::test]
async fn a_stream_in_which_nothing_happens_is_kept_alive() {
    let app = TestApp::init().with_settings(|settings| settings.stream_ping_seconds = 1).start().await;
    let mut stream = Stream::open(&app, "").await;
    assert_eq!(stream.next_block().await.unwrap(), "id: 0");
    assert_eq!(stream.next_block().await.unwrap(), ": ping");
    assert_eq!(stream.next_block().await.unwrap(), ": ping");
}

#[tokio::test]
async fn streams_do_not_hold_up_a_server_that_stops() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::write(folder.path().join("site.toml"), "key = \"shop\"\ntitle = \"Shop\"\norigins = [\"https://shop.example\"]\n")
        .unwrap();
    once(&["import", folder.path().to_str().unwrap()], &data).await;
    let key = once(&["key", "create", "--name", "test"], &data).await;
    // Longer than anybody waits: it ends because the streams do.
    let (mut child, address) = serve(&data, &["--shutdown-grace-seconds", "600"]).await;
    let client = reqwest::Client::new();
    let response = client.get(format!("http://{address}/api/v1/events/stream")).bearer_auth(&key).send().await.unwrap();
    let mut stream = Stream::of(response);
    assert_eq!(stream.next().await.unwrap().event, None);
    let id = child.id().unwrap().to_string();
    assert!(Process::new("kill").args(["-TERM", &id]).stdout(Stdio::null()).status().await.unwrap().success());
    assert_eq!(stream.next().await, None);
    let status = tokio::time::timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
    assert!(status.success(), "{status}");
}
