//! What the API reads besides the log: each list walked page by page, each record by its id, and nothing beyond what a key is good for.

use jiff::{SignedDuration, Timestamp};
use porchlight_app::console::wire::Team;
use porchlight_domain::{
    agent::Role,
    id::{AgentId, SiteKey, uuid_v7},
};
use porchlight_server::{
    access::Scope,
    store::{Actor, AuditEntry, Command, Failure, Tx},
};
use serde_json::{Value, json};

use crate::{
    app::{CONVERSATION, TestApp, good, problem, text},
    callbacks,
    forms::{SURVEYED, surveyed},
    meetings::{MEET, MONDAY, add_met, book, by_link, for_days},
    sides::{Socket, TALK, add_agent, add_agent_of},
};

/// Another site.
pub(crate) const OTHER: &str = "key = \"other\"\ntitle = \"Other\"\norigins = [\"https://shop.example\"]\n";

async fn get(app: &TestApp, key: &str, path: &str) -> Value {
    good(app.get(&format!("/api/v1{path}")).bearer_auth(key).send().await.unwrap()).await
}

/// All of a list, which may have a query already. Read one by one it is the same as read at once.
async fn walk(app: &TestApp, key: &str, path: &str) -> Vec<Value> {
    let plural = path.split('?').next().unwrap().rsplit('/').next().unwrap();
    let ask = |more: String| {
        let join = if path.contains('?') { '&' } else { '?' };
        async move { get(app, key, &format!("{path}{join}{more}")).await }
    };
    let whole = ask("limit=1000".to_owned()).await;
    assert_eq!(whole["next"], Value::Null, "{whole}");
    let whole = whole[plural].as_array().unwrap().clone();
    let (mut read, mut after) = (Vec::new(), String::new());
    loop {
        let page = ask(format!("limit=1&after={after}")).await;
        read.extend(page[plural].as_array().unwrap().iter().cloned());
        assert!(read.len() <= whole.len(), "{path}: more than there are");
        match page["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(read, whole, "{path}");
    whole
}

/// Checks what is the same for every list and its records: the scope, the sites of a key, and that bad queries are named.
async fn guarded(app: &TestApp, list: &str, one: Option<&str>, scope: Scope) {
    let scoped = app.key(&format!("{list} scoped"), Some(&[scope]), None).await;
    let unscoped = app.key(&format!("{list} unscoped"), Some(&[Scope::SitesWrite]), None).await;
    let elsewhere = app.key(&format!("{list} elsewhere"), None, Some(&["other"])).await;
    let ask = |key: &str, path: String| app.get(&format!("/api/v1{path}")).bearer_auth(key).send();
    assert!(!walk(app, &scoped, list).await.is_empty());
    for path in [Some(list), one].into_iter().flatten() {
        problem(ask(&unscoped, path.to_owned()).await.unwrap(), 403, "forbidden").await;
        problem(app.get(&format!("/api/v1{path}")).send().await.unwrap(), 401, "bad_key").await;
    }
    if let Some(one) = one {
        assert!(get(app, &scoped, one).await.is_object());
        problem(ask(&elsewhere, one.to_owned()).await.unwrap(), 404, "not_found").await;
        let (records, _) = one.rsplit_once('/').unwrap();
        let none = uuid_v7(1, &[99; 10]);
        problem(ask(&scoped, format!("{records}/{none}")).await.unwrap(), 404, "not_found").await;
        problem(ask(&scoped, format!("{records}/x")).await.unwrap(), 400, "malformed").await;
    }
    problem(ask(&elsewhere, format!("{list}?site=shop")).await.unwrap(), 404, "unknown_site").await;
    for (query, field) in
        [("limit=0", "limit"), ("limit=1001", "limit"), ("after=%20x", "after"), ("site=a%20b", "site"), ("sort=x", "sort")]
    {
        let found = problem(ask(&scoped, format!("{list}?{query}")).await.unwrap(), 400, "malformed").await;
        assert_eq!(found["field"], field, "{list}?{query}: {found}");
    }
}

fn ids(list: &[Value]) -> Vec<String> {
    list.iter().map(|record| text(&record["id"])).collect()
}

#[tokio::test]
async fn an_event_is_read_by_its_id() {
    let app = TestApp::init().start().await;
    app.visitor().await.tell("widget.shown").await;
    for event in app.log().await {
        let id = text(&event["id"]);
        assert_eq!(get(&app, &app.key, &format!("/events/{id}")).await, event);
    }
    let elsewhere = app.key("elsewhere", None, Some(&["other"])).await;
    let id = text(&app.log().await[0]["id"]);
    for (key, id, status, code) in [
        (&elsewhere, id.as_str(), 404, "not_found"),
        (&app.key, &uuid_v7(1, &[9; 10]).to_string(), 404, "not_found"),
        (&app.key, "x", 400, "malformed"),
    ] {
        problem(app.get(&format!("/api/v1/events/{id}")).bearer_auth(key).send().await.unwrap(), status, code).await;
    }
    assert_eq!(get(&app, &elsewhere, "/events").await["events"], json!([]));
}

#[tokio::test]
async fn several_sites_are_read_as_one_log() {
    let app = TestApp::init().start().await;
    app.import(OTHER, &[CONVERSATION.to_owned()]).await;
    app.import(&OTHER.replace("other", "third"), &[CONVERSATION.to_owned()]).await;
    for site in ["other", "shop", "third", "other", "third", "shop"] {
        good(app.send("/widget/v1/start", &json!({ "site": site, "page": "https://shop.example/" })).await).await;
    }
    let both = app.key("both", None, Some(&["other", "third"])).await;
    let sites =
        |page: &Value| -> Vec<String> { page["events"].as_array().unwrap().iter().map(|event| text(&event["site"])).collect() };
    assert_eq!(sites(&get(&app, &both, "/events").await), ["other", "third", "other", "third"]);
    assert_eq!(sites(&get(&app, &both, "/events?limit=3").await), ["other", "third", "other"]);
    assert_eq!(sites(&get(&app, &both, "/events?type=widget.loaded,widget.shown&site=third").await), ["third", "third"]);
    assert_eq!(sites(&get(&app, &app.key, "/events?site=shop,other").await), ["other", "shop", "other", "shop"]);
}

#[tokio::test]
async fn visitors_and_their_sessions_are_listed() {
    let app = TestApp::init().start().await;
    let mut known = Vec::new();
    for _ in 0..3 {
        let visitor = app.visitor().await;
        known.push((text(&visitor.begun["visitor"]), text(&visitor.begun["session"])));
        app.pass(SignedDuration::from_mins(1));
    }
    let ada = app.visitor().await;
    let (_, form) = ada.open().await;
    let (_, form) = ada.go_on(&form, "price").await;
    ada.go_on(&form, "ada@example.com").await;
    known.push((text(&ada.begun["visitor"]), text(&ada.begun["session"])));

    let visitors = walk(&app, &app.key, "/visitors").await;
    assert_eq!(ids(&visitors), known.iter().map(|(visitor, _)| visitor.clone()).collect::<Vec<_>>(), "the oldest first");
    assert_eq!(ids(&walk(&app, &app.key, "/visitors?site=shop").await), ids(&visitors));
    let found = walk(&app, &app.key, "/visitors?site=shop&email=ada@example.com").await;
    assert_eq!(found, [visitors[3].clone()]);
    assert_eq!(found[0]["attributes"], json!({ "email": "ada@example.com", "topic": "price" }));
    assert_eq!((&found[0]["identified"], &found[0]["identity"]), (&json!(false), &Value::Null));
    assert_eq!(found[0]["sessions"][0]["id"], known[3].1);
    assert_eq!(walk(&app, &app.key, "/visitors?identity=u1").await, [] as [Value; 0]);
    assert_eq!(
        ids(&walk(&app, &app.key, "/visitors?from=2026-11-21T08:01:00Z&to=2026-11-21T08:02:00Z").await),
        [known[1].0.clone()]
    );
    assert_eq!(get(&app, &app.key, &format!("/visitors/{}", known[3].0)).await, found[0]);
    guarded(&app, "/visitors", Some(&format!("/visitors/{}", known[0].0)), Scope::VisitorsRead).await;
    let bad = app.get("/api/v1/visitors?email=ada").bearer_auth(&app.key).send().await.unwrap();
    assert_eq!(problem(bad, 400, "malformed").await["field"], "email");

    let sessions = walk(&app, &app.key, "/sessions").await;
    assert_eq!(ids(&sessions), known.iter().map(|(_, session)| session.clone()).collect::<Vec<_>>());
    assert_eq!(sessions[0]["startedAt"], "2026-11-21T08:00:00.000Z");
    assert_eq!(sessions[3]["events"], app.log().await.iter().filter(|event| event["session"] == known[3].1).count());
    assert_eq!(ids(&walk(&app, &app.key, &format!("/sessions?visitor={}&site=shop", known[1].0)).await), [known[1].1.clone()]);
    assert_eq!(walk(&app, &app.key, "/sessions?from=2026-11-21T08:02:00Z").await.len(), 2);
    guarded(&app, "/sessions", Some(&format!("/sessions/{}", known[0].1)), Scope::VisitorsRead).await;
}

#[tokio::test]
async fn what_was_said_in_live_chats_is_read() {
    let app = TestApp::init().with_conversation(TALK).start_only().await;
    let ada = add_agent(&app, 1, Role::Agent).await;
    let mut desk = Socket::desk(&app, &ada).await;
    let mut chats = Vec::new();
    for number in 0..3 {
        app.pass(SignedDuration::from_secs(1));
        let visitor = app.visitor().await;
        let (_, form) = visitor.open().await;
        let chat = desk.offered().await;
        desk.ask(number * 10 + 1, json!({ "do": "accept", "chat": chat })).await;
        good(visitor.answer(&form, "Hello *you*").await).await;
        let upload = app.post(&format!("/console/api/chats/{chat}/files?message={}&name=plan.txt", visitor.id()));
        good(upload.header("cookie", &ada.cookie).body("Hello").send().await.unwrap()).await;
        if number < 2 {
            desk.ask(number * 10 + 2, json!({ "do": "end", "chat": chat })).await;
        }
        chats.push((chat, text(&visitor.begun["visitor"])));
    }
    let listed = walk(&app, &app.key, "/transcripts").await;
    let names = |list: &[Value]| -> Vec<String> { list.iter().map(|record| text(&record["chat"])).collect() };
    assert_eq!(names(&listed), chats.iter().map(|(chat, _)| chat.clone()).collect::<Vec<_>>());
    assert!(listed[0].get("lines").is_none() && listed[0]["agent"] == json!(ada.id) && listed[0]["ended"] == "agent");
    assert_eq!(names(&walk(&app, &app.key, "/transcripts?state=online&site=shop").await), [chats[2].0.clone()]);
    assert_eq!(walk(&app, &app.key, "/transcripts?state=ended").await.len(), 2);
    assert_eq!(walk(&app, &app.key, "/transcripts?state=waiting").await.len(), 0);
    assert_eq!(walk(&app, &app.key, &format!("/transcripts?agent={}", ada.id)).await.len(), 3);
    let (chat, visitor) = &chats[0];
    let whole = get(&app, &app.key, &format!("/transcripts/{chat}")).await;
    let said: Vec<_> = whole["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (text(&line["author"]), text(&line["format"]), line["text"].clone(), line["attachment"].clone()))
        .collect();
    let line = |author: &str, format: &str, text: Value, file: Value| (author.to_owned(), format.to_owned(), text, file);
    let expected = [
        line("bot", "text", json!("One moment"), Value::Null),
        line("bot", "notice", json!("joined"), Value::Null),
        line("visitor", "text", json!("Hello *you*"), Value::Null),
        line("agent", "file", Value::Null, json!("plan.txt")),
        line("bot", "notice", json!("ended_by_agent"), Value::Null),
        line("bot", "text", json!("Goodbye"), Value::Null),
    ];
    assert_eq!(said, expected);
    assert_eq!(whole["lines"][3]["agent"], json!({ "id": ada.id, "name": "Agent 1" }));
    assert!(!whole.to_string().contains("/plan.txt"), "the id of a file opens it, and is nobody else's");
    assert_eq!(walk(&app, &app.key, &format!("/visitors/{visitor}/transcripts")).await, [whole]);
    guarded(&app, "/transcripts", Some(&format!("/transcripts/{chat}")), Scope::VisitorsRead).await;
    let elsewhere = app.key("elsewhere", None, Some(&["other"])).await;
    let of_visitor = app.get(&format!("/api/v1/visitors/{visitor}/transcripts"));
    problem(of_visitor.bearer_auth(&elsewhere).send().await.unwrap(), 404, "not_found").await;
}

#[tokio::test]
async fn who_is_only_asked_does_not_hold_a_chat() {
    let app = TestApp::init().with_conversation(TALK).start_only().await;
    let ada = add_agent(&app, 1, Role::Agent).await;
    let mut desk = Socket::desk(&app, &ada).await;
    let visitor = app.visitor().await;
    visitor.open().await;
    let chat = desk.offered().await;
    let of_ada = format!("/transcripts?agent={}", ada.id);
    let shown = get(&app, &app.key, &format!("/transcripts/{chat}")).await;
    assert_eq!((&shown["state"], &shown["agent"], &shown["acceptedAt"]), (&json!("waiting"), &Value::Null, &Value::Null));
    assert_eq!(walk(&app, &app.key, &of_ada).await, [] as [Value; 0]);
    // There is nobody else to be asked, and it ends.
    desk.ask(1, json!({ "do": "decline", "chat": chat })).await;
    let shown = get(&app, &app.key, &format!("/transcripts/{chat}")).await;
    assert_eq!((&shown["state"], &shown["agent"], &shown["acceptedAt"]), (&json!("ended"), &Value::Null, &Value::Null));
    assert_eq!(walk(&app, &app.key, &of_ada).await, [] as [Value; 0]);
}

#[tokio::test]
async fn meetings_are_listed_once_they_are_booked() {
    let app = for_days().with_conversation(MEET).start_only().await;
    let ada = add_met(&app, 1, MONDAY).await;
    let mut booked = Vec::new();
    for time in ["2026-11-23T09:00:00Z", "2026-11-23T08:00:00Z", "2026-11-23T08:30:00Z"] {
        booked.push(book(&app, time, "ada@example.com").await);
        app.pass(SignedDuration::from_secs(1));
    }
    by_link(&app, &booked[1].path, &[("do", "cancel")]).await;
    let listed = walk(&app, &app.key, "/meetings").await;
    assert_eq!(
        ids(&listed),
        booked.iter().map(|booked| booked.id.clone()).collect::<Vec<_>>(),
        "in the order in which they were made"
    );
    let one = get(&app, &app.key, &format!("/meetings/{}", booked[1].id)).await;
    assert_eq!(one, listed[1]);
    assert_eq!(
        (&one["state"], &one["cancelledBy"], &one["start"]),
        (&json!("cancelled"), &json!("guest"), &json!("2026-11-23T08:00:00.000Z"))
    );
    assert_eq!(one["guest"], json!({ "name": "Ada Lovelace", "email": "ada@example.com" }));
    assert_eq!(
        (&listed[0]["agent"], &listed[0]["title"], &listed[0]["changes"]),
        (&json!(ada.id), &json!("A first talk"), &json!(0))
    );
    assert_eq!(ids(&walk(&app, &app.key, "/meetings?state=cancelled&site=shop").await), [booked[1].id.clone()]);
    assert_eq!(walk(&app, &app.key, &format!("/meetings?state=booked&agent={}", ada.id)).await.len(), 2);
    assert_eq!(
        ids(&walk(&app, &app.key, "/meetings?from=2026-11-23T08:30:00Z&to=2026-11-23T09:00:00Z").await),
        [booked[2].id.clone()]
    );
    guarded(&app, "/meetings", Some(&format!("/meetings/{}", booked[0].id)), Scope::MeetingsRead).await;
    let bad = app.get("/api/v1/meetings?state=held").bearer_auth(&app.key).send().await.unwrap();
    assert_eq!(problem(bad, 400, "malformed").await["field"], "state");
}

#[tokio::test]
async fn call_backs_are_listed_with_what_came_of_them() {
    let app = callbacks::serve(callbacks::SITE, callbacks::NOW).await;
    let ada = add_agent(&app, 1, Role::Agent).await;
    let mut known = Vec::new();
    for _ in 0..3 {
        known.push(callbacks::asked(&app).await);
        app.pass(SignedDuration::from_secs(1));
    }
    callbacks::act(&app, &ada, &known[0], &[("do", "claim")]).await;
    callbacks::act(&app, &ada, &known[1], &[("do", "claim")]).await;
    callbacks::act(&app, &ada, &known[1], &[("do", "reached")]).await;
    let listed = walk(&app, &app.key, "/callbacks").await;
    assert_eq!(ids(&listed), known);
    let states: Vec<_> = listed.iter().map(|callback| text(&callback["state"])).collect();
    assert_eq!(states[0], "claimed");
    assert_eq!(states[2], "waiting");
    assert_eq!((&listed[0]["phone"], &listed[0]["kind"]), (&json!("+4930901820"), &json!("CallbackNow")));
    assert_eq!((&listed[0]["agent"], &listed[2]["agent"], &listed[2]["outcome"]), (&json!(ada.id), &Value::Null, &Value::Null));
    assert_eq!(ids(&walk(&app, &app.key, "/callbacks?state=waiting&site=shop").await), [known[2].clone()]);
    assert_eq!(
        ids(&walk(&app, &app.key, "/callbacks?from=2026-11-21T08:00:01Z&to=2026-11-21T08:00:02Z").await),
        [known[1].clone()]
    );
    assert_eq!(get(&app, &app.key, &format!("/callbacks/{}", known[1])).await, listed[1]);
    guarded(&app, "/callbacks", Some(&format!("/callbacks/{}", known[0])), Scope::CallbacksRead).await;
}

#[tokio::test]
async fn surveys_are_listed_with_what_was_given() {
    let app = for_days().with_conversation(SURVEYED).start_only().await;
    let (ada, grace) = (add_agent(&app, 1, Role::Agent).await, add_agent(&app, 2, Role::Agent).await);
    let mut chats = Vec::new();
    for (agent, rating) in [(&ada, "5"), (&grace, "1"), (&ada, "3")] {
        chats.push(surveyed(&app, agent, &[("f.rating", rating)]).await);
        app.pass(SignedDuration::from_secs(1));
    }
    let listed = walk(&app, &app.key, "/surveys").await;
    let of: Vec<_> = listed.iter().map(|survey| text(&survey["chat"])).collect();
    assert_eq!(of, chats, "the forms before the chats are none");
    assert_eq!(listed[1]["answers"][0], json!({ "field": "rating", "value": "1" }));
    assert_eq!((&listed[1]["agent"], &listed[1]["card"], &listed[1]["version"]), (&json!(grace.id), &json!("after"), &json!(1)));
    assert_eq!(walk(&app, &app.key, &format!("/surveys?agent={}&site=shop", ada.id)).await.len(), 2);
    let first = text(&listed[0]["id"]);
    assert_eq!(get(&app, &app.key, &format!("/surveys/{first}")).await, listed[0]);
    guarded(&app, "/surveys", Some(&format!("/surveys/{first}")), Scope::SurveysRead).await;
}

struct AddTeam(Team, Vec<AgentId>);

impl Command for AddTeam {
    type Done = ();
    type Refusal = ();

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<()>> {
        Ok(tx.put_team(&self.0, &self.1).await?)
    }
}

#[tokio::test]
async fn agents_and_teams_are_listed_without_secrets() {
    let app = for_days().start().await;
    app.import(OTHER, &[CONVERSATION.to_owned()]).await;
    let ada = add_met(&app, 1, MONDAY).await;
    let elsewhere = add_agent_of(&app, 2, Role::Author, "other").await;
    let admin = add_agent(&app, 3, Role::Administrator).await;
    let listed = walk(&app, &app.key, "/agents").await;
    assert_eq!(ids(&listed), [ada.id, elsewhere.id, admin.id].map(|id| id.to_string()));
    assert_eq!((&listed[0]["email"], &listed[0]["joined"]), (&json!("agent1@example.com"), &json!(true)));
    assert_eq!((&listed[0]["sites"], &listed[2]["sites"]), (&json!(["shop"]), &Value::Null), "an administrator works for all");
    assert!(!json!(listed).to_string().contains("none that anybody knows"), "no password, not even its hash");
    assert_eq!(ids(&walk(&app, &app.key, "/agents?site=other").await), [elsewhere.id, admin.id].map(|id| id.to_string()));
    let limited = app.key("limited", None, Some(&["other"])).await;
    assert_eq!(walk(&app, &limited, "/agents").await.len(), 2);
    guarded(&app, "/agents", Some(&format!("/agents/{}", ada.id)), Scope::AgentsRead).await;

    for (site, id, members) in
        [("shop", "sales", vec![ada.id, admin.id]), ("other", "help", vec![elsewhere.id]), ("shop", "care", vec![])]
    {
        let team = Team { site: site.parse().unwrap(), id: id.parse().unwrap(), name: id.to_uppercase() };
        app.store.commit(AddTeam(team, members)).await.unwrap();
    }
    let teams = walk(&app, &app.key, "/teams").await;
    assert_eq!(ids(&teams), ["help", "care", "sales"], "by site and key");
    assert_eq!(teams[2], json!({ "site": "shop", "id": "sales", "name": "SALES", "members": [ada.id, admin.id] }));
    assert_eq!(ids(&walk(&app, &app.key, "/teams?site=shop").await), ["care", "sales"]);
    assert_eq!(ids(&walk(&app, &limited, "/teams").await), ["help"]);
    guarded(&app, "/teams", None, Scope::AgentsRead).await;
}

struct Audited(Vec<(Option<&'static str>, &'static str)>, Timestamp);

impl Command for Audited {
    type Done = ();
    type Refusal = ();

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<()>> {
        for (site, subject) in self.0 {
            let site: Option<SiteKey> = site.map(|site| site.parse().unwrap());
            let entry = AuditEntry {
                actor: &Actor::Key("test".to_owned()),
                action: "test.done",
                site: site.as_ref(),
                subject,
                detail: json!({ "count": 1 }),
                at: self.1,
            };
            tx.audit(entry).await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn the_audit_log_is_read_the_newest_first() {
    let app = TestApp::init().start().await;
    let done =
        vec![(Some("shop"), "one"), (Some("other"), "two"), (None, "three"), (Some("third"), "two"), (Some("shop"), "five")];
    app.store.commit(Audited(done, app.now())).await.unwrap();
    let subjects = |list: &[Value]| -> Vec<String> { list.iter().map(|entry| text(&entry["subject"])).collect() };
    // What the set-up of the test did comes before.
    let mut listed = walk(&app, &app.key, "/audit").await;
    listed.truncate(5);
    assert_eq!(subjects(&listed), ["five", "two", "three", "two", "one"]);
    let first = listed[0].clone();
    assert_eq!(
        (&first["action"], &first["site"], &first["time"]),
        (&json!("test.done"), &json!("shop"), &json!("2026-11-21T08:00:00.000Z"))
    );
    assert_eq!((&first["actor"], &first["detail"]), (&json!({ "kind": "key", "id": "test" }), &json!({ "count": 1 })));
    assert_eq!(subjects(&walk(&app, &app.key, "/audit?site=shop&subject=one").await), ["one"]);
    assert_eq!(subjects(&walk(&app, &app.key, "/audit?subject=two").await), ["two", "two"]);
    let limited = app.key("limited", None, Some(&["other", "third"])).await;
    assert_eq!(subjects(&walk(&app, &limited, "/audit").await), ["two", "two"], "of its sites only");
    guarded(&app, "/audit", None, Scope::AuditRead).await;
}
