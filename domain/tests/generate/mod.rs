//! Makes conversations and visitors.

use std::{collections::VecDeque, sync::LazyLock};

use porchlight_domain::{
    contact::{BadPhone, Phone, PhoneRules},
    conversation::{Body, CaptureField, Card, Choice, Conversation, Kind, Stop, Ui, schema},
    id::CardId,
    session::{Progress, Standing},
};
use proptest::{option, prelude::*, sample};

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
    AnswerWith(String),
    AnswerTurn(u32),
    Skip,
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
        8 => (0_usize..20).prop_map(Move::AnswerRightly),
        2 => "\\PC{0,20}".prop_map(Move::AnswerWith),
        1 => (0_u32..9).prop_map(Move::AnswerTurn),
        1 => Just(Move::Skip),
        1 => Just(Move::NewSession),
    ];
    proptest::collection::vec(step, 0..60)
}

const CARDS: usize = 9;

fn text() -> impl Strategy<Value = String> {
    "[^\\p{C}]{0,30}[a-z]"
}

fn card_id() -> impl Strategy<Value = CardId> {
    (0..=CARDS).prop_map(|index| format!("c{index}").parse().unwrap())
}

fn body() -> impl Strategy<Value = Body> {
    let choice =
        (text(), option::of(text()), option::of(card_id())).prop_map(|(label, value, next)| Choice { label, value, next });
    let choices = proptest::collection::vec(choice, 1..5).prop_map(|mut choices| {
        for (index, choice) in choices.iter_mut().enumerate() {
            choice.value = Some(format!("v{index}")).filter(|_| choice.value.is_some() || index > 0);
        }
        choices
    });
    let field = sample::select(vec![CaptureField::Email, CaptureField::Phone]);
    let attribute = option::of("[a-z]{1,8}".prop_map(|name| name.parse().unwrap()));
    prop_oneof![
        3 => (text(), option::of(card_id())).prop_map(|(text, next)| Body::Message { text, next }),
        3 => (text(), choices, attribute, option::of(card_id()))
            .prop_map(|(text, choices, attribute, next)| Body::Question { text, choices, attribute, next }),
        2 => (field, text(), any::<bool>(), option::of(card_id()))
            .prop_map(|(field, text, optional, next)| Body::Capture { field, text, optional, next }),
        1 => card_id().prop_map(|to| Body::Jump { to }),
        1 => option::of(text()).prop_map(|text| Body::End { text }),
    ]
}

/// Conversations that are read without problems.
pub(crate) fn conversation() -> impl Strategy<Value = Conversation> {
    let pages = proptest::collection::vec(sample::select(vec!["/", "/a*", "https://x.example/*", "*"]), 0..3);
    (
        text(),
        sample::select(vec![Kind::Dialogue, Kind::ConversationFlow]),
        sample::select(vec![Ui::Popup, Ui::Chatbot, Ui::Inline]),
        -9_i64..9,
        pages,
        proptest::collection::vec(body(), CARDS),
    )
        .prop_map(|(name, kind, ui, priority, pages, bodies)| {
            let end = Body::End { text: None };
            let cards = bodies
                .into_iter()
                .chain([end])
                .enumerate()
                .map(|(index, body)| Card { id: format!("c{index}").parse().unwrap(), body })
                .collect();
            let pages = pages.into_iter().map(|page| page.parse().unwrap()).collect();
            Conversation { schema: None, id: "generated".parse().unwrap(), name, kind, ui, priority, pages, cards }
        })
        .prop_filter("cards that circle for ever are refused by the reader", |conversation| {
            Conversation::read(&conversation.to_json()).is_ok()
        })
}

/// Whether some answers lead to an end, searched breadth first over the cards that wait.
pub(crate) fn end_within(document: &Conversation, progress: &Progress) -> bool {
    let start = match &progress.standing {
        Standing::Ended => return true,
        Standing::Offered => document.first(),
        Standing::At(card) => Some(card),
    };
    let mut queue: VecDeque<_> = start.into_iter().collect();
    let mut seen: Vec<&CardId> = vec![];
    while let Some(id) = queue.pop_front() {
        if seen.contains(&id) {
            continue;
        }
        seen.push(id);
        let card = match document.walk(Some(id)).stop {
            Stop::Ended(_) => return true,
            Stop::Lost => return false,
            Stop::Waits(card) => card,
        };
        let below = document.following(card, None);
        match &card.body {
            Body::Question { choices, next, .. } => {
                queue.extend(choices.iter().filter_map(|choice| choice.next.as_ref().or(next.as_ref()).or(below)));
            }
            Body::Capture { next, .. } => queue.extend(next.as_ref().or(below)),
            _ => return false,
        }
    }
    false
}

/// The published schema, compiled by a library that is not ours.
pub(crate) fn schema() -> &'static jsonschema::Validator {
    static SCHEMA: LazyLock<jsonschema::Validator> =
        LazyLock::new(|| jsonschema::validator_for(&serde_json::from_str(&schema::json()).unwrap()).unwrap());
    &SCHEMA
}
