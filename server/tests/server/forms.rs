//! Forms before a live chat, and surveys after it, from the panel to the console.

use jiff::SignedDuration;
use porchlight_domain::{agent::Role, event::Event};
use serde_json::{Value, json};
use sqlx::{Connection, Row, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{
    app::{Form, TestApp, Visitor, filled, form_of, good, problem, text},
    meetings::{console, console_page, for_days},
    sides::{Agent, Socket, TALK, add_agent, add_agent_of},
};

/// A form, a chat, and a survey about it.
pub(crate) const SURVEYED: &str = r#"{ "id": "welcome", "name": "Talk", "cards": [
    { "id": "before", "card": "form", "text": "Before we talk", "submit": "Begin", "fields": [
        { "name": "name", "field": "name", "label": "Your name", "mandatory": true },
        { "name": "email", "field": "email", "label": "Your address", "mandatory": true },
        { "name": "mobile", "field": "phone", "label": "Your number" },
        { "name": "order", "field": "text", "label": "Order", "pattern": "[A-Z]{2}[0-9]{4}", "patternMessage": "Two letters and four digits" },
        { "name": "topic", "field": "choice", "label": "Topic", "choices": [{ "label": "The price", "value": "price" }, { "label": "A repair", "value": "repair" }] },
        { "name": "day", "field": "date", "label": "Bought on" },
        { "name": "news", "field": "checkBox", "label": "Send me news" },
        { "name": "terms", "field": "consent", "label": "I agree", "mandatory": true, "consent": "You may keep what I write" }
    ] },
    { "id": "agent", "card": "liveChat", "text": "One moment", "queue": true, "fallbackText": "Nobody is there" },
    { "id": "after", "card": "form", "purpose": "survey", "text": "How was it?", "optional": true, "fields": [
        { "name": "rating", "field": "stars", "label": "All in all", "mandatory": true },
        { "name": "mood", "field": "smileys", "label": "Your mood" },
        { "name": "recommend", "field": "score", "label": "Would you recommend us?" },
        { "name": "words", "field": "textArea", "label": "In your words" }
    ] },
    { "id": "end", "card": "end", "text": "Goodbye" }
] }"#;

/// A form that is filled in as it should be.
const GOOD: &[(&str, &str)] = &[
    ("f.name", "Ada Lovelace"),
    ("f.email", "Ada@Example.com"),
    ("f.mobile", "030 901820"),
    ("f.mobile.country", "DE"),
    ("f.order", "AB1234"),
    ("f.topic", "repair"),
    ("f.day", "2026-11-01"),
    ("f.terms", "true"),
];

async fn told(app: &TestApp, kind: &str) -> Vec<Value> {
    app.log().await.into_iter().filter(|event| event["type"] == kind).collect()
}

/// An event as CTLive's listeners are told it.
fn ctlive(event: &Value) -> Value {
    let event: Event = serde_json::from_value(event.clone()).unwrap();
    serde_json::to_value(event.ctlive()).unwrap()
}

/// What is wrong with each field, as the card shows it.
fn wrong(card: &str, field: &str) -> String {
    let from = card.split(&format!("id=\"wrong-{field}\"")).nth(1).unwrap();
    from.split('>').nth(1).unwrap().split('<').next().unwrap().to_owned()
}

/// A visitor who fills in the form, talks to an agent who ends the chat, and is asked how it was: the chat, and the form of the survey.
async fn talked(visitor: &Visitor<'_>, desk: &mut Socket) -> (String, String, Form) {
    let (_, form) = visitor.open().await;
    let answered = good(visitor.answer_with(&form, GOOD).await).await;
    let form = form_of(&text(&answered["card"]));
    let chat = desk.offered().await;
    assert_eq!(desk.ask(1, json!({ "do": "accept", "chat": chat })).await["done"]["id"], 1);
    good(visitor.answer(&form, "Is it ready?").await).await;
    desk.ask(2, json!({ "do": "say", "chat": chat, "message": visitor.id(), "text": "Tomorrow" })).await;
    desk.ask(3, json!({ "do": "end", "chat": chat })).await;
    let shown = good(visitor.answer_with(&form, &[("do", "refresh")]).await).await;
    let card = text(&shown["card"]);
    assert!(text(&shown["said"]).contains("How was it?") && card.contains("name=\"f.rating\""), "{shown}");
    let form = form_of(&card);
    (chat, card, form)
}

/// What is kept of a form: purpose, kind, chat, agent and answers.
type Kept = (String, String, Option<String>, Option<String>, Value);

async fn kept(app: &TestApp) -> Vec<Kept> {
    let options = SqliteConnectOptions::new().filename(app.folder.path().join("porchlight.db"));
    let mut database = SqliteConnection::connect_with(&options).await.unwrap();
    let query = "select purpose, kind, chat, agent, answers from submission order by submitted_at, purpose, id";
    let rows = sqlx::query(query).fetch_all(&mut database).await.unwrap();
    database.close().await.unwrap();
    let answers = |answers: String| serde_json::from_str(&answers).unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3), answers(row.get(4)))).collect()
}

#[tokio::test]
async fn a_form_is_filled_in_before_a_chat_and_a_survey_after_it() {
    let app = for_days().with_conversation(SURVEYED).start_only().await;
    let ada = add_agent(&app, 1, Role::Agent).await;
    let mut desk = Socket::desk(&app, &ada).await;
    let visitor = app.visitor().await;
    let (html, form) = visitor.open().await;
    for part in
        ["Before we talk", "Your name", "(required)", "You may keep what I write", "Begin", "<option value=\"repair\">A repair"]
    {
        // Leptos marks where one text ends and the next begins.
        assert!(html.replace("<!>", "").contains(part), "{part} is not in {html}");
    }

    // Everything that is wrong is told at once, and what was typed stays.
    let bad = [
        ("f.email", "ada@"),
        ("f.mobile", "12"),
        ("f.mobile.country", "DE"),
        ("f.order", "ab12345"),
        ("f.topic", "weather"),
        ("f.day", "yesterday"),
        ("f.news", "true"),
    ];
    let refused = problem(visitor.answer_with(&form, &bad).await, 422, "invalid_answer").await;
    assert_eq!((&refused["field"], &refused["message"]), (&json!("name"), &json!("Please check the marked fields.")));
    let card = text(&refused["card"]);
    for (field, says) in [
        ("name", "Please answer here first."),
        ("email", "Please enter an e-mail address such as"),
        ("mobile", "phone number"),
        ("order", "Two letters and four digits"),
        ("topic", "Please choose one of the answers."),
        ("day", "Please enter a valid date."),
        ("terms", "Please agree to go on."),
    ] {
        assert!(wrong(&card, field).contains(says), "{field}: {}", wrong(&card, field));
    }
    assert_eq!(wrong(&card, "news"), "");
    assert!(card.contains("value=\"ab12345\"") && card.contains("value=\"ada@\""), "{card}");
    assert!(kept(&app).await.is_empty() && told(&app, "datacollection.submitted").await.is_empty());
    // Not even one right field of a wrong form is kept.
    assert!(told(&app, "input.phone").await.is_empty() && told(&app, "input.captured").await.is_empty());

    let (chat, _, form) = talked(&visitor, &mut desk).await;
    let good_survey =
        [("f.rating", "4"), ("f.recommend", "9"), ("f.words", "=HYPERLINK(\"http://evil.example\")\nand more, too")];
    for (more, field) in [
        (&[("f.rating", "")][..], "rating"),
        (&[("f.rating", "6")], "rating"),
        (&[("f.rating", "0")], "rating"),
        (&[("f.mood", "6")], "mood"),
        (&[("f.recommend", "11")], "recommend"),
        (&[("f.recommend", "-1")], "recommend"),
        (&[("f.recommend", "1.5")], "recommend"),
    ] {
        let form = filled(&filled(&form, &good_survey), more);
        let refused = problem(visitor.answer_with(&form, &[]).await, 422, "invalid_answer").await;
        assert_eq!(refused["field"], field, "{more:?}");
    }
    let answered = good(visitor.answer_with(&form, &good_survey).await).await;
    assert!(text(&answered["said"]).contains("Goodbye") && text(&answered["said"]).contains("★★★★☆"), "{answered}");
    good(visitor.answer_with(&form, &good_survey).await).await;

    let kinds: Vec<_> = app.types().await.into_iter().filter(|kind| !kind.starts_with("widget.")).collect();
    let expected = [
        "conversation.triggered",
        "datacollection.started",
        "conversation.engaged",
        "input.captured",
        "input.email",
        "input.phone",
        "input.captured",
        "input.captured",
        "input.captured",
        "input.captured",
        "input.captured",
        "datacollection.submitted",
        "livechat.requested",
        "livechat.initiated",
        "message.sent",
        "message.received",
        "livechat.ended",
        "survey.started",
        "survey.submitted",
        "conversation.completed",
    ];
    assert_eq!(kinds, expected, "a survey is told of once, and not by its fields");
    let captured: Vec<_> = told(&app, "input.captured").await.iter().map(|event| text(&event["data"]["field"])).collect();
    assert_eq!(captured, ["name", "order", "topic", "day", "news", "terms"], "of any other field only its name is told");

    // By both interfaces.
    let who = visitor.begun["visitor"].clone();
    for (kind, name) in
        [("datacollection.started", "DatacollectionStarted"), ("datacollection.submitted", "DatacollectionSubmitted")]
    {
        let event = told(&app, kind).await.remove(0);
        assert_eq!(event["data"], json!({ "widget": "launcher", "kind": "Chat" }), "{kind}");
        let object = json!({ "widgetID": "launcher", "userID": who, "type": "Chat" });
        assert_eq!(ctlive(&event), json!({ "name": "CTLiveEvent", "type": name, "object": object }));
    }
    let ended = told(&app, "livechat.ended").await.remove(0);
    assert_eq!(ended["data"]["surveyConfigured"], true);
    assert_eq!(ctlive(&ended)["object"], json!({ "chatID": chat, "userID": who, "isSurveyConfigured": true }));
    for (kind, name) in [("survey.started", "SurveyStarted"), ("survey.submitted", "SurveySubmitted")] {
        let event = told(&app, kind).await.remove(0);
        assert_eq!(event["data"], json!({ "widget": "launcher", "chat": chat }), "{kind}");
        let object = json!({ "widgetID": "launcher", "chatID": chat, "userID": who });
        assert_eq!(ctlive(&event), json!({ "name": "CTLiveEvent", "type": name, "object": object }));
    }

    let given = json!([
        ["name", "Ada Lovelace"],
        ["email", "Ada@example.com"],
        ["mobile", "+4930901820"],
        ["order", "AB1234"],
        ["topic", "repair"],
        ["day", "2026-11-01"],
        ["news", "false"],
        ["terms", "true"]
    ]);
    let said = json!([["rating", "4"], ["recommend", "9"], ["words", "=HYPERLINK(\"http://evil.example\")\nand more, too"]]);
    let rows = [
        ("contact".to_owned(), "Chat".to_owned(), None, None, given),
        ("survey".to_owned(), "Chat".to_owned(), Some(chat.clone()), Some(ada.id.to_string()), said),
    ];
    assert_eq!(kept(&app).await, rows);
    // What was given before a chat is known of the visitor; what they thought of it, and what they agreed to, is not.
    let of_visitor = app.get("/api/v1/visitors?site=shop&email=Ada@example.com").bearer_auth(&app.key).send().await.unwrap();
    let attributes = good(of_visitor).await["visitors"][0]["attributes"].clone();
    let expected = json!({
        "name": "Ada Lovelace", "firstName": "Ada", "email": "Ada@example.com", "mobile": "+4930901820", "order": "AB1234",
        "topic": "repair", "day": "2026-11-01", "news": "false",
    });
    assert_eq!(attributes, expected);
    // The agent sees both beside the chat.
    let detail = app.get(&format!("/console/api/chats/{chat}")).header("cookie", &ada.cookie).send().await.unwrap();
    let detail = good(detail).await;
    let mut titles: Vec<_> = detail["dealings"].as_array().unwrap().iter().map(|dealing| text(&dealing["title"])).collect();
    titles.sort();
    assert_eq!(titles, ["Form: before", "Survey: after"]);
}

#[tokio::test]
async fn without_script_a_form_says_what_is_wrong_and_keeps_what_was_typed() {
    let app = for_days().with_conversation(SURVEYED).start_only().await;
    let visitor = app.visitor().await;
    let (_, form) = visitor.open().await;
    let plain = async |form: &Form, more: &[(&str, &str)]| {
        let response = app.post("/widget/v1/answers").form(&filled(form, more)).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let hostile = "\"><script>alert(1)</script>";
    let (status, html) = plain(&form, &[("f.name", hostile), ("f.email", "ada@example.com"), ("f.topic", "repair")]).await;
    assert_eq!(status, 422);
    assert!(!html.contains("<script>alert") && html.contains("value=\"ada@example.com\""), "{html}");
    assert!(html.contains("<option value=\"repair\" selected") && wrong(&html, "terms").contains("Please agree"), "{html}");
    let (status, html) = plain(&form_of(&html), GOOD).await;
    assert!(status == 200 && html.contains("Nobody is there") && html.contains("Goodbye"), "{html}");
}

#[tokio::test]
async fn without_a_chat_there_is_no_survey() {
    let app = for_days().with_conversation(SURVEYED).start_only().await;
    let visitor = app.visitor().await;
    let (_, form) = visitor.open().await;
    let answered = good(visitor.answer_with(&form, GOOD).await).await;
    let said = text(&answered["said"]);
    assert!(said.contains("Nobody is there") && !said.contains("How was it?") && said.contains("Goodbye"), "{said}");
    assert!(told(&app, "survey.started").await.is_empty());

    // Nor where the conversation has none.
    app.republish(&[TALK.to_owned()]).await;
    let ada = add_agent(&app, 1, Role::Agent).await;
    let mut desk = Socket::desk(&app, &ada).await;
    let visitor = app.visitor().await;
    visitor.open().await;
    let chat = desk.offered().await;
    desk.ask(1, json!({ "do": "accept", "chat": chat })).await;
    desk.ask(2, json!({ "do": "end", "chat": chat })).await;
    let ended = told(&app, "livechat.ended").await.remove(0);
    assert_eq!(ctlive(&ended)["object"]["isSurveyConfigured"], false);
    assert!(told(&app, "survey.started").await.is_empty());
}

#[tokio::test]
async fn a_survey_that_is_skipped_is_none() {
    let app = for_days().with_conversation(SURVEYED).start_only().await;
    let ada = add_agent(&app, 1, Role::Agent).await;
    let mut desk = Socket::desk(&app, &ada).await;
    let visitor = app.visitor().await;
    let (_, card, form) = talked(&visitor, &mut desk).await;
    assert!(card.contains("value=\"skip\""), "{card}");
    let answered = good(visitor.answer_with(&form, &[("do", "skip")]).await).await;
    assert!(text(&answered["said"]).contains("Goodbye"), "{answered}");
    assert_eq!((told(&app, "survey.started").await.len(), told(&app, "survey.submitted").await.len()), (1, 0));
    assert_eq!(kept(&app).await.len(), 1, "only what came before the chat");
}

/// Gives a survey about a chat with an agent who is alone at their desk.
pub(crate) async fn surveyed(app: &TestApp, agent: &Agent, answers: &[(&str, &str)]) -> String {
    // Whoever was there before has gone.
    app.pass(SignedDuration::from_secs(120));
    let mut desk = Socket::desk(app, agent).await;
    let visitor = app.visitor().await;
    let (chat, _, form) = talked(&visitor, &mut desk).await;
    good(visitor.answer_with(&form, answers).await).await;
    desk.leave().await;
    chat
}

#[tokio::test]
async fn results_are_counted_by_agent_team_and_time() {
    let app = for_days().with_conversation(SURVEYED).start_only().await;
    let (ada, grace) = (add_agent(&app, 1, Role::Agent).await, add_agent(&app, 2, Role::Agent).await);
    let author = add_agent(&app, 3, Role::Author).await;
    let hostile = [("f.rating", "5"), ("f.mood", "1"), ("f.words", "=1+1,\"x\"")];
    let first = surveyed(&app, &ada, &hostile).await;
    surveyed(&app, &grace, &[("f.rating", "2"), ("f.recommend", "10"), ("f.words", "@SUM(A1)")]).await;
    surveyed(&app, &grace, &[("f.rating", "2"), ("f.recommend", "0")]).await;
    let team = [("site", "shop"), ("id", "sales"), ("name", "Sales"), ("members", "agent2@example.com")];
    assert_eq!(console(&app, &author, "/console/teams", &team).await.status(), 200);
    let page = async |query: &str| {
        let (status, html) = console_page(&app, &ada, &format!("/console/surveys?{query}")).await;
        // Leptos marks where one text ends and the next begins.
        (status, html.replace("<!>", ""))
    };
    let (status, html) = page("").await;
    assert_eq!(status, 200);
    for part in ["3 surveys", "All in all", "3 answers, 3.00 on average", "2 answers, 5.00 on average", "Agent 2", "The latest"] {
        assert!(html.contains(part), "{part} is not in {html}");
    }
    assert!(html.contains(&format!("/console/chats/{first}")) && html.contains("=1+1"), "{html}");

    let (of_ada, of_grace) = (format!("agent={}", ada.id), format!("agent={}", grace.id));
    let day = "from=2026-11-21&to=2026-11-21";
    for (query, count, mean) in [
        (of_ada.as_str(), 1, "5.00"),
        (of_grace.as_str(), 2, "2.00"),
        ("team=shop/sales", 2, "2.00"),
        ("team=shop%2Fsales", 2, "2.00"),
        (day, 3, "3.00"),
        ("from=2026-11-21", 3, "3.00"),
    ] {
        let (status, html) = page(query).await;
        assert!(
            status == 200 && html.contains(&if count == 1 { "1 survey<".to_owned() } else { format!("{count} surveys") }),
            "{query}: {status} {html}"
        );
        assert!(
            html.contains(&format!("{count} answer{}, {mean} on average", if count == 1 { "" } else { "s" })),
            "{query}: {html}"
        );
    }
    for none in ["team=shop/nobody", "team=other/sales", "from=2026-11-20&to=2026-11-20", "to=2026-11-20"] {
        let (status, html) = page(none).await;
        assert!(status == 200 && html.contains("No surveys in this time."), "{none}: {status} {html}");
    }
    let both = format!("{of_ada}&team=shop/sales");
    assert!(page(&both).await.1.contains("0 surveys"), "both have to hold");

    // As a table: a line an answer, and nothing that a spreadsheet would run.
    let csv = app.get(&format!("/console/surveys.csv?{day}")).header("cookie", &ada.cookie).send().await.unwrap();
    assert_eq!(csv.headers()["content-type"], "text/csv; charset=utf-8");
    assert_eq!(csv.headers()["content-disposition"], "attachment; filename=\"surveys.csv\"");
    let csv = csv.text().await.unwrap();
    let lines: Vec<_> = csv.split("\r\n").collect();
    assert_eq!(lines[0], "time,site,conversation,version,card,chat,agent,visitor,field,value");
    assert_eq!(lines.len(), 1 + 8 + 1, "{csv}");
    assert!(csv.contains(",words,\"'=1+1,\"\"x\"\"\"\r\n") && csv.contains(",words,'@SUM(A1)\r\n"), "{csv}");
    assert!(lines.iter().any(|line| line.contains(&format!(",after,{first},Agent 1,")) && line.ends_with(",rating,5")), "{csv}");
    for line in &lines {
        let first = line.rsplit(',').next().unwrap_or_default().trim_start_matches('"').chars().next();
        assert!(!first.is_some_and(|first| "=+-@\t".contains(first)), "{line}");
    }
    let of_team = app.get("/console/surveys.csv?team=shop/sales").header("cookie", &author.cookie).send().await.unwrap();
    assert_eq!(of_team.text().await.unwrap().matches("Agent 2").count(), 5);

    // A period that is none is told.
    for (query, field, says) in [
        ("from=2026-11-22&to=2026-11-21", "to", "expected a day that is not before the first"),
        ("from=yesterday", "from", "from: expected a day such as 2026-11-26"),
        ("to=2026-02-30", "to", "to: expected a day such as 2026-11-26"),
        ("agent=nobody", "agent", "agent: expected one of the list"),
        ("team=sales", "team", "team: expected one of the list"),
    ] {
        let (status, html) = page(query).await;
        assert!(status == 400 && html.contains(says) && html.contains("3 surveys"), "{query}: {status} {html}");
        let csv = app.get(&format!("/console/surveys.csv?{query}")).header("cookie", &ada.cookie).send().await.unwrap();
        assert_eq!(problem(csv, 400, "malformed").await["field"], field, "{query}");
    }

    // Whoever works for another site sees none of it; nor does anybody who is not signed in.
    app.import("key = \"other\"\ntitle = \"Other\"\norigins = []\n", &[]).await;
    let elsewhere = add_agent_of(&app, 4, Role::Agent, "other").await;
    for query in ["", "team=shop/sales", of_ada.as_str()] {
        let (_, html) = console_page(&app, &elsewhere, &format!("/console/surveys?{query}")).await;
        assert!(html.contains("0 surveys") && !html.contains("=1+1"), "{query}: {html}");
    }
    let nobody = app.get("/console/surveys.csv").send().await.unwrap();
    assert_eq!(nobody.url().path(), "/console/sign-in");

    // A month later they are looked for where they are.
    app.pass(SignedDuration::from_hours(24 * 31));
    assert!(page("").await.1.contains("0 surveys"));
    assert!(page(day).await.1.contains("3 surveys"));
}
