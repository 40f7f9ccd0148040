//! An endpoint: where events are sent, which, and in which form.

use jiff::Timestamp;
use porchlight_domain::{
    contact::Email,
    event::EventType,
    id::{EndpointId, SiteKey},
};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use super::{Adapter, BadTemplate, Signer, WebhookSecret};
use crate::egress::{Egress, EgressError};

/// The longest name, in characters.
const NAME_MAX: usize = 100;
/// The longest address, in characters.
const URL_MAX: usize = 2_000;

/// What people say of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = WebhookSettings)]
pub struct EndpointSettings {
    /// What it is for.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// Where it is.
    #[schema(format = "uri", max_length = 2000)]
    pub url: String,
    /// The types of events it is sent; all, also those to come, if none are named.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub types: Vec<EventType>,
    /// The form they are sent in.
    #[serde(default)]
    pub adapter: Adapter,
    /// Who is told by e-mail when nothing is sent to it any more; all administrators, if nobody is named.
    #[serde(default)]
    pub notify: Option<String>,
}

/// What is wrong with an endpoint.
#[derive(Debug, thiserror::Error)]
pub enum BadEndpoint {
    /// The name.
    #[error("name: expected 1 to {NAME_MAX} characters, in one line")]
    Name,
    /// The address is none.
    #[error("url: expected an address such as https://hooks.example.com/porchlight, of at most {URL_MAX} characters")]
    Url,
    /// The address cannot be sent to.
    #[error("url: {0}")]
    Egress(#[from] EgressError),
    /// The form.
    #[error("{0}")]
    Template(#[from] BadTemplate),
    /// The e-mail address.
    #[error("notify: expected an e-mail address, got {0:?}")]
    Notify(String),
}

impl BadEndpoint {
    /// The field that is at fault.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Url | Self::Egress(_) => "url",
            Self::Template(_) => "adapter",
            Self::Notify(_) => "notify",
        }
    }
}

impl EndpointSettings {
    /// Without blanks around what was typed, and with each type once.
    #[must_use]
    pub fn tidied(mut self) -> Self {
        self.name = self.name.trim().to_owned();
        self.url = self.url.trim().to_owned();
        self.types.sort_unstable();
        self.types.dedup();
        self.notify = self.notify.map(|notify| notify.trim().to_owned()).filter(|notify| !notify.is_empty());
        self
    }

    /// With the secrets of those before in the places that [`Adapter::masked`] has hidden. Only where it is sent to the same place: nobody is
    /// shown a secret by having it sent elsewhere.
    #[must_use]
    pub fn with_secrets_of(mut self, before: &Self) -> Self {
        let origin = |url: &str| Url::parse(url).ok().map(|url| url.origin());
        if let (Some(old), Some(new)) = (origin(&before.url), origin(&self.url))
            && old == new
        {
            self.adapter = self.adapter.unmasked(&before.adapter);
        }
        self
    }

    /// Checks what people wrote, as far as that can be done without asking anybody.
    ///
    /// # Errors
    /// What is wrong, with its field.
    pub fn check(&self, egress: &Egress) -> Result<(), BadEndpoint> {
        let length = self.name.trim().chars().count();
        // Letters have it in their subject.
        if length == 0 || length > NAME_MAX || self.name.chars().any(char::is_control) {
            return Err(BadEndpoint::Name);
        }
        if self.url.chars().count() > URL_MAX {
            return Err(BadEndpoint::Url);
        }
        egress.check(&Url::parse(&self.url).map_err(|_| BadEndpoint::Url)?)?;
        self.adapter.check()?;
        match &self.notify {
            Some(notify) if notify.parse::<Email>().is_err() => Err(BadEndpoint::Notify(notify.clone())),
            _ => Ok(()),
        }
    }
}

/// Whether an endpoint is sent anything, and why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointState {
    /// It is.
    On,
    /// Somebody has switched it off.
    Person,
    /// It answered that it is gone (410).
    Gone,
    /// It did nothing but fail for too long.
    Failing,
}

impl EndpointState {
    /// Its name, which is what is stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Person => "person",
            Self::Gone => "gone",
            Self::Failing => "failing",
        }
    }

    /// The state of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::On, Self::Person, Self::Gone, Self::Failing].into_iter().find(|state| state.name() == name)
    }
}

/// An endpoint, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its id.
    pub id: EndpointId,
    /// The site whose events it is sent.
    pub site: SiteKey,
    /// What people said of it.
    pub settings: EndpointSettings,
    /// What is signed with.
    pub secret: WebhookSecret,
    /// The secret before it, and until when that is signed with, too.
    pub previous: Option<(WebhookSecret, Timestamp)>,
    /// Up to where the log was taken up.
    pub position: i64,
    /// Whether it is sent anything.
    pub state: EndpointState,
    /// Since when nothing but failures came of it.
    pub failing_since: Option<Timestamp>,
    /// How many there were, one after the other.
    pub failures: u32,
    /// The last failure, in words.
    pub problem: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When people changed it last.
    pub changed_at: Timestamp,
}

impl Endpoint {
    /// Signs with the secrets that are live at a moment. At its end itself a secret is not any more.
    #[must_use]
    pub fn signer(&self, now: Timestamp) -> Signer<'_> {
        let previous = self.previous.as_ref().filter(|(_, until)| now < *until).map(|(secret, _)| secret);
        Signer::new(std::iter::once(&self.secret).chain(previous).collect())
    }

    /// Whether it wants events of a type.
    #[must_use]
    pub fn wants(&self, kind: EventType) -> bool {
        self.settings.types.is_empty() || self.settings.types.contains(&kind)
    }
}
