//! The lines of a calendar, and the components they make (RFC 5545 §3.1, §3.4).

use std::borrow::Cow;

use super::BadFeed;

/// The properties that are looked at.
pub(super) const WANTED: [&str; 13] = [
    "DTEND",
    "DTSTART",
    "DURATION",
    "EXDATE",
    "FREEBUSY",
    "RDATE",
    "RECURRENCE-ID",
    "RRULE",
    "STATUS",
    "TRANSP",
    "TZID",
    "UID",
    "X-LIC-LOCATION",
];
/// How deep components are nested at most; RFC 5545 needs three.
pub(super) const DEPTH_MAX: usize = 16;
/// How much of a value an error repeats, in characters.
pub(super) const SHOWN_MAX: usize = 100;
/// A content line (RFC 5545 §3.1).
pub(super) struct Line {
    /// Its number, counted from one: of its first line, if it is folded.
    pub(super) number: usize,
    pub(super) name: String,
    pub(super) parameters: Vec<(String, String)>,
    pub(super) value: String,
}

impl Line {
    /// A line that is none is left out: real calendars have such lines, and readers pass over them.
    pub(super) fn read(number: usize, text: &str) -> Option<Self> {
        let end = text.find([';', ':'])?;
        let name = text[..end].trim().to_ascii_uppercase();
        let mut parameters = Vec::new();
        let mut from = end + 1;
        let mut quoted = false;
        for (at, byte) in text.bytes().enumerate().skip(end) {
            match byte {
                b'"' => quoted = !quoted,
                b';' | b':' if !quoted => {
                    if at > end {
                        let (name, value) = text[from..at].split_once('=').unwrap_or((&text[from..at], ""));
                        parameters.push((name.trim().to_ascii_uppercase(), value.trim().trim_matches('"').to_owned()));
                        from = at + 1;
                    }
                    if byte == b':' {
                        return Some(Self { number, name, parameters, value: text[at + 1..].trim().to_owned() });
                    }
                }
                _ => {}
            }
        }
        None
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &str> {
        self.value.split(',').map(str::trim).filter(|value| !value.is_empty())
    }

    pub(super) fn bad_rule(&self, problem: &str) -> BadFeed {
        BadFeed::Rule { line: self.number, value: shown(&self.value), problem: shown(problem) }
    }
}

/// As much of a value as is shown to people.
pub(super) fn shown(value: &str) -> String {
    value.chars().take(SHOWN_MAX).collect()
}

/// The content lines of a text, unfolded (RFC 5545 §3.1), with their numbers.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, Cow<'_, str>)> {
    let mut lines = text.lines().enumerate().peekable();
    std::iter::from_fn(move || {
        let (at, first) = lines.next()?;
        let mut line = Cow::Borrowed(first);
        while let Some((_, more)) = lines.next_if(|(_, next)| next.starts_with([' ', '\t'])) {
            line.to_mut().push_str(&more[1..]);
        }
        Some((at + 1, line))
    })
}

/// A component of a calendar, with the lines of it that are looked at.
pub(super) struct Part {
    pub(super) kind: String,
    pub(super) lines: Vec<Line>,
}

impl Part {
    pub(super) fn line(&self, name: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.name == name)
    }

    pub(super) fn lines<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'p Line> {
        self.lines.iter().filter(move |line| line.name == name)
    }

    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.line(name).map(|line| line.value.as_str()).filter(|value| !value.is_empty())
    }

    pub(super) fn says(&self, name: &str, value: &str) -> bool {
        self.value(name).is_some_and(|said| said.eq_ignore_ascii_case(value))
    }
}
