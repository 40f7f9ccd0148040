//! `GET /api/v1/events`.

use serde_json::Value;

use crate::app::{TestApp, good, problem, text};

async fn page(app: &TestApp, query: &str) -> Value {
    good(app.get(&format!("/api/v1/events{query}")).bearer_auth(&app.key).send().await.unwrap()).await
}

fn ids(page: &Value) -> Vec<String> {
    page["events"].as_array().unwrap().iter().map(|event| text(&event["id"])).collect()
}

#[tokio::test]
async fn the_log_is_read_page_by_page_without_gap_or_overlap() {
    let app = TestApp::init().start().await;
    for _ in 0..5 {
        app.visitor().await.tell("widget.shown").await;
    }
    let all = ids(&page(&app, "").await);
    assert_eq!(all.len(), 15);
    let (mut read, mut after) = (Vec::new(), String::new());
    loop {
        let page = page(&app, &format!("?limit=4&after={after}")).await;
        after = text(&page["next"]);
        if ids(&page).is_empty() {
            break;
        }
        read.extend(ids(&page));
    }
    assert_eq!(read, all);
    assert_eq!(text(&page(&app, &format!("?after={after}")).await["next"]), after, "nothing new: the cursor stays");
}

#[tokio::test]
async fn the_log_is_filtered() {
    let app = TestApp::init().start().await;
    let (ada, eve) = (app.visitor().await, app.visitor().await);
    ada.tell("widget.shown").await;
    eve.tell("widget.shown").await;
    let session = text(&ada.begun["session"]);
    assert_eq!(ids(&page(&app, &format!("?session={session}")).await).len(), 3);
    assert_eq!(ids(&page(&app, "?type=conversation.triggered").await).len(), 2);
    assert_eq!(ids(&page(&app, &format!("?type=conversation.triggered&session={session}&site=shop")).await).len(), 1);
    assert_eq!(ids(&page(&app, "?site=other").await).len(), 0);
}

#[tokio::test]
async fn bad_queries_name_the_parameter() {
    let app = TestApp::init().start().await;
    for (query, field) in [
        ("?limit=0", "limit"),
        ("?limit=1001", "limit"),
        ("?limit=x", "limit"),
        ("?after=x", "after"),
        ("?after=-1", "after"),
        ("?type=conversation.opened", "type"),
        ("?session=x", "session"),
        ("?site=a%20b", "site"),
        ("?sesion=x", "sesion"),
    ] {
        let response = app.get(&format!("/api/v1/events{query}")).bearer_auth(&app.key).send().await.unwrap();
        let found = problem(response, 400, "malformed").await;
        assert_eq!(found["field"], field, "{found}");
    }
    assert_eq!(page(&app, "?limit=1000").await["events"], Value::Array(vec![]));
}

#[tokio::test]
async fn only_a_key_opens_the_log() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    let with = |value: &str| app.get("/api/v1/events").header("authorization", value).send();
    for value in [
        "",
        "Bearer",
        "Bearer x",
        &format!("Bearer plk_{}", "A".repeat(43)),
        &format!("Basic {}", app.key),
        &format!("Bearer plk_{}", visitor.token),
    ] {
        let response = with(value).await.unwrap();
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
        problem(response, 401, "bad_key").await;
    }
    problem(app.get("/api/v1/events").send().await.unwrap(), 401, "bad_key").await;
    assert_eq!(with(&format!("bearer {}", app.key)).await.unwrap().status(), 200);
}
