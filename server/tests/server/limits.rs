//! Limits, each at its edge.

use jiff::SignedDuration;
use serde_json::json;

use crate::app::{ORIGIN, PAGE, TestApp, good, problem};

#[tokio::test]
async fn bodies_over_the_limit_are_refused() {
    let app = TestApp::init().with_settings(|settings| settings.body_limit_bytes = 2048).start().await;
    let body = json!({ "site": "shop", "page": PAGE }).to_string();
    let padded = |length: usize| format!("{body}{}", " ".repeat(length - body.len()));
    let send = |body: String| app.post("/widget/v1/start").header("origin", ORIGIN).body(body).send();
    assert_eq!(send(padded(2048)).await.unwrap().status(), 200);
    problem(send(padded(2049)).await.unwrap(), 413, "too_large").await;
    let form = app.post("/widget/v1/answers").header("accept", "application/json").body("x".repeat(2049)).send().await.unwrap();
    problem(form, 413, "too_large").await;
}

#[tokio::test]
async fn starts_are_limited_by_address() {
    let app = TestApp::init().with_settings(|settings| settings.starts_per_minute = 3).start().await;
    let start = || app.send("/widget/v1/start", &*Box::leak(Box::new(json!({ "site": "shop", "page": PAGE }))));
    for _ in 0..3 {
        good(start().await).await;
    }
    let refused = start().await;
    assert_eq!(refused.headers()["retry-after"], "20");
    problem(refused, 429, "too_many_requests").await;
    app.pass(SignedDuration::from_secs(20));
    good(start().await).await;
    problem(start().await, 429, "too_many_requests").await;
}

#[tokio::test]
async fn commands_are_limited_by_visitor() {
    let app = TestApp::init().with_settings(|settings| settings.commands_per_minute = 2).start().await;
    let (ada, eve) = (app.visitor().await, app.visitor().await);
    ada.tell("widget.shown").await;
    ada.tell("widget.hidden").await;
    let before = app.log().await;
    let body = ada.reports(&json!([ada.report("widget.shown")]));
    problem(app.send("/widget/v1/events", &body).await, 429, "too_many_requests").await;
    assert_eq!(app.log().await, before);
    eve.tell("widget.shown").await;
    app.pass(SignedDuration::from_secs(30));
    good(app.send("/widget/v1/events", &body).await).await;
}
