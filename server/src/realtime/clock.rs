//! The clock: does what is due, whoever is connected.
//!
//! What is due stands in the store, not in a task that sleeps: after a restart the clock finds it all again.

use std::time::Duration;

use jiff::Timestamp;
use porchlight_domain::{id::ChatId, livechat::ChatCommand};

use crate::{
    store::{Command, Failure, Store, StoreError, Tx},
    visit::Engine,
};

/// The most chats that are seen to within one transaction.
const AT_ONCE: u32 = 50;
/// The longest the clock sleeps: what nobody woke it for is seen to after this.
const SLEEP_MAX: Duration = Duration::from_secs(5);
/// How long it waits after a failure of the store.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// The clock.
#[derive(Debug, Clone)]
pub struct Clock {
    store: Store,
    engine: Engine,
}

impl Clock {
    pub(crate) const fn new(store: Store, engine: Engine) -> Self {
        Self { store, engine }
    }

    /// After a start: whoever was connected is not any more, and what ran out while nobody could do anything about it begins anew.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn begin(&self) -> Result<(), StoreError> {
        self.commit(Begin(self.engine.clone())).await
    }

    /// Does all that is due by now.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn tick(&self) -> Result<(), StoreError> {
        while self.commit(Due(self.engine.clone())).await? > 0 {}
        self.commit(Serve(self.engine.clone())).await
    }

    /// Does what is due when it is due, for ever.
    pub async fn run(self) {
        while let Err(error) = self.begin().await {
            tracing::error!(%error, "the clock could not begin");
            self.wait(AFTER_FAILURE).await;
        }
        loop {
            let wait = match self.tick_and_look().await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::error!(%error, "what is due was not done");
                    AFTER_FAILURE
                }
            };
            self.wait(wait).await;
        }
    }

    /// Waits until something may be due at another time than before, but no longer than is said.
    async fn wait(&self, longest: Duration) {
        // That nothing came is as good: the store says what is due.
        let _ = tokio::time::timeout(longest, self.store.hub().changed()).await;
    }

    /// Does all that is due, and says how long nothing is.
    async fn tick_and_look(&self) -> Result<Duration, StoreError> {
        self.tick().await?;
        let due = self.store.look(Next).await?;
        let wait = due.map(|due| due.duration_since(self.engine.outside.now()));
        // A moment that has passed while it was being read is seen to at once.
        Ok(wait.map_or(SLEEP_MAX, |wait| Duration::try_from(wait).unwrap_or_default().min(SLEEP_MAX)))
    }

    async fn commit<C: Command<Refusal = Never>>(&self, command: C) -> Result<C::Done, StoreError> {
        Ok(self.store.commit_in_turn(command).await?)
    }
}

type Never = std::convert::Infallible;

/// Lets the domain decide about some chats. What it refuses is not to be done; the others are, all the same.
async fn each(tx: &mut Tx<'_>, engine: &Engine, chats: &[ChatId], command: &ChatCommand) -> Result<(), StoreError> {
    for chat in chats {
        let Some(record) = tx.chat(*chat).await? else { continue };
        match engine.chat(tx, &record, command.clone(), None).await {
            Ok(()) => {}
            Err(Failure::Refused(refusal)) => tracing::debug!(%chat, %refusal, "nothing was due"),
            Err(Failure::Store(error)) => return Err(error),
        }
    }
    Ok(())
}

struct Begin(Engine);

impl Command for Begin {
    type Done = ();
    type Refusal = Never;

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<Never>> {
        let Self(engine) = self;
        let now = engine.outside.now();
        for chat in tx.chats_connected().await? {
            if let Some(record) = tx.chat(chat).await? {
                engine.left(tx, record).await?;
            }
        }
        if tx.anybody_waits().await? {
            stay(tx, &engine, now).await?;
        }
        let due = tx.chats_due(now, u32::MAX).await?;
        Ok(each(tx, &engine, &due, &ChatCommand::Renew).await?)
    }
}

/// Those who were there when the server stopped count as there for one grace time more, in which their consoles come again: else
/// whoever waits for them would be told at once that nobody is there.
async fn stay(tx: &mut Tx<'_>, engine: &Engine, now: Timestamp) -> Result<(), StoreError> {
    let agents = tx.agents().await?;
    let last = agents.iter().map(|agent| agent.present_until).max();
    // Who was never there has this moment.
    let Some(last) = last.filter(|last| *last > Timestamp::UNIX_EPOCH) else { return Ok(()) };
    let until = now.checked_add(engine.presence_grace).unwrap_or(Timestamp::MAX);
    for agent in agents {
        // Presence is noted again and again, each time for one grace time: whose ended that long before the last had gone already.
        if last.duration_since(agent.present_until) < engine.presence_grace && agent.present_until < until {
            tx.set_present_until(agent.id, until).await?;
        }
    }
    Ok(())
}

struct Due(Engine);

impl Command for Due {
    /// How many were seen to.
    type Done = usize;
    type Refusal = Never;

    async fn run(self, tx: &mut Tx<'_>) -> Result<usize, Failure<Never>> {
        let now = self.0.outside.now();
        let due = tx.chats_due(now, AT_ONCE).await?;
        each(tx, &self.0, &due, &ChatCommand::Tick).await?;
        // One that is due still would be due for ever.
        let still = tx.chats_due(now, AT_ONCE).await?;
        let chats = if still == due { 0 } else { due.len() };
        let meetings = tx.meetings_due(now, AT_ONCE).await?;
        let done = chats + meetings.len();
        for record in meetings {
            self.0.meeting_is_due(tx, record).await?;
        }
        Ok(done)
    }
}

/// Offers chats that wait to those who are free.
struct Serve(Engine);

impl Command for Serve {
    type Done = ();
    type Refusal = Never;

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<Never>> {
        let queued = tx.chats_queued().await?;
        Ok(each(tx, &self.0, &queued, &ChatCommand::Free).await?)
    }
}

struct Next;

impl Command for Next {
    type Done = Option<Timestamp>;
    type Refusal = Never;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Self::Done, Failure<Never>> {
        Ok(tx.next_due().await?.into_iter().chain(tx.next_meeting_due().await?).min())
    }
}
