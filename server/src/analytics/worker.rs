//! Counts the log as it grows.
//!
//! Up to where it has counted stands in the store, and moves in the transaction that adds what was counted: so each event counts once, whatever breaks, and
//! however many count at the same time. A page of events is a command; between two of them others have their turn.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use jiff::Timestamp;
use porchlight_domain::{conversation::Body, event::Event, id::SiteKey};
use tokio::time::MissedTickBehavior;

use super::tally::{Dimension, Figures, Known, Lookup, OTHER_PAGES, SPANS, SurveyKnown, adds, day_of, lookup, page_of, rating};
use crate::{
    settings::Settings,
    store::{Cell, Command, CountedTo, EventFilter, Failure, Logged, Store, StoreError, SubmissionRecord, Tx},
    visit::Documents,
};

/// How many events are counted in one command.
const PAGE: u32 = 500;
/// How many such pages are counted before figures are shown: what is left beyond them is for the background.
const PAGES_BEFORE_SHOWN: usize = 10;
/// The least time between two looks at the log: while much happens, much is counted at once.
const REST: Duration = Duration::from_secs(1);
/// How often it is looked at the log, if nothing was heard of it.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Counts the log.
#[derive(Debug, Clone)]
pub struct Counter {
    store: Store,
    documents: Documents,
    pages_limit: usize,
}

impl Counter {
    /// One that tells as many pages apart as the settings say.
    #[must_use]
    pub fn new(store: Store, settings: &Settings) -> Self {
        Self { store, documents: Documents::default(), pages_limit: settings.analytics_pages_limit }
    }

    /// Counts whatever comes, for ever.
    pub async fn run(self) {
        // From now on it hears of what it has not read.
        let mut log = self.store.hub().log();
        let mut rest = tokio::time::interval(REST);
        rest.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rest.tick().await;
            if let Err(error) = self.catch_up().await {
                tracing::error!(%error, "the log could not be counted");
            }
            // That nothing came is as good: another process may have written.
            let _ = tokio::time::timeout(LOOK_EVERY, log.changed()).await;
        }
    }

    /// Counts all that is there now.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        while !self.count_page().await? {}
        Ok(())
    }

    /// Counts what is there now, if it is not too much to wait for, so that figures show what was done just before. Gives up to when it has counted, if not
    /// all is.
    ///
    /// # Errors
    /// If the store fails.
    pub(crate) async fn before_shown(&self) -> Result<Option<Timestamp>, StoreError> {
        for _ in 0..PAGES_BEFORE_SHOWN {
            if self.count_page().await? {
                return Ok(None);
            }
        }
        Ok(Some(self.counted_to().await?.time))
    }

    async fn counted_to(&self) -> Result<CountedTo, StoreError> {
        self.store.look(Find).await.map_err(StoreError::from)
    }

    /// Counts a page of events. Whether it was the last there is.
    async fn count_page(&self) -> Result<bool, StoreError> {
        let from = self.counted_to().await?.position;
        let events = self.store.events(&EventFilter { after: from, limit: PAGE, ..EventFilter::default() }).await?.events;
        let Some(last) = events.last() else { return Ok(true) };
        let to = CountedTo { position: last.position, time: last.event.time };
        let is_last = events.len() < PAGE as usize;
        let count = Count { from, to, events, documents: self.documents.clone(), pages_limit: self.pages_limit };
        self.store.commit_in_turn(count).await.map_err(StoreError::from)?;
        Ok(is_last)
    }
}

struct Find;

impl Command for Find {
    type Done = CountedTo;
    type Refusal = std::convert::Infallible;

    async fn run(self, tx: &mut Tx<'_>) -> Result<CountedTo, Failure<Self::Refusal>> {
        Ok(tx.counted_to().await?)
    }
}

/// Counts events that follow a place in the log, unless they are counted.
struct Count {
    from: i64,
    to: CountedTo,
    events: Vec<Logged>,
    documents: Documents,
    pages_limit: usize,
}

impl Command for Count {
    type Done = ();
    type Refusal = std::convert::Infallible;

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<Self::Refusal>> {
        if tx.counted_to().await?.position != self.from {
            // Somebody else was faster.
            return Ok(());
        }
        // The events were read before this transaction: a visitor who was erased since then was on no page any more.
        let now = tx.pages_between(self.from, self.to.position).await?;
        let mut sums: BTreeMap<(i64, Cell), Figures> = BTreeMap::new();
        let mut pages = Pages { limit: self.pages_limit, told_apart: HashMap::new() };
        for Logged { position, event } in &self.events {
            let known = known(tx, &self.documents, *position, event).await?;
            let adds = adds(event, known);
            if let Some((chat, known)) = adds.chat {
                tx.put_chat_known(chat, known).await?;
            }
            if adds.figures.is_empty() {
                continue;
            }
            let day = day_of(event.time);
            let page = now.get(position).map_or("", String::as_str);
            let mut values =
                vec![(Dimension::All, String::new()), (Dimension::Page, pages.name(tx, &event.site, day, page_of(page)).await?)];
            values.extend(event.conversation.as_ref().map(|conversation| (Dimension::Conversation, conversation.to_string())));
            values.extend(adds.agent.map(|agent| (Dimension::Agent, agent.to_string())));
            for (dimension, value) in values {
                for span in SPANS {
                    let cell = (event.site.clone(), dimension, value.clone(), begin(day, span));
                    *sums.entry((span, cell)).or_default() += adds.figures;
                }
            }
        }
        for ((span, cell), figures) in &sums {
            tx.add_figures(cell, *span, figures).await?;
        }
        Ok(tx.put_counted_to(self.to).await?)
    }
}

/// The first day of the span that a day is in.
const fn begin(day: i64, span: i64) -> i64 {
    day.div_euclid(span) * span
}

/// What has to be looked up for an event.
async fn known(tx: &mut Tx<'_>, documents: &Documents, position: i64, event: &Event) -> Result<Known, StoreError> {
    let mut known = Known::default();
    match lookup(event) {
        Lookup::Nothing => {}
        Lookup::Given => {
            (known.gave, known.gave_address_now) = tx.gave_before(event.visitor, event.session, position).await?;
        }
        Lookup::Chat(chat) => known.chat = tx.chat_known(chat).await?,
        Lookup::Survey(chat) => {
            if let Some(record) = tx.survey_of(event.visitor, chat).await? {
                known.survey = Some(SurveyKnown { agent: record.agent, rating: rating_of(tx, documents, &record).await });
            }
        }
    }
    Ok(known)
}

/// The rating that a survey holds, by the scales of the form that was shown.
async fn rating_of(tx: &mut Tx<'_>, documents: &Documents, record: &SubmissionRecord) -> Option<i64> {
    // A form that cannot be read any more rates nothing; it must not hold up all that came after it.
    let document = documents.get(tx, &record.site, &record.conversation, record.version).await.ok()?;
    let Body::Form(form) = &document.card(&record.card)?.body else { return None };
    let scale = |name: &str| form.fields.iter().find(|field| field.name.as_str() == name).and_then(|field| field.field.scale());
    rating(record.answers.iter().map(|(name, value)| (value.clone(), scale(name.as_str()))))
}

/// Which pages are told apart: as many of the longest span as the setting says, the first that come.
struct Pages {
    limit: usize,
    told_apart: HashMap<(SiteKey, i64), HashSet<String>>,
}

impl Pages {
    /// What a page is called in the figures of a day.
    async fn name(&mut self, tx: &mut Tx<'_>, site: &SiteKey, day: i64, page: String) -> Result<String, StoreError> {
        let span = SPANS[SPANS.len() - 1];
        let key = (site.clone(), begin(day, span));
        if !self.told_apart.contains_key(&key) {
            let mut known = tx.values_of(site, Dimension::Page, span, key.1).await?;
            known.remove(OTHER_PAGES);
            self.told_apart.insert(key.clone(), known);
        }
        let known = self.told_apart.entry(key).or_default();
        if known.contains(&page) {
            return Ok(page);
        }
        if known.len() >= self.limit {
            return Ok(OTHER_PAGES.to_owned());
        }
        known.insert(page.clone());
        Ok(page)
    }
}
