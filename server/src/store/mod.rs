//! The store: everything Porchlight remembers.
//!
//! Callers see [`Store::commit`], which runs a [`Command`] in a transaction, and reads. Which engine is behind it they do not see:
//! a second one comes beside [`sqlite`] with its own writer and its own [`Tx`].

mod read;
mod sqlite;
mod tx;

use std::{future::Future, path::Path, sync::Arc, time::Duration};

use porchlight_domain::id::{AgentId, ChatId, ConversationId, SiteKey, VisitorId};
use tokio::{sync::oneshot, time::MissedTickBehavior};

use crate::realtime::Hub;

pub use read::{EventFilter, EventPage};
pub(crate) use tx::Cell;
pub use tx::{
    AccountRow, Actor, AgentRow, Attempt, AttemptFilter, AuditEntry, AuditFilter, AuditRecord, Backlog, CalDavRow, CalendarRow,
    CallbackRecord, CardCount, ChatEntry, ChatFilter, ChatRecord, CountedTo, Draft, DueDelivery, DueLetter, Forgotten, Full,
    ListFilter, Logged, MeetingFilter, MeetingRecord, Overlap, Person, Published, PublishedSource, Queue, SessionRecord,
    SiteFile, SiteHead, Stretch, SubmissionRecord, SurveyFilter, Tx, Version, VisitorRecord, VisitorRow,
};

/// What runs within one transaction.
pub trait Command: Send + 'static {
    /// What it gives.
    type Done: Send + 'static;
    /// Why it may be refused; then nothing of it stays.
    type Refusal: Send + 'static;

    /// Does it. The transaction commits after it has given [`Ok`], maybe together with other commands, and only then does the
    /// caller get to see what it gave.
    fn run(self, tx: &mut Tx<'_>) -> impl Future<Output = Result<Self::Done, Failure<Self::Refusal>>> + Send;
}

/// Something that was committed, and that others are to hear of.
#[derive(Debug, Clone)]
pub enum News {
    /// A live chat went on.
    Chat(Box<ChatNews>),
    /// An agent's state, or what they can take, has changed.
    Agent {
        /// Who it is.
        agent: AgentId,
    },
    /// There is a letter to be sent.
    Mail,
    /// A call back of a site is new, or was changed.
    Callback {
        /// The site.
        site: SiteKey,
    },
    /// A meeting was held, booked, moved or called off, or another calendar is to be read.
    Calendar,
    /// The log of a site has grown.
    Log {
        /// The site.
        site: SiteKey,
    },
    /// A visitor was erased.
    Erased,
    /// An endpoint of webhooks is new, was changed, or has something to send again.
    Webhooks,
}

/// How a live chat went on.
#[derive(Debug, Clone)]
pub struct ChatNews {
    /// The chat.
    pub chat: ChatId,
    /// Its site.
    pub site: SiteKey,
    /// The visitor's conversation that it is a part of.
    pub visitor: VisitorId,
    /// That conversation.
    pub conversation: ConversationId,
    /// Those who hold it or are asked, before and now.
    pub agents: Vec<AgentId>,
    /// Whether more than its transcript has changed.
    pub changed: bool,
    /// What was said.
    pub lines: Vec<ChatEntry>,
    /// Whether somebody may now have room for a chat that waits.
    pub freed: bool,
}

/// Is called with what was committed, in the order of the log.
pub type Publish = Arc<dyn Fn(&News) + Send + Sync>;

/// Why a command did not happen.
#[derive(Debug, thiserror::Error)]
pub enum Failure<R> {
    /// It was refused.
    #[error("refused")]
    Refused(R),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<R> From<sqlx::Error> for Failure<R> {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Why the store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database said no.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// The database's tables could not be brought up to date.
    #[error("the database could not be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// What is stored is not as it was written.
    #[error("the database holds what Porchlight never wrote: {0}")]
    Corrupt(String),
    /// Too many commands wait.
    #[error("too many commands wait for the database")]
    Busy,
    /// Another command of the same commit broke the transaction.
    #[error("the commit failed: {0}")]
    Commit(String),
    /// The store has been closed.
    #[error("the database is closed")]
    Closed,
    /// The folder of the database could not be made.
    #[error("the data folder cannot be used: {0}")]
    Folder(#[from] std::io::Error),
}

impl StoreError {
    /// Something is stored that cannot be read, or to be stored that cannot be written.
    pub(crate) fn corrupt(error: impl ToString) -> Self {
        Self::Corrupt(error.to_string())
    }
}

/// What cannot be refused can only fail.
impl From<Failure<std::convert::Infallible>> for StoreError {
    fn from(failure: Failure<std::convert::Infallible>) -> Self {
        match failure {
            Failure::Store(error) => error,
            Failure::Refused(never) => match never {},
        }
    }
}

/// Gives the key of addresses, and makes it the first time.
struct LinkKey([u8; 32]);

impl Command for LinkKey {
    type Done = [u8; 32];
    type Refusal = std::convert::Infallible;

    async fn run(self, tx: &mut Tx<'_>) -> Result<[u8; 32], Failure<Self::Refusal>> {
        Ok(tx.server_key("links", &self.0).await?)
    }
}

/// How often it is tried to scrub the database, while others use it or read what stands in its write-ahead log.
const SCRUB_TRIES: u32 = 40;
/// How long is waited between.
const SCRUB_WAIT: Duration = Duration::from_millis(50);

/// The store. Cloning it gives another handle to the same one.
#[derive(Clone)]
pub struct Store {
    writer: sqlite::Writer,
    readers: sqlx::SqlitePool,
    hub: Hub,
    link_key: std::sync::Arc<[u8; 32]>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

impl Store {
    /// Opens the database in a folder, makes it if it is not there, and brings its tables up to date.
    ///
    /// # Errors
    /// If the folder or the database cannot be used.
    pub async fn open(folder: &Path, commit_batch: usize, queue_limit: usize) -> Result<Self, StoreError> {
        tokio::fs::create_dir_all(folder).await?;
        let hub = Hub::default();
        let (writer, readers) = {
            let hub = hub.clone();
            sqlite::open(&folder.join("porchlight.db"), commit_batch, queue_limit, Arc::new(move |news| hub.publish(news)))
                .await?
        };
        let mut store = Self { writer, readers, hub, link_key: Arc::new([0; 32]) };
        let new = crate::outside::Outside::real().new_secret();
        store.link_key = Arc::new(store.commit(LinkKey(*new.bits())).await?);
        Ok(store)
    }

    /// What addresses in letters are signed with.
    pub(crate) fn link_key(&self) -> &[u8; 32] {
        &self.link_key
    }

    /// Those who are told what was committed.
    pub(crate) const fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Runs a command, and gives what it gave once it is on the disk.
    ///
    /// # Errors
    /// If the command is refused or the store fails; then nothing of it stays.
    pub async fn commit<C: Command>(&self, command: C) -> Result<C::Done, Failure<C::Refusal>> {
        let (reply, answer) = oneshot::channel();
        self.writer.submit(command, reply)?;
        answer.await.unwrap_or(Err(Failure::Store(StoreError::Closed)))
    }

    /// The same, but waits for its turn however many wait: for what the server itself has to note, which nobody would ask for again.
    ///
    /// # Errors
    /// If the command is refused or the store fails; then nothing of it stays.
    pub(crate) async fn commit_in_turn<C: Command>(&self, command: C) -> Result<C::Done, Failure<C::Refusal>> {
        let (reply, answer) = oneshot::channel();
        self.writer.submit_in_turn(command, reply).await?;
        answer.await.unwrap_or(Err(Failure::Store(StoreError::Closed)))
    }

    /// Runs a command that only reads, without a turn at the writer.
    ///
    /// # Errors
    /// If the command is refused, tries to write, or the store fails.
    pub async fn look<C: Command>(&self, command: C) -> Result<C::Done, Failure<C::Refusal>> {
        // One transaction, so that all it reads belongs together; it ends, with nothing to undo, when it is dropped.
        let mut reading = self.readers.begin().await?;
        command.run(&mut Tx::new(&mut reading)).await
    }

    /// Takes out what deleted things have left behind in the write-ahead log; and in the database, if a size is named. For that it is written anew, if it
    /// is no larger than so many bytes; while it is, no command is done. Whether all of that was done.
    pub async fn scrub(&self, rewrite_up_to: Option<u64>) -> bool {
        let mut rewritten = rewrite_up_to.is_none();
        let mut waits = tokio::time::interval(SCRUB_WAIT);
        // However long a try took, whoever is in the way has a while to end.
        waits.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for _ in 0..SCRUB_TRIES {
            // The first comes at once. If another is needed, somebody reads; reads are short.
            waits.tick().await;
            match self.writer.scrub(rewrite_up_to.filter(|_| !rewritten)).await {
                Ok(tried) => {
                    rewritten |= tried.rewritten;
                    if tried.log_emptied {
                        if !rewritten {
                            tracing::warn!(
                                "the database is larger than scrub_limit_bytes, and may hold traces of what was deleted"
                            );
                        }
                        return rewritten;
                    }
                }
                Err(sqlite::NotScrubbed::Busy(problem)) => tracing::debug!(problem, "the database is not scrubbed yet"),
                Err(error) => {
                    tracing::warn!(%error, "the database could not be scrubbed");
                    return false;
                }
            }
        }
        tracing::warn!("others have used the database all the time, and it may hold traces of what was deleted");
        false
    }

    /// Whether the store can be written to: waits its turn like any command.
    ///
    /// # Errors
    /// If it cannot.
    pub async fn ready(&self) -> Result<(), StoreError> {
        struct Ready;
        impl Command for Ready {
            type Done = ();
            type Refusal = std::convert::Infallible;
            async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<Self::Refusal>> {
                tx.touch().await?;
                Ok(())
            }
        }
        Ok(self.commit(Ready).await?)
    }

    /// Lets commands under way end, and closes the database.
    pub async fn close(&self) {
        // The writer last: as the last connection it folds the write-ahead log into the database.
        self.readers.close().await;
        self.writer.close().await;
    }
}
