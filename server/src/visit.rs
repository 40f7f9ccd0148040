//! The one path: load the state, let the domain decide, save what it decided, all within one transaction.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use jiff::{SignedDuration, Timestamp};
use porchlight_app::i18n::{Locale, named};
use porchlight_domain::{
    contact::{AnyEmail, EmailRules},
    conversation::{Body, Conversation},
    id::{AgentId, AnswerId, AttributeName, ChatId, ConversationId, PageViewId, SessionId, SiteKey, VisitorId},
    livechat::{BadMessage, Chat, ChatCommand, ChatPolicy, Roster},
    meeting::{Calendars, MeetingCommand},
    schedule::Openings,
    session::{
        Attributes, Author, Command, Context, Entry, Input, Progress, Refusal, Session, Standing, State, Talk, decide, known_as,
    },
};

use crate::{
    files::{Attachment, Upload},
    links::Links,
    mail::{Letter, Purpose},
    meetings::Booked,
    outside::Outside,
    phone::NumberingPlans,
    site::Site,
    sites::Sites,
    store::{CallbackRecord, ChatEntry, ChatNews, ChatRecord, Failure, MeetingRecord, News, StoreError, Tx, VisitorRow},
    transcript::{Names, in_text},
};

/// What every command about a visitor needs.
#[derive(Debug, Clone)]
pub(crate) struct Engine {
    /// Time and randomness.
    pub(crate) outside: Outside,
    /// How long a session lasts without activity.
    pub(crate) session_timeout: SignedDuration,
    /// How long agents may take, and visitors be silent.
    pub(crate) chats: ChatPolicy,
    /// How many chats an agent holds at most, unless their own limit says otherwise.
    pub(crate) chat_limit: u32,
    /// How long an agent whose console has gone counts as present.
    pub(crate) presence_grace: SignedDuration,
    /// The largest file that may be sent in a chat, in bytes.
    pub(crate) attachment_limit: usize,
    /// The most files that may be sent in a chat.
    pub(crate) attachments_per_chat: u32,
    /// Whether e-mail can be sent.
    pub(crate) mails: bool,
    /// How often the transcript of a chat may be sent.
    pub(crate) transcripts_per_chat: u32,
    /// How long before a meeting its guest is reminded; not at all, if it is nothing.
    pub(crate) reminder: SignedDuration,
    /// Makes the addresses that letters hold.
    pub(crate) links: Arc<Links>,
    /// Conversations that were read before.
    pub(crate) documents: Documents,
    /// Sites that were read before.
    pub(crate) sites: Sites,
}

/// What a command is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About<'a> {
    /// The visitor.
    pub(crate) visitor: &'a VisitorRow,
    /// The load of the page it comes from, or that is to be told of it; none while no page is there.
    pub(crate) view: Option<PageViewId>,
    /// The address of that page.
    pub(crate) page: &'a str,
    /// The conversation at hand.
    pub(crate) conversation: Option<&'a ConversationId>,
    /// The language to speak to the visitor.
    pub(crate) locale: &'a str,
    /// The IANA name of the visitor's time zone, as far as it is known.
    pub(crate) time_zone: &'a str,
    /// When it happened: what the session's life is counted from.
    pub(crate) at: Timestamp,
    /// What it is about, if not what the conversation is at.
    pub(crate) subject: Subject<'a>,
}

/// What a command is about that is not what the conversation is at.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject<'a> {
    /// The conversation.
    Conversation,
    /// A meeting.
    Meeting(&'a MeetingRecord),
    /// A call back.
    Callback(&'a CallbackRecord),
}

/// What is known of a visitor, with what they are giving just now: by that it may be known whose account they are.
fn with_given(attributes: &Attributes, command: &Command, talk: Option<&(Arc<Conversation>, Progress)>) -> Attributes {
    let mut known = attributes.clone();
    let Command::Answer(answer) = command else { return known };
    let body = talk.and_then(|(document, _)| document.card(&answer.card)).map(|card| &card.body);
    let mut give = |name: Option<AttributeName>, values: Option<&Vec<String>>| {
        known.extend(name.zip(values.and_then(|values| values.first()).map(|value| value.trim().to_owned())));
    };
    match (body, &answer.input) {
        (Some(Body::Capture(capture)), Input::Given { values, .. }) => give(capture.kept_as(), Some(values)),
        (Some(Body::Form(form)), Input::Form(given)) => {
            for field in &form.fields {
                give(form.kept_as(field).cloned(), given.get(field.name.as_str()));
            }
        }
        _ => {}
    }
    known
}

/// What a step has to look up besides the conversation: only what the command may lead to is worth its time.
struct Around {
    roster: Roster,
    calendars: Calendars,
    openings: Openings,
    meeting: Option<MeetingRecord>,
    callback: Option<CallbackRecord>,
}

impl Engine {
    /// The session a visitor is in at a moment: their latest, or a new one if that has run out.
    ///
    /// # Errors
    /// If the store fails.
    pub(crate) async fn session_at(&self, tx: &mut Tx<'_>, visitor: &VisitorRow, at: Timestamp) -> Result<Session, StoreError> {
        Ok(self.session_since(tx, visitor, at).await?.0)
    }

    /// The same, with when it began; a new one begins now.
    ///
    /// # Errors
    /// If the store fails.
    pub(crate) async fn session_since(
        &self,
        tx: &mut Tx<'_>,
        visitor: &VisitorRow,
        at: Timestamp,
    ) -> Result<(Session, Option<Timestamp>), StoreError> {
        if let Some((session, active, began)) = tx.latest_session(visitor).await?
            && self.lives(active, at)
        {
            return Ok((session, Some(began)));
        }
        let id = SessionId::new(self.outside.new_id());
        Ok((Session { id, visitor: visitor.id, site: visitor.site.clone(), seq: 0 }, None))
    }

    /// Whether a session that was last active at one moment still lives at another. At the limit itself it has ended.
    pub(crate) fn lives(&self, active: Timestamp, at: Timestamp) -> bool {
        at.duration_since(active) < self.session_timeout
    }

    /// Where a visitor stands in a conversation, if it was ever offered to them.
    ///
    /// # Errors
    /// If the store fails.
    pub(crate) async fn talk(
        &self,
        tx: &mut Tx<'_>,
        visitor: &VisitorRow,
        conversation: &ConversationId,
    ) -> Result<Option<(Arc<Conversation>, Progress)>, StoreError> {
        let Some(progress) = tx.progress(visitor.id, conversation).await? else { return Ok(None) };
        let document = self.documents.get(tx, &visitor.site, conversation, progress.version).await?;
        Ok(Some((document, progress)))
    }

    /// Does a command in a session, saves what comes of it, and gives the session as it is then. `answer` names the submission that the visitor's words came with.
    ///
    /// # Errors
    /// If the domain refuses, before anything is written; or if the store fails.
    pub(crate) async fn step(
        &self,
        tx: &mut Tx<'_>,
        session: Session,
        about: About<'_>,
        command: Command,
        answer: Option<AnswerId>,
    ) -> Result<Session, Failure<Refusal>> {
        let visitor = about.visitor;
        let talk = match about.conversation {
            Some(conversation) => self.talk(tx, visitor, conversation).await?,
            None => None,
        };
        let now = self.outside.now();
        // What shows or closes a conversation asks nothing of what is known of the visitor, nor does what is written live.
        let lean = matches!(command, Command::Load(_) | Command::Report(_));
        let live = !lean && talk.as_ref().is_some_and(|(document, _)| document.has_live_chat());
        let record = match about.conversation.filter(|_| live) {
            Some(conversation) => tx.chat_under_way(visitor.id, conversation).await?,
            None => None,
        };
        let written = matches!(&command, Command::Chat(chat) if chat.is_message());
        let attributes = if lean || written { Attributes::new() } else { tx.attributes(visitor.id).await? };
        let around = if lean || written {
            Around {
                roster: Roster::default(),
                calendars: Calendars::default(),
                openings: Openings::default(),
                meeting: None,
                callback: None,
            }
        } else {
            self.around(tx, about, &command, talk.as_ref(), record.as_ref(), &attributes).await?
        };
        let before = talk.as_ref().map(|(_, progress)| progress.clone());
        let by_visitor = !matches!(&command, Command::Chat(chat) if !chat.is_by_visitor());
        let talk = talk.as_ref().map(|(document, progress)| Talk { document, progress: progress.clone() });
        let chat = record.as_ref().map(|record| record.chat.clone());
        // Only what may give an address has to know which are taken.
        let gives = matches!(command, Command::Answer(_) | Command::Meeting(MeetingCommand::Confirm { .. }));
        let revision = if gives { tx.site_revision(&visitor.site).await? } else { None };
        let site = match revision {
            Some(revision) => Some(self.sites.get(tx, &visitor.site, revision).await?),
            None => None,
        };
        let (state, happened) = {
            let mut new_id = || self.outside.new_id();
            let mut context = Context {
                now,
                page: about.page,
                locale: about.locale,
                time_zone: about.time_zone,
                new_id: &mut new_id,
                phones: &NumberingPlans,
                emails: site.as_ref().map_or(&AnyEmail as &dyn EmailRules, |site| &site.site.blocked_email_domains),
                roster: &around.roster,
                policy: &self.chats,
                calendars: &around.calendars,
                openings: &around.openings,
                address_of: &|meeting| self.links.ics_of(meeting),
            };
            let meeting = around.meeting.as_ref().map(|record| record.meeting.clone());
            let callback = around.callback.as_ref().map(|record| record.callback.clone());
            decide(State { session, talk, attributes, chat, meeting, callback }, command, &mut context)
                .map_err(Failure::Refused)?
        };

        // First what somebody else may have taken: if they have, nothing was written.
        let booked = Booked { about, session: state.session.id, now };
        if let Some(meeting) = state.meeting {
            self.put_meeting(tx, &booked, around.meeting.as_ref(), meeting).await?;
        }
        if let Some(callback) = state.callback {
            let document = state.talk.as_ref().map(|talk| talk.document);
            self.put_callback(tx, &booked, around.callback.as_ref(), callback, document).await?;
        }
        tx.put_session(&state.session, about.at).await?;
        let has_ended = |progress: Option<&Progress>| progress.is_some_and(|progress| progress.standing == Standing::Ended);
        let ended = live && !has_ended(before.as_ref()) && has_ended(state.talk.as_ref().map(|talk| &talk.progress));
        let progress = state.talk.map(|talk| talk.progress);
        if let Some(progress) = &progress {
            let of = (&visitor.site, visitor.id);
            if before.as_ref() != Some(progress) {
                tx.count_place(of, before.as_ref(), progress, now).await?;
                tx.put_progress(visitor.id, progress, now).await?;
            }
            tx.count_lines(of, progress, &happened.entries, now).await?;
            if let Some(last) = happened.taken_back_to {
                tx.take_back(visitor.id, &progress.conversation, last).await?;
            }
            for entry in &happened.entries {
                // What came with a submission carries its name.
                let answer = answer.filter(|_| entry.author != Author::Bot);
                tx.add_entry(visitor.id, &progress.conversation, entry, answer, now).await?;
            }
        }
        for (name, value) in &happened.attributes {
            tx.put_attribute(visitor.id, name, value, now).await?;
        }
        for event in &happened.events {
            tx.add_event(event, about.view).await?;
        }
        if let (Some(submission), Some(progress)) = (&happened.submission, &progress) {
            let id = self.outside.new_id().to_string();
            let (of, version) = ((&visitor.site, visitor.id), (&progress.conversation, progress.version));
            tx.add_submission(&id, of, version, submission, now).await?;
        }
        if let (Some(chat), Some(conversation)) = (state.chat, about.conversation) {
            let mut happened = happened;
            let about = Chatted { about, conversation, session: state.session.id, by_visitor, answer, now };
            let mut before = record;
            // The one that ended is kept before the one that follows it: of one conversation only one is under way.
            if let Some(over) = happened.over.take() {
                self.put_chat(tx, &about, before.take(), over, std::mem::take(&mut happened.entries), None).await?;
            }
            self.put_chat(tx, &about, before, chat, happened.entries, happened.offered).await?;
        }
        if let Some(conversation) = about.conversation.filter(|_| ended) {
            self.mail_missed(tx, visitor.id, conversation).await?;
        }
        Ok(state.session)
    }

    /// What a command may need besides the conversation.
    async fn around(
        &self,
        tx: &mut Tx<'_>,
        about: About<'_>,
        command: &Command,
        talk: Option<&(Arc<Conversation>, Progress)>,
        chat: Option<&ChatRecord>,
        attributes: &Attributes,
    ) -> Result<Around, StoreError> {
        let (visitor, now) = (about.visitor, self.outside.now());
        let at = talk.and_then(|(_, progress)| match &progress.standing {
            Standing::At(card) => Some(card),
            Standing::Offered | Standing::Ended => None,
        });
        // Whether the card that waits, or one that the visitor may come to now, is of a kind.
        let near = |wanted: &dyn Fn(&Body) -> bool| {
            talk.is_some_and(|(document, _)| {
                let here = at.and_then(|card| document.card(card)).is_some_and(|card| wanted(&card.body));
                here || document.leads_to(at, wanted)
            })
        };
        let of_meeting = matches!(about.subject, Subject::Meeting(_));
        let meets = of_meeting || near(&|body| matches!(body, Body::Meeting(_)));
        let calls = near(&|body| matches!(body, Body::Callback(_) | Body::Call(_) | Body::LiveChat(_)));
        let live = talk.is_some_and(|(document, _)| document.has_live_chat());
        let ticks = matches!(command, Command::Meeting(MeetingCommand::Tick));
        let mut roster = Roster::default();
        if live || meets {
            let known = with_given(attributes, command, talk);
            roster = self.whole_roster(tx, visitor, &known, now).await?;
            // One that has ended waits for nobody: whoever asks again comes after those who have asked since.
            let since = chat.filter(|record| !record.chat.is_over()).map_or(now, |record| record.chat.requested_at);
            roster.ahead = tx.queued_before(&visitor.site, since).await?;
        }
        let calendars = if meets && !ticks {
            tx.calendars(&visitor.site, now, horizon(talk.map(|(document, _)| document.as_ref()))).await?
        } else {
            Calendars::default()
        };
        let openings = if calls { tx.openings(&visitor.site).await? } else { Openings::default() };
        let conversation = about.conversation.filter(|_| matches!(about.subject, Subject::Conversation));
        let is_at = |wanted: &dyn Fn(&Body) -> bool| {
            let body = talk.and_then(|(document, _)| document.card(at?)).map(|card| &card.body);
            body.is_some_and(wanted)
        };
        let meeting = match (about.subject, conversation) {
            (Subject::Meeting(record), _) => Some(record.clone()),
            (_, Some(conversation)) if is_at(&|body| matches!(body, Body::Meeting(_))) => {
                tx.meeting_held(visitor.id, conversation).await?
            }
            _ => None,
        };
        let callback = match (about.subject, conversation) {
            (Subject::Callback(record), _) => Some(record.clone()),
            (_, Some(conversation)) if is_at(&|body| matches!(body, Body::Callback(_))) => {
                tx.callback_chosen(visitor.id, conversation).await?
            }
            _ => None,
        };
        Ok(Around { roster, calendars, openings, meeting, callback })
    }

    /// Those who could take a visitor's chat, or be met, with to whom the visitor is assigned.
    ///
    /// # Errors
    /// If the store fails.
    pub(crate) async fn whole_roster(
        &self,
        tx: &mut Tx<'_>,
        visitor: &VisitorRow,
        attributes: &Attributes,
        now: Timestamp,
    ) -> Result<Roster, StoreError> {
        let mut roster = tx.roster(&visitor.site, visitor.id, now, self.chat_limit).await?;
        let known = |name: &str| known_as(attributes, name);
        roster.account = tx.account_of(&visitor.site, known("email"), known("company")).await?;
        Ok(roster)
    }

    /// Does what somebody other than the visitor, or the clock, does in a chat. What happens is told to the page the visitor was last seen on.
    ///
    /// # Errors
    /// If the domain refuses, before anything is written; or if the store fails.
    pub(crate) async fn chat(
        &self,
        tx: &mut Tx<'_>,
        record: &ChatRecord,
        command: ChatCommand,
        answer: Option<AnswerId>,
    ) -> Result<(), Failure<Refusal>> {
        let visitor = VisitorRow { id: record.visitor, site: record.site.clone() };
        let (session, active) = self.session_of(tx, record).await?;
        let about = About {
            visitor: &visitor,
            view: record.connected.then_some(record.view),
            page: &record.page,
            conversation: Some(&record.conversation),
            locale: &record.locale,
            time_zone: "",
            // What others do keeps no session alive.
            at: active,
            subject: Subject::Conversation,
        };
        self.step(tx, session, about, Command::Chat(command), answer).await?;
        Ok(())
    }

    /// The session a chat was requested in, which all that happens in it belongs to, and when it was last active.
    ///
    /// # Errors
    /// If the store fails.
    pub(crate) async fn session_of(&self, tx: &mut Tx<'_>, record: &ChatRecord) -> Result<(Session, Timestamp), StoreError> {
        let session = tx.session_by_id(record.session).await?;
        session.ok_or_else(|| StoreError::Corrupt(format!("chat {} has no session", record.chat.id)))
    }

    /// Keeps a file that is sent in a chat, and gives what the line in the transcript says: its id and its name. Who knows the id may have it.
    ///
    /// # Errors
    /// If it may not be sent, before anything is written; or if the store fails.
    pub(crate) async fn attach(&self, tx: &mut Tx<'_>, chat: ChatId, file: Upload) -> Result<String, Failure<Refusal>> {
        let refused = |why: BadMessage| Failure::Refused(Refusal::BadMessage(why));
        let Attachment { name, kind, content } = file.check(self.attachment_limit).map_err(refused)?;
        if tx.attachments_of(chat).await? >= self.attachments_per_chat {
            return Err(refused(BadMessage::TooManyFiles(self.attachments_per_chat)));
        }
        let id = self.outside.new_secret().reveal();
        tx.add_attachment(&id, chat, &name, kind, &content, self.outside.now()).await?;
        Ok(format!("{id}/{name}"))
    }

    /// Sends the transcript of a chat to an address, in a language; the id names the letter, so that what is asked for twice is sent once.
    ///
    /// # Errors
    /// If no more may be sent, or none at all; or if the store fails.
    pub(crate) async fn mail_transcript(
        &self,
        tx: &mut Tx<'_>,
        record: &ChatRecord,
        language: &str,
        recipient: String,
        id: String,
    ) -> Result<(), Failure<Refusal>> {
        if tx.has_mail(&id).await? {
            return Ok(());
        }
        if !self.mails || tx.mails_of(record.chat.id, Purpose::Transcript).await? >= self.transcripts_per_chat {
            return Err(Failure::Refused(Refusal::NotAllowed));
        }
        let site = site_of(tx, record).await?;
        let (title, texts) = (site.title_in(language), Locale::best(language).panel());
        let lines = tx.chat_entries(record.visitor, &record.conversation, 0).await?;
        let transcript = in_text(&lines, Names { bot: title, visitor: texts.you, texts, locale: language });
        let letter = Letter {
            id,
            purpose: Purpose::Transcript,
            recipient,
            subject: named(texts.mail_subject, title),
            body: format!("{}\n\n{transcript}", named(texts.mail_intro, title)),
            chat: Some(record.chat.id),
            visitor: Some(record.visitor),
            calendar: None,
        };
        Ok(tx.add_mail(&letter, self.outside.now()).await?)
    }

    /// A conversation has come to its end: if the visitor had asked for an agent and nobody answered, what they left is sent to the site's
    /// address for that.
    async fn mail_missed(&self, tx: &mut Tx<'_>, visitor: VisitorId, conversation: &ConversationId) -> Result<(), StoreError> {
        let last = tx.chats_of(visitor, 1).await?.into_iter().next();
        let missed = last.filter(|last| last.conversation == *conversation && last.chat.is_over() && last.accepted_at.is_none());
        let Some(record) = missed.filter(|_| self.mails) else { return Ok(()) };
        let site = site_of(tx, &record).await?;
        let Some(recipient) = site.missed_chats_to.clone() else { return Ok(()) };
        if tx.mails_of(record.chat.id, Purpose::Missed).await? > 0 {
            return Ok(());
        }
        let attributes = tx.attributes(visitor).await?;
        let known: String =
            attributes.iter().map(|(name, value)| format!("{name}: {}\n", value.replace('\n', "\n    "))).collect();
        let letter = Letter {
            id: self.outside.new_id().to_string(),
            purpose: Purpose::Missed,
            recipient,
            subject: format!("A visitor of {} asked for an agent, and nobody was there", site.title_in("en")),
            body: format!("Page: {}\n{known}\n{}", record.page, for_agents(tx, &record).await?),
            chat: Some(record.chat.id),
            visitor: Some(record.visitor),
            calendar: None,
        };
        tx.add_mail(&letter, self.outside.now()).await
    }

    /// Notes that the visitor of a chat has no connection any more.
    ///
    /// # Errors
    /// If the store fails.
    pub(crate) async fn left(&self, tx: &mut Tx<'_>, mut record: ChatRecord) -> Result<(), StoreError> {
        record.connected = false;
        tx.put_chat(&record, record.chat.due_at(&self.chats)).await?;
        match self.chat(tx, &record, ChatCommand::Gone, None).await {
            // It was noted before.
            Ok(()) | Err(Failure::Refused(_)) => Ok(()),
            Err(Failure::Store(error)) => Err(error),
        }
    }

    /// Notes that a visitor sent something by a request: who has no connection is gone from now on only. What happened while no page
    /// was there to be told is for the page they sent it from.
    ///
    /// # Errors
    /// If the store fails.
    pub(crate) async fn heard(
        &self,
        tx: &mut Tx<'_>,
        visitor: VisitorId,
        conversation: &ConversationId,
        view: PageViewId,
    ) -> Result<(), StoreError> {
        let under_way = tx.chat_under_way(visitor, conversation).await?;
        if let Some(record) = under_way.filter(|record| record.chat.gone_since.is_some()) {
            match self.chat(tx, &record, ChatCommand::Heard, None).await {
                Ok(()) | Err(Failure::Refused(_)) => {}
                Err(Failure::Store(error)) => return Err(error),
            }
        }
        tx.adopt_events(visitor, view).await
    }

    /// Keeps a chat as it is now, and tells those whom it concerns.
    async fn put_chat(
        &self,
        tx: &mut Tx<'_>,
        &Chatted { about, conversation, session, by_visitor, answer, now }: &Chatted<'_>,
        before: Option<ChatRecord>,
        chat: Chat,
        entries: Vec<Entry>,
        offered: Option<AgentId>,
    ) -> Result<(), StoreError> {
        let known = before.as_ref().map(|record| &record.chat);
        if known == Some(&chat) && entries.is_empty() {
            return Ok(());
        }
        let mut agents: Vec<AgentId> =
            known.into_iter().chain([&chat]).flat_map(|chat| [chat.agent(), chat.asked()]).flatten().collect();
        agents.sort_unstable();
        agents.dedup();
        let places = |chat: &Chat| [chat.agent(), chat.asked()];
        // That who is gone was heard of again changes nothing for those who look on.
        let changed =
            known.is_none_or(|known| known.phase != chat.phase || known.gone_since.is_some() != chat.gone_since.is_some());
        let freed = known.is_some_and(|known| places(known) != places(&chat));
        let mut record = before.unwrap_or_else(|| ChatRecord {
            chat: chat.clone(),
            site: about.visitor.site.clone(),
            visitor: about.visitor.id,
            conversation: conversation.clone(),
            session,
            view: about.view.unwrap_or_else(|| PageViewId::new(self.outside.new_id())),
            page: about.page.to_owned(),
            locale: about.locale.to_owned(),
            // Until its panel's socket says so, its page is there by what it asks.
            connected: false,
            accepted_at: None,
            ended_at: None,
            changed_at: now,
            seen_by_agent: 0,
            seen_by_visitor: 0,
            tags: Vec::new(),
            held_by: None,
        });
        record.chat = chat;
        if let Some(view) = about.view.filter(|_| by_visitor) {
            record.view = view;
            about.page.clone_into(&mut record.page);
            about.locale.clone_into(&mut record.locale);
        }
        let holder = record.chat.agent();
        if holder.is_some() {
            record.held_by = holder;
            record.accepted_at = record.accepted_at.or(Some(now));
        }
        if record.chat.is_over() {
            record.ended_at = Some(now);
        }
        if changed || !entries.is_empty() {
            record.changed_at = now;
        }
        tx.put_chat(&record, record.chat.due_at(&self.chats)).await?;
        if let Some(agent) = offered {
            tx.put_offered(agent, now).await?;
        }
        let lines = entries.into_iter().map(|entry| {
            let answer = answer.filter(|_| entry.author != Author::Bot);
            ChatEntry { entry, at: now, answer }
        });
        tx.tell(News::Chat(Box::new(ChatNews {
            chat: record.chat.id,
            site: record.site,
            visitor: record.visitor,
            conversation: record.conversation,
            agents,
            changed,
            lines: lines.collect(),
            freed,
        })));
        Ok(())
    }
}

/// How many days ahead a meeting of a conversation may be, at most.
pub(crate) fn horizon(document: Option<&Conversation>) -> u16 {
    let of = |body: &Body| if let Body::Meeting(meeting) = body { Some(meeting.horizon) } else { None };
    let most = document.and_then(|document| document.cards.iter().filter_map(|card| of(&card.body)).max());
    most.unwrap_or(porchlight_domain::conversation::HORIZON_MAX)
}

async fn site_of(tx: &mut Tx<'_>, record: &ChatRecord) -> Result<Site, StoreError> {
    let head = tx.site(&record.site).await?;
    Ok(head.ok_or_else(|| StoreError::Corrupt(format!("chat {} has no site", record.chat.id)))?.site)
}

/// A chat as text, as agents read it.
///
/// # Errors
/// If the store fails.
pub(crate) async fn for_agents(tx: &mut Tx<'_>, record: &ChatRecord) -> Result<String, StoreError> {
    let lines = tx.chat_entries(record.visitor, &record.conversation, 0).await?;
    let attributes = tx.attributes(record.visitor).await?;
    let known = ["name", "firstName", "email"].iter().find_map(|wanted| {
        attributes.iter().find(|(name, value)| name.as_str() == *wanted && !value.is_empty()).map(|(_, value)| value.as_str())
    });
    Ok(in_text(&lines, Names { bot: "Bot", visitor: known.unwrap_or("Visitor"), texts: Locale::En.panel(), locale: "en-GB" }))
}

/// What is known of a step that touched a chat.
struct Chatted<'a> {
    about: About<'a>,
    conversation: &'a ConversationId,
    session: SessionId,
    by_visitor: bool,
    answer: Option<AnswerId>,
    now: Timestamp,
}

type Key = (SiteKey, ConversationId, u32);

/// Conversations that were read before. A version never changes, so what is here is right for ever.
#[derive(Debug, Clone, Default)]
pub(crate) struct Documents {
    known: Arc<RwLock<HashMap<Key, Arc<Conversation>>>>,
}

/// How many versions are kept in memory; when there are more, all are forgotten and read again as they are needed.
const DOCUMENTS_MAX: usize = 10_000;

impl Documents {
    /// A version of a conversation.
    ///
    /// # Errors
    /// If it was never published, or the store fails.
    pub(crate) async fn get(
        &self,
        tx: &mut Tx<'_>,
        site: &SiteKey,
        conversation: &ConversationId,
        version: u32,
    ) -> Result<Arc<Conversation>, StoreError> {
        let key = (site.clone(), conversation.clone(), version);
        if let Some(known) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Arc::clone(known));
        }
        let document = Arc::new(tx.document(site, conversation, version).await?);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= DOCUMENTS_MAX {
            known.clear();
        }
        known.insert(key, Arc::clone(&document));
        Ok(document)
    }
}
