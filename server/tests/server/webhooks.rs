//! Webhooks: what is sent, when, in which form, and what becomes of what is not accepted. By a clock that only the test moves.

use std::{collections::BTreeSet, path::Path, sync::atomic::Ordering};

use jiff::{SignedDuration, fmt::rfc2822::DateTimePrinter};
use porchlight_domain::agent::Role;
use serde_json::{Value, json};

use crate::{
    app::{Builder, TestApp, text},
    hook::{Attempt, Hook},
    receiver::{Does, Receiver, script, serve_self_signed, take_and_hang},
    sides::add_agent,
};

const MILLISECOND: SignedDuration = SignedDuration::from_millis(1);
/// The first wait, and the one that no wait is longer than.
const FIRST: SignedDuration = SignedDuration::from_secs(5);
const LONGEST: SignedDuration = SignedDuration::from_hours(8);
/// Whatever was refused once is due again after this.
const AGAIN: SignedDuration = SignedDuration::from_secs(6);

/// A server that may send to this machine, and waits no longer than a second for an answer.
fn app() -> Builder {
    TestApp::init().with_settings(|settings| {
        settings.egress_allow = "127.0.0.1, localhost".to_owned();
        settings.webhook_timeout_seconds = 1;
    })
}

fn base(app: &TestApp) -> String {
    format!("http://{}", app.address)
}

async fn hook(app: &TestApp, url: &str, more: &Value) -> Hook {
    Hook::make(&base(app), &app.key, url, more).await
}

/// A server, a receiver, and the endpoint that it is.
async fn started() -> (TestApp, Receiver, Hook) {
    let (app, receiver) = (app().start().await, Receiver::serve().await);
    let hook = hook(&app, &receiver.url(), &json!({})).await;
    (app, receiver, hook)
}

/// The same for one type of event, of which each visitor makes one when they come.
async fn started_for_loads() -> (TestApp, Receiver, Hook) {
    let (app, receiver) = (app().start().await, Receiver::serve().await);
    let hook = hook(&app, &receiver.url(), &json!({ "types": ["widget.loaded"] })).await;
    (app, receiver, hook)
}

async fn work(app: &TestApp) {
    app.hooks.work().await.unwrap();
}

/// After some time, sends what is due then.
async fn work_after(app: &TestApp, time: SignedDuration) {
    app.pass(time);
    work(app).await;
}

fn ids(events: &[Value]) -> Vec<String> {
    events.iter().map(|event| text(&event["id"])).collect()
}

fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort();
    ids
}

/// Each once: what comes twice is told by its id.
fn different(ids: Vec<String>) -> Vec<String> {
    let mut ids = sorted(ids);
    ids.dedup();
    ids
}

fn refuse(status: u16) -> Does {
    Does::Say(status, String::new())
}

/// The letters that were sent.
async fn letters(app: &TestApp, folder: &Path) -> Vec<String> {
    app.postman.as_ref().unwrap().deliver().await.unwrap();
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

#[tokio::test]
async fn events_arrive_signed_and_as_they_are_in_the_log() {
    let (app, receiver, hook) = started().await;
    let visitor = app.visitor().await;
    for kind in ["widget.shown", "widget.hidden", "widget.clicked"] {
        visitor.tell(kind).await;
    }
    work(&app).await;
    let (log, accepted) = (app.log().await, receiver.accepted());
    assert_eq!(accepted.iter().map(|received| received.event()).collect::<Vec<_>>(), log);
    for received in &accepted {
        assert_eq!(received.id, text(&received.event()["id"]));
        assert_eq!(received.timestamp, app.now().as_second());
        assert_eq!((received.path.as_str(), received.content_type.as_str()), ("/hook", "application/json"));
        assert_eq!(received.signatures.len(), 1);
        assert!(received.is_signed_with(&hook.secret));
    }
    assert_eq!(receiver.connections(), 1, "a connection is used again");
    work(&app).await;
    assert_eq!(receiver.asked(), log.len(), "what was accepted is not sent again");
}

#[tokio::test]
async fn what_happened_before_an_endpoint_was_made_is_not_sent_to_it() {
    let app = app().start().await;
    app.visitor().await;
    let before = app.log().await.len();
    let receiver = Receiver::serve().await;
    hook(&app, &receiver.url(), &json!({})).await;
    app.visitor().await;
    work(&app).await;
    assert_eq!(receiver.ids(), ids(&app.log().await[before..]));
}

#[tokio::test]
async fn a_session_arrives_in_its_order() {
    let (app, receiver, _) = started().await;
    let visitors = [app.visitor().await, app.visitor().await, app.visitor().await];
    for kind in ["widget.shown", "widget.hidden", "widget.clicked", "widget.shown", "widget.hidden"] {
        for visitor in &visitors {
            visitor.tell(kind).await;
        }
    }
    work(&app).await;
    let events: Vec<Value> = receiver.accepted().iter().map(|received| received.event()).collect();
    assert_eq!(events.len(), app.log().await.len());
    for visitor in &visitors {
        let of_session = events.iter().filter(|event| event["session"] == visitor.begun["session"]);
        let seqs: Vec<u64> = of_session.map(|event| event["seq"].as_u64().unwrap()).collect();
        assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn only_the_types_that_were_asked_for_are_sent() {
    let app = app().start().await;
    let (some, other) = (Receiver::serve().await, Receiver::serve().await);
    hook(&app, &some.url(), &json!({ "types": ["widget.shown", "widget.loaded"] })).await;
    hook(&app, &other.url(), &json!({ "types": ["meeting.booked"] })).await;
    let visitor = app.visitor().await;
    visitor.tell("widget.shown").await;
    visitor.tell("widget.hidden").await;
    work(&app).await;
    let wanted = |event: &&Value| event["type"] == "widget.shown" || event["type"] == "widget.loaded";
    let wanted: Vec<Value> = app.log().await.iter().filter(wanted).cloned().collect();
    assert_eq!((some.ids(), wanted.len()), (ids(&wanted), 2));
    assert_eq!(other.asked(), 0);
}

#[tokio::test]
async fn each_way_to_fail_is_a_failure_and_what_failed_is_sent_again() {
    let (app, receiver, hook) = started_for_loads().await;
    let ways = [
        ("hangs", Does::Hang),
        ("trickles", Does::Trickle),
        ("resets", Does::Reset),
        ("closes", Does::Close),
        ("closes half-way", Does::Half),
        ("garbage", Does::Garbage),
        ("400", refuse(400)),
        ("401", refuse(401)),
        ("404", refuse(404)),
        ("429", refuse(429)),
        ("500", refuse(500)),
        ("503", refuse(503)),
        ("302", refuse(302)),
    ];
    for (number, (what, does)) in ways.into_iter().enumerate() {
        receiver.does(script([does]));
        app.visitor().await;
        work(&app).await;
        assert_eq!(receiver.ids().len(), number, "{what}: nothing was accepted");
        let failed = hook.attempts("outcome=failed").await;
        assert_eq!(failed.len(), number + 1, "{what}");
        assert!(failed[0].problem.is_some(), "{what}");
        work_after(&app, AGAIN).await;
        assert_eq!(receiver.ids().len(), number + 1, "{what}: it was sent again");
    }
    assert_eq!(receiver.ids(), ids(&loads(&app).await));
}

/// What there is of the type in the log.
async fn loads(app: &TestApp) -> Vec<Value> {
    app.log().await.into_iter().filter(|event| event["type"] == "widget.loaded").collect()
}

#[tokio::test]
async fn every_status_of_success_is_one_however_long_the_answer() {
    let (app, receiver, hook) = started_for_loads().await;
    for does in [Does::Take(200), Does::Take(202), Does::Take(204), Does::Take(299), Does::Flood] {
        receiver.does(script([does]));
        app.visitor().await;
        work(&app).await;
    }
    work_after(&app, AGAIN).await;
    assert_eq!(receiver.ids(), ids(&loads(&app).await));
    let mut statuses: Vec<_> = hook.attempts("").await.iter().map(|attempt| attempt.status.unwrap()).collect();
    statuses.reverse();
    assert_eq!(statuses, [200, 202, 204, 299, 200]);
}

#[tokio::test]
async fn what_is_refused_is_tried_ever_more_patiently_and_in_the_end_given_up() {
    let (app, receiver, hook) = started_for_loads().await;
    app.visitor().await;
    let refused = ids(&loads(&app).await).remove(0);
    let id = refused.clone();
    receiver.does(move |received| if received.id == id { refuse(500) } else { Does::Take(200) });
    let query = format!("outcome=failed&event={refused}");
    let tried = async || hook.attempts(&query).await.len();
    work(&app).await;
    let (first_at, mut tries) = (app.now(), 1);
    assert_eq!(tried().await, tries);
    let end = first_at.checked_add(SignedDuration::from_hours(72)).unwrap();
    while app.now() < end {
        // Others are accepted meanwhile: it is the event that fails, and not the endpoint.
        app.visitor().await;
        work(&app).await;
        // A fifth more or less, so that what failed together is not tried together; the last is at the end itself.
        let usual = FIRST.checked_mul(4_i32.pow(u32::try_from(tries).unwrap().min(12) - 1)).unwrap().min(LONGEST);
        let left = end.duration_since(app.now());
        work_after(&app, (usual * 4 / 5).min(left) - MILLISECOND).await;
        assert_eq!(tried().await, tries, "it is not yet time after {tries} tries");
        work_after(&app, (usual * 2 / 5 + MILLISECOND).min(end.duration_since(app.now()))).await;
        tries += 1;
        assert_eq!(tried().await, tries);
    }
    assert!((12..=20).contains(&tries), "{tries}");
    work_after(&app, SignedDuration::from_hours(72)).await;
    assert_eq!(tried().await, tries, "given up");
    assert_eq!(hook.state().await, "on");

    receiver.does(|_| Does::Take(200));
    assert_eq!(hook.replay(&json!({ "failed": true })).await, 1);
    work(&app).await;
    assert_eq!(sorted(receiver.ids()), sorted(ids(&loads(&app).await)));
    assert_eq!(hook.replay(&json!({ "failed": true })).await, 0, "there is nothing that was given up any more");
}

#[tokio::test]
async fn whatever_many_are_refused_others_are_sent() {
    let (app, receiver, hook) = started().await;
    receiver.does(|received| if received.event()["type"] == "widget.clicked" { refuse(400) } else { Does::Take(200) });
    let visitor = app.visitor().await;
    for _ in 0..20 {
        visitor.tell("widget.clicked").await;
    }
    for round in 0..12 {
        app.visitor().await.tell("widget.hidden").await;
        work_after(&app, SignedDuration::from_mins(30)).await;
        let log = app.log().await;
        let good = ids(&log.into_iter().filter(|event| event["type"] != "widget.clicked").collect::<Vec<_>>());
        let missing = good.iter().filter(|id| !receiver.ids().contains(id)).count();
        assert!(missing <= 2, "{missing} are held up in round {round}");
    }
    assert_eq!(hook.state().await, "on");
}

#[tokio::test]
async fn the_settings_say_how_patient_it_is() {
    let app = app()
        .with_settings(|settings| {
            settings.webhook_retry_seconds = 60;
            settings.webhook_retry_hours = 1;
        })
        .start()
        .await;
    let receiver = Receiver::serve().await;
    hook(&app, &receiver.url(), &json!({ "types": ["widget.loaded"] })).await;
    receiver.does(|_| refuse(500));
    app.visitor().await;
    work(&app).await;
    work_after(&app, SignedDuration::from_secs(48) - MILLISECOND).await;
    assert_eq!(receiver.asked(), 1);
    work_after(&app, SignedDuration::from_secs(24) + MILLISECOND).await;
    assert_eq!(receiver.asked(), 2);
    // After 5 and after 20 minutes; the next would be more than an hour later, and is at its end.
    for tries in [3, 4] {
        work_after(&app, SignedDuration::from_mins(20)).await;
        assert_eq!(receiver.asked(), tries);
    }
    work_after(&app, SignedDuration::from_hours(24)).await;
    assert_eq!(receiver.asked(), 5);
    work_after(&app, SignedDuration::from_hours(24)).await;
    assert_eq!(receiver.asked(), 5, "given up after an hour");
}

#[tokio::test]
async fn whoever_says_when_to_come_again_is_asked_then() {
    let (app, receiver, _) = started_for_loads().await;
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&(app.now() + SignedDuration::from_secs(60 + 150))).unwrap();
    receiver.does(script([
        Does::Say(429, "Retry-After: 60\r\n".to_owned()),
        Does::Say(429, format!("Retry-After: {date}\r\n")),
        // No time to come, and none at all: as if nothing had been said.
        Does::Say(503, "Retry-After: soon\r\n".to_owned()),
    ]));
    app.visitor().await;
    work(&app).await;
    for (tries, seconds) in [(1, 60), (2, 150)] {
        work_after(&app, SignedDuration::from_secs(seconds) - MILLISECOND).await;
        assert_eq!(receiver.asked(), tries, "too early");
        work_after(&app, MILLISECOND).await;
        assert_eq!(receiver.asked(), tries + 1);
    }
    // The third wait: 80 seconds and a fifth more or less.
    work_after(&app, SignedDuration::from_secs(64) - MILLISECOND).await;
    assert_eq!(receiver.asked(), 3);
    work_after(&app, SignedDuration::from_secs(32) + MILLISECOND).await;
    assert_eq!(receiver.ids(), ids(&loads(&app).await));
}

#[tokio::test]
async fn who_is_gone_is_sent_nothing_any_more_until_somebody_says_so() {
    let (app, receiver, hook) = started().await;
    receiver.does(|_| refuse(410));
    app.visitor().await;
    work(&app).await;
    assert_eq!((receiver.asked(), hook.state().await.as_str()), (1, "gone"));
    let visitor = app.visitor().await;
    visitor.tell("widget.shown").await;
    work_after(&app, SignedDuration::from_hours(24)).await;
    assert_eq!(receiver.asked(), 1);

    receiver.does(|_| Does::Take(200));
    hook.post("/enable", &json!({})).await;
    work(&app).await;
    assert_eq!(hook.state().await, "on");
    assert_eq!(sorted(receiver.ids()), sorted(ids(&app.log().await)), "nothing was lost meanwhile");
}

#[tokio::test]
async fn who_only_fails_for_too_long_is_sent_nothing_any_more_and_somebody_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().display().to_string();
    let app = app()
        .with_settings(|settings| {
            settings.webhook_disable_days = 1;
            settings.mail_dir = dir;
            settings.mail_from = "Shop <chat@shop.example>".to_owned();
        })
        .start()
        .await;
    let receiver = Receiver::serve().await;
    let of_somebody = hook(&app, &receiver.url(), &json!({ "name": "Of somebody", "notify": "ops@shop.example" })).await;
    let of_nobody = hook(&app, &receiver.url(), &json!({ "name": "Of nobody" })).await;
    for (number, role) in [(1, Role::Administrator), (2, Role::Administrator), (3, Role::Agent)] {
        add_agent(&app, number, role).await;
    }
    let states = async || [of_somebody.state().await, of_nobody.state().await];

    // One that is accepted now and then has not failed for long.
    receiver.does(|_| refuse(500));
    app.visitor().await;
    work(&app).await;
    receiver.does(|_| Does::Take(200));
    work_after(&app, SignedDuration::from_hours(23)).await;
    receiver.does(|_| refuse(500));
    app.visitor().await;
    work(&app).await;
    // Each time there is something new to be sent.
    app.visitor().await;
    work_after(&app, SignedDuration::from_hours(24) - MILLISECOND).await;
    assert_eq!(states().await, ["on", "on"]);
    assert!(letters(&app, folder.path()).await.is_empty());
    app.visitor().await;
    work_after(&app, MILLISECOND).await;
    assert_eq!(states().await, ["failing", "failing"]);
    let told = letters(&app, folder.path()).await;
    assert_eq!(told.len(), 3);
    for (to, name) in
        [("ops@shop.example", "Of somebody"), ("agent1@example.com", "Of nobody"), ("agent2@example.com", "Of nobody")]
    {
        let letter = told.iter().find(|letter| letter.contains(&format!("To: {to}\r\n")));
        assert!(letter.is_some_and(|letter| letter.contains(name)), "{to}: {told:?}");
    }

    let asked = receiver.asked();
    app.visitor().await;
    work_after(&app, SignedDuration::from_hours(48)).await;
    assert_eq!(receiver.asked(), asked);
    assert_eq!(letters(&app, folder.path()).await.len(), 3, "once is enough");

    receiver.does(|_| Does::Take(200));
    of_somebody.post("/enable", &json!({})).await;
    work(&app).await;
    assert_eq!(different(receiver.ids()), sorted(ids(&app.log().await)), "nothing was lost meanwhile");
}

/// Sends something, and looks with which secrets it is signed, and with which not.
async fn signed(app: &TestApp, receiver: &Receiver, secrets: &[&str], not: &[&str]) {
    app.visitor().await;
    work(app).await;
    let accepted = receiver.accepted();
    let last = accepted.last().unwrap();
    assert_eq!(last.signatures.len(), secrets.len());
    assert!(secrets.iter().all(|secret| last.is_signed_with(secret)));
    assert!(!not.iter().any(|secret| last.is_signed_with(secret)));
}

#[tokio::test]
async fn two_secrets_are_live_until_the_time_for_that_is_over() {
    let (app, receiver, hook) = started_for_loads().await;
    let first = hook.secret.as_str();
    signed(&app, &receiver, &[first], &[]).await;
    let second = hook.rotate().await;
    assert_ne!(second, first);
    assert_eq!(text(&hook.get("/secret").await["secret"]), second);
    signed(&app, &receiver, &[first, second.as_str()], &[]).await;
    app.pass(SignedDuration::from_hours(24) - MILLISECOND);
    signed(&app, &receiver, &[first, second.as_str()], &[]).await;
    app.pass(MILLISECOND);
    signed(&app, &receiver, &[second.as_str()], &[first]).await;
    // Of three, the two last.
    let third = hook.rotate().await;
    let fourth = hook.rotate().await;
    signed(&app, &receiver, &[third.as_str(), fourth.as_str()], &[second.as_str()]).await;
}

#[tokio::test]
async fn without_an_overlap_the_secret_before_is_over_at_once() {
    let app = app().with_settings(|settings| settings.webhook_secret_overlap_hours = 0).start().await;
    let receiver = Receiver::serve().await;
    let hook = hook(&app, &receiver.url(), &json!({})).await;
    let second = hook.rotate().await;
    app.visitor().await;
    work(&app).await;
    let accepted = receiver.accepted();
    assert!(accepted[0].is_signed_with(&second) && accepted[0].signatures.len() == 1);
}

#[tokio::test]
async fn what_was_accepted_is_sent_again_where_somebody_asks_for_it() {
    let (app, receiver, hook) = started_for_loads().await;
    let begun = app.now();
    for _ in 0..4 {
        app.visitor().await;
        app.pass(SignedDuration::from_mins(1));
    }
    work(&app).await;
    let log = ids(&loads(&app).await);
    assert_eq!(sorted(receiver.ids()), sorted(log.clone()));

    // One.
    assert_eq!(hook.replay(&json!({ "event": log[2] })).await, 1);
    work(&app).await;
    assert_eq!(receiver.ids()[4..], log[2..3]);
    let accepted = receiver.accepted();
    let before = accepted.iter().find(|received| received.id == log[2]).unwrap();
    assert_eq!(accepted[4].body, before.body, "the same in every byte");

    // A stretch of time: from the moment it begins with to the one it ends with, which is not in it.
    let after = |minutes| format!("{:.3}", begun + SignedDuration::from_mins(minutes));
    assert_eq!(hook.replay(&json!({ "from": after(1), "to": after(3) })).await, 2);
    work(&app).await;
    assert_eq!(sorted(receiver.ids()[5..].to_vec()), sorted(log[1..3].to_vec()));
    assert_eq!(hook.replay(&json!({ "from": after(5), "to": after(60) })).await, 0);
    work_after(&app, SignedDuration::from_hours(24)).await;
    assert_eq!(receiver.asked(), 7);

    // What failed: it waits, and has not been given up.
    receiver.does(script([refuse(500)]));
    app.visitor().await;
    work(&app).await;
    assert_eq!(hook.replay(&json!({ "failed": true })).await, 0);
}

#[tokio::test]
async fn a_dead_endpoint_delays_no_other() {
    // Longer than anything else here may take.
    let app = app().with_settings(|settings| settings.webhook_timeout_seconds = 60).start().await;
    let (dead, good) = (Receiver::serve().await, Receiver::serve().await);
    // With as many at once as there may be: those are more, the more were accepted before.
    dead.does(take_and_hang(10));
    hook(&app, &dead.url(), &json!({})).await;
    hook(&app, &good.url(), &json!({})).await;
    for _ in 0..100 {
        app.visitor().await;
    }
    let hooks = app.hooks.clone();
    let working = tokio::spawn(async move { hooks.work().await });
    dead.until_asked(10 + 32).await;
    good.until_accepted(100).await;
    assert!(!working.is_finished(), "the dead one still hangs");
    assert_eq!((dead.asked(), dead.most_hanging()), (10 + 32, 32));
    working.abort();
}

#[tokio::test]
async fn what_is_always_refused_holds_up_nothing_else() {
    let (app, receiver, hook) = started().await;
    let visitor = app.visitor().await;
    visitor.tell("widget.clicked").await;
    let clicked = app.log().await.into_iter().find(|event| event["type"] == "widget.clicked");
    let refused = text(&clicked.unwrap()["id"]);
    let id = refused.clone();
    receiver.does(move |received| if received.id == id { refuse(400) } else { Does::Take(200) });
    visitor.tell("widget.hidden").await;
    app.visitor().await.tell("widget.hidden").await;
    work(&app).await;
    let mut others = ids(&app.log().await);
    others.retain(|id| *id != refused);
    assert_eq!(sorted(receiver.ids()), sorted(others), "of the same session, too");
    for _ in 0..8 {
        visitor.tell("widget.shown").await;
        work_after(&app, SignedDuration::from_mins(30)).await;
    }
    assert_eq!(hook.state().await, "on");
    let all = ids(&app.log().await);
    assert_eq!(sorted(receiver.ids()), sorted(all.into_iter().filter(|id| *id != refused).collect()));
}

#[tokio::test]
async fn an_outage_is_over_with_the_first_that_is_accepted() {
    let (app, receiver, hook) = started_for_loads().await;
    receiver.does(|_| refuse(503));
    for _ in 0..10 {
        app.visitor().await;
        work_after(&app, SignedDuration::from_mins(30)).await;
    }
    receiver.does(|_| Does::Take(200));
    app.visitor().await;
    work_after(&app, SignedDuration::from_mins(18)).await;
    assert_eq!(sorted(receiver.ids()), sorted(ids(&loads(&app).await)), "what waited for hours, too");
    assert_eq!(hook.state().await, "on");
}

#[tokio::test]
async fn what_came_of_each_attempt_can_be_seen() {
    let app = app().start().await;
    let receiver = Receiver::serve().await;
    let hook = hook(&app, &receiver.named_url(), &json!({ "types": ["widget.loaded"] })).await;
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let elsewhere = format!("http://localhost:{}/", gone.port());
    let elsewhere = Hook::make(&base(&app), &app.key, &elsewhere, &json!({ "types": ["widget.loaded"] })).await;
    receiver.does(script([refuse(500), Does::Reset]));
    app.visitor().await;
    work(&app).await;
    work_after(&app, AGAIN).await;
    work_after(&app, SignedDuration::from_secs(24)).await;

    let event = ids(&loads(&app).await).remove(0);
    let attempts = hook.attempts("").await;
    assert_eq!(attempts.len(), 3);
    assert!(attempts.iter().all(|attempt| attempt.event == event && attempt.milliseconds == 0), "the clock stood still");
    let [Attempt { status: Some(200), problem: None, .. }, reset, refused] = attempts.as_slice() else {
        unreachable!("{attempts:?}")
    };
    assert!(reset.status.is_none() && refused.status == Some(500), "{reset:?}, {refused:?}");
    assert!(refused.problem.as_ref().unwrap().contains("500"), "{refused:?}");
    let failures = elsewhere.attempts("").await;
    // Whoever typed a name learns nothing of the addresses behind it.
    for problem in attempts.iter().chain(&failures).filter_map(|attempt| attempt.problem.as_ref()) {
        assert!(!problem.contains("127.0.0.1") && !problem.contains("::1"), "{problem}");
    }
    assert!(failures.iter().all(|attempt| attempt.problem.as_ref().unwrap().contains("localhost")), "{failures:?}");

    assert_eq!(hook.attempts("outcome=failed").await.len(), 2);
    assert_eq!(hook.attempts("outcome=succeeded").await.len(), 1);
    assert_eq!(hook.attempts(&format!("event={event}")).await.len(), 3);
    let other = text(&app.visitor().await.begun["events"][0]["id"]);
    assert!(hook.attempts(&format!("event={other}")).await.is_empty(), "it has not been sent yet");
    let page = hook.get("/attempts?limit=2").await;
    assert_eq!((page["attempts"].as_array().unwrap().len(), page["next"].is_string()), (2, true));
}

#[tokio::test]
async fn attempts_are_kept_for_some_days() {
    let app = app().with_settings(|settings| settings.webhook_attempt_days = 2).start().await;
    let receiver = Receiver::serve().await;
    let hook = hook(&app, &receiver.url(), &json!({ "types": ["widget.loaded"] })).await;
    app.visitor().await;
    work(&app).await;
    assert_eq!(receiver.asked(), 1);
    work_after(&app, SignedDuration::from_hours(2 * 24)).await;
    assert_eq!(hook.attempts("").await.len(), 1);
    work_after(&app, MILLISECOND).await;
    assert!(hook.attempts("").await.is_empty());
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let (app, receiver, hook) = started_for_loads().await;
    let trap = Receiver::serve().await;
    let metadata = "http://169.254.169.254/latest/meta-data/".to_owned();
    let locations = [metadata, trap.url(), trap.named_url(), "/elsewhere".to_owned()];
    for (status, location) in [301, 302, 307, 308].into_iter().zip(locations) {
        receiver.does(script([Does::Say(status, format!("Location: {location}\r\n"))]));
        app.visitor().await;
        work(&app).await;
        let failed = hook.attempts("outcome=failed").await.remove(0);
        assert_eq!(failed.status, Some(u64::from(status)));
        work_after(&app, AGAIN).await;
    }
    assert_eq!(trap.connections(), 0);
    assert_eq!(receiver.asked(), 8, "each was sent again to where it belongs, and nowhere else");
    assert!(receiver.accepted().iter().all(|received| received.path == "/hook"));
}

#[tokio::test]
async fn what_is_not_public_is_not_even_connected_to() {
    let app = app().with_settings(|settings| settings.egress_allow = String::new()).start().await;
    let trap = Receiver::serve().await;
    let port = trap.address.port();
    // What is wrong can be seen in the address.
    let spellings = [
        format!("http://127.0.0.1:{port}/"),
        format!("https://127.0.0.1:{port}/"),
        format!("https://127.1:{port}/"),
        format!("https://0x7f000001:{port}/"),
        format!("https://2130706433:{port}/"),
        format!("https://0177.0.0.1:{port}/"),
        format!("https://[::1]:{port}/"),
        format!("https://[::ffff:127.0.0.1]:{port}/"),
        format!("https://[64:ff9b::7f00:1]:{port}/"),
        "https://169.254.169.254/latest/meta-data/".to_owned(),
        format!("http://localhost:{port}/"),
    ];
    for url in spellings {
        let response = Hook::try_make(&base(&app), &app.key, &url, &json!({})).await;
        assert!(response.status().is_client_error(), "{url}");
        let found: Value = response.json().await.unwrap();
        assert_eq!(found["field"], "url", "{url}: {found}");
    }
    // What can only be seen when the name is asked for.
    let hook = hook(&app, &format!("https://localhost:{port}/"), &json!({ "types": ["widget.loaded"] })).await;
    app.visitor().await;
    work(&app).await;
    let attempts = hook.attempts("").await;
    assert_eq!((attempts.len(), attempts[0].status), (1, None));
    assert!(attempts[0].problem.as_ref().unwrap().contains("egress_allow"), "{attempts:?}");
    assert_eq!(trap.connections(), 0);
}

#[tokio::test]
async fn without_good_tls_nothing_is_said() {
    let app = app().start().await;
    let (plain, (port, satisfied)) = (Receiver::serve().await, serve_self_signed().await);
    let urls = [format!("https://localhost:{}/", plain.address.port()), format!("https://localhost:{port}/")];
    let mut hooks = Vec::new();
    for url in &urls {
        hooks.push(hook(&app, url, &json!({ "types": ["widget.loaded"] })).await);
    }
    app.visitor().await;
    work(&app).await;
    for hook in &hooks {
        let attempts = hook.attempts("").await;
        assert_eq!((attempts.len(), attempts[0].status), (1, None));
        assert!(attempts[0].problem.as_ref().unwrap().contains("no safe connection"), "{attempts:?}");
    }
    assert_eq!((plain.connections(), plain.asked()), (1, 0));
    assert_eq!(satisfied.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn limits_hold_at_their_edges() {
    let app = app()
        .with_settings(|settings| {
            settings.webhooks_limit = 2;
            settings.webhook_concurrency = 3;
            settings.webhook_timeout_seconds = 60;
        })
        .start()
        .await;
    let (receiver, other) = (Receiver::serve().await, Receiver::serve().await);
    hook(&app, &receiver.url(), &json!({ "types": ["widget.loaded"] })).await;
    hook(&app, &other.url(), &json!({})).await;
    let refused = Hook::try_make(&base(&app), &app.key, &other.url(), &json!({})).await;
    assert!(refused.status().is_client_error());
    let refused: Value = refused.json().await.unwrap();
    assert!(text(&refused["detail"]).contains('2'), "{refused}");

    receiver.does(take_and_hang(5));
    for _ in 0..20 {
        app.visitor().await;
    }
    let hooks = app.hooks.clone();
    let working = tokio::spawn(async move { hooks.work().await });
    receiver.until_asked(5 + 3).await;
    other.until_accepted(20).await;
    assert_eq!((receiver.asked(), receiver.most_hanging()), (5 + 3, 3));
    working.abort();
}

#[tokio::test]
async fn after_a_restart_it_goes_on_where_it_was() {
    let app = app().with_settings(|settings| settings.webhook_timeout_seconds = 60).start().await;
    let receiver = Receiver::serve().await;
    let hook = hook(&app, &receiver.url(), &json!({ "types": ["widget.loaded"] })).await;
    // One that is to be tried again, some under way, and some that were not taken up.
    receiver.does(script([refuse(500)]));
    app.visitor().await;
    work(&app).await;
    receiver.does(take_and_hang(6));
    for _ in 0..50 {
        app.visitor().await;
    }
    let asked = receiver.asked();
    let hooks = app.hooks.clone();
    let working = tokio::spawn(async move { hooks.work().await });
    receiver.until_asked(asked + 6 + 10).await;
    working.abort();
    assert!(working.await.unwrap_err().is_cancelled());

    receiver.does(|_| Does::Take(200));
    app.hooks_anew().work().await.unwrap();
    let later = ids(&loads(&app).await)[1..].to_vec();
    assert_eq!(different(receiver.ids()), sorted(later), "what was under way is sent again");
    app.pass(AGAIN);
    app.hooks_anew().work().await.unwrap();
    assert_eq!(different(receiver.ids()), sorted(ids(&loads(&app).await)));
    let attempted = hook.attempts("").await.into_iter().map(|attempt| attempt.event);
    assert_eq!(different(attempted.collect()).len(), 51);
}

#[tokio::test]
async fn each_endpoint_of_a_site_has_everything() {
    let app = app().start().await;
    let receivers = [Receiver::serve().await, Receiver::serve().await, Receiver::serve().await];
    let mut secrets = BTreeSet::new();
    for receiver in &receivers {
        secrets.insert(hook(&app, &receiver.url(), &json!({})).await.secret);
    }
    assert_eq!(secrets.len(), 3, "each has a secret of its own");
    app.visitor().await.tell("widget.shown").await;
    work(&app).await;
    for receiver in &receivers {
        assert_eq!(receiver.ids(), ids(&app.log().await));
        let accepted = receiver.accepted();
        assert_eq!(secrets.iter().filter(|secret| accepted[0].is_signed_with(secret)).count(), 1);
    }
}
