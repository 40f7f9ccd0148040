//! What a person typed: text, never markup. Addresses of the web become links.

use leptos::prelude::*;

/// A text with its line breaks, and its links.
#[component]
pub fn Plain(
    /// As it was typed.
    text: String,
) -> impl IntoView {
    parts(&text)
        .into_iter()
        .map(|part| match part {
            Part::Text(text) => text.to_owned().into_any(),
            Part::Link(link) => {
                let href = link.to_owned();
                view! { <a href=href target="_blank" rel="noopener noreferrer nofollow" dir="ltr">{link.to_owned()}</a> }
                    .into_any()
            }
        })
        .collect_view()
}

#[derive(Debug, PartialEq, Eq)]
enum Part<'t> {
    Text(&'t str),
    Link(&'t str),
}

/// Splits a text at the addresses in it: `http` and `https` only, up to the next blank, without the full stop of the sentence around them.
fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(start) = ["https://", "http://"].iter().filter_map(|scheme| rest.find(scheme)).min() {
        // Nothing that turns the direction of what is shown, and nothing that cannot be seen, is part of an address.
        let ends = |c: char| {
            c.is_whitespace()
                || c.is_control()
                || matches!(c, '<' | '>' | '"' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
        };
        let length = rest[start..].find(ends).unwrap_or(rest.len() - start);
        let link = rest[start..start + length].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '\'']);
        if link.split_once("://").is_none_or(|(_, host)| host.is_empty()) {
            parts.push(Part::Text(&rest[..start + length]));
        } else {
            if start > 0 {
                parts.push(Part::Text(&rest[..start]));
            }
            parts.push(Part::Link(link));
            parts.push(Part::Text(&rest[start + link.len()..start + length]));
        }
        rest = &rest[start + length..];
    }
    parts.push(Part::Text(rest));
    parts.retain(|part| *part != Part::Text(""));
    parts
}

#[cfg(test)]
mod tests {
    use super::{Part::*, *};

    #[test]
    fn addresses_are_links_and_nothing_else_is() {
        assert_eq!(
            parts("see https://a.example/b?c=d. Bye"),
            [Text("see "), Link("https://a.example/b?c=d"), Text("."), Text(" Bye")]
        );
        for text in ["javascript:alert(1)", "https://", "ftp://a.example", "data:text/html,x", "<b>http</b>"] {
            assert_eq!(parts(text), [Text(text)], "{text}");
        }
        assert_eq!(parts("http://a\u{202e}b"), [Link("http://a"), Text("\u{202e}b")]);
    }
}
