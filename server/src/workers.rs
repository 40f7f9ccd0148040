//! What works beside the requests: each keeps at something that is due, and finds in the store what that is.

use tokio::task::JoinSet;

use crate::{
    analytics::Counter,
    calendar::{BadSyncSettings, Sync},
    mail::{BadMailSettings, Postman},
    outside::Outside,
    settings::Settings,
    store::Store,
    webhooks::{BadWebhookSettings, Hooks},
};

/// What is wrong with the settings of one of them.
#[derive(Debug, thiserror::Error)]
pub enum BadWorkerSettings {
    /// Of e-mail.
    #[error(transparent)]
    Mail(#[from] BadMailSettings),
    /// Of calendars elsewhere.
    #[error(transparent)]
    Sync(#[from] BadSyncSettings),
    /// Of webhooks.
    #[error(transparent)]
    Hooks(#[from] BadWebhookSettings),
}

/// Those who work beside the requests.
#[derive(Debug, Clone)]
pub struct Workers {
    /// Sends letters, where the settings say how.
    pub postman: Option<Postman>,
    /// Keeps in step with calendars elsewhere.
    pub sync: Sync,
    /// Sends events to endpoints.
    pub hooks: Hooks,
    /// Counts the log.
    pub counter: Counter,
}

impl Workers {
    /// All of them.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub fn new(store: &Store, outside: &Outside, settings: &Settings) -> Result<Self, BadWorkerSettings> {
        Ok(Self {
            postman: Postman::new(store.clone(), outside.clone(), settings)?,
            sync: Sync::new(store.clone(), outside.clone(), settings)?,
            hooks: Hooks::new(store.clone(), outside.clone(), settings)?,
            counter: Counter::new(store.clone(), settings),
        })
    }

    /// Sets them to work, until what this gives is dropped.
    #[must_use]
    pub fn start(self) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        if let Some(postman) = self.postman {
            tasks.spawn(postman.run());
        }
        tasks.spawn(self.sync.run());
        tasks.spawn(self.hooks.run());
        tasks.spawn(self.counter.run());
        tasks
    }
}
