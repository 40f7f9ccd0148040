//! `porchlight events`: the log as a file.

use std::{
    fs::{self, File},
    io::{BufWriter, IsTerminal as _, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
use jiff::Timestamp;
use porchlight_domain::{event::EventType, id::SiteKey};

use super::{quiet, serve};
use crate::{
    export::{EventExport, ExportFormat},
    settings::Flags,
    store::{EventFilter, Store},
};

#[derive(Debug, clap::Args)]
pub(super) struct Wanted {
    /// A line of JSON an event, or a table
    #[arg(long, default_value = "ndjson")]
    format: ExportFormat,
    /// The file to write, in the place of one that is there; - for standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The key of a site; may be given several times; without one, all sites
    #[arg(long = "site", value_name = "KEY")]
    sites: Vec<SiteKey>,
    /// A type of events, such as conversation.engaged; may be given several times, or with commas between; without one, all types
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',')]
    kinds: Vec<EventType>,
    /// What happened at this time or later, such as 2026-11-01T00:00:00Z
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// What happened before this time
    #[arg(long, value_name = "TIME")]
    to: Option<Timestamp>,
    #[command(flatten)]
    flags: Flags,
}

pub(super) async fn run(wanted: Wanted) -> anyhow::Result<()> {
    let settings = quiet(&wanted.flags)?;
    let store = serve::open(&settings).await?;
    let done = write(&store, wanted).await;
    store.close().await;
    done
}

async fn write(store: &Store, wanted: Wanted) -> anyhow::Result<()> {
    let Wanted { format, out, sites, kinds, from, to, flags: _ } = wanted;
    let filter = EventFilter { kinds, sites: Some(sites).filter(|sites| !sites.is_empty()), from, to, ..EventFilter::default() };
    let export = EventExport::begin(store, filter, format).await?;
    if out == Path::new("-") {
        return copy(export, &mut BufWriter::new(std::io::stdout())).await;
    }
    // What has its name is whole: it is written under another first.
    let name = out.file_name().ok_or_else(|| anyhow!("{} is not the name of a file", out.display()))?;
    let partial = out.with_file_name(format!(".{}.partial", name.to_string_lossy()));
    let written = write_whole(export, &partial, &out).await;
    if written.is_err() {
        // There may be none.
        let _ = fs::remove_file(&partial);
    }
    written.with_context(|| format!("{} could not be written", out.display()))
}

async fn write_whole(export: EventExport, partial: &Path, out: &Path) -> anyhow::Result<()> {
    let mut file = BufWriter::new(File::create(partial)?);
    copy(export, &mut file).await?;
    file.get_ref().sync_all()?;
    Ok(fs::rename(partial, out)?)
}

/// Writes an export, and says how far it is.
async fn copy(mut export: EventExport, file: &mut impl Write) -> anyhow::Result<()> {
    let mut progress = Progress { total: export.total, done: 0, is_watched: std::io::stderr().is_terminal() };
    while let Some((piece, count)) = export.next().await? {
        file.write_all(piece.as_bytes())?;
        progress.go_on(count);
    }
    file.flush()?;
    progress.end();
    Ok(())
}

struct Progress {
    total: u64,
    done: u64,
    /// Whether a person watches: then the line is written again and again.
    is_watched: bool,
}

impl Progress {
    fn go_on(&mut self, count: u64) {
        self.done += count;
        if self.is_watched {
            // Whoever watches may have gone, which is no reason to stop.
            let _ = write!(std::io::stderr(), "\r{}", self.in_words());
        }
    }

    fn end(&self) {
        let begin = if self.is_watched { "\r" } else { "" };
        let _ = writeln!(std::io::stderr(), "{begin}{}", self.in_words());
    }

    fn in_words(&self) -> String {
        let share = self.done.saturating_mul(100).checked_div(self.total).unwrap_or(100);
        format!("{} of {} events ({share} %)", grouped(self.done), grouped(self.total))
    }
}

/// A number with a comma after each thousand.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_told_in_words() {
        for (done, total, expected) in [
            (0, 0, "0 of 0 events (100 %)"),
            (0, 7, "0 of 7 events (0 %)"),
            (12_000, 100_000, "12,000 of 100,000 events (12 %)"),
            (999, 1_234_567, "999 of 1,234,567 events (0 %)"),
            (100, 100, "100 of 100 events (100 %)"),
        ] {
            assert_eq!(Progress { total, done, is_watched: false }.in_words(), expected);
        }
    }
}
