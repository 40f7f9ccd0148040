//! What the panel shows after an operation: read in the operation's own transaction, so that it is what that operation led to.

use std::sync::Arc;

use jiff::Timestamp;
use porchlight_app::{
    i18n::{Locale, named},
    widget::{Asked, Held, Lines, MailTo, MeetingLine, Standing, Ticket},
};
use porchlight_domain::{
    conversation::{Body, FieldKind, Ui},
    id::{AnswerId, ConversationId, PageViewId, SessionId},
    livechat::ChatView,
    meeting::MeetingShown,
    schedule::{find_zone, zone},
    session::{self, Ask, Beside, CallShown, Entry, Format},
};

use serde::Deserialize;

use super::{Told, booking::Wanted, times::Times};
use crate::{
    calendar::ics::web_links,
    countries,
    http::{page::Page, problem::Problem},
    meetings,
    secret::Secret,
    sites::SiteNow,
    store::{Failure, StoreError, Tx, VisitorRow},
    visit::{About, Engine, Subject},
    when::When,
};

/// What the panel sends with everything: whose it is, and what it shows already.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct PanelSent {
    pub(super) token: Secret,
    pub(super) view: PageViewId,
    #[serde(default)]
    pub(super) after: i64,
    pub(super) page: Page,
    pub(super) conversation: ConversationId,
    /// A language tag, or several as in `Accept-Language`.
    #[serde(default)]
    pub(super) locale: String,
    /// `light` or `dark`; anything else is `auto`.
    #[serde(default)]
    theme: String,
    /// The number of the last entry that is shown already.
    #[serde(default)]
    pub(super) have: u32,
    /// The IANA name of the visitor's time zone.
    #[serde(default)]
    zone: String,
    /// Which days are looked at, where times are to be chosen.
    #[serde(skip)]
    pub(super) wanted: Wanted,
}

impl PanelSent {
    pub(super) fn locale(&self) -> Locale {
        Locale::best(&self.locale)
    }

    /// The visitor's time zone; UTC, if it is not known.
    pub(super) fn time_zone(&self) -> &str {
        if find_zone(&self.zone).is_some() { &self.zone } else { "UTC" }
    }

    /// What a command that this asks for is about; `locale` is one that the site speaks.
    pub(super) fn about<'a>(&'a self, visitor: &'a VisitorRow, locale: &'a str, at: Timestamp) -> About<'a> {
        About {
            visitor,
            view: Some(self.view),
            page: self.page.as_str(),
            conversation: Some(&self.conversation),
            locale,
            time_zone: self.time_zone(),
            at,
            subject: Subject::Conversation,
        }
    }
}

/// What the panel shows now.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    pub(super) site: Arc<SiteNow>,
    pub(super) told: Told,
    /// The language the site speaks to this visitor.
    pub(super) language: String,
    pub(super) ui: Ui,
    /// How long a line of the bot takes to appear, in milliseconds.
    pub(super) typing_delay: u32,
    pub(super) ticket: Ticket,
    pub(super) standing: Standing,
    /// The entries after those that are shown already.
    pub(super) entries: Vec<Entry>,
    /// What they are about, where that is more than their words.
    pub(super) lines: Lines,
    /// The number of the last entry that was there before the operation: what the bot said after it appears as if it were typed.
    pub(super) typed_after: u32,
}

impl Shown {
    /// `typed_after`: the number of the last entry before the operation.
    pub(super) async fn read(
        tx: &mut Tx<'_>,
        engine: &Engine,
        site: Arc<SiteNow>,
        visitor: &VisitorRow,
        session: SessionId,
        sent: PanelSent,
        typed_after: u32,
    ) -> Result<Self, Failure<Problem>> {
        let language = site.site.language(&sent.locale);
        let told = Told::of(tx, &site.site, visitor, session, sent.view, sent.after).await?;
        let entries = tx.entries(visitor.id, &sent.conversation, sent.have).await?;
        let attributes = tx.attributes(visitor.id).await?;
        let talk = engine.talk(tx, visitor, &sent.conversation).await?;
        let mut standing = Standing {
            asked: None,
            turn: 0,
            answer: AnswerId::new(engine.outside.new_id()),
            back: false,
            restart: false,
            problem: None,
            wrong: false,
            said: None,
            transcript: None,
            typed: Vec::new(),
            wrong_fields: Vec::new(),
            filled: Vec::new(),
        };
        let (mut ui, mut typing_delay) = (Ui::default(), 0);
        if let Some((document, progress)) = talk {
            (ui, typing_delay) = (document.ui, document.typing_delay);
            standing.turn = progress.turn;
            standing.back = progress.may_go_back(&document);
            standing.restart = progress.may_restart(&document);
            let record = match progress.is_live(&document) {
                true => tx.chat_under_way(visitor.id, &sent.conversation).await?,
                false => None,
            };
            let (mut agent, mut ahead) = (String::new(), 0);
            if let Some(record) = &record {
                if let Some(holder) = record.chat.agent() {
                    agent = tx.agent_name(holder).await?.unwrap_or_default();
                } else if record.chat.asked().is_none() {
                    ahead = tx.queued_before(&visitor.site, record.chat.requested_at).await?;
                }
            }
            let online = record.as_ref().is_some_and(|record| record.chat.agent().is_some());
            let over = document.has_live_chat() && progress.standing == session::Standing::Ended;
            if engine.mails && (online || over && tx.was_answered_live(visitor.id, &sent.conversation).await?) {
                let known = attributes.iter().find(|(name, _)| name.as_str() == "email");
                let address = known.map_or(String::new(), |(_, address)| address.clone());
                standing.transcript = Some(MailTo { address, open: false });
            }
            let view = record.as_ref().map(|record| ChatView { chat: &record.chat, agent: &agent, ahead });
            let at = |wanted: &dyn Fn(&Body) -> bool| match &progress.standing {
                session::Standing::At(card) => document.card(card).filter(|card| wanted(&card.body)),
                _ => None,
            };
            let now = engine.outside.now();
            let (meets, calls) = (at(&|body| matches!(body, Body::Meeting(_))), at(&|body| matches!(body, Body::Callback(_))));
            let held = match meets {
                Some(_) => tx.meeting_held(visitor.id, &sent.conversation).await?,
                None => None,
            };
            let held = held.filter(|held| held.meeting.is_held(now));
            let choosing = match calls {
                Some(_) => tx.callback_chosen(visitor.id, &sent.conversation).await?,
                None => None,
            };
            let beside = Beside {
                chat: view,
                meeting: held.as_ref().map(|held| &held.meeting),
                callback: choosing.as_ref().map(|choosing| &choosing.callback),
            };
            let prompt = progress.prompt(&document, &attributes, &language, beside);
            let asks = Times {
                engine,
                visitor,
                attributes: &attributes,
                locale: &sent.locale,
                zone: sent.time_zone(),
                wanted: sent.wanted,
            };
            let (mut booking, mut none_at_all) = (None, false);
            if let (Some(Ask::Slot(_)), Some(Body::Meeting(card))) =
                (prompt.as_ref().map(|prompt| &prompt.ask), meets.map(|card| &card.body))
            {
                let (laid_out, first) = asks.of_meeting(tx, card).await?;
                (booking, none_at_all) = (Some(laid_out), first.is_none());
            }
            if let (Some(Ask::Slot(_)), Some(Body::Callback(card))) =
                (prompt.as_ref().map(|prompt| &prompt.ask), calls.map(|card| &card.body))
            {
                booking = Some(asks.of_callback(tx, card).await?);
            }
            let held = held.map(|held| {
                let (writes, zone) = (When::of(&sent.locale), zone(&held.meeting.time_zone));
                let until = held.meeting.due_at().unwrap_or(now);
                Held { when: meetings::when(&held.meeting, &sent.locale), until: writes.time(until, &zone) }
            });
            standing.asked = prompt.map(|mut prompt| {
                // Whom no time is left for may go on, whatever the author says.
                prompt.optional |= none_at_all;
                let phone = match &prompt.ask {
                    Ask::Phone => true,
                    Ask::Form { fields, .. } => fields.iter().any(|field| field.kind == FieldKind::Phone),
                    _ => false,
                };
                let address = if let Ask::Document { file, .. } = &prompt.ask { site.address(file) } else { String::new() };
                Asked {
                    prompt,
                    countries: if phone { countries::countries(Locale::best(&language)) } else { Vec::new() },
                    country: countries::likely(&sent.locale, &site.site.country),
                    address,
                    open: false,
                    file_limit: engine.attachment_limit,
                    booking,
                    held,
                }
            });
        }
        let lines = lines(tx, engine, &entries, &language, &sent.locale).await?;
        let zone = sent.time_zone().to_owned();
        let ticket = Ticket {
            zone,
            token: sent.token.reveal(),
            view: sent.view,
            after: told.cursor,
            page: sent.page.to_string(),
            conversation: sent.conversation,
            locale: sent.locale,
            theme: if matches!(sent.theme.as_str(), "light" | "dark") { sent.theme } else { "auto".to_owned() },
            have: entries.last().map_or(sent.have, |entry| entry.number),
        };
        Ok(Self { site, told, language, ui, typing_delay, ticket, standing, entries, lines, typed_after })
    }

    /// The language of our own texts.
    pub(super) fn locale(&self) -> Locale {
        Locale::best(&self.language)
    }
}

/// What lines of a transcript are about: the meetings as they were then, with ways to what is still to come.
async fn lines(tx: &mut Tx<'_>, engine: &Engine, entries: &[Entry], language: &str, locale: &str) -> Result<Lines, StoreError> {
    let texts = Locale::best(language).panel();
    let mut lines = Lines::default();
    for entry in entries {
        let text = entry.text.as_deref().unwrap_or_default();
        match entry.format {
            Format::Callback => {
                if let Ok(shown) = serde_json::from_str::<CallShown>(text) {
                    lines.calls.insert(entry.number, meetings::call_in_words(&shown, texts, locale));
                }
            }
            Format::Meeting => {
                let Ok(shown) = serde_json::from_str::<MeetingShown>(text) else { continue };
                let name = entry.agent.as_ref().map_or("", |agent| agent.name.as_str());
                lines.meetings.insert(entry.number, meeting_line(tx, engine, &shown, name, texts, locale).await?);
            }
            _ => {}
        }
    }
    Ok(lines)
}

async fn meeting_line(
    tx: &mut Tx<'_>,
    engine: &Engine,
    shown: &MeetingShown,
    agent_name: &str,
    texts: &'static porchlight_app::i18n::PanelTexts,
    locale: &str,
) -> Result<MeetingLine, StoreError> {
    let mut links = Vec::new();
    // What has been moved or called off since is not to be put into a calendar any more.
    if let Some(record) = tx.meeting(shown.id).await?
        && record.meeting.is_booked()
        && record.meeting.span.start == shown.start
        && let Some(agent) = tx.agent(record.meeting.agent).await?
    {
        let path = engine.links.path_of(shown.id);
        let now = engine.outside.now();
        let address = engine.links.address_of(shown.id);
        let web = meetings::in_calendars(&engine.links, &record.meeting, &agent, now, Some(&address), web_links);
        links = vec![
            (texts.calendar_file.to_owned(), format!("{path}/meeting.ics")),
            ("Google".to_owned(), web.google),
            ("Outlook.com".to_owned(), web.outlook),
            ("Office 365".to_owned(), web.office365),
            (texts.change_meeting.to_owned(), path),
        ];
    }
    let heading = match (shown.cancelled, shown.moved) {
        (true, _) => texts.called_off,
        (false, true) => texts.moved,
        (false, false) => texts.booked,
    };
    Ok(MeetingLine {
        heading,
        title: shown.title.clone(),
        when: meetings::when_between(shown.start, shown.end, &shown.time_zone, locale),
        with: named(texts.with_agent, agent_name),
        location: shown.location.clone(),
        links,
    })
}
