//! What a visitor gives, and whether it is what was asked for.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{Attributes, Context, Format, state::known};
use crate::{
    contact::{BadEmail, BadPhone, Email},
    conversation::{Body, Bound, Capture, CaptureField, Choice, Conversation, Question, Style, limits},
    event::EventType,
    id::AttributeName,
};

/// What a visitor gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A text or choices, and for a phone number where it is dialled (ISO 3166, two letters).
    Given {
        /// As the visitor typed or chose it; several only where several may be chosen.
        values: Vec<String>,
        /// The country of a phone number that is written without its code.
        country: Option<String>,
    },
    /// The fields of a form, by their names, as the visitor filled them in. Where a phone number is dialled stands under its field's name and `.country`.
    Form(BTreeMap<String, Vec<String>>),
    /// Nothing, on purpose.
    Skipped,
}

impl Input {
    /// One text.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Given { values: vec![text.to_owned()], country: None }
    }
}

/// Why an answer is not of the kind that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidInput {
    /// None of the choices.
    #[error("expected one of the choices of the card")]
    NotAChoice,
    /// Too few or too many choices.
    #[error("expected another number of choices")]
    WrongCount,
    /// No e-mail address.
    #[error(transparent)]
    Email(#[from] BadEmail),
    /// An e-mail address of a provider that the site does not take.
    #[error("the site takes no e-mail addresses of this provider")]
    BlockedEmail,
    /// No phone number.
    #[error(transparent)]
    Phone(#[from] BadPhone),
    /// No number.
    #[error("expected a number, such as 12.5")]
    NotANumber,
    /// A number below the least or above the most.
    #[error("the number is not within the limits of the card")]
    NumberOutOfRange,
    /// No day.
    #[error("expected a day, such as 2026-11-21")]
    NotADate,
    /// A day before the first or after the last.
    #[error("the day is not within the limits of the card")]
    DateOutOfRange,
    /// A text that is too long.
    #[error("the text is too long")]
    TooLong,
    /// The card cannot be skipped.
    #[error("an answer is required here")]
    Required,
    /// The text does not match the author's pattern.
    #[error("the text is not as the field asks for it")]
    NoMatch,
    /// The consent was not given.
    #[error("this has to be agreed to")]
    NoConsent,
    /// No number of a rating.
    #[error("expected one of the numbers of the rating")]
    NotOnTheScale,
}

/// An answer that was accepted.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// What the transcript shows.
    pub(super) shown: Option<String>,
    /// How it shows that.
    pub(super) format: Format,
    /// What is now known of the visitor.
    pub(super) attributes: Vec<(AttributeName, String)>,
    /// The events it causes, with what each holds of the answer: an address or number itself, of anything else the attribute's name.
    pub(super) events: Vec<(EventType, String)>,
    /// What was given to each field, if it was a form.
    pub(super) answers: Option<Vec<(AttributeName, String)>>,
    /// The choice that decides the way on.
    pub(super) choice: Option<usize>,
}

/// Takes an answer to a card, or says what is wrong with it.
pub(super) fn take(
    document: &Conversation,
    body: &Body,
    input: &Input,
    attributes: &Attributes,
    context: &Context<'_>,
) -> Result<Taken, InvalidInput> {
    match (body, input) {
        (Body::Question(question), Input::Given { values, .. }) => chosen(document, question, values, context.locale),
        (Body::Document(shown), Input::Given { values, .. }) => {
            // What is written on the button that goes on, if the form says it.
            let said = values.first().map(|value| value.trim()).filter(|value| !value.is_empty());
            let said = said.unwrap_or_else(|| document.say(&shown.title, context.locale));
            Ok(Taken { shown: Some(text(said, limits::LABEL, false)?), ..Taken::default() })
        }
        (Body::Capture(capture), Input::Given { values, country }) => {
            let given = values.first().filter(|value| !value.trim().is_empty());
            match given {
                Some(given) => captured(document, capture, given, country.as_deref(), attributes, context),
                // Who wants to skip says so.
                None => Err(match capture.field {
                    CaptureField::Email => BadEmail.into(),
                    CaptureField::Phone => BadPhone::NotANumber.into(),
                    CaptureField::PickList => InvalidInput::NotAChoice,
                    CaptureField::Number => InvalidInput::NotANumber,
                    CaptureField::Date => InvalidInput::NotADate,
                    _ => InvalidInput::Required,
                }),
            }
        }
        (Body::Call(call), Input::Given { .. }) => {
            let number = call.number(context.locale).map_or(String::new(), |number| number.number.clone());
            Ok(Taken { shown: Some(number), ..Taken::default() })
        }
        (Body::Capture(capture), Input::Skipped) if capture.optional => Ok(Taken::default()),
        _ => Err(InvalidInput::Required),
    }
}

/// What stands between the parts of a list.
fn between(locale: &str) -> &'static str {
    let speaks = |language| crate::conversation::fits_locale(language, locale);
    match () {
        () if speaks("ar") => "، ",
        () if speaks("ja") || speaks("zh") => "、",
        () => ", ",
    }
}

fn chosen(document: &Conversation, question: &Question, values: &[String], locale: &str) -> Result<Taken, InvalidInput> {
    let several = question.style == Style::Multiple;
    // In the author's order, each once, however the form sent them.
    let picked: Vec<(usize, &Choice)> =
        question.choices.iter().enumerate().filter(|(_, choice)| values.iter().any(|value| is_value(choice, value))).collect();
    if values.iter().any(|value| !question.choices.iter().any(|choice| is_value(choice, value))) {
        return Err(InvalidInput::NotAChoice);
    }
    let (min, max) = if several { (question.min.unwrap_or(1), question.max.unwrap_or(u32::MAX)) } else { (1, 1) };
    let count = u32::try_from(picked.len()).unwrap_or(u32::MAX);
    if !(min..=max).contains(&count) {
        return Err(if several { InvalidInput::WrongCount } else { InvalidInput::NotAChoice });
    }
    let labels: Vec<_> = picked.iter().map(|(_, choice)| document.say(&choice.label, locale)).collect();
    let kept: Vec<_> = picked.iter().map(|(_, choice)| choice.value()).collect();
    Ok(Taken {
        shown: Some(labels.join(between(locale))).filter(|_| !labels.is_empty()),
        attributes: question.attribute.iter().map(|name| (name.clone(), kept.join(";"))).collect(),
        choice: picked.first().map(|(index, _)| *index).filter(|_| !several),
        ..Taken::default()
    })
}

fn captured(
    document: &Conversation,
    capture: &Capture,
    given: &str,
    country: Option<&str>,
    attributes: &Attributes,
    context: &Context<'_>,
) -> Result<Taken, InvalidInput> {
    let typed = given.trim();
    let mut format = Format::Text;
    let (value, shown) = match capture.field {
        CaptureField::Email => plain(address(typed, context)?.to_string()),
        CaptureField::Phone => plain(context.phones.parse(typed, country)?.to_string()),
        CaptureField::Name | CaptureField::FirstName | CaptureField::LastName | CaptureField::Company => {
            plain(text(typed, limits::LABEL, false)?)
        }
        CaptureField::Text => {
            let most = usize::try_from(capture.most_characters()).unwrap_or(limits::VALUE);
            plain(text(typed, most, true)?)
        }
        CaptureField::Number => {
            format = Format::Number;
            let number = typed.parse::<f64>().ok().filter(|number| number.is_finite()).ok_or(InvalidInput::NotANumber)?;
            let below = capture.min.as_ref().and_then(Bound::number).is_some_and(|min| number < min);
            let above = capture.max.as_ref().and_then(Bound::number).is_some_and(|max| number > max);
            if below || above {
                return Err(InvalidInput::NumberOutOfRange);
            }
            plain(number.to_string())
        }
        CaptureField::Date => {
            format = Format::Date;
            let day: Date = typed.parse().map_err(|_| InvalidInput::NotADate)?;
            let early = capture.min.as_ref().and_then(Bound::date).is_some_and(|min| day < min);
            let late = capture.max.as_ref().and_then(Bound::date).is_some_and(|max| day > max);
            if early || late {
                return Err(InvalidInput::DateOutOfRange);
            }
            plain(day.to_string())
        }
        CaptureField::PickList => {
            let choice = capture.choices.iter().find(|choice| is_value(choice, given)).ok_or(InvalidInput::NotAChoice)?;
            (choice.value().to_owned(), document.say(&choice.label, context.locale).to_owned())
        }
    };
    let Some(name) = capture.kept_as() else { return Err(InvalidInput::Required) };
    let event = match capture.field {
        CaptureField::Email => (EventType::InputEmail, value.clone()),
        CaptureField::Phone => (EventType::InputPhone, value.clone()),
        _ => (EventType::InputCaptured, name.to_string()),
    };
    let mut learned = Vec::new();
    if capture.overwrite || known(attributes, &name).is_none() {
        if capture.field == CaptureField::Name {
            learned.extend(first_name(&value, attributes, context.locale));
        }
        learned.push((name, value));
    }
    Ok(Taken { shown: Some(shown), format, attributes: learned, events: vec![event], ..Taken::default() })
}

/// Whether a form sent this choice. Browsers send line breaks as CR LF.
pub(super) fn is_value(choice: &Choice, sent: &str) -> bool {
    choice.value() == sent || choice.value() == sent.replace("\r\n", "\n")
}

fn plain(value: String) -> (String, String) {
    (value.clone(), value)
}

/// An e-mail address that was typed, if it is one and the site takes it.
pub(super) fn address(typed: &str, context: &Context<'_>) -> Result<Email, InvalidInput> {
    let address: Email = typed.parse()?;
    if context.emails.accepts(&address) { Ok(address) } else { Err(InvalidInput::BlockedEmail) }
}

pub(super) fn text(typed: &str, most: usize, lines: bool) -> Result<String, InvalidInput> {
    // Browsers send line breaks as CR LF, and count them as one character.
    let text = typed.replace("\r\n", "\n");
    if text.chars().count() > most {
        return Err(InvalidInput::TooLong);
    }
    let text: String = text.chars().map(|c| if c.is_control() && !(lines && c == '\n') { ' ' } else { c }).collect();
    match text.trim() {
        "" => Err(InvalidInput::Required),
        text => Ok(text.to_owned()),
    }
}

/// What to call somebody, from their whole name, where names are written with the first name first; nothing if that was given
/// itself. One that was taken from the name as it was before follows the new name.
#[must_use]
pub(super) fn first_name(name: &str, attributes: &Attributes, locale: &str) -> Option<(AttributeName, String)> {
    let family_first = ["ja", "ko", "zh", "vi", "hu"].iter().any(|language| crate::conversation::fits_locale(language, locale));
    let attribute = CaptureField::FirstName.name().parse().ok()?;
    let before = CaptureField::Name.name().parse().ok().and_then(|name| known(attributes, &name)?.split_whitespace().next());
    let given = known(attributes, &attribute).is_some_and(|first| Some(first) != before);
    if family_first || given {
        return None;
    }
    Some((attribute, name.split_whitespace().next()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        contact::{EmailRules, Phone, PhoneRules},
        livechat::{ChatPolicy, Roster},
    };

    struct OtherProviders;

    impl EmailRules for OtherProviders {
        fn accepts(&self, email: &crate::contact::Email) -> bool {
            email.domain() != "blocked.example"
        }
    }

    struct PlainPhones;

    impl PhoneRules for PlainPhones {
        fn parse(&self, text: &str, country: Option<&str>) -> Result<Phone, BadPhone> {
            let national = text.strip_prefix('0').filter(|_| country == Some("DE")).map(|rest| format!("+49{rest}"));
            Phone::from_e164(&national.unwrap_or_else(|| text.to_owned())).ok_or(BadPhone::NotANumber)
        }
    }

    /// What comes of an answer to a card: what is shown, what is known then, and the event.
    fn taken(card: &Value, input: &Input, known: &[(&str, &str)], locale: &str) -> Result<Taken, InvalidInput> {
        let mut card = card.clone();
        card["id"] = "c".into();
        card["text"] = "?".into();
        let document = json!({ "id": "d", "name": "D", "cards": [card, { "id": "end", "card": "end" }] });
        let document = Conversation::read(&document.to_string()).unwrap_or_else(|problems| panic!("{problems:?}"));
        let attributes = known.iter().map(|(name, value)| (name.parse().unwrap(), (*value).to_owned())).collect();
        let context = Context {
            now: jiff::Timestamp::UNIX_EPOCH,
            page: "https://shop.example/",
            new_id: &mut || uuid::Uuid::nil(),
            locale,
            phones: &PlainPhones,
            emails: &OtherProviders,
            roster: &Roster::default(),
            policy: &ChatPolicy::default(),
            time_zone: "UTC",
            calendars: &crate::meeting::Calendars::default(),
            openings: &crate::schedule::Openings::default(),
            address_of: &|_| String::new(),
        };
        take(&document, &document.cards[0].body, input, &attributes, &context)
    }

    fn capture(field: &str, more: Value) -> Value {
        let mut card = json!({ "card": "capture", "field": field });
        card.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        card
    }

    /// What is kept of a text that is given to a capture.
    fn kept(field: &str, more: Value, text: &str) -> Result<String, InvalidInput> {
        taken(&capture(field, more), &Input::text(text), &[], "en").map(|mut taken| taken.attributes.pop().unwrap().1)
    }

    fn learned(taken: &Taken) -> Vec<(&str, &str)> {
        taken.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    #[test]
    fn every_field_takes_what_it_asks_for() {
        let a = || json!({ "attribute": "a" });
        let colours =
            || json!({ "attribute": "a", "choices": [{ "label": " Red\nand more " }, { "label": "Blue", "value": "b" }] });
        for (field, more, text, expected) in [
            ("email", json!({}), " ada@Example.COM ", "ada@example.com"),
            ("phone", json!({}), " +493012345678 ", "+493012345678"),
            ("name", json!({}), " Ada\tLovelace ", "Ada Lovelace"),
            ("firstName", json!({}), "*Ada*", "*Ada*"),
            ("lastName", json!({}), "{{visitor.email}}", "{{visitor.email}}"),
            ("company", json!({}), "Bücher & Söhne", "Bücher & Söhne"),
            ("text", a(), "one\r\ntwo\u{0}\tthree\n", "one\ntwo  three"),
            ("number", a(), " 12.50 ", "12.5"),
            ("number", a(), "-3e2", "-300"),
            ("date", a(), "2026-02-28", "2026-02-28"),
            ("pickList", colours(), " Red\nand more ", " Red\nand more "),
            ("pickList", colours(), " Red\r\nand more ", " Red\nand more "),
            ("pickList", colours(), "b", "b"),
        ] {
            assert_eq!(kept(field, more, text).as_deref(), Ok(expected), "{field} {text:?}");
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        use InvalidInput::*;
        let a = || json!({ "attribute": "a" });
        let pick = || json!({ "attribute": "a", "choices": [{ "label": "Red" }, { "label": "Blue", "value": "b" }] });
        for (field, more, text, expected) in [
            ("email", json!({}), "ada@localhost", Email(BadEmail)),
            ("email", json!({}), " ", Email(BadEmail)),
            ("email", json!({}), "ada@Blocked.example", BlockedEmail),
            ("email", json!({ "optional": true }), "ada@blocked.example", BlockedEmail),
            ("phone", json!({}), "0301234", Phone(BadPhone::NotANumber)),
            ("phone", json!({}), "", Phone(BadPhone::NotANumber)),
            ("name", json!({}), "", Required),
            ("firstName", json!({}), " \n ", Required),
            ("lastName", json!({}), "\u{1}\u{7f}", Required),
            ("company", json!({}), "", Required),
            ("text", a(), "\r\n", Required),
            ("number", a(), "", NotANumber),
            ("number", a(), "twelve", NotANumber),
            ("number", a(), "1,5", NotANumber),
            ("number", a(), "inf", NotANumber),
            ("number", a(), "NaN", NotANumber),
            ("number", a(), "1e999", NotANumber),
            ("date", a(), "", NotADate),
            ("date", a(), "2026-02-29", NotADate),
            ("date", a(), "21.11.2026", NotADate),
            ("pickList", pick(), "", NotAChoice),
            ("pickList", pick(), "Blue", NotAChoice),
            ("pickList", pick(), "red", NotAChoice),
        ] {
            assert_eq!(kept(field, more, text), Err(expected), "{field} {text:?}");
        }
        let several = Input::Given { values: vec![], country: None };
        assert_eq!(taken(&capture("name", json!({})), &several, &[], "en").unwrap_err(), Required);
        assert_eq!(taken(&capture("name", json!({})), &Input::Skipped, &[], "en").unwrap_err(), Required);
    }

    #[test]
    fn limits_hold_at_their_edge() {
        use InvalidInput::*;
        let number = || json!({ "attribute": "a", "min": -1.5, "max": 3 });
        let day = || json!({ "attribute": "a", "min": "2026-02-28", "max": "2026-03-01" });
        for (field, more, text, expected) in [
            ("number", number(), "-1.5".to_owned(), None),
            ("number", number(), "-1.51".to_owned(), Some(NumberOutOfRange)),
            ("number", number(), "3.0".to_owned(), None),
            ("number", number(), "3.01".to_owned(), Some(NumberOutOfRange)),
            ("date", day(), "2026-02-28".to_owned(), None),
            ("date", day(), "2026-02-27".to_owned(), Some(DateOutOfRange)),
            ("date", day(), "2026-03-01".to_owned(), None),
            ("date", day(), "2026-03-02".to_owned(), Some(DateOutOfRange)),
            ("text", json!({ "attribute": "a", "max": 3 }), "ä\r\nb".to_owned(), None),
            ("text", json!({ "attribute": "a", "max": 3 }), "äbcd".to_owned(), Some(TooLong)),
            ("text", json!({ "attribute": "a" }), "ä".repeat(limits::VALUE), None),
            ("text", json!({ "attribute": "a" }), "ä".repeat(limits::VALUE + 1), Some(TooLong)),
            ("name", json!({}), "ä".repeat(limits::LABEL), None),
            ("name", json!({}), "ä".repeat(limits::LABEL + 1), Some(TooLong)),
        ] {
            assert_eq!(kept(field, more, &text).err(), expected, "{field} {text:?}");
        }
    }

    #[test]
    fn events_tell_an_address_and_of_all_else_the_name_only() {
        let event = |card: Value, text: &str| taken(&card, &Input::text(text), &[], "en").unwrap().events.pop().unwrap();
        let work = json!({ "attribute": "workMail" });
        assert_eq!(event(capture("email", work), "a@b.example"), (EventType::InputEmail, "a@b.example".into()));
        assert_eq!(event(capture("phone", json!({})), "+493012345"), (EventType::InputPhone, "+493012345".into()));
        assert_eq!(event(capture("company", json!({})), "Lamps"), (EventType::InputCaptured, "company".into()));
        assert_eq!(event(capture("number", json!({ "attribute": "seats" })), "3"), (EventType::InputCaptured, "seats".into()));
    }

    #[test]
    fn a_phone_number_may_have_a_country() {
        let input = Input::Given { values: vec!["03012345678".into()], country: Some("DE".into()) };
        let taken = taken(&capture("phone", json!({})), &input, &[], "en").unwrap();
        assert_eq!(taken.shown.as_deref(), Some("+493012345678"));
    }

    #[test]
    fn numbers_and_days_are_marked_as_such() {
        for (field, text, format) in
            [("number", "1.5", Format::Number), ("date", "2026-11-21", Format::Date), ("text", "x", Format::Text)]
        {
            let taken = taken(&capture(field, json!({ "attribute": "a" })), &Input::text(text), &[], "en").unwrap();
            assert_eq!((taken.shown.as_deref(), taken.format), (Some(text), format));
        }
    }

    #[test]
    fn what_is_optional_may_be_left_out() {
        let card = capture("email", json!({ "optional": true }));
        let skipped = taken(&card, &Input::Skipped, &[("email", "a@b.example")], "en").unwrap();
        assert_eq!((skipped.shown, skipped.attributes, skipped.events), (None, vec![], vec![]));
        for input in [Input::text(" "), Input::Given { values: vec![], country: None }] {
            assert_eq!(taken(&card, &input, &[], "en").unwrap_err(), InvalidInput::Email(BadEmail), "who wants to skip says so");
        }
        assert!(taken(&card, &Input::text("ada"), &[], "en").is_err(), "what is given must be right");
    }

    #[test]
    fn what_was_known_is_kept_if_the_author_says_so() {
        let card = capture("company", json!({ "overwrite": false }));
        let given = |known: &[(&str, &str)]| taken(&card, &Input::text("New"), known, "en").unwrap();
        let kept = given(&[("company", "Old")]);
        assert_eq!((learned(&kept), kept.shown.as_deref(), !kept.events.is_empty()), (vec![], Some("New"), true));
        assert_eq!(learned(&given(&[])), [("company", "New")]);
        assert_eq!(learned(&given(&[("company", " ")])), [("company", "New")], "what was forgotten is not known");
        let always = taken(&capture("company", json!({})), &Input::text("New"), &[("company", "Old")], "en").unwrap();
        assert_eq!(learned(&always), [("company", "New")]);
    }

    #[test]
    fn a_name_holds_the_first_name() {
        let card = capture("name", json!({}));
        let firsts = |known: &[(&str, &str)], locale| {
            let taken = taken(&card, &Input::text("Ada Lovelace"), known, locale).unwrap();
            taken.attributes.into_iter().find(|(name, _)| name.as_str() == "firstName").map(|(_, value)| value)
        };
        assert_eq!(firsts(&[], "de-AT, ja;q=0.5").as_deref(), Some("Ada"));
        for locale in ["ja", "ja-JP, en", "zh-Hant", "ko", "vi", "hu-HU"] {
            assert_eq!(firsts(&[], locale), None, "{locale}");
        }
        assert_eq!(firsts(&[("firstName", "Augusta")], "en"), None, "what was given itself stays");
        assert_eq!(firsts(&[("name", "Bob B"), ("firstName", "Augusta")], "en"), None);
        assert_eq!(firsts(&[("name", "Bob B"), ("firstName", "Bob")], "en").as_deref(), Some("Ada"), "a name that is corrected");
    }

    fn asked(style: &str, more: Value) -> Value {
        let choices = json!([
            { "label": { "en": "Red", "de": "Rot" }, "value": "r" }, { "label": "Green", "value": "g" }, { "label": "Blue\nlight" },
        ]);
        let mut card = json!({ "card": "question", "style": style, "attribute": "colour", "choices": choices });
        card.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        card
    }

    fn chosen_of(card: &Value, values: &[&str]) -> Result<Taken, InvalidInput> {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        taken(card, &Input::Given { values, country: None }, &[], "de-AT")
    }

    #[test]
    fn one_is_chosen() {
        for style in ["buttons", "list"] {
            let card = asked(style, json!({}));
            let red = chosen_of(&card, &["r"]).unwrap();
            assert_eq!((red.shown.as_deref(), red.choice, red.events.is_empty()), (Some("Rot"), Some(0), true));
            assert_eq!(learned(&red), [("colour", "r")]);
            assert_eq!(learned(&chosen_of(&card, &["Blue\r\nlight"]).unwrap()), [("colour", "Blue\nlight")]);
            for wrong in [&[][..], &["Red"], &["r", "g"], &["r", "x"], &[""]] {
                assert_eq!(chosen_of(&card, wrong).unwrap_err(), InvalidInput::NotAChoice, "{wrong:?}");
            }
            assert_eq!(taken(&card, &Input::Skipped, &[], "en").unwrap_err(), InvalidInput::Required);
        }
    }

    #[test]
    fn several_are_chosen() {
        let card = asked("multiple", json!({}));
        let all = chosen_of(&card, &["Blue\nlight", "r", "r", "g"]).unwrap();
        assert_eq!(all.shown.as_deref(), Some("Rot, Green, Blue\nlight"), "in the author's order, each once");
        assert_eq!((learned(&all), all.choice), (vec![("colour", "r;g;Blue\nlight")], None));
        assert_eq!(chosen_of(&card, &[]).unwrap_err(), InvalidInput::WrongCount);
        assert_eq!(chosen_of(&card, &["r", "x"]).unwrap_err(), InvalidInput::NotAChoice);

        let two = asked("multiple", json!({ "min": 2, "max": 2 }));
        for (values, good) in
            [(&["r"][..], false), (&["r", "r"], false), (&["g", "r"], true), (&["g", "r", "Blue\nlight"], false)]
        {
            assert_eq!(
                chosen_of(&two, values).map(drop),
                if good { Ok(()) } else { Err(InvalidInput::WrongCount) },
                "{values:?}"
            );
        }
        let none = chosen_of(&asked("multiple", json!({ "min": 0 })), &[]).unwrap();
        assert_eq!((none.shown.as_deref(), learned(&none)), (None, vec![("colour", "")]));
    }

    #[test]
    fn going_on_from_a_document_is_shown() {
        let card = json!({ "card": "document", "title": { "en": "Guide", "de": "Anleitung" }, "file": "guide.pdf" });
        let read = taken(&card, &Input::Given { values: vec![], country: None }, &[], "de").unwrap();
        assert_eq!((read.shown.as_deref(), read.attributes, read.events), (Some("Anleitung"), vec![], vec![]));
        let button = taken(&card, &Input::text(" Weiter "), &[], "de").unwrap();
        assert_eq!(button.shown.as_deref(), Some("Weiter"), "or what is written on the button");
        assert_eq!(taken(&card, &Input::Skipped, &[], "de").unwrap_err(), InvalidInput::Required);
    }
}
