//! Which conversation is offered to a visitor.

use std::sync::Arc;

use porchlight_domain::{
    conversation::{Conversation, Facts, Kind, Target, choose},
    id::{AttributeName, ConversationId},
    session::{Attributes, Progress, Session},
};

use crate::{
    http::problem::Problem,
    sites::SiteNow,
    store::{Failure, Tx, VisitorRow},
    visit::Engine,
};

/// What is asked about a visitor.
pub(super) struct Asking<'a> {
    pub(super) engine: &'a Engine,
    pub(super) site: &'a SiteNow,
    pub(super) visitor: &'a VisitorRow,
    pub(super) session: &'a Session,
    pub(super) page: &'a str,
    pub(super) referrer: &'a str,
    pub(super) locale: &'a str,
    pub(super) device: porchlight_domain::conversation::Device,
}

/// A dialogue that is offered.
pub(super) struct Offer {
    pub(super) conversation: Arc<Conversation>,
    /// Whether the visitor is in the middle of it.
    pub(super) goes_on: bool,
}

/// The dialogue to offer: the one the visitor has begun and not ended, wherever they are now and whatever became of it since;
/// else, of those that target them here and that they have not ended, the one with the highest priority; else, of those they have ended, one by
/// which they can reach an agent again.
pub(super) async fn resolve(
    tx: &mut Tx<'_>,
    asking: &Asking<'_>,
    known: &[Progress],
    attributes: &Attributes,
) -> Result<Option<Offer>, Failure<Problem>> {
    let Asking { engine, site, visitor, session, .. } = *asking;
    for progress in known.iter().filter(|progress| progress.is_under_way()) {
        let conversation = engine.documents.get(tx, &visitor.site, &progress.conversation, progress.version).await?;
        if conversation.kind == Kind::Dialogue {
            return Ok(Some(Offer { conversation, goes_on: true }));
        }
    }
    let done = |id: &ConversationId| known.iter().any(|progress| progress.conversation == *id && progress.is_done());
    let may_be = |document: &Conversation| document.kind == Kind::Dialogue && (document.has_live_chat() || !done(&document.id));
    let dialogues = || site.published.iter().filter(|(_, document)| may_be(document));
    let asks = |target: &Target| target.visitors.is_some() || target.known.is_some();
    let returning =
        dialogues().any(|(_, document)| asks(&document.target)) && tx.has_other_session(visitor.id, session.id).await?;
    let identified = dialogues().any(|(_, document)| asks(&document.target)) && tx.identity(visitor.id).await?.is_some();
    let known_by_mail = attributes.iter().any(|(name, value)| name.as_str() == "email" && !value.is_empty());
    let chosen = {
        let facts = Facts {
            page: asking.page,
            referrer: asking.referrer,
            locale: asking.locale,
            device: asking.device,
            returning,
            known: identified || known_by_mail,
            attributes: &|name: &AttributeName| attributes.get(name).map(String::as_str),
            now: engine.outside.now(),
        };
        let of = |ended: bool| {
            let them = dialogues().filter(move |(_, document)| done(&document.id) == ended);
            choose(them.map(|offered| (offered.1.priority, &offered.1.id, &offered.1.target, offered)), &facts)
        };
        of(false).or_else(|| of(true))
    };
    let Some((version, conversation)) = chosen else { return Ok(None) };
    let before = known.iter().find(|progress| progress.conversation == conversation.id);
    offer(tx, engine, visitor, session, &conversation.id, *version, before).await?;
    Ok(Some(Offer { conversation: Arc::clone(conversation), goes_on: false }))
}

/// Notes that a conversation is offered. One that was begun without an answer takes the version that is published now.
pub(super) async fn offer(
    tx: &mut Tx<'_>,
    engine: &Engine,
    visitor: &VisitorRow,
    session: &Session,
    conversation: &ConversationId,
    version: u32,
    known: Option<&Progress>,
) -> Result<(), Failure<Problem>> {
    match known {
        Some(known) if known.version == version || known.answered => Ok(()),
        Some(known) => begin_anew(tx, engine, visitor, known.clone(), version).await,
        None => {
            let progress = Progress::offered(conversation.clone(), version, session.id);
            Ok(tx.put_progress(visitor.id, &progress, engine.outside.now()).await?)
        }
    }
}

/// Begins a conversation anew, in a version. What was said is kept, and no longer shown.
pub(super) async fn begin_anew(
    tx: &mut Tx<'_>,
    engine: &Engine,
    visitor: &VisitorRow,
    progress: Progress,
    version: u32,
) -> Result<(), Failure<Problem>> {
    tx.take_back(visitor.id, &progress.conversation, 0).await?;
    engine.let_go(tx, visitor.id, &progress.conversation).await?;
    let (now, anew) = (engine.outside.now(), progress.clone().anew(version));
    tx.count_place((&visitor.site, visitor.id), Some(&progress), &anew, now).await?;
    Ok(tx.put_progress(visitor.id, &anew, now).await?)
}
