//! `POST /widget/v1/events`.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::app::{ORIGIN, PAGE, TestApp, good, problem, text};

#[tokio::test]
async fn showing_the_launcher_triggers_the_conversation_once() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    let told = visitor.tell("widget.shown").await;
    let types: Vec<_> = told["events"].as_array().unwrap().iter().map(|event| text(&event["type"])).collect();
    assert_eq!(types, ["widget.loaded", "widget.shown", "conversation.triggered"]);
    assert_eq!(told["events"][2]["data"], json!({ "name": "Welcome", "type": "dialogue", "uiType": "chatbot" }));
    visitor.tell("widget.hidden").await;
    visitor.tell("widget.shown").await;
    assert_eq!(app.types().await, ["widget.loaded", "widget.shown", "conversation.triggered", "widget.hidden", "widget.shown"]);
    let seqs: Vec<_> = app.log().await.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_click_names_its_kind_and_keeps_the_pages_id_and_time() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    let mut report = visitor.report("widget.clicked");
    app.pass(SignedDuration::from_secs(5));
    good(app.send("/widget/v1/events", &visitor.reports(&json!([report]))).await).await;
    let log = app.log().await;
    assert_eq!(log[1]["id"], report["id"]);
    assert_eq!(log[1]["time"], "2026-11-21T08:00:00.000Z");
    assert_eq!(log[1]["data"], json!({ "element": "porchlight", "widget": "launcher", "kind": "Chat" }));
    report["kind"] = json!("Fax");
    problem(app.send("/widget/v1/events", &visitor.reports(&json!([report]))).await, 400, "malformed").await;
}

#[tokio::test]
async fn telling_twice_counts_once_and_the_answer_heals_what_was_lost() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    let body = visitor.reports(&json!([visitor.report("widget.shown")]));
    let first = good(app.send("/widget/v1/events", &body).await).await;
    let second = good(app.send("/widget/v1/events", &body).await).await;
    assert_eq!(first, second);
    assert_eq!(app.log().await.len(), 3);
    // With the cursor of the first answer there is nothing more to tell.
    let mut body = visitor.reports(&json!([]));
    body["after"] = first["cursor"].clone();
    let third = good(app.send("/widget/v1/events", &body).await).await;
    assert_eq!((third["events"].as_array().unwrap().len(), &third["cursor"]), (0, &first["cursor"]));
}

#[tokio::test]
async fn another_visitors_event_id_is_refused() {
    let app = TestApp::init().start().await;
    let (ada, eve) = (app.visitor().await, app.visitor().await);
    let report = ada.report("widget.shown");
    good(app.send("/widget/v1/events", &ada.reports(&json!([report]))).await).await;
    let before = app.log().await;
    problem(app.send("/widget/v1/events", &eve.reports(&json!([report]))).await, 409, "taken").await;
    assert_eq!(app.log().await, before);
}

#[tokio::test]
async fn a_view_is_told_to_its_own_visitor_only() {
    let app = TestApp::init().start().await;
    let (ada, eve) = (app.visitor().await, app.visitor().await);
    ada.tell("widget.shown").await;
    let mut body = eve.reports(&json!([]));
    body["view"] = json!(ada.view);
    assert_eq!(good(app.send("/widget/v1/events", &body).await).await["events"], json!([]));
}

#[tokio::test]
async fn late_reports_join_the_session_they_belong_to() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    let late = visitor.report("widget.shown");
    app.pass(SignedDuration::from_hours(24));
    let again = good(app.send("/widget/v1/start", &json!({ "site": "shop", "page": PAGE, "token": visitor.token })).await).await;
    assert_ne!(again["session"], visitor.begun["session"]);
    let mut body = visitor.reports(&json!([late]));
    body["after"] = Value::Null;
    assert_eq!(good(app.send("/widget/v1/events", &body).await).await["events"], json!([]), "that page is gone");
    let log = app.log().await;
    let delivered = log.iter().find(|event| event["id"] == late["id"]).unwrap();
    assert_eq!((&delivered["session"], &delivered["seq"]), (&visitor.begun["session"], &json!(2)));
    assert_eq!(delivered["time"], "2026-11-21T08:00:00.000Z");
}

#[tokio::test]
async fn what_earlier_pages_could_not_send_the_next_one_sends_in_one_request() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    let next = good(app.send("/widget/v1/start", &json!({ "site": "shop", "page": PAGE, "token": visitor.token })).await).await;
    let earlier = |kind: &str, page: &str| {
        let mut report = visitor.report(kind);
        report["view"] = json!(visitor.view);
        report["page"] = json!(page);
        report["session"] = visitor.begun["session"].clone();
        report["conversation"] = json!("welcome");
        report
    };
    let page = format!("{ORIGIN}/earlier");
    let sent = [earlier("widget.shown", &page), earlier("widget.clicked", &page), visitor.report("widget.shown")];
    let mut body = visitor.reports(&json!(sent));
    body["view"] = next["view"].clone();
    let told = good(app.send("/widget/v1/events", &body).await).await;
    let types: Vec<_> = told["events"].as_array().unwrap().iter().map(|event| text(&event["type"])).collect();
    assert_eq!(types, ["widget.loaded", "widget.shown", "conversation.triggered"], "a page hears of its own");
    assert_eq!(told["events"][1]["id"], sent[2]["id"]);
    let log = app.log().await;
    let of = |report: &Value| log.iter().find(|event| event["id"] == report["id"]).map(|event| (&event["seq"], &event["page"]));
    assert_eq!(of(&sent[0]), Some((&json!(3), &json!(page))));
    assert_eq!(of(&sent[1]), Some((&json!(4), &json!(page))));
    assert_eq!(of(&sent[2]), Some((&json!(5), &json!(PAGE))));
    assert_eq!(log.len(), 6);

    let stranger = json!([earlier("widget.hidden", "https://evil.example/")]);
    let found = problem(app.send("/widget/v1/events", &visitor.reports(&stranger)).await, 403, "forbidden_origin").await;
    assert_eq!(found["field"], "page");
    assert_eq!(app.log().await, log);
}

#[tokio::test]
async fn closing_is_told_of_a_session_that_has_ended_meanwhile() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    visitor.tell("widget.shown").await;
    let late = visitor.report("conversation.closed");
    app.pass(SignedDuration::from_hours(24));
    let again = good(app.send("/widget/v1/start", &json!({ "site": "shop", "page": PAGE, "token": visitor.token })).await).await;
    assert_ne!(again["session"], visitor.begun["session"]);
    let mut body = visitor.reports(&json!([late]));
    body["after"] = Value::Null;
    for _ in 0..2 {
        good(app.send("/widget/v1/events", &body).await).await;
    }
    let log = app.log().await;
    let closed: Vec<_> = log.iter().filter(|event| event["type"] == "conversation.closed").collect();
    assert_eq!(closed.len(), 1);
    assert_eq!((&closed[0]["id"], &closed[0]["session"]), (&late["id"], &visitor.begun["session"]));
    assert_eq!((&closed[0]["seq"], &closed[0]["conversation"]), (&json!(4), &json!("welcome")));
    assert_eq!(closed[0]["time"], "2026-11-21T08:00:00.000Z");
}

#[tokio::test]
async fn what_comes_late_neither_revives_its_session_nor_counts_for_the_present_one() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    visitor.tell("widget.shown").await;
    let late = [visitor.report("widget.shown"), visitor.report("conversation.closed")];
    app.pass(SignedDuration::from_hours(24));
    let start = json!({ "site": "shop", "page": PAGE, "token": visitor.token });
    let again = good(app.send("/widget/v1/start", &start).await).await;
    let mut shown = visitor.reports(&json!([visitor.report("widget.shown")]));
    shown["session"] = again["session"].clone();
    good(app.send("/widget/v1/events", &shown).await).await;
    good(app.send("/widget/v1/events", &visitor.reports(&json!(late))).await).await;
    // The present session is still the present one, and has counted what it had counted.
    assert_eq!(good(app.send("/widget/v1/start", &start).await).await["session"], again["session"]);
    let mut shown = visitor.reports(&json!([visitor.report("widget.shown")]));
    shown["session"] = again["session"].clone();
    good(app.send("/widget/v1/events", &shown).await).await;
    let log = app.log().await;
    let of = |session: &Value| {
        let events = log.iter().filter(|event| event["session"] == *session);
        events.map(|event| text(&event["type"])).collect::<Vec<_>>()
    };
    assert_eq!(of(&visitor.begun["session"]), ["widget.loaded", "widget.shown", "conversation.triggered", "widget.shown"]);
    assert_eq!(
        of(&again["session"]),
        ["widget.loaded", "widget.shown", "conversation.triggered", "widget.loaded", "widget.shown"]
    );
}

#[tokio::test]
async fn a_launcher_shown_on_a_page_that_is_gone_leaves_the_trigger_to_the_next() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    let mut late = visitor.reports(&json!([visitor.report("widget.shown")]));
    late["after"] = Value::Null;
    good(app.send("/widget/v1/events", &late).await).await;
    assert_eq!(app.types().await, ["widget.loaded", "widget.shown"]);
    visitor.tell("widget.shown").await;
    assert_eq!(app.types().await, ["widget.loaded", "widget.shown", "widget.shown", "conversation.triggered"]);
}

#[tokio::test]
async fn a_clock_ahead_or_far_behind_is_not_believed() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    for (time, expected) in [
        ("2026-11-21T08:00:01Z", "2026-11-21T08:00:00.000Z"),
        ("2026-11-14T08:00:00Z", "2026-11-14T08:00:00.000Z"),
        ("2026-11-14T07:59:59.999Z", "2026-11-21T08:00:00.000Z"),
        ("1970-01-01T00:00:00Z", "2026-11-21T08:00:00.000Z"),
    ] {
        let mut report = visitor.report("widget.hidden");
        report["time"] = json!(time);
        good(app.send("/widget/v1/events", &visitor.reports(&json!([report]))).await).await;
        assert_eq!(app.log().await.last().unwrap()["time"], expected, "{time}");
    }
}

#[tokio::test]
async fn a_page_that_stays_open_longer_than_a_session_goes_on_in_a_new_one() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    visitor.tell("widget.shown").await;
    app.pass(SignedDuration::from_mins(31));
    let told = visitor.tell("widget.clicked").await;
    assert_ne!(told["session"], visitor.begun["session"]);
    let (_, form) = visitor.open().await;
    visitor.go_on(&form, "price").await;
    let log = app.log().await;
    let in_new: Vec<_> =
        log.iter().filter(|event| event["session"] == told["session"]).map(|event| text(&event["type"])).collect();
    assert_eq!(in_new, ["widget.clicked", "conversation.triggered", "conversation.engaged"]);
}

#[tokio::test]
async fn closing_counts_once_and_only_before_the_end() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    visitor.tell("widget.shown").await;
    let (_, form) = visitor.open().await;
    visitor.tell("conversation.closed").await;
    visitor.tell("conversation.closed").await;
    visitor.go_on(&form, "none").await;
    visitor.tell("conversation.closed").await;
    let types = app.types().await;
    let conversation: Vec<_> = types.iter().filter(|kind| kind.starts_with("conversation.")).collect();
    assert_eq!(conversation, ["conversation.triggered", "conversation.closed", "conversation.engaged", "conversation.completed"]);
}

#[tokio::test]
async fn bad_input_is_refused_and_nothing_is_stored() {
    let app = TestApp::init().with_settings(|settings| settings.reports_limit = 2).start().await;
    let visitor = app.visitor().await;
    let before = app.log().await;
    let good_body = visitor.reports(&json!([visitor.report("widget.shown")]));
    let with = |name: &str, value: Value| {
        let mut body = good_body.clone();
        body[name] = value;
        body
    };
    let with_report = |name: &str, value: Value| {
        let mut report = visitor.report("widget.shown");
        report[name] = value;
        with("reports", json!([report]))
    };
    let three = json!([visitor.report("widget.shown"), visitor.report("widget.shown"), visitor.report("widget.shown")]);
    for (body, status, code, field) in [
        (with("token", json!("A".repeat(43))), 401, "bad_token", "token"),
        (with("token", json!("x")), 400, "malformed", "token"),
        (with("view", json!("x")), 400, "malformed", "view"),
        (with("after", json!("x")), 400, "malformed", "after"),
        (with("page", json!("https://evil.example/")), 403, "forbidden_origin", "page"),
        (with("reports", json!("x")), 400, "malformed", "reports"),
        (with("reports", three), 400, "malformed", "reports"),
        (with_report("id", json!("5d9a5e0e-8a1f-4a8e-9e0a-0d9c8b7a6f5e")), 400, "malformed", "reports[0].id"),
        (with_report("time", json!("yesterday")), 400, "malformed", "reports[0].time"),
        (with_report("type", json!("conversation.completed")), 400, "malformed", "reports[0]"),
        (with_report("widget", json!("")), 400, "malformed", "reports[0]"),
        (with_report("element", json!("x".repeat(201))), 400, "malformed", "reports[0]"),
    ] {
        let found = problem(app.send("/widget/v1/events", &body).await, status, code).await;
        assert_eq!(found["field"], field, "{found}");
    }
    assert_eq!(app.log().await, before);
    let two = with("reports", json!([visitor.report("widget.shown"), visitor.report("widget.hidden")]));
    good(app.send("/widget/v1/events", &two).await).await;
}

#[tokio::test]
async fn of_several_reports_all_are_taken_or_none() {
    let app = TestApp::init().start().await;
    let (ada, eve) = (app.visitor().await, app.visitor().await);
    let taken = ada.report("widget.shown");
    good(app.send("/widget/v1/events", &ada.reports(&json!([taken]))).await).await;
    let before = app.log().await;
    let body = eve.reports(&json!([eve.report("widget.shown"), taken]));
    problem(app.send("/widget/v1/events", &body).await, 409, "taken").await;
    assert_eq!(app.log().await, before);
}

#[tokio::test]
async fn fifty_at_once_leave_no_gap() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    let bodies: Vec<_> = (0..50).map(|_| visitor.reports(&json!([visitor.report("widget.clicked")])).to_string()).collect();
    let mut tasks = tokio::task::JoinSet::new();
    for body in bodies {
        let request = app.post("/widget/v1/events").header("origin", ORIGIN).body(body);
        tasks.spawn(async move { request.send().await.unwrap().status() });
    }
    while let Some(status) = tasks.join_next().await {
        assert_eq!(status.unwrap(), 200);
    }
    let seqs: Vec<_> = app.log().await.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=51).collect::<Vec<_>>());
}
