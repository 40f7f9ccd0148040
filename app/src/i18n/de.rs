//! German.

use super::{PanelTexts, SystemTexts};

pub(super) const PANEL: PanelTexts = PanelTexts {
    transcript: "Unterhaltung",
    bot_said: "Wir:",
    you_said: "Sie:",
    skipped: "Übersprungen",
    choose: "Wählen Sie eine Antwort",
    email: "E-Mail-Adresse",
    email_example: "ada@example.com",
    phone: "Telefonnummer",
    country: "Land",
    send: "Senden",
    skip: "Überspringen",
    ended: "Diese Unterhaltung ist beendet.",
    sending: "Wird gesendet …",
    unreachable: "Wir sind gerade nicht erreichbar. Ihre Antwort steht noch da: Bitte versuchen Sie es noch einmal.",
};

pub(super) const SYSTEM: SystemTexts = SystemTexts {
    open_chat: "Chat öffnen",
    close_chat: "Chat schließen",
    bad_email: "Bitte geben Sie eine E-Mail-Adresse wie ada@example.com ein.",
    bad_phone: "Bitte geben Sie eine Telefonnummer mit ihrem Land ein.",
    phone_too_short: "Diese Telefonnummer ist zu kurz.",
    phone_too_long: "Diese Telefonnummer ist zu lang.",
    bad_country: "Bitte wählen Sie ein Land aus der Liste.",
    not_a_choice: "Bitte wählen Sie eine der Antworten.",
    required: "Bitte antworten Sie zuerst hier.",
    not_current: "Diese Frage ist schon beantwortet. Hier geht es weiter.",
    failed: "Der Chat lässt sich gerade nicht anzeigen. Bitte versuchen Sie es noch einmal.",
};
