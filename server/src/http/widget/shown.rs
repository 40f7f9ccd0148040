//! What the panel shows after an operation: read in the operation's own transaction, so that it is what that operation led to.

use jiff::Timestamp;
use porchlight_app::{
    i18n::Locale,
    widget::{Asked, Standing, Ticket},
};
use porchlight_domain::{
    id::{AnswerId, ConversationId, PageViewId, SessionId},
    session::{Ask, Entry},
};

use serde::Deserialize;

use super::Told;
use crate::{
    countries,
    http::{page::Page, problem::Problem},
    secret::Secret,
    site::Site,
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

    /// What a command that this asks for is about.
    pub(super) fn about<'a>(&'a self, visitor: &'a VisitorRow, at: Timestamp) -> About<'a> {
        About { visitor, view: self.view, page: self.page.as_str(), conversation: Some(&self.conversation), at }
    }
}

/// What the panel shows now.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    pub(super) site: Site,
    pub(super) told: Told,
    pub(super) locale: Locale,
    pub(super) ticket: Ticket,
    pub(super) standing: Standing,
    /// The entries after those that are shown already.
    pub(super) entries: Vec<Entry>,
}

impl Shown {
    pub(super) async fn read(
        tx: &mut Tx<'_>,
        engine: &Engine,
        site: Site,
        visitor: &VisitorRow,
        session: SessionId,
        sent: PanelSent,
    ) -> Result<Self, Failure<Problem>> {
        let locale = sent.locale();
        let told = Told::of(tx, &site, visitor, session, sent.view, sent.after).await?;
        let entries = tx.entries(visitor.id, &sent.conversation, sent.have).await?;
        let prompt =
            engine.talk(tx, visitor, &sent.conversation).await?.and_then(|(document, progress)| progress.prompt(&document));
        let asked = prompt.map(|prompt| {
            let phone = matches!(prompt.ask, Ask::Phone { .. });
            Asked {
                prompt,
                answer: AnswerId::new(engine.outside.new_id()),
                countries: if phone { countries::countries(locale) } else { Vec::new() },
                country: countries::likely(&sent.locale, &site.country),
            }
        });
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
        let standing = Standing { asked, problem: None, wrong: false, typed: String::new() };
        Ok(Self { site, told, locale, ticket, standing, entries })
    }
}
