//! Call backs.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Author, CallShown, ContactKind, Format, Input, InvalidInput, Refusal, decide::Step};
use crate::{
    callback::{Callback, CallbackCommand, CallbackPhase, Outcome},
    contact::BadPhone,
    conversation::{CallbackCard, Card, Text, When},
    event::{Data, EventType},
    id::CallbackId,
    livechat::later,
    schedule::{Span, Taken},
    session::Speaker,
};

impl CallbackCard {
    /// The kind of contact it is.
    #[must_use]
    pub const fn kind(&self) -> ContactKind {
        match self.when {
            When::Now => ContactKind::CallbackNow,
            When::Later => ContactKind::CallbackLater,
        }
    }
}

impl<'d> Step<'d, '_, '_> {
    /// The conversation reaches a card that offers to call. Whether the visitor is asked for their number; else it goes on with the fallback.
    pub(super) fn offer_call_back(&mut self, card: &'d Card, callback: &CallbackCard) -> bool {
        let (openings, now) = (self.context.openings, self.context.now);
        let team = callback.team.as_ref();
        let can = match callback.when {
            When::Now => openings.is_open(team, now),
            When::Later => openings.hours(team).is_some_and(|hours| {
                callback.schedule(hours).first(Span { start: now, end: Timestamp::MAX }, &Taken::default(), now).is_some()
            }),
        };
        if !can {
            self.fall_back_to(card, callback.fallback_text.as_ref());
            return false;
        }
        self.ask(card, &callback.text);
        self.of_contact(EventType::DatacollectionStarted, callback.kind());
        true
    }

    /// A card cannot do what it offers: the visitor is told what is possible instead.
    pub(super) fn fall_back_to(&mut self, card: &Card, text: Option<&Text>) {
        self.trigger();
        self.of_talk(EventType::FallbackShown, None, [("card", card.id.as_str().into())]);
        if let Some(text) = text {
            self.bot_says(&card.id, text);
        }
    }

    /// The visitor gives their number, or chooses when to be called.
    pub(super) fn call_back(&mut self, card: &'d Card, callback: &'d CallbackCard, input: &Input) -> Result<(), Refusal> {
        let Input::Given { values, country } = input else { return self.no_call_back(card, callback) };
        let given = values.first().map(|value| value.trim()).filter(|value| !value.is_empty());
        let choosing = self.state.callback.take_if(|known| known.card == card.id && known.phase == CallbackPhase::Choosing);
        match (choosing, callback.when) {
            (Some(choosing), When::Later) => {
                let start: Timestamp =
                    given.and_then(|given| given.parse().ok()).ok_or(Refusal::Invalid(InvalidInput::NotAChoice))?;
                let hours = self.context.openings.hours(callback.team.as_ref()).ok_or(Refusal::SlotTaken { agent: None })?;
                let span = callback.schedule(hours).slot_at(start, &Taken::default(), self.context.now);
                let span = span.ok_or(Refusal::SlotTaken { agent: None })?;
                self.ask_to_be_called(card, Callback { promised: Some(span), phase: CallbackPhase::Waiting, ..choosing });
                self.speak(self.next_of(card));
            }
            (_, when) => {
                let given = given.ok_or(Refusal::Invalid(BadPhone::NotANumber.into()))?;
                let phone = self.context.phones.parse(given, country.as_deref()).map_err(InvalidInput::from)?.to_string();
                self.mark(&card.id);
                self.engage();
                self.say(Author::Visitor, &card.id, Some(phone.clone()), Format::Text);
                self.input(EventType::InputPhone, &card.id, phone.clone());
                if let Ok(name) = "phone".parse() {
                    self.learn(name, phone.clone());
                }
                self.of_contact(EventType::DatacollectionSubmitted, callback.kind());
                let asked = Callback {
                    id: CallbackId::new((self.context.new_id)()),
                    card: card.id.clone(),
                    kind: callback.kind(),
                    phone,
                    phase: CallbackPhase::Choosing,
                    team: callback.team.clone(),
                    requested_at: self.context.now,
                    promised: None,
                    not_before: None,
                    attempts: 0,
                };
                if when == When::Now {
                    let now = self.context.now;
                    let promised = Span { start: now, end: later(now, SignedDuration::from_mins(callback.within.into())) };
                    self.ask_to_be_called(card, Callback { promised: Some(promised), phase: CallbackPhase::Waiting, ..asked });
                    self.speak(self.next_of(card));
                } else {
                    self.state.callback = Some(asked);
                    if let Some(talk) = &mut self.state.talk {
                        talk.progress.turn += 1;
                    }
                }
            }
        }
        Ok(())
    }

    /// The visitor gave their number, and goes on without a time: since none suits them, or none is left.
    fn no_call_back(&mut self, card: &'d Card, callback: &CallbackCard) -> Result<(), Refusal> {
        let choosing = |known: &Callback| known.card == card.id && known.phase == CallbackPhase::Choosing;
        if !self.state.callback.as_ref().is_some_and(choosing) {
            return Err(Refusal::Invalid(InvalidInput::Required));
        }
        self.let_go();
        self.say(Author::Visitor, &card.id, None, Format::Text);
        self.fall_back_to(card, callback.fallback_text.as_ref());
        let document = self.talk()?.document;
        self.speak(document.after_fallback(card));
        Ok(())
    }

    fn ask_to_be_called(&mut self, card: &Card, callback: Callback) {
        if let Some(promised) = callback.promised {
            let shown = CallShown {
                phone: callback.phone.clone(),
                start: promised.start,
                end: promised.end,
                time_zone: self.context.time_zone.to_owned(),
                chosen: callback.kind == ContactKind::CallbackLater,
            };
            self.say(Author::Bot, &card.id, serde_json::to_string(&shown).ok(), Format::Callback);
        }
        self.of_callback(EventType::CallbackRequested, &callback, None);
        self.state.callback = Some(callback);
        // What was promised is not taken back by going back.
        if let Some(talk) = &mut self.state.talk {
            talk.progress.trail.clear();
        }
    }

    /// An agent does something about a call back.
    pub(super) fn callback(&mut self, command: &CallbackCommand) -> Result<(), Refusal> {
        let known = self.state.callback.take().ok_or(Refusal::NotCalled(crate::callback::NotCalled::NotYours))?;
        let (callback, told) = known.after(command, self.context.now)?;
        if let (Some(outcome), CallbackCommand::Complete { by, .. }) = (told, command) {
            self.of_callback(EventType::CallbackCompleted, &callback, Some((by, outcome)));
        }
        self.state.callback = Some(callback);
        Ok(())
    }

    fn of_callback(&mut self, kind: EventType, callback: &Callback, called: Option<(&Speaker, Outcome)>) {
        let mut data = Data::new();
        data.insert("widget".to_owned(), self.widget().into());
        data.insert("callback".to_owned(), callback.id.to_string().into());
        data.insert("kind".to_owned(), callback.kind.name().into());
        if let Some((by, outcome)) = called {
            data.insert("agentName".to_owned(), by.name.as_str().into());
            data.insert("agentID".to_owned(), by.id.to_string().into());
            data.insert("outcome".to_owned(), Value::from(outcome.name()));
        }
        self.event(kind, None, data, true);
    }

    /// The visitor went away from a time that was held, or from choosing one: it is free again.
    pub(super) fn let_go(&mut self) {
        if let Some(meeting) = &mut self.state.meeting
            && matches!(meeting.phase, crate::meeting::MeetingPhase::Held { .. })
        {
            meeting.phase = crate::meeting::MeetingPhase::Released;
        }
        if let Some(callback) = &mut self.state.callback
            && callback.phase == CallbackPhase::Choosing
        {
            callback.phase = CallbackPhase::Dropped;
        }
    }
}
