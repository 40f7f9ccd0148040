//! `POST /widget/v1/start`.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::app::{CONVERSATION, ORIGIN, PAGE, TestApp, good, problem, text};

fn asked() -> Value {
    json!({ "site": "shop", "page": PAGE, "locale": "en-GB" })
}

#[tokio::test]
async fn a_new_visitor_is_offered_the_dialogue() {
    let app = TestApp::init().start().await;
    let response = app.send("/widget/v1/start", &asked()).await;
    assert_eq!(response.headers()["access-control-allow-origin"], ORIGIN);
    assert_eq!(response.headers()["cache-control"], "no-store");
    let begun = good(response).await;
    assert_eq!(
        begun["conversation"],
        json!({ "id": "welcome", "name": "Welcome", "type": "dialogue", "uiType": "chatbot", "trigger": null, "poke": null, "goesOn": false })
    );
    assert_eq!(begun["events"], json!(app.log().await));
    assert_eq!(begun["events"][0]["type"], "widget.loaded");
    assert_eq!(begun["events"][0]["seq"], 1);
    assert_eq!(begun["settings"]["label"], "Open chat");
    assert_eq!(text(&begun["token"]).len(), 43);
}

#[tokio::test]
async fn a_known_visitor_stays_who_they_are() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    let again = good(
        app.send("/widget/v1/start", &json!({ "site": "shop", "page": PAGE, "token": visitor.token, "locale": "de" })).await,
    )
    .await;
    assert_eq!((&again["visitor"], &again["session"]), (&visitor.begun["visitor"], &visitor.begun["session"]));
    assert!(again.get("token").is_none());
    assert_eq!(again["events"][0]["seq"], 2);
    assert_ne!(again["view"], visitor.begun["view"]);
    assert_eq!(again["settings"]["label"], "Chat öffnen");
}

#[tokio::test]
async fn a_session_ends_after_its_time_without_activity() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    let again = json!({ "site": "shop", "page": PAGE, "token": visitor.token });
    app.pass(SignedDuration::from_mins(30) - SignedDuration::from_millis(1));
    let within = good(app.send("/widget/v1/start", &again).await).await;
    assert_eq!(within["session"], visitor.begun["session"]);
    app.pass(SignedDuration::from_mins(30));
    let after = good(app.send("/widget/v1/start", &again).await).await;
    assert_ne!(after["session"], visitor.begun["session"]);
    assert_eq!((&after["visitor"], &after["events"][0]["seq"]), (&visitor.begun["visitor"], &json!(1)));
}

#[tokio::test]
async fn the_highest_priority_that_targets_the_page_wins() {
    let other = |id: &str, priority: i64, pages: &str| {
        CONVERSATION.replacen(
            "\"id\": \"welcome\"",
            &format!("\"id\": \"{id}\", \"priority\": {priority}, \"target\": {{ {pages} }}"),
            1,
        )
    };
    let app = TestApp::init()
        .with_conversation(&other("sale", 5, "\"pages\": [\"/sale*\"]"))
        .with_conversation(&other("bikes", 3, "\"pages\": [\"/bikes\"]"))
        .with_conversation(&CONVERSATION.replacen("\"id\": \"welcome\"", "\"id\": \"flow\", \"type\": \"conversationFlow\"", 1))
        .start()
        .await;
    for (page, expected) in
        [("https://shop.example/bikes", "bikes"), ("https://shop.example/sale/x", "sale"), ("https://shop.example/", "welcome")]
    {
        let begun = good(app.send("/widget/v1/start", &json!({ "site": "shop", "page": page })).await).await;
        assert_eq!(begun["conversation"]["id"], expected, "{page}");
    }
}

#[tokio::test]
async fn an_answered_conversation_goes_on_anywhere_on_its_version_and_a_completed_one_is_not_offered_again() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    let (_, form) = visitor.open().await;
    let (_, form) = visitor.go_on(&form, "price").await;
    // Published anew for other pages only, and then not at all.
    let other = CONVERSATION.replacen("\"name\": \"Welcome\"", "\"name\": \"Anew\", \"target\": { \"pages\": [\"/other\"] }", 1);
    app.republish(&[other]).await;
    let again = json!({ "site": "shop", "page": PAGE, "token": visitor.token });
    assert_eq!(good(app.send("/widget/v1/start", &again).await).await["conversation"]["name"], "Welcome");
    app.republish(&[]).await;
    assert_eq!(good(app.send("/widget/v1/start", &again).await).await["conversation"]["name"], "Welcome");

    app.republish(&[CONVERSATION.to_owned()]).await;
    let (_, form) = visitor.go_on(&form, "ada@example.com").await;
    good(visitor.answer_with(&form, &[("do", "skip")]).await).await;
    assert_eq!(good(app.send("/widget/v1/start", &again).await).await["conversation"], Value::Null);
}

#[tokio::test]
async fn one_that_was_not_answered_takes_the_new_version_or_disappears() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    let (html, old_form) = visitor.open().await;
    assert!(html.contains("What about?"));
    app.republish(&[CONVERSATION.replace("What about?", "How can we help?")]).await;
    let again = json!({ "site": "shop", "page": PAGE, "token": visitor.token });
    good(app.send("/widget/v1/start", &again).await).await;
    let (html, _) = visitor.open().await;
    assert!(html.contains("How can we help?") && !html.contains("What about?"));
    // A form of the old version answers nothing.
    problem(visitor.answer(&old_form, "price").await, 409, "not_current").await;
    app.republish(&[]).await;
    assert_eq!(good(app.send("/widget/v1/start", &again).await).await["conversation"], Value::Null);
    let triggered = app.types().await.iter().filter(|kind| *kind == "conversation.triggered").count();
    assert_eq!(triggered, 1, "counted once a session, whatever the version");
}

#[tokio::test]
async fn bad_input_is_refused_and_nothing_is_stored() {
    let app = TestApp::init().start().await;
    let with = |name: &str, value: Value| {
        let mut body = asked();
        body[name] = value;
        body
    };
    for (body, status, code, field) in [
        (with("site", json!("nowhere")), 404, "unknown_site", "site"),
        (with("site", json!("no where")), 400, "malformed", "site"),
        (with("site", json!(7)), 400, "malformed", "site"),
        (json!({ "page": PAGE }), 400, "malformed", "site"),
        (json!({ "site": "shop" }), 400, "malformed", "page"),
        (with("page", json!("shop.example")), 400, "malformed", "page"),
        (with("page", json!("file:///etc/passwd")), 400, "malformed", "page"),
        (with("page", json!(format!("https://shop.example/{}", "x".repeat(4096)))), 400, "malformed", "page"),
        (with("page", json!("https://evil.example/")), 403, "forbidden_origin", "page"),
        (with("token", json!("short")), 400, "malformed", "token"),
    ] {
        let found = problem(app.send("/widget/v1/start", &body).await, status, code).await;
        assert_eq!(found["field"], field, "{found}");
        assert!(!text(&found["detail"]).is_empty());
    }
    // The page says it is the shop's, the browser says otherwise.
    let lying =
        app.post("/widget/v1/start").header("origin", "https://evil.example").body(asked().to_string()).send().await.unwrap();
    problem(lying, 403, "forbidden_origin").await;
    for body in ["", "{", "[]", "null", "{} {}"] {
        let response = app.post("/widget/v1/start").header("origin", ORIGIN).body(body).send().await.unwrap();
        problem(response, 400, "malformed").await;
    }
    assert_eq!(app.log().await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_token_of_another_site_is_nobodys() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    app.import("key = \"other\"\ntitle = \"Other\"\norigins = [\"https://shop.example\"]\n", &[]).await;
    let begun = good(app.send("/widget/v1/start", &json!({ "site": "other", "page": PAGE, "token": visitor.token })).await).await;
    assert_ne!(begun["visitor"], visitor.begun["visitor"]);
    assert_ne!(text(&begun["token"]), visitor.token);
}

#[tokio::test]
async fn a_page_address_loses_its_password() {
    let app = TestApp::init().start().await;
    good(app.send("/widget/v1/start", &json!({ "site": "shop", "page": "https://ada:secret@shop.example/x" })).await).await;
    assert_eq!(app.log().await[0]["page"], "https://shop.example/x");
}
