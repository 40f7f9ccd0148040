//! The demo customer's agents.

use porchlight_domain::{
    agent::Role,
    id::{AgentId, TeamId},
    schedule::Availability,
};

use porchlight_app::console::wire::{CannedResponse, Team};

use crate::{
    http::hash,
    outside::Outside,
    store::{CalendarRow, Command, Failure, Store, StoreError, Tx},
};

/// Their addresses, names and roles.
pub const AGENTS: [(&str, &str, Role); 2] =
    [("ada@example.com", "Ada", Role::Administrator), ("grace@example.com", "Grace", Role::Agent)];
/// Their password: the demo listens on this machine only.
pub const PASSWORD: &str = "porchlight-demo";
const SITE: &str = "demo";
/// Where the shop is.
const ZONE: &str = "Europe/London";
/// When they can be met: while the shop is open, as demo/site.toml has it.
const HOURS: &str = "\
    monday 08:00-18:00
    tuesday 08:00-18:00
    wednesday 08:00-18:00
    thursday 08:00-18:00
    friday 08:00-18:00
    saturday 08:00-18:00
    2026-12-25..2026-12-26 closed";
/// When their team answers chats. A demo is tried in the evening, too: whoever has the console open is at the desk.
const DESK: &str = "\
    monday 00:00-24:00
    tuesday 00:00-24:00
    wednesday 00:00-24:00
    thursday 00:00-24:00
    friday 00:00-24:00
    saturday 00:00-24:00
    sunday 00:00-24:00";
const RESPONSES: [(&str, &str); 2] = [
    ("hello", "Hello {{visitor.firstName}}, this is {{agent}}. How can I help?"),
    ("hours", "Our workshop is open Monday to Friday, 9 to 18, and on Saturdays until 14."),
];

/// Adds the demo's agents with their hours, their team and some canned responses, unless they are there.
///
/// # Errors
/// If the store fails.
pub(crate) async fn add_agents(store: &Store, outside: &Outside) -> Result<(), StoreError> {
    Ok(store.commit(Add(outside.clone())).await?)
}

struct Add(Outside);

impl Command for Add {
    type Done = ();
    type Refusal = std::convert::Infallible;

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<Self::Refusal>> {
        let outside = self.0;
        let bad = |error: String| StoreError::Corrupt(error);
        let hours = |lines: &str| Availability::read(ZONE, lines).map_err(|error| bad(error.to_string()));
        let site = SITE.parse().map_err(|error| bad(format!("{error}")))?;
        let mut members = Vec::new();
        for (email, name, role) in AGENTS {
            let id = match tx.agent_by_email(email).await? {
                Some(known) => known.id,
                None => {
                    let id = AgentId::new(outside.new_id());
                    tx.add_agent(id, email, name, role, outside.now()).await?;
                    tx.put_agent_sites(id, std::slice::from_ref(&site)).await?;
                    tx.put_password(id, &hash(PASSWORD).unwrap_or_default()).await?;
                    // The console's times are those of the shop. Without hours of the week they take chats at any.
                    if let Some(mut agent) = tx.agent(id).await? {
                        agent.availability = hours("")?;
                        tx.put_agent(&agent, outside.now()).await?;
                    }
                    id
                }
            };
            // Those of an earlier demo have none; what was changed in the console stays.
            if tx.calendar(id).await? == CalendarRow::default() {
                let row = CalendarRow { hours: Some(hours(HOURS)?), ..CalendarRow::default() };
                tx.put_calendar(id, &row, outside.now()).await?;
            }
            members.push(id);
        }
        let team: TeamId = "sales".parse().map_err(|error| bad(format!("{error}")))?;
        tx.put_team(&Team { site: site.clone(), id: team.clone(), name: "Sales".to_owned() }, &members).await?;
        if tx.team_hours(&site, &team).await?.is_none() {
            tx.put_team_hours(&site, &team, Some(&hours(DESK)?)).await?;
        }
        for (shortcut, text) in RESPONSES {
            let response = CannedResponse { site: site.clone(), shortcut: shortcut.to_owned(), text: text.to_owned() };
            tx.put_canned_response(&outside.new_id().to_string(), &response).await?;
        }
        Ok(())
    }
}
