//! Links that let people choose a password: the first administrator's, invitations, forgotten passwords.

use jiff::{SignedDuration, Timestamp};
use porchlight_domain::{
    agent::Role,
    contact::Email,
    id::{AgentId, SiteKey},
};

use crate::{
    http::problem::{Code, Problem},
    outside::Outside,
    secret::Secret,
    store::{Actor, AuditEntry, Command, Failure, Store, StoreError, Tx},
};

/// The longest name of an agent, in characters.
pub(super) const NAME_MAX: usize = 80;

/// Makes a link for somebody who is new, or who is there already.
#[derive(Debug, Clone)]
pub(crate) struct Invite {
    /// Who invites.
    pub(crate) by: Actor,
    pub(crate) email: Email,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) sites: Vec<SiteKey>,
    /// Whether somebody who is there already gets a new link; else they are refused.
    pub(crate) again: bool,
    pub(crate) outside: Outside,
    pub(crate) hours: u64,
}

/// The path of a link. What is secret stands after the `#`, which browsers send to nobody.
fn path(token: &Secret) -> String {
    format!("/console/join#{}", token.reveal())
}

pub(super) fn until(now: Timestamp, hours: u64) -> Timestamp {
    now.checked_add(SignedDuration::from_hours(i64::try_from(hours).unwrap_or_default())).unwrap_or(Timestamp::MAX)
}

/// Makes a link for an agent.
pub(super) async fn link(tx: &mut Tx<'_>, agent: AgentId, outside: &Outside, hours: u64) -> Result<String, StoreError> {
    let (token, now) = (outside.new_secret(), outside.now());
    tx.add_invitation(&token, agent, now, until(now, hours)).await?;
    Ok(path(&token))
}

/// Notes that somebody was given a link.
pub(super) async fn invited(tx: &mut Tx<'_>, by: &Actor, agent: AgentId, role: Role, now: Timestamp) -> Result<(), StoreError> {
    let entry = AuditEntry {
        actor: by,
        action: "agent.invited",
        site: None,
        subject: &agent.to_string(),
        detail: serde_json::json!({ "role": role.name() }),
        at: now,
    };
    tx.audit(entry).await
}

impl Command for Invite {
    /// The path of the link.
    type Done = String;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<String, Failure<Problem>> {
        let Self { by, email, name, role, sites, again, outside, hours } = self;
        let refuse = |field: &str, detail: String| Err(Failure::Refused(Problem::new(Code::Malformed, detail).field(field)));
        let (id, role) = match tx.agent_by_email(&email.to_string()).await? {
            Some(known) if again => (known.id, known.role),
            Some(known) => return refuse("email", format!("{} is an agent already", known.email)),
            None => {
                let name = name.trim();
                if name.is_empty() || name.chars().count() > NAME_MAX {
                    return refuse("name", format!("expected a name of 1 to {NAME_MAX} characters"));
                }
                for site in &sites {
                    if tx.site_revision(site).await?.is_none() {
                        return refuse("sites", format!("there is no site \"{site}\""));
                    }
                }
                if sites.is_empty() && role != Role::Administrator {
                    return refuse("sites", "expected the key of at least one site".to_owned());
                }
                let id = AgentId::new(outside.new_id());
                tx.add_agent(id, &email.to_string(), name, role, outside.now()).await?;
                tx.put_agent_sites(id, &sites).await?;
                (id, role)
            }
        };
        invited(tx, &by, id, role, outside.now()).await?;
        Ok(link(tx, id, &outside, hours).await?)
    }
}

/// The path of the first administrator's link, as long as nobody has joined; each start makes a new one.
///
/// # Errors
/// If the store fails.
pub(crate) async fn first_administrator(store: &Store, outside: &Outside, hours: u64) -> Result<Option<String>, StoreError> {
    Ok(store.commit(First { outside: outside.clone(), hours }).await?)
}

/// Whom the first link is for, until they say who they are.
const FIRST: &str = "administrator@localhost";

struct First {
    outside: Outside,
    hours: u64,
}

impl Command for First {
    type Done = Option<String>;
    type Refusal = std::convert::Infallible;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Self::Done, Failure<Self::Refusal>> {
        let agents = tx.agents().await?;
        let first = match agents.as_slice() {
            [] => {
                let id = AgentId::new(self.outside.new_id());
                tx.add_agent(id, FIRST, "Administrator", Role::Administrator, self.outside.now()).await?;
                id
            }
            [only] if !only.joined && only.email == FIRST => only.id,
            _ => return Ok(None),
        };
        Ok(Some(link(tx, first, &self.outside, self.hours).await?))
    }
}
