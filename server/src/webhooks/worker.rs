//! Looks after the lanes: one for each endpoint that is on.

use std::{collections::HashMap, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use porchlight_domain::{event::EventType, id::EndpointId};
use tokio::{
    sync::watch,
    task::{JoinError, JoinSet},
};

use super::{
    BadEndpoint, Endpoint, EndpointSettings,
    lane::{Lane, Ways, pause, send_once},
    sample::sample,
    schedule::Schedule,
};
use crate::{
    egress::{Allowed, BadAllowed, Egress, EgressError, EgressLimits},
    outside::Outside,
    settings::Settings,
    store::{Attempt, Command, Failure, Store, StoreError, Tx},
};

/// How often it is looked whether the endpoints are others, if nobody said so.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// How much of an answer is read: what counts is its status.
const ANSWER_BYTES: usize = 4_096;
/// How long a lane waits that the store has failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// How many attempts are forgotten in one transaction.
const FORGOTTEN_AT_ONCE: u32 = 1_000;

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum BadWebhookSettings {
    /// A host or network is none.
    #[error(transparent)]
    Allowed(#[from] BadAllowed),
    /// The client cannot be made.
    #[error(transparent)]
    Egress(#[from] EgressError),
}

/// Sends events to endpoints.
#[derive(Debug, Clone)]
pub struct Hooks {
    ways: Arc<Ways>,
    /// How long attempts can be seen.
    kept: SignedDuration,
}

/// The lanes that are at work.
#[derive(Default)]
struct Lanes {
    /// The way to tell each what people changed. One without it was let go: it comes to an end when what is under way has, and until then
    /// there is no other to the same endpoint.
    known: HashMap<EndpointId, Option<watch::Sender<Endpoint>>>,
    tasks: JoinSet<EndpointId>,
}

impl Hooks {
    /// One that sends by the limits of the settings.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub fn new(store: Store, outside: Outside, settings: &Settings) -> Result<Self, BadWebhookSettings> {
        let egress = Egress::new(EgressLimits {
            timeout: Duration::from_secs(settings.webhook_timeout_seconds),
            body_limit: ANSWER_BYTES,
            cut: true,
            allow: Allowed::list(&settings.egress_allow)?,
        })?;
        let hours = |hours: u64| SignedDuration::from_hours(i64::try_from(hours).unwrap_or(i64::from(u32::MAX)));
        let schedule = Schedule {
            first: SignedDuration::from_secs(i64::try_from(settings.webhook_retry_seconds).unwrap_or(5)),
            give_up: hours(settings.webhook_retry_hours),
            disable: hours(settings.webhook_disable_days * 24),
        };
        let mails = !settings.smtp_url.is_empty() || !settings.mail_dir.is_empty();
        let console = settings.public_url().trim_end_matches('/').to_owned();
        let ways = Ways { store, outside, egress, schedule, concurrency: settings.webhook_concurrency, mails, console };
        Ok(Self { ways: Arc::new(ways), kept: hours(settings.webhook_attempt_days * 24) })
    }

    /// Checks what people say of an endpoint, as far as that can be done without asking anybody.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, settings: &EndpointSettings) -> Result<(), BadEndpoint> {
        settings.check(&self.ways.egress)
    }

    /// Sends a made-up event to an endpoint, as those of the log are sent, and says what came of it. It stands in no log, and neither does this.
    pub async fn try_out(&self, endpoint: &Endpoint, kind: EventType) -> Attempt {
        let event = sample(&self.ways.outside, &endpoint.site, kind);
        send_once(&self.ways, endpoint, &event).await
    }

    /// Sends events as they come, for ever.
    pub async fn run(self) {
        let mut lanes = Lanes::default();
        loop {
            match self.ways.store.look(AllOn).await.map_err(StoreError::from) {
                Ok(endpoints) => self.look_after(&mut lanes, endpoints),
                Err(error) => tracing::error!(%error, "the endpoints of webhooks could not be read"),
            }
            let more = self.forget().await.unwrap_or_else(|error| {
                tracing::error!(%error, "old attempts could not be forgotten");
                false
            });
            let longest = if more { Duration::ZERO } else { LOOK_EVERY };
            tokio::select! {
                // That nothing came is as good: the store says which there are.
                _ = tokio::time::timeout(longest, self.ways.store.hub().webhooks()) => {}
                Some(ended) = lanes.tasks.join_next() => lanes.ended(ended),
            }
        }
    }

    fn look_after(&self, lanes: &mut Lanes, endpoints: Vec<Endpoint>) {
        for (id, changes) in &mut lanes.known {
            if !endpoints.iter().any(|endpoint| endpoint.id == *id) {
                *changes = None;
            }
        }
        for endpoint in endpoints {
            let id = endpoint.id;
            match lanes.known.get(&id) {
                Some(Some(changes)) => drop(changes.send_replace(endpoint)),
                Some(None) => {}
                None => {
                    let (changes, heard) = watch::channel(endpoint.clone());
                    let lane = Lane::new(Arc::clone(&self.ways), endpoint);
                    lanes.tasks.spawn(async move {
                        if let Err(error) = lane.run(heard).await {
                            tracing::error!(%error, endpoint = %id, "the way to an endpoint was interrupted; it begins anew");
                            // Whatever ails the store is given a moment.
                            pause(AFTER_FAILURE).await;
                        }
                        id
                    });
                    lanes.known.insert(id, Some(changes));
                }
            }
        }
    }

    /// Sends all that is due now.
    ///
    /// # Errors
    /// If the store fails. What an endpoint does wrong is noted, and is no error here.
    pub async fn work(&self) -> Result<(), StoreError> {
        let endpoints = self.ways.store.look(AllOn).await.map_err(StoreError::from)?;
        let mut tasks = tokio::task::JoinSet::new();
        for endpoint in endpoints {
            tasks.spawn(Lane::new(Arc::clone(&self.ways), endpoint).drain());
        }
        while let Some(done) = tasks.join_next().await {
            match done {
                Ok(done) => done?,
                Err(error) => tracing::error!(%error, "an endpoint was not seen to"),
            }
        }
        while self.forget().await? {}
        Ok(())
    }

    /// Forgets some of the attempts that are old enough, and says whether there may be more.
    async fn forget(&self) -> Result<bool, StoreError> {
        let before = self.ways.outside.now().checked_sub(self.kept).unwrap_or(Timestamp::MIN);
        Ok(self.ways.store.commit_in_turn(Forget(before)).await.map_err(StoreError::from)? == u64::from(FORGOTTEN_AT_ONCE))
    }
}

impl Lanes {
    /// A lane has come to an end; if its endpoint is still on, another begins with the next look.
    fn ended(&mut self, ended: Result<EndpointId, JoinError>) {
        match ended {
            Ok(id) => drop(self.known.remove(&id)),
            Err(error) if error.is_cancelled() => {}
            Err(error) => {
                // Which one it was it can not say any more: those that are left go on, and it begins anew with all of them.
                tracing::error!(%error, "a way to an endpoint broke; all begin anew");
                self.tasks.abort_all();
                self.known.clear();
            }
        }
    }
}

/// All endpoints that are on.
struct AllOn;

impl Command for AllOn {
    type Done = Vec<Endpoint>;
    type Refusal = std::convert::Infallible;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Vec<Endpoint>, Failure<Self::Refusal>> {
        Ok(tx.endpoints_on().await?)
    }
}

struct Forget(Timestamp);

impl Command for Forget {
    type Done = u64;
    type Refusal = std::convert::Infallible;

    async fn run(self, tx: &mut Tx<'_>) -> Result<u64, Failure<Self::Refusal>> {
        Ok(tx.forget_attempts(self.0, FORGOTTEN_AT_ONCE).await?)
    }
}
