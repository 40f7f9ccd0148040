//! Inline formatting of what the bot says: `**bold**`, `*italic*`, `` `code` ``, `[label](https://…)`, and `\` before a mark.
//!
//! A small part of Markdown, read so that any text means something: what is no valid markup is shown as it is written.

use std::mem;

/// How deep formatting may lie within formatting. A text with more shows the marks that lie around the rest.
pub const DEPTH: usize = 4;

/// The characters that mean something, which a `\` before them takes away.
const MARKS: [char; 5] = ['\\', '*', '`', '[', ']'];

/// What a link may begin with; `https:` without the slashes would be an address relative to the page.
const SCHEMES: [&str; 4] = ["http://", "https://", "mailto:", "tel:"];

/// A part of a text, with its formatting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span {
    /// As it is; line breaks are kept.
    Text(String),
    /// Strong.
    Bold(Vec<Span>),
    /// Emphasised.
    Italic(Vec<Span>),
    /// Verbatim.
    Code(String),
    /// Leads somewhere.
    Link {
        /// The address: http, https, mailto or tel, without spaces.
        href: String,
        /// What is shown; holds no link.
        label: Vec<Span>,
    },
}

/// Reads a text with its formatting. Two texts never follow each other, and nothing is empty; an empty text has no span.
///
/// Stars must stand close to what they format, so `2 * 3 * 4` is a text; so is a row of more than three. The time is
/// proportional to the length, whatever the text.
#[must_use]
pub fn spans(text: &str) -> Vec<Span> {
    let mut reader = Reader { text, at: 0, open: vec![Open { mark: "", is: Mark::All, spans: vec![] }], no_code: false };
    while let Some(c) = reader.rest().chars().next() {
        match c {
            '\\' => reader.escaped(),
            '*' => reader.stars(),
            '`' => reader.code(),
            '[' => reader.link_begins(),
            ']' => reader.link_ends(),
            _ => {
                let end = reader.rest().find(MARKS).unwrap_or(reader.rest().len());
                reader.take_text(end);
            }
        }
    }
    while reader.open.len() > 1 {
        reader.give_up(reader.open.len() - 1);
    }
    reader.open.pop().map(|all| all.spans).unwrap_or_default()
}

/// Writes any text so that it is shown as it is: `spans(escape(x))` is that one text.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if MARKS.contains(&c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// The text without its formatting: of a link, its label.
#[must_use]
pub fn plain(text: &str) -> String {
    fn add(spans: &[Span], to: &mut String) {
        for span in spans {
            match span {
                Span::Text(text) | Span::Code(text) => to.push_str(text),
                Span::Bold(inner) | Span::Italic(inner) | Span::Link { label: inner, .. } => add(inner, to),
            }
        }
    }
    let mut plain = String::with_capacity(text.len());
    add(&spans(text), &mut plain);
    plain
}

/// Whether an address may be linked to.
fn is_linkable(href: &str) -> bool {
    // get: the cut might fall into a character.
    let begins = |scheme: &str| {
        href.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)) && href.len() > scheme.len()
    };
    SCHEMES.iter().any(|scheme| begins(scheme)) && !href.chars().any(|c| c.is_whitespace() || c.is_control())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    All,
    Bold,
    Italic,
    Link,
}

/// Formatting that has begun. If it never ends, its mark is a text.
struct Open {
    mark: &'static str,
    is: Mark,
    spans: Vec<Span>,
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    /// From the whole text to the innermost; never empty.
    open: Vec<Open>,
    /// No code ends in what is left, so nobody has to look again.
    no_code: bool,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// Takes so many bytes as they are.
    fn take_text(&mut self, bytes: usize) {
        let text = &self.rest()[..bytes];
        self.at += bytes;
        self.push(Span::Text(text.to_owned()));
    }

    fn push(&mut self, span: Span) {
        if let Some(inner) = self.open.last_mut() {
            add(&mut inner.spans, span);
        }
    }

    fn escaped(&mut self) {
        let mut following = self.rest()[1..].chars();
        self.at += following.next().filter(|c| MARKS.contains(c)).map_or(0, |_| 1);
        // The mark itself, or a `\` that is none.
        self.take_text(1);
    }

    fn code(&mut self) {
        let mut end = None;
        let mut code = String::new();
        if !self.no_code {
            let mut chars = self.rest().char_indices().skip(1).peekable();
            while let Some((at, c)) = chars.next() {
                match c {
                    '`' => {
                        end = Some(at);
                        break;
                    }
                    '\\' => code.push(chars.next_if(|(_, c)| MARKS.contains(c)).map_or('\\', |(_, c)| c)),
                    c => code.push(c),
                }
            }
            self.no_code = end.is_none();
        }
        match end {
            // Two that hold nothing are two texts: the second begins no code.
            Some(1) => self.take_text(2),
            Some(end) => {
                self.at += end + 1;
                self.push(Span::Code(code));
            }
            None => self.take_text(1),
        }
    }

    fn stars(&mut self) {
        let row = self.rest().bytes().take_while(|byte| *byte == b'*').count();
        let close_to = |c: Option<char>| c.is_some_and(|c| !c.is_whitespace());
        let begins = close_to(self.rest()[row..].chars().next());
        let ends = close_to(self.text[..self.at].chars().next_back());
        if row > 3 {
            return self.take_text(row);
        }
        let mut left = row;
        while ends && left > 0 {
            let Some(at) = self.ended_by(left, begins) else { break };
            left -= self.open[at].mark.len();
            self.end(at, |is, inner| if is == Mark::Bold { Span::Bold(inner) } else { Span::Italic(inner) });
        }
        self.at += row - left;
        if begins && left > 1 {
            self.begin("**", Mark::Bold);
            left -= 2;
        }
        if begins && left > 0 {
            self.begin("*", Mark::Italic);
            left -= 1;
        }
        self.take_text(left);
    }

    /// Which open formatting so many stars end. It is within the link that is open, if one is.
    fn ended_by(&mut self, stars: usize, might_begin: bool) -> Option<usize> {
        let last = |is: Mark, open: &[Open]| {
            let link = open.iter().rposition(|open| open.is == Mark::Link).unwrap_or(0);
            open.iter().rposition(|open| open.is == is).filter(|at| *at > link)
        };
        let (bold, italic) = (last(Mark::Bold, &self.open), last(Mark::Italic, &self.open));
        match stars {
            1 => italic,
            // `***a** b*`: which of the two is the outer one shows only here.
            2 if bold.is_some() && bold.map(|at| at + 1) == italic && self.open[bold?].spans.is_empty() => {
                self.open.swap(bold?, italic?);
                let spans = mem::take(&mut self.open[bold?].spans);
                self.open[italic?].spans = spans;
                italic
            }
            // In `*a**b*` the two begin something.
            2 => bold.or(italic.filter(|_| !might_begin)),
            _ => bold.max(italic),
        }
    }

    /// Ends open formatting; what began within it and did not end is text.
    fn end(&mut self, at: usize, made: impl FnOnce(Mark, Vec<Span>) -> Span) {
        while self.open.len() > at + 1 {
            self.give_up(self.open.len() - 1);
        }
        if let Some(ended) = self.open.pop() {
            self.push(made(ended.is, ended.spans));
        }
    }

    fn begin(&mut self, mark: &'static str, is: Mark) {
        // Of too many that are open, the first is the least likely to end.
        if self.open.len() > DEPTH {
            self.give_up(1);
        }
        self.at += mark.len();
        self.open.push(Open { mark, is, spans: vec![] });
    }

    /// What began there is text; what is within it moves out by one.
    fn give_up(&mut self, at: usize) {
        let given_up = self.open.remove(at);
        let outer = &mut self.open[at - 1].spans;
        add(outer, Span::Text(given_up.mark.to_owned()));
        let mut spans = given_up.spans.into_iter();
        if let Some(first) = spans.next() {
            add(outer, first);
        }
        outer.extend(spans);
    }

    fn link_begins(&mut self) {
        // No link holds a link: the inner one counts.
        if let Some(at) = self.open.iter().rposition(|open| open.is == Mark::Link) {
            self.give_up(at);
        }
        self.begin("[", Mark::Link);
    }

    fn link_ends(&mut self) {
        let Some(at) = self.open.iter().rposition(|open| open.is == Mark::Link) else { return self.take_text(1) };
        // A label of spaces could not be seen.
        let seen = |open: &Open| open.spans.iter().any(|span| !matches!(span, Span::Text(text) if text.trim().is_empty()));
        match address(&self.rest()[1..]) {
            Some((href, bytes)) if self.open.len() > at + 1 || seen(&self.open[at]) => {
                self.at += 1 + bytes;
                self.end(at, |_, label| Span::Link { href, label });
            }
            _ => {
                self.give_up(at);
                self.take_text(1);
            }
        }
    }
}

/// Adds a span; texts become one.
fn add(spans: &mut Vec<Span>, span: Span) {
    match (spans.last_mut(), span) {
        (_, Span::Text(text)) if text.is_empty() => {}
        (Some(Span::Text(before)), Span::Text(text)) => before.push_str(&text),
        (_, span) => spans.push(span),
    }
}

/// The address in parentheses that a text begins with, and how many bytes they are.
fn address(text: &str) -> Option<(String, usize)> {
    let mut href = String::new();
    let mut within = 0_usize;
    let mut chars = text.char_indices().peekable();
    chars.next_if(|(_, c)| *c == '(')?;
    while let Some((at, c)) = chars.next() {
        match c {
            // As in Markdown, parentheses in pairs belong to the address.
            ')' if within == 0 => return is_linkable(&href).then_some((href, at + 1)),
            ')' => within -= 1,
            '(' => within += 1,
            // A `[` begins another link; that it ends the search keeps the time in proportion.
            '[' => return None,
            c if c.is_whitespace() || c.is_control() => return None,
            _ => {}
        }
        href.push(match c {
            '\\' => chars.next_if(|(_, c)| MARKS.contains(c) || matches!(c, '(' | ')')).map_or('\\', |(_, c)| c),
            c => c,
        });
    }
    None
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::*;

    /// Spans as HTML-like text, which reads better than the tree.
    fn shown(text: &str) -> String {
        fn write(spans: &[Span]) -> String {
            let one = |span: &Span| match span {
                Span::Text(text) => text.clone(),
                Span::Bold(inner) => format!("<b>{}</b>", write(inner)),
                Span::Italic(inner) => format!("<i>{}</i>", write(inner)),
                Span::Code(code) => format!("<code>{code}</code>"),
                Span::Link { href, label } => format!("<a {href}>{}</a>", write(label)),
            };
            spans.iter().map(one).collect()
        }
        write(&spans(text))
    }

    #[test]
    fn formatting() {
        for (text, expected) in [
            ("", ""),
            ("Hello, **Ada**!", "Hello, <b>Ada</b>!"),
            ("*a* and `b` and **c *d* e**", "<i>a</i> and <code>b</code> and <b>c <i>d</i> e</b>"),
            ("***a***", "<b><i>a</i></b>"),
            ("***a** b*", "<i><b>a</b> b</i>"),
            ("***a* b**", "<b><i>a</i> b</b>"),
            ("**a*b**", "<b>a*b</b>"),
            ("*a**b*", "<i>a**b</i>"),
            ("*a **b*", "<i>a **b</i>"),
            ("**a *b**", "<b>a *b</b>"),
            ("*a *b*", "*a <i>b</i>"),
            ("**Fett**gedruckt", "<b>Fett</b>gedruckt"),
            ("first\nsecond *a\nb*", "first\nsecond <i>a\nb</i>"),
            ("see [the **guide**](https://a.example/b) now", "see <a https://a.example/b>the <b>guide</b></a> now"),
            ("**[a](https://b)**", "<b><a https://b>a</a></b>"),
            ("[a](MAILTO:a@b.example)", "<a MAILTO:a@b.example>a</a>"),
            ("[a](tel:+4930)", "<a tel:+4930>a</a>"),
            ("[a](https://b/c_(d))", "<a https://b/c_(d)>a</a>"),
            ("[a](https://b/*c*)*d*", "<a https://b/*c*>a</a><i>d</i>"),
            ("[note] and [a](https://b)", "[note] and <a https://b>a</a>"),
            ("[ and [a](https://b)", "[ and <a https://b>a</a>"),
            ("[*a](https://b) c*", "<a https://b>*a</a> c*"),
            ("*[a*](https://b)", "*<a https://b>a*</a>"),
            ("[`]`](https://b)", "<a https://b><code>]</code></a>"),
            ("`a\\`b` `c", "<code>a`b</code> `c"),
            ("`**a**`", "<code>**a**</code>"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_markup_is_text() {
        for text in [
            "snake_case_name",
            "2 * 3 * 4",
            "a ** b ** c",
            "* one\n* two",
            "**open",
            "open**",
            "*a *",
            "****a****",
            "``",
            "```",
            "[a]",
            "[a] (https://b)",
            "[a](b)",
            "[a](javascript:alert(1))",
            "[a](JavaScript://https://b)",
            "[a](data:text/html,x)",
            "[a](https:b)",
            "[a](https://)",
            "[a](//b)",
            "[a]( https://b)",
            "[a](https://b c)",
            "[a](https://b\u{0})",
            "[](https://b)",
            "[ ](https://b)",
            "[a](https://b",
            "]",
            "a\\b",
            "\\",
        ] {
            assert_eq!(spans(text), [Span::Text(text.to_owned())], "{text}");
        }
    }

    #[test]
    fn a_backslash_shows_a_mark() {
        assert_eq!(shown("\\*a\\* \\`b\\` \\[c](https://d) \\\\ \\e"), "*a* `b` [c](https://d) \\ \\e");
        assert_eq!(shown("**a\\***"), "<b>a*</b>");
        assert_eq!(shown("`a\\*b\\\\`"), "<code>a*b\\</code>");
    }

    #[test]
    fn without_marks() {
        assert_eq!(plain("**a** [*b*](https://c) `d` \\*"), "a b d *");
    }

    #[test]
    fn hostile_texts_take_no_time() {
        for part in
            ["*", "**", "*a ", "a* ", "*a", "**a *", "[", "[a](", "[a](https://b", "](", "`", "\\`", "`a", "*[a", "**a **b* "]
        {
            let text = part.repeat(200_000 / part.len());
            let began = Instant::now();
            let _ = spans(&text);
            // A hundred times a card's longest text; in a square of the length this would take minutes.
            assert!(began.elapsed() < Duration::from_secs(5), "{part}: {:?}", began.elapsed());
        }
    }

    fn depth(spans: &[Span]) -> usize {
        let one = |span: &Span| match span {
            Span::Text(_) | Span::Code(_) => 0,
            Span::Bold(inner) | Span::Italic(inner) | Span::Link { label: inner, .. } => 1 + depth(inner),
        };
        spans.iter().map(one).max().unwrap_or(0)
    }

    fn check(spans: &[Span], in_link: bool) -> Result<(), TestCaseError> {
        for pair in spans.windows(2) {
            prop_assert!(!matches!(pair, [Span::Text(_), Span::Text(_)]), "two texts");
        }
        for span in spans {
            match span {
                Span::Text(text) | Span::Code(text) => prop_assert!(!text.is_empty()),
                Span::Bold(inner) | Span::Italic(inner) => {
                    prop_assert!(!inner.is_empty());
                    check(inner, in_link)?;
                }
                Span::Link { href, label } => {
                    let scheme = href.split(':').next().unwrap().to_lowercase();
                    prop_assert!(["http", "https", "mailto", "tel"].contains(&scheme.as_str()), "{href}");
                    prop_assert!(!href.contains(char::is_whitespace) && !in_link && !label.is_empty());
                    check(label, true)?;
                }
            }
        }
        Ok(())
    }

    /// Texts of which most have something to read.
    fn marked() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            4 => Just("*"), 4 => Just("**"), 1 => Just("***"), 2 => Just("`"), 3 => Just("["), 4 => Just("](https://b"),
            2 => Just("](javascript:"), 1 => Just("]("),
            3 => Just(")"), 1 => Just("("), 2 => Just("\\"), 4 => Just("a"), 3 => Just(" "),
            1 => Just("\n"), 1 => Just("ü")
        ];
        proptest::collection::vec(part, 0..40).prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

        #[test]
        fn every_text_means_something(text in prop_oneof![marked(), "\\PC{0,60}"]) {
            let spans = spans(&text);
            check(&spans, false)?;
            prop_assert!(depth(&spans) <= DEPTH);
            prop_assert!(plain(&text).len() <= text.len());
        }

        #[test]
        fn no_letter_is_lost(text in marked()) {
            let letters = |text: &str| text.chars().filter(|c| matches!(c, '\n' | ' ')).collect::<String>();
            // In an address there is none of these.
            prop_assert_eq!(letters(&plain(&text)), letters(&text));
        }

        #[test]
        fn what_is_escaped_is_shown_as_it_is(text in prop_oneof![marked(), "(?s).{0,60}"]) {
            let expected: Vec<_> = Some(text.clone()).filter(|text| !text.is_empty()).map(Span::Text).into_iter().collect();
            prop_assert_eq!(spans(&escape(&text)), expected);
            prop_assert_eq!(plain(&escape(&text)), text);
        }

        #[test]
        fn without_special_characters_nothing_changes(text in "[^*`\\\\\\[\\]]{1,60}") {
            prop_assert_eq!(spans(&text), [Span::Text(text.clone())]);
            prop_assert_eq!(escape(&text), text);
        }
    }
}
