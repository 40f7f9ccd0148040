//! Publishing: from what authors wrote to what visitors get.
//!
//! What is published of a site is decided as a whole: each conversation is read, the cards of its sub-flows are put in, and its files are
//! looked for. So a change of a conversation reaches those that run it, and nothing is published that would not run.

use std::collections::BTreeMap;

use jiff::Timestamp;
use porchlight_domain::{
    conversation::{Body, Conversation, Problem},
    id::{ConversationId, FileName, SiteKey},
};
use serde_json::json;

use crate::store::{Actor, AuditEntry, PublishedSource, StoreError, Tx};

/// What is wrong with a conversation of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Which.
    pub conversation: ConversationId,
    /// What, and where.
    pub problem: Problem,
}

/// What publishing did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What is published now in which version, of what was asked for and of what runs it.
    pub published: Vec<(ConversationId, u32)>,
    /// What was taken out of publication.
    pub unpublished: Vec<ConversationId>,
}

/// Conversations as their authors wrote them, by their ids.
pub type Sources = BTreeMap<ConversationId, String>;

/// Reads conversations and puts their sub-flows in.
///
/// # Errors
/// Every problem of every one of them.
pub fn link(
    sources: &Sources,
    has_file: &dyn Fn(&FileName) -> bool,
) -> Result<BTreeMap<ConversationId, Conversation>, Vec<Wrong>> {
    let mut wrong = Vec::new();
    let mut tell = |conversation: &ConversationId, problem| wrong.push(Wrong { conversation: conversation.clone(), problem });
    let mut read = BTreeMap::new();
    for (id, source) in sources {
        match Conversation::read(source) {
            Ok(conversation) => drop(read.insert(id.clone(), conversation)),
            Err(problems) => problems.into_iter().for_each(|problem| tell(id, problem)),
        }
    }
    let mut linked = BTreeMap::new();
    for (id, conversation) in &read {
        let source = &sources[id];
        for (index, card) in conversation.cards.iter().enumerate() {
            if let Body::Document(document) = &card.body
                && !has_file(&document.file)
            {
                let message = format!("the site has no file \"{}\"; put it into its folder files/", document.file);
                tell(id, Problem::of_card(source, index, "file", message));
            }
        }
        match conversation.linked(&|id| read.get(id)) {
            Ok(conversation) => drop(linked.insert(id.clone(), conversation)),
            // What could not be read was told of itself.
            Err(bad) => tell(id, Problem::of_card(source, bad.card, "conversation", bad.why)),
        }
    }
    if wrong.is_empty() { Ok(linked) } else { Err(wrong) }
}

/// Why nothing was published.
#[derive(Debug)]
pub enum NotPublished {
    /// Something is wrong with what visitors would get.
    Wrong(Vec<Wrong>),
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for NotPublished {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Publishes some conversations of a site and takes others out of publication, and notes who did it.
///
/// # Errors
/// If what is to be published has problems, or the store fails.
pub(crate) async fn publish(
    tx: &mut Tx<'_>,
    site: &SiteKey,
    put: Sources,
    out: &[ConversationId],
    actor: &Actor,
    now: Timestamp,
) -> Result<Outcome, NotPublished> {
    let before = tx.published_sources(site).await?;
    let asked: Vec<ConversationId> = put.keys().cloned().collect();
    let mut sources: Sources =
        before.iter().map(|PublishedSource { published, source, .. }| (published.conversation.clone(), source.clone())).collect();
    sources.extend(put);
    sources.retain(|id, _| !out.contains(id));
    let files = tx.file_names(site).await?;
    let linked = link(&sources, &|file| files.iter().any(|(name, _)| name == file)).map_err(NotPublished::Wrong)?;

    let mut outcome = Outcome::default();
    for (id, conversation) in &linked {
        let document = serde_json::to_string(conversation).unwrap_or_default();
        let known = before.iter().find(|known| known.published.conversation == *id);
        let is_new = known.is_none_or(|known| known.document != document || known.source != sources[id]);
        if is_new {
            let published = tx.publish(site, conversation, &sources[id], now).await?;
            let (action, detail) = ("conversation.published", json!({ "version": published.version }));
            tx.audit(AuditEntry { actor, action, site: Some(site), subject: id.as_str(), detail, at: now }).await?;
            outcome.published.push((id.clone(), published.version));
        } else if let Some(known) = known.filter(|_| asked.contains(id)) {
            outcome.published.push((id.clone(), known.published.version));
        }
    }
    for id in out {
        if before.iter().any(|known| known.published.conversation == *id) {
            tx.unpublish(site, id).await?;
            let (action, detail) = ("conversation.unpublished", json!({}));
            tx.audit(AuditEntry { actor, action, site: Some(site), subject: id.as_str(), detail, at: now }).await?;
            outcome.unpublished.push(id.clone());
        }
    }
    tx.touch_site(site).await?;
    Ok(outcome)
}
