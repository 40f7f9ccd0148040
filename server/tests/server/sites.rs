//! Sites and publishing, by the API.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::app::{CONVERSATION, PDF, TestApp, good, problem, text};

async fn send(app: &TestApp, method: reqwest::Method, path: &str, body: impl Into<reqwest::Body>) -> reqwest::Response {
    let url = format!("http://{}/api/v1/sites{path}", app.address);
    reqwest::Client::new().request(method, url).bearer_auth(&app.key).body(body).send().await.unwrap()
}

async fn get(app: &TestApp, path: &str) -> Value {
    good(send(app, reqwest::Method::GET, path, "").await).await
}

async fn put(app: &TestApp, path: &str, body: impl Into<reqwest::Body>) -> reqwest::Response {
    send(app, reqwest::Method::PUT, path, body).await
}

async fn post(app: &TestApp, path: &str) -> reqwest::Response {
    send(app, reqwest::Method::POST, path, "").await
}

#[tokio::test]
async fn a_draft_is_nobodys_to_see_until_it_is_published_and_every_version_stays() {
    let app = TestApp::init().start().await;
    let offered = async || app.visitor().await.begun["conversation"]["name"].clone();
    let anew = CONVERSATION.replace("\"name\": \"Welcome\"", "\"name\": \"Anew\"");
    assert_eq!(put(&app, "/shop/conversations/welcome", anew.clone()).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(offered().await, "Welcome");
    let listed = get(&app, "/shop/conversations").await;
    assert_eq!((&listed["conversations"][0]["changed"], &listed["conversations"][0]["version"]), (&json!(true), &json!(1)));
    let published = good(post(&app, "/shop/conversations/welcome/publish").await).await;
    assert_eq!(published["published"], json!([{ "id": "welcome", "version": 2 }]));
    assert_eq!(offered().await, "Anew", "at once, though sites are kept in memory");
    assert_eq!(get(&app, "/shop/conversations").await["conversations"][0]["changed"], json!(false));
    let versions = get(&app, "/shop/conversations/welcome/versions").await;
    let numbers: Vec<_> =
        versions["versions"].as_array().unwrap().iter().map(|known| (&known["version"], &known["published"])).collect();
    assert_eq!(numbers, [(&json!(2), &json!(true)), (&json!(1), &json!(false))]);
    // As it was written, to the letter.
    let response = send(&app, reqwest::Method::GET, "/shop/conversations/welcome/versions/1", "").await;
    assert_eq!(response.text().await.unwrap(), CONVERSATION);
    assert_eq!(send(&app, reqwest::Method::GET, "/shop/conversations/welcome", "").await.text().await.unwrap(), anew);

    let out = good(post(&app, "/shop/conversations/welcome/unpublish").await).await;
    assert_eq!(out["unpublished"], json!(["welcome"]));
    assert_eq!(offered().await, Value::Null);
    problem(post(&app, "/shop/conversations/welcome/unpublish").await, 404, "unknown_conversation").await;
    // The same text again is the same version.
    let again = good(post(&app, "/shop/conversations/welcome/publish").await).await;
    assert_eq!(again["published"], json!([{ "id": "welcome", "version": 2 }]));
}

#[tokio::test]
async fn a_change_reaches_the_conversations_that_run_it_and_what_they_need_cannot_be_taken_away() {
    let app = TestApp::init().start().await;
    let part = |text: &str| {
        format!(
            r#"{{ "id": "part", "name": "Part", "type": "conversationFlow", "cards": [{{ "id": "m", "card": "message", "text": "{text}" }}, {{ "id": "e", "card": "end" }}] }}"#
        )
    };
    let whole = r#"{ "id": "welcome", "name": "Whole", "cards": [
        { "id": "run", "card": "subFlow", "conversation": "part" },
        { "id": "mail", "card": "capture", "field": "email", "text": "Mail?" }, { "id": "e", "card": "end" }] }"#;
    app.republish(&[part("one"), whole.to_owned()]).await;
    let (html, _) = app.visitor().await.open().await;
    assert!(html.contains(">one<") && html.contains("Mail?"), "{html}");
    assert_eq!(put(&app, "/shop/conversations/part", part("two")).await.status(), StatusCode::NO_CONTENT);
    let published = good(post(&app, "/shop/conversations/part/publish").await).await;
    assert_eq!(published["published"], json!([{ "id": "part", "version": 2 }, { "id": "welcome", "version": 3 }]));
    let (html, _) = app.visitor().await.open().await;
    assert!(html.contains(">two<"));
    let refused = problem(post(&app, "/shop/conversations/part/unpublish").await, 422, "invalid_conversation").await;
    assert!(text(&refused["problems"][0]["message"]).contains("there is no conversation \"part\""), "{refused}");
}

#[tokio::test]
async fn bad_drafts_are_told_with_every_problem_and_nothing_is_kept() {
    let app = TestApp::init().start().await;
    let bad = r#"{ "id": "welcome", "nam": "x", "cards": [{ "id": "a", "card": "jump", "to": "b" }] }"#;
    let found = problem(put(&app, "/shop/conversations/welcome", bad).await, 422, "invalid_conversation").await;
    assert!(found["problems"].as_array().unwrap().len() >= 2, "{found}");
    assert!(found["problems"][0]["line"].is_u64() && found["problems"][0]["pointer"].is_string());
    problem(put(&app, "/shop/conversations/other", CONVERSATION).await, 400, "malformed").await;
    problem(put(&app, "/nowhere/conversations/welcome", CONVERSATION).await, 404, "unknown_site").await;
    problem(put(&app, "/no where/conversations/welcome", CONVERSATION).await, 400, "malformed").await;
    let huge = format!("{CONVERSATION}{}", " ".repeat(256 * 1024));
    problem(put(&app, "/shop/conversations/welcome", huge).await, 413, "too_large").await;
    problem(post(&app, "/shop/conversations/nothing/publish").await, 404, "unknown_conversation").await;
    let wants_file = CONVERSATION.replace(
        r#"{ "id": "bye", "card": "end", "text": "Goodbye" }"#,
        r#"{ "id": "doc", "card": "document", "text": "x", "title": "y", "file": "missing.pdf" }, { "id": "bye", "card": "end" }"#,
    );
    assert_eq!(
        put(&app, "/shop/conversations/welcome", wants_file).await.status(),
        StatusCode::NO_CONTENT,
        "a draft may be ahead"
    );
    let found = problem(post(&app, "/shop/conversations/welcome/publish").await, 422, "invalid_conversation").await;
    assert!(text(&found["problems"][0]["message"]).contains("missing.pdf"), "{found}");
    assert_eq!(app.visitor().await.begun["conversation"]["name"], "Welcome");
    let unauthorized = reqwest::Client::new().get(format!("http://{}/api/v1/sites", app.address)).send().await.unwrap();
    problem(unauthorized, 401, "bad_key").await;
}

#[tokio::test]
async fn one_server_has_several_sites_that_know_nothing_of_each_other() {
    let app = TestApp::init().start().await;
    let settings = json!({ "key": "books", "title": { "en": "Books", "de": "Bücher" }, "origins": ["https://books.example"],
        "locales": ["de", "en"], "accent": "#112233", "theme": { "mode": "dark", "radius": 4 }, "launcher": { "label": "Help", "corner": "start", "x": 8 } });
    assert_eq!(put(&app, "/books", settings.to_string()).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(get(&app, "").await["sites"], json!(["books", "shop"]));
    assert_eq!(get(&app, "/books").await["title"], json!({ "en": "Books", "de": "Bücher" }));
    let start = async |page: &str, locale: &str| {
        let request = app.post("/widget/v1/start").body(json!({ "site": "books", "page": page, "locale": locale }).to_string());
        request.send().await.unwrap()
    };
    let begun = good(start("https://books.example/", "en-GB").await).await;
    assert_eq!(begun["conversation"], Value::Null, "the other site's dialogue is not offered here");
    let launcher = &begun["settings"];
    assert_eq!(
        (&launcher["title"], &launcher["mode"], &launcher["corner"], &launcher["x"], &launcher["text"]),
        (&json!("Books"), &json!("dark"), &json!("start"), &json!(8), &json!("Help"))
    );
    // A visitor whose language the site does not speak is spoken to in its first.
    let begun = good(start("https://books.example/", "fr").await).await;
    assert_eq!((&begun["settings"]["title"], &begun["settings"]["label"]), (&json!("Bücher"), &json!("Chat öffnen")));
    problem(start("https://shop.example/", "en").await, 403, "forbidden_origin").await;
    for (path, body, field) in [
        ("/books", settings.to_string().replace("dark", "dim"), "theme.mode"),
        ("/books", settings.to_string().replace("\"radius\":4", "\"radius\":25"), "theme.radius"),
        ("/other", settings.to_string(), "key"),
        ("/books", settings.to_string().replace("\"radius\":4", "\"radius\":4,\"avatar\":\"a.png\""), "theme.avatar"),
    ] {
        assert_eq!(problem(put(&app, path, body).await, 400, "malformed").await["field"], field);
    }
}

#[tokio::test]
async fn the_settings_of_a_site_may_be_as_large_as_the_setting_says() {
    let limit = 17_000;
    let app = TestApp::init().with_settings(|settings| settings.site_limit_bytes = limit).start().await;
    let domains: Vec<_> = (0..1000).map(|number| format!("d{number}.example")).collect();
    let settings = json!({ "key": "books", "title": "Books", "origins": [], "blocked_email_domains": domains }).to_string();
    assert!(settings.len() > 14_000 && settings.len() < limit, "{}", settings.len());
    // The spaces at the end count, too.
    let filled = |size: usize| format!("{settings}{}", " ".repeat(size - settings.len()));
    assert_eq!(put(&app, "/books", filled(limit)).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(get(&app, "/books").await["blocked_email_domains"].as_array().unwrap().len(), 1000);
    problem(put(&app, "/books", filled(limit + 1)).await, 413, "too_large").await;
}

#[tokio::test]
async fn files_are_what_they_say_and_served_to_anybody() {
    let app = TestApp::init().with_settings(|settings| settings.file_limit_bytes = 1024).start().await;
    let png = [&b"\x89PNG\r\n\x1a\n"[..], &[0; 100]].concat();
    assert_eq!(put(&app, "/shop/files/a.png", png.clone()).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(problem(put(&app, "/shop/files/a.pdf", png.clone()).await, 400, "malformed").await["field"], "name");
    problem(put(&app, "/shop/files/a.html", "<script>").await, 400, "malformed").await;
    problem(put(&app, "/shop/files/..%2Fa.png", png.clone()).await, 400, "malformed").await;
    let edge = |size: usize| [&b"\x89PNG\r\n\x1a\n"[..], &vec![0; size - 8]].concat();
    assert_eq!(put(&app, "/shop/files/b.png", edge(1024)).await.status(), StatusCode::NO_CONTENT);
    problem(put(&app, "/shop/files/b.png", edge(1025)).await, 413, "too_large").await;

    let listed = get(&app, "/shop/files").await;
    let hash = text(&listed["files"][0]["hash"]);
    let served = app.get(&format!("/files/shop/a.png?v={hash}")).send().await.unwrap();
    assert_eq!(served.headers()["content-type"], "image/png");
    assert!(served.headers()["cache-control"].to_str().unwrap().contains("immutable"));
    assert!(served.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    assert_eq!(served.bytes().await.unwrap(), png);
    let guide = app.get("/files/shop/guide.pdf").send().await.unwrap();
    assert!(!guide.headers()["cache-control"].to_str().unwrap().contains("immutable"));
    assert_eq!(guide.bytes().await.unwrap(), PDF);
    for path in ["/files/shop/nothing.pdf", "/files/nowhere/a.png", "/files/shop/.."] {
        assert_eq!(app.get(path).send().await.unwrap().status(), 404, "{path}");
    }
    assert_eq!(send(&app, reqwest::Method::DELETE, "/shop/files/a.png", "").await.status(), StatusCode::NO_CONTENT);
    assert_eq!(app.get("/files/shop/a.png").send().await.unwrap().status(), 404);
}
