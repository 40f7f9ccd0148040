//! Many chats at once while connections are cut and delayed, messages are sent again, and the server is killed: on neither side a message is
//! lost, doubled or out of order.
//!
//! A short run here; `make torture` exchanges ten thousand messages and kills the server twenty times. The seed is printed, and
//! `PORCHLIGHT_SEED` repeats a run.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use reqwest::{Client, StatusCode, redirect};
use serde_json::{Value, json};
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

/// How much is done.
#[derive(Clone, Copy)]
struct Extent {
    chats: usize,
    /// How many messages each side of each chat sends.
    messages: usize,
    kills: usize,
    /// What is sent again has another name, so that the server cannot tell that it knows it: as if it did not look.
    renamed: bool,
}

/// How many messages of one side may be on their way.
const ON_THE_WAY: usize = 4;
/// How long all of it may take before it counts as stuck.
const PATIENCE: Duration = Duration::from_secs(600);

/// What all share.
struct World {
    extent: Extent,
    /// The server, while it is up.
    up: watch::Receiver<Option<SocketAddr>>,
    proxy: SocketAddr,
    random: Arc<Mutex<Random>>,
    confirmed: AtomicUsize,
    cuts: Arc<AtomicUsize>,
    again: AtomicUsize,
    names: AtomicUsize,
    problems: Mutex<Vec<String>>,
    client: Client,
}

impl World {
    fn name(&self) -> String {
        let mut random = [0; 10];
        let number = self.names.fetch_add(1, Ordering::Relaxed);
        random[2..].copy_from_slice(&(number as u64).to_be_bytes());
        porchlight_domain::id::uuid_v7(1_790_000_000_000, &random).to_string()
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
            tokio::task::yield_now().await;
        }
    }

    fn is_sent_again(&self, known: &mut Value, path: &[&str]) {
        self.again.fetch_add(1, Ordering::Relaxed);
        if self.extent.renamed {
            *path.iter().fold(known, |value, name| &mut value[*name]) = self.name().into();
        }
    }
}

/// Passes bytes on, each connection only so many, and not at once.
async fn proxy(
    listener: TcpListener,
    up: watch::Receiver<Option<SocketAddr>>,
    random: Arc<Mutex<Random>>,
    cuts: Arc<AtomicUsize>,
) {
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let upstream = *up.borrow();
        let Some(upstream) = upstream else { continue };
        let (random, cuts) = (Arc::clone(&random), Arc::clone(&cuts));
        tokio::spawn(async move {
            let Ok(server) = TcpStream::connect(upstream).await else { return };
            let pieces = Arc::new(AtomicI64::new(i64::try_from(8 + random.lock().unwrap().next() % 120).unwrap()));
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            tokio::select! {
                () = pass(from_client, to_server, &pieces, &random) => {}
                () = pass(from_server, to_client, &pieces, &random) => {}
            }
            cuts.fetch_add(1, Ordering::Relaxed);
        });
    }
}

async fn pass(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, pieces: &AtomicI64, random: &Mutex<Random>) {
    let mut piece = vec![0; 4096];
    while pieces.fetch_sub(1, Ordering::Relaxed) > 0 {
        let Ok(read @ 1..) = from.read(&mut piece).await else { return };
        // Something else goes first, sometimes much else.
        let wait = random.lock().unwrap().next() % 60;
        for _ in 0..wait {
            tokio::task::yield_now().await;
        }
        if to.write_all(&piece[..read]).await.is_err() {
            return;
        }
    }
}

/// The numbers in `side-CHAT-NUMBER;` of a text.
fn numbers(text: &str, side: &str, chat: usize) -> Vec<usize> {
    let begins = format!("{side}-{chat}-");
    text.split(&begins).skip(1).map(|rest| rest.split(';').next().unwrap().parse().unwrap()).collect()
}

/// A visitor writes and reads. Gives what they heard of the agent, in order.
async fn visitor(world: Arc<World>, chat: usize) -> Vec<usize> {
    let Extent { messages, .. } = world.extent;
    let address = world.server().await;
    let post = |path: &str| world.client.post(format!("http://{address}{path}")).header("origin", ORIGIN);
    let begun = json!({ "site": "shop", "page": PAGE, "locale": "en-GB" });
    let begun: Value = post("/widget/v1/start").body(begun.to_string()).send().await.unwrap().json().await.unwrap();
    let (token, view) = (text(&begun["token"]), text(&begun["view"]));
    let form = [
        ("token", token.as_str()),
        ("view", &view),
        ("after", "0"),
        ("page", PAGE),
        ("conversation", "welcome"),
        ("locale", "en"),
        ("theme", "auto"),
    ];
    assert_eq!(post("/widget/panel").form(&form).send().await.unwrap().status(), StatusCode::OK);

    let (mut heard, mut unsure, mut written, mut have) = (Vec::new(), Vec::<Value>::new(), 0, 0_u64);
    loop {
        let mut socket = world.connect("/widget/v1/socket", &[]).await;
        let hello = json!({ "token": token, "view": view, "page": PAGE, "conversation": "welcome", "locale": "en", "have": have.to_string() });
        if socket.try_say(&hello).await.is_err() {
            continue;
        }
        let mut sent = 0;
        'connected: loop {
            while unsure.len() < ON_THE_WAY && written < messages {
                unsure.push(json!({ "say": { "id": world.name(), "text": format!("visitor-{chat}-{written};") } }));
                written += 1;
                sent = sent.min(unsure.len() - 1);
            }
            while sent < unsure.len() {
                if unsure[sent].get("again").is_some() {
                    unsure[sent].as_object_mut().unwrap().remove("again");
                    world.is_sent_again(&mut unsure[sent], &["say", "id"]);
                }
                if socket.try_say(&unsure[sent]).await.is_err() {
                    break 'connected;
                }
                sent += 1;
            }
            if unsure.is_empty() && written == messages && heard.len() >= messages {
                return heard;
            }
            let Some(told) = socket.try_next().await else { break };
            if let Some(done) = told.get("done") {
                let before = unsure.len();
                unsure.retain(|said| said["say"]["id"] != *done);
                let gone = before - unsure.len();
                sent -= gone;
                world.confirmed.fetch_add(gone, Ordering::Relaxed);
            }
            if told.get("bad").is_some() || told.get("refused").is_some() {
                world.wrong(format!("visitor {chat}: {told}"));
                return heard;
            }
            if let Some(from) = told["update"]["from"].as_u64() {
                if from != have + 1 {
                    world.wrong(format!("visitor {chat} has {have} and is told from {from}"));
                }
                have = told["update"]["have"].as_str().unwrap().parse().unwrap();
                heard.extend(numbers(told["update"]["said"].as_str().unwrap(), "agent", chat));
            }
        }
        for said in &mut unsure {
            said["again"] = true.into();
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

/// An agent holds all chats, and writes in each. Gives what they heard, by chat.
async fn agent(world: Arc<World>, cookie: String) -> BTreeMap<usize, Vec<usize>> {
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
                    sent = 0;
                    for said in &mut chat.unsure {
                        world.is_sent_again(said, &["message"]);
                    }
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
                    if socket.try_say(&chat.unsure[sent]).await.is_err() {
                        break 'connected;
                    }
                    sent += 1;
                }
            }
            resend = false;
            let is_done = |chat: &AtDesk| chat.unsure.is_empty() && chat.written == messages && chat.heard.len() >= messages;
            if chats.len() == count && chats.values().all(is_done) {
                return chats.into_values().map(|chat| (chat.number.unwrap(), chat.heard)).collect();
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
        tokio::task::yield_now().await;
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
    let limit = extent.chats.to_string();
    // Killed and started again, it is to keep its chats, so the times are not what ends them.
    let settings = ["--chat-limit", &limit, "--chat-dropped-seconds", "3600", "--presence-grace-seconds", "3600"];

    let (mut child, address) = serve(&data, &settings).await;
    let (say_up, up) = watch::channel(Some(address));
    let (random, cuts) = (Arc::new(Mutex::new(Random(seed))), Arc::<AtomicUsize>::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::builder().redirect(redirect::Policy::none()).build().unwrap();
    let world = Arc::new(World {
        extent,
        up: up.clone(),
        proxy: listener.local_addr().unwrap(),
        random: Arc::clone(&random),
        confirmed: AtomicUsize::new(0),
        cuts: Arc::clone(&cuts),
        again: AtomicUsize::new(0),
        names: AtomicUsize::new(0),
        problems: Mutex::default(),
        client: client.clone(),
    });
    let proxy = tokio::spawn(proxy(listener, up, random, cuts));
    let cookie = signed_in(&client, &data, address).await;
    let desk = tokio::spawn(agent(Arc::clone(&world), cookie));
    let mut visitors = JoinSet::new();
    for chat in 0..extent.chats {
        let world = Arc::clone(&world);
        visitors.spawn(async move { (chat, visitor(world, chat).await) });
    }
    let total = extent.chats * extent.messages * 2;
    let killer = async {
        for kill in 1..=extent.kills {
            // Spread over the run, at a moment nobody chose.
            let from = total * kill / (extent.kills + 1);
            let target = from
                + usize::try_from(world.random.lock().unwrap().next()).unwrap_or(0) % (total / (extent.kills + 1)).max(1) / 2;
            while world.confirmed.load(Ordering::Relaxed) < target && world.problems.lock().unwrap().is_empty() {
                tokio::task::yield_now().await;
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
                    tokio::task::yield_now().await;
                }
            } => None,
        }
    });
    let mut problems = Vec::new();
    match done.await {
        Err(_) => problems.push("it is stuck".to_owned()),
        Ok(None) => {}
        Ok(Some((by_visitor, by_agent))) => {
            let expected: Vec<_> = (0..extent.messages).collect();
            for chat in 0..extent.chats {
                if by_visitor.get(&chat) != Some(&expected) {
                    problems.push(format!("visitor {chat} heard {:?}", by_visitor.get(&chat)));
                }
                if by_agent.get(&chat) != Some(&expected) {
                    problems.push(format!("the agent heard {:?} in chat {chat}", by_agent.get(&chat)));
                }
            }
        }
    }
    proxy.abort();
    problems.append(&mut world.problems.lock().unwrap());
    let (cuts, again) = (world.cuts.load(Ordering::Relaxed), world.again.load(Ordering::Relaxed));
    let done = format!("{total} messages, {} kills, {cuts} cut connections, {again} messages sent again", extent.kills);
    (done, problems)
}

fn seed() -> u64 {
    std::env::var("PORCHLIGHT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| u64::from(std::process::id()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_chats_lose_nothing() {
    let extent = if std::env::var_os("PORCHLIGHT_TORTURE").is_some() {
        Extent { chats: 20, messages: 250, kills: 20, renamed: false }
    } else {
        Extent { chats: 6, messages: 25, kills: 3, renamed: false }
    };
    let seed = seed();
    println!("PORCHLIGHT_SEED={seed}");
    let (done, problems) = exchange(extent, seed).await;
    println!("{done}");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_run_would_find_messages_that_are_doubled() {
    let (done, problems) = exchange(Extent { chats: 6, messages: 25, kills: 1, renamed: true }, seed()).await;
    assert!(!problems.is_empty(), "sent again under other names, nothing was doubled: {done}");
}
