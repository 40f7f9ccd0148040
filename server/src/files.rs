//! Files of a site: documents that cards show, and pictures.

use porchlight_domain::id::FileName;
use sha2::{Digest, Sha256};

use crate::store::SiteFile;

/// The kinds of files a site may have: ending, media type, and how their content begins.
const KINDS: [(&str, &str, &[u8]); 6] = [
    ("pdf", "application/pdf", b"%PDF-"),
    ("png", "image/png", b"\x89PNG\r\n\x1a\n"),
    ("jpg", "image/jpeg", b"\xff\xd8\xff"),
    ("jpeg", "image/jpeg", b"\xff\xd8\xff"),
    ("gif", "image/gif", b"GIF8"),
    ("webp", "image/webp", b"RIFF"),
];

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

/// Takes a file, if it is of a kind a site may have, and not too large.
///
/// # Errors
/// Why it cannot be taken.
pub fn read(name: FileName, content: Vec<u8>, limit: usize) -> Result<SiteFile, BadFile> {
    let ending = name.as_str().rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    let (_, kind, begins) = KINDS.into_iter().find(|(known, _, _)| *known == ending).ok_or(BadFile::UnknownKind)?;
    if !content.starts_with(begins) {
        return Err(BadFile::OtherContent(kind));
    }
    if content.len() > limit {
        return Err(BadFile::TooLarge(content.len(), limit));
    }
    let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(&content)[..12]);
    Ok(SiteFile { name, kind: kind.to_owned(), hash, content })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_it_says_it_is_is_taken_up_to_the_limit() {
        let read = |name: &str, content: &[u8], limit| super::read(name.parse().unwrap(), content.to_vec(), limit);
        assert_eq!(read("guide.PDF", b"%PDF-1.7", 8).unwrap().kind, "application/pdf");
        assert_eq!(read("guide.pdf", b"%PDF-1.7", 7).unwrap_err(), BadFile::TooLarge(8, 7));
        assert_eq!(read("guide.pdf", b"<html>", 100).unwrap_err(), BadFile::OtherContent("application/pdf"));
        assert_eq!(read("guide.html", b"<html>", 100).unwrap_err(), BadFile::UnknownKind);
        assert_eq!(read("picture.svg", b"<svg>", 100).unwrap_err(), BadFile::UnknownKind);
    }
}
