//! What the answers about records have in common.

use std::str::FromStr;

use jiff::Timestamp;
use porchlight_domain::{
    event::EventType,
    id::{AgentId, SiteKey, VisitorId},
};

use super::{Authorized, page};
use crate::{
    http::{
        body::SEVERAL,
        problem::{Code, Problem},
    },
    store::ListFilter,
};

/// A time as answers tell it: RFC 3339, UTC, with three decimals of a second.
pub(super) fn time(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// What a request says about which part of a list it wants.
pub(super) struct Part<'a> {
    pub(super) site: Option<SiteKey>,
    pub(super) after: Option<&'a str>,
    pub(super) limit: Option<u32>,
    pub(super) from: Option<Timestamp>,
    pub(super) to: Option<Timestamp>,
    pub(super) visitor: Option<VisitorId>,
    pub(super) agent: Option<AgentId>,
    pub(super) phases: &'static [&'static str],
}

impl Part<'_> {
    /// That part, as far as a key reaches.
    pub(super) fn read<I: FromStr>(self, key: &Authorized) -> Result<ListFilter<I>, Problem> {
        Ok(ListFilter {
            after: page::cursor(self.after)?,
            limit: page::limit(self.limit)?,
            sites: key.sites(self.site)?,
            from: self.from,
            to: self.to,
            visitor: self.visitor,
            agent: self.agent,
            phases: self.phases,
        })
    }
}

/// Where a list goes on: after its last entry, if the page is full. One that is not full is the last.
pub(super) fn next<T, I: ToString>(page: &[T], limit: u32, id: impl Fn(&T) -> I) -> Option<String> {
    let full = u32::try_from(page.len()).is_ok_and(|count| count >= limit);
    page.last().filter(|_| full).map(|last| id(last).to_string())
}

/// A record, if it is there and of a site that the key is good for. Of others nobody learns even that they are there.
pub(super) fn there<T>(found: Option<T>, site: impl Fn(&T) -> &SiteKey, key: &Authorized, what: &str) -> Result<T, Problem> {
    let found = found.filter(|found| key.site(site(found).clone()).is_ok());
    found.ok_or_else(|| Problem::new(Code::NotFound, format!("there is no such {what}")).field("id"))
}

/// The values of a parameter: with commas between, or given several times.
pub(super) fn several<T: FromStr<Err: ToString>>(text: Option<&str>, field: &str) -> Result<Vec<T>, Problem> {
    let values = text.into_iter().flat_map(|text| text.split([',', SEVERAL])).map(str::trim).filter(|value| !value.is_empty());
    values
        .map(|value| value.parse::<T>().map_err(|error| Problem::new(Code::Malformed, error.to_string()).field(field)))
        .collect()
}

/// The types of events that are wanted; none named: all.
pub(super) fn kinds(text: Option<&str>) -> Result<Vec<EventType>, Problem> {
    several(text, "type")
}

/// The sites whose events are wanted, as far as a key reaches.
pub(super) fn sites(key: &Authorized, text: Option<&str>) -> Result<Option<Vec<SiteKey>>, Problem> {
    let named: Vec<SiteKey> = several(text, "site")?;
    if named.is_empty() {
        return key.sites(None);
    }
    named.into_iter().map(|site| key.site(site)).collect::<Result<Vec<_>, _>>().map(Some)
}
