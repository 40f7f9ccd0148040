//! A site as files: `site.toml`, and `conversations/*.json`. So a customer keeps it in git.

use std::{fs, io, path::Path};

use porchlight_domain::{
    conversation::{Conversation, problems_in_words},
    id::ConversationId,
};

use crate::{
    outside::Outside,
    site::Site,
    store::{Command, Failure, Published, Tx},
};

/// The file of the site's settings.
pub const SITE_FILE: &str = "site.toml";
/// The folder of its conversations.
pub const CONVERSATIONS: &str = "conversations";

/// A site that was read without problems.
#[derive(Debug, Clone)]
pub struct SiteFiles {
    /// Its settings.
    pub site: Site,
    /// Its conversations.
    pub conversations: Vec<Conversation>,
}

impl SiteFiles {
    /// Reads files by name and text.
    ///
    /// # Errors
    /// Every problem of every file, a line each.
    pub fn read(files: &[(String, String)]) -> Result<Self, String> {
        let mut problems = String::new();
        let mut site = None;
        let mut conversations: Vec<(&str, Conversation)> = Vec::new();
        for (name, text) in files {
            if Path::new(name).file_name().is_some_and(|file| file == SITE_FILE) {
                match Site::read(text) {
                    Ok(read) => site = Some(read),
                    Err(error) => problems += &format!("{name}: {}\n", error.to_string().trim_end()),
                }
                continue;
            }
            match Conversation::read(text) {
                Ok(conversation) => {
                    if let Some((first, _)) = conversations.iter().find(|(_, other)| other.id == conversation.id) {
                        problems += &format!("{name}: the id \"{}\" is that of {first} already\n", conversation.id);
                    }
                    conversations.push((name, conversation));
                }
                Err(found) => problems += &problems_in_words(name, &found),
            }
        }
        match site {
            Some(site) if problems.is_empty() => {
                Ok(Self { site, conversations: conversations.into_iter().map(|(_, conversation)| conversation).collect() })
            }
            None if problems.is_empty() => Err(format!("{SITE_FILE} is missing\n")),
            _ => Err(problems),
        }
    }

    /// Reads a folder.
    ///
    /// # Errors
    /// Every problem of every file, a line each, or that a file cannot be read.
    pub fn read_folder(folder: &Path) -> Result<Self, String> {
        let text = |path: &Path| -> Result<(String, String), String> {
            let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}\n", path.display()))?;
            Ok((path.display().to_string(), text))
        };
        let mut files = vec![text(&folder.join(SITE_FILE))?];
        let conversations = folder.join(CONVERSATIONS);
        let listed = match fs::read_dir(&conversations) {
            Ok(listed) => listed.collect::<Result<Vec<_>, _>>(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        };
        let mut paths: Vec<_> =
            listed.map_err(|error| format!("{}: {error}\n", conversations.display()))?.iter().map(fs::DirEntry::path).collect();
        paths.sort();
        for path in paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "json")) {
            files.push(text(path)?);
        }
        Self::read(&files)
    }
}

/// Loads a site: its settings, and its conversations as published. Those it had and that are not among them are unpublished;
/// visitors who began one go on with it.
#[derive(Debug)]
pub struct Import {
    /// What to load.
    pub files: SiteFiles,
    /// The time of publication.
    pub outside: Outside,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// What is published now.
    pub published: Vec<Published>,
    /// What was taken out of publication.
    pub unpublished: Vec<ConversationId>,
}

impl Command for Import {
    type Done = Imported;
    type Refusal = std::convert::Infallible;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Imported, Failure<Self::Refusal>> {
        let SiteFiles { site, conversations } = self.files;
        tx.put_site(&site).await?;
        let before = tx.published(&site.key).await?;
        let mut published = Vec::new();
        for conversation in &conversations {
            published.push(tx.publish(&site.key, conversation, self.outside.now()).await?);
        }
        let mut unpublished = Vec::new();
        for Published { conversation, .. } in before {
            if !conversations.iter().any(|kept| kept.id == conversation) {
                tx.unpublish(&site.key, &conversation).await?;
                unpublished.push(conversation);
            }
        }
        Ok(Imported { published, unpublished })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_of_every_file_is_told() {
        let files = [
            ("a/site.toml".to_owned(), "key = \"demo\"\ntitle = \"\"\norigins = []".to_owned()),
            ("a/conversations/x.json".to_owned(), "{}".to_owned()),
        ];
        let problems = SiteFiles::read(&files).unwrap_err();
        assert!(problems.contains("a/site.toml: ") && problems.contains("title: expected"), "{problems}");
        assert!(problems.contains("a/conversations/x.json:1:1: \"cards\" is missing"), "{problems}");
    }

    #[test]
    fn two_conversations_of_one_id_are_refused() {
        let site = ("site.toml".to_owned(), "key = \"demo\"\ntitle = \"T\"\norigins = []".to_owned());
        let text = r#"{ "id": "w", "name": "W", "cards": [{ "id": "end", "card": "end" }] }"#;
        let conversation = |name: &str| (name.to_owned(), text.to_owned());
        assert_eq!(SiteFiles::read(&[site.clone(), conversation("a.json")]).unwrap().conversations.len(), 1);
        let problems = SiteFiles::read(&[site, conversation("a.json"), conversation("b.json")]).unwrap_err();
        assert!(problems.contains("b.json: the id \"w\" is that of a.json already"), "{problems}");
        assert!(SiteFiles::read(&[conversation("a.json")]).unwrap_err().contains("site.toml is missing"));
    }
}
