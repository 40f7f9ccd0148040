//! Live chat, from the visitor's form and an agent's console to the log.

use jiff::SignedDuration;
use porchlight_domain::{agent::Role, id::AgentId};
use porchlight_server::store::{AgentRow, Command, Failure, Tx};
use reqwest::StatusCode;
use serde_json::json;

use crate::{
    app::{TestApp, good, text},
    sides::{Agent, Socket, TALK, add_agent},
};

struct FindAgent(AgentId);

impl Command for FindAgent {
    type Done = AgentRow;
    type Refusal = ();

    async fn run(self, tx: &mut Tx<'_>) -> Result<AgentRow, Failure<()>> {
        Ok(tx.agent(self.0).await?.unwrap())
    }
}

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
    // Their consoles stay open: as their sockets would, this says that they are there.
    for seconds in [99, 1] {
        app.pass(SignedDuration::from_secs(seconds));
        stay(&app, &[&ada, &grace]).await;
        app.ticking.tick().await.unwrap();
    }
    let chat = two.offered().await;
    two.ask(1, json!({ "do": "decline", "chat": chat })).await;
    let shown = good(visitor.answer_with(&form, &[("do", "refresh")]).await).await;
    assert!(shown["said"].as_str().unwrap().contains("Nobody is there"), "{shown}");
    assert_eq!(kinds(&app, "livechat.").await, ["livechat.requested", "livechat.timeout"]);
    assert_eq!(kinds(&app, "fallback.").await, ["fallback.shown"]);
}

struct Stay(AgentId, jiff::Timestamp);

impl Command for Stay {
    type Done = ();
    type Refusal = ();

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<()>> {
        Ok(tx.set_present_until(self.0, self.1).await?)
    }
}

async fn stay(app: &TestApp, agents: &[&Agent]) {
    for agent in agents {
        app.store.commit(Stay(agent.id, app.now() + SignedDuration::from_secs(600))).await.unwrap();
    }
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
    let agent = app.store.look(FindAgent(ada.id)).await.unwrap();
    assert!(agent.serves(&"shop".parse().unwrap()) && !agent.serves(&"other".parse().unwrap()));
}
