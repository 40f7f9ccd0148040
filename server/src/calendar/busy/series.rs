//! Series: rules by which events repeat, and what of them does not take place.

use std::collections::HashSet;

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime, Time},
    tz::{Offset, TimeZone},
};

use super::{
    BadFeed,
    line::Line,
    time::{Clock, DAY, Length, When, moment, written},
};

/// The work of reading a rule.
pub(super) const RULE_WORK: u64 = 50;
/// The work of a rule that finds nothing more: its own limit is 100,000 steps without a time.
pub(super) const VAIN_WORK: u64 = 500_000;
/// How many times a day a rule may name. Above it a single step would make millions of them.
pub(super) const TIMES_MAX: usize = 96;
/// What of a series does not take place, or not as the rule says.
#[derive(Default)]
pub(super) struct Skipped {
    pub(super) moments: HashSet<Timestamp>,
    pub(super) days: HashSet<Date>,
}

impl Skipped {
    /// Adds a time. Of a series of days it is a day, however it is written.
    pub(super) fn add(&mut self, when: &When, start: &When) {
        if !when.day && !start.day {
            self.moments.insert(when.moment());
        } else if when.wall.time() == Time::midnight() {
            self.days.insert(when.wall.date());
        } else {
            self.days.insert(start.zone.to_datetime(when.moment()).date());
        }
    }

    pub(super) fn has(&self, zone: &TimeZone, wall: DateTime) -> bool {
        self.days.contains(&wall.date()) || self.moments.contains(&moment(zone, wall))
    }
}

/// An event that repeats.
pub(super) struct Series {
    pub(super) start: When,
    pub(super) length: Length,
    pub(super) skipped: Skipped,
}

/// How often a rule repeats something, without its interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frequency {
    Hourly,
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

impl Frequency {
    /// Its shortest period in seconds, and the work of a step.
    pub(super) const fn measure(self) -> (i64, u64) {
        match self {
            Self::Hourly => (3600, 1),
            Self::Daily => (DAY, 1),
            Self::Weekly => (7 * DAY, 1),
            Self::Monthly => (28 * DAY, 4),
            Self::Yearly => (365 * DAY, 30),
        }
    }
}

/// A rule (RFC 5545 §3.3.10), in two parts: where it ends, which is seen to here, and the rest, for the crate that knows about
/// weeks of years and last Fridays.
pub(super) struct Rule {
    pub(super) rest: String,
    pub(super) frequency: Frequency,
    pub(super) interval: i64,
    pub(super) count: Option<u32>,
    /// The last time that may be, on the wall of the series.
    pub(super) until: Option<DateTime>,
}

impl Rule {
    pub(super) fn read(line: &Line, start: &When) -> Result<Self, BadFeed> {
        // The crate slices what it reads without asking where characters begin.
        if !line.value.is_ascii() {
            return Err(line.bad_rule("it has characters that no rule has"));
        }
        let (mut frequency, mut interval, mut count, mut until, mut times) = (None, 1, None, None, 1_usize);
        let mut rest = Vec::new();
        for part in line.value.split(';').filter(|part| !part.trim().is_empty()) {
            let (name, value) = part.split_once('=').ok_or_else(|| line.bad_rule("a part of it has no value"))?;
            let (name, value) = (name.trim().to_ascii_uppercase(), value.trim().to_ascii_uppercase());
            let bad = || line.bad_rule(&format!("{name}={value}"));
            if value.is_empty() {
                continue;
            }
            match name.as_str() {
                "FREQ" => {
                    frequency = Some(match value.as_str() {
                        "HOURLY" => Frequency::Hourly,
                        "DAILY" => Frequency::Daily,
                        "WEEKLY" => Frequency::Weekly,
                        "MONTHLY" => Frequency::Monthly,
                        "YEARLY" => Frequency::Yearly,
                        _ => return Err(bad()),
                    });
                }
                "INTERVAL" => interval = value.parse::<u16>().ok().filter(|interval| *interval > 0).ok_or_else(bad)?,
                "COUNT" => {
                    count = Some(value.parse::<u32>().map_err(|_| bad())?);
                    continue;
                }
                "UNTIL" => {
                    until = Some(Self::until(&value, start).ok_or_else(bad)?);
                    continue;
                }
                "BYHOUR" | "BYMINUTE" | "BYSECOND" => times = times.saturating_mul(value.split(',').count()),
                // RFC 7529: as if it were not there.
                "RSCALE" if value == "GREGORIAN" => continue,
                "SKIP" if value == "OMIT" => continue,
                _ => {}
            }
            rest.push(format!("{name}={value}"));
        }
        if times > TIMES_MAX {
            return Err(line.bad_rule("it names too many times a day"));
        }
        let frequency = frequency.ok_or_else(|| line.bad_rule("it does not say how often"))?;
        Ok(Self { rest: rest.join(";"), frequency, interval: i64::from(interval), count, until })
    }

    /// The end of a rule as the series' clocks show it. Many write a day where a time has to be: then the whole day is meant.
    pub(super) fn until(value: &str, start: &When) -> Option<DateTime> {
        let (wall, clock) = written(value)?;
        Some(match clock {
            Clock::Day if !start.day => DateTime::from_parts(wall.date(), Time::new(23, 59, 59, 0).ok()?),
            Clock::Utc => start.zone.to_datetime(Offset::UTC.to_timestamp(wall).ok()?),
            Clock::Day | Clock::Wall => wall,
        })
    }

    /// A time from which the rule can be followed as from its start, at least one period before another.
    pub(super) fn near(&self, start: DateTime, other: DateTime) -> DateTime {
        let months = match self.frequency {
            Frequency::Yearly => 12 * self.interval,
            Frequency::Monthly => self.interval,
            Frequency::Hourly | Frequency::Daily | Frequency::Weekly => {
                let period = self.frequency.measure().0 * self.interval;
                let periods = other.duration_since(start).as_secs() / period - 1;
                let passed = SignedDuration::from_secs(periods.max(0) * period);
                return start.checked_add(passed).unwrap_or(start);
            }
        };
        let month = |wall: DateTime| i64::from(wall.year()) * 12 + i64::from(wall.month()) - 1;
        let mut periods = (month(other) - month(start)) / months - 1;
        // Not every month has a 31st, nor every year a 29th of February; the rule goes by the day it starts on.
        while periods > 0 {
            let sum = month(start) + periods * months;
            let day = match (i16::try_from(sum.div_euclid(12)), i8::try_from(sum.rem_euclid(12) + 1)) {
                (Ok(year), Ok(month)) => Date::new(year, month, start.day()).ok(),
                _ => None,
            };
            if let Some(day) = day {
                return DateTime::from_parts(day, start.time());
            }
            periods -= 1;
        }
        start
    }

    /// The work of getting from one time to the next.
    pub(super) fn work(&self, from: DateTime, to: DateTime) -> u64 {
        let (period, weight) = self.frequency.measure();
        let steps = to.duration_since(from).as_secs() / (period * self.interval);
        (u64::try_from(steps).unwrap_or_default() + 1) * weight
    }
}
