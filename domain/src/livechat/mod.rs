//! Live chat: a visitor asks for an agent, and one answers.
//!
//! A chat is a part of a conversation: what is said in it stands in the same transcript, what happens in it goes through the
//! same [`decide`](crate::session::decide), and when it is over the conversation goes on at the card after it.

mod command;
mod policy;
mod routing;
mod state;

pub use command::{ChatCommand, TransferTo};
pub use policy::ChatPolicy;
pub(crate) use policy::later;
pub use routing::{Found, Order, Routing, RoutingRule};
pub use state::{Chat, ChatView, Ended, Member, Notice, Offer, Phase, Roster, Transfer};

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A message is no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadMessage {
    /// There is nothing in it.
    #[error("the message is empty")]
    Empty,
    /// It is longer than [`limits::MESSAGE`](crate::conversation::limits::MESSAGE).
    #[error("expected a message of at most {} characters", crate::conversation::limits::MESSAGE)]
    TooLong,
    /// A file has more bytes than this.
    #[error("expected a file of at most {0} bytes")]
    FileTooLarge(usize),
    /// A file is of a kind that is not taken, or its content is not what its name says.
    #[error("expected a PNG, JPEG, GIF, WebP, PDF or plain text file whose name ends as its content is")]
    UnknownFile,
    /// So many files were sent in the chat already.
    #[error("expected at most {0} files in a chat")]
    TooManyFiles(u32),
}

/// A message as it is kept: without what nobody can see or type. Line breaks and tabs stay; it is never markup.
///
/// # Errors
/// If nothing is left, or too much.
pub fn message(text: &str) -> Result<String, BadMessage> {
    let text: String = text.replace("\r\n", "\n").chars().filter(|c| matches!(c, '\n' | '\t') || !c.is_control()).collect();
    let text = text.trim_end().trim_start_matches('\n');
    if text.trim().is_empty() {
        return Err(BadMessage::Empty);
    }
    if text.chars().count() > crate::conversation::limits::MESSAGE {
        return Err(BadMessage::TooLong);
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::limits::MESSAGE;

    #[test]
    fn messages_are_plain_text_within_their_limit() {
        assert_eq!(message(" a\r\nb\0\u{7}\tc \n"), Ok(" a\nb\tc".to_owned()));
        assert_eq!(message("<b>\u{202e}</b>"), Ok("<b>\u{202e}</b>".to_owned()), "kept as it is, and shown as text");
        assert_eq!(message(" \n\0 "), Err(BadMessage::Empty));
        assert!(message(&"ä".repeat(MESSAGE)).is_ok());
        assert_eq!(message(&"ä".repeat(MESSAGE + 1)), Err(BadMessage::TooLong));
    }
}
