//! The times that can be had with one of several agents.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Meeting;
use crate::{
    conversation::{DURATION_MAX, HORIZON_MAX, MeetingCard},
    id::AgentId,
    livechat::{Member, Roster, Routing},
    schedule::{Availability, Schedule, Span, Taken},
};

/// The calendars of the agents of a site, as they are now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calendars {
    /// One for each agent.
    pub diaries: Vec<Diary>,
}

/// An agent's calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diary {
    /// Whose it is.
    pub agent: AgentId,
    /// When they can be met.
    pub hours: Availability,
    /// How long before a meeting nothing else may be, in minutes.
    pub before: u16,
    /// How long after it nothing else may be, in minutes.
    pub after: u16,
    /// The most meetings of a day.
    pub daily: Option<u16>,
    /// When they are busy by their other calendars.
    pub busy: Vec<Span>,
    /// When they are with visitors, or are held for them, buffers included.
    pub meetings: Vec<Span>,
    /// How many meetings each day of theirs has.
    pub of_day: BTreeMap<jiff::civil::Date, u16>,
    /// How many meetings they were given of late: who has the fewest is next.
    pub booked: u32,
    /// When they were last given one.
    pub booked_at: Option<Timestamp>,
}

/// Who looks for a time, and for what.
#[derive(Debug, Clone, Copy)]
pub struct Looking<'a> {
    /// The card that offers it.
    pub card: &'a MeetingCard,
    /// Whom it is with.
    pub routing: &'a Routing,
    /// The agents of the site.
    pub roster: &'a Roster,
    /// The visitor's language.
    pub locale: &'a str,
    /// The time.
    pub now: Timestamp,
}

/// A time that can be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// From when to when.
    pub span: Span,
    /// With whom, in the order in which they are asked.
    pub agents: Vec<AgentId>,
}

impl Diary {
    /// Whether there are hours at all: who has none can be asked for nothing new, though what is booked with them stays.
    #[must_use]
    pub fn can_be_met(&self) -> bool {
        !self.hours.blocks.is_empty() || !self.hours.exceptions.is_empty()
    }

    /// How meetings of a card are laid into it.
    #[must_use]
    pub fn schedule(&self, card: &MeetingCard) -> Schedule {
        Schedule {
            hours: self.hours.clone(),
            duration: card.duration,
            before: self.before,
            after: self.after,
            notice: card.notice,
            horizon: card.horizon,
            step: card.step(),
            daily: self.daily,
        }
    }

    /// How a meeting that is booked can be moved; by the card that offered it, if that is there still.
    #[must_use]
    pub fn schedule_of(&self, meeting: &Meeting, card: Option<&MeetingCard>) -> Schedule {
        let minutes = meeting.span.end.duration_since(meeting.span.start).as_mins();
        let duration = u16::try_from(minutes).unwrap_or(DURATION_MAX);
        Schedule {
            hours: self.hours.clone(),
            duration,
            before: self.before,
            after: self.after,
            notice: card.map_or(0, |card| card.notice),
            horizon: card.map_or(HORIZON_MAX, |card| card.horizon),
            step: card.map_or(duration, MeetingCard::step),
            daily: self.daily,
        }
    }

    /// What stands in the way of moving a meeting: all but itself. With `meetings`, also what is only known for sure when it is kept.
    #[must_use]
    pub fn taken_but_for(&self, meeting: &Meeting, meetings: bool) -> Taken {
        let own = meeting.span.start.to_zoned(self.hours.zone()).date();
        let mut taken = self.otherwise_taken();
        if meetings {
            taken.busy.extend(self.meetings.iter().filter(|span| **span != meeting.occupied));
        }
        if let Some(count) = taken.meetings.get_mut(&own) {
            *count = count.saturating_sub(1);
        }
        taken
    }

    /// All that stands in the way of a meeting.
    #[must_use]
    pub fn taken(&self) -> Taken {
        Taken { busy: self.busy.iter().chain(&self.meetings).copied().collect(), meetings: self.of_day.clone() }
    }

    /// What stands in the way but for other meetings: whether one of those does is only known when it is kept.
    #[must_use]
    pub fn otherwise_taken(&self) -> Taken {
        Taken { busy: self.busy.clone(), meetings: self.of_day.clone() }
    }
}

impl Calendars {
    /// Those whom a visitor can meet, who is asked first before the others.
    fn of<'a>(&'a self, looking: &Looking<'_>) -> Vec<&'a Diary> {
        let Looking { routing, roster, .. } = looking;
        let suited: Vec<&Member> = routing.suited(roster, looking.locale);
        let met = |diary: &&Diary| diary.can_be_met() && suited.iter().any(|member| member.id == diary.agent);
        let mut diaries: Vec<&Diary> = self.diaries.iter().filter(met).collect();
        // An account is its agent's alone, as long as they can be met at all.
        if routing.account
            && let Some(own) = roster.account.and_then(|own| diaries.iter().position(|diary| diary.agent == own))
        {
            return vec![diaries.swap_remove(own)];
        }
        let last = roster.last.filter(|_| routing.same_agent);
        diaries.sort_by_key(|diary| (Some(diary.agent) != last, diary.booked, diary.booked_at, diary.agent));
        diaries
    }

    /// The times that begin within a span, in their order.
    #[must_use]
    pub fn offered(&self, looking: &Looking<'_>, within: Span) -> Vec<Offered> {
        let mut offered: BTreeMap<Timestamp, Offered> = BTreeMap::new();
        for diary in self.of(looking) {
            for span in diary.schedule(looking.card).slots(within, &diary.taken(), looking.now) {
                let found = offered.entry(span.start).or_insert_with(|| Offered { span, agents: Vec::new() });
                found.agents.push(diary.agent);
            }
        }
        offered.into_values().collect()
    }

    /// The first time that can be had at all.
    #[must_use]
    pub fn first(&self, looking: &Looking<'_>) -> Option<Span> {
        let within = Span { start: looking.now, end: Timestamp::MAX };
        let of = |diary: &Diary| diary.schedule(looking.card).first(within, &diary.taken(), looking.now);
        self.of(looking).into_iter().filter_map(of).min()
    }

    /// Who is asked for a time, of those who are there then, and of whom it was not found that they are taken.
    #[must_use]
    pub fn find(&self, looking: &Looking<'_>, start: Timestamp, taken: &[AgentId]) -> Option<(&Diary, Span)> {
        let others = self.of(looking).into_iter().filter(|diary| !taken.contains(&diary.agent));
        let mut others = others;
        others
            .find_map(|diary| Some((diary, diary.schedule(looking.card).slot_at(start, &diary.otherwise_taken(), looking.now)?)))
    }

    /// The calendar of an agent.
    #[must_use]
    pub fn diary(&self, agent: AgentId) -> Option<&Diary> {
        self.diaries.iter().find(|diary| diary.agent == agent)
    }
}
