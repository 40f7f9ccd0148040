//! Cards.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jsonc_parser::common::Ranged;

use super::{
    Reader,
    fields::{At, Fields, Words, child},
};
use crate::{
    contact::Email,
    conversation::{
        Body, Bound, Branch, Capture, CaptureField, Card, Choice, Document, IfKnown, LiveChat, Question, Style, limits,
    },
    id::{AttributeName, CardId, is_slug},
    livechat::{Order, Routing, RoutingRule},
};

const KINDS: [&str; 15] = [
    "message",
    "question",
    "capture",
    "form",
    "document",
    "liveChat",
    "meeting",
    "callback",
    "call",
    "goal",
    "condition",
    "set",
    "jump",
    "subFlow",
    "end",
];

impl Reader<'_> {
    pub(super) fn card(&mut self, at: &At<'_>) -> Option<Card> {
        let mut fields = self.object(at)?;
        let id = self.card_id(&mut fields);
        // Of a card of unknown kind no field can be judged.
        let kind = self.word(&mut fields, "card", &KINDS.map(|kind| (kind, kind)), true)?;
        let body = match kind {
            "message" => {
                let text = self.said(&mut fields, "text", limits::TEXT, Words::Rich, true);
                let next = self.next(&mut fields);
                text.map(|text| Body::Message { text, next })
            }
            "question" => self.question(&mut fields).map(Body::Question),
            "capture" => self.capture(&mut fields).map(Box::new).map(Body::Capture),
            "document" => {
                let text = self.said(&mut fields, "text", limits::TEXT, Words::Rich, true);
                let title = self.said(&mut fields, "title", limits::LABEL, Words::Plain, true);
                let file = self.parsed(&mut fields, "file", true);
                let next = self.next(&mut fields);
                text.zip(title).zip(file).map(|((text, title), file)| Body::Document(Document { text, title, file, next }))
            }
            "liveChat" => self.live_chat(&mut fields).map(Box::new).map(Body::LiveChat),
            "meeting" => self.meeting(&mut fields).map(Box::new).map(Body::Meeting),
            "callback" => self.callback(&mut fields).map(Box::new).map(Body::Callback),
            "call" => self.call(&mut fields).map(Box::new).map(Body::Call),
            "form" => self.form(&mut fields).map(Box::new).map(Body::Form),
            "goal" => {
                let goal = self.text(&mut fields, "goal", limits::LABEL);
                let next = self.next(&mut fields);
                goal.map(|goal| Body::Goal { goal, next })
            }
            "condition" => {
                let branches = self.list(&mut fields, "branches", 1, limits::BRANCHES, true, Self::branch);
                let next = self.next(&mut fields);
                branches.map(|branches| Body::Condition { branches, next })
            }
            "set" => {
                let attribute = self.parsed(&mut fields, "attribute", true);
                let value = self.value_to_set(&mut fields);
                let next = self.next(&mut fields);
                attribute.zip(value).map(|(attribute, value)| Body::Set { attribute, value, next })
            }
            "jump" => {
                self.useless(&mut fields, "next", "a jump goes to the card that \"to\" names");
                self.parsed(&mut fields, "to", true).map(|to| Body::Jump { to })
            }
            "subFlow" => {
                let conversation = self.parsed(&mut fields, "conversation", true);
                let next = self.next(&mut fields);
                conversation.map(|conversation| Body::SubFlow { conversation, next })
            }
            _ => {
                self.useless(&mut fields, "next", "nothing follows an end; to go on, say it in a message");
                Some(Body::End { text: self.said(&mut fields, "text", limits::TEXT, Words::Rich, false) })
            }
        };
        self.finish(fields);
        Some(Card { id: id?, body: body? })
    }

    fn live_chat(&mut self, fields: &mut Fields<'_>) -> Option<LiveChat> {
        let text = self.said(fields, "text", limits::TEXT, Words::Rich, false);
        let (routing, rules) = self.routings(fields, false);
        let queue = self.flag(fields, "queue");
        let fallback_text = self.said(fields, "fallbackText", limits::TEXT, Words::Rich, false);
        let fallback = self.parsed(fields, "fallback", false);
        let next = self.next(fields);
        Some(LiveChat { text, routing, rules: rules?, queue, fallback_text, fallback, next })
    }

    /// Whom something is for, and the rules that say otherwise of some visitors.
    pub(super) fn routings(&mut self, fields: &mut Fields<'_>, meets: bool) -> (Routing, Option<Vec<RoutingRule>>) {
        let routing = self.routing(fields, meets).unwrap_or_default();
        let rules = if fields.has("rules") {
            self.list(fields, "rules", 1, limits::BRANCHES, true, |reader, at| {
                let mut fields = reader.object(at)?;
                let rule = reader.rule(&mut fields, "if", true);
                let routing = reader.routing(&mut fields, meets);
                reader.finish(fields);
                Some(RoutingRule { rule: rule?, routing: routing? })
            })
        } else {
            Some(Vec::new())
        };
        (routing, rules)
    }

    /// Whom a chat or a meeting is for; anybody, where nothing is said.
    fn routing(&mut self, fields: &mut Fields<'_>, meets: bool) -> Option<Routing> {
        let Some(at) = self.field(fields, "routing", false) else { return Some(Routing::default()) };
        let mut fields = self.object(&at)?;
        let orders = [("roundRobin", Order::RoundRobin), ("fewestChats", Order::FewestChats)];
        let by = if meets {
            let message = "a meeting is with who has the fewest of those who are free then; \"by\" is of live chats";
            self.useless(&mut fields, "by", message);
            Order::default()
        } else {
            self.word(&mut fields, "by", &orders, false).unwrap_or_default()
        };
        let agent: Option<Email> = self.parsed(&mut fields, "agent", false);
        let team = self.parsed(&mut fields, "team", false);
        let skill = self.optional_text(&mut fields, "skill", limits::LABEL);
        let language = self.flag(&mut fields, "language");
        let same_agent = self.flag(&mut fields, "sameAgent");
        let account = self.flag(&mut fields, "account");
        self.finish(fields);
        Some(Routing { by, agent: agent.map(|agent| agent.to_string()), team, skill, language, same_agent, account })
    }

    fn card_id(&mut self, fields: &mut Fields<'_>) -> Option<CardId> {
        let at = self.field(fields, "id", true)?;
        let id = self.parse::<CardId>(&at)?;
        if is_slug(id.as_str()) {
            return Some(id);
        }
        self.problem_at(&at, format!("expected 1 to 64 letters, digits, - or _, beginning with a letter or digit, got \"{id}\""));
        None
    }

    pub(super) fn next(&mut self, fields: &mut Fields<'_>) -> Option<CardId> {
        self.parsed(fields, "next", false)
    }

    fn value_to_set(&mut self, fields: &mut Fields<'_>) -> Option<String> {
        let at = self.field(fields, "value", true)?;
        // Setting nothing forgets what was known, which is a thing to want.
        if self.string(&at)?.is_empty() {
            return Some(String::new());
        }
        let value = self.checked_text(&at, limits::VALUE)?;
        self.tokens(&at, &value, Words::Rich);
        Some(value)
    }

    fn branch(&mut self, at: &At<'_>) -> Option<Branch> {
        let mut fields = self.object(at)?;
        let rule = self.rule(&mut fields, "if", true);
        let next = self.parsed(&mut fields, "next", true);
        self.finish(fields);
        Some(Branch { rule: rule?, next: next? })
    }

    fn question(&mut self, fields: &mut Fields<'_>) -> Option<Question> {
        let text = self.said(fields, "text", limits::TEXT, Words::Rich, true);
        let styles = [("buttons", Style::Buttons), ("list", Style::List), ("multiple", Style::Multiple)];
        let style = self.word(fields, "style", &styles, false).unwrap_or_default();
        let several = style == Style::Multiple;
        let choices = self.choices(fields, limits::CHOICES, !several);
        let attribute = self.parsed::<AttributeName>(fields, "attribute", false);
        let (mut min, mut max) = (None, None);
        if several {
            let most = choices.as_ref().map_or(limits::CHOICES, Vec::len);
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            let count = |count: Option<i64>| count.and_then(|count| u32::try_from(count).ok());
            min = count(self.whole(fields, "min", 0, most, false));
            max = count(self.whole(fields, "max", i64::from(min.unwrap_or(1).max(1)), most, false));
        } else {
            for name in ["min", "max"] {
                let message =
                    format!("\"{name}\" counts answers; only a question with \"style\": \"multiple\" takes more than one");
                self.useless(fields, name, &message);
            }
        }
        let next = self.next(fields);
        Some(Question { text: text?, style, choices: choices?, attribute, min, max, next })
    }

    /// Answers to choose from, each with a value of its own.
    pub(super) fn choices(&mut self, fields: &mut Fields<'_>, most: usize, lead_on: bool) -> Option<Vec<Choice>> {
        let mut seen = BTreeSet::new();
        self.list(fields, "choices", 1, most, true, |reader, at| {
            let mut fields = reader.object(at)?;
            let label = reader.said(&mut fields, "label", limits::LABEL, Words::Plain, true);
            let value = reader.optional_text(&mut fields, "value", limits::LABEL);
            let next = if lead_on {
                reader.next(&mut fields)
            } else {
                let message =
                    "only an answer to a question with buttons or a list leads on by itself; give the card the \"next\"";
                reader.useless(&mut fields, "next", message);
                None
            };
            let named = fields.has("value");
            reader.finish(fields);
            let choice = Choice { label: label?, value, next };
            if !named && !choice.label.is_plain() {
                reader.problem_at(at, "a label in several languages needs a \"value\", which is kept whatever the language");
            } else if choice.value().contains(';') {
                reader.problem_at(
                    at,
                    "a value cannot hold a \";\", which stands between several; give this choice a \"value\" without one",
                );
            } else if !seen.insert(choice.value().to_owned()) {
                let message =
                    format!("another choice has the value {:?} already; give this one a \"value\" of its own", choice.value());
                reader.problem_at(at, message);
            }
            Some(choice)
        })
    }

    fn capture(&mut self, fields: &mut Fields<'_>) -> Option<Capture> {
        let field = self.word(fields, "field", &CaptureField::ALL, true);
        let text = self.said(fields, "text", limits::TEXT, Words::Rich, true);
        let label = self.said(fields, "label", limits::LABEL, Words::Plain, false);
        let attribute = self.parsed::<AttributeName>(fields, "attribute", false);
        if let Some(field) = field.filter(|field| !field.has_own_attribute() && !fields.has("attribute")) {
            let message = format!("\"attribute\" is missing; it is the name under which the {:?} is kept", field.name());
            self.problem(fields.object.range.start, &fields.pointer, message);
        }
        let optional = self.flag(fields, "optional");
        let if_known = self.word(fields, "ifKnown", &[("ask", IfKnown::Ask), ("skip", IfKnown::Skip)], false);
        let overwrite = self.flag_or(fields, "overwrite", true);
        let (mut min, mut max, mut choices) = (None, None, Some(Vec::new()));
        match field {
            Some(CaptureField::Number) => {
                min = self.numeric_bound(fields, "min");
                max = self.numeric_bound(fields, "max");
            }
            Some(CaptureField::Date) => {
                min = self.date_bound(fields, "min");
                max = self.date_bound(fields, "max");
            }
            Some(CaptureField::Text) => {
                let most = i64::try_from(limits::VALUE).unwrap_or(i64::MAX);
                max = self.whole(fields, "max", 1, most, false).map(|most| Bound::Number(most.into()));
            }
            Some(CaptureField::PickList) => choices = self.choices(fields, limits::OPTIONS, false),
            Some(_) => {}
            // Of an unknown field nobody knows what it takes.
            None => fields.settle(&["min", "max", "choices"]),
        }
        if let Some(field) = field {
            use CaptureField::{Date, Number, PickList, Text};
            for (name, of) in [("min", &[Number, Date][..]), ("max", &[Number, Date, Text]), ("choices", &[PickList])] {
                if !of.contains(&field) {
                    let of = of.iter().map(|field| format!("{:?}", field.name())).collect::<Vec<_>>().join(", ");
                    self.useless(fields, name, &format!("{:?} takes no \"{name}\"; that is for {of}", field.name()));
                }
            }
        }
        let upside_down = match (&min, &max) {
            (Some(Bound::Date(min)), Some(Bound::Date(max))) => min > max,
            (Some(min), Some(max)) => min.number() > max.number(),
            _ => false,
        };
        if upside_down {
            let found = fields.object.properties.iter().find(|property| property.name.as_str() == "min");
            let start = found.map_or(fields.object.range.start, |property| property.value.start());
            self.problem(start, &child(&fields.pointer, "min"), "\"min\" is more than \"max\"; nothing could be given");
        }
        let next = self.next(fields);
        Some(Capture {
            field: field?,
            text: text?,
            label,
            attribute,
            optional,
            if_known: if_known.unwrap_or_default(),
            overwrite,
            min,
            max,
            choices: choices?,
            next,
        })
    }

    fn numeric_bound(&mut self, fields: &mut Fields<'_>, name: &'static str) -> Option<Bound> {
        let at = self.field(fields, name, false)?;
        self.number(&at).map(Bound::Number)
    }

    fn date_bound(&mut self, fields: &mut Fields<'_>, name: &'static str) -> Option<Bound> {
        let at = self.field(fields, name, false)?;
        let text = self.string(&at)?;
        // Strictly year, month and day: a time of day, which the parser would take, means nothing here.
        let day = text.parse::<Date>().ok().filter(|day| day.to_string() == text);
        if day.is_none() {
            self.problem_at(&at, format!("expected a day such as \"2026-11-21\", got {text:?}"));
        }
        day.map(Bound::Date)
    }
}
