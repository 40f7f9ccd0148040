//! The console's pages of webhooks, through their forms.

use std::sync::atomic::Ordering;

use jiff::SignedDuration;
use porchlight_domain::{
    agent::Role,
    event::{CATALOGUE, EventType},
};
use porchlight_server::{
    store::{Command, Failure, Tx},
    webhooks::{Adapter, Endpoint, EndpointState},
};
use serde_json::json;

use crate::{
    app::{TestApp, text},
    meetings::{console, console_page, read},
    sides::{Agent, add_agent},
    webhooks_api::{Receiver, audited, kept, local, make},
};

const LIST: &str = "/console/webhooks";

struct All;

impl Command for All {
    type Done = Vec<Endpoint>;
    type Refusal = ();

    async fn run(self, tx: &mut Tx<'_>) -> Result<Vec<Endpoint>, Failure<()>> {
        Ok(tx.endpoints(None, None, 100).await?)
    }
}

async fn all(app: &TestApp) -> Vec<Endpoint> {
    app.store.look(All).await.unwrap()
}

/// Sends a form, and gives the status and the page that comes of it.
async fn send(app: &TestApp, agent: &Agent, path: &str, form: &[(&str, &str)]) -> (u16, String) {
    read(console(app, agent, path, form).await).await
}

/// The fields of an endpoint as it is, and more or others.
fn filled<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let usual =
        [("site", "shop"), ("name", "CRM"), ("url", "https://hooks.example.com/in"), ("kind", "standard"), ("notify", "")];
    let mut form: Vec<_> = usual.into_iter().filter(|(name, _)| !more.iter().any(|(known, _)| known == name)).collect();
    form.extend(more);
    if !more.iter().any(|(name, _)| *name == "type") {
        form.extend(CATALOGUE.iter().map(|entry| ("type", entry.name)));
    }
    form
}

fn has(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "{part} is not in {page}");
    }
}

#[tokio::test]
async fn an_endpoint_from_the_form_to_its_end() {
    let app = TestApp::init().start().await;
    let ada = add_agent(&app, 1, Role::Administrator).await;
    let (status, page) = console_page(&app, &ada, LIST).await;
    assert_eq!(status, 200);
    has(&page, &["Nothing is sent anywhere yet.", "<option value=\"shop\""]);
    assert_eq!(page.matches("name=\"type\"").count(), CATALOGUE.len(), "each type can be chosen");

    let (status, page) = send(&app, &ada, LIST, &filled(&[("notify", "ops@example.com")])).await;
    assert_eq!(status, 200, "{page}");
    has(&page, &["Made. ", "https://hooks.example.com/in", "Switch off", "Nothing has been sent yet."]);
    let [made]: [Endpoint; 1] = all(&app).await.try_into().unwrap();
    let secret = made.secret.reveal();
    assert!(!page.contains(&secret));
    assert_eq!(
        (made.settings.types.len(), made.settings.notify.as_deref()),
        (0, Some("ops@example.com")),
        "all types: those to come, too"
    );
    let at = format!("{LIST}/{}", made.id);
    has(&console_page(&app, &ada, LIST).await.1, &[&at, "As it is, signed"]);

    let (_, page) = send(&app, &ada, &at, &[("do", "secret")]).await;
    has(&page, &[&secret]);
    let (_, page) = send(&app, &ada, &at, &[("do", "rotate")]).await;
    has(&page, &["There is a new secret."]);
    let rotated = kept(&app, &made.id.to_string()).await.secret.reveal();
    assert!(!page.contains(&rotated));
    let (_, page) = send(&app, &ada, &at, &[("do", "secret")]).await;
    has(&page, &[&secret, &rotated]);

    let change = filled(&[("name", "Sales"), ("do", "save"), ("type", "input.email"), ("type", "input.phone")]);
    has(&send(&app, &ada, &at, &change).await.1, &["Saved.", "Sales", "input.phone, input.email"]);
    assert_eq!(kept(&app, &made.id.to_string()).await.settings.types, [EventType::InputPhone, EventType::InputEmail]);

    let (_, page) = console_page(&app, &ada, &format!("{at}/remove")).await;
    has(&page, &["Remove this endpoint?", "Sales"]);
    assert_eq!(all(&app).await.len(), 1, "a question removes nothing");
    has(&send(&app, &ada, &at, &[("do", "remove")]).await.1, &["Removed.", "Nothing is sent anywhere yet."]);
    assert_eq!(console_page(&app, &ada, &at).await.0, 404);

    let records = audited(&app).await;
    let done =
        ["made", "secret_read", "secret_rotated", "secret_read", "changed", "removed"].map(|done| format!("webhook.{done}"));
    assert_eq!(records.iter().map(|record| record.action.as_str()).collect::<Vec<_>>(), done);
    assert!(records.iter().all(|record| record.actor_kind == "agent" && record.actor == ada.id.to_string()));
}

#[tokio::test]
async fn every_form_of_sending_can_be_filled_in_and_keeps_its_secrets() {
    let app = TestApp::init().start().await;
    let ada = add_agent(&app, 1, Role::Administrator).await;
    let body = "{ \"text\": \"{{type}}\", \"n\": 1 }";
    let headers = "X-Key: k3y\n\n X-Other : a: b ";
    for form in [
        filled(&[("kind", "slack"), ("text", " {{type}} <b>on</b> {{page}} ")]),
        filled(&[("kind", "slack"), ("text", " ")]),
        filled(&[("kind", "ga4"), ("measurement_id", "G-1"), ("api_secret", "s3cret")]),
        filled(&[("kind", "template"), ("body", body), ("headers", headers)]),
    ] {
        let (status, page) = send(&app, &ada, LIST, &form).await;
        assert_eq!(status, 200, "{page}");
    }
    let mut made = all(&app).await;
    // Those that are made within a millisecond have no order of their own.
    made.sort_by_key(|endpoint| match &endpoint.settings.adapter {
        Adapter::Slack { text: Some(_) } => 0,
        Adapter::Slack { text: None } => 1,
        Adapter::Ga4 { .. } => 2,
        Adapter::Template { .. } | Adapter::Standard => 3,
    });
    let adapters: Vec<_> = made.iter().map(|endpoint| endpoint.settings.adapter.clone()).collect();
    let headers = [("X-Key", "k3y"), ("X-Other", "a: b")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let expected = [
        Adapter::Slack { text: Some("{{type}} <b>on</b> {{page}}".to_owned()) },
        Adapter::Slack { text: None },
        Adapter::Ga4 { measurement_id: "G-1".to_owned(), api_secret: "s3cret".to_owned() },
        Adapter::Template { body: json!({ "text": "{{type}}", "n": 1 }), headers: headers.into() },
    ];
    assert_eq!(adapters, expected);

    // What is kept is not shown; and comes back as it is shown.
    let at = |index: usize| format!("{LIST}/{}", made[index].id);
    let (_, page) = console_page(&app, &ada, &at(0)).await;
    has(&page, &["{{type}} &lt;b>on&lt;/b> {{page}}"]);
    for (index, back) in [
        (2, filled(&[("kind", "ga4"), ("measurement_id", "G-2"), ("api_secret", "…"), ("do", "save")])),
        (3, filled(&[("kind", "template"), ("body", "[]"), ("headers", "X-Key: …\nX-Other: c"), ("do", "save")])),
    ] {
        let (_, page) = console_page(&app, &ada, &at(index)).await;
        assert!(page.contains('…') && !page.contains("s3cret") && !page.contains("k3y"), "{page}");
        has(&send(&app, &ada, &at(index), &back).await.1, &["Saved."]);
    }
    let Adapter::Ga4 { api_secret, measurement_id } = kept(&app, &made[2].id.to_string()).await.settings.adapter else {
        unreachable!()
    };
    assert_eq!((api_secret.as_str(), measurement_id.as_str()), ("s3cret", "G-2"));
    let Adapter::Template { headers, .. } = kept(&app, &made[3].id.to_string()).await.settings.adapter else { unreachable!() };
    assert_eq!(headers.into_values().collect::<Vec<_>>(), ["k3y", "c"]);
}

#[tokio::test]
async fn what_is_wrong_is_said_and_what_was_typed_stays() {
    let app = TestApp::init().start().await;
    let ada = add_agent(&app, 1, Role::Administrator).await;
    let cases = [
        (filled(&[("name", " ")]), "name: expected"),
        (filled(&[("url", "https://127.0.0.1/")]), "egress_allow"),
        (filled(&[("kind", "fax")]), "form: expected"),
        (filled(&[("kind", "template"), ("body", "{")]), "JSON: "),
        (filled(&[("kind", "template"), ("body", "{}"), ("headers", "none")]), "headers: expected"),
        (filled(&[("kind", "ga4"), ("measurement_id", "G-1"), ("api_secret", "")]), "adapter.apiSecret"),
        (filled(&[("type", "")]), "events: expected"),
        (filled(&[("type", "no.such")]), "no.such"),
        (filled(&[("notify", "nobody")]), "notify: expected"),
        (filled(&[("site", "")]), "site: expected"),
    ];
    for (form, said) in &cases {
        let (status, page) = send(&app, &ada, LIST, form).await;
        assert_eq!(status, 400, "{said}: {page}");
        has(&page, &[said, "role=\"alert\""]);
    }
    assert!(all(&app).await.is_empty());
    let (_, page) = send(&app, &ada, LIST, &filled(&[("name", "\"><script>"), ("url", "none"), ("type", "goal.reached")])).await;
    assert!(!page.contains("\"><script>"));
    assert_eq!(page.matches("type=\"checkbox\" name=\"type\"").count(), CATALOGUE.len());
    has(&page, &["value=\"none\""]);

    let made = text(&make(&app, &json!({})).await["id"]);
    let at = format!("{LIST}/{made}");
    let (status, page) = send(&app, &ada, &at, &filled(&[("name", ""), ("url", "https://typed.example/"), ("do", "save")])).await;
    assert_eq!(status, 400);
    has(&page, &["name: expected", "https://typed.example/"]);
    for (form, said) in [
        (vec![("do", "dance")], "dance"),
        (vec![("do", "replay-one"), ("event", "x")], "expected the id of an event"),
        (vec![("do", "replay-between"), ("from", "2026-11-21T08:00"), ("to", "soon")], "to: expected a day and a time"),
        (vec![("do", "replay-between"), ("from", "2026-11-21T08:00"), ("to", "2026-11-21T08:00")], "expected a time after"),
        (vec![("do", "test"), ("test", "none")], "is no event type"),
    ] {
        let (status, page) = send(&app, &ada, &at, &form).await;
        assert_eq!(status, 400, "{said}: {page}");
        has(&page, &[said]);
    }
    assert_eq!(kept(&app, &made).await.settings.name, "CRM");
}

#[tokio::test]
async fn it_is_tried_switched_and_sent_again() {
    let app = local().start().await;
    let ada = add_agent(&app, 1, Role::Administrator).await;
    let receiver = Receiver::serve().await;
    let made = text(&make(&app, &json!({ "url": receiver.url(), "types": ["widget.loaded"] })).await["id"]);
    let at = format!("{LIST}/{made}");

    let (_, page) = send(&app, &ada, &at, &[("do", "test"), ("test", "meeting.booked")]).await;
    has(&page, &["200, accepted", "meeting.booked", "Nothing has been sent yet."]);
    receiver.status.store(503, Ordering::SeqCst);
    has(
        &send(&app, &ada, &at, &[("do", "test"), ("test", "goal.reached")]).await.1,
        &["503, failed", "expected a status of 2xx"],
    );
    receiver.received.lock().unwrap().clear();

    app.visitor().await;
    app.hooks.work().await.unwrap();
    let (_, page) = console_page(&app, &ada, &at).await;
    has(&page, &["failing", "1 event to be tried again", "503, failed", "2026-11-21 08:00:00", "widget.loaded"]);
    has(&console_page(&app, &ada, LIST).await.1, &["failing", "1 event to be tried again"]);

    has(&send(&app, &ada, &at, &[("do", "off")]).await.1, &["Switched off.", "Switch it on first."]);
    let (status, page) = send(&app, &ada, &at, &[("do", "replay-failed")]).await;
    assert_eq!(status, 409, "{page}");
    app.pass(SignedDuration::from_mins(1));
    app.visitor().await;
    app.pass(SignedDuration::from_mins(1));
    has(&console_page(&app, &ada, LIST).await.1, &["switched off", "behind since Saturday, 21 November 2026 at 08:01"]);
    let (_, page) = send(&app, &ada, &at, &[("do", "on"), ("begin", "skip")]).await;
    has(&page, &["Switched on.", "1 event that nobody took in time"]);
    assert_eq!(kept(&app, &made).await.state, EndpointState::On);
    receiver.status.store(200, Ordering::SeqCst);
    app.hooks.work().await.unwrap();
    let received = || receiver.received.lock().unwrap().len();
    assert_eq!(received(), 1, "the one that failed, and none since");

    has(&send(&app, &ada, &at, &[("do", "replay-failed")]).await.1, &["Sent again: 1 event."]);
    let between = [("do", "replay-between"), ("from", "2026-11-21T08:00"), ("to", "2026-11-21T08:02")];
    has(&send(&app, &ada, &at, &between).await.1, &["Sent again: 2 events."]);
    app.hooks.work().await.unwrap();
    assert_eq!(received(), 3);
    let event = format!(" {} ", text(&app.log().await[0]["id"]));
    has(&send(&app, &ada, &at, &[("do", "replay-one"), ("event", event.as_str())]).await.1, &["Sent again: 1 event."]);
    app.hooks.work().await.unwrap();
    assert_eq!(received(), 4);

    let (_, page) = console_page(&app, &ada, &format!("{at}?outcome=failed")).await;
    assert_eq!((page.matches("503, failed").count(), page.matches("200, accepted").count()), (1, 0));
    let (_, page) = console_page(&app, &ada, &at).await;
    assert_eq!((page.matches("503, failed").count(), page.matches("200, accepted").count()), (1, 3));
    assert!(!page.contains("Older"));

    for _ in 0..47 {
        app.visitor().await;
    }
    app.hooks.work().await.unwrap();
    let (_, page) = console_page(&app, &ada, &at).await;
    assert_eq!(page.matches("200, accepted").count(), 50, "a page");
    let older = page.split(&format!("href=\"{at}?outcome=&amp;before=")).nth(1).unwrap().split(['"', '#']).next().unwrap();
    let (_, page) = console_page(&app, &ada, &format!("{at}?outcome=&before={older}")).await;
    assert_eq!(page.matches("503, failed").count(), 1);
}
