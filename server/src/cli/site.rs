//! `porchlight publish`, `porchlight unpublish` and `porchlight secret`

use anyhow::{anyhow, bail};
use jiff::Timestamp;
use porchlight_domain::id::{ConversationId, SiteKey};
use serde_json::json;

use super::{import::in_words, quiet, serve, tell};
use crate::{
    http::Publish,
    outside::Outside,
    secret::Secret,
    settings::Flags,
    store::{Actor, AuditEntry, Command, Failure, StoreError, Tx},
};

#[derive(Debug, clap::Args)]
pub(super) struct Chosen {
    /// The key of the site
    #[arg(long, value_name = "KEY")]
    site: SiteKey,
    /// The ids of the conversations
    #[arg(required = true, value_name = "CONVERSATION")]
    conversations: Vec<ConversationId>,
    #[command(flatten)]
    flags: Flags,
}

pub(super) async fn publish(chosen: &Chosen, put: bool) -> anyhow::Result<()> {
    let settings = quiet(&chosen.flags)?;
    let store = serve::open(&settings).await?;
    let (ids, none) = (chosen.conversations.clone(), Vec::new());
    let (put, out) = if put { (ids, none) } else { (none, ids) };
    let command = Publish { site: chosen.site.clone(), put, out, actor: Actor::CommandLine, now: Outside::real().now() };
    let outcome = store.commit(command).await.map_err(|failure| match failure {
        Failure::Refused(problem) => anyhow!("{}", problem.in_words()),
        Failure::Store(error) => error.into(),
    })?;
    tell(&format!("site {}: {}", chosen.site, in_words(&outcome)));
    store.close().await;
    Ok(())
}

pub(super) async fn secret(site: &SiteKey, rotate: bool, flags: &Flags) -> anyhow::Result<()> {
    let settings = quiet(flags)?;
    let store = serve::open(&settings).await?;
    let outside = Outside::real();
    let tell_it = Tell { site: site.clone(), other: outside.new_secret(), rotate, now: outside.now() };
    match store.commit(tell_it).await.map_err(StoreError::from)? {
        Some(secret) => tell(&secret),
        None => bail!("there is no site with the key \"{site}\""),
    }
    store.close().await;
    Ok(())
}

struct Tell {
    site: SiteKey,
    other: Secret,
    rotate: bool,
    now: Timestamp,
}

impl Command for Tell {
    type Done = Option<String>;
    type Refusal = std::convert::Infallible;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Option<String>, Failure<Self::Refusal>> {
        // A site from before there were secrets has none.
        if (self.rotate || tx.site_secret(&self.site).await?.is_none()) && tx.put_site_secret(&self.site, &self.other).await? {
            let (action, subject, detail) = ("site.secret_rotated", self.site.as_str(), json!({}));
            let (actor, site) = (&Actor::CommandLine, Some(&self.site));
            tx.audit(AuditEntry { actor, action, site, subject, detail, at: self.now }).await?;
        }
        Ok(tx.site_secret(&self.site).await?)
    }
}
