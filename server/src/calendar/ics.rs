//! Meetings as calendars read them: invitations (RFC 5546), feeds, and links that open a calendar's own form.
//!
//! Titles and names come from strangers. A line is ended only where this module ends it: what would end one in between is escaped
//! in texts and left out everywhere else, so that nobody writes properties of their own into an invitation.

use std::fmt::Write as _;

use jiff::Timestamp;
use url::form_urlencoded::Serializer;

/// Who made the file (RFC 5545 §3.7.3).
const PRODID: &str = "-//Porchlight//Porchlight//EN";
/// The longest line in bytes, without its end (RFC 5545 §3.1).
const LINE_MAX: usize = 75;
/// How often a feed is worth looking at (RFC 7986 §5.7).
const REFRESH: &str = "PT15M";
/// How much of a description goes into a link, in characters: browsers and servers take about 2,000 bytes of an address.
const LINK_DETAILS_MAX: usize = 500;

/// A meeting, as others are told of it.
#[derive(Debug, Clone, Copy)]
pub struct Invitation<'a> {
    /// What it is known by for ever (RFC 7986 §5.3).
    pub uid: &'a str,
    /// How often it was changed: what is told later wins (RFC 5546 §2.1.4).
    pub sequence: u32,
    /// When this is told.
    pub now: Timestamp,
    /// When it begins.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
    /// What it is called: one line.
    pub title: &'a str,
    /// What is said about it; may have several lines.
    pub description: &'a str,
    /// Where it is: a place or an address.
    pub location: Option<&'a str>,
    /// Whose meeting it is: name and e-mail address. Answers go there.
    pub organizer: (&'a str, &'a str),
    /// Who is invited: name and e-mail address of each.
    pub attendees: &'a [(&'a str, &'a str)],
    /// A page about it.
    pub url: Option<&'a str>,
}

/// What a meeting is told for (RFC 5546 §3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Those who are invited are asked to come; the same again when something has changed.
    Request,
    /// It does not take place.
    Cancel,
    /// It is shown, and nobody is asked: the one method that must not name attendees (RFC 5546 §3.2.1).
    Publish,
}

impl Method {
    /// Its name: of the property, and of the `method` that the media type of a letter's part has (RFC 6047 §2.4).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "REQUEST",
            Self::Cancel => "CANCEL",
            Self::Publish => "PUBLISH",
        }
    }

    /// The method of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Request, Self::Cancel, Self::Publish].into_iter().find(|method| method.name() == name)
    }
}

/// A meeting as a letter brings it.
#[must_use]
pub fn invitation(event: &Invitation<'_>, method: Method) -> String {
    let mut lines = Lines::calendar(Some(method));
    lines.event(event, Some(method));
    lines.done()
}

/// A meeting as it is kept in a calendar: there it must have no method (RFC 4791 §4.1). It has no attendees, either: a server that
/// sends invitations itself (RFC 6638) would send them a second time.
#[must_use]
pub fn stored(event: &Invitation<'_>) -> String {
    let mut lines = Lines::calendar(None);
    lines.event(event, None);
    lines.done()
}

/// Meetings as a feed that calendars look at again and again.
#[must_use]
pub fn feed(name: &str, events: &[Invitation<'_>]) -> String {
    let mut lines = Lines::calendar(Some(Method::Publish));
    lines.text("X-WR-CALNAME", &one_line(name));
    // The standard's way to say it, and the one of those who had none.
    lines.line(&format!("REFRESH-INTERVAL;VALUE=DURATION:{REFRESH}"));
    lines.line(&format!("X-PUBLISHED-TTL:{REFRESH}"));
    for event in events {
        lines.event(event, Some(Method::Publish));
    }
    lines.done()
}

/// Addresses at which somebody's own calendar on the web offers to note a meeting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebLinks {
    /// Google Calendar.
    pub google: String,
    /// Outlook.com, of private accounts.
    pub outlook: String,
    /// Microsoft 365, of companies.
    pub office365: String,
}

/// The links of a meeting. None of these forms is documented by its maker; how they are known is collected in
/// <https://github.com/InteractionDesignFoundation/add-event-to-calendar-docs>.
#[must_use]
pub fn web_links(event: &Invitation<'_>) -> WebLinks {
    let details: String = event.description.chars().take(LINK_DETAILS_MAX).collect();
    let title = one_line(event.title);
    let location = event.location.map(one_line).unwrap_or_default();
    let dates = format!("{}/{}", stamp(event.start), stamp(event.end));
    let mut google =
        vec![("action", "TEMPLATE"), ("text", title.as_str()), ("dates", dates.as_str()), ("details", details.as_str())];
    // Outlook takes the text for HTML.
    let body =
        details.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace("\r\n", "\n").replace('\n', "<br>");
    let (start, end) = (long_stamp(event.start), long_stamp(event.end));
    let mut outlook = vec![
        ("path", "/calendar/action/compose"),
        ("rru", "addevent"),
        ("startdt", start.as_str()),
        ("enddt", end.as_str()),
        ("subject", title.as_str()),
        ("body", body.as_str()),
    ];
    if !location.is_empty() {
        google.push(("location", location.as_str()));
        outlook.push(("location", location.as_str()));
    }
    let outlook = query(&outlook);
    WebLinks {
        google: format!("https://calendar.google.com/calendar/render?{}", query(&google)),
        outlook: format!("https://outlook.live.com/calendar/0/deeplink/compose?{outlook}"),
        office365: format!("https://outlook.office.com/calendar/0/deeplink/compose?{outlook}"),
    }
}

/// A query in which a space is not a plus, which Outlook would show.
fn query(pairs: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(pairs).finish().replace('+', "%20")
}

/// A moment in UTC, as RFC 5545 §3.3.5 writes it.
pub(super) fn stamp(moment: Timestamp) -> String {
    moment.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn long_stamp(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The content lines of a file.
struct Lines(String);

impl Lines {
    fn calendar(method: Option<Method>) -> Self {
        let mut lines = Self(String::new());
        for line in ["BEGIN:VCALENDAR", "VERSION:2.0"] {
            lines.line(line);
        }
        lines.line(&format!("PRODID:{PRODID}"));
        lines.line("CALSCALE:GREGORIAN");
        if let Some(method) = method {
            lines.line(&format!("METHOD:{}", method.name()));
        }
        lines
    }

    fn done(mut self) -> String {
        self.line("END:VCALENDAR");
        self.0
    }

    fn event(&mut self, event: &Invitation<'_>, method: Option<Method>) {
        self.line("BEGIN:VEVENT");
        self.text("UID", &one_line(event.uid));
        self.line(&format!("SEQUENCE:{}", event.sequence));
        self.line(&format!("DTSTAMP:{}", stamp(event.now)));
        self.line(&format!("DTSTART:{}", stamp(event.start)));
        self.line(&format!("DTEND:{}", stamp(event.end)));
        self.text("SUMMARY", &one_line(event.title));
        if !event.description.is_empty() {
            self.text("DESCRIPTION", event.description);
        }
        if let Some(location) = event.location {
            self.text("LOCATION", &one_line(location));
        }
        if let Some(url) = event.url {
            self.line(&format!("URL:{}", uri(url, |byte| byte.is_ascii_graphic() && byte != b'"')));
        }
        let cancelled = method == Some(Method::Cancel);
        self.line(if cancelled { "STATUS:CANCELLED" } else { "STATUS:CONFIRMED" });
        self.line("TRANSP:OPAQUE");
        if method.is_some() {
            let (name, address) = event.organizer;
            self.line(&format!("ORGANIZER{}:{}", common_name(name), mailto(address)));
        }
        if matches!(method, Some(Method::Request | Method::Cancel)) {
            let rsvp = if cancelled { "FALSE" } else { "TRUE" };
            for (name, address) in event.attendees {
                let said = format!("CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP={rsvp}");
                self.line(&format!("ATTENDEE{};{said}:{}", common_name(name), mailto(address)));
            }
        }
        self.line("END:VEVENT");
    }

    /// A property whose value is a text (RFC 5545 §3.3.11).
    fn text(&mut self, name: &str, text: &str) {
        let mut line = format!("{name}:");
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '\\' | ';' | ',' => line.extend(['\\', character]),
                '\r' | '\n' => {
                    if character == '\r' {
                        characters.next_if_eq(&'\n');
                    }
                    line.push_str("\\n");
                }
                _ => line.push(character),
            }
        }
        self.line(&line);
    }

    /// One line, folded between characters where it is too long (RFC 5545 §3.1). A character that would end it is none of it.
    fn line(&mut self, line: &str) {
        let mut length = 0;
        for character in line.chars().filter(|character| !character.is_control() || *character == '\t') {
            if length + character.len_utf8() > LINE_MAX {
                self.0.push_str("\r\n ");
                length = 1;
            }
            self.0.push(character);
            length += character.len_utf8();
        }
        self.0.push_str("\r\n");
    }
}

/// A text without line ends.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The parameter with a person's name. Within it a quotation mark cannot be written so that all understand it.
fn common_name(name: &str) -> String {
    let name = one_line(name).replace('"', "'");
    if name.is_empty() { name } else { format!(";CN=\"{name}\"") }
}

/// The address of an e-mail address (RFC 6068 §2).
fn mailto(address: &str) -> String {
    format!("mailto:{}", uri(address, |byte| byte.is_ascii_alphanumeric() || b"@.-_~+!$'*".contains(&byte)))
}

/// A text as part of an address: what may not be in it is written as its number.
fn uri(text: &str, plain: impl Fn(u8) -> bool) -> String {
    let mut written = String::with_capacity(text.len());
    for byte in text.bytes() {
        if plain(byte) {
            written.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(written, "%{byte:02X}");
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use icalendar::{Calendar, Component, Event, EventLike};

    use super::*;

    const ATTENDEES: &[(&str, &str)] = &[("Ada Lovelace", "ada@example.com"), ("", "grace+x@example.org")];

    fn example() -> Invitation<'static> {
        Invitation {
            uid: "0190a0de-0000-7000-8000-000000000001@chat.example.com",
            sequence: 2,
            now: "2026-03-01T12:00:00Z".parse().unwrap(),
            start: "2026-03-10T09:00:00Z".parse().unwrap(),
            end: "2026-03-10T09:30:00.5Z".parse().unwrap(),
            title: "A talk; with \\ and, more",
            description: "First line\nsecond: \"quoted\"\r\nthird",
            location: Some("https://meet.example.com/a,b"),
            organizer: ("Müller, Jörg", "joerg@example.com"),
            attendees: ATTENDEES,
            url: Some("https://chat.example.com/m?a=1&b=2"),
        }
    }

    /// Read by somebody else's reader: the calendar and its only event.
    fn read(text: &str) -> (Calendar, Event) {
        let calendar: Calendar = text.parse().unwrap();
        let mut events = calendar.events().cloned().collect::<Vec<_>>();
        assert_eq!(events.len(), 1, "{text}");
        let event = events.remove(0);
        (calendar, event)
    }

    fn value<'e>(event: &'e Event, name: &str) -> &'e str {
        event.property_value(name).unwrap_or_else(|| panic!("no {name}"))
    }

    #[test]
    fn a_request_reads_as_it_was_written() {
        let text = invitation(&example(), Method::Request);
        let (calendar, event) = read(&text);
        assert_eq!(calendar.property_value("METHOD"), Some("REQUEST"));
        assert_eq!(calendar.property_value("PRODID"), Some(PRODID));
        assert_eq!(calendar.property_value("VERSION"), Some("2.0"));
        assert_eq!(event.get_uid(), Some(example().uid));
        assert_eq!(event.get_sequence(), Some(2));
        assert_eq!(value(&event, "DTSTAMP"), "20260301T120000Z");
        assert_eq!(value(&event, "DTSTART"), "20260310T090000Z");
        assert_eq!(value(&event, "DTEND"), "20260310T093000Z");
        assert_eq!(event.get_summary(), Some(example().title));
        assert_eq!(event.get_description(), Some("First line\nsecond: \"quoted\"\nthird"));
        assert_eq!(event.get_location(), example().location);
        assert_eq!(value(&event, "URL"), "https://chat.example.com/m?a=1&b=2");
        assert_eq!(value(&event, "STATUS"), "CONFIRMED");
        let organizer = &event.properties()["ORGANIZER"];
        assert_eq!(organizer.value(), "mailto:joerg@example.com");
        assert_eq!(organizer.params()["CN"].value(), "Müller, Jörg");
        let attendees = &event.multi_properties()["ATTENDEE"];
        assert_eq!(
            attendees.iter().map(|attendee| attendee.value()).collect::<Vec<_>>(),
            ["mailto:ada@example.com", "mailto:grace+x@example.org"]
        );
        for (parameter, expected) in
            [("CN", "Ada Lovelace"), ("ROLE", "REQ-PARTICIPANT"), ("PARTSTAT", "NEEDS-ACTION"), ("RSVP", "TRUE")]
        {
            assert_eq!(attendees[0].params()[parameter].value(), expected);
        }
        assert!(!attendees[1].params().contains_key("CN"));
    }

    #[test]
    fn each_method_has_what_it_must_have_and_nothing_else() {
        let (calendar, event) = read(&invitation(&example(), Method::Cancel));
        assert_eq!(calendar.property_value("METHOD"), Some("CANCEL"));
        assert_eq!((value(&event, "STATUS"), value(&event, "SEQUENCE")), ("CANCELLED", "2"));
        assert_eq!(event.multi_properties()["ATTENDEE"][0].params()["RSVP"].value(), "FALSE");

        let (calendar, event) = read(&invitation(&example(), Method::Publish));
        assert_eq!(calendar.property_value("METHOD"), Some("PUBLISH"));
        assert_eq!(value(&event, "ORGANIZER"), "mailto:joerg@example.com");
        assert!(event.multi_properties().is_empty());

        let (calendar, event) = read(&stored(&example()));
        assert_eq!(calendar.property_value("METHOD"), None);
        assert!(event.multi_properties().is_empty() && !event.properties().contains_key("ORGANIZER"));
    }

    #[test]
    fn a_feed_has_a_name_and_all_events() {
        let events = [example(), Invitation { uid: "second@chat.example.com", location: None, url: None, ..example() }];
        let text = feed("Ada's\r\nmeetings, all", &events);
        let calendar: Calendar = text.parse().unwrap();
        assert_eq!(calendar.property_value("X-WR-CALNAME"), Some("Ada's meetings, all"));
        assert_eq!(calendar.property_value("REFRESH-INTERVAL"), Some("PT15M"));
        assert_eq!(
            calendar.events().map(|event| event.get_uid()).collect::<Vec<_>>(),
            [Some(events[0].uid), Some("second@chat.example.com")]
        );
        assert_eq!(feed("Nothing", &[]).parse::<Calendar>().unwrap().events().count(), 0);
    }

    #[test]
    fn lines_are_folded_between_characters_and_end_in_crlf() {
        for length in 60..90 {
            for character in ["x", "ü", "虎", "🦀", " "] {
                let title = format!("A{}z", character.repeat(length));
                let event = Invitation { title: &title, description: &title, ..example() };
                let text = invitation(&event, Method::Request);
                assert!(text.ends_with("END:VCALENDAR\r\n"));
                for line in text.split_terminator("\r\n") {
                    assert!(line.len() <= LINE_MAX && !line.contains(['\r', '\n']), "{line:?}");
                }
                let (_, event) = read(&text);
                assert_eq!(event.get_description(), Some(title.as_str()));
            }
        }
    }

    #[test]
    fn nobody_writes_lines_of_their_own() {
        let evil = "x\r\nATTENDEE:mailto:evil@example.com\r\nEND:VEVENT\nBEGIN:VEVENT\rX-EVIL:1\u{85}X-EVIL:2\u{2028}X-EVIL:3\0";
        let quoted = "\";X-EVIL=1:mailto:evil@example.com\r\nX-EVIL:1\r\n";
        let event = Invitation {
            uid: evil,
            title: evil,
            description: evil,
            location: Some(evil),
            organizer: (quoted, evil),
            attendees: &[(evil, quoted), (quoted, "a@example.com?subject=x")],
            url: Some(evil),
            ..example()
        };
        for method in [Method::Request, Method::Cancel, Method::Publish] {
            let text = invitation(&event, method);
            let (_, read) = read(&text);
            let written = text.replace("\r\n ", "");
            for line in written.split_terminator("\r\n") {
                let name = line.split([':', ';']).next().unwrap();
                let ours = "BEGIN END VERSION PRODID CALSCALE METHOD UID SEQUENCE DTSTAMP DTSTART DTEND SUMMARY DESCRIPTION \
                    LOCATION URL STATUS TRANSP ORGANIZER ATTENDEE";
                assert!(ours.split_whitespace().any(|our| our == name), "{line:?}");
            }
            assert_eq!(written.matches("\r\nBEGIN:VEVENT").count(), 1);
            let attendees = read.multi_properties().get("ATTENDEE").map_or(0, Vec::len);
            assert_eq!(attendees, if method == Method::Publish { 0 } else { 2 });
            assert!(!read.properties()["ORGANIZER"].params().contains_key("X-EVIL"));
        }
        let text = feed(evil, &[event]);
        assert_eq!(text.matches("\r\nBEGIN:VEVENT").count(), 1);
        assert!(!text.contains("\r\nX-EVIL") && !text.contains("\nATTENDEE"));
    }

    #[test]
    fn links_open_the_forms_of_calendars() {
        let event = Invitation { description: "1 < 2 & 3+4\nmore", location: Some("Room\n7"), ..example() };
        let links = web_links(&event);
        let pairs = |link: &str| {
            let url: url::Url = link.parse().unwrap();
            let pairs: Vec<_> = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
            (format!("{}{}", url.host_str().unwrap(), url.path()), pairs)
        };
        let said = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>()
        };
        let (place, google) = pairs(&links.google);
        assert_eq!(place, "calendar.google.com/calendar/render");
        assert_eq!(
            google,
            said(&[
                ("action", "TEMPLATE"),
                ("text", event.title),
                ("dates", "20260310T090000Z/20260310T093000Z"),
                ("details", event.description),
                ("location", "Room 7"),
            ])
        );
        let outlook = said(&[
            ("path", "/calendar/action/compose"),
            ("rru", "addevent"),
            ("startdt", "2026-03-10T09:00:00Z"),
            ("enddt", "2026-03-10T09:30:00Z"),
            ("subject", event.title),
            ("body", "1 &lt; 2 &amp; 3+4<br>more"),
            ("location", "Room 7"),
        ]);
        assert_eq!(pairs(&links.outlook), ("outlook.live.com/calendar/0/deeplink/compose".to_owned(), outlook.clone()));
        assert_eq!(pairs(&links.office365), ("outlook.office.com/calendar/0/deeplink/compose".to_owned(), outlook));
        assert!(!links.outlook.contains('+') && links.outlook.contains("A%20talk"), "{}", links.outlook);
        let long = "x".repeat(10_000);
        assert!(web_links(&Invitation { description: &long, location: None, ..event }).outlook.len() < 1_000);
        assert!(!web_links(&Invitation { location: None, ..event }).google.contains("location"));
    }
}
