//! Who may do what: every route of the server, and everything that can be done in a chat, against everybody who may try.
//!
//! The routes are read from the server's source. One that is not in the table fails the test; so does one of the table that is no more.

use std::{collections::BTreeSet, fs, path::Path, process::Stdio, time::Duration};

use porchlight_app::console::wire::{Ask, Team};
use porchlight_domain::{
    agent::Role,
    id::{AgentId, AnswerId, ChatId},
};
use porchlight_server::{
    mail::Purpose,
    realtime::Frame,
    store::{Command, Failure, Tx},
};
use reqwest::{Client, Method, redirect};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::{
    app::{ORIGIN, PAGE, TestApp, good, text},
    sides::{Agent, Socket, TALK, add_agent, add_agent_of, kept, stay},
};

/// Those who try, and whose chat it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Nobody,
    OtherVisitor,
    VisitorElsewhere,
    AgentElsewhere,
    Author,
    Agent,
    Administrator,
    /// The visitor of the chat.
    Visitor,
}

/// Those who try. The last three are of the site the chat is on.
const ALL: [Who; 7] =
    [Who::Nobody, Who::OtherVisitor, Who::VisitorElsewhere, Who::AgentElsewhere, Who::Author, Who::Agent, Who::Administrator];

/// What the visitor of the chat says, which nobody else may read but those who look after the chat.
const SECRET: &str = "canary-5f2c";

/// What is sent.
enum Body {
    None,
    Json(Value),
    Form(&'static [(&'static str, &'static str)]),
    /// What the panel's form sends, with the token of whoever tries.
    Panel,
    /// The same, to do something.
    Act(&'static str),
    /// The file that was sent in the chat is asked for by its id, which whoever was sent it knows.
    File,
    /// What the loader sends, with that token.
    Loader,
}

/// What the answers are, in the order of [`ALL`].
type Answers = [u16; 7];

/// Anybody may.
const fn anybody(status: u16) -> Answers {
    [status; 7]
}

/// A page for those who are signed in; others are sent to sign in.
const fn page(elsewhere: u16, author: u16, agent: u16, administrator: u16) -> Answers {
    [303, 303, 303, elsewhere, author, agent, administrator]
}

/// What a program asks for those who are signed in.
const fn signed_in(elsewhere: u16, author: u16, agent: u16, administrator: u16) -> Answers {
    [401, 401, 401, elsewhere, author, agent, administrator]
}

/// Nobody, but for those who have a key of the API: being signed in as whoever is none.
const BY_KEY: Answers = [401; 7];

fn table() -> Vec<(&'static str, &'static str, Body, Answers)> {
    use Body::{Act, File, Form, Json, Loader, None, Panel};
    let hours = Form(&[("time_zone", "Europe/Berlin"), ("hours", "")]);
    let response = Form(&[("site", "shop"), ("shortcut", "hi"), ("text", "Hello"), ("do", "keep")]);
    let team = Form(&[("site", "shop"), ("id", "sales"), ("name", "Sales")]);
    let invited = Form(&[("name", "New"), ("email", "new@example.com"), ("role", "agent"), ("sites", "shop")]);
    let changed = Form(&[("name", "Ada"), ("role", "agent"), ("sites", "shop"), ("do", "save")]);
    let hours_for_meetings = Form(&[("time_zone", "Europe/Berlin"), ("hours", "monday 09:00-17:00")]);
    let endpoint = Form(&[
        ("site", "shop"),
        ("name", "CRM"),
        ("url", "https://hooks.example.com"),
        ("kind", "standard"),
        ("type", "widget.loaded"),
    ]);
    let typing = |chat: &str| Json(json!({ "id": 1, "do": "typing", "chat": chat }));
    vec![
        ("GET", "/healthz", None, anybody(200)),
        ("GET", "/readyz", None, anybody(200)),
        ("GET", "/porchlight.js", None, anybody(200)),
        ("GET", "/porchlight.d.ts", None, anybody(200)),
        ("GET", "/schema/conversation.json", None, anybody(200)),
        ("GET", "/api", None, anybody(200)),
        ("GET", "/api/openapi.json", None, anybody(200)),
        ("GET", "/assets/{name}", None, anybody(404)),
        ("GET", "/files/{site}/{name}", None, anybody(200)),
        // The id is the secret: whoever has it was sent it; with another there is nothing.
        ("GET", "/attachments/{id}", None, anybody(404)),
        ("GET", "/attachments/{id}", File, anybody(200)),
        // The widget: a token says whose conversation it is, so whoever has one sees their own. Nobody has none.
        ("POST", "/widget/v1/start", Loader, anybody(200)),
        ("POST", "/widget/v1/events", Loader, [401, 200, 200, 401, 401, 401, 401]),
        ("POST", "/widget/panel", Panel, [401, 200, 200, 401, 401, 401, 401]),
        ("POST", "/widget/v1/answers", Panel, [401, 200, 200, 401, 401, 401, 401]),
        // In their own conversations: elsewhere nobody was there, so there is no chat; and nobody has answered any of them.
        ("POST", "/widget/v1/answers", Act("answer"), [401, 200, 409, 401, 401, 401, 401]),
        ("POST", "/widget/v1/answers", Act("transcript"), [401, 409, 409, 401, 401, 401, 401]),
        ("POST", "/widget/v1/answers", Act("end"), [401, 200, 409, 401, 401, 401, 401]),
        ("GET", "/widget/v1/socket", None, anybody(400)),
        // The console.
        ("GET", "/console", None, page(200, 200, 200, 200)),
        ("GET", "/console/chats/{id}", None, page(404, 200, 200, 200)),
        ("GET", "/console/chats/{id}/transcript.txt", None, page(404, 200, 200, 200)),
        ("GET", "/console/sign-in", None, [200, 200, 200, 303, 303, 303, 303]),
        ("POST", "/console/sign-in", Form(&[("email", "agent1@example.com"), ("password", "wrong")]), anybody(401)),
        ("POST", "/console/sign-out", None, page(303, 303, 303, 303)),
        ("GET", "/console/join", None, anybody(200)),
        (
            "POST",
            "/console/join",
            Form(&[("token", "wrong"), ("name", "X"), ("password", "correct horse battery")]),
            anybody(400),
        ),
        ("GET", "/console/agents", None, page(403, 403, 403, 200)),
        ("POST", "/console/agents", invited, page(403, 403, 403, 200)),
        ("POST", "/console/agents/{id}", changed, page(403, 403, 403, 303)),
        ("GET", "/console/teams", None, page(403, 200, 403, 200)),
        ("POST", "/console/teams", team, page(403, 303, 403, 303)),
        ("GET", "/console/responses", None, page(200, 200, 200, 200)),
        ("POST", "/console/responses", response, page(403, 303, 403, 303)),
        ("GET", "/console/availability", None, page(200, 200, 200, 200)),
        ("POST", "/console/availability", hours, page(303, 303, 303, 303)),
        ("GET", "/console/socket", None, signed_in(400, 400, 400, 400)),
        ("GET", "/console/events", None, signed_in(200, 403, 200, 200)),
        // What comes of it is in its words: see below.
        ("POST", "/console/api/do", typing("00000000-0000-7000-8000-000000000000"), signed_in(200, 200, 200, 200)),
        ("GET", "/console/api/chats", None, signed_in(200, 200, 200, 200)),
        ("GET", "/console/api/chats/{id}", None, signed_in(404, 200, 200, 200)),
        ("POST", "/console/api/chats/{id}/notes", Json(json!({ "text": "note" })), signed_in(404, 403, 200, 200)),
        ("PUT", "/console/api/chats/{id}/tags", Json(json!({ "tags": ["tag"] })), signed_in(404, 403, 204, 204)),
        // Without a name and an id of the message; who may send with them is in attachments.rs.
        ("POST", "/console/api/chats/{id}/files", None, signed_in(400, 400, 400, 400)),
        ("POST", "/console/api/chats/{id}/transcript", Json(json!({ "to": "x@example.com" })), signed_in(404, 403, 202, 202)),
        ("GET", "/console/callbacks", None, page(200, 200, 200, 200)),
        ("POST", "/console/callbacks/{id}", Form(&[("do", "claim")]), page(404, 403, 404, 404)),
        ("GET", "/console/meetings", None, page(200, 200, 200, 200)),
        ("POST", "/console/meetings/{id}", Form(&[("do", "cancel")]), page(404, 403, 404, 404)),
        ("GET", "/console/calendar", None, page(200, 200, 200, 200)),
        ("POST", "/console/availability/meetings", hours_for_meetings, page(303, 403, 303, 303)),
        ("POST", "/console/availability/feed", None, page(200, 403, 200, 200)),
        ("GET", "/console/surveys", None, page(200, 200, 200, 200)),
        ("GET", "/console/surveys.csv", None, page(200, 200, 200, 200)),
        ("GET", "/console/analytics", None, page(403, 200, 403, 200)),
        ("GET", "/console/analytics.csv", None, page(403, 400, 403, 400)),
        ("GET", "/console/analytics/funnel", None, page(403, 404, 403, 404)),
        ("GET", "/console/export", None, page(403, 403, 403, 200)),
        // Without the fields of its form; what is in the file is in export.rs.
        ("GET", "/console/export/events", None, page(400, 400, 400, 400)),
        ("GET", "/console/accounts", None, page(403, 200, 403, 200)),
        // Without the parts of its form; whose accounts they may be is in calendars.rs.
        ("POST", "/console/accounts", None, page(400, 400, 400, 400)),
        ("GET", "/console/keys", None, page(403, 403, 403, 200)),
        ("POST", "/console/keys", Form(&[("name", "crm")]), page(403, 403, 403, 200)),
        ("POST", "/console/keys/{id}/revoke", None, page(403, 403, 403, 404)),
        ("GET", "/console/webhooks", None, page(403, 403, 403, 200)),
        ("POST", "/console/webhooks", endpoint, page(403, 403, 403, 303)),
        ("GET", "/console/webhooks/{id}", None, page(403, 403, 403, 404)),
        ("POST", "/console/webhooks/{id}", Form(&[("do", "secret")]), page(403, 403, 403, 404)),
        ("GET", "/console/webhooks/{id}/remove", None, page(403, 403, 403, 404)),
        // Of visitors: the chat's id is none of theirs.
        ("GET", "/console/visitors", None, page(403, 403, 403, 200)),
        ("GET", "/console/visitors/{id}", None, page(403, 403, 403, 404)),
        ("GET", "/console/visitors/{id}/export", None, page(403, 403, 403, 404)),
        ("GET", "/console/visitors/{id}/erase", None, page(403, 403, 403, 404)),
        ("POST", "/console/visitors/{id}/erase", None, page(403, 403, 403, 404)),
        ("GET", "/console/audit", None, page(403, 403, 403, 200)),
        // The signature says that the address was sent to whoever has it.
        ("GET", "/meetings/{id}/{signature}", None, anybody(404)),
        ("POST", "/meetings/{id}/{signature}", Form(&[("do", "cancel")]), anybody(404)),
        ("GET", "/meetings/{id}/{signature}/meeting.ics", None, anybody(404)),
        ("GET", "/feeds/{secret}/meetings.ics", None, anybody(404)),
        // The API: by key only.
        ("GET", "/api/v1/events", None, BY_KEY),
        ("GET", "/api/v1/events/{id}", None, BY_KEY),
        ("GET", "/api/v1/events/stream", None, BY_KEY),
        ("GET", "/api/v1/events/export", None, BY_KEY),
        ("GET", "/api/v1/visitors", None, BY_KEY),
        ("GET", "/api/v1/visitors/{id}", None, BY_KEY),
        ("GET", "/api/v1/visitors/{id}/transcripts", None, BY_KEY),
        ("GET", "/api/v1/transcripts", None, BY_KEY),
        ("GET", "/api/v1/transcripts/{chat}", None, BY_KEY),
        ("GET", "/api/v1/sessions", None, BY_KEY),
        ("GET", "/api/v1/sessions/{id}", None, BY_KEY),
        ("GET", "/api/v1/meetings", None, BY_KEY),
        ("GET", "/api/v1/meetings/{id}", None, BY_KEY),
        ("GET", "/api/v1/callbacks", None, BY_KEY),
        ("GET", "/api/v1/callbacks/{id}", None, BY_KEY),
        ("GET", "/api/v1/surveys", None, BY_KEY),
        ("GET", "/api/v1/surveys/{id}", None, BY_KEY),
        ("GET", "/api/v1/agents", None, BY_KEY),
        ("GET", "/api/v1/agents/{id}", None, BY_KEY),
        ("GET", "/api/v1/teams", None, BY_KEY),
        ("GET", "/api/v1/audit", None, BY_KEY),
        ("GET", "/api/v1/analytics", None, BY_KEY),
        ("GET", "/api/v1/analytics/funnel", None, BY_KEY),
        ("GET", "/api/v1/visitors/{id}/export", None, BY_KEY),
        ("DELETE", "/api/v1/visitors/{id}", None, BY_KEY),
        ("GET", "/api/v1/sites", None, BY_KEY),
        ("GET", "/api/v1/sites/{site}", None, BY_KEY),
        ("PUT", "/api/v1/sites/{site}", Json(json!({})), BY_KEY),
        ("GET", "/api/v1/sites/{site}/conversations", None, BY_KEY),
        ("GET", "/api/v1/sites/{site}/conversations/{id}", None, BY_KEY),
        ("PUT", "/api/v1/sites/{site}/conversations/{id}", Json(json!({})), BY_KEY),
        ("DELETE", "/api/v1/sites/{site}/conversations/{id}", None, BY_KEY),
        ("POST", "/api/v1/sites/{site}/conversations/{id}/publish", None, BY_KEY),
        ("POST", "/api/v1/sites/{site}/conversations/{id}/unpublish", None, BY_KEY),
        ("GET", "/api/v1/sites/{site}/conversations/{id}/versions", None, BY_KEY),
        ("GET", "/api/v1/sites/{site}/conversations/{id}/versions/{version}", None, BY_KEY),
        ("GET", "/api/v1/sites/{site}/files", None, BY_KEY),
        ("PUT", "/api/v1/sites/{site}/files/{name}", None, BY_KEY),
        ("DELETE", "/api/v1/sites/{site}/files/{name}", None, BY_KEY),
        ("GET", "/api/v1/webhooks", None, BY_KEY),
        ("POST", "/api/v1/webhooks", Json(json!({})), BY_KEY),
        ("GET", "/api/v1/webhooks/{id}", None, BY_KEY),
        ("PUT", "/api/v1/webhooks/{id}", Json(json!({})), BY_KEY),
        ("DELETE", "/api/v1/webhooks/{id}", None, BY_KEY),
        ("POST", "/api/v1/webhooks/{id}/enable", None, BY_KEY),
        ("POST", "/api/v1/webhooks/{id}/disable", None, BY_KEY),
        ("GET", "/api/v1/webhooks/{id}/secret", None, BY_KEY),
        ("POST", "/api/v1/webhooks/{id}/rotate-secret", None, BY_KEY),
        ("POST", "/api/v1/webhooks/{id}/test", None, BY_KEY),
        ("GET", "/api/v1/webhooks/{id}/attempts", None, BY_KEY),
        ("POST", "/api/v1/webhooks/{id}/replay", Json(json!({})), BY_KEY),
    ]
}

/// The routes as the source has them: method and path.
fn routes(folder: &Path, found: &mut BTreeSet<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            routes(&path, found);
        } else {
            let source = fs::read_to_string(path).unwrap();
            for rest in source.split(".route(\"").skip(1) {
                let (route, rest) = rest.split_once('"').unwrap();
                // Up to the next route, or the end of the router.
                let handlers = rest.split(".route(").next().unwrap().split("\n}").next().unwrap();
                for method in ["get", "post", "put", "delete", "patch", "any"] {
                    if handlers.contains(&format!(" {method}(")) || handlers.contains(&format!(".{method}(")) {
                        found.insert((method.to_uppercase(), route.to_owned()));
                    }
                }
            }
            // The API's are told where their handlers are: the method first.
            for rest in source.split("#[utoipa::path(").skip(1) {
                let method = rest.split(',').next().unwrap().trim();
                let route = rest.split("path = \"").nth(1).unwrap().split('"').next().unwrap();
                found.insert((method.to_uppercase(), route.to_owned()));
            }
        }
    }
}

#[test]
fn the_table_has_every_route() {
    let mut found = BTreeSet::new();
    routes(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http"), &mut found);
    let known: BTreeSet<_> = table().into_iter().map(|(method, route, ..)| (method.to_owned(), route.to_owned())).collect();
    assert_eq!(found, known);
}

/// A chat that an agent of the site holds, and everybody who may try to do something with it.
struct Scene {
    app: TestApp,
    chat: String,
    /// The id of a file that was sent in it.
    file: String,
    /// The agent who holds it.
    holder: Agent,
    agents: Vec<(Who, Agent)>,
    visitors: Vec<(Who, Value)>,
    browser: Client,
}

impl Scene {
    async fn set() -> Self {
        let with_mail = TestApp::init().with_conversation(TALK).with_settings(|settings| {
            // All of them ask without a key, from one address.
            settings.api_guesses_per_minute = 1000;
            // Nothing is sent: nobody delivers.
            settings.smtp_url = "smtp://localhost".to_owned();
            settings.mail_from = "Shop <chat@shop.example>".to_owned();
        });
        let app = with_mail.start_only().await;
        app.import("key = \"other\"\ntitle = \"Other\"\norigins = [\"https://shop.example\"]\n", &[TALK.to_owned()]).await;
        let holder = add_agent(&app, 1, Role::Agent).await;
        let mut desk = Socket::desk(&app, &holder).await;
        let visitor = app.visitor().await;
        let (_, form) = visitor.open().await;
        let chat = desk.offered().await;
        visitor.answer(&form, SECRET).await;
        desk.ask(1, json!({ "do": "accept", "chat": chat })).await;
        let upload = app.post(&format!("/console/api/chats/{chat}/files?message={}&name=a.txt", visitor.id()));
        good(upload.header("cookie", &holder.cookie).body("Hello").send().await.unwrap()).await;
        let (html, _) = visitor.open().await;
        let file = html.split("\"/attachments/").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let agents = vec![
            (Who::AgentElsewhere, add_agent_of(&app, 2, Role::Agent, "other").await),
            (Who::Author, add_agent(&app, 3, Role::Author).await),
            (Who::Agent, add_agent(&app, 4, Role::Agent).await),
            (Who::Administrator, add_agent(&app, 5, Role::Administrator).await),
        ];
        let mut visitors = vec![(Who::Visitor, json!({ "token": visitor.token, "view": visitor.view }))];
        for (who, site) in [(Who::OtherVisitor, "shop"), (Who::VisitorElsewhere, "other")] {
            let begun = json!({ "site": site, "page": PAGE, "locale": "en-GB" });
            visitors.push((who, good(app.send("/widget/v1/start", &begun).await).await));
        }
        let browser = Client::builder().redirect(redirect::Policy::none()).build().unwrap();
        Self { app, chat, file, holder, agents, visitors, browser }
    }

    fn cookie(&self, who: Who) -> Option<&str> {
        self.agents.iter().find(|(known, _)| *known == who).map(|(_, agent)| agent.cookie.as_str())
    }

    /// What a visitor's page was told when it began; somebody else makes a token up.
    fn page(&self, who: Who) -> (String, String) {
        let begun = self.visitors.iter().find(|(known, _)| *known == who).map(|(_, begun)| begun);
        begun.map_or_else(
            || ("A".repeat(43), "01890000-0000-7000-8000-000000000000".to_owned()),
            |begun| (text(&begun["token"]), text(&begun["view"])),
        )
    }

    /// The connection of a panel.
    async fn panel(&self, who: Who) -> Socket {
        let mut socket = Socket::open(self.app.address, "/widget/v1/socket", &[]).await.unwrap();
        let (token, view) = self.page(who);
        socket.say(&json!({ "token": token, "view": view, "page": PAGE, "conversation": "welcome", "locale": "en" })).await;
        socket
    }

    /// How many letters were written with the transcript of the chat.
    async fn letters(&self) -> u32 {
        self.app.store.look(Letters(self.chat.parse().unwrap())).await.unwrap()
    }

    async fn try_it(&self, who: Who, method: &str, route: &str, body: &Body) -> (u16, String) {
        let id = if route.contains("agents") { self.holder.id.to_string() } else { self.chat.clone() };
        let id = if route.contains("/api/v1/") { "welcome".to_owned() } else { id };
        let id = if matches!(body, Body::File) { self.file.clone() } else { id };
        let name = if route.starts_with("/assets") { "none.js" } else { "guide.pdf" };
        let path = route.replace("{id}", &id).replace("{site}", "shop").replace("{name}", name).replace("{version}", "1");
        let path = if path == "/console/api/chats" { format!("{path}?queue=all") } else { path };
        let own = format!("http://{}", self.app.address);
        let mut request = self.browser.request(Method::from_bytes(method.as_bytes()).unwrap(), format!("{own}{path}"));
        if let Some(cookie) = self.cookie(who) {
            request = request.header("cookie", cookie);
        }
        let (token, view) = self.page(who);
        if !matches!(who, Who::Nobody) {
            request = request.bearer_auth(&token);
        }
        let is_loaders = matches!(body, Body::Loader) || route == "/widget/panel";
        request = request.header("origin", if is_loaders { ORIGIN } else { &own });
        request = match body {
            Body::None | Body::File => request,
            Body::Json(json) => request.body(json.to_string()),
            Body::Form(form) => request.form(form),
            Body::Panel | Body::Act(_) => {
                // Each act has a name of its own; the same would count as sent again.
                let (act, id) = match body {
                    Body::Act("answer") => ("answer", "01890000-0000-7000-8000-000000000001"),
                    Body::Act("transcript") => ("transcript", "01890000-0000-7000-8000-000000000002"),
                    Body::Act(act) => (*act, "01890000-0000-7000-8000-000000000003"),
                    _ => ("refresh", "01890000-0000-7000-8000-000000000004"),
                };
                request.header("accept", "application/json").form(&[
                    ("token", token.as_str()),
                    ("view", &view),
                    ("after", "0"),
                    ("page", PAGE),
                    ("conversation", "welcome"),
                    ("locale", "en"),
                    ("theme", "auto"),
                    ("have", "0"),
                    ("id", id),
                    ("turn", "1"),
                    ("card", "agent"),
                    ("value", "Hello"),
                    ("email", "x@example.com"),
                    ("do", act),
                ])
            }
            Body::Loader => request.body(
                json!({ "site": "shop", "page": PAGE, "token": token, "view": view, "session": null, "after": 0, "reports": [] })
                    .to_string(),
            ),
        };
        let mut response = request.send().await.unwrap();
        let status = response.status().as_u16();
        // A stream has no end: what it says first is enough.
        let streams = response.headers().get("content-type").is_some_and(|kind| kind == "text/event-stream");
        let said = if streams {
            String::from_utf8_lossy(&response.chunk().await.unwrap().unwrap()).into_owned()
        } else {
            String::from_utf8_lossy(&response.bytes().await.unwrap()).into_owned()
        };
        (status, said)
    }
}

#[tokio::test]
async fn every_route_lets_in_whom_it_should_and_nobody_else() {
    let mut wrong = Vec::new();
    for (method, route, body, expected) in table() {
        // Some of what is tried changes what the next would find.
        let changes = method != "GET" && (route.starts_with("/console/s") || route == "/console/join");
        let mut scene = Scene::set().await;
        for (who, expected) in ALL.into_iter().zip(expected) {
            if changes {
                scene = Scene::set().await;
            }
            if route == "/widget/v1/answers" {
                // Who answers has opened the panel.
                scene.try_it(who, "POST", "/widget/panel", &Body::Panel).await;
            }
            let (status, said) = scene.try_it(who, method, route, &body).await;
            if status != expected {
                wrong.push(format!("{method} {route} by {who:?}: {status}, not {expected}: {said:.200}"));
            }
            let may_read = matches!(who, Who::Author | Who::Agent | Who::Administrator);
            if [SECRET, &scene.file].iter().any(|secret| said.contains(secret)) && !may_read {
                wrong.push(format!("{method} {route} tells {who:?} what was said"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

struct Letters(ChatId);

impl Command for Letters {
    type Done = u32;
    type Refusal = ();

    async fn run(self, tx: &mut Tx<'_>) -> Result<u32, Failure<()>> {
        Ok(tx.mails_of(self.0, Purpose::Transcript).await?)
    }
}

#[tokio::test]
async fn by_the_form_a_visitor_reaches_only_their_own_chat() {
    let scene = Scene::set().await;
    let before = kept(&scene.app, &scene.chat).await;
    let events = async || {
        let log = scene.app.log().await;
        log.iter().filter(|event| event["data"]["chat"] == scene.chat.as_str()).count()
    };
    let (events_before, acts) = (events().await, ["answer", "transcript", "end"]);
    for who in ALL {
        scene.try_it(who, "POST", "/widget/panel", &Body::Panel).await;
        for act in acts {
            scene.try_it(who, "POST", "/widget/v1/answers", &Body::Act(act)).await;
        }
    }
    assert_eq!(kept(&scene.app, &scene.chat).await, before, "nothing came of it in the chat");
    assert_eq!((events().await, scene.letters().await), (events_before, 0));

    // Whose chat it is does all of it.
    for act in acts {
        let (status, said) = scene.try_it(Who::Visitor, "POST", "/widget/v1/answers", &Body::Act(act)).await;
        assert_eq!(status, 200, "{act}: {said}");
    }
    assert!(kept(&scene.app, &scene.chat).await.chat.is_over());
    assert_eq!((events().await, scene.letters().await), (events_before + 2, 1), "a message, an end and a letter");
}

#[tokio::test]
async fn a_file_is_had_by_whoever_was_sent_its_id_and_found_by_nobody() {
    let scene = Scene::set().await;
    let Scene { file, .. } = &scene;
    assert_eq!(file.len(), 43, "256 random bits");
    let (_, said) = scene.try_it(Who::Nobody, "GET", "/attachments/{id}", &Body::File).await;
    assert_eq!(said, "Hello");
    let other = if file.starts_with('A') { "B" } else { "A" };
    for guess in [&file[..42], &format!("{other}{}", &file[1..]), &file.to_uppercase(), "%", "_", &scene.chat] {
        let status = scene.app.get(&format!("/attachments/{guess}")).send().await.unwrap().status();
        assert_eq!(status, 404, "{guess}");
    }
}

/// What each agent is told who asks for something, in the order [`Who::AgentElsewhere`], [`Who::Author`], [`Who::Agent`], [`Who::Administrator`], and
/// last the agent who holds the chat. A new thing to ask fails to compile here until it is said who may.
fn expected(ask: &Ask) -> [&'static str; 5] {
    match ask {
        // It is not offered to anybody; the holder has it already.
        Ask::Accept { .. } => ["not_found", "forbidden", "not_offered", "not_offered", "done"],
        Ask::Decline { .. } => ["not_found", "forbidden", "not_offered", "not_offered", "not_offered"],
        Ask::Say { .. } | Ask::Typing { .. } | Ask::Seen { .. } => ["not_found", "forbidden", "not_yours", "not_yours", "done"],
        // The agent who has nothing to do with it is at their desk, and alone in the team.
        Ask::Transfer { team: Some(team), .. } if team.as_str() == "nobody" => {
            ["not_found", "forbidden", "not_yours", "not_yours", "no_such_agent"]
        }
        Ask::Transfer { .. } => ["not_found", "forbidden", "not_yours", "not_yours", "done"],
        Ask::End { .. } => ["not_found", "forbidden", "not_yours", "not_yours", "done"],
        Ask::Available { .. } => ["done", "forbidden", "done", "done", "done"],
    }
}

struct AddTeam(&'static str, Vec<AgentId>);

impl Command for AddTeam {
    type Done = ();
    type Refusal = ();

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<()>> {
        let Self(id, members) = self;
        let team = Team { site: "shop".parse().unwrap(), id: id.parse().unwrap(), name: id.to_owned() };
        Ok(tx.put_team(&team, &members).await?)
    }
}

#[tokio::test]
async fn in_a_chat_only_its_agent_does_anything() {
    let scene = Scene::set().await;
    let chat: ChatId = scene.chat.parse().unwrap();
    let somebody = &scene.agents[2].1;
    stay(&scene.app, &[somebody], 60).await;
    for (team, members) in [("sales", vec![somebody.id]), ("nobody", vec![])] {
        scene.app.store.commit(AddTeam(team, members)).await.unwrap();
    }
    let message: AnswerId = "01890000-0000-7000-8000-000000000009".parse().unwrap();
    let asks = [
        Ask::Accept { chat },
        Ask::Decline { chat },
        Ask::Say { chat, message, text: "Hello".to_owned() },
        Ask::Typing { chat },
        Ask::Seen { chat, number: 1 },
        Ask::Transfer { chat, agent: Some(somebody.id), team: None },
        Ask::Transfer { chat, agent: None, team: Some("sales".parse().unwrap()) },
        Ask::Transfer { chat, agent: None, team: Some("nobody".parse().unwrap()) },
        Ask::Available { on: true },
        // Last: after it there is nothing to do.
        Ask::End { chat },
    ];
    let mut who: Vec<&Agent> = scene.agents.iter().map(|(_, agent)| agent).collect();
    who.push(&scene.holder);
    let mut wrong = Vec::new();
    for ask in asks {
        for (agent, expected) in who.iter().zip(expected(&ask)) {
            let mut asked = serde_json::to_value(&ask).unwrap();
            asked["id"] = 7.into();
            let request = scene.app.post("/console/api/do").header("cookie", &agent.cookie);
            let told = good(
                request.header("origin", format!("http://{}", scene.app.address)).body(asked.to_string()).send().await.unwrap(),
            );
            let told = told.await;
            let found = told["refused"]["code"].as_str().unwrap_or("done");
            if found != expected || (found == "done") != told["done"]["id"].is_u64() {
                wrong.push(format!("{asked}: {told}, not {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Everything that a visitor's panel can say on its connection. The last ends the chat.
fn frames() -> [Frame; 5] {
    let id = |last: char| -> AnswerId { format!("01890000-0000-7000-8000-00000000000{last}").parse().unwrap() };
    [
        Frame::Say { id: id('a'), text: "Hello".to_owned() },
        Frame::Typing(true),
        Frame::Seen(1),
        Frame::Here { page: Some(PAGE.to_owned()), after: Some(0) },
        Frame::End(id('b')),
    ]
}

/// Whether a frame is answered. A new one fails to compile here until that is said; it is to be tried as well.
const fn is_answered(frame: &Frame) -> bool {
    match frame {
        Frame::Say { .. } | Frame::End(_) => true,
        Frame::Typing(_) | Frame::Seen(_) | Frame::Here { .. } => false,
    }
}

#[tokio::test]
async fn on_their_connection_a_visitor_reaches_only_their_own_chat() {
    let scene = Scene::set().await;
    let before = kept(&scene.app, &scene.chat).await;
    let mut desk = Socket::desk(&scene.app, &scene.holder).await;
    for who in [Who::Nobody, Who::OtherVisitor, Who::VisitorElsewhere] {
        let mut socket = scene.panel(who).await;
        for frame in frames() {
            // The connection of nobody is closed.
            if socket.try_say(&serde_json::to_value(frame).unwrap()).await.is_err() {
                break;
            }
        }
        let told = socket.rest().await;
        assert!(!told.iter().any(|told| told.to_string().contains(SECRET) || told.get("done").is_some()), "{who:?}: {told:?}");
        let refused = told.iter().filter(|told| told.get("refused").is_some()).count();
        let expected = if who == Who::Nobody { 0 } else { frames().iter().filter(|frame| is_answered(frame)).count() };
        assert_eq!(refused, expected, "{who:?}: {told:?}");
        assert_eq!(told.iter().any(|told| told.get("bad").is_some()), who == Who::Nobody, "{who:?}: {told:?}");
    }
    assert_eq!(kept(&scene.app, &scene.chat).await, before, "nothing came of it in the chat");
    let told = desk.ask(1, json!({ "do": "typing", "chat": scene.chat })).await;
    assert_eq!(told["done"]["id"], 1, "the agent holds it still");

    // Whose chat it is does all of it.
    let mut socket = scene.panel(Who::Visitor).await;
    for frame in frames() {
        socket.say(&serde_json::to_value(&frame).unwrap()).await;
        if is_answered(&frame) {
            let told = socket.until(|told| told.get("done").is_some() || told.get("refused").is_some()).await;
            assert!(told.get("done").is_some(), "{frame:?}: {told}");
        }
        if let Frame::Typing(_) = frame {
            let heard = desk.until(|told| told.get("typing").is_some()).await;
            assert_eq!(heard["typing"]["chat"], scene.chat.as_str(), "only this visitor was heard typing");
        }
    }
    let after = kept(&scene.app, &scene.chat).await;
    assert_eq!((after.seen_by_visitor, after.chat.is_over()), (1, true));
}

/// Whether the console's connection is closed by the server once this has been done.
async fn is_let_go(scene: &Scene, desk: &mut Socket, done: reqwest::RequestBuilder) -> bool {
    let response = done.header("origin", format!("http://{}", scene.app.address)).send().await.unwrap();
    assert!(response.status().as_u16() < 400, "{}", response.status());
    desk.until(|told| told == "closed").await == "closed"
}

#[tokio::test]
async fn a_connection_lives_no_longer_than_the_right_to_it() {
    let scene = Scene::set().await;
    let administrator = &scene.agents[3].1;
    let mut desk = Socket::desk(&scene.app, &scene.holder).await;
    let disable = scene.app.post(&format!("/console/agents/{}", scene.holder.id)).header("cookie", &administrator.cookie);
    let form = [("name", "Agent 1"), ("role", "agent"), ("sites", "shop"), ("disabled", "true"), ("do", "save")];
    assert!(is_let_go(&scene, &mut desk, disable.form(&form)).await);
    let again = [("cookie", scene.holder.cookie.as_str()), ("origin", &format!("http://{}", scene.app.address))];
    assert_eq!(Socket::open(scene.app.address, "/console/socket", &again).await.err().unwrap().as_u16(), 401);

    let agent = &scene.agents[2].1;
    let mut desk = Socket::desk(&scene.app, agent).await;
    let sign_out = scene.app.post("/console/sign-out").header("cookie", &agent.cookie);
    assert!(is_let_go(&scene, &mut desk, sign_out).await);
}

/// What a server prints.
type Lines = tokio::io::Lines<BufReader<tokio::process::ChildStdout>>;

/// The next line of it; none once the server has ended.
async fn line(lines: &mut Lines) -> Option<String> {
    tokio::time::timeout(Duration::from_secs(10), lines.next_line()).await.unwrap().unwrap()
}

#[tokio::test]
async fn the_first_administrators_link_is_good_once() {
    let folder = tempfile::tempdir().unwrap();
    // The server, its address, and what it prints after that.
    let start = async || {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_porchlight"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--log", "error", "--data-dir"]).arg(folder.path());
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = line(&mut lines).await.unwrap().rsplit("http://").next().unwrap().to_owned();
        assert!(line(&mut lines).await.unwrap().contains("/console"));
        (child, address, lines)
    };
    let browser = Client::builder().redirect(redirect::Policy::none()).build().unwrap();
    let join = async |address: &str, token: &str| {
        let origin = format!("http://{address}");
        let form = [("token", token), ("name", "Ada"), ("password", "correct horse battery")];
        browser.post(format!("{origin}/console/join")).header("origin", &origin).form(&form).send().await.unwrap()
    };
    let mut links = Vec::new();
    for _ in 0..2 {
        let (mut child, _, mut lines) = start().await;
        let told = line(&mut lines).await.unwrap();
        assert!(told.contains("first administrator"), "{told}");
        links.push(told.rsplit('#').next().unwrap().to_owned());
        child.start_kill().unwrap();
        child.wait().await.unwrap();
    }
    let (mut child, address, mut lines) = start().await;
    links.push(line(&mut lines).await.unwrap().rsplit('#').next().unwrap().to_owned());
    for old in &links[..2] {
        assert_eq!(join(&address, old).await.status(), 400, "each start makes a new one, and only that is good");
    }
    let joined = join(&address, &links[2]).await;
    assert_eq!(joined.status(), 303);
    let cookie = joined.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let agents = browser.get(format!("http://{address}/console/agents")).header("cookie", cookie).send().await.unwrap();
    assert_eq!(agents.status(), 200, "they are an administrator");
    assert_eq!(join(&address, &links[2]).await.status(), 400, "once");
    child.start_kill().unwrap();
    child.wait().await.unwrap();

    // Where somebody can sign in, no link is made any more.
    let (child, address, mut lines) = start().await;
    // It answers, so it can be told to stop.
    assert_eq!(browser.get(format!("http://{address}/healthz")).send().await.unwrap().status(), 200);
    let id = child.id().unwrap().to_string();
    assert!(tokio::process::Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
    assert_eq!(line(&mut lines).await, None);
}
