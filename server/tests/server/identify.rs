//! `Porchlight.identify`: the site tells who a visitor is.

use hmac::{Hmac, Mac};
use porchlight_server::store::{Command, Failure, Tx};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::app::{PAGE, TestApp, good, problem};

struct SecretOf;

impl Command for SecretOf {
    type Done = String;
    type Refusal = ();

    async fn run(self, tx: &mut Tx<'_>) -> Result<String, Failure<()>> {
        Ok(tx.site_secret(&"shop".parse().unwrap()).await?.unwrap())
    }
}

/// What only the site can make of an id.
pub(crate) async fn hash(app: &TestApp, of: &str) -> String {
    let secret = app.store.look(SecretOf).await.unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(of.as_bytes());
    data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes())
}

/// The site tells who a visitor is.
pub(crate) async fn identify(app: &TestApp, token: &str, view: &str, identity: &Value) -> reqwest::Response {
    let body = json!({ "site": "shop", "page": PAGE, "token": token, "view": view, "identity": identity });
    app.send("/widget/v1/start", &body).await
}

#[tokio::test]
async fn only_the_site_can_tell_who_somebody_is() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    let good_hash = hash(&app, "u1").await;
    for identity in [
        json!({ "id": "u1" }),
        json!({ "id": "u1", "hash": "" }),
        json!({ "id": "u1", "hash": good_hash.replace(&good_hash[..1], "x") }),
        json!({ "id": "u2", "hash": good_hash }),
        json!({ "email": "ada@example.com", "hash": good_hash }),
    ] {
        let found = problem(identify(&app, &visitor.token, &visitor.view, &identity).await, 403, "bad_hash").await;
        assert_eq!(found["field"], "identity.hash");
    }
    for (identity, field) in [
        (json!({ "hash": good_hash }), "identity.id"),
        (json!({ "id": "", "hash": good_hash }), "identity.id"),
        (json!({ "id": "x".repeat(201), "hash": good_hash }), "identity.id"),
        (json!({ "id": "u1", "email": "ada", "hash": good_hash }), "identity.email"),
    ] {
        let found = problem(identify(&app, &visitor.token, &visitor.view, &identity).await, 400, "malformed").await;
        assert_eq!(found["field"], field);
    }
    let identity = json!({ "id": "u1", "email": "ada@example.com", "name": "Ada Lovelace", "hash": good_hash });
    good(identify(&app, &visitor.token, &visitor.view, &identity).await).await;
    let found =
        good(app.get("/api/v1/visitors?site=shop&email=ada@example.com").bearer_auth(&app.key).send().await.unwrap()).await;
    let found = &found["visitors"][0];
    assert_eq!((&found["identified"], &found["attributes"]["firstName"]), (&json!(true), &json!("Ada")));
    assert_eq!(app.types().await, ["widget.loaded"], "saying who somebody is is no event");
}

#[tokio::test]
async fn two_browsers_of_one_person_are_one_visitor_who_goes_on_where_they_were() {
    let app = TestApp::init().start().await;
    let identity = json!({ "id": "u1", "hash": hash(&app, "u1").await });
    let laptop = app.visitor().await;
    good(identify(&app, &laptop.token, &laptop.view, &identity).await).await;
    let (_, form) = laptop.open().await;
    laptop.go_on(&form, "price").await;

    let phone = app.visitor().await;
    assert_ne!(phone.begun["visitor"], laptop.begun["visitor"]);
    let begun = good(identify(&app, &phone.token, &phone.view, &identity).await).await;
    assert_eq!(begun["visitor"], laptop.begun["visitor"]);
    assert_eq!((&begun["conversation"]["id"], &begun["conversation"]["goesOn"]), (&json!("welcome"), &json!(true)));
    let (html, _) = phone.open().await;
    assert!(html.contains("Price") && html.contains("Your address?"), "the transcript came along");
    // Both sessions are the one visitor's now, and neither has a gap.
    let log = app.log().await;
    let mut seqs = std::collections::BTreeMap::<String, Vec<u64>>::new();
    for event in &log {
        seqs.entry(event["session"].as_str().unwrap().to_owned()).or_default().push(event["seq"].as_u64().unwrap());
    }
    assert!(seqs.len() == 2 && seqs.values().all(|seqs| *seqs == (1..=seqs.len() as u64).collect::<Vec<_>>()), "{seqs:?}");
}

#[tokio::test]
async fn who_is_told_at_the_very_first_start_is_known_at_once() {
    let app = TestApp::init().start().await;
    let identity = json!({ "id": "u1", "hash": hash(&app, "u1").await });
    let laptop = app.visitor().await;
    good(identify(&app, &laptop.token, &laptop.view, &identity).await).await;
    let (_, form) = laptop.open().await;
    laptop.go_on(&form, "price").await;
    let begun = good(app.send("/widget/v1/start", &json!({ "site": "shop", "page": PAGE, "identity": identity })).await).await;
    assert_eq!((&begun["visitor"], &begun["conversation"]["goesOn"]), (&laptop.begun["visitor"], &json!(true)));
    assert!(begun["token"].is_string(), "the new browser has a token of its own");
    assert_eq!(begun["events"][0]["type"], "widget.loaded");
}

#[tokio::test]
async fn of_a_conversation_that_both_began_the_later_one_goes_on() {
    let app = TestApp::init().start().await;
    let identity = json!({ "email": "Ada@Example.com", "hash": hash(&app, "Ada@Example.com").await });
    let laptop = app.visitor().await;
    good(identify(&app, &laptop.token, &laptop.view, &identity).await).await;
    let (_, form) = laptop.open().await;
    good(laptop.answer(&form, "none").await).await;

    app.pass(jiff::SignedDuration::from_mins(1));
    let phone = app.visitor().await;
    let (_, form) = phone.open().await;
    phone.go_on(&form, "price").await;
    let begun = good(identify(&app, &phone.token, &phone.view, &identity).await).await;
    assert_eq!((&begun["visitor"], &begun["conversation"]["goesOn"]), (&laptop.begun["visitor"], &json!(true)));
    let (html, _) = phone.open().await;
    assert!(html.contains("Your address?") && !html.contains("Goodbye"), "what was under way goes on");
}

#[tokio::test]
async fn a_browser_that_changes_hands_takes_nothing_along() {
    let app = TestApp::init().start().await;
    let identity = |id: &'static str, hash: String| json!({ "id": id, "hash": hash });
    let (ada, eve) = (identity("ada", hash(&app, "ada").await), identity("eve", hash(&app, "eve").await));
    let other = app.visitor().await;
    good(identify(&app, &other.token, &other.view, &eve).await).await;
    let shared = app.visitor().await;
    good(identify(&app, &shared.token, &shared.view, &ada).await).await;
    let (_, form) = shared.open().await;
    shared.go_on(&form, "price").await;
    let begun = good(identify(&app, &shared.token, &shared.view, &eve).await).await;
    assert_eq!((&begun["visitor"], &begun["conversation"]["goesOn"]), (&other.begun["visitor"], &json!(false)));
    let unknown = identity("new", hash(&app, "new").await);
    problem(identify(&app, &shared.token, &shared.view, &unknown).await, 409, "taken").await;
}
