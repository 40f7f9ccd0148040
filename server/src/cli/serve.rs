//! `porchlight serve`

use std::{net::SocketAddr, time::Duration};

use anyhow::Context;
use axum::{Router, serve::ListenerExt};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use super::{start_log, tell};
use crate::{
    http,
    outside::Outside,
    settings::{Flags, Settings},
    store::Store,
    workers::Workers,
};

pub(super) async fn run(flags: &Flags) -> anyhow::Result<()> {
    let mut settings = Settings::read(flags)?;
    start_log(&settings)?;
    let store = open(&settings).await?;
    let listener = listen(&mut settings).await?;
    let stop = Stop::by_signal();
    stop.ends_streams(&store);
    let outside = Outside::real();
    let workers = Workers::new(&store, &outside, &settings)?;
    let (router, clock) = http::app(store.clone(), settings.clone(), outside.clone(), &workers);
    let served = serve(router, listener, &stop)?;
    let mut tasks = workers.start();
    tasks.spawn(clock.run());
    tell(&format!("Porchlight listens on http://{}", served.address));
    tell(&format!("The agents' console is http://{}/console", served.address));
    if let Some(link) = http::first_administrator(&store, &outside, settings.invitation_hours).await? {
        tell(&format!("Nobody can sign in yet. The first administrator's link, good once: http://{}{link}", served.address));
    }
    served.ended(Duration::from_secs(settings.shutdown_grace_seconds)).await;
    drop(tasks);
    store.close().await;
    Ok(())
}

/// Listens on an address.
pub(super) async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("the address {address} cannot be listened on"))
}

/// Listens where the settings say, and notes in them where browsers reach it, if they do not say that.
pub(super) async fn listen(settings: &mut Settings) -> anyhow::Result<TcpListener> {
    let listener = bind(settings.listen).await?;
    settings.listen = listener.local_addr()?;
    Ok(listener)
}

pub(super) async fn open(settings: &Settings) -> anyhow::Result<Store> {
    let store = Store::open(&settings.data_dir, settings.commit_batch, settings.queue_limit).await;
    store.with_context(|| format!("the store in {} cannot be opened", settings.data_dir.display()))
}

/// Tells everything that serves when to stop.
#[derive(Clone)]
pub(super) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Stops at the first interrupt or termination signal.
    pub(super) fn by_signal() -> Self {
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(async move {
            signal().await;
            tracing::info!("stopping");
            // Nobody may be listening any more.
            let _ = stop.send(true);
        });
        Self(stopped)
    }

    /// Ends the streams of the store's log, too: whoever waits for the requests under way would wait for them in vain.
    pub(super) fn ends_streams(&self, store: &Store) {
        let (stop, hub) = (self.clone(), store.hub().clone());
        tokio::spawn(async move {
            stop.asked().await;
            hub.stop();
        });
    }

    async fn asked(mut self) {
        // An error means that the sender is gone, which is as good a reason to stop.
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}

async fn signal() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => tokio::select! { _ = interrupt => {}, _ = terminate.recv() => {} },
            Err(_) => drop(interrupt.await),
        }
    }
    #[cfg(not(unix))]
    drop(interrupt.await);
}

/// A listener that serves.
pub(super) struct Served {
    pub(super) address: SocketAddr,
    task: JoinHandle<std::io::Result<()>>,
    stop: Stop,
}

pub(super) fn serve(app: Router, listener: TcpListener, stop: &Stop) -> anyhow::Result<Served> {
    let address = listener.local_addr()?;
    // A short frame goes at once, not when the one before it is acknowledged: that would be 40 ms on many systems (RFC 896, RFC 1122 4.2.3.2).
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "a connection gathers what it sends");
        }
    });
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    let task = tokio::spawn(axum::serve(listener, service).with_graceful_shutdown(stop.clone().asked()).into_future());
    Ok(Served { address, task, stop: stop.clone() })
}

impl Served {
    /// Waits until it was told to stop, and then for the requests under way, but no longer than the grace time.
    pub(super) async fn ended(self, grace: Duration) {
        let Self { mut task, stop, .. } = self;
        let by_itself = tokio::select! {
            ended = &mut task => Some(ended),
            () = stop.asked() => tokio::time::timeout(grace, &mut task).await.ok(),
        };
        match by_itself {
            Some(Ok(Ok(()))) => {}
            Some(Ok(Err(error))) => tracing::error!(%error, "the listener failed"),
            Some(Err(error)) => tracing::error!(%error, "the listener stopped"),
            None => {
                tracing::warn!("requests were still under way when the grace time ended");
                task.abort();
            }
        }
    }
}
