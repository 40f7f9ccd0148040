//! What comes of meetings and call backs besides their state: who is told, by which letters, and when something is due.

use jiff::{SignedDuration, Timestamp};
use porchlight_app::i18n::{Locale, PanelTexts, named};
use porchlight_domain::{
    callback::Callback,
    conversation::{Body, Conversation},
    id::{ConversationId, MeetingId, SessionId, VisitorId},
    meeting::{Meeting, MeetingCommand, MeetingPhase, MeetingShown},
    schedule::zone,
    session::{Attributes, CallShown, Command, Entry, Refusal},
};

use crate::{
    calendar::ics::{Invitation, Method, invitation},
    links::Links,
    mail::{CalendarPart, Letter, Purpose},
    store::{AgentRow, CallbackRecord, Failure, MeetingRecord, News, StoreError, Tx, VisitorRow},
    visit::{About, Engine, Subject},
    when::When,
};

/// What a step is about, for those who keep what comes of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Booked<'a> {
    /// The visitor, their page and conversation.
    pub(crate) about: About<'a>,
    /// The session whose log it writes to.
    pub(crate) session: SessionId,
    /// The time.
    pub(crate) now: Timestamp,
}

/// Why a letter about a meeting is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Occasion {
    Booked,
    Moved,
    CalledOff,
    Reminder,
}

impl Engine {
    /// Keeps a meeting as it is now, and has those told whom it concerns.
    ///
    /// # Errors
    /// If somebody else has that time, before anything is written; or if the store fails.
    pub(crate) async fn put_meeting(
        &self,
        tx: &mut Tx<'_>,
        &Booked { about, session, now }: &Booked<'_>,
        before: Option<&MeetingRecord>,
        meeting: Meeting,
    ) -> Result<(), Failure<Refusal>> {
        if before.is_some_and(|before| before.meeting == meeting) {
            return Ok(());
        }
        let Some(conversation) = about.conversation else { return Ok(()) };
        let was_booked = before.is_some_and(|before| before.meeting.is_booked());
        let moved = before.is_some_and(|before| before.meeting.span != meeting.span);
        let occasion = match meeting.phase {
            MeetingPhase::Booked if !was_booked => Some(Occasion::Booked),
            MeetingPhase::Booked if moved => Some(Occasion::Moved),
            MeetingPhase::Cancelled { .. } if was_booked => Some(Occasion::CalledOff),
            _ => None,
        };
        let record = match before {
            Some(before) => MeetingRecord { reminded: before.reminded && !moved, changed_at: now, meeting, ..before.clone() },
            None => MeetingRecord {
                meeting,
                site: about.visitor.site.clone(),
                visitor: about.visitor.id,
                conversation: conversation.clone(),
                session,
                page: about.page.to_owned(),
                reminded: false,
                made_at: now,
                changed_at: now,
            },
        };
        let push = match occasion {
            Some(_) => tx.calendar(record.meeting.agent).await?.caldav.map(|_| now),
            None => None,
        };
        if tx.put_meeting(&record, self.meeting_due(&record, now), push).await?.is_err() {
            return Err(Failure::Refused(Refusal::SlotTaken { agent: Some(record.meeting.agent) }));
        }
        tx.tell(News::Calendar);
        if let Some(occasion) = occasion {
            self.write_about(tx, &record, occasion, now).await?;
        }
        Ok(())
    }

    /// When something next happens to a meeting by itself: it is released, or its guest is reminded.
    fn meeting_due(&self, record: &MeetingRecord, now: Timestamp) -> Option<Timestamp> {
        let remind = || {
            let at = record.meeting.span.start.checked_sub(self.reminder).unwrap_or(Timestamp::MIN);
            // Who books later than that needs no reminder.
            (self.mails && !record.reminded && !self.reminder.is_zero() && at > now).then_some(at)
        };
        match record.meeting.phase {
            MeetingPhase::Booked => remind(),
            _ => record.meeting.due_at(),
        }
    }

    /// Time has passed: what is due of a meeting is done.
    ///
    /// # Errors
    /// If the store fails.
    pub(crate) async fn meeting_is_due(&self, tx: &mut Tx<'_>, record: MeetingRecord) -> Result<(), StoreError> {
        let now = self.outside.now();
        if record.meeting.is_booked() {
            // Of what has begun meanwhile, while the server was down, nobody is reminded.
            if now < record.meeting.span.start {
                self.write_about(tx, &record, Occasion::Reminder, now).await?;
            }
            let reminded = MeetingRecord { reminded: true, ..record };
            // Its time is its own already.
            let _ = tx.put_meeting(&reminded, None, None).await?;
            return Ok(());
        }
        match self.of_meeting(tx, &record, MeetingCommand::Tick).await {
            Ok(()) => Ok(()),
            // One that is due still would be due for ever.
            Err(Failure::Refused(_)) => {
                let _ = tx.put_meeting(&record, None, None).await?;
                Ok(())
            }
            Err(Failure::Store(error)) => Err(error),
        }
    }

    /// Does something about a meeting: in the session it was booked in, whose log tells of all that happens to it. Who is on a page of the site now is
    /// told, or else who comes to one next.
    ///
    /// # Errors
    /// If the domain refuses, before anything is written; or if the store fails.
    pub(crate) async fn of_meeting(
        &self,
        tx: &mut Tx<'_>,
        record: &MeetingRecord,
        command: MeetingCommand,
    ) -> Result<(), Failure<Refusal>> {
        let visitor = VisitorRow { id: record.visitor, site: record.site.clone() };
        let session = tx.session_by_id(record.session).await?;
        let (session, active) =
            session.ok_or_else(|| StoreError::Corrupt(format!("meeting {} has no session", record.meeting.id)))?;
        let about = About {
            visitor: &visitor,
            view: None,
            page: &record.page,
            conversation: Some(&record.conversation),
            locale: &record.meeting.locale,
            time_zone: &record.meeting.time_zone,
            at: active,
            subject: Subject::Meeting(record),
        };
        self.step(tx, session, about, Command::Meeting(command), None).await?;
        Ok(())
    }

    /// Keeps a call back as it is now, and has those told who can call.
    ///
    /// # Errors
    /// If all places at that time are taken, before anything is written; or if the store fails.
    pub(crate) async fn put_callback(
        &self,
        tx: &mut Tx<'_>,
        &Booked { about, session, now }: &Booked<'_>,
        before: Option<&CallbackRecord>,
        callback: Callback,
        document: Option<&Conversation>,
    ) -> Result<(), Failure<Refusal>> {
        if before.is_some_and(|before| before.callback == callback) {
            return Ok(());
        }
        let Some(conversation) = about.conversation else { return Ok(()) };
        let capacity = document.and_then(|document| document.card(&callback.card)).map(|card| &card.body);
        let capacity = if let Some(Body::Callback(card)) = capacity { card.capacity } else { 1 };
        let record = match before {
            Some(before) => CallbackRecord { callback, changed_at: now, ..before.clone() },
            None => CallbackRecord {
                callback,
                site: about.visitor.site.clone(),
                visitor: about.visitor.id,
                conversation: conversation.clone(),
                session,
                page: about.page.to_owned(),
                changed_at: now,
                note: String::new(),
            },
        };
        if tx.put_callback(&record, capacity).await?.is_err() {
            return Err(Failure::Refused(Refusal::SlotTaken { agent: None }));
        }
        tx.tell(News::Callback { site: record.site });
        Ok(())
    }

    /// Writes to the guest and to the agent.
    async fn write_about(
        &self,
        tx: &mut Tx<'_>,
        record: &MeetingRecord,
        occasion: Occasion,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let meeting = &record.meeting;
        let (Some(guest), true) = (&meeting.guest, self.mails) else { return Ok(()) };
        let Some(agent) = tx.agent(meeting.agent).await? else { return Ok(()) };
        let to_guest = Letter {
            id: self.outside.new_id().to_string(),
            purpose: Purpose::Meeting,
            recipient: guest.email.clone(),
            subject: subject(occasion, Locale::best(&meeting.locale), &meeting.title),
            body: to_guest(&self.links, meeting, &agent, occasion),
            chat: None,
            visitor: Some(record.visitor),
            calendar: calendar(&self.links, meeting, &agent, occasion, now, &self.links.address_of(meeting.id)),
        };
        tx.add_mail(&to_guest, now).await?;
        if occasion == Occasion::Reminder {
            return Ok(());
        }
        let to_agent = Letter {
            id: self.outside.new_id().to_string(),
            recipient: agent.email.clone(),
            subject: subject(occasion, Locale::En, &meeting.title),
            body: to_agent(&self.links, meeting, &agent, &tx.attributes(record.visitor).await?),
            calendar: calendar(&self.links, meeting, &agent, occasion, now, &self.links.meetings()),
            ..to_guest
        };
        tx.add_mail(&to_agent, now).await
    }

    /// Tells an agent that a meeting was called off because its guest was erased, so that their calendar forgets it. Nothing is said of who would have
    /// come.
    ///
    /// # Errors
    /// If the store fails.
    pub(crate) async fn write_of_nobody(&self, tx: &mut Tx<'_>, meeting: &Meeting, now: Timestamp) -> Result<(), StoreError> {
        let Some(agent) = tx.agent(meeting.agent).await?.filter(|_| self.mails) else { return Ok(()) };
        let own = Meeting { time_zone: agent.availability.time_zone.clone(), guest: None, ..meeting.clone() };
        let mut lines = vec![own.title.clone(), String::new(), format!("When: {}", when(&own, "en-GB"))];
        lines.extend(own.location.as_ref().map(|location| format!("Where: {location}")));
        lines.extend(["Its guest was erased: nothing is kept of who would have come.".to_owned(), String::new()]);
        lines.push(self.links.meetings());
        let letter = Letter {
            id: self.outside.new_id().to_string(),
            purpose: Purpose::Meeting,
            recipient: agent.email.clone(),
            subject: subject(Occasion::CalledOff, Locale::En, &own.title),
            body: lines.join("\n") + "\n",
            chat: None,
            visitor: None,
            calendar: calendar(&self.links, &own, &agent, Occasion::CalledOff, now, &self.links.meetings()),
        };
        tx.add_mail(&letter, now).await
    }

    /// The session, page and conversation of a visitor let go of what was held or being chosen: they begin anew.
    ///
    /// # Errors
    /// If the store fails.
    pub(crate) async fn let_go(
        &self,
        tx: &mut Tx<'_>,
        visitor: VisitorId,
        conversation: &ConversationId,
    ) -> Result<(), StoreError> {
        let now = self.outside.now();
        if let Some(mut record) = tx.meeting_held(visitor, conversation).await? {
            record.meeting.phase = MeetingPhase::Released;
            record.changed_at = now;
            // What is released stands in nobody's way.
            let _ = tx.put_meeting(&record, None, None).await?;
            tx.tell(News::Calendar);
        }
        if let Some(mut record) = tx.callback_chosen(visitor, conversation).await? {
            record.callback.phase = porchlight_domain::callback::CallbackPhase::Dropped;
            record.changed_at = now;
            let _ = tx.put_callback(&record, 1).await?;
        }
        Ok(())
    }
}

fn subject(occasion: Occasion, locale: Locale, title: &str) -> String {
    let texts = locale.panel();
    let text = match occasion {
        Occasion::Booked => texts.mail_booked,
        Occasion::Moved => texts.mail_moved,
        Occasion::CalledOff => texts.mail_called_off,
        Occasion::Reminder => texts.mail_reminder,
    };
    named(text, title)
}

/// When a meeting is, as its guest reads it: with the zone, since letters are read anywhere.
pub(crate) fn when(meeting: &Meeting, locale: &str) -> String {
    when_between(meeting.span.start, meeting.span.end, &meeting.time_zone, locale)
}

/// From when to when, with the zone.
pub(crate) fn when_between(start: Timestamp, end: Timestamp, time_zone: &str, locale: &str) -> String {
    let (writes, zone) = (When::of(locale), zone(time_zone));
    format!("{} – {} ({})", writes.day_and_time(start, &zone), writes.time(end, &zone), time_zone.replace('_', " "))
}

fn to_guest(links: &Links, meeting: &Meeting, agent: &AgentRow, occasion: Occasion) -> String {
    let texts = Locale::best(&meeting.locale).panel();
    let mut lines = vec![
        meeting.title.clone(),
        String::new(),
        named(texts.mail_when, &when(meeting, &meeting.locale)),
        named(texts.mail_with, &agent.name),
    ];
    lines.extend(meeting.location.as_ref().map(|location| named(texts.mail_where, location)));
    if occasion != Occasion::CalledOff {
        lines.extend([String::new(), named(texts.mail_change, &links.address_of(meeting.id))]);
    }
    lines.join("\n") + "\n"
}

fn to_agent(links: &Links, meeting: &Meeting, agent: &AgentRow, attributes: &Attributes) -> String {
    let own = Meeting { time_zone: agent.availability.time_zone.clone(), ..meeting.clone() };
    let guest = meeting.guest.as_ref();
    let name = guest.and_then(|guest| guest.name.clone()).unwrap_or_default();
    let email = guest.map(|guest| guest.email.clone()).unwrap_or_default();
    let mut lines = vec![meeting.title.clone(), String::new(), format!("When: {}", when(&own, "en-GB"))];
    lines.extend(meeting.location.as_ref().map(|location| format!("Where: {location}")));
    lines.push(format!("Guest: {name} <{email}>").replace(":  <", ": <"));
    lines.extend(attributes.iter().map(|(name, value)| format!("{name}: {}", value.replace('\n', "\n    "))));
    lines.extend([String::new(), links.meetings()]);
    lines.join("\n") + "\n"
}

/// The id a meeting has in calendars (RFC 7986 §5.3): the same for ever, and no other server's.
pub(crate) fn uid(links: &Links, meeting: MeetingId) -> String {
    format!("{meeting}@{}", links.host())
}

/// A meeting as calendars are told of it, with where there is more about it.
pub(crate) fn in_calendars<T>(
    links: &Links,
    meeting: &Meeting,
    agent: &AgentRow,
    now: Timestamp,
    address: Option<&str>,
    then: impl FnOnce(&Invitation<'_>) -> T,
) -> T {
    let uid = uid(links, meeting.id);
    let guest = meeting.guest.as_ref();
    let email = guest.map_or("", |guest| guest.email.as_str());
    let name = guest.and_then(|guest| guest.name.as_deref()).unwrap_or(email);
    let known = [(name, email)];
    // An answer to the invitation reaches the agent: nobody reads what comes back to the address that letters are sent from.
    then(&Invitation {
        uid: &uid,
        sequence: meeting.sequence,
        now,
        start: meeting.span.start,
        end: meeting.span.end,
        title: &meeting.title,
        description: address.unwrap_or_default(),
        location: meeting.location.as_deref(),
        organizer: (&agent.name, &agent.email),
        attendees: if guest.is_some() { &known } else { &[] },
        url: address,
    })
}

fn calendar(
    links: &Links,
    meeting: &Meeting,
    agent: &AgentRow,
    occasion: Occasion,
    now: Timestamp,
    address: &str,
) -> Option<CalendarPart> {
    let method = match occasion {
        Occasion::Booked | Occasion::Moved => Method::Request,
        Occasion::CalledOff => Method::Cancel,
        Occasion::Reminder => return None,
    };
    let content = in_calendars(links, meeting, agent, now, Some(address), |event| invitation(event, method));
    Some(CalendarPart { method, content })
}

/// How long before a meeting its guest is reminded.
pub(crate) fn reminder(hours: u64) -> SignedDuration {
    SignedDuration::from_hours(i64::try_from(hours).unwrap_or_default())
}

/// A line of a transcript that is about a meeting or a call back, in words.
pub(crate) fn dealing_in_words(entry: &Entry, texts: &'static PanelTexts, locale: &str) -> String {
    let text = entry.text.as_deref().unwrap_or_default();
    if let Ok(shown) = serde_json::from_str::<MeetingShown>(text) {
        let heading = match (shown.cancelled, shown.moved) {
            (true, _) => texts.called_off,
            (false, true) => texts.moved,
            (false, false) => texts.booked,
        };
        let name = entry.agent.as_ref().map_or("", |agent| agent.name.as_str());
        let at = when_between(shown.start, shown.end, &shown.time_zone, locale);
        return format!("{heading}: {}\n{at}\n{}", shown.title, named(texts.with_agent, name));
    }
    serde_json::from_str::<CallShown>(text).map_or_else(|_| String::new(), |shown| call_in_words(&shown, texts, locale))
}

/// What was promised of a call back, in a sentence.
pub(crate) fn call_in_words(shown: &CallShown, texts: &'static PanelTexts, locale: &str) -> String {
    let (writes, zone) = (When::of(locale), zone(&shown.time_zone));
    if shown.chosen {
        named(texts.call_at, &writes.day_and_time(shown.start, &zone))
    } else {
        named(texts.call_by, &writes.time(shown.end, &zone))
    }
}
