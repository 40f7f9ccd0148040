//! Whom a dialogue is offered to.

use std::{borrow::Cow, cmp::Reverse, collections::BTreeMap};

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::{
    PagePattern, limits,
    pages::glob,
    rule::Rule,
    schedule::Schedule,
    text::{LOCALE_PATTERN, fits_locale},
};
use crate::id::{AttributeName, ConversationId};

/// Whom a dialogue is offered to, where and when. All that is given must hold; without anything, it is everybody, everywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Target {
    /// The pages it is offered on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = limits::PAGES))]
    pub pages: Vec<PagePattern>,
    /// The pages it is not offered on, even if they are among `pages`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = limits::PAGES))]
    pub not_pages: Vec<PagePattern>,
    /// Parameters of the page's address and a pattern for each, in which `*` stands for any text: `*` alone asks that the
    /// parameter is there. All must fit; of a parameter that is there more than once, one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "params_schema")]
    pub params: BTreeMap<String, String>,
    /// The pages that the visitor may come from. A visitor who comes from none, or does not say, fits no pattern.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = limits::PAGES))]
    pub referrers: Vec<PagePattern>,
    /// The locales of visitors; `de` is `de-AT` too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = limits::PAGES), inner(regex(pattern = LOCALE_PATTERN)))]
    pub locales: Vec<String>,
    /// The devices of visitors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 3))]
    pub devices: Vec<Device>,
    /// Whether visitors were here before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visitors: Option<Visitors>,
    /// Whether it is known who they are: by an e-mail address, or because the site said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<bool>,
    /// What must hold of their attributes.
    #[serde(rename = "if", default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
}

fn params_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "minProperties": 1,
        "maxProperties": limits::PAGES,
        "additionalProperties": { "type": "string", "minLength": 1, "maxLength": limits::PATTERN },
    })
}

/// What a visitor uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Device {
    /// A phone.
    Phone,
    /// A tablet.
    Tablet,
    /// A computer.
    Desktop,
}

/// Whether visitors were here before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Visitors {
    /// They were not.
    New,
    /// They were.
    Returning,
}

/// What is known of a visitor who looks at a page.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The address of the page.
    pub page: &'a str,
    /// The address of the page before; empty if there is none, or it is not said.
    pub referrer: &'a str,
    /// The visitor's locale, or several as [`Text::in_locale`](super::Text::in_locale) takes them; the most wanted counts.
    pub locale: &'a str,
    /// What the visitor uses.
    pub device: Device,
    /// Whether the visitor was here before.
    pub returning: bool,
    /// Whether it is known who the visitor is.
    pub known: bool,
    /// The value of an attribute.
    pub attributes: &'a dyn Fn(&AttributeName) -> Option<&'a str>,
    /// The time.
    pub now: Timestamp,
}

/// The parameters of an address, in their order.
type Params<'p> = Vec<(Cow<'p, str>, Cow<'p, str>)>;

impl Target {
    /// Whether a visitor is meant.
    #[must_use]
    pub fn fits(&self, facts: &Facts<'_>) -> bool {
        self.fits_with(facts, &params(facts.page))
    }

    /// As [`Self::fits`], with the page's parameters read already.
    fn fits_with(&self, facts: &Facts<'_>, params: &Params<'_>) -> bool {
        // What is quick comes first.
        self.visitors.is_none_or(|visitors| (visitors == Visitors::Returning) == facts.returning)
            && self.known.is_none_or(|known| known == facts.known)
            && (self.devices.is_empty() || self.devices.contains(&facts.device))
            && (self.pages.is_empty() || self.pages.iter().any(|pattern| pattern.matches(facts.page)))
            && !self.not_pages.iter().any(|pattern| pattern.matches(facts.page))
            && self.params.iter().all(|(name, pattern)| params.iter().any(|(other, value)| other == name && glob(pattern, value)))
            && (self.referrers.is_empty()
                || !facts.referrer.is_empty() && self.referrers.iter().any(|pattern| pattern.matches(facts.referrer)))
            && (self.locales.is_empty() || self.locales.iter().any(|pattern| fits_locale(pattern, facts.locale)))
            && self.rule.as_ref().is_none_or(|rule| rule.holds(facts.attributes))
            && self.schedule.as_ref().is_none_or(|schedule| schedule.open_at(facts.now))
    }
}

/// Of candidates with a priority and a name each, the one to offer: of those whose target fits, the one with the highest
/// priority, and among equals the one whose name comes first in the order of their characters.
pub fn choose<'a, T>(
    candidates: impl IntoIterator<Item = (i64, &'a ConversationId, &'a Target, T)>,
    facts: &Facts<'_>,
) -> Option<T> {
    let params = params(facts.page);
    let mut best: Option<((i64, Reverse<&ConversationId>), T)> = None;
    for (priority, id, target, candidate) in candidates {
        let rank = (priority, Reverse(id));
        // Who could not win is not asked.
        if best.as_ref().is_none_or(|(best, _)| *best < rank) && target.fits_with(facts, &params) {
            best = Some((rank, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// The parameters of an address, decoded as forms encode them
/// ([URL, application/x-www-form-urlencoded parsing](https://url.spec.whatwg.org/#urlencoded-parsing)).
fn params(address: &str) -> Params<'_> {
    let address = address.split('#').next().unwrap_or_default();
    let Some((_, query)) = address.split_once('?') else { return Vec::new() };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(name, value)| (decoded(name), decoded(value))).collect()
}

/// Undoes the percent notation, and takes `+` for a space. A `%` that begins no byte stays; what is no UTF-8 becomes U+FFFD.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let digit =
        |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16)).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, following)) = rest.split_first() {
        rest = following;
        match (first, digit(following.first()), digit(following.get(1))) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(high << 4 | low);
                rest = &following[2..];
            }
            (b'+', ..) => bytes.push(b' '),
            (other, ..) => bytes.push(*other),
        }
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::{collection::vec, prelude::*, sample::subsequence};
    use serde_json::{Value, json};

    use super::{
        super::{
            rule::{Op, tests::any_rule},
            schedule::tests::any_schedule,
        },
        *,
    };

    fn target(json: Value) -> Target {
        serde_json::from_value(json).unwrap()
    }

    fn ada(name: &AttributeName) -> Option<&'static str> {
        (name.as_str() == "name").then_some("Ada")
    }

    fn facts() -> Facts<'static> {
        Facts {
            page: "https://shop.example/pricing/pro?utm_source=news+letter&x=1&x=2&%C3%A4=%C3%B6%2&flag#top",
            referrer: "https://www.search.example/?q=lamp",
            locale: "de-AT",
            device: Device::Phone,
            returning: true,
            known: false,
            attributes: &ada,
            now: "2026-11-06T12:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn every_condition_decides() {
        for (fits, fits_not) in [
            (json!({}), json!({ "pages": ["/other"] })),
            (json!({ "pages": ["/other", "/pricing*"] }), json!({ "pages": ["/pricing"] })),
            (json!({ "notPages": ["/pricing/old*"] }), json!({ "pages": ["/pricing*"], "notPages": ["/pricing/pro"] })),
            (json!({ "params": { "utm_source": "news*" } }), json!({ "params": { "utm_source": "news" } })),
            (
                json!({ "params": { "utm_source": "news letter", "x": "2" } }),
                json!({ "params": { "utm_source": "*", "x": "3" } }),
            ),
            (json!({ "params": { "ä": "ö%2", "flag": "*" } }), json!({ "params": { "top": "*" } })),
            (json!({ "referrers": ["https://*.search.example/*"] }), json!({ "referrers": ["https://search.example/*"] })),
            (json!({ "locales": ["en", "de"] }), json!({ "locales": ["de-DE", "en"] })),
            (json!({ "devices": ["tablet", "phone"] }), json!({ "devices": ["desktop"] })),
            (json!({ "visitors": "returning" }), json!({ "visitors": "new" })),
            (json!({ "known": false }), json!({ "known": true })),
            (json!({ "if": { "attribute": "name", "is": "ada" } }), json!({ "if": { "attribute": "name", "is": "bob" } })),
            (json!({ "schedule": { "days": ["friday"] } }), json!({ "schedule": { "days": ["monday"] } })),
        ] {
            assert!(target(fits.clone()).fits(&facts()), "{fits}");
            assert!(!target(fits_not.clone()).fits(&facts()), "{fits_not}");
        }
        let direct = Facts { referrer: "", ..facts() };
        assert!(!target(json!({ "referrers": ["*"] })).fits(&direct));
        assert!(target(json!({ "referrers": ["*"] })).fits(&facts()));
    }

    #[test]
    fn targets_are_written_as_authored() {
        let schema = serde_json::to_value(schemars::schema_for!(Target)).unwrap();
        let json = json!({
            "pages": ["/pricing*"],
            "notPages": ["/pricing/old*"],
            "params": { "utm_source": "news*" },
            "referrers": ["https://*.search.example/*"],
            "locales": ["de", "en-GB"],
            "devices": ["phone", "tablet", "desktop"],
            "visitors": "new",
            "known": true,
            "if": { "any": [{ "attribute": "topic", "oneOf": ["sales", "support"] }, { "attribute": "age", "above": 17 }] },
            "schedule": {
                "from": "2026-11-01T00:00",
                "until": "2026-12-24T18:00",
                "days": ["monday"],
                "between": ["09:00", "17:00"],
                "timeZone": "Europe/Berlin",
            },
        });
        assert_eq!(serde_json::to_value(target(json.clone())).unwrap(), json);
        assert!(jsonschema::is_valid(&schema, &json));
        assert!(jsonschema::is_valid(&schema, &json!({})));
        assert_eq!(target(json!({})), Target::default());
        for json in [
            json!({ "page": ["/"] }),
            json!({ "pages": ["pricing"] }),
            json!({ "devices": ["watch"] }),
            json!({ "visitors": ["new"] }),
            json!({ "if": {} }),
            json!({ "params": ["x"] }),
        ] {
            assert!(serde_json::from_value::<Target>(json.clone()).is_err(), "{json}");
            assert!(!jsonschema::is_valid(&schema, &json), "{json}");
        }
        assert!(!jsonschema::is_valid(&schema, &json!({ "locales": ["german"] })));
    }

    #[test]
    fn the_highest_priority_wins_then_the_first_name() {
        let ids = ["b", "a", "c", "d"].map(|id| id.parse::<ConversationId>().unwrap());
        let (all, none) = (Target::default(), target(json!({ "known": true })));
        let chosen = |candidates: [(i64, &Target); 4]| {
            let candidates = ids.iter().zip(candidates).map(|(id, (priority, target))| (priority, id, target, id.as_str()));
            choose(candidates, &facts())
        };
        assert_eq!(chosen([(1, &all), (1, &all), (0, &all), (2, &none)]), Some("a"));
        assert_eq!(chosen([(1, &all), (1, &none), (-3, &all), (0, &all)]), Some("b"));
        assert_eq!(chosen([(-5, &none), (-5, &none), (-5, &all), (-5, &all)]), Some("c"));
        assert_eq!(chosen([(1, &none), (1, &none), (1, &none), (1, &none)]), None);
    }

    #[test]
    fn parameters_are_decoded() {
        let read = |page| params(page).into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
        assert_eq!(read("https://a.example/?a=b&&c&d=e=f&=g#?h=i"), ["a=b", "c=", "d=e=f", "=g"]);
        assert_eq!(read("/?a%3D=%26+%2b&b=%zz%4&c=%FF&d=%€"), ["a==& +", "b=%zz%4", "c=\u{fffd}", "d=%€"]);
        assert_eq!(read("https://a.example/#?a=b"), [""; 0]);
        assert_eq!(read(""), [""; 0]);
    }

    /// Facts that own what they say.
    #[derive(Debug, Clone)]
    struct Visit {
        path: String,
        query: Vec<(String, String)>,
        referrer: String,
        locale: String,
        device: Device,
        returning: bool,
        known: bool,
        attributes: HashMap<String, String>,
        now: Timestamp,
    }

    impl Visit {
        /// The address, with every byte of the query in percent notation.
        fn page(&self) -> String {
            let encoded = |text: &String| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
            let query: Vec<_> = self.query.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
            format!("https://a.example{}?{}#x", self.path, query.join("&"))
        }
    }

    fn any_target() -> impl Strategy<Value = Target> {
        let pages = || vec(prop_oneof!["/[ab]{0,2}\\*?", Just("https://*".to_owned())], 0..3).prop_map(patterns);
        let referrers = prop_oneof![3 => Just(vec![]), 1 => vec("(https://)?\\*[ab]\\*?", 1..3).prop_map(patterns)];
        let params = proptest::collection::btree_map("[xy]", "[1ä*]{1,2}", 0..2);
        let locales = prop_oneof![2 => Just(vec![]), 1 => vec(prop_oneof![Just("de"), Just("de-AT"), Just("EN")], 1..3)];
        let devices =
            prop_oneof![2 => Just(vec![]), 1 => subsequence(vec![Device::Phone, Device::Tablet, Device::Desktop], 1..=3)];
        let visitors = proptest::option::weighted(0.3, prop_oneof![Just(Visitors::New), Just(Visitors::Returning)]);
        let known = proptest::option::weighted(0.3, any::<bool>());
        let schedule = proptest::option::weighted(0.2, any_schedule());
        (
            (pages(), pages(), params, referrers, locales),
            (devices, visitors, known, proptest::option::weighted(0.3, any_rule()), schedule),
        )
            .prop_map(|((pages, not_pages, params, referrers, locales), (devices, visitors, known, rule, schedule))| {
                Target {
                    pages,
                    // Most would exclude everything.
                    not_pages: not_pages.into_iter().filter(|pattern| !pattern.to_string().ends_with('*')).collect(),
                    params,
                    referrers,
                    locales: locales.into_iter().map(str::to_owned).collect(),
                    devices,
                    visitors,
                    known,
                    rule,
                    schedule,
                }
            })
    }

    fn patterns(texts: Vec<String>) -> Vec<PagePattern> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn any_visit() -> impl Strategy<Value = Visit> {
        let device = prop_oneof![Just(Device::Phone), Just(Device::Tablet), Just(Device::Desktop)];
        let locale = prop_oneof![Just("de"), Just("de-AT"), Just("en-GB"), Just("fr"), Just("")];
        let attributes = proptest::collection::hash_map("[ab]", "[abA3;]{0,3}", 0..3);
        (
            ("/[ab]{0,2}", vec(("[xy]", "[1ä ]{0,2}"), 0..4), "|https://[ab]{1,3}", locale, device),
            (any::<bool>(), any::<bool>(), attributes, 0_i64..28 * 24 * 60),
        )
            .prop_map(|((path, query, referrer, locale, device), (returning, known, attributes, minute))| Visit {
                path,
                query,
                referrer,
                locale: locale.to_owned(),
                device,
                returning,
                known,
                attributes,
                now: Timestamp::from_second(1_772_323_200 + minute * 60).unwrap(), // from 2026-03-01T00:00Z on
            })
    }

    /// The obvious way: try every length for every star.
    fn slow_glob(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|at| slow_glob(rest, &text[at..])),
            Some((first, rest)) => text.first() == Some(first) && slow_glob(rest, &text[1..]),
        }
    }

    fn slow_rule(rule: &Rule, attributes: &HashMap<String, String>) -> bool {
        let test = match rule {
            Rule::All { all } => return !all.iter().any(|rule| !slow_rule(rule, attributes)),
            Rule::Any { any } => return any.iter().filter(|rule| slow_rule(rule, attributes)).count() > 0,
            Rule::Test(test) => test,
        };
        let value = attributes.get(test.attribute.as_str()).map(|value| value.to_lowercase()).unwrap_or_default();
        let unknown = value.is_empty();
        let several: Vec<_> = value.split(';').chain([value.as_str()]).collect();
        let number = value.parse::<f64>().unwrap_or(f64::NAN);
        match &test.op {
            Op::Is(text) => !unknown && several.contains(&text.to_lowercase().as_str()),
            Op::IsNot(text) => unknown || !several.contains(&text.to_lowercase().as_str()),
            Op::OneOf(texts) => !unknown && texts.iter().any(|text| several.contains(&text.to_lowercase().as_str())),
            Op::Contains(text) => !unknown && value.contains(&text.to_lowercase()),
            Op::StartsWith(text) => !unknown && value.starts_with(&text.to_lowercase()),
            Op::Above(bound) => number > bound.as_f64().unwrap(),
            Op::Below(bound) => number < bound.as_f64().unwrap(),
            Op::Known(known) => *known != unknown,
        }
    }

    /// Every condition that is broken, one after the other.
    fn slow_fits(target: &Target, visit: &Visit) -> bool {
        let page_fits = |pattern: &PagePattern| {
            let pattern = pattern.to_string();
            let page = if pattern.starts_with('/') { visit.path.clone() } else { format!("https://a.example{}", visit.path) };
            slow_glob(pattern.as_bytes(), page.as_bytes())
        };
        let mut broken = Vec::new();
        if !target.pages.is_empty() {
            broken.push(!target.pages.iter().any(page_fits));
        }
        broken.extend(target.not_pages.iter().map(page_fits));
        for (name, pattern) in &target.params {
            let values = visit.query.iter().filter(|(other, _)| other == name);
            broken.push(values.filter(|(_, value)| slow_glob(pattern.as_bytes(), value.as_bytes())).count() == 0);
        }
        if !target.referrers.is_empty() {
            let fits = |pattern: &PagePattern| slow_glob(pattern.to_string().as_bytes(), visit.referrer.as_bytes());
            broken.push(visit.referrer.is_empty() || !target.referrers.iter().any(fits));
        }
        if !target.locales.is_empty() {
            let own = visit.locale.to_lowercase();
            let fits = |locale: &String| own == locale.to_lowercase() || own.starts_with(&format!("{}-", locale.to_lowercase()));
            broken.push(!target.locales.iter().any(fits));
        }
        if !target.devices.is_empty() {
            broken.push(!target.devices.contains(&visit.device));
        }
        broken.push(match target.visitors {
            Some(Visitors::New) => visit.returning,
            Some(Visitors::Returning) => !visit.returning,
            None => false,
        });
        broken.extend(target.known.map(|known| known != visit.known));
        broken.extend(target.rule.iter().map(|rule| !slow_rule(rule, &visit.attributes)));
        // Schedules have tests of their own.
        broken.extend(target.schedule.iter().map(|schedule| !schedule.open_at(visit.now)));
        !broken.contains(&true)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

        #[test]
        fn the_choice_is_that_of_the_obvious_way(
            candidates in proptest::collection::btree_map("[a-z]{1,2}", (-1_i64..2, any_target()), 0..8),
            shift in 0_usize..8,
            visit in any_visit(),
        ) {
            let named = |(id, (priority, target)): (String, _)| (priority, id.parse::<ConversationId>().unwrap(), target);
            let mut candidates: Vec<(i64, _, Target)> = candidates.into_iter().map(named).collect();
            // They come in any order.
            let shift = shift % candidates.len().max(1);
            candidates.rotate_left(shift);
            let page = visit.page();
            let attributes = |name: &AttributeName| visit.attributes.get(name.as_str()).map(String::as_str);
            let facts = Facts {
                page: &page,
                referrer: &visit.referrer,
                locale: &visit.locale,
                device: visit.device,
                returning: visit.returning,
                known: visit.known,
                attributes: &attributes,
                now: visit.now,
            };
            for (_, _, target) in &candidates {
                prop_assert_eq!(target.fits(&facts), slow_fits(target, &visit), "{:?}", target);
            }
            let chosen = choose(candidates.iter().map(|(priority, id, target)| (*priority, id, target, id.as_str())), &facts);
            let mut sorted: Vec<_> = candidates.iter().filter(|(_, _, target)| slow_fits(target, &visit)).collect();
            sorted.sort_by(|a, b| a.0.cmp(&b.0).reverse().then(a.1.as_str().cmp(b.1.as_str())));
            prop_assert_eq!(chosen, sorted.first().map(|(_, id, _)| id.as_str()));
        }

        #[test]
        fn targets_round_trip(target in any_target()) {
            let json = serde_json::to_value(&target).unwrap();
            prop_assert_eq!(&serde_json::from_value::<Target>(json.clone()).unwrap(), &target);
            let schema = serde_json::to_value(schemars::schema_for!(Target)).unwrap();
            prop_assert!(jsonschema::is_valid(&schema, &json), "{json}");
        }

        #[test]
        fn no_address_is_too_odd(page in "\\PC{0,20}\\?[%&=+#a-fA-F0-9é]{0,40}") {
            let _ = params(&page);
        }
    }

    #[test]
    #[ignore = "measures; run with --release"]
    fn two_hundred_candidates_take_little() {
        let target = target(json!({
            "pages": ["/nowhere*", "/pricing*"],
            "params": { "utm_source": "news*" },
            "referrers": ["https://*.search.example/*"],
            "locales": ["en", "de"],
            "if": { "all": (0..5).map(|_| json!({ "attribute": "name", "contains": "AD" })).collect::<Vec<_>>() },
            "schedule": { "between": ["00:00", "23:00"], "timeZone": "Europe/Berlin" },
        }));
        let ids: Vec<ConversationId> = (0..200).map(|n| format!("c{n}").parse().unwrap()).collect();
        let began = std::time::Instant::now();
        // Each beats the one before, so that all are asked.
        for _ in 0..100 {
            let chosen = choose(ids.iter().zip(0..).map(|(id, priority)| (priority, id, &target, priority)), &facts());
            assert_eq!(chosen, Some(199));
        }
        println!("{:?} a choice", began.elapsed() / 100);
    }
}
