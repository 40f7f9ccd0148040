//! Meetings: from the calendar in the panel to the letters, the link in them, the agent's console and their calendar program.

use std::path::Path;

use icalendar::{Calendar, Component, Event};
use jiff::{SignedDuration, Timestamp};
use porchlight_domain::{
    agent::Role,
    id::{AgentId, uuid_v7},
};
use porchlight_server::store::{Command, Failure, Tx};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::{
    app::{Builder, Form, ORIGIN, TestApp, Visitor, filled, form_of, good, problem, text},
    sides::{Agent, add_agent, add_agent_of},
};

/// A conversation that offers a meeting at once, and in which one may begin again.
pub(crate) const MEET: &str = r#"{ "id": "welcome", "name": "Meet", "restart": true, "cards": [
    { "id": "meet", "card": "meeting", "text": "When does it suit you?", "title": "A first talk",
      "location": "https://meet.example/room", "fallbackText": "There is no time left" },
    { "id": "end", "card": "end", "text": "See you" }
] }"#;

/// Four times on a Monday, of which the first is the 23rd of November: 08:00, 08:30, 09:00 and 09:30.
pub(crate) const MONDAY: &[(&str, &str)] = &[("time_zone", "UTC"), ("hours", "monday 08:00-10:00")];
/// The first of them.
pub(crate) const FIRST: &str = "2026-11-23T08:00:00Z";
const SECOND: &str = "2026-11-23T08:30:00Z";
const THIRD: &str = "2026-11-23T09:00:00Z";
const FOURTH: &str = "2026-11-23T09:30:00Z";

const FROM: &str = "Shop <chat@shop.example>";

/// A server at which days may pass, and agents are signed in still.
pub(crate) fn for_days() -> Builder {
    TestApp::init().with_settings(|settings| {
        settings.sign_in_idle_hours = 365 * 24;
        settings.sign_in_days = 365;
    })
}

/// One that writes letters into a folder, too.
fn with_mail(folder: &Path) -> Builder {
    let folder = folder.display().to_string();
    for_days().with_conversation(MEET).with_settings(|settings| {
        settings.mail_dir = folder;
        settings.mail_from = FROM.to_owned();
    })
}

/// As taking the invitation would, gives an agent a password: without one they have not joined, and cannot be met.
struct Join(AgentId);

impl Command for Join {
    type Done = ();
    type Refusal = ();

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<()>> {
        Ok(tx.put_password(self.0, "none that anybody knows").await?)
    }
}

pub(crate) async fn join(app: &TestApp, agent: &Agent) {
    app.store.commit(Join(agent.id)).await.unwrap();
}

/// An agent who can be met as the form of the console says.
pub(crate) async fn add_met(app: &TestApp, number: u8, how: &[(&str, &str)]) -> Agent {
    let agent = add_agent(app, number, Role::Agent).await;
    join(app, &agent).await;
    meets(app, &agent, how).await;
    agent
}

/// Says how an agent can be met, by the form of the console.
pub(crate) async fn meets(app: &TestApp, agent: &Agent, how: &[(&str, &str)]) {
    let (status, page) = read(console(app, agent, "/console/availability/meetings", how).await).await;
    assert_eq!(status, 200, "{page}");
}

/// Sends a form of the console.
pub(crate) async fn console(app: &TestApp, agent: &Agent, path: &str, form: &[(&str, &str)]) -> Response {
    let request = app.post(path).header("cookie", &agent.cookie).header("origin", format!("http://{}", app.address));
    request.form(form).send().await.unwrap()
}

/// A page of the console.
pub(crate) async fn console_page(app: &TestApp, agent: &Agent, path: &str) -> (u16, String) {
    read(app.get(path).header("cookie", &agent.cookie).send().await.unwrap()).await
}

/// The status of an answer, and what it says.
pub(crate) async fn read(response: Response) -> (u16, String) {
    (response.status().as_u16(), response.text().await.unwrap())
}

/// The values of the buttons of a name.
pub(crate) fn buttons(html: &str, name: &str) -> Vec<String> {
    let named = format!("name=\"{name}\"");
    let tags = html.split("<button ").skip(1).filter_map(|rest| rest.split('>').next());
    let value = |tag: &str| Some(tag.split("value=\"").nth(1)?.split('"').next()?.to_owned());
    tags.filter(|tag| tag.contains(&named)).filter_map(value).collect()
}

/// The form in a piece of HTML, with the zone that the list in it would send.
pub(crate) fn form_in(html: &str, zone: &str) -> Form {
    filled(&form_of(html), &[("zone", zone)])
}

/// Opens the panel as a browser in a zone does, and gives the page with its form.
pub(crate) async fn open_in(visitor: &Visitor<'_>, zone: &str) -> (String, Form) {
    let opening = filled(&visitor.opening(), &[("zone", zone)]);
    let response = visitor.app.post("/widget/panel").header("origin", ORIGIN).form(&opening).send().await.unwrap();
    let (status, html) = read(response).await;
    assert_eq!(status, 200, "{html}");
    let form = form_in(&html, zone);
    (html, form)
}

/// The times that a visitor who comes now can choose from, on the first day that has any.
pub(crate) async fn free(app: &TestApp) -> Vec<String> {
    buttons(&open_in(&app.visitor().await, "UTC").await.0, "value")
}

/// Takes a time, and gives the form that asks who comes.
pub(crate) async fn hold(visitor: &Visitor<'_>, form: &Form, start: &str) -> Form {
    let answered = good(visitor.answer_with(form, &[("value", start)]).await).await;
    let card = text(&answered["card"]);
    assert!(card.contains("name=\"guest_email\""), "{card}");
    form_of(&card)
}

/// Says who comes.
pub(crate) async fn confirm(visitor: &Visitor<'_>, form: &Form, email: &str) -> Response {
    visitor.answer_with(form, &[("guest_name", "Ada Lovelace"), ("guest_email", email)]).await
}

/// A meeting that was booked.
pub(crate) struct Booked {
    pub(crate) id: String,
    /// The path of its guest's page.
    pub(crate) path: String,
}

impl Booked {
    /// The one that what was said leads to.
    pub(crate) fn in_html(html: &str) -> Self {
        let end = html.find("/meeting.ics\"").unwrap();
        let start = html[..end].rfind('"').unwrap() + 1;
        let path = html[start..end].to_owned();
        Self { id: path.split('/').nth(2).unwrap().to_owned(), path }
    }

    pub(crate) fn uid(&self) -> String {
        format!("{}@127.0.0.1", self.id)
    }
}

/// A new visitor books a time.
pub(crate) async fn book(app: &TestApp, start: &str, email: &str) -> Booked {
    let visitor = app.visitor().await;
    let (_, form) = open_in(&visitor, "UTC").await;
    let form = hold(&visitor, &form, start).await;
    Booked::in_html(&text(&good(confirm(&visitor, &form, email).await).await["said"]))
}

/// Does something on the page of a meeting, as its guest.
pub(crate) async fn by_link(app: &TestApp, path: &str, form: &[(&str, &str)]) -> (u16, String) {
    read(app.post(path).form(form).send().await.unwrap()).await
}

/// What the log says of meetings.
pub(crate) async fn told(app: &TestApp) -> Vec<Value> {
    app.log().await.into_iter().filter(|event| text(&event["type"]).starts_with("meeting.")).collect()
}

async fn told_kinds(app: &TestApp) -> Vec<String> {
    told(app).await.iter().map(|event| text(&event["type"])).collect()
}

/// Lets the clock go to a moment.
pub(crate) fn until(app: &TestApp, moment: &str) {
    app.pass(moment.parse::<Timestamp>().unwrap().duration_since(app.now()));
}

/// A letter, taken apart.
struct Letter {
    to: String,
    subject: String,
    /// What it says.
    text: String,
    /// What it brings for calendars: the media type of each part, and the part.
    calendars: Vec<(String, String)>,
}

impl Letter {
    fn read(mail: &str) -> Self {
        let mail = mail.replace("\r\n", "\n");
        let mut parts = Vec::new();
        take_apart(&mail, &mut parts);
        let (head, _) = mail.split_once("\n\n").unwrap();
        let of_kind = |kind: &'static str| parts.iter().filter(move |(known, _)| known.starts_with(kind)).cloned();
        Self {
            to: header(head, "To"),
            subject: header(head, "Subject"),
            text: of_kind("text/plain").map(|(_, text)| text).collect(),
            calendars: of_kind("text/calendar").collect(),
        }
    }

    /// The calendar it brings and its only event, as somebody else's reader understands them. It comes twice, and is the same twice.
    fn entry(&self) -> (Calendar, Event) {
        assert_eq!(self.calendars.len(), 2, "as another form of the letter, and as a file");
        assert_eq!(self.calendars[0].1, self.calendars[1].1);
        entry(&self.calendars[0].1)
    }
}

fn header(head: &str, name: &str) -> String {
    let head = head.replace("\n ", " ").replace("\n\t", " ");
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    fields.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).unwrap_or_default()
}

/// The parts of a letter (RFC 2046 §5.1): the media type of each, and what it says.
fn take_apart(part: &str, parts: &mut Vec<(String, String)>) {
    let (head, body) = part.split_once("\n\n").unwrap_or((part, ""));
    let kind = header(head, "Content-Type");
    let boundary = kind.split("boundary=").nth(1).and_then(|rest| rest.trim_start_matches('"').split(['"', ';', ' ']).next());
    if let Some(boundary) = boundary {
        for inner in body.split(&format!("--{boundary}")).skip(1).take_while(|inner| !inner.starts_with("--")) {
            take_apart(inner.trim_start_matches('\n'), parts);
        }
        return;
    }
    let bytes = match header(head, "Content-Transfer-Encoding").as_str() {
        "base64" => {
            let packed: String = body.chars().filter(|character| !character.is_whitespace()).collect();
            data_encoding::BASE64.decode(packed.as_bytes()).unwrap()
        }
        "quoted-printable" => unquoted(body),
        _ => body.as_bytes().to_vec(),
    };
    parts.push((kind, String::from_utf8(bytes).unwrap().replace("\r\n", "\n").trim_end().to_owned() + "\n"));
}

/// What was written as RFC 2045 §6.7 has it.
fn unquoted(body: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let body = body.replace("=\n", "");
    let mut rest = body.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'=').and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    bytes
}

/// A calendar and its only event, as somebody else's reader understands them.
pub(crate) fn entry(text: &str) -> (Calendar, Event) {
    let calendar: Calendar = text.replace("\r\n", "\n").replace('\n', "\r\n").parse().unwrap();
    let mut events: Vec<Event> = calendar.events().cloned().collect();
    assert_eq!(events.len(), 1, "{text}");
    let event = events.remove(0);
    (calendar, event)
}

/// What was sent since this was last asked: to the guest first.
async fn letters(app: &TestApp, folder: &Path) -> Vec<Letter> {
    app.postman.as_ref().unwrap().deliver().await.unwrap();
    let mut letters = Vec::new();
    for found in std::fs::read_dir(folder).unwrap() {
        let path = found.unwrap().path();
        letters.push(Letter::read(&std::fs::read_to_string(&path).unwrap()));
        std::fs::remove_file(path).unwrap();
    }
    letters.sort_by(|one, other| one.to.cmp(&other.to));
    letters
}

/// Checks that both were written to about a meeting, and gives what their calendars are told: the same.
fn told_both(letters: &[Letter], subject: &str, method: &str) -> (Calendar, Event) {
    let to: Vec<_> = letters.iter().map(|letter| (letter.to.as_str(), letter.subject.as_str())).collect();
    assert_eq!(to, [("ada@example.com", subject), ("agent1@example.com", subject)]);
    for letter in letters {
        let kind = letter.calendars[0].0.to_lowercase();
        assert!(kind.contains(&format!("method={}", method.to_lowercase())), "{kind}");
        let (calendar, event) = letter.entry();
        assert_eq!(calendar.property_value("METHOD"), Some(method));
        assert_eq!(event.properties()["ORGANIZER"].value(), "mailto:agent1@example.com");
        assert_eq!(event.multi_properties()["ATTENDEE"][0].value(), "mailto:ada@example.com");
    }
    let (one, other) = (letters[0].entry(), letters[1].entry());
    assert_eq!(one.1.get_uid(), other.1.get_uid());
    one
}

#[tokio::test]
async fn a_visitor_looks_around_takes_a_time_and_books_it() {
    let folder = tempfile::tempdir().unwrap();
    let app = with_mail(folder.path()).start_only().await;
    let hours = "monday 09:00-10:30\ntuesday 14:00-15:00";
    let ada = add_met(&app, 1, &[("time_zone", "Europe/Berlin"), ("hours", hours)]).await;
    let visitor = app.visitor().await;
    let (html, form) = open_in(&visitor, "America/New_York").await;
    assert!(html.contains("When does it suit you?") && html.contains("data-grid") && html.contains("November 2026"), "{html}");
    assert_eq!(buttons(&html, "day"), ["2026-11-23", "2026-11-24", "2026-11-30"]);
    assert_eq!(buttons(&html, "value"), ["2026-11-23T08:00:00Z", "2026-11-23T08:30:00Z", "2026-11-23T09:00:00Z"]);
    assert!(html.contains("<bdi>03:00</bdi>") && !html.contains("<bdi>09:00</bdi>"), "in the visitor's zone");
    assert_eq!(buttons(&html, "month"), ["2026-12"], "there is nothing before");

    // Looking is no event, and answers nothing.
    let before = app.types().await;
    let look = async |form: &Form, zone: &str, more: &[(&str, &str)]| {
        let shown = good(visitor.answer_with(form, more).await).await;
        let card = text(&shown["card"]);
        assert_eq!(shown["refreshed"], true);
        let form = form_in(&card, zone);
        (card, form)
    };
    let (card, form) = look(&form, "America/New_York", &[("month", "2026-12")]).await;
    let days = ["2026-12-01", "2026-12-07", "2026-12-08", "2026-12-14", "2026-12-15", "2026-12-21"];
    assert_eq!(buttons(&card, "day"), days, "thirty days ahead, and no further");
    assert_eq!(buttons(&card, "month"), ["2026-11"]);
    let (card, form) = look(&form, "America/New_York", &[("day", "2026-12-07")]).await;
    assert_eq!(buttons(&card, "value"), ["2026-12-07T08:00:00Z", "2026-12-07T08:30:00Z", "2026-12-07T09:00:00Z"]);
    assert!(card.contains("aria-pressed=\"true\"") && card.contains("<bdi>03:00</bdi>"), "{card}");
    let zone = "Asia/Tokyo";
    let (card, form) = look(&form, zone, &[("zone", zone), ("do", "look")]).await;
    assert_eq!(buttons(&card, "value")[0], "2026-12-07T08:00:00Z", "the day stays chosen");
    assert!(card.contains("<bdi>17:00</bdi>") && card.contains("<option value=\"Asia/Tokyo\" selected"), "{card}");
    assert_eq!(app.types().await, before);

    let held = good(visitor.answer_with(&form, &[("value", "2026-12-07T08:00:00Z")]).await).await;
    let card = text(&held["card"]);
    assert!(card.contains("name=\"guest_name\"") && card.contains("name=\"guest_email\""), "{card}");
    assert!(card.contains("We keep this time for you until 17:05."), "{card}");
    let form = form_of(&card);
    let wrong = problem(confirm(&visitor, &form, "ada@").await, 422, "invalid_answer").await;
    assert_eq!((&wrong["field"], &wrong["message"]), (&json!("email"), &json!("Please check the marked fields.")));
    let card = text(&wrong["card"]);
    assert!(card.contains("Please enter an e-mail address such as") && card.contains("value=\"ada@\""), "{card}");
    assert!(card.contains("value=\"Ada Lovelace\""), "what was typed stays: {card}");
    assert!(told(&app).await.is_empty() && letters(&app, folder.path()).await.is_empty());

    let form = form_of(&card);
    let answered = good(confirm(&visitor, &form, " ada@Example.com ").await).await;
    let said = text(&answered["said"]);
    for part in ["Booked", "A first talk", "17:00", "Asia/Tokyo", "With Agent 1", "https://calendar.google.com/", "See you"] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    let booked = Booked::in_html(&said);
    let kinds: Vec<_> = app.types().await.into_iter().filter(|kind| !kind.starts_with("widget.")).collect();
    let expected = ["conversation.triggered", "conversation.engaged", "input.email", "meeting.booked", "conversation.completed"];
    assert_eq!(kinds, expected);
    let event = told(&app).await.remove(0);
    let info = &event["data"]["meetingInfo"];
    let file = text(&info["icsUrl"]);
    assert!(
        file.starts_with(&format!("http://{}/meetings/{}/", app.address, booked.id)) && file.ends_with("/meeting.ics"),
        "{file}"
    );
    let expected = json!({
        "name": "Meet", "type": "dialogue", "uiType": "chatbot", "agentName": "Agent 1", "agentID": ada.id.to_string(),
        "meetingInfo": {
            "id": booked.id, "start": "2026-12-07T17:00:00+09:00", "end": "2026-12-07T17:30:00+09:00", "timeZone": "Asia/Tokyo",
            "title": "A first talk", "location": "https://meet.example/room", "icsUrl": file,
        },
    });
    assert_eq!(event["data"], expected);
    let on_page = answered["events"].as_array().unwrap().iter().find(|event| event["type"] == "meeting.booked").unwrap();
    assert_eq!(*on_page, event, "the page is told what the log says");

    // Sent twice, booked once.
    good(confirm(&visitor, &form, "ada@example.com").await).await;
    assert_eq!(told(&app).await.len(), 1);
    let letters = letters(&app, folder.path()).await;
    let (_, event) = told_both(&letters, "Booked: A first talk", "REQUEST");
    assert_eq!((event.get_uid(), event.get_sequence()), (Some(booked.uid().as_str()), Some(0)));
    let (begin, end) = (event.property_value("DTSTART"), event.property_value("DTEND"));
    assert_eq!((begin, end), (Some("20261207T080000Z"), Some("20261207T083000Z")));
    assert_eq!((event.get_summary(), event.property_value("STATUS")), (Some("A first talk"), Some("CONFIRMED")));
    let link = format!("http://{}{}", app.address, booked.path);
    for part in ["A first talk", "17:00", "(Asia/Tokyo)", "With: Agent 1", "Where: https://meet.example/room", link.as_str()] {
        assert!(letters[0].text.contains(part), "{part} is not in {}", letters[0].text);
    }
    for part in ["Guest: Ada Lovelace <ada@example.com>", "09:00", "(Europe/Berlin)", "/console/meetings"] {
        assert!(letters[1].text.contains(part), "{part} is not in {}", letters[1].text);
    }
    let of_agent = letters[1].text.clone() + &letters[1].calendars[0].1.replace("\n ", "");
    assert!(!of_agent.contains(&booked.path), "what the guest can do there is theirs: {of_agent}");
    assert!(letters[0].calendars[0].1.replace("\n ", "").contains(&link), "and stands in their calendar");
}

#[tokio::test]
async fn without_script_it_is_booked_by_whole_pages() {
    let app = for_days().with_conversation(MEET).start_only().await;
    add_met(&app, 1, MONDAY).await;
    let plain = async |form: &Form, more: &[(&str, &str)]| {
        read(app.post("/widget/v1/answers").form(&filled(form, more)).send().await.unwrap()).await
    };
    let (late, visitor) = (app.visitor().await, app.visitor().await);
    let (_, late_form) = open_in(&late, "UTC").await;
    let (html, form) = open_in(&visitor, "UTC").await;
    assert!(html.contains("method=\"post\" action=\"/widget/v1/answers\""), "{html}");
    let (status, html) = plain(&form, &[("month", "2026-12")]).await;
    assert_eq!((status, buttons(&html, "day").first().map(String::as_str)), (200, Some("2026-12-07")));
    let (status, html) = plain(&form_in(&html, "UTC"), &[("day", "2026-12-14")]).await;
    assert_eq!((status, buttons(&html, "value").len()), (200, 4));
    let (status, html) = plain(&form_in(&html, "Europe/Berlin"), &[("do", "look")]).await;
    assert!(status == 200 && html.contains("<bdi>09:00</bdi>"), "{html}");
    let (status, html) = plain(&form_in(&html, "Europe/Berlin"), &[("value", FIRST)]).await;
    assert!(status == 200 && html.contains("name=\"guest_email\"") && html.contains("09:05"), "{html}");
    let (status, html) = plain(&form_of(&html), &[("guest_name", ""), ("guest_email", "ada@")]).await;
    assert_eq!(status, 422);
    assert!(html.contains("Please enter an e-mail address such as") && html.contains("value=\"ada@\""), "{html}");
    let (status, html) = plain(&form_of(&html), &[("guest_name", ""), ("guest_email", "ada@example.com")]).await;
    assert!(status == 200 && html.contains("Booked") && html.contains("See you"), "{html}");
    assert_eq!(told(&app).await[0]["data"]["meetingInfo"]["start"], "2026-11-23T09:00:00+01:00");
    // Whoever was later is told so, with what is left.
    let (status, html) = plain(&late_form, &[("value", FIRST)]).await;
    assert_eq!((status, buttons(&html, "value")), (409, vec![SECOND.to_owned(), THIRD.to_owned(), FOURTH.to_owned()]));
    assert!(html.contains("This time was just taken."), "{html}");
}

#[tokio::test]
async fn a_guest_moves_the_meeting_by_the_link_and_calls_it_off() {
    let folder = tempfile::tempdir().unwrap();
    let app = with_mail(folder.path()).start_only().await;
    add_met(&app, 1, MONDAY).await;
    let booked = book(&app, FIRST, "ada@example.com").await;
    letters(&app, folder.path()).await;
    let page = app.get(&booked.path).send().await.unwrap();
    assert_eq!(page.headers()["referrer-policy"], "no-referrer", "the address is a secret");
    assert_eq!(page.headers()["cache-control"], "no-store");
    let (status, html) = read(page).await;
    assert!(status == 200 && html.contains("Your meeting") && html.contains("Booked") && html.contains("A first talk"), "{html}");
    let (status, html) = by_link(&app, &booked.path, &[("do", "look")]).await;
    assert_eq!((status, buttons(&html, "value")), (200, vec![SECOND.to_owned(), THIRD.to_owned(), FOURTH.to_owned()]));
    let (status, html) = by_link(&app, &booked.path, &[("day", "2026-11-30"), ("zone", "Europe/London")]).await;
    assert_eq!((status, buttons(&html, "value").len()), (200, 4));
    let (_, html) = by_link(&app, &booked.path, &[("do", "look"), ("zone", "Asia/Kolkata")]).await;
    assert!(html.contains("<bdi>14:00</bdi>"), "{html}");
    assert_eq!(told_kinds(&app).await, ["meeting.booked"], "looking changes nothing");

    let (status, html) = by_link(&app, &booked.path, &[("value", THIRD), ("zone", "Asia/Kolkata"), ("shown", "2026-11")]).await;
    assert!(status == 200 && html.contains("The meeting was moved.") && html.contains("14:30"), "{html}");
    let event = told(&app).await.remove(1);
    assert_eq!(event["type"], "meeting.rescheduled");
    let info = &event["data"]["meetingInfo"];
    assert_eq!((&info["id"], &info["start"]), (&json!(booked.id), &json!("2026-11-23T14:30:00+05:30")));
    assert_eq!((&info["timeZone"], &event["data"]["agentName"]), (&json!("Asia/Kolkata"), &json!("Agent 1")));
    let (_, event) = told_both(&letters(&app, folder.path()).await, "Moved: A first talk", "REQUEST");
    assert_eq!((event.get_uid(), event.get_sequence()), (Some(booked.uid().as_str()), Some(1)), "the same, changed once");
    assert_eq!(event.property_value("DTSTART"), Some("20261123T090000Z"));
    assert_eq!(free(&app).await, [FIRST, SECOND, FOURTH], "the time before is free");

    // Moved to where it is already: nothing to choose there, and nothing breaks.
    let file = app.get(&format!("{}/meeting.ics", booked.path)).send().await.unwrap();
    assert_eq!(file.headers()["content-type"], "text/calendar; charset=utf-8");
    assert_eq!(file.headers()["content-disposition"], "attachment; filename=\"meeting.ics\"");
    let (calendar, event) = entry(&file.text().await.unwrap());
    assert_eq!((calendar.property_value("METHOD"), event.get_sequence()), (None, Some(1)));
    assert_eq!((event.get_uid(), event.property_value("DTSTART")), (Some(booked.uid().as_str()), Some("20261123T090000Z")));

    let (status, html) = by_link(&app, &booked.path, &[("do", "cancel")]).await;
    assert!(status == 200 && html.contains("The meeting was called off.") && html.contains("Called off"), "{html}");
    let event = told(&app).await.remove(2);
    assert_eq!((&event["type"], &event["data"]["meetingInfo"]["id"]), (&json!("meeting.cancelled"), &json!(booked.id)));
    let both = letters(&app, folder.path()).await;
    let (_, event) = told_both(&both, "Called off: A first talk", "CANCEL");
    assert_eq!((event.get_uid(), event.get_sequence()), (Some(booked.uid().as_str()), Some(2)));
    assert_eq!(event.property_value("STATUS"), Some("CANCELLED"));
    assert!(!both[0].text.contains(&booked.path), "there is nothing to change any more: {}", both[0].text);
    assert_eq!(free(&app).await, [FIRST, SECOND, THIRD, FOURTH]);

    for form in [&[("do", "cancel")][..], &[("value", FOURTH)]] {
        let (status, html) = by_link(&app, &booked.path, form).await;
        assert!(status == 409 && html.contains("This meeting was called off."), "{form:?}: {status} {html}");
    }
    problem(app.get(&format!("{}/meeting.ics", booked.path)).send().await.unwrap(), 404, "not_found").await;
    assert_eq!(told_kinds(&app).await, ["meeting.booked", "meeting.rescheduled", "meeting.cancelled"]);
    assert!(letters(&app, folder.path()).await.is_empty());
}

#[tokio::test]
async fn what_the_panel_shows_of_a_meeting_follows_it() {
    let app = for_days().with_conversation(MEET).start_only().await;
    add_met(&app, 1, MONDAY).await;
    let visitor = app.visitor().await;
    let (_, form) = open_in(&visitor, "UTC").await;
    let form = hold(&visitor, &form, FIRST).await;
    let booked = Booked::in_html(&text(&good(confirm(&visitor, &form, "ada@example.com").await).await["said"]));
    by_link(&app, &booked.path, &[("value", SECOND)]).await;
    let (html, _) = open_in(&visitor, "UTC").await;
    assert!(html.contains("Moved"), "{html}");
    assert_eq!(html.matches("/meeting.ics\"").count(), 1, "only what is so now is put into a calendar");
    by_link(&app, &booked.path, &[("do", "cancel")]).await;
    let (html, _) = open_in(&visitor, "UTC").await;
    assert!(html.contains("Called off") && !html.contains("/meeting.ics\""), "{html}");
    // The page that comes next is told what happened while none was there.
    let begun = json!({ "site": "shop", "page": crate::app::PAGE, "locale": "en-GB", "token": visitor.token });
    let begun = good(app.send("/widget/v1/start", &begun).await).await;
    let kinds: Vec<_> = begun["events"].as_array().unwrap().iter().map(|event| text(&event["type"])).collect();
    assert!(kinds.starts_with(&["meeting.rescheduled".to_owned(), "meeting.cancelled".to_owned()]), "{kinds:?}");
}

#[tokio::test]
async fn only_the_address_in_the_letter_leads_to_a_meeting() {
    let app = for_days().with_conversation(MEET).start_only().await;
    add_met(&app, 1, MONDAY).await;
    let (one, other) = (book(&app, FIRST, "ada@example.com").await, book(&app, SECOND, "bob@example.com").await);
    let signature = |booked: &Booked| booked.path.rsplit('/').next().unwrap().to_owned();
    let (own, foreign) = (signature(&one), signature(&other));
    let first = if own.starts_with('A') { "B" } else { "A" };
    let unknown = uuid_v7(1_790_000_000_000, &[7; 10]);
    let before = app.log().await;
    for path in [
        format!("/meetings/{}/{first}{}", one.id, &own[1..]),
        format!("/meetings/{}/{}", one.id, &own[1..]),
        format!("/meetings/{}/{own}A", one.id),
        format!("/meetings/{}/{}", one.id, own.to_lowercase()),
        format!("/meetings/{}/{foreign}", one.id),
        format!("/meetings/{}/-", one.id),
        format!("/meetings/{unknown}/{own}"),
        format!("/meetings/nonsense/{own}"),
        format!("/meetings/00000000-0000-4000-8000-000000000000/{own}"),
    ] {
        let (status, html) = read(app.get(&path).send().await.unwrap()).await;
        assert!(status == 404 && html.contains("This link is not valid any more."), "{path}: {status} {html}");
        assert!(!html.contains("A first talk"));
        for form in [&[("do", "cancel")][..], &[("value", THIRD)], &[("do", "look")]] {
            let (status, _) = by_link(&app, &path, form).await;
            assert_eq!(status, 404, "{path} {form:?}");
        }
        problem(app.get(&format!("{path}/meeting.ics")).send().await.unwrap(), 404, "not_found").await;
    }
    // The page's scripts are told where the file is. By that address it is read, and nothing changed.
    let event = told(&app).await.into_iter().find(|event| event["data"]["meetingInfo"]["id"] == one.id).unwrap();
    let address = text(&event["data"]["meetingInfo"]["icsUrl"]);
    let file = address.strip_prefix(&format!("http://{}", app.address)).unwrap();
    let (_, event) = entry(&app.get(file).send().await.unwrap().text().await.unwrap());
    assert_eq!(event.get_uid(), Some(one.uid().as_str()));
    let reads = file.strip_suffix("/meeting.ics").unwrap();
    assert!(reads != one.path && !format!("{event:?}").contains(&own), "{event:?}");
    assert_eq!(app.get(reads).send().await.unwrap().status(), 404);
    for form in [&[("do", "cancel")][..], &[("value", THIRD)]] {
        assert_eq!(by_link(&app, reads, form).await.0, 404, "{form:?}");
    }
    assert_eq!(app.log().await, before);
    for booked in [one, other] {
        let (status, html) = read(app.get(&booked.path).send().await.unwrap()).await;
        assert!(status == 200 && html.contains("Booked"), "{html}");
    }
    assert_eq!(free(&app).await, [THIRD, FOURTH]);
}

#[tokio::test]
async fn what_has_begun_or_is_to_be_in_the_past_is_not_changed() {
    let app = for_days().with_conversation(MEET).start_only().await;
    let ada = add_met(&app, 1, MONDAY).await;
    let (first, second) = (book(&app, FIRST, "ada@example.com").await, book(&app, SECOND, "bob@example.com").await);
    let too_late = "This meeting has already begun.";
    // Of the four times of this day, and one before it.
    let (status, html) = by_link(&app, &first.path, &[("value", "2026-11-16T08:00:00Z")]).await;
    assert!(status == 409 && html.contains(too_late), "{html}");
    until(&app, FIRST);
    let (status, html) = read(app.get(&first.path).send().await.unwrap()).await;
    assert!(
        status == 200 && html.contains("This meeting has already taken place.") && !html.contains("value=\"cancel\""),
        "{html}"
    );
    for form in [&[("do", "cancel")][..], &[("value", "2026-11-30T08:00:00Z")]] {
        let (status, html) = by_link(&app, &first.path, form).await;
        assert!(status == 409 && html.contains(too_late), "{form:?}: {status} {html}");
    }
    for form in [&[("do", "cancel")][..], &[("do", "move"), ("start", "2026-11-30T08:00")]] {
        let (status, html) = read(console(&app, &ada, &format!("/console/meetings/{}", first.id), form).await).await;
        assert!(status == 409 && html.contains("still to come"), "{form:?}: {status} {html}");
    }
    assert_eq!(told_kinds(&app).await, ["meeting.booked"; 2]);
    // A moment before it begins it can be.
    app.pass(just_before(&app, SECOND));
    let (status, _) = by_link(&app, &second.path, &[("do", "cancel")]).await;
    assert_eq!((status, told(&app).await.len()), (200, 3));
}

/// How long it is until a millisecond before a moment.
fn just_before(app: &TestApp, moment: &str) -> SignedDuration {
    moment.parse::<Timestamp>().unwrap().duration_since(app.now()) - SignedDuration::from_millis(1)
}

#[tokio::test]
async fn a_meeting_is_not_moved_onto_another() {
    let folder = tempfile::tempdir().unwrap();
    let app = with_mail(folder.path()).start_only().await;
    add_met(&app, 1, MONDAY).await;
    let one = book(&app, FIRST, "ada@example.com").await;
    let two = book(&app, SECOND, "bob@example.com").await;
    let held = app.visitor().await;
    let (_, form) = open_in(&held, "UTC").await;
    hold(&held, &form, THIRD).await;
    letters(&app, folder.path()).await;
    for taken in [SECOND, THIRD, "2026-11-23T08:10:00Z", "2026-11-23T10:00:00Z", "2026-12-28T08:00:00Z"] {
        let (status, html) = by_link(&app, &one.path, &[("value", taken)]).await;
        assert_eq!(status, 409, "{taken}: {html}");
        assert!(html.contains("This time was just taken.") && buttons(&html, "value") == [FOURTH], "{taken}: {html}");
    }
    assert_eq!(told_kinds(&app).await, ["meeting.booked"; 2]);
    assert!(letters(&app, folder.path()).await.is_empty());
    // Once the other has gone it can be.
    by_link(&app, &two.path, &[("do", "cancel")]).await;
    assert_eq!(by_link(&app, &one.path, &[("value", SECOND)]).await.0, 200);
}

#[tokio::test]
async fn an_agent_moves_and_calls_off_their_own_meetings_in_the_console() {
    let folder = tempfile::tempdir().unwrap();
    let app = with_mail(folder.path()).start_only().await;
    let ada = add_met(&app, 1, MONDAY).await;
    let grace = add_agent(&app, 2, Role::Agent).await;
    app.import("key = \"other\"\ntitle = \"Other\"\norigins = []\n", &[]).await;
    let elsewhere = add_agent_of(&app, 3, Role::Agent, "other").await;
    let author = add_agent(&app, 4, Role::Author).await;
    let administrator = add_agent(&app, 5, Role::Administrator).await;
    let one = book(&app, FIRST, "ada@example.com").await;
    let two = book(&app, THIRD, "bob@example.com").await;
    letters(&app, folder.path()).await;
    let path = format!("/console/meetings/{}", one.id);

    let (_, own) = console_page(&app, &ada, "/console/meetings").await;
    for part in ["A first talk", "Ada Lovelace", "mailto:ada@example.com", "08:00", "Move it", "Call it off"] {
        assert!(own.contains(part), "{part} is not in {own}");
    }
    let (_, of_others) = console_page(&app, &grace, "/console/meetings?whose=all").await;
    assert!(of_others.contains("A first talk") && !of_others.contains("Move it"), "{of_others}");
    let (_, none) = console_page(&app, &grace, "/console/meetings").await;
    assert!(none.contains("No meetings here."), "{none}");
    let (_, foreign) = console_page(&app, &elsewhere, "/console/meetings?whose=all").await;
    assert!(!foreign.contains("A first talk"), "{foreign}");

    let before = app.log().await;
    for (who, status) in [(&grace, 403), (&elsewhere, 404), (&author, 403)] {
        for form in [&[("do", "cancel")][..], &[("do", "move"), ("start", "2026-11-25T10:00")]] {
            assert_eq!(console(&app, who, &path, form).await.status(), status, "{form:?}");
        }
    }
    let unknown = format!("/console/meetings/{}", uuid_v7(1_790_000_000_000, &[7; 10]));
    for path in [unknown.as_str(), "/console/meetings/nonsense"] {
        problem(console(&app, &ada, path, &[("do", "cancel")]).await, 404, "not_found").await;
    }
    for (form, status, says) in [
        (&[("do", "move"), ("start", "soon")][..], 400, "expected a day and a time"),
        (&[("do", "move")], 400, "expected a day and a time"),
        (&[("do", "forget")], 400, "expected move or cancel"),
        (&[("do", "move"), ("start", "2026-11-23T08:45")], 409, "there is another meeting then"),
        (&[("do", "move"), ("start", "2026-11-16T08:00")], 409, "still to come"),
    ] {
        let (found, html) = read(console(&app, &ada, &path, form).await).await;
        assert!(found == status && html.contains(says), "{form:?}: {found} {html}");
    }
    assert_eq!(app.log().await, before);
    assert!(letters(&app, folder.path()).await.is_empty());

    // Where their hours are none: whom they meet then, they know themselves.
    let (status, html) = read(console(&app, &ada, &path, &[("do", "move"), ("start", "2026-11-25T10:15")]).await).await;
    assert!(status == 200 && html.contains("The meeting was moved, and its guest is told."), "{html}");
    let event = told(&app).await.remove(2);
    assert_eq!((&event["type"], &event["visitor"]), (&json!("meeting.rescheduled"), &visitor_of(&before, &one.id)));
    assert_eq!(event["data"]["meetingInfo"]["start"], "2026-11-25T10:15:00+00:00");
    let (_, event) = told_both(&letters(&app, folder.path()).await, "Moved: A first talk", "REQUEST");
    assert_eq!((event.get_uid(), event.get_sequence()), (Some(one.uid().as_str()), Some(1)));

    let (status, html) = read(console(&app, &ada, &path, &[("do", "cancel")]).await).await;
    assert!(status == 200 && html.contains("The meeting was called off, and its guest is told.") && html.contains("called off"));
    let (_, event) = told_both(&letters(&app, folder.path()).await, "Called off: A first talk", "CANCEL");
    assert_eq!(event.get_sequence(), Some(2));
    assert_eq!(console(&app, &ada, &path, &[("do", "cancel")]).await.status(), 409, "once");
    // Whoever manages agents may change what is theirs.
    let path = format!("/console/meetings/{}", two.id);
    assert_eq!(console(&app, &administrator, &path, &[("do", "cancel")]).await.status(), 200);
    let (_, calendar) = console_page(&app, &ada, "/console/calendar?view=week&on=2026-11-23").await;
    assert!(calendar.contains("Can be met 08:00–10:00") && !calendar.contains("A first talk"), "{calendar}");
}

/// The visitor whose meeting was booked.
fn visitor_of(log: &[Value], meeting: &str) -> Value {
    log.iter().find(|event| event["data"]["meetingInfo"]["id"] == meeting).unwrap()["visitor"].clone()
}

#[tokio::test]
async fn the_agents_calendar_shows_what_takes_their_time() {
    let app = for_days().with_conversation(MEET).start_only().await;
    let ada = add_met(&app, 1, MONDAY).await;
    let grace = add_met(&app, 2, &[("time_zone", "UTC"), ("hours", "")]).await;
    let booked = book(&app, SECOND, "ada@example.com").await;
    for (who, query) in [(&ada, String::new()), (&grace, format!("&agent={}", ada.id))] {
        for view in ["week", "day"] {
            let (_, html) = console_page(&app, who, &format!("/console/calendar?on=2026-11-23&view={view}{query}")).await;
            assert!(html.contains("Can be met 08:00–10:00") && html.contains("08:30–09:00"), "{view}: {html}");
            assert!(html.contains("A first talk, Ada Lovelace") && html.contains(&format!("#{}", booked.id)), "{view}: {html}");
        }
    }
    let (_, html) = console_page(&app, &ada, "/console/calendar?on=2026-11-24&view=day").await;
    assert!(!html.contains("A first talk") && html.contains("No meetings."), "{html}");
}

#[tokio::test]
async fn a_guest_is_reminded_a_day_before_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let app = with_mail(folder.path()).start_only().await;
    add_met(&app, 1, &[("time_zone", "UTC"), ("hours", "monday 08:00-10:00\ntuesday 08:00-10:00")]).await;
    let booked = book(&app, THIRD, "ada@example.com").await;
    let called_off = book(&app, FOURTH, "eve@example.com").await;
    by_link(&app, &called_off.path, &[("do", "cancel")]).await;
    letters(&app, folder.path()).await;
    let reminded = async || {
        app.ticking.tick().await.unwrap();
        let letters = letters(&app, folder.path()).await;
        letters.iter().map(|letter| (letter.to.clone(), letter.subject.clone())).collect::<Vec<_>>()
    };
    let ada = || vec![("ada@example.com".to_owned(), "Reminder: A first talk".to_owned())];
    app.pass(just_before(&app, "2026-11-22T09:00:00Z"));
    assert!(reminded().await.is_empty(), "not yet");
    app.pass(SignedDuration::from_millis(1));
    app.ticking.tick().await.unwrap();
    let letter = letters(&app, folder.path()).await.remove(0);
    assert_eq!((letter.to.as_str(), letter.subject.as_str()), ("ada@example.com", "Reminder: A first talk"));
    assert!(letter.calendars.is_empty() && letter.text.contains(&booked.path), "it is in the calendar already");
    // Whoever books so late knows it still.
    book(&app, SECOND, "bob@example.com").await;
    letters(&app, folder.path()).await;
    for _ in 0..3 {
        app.pass(SignedDuration::from_hours(1));
        assert!(reminded().await.is_empty(), "once");
    }

    // Moved, it is another day to be reminded of.
    by_link(&app, &booked.path, &[("value", "2026-11-24T09:30:00Z")]).await;
    assert_eq!(letters(&app, folder.path()).await.len(), 2);
    app.pass(just_before(&app, "2026-11-23T09:30:00Z"));
    assert!(reminded().await.is_empty());
    app.pass(SignedDuration::from_millis(1));
    assert_eq!(reminded().await, ada());
    app.pass(SignedDuration::from_hours(20));
    assert!(reminded().await.is_empty());
}

#[tokio::test]
async fn nobody_is_reminded_of_what_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let app = with_mail(folder.path()).start_only().await;
    add_met(&app, 1, MONDAY).await;
    book(&app, FIRST, "ada@example.com").await;
    book(&app, FOURTH, "bob@example.com").await;
    letters(&app, folder.path()).await;
    // As if the server had been stopped over the weekend.
    until(&app, THIRD);
    app.ticking.tick().await.unwrap();
    let to: Vec<_> = letters(&app, folder.path()).await.into_iter().map(|letter| letter.to).collect();
    assert_eq!(to, ["bob@example.com"], "late is better than never, but not after the meeting");
}

#[tokio::test]
async fn a_time_is_held_for_so_long_and_then_free_again() {
    let app = for_days().with_conversation(MEET).start_only().await;
    add_met(&app, 1, MONDAY).await;
    let (slow, just_in_time, other) = (app.visitor().await, app.visitor().await, app.visitor().await);
    let (_, other_form) = open_in(&other, "UTC").await;
    let (_, form) = open_in(&slow, "UTC").await;
    let slow_form = hold(&slow, &form, FIRST).await;
    let (_, form) = open_in(&just_in_time, "UTC").await;
    let in_time_form = hold(&just_in_time, &form, SECOND).await;
    assert_eq!(free(&app).await, [THIRD, FOURTH], "what is held is not offered");
    let taken = problem(other.answer_with(&other_form, &[("value", FIRST)]).await, 409, "slot_taken").await;
    assert_eq!(
        (buttons(&text(&taken["card"]), "value"), &taken["field"]),
        (vec![THIRD.to_owned(), FOURTH.to_owned()], &json!("value"))
    );
    assert_eq!(taken["message"], "This time was just taken. Please choose another.");

    app.pass(SignedDuration::from_mins(5) - SignedDuration::from_millis(1));
    app.ticking.tick().await.unwrap();
    problem(other.answer_with(&other_form, &[("value", FIRST)]).await, 409, "slot_taken").await;
    good(confirm(&just_in_time, &in_time_form, "bob@example.com").await).await;
    app.pass(SignedDuration::from_millis(1));
    // At that moment it is held no longer, whether the clock has seen to it or not.
    let lapsed = problem(confirm(&slow, &slow_form, "ada@example.com").await, 409, "hold_lapsed").await;
    assert_eq!(lapsed["message"], "This time is no longer kept for you. Please choose again.");
    app.ticking.tick().await.unwrap();
    assert_eq!(free(&app).await, [FIRST, THIRD, FOURTH]);
    let lapsed = problem(confirm(&slow, &slow_form, "ada@example.com").await, 409, "hold_lapsed").await;
    let card = text(&lapsed["card"]);
    assert!(card.contains("data-grid") && buttons(&card, "value") == [FIRST, THIRD, FOURTH], "{card}");
    // Somebody else may have it now; and the slow one another.
    let (_, form) = open_in(&other, "UTC").await;
    hold(&other, &form, FIRST).await;
    let form = hold(&slow, &form_in(&card, "UTC"), THIRD).await;
    good(confirm(&slow, &form, "ada@example.com").await).await;
    let starts: Vec<_> = told(&app).await.iter().map(|event| event["data"]["meetingInfo"]["start"].clone()).collect();
    assert_eq!(starts, ["2026-11-23T08:30:00+00:00", "2026-11-23T09:00:00+00:00"]);
}

#[tokio::test]
async fn who_goes_back_or_begins_anew_lets_the_time_go() {
    let app = for_days().with_conversation(MEET).start_only().await;
    add_met(&app, 1, MONDAY).await;
    let visitor = app.visitor().await;
    let (_, form) = open_in(&visitor, "UTC").await;
    let held = hold(&visitor, &form, FIRST).await;
    // Pressed twice, it is held once, and the form is there.
    let again = good(visitor.answer_with(&form, &[("value", FIRST)]).await).await;
    assert!(text(&again["card"]).contains("guest_email"));
    assert_eq!(free(&app).await, [SECOND, THIRD, FOURTH]);
    let released = good(visitor.answer_with(&held, &[("do", "release")]).await).await;
    let card = text(&released["card"]);
    assert_eq!(buttons(&card, "value"), [FIRST, SECOND, THIRD, FOURTH]);
    problem(confirm(&visitor, &held, "ada@example.com").await, 409, "not_current").await;

    let held = hold(&visitor, &form_in(&card, "UTC"), SECOND).await;
    assert_eq!(free(&app).await, [FIRST, THIRD, FOURTH]);
    let anew = good(visitor.answer_with(&held, &[("do", "restart")]).await).await;
    assert_eq!(anew["anew"], true);
    assert_eq!(buttons(&text(&anew["card"]), "value"), [FIRST, SECOND, THIRD, FOURTH]);
    assert_eq!(free(&app).await, [FIRST, SECOND, THIRD, FOURTH]);
    problem(confirm(&visitor, &held, "ada@example.com").await, 409, "not_current").await;
    // Whoever has booked may book again; what is booked stays.
    let held = hold(&visitor, &form_in(&text(&anew["card"]), "UTC"), THIRD).await;
    let booked = good(confirm(&visitor, &held, "ada@example.com").await).await;
    let anew = good(visitor.answer_with(&form_of(&text(&booked["card"])), &[("do", "restart")]).await).await;
    assert_eq!(buttons(&text(&anew["card"]), "value"), [FIRST, SECOND, FOURTH]);
    assert_eq!(told_kinds(&app).await, ["meeting.booked"]);
}

#[tokio::test]
async fn what_somebody_else_holds_is_not_ones_own_to_confirm() {
    let app = for_days().with_conversation(MEET).start_only().await;
    add_met(&app, 1, MONDAY).await;
    let (owner, thief) = (app.visitor().await, app.visitor().await);
    let (_, form) = open_in(&owner, "UTC").await;
    let held = hold(&owner, &form, FIRST).await;
    let (_, own) = open_in(&thief, "UTC").await;
    let turn = |form: &Form| form.iter().find(|(name, _)| name == "turn").unwrap().1.clone();
    let card = |form: &Form, more: &[(&str, &str)]| filled(form, more);
    problem(confirm(&thief, &own, "eve@example.com").await, 409, "hold_lapsed").await;
    problem(confirm(&thief, &card(&own, &[("turn", &turn(&held))]), "eve@example.com").await, 409, "not_current").await;
    let others = filled(&held, &[("token", &thief.token), ("view", &thief.view)]);
    problem(confirm(&thief, &others, "eve@example.com").await, 409, "not_current").await;
    problem(confirm(&thief, &card(&own, &[("card", "end")]), "eve@example.com").await, 409, "not_current").await;
    problem(thief.answer_with(&others, &[("do", "release")]).await, 409, "not_current").await;
    problem(thief.answer_with(&own, &[("value", FIRST)]).await, 409, "slot_taken").await;
    assert!(told(&app).await.is_empty());
    // It is held all the same.
    good(confirm(&owner, &held, "ada@example.com").await).await;
    assert_eq!(told(&app).await.len(), 1);
}

#[tokio::test]
async fn only_what_is_offered_can_be_had() {
    let app = for_days().with_conversation(MEET).start_only().await;
    add_met(&app, 1, MONDAY).await;
    let visitor = app.visitor().await;
    let (_, form) = open_in(&visitor, "UTC").await;
    for (start, why) in [
        ("2026-11-16T08:00:00Z", "it has passed"),
        ("0001-01-01T00:00:00Z", "long ago"),
        ("2026-12-28T08:00:00Z", "beyond the horizon"),
        ("9999-12-27T08:00:00Z", "far beyond it"),
        ("2026-11-23T08:15:00Z", "between two times"),
        ("2026-11-23T08:00:00.001Z", "next to one"),
        ("2026-11-23T10:00:00Z", "when the hours are over"),
        ("2026-11-25T08:00:00Z", "a day without hours"),
    ] {
        let refused = problem(visitor.answer_with(&form, &[("value", start)]).await, 409, "slot_taken").await;
        assert_eq!(buttons(&text(&refused["card"]), "value"), [FIRST, SECOND, THIRD, FOURTH], "{why}");
    }
    for bad in ["", "soon", "2026-11-23", "2026-11-23T08:00:00", "23.11.2026 08:00"] {
        problem(visitor.answer_with(&form, &[("value", bad)]).await, 422, "invalid_answer").await;
    }
    // The same moment, as another clock shows it, is the same.
    hold(&visitor, &form, "2026-11-23T09:00:00+01:00").await;
    assert_eq!(free(&app).await, [SECOND, THIRD, FOURTH]);

    // Four hours beforehand is the least: at that moment, and not after it.
    until(&app, "2026-11-23T05:30:00Z");
    app.ticking.tick().await.unwrap();
    let late = app.visitor().await;
    let (html, form) = open_in(&late, "UTC").await;
    assert_eq!(buttons(&html, "value"), [FOURTH]);
    app.pass(SignedDuration::from_millis(1));
    problem(late.answer_with(&form, &[("value", FOURTH)]).await, 409, "slot_taken").await;
}

#[tokio::test]
async fn nothing_is_beside_a_meeting_where_the_agent_says_so() {
    let app = for_days().with_conversation(MEET).start_only().await;
    let hours = [("time_zone", "UTC"), ("hours", "monday 08:00-11:00"), ("before", "15"), ("after", "15")];
    let ada = add_met(&app, 1, &hours).await;
    let visitor = app.visitor().await;
    let (_, stale) = open_in(&visitor, "UTC").await;
    book(&app, THIRD, "ada@example.com").await;
    let left = [FIRST, "2026-11-23T10:00:00Z", "2026-11-23T10:30:00Z"];
    assert_eq!(free(&app).await, left);
    for beside in [SECOND, THIRD, FOURTH] {
        let refused = problem(visitor.answer_with(&stale, &[("value", beside)]).await, 409, "slot_taken").await;
        assert_eq!(buttons(&text(&refused["card"]), "value"), left, "{beside}");
    }
    // As many a day as they want, and no more; whoever has the old page is told so.
    let page = [("time_zone", "UTC"), ("hours", "monday 08:00-11:00"), ("daily", "1")];
    meets(&app, &ada, &page).await;
    assert_eq!(free(&app).await[0], "2026-11-30T08:00:00Z");
    problem(visitor.answer_with(&stale, &[("value", FIRST)]).await, 409, "slot_taken").await;
}

#[tokio::test]
async fn of_several_agents_the_next_is_who_has_met_fewest() {
    let app = for_days().with_conversation(MEET).start_only().await;
    let (ada, grace) = (add_met(&app, 1, MONDAY).await, add_met(&app, 2, MONDAY).await);
    // Two at the same time, one with each; a third is too late.
    let (one, two, three) = (app.visitor().await, app.visitor().await, app.visitor().await);
    let (_, last) = open_in(&three, "UTC").await;
    for (visitor, email) in [(&one, "ada@example.com"), (&two, "bob@example.com")] {
        let (_, form) = open_in(visitor, "UTC").await;
        let form = hold(visitor, &form, FIRST).await;
        app.pass(SignedDuration::from_secs(1));
        good(confirm(visitor, &form, email).await).await;
    }
    problem(three.answer_with(&last, &[("value", FIRST)]).await, 409, "slot_taken").await;
    let with = async || told(&app).await.iter().map(|event| text(&event["data"]["agentID"])).collect::<Vec<_>>();
    assert_eq!(with().await, [ada.id.to_string(), grace.id.to_string()]);
    // In turn: who was given one the longest ago; and who has fewer, before that.
    for (start, next) in [(SECOND, &ada), (THIRD, &grace), (FOURTH, &ada)] {
        app.pass(SignedDuration::from_secs(1));
        book(&app, start, "eve@example.com").await;
        assert_eq!(with().await.last(), Some(&next.id.to_string()), "{start}");
    }
    book(&app, SECOND, "eve@example.com").await;
    assert_eq!(with().await.last(), Some(&grace.id.to_string()));
}

#[tokio::test]
async fn where_nobody_can_be_met_the_visitor_is_told_what_is_possible() {
    let app = for_days().with_conversation(MEET).start_only().await;
    // Neither who has not joined, nor who has no hours.
    let ada = add_agent(&app, 1, Role::Agent).await;
    meets(&app, &ada, MONDAY).await;
    add_met(&app, 2, &[("time_zone", "UTC")]).await;
    let (html, _) = open_in(&app.visitor().await, "UTC").await;
    assert!(html.contains("There is no time left") && html.contains("See you") && !html.contains("data-grid"), "{html}");
    let shown: Vec<_> = app.log().await.into_iter().filter(|event| event["type"] == "fallback.shown").collect();
    assert_eq!((shown.len(), &shown[0]["data"]["card"]), (1, &json!("meet")));
    join(&app, &ada).await;
    assert_eq!(free(&app).await, [FIRST, SECOND, THIRD, FOURTH]);
}

#[tokio::test]
async fn who_may_go_on_without_a_meeting_can() {
    let optional = MEET.replace("\"location\"", "\"optional\": true, \"location\"");
    let app = for_days().with_conversation(&optional).start_only().await;
    add_met(&app, 1, MONDAY).await;
    let visitor = app.visitor().await;
    let (html, form) = open_in(&visitor, "UTC").await;
    assert!(html.contains("value=\"skip\""), "{html}");
    let answered = good(visitor.answer_with(&form, &[("do", "skip")]).await).await;
    assert!(text(&answered["said"]).contains("See you"), "{answered}");
    assert!(told(&app).await.is_empty());

    // Where the author does not say so, one goes on only once there is no time left at all.
    let app = for_days().with_conversation(MEET).start_only().await;
    let ada = add_met(&app, 1, MONDAY).await;
    let visitor = app.visitor().await;
    let (_, form) = open_in(&visitor, "UTC").await;
    problem(visitor.answer_with(&form, &[("do", "skip")]).await, 422, "invalid_answer").await;
    meets(&app, &ada, &[("time_zone", "UTC")]).await;
    let shown = good(visitor.answer_with(&form, &[("do", "refresh")]).await).await;
    let card = text(&shown["card"]);
    assert!(card.contains("value=\"skip\"") && card.contains("No time is free in this month."), "{card}");
    let answered = good(visitor.answer_with(&form_in(&card, "UTC"), &[("do", "skip")]).await).await;
    assert!(text(&answered["said"]).contains("See you"), "{answered}");
}

#[tokio::test]
async fn a_calendar_program_subscribes_by_a_secret_address() {
    let app = for_days().with_conversation(MEET).start_only().await;
    let ada = add_met(&app, 1, MONDAY).await;
    let grace = add_met(&app, 2, &[("time_zone", "UTC"), ("hours", "tuesday 08:00-10:00")]).await;
    let make = async |agent: &Agent| {
        let (status, html) = read(console(&app, agent, "/console/availability/feed", &[]).await).await;
        assert_eq!(status, 200);
        let address = html.split("class=\"link-once\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
        address.strip_prefix(&format!("http://{}", app.address)).unwrap().to_owned()
    };
    let feed = async |path: &str| app.get(path).send().await.unwrap();
    let address = make(&ada).await;
    let of_grace = make(&grace).await;
    let one = book(&app, FIRST, "ada@example.com").await;
    let two = book(&app, THIRD, "bob@example.com").await;
    // A time that is held is nobody's meeting yet.
    let visitor = app.visitor().await;
    let (_, form) = open_in(&visitor, "UTC").await;
    hold(&visitor, &form, FOURTH).await;
    let response = feed(&address).await;
    assert_eq!(response.headers()["content-type"], "text/calendar; charset=utf-8");
    let calendar: Calendar = response.text().await.unwrap().parse().unwrap();
    assert_eq!(calendar.property_value("METHOD"), Some("PUBLISH"));
    assert_eq!(calendar.property_value("X-WR-CALNAME"), Some("Meetings of Agent 1"));
    let events: Vec<_> = calendar.events().collect();
    let uids: Vec<_> = events.iter().map(|event| event.get_uid().unwrap().to_owned()).collect();
    assert_eq!(uids, [one.uid(), two.uid()]);
    assert_eq!(events[0].property_value("DTSTART"), Some("20261123T080000Z"));
    assert_eq!(events[0].get_description(), Some("Ada Lovelace <ada@example.com>"));
    assert!(events[0].multi_properties().is_empty(), "nobody is invited by a feed");
    let calendar: Calendar = feed(&of_grace).await.text().await.unwrap().parse().unwrap();
    assert_eq!(calendar.events().count(), 0, "only their own");

    by_link(&app, &one.path, &[("do", "cancel")]).await;
    by_link(&app, &two.path, &[("value", SECOND)]).await;
    let (_, event) = entry(&feed(&address).await.text().await.unwrap());
    assert_eq!((event.get_uid(), event.get_sequence()), (Some(two.uid().as_str()), Some(1)));
    assert_eq!(event.property_value("DTSTART"), Some("20261123T083000Z"));

    // A new address ends the one before. What is no address is none.
    let new = make(&ada).await;
    assert_ne!(new, address);
    let known = "/feeds/".len();
    let mut guessed = new.clone();
    guessed.replace_range(known..=known, if new[known..].starts_with('A') { "B" } else { "A" });
    for wrong in [address.as_str(), guessed.as_str(), "/feeds/short/meetings.ics"] {
        problem(feed(wrong).await, 404, "not_found").await;
    }
    assert_eq!(feed(&new).await.status(), StatusCode::OK);
    // Saying how one can be met leaves it as it is.
    meets(&app, &ada, MONDAY).await;
    assert_eq!(feed(&new).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn how_one_can_be_met_is_checked_and_nothing_is_kept_of_what_is_wrong() {
    let app = for_days().with_conversation(MEET).start_only().await;
    let ada = add_met(&app, 1, MONDAY).await;
    let author = add_agent(&app, 2, Role::Author).await;
    let path = "/console/availability/meetings";
    for (form, says) in [
        (&[("time_zone", "Mars/Olympus")][..], "expected the name of a time zone"),
        (&[("time_zone", "UTC"), ("hours", "moonday 09:00-10:00")], "line 1: expected a day and hours"),
        (&[("time_zone", "UTC"), ("hours", "monday 10:00-09:00")], "line 1"),
        (&[("time_zone", "UTC"), ("before", "481")], "before: expected a whole number from 0 to 480"),
        (&[("time_zone", "UTC"), ("after", "-1")], "after: expected a whole number from 0 to 480"),
        (&[("time_zone", "UTC"), ("daily", "0")], "daily: expected a whole number from 1 to 100"),
        (&[("time_zone", "UTC"), ("busy_url", "ftp://example.com/a.ics")], "busy_url: expected an address"),
        (
            &[("time_zone", "UTC"), ("busy_url", "https://ada:secret@example.com/a.ics")],
            "busy_url: expected an address without a user name and password in it",
        ),
        (&[("time_zone", "UTC"), ("caldav_url", "nowhere")], "caldav_url: expected an address"),
    ] {
        let (status, html) = read(console(&app, &ada, path, form).await).await;
        assert!(status == 400 && html.contains(says), "{form:?}: {status} {html}");
    }
    assert_eq!(console(&app, &author, path, MONDAY).await.status(), 403);
    let foreign = app.post(path).header("cookie", &ada.cookie).header("origin", "https://evil.example");
    problem(foreign.form(&[("time_zone", "UTC")]).send().await.unwrap(), 403, "forbidden_origin").await;
    assert_eq!(free(&app).await, [FIRST, SECOND, THIRD, FOURTH]);
    let (_, html) = console_page(&app, &ada, "/console/availability").await;
    assert!(html.contains("monday 08:00-10:00") && html.contains("08:00  08:30  09:00  09:30"), "the preview shows it: {html}");
}
