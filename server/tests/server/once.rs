//! Writes with an Idempotency-Key.

use futures_util::future::join_all;
use jiff::SignedDuration;
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::{
    api::{audited, operations},
    app::{CONVERSATION, TestApp, good, problem},
};

const PUBLISH: &str = "/conversations/welcome/publish";

async fn send(app: &TestApp, key: &str, token: &str, method: Method, path: &str, body: String) -> Response {
    let url = format!("http://{}/api/v1/sites/shop{path}", app.address);
    let request = Client::new().request(method, url).bearer_auth(key).header("idempotency-key", token);
    request.body(body).send().await.unwrap()
}

async fn post(app: &TestApp, token: &str, path: &str) -> Response {
    send(app, &app.key, token, Method::POST, path, String::new()).await
}

async fn put(app: &TestApp, token: &str, name: &str) -> Response {
    let document = CONVERSATION.replace("\"name\": \"Welcome\"", &format!("\"name\": \"{name}\""));
    send(app, &app.key, token, Method::PUT, "/conversations/welcome", document).await
}

fn is_replayed(response: &Response) -> bool {
    response.headers().get("idempotency-replayed").is_some_and(|value| value == "true")
}

/// The version that is published now, and how many there are.
async fn versions(app: &TestApp) -> usize {
    let url = format!("http://{}/api/v1/sites/shop/conversations/welcome/versions", app.address);
    let listed: Value = good(Client::new().get(url).bearer_auth(&app.key).send().await.unwrap()).await;
    listed["versions"].as_array().unwrap().len()
}

#[tokio::test]
async fn the_same_write_is_done_once_and_answered_the_same() {
    let app = TestApp::init().start().await;
    assert_eq!(put(&app, "draft-2", "Two").await.status(), StatusCode::NO_CONTENT);
    let first = post(&app, "publish", PUBLISH).await;
    assert!(!is_replayed(&first));
    let first = good(first).await;
    assert_eq!(first["published"], json!([{ "id": "welcome", "version": 2 }]));
    // Something else has happened since.
    assert_eq!(put(&app, "draft-3", "Three").await.status(), StatusCode::NO_CONTENT);
    let again = post(&app, "publish", PUBLISH).await;
    assert!(is_replayed(&again));
    assert_eq!(again.headers()["content-type"], "application/json");
    assert_eq!(good(again).await, first);
    assert_eq!(versions(&app).await, 2, "the third was not published");
    // An answer without a body, too.
    let again = put(&app, "draft-3", "Three").await;
    assert!(is_replayed(&again) && again.status() == StatusCode::NO_CONTENT);
    assert_eq!(again.bytes().await.unwrap().len(), 0);
    good(post(&app, "publish-3", PUBLISH).await).await;
    assert_eq!(versions(&app).await, 3);
}

#[tokio::test]
async fn a_token_is_good_for_one_request_of_one_key() {
    let app = TestApp::init().start().await;
    assert_eq!(put(&app, "token", "Two").await.status(), StatusCode::NO_CONTENT);
    for response in [put(&app, "token", "Three").await, post(&app, "token", PUBLISH).await] {
        assert_eq!(problem(response, 422, "idempotency_mismatch").await["field"], "Idempotency-Key");
    }
    assert_eq!(versions(&app).await, 1);
    let other = app.key("other", None, None).await;
    let response = send(&app, &other, "token", Method::POST, PUBLISH, String::new()).await;
    assert!(!is_replayed(&response));
    good(response).await;
}

#[tokio::test]
async fn what_was_refused_may_be_sent_again() {
    let app = TestApp::init().start().await;
    let path = "/conversations/new/publish";
    problem(post(&app, "token", path).await, 404, "unknown_conversation").await;
    let document = CONVERSATION.replace("\"id\": \"welcome\"", "\"id\": \"new\"");
    let kept = send(&app, &app.key, "draft", Method::PUT, "/conversations/new", document).await;
    assert_eq!(kept.status(), StatusCode::NO_CONTENT);
    let response = post(&app, "token", path).await;
    assert!(!is_replayed(&response));
    assert_eq!(good(response).await["published"], json!([{ "id": "new", "version": 1 }]));
}

#[tokio::test]
async fn of_many_at_once_one_is_done() {
    let app = TestApp::init().start().await;
    assert_eq!(put(&app, "draft", "Two").await.status(), StatusCode::NO_CONTENT);
    let before = audited(&app).await.len();
    let answers = join_all((0..20).map(|_| post(&app, "publish", PUBLISH))).await;
    assert_eq!(answers.iter().filter(|answer| !is_replayed(answer)).count(), 1);
    for answer in answers {
        assert_eq!(good(answer).await["published"], json!([{ "id": "welcome", "version": 2 }]));
    }
    let noted: Vec<_> = audited(&app).await.split_off(before).into_iter().map(|entry| entry.action).collect();
    assert_eq!(noted, ["conversation.published"]);
}

#[tokio::test]
async fn answers_are_forgotten_when_they_are_old() {
    let app = TestApp::init().with_settings(|settings| settings.idempotency_hours = 1).start().await;
    assert!(!is_replayed(&put(&app, "token", "Two").await));
    app.pass(SignedDuration::from_millis(3_599_999));
    assert!(is_replayed(&put(&app, "token", "Two").await));
    problem(put(&app, "token", "Three").await, 422, "idempotency_mismatch").await;
    app.pass(SignedDuration::from_millis(1));
    let other = put(&app, "token", "Three").await;
    assert!(!is_replayed(&other) && other.status() == StatusCode::NO_CONTENT, "the token is free again");
    assert!(is_replayed(&put(&app, "token", "Three").await));
}

#[tokio::test]
async fn bad_tokens_name_the_header() {
    let app = TestApp::init().start().await;
    let longest = "x".repeat(255);
    assert_eq!(put(&app, &longest, "Two").await.status(), StatusCode::NO_CONTENT);
    for token in ["", "a b", "a\tb", "ä", &"x".repeat(256)] {
        let url = format!("http://{}/api/v1/sites/shop{PUBLISH}", app.address);
        let value = reqwest::header::HeaderValue::from_bytes(token.as_bytes()).unwrap();
        let response = Client::new().post(url).bearer_auth(&app.key).header("idempotency-key", value).send().await.unwrap();
        assert_eq!(problem(response, 400, "malformed").await["field"], "Idempotency-Key", "{token:?}");
    }
    let url = format!("http://{}/api/v1/sites/shop{PUBLISH}", app.address);
    let twice = Client::new().post(url).bearer_auth(&app.key).header("idempotency-key", "a").header("idempotency-key", "b");
    assert_eq!(problem(twice.send().await.unwrap(), 400, "malformed").await["field"], "Idempotency-Key");
}

#[tokio::test]
async fn every_write_looks_at_its_token() {
    let app = TestApp::init().start().await;
    for write in operations().into_iter().filter(|operation| operation.is_write()) {
        let url = format!("http://{}{}", app.address, write.address(&[("site", "shop")]));
        let request = Client::new().request(write.method.clone(), &url).bearer_auth(&app.key).header("idempotency-key", "a b");
        let told = problem(request.send().await.unwrap(), 400, "malformed").await;
        assert_eq!(told["field"], "Idempotency-Key", "{} {url}", write.method);
    }
}
