//! When an agent takes chats.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Time},
    tz::{TimeZone, TimeZoneDatabase},
};
use serde::{Deserialize, Serialize};

use crate::conversation::Day;

/// The most blocks of a week.
pub const BLOCKS_MAX: usize = 50;

/// The hours of a week in which an agent takes chats; without any, they always do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Availability {
    /// The IANA name of the time zone the hours are in; of a zone that is not known, UTC is taken.
    pub time_zone: String,
    /// The blocks.
    pub blocks: Vec<Block>,
}

/// Some hours of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// The day.
    pub day: Day,
    /// The minute of the day it begins, counted from midnight.
    pub from: u16,
    /// The minute before which it ends; 1440 is midnight.
    pub to: u16,
}

/// Hours are none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAvailability {
    /// The zone is unknown.
    #[error("expected the name of a time zone, such as Europe/Berlin, got {0:?}")]
    Zone(String),
    /// A line is not understood.
    #[error("line {0}: expected a day and hours, such as \"monday 09:00-17:00\"")]
    Line(usize),
    /// There are too many.
    #[error("expected at most {BLOCKS_MAX} lines")]
    TooMany,
}

const MINUTES: u16 = 24 * 60;

impl Availability {
    /// Reads hours as people write them: a line each, as `monday 09:00-17:00`.
    ///
    /// # Errors
    /// If the zone is unknown or a line is not understood.
    pub fn read(time_zone: &str, hours: &str) -> Result<Self, BadAvailability> {
        let zone = time_zone.trim();
        TimeZoneDatabase::bundled().get(zone).map_err(|_| BadAvailability::Zone(zone.chars().take(80).collect()))?;
        let mut blocks = Vec::new();
        for (index, line) in hours.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            blocks.push(Block::read(line).ok_or(BadAvailability::Line(index + 1))?);
            if blocks.len() > BLOCKS_MAX {
                return Err(BadAvailability::TooMany);
            }
        }
        Ok(Self { time_zone: zone.to_owned(), blocks })
    }

    /// The hours as people write them.
    #[must_use]
    pub fn in_words(&self) -> String {
        let time = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        let line = |block: &Block| format!("{} {}-{}\n", block.day.name(), time(block.from), time(block.to));
        self.blocks.iter().map(line).collect()
    }

    fn zone(&self) -> TimeZone {
        TimeZoneDatabase::bundled().get(&self.time_zone).unwrap_or(TimeZone::UTC)
    }

    /// Whether it is one of the hours. Of an hour that a clock change repeats, both are; one that it leaves out never comes.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        if self.blocks.is_empty() {
            return true;
        }
        let local = now.to_zoned(self.zone());
        let minute = u16::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).unwrap_or_default();
        let day = Day::of(local.date());
        self.blocks.iter().any(|block| block.day == day && (block.from..block.to).contains(&minute))
    }

    /// When a block next begins or ends: until then a switch by hand holds. Without blocks, never.
    #[must_use]
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let zone = self.zone();
        let today = now.to_zoned(zone.clone()).date();
        let mut next: Option<Timestamp> = None;
        // A week and a day: a block of today may have passed already.
        for ahead in 0..=8 {
            let Ok(date) = today.checked_add(SignedDuration::from_hours(24 * ahead)) else { break };
            let of_day = self.blocks.iter().filter(|block| block.day == Day::of(date));
            let moments = of_day.flat_map(|block| [block.from, block.to]).filter_map(|minute| moment(date, minute, &zone));
            next = moments.filter(|moment| *moment > now).chain(next).min();
            if next.is_some() {
                break;
            }
        }
        next
    }
}

/// A time of a day, as an instant. One that a clock change leaves out is the first after it.
fn moment(date: Date, minute: u16, zone: &TimeZone) -> Option<Timestamp> {
    let (date, minute) = if minute == MINUTES { (date.tomorrow().ok()?, 0) } else { (date, minute) };
    let time = Time::new(i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?, 0, 0).ok()?;
    zone.to_ambiguous_zoned(date.to_datetime(time)).compatible().ok().map(|zoned| zoned.timestamp())
}

impl Block {
    fn read(line: &str) -> Option<Self> {
        let (day, hours) = line.trim().split_once(char::is_whitespace)?;
        let day = Day::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(day))?;
        let (from, to) = hours.trim().split_once(['-', '–'])?;
        let minute = |text: &str| {
            let (hour, minute) = text.trim().split_once(':')?;
            let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
            Some(hour * 60 + minute).filter(|total| hour <= 24 && minute < 60 && *total <= MINUTES)
        };
        let (from, to) = (minute(from)?, minute(to)?);
        (from < to).then_some(Self { day, from, to })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn hours_are_read_and_written() {
        let hours = Availability::read("Europe/Berlin", "Monday 09:00-17:00\n\n sunday 00:00-24:00").unwrap();
        assert_eq!(hours.in_words(), "monday 09:00-17:00\nsunday 00:00-24:00\n");
        for (zone, text, line) in [
            ("UTC", "monday", Some(1)),
            ("UTC", "monday 9-17", Some(1)),
            ("UTC", "\nmonday 17:00-09:00", Some(2)),
            ("UTC", "moonday 09:00-17:00", Some(1)),
            ("UTC", "monday 09:00-24:01", Some(1)),
            ("Mars/Olympus", "", None),
        ] {
            let error = Availability::read(zone, text).unwrap_err();
            assert_eq!(if let BadAvailability::Line(line) = error { Some(line) } else { None }, line, "{text}");
        }
        let line = "monday 09:00-17:00\n";
        assert!(Availability::read("UTC", &line.repeat(BLOCKS_MAX)).is_ok());
        assert_eq!(Availability::read("UTC", &line.repeat(BLOCKS_MAX + 1)), Err(BadAvailability::TooMany));
    }

    #[test]
    fn hours_are_those_of_the_zone_on_days_of_a_clock_change_too() {
        let hours = Availability::read("Europe/Berlin", "sunday 02:00-03:00\nmonday 09:00-17:00").unwrap();
        // The hour from two to three does not exist on 29 March 2026, and comes twice on 25 October.
        assert!(!hours.is_open(at("2026-03-29T00:59:59Z")) && !hours.is_open(at("2026-03-29T01:00:00Z")));
        assert!(hours.is_open(at("2026-10-25T00:30:00Z")) && hours.is_open(at("2026-10-25T01:30:00Z")));
        assert!(!hours.is_open(at("2026-10-25T02:00:00Z")));
        assert!(hours.is_open(at("2026-11-23T08:00:00Z")) && !hours.is_open(at("2026-11-23T16:00:00Z")));
        assert_eq!(hours.next_change(at("2026-11-23T08:00:00Z")), Some(at("2026-11-23T16:00:00Z")));
        assert_eq!(hours.next_change(at("2026-11-23T16:00:00Z")), Some(at("2026-11-29T01:00:00Z")));
        assert!(Availability::default().is_open(at("2026-11-23T16:00:00Z")));
        assert_eq!(Availability::default().next_change(at("2026-11-23T16:00:00Z")), None);
    }
}
