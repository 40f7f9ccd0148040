//! `porchlight check PATH…`

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use porchlight_domain::conversation::{Conversation, problems_in_words};

use super::{tell, tell_error};
use crate::{settings::Settings, site_files::SiteFiles};

pub(super) fn run(paths: &[PathBuf]) -> ExitCode {
    let mut good = true;
    for path in paths {
        match if path.is_dir() { site(path) } else { conversation(path) } {
            Ok(told) => tell(&told),
            Err(problems) => {
                good = false;
                tell_error(&problems);
            }
        }
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A conversation by itself: what it takes from other files is not looked for.
fn conversation(file: &Path) -> Result<String, String> {
    let name = file.display().to_string();
    let text = fs::read_to_string(file).map_err(|error| format!("{name}: {error}"))?;
    match Conversation::read(&text) {
        Ok(conversation) => Ok(format!("{name}: good, {} cards", conversation.cards.len())),
        Err(problems) => Err(problems_in_words(&name, &problems)),
    }
}

/// A whole site: every file of it, and how they fit together.
fn site(folder: &Path) -> Result<String, String> {
    let files = SiteFiles::read_folder(folder, Settings::default().file_limit_bytes)?;
    let (conversations, shown) = (files.conversations.len(), files.files.len());
    Ok(format!("{}: good, site {} with {conversations} conversations and {shown} files", folder.display(), files.site.key))
}
