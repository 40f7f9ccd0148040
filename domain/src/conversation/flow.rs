//! Where a conversation goes from a card.

use std::collections::{BTreeSet, HashMap};

use super::{Body, Card, Conversation, IfKnown, Purpose};
use crate::id::CardId;

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

    /// The card after a card that has one way on besides its choices and branches.
    #[must_use]
    pub fn after<'a>(&'a self, card: &'a Card) -> Option<&'a CardId> {
        match &card.body {
            Body::Jump { to } => Some(to),
            Body::End { .. } => None,
            _ => self.following(card, card.body.next()),
        }
    }

    /// The card after a choice of a question, counted from 0.
    #[must_use]
    pub fn after_choice<'a>(&'a self, card: &'a Card, choice: usize) -> Option<&'a CardId> {
        match &card.body {
            Body::Question(question) => question.choices.get(choice).and_then(|choice| choice.next.as_ref()),
            _ => None,
        }
        .or_else(|| self.after(card))
    }

    /// The card after one that could not do what it offers: no agent, no time, nobody who calls.
    #[must_use]
    pub fn after_fallback<'a>(&'a self, card: &'a Card) -> Option<&'a CardId> {
        card.body.fallback().or_else(|| self.after(card))
    }

    /// The cards from which a way leads back to them by silent cards alone, one for each round that is found.
    pub(crate) fn rounds(&self, silent: &dyn Fn(usize) -> bool) -> BTreeSet<usize> {
        let positions: HashMap<_, _> = self.cards.iter().enumerate().rev().map(|(index, card)| (&card.id, index)).collect();
        // Depth first, with a mark for what is still on the way: who meets such a one has gone round.
        let mut state = vec![Visit::New; self.cards.len()];
        let mut rounds = BTreeSet::new();
        for start in 0..self.cards.len() {
            let mut stack = vec![(start, false)];
            while let Some((index, done)) = stack.pop() {
                if done {
                    state[index] = Visit::Done;
                    continue;
                }
                if state[index] != Visit::New || !silent(index) {
                    continue;
                }
                state[index] = Visit::OnTheWay;
                stack.push((index, true));
                for (_, target) in self.ways(&self.cards[index]) {
                    let Some(to) = target.and_then(|id| positions.get(id)).copied().filter(|to| silent(*to)) else { continue };
                    if state[to] == Visit::OnTheWay {
                        rounds.insert(to);
                    }
                    stack.push((to, false));
                }
            }
        }
        rounds
    }

    /// Every way on from a card: the field that names it, and where it leads.
    pub(crate) fn ways<'a>(&'a self, card: &'a Card) -> Vec<(Way, Option<&'a CardId>)> {
        let after = (Way::Next, self.after(card));
        match &card.body {
            Body::Jump { to } => vec![(Way::To, Some(to))],
            Body::End { .. } => vec![],
            // With several chosen, no single choice decides.
            Body::Question(question) if question.choices.iter().any(|choice| choice.next.is_some()) => {
                (0..question.choices.len())
                    .map(|index| match &question.choices[index].next {
                        Some(next) => (Way::Choice(index), Some(next)),
                        None => after,
                    })
                    .collect()
            }
            Body::Condition { branches, .. } => {
                let ways = branches.iter().enumerate().map(|(index, branch)| (Way::Branch(index), Some(&branch.next)));
                ways.chain([after]).collect()
            }
            body => {
                let fallback = body.fallback().map(|fallback| (Way::Fallback, Some(fallback)));
                [after].into_iter().chain(fallback).collect()
            }
        }
    }
}

impl Body {
    /// The card it names as the one that follows.
    #[must_use]
    pub fn next(&self) -> Option<&CardId> {
        match self {
            Self::Question(question) => question.next.as_ref(),
            Self::Capture(capture) => capture.next.as_ref(),
            Self::Document(document) => document.next.as_ref(),
            Self::LiveChat(live) => live.next.as_ref(),
            Self::Meeting(meeting) => meeting.next.as_ref(),
            Self::Callback(callback) => callback.next.as_ref(),
            Self::Call(call) => call.next.as_ref(),
            Self::Form(form) => form.next.as_ref(),
            Self::Message { next, .. }
            | Self::Goal { next, .. }
            | Self::Condition { next, .. }
            | Self::Set { next, .. }
            | Self::SubFlow { next, .. } => next.as_ref(),
            Self::Jump { .. } | Self::End { .. } => None,
        }
    }

    /// The card it names for when it cannot do what it offers.
    #[must_use]
    pub fn fallback(&self) -> Option<&CardId> {
        match self {
            Self::LiveChat(live) => live.fallback.as_ref(),
            Self::Meeting(meeting) => meeting.fallback.as_ref(),
            Self::Callback(callback) => callback.fallback.as_ref(),
            Self::Call(call) => call.fallback.as_ref(),
            _ => None,
        }
    }

    /// Whether the visitor is always asked here: a capture that skips what is known may ask nothing.
    #[must_use]
    pub fn always_waits(&self) -> bool {
        match self {
            Self::Question(_) | Self::Document(_) => true,
            // Without a chat there is no survey.
            Self::Form(form) => form.purpose == Purpose::Contact,
            Self::Capture(capture) => capture.if_known == IfKnown::Ask,
            _ => false,
        }
    }

    /// Every place where it names another card.
    pub(super) fn targets(&mut self) -> Vec<&mut CardId> {
        match self {
            Self::Question(question) => {
                question.choices.iter_mut().filter_map(|choice| choice.next.as_mut()).chain(question.next.as_mut()).collect()
            }
            Self::Capture(capture) => capture.next.as_mut().into_iter().collect(),
            Self::Document(document) => document.next.as_mut().into_iter().collect(),
            Self::LiveChat(live) => live.next.as_mut().into_iter().chain(live.fallback.as_mut()).collect(),
            Self::Meeting(meeting) => meeting.next.as_mut().into_iter().chain(meeting.fallback.as_mut()).collect(),
            Self::Callback(callback) => callback.next.as_mut().into_iter().chain(callback.fallback.as_mut()).collect(),
            Self::Call(call) => call.next.as_mut().into_iter().chain(call.fallback.as_mut()).collect(),
            Self::Form(form) => form.next.as_mut().into_iter().collect(),
            Self::Condition { branches, next } => {
                branches.iter_mut().map(|branch| &mut branch.next).chain(next.as_mut()).collect()
            }
            Self::Message { next, .. } | Self::Goal { next, .. } | Self::Set { next, .. } | Self::SubFlow { next, .. } => {
                next.as_mut().into_iter().collect()
            }
            Self::Jump { to } => vec![to],
            Self::End { .. } => vec![],
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    New,
    OnTheWay,
    Done,
}

/// Which field of a card names a way on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Next,
    To,
    Choice(usize),
    Branch(usize),
    Fallback,
}
