//! Looks after the lanes: one for each endpoint that is on.

use std::{collections::HashMap, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use porchlight_domain::{event::EventType, id::EndpointId};
use tokio::{sync::watch, task::JoinHandle};

use super::{
    BadEndpoint, Endpoint, EndpointSettings, EndpointState,
    lane::{Lane, Ways, never, send_once},
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

/// A lane at work, and the way to tell it what people changed. Without that it comes to an end.
struct AtWork {
    changes: watch::Sender<Endpoint>,
    task: JoinHandle<Result<(), StoreError>>,
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
        let mut lanes: HashMap<EndpointId, AtWork> = HashMap::new();
        loop {
            match self.ways.store.look(AllOn).await.map_err(never) {
                Ok(endpoints) => self.look_after(&mut lanes, endpoints),
                Err(error) => tracing::error!(%error, "the endpoints of webhooks could not be read"),
            }
            if let Err(error) = self.forget().await {
                tracing::error!(%error, "old attempts could not be forgotten");
            }
            // That nothing came is as good: the store says which there are.
            let _ = tokio::time::timeout(LOOK_EVERY, self.ways.store.hub().webhooks()).await;
        }
    }

    fn look_after(&self, lanes: &mut HashMap<EndpointId, AtWork>, endpoints: Vec<Endpoint>) {
        // One that is not on any more is let go: it ends when what is under way has come to an end.
        lanes.retain(|id, lane| !lane.task.is_finished() && endpoints.iter().any(|endpoint| endpoint.id == *id));
        for endpoint in endpoints {
            if let Some(lane) = lanes.get(&endpoint.id) {
                lane.changes.send_replace(endpoint);
                continue;
            }
            let id = endpoint.id;
            let (changes, heard) = watch::channel(endpoint.clone());
            let lane = Lane::new(Arc::clone(&self.ways), endpoint);
            let task = tokio::spawn(async move {
                let ended = lane.run(heard).await;
                if let Err(error) = &ended {
                    tracing::error!(%error, endpoint = %id, "the way to an endpoint was interrupted; it begins anew");
                }
                ended
            });
            lanes.insert(id, AtWork { changes, task });
        }
    }

    /// Sends all that is due now.
    ///
    /// # Errors
    /// If the store fails. What an endpoint does wrong is noted, and is no error here.
    pub async fn work(&self) -> Result<(), StoreError> {
        let endpoints = self.ways.store.look(AllOn).await.map_err(never)?;
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
        self.forget().await
    }

    /// Forgets attempts that are old enough.
    async fn forget(&self) -> Result<(), StoreError> {
        let before = self.ways.outside.now().checked_sub(self.kept).unwrap_or(Timestamp::MIN);
        while self.ways.store.commit_in_turn(Forget(before)).await.map_err(never)? == u64::from(FORGOTTEN_AT_ONCE) {}
        Ok(())
    }
}

/// All endpoints that are on.
struct AllOn;

impl Command for AllOn {
    type Done = Vec<Endpoint>;
    type Refusal = std::convert::Infallible;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Vec<Endpoint>, Failure<Self::Refusal>> {
        let all = tx.endpoints(None, None, u32::MAX).await?;
        Ok(all.into_iter().filter(|endpoint| endpoint.state == EndpointState::On).collect())
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
