//! Days and times as people of a language write them.
//!
//! The panel works without script, and letters have none: so what a browser would write by `Intl`, the server writes by the same data (CLDR).

use icu_calendar::{preferences::CalendarAlgorithm, types::Weekday, week::WeekInformation};
use icu_datetime::{
    DateTimeFormatter, DateTimeFormatterPreferences, NoCalendarFormatter,
    fieldsets::{E, MDE, T, YM, YMDE, YMDET},
    input::{Date as IcuDate, DateTime, Time},
};
use icu_locale_core::Locale;
use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// The first moment of a day in a time zone.
pub(crate) fn midnight(day: Date, zone: &TimeZone) -> Timestamp {
    day.to_zoned(zone.clone()).map_or(Timestamp::MAX, |zoned| zoned.timestamp())
}

/// Writes days and times in a language.
#[derive(Debug, Clone)]
pub struct When {
    locale: Locale,
}

impl When {
    /// For the first of some languages, as in `Accept-Language`, that is one.
    #[must_use]
    pub fn of(languages: &str) -> Self {
        let tags = languages.split(',').map(|tag| tag.split(';').next().unwrap_or_default().trim().replace('_', "-"));
        let locale = tags.filter(|tag| !tag.is_empty()).find_map(|tag| Locale::try_from_str(&tag).ok());
        Self { locale: locale.unwrap_or(Locale::UNKNOWN) }
    }

    /// Meetings are by the Gregorian calendar, whatever a language is used to: the grid of days is.
    fn preferences(&self) -> DateTimeFormatterPreferences {
        let mut preferences = DateTimeFormatterPreferences::from(&self.locale);
        preferences.calendar_algorithm = Some(CalendarAlgorithm::Gregory);
        preferences
    }

    /// A time of a day.
    #[must_use]
    pub fn time(&self, moment: Timestamp, zone: &TimeZone) -> String {
        let (_, time) = parts(moment, zone);
        let Ok(formatter) = NoCalendarFormatter::try_new(self.preferences(), T::hm()) else {
            return plain(moment, zone, "%H:%M");
        };
        formatter.format(&time).to_string()
    }

    /// A day with its day of the week, and a time.
    #[must_use]
    pub fn day_and_time(&self, moment: Timestamp, zone: &TimeZone) -> String {
        let (date, time) = parts(moment, zone);
        let fields = YMDE::long().with_time_hm();
        let formatter: Result<DateTimeFormatter<YMDET>, _> = DateTimeFormatter::try_new(self.preferences(), fields);
        match (formatter, date) {
            (Ok(formatter), Some(date)) => formatter.format(&DateTime { date, time }).to_string(),
            _ => plain(moment, zone, "%Y-%m-%d %H:%M"),
        }
    }

    /// A day with its day of the week.
    #[must_use]
    pub fn day(&self, day: Date) -> String {
        match (DateTimeFormatter::try_new(self.preferences(), YMDE::long()), date_of(day)) {
            (Ok(formatter), Some(date)) => formatter.format(&date).to_string(),
            _ => day.to_string(),
        }
    }

    /// A day with its day of the week, without the year.
    #[must_use]
    pub fn day_of_year(&self, day: Date) -> String {
        match (DateTimeFormatter::try_new(self.preferences(), MDE::long()), date_of(day)) {
            (Ok(formatter), Some(date)) => formatter.format(&date).to_string(),
            _ => day.to_string(),
        }
    }

    /// A month with its year.
    #[must_use]
    pub fn month(&self, day: Date) -> String {
        match (DateTimeFormatter::try_new(self.preferences(), YM::long()), date_of(day)) {
            (Ok(formatter), Some(date)) => formatter.format(&date).to_string(),
            _ => day.strftime("%Y-%m").to_string(),
        }
    }

    /// A day of the week: in short, and whole.
    #[must_use]
    pub fn weekday(&self, day: Date) -> (String, String) {
        let format = |fields: E| {
            let formatter = DateTimeFormatter::try_new(self.preferences(), fields).ok()?;
            Some(formatter.format(&date_of(day)?).to_string())
        };
        let otherwise = || day.strftime("%a").to_string();
        (format(E::short()).unwrap_or_else(otherwise), format(E::long()).unwrap_or_else(otherwise))
    }

    /// The day of the week that a week begins with, by the customs of the language's country: 0 for Monday to 6 for Sunday.
    #[must_use]
    pub fn first_weekday(&self) -> i8 {
        let first = WeekInformation::try_new((&self.locale).into()).map_or(Weekday::Monday, |week| week.first_weekday);
        match first {
            Weekday::Monday => 0,
            Weekday::Tuesday => 1,
            Weekday::Wednesday => 2,
            Weekday::Thursday => 3,
            Weekday::Friday => 4,
            Weekday::Saturday => 5,
            Weekday::Sunday => 6,
        }
    }
}

fn date_of(day: Date) -> Option<IcuDate<icu_calendar::Iso>> {
    IcuDate::try_new_iso(i32::from(day.year()), day.month().unsigned_abs(), day.day().unsigned_abs()).ok()
}

fn parts(moment: Timestamp, zone: &TimeZone) -> (Option<IcuDate<icu_calendar::Iso>>, Time) {
    let local = moment.to_zoned(zone.clone());
    let time = Time::try_new(local.hour().unsigned_abs(), local.minute().unsigned_abs(), local.second().unsigned_abs(), 0);
    (date_of(local.date()), time.unwrap_or(Time::start_of_day()))
}

fn plain(moment: Timestamp, zone: &TimeZone, format: &str) -> String {
    moment.to_zoned(zone.clone()).strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_are_those_of_the_language() {
        let moment: Timestamp = "2026-03-04T15:05:00Z".parse().unwrap();
        let zone = TimeZone::UTC;
        let day = jiff::civil::date(2026, 3, 4);
        for (tag, time, whole, month, short, first) in [
            ("en-GB", "15:05", "Wednesday, 4 March 2026 at 15:05", "March 2026", "Wed", 0),
            ("en-US,de", "3:05\u{202f}PM", "Wednesday, March 4, 2026 at 3:05\u{202f}PM", "March 2026", "Wed", 6),
            ("de", "15:05", "Mittwoch, 4. März 2026 um 15:05", "März 2026", "Mi", 0),
            ("ar", "3:05 م", "الأربعاء، 4 مارس 2026 في 3:05 م", "مارس 2026", "الأربعاء", 5),
            ("ja", "15:05", "2026年3月4日水曜日 15:05", "2026年3月", "水", 6),
            ("not a tag,fr", "15:05", "mercredi 4 mars 2026 à 15:05", "mars 2026", "mer.", 0),
        ] {
            let when = When::of(tag);
            assert_eq!((when.time(moment, &zone).as_str(), when.day_and_time(moment, &zone).as_str()), (time, whole), "{tag}");
            assert_eq!(
                (when.month(day).as_str(), when.weekday(day).0.as_str(), when.first_weekday()),
                (month, short, first),
                "{tag}"
            );
        }
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        assert_eq!(When::of("de").time(moment, &berlin), "16:05");
        assert_eq!(When::of("").day(day), When::of("no such").day(day), "a language nobody knows is written all the same");
    }
}
