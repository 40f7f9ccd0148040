//! Makes conversations and visitors.

use std::{collections::HashMap, sync::LazyLock};

use porchlight_domain::{
    contact::{BadPhone, Phone, PhoneRules},
    conversation::{
        Body, Bound, Branch, CallCard, CallNumber, Capture, CaptureField, Card, Choice, Conversation, Document, FieldKind, Form,
        FormField, IfKnown, Kind, Purpose, Question, Rule, Style, Target, Text, Trigger, Ui, schema,
    },
    id::{AttributeName, CardId},
    session::{DocumentUse, Progress, Standing},
};
use proptest::{collection::vec, option, prelude::*, sample};
use serde_json::{Value, json};

/// Numbers that already are E.164; the numbering plans are the server's.
pub(crate) struct PlainPhones;

impl PhoneRules for PlainPhones {
    fn parse(&self, text: &str, _: Option<&str>) -> Result<Phone, BadPhone> {
        Phone::from_e164(text).ok_or(BadPhone::NotANumber)
    }
}

/// Something a visitor, or time, does.
#[derive(Debug, Clone)]
pub(crate) enum Move {
    Load,
    Show,
    Hide,
    Click,
    Open,
    Close,
    AnswerRightly(usize),
    AnswerWith(Vec<String>),
    AnswerTurn(u32),
    Skip,
    Back,
    BackFrom(u32),
    Document(DocumentUse),
    Identify(bool, Option<String>),
    Anew,
    NewSession,
}

pub(crate) fn moves() -> impl Strategy<Value = Vec<Move>> {
    let step = prop_oneof![
        1 => Just(Move::Load),
        2 => Just(Move::Show),
        1 => Just(Move::Hide),
        1 => Just(Move::Click),
        4 => Just(Move::Open),
        2 => Just(Move::Close),
        10 => (0_usize..20).prop_map(Move::AnswerRightly),
        2 => vec(prop_oneof!["\\PC{0,20}", "v[0-3]"], 0..3).prop_map(Move::AnswerWith),
        1 => (0_u32..9).prop_map(Move::AnswerTurn),
        1 => Just(Move::Skip),
        3 => Just(Move::Back),
        1 => (0_u32..9).prop_map(Move::BackFrom),
        2 => sample::select(vec![DocumentUse::Opened, DocumentUse::Downloaded]).prop_map(Move::Document),
        1 => (any::<bool>(), option::of("\\PC{0,20}")).prop_map(|(email, name)| Move::Identify(email, name)),
        2 => Just(Move::Anew),
        1 => Just(Move::NewSession),
    ];
    vec(step, 0..60)
}

/// The cards that are generated; an end follows them.
const CARDS: usize = 9;

/// The conversations that a generated one runs as sub-flows.
pub(crate) const FLOWS: [&str; 2] = ["outer", "inner"];

/// A line from a few: making texts of any characters would take most of the time.
fn line() -> impl Strategy<Value = String> + Clone {
    let few = ["Hi", " spaces ", "**bold** *a", "<b>&amp\"", "two\nlines", "Grüße 👋🏽", "אבג \\", "`[x](https://x.example/)"];
    sample::select(few.map(str::to_owned).to_vec())
}

/// A text in the languages that visitors of tests speak, or one for all.
fn localised(line: impl Strategy<Value = String>) -> impl Strategy<Value = Text> {
    (vec(line, 3), sample::select(vec![0, 0, 0, 2, 3])).prop_map(|(lines, locales)| {
        let tags = ["de", "en", "pt-BR"].into_iter().take(locales).map(str::to_owned);
        Text::per_locale(tags.zip(lines.clone())).unwrap_or_else(|_| Text::plain(&lines[0]))
    })
}

fn label() -> impl Strategy<Value = Text> {
    localised(line())
}

/// What the bot says: with tokens and marks.
fn spoken() -> impl Strategy<Value = Text> {
    let tokens = ["", "{{visitor.name|you}}", "{{visitor.b}}", "**{{visitor.email|*x*}}** ", "[a]({{page.url}})", "\\*\n"];
    localised(
        (line(), sample::select(tokens.to_vec()), line()).prop_map(|(before, token, after)| format!("{before}{token}{after}")),
    )
}

/// Any text.
fn title() -> impl Strategy<Value = String> {
    "[^\\p{C}]{0,30}[a-z]"
}

/// A card, which [`settled`] puts in its place.
fn card_id() -> impl Strategy<Value = CardId> {
    (0..=CARDS).prop_map(id)
}

fn id(index: usize) -> CardId {
    format!("c{index}").parse().unwrap()
}

fn attribute() -> impl Strategy<Value = AttributeName> {
    sample::select(vec!["a", "b", "name", "firstName", "email"]).prop_map(|name| name.parse().unwrap())
}

fn rule_json() -> impl Strategy<Value = Value> {
    let value = || sample::select(vec!["", "v0", "V1", "Ada", "3", "a"]);
    let test = (attribute(), 0_usize..8, value(), -3_i64..9, any::<bool>()).prop_map(|(name, op, text, number, known)| {
        let (op, value) = match op {
            0 => ("is", json!(text)),
            1 => ("isNot", json!(text)),
            2 => ("oneOf", json!([text, "v2"])),
            3 => ("contains", json!(text)),
            4 => ("startsWith", json!(text)),
            5 => ("above", json!(number)),
            6 => ("below", json!(number as f64 / 2.0)),
            _ => ("known", json!(known)),
        };
        json!({ "attribute": name, op: value })
    });
    test.prop_recursive(3, 12, 3, |inner| {
        (sample::select(vec!["all", "any"]), vec(inner, 1..4)).prop_map(|(group, rules)| json!({ group: rules }))
    })
}

fn rule() -> impl Strategy<Value = Rule> {
    rule_json().prop_map(|json| serde_json::from_value(json).unwrap())
}

/// Choices with a value each. Texts with spaces around them are such values, too.
fn choices(lead_on: bool) -> impl Strategy<Value = Vec<Choice>> {
    let choice = (label(), any::<bool>(), option::of(card_id())).prop_map(|(label, value, next)| (label, value, next));
    vec(choice, 1..5).prop_map(move |choices| {
        let choice = |(index, (label, value, next)): (usize, (Text, bool, Option<CardId>))| {
            let value = Some(format!("v{index}")).filter(|_| value || index > 0 || !label.is_plain());
            Choice { label, value, next: next.filter(|_| lead_on) }
        };
        choices.into_iter().enumerate().map(choice).collect()
    })
}

fn question() -> impl Strategy<Value = Question> {
    let style = sample::select(vec![Style::Buttons, Style::List]);
    let one = (spoken(), style, choices(true), option::of(attribute()), option::of(card_id())).prop_map(
        |(text, style, choices, attribute, next)| Question { text, style, choices, attribute, min: None, max: None, next },
    );
    let counts = (option::of(0_u32..5), option::of(0_u32..5));
    let several = (spoken(), choices(false), option::of(attribute()), counts, option::of(card_id())).prop_map(
        |(text, choices, attribute, (min, max), next)| {
            let most = u32::try_from(choices.len()).unwrap();
            let min = min.map(|min| min.min(most));
            let max = max.map(|max| max.clamp(min.unwrap_or(1).max(1), most));
            Question { text, style: Style::Multiple, choices, attribute, min, max, next }
        },
    );
    prop_oneof![2 => one, 1 => several]
}

fn capture() -> impl Strategy<Value = Capture> {
    use CaptureField::*;
    let fields = [Email, Phone, Name, FirstName, LastName, Company, CaptureField::Text, Number, Date, PickList];
    let field = sample::select(fields.to_vec());
    let words = (field, spoken(), option::of(label()), attribute(), option::of(card_id()));
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    let bounds = (option::of(-5_i64..5), option::of(0_i64..5), 1_i8..28);
    (words, flags, bounds, choices(false)).prop_map(
        |((field, text, label, attribute, next), (named, optional, skip, overwrite), (low, span, day), choices)| {
            let high = span.map(|span| low.unwrap_or(0) + span);
            let date = |days: i64| Bound::Date(jiff::civil::date(2026, 3, day).saturating_add(jiff::Span::new().days(days)));
            let number = |number: i64| Bound::Number(number.into());
            let (min, max) = match field {
                Number => (low.map(number), high.map(number)),
                Date => (low.map(date), high.map(date)),
                CaptureField::Text => (None, span.map(|span| number(span * 249 + 1))),
                _ => (None, None),
            };
            Capture {
                field,
                text,
                label,
                attribute: Some(attribute).filter(|_| named || !field.has_own_attribute()),
                optional,
                if_known: if skip { IfKnown::Skip } else { IfKnown::Ask },
                overwrite,
                min,
                max,
                choices: if field == PickList { choices } else { vec![] },
                next,
            }
        },
    )
}

/// A field's kind, label, whether it is mandatory, choices, and pattern with what is said of it.
type AnyField = (FieldKind, Text, bool, Vec<Choice>, bool, Option<Text>);

/// A form with a field of each of some kinds; its fields are named after the attributes of visitors.
fn form() -> impl Strategy<Value = Form> {
    use FieldKind::{CheckBox, Company, Consent, Email, FirstName, LastName, Name, Phone, Score, Smileys, Stars, TextArea};
    let kinds = [
        FieldKind::Text,
        TextArea,
        Name,
        FirstName,
        LastName,
        Company,
        Email,
        Phone,
        FieldKind::Date,
        FieldKind::Choice,
        CheckBox,
        Stars,
        Smileys,
        Score,
        Consent,
    ];
    let field = (sample::select(kinds.to_vec()), label(), any::<bool>(), choices(false), any::<bool>(), option::of(label()));
    let names = sample::subsequence(vec!["a", "b", "name", "firstName", "email"], 1..5);
    (spoken(), any::<bool>(), names, vec(field, 5), option::of(label()), any::<bool>(), option::of(card_id())).prop_map(
        |(text, survey, names, fields, submit, optional, next)| {
            let field = |(name, (field, label, mandatory, choices, pattern, message)): (&str, AnyField)| {
                let pattern = Some(".*".to_owned()).filter(|_| pattern && field.is_typed());
                FormField {
                    name: name.parse().unwrap(),
                    field,
                    consent: Some(label.clone()).filter(|_| field == Consent),
                    label,
                    mandatory,
                    pattern_message: message.filter(|_| pattern.is_some()),
                    pattern,
                    choices: if field == FieldKind::Choice { choices } else { vec![] },
                }
            };
            let purpose = if survey { Purpose::Survey } else { Purpose::Contact };
            Form { text, purpose, kind: None, fields: names.into_iter().zip(fields).map(field).collect(), submit, optional, next }
        },
    )
}

fn body(flows: &'static [&'static str]) -> BoxedStrategy<Body> {
    let next = || option::of(card_id());
    let branch = (rule(), card_id()).prop_map(|(rule, next)| Branch { rule, next });
    let value = sample::select(vec!["", "x", "{{visitor.a|}}{{visitor.b|v1}}", "{{page.url}}", " {{visitor.name}} "]);
    let own = prop_oneof![
        4 => (spoken(), next()).prop_map(|(text, next)| Body::Message { text, next }),
        5 => question().prop_map(Body::Question),
        5 => capture().prop_map(Box::new).prop_map(Body::Capture),
        1 => (spoken(), label(), next()).prop_map(|(text, title, next)| {
            Body::Document(Document { text, title, file: "guide.pdf".parse().unwrap(), next })
        }),
        2 => form().prop_map(Box::new).prop_map(Body::Form),
        1 => (spoken(), option::of(sample::select(vec!["de", "en"])), next()).prop_map(|(text, locale, next)| {
            let number = CallNumber { number: "+44 20 7946 0000".to_owned(), locale: locale.map(str::to_owned) };
            Body::Call(Box::new(CallCard { text, numbers: vec![number], team: None, fallback_text: None, fallback: None, next }))
        }),
        1 => (line(), next()).prop_map(|(goal, next)| Body::Goal { goal, next }),
        2 => (vec(branch, 1..4), next()).prop_map(|(branches, next)| Body::Condition { branches, next }),
        1 => (attribute(), value, next())
            .prop_map(|(attribute, value, next)| Body::Set { attribute, value: value.to_owned(), next }),
        1 => card_id().prop_map(|to| Body::Jump { to }),
        1 => option::of(spoken()).prop_map(|text| Body::End { text }),
    ];
    if flows.is_empty() {
        return own.boxed();
    }
    let run =
        (sample::select(flows), next()).prop_map(|(flow, next)| Body::SubFlow { conversation: flow.parse().unwrap(), next });
    prop_oneof![4 => own, 1 => run].boxed()
}

fn target() -> impl Strategy<Value = Target> {
    let patterns = || option::of(vec(sample::select(vec!["/", "/a*", "https://x.example/*", "*", "/s?q=*"]), 1..3));
    let places = (patterns(), patterns(), patterns(), option::of(sample::select(vec!["news*", "*"])));
    let whom = (
        option::of(sample::select(vec![json!(["de", "en-GB"])])),
        option::of(sample::select(vec![json!(["phone"]), json!(["tablet", "desktop"])])),
        option::of(sample::select(vec!["new", "returning"])),
        option::of(any::<bool>()),
        option::of(rule_json()),
    );
    let days = option::of(sample::select(vec![json!(["monday"]), json!(["sunday", "friday"])]));
    let schedule =
        (any::<bool>(), any::<bool>(), days, any::<bool>(), any::<bool>()).prop_map(|(from, until, days, hours, zone)| {
            given([
                ("from", from.then(|| json!("2026-11-01T00:00"))),
                ("until", until.then(|| json!("2026-12-24T18:00:30"))),
                ("days", days),
                ("between", hours.then(|| json!(["22:00", "06:00"]))),
                ("timeZone", zone.then(|| json!("Europe/Berlin"))),
            ])
        });
    (places, whom, option::of(schedule)).prop_map(
        |((pages, not, referrers, param), (locales, devices, visitors, known, rule), schedule)| {
            let json = given([
                ("pages", pages.map(Value::from)),
                ("notPages", not.map(Value::from)),
                ("referrers", referrers.map(Value::from)),
                ("params", param.map(|pattern| json!({ "utm_source": pattern }))),
                ("locales", locales),
                ("devices", devices),
                ("visitors", visitors.map(Value::from)),
                ("known", known.map(Value::from)),
                ("if", rule),
                ("schedule", schedule),
            ]);
            serde_json::from_value(json).unwrap()
        },
    )
}

/// An object of the fields that there are.
fn given<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect::<serde_json::Map<_, _>>().into()
}

fn trigger() -> impl Strategy<Value = Trigger> {
    prop_oneof![
        Just(Trigger::Load),
        (1_u32..=86_400).prop_map(|seconds| Trigger::TimeOnPage { seconds }),
        (1_u32..=86_400).prop_map(|seconds| Trigger::TimeOnSite { seconds }),
        (1_u8..=100).prop_map(|percent| Trigger::Scroll { percent }),
        Just(Trigger::ExitIntent),
        Just(Trigger::Click { selector: "#help".to_owned() }),
    ]
}

/// Puts the ways of cards right: a way back leads to a card that asks, so that nothing goes round without a question, and
/// somewhere below everything there is an end.
fn settled(bodies: Vec<Body>) -> Vec<Card> {
    let mut bodies: Vec<_> = bodies.into_iter().chain([Body::End { text: None }]).collect();
    let asks: Vec<_> = bodies.iter().map(Body::always_waits).collect();
    let last = bodies.len() - 1;
    for (index, body) in bodies.iter_mut().enumerate() {
        let settle = |target: &mut CardId, may_ask_again: bool| {
            let meant: usize = target.as_str()[1..].parse().unwrap();
            if meant <= index && !(asks[meant] && may_ask_again) {
                *target = id(index + 1 + meant % (last - index));
            }
        };
        // Of most cards that wait, one way leads on, that few conversations have to be thrown away for having no end.
        let may_ask_again = !asks[index] || index % 4 == 1;
        let next = match body {
            Body::Question(question) => {
                question.choices.iter_mut().filter_map(|choice| choice.next.as_mut()).for_each(|next| settle(next, true));
                &mut question.next
            }
            Body::Condition { branches, next } => {
                branches.iter_mut().map(|branch| &mut branch.next).for_each(|next| settle(next, true));
                next
            }
            Body::Capture(capture) => &mut capture.next,
            Body::Document(document) => &mut document.next,
            Body::LiveChat(live) => &mut live.next,
            Body::Meeting(meeting) => &mut meeting.next,
            Body::Callback(callback) => &mut callback.next,
            Body::Call(call) => &mut call.next,
            Body::Form(form) => &mut form.next,
            Body::Message { next, .. } | Body::Goal { next, .. } | Body::Set { next, .. } | Body::SubFlow { next, .. } => next,
            Body::Jump { to } => {
                settle(to, true);
                continue;
            }
            Body::End { .. } => continue,
        };
        next.iter_mut().for_each(|next| settle(next, may_ask_again));
    }
    bodies.into_iter().enumerate().map(|(index, body)| Card { id: id(index), body }).collect()
}

fn conversation_of(name: &'static str, flows: &'static [&'static str]) -> impl Strategy<Value = Conversation> {
    let looks = (
        title(),
        sample::select(vec![
            (Kind::Dialogue, Ui::Chatbot),
            (Kind::Dialogue, Ui::Popup),
            (Kind::ConversationFlow, Ui::Popup),
            (Kind::ConversationFlow, Ui::Inline),
        ]),
        sample::select(vec!["en", "de", "pt-BR"]),
        option::of(spoken()),
        0_u32..=3000,
    );
    let flags = (any::<bool>(), any::<bool>());
    let offered = (-9_i64..9, prop_oneof![Just(Target::default()), target()], trigger());
    (looks, flags, offered, vec(body(flows), CARDS))
        .prop_map(
            move |((title, (kind, ui), locale, poke, typing_delay), (back, restart), (priority, target, trigger), bodies)| {
                let dialogue = kind == Kind::Dialogue;
                Conversation {
                    schema: None,
                    id: name.parse().unwrap(),
                    name: title,
                    kind,
                    ui,
                    locale: locale.to_owned(),
                    priority: if dialogue { priority } else { 0 },
                    target: if dialogue { target } else { Target::default() },
                    trigger: if dialogue { trigger } else { Trigger::default() },
                    poke: poke.filter(|_| ui == Ui::Chatbot),
                    back,
                    restart,
                    typing_delay,
                    cards: settled(bodies),
                }
            },
        )
        .prop_filter("cards from which no end can be reached are refused by the reader", |conversation| {
            distances(conversation).len() == conversation.cards.len()
        })
}

/// Conversations that are read without problems, and run no others.
pub(crate) fn conversation() -> impl Strategy<Value = Conversation> {
    conversation_of("generated", &[])
}

/// Conversations that are read without problems, and may run others.
pub(crate) fn authored() -> impl Strategy<Value = Conversation> {
    conversation_of("generated", &FLOWS)
}

/// A conversation, and those it runs: [`FLOWS`], of which the first runs the second.
pub(crate) fn site() -> impl Strategy<Value = (Conversation, [Conversation; 2])> {
    (authored(), conversation_of(FLOWS[0], &FLOWS[1..]), conversation_of(FLOWS[1], &[]))
        .prop_map(|(main, outer, inner)| (main, [outer, inner]))
}

/// How many cards lie between each and an end, the shortest way; all cards are there from which an end can be reached.
pub(crate) fn distances(document: &Conversation) -> HashMap<&CardId, usize> {
    let mut distances = HashMap::new();
    for round in 0..=document.cards.len() {
        for card in &document.cards {
            let mut ways: Vec<_> = document.after(card).into_iter().collect();
            let ends = match &card.body {
                Body::End { .. } => true,
                Body::Question(question) => {
                    ways = (0..question.choices.len()).filter_map(|choice| document.after_choice(card, choice)).collect();
                    false
                }
                Body::Condition { branches, .. } => {
                    ways.extend(branches.iter().map(|branch| &branch.next));
                    false
                }
                _ => false,
            };
            if ends && round == 0 || round > 0 && ways.iter().any(|way| distances.get(way) == Some(&(round - 1))) {
                distances.entry(&card.id).or_insert(round);
            }
        }
    }
    distances
}

/// Whether some answers lead to an end, whatever is known of the visitor.
pub(crate) fn end_within(document: &Conversation, progress: &Progress) -> bool {
    let here = match &progress.standing {
        Standing::Ended => return true,
        Standing::Offered => document.first(),
        Standing::At(card) => Some(card),
    };
    here.is_some_and(|card| distances(document).contains_key(card))
}

/// The published schema, compiled by a library that is not ours.
pub(crate) fn schema() -> &'static jsonschema::Validator {
    static SCHEMA: LazyLock<jsonschema::Validator> =
        LazyLock::new(|| jsonschema::validator_for(&serde_json::from_str(&schema::json()).unwrap()).unwrap());
    &SCHEMA
}
