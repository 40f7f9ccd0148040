//! Who is asked to take a chat.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Member, Roster};
use crate::{
    conversation::Rule,
    id::{AgentId, AttributeName, TeamId},
};

/// Whom a chat is for, and who of them is asked first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Routing {
    /// Who of those whom it is for is asked first.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub by: Order,
    /// Only this agent, by their e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 3, max = 254))]
    pub agent: Option<String>,
    /// Only those of this team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    /// Only those who have this skill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 120))]
    pub skill: Option<String>,
    /// Those who speak the visitor's language, if there are any.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub language: bool,
    /// The agent who answered the visitor last, if they can.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub same_agent: bool,
    /// The agent to whom the visitor's company, or the domain of their address, is assigned, if they can.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub account: bool,
}

/// Who is asked first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Order {
    /// Who was asked the longest ago.
    #[default]
    RoundRobin,
    /// Who has the fewest chats.
    FewestChats,
}

/// A routing for some visitors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoutingRule {
    /// For whom.
    #[serde(rename = "if")]
    pub rule: Rule,
    /// Who is asked.
    pub routing: Routing,
}

impl RoutingRule {
    /// What the first rule says that holds, given what is known under an attribute's name; the usual, if none does.
    pub fn chosen<'r, 'v>(
        rules: &'r [Self],
        usual: &'r Routing,
        known: &dyn Fn(&AttributeName) -> Option<&'v str>,
    ) -> &'r Routing {
        rules.iter().find(|rule| rule.rule.holds(known)).map_or(usual, |rule| &rule.routing)
    }
}

/// What comes of looking for somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// This agent is asked.
    Agent(AgentId),
    /// Who could take it has no room now.
    Busy,
    /// Nobody who could take it is available.
    Nobody,
}

impl Routing {
    /// Those of one team, the next in turn first.
    pub(crate) fn to_team(team: TeamId) -> Self {
        Self { team: Some(team), ..Self::default() }
    }

    /// Those whom it is for, whether they are there or not.
    #[must_use]
    pub fn suited<'r>(&self, roster: &'r Roster, locale: &str) -> Vec<&'r Member> {
        let mut suited: Vec<&Member> = roster.members.iter().filter(|member| self.suits(member)).collect();
        if self.language && suited.iter().any(|member| member.speaks(locale)) {
            suited.retain(|member| member.speaks(locale));
        }
        suited
    }

    /// Looks for somebody to ask, in a visitor's language; `passed` are those who let it pass.
    #[must_use]
    pub fn find(&self, roster: &Roster, passed: &[AgentId], locale: &str) -> Found {
        let mut suited = self.suited(roster, locale);
        suited.retain(|member| member.available && !passed.contains(&member.id));
        let free = || suited.iter().filter(|member| member.has_room());
        let own = roster.account.filter(|own| self.account && free().any(|member| member.id == *own));
        let same = roster.last.filter(|last| self.same_agent && free().any(|member| member.id == *last));
        let next = own.or(same).or_else(|| {
            let first = match self.by {
                Order::RoundRobin => free().min_by_key(|member| (member.offered_at, member.id)),
                Order::FewestChats => free().min_by_key(|member| (member.open, member.offered_at, member.id)),
            };
            first.map(|member| member.id)
        });
        match next {
            Some(agent) => Found::Agent(agent),
            None if suited.is_empty() => Found::Nobody,
            None => Found::Busy,
        }
    }

    fn suits(&self, member: &Member) -> bool {
        self.agent.as_ref().is_none_or(|email| member.email.eq_ignore_ascii_case(email))
            && self.team.as_ref().is_none_or(|team| member.teams.contains(team))
            && self.skill.as_ref().is_none_or(|skill| member.skills.iter().any(|known| known.eq_ignore_ascii_case(skill)))
    }
}

impl Member {
    /// Whether they can take one more.
    #[must_use]
    pub const fn has_room(&self) -> bool {
        self.open < self.limit
    }

    /// Whether they answer in a language; who names none answers in any.
    fn speaks(&self, locale: &str) -> bool {
        let primary = |tag: &str| tag.split(['-', '_', ',', ';']).next().unwrap_or_default().to_ascii_lowercase();
        self.languages.is_empty() || self.languages.iter().any(|language| primary(language) == primary(locale))
    }
}

impl Roster {
    /// An agent of the site.
    #[must_use]
    pub fn member(&self, agent: AgentId) -> Option<&Member> {
        self.members.iter().find(|member| member.id == agent)
    }

    /// What a visitor is told an agent is called.
    #[must_use]
    pub fn name(&self, agent: AgentId) -> &str {
        self.member(agent).map_or("", |member| member.name.as_str())
    }
}
