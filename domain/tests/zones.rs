//! Every zone, and every change of its clocks from 2000 to 2037: the slots around it are those of an independent judge.
//!
//! The judge is chrono-tz, with tables and arithmetic of its own. Of every quarter of an hour it is asked what clocks show then,
//! and those at which a meeting may begin by the wall are the slots.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{collections::BTreeSet, thread};

use chrono::{DateTime, Offset as _, TimeZone as _};
use chrono_tz::Tz;
use jiff::Timestamp;
use porchlight_domain::schedule::{Availability, Schedule, Span, Taken, find_zone, zone_names};

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;
/// From one moment at which the judge is asked to the next. No zone's clocks were off by anything but quarters since 2000, which
/// is checked: so between two of them no clock shows a full or a half hour.
const QUARTER: i64 = 15 * MINUTE;
/// From one beginning to the next, and how long each takes.
const SLOT: i64 = 30 * MINUTE;

/// What the two releases of the time zone database say otherwise of each other.
struct Otherwise {
    zones: &'static [&'static str],
    /// From when on.
    from: &'static str,
    why: &'static str,
}

/// chrono-tz 0.10.4 has the release 2025b, and ours is later. What stands here and is no longer otherwise is an error, too.
static OTHERWISE: [Otherwise; 5] = [
    Otherwise {
        zones: &["Europe/Chisinau", "Europe/Tiraspol"],
        from: "2022-03-27T00:00:00Z",
        why: "it was found out later that Moldova changes its clocks when the European Union does",
    },
    Otherwise {
        zones: &["Africa/Casablanca", "Africa/El_Aaiun"],
        from: "2026-09-20T01:00:00Z",
        why: "Morocco went back to UTC for good, and no longer changes its clocks for Ramadan",
    },
    Otherwise {
        zones: &["America/Edmonton", "America/Inuvik", "America/Yellowknife"],
        from: "2026-11-01T08:00:00Z",
        why: "Alberta stayed on summer time",
    },
    Otherwise {
        zones: &["America/Winnipeg", "America/Rainy_River"],
        from: "2026-11-01T07:00:00Z",
        why: "Manitoba stayed on summer time",
    },
    Otherwise { zones: &["America/Vancouver"], from: "2026-11-01T09:00:00Z", why: "British Columbia stayed on summer time" },
];

/// How far clocks are from UTC, in seconds, as the judge has it.
fn judged(zone: Tz, second: i64) -> i64 {
    let utc = DateTime::from_timestamp(second, 0).unwrap().naive_utc();
    zone.offset_from_utc_datetime(&utc).fix().local_minus_utc().into()
}

/// A change of a zone's clocks: when, and how far they are from UTC then.
type Change = (i64, i64);

/// The changes the judge knows of: found by looking every other day, and then halving the time between.
fn found(zone: Tz, from: i64, to: i64) -> Vec<Change> {
    let mut changes = Vec::new();
    let (mut known, mut offset) = (from, judged(zone, from));
    while known < to {
        let next = (known + 2 * DAY).min(to);
        let later = judged(zone, next);
        if later != offset {
            let (mut before, mut after) = (known, next);
            while after - before > 1 {
                let middle = before.midpoint(after);
                if judged(zone, middle) == offset { before = middle } else { after = middle }
            }
            changes.push((after, judged(zone, after)));
        }
        (known, offset) = (next, later);
    }
    changes
}

/// The changes that our own database knows of.
fn ours(zone: &str, from: i64, to: i64) -> Vec<Change> {
    let zone = find_zone(zone).unwrap();
    let from = Timestamp::from_second(from).unwrap();
    let mut offset = zone.to_offset(from);
    let mut changes = Vec::new();
    for change in zone.following(from).take_while(|change| change.timestamp().as_second() <= to) {
        if change.offset() != offset {
            offset = change.offset();
            changes.push((change.timestamp().as_second(), offset.seconds().into()));
        }
    }
    changes
}

fn span(start: i64, end: i64) -> Span {
    Span { start: Timestamp::from_second(start).unwrap(), end: Timestamp::from_second(end).unwrap() }
}

/// The slots of a span by the judge.
fn by_the_judge(zone: Tz, from: i64, to: i64) -> Vec<Span> {
    let mut slots = Vec::new();
    let mut second = from + (-from).rem_euclid(QUARTER);
    while second < to {
        let offset = judged(zone, second);
        assert_eq!(offset % QUARTER, 0, "{zone} at {second}");
        if (second + offset).rem_euclid(SLOT) == 0 {
            slots.push(span(second, second + SLOT));
        }
        second += QUARTER;
    }
    slots
}

/// What was compared.
#[derive(Default)]
struct Tally {
    zones: usize,
    changes: usize,
    slots: usize,
    /// Changes after the databases have parted.
    left_out: usize,
    problems: Vec<String>,
}

impl Tally {
    /// Compares the four days around a moment.
    fn compare(&mut self, schedule: &Schedule, zone: Tz, around: i64) {
        let (from, to) = (around - 2 * DAY, around + 2 * DAY);
        let found = schedule.slots(span(from, to), &Taken::default(), Timestamp::from_second(from).unwrap());
        let expected = by_the_judge(zone, from, to);
        self.slots += expected.len();
        if found != expected {
            let other = (0..).find(|index| found.get(*index) != expected.get(*index)).unwrap_or_default();
            let (found, expected) = (found.get(other), expected.get(other));
            self.problems.push(format!("{zone} around {around}: slot {other} is {found:?}, expected {expected:?}"));
        }
    }

    /// Compares a zone around every change of its clocks.
    fn zone(&mut self, name: &str, from: i64, to: i64) {
        let zone: Tz = name.parse().unwrap();
        let week = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
        let hours = week.map(|day| format!("{day} 00:00-24:00")).join("\n");
        let schedule = Schedule {
            hours: Availability::read(name, &hours).unwrap(),
            duration: 30,
            before: 0,
            after: 0,
            notice: 0,
            horizon: 5,
            step: 30,
            daily: None,
        };
        let (found, ours) = (found(zone, from, to), ours(name, from, to));
        let listed = OTHERWISE.iter().find(|otherwise| otherwise.zones.contains(&name));
        if (found != ours) != listed.is_some() {
            let other = found.iter().zip(&ours).find(|(found, ours)| found != ours);
            self.problems.push(format!("{name}: they agree or not, against what is listed; the first is {other:?}"));
        }
        let parted = listed.map_or(i64::MAX, |listed| listed.from.parse::<Timestamp>().unwrap().as_second());
        let until = |changes: &[Change]| changes.iter().copied().filter(|(at, _)| *at < parted).collect::<Vec<_>>();
        if until(&found) != until(&ours) {
            self.problems.push(format!("{name}: they part before {parted}"));
        }
        // What only one of them knew of would be compared, too.
        let all: BTreeSet<_> = found.iter().chain(&ours).map(|(at, _)| *at).collect();
        let (compared, left_out): (Vec<i64>, Vec<i64>) = all.into_iter().partition(|at| at + 3 * DAY < parted);
        if compared.is_empty() {
            self.compare(&schedule, zone, from.midpoint(to));
        }
        for at in &compared {
            self.compare(&schedule, zone, *at);
        }
        self.zones += 1;
        self.changes += compared.len();
        self.left_out += left_out.len();
    }

    fn with(mut self, other: Self) -> Self {
        self.zones += other.zones;
        self.changes += other.changes;
        self.slots += other.slots;
        self.left_out += other.left_out;
        self.problems.extend(other.problems);
        self
    }
}

#[test]
fn slots_around_every_change_of_every_zone_are_those_of_an_independent_judge() {
    let second = |text: &str| text.parse::<Timestamp>().unwrap().as_second();
    let (from, to) = (second("2000-01-01T00:00:00Z"), second("2038-01-01T00:00:00Z"));
    let names = zone_names();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let tally = thread::scope(|scope| {
        let share = |first: usize| {
            let names = &names;
            scope.spawn(move || {
                let mut tally = Tally::default();
                names.iter().skip(first).step_by(threads).for_each(|name| tally.zone(name, from, to));
                tally
            })
        };
        let shares: Vec<_> = (0..threads).map(share).collect();
        shares.into_iter().map(|share| share.join().unwrap()).fold(Tally::default(), Tally::with)
    });
    let Tally { zones, changes, slots, left_out, problems } = tally;
    println!("compared {slots} slots around {changes} changes of the clocks of {zones} zones; {left_out} changes were left out:");
    for Otherwise { zones, from, why } in &OTHERWISE {
        println!("  of {} from {from}: {why}", zones.join(", "));
        assert!(zones.iter().all(|zone| names.iter().any(|name| name == zone)), "{zones:?}");
    }
    assert!(problems.is_empty(), "{} problems, such as\n{}", problems.len(), problems[..problems.len().min(9)].join("\n"));
    assert_eq!(zones, names.len());
    assert!(zones > 400, "{zones} zones");
    assert!(changes > 10_000, "{changes} changes");
    let listed: usize = OTHERWISE.iter().map(|otherwise| otherwise.zones.len()).sum();
    assert!(listed <= 10, "{listed} zones are left out in part: it is time for a newer release");
}
