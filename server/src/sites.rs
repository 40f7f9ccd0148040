//! What visitors are to see of a site, in memory: read again when the site's revision has grown.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use porchlight_domain::{
    conversation::Conversation,
    id::{ConversationId, FileName, SiteKey},
};

use crate::{
    site::Site,
    store::{StoreError, Tx},
};

/// A site as visitors see it.
#[derive(Debug)]
pub(crate) struct SiteNow {
    revision: i64,
    /// Its settings.
    pub(crate) site: Site,
    /// What is published, with its version, in the order of ids.
    pub(crate) published: Vec<(u32, Arc<Conversation>)>,
    /// The hashes of its files: with one in its address, a file may be kept for ever.
    pub(crate) files: HashMap<FileName, String>,
}

impl SiteNow {
    /// A conversation that is published.
    pub(crate) fn published(&self, id: &ConversationId) -> Option<&(u32, Arc<Conversation>)> {
        self.published.iter().find(|(_, conversation)| conversation.id == *id)
    }

    /// The address of a file, on our own origin.
    pub(crate) fn address(&self, file: &FileName) -> String {
        let hash = self.files.get(file).map(String::as_str).unwrap_or_default();
        format!("/files/{}/{file}?v={hash}", self.site.key)
    }
}

/// The sites that were read before.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sites {
    known: Arc<RwLock<HashMap<SiteKey, Arc<SiteNow>>>>,
}

impl Sites {
    /// A site at a revision that was just read in the same transaction.
    ///
    /// # Errors
    /// If it is not there, or the store fails.
    pub(crate) async fn get(&self, tx: &mut Tx<'_>, key: &SiteKey, revision: i64) -> Result<Arc<SiteNow>, StoreError> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned();
        if let Some(known) = known.filter(|known| known.revision == revision) {
            return Ok(known);
        }
        let head =
            tx.site(key).await?.ok_or_else(|| StoreError::Corrupt(format!("site {key} has a revision but no settings")))?;
        let mut published = Vec::new();
        for known in tx.published(key).await? {
            published.push((known.version, Arc::new(tx.document(key, &known.conversation, known.version).await?)));
        }
        let files = tx.file_names(key).await?.into_iter().collect();
        let now = Arc::new(SiteNow { revision, site: head.site, published, files });
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), Arc::clone(&now));
        Ok(now)
    }
}
