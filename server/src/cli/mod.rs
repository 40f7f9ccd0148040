//! The command line: one file a command.

mod agent;
mod check;
mod demo;
mod events;
mod import;
mod key;
mod serve;
mod site;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use porchlight_domain::id::SiteKey;
use tracing_subscriber::EnvFilter;

use crate::settings::{Flags, LogFormat, Settings};

/// A chat widget for your web site: the widget, the conversations and the events, in one server.
#[derive(Debug, Parser)]
#[command(name = "porchlight", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the server
    Serve(Flags),
    /// Runs the server with the demo customer's site and its pages
    Demo(demo::DemoFlags),
    /// Checks conversation files, or whole folders of sites, and reports every problem with its place
    Check {
        /// Files of conversations, or folders of sites
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// Loads a site from a folder with site.toml, conversations/*.json and files/*, and publishes it
    Import {
        /// The folder
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// Keeps the conversations as drafts, and publishes nothing
        #[arg(long)]
        draft: bool,
        #[command(flatten)]
        flags: Flags,
    },
    /// Writes a site into a folder, as `import` reads it
    Export {
        /// The folder
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// The key of the site
        #[arg(long, value_name = "KEY")]
        site: SiteKey,
        /// Writes over files of the same names in a folder that is not empty
        #[arg(long)]
        overwrite: bool,
        #[command(flatten)]
        flags: Flags,
    },
    /// Writes the log of events, or a part of it, into a file
    Events(Box<events::Wanted>),
    /// Publishes the drafts of conversations
    Publish(site::Chosen),
    /// Takes conversations out of publication; visitors who have begun one go on with it
    Unpublish(site::Chosen),
    /// Tells the secret that a site's own server signs the identities of its visitors with
    Secret {
        /// The key of the site
        #[arg(long, value_name = "KEY")]
        site: SiteKey,
        /// Puts a new secret in its place first: what was signed with the old one is no longer believed
        #[arg(long)]
        rotate: bool,
        #[command(flatten)]
        flags: Flags,
    },
    /// Manages the keys of the API
    Key {
        #[command(subcommand)]
        command: key::KeyCommand,
    },
    /// Manages those who sign in to the console
    Agent {
        #[command(subcommand)]
        command: agent::AgentCommand,
    },
}

/// Runs the command that was given.
pub async fn run() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve(flags) => serve::run(&flags).await,
        Command::Demo(flags) => demo::run(&flags).await,
        Command::Check { paths } => return check::run(&paths),
        Command::Import { folder, draft, flags } => import::run(&folder, draft, &flags).await,
        Command::Export { folder, site, overwrite, flags } => import::export(&folder, &site, overwrite, &flags).await,
        Command::Events(wanted) => events::run(*wanted).await,
        Command::Publish(chosen) => site::publish(&chosen, true).await,
        Command::Unpublish(chosen) => site::publish(&chosen, false).await,
        Command::Secret { site, rotate, flags } => site::secret(&site, rotate, &flags).await,
        Command::Key { command } => key::run(command).await,
        Command::Agent { command } => agent::run(command).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell_error(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Prints a line. Whoever reads it may have gone, which is no reason to stop.
fn tell(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout(), "{text}");
}

#[expect(clippy::print_stderr, reason = "a command's errors go to standard error")]
fn tell_error(text: &str) {
    eprintln!("{}", text.trim_end());
}

/// The settings of a command that does one thing and ends: it logs warnings only, unless it is told otherwise.
fn quiet(flags: &Flags) -> anyhow::Result<Settings> {
    let mut settings = Settings::read(flags)?;
    if flags.log.is_none() {
        "warn".clone_into(&mut settings.log);
    }
    start_log(&settings)?;
    Ok(settings)
}

fn start_log(settings: &Settings) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&settings.log).map_err(|error| anyhow::anyhow!("setting log: {error}"))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match settings.log_format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("the log cannot be started: {error}"))
}
