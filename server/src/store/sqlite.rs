//! SQLite: one writer, which commits many commands together, and readers beside it.
//!
//! With `synchronous=FULL` a commit waits for the disk, some milliseconds here. While it waits, the commands that come in gather,
//! and go into the next commit together: each still has its own savepoint, so one that fails takes none of the others along.

use std::{fmt, future::Future, path::Path, pin::Pin, sync::Arc, time::Duration};

use sqlx::{
    ConnectOptions, Connection, Executor, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    task::JoinHandle,
};

use super::{Command, Failure, News, Publish, StoreError, Tx};

/// How long another process may hold the database before a command gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How many may ask at once to scrub the database. One time serves them all.
const SCRUBS_MAX: usize = 1024;
/// How many reads may run at once; each is a connection of its own.
const READERS: u32 = 4;

/// The way to the one task that writes.
#[derive(Clone)]
pub(super) struct Writer {
    queue: mpsc::Sender<Box<dyn Job>>,
    scrubs: mpsc::Sender<Scrub>,
    task: Arc<Mutex<Option<WriterTask>>>,
}

/// The task that writes, and the way to stop it.
type WriterTask = (oneshot::Sender<()>, JoinHandle<()>);

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer")
    }
}

/// Opens the database and starts its writer.
pub(super) async fn open(
    file: &Path,
    commit_batch: usize,
    queue_limit: usize,
    publish: Publish,
) -> Result<(Writer, SqlitePool), StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        // What is deleted is overwritten, not only let go of.
        .pragma("secure_delete", "on")
        .busy_timeout(BUSY_TIMEOUT)
        // What is logged is what was asked of us, not each statement of it: that would cost as much as the statement.
        .disable_statement_logging();
    let mut connection = SqliteConnection::connect_with(&options).await?;
    sqlx::migrate!("migrations/sqlite").run(&mut connection).await?;
    // What the last run left in the log, if it could not close, need not be there twice. Where another process reads it, that is as well.
    let _ = scrub(&mut connection, None).await?;
    let readers = SqlitePoolOptions::new().max_connections(READERS).connect_with(options.read_only(true)).await?;
    let (queue, jobs) = mpsc::channel(queue_limit);
    let (scrubs, scrubbing) = mpsc::channel(SCRUBS_MAX);
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(write(connection, jobs, scrubbing, stopped, commit_batch, publish));
    Ok((Writer { queue, scrubs, task: Arc::new(Mutex::new(Some((stop, task)))) }, readers))
}

impl Writer {
    pub(super) fn submit<C: Command>(
        &self,
        command: C,
        reply: oneshot::Sender<Result<C::Done, Failure<C::Refusal>>>,
    ) -> Result<(), StoreError> {
        let job = Box::new(Submitted { command: Some(command), outcome: None, reply });
        self.queue.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Busy,
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
        })
    }

    /// The same, but waits for room.
    pub(super) async fn submit_in_turn<C: Command>(
        &self,
        command: C,
        reply: oneshot::Sender<Result<C::Done, Failure<C::Refusal>>>,
    ) -> Result<(), StoreError> {
        let job = Box::new(Submitted { command: Some(command), outcome: None, reply });
        self.queue.send(job).await.map_err(|_| StoreError::Closed)
    }

    /// Tries once to take out what deleted things have left behind: with the size up to which the database is written anew, if it is to be.
    pub(super) async fn scrub(&self, rewrite_up_to: Option<u64>) -> Result<Scrubbed, NotScrubbed> {
        let (reply, answer) = oneshot::channel();
        self.scrubs.send(Scrub { rewrite_up_to, reply }).await.map_err(|_| NotScrubbed::Closed)?;
        answer.await.map_err(|_| NotScrubbed::Closed)?
    }

    pub(super) async fn close(&self) {
        if let Some((stop, task)) = self.task.lock().await.take() {
            // Either may be gone already, which is what closing is for.
            let _ = stop.send(());
            let _ = task.await;
        }
    }
}

type Running<'t> = Pin<Box<dyn Future<Output = Option<Vec<News>>> + Send + 't>>;

/// A command on its way through the writer, whatever its types.
trait Job: Send {
    /// Runs it, and gives what is to be told once it is committed; nothing if nothing of it may stay.
    fn run<'t>(&'t mut self, connection: &'t mut SqliteConnection) -> Running<'t>;
    /// Answers the caller: with what it gave, or with why the commit failed.
    fn answer(self: Box<Self>, committed: Result<(), String>);
}

struct Submitted<C: Command> {
    command: Option<C>,
    outcome: Option<Result<C::Done, Failure<C::Refusal>>>,
    reply: oneshot::Sender<Result<C::Done, Failure<C::Refusal>>>,
}

impl<C: Command> Job for Submitted<C> {
    fn run<'t>(&'t mut self, connection: &'t mut SqliteConnection) -> Running<'t> {
        Box::pin(async move {
            let command = self.command.take()?;
            let mut tx = Tx::new(connection);
            let outcome = command.run(&mut tx).await;
            let news = outcome.is_ok().then(|| tx.into_news());
            self.outcome = Some(outcome);
            news
        })
    }

    fn answer(self: Box<Self>, committed: Result<(), String>) {
        let outcome = match (committed, self.outcome) {
            // What was refused was refused, whatever became of the others.
            (_, Some(Err(failure))) => Err(failure),
            (Ok(()), Some(done)) => done,
            (Err(error), _) => Err(Failure::Store(StoreError::Commit(error))),
            (Ok(()), None) => Err(Failure::Store(StoreError::Closed)),
        };
        // The caller may have gone away; the command stays done.
        let _ = self.reply.send(outcome);
    }
}

async fn write(
    mut connection: SqliteConnection,
    mut jobs: mpsc::Receiver<Box<dyn Job>>,
    mut scrubs: mpsc::Receiver<Scrub>,
    mut stopped: oneshot::Receiver<()>,
    commit_batch: usize,
    publish: Publish,
) {
    let mut batch = Vec::with_capacity(commit_batch);
    let mut has_scrubbed = false;
    loop {
        tokio::select! {
            biased;
            // First: they are few, and what always waits would keep them waiting for ever. But commands that wait have a turn between two.
            Some(first) = scrubs.recv(), if !has_scrubbed || jobs.is_empty() => {
                scrub_for_all(&mut connection, first, &mut scrubs).await;
                has_scrubbed = true;
                continue;
            }
            received = jobs.recv_many(&mut batch, commit_batch) => if received == 0 { break },
            // Nothing waits: the right moment to stop.
            _ = &mut stopped => break,
        }
        has_scrubbed = false;
        let committed = commit(&mut connection, &mut batch).await.map_err(|error| error.to_string());
        // In the order of the log, and before those who asked are answered.
        if let Ok(news) = &committed {
            for news in news {
                publish(news);
            }
        }
        let committed = committed.map(|_| ());
        if let Err(error) = &committed {
            tracing::error!(error, commands = batch.len(), "a commit failed");
            // Leaves a transaction that may still be open; if there is none, that is as well.
            let _ = connection.execute("rollback").await;
        }
        for job in batch.drain(..) {
            job.answer(committed.clone());
        }
    }
    if let Err(error) = connection.close().await {
        tracing::error!(%error, "the database did not close cleanly");
    }
}

async fn commit(connection: &mut SqliteConnection, batch: &mut [Box<dyn Job>]) -> Result<Vec<News>, sqlx::Error> {
    let mut news = Vec::new();
    connection.execute("begin immediate").await?;
    for job in batch {
        connection.execute("savepoint command").await?;
        match job.run(connection).await {
            Some(told) => news.extend(told),
            None => {
                connection.execute("rollback to command").await?;
            }
        }
        connection.execute("release command").await?;
    }
    connection.execute("commit").await?;
    Ok(news)
}

/// Asks the writer to take out what deleted things have left behind.
struct Scrub {
    rewrite_up_to: Option<u64>,
    reply: oneshot::Sender<Result<Scrubbed, NotScrubbed>>,
}

/// Why it could not be scrubbed.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum NotScrubbed {
    /// Others use the database, which passes.
    #[error("others use the database: {0}")]
    Busy(String),
    /// The database said no.
    #[error("the database failed: {0}")]
    Failed(String),
    /// The store has been closed.
    #[error("the database is closed")]
    Closed,
}

impl From<sqlx::Error> for NotScrubbed {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|error| error.code());
        // SQLITE_BUSY, SQLITE_LOCKED, SQLITE_BUSY_RECOVERY and SQLITE_BUSY_SNAPSHOT (https://www.sqlite.org/rescode.html).
        match code.as_deref() {
            Some("5" | "6" | "261" | "517") => Self::Busy(error.to_string()),
            _ => Self::Failed(error.to_string()),
        }
    }
}

/// Scrubs the database once for whoever asked before it began.
async fn scrub_for_all(connection: &mut SqliteConnection, first: Scrub, scrubs: &mut mpsc::Receiver<Scrub>) {
    let mut asked = vec![first];
    while let Ok(more) = scrubs.try_recv() {
        asked.push(more);
    }
    // Who did not ask for it to be written anew gets more than they asked for.
    let rewrite_up_to = asked.iter().filter_map(|scrub| scrub.rewrite_up_to).max();
    let scrubbed = scrub(connection, rewrite_up_to).await.map_err(NotScrubbed::from);
    for Scrub { reply, .. } in asked {
        // Whoever asked may have gone away.
        let _ = reply.send(scrubbed.clone());
    }
}

/// How far that came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scrubbed {
    /// Whether the database was written anew.
    pub(super) rewritten: bool,
    /// Whether the write-ahead log is empty. While somebody reads what stands in it, it cannot be.
    pub(super) log_emptied: bool,
}

/// Writes the database anew, if it is to be and is no larger than that, and empties the write-ahead log.
///
/// To overwrite what is deleted is not enough: where a tree of pages grows and is balanced, a row moves to another page, and may leave a copy in the
/// room between the rows of the old one. No delete ever comes to that, since it belongs to no row; only a database that is written anew has none.
async fn scrub(connection: &mut SqliteConnection, rewrite_up_to: Option<u64>) -> Result<Scrubbed, sqlx::Error> {
    // Nobody is to wait for long behind this: whoever wants it tries again.
    connection.execute("pragma busy_timeout = 250").await?;
    let scrubbed = scrub_now(connection, rewrite_up_to).await;
    // As it was: BUSY_TIMEOUT.
    connection.execute("pragma busy_timeout = 10000").await?;
    scrubbed
}

async fn scrub_now(connection: &mut SqliteConnection, rewrite_up_to: Option<u64>) -> Result<Scrubbed, sqlx::Error> {
    let mut rewritten = false;
    if let Some(most) = rewrite_up_to {
        let pages: i64 = sqlx::query_scalar("pragma page_count").fetch_one(&mut *connection).await?;
        let size: i64 = sqlx::query_scalar("pragma page_size").fetch_one(&mut *connection).await?;
        if u64::try_from(pages.saturating_mul(size)).is_ok_and(|bytes| bytes <= most) {
            connection.execute("vacuum").await?;
            rewritten = true;
        }
    }
    // The first column says whether something was in the way (https://www.sqlite.org/pragma.html#pragma_wal_checkpoint).
    let busy: i64 = sqlx::query_scalar("pragma wal_checkpoint(truncate)").fetch_one(&mut *connection).await?;
    Ok(Scrubbed { rewritten, log_emptied: busy == 0 })
}
