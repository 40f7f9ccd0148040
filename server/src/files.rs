//! Files: documents and pictures of a site, and what visitors and agents send each other.

use porchlight_domain::{id::FileName, livechat::BadMessage};
use sha2::{Digest, Sha256};

use crate::store::SiteFile;

/// The kinds of files a site may have: ending and media type.
const KINDS: [(&str, &str); 6] = [
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
];
/// What may be sent in a chat besides.
const TEXT: (&str, &str) = ("txt", "text/plain");
/// The longest name of a file that is sent, in characters; a longer one loses of its beginning.
const NAME_MAX: usize = 100;

/// Why something cannot be a file of a site.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadFile {
    /// The ending is of no known kind.
    #[error("expected a name that ends in .pdf, .png, .jpg, .jpeg, .gif or .webp")]
    UnknownKind,
    /// The content does not begin as a file of its kind does.
    #[error("the content is no {0}, as the name says it is")]
    OtherContent(&'static str),
    /// It is too large.
    #[error("the file has {0} bytes; file_limit_bytes allows {1}")]
    TooLarge(usize, usize),
}

fn ending(name: &str) -> String {
    name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default()
}

/// Whether a content is what it is said to be, by its first bytes.
fn is_kind(content: &[u8], kind: &str) -> bool {
    infer::get(content).is_some_and(|found| found.mime_type() == kind)
}

/// Takes a file, if it is of a kind a site may have, and not too large.
///
/// # Errors
/// Why it cannot be taken.
pub fn read(name: FileName, content: Vec<u8>, limit: usize) -> Result<SiteFile, BadFile> {
    let ending = ending(name.as_str());
    let (_, kind) = KINDS.into_iter().find(|(known, _)| *known == ending).ok_or(BadFile::UnknownKind)?;
    if !is_kind(&content, kind) {
        return Err(BadFile::OtherContent(kind));
    }
    if content.len() > limit {
        return Err(BadFile::TooLarge(content.len(), limit));
    }
    let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(&content)[..12]);
    Ok(SiteFile { name, kind: kind.to_owned(), hash, content })
}

/// A file that somebody sends in a chat, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Upload {
    /// What the sender's machine calls it.
    pub(crate) name: String,
    /// What is in it.
    pub(crate) content: Vec<u8>,
}

/// A file that may be sent in a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attachment {
    /// Its name, without a path and without what cannot be seen.
    pub(crate) name: String,
    /// Its media type, which is what its content is.
    pub(crate) kind: &'static str,
    /// What is in it.
    pub(crate) content: Vec<u8>,
}

impl Upload {
    /// Takes it, if it is of a kind that may be sent, and not too large, in bytes.
    ///
    /// # Errors
    /// Why it cannot be taken.
    pub(crate) fn check(self, limit: usize) -> Result<Attachment, BadMessage> {
        let Self { name, content } = self;
        let name = clean(&name);
        let ending = ending(&name);
        let kinds = KINDS.into_iter().chain([TEXT]);
        let (_, kind) = kinds.into_iter().find(|(known, _)| *known == ending).ok_or(BadMessage::UnknownFile)?;
        let is_so = if kind == TEXT.1 { is_text(&content) } else { is_kind(&content, kind) };
        if !is_so {
            return Err(BadMessage::UnknownFile);
        }
        if content.len() > limit {
            return Err(BadMessage::FileTooLarge(limit));
        }
        Ok(Attachment { name, kind, content })
    }
}

/// Text is what people can read: UTF-8 without the signs that steer machines.
fn is_text(content: &[u8]) -> bool {
    let steers = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}');
    !content.is_empty() && std::str::from_utf8(content).is_ok_and(|text| !text.chars().any(steers))
}

/// The name alone: no path, nothing that cannot be seen or that turns the direction of what follows (a "gpj.exe" that reads "exe.jpg").
fn clean(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let seen = |c: &char| {
        !c.is_control()
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '"')
    };
    let name: Vec<char> = last.trim().chars().filter(seen).collect();
    name[name.len().saturating_sub(NAME_MAX)..].iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

    #[test]
    fn only_what_it_says_it_is_is_taken_up_to_the_limit() {
        let read = |name: &str, content: &[u8], limit| super::read(name.parse().unwrap(), content.to_vec(), limit);
        assert_eq!(read("guide.PDF", b"%PDF-1.7", 8).unwrap().kind, "application/pdf");
        assert_eq!(read("guide.pdf", b"%PDF-1.7", 7).unwrap_err(), BadFile::TooLarge(8, 7));
        assert_eq!(read("guide.pdf", b"<html>", 100).unwrap_err(), BadFile::OtherContent("application/pdf"));
        assert_eq!(read("guide.html", b"<html>", 100).unwrap_err(), BadFile::UnknownKind);
        assert_eq!(read("picture.svg", b"<svg>", 100).unwrap_err(), BadFile::UnknownKind);
        assert_eq!(read("notes.txt", b"Hello", 100).unwrap_err(), BadFile::UnknownKind);
    }

    fn check(name: &str, content: &[u8], limit: usize) -> Result<Attachment, BadMessage> {
        Upload { name: name.to_owned(), content: content.to_vec() }.check(limit)
    }

    #[test]
    fn what_is_sent_in_a_chat_is_what_it_says_it_is() {
        for (name, content, kind) in [
            ("a.png", PNG, "image/png"),
            ("photo.JPG", b"\xff\xd8\xff\xe0rest", "image/jpeg"),
            ("a.gif", b"GIF89a", "image/gif"),
            ("a.webp", b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
            ("a.pdf", b"%PDF-1.7", "application/pdf"),
            ("grüße.txt", "Grüße\r\n\tdu".as_bytes(), "text/plain"),
        ] {
            assert_eq!(check(name, content, 100).unwrap().kind, kind, "{name}");
        }
        for (name, content) in [
            ("a.html", b"<html>".as_slice()),
            ("a.svg", b"<svg>"),
            ("a.exe", b"MZ"),
            ("a.png", b"<html>"),
            ("a.txt", b"a\0b"),
            ("a.txt", b"\xff\xfe"),
            ("a.txt", b""),
            ("a.bat", b"echo"),
            ("png", PNG),
            ("", PNG),
        ] {
            assert_eq!(check(name, content, 100).unwrap_err(), BadMessage::UnknownFile, "{name}");
        }
    }

    #[test]
    fn the_limit_is_the_largest_that_may_be_sent() {
        assert!(check("a.txt", b"12345678", 8).is_ok());
        assert_eq!(check("a.txt", b"123456789", 8).unwrap_err(), BadMessage::FileTooLarge(8));
    }

    #[test]
    fn a_name_is_a_name_and_no_path() {
        let name = |name: &str| check(name, PNG, 100).unwrap().name;
        assert_eq!(name("C:\\secret\\a.png"), "a.png");
        assert_eq!(name("../../etc/ä b.png"), "ä b.png");
        assert_eq!(name("evil\u{202e}gnp\u{0}\n\".png"), "evilgnp.png");
        let long = name(&format!("{}.png", "x".repeat(500)));
        assert_eq!((long.len(), long.ends_with(".png")), (NAME_MAX, true));
    }
}
