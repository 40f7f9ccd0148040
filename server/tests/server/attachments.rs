//! What visitors and agents send each other besides words.

use porchlight_domain::agent::Role;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::{
    app::{Form, TestApp, Visitor, filled, form_of, good, problem, text},
    sides::{Agent, Socket, TALK, add_agent, add_agent_of},
};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and what is in it";
const BOUNDARY: &str = "----between";

/// A form as a browser sends it with a file.
fn multipart(form: &Form, file: (&str, &[u8])) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in form {
        body.extend(format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes());
    }
    let (name, content) = file;
    let head = format!(
        "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\ncontent-type: application/octet-stream\r\n\r\n"
    );
    body.extend(head.bytes());
    body.extend(content);
    body.extend(format!("\r\n--{BOUNDARY}--\r\n").bytes());
    body
}

/// Sends a file in a chat.
pub(crate) async fn send(visitor: &Visitor<'_>, form: &Form, file: (&str, &[u8])) -> Response {
    let app = visitor.app;
    let request = app.post("/widget/v1/answers").header("accept", "application/json");
    let request = request.header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"));
    request.header("origin", format!("http://{}", app.address)).body(multipart(form, file)).send().await.unwrap()
}

/// A visitor whom an agent answers.
struct Chat<'a> {
    visitor: Visitor<'a>,
    form: Form,
    agent: Agent,
    desk: Socket,
    id: String,
}

async fn online(app: &TestApp) -> Chat<'_> {
    let agent = add_agent(app, 1, Role::Agent).await;
    let mut desk = Socket::desk(app, &agent).await;
    let visitor = app.visitor().await;
    visitor.open().await;
    let id = desk.offered().await;
    desk.ask(1, json!({ "do": "accept", "chat": id })).await;
    let (_, form) = visitor.open().await;
    Chat { visitor, form, agent, desk, id }
}

/// The address of the file in a piece of HTML.
fn address(html: &str) -> String {
    let start = html.find("/attachments/").unwrap();
    html[start..].split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_visitor_sends_a_file_and_the_agent_has_it() {
    let app = TestApp::init().with_conversation(TALK).start_only().await;
    let mut chat = online(&app).await;
    let answered = good(send(&chat.visitor, &chat.form, ("..\\my pläne.png", PNG)).await).await;
    let said = text(&answered["said"]);
    assert!(said.contains("my pläne.png") && said.contains("<img"), "{said}");
    let told = chat.desk.until(|told| told["said"]["lines"][0]["format"] == "file").await;
    let line = &told["said"]["lines"][0];
    assert_eq!((line["format"].as_str(), line["author"].as_str()), (Some("file"), Some("visitor")));
    assert!(text(&line["text"]).ends_with("/my pläne.png"));

    let file = app.get(&address(&said)).send().await.unwrap();
    let headers = file.headers().clone();
    assert_eq!(file.status(), StatusCode::OK);
    assert_eq!(headers["content-type"], "image/png");
    assert_eq!(headers["content-disposition"], "attachment; filename*=UTF-8''my%20pl%C3%A4ne.png");
    assert_eq!(headers["content-security-policy"], "default-src 'none'; sandbox; frame-ancestors 'none'");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert!(headers.get("set-cookie").is_none());
    assert_eq!(file.bytes().await.unwrap(), PNG);

    // Sent twice, said once.
    good(send(&chat.visitor, &chat.form, ("my pläne.png", PNG)).await).await;
    let (html, _) = chat.visitor.open().await;
    assert_eq!(html.matches("class=\"sent-file\"").count(), 1);
    let types = app.types().await;
    assert_eq!(types.iter().filter(|kind| *kind == "message.sent").count(), 1);
}

#[tokio::test]
async fn an_agent_sends_a_file_and_the_visitor_has_it() {
    let app = TestApp::init().with_conversation(TALK).start_only().await;
    let chat = online(&app).await;
    let message = chat.visitor.id();
    let upload = |name: &str, content: &[u8]| {
        let path = format!("/console/api/chats/{}/files?message={message}&name={name}", chat.id);
        let request = app.post(&path).header("cookie", &chat.agent.cookie).header("origin", format!("http://{}", app.address));
        request.body(content.to_vec()).send()
    };
    let line: Value = good(upload("a.txt", b"Hello").await.unwrap()).await;
    let again: Value = good(upload("a.txt", b"Hello").await.unwrap()).await;
    assert_eq!(line, again, "sent twice, said once");
    let (html, _) = chat.visitor.open().await;
    let file = app.get(&address(&html)).send().await.unwrap();
    assert_eq!(file.headers()["content-type"], "text/plain; charset=utf-8");
    assert_eq!(file.text().await.unwrap(), "Hello");
    app.import("key = \"other\"\ntitle = \"Other\"\norigins = []\n", &[]).await;
    for (number, role, site, status) in
        [(2, Role::Author, "shop", 403), (3, Role::Agent, "shop", 409), (4, Role::Agent, "other", 404)]
    {
        let other = add_agent_of(&app, number, role, site).await;
        let path = format!("/console/api/chats/{}/files?message={}&name=a.txt", chat.id, chat.visitor.id());
        let refused = app.post(&path).header("cookie", other.cookie).body("Hello").send().await.unwrap();
        assert_eq!(refused.status(), status, "{role} of {site}");
    }
    let transcript = app.get(&format!("/console/chats/{}/transcript.txt", chat.id)).header("cookie", &chat.agent.cookie);
    assert!(transcript.send().await.unwrap().text().await.unwrap().contains("Agent 1: a.txt\n"));
}

#[tokio::test]
async fn what_was_written_beside_a_file_is_said_first() {
    let app = TestApp::init().with_conversation(TALK).start_only().await;
    let chat = online(&app).await;
    let form = filled(&chat.form, &[("value", "Look at this")]);
    let said = text(&good(send(&chat.visitor, &form, ("a.pdf", b"%PDF-1.7")).await).await["said"]);
    let (words, file) = (said.find("Look at this").unwrap(), said.find("a.pdf").unwrap());
    assert!(words < file, "{said}");
}

#[tokio::test]
async fn a_form_without_a_file_is_a_message() {
    let app = TestApp::init().with_conversation(TALK).start_only().await;
    let chat = online(&app).await;
    let form = filled(&chat.form, &[("value", "Only words")]);
    let said = text(&good(send(&chat.visitor, &form, ("", b"")).await).await["said"]);
    assert!(said.contains("Only words") && !said.contains("sent-file"), "{said}");
}

#[tokio::test]
async fn what_may_not_be_sent_is_told_in_words_and_nothing_is_kept() {
    let app = TestApp::init()
        .with_conversation(TALK)
        .with_settings(|settings| {
            settings.attachment_limit_bytes = 2048;
            settings.attachments_per_chat = 1;
        })
        .start_only()
        .await;
    let chat = online(&app).await;
    let refused = async |form: &Form, name: &str, content: &[u8], words: &str| {
        let told = problem(send(&chat.visitor, form, (name, content)).await, 422, "invalid_answer").await;
        assert_eq!(told["message"], words);
    };
    let kinds = "Only pictures, PDF and text files can be sent.";
    refused(&chat.form, "a.html", b"<script>", kinds).await;
    refused(&chat.form, "a.png", b"<script>", kinds).await;
    refused(&chat.form, "a.txt", &[b'x'; 2049], "This file is larger than 0 MB.").await;
    let sent = good(send(&chat.visitor, &chat.form, ("a.txt", &[b'x'; 2048])).await).await;
    refused(&form_of(&text(&sent["card"])), "b.txt", b"b", "No more can be sent from this chat.").await;
    let (html, _) = chat.visitor.open().await;
    assert_eq!(html.matches("class=\"sent-file\"").count(), 1);

    // Far too large, it is not even read.
    let huge = send(&chat.visitor, &chat.form, ("a.txt", &vec![b'x'; 2_000_000])).await;
    problem(huge, 413, "too_large").await;
    // What stands beside a file has its own limit.
    let long = filled(&chat.form, &[("value", &"x".repeat(17_000))]);
    problem(send(&chat.visitor, &long, ("a.txt", b"a")).await, 413, "too_large").await;

    let message = chat.visitor.id();
    let upload = async |name: &str, content: &[u8]| {
        let path = format!("/console/api/chats/{}/files?message={message}&name={name}", chat.id);
        app.post(&path).header("cookie", &chat.agent.cookie).body(content.to_vec()).send().await.unwrap()
    };
    let told = problem(upload("a.exe", b"MZ").await, 422, "invalid_answer").await;
    assert!(text(&told["detail"]).contains("expected a PNG"), "{told}");
    problem(upload("a.txt", &[b'x'; 2049]).await, 422, "invalid_answer").await;
    problem(upload("a.txt", &[b'x'; 4096]).await, 413, "too_large").await;
    problem(upload("a.txt", b"b").await, 422, "invalid_answer").await;
}

#[tokio::test]
async fn without_a_chat_under_way_nothing_is_sent() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    let (_, form) = visitor.open().await;
    let answered = send(&visitor, &filled(&form, &[("value", "price")]), ("a.txt", b"Hello")).await;
    assert!(!text(&good(answered).await["said"]).contains("sent-file"), "the card was answered, and the file left out");
}
