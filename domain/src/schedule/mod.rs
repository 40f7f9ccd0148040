//! When somebody can be met.
//!
//! The hours are written as a clock on the agent's wall shows them; what is computed are moments. On the day of a clock change an hour that the
//! wall never shows is never offered, and one that it shows twice is offered twice: whoever shows it says which by its offset.

mod availability;
mod openings;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use jiff::{
    SignedDuration, Timestamp, ToSpan,
    civil::{Date, DateTime},
    tz::{Offset, TimeZone, TimeZoneDatabase},
};
use serde::{Deserialize, Serialize};

pub use availability::{Availability, BLOCKS_MAX, BadAvailability, Block, Hours, RANGE_MAX};
pub use openings::Openings;

/// The zones that were built in, each read once.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The time zone of an IANA name, if there is one.
#[must_use]
pub fn find_zone(name: &str) -> Option<TimeZone> {
    ZONES.get(name).ok()
}

/// The same; of a name that is not known, UTC.
#[must_use]
pub fn zone(name: &str) -> TimeZone {
    find_zone(name).unwrap_or(TimeZone::UTC)
}

/// The names of all zones, without those that are old names or none of a place, in their order.
#[must_use]
pub fn zone_names() -> Vec<String> {
    const PLACES: [&str; 10] =
        ["Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"];
    let of_place = |name: &str| name.split_once('/').is_some_and(|(area, _)| PLACES.contains(&area));
    let mut names: Vec<String> =
        ZONES.available().map(|name| name.to_string()).filter(|name| of_place(name) || name == "UTC").collect();
    names.sort_unstable();
    names
}

/// The most slots of one answer: what nobody could look through is not computed.
pub const SLOTS_MAX: usize = 10_000;

/// The hours in which an agent can be met, and how meetings are laid into them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The hours. Without any, nobody can be met.
    pub hours: Availability,
    /// How long a meeting takes, in minutes.
    pub duration: u16,
    /// How long before it nothing else may be, in minutes.
    pub before: u16,
    /// How long after it nothing else may be, in minutes.
    pub after: u16,
    /// How long beforehand a meeting is booked at least, in minutes.
    pub notice: u32,
    /// How many days ahead it may be booked, by the agent's calendar.
    pub horizon: u16,
    /// From one beginning to the next, in minutes.
    pub step: u16,
    /// The most meetings of a day of the agent's calendar.
    pub daily: Option<u16>,
}

/// From one moment to another, which is not part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// The first moment.
    pub start: Timestamp,
    /// The moment after the last.
    pub end: Timestamp,
}

impl Span {
    /// Whether the two share a moment.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    fn holds(&self, other: &Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// What stands in the way of meetings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// When the agent is busy: other calendars as they are, meetings with their [buffers](Schedule::occupied). They may overlap, in any order.
    pub busy: Vec<Span>,
    /// How many meetings each day of the agent's calendar has already.
    pub meetings: BTreeMap<Date, u16>,
}

/// A part of a zone's history in which its clocks are not changed.
struct Steady {
    span: Span,
    offset: Offset,
}

impl Schedule {
    /// What a meeting takes of the agent's time: itself, and its buffers.
    #[must_use]
    pub fn occupied(&self, meeting: Span) -> Span {
        Span { start: add(meeting.start, -i64::from(self.before)), end: add(meeting.end, i64::from(self.after)) }
    }

    /// The meetings that can begin within a span, in their order: at most [`SLOTS_MAX`].
    #[must_use]
    pub fn slots(&self, within: Span, taken: &Taken, now: Timestamp) -> Vec<Span> {
        let zone = self.hours.zone();
        let today = now.to_zoned(zone.clone()).date();
        let last_day = today.checked_add(i32::from(self.horizon).days()).unwrap_or(Date::MAX);
        let earliest = add(now, i64::from(self.notice)).max(within.start);
        if earliest >= within.end {
            return Vec::new();
        }
        // A meeting may run into the day after, and its day's hours be those of the day before.
        // Nothing is offered beyond the horizon, so nothing beyond it is looked at, however far is asked.
        let end = within.end.min(add(now, (i64::from(self.horizon) + 2) * 24 * 60));
        let (from, to) = (add(earliest, -MARGIN), add(end, MARGIN + i64::from(self.duration)));
        let steady = steady(&zone, Span { start: from, end: to });
        let first = from.to_zoned(zone.clone()).date().max(today.yesterday().unwrap_or(today));
        let last = to.to_zoned(zone.clone()).date().min(last_day.tomorrow().unwrap_or(last_day));
        let mut open = Vec::new();
        let mut begins = BTreeSet::new();
        let mut day = first;
        while day <= last {
            for hours in self.hours.said_of(day) {
                let full = self.daily.is_some_and(|most| taken.meetings.get(&day).copied().unwrap_or_default() >= most);
                let may_begin = !full && day >= today && day <= last_day;
                for part in &steady {
                    let wall = |minute: u16| moment(day, minute, part.offset);
                    let (Some(start), Some(end)) = (wall(hours.from), wall(hours.to)) else { continue };
                    let span = Span { start: start.max(part.span.start), end: end.min(part.span.end) };
                    if span.start >= span.end {
                        continue;
                    }
                    open.push(span);
                    let steps = (hours.from..hours.to).step_by(usize::from(self.step.max(1)));
                    begins.extend(
                        steps.filter(|_| may_begin).filter_map(wall).filter(|begin| span.start <= *begin && *begin < span.end),
                    );
                }
            }
            let Ok(next) = day.tomorrow() else { break };
            day = next;
        }
        let open = merged(open);
        let busy = merged(taken.busy.iter().copied().filter(|busy| busy.start < busy.end).collect());
        let duration = i64::from(self.duration);
        begins
            .range(earliest..within.end)
            .map(|begin| Span { start: *begin, end: add(*begin, duration) })
            .filter(|slot| around(&open, slot).any(|open| open.holds(slot)))
            .filter(|slot| {
                let occupied = self.occupied(*slot);
                !around(&busy, &occupied).any(|busy| busy.meets(&occupied))
            })
            .take(SLOTS_MAX)
            .collect()
    }

    /// The first meeting that can begin within a span.
    #[must_use]
    pub fn first(&self, within: Span, taken: &Taken, now: Timestamp) -> Option<Span> {
        let last = within.end.min(add(now, (i64::from(self.horizon) + 2) * 24 * 60));
        let mut start = within.start.max(now);
        // A week at a time: mostly the first has one.
        while start < last {
            let end = add(start, 7 * 24 * 60).min(last);
            if let Some(slot) = self.slots(Span { start, end }, taken, now).first() {
                return Some(*slot);
            }
            start = end;
        }
        None
    }

    /// The meeting that begins at a moment, if one can: exactly if it is among the [slots](Self::slots).
    #[must_use]
    pub fn slot_at(&self, start: Timestamp, taken: &Taken, now: Timestamp) -> Option<Span> {
        let end = start.checked_add(SignedDuration::from_millis(1)).unwrap_or(Timestamp::MAX);
        self.slots(Span { start, end }, taken, now).first().copied().filter(|slot| slot.start == start)
    }
}

/// How far around what is asked for hours are looked at, in minutes: a day, and what the clocks of any zone were ever changed by.
const MARGIN: i64 = 2 * 24 * 60;

fn add(moment: Timestamp, minutes: i64) -> Timestamp {
    let end = if minutes < 0 { Timestamp::MIN } else { Timestamp::MAX };
    moment.checked_add(SignedDuration::from_mins(minutes)).unwrap_or(end)
}

/// The moment at which a wall shows a minute of a day, where clocks are set by an offset.
fn moment(day: Date, minute: u16, offset: Offset) -> Option<Timestamp> {
    let wall: DateTime = day.at(0, 0, 0, 0).checked_add(SignedDuration::from_mins(i64::from(minute))).ok()?;
    offset.to_timestamp(wall).ok()
}

/// The parts of a span between the changes of a zone's clocks.
fn steady(zone: &TimeZone, span: Span) -> Vec<Steady> {
    let mut parts = Vec::new();
    let mut start = span.start;
    let mut offset = zone.to_offset(start);
    for change in zone.following(span.start) {
        let at = change.timestamp();
        if at >= span.end {
            break;
        }
        // Names change, too, and nothing of the clocks.
        if change.offset() != offset {
            parts.push(Steady { span: Span { start, end: at }, offset });
            (start, offset) = (at, change.offset());
        }
    }
    parts.push(Steady { span: Span { start, end: span.end }, offset });
    parts
}

/// The same moments, as spans that do not touch, in their order.
fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => merged.push(span),
        }
    }
    merged
}

/// Of spans that do not touch, in their order, those that may meet another.
fn around<'s>(spans: &'s [Span], other: &Span) -> impl Iterator<Item = &'s Span> {
    let first = spans.partition_point(|span| span.end <= other.start);
    let end = other.end;
    spans[first..].iter().take_while(move |span| span.start < end)
}
