//! `porchlight demo`

use std::{net::SocketAddr, time::Duration};

use anyhow::anyhow;

use super::{
    import, key, quiet,
    serve::{self, Stop},
    tell,
};
use crate::{demo, http, outside::Outside, settings::Flags, workers::Workers};

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
    let key = key::create_only(&store, "demo").await?;
    let stop = Stop::by_signal();
    stop.ends_streams(&store);
    demo::add_agents(&store, &Outside::real()).await?;
    let workers = Workers::new(&store, &Outside::real(), &settings)?;
    let (router, clock) = http::app(store.clone(), settings.clone(), Outside::real(), &workers);
    let server = serve::serve(router, listener, &stop)?;
    let mut tasks = workers.start();
    tasks.spawn(clock.run());
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
    drop(tasks);
    store.close().await;
    Ok(())
}
