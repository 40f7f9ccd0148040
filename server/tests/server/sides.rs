//! Both sides of a live chat, as their clients are.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use jiff::SignedDuration;
use porchlight_domain::{
    agent::Role,
    id::{AgentId, ChatId},
};
use porchlight_server::store::{AgentRow, ChatRecord, Command, Failure, Tx};
use reqwest::StatusCode;
use serde_json::{Map, Value, json};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest},
};

use crate::app::{TestApp, Visitor, filled, text};

/// A conversation that asks for an agent at once.
pub(crate) const TALK: &str = r#"{ "id": "welcome", "name": "Talk", "cards": [
    { "id": "agent", "card": "liveChat", "text": "One moment", "queue": true, "fallbackText": "Nobody is there" },
    { "id": "end", "card": "end", "text": "Goodbye" }
] }"#;

/// An agent with a sign-in.
pub(crate) struct Agent {
    pub(crate) id: AgentId,
    pub(crate) cookie: String,
}

struct AddAgent {
    id: AgentId,
    number: u8,
    token: porchlight_server::secret::Secret,
    now: jiff::Timestamp,
    role: Role,
    site: &'static str,
}

impl Command for AddAgent {
    type Done = ();
    type Refusal = ();

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<()>> {
        let Self { id, number, token, now, role, site } = self;
        tx.add_agent(id, &format!("agent{number}@example.com"), &format!("Agent {number}"), role, now).await?;
        tx.put_agent_sites(id, &[site.parse().unwrap()]).await?;
        Ok(tx.add_login(&token, id, now).await?)
    }
}

/// Adds an agent of the usual site.
pub(crate) async fn add_agent(app: &TestApp, number: u8, role: Role) -> Agent {
    add_agent_of(app, number, role, "shop").await
}

pub(crate) async fn add_agent_of(app: &TestApp, number: u8, role: Role, site: &'static str) -> Agent {
    let id = AgentId::new(porchlight_domain::id::uuid_v7(1, &[number; 10]));
    let token = porchlight_server::outside::Outside::real().new_secret();
    let cookie = format!("__Host-porchlight={}", token.reveal());
    app.store.commit(AddAgent { id, number, token, now: app.now(), role, site }).await.unwrap();
    Agent { id, cookie }
}

struct Stay(AgentId, jiff::Timestamp);

impl Command for Stay {
    type Done = ();
    type Refusal = ();

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<()>> {
        Ok(tx.set_present_until(self.0, self.1).await?)
    }
}

/// As the sockets of their consoles would, says that agents are there for so long from now.
pub(crate) async fn stay(app: &TestApp, agents: &[&Agent], seconds: i64) {
    for agent in agents {
        app.store.commit(Stay(agent.id, app.now() + SignedDuration::from_secs(seconds))).await.unwrap();
    }
}

struct FindAgent(AgentId);

impl Command for FindAgent {
    type Done = AgentRow;
    type Refusal = ();

    async fn run(self, tx: &mut Tx<'_>) -> Result<AgentRow, Failure<()>> {
        Ok(tx.agent(self.0).await?.unwrap())
    }
}

/// An agent as they are kept.
pub(crate) async fn kept_agent(app: &TestApp, agent: &Agent) -> AgentRow {
    app.store.look(FindAgent(agent.id)).await.unwrap()
}

struct FindChat(ChatId);

impl Command for FindChat {
    type Done = ChatRecord;
    type Refusal = ();

    async fn run(self, tx: &mut Tx<'_>) -> Result<ChatRecord, Failure<()>> {
        Ok(tx.chat(self.0).await?.unwrap())
    }
}

/// A chat as it is kept.
pub(crate) async fn kept(app: &TestApp, chat: &str) -> ChatRecord {
    app.store.look(FindChat(chat.parse().unwrap())).await.unwrap()
}

/// Waits until a chat is kept as it should be: that a connection has ended is noted some time after it has.
pub(crate) async fn until_kept(app: &TestApp, chat: &str, found: impl Fn(&ChatRecord) -> bool) {
    let found = async {
        while !found(&kept(app, chat).await) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), found).await.unwrap();
}

/// A socket, as a client has it.
pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>);

impl Socket {
    /// Opens a connection, or gives the status it was refused with.
    pub(crate) async fn open(address: SocketAddr, path: &str, headers: &[(&'static str, &str)]) -> Result<Self, StatusCode> {
        Self::try_open(address, path, headers).await.map_err(|error| match *error {
            tokio_tungstenite::tungstenite::Error::Http(response) => StatusCode::from_u16(response.status().as_u16()).unwrap(),
            error => unreachable!("{error}"),
        })
    }

    /// Opens a connection where there may be nobody.
    pub(crate) async fn try_open(
        address: SocketAddr,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, Box<tokio_tungstenite::tungstenite::Error>> {
        let mut request = format!("ws://{address}{path}").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        Ok(Self(tokio_tungstenite::connect_async(request).await.map_err(Box::new)?.0))
    }

    /// What is told next; nothing once the connection has gone.
    pub(crate) async fn try_next(&mut self) -> Option<Value> {
        loop {
            match self.0.next().await?.ok()? {
                Message::Text(text) => return Some(serde_json::from_str(&text).unwrap()),
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }

    pub(crate) async fn desk(app: &TestApp, agent: &Agent) -> Self {
        let origin = format!("http://{}", app.address);
        let mut socket =
            Self::open(app.address, "/console/socket", &[("cookie", &agent.cookie), ("origin", &origin)]).await.unwrap();
        socket.until(|told| told.get("desk").is_some()).await;
        socket
    }

    pub(crate) async fn panel(visitor: &Visitor<'_>, have: u32) -> Self {
        Self::panel_on(visitor, &visitor.view, have).await
    }

    /// A panel on another load of a page than the visitor's first.
    pub(crate) async fn panel_on(visitor: &Visitor<'_>, view: &str, have: u32) -> Self {
        let mut socket = Self::open(visitor.app.address, "/widget/v1/socket", &[]).await.unwrap();
        let hello = filled(&visitor.opening(), &[("view", view), ("have", &have.to_string())]);
        let hello: Map<String, Value> = hello.into_iter().map(|(name, value)| (name, value.into())).collect();
        socket.say(&Value::Object(hello)).await;
        socket
    }

    pub(crate) async fn say(&mut self, what: &Value) {
        self.0.send(Message::text(what.to_string())).await.unwrap();
    }

    /// Says something that may find the connection closed.
    pub(crate) async fn try_say(&mut self, what: &Value) -> Result<(), Box<tokio_tungstenite::tungstenite::Error>> {
        self.0.send(Message::text(what.to_string())).await.map_err(Box::new)
    }

    /// Hears all that comes until a ping is answered, or the connection closes.
    pub(crate) async fn rest(&mut self) -> Vec<Value> {
        let mut told = Vec::new();
        let _ = self.0.send(Message::Ping(b"rest".as_slice().into())).await;
        while let Some(Ok(message)) = self.0.next().await {
            match message {
                Message::Text(text) => told.push(serde_json::from_str(&text).unwrap()),
                Message::Close(_) | Message::Pong(_) => break,
                _ => {}
            }
        }
        told
    }

    pub(crate) async fn next(&mut self) -> Value {
        loop {
            let waited = tokio::time::timeout(std::time::Duration::from_secs(10), self.0.next()).await;
            match waited.unwrap().unwrap().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Close(_) => return json!("closed"),
                _ => {}
            }
        }
    }

    pub(crate) async fn until(&mut self, found: impl Fn(&Value) -> bool) -> Value {
        loop {
            let told = self.next().await;
            if found(&told) {
                return told;
            }
        }
    }

    /// Closes the connection as a page does that is left, and waits until the server has let go of it.
    pub(crate) async fn leave(mut self) {
        // Where it has gone already, that is as well.
        let _ = self.0.close(None).await;
        while self.0.next().await.is_some_and(|told| told.is_ok()) {}
    }

    /// Waits for the server to close the connection.
    pub(crate) async fn closed(&mut self) {
        while self.try_next().await.is_some() {}
    }

    /// Asks as an agent does, and gives the answer.
    pub(crate) async fn ask(&mut self, id: u32, what: Value) -> Value {
        let mut asked = json!({ "id": id });
        asked.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
        self.say(&asked).await;
        self.until(|told| told["done"]["id"] == id || told["refused"]["id"] == id).await
    }

    pub(crate) async fn offered(&mut self) -> String {
        text(
            &self.until(|told| told["chat"]["offer_until"].is_string() || told["chat"]["offerUntil"].is_string()).await["chat"]["id"],
        )
    }
}
