//! `POST /widget/panel`: the panel opens.

use axum::{Router, extract::State, http::StatusCode, response::Response, routing::post};
use porchlight_domain::session;

use super::{
    admit, lift, render,
    shown::{PanelSent, Shown},
    start::offer,
};
use crate::{
    http::{
        App,
        body::Form,
        page::Caller,
        problem::{Code, Problem},
    },
    store::{Command, Failure, Tx},
    visit::Engine,
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/widget/panel", post(panel))
}

async fn panel(State(app): State<App>, caller: Caller, sent: Result<Form<PanelSent>, Problem>) -> Response {
    let locale = sent.as_ref().map(|Form(sent)| sent.locale()).unwrap_or_default();
    match open(app, caller, sent).await {
        Ok((shown, host)) => render::page(StatusCode::OK, shown, host).await,
        Err(problem) => {
            tracing::info!(code = problem.code.name(), "the panel was not opened");
            render::unavailable(problem.code.status(), locale).await
        }
    }
}

async fn open(app: App, caller: Caller, sent: Result<Form<PanelSent>, Problem>) -> Result<(Shown, String), Problem> {
    let Form(sent) = sent?;
    app.limits.command(&sent.token)?;
    let host = sent.page.origin();
    let shown = app.store.commit(Open { engine: app.engine, caller, sent }).await?;
    Ok((shown, host))
}

struct Open {
    engine: Engine,
    caller: Caller,
    sent: PanelSent,
}

impl Command for Open {
    type Done = Shown;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Shown, Failure<Problem>> {
        let Self { engine, caller, sent } = self;
        let (visitor, site) = admit(tx, &sent.token, &sent.page, &caller).await?;
        let now = engine.outside.now();
        let session = engine.session_at(tx, &visitor, now).await?;
        if tx.progress(visitor.id, &sent.conversation).await?.is_none() {
            // The page opens it by name: any that is published may be.
            let published =
                tx.published(&visitor.site).await?.into_iter().find(|published| published.conversation == sent.conversation);
            let version = published.map(|published| published.version).ok_or_else(|| {
                let detail = format!("no conversation \"{}\" is published", sent.conversation);
                Failure::Refused(Problem::new(Code::UnknownConversation, detail).field("conversation"))
            })?;
            offer(tx, &engine, &visitor, &session, &sent.conversation, version, None).await?;
        }
        let session = engine.step(tx, session, sent.about(&visitor, now), session::Command::Open, None).await.map_err(lift)?;
        Shown::read(tx, &engine, site, &visitor, session.id, sent).await
    }
}
