//! Calendars elsewhere: what they block and what becomes of those that are no good, a CalDAV server, and who is assigned to whom.

use std::{
    net::SocketAddr,
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use futures_util::{StreamExt, stream};
use icalendar::Component;
use jiff::SignedDuration;
use porchlight_domain::{
    agent::Role,
    id::{AgentId, uuid_v7},
};
use porchlight_server::store::{CalendarRow, Command, Failure, Tx};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpStream},
    process::Child,
};

use crate::{
    app::{TestApp, form_of, good, problem, text},
    meetings::{
        FIRST, MEET, MONDAY, add_met, book, buttons, by_link, confirm, console_page, entry, for_days, form_in, free, hold, join,
        meets, open_in, read, told,
    },
    sides::{Agent, TALK, add_agent, add_agent_of, stay},
};

const SECOND: &str = "2026-11-23T08:30:00Z";
const THIRD: &str = "2026-11-23T09:00:00Z";
const FOURTH: &str = "2026-11-23T09:30:00Z";

/// What a calendar elsewhere answers.
#[derive(Clone)]
enum Says {
    /// A calendar with these events.
    Events(String),
    /// A text as it is.
    Text(Vec<u8>),
    /// So many bytes, a piece after the other.
    Much(usize),
    /// A calendar, of which the rest never comes.
    HalfOf(String),
    Status(StatusCode),
    To(String),
    /// Nothing, ever.
    Nothing,
}

/// A calendar elsewhere.
struct Elsewhere {
    address: SocketAddr,
    says: Arc<Mutex<Says>>,
    asked: Arc<AtomicUsize>,
}

#[derive(Clone)]
struct Shared(Arc<Mutex<Says>>, Arc<AtomicUsize>);

fn calendar_of(events: &str) -> String {
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Elsewhere//EN\r\n{events}END:VCALENDAR\r\n")
}

fn event_of(uid: &str, start: &str, end: &str, more: &str) -> String {
    format!("BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:{start}\r\nDTEND:{end}\r\n{more}END:VEVENT\r\n")
}

/// From 08:30 to 09:00 on the first Monday.
fn half_past_eight() -> String {
    event_of("1@elsewhere.example", "20261123T083000Z", "20261123T090000Z", "SUMMARY:Dentist\r\n")
}

async fn answer(State(Shared(says, asked)): State<Shared>) -> Response {
    asked.fetch_add(1, Ordering::SeqCst);
    let says = says.lock().unwrap().clone();
    let of_type = [(header::CONTENT_TYPE, "text/calendar; charset=utf-8")];
    match says {
        Says::Events(events) => (of_type, calendar_of(&events)).into_response(),
        Says::Text(text) => (of_type, text).into_response(),
        Says::Much(bytes) => {
            // Nobody is told beforehand how much it is.
            let pieces = (0..bytes.div_ceil(1000)).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 1000]));
            (of_type, Body::from_stream(stream::iter(pieces))).into_response()
        }
        Says::HalfOf(text) => {
            let first = stream::iter([Ok::<_, std::io::Error>(text.into_bytes())]);
            (of_type, Body::from_stream(first.chain(stream::pending()))).into_response()
        }
        Says::Status(status) => (status, of_type, calendar_of(&half_past_eight())).into_response(),
        Says::To(address) => (StatusCode::FOUND, [(header::LOCATION, address)]).into_response(),
        Says::Nothing => std::future::pending().await,
    }
}

impl Elsewhere {
    async fn serve(says: Says) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (says, asked) = (Arc::new(Mutex::new(says)), Arc::default());
        let shared = Shared(Arc::clone(&says), Arc::clone(&asked));
        let router = Router::new().route("/ada.ics", get(answer)).with_state(shared);
        tokio::spawn(axum::serve(listener, router).into_future());
        Self { address, says, asked }
    }

    fn say(&self, says: Says) {
        *self.says.lock().unwrap() = says;
    }

    fn url(&self) -> String {
        format!("http://{}/ada.ics", self.address)
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// The hours of [`MONDAY`], and something besides.
fn monday_and<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    MONDAY.iter().chain(more).copied().collect()
}

struct Kept(AgentId);

impl Command for Kept {
    type Done = (CalendarRow, usize);
    type Refusal = ();

    async fn run(self, tx: &mut Tx<'_>) -> Result<Self::Done, Failure<()>> {
        Ok((tx.calendar(self.0).await?, tx.busy_count(self.0).await?))
    }
}

/// How an agent's calendar is kept, and how many busy times are known.
async fn kept(app: &TestApp, agent: &Agent) -> (CalendarRow, usize) {
    app.store.look(Kept(agent.id)).await.unwrap()
}

/// After the time at which other calendars are read again, reads them.
async fn read_again(app: &TestApp) {
    app.pass(SignedDuration::from_mins(15));
    app.sync.work().await.unwrap();
}

/// A server that may reach this machine, with an agent who has a calendar elsewhere.
async fn with_calendar(elsewhere: &Elsewhere, timeout_seconds: u64) -> (TestApp, Agent) {
    let app = for_days()
        .with_conversation(MEET)
        .with_settings(|settings| {
            settings.egress_allow = "127.0.0.1".to_owned();
            settings.egress_timeout_seconds = timeout_seconds;
            settings.calendar_limit_bytes = 20_000;
            settings.calendar_busy_limit = 60;
        })
        .start_only()
        .await;
    let url = elsewhere.url();
    let agent = add_met(&app, 1, &monday_and(&[("busy_url", &url)])).await;
    (app, agent)
}

#[tokio::test]
async fn what_another_calendar_says_is_not_offered() {
    let weekly = event_of("2@elsewhere.example", "20261116T080000Z", "20261116T083000Z", "RRULE:FREQ=WEEKLY\r\n");
    let free_then = event_of("3@elsewhere.example", "20261123T090000Z", "20261123T093000Z", "TRANSP:TRANSPARENT\r\n");
    let called_off = event_of("4@elsewhere.example", "20261123T093000Z", "20261123T100000Z", "STATUS:CANCELLED\r\n");
    let elsewhere = Elsewhere::serve(Says::Events(half_past_eight() + &weekly + &free_then + &called_off)).await;
    let (app, ada) = with_calendar(&elsewhere, 1).await;
    assert_eq!(free(&app).await, [FIRST, SECOND, THIRD, FOURTH], "nothing was read yet");
    let visitor = app.visitor().await;
    let (_, stale) = open_in(&visitor, "UTC").await;
    app.sync.work().await.unwrap();
    assert_eq!((free(&app).await, elsewhere.asked()), (vec![THIRD.to_owned(), FOURTH.to_owned()], 1));
    let refused = problem(visitor.answer_with(&stale, &[("value", SECOND)]).await, 409, "slot_taken").await;
    assert_eq!(buttons(&text(&refused["card"]), "value"), [THIRD, FOURTH]);
    let looked = good(visitor.answer_with(&stale, &[("day", "2026-11-30")]).await).await;
    assert_eq!(buttons(&text(&looked["card"]), "value").first().map(String::as_str), Some("2026-11-30T08:30:00Z"), "each Monday");
    // The guest cannot move onto it, either; and the agent sees it in the console.
    let booked = book(&app, THIRD, "ada@example.com").await;
    assert_eq!(by_link(&app, &booked.path, &[("value", SECOND)]).await.0, 409);
    let (_, html) = console_page(&app, &ada, "/console/calendar?on=2026-11-23&view=day").await;
    assert!(html.contains("Busy 08:00–09:00") && !html.contains("Dentist"), "{html}");
    let (_, html) = console_page(&app, &ada, "/console/availability").await;
    assert!(html.contains("busy times.") && html.contains("Read ") && !html.contains("Could not be read"), "{html}");

    // It is read every quarter of an hour, and not in between.
    elsewhere.say(Says::Events(String::new()));
    app.pass(SignedDuration::from_mins(15) - SignedDuration::from_millis(1));
    app.sync.work().await.unwrap();
    assert_eq!(elsewhere.asked(), 1);
    app.pass(SignedDuration::from_millis(1));
    app.sync.work().await.unwrap();
    assert_eq!((elsewhere.asked(), free(&app).await), (2, vec![FIRST.to_owned(), SECOND.to_owned(), FOURTH.to_owned()]));

    // Whose calendar is elsewhere no longer has nothing to do with what was read of it.
    elsewhere.say(Says::Events(half_past_eight()));
    read_again(&app).await;
    assert_eq!(free(&app).await, [FIRST, FOURTH]);
    meets(&app, &ada, MONDAY).await;
    read_again(&app).await;
    assert_eq!((elsewhere.asked(), free(&app).await), (3, vec![FIRST.to_owned(), SECOND.to_owned(), FOURTH.to_owned()]));
    assert_eq!(kept(&app, &ada).await.1, 0);
}

#[tokio::test]
async fn meetings_of_ours_that_come_back_from_there_block_nothing() {
    let elsewhere = Elsewhere::serve(Says::Events(String::new())).await;
    let (app, ada) = with_calendar(&elsewhere, 1).await;
    let booked = book(&app, SECOND, "ada@example.com").await;
    let own = event_of(&booked.uid(), "20261123T083000Z", "20261123T090000Z", "");
    let foreign = format!("{}@chat.example.com", uuid_v7(1_790_000_000_000, &[7; 10]));
    elsewhere.say(Says::Events(own + &event_of(&foreign, "20261123T093000Z", "20261123T100000Z", "")));
    app.sync.work().await.unwrap();
    assert_eq!((kept(&app, &ada).await.1, free(&app).await), (1, vec![FIRST.to_owned(), THIRD.to_owned()]));
    // Moved, its old time is free, although the calendar elsewhere does not know that yet.
    assert_eq!(by_link(&app, &booked.path, &[("value", THIRD)]).await.0, 200);
    assert_eq!(free(&app).await, [FIRST, SECOND]);
}

#[tokio::test]
async fn what_cannot_be_read_is_told_and_what_was_read_before_stays() {
    let elsewhere = Elsewhere::serve(Says::Events(half_past_eight())).await;
    let (app, ada) = with_calendar(&elsewhere, 1).await;
    app.sync.work().await.unwrap();
    let read_at = app.now();
    let whole = calendar_of(&half_past_eight());
    let many: String = (0..61)
        .map(|number| {
            let (day, hour) = (number / 10 + 1, number % 10 + 8);
            let at = |minute: u32| format!("202612{day:02}T{hour:02}{minute:02}00Z");
            event_of(&format!("{number}@x"), &at(0), &at(30), "")
        })
        .collect();
    let bad = |line: &str| event_of("5@elsewhere.example", "20261123T080000Z", "20261123T083000Z", line);
    for (says, problem) in [
        (Says::Nothing, "expected an answer from 127.0.0.1 within 1000 ms"),
        (Says::HalfOf(whole.clone()), "within 1000 ms"),
        (Says::Status(StatusCode::INTERNAL_SERVER_ERROR), "the server of the calendar answers 500"),
        (Says::Status(StatusCode::NOT_FOUND), "answers 404"),
        (Says::Status(StatusCode::UNAUTHORIZED), "answers 401"),
        // Not followed: it could lead anywhere.
        (Says::To(elsewhere.url()), "answers 302"),
        (Says::Much(20_001), "expected an answer of at most 20000 bytes"),
        (Says::Text(vec![b' '; 20_001]), "expected an answer of at most 20000 bytes"),
        (Says::Text(vec![0xff; 100]), "not in UTF-8"),
        (Says::Text(Vec::new()), "expected a calendar in the iCalendar format"),
        (Says::Text(b"<html>Please sign in</html>".to_vec()), "expected a calendar in the iCalendar format"),
        (Says::Text(whole.as_bytes()[..whole.len() - 20].to_vec()), "it is cut off"),
        (Says::Events(bad("RRULE:FREQ=SECONDLY\r\n")), "expected a rule for repetition"),
        (Says::Events(event_of("6@x", "20261323T080000Z", "20261123T083000Z", "")), "expected a date such as"),
        (Says::Events(many), "expected at most 60 separate busy times"),
    ] {
        elsewhere.say(says);
        let asked = elsewhere.asked();
        read_again(&app).await;
        assert_eq!(elsewhere.asked(), asked + 1, "{problem}: once, until it is time again");
        let (row, busy) = kept(&app, &ada).await;
        assert!(row.problem.as_ref().is_some_and(|found| found.contains(problem)), "{problem}: {:?}", row.problem);
        assert_eq!((row.read_at, busy), (Some(read_at), 1), "{problem}");
        assert_eq!(free(&app).await, [FIRST, THIRD, FOURTH], "{problem}");
    }
    let (_, html) = console_page(&app, &ada, "/console/availability").await;
    assert!(html.contains("Could not be read: ") && html.contains("counts still: 1 busy times."), "{html}");
    // As much as may be is read.
    let long = "X-LONG:".to_owned() + &"x".repeat(20_000 - whole.len() - "X-LONG:\r\n".len()) + "\r\n";
    let (head, rest) = whole.split_at(whole.find("BEGIN:VEVENT").unwrap());
    elsewhere.say(Says::Text(format!("{head}{long}{rest}").into_bytes()));
    read_again(&app).await;
    let (row, busy) = kept(&app, &ada).await;
    assert_eq!((row.problem, row.read_at, busy), (None, Some(app.now()), 1));
}

#[tokio::test]
async fn a_slow_calendar_keeps_nobody_elses_waiting() {
    let (slow, quick) = (Elsewhere::serve(Says::Nothing).await, Elsewhere::serve(Says::Events(half_past_eight())).await);
    let (app, ada) = with_calendar(&slow, 3).await;
    let url = quick.url();
    let grace = add_met(&app, 2, &monday_and(&[("busy_url", &url)])).await;
    let working = app.sync.clone();
    let work = tokio::spawn(async move { working.work().await });
    let read = async {
        while kept(&app, &grace).await.0.read_at.is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), read).await.unwrap();
    assert!(kept(&app, &ada).await.0.problem.is_none(), "the slow one is still being waited for");
    work.await.unwrap().unwrap();
    assert!(kept(&app, &ada).await.0.problem.is_some());
}

#[tokio::test]
async fn nobody_reads_what_is_not_public_through_the_server() {
    let elsewhere = Elsewhere::serve(Says::Events(half_past_eight())).await;
    let app = for_days().with_conversation(MEET).start_only().await;
    let ada = add_met(&app, 1, MONDAY).await;
    let port = elsewhere.address.port();
    for (url, says) in [
        (format!("http://127.0.0.1:{port}/ada.ics"), "http:// is only for hosts that the setting egress_allow lists"),
        (format!("http://localhost:{port}/ada.ics"), "egress_allow"),
        (format!("https://127.0.0.1:{port}/ada.ics"), "expected 127.0.0.1 to be on the public internet"),
        (format!("https://[::ffff:127.0.0.1]:{port}/ada.ics"), "to be on the public internet"),
        (format!("webcal://127.0.0.1:{port}/ada.ics"), "expected 127.0.0.1 to be on the public internet"),
        (format!("https://2130706433:{port}/ada.ics"), "expected 127.0.0.1 to be on the public internet"),
        ("https://10.0.0.1/ada.ics".to_owned(), "expected 10.0.0.1 to be on the public internet"),
        ("https://169.254.169.254/latest/meta-data".to_owned(), "expected 169.254.169.254 to be on the public internet"),
    ] {
        meets(&app, &ada, &monday_and(&[("busy_url", &url)])).await;
        app.sync.work().await.unwrap();
        let (row, busy) = kept(&app, &ada).await;
        assert!(row.problem.as_ref().is_some_and(|problem| problem.contains(says)), "{url}: {:?}", row.problem);
        assert_eq!((row.read_at, busy), (None, 0), "{url}");
    }
    let caldav = format!("http://127.0.0.1:{port}/ada/");
    meets(&app, &ada, &monday_and(&[("caldav_url", &caldav), ("caldav_user", "ada"), ("caldav_password", "secret")])).await;
    book(&app, FIRST, "ada@example.com").await;
    app.sync.work().await.unwrap();
    let (row, _) = kept(&app, &ada).await;
    for problem in [&row.problem, &row.write_problem] {
        assert!(problem.as_ref().is_some_and(|problem| problem.contains("egress_allow")), "{problem:?}");
    }
    assert_eq!(elsewhere.asked(), 0, "nobody was asked anything");
    assert_eq!(free(&app).await, [SECOND, THIRD, FOURTH], "that a calendar is not known stops nothing");
}

/// Real time, for another program to begin.
#[expect(clippy::disallowed_methods, reason = "another program begins when it does")]
async fn pause() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}

/// How Radicale is called here, if it is installed: as a module of Python, or by its own name.
async fn installed() -> Option<(&'static str, &'static [&'static str])> {
    let ways: [(&str, &[&str]); 2] = [("python3", &["-m", "radicale"]), ("radicale", &[])];
    for (program, module) in ways {
        let mut asked = tokio::process::Command::new(program);
        asked.args(module).arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        if asked.status().await.is_ok_and(|status| status.success()) {
            return Some((program, module));
        }
    }
    None
}

/// A real CalDAV server: Radicale.
struct Radicale {
    /// Ends with this.
    _child: Child,
    _folder: TempDir,
    /// Of the calendar.
    url: String,
    client: reqwest::Client,
}

impl Radicale {
    /// Starts it, if it is installed, and makes a calendar in it.
    async fn start() -> Option<Self> {
        let (program, module) = installed().await?;
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("users"), "ada:secret\n").unwrap();
        let of = |name: &str| folder.path().join(name).display().to_string();
        // Free a moment ago.
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut child = tokio::process::Command::new(program)
            .args(module)
            .args(["--config", "", "--logging-level", "error", "--auth-delay", "0"])
            .args(["--server-hosts", &address.to_string(), "--storage-filesystem-folder", &of("data")])
            .args(["--auth-type", "htpasswd", "--auth-htpasswd-encryption", "plain", "--auth-htpasswd-filename", &of("users")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let up = async {
            while TcpStream::connect(address).await.is_err() {
                assert!(child.try_wait().unwrap().is_none(), "Radicale has ended");
                pause().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), up).await.unwrap();
        let url = format!("http://{address}/ada/work/");
        let radicale = Self { _child: child, _folder: folder, url, client: reqwest::Client::new() };
        assert_eq!(radicale.ask("MKCALENDAR", "", "").await.0, 201);
        Some(radicale)
    }

    async fn ask(&self, method: &str, name: &str, body: &str) -> (u16, String) {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.client.request(method, format!("{}{name}", self.url)).basic_auth("ada", Some("secret"));
        let request = request.header("content-type", "text/calendar; charset=utf-8").body(body.to_owned());
        read(request.send().await.unwrap()).await
    }
}

#[tokio::test]
async fn a_caldav_server_is_written_to_and_read() {
    let Some(radicale) = Radicale::start().await else {
        assert!(std::env::var_os("CI").is_none(), "Radicale is not installed: pip install 'radicale==3.5.*'");
        println!("not tested: Radicale is not installed");
        return;
    };
    let app = for_days()
        .with_conversation(MEET)
        .with_settings(|settings| settings.egress_allow = "127.0.0.1".to_owned())
        .start_only()
        .await;
    let account = |password| [("caldav_url", radicale.url.as_str()), ("caldav_user", "ada"), ("caldav_password", password)];
    let ada = add_met(&app, 1, &monday_and(&account("secret"))).await;
    app.sync.work().await.unwrap();
    let (row, _) = kept(&app, &ada).await;
    assert_eq!((row.problem, row.read_at), (None, Some(app.now())));

    // A meeting that is booked is on the server, as calendars keep it.
    let booked = book(&app, FIRST, "ada@example.com").await;
    let name = format!("{}.ics", booked.uid());
    assert_eq!(radicale.ask("GET", &name, "").await.0, 404, "not before it is written");
    app.sync.work().await.unwrap();
    let (status, kept_there) = radicale.ask("GET", &name, "").await;
    assert_eq!(status, 200);
    let (calendar, event) = entry(&kept_there);
    assert_eq!((event.get_uid(), event.get_sequence()), (Some(booked.uid().as_str()), Some(0)));
    assert_eq!(
        (event.property_value("DTSTART"), event.property_value("DTEND")),
        (Some("20261123T080000Z"), Some("20261123T083000Z"))
    );
    assert_eq!((event.get_summary(), calendar.property_value("METHOD")), (Some("A first talk"), None));
    assert!(event.multi_properties().is_empty(), "the server invites nobody a second time");
    // Read back, it is known for our own.
    read_again(&app).await;
    assert_eq!((kept(&app, &ada).await.1, free(&app).await), (0, vec![SECOND.to_owned(), THIRD.to_owned(), FOURTH.to_owned()]));

    // Moved, it is the same one.
    assert_eq!(by_link(&app, &booked.path, &[("value", THIRD)]).await.0, 200);
    app.sync.work().await.unwrap();
    let (_, event) = entry(&radicale.ask("GET", &name, "").await.1);
    assert_eq!((event.get_sequence(), event.property_value("DTSTART")), (Some(1), Some("20261123T090000Z")));
    let (_, all) = radicale.ask("GET", "", "").await;
    assert_eq!(all.matches("BEGIN:VEVENT").count(), 1, "{all}");

    // What the agent writes there by hand is not offered.
    let dentist = calendar_of(&half_past_eight());
    assert_eq!(radicale.ask("PUT", "dentist.ics", &dentist).await.0, 201);
    assert_eq!(free(&app).await, [FIRST, SECOND, FOURTH]);
    read_again(&app).await;
    assert_eq!((free(&app).await, kept(&app, &ada).await.1), (vec![FIRST.to_owned(), FOURTH.to_owned()], 1));

    // With a password that is wrong what was known counts still, and what could not be written is, once it is right again.
    meets(&app, &ada, &monday_and(&account("wrong"))).await;
    let second = book(&app, FOURTH, "bob@example.com").await;
    app.sync.work().await.unwrap();
    let (row, busy) = kept(&app, &ada).await;
    for problem in [&row.problem, &row.write_problem] {
        assert!(problem.as_ref().is_some_and(|problem| problem.contains("did not accept the user name and password")), "{row:?}");
    }
    assert_eq!((busy, free(&app).await), (1, vec![FIRST.to_owned()]));
    meets(&app, &ada, &monday_and(&account("secret"))).await;
    // Not typed again, it stays.
    meets(&app, &ada, &monday_and(&account(""))).await;
    let (_, html) = console_page(&app, &ada, "/console/availability").await;
    assert!(!html.contains("secret"), "a password is shown to nobody");
    read_again(&app).await;
    let (row, _) = kept(&app, &ada).await;
    assert_eq!((row.problem, row.write_problem), (None, None));
    assert_eq!(radicale.ask("GET", &format!("{}.ics", second.uid()), "").await.0, 200);

    // Called off, it is gone; and so is what was never there.
    assert_eq!(by_link(&app, &booked.path, &[("do", "cancel")]).await.0, 200);
    app.sync.work().await.unwrap();
    assert_eq!(radicale.ask("GET", &name, "").await.0, 404);
    radicale.ask("DELETE", &format!("{}.ics", second.uid()), "").await;
    assert_eq!(by_link(&app, &second.path, &[("do", "cancel")]).await.0, 200);
    app.sync.work().await.unwrap();
    assert_eq!(kept(&app, &ada).await.0.write_problem, None);
    let (_, all) = radicale.ask("GET", "", "").await;
    assert!(all.matches("BEGIN:VEVENT").count() == 1 && all.contains("Dentist"), "{all}");

    // Another address than that of a calendar is told from one.
    let somewhere = radicale.url.replace("/work/", "/");
    let wrong = [("caldav_url", somewhere.as_str()), ("caldav_user", "ada"), ("caldav_password", "secret")];
    meets(&app, &ada, &monday_and(&wrong)).await;
    app.sync.work().await.unwrap();
    let (row, busy) = kept(&app, &ada).await;
    assert!(row.problem.as_ref().is_some_and(|problem| problem.contains("expected the address of a calendar")), "{row:?}");
    assert_eq!(busy, 0, "what was read elsewhere is forgotten");
}

/// A form with a file, as a browser sends it.
fn multipart(parts: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file, content) in parts {
        let file = file.map(|file| format!("; filename=\"{file}\"\r\ncontent-type: text/csv")).unwrap_or_default();
        body.extend(format!("--between\r\ncontent-disposition: form-data; name=\"{name}\"{file}\r\n\r\n").bytes());
        body.extend(*content);
        body.extend(b"\r\n");
    }
    body.extend(b"--between--\r\n");
    body
}

async fn send(app: &TestApp, agent: &Agent, parts: &[(&str, Option<&str>, &[u8])]) -> reqwest::Response {
    let request = app.post("/console/accounts").header("cookie", &agent.cookie);
    let request = request.header("origin", format!("http://{}", app.address));
    request.header("content-type", "multipart/form-data; boundary=between").body(multipart(parts)).send().await.unwrap()
}

/// Sends a table as a file.
async fn import(app: &TestApp, agent: &Agent, csv: &str) -> (u16, String) {
    read(
        send(app, agent, &[("site", None, b"shop"), ("file", Some("accounts.csv"), csv.as_bytes()), ("csv", None, b"typed")])
            .await,
    )
    .await
}

/// How many companies and domains are assigned.
async fn assigned(app: &TestApp) -> i64 {
    let options = SqliteConnectOptions::new().filename(app.folder.path().join("porchlight.db"));
    let mut database = SqliteConnection::connect_with(&options).await.unwrap();
    let count = sqlx::query_scalar("select count(*) from account").fetch_one(&mut database).await.unwrap();
    database.close().await.unwrap();
    count
}

#[tokio::test]
async fn ten_thousand_lines_are_taken_whole_or_not_at_all() {
    let app =
        for_days().with_conversation(MEET).with_settings(|settings| settings.request_timeout_seconds = 600).start_only().await;
    let author = add_agent(&app, 1, Role::Author).await;
    add_agent(&app, 2, Role::Agent).await;
    app.import("key = \"other\"\ntitle = \"Other\"\norigins = []\n", &[]).await;
    add_agent_of(&app, 3, Role::Agent, "other").await;
    let (status, html) = import(&app, &author, "acme.example,agent2@example.com\n").await;
    assert!(status == 200 && html.contains("Saved: 1 accounts.") && html.contains("acme.example,agent2@example.com"), "{html}");

    // Of each kind of mistake some, and everything else as it should be.
    let mut lines: Vec<String> = (1..=10_000).map(|line| format!("company{line}.example,agent2@example.com")).collect();
    let mut wrong = Vec::new();
    for (number, (line, says)) in [
        ("a.example,nobody@example.com", "no agent of this site has the address"),
        ("b.example,agent3@example.com", "no agent of this site has the address"),
        ("c.example", "expected two cells"),
        ("d.example,agent2@example.com,more", "expected two cells"),
        (",agent2@example.com", "expected a company or domain of 1 to 253 characters"),
        (&format!("{},agent2@example.com", "x".repeat(254)), "expected a company or domain of 1 to 253 characters"),
        ("COMPANY1.example,agent2@example.com", "company1.example is assigned in line 1 already"),
    ]
    .into_iter()
    .cycle()
    .take(400)
    .enumerate()
    {
        let at = 25 * (number + 1);
        line.clone_into(&mut lines[at - 1]);
        wrong.push((at, says));
    }
    let (status, html) = import(&app, &author, &(lines.join("\r\n") + "\r\n")).await;
    assert_eq!(status, 422);
    for (line, says) in &wrong {
        assert!(html.contains(&format!("line {line}: {says}")), "line {line}: {says}");
    }
    assert_eq!(html.matches("<li>line ").count(), wrong.len(), "nothing else is wrong");
    assert!(html.contains("Nothing was changed."));
    assert_eq!(assigned(&app).await, 1, "nothing is half imported");
    // All of them wrong, all of them are told.
    let all = "x.example,nobody@example.com\n".repeat(10_000);
    let (status, html) = import(&app, &author, &all).await;
    assert_eq!((status, html.matches("<li>line ").count(), assigned(&app).await), (422, 10_000, 1));
    assert!(html.contains("line 1: no agent") && html.contains("line 10000: no agent"));

    let good: String = (1..=10_000).map(|line| format!("company{line}.example,agent2@example.com\n")).collect();
    let (status, html) = import(&app, &author, &good).await;
    assert!(status == 200 && html.contains("Saved: 10000 accounts."), "{status}");
    assert_eq!(assigned(&app).await, 10_000, "in the place of all that was there");
    let (status, _) = import(&app, &author, "").await;
    assert_eq!((status, assigned(&app).await), (200, 0));
}

#[tokio::test]
async fn a_table_is_read_as_spreadsheets_write_it_and_up_to_its_limits() {
    let app = for_days()
        .with_conversation(MEET)
        .with_settings(|settings| {
            settings.accounts_limit = 3;
            settings.accounts_limit_bytes = 1024;
        })
        .start_only()
        .await;
    let author = add_agent(&app, 1, Role::Author).await;
    let ada = add_agent(&app, 2, Role::Agent).await;
    let table = "\u{feff}\"Söhne, \"\"Co\"\"\",agent2@example.com\r\n\r\n @ACME.example , AGENT2@example.com\r\n'=Sum, agent2@example.com";
    let (status, html) = import(&app, &author, table).await;
    assert!(status == 200 && html.contains("Saved: 3 accounts."), "{html}");
    for line in ["\"söhne, \"\"co\"\"\",agent2@example.com", "\nacme.example,agent2@example.com", "'=sum,agent2@example.com"] {
        assert!(html.contains(line), "{line} is not in {html}");
    }
    // As it is shown, it can be sent again: by the field, without a file.
    let shown =
        html.split("name=\"csv\"").nth(1).unwrap().split_once('>').unwrap().1.split("</textarea>").next().unwrap().to_owned();
    let by_field =
        send(&app, &author, &[("site", None, b"shop"), ("csv", None, shown.as_bytes()), ("file", Some(""), b"")]).await;
    assert_eq!((by_field.status().as_u16(), assigned(&app).await), (200, 3));

    let line = |number: usize| format!("c{number}.example,agent2@example.com\n");
    let (status, _) = import(&app, &author, &(line(1) + "\n" + &line(2) + &line(3))).await;
    assert_eq!((status, assigned(&app).await), (200, 3));
    let (status, html) = import(&app, &author, &(line(1) + &line(2) + &line(3) + &line(4))).await;
    assert!(status == 422 && html.contains("expected at most 3 lines, got 4"), "{html}");
    let (status, html) = import(&app, &author, &(line(1) + "\"c2.example,agent2@example.com\n")).await;
    assert!(status == 422 && html.contains("line 2: a quote is opened here, and never closed"), "{html}");
    let of_bytes = |bytes: usize| line(1) + &"\n".repeat(bytes - line(1).len());
    assert_eq!((import(&app, &author, &of_bytes(1024)).await.0, assigned(&app).await), (200, 1));
    let send_file =
        async |content: &[u8]| send(&app, &author, &[("site", None, b"shop"), ("file", Some("a.csv"), content)]).await;
    assert_eq!(problem(send_file(of_bytes(1025).as_bytes()).await, 413, "too_large").await["field"], "file");
    assert_eq!(problem(send_file(b"\xff\xfe,agent2@example.com").await, 400, "malformed").await["field"], "file");
    for site in ["nowhere", "", "not a key"] {
        let parts: [(&str, Option<&str>, &[u8]); 2] = [("site", None, site.as_bytes()), ("csv", None, b"")];
        assert_eq!(problem(send(&app, &author, &parts).await, 400, "malformed").await["field"], "site", "{site}");
    }
    problem(send(&app, &author, &[("csv", None, b"")]).await, 400, "malformed").await;
    problem(send(&app, &ada, &[("site", None, b"shop"), ("csv", None, b"")]).await, 403, "forbidden").await;
    assert_eq!(assigned(&app).await, 1, "as it was");
}

/// Who is to be met by whoever has this address, and this company.
const OF_ACCOUNT: &str = r#"{ "id": "welcome", "name": "Meet", "cards": [
    { "id": "company", "card": "capture", "field": "company", "text": "Your company?", "optional": true },
    { "id": "mail", "card": "capture", "field": "email", "text": "Your address?" },
    { "id": "meet", "card": "meeting", "text": "When does it suit you?", "title": "A talk", "routing": { "account": true } },
    { "id": "end", "card": "end", "text": "See you" }
] }"#;

#[tokio::test]
async fn an_account_is_met_by_its_own_agent() {
    let app = for_days().with_conversation(OF_ACCOUNT).start_only().await;
    add_met(&app, 1, MONDAY).await;
    let grace = add_met(&app, 2, &[("time_zone", "UTC"), ("hours", "tuesday 08:00-09:00")]).await;
    // Who is not to be met at all.
    let mary = add_agent(&app, 3, Role::Agent).await;
    join(&app, &mary).await;
    let author = add_agent(&app, 4, Role::Author).await;
    let table = "acme.example,agent2@example.com\nBig Corp,agent2@example.com\nmary.example,agent3@example.com\n";
    assert_eq!(import(&app, &author, table).await.0, 200);
    let tuesday = ["2026-11-24T08:00:00Z", "2026-11-24T08:30:00Z"];
    let both = [FIRST, SECOND, THIRD, FOURTH];
    for (company, email, times) in [
        ("", "ada@ACME.example", &tuesday[..]),
        (" big corp ", "ada@example.com", &tuesday),
        ("Big Corp", "bob@else.example", &tuesday),
        ("Small Corp", "ada@sub.acme.example", &both),
        ("", "acme.example@example.com", &both),
        ("acme.example", "ada@example.com", &both),
        // Whose agent cannot be met at all, is met by the others.
        ("", "bob@mary.example", &both),
    ] {
        let visitor = app.visitor().await;
        let (_, form) = open_in(&visitor, "UTC").await;
        let skip = if company.is_empty() { [("do", "skip"), ("value", "")] } else { [("do", "answer"), ("value", company)] };
        let answered = good(visitor.answer_with(&form, &skip).await).await;
        let form = form_of(&text(&answered["card"]));
        let answered = good(visitor.answer_with(&form, &[("value", email), ("zone", "UTC")]).await).await;
        assert_eq!(buttons(&text(&answered["card"]), "value"), times, "{company:?}, {email}");
        if times == tuesday {
            let form = form_in(&text(&answered["card"]), "UTC");
            // Nobody else's time is to be had, whatever is sent.
            problem(visitor.answer_with(&form, &[("value", FIRST)]).await, 409, "slot_taken").await;
        }
    }

    let visitor = app.visitor().await;
    let (_, form) = open_in(&visitor, "UTC").await;
    let (_, form) = visitor.go_on(&form, "Big Corp").await;
    let (_, form) = visitor.go_on(&form, "ada@example.com").await;
    let form = hold(&visitor, &form, tuesday[1]).await;
    good(confirm(&visitor, &form, "ada@example.com").await).await;
    let event = told(&app).await.remove(0);
    assert_eq!(event["data"]["agentID"], grace.id.to_string());
    assert_eq!(event["data"]["agentName"], "Agent 2");
}

#[tokio::test]
async fn an_account_that_says_who_it_is_just_now_is_handed_to_its_own_agent() {
    let conversation = TALK.replace(
        r#"{ "id": "agent", "card": "liveChat","#,
        r#"{ "id": "mail", "card": "capture", "field": "email", "text": "Your address?" },
           { "id": "agent", "card": "liveChat", "routing": { "account": true },"#,
    );
    let app = for_days().with_conversation(&conversation).start_only().await;
    let (ada, grace) = (add_agent(&app, 1, Role::Agent).await, add_agent(&app, 2, Role::Agent).await);
    let author = add_agent(&app, 3, Role::Author).await;
    assert_eq!(import(&app, &author, "acme.example,agent2@example.com\n").await.0, 200);
    stay(&app, &[&ada, &grace], 600).await;
    for (email, agent) in [("ada@acme.example", &grace), ("bob@example.com", &ada)] {
        let visitor = app.visitor().await;
        let (_, form) = visitor.open().await;
        good(visitor.answer(&form, email).await).await;
        let requested: Vec<Value> = app.log().await.into_iter().filter(|event| event["type"] == "livechat.requested").collect();
        assert_eq!(requested.last().unwrap()["data"]["agentID"], json!(agent.id.to_string()), "{email}");
    }
}
