//! `POST /widget/v1/answers`.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::app::{TestApp, filled, form_of, good, problem, text};

#[tokio::test]
async fn a_conversation_is_answered_to_its_end() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    visitor.tell("widget.shown").await;
    let (_, form) = visitor.open().await;
    let (answered, form) = visitor.go_on(&form, "price").await;
    assert!(text(&answered["said"]).contains("Price") && text(&answered["said"]).contains("Your address?"));
    assert!(!text(&answered["said"]).contains("Hello"), "only what was said since");
    let (answered, form) = visitor.go_on(&form, " Ada@Example.COM ").await;
    assert!(text(&answered["card"]).contains("<option value=\"GB\" selected"), "the country of the visitor's language is chosen");
    let answered = good(visitor.answer_with(&form, &[("value", "030 901820"), ("country", "DE")]).await).await;
    assert!(text(&answered["card"]).contains("This conversation has ended."));

    let log = app.log().await;
    let types: Vec<_> = log.iter().map(|event| text(&event["type"])).collect();
    let expected = [
        "widget.loaded",
        "widget.shown",
        "conversation.triggered",
        "conversation.engaged",
        "input.email",
        "input.phone",
        "conversation.completed",
    ];
    assert_eq!(types, expected);
    assert_eq!((&log[4]["data"]["value"], &log[5]["data"]["value"]), (&json!("Ada@example.com"), &json!("+4930901820")));
    assert!(log.iter().all(|event| event["conversation"] == "welcome" || text(&event["type"]).starts_with("widget.")));
    // The page is told the same events under the same ids, without the contact details.
    let told = answered["events"].as_array().unwrap().clone();
    assert_eq!(told.last().unwrap()["id"], log[6]["id"]);
    assert!(told.iter().all(|event| event["data"].get("value").is_none()));
}

#[tokio::test]
async fn a_site_may_show_contact_details_to_its_pages() {
    let site = "key = \"shop\"\ntitle = \"Shop\"\norigins = [\"https://shop.example\"]\ncontact_details_in_browser = true\n";
    let app = TestApp::init().with_site(site).start().await;
    let visitor = app.visitor().await;
    let (_, form) = visitor.open().await;
    let (_, form) = visitor.go_on(&form, "price").await;
    let (answered, _) = visitor.go_on(&form, "ada@example.com").await;
    assert_eq!(answered["events"].as_array().unwrap().last().unwrap()["data"]["value"], "ada@example.com");
}

#[tokio::test]
async fn sending_twice_answers_once_and_heals_the_lost_answer() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    let (_, form) = visitor.open().await;
    let first = good(visitor.answer(&form, "price").await).await;
    let log = app.log().await;
    let second = good(visitor.answer(&form, "price").await).await;
    assert_eq!(app.log().await, log);
    assert_eq!((&first["said"], &first["events"], &first["cursor"]), (&second["said"], &second["events"], &second["cursor"]));
}

#[tokio::test]
async fn an_answer_to_another_card_is_told_where_the_conversation_is() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    let (_, in_one_tab) = visitor.open().await;
    let (_, in_another) = visitor.open().await;
    visitor.go_on(&in_one_tab, "price").await;
    let before = app.log().await;
    let found = problem(visitor.answer(&in_another, "none").await, 409, "not_current").await;
    assert_eq!(found["field"], "turn");
    assert!(text(&found["message"]).contains("answered already"));
    assert!(text(&found["said"]).contains("Your address?") && text(&found["card"]).contains("E-mail address"));
    for (name, value) in [("card", "phone"), ("turn", "9")] {
        let form = form_of(found["card"].as_str().unwrap());
        problem(visitor.answer_with(&filled(&form, &[(name, value)]), &[("value", "ada@example.com")]).await, 409, "not_current")
            .await;
    }
    assert_eq!(app.log().await, before);
}

#[tokio::test]
async fn nothing_can_be_answered_after_the_end_or_before_the_beginning() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    let (_, form) = visitor.open().await;
    let fresh = app.visitor().await;
    let foreign = filled(&form, &[("token", &fresh.token), ("view", &fresh.view)]);
    problem(fresh.answer(&foreign, "price").await, 409, "not_waiting").await;
    let elsewhere = filled(&form, &[("conversation", "nothing")]);
    problem(visitor.answer(&elsewhere, "price").await, 404, "unknown_conversation").await;

    good(visitor.answer(&form, "none").await).await;
    let before = app.log().await;
    let again = filled(&form, &[("id", &visitor.id())]);
    problem(visitor.answer(&again, "price").await, 409, "not_waiting").await;
    assert_eq!(app.log().await, before);
}

#[tokio::test]
async fn invalid_answers_are_told_in_the_visitors_language_and_nothing_is_stored() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    let (_, form) = visitor.open().await;
    let log = app.log().await;
    let found = problem(visitor.answer(&form, "Price").await, 422, "invalid_answer").await;
    assert_eq!((found["field"].as_str(), found["message"].as_str()), (Some("value"), Some("Please choose one of the answers.")));
    problem(visitor.answer_with(&form, &[("do", "skip")]).await, 422, "invalid_answer").await;
    assert_eq!(app.log().await, log);

    let (_, form) = visitor.go_on(&form, "price").await;
    let log = app.log().await;
    for bad in ["", "ada", "ada@localhost", "ada@example.com\nBcc: eve@example.com"] {
        let found = problem(visitor.answer(&form, bad).await, 422, "invalid_answer").await;
        assert!(text(&found["message"]).contains("e-mail address such as"), "{found}");
    }
    let german = filled(&form, &[("locale", "de-DE")]);
    let found = problem(visitor.answer(&german, "ada").await, 422, "invalid_answer").await;
    assert!(text(&found["message"]).starts_with("Bitte geben Sie eine E-Mail-Adresse"));
    assert_eq!(app.log().await, log);

    let (_, form) = visitor.go_on(&form, "ada@example.com").await;
    let log = app.log().await;
    for (value, country, field, message) in [
        ("hello", "DE", "value", "with its country"),
        ("030 9018201234567890", "DE", "value", "too long"),
        ("030 901820", "XX", "country", "choose a country"),
        ("", "DE", "value", "with its country"),
    ] {
        let found =
            problem(visitor.answer_with(&form, &[("value", value), ("country", country)]).await, 422, "invalid_answer").await;
        assert_eq!(found["field"], field, "{found}");
        assert!(text(&found["message"]).contains(message), "{found}");
    }
    assert_eq!(app.log().await, log);
}

#[tokio::test]
async fn malformed_forms_are_refused() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    let (_, form) = visitor.open().await;
    let before = app.log().await;
    for (field, value, status, code) in [
        ("token", "A".repeat(43), 401, "bad_token"),
        ("token", "x".into(), 400, "malformed"),
        ("turn", "one".into(), 400, "malformed"),
        ("turn", "-1".into(), 400, "malformed"),
        ("id", "x".into(), 400, "malformed"),
        ("card", "no card".into(), 400, "malformed"),
        ("have", "4294967296".into(), 400, "malformed"),
        ("page", "https://evil.example/".into(), 403, "forbidden_origin"),
    ] {
        let found =
            problem(visitor.answer_with(&filled(&form, &[(field, &value)]), &[("value", "price")]).await, status, code).await;
        assert_eq!(found["field"], field, "{found}");
        assert!(!text(&found["message"]).is_empty());
    }
    let without: Vec<_> = form.iter().filter(|(name, _)| name != "turn").cloned().collect();
    assert_eq!(problem(visitor.answer(&without, "price").await, 400, "malformed").await["field"], "turn");
    assert_eq!(app.log().await, before);
}

#[tokio::test]
async fn without_script_the_whole_panel_comes_back() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    let (_, form) = visitor.open().await;
    let plain = async |form: &Vec<(String, String)>, more: &[(&str, &str)]| {
        let response =
            app.post("/widget/v1/answers").header("accept", "text/html,*/*").form(&filled(form, more)).send().await.unwrap();
        let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("frame-ancestors https://shop.example"), "{policy}");
        (response.status(), response.text().await.unwrap())
    };
    let (status, html) = plain(&form, &[("value", "price")]).await;
    assert_eq!((status, html.matches("data-author").count()), (StatusCode::OK, 4), "the whole transcript");
    let form = form_of(&html);
    let (status, html) = plain(&form, &[("value", "ada\"><script>")]).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(html.contains("Please enter an e-mail address") && html.contains("aria-invalid=\"true\""));
    assert!(html.contains("value=\"ada&quot;&gt;&lt;script&gt;\""), "what was typed is kept, as text");
    let (_, html) = plain(&form_of(&html), &[("value", "ada@example.com")]).await;
    let (_, html) = plain(&form_of(&html), &[("value", ""), ("do", "skip")]).await;
    assert!(html.contains("This conversation has ended.") && html.contains("Skipped"));
    assert_eq!(
        app.types().await,
        ["widget.loaded", "conversation.triggered", "conversation.engaged", "input.email", "conversation.completed"]
    );
    // The page asks for what it has not been told.
    let told: Value = good(app.send("/widget/v1/events", &visitor.reports(&json!([]))).await).await;
    assert_eq!(told["events"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn hostile_text_stays_text() {
    let hostile = r#"</script><img src=x onerror=alert(1)>"'&"#;
    let conversation = serde_json::json!({ "id": "welcome", "name": hostile, "cards": [
        { "id": "q", "card": "question", "text": hostile, "choices": [{ "label": hostile, "value": "x\" autofocus onfocus=\"alert(1)" }] },
        { "id": "end", "card": "end", "text": "\u{202e}\u{200b}<svg/onload=alert(1)>" }
    ]});
    let app = TestApp::init().start().await;
    app.republish(&[conversation.to_string()]).await;
    let visitor = app.visitor().await;
    let (html, form) = visitor.open().await;
    assert!(!html.contains("<img") && !html.contains("\" autofocus"), "{html}");
    let (answered, _) = visitor.go_on(&form, "x\" autofocus onfocus=\"alert(1)").await;
    assert!(!text(&answered["said"]).contains("<img") && !text(&answered["said"]).contains("<svg/"));
}
