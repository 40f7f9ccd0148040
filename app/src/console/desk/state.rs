//! What the desk knows.

use std::collections::BTreeMap;

use leptos::prelude::*;
use porchlight_domain::{
    id::{AnswerId, ChatId},
    session::{Author, Format, file_of},
};

use crate::console::wire::{Ask, ChatRow, Desk, Detail, Line, PhaseName, Told};

/// The lists of chats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Queue {
    Mine,
    Waiting,
    All,
    Ended,
    Missed,
}

impl Queue {
    pub(super) const ALL: [(Self, &'static str, &'static str); 5] = [
        (Self::Mine, "Mine", "mine"),
        (Self::Waiting, "Waiting", "waiting"),
        (Self::All, "All", "all"),
        (Self::Ended, "Ended", "ended"),
        (Self::Missed, "Missed", "missed"),
    ];

    /// Whether its chats are over, and fetched as they are looked at.
    pub(super) const fn is_past(self) -> bool {
        matches!(self, Self::Ended | Self::Missed)
    }
}

/// A message that the server has not confirmed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pending {
    pub(super) chat: ChatId,
    pub(super) message: AnswerId,
    pub(super) text: String,
    /// Why the server does not take it.
    pub(super) refused: Option<String>,
    /// The number it was last asked under.
    pub(super) asked: u32,
}

/// Texts that are being written, each in its chat.
pub(super) type Drafts = BTreeMap<ChatId, String>;

/// Keeps what is being written in a chat.
pub(super) fn keep(drafts: RwSignal<Drafts>, chat: ChatId, text: String) {
    drafts.update(|drafts| {
        if text.is_empty() {
            drafts.remove(&chat);
        } else {
            drafts.insert(chat, text);
        }
    });
}

/// The desk's state; copies share it.
#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    pub(super) desk: RwSignal<Desk>,
    pub(super) detail: RwSignal<Option<Detail>>,
    pub(super) queue: RwSignal<Queue>,
    /// The list that is fetched, of chats that are over or are searched for.
    pub(super) fetched: RwSignal<Vec<ChatRow>>,
    pub(super) next: RwSignal<Option<String>>,
    pub(super) total: RwSignal<u32>,
    /// Whether that list is on its way.
    pub(super) listing: RwSignal<bool>,
    pub(super) search: RwSignal<String>,
    pub(super) connected: RwSignal<bool>,
    /// Whether nobody can see the page: then nothing that comes is seen.
    pub(super) hidden: RwSignal<bool>,
    /// Whether the browser may be asked to tell of new chats (true) or refuses to (false); nothing if it does, or cannot.
    pub(super) notify: RwSignal<Option<bool>>,
    /// What is being written to visitors.
    pub(super) drafts: RwSignal<Drafts>,
    /// The notes that are being written.
    pub(super) notes: RwSignal<Drafts>,
    pub(super) typing: RwSignal<Option<ChatId>>,
    pub(super) pending: RwSignal<Vec<Pending>>,
    /// The name of the file that is on its way.
    pub(super) uploading: RwSignal<Option<String>>,
    /// What became of a transcript that was to be mailed, and of which chat.
    pub(super) mailed: RwSignal<Option<(ChatId, String)>>,
    pub(super) problem: RwSignal<Option<String>>,
    pub(super) about: RwSignal<bool>,
    /// The chat that is opened once the server has said that it is accepted, and the number that was asked under.
    #[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "on the server nothing is accepted"))]
    pub(super) accepting: RwSignal<Option<(u32, ChatId)>>,
    /// Counts up every second, for what runs out.
    pub(super) seconds: RwSignal<i64>,
}

#[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "on the server nothing is told"))]
impl State {
    pub(super) fn new(desk: Desk, selected: Option<Detail>) -> Self {
        let over = selected.as_ref().is_some_and(|detail| detail.row.phase == PhaseName::Ended);
        Self {
            desk: RwSignal::new(desk),
            detail: RwSignal::new(selected),
            queue: RwSignal::new(if over { Queue::Ended } else { Queue::All }),
            fetched: RwSignal::new(Vec::new()),
            next: RwSignal::new(None),
            total: RwSignal::new(0),
            listing: RwSignal::new(false),
            search: RwSignal::new(String::new()),
            connected: RwSignal::new(false),
            hidden: RwSignal::new(false),
            notify: RwSignal::new(None),
            drafts: RwSignal::new(Drafts::new()),
            notes: RwSignal::new(Drafts::new()),
            typing: RwSignal::new(None),
            pending: RwSignal::new(Vec::new()),
            uploading: RwSignal::new(None),
            mailed: RwSignal::new(None),
            problem: RwSignal::new(None),
            about: RwSignal::new(false),
            accepting: RwSignal::new(None),
            seconds: RwSignal::new(0),
        }
    }

    /// The chats of the list that is shown.
    pub(super) fn rows(self) -> Vec<ChatRow> {
        let queue = self.queue.get();
        if queue.is_past() || !self.search.with(String::is_empty) {
            return self.fetched.get();
        }
        self.desk.with(|desk| desk.chats.iter().filter(|row| is_in(row, queue)).cloned().collect())
    }

    /// Forgets the list that was fetched: another is wanted.
    pub(super) fn clear_list(self) {
        self.fetched.set(Vec::new());
        self.next.set(None);
        self.total.set(0);
    }

    /// The chats that are offered to the agent, the one that runs out next first.
    pub(super) fn offers(self) -> Vec<ChatRow> {
        let mut offers: Vec<ChatRow> =
            self.desk.with(|desk| desk.chats.iter().filter(|row| row.offer_until.is_some()).cloned().collect());
        offers.sort_by_key(|row| (row.offer_until, row.id));
        offers
    }

    pub(super) fn selected(self) -> Option<ChatId> {
        self.detail.with(|detail| detail.as_ref().map(|detail| detail.row.id))
    }

    /// Something of the chat that is shown; the default while none is.
    pub(super) fn of<T: Default>(self, get: impl FnOnce(&Detail) -> T) -> T {
        self.detail.with(|detail| detail.as_ref().map(get).unwrap_or_default())
    }

    /// Whether a chat is before the agent's eyes.
    fn is_watched(self, chat: ChatId) -> bool {
        self.selected() == Some(chat) && !self.hidden.get_untracked()
    }

    /// How many lines wait to be read, in all chats of the agent.
    pub(super) fn unread(self) -> u32 {
        self.desk.with(|desk| desk.chats.iter().filter(|row| row.mine).map(|row| row.unread).sum())
    }

    /// Takes what the server tells. Gives the chat whose lines have to be read again, if something was missed.
    pub(super) fn take(self, told: Told) -> Option<ChatId> {
        match told {
            Told::Desk(desk) => {
                self.desk.set(*desk);
                return self.selected();
            }
            Told::Chat(row) => self.changed(*row),
            Told::Gone { chat } => self.gone(chat),
            Told::Said { chat, lines } => return self.said(chat, lines),
            Told::Typing { chat } => self.typing.set(Some(chat)),
            Told::Seen { chat, number } => self.detail.update(|detail| {
                if let Some(detail) = detail.as_mut().filter(|detail| detail.row.id == chat) {
                    detail.seen = detail.seen.max(number);
                }
            }),
            Told::Colleague(colleague) => self.desk.update(|desk| {
                if desk.me.as_ref().is_some_and(|me| me.id == colleague.id) {
                    desk.me = Some(colleague.clone());
                }
                desk.colleagues.retain(|known| known.id != colleague.id);
                desk.colleagues.push(colleague);
            }),
            Told::Callbacks { waiting } => self.desk.update(|desk| desk.callbacks = waiting),
            Told::Done { id, .. } => self.pending.update(|pending| pending.retain(|one| one.asked != id)),
            Told::Refused { id, detail, .. } => {
                let mut known = false;
                self.pending.update(|pending| {
                    for one in pending.iter_mut().filter(|one| one.asked == id) {
                        one.refused = Some(detail.clone());
                        known = true;
                    }
                });
                if !known {
                    self.problem.set(Some(detail));
                }
            }
        }
        None
    }

    fn changed(self, mut row: ChatRow) {
        // What is watched is seen, whether or not the server has heard of it yet.
        if row.mine && self.is_watched(row.id) {
            row.unread = 0;
        }
        if self.selected() == Some(row.id) {
            self.detail.update(|detail| {
                if let Some(detail) = detail {
                    detail.row = row.clone();
                }
            });
        }
        self.fetched.update(|rows| rows.iter_mut().filter(|known| known.id == row.id).for_each(|known| *known = row.clone()));
        self.desk.update(|desk| {
            let at = desk.chats.iter().position(|known| known.id == row.id && known.changed_at == row.changed_at);
            match at {
                // That it was read, or filed, moves it nowhere.
                Some(at) if row.phase != PhaseName::Ended => desk.chats[at] = row,
                _ => {
                    desk.chats.retain(|known| known.id != row.id);
                    if row.phase != PhaseName::Ended {
                        desk.chats.insert(0, row);
                    }
                }
            }
        });
    }

    /// A chat is not there any more: nothing of it stays here, either.
    fn gone(self, chat: ChatId) {
        if self.selected() == Some(chat) {
            self.detail.set(None);
        }
        self.desk.update(|desk| desk.chats.retain(|row| row.id != chat));
        self.fetched.update(|rows| rows.retain(|row| row.id != chat));
        self.pending.update(|pending| pending.retain(|one| one.chat != chat));
        keep(self.drafts, chat, String::new());
        keep(self.notes, chat, String::new());
    }

    fn said(self, chat: ChatId, lines: Vec<Line>) -> Option<ChatId> {
        let (open, watched) = (self.selected() == Some(chat), self.is_watched(chat));
        self.desk.update(|desk| {
            let Some(at) = desk.chats.iter().position(|row| row.id == chat) else { return };
            let mut row = desk.chats.remove(at);
            // What the server had counted when it told of the chat is not counted again.
            let unseen = lines.iter().filter(|line| line.author == Author::Visitor && line.number > row.lines).count();
            if !watched {
                row.unread += u32::try_from(unseen).unwrap_or_default();
            }
            if let Some(last) = lines.last() {
                row.lines = row.lines.max(last.number);
                row.changed_at = row.changed_at.max(last.at);
            }
            let words = lines.iter().rev().filter(|line| line.format != Format::Notice);
            if let Some((text, format)) = words.filter_map(|line| Some((line.text.as_deref()?, line.format))).next() {
                row.last = if format == Format::File { file_of(text).1 } else { text }.chars().take(140).collect();
            }
            desk.chats.insert(0, row);
        });
        self.pending.update(|pending| pending.retain(|one| !lines.iter().any(|line| line.message == Some(one.message))));
        if self.typing.get_untracked() == Some(chat) {
            self.typing.set(None);
        }
        if !open {
            return None;
        }
        let mut missed = false;
        self.detail.update(|detail| {
            let Some(detail) = detail else { return };
            for line in lines {
                let last = detail.lines.last().map_or(0, |line| line.number);
                if line.number == last + 1 {
                    detail.lines.push(line);
                } else if line.number > last {
                    missed = true;
                }
            }
        });
        missed.then_some(chat)
    }

    /// Notes what a chat was filed under.
    pub(super) fn filed(self, chat: ChatId, tags: &[String]) {
        let file = |row: &mut ChatRow| {
            if row.id == chat {
                row.tags = tags.to_vec();
            }
        };
        self.desk.update(|desk| desk.chats.iter_mut().for_each(file));
        self.fetched.update(|rows| rows.iter_mut().for_each(file));
        self.detail.update(|detail| detail.iter_mut().for_each(|detail| file(&mut detail.row)));
    }

    pub(super) fn forget(self, message: AnswerId) {
        self.pending.update(|pending| pending.retain(|one| one.message != message));
    }
}

fn is_in(row: &ChatRow, queue: Queue) -> bool {
    match queue {
        Queue::Mine => row.mine,
        Queue::Waiting => matches!(row.phase, PhaseName::Queued | PhaseName::Offered),
        Queue::All => true,
        Queue::Ended | Queue::Missed => false,
    }
}

/// What is asked when a message is sent.
pub(super) fn say(pending: &Pending) -> Ask {
    Ask::Say { chat: pending.chat, message: pending.message, text: pending.text.clone() }
}
