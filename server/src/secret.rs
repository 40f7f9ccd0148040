//! Secrets: 256 random bits, told once, stored hashed, never an id and never in an address.

use std::{fmt, str::FromStr};

use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// A secret. Its text is 43 characters of base64url.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

impl Secret {
    /// Takes random bits.
    #[must_use]
    pub const fn new(bits: [u8; 32]) -> Self {
        Self(bits)
    }

    /// The bits themselves, where they are a key of our own.
    #[must_use]
    pub const fn bits(&self) -> &[u8; 32] {
        &self.0
    }

    /// The secret as text, to tell its owner.
    #[must_use]
    pub fn reveal(&self) -> String {
        BASE64URL_NOPAD.encode(&self.0)
    }

    /// What is stored. A plain hash is enough: nobody can guess 256 random bits, however fast the hash.
    #[must_use]
    pub fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.0).to_vec()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A text is no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a secret of 43 characters")]
pub struct BadSecret;

impl FromStr for Secret {
    type Err = BadSecret;

    fn from_str(text: &str) -> Result<Self, BadSecret> {
        let bits = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| BadSecret)?;
        bits.try_into().map(Self).map_err(|_| BadSecret)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_survives_its_text_and_hides_from_logs() {
        let secret = Secret::new([7; 32]);
        assert_eq!(secret.reveal().len(), 43);
        assert_eq!(secret.reveal().parse(), Ok(secret.clone()));
        assert!(!format!("{secret:?}").contains(&secret.reveal()));
        assert_eq!("short".parse::<Secret>(), Err(BadSecret));
    }
}
