//! Rules on what is known of a visitor.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};
use serde_json::Number;

use super::limits;
use crate::id::AttributeName;

/// The most levels of a rule; a single test is one.
pub const DEPTH_MAX: usize = 5;
/// The most rules within a rule, itself among them.
pub const NODES_MAX: usize = 50;

/// Says of a visitor yes or no.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Authored")]
pub enum Rule {
    /// Holds if all do; an empty list does.
    All {
        /// The rules.
        all: Vec<Rule>,
    },
    /// Holds if one does; an empty list does not.
    Any {
        /// The rules.
        any: Vec<Rule>,
    },
    /// Holds if an attribute passes a test.
    Test(Test),
}

/// A test of one attribute of a visitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// The attribute. It is unknown if it has no value, or one of spaces only.
    pub attribute: AttributeName,
    /// What must be so.
    pub op: Op,
}

/// What must be so of an attribute. Texts are compared without regard to case and to spaces around them. A value may hold
/// several, joined by `;`, as the answers to a multiple choice do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// It is that text, or holds it.
    Is(String),
    /// It is not, and does not hold, that text, or is unknown.
    IsNot(String),
    /// It is, or holds, one of these texts.
    OneOf(Vec<String>),
    /// That text is within it.
    Contains(String),
    /// It begins with that text.
    StartsWith(String),
    /// It is a number greater than that.
    Above(Number),
    /// It is a number less than that.
    Below(Number),
    /// It is known, or it is not.
    Known(bool),
}

/// A rule as it is authored; which fields are there says what it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Authored {
    all: Option<Vec<Rule>>,
    any: Option<Vec<Rule>>,
    attribute: Option<AttributeName>,
    is: Option<String>,
    is_not: Option<String>,
    one_of: Option<Vec<String>>,
    contains: Option<String>,
    starts_with: Option<String>,
    above: Option<Number>,
    below: Option<Number>,
    known: Option<bool>,
}

/// An object is no rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected \"all\" with a list of rules, or \"any\" with a list of rules, or \"attribute\" with exactly one of {}",
    Op::NAMES.map(|name| format!("{name:?}")).join(", ")
)]
pub struct BadRule;

impl TryFrom<Authored> for Rule {
    type Error = BadRule;

    fn try_from(rule: Authored) -> Result<Self, BadRule> {
        let ops = [
            rule.is.map(Op::Is),
            rule.is_not.map(Op::IsNot),
            rule.one_of.map(Op::OneOf),
            rule.contains.map(Op::Contains),
            rule.starts_with.map(Op::StartsWith),
            rule.above.map(Op::Above),
            rule.below.map(Op::Below),
            rule.known.map(Op::Known),
        ];
        let mut ops = ops.into_iter().flatten();
        match (rule.all, rule.any, rule.attribute, ops.next(), ops.next()) {
            (Some(all), None, None, None, None) => Ok(Self::All { all }),
            (None, Some(any), None, None, None) => Ok(Self::Any { any }),
            (None, None, Some(attribute), Some(op), None) => Ok(Self::Test(Test { attribute, op })),
            _ => Err(BadRule),
        }
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::All { all } => map.serialize_entry("all", all)?,
            Self::Any { any } => map.serialize_entry("any", any)?,
            Self::Test(Test { attribute, op }) => {
                map.serialize_entry("attribute", attribute)?;
                match op {
                    Op::Is(text) | Op::IsNot(text) | Op::Contains(text) | Op::StartsWith(text) => {
                        map.serialize_entry(op.name(), text)?;
                    }
                    Op::OneOf(texts) => map.serialize_entry(op.name(), texts)?,
                    Op::Above(number) | Op::Below(number) => map.serialize_entry(op.name(), number)?,
                    Op::Known(known) => map.serialize_entry(op.name(), known)?,
                }
            }
        }
        map.end()
    }
}

impl JsonSchema for Rule {
    fn schema_name() -> Cow<'static, str> {
        "Rule".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let rules =
            json_schema!({ "type": "array", "items": generator.subschema_for::<Self>(), "minItems": 1, "maxItems": NODES_MAX });
        let attribute = generator.subschema_for::<AttributeName>();
        let list = |name: &str, words: &str| {
            json_schema!({
                "description": words,
                "type": "object",
                "properties": { name: rules },
                "required": [name],
                "additionalProperties": false,
            })
        };
        let mut kinds = vec![list("all", "Holds if all of these do."), list("any", "Holds if one of these does.")];
        kinds.extend(Op::NAMES.map(|name| {
            let value = match name {
                "oneOf" => {
                    json_schema!({ "type": "array", "items": { "type": "string" }, "minItems": 1, "maxItems": limits::OPTIONS })
                }
                "above" | "below" => json_schema!({ "type": "number" }),
                "known" => json_schema!({ "type": "boolean" }),
                _ => json_schema!({ "type": "string" }),
            };
            json_schema!({
                "type": "object",
                "properties": { "attribute": attribute, name: value },
                "required": ["attribute", name],
                "additionalProperties": false,
            })
        }));
        json_schema!({ "description": "Says of a visitor yes or no.", "oneOf": kinds })
    }
}

impl Op {
    /// All, as they are authored.
    pub const NAMES: [&'static str; 8] = ["is", "isNot", "oneOf", "contains", "startsWith", "above", "below", "known"];

    /// As it is authored.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Is(_) => "is",
            Self::IsNot(_) => "isNot",
            Self::OneOf(_) => "oneOf",
            Self::Contains(_) => "contains",
            Self::StartsWith(_) => "startsWith",
            Self::Above(_) => "above",
            Self::Below(_) => "below",
            Self::Known(_) => "known",
        }
    }

    /// Whether it is so of a value, or of none.
    #[must_use]
    pub fn holds(&self, value: Option<&str>) -> bool {
        let value = value.map(str::trim).filter(|value| !value.is_empty());
        match self {
            Self::Known(known) => value.is_some() == *known,
            Self::IsNot(text) => !value.is_some_and(|value| is(value, text)),
            Self::Is(text) => value.is_some_and(|value| is(value, text)),
            Self::OneOf(texts) => value.is_some_and(|value| texts.iter().any(|text| is(value, text))),
            Self::Contains(text) => value.is_some_and(|value| folded(value).contains(&folded(text.trim()))),
            Self::StartsWith(text) => value.is_some_and(|value| starts_with(value, text.trim())),
            Self::Above(bound) => value.and_then(number).zip(bound.as_f64()).is_some_and(|(number, bound)| number > bound),
            Self::Below(bound) => value.and_then(number).zip(bound.as_f64()).is_some_and(|(number, bound)| number < bound),
        }
    }
}

/// The letters of a text without their case, as Unicode maps them one by one.
fn letters(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}

fn folded(text: &str) -> String {
    letters(text).collect()
}

fn same(a: &str, b: &str) -> bool {
    a == b || letters(a).eq(letters(b))
}

fn starts_with(text: &str, start: &str) -> bool {
    let mut text = letters(text);
    letters(start).all(|letter| text.next() == Some(letter))
}

/// Whether a value is a text, or holds it among several.
fn is(value: &str, text: &str) -> bool {
    let text = text.trim();
    same(value, text) || value.contains(';') && value.split(';').any(|one| same(one.trim(), text))
}

/// The number that a text is. What Rust reads as infinite, or as no number, is none.
fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

impl Rule {
    /// Whether it holds, given what is known under an attribute's name.
    pub fn holds<'v>(&self, value: &dyn Fn(&AttributeName) -> Option<&'v str>) -> bool {
        match self {
            Self::All { all } => all.iter().all(|rule| rule.holds(value)),
            Self::Any { any } => any.iter().any(|rule| rule.holds(value)),
            Self::Test(test) => test.op.holds(value(&test.attribute)),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn rule(json: Value) -> Rule {
        serde_json::from_value(json).unwrap()
    }

    fn holds(op: &str, than: Value, value: Option<&str>) -> bool {
        rule(json!({ "attribute": "a", op: than })).holds(&|name| value.filter(|_| name.as_str() == "a"))
    }

    #[test]
    fn tests_of_an_attribute() {
        for (op, than, value, expected) in [
            ("is", json!("Sales"), Some("sales"), true),
            ("is", json!("ÄRGER"), Some(" Ärger "), true),
            ("is", json!("sales"), Some("support; SALES"), true),
            ("is", json!("a;b"), Some("a;b"), true),
            ("is", json!("sales"), Some("presales"), false),
            ("is", json!(""), Some(""), false),
            ("is", json!(""), None, false),
            ("isNot", json!("sales"), None, true),
            ("isNot", json!("sales"), Some("support"), true),
            ("isNot", json!("sales"), Some("support;Sales"), false),
            ("oneOf", json!(["a", "b"]), Some("c;B"), true),
            ("oneOf", json!(["a", "b"]), Some("c"), false),
            ("oneOf", json!(["a", "b"]), None, false),
            ("contains", json!("GMBH"), Some("Lampen GmbH & Co"), true),
            ("contains", json!("ag"), Some("Lampen GmbH"), false),
            ("contains", json!("ag"), None, false),
            ("startsWith", json!("+49"), Some("+493012345678"), true),
            ("startsWith", json!("LAMP"), Some("lampen"), true),
            ("startsWith", json!("lampen"), Some("lamp"), false),
            ("startsWith", json!("a"), None, false),
            ("above", json!(10), Some(" 10.5 "), true),
            ("above", json!(10), Some("10"), false),
            ("above", json!(10), Some("9;11"), false),
            ("above", json!(-1.5), Some("-1e0"), true),
            ("above", json!(10), Some("inf"), false),
            ("above", json!(10), Some("many"), false),
            ("above", json!(-10), None, false),
            ("below", json!(10), Some("9"), true),
            ("below", json!(10), Some("10"), false),
            ("below", json!(10), Some("NaN"), false),
            ("below", json!(10), None, false),
            ("known", json!(true), Some("x"), true),
            ("known", json!(true), Some(" "), false),
            ("known", json!(true), None, false),
            ("known", json!(false), None, true),
            ("known", json!(false), Some("x"), false),
        ] {
            assert_eq!(holds(op, than.clone(), value), expected, "{op} {than} {value:?}");
        }
    }

    #[test]
    fn rules_of_rules() {
        let yes = json!({ "attribute": "a", "known": false });
        let no = json!({ "attribute": "a", "known": true });
        for (json, expected) in [
            (json!({ "all": [] }), true),
            (json!({ "any": [] }), false),
            (json!({ "all": [yes, no] }), false),
            (json!({ "any": [yes, no] }), true),
            (json!({ "all": [{ "any": [no, yes] }, { "all": [yes] }] }), true),
        ] {
            assert_eq!(rule(json.clone()).holds(&|_| None), expected, "{json}");
        }
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for json in [
            json!({}),
            json!({ "all": [], "any": [] }),
            json!({ "attribute": "a" }),
            json!({ "is": "x" }),
            json!({ "attribute": "a", "is": "x", "above": 1 }),
            json!({ "attribute": "a", "is": 1 }),
            json!({ "attribute": "a", "like": "x" }),
            json!({ "attribute": "a b", "is": "x" }),
            json!({ "attribute": "a", "all": [] }),
            json!([]),
        ] {
            assert!(serde_json::from_value::<Rule>(json.clone()).is_err(), "{json}");
        }
    }

    pub(in crate::conversation) fn any_rule() -> impl Strategy<Value = Rule> {
        let text = || prop_oneof!["[abA]{1,2}", Just("3".to_owned())];
        let number = || prop_oneof![(-3_i64..5).prop_map(Number::from), Just(Number::from_f64(2.5).unwrap())];
        let op = prop_oneof![
            text().prop_map(Op::Is),
            text().prop_map(Op::IsNot),
            proptest::collection::vec(text(), 1..3).prop_map(Op::OneOf),
            text().prop_map(Op::Contains),
            text().prop_map(Op::StartsWith),
            number().prop_map(Op::Above),
            number().prop_map(Op::Below),
            any::<bool>().prop_map(Op::Known),
        ];
        let test = ("[ab]", op).prop_map(|(name, op)| Rule::Test(Test { attribute: name.parse().unwrap(), op }));
        test.prop_recursive(4, 50, 3, |inner| {
            let rules = proptest::collection::vec(inner, 1..4);
            prop_oneof![rules.clone().prop_map(|all| Rule::All { all }), rules.prop_map(|any| Rule::Any { any })]
        })
    }

    proptest! {
        #[test]
        fn rules_round_trip(rule in any_rule()) {
            let json = serde_json::to_string(&rule).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Rule>(&json).unwrap(), &rule);
            let schema = serde_json::to_value(schemars::schema_for!(Rule)).unwrap();
            prop_assert!(jsonschema::is_valid(&schema, &serde_json::from_str(&json).unwrap()), "{json}");
        }

        #[test]
        fn not_is_the_opposite(text in "[abA;]{1,3}", value in proptest::option::of("[abA; ]{0,4}")) {
            prop_assert_ne!(Op::Is(text.clone()).holds(value.as_deref()), Op::IsNot(text).holds(value.as_deref()));
        }

        #[test]
        fn opposites_swap_all_and_any(rules in proptest::collection::vec((any::<bool>(), "[ab]"), 0..5)) {
            let test = |known, name: &String| Rule::Test(Test { attribute: name.parse().unwrap(), op: Op::Known(known) });
            let known = BTreeMap::from([("a", "x")]);
            let value = |name: &AttributeName| known.get(name.as_str()).copied();
            let all = Rule::All { all: rules.iter().map(|(known, name)| test(*known, name)).collect() };
            let any = Rule::Any { any: rules.iter().map(|(known, name)| test(!known, name)).collect() };
            prop_assert_ne!(all.holds(&value), any.holds(&value));
        }
    }

    #[test]
    fn the_schema_is_as_strict_as_the_reader() {
        let schema = serde_json::to_value(schemars::schema_for!(Rule)).unwrap();
        for json in [json!({}), json!({ "attribute": "a", "is": "x", "above": 1 }), json!({ "attribute": "a", "above": "1" })] {
            assert!(!jsonschema::is_valid(&schema, &json), "{json}");
        }
    }
}
