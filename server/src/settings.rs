//! Settings of the server: from flags, from `PORCHLIGHT_*` in the environment, from a TOML file, or their default, in that order.
//!
//! They are one table, from which the flags, the reading and docs/settings.md all come.

use std::{fmt, net::SocketAddr, path::PathBuf};

use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use serde::{Deserialize, Serialize};

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object a line.
    Json,
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Text { "text" } else { "json" })
    }
}

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum BadSettings {
    /// A file or variable could not be read as a setting.
    #[error("{0}")]
    Unreadable(Box<figment::Error>),
    /// A number is out of its range.
    #[error("setting {name}: expected a number from {min} to {max}, got {got}")]
    OutOfRange {
        /// The setting.
        name: &'static str,
        /// The least that is allowed.
        min: u64,
        /// The most that is allowed.
        max: u64,
        /// What was given.
        got: u64,
    },
    /// The address at which browsers reach the server is none.
    #[error("setting public_url: expected an address such as https://chat.example.com, got {0:?}")]
    PublicUrl(String),
    /// The file that was asked for is not there.
    #[error("setting config: there is no file {0}")]
    NoFile(PathBuf),
}

/// Whether something can stand before a path, and be followed by a browser.
fn is_web_address(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.host().is_some() && url.query().is_none() && url.fragment().is_none()
    })
}

macro_rules! settings {
    ($($name:ident: $kind:ty = $default:expr, $([$min:literal to $max:literal],)? $about:literal;)*) => {
        /// The settings, complete.
        #[derive(Debug, Clone, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Settings { $(#[doc = $about] pub $name: $kind,)* }

        impl Default for Settings {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        /// The settings as flags.
        #[derive(Debug, Clone, Default, Serialize, clap::Args)]
        pub struct Flags {
            /// A TOML file with settings [env: PORCHLIGHT_CONFIG]
            #[arg(long, value_name = "FILE")]
            #[serde(skip)]
            pub config: Option<PathBuf>,
            $(
                #[doc = $about]
                #[arg(long)]
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $name: Option<$kind>,
            )*
        }

        impl Settings {
            /// The address at which browsers reach the server.
            #[must_use]
            pub fn public_url(&self) -> String {
                if self.public_url.is_empty() { format!("http://{}", self.listen) } else { self.public_url.clone() }
            }

            fn check(&self) -> Result<(), BadSettings> {
                $($(
                    let got = u64::try_from(self.$name).unwrap_or(u64::MAX);
                    if !($min..=$max).contains(&got) {
                        return Err(BadSettings::OutOfRange { name: stringify!($name), min: $min, max: $max, got });
                    }
                )?)*
                if !self.public_url.is_empty() && !is_web_address(&self.public_url) {
                    return Err(BadSettings::PublicUrl(self.public_url.clone()));
                }
                Ok(())
            }

            /// docs/settings.md.
            #[must_use]
            pub fn reference() -> String {
                let default = Self::default();
                let mut rows = String::new();
                $(
                    let range = None::<&str>$(.or(Some(concat!(" (", $min, " to ", $max, ")"))))?;
                    let value = serde_json::to_value(&default.$name).unwrap_or_default();
                    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    rows += &row(stringify!($name), &value, range.unwrap_or_default(), $about);
                )*
                format!("{HEAD}{rows}")
            }
        }
    };
}

const HEAD: &str = "# Settings\n\n\
    <!-- Written by `make generate` from server/src/settings.rs; edit that. -->\n\n\
    A setting is taken from its flag, else from its variable in the environment, else from the TOML file that `--config` or\n\
    `PORCHLIGHT_CONFIG` names (there its name is the one in the first column), else it has its default.\n\n\
    | setting | flag | variable | default (range) | what it does |\n|---|---|---|---|---|\n";

fn row(name: &str, default: &str, range: &str, about: &str) -> String {
    format!(
        "| `{name}` | `--{}` | `PORCHLIGHT_{}` | `{default}`{range} | {about} |\n",
        name.replace('_', "-"),
        name.to_uppercase()
    )
}

settings! {
    data_dir: PathBuf = PathBuf::from("data"), "The folder that holds the database; made if it is not there";
    listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 3000)), "The address the server listens on; port 0 takes any free one";
    public_url: String = String::new(), "The address at which browsers reach the server, such as https://chat.example.com, which letters and calendars lead to; if it is empty, http and the address it listens on";
    log: String = "info".to_owned(), "What is logged, as tracing's filter directives: info, debug, porchlight_server=trace";
    log_format: LogFormat = LogFormat::Text, "How the log is written: text or json";
    session_timeout_minutes: u64 = 30, [1 to 1440], "A session ends after this many minutes without activity";
    body_limit_bytes: usize = 16_384, [1024 to 1_048_576], "The largest body of a request, in bytes";
    site_limit_bytes: usize = 262_144, [16_384 to 4_194_304], "The largest settings of a site that the API takes, in bytes: a thousand domains, and texts in many languages";
    file_limit_bytes: usize = 10_485_760, [1024 to 104_857_600], "The largest file of a site, in bytes: a document that a card shows, a picture";
    reports_limit: usize = 50, [1 to 500], "The most reports a page may send at once";
    late_report_days: u64 = 7, [0 to 90], "A page's report that could not be delivered keeps its own time for this many days; an older one gets the time of its delivery";
    starts_per_minute: u32 = 120, [1 to 1_000_000], "How often pages may start from one address, a minute";
    commands_per_minute: u32 = 240, [1 to 1_000_000], "How many requests one visitor may make, a minute";
    api_requests_per_minute: u32 = 600, [1 to 1_000_000], "How many requests one key of the API may make, a minute";
    api_guesses_per_minute: u32 = 30, [1 to 1_000_000], "How many requests to the API without a key that is good one address may make, a minute";
    idempotency_hours: u64 = 24, [1 to 720], "How long the answer to a write with an Idempotency-Key is kept, so that the same write is done once";
    trusted_proxies: usize = 0, [0 to 10], "How many proxies stand before the server; the visitor's address is that many places from the end of X-Forwarded-For";
    chat_limit: u32 = 10, [1 to 1000], "The most chats an agent holds at once, unless their own limit says otherwise";
    chat_accept_seconds: u64 = 100, [5 to 3600], "How long an agent has to accept a chat before the next is asked";
    chat_idle_seconds: u64 = 600, [5 to 86_400], "A live chat ends after this many seconds in which neither side did anything";
    chat_dropped_seconds: u64 = 60, [5 to 3600], "A live chat ends when the visitor's connection has been gone for this long";
    meeting_hold_seconds: u64 = 300, [30 to 3600], "How long the time of a meeting is kept while its visitor says who they are";
    meeting_reminder_hours: u64 = 24, [0 to 336], "How long before a meeting its guest is reminded by e-mail; 0: not at all";
    calendar_poll_minutes: u64 = 15, [1 to 1440], "How often the other calendars of agents are read";
    calendar_limit_bytes: usize = 4_194_304, [1024 to 104_857_600], "The largest answer of a calendar elsewhere, in bytes";
    calendar_busy_limit: usize = 5_000, [10 to 100_000], "The most busy times that are read from a calendar elsewhere, a year ahead";
    accounts_limit: usize = 20_000, [1 to 1_000_000], "The most companies and domains of a site that are assigned to agents";
    accounts_limit_bytes: usize = 2_097_152, [1024 to 104_857_600], "The largest CSV file of them, in bytes";
    egress_timeout_seconds: u64 = 10, [1 to 120], "How long a server elsewhere may take to answer";
    egress_allow: String = String::new(), "Hosts, addresses and networks that the server may connect to although they are not public, with commas between: calendar.lan, 10.1.2.0/24";
    webhook_timeout_seconds: u64 = 15, [1 to 60], "How long an endpoint of webhooks may take to answer";
    webhook_retry_seconds: u64 = 5, [1 to 3600], "How long after its first failure an event is sent again; each further wait is four times as long, up to 8 hours";
    webhook_retry_hours: u64 = 72, [1 to 720], "How long after its first failure an event is given up";
    webhook_disable_days: u64 = 5, [1 to 90], "An endpoint that did nothing but fail for so many days is sent nothing any more";
    webhook_concurrency: usize = 32, [1 to 256], "How many events are under way to one endpoint at once";
    webhook_attempt_days: u64 = 7, [1 to 3650], "How many days it can be seen what came of sending an event";
    webhook_secret_overlap_hours: u64 = 24, [0 to 720], "How long the secret before a new one is signed with, too";
    webhook_replay_limit: u32 = 100_000, [1 to 1_000_000], "The most events that are sent to an endpoint again at once";
    webhooks_limit: u32 = 200, [1 to 10_000], "The most endpoints of a site";
    streams_limit: usize = 10, [1 to 10_000], "The most streams of events that one key of the API may have open at once";
    stream_ping_seconds: u64 = 15, [1 to 300], "After this many seconds without an event, a stream is sent a comment, so that nothing on the way takes it for dead";
    analytics_pages_limit: usize = 500, [10 to 10_000], "The most pages of a site that analytics tell apart in 64 days; the others are counted together";
    attachment_limit_bytes: usize = 5_242_880, [1024 to 104_857_600], "The largest file a visitor or agent may send in a chat, in bytes";
    attachments_per_chat: u32 = 50, [0 to 1000], "The most files that may be sent in one chat";
    smtp_url: String = String::new(), "Where e-mail is handed in, as smtps://USER:PASSWORD@HOST or smtp://HOST:PORT?tls=required; better in the environment than as a flag, which others on the machine can see";
    mail_dir: String = String::new(), "A folder that e-mail is written to instead, as .eml files: for trying things out";
    mail_from: String = String::new(), "Whom e-mail comes from, such as Porchlight <chat@example.com>; needed with smtp_url and mail_dir";
    transcripts_per_chat: u32 = 3, [0 to 100], "How often the transcript of one chat may be sent by e-mail";
    presence_grace_seconds: u64 = 45, [5 to 3600], "An agent whose console has gone counts as present for this long";
    sign_ins_per_minute: u32 = 30, [1 to 1_000_000], "How many attempts to sign in to the console one address may make, a minute";
    guesses_per_minute: u32 = 5, [1 to 1_000_000], "How many of them for the same account, a minute";
    sign_in_idle_hours: u64 = 12, [1 to 720], "Who has not used the console for this many hours signs in again";
    sign_in_days: u64 = 30, [1 to 365], "Who signed in this many days ago signs in again";
    invitation_hours: u64 = 72, [1 to 720], "How long the link that lets an agent choose a password is good";
    audit_days: u64 = 730, [30 to 36_500], "For how many days the audit log is kept";
    scrub_limit_bytes: u64 = 1_073_741_824, [0 to 1_099_511_627_776], "The largest database that is written anew after visitors were erased, so that no trace of them stays in its file, in bytes; while it is, nothing else is done";
    commit_batch: usize = 256, [1 to 4096], "The most commands that are committed to the disk together";
    queue_limit: usize = 4096, [1 to 1_000_000], "The most commands that may wait for the store; beyond that the answer is 503";
    request_timeout_seconds: u64 = 30, [1 to 600], "The longest a request may take";
    shutdown_grace_seconds: u64 = 10, [0 to 600], "How long requests under way may take to end when the server stops";
}

/// Variables with our prefix that are no settings: the flags that are not among them, and what the tests go by.
const NOT_SETTINGS: &[&str] = &["api_examples", "bin", "config", "demo_listen", "generate", "seed", "torture"];

impl Settings {
    /// Puts the settings together.
    ///
    /// # Errors
    /// A setting that is unknown, of the wrong kind or out of its range, named with where it came from.
    pub fn read(flags: &Flags) -> Result<Self, BadSettings> {
        let file = flags.config.clone().or_else(|| std::env::var_os("PORCHLIGHT_CONFIG").map(PathBuf::from));
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if let Some(file) = file {
            if !file.is_file() {
                return Err(BadSettings::NoFile(file));
            }
            figment = figment.merge(Toml::file_exact(file));
        }
        let figment = figment.merge(Env::prefixed("PORCHLIGHT_").ignore(NOT_SETTINGS)).merge(Serialized::defaults(flags));
        let settings: Self = figment.extract().map_err(|error| BadSettings::Unreadable(Box::new(error)))?;
        settings.check()?;
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &str) -> Result<Settings, BadSettings> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("porchlight.toml");
        std::fs::write(&path, file).unwrap();
        Settings::read(&Flags { config: Some(path), ..Flags::default() })
    }

    #[test]
    fn flags_win_over_the_file_and_the_file_over_defaults() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("porchlight.toml");
        std::fs::write(&path, "reports_limit = 7\ncommit_batch = 8").unwrap();
        let flags = Flags { config: Some(path), commit_batch: Some(9), ..Flags::default() };
        let settings = Settings::read(&flags).unwrap();
        assert_eq!((settings.reports_limit, settings.commit_batch, settings.queue_limit), (7, 9, 4096));
    }

    #[test]
    fn ranges_hold_at_their_edges() {
        for good in [
            "session_timeout_minutes = 1440",
            "audit_days = 30",
            "audit_days = 36500",
            "scrub_limit_bytes = 0",
            "site_limit_bytes = 16384",
        ] {
            assert!(read(good).is_ok(), "{good}");
        }
        for (file, name) in [
            ("session_timeout_minutes = 1441", "session_timeout_minutes"),
            ("body_limit_bytes = 1023", "body_limit_bytes"),
            ("site_limit_bytes = 16383", "site_limit_bytes"),
            ("site_limit_bytes = 4194305", "site_limit_bytes"),
            ("audit_days = 29", "audit_days"),
            ("audit_days = 36501", "audit_days"),
            ("scrub_limit_bytes = 1099511627777", "scrub_limit_bytes"),
        ] {
            let error = read(file).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("expected a number from"), "{error}");
        }
    }

    #[test]
    fn the_address_for_browsers_is_one() {
        for good in ["", "https://chat.example.com", "http://[::1]:3000/chat/"] {
            assert!(read(&format!("public_url = {good:?}")).is_ok(), "{good}");
        }
        for bad in
            ["chat.example.com", "ftp://chat.example.com", "https://", "https://chat.example.com/?a=b", "javascript:alert(1)"]
        {
            let error = read(&format!("public_url = {bad:?}")).unwrap_err().to_string();
            assert!(error.contains("public_url") && error.contains(bad), "{error}");
        }
    }

    #[test]
    fn what_is_unknown_or_of_the_wrong_kind_is_named() {
        let error = read("lisen = \"127.0.0.1:1\"").unwrap_err().to_string();
        assert!(error.contains("lisen"), "{error}");
        let error = read("reports_limit = \"many\"").unwrap_err().to_string();
        assert!(error.contains("reports_limit"), "{error}");
        let flags = Flags { config: Some("nowhere.toml".into()), ..Flags::default() };
        assert!(Settings::read(&flags).unwrap_err().to_string().contains("nowhere.toml"));
    }
}
