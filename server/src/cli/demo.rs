//! `porchlight demo`

use std::{net::SocketAddr, time::Duration};

use anyhow::anyhow;

use super::{
    import, key, quiet,
    serve::{self, Stop},
    tell,
};
use crate::{calendar::Sync, demo, http, mail::Postman, outside::Outside, privacy::Retention, settings::Flags};

#[derive(Debug, clap::Args)]
pub(super) struct DemoFlags {
    #[command(flatten)]
    flags: Flags,
    /// The address the demo customer's pages are served on; port 0 takes any free one
    #[arg(long, env = "PORCHLIGHT_DEMO_LISTEN", default_value = "127.0.0.1:3001")]
    demo_listen: SocketAddr,
}

pub(super) async fn run(DemoFlags { flags, demo_listen }: &DemoFlags) -> anyhow::Result<()> {
    let mut settings = quiet(flags)?;
    if settings.smtp_url.is_empty() && settings.mail_dir.is_empty() {
        settings.mail_dir = settings.data_dir.join("mail").display().to_string();
        settings.mail_from = "Marlow Bikes <hello@marlow.example>".to_owned();
    }
    let store = serve::open(&settings).await?;
    let listener = serve::listen(&mut settings).await?;
    let files =
        demo::site_files(settings.file_limit_bytes).map_err(|problems| anyhow!("the demo site has problems:\n{problems}"))?;
    import::import(&store, files, true, Outside::real()).await?;
    // The key of the last run is taken back: only the one that is printed works.
    let key = key::create(&store, "demo", true).await?;
    let stop = Stop::by_signal();
    demo::add_agents(&store, &Outside::real()).await?;
    let postman = Postman::new(store.clone(), Outside::real(), &settings)?;
    let (router, clock) = http::app(store.clone(), settings.clone(), Outside::real());
    let sync = Sync::new(store.clone(), Outside::real(), &settings)?;
    let retention = Retention::new(store.clone(), Outside::real(), &settings);
    let server = serve::serve(router, listener, &stop)?;
    let (clock, sync) = (tokio::spawn(clock.run()), tokio::spawn(sync.run()));
    let retention = tokio::spawn(retention.run());
    let postman = postman.map(|postman| tokio::spawn(postman.run()));
    let porchlight = format!("http://{}", server.address);
    let pages = serve::serve(demo::pages(&porchlight, &key), serve::bind(*demo_listen).await?, &stop)?;
    let agents =
        demo::AGENTS.map(|(email, ..)| format!("{email}, password {}", demo::PASSWORD)).join("\n                             ");
    let mail = match settings.mail_dir.as_str() {
        "" => String::new(),
        folder => format!("  E-mail is put into         {folder}\n"),
    };
    tell(&format!(
        "\n  The demo customer's page   http://{}/\n  Porchlight                 {porchlight}\n  API key of this run        {key}\n  \
         The agents' console        {porchlight}/console\n  Its agents                 {agents}\n{mail}\n  \
         curl -H 'Authorization: Bearer {key}' '{porchlight}/api/v1/events?limit=10'\n",
        pages.address
    ));
    let grace = Duration::from_secs(settings.shutdown_grace_seconds);
    tokio::join!(server.ended(grace), pages.ended(grace));
    clock.abort();
    sync.abort();
    retention.abort();
    postman.iter().for_each(tokio::task::JoinHandle::abort);
    store.close().await;
    Ok(())
}
