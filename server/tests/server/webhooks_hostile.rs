//! A receiver that is hostile in every way there is, and a server that is killed again and again under load: every event of the log is
//! accepted in the end, as it is in the log, and nothing else is; what comes twice is told by its id.
//!
//! A short run here; `make torture` kills the server a thousand times over a hundred thousand events. The seed is printed, and
//! `PORCHLIGHT_SEED` repeats a run. docs/benchmarks.md says what was done to see it fail.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use jiff::{SignedDuration, fmt::rfc2822::DateTimePrinter};
use porchlight_server::outside::Outside;
use serde_json::{Value, json};

use crate::{
    hook::{Attempt, Hook},
    kill::{Random, serve},
    load::{Load, PAGE, SITE, is_torture, log, post, prepare, seed},
    receiver::{Does, Received, Receiver},
};

/// How much is done.
struct Extent {
    kills: usize,
    /// The least number of events.
    events: usize,
    /// The least number of events between two kills.
    least: usize,
    /// Up to so many more, by chance.
    spread: u64,
}

/// A run of `make test`.
const SHORT: Extent = Extent { kills: 5, events: 1_000, least: 150, spread: 200 };
/// A run of `make torture`.
const LONG: Extent = Extent { kills: 1000, events: 100_000, least: 80, spread: 200 };

/// How many things a visitor reports at once.
const REPORTS: u64 = 5;
/// Nobody has to wait long for what is made to fail.
const SETTINGS: &[&str] = &["--egress-allow", "127.0.0.1", "--webhook-timeout-seconds", "1", "--webhook-retry-seconds", "1"];

/// Goes wrong in each way once, and then by chance: of a hundred requests, half are taken.
fn hostile(mut random: Random, trap: String) -> impl FnMut(&Received) -> Does + Send + 'static {
    // Of each hundred, one of each: between them some are taken, so that it does not seem to be gone.
    let mut tour: VecDeque<u64> =
        [50, 0, 52, 40, 54, 0, 61, 40, 69, 0, 75, 40, 76, 0, 77, 40, 83, 0, 89, 90, 40, 92, 93, 0, 99].into();
    move |_| match tour.pop_front().unwrap_or_else(|| random.next() % 100) {
        0..=39 => Does::Take(200),
        40..=49 => Does::Take(204),
        50..=51 => Does::Hang,
        52..=53 => Does::Trickle,
        54..=60 => Does::Reset,
        61..=68 => Does::Say(500, String::new()),
        69..=74 => Does::Say(503, String::new()),
        75 => Does::Say(429, "Retry-After: 1\r\n".to_owned()),
        76 => Does::Say(429, format!("Retry-After: {}\r\n", in_a_second())),
        77..=82 => Does::Half,
        83..=88 => Does::Close,
        89 => Does::Say(302, "Location: http://169.254.169.254/latest/meta-data/\r\n".to_owned()),
        90..=91 => Does::Say(307, format!("Location: {trap}\r\n")),
        92 => Does::Say(308, format!("Location: {trap}\r\n")),
        93..=98 => Does::Garbage,
        _ => Does::Flood,
    }
}

/// A date as HTTP writes it.
fn in_a_second() -> String {
    let at = Outside::real().now() + SignedDuration::from_secs(1);
    DateTimePrinter::new().timestamp_to_rfc9110_string(&at).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_nothing_invented() {
    let extent = if is_torture() { LONG } else { SHORT };
    let seed = seed();
    println!("PORCHLIGHT_SEED={seed}, {} kills, at least {} events", extent.kills, extent.events);
    let mut random = Random(seed);
    let folder = tempfile::tempdir().unwrap();
    let (data, key) = prepare(folder.path()).await;
    // One that is hostile, one that redirects lead to, and one that does not speak the TLS that its address promises.
    let (receiver, trap, plain) = (Receiver::serve().await, Receiver::serve().await, Receiver::serve().await);
    receiver.does(hostile(Random(random.next()), trap.url()));

    let (mut child, mut address) = serve(&data, SETTINGS).await;
    let mut hook = Hook::make(&format!("http://{address}"), &key, &receiver.url(), &json!({})).await;
    let https = format!("https://{}/hook", plain.address);
    let mut deaf = Hook::make(&hook.base, &key, &https, &json!({ "types": ["widget.loaded"] })).await;
    receiver.knows(&hook.secret);
    plain.knows(&deaf.secret);

    let mut load = Load::new(REPORTS);
    let mut kills = 0;
    while kills < extent.kills || load.count() < extent.events {
        if kills == extent.kills / 2 {
            // From here on everything has two signatures; what was signed before is good still.
            receiver.knows(&hook.rotate().await);
        }
        load.until_killed((child, address), extent.least, extent.spread, &mut random).await;
        kills += 1;
        (child, address) = serve(&data, SETTINGS).await;
        hook.base = format!("http://{address}");
        deaf.base.clone_from(&hook.base);
    }
    // Longer than it takes to go wrong in each way, and to be noted.
    receiver.until_asked(50).await;
    let noted = async {
        let has = |attempts: &[Attempt], wrong: &dyn Fn(&Attempt) -> bool| attempts.iter().any(wrong);
        loop {
            let failed = hook.attempts("outcome=failed").await;
            if has(&failed, &|attempt| attempt.milliseconds >= 1000) && has(&failed, &|attempt| attempt.status == Some(500)) {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(120), noted).await.unwrap();
    let (asked, accepted) = (receiver.asked(), receiver.accepted().len());
    println!("{kills} kills; while it was hostile, {accepted} of {asked} requests were accepted");

    // Mended. What failed again and again waits for hours; switched off and on, nothing waits any more.
    receiver.does(|_| Does::Take(200));
    hook.post("/disable", &json!({})).await;
    hook.post("/enable", &json!({})).await;
    child.start_kill().unwrap();
    child.wait().await.unwrap();
    (child, address) = serve(&data, SETTINGS).await;
    hook.base = format!("http://{address}");
    deaf.base.clone_from(&hook.base);
    let events = log(address, &key).await;
    receiver.until_accepted(events.len()).await;

    let logged: HashMap<&str, &Value> = events.iter().map(|event| (event["id"].as_str().unwrap(), event)).collect();
    assert_eq!(logged.len(), events.len(), "an event is in the log once");
    let lost: Vec<_> = load.acknowledged().into_iter().filter(|id| !logged.contains_key(id.as_str())).collect();
    assert!(lost.is_empty(), "not even in the log: {lost:?}");
    let accepted = receiver.accepted();
    let mut times: HashMap<&str, usize> = HashMap::new();
    for received in &accepted {
        let event = logged.get(received.id.as_str());
        assert_eq!(Some(&&received.event()), event, "invented, or not as it is in the log: {}", received.id);
        assert!(received.verified, "not signed: {}", received.id);
        *times.entry(&received.id).or_default() += 1;
    }
    let lost: Vec<_> = logged.keys().filter(|id| !times.contains_key(**id)).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    assert_eq!(accepted.last().unwrap().signatures.len(), 2, "the secret before is good still");
    let most = times.values().max().unwrap();
    println!(
        "{} events; accepted {} times, of which {} are duplicates; one event at most {most} times; {} requests in all",
        events.len(),
        accepted.len(),
        accepted.len() - times.len(),
        receiver.asked()
    );

    assert_eq!(trap.connections(), 0, "no redirect is followed");
    assert!(plain.connections() > 0 && plain.accepted().is_empty(), "nothing is said without TLS where TLS is promised");
    assert!(deaf.attempts("outcome=succeeded").await.is_empty());
    assert_eq!(log(address, &key).await.len(), events.len(), "sending makes no events");
    child.start_kill().unwrap();
}

/// However many were under way when it began: that is one failure of the endpoint, not as many.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_a_moment_is_over_soon_after() {
    const VISITORS: usize = 40;
    const PATIENT: &[&str] = &["--egress-allow", "127.0.0.1", "--webhook-timeout-seconds", "5", "--webhook-retry-seconds", "1"];
    let folder = tempfile::tempdir().unwrap();
    let (data, key) = prepare(folder.path()).await;
    let receiver = Receiver::serve().await;
    let (_child, address) = serve(&data, PATIENT).await;
    let hook = Hook::make(&format!("http://{address}"), &key, &receiver.url(), &json!({})).await;
    let client = reqwest::Client::new();
    let arrive = async || {
        for _ in 0..VISITORS {
            post(&client, address, "/widget/v1/start", &json!({ "site": SITE, "page": PAGE })).await.unwrap();
        }
    };
    // After all went well for a while, as many are sent at once as may be.
    arrive().await;
    receiver.until_accepted(VISITORS).await;
    receiver.does(|_| Does::Hang);
    arrive().await;
    receiver.until_asked(VISITORS + 32).await;
    receiver.does(|_| Does::Take(200));
    receiver.until_accepted(2 * VISITORS).await;
    assert_eq!(hook.state().await, "on");
}
