//! A visitor is erased: in one transaction all that is known of them goes, and after it what had left the database, or was left behind in it.

use std::{collections::BTreeSet, path::Path};

use jiff::Timestamp;
use porchlight_domain::{
    id::{SiteKey, VisitorId},
    livechat::ChatCommand,
    meeting::{MeetingCommand, Party},
};
use serde_json::json;

use crate::{
    analytics::tally::page_of,
    carried::to_its_end,
    mail::remove_letters,
    outside::Outside,
    settings::Settings,
    store::{Actor, AuditEntry, ChatRecord, Command, Failure, Forgotten, Person, Store, StoreError, Tx},
    visit::Engine,
};

/// How many chats are ended, one after the other: a conversation that comes to its end asks for no more of them.
const ENDED_MAX: usize = 20;

/// Why a visitor was not erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotErased {
    /// There is none, not any more, or not of these sites.
    #[error("there is no such visitor")]
    Unknown,
    /// They are in a live chat that cannot be ended: the conversation leads to another each time.
    #[error("the visitor is in a live chat that leads to another each time it is ended; try again when it is over")]
    InChat,
}

/// Erases a visitor.
pub(crate) struct Erase {
    /// What ends chats and calls off meetings.
    pub(crate) engine: Engine,
    /// Who erases.
    pub(crate) actor: Actor,
    /// Who is erased, or who turned out to be them.
    pub(crate) visitor: VisitorId,
    /// The sites one may erase on; none: all.
    pub(crate) sites: Option<Vec<SiteKey>>,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Erased {
    /// How many events were emptied.
    pub(crate) events: u64,
    /// Whether nothing is left behind in the database's files, and no letter was left as a file.
    pub(crate) scrubbed: bool,
}

/// Erases a visitor, and what of them is outside the database's rows. Once begun it is carried to its end, whether anybody waits for it or not.
///
/// # Errors
/// If they are not to be erased, or the store fails; then nothing has changed.
pub(crate) async fn erase(store: &Store, settings: &Settings, command: Erase) -> Result<Erased, Failure<NotErased>> {
    let (store, mail_dir, scrub_limit) = (store.clone(), settings.mail_dir.clone(), settings.scrub_limit_bytes);
    to_its_end(async move { erase_all(&store, &mail_dir, scrub_limit, command).await }).await?
}

async fn erase_all(store: &Store, mail_dir: &str, scrub_limit: u64, command: Erase) -> Result<Erased, Failure<NotErased>> {
    // The log is looked through beforehand, and not in the transaction: meanwhile others go on.
    let pages = alone(store, command.visitor, command.sites.clone()).await?;
    let forgotten = store.commit((command, pages)).await?;
    let removed = remove_files(mail_dir, &forgotten.letters).await;
    let scrubbed = store.scrub(Some(scrub_limit)).await;
    Ok(Erased { events: forgotten.events, scrubbed: scrubbed && removed })
}

/// Removes letters that were written as files, where they are. Whether none is left.
pub(super) async fn remove_files(mail_dir: &str, letters: &[String]) -> bool {
    mail_dir.is_empty() || remove_letters(Path::new(mail_dir), letters).await
}

/// How many events are looked through at a time.
const LOOKED_THROUGH: u32 = 10_000;

/// The pages on which nobody was but this visitor. Their addresses may name them, and stand among the figures.
async fn alone(store: &Store, visitor: VisitorId, sites: Option<Vec<SiteKey>>) -> Result<BTreeSet<String>, Failure<NotErased>> {
    let (person, mut pages) = store.look(WasOn { visitor, sites }).await?;
    let mut after = 0;
    while !pages.is_empty() {
        // One after the other: a read that goes on for long keeps the write-ahead log from being emptied.
        let stretch = Others { site: person.site.clone(), parts: person.parts.clone(), after };
        let Some((last, others)) = store.look(stretch).await? else { break };
        after = last;
        pages.retain(|page| !others.contains(page));
    }
    Ok(pages)
}

/// Whether somebody may be erased by who may erase on these sites.
fn may_erase(sites: Option<&[SiteKey]>, person: &Person) -> bool {
    sites.is_none_or(|sites| sites.contains(&person.site))
}

/// The person that a visitor is, and the pages on which they were.
struct WasOn {
    visitor: VisitorId,
    sites: Option<Vec<SiteKey>>,
}

impl Command for WasOn {
    type Done = (Person, BTreeSet<String>);
    type Refusal = NotErased;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Self::Done, Failure<NotErased>> {
        let person = tx.person(self.visitor).await?.filter(|person| may_erase(self.sites.as_deref(), person));
        let person = person.ok_or(Failure::Refused(NotErased::Unknown))?;
        let mut pages = BTreeSet::new();
        for part in &person.parts {
            pages.extend(tx.pages_of(*part).await?.iter().map(|page| page_of(page)));
        }
        Ok((person, pages))
    }
}

/// The pages on which others were, in a stretch of a site's log, and its last place; nothing at the end of the log.
struct Others {
    site: SiteKey,
    parts: Vec<VisitorId>,
    after: i64,
}

impl Command for Others {
    type Done = Option<(i64, BTreeSet<String>)>;
    type Refusal = NotErased;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Self::Done, Failure<NotErased>> {
        let stretch = tx.pages_after(&self.site, self.after, LOOKED_THROUGH).await?;
        let Some(last) = stretch.last().map(|(last, ..)| *last) else { return Ok(None) };
        let others = stretch.iter().filter(|(_, visitor, _)| !self.parts.contains(visitor));
        Ok(Some((last, others.map(|(.., page)| page_of(page)).collect())))
    }
}

impl Command for (Erase, BTreeSet<String>) {
    type Done = Forgotten;
    type Refusal = NotErased;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Forgotten, Failure<NotErased>> {
        let (Erase { engine, actor, visitor, sites }, pages) = self;
        // Again: meanwhile they may have been erased, or have turned out to be somebody else.
        let person = tx.person(visitor).await?.filter(|person| may_erase(sites.as_deref(), person));
        let person = person.ok_or(Failure::Refused(NotErased::Unknown))?;
        let now = engine.outside.now();
        end_chats(tx, &engine, &person).await?;
        call_off(tx, &engine, &person, now).await?;
        let forgotten = forget(tx, &engine.outside, &person, now).await?;
        tx.fold_pages(&person.site, &pages).await?;
        let entry = AuditEntry {
            actor: &actor,
            action: "visitor.erased",
            site: Some(&person.site),
            subject: &person.id.to_string(),
            detail: json!({
                "events": forgotten.events,
                "chats": forgotten.chats,
                "meetings": forgotten.meetings,
                "callbacks": forgotten.callbacks,
                "submissions": forgotten.submissions,
                "letters": forgotten.letters.len(),
            }),
            at: now,
        };
        tx.audit(entry).await?;
        Ok(forgotten)
    }
}

/// Forgets a person with whom nothing is under way.
pub(super) async fn forget(tx: &mut Tx<'_>, outside: &Outside, person: &Person, now: Timestamp) -> Result<Forgotten, StoreError> {
    tx.forget(person, VisitorId::new(outside.new_id()), &outside.new_secret(), now).await
}

/// A chat that is under way.
async fn under_way(tx: &mut Tx<'_>, person: &Person) -> Result<Option<ChatRecord>, StoreError> {
    for part in &person.parts {
        let chats = tx.chats_of(*part, u32::MAX).await?;
        if let Some(record) = chats.into_iter().find(|record| !record.chat.is_over()) {
            return Ok(Some(record));
        }
    }
    Ok(None)
}

/// Ends the chats that are under way as their visitor would, so that whoever holds or is offered one is free again, and the log says that it is over.
async fn end_chats(tx: &mut Tx<'_>, engine: &Engine, person: &Person) -> Result<(), Failure<NotErased>> {
    for _ in 0..ENDED_MAX {
        let Some(record) = under_way(tx, person).await? else { return Ok(()) };
        match engine.chat(tx, &record, ChatCommand::End, None).await {
            Ok(()) => {}
            Err(Failure::Refused(_)) => break,
            Err(Failure::Store(error)) => return Err(error.into()),
        }
    }
    match under_way(tx, person).await? {
        Some(_) => Err(Failure::Refused(NotErased::InChat)),
        None => Ok(()),
    }
}

/// Calls off the meetings to come. The letters that say so go with all others about the visitor; their agents get others, which say nothing of them.
async fn call_off(tx: &mut Tx<'_>, engine: &Engine, person: &Person, now: Timestamp) -> Result<(), StoreError> {
    for part in &person.parts {
        for record in tx.meetings_of(*part, u32::MAX).await? {
            if !record.meeting.is_booked() || record.meeting.span.start <= now {
                continue;
            }
            match engine.of_meeting(tx, &record, MeetingCommand::Cancel { by: Party::Agent }).await {
                Ok(()) => {}
                // It is forgotten all the same.
                Err(Failure::Refused(_)) => continue,
                Err(Failure::Store(error)) => return Err(error),
            }
            if let Some(cancelled) = tx.meeting(record.meeting.id).await? {
                engine.write_of_nobody(tx, &cancelled.meeting, now).await?;
            }
        }
    }
    Ok(())
}
