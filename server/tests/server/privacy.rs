//! Privacy: what is known of a visitor is found in an export and, once they are erased, nowhere; what is too old goes; some addresses are not taken.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use data_encoding::{BASE64, BASE64_NOPAD};
use jiff::{SignedDuration, Timestamp};
use porchlight_domain::{agent::Role, id::VisitorId};
use porchlight_server::{
    access::{ApiKey, Scope},
    secret::Secret,
    store::{Actor, AuditEntry, AuditFilter, AuditRecord, Command, Failure, Tx},
};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
};

use crate::{
    app::{Builder, CONVERSATION, Form, ORIGIN, PAGE, TestApp, Visitor, filled, form_of, good, problem, text},
    attachments,
    hook::Hook,
    identify::{hash, identify},
    kill::once,
    meetings::{FIRST, MEET, MONDAY, add_met, book, console, console_page, for_days, form_in, hold, meets, read, until},
    sides::{Socket, TALK, add_agent, kept_agent},
};

const SITE: &str = "key = \"shop\"\ntitle = \"Shop\"\norigins = [\"https://shop.example\", \"loopback\"]\ncountry = \"DE\"\n";

/// Every way in which a visitor can say something.
const ALL_WAYS: &str = r#"{ "id": "welcome", "name": "Welcome", "cards": [
    { "id": "name", "card": "capture", "field": "name", "text": "Your name?" },
    { "id": "mail", "card": "capture", "field": "email", "text": "Your address?" },
    { "id": "phone", "card": "capture", "field": "phone", "text": "Your number?" },
    { "id": "company", "card": "capture", "field": "company", "text": "Your company?" },
    { "id": "words", "card": "capture", "field": "text", "attribute": "wish", "text": "Your wish?" },
    { "id": "number", "card": "capture", "field": "number", "attribute": "number", "text": "How many?" },
    { "id": "day", "card": "capture", "field": "date", "attribute": "born", "text": "Born when?" },
    { "id": "form", "card": "form", "text": "More?", "fields": [
        { "name": "order", "field": "text", "label": "Order" },
        { "name": "more", "field": "textArea", "label": "More" } ] },
    { "id": "agent", "card": "liveChat", "text": "One moment", "fallbackText": "Nobody is there" },
    { "id": "survey", "card": "form", "purpose": "survey", "text": "How was it?", "fields": [
        { "name": "rating", "field": "stars", "label": "All in all", "mandatory": true },
        { "name": "words", "field": "textArea", "label": "In your words" } ] },
    { "id": "meet", "card": "meeting", "text": "When?", "title": "A first talk", "fallbackText": "No time" },
    { "id": "call", "card": "callback", "text": "Which number?", "within": 20, "fallbackText": "Closed" },
    { "id": "end", "card": "end", "text": "Goodbye" }
] }"#;

/// What is planted, each in another place.
const CANARY_PAGE: &str = "https://shop.example/bikes?coupon=canary-page-1f0a";
const CANARY_OTHER_PAGE: &str = "https://shop.example/other?canary-other-1f0b";
const CANARIES: [&str; 31] = [
    "canary-page-1f0a",
    "canary-other-1f0b",
    "canary-referrer-1f0c",
    "canary-identity-1f0d",
    "Canary-Known-1F0E",
    "canary-known-1f0f@example.com",
    "Canary-Full-1f10",
    "canary-mail-1f11@example.com",
    "4930901820",
    "Canary-Company-1f12",
    "canary-text-1f13",
    "1234567.1314",
    "1977-03-19",
    "canary-form-1f15",
    "canary-area-1f16",
    "canary-message-1f17",
    "canary-file-1f18",
    "canary-content-1f19",
    "canary-agent-1f1a",
    "canary-note-1f1b",
    "canary-tag-1f1c",
    "canary-transcript-1f1d@example.com",
    "canary-outbox-1f1e@example.com",
    "canary-survey-1f1f",
    "Canary-Guest-1f20",
    "canary-guest-1f21@example.com",
    "4930901821",
    "canary-called-1f22",
    "canary-idempotent-1f23",
    "canary-oldletter-1f24",
    "canary-letters-1f25",
];
/// Those of which only the server itself knows that they are about the visitor: an export does not tell them.
const NOT_TOLD: [&str; 3] = ["canary-idempotent-1f23", "canary-oldletter-1f24", "canary-letters-1f25"];
/// What is not kept at all.
const USER_AGENT: &str = "Mozilla/5.0 canary-browser-1f26";

/// Bytes as characters, in lower case: so that a text can be looked for among them.
fn readable(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(byte.to_ascii_lowercase())).collect()
}

/// The ways in which a text may stand in a file.
fn forms(canary: &str) -> Vec<String> {
    let wide = |bytes: fn(u16) -> [u8; 2]| readable(&canary.encode_utf16().flat_map(bytes).collect::<Vec<_>>());
    let mut forms = vec![readable(canary.as_bytes()), wide(u16::to_le_bytes), wide(u16::to_be_bytes)];
    for (shift, begins) in [(0, 0), (1, 2), (2, 3)] {
        // Wherever it begins within three bytes; what it shares with its neighbours is left out.
        let bytes = [vec![0; shift], canary.as_bytes().to_vec()].concat();
        let packed = BASE64_NOPAD.encode(&bytes);
        let ends = packed.len() - usize::from(bytes.len() % 3 != 0);
        forms.push(readable(&packed.as_bytes()[begins..ends]));
    }
    forms
}

/// All files in a folder, and in those within it.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let content = fs::read(&path).unwrap();
            found.push((path, content));
        }
    }
    found
}

/// Where each canary is found: in which files.
fn found(folders: &[&Path]) -> BTreeMap<&'static str, Vec<PathBuf>> {
    let files: Vec<(PathBuf, String)> =
        folders.iter().flat_map(|folder| files(folder)).map(|(path, content)| (path, readable(&content))).collect();
    let places = |canary: &str| {
        let forms = forms(canary);
        let holds = |content: &String| forms.iter().any(|form| content.contains(form.as_str()));
        files.iter().filter(|(_, content)| holds(content)).map(|(path, _)| path.clone()).collect::<Vec<_>>()
    };
    CANARIES.into_iter().map(|canary| (canary, places(canary))).filter(|(_, places)| !places.is_empty()).collect()
}

#[test]
fn a_text_is_found_however_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let wide: Vec<u8> = "Canary-Name".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (shift, content) in [
        (0, b"xx CANARY-page-1F0A xx".to_vec()),
        (0, "canary-page-1f0a".encode_utf16().flat_map(u16::to_be_bytes).collect()),
        (0, BASE64.encode(b"canary-page-1f0a").into_bytes()),
        (1, BASE64.encode(b"xcanary-page-1f0ay").into_bytes()),
        (2, BASE64.encode(b"xycanary-page-1f0a").into_bytes()),
    ] {
        fs::write(folder.path().join("file"), &content).unwrap();
        assert!(found(&[folder.path()]).contains_key("canary-page-1f0a"), "{shift}: {content:?}");
    }
    fs::write(folder.path().join("file"), wide).unwrap();
    assert!(found(&[folder.path()]).is_empty());
}

async fn database(app: &TestApp) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(app.folder.path().join("porchlight.db"));
    SqliteConnection::connect_with(&options).await.unwrap()
}

/// How many rows there are.
async fn count(app: &TestApp, query: &'static str) -> i64 {
    let mut database = database(app).await;
    let count = sqlx::query_scalar(query).fetch_one(&mut database).await.unwrap();
    database.close().await.unwrap();
    count
}

struct Audited;

impl Command for Audited {
    type Done = Vec<AuditRecord>;
    type Refusal = ();

    async fn run(self, tx: &mut Tx<'_>) -> Result<Vec<AuditRecord>, Failure<()>> {
        Ok(tx.audited(&AuditFilter { limit: 1000, ..AuditFilter::default() }).await?)
    }
}

/// What the audit log says of an action, the newest first.
async fn audited(app: &TestApp, action: &str) -> Vec<AuditRecord> {
    let all = app.store.look(Audited).await.unwrap();
    all.into_iter().filter(|record| record.action == action).collect()
}

async fn erase(app: &TestApp, key: &str, visitor: &str) -> Response {
    let address = format!("http://{}/api/v1/visitors/{visitor}", app.address);
    Client::new().delete(address).bearer_auth(key).send().await.unwrap()
}

async fn export(app: &TestApp, key: &str, visitor: &str) -> Response {
    app.get(&format!("/api/v1/visitors/{visitor}/export")).bearer_auth(key).send().await.unwrap()
}

fn with_mail(folder: &Path) -> Builder {
    let folder = folder.display().to_string();
    for_days().with_site(SITE).with_settings(|settings| {
        settings.mail_dir = folder;
        settings.mail_from = "Shop <chat@shop.example>".to_owned();
        settings.starts_per_minute = 100_000;
        settings.commands_per_minute = 100_000;
    })
}

/// A form that is sent for the first time.
fn anew(visitor: &Visitor<'_>, form: &Form) -> Form {
    filled(form, &[("id", &visitor.id())])
}

/// Answers, and gives the form of the next card.
async fn next(visitor: &Visitor<'_>, form: &Form, given: &[(&str, &str)]) -> Form {
    form_in(&text(&good(visitor.answer_with(form, given).await).await["card"]), "UTC")
}

#[tokio::test]
async fn of_a_visitor_who_is_erased_nothing_is_found_anywhere() {
    let mail = tempfile::tempdir().unwrap();
    let app = with_mail(mail.path()).with_conversation(ALL_WAYS).start_only().await;
    let folders = [app.folder.path(), mail.path()];
    let agent = add_met(&app, 1, MONDAY).await;
    let mut desk = Socket::desk(&app, &agent).await;
    // Others, before and after, so that the database has more than a few pages.
    for _ in 0..150 {
        app.visitor().await;
    }

    let starts = json!({
        "site": "shop", "page": CANARY_PAGE, "locale": "en-GB", "referrer": "https://search.example/?q=canary-referrer-1f0c",
    });
    let visitor = app.visitor_who(&starts).await;
    let (token, id) = (visitor.token.clone(), text(&visitor.begun["visitor"]));
    let again = json!({ "site": "shop", "page": CANARY_PAGE, "locale": "en-GB", "token": token });
    let request = app.post("/widget/v1/start").header("origin", ORIGIN).header("user-agent", USER_AGENT);
    assert_eq!(good(request.body(again.to_string()).send().await.unwrap()).await["visitor"], id.as_str());

    let opening = filled(&visitor.opening(), &[("page", CANARY_PAGE), ("zone", "UTC")]);
    let (status, html) = read(app.post("/widget/panel").header("origin", ORIGIN).form(&opening).send().await.unwrap()).await;
    assert_eq!(status, 200, "{html}");
    let mut form = form_in(&html, "UTC");
    for given in [
        &[("value", "Canary-Full-1f10 Person")][..],
        &[("value", "canary-mail-1f11@example.com")],
        &[("value", "030 901820"), ("country", "DE")],
        &[("value", "Canary-Company-1f12")],
        &[("value", "canary-text-1f13")],
        &[("value", "1234567.1314")],
        &[("value", "1977-03-19")],
        &[("f.order", "canary-form-1f15"), ("f.more", "canary-area-1f16")],
    ] {
        form = next(&visitor, &form, given).await;
    }
    let chat = desk.offered().await;
    desk.ask(1, json!({ "do": "accept", "chat": chat })).await;
    good(visitor.answer(&form, "canary-message-1f17").await).await;
    let content: &[u8] = b"canary-content-1f19, and what else is in the file";
    good(attachments::send(&visitor, &anew(&visitor, &form), ("canary-file-1f18.txt", content)).await).await;
    desk.ask(2, json!({ "do": "say", "chat": chat, "message": visitor.id(), "text": "canary-agent-1f1a" })).await;
    let of_chat = |what: &str| format!("http://{}/console/api/chats/{chat}/{what}", app.address);
    let client = Client::new();
    let note = client.post(of_chat("notes")).header("cookie", &agent.cookie);
    assert!(note.body(json!({ "text": "canary-note-1f1b" }).to_string()).send().await.unwrap().status().is_success());
    let tags = client.put(of_chat("tags")).header("cookie", &agent.cookie);
    assert!(tags.body(json!({ "tags": ["canary-tag-1f1c"] }).to_string()).send().await.unwrap().status().is_success());
    let to = [("do", "transcript"), ("email", "canary-transcript-1f1d@example.com")];
    good(visitor.answer_with(&anew(&visitor, &form), &to).await).await;
    form = next(&visitor, &anew(&visitor, &form), &[("do", "end")]).await;
    form = next(&visitor, &form, &[("f.rating", "5"), ("f.words", "canary-survey-1f1f")]).await;
    form = hold(&visitor, &form, FIRST).await;
    let guest = [("guest_name", "Canary-Guest-1f20"), ("guest_email", "canary-guest-1f21@example.com")];
    form = next(&visitor, &form, &guest).await;
    next(&visitor, &form, &[("value", "030 901821"), ("country", "DE")]).await;
    let log = app.log().await;
    let call = text(&log.iter().find(|event| event["type"] == "callback.requested").unwrap()["data"]["callback"]);
    for act in [&[("do", "claim")][..], &[("do", "reached"), ("note", "canary-called-1f22")]] {
        assert_eq!(console(&app, &agent, &format!("/console/callbacks/{call}"), act).await.status(), 200);
    }
    // Some letters have left, others have not.
    app.postman.as_ref().unwrap().deliver().await.unwrap();
    assert_eq!(files(mail.path()).len(), 3, "a transcript, and the meeting for both");
    let letter = client.post(of_chat("transcript")).header("cookie", &agent.cookie);
    assert_eq!(letter.body(json!({ "to": "canary-outbox-1f1e@example.com" }).to_string()).send().await.unwrap().status(), 202);

    let of_site = json!({
        "id": "canary-identity-1f0d", "email": "canary-known-1f0f@example.com", "name": "Canary-Known-1F0E",
        "hash": hash(&app, "canary-identity-1f0d").await,
    });
    good(identify(&app, &visitor.token, &visitor.view, &of_site).await).await;
    // Another browser, of which the site says that it is the same person.
    let other = app.visitor_who(&json!({ "site": "shop", "page": CANARY_OTHER_PAGE, "locale": "en-GB" })).await;
    let part = text(&other.begun["visitor"]);
    assert_eq!(good(identify(&app, &other.token, &other.view, &of_site).await).await["visitor"], id.as_str());

    // What other parts of the server keep: an answer to a program, and letters of before it was kept whom they are about.
    let mut database = database(&app).await;
    let answer = json!({ "visitor": id, "email": "canary-idempotent-1f23" }).to_string();
    sqlx::query("insert into idempotency (key_id, token, request, answer, made_at) values ('key', 'token', x'00', $1, 0)")
        .bind(answer)
        .execute(&mut database)
        .await
        .unwrap();
    for (letter, recipient, body) in [
        ("old-1", "canary-guest-1f21@example.com", "canary-oldletter-1f24"),
        ("old-2", "agent1@example.com", "canary-letters-1f25 <canary-guest-1f21@example.com>"),
        ("kept", "agent1@example.com", "about somebody else <other@example.com>"),
    ] {
        sqlx::query(
            "insert into mail (id, purpose, recipient, subject, body, made_at) values ($1, 'meeting', $2, 'Booked', $3, 0)",
        )
        .bind(letter)
        .bind(recipient)
        .bind(body)
        .execute(&mut database)
        .await
        .unwrap();
    }
    database.close().await.unwrap();
    for _ in 0..150 {
        app.visitor().await;
    }

    // All of it is there, and all of it is told: else the rest would prove nothing.
    let places = found(&folders);
    let missing: Vec<_> = CANARIES.iter().filter(|canary| !places.contains_key(*canary)).collect();
    assert!(missing.is_empty(), "not planted: {missing:?}");
    let exported = good(export(&app, &app.key, &part).await).await;
    let told = readable(exported.to_string().as_bytes());
    for canary in CANARIES.iter().filter(|canary| !NOT_TOLD.contains(canary)) {
        assert!(forms(canary).iter().any(|form| told.contains(form.as_str())), "{canary} is not exported");
    }
    let file = &exported["chats"][0]["attachments"][0];
    assert_eq!(BASE64.decode(text(&file["content"]).as_bytes()).unwrap(), content);
    assert_eq!((&exported["visitor"], &exported["visitors"], &exported["browsers"]), (&json!(id), &json!([id, part]), &json!(2)));
    assert_eq!(exported["sessions"].as_array().unwrap().len(), 2);
    let token_hash = readable(&token.parse::<Secret>().unwrap().hash());
    let has_token =
        || folders.iter().flat_map(|folder| files(folder)).any(|(_, content)| readable(&content).contains(&token_hash));
    assert!(has_token());

    let before = app.log().await;
    let sessions: BTreeSet<String> = before
        .iter()
        .filter(|event| [&id, &part].iter().any(|visitor| event["visitor"] == visitor.as_str()))
        .map(|event| text(&event["session"]))
        .collect();
    let erased = good(erase(&app, &app.key, &part).await).await;
    assert_eq!((&erased["erased"], &erased["scrubbed"]), (&json!(true), &json!(true)));
    assert_eq!(found(&folders), BTreeMap::new());
    assert!(!has_token());
    assert_eq!(count(&app, "select count(*) from visitor where joined is not null").await, 0);
    for again in [&part, &id] {
        problem(erase(&app, &app.key, again).await, 404, "not_found").await;
        problem(export(&app, &app.key, again).await, 404, "not_found").await;
    }

    // The log has its places still, and says nothing of whom they are.
    let after = app.log().await;
    let (of_nobody, of_others): (Vec<_>, Vec<_>) =
        after.iter().partition(|event| sessions.contains(event["session"].as_str().unwrap()));
    assert_eq!(of_nobody.len() as u64, erased["events"].as_u64().unwrap());
    let nobody: BTreeSet<String> = of_nobody.iter().map(|event| text(&event["visitor"])).collect();
    assert!(nobody.len() == 1 && !nobody.contains(&id) && !nobody.contains(&part), "{nobody:?}");
    for event in &of_nobody {
        assert_eq!(event["page"], "", "{event}");
        let data = event["data"].as_object().unwrap();
        assert!(data.keys().all(|name| ["name", "type", "uiType"].contains(&name.as_str())), "{event}");
    }
    for event in &before {
        let same = after.iter().find(|known| known["id"] == event["id"]).unwrap();
        for field in ["type", "seq", "time", "site", "session", "conversation"] {
            assert_eq!(same[field], event[field], "{event}");
        }
    }
    assert!(of_others.iter().all(|event| event["page"] == PAGE), "others stay as they were");
    for session in &sessions {
        let of_session = of_nobody.iter().filter(|event| event["session"] == session.as_str());
        let seqs: Vec<u64> = of_session.map(|event| event["seq"].as_u64().unwrap()).collect();
        assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>(), "without gaps");
    }
    assert!(of_nobody.iter().any(|event| event["type"] == "meeting.cancelled"), "the meeting to come was called off");

    // The agent is told so, by a letter that says nothing of who would have come.
    app.postman.as_ref().unwrap().deliver().await.unwrap();
    let letters = files(mail.path());
    assert_eq!(letters.len(), 1);
    let letter = String::from_utf8_lossy(&letters[0].1).into_owned();
    assert!(
        letter.contains("Called off: A first talk")
            && letter.to_lowercase().contains("method=cancel")
            && !letter.contains("ATTENDEE"),
        "{letter}"
    );

    let entries = audited(&app, "visitor.erased").await;
    assert_eq!(entries.len(), 1);
    assert_eq!((entries[0].actor_kind.as_str(), entries[0].actor.as_str()), ("key", "test"));
    assert_eq!((entries[0].subject.as_str(), entries[0].site.as_ref().unwrap().as_str()), (id.as_str(), "shop"));
    assert_eq!((&entries[0].detail["chats"], &entries[0].detail["meetings"]), (&json!(1), &json!(1)));
    assert_eq!(audited(&app, "visitor.exported").await.len(), 1);
    assert_eq!(count(&app, "select count(*) from mail where id = 'kept'").await, 1, "somebody else's letter");

    // And nothing comes back as the database is closed.
    drop(desk);
    app.store.close().await;
    assert_eq!(found(&folders), BTreeMap::new());
    let everything: String = folders.iter().flat_map(|folder| files(folder)).map(|(_, content)| readable(&content)).collect();
    assert!(!everything.contains("canary"), "what is not kept at all is not there, either");
}

#[tokio::test]
async fn an_erasure_that_nobody_waits_for_any_more_is_carried_to_its_end() {
    let app = for_days().with_settings(|settings| settings.request_timeout_seconds = 1).start().await;
    let visitor = text(&app.visitor().await.begun["visitor"]);
    // Who reads keeps the write-ahead log from being emptied: longer than the request may take.
    let mut reader = database(&app).await;
    sqlx::query("begin").execute(&mut reader).await.unwrap();
    sqlx::query("select count(*) from event").fetch_one(&mut reader).await.unwrap();
    let address = format!("http://{}/api/v1/visitors/{visitor}", app.address);
    let ask = || Client::new().delete(&address).bearer_auth(&app.key).header("idempotency-key", "once").send();
    assert_eq!(ask().await.unwrap().status(), 503);
    sqlx::query("commit").execute(&mut reader).await.unwrap();
    reader.close().await.unwrap();
    let answer = async {
        loop {
            // Until its answer is kept, there is only nobody to be erased.
            let again = ask().await.unwrap();
            if again.headers().contains_key("idempotency-replayed") {
                return good(again).await;
            }
        }
    };
    let answer = tokio::time::timeout(std::time::Duration::from_secs(30), answer).await.unwrap();
    assert_eq!((&answer["erased"], &answer["scrubbed"]), (&json!(true), &json!(true)));
    assert_eq!(audited(&app, "visitor.erased").await.len(), 1);
}

#[tokio::test]
async fn a_chat_under_way_is_ended_first_and_its_agent_is_free() {
    let app = TestApp::init().with_conversation(TALK).start_only().await;
    let agent = add_agent(&app, 1, Role::Agent).await;
    let mut desk = Socket::desk(&app, &agent).await;
    let visitor = app.visitor().await;
    visitor.open().await;
    let chat = desk.offered().await;
    desk.ask(1, json!({ "do": "accept", "chat": chat })).await;
    let panel = Socket::panel(&visitor, 0).await;
    let erased = good(erase(&app, &app.key, &text(&visitor.begun["visitor"])).await).await;
    assert_eq!(erased["erased"], true);
    desk.until(|told| told["gone"]["chat"] == chat.as_str()).await;
    let kinds = app.types().await;
    assert!(kinds.contains(&"livechat.ended".to_owned()), "{kinds:?}");
    assert_eq!(count(&app, "select count(*) from chat").await, 0);
    assert!(kept_agent(&app, &agent).await.is_available(app.now()));
    // The browser is nobody's now: it begins anew.
    problem(visitor.answer_with(&visitor.opening(), &[("id", &visitor.id()), ("turn", "1")]).await, 401, "bad_token").await;
    let begun = good(app.send("/widget/v1/start", &json!({ "site": "shop", "page": PAGE, "token": visitor.token })).await).await;
    assert!(begun["token"].is_string() && begun["visitor"] != visitor.begun["visitor"]);
    drop(panel);
}

#[tokio::test]
async fn a_meeting_stays_without_its_guest_until_the_agents_calendar_is_told() {
    let app = for_days()
        .with_site(SITE)
        .with_conversation(MEET)
        .with_settings(|settings| settings.egress_allow = "127.0.0.1".to_owned())
        .start_only()
        .await;
    let agent = add_met(&app, 1, MONDAY).await;
    // Nobody listens there.
    let elsewhere = [("caldav_url", "http://127.0.0.1:9/ada/"), ("caldav_user", "ada"), ("caldav_password", "secret")];
    meets(&app, &agent, &[MONDAY, &elsewhere[..]].concat()).await;
    book(&app, FIRST, "canary-guest@example.com").await;
    let booked: Vec<Value> = app.log().await.into_iter().filter(|event| event["type"] == "meeting.booked").collect();
    good(erase(&app, &app.key, &text(&booked[0]["visitor"])).await).await;
    assert_eq!(count(&app, "select count(*) from meeting where phase = 'cancelled' and push_at is not null").await, 1);
    assert_eq!(count(&app, "select count(*) from meeting where state like '%canary%' or page <> ''").await, 0);
    app.sync.work().await.unwrap();
    assert_eq!(count(&app, "select count(*) from meeting").await, 1, "the calendar could not be told");
    // It is connected no more: there is nobody to be told.
    meets(&app, &agent, MONDAY).await;
    app.pass(SignedDuration::from_hours(1));
    app.sync.work().await.unwrap();
    assert_eq!(count(&app, "select count(*) from meeting").await, 0);
}

struct AddKey(Secret, ApiKey);

impl Command for AddKey {
    type Done = ();
    type Refusal = ();

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<()>> {
        Ok(tx.add_api_key(&self.0, &self.1).await?)
    }
}

/// A key with these scopes, for these sites.
async fn key(app: &TestApp, id: &str, scopes: &[Scope], sites: Option<&[&str]>) -> String {
    let secret = porchlight_server::outside::Outside::real().new_secret();
    let text = format!("plk_{}", secret.reveal());
    let key = ApiKey {
        id: id.to_owned(),
        name: id.to_owned(),
        scopes: Some(scopes.to_vec()),
        sites: sites.map(|sites| sites.iter().map(|site| site.parse().unwrap()).collect()),
        ending: String::new(),
        created_at: Timestamp::UNIX_EPOCH,
        used_at: None,
    };
    app.store.commit(AddKey(secret, key)).await.unwrap();
    text
}

#[tokio::test]
async fn who_may_erase_may_on_their_own_sites() {
    let app = TestApp::init().start().await;
    app.import("key = \"other\"\ntitle = \"Other\"\norigins = []\n", &[]).await;
    let visitor = text(&app.visitor().await.begun["visitor"]);
    let reads = key(&app, "reads", &[Scope::VisitorsRead, Scope::EventsRead], None).await;
    let elsewhere = key(&app, "elsewhere", &[Scope::VisitorsWrite], Some(&["other"])).await;
    let may = key(&app, "may", &[Scope::VisitorsWrite], Some(&["shop", "other"])).await;
    for (key, status, code) in
        [(&reads, 403, "forbidden"), (&elsewhere, 404, "not_found"), (&"plk_none".to_owned(), 401, "bad_key")]
    {
        problem(export(&app, key, &visitor).await, status, code).await;
        problem(erase(&app, key, &visitor).await, status, code).await;
    }
    for nobody in ["none", "01890000-0000-7000-8000-000000000000"] {
        assert_eq!(problem(erase(&app, &may, nobody).await, 404, "not_found").await["field"], "id");
    }
    assert!(audited(&app, "visitor.erased").await.is_empty() && audited(&app, "visitor.exported").await.is_empty());
    assert_eq!(good(export(&app, &may, &visitor).await).await["visitor"], visitor.as_str());
    good(erase(&app, &may, &visitor).await).await;
    assert_eq!(audited(&app, "visitor.erased").await[0].actor, "may");
}

#[tokio::test]
async fn an_administrator_finds_exports_and_erases_by_the_console() {
    let app = for_days().with_conversation(CONVERSATION).start_only().await;
    let administrator = add_agent(&app, 1, Role::Administrator).await;
    let visitor = app.visitor().await;
    let id = text(&visitor.begun["visitor"]);
    let (_, form) = visitor.open().await;
    let (_, form) = visitor.go_on(&form, "price").await;
    let (_, form) = visitor.go_on(&form, "Ada@Example.com").await;
    good(visitor.answer_with(&form, &[("value", "030 901820"), ("country", "DE")]).await).await;
    for (wanted, is_found) in [
        ("Ada@example.com", true),
        ("Ada%40EXAMPLE.com", true),
        ("%2B49+30+901820", true),
        (id.as_str(), true),
        ("grace@example.com", false),
        ("%25", false),
    ] {
        let (status, page) = console_page(&app, &administrator, &format!("/console/visitors?q={wanted}")).await;
        assert_eq!((status, page.contains(&id) && page.contains("+4930901820")), (200, is_found), "{wanted}: {page}");
        assert_eq!(page.contains("Nobody of that name is known."), !is_found, "{wanted}");
    }
    let long = "x".repeat(255);
    assert_eq!(console_page(&app, &administrator, &format!("/console/visitors?q={long}")).await.0, 400);

    let request =
        app.get(&format!("/console/visitors/{id}/export")).header("cookie", &administrator.cookie).send().await.unwrap();
    assert_eq!(request.headers()["content-disposition"], format!("attachment; filename=\"visitor-{id}.json\"").as_str());
    let document: Value = request.json().await.unwrap();
    assert_eq!(
        document["attributes"][0],
        json!({ "name": "email", "value": "Ada@example.com", "changedAt": document["attributes"][0]["changedAt"] })
    );
    let (status, sure) = console_page(&app, &administrator, &format!("/console/visitors/{id}/erase")).await;
    assert!(status == 200 && sure.contains("What goes") && sure.contains("What stays"), "{sure}");
    assert_eq!(count(&app, "select count(*) from attribute").await, 3, "looking erases nothing");
    let foreign = app.post(&format!("/console/visitors/{id}/erase")).header("cookie", &administrator.cookie);
    problem(foreign.header("origin", "https://evil.example").send().await.unwrap(), 403, "forbidden_origin").await;
    let (status, done) = read(console(&app, &administrator, &format!("/console/visitors/{id}/erase"), &[]).await).await;
    assert!(status == 200 && done.contains("The visitor was erased") && done.contains("Nothing is left of them"), "{done}");
    assert_eq!(count(&app, "select count(*) from attribute").await, 0);
    for gone in ["", "/export", "/erase"] {
        assert_eq!(console_page(&app, &administrator, &format!("/console/visitors/{id}{gone}")).await.0, 404, "{gone}");
    }

    let (_, log) = console_page(&app, &administrator, "/console/audit").await;
    for part in ["visitor.erased", "visitor.exported", "Agent 1", &id] {
        assert!(log.contains(part), "{part} is not in {log}");
    }
    assert!(log.find("visitor.erased") < log.find("visitor.exported"), "the newest first");
    let (_, about) = console_page(&app, &administrator, &format!("/console/audit?site=shop&subject={id}")).await;
    assert!(about.contains("visitor.erased"));
    let (_, none) = console_page(&app, &administrator, "/console/audit?subject=nothing").await;
    assert!(none.contains("Nothing was done yet."), "{none}");
    for wrong in ["site=not+a+key", "before=x"] {
        assert_eq!(console_page(&app, &administrator, &format!("/console/audit?{wrong}")).await.0, 400, "{wrong}");
    }
}

struct Note(usize, Timestamp);

impl Command for Note {
    type Done = ();
    type Refusal = ();

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<()>> {
        for number in 0..self.0 {
            let subject = format!("number-{number:03}");
            let entry = AuditEntry {
                actor: &Actor::Server,
                action: "test.noted",
                site: None,
                subject: &subject,
                detail: json!({ "list": ["a", "b"], "none": null }),
                at: self.1,
            };
            tx.audit(entry).await?;
        }
        Ok(())
    }
}

/// Removes what is too old. What is not counted yet is kept.
async fn age(app: &TestApp) {
    app.counter.catch_up().await.unwrap();
    app.retention.work().await.unwrap();
}

#[tokio::test]
async fn the_audit_log_is_read_page_by_page() {
    let app = for_days().start().await;
    let administrator = add_agent(&app, 1, Role::Administrator).await;
    app.store.commit(Note(120, app.now())).await.unwrap();
    let (mut path, mut seen) = ("/console/audit".to_owned(), Vec::new());
    loop {
        let (status, page) = console_page(&app, &administrator, &path).await;
        assert_eq!(status, 200);
        assert!(page.contains("a, b") && page.contains("the server"), "{page}");
        seen.extend(page.split("<bdi>number-").skip(1).map(|rest| rest[..3].to_owned()));
        let Some((older, _)) = page.split_once("\" class=\"button\">Older<") else { break };
        path = older.rsplit("href=\"").next().unwrap().replace("&amp;", "&");
    }
    assert_eq!(seen, (0..120).rev().map(|number| format!("{number:03}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_done_in_the_console_and_by_the_command_line_is_noted() {
    let app = for_days().start().await;
    let administrator = add_agent(&app, 1, Role::Administrator).await;
    let ada = add_agent(&app, 2, Role::Agent).await;
    let by = administrator.id.to_string();
    let invited = [("name", "New"), ("email", "new@example.com"), ("role", "agent"), ("sites", "shop")];
    let (_, page) = read(console(&app, &administrator, "/console/agents", &invited).await).await;
    let token = page.split("/console/join#").nth(1).unwrap().chars().take(43).collect::<String>();
    let joins = [("token", token.as_str()), ("name", "New"), ("password", "correct horse battery")];
    console(&app, &administrator, "/console/join", &joins).await;
    let path = format!("/console/agents/{}", ada.id);
    let changed = |more: &'static str| [("name", "Ada"), ("role", "agent"), ("sites", "shop"), ("do", "save"), (more, "true")];
    console(&app, &administrator, &path, &changed("")).await;
    console(&app, &administrator, &path, &changed("disabled")).await;
    console(&app, &administrator, &path, &[("name", "Ada"), ("role", "agent"), ("do", "link")]).await;
    console(&app, &administrator, "/console/teams", &[("site", "shop"), ("id", "sales"), ("name", "Sales")]).await;
    let response = |act: &'static str, text: &'static str| [("site", "shop"), ("shortcut", "hi"), ("text", text), ("do", act)];
    for given in [response("save", "Hello"), response("remove", ""), response("remove", "")] {
        console(&app, &administrator, "/console/responses", &given).await;
    }
    for (action, subject, times) in [
        ("response.changed", "hi".to_owned(), 1),
        ("response.removed", "hi".to_owned(), 1),
        ("agent.changed", ada.id.to_string(), 1),
        ("agent.disabled", ada.id.to_string(), 1),
        ("team.changed", "sales".to_owned(), 1),
    ] {
        let entries = audited(&app, action).await;
        assert_eq!(entries.len(), times, "{action}");
        assert_eq!((&entries[0].actor, &entries[0].subject), (&by, &subject), "{action}");
    }
    let invitations = audited(&app, "agent.invited").await;
    assert_eq!(invitations.len(), 2);
    assert_eq!(invitations[0].subject, ada.id.to_string());
    let chosen = audited(&app, "agent.password_set").await;
    assert_eq!((&chosen[0].actor, &chosen[0].subject), (&invitations[1].subject, &invitations[1].subject));
    // What is refused was not done.
    console(&app, &administrator, "/console/teams", &[("site", "shop"), ("id", "not a key"), ("name", "Sales")]).await;
    assert_eq!(audited(&app, "team.changed").await.len(), 1);

    let folder = app.folder.path().to_owned();
    app.store.close().await;
    once(&["agent", "invite", "other@example.com", "--site", "shop"], &folder).await;
    once(&["secret", "--site", "shop"], &folder).await;
    once(&["secret", "--site", "shop", "--rotate"], &folder).await;
    let mut database = database(&app).await;
    let query = "select action from audit where actor_kind = 'command line' order by position";
    let noted: Vec<String> = sqlx::query_scalar(query).fetch_all(&mut database).await.unwrap();
    // The site itself was imported by the command line, too.
    assert_eq!(noted[noted.len() - 2..], ["agent.invited", "site.secret_rotated"]);
}

/// A server whose site keeps one kind for a day.
async fn keeping(kind: &str, conversation: &str) -> TestApp {
    let site = format!("{SITE}[retention]\n{kind} = 1\n");
    for_days().with_site(&site).with_conversation(conversation).start_only().await
}

const DAY: SignedDuration = SignedDuration::from_hours(24);
const MOMENT: SignedDuration = SignedDuration::from_millis(1);

/// What is kept for a day is there a day later, and a moment after that it is not; gives what was noted of that.
async fn goes_after_a_day(app: &TestApp, since: Timestamp, rows: &'static str) -> Value {
    let there = count(app, rows).await;
    assert!(there > 0, "{rows}");
    app.pass(since.checked_add(DAY).unwrap().duration_since(app.now()));
    age(app).await;
    assert_eq!(count(app, rows).await, there, "not yet: {rows}");
    assert!(audited(app, "retention.applied").await.is_empty(), "nothing was done");
    app.pass(MOMENT);
    age(app).await;
    assert_eq!(count(app, rows).await, 0, "{rows}");
    let noted = audited(app, "retention.applied").await;
    assert_eq!((noted.len(), noted[0].actor_kind.as_str(), noted[0].subject.as_str()), (1, "server", "shop"));
    age(app).await;
    assert_eq!(audited(app, "retention.applied").await.len(), 1, "only what was done is noted");
    noted[0].detail.clone()
}

#[tokio::test]
async fn events_go_when_they_are_too_old_and_the_younger_stay() {
    let app = keeping("events", CONVERSATION).await;
    let starts = json!({ "site": "shop", "page": PAGE, "locale": "en-GB", "referrer": "https://search.example/" });
    let visitor = app.visitor_who(&starts).await;
    visitor.open().await;
    let since = app.now();
    app.pass(SignedDuration::from_mins(10));
    visitor.tell("widget.clicked").await;
    let clicked = app.log().await.pop().unwrap();
    app.pass(since.checked_add(DAY).unwrap().duration_since(app.now()));
    age(&app).await;
    assert_eq!(app.log().await.len(), 3);
    app.pass(MOMENT);
    age(&app).await;
    let left = app.log().await;
    assert_eq!(left, [clicked], "the session begins later now");
    assert_eq!(left[0]["seq"], 3);
    assert_eq!(audited(&app, "retention.applied").await[0].detail, json!({ "events": 2 }));
    assert_eq!(count(&app, "select count(*) from session where referrer is not null").await, 1, "it was active later");
    app.pass(DAY);
    age(&app).await;
    assert!(app.log().await.is_empty());
    assert_eq!(count(&app, "select count(*) from session where referrer is not null or device is not null").await, 0);
}

#[tokio::test]
async fn what_waits_for_an_endpoint_that_is_off_holds_no_event_up() {
    let app = for_days()
        .with_site(&format!("{SITE}[retention]\nevents = 1\n"))
        .with_settings(|settings| settings.egress_allow = "127.0.0.1".to_owned())
        .start()
        .await;
    // Nobody listens there.
    let hook = Hook::make(&format!("http://{}", app.address), &app.key, "http://127.0.0.1:9/hook", &json!({})).await;
    app.visitor().await;
    app.hooks.work().await.unwrap();
    app.pass(DAY + MOMENT);
    age(&app).await;
    assert!(!app.log().await.is_empty(), "it is to be sent again");
    hook.post("/disable", &json!({})).await;
    age(&app).await;
    assert!(app.log().await.is_empty());
    assert_eq!(count(&app, "select count(*) from webhook_delivery").await, 0);
}

#[tokio::test]
async fn more_than_a_batch_goes_at_once() {
    let app = keeping("events", CONVERSATION).await;
    let visitor = app.visitor().await;
    let mut database = database(&app).await;
    let (session, id) = (text(&visitor.begun["session"]), text(&visitor.begun["visitor"]));
    // At once: each alone would wait for the disk.
    sqlx::query("begin").execute(&mut database).await.unwrap();
    for number in 0..1200_u32 {
        let event = VisitorId::new(porchlight_domain::id::uuid_v7(u64::from(number), &[9; 10]));
        sqlx::query("insert into event (id, type, seq, time, site, visitor, session, view, page, data) values ($1, 'widget.shown', $2, 0, 'shop', $3, $4, '', '', '{}')")
            .bind(event.to_string())
            .bind(number + 10)
            .bind(&id)
            .bind(&session)
            .execute(&mut database)
            .await
            .unwrap();
    }
    sqlx::query("commit").execute(&mut database).await.unwrap();
    database.close().await.unwrap();
    app.pass(DAY + MOMENT);
    age(&app).await;
    assert_eq!(audited(&app, "retention.applied").await[0].detail, json!({ "events": 1201 }));
}

#[tokio::test]
async fn what_was_said_goes_and_the_conversation_begins_anew() {
    let app = keeping("transcripts", CONVERSATION).await;
    let visitor = app.visitor().await;
    let (_, form) = visitor.open().await;
    let (_, form) = visitor.go_on(&form, "price").await;
    let since = app.now();
    let done = goes_after_a_day(&app, since, "select count(*) from entry").await;
    assert_eq!((&done["conversations"], &done["lines"]), (&json!(1), &json!(4)));
    // An answer to what was asked then finds nothing; the panel begins anew.
    assert_eq!(visitor.answer(&form, "ada@example.com").await.status(), 404);
    let (html, _) = visitor.open().await;
    assert!(html.contains("What about?") && !html.contains("Your address?"), "{html}");
    assert_eq!(count(&app, "select count(*) from attribute").await, 1, "what is known is another kind");
}

#[tokio::test]
async fn a_conversation_that_goes_on_loses_its_old_lines_and_one_that_ended_is_not_offered_again() {
    let app = keeping("transcripts", CONVERSATION).await;
    let (one, other) = (app.visitor().await, app.visitor().await);
    let (_, form) = other.open().await;
    good(other.answer(&form, "none").await).await;
    let (_, form) = one.open().await;
    let (_, form) = one.go_on(&form, "price").await;
    app.pass(SignedDuration::from_hours(20));
    good(one.answer(&form, "ada@example.com").await).await;
    app.pass(SignedDuration::from_hours(5));
    age(&app).await;
    let (html, form) = one.open().await;
    assert!(html.contains("ada@example.com") && html.contains("Your number?") && !html.contains("What about?"), "{html}");
    assert!(!form.is_empty());
    let again = json!({ "site": "shop", "page": PAGE, "token": other.token });
    assert_eq!(good(app.send("/widget/v1/start", &again).await).await["conversation"], Value::Null, "it was gone through");
}

#[tokio::test]
async fn chats_go_with_notes_and_files_and_letters_once_they_are_over() {
    let mail = tempfile::tempdir().unwrap();
    let dir = mail.path().display().to_string();
    let app = for_days()
        .with_site(&format!("{SITE}[retention]\ntranscripts = 1\n"))
        .with_conversation(TALK)
        .with_settings(|settings| {
            settings.mail_dir = dir;
            settings.mail_from = "Shop <chat@shop.example>".to_owned();
            settings.chat_idle_seconds = 86_400;
        })
        .start_only()
        .await;
    let agent = add_agent(&app, 1, Role::Agent).await;
    let mut desk = Socket::desk(&app, &agent).await;
    let visitor = app.visitor().await;
    visitor.open().await;
    let chat = desk.offered().await;
    desk.ask(1, json!({ "do": "accept", "chat": chat })).await;
    let (_, form) = visitor.open().await;
    good(attachments::send(&visitor, &form, ("a.txt", &b"Hello"[..])).await).await;
    good(visitor.answer_with(&anew(&visitor, &form), &[("do", "transcript"), ("email", "ada@example.com")]).await).await;
    app.postman.as_ref().unwrap().deliver().await.unwrap();
    app.pass(SignedDuration::from_hours(23));
    good(visitor.answer_with(&anew(&visitor, &form), &[("do", "refresh")]).await).await;
    desk.ask(2, json!({ "do": "end", "chat": chat })).await;
    let since = app.now();
    app.pass(SignedDuration::from_hours(2));
    age(&app).await;
    assert_eq!(count(&app, "select count(*) from chat").await, 1, "it ended less than a day ago");
    assert_eq!(files(mail.path()).len(), 1);
    app.pass(since.checked_add(DAY + MOMENT).unwrap().duration_since(app.now()));
    age(&app).await;
    for rows in [
        "select count(*) from chat",
        "select count(*) from attachment",
        "select count(*) from mail",
        "select count(*) from entry",
        "select count(*) from progress where chat is not null",
    ] {
        assert_eq!(count(&app, rows).await, 0, "{rows}");
    }
    assert!(files(mail.path()).is_empty());
}

#[tokio::test]
async fn forms_meetings_and_call_backs_go_once_they_are_over() {
    const FORM: &str = r#"{ "id": "welcome", "name": "Form", "cards": [
        { "id": "form", "card": "form", "text": "Who?", "fields": [{ "name": "order", "field": "text", "label": "Order" }] },
        { "id": "end", "card": "end", "text": "Thanks" }
    ] }"#;
    let app = keeping("submissions", FORM).await;
    let visitor = app.visitor().await;
    let (_, form) = visitor.open().await;
    good(visitor.answer_with(&form, &[("f.order", "AB12")]).await).await;
    let since = app.now();
    assert_eq!(goes_after_a_day(&app, since, "select count(*) from submission").await, json!({ "submissions": 1 }));

    let app = keeping("meetings", MEET).await;
    add_met(&app, 1, MONDAY).await;
    book(&app, FIRST, "ada@example.com").await;
    age(&app).await;
    until(&app, FIRST);
    let ends = app.now().checked_add(SignedDuration::from_mins(30)).unwrap();
    let done = goes_after_a_day(&app, ends, "select count(*) from meeting").await;
    assert_eq!(done, json!({ "meetings": 1 }));

    const CALL: &str = r#"{ "id": "welcome", "name": "Call", "cards": [
        { "id": "call", "card": "callback", "text": "Your number?" }, { "id": "end", "card": "end", "text": "Thanks" }
    ] }"#;
    let app = keeping("callbacks", CALL).await;
    let agent = add_agent(&app, 1, Role::Agent).await;
    let visitor = app.visitor().await;
    let (_, form) = visitor.open().await;
    good(visitor.answer_with(&form, &[("value", "030 901820"), ("country", "DE")]).await).await;
    let requested = app.log().await.into_iter().find(|event| event["type"] == "callback.requested").unwrap();
    app.pass(SignedDuration::from_hours(72));
    age(&app).await;
    assert_eq!(count(&app, "select count(*) from callback").await, 1, "somebody is to call still");
    let path = format!("/console/callbacks/{}", text(&requested["data"]["callback"]));
    for act in [&[("do", "claim")], &[("do", "reached")]] {
        assert_eq!(console(&app, &agent, &path, act).await.status(), 200);
    }
    let since = app.now();
    assert_eq!(goes_after_a_day(&app, since, "select count(*) from callback").await, json!({ "callbacks": 1 }));
}

#[tokio::test]
async fn visitors_who_do_not_come_again_are_forgotten_unless_something_is_to_come() {
    let app = keeping("visitors", MEET).await;
    add_met(&app, 1, MONDAY).await;
    let (away, back) = (app.visitor().await, app.visitor().await);
    book(&app, FIRST, "ada@example.com").await;
    let booked = app.log().await.into_iter().find(|event| event["type"] == "meeting.booked").unwrap();
    let since = app.now();
    app.pass(SignedDuration::from_hours(12));
    good(app.send("/widget/v1/start", &json!({ "site": "shop", "page": PAGE, "token": back.token })).await).await;
    let known = "select count(*) from visitor where erased_at is null";
    app.pass(since.checked_add(DAY).unwrap().duration_since(app.now()));
    age(&app).await;
    assert_eq!(count(&app, known).await, 3, "not yet");
    app.pass(MOMENT);
    age(&app).await;
    assert_eq!(count(&app, known).await, 2, "the meeting is to come, and one came again");
    assert_eq!(audited(&app, "retention.applied").await[0].detail, json!({ "visitors": 1 }));
    problem(export(&app, &app.key, &text(&away.begun["visitor"])).await, 404, "not_found").await;
    good(export(&app, &app.key, &text(&booked["visitor"])).await).await;
    app.pass(SignedDuration::from_hours(72));
    age(&app).await;
    assert_eq!(count(&app, known).await, 0);
    assert_eq!(count(&app, "select count(*) from meeting").await, 0);
    assert_eq!(app.log().await.iter().filter(|event| event["page"] != "").count(), 0);
    assert!(app.log().await.len() > 3, "the log keeps its places");
}

#[tokio::test]
async fn who_stands_in_for_the_erased_is_no_visitor() {
    let app = for_days().start().await;
    let (erased, other) = (app.visitor().await, app.visitor().await);
    good(erase(&app, &app.key, &text(&erased.begun["visitor"])).await).await;
    let get = async |path: &str| app.get(&format!("/api/v1/visitors{path}")).bearer_auth(&app.key).send().await.unwrap();
    let listed = good(get("").await).await;
    let ids: Vec<String> = listed["visitors"].as_array().unwrap().iter().map(|visitor| text(&visitor["id"])).collect();
    assert_eq!(ids, [text(&other.begun["visitor"])]);
    let nobody = text(&app.log().await[0]["visitor"]);
    assert_ne!(nobody, text(&other.begun["visitor"]));
    problem(get(&format!("/{nobody}")).await, 404, "not_found").await;
    problem(get(&format!("/{nobody}/transcripts")).await, 404, "not_found").await;
}

#[tokio::test]
async fn what_is_left_of_the_erased_goes_with_their_last_event() {
    let app = keeping("events", CONVERSATION).await;
    let visitor = app.visitor().await;
    good(erase(&app, &app.key, &text(&visitor.begun["visitor"])).await).await;
    assert_eq!(count(&app, "select count(*) from visitor").await, 1, "nobody");
    app.pass(DAY + MOMENT);
    age(&app).await;
    assert_eq!((count(&app, "select count(*) from session").await, count(&app, "select count(*) from visitor").await), (0, 0));
}

#[tokio::test]
async fn the_audit_log_is_kept_as_long_as_the_setting_says_and_without_settings_all_is_kept() {
    let app = for_days().with_settings(|settings| settings.audit_days = 30).start().await;
    let visitor = app.visitor().await;
    visitor.open().await;
    app.store.commit(Note(600, app.now())).await.unwrap();
    app.pass(SignedDuration::from_hours(30 * 24));
    age(&app).await;
    assert_eq!(audited(&app, "test.noted").await.len(), 600);
    app.pass(MOMENT);
    age(&app).await;
    assert!(audited(&app, "test.noted").await.is_empty());
    app.pass(SignedDuration::from_hours(36_500 * 24));
    age(&app).await;
    assert!(app.log().await.len() >= 2 && count(&app, "select count(*) from entry").await > 0, "for ever");
}

#[tokio::test]
async fn a_site_that_cannot_be_read_keeps_nothing_else_from_being_removed() {
    let app = for_days()
        .with_site(&format!("{SITE}[retention]\nevents = 1\n"))
        .with_settings(|settings| settings.audit_days = 30)
        .start()
        .await;
    app.visitor().await;
    app.store.commit(Note(1, app.now())).await.unwrap();
    // One before it, of which the database holds what nobody can read.
    app.import("key = \"aside\"\ntitle = \"Aside\"\norigins = []\n", &[]).await;
    let mut database = database(&app).await;
    sqlx::query("update site set settings = 'none' where key = 'aside'").execute(&mut database).await.unwrap();
    database.close().await.unwrap();
    app.pass(SignedDuration::from_hours(31 * 24));
    app.counter.catch_up().await.unwrap();
    assert!(app.retention.work().await.is_err());
    assert!(app.log().await.is_empty(), "of the other site");
    assert!(audited(&app, "test.noted").await.is_empty());
}

const BLOCKING: &str = "blocked_email_domains = [\"mailinator.com\", \"bücher.example\"]\n";
const NOT_TAKEN: &str = "Please use another address, we do not accept this provider.";

#[tokio::test]
async fn addresses_of_blocked_providers_are_not_taken_by_any_way() {
    let site = format!("{SITE}{BLOCKING}");
    let app = for_days().with_site(&site).with_conversation(CONVERSATION).start_only().await;
    let visitor = app.visitor().await;
    let (_, form) = visitor.open().await;
    let (_, form) = visitor.go_on(&form, "price").await;
    for blocked in ["ada@mailinator.com", "ada@EU.Mailinator.com", "ada@bücher.example", "ada@mail.xn--bcher-kva.example"] {
        let refused = problem(visitor.answer(&form, blocked).await, 422, "invalid_answer").await;
        assert_eq!(refused["message"], NOT_TAKEN, "{blocked}");
        // Without script, too: the page says it, and keeps what was typed.
        let request = app.post("/widget/v1/answers").header("origin", format!("http://{}", app.address));
        let (status, html) = read(request.form(&filled(&form, &[("value", blocked)])).send().await.unwrap()).await;
        assert!(status == 422 && html.contains(NOT_TAKEN), "{blocked}: {html}");
    }
    let german = filled(&form, &[("locale", "de")]);
    let refused = problem(visitor.answer(&german, "ada@mailinator.com").await, 422, "invalid_answer").await;
    assert_eq!(refused["message"], "Bitte verwenden Sie eine andere Adresse, diesen Anbieter nehmen wir nicht an.");
    assert!(!app.types().await.contains(&"input.email".to_owned()));
    assert_eq!(count(&app, "select count(*) from attribute where name = 'email'").await, 0);
    // One that only looks like it is taken.
    visitor.go_on(&form, "ada@notmailinator.com").await;
}

#[tokio::test]
async fn nor_in_a_form_nor_of_a_guest_nor_for_a_transcript() {
    const FORM: &str = r#"{ "id": "welcome", "name": "Form", "cards": [
        { "id": "form", "card": "form", "text": "Who?", "fields": [
            { "name": "name", "field": "name", "label": "Your name" }, { "name": "email", "field": "email", "label": "Your address" }] },
        { "id": "end", "card": "end", "text": "Thanks" }
    ] }"#;
    let site = format!("{SITE}{BLOCKING}");
    let app = for_days().with_site(&site).with_conversation(FORM).start_only().await;
    let visitor = app.visitor().await;
    let (_, form) = visitor.open().await;
    let refused = problem(visitor.answer_with(&form, &[("f.email", "ada@mailinator.com")]).await, 422, "invalid_answer").await;
    assert_eq!(refused["field"], "email");
    assert!(text(&refused["card"]).contains(NOT_TAKEN), "{refused}");

    let app = for_days().with_site(&site).with_conversation(MEET).start_only().await;
    add_met(&app, 1, MONDAY).await;
    let visitor = app.visitor().await;
    let (html, _) = crate::meetings::open_in(&visitor, "UTC").await;
    let form = hold(&visitor, &form_in(&html, "UTC"), FIRST).await;
    let guest = [("guest_name", "Ada"), ("guest_email", "ada@mailinator.com")];
    let refused = problem(visitor.answer_with(&form, &guest).await, 422, "invalid_answer").await;
    assert_eq!(refused["field"], "email");
    assert!(text(&refused["card"]).contains(NOT_TAKEN), "{refused}");
    assert_eq!(count(&app, "select count(*) from meeting where phase = 'booked'").await, 0);

    let mail = tempfile::tempdir().unwrap();
    let app = with_mail(mail.path()).with_site(&site).with_conversation(TALK).start_only().await;
    let agent = add_agent(&app, 1, Role::Agent).await;
    let mut desk = Socket::desk(&app, &agent).await;
    let visitor = app.visitor().await;
    visitor.open().await;
    let chat = desk.offered().await;
    desk.ask(1, json!({ "do": "accept", "chat": chat })).await;
    let (_, form) = visitor.open().await;
    let asks = |to: &'static str| [("do", "transcript"), ("email", to)];
    let refused = problem(visitor.answer_with(&form, &asks("ada@mailinator.com")).await, 422, "invalid_answer").await;
    assert_eq!(refused["message"], NOT_TAKEN);
    good(visitor.answer_with(&anew(&visitor, &form), &asks("ada@example.com")).await).await;
}

#[tokio::test]
async fn the_panel_says_what_becomes_of_what_is_given() {
    let about = "privacy_url = \"https://shop.example/privacy\"\nprivacy_text = { en = \"We keep *little*.\", de = \"Wir behalten wenig.\" }\n";
    let app = TestApp::init().with_site(&format!("{SITE}{about}")).start().await;
    let visitor = app.visitor().await;
    let (html, _) = visitor.open().await;
    // Between texts Leptos leaves marks.
    let foot = html.split("class=\"privacy\"").nth(1).unwrap().split("</p>").next().unwrap().replace("<!>", "");
    assert!(foot.contains("We keep <em>little</em>.") || foot.contains("We keep <strong>little</strong>."), "{foot}");
    assert!(foot.contains("href=\"https://shop.example/privacy\"") && foot.contains(">Privacy</a>"), "{foot}");
    let german = filled(&visitor.opening(), &[("locale", "de")]);
    let (_, html) = read(app.post("/widget/panel").header("origin", ORIGIN).form(&german).send().await.unwrap()).await;
    assert!(html.contains("Wir behalten wenig.") && html.contains(">Datenschutz</a>"), "{html}");

    let app = TestApp::init().start().await;
    assert!(!app.visitor().await.open().await.0.contains("class=\"privacy\""), "nothing was to be said");
}

/// A mail server that refuses whoever a letter goes to, and repeats the address.
async fn refusing() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (reads, mut writes) = stream.into_split();
            let mut lines = BufReader::new(reads).lines();
            writes.write_all(b"220 here\r\n").await.unwrap();
            while let Ok(Some(line)) = lines.next_line().await {
                let answer = if line.starts_with("RCPT") { format!("550 nobody: {line}") } else { "250 good".to_owned() };
                if writes.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
                    break;
                }
            }
        }
    });
    address
}

#[tokio::test]
async fn the_servers_log_holds_nothing_of_visitors() {
    const OFFLINE: &str = r#"{ "id": "welcome", "name": "Talk", "cards": [
        { "id": "mail", "card": "capture", "field": "email", "text": "Your address?" },
        { "id": "agent", "card": "liveChat", "fallbackText": "Nobody is there" },
        { "id": "about", "card": "capture", "field": "text", "attribute": "question", "text": "What is it about?" },
        { "id": "end", "card": "end", "text": "Goodbye" }
    ] }"#;
    let (folder, smtp) = (tempfile::tempdir().unwrap(), refusing().await);
    let (data, site) = (folder.path().join("data"), folder.path().join("site"));
    fs::create_dir_all(site.join("conversations")).unwrap();
    fs::write(site.join("site.toml"), format!("{SITE}missed_chats_to = \"canary-desk@example.com\"\n")).unwrap();
    fs::write(site.join("conversations/welcome.json"), OFFLINE).unwrap();
    once(&["import", &site.display().to_string()], &data).await;
    let key = once(&["key", "create", "--name", "test"], &data).await;
    let key = key.lines().find(|line| line.starts_with("plk_")).unwrap().to_owned();
    let mut child = tokio::process::Command::new(env!("CARGO_BIN_EXE_porchlight"))
        .args(["serve", "--listen", "127.0.0.1:0", "--log", "info", "--mail-from", "Shop <chat@shop.example>"])
        .args(["--smtp-url", &format!("smtp://{smtp}"), "--data-dir", &data.display().to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    let address = line.rsplit("http://").next().unwrap().to_owned();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();

    let client = Client::builder().user_agent("canary-browser").build().unwrap();
    let url = |path: &str| format!("http://{address}{path}");
    let page = "https://shop.example/?canary-page";
    let starts = json!({ "site": "shop", "page": page, "locale": "en", "referrer": "https://canary-referrer.example/" });
    let begun = good(client.post(url("/widget/v1/start?canary-query")).body(starts.to_string()).send().await.unwrap()).await;
    let (token, view) = (text(&begun["token"]), text(&begun["view"]));
    let opening = [("token", token.as_str()), ("view", &view), ("page", page), ("conversation", "welcome"), ("locale", "en")];
    let html = client.post(url("/widget/panel")).form(&opening).send().await.unwrap().text().await.unwrap();
    let mut form = form_of(&html);
    for value in ["canary-mail@example.com", "canary-question"] {
        let request = client.post(url("/widget/v1/answers")).header("accept", "application/json");
        let answered = good(request.form(&filled(&form, &[("value", value)])).send().await.unwrap()).await;
        form = form_of(&text(&answered["card"]));
    }
    // What is not there, and what is refused.
    for path in ["/canary-path", "/meetings/canary/canary", "/files/canary/canary.pdf"] {
        client.get(url(path)).send().await.unwrap();
    }
    let visitor = text(&begun["visitor"]);
    let export = client.get(url(&format!("/api/v1/visitors/{visitor}/export"))).bearer_auth(&key).send().await.unwrap();
    assert!(readable(good(export).await.to_string().as_bytes()).contains("canary-question"), "there was something to be said");

    // The letter is refused, which the log says.
    let mut told = String::new();
    let refused = async {
        while let Ok(Some(line)) = log.next_line().await {
            told += &format!("{line}\n");
            if line.contains("a letter was not sent") {
                break;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), refused).await.unwrap();
    let erased = client.delete(url(&format!("/api/v1/visitors/{visitor}"))).bearer_auth(&key).send().await.unwrap();
    assert_eq!(good(erased).await["scrubbed"], true);
    child.kill().await.unwrap();
    log.into_inner().read_to_string(&mut told).await.unwrap();
    assert!(told.contains("/widget/v1/answers") && told.contains("550"), "it says what was asked, and what went wrong: {told}");
    for secret in ["canary", token.as_str(), visitor.as_str(), &key[4..]] {
        assert!(!told.contains(secret), "{secret} is in the log: {told}");
    }
}
