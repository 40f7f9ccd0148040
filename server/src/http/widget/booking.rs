//! The times that can be chosen, as the panel and the page of a meeting show them: a month of days, and the times of one of them, in the visitor's
//! language and zone.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use porchlight_app::widget::{Booking, DayCell, DayShown, TimeCell};
use porchlight_domain::schedule::{Span, zone, zone_names};

use crate::when::{When, midnight};

/// What the visitor looks at: a month, or a day of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Look {
    /// A month.
    Month(Date),
    /// A day.
    Day(Date),
}

impl Look {
    /// Reads `2026-11` or `2026-11-26`.
    pub(in crate::http) fn read(text: &str) -> Option<Self> {
        match text.len() {
            7 => format!("{text}-01").parse().ok().map(Self::Month),
            10 => text.parse().ok().map(Self::Day),
            _ => None,
        }
    }

    const fn date(self) -> Date {
        match self {
            Self::Month(date) | Self::Day(date) => date,
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::http) struct Wanted {
    /// What was chosen just now: a day, or another month.
    pub(in crate::http) chosen: Option<Look>,
    /// What was shown before.
    pub(in crate::http) before: Option<Look>,
}

impl Wanted {
    fn look(self) -> Option<Look> {
        self.chosen.or(self.before)
    }
}

/// The span in which times are looked for: the month that is asked for, or that of the first free time, in the visitor's zone.
pub(in crate::http) fn month(wanted: Wanted, first: Option<Span>, time_zone: &str, now: Timestamp) -> Span {
    let zone = zone(time_zone);
    let day = wanted.look().map_or_else(|| local(first.map_or(now, |first| first.start), &zone), Look::date);
    let begin = day.first_of_month();
    let end = begin.checked_add(1.month()).unwrap_or(Date::MAX);
    Span { start: midnight(begin, &zone), end: midnight(end, &zone) }
}

fn local(moment: Timestamp, zone: &TimeZone) -> Date {
    moment.to_zoned(zone.clone()).date()
}

/// Lays out the free times of a month. `first` is the first that there is at all, `last` the moment after which there is none.
pub(in crate::http) fn lay_out(
    times: &[Span],
    wanted: Wanted,
    (first, last): (Option<Span>, Timestamp),
    time_zone: &str,
    locale: &str,
    now: Timestamp,
) -> Booking {
    let (writes, zone) = (When::of(locale), zone(time_zone));
    let within = month(wanted, first, time_zone, now);
    let begin = local(within.start, &zone);
    let mut by_day: BTreeMap<Date, Vec<Timestamp>> = BTreeMap::new();
    for span in times {
        by_day.entry(local(span.start, &zone)).or_default().push(span.start);
    }
    let chosen = match wanted.look() {
        Some(Look::Day(day)) => Some(day),
        // Turning to another month chooses no day; at first the first free one is shown.
        _ => by_day.keys().next().copied(),
    };
    let day = chosen.map(|day| DayShown { title: writes.day_of_year(day), chosen: matches!(wanted.chosen, Some(Look::Day(_))) });
    let of_day = chosen.and_then(|day| by_day.get(&day)).map_or(&[][..], Vec::as_slice);
    let (before, after) = (begin.checked_sub(1.month()).unwrap_or(begin), begin.checked_add(1.month()).unwrap_or(begin));
    let text = |month: Date| month.strftime("%Y-%m").to_string();
    // Where nothing can be free there is nothing to turn to.
    let earliest = local(first.map_or(now, |first| first.start), &zone).first_of_month();
    let latest = local(last, &zone).first_of_month();
    let previous = (before >= earliest).then(|| text(before));
    let next = (after <= latest).then(|| text(after));
    let focus = match wanted.chosen {
        Some(Look::Month(_)) => {
            let came_from = wanted.before.map(|before| before.date().first_of_month());
            // Who turns on finds themselves on the same button.
            if came_from.is_some_and(|from| from < begin) {
                next.clone().or(previous.clone())
            } else {
                previous.clone().or(next.clone())
            }
        }
        _ => None,
    };
    Booking {
        month: writes.month(begin),
        previous,
        next,
        weekdays: weekdays(&writes, begin),
        weeks: weeks(&writes, begin, |date| by_day.contains_key(&date), chosen, local(now, &zone)),
        day,
        times: times_of(of_day, &writes, &zone),
        zone: time_zone.to_owned(),
        zones: zones(time_zone),
        shown: match wanted.look() {
            Some(Look::Day(day)) => day.to_string(),
            _ => text(begin),
        },
        focus,
    }
}

fn zones(own: &str) -> Vec<String> {
    let mut zones: BTreeSet<String> = zone_names().into_iter().collect();
    // A browser may know a zone by a name that is old.
    zones.insert(own.to_owned());
    zones.into_iter().collect()
}

fn weekdays(writes: &When, day: Date) -> Vec<(String, String)> {
    let monday = day.checked_sub(i32::from(day.weekday().to_monday_zero_offset()).days()).unwrap_or(day);
    (0..7)
        .map(|index| {
            let ahead = i32::from(writes.first_weekday()) + index;
            writes.weekday(monday.checked_add(ahead.days()).unwrap_or(monday))
        })
        .collect()
}

fn weeks(
    writes: &When,
    begin: Date,
    is_free: impl Fn(Date) -> bool,
    chosen: Option<Date>,
    today: Date,
) -> Vec<Vec<Option<DayCell>>> {
    let blank = (begin.weekday().to_monday_zero_offset() - writes.first_weekday()).rem_euclid(7);
    let mut cells: Vec<Option<DayCell>> = vec![None; usize::from(blank.unsigned_abs())];
    let mut day = begin;
    while day.month() == begin.month() {
        cells.push(Some(DayCell {
            date: day.to_string(),
            number: day.day().to_string(),
            label: writes.day_of_year(day),
            free: is_free(day),
            chosen: chosen == Some(day),
            today: day == today,
        }));
        let Ok(next) = day.tomorrow() else { break };
        day = next;
    }
    cells.resize(cells.len().next_multiple_of(7), None);
    cells.chunks(7).map(<[_]>::to_vec).collect()
}

/// The times of a day. Where the clocks are put back, one that comes twice says which it is.
fn times_of(moments: &[Timestamp], writes: &When, zone: &TimeZone) -> Vec<TimeCell> {
    let labels: Vec<String> = moments.iter().map(|moment| writes.time(*moment, zone)).collect();
    moments
        .iter()
        .zip(&labels)
        .map(|(moment, label)| {
            let twice = labels.iter().filter(|other| *other == label).count() > 1;
            let label =
                if twice { format!("{label} ({})", moment.to_zoned(zone.clone()).strftime("UTC%:z")) } else { label.clone() };
            TimeCell { start: moment.to_string(), label }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn spans(texts: &[&str]) -> Vec<Span> {
        texts.iter().map(|text| Span { start: at(text), end: at(text).checked_add(30.minutes()).unwrap() }).collect()
    }

    #[test]
    fn a_month_is_laid_out_as_its_reader_expects_it() {
        let now = at("2026-11-25T12:00:00Z");
        let times = spans(&["2026-11-26T09:00:00Z", "2026-11-26T15:30:00Z", "2026-11-30T23:30:00Z"]);
        let first = times.first().copied();
        let until = at("2026-12-25T12:00:00Z");
        let shown = lay_out(&times, Wanted::default(), (first, until), "Europe/Berlin", "de-DE", now);
        assert_eq!(
            (shown.month.as_str(), shown.previous.as_deref(), shown.next.as_deref()),
            ("November 2026", None, Some("2026-12"))
        );
        assert_eq!(shown.weekdays[0].1, "Montag");
        assert_eq!(shown.weeks.len(), 6, "it begins with a Sunday");
        assert_eq!((shown.weeks[0][..6].iter().flatten().count(), shown.weeks[0][6].as_ref().unwrap().number.as_str()), (0, "1"));
        assert_eq!(shown.day.as_ref().map(|day| day.title.as_str()), Some("Donnerstag, 26. November"));
        let labels: Vec<_> = shown.times.iter().map(|time| time.label.as_str()).collect();
        assert_eq!(labels, ["10:00", "16:30"]);
        // What is late in the evening in London is the next day, and the next month, in Berlin.
        let free: Vec<_> =
            shown.weeks.iter().flatten().flatten().filter(|cell| cell.free).map(|cell| cell.number.as_str()).collect();
        assert_eq!(free, ["26"]);
        let american = lay_out(&times, Wanted::default(), (first, until), "America/New_York", "en-US", now);
        assert_eq!((american.weekdays[0].1.as_str(), american.weeks[0][0].as_ref().unwrap().number.as_str()), ("Sunday", "1"));
        assert_eq!(american.times[0].label, "4:00\u{202f}AM");
    }

    #[test]
    fn an_hour_that_comes_twice_says_which_it_is() {
        let now = at("2026-10-20T12:00:00Z");
        let times = spans(&["2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"]);
        let wanted = Wanted { chosen: Look::read("2026-10-25"), before: None };
        let shown = lay_out(&times, wanted, (times.first().copied(), now), "Europe/Berlin", "en-GB", now);
        let labels: Vec<_> = shown.times.iter().map(|time| time.label.as_str()).collect();
        assert_eq!(labels, ["02:00 (UTC+02:00)", "02:30", "02:00 (UTC+01:00)", "03:00"]);
        assert!(shown.day.unwrap().chosen);
    }

    #[test]
    fn what_is_looked_at_is_read() {
        assert_eq!(Look::read("2026-11"), Some(Look::Month(jiff::civil::date(2026, 11, 1))));
        assert_eq!(Look::read("2026-11-26"), Some(Look::Day(jiff::civil::date(2026, 11, 26))));
        for bad in ["", "2026", "2026-13", "2026-02-30", "26-11-2026"] {
            assert_eq!(Look::read(bad), None, "{bad}");
        }
    }
}
