//! When somebody is busy, by what other calendars say.
//!
//! The text comes from elsewhere, and may be broken or meant to do harm. So it is read line by line, without recursion; what cannot
//! be understood and would let somebody busy look free is an error that names its line; and all work is counted. Of a series, only
//! what can meet the time that was asked for is computed.

mod line;
mod series;
mod time;

use std::collections::HashMap;

use jiff::{
    Timestamp,
    civil::DateTime,
    tz::{Offset, TimeZone},
};
use porchlight_domain::schedule::Span;
use rrule::{RRuleError, RRuleSet};

use line::{DEPTH_MAX, Line, Part, WANTED, lines, shown};
use series::{RULE_WORK, Rule, Series, Skipped, VAIN_WORK};
use time::{DAY, Length, When, Zones, later, moment};

const CALENDAR: &str = "VCALENDAR";
const EVENT: &str = "VEVENT";
const FREE_BUSY: &str = "VFREEBUSY";
const TIME_ZONE: &str = "VTIMEZONE";
/// How much work one text may be: about as many steps of a rule, or single times. Some seconds at most.
const WORK: u64 = 5_000_000;
/// Why a text does not say when somebody is busy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadFeed {
    /// It is something else.
    #[error("expected a calendar in the iCalendar format, which begins with BEGIN:VCALENDAR")]
    NotACalendar,
    /// It ends too early.
    #[error("expected END:VCALENDAR at the end of the calendar: it is cut off")]
    CutOff,
    /// There is no such date or time.
    #[error("line {line}: expected a date such as 20260131 or a time such as 20260131T090000Z, got {value:?}")]
    Date {
        /// The line, counted from one.
        line: usize,
        /// What is there instead.
        value: String,
    },
    /// There is no such duration.
    #[error("line {line}: expected a duration such as PT30M or P1D, got {value:?}")]
    Duration {
        /// The line, counted from one.
        line: usize,
        /// What is there instead.
        value: String,
    },
    /// A rule that cannot be followed.
    #[error("line {line}: expected a rule for repetition of RFC 5545, hourly at most, got {value:?}: {problem}")]
    Rule {
        /// The line, counted from one.
        line: usize,
        /// What is there instead.
        value: String,
        /// What is wrong with it.
        problem: String,
    },
    /// There is more than is kept.
    #[error("expected at most {limit} separate busy times")]
    TooMany {
        /// The most that is kept.
        limit: usize,
    },
    /// It repeats more than can be followed.
    #[error("expected fewer repetitions: they are more than can be followed")]
    TooMuch,
}

/// When somebody is busy, of what meets a span: by one calendar or several after each other. The spans are in their order and do
/// not touch.
///
/// Days and times without a time zone are taken in `zone`. Events whose UID is one of `own_uid`'s are left out. What is busy:
/// events that are neither transparent nor cancelled, with all their repetitions, and busy times as such (VFREEBUSY). A change of
/// one repetition counts in its place. So does one of "this and all that follow" (`RANGE=THISANDFUTURE`), for this one:
/// calendars write such a change as a new series.
///
/// # Errors
/// If the text is no calendar, or says something that cannot be followed, or there are more than `limit` spans.
pub fn busy(
    ics: &str,
    within: Span,
    zone: &TimeZone,
    own_uid: &dyn Fn(&str) -> bool,
    limit: usize,
) -> Result<Vec<Span>, BadFeed> {
    let mut reader = Reader { within, zone, own_uid, limit, work: WORK, spans: Vec::new() };
    reader.read(ics)?;
    let spans = merged(reader.spans);
    if spans.len() > limit { Err(BadFeed::TooMany { limit }) } else { Ok(spans) }
}

/// What reads a text, and what it has found.
struct Reader<'a> {
    within: Span,
    zone: &'a TimeZone,
    own_uid: &'a dyn Fn(&str) -> bool,
    limit: usize,
    /// How much work may still be done.
    work: u64,
    spans: Vec<Span>,
}

impl Reader<'_> {
    fn read(&mut self, text: &str) -> Result<(), BadFeed> {
        let mut open: Vec<String> = Vec::new();
        let mut parts: Vec<Part> = Vec::new();
        let mut calendars = 0;
        for (number, text) in lines(text.trim_start_matches('\u{feff}')) {
            let Some(line) = Line::read(number, &text) else { continue };
            match line.name.as_str() {
                "BEGIN" => {
                    let kind = line.value.to_ascii_uppercase();
                    match (open.len(), kind == CALENDAR) {
                        (0, true) => calendars += 1,
                        (0, false) | (DEPTH_MAX.., _) => return Err(BadFeed::NotACalendar),
                        (_, true) => return Err(BadFeed::CutOff),
                        (1, false) => parts.push(Part { kind: kind.clone(), lines: Vec::new() }),
                        (_, false) => {}
                    }
                    open.push(kind);
                }
                "END" => {
                    let kind = line.value.to_ascii_uppercase();
                    if let Some(at) = open.iter().rposition(|open| *open == kind) {
                        open.truncate(at);
                        if at == 0 {
                            self.calendar(&std::mem::take(&mut parts))?;
                        }
                    }
                }
                // Of an event, and not of its alarms.
                name if open.len() == 2 && WANTED.contains(&name) => {
                    if let Some(part) = parts.last_mut() {
                        part.lines.push(line);
                    }
                }
                _ => {}
            }
        }
        match (calendars, open.is_empty()) {
            (0, _) => Err(BadFeed::NotACalendar),
            (_, false) => Err(BadFeed::CutOff),
            (_, true) => Ok(()),
        }
    }

    fn calendar(&mut self, parts: &[Part]) -> Result<(), BadFeed> {
        let zones = Zones::new(self.zone, parts);
        let own_uid = self.own_uid;
        let others: Vec<_> = parts.iter().filter(|part| part.value("UID").is_none_or(|uid| !own_uid(uid))).collect();
        // Which repetitions of a series have an event of their own.
        let mut changed: HashMap<&str, Vec<When>> = HashMap::new();
        for event in others.iter().filter(|part| part.kind == EVENT) {
            if let (Some(uid), Some(line)) = (event.value("UID"), event.line("RECURRENCE-ID")) {
                changed.entry(uid).or_default().push(zones.when(line, &line.value)?);
            }
        }
        for part in &others {
            match part.kind.as_str() {
                EVENT => {
                    let changed = part.value("UID").and_then(|uid| changed.get(uid)).map(Vec::as_slice);
                    self.event(part, &zones, changed.unwrap_or_default())?;
                }
                FREE_BUSY => self.free_busy(part, &zones)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn event(&mut self, event: &Part, zones: &Zones<'_>, changed: &[When]) -> Result<(), BadFeed> {
        if event.says("TRANSP", "TRANSPARENT") || event.says("STATUS", "CANCELLED") {
            return Ok(());
        }
        let Some(line) = event.line("DTSTART") else { return Ok(()) };
        let start = zones.when(line, &line.value)?;
        let length = zones.length(event, &start)?;
        if event.line("RECURRENCE-ID").is_some() {
            return self.once(&start.zone, start.wall, length);
        }
        let mut skipped = Skipped::default();
        for line in event.lines("EXDATE") {
            for value in line.values() {
                skipped.add(&zones.when(line, value)?, &start);
            }
        }
        for when in changed {
            skipped.add(when, &start);
        }
        let series = Series { start, length, skipped };
        // The start is the first of a series, whatever the rule says (RFC 5545 §3.8.5.3).
        self.one_of(&series, &series.start.zone, series.start.wall, length)?;
        for line in event.lines("RRULE") {
            self.repeat(line, &series)?;
        }
        for line in event.lines("RDATE") {
            for value in line.values() {
                let (when, length) = match value.split_once('/') {
                    Some((start, end)) => zones.period(line, start, end)?,
                    None => (zones.when(line, value)?, length),
                };
                self.one_of(&series, &when.zone, when.wall, length)?;
            }
        }
        Ok(())
    }

    /// Follows a rule as far as it can meet the time that was asked for.
    ///
    /// The crate is given times of the wall as if they were in UTC: so it does not matter which zones it knows, and what clocks
    /// leave out or show twice is as everywhere here.
    fn repeat(&mut self, line: &Line, series: &Series) -> Result<(), BadFeed> {
        self.spend(RULE_WORK)?;
        let rule = Rule::read(line, &series.start)?;
        let start = series.start.wall;
        let zone = &series.start.zone;
        let length = (series.length.days * DAY).saturating_add(series.length.seconds).max(0);
        // A day more on both sides: no clock is changed by as much.
        let first = zone.to_datetime(later(self.within.start, -length.saturating_add(DAY)));
        let end = zone.to_datetime(later(self.within.end, DAY));
        let last = rule.until.map_or(end, |until| until.min(end));
        if last < first || last <= start {
            return Ok(());
        }
        let from = if rule.count.is_some() { start } else { rule.near(start, first) };
        let text = format!("DTSTART:{}Z\nRRULE:{}", from.strftime("%Y%m%dT%H%M%S"), rule.rest);
        let times: RRuleSet = text.parse().map_err(|error: RRuleError| line.bad_rule(&error.to_string()))?;
        let times = times.limit();
        let mut times = times.into_iter();
        let mut before = from;
        let mut counted = 1;
        while rule.count.is_none_or(|count| counted < count) {
            let Some(time) = times.next() else { return self.spend(VAIN_WORK) };
            let Ok(time) = Timestamp::from_second(time.timestamp()) else { return Ok(()) };
            let wall = Offset::UTC.to_datetime(time);
            self.spend(rule.work(before, wall))?;
            before = wall;
            if wall > last {
                return Ok(());
            }
            if wall == start {
                continue;
            }
            counted += 1;
            if wall >= first {
                self.one_of(series, zone, wall, series.length)?;
            }
        }
        Ok(())
    }

    fn free_busy(&mut self, part: &Part, zones: &Zones<'_>) -> Result<(), BadFeed> {
        for line in part.lines("FREEBUSY") {
            if line.parameter("FBTYPE").is_some_and(|kind| kind.eq_ignore_ascii_case("FREE")) {
                continue;
            }
            for value in line.values() {
                let bad = || BadFeed::Date { line: line.number, value: shown(value) };
                let (start, end) = value.split_once('/').ok_or_else(bad)?;
                let (start, length) = zones.period(line, start, end)?;
                self.once(&start.zone, start.wall, length)?;
            }
        }
        Ok(())
    }

    /// One of a series, unless it does not take place.
    fn one_of(&mut self, series: &Series, zone: &TimeZone, wall: DateTime, length: Length) -> Result<(), BadFeed> {
        if series.skipped.has(zone, wall) { Ok(()) } else { self.once(zone, wall, length) }
    }

    fn once(&mut self, zone: &TimeZone, wall: DateTime, length: Length) -> Result<(), BadFeed> {
        self.spend(1)?;
        let span = Span { start: moment(zone, wall), end: length.end(zone, wall) };
        if span.start < span.end && span.meets(&self.within) {
            self.spans.push(span);
            // Now and then, so that what overlaps does not fill the memory.
            if self.spans.len() > self.limit.saturating_mul(2).saturating_add(1_000) {
                self.spans = merged(std::mem::take(&mut self.spans));
                if self.spans.len() > self.limit {
                    return Err(BadFeed::TooMany { limit: self.limit });
                }
            }
        }
        Ok(())
    }

    fn spend(&mut self, work: u64) -> Result<(), BadFeed> {
        self.work = self.work.checked_sub(work).ok_or(BadFeed::TooMuch)?;
        Ok(())
    }
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

#[cfg(test)]
mod tests {
    use proptest::{
        prelude::*,
        sample::{select, subsequence},
    };

    use porchlight_domain::schedule::find_zone;

    use super::{time::WINDOWS, *};

    fn span(start: &str, end: &str) -> Span {
        Span { start: start.parse().unwrap(), end: end.parse().unwrap() }
    }

    fn year() -> Span {
        span("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z")
    }

    /// A calendar with these lines in it.
    fn calendar(lines: &str) -> String {
        let lines = lines.lines().map(str::trim).collect::<Vec<_>>().join("\r\n");
        format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{lines}\r\nEND:VCALENDAR\r\n")
    }

    /// A calendar with one event, whose first line is the fifth of the text.
    fn event(lines: &str) -> String {
        calendar(&format!("BEGIN:VEVENT\nUID:other\n{lines}\nEND:VEVENT"))
    }

    fn read(ics: &str, within: Span, zone: &str) -> Result<Vec<String>, BadFeed> {
        let spans = busy(ics, within, &find_zone(zone).unwrap(), &|uid| uid == "own", 100)?;
        // Seconds are never anything but nought here.
        let short = |moment: Timestamp| moment.strftime("%m-%dT%H:%M").to_string();
        Ok(spans.into_iter().map(|span| format!("{} {}", short(span.start), short(span.end))).collect())
    }

    fn berlin(ics: &str) -> Vec<String> {
        read(ics, year(), "Europe/Berlin").unwrap()
    }

    fn problem(ics: &str) -> String {
        read(ics, year(), "Europe/Berlin").unwrap_err().to_string()
    }

    #[test]
    fn an_event_takes_what_it_says_or_its_day_or_nothing() {
        for (lines, expected) in [
            ("DTSTART:20260310T090000Z\nDTEND:20260310T093000Z", "03-10T09:00 03-10T09:30"),
            ("DTSTART:20260310T090000Z\nDURATION:PT1H30M", "03-10T09:00 03-10T10:30"),
            ("DTSTART:20260310T090000Z\nDURATION:P1DT1H", "03-10T09:00 03-11T10:00"),
            ("DTSTART:20260310T090000Z\nDURATION:P1W", "03-10T09:00 03-17T09:00"),
            ("DTSTART;VALUE=DATE:20260310", "03-09T23:00 03-10T23:00"),
            ("DTSTART;VALUE=DATE:20260310\nDTEND;VALUE=DATE:20260312", "03-09T23:00 03-11T23:00"),
            ("DTSTART;VALUE=DATE:20260310\nDTEND;VALUE=DATE:20260310", "03-09T23:00 03-10T23:00"),
            ("DTSTART;VALUE=DATE:20260310\nDURATION:P2D", "03-09T23:00 03-11T23:00"),
            ("dtstart;value=date:20260310\ndtend:20260310t120000z", "03-09T23:00 03-10T12:00"),
            // The alarm of an event has a duration, too.
            (
                "DTSTART:20260310T090000Z\nBEGIN:VALARM\nDURATION:PT5H\nREPEAT:2\nEND:VALARM\nDTEND:20260310T093000Z",
                "03-10T09:00 03-10T09:30",
            ),
            ("DTSTART:20260310T090000Z\nDTEND:20260310T103060Z", "03-10T09:00 03-10T10:30"),
        ] {
            assert_eq!(berlin(&event(lines)), [expected], "{lines}");
        }
        for lines in [
            "DTSTART:20260310T090000Z",
            "DTSTART:20260310T090000Z\nDTEND:20260310T090000Z",
            "DTSTART:20260310T090000Z\nDTEND:20260310T080000Z",
            "DTSTART:20260310T090000Z\nDURATION:-PT1H",
            "SUMMARY:no time at all",
            // What does not meet the time that was asked for.
            "DTSTART:20251231T230000Z\nDTEND:20260101T000000Z",
            "DTSTART:20270101T000000Z\nDTEND:20270101T010000Z",
        ] {
            assert!(berlin(&event(lines)).is_empty(), "{lines}");
        }
    }

    #[test]
    fn what_is_transparent_cancelled_or_ours_is_free() {
        let times = "DTSTART:20260310T090000Z\nDTEND:20260310T093000Z\nRRULE:FREQ=DAILY;COUNT=3";
        assert_eq!(berlin(&event(times)).len(), 3);
        assert_eq!(berlin(&event(&format!("{times}\nTRANSP:OPAQUE\nSTATUS:TENTATIVE"))).len(), 3);
        assert!(berlin(&event(&format!("{times}\nTRANSP:TRANSPARENT"))).is_empty());
        assert!(berlin(&event(&format!("STATUS:cancelled\n{times}"))).is_empty());
        assert!(berlin(&calendar(&format!("BEGIN:VEVENT\nUID:own\n{times}\nEND:VEVENT"))).is_empty());
        assert_eq!(berlin(&calendar(&format!("BEGIN:VEVENT\n{times}\nEND:VEVENT"))).len(), 3);
        assert!(berlin(&calendar(&format!("BEGIN:VTODO\nUID:x\n{times}\nEND:VTODO"))).is_empty());
    }

    #[test]
    fn time_zones_are_known_by_many_names() {
        let mine = "BEGIN:VTIMEZONE\nTZID:Mine\nX-LIC-LOCATION:Asia/Tokyo\nBEGIN:STANDARD\nDTSTART:16010101T000000\n\
            RRULE:FREQ=YEARLY\nTZOFFSETFROM:+0900\nTZOFFSETTO:+0900\nEND:STANDARD\nEND:VTIMEZONE\n";
        for (start, expected) in [
            ("DTSTART:20260310T090000Z", "03-10T09:00"),
            // Floating: as it is where the agent is.
            ("DTSTART:20260310T090000", "03-10T08:00"),
            ("DTSTART;TZID=America/New_York:20260310T090000", "03-10T13:00"),
            ("DTSTART;TZID=\"america/new_york\":20260310T090000", "03-10T13:00"),
            ("DTSTART;X-A=\"a:b;c\";TZID=America/New_York:20260310T090000", "03-10T13:00"),
            ("DTSTART;TZID=/citadel.org/20250101_1/America/New_York:20260310T090000", "03-10T13:00"),
            ("DTSTART;TZID=Pacific Standard Time:20260310T090000", "03-10T16:00"),
            ("DTSTART;TZID=Mine:20260310T090000", "03-10T00:00"),
            ("DTSTART;TZID=Nobody's Time:20260310T090000", "03-10T08:00"),
        ] {
            let text = calendar(&format!("{mine}BEGIN:VEVENT\n{start}\nDURATION:PT1H\nEND:VEVENT"));
            let spans = berlin(&text);
            assert!(spans.len() == 1 && spans[0].starts_with(expected), "{start}: {spans:?}");
        }
        for (windows, iana) in WINDOWS {
            assert!(find_zone(iana).is_some(), "{windows}: {iana}");
        }
    }

    #[test]
    fn days_are_as_long_as_clocks_make_them() {
        for (zone, date, expected) in [
            ("Europe/Berlin", "20260329", "03-28T23:00 03-29T22:00"),
            ("Europe/Berlin", "20261025", "10-24T22:00 10-25T23:00"),
            ("America/New_York", "20260308", "03-08T05:00 03-09T04:00"),
            ("America/New_York", "20261101", "11-01T04:00 11-02T05:00"),
        ] {
            assert_eq!(read(&event(&format!("DTSTART;VALUE=DATE:{date}")), year(), zone).unwrap(), [expected]);
        }
    }

    #[test]
    fn what_repeats_stays_at_its_time_on_the_wall() {
        for (start, expected) in [
            ("Europe/Berlin:20260328T090000", ["03-28T08:00 03-28T08:10", "03-29T07:00 03-29T07:10", "03-30T07:00 03-30T07:10"]),
            // A time that clocks leave out is counted from before.
            ("Europe/Berlin:20260328T023000", ["03-28T01:30 03-28T01:40", "03-29T01:30 03-29T01:40", "03-30T00:30 03-30T00:40"]),
            ("Europe/Berlin:20261024T090000", ["10-24T07:00 10-24T07:10", "10-25T08:00 10-25T08:10", "10-26T08:00 10-26T08:10"]),
            // Of a time that they show twice it is the first.
            ("Europe/Berlin:20261024T023000", ["10-24T00:30 10-24T00:40", "10-25T00:30 10-25T00:40", "10-26T01:30 10-26T01:40"]),
            (
                "America/New_York:20260307T090000",
                ["03-07T14:00 03-07T14:10", "03-08T13:00 03-08T13:10", "03-09T13:00 03-09T13:10"],
            ),
            (
                "America/New_York:20260307T023000",
                ["03-07T07:30 03-07T07:40", "03-08T07:30 03-08T07:40", "03-09T06:30 03-09T06:40"],
            ),
            (
                "America/New_York:20261031T090000",
                ["10-31T13:00 10-31T13:10", "11-01T14:00 11-01T14:10", "11-02T14:00 11-02T14:10"],
            ),
            (
                "America/New_York:20261031T013000",
                ["10-31T05:30 10-31T05:40", "11-01T05:30 11-01T05:40", "11-02T06:30 11-02T06:40"],
            ),
        ] {
            let text = event(&format!("DTSTART;TZID={start}\nDURATION:PT10M\nRRULE:FREQ=DAILY;COUNT=3"));
            assert_eq!(berlin(&text), expected, "{start}");
        }
        // An end is so much later, a duration in days ends at the same time on the wall (RFC 5545 §3.8.5.3).
        let start = "DTSTART;TZID=Europe/Berlin:20260327T120000";
        let exact = format!("{start}\nDTEND;TZID=Europe/Berlin:20260328T120000\nRRULE:FREQ=WEEKLY;BYDAY=SA;COUNT=2");
        assert_eq!(berlin(&event(&exact)), ["03-27T11:00 03-29T11:00"]);
        let nominal = format!("{start}\nDURATION:P1D\nRRULE:FREQ=WEEKLY;BYDAY=SA;COUNT=2");
        assert_eq!(berlin(&event(&nominal)), ["03-27T11:00 03-29T10:00"]);
    }

    #[test]
    fn one_of_a_series_is_left_out_moved_or_cancelled() {
        let text = calendar(
            "BEGIN:VEVENT
            UID:series
            DTSTART;TZID=Europe/Berlin:20260302T100000
            DTEND;TZID=Europe/Berlin:20260302T110000
            RRULE:FREQ=WEEKLY;COUNT=6
            EXDATE;TZID=Europe/Berlin:20260309T100000
            EXDATE;VALUE=DATE:20260406
            END:VEVENT
            BEGIN:VEVENT
            UID:series
            RECURRENCE-ID;TZID=Europe/Berlin:20260316T100000
            DTSTART;TZID=Europe/Berlin:20260317T140000
            DTEND;TZID=Europe/Berlin:20260317T150000
            END:VEVENT
            BEGIN:VEVENT
            UID:series
            RECURRENCE-ID:20260323T090000Z
            DTSTART:20260323T090000Z
            DTEND:20260323T100000Z
            STATUS:CANCELLED
            END:VEVENT",
        );
        assert_eq!(berlin(&text), ["03-02T09:00 03-02T10:00", "03-17T13:00 03-17T14:00", "03-30T08:00 03-30T09:00"]);
        // Whole days: however the day that is left out is written. The start itself can be left out.
        for left_out in ["EXDATE;VALUE=DATE:20260311", "EXDATE:20260310T230000Z", "EXDATE:20260311T000000Z,20260401T000000Z"] {
            let text = event(&format!("DTSTART;VALUE=DATE:20260310\nRRULE:FREQ=DAILY;COUNT=3\n{left_out}"));
            assert_eq!(berlin(&text), ["03-09T23:00 03-10T23:00", "03-11T23:00 03-12T23:00"], "{left_out}");
        }
        let text = event("DTSTART:20260310T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=2\nEXDATE:20260310T090000Z");
        assert_eq!(berlin(&text), ["03-11T09:00 03-11T10:00"]);
        // A change whose series is not there counts for itself.
        let text = event("RECURRENCE-ID:20260310T090000Z\nDTSTART:20260311T090000Z\nDURATION:PT1H");
        assert_eq!(berlin(&text), ["03-11T09:00 03-11T10:00"]);
    }

    #[test]
    fn rules_end_where_they_say() {
        let days = |lines: &str, within: Span| {
            let lines = lines.replace(" RRULE", "\nDURATION:PT1H\nRRULE");
            let spans = read(&event(&lines), within, "Europe/Berlin").unwrap();
            spans.iter().map(|span| span[..5].to_owned()).collect::<Vec<_>>().join(" ")
        };
        for (lines, expected) in [
            ("DTSTART:20260310T090000Z RRULE:FREQ=DAILY;UNTIL=20260312", "03-10 03-11 03-12"),
            ("DTSTART:20260310T090000Z RRULE:FREQ=DAILY;UNTIL=20260312T090000Z", "03-10 03-11 03-12"),
            ("DTSTART:20260310T090000Z RRULE:FREQ=DAILY;UNTIL=20260312T085959Z", "03-10 03-11"),
            ("DTSTART;TZID=Europe/Berlin:20260328T090000 RRULE:FREQ=DAILY;UNTIL=20260329T070000Z", "03-28 03-29"),
            // It ends before it begins, or has only its start: that counts.
            ("DTSTART:20260310T090000Z RRULE:FREQ=DAILY;UNTIL=20260301T000000Z", "03-10"),
            ("DTSTART:20260310T090000Z RRULE:FREQ=DAILY;COUNT=1", "03-10"),
            // Empty parts and small letters.
            ("DTSTART:20260310T090000Z RRULE:freq=daily;count=2;byday=;", "03-10 03-11"),
            ("DTSTART:20260130T100000Z RRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=3", "01-30 02-27 03-27"),
            ("DTSTART:20250131T100000Z RRULE:FREQ=MONTHLY", "01-31 03-31 05-31 07-31 08-31 10-31 12-31"),
            ("DTSTART:20251229T100000Z RRULE:FREQ=WEEKLY;COUNT=4", "01-05 01-12 01-19"),
            ("DTSTART:19800229T100000Z RRULE:FREQ=YEARLY", ""),
            ("DTSTART:19800228T100000Z RRULE:FREQ=YEARLY", "02-28"),
            // There is no such day.
            ("DTSTART:20260310T090000Z RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "03-10"),
        ] {
            assert_eq!(days(lines, year()), expected, "{lines}");
        }
        let leap = span("2028-01-01T00:00:00Z", "2029-01-01T00:00:00Z");
        assert_eq!(days("DTSTART:20040229T100000Z RRULE:FREQ=YEARLY", leap), "02-29");
        // Every other week since long ago: the right one.
        let weeks = span("2026-03-02T00:00:00Z", "2026-03-16T00:00:00Z");
        let rule = "DTSTART:19700105T100000Z RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE";
        assert_eq!(days(rule, weeks), "03-02 03-04");
        assert_eq!(days(&rule.replace("19700105", "19700112"), weeks), "03-09 03-11");
        // From where it is followed does not matter: with a count it is from the start.
        let within = span("2026-05-01T00:00:00Z", "2026-08-01T00:00:00Z");
        let byday = "MONTHLY;INTERVAL=5;BYDAY=2MO";
        for rule in ["DAILY;INTERVAL=3", "WEEKLY;BYDAY=TU,FR;WKST=SU", "MONTHLY;BYMONTHDAY=-1", byday, "HOURLY;INTERVAL=31"] {
            let lines = format!("DTSTART:20180103T100000Z RRULE:FREQ={rule}");
            let found = days(&lines, within);
            assert_eq!(found, days(&format!("{lines};COUNT=4000000"), within), "{rule}");
            assert!(!found.is_empty(), "{rule}");
        }
    }

    #[test]
    fn single_times_are_added_to_a_series() {
        let text = event(
            "DTSTART:20260310T090000Z\nDTEND:20260310T093000Z\nRDATE:20260312T090000Z,20260313T090000Z\n\
            RDATE;VALUE=PERIOD:20260314T090000Z/PT2H,20260315T090000Z/20260315T091000Z\nEXDATE:20260313T090000Z",
        );
        assert_eq!(
            berlin(&text),
            ["03-10T09:00 03-10T09:30", "03-12T09:00 03-12T09:30", "03-14T09:00 03-14T11:00", "03-15T09:00 03-15T09:10"]
        );
    }

    #[test]
    fn busy_times_are_busy() {
        let text = calendar(
            "BEGIN:VFREEBUSY
            FREEBUSY:20260310T090000Z/PT1H,20260311T090000Z/20260311T100000Z
            FREEBUSY;FBTYPE=BUSY-TENTATIVE:20260312T090000Z/PT1H
            FREEBUSY;FBTYPE=FREE:20260313T090000Z/PT1H
            END:VFREEBUSY",
        );
        assert_eq!(berlin(&text), ["03-10T09:00 03-10T10:00", "03-11T09:00 03-11T10:00", "03-12T09:00 03-12T10:00"]);
    }

    #[test]
    fn several_calendars_are_one() {
        let first = event("DTSTART:20260311T090000Z\nDURATION:PT1H");
        let second = event("DTSTART:20260310T090000Z\nDURATION:PT1H\nRDATE:20260310T100000Z,20260310T093000Z,20260310T120000Z");
        let expected = ["03-10T09:00 03-10T11:00", "03-10T12:00 03-10T13:00", "03-11T09:00 03-11T10:00"];
        assert_eq!(berlin(&format!("{first}{second}")), expected);
        assert_eq!(berlin(&format!("\u{feff}{first}\r\n\r\n{second}").replace("\r\n", "\n")), expected);
        assert!(berlin(&calendar("")).is_empty());
        // Folded in the middle of names and values, with lines that are none.
        let folded = "BEGIN:VCALENDAR\nBEGIN:VEV\n ENT\nno line\nDTSTA\n RT:2026\n\t0310T090000Z\n\n\
            DURATION:PT1H\nEND:VEVENT\nEND:VCALENDAR";
        assert_eq!(berlin(folded), ["03-10T09:00 03-10T10:00"]);
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_line() {
        for text in ["", "<html>BEGIN:VCALENDAR</html>", "BEGIN:VCARD\nEND:VCARD", "BEGIN:VEVENT\nEND:VEVENT"] {
            assert!(problem(text).contains("begins with BEGIN:VCALENDAR"), "{text}");
        }
        let whole = event("DTSTART:20260310T090000Z\nDURATION:PT1H");
        for text in [whole.replace("END:VCALENDAR\r\n", ""), format!("{}{whole}", whole.replace("END:VCALENDAR\r\n", ""))] {
            assert!(problem(&text).contains("cut off"), "{text}");
        }
        for (lines, expected) in [
            ("DTSTART:2026-03-10T09:00", "line 5: expected a date such as 20260131"),
            ("SUMMARY:x\n  y\nDTSTART:20260230", "line 7: expected a date"),
            ("DTSTART:20260310T250000Z", "line 5: expected a date"),
            ("DTSTART:20260310T0900Z", "line 5: expected a date"),
            ("DTSTART:+0260310", "line 5: expected a date"),
            ("DTSTART:", "line 5: expected a date"),
            ("DTSTART:20260310T090000Z\nDTEND:tomorrow", "line 6: expected a date"),
            ("DTSTART:20260310T090000Z\nDURATION:1 hour", "line 6: expected a duration"),
            ("DTSTART:20260310T090000Z\nDURATION:P1M", "line 6: expected a duration"),
            ("DTSTART:20260310T090000Z\nDURATION:", "line 6: expected a duration"),
            ("DTSTART:20260310T090000Z\nEXDATE:20260310T090000Z,x", "line 6: expected a date"),
            ("RECURRENCE-ID:x\nDTSTART:20260310T090000Z", "line 5: expected a date"),
            ("DTSTART:20260310T090000Z\nRRULE:FREQ=SECONDLY", "line 6: expected a rule"),
            ("DTSTART:20260310T090000Z\nRRULE:FREQ=MINUTELY;COUNT=2", "FREQ=MINUTELY"),
            ("DTSTART:20260310T090000Z\nRRULE:COUNT=2", "how often"),
            ("DTSTART:20260310T090000Z\nRRULE:FREQ", "no value"),
            ("DTSTART:20260310T090000Z\nRRULE:FREQ=DAILY;INTERVAL=0", "INTERVAL=0"),
            ("DTSTART:20260310T090000Z\nRRULE:FREQ=DAILY;INTERVAL=70000", "INTERVAL=70000"),
            ("DTSTART:20260310T090000Z\nRRULE:FREQ=DAILY;COUNT=-1", "COUNT=-1"),
            ("DTSTART:20260310T090000Z\nRRULE:FREQ=DAILY;UNTIL=later", "UNTIL=LATER"),
            ("DTSTART:20260310T090000Z\nRRULE:FREQ=WEEKLY;BYDAY=é€", "characters that no rule has"),
            ("DTSTART:20260310T090000Z\nRRULE:FREQ=WEEKLY;BYDAY=XX", "line 6: expected a rule"),
            ("DTSTART:20260310T090000Z\nRRULE:FREQ=YEARLY;BYMONTH=13", "line 6: expected a rule"),
            ("DTSTART:20260310T090000Z\nRRULE:FREQ=YEARLY;RSCALE=HEBREW", "line 6: expected a rule"),
            (
                "DTSTART:20260310T090000Z\nRRULE:FREQ=YEARLY;BYHOUR=1,2,3,4,5,6,7,8,9,10;BYMINUTE=0,1,2,3,4,5,6,7,8,9",
                "too many times a day",
            ),
        ] {
            let problem = problem(&event(lines));
            assert!(problem.contains(expected), "{lines}: {problem}");
        }
        // What is free may be as it likes.
        assert!(berlin(&event("TRANSP:TRANSPARENT\nDTSTART:x")).is_empty());
        let long = problem(&event(&format!("DTSTART:{}", "9".repeat(10_000))));
        assert!(long.len() < 300, "{long}");
    }

    #[test]
    fn no_text_takes_more_than_its_share() {
        let daily = event("DTSTART:20260101T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY");
        assert_eq!(problem(&daily), "expected at most 100 separate busy times");
        // What overlaps is not many.
        let hourly = event("DTSTART:00010101T000000Z\nDURATION:PT1H\nRRULE:FREQ=HOURLY");
        let day = span("2026-03-10T00:00:00Z", "2026-03-11T00:00:00Z");
        assert_eq!(read(&hourly, day, "UTC").unwrap(), ["03-10T00:00 03-11T00:00"]);
        let hours = read(&hourly, year(), "UTC").unwrap();
        assert_eq!(hours, ["01-01T00:00 01-01T00:00"]);
        // The work is counted, whatever is found.
        for (text, work) in [(&daily, 500), (&hourly, 500)] {
            let zone = TimeZone::UTC;
            let mut reader = Reader { within: year(), zone: &zone, own_uid: &|_| false, limit: 100_000, work, spans: Vec::new() };
            assert_eq!(reader.read(text), Err(BadFeed::TooMuch));
        }
        let deep = format!("BEGIN:VCALENDAR\n{}", "BEGIN:X\n".repeat(200_000));
        assert!(matches!(read(&deep, year(), "UTC"), Err(BadFeed::NotACalendar)));
    }

    const PARTS: [&str; 15] = [
        "INTERVAL=7",
        "INTERVAL=65535",
        "COUNT=300",
        "UNTIL=20260601",
        "BYMONTH=1,2,12",
        "BYMONTHDAY=-31,29,31",
        "BYYEARDAY=-366,1,366",
        "BYWEEKNO=-53,1,53",
        "BYDAY=MO,SU",
        "BYDAY=-1FR,5TU",
        "BYHOUR=0,23",
        "BYMINUTE=59",
        "BYSECOND=0,59",
        "BYSETPOS=-1,2",
        "WKST=SU",
    ];
    const STARTS: [&str; 5] = ["00000101T000000", "19700101T120000", "20240229T235959", "20261231T010203", "99991231T235959"];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_rule_makes_it_stop(
            frequency in select(vec!["HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
            parts in subsequence(PARTS.to_vec(), 0..=4),
            start in select(STARTS.to_vec()),
        ) {
            let rule = parts.iter().fold(format!("FREQ={frequency}"), |rule, part| format!("{rule};{part}"));
            let within = span("2026-01-01T00:00:00Z", "2026-04-01T00:00:00Z");
            // That it comes back is all that is asked.
            let _ = read(&event(&format!("DTSTART:{start}\nDURATION:PT1H\nRRULE:{rule}")), within, "Europe/Berlin");
        }

        #[test]
        fn no_text_makes_it_stop(
            lines in proptest::collection::vec("(BEGIN|END|DTSTART|RRULE|EXDATE)?[;:=/,\"A-Z0-9é-]{0,12}", 0..20),
        ) {
            let _ = read(&calendar(&lines.join("\n")), year(), "Europe/Berlin");
            let _ = read(&event(&lines.join("\n")), year(), "Europe/Berlin");
        }
    }
}
