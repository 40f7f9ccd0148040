//! `porchlight key create` and `porchlight key revoke`

use anyhow::bail;
use jiff::Timestamp;

use super::{quiet, serve, tell};
use crate::{
    access::{ApiKey, KEY_PREFIX},
    outside::Outside,
    secret::Secret,
    settings::Flags,
    store::{Actor, AuditEntry, Command, Failure, Store, StoreError, Tx},
};

#[derive(Debug, clap::Subcommand)]
pub(super) enum KeyCommand {
    /// Makes a key and prints it: it cannot be shown again
    Create {
        /// What the key is for; several keys may share a name
        #[arg(long)]
        name: String,
        #[command(flatten)]
        flags: Flags,
    },
    /// Takes back every key of a name
    Revoke {
        /// The name
        #[arg(long)]
        name: String,
        #[command(flatten)]
        flags: Flags,
    },
}

pub(super) async fn run(command: &KeyCommand) -> anyhow::Result<()> {
    let (KeyCommand::Create { name, flags } | KeyCommand::Revoke { name, flags }) = command;
    if name.trim().is_empty() || name.chars().count() > 100 {
        bail!("--name: expected 1 to 100 characters");
    }
    let settings = quiet(flags)?;
    let store = serve::open(&settings).await?;
    match command {
        KeyCommand::Create { .. } => tell(&create(&store, name, false).await?),
        KeyCommand::Revoke { .. } => match revoke(&store, name).await? {
            0 => bail!("there is no key named {name:?}"),
            count => tell(&format!("{count} taken back")),
        },
    }
    store.close().await;
    Ok(())
}

/// Makes a key, and gives it as text. With `only`, keys of the same name are taken back.
pub(super) async fn create(store: &Store, name: &str, only: bool) -> anyhow::Result<String> {
    let outside = Outside::real();
    let secret = outside.new_secret();
    let text = format!("{KEY_PREFIX}{}", secret.reveal());
    let key = ApiKey {
        id: outside.new_id().to_string(),
        name: name.to_owned(),
        scopes: None,
        sites: None,
        ending: text[text.len() - 4..].to_owned(),
        created_at: outside.now(),
        used_at: None,
    };
    done(store.commit(Create { key, secret, only }).await)?;
    Ok(text)
}

async fn revoke(store: &Store, name: &str) -> anyhow::Result<usize> {
    done(store.commit(Revoke { name: name.to_owned(), now: Outside::real().now() }).await)
}

fn done<T>(result: Result<T, Failure<std::convert::Infallible>>) -> anyhow::Result<T> {
    match result {
        Ok(done) => Ok(done),
        Err(Failure::Store(error)) => Err(error.into()),
        Err(Failure::Refused(never)) => match never {},
    }
}

struct Create {
    key: ApiKey,
    secret: Secret,
    only: bool,
}

impl Command for Create {
    type Done = ();
    type Refusal = std::convert::Infallible;

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<Self::Refusal>> {
        let Self { key, secret, only } = self;
        if only {
            remove(tx, &key.name, key.created_at).await?;
        }
        tx.add_api_key(&secret, &key).await?;
        let entry = AuditEntry {
            actor: &Actor::CommandLine,
            action: "key.created",
            site: None,
            subject: &key.id,
            detail: serde_json::json!({ "name": key.name }),
            at: key.created_at,
        };
        Ok(tx.audit(entry).await?)
    }
}

struct Revoke {
    name: String,
    now: Timestamp,
}

impl Command for Revoke {
    type Done = usize;
    type Refusal = std::convert::Infallible;

    async fn run(self, tx: &mut Tx<'_>) -> Result<usize, Failure<Self::Refusal>> {
        Ok(remove(tx, &self.name, self.now).await?)
    }
}

/// Takes back every key of a name, and gives how many there were.
async fn remove(tx: &mut Tx<'_>, name: &str, now: Timestamp) -> Result<usize, StoreError> {
    let ids = tx.remove_api_keys(name).await?;
    for id in &ids {
        let entry = AuditEntry {
            actor: &Actor::CommandLine,
            action: "key.revoked",
            site: None,
            subject: id,
            detail: serde_json::json!({ "name": name }),
            at: now,
        };
        tx.audit(entry).await?;
    }
    Ok(ids.len())
}
