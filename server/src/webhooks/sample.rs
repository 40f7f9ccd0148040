//! Made-up events, by which somebody sees whether their receiver works.

use jiff::Timestamp;
use porchlight_domain::{
    event::{Data, Event, EventType, Field},
    id::{EventId, SessionId, SiteKey, VisitorId},
};
use serde_json::{Value, json};

use crate::outside::Outside;

/// An event of a type, with all the fields of its type and one more that says what it is: `test`.
pub(super) fn sample(outside: &Outside, site: &SiteKey, kind: EventType) -> Event {
    let now = outside.now();
    let fields = kind.entry().fields;
    let mut data: Data = fields.iter().map(|field| (field.name.to_owned(), value(field, kind, now))).collect();
    data.insert("test".to_owned(), true.into());
    let of_conversation = fields.iter().any(|field| field.name == "name");
    Event {
        id: EventId::new(outside.new_id()),
        kind,
        seq: 1,
        time: now,
        site: site.clone(),
        visitor: VisitorId::new(outside.new_id()),
        session: SessionId::new(outside.new_id()),
        conversation: of_conversation.then(|| "test".parse().ok()).flatten(),
        page: "https://www.example.com/".to_owned(),
        data,
    }
}

/// A value of a field, of the kind that the catalogue says.
fn value(field: &Field, kind: EventType, now: Timestamp) -> Value {
    match (field.name, field.ts) {
        ("value", _) if kind == EventType::InputPhone => "+441632960000".into(),
        ("value", _) => "test@example.com".into(),
        (_, "boolean") => false.into(),
        (_, "string[]") => json!([]),
        (_, "MeetingInfo") => json!({
            "id": "test", "start": format!("{now:.0}"), "end": format!("{now:.0}"), "timeZone": "UTC", "title": "Test", "location": "",
            "icsUrl": "https://www.example.com/",
        }),
        // Of several literals the first; else any text.
        (_, ts) => ts.split('"').nth(1).unwrap_or("test").into(),
    }
}

#[cfg(test)]
mod tests {
    use porchlight_domain::event::CATALOGUE;

    use super::*;

    #[test]
    fn each_type_has_its_fields_and_says_that_it_is_a_test() {
        let outside = Outside::with_clock(|| "2026-11-21T08:00:00Z".parse().unwrap());
        for entry in CATALOGUE {
            let event = sample(&outside, &"demo".parse().unwrap(), entry.kind);
            assert_eq!(event.data["test"], true);
            for field in entry.fields {
                let value = &event.data[field.name];
                let fits = match field.ts {
                    "boolean" => value.is_boolean(),
                    "string[]" => value.is_array(),
                    "MeetingInfo" => value.is_object(),
                    "string" | "string | null" => value.is_string(),
                    literals => literals.contains(&value.to_string()),
                };
                assert!(fits, "{}: {} is {value}", entry.name, field.name);
            }
            let read: Event = serde_json::from_value(serde_json::to_value(&event).unwrap()).unwrap();
            assert_eq!(read, event, "it is an envelope like any other");
        }
    }
}
