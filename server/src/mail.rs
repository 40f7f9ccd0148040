//! E-mail: letters are kept with what caused them, and sent afterwards, until they are taken.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Attachment, Mailbox, MultiPart, SinglePart,
        header::{ContentType, HeaderName, HeaderValue},
    },
};
use porchlight_domain::id::{ChatId, VisitorId};

use crate::{
    calendar::ics::Method as CalendarMethod,
    outside::Outside,
    settings::Settings,
    store::{Command, Failure, Store, StoreError, Tx},
};

/// How many letters are sent before it is looked again which are due.
const AT_ONCE: u32 = 20;
/// The first wait after a failure; each further one is twice as long.
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(60);
/// The longest wait.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(6);
/// After this a letter is given up.
const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(72);
/// How often it is looked what is due, if nothing new came.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// How long a server may take to answer.
const SMTP_TIMEOUT: Duration = Duration::from_secs(20);

/// What a letter is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A transcript that somebody asked for.
    Transcript,
    /// What a visitor left when nobody was there.
    Missed,
    /// A meeting.
    Meeting,
    /// An endpoint that is sent nothing any more.
    Webhook,
}

impl Purpose {
    /// Its name, which is what is stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transcript => "transcript",
            Self::Missed => "missed",
            Self::Meeting => "meeting",
            Self::Webhook => "webhook",
        }
    }

    /// The purpose of a name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        [Self::Missed, Self::Meeting, Self::Webhook].into_iter().find(|known| known.name() == name).unwrap_or(Self::Transcript)
    }
}

/// A letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its id: of two with the same, one is sent.
    pub id: String,
    /// What it is about.
    pub purpose: Purpose,
    /// The address it goes to.
    pub recipient: String,
    /// Its subject.
    pub subject: String,
    /// What it says, as plain text.
    pub body: String,
    /// The chat it is about.
    pub chat: Option<ChatId>,
    /// The visitor it is about, whoever it goes to: it is forgotten with them.
    pub visitor: Option<VisitorId>,
    /// A calendar entry that goes with it.
    pub calendar: Option<CalendarPart>,
}

/// A calendar entry that goes with a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarPart {
    /// What it asks of who gets it.
    pub method: CalendarMethod,
    /// The entry, as iCalendar.
    pub content: String,
}

/// What is wrong with the settings of e-mail.
#[derive(Debug, thiserror::Error)]
pub enum BadMailSettings {
    /// Both ways are set.
    #[error("settings smtp_url and mail_dir: expected one of them, not both")]
    Both,
    /// The address is none.
    #[error("setting mail_from: expected an address such as \"Porchlight <chat@example.com>\", got {0:?}")]
    From(String),
    /// The address of the server is none. It is not repeated: it may hold a password.
    #[error("setting smtp_url: expected an address such as smtps://USER:PASSWORD@mail.example.com: {0}")]
    Url(lettre::transport::smtp::Error),
    /// The folder cannot be made.
    #[error("setting mail_dir: the folder {0} cannot be made: {1}")]
    Folder(PathBuf, std::io::Error),
}

/// How letters leave.
#[derive(Debug, Clone)]
enum Way {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Folder(PathBuf),
}

/// Why a letter did not leave.
#[derive(Debug)]
struct NotSent {
    problem: String,
    /// The same for the log, which outlives the letter: without anything of whom it goes to.
    told: String,
    /// Whether it never will.
    for_good: bool,
}

/// Sends letters.
#[derive(Debug, Clone)]
pub struct Postman {
    store: Store,
    outside: Outside,
    way: Way,
    from: Mailbox,
}

impl Postman {
    /// Somebody to send letters, if the settings say how.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub fn new(store: Store, outside: Outside, settings: &Settings) -> Result<Option<Self>, BadMailSettings> {
        let way = match (settings.smtp_url.as_str(), settings.mail_dir.as_str()) {
            ("", "") => return Ok(None),
            (url, "") => {
                let server = AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(BadMailSettings::Url)?;
                Way::Smtp(server.timeout(Some(SMTP_TIMEOUT)).build())
            }
            ("", folder) => {
                let folder = PathBuf::from(folder);
                std::fs::create_dir_all(&folder).map_err(|error| BadMailSettings::Folder(folder.clone(), error))?;
                Way::Folder(folder)
            }
            _ => return Err(BadMailSettings::Both),
        };
        let from = settings.mail_from.parse().map_err(|_| BadMailSettings::From(settings.mail_from.clone()))?;
        Ok(Some(Self { store, outside, way, from }))
    }

    /// Sends letters as they are written, for ever.
    pub async fn run(self) {
        loop {
            if let Err(error) = self.deliver().await {
                tracing::error!(%error, "letters could not be read, or that they were sent not be noted");
            }
            // That nothing came is as good: the store says what is due.
            let _ = tokio::time::timeout(LOOK_EVERY, self.store.hub().mail()).await;
        }
    }

    /// Sends all that is due now.
    ///
    /// # Errors
    /// If the store fails. A letter that was sent and could not be noted is sent again, with the same Message-ID.
    pub async fn deliver(&self) -> Result<(), StoreError> {
        loop {
            let due = self.store.look(Due(self.outside.now())).await.map_err(StoreError::from)?;
            if due.is_empty() {
                return Ok(());
            }
            for crate::store::DueLetter { letter, tries, made_at } in due {
                // Whom it is about may have been erased while those before it were being sent.
                if !self.store.look(IsThere(letter.id.clone())).await.map_err(StoreError::from)? {
                    continue;
                }
                let outcome = match self.send(&letter).await {
                    Ok(()) => Outcome::Sent,
                    Err(NotSent { problem, told, for_good }) => {
                        let again = Some(self.again(tries, made_at)).filter(|_| !for_good).flatten();
                        // What a server says may hold the address it refuses: that is kept with the letter, and goes with it.
                        tracing::warn!(
                            letter = letter.id,
                            purpose = letter.purpose.name(),
                            problem = told,
                            given_up = again.is_none(),
                            "a letter was not sent"
                        );
                        Outcome::Failed(problem, again)
                    }
                };
                let note = Note { id: letter.id.clone(), outcome, now: self.outside.now() };
                let known = self.store.commit_in_turn(note).await.map_err(StoreError::from)?;
                if let (Way::Folder(folder), false) = (&self.way, known) {
                    // Whom it was about was erased while it was being written.
                    remove_letters(folder, &[letter.id]).await;
                }
            }
        }
    }

    /// When a letter that has just failed is tried again; not at all after too long.
    fn again(&self, tries: u32, made_at: Timestamp) -> Option<Timestamp> {
        let now = self.outside.now();
        let wait = FIRST_WAIT.checked_mul(1 << tries.min(12)).unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT);
        (now.duration_since(made_at) < GIVEN_UP_AFTER).then(|| now.checked_add(wait).unwrap_or(now))
    }

    fn message(&self, letter: &Letter) -> Result<Message, NotSent> {
        let bad = |problem: String| NotSent { problem, told: "it cannot be put together".to_owned(), for_good: true };
        let to: Mailbox = letter.recipient.parse().map_err(|_| bad("the address is none".to_owned()))?;
        let domain = self.from.email.domain();
        let builder = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(&letter.subject)
            .message_id(Some(format!("<{}@{domain}>", letter.id)))
            // Nobody's absence note shall answer it (RFC 3834).
            .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()));
        let message = match &letter.calendar {
            None => builder.header(ContentType::TEXT_PLAIN).body(letter.body.clone()),
            // The entry as another form of the letter, which calendars take up (RFC 6047 §2.4), and as a file for those that do not.
            Some(CalendarPart { method, content }) => {
                let kind = format!("text/calendar; charset=utf-8; method={}", method.name());
                let kind = ContentType::parse(&kind).map_err(|error| bad(error.to_string()))?;
                let file = ContentType::parse("text/calendar; charset=utf-8").map_err(|error| bad(error.to_string()))?;
                let forms = MultiPart::alternative()
                    .singlepart(SinglePart::plain(letter.body.clone()))
                    .singlepart(SinglePart::builder().header(kind).body(content.clone()));
                let file = Attachment::new("meeting.ics".to_owned()).body(content.clone(), file);
                builder.multipart(MultiPart::mixed().multipart(forms).singlepart(file))
            }
        };
        message.map_err(|error| bad(error.to_string()))
    }

    async fn send(&self, letter: &Letter) -> Result<(), NotSent> {
        let message = self.message(letter)?;
        match &self.way {
            Way::Smtp(server) => match server.send(message).await {
                Ok(_) => Ok(()),
                Err(error) => {
                    let told = error.status().map_or_else(
                        || "the server could not be spoken with".to_owned(),
                        |code| format!("the server answers {code}"),
                    );
                    Err(NotSent { problem: error.to_string(), told, for_good: error.is_permanent() })
                }
            },
            Way::Folder(folder) => {
                // Ids sort by time.
                let written = tokio::fs::write(file_of(folder, &letter.id), message.formatted()).await;
                written.map_err(|error| NotSent { problem: error.to_string(), told: error.to_string(), for_good: false })
            }
        }
    }
}

/// The file that a letter is written to.
fn file_of(folder: &Path, letter: &str) -> PathBuf {
    folder.join(format!("{letter}.eml"))
}

/// Removes letters that were written as files, as far as they are there. Whether none of them is there any more.
pub(crate) async fn remove_letters(folder: &Path, letters: &[String]) -> bool {
    let mut gone = true;
    for letter in letters {
        match tokio::fs::remove_file(file_of(folder, letter)).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(letter, %error, "a letter could not be removed");
                gone = false;
            }
            _ => {}
        }
    }
    gone
}

struct Due(Timestamp);

impl Command for Due {
    type Done = Vec<crate::store::DueLetter>;
    type Refusal = std::convert::Infallible;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Self::Done, Failure<Self::Refusal>> {
        Ok(tx.mail_due(self.0, AT_ONCE).await?)
    }
}

/// Whether there is still a letter of an id.
struct IsThere(String);

impl Command for IsThere {
    type Done = bool;
    type Refusal = std::convert::Infallible;

    async fn run(self, tx: &mut Tx<'_>) -> Result<bool, Failure<Self::Refusal>> {
        Ok(tx.has_mail(&self.0).await?)
    }
}

enum Outcome {
    Sent,
    Failed(String, Option<Timestamp>),
}

struct Note {
    id: String,
    outcome: Outcome,
    now: Timestamp,
}

impl Command for Note {
    /// Whether the letter is known still.
    type Done = bool;
    type Refusal = std::convert::Infallible;

    async fn run(self, tx: &mut Tx<'_>) -> Result<bool, Failure<Self::Refusal>> {
        match self.outcome {
            Outcome::Sent => Ok(tx.mail_sent(&self.id, self.now).await?),
            Outcome::Failed(problem, again) => {
                tx.mail_failed(&self.id, &problem, again).await?;
                Ok(true)
            }
        }
    }
}
