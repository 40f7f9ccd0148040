//! Every card, over HTTP: by the panel's script and by plain forms.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::app::{PDF, TestApp, Visitor, filled, form_of, good, problem, text};

const ALL: &str = r#"{ "id": "welcome", "name": "All", "back": true, "restart": true, "cards": [
    { "id": "first", "card": "capture", "field": "name", "text": "Your name?" },
    { "id": "hello", "card": "message", "text": "Hello **{{visitor.firstName|there}}**, see [our site](https://shop.example/x?a=1)" },
    { "id": "topics", "card": "question", "style": "multiple", "text": "Which?", "attribute": "topics", "max": 2,
      "choices": [{ "label": "Red", "value": "red" }, { "label": "Green", "value": "green" }, { "label": "Blue", "value": "blue" }] },
    { "id": "size", "card": "capture", "field": "number", "attribute": "size", "text": "How tall?", "min": 100, "max": 220.5 },
    { "id": "day", "card": "capture", "field": "date", "attribute": "day", "text": "When?", "min": "2026-11-21" },
    { "id": "kind", "card": "capture", "field": "pickList", "attribute": "kind", "text": "What kind?",
      "choices": [{ "label": { "en": "City", "de": "Stadt" }, "value": "city" }, { "label": "Race", "value": "race" }] },
    { "id": "guide", "card": "document", "text": "Read this", "title": "The guide", "file": "guide.pdf" },
    { "id": "got", "card": "goal", "goal": "Has read" },
    { "id": "note", "card": "set", "attribute": "summary", "value": "{{visitor.size}} {{visitor.kind}}" },
    { "id": "split", "card": "condition", "branches": [
        { "if": { "all": [{ "attribute": "size", "above": 180 }, { "attribute": "topics", "is": "blue" }] }, "next": "tall" }] },
    { "id": "short", "card": "message", "text": "Short: {{visitor.summary}}", "next": "more" },
    { "id": "tall", "card": "message", "text": "Tall: {{visitor.summary}}" },
    { "id": "more", "card": "subFlow", "conversation": "contact" },
    { "id": "bye", "card": "end", "text": "Goodbye" }
] }"#;

const CONTACT: &str = r#"{ "id": "contact", "name": "Contact", "type": "conversationFlow", "locale": "de", "cards": [
    { "id": "mail", "card": "capture", "field": "email", "text": "Adresse?", "ifKnown": "skip" },
    { "id": "words", "card": "capture", "field": "text", "attribute": "words", "text": "Noch etwas?", "optional": true, "max": 20 },
    { "id": "done", "card": "end", "text": "Danke" }
] }"#;

async fn with_all() -> TestApp {
    let app = TestApp::init().start().await;
    app.republish(&[ALL.to_owned(), CONTACT.to_owned()]).await;
    app
}

/// Answers with fields of which one may be there several times.
async fn pick(visitor: &Visitor<'_>, form: &[(String, String)], values: &[&str]) -> reqwest::Response {
    let mut form = form.to_vec();
    form.extend(values.iter().map(|value| ("value".to_owned(), (*value).to_owned())));
    visitor.app.post("/widget/v1/answers").header("accept", "application/json").form(&form).send().await.unwrap()
}

#[tokio::test]
async fn every_card_is_answered_and_tells_its_events() {
    let app = with_all().await;
    let visitor = app.visitor().await;
    let (html, form) = visitor.open().await;
    assert!(html.contains("autocomplete=\"name\""));
    let (answered, form) = visitor.go_on(&form, "Ada **Lovelace**").await;
    let said = text(&answered["said"]);
    assert!(said.contains("<strong>Ada") && said.contains("href=\"https://shop.example/x?a=1\""), "{said}");
    assert!(said.contains("Ada **Lovelace**"), "what the visitor typed is text: {said}");
    assert_eq!(text(&answered["card"]).matches("type=\"checkbox\"").count(), 3);

    problem(pick(&visitor, &form, &[]).await, 422, "invalid_answer").await;
    problem(pick(&visitor, &form, &["red", "green", "blue"]).await, 422, "invalid_answer").await;
    problem(pick(&visitor, &form, &["red", "pink"]).await, 422, "invalid_answer").await;
    let answered = good(pick(&visitor, &form, &["blue", "red"]).await).await;
    assert!(text(&answered["said"]).contains("Red, Blue"));
    let form = form_of(answered["card"].as_str().unwrap());

    for (bad, told) in [("tall", "number"), ("99.9", "too small"), ("221", "too small or too large")] {
        let found = problem(visitor.answer(&form, bad).await, 422, "invalid_answer").await;
        assert!(text(&found["message"]).to_lowercase().contains(told), "{found}");
    }
    let (answered, form) = visitor.go_on(&form, "190.5").await;
    assert!(text(&answered["said"]).contains("data-format=\"number\""));
    problem(visitor.answer(&form, "2026-11-20").await, 422, "invalid_answer").await;
    problem(visitor.answer(&form, "21.11.2026").await, 422, "invalid_answer").await;
    let (answered, form) = visitor.go_on(&form, "2026-11-21").await;
    assert!(text(&answered["said"]).contains("datetime=\"2026-11-21\""));
    problem(visitor.answer(&form, "").await, 422, "invalid_answer").await;
    let german = filled(&form, &[("locale", "de-AT")]);
    let (answered, form) = visitor.go_on(&german, "city").await;
    assert!(text(&answered["said"]).contains("Stadt"), "what was chosen, in the visitor's language");

    // The document stays until the visitor goes on, and may be opened and downloaded again and again.
    let opened = good(visitor.answer_with(&form, &[("do", "opened")]).await).await;
    assert!(text(&opened["card"]).contains("<iframe src=\"/files/shop/guide.pdf?v="), "{}", text(&opened["card"]));
    let down = good(visitor.answer_with(&form_of(opened["card"].as_str().unwrap()), &[("do", "downloaded")]).await).await;
    let file = app.get(&text(&down["location"])).send().await.unwrap();
    assert_eq!(file.headers()["content-disposition"], "attachment; filename=\"guide.pdf\"");
    assert_eq!(file.bytes().await.unwrap(), PDF);
    let form = form_of(down["card"].as_str().unwrap());
    let (answered, form) = visitor.go_on(&form, "").await;
    let said = text(&answered["said"]);
    assert!(said.contains("Tall: 190.5 city") && said.contains("Adresse?"), "{said}");
    let (_, form) = visitor.go_on(&form, "ada@example.com").await;
    problem(visitor.answer(&form, &"x".repeat(21)).await, 422, "invalid_answer").await;
    let (answered, _) = visitor.go_on(&form, &"ä".repeat(20)).await;
    let said = text(&answered["said"]);
    assert!(said.contains("Danke") && said.contains("Goodbye"), "{said}");

    let log = app.log().await;
    let told: Vec<_> = log[1..].iter().map(|event| (text(&event["type"]), event["data"].clone())).collect();
    let kinds: Vec<_> = told.iter().map(|(kind, _)| kind.as_str()).collect();
    let expected = [
        "conversation.triggered",
        "conversation.engaged",
        "input.captured",
        "input.captured",
        "input.captured",
        "input.captured",
        "document.opened",
        "document.downloaded",
        "goal.reached",
        "input.email",
        "input.captured",
        "conversation.completed",
    ];
    assert_eq!(kinds, expected);
    assert_eq!((&told[2].1["card"], &told[2].1["field"]), (&json!("first"), &json!("name")));
    assert!(told[2].1.get("value").is_none(), "of any other field only its name is told");
    assert_eq!((&told[6].1["document"], &told[8].1["goal"]), (&json!("guide.pdf"), &json!("Has read")));
    assert_eq!(told[9].1["card"], "more.mail");
}

#[tokio::test]
async fn what_is_filled_in_cannot_leave_its_field() {
    let app = TestApp::init().start().await;
    app.republish(&[r#"{ "id": "welcome", "name": "W", "cards": [
        { "id": "words", "card": "capture", "field": "text", "attribute": "words", "text": "Words?", "max": 60 },
        { "id": "again", "card": "capture", "field": "text", "attribute": "words", "text": "Again?", "max": 60 },
        { "id": "line", "card": "capture", "field": "company", "attribute": "words", "text": "Line?" },
        { "id": "end", "card": "end" }] }"#
        .to_owned()])
        .await;
    let visitor = app.visitor().await;
    let (_, form) = visitor.open().await;
    let hostile = "</textarea><script>alert(1)</script>\"><img src=x>&lt;";
    let (answered, form) = visitor.go_on(&form, hostile).await;
    let card = text(&answered["card"]);
    assert!(card.contains("&lt;/textarea>&lt;script>alert(1)") && card.contains("&amp;lt;</textarea>"), "{card}");
    assert!(!card.contains("<script") && !card.contains("<img"), "{card}");
    let too_long = format!("{hostile}{hostile}");
    let response = visitor.answer(&form, &too_long).await;
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let plain =
        app.post("/widget/v1/answers").form(&filled(&form, &[("value", &too_long)])).send().await.unwrap().text().await.unwrap();
    assert!(!plain.contains("<script>alert") && !plain.contains("<img"), "what was typed is kept as text");
    let (answered, _) = visitor.go_on(&form, hostile).await;
    assert!(!text(&answered["card"]).contains("<img"));
}

#[tokio::test]
async fn back_returns_to_the_question_before_and_restart_to_the_first() {
    let app = with_all().await;
    let visitor = app.visitor().await;
    let (html, form) = visitor.open().await;
    assert!(!html.contains("value=\"back\"") && !html.contains("value=\"restart\""), "there is nothing to go back to");
    problem(visitor.answer_with(&form, &[("do", "back")]).await, 409, "not_allowed").await;
    problem(visitor.answer_with(&form, &[("do", "restart")]).await, 409, "not_allowed").await;
    let (answered, form) = visitor.go_on(&form, "Ada").await;
    assert!(text(&answered["card"]).contains("value=\"back\"") && text(&answered["card"]).contains("value=\"restart\""));

    let back = good(visitor.answer_with(&form, &[("do", "back")]).await).await;
    assert_eq!((&back["anew"], text(&back["said"]).matches("data-author").count()), (&json!(true), 1), "one line is left");
    assert!(text(&back["card"]).contains("value=\"Ada\""), "what was given is filled in");
    // The form from before going back answers nothing.
    problem(visitor.answer(&form, "red").await, 409, "not_current").await;
    let (_, form) = visitor.go_on(&form_of(back["card"].as_str().unwrap()), "Grace").await;
    let anew = good(visitor.answer_with(&form, &[("do", "restart")]).await).await;
    assert_eq!(text(&anew["said"]).matches("data-author").count(), 1);
    assert!(!text(&anew["said"]).contains("Grace"));
    let (answered, _) = visitor.go_on(&form_of(anew["card"].as_str().unwrap()), "Mary").await;
    assert!(text(&answered["said"]).contains("<strong>Mary"), "the last name counts");
    let engaged = app.types().await.iter().filter(|kind| *kind == "conversation.engaged").count();
    assert_eq!(engaged, 1, "counted once a session");
}

#[tokio::test]
async fn another_tab_is_brought_up_to_date() {
    let app = with_all().await;
    let visitor = app.visitor().await;
    let (_, here) = visitor.open().await;
    let (_, there) = visitor.open().await;
    visitor.go_on(&here, "Ada").await;
    let fresh = good(visitor.answer_with(&there, &[("do", "refresh")]).await).await;
    assert_eq!((&fresh["anew"], &fresh["refreshed"], &fresh["turn"]), (&json!(true), &json!(true), &json!("2")));
    assert_eq!(text(&fresh["said"]).matches("data-author").count(), 4);
    assert!(!text(&fresh["said"]).contains("typed"), "what was said before is simply there");
    let types = app.types().await;
    good(visitor.answer_with(&there, &[("do", "refresh")]).await).await;
    assert_eq!(app.types().await, types, "looking is no event");
}

#[tokio::test]
async fn without_script_documents_download_and_choices_add_up() {
    let app = with_all().await;
    let visitor = app.visitor().await;
    let (_, form) = visitor.open().await;
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let plain = async |form: &[(String, String)], more: &[(&str, &str)]| {
        let mut form = form.to_vec();
        form.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let response = client.post(format!("http://{}/widget/v1/answers", app.address)).form(&form).send().await.unwrap();
        (response.status(), response.headers().clone(), response.text().await.unwrap())
    };
    let (_, _, html) = plain(&form, &[("value", "Ada")]).await;
    let (_, _, html) = plain(&form_of(&html), &[("value", "red"), ("value", "blue")]).await;
    assert!(html.contains("Red, Blue"));
    let (_, _, html) = plain(&form_of(&html), &[("value", "150")]).await;
    let (_, _, html) = plain(&form_of(&html), &[("value", "2026-12-01")]).await;
    let (_, _, html) = plain(&form_of(&html), &[("value", "race")]).await;
    let (status, _, html) = plain(&form_of(&html), &[("do", "opened")]).await;
    assert!(status == StatusCode::OK && html.contains("class=\"viewer\""));
    let (status, headers, _) = plain(&form_of(&html), &[("do", "downloaded")]).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(headers["location"].to_str().unwrap().ends_with("&download"));
    let (_, _, html) = plain(&form_of(&html), &[("value", "")]).await;
    assert!(html.contains("Short: 150 race"));
}

#[tokio::test]
async fn what_is_known_is_not_asked_again() {
    let app = with_all().await;
    app.republish(&[r#"{ "id": "welcome", "name": "W", "cards": [
            { "id": "mail", "card": "capture", "field": "email", "text": "Mail?", "overwrite": false },
            { "id": "again", "card": "capture", "field": "email", "text": "Again?", "ifKnown": "skip" },
            { "id": "twice", "card": "capture", "field": "email", "text": "Twice? {{visitor.email}}", "overwrite": false },
            { "id": "end", "card": "end", "text": "{{visitor.email}}" }] }"#
        .to_owned()])
        .await;
    let visitor = app.visitor().await;
    let (_, form) = visitor.open().await;
    let (answered, form) = visitor.go_on(&form, "ada@example.com").await;
    let said = text(&answered["said"]);
    assert!(!said.contains("Again?") && said.contains("Twice? ada@example.com"), "{said}");
    assert!(text(&answered["card"]).contains("value=\"ada@example.com\""), "what is known is filled in");
    let (answered, _) = visitor.go_on(&form, "eve@example.com").await;
    assert!(text(&answered["said"]).contains(">ada@example.com<!>"), "what was known is kept: {answered}");
    let found: Value =
        good(app.get("/api/v1/visitors?site=shop&email=ada@example.com").bearer_auth(&app.key).send().await.unwrap()).await;
    assert_eq!(found["visitors"][0]["attributes"]["email"], "ada@example.com");
}
