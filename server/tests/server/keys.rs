//! `/console/keys`.

use porchlight_domain::agent::Role;
use reqwest::{Client, Response, StatusCode, redirect};

use crate::{
    api::audited,
    app::{TestApp, good, problem, text},
    sides::{Agent, add_agent},
};

async fn show(app: &TestApp, agent: &Agent) -> String {
    app.get("/console/keys").header("cookie", &agent.cookie).send().await.unwrap().text().await.unwrap()
}

async fn post(app: &TestApp, agent: &Agent, path: &str, form: &[(&str, &str)]) -> Response {
    let browser = Client::builder().redirect(redirect::Policy::none()).build().unwrap();
    let request = browser.post(format!("http://{}{path}", app.address)).header("cookie", &agent.cookie);
    request.header("origin", format!("http://{}", app.address)).form(form).send().await.unwrap()
}

/// The key that a page shows.
fn made(html: &str) -> String {
    let start = html.find("plk_").unwrap();
    html[start..].chars().take(47).collect()
}

/// The id of the only key that a page lists beside the test's own.
fn id(html: &str) -> String {
    let ids = html.split("/console/keys/").skip(1).filter_map(|rest| rest.split("/revoke").next());
    ids.filter(|id| *id != "test").map(str::to_owned).next().unwrap()
}

#[tokio::test]
async fn an_administrator_makes_keys_sees_them_and_takes_them_back() {
    let app = TestApp::init().start().await;
    let administrator = add_agent(&app, 1, Role::Administrator).await;
    let before = audited(&app).await.len();
    let form = [("name", " CRM <1> "), ("scopes", "events:read"), ("scopes", "sites:read"), ("sites", "shop")];
    let response = post(&app, &administrator, "/console/keys", &form).await;
    assert_eq!((response.status(), response.headers()["cache-control"].to_str().unwrap()), (StatusCode::OK, "no-store"));
    let html = response.text().await.unwrap();
    let key = made(&html);
    assert!(html.contains("CRM &lt;1&gt;") && html.contains("not shown again"), "{html}");

    // It may do what was ticked, and nothing else.
    let ask = async |path: &str| app.get(path).bearer_auth(&key).send().await.unwrap();
    assert_eq!(good(ask("/api/v1/sites").await).await["sites"][0], "shop");
    problem(ask("/api/v1/sites/shop/conversations").await, 403, "forbidden").await;

    let listed = show(&app, &administrator).await;
    assert!(!listed.contains(&key), "it is shown once");
    assert!(listed.contains(&key[43..]) && listed.contains(">events:read<") && listed.contains(">shop<"), "{listed}");
    assert!(listed.contains("last used 2026-11-21 08:00 UTC"), "{listed}");
    let id = id(&listed);
    let gone = post(&app, &administrator, &format!("/console/keys/{id}/revoke"), &[]).await;
    assert_eq!((gone.status(), gone.headers()["location"].to_str().unwrap()), (StatusCode::SEE_OTHER, "/console/keys"));
    problem(ask("/api/v1/sites").await, 401, "bad_key").await;
    assert!(!show(&app, &administrator).await.contains(&id));
    let again = post(&app, &administrator, &format!("/console/keys/{id}/revoke"), &[]).await;
    assert_eq!(again.status(), StatusCode::NOT_FOUND);

    let noted = audited(&app).await.split_off(before);
    let said: Vec<_> = noted.iter().map(|entry| (entry.action.as_str(), entry.subject.as_str())).collect();
    assert_eq!(said, [("key.created", id.as_str()), ("key.revoked", id.as_str())]);
    assert!(noted.iter().all(|entry| entry.actor_kind == "agent" && entry.actor == administrator.id.to_string()));
    assert_eq!(text(&noted[0].detail["name"]), "CRM <1>");
    assert!(!noted[0].detail.to_string().contains(&key));
}

#[tokio::test]
async fn bad_keys_are_not_made() {
    let app = TestApp::init().start().await;
    let administrator = add_agent(&app, 1, Role::Administrator).await;
    let before = audited(&app).await.len();
    let long = "x".repeat(101);
    for (form, told) in [
        (&[("name", " ")][..], "expected a name of 1 to 100 characters"),
        (&[("name", long.as_str())][..], "expected a name of 1 to 100 characters"),
        (&[("name", "x"), ("scopes", "everything")][..], "expected a scope such as events:read"),
        (&[("name", "x"), ("sites", "nowhere")][..], "there is no site"),
    ] {
        let response = post(&app, &administrator, "/console/keys", form).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        let html = response.text().await.unwrap();
        assert!(html.contains(told) && !html.contains("plk_"), "{told}: {html}");
    }
    assert_eq!(audited(&app).await.len(), before);
    let edge = post(&app, &administrator, "/console/keys", &[("name", &long[..100])]).await;
    assert_eq!(edge.status(), StatusCode::OK);
}

#[tokio::test]
async fn only_administrators_have_to_do_with_keys() {
    let app = TestApp::init().start().await;
    for (number, role) in [(1, Role::Author), (2, Role::Agent)] {
        let agent = add_agent(&app, number, role).await;
        assert!(!show(&app, &agent).await.contains("Make the key"));
        for path in ["/console/keys", "/console/keys/test/revoke"] {
            problem(post(&app, &agent, path, &[("name", "mine")]).await, 403, "forbidden").await;
        }
    }
    let still = app.get("/api/v1/sites").bearer_auth(&app.key).send().await.unwrap();
    assert_eq!(still.status(), StatusCode::OK);
}
