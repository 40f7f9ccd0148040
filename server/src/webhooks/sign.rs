//! Signatures, as the [Standard Webhooks](https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md)
//! specification has them.

use std::fmt;

use data_encoding::BASE64;
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use porchlight_domain::id::EventId;
use sha2::Sha256;

use crate::secret::Secret;

/// How a secret begins in text.
const PREFIX: &str = "whsec_";

/// A secret that is shared with whoever receives.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(Vec<u8>);

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

/// A text is no such secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected whsec_ and base64 of 24 to 64 bytes")]
pub struct BadWebhookSecret;

impl WebhookSecret {
    /// A secret of random bits.
    #[must_use]
    pub fn new(random: &Secret) -> Self {
        Self(random.bits().to_vec())
    }

    /// The secret as text, for whoever is to verify with it.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", BASE64.encode(&self.0))
    }
}

impl std::str::FromStr for WebhookSecret {
    type Err = BadWebhookSecret;

    fn from_str(text: &str) -> Result<Self, BadWebhookSecret> {
        let bytes = text.strip_prefix(PREFIX).and_then(|text| BASE64.decode(text.as_bytes()).ok()).ok_or(BadWebhookSecret)?;
        // The lengths of the specification.
        if (24..=64).contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(BadWebhookSecret) }
    }
}

/// Signs with all secrets that are live.
#[derive(Debug, Clone)]
pub struct Signer<'a> {
    secrets: Vec<&'a WebhookSecret>,
}

impl<'a> Signer<'a> {
    /// One that signs with these.
    #[must_use]
    pub const fn new(secrets: Vec<&'a WebhookSecret>) -> Self {
        Self { secrets }
    }

    /// The value of `webhook-signature`: a signature for each secret, so that whoever receives may have either.
    #[must_use]
    pub fn sign(&self, id: EventId, at: Timestamp, body: &[u8]) -> String {
        let head = format!("{id}.{}.", at.as_second());
        let signatures: Vec<String> = self
            .secrets
            .iter()
            .filter_map(|secret| {
                // HMAC takes keys of every length.
                let mut mac = Hmac::<Sha256>::new_from_slice(&secret.0).ok()?;
                mac.update(head.as_bytes());
                mac.update(body);
                Some(format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes())))
            })
            .collect();
        signatures.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's own libraries.
    #[test]
    fn the_published_example_is_signed_as_published() {
        let secret: WebhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&secret.0).unwrap();
        mac.update(b"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}");
        assert_eq!(BASE64.encode(&mac.finalize().into_bytes()), "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_survives_its_text_and_hides_from_logs() {
        let secret = WebhookSecret::new(&Secret::new([7; 32]));
        assert_eq!(secret.reveal().parse(), Ok(secret.clone()));
        assert!(!format!("{secret:?}").contains(&secret.reveal()));
        for bad in ["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_%%%"] {
            assert_eq!(bad.parse::<WebhookSecret>(), Err(BadWebhookSecret), "{bad}");
        }
    }
}
