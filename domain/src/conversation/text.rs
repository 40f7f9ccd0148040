//! Texts that people read, in one language or several.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess},
};

use super::limits;

/// What [`is_locale`] takes, as a regular expression of JSON Schema.
pub const LOCALE_PATTERN: &str = "^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$";

/// The most preferences that are looked at; a header with more is no visitor's.
const PREFERENCES: usize = 20;

/// A text that people read: plain, or one per locale in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(Form);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    Plain(String),
    /// Tags and texts; never empty, no tag twice.
    Locales(Vec<(String, String)>),
}

/// Why texts per locale are no [`Text`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadText {
    /// There is none.
    #[error("expected a text for at least one locale")]
    Empty,
    /// A tag names no locale.
    #[error("expected a locale such as \"de\" or \"pt-BR\", got {0:?}")]
    Tag(String),
    /// A locale has two texts, be it that it is written in two ways.
    #[error("there are two texts for the locale {0:?}")]
    Twice(String),
}

impl Text {
    /// A text that is the same in every locale.
    #[must_use]
    pub fn plain(text: &str) -> Self {
        Self(Form::Plain(text.to_owned()))
    }

    /// Texts by the tag of their locale.
    ///
    /// # Errors
    /// There is none, a tag is not one ([`is_locale`]), or a locale is there twice.
    pub fn per_locale(texts: impl IntoIterator<Item = (String, String)>) -> Result<Self, BadText> {
        let mut taken: Vec<(String, String)> = Vec::new();
        for (tag, text) in texts {
            if !is_locale(&tag) {
                return Err(BadText::Tag(tag.chars().take(80).collect()));
            }
            if taken.iter().any(|(other, _)| same(other, &tag)) {
                return Err(BadText::Twice(tag));
            }
            taken.push((tag, text));
        }
        if taken.is_empty() { Err(BadText::Empty) } else { Ok(Self::localised(taken)) }
    }

    /// Texts by tags of which it is known that they are tags, that each is there once, and that there is one.
    pub(crate) const fn localised(texts: Vec<(String, String)>) -> Self {
        Self(Form::Locales(texts))
    }

    /// Whether it is the same in every locale.
    #[must_use]
    pub const fn is_plain(&self) -> bool {
        matches!(self.0, Form::Plain(_))
    }

    /// The text for a visitor.
    ///
    /// `wanted` is the visitor's locale, or a list of them such as `navigator.languages` joined by commas, or `Accept-Language`
    /// ([RFC 9110 §12.5.4](https://www.rfc-editor.org/rfc/rfc9110#section-12.5.4)); `own` is the conversation's locale. Each
    /// wanted locale is tried in turn, then `own`, then English; if there is none of them, it is the first text of the file.
    /// A locale is found as it is, else by its beginning (`de-AT` finds `de`), else by its language alone (`pt` finds `pt-BR`).
    #[must_use]
    pub fn in_locale(&self, wanted: &str, own: &str) -> &str {
        match &self.0 {
            Form::Plain(text) => text,
            Form::Locales(texts) => preferences(wanted)
                .into_iter()
                .chain([own, "en"])
                .find_map(|tag| lookup(texts, tag))
                .or_else(|| texts.first().map(|(_, text)| text.as_str()))
                .unwrap_or_default(),
        }
    }

    /// Every text with its tag, in the order of the file; a plain text has none.
    pub fn all(&self) -> impl Iterator<Item = (Option<&str>, &str)> {
        let (plain, texts) = match &self.0 {
            Form::Plain(text) => (Some((None, text.as_str())), &[][..]),
            Form::Locales(texts) => (None, texts.as_slice()),
        };
        plain.into_iter().chain(texts.iter().map(|(tag, text)| (Some(tag.as_str()), text.as_str())))
    }

    /// The schema of a text of at most so many characters, for `#[schemars(schema_with = "Text::schema::<120>")]`.
    #[must_use]
    pub fn schema<const MAX: usize>(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "oneOf": [
                { "type": "string", "minLength": 1, "maxLength": MAX },
                {
                    "type": "object",
                    "minProperties": 1,
                    "maxProperties": limits::LOCALES,
                    "propertyNames": { "pattern": LOCALE_PATTERN },
                    "additionalProperties": { "type": "string", "minLength": 1, "maxLength": MAX },
                },
            ],
        })
    }
}

/// The text of a locale, or of the nearest to it.
fn lookup<'a>(texts: &'a [(String, String)], wanted: &str) -> Option<&'a str> {
    let under = |fits: &dyn Fn(&str) -> bool| texts.iter().find(|(tag, _)| fits(tag)).map(|(_, text)| text.as_str());
    // From the whole tag to its language, as RFC 4647 §3.4 looks up: zh-Hant-TW finds zh-Hant before zh.
    let mut tag = wanted;
    loop {
        if let Some(text) = under(&|other| same(other, tag)) {
            return Some(text);
        }
        match tag.rfind(['-', '_']) {
            Some(at) => tag = &tag[..at],
            None => return under(&|other| fits_locale(tag, other)),
        }
    }
}

/// The locales of a list, the most wanted first.
fn preferences(wanted: &str) -> Vec<&str> {
    let mut tags: Vec<(f32, &str)> = wanted
        .split(',')
        .take(PREFERENCES)
        .filter_map(|part| {
            let mut part = part.split(';').map(str::trim);
            let tag = part.next().filter(|tag| !tag.is_empty())?;
            let weight = part.find_map(|parameter| parameter.strip_prefix("q=").or(parameter.strip_prefix("Q=")));
            let weight = weight.and_then(|weight| weight.trim().parse().ok()).unwrap_or(1.0);
            // A weight of nothing means: not this one.
            (weight > 0.0).then_some((weight, tag))
        })
        .collect();
    tags.sort_by(|a, b| b.0.total_cmp(&a.0));
    tags.into_iter().map(|(_, tag)| tag).collect()
}

/// Whether a locale that someone wants is within a pattern: `de` takes `de-AT`, `en-GB` takes `en-GB` only.
///
/// Case does not count, and `_` is `-`. Of a list of wanted locales (see [`Text::in_locale`]) the most wanted one counts.
#[must_use]
pub fn fits_locale(pattern: &str, wanted: &str) -> bool {
    if wanted.contains([',', ';']) {
        return preferences(wanted).first().is_some_and(|first| fits_locale(pattern, first));
    }
    let (pattern, wanted) = (pattern.trim(), wanted.trim());
    // Bytes, as a cut might fall into a character.
    let (Some(head), rest) = (wanted.as_bytes().get(..pattern.len()), wanted.as_bytes().get(pattern.len())) else { return false };
    !pattern.is_empty() && same_bytes(pattern.as_bytes(), head) && matches!(rest, None | Some(b'-' | b'_'))
}

fn same(a: &str, b: &str) -> bool {
    same_bytes(a.as_bytes(), b.as_bytes())
}

fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    let plain = |byte: &u8| if *byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    a.len() == b.len() && a.iter().map(plain).eq(b.iter().map(plain))
}

/// Whether a text looks like a locale's tag ([BCP 47](https://www.rfc-editor.org/info/bcp47)): two or three letters, then parts
/// of one to eight letters and digits, each after a `-`.
#[must_use]
pub fn is_locale(tag: &str) -> bool {
    let mut parts = tag.split('-');
    parts.next().is_some_and(|language| (2..=3).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_alphabetic()))
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Form::Plain(text) => serializer.serialize_str(text),
            Form::Locales(texts) => serializer.collect_map(texts.iter().map(|(tag, text)| (tag, text))),
        }
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> de::Visitor<'de> for Reader {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, or an object of texts by locale")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text::plain(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
        let mut texts = Vec::new();
        while let Some(entry) = map.next_entry()? {
            texts.push(entry);
        }
        Text::per_locale(texts).map_err(de::Error::custom)
    }
}

impl JsonSchema for Text {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Self::schema::<{ limits::TEXT }>(generator)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(json: &str) -> Text {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_nearest_text_is_taken() {
        let greeting = text(r#"{ "fr": "Salut", "en": "Hello", "de": "Hallo", "pt-BR": "Olá", "de-CH": "Grüezi" }"#);
        for (wanted, expected) in [
            ("de", "Hallo"),
            ("DE-at", "Hallo"),
            ("de_CH", "Grüezi"),
            ("de-CH-1996", "Grüezi"),
            ("pt", "Olá"),
            ("pt-PT", "Olá"),
            ("ja, de;q=0.5", "Hallo"),
            ("de-AT, en;q=0.8", "Hallo"),
            ("en;q=0.3, pt-BR;q=0.7, *;q=0.1", "Olá"),
            ("en;q=0, de;q=0.1", "Hallo"),
            ("", "Salut"),
            ("ja", "Salut"),
            ("d", "Salut"),
            (",;q=, ;;,ü", "Salut"),
        ] {
            assert_eq!(greeting.in_locale(wanted, "fr-CA"), expected, "{wanted}");
        }
        assert_eq!(greeting.in_locale("ja", "ko"), "Hello", "English comes after the conversation's own");
        assert_eq!(text(r#"{ "fr": "Salut", "de": "Hallo" }"#).in_locale("ja", "en"), "Salut", "the first of the file");
        assert_eq!(text(r#"{ "zh-Hans": "a", "zh-Hant": "b" }"#).in_locale("zh-Hant-TW", "en"), "b");
        assert_eq!(text("\"Hi\"").in_locale("de", "en"), "Hi");
    }

    #[test]
    fn a_locale_fits_a_wider_one() {
        for (pattern, wanted) in
            [("de", "de-AT"), ("DE", "de"), ("en-GB", "en_gb"), ("de", "de-AT, en;q=0.8"), ("zh-Hant", "zh-hant-TW")]
        {
            assert!(fits_locale(pattern, wanted), "{pattern} {wanted}");
        }
        for (pattern, wanted) in [("de", "den"), ("de-AT", "de"), ("en", "de-AT, en;q=0.8"), ("de", ""), ("", "de"), ("d", "dé")]
        {
            assert!(!fits_locale(pattern, wanted), "{pattern} {wanted}");
        }
    }

    #[test]
    fn tags() {
        for good in ["de", "deu", "de-AT", "zh-Hant-TW", "de-CH-1996", "x-y".replace('x', "en").as_str()] {
            assert!(is_locale(good), "{good}");
        }
        for bad in ["", "d", "germ", "de-", "-de", "de_AT", "de-abcdefghi", "d1", "dé", "de--AT", "*"] {
            assert!(!is_locale(bad), "{bad}");
        }
    }

    #[test]
    fn what_is_no_text_is_refused() {
        for (json, expected) in [
            ("{}", "at least one"),
            (r#"{ "german": "x" }"#, "german"),
            (r#"{ "de": "x", "DE": "y" }"#, "two texts"),
            ("3", "a text, or an object"),
            (r#"{ "de": 3 }"#, "string"),
        ] {
            let error = serde_json::from_str::<Text>(json).unwrap_err().to_string();
            assert!(error.contains(expected), "{json}: {error}");
        }
    }

    #[test]
    fn the_order_of_the_file_is_kept() {
        let json = r#"{"fr":"Salut","de":"Hallo"}"#;
        assert_eq!(serde_json::to_string(&text(json)).unwrap(), json);
        assert_eq!(text(json).all().collect::<Vec<_>>(), [(Some("fr"), "Salut"), (Some("de"), "Hallo")]);
        assert_eq!(text("\"x\"").all().collect::<Vec<_>>(), [(None, "x")]);
    }

    proptest! {
        #[test]
        fn some_text_is_always_found(wanted in "\\PC{0,30}", own in "[a-zA-Z-]{0,8}", pairs in "[a-z]{2}(-[A-Z]{2})?") {
            let text = Text::per_locale([(pairs.clone(), "x".to_owned())]).unwrap();
            prop_assert_eq!(text.in_locale(&wanted, &own), "x");
            let _ = fits_locale(&own, &wanted);
            prop_assert_eq!(text.in_locale(&pairs, &own), "x");
        }

        #[test]
        fn a_tag_finds_its_own_text(tags in proptest::collection::btree_set("[a-c]{2}(-[A-B]{2})?", 1..6), at in 0_usize..6) {
            let tags: Vec<_> = tags.into_iter().collect();
            let text = Text::per_locale(tags.iter().map(|tag| (tag.clone(), tag.clone()))).unwrap();
            let tag = &tags[at % tags.len()];
            prop_assert_eq!(text.in_locale(&tag.to_uppercase().replace('-', "_"), "en"), tag);
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(serde_json::from_str::<Text>(&json).unwrap(), text);
        }
    }
}
