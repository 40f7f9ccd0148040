//! `porchlight check FILE…`

use std::{fs, path::PathBuf, process::ExitCode};

use porchlight_domain::conversation::{Conversation, problems_in_words};

use super::{tell, tell_error};

pub(super) fn run(files: &[PathBuf]) -> ExitCode {
    let mut good = true;
    for file in files {
        let name = file.display().to_string();
        match fs::read_to_string(file) {
            Err(error) => {
                good = false;
                tell_error(&format!("{name}: {error}"));
            }
            Ok(text) => match Conversation::read(&text) {
                Ok(conversation) => tell(&format!("{name}: good, {} cards", conversation.cards.len())),
                Err(problems) => {
                    good = false;
                    tell_error(&problems_in_words(&name, &problems));
                }
            },
        }
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
