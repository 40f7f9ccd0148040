//! Whom a dialogue is offered to, and when it is shown.

use std::collections::BTreeSet;

use jsonc_parser::ast::{ObjectProp, Value};

use super::{
    Reader,
    fields::{At, Fields, child, kind_of},
};
use crate::{
    conversation::{
        PagePattern, Rule, Target, Trigger, is_locale, limits, rule,
        schedule::{LocalTime, Schedule, TimeOfDay},
        trigger,
    },
    id::AttributeName,
};

/// What a test of a rule may compare by.
const OPERATORS: [&str; 8] = ["is", "isNot", "oneOf", "contains", "startsWith", "above", "below", "known"];

impl Reader<'_> {
    pub(super) fn target(&mut self, fields: &mut Fields<'_>) -> Option<Target> {
        let at = self.field(fields, "target", false)?;
        let mut fields = self.object(&at)?;
        let before = self.problems.len();
        for name in ["pages", "notPages", "referrers"] {
            self.list(&mut fields, name, 1, limits::PAGES, false, Self::parse::<PagePattern>);
        }
        self.params(&mut fields);
        self.list(&mut fields, "locales", 1, limits::PAGES, false, |reader, at| {
            let tag = reader.string(at)?;
            if !is_locale(tag) {
                reader.problem_at(at, format!("expected a language tag such as \"de\" or \"pt-BR\", got {tag:?}"));
            }
            Some(())
        });
        let devices = ["phone", "tablet", "desktop"].map(|word| (word, ()));
        self.list(&mut fields, "devices", 1, devices.len(), false, |reader, at| reader.word_at(at, &devices));
        self.word(&mut fields, "visitors", &["new", "returning"].map(|word| (word, ())), false);
        self.flag(&mut fields, "known");
        self.rule(&mut fields, "if", false);
        self.schedule(&mut fields);
        self.finish(fields);
        if self.problems.len() == before { self.taken(&at) } else { None }
    }

    fn params(&mut self, fields: &mut Fields<'_>) {
        let Some(at) = self.field(fields, "params", false) else { return };
        let Value::Object(object) = at.value else {
            self.problem_at(&at, format!("expected an object of parameter and pattern, got {}", kind_of(at.value)));
            return;
        };
        if object.properties.is_empty() || object.properties.len() > limits::PAGES {
            self.problem_at(&at, format!("expected from 1 to {} parameters", limits::PAGES));
        }
        let mut seen = BTreeSet::new();
        for ObjectProp { name, value, range, .. } in &object.properties {
            let pointer = child(&at.pointer, name.as_str());
            if !seen.insert(name.as_str()) {
                self.problem(range.start, &pointer, format!("the parameter {:?} stands here twice", name.as_str()));
            }
            self.checked_text(&At { value, pointer }, limits::PATTERN);
        }
    }

    fn schedule(&mut self, fields: &mut Fields<'_>) {
        let Some(at) = self.field(fields, "schedule", false) else { return };
        let before = self.problems.len();
        let Some(mut fields) = self.object(&at) else { return };
        for name in ["from", "until"] {
            self.parsed::<LocalTime>(&mut fields, name, false);
        }
        self.optional_text(&mut fields, "timeZone", limits::LABEL);
        let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"].map(|day| (day, ()));
        self.list(&mut fields, "days", 1, days.len(), false, |reader, at| reader.word_at(at, &days));
        self.list(&mut fields, "between", 2, 2, false, Self::parse::<TimeOfDay>);
        self.finish(fields);
        if self.problems.len() == before
            && let Some(schedule) = self.taken::<Schedule>(&at)
        {
            for problem in schedule.problems() {
                self.problem_at(&at, problem);
            }
        }
    }

    pub(super) fn trigger(&mut self, fields: &mut Fields<'_>) -> Option<Trigger> {
        let at = self.field(fields, "trigger", false)?;
        let mut fields = self.object(&at)?;
        let known = ["load", "timeOnPage", "timeOnSite", "scroll", "exitIntent", "click"].map(|word| (word, word));
        let trigger = match self.word(&mut fields, "on", &known, true)? {
            "load" => Some(Trigger::Load),
            "timeOnPage" => self.seconds(&mut fields).map(|seconds| Trigger::TimeOnPage { seconds }),
            "timeOnSite" => self.seconds(&mut fields).map(|seconds| Trigger::TimeOnSite { seconds }),
            "scroll" => {
                let percent = self
                    .whole(&mut fields, "percent", 1, trigger::PERCENT_MAX.into(), true)
                    .and_then(|percent| percent.try_into().ok());
                percent.map(|percent| Trigger::Scroll { percent })
            }
            "exitIntent" => Some(Trigger::ExitIntent),
            _ => self.text(&mut fields, "selector", trigger::SELECTOR_MAX).map(|selector| Trigger::Click { selector }),
        };
        self.finish(fields);
        trigger
    }

    fn seconds(&mut self, fields: &mut Fields<'_>) -> Option<u32> {
        self.whole(fields, "seconds", 1, trigger::SECONDS_MAX.into(), true).and_then(|seconds| seconds.try_into().ok())
    }

    /// A rule on attributes.
    pub(super) fn rule(&mut self, fields: &mut Fields<'_>, name: &'static str, required: bool) -> Option<Rule> {
        let at = self.field(fields, name, required)?;
        let before = self.problems.len();
        let mut left = Some(rule::NODES_MAX);
        self.check_rule(&at, rule::DEPTH_MAX, &mut left);
        if self.problems.len() == before { self.taken(&at) } else { None }
    }

    fn check_rule(&mut self, at: &At<'_>, depth: usize, left: &mut Option<usize>) {
        let Some(mut fields) = self.object(at) else { return };
        let Some(depth) = depth.checked_sub(1) else {
            self.problem_at(
                at,
                format!("a rule within a rule may lie at most {} levels deep; this is one more", rule::DEPTH_MAX),
            );
            return;
        };
        // Told of the first that is too much, and not of those after it.
        let Some(parts) = *left else { return };
        *left = parts.checked_sub(1);
        if left.is_none() {
            self.problem_at(
                at,
                format!(
                    "a rule may have at most {} parts, itself and each \"all\", \"any\" and test within; this is one more",
                    rule::NODES_MAX
                ),
            );
            return;
        }
        if fields.has("all") && fields.has("any") {
            self.problem_at(at, "a rule has either \"all\" or \"any\"; put one within the other");
            fields.settle(&["all", "any"]);
        } else if let Some(group) = ["all", "any"].into_iter().find(|group| fields.has(group)) {
            self.list(&mut fields, group, 1, rule::NODES_MAX, true, |reader, at| {
                reader.check_rule(at, depth, left);
                Some(())
            });
        } else {
            self.check_test(at, &mut fields);
        }
        self.finish(fields);
    }

    fn check_test(&mut self, at: &At<'_>, fields: &mut Fields<'_>) {
        self.parsed::<AttributeName>(fields, "attribute", false);
        let mut given = 0;
        for operator in OPERATORS {
            let Some(value) = self.field(fields, operator, false) else { continue };
            given += 1;
            match operator {
                "above" | "below" => drop(self.number(&value)),
                "known" => {
                    if !matches!(value.value, Value::BooleanLit(_)) {
                        self.problem_at(&value, format!("expected true or false, got {}", kind_of(value.value)));
                    }
                }
                "oneOf" => drop(self.list(fields, "oneOf", 1, limits::OPTIONS, true, |reader, at| reader.string(at).map(drop))),
                _ => drop(self.string(&value).map(str::len)),
            }
        }
        // Named here only for what is misspelt.
        for group in ["all", "any"] {
            self.field(fields, group, false);
        }
        // An operator that is misspelt is told as such.
        if given > 1 || (given == 0 || !fields.has("attribute")) && !fields.has_unknown() {
            let all = OPERATORS.map(|operator| format!("\"{operator}\"")).join(", ");
            self.problem_at(
                at,
                format!("expected a rule: \"all\" or \"any\" with a list of rules, or \"attribute\" with exactly one of {all}"),
            );
        }
    }
}
