//! Reading a document: every problem with its place, not only the first.

mod cards;
mod contact;
mod fields;
mod target;
mod ways;

use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::{Conversation, Kind, Problem, Ui, document::ENGLISH, is_locale, limits};
use crate::id::ConversationId;
use fields::{At, Fields, Words, place};

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

impl Problem {
    /// A problem with a card of a document that was read: it is only seen together with the site's other files.
    #[must_use]
    pub fn of_card(source: &str, card: usize, field: &str, message: impl Into<String>) -> Self {
        let mut reader = Reader { source, problems: Vec::new() };
        let pointer = format!("/cards/{card}/{field}");
        let parsed = parse_to_ast(source, &CollectOptions::default(), &ParseOptions::default());
        let offset = parsed.ok().and_then(|parsed| parsed.value).map_or(0, |root| place(&root, &pointer));
        reader.problem(offset, &pointer, message);
        reader.problems.swap_remove(0)
    }
}

struct Reader<'s> {
    source: &'s str,
    problems: Vec<Problem>,
}

impl Reader<'_> {
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
        let id = self.parsed::<ConversationId>(&mut fields, "id", true);
        let name = self.text(&mut fields, "name", limits::LABEL);
        let kinds = [("dialogue", Kind::Dialogue), ("conversationFlow", Kind::ConversationFlow)];
        let told = self.word(&mut fields, "type", &kinds, false);
        let kind = told.unwrap_or_default();
        // What is said of another type than it is would not help.
        let misspelt = told.is_none() && fields.has("type");
        let ui = self.ui(&mut fields, kind, misspelt);
        let locale = self.locale(&mut fields);
        if !misspelt {
            self.only_where_it_works(&mut fields, kind, ui);
        }
        let priority = self.whole(&mut fields, "priority", -limits::PRIORITY, limits::PRIORITY, false);
        let target = self.target(&mut fields);
        let trigger = self.trigger(&mut fields);
        let poke = self.said(&mut fields, "poke", limits::LABEL, Words::Rich, false);
        let back = self.flag(&mut fields, "back");
        let restart = self.flag(&mut fields, "restart");
        let delay = self.whole(&mut fields, "typingDelay", 0, limits::TYPING_DELAY_MAX.into(), false);
        let cards = self.list(&mut fields, "cards", 1, limits::CARDS, true, Self::card);
        self.finish(fields);
        let conversation = Conversation {
            schema,
            // What is missing was told; that of the cards may be told all the same.
            id: id.or_else(|| "unread".parse().ok())?,
            name: name.unwrap_or_default(),
            kind,
            ui,
            locale: locale.unwrap_or_else(|| ENGLISH.to_owned()),
            priority: priority.unwrap_or_default(),
            target: target.unwrap_or_default(),
            trigger: trigger.unwrap_or_default(),
            poke,
            back,
            restart,
            typing_delay: delay.and_then(|delay| u32::try_from(delay).ok()).unwrap_or(limits::TYPING_DELAY),
            cards: cards?,
        };
        // Where cards lead is only worth telling once every card could be read.
        self.check_ways(&conversation, &value);
        Some(conversation)
    }

    /// How it is shown: a dialogue by launcher or popup, a conversation flow by popup or inline, as Dynamic Chat has it.
    fn ui(&mut self, fields: &mut Fields<'_>, kind: Kind, either: bool) -> Ui {
        let (otherwise, never, message) = match kind {
            Kind::Dialogue => {
                (Ui::Chatbot, Ui::Inline, "a dialogue is shown as \"chatbot\" or \"popup\"; \"inline\" is for conversation flows")
            }
            Kind::ConversationFlow => {
                (Ui::Popup, Ui::Chatbot, "a conversation flow is shown as \"popup\" or \"inline\"; \"chatbot\" is for dialogues")
            }
        };
        let Some(at) = self.field(fields, "ui", false) else { return otherwise };
        let known = [Ui::Chatbot, Ui::Popup, Ui::Inline].map(|ui| (ui.name(), ui));
        let ui = self.word_at(&at, &known).unwrap_or(otherwise);
        if ui == never && !either {
            self.problem_at(&at, message);
            return otherwise;
        }
        ui
    }

    fn locale(&mut self, fields: &mut Fields<'_>) -> Option<String> {
        let at = self.field(fields, "locale", false)?;
        let tag = self.string(&at)?;
        if !is_locale(tag) {
            self.problem_at(&at, format!("expected a language tag such as \"de\" or \"pt-BR\", got {tag:?}"));
            return None;
        }
        Some(tag.to_owned())
    }

    /// Reports fields that would do nothing: their author expects something of them.
    fn only_where_it_works(&mut self, fields: &mut Fields<'_>, kind: Kind, ui: Ui) {
        if kind != Kind::Dialogue {
            for name in ["priority", "target", "trigger"] {
                let message =
                    format!("a conversation flow is started by name, never offered by itself; only a dialogue has a \"{name}\"");
                self.useless(fields, name, &message);
            }
        }
        if ui != Ui::Chatbot {
            let message = format!("a poke stands beside the launcher, and a conversation shown as \"{}\" has none", ui.name());
            self.useless(fields, "poke", &message);
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

    /// Mistakes of every kind, one a line.
    #[test]
    fn every_problem_is_told_at_once() {
        let source = r#"{
  "id": "wel come",
  "nam": "Welcome",
  "type": "dialogue",
  "ui": "inline",
  "locale": "german",
  "priority": 1.5,
  "typingDelay": "slow",
  "poke": "",
  "back": "yes",
  "target": {
    "pages": ["pricing"],
    "notPages": [],
    "params": { "utm_source": 7 },
    "locales": ["de_AT"],
    "devices": ["phone", "mobil", "dektop"],
    "visitors": "retuning",
    "if": { "all": [{ "attribute": "plan", "iz": "pro" }, { "attribute": "seats", "above": "3" }, { "any": {} }] },
    "schedule": {
      "from": "2026-11-31T00:00",
      "days": ["monday", "munday"],
      "between": ["9:00", "17:00"]
    }
  },
  "trigger": { "on": "scroll", "percent": 101 },
  "cards": [
    { "id": "a", "card": "message", "text": "Hi {{visitr.name}}", "colour": "red" },
    { "id": "b", "card": "question", "text": "Well?", "choices": [{ "label": "Yes" }, { "label": "Yes" }] },
    { "id": "c", "card": "question", "text": "Well?", "choices": [{ "label": { "en": "Yes", "de": "Ja", "DE": "Jo" } }] },
    { "id": "c2", "card": "question", "text": "Well?", "choices": [{ "label": { "en": "Yes", "de": "Ja" } }] },
    { "id": "d", "card": "question", "text": "Which?", "style": "multiple", "choices": [{ "label": "a;b", "next": "a" }], "min": 2 },
    { "id": "e", "card": "question", "text": "Which?", "choices": [{ "label": "a" }], "max": 2 },
    { "id": "f", "card": "capture", "field": "fax", "text": "?", "optional": "yes", "max": 3 },
    { "id": "g", "card": "capture", "field": "number", "text": "How many?", "min": 5, "max": 1e999 },
    { "id": "h", "card": "capture", "field": "date", "attribute": "day", "text": "When?", "min": "2026-12-01", "max": "2026-11-01" },
    { "id": "i", "card": "capture", "field": "email", "text": "?", "min": 3, "choices": [] },
    { "id": "j", "card": "document", "text": "Here", "titel": "Guide", "file": "../guide.pdf" },
    { "id": "k", "card": "condition", "branches": [{ "if": { "and": [] }, "next": "a" }, { "next": "a" }] },
    { "id": "l", "card": "set", "attribute": "my plan", "value": 3 },
    { "id": "m", "card": "jmp", "to": "a" },
    { "id": "n.o", "card": "goal", "goal": "\u0007" },
    "end",
    { "card": "end", "text": "x", "text": "y" }
  ]
}"#;
        let problems = Conversation::read(source).unwrap_err();
        let kinds: std::collections::BTreeSet<_> = problems.iter().map(|problem| &problem.message).collect();
        assert!(kinds.len() >= 40, "{}", kinds.len());
        insta::assert_snapshot!(problems_in_words("bad.json", &problems));
    }

    #[test]
    fn ways_that_lead_nowhere_are_told() {
        // That the name is missing hides nothing of the rest.
        let source = r#"{ "id": "w", "cards": [
  { "id": "a", "card": "message", "text": "A", "next": "ennd" },
  { "id": "b", "card": "message", "text": "B" },
  { "id": "c", "card": "jump", "to": "b" },
  { "id": "a", "card": "end" },
  { "id": "d", "card": "question", "text": "?", "choices": [{ "label": "x", "next": "end" }, { "label": "y", "next": "g.h" }], "next": "bb" },
  { "id": "e", "card": "condition", "branches": [{ "if": { "attribute": "a", "is": "x" }, "next": "elsewhere" }], "next": "end" },
  { "id": "end", "card": "message", "text": "E" }
] }"#;
        insta::assert_snapshot!(problems_in_words("bad.json", &Conversation::read(source).unwrap_err()));
    }

    #[test]
    fn fields_that_would_do_nothing_are_told() {
        let source = r##"{ "id": "w", "name": "W", "type": "conversationFlow", "ui": "chatbot",
  "priority": 1,
  "target": { "pages": ["/"] },
  "trigger": { "on": "click", "selector": "#help", "seconds": 3 },
  "poke": "Hi",
  "cards": [
  { "id": "a", "card": "capture", "field": "pickList", "attribute": "a", "text": "?", "choices": [{ "label": "x", "next": "end" }] },
  { "id": "b", "card": "question", "text": "?", "style": "list", "choices": [{ "label": "x" }], "min": 0, "max": 1 },
  { "id": "c", "card": "jump", "to": "end", "next": "end" },
  { "id": "end", "card": "end", "next": "a" }
] }"##;
        insta::assert_snapshot!(problems_in_words("bad.json", &Conversation::read(source).unwrap_err()));
        let popup = GOOD.replacen('{', r#"{ "ui": "popup", "poke": "Hi","#, 1);
        assert_eq!(
            problems(&popup),
            ["1:18: /poke: a poke stands beside the launcher, and a conversation shown as \"popup\" has none"]
        );
        // Of a type that is misspelt nothing is said but that.
        let misspelt = GOOD.replacen('{', r#"{ "type": "flow", "ui": "inline", "target": {},"#, 1);
        assert_eq!(problems(&misspelt), ["1:11: /type: expected one of \"dialogue\", \"conversationFlow\", got \"flow\""]);
    }

    /// A conversation of these cards, and an end.
    fn of_cards(cards: &str) -> String {
        format!(r#"{{ "id": "w", "name": "W", "cards": [{cards}, {{ "id": "end", "card": "end" }}] }}"#)
    }

    #[test]
    fn rounds_without_a_question_are_told() {
        let silent = of_cards(
            r#"{ "id": "a", "card": "message", "text": "A" },
            { "id": "b", "card": "goal", "goal": "B" },
            { "id": "c", "card": "set", "attribute": "x", "value": "" },
            { "id": "d", "card": "capture", "field": "email", "text": "?", "ifKnown": "skip" },
            { "id": "e", "card": "condition", "branches": [{ "if": { "attribute": "x", "is": "y" }, "next": "a" }] }"#,
        );
        assert_eq!(
            problems(&silent),
            ["1:37: /cards/0: from card \"a\" a way leads back to it without a question; the bot would speak without end"]
        );
        for asks in [
            r#""card": "question", "text": "?", "choices": [{ "label": "x" }]"#,
            r#""card": "capture", "field": "email", "text": "?""#,
            r#""card": "document", "text": "?", "title": "T", "file": "f""#,
            // Whether a sub-flow asks shows when it is put in.
            r#""card": "subFlow", "conversation": "other""#,
        ] {
            let asks = silent.replace(r#""card": "goal", "goal": "B""#, asks);
            assert!(Conversation::read(&asks).is_ok(), "{asks}");
        }
        let itself = of_cards(
            r#"{ "id": "a", "card": "condition", "branches": [{ "if": { "any": [{ "attribute": "a", "known": true }] }, "next": "a" }] }"#,
        );
        assert_eq!(problems(&itself).len(), 1);
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
        assert!(problems(&with_choices(0))[0].contains("the list is empty"));

        let with_priority = |priority: i64| GOOD.replacen('{', &format!("{{ \"priority\": {priority},"), 1);
        assert!(Conversation::read(&with_priority(limits::PRIORITY)).is_ok());
        assert!(Conversation::read(&with_priority(limits::PRIORITY + 1)).is_err());

        let with = |field: &str| GOOD.replacen('{', &format!("{{ {field},"), 1);
        let told = |field: &str| problems(&with(field)).join("\n");
        for (good, bad, expected) in [
            ("\"typingDelay\": 0", "\"typingDelay\": -1", "expected a whole number from 0 to 3000, got -1"),
            ("\"typingDelay\": 3000", "\"typingDelay\": 3001", "expected a whole number from 0 to 3000, got 3001"),
            (
                r#""trigger": { "on": "scroll", "percent": 1 }"#,
                r#""trigger": { "on": "scroll", "percent": 0 }"#,
                "from 1 to 100, got 0",
            ),
            (
                r#""trigger": { "on": "timeOnSite", "seconds": 86400 }"#,
                r#""trigger": { "on": "timeOnSite", "seconds": 86401 }"#,
                "from 1 to 86400, got 86401",
            ),
        ] {
            assert!(Conversation::read(&with(good)).is_ok(), "{good}");
            assert!(told(bad).contains(expected), "{bad}: {}", told(bad));
        }
        let repeated =
            |before: &str, part: &str, count: usize, after: &str| format!("{before}{}{after}", vec![part; count].join(","));
        let letters = |count: usize| "ä".repeat(count);
        let nested = |depth: usize| {
            format!(r#"{}{{ "attribute": "a", "known": true }}{}"#, r#"{ "all": ["#.repeat(depth - 1), "] }".repeat(depth - 1))
        };
        let test = r#"{ "attribute": "a", "known": true }"#;
        for (field, most, expected) in [
            (
                &(|count| format!("\"poke\": \"{}\"", letters(count))) as &dyn Fn(usize) -> String,
                120,
                "121 characters; at most 120",
            ),
            (
                &|count| format!("\"target\": {{ \"pages\": [{}] }}", vec!["\"/\""; count].join(",")),
                100,
                "101 elements; from 1 to 100",
            ),
            (&|count| format!("\"target\": {{ \"pages\": [\"/{}\"] }}", "a".repeat(count - 1)), 500, "500 characters at most"),
            (
                &|count| format!(r#""trigger": {{ "on": "click", "selector": "{}" }}"#, letters(count)),
                200,
                "201 characters; at most 200",
            ),
            (&|count| format!("\"target\": {{ \"if\": {} }}", nested(count)), 5, "at most 5 levels deep; this is one more"),
            (&|count| repeated("\"target\": { \"if\": { \"any\": [", test, count - 1, "] } }"), 50, "at most 50 parts"),
            (
                &|count| repeated("\"target\": { \"if\": { \"attribute\": \"a\", \"oneOf\": [", "\"x\"", count, "] } }"),
                100,
                "101 elements",
            ),
        ] {
            assert!(Conversation::read(&with(&field(most))).is_ok(), "{expected}");
            assert!(told(&field(most + 1)).contains(expected), "{}", told(&field(most + 1)));
        }
        // What is too much is told once, where it begins.
        assert_eq!(problems(&with(&repeated("\"target\": { \"if\": { \"any\": [", &nested(2), 30, "] } }"))).len(), 1);

        let card = |card: &str| of_cards(&format!(r#"{{ "id": "a", {card} }}"#));
        let choices = |count: usize| (0..count).map(|n| format!(r#"{{ "label": "{n}" }}"#)).collect::<Vec<_>>().join(",");
        let languages = |count: usize| {
            let letter = |n: usize| char::from(b'a' + u8::try_from(n).unwrap());
            (0..count).map(|n| format!("\"a{}{}\": \"x\"", letter(n / 26), letter(n % 26))).collect::<Vec<_>>().join(",")
        };
        let ask = r#""card": "question", "text": "?", "choices": [{ "label": "a" }, { "label": "b" }], "style": "multiple""#;
        for (field, most, expected) in [
            (
                &(|count| {
                    format!(
                        r#""card": "capture", "field": "pickList", "attribute": "a", "text": "?", "choices": [{}]"#,
                        choices(count)
                    )
                }) as &dyn Fn(usize) -> String,
                100,
                "101 elements; from 1 to 100",
            ),
            (
                &|count| {
                    repeated(
                        "\"card\": \"condition\", \"branches\": [",
                        r#"{ "if": { "attribute": "a", "is": "" }, "next": "end" }"#,
                        count,
                        "]",
                    )
                },
                20,
                "21 elements; from 1 to 20",
            ),
            (
                &|count| format!("\"card\": \"message\", \"text\": {{ {} }}", languages(count)),
                50,
                "for each of 1 to 50 languages",
            ),
            (&|count| format!("\"card\": \"goal\", \"goal\": \"{}\"", letters(count)), 120, "121 characters"),
            (&|count| format!(r#""card": "set", "attribute": "a", "value": "{}""#, letters(count)), 1000, "1001 characters"),
            (
                &|count| format!(r#""card": "document", "text": "?", "title": "{}", "file": "f""#, letters(count)),
                120,
                "121 characters",
            ),
            (
                &|count| format!(r#""card": "document", "text": "?", "title": "T", "file": "{}""#, "f".repeat(count)),
                100,
                "the name of a file",
            ),
            (
                &|count| format!(r#""card": "capture", "field": "text", "attribute": "a", "text": "?", "max": {count}"#),
                1000,
                "from 1 to 1000, got 1001",
            ),
            (&|count| format!(r#"{ask}, "max": {count}"#), 2, "from 1 to 2, got 3"),
            (&|count| format!(r#"{ask}, "min": {count}"#), 2, "from 0 to 2, got 3"),
        ] {
            assert!(Conversation::read(&card(&field(most))).is_ok(), "{expected}");
            let told = problems(&card(&field(most + 1))).join("\n");
            assert!(told.contains(expected), "{told}");
        }
        assert!(problems(&card(&format!(r#"{ask}, "min": 2, "max": 1"#)))[0].contains("from 2 to 2, got 1"));
        assert!(
            problems(&card(r#""card": "condition", "branches": []"#))[0].contains("the list is empty; from 1 to 20 are allowed")
        );

        let padded = |bytes: usize| format!("{GOOD}{}", " ".repeat(bytes - GOOD.len()));
        assert!(Conversation::read(&padded(limits::DOCUMENT_BYTES)).is_ok());
        assert!(problems(&padded(limits::DOCUMENT_BYTES + 1))[0].contains("bytes; at most"));
    }

    #[test]
    fn deep_nesting_is_refused_not_followed() {
        assert!(!problems(&"[".repeat(100_000)).is_empty());
    }

    #[test]
    fn what_a_schedule_cannot_mean_is_told() {
        let told = |schedule: &str| {
            problems(&GOOD.replacen('{', &format!("{{ \"target\": {{ \"schedule\": {schedule} }},"), 1)).join("\n")
        };
        for (schedule, expected) in [
            (r#"{ "from": "2026-12-01T00:00", "until": "2026-11-01T00:00" }"#, "is not after"),
            (
                r#"{ "from": "tomorrow" }"#,
                "/target/schedule/from: expected a date and a time that exist, such as \"2026-11-01T09:00\"",
            ),
            (r#"{ "days": ["monday", "monday"] }"#, "\"days\" has \"monday\" more than once"),
            (r#"{ "between": ["09:00"] }"#, "the list has 1 element; exactly 2 are allowed"),
            (r#"{ "between": ["09:00", "24:00"] }"#, "/between/1: expected a time from \"00:00\" to \"23:59\""),
            (r#"{ "between": ["09:00", "09:00"] }"#, "leave it out for the whole day"),
            (r#"{ "timeZone": "Berlin" }"#, "there is no time zone \"Berlin\""),
            (r#"{ "timezone": "UTC" }"#, "did you mean \"timeZone\"?"),
        ] {
            assert!(told(schedule).contains(expected), "{}", told(schedule));
        }
        let good = r#"{ "from": "2026-11-01T00:00", "until": "2026-11-01T00:01", "between": ["22:00", "06:00"], "timeZone": "Europe/Berlin" }"#;
        assert!(Conversation::read(&GOOD.replacen('{', &format!("{{ \"target\": {{ \"schedule\": {good} }},"), 1)).is_ok());
    }

    #[test]
    fn all_that_can_be_authored_is_read() {
        let conversation = Conversation::read(
            r##"{ "$schema": "../conversation.schema.json", "id": "w", "name": "W", "locale": "de",
            "priority": 3, "poke": { "en": "Hi **you**" }, "back": true, "restart": true, "typingDelay": 0,
            "target": { "pages": ["/"], "params": { "a": "*" }, "known": false, "if": { "attribute": "a", "above": 1e2 } },
            "trigger": { "on": "click", "selector": "#help" },
            "cards": [
                { "id": "a", "card": "question", "text": { "en": "?", "de": "?" }, "style": "multiple", "min": 0, "max": 2, "attribute": "a",
                  "choices": [{ "label": { "en": "Yes", "de": "Ja" }, "value": "y" }, { "label": "No" }] },
                { "id": "b", "card": "capture", "field": "number", "attribute": "n", "text": "?", "label": "N", "optional": true,
                  "ifKnown": "skip", "overwrite": false, "min": -0.5, "max": 1e3 },
                { "id": "c", "card": "capture", "field": "date", "attribute": "d", "text": "?", "min": "2026-11-01", "max": "2026-11-01" },
                { "id": "d", "card": "document", "text": "!", "title": "T", "file": "guide_1.2-a.pdf" },
                { "id": "e", "card": "set", "attribute": "x", "value": "" },
                { "id": "f", "card": "subFlow", "conversation": "other", "next": "h" },
                { "id": "g", "card": "jump", "to": "f" },
                { "id": "h", "card": "end", "text": "\\*Bye\\*" }
            ] }"##,
        );
        let conversation = conversation.unwrap();
        assert_eq!(Conversation::read(&conversation.to_json()), Ok(conversation));
    }

    #[test]
    fn a_problem_with_another_file_is_told_at_its_place() {
        let source = GOOD.replace("\"message\", \"text\": \"Hi\"", "\"subFlow\", \"conversation\": \"other\"");
        assert_eq!(Problem::of_card(&source, 0, "conversation", "no").to_string(), "2:58: /cards/0/conversation: no");
        assert_eq!(
            Problem::of_card(&source, 1, "file", "no").to_string(),
            "3:9: /cards/1/file: no",
            "of a field that is not there, its card"
        );
    }

    use super::super::problems_in_words;
}
