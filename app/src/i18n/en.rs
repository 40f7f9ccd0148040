//! English.

use super::{PanelTexts, SystemTexts};

pub(super) const PANEL: PanelTexts = PanelTexts {
    transcript: "Conversation",
    bot_said: "We said:",
    you_said: "You said:",
    skipped: "Skipped",
    choose: "Choose an answer",
    email: "E-mail address",
    email_example: "ada@example.com",
    phone: "Phone number",
    country: "Country",
    send: "Send",
    skip: "Skip",
    ended: "This conversation has ended.",
    sending: "Sending…",
    unreachable: "We could not be reached. Your answer is still here: please try again.",
};

pub(super) const SYSTEM: SystemTexts = SystemTexts {
    open_chat: "Open chat",
    close_chat: "Close chat",
    bad_email: "Please enter an e-mail address such as ada@example.com.",
    bad_phone: "Please enter a phone number, with its country.",
    phone_too_short: "This phone number is too short.",
    phone_too_long: "This phone number is too long.",
    bad_country: "Please choose a country from the list.",
    not_a_choice: "Please choose one of the answers.",
    required: "Please answer here first.",
    not_current: "This question was answered already. Here is where you are now.",
    failed: "The chat cannot be shown right now. Please try again.",
};
