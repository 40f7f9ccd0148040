//! `porchlight key create` and `porchlight key revoke`

use anyhow::bail;

use super::{quiet, serve, tell};
use crate::{
    http::KEY_PREFIX,
    outside::Outside,
    secret::Secret,
    settings::Flags,
    store::{Command, Failure, Store, Tx},
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
    let key = Outside::real().new_secret();
    done(store.commit(Create { name: name.to_owned(), key: key.clone(), only }).await)?;
    Ok(format!("{KEY_PREFIX}{}", key.reveal()))
}

async fn revoke(store: &Store, name: &str) -> anyhow::Result<u64> {
    done(store.commit(Revoke(name.to_owned())).await)
}

fn done<T>(result: Result<T, Failure<std::convert::Infallible>>) -> anyhow::Result<T> {
    match result {
        Ok(done) => Ok(done),
        Err(Failure::Store(error)) => Err(error.into()),
        Err(Failure::Refused(never)) => match never {},
    }
}

struct Create {
    name: String,
    key: Secret,
    only: bool,
}

impl Command for Create {
    type Done = ();
    type Refusal = std::convert::Infallible;

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<Self::Refusal>> {
        if self.only {
            tx.remove_api_keys(&self.name).await?;
        }
        Ok(tx.add_api_key(&self.key, &self.name, Outside::real().now()).await?)
    }
}

struct Revoke(String);

impl Command for Revoke {
    type Done = u64;
    type Refusal = std::convert::Infallible;

    async fn run(self, tx: &mut Tx<'_>) -> Result<u64, Failure<Self::Refusal>> {
        Ok(tx.remove_api_keys(&self.0).await?)
    }
}
