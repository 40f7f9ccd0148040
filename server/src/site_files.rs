//! A site as files: `site.toml`, `conversations/*.json` and `files/*`. So a customer keeps it in git.

use std::{fs, io, path::Path};

use jiff::Timestamp;
use porchlight_domain::{
    conversation::{Conversation, problems_in_words},
    id::{ConversationId, FileName, SiteKey},
};

use crate::{
    files,
    outside::Outside,
    publish::{self, NotPublished, Outcome, Sources},
    site::Site,
    store::{Actor, AuditEntry, Command, Failure, SiteFile, StoreError, Tx},
};

/// The file of the site's settings.
pub const SITE_FILE: &str = "site.toml";
/// The folder of its conversations.
pub const CONVERSATIONS: &str = "conversations";
/// The folder of its files.
pub const FILES: &str = "files";

/// A site that was read without problems.
#[derive(Debug, Clone)]
pub struct SiteFiles {
    /// Its settings.
    pub site: Site,
    /// The settings as they are written.
    pub source: String,
    /// Its conversations as they are written.
    pub conversations: Sources,
    /// Its files.
    pub files: Vec<SiteFile>,
}

impl SiteFiles {
    /// Reads files by name and content, of which each file of the site may have so many bytes.
    ///
    /// # Errors
    /// Every problem of every file, a line each.
    pub fn read(named: Vec<(String, Vec<u8>)>, limit: usize) -> Result<Self, String> {
        let mut problems = String::new();
        let mut site = None;
        let mut conversations = Sources::new();
        let mut names: Vec<(ConversationId, String)> = Vec::new();
        let mut files = Vec::new();
        for (name, content) in named {
            let path = Path::new(&name);
            if path.parent().and_then(Path::file_name).is_some_and(|folder| folder == FILES) {
                match file(path, content, limit) {
                    Ok(file) => files.push(file),
                    Err(error) => problems += &format!("{name}: {error}\n"),
                }
                continue;
            }
            let Ok(text) = String::from_utf8(content) else {
                problems += &format!("{name}: expected text in UTF-8\n");
                continue;
            };
            if path.file_name().is_some_and(|file| file == SITE_FILE) {
                match Site::read(&text) {
                    Ok(read) => site = Some((read, text)),
                    Err(found) => problems += &problems_in_words(&name, &found),
                }
                continue;
            }
            match Conversation::read(&text) {
                Ok(conversation) => {
                    if let Some((_, first)) = names.iter().find(|(id, _)| *id == conversation.id) {
                        problems += &format!("{name}: the id \"{}\" is that of {first} already\n", conversation.id);
                    }
                    names.push((conversation.id.clone(), name));
                    conversations.insert(conversation.id, text);
                }
                Err(found) => problems += &problems_in_words(&name, &found),
            }
        }
        let has_file = |wanted: &FileName| files.iter().any(|file| file.name == *wanted);
        if problems.is_empty()
            && let Err(wrong) = publish::link(&conversations, &has_file)
        {
            for wrong in wrong {
                let name = names.iter().find(|(id, _)| *id == wrong.conversation).map_or(CONVERSATIONS, |(_, name)| name);
                problems += &problems_in_words(name, &[wrong.problem]);
            }
        }
        if let Some((Site { theme, .. }, _)) = &site
            && let Some(avatar) = theme.avatar.as_ref().filter(|avatar| !has_file(avatar))
        {
            problems += &format!("{SITE_FILE}: theme.avatar: there is no file {FILES}/{avatar}\n");
        }
        for (index, contact) in site.iter().flat_map(|(site, _)| site.contacts.iter().enumerate()) {
            if let Some(conversation) = contact.conversation.as_ref().filter(|id| !conversations.contains_key(*id)) {
                problems +=
                    &format!("{SITE_FILE}: contacts[{index}].conversation: there is no conversation \"{conversation}\"\n");
            }
        }
        match site {
            Some((site, source)) if problems.is_empty() => Ok(Self { site, source, conversations, files }),
            None if problems.is_empty() => Err(format!("{SITE_FILE} is missing\n")),
            _ => Err(problems),
        }
    }

    /// Reads a folder.
    ///
    /// # Errors
    /// Every problem of every file, a line each, or that a file cannot be read.
    pub fn read_folder(folder: &Path, limit: usize) -> Result<Self, String> {
        let told = |path: &Path, error: io::Error| format!("{}: {error}\n", path.display());
        let mut paths = vec![folder.join(SITE_FILE)];
        for name in [CONVERSATIONS, FILES] {
            let folder = folder.join(name);
            if !folder.exists() {
                continue;
            }
            let listed = fs::read_dir(&folder).map_err(|error| told(&folder, error))?;
            let mut found = Vec::new();
            for entry in listed {
                let path = entry.map_err(|error| told(&folder, error))?.path();
                let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
                if !hidden && path.is_file() && (name == FILES || path.extension().is_some_and(|ending| ending == "json")) {
                    found.push(path);
                }
            }
            found.sort();
            paths.extend(found);
        }
        let mut named = Vec::new();
        for path in paths {
            named.push((path.display().to_string(), fs::read(&path).map_err(|error| told(&path, error))?));
        }
        Self::read(named, limit)
    }

    /// Writes the site into a folder, which is made if it is not there.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write_folder(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder.join(CONVERSATIONS))?;
        fs::write(folder.join(SITE_FILE), &self.source)?;
        for (id, source) in &self.conversations {
            fs::write(folder.join(CONVERSATIONS).join(format!("{id}.json")), source)?;
        }
        if !self.files.is_empty() {
            fs::create_dir_all(folder.join(FILES))?;
        }
        for file in &self.files {
            fs::write(folder.join(FILES).join(file.name.as_str()), &file.content)?;
        }
        Ok(())
    }
}

fn file(path: &Path, content: Vec<u8>, limit: usize) -> Result<SiteFile, String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.parse::<FileName>().map_err(|error| error.to_string())?;
    files::read(name, content, limit).map_err(|error| error.to_string())
}

/// Loads a site: its settings, its files, and its conversations as drafts, which are then published unless it is told otherwise. What the
/// site had and the files have not is thrown away and taken out of publication.
pub struct Import {
    /// What to load.
    pub files: SiteFiles,
    /// Whether the conversations are published, too.
    pub publish: bool,
    /// The time of publication, and the secret of a new site.
    pub outside: Outside,
}

impl Command for Import {
    type Done = Outcome;
    type Refusal = String;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Outcome, Failure<String>> {
        let SiteFiles { site, source, conversations, files } = self.files;
        let now = self.outside.now();
        let changed = tx.site(&site.key).await?.is_none_or(|known| known.source != source);
        tx.put_site(&site, &source, &self.outside.new_secret()).await?;
        if changed {
            note(tx, &site.key, "site.changed", site.key.as_str(), now).await?;
        }
        let known = tx.file_names(&site.key).await?;
        for (name, _) in &known {
            // A file that is still shown to somebody, by an older version, stays.
            if self.publish && !files.iter().any(|file| file.name == *name) {
                tx.remove_file(&site.key, name).await?;
                note(tx, &site.key, "file.removed", name.as_str(), now).await?;
            }
        }
        for file in &files {
            tx.put_file(&site.key, file).await?;
            if !known.iter().any(|(name, hash)| file.name == *name && file.hash == *hash) {
                note(tx, &site.key, "file.put", file.name.as_str(), now).await?;
            }
        }
        let drafts = tx.drafts(&site.key).await?;
        for draft in &drafts {
            if !conversations.contains_key(&draft.conversation) {
                tx.remove_draft(&site.key, &draft.conversation).await?;
                note(tx, &site.key, "draft.removed", draft.conversation.as_str(), now).await?;
            }
        }
        for (id, source) in &conversations {
            tx.put_draft(&site.key, id, source, now).await?;
            if !drafts.iter().any(|draft| draft.conversation == *id && draft.source == *source) {
                note(tx, &site.key, "draft.changed", id.as_str(), now).await?;
            }
        }
        if !self.publish {
            return Ok(Outcome::default());
        }
        let before = tx.published(&site.key).await?;
        let out: Vec<_> =
            before.into_iter().map(|known| known.conversation).filter(|id| !conversations.contains_key(id)).collect();
        match publish::publish(tx, &site.key, conversations, &out, &Actor::CommandLine, now).await {
            Ok(outcome) => Ok(outcome),
            Err(NotPublished::Store(error)) => Err(error.into()),
            Err(NotPublished::Wrong(wrong)) => {
                Err(Failure::Refused(wrong.iter().map(|wrong| format!("{}: {}\n", wrong.conversation, wrong.problem)).collect()))
            }
        }
    }
}

/// Notes what an import has changed: files of a site are loaded by whoever has the machine.
async fn note(tx: &mut Tx<'_>, site: &SiteKey, action: &'static str, subject: &str, at: Timestamp) -> Result<(), StoreError> {
    let (actor, detail) = (&Actor::CommandLine, serde_json::json!({ "imported": true }));
    tx.audit(AuditEntry { actor, action, site: Some(site), subject, detail, at }).await
}

/// Reads a site back as the files it came from: its drafts, not what is published.
pub struct Export(
    /// Which site.
    pub SiteKey,
);

impl Command for Export {
    type Done = Option<SiteFiles>;
    type Refusal = std::convert::Infallible;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Option<SiteFiles>, Failure<Self::Refusal>> {
        let Some(head) = tx.site(&self.0).await? else { return Ok(None) };
        let mut conversations: Sources =
            tx.drafts(&self.0).await?.into_iter().map(|draft| (draft.conversation, draft.source)).collect();
        // What was published before there were drafts has none.
        for known in tx.published_sources(&self.0).await? {
            conversations.entry(known.published.conversation).or_insert(known.source);
        }
        let mut files = Vec::new();
        for (name, _) in tx.file_names(&self.0).await? {
            files.extend(tx.file(&self.0, &name).await?);
        }
        Ok(Some(SiteFiles { site: head.site, source: head.source, conversations, files }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(files: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
        files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
    }

    fn read(files: &[(&str, &str)]) -> Result<SiteFiles, String> {
        SiteFiles::read(named(files), 1000)
    }

    const SITE: (&str, &str) = ("site.toml", "key = \"demo\"\ntitle = \"T\"\norigins = []");

    #[test]
    fn every_problem_of_every_file_is_told() {
        let files = [
            ("a/site.toml", "key = \"demo\"\ntitle = \"\"\norigins = []"),
            ("a/conversations/x.json", "{}"),
            ("a/files/x.svg", "<svg>"),
        ];
        let problems = read(&files).unwrap_err();
        assert!(problems.contains("a/site.toml:2:1: ") && problems.contains("title: expected"), "{problems}");
        assert!(problems.contains("a/conversations/x.json:1:1: \"cards\" is missing"), "{problems}");
        assert!(problems.contains("a/files/x.svg: expected a name that ends in"), "{problems}");
    }

    #[test]
    fn two_conversations_of_one_id_are_refused() {
        let text = r#"{ "id": "w", "name": "W", "cards": [{ "id": "end", "card": "end" }] }"#;
        assert_eq!(read(&[SITE, ("a.json", text)]).unwrap().conversations.len(), 1);
        let problems = read(&[SITE, ("a.json", text), ("b.json", text)]).unwrap_err();
        assert!(problems.contains("b.json: the id \"w\" is that of a.json already"), "{problems}");
        assert!(read(&[("a.json", text)]).unwrap_err().contains("site.toml is missing"));
    }

    #[test]
    fn what_is_only_seen_with_the_other_files_is_told_with_its_place() {
        let text = r#"{ "id": "w", "name": "W", "cards": [
  { "id": "doc", "card": "document", "text": "Read", "title": "Guide", "file": "guide.pdf" },
  { "id": "sub", "card": "subFlow", "conversation": "elsewhere" },
  { "id": "end", "card": "end" }
] }"#;
        let problems = read(&[SITE, ("a.json", text)]).unwrap_err();
        assert!(problems.contains("a.json:2:80: /cards/0/file: the site has no file \"guide.pdf\""), "{problems}");
        assert!(problems.contains("a.json:3:53: /cards/1/conversation: there is no conversation \"elsewhere\""), "{problems}");
        let round = r#"{ "id": "w", "name": "W", "cards": [{ "id": "sub", "card": "subFlow", "conversation": "w" }, { "id": "end", "card": "end" }] }"#;
        assert!(read(&[SITE, ("a.json", round)]).unwrap_err().contains("would run itself for ever"));
    }
}
