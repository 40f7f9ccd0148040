//! What the panel shows after an operation: read in the operation's own transaction, so that it is what that operation led to.

use porchlight_app::{
    i18n::Locale,
    widget::{Asked, Standing, Ticket},
};
use porchlight_domain::{
    id::{AnswerId, ConversationId, PageViewId, SessionId},
    session::{Ask, Entry},
};

use super::Told;
use crate::{
    countries,
    http::{page::Page, problem::Problem},
    site::Site,
    store::{Failure, Tx, VisitorRow},
    visit::Engine,
};

/// What the panel sent, in an opening or an answer.
#[derive(Debug, Clone)]
pub(super) struct PanelSent {
    pub(super) token: String,
    pub(super) view: PageViewId,
    pub(super) after: i64,
    pub(super) page: Page,
    pub(super) conversation: ConversationId,
    /// A language tag, or several as in `Accept-Language`.
    pub(super) locale: String,
    pub(super) theme: String,
    /// The number of the last entry that is shown already.
    pub(super) have: u32,
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
        let locale = Locale::best(&sent.locale);
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
            token: sent.token,
            view: sent.view,
            after: told.cursor,
            page: sent.page.to_string(),
            conversation: sent.conversation,
            locale: sent.locale,
            theme: sent.theme,
            have: entries.last().map_or(sent.have, |entry| entry.number),
        };
        let standing = Standing { asked, problem: None, typed: String::new() };
        Ok(Self { site, told, locale, ticket, standing, entries })
    }
}
