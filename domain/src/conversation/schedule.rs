//! The times at which a dialogue is offered.
//!
//! The zones are those of the tz database that is built in, so that a schedule means the same on every machine.

use std::{borrow::Cow, fmt, str::FromStr};

use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time, Weekday},
    tz::TimeZone,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// The times at which something is open. All that is given must hold; without anything, it is always open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Schedule {
    /// The moment it opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<LocalTime>,
    /// The moment from which it is no longer open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<LocalTime>,
    /// The days of the week on which it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 7), extend("uniqueItems" = true))]
    pub days: Option<Vec<Day>>,
    /// The hours of a day in which it is open, the first inclusive, the second exclusive. If the second is not after the first,
    /// they pass midnight, and belong to the day on which they begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between: Option<[TimeOfDay; 2]>,
    /// The time zone of all these, by its name in the tz database, such as `Europe/Berlin`.
    #[serde(default = "utc", skip_serializing_if = "is_utc")]
    #[schemars(length(min = 1, max = 100))]
    pub time_zone: String,
}

fn utc() -> String {
    "UTC".to_owned()
}

fn is_utc(zone: &str) -> bool {
    zone == "UTC"
}

impl Default for Schedule {
    fn default() -> Self {
        Self { from: None, until: None, days: None, between: None, time_zone: utc() }
    }
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Day {
    /// The first of [ISO 8601](https://www.iso.org/iso-8601-date-and-time-format.html)'s week.
    Monday,
    /// The second.
    Tuesday,
    /// The third.
    Wednesday,
    /// The fourth.
    Thursday,
    /// The fifth.
    Friday,
    /// The sixth.
    Saturday,
    /// The seventh.
    Sunday,
}

impl Day {
    /// All, in their order.
    pub const ALL: [Self; 7] =
        [Self::Monday, Self::Tuesday, Self::Wednesday, Self::Thursday, Self::Friday, Self::Saturday, Self::Sunday];

    /// As it is authored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Monday => "monday",
            Self::Tuesday => "tuesday",
            Self::Wednesday => "wednesday",
            Self::Thursday => "thursday",
            Self::Friday => "friday",
            Self::Saturday => "saturday",
            Self::Sunday => "sunday",
        }
    }

    /// The day of a date.
    pub(crate) fn of(date: Date) -> Self {
        match date.weekday() {
            Weekday::Monday => Self::Monday,
            Weekday::Tuesday => Self::Tuesday,
            Weekday::Wednesday => Self::Wednesday,
            Weekday::Thursday => Self::Thursday,
            Weekday::Friday => Self::Friday,
            Weekday::Saturday => Self::Saturday,
            Weekday::Sunday => Self::Sunday,
        }
    }
}

/// A text is no time as schedules have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {0}")]
pub struct BadTime(&'static str);

/// A date and a time by the clocks of a place that is said elsewhere, as `2026-11-01T00:00`, or with seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalTime(DateTime);

/// A time of day, as `09:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay(Time);

const BAD_LOCAL_TIME: BadTime = BadTime("a date and a time that exist, such as \"2026-11-01T09:00\"");
const BAD_TIME_OF_DAY: BadTime = BadTime("a time from \"00:00\" to \"23:59\", such as \"09:00\"");

/// Whether a text has digits where the form has `0`, and all else as the form has it. jiff takes much more than we promise.
fn has_form(text: &str, form: &str) -> bool {
    let fits = |(byte, form): (u8, u8)| if form == b'0' { byte.is_ascii_digit() } else { byte == form };
    text.len() == form.len() && text.bytes().zip(form.bytes()).all(fits)
}

/// Whether the seconds of a text that has them are seconds: jiff takes a leap second for the one before.
fn is_leap(text: &str) -> bool {
    text.ends_with(":60")
}

impl FromStr for LocalTime {
    type Err = BadTime;

    fn from_str(text: &str) -> Result<Self, BadTime> {
        if !has_form(text, "0000-00-00T00:00") && !has_form(text, "0000-00-00T00:00:00") || is_leap(text) {
            return Err(BAD_LOCAL_TIME);
        }
        text.parse().map(Self).map_err(|_| BAD_LOCAL_TIME)
    }
}

impl FromStr for TimeOfDay {
    type Err = BadTime;

    fn from_str(text: &str) -> Result<Self, BadTime> {
        if !has_form(text, "00:00") {
            return Err(BAD_TIME_OF_DAY);
        }
        text.parse().map(Self).map_err(|_| BAD_TIME_OF_DAY)
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.second();
        write!(f, "{}T{:02}:{:02}", self.0.date(), self.0.hour(), self.0.minute())?;
        if seconds == 0 { Ok(()) } else { write!(f, ":{seconds:02}") }
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0.hour(), self.0.minute())
    }
}

macro_rules! as_texts {
    ($($name:ident: $pattern:literal),*) => {$(
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    )*};
}

as_texts! {
    LocalTime: "^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])T([01]\\d|2[0-3]):[0-5]\\d(:[0-5]\\d)?$",
    TimeOfDay: "^([01]\\d|2[0-3]):[0-5]\\d$"
}

impl LocalTime {
    /// The moment in a zone. As is usual, and as RFC 5545 says, a time that the clocks show twice is the first of both, and
    /// one that they skip is so much later; nothing if it lies beyond the times that can be counted, at the end of year 9999.
    fn in_zone(self, zone: &TimeZone) -> Option<Timestamp> {
        zone.to_ambiguous_timestamp(self.0).compatible().ok()
    }
}

/// The zone of that name in the tz database.
fn zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok().filter(|zone| !zone.is_unknown())
}

impl Schedule {
    /// Whether it is open at a moment. With a time zone that is unknown it never is.
    ///
    /// `from` and `until` are moments; `between` is what the clocks show: hours that they skip in spring do not come, those that
    /// they repeat in autumn come twice.
    #[must_use]
    pub fn open_at(&self, now: Timestamp) -> bool {
        let Some(zone) = zone(&self.time_zone) else { return false };
        let begun = self.from.is_none_or(|from| from.in_zone(&zone).is_some_and(|from| from <= now));
        let ended = self.until.and_then(|until| until.in_zone(&zone)).is_some_and(|until| until <= now);
        let clock = zone.to_datetime(now);
        let day_of = match self.between {
            None => Some(clock.date()),
            Some([TimeOfDay(from), TimeOfDay(to)]) => {
                let passes_midnight = to <= from;
                if clock.time() >= from && (passes_midnight || clock.time() < to) {
                    Some(clock.date())
                } else if passes_midnight && clock.time() < to {
                    clock.date().yesterday().ok()
                } else {
                    None
                }
            }
        };
        let on_day = |date| self.days.as_ref().is_none_or(|days| days.contains(&Day::of(date)));
        begun && !ended && day_of.is_some_and(on_day)
    }

    /// What is wrong with it, in words.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if zone(&self.time_zone).is_none() {
            let name: String = self.time_zone.chars().take(80).collect();
            let expected = "expected a name of the tz database, such as \"Europe/Berlin\"";
            problems.push(format!("there is no time zone {name:?}; {expected}"));
        }
        if let (Some(from), Some(until)) = (self.from, self.until)
            && until <= from
        {
            problems.push(format!("\"until\" {until} is not after \"from\" {from}"));
        }
        if let Some(days) = &self.days {
            if days.is_empty() {
                problems.push("\"days\" has no day; leave it out for all days".to_owned());
            }
            if let Some(day) = Day::ALL.into_iter().find(|day| days.iter().filter(|other| *other == day).count() > 1) {
                problems.push(format!("\"days\" has {:?} more than once", day.name()));
            }
        }
        if let Some([from, to]) = self.between
            && from == to
        {
            problems.push(format!("\"between\" ends at {to}, when it begins; leave it out for the whole day"));
        }
        problems
    }
}

#[cfg(test)]
pub(super) mod tests {
    use jiff::{SignedDuration, ToSpan};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn schedule(json: Value) -> Schedule {
        serde_json::from_value(json).unwrap()
    }

    fn open(schedule: &Schedule, now: &str) -> bool {
        schedule.open_at(now.parse().unwrap())
    }

    #[test]
    fn from_and_until_are_moments_of_the_zone() {
        let december = schedule(json!({ "from": "2026-12-01T00:00", "until": "2026-12-24T18:00", "timeZone": "Europe/Berlin" }));
        for (now, expected) in [
            ("2026-11-30T22:59:59Z", false),
            ("2026-11-30T23:00:00Z", true),
            ("2026-12-24T16:59:59.999Z", true),
            ("2026-12-24T17:00:00Z", false),
        ] {
            assert_eq!(open(&december, now), expected, "{now}");
        }
        // In autumn of 2026 the clocks of Berlin go from 03:00 back to 02:00 on 25 October, at 01:00 UTC.
        let until = schedule(json!({ "until": "2026-10-25T02:30", "timeZone": "Europe/Berlin" }));
        assert!(open(&until, "2026-10-25T00:29:00Z"));
        assert!(!open(&until, "2026-10-25T00:30:00Z"));
        assert!(!open(&until, "2026-10-25T01:15:00Z"), "it does not open again");
        // In spring they go from 02:00 to 03:00 on 29 March, at 01:00 UTC.
        let from = schedule(json!({ "from": "2026-03-29T02:30", "timeZone": "Europe/Berlin" }));
        assert!(!open(&from, "2026-03-29T01:29:00Z"));
        assert!(open(&from, "2026-03-29T01:30:00Z"));
        assert!(open(&schedule(json!({ "until": "9999-12-31T23:59" })), "2026-01-01T00:00:00Z"), "for ever");
    }

    #[test]
    fn hours_are_what_the_clocks_show() {
        let hours = schedule(json!({ "between": ["09:00", "17:00"], "timeZone": "Europe/Berlin" }));
        for (now, expected) in [
            ("2026-03-28T07:59:59Z", false),
            ("2026-03-28T08:00:00Z", true),
            ("2026-03-28T15:59:59Z", true),
            ("2026-03-28T16:00:00Z", false),
            ("2026-03-29T06:59:59Z", false),
            ("2026-03-29T07:00:00Z", true),
            ("2026-03-29T15:00:00Z", false),
        ] {
            assert_eq!(open(&hours, now), expected, "{now}");
        }
        let skipped = schedule(json!({ "between": ["02:00", "03:00"], "timeZone": "Europe/Berlin" }));
        assert!((0..24 * 60).all(|minute| {
            let now = "2026-03-28T23:00:00Z".parse::<Timestamp>().unwrap() + minute.minutes();
            !skipped.open_at(now)
        }));
        for (now, expected) in [
            ("2026-10-24T23:59:59Z", false),
            ("2026-10-25T00:00:00Z", true),
            ("2026-10-25T01:59:59Z", true),
            ("2026-10-25T02:00:00Z", false),
        ] {
            assert_eq!(open(&skipped, now), expected, "{now}: the hour comes twice");
        }
    }

    #[test]
    fn hours_over_midnight_belong_to_the_day_they_begin_on() {
        // 6 November 2026 is a Friday.
        let night = schedule(json!({ "days": ["friday"], "between": ["22:00", "02:00"] }));
        for (now, expected) in [
            ("2026-11-06T01:00:00Z", false),
            ("2026-11-06T21:59:59Z", false),
            ("2026-11-06T22:00:00Z", true),
            ("2026-11-07T00:00:00Z", true),
            ("2026-11-07T01:59:59Z", true),
            ("2026-11-07T02:00:00Z", false),
            ("2026-11-07T22:00:00Z", false),
        ] {
            assert_eq!(open(&night, now), expected, "{now}");
        }
        let evening = schedule(json!({ "days": ["friday"], "between": ["22:00", "00:00"] }));
        assert!(open(&evening, "2026-11-06T23:59:59Z"));
        assert!(!open(&evening, "2026-11-07T00:00:00Z"));
    }

    #[test]
    fn days_are_those_of_the_zone() {
        let sunday = schedule(json!({ "days": ["sunday"], "timeZone": "Pacific/Auckland" }));
        assert!(open(&sunday, "2026-11-07T11:00:00Z"));
        assert!(!open(&sunday, "2026-11-07T10:59:59Z"));
        assert!(!open(&sunday, "2026-11-08T11:00:00Z"));
    }

    #[test]
    fn times_have_one_form() {
        for good in ["2026-11-01T00:00", "2026-11-01T23:59:59", "2024-02-29T12:00"] {
            assert_eq!(good.parse::<LocalTime>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "2026-11-01",
            "2026-11-01 00:00",
            "2026-11-01T00:00Z",
            "2026-11-01T00:00+01:00",
            "2026-02-29T00:00",
            "2026-13-01T00:00",
            "2026-11-01T24:00",
            "2026-11-01T23:59:60",
            "2026-11-01T00:00:00.5",
            "26-11-01T00:00",
            "2026-11-01T00:00[UTC]",
        ] {
            assert!(bad.parse::<LocalTime>().is_err(), "{bad}");
        }
        for good in ["00:00", "23:59"] {
            assert_eq!(good.parse::<TimeOfDay>().unwrap().to_string(), good);
        }
        for bad in ["", "9:00", "24:00", "09:60", "09:00:00", "0900", "09.00", "T9:00", "９:00"] {
            assert!(bad.parse::<TimeOfDay>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let problems = |json| schedule(json).problems();
        assert_eq!(problems(json!({})), [""; 0]);
        assert_eq!(
            problems(json!({ "days": ["monday", "sunday"], "between": ["18:00", "00:00"], "timeZone": "America/New_York" })),
            [""; 0]
        );
        assert_eq!(
            problems(json!({
                "from": "2026-01-01T00:00",
                "until": "2026-01-01T00:00",
                "days": ["monday", "sunday", "monday"],
                "between": ["09:00", "09:00"],
                "timeZone": "Europe/Atlantis",
            })),
            [
                "there is no time zone \"Europe/Atlantis\"; expected a name of the tz database, such as \"Europe/Berlin\"",
                "\"until\" 2026-01-01T00:00 is not after \"from\" 2026-01-01T00:00",
                "\"days\" has \"monday\" more than once",
                "\"between\" ends at 09:00, when it begins; leave it out for the whole day",
            ]
        );
        assert_eq!(problems(json!({ "days": [] })).len(), 1);
        for zone in ["", "Etc/Unknown", "CET-1", "+01:00", "../../etc/passwd", "Europe/Berlin "] {
            assert_eq!(problems(json!({ "timeZone": zone })).len(), 1, "{zone}");
            assert!(!open(&schedule(json!({ "timeZone": zone })), "2026-01-01T00:00:00Z"));
        }
        assert_eq!(problems(json!({ "timeZone": "europe/berlin" })), [""; 0]);
    }

    #[test]
    fn the_schema_is_as_strict_as_the_reader() {
        let schema = serde_json::to_value(schemars::schema_for!(Schedule)).unwrap();
        for json in [
            json!({ "days": [] }),
            json!({ "days": ["monday", "monday"] }),
            json!({ "days": ["Monday"] }),
            json!({ "between": ["09:00"] }),
            json!({ "between": ["09:00", "10:00", "11:00"] }),
            json!({ "between": ["9:00", "10:00"] }),
            json!({ "from": "2026-11-01" }),
            json!({ "at": "09:00" }),
        ] {
            assert!(!jsonschema::is_valid(&schema, &json), "{json}");
            let refused =
                serde_json::from_value::<Schedule>(json.clone()).map_or(true, |schedule| !schedule.problems().is_empty());
            assert!(refused, "{json}");
        }
    }

    pub(in crate::conversation) fn any_schedule() -> impl Strategy<Value = Schedule> {
        let time = || {
            (1_i8..=28, 0_i8..24, 0_i8..60)
                .prop_map(|(day, hour, minute)| LocalTime(jiff::civil::date(2026, 3, day).at(hour, minute, 0, 0)))
        };
        let of_day = || (0_i8..24, 0_i8..60).prop_map(|(hour, minute)| TimeOfDay(jiff::civil::time(hour, minute, 0, 0)));
        let days = proptest::sample::subsequence(Day::ALL.to_vec(), 1..=7);
        let zone = proptest::sample::select(vec!["UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland"]);
        use proptest::option::of;
        (of(time()), of(time()), of(days), of([of_day(), of_day()]), zone)
            .prop_map(|(from, until, days, between, zone)| Schedule { from, until, days, between, time_zone: zone.to_owned() })
    }

    proptest! {
        #[test]
        fn schedules_round_trip(schedule in any_schedule()) {
            let json = serde_json::to_value(&schedule).unwrap();
            prop_assert_eq!(&serde_json::from_value::<Schedule>(json.clone()).unwrap(), &schedule);
            let schema = serde_json::to_value(schemars::schema_for!(Schedule)).unwrap();
            prop_assert!(jsonschema::is_valid(&schema, &json), "{json}");
        }

        #[test]
        fn hours_and_the_hours_around_them_are_the_week(
            from in 0_i8..24, to in 0_i8..24, day in proptest::sample::select(Day::ALL.to_vec()), minute in 0_i64..7 * 24 * 60
        ) {
            prop_assume!(from != to);
            let at = |from, to, day| {
                let time = |hour| TimeOfDay(jiff::civil::time(hour, 0, 0, 0));
                Schedule { between: Some([time(from), time(to)]), days: day, ..Schedule::default() }
            };
            let now = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute);
            prop_assert_ne!(at(from, to, None).open_at(now), at(to, from, None).open_at(now));
            let open_days = Day::ALL.iter().filter(|day| at(from, to, Some(vec![**day])).open_at(now)).count();
            prop_assert_eq!(open_days, usize::from(at(from, to, None).open_at(now)));
            // A day is open for its hours, wherever the midnight is.
            let minutes = (0..7 * 24 * 4).filter(|quarter| {
                at(from, to, Some(vec![day])).open_at(Timestamp::UNIX_EPOCH + SignedDuration::from_mins(quarter * 15))
            });
            prop_assert_eq!(minutes.count() as i64, i64::from((to - from).rem_euclid(24)) * 4);
        }
    }
}
