//! When what was not accepted is tried again.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

/// Each wait is so many times the one before.
const FACTOR: i32 = 4;
/// The longest wait before an event is tried again.
pub(super) const LONGEST: SignedDuration = SignedDuration::from_hours(8);
/// The part of a wait by which it is made shorter or longer, in hundredths.
const JITTER: u64 = 20;
/// After so many failures one after the other it is the endpoint that fails, not an event.
pub(super) const FAILING_AFTER: u32 = 5;
/// The longest wait before an endpoint that fails is tried again.
const LONGEST_PROBE: SignedDuration = SignedDuration::from_mins(15);

/// How patient it is.
#[derive(Debug, Clone)]
pub(super) struct Schedule {
    /// The first wait.
    pub(super) first: SignedDuration,
    /// How long after its first attempt an event is given up.
    pub(super) give_up: SignedDuration,
    /// How long an endpoint may do nothing but fail before nothing is sent to it any more.
    pub(super) disable: SignedDuration,
}

impl Schedule {
    /// When an event is tried again that has now been tried so many times; never, if it is too late for that.
    pub(super) fn again(
        &self,
        name: &str,
        tries: u32,
        first_at: Timestamp,
        now: Timestamp,
        asked: Option<SignedDuration>,
    ) -> Option<Timestamp> {
        let factor = FACTOR.checked_pow(tries.saturating_sub(1)).unwrap_or(i32::MAX);
        let usual = self.first.checked_mul(factor).unwrap_or(LONGEST).min(LONGEST);
        let wait = spread(usual, &format!("{name} {tries}"));
        // Whoever asks for more time has it, but no event waits longer than it would be kept.
        let wait = asked.map_or(wait, |asked| wait.max(asked)).min(self.give_up);
        let end = first_at.checked_add(self.give_up).ok()?;
        // The last try is at the end itself.
        (now < end).then(|| now.checked_add(wait).map_or(end, |at| at.min(end)))
    }

    /// How long nothing is sent to an endpoint that has failed so many times; not at all, if it may have been the events.
    pub(super) fn probe(&self, name: &str, failures: u32, asked: Option<SignedDuration>) -> Option<SignedDuration> {
        let Some(over) = failures.checked_sub(FAILING_AFTER) else {
            // Whoever asks for time has it at once.
            return asked.map(|asked| asked.min(LONGEST));
        };
        let usual = self.first.checked_mul(1 << over.min(20)).unwrap_or(LONGEST_PROBE).min(LONGEST_PROBE);
        let wait = spread(usual, &format!("{name} {failures}"));
        Some(asked.map_or(wait, |asked| wait.max(asked.min(LONGEST))))
    }
}

/// A wait that is somewhat shorter or longer, so that what failed together is not tried together. What decides is a name: the same comes out
/// of it each time.
fn spread(wait: SignedDuration, name: &str) -> SignedDuration {
    let hash = Sha256::digest(name.as_bytes());
    let number = u64::from(u16::from_be_bytes([hash[0], hash[1]]));
    // From 100 - JITTER to 100 + JITTER hundredths.
    let thousandths = 1000 - 10 * JITTER + number * 20 * JITTER / u64::from(u16::MAX);
    let millis = wait.as_millis().saturating_mul(i128::from(thousandths)) / 1000;
    SignedDuration::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

/// Reads `Retry-After`: seconds, or a date as HTTP writes it ([RFC 9110 §10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3)).
pub(super) fn retry_after(value: &str, now: Timestamp) -> Option<SignedDuration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(SignedDuration::from_secs(i64::from(seconds)));
    }
    let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    Some(at.duration_since(now).max(SignedDuration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule() -> Schedule {
        let hours = SignedDuration::from_hours;
        Schedule { first: SignedDuration::from_secs(5), give_up: hours(72), disable: hours(120) }
    }

    fn now() -> Timestamp {
        "2026-11-25T08:00:00Z".parse().unwrap()
    }

    #[test]
    fn an_event_is_tried_for_three_days_ever_more_patiently() {
        let schedule = schedule();
        for name in ["a", "b", "c", "d"] {
            let (mut at, mut tries, mut before) = (now(), 1, SignedDuration::ZERO);
            while let Some(next) = schedule.again(name, tries, now(), at, None) {
                let wait = next.duration_since(at);
                if next.duration_since(now()) == schedule.give_up {
                    // The last is at the end itself, whenever the one before it was.
                    (at, tries) = (next, tries + 1);
                    continue;
                }
                let usual = schedule.first.checked_mul(4_i32.pow(tries.min(12) - 1)).unwrap().min(LONGEST);
                assert!(wait >= usual * 4 / 5 && wait <= usual * 6 / 5, "{tries}: {wait:?}, usually {usual:?}");
                assert!(wait * 2 > before, "{tries}: {wait:?} after {before:?}");
                (at, tries, before) = (next, tries + 1, wait);
            }
            let last = at.duration_since(now());
            assert_eq!(last, schedule.give_up, "{name}");
            assert!((12..=20).contains(&tries), "{name}: {tries}");
        }
    }

    #[test]
    fn whoever_asks_for_time_has_it() {
        let schedule = schedule();
        let asked = |hours| schedule.again("a", 1, now(), now(), Some(SignedDuration::from_hours(hours)));
        assert_eq!(asked(1).map(|at| at.duration_since(now())), Some(SignedDuration::from_hours(1)));
        // Less than the usual wait is no reason to hurry, and more than three days is as much as three days.
        assert!(
            schedule.again("a", 3, now(), now(), Some(SignedDuration::from_secs(1))).unwrap().duration_since(now())
                > SignedDuration::from_secs(60)
        );
        assert_eq!(asked(1000).map(|at| at.duration_since(now())), Some(schedule.give_up));
        let later = |hours| now().checked_add(SignedDuration::from_hours(hours)).unwrap();
        assert_eq!(schedule.again("a", 2, now(), later(1), Some(schedule.give_up)), Some(later(72)));
        assert_eq!(schedule.again("a", 2, now(), later(72), None), None);
    }

    #[test]
    fn it_is_the_endpoint_that_fails_after_some_events_in_a_row() {
        let schedule = schedule();
        assert_eq!(schedule.probe("a", FAILING_AFTER - 1, None), None);
        let minute = SignedDuration::from_mins(1);
        assert_eq!(schedule.probe("a", 1, Some(minute)), Some(minute), "who asks for time");
        let first = schedule.probe("a", FAILING_AFTER, None).unwrap();
        assert!(first >= SignedDuration::from_secs(4) && first <= SignedDuration::from_secs(6), "{first:?}");
        assert!(schedule.probe("a", 1000, None).unwrap() <= LONGEST_PROBE * 6 / 5);
    }

    #[test]
    fn both_forms_of_retry_after_are_read() {
        assert_eq!(retry_after(" 120 ", now()), Some(SignedDuration::from_secs(120)));
        assert_eq!(retry_after("Wed, 25 Nov 2026 08:01:00 GMT", now()), Some(SignedDuration::from_secs(60)));
        assert_eq!(retry_after("Wed, 25 Nov 2026 07:00:00 GMT", now()), Some(SignedDuration::ZERO));
        for bad in ["", "soon", "-1", "1.5"] {
            assert_eq!(retry_after(bad, now()), None, "{bad}");
        }
    }
}
