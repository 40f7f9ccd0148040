//! The published JSON Schema of the conversation document.

use super::Conversation;

/// docs/conversation.schema.json (JSON Schema 2020-12), laid out for people.
#[must_use]
pub fn json() -> String {
    let schema = schemars::schema_for!(Conversation);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
