//! Calendar servers (CalDAV, RFC 4791): meetings are put into somebody's calendar, and it is asked when they are busy.

use std::fmt;

use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use porchlight_domain::schedule::Span;
use quick_xml::{
    NsReader,
    escape::resolve_predefined_entity,
    events::Event,
    name::{Namespace, ResolveResult},
};
use url::Url;

use super::ics::stamp;
use crate::egress::{Answer, Egress, EgressError, Request};

const DAV: &str = "DAV:";
const CALDAV: &str = "urn:ietf:params:xml:ns:caldav";
const XML: &str = "application/xml; charset=utf-8";
/// How deep an answer is nested at most; RFC 4918 needs six.
const DEPTH_MAX: usize = 32;
/// What an empty calendar is.
const NOTHING: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Porchlight//Porchlight//EN\r\nEND:VCALENDAR\r\n";
/// Asks what the address is (RFC 4791 §4.2).
const KIND: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
    <D:propfind xmlns:D=\"DAV:\"><D:prop><D:resourcetype/></D:prop></D:propfind>";

/// Somebody's calendar on a server.
#[derive(Clone)]
pub struct Account {
    /// The address of the calendar itself, not of the server.
    pub url: Url,
    /// The user name.
    pub user: String,
    /// The password: for most servers one that was made for this alone.
    pub password: String,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("url", &self.url.as_str()).field("user", &self.user).finish_non_exhaustive()
    }
}

/// Why a calendar server did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum CalDavError {
    /// The user name or the password is wrong.
    #[error("the calendar server did not accept the user name and password")]
    NotAuthorised,
    /// The account may not do it.
    #[error("the calendar server does not let this account do that: expected one that may read and change the calendar")]
    Forbidden,
    /// There is nothing at the address.
    #[error("the calendar server has nothing at this address: expected the address of a calendar")]
    NotFound,
    /// There is something else at the address.
    #[error("there is something else at this address: expected the address of a calendar on a CalDAV server")]
    NotACalendar,
    /// It is somewhere else.
    #[error("the calendar is at another address: expected its own, which may be {0:?}")]
    Moved(String),
    /// There is more in the calendar than is read, or than the server tells.
    #[error("the calendar server's answer is too large: expected fewer or smaller events")]
    TooLarge,
    /// The answer is not what it has to be.
    #[error("the calendar server's answer cannot be read: expected a multistatus as of RFC 4918: {0}")]
    Unreadable(String),
    /// It was not done, for a reason that only the server knows.
    #[error("the calendar server answered {0}")]
    Refused(StatusCode),
    /// There was no answer.
    #[error(transparent)]
    Egress(EgressError),
}

/// Puts an event into a calendar, in the place of what it held under this UID.
///
/// # Errors
/// Why it is not in the calendar now.
pub async fn put(egress: &Egress, account: &Account, uid: &str, ics: &str) -> Result<(), CalDavError> {
    let kind = "text/calendar; charset=utf-8";
    let answer = ask(egress, account, Method::PUT, object(account, uid)?, None, ics, Some(kind)).await?;
    match answer.status {
        StatusCode::OK | StatusCode::CREATED | StatusCode::NO_CONTENT => Ok(()),
        // RFC 4918 §9.7.1: a conflict is that there is no calendar to put it into.
        StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::CONFLICT => Err(CalDavError::NotFound),
        StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => Err(CalDavError::NotACalendar),
        StatusCode::PAYLOAD_TOO_LARGE | StatusCode::INSUFFICIENT_STORAGE => Err(CalDavError::TooLarge),
        status => Err(CalDavError::Refused(status)),
    }
}

/// Takes an event out of a calendar; that it is not there is as good.
///
/// # Errors
/// Why it may still be there.
pub async fn delete(egress: &Egress, account: &Account, uid: &str) -> Result<(), CalDavError> {
    let answer = ask(egress, account, Method::DELETE, object(account, uid)?, None, "", None).await?;
    match answer.status {
        StatusCode::NOT_FOUND | StatusCode::GONE => Ok(()),
        status if status.is_success() && status != StatusCode::MULTI_STATUS => Ok(()),
        StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => Err(CalDavError::NotACalendar),
        status => Err(CalDavError::Refused(status)),
    }
}

/// The events that meet a span (RFC 4791 §7.8, §9.9), as calendars after each other, for [`busy`](super::busy::busy).
///
/// # Errors
/// Why they are not known.
pub async fn busy(egress: &Egress, account: &Account, within: Span) -> Result<String, CalDavError> {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
        <C:calendar-query xmlns:D=\"DAV:\" xmlns:C=\"{CALDAV}\"><D:prop><C:calendar-data/></D:prop><C:filter>\
        <C:comp-filter name=\"VCALENDAR\"><C:comp-filter name=\"VEVENT\"><C:time-range start=\"{}\" end=\"{}\"/></C:comp-filter>\
        </C:comp-filter></C:filter></C:calendar-query>",
        stamp(within.start),
        stamp(within.end)
    );
    let answer = ask(egress, account, method(b"REPORT")?, collection(account)?, Some("1"), &body, Some(XML)).await?;
    let found = multistatus(&answer)?;
    if found.cut {
        return Err(CalDavError::TooLarge);
    }
    Ok(if found.data.is_empty() { NOTHING.to_owned() } else { found.data.join("\r\n") })
}

/// Whether there is a calendar at the address, and the account may see it.
///
/// # Errors
/// What is there instead.
pub async fn check(egress: &Egress, account: &Account) -> Result<(), CalDavError> {
    let answer = ask(egress, account, method(b"PROPFIND")?, collection(account)?, Some("0"), KIND, Some(XML)).await?;
    if multistatus(&answer)?.calendar { Ok(()) } else { Err(CalDavError::NotACalendar) }
}

fn method(name: &[u8]) -> Result<Method, CalDavError> {
    Method::from_bytes(name).map_err(|error| CalDavError::Unreadable(error.to_string()))
}

/// The address of the calendar, as servers write it: with a slash at its end.
fn collection(account: &Account) -> Result<Url, CalDavError> {
    inside(account, "")
}

/// The address of an event in the calendar.
fn object(account: &Account, uid: &str) -> Result<Url, CalDavError> {
    inside(account, &format!("{uid}.ics"))
}

fn inside(account: &Account, name: &str) -> Result<Url, CalDavError> {
    let mut url = account.url.clone();
    url.path_segments_mut().map_err(|()| CalDavError::Egress(EgressError::Scheme))?.pop_if_empty().push(name);
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

/// Sends a request; what is the same for all of them is told from the answer here.
async fn ask(
    egress: &Egress,
    account: &Account,
    method: Method,
    url: Url,
    depth: Option<&'static str>,
    body: &str,
    content_type: Option<&str>,
) -> Result<Answer, CalDavError> {
    let depth = depth.map(|depth| (HeaderName::from_static("depth"), HeaderValue::from_static(depth)));
    let request = Request {
        method,
        url,
        headers: depth.into_iter().collect(),
        basic: Some((account.user.clone(), account.password.clone())),
        body: body.as_bytes().to_vec(),
        content_type,
    };
    let answer = egress.send(request).await.map_err(|error| match error {
        EgressError::TooLarge { .. } => CalDavError::TooLarge,
        error => CalDavError::Egress(error),
    })?;
    match answer.status {
        StatusCode::UNAUTHORIZED => Err(CalDavError::NotAuthorised),
        StatusCode::FORBIDDEN => Err(CalDavError::Forbidden),
        status if status.is_redirection() => {
            let location = answer.headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
            Err(CalDavError::Moved(location.unwrap_or_default().chars().take(200).collect()))
        }
        _ => Ok(answer),
    }
}

/// What is in a multistatus (RFC 4918 §13).
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    /// Something of it is a calendar.
    calendar: bool,
    /// The texts of events.
    data: Vec<String>,
    /// It is not all that there is: part of it has the status 507 (RFC 4791 §7.8, RFC 6578 §3.6).
    cut: bool,
}

fn multistatus(answer: &Answer) -> Result<Found, CalDavError> {
    match answer.status {
        StatusCode::MULTI_STATUS => multistatus_of(&answer.body),
        StatusCode::NOT_FOUND | StatusCode::GONE => Err(CalDavError::NotFound),
        StatusCode::INSUFFICIENT_STORAGE => Err(CalDavError::TooLarge),
        // A page that knows nothing of calendars answers this way, or shows itself.
        StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => Err(CalDavError::NotACalendar),
        status if status.is_success() => Err(CalDavError::NotACalendar),
        status => Err(CalDavError::Refused(status)),
    }
}

fn multistatus_of(body: &[u8]) -> Result<Found, CalDavError> {
    let bad = |problem: &str| CalDavError::Unreadable(problem.to_owned());
    let mut reader = NsReader::from_str(std::str::from_utf8(body).map_err(|_| bad("it is not in UTF-8"))?);
    // So that what is empty begins and ends as everything else does.
    reader.config_mut().expand_empty_elements = true;
    let mut found = Found::default();
    let (mut depth, mut whole, mut kinds) = (0_usize, false, false);
    // What an element that is of interest says.
    let mut text: Option<String> = None;
    loop {
        let (namespace, event) = reader.read_resolved_event().map_err(|error| bad(&error.to_string()))?;
        let namespace = match namespace {
            ResolveResult::Bound(Namespace(name)) => name,
            ResolveResult::Unbound | ResolveResult::Unknown(_) => "",
        };
        match event {
            Event::Start(element) => {
                depth += 1;
                if depth > DEPTH_MAX {
                    return Err(bad("it is nested too deep"));
                }
                match (namespace, element.local_name().into_inner()) {
                    (DAV, "multistatus") if depth == 1 => whole = true,
                    (DAV, "resourcetype") => kinds = true,
                    (CALDAV, "calendar") if kinds => found.calendar = true,
                    (CALDAV, "calendar-data") | (DAV, "status") => text = Some(String::new()),
                    _ => {}
                }
            }
            Event::End(element) => {
                depth = depth.saturating_sub(1);
                match (namespace, element.local_name().into_inner()) {
                    (DAV, "resourcetype") => kinds = false,
                    (CALDAV, "calendar-data") => found.data.extend(text.take().filter(|data| !data.trim().is_empty())),
                    (DAV, "status") => found.cut |= text.take().is_some_and(|status| status.contains(" 507")),
                    _ => {}
                }
            }
            Event::Text(part) => {
                if let Some(text) = &mut text {
                    text.push_str(&part.xml10_content());
                }
            }
            Event::CData(part) => {
                if let Some(text) = &mut text {
                    text.push_str(&part.xml10_content());
                }
            }
            Event::GeneralRef(reference) => {
                if let Some(text) = &mut text {
                    // No others than those of XML itself: there is no document type that could define any.
                    match reference.resolve_char_ref().map_err(|error| bad(&error.to_string()))? {
                        Some(character) => text.push(character),
                        None => text.push_str(resolve_predefined_entity(&reference).ok_or_else(|| bad("it has entities"))?),
                    }
                }
            }
            Event::Eof => break,
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    match (whole, depth) {
        (true, 0) => Ok(found),
        (true, _) => Err(bad("it is cut off")),
        (false, _) => Err(bad("it is something else")),
    }
}

#[cfg(test)]
mod tests {
    use std::{net::SocketAddr, time::Duration};

    use super::*;
    use crate::egress::{
        Allowed, EgressLimits,
        local::{answer, serve},
    };

    const UID: &str = "0190a0de-0000-7000-8000-000000000001@chat.example.com";

    fn egress() -> Egress {
        let allow = Allowed::list("127.0.0.1").unwrap();
        Egress::new(EgressLimits { timeout: Duration::from_secs(5), body_limit: 10_000, cut: false, allow }).unwrap()
    }

    fn account(address: SocketAddr, path: &str) -> Account {
        let url = format!("http://{address}{path}").parse().unwrap();
        Account { url, user: "ada".to_owned(), password: "secret".to_owned() }
    }

    fn within() -> Span {
        Span { start: "2026-03-01T00:00:00Z".parse().unwrap(), end: "2026-04-01T00:00:00Z".parse().unwrap() }
    }

    fn many(body: &str) -> Vec<u8> {
        answer("207 Multi-Status", "Content-Type: application/xml\r\n", body)
    }

    /// As Radicale writes it, as others do, and an event that could not be read.
    const EVENTS: &str = "<?xml version='1.0' encoding='utf-8'?>
        <multistatus xmlns=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><response><href>/ada/work/1.ics</href>
        <propstat><prop><C:calendar-data>BEGIN:VCALENDAR&#13;\nSUMMARY:a &lt;b&gt; &amp; c&#x21;&#13;\nEND:VCALENDAR&#13;\n\
        </C:calendar-data></prop><status>HTTP/1.1 200 OK</status></propstat></response>
        <D:response xmlns:D=\"DAV:\"><D:href>/ada/work/2.ics</D:href><D:propstat><D:prop>
        <x:calendar-data xmlns:x=\"urn:ietf:params:xml:ns:caldav\">\
        <![CDATA[BEGIN:VCALENDAR\nSUMMARY:<d>\nEND:VCALENDAR\n]]></x:calendar-data>
        </D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>
        <response><href>/ada/work/3.ics</href><propstat><prop><C:calendar-data/></prop>
        <status>HTTP/1.1 404 Not Found</status></propstat></response>
        <calendar-data xmlns=\"elsewhere\">BEGIN:NOTHING</calendar-data></multistatus>";

    #[tokio::test]
    async fn events_are_put_and_taken_out() {
        let (address, heard) = serve(vec![
            answer("201 Created", "", ""),
            answer("204 No Content", "", ""),
            answer("204 No Content", "", ""),
            answer("404 Not Found", "", ""),
            answer("410 Gone", "", ""),
        ])
        .await;
        put(&egress(), &account(address, "/ada/work"), UID, "BEGIN:VCALENDAR").await.unwrap();
        put(&egress(), &account(address, "/ada/work/?x#y"), "a/b c%", "BEGIN:VCALENDAR").await.unwrap();
        for _ in 0..3 {
            delete(&egress(), &account(address, "/ada/work/"), UID).await.unwrap();
        }
        let heard = heard.lock().unwrap().clone();
        assert!(heard[0].starts_with(&format!("PUT /ada/work/{UID}.ics HTTP/1.1\r\n")), "{}", heard[0]);
        let head = heard[0].to_ascii_lowercase();
        assert!(head.contains("\r\ncontent-type: text/calendar; charset=utf-8\r\n"), "{head}");
        assert!(head.contains("\r\nauthorization: basic ywrhonnly3jlda==\r\n"), "{head}");
        assert!(heard[0].ends_with("\r\n\r\nBEGIN:VCALENDAR"), "{}", heard[0]);
        assert!(heard[1].starts_with("PUT /ada/work/a%2Fb%20c%25.ics HTTP/1.1\r\n"), "{}", heard[1]);
        assert!(heard[4].starts_with(&format!("DELETE /ada/work/{UID}.ics HTTP/1.1\r\n")), "{}", heard[4]);
    }

    #[tokio::test]
    async fn a_calendar_is_asked_for_a_span_and_its_events_are_read() {
        let (address, heard) = serve(vec![many(EVENTS), many("<multistatus xmlns=\"DAV:\"/>")]).await;
        let events = busy(&egress(), &account(address, "/ada/work"), within()).await.unwrap();
        assert_eq!(
            events,
            "BEGIN:VCALENDAR\r\nSUMMARY:a <b> & c!\r\nEND:VCALENDAR\r\n\r\nBEGIN:VCALENDAR\nSUMMARY:<d>\nEND:VCALENDAR\n"
        );
        assert_eq!(busy(&egress(), &account(address, "/ada/work/"), within()).await.unwrap(), NOTHING);
        let heard = heard.lock().unwrap()[0].clone();
        assert!(heard.starts_with("REPORT /ada/work/ HTTP/1.1\r\n"), "{heard}");
        assert!(heard.to_ascii_lowercase().contains("\r\ndepth: 1\r\n"), "{heard}");
        assert!(heard.contains("<C:time-range start=\"20260301T000000Z\" end=\"20260401T000000Z\"/>"), "{heard}");
        // What was asked is XML; of another kind than answers are.
        let (_, asked) = heard.split_once("\r\n\r\n").unwrap();
        assert!(multistatus_of(asked.as_bytes()).unwrap_err().to_string().ends_with("it is something else"));
    }

    #[tokio::test]
    async fn what_is_no_calendar_is_told_from_one() {
        let kinds = |kinds: &str| {
            many(&format!(
                "<D:multistatus xmlns:D=\"DAV:\" xmlns:C=\"{CALDAV}\"><D:response><D:href>/</D:href><D:propstat><D:prop>\
                <D:resourcetype>{kinds}</D:resourcetype></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>\
                </D:response></D:multistatus>"
            ))
        };
        let (address, heard) = serve(vec![
            kinds("<D:collection/><C:calendar/>"),
            kinds("<D:collection></D:collection><C:calendar></C:calendar>"),
            kinds("<D:collection/>"),
            kinds("<D:collection/><D:calendar/><C:addressbook/>"),
            many("<D:multistatus xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><C:calendar/></D:multistatus>"),
            answer("200 OK", "", "<html>hello</html>"),
            answer("405 Method Not Allowed", "", ""),
        ])
        .await;
        let ada = account(address, "/ada/work/");
        for expected in [true, true, false, false, false, false, false] {
            let checked = check(&egress(), &ada).await;
            assert!(if expected { checked.is_ok() } else { matches!(checked, Err(CalDavError::NotACalendar)) }, "{checked:?}");
        }
        let heard = heard.lock().unwrap()[0].clone();
        assert!(heard.starts_with("PROPFIND /ada/work/ HTTP/1.1\r\n"), "{heard}");
        assert!(heard.to_ascii_lowercase().contains("\r\ndepth: 0\r\n"), "{heard}");
    }

    #[tokio::test]
    async fn problems_are_told_apart() {
        let large = "x".repeat(10_001);
        let answers = [
            (answer("401 Unauthorized", "", ""), "did not accept the user name"),
            (answer("403 Forbidden", "", ""), "does not let this account"),
            (answer("404 Not Found", "", ""), "nothing at this address"),
            (answer("301 Moved Permanently", "Location: /ada/work/\r\n", ""), "\"/ada/work/\""),
            (answer("500 Internal Server Error", "", ""), "answered 500"),
            (many(&large), "too large"),
            (many("<multistatus xmlns=\"DAV:\"><status>HTTP/1.1 507 Insufficient Storage</status></multistatus>"), "too large"),
            (many("hello"), "cannot be read"),
            (many("<html></html>"), "cannot be read"),
            (many("<multistatus></multistatus>"), "cannot be read"),
            (many("<multistatus xmlns=\"DAV:\"><response>"), "cannot be read"),
            (many("<multistatus xmlns=\"DAV:\"></response></multistatus>"), "cannot be read"),
            (many("<multistatus xmlns=\"DAV:\"><status>&evil;</status></multistatus>"), "cannot be read"),
            (many(&"<a>".repeat(3_000)), "cannot be read"),
            (answer("207 Multi-Status", "", "\u{0}"), "cannot be read"),
        ];
        let (answers, words): (Vec<_>, Vec<_>) = answers.into_iter().unzip();
        let (address, _) = serve(answers).await;
        let ada = account(address, "/ada/work/");
        for word in words {
            let problem = busy(&egress(), &ada, within()).await.unwrap_err().to_string();
            assert!(problem.contains(word), "{word}: {problem}");
        }
        let (address, _) = serve(vec![answer("409 Conflict", "", ""), answer("415 Unsupported Media Type", "", "")]).await;
        let nobody = account(address, "/nobody/");
        assert!(matches!(put(&egress(), &nobody, UID, "").await, Err(CalDavError::NotFound)));
        assert!(matches!(put(&egress(), &nobody, UID, "").await, Err(CalDavError::Refused(_))));
        assert!(!format!("{nobody:?}").contains("secret"));
        // The server is on this machine, and that is not allowed here.
        let strict = EgressLimits { timeout: Duration::from_secs(5), body_limit: 1, cut: false, allow: Vec::new() };
        let problem = check(&Egress::new(strict).unwrap(), &nobody).await.unwrap_err().to_string();
        assert!(problem.contains("egress_allow"), "{problem}");
    }
}
