//! The envelope of every event, in the browser and on the server.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::EventType;
use crate::id::{ConversationId, EventId, SessionId, SiteKey, VisitorId};

/// The fields of one kind of event, as the catalogue lists them.
pub type Data = Map<String, Value>;

/// Something that happened, as the log keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The same on the page, in the log and in a webhook.
    pub id: EventId,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// Counts from 1 without gaps inside a session. (`null` only in a browser that could not reach the server.)
    pub seq: u64,
    /// When it happened: RFC 3339, UTC, with exactly three decimals of a second.
    #[serde(serialize_with = "millis")]
    pub time: Timestamp,
    /// The site it happened on.
    pub site: SiteKey,
    /// Whom it happened to.
    pub visitor: VisitorId,
    /// The session it belongs to.
    pub session: SessionId,
    /// The conversation it belongs to, if it belongs to one.
    pub conversation: Option<ConversationId>,
    /// The address of the page it happened on.
    pub page: String,
    /// The fields of its kind.
    pub data: Data,
}

fn millis<S: serde::Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format!("{time:.3}"))
}

impl Event {
    /// The event as a browser may see it: without contact details, unless the site switched them on.
    #[must_use]
    pub fn for_browser(mut self, contact_details: bool) -> Self {
        if !contact_details {
            for field in self.kind.entry().fields.iter().filter(|field| field.contact) {
                self.data.remove(field.name);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        serde_json::from_value(serde_json::json!({
            "id": "018bcfe5-6800-7707-8707-070707070707", "type": "input.email", "seq": 7, "time": "2026-11-21T08:00:00Z",
            "site": "demo", "visitor": "018bcfe5-6800-7707-8707-070707070708", "session": "018bcfe5-6800-7707-8707-070707070709",
            "conversation": "welcome", "page": "https://shop.example/",
            "data": { "name": "Welcome", "type": "dialogue", "uiType": "chatbot", "card": "mail", "value": "ada@example.com" }
        }))
        .unwrap()
    }

    #[test]
    fn time_has_exactly_three_decimals() {
        assert_eq!(serde_json::to_value(event()).unwrap()["time"], "2026-11-21T08:00:00.000Z");
    }

    #[test]
    fn the_browser_sees_no_contact_details_unless_the_site_asks() {
        assert!(!event().for_browser(false).data.contains_key("value"));
        assert_eq!(event().for_browser(true).data["value"], "ada@example.com");
    }
}
