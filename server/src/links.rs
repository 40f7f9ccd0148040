//! Addresses that are written into letters, and believed when they come back: each carries the server's signature.

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, Mac};
use porchlight_domain::id::MeetingId;
use sha2::Sha256;

/// Signs addresses.
#[derive(Clone)]
pub(crate) struct Links {
    key: [u8; 32],
    base: String,
}

impl std::fmt::Debug for Links {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Links({})", self.base)
    }
}

impl Links {
    /// With the server's key for it, and the address at which browsers reach the server.
    pub(crate) fn new(key: [u8; 32], base: &str) -> Self {
        Self { key, base: base.trim_end_matches('/').to_owned() }
    }

    /// The address at which browsers reach the server, without a slash at its end.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// The host in it, by which ids are told apart from those of other servers.
    pub(crate) fn host(&self) -> &str {
        let rest = self.base.split_once("://").map_or(self.base.as_str(), |(_, rest)| rest);
        let host = rest.split(['/', ':']).next().unwrap_or_default();
        if host.is_empty() { "porchlight" } else { host }
    }

    fn mac(&self, meeting: MeetingId) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        // What it is for stands before it, so that it is good for nothing else.
        mac.update(b"meeting:");
        mac.update(meeting.uuid().as_bytes());
        Some(mac)
    }

    /// The path of the page at which a meeting is looked at, moved and called off by its guest. Whoever has it may.
    pub(crate) fn path_of(&self, meeting: MeetingId) -> String {
        let signature = self.mac(meeting).map(|mac| mac.finalize().into_bytes()).unwrap_or_default();
        format!("/meetings/{meeting}/{}", BASE64URL_NOPAD.encode(&signature))
    }

    /// Its whole address.
    pub(crate) fn address_of(&self, meeting: MeetingId) -> String {
        format!("{}{}", self.base, self.path_of(meeting))
    }

    /// Whether a signature is ours. Compared in a time that tells nothing.
    pub(crate) fn is_signed(&self, meeting: MeetingId, signature: &str) -> bool {
        let Ok(signature) = BASE64URL_NOPAD.decode(signature.as_bytes()) else { return false };
        self.mac(meeting).is_some_and(|mac| mac.verify_slice(&signature).is_ok())
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
        assert!(links.is_signed(one, signature));
        assert!(!links.is_signed(other, signature));
        assert!(!Links::new([2; 32], "").is_signed(one, signature));
        for tampered in ["", "x", &signature[1..], &format!("{signature}A"), &signature.to_lowercase()] {
            assert!(!links.is_signed(one, tampered), "{tampered}");
        }
        assert_eq!(links.host(), "chat.example.com");
        assert_eq!(Links::new([1; 32], "http://127.0.0.1:3000").host(), "127.0.0.1");
    }
}
