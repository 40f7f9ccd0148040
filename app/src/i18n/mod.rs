//! System texts in the visitor's language.
//!
//! Every language is a constant of the same structs, so a missing translation fails the build. The wasm carries none of them:
//! the panel is rendered on the server.

mod ar;
mod de;
mod en;
mod es;
mod fr;
mod it;
mod ja;
mod ko;
mod nl;
mod pt_br;
mod zh_hans;
mod zh_hant;

use porchlight_domain::livechat::Notice;

// The modules are declared above, not by this macro: rustfmt finds only modules that are written out.
macro_rules! locales {
    ($($(#[$about:meta])* $variant:ident: $tag:literal, $dir:literal, $module:ident;)*) => {
        /// A language that system texts exist in.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub enum Locale { $($(#[$about])* $variant,)* }

        impl Locale {
            /// All of them.
            pub const ALL: [Self; [$($tag),*].len()] = [$(Self::$variant),*];

            /// Its tag ([BCP 47](https://www.rfc-editor.org/info/bcp47)).
            #[must_use]
            pub const fn tag(self) -> &'static str {
                match self { $(Self::$variant => $tag,)* }
            }

            /// The direction it is written in, as HTML's `dir`.
            #[must_use]
            pub const fn dir(self) -> &'static str {
                match self { $(Self::$variant => $dir,)* }
            }

            /// The texts of the panel.
            #[must_use]
            pub const fn panel(self) -> &'static PanelTexts {
                match self { $(Self::$variant => &$module::PANEL,)* }
            }

            /// The texts of the launcher and of errors.
            #[must_use]
            pub const fn system(self) -> &'static SystemTexts {
                match self { $(Self::$variant => &$module::SYSTEM,)* }
            }
        }
    };
}

locales! {
    /// Arabic, written from right to left.
    Ar: "ar", "rtl", ar;
    /// German.
    De: "de", "ltr", de;
    /// English; what visitors of any other language get.
    #[default]
    En: "en", "ltr", en;
    /// Spanish.
    Es: "es", "ltr", es;
    /// French.
    Fr: "fr", "ltr", fr;
    /// Italian.
    It: "it", "ltr", it;
    /// Japanese.
    Ja: "ja", "ltr", ja;
    /// Korean.
    Ko: "ko", "ltr", ko;
    /// Dutch.
    Nl: "nl", "ltr", nl;
    /// Brazilian Portuguese; what visitors of any Portuguese get.
    PtBr: "pt-BR", "ltr", pt_br;
    /// Chinese, simplified; what visitors of Chinese get unless script or region say otherwise.
    ZhHans: "zh-Hans", "ltr", zh_hans;
    /// Chinese, traditional; also for Taiwan, Hong Kong and Macao.
    ZhHant: "zh-Hant", "ltr", zh_hant;
}

impl Locale {
    /// The best language for a list of preferences as in `Accept-Language` or `navigator.language`: the first that exists, by
    /// its tag, else by its main part.
    #[must_use]
    pub fn best(preferences: &str) -> Self {
        preferences.split(',').find_map(Self::of).unwrap_or_default()
    }

    /// The language for one preference, if it exists.
    fn of(preference: &str) -> Option<Self> {
        let tag = preference.split(';').next().unwrap_or_default().trim().replace('_', "-");
        let find = |wanted: &str| Self::ALL.into_iter().find(|locale| locale.tag().eq_ignore_ascii_case(wanted));
        find(&tag).or_else(|| {
            let mut parts = tag.split('-').map(str::to_ascii_lowercase);
            match parts.next()?.as_str() {
                "pt" => Some(Self::PtBr),
                "zh" => Some(Self::chinese(parts)),
                main => find(main),
            }
        })
    }

    /// The Chinese for what follows `zh` in a tag, in lower case. The script, if it is named, stands before the region and
    /// decides: `zh-Hans-HK` is simplified.
    fn chinese(mut parts: impl Iterator<Item = String>) -> Self {
        let script = parts.find_map(|part| match part.as_str() {
            "hans" => Some(Self::ZhHans),
            "hant" | "tw" | "hk" | "mo" => Some(Self::ZhHant),
            _ => None,
        });
        script.unwrap_or(Self::ZhHans)
    }
}

/// A number of bytes in megabytes, with one digit after the point where it is needed.
#[must_use]
pub fn megabytes(bytes: usize) -> String {
    let tenths = bytes.saturating_mul(10) / (1024 * 1024);
    if tenths.is_multiple_of(10) { (tenths / 10).to_string() } else { format!("{}.{}", tenths / 10, tenths % 10) }
}

/// A text with a name, or a number, in its place.
#[must_use]
pub fn named(text: &str, name: &str) -> String {
    text.replacen("{}", name, 1)
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
        /// Names the group of choices where several may be chosen.
        choose_several,
        /// Label of the e-mail field.
        email,
        /// An example of an address.
        email_example,
        /// Label of the phone field.
        phone,
        /// Label of the country picker.
        country,
        /// Label of the field for a whole name.
        name,
        /// Label of the field for a first name.
        first_name,
        /// Label of the field for a last name.
        last_name,
        /// Label of the field for a company.
        company,
        /// Label of a field for any text.
        answer,
        /// Label of a field for a number.
        number,
        /// Label of a field for a date.
        date,
        /// The first line of a pick list, which stands for no choice.
        pick,
        /// Opens a document in the panel.
        open_document,
        /// Closes the document that is open in the panel.
        close_document,
        /// Downloads a document.
        download,
        /// Goes on after a document, or sends several choices.
        go_on,
        /// Goes back to the last question.
        back,
        /// Begins the conversation again.
        restart,
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
        /// Before a line of an agent, for screen readers; `{}` is their name.
        agent_said,
        /// Above the field for a message; `{}` is the agent's name.
        message,
        /// While an agent is being found.
        waiting,
        /// How many wait before the visitor; `{}` is the number.
        ahead,
        /// Ends a live chat.
        end_chat,
        /// Gives up waiting for an agent.
        give_up,
        /// While the agent types; `{}` is their name.
        typing,
        /// Below what the agent has seen.
        seen,
        /// While there is no connection.
        reconnecting,
        /// An agent accepted.
        joined,
        /// Another agent answers now.
        transferred,
        /// The visitor ended the chat.
        ended_by_visitor,
        /// The agent ended the chat.
        ended_by_agent,
        /// No agent accepted.
        unanswered,
        /// The chat ended after a silence.
        idle,
        /// The chat ended as the visitor was gone.
        dropped,
        /// Below a message that has not reached the server.
        unsent,
        /// Label of the field that takes a file to send.
        attach,
        /// A file is too large; `{}` is the limit, in megabytes.
        file_too_large,
        /// Opens, and names, the field for the address a transcript goes to.
        email_transcript,
        /// After that; `{}` is the address.
        transcript_sent,
        /// Label of the switch for the sound of new messages.
        sound,
        /// The visitor, as a transcript that is mailed to them calls them.
        you,
        /// The subject of that mail; `{}` is the site's title.
        mail_subject,
        /// Its first line; `{}` is the site's title.
        mail_intro,
        /// Names the calendar that a day and a time are chosen in.
        choose_time,
        /// Label of the button that shows the month before.
        previous_month,
        /// Label of the button that shows the month after.
        next_month,
        /// Names the times of a day; `{}` is the day.
        times_on,
        /// The day that is chosen has no free time.
        no_times,
        /// The month that is shown has no free time.
        no_times_month,
        /// Label of the picker of a time zone.
        time_zone,
        /// Label of the button beside the time zone.
        change_zone,
        /// How long a time is kept for the visitor; `{}` is the time it ends.
        hold_until,
        /// Gives up the time that is kept, for another.
        other_time,
        /// Books the meeting.
        book,
        /// Heads a meeting that is booked.
        booked,
        /// Heads a meeting that was moved.
        moved,
        /// Heads a meeting that was cancelled.
        called_off,
        /// Whom the meeting is with; `{}` is their name.
        with_agent,
        /// Names the ways to take a meeting into a calendar.
        add_to_calendar,
        /// Downloads a meeting as a file for calendars.
        calendar_file,
        /// Leads to where a meeting can be moved or cancelled.
        change_meeting,
        /// When an agent calls at the latest; `{}` is the time.
        call_by,
        /// When an agent calls; `{}` is the day and the time.
        call_at,
        /// Calls us; `{}` is the phone number.
        call_number,
        /// Asks for a call.
        call_me,
        /// Names the group of ways to reach us.
        contact_menu,
        /// A way to reach us: a live chat.
        contact_chat,
        /// A way to reach us: a call from us, as soon as may be.
        contact_callback_now,
        /// A way to reach us: a call from us, at a time that is chosen.
        contact_callback_later,
        /// A way to reach us: a call to us.
        contact_call,
        /// After the label of a field that must be filled in.
        mandatory,
        /// Names the first of five smileys, the worst.
        faces_1,
        /// Names the second of five smileys.
        faces_2,
        /// Names the third of five smileys.
        faces_3,
        /// Names the fourth of five smileys.
        faces_4,
        /// Names the fifth of five smileys, the best.
        faces_5,
        /// Names a rating in stars; `{}` is their number.
        stars_of,
        /// The lower end of a scale from 0 to 10.
        score_least,
        /// The upper end of a scale from 0 to 10.
        score_most,
        /// Sends a form.
        submit_form,
        /// The title of the page of a meeting.
        your_meeting,
        /// Moves a meeting to another time.
        move_meeting,
        /// Cancels a meeting.
        cancel_meeting,
        /// Does not cancel a meeting after all.
        keep_meeting,
        /// A meeting was moved.
        meeting_moved,
        /// A meeting was cancelled.
        meeting_called_off,
        /// A meeting can no longer be changed: it is over.
        meeting_over,
        /// The link to a meeting is not valid, or no longer.
        bad_link,
        /// The subject of the mail about a meeting that was booked; `{}` is the meeting's title.
        mail_booked,
        /// The subject of the mail about a meeting that was moved; `{}` is the meeting's title.
        mail_moved,
        /// The subject of the mail about a meeting that was cancelled; `{}` is the meeting's title.
        mail_called_off,
        /// The subject of the mail before a meeting; `{}` is the meeting's title.
        mail_reminder,
        /// The line of such a mail that tells the time; `{}` is the day and the time.
        mail_when,
        /// The line of such a mail that tells the place; `{}` is the place.
        mail_where,
        /// The line of such a mail that tells whom the meeting is with; `{}` is their name.
        mail_with,
        /// The line of such a mail that tells where the meeting can be changed; `{}` is the address.
        mail_change,
        /// Names an agent's calendar; `{}` is their name.
        calendar_for,
        /// Leads to what becomes of what the visitor gives.
        privacy,
    }
}

texts! {
    /// The texts of the launcher and of errors.
    SystemTexts {
        /// Label of the launcher.
        open_chat,
        /// Label of the buttons that close the panel.
        close_chat,
        /// Label of the button that puts the panel away without closing the conversation.
        minimise,
        /// Label of the button that puts away the line beside the launcher.
        dismiss,
        /// After the launcher's label: there is something unread.
        unread,
        /// The e-mail address is not valid.
        bad_email,
        /// The site takes no e-mail addresses of this provider.
        blocked_email,
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
        /// Too few or too many of the choices were chosen.
        wrong_count,
        /// Not a number.
        bad_number,
        /// The number is too small or too large.
        number_out_of_range,
        /// Not a date.
        bad_date,
        /// The date is too early or too late.
        date_out_of_range,
        /// The text is longer than allowed.
        text_too_long,
        /// An answer is needed.
        required,
        /// The question was answered elsewhere.
        not_current,
        /// A file is of a kind that cannot be sent.
        bad_file,
        /// As many files, or transcripts, were sent as may be.
        no_more,
        /// The panel cannot be shown.
        failed,
        /// Somebody else has taken the time.
        slot_taken,
        /// The time was kept for the visitor, but is no longer.
        hold_lapsed,
        /// The text is not of the form that is asked for.
        no_match,
        /// The visitor has to agree, and did not.
        no_consent,
        /// The rating is not one of the scale.
        not_on_scale,
        /// The meeting can no longer be changed: it has begun.
        too_late,
        /// The meeting can no longer be changed: it was cancelled.
        not_booked,
        /// Some fields of a form are not filled in as they should be.
        check_fields,
        /// Label of the button that shows other ways to reach us.
        menu,
    }
}

impl PanelTexts {
    /// What a notice says; `{}` is the agent's name.
    #[must_use]
    pub const fn notice(&self, notice: Notice) -> &'static str {
        match notice {
            Notice::Joined => self.joined,
            Notice::Transferred => self.transferred,
            Notice::EndedByVisitor => self.ended_by_visitor,
            Notice::EndedByAgent => self.ended_by_agent,
            Notice::Unanswered => self.unanswered,
            Notice::Idle => self.idle,
            Notice::Dropped => self.dropped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(locale: Locale) -> Vec<&'static str> {
        [locale.panel().all(), locale.system().all()].concat()
    }

    #[test]
    fn the_first_language_that_exists_is_taken() {
        assert_eq!(Locale::best("sv-SE, de-CH;q=0.9, en;q=0.8"), Locale::De);
        assert_eq!(Locale::best("fr-CH, de-CH;q=0.9, en;q=0.8"), Locale::Fr);
        assert_eq!(Locale::best("ar_EG"), Locale::Ar);
        assert_eq!(Locale::best("*, ja"), Locale::Ja);
    }

    #[test]
    fn any_other_language_gets_english() {
        for preferences in ["", "xx", "*", "-", ",;", "zhx", "p"] {
            assert_eq!(Locale::best(preferences), Locale::En, "{preferences}");
        }
    }

    #[test]
    fn every_tag_finds_its_language_however_it_is_written() {
        for locale in Locale::ALL {
            let tag = locale.tag();
            let spellings = [tag.to_lowercase(), tag.to_uppercase(), tag.replace('-', "_"), format!(" {tag} ;q=0.5")];
            for written in spellings {
                assert_eq!(Locale::best(&written), locale, "{written}");
            }
        }
    }

    #[test]
    fn any_portuguese_is_brazilian() {
        for tag in ["pt", "pt-PT", "PT_br", "pt-AO", "pt-Latn-BR"] {
            assert_eq!(Locale::best(tag), Locale::PtBr, "{tag}");
        }
    }

    #[test]
    fn chinese_goes_by_its_script_then_by_its_region() {
        for tag in ["zh", "zh-CN", "zh_cn", "zh-SG", "zh-MY", "zh-Hans", "zh-Hans-CN", "zh-Hans-HK", "ZH-HANS-TW"] {
            assert_eq!(Locale::best(tag), Locale::ZhHans, "{tag}");
        }
        for tag in ["zh-TW", "zh_tw", "zh-HK", "zh-MO", "zh-Hant", "zh-Hant-TW", "zh-Hant-CN", "ZH_HANT_HK"] {
            assert_eq!(Locale::best(tag), Locale::ZhHant, "{tag}");
        }
    }

    #[test]
    fn only_arabic_is_written_from_right_to_left() {
        for locale in Locale::ALL {
            assert_eq!(locale.dir(), if locale == Locale::Ar { "rtl" } else { "ltr" }, "{}", locale.tag());
        }
    }

    #[test]
    fn no_text_is_empty() {
        for locale in Locale::ALL {
            assert!(texts(locale).iter().all(|text| !text.trim().is_empty()), "{}", locale.tag());
        }
    }

    #[test]
    fn no_language_is_a_copy_of_another() {
        for one in Locale::ALL {
            for other in Locale::ALL.into_iter().filter(|other| *other != one) {
                let (ours, theirs) = (texts(one), texts(other));
                let same = ours.iter().zip(&theirs).filter(|(our, their)| our == their).count();
                assert!(same * 2 < ours.len(), "{} and {} share {same} texts", one.tag(), other.tag());
            }
        }
    }

    #[test]
    fn the_example_of_an_address_is_the_same_everywhere() {
        for locale in Locale::ALL {
            assert_eq!(locale.panel().email_example, "ada@example.com", "{}", locale.tag());
            assert!(locale.system().bad_email.contains(locale.panel().email_example), "{}", locale.tag());
        }
    }
}
