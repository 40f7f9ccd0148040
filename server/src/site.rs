//! A site: the settings a customer writes in `site.toml`.

use std::{fmt, str::FromStr};

use jiff::{SignedDuration, Timestamp};
use porchlight_domain::{
    contact::Email,
    conversation::{Problem, Text, fits_locale, is_locale},
    id::{ConversationId, FileName, SiteKey},
    schedule::Availability,
    session::ContactKind,
};
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use toml::de::{DeTable, DeValue};
use url::{Host, Url};

use crate::privacy::BlockedDomains;

/// A site's settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Its public key, as in `data-site`.
    pub key: SiteKey,
    /// The title of the panel, in each language that has one.
    #[serde(deserialize_with = "title")]
    pub title: Text,
    /// The origins its pages are on.
    pub origins: Vec<Origin>,
    /// Its colour.
    #[serde(default)]
    pub accent: Colour,
    /// The country of phone numbers that name none, as two letters.
    #[serde(default = "default_country", deserialize_with = "country")]
    pub country: String,
    /// The languages it speaks, the first to whoever speaks none of them; every language there is, if it names none.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "locales")]
    pub locales: Vec<String>,
    /// The address that is told what a visitor leaves who asked for an agent when nobody was there.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "address")]
    pub missed_chats_to: Option<String>,
    /// Whether pages are told e-mail addresses and phone numbers, too.
    #[serde(default)]
    pub contact_details_in_browser: bool,
    /// The providers it takes no e-mail addresses of.
    #[serde(default, skip_serializing_if = "BlockedDomains::is_empty")]
    pub blocked_email_domains: BlockedDomains,
    /// The page that says what becomes of what visitors give.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "privacy_url")]
    pub privacy_url: Option<String>,
    /// What is said about that at the foot of the panel, in each language that has it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "privacy_text")]
    pub privacy_text: Option<Text>,
    /// When it is open; always, if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opening_hours: Option<Availability>,
    /// The ways of contact that the launcher offers; what the page offers by itself, if none are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "contacts")]
    pub contacts: Vec<Contact>,
    /// How it looks.
    #[serde(default)]
    pub theme: Theme,
    /// The launcher.
    #[serde(default)]
    pub launcher: Launcher,
    /// How long what is known is kept.
    #[serde(default, skip_serializing_if = "Retention::is_endless")]
    pub retention: Retention,
}

/// How long each kind of what is known is kept, in days; for ever, where nothing is said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// The log of events, and how visitors came to their sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<Days>,
    /// What was said in conversations and chats, with notes, files and letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transcripts: Option<Days>,
    /// Visitors who have not come again since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visitors: Option<Days>,
    /// Forms and surveys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submissions: Option<Days>,
    /// Meetings, once they are over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meetings: Option<Days>,
    /// Call backs, once they are over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callbacks: Option<Days>,
}

impl Retention {
    /// Whether all is kept for ever.
    #[must_use]
    pub fn is_endless(&self) -> bool {
        *self == Self::default()
    }
}

/// The longest time that something is kept for, in days.
pub const DAYS_MAX: u32 = 36_500;

/// A number of days, from 1 to [`DAYS_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Days(u32);

impl Days {
    /// The moment that long before another: what is older is over.
    #[must_use]
    pub fn before(self, now: Timestamp) -> Timestamp {
        now.checked_sub(SignedDuration::from_hours(i64::from(self.0) * 24)).unwrap_or(Timestamp::MIN)
    }
}

impl<'de> Deserialize<'de> for Days {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let days = i64::deserialize(deserializer)?;
        let within = u32::try_from(days).ok().filter(|days| (1..=DAYS_MAX).contains(days));
        within.map(Self).ok_or_else(|| Error::custom(format!("expected a number of days from 1 to {DAYS_MAX}, got {days}")))
    }
}

/// A way of contact that the launcher offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// What it is.
    pub kind: ContactKind,
    /// The conversation that it starts; of a chat, the one that is offered on the page, if none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<ConversationId>,
    /// What is written on it; the usual words, if there is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "contact_label")]
    pub label: Option<Text>,
    /// Whether it is offered outside the opening hours, too. If nothing is said: a chat and a call back later are, a call at once is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when_closed: Option<bool>,
}

impl Contact {
    /// Whether it is offered while the site is closed.
    #[must_use]
    pub fn is_offered_when_closed(&self) -> bool {
        self.when_closed.unwrap_or(matches!(self.kind, ContactKind::Chat | ContactKind::CallbackLater))
    }
}

/// How the panel looks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Theme {
    /// Light, dark, or as the visitor's device is.
    pub mode: Mode,
    /// The letters.
    pub font: Font,
    /// The radius of the panel's corners, in pixels.
    pub radius: Pixels<24>,
    /// A picture in the panel's head, one of the site's files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar: Option<FileName>,
}

impl Default for Theme {
    fn default() -> Self {
        Self { mode: Mode::Auto, font: Font::System, radius: Pixels(16), avatar: None }
    }
}

/// The launcher.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Launcher {
    /// The corner it stands in.
    pub corner: Corner,
    /// Its distance from the side of the page, in pixels.
    pub x: Pixels<200>,
    /// Its distance from the bottom of the page, in pixels.
    pub y: Pixels<200>,
    /// What is drawn on it.
    pub icon: LauncherIcon,
    /// What is written on it, in each language.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "label")]
    pub label: Option<Text>,
    /// Whether there is none while no agent of the site is available. Who is in mid-conversation keeps it.
    pub hide_when_away: bool,
}

impl Default for Launcher {
    fn default() -> Self {
        Self { corner: Corner::End, x: Pixels(20), y: Pixels(20), icon: LauncherIcon::Chat, label: None, hide_when_away: false }
    }
}

fn default_country() -> String {
    "US".to_owned()
}

/// The longest title, in characters.
pub const TITLE_MAX: usize = 60;
/// The longest label of the launcher, in characters.
pub const LABEL_MAX: usize = 30;

fn line<'de, D: Deserializer<'de>>(deserializer: D, name: &str, max: usize) -> Result<Text, D::Error> {
    let text = Text::deserialize(deserializer)?;
    let good = |line: &str| !line.trim().is_empty() && line.chars().count() <= max && !line.chars().any(char::is_control);
    if text.all().all(|(tag, line)| good(line) && tag.is_none_or(is_locale)) {
        return Ok(text);
    }
    let message = format!("{name}: expected a line of 1 to {max} characters, or one for each language as in {{ en = \"Help\" }}");
    Err(Error::custom(message))
}

fn title<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
    line(deserializer, "title", TITLE_MAX)
}

fn label<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Text>, D::Error> {
    line(deserializer, "launcher.label", LABEL_MAX).map(Some)
}

fn contact_label<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Text>, D::Error> {
    line(deserializer, "contacts.label", LABEL_MAX).map(Some)
}

/// The longest text at the foot of the panel, in characters.
pub const PRIVACY_TEXT_MAX: usize = 300;
/// The longest address of a page about privacy, in bytes.
const PRIVACY_URL_MAX: usize = 2000;

fn privacy_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Text>, D::Error> {
    line(deserializer, "privacy_text", PRIVACY_TEXT_MAX).map(Some)
}

fn privacy_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let url = Url::parse(text.trim()).ok().filter(|_| text.len() <= PRIVACY_URL_MAX);
    let url = url.filter(|url| url.username().is_empty() && url.password().is_none());
    let good = url.filter(|url| match url.scheme() {
        "https" => true,
        "http" => is_loopback(url.host()),
        _ => false,
    });
    good.map(|url| Some(url.into())).ok_or_else(|| {
        Error::custom(format!(
            "privacy_url: expected an address such as https://shop.example/privacy, of at most {PRIVACY_URL_MAX} bytes, got {:?}",
            text.chars().take(80).collect::<String>()
        ))
    })
}

/// Whether a host is this machine.
fn is_loopback<S: AsRef<str>>(host: Option<Host<S>>) -> bool {
    match host {
        Some(Host::Domain(name)) => name.as_ref() == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The most ways of contact of a launcher.
pub const CONTACTS_MAX: usize = 8;

fn contacts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Contact>, D::Error> {
    let contacts = Vec::<Contact>::deserialize(deserializer)?;
    if contacts.len() > CONTACTS_MAX {
        return Err(Error::custom(format!("contacts: expected at most {CONTACTS_MAX}, got {}", contacts.len())));
    }
    match contacts.iter().find(|contact| contact.conversation.is_none() && contact.kind != ContactKind::Chat) {
        Some(contact) => Err(Error::custom(format!(
            "contacts: expected a conversation for {}; only a Chat can do without, and starts what the page offers",
            contact.kind.name()
        ))),
        None => Ok(contacts),
    }
}

fn country<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let code = String::deserialize(deserializer)?;
    if crate::phone::regions().iter().any(|(known, _, _)| *known == code) {
        return Ok(code);
    }
    Err(Error::custom(format!("country: expected two capital letters of a country, such as DE, got {code:?}")))
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let address = String::deserialize(deserializer)?;
    match address.parse::<Email>() {
        Ok(address) => Ok(Some(address.to_string())),
        Err(_) => {
            Err(Error::custom(format!("missed_chats_to: expected an e-mail address such as sales@example.com, got {address:?}")))
        }
    }
}

fn locales<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let locales = Vec::<String>::deserialize(deserializer)?;
    match locales.iter().find(|tag| !is_locale(tag)) {
        Some(tag) => Err(Error::custom(format!("locales: expected language tags such as de or pt-BR, got {tag:?}"))),
        None => Ok(locales),
    }
}

impl Site {
    /// Reads `site.toml`.
    ///
    /// # Errors
    /// Everything that is wrong, with its place: what is no TOML, and each field that is missing, unknown or not as it should be.
    pub fn read(source: &str) -> Result<Self, Vec<Problem>> {
        let at = |offset: usize, pointer: String, message: &str| {
            let before = source.get(..offset).unwrap_or(source);
            let line_start = before.rfind('\n').map_or(0, |at| at + 1);
            let (line, column) = (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1);
            Problem { line, column, pointer, message: message.to_owned() }
        };
        let (table, errors) = DeTable::parse_recoverable(source);
        if !errors.is_empty() {
            let start = |error: &toml::de::Error| error.span().map_or(0, |span| span.start);
            return Err(errors.iter().map(|error| at(start(error), String::new(), error.message())).collect());
        }
        let error = match toml::from_str(source) {
            Ok(site) => return Ok(site),
            Err(error) => error,
        };
        // Each field by itself, among others that are as they should be.
        let mut problems = Vec::new();
        let mut judge = |path: &[&str], offset: usize| {
            let mut alone = toml::Table::from_iter([
                ("key".to_owned(), "x".into()),
                ("title".to_owned(), "x".into()),
                ("origins".to_owned(), toml::Value::Array(Vec::new())),
            ]);
            let Ok(whole) = toml::from_str::<toml::Table>(source) else { return };
            match (path, whole.get(path[0])) {
                ([name], Some(value)) => drop(alone.insert((*name).to_owned(), value.clone())),
                ([group, name], Some(toml::Value::Table(values))) => {
                    let value = values.get(*name).cloned().into_iter().map(|value| ((*name).to_owned(), value));
                    alone.insert((*group).to_owned(), toml::Table::from_iter(value).into());
                }
                _ => return,
            }
            if let Err(error) = Self::deserialize(alone) {
                problems.push(at(offset, format!("/{}", path.join("/")), error.message()));
            }
        };
        for (name, value) in table.get_ref().iter() {
            match value.get_ref() {
                DeValue::Table(values) if ["theme", "launcher", "retention"].contains(&name.get_ref().as_ref()) => {
                    for (inner, _) in values.iter() {
                        judge(&[name.get_ref().as_ref(), inner.get_ref().as_ref()], inner.span().start);
                    }
                }
                _ => judge(&[name.get_ref().as_ref()], name.span().start),
            }
        }
        for name in ["key", "title", "origins"] {
            if !table.get_ref().iter().any(|(known, _)| known.get_ref() == name) {
                problems.push(at(0, String::new(), &format!("\"{name}\" is missing")));
            }
        }
        if problems.is_empty() {
            problems.push(at(error.span().map_or(0, |span| span.start), String::new(), error.message()));
        }
        problems.sort();
        Err(problems)
    }

    /// As `site.toml`.
    #[must_use]
    pub fn to_toml(&self) -> String {
        // Settings are texts, numbers and lists of them, which TOML has.
        toml::to_string_pretty(self).unwrap_or_default()
    }

    /// Whether a page of this origin is one of the site's.
    #[must_use]
    pub fn allows(&self, origin: &url::Origin) -> bool {
        self.origins.iter().any(|allowed| allowed.includes(origin))
    }

    /// The language to speak to a visitor: of those they prefer (a tag, or several as in `Accept-Language`) the first that the site
    /// speaks, else the site's first.
    #[must_use]
    pub fn language(&self, preferred: &str) -> String {
        let wanted = preferred.split(',').map(|tag| tag.split(';').next().unwrap_or_default().trim());
        let speaks = |tag: &&str| self.locales.iter().any(|own| fits_locale(own, tag) || fits_locale(tag, own));
        let mut good = wanted.filter(|tag| is_locale(tag)).filter(|tag| self.locales.is_empty() || speaks(tag));
        good.next().unwrap_or(self.main_locale()).to_owned()
    }

    /// Its title in a visitor's language.
    #[must_use]
    pub fn title_in(&self, locale: &str) -> &str {
        self.title.in_locale(locale, self.main_locale())
    }

    /// The language of whoever speaks none of the site's.
    #[must_use]
    pub fn main_locale(&self) -> &str {
        self.locales.first().map_or("en", String::as_str)
    }
}

/// A length in pixels, at most `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Pixels<const MAX: u16>(u16);

impl<const MAX: u16> Pixels<MAX> {
    /// How many.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl<'de, const MAX: u16> Deserialize<'de> for Pixels<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pixels = i64::deserialize(deserializer)?;
        let within = u16::try_from(pixels).ok().filter(|pixels| *pixels <= MAX);
        within.map(Self).ok_or_else(|| Error::custom(format!("expected a number of pixels from 0 to {MAX}, got {pixels}")))
    }
}

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Always light.
    Light,
    /// Always dark.
    Dark,
    /// As the visitor's device is.
    Auto,
}

impl Mode {
    /// As pages and `data-theme` name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
            Self::Auto => "auto",
        }
    }
}

/// The letters of the panel: those that a visitor's device has, so that none are loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Font {
    /// The device's own.
    System,
    /// With serifs.
    Serif,
    /// Round ones.
    Rounded,
    /// Of equal width.
    Mono,
}

impl Font {
    /// As CSS names it. (Sources: modernfontstacks.com, system UI, transitional, rounded sans and monospace code.)
    #[must_use]
    pub const fn family(self) -> &'static str {
        match self {
            Self::System => "system-ui,-apple-system,\"Segoe UI\",Roboto,\"Noto Sans\",\"Noto Sans Arabic\",sans-serif",
            Self::Serif => "Charter,\"Bitstream Charter\",\"Sitka Text\",Cambria,\"Noto Serif\",serif",
            Self::Rounded => {
                "ui-rounded,\"Hiragino Maru Gothic ProN\",Quicksand,Comfortaa,Manjari,\"Arial Rounded MT Bold\",sans-serif"
            }
            Self::Mono => "ui-monospace,\"Cascadia Code\",\"Source Code Pro\",Menlo,Consolas,\"DejaVu Sans Mono\",monospace",
        }
    }
}

/// What is drawn on the launcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LauncherIcon {
    /// A bubble.
    Chat,
    /// A question mark.
    Question,
    /// A receiver.
    Phone,
    /// A waving hand.
    Wave,
}

impl LauncherIcon {
    /// The shape, as CSS clips a square of 28 pixels to it.
    #[must_use]
    pub const fn shape(self) -> &'static str {
        match self {
            Self::Chat => "path(\"M14 4c6 0 11 4 11 9.5S20 23 14 23c-1 0-2 0-3-.3L5 25l1-4c-2-2-3-5-3-7.5C3 8 8 4 14 4Z\")",
            Self::Question => {
                "path(evenodd,\"M14 3a11 11 0 1 1 0 22 11 11 0 0 1 0-22Zm0 4.5c-2.6 0-4.4 1.6-4.5 3.9h2.4c.1-1.1.9-1.8 2.1-1.8 1.1 0 1.9.6 1.9 1.6 0 .9-.5 1.3-1.5 2-1.2.7-1.7 1.5-1.6 2.9v.6h2.3v-.5c0-.9.4-1.3 1.5-2 1.1-.7 1.8-1.6 1.8-3.1 0-2.1-1.8-3.6-4.4-3.6Zm-.1 10.7a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3Z\")"
            }
            Self::Phone => {
                "path(\"M8 4h3.2l1.8 5-2.3 1.7a11 11 0 0 0 6.6 6.6L19 15l5 1.8V20a4 4 0 0 1-4 4C11.2 24 4 16.800 4 8a4 4 0 0 1 4-4Z\")"
            }
            Self::Wave => {
                "path(\"M9 4a1.500 1.500 0 0 1 3 0v7l1-8.500a1.500 1.500 0 0 1 3 .3L15.700 11l2-6.500a1.500 1.500 0 0 1 2.900.8L18.800 13l1.700-2.800a1.800 1.800 0 0 1 3.200 1.600l-3.200 8C19 23 16.500 25 13.500 25 9.500 25 7 22 6.300 19L4 11.500a1.500 1.500 0 0 1 2.900-.9L9 16Z\")"
            }
        }
    }
}

macro_rules! text_serde {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

/// An origin that pages of a site may be on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Exactly this one.
    Exactly(url::Origin),
    /// Any on this machine; for development and the demo.
    Loopback,
}

impl Origin {
    fn includes(&self, origin: &url::Origin) -> bool {
        match (self, origin) {
            (Self::Exactly(exactly), _) => exactly == origin,
            (Self::Loopback, url::Origin::Tuple(scheme, host, _)) => {
                is_loopback(Some(host.clone())) && (scheme == "http" || scheme == "https")
            }
            (Self::Loopback, url::Origin::Opaque(_)) => false,
        }
    }
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "loopback" {
            return Ok(Self::Loopback);
        }
        let expected = || format!("origins: expected an origin such as https://shop.example, or \"loopback\", got {text:?}");
        let url = Url::parse(text).map_err(|_| expected())?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        match url.origin() {
            origin @ url::Origin::Tuple(..) if bare && matches!(url.scheme(), "http" | "https") => Ok(Self::Exactly(origin)),
            _ => Err(expected()),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(origin) => f.write_str(&origin.ascii_serialization()),
            Self::Loopback => f.write_str("loopback"),
        }
    }
}

text_serde!(Origin);

/// The corner the launcher stands in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Corner {
    /// Where a line ends: on the right in languages written from left to right.
    #[default]
    End,
    /// Where a line begins.
    Start,
}

/// A colour, as `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour([u8; 3]);

impl Default for Colour {
    fn default() -> Self {
        Self([0x4f, 0x3d, 0xd9])
    }
}

impl FromStr for Colour {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("accent: expected a colour such as #4f3dd9, got {text:?}");
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6).ok_or_else(expected)?;
        let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).map_err(|_| expected())?;
        bytes.try_into().map(Self).map_err(|_| expected())
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

text_serde!(Colour);

impl Colour {
    const BLACK: Self = Self([0, 0, 0]);
    const WHITE: Self = Self([255, 255, 255]);

    /// Black or white, whichever is read better on this colour. One of them always has a contrast of at least 4.5 to 1, since
    /// black and white are 21 to 1 apart and 4.5² < 21.
    #[must_use]
    pub fn text_on(self) -> Self {
        // White is preferred as long as it reads well: most eyes expect it on a saturated colour.
        if self.contrast(Self::WHITE) >= 4.5 { Self::WHITE } else { Self::BLACK }
    }

    /// The contrast ratio of two colours ([WCAG 2.2](https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio)), from 1 to 21.
    #[must_use]
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|channel| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "key = \"demo\"\ntitle = \"Marlow Bikes\"\norigins = [\"https://shop.example\", \"loopback\"]\n";

    fn origin(text: &str) -> url::Origin {
        Url::parse(text).unwrap().origin()
    }

    #[test]
    fn origins_are_held_exactly() {
        let site = Site::read(GOOD).unwrap();
        for good in ["https://shop.example/a?b", "http://127.0.0.1:4000/", "http://localhost/", "http://[::1]:1/"] {
            assert!(site.allows(&origin(good)), "{good}");
        }
        for bad in [
            "http://shop.example/",
            "https://shop.example:8443/",
            "https://shop.example.evil.example/",
            "http://127.0.0.1.evil.example/",
            "file:///etc/passwd",
            "data:text/html,x",
        ] {
            assert!(!site.allows(&origin(bad)), "{bad}");
        }
    }

    #[test]
    fn mistakes_are_told_with_their_field() {
        for (from, to, told) in [
            ("demo", "de mo", "expected 1 to 64 letters"),
            ("Marlow Bikes", "", "title: expected"),
            ("https://shop.example", "shop.example", "origins: expected"),
            ("https://shop.example", "https://shop.example/path", "origins: expected"),
            ("key =", "kee = \"x\"\nkey =", "kee"),
        ] {
            let error = Site::read(&GOOD.replace(from, to)).unwrap_err()[0].to_string();
            assert!(error.contains(told), "{error}");
        }
        for (line, told) in [
            ("accent = \"red\"", "accent: expected"),
            ("country = \"Germany\"", "country: expected"),
            ("corner = \"top\"", "corner"),
            ("blocked_email_domains = [\"mailinator\"]", "blocked_email_domains: expected a domain"),
            ("privacy_url = \"http://shop.example/privacy\"", "privacy_url: expected"),
            ("privacy_url = \"javascript:alert(1)\"", "privacy_url: expected"),
            ("privacy_url = \"https://ada:secret@shop.example/\"", "privacy_url: expected"),
            ("privacy_url = \"https://:secret@shop.example/\"", "privacy_url: expected"),
            ("privacy_text = \"\"", "privacy_text: expected"),
            ("[retention]\nevents = 0", "/retention/events: expected a number of days from 1 to 36500, got 0"),
            ("[retention]\nmeetings = 36501", "/retention/meetings: expected a number of days"),
            ("[retention]\nlogs = 1", "/retention/logs: unknown field `logs`"),
        ] {
            let error = Site::read(&format!("{GOOD}{line}\n")).unwrap_err()[0].to_string();
            assert!(error.contains(told), "{error}");
        }
        let title = |length: usize| Site::read(&GOOD.replace("Marlow Bikes", &"ä".repeat(length)));
        let about = |length: usize| Site::read(&format!("{GOOD}privacy_text = \"{}\"\n", "ä".repeat(length)));
        assert!(about(PRIVACY_TEXT_MAX).is_ok());
        assert!(about(PRIVACY_TEXT_MAX + 1).is_err());
        for good in ["https://shop.example/privacy?a=b#c", "http://localhost:3000/privacy", "http://[::1]/"] {
            assert!(Site::read(&format!("{GOOD}privacy_url = \"{good}\"\n")).is_ok(), "{good}");
        }
        assert!(title(TITLE_MAX).is_ok());
        assert!(title(TITLE_MAX + 1).is_err());
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        let source = "title = \"\"\norigins = [\"shop\"]\naccent = \"red\"\ncolour = 1\n\n[theme]\nradius = 25\nfont = \"comic\"\n\n[launcher]\nx = -1\n";
        let told: Vec<_> = Site::read(source).unwrap_err().iter().map(ToString::to_string).collect();
        let begins = [
            "1:1: \"key\" is missing",
            "1:1: /title: title: expected a line",
            "2:1: /origins: origins: expected an origin",
            "3:1: /accent: accent: expected a colour",
            "4:1: /colour: unknown field `colour`",
            "7:1: /theme/radius: expected a number of pixels from 0 to 24, got 25",
            "8:1: /theme/font: unknown variant `comic`",
            "11:1: /launcher/x: expected a number of pixels from 0 to 200, got -1",
        ];
        assert_eq!(told.len(), begins.len(), "{told:#?}");
        for (told, begin) in told.iter().zip(begins) {
            assert!(told.starts_with(begin), "{told} begins with {begin}");
        }
        assert_eq!(Site::read("key = = 1").unwrap_err()[0].line, 1);
    }

    proptest! {
        #[test]
        fn a_site_round_trips(corner in any::<bool>(), radius in 0_u16..=24, x in 0_u16..=200, days in 1..=DAYS_MAX) {
            let mut site = Site::read(GOOD).unwrap();
            site.launcher.corner = if corner { Corner::Start } else { Corner::End };
            (site.theme.radius, site.launcher.x) = (Pixels(radius), Pixels(x));
            (site.retention.events, site.retention.meetings) = (Some(Days(days)), Some(Days(DAYS_MAX + 1 - days)));
            site.privacy_url = Some("https://shop.example/privacy".to_owned());
            prop_assert_eq!(Site::read(&site.to_toml()).unwrap(), site);
        }

        #[test]
        fn text_is_readable_on_any_colour(channels in any::<[u8; 3]>()) {
            let colour = Colour(channels);
            prop_assert!(colour.contrast(colour.text_on()) >= 4.5);
            prop_assert_eq!(colour.to_string().parse::<Colour>().unwrap(), colour);
        }
    }
}
