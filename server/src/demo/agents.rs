//! The demo customer's agents.

use porchlight_domain::{
    agent::Role,
    id::{AgentId, TeamId},
};

use porchlight_app::console::wire::{CannedResponse, Team};

use crate::{
    http::hash,
    outside::Outside,
    store::{Command, Failure, Store, StoreError, Tx},
};

/// Their addresses, names and roles.
pub const AGENTS: [(&str, &str, Role); 2] =
    [("ada@example.com", "Ada", Role::Administrator), ("grace@example.com", "Grace", Role::Agent)];
/// Their password: the demo listens on this machine only.
pub const PASSWORD: &str = "porchlight-demo";
const SITE: &str = "demo";
const RESPONSES: [(&str, &str); 2] = [
    ("hello", "Hello {{visitor.firstName}}, this is {{agent}}. How can I help?"),
    ("hours", "Our workshop is open Monday to Friday, 9 to 18, and on Saturdays until 14."),
];

/// Adds the demo's agents, their team and some canned responses, unless they are there.
///
/// # Errors
/// If the store fails.
pub(crate) async fn add_agents(store: &Store, outside: &Outside) -> Result<(), StoreError> {
    match store.commit(Add(outside.clone())).await {
        Ok(()) => Ok(()),
        Err(Failure::Store(error)) => Err(error),
        Err(Failure::Refused(never)) => match never {},
    }
}

struct Add(Outside);

impl Command for Add {
    type Done = ();
    type Refusal = std::convert::Infallible;

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<Self::Refusal>> {
        let outside = self.0;
        let bad = |error: String| StoreError::Corrupt(error);
        let site = SITE.parse().map_err(|error| bad(format!("{error}")))?;
        let mut members = Vec::new();
        for (email, name, role) in AGENTS {
            if let Some(known) = tx.agent_by_email(email).await? {
                members.push(known.id);
                continue;
            }
            let id = AgentId::new(outside.new_id());
            tx.add_agent(id, email, name, role, outside.now()).await?;
            tx.put_agent_sites(id, std::slice::from_ref(&site)).await?;
            tx.put_password(id, &hash(PASSWORD).unwrap_or_default()).await?;
            members.push(id);
        }
        let team: TeamId = "sales".parse().map_err(|error| bad(format!("{error}")))?;
        tx.put_team(&Team { site: site.clone(), id: team, name: "Sales".to_owned() }, &members).await?;
        for (shortcut, text) in RESPONSES {
            let response = CannedResponse { site: site.clone(), shortcut: shortcut.to_owned(), text: text.to_owned() };
            tx.put_canned_response(&outside.new_id().to_string(), &response).await?;
        }
        Ok(())
    }
}
