//! Where a conversation goes from a card.

use super::{Body, Card, Conversation};
use crate::id::CardId;

/// Where a walk stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop<'a> {
    /// A card waits for the visitor.
    Waits(&'a Card),
    /// The end of the conversation was reached.
    Ended(&'a Card),
    /// There is no way on. A document that was read without problems never stops here.
    Lost,
}

/// What the bot says until it waits or ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walk<'a> {
    /// The cards that speak, in order, with what they say.
    pub said: Vec<(&'a CardId, &'a str)>,
    /// Where it stopped.
    pub stop: Stop<'a>,
}

impl Conversation {
    /// The first card.
    #[must_use]
    pub fn first(&self) -> Option<&CardId> {
        self.cards.first().map(|card| &card.id)
    }

    /// The card that follows a card which names `next`, or nothing.
    #[must_use]
    pub fn following<'a>(&'a self, card: &Card, next: Option<&'a CardId>) -> Option<&'a CardId> {
        next.or_else(|| self.cards.get(self.position(&card.id)? + 1).map(|below| &below.id))
    }

    /// Speaks from a card on, until a card waits for the visitor or the conversation ends.
    ///
    /// No card is passed twice, so this ends for any document.
    #[must_use]
    pub fn walk<'a>(&'a self, from: Option<&'a CardId>) -> Walk<'a> {
        let mut said = Vec::new();
        let mut at = from;
        for _ in 0..=self.cards.len() {
            let Some(card) = at.and_then(|id| self.position(id)).map(|index| &self.cards[index]) else { break };
            match &card.body {
                Body::Message { text, next } => {
                    said.push((&card.id, text.as_str()));
                    at = self.following(card, next.as_ref());
                }
                Body::Jump { to } => at = Some(to),
                Body::Question { text, .. } | Body::Capture { text, .. } => {
                    said.push((&card.id, text.as_str()));
                    return Walk { said, stop: Stop::Waits(card) };
                }
                Body::End { text } => {
                    said.extend(text.as_deref().map(|text| (&card.id, text)));
                    return Walk { said, stop: Stop::Ended(card) };
                }
            }
        }
        Walk { said, stop: Stop::Lost }
    }

    /// Every way on from a card: the card that names it within the body, and where it leads.
    pub(crate) fn ways<'a>(&'a self, card: &'a Card) -> Vec<(Way, Option<&'a CardId>)> {
        match &card.body {
            Body::Message { next, .. } | Body::Capture { next, .. } => vec![(Way::Next, self.following(card, next.as_ref()))],
            Body::Jump { to } => vec![(Way::To, Some(to))],
            Body::End { .. } => vec![],
            Body::Question { choices, next, .. } => {
                let otherwise = self.following(card, next.as_ref());
                choices
                    .iter()
                    .enumerate()
                    .map(|(index, choice)| (Way::Choice(index), choice.next.as_ref().or(otherwise)))
                    .collect()
            }
        }
    }
}

/// Which field of a card names a way on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Next,
    To,
    Choice(usize),
}
