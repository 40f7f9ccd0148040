//! The cards by which a visitor meets, is called, or calls; and forms.

use std::collections::BTreeSet;

use super::{
    Reader,
    fields::{At, Fields, Words},
};
use crate::{
    conversation::{
        CAPACITY_MAX, CallCard, CallNumber, CallbackCard, DURATION_MAX, FieldKind, Form, FormField, HORIZON_MAX, MeetingCard,
        NOTICE_MAX, Purpose, WITHIN_MAX, When, contact, is_locale, limits,
    },
    session::ContactKind,
};

/// The least number of minutes of a meeting.
const DURATION_MIN: i64 = 5;

impl Reader<'_> {
    /// A whole number within limits; what it is, if nothing is said.
    fn number_or<T: TryFrom<i64> + Into<i64>>(
        &mut self,
        fields: &mut Fields<'_>,
        name: &'static str,
        min: i64,
        max: T,
        otherwise: T,
    ) -> T {
        let number = self.whole(fields, name, min, max.into(), false);
        number.and_then(|number| T::try_from(number).ok()).unwrap_or(otherwise)
    }

    pub(super) fn meeting(&mut self, fields: &mut Fields<'_>) -> Option<MeetingCard> {
        let text = self.said(fields, "text", limits::TEXT, Words::Rich, true);
        let title = self.said(fields, "title", limits::LABEL, Words::Plain, true);
        let location = self.said(fields, "location", limits::PATTERN, Words::Plain, false);
        let duration = self.number_or(fields, "duration", DURATION_MIN, DURATION_MAX, contact::DURATION);
        let step = self.whole(fields, "step", DURATION_MIN, DURATION_MAX.into(), false).and_then(|step| u16::try_from(step).ok());
        let notice = self.number_or(fields, "notice", 0, NOTICE_MAX, contact::NOTICE);
        let horizon = self.number_or(fields, "horizon", 1, HORIZON_MAX, contact::HORIZON);
        let (routing, rules) = self.routings(fields, true);
        let optional = self.flag(fields, "optional");
        let fallback_text = self.said(fields, "fallbackText", limits::TEXT, Words::Rich, false);
        let fallback = self.parsed(fields, "fallback", false);
        let next = self.next(fields);
        Some(MeetingCard {
            text: text?,
            title: title?,
            location,
            duration,
            step,
            notice,
            horizon,
            routing,
            rules: rules?,
            optional,
            fallback_text,
            fallback,
            next,
        })
    }

    pub(super) fn callback(&mut self, fields: &mut Fields<'_>) -> Option<CallbackCard> {
        let text = self.said(fields, "text", limits::TEXT, Words::Rich, true);
        let when = self.word(fields, "when", &[("now", When::Now), ("later", When::Later)], false).unwrap_or_default();
        let team = self.parsed(fields, "team", false);
        let (mut within, mut duration, mut capacity) = (contact::WITHIN, contact::DURATION, 1);
        let (mut notice, mut horizon) = (contact::NOTICE, contact::HORIZON);
        if when == When::Now {
            within = self.number_or(fields, "within", 1, WITHIN_MAX, within);
            for name in ["duration", "capacity", "notice", "horizon"] {
                let message = format!("\"{name}\" is about times to choose from; only \"when\": \"later\" has them");
                self.useless(fields, name, &message);
            }
        } else {
            duration = self.number_or(fields, "duration", DURATION_MIN, DURATION_MAX, duration);
            capacity = self.number_or(fields, "capacity", 1, CAPACITY_MAX, capacity);
            notice = self.number_or(fields, "notice", 0, NOTICE_MAX, notice);
            horizon = self.number_or(fields, "horizon", 1, HORIZON_MAX, horizon);
            self.useless(
                fields,
                "within",
                "\"within\" is the promise of a call at once; with \"when\": \"later\" the visitor chooses",
            );
        }
        let fallback_text = self.said(fields, "fallbackText", limits::TEXT, Words::Rich, false);
        let fallback = self.parsed(fields, "fallback", false);
        let next = self.next(fields);
        Some(CallbackCard { text: text?, when, team, within, duration, capacity, notice, horizon, fallback_text, fallback, next })
    }

    pub(super) fn call(&mut self, fields: &mut Fields<'_>) -> Option<CallCard> {
        let text = self.said(fields, "text", limits::TEXT, Words::Rich, true);
        let numbers = self.list(fields, "numbers", 1, limits::CHOICES, true, |reader, at| {
            let mut fields = reader.object(at)?;
            let number = reader.field(&mut fields, "number", true).and_then(|at| {
                let text = reader.string(&at)?.trim().to_owned();
                if !CallNumber::is_dialled(&text) {
                    reader.problem_at(
                        &at,
                        format!("expected a phone number with its country, such as \"+44 20 7946 0000\", got {text:?}"),
                    );
                    return None;
                }
                Some(text)
            });
            let locale = reader.field(&mut fields, "locale", false).and_then(|at| {
                let tag = reader.string(&at)?.to_owned();
                if !is_locale(&tag) {
                    reader.problem_at(&at, format!("expected a language tag such as \"de\" or \"pt-BR\", got {tag:?}"));
                    return None;
                }
                Some(tag)
            });
            reader.finish(fields);
            Some(CallNumber { number: number?, locale })
        });
        let team = self.parsed(fields, "team", false);
        let fallback_text = self.said(fields, "fallbackText", limits::TEXT, Words::Rich, false);
        let fallback = self.parsed(fields, "fallback", false);
        let next = self.next(fields);
        Some(CallCard { text: text?, numbers: numbers?, team, fallback_text, fallback, next })
    }

    pub(super) fn form(&mut self, fields: &mut Fields<'_>) -> Option<Form> {
        let text = self.said(fields, "text", limits::TEXT, Words::Rich, true);
        let purpose = self
            .word(fields, "purpose", &[("contact", Purpose::Contact), ("survey", Purpose::Survey)], false)
            .unwrap_or_default();
        let kind = if purpose == Purpose::Survey {
            self.useless(
                fields,
                "kind",
                "a survey comes after a chat; only a form with \"purpose\": \"contact\" comes before a contact",
            );
            None
        } else {
            self.word(fields, "kind", &ContactKind::ALL, false)
        };
        let mut seen = BTreeSet::new();
        let parts = self.list(fields, "fields", 1, limits::CHOICES, true, |reader, at| {
            let field = reader.form_field(at)?;
            if !seen.insert(field.name.clone()) {
                reader.problem_at(
                    at,
                    format!("another field has the name \"{}\" already; names are unique within a form", field.name),
                );
            }
            Some(field)
        });
        let submit = self.said(fields, "submit", limits::LABEL, Words::Plain, false);
        let optional = self.flag(fields, "optional");
        let next = self.next(fields);
        Some(Form { text: text?, purpose, kind, fields: parts?, submit, optional, next })
    }

    fn form_field(&mut self, at: &At<'_>) -> Option<FormField> {
        let mut fields = self.object(at)?;
        let name = self.parsed(&mut fields, "name", true);
        let kind = self.word(&mut fields, "field", &FieldKind::ALL, true);
        let label = self.said(&mut fields, "label", limits::LABEL, Words::Plain, true);
        let mandatory = self.flag(&mut fields, "mandatory");
        let (mut pattern, mut pattern_message, mut choices, mut consent) = (None, None, Some(Vec::new()), None);
        match kind {
            Some(kind) => {
                if kind.is_typed() {
                    pattern = self.pattern(&mut fields);
                    pattern_message = self.said(&mut fields, "patternMessage", limits::LABEL, Words::Plain, false);
                    if pattern_message.is_some() && !fields.has("pattern") {
                        self.problem_at(
                            at,
                            "\"patternMessage\" is said when \"pattern\" does not match; there is no \"pattern\"",
                        );
                    }
                } else {
                    for name in ["pattern", "patternMessage"] {
                        self.useless(
                            &mut fields,
                            name,
                            &format!("\"{name}\" is for what is typed; a {:?} is chosen", word_of(kind)),
                        );
                    }
                }
                if kind == FieldKind::Choice {
                    choices = self.choices(&mut fields, limits::OPTIONS, false);
                } else {
                    self.useless(
                        &mut fields,
                        "choices",
                        &format!("a {:?} takes no \"choices\"; that is for \"choice\"", word_of(kind)),
                    );
                }
                if kind == FieldKind::Consent {
                    consent = self.said(&mut fields, "consent", limits::TEXT, Words::Plain, true);
                } else {
                    self.useless(
                        &mut fields,
                        "consent",
                        &format!("a {:?} takes no \"consent\"; that is for \"consent\"", word_of(kind)),
                    );
                }
            }
            // Of an unknown kind nobody knows what it takes.
            None => fields.settle(&["pattern", "patternMessage", "choices", "consent"]),
        }
        self.finish(fields);
        Some(FormField {
            name: name?,
            field: kind?,
            label: label?,
            mandatory,
            pattern,
            pattern_message,
            choices: choices?,
            consent,
        })
    }

    /// A regular expression.
    fn pattern(&mut self, fields: &mut Fields<'_>) -> Option<String> {
        let at = self.field(fields, "pattern", false)?;
        let pattern = self.checked_text(&at, limits::PATTERN)?;
        // As it is matched: the whole text has to.
        let whole = regex_lite::Regex::new(&format!("^(?:{pattern})$"));
        if let Err(error) = regex_lite::Regex::new(&pattern).and(whole) {
            self.problem_at(&at, format!("this is no regular expression: {error}"));
            return None;
        }
        Some(pattern)
    }
}

fn word_of(kind: FieldKind) -> &'static str {
    FieldKind::ALL.iter().find(|(_, known)| *known == kind).map_or("", |(word, _)| word)
}
