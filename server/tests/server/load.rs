//! Visitors who report what happens on their pages while the server is killed, and what its log has in the end.

use std::{
    collections::BTreeSet,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use porchlight_domain::id::uuid_v7;
use serde_json::{Value, json};
use tokio::{process::Child, sync::watch, task::JoinSet};

use crate::kill::{Random, once};

/// The site they are on.
pub(crate) const SITE: &str = "shop";
pub(crate) const PAGE: &str = "https://shop.example/";
/// How many visitors there are at once.
const CLIENTS: usize = 8;
/// Ids of a client's reports are so far apart from those of the next.
const IDS_OF_A_CLIENT: u64 = 1_000_000;
/// How long a round may take until enough was acknowledged; on a machine that is so slow it ends with less.
const ROUND_MAX: Duration = Duration::from_secs(5);

/// Whether this is a long run.
pub(crate) fn is_torture() -> bool {
    std::env::var_os("PORCHLIGHT_TORTURE").is_some()
}

/// The seed of the run: one that is given, so that a run is repeated, or another each time.
pub(crate) fn seed() -> u64 {
    std::env::var("PORCHLIGHT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| u64::from(std::process::id()))
}

/// Makes a site without conversations, and gives the folder of the data and a key of the API.
pub(crate) async fn prepare(folder: &Path) -> (PathBuf, String) {
    let data = folder.join("data");
    let site = format!("key = \"{SITE}\"\ntitle = \"Shop\"\norigins = [\"https://shop.example\"]\n");
    fs::write(folder.join("site.toml"), site).unwrap();
    once(&["import", folder.to_str().unwrap()], &data).await;
    let key = once(&["key", "create", "--name", "test"], &data).await;
    (data, key)
}

/// All visitors of a test.
pub(crate) struct Load {
    acknowledged: Arc<Mutex<BTreeSet<String>>>,
    /// How many of them there are, for who waits for more.
    count: watch::Sender<usize>,
    next_id: u64,
    /// How many reports a request has; fewer than 16, which is how far apart the ids of two requests are.
    reports: u64,
}

impl Load {
    pub(crate) fn new(reports: u64) -> Self {
        Self { acknowledged: Arc::default(), count: watch::Sender::new(0), next_id: 0, reports }
    }

    /// The events that the server has said it has.
    pub(crate) fn acknowledged(&self) -> BTreeSet<String> {
        self.acknowledged.lock().unwrap().clone()
    }

    /// How many those are.
    pub(crate) fn count(&self) -> usize {
        *self.count.borrow()
    }

    /// Loads a server, and kills it when so many events more were acknowledged, and up to `spread` more, by chance.
    pub(crate) async fn until_killed(&mut self, server: (Child, SocketAddr), least: usize, spread: u64, random: &mut Random) {
        let (mut child, address) = server;
        let stop = Arc::new(AtomicBool::new(false));
        let mut clients = JoinSet::new();
        let before = self.count();
        for client in 0..CLIENTS {
            self.next_id += IDS_OF_A_CLIENT;
            clients.spawn(visit(Visit {
                address,
                first: self.next_id + u64::try_from(client).unwrap(),
                reports: self.reports,
                acknowledged: Arc::clone(&self.acknowledged),
                count: self.count.clone(),
                stop: Arc::clone(&stop),
            }));
        }
        // Not before a client is at work, and then at a moment nobody chose.
        let mut count = self.count.subscribe();
        count.wait_for(|count| *count >= before + CLIENTS).await.unwrap();
        let target = before + least.max(CLIENTS) + usize::try_from(random.next() % spread).unwrap();
        let _ = tokio::time::timeout(ROUND_MAX, count.wait_for(|count| *count >= target)).await;
        child.start_kill().unwrap();
        child.wait().await.unwrap();
        stop.store(true, Ordering::Relaxed);
        while clients.join_next().await.is_some() {}
    }
}

/// A visitor, and where what was acknowledged is noted.
struct Visit {
    address: SocketAddr,
    first: u64,
    reports: u64,
    acknowledged: Arc<Mutex<BTreeSet<String>>>,
    count: watch::Sender<usize>,
    stop: Arc<AtomicBool>,
}

impl Visit {
    fn note(&self, ids: Vec<String>) {
        let mut acknowledged = self.acknowledged.lock().unwrap();
        acknowledged.extend(ids);
        self.count.send_replace(acknowledged.len());
    }
}

/// Reports one thing after the other, until the server has gone.
async fn visit(visit: Visit) {
    let client = reqwest::Client::new();
    let begun = post(&client, visit.address, "/widget/v1/start", &json!({ "site": SITE, "page": PAGE })).await;
    let Some(begun) = begun else { return };
    visit.note(vec![begun["events"][0]["id"].as_str().unwrap().to_owned()]);
    for number in 0.. {
        if visit.stop.load(Ordering::Relaxed) {
            return;
        }
        let ids: Vec<String> = (0..visit.reports)
            .map(|index| {
                let mut bytes = [0; 10];
                bytes[2..].copy_from_slice(&(visit.first + number * 16 + index).to_be_bytes());
                uuid_v7(visit.first, &bytes).to_string()
            })
            .collect();
        let reports: Vec<Value> = ids
            .iter()
            .map(|id| json!({ "id": id, "time": "2026-11-21T08:00:00Z", "type": "widget.shown", "widget": "launcher", "element": "porchlight" }))
            .collect();
        let body = json!({ "token": begun["token"], "view": begun["view"], "after": null, "page": PAGE, "reports": reports });
        if post(&client, visit.address, "/widget/v1/events", &body).await.is_none() {
            return;
        }
        visit.note(ids);
    }
}

/// Asks the server, and gives its answer; nothing if the server has gone.
pub(crate) async fn post(client: &reqwest::Client, address: SocketAddr, path: &str, body: &Value) -> Option<Value> {
    let response = client.post(format!("http://{address}{path}")).body(body.to_string()).send().await.ok()?;
    let ok = response.status().is_success();
    let answer = response.json().await.ok()?;
    assert!(ok, "{answer}");
    Some(answer)
}

/// The whole log, page by page, as the API tells it.
pub(crate) async fn log(address: SocketAddr, key: &str) -> Vec<Value> {
    let client = reqwest::Client::new();
    let (mut events, mut after) = (Vec::new(), String::new());
    loop {
        let url = format!("http://{address}/api/v1/events?limit=1000&after={after}");
        let mut page: Value = client.get(url).bearer_auth(key).send().await.unwrap().json().await.unwrap();
        let Value::Array(more) = page["events"].take() else { unreachable!("{page}") };
        if more.is_empty() {
            return events;
        }
        events.extend(more);
        after = page["next"].as_str().unwrap().to_owned();
    }
}
