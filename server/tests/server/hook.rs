//! An endpoint of webhooks, as a customer's own program makes it and looks after it.

use reqwest::{Client, Response};
use serde_json::{Value, json};

use crate::app::text;

/// An endpoint.
pub(crate) struct Hook {
    pub(crate) id: String,
    pub(crate) secret: String,
    /// Where the server is, which is somewhere else after a restart.
    pub(crate) base: String,
    key: String,
    client: Client,
}

impl Hook {
    /// Makes an endpoint of the usual site; `more` are fields besides site, name and address, or instead of them.
    pub(crate) async fn make(base: &str, key: &str, url: &str, more: &Value) -> Self {
        let response = Self::try_make(base, key, url, more).await;
        let status = response.status();
        let made: Value = response.json().await.unwrap();
        assert_eq!(status, 201, "{made}");
        Self {
            id: text(&made["id"]),
            secret: text(&made["secret"]),
            base: base.to_owned(),
            key: key.to_owned(),
            client: Client::new(),
        }
    }

    /// The same where it may be refused.
    pub(crate) async fn try_make(base: &str, key: &str, url: &str, more: &Value) -> Response {
        let mut asked = json!({ "site": "shop", "name": "Test", "url": url });
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let request = Client::new().post(format!("{base}/api/v1/webhooks")).bearer_auth(key);
        request.body(asked.to_string()).send().await.unwrap()
    }

    async fn done(response: Response) -> Value {
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(status.is_success(), "{status}: {text}");
        if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
    }

    fn at(&self, path: &str) -> String {
        format!("{}/api/v1/webhooks/{}{path}", self.base, self.id)
    }

    /// What is at an address below the endpoint's.
    pub(crate) async fn get(&self, path: &str) -> Value {
        Self::done(self.client.get(self.at(path)).bearer_auth(&self.key).send().await.unwrap()).await
    }

    /// Does something to it.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Value {
        Self::done(self.client.post(self.at(path)).bearer_auth(&self.key).body(body.to_string()).send().await.unwrap()).await
    }

    /// Gives it another secret, and says which.
    pub(crate) async fn rotate(&self) -> String {
        text(&self.post("/rotate-secret", &json!({})).await["secret"])
    }

    /// Has events sent again, and says how many.
    pub(crate) async fn replay(&self, which: &Value) -> u64 {
        self.post("/replay", which).await["events"].as_u64().unwrap()
    }

    /// Whether something is sent to it, or why not.
    pub(crate) async fn state(&self) -> String {
        text(&self.get("").await["state"])
    }

    /// Attempts, page by page, the newest first: all, or those that a query is about, such as `outcome=failed`.
    pub(crate) async fn attempts(&self, query: &str) -> Vec<Attempt> {
        let (mut attempts, mut after) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("/attempts?limit=1000&after={after}&{query}")).await;
            attempts.extend(page["attempts"].as_array().unwrap().iter().map(Attempt::of));
            match page["next"].as_str() {
                Some(next) => next.clone_into(&mut after),
                None => return attempts,
            }
        }
    }
}

/// What came of an attempt.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) event: String,
    pub(crate) milliseconds: u64,
    /// What was answered, if something was.
    pub(crate) status: Option<u64>,
    /// Why it counts as failed.
    pub(crate) problem: Option<String>,
}

impl Attempt {
    fn of(told: &Value) -> Self {
        Self {
            event: text(&told["event"]),
            milliseconds: told["milliseconds"].as_u64().unwrap(),
            status: told["status"].as_u64(),
            problem: told["problem"].as_str().map(str::to_owned),
        }
    }
}
