//! Reading a document: every problem with its place, not only the first.

use std::{
    collections::{BTreeSet, HashMap},
    fmt::Display,
    str::FromStr,
};

use jsonc_parser::{
    CollectOptions, ParseOptions,
    ast::{Array, Object, ObjectProp, Value},
    common::Ranged,
    parse_to_ast,
};

use super::{Body, CaptureField, Card, Choice, Conversation, Kind, Problem, Ui, flow::Way, limits};
use crate::id::{AttributeName, CardId};

impl Conversation {
    /// Reads a document.
    ///
    /// # Errors
    /// Every problem of the document, in the order of their places: what is no JSON, fields that are missing, unknown, twice
    /// there, of the wrong kind or too long, and cards that lead nowhere.
    pub fn read(source: &str) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader { source, problems: Vec::new() };
        let conversation = reader.document();
        reader.problems.sort();
        reader.problems.dedup();
        match conversation {
            Some(conversation) if reader.problems.is_empty() => Ok(conversation),
            _ => Err(reader.problems),
        }
    }
}

struct Reader<'s> {
    source: &'s str,
    problems: Vec<Problem>,
}

/// A value with its place.
#[derive(Clone)]
struct At<'a> {
    value: &'a Value<'a>,
    pointer: String,
}

/// An object whose fields are being read; what has not been asked for when it is finished is unknown.
struct Fields<'a> {
    object: &'a Object<'a>,
    pointer: String,
    asked: Vec<&'static str>,
}

fn child(pointer: &str, name: impl Display) -> String {
    // Escapes of RFC 6901 §3.
    format!("{pointer}/{}", name.to_string().replace('~', "~0").replace('/', "~1"))
}

fn kind_of(value: &Value<'_>) -> &'static str {
    match value {
        Value::StringLit(_) => "a text",
        Value::NumberLit(_) => "a number",
        Value::BooleanLit(_) => "true or false",
        Value::Object(_) => "an object",
        Value::Array(_) => "a list",
        Value::NullKeyword(_) => "null",
    }
}

/// Of some words, the one that was probably meant.
fn nearest<'w>(word: &str, known: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(far, _)| *far <= 2)
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

impl<'s> Reader<'s> {
    fn problem(&mut self, offset: usize, pointer: &str, message: impl Into<String>) {
        let before = self.source.get(..offset).unwrap_or(self.source);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        self.problems.push(Problem {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            pointer: pointer.to_owned(),
            message: message.into(),
        });
    }

    fn problem_at(&mut self, at: &At<'_>, message: impl Into<String>) {
        self.problem(at.value.start(), &at.pointer, message);
    }

    fn document(&mut self) -> Option<Conversation> {
        if self.source.len() > limits::DOCUMENT_BYTES {
            let message = format!("the document has {} bytes; at most {} are allowed", self.source.len(), limits::DOCUMENT_BYTES);
            self.problem(0, "", message);
            return None;
        }
        let strict = ParseOptions {
            allow_comments: false,
            allow_loose_object_property_names: false,
            allow_trailing_commas: false,
            allow_missing_commas: false,
            allow_single_quoted_strings: false,
            allow_hexadecimal_numbers: false,
            allow_unary_plus_numbers: false,
        };
        let source = self.source;
        let parsed = match parse_to_ast(source, &CollectOptions::default(), &strict) {
            Ok(parsed) => parsed,
            Err(error) => {
                self.problem(error.range().start, "", format!("this is not JSON: {}", error.kind()));
                return None;
            }
        };
        let Some(value) = parsed.value else {
            self.problem(0, "", "the file is empty; a conversation is a JSON object");
            return None;
        };
        let root = At { value: &value, pointer: String::new() };
        let mut fields = self.object(&root)?;
        let schema = self.optional_text(&mut fields, "$schema", limits::PATTERN);
        let id = self.parsed(&mut fields, "id", true);
        let name = self.text(&mut fields, "name", limits::LABEL);
        let kind =
            self.word(&mut fields, "type", &[("dialogue", Kind::Dialogue), ("conversationFlow", Kind::ConversationFlow)], false);
        let ui = self.word(&mut fields, "ui", &[("chatbot", Ui::Chatbot), ("popup", Ui::Popup), ("inline", Ui::Inline)], false);
        let priority = self.priority(&mut fields);
        let pages = self.list(&mut fields, "pages", 0, limits::PAGES, false, Self::parse);
        let places = self.places_of_cards(&root);
        let cards = self.list(&mut fields, "cards", 1, limits::CARDS, true, Self::card);
        self.finish(fields);
        let conversation = Conversation {
            schema,
            id: id?,
            name: name?,
            kind: kind.unwrap_or_default(),
            ui: ui.unwrap_or_default(),
            priority: priority.unwrap_or_default(),
            pages: pages.unwrap_or_default(),
            cards: cards?,
        };
        // Where cards lead is only worth telling once every card could be read.
        if conversation.cards.len() == places.len() {
            self.check_ways(&conversation, &places);
        }
        Some(conversation)
    }

    fn places_of_cards(&self, root: &At<'_>) -> Vec<usize> {
        let Value::Object(object) = root.value else { return vec![] };
        object.get_array("cards").map_or_else(Vec::new, |cards| cards.elements.iter().map(Ranged::start).collect())
    }

    fn card(&mut self, at: &At<'_>) -> Option<Card> {
        let mut fields = self.object(at)?;
        let id = self.parsed(&mut fields, "id", true);
        let kinds = ["message", "question", "capture", "jump", "end"].map(|kind| (kind, kind));
        let body = match self.word(&mut fields, "card", &kinds, true) {
            Some("message") => {
                let text = self.text(&mut fields, "text", limits::TEXT);
                let next = self.parsed(&mut fields, "next", false);
                text.map(|text| Body::Message { text, next })
            }
            Some("question") => {
                let text = self.text(&mut fields, "text", limits::TEXT);
                let choices = self.choices(&mut fields);
                let attribute = self.parsed::<AttributeName>(&mut fields, "attribute", false);
                let next = self.parsed(&mut fields, "next", false);
                text.zip(choices).map(|(text, choices)| Body::Question { text, choices, attribute, next })
            }
            Some("capture") => {
                let known = [("email", CaptureField::Email), ("phone", CaptureField::Phone)];
                let field = self.word(&mut fields, "field", &known, true);
                let text = self.text(&mut fields, "text", limits::TEXT);
                let optional = self.flag(&mut fields, "optional");
                let next = self.parsed(&mut fields, "next", false);
                text.zip(field).map(|(text, field)| Body::Capture { field, text, optional, next })
            }
            Some("jump") => self.parsed(&mut fields, "to", true).map(|to| Body::Jump { to }),
            Some(_) => Some(Body::End { text: self.optional_text(&mut fields, "text", limits::TEXT) }),
            // Of a card of unknown kind no field can be judged.
            None => return None,
        };
        self.finish(fields);
        Some(Card { id: id?, body: body? })
    }

    fn choices(&mut self, fields: &mut Fields<'_>) -> Option<Vec<Choice>> {
        let mut seen = BTreeSet::new();
        self.list(fields, "choices", 1, limits::CHOICES, true, |reader, at| {
            let mut fields = reader.object(at)?;
            let label = reader.text(&mut fields, "label", limits::LABEL);
            let value = reader.optional_text(&mut fields, "value", limits::LABEL);
            let next = reader.parsed(&mut fields, "next", false);
            reader.finish(fields);
            let choice = Choice { label: label?, value, next };
            if !seen.insert(choice.value().to_owned()) {
                reader.problem_at(
                    at,
                    format!("another choice has the value {:?} already; give this one a \"value\" of its own", choice.value()),
                );
            }
            Some(choice)
        })
    }

    /// Cards named twice, ways to cards that are not there, and cards from which no end can be reached.
    fn check_ways(&mut self, conversation: &Conversation, places: &[usize]) {
        let mut positions: HashMap<&CardId, usize> = HashMap::new();
        for (index, card) in conversation.cards.iter().enumerate() {
            if let Some(first) = positions.get(&card.id) {
                let message = format!("card {first} has the id \"{}\" already; ids are unique", card.id, first = first + 1);
                self.problem(places[index], &format!("/cards/{index}/id"), message);
            } else {
                positions.insert(&card.id, index);
            }
        }
        // The ways that lead somewhere, turned round, to find what an end can be reached from.
        let mut sources: Vec<Vec<usize>> = vec![Vec::new(); conversation.cards.len()];
        let mut explained = vec![false; conversation.cards.len()];
        for (index, card) in conversation.cards.iter().enumerate() {
            for (way, target) in conversation.ways(card) {
                let pointer = match way {
                    Way::Next => format!("/cards/{index}/next"),
                    Way::To => format!("/cards/{index}/to"),
                    Way::Choice(choice) => format!("/cards/{index}/choices/{choice}/next"),
                };
                match target.map(|id| (id, positions.get(id))) {
                    Some((_, Some(to))) => sources[*to].push(index),
                    Some((id, None)) => {
                        let meant = nearest(id.as_str(), positions.keys().map(|id| id.as_str()));
                        let meant = meant.map_or(String::new(), |meant| format!("; did you mean \"{meant}\"?"));
                        self.problem(places[index], &pointer, format!("there is no card \"{id}\"{meant}"));
                        explained[index] = true;
                    }
                    None => {
                        let message = "nothing follows the last card; give it a \"next\", or put a card of kind \"end\" below it";
                        self.problem(places[index], &pointer, message);
                        explained[index] = true;
                    }
                }
            }
        }
        let is_end = |index: &usize| matches!(conversation.cards[*index].body, Body::End { .. });
        let mut reached: Vec<usize> = (0..conversation.cards.len()).filter(|index| is_end(index) || explained[*index]).collect();
        let mut ends_from: BTreeSet<usize> = reached.iter().copied().collect();
        while let Some(index) = reached.pop() {
            reached.extend(sources[index].iter().copied().filter(|source| ends_from.insert(*source)));
        }
        for (index, card) in conversation.cards.iter().enumerate().filter(|(index, _)| !ends_from.contains(index)) {
            let message = format!("no way leads from card \"{}\" to an end; a visitor would go round for ever", card.id);
            self.problem(places[index], &format!("/cards/{index}"), message);
        }
    }

    // Fields of one kind each.

    fn object<'a>(&mut self, at: &At<'a>) -> Option<Fields<'a>> {
        match at.value {
            Value::Object(object) => Some(Fields { object, pointer: at.pointer.clone(), asked: Vec::new() }),
            other => {
                self.problem_at(at, format!("expected an object, got {}", kind_of(other)));
                None
            }
        }
    }

    fn field<'a>(&mut self, fields: &mut Fields<'a>, name: &'static str, required: bool) -> Option<At<'a>> {
        fields.asked.push(name);
        let found = fields.object.properties.iter().find(|property| property.name.as_str() == name);
        if found.is_none() && required {
            self.problem(fields.object.range.start, &fields.pointer, format!("\"{name}\" is missing"));
        }
        found.map(|property| At { value: &property.value, pointer: child(&fields.pointer, name) })
    }

    fn string<'a>(&mut self, at: &At<'a>) -> Option<&'a str> {
        match at.value {
            Value::StringLit(text) => Some(text.value.as_ref()),
            other => {
                self.problem_at(at, format!("expected a text in quotes, got {}", kind_of(other)));
                None
            }
        }
    }

    fn checked_text(&mut self, at: &At<'_>, max: usize) -> Option<String> {
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

    fn text(&mut self, fields: &mut Fields<'_>, name: &'static str, max: usize) -> Option<String> {
        let at = self.field(fields, name, true)?;
        self.checked_text(&at, max)
    }

    fn optional_text(&mut self, fields: &mut Fields<'_>, name: &'static str, max: usize) -> Option<String> {
        let at = self.field(fields, name, false)?;
        self.checked_text(&at, max)
    }

    fn parse<T: FromStr<Err: Display>>(&mut self, at: &At<'_>) -> Option<T> {
        match self.string(at)?.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem_at(at, T::Err::to_string(&error));
                None
            }
        }
    }

    fn parsed<T: FromStr<Err: Display>>(&mut self, fields: &mut Fields<'_>, name: &'static str, required: bool) -> Option<T> {
        let at = self.field(fields, name, required)?;
        self.parse(&at)
    }

    fn word<T: Copy>(&mut self, fields: &mut Fields<'_>, name: &'static str, known: &[(&str, T)], required: bool) -> Option<T> {
        let at = self.field(fields, name, required)?;
        let text = self.string(&at)?;
        let found = known.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let meant = nearest(text, known.iter().map(|(word, _)| *word));
            let meant = meant.map_or(String::new(), |meant| format!("; did you mean \"{meant}\"?"));
            let words = in_words(known.iter().map(|(word, _)| *word));
            self.problem_at(&at, format!("expected one of {words}, got {text:?}{meant}"));
        }
        found
    }

    fn flag(&mut self, fields: &mut Fields<'_>, name: &'static str) -> bool {
        match self.field(fields, name, false) {
            Some(At { value: Value::BooleanLit(flag), .. }) => flag.value,
            Some(at) => {
                self.problem_at(&at, format!("expected true or false, got {}", kind_of(at.value)));
                false
            }
            None => false,
        }
    }

    fn priority(&mut self, fields: &mut Fields<'_>) -> Option<i64> {
        let at = self.field(fields, "priority", false)?;
        let number = match at.value {
            Value::NumberLit(number) => number.value.parse::<i64>().ok().filter(|number| number.abs() <= limits::PRIORITY),
            _ => None,
        };
        if number.is_none() {
            self.problem_at(&at, format!("expected a whole number from -{max} to {max}", max = limits::PRIORITY));
        }
        number
    }

    /// A list whose elements are read one by one; `None` if it, or one of them, could not be read.
    fn list<'a, T>(
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
            self.problem_at(&at, format!("the list has {} elements; from {min} to {max} are allowed", elements.len()));
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
    fn finish(&mut self, fields: Fields<'_>) {
        let mut seen = BTreeSet::new();
        for ObjectProp { name, range, .. } in &fields.object.properties {
            let name = name.as_str();
            let pointer = child(&fields.pointer, name);
            if !seen.insert(name) {
                self.problem(range.start, &pointer, format!("\"{name}\" stands here twice"));
            } else if !fields.asked.contains(&name) {
                let meant = nearest(
                    name,
                    fields
                        .asked
                        .iter()
                        .copied()
                        .filter(|asked| !fields.object.properties.iter().any(|p| p.name.as_str() == *asked)),
                );
                let advice = meant.map_or_else(
                    || format!("known here: {}", in_words(fields.asked.iter().copied())),
                    |meant| format!("did you mean \"{meant}\"?"),
                );
                self.problem(range.start, &pointer, format!("unknown field \"{name}\"; {advice}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(source: &str) -> Vec<String> {
        Conversation::read(source).unwrap_err().iter().map(ToString::to_string).collect()
    }

    const GOOD: &str = r#"{ "id": "welcome", "name": "Welcome", "cards": [
        { "id": "hi", "card": "message", "text": "Hi" },
        { "id": "ask", "card": "question", "text": "Well?", "choices": [{ "label": "Yes" }, { "label": "No", "next": "hi" }] },
        { "id": "bye", "card": "end" }
    ] }"#;

    #[test]
    fn a_good_document_is_read() {
        let conversation = Conversation::read(GOOD).unwrap();
        assert_eq!(conversation.cards.len(), 3);
        assert_eq!((conversation.kind, conversation.ui), (Kind::Dialogue, Ui::Chatbot));
    }

    #[test]
    fn what_is_no_json_is_told_with_its_place() {
        assert_eq!(problems("{ \"id\": \"ä\",\n  oops }")[0].split(": ").next(), Some("2:3"));
        assert!(problems("")[0].contains("empty"));
        assert!(problems("[]")[0].contains("expected an object, got a list"));
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let source = r#"{
  "id": "wel come",
  "nam": "Welcome",
  "type": "dialog",
  "ui": 7,
  "priority": 1.5,
  "pages": ["pricing"],
  "cards": [
    { "id": "a", "card": "message", "text": "", "colour": "red" },
    { "id": "b", "card": "question", "text": "Well?", "choices": [{ "label": "Yes" }, { "label": "Yes" }] },
    { "id": "c", "card": "capture", "field": "fax", "text": "?", "optional": "yes" },
    { "id": "d", "card": "jmp", "to": "a" },
    { "card": "end", "text": "x", "text": "y" }
  ]
}"#;
        insta::assert_snapshot!(problems_in_words("bad.json", &Conversation::read(source).unwrap_err()));
    }

    #[test]
    fn ways_that_lead_nowhere_are_told() {
        let source = r#"{ "id": "w", "name": "W", "cards": [
  { "id": "a", "card": "message", "text": "A", "next": "ennd" },
  { "id": "b", "card": "message", "text": "B" },
  { "id": "c", "card": "jump", "to": "b" },
  { "id": "a", "card": "end" },
  { "id": "end", "card": "message", "text": "E" }
] }"#;
        insta::assert_snapshot!(problems_in_words("bad.json", &Conversation::read(source).unwrap_err()));
    }

    #[test]
    fn limits_hold_at_their_edge() {
        let with_text = |length: usize| GOOD.replace("\"Hi\"", &format!("\"{}\"", "ä".repeat(length)));
        assert!(Conversation::read(&with_text(limits::TEXT)).is_ok());
        assert!(problems(&with_text(limits::TEXT + 1))[0].contains("2001 characters; at most 2000"));

        let with_cards = |count: usize| {
            let cards = (1..count)
                .map(|n| format!(r#"{{ "id": "c{n}", "card": "message", "text": "x" }}"#))
                .collect::<Vec<_>>()
                .join(",");
            format!(r#"{{ "id": "w", "name": "W", "cards": [{cards}, {{ "id": "z", "card": "end" }}] }}"#)
        };
        assert!(Conversation::read(&with_cards(limits::CARDS)).is_ok());
        assert!(problems(&with_cards(limits::CARDS + 1))[0].contains("501 elements"));

        let with_choices = |count: usize| {
            let choices = (0..count).map(|n| format!(r#"{{ "label": "{n}" }}"#)).collect::<Vec<_>>().join(",");
            GOOD.replace(r#"[{ "label": "Yes" }, { "label": "No", "next": "hi" }]"#, &format!("[{choices}]"))
        };
        assert!(Conversation::read(&with_choices(limits::CHOICES)).is_ok());
        assert!(problems(&with_choices(limits::CHOICES + 1))[0].contains("21 elements"));
        assert!(problems(&with_choices(0))[0].contains("0 elements"));

        let with_priority = |priority: i64| GOOD.replacen('{', &format!("{{ \"priority\": {priority},"), 1);
        assert!(Conversation::read(&with_priority(limits::PRIORITY)).is_ok());
        assert!(Conversation::read(&with_priority(limits::PRIORITY + 1)).is_err());

        let padded = |bytes: usize| format!("{GOOD}{}", " ".repeat(bytes - GOOD.len()));
        assert!(Conversation::read(&padded(limits::DOCUMENT_BYTES)).is_ok());
        assert!(problems(&padded(limits::DOCUMENT_BYTES + 1))[0].contains("bytes; at most"));
    }

    #[test]
    fn deep_nesting_is_refused_not_followed() {
        assert!(!problems(&"[".repeat(100_000)).is_empty());
    }

    use super::super::problems_in_words;
}
