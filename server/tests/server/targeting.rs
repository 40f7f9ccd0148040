//! Whom a dialogue is offered to, as a page asks: `POST /widget/v1/start`.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::app::{ORIGIN, PAGE, TestApp, good};

fn dialogue(id: &str, more: &str) -> String {
    format!(
        r#"{{ "id": "{id}", "name": "{id}", {more} "cards": [{{ "id": "q", "card": "question", "text": "?", "choices": [{{ "label": "Yes" }}] }}, {{ "id": "end", "card": "end" }}] }}"#
    )
}

async fn offered(app: &TestApp, change: &Value, agent: &str) -> Value {
    let mut body = json!({ "site": "shop", "page": PAGE, "locale": "en-GB" });
    body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    let request = app.post("/widget/v1/start").header("origin", ORIGIN).header("user-agent", agent);
    good(request.body(body.to_string()).send().await.unwrap()).await
}

#[tokio::test]
async fn each_condition_decides() {
    let phone = "Mozilla/5.0 (Linux; Android 10; K) Chrome/140.0.0.0 Mobile Safari/537.36";
    let desktop = "Mozilla/5.0 (X11; Linux x86_64)";
    for (target, fits, not) in [
        (
            r#""pages": ["/bikes*"], "notPages": ["/bikes/old*"]"#,
            json!({ "page": "https://shop.example/bikes/x" }),
            json!({ "page": "https://shop.example/bikes/old/x" }),
        ),
        (
            r#""params": { "utm_source": "news*" }"#,
            json!({ "page": "https://shop.example/?utm_source=newsletter" }),
            json!({ "page": "https://shop.example/?utm_source=ad" }),
        ),
        (
            r#""referrers": ["https://*.search.example/*"]"#,
            json!({ "referrer": "https://www.search.example/?q=bike" }),
            json!({ "referrer": "" }),
        ),
        (r#""locales": ["de"]"#, json!({ "locale": "de-AT" }), json!({ "locale": "en" })),
        (r#""devices": ["phone"]"#, json!({ "agent": phone }), json!({ "agent": desktop })),
        (r#""schedule": { "days": ["saturday"], "between": ["08:00", "09:00"] }"#, json!({}), json!({ "later": 60 })),
    ] {
        let app = TestApp::init().start().await;
        app.republish(&[dialogue("one", &format!("\"target\": {{ {target} }},"))]).await;
        for (change, expected) in [(fits, json!("one")), (not, Value::Null)] {
            let agent = change.get("agent").and_then(Value::as_str).unwrap_or(desktop).to_owned();
            if let Some(minutes) = change.get("later").and_then(Value::as_i64) {
                app.pass(SignedDuration::from_mins(minutes));
            }
            let begun = offered(&app, &change, &agent).await;
            let found = begun["conversation"].get("id").cloned().unwrap_or_default();
            assert_eq!(found, expected, "{target}: {change}");
        }
    }
}

#[tokio::test]
async fn who_comes_again_or_is_known_is_told_apart() {
    let app = TestApp::init().start().await;
    app.republish(&[
        dialogue("newcomers", r#""priority": 1, "target": { "visitors": "new" },"#),
        dialogue("regulars", r#""priority": 2, "target": { "visitors": "returning", "known": false },"#),
    ])
    .await;
    let visitor = app.visitor().await;
    assert_eq!(visitor.begun["conversation"]["id"], "newcomers");
    app.pass(SignedDuration::from_mins(31));
    let again = offered(&app, &json!({ "token": visitor.token }), "").await;
    assert_eq!(again["conversation"]["id"], "regulars");
}

#[tokio::test]
async fn triggers_poke_and_time_are_told_to_the_page() {
    let app = TestApp::init().start().await;
    app.republish(&[
        dialogue("one", r#""trigger": { "on": "timeOnSite", "seconds": 60 }, "poke": { "en": "Hello *you*", "de": "Hallo" },"#),
        dialogue("form", r#""type": "conversationFlow", "ui": "inline","#),
        dialogue("pop", r#""type": "conversationFlow","#),
    ])
    .await;
    let visitor = app.visitor().await;
    let offer = &visitor.begun["conversation"];
    assert_eq!((&offer["trigger"], &offer["poke"]), (&json!({ "on": "timeOnSite", "seconds": 60 }), &json!("Hello you")));
    app.pass(SignedDuration::from_secs(42));
    let again = offered(&app, &json!({ "token": visitor.token, "placed": ["form", "pop", "nothing"], "locale": "de" }), "").await;
    assert_eq!((&again["onSite"], &again["placed"]), (&json!(42), &json!({ "form": "inline" })));
    assert_eq!(again["conversation"]["poke"], "Hallo");
}

#[tokio::test]
async fn another_page_without_a_load_is_the_same_view() {
    let app = TestApp::init().start().await;
    app.republish(&[
        dialogue("one", r#""target": { "pages": ["/bikes"] },"#),
        dialogue("two", r#""target": { "pages": ["/other"] },"#),
    ])
    .await;
    let visitor = app.visitor().await;
    assert_eq!(visitor.begun["conversation"]["id"], "one");
    let change = json!({ "token": visitor.token, "view": visitor.view, "page": "https://shop.example/other" });
    let moved = offered(&app, &change, "").await;
    assert_eq!((&moved["conversation"]["id"], &moved["view"]), (&json!("two"), &visitor.begun["view"]));
    assert_eq!(app.types().await, ["widget.loaded"], "nothing was loaded again");
}

#[tokio::test]
async fn one_in_the_page_is_triggered_by_being_shown_and_not_by_being_loaded() {
    let app = TestApp::init().start().await;
    app.republish(&[dialogue("welcome", r#""type": "conversationFlow", "ui": "inline","#)]).await;
    let visitor = app.visitor().await;
    visitor.open().await;
    assert_eq!(app.types().await, ["widget.loaded"], "it is loaded before it comes into view");
    visitor.tell("widget.shown").await;
    let expected = ["widget.loaded", "widget.shown", "conversation.triggered"];
    assert_eq!(app.types().await, expected);
    let other = app.visitor().await;
    other.tell("widget.shown").await;
    other.open().await;
    assert_eq!(app.types().await[3..], expected, "or the other way round");
}

#[tokio::test]
async fn a_flow_is_repeatable_and_counted_once_a_session() {
    let app = TestApp::init().start().await;
    app.republish(&[dialogue("welcome", r#""type": "conversationFlow","#)]).await;
    let visitor = app.visitor().await;
    for round in 0..3 {
        let mut opening = visitor.opening();
        opening.push(("anew".into(), "true".into()));
        let html = app.post("/widget/panel").form(&opening).send().await.unwrap().text().await.unwrap();
        assert_eq!(html.matches("data-author").count(), 1, "round {round}: the transcript begins anew");
        visitor.go_on(&crate::app::form_of(&html), "Yes").await;
        // Opened without asking for it, it shows how it ended.
        let (html, _) = visitor.open().await;
        assert!(html.contains("has ended"));
    }
    let expected = ["widget.loaded", "conversation.triggered", "conversation.engaged", "conversation.completed"];
    assert_eq!(app.types().await, expected);
}

#[tokio::test]
async fn one_in_the_page_that_has_ended_begins_anew_in_the_next_session() {
    let app = TestApp::init().start().await;
    app.republish(&[dialogue("welcome", r#""type": "conversationFlow", "ui": "inline","#)]).await;
    let visitor = app.visitor().await;
    let (_, form) = visitor.open().await;
    visitor.go_on(&form, "Yes").await;
    let (html, _) = visitor.open().await;
    assert!(html.contains("has ended"), "a page load is no wish to fill it in again");
    app.pass(SignedDuration::from_mins(31));
    let (html, form) = visitor.open().await;
    assert!(!html.contains("has ended") && html.matches("data-author").count() == 1);
    visitor.go_on(&form, "Yes").await;
    let completed = app.types().await.iter().filter(|kind| *kind == "conversation.completed").count();
    assert_eq!(completed, 2, "once in each session");
}
