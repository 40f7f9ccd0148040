//! When a site and its teams are open.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Availability;
use crate::id::TeamId;

/// The opening hours of a site, and of those of its teams that have their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Openings {
    /// The site's; without any, it is always open.
    pub site: Option<Availability>,
    /// Those of teams; a team without its own has the site's.
    pub teams: BTreeMap<TeamId, Availability>,
}

impl Openings {
    /// The hours of a team, or of the site.
    #[must_use]
    pub fn hours(&self, team: Option<&TeamId>) -> Option<&Availability> {
        team.and_then(|team| self.teams.get(team)).or(self.site.as_ref())
    }

    /// Whether a team, or the site, is open.
    #[must_use]
    pub fn is_open(&self, team: Option<&TeamId>, now: Timestamp) -> bool {
        self.hours(team).is_none_or(|hours| hours.is_open(now))
    }
}
