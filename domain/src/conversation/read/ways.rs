//! Where cards lead.

use std::collections::{BTreeSet, HashMap};

use jsonc_parser::ast::Value;

use super::{
    Reader,
    fields::{nearest, place},
};
use crate::{
    conversation::{Body, Conversation, flow::Way},
    id::CardId,
};

impl Reader<'_> {
    /// Cards named twice, ways to cards that are not there, and cards from which no end can be reached.
    pub(super) fn check_ways(&mut self, conversation: &Conversation, root: &Value<'_>) {
        let mut positions: HashMap<&CardId, usize> = HashMap::new();
        for (index, card) in conversation.cards.iter().enumerate() {
            if let Some(first) = positions.get(&card.id) {
                let message = format!("/cards/{first} has the id \"{}\" already; ids are unique", card.id);
                self.problem_of(root, &format!("/cards/{index}/id"), message);
            } else {
                positions.insert(&card.id, index);
            }
        }
        // The ways that lead somewhere, turned round, to find what an end can be reached from.
        let mut sources: Vec<Vec<usize>> = vec![Vec::new(); conversation.cards.len()];
        let mut explained = vec![false; conversation.cards.len()];
        for (index, card) in conversation.cards.iter().enumerate() {
            // One that is never taken, as every choice has its own, should lead somewhere all the same.
            let never = card.body.next().filter(|id| !positions.contains_key(id));
            if let Some(id) = never {
                self.no_such_card(root, &format!("/cards/{index}/next"), id, &positions);
            }
            for (way, target) in conversation.ways(card) {
                let pointer = match way {
                    Way::Next => format!("/cards/{index}/next"),
                    Way::To => format!("/cards/{index}/to"),
                    Way::Fallback => format!("/cards/{index}/fallback"),
                    Way::Choice(choice) => format!("/cards/{index}/choices/{choice}/next"),
                    Way::Branch(branch) => format!("/cards/{index}/branches/{branch}/next"),
                };
                match target.map(|id| (id, positions.get(id))) {
                    Some((_, Some(to))) => sources[*to].push(index),
                    Some((id, None)) => {
                        self.no_such_card(root, &pointer, id, &positions);
                        explained[index] = true;
                    }
                    None => {
                        let message = "nothing follows the last card; give it a \"next\", or put a card of kind \"end\" below it";
                        self.problem_of(root, &pointer, message);
                        explained[index] = true;
                    }
                }
            }
        }
        let is_end = |index: &usize| matches!(conversation.cards[*index].body, Body::End { .. });
        let mut reached: Vec<usize> = (0..conversation.cards.len()).filter(|index| is_end(index) || explained[*index]).collect();
        let mut ends_from: BTreeSet<usize> = reached.iter().copied().collect();
        while let Some(index) = reached.pop() {
            reached.extend(sources[index].iter().copied().filter(|source| ends_from.insert(*source)));
        }
        for (index, card) in conversation.cards.iter().enumerate().filter(|(index, _)| !ends_from.contains(index)) {
            let message = format!("no way leads from card \"{}\" to an end; a visitor would go round for ever", card.id);
            self.problem_of(root, &format!("/cards/{index}"), message);
        }
        // A sub-flow is taken to ask something, which shows when it is put in; and what never ends was told already.
        let silent = |index: usize| {
            let body = &conversation.cards[index].body;
            !body.always_waits() && !matches!(body, Body::SubFlow { .. }) && ends_from.contains(&index)
        };
        for index in conversation.rounds(&silent) {
            let id = &conversation.cards[index].id;
            let message =
                format!("from card \"{id}\" a way leads back to it without a question; the bot would speak without end");
            self.problem_of(root, &format!("/cards/{index}"), message);
        }
    }

    fn problem_of(&mut self, root: &Value<'_>, pointer: &str, message: impl Into<String>) {
        self.problem(place(root, pointer), pointer, message);
    }

    /// Says that there is no such card, and which may have been meant.
    fn no_such_card(&mut self, root: &Value<'_>, pointer: &str, id: &CardId, known: &HashMap<&CardId, usize>) {
        let meant = nearest(id.as_str(), known.keys().map(|id| id.as_str()));
        let meant = meant.map_or(String::new(), |meant| format!("; did you mean \"{meant}\"?"));
        self.problem_of(root, pointer, format!("there is no card \"{id}\"{meant}"));
    }
}
