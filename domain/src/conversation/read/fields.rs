//! Values of one kind each, with their places.

use std::{collections::BTreeSet, fmt::Display, str::FromStr};

use jsonc_parser::{
    ast::{Array, Object, ObjectProp, Value},
    common::Ranged,
};
use serde::de::DeserializeOwned;

use super::Reader;
use crate::conversation::{Problem, Text, is_locale, limits, template};

/// A value with its place.
#[derive(Clone)]
pub(super) struct At<'a> {
    pub(super) value: &'a Value<'a>,
    pub(super) pointer: String,
}

/// An object whose fields are being read; what has not been asked for when it is finished is unknown.
pub(super) struct Fields<'a> {
    pub(super) object: &'a Object<'a>,
    pub(super) pointer: String,
    asked: Vec<&'static str>,
    /// What does not belong here and was reported already, or could not be judged.
    settled: Vec<&'static str>,
}

impl Fields<'_> {
    pub(super) fn has(&self, name: &str) -> bool {
        self.object.properties.iter().any(|property| property.name.as_str() == name)
    }

    /// Whether something is there that nobody asked for.
    pub(super) fn has_unknown(&self) -> bool {
        self.object.properties.iter().any(|property| !self.asked.contains(&property.name.as_str()))
    }

    /// Nothing is to be said of these fields.
    pub(super) fn settle(&mut self, names: &[&'static str]) {
        self.settled.extend(names);
    }
}

pub(super) fn child(pointer: &str, name: impl Display) -> String {
    // Escapes of RFC 6901 §3.
    format!("{pointer}/{}", name.to_string().replace('~', "~0").replace('/', "~1"))
}

pub(super) fn kind_of(value: &Value<'_>) -> &'static str {
    match value {
        Value::StringLit(_) => "a text",
        Value::NumberLit(_) => "a number",
        Value::BooleanLit(_) => "true or false",
        Value::Object(_) => "an object",
        Value::Array(_) => "a list",
        Value::NullKeyword(_) => "null",
    }
}

/// A value in a few words: of a number, the number itself.
fn in_short<'v>(value: &'v Value<'_>) -> &'v str {
    match value {
        Value::NumberLit(number) => number.value,
        other => kind_of(other),
    }
}

/// Where the value that a pointer names begins; if it is not there, the last on the way to it that is.
pub(super) fn place(root: &Value<'_>, pointer: &str) -> usize {
    let mut value = root;
    for part in pointer.split('/').skip(1) {
        let within = match value {
            Value::Object(object) => {
                object.properties.iter().find(|property| property.name.as_str() == part).map(|found| &found.value)
            }
            Value::Array(list) => part.parse().ok().and_then(|index: usize| list.elements.get(index)),
            _ => None,
        };
        match within {
            Some(within) => value = within,
            None => break,
        }
    }
    value.start()
}

/// Of some words, the one that was probably meant.
pub(super) fn nearest<'w>(word: &str, known: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        // Of a short word, two letters are too much: "next" is not meant to be "text".
        .filter(|(far, _)| *far <= (word.chars().count() / 3).clamp(1, 2))
        .min()
        .map(|(_, word)| word)
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(100).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().take(100).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let cost = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

fn in_words<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    words.into_iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ")
}

/// Whether a text in a card may hold tokens and markup, or is shown as it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    Rich,
    Plain,
}

impl Reader<'_> {
    pub(super) fn problem(&mut self, offset: usize, pointer: &str, message: impl Into<String>) {
        let before = self.source.get(..offset).unwrap_or(self.source);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        self.problems.push(Problem {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            pointer: pointer.to_owned(),
            message: message.into(),
        });
    }

    pub(super) fn problem_at(&mut self, at: &At<'_>, message: impl Into<String>) {
        self.problem(at.value.start(), &at.pointer, message);
    }

    pub(super) fn object<'a>(&mut self, at: &At<'a>) -> Option<Fields<'a>> {
        match at.value {
            Value::Object(object) => Some(Fields { object, pointer: at.pointer.clone(), asked: Vec::new(), settled: Vec::new() }),
            other => {
                self.problem_at(at, format!("expected an object, got {}", kind_of(other)));
                None
            }
        }
    }

    pub(super) fn field<'a>(&mut self, fields: &mut Fields<'a>, name: &'static str, required: bool) -> Option<At<'a>> {
        fields.asked.push(name);
        let found = fields.object.properties.iter().find(|property| property.name.as_str() == name);
        if found.is_none() && required {
            self.problem(fields.object.range.start, &fields.pointer, format!("\"{name}\" is missing"));
        }
        found.map(|property| At { value: &property.value, pointer: child(&fields.pointer, name) })
    }

    pub(super) fn string<'a>(&mut self, at: &At<'a>) -> Option<&'a str> {
        match at.value {
            Value::StringLit(text) => Some(text.value.as_ref()),
            other => {
                self.problem_at(at, format!("expected a text in quotes, got {}", kind_of(other)));
                None
            }
        }
    }

    pub(super) fn checked_text(&mut self, at: &At<'_>, max: usize) -> Option<String> {
        let text = self.string(at)?;
        let length = text.chars().count();
        if text.trim().is_empty() {
            self.problem_at(at, "the text is empty");
        } else if length > max {
            self.problem_at(at, format!("the text has {length} characters; at most {max} are allowed"));
        } else if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            self.problem_at(at, "the text has a control character; only line breaks and tabs are allowed");
        } else {
            return Some(text.to_owned());
        }
        None
    }

    pub(super) fn text(&mut self, fields: &mut Fields<'_>, name: &'static str, max: usize) -> Option<String> {
        let at = self.field(fields, name, true)?;
        self.checked_text(&at, max)
    }

    pub(super) fn optional_text(&mut self, fields: &mut Fields<'_>, name: &'static str, max: usize) -> Option<String> {
        let at = self.field(fields, name, false)?;
        self.checked_text(&at, max)
    }

    pub(super) fn parse<T: FromStr<Err: Display>>(&mut self, at: &At<'_>) -> Option<T> {
        match self.string(at)?.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem_at(at, T::Err::to_string(&error));
                None
            }
        }
    }

    pub(super) fn parsed<T: FromStr<Err: Display>>(
        &mut self,
        fields: &mut Fields<'_>,
        name: &'static str,
        required: bool,
    ) -> Option<T> {
        let at = self.field(fields, name, required)?;
        self.parse(&at)
    }

    pub(super) fn word<T: Copy>(
        &mut self,
        fields: &mut Fields<'_>,
        name: &'static str,
        known: &[(&str, T)],
        required: bool,
    ) -> Option<T> {
        let at = self.field(fields, name, required)?;
        self.word_at(&at, known)
    }

    pub(super) fn word_at<T: Copy>(&mut self, at: &At<'_>, known: &[(&str, T)]) -> Option<T> {
        let text = self.string(at)?;
        let found = known.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let meant = nearest(text, known.iter().map(|(word, _)| *word));
            let meant = meant.map_or(String::new(), |meant| format!("; did you mean \"{meant}\"?"));
            let words = in_words(known.iter().map(|(word, _)| *word));
            self.problem_at(at, format!("expected one of {words}, got {text:?}{meant}"));
        }
        found
    }

    pub(super) fn flag(&mut self, fields: &mut Fields<'_>, name: &'static str) -> bool {
        self.flag_or(fields, name, false)
    }

    /// Whether a flag is on; `otherwise` if it is not there.
    pub(super) fn flag_or(&mut self, fields: &mut Fields<'_>, name: &'static str, otherwise: bool) -> bool {
        match self.field(fields, name, false) {
            Some(At { value: Value::BooleanLit(flag), .. }) => flag.value,
            Some(at) => {
                self.problem_at(&at, format!("expected true or false, got {}", kind_of(at.value)));
                otherwise
            }
            None => otherwise,
        }
    }

    /// A whole number within limits.
    pub(super) fn whole(
        &mut self,
        fields: &mut Fields<'_>,
        name: &'static str,
        min: i64,
        max: i64,
        required: bool,
    ) -> Option<i64> {
        let at = self.field(fields, name, required)?;
        let number = match at.value {
            Value::NumberLit(number) => number.value.parse::<i64>().ok().filter(|number| (min..=max).contains(number)),
            _ => None,
        };
        if number.is_none() {
            self.problem_at(&at, format!("expected a whole number from {min} to {max}, got {}", in_short(at.value)));
        }
        number
    }

    /// Any number.
    pub(super) fn number(&mut self, at: &At<'_>) -> Option<serde_json::Number> {
        let number = match at.value {
            Value::NumberLit(number) => number.value.parse().ok(),
            _ => None,
        };
        if number.is_none() {
            let message = match at.value {
                Value::NumberLit(_) => "the number is too large".to_owned(),
                other => format!("expected a number, got {}", kind_of(other)),
            };
            self.problem_at(at, message);
        }
        number
    }

    /// A text that people read: the same for all, or one for each language.
    pub(super) fn said(
        &mut self,
        fields: &mut Fields<'_>,
        name: &'static str,
        max: usize,
        words: Words,
        required: bool,
    ) -> Option<Text> {
        let at = self.field(fields, name, required)?;
        self.said_at(&at, max, words)
    }

    pub(super) fn said_at(&mut self, at: &At<'_>, max: usize, words: Words) -> Option<Text> {
        let Value::Object(object) = at.value else {
            if !matches!(at.value, Value::StringLit(_)) {
                let message =
                    format!("expected a text in quotes, or an object with one for each language, got {}", kind_of(at.value));
                self.problem_at(at, message);
                return None;
            }
            let text = self.checked_text(at, max)?;
            self.tokens(at, &text, words);
            return Some(Text::plain(&text));
        };
        if object.properties.is_empty() || object.properties.len() > limits::LOCALES {
            let message =
                format!("expected a text for each of 1 to {} languages, such as {{ \"en\": \"Hello\" }}", limits::LOCALES);
            self.problem_at(at, message);
            return None;
        }
        let mut seen = BTreeSet::new();
        let mut read = Some(Vec::new());
        for ObjectProp { name, value, range, .. } in &object.properties {
            let tag = name.as_str();
            let of_tag = At { value, pointer: child(&at.pointer, tag) };
            if !is_locale(tag) {
                self.problem(
                    range.start,
                    &of_tag.pointer,
                    format!("expected a language tag such as \"de\" or \"pt-BR\", got {tag:?}"),
                );
                read = None;
            } else if !seen.insert(tag.to_lowercase()) {
                self.problem(range.start, &of_tag.pointer, format!("the language {tag:?} has a text here already"));
                read = None;
            }
            match self.checked_text(&of_tag, max) {
                Some(text) => {
                    self.tokens(&of_tag, &text, words);
                    read.iter_mut().for_each(|texts| texts.push((tag.to_owned(), text.clone())));
                }
                None => read = None,
            }
        }
        read.map(Text::localised)
    }

    /// Reports tokens that name nothing.
    pub(super) fn tokens(&mut self, at: &At<'_>, text: &str, words: Words) {
        if words == Words::Rich {
            for problem in template::problems(text) {
                self.problem_at(at, problem);
            }
        }
    }

    /// Reports a field that would do nothing here: its author expects something of it.
    pub(super) fn useless(&mut self, fields: &mut Fields<'_>, name: &'static str, message: &str) {
        fields.settle(&[name]);
        if let Some(property) = fields.object.properties.iter().find(|property| property.name.as_str() == name) {
            self.problem(property.range.start, &child(&fields.pointer, name), message);
        }
    }

    /// What stands at a place, once its parts were checked.
    pub(super) fn taken<T: DeserializeOwned>(&mut self, at: &At<'_>) -> Option<T> {
        let range = at.value.range();
        match serde_json::from_str(self.source.get(range.start..range.end).unwrap_or_default()) {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem_at(at, error.to_string());
                None
            }
        }
    }

    /// A list whose elements are read one by one; `None` if it, or one of them, could not be read.
    pub(super) fn list<'a, T>(
        &mut self,
        fields: &mut Fields<'a>,
        name: &'static str,
        min: usize,
        max: usize,
        required: bool,
        mut each: impl FnMut(&mut Self, &At<'a>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let at = self.field(fields, name, required)?;
        let Value::Array(Array { elements, .. }) = at.value else {
            self.problem_at(&at, format!("expected a list, got {}", kind_of(at.value)));
            return None;
        };
        if elements.len() < min || elements.len() > max {
            let count = match elements.len() {
                0 => "the list is empty".to_owned(),
                1 => "the list has 1 element".to_owned(),
                count => format!("the list has {count} elements"),
            };
            let allowed = if min == max { format!("exactly {min} are") } else { format!("from {min} to {max} are") };
            self.problem_at(&at, format!("{count}; {allowed} allowed"));
            return None;
        }
        let read: Vec<_> = elements
            .iter()
            .enumerate()
            .map(|(index, value)| each(self, &At { value, pointer: child(&at.pointer, index) }))
            .collect();
        read.into_iter().collect()
    }

    /// Reports the fields nobody asked for, and those that stand there twice.
    pub(super) fn finish(&mut self, fields: Fields<'_>) {
        let mut seen = BTreeSet::new();
        for ObjectProp { name, range, .. } in &fields.object.properties {
            let name = name.as_str();
            let pointer = child(&fields.pointer, name);
            if !seen.insert(name) {
                self.problem(range.start, &pointer, format!("\"{name}\" stands here twice"));
            } else if !fields.asked.contains(&name) && !fields.settled.contains(&name) {
                let meant = nearest(name, fields.asked.iter().copied().filter(|asked| !fields.has(asked)));
                let advice = meant.map_or_else(
                    || format!("known here: {}", in_words(fields.asked.iter().copied())),
                    |meant| format!("did you mean \"{meant}\"?"),
                );
                self.problem(range.start, &pointer, format!("unknown field \"{name}\"; {advice}"));
            }
        }
    }
}
