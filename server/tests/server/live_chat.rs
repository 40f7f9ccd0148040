//! Live chat, from the visitor's form and an agent's console to the log.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use porchlight_domain::{
    agent::Role,
    livechat::{Ended, Offer, Phase},
};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    app::{Form, PAGE, TestApp, Visitor, good, text},
    sides::{Agent, Socket, TALK, add_agent, kept, kept_agent, stay, until_kept},
};

async fn kinds(app: &TestApp, prefix: &str) -> Vec<String> {
    app.types().await.into_iter().filter(|kind| kind.starts_with(prefix)).collect()
}

#[tokio::test]
async fn a_visitor_is_handed_to_an_agent_and_both_hear_each_other() {
    let app = TestApp::init().with_conversation(TALK).start_only().await;
    let ada = add_agent(&app, 1, Role::Agent).await;
    let mut desk = Socket::desk(&app, &ada).await;
    let visitor = app.visitor().await;
    let (html, form) = visitor.open().await;
    assert!(html.contains("One moment") && html.contains("data-live"), "{html}");
    let chat = desk.offered().await;
    let mut panel = Socket::panel(&visitor, 1).await;

    // What is written while waiting is kept for whoever comes.
    visitor.answer(&form, "Is anybody there?").await;
    let accepted = desk.ask(1, json!({ "do": "accept", "chat": chat })).await;
    assert_eq!(accepted["done"]["id"], 1, "{accepted}");
    let update =
        panel.until(|told| told["update"]["card"].as_str().is_some_and(|card| card.contains("Message to Agent 1"))).await;
    assert!(update["update"]["said"].as_str().unwrap().contains("Agent 1 has joined"), "{update}");

    // Sent twice under one name, said once.
    let message = visitor.id();
    let say = json!({ "do": "say", "chat": chat, "message": message, "text": "Hello <b>you</b>" });
    let first = desk.ask(2, say.clone()).await;
    let again = desk.ask(3, say).await;
    assert_eq!(first["done"]["line"], again["done"]["line"]);
    let heard = panel.until(|told| told["update"]["said"].as_str().is_some_and(|said| said.contains("Hello"))).await;
    assert!(heard["update"]["said"].as_str().unwrap().contains("Hello &lt;b&gt;you&lt;/b&gt;"), "{heard}");
    let of_page: Vec<_> = heard["update"]["events"].as_array().unwrap().iter().map(|event| text(&event["type"])).collect();
    assert_eq!(of_page, ["message.received"]);

    panel.say(&json!({ "say": { "id": visitor.id(), "text": "Hi" } })).await;
    let done = panel.until(|told| told.get("done").is_some()).await;
    assert!(done["have"].as_u64().is_some());
    let said = desk.until(|told| told["said"]["lines"][0]["text"] == "Hi").await;
    assert_eq!(said["said"]["lines"][0]["author"], "visitor");
    panel.say(&json!({ "typing": true })).await;
    desk.until(|told| told["typing"]["chat"] == chat).await;
    desk.ask(4, json!({ "do": "seen", "chat": chat, "number": 5 })).await;
    panel.until(|told| told["seen"] == 5).await;

    desk.ask(5, json!({ "do": "end", "chat": chat })).await;
    let over = panel.until(|told| told["update"]["said"].as_str().is_some_and(|said| said.contains("Goodbye"))).await;
    assert!(over["update"]["said"].as_str().unwrap().contains("Agent 1 ended the chat"));
    assert_eq!(kinds(&app, "livechat.").await, ["livechat.requested", "livechat.initiated", "livechat.ended"]);
    assert_eq!(kinds(&app, "message.").await, ["message.sent", "message.received", "message.sent"]);
    let refused = desk.ask(6, json!({ "do": "say", "chat": chat, "message": visitor.id(), "text": "late" })).await;
    assert_eq!(refused["refused"]["code"], "not_online");
}

#[tokio::test]
async fn of_two_who_accept_at_once_one_wins_and_the_other_is_told() {
    let app = TestApp::init().with_conversation(TALK).start_only().await;
    let (ada, grace) = (add_agent(&app, 1, Role::Agent).await, add_agent(&app, 2, Role::Agent).await);
    let (mut one, mut two) = (Socket::desk(&app, &ada).await, Socket::desk(&app, &grace).await);
    let visitor = app.visitor().await;
    visitor.open().await;
    let chat = one.offered().await;
    let accept = json!({ "do": "accept", "chat": chat });
    let (first, second) = tokio::join!(one.ask(1, accept.clone()), two.ask(1, accept));
    assert!(first.get("done").is_some(), "{first}");
    assert_eq!(second["refused"]["code"], "not_offered", "{second}");
}

#[tokio::test]
async fn the_next_agent_is_asked_and_in_the_end_the_fallback_is_shown() {
    let app = TestApp::init().with_conversation(TALK).start_only().await;
    let (ada, grace) = (add_agent(&app, 1, Role::Agent).await, add_agent(&app, 2, Role::Agent).await);
    let (_one, mut two) = (Socket::desk(&app, &ada).await, Socket::desk(&app, &grace).await);
    let visitor = app.visitor().await;
    let (_, form) = visitor.open().await;
    for seconds in [99, 1] {
        app.pass(SignedDuration::from_secs(seconds));
        stay(&app, &[&ada, &grace], 600).await;
        app.ticking.tick().await.unwrap();
    }
    let chat = two.offered().await;
    two.ask(1, json!({ "do": "decline", "chat": chat })).await;
    let shown = good(visitor.answer_with(&form, &[("do", "refresh")]).await).await;
    assert!(shown["said"].as_str().unwrap().contains("Nobody is there"), "{shown}");
    assert_eq!(kinds(&app, "livechat.").await, ["livechat.requested", "livechat.timeout"]);
    assert_eq!(kinds(&app, "fallback.").await, ["fallback.shown"]);
}

#[tokio::test]
async fn a_restart_keeps_chats_and_a_visitor_who_does_not_come_back_drops_out() {
    let app = TestApp::init().with_conversation(TALK).start_only().await;
    let ada = add_agent(&app, 1, Role::Agent).await;
    let mut desk = Socket::desk(&app, &ada).await;
    let visitor = app.visitor().await;
    let (_, _) = visitor.open().await;
    let chat = desk.offered().await;
    let mut panel = Socket::panel(&visitor, 1).await;
    desk.ask(1, json!({ "do": "accept", "chat": chat })).await;
    panel.until(|told| told.get("update").is_some()).await;
    // As after a kill: nobody said goodbye, and the next start finds the chat as it was.
    app.ticking.begin().await.unwrap();
    app.pass(SignedDuration::from_secs(59));
    app.ticking.tick().await.unwrap();
    assert_eq!(kinds(&app, "livechat.").await.len(), 2, "still under way");
    app.pass(SignedDuration::from_secs(1));
    app.ticking.tick().await.unwrap();
    assert_eq!(kinds(&app, "livechat.").await.last().unwrap(), "livechat.timeout");
    let last = app.log().await.into_iter().rev().find(|event| event["type"] == "livechat.timeout").unwrap();
    assert_eq!((&last["data"]["reason"], &last["data"]["online"]), (&json!("visitor_dropped"), &json!(true)));
    // The page that comes next is told what happened while none was there.
    let token = visitor.token.clone();
    let begun = json!({ "site": "shop", "page": crate::app::PAGE, "locale": "en-GB", "token": token });
    let begun = good(app.send("/widget/v1/start", &begun).await).await;
    let told: Vec<_> = begun["events"].as_array().unwrap().iter().map(|event| text(&event["type"])).collect();
    assert!(told.contains(&"livechat.timeout".to_owned()), "{told:?}");
}

#[tokio::test]
async fn without_anybody_there_the_visitor_is_told_at_once() {
    let app = TestApp::init().with_conversation(TALK).start_only().await;
    let visitor = app.visitor().await;
    let (html, _) = visitor.open().await;
    assert!(html.contains("Nobody is there") && !html.contains("data-live"));
    assert!(kinds(&app, "livechat.").await.is_empty(), "no agent was requested");
}

#[tokio::test]
async fn who_may_not_is_refused() {
    let app = TestApp::init().with_conversation(TALK).start_only().await;
    let (ada, grace) = (add_agent(&app, 1, Role::Agent).await, add_agent(&app, 2, Role::Author).await);
    let mut desk = Socket::desk(&app, &ada).await;
    let visitor = app.visitor().await;
    visitor.open().await;
    let chat = desk.offered().await;
    let own = format!("http://{}", app.address);
    // (method, path, who, expected)
    let detail = format!("/console/api/chats/{chat}");
    let cases: Vec<(&str, String, Option<&Agent>, u16)> = vec![
        ("GET", detail.clone(), None, 401),
        ("GET", detail.clone(), Some(&ada), 200),
        ("GET", detail.clone(), Some(&grace), 200),
        ("POST", format!("{detail}/notes"), Some(&grace), 403),
        ("POST", format!("{detail}/notes"), None, 401),
        ("GET", "/console/agents".into(), Some(&ada), 403),
        ("GET", "/console/teams".into(), Some(&ada), 403),
        ("GET", "/console/teams".into(), Some(&grace), 200),
        ("GET", "/console/api/chats?queue=all".into(), None, 401),
        ("GET", "/console/api/chats?queue=all".into(), Some(&ada), 200),
        ("GET", "/console/api/chats?queue=wrong".into(), Some(&ada), 400),
    ];
    for (method, path, who, expected) in cases {
        let request =
            if method == "GET" { app.get(&path) } else { app.post(&path).header("origin", &own).body(r#"{"text":"x"}"#) };
        let request = who.into_iter().fold(request, |request, who| request.header("cookie", &who.cookie));
        let status = request.send().await.unwrap().status().as_u16();
        assert_eq!(status, expected, "{method} {path}");
    }
    let sent_on = app.get("/console").send().await.unwrap();
    assert_eq!(sent_on.url().path(), "/console/sign-in");
    // Neither a page of somebody else nor anybody who is not signed in gets a socket.
    let foreign = [("cookie", ada.cookie.as_str()), ("origin", "https://evil.example")];
    assert_eq!(Socket::open(app.address, "/console/socket", &foreign).await.err(), Some(StatusCode::FORBIDDEN));
    assert_eq!(Socket::open(app.address, "/console/socket", &[("origin", &own)]).await.err(), Some(StatusCode::UNAUTHORIZED));
    assert_eq!(
        Socket::open(app.address, "/console/socket", &[("origin", &own), ("cookie", &grace.cookie)]).await.err(),
        Some(StatusCode::FORBIDDEN)
    );
    let mut stranger = Socket::open(app.address, "/widget/v1/socket", &[]).await.unwrap();
    stranger
        .say(&json!({ "token": "A".repeat(43), "view": visitor.view, "page": crate::app::PAGE, "conversation": "welcome" }))
        .await;
    assert_eq!(stranger.next().await["bad"], "bad_token");
    let agent = kept_agent(&app, &ada).await;
    assert!(agent.serves(&"shop".parse().unwrap()) && !agent.serves(&"other".parse().unwrap()));
}

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

/// Does something as an agent does where sockets are blocked: it says nothing of whether they are at their desk.
async fn ask_by_request(app: &TestApp, agent: &Agent, what: Value) -> Value {
    let mut asked = json!({ "id": 1 });
    asked.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
    let request = app.post("/console/api/do").header("cookie", &agent.cookie);
    good(request.header("origin", format!("http://{}", app.address)).body(asked.to_string()).send().await.unwrap()).await
}

#[tokio::test]
async fn a_long_stop_ends_neither_queues_nor_offers() {
    let app = TestApp::init().with_conversation(TALK).with_settings(|settings| settings.chat_limit = 1).start_only().await;
    let (ada, grace) = (add_agent(&app, 1, Role::Agent).await, add_agent(&app, 2, Role::Agent).await);
    // Grace has gone home an hour ago.
    stay(&app, &[&grace], -3600).await;
    let mut desk = Socket::desk(&app, &ada).await;
    let (first, second) = (app.visitor().await, app.visitor().await);
    first.open().await;
    let offered = desk.offered().await;
    app.pass(seconds(1));
    second.open().await;
    let queued = text(&desk.until(|told| told["chat"]["phase"] == "queued").await["chat"]["id"]);
    desk.leave().await;

    app.pass(SignedDuration::from_mins(10));
    let is_there = async |agent: &Agent| kept_agent(&app, agent).await.is_available(app.now());
    assert!(!is_there(&ada).await, "or there is nothing to see here");
    app.ticking.begin().await.unwrap();
    assert!(is_there(&ada).await && !is_there(&grace).await, "who was there when it stopped is there, and nobody else");
    app.ticking.tick().await.unwrap();
    let until = app.now() + seconds(100);
    assert_eq!(kept(&app, &offered).await.chat.phase, Phase::Offered(Offer { agent: ada.id, until }));
    assert_eq!(kept(&app, &queued).await.chat.phase, Phase::Queued);
    let accepted = ask_by_request(&app, &ada, json!({ "do": "accept", "chat": offered })).await;
    assert_eq!(accepted["done"]["id"], 1, "{accepted}");

    // For one grace time, and no longer.
    app.pass(seconds(44));
    app.ticking.tick().await.unwrap();
    assert_eq!(kept(&app, &queued).await.chat.phase, Phase::Queued);
    app.pass(seconds(1));
    app.ticking.tick().await.unwrap();
    assert_eq!(kept(&app, &queued).await.chat.phase, Phase::Ended(Ended::Unanswered));
}

/// An agent at a desk, and a visitor whom they answer.
async fn online<'a>(app: &'a TestApp, ada: &Agent) -> (Socket, Visitor<'a>, Form, String) {
    let mut desk = Socket::desk(app, ada).await;
    let visitor = app.visitor().await;
    let (_, form) = visitor.open().await;
    let chat = desk.offered().await;
    desk.ask(1, json!({ "do": "accept", "chat": chat })).await;
    (desk, visitor, form, chat)
}

#[tokio::test]
async fn a_panel_that_has_lost_its_socket_is_there_as_long_as_it_asks() {
    let app = TestApp::init().with_conversation(TALK).start_only().await;
    let ada = add_agent(&app, 1, Role::Agent).await;
    let (mut desk, visitor, form, chat) = online(&app, &ada).await;
    let mut panel = Socket::panel(&visitor, 1).await;
    panel.until(|told| told.get("update").is_some()).await;
    drop(panel);
    until_kept(&app, &chat, |record| record.chat.gone_since.is_some()).await;
    let refresh = async || good(visitor.answer_with(&form, &[("do", "refresh")]).await).await;
    for _ in 0..3 {
        app.pass(seconds(59));
        refresh().await;
        app.ticking.tick().await.unwrap();
        assert!(!kept(&app, &chat).await.chat.is_over());
    }

    // What the agent does reaches the page, as it would by the socket.
    let say = json!({ "do": "say", "chat": chat, "message": visitor.id(), "text": "Are you there?" });
    assert_eq!(desk.ask(2, say).await["done"]["id"], 2);
    let shown = refresh().await;
    assert!(text(&shown["said"]).contains("Are you there?"), "{shown}");
    let told: Vec<_> = shown["events"].as_array().unwrap().iter().map(|event| text(&event["type"])).collect();
    assert!(told.ends_with(&["livechat.initiated".to_owned(), "message.received".to_owned()]), "{told:?}");

    app.pass(seconds(59));
    good(visitor.answer(&form, "Yes").await).await;
    app.pass(seconds(59));
    app.ticking.tick().await.unwrap();
    assert!(!kept(&app, &chat).await.chat.is_over());
    app.pass(seconds(1));
    app.ticking.tick().await.unwrap();
    assert_eq!(kept(&app, &chat).await.chat.phase, Phase::Ended(Ended::VisitorDropped), "silent for a minute");
    // Nor is what happened then lost.
    let shown = refresh().await;
    let last = shown["events"].as_array().unwrap().iter().rev().find(|event| event["type"] == "livechat.timeout");
    assert_eq!(last.unwrap()["data"]["reason"], "visitor_dropped");
}

#[tokio::test]
async fn who_waits_hears_that_the_queue_moves_on() {
    let app = TestApp::init().with_conversation(TALK).with_settings(|settings| settings.chat_limit = 1).start_only().await;
    let ada = add_agent(&app, 1, Role::Agent).await;
    let (mut desk, _holder, _, chat) = online(&app, &ada).await;
    let says = |told: &Value, ahead: usize| {
        told["update"]["card"].as_str().is_some_and(|card| card.contains(&format!("{ahead} before you")))
    };
    let mut waiting = Vec::new();
    for ahead in 0..3 {
        app.pass(seconds(1));
        let visitor = app.visitor().await;
        visitor.open().await;
        let mut panel = Socket::panel(&visitor, 1).await;
        panel.until(|told| says(told, ahead)).await;
        waiting.push((visitor, panel));
    }
    // The first gives up.
    let (visitor, panel) = &mut waiting[0];
    panel.say(&json!({ "end": visitor.id() })).await;
    waiting[1].1.until(|told| says(told, 0)).await;
    waiting[2].1.until(|told| says(told, 1)).await;
    // The second is asked for.
    desk.ask(2, json!({ "do": "end", "chat": chat })).await;
    app.ticking.tick().await.unwrap();
    waiting[2].1.until(|told| says(told, 0)).await;
    let asked = waiting[1].1.until(|told| told["update"]["card"].is_string()).await;
    assert!(!text(&asked["update"]["card"]).contains("before you"), "{asked}");
}

#[tokio::test]
async fn of_several_tabs_one_that_is_there_is_told() {
    let app = TestApp::init().with_conversation(TALK).start_only().await;
    let ada = add_agent(&app, 1, Role::Agent).await;
    let (mut desk, visitor, _, chat) = online(&app, &ada).await;
    let other = json!({ "site": "shop", "page": format!("{PAGE}/2"), "locale": "en-GB", "token": visitor.token });
    let other = text(&good(app.send("/widget/v1/start", &other).await).await["view"]);
    let views = [visitor.view.clone(), other];

    let mut first = Socket::panel(&visitor, 1).await;
    until_kept(&app, &chat, |record| record.connected).await;
    let mut second = Socket::panel_on(&visitor, &views[1], 1).await;
    until_kept(&app, &chat, |record| record.view.to_string() == views[1]).await;
    drop(second);
    until_kept(&app, &chat, |record| record.view.to_string() == views[0]).await;
    let record = kept(&app, &chat).await;
    assert!(record.connected && record.chat.gone_since.is_none(), "they have not gone");
    let heard = async |desk: &mut Socket, panel: &mut Socket, id: u32, words: &str| {
        desk.ask(id, json!({ "do": "say", "chat": chat, "message": visitor.id(), "text": words })).await;
        let told = panel.until(|told| told["update"]["said"].as_str().is_some_and(|said| said.contains(words))).await;
        let events: Vec<_> = told["update"]["events"].as_array().unwrap().iter().map(|event| text(&event["type"])).collect();
        assert_eq!(events.last().map(String::as_str), Some("message.received"), "{told}");
    };
    heard(&mut desk, &mut first, 2, "To the first").await;

    // The tab that is not told may go without anything changing.
    second = Socket::panel_on(&visitor, &views[1], 1).await;
    until_kept(&app, &chat, |record| record.view.to_string() == views[1]).await;
    drop(first);
    heard(&mut desk, &mut second, 3, "To the second").await;
    drop(second);
    until_kept(&app, &chat, |record| !record.connected).await;
}

#[tokio::test]
async fn typing_and_seen_have_a_limit_and_seen_goes_forward_only() {
    let app =
        TestApp::init().with_conversation(TALK).with_settings(|settings| settings.commands_per_minute = 10).start_only().await;
    let ada = add_agent(&app, 1, Role::Agent).await;
    let (mut desk, visitor, _, chat) = online(&app, &ada).await;
    let mut panel = Socket::panel(&visitor, 1).await;
    for number in 1..=20 {
        panel.say(&json!({ "seen": number })).await;
    }
    // Nothing is said about those that were too many.
    assert!(panel.rest().await.iter().all(|told| told.get("update").is_some()));
    let seen = kept(&app, &chat).await.seen_by_visitor;
    assert!((1..10).contains(&seen), "{seen}");
    app.pass(seconds(60));
    panel.say(&json!({ "seen": 20 })).await;
    desk.until(|told| told["seen"]["number"] == 20).await;
    panel.say(&json!({ "seen": 3 })).await;
    panel.say(&json!({ "typing": true })).await;
    let next = desk.until(|told| told.get("seen").is_some() || told.get("typing").is_some()).await;
    assert_eq!(next["typing"]["chat"], chat.as_str(), "what was seen before is not told again");
    assert_eq!(kept(&app, &chat).await.seen_by_visitor, 20);
}

#[tokio::test]
async fn a_switch_by_hand_holds_until_the_next_block() {
    let app = TestApp::init().with_conversation(TALK).start_only().await;
    let ada = add_agent(&app, 1, Role::Agent).await;
    let own = format!("http://{}", app.address);
    let hours = [("time_zone", "UTC"), ("hours", "monday 09:00-17:00\ntuesday 09:00-17:00")];
    let kept_hours = app.post("/console/availability").header("cookie", &ada.cookie).header("origin", own).form(&hours);
    assert_eq!(kept_hours.send().await.unwrap().status(), StatusCode::OK);
    let at = async |moment: &str| {
        app.pass(moment.parse::<Timestamp>().unwrap().duration_since(app.now()));
        stay(&app, &[&ada], 60).await;
        kept_agent(&app, &ada).await.is_available(app.now())
    };
    let switch = async |on: bool| {
        let done = ask_by_request(&app, &ada, json!({ "do": "available", "on": on })).await;
        assert_eq!(done["done"]["id"], 1, "{done}");
        kept_agent(&app, &ada).await.is_available(app.now())
    };
    // A Saturday.
    assert!(!at("2026-11-21T08:00:00Z").await);
    let (html, _) = app.visitor().await.open().await;
    assert!(html.contains("Nobody is there"));
    assert!(switch(true).await);
    let (html, _) = app.visitor().await.open().await;
    assert!(html.contains("One moment"), "switched on, they are asked out of their hours");
    // On Monday the hours begin and hold again, so that they end, too.
    assert!(at("2026-11-23T08:59:59Z").await && at("2026-11-23T09:00:00Z").await && at("2026-11-23T16:59:59Z").await);
    assert!(!at("2026-11-23T17:00:00Z").await);
}

#[tokio::test]
async fn switched_off_an_agent_is_back_with_their_next_block() {
    let app = TestApp::init().with_conversation(TALK).start_only().await;
    let ada = add_agent(&app, 1, Role::Agent).await;
    let own = format!("http://{}", app.address);
    let hours = [("time_zone", "UTC"), ("hours", "saturday 07:00-12:00\nsaturday 13:00-17:00")];
    app.post("/console/availability").header("cookie", &ada.cookie).header("origin", own).form(&hours).send().await.unwrap();
    let is_there = async || {
        stay(&app, &[&ada], 60).await;
        kept_agent(&app, &ada).await.is_available(app.now())
    };
    assert!(is_there().await);
    ask_by_request(&app, &ada, json!({ "do": "available", "on": false })).await;
    assert!(!is_there().await);
    app.pass(SignedDuration::from_mins(239));
    assert!(!is_there().await, "until the block ends");
    app.pass(SignedDuration::from_mins(61));
    assert!(is_there().await, "the next one is theirs again");
}

#[tokio::test]
async fn whose_console_has_gone_is_asked_for_a_grace_time_only() {
    let app = TestApp::init().with_conversation(TALK).start_only().await;
    let ada = add_agent(&app, 1, Role::Agent).await;
    Socket::desk(&app, &ada).await.leave().await;
    app.pass(seconds(44));
    let (html, _) = app.visitor().await.open().await;
    assert!(html.contains("One moment"), "they may only have gone to another page");
    app.pass(seconds(1));
    let (html, _) = app.visitor().await.open().await;
    assert!(html.contains("Nobody is there"), "{html}");
}

/// The limit is a minute of the real clock, so this is a part of the long run.
#[tokio::test]
async fn a_connection_that_answers_no_ping_is_let_go() {
    if std::env::var_os("PORCHLIGHT_TORTURE").is_none() {
        return;
    }
    let app = TestApp::init().with_conversation(TALK).start_only().await;
    let ada = add_agent(&app, 1, Role::Agent).await;
    let (mut desk, visitor, _, chat) = online(&app, &ada).await;
    let mut panel = Socket::panel(&visitor, 1).await;
    until_kept(&app, &chat, |record| record.connected).await;
    let mut lively = Socket::desk(&app, &ada).await;
    // Only what is read is answered: the other two are as if their cables were cut. A ping comes every 25 seconds.
    let still_there = tokio::time::timeout(Duration::from_secs(78), lively.closed()).await.is_err();
    assert!(still_there, "a connection that answers was closed");
    for silent in [&mut desk, &mut panel] {
        tokio::time::timeout(Duration::from_secs(5), silent.closed()).await.unwrap();
    }
    until_kept(&app, &chat, |record| record.chat.gone_since.is_some()).await;
}
