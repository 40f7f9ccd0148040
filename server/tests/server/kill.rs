//! What the server has acknowledged survives `kill -9`: each event is in the log once, and no session has a gap.
//!
//! A short run here; `make torture` kills it a thousand times. The seed is printed, and `PORCHLIGHT_SEED` repeats a run.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::Path,
    process::Stdio,
};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::load::{Load, is_torture, log, prepare, seed};

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives() {
    let kills = if is_torture() { 1000 } else { 5 };
    let seed = seed();
    println!("PORCHLIGHT_SEED={seed}, {kills} kills");
    let mut random = Random(seed);
    let folder = tempfile::tempdir().unwrap();
    let (data, key) = prepare(folder.path()).await;

    let mut load = Load::new(1);
    for _ in 0..kills {
        load.until_killed(serve(&data, &[]).await, 0, 200, &mut random).await;
    }

    let (_child, address) = serve(&data, &[]).await;
    let mut logged = BTreeMap::new();
    let mut sessions: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for event in log(address, &key).await {
        *logged.entry(event["id"].as_str().unwrap().to_owned()).or_insert(0) += 1;
        sessions.entry(event["session"].as_str().unwrap().to_owned()).or_default().push(event["seq"].as_u64().unwrap());
    }
    let acknowledged: BTreeSet<String> = load.acknowledged();
    println!("{} acknowledged, {} in the log", acknowledged.len(), logged.len());
    assert!(logged.values().all(|count| *count == 1), "an event is in the log once");
    let lost: Vec<_> = acknowledged.iter().filter(|id| !logged.contains_key(*id)).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    for seqs in sessions.values() {
        assert_eq!(*seqs, (1..=seqs.len() as u64).collect::<Vec<_>>(), "seq has no gap");
    }
}
