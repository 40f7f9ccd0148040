//! System texts in the visitor's language.
//!
//! Every language is a constant of the same structs, so a missing translation fails the build. The wasm carries none of them:
//! the panel is rendered on the server.

mod ar;
mod de;
mod en;

/// A language that system texts exist in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Locale {
    /// Arabic, written from right to left.
    Ar,
    /// German.
    De,
    /// English; what visitors of any other language get.
    #[default]
    En,
}

impl Locale {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ar, Self::De, Self::En];

    /// The best language for a list of preferences as in `Accept-Language` or `navigator.language`: the first that exists, by
    /// its main part.
    #[must_use]
    pub fn best(preferences: &str) -> Self {
        let wanted =
            preferences.split(',').map(|tag| tag.split([';', '-', '_']).next().unwrap_or_default().trim().to_lowercase());
        wanted.filter_map(|main| Self::ALL.into_iter().find(|locale| locale.tag() == main)).next().unwrap_or_default()
    }

    /// Its tag ([BCP 47](https://www.rfc-editor.org/info/bcp47)).
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Ar => "ar",
            Self::De => "de",
            Self::En => "en",
        }
    }

    /// The direction it is written in, as HTML's `dir`.
    #[must_use]
    pub const fn dir(self) -> &'static str {
        match self {
            Self::Ar => "rtl",
            Self::De | Self::En => "ltr",
        }
    }

    /// The texts of the panel.
    #[must_use]
    pub const fn panel(self) -> &'static PanelTexts {
        match self {
            Self::Ar => &ar::PANEL,
            Self::De => &de::PANEL,
            Self::En => &en::PANEL,
        }
    }

    /// The texts of the launcher and of errors.
    #[must_use]
    pub const fn system(self) -> &'static SystemTexts {
        match self {
            Self::Ar => &ar::SYSTEM,
            Self::De => &de::SYSTEM,
            Self::En => &en::SYSTEM,
        }
    }
}

macro_rules! texts {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $text:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name { $($(#[$about])* pub $text: &'static str,)* }

        impl $name {
            /// Every text, for checks over all of them.
            #[must_use]
            pub fn all(&self) -> Vec<&'static str> {
                vec![$(self.$text),*]
            }
        }
    };
}

texts! {
    /// The texts of the panel.
    PanelTexts {
        /// Names the transcript for screen readers.
        transcript,
        /// Says who spoke, before a bubble of the bot, to screen readers.
        bot_said,
        /// Says who spoke, before a bubble of the visitor, to screen readers.
        you_said,
        /// Shown in the place of an answer that was skipped.
        skipped,
        /// Names the group of choices.
        choose,
        /// Label of the e-mail field.
        email,
        /// An example of an address.
        email_example,
        /// Label of the phone field.
        phone,
        /// Label of the country picker.
        country,
        /// Sends an answer.
        send,
        /// Goes on without answering.
        skip,
        /// The conversation is over.
        ended,
        /// While an answer is on its way.
        sending,
        /// The server could not be reached.
        unreachable,
    }
}

texts! {
    /// The texts of the launcher and of errors.
    SystemTexts {
        /// Label of the launcher.
        open_chat,
        /// Label of the buttons that close the panel.
        close_chat,
        /// The e-mail address is not valid.
        bad_email,
        /// The phone number is not valid.
        bad_phone,
        /// The phone number is too short.
        phone_too_short,
        /// The phone number is too long.
        phone_too_long,
        /// The country is not known.
        bad_country,
        /// None of the choices was chosen.
        not_a_choice,
        /// An answer is needed.
        required,
        /// The question was answered elsewhere.
        not_current,
        /// The panel cannot be shown.
        failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_language_that_exists_is_taken() {
        assert_eq!(Locale::best("fr-CH, de-CH;q=0.9, en;q=0.8"), Locale::De);
        assert_eq!(Locale::best("ar_EG"), Locale::Ar);
        assert_eq!(Locale::best("xx"), Locale::En);
        assert_eq!(Locale::best(""), Locale::En);
    }

    #[test]
    fn no_text_is_empty() {
        for locale in Locale::ALL {
            assert!(locale.panel().all().iter().chain(&locale.system().all()).all(|text| !text.trim().is_empty()));
        }
    }
}
