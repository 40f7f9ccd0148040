//! `POST /widget/v1/start`: a page loads; who is the visitor, and which conversation is offered to them?

use std::sync::Arc;

use axum::{Router, extract::State, routing::post};
use porchlight_domain::{
    conversation::{Conversation, Kind, Ui},
    id::{ConversationId, PageViewId, SiteKey, VisitorId},
    session::{self, Progress, Session, Standing, Widget},
};
use serde::{Deserialize, Serialize};

use super::{LauncherSettings, Told, lift};
use crate::{
    http::{
        App,
        body::Json,
        limits::Address,
        page::{Caller, Page},
        problem::{Code, Problem},
    },
    secret::Secret,
    store::{Command, Failure, Tx, VisitorRow},
    visit::{About, Engine},
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/widget/v1/start", post(start))
}

/// The launcher, as events name it.
pub(super) const LAUNCHER: &str = "launcher";
/// The id of its element on the page.
pub(super) const ELEMENT: &str = "porchlight";

#[derive(Debug, Deserialize)]
struct Asked {
    site: SiteKey,
    page: Page,
    /// The visitor's, if the page keeps one.
    token: Option<Secret>,
    #[serde(default)]
    locale: String,
}

#[derive(Debug, Serialize)]
struct Begun {
    visitor: VisitorId,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    view: PageViewId,
    #[serde(flatten)]
    told: Told,
    settings: LauncherSettings,
    conversation: Option<Offered>,
}

/// The conversation that is offered, as Adobe's payloads name it.
#[derive(Debug, Serialize)]
struct Offered {
    id: ConversationId,
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "uiType")]
    ui: &'static str,
}

async fn start(
    State(app): State<App>,
    Address(address): Address,
    caller: Caller,
    Json(asked): Json<Asked>,
) -> Result<axum::Json<Begun>, Problem> {
    app.limits.start(address)?;
    Ok(axum::Json(app.store.commit(Start { engine: app.engine, caller, asked }).await?))
}

struct Start {
    engine: Engine,
    caller: Caller,
    asked: Asked,
}

impl Command for Start {
    type Done = Begun;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Begun, Failure<Problem>> {
        let Self { engine, caller, asked } = self;
        let unknown =
            || Problem::new(Code::UnknownSite, format!("there is no site with the key \"{}\"", asked.site)).field("site");
        let site = tx.site(&asked.site).await?.ok_or_else(|| Failure::Refused(unknown()))?;
        asked.page.check(&site, &caller).map_err(Failure::Refused)?;
        let now = engine.outside.now();

        // A token of another site, or of a database that is gone, is nobody's here: the visitor is new.
        let known = match &asked.token {
            Some(token) => tx.visitor(token).await?.map(|(visitor, _)| visitor).filter(|visitor| visitor.site == asked.site),
            None => None,
        };
        let (visitor, token) = match known {
            Some(visitor) => (visitor, None),
            None => {
                let visitor = VisitorRow { id: VisitorId::new(engine.outside.new_id()), site: asked.site.clone() };
                let token = engine.outside.new_secret();
                tx.add_visitor(&visitor, &token, now).await?;
                (visitor, Some(token.reveal()))
            }
        };
        let session = engine.session_at(tx, &visitor, now).await?;
        let offered = resolve(tx, &engine, &visitor, &session, asked.page.as_str()).await?;
        let view = PageViewId::new(engine.outside.new_id());
        let about = About { visitor: &visitor, view, page: asked.page.as_str(), conversation: None, at: now };
        let load = session::Command::Load(Widget { widget: LAUNCHER.to_owned(), element: ELEMENT.to_owned() });
        let session = engine.step(tx, session, about, load, None).await.map_err(lift)?;
        let told = Told::of(tx, &site, &visitor, session.id, view, 0).await?;
        let conversation = offered.map(|document| Offered {
            id: document.id.clone(),
            name: document.name.clone(),
            kind: document.kind.name(),
            ui: document.ui.name(),
        });
        Ok(Begun { visitor: visitor.id, token, view, told, settings: LauncherSettings::of(&site, &asked.locale), conversation })
    }
}

/// The dialogue to offer: the one the visitor has begun and not ended, wherever they are now and whatever became of it since;
/// else, of those that target the page and that they have not ended, the one with the highest priority.
async fn resolve(
    tx: &mut Tx<'_>,
    engine: &Engine,
    visitor: &VisitorRow,
    session: &Session,
    page: &str,
) -> Result<Option<Arc<Conversation>>, Failure<Problem>> {
    let known = tx.all_progress(visitor.id).await?;
    for progress in known.iter().filter(|progress| progress.answered && progress.standing != Standing::Ended) {
        let document = engine.documents.get(tx, &visitor.site, &progress.conversation, progress.version).await?;
        if document.kind == Kind::Dialogue {
            return Ok(Some(document));
        }
    }
    let mut best: Option<(Arc<Conversation>, u32)> = None;
    for published in tx.published(&visitor.site).await? {
        let ended =
            known.iter().any(|progress| progress.conversation == published.conversation && progress.standing == Standing::Ended);
        let document = engine.documents.get(tx, &visitor.site, &published.conversation, published.version).await?;
        // Of equal priorities the first by name wins, so that the choice is the same every time.
        let better = best.as_ref().is_none_or(|(other, _)| document.priority > other.priority);
        if !ended && better && document.ui == Ui::Chatbot && document.targets(page) {
            best = Some((document, published.version));
        }
    }
    let Some((document, version)) = best else { return Ok(None) };
    offer(
        tx,
        engine,
        visitor,
        session,
        &document.id,
        version,
        known.iter().find(|progress| progress.conversation == document.id),
    )
    .await?;
    Ok(Some(document))
}

/// Notes that a conversation is offered. One that was begun without an answer takes the version that is published now.
pub(super) async fn offer(
    tx: &mut Tx<'_>,
    engine: &Engine,
    visitor: &VisitorRow,
    session: &Session,
    conversation: &ConversationId,
    version: u32,
    known: Option<&Progress>,
) -> Result<(), Failure<Problem>> {
    if known.is_some_and(|progress| progress.version == version || progress.answered) {
        return Ok(());
    }
    let mut progress = Progress::offered(conversation.clone(), version, session.id);
    if let Some(known) = known {
        // What this session has counted stays counted, and old forms stay old.
        progress.counted = known.counted;
        progress.turn = known.turn;
        tx.clear_transcript(visitor.id, conversation).await?;
    }
    Ok(tx.put_progress(visitor.id, &progress, engine.outside.now()).await?)
}
