//! Sub-flows: the cards of other conversations, put in the place of the cards that run them.
//!
//! A version that is published holds all its cards, so that a visitor stays on the version they began with, sub-flows included, and
//! the engine needs no stack. A card of a sub-flow is named after the card that runs it: `contact.email`.

use super::{Body, Card, Conversation, Text, limits};
use crate::id::{CardId, ConversationId};

/// Why a sub-flow cannot be put in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct BadLink {
    /// The place of the card that runs it, in the conversation that was to be linked.
    pub card: usize,
    /// What is wrong.
    pub why: String,
}

impl Conversation {
    /// The conversation with the cards of its sub-flows in it, which `find` gives by their ids.
    ///
    /// # Errors
    /// If one is not there, runs itself, or there are too many cards.
    pub fn linked<'a>(&'a self, find: &dyn Fn(&ConversationId) -> Option<&'a Self>) -> Result<Self, BadLink> {
        let mut cards = Vec::new();
        for (index, card) in self.cards.iter().enumerate() {
            self.put(card, &mut cards, &mut vec![&self.id], find).map_err(|why| BadLink { card: index, why })?;
        }
        let linked = Self { cards, ..self.clone() };
        // What asks nothing may do so in a sub-flow only as long as the whole does not go round.
        if let Some(round) = linked.rounds(&|index| !linked.cards[index].body.always_waits()).first() {
            let id = &linked.cards[*round].id;
            let card = self.cards.iter().position(|card| id == &card.id || id.is_within(&card.id)).unwrap_or_default();
            let why = format!("from card \"{id}\" a way leads back to it without a question; the bot would speak without end");
            return Err(BadLink { card, why });
        }
        Ok(linked)
    }

    fn put<'a>(
        &'a self,
        card: &'a Card,
        cards: &mut Vec<Card>,
        within: &mut Vec<&'a ConversationId>,
        find: &dyn Fn(&ConversationId) -> Option<&'a Self>,
    ) -> Result<(), String> {
        if cards.len() >= limits::LINKED_CARDS {
            return Err(format!("with its sub-flows the conversation has more than {} cards", limits::LINKED_CARDS));
        }
        let Body::SubFlow { conversation, .. } = &card.body else {
            cards.push(card.clone());
            return Ok(());
        };
        if within.contains(&conversation) {
            return Err(format!("the conversation \"{conversation}\" would run itself for ever"));
        }
        let inner = find(conversation).ok_or_else(|| format!("there is no conversation \"{conversation}\" in this site"))?;
        let (Some(first), Some(back)) = (inner.first(), self.after(card)) else {
            return Err(format!("nothing follows the sub-flow \"{conversation}\""));
        };
        cards.push(Card { id: card.id.clone(), body: Body::Jump { to: first.within(&card.id) } });
        within.push(&inner.id);
        for part in &inner.cards {
            let mut put = Vec::new();
            inner.put(part, &mut put, within, find)?;
            for part in put {
                let part = part.brought(&card.id, back, inner, self);
                if !part.id.is_valid() {
                    return Err(format!("sub-flows run sub-flows too deep: the name \"{}\" is too long", part.id));
                }
                cards.push(part);
            }
            if cards.len() > limits::LINKED_CARDS {
                return Err(format!("with its sub-flows the conversation has more than {} cards", limits::LINKED_CARDS));
            }
        }
        within.pop();
        Ok(())
    }
}

impl Card {
    /// This card as a part of a sub-flow: under its new name, going back where the flow would end, its texts still in its own language.
    fn brought(mut self, by: &CardId, back: &CardId, from: &Conversation, to: &Conversation) -> Self {
        self.id = self.id.within(by);
        for target in self.body.targets() {
            *target = target.within(by);
        }
        self.body = match self.body {
            Body::End { text: Some(text) } => Body::Message { text, next: Some(back.clone()) },
            Body::End { text: None } => Body::Jump { to: back.clone() },
            body => body,
        };
        if from.locale != to.locale {
            for text in self.body.texts() {
                let named = text.all().find(|(tag, _)| tag.is_none()).map(|(_, text)| (from.locale.clone(), text.to_owned()));
                if let Some(named) = named.and_then(|named| Text::per_locale([named]).ok()) {
                    *text = named;
                }
            }
        }
        self
    }
}

impl Body {
    fn texts(&mut self) -> Vec<&mut Text> {
        match self {
            Self::Message { text, .. } => vec![text],
            Self::Question(question) => {
                question.choices.iter_mut().map(|choice| &mut choice.label).chain([&mut question.text]).collect()
            }
            Self::Capture(capture) => {
                let choices = capture.choices.iter_mut().map(|choice| &mut choice.label);
                choices.chain([&mut capture.text]).chain(capture.label.as_mut()).collect()
            }
            Self::Document(document) => vec![&mut document.text, &mut document.title],
            Self::LiveChat(live) => live.text.as_mut().into_iter().chain(live.fallback_text.as_mut()).collect(),
            Self::Meeting(meeting) => {
                let more = meeting.location.as_mut().into_iter().chain(meeting.fallback_text.as_mut());
                more.chain([&mut meeting.text, &mut meeting.title]).collect()
            }
            Self::Callback(callback) => callback.fallback_text.as_mut().into_iter().chain([&mut callback.text]).collect(),
            Self::Call(call) => call.fallback_text.as_mut().into_iter().chain([&mut call.text]).collect(),
            Self::Form(form) => {
                let of_fields = form.fields.iter_mut().flat_map(|field| {
                    let choices = field.choices.iter_mut().map(|choice| &mut choice.label);
                    let more = field.pattern_message.as_mut().into_iter().chain(field.consent.as_mut());
                    choices.chain(more).chain([&mut field.label])
                });
                of_fields.chain(form.submit.as_mut()).chain([&mut form.text]).collect()
            }
            Self::End { text } => text.as_mut().into_iter().collect(),
            Self::Goal { .. } | Self::Condition { .. } | Self::Set { .. } | Self::Jump { .. } | Self::SubFlow { .. } => vec![],
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn conversation(id: &str, locale: &str, cards: Value) -> Conversation {
        let json = json!({ "id": id, "name": id, "locale": locale, "cards": cards });
        Conversation::read(&json.to_string()).unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    fn link(all: &[Conversation]) -> Result<Conversation, BadLink> {
        all[0].linked(&|id| all.iter().find(|conversation| conversation.id == *id))
    }

    /// What a conversation says, as ids and where they lead.
    fn cards(conversation: &Conversation) -> Vec<String> {
        let target = |card: &Card| match &card.body {
            Body::Jump { to } => format!(" -> {to}"),
            body => body.next().map_or(String::new(), |next| format!(" => {next}")),
        };
        conversation.cards.iter().map(|card| format!("{}{}", card.id, target(card))).collect()
    }

    #[test]
    fn a_sub_flow_stands_in_the_place_of_its_card() {
        let main = conversation(
            "main",
            "en",
            json!([
                { "id": "hi", "card": "message", "text": "Hi" },
                { "id": "who", "card": "subFlow", "conversation": "contact" },
                { "id": "ask", "card": "question", "text": "Again?", "choices": [{ "label": "Yes", "next": "who" }, { "label": "No" }] },
                { "id": "end", "card": "end" }
            ]),
        );
        let contact = conversation(
            "contact",
            "en",
            json!([
                { "id": "name", "card": "capture", "field": "name", "text": "Name?" },
                { "id": "mail", "card": "subFlow", "conversation": "mail", "next": "thanks" },
                { "id": "gone", "card": "end" },
                { "id": "thanks", "card": "end", "text": "Thanks" }
            ]),
        );
        let mail = conversation(
            "mail",
            "en",
            json!([
                { "id": "mail", "card": "capture", "field": "email", "text": "Mail?", "next": "mail2" },
                { "id": "mail2", "card": "end" }
            ]),
        );
        let linked = link(&[main, contact, mail]).unwrap();
        assert_eq!(
            cards(&linked),
            [
                "hi",
                "who -> who.name",
                "who.name",
                "who.mail -> who.mail.mail",
                "who.mail.mail => who.mail.mail2",
                "who.mail.mail2 -> who.thanks",
                "who.gone -> ask",
                "who.thanks => ask",
                "ask",
                "end",
            ]
        );
        assert!(
            matches!(&linked.card(&"who.thanks".parse().unwrap()).unwrap().body, Body::Message { .. }),
            "an end's text is said"
        );
        assert_eq!(linked.linked(&|_| None), Ok(linked.clone()));
    }

    #[test]
    fn texts_stay_in_the_language_they_were_written_in() {
        let main = conversation(
            "main",
            "en",
            json!([
                { "id": "run", "card": "subFlow", "conversation": "flow" }, { "id": "end", "card": "end" }
            ]),
        );
        let cards = json!([
            { "id": "say", "card": "message", "text": "Hallo" },
            { "id": "ask", "card": "question", "text": { "en": "Well?", "de": "Na?" }, "choices": [{ "label": "Ja" }] },
            { "id": "end", "card": "end" }
        ]);
        let linked = link(&[main.clone(), conversation("flow", "de", cards.clone())]).unwrap();
        let json = serde_json::to_value(&linked).unwrap();
        assert_eq!(json["cards"][1]["text"], json!({ "de": "Hallo" }));
        assert_eq!(json["cards"][2]["text"], json!({ "en": "Well?", "de": "Na?" }));
        let Body::Question(question) = &linked.cards[2].body else { panic!() };
        assert_eq!((linked.say(&question.choices[0].label, "en"), question.choices[0].value()), ("Ja", "Ja"));

        let same = link(&[main, conversation("flow", "en", cards)]).unwrap();
        assert_eq!(serde_json::to_value(&same).unwrap()["cards"][1]["text"], "Hallo");
    }

    #[test]
    fn what_cannot_be_put_in_is_told_with_its_card() {
        let runs = |id: &str, other: &str| {
            conversation(
                id,
                "en",
                json!([
                    { "id": "hi", "card": "message", "text": "Hi" },
                    { "id": "run", "card": "subFlow", "conversation": other },
                    { "id": "end", "card": "end" }
                ]),
            )
        };
        for (all, expected) in [
            (vec![runs("a", "b")], "there is no conversation \"b\" in this site"),
            (vec![runs("a", "a")], "the conversation \"a\" would run itself for ever"),
            (vec![runs("a", "b"), runs("b", "a")], "the conversation \"a\" would run itself for ever"),
            (vec![runs("a", "b"), runs("b", "b")], "the conversation \"b\" would run itself for ever"),
            (vec![runs("a", "b"), runs("b", "c")], "there is no conversation \"c\" in this site"),
        ] {
            let error = link(&all).unwrap_err();
            assert_eq!((error.card, error.why.as_str()), (1, expected));
        }
    }

    #[test]
    fn a_conversation_may_run_another_twice() {
        let main = conversation(
            "main",
            "en",
            json!([
                { "id": "one", "card": "subFlow", "conversation": "flow" },
                { "id": "two", "card": "subFlow", "conversation": "flow" },
                { "id": "end", "card": "end" }
            ]),
        );
        let flow =
            conversation("flow", "en", json!([{ "id": "hi", "card": "message", "text": "Hi" }, { "id": "end", "card": "end" }]));
        let linked = link(&[main, flow]).unwrap();
        assert_eq!(
            cards(&linked),
            ["one -> one.hi", "one.hi", "one.end -> two", "two -> two.hi", "two.hi", "two.end -> end", "end"]
        );
    }

    #[test]
    fn a_round_through_a_sub_flow_needs_a_question() {
        let main = conversation(
            "main",
            "en",
            json!([
                { "id": "hi", "card": "message", "text": "Hi" },
                { "id": "run", "card": "subFlow", "conversation": "flow" },
                { "id": "if", "card": "condition", "branches": [{ "if": { "attribute": "a", "known": true }, "next": "end" }], "next": "run" },
                { "id": "end", "card": "end" }
            ]),
        );
        let flow = |card: Value| conversation("flow", "en", json!([card, { "id": "end", "card": "end" }]));
        let asks = flow(json!({ "id": "c", "card": "capture", "field": "name", "text": "Name?" }));
        assert!(link(&[main.clone(), asks]).is_ok());
        for silent in [
            json!({ "id": "c", "card": "message", "text": "Hi" }),
            json!({ "id": "c", "card": "capture", "field": "name", "text": "Name?", "ifKnown": "skip" }),
        ] {
            let error = link(&[main.clone(), flow(silent)]).unwrap_err();
            assert_eq!((error.card, error.why.contains("without a question")), (1, true), "{error}");
        }
    }

    #[test]
    fn the_whole_is_not_too_large() {
        let flow = |id: &str, count: usize, run: Option<&str>| {
            let run = run.map(|run| json!({ "card": "subFlow", "conversation": run }));
            let card = run.unwrap_or_else(|| json!({ "card": "message", "text": "x" }));
            let cards = (1..count).map(|n| {
                let mut card = card.clone();
                card["id"] = format!("c{n}").into();
                card
            });
            conversation(id, "en", cards.chain([json!({ "id": "end", "card": "end" })]).collect())
        };
        // Each of the cards of main becomes a jump and the three of the flow, and the end stays.
        let most = (limits::LINKED_CARDS - 1) / 4;
        assert!(
            link(&[flow("main", most + 1, Some("flow")), flow("flow", 3, None)]).unwrap().cards.len() <= limits::LINKED_CARDS
        );
        let error = link(&[flow("main", 401, Some("flow")), flow("flow", 4, None)]).unwrap_err();
        assert_eq!(error.why, "with its sub-flows the conversation has more than 2000 cards");
        // Five levels of 500 each would be more cards than there are stars.
        let levels: Vec<_> =
            (0..5).map(|n| flow(&format!("f{n}"), 500, Some(&format!("f{}", n + 1)))).chain([flow("f5", 500, None)]).collect();
        assert!(link(&levels).is_err());
    }

    #[test]
    fn names_do_not_become_too_long_to_be_read_again() {
        let long = "x".repeat(64);
        let chain = |depth: usize| -> Vec<_> {
            let flow = |n: usize| {
                conversation(
                    &format!("f{n}"),
                    "en",
                    json!([
                        { "id": long, "card": "subFlow", "conversation": format!("f{}", n + 1) }, { "id": "end", "card": "end" }
                    ]),
                )
            };
            let last = conversation(&format!("f{depth}"), "en", json!([{ "id": long, "card": "end" }]));
            (0..depth).map(flow).chain([last]).collect()
        };
        let linked = link(&chain(6)).unwrap();
        assert!(linked.cards.iter().all(|card| card.id.as_str().parse::<CardId>().is_ok()));
        let error = link(&chain(8)).unwrap_err();
        assert!(error.why.contains("too deep"), "{error}");
    }
}
