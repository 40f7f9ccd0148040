//! The numbers: that they are those of a slow recount of the log and of the transcripts, whatever happens meanwhile; and who sees them.
//!
//! A short run here; `make torture` goes on for longer. The seed is printed, and `PORCHLIGHT_SEED` repeats a run.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date, tz::TimeZone};
use porchlight_domain::{
    agent::Role,
    id::{ChatId, VisitorId, uuid_v7},
};
use porchlight_server::{analytics::Counter, settings::Settings};
use serde_json::{Value, json};
use sqlx::{Connection, Row, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{
    app::{CONVERSATION, TestApp, filled, form_of, good, problem, text},
    kill::Random,
    meetings::{console_page, for_days},
    sides::{Agent, Socket, TALK, add_agent, add_agent_of},
};

/// Another site than the usual one.
const OTHER: &str = "key = \"other\"\ntitle = \"Other\"\norigins = [\"https://other.example\"]\ncountry = \"DE\"\n";
/// A conversation whose survey has ratings of two scales.
const SURVEYED: &str = r#"{ "id": "welcome", "name": "Talk", "cards": [
    { "id": "agent", "card": "liveChat", "text": "One moment", "queue": true },
    { "id": "after", "card": "form", "purpose": "survey", "text": "How was it?", "optional": true, "fields": [
        { "name": "rating", "field": "stars", "label": "All in all" },
        { "name": "recommend", "field": "score", "label": "Would you recommend us?" },
        { "name": "words", "field": "textArea", "label": "In your words" }
    ] },
    { "id": "end", "card": "end", "text": "Goodbye" }
] }"#;
const DAY_MS: i64 = 86_400_000;

/// The database itself. What the tests make up has no visitors and no sessions.
async fn database(app: &TestApp) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(app.folder.path().join("porchlight.db")).foreign_keys(false);
    SqliteConnection::connect_with(&options).await.unwrap()
}

/// An id that depends on a number only.
fn id(kind: u8, number: u64) -> uuid::Uuid {
    let mut bytes = [kind; 10];
    bytes[2..].copy_from_slice(&number.to_be_bytes());
    uuid_v7(1_700_000_000_000, &bytes)
}

/// An event as a test makes it up.
struct Made {
    kind: &'static str,
    time: i64,
    site: &'static str,
    visitor: String,
    session: String,
    conversation: Option<&'static str>,
    page: String,
    data: Value,
}

/// Writes events to the end of the log.
async fn write(database: &mut SqliteConnection, number: &mut u64, events: &[Made]) {
    let mut transaction = database.begin().await.unwrap();
    for made in events {
        *number += 1;
        sqlx::query(
            "insert into event (id, type, seq, time, site, visitor, session, view, conversation, page, data)
             values ($1, $2, $3, $4, $5, $6, $7, '-', $8, $9, $10)",
        )
        .bind(id(1, *number).to_string())
        .bind(made.kind)
        .bind(i64::try_from(*number).unwrap())
        .bind(made.time)
        .bind(made.site)
        .bind(&made.visitor)
        .bind(&made.session)
        .bind(made.conversation)
        .bind(&made.page)
        .bind(made.data.to_string())
        .execute(&mut *transaction)
        .await
        .unwrap();
    }
    transaction.commit().await.unwrap();
}

/// A survey as it is kept.
async fn keep_survey(database: &mut SqliteConnection, made: &Made, chat: &str, agent: Option<&str>, answers: &Value) {
    sqlx::query(
        "insert into submission (id, site, visitor, conversation, version, card, purpose, kind, chat, agent, answers, submitted_at)
         values ($1, $2, $3, 'welcome', 1, 'after', 'survey', 'Chat', $1, $4, $5, $6)",
    )
    .bind(chat)
    .bind(made.site)
    .bind(&made.visitor)
    .bind(agent)
    .bind(answers.to_string())
    .bind(made.time)
    .execute(database)
    .await
    .unwrap();
}

/// Lives of visitors, as they come to mind.
struct Lives {
    random: Random,
    now: i64,
    chats: Vec<Talking>,
    made: u64,
}

/// A chat that a life has.
#[derive(Clone)]
struct Talking {
    chat: String,
    visitor: String,
    session: String,
    site: &'static str,
    accepted: bool,
    over: bool,
    agent: Option<String>,
}

impl Lives {
    fn one_of<T: Clone>(&mut self, of: &[T]) -> T {
        let index = usize::try_from(self.random.next()).unwrap() % of.len();
        of[index].clone()
    }

    fn up_to(&mut self, most: u64) -> u64 {
        self.random.next() % most
    }

    /// What happens next; with what is kept of a survey, if it is one: chat, agent, answers.
    fn next(&mut self, agents: &[Agent]) -> (Made, Option<(String, Option<String>, Value)>) {
        // Some is told late, and some comes from a clock that is wrong.
        self.now += i64::try_from(self.up_to(1_200_000)).unwrap();
        let time = self.now - i64::try_from(self.up_to(3)).unwrap() * i64::try_from(self.up_to(3 * 86_400_000)).unwrap();
        let site = self.one_of(&["shop", "shop", "other"]);
        let visitor = self.up_to(40);
        let mut made = Made {
            kind: "widget.loaded",
            time,
            site,
            visitor: VisitorId::new(id(2, visitor)).to_string(),
            session: id(3, visitor * 10 + self.up_to(3)).to_string(),
            conversation: self.one_of(&[Some("welcome"), Some("welcome"), Some("gone"), None]),
            page: format!("https://shop.example/{}?campaign={}#top", self.up_to(14), self.up_to(100)),
            data: json!({}),
        };
        let agent = &agents[usize::try_from(self.up_to(2)).unwrap()];
        let agent = Some(agent.id.to_string());
        let plain = [
            "conversation.triggered",
            "conversation.triggered",
            "conversation.engaged",
            "conversation.completed",
            "conversation.closed",
            "input.email",
            "input.phone",
            "input.captured",
            "callback.requested",
            "widget.shown",
            "message.sent",
        ];
        match self.up_to(10) {
            0..5 => made.kind = self.one_of(&plain),
            5 => {
                made.kind = self.one_of(&["meeting.booked", "meeting.cancelled", "meeting.rescheduled", "callback.completed"]);
                made.data = json!({ "agentID": agent, "agentName": "somebody" });
            }
            6 => {
                self.made += 1;
                let chat = ChatId::new(id(4, self.made)).to_string();
                made.kind = "livechat.requested";
                made.data = json!({ "chat": chat, "agentID": agent });
                let (visitor, session) = (made.visitor.clone(), made.session.clone());
                self.chats.push(Talking { chat, visitor, session, site, accepted: false, over: false, agent: None });
            }
            _ if !self.chats.is_empty() => {
                let index = usize::try_from(self.random.next()).unwrap() % self.chats.len();
                let mut chat = self.chats[index].clone();
                (made.site, made.visitor, made.session) = (chat.site, chat.visitor.clone(), chat.session.clone());
                made.conversation = Some("welcome");
                let what = self.up_to(4);
                if chat.over {
                    // A survey is given once, and only of a chat.
                    self.chats.remove(index);
                    made.kind = "survey.submitted";
                    made.data = json!({ "widget": "launcher", "chat": chat.chat });
                    let stars = (self.up_to(5) + 1).to_string();
                    let score = self.up_to(11).to_string();
                    let answers = self.one_of(&[
                        json!([["rating", stars], ["recommend", score], ["words", "5"]]),
                        json!([["rating", stars]]),
                        json!([["words", "3"]]),
                        json!([]),
                    ]);
                    return (made, Some((chat.chat, chat.agent, answers)));
                }
                if !chat.accepted && what < 2 {
                    made.kind = "livechat.initiated";
                    made.data = json!({ "chat": chat.chat, "agentID": agent });
                    (chat.accepted, chat.agent) = (true, agent);
                } else if chat.accepted && what < 3 {
                    made.kind = self.one_of(&["message.received", "message.sent", "livechat.transferred"]);
                    made.data = json!({ "chat": chat.chat, "agentID": agent });
                    if made.kind == "livechat.transferred" {
                        chat.agent = agent;
                    }
                } else if self.up_to(2) == 0 {
                    made.kind = "livechat.ended";
                    made.data = json!({ "chat": chat.chat, "agentID": chat.agent });
                    chat.over = true;
                } else {
                    made.kind = "livechat.timeout";
                    made.data =
                        json!({ "chat": chat.chat, "agentID": chat.agent, "online": chat.accepted, "reason": "visitor_idle" });
                    chat.over = true;
                }
                self.chats[index] = chat;
            }
            _ => {}
        }
        (made, None)
    }
}

/// What is counted of a site: by what it is told apart, which, and which day; and there by its name.
type Recount = BTreeMap<(String, &'static str, String, i64), BTreeMap<&'static str, i64>>;

/// Counts the log once more, event by event, as the documentation says; with the rating of each survey and who it is about, by chat.
fn recount(log: &[Value], surveys: &HashMap<String, (Option<String>, Option<i64>)>, pages_limit: usize) -> Recount {
    let mut counted = Recount::new();
    let (mut known, mut written): (HashSet<String>, HashSet<String>) = (HashSet::new(), HashSet::new());
    let mut chats: HashMap<String, (i64, Option<i64>, bool)> = HashMap::new();
    let mut pages: HashMap<(String, i64), HashSet<String>> = HashMap::new();
    for event in log {
        let field = |name: &str| event["data"][name].as_str().map(str::to_owned);
        let time = event["time"].as_str().unwrap().parse::<Timestamp>().unwrap().as_millisecond();
        let (visitor, session) = (text(&event["visitor"]), text(&event["session"]));
        let chat = field("chat").unwrap_or_default();
        let mut agent = None;
        let mut adds: Vec<(&'static str, i64)> = Vec::new();
        match event["type"].as_str().unwrap() {
            "conversation.triggered" => adds.push(("triggered", 1)),
            "conversation.engaged" => adds.push(("engaged", 1)),
            "conversation.completed" => adds.push(("completed", 1)),
            "conversation.closed" => adds.push(("closed", 1)),
            "input.email" => {
                adds.push(("emails", 1));
                adds.push(("acquired", i64::from(written.insert(session))));
                adds.push(("contacts", i64::from(known.insert(visitor))));
            }
            "input.phone" => {
                adds.push(("phones", 1));
                adds.push(("contacts", i64::from(known.insert(visitor))));
            }
            "meeting.booked" => (adds, agent) = (vec![("meetings", 1)], field("agentID")),
            "meeting.cancelled" => (adds, agent) = (vec![("meetings_cancelled", 1)], field("agentID")),
            "livechat.requested" => {
                chats.insert(chat, (time, None, false));
                adds.push(("chats_requested", 1));
            }
            "livechat.initiated" => {
                agent = field("agentID");
                let about = chats.get_mut(&chat).unwrap();
                about.1 = Some(time);
                adds.extend([("chats_answered", 1), ("waits", 1), ("waited", (time - about.0).max(0))]);
            }
            "message.received" => {
                let about = chats.get_mut(&chat).unwrap();
                if let (Some(accepted), false) = (about.1, about.2) {
                    about.2 = true;
                    agent = field("agentID");
                    adds.extend([("answers", 1), ("answering", (time - accepted).max(0))]);
                }
            }
            "livechat.ended" | "livechat.timeout" if chats[&chat].1.is_none() => adds.push(("chats_missed", 1)),
            "survey.submitted" => {
                adds.push(("surveys", 1));
                let (of, rating) = &surveys[&chat];
                agent.clone_from(of);
                adds.extend(rating.iter().flat_map(|rating| [("rated", 1), ("rating", *rating)]));
            }
            "callback.requested" => adds.push(("callbacks", 1)),
            "callback.completed" => (adds, agent) = (vec![("callbacks_completed", 1)], field("agentID")),
            _ => {}
        }
        if adds.is_empty() {
            continue;
        }
        let (site, day) = (text(&event["site"]), time.div_euclid(DAY_MS));
        let page = text(&event["page"]).split('?').next().unwrap().to_owned();
        let told_apart = pages.entry((site.clone(), day.div_euclid(64))).or_default();
        let fits = told_apart.contains(&page) || told_apart.len() < pages_limit;
        let page = if fits { page } else { "(other)".to_owned() };
        if fits {
            told_apart.insert(page.clone());
        }
        let mut values = vec![("all", String::new()), ("page", page)];
        values.extend(event["conversation"].as_str().map(|conversation| ("conversation", conversation.to_owned())));
        values.extend(agent.map(|agent| ("agent", agent)));
        for (by, value) in values {
            let sums = counted.entry((site.clone(), by, value, day)).or_default();
            for &(name, number) in &adds {
                *sums.entry(name).or_default() += number;
            }
        }
    }
    counted
}

/// The whole log, as the API tells it.
async fn whole_log(app: &TestApp) -> Vec<Value> {
    let (mut log, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/events?limit=1000&after={after}");
        let page = good(app.get(&path).bearer_auth(&app.key).send().await.unwrap()).await;
        let events = page["events"].as_array().unwrap();
        if events.is_empty() {
            return log;
        }
        log.extend(events.iter().cloned());
        after = text(&page["next"]);
    }
}

/// A table of the console's CSV: the first cell of each line, and its figures by name.
async fn table(app: &TestApp, agent: &Agent, query: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let (status, csv) = console_page(app, agent, &format!("/console/analytics.csv?{query}")).await;
    assert_eq!(status, 200, "{csv}");
    let mut lines = csv.lines();
    let heads: Vec<String> = lines.next().unwrap().split(',').map(str::to_owned).collect();
    let cells =
        |line: &str| -> BTreeMap<String, String> { heads.iter().cloned().zip(line.split(',').map(str::to_owned)).collect() };
    lines.map(|line| (line.split(',').next().unwrap().to_owned(), cells(line))).collect()
}

/// Only what is counted and not nothing.
fn counted(line: &BTreeMap<String, String>) -> BTreeMap<String, i64> {
    let numbers = line.iter().filter(|(name, _)| !["day", "page", "conversation", "agent", "name"].contains(&name.as_str()));
    let numbers = numbers.filter(|(name, _)| !name.ends_with("_rate") && !name.starts_with("mean_"));
    numbers.map(|(name, number)| (name.clone(), number.parse::<i64>().unwrap())).filter(|(_, number)| *number != 0).collect()
}

fn number_of(day: Date) -> i64 {
    day.to_zoned(TimeZone::UTC).unwrap().timestamp().as_millisecond().div_euclid(DAY_MS)
}

/// Compares all tables of a site and a time with a recount.
async fn compare(app: &TestApp, agent: &Agent, recount: &Recount, site: &str, (first, last): (Date, Date)) {
    for by in ["day", "conversation", "page", "agent"] {
        let shown = table(app, agent, &format!("by={by}&site={site}&from={first}&to={last}")).await;
        let shown: BTreeMap<String, BTreeMap<String, i64>> =
            shown.into_iter().map(|(value, line)| (value, counted(&line))).filter(|(_, line)| !line.is_empty()).collect();
        let mut expected: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
        let days = number_of(first)..=number_of(last);
        for ((_, _, value, day), figures) in recount.iter().filter(|((of, told_by, _, day), _)| {
            of == site && days.contains(day) && *told_by == if by == "day" { "all" } else { by }
        }) {
            let date = Timestamp::from_second(day * 86_400).unwrap().to_zoned(TimeZone::UTC).date();
            let line = expected.entry(if by == "day" { date.to_string() } else { value.clone() }).or_default();
            for (name, number) in figures.iter().filter(|(_, number)| **number != 0) {
                *line.entry((*name).to_owned()).or_default() += number;
            }
        }
        expected.retain(|_, line| !line.is_empty());
        assert_eq!(shown, expected, "{site}, {first} to {last}, by {by}");
    }
}

/// The rating of a survey, from 0 to 10,000, as the documentation says.
fn rating(answers: &Value) -> Option<i64> {
    let of = |name: &str, least: i64, most: i64| {
        let given = answers.as_array().unwrap().iter().find(|pair| pair[0] == name)?;
        Some((given[1].as_str().unwrap().parse::<i64>().unwrap() - least) * 10_000 / (most - least))
    };
    let given: Vec<i64> = [of("rating", 1, 5), of("recommend", 0, 10)].into_iter().flatten().collect();
    (!given.is_empty()).then(|| given.iter().sum::<i64>() / i64::try_from(given.len()).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_numbers_are_those_of_a_slow_recount() {
    let rounds = if std::env::var_os("PORCHLIGHT_TORTURE").is_some() { 200 } else { 3 };
    let seed = std::env::var("PORCHLIGHT_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| u64::from(std::process::id()));
    println!("PORCHLIGHT_SEED={seed}, {rounds} rounds");
    let mut random = Random(seed);
    for _ in 0..rounds {
        let app = for_days()
            .with_conversation(SURVEYED)
            .with_settings(|settings| settings.analytics_pages_limit = 10)
            .start_only()
            .await;
        app.import(OTHER, &[SURVEYED.to_owned()]).await;
        let admin = add_agent(&app, 9, Role::Administrator).await;
        let agents = [add_agent(&app, 1, Role::Agent).await, add_agent(&app, 2, Role::Agent).await];
        let settings = Settings { analytics_pages_limit: 10, ..Settings::default() };
        let (mut database, mut number) = (database(&app).await, 0);
        // A year and some, that ends before the server's day.
        let begin = app.now().as_millisecond() - 480 * DAY_MS;
        let mut lives = Lives { random: Random(random.next()), now: begin, chats: Vec::new(), made: 0 };
        let mut surveys = HashMap::new();
        for _ in 0..6 {
            let mut events = Vec::new();
            for _ in 0..lives.up_to(900) {
                lives.now += 100 * 60_000;
                let (made, survey) = lives.next(&agents);
                if let Some((chat, agent, answers)) = survey {
                    keep_survey(&mut database, &made, &chat, agent.as_deref(), &answers).await;
                    surveys.insert(chat, (agent, rating(&answers)));
                }
                events.push(made);
            }
            write(&mut database, &mut number, &events).await;
            // Somebody counts; or two at once, one of whom has just been started again; or nobody.
            match lives.up_to(3) {
                0 => app.counter.catch_up().await.unwrap(),
                1 => {
                    let other = Counter::new(app.store.clone(), &settings);
                    let (one, other) = tokio::join!(app.counter.catch_up(), other.catch_up());
                    one.and(other).unwrap();
                }
                _ => {}
            }
        }
        app.counter.catch_up().await.unwrap();
        let log = whole_log(&app).await;
        assert_eq!(u64::try_from(log.len()).unwrap(), number);
        let recount = recount(&log, &surveys, 10);
        let (first, last) = (date(begin - 10 * DAY_MS), date(app.now().as_millisecond()));
        for site in ["shop", "other"] {
            compare(&app, &admin, &recount, site, (first, last)).await;
            for _ in 0..3 {
                let from = first.checked_add(i64::try_from(lives.up_to(300)).unwrap().days()).unwrap();
                let to = from.checked_add(i64::try_from(lives.up_to(200)).unwrap().days()).unwrap();
                compare(&app, &admin, &recount, site, (from, to)).await;
            }
        }
        database.close().await.unwrap();
    }
}

fn date(milliseconds: i64) -> Date {
    Timestamp::from_millisecond(milliseconds).unwrap().to_zoned(TimeZone::UTC).date()
}

/// A plain event of the usual site, now.
fn made(app: &TestApp, kind: &'static str, page: &str) -> Made {
    Made {
        kind,
        time: app.now().as_millisecond(),
        site: "shop",
        visitor: VisitorId::new(id(2, 1)).to_string(),
        session: id(3, 1).to_string(),
        conversation: Some("welcome"),
        page: page.to_owned(),
        data: json!({}),
    }
}

#[tokio::test]
async fn as_many_pages_are_told_apart_as_the_setting_says() {
    let app = for_days().with_settings(|settings| settings.analytics_pages_limit = 10).start().await;
    let admin = add_agent(&app, 9, Role::Administrator).await;
    let (mut database, mut number) = (database(&app).await, 0);
    let pages = |app: &TestApp, from: u32, to: u32| -> Vec<Made> {
        (from..to).map(|page| made(app, "conversation.triggered", &format!("https://shop.example/{page}"))).collect()
    };
    write(&mut database, &mut number, &pages(&app, 0, 10)).await;
    let shown = table(&app, &admin, "by=page&site=shop").await;
    assert_eq!((shown.len(), shown.contains_key("(other)")), (10, false));
    // One more, twice; those that are known are known still.
    write(&mut database, &mut number, &pages(&app, 9, 12)).await;
    let shown = table(&app, &admin, "by=page&site=shop").await;
    assert_eq!(
        (shown.len(), shown["(other)"]["triggered"].as_str(), shown["https://shop.example/9"]["triggered"].as_str()),
        (11, "2", "2")
    );
    // After 64 days there is room for others.
    app.pass(SignedDuration::from_hours(64 * 24));
    write(&mut database, &mut number, &pages(&app, 20, 21)).await;
    let shown = table(&app, &admin, "by=page&site=shop").await;
    assert_eq!(shown.keys().collect::<Vec<_>>(), ["https://shop.example/20"]);
}

#[tokio::test]
async fn figures_come_of_what_visitors_and_agents_do() {
    let app = for_days().with_conversation(TALK).start_only().await;
    let (admin, ada) = (add_agent(&app, 9, Role::Administrator).await, add_agent(&app, 1, Role::Agent).await);
    let mut desk = Socket::desk(&app, &ada).await;
    let visitor = app.visitor().await;
    let (_, form) = visitor.open().await;
    let chat = desk.offered().await;
    app.pass(SignedDuration::from_secs(20));
    desk.ask(1, json!({ "do": "accept", "chat": chat })).await;
    app.pass(SignedDuration::from_secs(5));
    desk.ask(2, json!({ "do": "say", "chat": chat, "message": visitor.id(), "text": "Hello" })).await;
    app.pass(SignedDuration::from_secs(60));
    desk.ask(3, json!({ "do": "say", "chat": chat, "message": visitor.id(), "text": "Again" })).await;
    desk.ask(4, json!({ "do": "end", "chat": chat })).await;
    good(visitor.answer_with(&form, &[("do", "refresh")]).await).await;

    let all = table(&app, &admin, "by=day&site=shop&from=2026-11-21&to=2026-11-21").await;
    let day = &all["2026-11-21"];
    for (name, value) in [
        ("triggered", "1"),
        ("chats_requested", "1"),
        ("chats_answered", "1"),
        ("chats_missed", "0"),
        ("waits", "1"),
        ("waited", "20000"),
        ("answers", "1"),
        ("answering", "5000"),
        ("completed", "1"),
        ("mean_waiting_ms", "20000.0"),
        ("mean_answering_ms", "5000.0"),
        ("engagement_rate", "0.0000"),
        ("completion_rate", ""),
    ] {
        assert_eq!(day[name], value, "{name}");
    }
    let agents = table(&app, &admin, "by=agent&site=shop").await;
    let line = &agents[&ada.id.to_string()];
    assert_eq!((line["name"].as_str(), line["chats_answered"].as_str(), line["triggered"].as_str()), ("Agent 1", "1", "0"));
    let pages = table(&app, &admin, "by=page&site=shop").await;
    assert_eq!(pages["https://shop.example/bikes"]["completed"], "1");

    let (status, page) = console_page(&app, &admin, "/console/analytics?site=shop").await;
    assert_eq!(status, 200);
    let page = page.replace("<!>", "");
    for part in [
        "Chats answered",
        "20 s",
        "5 s",
        "Agent 1",
        "https://shop.example/bikes",
        "/console/analytics/funnel?",
        "<svg",
        "0.0 % of triggered",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    let (_, sorted) = console_page(&app, &admin, "/console/analytics?site=shop&sort=completed").await;
    assert_eq!(sorted.matches("aria-sort=\"descending\"").count(), 3);
    let (_, empty) = console_page(&app, &admin, "/console/analytics?site=shop&from=2020-01-01&to=2020-01-31").await;
    assert!(empty.contains("Nothing was counted in this time.") && !empty.contains("<svg"), "{empty}");

    // The same, to programs.
    let ask = |query: &str| app.get(&format!("/api/v1/analytics?{query}")).bearer_auth(&app.key).send();
    let told = good(ask("site=shop&by=agent").await.unwrap()).await;
    assert_eq!(told["total"]["meanWaitingMs"], 20_000.0);
    assert_eq!(told["rows"][0]["numbers"]["chatsAnswered"], 1);
    assert_eq!(
        (&told["rows"][0]["name"], &told["to"], &told["countedTo"]),
        (&json!("Agent 1"), &json!("2026-11-21"), &Value::Null)
    );
    let days = good(ask("site=shop&from=2026-11-20").await.unwrap()).await;
    assert_eq!((days["rows"].as_array().unwrap().len(), &days["rows"][0]["value"]), (2, &json!("2026-11-20")));
    for (query, status, code, field) in [
        ("site=nowhere", 404, "unknown_site", "site"),
        ("by=day", 400, "malformed", "site"),
        ("site=shop&by=hour", 400, "malformed", "by"),
        ("site=shop&from=x", 400, "malformed", "from"),
        ("site=shop&from=2026-11-22&to=2026-11-21", 400, "malformed", "to"),
    ] {
        let refused = problem(ask(query).await.unwrap(), status, code).await;
        assert_eq!(refused["field"], field, "{query}");
    }
}

#[tokio::test]
async fn only_those_who_may_see_the_numbers_and_of_their_sites() {
    let app = for_days().start().await;
    app.import(OTHER, &[CONVERSATION.to_owned()]).await;
    app.visitor().await.tell("widget.shown").await;
    let agent = add_agent(&app, 1, Role::Agent).await;
    let author = add_agent(&app, 2, Role::Author).await;
    let elsewhere = add_agent_of(&app, 3, Role::Author, "other").await;
    let paths = ["/console/analytics", "/console/analytics.csv?by=day", "/console/analytics/funnel?conversation=welcome"];
    for path in paths {
        assert_eq!(console_page(&app, &agent, path).await.0, 403, "{path}");
        assert_eq!(console_page(&app, &author, path).await.0, 200, "{path}");
        let of_shop = format!("{path}{}site=shop", if path.contains('?') { "&" } else { "?" });
        assert_eq!(console_page(&app, &author, &of_shop).await.0, 200, "{path}");
        assert_eq!(console_page(&app, &elsewhere, &of_shop).await.0, 404, "{path}");
        assert_eq!(console_page(&app, &elsewhere, path).await.0, 200, "{path}");
    }
    let triggered = |page: &str| page.replace("<!>", "").contains("<dt>Triggered</dt><dd class=\"tile-value\">1</dd>");
    assert!(triggered(&console_page(&app, &author, "/console/analytics").await.1));
    let (_, page) = console_page(&app, &elsewhere, "/console/analytics").await;
    assert!(!triggered(&page) && !page.contains(">shop<"), "{page}");
    assert!(!console_page(&app, &agent, "/console").await.1.contains("/console/analytics"));
    assert!(console_page(&app, &author, "/console").await.1.contains("/console/analytics"));
    for (query, status) in [
        ("?from=yesterday", 400),
        ("?from=2026-11-22&to=2026-11-21", 400),
        (".csv?by=hour", 400),
        (".csv?by=day&from=yesterday", 400),
        ("/funnel?conversation=nothing", 404),
        ("/funnel?conversation=welcome&version=7", 404),
        ("/funnel?conversation=welcome&version=x", 400),
        ("/funnel", 404),
    ] {
        let (found, page) = console_page(&app, &author, &format!("/console/analytics{query}")).await;
        assert_eq!(found, status, "{query}: {page}");
    }
}

/// What the funnel says of each card: reached, answered, still there.
async fn funnel(app: &TestApp, agent: &Agent, more: &str) -> BTreeMap<String, (i64, i64, i64)> {
    let (status, csv) =
        console_page(app, agent, &format!("/console/analytics.csv?by=funnel&site=shop&conversation=welcome{more}")).await;
    assert_eq!(status, 200, "{csv}");
    let line = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |index: usize| cells[index].parse::<i64>().unwrap();
        (cells[1].to_owned(), (number(3), number(4), number(5)))
    };
    csv.lines().skip(1).map(line).filter(|(_, counts)| *counts != (0, 0, 0)).collect()
}

/// The same, counted once more from transcripts and from where visitors are.
async fn recount_cards(app: &TestApp) -> BTreeMap<String, (i64, i64, i64)> {
    let mut database = database(app).await;
    let lines = sqlx::query("select visitor, card, author from entry where conversation = 'welcome'")
        .fetch_all(&mut database)
        .await
        .unwrap();
    let standing = sqlx::query("select card from progress where conversation = 'welcome' and standing = 'at'")
        .fetch_all(&mut database)
        .await
        .unwrap();
    database.close().await.unwrap();
    let mut seen: HashSet<(String, String, String)> = HashSet::new();
    let mut cards: BTreeMap<String, (i64, i64, i64)> = BTreeMap::new();
    for row in lines {
        let (visitor, card, author): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        if seen.insert((visitor, card.clone(), author.clone())) {
            let counts = cards.entry(card).or_default();
            counts.0 += i64::from(author == "bot");
            counts.1 += i64::from(author == "visitor");
        }
    }
    for row in standing {
        cards.entry(row.get(0)).or_default().2 += 1;
    }
    cards
}

/// A conversation with a branch, in which one may go back and begin again.
const BRANCHING: &str = r#"{ "id": "welcome", "name": "Branching", "back": true, "restart": true, "cards": [
    { "id": "hi", "card": "message", "text": "Hello" },
    { "id": "topic", "card": "question", "text": "What about?",
      "choices": [{ "label": "Price", "value": "price" }, { "label": "Size", "value": "size", "next": "size" }, { "label": "Nothing", "value": "none", "next": "bye" }] },
    { "id": "mail", "card": "capture", "field": "email", "text": "Your address?", "next": "bye" },
    { "id": "size", "card": "capture", "field": "number", "attribute": "size", "text": "Your size?" },
    { "id": "bye", "card": "end", "text": "Goodbye" }
] }"#;

#[tokio::test]
async fn a_visitor_counts_once_a_card_and_is_where_they_stayed() {
    let app = for_days().with_conversation(BRANCHING).start_only().await;
    let admin = add_agent(&app, 9, Role::Administrator).await;
    // One stays at the first question, one at the branch, one comes to the end.
    app.visitor().await.open().await;
    let staying = app.visitor().await;
    let (_, form) = staying.open().await;
    staying.go_on(&form, "size").await;
    let through = app.visitor().await;
    let (_, form) = through.open().await;
    let (_, form) = through.go_on(&form, "price").await;
    through.go_on(&form, "ada@example.com").await;
    let cards = funnel(&app, &admin, "").await;
    let expected = [("hi", (3, 0, 0)), ("topic", (3, 2, 1)), ("mail", (1, 1, 0)), ("size", (1, 0, 1)), ("bye", (1, 0, 0))];
    assert_eq!(cards, BTreeMap::from(expected.map(|(card, counts)| (card.to_owned(), counts))));
    assert_eq!(cards, recount_cards(&app).await);

    // Going back and answering again counts nothing anew, but says where they are; on another day, too.
    app.pass(SignedDuration::from_hours(48));
    let (_, form) = staying.open().await;
    let back = good(staying.answer_with(&form, &[("do", "back")]).await).await;
    let at_topic = funnel(&app, &admin, "").await;
    assert_eq!((at_topic["topic"], at_topic["size"]), ((3, 2, 2), (1, 0, 0)));
    let today = funnel(&app, &admin, "&from=2026-11-23&to=2026-11-23").await;
    assert_eq!(today, BTreeMap::from([("topic".to_owned(), (0, 0, 1))]), "they came to it today, and not for the first time");
    staying.go_on(&form_of(&text(&back["card"])), "none").await;
    let cards = funnel(&app, &admin, "").await;
    assert_eq!((cards["topic"], cards["bye"]), ((3, 2, 1), (2, 0, 0)));
    assert_eq!(cards, recount_cards(&app).await);

    // Another version: the one who has not answered takes it; who begins then is told apart by it; what is gone is together.
    app.republish(&[BRANCHING
        .replace("\"id\": \"size\", \"card\"", "\"id\": \"measure\", \"card\"")
        .replace("\"next\": \"size\"", "\"next\": \"measure\"")])
        .await;
    let new = app.visitor().await;
    let (_, form) = new.open().await;
    new.go_on(&form, "size").await;
    let cards = funnel(&app, &admin, "").await;
    assert_eq!((cards["measure"], cards["(removed)"]), ((1, 0, 1), (1, 0, 0)));
    let second = funnel(&app, &admin, "&version=2").await;
    assert_eq!(
        second,
        BTreeMap::from(
            [("hi", (1, 0, 0)), ("topic", (1, 1, 0)), ("measure", (1, 0, 1))].map(|(card, counts)| (card.to_owned(), counts))
        )
    );
    let (_, page) = console_page(&app, &admin, "/console/analytics/funnel?site=shop&conversation=welcome").await;
    let page = page.replace("<!>", "");
    for part in ["Branching", "Question: What about?", "(removed)", "100 %", "<option value=\"2\">2</option>"] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    let ask = app.get("/api/v1/analytics/funnel?site=shop&conversation=welcome").bearer_auth(&app.key).send().await.unwrap();
    let told = good(ask).await;
    assert_eq!(
        (&told["name"], &told["cards"][1]["card"], &told["cards"][1]["reached"]),
        (&json!("Branching"), &json!("topic"), &json!(4))
    );
    let ask = app.get("/api/v1/analytics/funnel?site=shop&conversation=nothing").bearer_auth(&app.key).send().await.unwrap();
    problem(ask, 404, "unknown_conversation").await;
}

#[tokio::test]
async fn the_cards_of_many_visitors_are_those_of_a_recount() {
    let seed = std::env::var("PORCHLIGHT_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| u64::from(std::process::id()));
    println!("PORCHLIGHT_SEED={seed}");
    let mut random = Random(seed);
    let app = for_days()
        .with_conversation(BRANCHING)
        .with_settings(|settings| settings.starts_per_minute = 1_000_000)
        .start_only()
        .await;
    let admin = add_agent(&app, 9, Role::Administrator).await;
    let mut visitors = Vec::new();
    for _ in 0..12 {
        visitors.push(app.visitor().await);
    }
    for step in 0..160 {
        let index = usize::try_from(random.next()).unwrap() % visitors.len();
        let (_, form) = visitors[index].open().await;
        let more: &[(&str, &str)] = match random.next() % 7 {
            0 => &[("do", "back")],
            1 => &[("do", "restart")],
            2 => &[("value", "size")],
            3 => &[("value", "none")],
            4 => &[("value", "ada@example.com")],
            5 => &[("value", "42")],
            _ => &[("value", "price")],
        };
        // What does not fit where they are is refused, and counts nothing.
        visitors[index].answer_with(&filled(&form, more), &[]).await;
        if random.next().is_multiple_of(8) {
            app.pass(SignedDuration::from_hours(11));
        }
        if step == 80 {
            app.republish(&[BRANCHING.replace("Hello", "Good day")]).await;
        }
    }
    assert_eq!(funnel(&app, &admin, "").await, recount_cards(&app).await);
}
