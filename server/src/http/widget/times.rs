//! The free times of the card that waits.

use jiff::{Timestamp, ToSpan};
use porchlight_app::widget::Booking;
use porchlight_domain::{
    conversation::{CallbackCard, MeetingCard},
    id::AttributeName,
    livechat::RoutingRule,
    meeting::Looking,
    schedule::{Span, Taken},
    session::Attributes,
};

use super::booking::{Wanted, lay_out, month};
use crate::{
    store::{StoreError, Tx, VisitorRow},
    visit::Engine,
};

/// Who looks for a time, and at what.
pub(super) struct Times<'a> {
    pub(super) engine: &'a Engine,
    pub(super) visitor: &'a VisitorRow,
    pub(super) attributes: &'a Attributes,
    /// The language in which days and times are written.
    pub(super) locale: &'a str,
    pub(super) zone: &'a str,
    pub(super) wanted: Wanted,
}

impl Times<'_> {
    /// The times of a meeting; and the first that there is at all.
    pub(super) async fn of_meeting(&self, tx: &mut Tx<'_>, card: &MeetingCard) -> Result<(Booking, Option<Span>), StoreError> {
        let now = self.engine.outside.now();
        let roster = self.engine.whole_roster(tx, self.visitor, self.attributes, now).await?;
        let calendars = tx.calendars(&self.visitor.site, now, card.horizon).await?;
        let known = |name: &AttributeName| self.attributes.get(name).map(String::as_str);
        let routing = RoutingRule::chosen(&card.rules, &card.routing, &known);
        let looking = Looking { card, routing, roster: &roster, locale: self.locale, now };
        let first = calendars.first(&looking);
        let within = month(self.wanted, first, self.zone, now);
        let times: Vec<Span> = calendars.offered(&looking, within).into_iter().map(|offered| offered.span).collect();
        Ok((lay_out(&times, self.wanted, (first, last(now, card.horizon)), self.zone, self.locale, now), first))
    }

    /// The times at which somebody can be called: those of the opening hours at which places are free.
    pub(super) async fn of_callback(&self, tx: &mut Tx<'_>, card: &CallbackCard) -> Result<Booking, StoreError> {
        let now = self.engine.outside.now();
        let openings = tx.openings(&self.visitor.site).await?;
        let taken = tx.seats_taken(&self.visitor.site, card.team.as_ref(), now).await?;
        let is_free = |span: &Span| taken.get(&span.start).is_none_or(|taken| *taken < card.capacity);
        let all = openings.hours(card.team.as_ref()).map_or_else(Vec::new, |hours| {
            card.schedule(hours).slots(Span { start: now, end: Timestamp::MAX }, &Taken::default(), now)
        });
        let first = all.iter().copied().find(is_free);
        let within = month(self.wanted, first, self.zone, now);
        let times: Vec<Span> =
            all.into_iter().filter(|span| within.start <= span.start && span.start < within.end && is_free(span)).collect();
        Ok(lay_out(&times, self.wanted, (first, last(now, card.horizon)), self.zone, self.locale, now))
    }
}

/// The moment after which nothing can be free.
fn last(now: Timestamp, horizon: u16) -> Timestamp {
    now.checked_add((i64::from(horizon) * 24).hours()).unwrap_or(Timestamp::MAX)
}
