//! What is older than a site keeps it is removed: in small batches, so that nobody waits for long behind one.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use porchlight_domain::id::{SiteKey, VisitorId};
use serde_json::json;

use super::erase::{forget, remove_files};
use crate::{
    outside::Outside,
    settings::Settings,
    site::Retention as Kept,
    store::{Actor, AuditEntry, Command, Failure, News, Store, StoreError, Tx},
};

/// How often it is looked what is too old.
const LOOK_EVERY: Duration = Duration::from_secs(3600);
/// How much is removed within one transaction.
const BATCH: u32 = 500;
/// How many visitors or chats: there is more to each.
const FEW: u32 = 20;
/// How often the database is written anew, so that nothing of what was removed is left behind in it.
const SCRUB_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// Removes what is too old.
#[derive(Debug, Clone)]
pub struct Retention {
    store: Store,
    outside: Outside,
    mail_dir: String,
    audit: SignedDuration,
    scrub_limit: u64,
    /// When the database was last written anew.
    scrubbed_at: Arc<Mutex<Option<Timestamp>>>,
}

/// How much was removed, by its kind.
type Counts = BTreeMap<&'static str, u64>;

type Never = std::convert::Infallible;

impl Retention {
    /// One that goes by the settings.
    #[must_use]
    pub fn new(store: Store, outside: Outside, settings: &Settings) -> Self {
        let days = i64::try_from(settings.audit_days).unwrap_or(i64::MAX / (24 * 3600));
        Self {
            store,
            outside,
            mail_dir: settings.mail_dir.clone(),
            audit: SignedDuration::from_hours(days * 24),
            scrub_limit: settings.scrub_limit_bytes,
            scrubbed_at: Arc::default(),
        }
    }

    /// Removes what is too old, each hour, for ever.
    pub async fn run(self) {
        let mut hours = tokio::time::interval(LOOK_EVERY);
        loop {
            hours.tick().await;
            if let Err(error) = self.work().await {
                tracing::error!(%error, "what is too old could not be removed");
            }
        }
    }

    /// Removes all that is too old now.
    ///
    /// # Errors
    /// If the store fails: the first of its errors. One site that fails keeps nothing else from being removed, and what was removed stays so.
    pub async fn work(&self) -> Result<(), StoreError> {
        let now = self.outside.now();
        let (mut removed, mut outcome) = (false, Ok(()));
        let sites = self.look(Sites).await.unwrap_or_else(|error| {
            outcome = Err(error);
            Vec::new()
        });
        for site in sites {
            let mut counts = Counts::new();
            let mut done = self.site(&site, now, &mut counts).await;
            // What was removed before something failed was removed, too.
            if !counts.is_empty() {
                removed = true;
                done = done.and(self.commit(Note { site: site.clone(), counts, now }).await);
            }
            if let Err(error) = done {
                tracing::error!(%site, %error, "what is too old of a site could not be removed");
                outcome = outcome.and(Err(error));
            }
        }
        outcome = outcome.and(self.audited(now).await);
        if removed {
            self.scrub(now).await;
        }
        outcome
    }

    /// Removes what is too old of the audit log.
    async fn audited(&self, now: Timestamp) -> Result<(), StoreError> {
        let before = now.checked_sub(self.audit).unwrap_or(Timestamp::MIN);
        while self.commit(Audited { before }).await? >= u64::from(BATCH) {}
        Ok(())
    }

    /// Has the database forget what was removed: its write-ahead log each time, the rest not more often than each day.
    async fn scrub(&self, now: Timestamp) {
        let last = *self.scrubbed_at.lock().unwrap_or_else(PoisonError::into_inner);
        let whole = last.is_none_or(|last| now.duration_since(last) >= SCRUB_EVERY);
        if self.store.scrub(Some(self.scrub_limit).filter(|_| whole)).await && whole {
            *self.scrubbed_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        }
    }

    async fn look<C: Command<Refusal = Never>>(&self, command: C) -> Result<C::Done, StoreError> {
        self.store.look(command).await.map_err(StoreError::from)
    }

    async fn commit<C: Command<Refusal = Never>>(&self, command: C) -> Result<C::Done, StoreError> {
        self.store.commit_in_turn(command).await.map_err(StoreError::from)
    }

    async fn site(&self, site: &SiteKey, now: Timestamp, counts: &mut Counts) -> Result<(), StoreError> {
        let Some(kept) = self.look(Keeps(site.clone())).await? else { return Ok(()) };
        let before = |days: Option<crate::site::Days>| days.map(|days| days.before(now));
        // Who is forgotten as a whole need not be forgotten in parts.
        if let Some(before) = before(kept.visitors) {
            self.visitors(site, before, now, counts).await?;
        }
        if let Some(before) = before(kept.transcripts) {
            self.batches(site, Kind::Lines, before, counts).await?;
            self.batches(site, Kind::Chats, before, counts).await?;
            self.talks(site, before, counts).await?;
        }
        for (days, kinds) in [
            (kept.submissions, &[Kind::Submissions][..]),
            (kept.meetings, &[Kind::Meetings, Kind::MeetingLetters][..]),
            (kept.callbacks, &[Kind::Callbacks][..]),
        ] {
            for kind in kinds {
                if let Some(before) = before(days) {
                    self.batches(site, *kind, before, counts).await?;
                }
            }
        }
        if let Some(before) = before(kept.events) {
            let first = self.look(FirstEvent { site: site.clone(), since: before }).await?;
            self.batches(site, Kind::Events { before: first.unwrap_or(i64::MAX) }, before, counts).await?;
            self.sessions(site, before).await?;
        }
        Ok(())
    }

    /// Removes one kind, a batch after the other.
    async fn batches(&self, site: &SiteKey, kind: Kind, before: Timestamp, counts: &mut Counts) -> Result<(), StoreError> {
        loop {
            let (count, letters) = self.commit(Batch { site: site.clone(), kind, before }).await?;
            remove_files(&self.mail_dir, &letters).await;
            if count > 0 {
                *counts.entry(kind.name()).or_default() += count;
            }
            if count < u64::from(kind.batch()) {
                return Ok(());
            }
        }
    }

    async fn visitors(&self, site: &SiteKey, before: Timestamp, now: Timestamp, counts: &mut Counts) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let idle = self.look(Idle { site: site.clone(), before, now, after }).await?;
            let Some(last) = idle.last().copied() else { return Ok(()) };
            after = Some(last);
            let (count, letters) = self.commit(Forget { outside: self.outside.clone(), visitors: idle, before, now }).await?;
            remove_files(&self.mail_dir, &letters).await;
            if count > 0 {
                *counts.entry("visitors").or_default() += count;
            }
        }
    }

    async fn talks(&self, site: &SiteKey, before: Timestamp, counts: &mut Counts) -> Result<(), StoreError> {
        loop {
            let talks = self.look(OldTalks { site: site.clone(), before }).await?;
            let count = self.commit(Talks { talks, before }).await?;
            if count == 0 {
                return Ok(());
            }
            *counts.entry("conversations").or_default() += count;
        }
    }

    async fn sessions(&self, site: &SiteKey, before: Timestamp) -> Result<(), StoreError> {
        loop {
            let sessions = self.look(OldSessions { site: site.clone(), before }).await?;
            let last = sessions.len() < BATCH as usize;
            self.commit(Sessions { site: site.clone(), sessions }).await?;
            if last {
                return Ok(());
            }
        }
    }
}

/// What is removed by one statement a batch.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// What stands in the log before a place.
    Events {
        before: i64,
    },
    Lines,
    Chats,
    Submissions,
    Meetings,
    MeetingLetters,
    Callbacks,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Events { .. } => "events",
            Self::Lines => "lines",
            Self::Chats => "chats",
            Self::Submissions => "submissions",
            Self::Meetings => "meetings",
            Self::MeetingLetters => "letters",
            Self::Callbacks => "callbacks",
        }
    }

    const fn batch(self) -> u32 {
        if matches!(self, Self::Chats) { FEW } else { BATCH }
    }
}

/// How much was removed, and the letters among it.
type Removed = (u64, Vec<String>);

struct Batch {
    site: SiteKey,
    kind: Kind,
    before: Timestamp,
}

impl Command for Batch {
    type Done = Removed;
    type Refusal = Never;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Removed, Failure<Never>> {
        let Self { site, kind, before } = self;
        let limit = kind.batch();
        let count = match kind {
            Kind::Events { before } => {
                let told_to = tx.told_to(&site).await?;
                tx.remove_events(&site, before, told_to, limit).await?
            }
            Kind::Lines => tx.remove_lines(&site, before, limit).await?,
            Kind::Chats => return Ok(tx.remove_chats(&site, before, limit).await?),
            Kind::Submissions => tx.remove_submissions(&site, before, limit).await?,
            Kind::Meetings => tx.remove_meetings(&site, before, limit).await?,
            Kind::MeetingLetters => {
                let letters = tx.remove_meeting_letters(&site, before, limit).await?;
                return Ok((u64::try_from(letters.len()).unwrap_or(u64::MAX), letters));
            }
            Kind::Callbacks => tx.remove_callbacks(&site, before, limit).await?,
        };
        if matches!(kind, Kind::Callbacks) && count > 0 {
            tx.tell(News::Callback { site });
        }
        Ok((count, Vec::new()))
    }
}

struct Sites;

impl Command for Sites {
    type Done = Vec<SiteKey>;
    type Refusal = Never;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Self::Done, Failure<Never>> {
        Ok(tx.sites().await?)
    }
}

/// How long a site keeps what, if not all of it for ever.
struct Keeps(SiteKey);

impl Command for Keeps {
    type Done = Option<Kept>;
    type Refusal = Never;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Self::Done, Failure<Never>> {
        Ok(tx.site(&self.0).await?.map(|head| head.site.retention).filter(|kept| !kept.is_endless()))
    }
}

struct FirstEvent {
    site: SiteKey,
    since: Timestamp,
}

impl Command for FirstEvent {
    type Done = Option<i64>;
    type Refusal = Never;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Option<i64>, Failure<Never>> {
        Ok(tx.first_event_since(&self.site, self.since).await?)
    }
}

struct Idle {
    site: SiteKey,
    before: Timestamp,
    now: Timestamp,
    after: Option<VisitorId>,
}

impl Command for Idle {
    type Done = Vec<VisitorId>;
    type Refusal = Never;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Vec<VisitorId>, Failure<Never>> {
        Ok(tx.idle_visitors(&self.site, self.before, self.now, self.after, FEW).await?)
    }
}

/// Forgets visitors, unless they have come again meanwhile.
struct Forget {
    outside: Outside,
    visitors: Vec<VisitorId>,
    before: Timestamp,
    now: Timestamp,
}

impl Command for Forget {
    type Done = Removed;
    type Refusal = Never;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Removed, Failure<Never>> {
        let (mut count, mut letters) = (0, Vec::new());
        for visitor in self.visitors {
            let Some(person) = tx.person(visitor).await? else { continue };
            if tx.is_idle(&person, self.before, self.now).await? {
                letters.extend(forget(tx, &self.outside, &person, self.now).await?.letters);
                count += 1;
            }
        }
        Ok((count, letters))
    }
}

struct OldTalks {
    site: SiteKey,
    before: Timestamp,
}

impl Command for OldTalks {
    type Done = Vec<(String, String)>;
    type Refusal = Never;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Self::Done, Failure<Never>> {
        Ok(tx.old_talks(&self.site, self.before, BATCH).await?)
    }
}

struct Talks {
    talks: Vec<(String, String)>,
    before: Timestamp,
}

impl Command for Talks {
    type Done = u64;
    type Refusal = Never;

    async fn run(self, tx: &mut Tx<'_>) -> Result<u64, Failure<Never>> {
        Ok(tx.remove_talks(&self.talks, self.before).await?)
    }
}

struct OldSessions {
    site: SiteKey,
    before: Timestamp,
}

impl Command for OldSessions {
    type Done = Vec<String>;
    type Refusal = Never;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Vec<String>, Failure<Never>> {
        Ok(tx.old_sessions(&self.site, self.before, BATCH).await?)
    }
}

struct Sessions {
    site: SiteKey,
    sessions: Vec<String>,
}

impl Command for Sessions {
    type Done = ();
    type Refusal = Never;

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<Never>> {
        tx.empty_sessions(&self.sessions).await?;
        Ok(tx.remove_nobodies(&self.site).await?)
    }
}

struct Note {
    site: SiteKey,
    counts: Counts,
    now: Timestamp,
}

impl Command for Note {
    type Done = ();
    type Refusal = Never;

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<Never>> {
        let entry = AuditEntry {
            actor: &Actor::Server,
            action: "retention.applied",
            site: Some(&self.site),
            subject: self.site.as_str(),
            detail: json!(self.counts),
            at: self.now,
        };
        Ok(tx.audit(entry).await?)
    }
}

struct Audited {
    before: Timestamp,
}

impl Command for Audited {
    type Done = u64;
    type Refusal = Never;

    async fn run(self, tx: &mut Tx<'_>) -> Result<u64, Failure<Never>> {
        Ok(tx.remove_audited(self.before, BATCH).await?)
    }
}
