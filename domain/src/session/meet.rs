//! Meetings.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Author, Format, Input, InvalidInput, Refusal,
    answer::{address, text},
    decide::Step,
};
use crate::{
    conversation::{Body, Card, MeetingCard, limits},
    event::EventType,
    id::{AgentId, AttributeName, CardId, MeetingId},
    livechat::{Routing, RoutingRule, later},
    meeting::{Diary, Guest, Looking, Meeting, MeetingCommand, MeetingPhase, MeetingShown, Party},
    schedule::{Schedule, Span, Taken, zone},
};

impl<'d> Step<'d, '_, '_> {
    /// The conversation reaches a card that offers a meeting. Whether the visitor is asked for a time; else it goes on with the fallback.
    pub(super) fn invite(&mut self, card: &'d Card, meeting: &'d MeetingCard) -> bool {
        if self.context.calendars.first(&self.looking(meeting)).is_some() {
            self.ask(card, &meeting.text);
            return true;
        }
        self.fall_back_to(card, meeting.fallback_text.as_ref());
        false
    }

    fn looking<'l>(&'l self, card: &'l MeetingCard) -> Looking<'l> {
        let routing = self.chosen(&card.routing, &card.rules);
        Looking { card, routing, roster: self.context.roster, locale: self.context.locale, now: self.context.now }
    }

    /// The routing of the first rule that holds, or the usual one.
    pub(super) fn chosen<'r>(&self, usual: &'r Routing, rules: &'r [RoutingRule]) -> &'r Routing {
        let known = |name: &AttributeName| self.state.attributes.get(name).map(String::as_str);
        RoutingRule::chosen(rules, usual, &known)
    }

    /// The card that follows a card.
    pub(super) fn next_of(&self, card: &'d Card) -> Option<&'d CardId> {
        self.state.talk.as_ref().and_then(|talk| talk.document.after(card))
    }

    /// Does something about a meeting.
    pub(super) fn meeting(&mut self, command: MeetingCommand) -> Result<(), Refusal> {
        match command {
            MeetingCommand::Hold { turn, start, taken } => self.hold(turn, start, &taken),
            MeetingCommand::Release { turn } => {
                self.meeting_card(turn)?;
                self.let_go();
                self.talk()?.progress.turn += 1;
                Ok(())
            }
            MeetingCommand::Confirm { turn, name, email } => self.confirm(turn, &name, &email),
            MeetingCommand::Tick => {
                let now = self.context.now;
                if self.state.meeting.as_ref().is_some_and(|meeting| !meeting.is_held(now)) {
                    // What is typed meanwhile stays: whoever sends it is told that the time is gone.
                    self.let_go();
                }
                Ok(())
            }
            MeetingCommand::Move { start, time_zone, by } => self.move_to(start, time_zone, by),
            MeetingCommand::Cancel { by } => self.cancel(by),
        }
    }

    /// The visitor goes on without a meeting: where the author lets them, and where by now no time is left for anybody.
    pub(super) fn no_meeting(&mut self, card: &'d Card, meeting: &'d MeetingCard, input: &Input) -> Result<(), Refusal> {
        let none = self.context.calendars.first(&self.looking(meeting)).is_none();
        if *input != Input::Skipped || !(meeting.optional || none) {
            return Err(Refusal::Invalid(InvalidInput::Required));
        }
        self.let_go();
        self.mark(&card.id);
        self.engage();
        self.say(Author::Visitor, &card.id, None, Format::Text);
        let document = self.talk()?.document;
        if none {
            self.fall_back_to(card, meeting.fallback_text.as_ref());
        }
        self.speak(if none { document.after_fallback(card) } else { document.after(card) });
        Ok(())
    }

    /// The card that waits, if it offers a meeting.
    fn meeting_card(&mut self, turn: u32) -> Result<(&'d Card, &'d MeetingCard), Refusal> {
        let (_, card) = self.waiting(turn)?;
        match &card.body {
            Body::Meeting(meeting) => Ok((card, meeting)),
            _ => Err(Refusal::NotAllowed),
        }
    }

    fn hold(&mut self, turn: u32, start: Timestamp, taken: &[AgentId]) -> Result<(), Refusal> {
        let (card, meeting) = self.meeting_card(turn)?;
        let (locale, now) = (self.context.locale, self.context.now);
        let found = self.context.calendars.find(&self.looking(meeting), start, taken);
        let (diary, span) = found.ok_or(Refusal::SlotTaken { agent: None })?;
        let agent = diary.agent;
        let occupied = diary.schedule(meeting).occupied(span);
        let talk = self.talk()?;
        talk.progress.turn += 1;
        // Who takes a time is in mid-conversation, wherever they go from here.
        talk.progress.answered = true;
        let document = talk.document;
        let say = |text| document.say(text, locale).to_owned();
        // One that is held already is exchanged for this one.
        let known = self.state.meeting.take().filter(|known| matches!(known.phase, MeetingPhase::Held { .. }));
        let id = known.map_or_else(|| MeetingId::new((self.context.new_id)()), |known| known.id);
        self.state.meeting = Some(Meeting {
            id,
            card: card.id.clone(),
            agent,
            span,
            occupied,
            phase: MeetingPhase::Held { until: later(now, self.context.policy.hold) },
            sequence: 0,
            title: say(&meeting.title),
            location: meeting.location.as_ref().map(say),
            time_zone: self.context.time_zone.to_owned(),
            locale: locale.to_owned(),
            guest: None,
        });
        self.engage();
        Ok(())
    }

    fn confirm(&mut self, turn: u32, name: &str, email: &str) -> Result<(), Refusal> {
        let (card, _) = self.meeting_card(turn)?;
        let now = self.context.now;
        let held =
            self.state.meeting.clone().filter(|held| held.is_held(now) && held.card == card.id).ok_or(Refusal::HoldLapsed)?;
        let mut wrong = Vec::new();
        let name = match text(name, limits::LABEL, false) {
            Ok(name) => Some(name),
            Err(InvalidInput::Required) => None,
            Err(why) => {
                wrong.push(("name".to_owned(), why));
                None
            }
        };
        let email = address(email, self.context).map_err(|why| wrong.push(("email".to_owned(), why))).ok();
        let Some(email) = email.filter(|_| wrong.is_empty()) else { return Err(Refusal::BadForm(wrong)) };
        self.engage();
        let said = name.iter().cloned().chain([email.to_string()]).collect::<Vec<_>>().join("\n");
        self.say(Author::Visitor, &card.id, Some(said), Format::Text);
        self.input(EventType::InputEmail, &card.id, email.to_string());
        self.identify(Some(&email), name.as_deref());
        let guest = Some(Guest { name, email: email.to_string() });
        let meeting = Meeting { phase: MeetingPhase::Booked, guest, ..held };
        self.show(&meeting, false);
        self.of_meeting(EventType::MeetingBooked, &meeting);
        self.state.meeting = Some(meeting);
        if let Some(talk) = &mut self.state.talk {
            // There is no way back behind what is on somebody's calendar.
            talk.progress.trail.clear();
        }
        self.speak(self.next_of(card));
        Ok(())
    }

    /// The meeting the command is about, if it is still to come.
    fn to_come(&self) -> Result<Meeting, Refusal> {
        let meeting = self.state.meeting.clone().filter(Meeting::is_booked).ok_or(Refusal::NotBooked)?;
        if self.context.now >= meeting.span.start { Err(Refusal::TooLate) } else { Ok(meeting) }
    }

    fn move_to(&mut self, start: Timestamp, time_zone: Option<String>, by: Party) -> Result<(), Refusal> {
        let meeting = self.to_come()?;
        let now = self.context.now;
        if start <= now {
            return Err(Refusal::TooLate);
        }
        let length = meeting.span.end.duration_since(meeting.span.start);
        let diary = self.context.calendars.diary(meeting.agent);
        let (schedule, taken) = match diary {
            Some(diary) => self.around(&meeting, diary),
            None => return Err(Refusal::SlotTaken { agent: None }),
        };
        let span = match by {
            Party::Agent => Span { start, end: later(start, length) },
            Party::Guest => schedule.slot_at(start, &taken, now).ok_or(Refusal::SlotTaken { agent: None })?,
        };
        let meeting = Meeting {
            span,
            occupied: schedule.occupied(span),
            sequence: meeting.sequence.saturating_add(1),
            time_zone: time_zone.unwrap_or(meeting.time_zone),
            ..meeting
        };
        self.show(&meeting, true);
        self.of_meeting(EventType::MeetingRescheduled, &meeting);
        self.state.meeting = Some(meeting);
        Ok(())
    }

    /// How a meeting can be moved within its agent's calendar, and what stands in its way besides other meetings.
    fn around(&self, meeting: &Meeting, diary: &Diary) -> (Schedule, Taken) {
        let document = self.state.talk.as_ref().map(|talk| talk.document);
        let card = document.and_then(|document| document.card(&meeting.card)).map(|card| &card.body);
        let card = if let Some(Body::Meeting(card)) = card { Some(card.as_ref()) } else { None };
        (diary.schedule_of(meeting, card), diary.taken_but_for(meeting, false))
    }

    fn cancel(&mut self, by: Party) -> Result<(), Refusal> {
        let meeting = self.to_come()?;
        let meeting = Meeting { phase: MeetingPhase::Cancelled { by }, sequence: meeting.sequence.saturating_add(1), ..meeting };
        self.show(&meeting, false);
        self.of_meeting(EventType::MeetingCancelled, &meeting);
        self.state.meeting = Some(meeting);
        Ok(())
    }

    /// Puts a meeting into the transcript.
    fn show(&mut self, meeting: &Meeting, moved: bool) {
        let shown = MeetingShown {
            id: meeting.id,
            title: meeting.title.clone(),
            start: meeting.span.start,
            end: meeting.span.end,
            time_zone: meeting.time_zone.clone(),
            location: meeting.location.clone(),
            cancelled: matches!(meeting.phase, MeetingPhase::Cancelled { .. }),
            moved,
        };
        let with = crate::session::Speaker { id: meeting.agent, name: self.context.roster.name(meeting.agent).to_owned() };
        if let Ok(text) = serde_json::to_string(&shown) {
            self.say_of(Author::Bot, &meeting.card, text, Format::Meeting, Some(with));
        }
    }

    fn of_meeting(&mut self, kind: EventType, meeting: &Meeting) {
        let zone = zone(&meeting.time_zone);
        let at = |moment: Timestamp| moment.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
        let info = json!({
            "id": meeting.id.to_string(),
            "start": at(meeting.span.start),
            "end": at(meeting.span.end),
            "timeZone": meeting.time_zone,
            "title": meeting.title,
            "location": meeting.location,
            "icsUrl": (self.context.address_of)(meeting.id),
        });
        let name = self.context.roster.name(meeting.agent).to_owned();
        let fields = [("agentName", Value::from(name)), ("agentID", meeting.agent.to_string().into()), ("meetingInfo", info)];
        self.of_talk(kind, None, fields);
    }
}
