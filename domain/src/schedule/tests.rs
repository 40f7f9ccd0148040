//! Slots, by examples, by properties, and by brute force.

use proptest::prelude::*;

use super::*;
use crate::conversation::Day;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn schedule(zone: &str, from: u16, to: u16) -> Schedule {
    let days = [Day::Monday, Day::Tuesday, Day::Wednesday, Day::Thursday, Day::Friday, Day::Saturday, Day::Sunday];
    Schedule {
        hours: Availability {
            time_zone: zone.to_owned(),
            blocks: days.map(|day| Block { day, from, to }).to_vec(),
            exceptions: BTreeMap::new(),
        },
        duration: 30,
        before: 0,
        after: 0,
        notice: 0,
        horizon: 60,
        step: 30,
        daily: None,
    }
}

/// The slots of a day in UTC, from an early now, as their beginnings.
fn begins(schedule: &Schedule, from: &str, to: &str, taken: &Taken) -> Vec<String> {
    let within = Span { start: at(from), end: at(to) };
    let now = at(from).checked_sub(SignedDuration::from_hours(48)).unwrap();
    schedule
        .slots(within, taken, now)
        .iter()
        .map(|slot| slot.start.to_zoned(schedule.hours.zone()).strftime("%H:%M%:z").to_string())
        .collect()
}

#[test]
fn a_meeting_lies_wholly_within_the_hours() {
    let schedule = Schedule { duration: 45, ..schedule("Europe/Berlin", 9 * 60, 11 * 60) };
    let found = begins(&schedule, "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z", &Taken::default());
    assert_eq!(found, ["09:00+01:00", "09:30+01:00", "10:00+01:00"]);
}

#[test]
fn a_time_that_does_not_exist_is_never_offered_and_one_that_happens_twice_is_twice() {
    let schedule = schedule("Europe/Berlin", 60, 4 * 60);
    let spring = begins(&schedule, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", &Taken::default());
    assert_eq!(spring, ["01:00+01:00", "01:30+01:00", "03:00+02:00", "03:30+02:00"]);
    let autumn = begins(&schedule, "2026-10-24T22:00:00Z", "2026-10-25T22:00:00Z", &Taken::default());
    assert_eq!(
        autumn,
        ["01:00+02:00", "01:30+02:00", "02:00+02:00", "02:30+02:00", "02:00+01:00", "02:30+01:00", "03:00+01:00", "03:30+01:00"]
    );
    // An hour that begins before the change and ends after it is an hour.
    let hour = Schedule { duration: 60, ..schedule };
    let spring = begins(&hour, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", &Taken::default());
    assert_eq!(spring, ["01:00+01:00", "01:30+01:00", "03:00+02:00"]);
}

#[test]
fn a_day_that_a_zone_left_out_has_no_slots() {
    // Samoa went over the date line: there was no 30 December 2011.
    let schedule = schedule("Pacific/Apia", 9 * 60, 10 * 60);
    let within = Span { start: at("2011-12-28T00:00:00Z"), end: at("2012-01-02T00:00:00Z") };
    let slots = schedule.slots(within, &Taken::default(), at("2011-12-20T00:00:00Z"));
    let mut days: Vec<String> = slots.iter().map(|slot| slot.start.to_zoned(schedule.hours.zone()).date().to_string()).collect();
    days.dedup();
    assert_eq!(days, ["2011-12-28", "2011-12-29", "2011-12-31", "2012-01-01", "2012-01-02"]);
}

#[test]
fn hours_that_meet_at_midnight_are_one() {
    let mut schedule = schedule("UTC", 23 * 60, 24 * 60);
    schedule.hours.blocks.extend(schedule.hours.blocks.clone().into_iter().map(|block| Block { from: 0, to: 60, ..block }));
    schedule.duration = 90;
    let found = begins(&schedule, "2026-11-24T12:00:00Z", "2026-11-25T12:00:00Z", &Taken::default());
    assert_eq!(found, ["23:00+00:00", "23:30+00:00"]);
}

#[test]
fn buffers_busy_times_and_days_that_are_full() {
    let schedule = Schedule { before: 15, after: 15, daily: Some(3), ..schedule("UTC", 9 * 60, 12 * 60) };
    let busy = vec![Span { start: at("2026-11-24T10:00:00Z"), end: at("2026-11-24T10:10:00Z") }];
    let taken = |meetings| Taken { busy: busy.clone(), meetings: BTreeMap::from([(day("2026-11-24"), meetings)]) };
    let found = |meetings| begins(&schedule, "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z", &taken(meetings));
    assert_eq!(found(2), ["09:00+00:00", "10:30+00:00", "11:00+00:00", "11:30+00:00"]);
    assert!(found(3).is_empty());
    // What ends where a buffer begins is no hindrance.
    let occupied = schedule.occupied(Span { start: at("2026-11-24T10:30:00Z"), end: at("2026-11-24T11:00:00Z") });
    assert_eq!(occupied, Span { start: at("2026-11-24T10:15:00Z"), end: at("2026-11-24T11:15:00Z") });
}

#[test]
fn notice_horizon_and_exceptions() {
    let mut schedule = Schedule { notice: 90, horizon: 1, ..schedule("UTC", 9 * 60, 11 * 60) };
    schedule.hours.exceptions.insert(day("2026-11-25"), vec![Hours { from: 600, to: 630 }]);
    let within = Span { start: at("2026-11-20T00:00:00Z"), end: at("2026-12-20T00:00:00Z") };
    let slots = |now: &str| {
        schedule.slots(within, &Taken::default(), at(now)).iter().map(|slot| slot.start.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(slots("2026-11-24T08:30:00Z"), ["2026-11-24T10:00:00Z", "2026-11-24T10:30:00Z", "2026-11-25T10:00:00Z"]);
    assert_eq!(slots("2026-11-24T08:30:00.001Z")[0], "2026-11-24T10:30:00Z", "a moment later it is too late");
    schedule.hours.exceptions.insert(day("2026-11-25"), Vec::new());
    assert_eq!(schedule.slots(within, &Taken::default(), at("2026-11-24T11:00:00Z")), [], "a holiday");
}

/// Every minute of some days, asked one by one what the wall shows.
fn by_brute_force(schedule: &Schedule, within: Span, taken: &Taken, now: Timestamp) -> Vec<Span> {
    let zone = schedule.hours.zone();
    let today = now.to_zoned(zone.clone()).date();
    let minute = |moment: Timestamp| {
        let wall = moment.to_zoned(zone.clone()).datetime();
        (wall.date(), u16::try_from(i32::from(wall.hour()) * 60 + i32::from(wall.minute())).unwrap(), wall.second())
    };
    let is_open = |moment: Timestamp| {
        let (date, minute, _) = minute(moment);
        schedule.hours.said_of(date).iter().any(|hours| (hours.from..hours.to).contains(&minute))
    };
    let mut slots = Vec::new();
    let mut moment = within.start;
    while moment < within.end {
        let (date, at, second) = minute(moment);
        let slot = Span { start: moment, end: add(moment, i64::from(schedule.duration)) };
        let on_step = second == 0
            && schedule
                .hours
                .said_of(date)
                .iter()
                .any(|hours| (hours.from..hours.to).contains(&at) && (at - hours.from).is_multiple_of(schedule.step));
        let days = date.since(today).unwrap().get_days();
        let full = schedule.daily.is_some_and(|most| taken.meetings.get(&date).copied().unwrap_or_default() >= most);
        if on_step
            && !full
            && (0..=i32::from(schedule.horizon)).contains(&days)
            && moment >= add(now, i64::from(schedule.notice))
            && (0..i64::from(schedule.duration)).all(|minute| is_open(add(moment, minute)))
            && !taken.busy.iter().any(|busy| busy.start < busy.end && busy.meets(&schedule.occupied(slot)))
        {
            slots.push(slot);
        }
        moment = add(moment, 1);
    }
    slots
}

prop_compose! {
    fn schedules()(
        zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo", "America/Santiago"]),
        blocks in prop::collection::vec((0_u16..48, 1_u16..16), 1..3),
        closed in prop::option::of(0_u8..4),
        (duration, step) in (prop::sample::select(vec![15_u16, 30, 45, 60, 90]), prop::sample::select(vec![15_u16, 20, 30, 60])),
        (before, after) in (0_u16..40, 0_u16..40),
        (notice, horizon) in (0_u32..3000, 0_u16..4),
        daily in prop::option::of(1_u16..3),
    ) -> Schedule {
        let mut schedule = schedule(zone, 0, 0);
        schedule.hours.blocks = schedule.hours.blocks.iter().flat_map(|day| {
            blocks.iter().map(move |(from, length)| Block { day: day.day, from: from * 30, to: ((from + length) * 30).min(1440) })
        }).collect();
        if let Some(closed) = closed {
            schedule.hours.exceptions.insert(Date::constant(2026, 10, 24).checked_add(i32::from(closed).days()).unwrap(), Vec::new());
        }
        Schedule { duration, before, after, notice, horizon, step, daily, ..schedule }
    }
}

proptest! {
    /// Around the change of many zones' clocks: the same as by brute force; each is free; and what is between them is not.
    #[test]
    fn slots_are_those_of_brute_force_and_what_is_offered_is_bookable(
        schedule in schedules(),
        spring in any::<bool>(),
        busy in prop::collection::vec((0_i64..4 * 1440, 0_i64..300), 0..6),
        meetings in prop::collection::vec((0_u8..4, 0_u16..4), 0..3),
    ) {
        let first = if spring { at("2026-03-27T21:00:00Z") } else { at("2026-10-23T21:00:00Z") };
        let within = Span { start: first, end: add(first, 3 * 1440) };
        let taken = Taken {
            busy: busy.iter().map(|(start, length)| Span { start: add(first, *start), end: add(first, start + length) }).collect(),
            meetings: meetings.iter().map(|(ahead, count)| (Date::constant(2026, 10, 24).checked_add(i32::from(*ahead).days()).unwrap(), *count)).collect(),
        };
        let now = add(first, 17);
        let slots = schedule.slots(within, &taken, now);
        prop_assert_eq!(&slots, &by_brute_force(&schedule, within, &taken, now));
        for slot in &slots {
            prop_assert_eq!(schedule.slot_at(slot.start, &taken, now), Some(*slot));
            prop_assert_eq!(schedule.slot_at(add(slot.start, 1), &taken, now).is_some(), slots.iter().any(|other| other.start == add(slot.start, 1)));
        }
    }
}
