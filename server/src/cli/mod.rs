//! The command line: one file a command.

mod check;
mod demo;
mod import;
mod key;
mod serve;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
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
    /// Checks conversation files and reports every problem with its place
    Check {
        /// The files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Loads a site from a folder with site.toml and conversations/*.json
    Import {
        /// The folder
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        #[command(flatten)]
        flags: Flags,
    },
    /// Manages the keys of the API
    Key {
        #[command(subcommand)]
        command: key::KeyCommand,
    },
}

/// Runs the command that was given.
pub async fn run() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve(flags) => serve::run(&flags).await,
        Command::Demo(flags) => demo::run(&flags).await,
        Command::Check { files } => return check::run(&files),
        Command::Import { folder, flags } => import::run(&folder, &flags).await,
        Command::Key { command } => key::run(&command).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell_error(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "what a command was asked for goes to standard output")]
fn tell(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "a command's errors go to standard error")]
fn tell_error(text: &str) {
    eprintln!("{}", text.trim_end());
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
