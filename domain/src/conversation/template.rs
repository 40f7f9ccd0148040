//! Tokens in what the bot says: `{{visitor.NAME|fallback}}` and `{{page.url}}`.
//!
//! The name of an attribute is an [`AttributeName`]. The fallback is what stands there as long as nothing is known; without one
//! it is nothing. Spaces around a name and around a fallback do not count. What is no token stays as it is written.

use super::markup;
use crate::id::AttributeName;

/// The longest value that is put into a text, in characters; what is longer is cut.
pub const VALUE: usize = 200;

/// What a token stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token<'a> {
    /// What is known of the visitor under that name.
    Visitor(&'a AttributeName),
    /// The address of the page.
    PageUrl,
}

/// Puts values in place of the tokens of a text with formatting ([`markup`]).
///
/// Formatting within a value is shown as it is written, as values come from visitors and pages; the fallback is the author's and
/// may be formatted. Within the address of a link a value cannot end the address, and in its query it stays one value.
#[must_use]
pub fn fill(text: &str, value: impl Fn(Token<'_>) -> Option<String>) -> String {
    filled(text, value, |before, value| match link_so_far(before) {
        Some(address) => encoded(value, address.contains(['?', '#'])),
        None => {
            let escaped = markup::escape(value);
            // A `\` of the author just before would take the first one of the value away.
            let lone = (before.len() - before.trim_end_matches('\\').len()) % 2 == 1;
            if lone && escaped.starts_with('\\') { format!("\\{escaped}") } else { escaped }
        }
    })
}

/// Puts values in place of the tokens of a text without formatting.
#[must_use]
pub fn fill_plain(text: &str, value: impl Fn(Token<'_>) -> Option<String>) -> String {
    filled(text, value, |_, value| value.to_owned())
}

/// What is wrong with the tokens of a text, in words; nothing if all is well.
#[must_use]
pub fn problems(text: &str) -> Vec<String> {
    parts(text)
        .filter_map(|part| match part {
            Part::Text(text) => text.find("{{").map(|at| {
                let start: String = text[at..].chars().take(30).collect();
                format!("the token that begins with {start:?} does not end; expected }}}} after it")
            }),
            Part::Token(token) => read(token).err(),
        })
        .collect()
}

/// Fills a text; `put` is given the text so far and a value, and says how the value is written.
fn filled(text: &str, value: impl Fn(Token<'_>) -> Option<String>, put: impl Fn(&str, &str) -> String) -> String {
    let mut filled = String::with_capacity(text.len());
    for part in parts(text) {
        let (key, fallback) = match part {
            Part::Text(text) => {
                filled.push_str(text);
                continue;
            }
            Part::Token(token) => match read(token) {
                Ok(read) => read,
                Err(_) => {
                    filled.extend(["{{", token, "}}"]);
                    continue;
                }
            },
        };
        let known = match &key {
            Key::Visitor(name) => value(Token::Visitor(name)),
            Key::PageUrl => value(Token::PageUrl),
        };
        match known.as_deref().map(str::trim).filter(|known| !known.is_empty()) {
            Some(known) => {
                let end = known.char_indices().nth(VALUE).map_or(known.len(), |(at, _)| at);
                let written = put(&filled, &known[..end]);
                filled.push_str(&written);
            }
            None => filled.push_str(fallback),
        }
    }
    filled
}

enum Part<'t> {
    /// As it is.
    Text(&'t str),
    /// What is between `{{` and `}}`.
    Token(&'t str),
}

/// Takes a text apart. Of several `{{` before a `}}`, the last begins the token.
fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = text;
    let mut token = None;
    std::iter::from_fn(move || {
        if let Some(token) = token.take() {
            return Some(Part::Token(token));
        }
        if rest.is_empty() {
            return None;
        }
        // A }} that nothing began is passed over, so that no text is looked at twice.
        let found = rest.find("{{").and_then(|first| {
            let end = first + 2 + rest[first + 2..].find("}}")?;
            Some((rest[..end].rfind("{{")?, end))
        });
        let Some((begin, end)) = found else { return Some(Part::Text(std::mem::take(&mut rest))) };
        let before = &rest[..begin];
        token = Some(&rest[begin + 2..end]);
        rest = &rest[end + 2..];
        Some(Part::Text(before))
    })
}

enum Key {
    Visitor(AttributeName),
    PageUrl,
}

/// Reads what is between the braces: what it stands for, and the fallback.
fn read(token: &str) -> Result<(Key, &str), String> {
    let (key, fallback) = token.split_once('|').unwrap_or((token, ""));
    let (key, fallback) = (key.trim(), fallback.trim());
    let shown = || token.chars().take(80).collect::<String>();
    let key = match key.split_once('.') {
        Some(("visitor", name)) => name.parse().map(Key::Visitor).map_err(|error| format!("{{{{{}}}}}: {error}", shown()))?,
        Some(("page", "url")) => Key::PageUrl,
        _ => {
            let known = "{{visitor.NAME}}, {{visitor.NAME|fallback}} and {{page.url}}";
            return Err(format!("there is no token {{{{{}}}}}; there are {known}", shown()));
        }
    };
    Ok((key, fallback))
}

/// The address of a link that a text ends in, as far as it is there.
fn link_so_far(text: &str) -> Option<&str> {
    let at = text.rfind("](")?;
    let label = &text[..at];
    let escaped = (label.len() - label.trim_end_matches('\\').len()) % 2 == 1;
    let address = &text[at + 2..];
    (!escaped && !address.contains(|c: char| c.is_whitespace() || c == ')')).then_some(address)
}

/// A value within an address, with what would end the address or format it in percent notation
/// ([RFC 3986 §2.1](https://www.rfc-editor.org/rfc/rfc3986#section-2.1)); in a query, with all that is not unreserved (§2.3).
fn encoded(value: &str, in_query: bool) -> String {
    let mut encoded = String::with_capacity(value.len());
    for c in value.chars() {
        let unreserved = c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~');
        let breaks = c.is_whitespace() || c.is_control() || "()[]\\*`<>\"'{}|^".contains(c);
        if unreserved || !in_query && !breaks {
            encoded.push(c);
        } else {
            encoded.extend(c.encode_utf8(&mut [0; 4]).bytes().map(|byte| format!("%{byte:02X}")));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        markup::{Span, spans},
        *,
    };

    fn with(text: &str, value: &str) -> String {
        fill(text, |token| match token {
            Token::Visitor(name) if name.as_str() == "name" => Some(value.to_owned()),
            Token::Visitor(_) => None,
            Token::PageUrl => Some("https://shop.example/a*b*?c=d e".to_owned()),
        })
    }

    #[test]
    fn tokens_are_filled() {
        for (text, expected) in [
            ("Hello {{visitor.name}}!", "Hello Ada!"),
            ("Hello {{ visitor.name | you }}!", "Hello Ada!"),
            ("Hello {{visitor.other|*you*}}!", "Hello *you*!"),
            ("Hello {{visitor.other}}{{visitor.other|}}!", "Hello !"),
            ("{{{visitor.name}}}", "{Ada}"),
            ("{{visitor.other|{{visitor.name}}", "{{visitor.other|Ada"),
            ("{{visitor.name", "{{visitor.name"),
            ("}} {{visitor.name}} }}", "}} Ada }}"),
            (
                "{{visitr.name}} {{visitor.}} {{visitor.a b}} {{}} {{page.title}}",
                "{{visitr.name}} {{visitor.}} {{visitor.a b}} {{}} {{page.title}}",
            ),
            ("{{page.url}}", "https://shop.example/a\\*b\\*?c=d e"),
        ] {
            assert_eq!(with(text, "Ada"), expected, "{text}");
        }
        assert_eq!(with("Hello {{visitor.name|you}}!", " \n"), "Hello you!", "a value of spaces is none");
        assert_eq!(with("**{{visitor.name}}**", " Ada "), "**Ada**");
        assert_eq!(with("{{visitor.name}}", &"ä".repeat(300)), "ä".repeat(200));
        assert_eq!(fill_plain("{{visitor.a|-}} {{page.url|x}}", |token| (token == Token::PageUrl).then(|| "*".into())), "- *");
    }

    #[test]
    fn a_value_within_an_address_stays_within() {
        for (text, expected) in [
            ("[a](https://b/{{visitor.name}})", "https://b/x%29%20%2A%28y%29&é"),
            ("[a](https://b/?c={{visitor.name}}&d=1)", "https://b/?c=x%29%20%2A%28y%29%26%C3%A9&d=1"),
        ] {
            let [Span::Link { href, .. }] = &spans(&with(text, "x) *(y)&é"))[..] else { panic!("{text}") };
            assert_eq!(href, expected);
        }
        assert_eq!(with("[a]({{page.url}})", ""), "[a](https://shop.example/a%2Ab%2A?c=d%20e)");
        assert_eq!(with("[a](https://b) {{visitor.name}}", "*"), "[a](https://b) \\*");
        assert_eq!(with("\\](){{visitor.name}}", "*"), "\\]()\\*");
        assert!(!matches!(&spans(&with("[a]({{visitor.name}})", "javascript:alert(1)"))[..], [Span::Link { .. }]));
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(problems("{{visitor.name|you}} {{page.url}} {{ visitor.x }} { } }}"), [""; 0]);
        for (text, expected) in [
            ("{{visitr.name}}", "there is no token {{visitr.name}}; there are {{visitor.NAME}}"),
            ("{{page.title}}", "there is no token {{page.title}}"),
            ("{{name}}", "there is no token {{name}}"),
            ("{{visitor.my name}}", "{{visitor.my name}}: expected 1 to 64 letters"),
            ("a {{visitor.name", "begins with \"{{visitor.name\" does not end"),
            ("{{visitor.name|x {{visitor.name}}", "begins with \"{{visitor.name|x \" does not end"),
        ] {
            let problems = problems(text);
            assert!(problems.len() == 1 && problems[0].contains(expected), "{text}: {problems:?}");
        }
        assert_eq!(problems("{{a}} {{b}}").len(), 2);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

        #[test]
        fn a_value_is_shown_as_it_is(before in "[a*\\\\` ]{0,6}", value in "[a*`\\\\\\[\\]()]{1,12}|\\PC{1,20}") {
            prop_assume!(!value.trim().is_empty());
            // What stands for the value has no marks, so the spans around it are those that the author sees.
            let expected = markup::plain(&with(&format!("{before}{{{{visitor.name}}}}"), "Q")).replace('Q', value.trim());
            prop_assert_eq!(markup::plain(&with(&format!("{before}{{{{visitor.name}}}}"), &value)), expected);
        }

        #[test]
        fn without_problems_no_brace_is_left(
            text in "[a.|{} ]{0,12}|\\{\\{(visitor\\.a|page\\.url)(\\|[a ]{0,3})?\\}\\}x?", value in "[a ]{0,5}"
        ) {
            let filled = with(&text, &value);
            if problems(&text).is_empty() {
                prop_assert!(!filled.contains("{{"));
            } else {
                prop_assert!(filled.contains("{{"));
            }
        }

        #[test]
        fn a_text_without_tokens_stays(text in "[^{]{0,40}") {
            prop_assert_eq!(with(&text, "x"), text.clone());
            prop_assert_eq!(problems(&text), Vec::<String>::new());
        }
    }
}
