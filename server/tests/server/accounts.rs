//! Agents' accounts over HTTP: invited, joined, signed in and out, and guessed at.

use jiff::SignedDuration;
use porchlight_domain::agent::Role;
use reqwest::{Client, Response, StatusCode, redirect};

use crate::{
    app::TestApp,
    sides::{Agent, add_agent},
};

const PASSWORD: &str = "correct horse battery";

/// A browser that does as it is told only.
struct Browser<'a> {
    app: &'a TestApp,
    client: Client,
    /// Where it seems to come from.
    address: &'static str,
}

impl<'a> Browser<'a> {
    fn new(app: &'a TestApp, address: &'static str) -> Self {
        Self { app, client: Client::builder().redirect(redirect::Policy::none()).build().unwrap(), address }
    }

    async fn post(&self, path: &str, cookie: Option<&str>, form: &[(&str, &str)]) -> Response {
        let origin = format!("http://{}", self.app.address);
        let request = self.client.post(format!("{origin}{path}")).header("origin", &origin);
        let request = cookie.into_iter().fold(request, |request, cookie| request.header("cookie", cookie));
        request.header("x-forwarded-for", self.address).form(form).send().await.unwrap()
    }

    async fn sign_in(&self, password: &str) -> Response {
        self.post("/console/sign-in", None, &[("email", "new@example.com"), ("password", password)]).await
    }

    async fn is_in(&self, cookie: &str) -> bool {
        let request = self.client.get(format!("http://{}/console/api/chats?queue=all", self.app.address));
        request.header("cookie", cookie).send().await.unwrap().status() == StatusCode::OK
    }

    /// Invites somebody by the console, and gives the secret of the link.
    async fn invite(&self, administrator: &Agent, email: &str) -> String {
        let form = [("name", "New"), ("email", email), ("role", "agent"), ("sites", "shop")];
        let page = self.post("/console/agents", Some(&administrator.cookie), &form).await.text().await.unwrap();
        page.split("/console/join#")
            .nth(1)
            .unwrap()
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c))
            .collect()
    }

    async fn join(&self, token: &str, password: &str) -> Response {
        self.post("/console/join", None, &[("token", token), ("name", "New"), ("password", password)]).await
    }
}

fn cookie(response: &Response) -> String {
    let header = response.headers()["set-cookie"].to_str().unwrap();
    for attribute in ["__Host-porchlight=", "; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
        assert!(header.contains(attribute), "{attribute} is not in {header}");
    }
    header.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn an_invitation_is_good_once_and_for_a_time() {
    let app = TestApp::init().start().await;
    let administrator = add_agent(&app, 1, Role::Administrator).await;
    let browser = Browser::new(&app, "192.0.2.1");
    let token = browser.invite(&administrator, "new@example.com").await;
    let short = browser.join(&token, "short").await;
    assert_eq!(short.status(), StatusCode::BAD_REQUEST);
    assert!(short.text().await.unwrap().contains("12 to"), "it says what a password is");
    let joined = browser.join(&token, PASSWORD).await;
    assert_eq!(joined.status(), StatusCode::SEE_OTHER);
    assert!(browser.is_in(&cookie(&joined)).await);
    assert_eq!(browser.join(&token, PASSWORD).await.status(), StatusCode::BAD_REQUEST, "once");

    let token = browser.invite(&administrator, "other@example.com").await;
    app.pass(SignedDuration::from_hours(72));
    assert_eq!(browser.join(&token, PASSWORD).await.status(), StatusCode::BAD_REQUEST, "for so many hours only");
}

#[tokio::test]
async fn a_sign_in_is_new_each_time_and_ends_when_it_is_not_used() {
    let app = TestApp::init().start().await;
    let administrator = add_agent(&app, 1, Role::Administrator).await;
    let browser = Browser::new(&app, "192.0.2.1");
    browser.join(&browser.invite(&administrator, "new@example.com").await, PASSWORD).await;
    let first = cookie(&browser.sign_in(PASSWORD).await);
    // Signed in anew with a cookie: that one is good no more.
    let form = [("email", "NEW@example.com "), ("password", PASSWORD)];
    let second = cookie(&browser.post("/console/sign-in", Some(&first), &form).await);
    assert_ne!(first, second);
    assert!(!browser.is_in(&first).await && browser.is_in(&second).await);
    browser.post("/console/sign-out", Some(&second), &[]).await;
    assert!(!browser.is_in(&second).await);

    let third = cookie(&browser.sign_in(PASSWORD).await);
    app.pass(SignedDuration::from_hours(11));
    assert!(browser.is_in(&third).await);
    app.pass(SignedDuration::from_hours(12));
    assert!(!browser.is_in(&third).await, "not used for sign_in_idle_hours");
}

#[tokio::test]
async fn guessing_is_slowed_down_and_locks_nobody_out() {
    let app = TestApp::init().with_settings(|settings| settings.trusted_proxies = 1).start().await;
    let administrator = add_agent(&app, 1, Role::Administrator).await;
    let (owner, guesser) = (Browser::new(&app, "192.0.2.1"), Browser::new(&app, "203.0.113.9"));
    owner.join(&owner.invite(&administrator, "new@example.com").await, PASSWORD).await;
    for _ in 0..5 {
        assert_eq!(guesser.sign_in("wrong").await.status(), StatusCode::UNAUTHORIZED);
    }
    let slowed = guesser.sign_in(PASSWORD).await;
    assert_eq!(slowed.status(), StatusCode::TOO_MANY_REQUESTS, "the sixth in a minute");
    assert_eq!(owner.sign_in(PASSWORD).await.status(), StatusCode::SEE_OTHER, "from elsewhere its owner comes in");
    app.pass(SignedDuration::from_secs(13));
    assert_eq!(guesser.sign_in("wrong").await.status(), StatusCode::UNAUTHORIZED, "one more every twelve seconds");
    // Whether there is such an account is not told.
    let unknown = [("email", "nobody@example.com"), ("password", "wrong")];
    let (unknown, known) = (owner.post("/console/sign-in", None, &unknown).await, owner.sign_in("wrong").await);
    assert_eq!(unknown.status(), known.status());
    let said = |page: String| page.split("role=\"alert\"").nth(1).map(|rest| rest.chars().take(100).collect::<String>());
    assert_eq!(said(unknown.text().await.unwrap()), said(known.text().await.unwrap()));
}
