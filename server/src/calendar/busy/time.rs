//! Dates, times, lengths and time zones, as calendars write them.

use std::collections::HashMap;

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};
use porchlight_domain::schedule::find_zone;

use super::{
    BadFeed, TIME_ZONE,
    line::{Line, Part, shown},
};

/// The seconds of a day whose clocks are not changed.
pub(super) const DAY: i64 = 24 * 60 * 60;

/// Names that Windows and Exchange have for time zones, with the zone of territory 001: from windowsZones.xml of the Unicode CLDR.
pub(super) const WINDOWS: [(&str, &str); 48] = [
    ("AUS Eastern Standard Time", "Australia/Sydney"),
    ("Alaskan Standard Time", "America/Anchorage"),
    ("Arab Standard Time", "Asia/Riyadh"),
    ("Arabian Standard Time", "Asia/Dubai"),
    ("Argentina Standard Time", "America/Buenos_Aires"),
    ("Atlantic Standard Time", "America/Halifax"),
    ("Cen. Australia Standard Time", "Australia/Adelaide"),
    ("Central America Standard Time", "America/Guatemala"),
    ("Central Asia Standard Time", "Asia/Bishkek"),
    ("Central Europe Standard Time", "Europe/Budapest"),
    ("Central European Standard Time", "Europe/Warsaw"),
    ("Central Standard Time", "America/Chicago"),
    ("Central Standard Time (Mexico)", "America/Mexico_City"),
    ("China Standard Time", "Asia/Shanghai"),
    ("E. Africa Standard Time", "Africa/Nairobi"),
    ("E. Australia Standard Time", "Australia/Brisbane"),
    ("E. Europe Standard Time", "Europe/Chisinau"),
    ("E. South America Standard Time", "America/Sao_Paulo"),
    ("Eastern Standard Time", "America/New_York"),
    ("Egypt Standard Time", "Africa/Cairo"),
    ("FLE Standard Time", "Europe/Kiev"),
    ("GMT Standard Time", "Europe/London"),
    ("GTB Standard Time", "Europe/Bucharest"),
    ("Greenwich Standard Time", "Atlantic/Reykjavik"),
    ("Hawaiian Standard Time", "Pacific/Honolulu"),
    ("India Standard Time", "Asia/Calcutta"),
    ("Iran Standard Time", "Asia/Tehran"),
    ("Israel Standard Time", "Asia/Jerusalem"),
    ("Korea Standard Time", "Asia/Seoul"),
    ("Morocco Standard Time", "Africa/Casablanca"),
    ("Mountain Standard Time", "America/Denver"),
    ("New Zealand Standard Time", "Pacific/Auckland"),
    ("Newfoundland Standard Time", "America/St_Johns"),
    ("Pacific SA Standard Time", "America/Santiago"),
    ("Pacific Standard Time", "America/Los_Angeles"),
    ("Pakistan Standard Time", "Asia/Karachi"),
    ("Romance Standard Time", "Europe/Paris"),
    ("Russian Standard Time", "Europe/Moscow"),
    ("SA Pacific Standard Time", "America/Bogota"),
    ("SE Asia Standard Time", "Asia/Bangkok"),
    ("Singapore Standard Time", "Asia/Singapore"),
    ("South Africa Standard Time", "Africa/Johannesburg"),
    ("Taipei Standard Time", "Asia/Taipei"),
    ("Tokyo Standard Time", "Asia/Tokyo"),
    ("Turkey Standard Time", "Europe/Istanbul"),
    ("US Mountain Standard Time", "America/Phoenix"),
    ("W. Australia Standard Time", "Australia/Perth"),
    ("W. Europe Standard Time", "Europe/Berlin"),
];

/// A date or time as it is written.
#[derive(Debug, Clone)]
pub(super) struct When {
    pub(super) wall: DateTime,
    pub(super) zone: TimeZone,
    /// Whether it is a whole day.
    pub(super) day: bool,
}

impl When {
    pub(super) fn moment(&self) -> Timestamp {
        moment(&self.zone, self.wall)
    }
}

/// The moment at which clocks of a zone show a time. Of two it is the first, and a time that they leave out is counted from before
/// (RFC 5545 §3.3.5).
pub(super) fn moment(zone: &TimeZone, wall: DateTime) -> Timestamp {
    let end = if wall.year() < 1970 { Timestamp::MIN } else { Timestamp::MAX };
    zone.to_timestamp(wall).unwrap_or(end)
}

pub(super) fn later(moment: Timestamp, seconds: i64) -> Timestamp {
    let end = if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
    moment.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(end)
}

/// What a date or time is said to be relative to.
pub(super) enum Clock {
    /// It is a day.
    Day,
    /// UTC.
    Utc,
    /// Another zone, or none.
    Wall,
}

/// A date or time as RFC 5545 §3.3.4 and §3.3.5 write it.
pub(super) fn written(value: &str) -> Option<(DateTime, Clock)> {
    pub(super) fn field<N: std::str::FromStr>(digits: &str, from: usize, to: usize) -> Option<N> {
        digits.get(from..to)?.parse().ok()
    }
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    let (date, time) = value.split_once(['T', 't']).map_or((value, None), |(date, time)| (date, Some(time)));
    if !digits(date, 8) {
        return None;
    }
    let day = Date::new(field(date, 0, 4)?, field(date, 4, 6)?, field(date, 6, 8)?).ok()?;
    let Some(time) = time else {
        return Some((DateTime::from_parts(day, Time::midnight()), Clock::Day));
    };
    let (time, clock) = time.strip_suffix(['Z', 'z']).map_or((time, Clock::Wall), |time| (time, Clock::Utc));
    if !digits(time, 6) {
        return None;
    }
    // A leap second is no time that other clocks know.
    let second = field::<i8>(time, 4, 6)?.min(59);
    let time = Time::new(field(time, 0, 2)?, field(time, 2, 4)?, second, 0).ok()?;
    Some((DateTime::from_parts(day, time), clock))
}

/// How long something takes: days as calendars count them, and then seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Length {
    pub(super) days: i64,
    pub(super) seconds: i64,
}

impl Length {
    /// A duration (RFC 5545 §3.3.6).
    pub(super) fn read(line: &Line, value: &str) -> Result<Self, BadFeed> {
        let bad = || BadFeed::Duration { line: line.number, value: shown(value) };
        if !value.trim_start_matches(['+', '-']).starts_with(['P', 'p']) {
            return Err(bad());
        }
        let span: jiff::Span = value.parse().map_err(|_| bad())?;
        if span.get_years() != 0 || span.get_months() != 0 {
            return Err(bad());
        }
        let days = i64::from(span.get_weeks()) * 7 + i64::from(span.get_days());
        let seconds = i64::from(span.get_hours()) * 3600 + span.get_minutes() * 60 + span.get_seconds();
        Ok(Self { days, seconds })
    }

    /// The end of what begins at a time on the wall of a zone.
    pub(super) fn end(self, zone: &TimeZone, wall: DateTime) -> Timestamp {
        let end = SignedDuration::from_hours(self.days * 24);
        let end = wall.checked_add(end).map_or(Timestamp::MAX, |wall| moment(zone, wall));
        later(end, self.seconds)
    }
}

/// The time zones of a calendar.
pub(super) struct Zones<'a> {
    /// What is taken where nothing is said.
    pub(super) zone: &'a TimeZone,
    /// The IANA names of those that the calendar describes itself.
    pub(super) described: HashMap<&'a str, &'a str>,
}

impl<'a> Zones<'a> {
    pub(super) fn new(zone: &'a TimeZone, parts: &'a [Part]) -> Self {
        let described = parts.iter().filter(|part| part.kind == TIME_ZONE);
        let described = described.filter_map(|part| Some((part.value("TZID")?, part.value("X-LIC-LOCATION")?))).collect();
        Self { zone, described }
    }

    pub(super) fn named(&self, name: &str) -> TimeZone {
        // Some put the name behind a path that says whose it is: /citadel.org/20250101_1/Europe/Berlin.
        let ends = name.match_indices('/').map(|(at, _)| &name[at + 1..]);
        let windows = || WINDOWS.iter().find(|(windows, _)| windows.eq_ignore_ascii_case(name)).map(|(_, iana)| *iana);
        std::iter::once(name)
            .chain(ends)
            .find_map(find_zone)
            .or_else(|| windows().and_then(find_zone))
            .or_else(|| self.described.get(name).copied().and_then(find_zone))
            .unwrap_or_else(|| self.zone.clone())
    }

    pub(super) fn when(&self, line: &Line, value: &str) -> Result<When, BadFeed> {
        let bad = || BadFeed::Date { line: line.number, value: shown(value) };
        let (wall, clock) = written(value).ok_or_else(bad)?;
        let zone = match (&clock, line.parameter("TZID")) {
            (Clock::Utc, _) => TimeZone::UTC,
            (Clock::Wall, Some(name)) => self.named(name),
            (Clock::Day, _) | (Clock::Wall, None) => self.zone.clone(),
        };
        Ok(When { wall, zone, day: matches!(clock, Clock::Day) })
    }

    /// A time with its end or duration (RFC 5545 §3.3.9).
    pub(super) fn period(&self, line: &Line, start: &str, end: &str) -> Result<(When, Length), BadFeed> {
        let start = self.when(line, start)?;
        let length = if end.starts_with(['P', 'p', '+', '-']) {
            Length::read(line, end)?
        } else {
            between(&start, &self.when(line, end)?)
        };
        Ok((start, length))
    }

    /// How long an event takes: what it says, else the day that it is on, else nothing (RFC 5545 §3.6.1).
    pub(super) fn length(&self, event: &Part, start: &When) -> Result<Length, BadFeed> {
        if let Some(line) = event.line("DTEND") {
            return Ok(between(start, &self.when(line, &line.value)?));
        }
        match event.line("DURATION") {
            Some(line) => Length::read(line, &line.value),
            None => Ok(Length { days: i64::from(start.day), seconds: 0 }),
        }
    }
}

/// How long it is from one time to another. Of days it is at least one: many write the same day twice.
pub(super) fn between(start: &When, end: &When) -> Length {
    if start.day && end.day {
        return Length { days: (end.wall.duration_since(start.wall).as_secs() / DAY).max(1), seconds: 0 };
    }
    Length { days: 0, seconds: end.moment().duration_since(start.moment()).as_secs() }
}
