//! What the server has acknowledged survives `kill -9`: each event is in the log once, and no session has a gap.
//!
//! A short run here; `make torture` kills it a thousand times. The seed is printed, and `PORCHLIGHT_SEED` repeats a run.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::SocketAddr,
    path::Path,
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use porchlight_domain::id::uuid_v7;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    task::JoinSet,
};

const PAGE: &str = "https://shop.example/";
const CLIENTS: usize = 8;

/// Starts the server on a free port.
pub(crate) async fn serve(data: &Path, settings: &[&str]) -> (Child, SocketAddr) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_porchlight"))
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--log",
            "error",
            "--api-requests-per-minute",
            "1000000",
            "--starts-per-minute",
            "1000000",
            "--commands-per-minute",
            "1000000",
        ])
        .args(settings)
        .arg("--data-dir")
        .arg(data)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    (child, line.rsplit("http://").next().unwrap().parse().unwrap())
}

/// Runs one command, and gives what it prints.
pub(crate) async fn once(arguments: &[&str], data: &Path) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_porchlight")).args(arguments).arg("--data-dir").arg(data).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Small and repeatable: SplitMix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

async fn post(client: &reqwest::Client, address: SocketAddr, path: &str, body: &Value) -> Option<Value> {
    let response = client.post(format!("http://{address}{path}")).body(body.to_string()).send().await.ok()?;
    let ok = response.status().is_success();
    let answer = response.json().await.ok()?;
    assert!(ok, "{answer}");
    Some(answer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives() {
    let kills: usize = if std::env::var_os("PORCHLIGHT_TORTURE").is_some() { 1000 } else { 5 };
    let seed =
        std::env::var("PORCHLIGHT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| u64::from(std::process::id()));
    println!("PORCHLIGHT_SEED={seed}, {kills} kills");
    let mut random = Random(seed);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::write(folder.path().join("site.toml"), "key = \"shop\"\ntitle = \"Shop\"\norigins = [\"https://shop.example\"]\n")
        .unwrap();
    once(&["import", folder.path().to_str().unwrap()], &data).await;
    let key = once(&["key", "create", "--name", "test"], &data).await;

    let acknowledged: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let mut sent = 0_u64;
    for _ in 0..kills {
        let (mut child, address) = serve(&data, &[]).await;
        let stop = Arc::new(AtomicBool::new(false));
        let mut clients = JoinSet::new();
        for client in 0..CLIENTS {
            sent += 1_000_000;
            let (acknowledged, stop, first) =
                (Arc::clone(&acknowledged), Arc::clone(&stop), sent + u64::try_from(client).unwrap());
            clients.spawn(async move {
                let client = reqwest::Client::new();
                let Some(begun) = post(&client, address, "/widget/v1/start", &json!({ "site": "shop", "page": PAGE })).await else { return };
                acknowledged.lock().unwrap().insert(begun["events"][0]["id"].as_str().unwrap().to_owned());
                for number in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let mut bytes = [0; 10];
                    bytes[2..].copy_from_slice(&(first + number * 16).to_be_bytes());
                    let id = uuid_v7(first, &bytes).to_string();
                    let report = json!({ "id": id, "time": "2026-11-21T08:00:00Z", "type": "widget.shown", "widget": "launcher", "element": "porchlight" });
                    let body = json!({ "token": begun["token"], "view": begun["view"], "after": null, "page": PAGE, "reports": [report] });
                    if post(&client, address, "/widget/v1/events", &body).await.is_none() {
                        return;
                    }
                    acknowledged.lock().unwrap().insert(id);
                }
            });
        }
        // Not before a client is at work, and then at a moment nobody chose.
        let before = acknowledged.lock().unwrap().len();
        while acknowledged.lock().unwrap().len() < before + CLIENTS {
            tokio::task::yield_now().await;
        }
        let target = before + CLIENTS + usize::try_from(random.next() % 200).unwrap();
        let patience = tokio::time::timeout(Duration::from_secs(5), async {
            while acknowledged.lock().unwrap().len() < target {
                tokio::task::yield_now().await;
            }
        });
        let _ = patience.await;
        child.start_kill().unwrap();
        child.wait().await.unwrap();
        stop.store(true, Ordering::Relaxed);
        while clients.join_next().await.is_some() {}
    }

    let (_child, address) = serve(&data, &[]).await;
    let client = reqwest::Client::new();
    let mut logged = BTreeMap::new();
    let mut sessions: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut after = String::new();
    loop {
        let url = format!("http://{address}/api/v1/events?limit=1000&after={after}");
        let page: Value = client.get(url).bearer_auth(&key).send().await.unwrap().json().await.unwrap();
        let events = page["events"].as_array().unwrap();
        if events.is_empty() {
            break;
        }
        for event in events {
            *logged.entry(event["id"].as_str().unwrap().to_owned()).or_insert(0) += 1;
            sessions.entry(event["session"].as_str().unwrap().to_owned()).or_default().push(event["seq"].as_u64().unwrap());
        }
        after = page["next"].as_str().unwrap().to_owned();
    }
    let acknowledged = acknowledged.lock().unwrap().clone();
    println!("{} acknowledged, {} in the log", acknowledged.len(), logged.len());
    assert!(logged.values().all(|count| *count == 1), "an event is in the log once");
    let lost: Vec<_> = acknowledged.iter().filter(|id| !logged.contains_key(*id)).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    for seqs in sessions.values() {
        assert_eq!(*seqs, (1..=seqs.len() as u64).collect::<Vec<_>>(), "seq has no gap");
    }
}
