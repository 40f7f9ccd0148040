//! `porchlight import DIR` and `porchlight export DIR`

use std::path::Path;

use anyhow::{anyhow, bail};
use porchlight_domain::id::SiteKey;

use super::{quiet, serve, tell};
use crate::{
    outside::Outside,
    publish::Outcome,
    settings::Flags,
    site_files::{Export, Import, SiteFiles},
    store::{Failure, Store, StoreError},
};

pub(super) async fn run(folder: &Path, draft: bool, flags: &Flags) -> anyhow::Result<()> {
    let settings = quiet(flags)?;
    let files = SiteFiles::read_folder(folder, settings.file_limit_bytes)
        .map_err(|problems| anyhow!("nothing was imported:\n{problems}"))?;
    let store = serve::open(&settings).await?;
    let (key, count) = (files.site.key.clone(), files.conversations.len());
    let outcome = import(&store, files, !draft, Outside::real()).await?;
    tell(&if draft { format!("site {key}: {count} drafts") } else { format!("site {key}: {}", in_words(&outcome)) });
    store.close().await;
    Ok(())
}

/// Loads a site, and says what became of its conversations.
pub(super) async fn import(store: &Store, files: SiteFiles, publish: bool, outside: Outside) -> anyhow::Result<Outcome> {
    match store.commit(Import { files, publish, outside }).await {
        Ok(outcome) => Ok(outcome),
        Err(Failure::Store(error)) => Err(error.into()),
        Err(Failure::Refused(problems)) => bail!("nothing was imported:\n{problems}"),
    }
}

/// What publishing did, in words.
pub(super) fn in_words(outcome: &Outcome) -> String {
    let published =
        outcome.published.iter().map(|(conversation, version)| format!("{conversation} published as version {version}"));
    let unpublished = outcome.unpublished.iter().map(|conversation| format!("{conversation} unpublished"));
    let all: Vec<_> = published.chain(unpublished).collect();
    if all.is_empty() { "nothing changed".to_owned() } else { all.join(", ") }
}

pub(super) async fn export(folder: &Path, site: &SiteKey, overwrite: bool, flags: &Flags) -> anyhow::Result<()> {
    let settings = quiet(flags)?;
    let taken = folder.read_dir().is_ok_and(|mut entries| entries.next().is_some());
    if taken && !overwrite {
        bail!("{} is not empty; --overwrite writes over the files of the same names there", folder.display());
    }
    let store = serve::open(&settings).await?;
    let Some(files) = store.look(Export(site.clone())).await.map_err(StoreError::from)? else {
        bail!("there is no site with the key \"{site}\"")
    };
    files.write_folder(folder)?;
    let (conversations, shown) = (files.conversations.len(), files.files.len());
    tell(&format!("site {site}: {conversations} conversations and {shown} files written to {}", folder.display()));
    store.close().await;
    Ok(())
}
