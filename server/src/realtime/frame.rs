//! What panels say on their connection.

use porchlight_domain::id::AnswerId;
use serde::{Deserialize, Serialize};

/// What a panel says on its connection, once it has said whose it is. See docs/widget-protocol.md.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Frame {
    /// The visitor writes.
    Say {
        /// Names the message: sent twice, it is said once.
        id: AnswerId,
        /// The text.
        text: String,
    },
    /// The visitor is typing; the value is of no weight, and there as in the other frames.
    Typing(bool),
    /// The visitor has seen the transcript up to a line.
    Seen(u32),
    /// The visitor ends the chat; the id names that.
    End(AnswerId),
    /// The page has gone on, or has been told the log up to a place.
    Here {
        /// The address of the page the visitor is on now.
        page: Option<String>,
        /// The place in the log.
        after: Option<i64>,
    },
}
