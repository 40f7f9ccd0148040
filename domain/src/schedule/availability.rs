//! The hours of a week, and the days that are otherwise: of an agent, a team, or a whole site.

use std::{collections::BTreeMap, fmt};

use jiff::{
    SignedDuration, Timestamp, ToSpan,
    civil::{Date, Time},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

use super::zone;
use crate::conversation::Day;

/// The most blocks of a week, and the most lines of other days.
pub const BLOCKS_MAX: usize = 50;
/// The most days that one line may close or open, such as a summer's holidays.
pub const RANGE_MAX: usize = 366;
/// How many days ahead it is looked when somebody opens again.
const LOOK_AHEAD: i64 = 400;

/// The hours of a week, with the days that have others. Without any block, every hour of a day that is not otherwise.
///
/// It is written as its lines are: `monday 09:00-17:00` for every Monday, `2026-12-24 09:00-12:00` or `2026-12-25 closed` for a day,
/// `2026-12-27..2026-12-31 closed` for several.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Availability {
    /// The IANA name of the time zone the hours are in; of a zone that is not known, UTC is taken.
    pub time_zone: String,
    /// The blocks of the week.
    pub blocks: Vec<Block>,
    /// Days that have other hours than their day of the week: a holiday has none.
    pub exceptions: BTreeMap<Date, Vec<Hours>>,
}

/// Availability as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    time_zone: String,
    #[serde(default)]
    hours: Vec<String>,
}

impl From<Availability> for Written {
    fn from(availability: Availability) -> Self {
        let hours = availability.in_words().lines().map(str::to_owned).collect();
        Self { time_zone: availability.time_zone, hours }
    }
}

impl TryFrom<Written> for Availability {
    type Error = BadAvailability;

    fn try_from(written: Written) -> Result<Self, BadAvailability> {
        let zone = if written.time_zone.is_empty() { "UTC" } else { written.time_zone.as_str() };
        Self::read(zone, &written.hours.join("\n"))
    }
}

/// Some hours of a day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// The day.
    pub day: Day,
    /// The minute of the day it begins, counted from midnight.
    pub from: u16,
    /// The minute before which it ends; 1440 is midnight.
    pub to: u16,
}

/// Some hours of a day, in minutes from midnight as the wall shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// The first minute.
    pub from: u16,
    /// The minute before which they end; 1440 is midnight.
    pub to: u16,
}

/// Hours are none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAvailability {
    /// The zone is unknown.
    #[error("expected the name of a time zone, such as Europe/Berlin, got {0:?}")]
    Zone(String),
    /// A line is not understood.
    #[error(
        "line {0}: expected a day and hours, such as \"monday 09:00-17:00\", \"2026-12-24 09:00-12:00\" or \"2026-12-25 closed\""
    )]
    Line(usize),
    /// A line names too many days, or none.
    #[error(
        "line {0}: expected a first and a last day at most {RANGE_MAX} days apart, such as \"2026-12-27..2026-12-31 closed\""
    )]
    Range(usize),
    /// There are too many.
    #[error("expected at most {BLOCKS_MAX} lines")]
    TooMany,
}

const MINUTES: u16 = 24 * 60;
const ALL_DAY: Hours = Hours { from: 0, to: MINUTES };

impl Availability {
    /// Reads hours as people write them, a line each.
    ///
    /// # Errors
    /// If the zone is unknown or a line is not understood.
    pub fn read(time_zone: &str, hours: &str) -> Result<Self, BadAvailability> {
        let name = time_zone.trim();
        super::find_zone(name).ok_or_else(|| BadAvailability::Zone(name.chars().take(80).collect()))?;
        let mut read = Self { time_zone: name.to_owned(), ..Self::default() };
        for (count, (index, line)) in hours.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).enumerate() {
            if count >= BLOCKS_MAX {
                return Err(BadAvailability::TooMany);
            }
            let (day, hours) = line.trim().split_once(char::is_whitespace).ok_or(BadAvailability::Line(index + 1))?;
            match Day::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(day)) {
                Some(day) => {
                    let Hours { from, to } = Hours::read(hours).ok_or(BadAvailability::Line(index + 1))?;
                    read.blocks.push(Block { day, from, to });
                }
                None => read.except(index + 1, day, hours.trim())?,
            }
        }
        Ok(read)
    }

    /// Takes a line of other days.
    fn except(&mut self, line: usize, days: &str, hours: &str) -> Result<(), BadAvailability> {
        // Strictly a day: what else the parser would take means nothing here.
        let day = |text: &str| text.parse::<Date>().ok().filter(|day| day.to_string() == text).ok_or(BadAvailability::Line(line));
        let (first, last) = match days.split_once("..") {
            Some((first, last)) => (day(first)?, day(last)?),
            None => (day(days)?, day(days)?),
        };
        let closed = hours.eq_ignore_ascii_case("closed");
        let hours = if closed { None } else { Some(Hours::read(hours).ok_or(BadAvailability::Line(line))?) };
        if last < first || first.checked_add(days_of(RANGE_MAX)).is_ok_and(|most| last >= most) {
            return Err(BadAvailability::Range(line));
        }
        let mut day = first;
        while day <= last {
            self.exceptions.entry(day).or_default().extend(hours);
            let Ok(next) = day.tomorrow() else { break };
            day = next;
        }
        Ok(())
    }

    /// The hours as people write them.
    #[must_use]
    pub fn in_words(&self) -> String {
        let line = |block: &Block| format!("{} {}\n", block.day.name(), Hours { from: block.from, to: block.to });
        let other = self.exceptions_in_words().into_iter().map(|line| line + "\n");
        self.blocks.iter().map(line).chain(other).collect()
    }

    /// The lines of the days that are otherwise, as people write them.
    #[must_use]
    pub fn exceptions_in_words(&self) -> Vec<String> {
        let mut words = Vec::new();
        // Days in a row that are closed are one line, as they were written.
        let mut closed: Option<(Date, Date)> = None;
        let line = |(first, last): (Date, Date)| {
            if first == last { format!("{first} closed") } else { format!("{first}..{last} closed") }
        };
        for (day, hours) in &self.exceptions {
            match closed {
                Some((first, last)) if hours.is_empty() && last.tomorrow().ok() == Some(*day) => closed = Some((first, *day)),
                _ => {
                    words.extend(closed.take().map(line));
                    closed = hours.is_empty().then_some((*day, *day));
                }
            }
            words.extend(hours.iter().map(|hours| format!("{day} {hours}")));
        }
        words.extend(closed.map(line));
        words
    }

    /// Its zone.
    #[must_use]
    pub fn zone(&self) -> TimeZone {
        zone(&self.time_zone)
    }

    /// The hours that were said of a day: of the day itself, or of its day of the week.
    #[must_use]
    pub fn said_of(&self, date: Date) -> Vec<Hours> {
        match self.exceptions.get(&date) {
            Some(hours) => hours.clone(),
            None => {
                let of_day = self.blocks.iter().filter(|block| block.day == Day::of(date));
                of_day.map(|block| Hours { from: block.from, to: block.to }).collect()
            }
        }
    }

    /// The hours of a day; where none were said of any day of the week, all of it.
    fn of(&self, date: Date) -> Vec<Hours> {
        if self.blocks.is_empty() && !self.exceptions.contains_key(&date) { vec![ALL_DAY] } else { self.said_of(date) }
    }

    /// Whether it is one of the hours. Of an hour that a clock change repeats, both are; one that it leaves out never comes.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        let local = now.to_zoned(self.zone());
        let minute = u16::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).unwrap_or_default();
        self.of(local.date()).iter().any(|hours| (hours.from..hours.to).contains(&minute))
    }

    /// When it next opens or closes: until then a switch by hand holds. Where it never does, nothing.
    #[must_use]
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let open = self.is_open(now);
        self.changes(now).find(|at| self.is_open(*at) != open)
    }

    /// When it next opens, if it is not open; nothing if that is more than a year away.
    #[must_use]
    pub fn next_opening(&self, now: Timestamp) -> Option<Timestamp> {
        if self.is_open(now) { Some(now) } else { self.next_change(now) }
    }

    /// The moments after another at which hours begin or end, in their order.
    fn changes(&self, now: Timestamp) -> impl Iterator<Item = Timestamp> {
        let zone = self.zone();
        let today = now.to_zoned(zone.clone()).date();
        // Without exceptions a week repeats itself; a week and a day, as a block of today may have passed already.
        let ahead = if self.exceptions.is_empty() { 8 } else { LOOK_AHEAD };
        (0..=ahead).flat_map(move |ahead| {
            let hours = today.checked_add(ahead.days()).map(|date| (date, self.of(date)));
            let mut moments: Vec<Timestamp> = hours.map_or_else(
                |_| Vec::new(),
                |(date, hours)| {
                    let minutes = hours.iter().flat_map(|hours| [hours.from, hours.to]);
                    minutes.filter_map(|minute| moment(date, minute, &zone)).filter(|moment| *moment > now).collect()
                },
            );
            moments.sort_unstable();
            moments
        })
    }
}

fn days_of(count: usize) -> jiff::Span {
    i64::try_from(count).unwrap_or(i64::from(u16::MAX)).days()
}

/// A time of a day, as an instant. One that a clock change leaves out is the first after it.
fn moment(date: Date, minute: u16, zone: &TimeZone) -> Option<Timestamp> {
    let (date, minute) =
        if minute == MINUTES { (date.checked_add(SignedDuration::from_hours(24)).ok()?, 0) } else { (date, minute) };
    let time = Time::new(i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?, 0, 0).ok()?;
    zone.to_ambiguous_zoned(date.to_datetime(time)).compatible().ok().map(|zoned| zoned.timestamp())
}

impl Hours {
    /// Reads `09:00-17:00`.
    fn read(text: &str) -> Option<Self> {
        let (from, to) = text.trim().split_once(['-', '–'])?;
        let minute = |text: &str| {
            let (hour, minute) = text.trim().split_once(':')?;
            let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
            Some(hour * 60 + minute).filter(|total| hour <= 24 && minute < 60 && *total <= MINUTES)
        };
        let (from, to) = (minute(from)?, minute(to)?);
        (from < to).then_some(Self { from, to })
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}-{:02}:{:02}", self.from / 60, self.from % 60, self.to / 60, self.to % 60)
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
            ("UTC", "2026-12-25", Some(1)),
            ("UTC", "2026-13-25 closed", Some(1)),
            ("UTC", "2026-12-25T10:00 closed", Some(1)),
            ("UTC", "2026-12-25 shut", Some(1)),
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
    fn other_days_are_read_and_written() {
        let text = "friday 09:00-17:00\n2026-12-24 09:00-12:00\n2026-12-24 14:00-15:00\n2026-12-25..2026-12-27 closed\n2026-12-31 closed\n";
        let hours = Availability::read("Europe/London", text).unwrap();
        assert_eq!(hours.in_words(), text);
        assert_eq!(hours.exceptions.len(), 5);
        let json = serde_json::to_string(&hours).unwrap();
        assert!(
            json.starts_with(r#"{"time_zone":"Europe/London","hours":["friday 09:00-17:00","2026-12-24 09:00-12:00""#),
            "{json}"
        );
        assert_eq!(serde_json::from_str::<Availability>(&json).unwrap(), hours);
        // Two closings in a row are one.
        let two = Availability::read("UTC", "2026-12-25 closed\n2026-12-26 closed").unwrap();
        assert_eq!(two.in_words(), "2026-12-25..2026-12-26 closed\n");
        for (text, error) in [
            ("2026-12-25..2026-12-24 closed", BadAvailability::Range(1)),
            ("2026-01-01..2027-01-02 closed", BadAvailability::Range(1)),
            ("2026-12-25.. closed", BadAvailability::Line(1)),
        ] {
            assert_eq!(Availability::read("UTC", text), Err(error), "{text}");
        }
        assert!(Availability::read("UTC", "2026-01-01..2027-01-01 closed").is_ok(), "a year is allowed");
        assert!(
            serde_json::from_str::<Availability>(r#"{"time_zone":"Mars"}"#).unwrap_err().to_string().contains("Europe/Berlin")
        );
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

    #[test]
    fn a_holiday_is_closed_and_opens_after_it() {
        let hours =
            Availability::read("UTC", "monday 09:00-12:00\nmonday 12:00-17:00\n2026-12-28 closed\n2026-12-29 10:00-11:00")
                .unwrap();
        assert_eq!(hours.next_change(at("2026-12-21T09:00:00Z")), Some(at("2026-12-21T17:00:00Z")), "blocks that meet are one");
        assert!(!hours.is_open(at("2026-12-28T10:00:00Z")));
        assert_eq!(hours.next_opening(at("2026-12-21T17:00:00Z")), Some(at("2026-12-29T10:00:00Z")));
        assert_eq!(hours.next_opening(at("2026-12-29T10:30:00Z")), Some(at("2026-12-29T10:30:00Z")), "it is open");
        // Without hours of the week, every day but the holiday is open.
        let always = Availability::read("UTC", "2026-12-25 closed").unwrap();
        assert!(always.is_open(at("2026-12-24T23:59:00Z")) && !always.is_open(at("2026-12-25T00:00:00Z")));
        assert_eq!(always.next_change(at("2026-11-01T00:00:00Z")), Some(at("2026-12-25T00:00:00Z")));
        assert_eq!(always.next_opening(at("2026-12-25T12:00:00Z")), Some(at("2026-12-26T00:00:00Z")));
        let never = Availability::read("UTC", "2026-12-01..2027-12-01 closed\nmonday 00:00-00:01").unwrap();
        assert_eq!(never.next_opening(at("2026-12-02T00:00:00Z")), Some(at("2027-12-06T00:00:00Z")));
    }
}
