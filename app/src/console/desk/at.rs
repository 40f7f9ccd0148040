//! Moments, as the agent's own clock shows them.

use jiff::Timestamp;
use leptos::prelude::*;

/// How much of a moment is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Say {
    /// Day, month and minute.
    Minute,
    /// The minute of the day.
    Clock,
    /// The second of the day.
    Second,
    /// Day, month and year.
    Day,
}

/// A moment.
#[component]
pub(super) fn At(at: Timestamp, say: Say) -> impl IntoView {
    let text = in_words(at, say);
    view! { <time datetime=at.to_string()>{move || text.get()}</time> }
}

/// A moment in words. The server says it in UTC; the browser, once it runs, in its own zone.
pub(super) fn in_words(at: Timestamp, say: Say) -> RwSignal<String> {
    let form = match say {
        Say::Minute => "%d %b, %H:%M",
        Say::Clock => "%H:%M",
        Say::Second => "%H:%M:%S",
        Say::Day => "%d %b %Y",
    };
    let text = RwSignal::new(at.strftime(form).to_string());
    Effect::new(move || text.set(here(at, say)));
    text
}

/// A moment in the browser's zone and the console's language.
fn here(at: Timestamp, say: Say) -> String {
    let options = js_sys::Object::new();
    let wanted: &[(&str, &str)] = match say {
        Say::Minute => &[("day", "2-digit"), ("month", "short"), ("hour", "2-digit"), ("minute", "2-digit")],
        Say::Clock => &[("hour", "2-digit"), ("minute", "2-digit")],
        Say::Second => &[("hour", "2-digit"), ("minute", "2-digit"), ("second", "2-digit")],
        Say::Day => &[("day", "2-digit"), ("month", "short"), ("year", "numeric")],
    };
    for (name, value) in wanted {
        // On an object of our own it cannot fail.
        let _ = js_sys::Reflect::set(&options, &(*name).into(), &(*value).into());
    }
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are exact until the year 287396")]
    let date = js_sys::Date::new(&(at.as_millisecond() as f64).into());
    date.to_locale_string("en-GB", &options).into()
}
