//! What the panel shows after an operation: read in the operation's own transaction, so that it is what that operation led to.

use std::sync::Arc;

use jiff::Timestamp;
use porchlight_app::{
    i18n::Locale,
    widget::{Asked, MailTo, Standing, Ticket},
};
use porchlight_domain::{
    conversation::Ui,
    id::{AnswerId, ConversationId, PageViewId, SessionId},
    livechat::ChatView,
    session::{self, Ask, Entry},
};

use serde::Deserialize;

use super::Told;
use crate::{
    countries,
    http::{page::Page, problem::Problem},
    secret::Secret,
    sites::SiteNow,
    store::{Failure, Tx, VisitorRow},
    visit::{About, Engine},
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
}

impl PanelSent {
    pub(super) fn locale(&self) -> Locale {
        Locale::best(&self.locale)
    }

    /// What a command that this asks for is about; `locale` is one that the site speaks.
    pub(super) fn about<'a>(&'a self, visitor: &'a VisitorRow, locale: &'a str, at: Timestamp) -> About<'a> {
        About { visitor, view: Some(self.view), page: self.page.as_str(), conversation: Some(&self.conversation), locale, at }
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
            standing.asked = progress.prompt(&document, &attributes, &language, view).map(|prompt| {
                let phone = matches!(prompt.ask, Ask::Phone);
                let address = if let Ask::Document { file, .. } = &prompt.ask { site.address(file) } else { String::new() };
                Asked {
                    prompt,
                    countries: if phone { countries::countries(Locale::best(&language)) } else { Vec::new() },
                    country: countries::likely(&sent.locale, &site.site.country),
                    address,
                    open: false,
                    file_limit: engine.attachment_limit,
                }
            });
        }
        let ticket = Ticket {
            token: sent.token.reveal(),
            view: sent.view,
            after: told.cursor,
            page: sent.page.to_string(),
            conversation: sent.conversation,
            locale: sent.locale,
            theme: if matches!(sent.theme.as_str(), "light" | "dark") { sent.theme } else { "auto".to_owned() },
            have: entries.last().map_or(sent.have, |entry| entry.number),
        };
        Ok(Self { site, told, language, ui, typing_delay, ticket, standing, entries, typed_after })
    }

    /// The language of our own texts.
    pub(super) fn locale(&self) -> Locale {
        Locale::best(&self.language)
    }
}
