//! When a dialogue that targets a visitor is offered.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest time that can be waited for, in seconds: a day.
pub const SECONDS_MAX: u32 = 86_400;
/// The farthest that can be scrolled, in percent of the page's height.
pub const PERCENT_MAX: u8 = 100;
/// The longest selector, in characters.
pub const SELECTOR_MAX: usize = 200;

/// What a visitor must do on a page before a dialogue is offered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "on", rename_all = "camelCase", deny_unknown_fields)]
pub enum Trigger {
    /// Come to the page.
    #[default]
    Load,
    /// Stay on the page; the time adds up over visits.
    TimeOnPage {
        /// So long.
        #[schemars(range(min = 1, max = SECONDS_MAX))]
        seconds: u32,
    },
    /// Stay on the site, on all of its pages together.
    TimeOnSite {
        /// So long.
        #[schemars(range(min = 1, max = SECONDS_MAX))]
        seconds: u32,
    },
    /// Scroll.
    Scroll {
        /// So far, of the page's height.
        #[schemars(range(min = 1, max = PERCENT_MAX))]
        percent: u8,
    },
    /// Turn to leave the page.
    ExitIntent,
    /// Click on something.
    Click {
        /// What is clicked on, as a CSS selector.
        #[schemars(length(min = 1, max = SELECTOR_MAX))]
        selector: String,
    },
}

impl Trigger {
    /// Its name, as it is authored under `on`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::TimeOnPage { .. } => "timeOnPage",
            Self::TimeOnSite { .. } => "timeOnSite",
            Self::Scroll { .. } => "scroll",
            Self::ExitIntent => "exitIntent",
            Self::Click { .. } => "click",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn triggers_are_read_and_written_as_authored() {
        let schema = serde_json::to_value(schemars::schema_for!(Trigger)).unwrap();
        for json in [
            json!({ "on": "load" }),
            json!({ "on": "timeOnPage", "seconds": 30 }),
            json!({ "on": "timeOnSite", "seconds": 86_400 }),
            json!({ "on": "scroll", "percent": 100 }),
            json!({ "on": "exitIntent" }),
            json!({ "on": "click", "selector": "#help" }),
        ] {
            let trigger: Trigger = serde_json::from_value(json.clone()).unwrap();
            assert_eq!(json["on"], Value::from(trigger.name()));
            assert!(jsonschema::is_valid(&schema, &json), "{json}");
            assert_eq!(serde_json::to_value(&trigger).unwrap(), json);
        }
        assert_eq!(Trigger::default(), Trigger::Load);
    }

    #[test]
    fn what_is_none_is_refused() {
        let schema = serde_json::to_value(schemars::schema_for!(Trigger)).unwrap();
        for json in [
            json!({ "on": "hover" }),
            json!({}),
            json!({ "on": "scroll" }),
            json!({ "on": "scroll", "percent": 50, "seconds": 1 }),
            json!({ "on": "scroll", "percent": "50" }),
        ] {
            assert!(serde_json::from_value::<Trigger>(json.clone()).is_err(), "{json}");
            assert!(!jsonschema::is_valid(&schema, &json), "{json}");
        }
        for json in [
            json!({ "on": "timeOnPage", "seconds": 0 }),
            json!({ "on": "timeOnSite", "seconds": 86_401 }),
            json!({ "on": "scroll", "percent": 101 }),
            json!({ "on": "click", "selector": "" }),
            json!({ "on": "click", "selector": "a".repeat(201) }),
        ] {
            assert!(!jsonschema::is_valid(&schema, &json), "{json}");
        }
    }
}
