//! What pages written for Adobe Dynamic Chat or Enghouse CTLive are told of an event.
//!
//! The rules are data in the catalogue: each target field names its source in the envelope. The loader follows the same
//! data, generated from the same table, so that page and server cannot disagree.

use serde::Serialize;
use serde_json::{Map, Value};

use super::Event;

/// The payload fields that Adobe documents for every conversation event: (name, source in the envelope).
pub(super) const ADOBE_USUAL: &[(&str, &str)] =
    &[("name", "data.name"), ("id", "conversation"), ("type", "data.type"), ("uiType", "data.uiType"), ("sid", "session")];

/// An event as a listener added by `AdobeDX.addListener` receives it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AdobeEvent {
    /// The name under `AdobeDX.Enum.Events`.
    #[serde(rename = "type")]
    pub name: &'static str,
    /// What stands at `event.data.payload`.
    pub payload: Map<String, Value>,
}

/// An event as a page written for CTLive receives it by `postMessage`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CtLiveMessage {
    /// Always `CTLiveEvent`.
    pub name: &'static str,
    /// The message's type.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Its fields.
    pub object: Map<String, Value>,
}

impl Event {
    /// The event as Adobe's interface tells it, if it does.
    #[must_use]
    pub fn adobe(&self) -> Option<AdobeEvent> {
        let adobe = self.kind.entry().adobe.as_ref()?;
        Some(AdobeEvent { name: adobe.name, payload: self.pick(ADOBE_USUAL.iter().chain(adobe.extra)) })
    }

    /// The event as CTLive's interface tells it, if it does.
    #[must_use]
    pub fn ctlive(&self) -> Option<CtLiveMessage> {
        let ctlive = self.kind.entry().ctlive.as_ref()?;
        if ctlive.only_if.is_some_and(|field| self.at(field) != Value::Bool(true)) {
            return None;
        }
        Some(CtLiveMessage { name: "CTLiveEvent", kind: ctlive.name, object: self.pick(ctlive.object) })
    }

    fn pick<'a>(&self, fields: impl IntoIterator<Item = &'a (&'a str, &'a str)>) -> Map<String, Value> {
        fields.into_iter().map(|(target, source)| ((*target).to_owned(), self.at(source))).collect()
    }

    fn at(&self, source: &str) -> Value {
        match source {
            "visitor" => self.visitor.to_string().into(),
            "session" => self.session.to_string().into(),
            "conversation" => self.conversation.as_ref().map(ToString::to_string).into(),
            _ => source.strip_prefix("data.").and_then(|field| self.data.get(field)).cloned().unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(kind: &str, data: Value) -> Event {
        serde_json::from_value(json!({
            "id": "018bcfe5-6800-7707-8707-070707070707", "type": kind, "seq": 1, "time": "2026-11-21T08:00:00Z",
            "site": "demo", "visitor": "018bcfe5-6800-7707-8707-070707070708", "session": "018bcfe5-6800-7707-8707-070707070709",
            "conversation": "welcome", "page": "https://shop.example/", "data": data
        }))
        .unwrap()
    }

    #[test]
    fn adobe_payload_has_the_documented_fields() {
        let told =
            event("conversation.engaged", json!({ "name": "Hi", "type": "dialogue", "uiType": "chatbot" })).adobe().unwrap();
        assert_eq!(
            serde_json::to_value(told).unwrap(),
            json!({ "type": "CONVERSATION_ENGAGED", "payload": {
                "name": "Hi", "id": "welcome", "type": "dialogue", "uiType": "chatbot", "sid": "018bcfe5-6800-7707-8707-070707070709"
            }})
        );
    }

    #[test]
    fn meetings_name_the_agent_with_adobes_spelling() {
        let data = json!({ "agentName": "Grace", "agentID": "a1", "meetingInfo": { "id": "m1" } });
        let payload = event("meeting.booked", data).adobe().unwrap().payload;
        assert_eq!(
            (&payload["agentName"], &payload["agentID"], &payload["meetingInfo"]["id"]),
            (&json!("Grace"), &json!("a1"), &json!("m1"))
        );
    }

    #[test]
    fn ctlive_click_names_its_kind() {
        let data = json!({ "element": "porchlight", "widget": "launcher", "kind": "Chat" });
        assert_eq!(
            serde_json::to_value(event("widget.clicked", data).ctlive().unwrap()).unwrap(),
            json!({ "name": "CTLiveEvent", "type": "WidgetClicked", "object": {
                "elementID": "porchlight", "widgetID": "launcher", "userID": "018bcfe5-6800-7707-8707-070707070708", "type": "Chat"
            }})
        );
    }

    #[test]
    fn a_chat_that_never_was_online_does_not_finish() {
        let timeout =
            |online: bool| event("livechat.timeout", json!({ "chat": "c1", "surveyConfigured": false, "online": online }));
        assert!(timeout(false).ctlive().is_none());
        assert_eq!(timeout(true).ctlive().unwrap().object["isSurveyConfigured"], json!(false));
    }
}
