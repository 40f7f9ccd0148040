//! In which form an event is sent: as it is, or as another system wants it. Each form is a small transform over the same way out.

use std::collections::BTreeMap;

use porchlight_domain::event::Event;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::Url;
use utoipa::ToSchema;

use crate::egress;

/// The form.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = WebhookAdapter)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Adapter {
    /// The event's envelope, signed as Standard Webhooks says.
    #[default]
    Standard,
    /// A line of text, as Slack's incoming webhooks take it, and those of Mattermost and Rocket.Chat.
    Slack {
        /// The line, with placeholders; a usual one, if there is nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    /// An event of Google Analytics 4, by its Measurement Protocol. No contact details go there.
    Ga4 {
        /// The data stream's id, as G-….
        #[schema(rename = "measurementId")]
        measurement_id: String,
        /// The API secret of the data stream.
        #[schema(rename = "apiSecret")]
        api_secret: String,
    },
    /// JSON of the customer's own making.
    Template {
        /// Any JSON; texts in it may hold placeholders.
        body: Value,
        /// Further headers, such as a key of the receiver.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        headers: BTreeMap<String, String>,
    },
}

/// What is wrong with a form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTemplate {
    /// A placeholder that stands for nothing.
    #[error(
        "adapter: expected placeholders such as {{{{type}}}}, {{{{page}}}} or {{{{data.name}}}} (id, type, seq, time, site, visitor, session, conversation, page, data.…), got {{{{{0}}}}}"
    )]
    Placeholder(String),
    /// It is too long.
    #[error("adapter: expected a text or body of at most {BODY_MAX} bytes")]
    TooLong,
    /// A header that cannot be sent, or that is ours.
    #[error("adapter.headers: expected the name and value of a header that is not set already, got {0:?}")]
    Header(String),
    /// The measurement id is none.
    #[error("adapter.measurementId: expected G- and letters and digits, got {0:?}")]
    MeasurementId(String),
    /// There is no API secret.
    #[error("adapter.apiSecret: expected the API secret of the data stream")]
    ApiSecret,
}

/// What stands in the place of a secret that is not shown.
const MASK: &str = "…";
/// The longest template, in bytes.
const BODY_MAX: usize = 16_384;
/// The most headers of a template.
const HEADERS_MAX: usize = 20;
/// What a line says, if nothing else is asked for.
const USUAL_TEXT: &str = "*{{type}}* {{data.name}} {{page}}";
/// Fields of `data` that GA4 is sent: what an author wrote or the server made, nothing that a visitor wrote.
const GA4_FIELDS: &[&str] =
    &["name", "type", "uiType", "card", "field", "kind", "goal", "document", "reason", "outcome", "agentID", "online"];
/// The longest value of a parameter that GA4 takes, in characters.
const GA4_VALUE_MAX: usize = 100;

/// A request as the form makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outgoing {
    pub(super) url: Url,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Adapter {
    /// The name of the form.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Slack { .. } => "slack",
            Self::Ga4 { .. } => "ga4",
            Self::Template { .. } => "template",
        }
    }

    /// The form as it is shown: without its secrets.
    #[must_use]
    pub fn masked(&self) -> Self {
        let mut shown = self.clone();
        match &mut shown {
            Self::Standard | Self::Slack { .. } => {}
            Self::Ga4 { api_secret, .. } => MASK.clone_into(api_secret),
            Self::Template { headers, .. } => headers.values_mut().for_each(|value| MASK.clone_into(value)),
        }
        shown
    }

    /// The form with the secrets of another where it has none of its own, as whoever was shown that one sends it back.
    #[must_use]
    pub fn unmasked(mut self, known: &Self) -> Self {
        match (&mut self, known) {
            (Self::Ga4 { api_secret, .. }, Self::Ga4 { api_secret: known, .. }) if api_secret == MASK => {
                known.clone_into(api_secret)
            }
            (Self::Template { headers, .. }, Self::Template { headers: known, .. }) => {
                for (name, value) in headers.iter_mut().filter(|(_, value)| *value == MASK) {
                    if let Some((_, known)) = known.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
                        known.clone_into(value);
                    }
                }
            }
            _ => {}
        }
        self
    }

    /// Checks what people wrote.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), BadTemplate> {
        match self {
            Self::Standard => Ok(()),
            Self::Slack { text: None } => Ok(()),
            Self::Slack { text: Some(text) } if text.len() > BODY_MAX => Err(BadTemplate::TooLong),
            Self::Slack { text: Some(text) } => check_text(text),
            Self::Ga4 { measurement_id, api_secret } => {
                let rest = measurement_id.strip_prefix("G-").unwrap_or_default();
                if rest.is_empty() || rest.len() > 20 || !rest.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                    return Err(BadTemplate::MeasurementId(measurement_id.clone()));
                }
                if api_secret.trim().is_empty() || api_secret == MASK || api_secret.len() > 200 {
                    Err(BadTemplate::ApiSecret)
                } else {
                    Ok(())
                }
            }
            Self::Template { body, headers } => {
                if body.to_string().len() > BODY_MAX {
                    return Err(BadTemplate::TooLong);
                }
                for (name, value) in headers {
                    let known: Result<axum::http::HeaderName, _> = name.parse();
                    let ours = known.as_ref().map_or(true, |name| {
                        name.as_str().starts_with("webhook-") || name == axum::http::header::CONTENT_TYPE || egress::is_ours(name)
                    });
                    if ours || value == MASK || headers.len() > HEADERS_MAX || axum::http::HeaderValue::from_str(value).is_err() {
                        return Err(BadTemplate::Header(name.clone()));
                    }
                }
                check_value(body)
            }
        }
    }

    /// The event in this form, for an endpoint at an address.
    pub(super) fn outgoing(&self, url: &Url, event: &Event) -> Outgoing {
        let envelope = serde_json::to_value(event).unwrap_or_default();
        let (mut url, mut headers) = (url.clone(), Vec::new());
        let body = match self {
            Self::Standard => serde_json::to_vec(event).unwrap_or_default(),
            Self::Slack { text } => {
                let text = fill(text.as_deref().unwrap_or(USUAL_TEXT), &envelope, &for_slack);
                json!({ "text": text }).to_string().into_bytes()
            }
            Self::Ga4 { measurement_id, api_secret } => {
                url.query_pairs_mut().append_pair("measurement_id", measurement_id).append_pair("api_secret", api_secret);
                ga4(event).to_string().into_bytes()
            }
            Self::Template { body, headers: more } => {
                headers.extend(more.iter().map(|(name, value)| (name.clone(), value.clone())));
                fill_value(body, &envelope).to_string().into_bytes()
            }
        };
        Outgoing { url, headers, body }
    }
}

/// An event of the Measurement Protocol.
fn ga4(event: &Event) -> Value {
    let mut params = Map::new();
    for field in GA4_FIELDS {
        // Adobe's literals for the conversation have names of their own there.
        let name = match *field {
            "name" => "conversation_name",
            "type" => "conversation_type",
            "uiType" => "ui_type",
            "agentID" => "agent_id",
            other => other,
        };
        match event.data.get(*field) {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) => {
                params.insert(name.to_owned(), text.chars().take(GA4_VALUE_MAX).collect::<String>().into());
            }
            Some(other) => {
                params.insert(name.to_owned(), other.to_string().into());
            }
        }
    }
    params.insert("conversation".to_owned(), event.conversation.as_ref().map(ToString::to_string).into());
    params.insert("event_id".to_owned(), event.id.to_string().into());
    params.insert("session_id".to_owned(), event.session.to_string().into());
    // Without it the user counts as not active.
    params.insert("engagement_time_msec".to_owned(), 1.into());
    if let Ok(mut page) = Url::parse(&event.page) {
        // What stands after the path may name people.
        page.set_query(None);
        page.set_fragment(None);
        params.insert("page_location".to_owned(), page.as_str().chars().take(GA4_VALUE_MAX * 10).collect::<String>().into());
    }
    params.retain(|_, value| !value.is_null());
    json!({
        "client_id": event.visitor,
        "timestamp_micros": event.time.as_microsecond(),
        "non_personalized_ads": true,
        "events": [{ "name": format!("porchlight_{}", event.kind.name().replace('.', "_")), "params": params }],
    })
}

/// The parts of a text: what stands as it is, and what a placeholder names.
fn parts(text: &str) -> Vec<(&str, Option<&str>)> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, behind)) = after.split_once("}}") else { break };
        parts.push((before, Some(name.trim())));
        rest = behind;
    }
    parts.push((rest, None));
    parts
}

fn check_text(text: &str) -> Result<(), BadTemplate> {
    const ENVELOPE: &[&str] = &["id", "type", "seq", "time", "site", "visitor", "session", "conversation", "page", "data"];
    for name in parts(text).into_iter().filter_map(|(_, name)| name) {
        let known = ENVELOPE.contains(&name) || name.strip_prefix("data.").is_some_and(|field| !field.is_empty());
        if !known {
            return Err(BadTemplate::Placeholder(name.chars().take(80).collect()));
        }
    }
    Ok(())
}

fn check_value(value: &Value) -> Result<(), BadTemplate> {
    match value {
        Value::String(text) => check_text(text),
        Value::Array(list) => list.iter().try_for_each(check_value),
        Value::Object(fields) => fields.values().try_for_each(check_value),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

/// What a placeholder stands for; nothing, if this event has no such field.
fn named<'a>(envelope: &'a Value, name: &str) -> &'a Value {
    name.split('.').fold(envelope, |value, part| value.get(part).unwrap_or(&Value::Null))
}

fn in_words(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn fill(text: &str, envelope: &Value, escape: &dyn Fn(&str) -> String) -> String {
    let mut filled = String::new();
    for (before, name) in parts(text) {
        filled.push_str(before);
        if let Some(name) = name {
            filled.push_str(&escape(&in_words(named(envelope, name))));
        }
    }
    filled
}

fn fill_value(value: &Value, envelope: &Value) -> Value {
    match value {
        Value::String(text) => match parts(text).as_slice() {
            // A placeholder alone stands for the value as it is: a number stays one.
            [("", Some(name)), ("", None)] => named(envelope, name).clone(),
            _ => fill(text, envelope, &str::to_owned).into(),
        },
        Value::Array(list) => list.iter().map(|item| fill_value(item, envelope)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, item)| (name.clone(), fill_value(item, envelope))).collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

/// The three signs that mean something in Slack's texts. What a visitor wrote can so make no link and call nobody.
fn for_slack(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        serde_json::from_value(json!({
            "id": "018bcfe5-6800-7707-8707-070707070707", "type": "input.email", "seq": 7, "time": "2026-11-21T08:00:00Z",
            "site": "demo", "visitor": "018bcfe5-6800-7707-8707-070707070708", "session": "018bcfe5-6800-7707-8707-070707070709",
            "conversation": "welcome", "page": "https://shop.example/a?email=ada@example.com#x",
            "data": { "name": "Welcome <b>", "type": "dialogue", "uiType": "chatbot", "card": "mail", "value": "ada@example.com" }
        }))
        .unwrap()
    }

    fn sent(adapter: &Adapter) -> (Outgoing, Value) {
        let outgoing = adapter.outgoing(&"https://in.example/x?y=z".parse().unwrap(), &event());
        let body = serde_json::from_slice(&outgoing.body).unwrap();
        (outgoing, body)
    }

    #[test]
    fn as_it_is() {
        let (outgoing, body) = sent(&Adapter::Standard);
        assert_eq!((outgoing.url.as_str(), body), ("https://in.example/x?y=z", serde_json::to_value(event()).unwrap()));
    }

    #[test]
    fn a_line_for_slack_calls_nobody() {
        let (_, body) = sent(&Adapter::Slack { text: None });
        assert_eq!(body, json!({ "text": "*input.email* Welcome &lt;b&gt; https://shop.example/a?email=ada@example.com#x" }));
        let (_, body) = sent(&Adapter::Slack { text: Some("<!here> {{ data.value }} {{data.none}}{{".to_owned()) });
        assert_eq!(body, json!({ "text": "<!here> ada@example.com {{" }));
    }

    #[test]
    fn google_is_told_no_contact_details() {
        let adapter = Adapter::Ga4 { measurement_id: "G-ABC123".to_owned(), api_secret: "s&cret".to_owned() };
        adapter.check().unwrap();
        let (outgoing, body) = sent(&adapter);
        assert_eq!(outgoing.url.as_str(), "https://in.example/x?y=z&measurement_id=G-ABC123&api_secret=s%26cret");
        assert!(!body.to_string().contains("ada@example.com"), "{body}");
        assert_eq!(body["events"][0]["name"], "porchlight_input_email");
        assert_eq!(body["events"][0]["params"]["page_location"], "https://shop.example/a");
        assert_eq!(body["timestamp_micros"], 1_795_248_000_000_000_i64);
        // GA4 drops events whose names are longer than 40 characters.
        for entry in porchlight_domain::event::CATALOGUE {
            assert!(format!("porchlight_{}", entry.name).len() <= 40, "{}", entry.name);
        }
    }

    #[test]
    fn no_field_that_may_be_a_contact_detail_is_among_those_for_google() {
        for field in porchlight_domain::event::CATALOGUE.iter().flat_map(|entry| entry.fields).filter(|field| field.contact) {
            assert!(!GA4_FIELDS.contains(&field.name), "{}", field.name);
        }
    }

    #[test]
    fn a_template_keeps_the_kinds_of_values() {
        let body = json!({ "n": "{{seq}}", "t": "no {{seq}} of {{session}}", "deep": [{ "d": "{{data}}" }, 1, null], "none": "{{data.x}}" });
        let adapter = Adapter::Template { body, headers: BTreeMap::from([("x-key".to_owned(), "k".to_owned())]) };
        adapter.check().unwrap();
        let (outgoing, body) = sent(&adapter);
        assert_eq!(body["n"], 7);
        assert_eq!(body["t"], "no 7 of 018bcfe5-6800-7707-8707-070707070709");
        assert_eq!(body["deep"][0]["d"]["value"], "ada@example.com");
        assert_eq!(body["none"], Value::Null);
        assert_eq!(outgoing.headers, [("x-key".to_owned(), "k".to_owned())]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let template = |body: Value| Adapter::Template { body, headers: BTreeMap::new() };
        assert_eq!(template(json!(["{{email}}"])).check(), Err(BadTemplate::Placeholder("email".to_owned())));
        assert_eq!(template(json!("x".repeat(BODY_MAX - 2))).check(), Ok(()));
        assert_eq!(template(json!("x".repeat(BODY_MAX - 1))).check(), Err(BadTemplate::TooLong));
        for name in ["webhook-id", "Host", "content-length", "content-type", "a b", ""] {
            let headers = BTreeMap::from([(name.to_owned(), "x".to_owned())]);
            assert_eq!(
                Adapter::Template { body: Value::Null, headers }.check(),
                Err(BadTemplate::Header(name.to_owned())),
                "{name}"
            );
        }
        let ga4 = |id: &str, secret: &str| Adapter::Ga4 { measurement_id: id.to_owned(), api_secret: secret.to_owned() }.check();
        assert!(matches!(ga4("UA-1", "x"), Err(BadTemplate::MeasurementId(_))));
        assert_eq!(ga4("G-1", " "), Err(BadTemplate::ApiSecret));
    }

    #[test]
    fn secrets_are_hidden_and_kept_where_they_come_back_hidden() {
        let ga4 = |secret: &str| Adapter::Ga4 { measurement_id: "G-1".to_owned(), api_secret: secret.to_owned() };
        let template = |headers: &[(&str, &str)]| Adapter::Template {
            body: json!({}),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        };
        let (known, known_headers) = (ga4("s3cret"), template(&[("X-Key", "k1"), ("X-Other", "k2")]));
        for (shown, secrets) in [(known.masked(), vec!["s3cret"]), (known_headers.masked(), vec!["k1", "k2"])] {
            let shown = serde_json::to_string(&shown).unwrap();
            assert!(shown.contains(MASK) && !secrets.iter().any(|secret| shown.contains(secret)), "{shown}");
        }
        assert_eq!(known.masked().unmasked(&known), known);
        assert_eq!(ga4("other").unmasked(&known), ga4("other"));
        let again = template(&[("x-key", MASK), ("X-Other", "k3"), ("X-New", "k4")]);
        assert_eq!(again.unmasked(&known_headers), template(&[("x-key", "k1"), ("X-Other", "k3"), ("X-New", "k4")]));
        // What nothing is known of is no secret.
        assert_eq!(ga4(MASK).unmasked(&known_headers).check(), Err(BadTemplate::ApiSecret));
        let unknown = template(&[("X-New", MASK)]).unmasked(&known_headers);
        assert_eq!(unknown.check(), Err(BadTemplate::Header("X-New".to_owned())));
    }
}
