//! The one path: load the state, let the domain decide, save what it decided, all within one transaction.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use jiff::{SignedDuration, Timestamp};
use porchlight_domain::{
    conversation::Conversation,
    id::{AnswerId, ConversationId, PageViewId, SessionId, SiteKey},
    session::{Attributes, Command, Context, Progress, Refusal, Session, State, Talk, decide},
};

use crate::{
    outside::Outside,
    phone::NumberingPlans,
    sites::Sites,
    store::{Failure, StoreError, Tx, VisitorRow},
};

/// What every command about a visitor needs.
#[derive(Debug, Clone)]
pub(crate) struct Engine {
    /// Time and randomness.
    pub(crate) outside: Outside,
    /// How long a session lasts without activity.
    pub(crate) session_timeout: SignedDuration,
    /// Conversations that were read before.
    pub(crate) documents: Documents,
    /// Sites that were read before.
    pub(crate) sites: Sites,
}

/// What a command is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About<'a> {
    /// The visitor.
    pub(crate) visitor: &'a VisitorRow,
    /// The load of the page it comes from.
    pub(crate) view: PageViewId,
    /// The address of that page.
    pub(crate) page: &'a str,
    /// The conversation at hand.
    pub(crate) conversation: Option<&'a ConversationId>,
    /// The language to speak to the visitor.
    pub(crate) locale: &'a str,
    /// When it happened: what the session's life is counted from.
    pub(crate) at: Timestamp,
}

impl Engine {
    /// The session a visitor is in at a moment: their latest, or a new one if that has run out.
    ///
    /// # Errors
    /// If the store fails.
    pub(crate) async fn session_at(&self, tx: &mut Tx<'_>, visitor: &VisitorRow, at: Timestamp) -> Result<Session, StoreError> {
        Ok(self.session_since(tx, visitor, at).await?.0)
    }

    /// The same, with when it began; a new one begins now.
    ///
    /// # Errors
    /// If the store fails.
    pub(crate) async fn session_since(
        &self,
        tx: &mut Tx<'_>,
        visitor: &VisitorRow,
        at: Timestamp,
    ) -> Result<(Session, Option<Timestamp>), StoreError> {
        if let Some((session, active, began)) = tx.latest_session(visitor).await?
            && self.lives(active, at)
        {
            return Ok((session, Some(began)));
        }
        let id = SessionId::new(self.outside.new_id());
        Ok((Session { id, visitor: visitor.id, site: visitor.site.clone(), seq: 0 }, None))
    }

    /// Whether a session that was last active at one moment still lives at another. At the limit itself it has ended.
    pub(crate) fn lives(&self, active: Timestamp, at: Timestamp) -> bool {
        at.duration_since(active) < self.session_timeout
    }

    /// Where a visitor stands in a conversation, if it was ever offered to them.
    ///
    /// # Errors
    /// If the store fails.
    pub(crate) async fn talk(
        &self,
        tx: &mut Tx<'_>,
        visitor: &VisitorRow,
        conversation: &ConversationId,
    ) -> Result<Option<(Arc<Conversation>, Progress)>, StoreError> {
        let Some(progress) = tx.progress(visitor.id, conversation).await? else { return Ok(None) };
        let document = self.documents.get(tx, &visitor.site, conversation, progress.version).await?;
        Ok(Some((document, progress)))
    }

    /// Does a command in a session, saves what comes of it, and gives the session as it is then. `answer` names the submission that the visitor's words came with.
    ///
    /// # Errors
    /// If the domain refuses, before anything is written; or if the store fails.
    pub(crate) async fn step(
        &self,
        tx: &mut Tx<'_>,
        session: Session,
        about: About<'_>,
        command: Command,
        answer: Option<AnswerId>,
    ) -> Result<Session, Failure<Refusal>> {
        let visitor = about.visitor;
        let talk = match about.conversation {
            Some(conversation) => self.talk(tx, visitor, conversation).await?,
            None => None,
        };
        let now = self.outside.now();
        // What shows or closes a conversation asks nothing of what is known of the visitor.
        let needed = !matches!(command, Command::Load(_) | Command::Report(_));
        let attributes = if needed { tx.attributes(visitor.id).await? } else { Attributes::new() };
        let before = talk.as_ref().map(|(_, progress)| progress.clone());
        let talk = talk.as_ref().map(|(document, progress)| Talk { document, progress: progress.clone() });
        let (state, happened) = {
            let mut new_id = || self.outside.new_id();
            let (page, locale) = (about.page, about.locale);
            let mut context = Context { now, page, locale, new_id: &mut new_id, phones: &NumberingPlans };
            decide(State { session, talk, attributes }, command, &mut context).map_err(Failure::Refused)?
        };

        tx.put_session(&state.session, about.at).await?;
        let progress = state.talk.map(|talk| talk.progress);
        if let Some(progress) = &progress {
            if before.as_ref() != Some(progress) {
                tx.put_progress(visitor.id, progress, now).await?;
            }
            if let Some(last) = happened.taken_back_to {
                tx.take_back(visitor.id, &progress.conversation, last).await?;
            }
            for entry in &happened.entries {
                let answer = answer.filter(|_| entry.author == porchlight_domain::session::Author::Visitor);
                tx.add_entry(visitor.id, &progress.conversation, entry, answer, now).await?;
            }
        }
        for (name, value) in &happened.attributes {
            tx.put_attribute(visitor.id, name, value, now).await?;
        }
        for event in &happened.events {
            tx.add_event(event, about.view).await?;
        }
        Ok(state.session)
    }
}

type Key = (SiteKey, ConversationId, u32);

/// Conversations that were read before. A version never changes, so what is here is right for ever.
#[derive(Debug, Clone, Default)]
pub(crate) struct Documents {
    known: Arc<RwLock<HashMap<Key, Arc<Conversation>>>>,
}

/// How many versions are kept in memory; when there are more, all are forgotten and read again as they are needed.
const DOCUMENTS_MAX: usize = 10_000;

impl Documents {
    /// A version of a conversation.
    ///
    /// # Errors
    /// If it was never published, or the store fails.
    pub(crate) async fn get(
        &self,
        tx: &mut Tx<'_>,
        site: &SiteKey,
        conversation: &ConversationId,
        version: u32,
    ) -> Result<Arc<Conversation>, StoreError> {
        let key = (site.clone(), conversation.clone(), version);
        if let Some(known) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Arc::clone(known));
        }
        let document = Arc::new(tx.document(site, conversation, version).await?);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= DOCUMENTS_MAX {
            known.clear();
        }
        known.insert(key, Arc::clone(&document));
        Ok(document)
    }
}
