//! `porchlight agent`: lets people in, whatever became of those who could.

use anyhow::anyhow;
use porchlight_domain::{agent::Role, contact::Email, id::SiteKey};

use super::{quiet, serve, tell};
use crate::{
    http::Invite,
    outside::Outside,
    settings::Flags,
    store::{Actor, Failure},
};

/// What is done with agents.
#[derive(Debug, clap::Subcommand)]
pub(super) enum AgentCommand {
    /// Makes a link by which an agent, new or known, chooses a password
    Invite {
        #[command(flatten)]
        flags: Box<Flags>,
        /// Their e-mail address
        email: Email,
        /// Their name, which visitors see; they may change it
        #[arg(long, default_value = "Agent")]
        name: String,
        /// administrator, author or agent
        #[arg(long, default_value = "agent")]
        role: Role,
        /// The key of a site they work for; may be given several times
        #[arg(long = "site")]
        sites: Vec<SiteKey>,
    },
}

pub(super) async fn run(command: AgentCommand) -> anyhow::Result<()> {
    let AgentCommand::Invite { flags, email, name, role, sites } = command;
    let settings = quiet(&flags)?;
    let store = serve::open(&settings).await?;
    let invite = Invite {
        by: Actor::CommandLine,
        email,
        name,
        role,
        sites,
        again: true,
        outside: Outside::real(),
        hours: settings.invitation_hours,
    };
    let made = store.commit(invite).await.map_err(|failure| match failure {
        Failure::Refused(problem) => anyhow!(problem.in_words()),
        Failure::Store(error) => error.into(),
    });
    store.close().await;
    let link = made?;
    tell(&format!("{link}\n(after the address of the server; good once, for {} hours)", settings.invitation_hours));
    Ok(())
}
