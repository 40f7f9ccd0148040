//! `POST /widget/v1/start`: a page loads, or is left for another without a load; who is the visitor, and what is offered to them?

use std::collections::BTreeMap;

use axum::{Router, extract::State, http::HeaderMap, routing::post};
use jiff::Timestamp;
use porchlight_app::i18n::Locale;
use porchlight_domain::{
    conversation::{Device, Trigger, Ui, markup, template},
    id::{ConversationId, PageViewId, SiteKey, VisitorId},
    session::{self, Attributes, ContactKind, Widget},
};
use serde::{Deserialize, Serialize};

use super::{
    LauncherSettings, Told, device,
    identity::Identity,
    lift,
    offer::{Asking, Offer, resolve},
};
use crate::{
    http::{
        App,
        body::Json,
        limits::Address,
        page::{Caller, PAGE_MAX, Page},
        problem::{Code, Problem},
    },
    secret::Secret,
    sites::SiteNow,
    store::{Command, Failure, Tx, VisitorRow},
    visit::{About, Engine, Subject},
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/widget/v1/start", post(start))
}

/// The launcher, as events name it.
pub(super) const LAUNCHER: &str = "launcher";
/// The id of its element on the page.
pub(super) const ELEMENT: &str = "porchlight";
/// The most inline conversations a page may have; what it has beyond them is not shown.
const PLACED_MAX: usize = 50;

#[derive(Debug, Deserialize)]
struct Asked {
    site: SiteKey,
    page: Page,
    /// The visitor's, if the page keeps one.
    token: Option<Secret>,
    #[serde(default)]
    locale: String,
    /// The page that led here.
    #[serde(default)]
    referrer: String,
    /// The page view that goes on: the visitor went to another page without a load, or was identified.
    view: Option<PageViewId>,
    /// The place in the log up to which that view has been told its events.
    #[serde(default)]
    after: i64,
    /// Who the visitor is, if the site tells.
    identity: Option<Identity>,
    /// The conversations that have a place on the page: what its author wrote there, whatever it is.
    #[serde(default)]
    placed: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Begun {
    visitor: VisitorId,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    view: PageViewId,
    #[serde(flatten)]
    told: Told,
    settings: LauncherSettings,
    conversation: Option<Offered>,
    /// Of the conversations that have a place on the page, those that may be shown there.
    placed: BTreeMap<ConversationId, &'static str>,
    /// How long this session has lasted, in seconds.
    on_site: i64,
    /// Whether the visitor is in a live chat: the page brings the panel at once, to be told what is said.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    live: bool,
    /// The ways of contact that the launcher offers now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    contacts: Vec<ContactOffered>,
}

/// A way of contact that the launcher offers, in the visitor's language.
#[derive(Debug, Serialize)]
struct ContactOffered {
    kind: ContactKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation: Option<ConversationId>,
    label: String,
}

/// Those of the site's ways of contact that are possible now. A chat that names no conversation is what the launcher opens, if it opens one.
fn contacts(site: &SiteNow, locale: &str, opens_one: bool, now: Timestamp) -> Vec<ContactOffered> {
    let open = site.site.opening_hours.as_ref().is_none_or(|hours| hours.is_open(now));
    let texts = Locale::best(locale).panel();
    let possible = site.site.contacts.iter().filter(|contact| open || contact.is_offered_when_closed());
    possible
        .filter(|contact| match &contact.conversation {
            Some(conversation) => site.published(conversation).is_some(),
            None => opens_one,
        })
        .map(|contact| {
            let usual = match contact.kind {
                ContactKind::Chat => texts.contact_chat,
                ContactKind::CallbackNow => texts.contact_callback_now,
                ContactKind::CallbackLater => texts.contact_callback_later,
                ContactKind::ClickToCall => texts.contact_call,
            };
            let own = contact.label.as_ref().map(|label| label.in_locale(locale, site.site.main_locale()).to_owned());
            ContactOffered {
                kind: contact.kind,
                conversation: contact.conversation.clone(),
                label: own.unwrap_or_else(|| usual.to_owned()),
            }
        })
        .collect()
}

/// The conversation that is offered, as Adobe's payloads name it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Offered {
    id: ConversationId,
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    ui_type: &'static str,
    /// What the page waits for before it is shown; nothing: at once.
    trigger: Option<Trigger>,
    poke: Option<String>,
    goes_on: bool,
}

impl Offered {
    fn of(Offer { conversation, goes_on }: Offer, locale: &str, attributes: &Attributes, page: &str) -> Self {
        let poke = conversation.poke.as_ref().map(|poke| {
            let filled = template::fill(conversation.say(poke, locale), |token| match token {
                template::Token::Visitor(name) => attributes.get(name).cloned(),
                template::Token::PageUrl => Some(page.to_owned()),
            });
            markup::plain(&filled)
        });
        Self {
            id: conversation.id.clone(),
            name: conversation.name.clone(),
            kind: conversation.kind.name(),
            ui_type: conversation.ui.name(),
            trigger: Some(conversation.trigger.clone()).filter(|trigger| *trigger != Trigger::Load),
            poke,
            goes_on,
        }
    }
}

async fn start(
    State(app): State<App>,
    Address(address): Address,
    caller: Caller,
    headers: HeaderMap,
    Json(asked): Json<Asked>,
) -> Result<axum::Json<Begun>, Problem> {
    app.limits.start(address)?;
    let device = device::of(&headers);
    Ok(axum::Json(app.store.commit(Start { engine: app.engine, caller, asked, device }).await?))
}

/// A kind of device, as it is kept: by the name that conversations target it by.
const fn named(device: Device) -> &'static str {
    match device {
        Device::Phone => "phone",
        Device::Tablet => "tablet",
        Device::Desktop => "desktop",
    }
}

struct Start {
    engine: Engine,
    caller: Caller,
    asked: Asked,
    device: Device,
}

impl Command for Start {
    type Done = Begun;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Begun, Failure<Problem>> {
        let Self { engine, caller, asked, device } = self;
        let unknown =
            || Problem::new(Code::UnknownSite, format!("there is no site with the key \"{}\"", asked.site)).field("site");
        let revision = tx.site_revision(&asked.site).await?.ok_or_else(|| Failure::Refused(unknown()))?;
        let site = engine.sites.get(tx, &asked.site, revision).await?;
        asked.page.check(&site.site, &caller).map_err(Failure::Refused)?;
        let (now, page) = (engine.outside.now(), asked.page.as_str());
        let locale = site.site.language(&asked.locale);

        // A token of another site, or of a database that is gone, is nobody's here: the visitor is new.
        let known = match asked.token {
            Some(token) => {
                let visitor = tx.visitor(&token).await?.map(|(visitor, _)| visitor).filter(|visitor| visitor.site == asked.site);
                visitor.map(|visitor| (visitor, token))
            }
            None => None,
        };
        let is_new = known.is_none();
        let (mut visitor, token) = match known {
            Some(known) => known,
            None => {
                let visitor = VisitorRow { id: VisitorId::new(engine.outside.new_id()), site: asked.site.clone() };
                let token = engine.outside.new_secret();
                tx.add_visitor(&visitor, &token, now).await?;
                (visitor, token)
            }
        };
        let proven = match &asked.identity {
            Some(identity) => Some(identity.prove(tx, &visitor).await?),
            None => None,
        };
        if let Some(proven) = &proven {
            visitor = proven.join(tx, visitor, &token).await?;
        }

        let (mut session, since) = engine.session_since(tx, &visitor, now).await?;
        let view = asked.view.unwrap_or_else(|| PageViewId::new(engine.outside.new_id()));
        let about = About {
            visitor: &visitor,
            view: Some(view),
            page,
            conversation: None,
            locale: &locale,
            time_zone: "",
            at: now,
            subject: Subject::Conversation,
        };
        if let Some(proven) = proven {
            session = proven.learn(tx, &engine, session, about).await?;
        }
        let referrer: String = asked.referrer.chars().take(PAGE_MAX).collect();
        if asked.view.is_none() {
            let load = session::Command::Load(Widget { widget: LAUNCHER.to_owned(), element: ELEMENT.to_owned() });
            session = engine.step(tx, session, about, load, None).await.map_err(lift)?;
            // The step has kept the session: now there is a row to write this to.
            tx.put_visit(session.id, &referrer, named(device)).await?;
        }

        // Of a visitor who was made just now, and is nobody else either, nothing is known.
        let (progress, attributes) = if is_new && asked.identity.is_none() {
            (Vec::new(), Attributes::new())
        } else {
            (tx.all_progress(visitor.id).await?, tx.attributes(visitor.id).await?)
        };
        let asking = Asking {
            engine: &engine,
            site: &site,
            visitor: &visitor,
            session: &session,
            page,
            referrer: &referrer,
            locale: &asked.locale,
            device,
        };
        let mut offer = resolve(tx, &asking, &progress, &attributes).await?;
        let by_launcher = |offer: &Offer| offer.conversation.ui == Ui::Chatbot && !offer.goes_on;
        if site.site.launcher.hide_when_away && offer.as_ref().is_some_and(by_launcher) {
            let roster = tx.roster(&visitor.site, visitor.id, now, engine.chat_limit).await?;
            offer = offer.filter(|_| roster.members.iter().any(|member| member.available));
        }

        let mut placed = BTreeMap::new();
        // A slip in one element must not cost the page its widget.
        for id in asked.placed.iter().take(PLACED_MAX).filter_map(|id| id.parse::<ConversationId>().ok()) {
            let under_way = progress.iter().find(|progress| progress.conversation == id && progress.is_under_way());
            let ui = match (under_way, site.published(&id)) {
                (Some(progress), _) => Some(engine.documents.get(tx, &visitor.site, &id, progress.version).await?.ui),
                (None, Some((_, conversation))) => Some(conversation.ui),
                (None, None) => None,
            };
            if ui == Some(Ui::Inline) {
                placed.insert(id, Ui::Inline.name());
            }
        }
        let live = if is_new { None } else { tx.conversation_in_chat(visitor.id).await? };
        if !is_new {
            tx.adopt_events(visitor.id, view).await?;
        }
        let told = Told::of(tx, &site.site, &visitor, session.id, view, asked.after).await?;
        Ok(Begun {
            live: offer.as_ref().is_some_and(|offer| live.as_ref() == Some(&offer.conversation.id)),
            visitor: visitor.id,
            token: is_new.then(|| token.reveal()),
            view,
            told,
            settings: LauncherSettings::of(&site.site, &locale),
            contacts: contacts(&site, &locale, offer.as_ref().is_some_and(|offer| offer.conversation.ui == Ui::Chatbot), now),
            conversation: offer.map(|offer| Offered::of(offer, &locale, &attributes, page)),
            placed,
            on_site: since.map_or(0, |since| now.duration_since(since).as_secs()),
        })
    }
}
