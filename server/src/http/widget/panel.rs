//! `POST /widget/panel`: the panel opens.

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use porchlight_app::i18n::Locale;
use porchlight_domain::{
    id::{ConversationId, PageViewId},
    session,
};
use serde::Deserialize;

use super::{
    admit, lift, render,
    shown::{PanelSent, Shown},
    start::offer,
};
use crate::{
    http::{
        App,
        body::Form,
        page::{Caller, Page},
        problem::{Code, Problem},
    },
    secret::Secret,
    store::{Command, Failure, Tx},
    visit::{About, Engine},
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/widget/panel", post(panel))
}

#[derive(Debug, Deserialize)]
struct Asked {
    token: Secret,
    view: PageViewId,
    #[serde(default)]
    after: i64,
    page: Page,
    conversation: ConversationId,
    #[serde(default)]
    locale: String,
    #[serde(default)]
    theme: String,
}

async fn panel(State(app): State<App>, caller: Caller, asked: Result<Form<Asked>, Problem>) -> Response {
    let locale = asked.as_ref().map(|Form(asked)| Locale::best(&asked.locale)).unwrap_or_default();
    match open(app, caller, asked).await {
        Ok((shown, host)) => render::page(StatusCode::OK, shown, host).await,
        Err(problem) => {
            let status = problem.code.status();
            tracing::info!(code = problem.code.name(), "the panel was not opened");
            let mut response = render::unavailable(status, locale).await;
            // The problem itself, for whoever looks at the network.
            let (parts, _) = problem.into_response().into_parts();
            if let Some(retry) = parts.headers.get(axum::http::header::RETRY_AFTER) {
                response.headers_mut().insert(axum::http::header::RETRY_AFTER, retry.clone());
            }
            response
        }
    }
}

async fn open(app: App, caller: Caller, asked: Result<Form<Asked>, Problem>) -> Result<(Shown, String), Problem> {
    let Form(asked) = asked?;
    app.limits.command(&asked.token)?;
    let host = asked.page.origin();
    let shown = app.store.commit(Open { engine: app.engine, caller, asked }).await?;
    Ok((shown, host))
}

/// The themes a page may ask for; anything else is `auto`.
pub(super) fn theme(asked: &str) -> String {
    if matches!(asked, "light" | "dark") { asked.to_owned() } else { "auto".to_owned() }
}

struct Open {
    engine: Engine,
    caller: Caller,
    asked: Asked,
}

impl Command for Open {
    type Done = Shown;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Shown, Failure<Problem>> {
        let Self { engine, caller, asked } = self;
        let (visitor, site) = admit(tx, &asked.token, &asked.page, &caller).await?;
        let now = engine.outside.now();
        let session = engine.session_at(tx, &visitor, now).await?;
        if tx.progress(visitor.id, &asked.conversation).await?.is_none() {
            // The page opens it by name: any that is published may be.
            let published =
                tx.published(&visitor.site).await?.into_iter().find(|published| published.conversation == asked.conversation);
            let unknown = || {
                Problem::new(Code::UnknownConversation, format!("no conversation \"{}\" is published", asked.conversation))
                    .field("conversation")
            };
            let version = published.ok_or_else(|| Failure::Refused(unknown()))?.version;
            offer(tx, &engine, &visitor, &session, &asked.conversation, version, None).await?;
        }
        let about = About {
            visitor: &visitor,
            view: asked.view,
            page: asked.page.as_str(),
            conversation: Some(&asked.conversation),
            at: now,
        };
        let session = engine.step(tx, session, about, session::Command::Open, None).await.map_err(lift)?;
        let sent = PanelSent {
            token: asked.token.reveal(),
            view: asked.view,
            after: asked.after,
            page: asked.page,
            conversation: asked.conversation,
            locale: asked.locale,
            theme: theme(&asked.theme),
            have: 0,
        };
        Shown::read(tx, &engine, site, &visitor, session.id, sent).await
    }
}
