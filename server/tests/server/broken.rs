//! Many chats at once while connections are cut and delayed, messages are sent again and twice, and the server is killed: on
//! neither side a message is lost, doubled or out of order.
//!
//! A short run here; `make torture` exchanges ten thousand messages and kills the server twenty times. The seed is printed, and
//! `PORCHLIGHT_SEED` repeats a run.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use reqwest::{Client, StatusCode, redirect};
use serde_json::{Value, json};
use sqlx::{Connection, Executor, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

use crate::{
    app::{ORIGIN, PAGE, text},
    kill::{Random, once, serve},
    sides::Socket,
};

/// How much is done, and how bad the connections are.
#[derive(Clone, Copy)]
struct Extent {
    chats: usize,
    /// How many messages each side of each chat sends.
    messages: usize,
    kills: usize,
    /// After how many milliseconds a connection is cut: at least, and less than.
    cut_after: (u64, u64),
    /// The most milliseconds by which a piece of what is sent is late.
    late: u64,
    /// The server forgets what a message is called as soon as it has kept it: it cannot tell what it knows from what is new.
    forgets: bool,
}

/// A run of `make test`.
const SHORT: Extent = Extent { chats: 6, messages: 25, kills: 3, cut_after: (30, 300), late: 3, forgets: false };
/// A run of `make torture`.
const LONG: Extent = Extent { chats: 20, messages: 250, kills: 20, cut_after: (200, 2000), late: 40, forgets: false };

/// How many messages of the agent in one chat may be on their way.
const ON_THE_WAY: usize = 4;
/// How long all of it may take before it counts as stuck.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long a request may take before it is sent again.
const REQUEST_MAX: Duration = Duration::from_secs(10);
/// How much passes on a connection before it may be cut, in pieces: however slow the machine is, it goes on.
const PIECES_MIN: usize = 6;
/// One of so many messages is sent twice at once.
const TWICE: u64 = 4;

#[expect(clippy::disallowed_methods, reason = "a bad connection is bad by the real clock")]
async fn pause(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

/// What all share.
struct World {
    extent: Extent,
    /// The server, while it is up.
    up: watch::Receiver<Option<SocketAddr>>,
    proxy: SocketAddr,
    random: Mutex<Random>,
    confirmed: AtomicUsize,
    cuts: AtomicUsize,
    again: AtomicUsize,
    twice: AtomicUsize,
    names: AtomicUsize,
    problems: Mutex<Vec<String>>,
    client: Client,
}

fn count(what: &AtomicUsize) {
    what.fetch_add(1, Ordering::Relaxed);
}

impl World {
    fn name(&self) -> String {
        let mut random = [0; 10];
        let number = self.names.fetch_add(1, Ordering::Relaxed);
        random[2..].copy_from_slice(&(number as u64).to_be_bytes());
        porchlight_domain::id::uuid_v7(1_790_000_000_000, &random).to_string()
    }

    fn random(&self) -> u64 {
        self.random.lock().unwrap().next()
    }

    fn is_sent_twice(&self) -> bool {
        let twice = self.random().is_multiple_of(TWICE);
        if twice {
            count(&self.twice);
        }
        twice
    }

    fn wrong(&self, what: String) {
        self.problems.lock().unwrap().push(what);
    }

    async fn server(&self) -> SocketAddr {
        self.up.clone().wait_for(Option::is_some).await.unwrap().unwrap()
    }

    /// A connection by way of the proxy, once there is one.
    async fn connect(&self, path: &str, headers: &[(&'static str, &str)]) -> Socket {
        loop {
            self.server().await;
            if let Ok(socket) = Socket::try_open(self.proxy, path, headers).await {
                return socket;
            }
            pause(2).await;
        }
    }

    /// Sends what the panel's form sends, and gives what is new. Nothing if it is to be sent again: whether it was taken, its
    /// sender does not know.
    async fn post(&self, to: SocketAddr, form: &[(&'static str, String)]) -> Option<Value> {
        let request = self.client.post(format!("http://{to}/widget/v1/answers")).header("accept", "application/json");
        let response = request.timeout(REQUEST_MAX).form(form).send().await.ok()?;
        let status = response.status();
        let told: Value = response.json().await.ok()?;
        if status == StatusCode::SERVICE_UNAVAILABLE {
            return None;
        }
        if status != StatusCode::OK {
            self.wrong(format!("a visitor was answered {status}: {told}"));
        }
        Some(told)
    }
}

/// Passes bytes on, each piece late, and each connection for a while only.
async fn proxy(world: Arc<World>, listener: TcpListener) {
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let upstream = *world.up.borrow();
        let Some(upstream) = upstream else { continue };
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let Ok(server) = TcpStream::connect(upstream).await else { return };
            let passed = AtomicUsize::new(0);
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            tokio::select! {
                () = pass(&world, &passed, from_client, to_server) => {}
                () = pass(&world, &passed, from_server, to_client) => {}
                () = lasts(&world, &passed) => count(&world.cuts),
            }
        });
    }
}

async fn pass(world: &World, passed: &AtomicUsize, mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) {
    let mut piece = vec![0; 4096];
    while let Ok(read @ 1..) = from.read(&mut piece).await {
        pause(world.random() % (world.extent.late + 1)).await;
        if to.write_all(&piece[..read]).await.is_err() {
            return;
        }
        count(passed);
    }
}

/// Waits as long as a connection lasts.
async fn lasts(world: &World, passed: &AtomicUsize) {
    let (from, to) = world.extent.cut_after;
    pause(from + world.random() % (to - from)).await;
    while passed.load(Ordering::Relaxed) < PIECES_MIN {
        pause(5).await;
    }
}

/// The numbers in `side-CHAT-NUMBER;` of a text.
fn numbers(text: &str, side: &str, chat: usize) -> Vec<usize> {
    let begins = format!("{side}-{chat}-");
    text.split(&begins).skip(1).map(|rest| rest.split(';').next().unwrap().parse().unwrap()).collect()
}

/// What is wrong with the numbers that were heard of so many messages.
fn fault(heard: &[usize], messages: usize) -> Option<&'static str> {
    let once: BTreeSet<_> = heard.iter().collect();
    if once.len() < heard.len() {
        Some("doubled")
    } else if once.len() < messages {
        Some("lost")
    } else if !heard.iter().copied().eq(0..messages) {
        Some("out of order")
    } else {
        None
    }
}

/// A visitor's page, with the panel open.
struct Page {
    chat: usize,
    token: String,
    view: String,
    /// The number of the last line that is shown.
    have: AtomicU64,
}

impl Page {
    async fn open(world: &World, chat: usize) -> Self {
        let address = world.server().await;
        let post = |path: &str| world.client.post(format!("http://{address}{path}")).header("origin", ORIGIN);
        let begun = json!({ "site": "shop", "page": PAGE, "locale": "en-GB" });
        let begun: Value = post("/widget/v1/start").body(begun.to_string()).send().await.unwrap().json().await.unwrap();
        let page = Self { chat, token: text(&begun["token"]), view: text(&begun["view"]), have: AtomicU64::new(0) };
        assert_eq!(post("/widget/panel").form(&page.form(0, [])).send().await.unwrap().status(), StatusCode::OK);
        page
    }

    fn form<const N: usize>(&self, have: u64, more: [(&'static str, &str); N]) -> Vec<(&'static str, String)> {
        let have = have.to_string();
        let usual = [
            ("token", self.token.as_str()),
            ("view", &self.view),
            ("after", "0"),
            ("page", PAGE),
            ("conversation", "welcome"),
            ("locale", "en"),
            ("theme", "auto"),
            ("have", &have),
            ("turn", "1"),
            ("card", "agent"),
        ];
        usual.into_iter().chain(more).map(|(name, value)| (name, value.to_owned())).collect()
    }

    /// Writes as the panel does: one message after the other, each under a name of its own and until it is confirmed. Some are sent
    /// twice, and the second may come much later.
    async fn writes(&self, world: &Arc<World>) {
        let mut twins = JoinSet::new();
        for number in 0..world.extent.messages {
            let have = self.have.load(Ordering::Relaxed);
            let said = format!("visitor-{}-{number};", self.chat);
            let form = self.form(have, [("id", &world.name()), ("value", &said)]);
            if world.is_sent_twice() {
                let (world, form) = (Arc::clone(world), form.clone());
                twins.spawn(async move {
                    world.server().await;
                    world.post(world.proxy, &form).await
                });
            }
            let told = loop {
                world.server().await;
                if let Some(told) = world.post(world.proxy, &form).await {
                    break told;
                }
                count(&world.again);
                pause(2).await;
            };
            // What is new begins after what the panel had when it asked.
            if told["from"].as_u64().is_some_and(|from| from != have + 1) {
                world.wrong(format!("visitor {} has {have} and is answered from {}", self.chat, told["from"]));
            }
            count(&world.confirmed);
        }
        while twins.join_next().await.is_some() {}
    }

    /// Reads on the socket until all was heard that the agent says, and gives that, in order.
    async fn hears(&self, world: &World) -> Vec<usize> {
        let (mut heard, mut after) = (Vec::new(), 0);
        'connect: loop {
            let mut socket = world.connect("/widget/v1/socket", &[]).await;
            let have = self.have.load(Ordering::Relaxed).to_string();
            let hello = json!({ "token": self.token, "view": self.view, "page": PAGE, "conversation": "welcome", "locale": "en",
                "have": have, "after": after });
            if socket.try_say(&hello).await.is_err() {
                continue;
            }
            while heard.len() < world.extent.messages {
                let Some(told) = socket.try_next().await else { continue 'connect };
                if told.get("bad").is_some() {
                    world.wrong(format!("visitor {}: {told}", self.chat));
                    return heard;
                }
                let update = &told["update"];
                after = update["cursor"].as_i64().unwrap_or(after);
                if let Some(from) = update["from"].as_u64() {
                    let have = self.have.load(Ordering::Relaxed);
                    if from != have + 1 {
                        world.wrong(format!("visitor {} has {have} and is told from {from}", self.chat));
                    }
                    self.have.store(update["have"].as_str().unwrap().parse().unwrap(), Ordering::Relaxed);
                    heard.extend(numbers(update["said"].as_str().unwrap(), "agent", self.chat));
                }
            }
            return heard;
        }
    }

    /// All that is said, as a panel shows it that is loaded again.
    async fn reloaded(&self, world: &World) -> String {
        let form = self.form(0, [("id", &world.name()), ("do", "refresh")]);
        loop {
            if let Some(told) = world.post(world.server().await, &form).await {
                return text(&told["said"]);
            }
            pause(2).await;
        }
    }
}

/// A chat as the agent's console has it.
#[derive(Default)]
struct AtDesk {
    /// The chat's number, once a line of it says so.
    number: Option<usize>,
    last: u64,
    heard: Vec<usize>,
    unsure: Vec<Value>,
    written: usize,
}

impl AtDesk {
    /// Takes lines in order; false if one before them is missing.
    fn take(&mut self, lines: &[Value]) -> bool {
        for line in lines {
            let number = line["number"].as_u64().unwrap();
            if number > self.last + 1 {
                return false;
            }
            if number <= self.last {
                continue;
            }
            self.last = number;
            if line["author"] == "visitor" {
                let said = text(&line["text"]);
                let chat = said.split('-').nth(1).unwrap().parse().unwrap();
                self.number = Some(chat);
                self.heard.extend(numbers(&said, "visitor", chat));
            }
        }
        true
    }
}

/// An agent holds all chats, and writes in each. Gives the chats' ids and what they heard, by the number of the chat.
async fn agent(world: Arc<World>, cookie: String) -> BTreeMap<usize, (String, Vec<usize>)> {
    let Extent { messages, chats: count, .. } = world.extent;
    let mut chats: BTreeMap<String, AtDesk> = BTreeMap::new();
    let mut asked = 0_u64;
    loop {
        let origin = format!("http://{}", world.proxy);
        let mut socket = world.connect("/console/socket", &[("cookie", &cookie), ("origin", &origin)]).await;
        let mut behind: Vec<String> = chats.keys().cloned().collect();
        let mut resend = true;
        'connected: loop {
            for id in std::mem::take(&mut behind) {
                let lines = detail(&world, &cookie, &id).await;
                if !chats.get_mut(&id).unwrap().take(&lines) {
                    world.wrong(format!("the lines of {id} have a gap"));
                }
            }
            for (id, chat) in &mut chats {
                let mut sent = chat.unsure.len();
                if resend {
                    world.again.fetch_add(sent, Ordering::Relaxed);
                    sent = 0;
                }
                while let Some(number) = chat.number
                    && chat.unsure.len() < ON_THE_WAY
                    && chat.written < messages
                {
                    asked += 1;
                    let text = format!("agent-{number}-{};", chat.written);
                    chat.unsure.push(json!({ "id": asked, "do": "say", "chat": id, "message": world.name(), "text": text }));
                    chat.written += 1;
                }
                while sent < chat.unsure.len() {
                    for _ in 0..=usize::from(world.is_sent_twice()) {
                        if socket.try_say(&chat.unsure[sent]).await.is_err() {
                            break 'connected;
                        }
                    }
                    sent += 1;
                }
            }
            resend = false;
            let is_done = |chat: &AtDesk| chat.unsure.is_empty() && chat.written == messages && chat.heard.len() >= messages;
            if chats.len() == count && chats.values().all(is_done) {
                return chats.into_iter().map(|(id, chat)| (chat.number.unwrap(), (id, chat.heard))).collect();
            }
            let Some(told) = socket.try_next().await else { break };
            let rows = told["desk"]["chats"].as_array().cloned().into_iter().flatten().chain(told.get("chat").cloned());
            for row in rows {
                let id = text(&row["id"]);
                if row["offerUntil"].is_string() {
                    let accept = json!({ "id": 0, "do": "accept", "chat": id });
                    if socket.try_say(&accept).await.is_err() {
                        break 'connected;
                    }
                } else if row["mine"] == true && !chats.contains_key(&id) {
                    chats.insert(id.clone(), AtDesk::default());
                    behind.push(id);
                }
            }
            if let Some(said) = told.get("said") {
                let id = text(&said["chat"]);
                if let Some(chat) = chats.get_mut(&id)
                    && !chat.take(said["lines"].as_array().unwrap())
                {
                    behind.push(id);
                }
            }
            if let Some(done) = told.get("done") {
                for chat in chats.values_mut() {
                    let before = chat.unsure.len();
                    chat.unsure.retain(|said| said["id"] != done["id"]);
                    world.confirmed.fetch_add(before - chat.unsure.len(), Ordering::Relaxed);
                }
            }
            if told.get("refused").is_some_and(|refused| refused["id"] != 0) {
                world.wrong(format!("the agent: {told}"));
                return BTreeMap::new();
            }
        }
    }
}

/// What was said in a chat, as the console asks for it.
async fn detail(world: &World, cookie: &str, id: &str) -> Vec<Value> {
    loop {
        let address = world.server().await;
        let request = world.client.get(format!("http://{address}/console/api/chats/{id}")).header("cookie", cookie);
        if let Ok(response) = request.send().await
            && let Ok(Value::Object(detail)) = response.json().await
        {
            return detail["lines"].as_array().unwrap().clone();
        }
        pause(2).await;
    }
}

/// Invites an agent, takes the invitation, and gives the cookie of the sign-in.
async fn signed_in(client: &Client, data: &Path, address: SocketAddr) -> String {
    let told = once(&["agent", "invite", "ada@example.com", "--site", "shop"], data).await;
    let token = told.lines().next().unwrap().rsplit(['#', '=', '/']).next().unwrap().to_owned();
    let form = [("token", token.as_str()), ("name", "Ada"), ("password", "correct horse battery")];
    let origin = format!("http://{address}");
    let joined = client.post(format!("{origin}/console/join")).header("origin", &origin).form(&form).send().await.unwrap();
    assert_eq!(joined.status(), StatusCode::SEE_OTHER);
    joined.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
}

/// Makes the server forget what a message is called as soon as it is kept. The server is the same, and looks as ever whether it
/// knows what it is sent; but there is nothing to be found.
async fn forget_names(data: &Path) {
    let options = SqliteConnectOptions::new().filename(data.join("porchlight.db"));
    let mut database = SqliteConnection::connect_with(&options).await.unwrap();
    let trigger = "create trigger forget after insert on entry when new.answer is not null begin
            update entry set answer = null
            where visitor = new.visitor and conversation = new.conversation and number = new.number;
        end";
    database.execute(trigger).await.unwrap();
    database.close().await.unwrap();
}

/// An agent has been at their desk, so that they count as there.
async fn be_there(address: SocketAddr, cookie: &str) {
    let origin = format!("http://{address}");
    let headers = [("cookie", cookie), ("origin", origin.as_str())];
    let mut desk = Socket::try_open(address, "/console/socket", &headers).await.unwrap();
    assert!(desk.try_next().await.is_some());
}

/// Does all of it, and gives what was done and what went wrong.
async fn exchange(extent: Extent, seed: u64) -> (String, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::write(folder.path().join("site.toml"), "key = \"shop\"\ntitle = \"Shop\"\norigins = [\"https://shop.example\"]\n")
        .unwrap();
    fs::create_dir(folder.path().join("conversations")).unwrap();
    fs::write(folder.path().join("conversations/talk.json"), crate::sides::TALK).unwrap();
    once(&["import", folder.path().to_str().unwrap()], &data).await;
    once(&["publish", "--site", "shop", "welcome"], &data).await;
    if extent.forgets {
        forget_names(&data).await;
    }
    let limit = extent.chats.to_string();
    // Killed and started again, it is to keep its chats, so the times are not what ends them.
    let settings = ["--chat-limit", &limit, "--chat-dropped-seconds", "3600", "--presence-grace-seconds", "3600"];

    let (mut child, address) = serve(&data, &settings).await;
    let (say_up, up) = watch::channel(Some(address));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let world = Arc::new(World {
        extent,
        up,
        proxy: listener.local_addr().unwrap(),
        random: Mutex::new(Random(seed)),
        confirmed: AtomicUsize::new(0),
        cuts: AtomicUsize::new(0),
        again: AtomicUsize::new(0),
        twice: AtomicUsize::new(0),
        names: AtomicUsize::new(0),
        problems: Mutex::default(),
        client: Client::builder().redirect(redirect::Policy::none()).build().unwrap(),
    });
    let proxy = tokio::spawn(proxy(Arc::clone(&world), listener));
    let cookie = signed_in(&world.client, &data, address).await;
    be_there(address, &cookie).await;
    let mut pages = Vec::new();
    for chat in 0..extent.chats {
        pages.push(Arc::new(Page::open(&world, chat).await));
    }
    let desk = tokio::spawn(agent(Arc::clone(&world), cookie.clone()));
    let mut visitors = JoinSet::new();
    for page in &pages {
        let (world, page) = (Arc::clone(&world), Arc::clone(page));
        visitors.spawn(async move { (page.chat, tokio::join!(page.hears(&world), page.writes(&world)).0) });
    }
    let total = extent.chats * extent.messages * 2;
    let killer = async {
        for kill in 1..=extent.kills {
            // Spread over the run, at a moment nobody chose.
            let from = total * kill / (extent.kills + 1);
            let target = from + usize::try_from(world.random()).unwrap_or(0) % (total / (extent.kills + 1)).max(1) / 2;
            while world.confirmed.load(Ordering::Relaxed) < target && world.problems.lock().unwrap().is_empty() {
                pause(1).await;
            }
            child.start_kill().unwrap();
            child.wait().await.unwrap();
            say_up.send_replace(None);
            let address;
            (child, address) = serve(&data, &settings).await;
            say_up.send_replace(Some(address));
        }
    };
    let all = async {
        killer.await;
        let mut heard = BTreeMap::new();
        while let Some(done) = visitors.join_next().await {
            let (chat, agent_said) = done.unwrap();
            heard.insert(chat, agent_said);
        }
        (heard, desk.await.unwrap())
    };
    let done = tokio::time::timeout(PATIENCE, async {
        tokio::select! {
            done = all => Some(done),
            // What has gone wrong already may keep it from ever being done.
            () = async {
                while world.problems.lock().unwrap().is_empty() {
                    pause(5).await;
                }
            } => None,
        }
    });
    let mut problems = Vec::new();
    match done.await {
        Err(_) => problems.push("it is stuck".to_owned()),
        Ok(None) => {}
        Ok(Some((by_visitor, by_agent))) => {
            for page in &pages {
                let chat = page.chat;
                let (id, by_agent) = by_agent.get(&chat).cloned().unwrap_or_default();
                let lines = detail(&world, &cookie, &id).await;
                let kept: String = lines.iter().filter_map(|line| line["text"].as_str()).collect();
                let shown = page.reloaded(&world).await;
                let of = [
                    ("the visitor heard of the agent", by_visitor.get(&chat).cloned().unwrap_or_default()),
                    ("the agent heard of the visitor", by_agent),
                    ("the console shows of the visitor", numbers(&kept, "visitor", chat)),
                    ("the console shows of the agent", numbers(&kept, "agent", chat)),
                    ("the panel shows of the visitor", numbers(&shown, "visitor", chat)),
                    ("the panel shows of the agent", numbers(&shown, "agent", chat)),
                ];
                for (what, numbers) in of {
                    if let Some(fault) = fault(&numbers, extent.messages) {
                        problems.push(format!("chat {chat}, {fault}: what {what}: {numbers:?}"));
                    }
                }
            }
        }
    }
    proxy.abort();
    problems.append(&mut world.problems.lock().unwrap());
    let counted = |what: &AtomicUsize| what.load(Ordering::Relaxed);
    let (cuts, again, twice) = (counted(&world.cuts), counted(&world.again), counted(&world.twice));
    let done =
        format!("{total} messages, {} kills, {cuts} connections cut, {again} messages sent again, {twice} twice", extent.kills);
    (done, problems)
}

fn seed() -> u64 {
    std::env::var("PORCHLIGHT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| u64::from(std::process::id()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_chats_lose_nothing() {
    let extent = if std::env::var_os("PORCHLIGHT_TORTURE").is_some() { LONG } else { SHORT };
    let seed = seed();
    println!("PORCHLIGHT_SEED={seed}");
    let (done, problems) = exchange(extent, seed).await;
    println!("{done}");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// The same run finds what is wrong if the server does not know what it was sent before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_run_would_find_messages_that_are_doubled() {
    let (done, problems) = exchange(Extent { kills: 1, forgets: true, ..SHORT }, seed()).await;
    assert!(problems.iter().any(|problem| problem.contains("doubled")), "nothing was doubled: {done}\n{}", problems.join("\n"));
}
