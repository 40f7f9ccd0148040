//! Keys of the API: what a program may do, and on which sites.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use porchlight_domain::id::SiteKey;
use serde::{Deserialize, Serialize};

/// How an API key begins, so that a person, or a scanner for leaked secrets, knows it when they see it.
pub const KEY_PREFIX: &str = "plk_";

macro_rules! scopes {
    ($($scope:ident = $name:literal, $about:literal;)*) => {
        /// Something that a key may do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(into = "&'static str", try_from = "String")]
        pub enum Scope { $(#[doc = $about] $scope,)* }

        impl Scope {
            /// All of them, with what each allows.
            pub const ALL: &'static [(Self, &'static str, &'static str)] = &[$((Self::$scope, $name, $about),)*];

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$scope => $name,)* }
            }
        }
    };
}

scopes! {
    SitesRead = "sites:read", "Reads the settings of sites and lists their files.";
    SitesWrite = "sites:write", "Changes the settings and files of sites.";
    ConversationsRead = "conversations:read", "Reads conversations and their versions.";
    ConversationsWrite = "conversations:write", "Changes drafts, publishes them and takes them out of publication.";
    EventsRead = "events:read", "Reads, follows and exports the log of events.";
    VisitorsRead = "visitors:read", "Reads what is known of visitors, their sessions and transcripts.";
    VisitorsWrite = "visitors:write", "Exports and erases visitors.";
    MeetingsRead = "meetings:read", "Reads meetings.";
    CallbacksRead = "callbacks:read", "Reads call backs.";
    SurveysRead = "surveys:read", "Reads what surveys said.";
    AgentsRead = "agents:read", "Reads who the agents and teams are.";
    WebhooksRead = "webhooks:read", "Reads the endpoints of webhooks and their delivery attempts.";
    WebhooksWrite = "webhooks:write", "Makes and changes endpoints, reads their secrets, and sends events again.";
    AnalyticsRead = "analytics:read", "Reads the numbers.";
    AuditRead = "audit:read", "Reads the audit log.";
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<Scope> for &'static str {
    fn from(scope: Scope) -> Self {
        scope.name()
    }
}

/// A text is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a scope such as events:read, got {0:?}; `porchlight key scopes` lists them")]
pub struct BadScope(String);

impl FromStr for Scope {
    type Err = BadScope;

    fn from_str(text: &str) -> Result<Self, BadScope> {
        Self::ALL
            .iter()
            .find(|(_, name, _)| *name == text)
            .map(|(scope, ..)| *scope)
            .ok_or_else(|| BadScope(text.chars().take(80).collect()))
    }
}

impl TryFrom<String> for Scope {
    type Error = BadScope;

    fn try_from(text: String) -> Result<Self, BadScope> {
        text.parse()
    }
}

/// A key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id: what the audit log names it by.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// What it may do; nothing named: everything.
    pub scopes: Option<Vec<Scope>>,
    /// The sites it may do that on; none named: all, also those to come.
    pub sites: Option<Vec<SiteKey>>,
    /// Its last four characters.
    pub ending: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was used last, to the hour.
    pub used_at: Option<Timestamp>,
}

impl ApiKey {
    /// Whether it may do something.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.as_ref().is_none_or(|scopes| scopes.contains(&scope))
    }

    /// Whether it is good for a site.
    #[must_use]
    pub fn serves(&self, site: &SiteKey) -> bool {
        self.sites.as_ref().is_none_or(|sites| sites.contains(site))
    }
}
