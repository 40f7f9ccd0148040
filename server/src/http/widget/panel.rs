//! `POST /widget/panel`: the panel opens.

use axum::{Router, extract::State, http::StatusCode, response::Response, routing::post};
use porchlight_domain::{
    conversation::{Kind, Ui},
    session::{self, Standing},
};

use serde::Deserialize;

use super::{
    admit, lift,
    offer::{begin_anew, offer},
    render,
    shown::{PanelSent, Shown},
};
use crate::{
    http::{
        App,
        body::Forms,
        page::Caller,
        problem::{Code, Problem},
    },
    store::{Command, Failure, Tx},
    visit::Engine,
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/widget/panel", post(panel))
}

/// What opening sends besides.
#[derive(Debug, Deserialize)]
struct Opening {
    /// Whether the visitor asked for it: a conversation flow that had ended begins again.
    #[serde(default)]
    anew: bool,
}

type Sent = Result<Forms<PanelSent, Opening>, Problem>;

async fn panel(State(app): State<App>, caller: Caller, sent: Sent) -> Response {
    let locale = sent.as_ref().map(|Forms(sent, _)| sent.locale()).unwrap_or_default();
    match open(app, caller, sent).await {
        Ok((shown, host)) => render::page(StatusCode::OK, shown, host).await,
        Err(problem) => {
            tracing::info!(code = problem.code.name(), "the panel was not opened");
            render::unavailable(problem.code.status(), locale).await
        }
    }
}

async fn open(app: App, caller: Caller, sent: Sent) -> Result<(Shown, String), Problem> {
    let Forms(sent, Opening { anew }) = sent?;
    app.limits.command(&sent.token)?;
    let host = sent.page.origin();
    let shown = app.store.commit(Open { engine: app.engine, caller, sent, anew }).await?;
    Ok((shown, host))
}

struct Open {
    engine: Engine,
    caller: Caller,
    sent: PanelSent,
    anew: bool,
}

impl Command for Open {
    type Done = Shown;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Shown, Failure<Problem>> {
        let Self { engine, caller, sent, anew } = self;
        let (visitor, site) = admit(tx, &engine, &sent.token, &sent.page, &caller).await?;
        let now = engine.outside.now();
        let session = engine.session_at(tx, &visitor, now).await?;
        let published = site.published(&sent.conversation);
        let talk = engine.talk(tx, &visitor, &sent.conversation).await?;
        let mut spoken = 0;
        match (talk, published) {
            (None, None) => {
                let detail = format!("no conversation \"{}\" is published", sent.conversation);
                return Err(Failure::Refused(Problem::new(Code::UnknownConversation, detail).field("conversation")));
            }
            // The page opens it by name: any that is published may be.
            (None, Some((version, _))) => offer(tx, &engine, &visitor, &session, &sent.conversation, *version, None).await?,
            (Some((document, progress)), _) => {
                let ended = progress.standing == Standing::Ended;
                // A conversation flow may be gone through again: whenever it is asked for, and where it stands on the page in each session.
                let again = document.kind == Kind::ConversationFlow
                    && ended
                    && (anew || (document.ui == Ui::Inline && progress.counted.session != session.id));
                spoken = progress.entries;
                let version = published.map_or(progress.version, |(version, _)| *version);
                if again || (!progress.answered && !ended && progress.version != version) {
                    begin_anew(tx, &engine, &visitor, progress, version).await?;
                }
            }
        }
        let locale = site.site.language(&sent.locale);
        let about = sent.about(&visitor, &locale, now);
        let session = engine.step(tx, session, about, session::Command::Open, None).await.map_err(lift)?;
        Shown::read(tx, &engine, site, &visitor, session.id, sent, spoken).await
    }
}
