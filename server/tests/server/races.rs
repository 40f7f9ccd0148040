//! Many at once for the same time of the same agent: it is had once, whatever happens meanwhile, and the database is why.
//!
//! A short run here; `make torture` goes on for longer and kills the server more often. The seed is printed, and
//! `PORCHLIGHT_SEED` repeats a run.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use porchlight_domain::{
    agent::Role,
    id::{AgentId, uuid_v7},
    schedule::Availability,
};
use porchlight_server::{
    outside::Outside,
    secret::Secret,
    store::{CalendarRow, Command, Failure, Store, Tx},
};
use reqwest::{Client, RequestBuilder, redirect};
use serde_json::{Value, json};
use sqlx::{Connection, Executor, Row, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::{
    sync::{Barrier, Semaphore, watch},
    task::JoinSet,
};

use crate::{
    app::{Form, ORIGIN, PAGE, TestApp, filled, form_of, good, text},
    kill::{Random, once, serve},
    meetings::{FIRST, MEET, MONDAY, add_met, buttons, for_days, form_in, open_in},
};

/// How many want the same time.
const CLIENTS: usize = 500;
/// How many requests are on their way at once: each is two open files of this process, and many systems allow it 1024.
const ON_THE_WAY: usize = 200;

/// Pairs of meetings of an agent that overlap, with what is kept free around them: by the agent's own buffers, not by what was noted
/// of them.
const OVERLAPS: &str = "select count(*) from meeting one
    join meeting other on other.agent = one.agent and other.id > one.id
    join calendar on calendar.agent = one.agent
    where one.phase in ('held', 'booked') and other.phase in ('held', 'booked')
        and one.starts_at - calendar.buffer_before * 60000 < other.ends_at + calendar.buffer_after * 60000
        and other.starts_at - calendar.buffer_before * 60000 < one.ends_at + calendar.buffer_after * 60000";
const HELD: &str = "select count(*) from meeting where phase = 'held'";

async fn connect(database: &Path) -> SqliteConnection {
    SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(database)).await.unwrap()
}

async fn count(database: &Path, query: &'static str) -> i64 {
    let mut connection = connect(database).await;
    let count = sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    count
}

async fn change(database: &Path, statements: &[&'static str]) {
    let mut connection = connect(database).await;
    for statement in statements {
        connection.execute(*statement).await.unwrap();
    }
    connection.close().await.unwrap();
}

/// A server without limits, with an agent who can be met at four times of the first Monday.
async fn with_agent() -> (TestApp, PathBuf) {
    let app = for_days()
        .with_conversation(MEET)
        .with_settings(|settings| {
            settings.starts_per_minute = 1_000_000;
            settings.commands_per_minute = 1_000_000;
            settings.request_timeout_seconds = 600;
        })
        .start_only()
        .await;
    add_met(&app, 1, MONDAY).await;
    let database = app.folder.path().join("porchlight.db");
    (app, database)
}

/// Each of so many visitors, who all see that it is free, wants the first time, all at once. Gives the answers.
async fn race(app: &TestApp, clients: usize) -> Vec<(u16, Value)> {
    let mut requests = Vec::with_capacity(clients);
    for _ in 0..clients {
        let visitor = app.visitor().await;
        let (html, form) = open_in(&visitor, "UTC").await;
        assert!(buttons(&html, "value").iter().any(|time| time == FIRST));
        let request = app.post("/widget/v1/answers").header("accept", "application/json");
        requests.push(request.form(&filled(&form, &[("value", FIRST)])));
    }
    let (begin, room) = (Arc::new(Barrier::new(clients)), Arc::new(Semaphore::new(ON_THE_WAY)));
    let mut racing = JoinSet::new();
    for request in requests {
        let (begin, room) = (Arc::clone(&begin), Arc::clone(&room));
        racing.spawn(async move {
            begin.wait().await;
            let _room = room.acquire().await.unwrap();
            let response = request.send().await.unwrap();
            (response.status().as_u16(), response.json().await.unwrap())
        });
    }
    let mut answers = Vec::with_capacity(clients);
    while let Some(answer) = racing.join_next().await {
        answers.push(answer.unwrap());
    }
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_five_hundred_who_want_the_same_time_one_has_it() {
    let (app, database) = with_agent().await;
    let answers = race(&app, CLIENTS).await;
    let (held, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(status, _)| *status == 200);
    assert_eq!((held.len(), refused.len()), (1, CLIENTS - 1));
    for (status, told) in &refused {
        assert_eq!((*status, &told["code"]), (409, &json!("slot_taken")), "{told}");
        assert_eq!(told["message"], "This time was just taken. Please choose another.");
        let others = buttons(&text(&told["card"]), "value");
        assert_eq!(others, ["2026-11-23T08:30:00Z", "2026-11-23T09:00:00Z", "2026-11-23T09:30:00Z"], "with what is left");
    }
    assert_eq!((count(&database, HELD).await, count(&database, OVERLAPS).await), (1, 0));
    // And whoever has it books it.
    let card = text(&held[0].1["card"]);
    let who = filled(&form_of(&card), &[("guest_name", "Ada"), ("guest_email", "ada@example.com")]);
    let request = app.post("/widget/v1/answers").header("accept", "application/json").form(&who);
    good(request.send().await.unwrap()).await;
    assert_eq!(count(&database, "select count(*) from meeting where phase = 'booked'").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_databases_constraint_the_race_is_won_by_several() {
    let (app, database) = with_agent().await;
    change(&database, &["drop trigger meeting_overlaps", "drop trigger meeting_moved_overlaps"]).await;
    let answers = race(&app, 50).await;
    let held = answers.iter().filter(|(status, _)| *status == 200).count();
    assert!(held > 1, "nothing but the database tells one from another");
    assert!(count(&database, OVERLAPS).await > 0, "what looks for overlaps would find them");
}

/// How much is done.
struct Extent {
    /// How often the server is started, and killed.
    lives: usize,
    /// At least how much visitors do in each.
    steps: usize,
}

/// A run of `make test`.
const SHORT: Extent = Extent { lives: 4, steps: 100 };
/// A run of `make torture`.
const LONG: Extent = Extent { lives: 50, steps: 500 };

const VISITORS: u64 = 20;
const AGENTS: u8 = 3;
/// Minutes that are kept free around a meeting.
const BEFORE: u16 = 10;
const AFTER: u16 = 5;
/// Of the times that are free, one of so many is taken: so that several want the same.
const WANTED: u64 = 4;
/// How long a life may take before it counts as long enough.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a request may take.
const REQUEST_MAX: Duration = Duration::from_secs(20);

/// The times overlap each other, and are of today and tomorrow.
const AGAIN_AND_AGAIN: &str = r#"{ "id": "welcome", "name": "Meet", "cards": [
    { "id": "meet", "card": "meeting", "text": "When?", "title": "A talk", "duration": 30, "step": 15, "notice": 0, "horizon": 1 },
    { "id": "more", "card": "question", "text": "Another one?",
      "choices": [{ "label": "Again", "value": "again", "next": "meet" }, { "label": "No", "value": "no" }] },
    { "id": "end", "card": "end" }
] }"#;

#[expect(clippy::disallowed_methods, reason = "another process is waited for, by the real clock")]
async fn pause(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

/// Agents who can be met at any time, and somebody who may change all their meetings.
struct Prepare {
    cookie: Secret,
    now: Timestamp,
}

impl Command for Prepare {
    type Done = ();
    type Refusal = ();

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<()>> {
        let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
        let hours = Availability::read("UTC", &days.map(|day| format!("{day} 00:00-24:00")).join("\n")).unwrap();
        let how = CalendarRow { hours: Some(hours), before: BEFORE, after: AFTER, ..CalendarRow::default() };
        for number in 0..=AGENTS {
            let id = AgentId::new(uuid_v7(1, &[number; 10]));
            let role = if number == 0 { Role::Administrator } else { Role::Agent };
            tx.add_agent(id, &format!("agent{number}@example.com"), &format!("Agent {number}"), role, self.now).await?;
            tx.put_agent_sites(id, &["shop".parse().unwrap()]).await?;
            if number == 0 {
                tx.add_login(&self.cookie, id, self.now).await?;
            } else {
                tx.put_password(id, "none that anybody knows").await?;
                tx.put_calendar(id, &how, self.now).await?;
            }
        }
        Ok(())
    }
}

/// What all share.
struct World {
    /// The server, while it is up.
    up: watch::Receiver<Option<SocketAddr>>,
    client: Client,
    /// Of somebody who may change every meeting.
    cookie: String,
    steps: AtomicUsize,
    over: AtomicBool,
    /// What was done, how often.
    done: Mutex<BTreeMap<String, usize>>,
    /// The meetings of which the server has said that they are booked, and that they are called off.
    booked: Mutex<BTreeSet<String>>,
    called_off: Mutex<BTreeSet<String>>,
    problems: Mutex<Vec<String>>,
}

impl World {
    async fn server(&self) -> SocketAddr {
        self.up.clone().wait_for(Option::is_some).await.unwrap().unwrap()
    }

    fn did(&self, what: &str) {
        *self.done.lock().unwrap().entry(what.to_owned()).or_default() += 1;
    }

    fn wrong(&self, what: String) {
        self.problems.lock().unwrap().push(what);
    }

    /// Sends a request. Nothing if the server was killed meanwhile: whether it did it, nobody knows.
    async fn ask(&self, request: RequestBuilder) -> Option<(u16, String)> {
        let response = request.timeout(REQUEST_MAX).send().await.ok()?;
        let status = response.status().as_u16();
        Some((status, response.text().await.ok()?))
    }

    /// The same of what is done, or refused since somebody else was first: says which.
    async fn act(&self, what: &str, good: u16, request: RequestBuilder) -> Option<Option<String>> {
        let (status, told) = self.ask(request).await?;
        match status {
            409 => {
                self.did(&format!("{what}, refused"));
                Some(None)
            }
            _ if status == good => {
                self.did(what);
                Some(Some(told))
            }
            503 => None,
            _ => {
                self.wrong(format!("{what}: {status} {told}"));
                None
            }
        }
    }
}

/// A visitor's page.
struct Page {
    token: String,
    view: String,
}

impl Page {
    async fn begin(world: &World) -> Self {
        loop {
            let address = world.server().await;
            let begun = json!({ "site": "shop", "page": PAGE, "locale": "en-GB" }).to_string();
            let request = world.client.post(format!("http://{address}/widget/v1/start")).header("origin", ORIGIN).body(begun);
            if let Some((200, told)) = world.ask(request).await {
                let begun: Value = serde_json::from_str(&told).unwrap();
                return Self { token: text(&begun["token"]), view: text(&begun["view"]) };
            }
            pause(5).await;
        }
    }

    fn opening(&self) -> Form {
        let fields = [
            ("token", self.token.as_str()),
            ("view", &self.view),
            ("after", "0"),
            ("page", PAGE),
            ("conversation", "welcome"),
            ("locale", "en-GB"),
            ("theme", "auto"),
            ("zone", "UTC"),
        ];
        fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }

    /// Looks at where the conversation is, and does something. Nothing if the server was killed meanwhile.
    async fn step(&self, world: &World, random: &mut Random) -> Option<()> {
        let address = world.server().await;
        let post = |path: &str| world.client.post(format!("http://{address}{path}"));
        let (status, html) = world.ask(post("/widget/panel").header("origin", ORIGIN).form(&self.opening())).await?;
        if status != 200 {
            world.wrong(format!("the panel: {status} {html}"));
            return None;
        }
        let form = form_in(&html, "UTC");
        let answer =
            |more: &[(&str, &str)]| post("/widget/v1/answers").header("accept", "application/json").form(&filled(&form, more));
        let own = pages(&html);
        let dice = random.next() % 100;
        let holds = html.contains("name=\"guest_email\"");
        let times = buttons(&html, "value");
        if !own.is_empty() && (dice < 40 || (html.contains("data-grid") && times.is_empty())) {
            let page = &own[usize::try_from(random.next()).unwrap_or(0) % own.len()];
            return change_meeting(world, address, page, random).await;
        }
        if holds && dice < 80 {
            let guest = [("guest_name", "Ada"), ("guest_email", "ada@example.com")];
            let told = world.act("confirmed", 200, answer(&guest)).await?;
            let told: Value = told.map_or(Value::Null, |told| serde_json::from_str(&told).unwrap());
            let events = told["events"].as_array().cloned().unwrap_or_default();
            let booked = events.iter().filter(|event| event["type"] == "meeting.booked");
            world.booked.lock().unwrap().extend(booked.map(|event| text(&event["data"]["meetingInfo"]["id"])));
        } else if holds && dice < 95 {
            world.act("released", 200, answer(&[("do", "release")])).await?;
        } else if holds {
            world.did("left held");
        } else if html.contains("data-grid") {
            if let Some(time) = one_of(&times, random) {
                world.act("held", 200, answer(&[("value", time)])).await?;
            }
        } else {
            world.act("began again", 200, answer(&[("value", "again")])).await?;
        }
        Some(())
    }
}

/// One of the first of some times.
fn one_of<'t>(times: &'t [String], random: &mut Random) -> Option<&'t str> {
    let index = usize::try_from(random.next() % WANTED).unwrap_or(0);
    times.get(index).or(times.last()).map(String::as_str)
}

/// The pages of the meetings that a panel leads to.
fn pages(html: &str) -> Vec<String> {
    let ends = html.match_indices("/meeting.ics\"").map(|(end, _)| &html[..end]);
    ends.filter_map(|before| before.rsplit('"').next()).map(str::to_owned).collect()
}

/// A guest, or somebody in the console, moves a meeting or calls it off.
async fn change_meeting(world: &World, address: SocketAddr, page: &str, random: &mut Random) -> Option<()> {
    let id = page.split('/').nth(2).unwrap_or_default().to_owned();
    let by_guest = |form: &[(&str, &str)]| world.client.post(format!("http://{address}{page}")).form(form);
    let by_agent = |form: &[(&str, &str)]| {
        let request = world.client.post(format!("http://{address}/console/meetings/{id}")).header("cookie", &world.cookie);
        request.header("origin", format!("http://{address}")).form(form)
    };
    let cancel = [("do", "cancel")];
    match random.next() % 5 {
        0 | 1 => {
            let guest = random.next().is_multiple_of(2);
            let request = if guest { by_guest(&cancel) } else { by_agent(&cancel) };
            if world.act("called off", 303, request).await?.is_some() {
                world.called_off.lock().unwrap().insert(id);
            }
        }
        2 | 3 => {
            let shown = world.act("looked", 200, by_guest(&[("do", "look")])).await?;
            let times = buttons(&shown.unwrap_or_default(), "value");
            if let Some(time) = one_of(&times, random) {
                world.act("moved", 303, by_guest(&[("value", time), ("zone", "UTC")])).await?;
            }
        }
        _ => {
            // Wherever they like: onto others, too.
            let minutes = i64::try_from(random.next() % 96).unwrap_or(0) * 15;
            let start = Outside::real().now() + SignedDuration::from_mins(minutes);
            let start = start.strftime("%Y-%m-%dT%H:%M").to_string();
            world.act("moved by an agent", 303, by_agent(&[("do", "move"), ("start", &start)])).await?;
        }
    }
    Some(())
}

/// What the log says of a meeting.
#[derive(Debug, PartialEq)]
struct Story {
    agent: String,
    start: i64,
    end: i64,
    changes: i64,
    cancelled: bool,
}

/// What the log says of each meeting, in order; and what is wrong with that.
async fn stories(connection: &mut SqliteConnection, problems: &mut Vec<String>) -> BTreeMap<String, Story> {
    let mut stories: BTreeMap<String, Story> = BTreeMap::new();
    let events = sqlx::query("select type, data from event where type like 'meeting.%' order by position");
    for row in events.fetch_all(connection).await.unwrap() {
        let kind: String = row.get(0);
        let data: Value = serde_json::from_str(row.get(1)).unwrap();
        let info = &data["meetingInfo"];
        let (id, agent) = (text(&info["id"]), text(&data["agentID"]));
        let at = |name: &str| text(&info[name]).parse::<Timestamp>().unwrap().as_millisecond();
        let (start, end) = (at("start"), at("end"));
        if kind == "meeting.booked" {
            let story = Story { agent, start, end, changes: 0, cancelled: false };
            if let Some(before) = stories.insert(id.clone(), story) {
                problems.push(format!("{id} is booked twice: {before:?}"));
            }
            continue;
        }
        match stories.get_mut(&id) {
            Some(story) if !story.cancelled && story.agent == agent => {
                story.changes += 1;
                (story.start, story.end, story.cancelled) = (start, end, kind == "meeting.cancelled");
            }
            before => problems.push(format!("{kind} of {id}, which is {before:?}")),
        }
    }
    stories
}

/// What is wrong with the database.
async fn faults(database: &Path) -> Vec<String> {
    let mut problems = Vec::new();
    for (what, query) in [
        ("overlaps", OVERLAPS),
        (
            "buffers",
            "select count(*) from meeting join calendar using (agent)
            where occupied_from <> starts_at - buffer_before * 60000 or occupied_to <> ends_at + buffer_after * 60000",
        ),
        (
            "holds",
            "select count(*) from (select 1 from meeting where phase = 'held' group by visitor, conversation having count(*) > 1)",
        ),
        ("orphans", "select count(*) from meeting where session not in (select id from session)"),
    ] {
        let found = count(database, query).await;
        if found > 0 {
            problems.push(format!("{what}: {found}"));
        }
    }
    let mut connection = connect(database).await;
    let mut stories = stories(&mut connection, &mut problems).await;
    let rows = sqlx::query("select id, agent, phase, starts_at, ends_at, json_extract(state, '$.sequence') from meeting");
    for row in rows.fetch_all(&mut connection).await.unwrap() {
        let (id, phase): (String, String) = (row.get(0), row.get(2));
        let kept =
            Story { agent: row.get(1), start: row.get(3), end: row.get(4), changes: row.get(5), cancelled: phase == "cancelled" };
        match stories.remove(&id) {
            None if phase == "held" || phase == "released" => {}
            Some(told) if told == kept && (phase == "booked" || phase == "cancelled") => {}
            told => problems.push(format!("{id} is {phase}, {kept:?}, and told as {told:?}")),
        }
    }
    problems.extend(stories.into_iter().map(|(id, story)| format!("{id} is not there: {story:?}")));
    connection.close().await.unwrap();
    problems
}

/// As if the server had been down for longer than times are held.
const RUN_OUT: &str = "update meeting set due_at = 1, state = json_set(state, '$.phase.held.until', '2020-01-01T00:00:00Z')
    where phase = 'held'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_visitors_and_agents_do_and_the_server_survives_no_two_meetings_overlap() {
    let extent = if std::env::var_os("PORCHLIGHT_TORTURE").is_some() { LONG } else { SHORT };
    let seed =
        std::env::var("PORCHLIGHT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| u64::from(std::process::id()));
    println!("PORCHLIGHT_SEED={seed}, {} kills", extent.lives);
    let mut random = Random(seed);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::write(folder.path().join("site.toml"), "key = \"shop\"\ntitle = \"Shop\"\norigins = [\"https://shop.example\"]\n")
        .unwrap();
    fs::create_dir(folder.path().join("conversations")).unwrap();
    fs::write(folder.path().join("conversations/meet.json"), AGAIN_AND_AGAIN).unwrap();
    once(&["import", folder.path().to_str().unwrap()], &data).await;
    let store = Store::open(&data, 16, 64).await.unwrap();
    let (cookie, now) = (Outside::real().new_secret(), Outside::real().now());
    store.commit(Prepare { cookie: cookie.clone(), now }).await.unwrap();
    store.close().await;
    let database = data.join("porchlight.db");

    let settings = ["--meeting-hold-seconds", "30"];
    let (mut child, address) = serve(&data, &settings).await;
    let (say_up, up) = watch::channel(Some(address));
    let world = Arc::new(World {
        up,
        client: Client::builder().redirect(redirect::Policy::none()).build().unwrap(),
        cookie: format!("__Host-porchlight={}", cookie.reveal()),
        steps: AtomicUsize::new(0),
        over: AtomicBool::new(false),
        done: Mutex::default(),
        booked: Mutex::default(),
        called_off: Mutex::default(),
        problems: Mutex::default(),
    });
    let mut visitors = JoinSet::new();
    for number in 1..=VISITORS {
        let world = Arc::clone(&world);
        let mut own = Random(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        visitors.spawn(async move {
            let page = Page::begin(&world).await;
            while !world.over.load(Ordering::Relaxed) {
                match page.step(&world, &mut own).await {
                    Some(()) => {
                        world.steps.fetch_add(1, Ordering::Relaxed);
                    }
                    None => pause(5).await,
                }
            }
        });
    }
    let mut problems = Vec::new();
    for life in 1..=extent.lives {
        let some = u64::try_from(extent.steps / 2).unwrap();
        let target = world.steps.load(Ordering::Relaxed) + extent.steps + usize::try_from(random.next() % some).unwrap();
        let enough = async {
            while world.steps.load(Ordering::Relaxed) < target && world.problems.lock().unwrap().is_empty() {
                pause(1).await;
            }
        };
        // On a slow machine less is done.
        let _ = tokio::time::timeout(PATIENCE, enough).await;
        child.start_kill().unwrap();
        child.wait().await.unwrap();
        say_up.send_replace(None);
        problems.extend(faults(&database).await.into_iter().map(|fault| format!("after {life} lives: {fault}")));
        problems.append(&mut world.problems.lock().unwrap());
        if !problems.is_empty() {
            break;
        }
        if life % 2 == 0 {
            let held = count(&database, HELD).await;
            change(&database, &[RUN_OUT]).await;
            println!("{held} holds have run out");
        }
        let address;
        (child, address) = serve(&data, &settings).await;
        say_up.send_replace(Some(address));
    }
    world.over.store(true, Ordering::Relaxed);
    println!("{:?}", world.done.lock().unwrap());
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    let ended = async {
        while let Some(ended) = visitors.join_next().await {
            ended.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, ended).await.unwrap();
    child.start_kill().unwrap();
    child.wait().await.unwrap();
    problems.extend(faults(&database).await);
    problems.append(&mut world.problems.lock().unwrap());
    assert!(problems.is_empty(), "{}", problems.join("\n"));

    // What was acknowledged is there.
    let mut connection = connect(&database).await;
    let stories = stories(&mut connection, &mut problems).await;
    connection.close().await.unwrap();
    let (booked, called_off) = (world.booked.lock().unwrap().clone(), world.called_off.lock().unwrap().clone());
    println!("{} booked, {} of them called off; {} in the log", booked.len(), called_off.len(), stories.len());
    let lost: Vec<_> = booked.iter().filter(|id| !stories.contains_key(*id)).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    let back: Vec<_> = called_off.iter().filter(|id| stories.get(*id).is_none_or(|story| !story.cancelled)).collect();
    assert!(back.is_empty(), "called off, and there again: {back:?}");
    assert!(!booked.is_empty(), "nothing was booked, so nothing was shown");
}
