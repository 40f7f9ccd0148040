//! Addresses that are written into letters, and believed when they come back: each carries the server's signature.

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, Mac};
use porchlight_domain::id::MeetingId;
use sha2::Sha256;

/// What the holder of an address may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum May {
    /// Look at a meeting, move it, and call it off.
    Change,
    /// Read it as a file.
    Read,
}

/// Signs addresses.
#[derive(Clone)]
pub(crate) struct Links {
    key: [u8; 32],
    base: String,
    host: String,
}

impl std::fmt::Debug for Links {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Links({})", self.base)
    }
}

impl Links {
    /// With the server's key for it, and the address at which browsers reach the server.
    pub(crate) fn new(key: [u8; 32], base: &str) -> Self {
        let host = url::Url::parse(base).ok().and_then(|url| url.host_str().map(str::to_owned));
        Self { key, base: base.trim_end_matches('/').to_owned(), host: host.unwrap_or_else(|| "porchlight".to_owned()) }
    }

    /// The address at which browsers reach the server, without a slash at its end.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// The host in it, by which ids are told apart from those of other servers.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Where agents see the meetings.
    pub(crate) fn meetings(&self) -> String {
        format!("{}/console/meetings", self.base)
    }

    fn mac(&self, may: May, meeting: MeetingId) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        // What it is for stands before it, so that it is good for nothing else.
        mac.update(match may {
            May::Change => b"meeting:",
            May::Read => b"meeting.ics:",
        });
        mac.update(meeting.uuid().as_bytes());
        Some(mac)
    }

    /// The path of the page at which a meeting is looked at, moved and called off by its guest. Whoever has it may.
    pub(crate) fn path_of(&self, meeting: MeetingId) -> String {
        format!("/meetings/{meeting}/{}", self.signature(May::Change, meeting))
    }

    fn signature(&self, may: May, meeting: MeetingId) -> String {
        BASE64URL_NOPAD.encode(&self.mac(may, meeting).map(|mac| mac.finalize().into_bytes()).unwrap_or_default())
    }

    /// The address at which a meeting is read as an iCalendar file, and at which nothing can be changed.
    pub(crate) fn ics_of(&self, meeting: MeetingId) -> String {
        format!("{}/meetings/{meeting}/{}/meeting.ics", self.base, self.signature(May::Read, meeting))
    }

    /// Its whole address.
    pub(crate) fn address_of(&self, meeting: MeetingId) -> String {
        format!("{}{}", self.base, self.path_of(meeting))
    }

    /// Whether a signature is ours, and lets its holder do this. Compared in a time that tells nothing.
    pub(crate) fn is_signed(&self, may: May, meeting: MeetingId, signature: &str) -> bool {
        let Ok(signature) = BASE64URL_NOPAD.decode(signature.as_bytes()) else { return false };
        self.mac(may, meeting).is_some_and(|mac| mac.verify_slice(&signature).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use porchlight_domain::id::uuid_v7;

    use super::*;

    #[test]
    fn a_signature_is_of_one_meeting_and_one_server() {
        let links = Links::new([1; 32], "https://chat.example.com/");
        let (one, other) = (MeetingId::new(uuid_v7(1, &[1; 10])), MeetingId::new(uuid_v7(1, &[2; 10])));
        let address = links.address_of(one);
        let signature = address.rsplit('/').next().unwrap();
        assert!(address.starts_with(&format!("https://chat.example.com/meetings/{one}/")), "{address}");
        assert!(links.is_signed(May::Change, one, signature));
        assert!(!links.is_signed(May::Read, one, signature));
        assert!(!links.is_signed(May::Change, other, signature));
        assert!(!Links::new([2; 32], "").is_signed(May::Change, one, signature));
        let file = links.ics_of(one);
        let reads = file.strip_suffix("/meeting.ics").and_then(|file| file.rsplit('/').next()).unwrap();
        assert!(links.is_signed(May::Read, one, reads));
        assert!(!links.is_signed(May::Change, one, reads), "who may read it may not change it");
        for tampered in ["", "x", &signature[1..], &format!("{signature}A"), &signature.to_lowercase()] {
            assert!(!links.is_signed(May::Change, one, tampered), "{tampered}");
        }
        assert_eq!(links.host(), "chat.example.com");
        assert_eq!(Links::new([1; 32], "http://127.0.0.1:3000").host(), "127.0.0.1");
    }
}
