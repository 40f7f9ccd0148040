//! `POST /widget/panel`.

use reqwest::StatusCode;
use serde_json::Value;

use crate::app::{CONVERSATION, ORIGIN, TestApp, filled};

#[tokio::test]
async fn the_panel_is_a_page_that_only_the_host_page_may_frame() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    let response = app.post("/widget/panel").header("origin", ORIGIN).form(&visitor.opening()).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let headers = response.headers().clone();
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("frame-ancestors https://shop.example") && policy.contains("default-src 'none'"), "{policy}");
    let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
    assert_eq!(headers["cache-control"], "no-store");
    let html = response.text().await.unwrap();
    assert!(html.starts_with("<!DOCTYPE html>"));
    assert_eq!(
        html.matches("<script").count(),
        html.matches(&format!("nonce=\"{nonce}\"")).count() - 1,
        "each script, and the style"
    );
    assert!(html.contains("role=\"log\"") && html.contains("What about?"));
    // What people author is text.
    assert!(html.contains("Hello &lt;b&gt;you&lt;/b&gt;") && !html.contains("<b>you"));
}

#[tokio::test]
async fn opening_is_no_response_and_opening_again_says_nothing_twice() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    visitor.tell("widget.shown").await;
    let (first, _) = visitor.open().await;
    let (second, _) = visitor.open().await;
    assert_eq!(first.matches("data-author").count(), 2);
    assert_eq!(second.matches("data-author").count(), 2);
    assert_eq!(app.types().await, ["widget.loaded", "widget.shown", "conversation.triggered"]);
}

#[tokio::test]
async fn a_conversation_the_page_opens_by_itself_is_shown_by_that() {
    let flow =
        CONVERSATION.replacen("\"id\": \"welcome\", \"name\"", "\"id\": \"flow\", \"type\": \"conversationFlow\", \"name\"", 1);
    let app = TestApp::init().with_conversation(&flow).start().await;
    let visitor = app.visitor().await;
    let form = filled(&visitor.opening(), &[("conversation", "flow")]);
    let response = app.post("/widget/panel").form(&form).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let log = app.log().await;
    assert_eq!((log[1]["type"].as_str(), log[1]["conversation"].as_str()), (Some("conversation.triggered"), Some("flow")));
}

#[tokio::test]
async fn it_speaks_the_visitors_language_and_wears_the_theme() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    for (locale, theme, expected) in [
        ("ar-EG", "dark", r#"<html lang="ar" dir="rtl" data-theme="dark" data-ui="chatbot">"#),
        ("de-AT", "light", r#"<html lang="de" dir="ltr" data-theme="light" data-ui="chatbot">"#),
        ("xx", "\"><script>", r#"<html lang="en" dir="ltr" data-theme="auto" data-ui="chatbot">"#),
    ] {
        let form = filled(&visitor.opening(), &[("locale", locale), ("theme", theme)]);
        let html = app.post("/widget/panel").form(&form).send().await.unwrap().text().await.unwrap();
        assert!(html.contains(expected), "{expected}");
    }
}

#[tokio::test]
async fn what_cannot_be_opened_says_so_in_the_panels_place() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    let before = app.log().await;
    for (field, value, status) in [
        ("token", "A".repeat(43), 401),
        ("token", "x".into(), 400),
        ("view", "x".into(), 400),
        ("conversation", "nothing".into(), 404),
        ("conversation", "no/thing".into(), 400),
        ("page", "https://evil.example/".into(), 403),
        ("page", String::new(), 400),
    ] {
        let form = filled(&visitor.opening(), &[(field, &value)]);
        let response = app.post("/widget/panel").form(&form).send().await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{field}={value}");
        assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
        let html = response.text().await.unwrap();
        assert!(html.contains("The chat cannot be shown right now") && !html.contains(&visitor.token));
    }
    let lying = app.post("/widget/panel").header("origin", "https://evil.example").form(&visitor.opening()).send().await.unwrap();
    assert_eq!(lying.status(), 403);
    assert_eq!(app.log().await, before);
}

#[tokio::test]
async fn a_hidden_origin_says_nothing_and_framing_decides() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    let response = app.post("/widget/panel").header("origin", "null").form(&visitor.opening()).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(app.get("/widget/panel").send().await.unwrap().status(), 405);
    assert!(app.log().await.iter().all(|event| event["page"] != Value::Null));
}
