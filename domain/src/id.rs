//! Names of things: one newtype an entity, so that a visitor's id is never taken for a session's.
//!
//! Entities that Porchlight makes carry a UUIDv7 ([RFC 9562 §5.7](https://www.rfc-editor.org/rfc/rfc9562#section-5.7)): it sorts by
//! the time it was made, and it is a name, never a secret. Things that people author carry a short [`Slug`]-shaped name of their own choice.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Makes a UUIDv7 from the time it is made, in milliseconds since 1970, and ten random bytes.
#[must_use]
pub fn uuid_v7(unix_millis: u64, random: &[u8; 10]) -> Uuid {
    uuid::Builder::from_unix_timestamp_millis(unix_millis, random).into_uuid()
}

/// A text was not an id of the kind it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, got {got:?}")]
pub struct BadId {
    /// What would have been right, in words.
    pub expected: &'static str,
    /// What came, cut to 80 characters.
    pub got: String,
}

impl BadId {
    fn new(expected: &'static str, got: &str) -> Self {
        Self { expected, got: got.chars().take(80).collect() }
    }
}

macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Takes a UUID that is known to be a version 7.
            #[must_use]
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID itself.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                match Uuid::try_parse(text) {
                    Ok(uuid) if uuid.get_version_num() == 7 => Ok(Self(uuid)),
                    _ => Err(BadId::new("a UUID of version 7", text)),
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

uuid_ids! {
    /// Names one event, the same on the page, in the log and in a webhook.
    EventId;
    /// Names a visitor of one site.
    VisitorId;
    /// Names one session of a visitor; Adobe's `sid`.
    SessionId;
    /// Names one load of a host page: the events a page's visitor causes are told to that page and to no other.
    PageViewId;
    /// Names one submission of an answer, so that sending it twice answers once.
    AnswerId;
    /// Names one live chat: from the visitor's request for an agent to its end.
    ChatId;
    /// Names an agent: a person who signs in to the console.
    AgentId;
    /// Names one meeting, from the moment its time is held.
    MeetingId;
    /// Names one call back.
    CallbackId;
    /// Names one form that a visitor filled in.
    SubmissionId;
    /// Names one endpoint that events are sent to.
    EndpointId;
}

/// The longest authored name, in characters.
pub const SLUG_MAX: usize = 64;
const SLUG_PATTERN: &str = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$";
const SLUG_EXPECTED: &str = "1 to 64 letters, digits, - or _, beginning with a letter or digit";

/// Whether a text can be an authored name: 1 to 64 of `A-Z a-z 0-9 _ -`, beginning with a letter or digit.
#[must_use]
pub fn is_slug(text: &str) -> bool {
    text.len() <= SLUG_MAX
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// The longest name of a card within sub-flows, in characters.
const PATH_MAX: usize = 512;

/// Whether a text can name a card: an authored name, or several joined by `.` where sub-flows run sub-flows.
fn is_path(text: &str) -> bool {
    text.len() <= PATH_MAX && text.split('.').all(is_slug)
}

const FILE_PATTERN: &str = "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$";
const FILE_EXPECTED: &str = "the name of a file: 1 to 100 letters, digits, -, _ or ., beginning with a letter or digit";

fn is_file_name(text: &str) -> bool {
    text.len() <= 100
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

macro_rules! slugs {
    ($($(#[$doc:meta])* $name:ident: $valid:ident, $pattern:ident, $expected:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                if $valid(text) { Ok(Self(text.to_owned())) } else { Err(BadId::new($expected, text)) }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    )*};
}

slugs! {
    /// The public key of a site, as in `data-site`.
    SiteKey: is_slug, SLUG_PATTERN, SLUG_EXPECTED;
    /// Names a conversation within its site.
    ConversationId: is_slug, SLUG_PATTERN, SLUG_EXPECTED;
    /// Names a card within its conversation; one of a sub-flow after the card that runs it, as `contact.email`.
    CardId: is_path, SLUG_PATTERN, SLUG_EXPECTED;
    /// Names an attribute of a visitor, such as `email` or `topic`.
    AttributeName: is_slug, SLUG_PATTERN, SLUG_EXPECTED;
    /// Names a file of a site.
    FileName: is_file_name, FILE_PATTERN, FILE_EXPECTED;
    /// Names a team of agents within a site.
    TeamId: is_slug, SLUG_PATTERN, SLUG_EXPECTED;
}

impl CardId {
    /// This card as one of the sub-flow that another card runs.
    #[must_use]
    pub fn within(&self, runs: &Self) -> Self {
        Self(format!("{runs}.{self}"))
    }

    /// Whether it is one of the sub-flow that another card runs.
    pub(crate) fn is_within(&self, runs: &Self) -> bool {
        self.0.strip_prefix(&runs.0).is_some_and(|rest| rest.starts_with('.'))
    }

    /// Whether it is short enough to be read again: sub-flows within sub-flows make it longer and longer.
    pub(crate) fn is_valid(&self) -> bool {
        is_path(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_of_another_version_is_refused() {
        let v4 = "5d9a5e0e-8a1f-4a8e-9e0a-0d9c8b7a6f5e";
        assert!(v4.parse::<EventId>().is_err());
        let v7 = uuid_v7(1_700_000_000_000, &[7; 10]).to_string();
        assert_eq!(v7.parse::<EventId>().unwrap().to_string(), v7);
    }

    #[test]
    fn slugs_are_short_and_plain() {
        for good in ["a", "0", "Welcome_2-b", &"x".repeat(64)] {
            assert!(is_slug(good), "{good}");
        }
        for bad in ["", "-a", "_a", "a b", "ä", "a/b", &"x".repeat(65)] {
            assert!(!is_slug(bad), "{bad}");
        }
    }
}
