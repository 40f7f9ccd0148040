//! Patterns of page addresses.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::limits;

/// A pattern of page addresses, in which `*` stands for any text.
///
/// One that begins with `/` is held against the path alone; any other against the whole address. In both, what follows `#`
/// does not count, and what follows `?` counts only if the pattern has a `?` itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct PagePattern(String);

/// A text is no page pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a page pattern: a path that begins with /, or an address with http:// or https:// or a *, 500 characters at most"
)]
pub struct BadPattern;

impl FromStr for PagePattern {
    type Err = BadPattern;

    fn from_str(text: &str) -> Result<Self, BadPattern> {
        let begins = ["/", "*", "http://", "https://"].iter().any(|start| text.starts_with(start));
        let plain = !text.chars().any(|c| c.is_control() || c.is_whitespace());
        if begins && plain && text.chars().count() <= limits::PATTERN { Ok(Self(text.to_owned())) } else { Err(BadPattern) }
    }
}

impl fmt::Display for PagePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PagePattern {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for PagePattern {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "PagePattern".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": 500, "pattern": "^(/|\\*|https?://)\\S*$" })
    }
}

impl PagePattern {
    /// Whether the address of a page fits.
    #[must_use]
    pub fn matches(&self, page: &str) -> bool {
        let page = page.split('#').next().unwrap_or_default();
        let page = if self.0.contains('?') { page } else { page.split('?').next().unwrap_or_default() };
        let page = if self.0.starts_with('/') { path(page) } else { page };
        glob(&self.0, page)
    }
}

/// The path of an address, with what follows it.
fn path(page: &str) -> &str {
    let Some((_, rest)) = page.split_once("://") else { return page };
    rest.find(['/', '?']).map_or("/", |at| &rest[at..])
}

/// Whether a text fits a pattern with `*`, in time proportional to the product of their lengths at worst.
pub(super) fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<_> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, page: &str) -> bool {
        pattern.parse::<PagePattern>().unwrap().matches(page)
    }

    #[test]
    fn paths_and_addresses() {
        assert!(matches("/", "https://shop.example/"));
        assert!(matches("/", "https://shop.example"));
        assert!(matches("/pricing*", "https://shop.example/pricing/pro?x=1#top"));
        assert!(!matches("/pricing", "https://shop.example/pricing/pro"));
        assert!(matches("https://*.example/*", "https://shop.example/a"));
        assert!(!matches("https://*.example/*", "http://shop.example/a"));
        assert!(matches("/search?q=*", "https://shop.example/search?q=lamp"));
        assert!(!matches("/search?q=*", "https://shop.example/search"));
        assert!(matches("*", "https://shop.example/any/thing"));
        assert!("pricing".parse::<PagePattern>().is_err());
        assert!(format!("/{}", "a".repeat(499)).parse::<PagePattern>().is_ok());
        assert!(format!("/{}", "a".repeat(500)).parse::<PagePattern>().is_err());
    }

    /// The obvious way: try every length for every star.
    fn slow(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|at| slow(rest, &text[at..])),
            Some((first, rest)) => text.split_first().is_some_and(|(head, tail)| head == first && slow(rest, tail)),
        }
    }

    proptest! {
        #[test]
        fn stars_match_as_the_obvious_way_does(pattern in "[ab*]{0,8}", text in "[ab]{0,10}") {
            prop_assert_eq!(glob(&pattern, &text), slow(pattern.as_bytes(), text.as_bytes()));
        }
    }
}
