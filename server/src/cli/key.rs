//! `porchlight key`: makes keys of the API, lists them, and takes them back.

use anyhow::anyhow;
use jiff::Timestamp;
use porchlight_domain::id::SiteKey;

use super::{quiet, serve, tell};
use crate::{
    access::{ApiKey, Scope},
    http::{CreateKey, RevokeKeys, Which},
    outside::Outside,
    settings::Flags,
    store::{Actor, Command, Failure, Store, StoreError, Tx},
};

#[derive(Debug, clap::Subcommand)]
pub(super) enum KeyCommand {
    /// Makes a key and prints it: it cannot be shown again
    Create {
        /// What the key is for; several keys may share a name
        #[arg(long)]
        name: String,
        /// What it may do, such as events:read; may be given several times; none: everything
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<Scope>,
        /// The key of a site that it is good for; may be given several times; none: all, also those to come
        #[arg(long = "site", value_name = "SITE")]
        sites: Vec<SiteKey>,
        #[command(flatten)]
        flags: Box<Flags>,
    },
    /// Lists the keys, a line each
    List {
        #[command(flatten)]
        flags: Box<Flags>,
    },
    /// Lists what keys may be allowed
    Scopes,
    /// Takes back every key of a name, or the one with an id
    Revoke {
        /// The name
        #[arg(long, required_unless_present = "id", conflicts_with = "id")]
        name: Option<String>,
        /// The id, as the list tells it
        #[arg(long)]
        id: Option<String>,
        #[command(flatten)]
        flags: Box<Flags>,
    },
}

pub(super) async fn run(command: KeyCommand) -> anyhow::Result<()> {
    match command {
        KeyCommand::Create { name, scopes, sites, flags } => {
            let create = CreateKey {
                id: None,
                name,
                scopes: Some(scopes).filter(|scopes| !scopes.is_empty()),
                sites: Some(sites).filter(|sites| !sites.is_empty()),
                only: false,
                actor: Actor::CommandLine,
                outside: Outside::real(),
            };
            let key = with_store(&flags, async |store| made(store, create).await).await?;
            tell(&key);
        }
        KeyCommand::List { flags } => {
            for key in with_store(&flags, async |store| list(store).await).await? {
                tell(&line(&key));
            }
        }
        KeyCommand::Scopes => {
            for (_, name, about) in Scope::ALL {
                tell(&format!("{name:<20} {about}"));
            }
        }
        KeyCommand::Revoke { name, id, flags } => {
            let which = id.map_or_else(|| Which::Name(name.unwrap_or_default()), Which::Id);
            let revoke = RevokeKeys { which, actor: Actor::CommandLine, now: Outside::real().now() };
            let count = with_store(&flags, async |store| store.commit(revoke).await.map_err(in_words)).await?;
            tell(&format!("{count} taken back"));
        }
    }
    Ok(())
}

/// Does something with the store, and closes it whatever came of that.
async fn with_store<T>(flags: &Flags, act: impl AsyncFnOnce(&Store) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let settings = quiet(flags)?;
    let store = serve::open(&settings).await?;
    let done = act(&store).await;
    store.close().await;
    done
}

/// Makes the only key of a name, which may do everything, and gives it as text.
pub(super) async fn create_only(store: &Store, name: &str) -> anyhow::Result<String> {
    let (actor, outside) = (Actor::CommandLine, Outside::real());
    made(store, CreateKey { id: None, name: name.to_owned(), scopes: None, sites: None, only: true, actor, outside }).await
}

async fn made(store: &Store, create: CreateKey) -> anyhow::Result<String> {
    store.commit(create).await.map_err(in_words)
}

fn in_words(failure: Failure<<CreateKey as Command>::Refusal>) -> anyhow::Error {
    match failure {
        Failure::Refused(problem) => anyhow!(problem.in_words()),
        Failure::Store(error) => error.into(),
    }
}

async fn list(store: &Store) -> anyhow::Result<Vec<ApiKey>> {
    Ok(store.look(List).await.map_err(StoreError::from)?)
}

struct List;

impl Command for List {
    type Done = Vec<ApiKey>;
    type Refusal = std::convert::Infallible;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Vec<ApiKey>, Failure<Self::Refusal>> {
        Ok(tx.api_keys().await?)
    }
}

/// A key in words.
fn line(key: &ApiKey) -> String {
    let words = |names: Option<Vec<String>>, none: &str| names.map_or_else(|| none.to_owned(), |names| names.join(","));
    let scopes = words(key.scopes.as_ref().map(|scopes| scopes.iter().map(ToString::to_string).collect()), "all");
    let sites = words(key.sites.as_ref().map(|sites| sites.iter().map(ToString::to_string).collect()), "all");
    let used = key.used_at.map_or_else(|| "never".to_owned(), moment);
    let (id, name, ending, made) = (&key.id, &key.name, &key.ending, moment(key.created_at));
    format!("{id}  …{ending}  {name:?}  scopes {scopes}  sites {sites}  made {made}  used {used}")
}

fn moment(at: Timestamp) -> String {
    format!("{at:.0}")
}
