//! What is shown of the figures: of a time, with names, rates and funnels.

use std::collections::HashMap;

use jiff::{
    SignedDuration, Timestamp, ToSpan,
    civil::{Date, date},
};
use porchlight_domain::{
    conversation::{Body, Card, Conversation, Text, markup},
    id::{CardId, ConversationId, SiteKey},
};

use super::tally::{Dimension, Figure, Figures, Run, day_of, runs};
use crate::{
    store::{CardCount, StoreError, Tx},
    visit::Documents,
};

/// How many days are looked at if nothing is said.
const USUAL_DAYS: i32 = 30;
/// The most days that are looked at: ten years.
const DAYS_MAX: i64 = 3660;
/// The day that has the number 0.
const FIRST_DAY: Date = date(1970, 1, 1);
/// The calendar goes less than so many days back from there, and forth.
const DAYS_KNOWN: i64 = 4_500_000;
/// How much is shown of what a card says, in characters.
const SAYS_MAX: usize = 120;

/// A time that is looked at, in days of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Period {
    /// The first day.
    pub(crate) first: Date,
    /// The last day.
    pub(crate) last: Date,
}

/// Why two texts are no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadPeriod {
    /// One of them is no day.
    #[error("{field}: expected a day such as 2026-11-26, got {got:?}")]
    Day {
        /// Which.
        field: &'static str,
        /// What it says, cut to 80 characters.
        got: String,
    },
    /// The last is before the first.
    #[error("to: expected a day that is not before the first")]
    Order,
    /// It is too long.
    #[error("to: expected at most {DAYS_MAX} days")]
    TooLong,
}

impl BadPeriod {
    /// Which of them is at fault.
    pub(crate) const fn field(&self) -> &'static str {
        match self {
            Self::Day { field, .. } => field,
            Self::Order | Self::TooLong => "to",
        }
    }
}

/// The day of a number, as [`day_of`] numbers them.
pub(crate) fn date_of(number: i64) -> Date {
    // As far from there as the calendar goes, and a little beyond.
    FIRST_DAY.saturating_add(SignedDuration::from_hours(number.clamp(-DAYS_KNOWN, DAYS_KNOWN) * 24))
}

/// The number of a day.
pub(crate) fn number_of(day: Date) -> i64 {
    // By the calendar alone: its outermost days begin or end at no moment that could be named.
    day.duration_since(FIRST_DAY).as_hours() / 24
}

impl Period {
    /// The days that end today.
    pub(crate) fn until(now: Timestamp, days: i32) -> Self {
        let last = date_of(day_of(now));
        Self { first: last.saturating_sub((days - 1).days()), last }
    }

    /// Reads the first and the last day; what is empty is as usual.
    pub(crate) fn read(from: &str, to: &str, now: Timestamp) -> Result<Self, BadPeriod> {
        let day = |field: &'static str, text: &str, usual: Date| {
            if text.is_empty() {
                return Ok(usual);
            }
            text.parse().map_err(|_| BadPeriod::Day { field, got: text.chars().take(80).collect() })
        };
        let last = day("to", to, date_of(day_of(now)))?;
        let first = day("from", from, last.saturating_sub((USUAL_DAYS - 1).days()))?;
        let period = Self { first, last };
        match period.days() {
            ..=0 => Err(BadPeriod::Order),
            days if days > DAYS_MAX => Err(BadPeriod::TooLong),
            _ => Ok(period),
        }
    }

    /// How many days it has.
    pub(crate) fn days(self) -> i64 {
        let (first, before) = self.bounds();
        before - first
    }

    /// The numbers of the first day and of the one after the last.
    pub(crate) fn bounds(self) -> (i64, i64) {
        (number_of(self.first), number_of(self.last) + 1)
    }

    /// What it is read from.
    pub(crate) fn runs(self) -> Vec<Run> {
        let (first, before) = self.bounds();
        runs(first, before)
    }

    /// The time of the same length before it.
    pub(crate) fn before(self) -> Self {
        let (first, before) = self.bounds();
        Self { first: date_of(first - (before - first)), last: date_of(first - 1) }
    }
}

/// A part of a whole; of nothing there is none.
pub(crate) fn share(part: i64, whole: i64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    let share = (whole > 0).then(|| part as f64 / whole as f64);
    share
}

impl Figures {
    /// Of the conversations that were shown, those that got a response.
    pub(crate) fn engagement_rate(&self) -> Option<f64> {
        share(self[Figure::Engaged], self[Figure::Triggered])
    }

    /// Of the conversations that got a response, those that came to an end.
    pub(crate) fn completion_rate(&self) -> Option<f64> {
        share(self[Figure::Completed], self[Figure::Engaged])
    }

    /// Of the conversations that got a response, those that got an address.
    pub(crate) fn conversion_rate(&self) -> Option<f64> {
        share(self[Figure::Acquired], self[Figure::Engaged])
    }

    /// How long a visitor waited for an agent on average, in milliseconds.
    pub(crate) fn mean_wait(&self) -> Option<f64> {
        share(self[Figure::Waited], self[Figure::Waits])
    }

    /// How long an agent took to write on average, in milliseconds.
    pub(crate) fn mean_answer(&self) -> Option<f64> {
        share(self[Figure::Answering], self[Figure::Answers])
    }

    /// What surveys rate on average, from 0 to 100.
    pub(crate) fn mean_rating(&self) -> Option<f64> {
        share(self[Figure::Rating], self[Figure::Rated]).map(|rating| rating / 100.0)
    }
}

/// The figures of one of what is told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Which: a conversation's or an agent's id, or a page.
    pub(crate) value: String,
    /// What it is called.
    pub(crate) name: String,
    pub(crate) figures: Figures,
}

/// The figures of all together.
pub(crate) async fn all(tx: &mut Tx<'_>, site: &SiteKey, period: Period) -> Result<Figures, StoreError> {
    let mut all = tx.figures_of(site, Dimension::All, &period.runs()).await?;
    Ok(all.remove("").unwrap_or_default())
}

/// The figures of each of what is told apart, by name.
pub(crate) async fn lines(
    tx: &mut Tx<'_>,
    documents: &Documents,
    site: &SiteKey,
    dimension: Dimension,
    period: Period,
) -> Result<Vec<Line>, StoreError> {
    let sums = tx.figures_of(site, dimension, &period.runs()).await?;
    let names = match dimension {
        Dimension::Agent => tx.agents().await?.into_iter().map(|agent| (agent.id.to_string(), agent.name)).collect(),
        Dimension::Conversation => names(tx, documents, site, &sums).await?,
        Dimension::All | Dimension::Page => HashMap::new(),
    };
    let mut lines: Vec<Line> = sums
        .into_iter()
        .map(|(value, figures)| Line { name: names.get(&value).unwrap_or(&value).clone(), value, figures })
        .collect();
    lines.sort_by(|one, other| (&one.name, &one.value).cmp(&(&other.name, &other.value)));
    Ok(lines)
}

/// What conversations are called now.
async fn names(
    tx: &mut Tx<'_>,
    documents: &Documents,
    site: &SiteKey,
    sums: &HashMap<String, Figures>,
) -> Result<HashMap<String, String>, StoreError> {
    let published: HashMap<ConversationId, u32> =
        tx.published(site).await?.into_iter().map(|published| (published.conversation, published.version)).collect();
    let mut names = HashMap::new();
    for id in sums.keys() {
        let Ok(conversation) = id.parse::<ConversationId>() else { continue };
        let version = match published.get(&conversation) {
            Some(version) => Some(*version),
            None => tx.versions(site, &conversation).await?.first().map(|newest| newest.version),
        };
        if let Some(version) = version {
            names.insert(id.clone(), documents.get(tx, site, &conversation, version).await?.name.clone());
        }
    }
    Ok(names)
}

/// How visitors came through a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Funnel {
    /// What it is called.
    pub(crate) name: String,
    /// Its versions, the newest first.
    pub(crate) versions: Vec<u32>,
    /// Its cards that say something, in the order of the document.
    pub(crate) cards: Vec<FunnelCard>,
    /// Cards that are not in the document any more, together.
    pub(crate) removed: Option<CardTotals>,
}

/// How visitors came through a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FunnelCard {
    pub(crate) card: CardId,
    /// What kind of card it is, as documents name it.
    pub(crate) kind: &'static str,
    /// What it says, cut short.
    pub(crate) says: String,
    pub(crate) totals: CardTotals,
}

/// What is counted of a card.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CardTotals {
    /// Visitors who came to it for the first time.
    pub(crate) reached: i64,
    /// Visitors who answered it for the first time.
    pub(crate) answered: i64,
    /// Visitors who came to it last, and are there still.
    pub(crate) waiting: i64,
}

impl CardTotals {
    fn add(&mut self, count: &CardCount) {
        self.reached += count.reached;
        self.answered += count.answered;
        self.waiting += count.waiting;
    }
}

impl Funnel {
    /// What shares are of: how many reached the card that most have reached; as a rule that is the first.
    pub(crate) fn most(&self) -> i64 {
        self.cards.iter().map(|card| card.totals.reached).max().unwrap_or_default()
    }
}

/// The kind of a card, and what it says; nothing, if it says nothing.
fn spoken(body: &Body) -> Option<(&'static str, Option<&Text>)> {
    match body {
        Body::Message { text, .. } => Some(("message", Some(text))),
        Body::Question(question) => Some(("question", Some(&question.text))),
        Body::Capture(capture) => Some(("capture", Some(&capture.text))),
        Body::Document(document) => Some(("document", Some(&document.text))),
        Body::Form(form) => Some(("form", Some(&form.text))),
        Body::LiveChat(live) => Some(("liveChat", live.text.as_ref())),
        Body::Meeting(meeting) => Some(("meeting", Some(&meeting.text))),
        Body::Callback(callback) => Some(("callback", Some(&callback.text))),
        Body::Call(call) => Some(("call", Some(&call.text))),
        Body::End { text } => text.as_ref().map(|text| ("end", Some(text))),
        Body::Goal { .. } | Body::Condition { .. } | Body::Set { .. } | Body::Jump { .. } | Body::SubFlow { .. } => None,
    }
}

fn card_of(document: &Conversation, card: &Card) -> Option<FunnelCard> {
    let (kind, text) = spoken(&card.body)?;
    let said = text.map(|text| markup::plain(document.say(text, "en"))).unwrap_or_default();
    let mut says: String = said.chars().take(SAYS_MAX).collect();
    if says.len() < said.len() {
        says.push('…');
    }
    Some(FunnelCard { card: card.id.clone(), kind, says, totals: CardTotals::default() })
}

/// How visitors came through a conversation, in one version if it is named; nothing, if there was never such a conversation, or no such version.
pub(crate) async fn funnel(
    tx: &mut Tx<'_>,
    documents: &Documents,
    site: &SiteKey,
    conversation: &ConversationId,
    version: Option<u32>,
    period: Period,
) -> Result<Option<Funnel>, StoreError> {
    let versions: Vec<u32> = tx.versions(site, conversation).await?.into_iter().map(|known| known.version).collect();
    let shown = match version {
        Some(wanted) => versions.iter().find(|known| **known == wanted),
        None => versions.first(),
    };
    let Some(shown) = shown else { return Ok(None) };
    let document = documents.get(tx, site, conversation, *shown).await?;
    let mut cards: Vec<FunnelCard> = document.cards.iter().filter_map(|card| card_of(&document, card)).collect();
    let mut removed: Option<CardTotals> = None;
    for count in tx.funnel(site, conversation, version, period.bounds()).await? {
        match cards.iter_mut().find(|card| card.card == count.card) {
            Some(card) => card.totals.add(&count),
            None => removed.get_or_insert_default().add(&count),
        }
    }
    Ok(Some(Funnel { name: document.name.clone(), versions, cards, removed }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-21T23:59:59.999Z".parse().unwrap()
    }

    fn period(from: &str, to: &str) -> Period {
        Period::read(from, to, now()).unwrap()
    }

    #[test]
    fn a_time_is_its_days_in_utc() {
        let usual = period("", "");
        assert_eq!(
            (usual.first.to_string(), usual.last.to_string(), usual.days()),
            ("2026-10-23".into(), "2026-11-21".into(), 30)
        );
        assert_eq!(usual, Period::until(now(), 30));
        let day = period("2026-03-01", "2026-03-01");
        assert_eq!((day.days(), day.before()), (1, period("2026-02-28", "2026-02-28")));
        let year = period("2024-01-01", "2024-12-31");
        assert_eq!((year.days(), year.before()), (366, period("2022-12-31", "2023-12-31")));
        assert_eq!(date_of(number_of(year.first)), year.first);
        assert_eq!(period("", "2026-01-31").first.to_string(), "2026-01-02", "the days before the last");
    }

    #[test]
    fn the_outermost_days_have_numbers_of_their_own() {
        for (day, number) in [
            (date(1970, 1, 1), 0),
            (date(1969, 12, 31), -1),
            (date(2026, 11, 21), 20_778),
            (Date::MAX, 2_932_896),
            (Date::MIN, -4_371_587),
        ] {
            assert_eq!((number_of(day), date_of(number)), (number, day), "{day}");
        }
        assert_eq!((date_of(i64::MAX), date_of(i64::MIN)), (Date::MAX, Date::MIN));
        let last = period("9999-12-31", "9999-12-31");
        assert_eq!((last.days(), last.before()), (1, period("9999-12-30", "9999-12-30")));
        assert_eq!(Period::read("-009999-01-01", "9999-12-31", now()), Err(BadPeriod::TooLong));
    }

    #[test]
    fn what_is_no_time_names_its_field() {
        for (from, to, field) in [
            ("yesterday", "", "from"),
            ("", "2026-02-30", "to"),
            ("2026-11-22", "2026-11-21", "to"),
            ("2016-11-13", "2026-11-21", "to"),
        ] {
            assert_eq!(Period::read(from, to, now()).unwrap_err().field(), field, "{from} {to}");
        }
        assert_eq!(period("2016-11-14", "2026-11-21").days(), DAYS_MAX);
    }

    #[test]
    fn rates_of_nothing_are_none() {
        let figures = Figures::default().and(Figure::Triggered, 8).and(Figure::Engaged, 4).and(Figure::Acquired, 1);
        assert_eq!((figures.engagement_rate(), figures.conversion_rate()), (Some(0.5), Some(0.25)));
        assert_eq!(
            (figures.completion_rate(), Figures::default().engagement_rate(), figures.mean_wait()),
            (Some(0.0), None, None)
        );
    }
}
