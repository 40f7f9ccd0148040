//! Call backs and calls: at once and at a time of choice, the agents' queue, and what is offered when.

use jiff::SignedDuration;
use porchlight_domain::{agent::Role, id::uuid_v7};
use porchlight_server::site_files::SiteFiles;
use reqwest::Response;
use serde_json::{Value, json};

use crate::{
    app::{Form, ORIGIN, PAGE, TestApp, Visitor, filled, good, problem, text},
    meetings::{buttons, console, console_page, for_days, form_in, open_in, read, until},
    sides::{Agent, Socket, add_agent, add_agent_of},
};

/// Open at the moment the tests begin, for three hours; and on Monday for two.
pub(crate) const SITE: &str =
    "key = \"shop\"\ntitle = \"Shop\"\norigins = [\"https://shop.example\", \"loopback\"]\ncountry = \"DE\"\n
[opening_hours]\ntime_zone = \"Europe/Berlin\"\nhours = [\"saturday 09:00-12:00\", \"monday 09:00-11:00\"]\n";

pub(crate) const NOW: &str = r#"{ "id": "welcome", "name": "Call", "restart": true, "cards": [
    { "id": "call", "card": "callback", "text": "Your number?", "within": 20, "fallbackText": "We are closed", "fallback": "closed" },
    { "id": "end", "card": "end", "text": "Thank you" },
    { "id": "closed", "card": "end", "text": "Write to us" }
] }"#;

const LATER: &str = r#"{ "id": "welcome", "name": "Call", "restart": true, "cards": [
    { "id": "call", "card": "callback", "when": "later", "text": "Your number?", "capacity": 2, "fallbackText": "We are closed",
      "fallback": "closed" },
    { "id": "end", "card": "end", "text": "Thank you" },
    { "id": "closed", "card": "end", "text": "Write to us" }
] }"#;

const TIMES: [&str; 4] = ["2026-11-23T08:00:00Z", "2026-11-23T08:30:00Z", "2026-11-23T09:00:00Z", "2026-11-23T09:30:00Z"];
const NUMBER: &[(&str, &str)] = &[("value", "030 901820"), ("country", "DE")];

pub(crate) async fn serve(site: &str, conversation: &str) -> TestApp {
    for_days().with_site(site).with_conversation(conversation).start_only().await
}

/// Gives the number, and the form with the times to choose from.
async fn choosing(visitor: &Visitor<'_>) -> (String, Form) {
    let (_, form) = open_in(visitor, "UTC").await;
    let answered = good(visitor.answer_with(&form, NUMBER).await).await;
    let card = text(&answered["card"]);
    assert!(card.contains("data-grid"), "{card}");
    let form = form_in(&card, "UTC");
    (card, form)
}

/// A new visitor asks to be called at once; gives the id.
pub(crate) async fn asked(app: &TestApp) -> String {
    let visitor = app.visitor().await;
    let (_, form) = open_in(&visitor, "UTC").await;
    good(visitor.answer_with(&form, NUMBER).await).await;
    let requested = told(app, "callback.requested").await;
    text(&requested.last().unwrap()["data"]["callback"])
}

async fn told(app: &TestApp, kind: &str) -> Vec<Value> {
    app.log().await.into_iter().filter(|event| event["type"] == kind).collect()
}

/// How many call backs are to be made by now and nobody has, as an agent's console is told.
async fn waiting(app: &TestApp, agent: &Agent) -> u64 {
    let origin = format!("http://{}", app.address);
    let headers = [("cookie", agent.cookie.as_str()), ("origin", origin.as_str())];
    let mut socket = Socket::open(app.address, "/console/socket", &headers).await.unwrap();
    let told = socket.until(|told| told.get("desk").is_some()).await;
    socket.leave().await;
    told["desk"]["callbacks"].as_u64().unwrap()
}

pub(crate) async fn act(app: &TestApp, agent: &Agent, id: &str, form: &[(&str, &str)]) -> Response {
    console(app, agent, &format!("/console/callbacks/{id}"), form).await
}

#[tokio::test]
async fn a_visitor_asks_to_be_called_now() {
    let app = serve(SITE, NOW).await;
    let agent = add_agent(&app, 1, Role::Agent).await;
    let visitor = app.visitor().await;
    let (html, form) = open_in(&visitor, "Europe/Berlin").await;
    assert!(html.contains("Your number?") && html.contains("type=\"tel\""), "{html}");
    for (value, country, says) in [
        ("", "DE", "phone number"),
        ("hello", "DE", "phone number"),
        ("030 9018201234567890", "DE", "too long"),
        ("030 901820", "XX", "choose a country"),
    ] {
        let refused =
            problem(visitor.answer_with(&form, &[("value", value), ("country", country)]).await, 422, "invalid_answer").await;
        assert!(text(&refused["message"]).contains(says), "{value}: {refused}");
    }
    assert_eq!(waiting(&app, &agent).await, 0);
    let answered = good(visitor.answer_with(&form, NUMBER).await).await;
    let said = text(&answered["said"]);
    assert!(said.contains("+4930901820") && said.contains("We will call you by 09:20.") && said.contains("Thank you"), "{said}");
    // Sent twice, asked once.
    good(visitor.answer_with(&form, NUMBER).await).await;
    let kinds: Vec<_> = app.types().await.into_iter().filter(|kind| !kind.starts_with("widget.")).collect();
    let expected = [
        "conversation.triggered",
        "datacollection.started",
        "conversation.engaged",
        "input.phone",
        "datacollection.submitted",
        "callback.requested",
        "conversation.completed",
    ];
    assert_eq!(kinds, expected);
    for kind in ["datacollection.started", "datacollection.submitted"] {
        assert_eq!(told(&app, kind).await[0]["data"], json!({ "widget": "launcher", "kind": "CallbackNow" }), "{kind}");
    }
    let requested = told(&app, "callback.requested").await.remove(0);
    let id = text(&requested["data"]["callback"]);
    assert_eq!(requested["data"], json!({ "widget": "launcher", "kind": "CallbackNow", "callback": id }));
    assert_eq!(requested["conversation"], "welcome");
    assert_eq!(waiting(&app, &agent).await, 1);
    let (_, queue) = console_page(&app, &agent, "/console/callbacks").await;
    for part in [format!("id=\"{id}\"").as_str(), "+4930901820", ">now</span>", "promised by 08:20", PAGE, "I call"] {
        assert!(queue.contains(part), "{part} is not in {queue}");
    }
    app.pass(SignedDuration::from_mins(20));
    let (_, queue) = console_page(&app, &agent, "/console/callbacks").await;
    assert!(queue.contains(">late</span>"), "the promise has passed: {queue}");
}

#[tokio::test]
async fn one_agent_calls_and_says_what_came_of_it() {
    let app = serve(SITE, NOW).await;
    let (ada, grace) = (add_agent(&app, 1, Role::Agent).await, add_agent(&app, 2, Role::Agent).await);
    let id = asked(&app).await;
    let claim: &[(&str, &str)] = &[("do", "claim")];
    let reached: &[(&str, &str)] = &[("do", "reached"), ("note", "Wants a quote\nfor two bells ")];
    assert_eq!(act(&app, &ada, &id, reached).await.status(), 409, "it is claimed first");
    let (status, own) = read(act(&app, &ada, &id, claim).await).await;
    assert!(status == 200 && own.contains("href=\"tel:+4930901820\""), "{own}");
    assert_eq!(act(&app, &ada, &id, claim).await.status(), 200, "pressed twice, it is theirs");
    let (_, of_others) = console_page(&app, &grace, "/console/callbacks").await;
    assert!(of_others.contains("Agent 1") && !of_others.contains("href=\"tel:") && !of_others.contains("I call"), "{of_others}");
    for form in [claim, reached, &[("do", "release")], &[("do", "retry"), ("minutes", "15")]] {
        let (status, html) = read(act(&app, &grace, &id, form).await).await;
        assert!(status == 409 && html.contains("or over"), "{form:?}: {status} {html}");
    }
    assert_eq!(waiting(&app, &ada).await, 0, "somebody has it");
    assert_eq!(act(&app, &ada, &id, &[("do", "release")]).await.status(), 200);
    assert_eq!(waiting(&app, &ada).await, 1);

    // Grace reaches nobody, and it is to be tried again in an hour.
    assert_eq!(act(&app, &grace, &id, claim).await.status(), 200);
    for minutes in ["", "0", "-5", "soon", "10081"] {
        let (status, html) = read(act(&app, &grace, &id, &[("do", "retry"), ("minutes", minutes)]).await).await;
        assert!(status == 400 && html.contains("minutes from 1 to 10080"), "{minutes}: {status} {html}");
    }
    let busy: &[(&str, &str)] = &[("do", "retry"), ("minutes", "60"), ("note", "Engaged")];
    let (status, html) = read(act(&app, &grace, &id, busy).await).await;
    assert!(status == 200 && html.contains(">later</span>") && html.contains("again from"), "{html}");
    assert!(html.contains("called once") && html.contains("Engaged"), "{html}");
    app.pass(SignedDuration::from_mins(60) - SignedDuration::from_millis(1));
    assert_eq!(waiting(&app, &ada).await, 0, "not before then");
    app.pass(SignedDuration::from_millis(1));
    assert_eq!(waiting(&app, &ada).await, 1);
    let (_, html) = console_page(&app, &ada, "/console/callbacks").await;
    assert!(html.contains(">late</span>") && !html.contains("again from"), "{html}");

    assert!(told(&app, "callback.completed").await.is_empty(), "nobody was reached yet");
    assert_eq!(act(&app, &ada, &id, claim).await.status(), 200);
    let (status, html) = read(act(&app, &ada, &id, reached).await).await;
    assert!(status == 200 && html.contains("Nobody waits for a call."), "{html}");
    let completed = told(&app, "callback.completed").await.remove(0);
    let expected = json!({
        "widget": "launcher", "callback": id, "kind": "CallbackNow", "agentName": "Agent 1", "agentID": ada.id.to_string(),
        "outcome": "reached",
    });
    assert_eq!(completed["data"], expected);
    assert_eq!(completed["session"], told(&app, "callback.requested").await[0]["session"], "of the session it was asked for in");
    let (_, done) = console_page(&app, &grace, "/console/callbacks?done=true").await;
    for part in ["Wants a quote\nfor two bells<", ">reached</span>", "called 2 times", "Agent 1"] {
        assert!(done.contains(part), "{part} is not in {done}");
    }
    for form in [claim, reached, &[("do", "release")]] {
        assert_eq!(act(&app, &ada, &id, form).await.status(), 409, "{form:?}: it is over");
    }
    assert_eq!(told(&app, "callback.completed").await.len(), 1);
}

#[tokio::test]
async fn who_may_not_call_does_not() {
    let app = serve(SITE, NOW).await;
    let ada = add_agent(&app, 1, Role::Agent).await;
    let author = add_agent(&app, 2, Role::Author).await;
    app.import("key = \"other\"\ntitle = \"Other\"\norigins = []\n", &[]).await;
    let elsewhere = add_agent_of(&app, 3, Role::Agent, "other").await;
    let id = asked(&app).await;
    let claim: &[(&str, &str)] = &[("do", "claim")];
    problem(act(&app, &author, &id, claim).await, 403, "forbidden").await;
    problem(act(&app, &elsewhere, &id, claim).await, 404, "not_found").await;
    for unknown in [uuid_v7(1_790_000_000_000, &[7; 10]).to_string(), "nonsense".to_owned()] {
        problem(act(&app, &ada, &unknown, claim).await, 404, "not_found").await;
    }
    let (_, html) = console_page(&app, &elsewhere, "/console/callbacks").await;
    assert!(html.contains("Nobody waits for a call.") && !html.contains("+4930901820"), "{html}");
    let (_, html) = console_page(&app, &author, "/console/callbacks").await;
    assert!(html.contains("+4930901820") && !html.contains("I call"), "they may look: {html}");
    let (status, html) = read(act(&app, &ada, &id, &[("do", "forget")]).await).await;
    assert!(status == 400 && html.contains("expected claim, release, retry"), "{html}");
    let long = "x".repeat(5001);
    assert_eq!(act(&app, &ada, &id, &[("do", "claim"), ("note", &long)]).await.status(), 400);
    assert_eq!(waiting(&app, &ada).await, 1);
}

#[tokio::test]
async fn every_outcome_is_told() {
    let app = serve(SITE, NOW).await;
    let ada = add_agent(&app, 1, Role::Agent).await;
    for outcome in ["reached", "not_reached", "wrong_number"] {
        let id = asked(&app).await;
        act(&app, &ada, &id, &[("do", "claim")]).await;
        assert_eq!(act(&app, &ada, &id, &[("do", outcome)]).await.status(), 200);
        let completed = told(&app, "callback.completed").await;
        let data = &completed.last().unwrap()["data"];
        assert_eq!((&data["callback"], &data["outcome"]), (&json!(id), &json!(outcome)));
    }
}

#[tokio::test]
async fn a_visitor_chooses_when_to_be_called_and_each_time_has_so_many_places() {
    let app = serve(SITE, LATER).await;
    let ada = add_agent(&app, 1, Role::Agent).await;
    let visitors = [app.visitor().await, app.visitor().await, app.visitor().await];
    let mut forms = Vec::new();
    for visitor in &visitors {
        let (card, form) = choosing(visitor).await;
        assert_eq!(buttons(&card, "value"), TIMES, "not within four hours, so not today");
        forms.push(form);
    }
    let (_, html) = console_page(&app, &ada, "/console/callbacks").await;
    assert!(html.contains("Nobody waits for a call."), "who has not chosen yet does not wait");
    // Looking around is as for a meeting.
    let looked = good(visitors[0].answer_with(&forms[0], &[("day", "2026-11-30")]).await).await;
    assert_eq!(buttons(&text(&looked["card"]), "value")[0], "2026-11-30T08:00:00Z");
    let looked = good(visitors[0].answer_with(&forms[0], &[("zone", "Asia/Tokyo"), ("do", "look")]).await).await;
    assert!(text(&looked["card"]).contains("<bdi>17:00</bdi>"), "{looked}");

    let choice = [("value", TIMES[0])];
    for (visitor, form) in visitors.iter().zip(&forms).take(2) {
        let answered = good(visitor.answer_with(form, &choice).await).await;
        let said = text(&answered["said"]);
        assert!(said.contains("We will call you: ") && said.contains("08:00") && said.contains("Thank you"), "{said}");
    }
    let full = problem(visitors[2].answer_with(&forms[2], &choice).await, 409, "slot_taken").await;
    assert_eq!(full["message"], "This time was just taken. Please choose another.");
    let card = text(&full["card"]);
    assert_eq!(buttons(&card, "value"), TIMES[1..], "with what is left");
    assert_eq!(told(&app, "callback.requested").await.len(), 2);
    for bad in ["2026-11-16T08:00:00Z", "2026-11-23T08:10:00Z", "2026-11-23T10:00:00Z", "2026-12-28T08:00:00Z"] {
        problem(visitors[2].answer_with(&form_in(&card, "UTC"), &[("value", bad)]).await, 409, "slot_taken").await;
    }
    for bad in ["", "soon"] {
        problem(visitors[2].answer_with(&form_in(&card, "UTC"), &[("value", bad)]).await, 422, "invalid_answer").await;
    }
    good(visitors[2].answer_with(&form_in(&card, "UTC"), &[("value", TIMES[1])]).await).await;
    let requested = told(&app, "callback.requested").await;
    assert_eq!((requested.len(), &requested[2]["data"]["kind"]), (3, &json!("CallbackLater")));
    let (card, _) = choosing(&app.visitor().await).await;
    assert_eq!(buttons(&card, "value"), TIMES[1..], "one of two places is left at the second");

    // They are in the queue, and due when they were promised.
    let (_, html) = console_page(&app, &ada, "/console/callbacks").await;
    assert_eq!(
        (html.matches("I call").count(), html.matches(">later</span>").count(), waiting(&app, &ada).await),
        (3, 3, 0),
        "{html}"
    );
    until(&app, TIMES[0]);
    assert_eq!(waiting(&app, &ada).await, 2);
    until(&app, TIMES[1]);
    assert_eq!(waiting(&app, &ada).await, 3);
    let id = text(&requested[0]["data"]["callback"]);
    assert_eq!(act(&app, &ada, &id, &[("do", "claim")]).await.status(), 200);
    assert_eq!(act(&app, &ada, &id, &[("do", "reached")]).await.status(), 200);
    assert_eq!(told(&app, "callback.completed").await[0]["data"]["kind"], "CallbackLater");
}

#[tokio::test]
async fn who_begins_anew_while_choosing_takes_no_place() {
    let app = serve(SITE, LATER).await;
    let visitor = app.visitor().await;
    let (_, form) = choosing(&visitor).await;
    let anew = good(visitor.answer_with(&form, &[("do", "restart")]).await).await;
    assert!(text(&anew["card"]).contains("type=\"tel\""), "the number is asked for again: {anew}");
    problem(visitor.answer_with(&form, &[("value", TIMES[0])]).await, 409, "not_current").await;
    assert!(told(&app, "callback.requested").await.is_empty());
    // What was chosen stays when one begins anew after it.
    let (_, form) = choosing(&visitor).await;
    let answered = good(visitor.answer_with(&form, &[("value", TIMES[0])]).await).await;
    let card = text(&answered["card"]);
    good(visitor.answer_with(&form_in(&card, "UTC"), &[("do", "restart")]).await).await;
    let (_, form) = choosing(&visitor).await;
    good(visitor.answer_with(&form, &[("value", TIMES[0])]).await).await;
    let (card, _) = choosing(&app.visitor().await).await;
    assert_eq!(buttons(&card, "value"), TIMES[1..], "both places are taken");
}

#[tokio::test]
async fn outside_the_opening_hours_the_visitor_is_told_what_is_possible() {
    let app = serve(SITE, NOW).await;
    until(&app, "2026-11-21T10:59:59Z");
    let (html, _) = open_in(&app.visitor().await, "UTC").await;
    assert!(html.contains("Your number?") && !html.contains("We are closed"), "{html}");
    app.pass(SignedDuration::from_secs(1));
    let (html, _) = open_in(&app.visitor().await, "UTC").await;
    assert!(html.contains("We are closed") && html.contains("Write to us") && !html.contains("Thank you"), "{html}");
    let shown = told(&app, "fallback.shown").await;
    assert_eq!((shown.len(), &shown[0]["data"]["card"]), (1, &json!("call")));
    assert_eq!(told(&app, "datacollection.started").await.len(), 1, "only who could be called was asked");

    // At a time of choice it is possible then, too; but not where no times are known.
    let app = serve(SITE, LATER).await;
    until(&app, "2026-11-21T12:00:00Z");
    choosing(&app.visitor().await).await;
    let always = SITE.split("\n[opening_hours]").next().unwrap();
    let app = serve(always, LATER).await;
    let (html, _) = open_in(&app.visitor().await, "UTC").await;
    assert!(html.contains("We are closed"), "{html}");
    let app = serve(always, NOW).await;
    let (html, _) = open_in(&app.visitor().await, "UTC").await;
    assert!(html.contains("Your number?"), "without hours it is always open: {html}");
}

#[tokio::test]
async fn a_team_has_hours_of_its_own() {
    let of_team = NOW.replace("\"within\"", "\"team\": \"sales\", \"within\"");
    let app = serve(SITE, &of_team).await;
    let author = add_agent(&app, 1, Role::Author).await;
    until(&app, "2026-11-21T12:00:00Z");
    let is_open = async || open_in(&app.visitor().await, "UTC").await.0.contains("Your number?");
    assert!(!is_open().await, "without its own it has the site's");
    let team = async |hours: &str| {
        let form = [("site", "shop"), ("id", "sales"), ("name", "Sales"), ("time_zone", "UTC"), ("hours", hours)];
        read(console(&app, &author, "/console/teams", &form).await).await
    };
    let (status, html) = team("saturday 25:00-26:00").await;
    assert!(status == 400 && html.contains("line 1"), "{status} {html}");
    assert!(!is_open().await);
    assert_eq!(team("saturday 12:00-13:00\n2026-11-28 closed").await.0, 200);
    assert!(is_open().await);
    until(&app, "2026-11-21T13:00:00Z");
    assert!(!is_open().await);
    until(&app, "2026-11-28T12:30:00Z");
    assert!(!is_open().await, "a holiday");
    let (_, html) = console_page(&app, &author, "/console/teams").await;
    assert!(html.contains("saturday 12:00-13:00") && html.contains("2026-11-28 closed"), "{html}");
}

#[tokio::test]
async fn what_is_for_a_team_is_for_those_in_it() {
    let of_team = NOW.replace("\"within\"", "\"team\": \"sales\", \"within\"");
    let app = serve(SITE, &of_team).await;
    let (ada, grace) = (add_agent(&app, 1, Role::Agent).await, add_agent(&app, 2, Role::Agent).await);
    let author = add_agent(&app, 3, Role::Author).await;
    let team = [("site", "shop"), ("id", "sales"), ("name", "Sales"), ("members", "agent1@example.com")];
    assert_eq!(console(&app, &author, "/console/teams", &team).await.status(), 200);
    let id = asked(&app).await;
    assert_eq!((waiting(&app, &ada).await, waiting(&app, &grace).await), (1, 0));
    problem(act(&app, &grace, &id, &[("do", "claim")]).await, 404, "not_found").await;
    for (who, sees) in [(&ada, true), (&grace, false), (&author, true)] {
        let (_, html) = console_page(&app, who, "/console/callbacks").await;
        assert_eq!(html.contains("+4930901820"), sees, "{html}");
    }
    assert_eq!(act(&app, &ada, &id, &[("do", "claim")]).await.status(), 200);
    assert_eq!(act(&app, &ada, &id, &[("do", "reached")]).await.status(), 200);
}

#[tokio::test]
async fn whom_no_time_suits_goes_on_without_a_call() {
    let app = serve(SITE, LATER).await;
    let visitor = app.visitor().await;
    let (html, form) = open_in(&visitor, "UTC").await;
    assert!(!html.contains("value=\"skip\""), "{html}");
    problem(visitor.answer_with(&form, &[("do", "skip")]).await, 422, "invalid_answer").await;
    let (card, form) = choosing(&visitor).await;
    assert!(card.contains("value=\"skip\""), "{card}");
    let answered = good(visitor.answer_with(&form, &[("do", "skip")]).await).await;
    assert!(text(&answered["said"]).contains("We are closed") && text(&answered["card"]).contains("has ended"), "{answered}");
    assert!(told(&app, "callback.requested").await.is_empty());
    problem(visitor.answer_with(&form, &[("id", &visitor.id()), ("value", TIMES[0])]).await, 409, "not_waiting").await;
}

#[tokio::test]
async fn a_number_to_call_is_shown_by_hours_and_language() {
    const CALL: &str = r#"{ "id": "welcome", "name": "Call", "cards": [
        { "id": "call", "card": "call", "text": "Call us", "fallbackText": "We are closed", "fallback": "end",
          "numbers": [{ "number": "+44 20 7946 0000" }, { "number": "+49 30 901820", "locale": "de" }] },
        { "id": "thanks", "card": "message", "text": "We hope it helped" },
        { "id": "end", "card": "end", "text": "Goodbye" }
    ] }"#;
    let app = serve(SITE, CALL).await;
    let visitor = app.visitor().await;
    let (html, form) = open_in(&visitor, "UTC").await;
    assert!(html.contains("href=\"tel:+442079460000\"") && html.contains("+44 20 7946 0000"), "{html}");
    let (answered, _) = visitor.go_on(&form, "+44 20 7946 0000").await;
    assert!(text(&answered["said"]).contains("We hope it helped"), "{answered}");
    let german = app.visitor().await;
    let opening = filled(&german.opening(), &[("locale", "de-AT")]);
    let (_, html) = read(app.post("/widget/panel").header("origin", ORIGIN).form(&opening).send().await.unwrap()).await;
    assert!(html.contains("href=\"tel:+4930901820\""), "{html}");
    until(&app, "2026-11-21T11:00:00Z");
    let (html, _) = open_in(&app.visitor().await, "UTC").await;
    assert!(html.contains("We are closed") && !html.contains("href=\"tel:") && !html.contains("We hope it helped"), "{html}");
}

#[tokio::test]
async fn the_launcher_offers_what_is_possible_now() {
    let flow = |id: &str, cards: &str| {
        format!(
            r#"{{ "id": "{id}", "name": "{id}", "type": "conversationFlow", "cards": [{cards}, {{ "id": "end", "card": "end" }}] }}"#
        )
    };
    let now = flow("callnow", r#"{ "id": "call", "card": "callback", "text": "Your number?" }"#);
    let later = flow("calllater", r#"{ "id": "call", "card": "callback", "when": "later", "text": "Your number?" }"#);
    let phone =
        flow("phone", r#"{ "id": "call", "card": "call", "text": "Call us", "numbers": [{ "number": "+44 20 7946 0000" }] }"#);
    let site = SITE.to_owned()
        + r#"
        [[contacts]]
        kind = "Chat"
        [[contacts]]
        kind = "CallbackNow"
        conversation = "callnow"
        [[contacts]]
        kind = "CallbackLater"
        conversation = "calllater"
        label = { en = "Call me later", de = "Später anrufen" }
        [[contacts]]
        kind = "ClickToCall"
        conversation = "phone"
        [[contacts]]
        kind = "ClickToCall"
        conversation = "phone"
        label = "Emergencies"
        when_closed = true
        "#;
    let app =
        for_days().with_site(&site).with_conversation(&now).with_conversation(&later).with_conversation(&phone).start().await;
    let offered = async |locale: &str| {
        let begun = good(app.send("/widget/v1/start", &json!({ "site": "shop", "page": PAGE, "locale": locale })).await).await;
        let of = |contact: &Value| (text(&contact["kind"]), contact["conversation"].clone(), text(&contact["label"]));
        begun["contacts"].as_array().cloned().unwrap_or_default().iter().map(of).collect::<Vec<_>>()
    };
    let is = |kind: &str, conversation: Value, label: &str| (kind.to_owned(), conversation, label.to_owned());
    let all = [
        is("Chat", Value::Null, "Chat"),
        is("CallbackNow", json!("callnow"), "Call me back now"),
        is("CallbackLater", json!("calllater"), "Call me later"),
        is("ClickToCall", json!("phone"), "Call us"),
        is("ClickToCall", json!("phone"), "Emergencies"),
    ];
    assert_eq!(offered("en-GB").await, all);
    assert_eq!(offered("de").await[2].2, "Später anrufen");
    until(&app, "2026-11-21T11:00:00Z");
    assert_eq!(offered("en-GB").await, [all[0].clone(), all[2].clone(), all[4].clone()], "closed");
    until(&app, "2026-11-23T08:00:00Z");
    assert_eq!(offered("en-GB").await, all);

    // Which of them a visitor pressed is told.
    let visitor = app.visitor().await;
    let mut report = visitor.report("widget.clicked");
    report["kind"] = json!("CallbackLater");
    good(app.send("/widget/v1/events", &visitor.reports(&json!([report]))).await).await;
    assert_eq!(told(&app, "widget.clicked").await[0]["data"]["kind"], "CallbackLater");

    // One that leads nowhere is not taken.
    let files = vec![("site.toml".to_owned(), site.into_bytes()), ("a.json".to_owned(), now.into_bytes())];
    let refused = SiteFiles::read(files, 1_000_000).unwrap_err();
    assert!(refused.contains("contacts[2].conversation: there is no conversation \"calllater\""), "{refused}");

    let plain = serve(SITE, NOW).await;
    let begun = good(plain.send("/widget/v1/start", &json!({ "site": "shop", "page": PAGE })).await).await;
    assert!(begun.get("contacts").is_none(), "{begun}");
}
