//! E-mail: the transcript somebody asks for, and what a visitor leaves when nobody is there.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use jiff::SignedDuration;
use porchlight_domain::agent::Role;
use porchlight_server::{mail::Postman, outside::Outside, settings::Settings};
use serde_json::json;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    sync::mpsc,
};

use crate::{
    app::{Builder, TestApp, filled, form_of, good, problem, text},
    sides::{Socket, TALK, add_agent},
};

const FROM: &str = "Shop <chat@shop.example>";

fn with_folder(folder: &Path) -> Builder {
    let folder = folder.display().to_string();
    TestApp::init().with_conversation(TALK).with_settings(|settings| {
        settings.mail_dir = folder;
        settings.mail_from = FROM.to_owned();
        settings.transcripts_per_chat = 2;
    })
}

/// What was sent, in the order it was written.
async fn sent(app: &TestApp, folder: &Path) -> Vec<String> {
    app.postman.as_ref().unwrap().deliver().await.unwrap();
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read_to_string(file).unwrap().replace("\r\n", "\n")).collect()
}

#[tokio::test]
async fn a_visitor_asks_for_the_transcript() {
    let folder = tempfile::tempdir().unwrap();
    let app = with_folder(folder.path()).start_only().await;
    let agent = add_agent(&app, 1, Role::Agent).await;
    let mut desk = Socket::desk(&app, &agent).await;
    let visitor = app.visitor().await;
    let (html, form) = visitor.open().await;
    assert!(!html.contains("E-mail me the transcript"), "nobody has answered");
    let ask = [("do", "transcript"), ("email", "ada@example.com")];
    problem(visitor.answer_with(&form, &ask).await, 409, "not_allowed").await;

    let chat = desk.offered().await;
    desk.ask(1, json!({ "do": "accept", "chat": chat })).await;
    desk.ask(2, json!({ "do": "say", "chat": chat, "message": visitor.id(), "text": "It is 40 euros" })).await;
    let (html, form) = visitor.open().await;
    assert!(html.contains("E-mail me the transcript"));
    let wrong = problem(visitor.answer_with(&form, &[("do", "transcript"), ("email", "ada")]).await, 422, "invalid_answer").await;
    assert_eq!(wrong["message"], "Please enter an e-mail address such as ada@example.com.");
    let told = good(visitor.answer_with(&form, &ask).await).await;
    assert!(text(&told["card"]).contains("The transcript is on its way to ada@example.com."), "{told}");
    // Sent twice, mailed once.
    good(visitor.answer_with(&form, &ask).await).await;
    let mails = sent(&app, folder.path()).await;
    assert_eq!(mails.len(), 1);
    for part in [
        "From: Shop <chat@shop.example>",
        "To: ada@example.com",
        "Subject: Your chat with Shop",
        "Auto-Submitted: auto-generated",
        "Agent 1: It is 40 euros",
        "* Agent 1 has joined the chat",
    ] {
        assert!(mails[0].contains(part), "{part} is not in\n{}", mails[0]);
    }

    // After the chat, once more, and no more.
    let (_, form) = visitor.go_on(&form_of(&text(&told["card"])), "bye").await;
    desk.ask(3, json!({ "do": "end", "chat": chat })).await;
    good(visitor.answer_with(&form, &[("do", "transcript"), ("email", "ada@example.com")]).await).await;
    let (_, form) = visitor.open().await;
    let over = problem(visitor.answer_with(&form, &ask).await, 409, "not_allowed").await;
    assert_eq!(over["message"], "No more can be sent from this chat.");
    assert_eq!(sent(&app, folder.path()).await.len(), 2);
}

#[tokio::test]
async fn an_agent_sends_the_transcript() {
    let folder = tempfile::tempdir().unwrap();
    let app = with_folder(folder.path()).start_only().await;
    let agent = add_agent(&app, 1, Role::Agent).await;
    let mut desk = Socket::desk(&app, &agent).await;
    let visitor = app.visitor().await;
    visitor.open().await;
    let chat = desk.offered().await;
    desk.ask(1, json!({ "do": "accept", "chat": chat })).await;
    let mail = async |to: &str| {
        let request = app.post(&format!("/console/api/chats/{chat}/transcript")).header("cookie", &agent.cookie);
        request.body(json!({ "to": to }).to_string()).send().await.unwrap()
    };
    assert_eq!(problem(mail("nobody").await, 400, "malformed").await["field"], "to");
    assert_eq!(mail("ada@example.com").await.status(), 202);
    assert_eq!(mail("ada@example.com").await.status(), 202);
    problem(mail("ada@example.com").await, 409, "not_allowed").await;
    assert_eq!(sent(&app, folder.path()).await.len(), 2);
}

#[tokio::test]
async fn where_no_mail_can_be_sent_it_is_not_offered() {
    let app = TestApp::init().with_conversation(TALK).start_only().await;
    let agent = add_agent(&app, 1, Role::Agent).await;
    let mut desk = Socket::desk(&app, &agent).await;
    let visitor = app.visitor().await;
    visitor.open().await;
    let chat = desk.offered().await;
    desk.ask(1, json!({ "do": "accept", "chat": chat })).await;
    let (html, form) = visitor.open().await;
    assert!(!html.contains("E-mail me the transcript"));
    problem(visitor.answer_with(&form, &[("do", "transcript"), ("email", "ada@example.com")]).await, 409, "not_allowed").await;
}

#[tokio::test]
async fn what_a_visitor_leaves_when_nobody_is_there_reaches_the_site() {
    const OFFLINE: &str = r#"{ "id": "welcome", "name": "Talk", "cards": [
        { "id": "agent", "card": "liveChat", "fallbackText": "Nobody is there", "fallback": "mail", "next": "end" },
        { "id": "mail", "card": "capture", "field": "email", "text": "Your address?" },
        { "id": "about", "card": "capture", "field": "text", "attribute": "question", "text": "What is it about?" },
        { "id": "end", "card": "end", "text": "Goodbye" }
    ] }"#;
    let folder = tempfile::tempdir().unwrap();
    let site =
        "key = \"shop\"\ntitle = \"Shop\"\norigins = [\"https://shop.example\"]\nmissed_chats_to = \"desk@shop.example\"\n";
    let dir = folder.path().display().to_string();
    let app = TestApp::init()
        .with_site(site)
        .with_conversation(OFFLINE)
        .with_settings(|settings| {
            settings.mail_dir = dir;
            settings.mail_from = FROM.to_owned();
        })
        .start_only()
        .await;
    let agent = add_agent(&app, 1, Role::Agent).await;
    let visitor = app.visitor().await;
    let (html, form) = visitor.open().await;
    assert!(html.contains("Nobody is there"));
    let (_, form) = visitor.go_on(&form, "ada@example.com").await;
    assert!(sent(&app, folder.path()).await.is_empty(), "it is not all there yet");
    visitor.go_on(&form, "The price\nof a bell").await;
    let mails = sent(&app, folder.path()).await;
    assert_eq!(mails.len(), 1);
    for part in ["To: desk@shop.example", "email: ada@example.com", "question: The price\n    of a bell", "Bot: Nobody is there"]
    {
        assert!(mails[0].contains(part), "{part} is not in\n{}", mails[0]);
    }
    // And the agents find it.
    let missed = app.get("/console/api/chats?queue=missed").header("cookie", &agent.cookie).send().await.unwrap();
    let missed = good(missed).await;
    assert_eq!((missed["total"].as_u64(), missed["chats"][0]["visitor"].as_str()), (Some(1), Some("ada@example.com")));
    assert!(!app.types().await.iter().any(|kind| kind.starts_with("livechat")), "no live chat came about");
}

/// A server that takes mail.
struct Smtp {
    address: std::net::SocketAddr,
    /// What it took.
    mails: mpsc::UnboundedReceiver<String>,
    /// How often it was offered one.
    offered: Arc<AtomicU32>,
}

/// One that says to some commands what is said here, and to the others that all is well.
async fn smtp(answers: &'static [(&'static str, &'static str)]) -> Smtp {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (pass_on, mails) = mpsc::unbounded_channel();
    let offered = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&offered);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (read, mut write) = stream.into_split();
            let mut lines = BufReader::new(read).lines();
            write.write_all(b"220 here\r\n").await.unwrap();
            let (mut mail, mut reads_mail) = (String::new(), false);
            while let Ok(Some(line)) = lines.next_line().await {
                if reads_mail && line != "." {
                    mail += &format!("{line}\n");
                    continue;
                }
                let command = if reads_mail { "." } else { line.split([' ', ':']).next().unwrap() };
                if command == "MAIL" {
                    count.fetch_add(1, Ordering::SeqCst);
                }
                let answer = answers.iter().find(|(known, _)| *known == command).map(|(_, answer)| *answer);
                let answer = answer.unwrap_or(match command {
                    "DATA" => "354 go on",
                    "QUIT" => "221 bye",
                    _ => "250 good",
                });
                if reads_mail && answer.starts_with('2') {
                    pass_on.send(std::mem::take(&mut mail)).unwrap();
                }
                reads_mail = command == "DATA" && answer.starts_with('3');
                write.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
            }
        }
    });
    Smtp { address, mails, offered }
}

/// A chat whose transcript is asked for.
async fn asked(address: std::net::SocketAddr) -> TestApp {
    let app = TestApp::init()
        .with_conversation(TALK)
        .with_settings(|settings| {
            settings.smtp_url = format!("smtp://{address}");
            settings.mail_from = FROM.to_owned();
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
    good(visitor.answer_with(&filled(&form, &[]), &[("do", "transcript"), ("email", "ada@example.com")]).await).await;
    app
}

#[tokio::test]
async fn a_letter_is_handed_in_at_a_server() {
    let Smtp { address, mut mails, .. } = smtp(&[]).await;
    let app = asked(address).await;
    app.postman.as_ref().unwrap().deliver().await.unwrap();
    let mail = mails.recv().await.unwrap();
    assert!(mail.contains("To: ada@example.com") && mail.contains("Agent 1 has joined the chat"), "{mail}");
    app.postman.as_ref().unwrap().deliver().await.unwrap();
    assert!(mails.try_recv().is_err(), "sent is sent");
}

#[tokio::test]
async fn a_letter_that_cannot_be_sent_now_is_tried_again_and_given_up_after_three_days() {
    let Smtp { address, mut mails, offered } = smtp(&[(".", "451 later")]).await;
    let app = asked(address).await;
    let postman = app.postman.clone().unwrap();
    let tried = async || {
        postman.deliver().await.unwrap();
        offered.load(Ordering::SeqCst)
    };
    assert_eq!(tried().await, 1);
    app.pass(SignedDuration::from_secs(59));
    assert_eq!(tried().await, 1, "not yet");
    app.pass(SignedDuration::from_secs(1));
    assert_eq!(tried().await, 2);
    app.pass(SignedDuration::from_secs(119));
    assert_eq!(tried().await, 2, "the next wait is twice as long");
    app.pass(SignedDuration::from_secs(1));
    assert_eq!(tried().await, 3);
    app.pass(SignedDuration::from_hours(72));
    assert_eq!(tried().await, 4);
    app.pass(SignedDuration::from_hours(72));
    assert_eq!(tried().await, 4, "given up");
    assert!(mails.try_recv().is_err());
}

#[tokio::test]
async fn a_letter_that_is_refused_for_good_is_not_tried_again() {
    let Smtp { address, offered, .. } = smtp(&[("RCPT", "550 unknown")]).await;
    let app = asked(address).await;
    for _ in 0..2 {
        app.postman.as_ref().unwrap().deliver().await.unwrap();
        assert_eq!(offered.load(Ordering::SeqCst), 1);
        app.pass(SignedDuration::from_hours(12));
    }
}

#[tokio::test]
async fn a_letter_about_somebody_who_was_erased_meanwhile_is_not_sent() {
    // A server that hears of a letter, and says nothing until it is told to.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = asked(address).await;
    let visitor = text(&app.log().await[0]["visitor"]);
    // Another letter of the same batch, which is due after it.
    let options = SqliteConnectOptions::new().filename(app.folder.path().join("porchlight.db"));
    let mut database = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query(
        "insert into mail (id, purpose, recipient, subject, body, made_at, due_at, visitor)
         select 'zz-other', 'meeting', 'ada@example.com', 'Booked', 'Hello', made_at, due_at, $1 from mail",
    )
    .bind(&visitor)
    .execute(&mut database)
    .await
    .unwrap();
    database.close().await.unwrap();
    let delivers = app.postman.as_ref().unwrap().deliver();
    let erases = async {
        // The first letter is under way: whoever sends it waits for a greeting.
        let (stream, _) = listener.accept().await.unwrap();
        let url = format!("http://{}/api/v1/visitors/{visitor}", app.address);
        good(reqwest::Client::new().delete(url).bearer_auth(&app.key).send().await.unwrap()).await;
        let (read, mut write) = stream.into_split();
        write.write_all(b"554 not today\r\n").await.unwrap();
        drop((read, write));
        // Now only a letter that is there no more could come.
        listener
    };
    let (delivered, listener) = tokio::join!(delivers, erases);
    delivered.unwrap();
    let came = futures_util::FutureExt::now_or_never(listener.accept());
    assert!(came.is_none(), "nobody else knocked");
}

#[tokio::test]
async fn wrong_settings_are_named() {
    let app = TestApp::init().start().await;
    let new = |change: &dyn Fn(&mut Settings)| {
        let mut settings = Settings::default();
        change(&mut settings);
        Postman::new(app.store.clone(), Outside::real(), &settings)
            .map(|postman| postman.is_some())
            .map_err(|error| error.to_string())
    };
    assert_eq!(new(&|_| {}), Ok(false));
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("new").display().to_string();
    assert!(new(&|settings| settings.mail_dir.clone_from(&dir)).unwrap_err().contains("mail_from"));
    assert_eq!(
        new(&|settings| {
            settings.mail_dir.clone_from(&dir);
            settings.mail_from = FROM.to_owned();
        }),
        Ok(true)
    );
    let secret = new(&|settings| {
        settings.smtp_url = "nonsense://user:hunter2@host".to_owned();
        settings.mail_from = FROM.to_owned();
    })
    .unwrap_err();
    assert!(secret.contains("smtp_url") && !secret.contains("hunter2"), "{secret}");
    let both = new(&|settings| {
        settings.smtp_url = "smtp://localhost".to_owned();
        settings.mail_dir.clone_from(&dir);
    });
    assert!(both.unwrap_err().contains("not both"));
}
