//! `porchlight import DIR`

use std::path::Path;

use anyhow::anyhow;

use super::{serve, start_log, tell};
use crate::{
    outside::Outside,
    settings::{Flags, Settings},
    site_files::{Import, SiteFiles},
    store::{Failure, Store},
};

pub(super) async fn run(folder: &Path, flags: &Flags) -> anyhow::Result<()> {
    let mut settings = Settings::read(flags)?;
    if flags.log.is_none() {
        "warn".clone_into(&mut settings.log);
    }
    start_log(&settings)?;
    let files = SiteFiles::read_folder(folder).map_err(|problems| anyhow!("nothing was imported:\n{problems}"))?;
    let store = serve::open(&settings).await?;
    let key = files.site.key.clone();
    let told = import(&store, files, Outside::real()).await?;
    tell(&format!("site {key}: {}", told.join(", ")));
    store.close().await;
    Ok(())
}

/// Loads a site, and says what became of each conversation.
pub(super) async fn import(store: &Store, files: SiteFiles, outside: Outside) -> anyhow::Result<Vec<String>> {
    let imported = match store.commit(Import { files, outside }).await {
        Ok(imported) => imported,
        Err(Failure::Store(error)) => return Err(error.into()),
        Err(Failure::Refused(never)) => match never {},
    };
    let published = imported
        .published
        .iter()
        .map(|published| format!("{} published as version {}", published.conversation, published.version));
    let unpublished = imported.unpublished.iter().map(|conversation| format!("{conversation} unpublished"));
    Ok(published.chain(unpublished).collect())
}
