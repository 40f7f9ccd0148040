//! `POST /widget/v1/answers`: the visitor answers, by a plain form or by the panel's script.
//!
//! Both send the same form. Who accepts JSON gets what was said since and the next card, as fragments; who does not gets the
//! whole panel as a page.

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use porchlight_app::i18n::{Locale, SystemTexts};
use porchlight_domain::{
    contact::BadPhone,
    id::{AnswerId, CardId, ConversationId, PageViewId},
    session::{self, Answer, Input, InvalidInput, Refusal},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    admit, panel, refused, render,
    shown::{PanelSent, Shown},
};
use crate::{
    http::{
        App,
        body::Form,
        page::{Caller, Page},
        problem::Problem,
    },
    secret::Secret,
    store::{Command, Failure, Tx},
    visit::{About, Engine},
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/widget/v1/answers", post(answers))
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
    /// The number of the last entry that is shown.
    #[serde(default)]
    have: u32,
    /// Names the submission.
    id: AnswerId,
    turn: u32,
    card: CardId,
    #[serde(default)]
    value: String,
    country: Option<String>,
    #[serde(default)]
    skip: bool,
}

async fn answers(State(app): State<App>, caller: Caller, headers: HeaderMap, asked: Result<Form<Asked>, Problem>) -> Response {
    let by_script = headers.get_all(header::ACCEPT).iter().any(|value| value.as_bytes().starts_with(b"application/json"));
    let locale = asked.as_ref().map(|Form(asked)| Locale::best(&asked.locale)).unwrap_or_default();
    match answer(app, caller, asked, by_script).await {
        Ok((outcome, _)) if by_script => by_fragments(&outcome),
        Ok((outcome, host)) => by_page(outcome, host).await,
        Err(problem) if by_script => problem.with("message", locale.system().failed).into_response(),
        Err(problem) => render::unavailable(problem.code.status(), locale).await,
    }
}

async fn answer(
    app: App,
    caller: Caller,
    asked: Result<Form<Asked>, Problem>,
    by_script: bool,
) -> Result<(Outcome, String), Problem> {
    let Form(asked) = asked?;
    app.limits.command(&asked.token)?;
    let host = asked.page.origin();
    let outcome = app.store.commit(Take { engine: app.engine, caller, asked, whole: !by_script }).await?;
    Ok((outcome, host))
}

/// What came of an answer. A refusal is no failure: the panel goes on from where it stands, and says what was wrong.
struct Outcome {
    refusal: Option<Refusal>,
    shown: Shown,
}

struct Take {
    engine: Engine,
    caller: Caller,
    asked: Asked,
    /// Whether the whole transcript is wanted, for a page.
    whole: bool,
}

impl Command for Take {
    type Done = Outcome;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Outcome, Failure<Problem>> {
        let Self { engine, caller, asked, whole } = self;
        let (visitor, site) = admit(tx, &asked.token, &asked.page, &caller).await?;
        let now = engine.outside.now();
        let mut session = engine.session_at(tx, &visitor, now).await?;
        let mut refusal = None;
        // Sent twice, answered once: the second time only shows what the first led to.
        if !tx.was_answered(visitor.id, &asked.conversation, asked.id).await? {
            let input =
                if asked.skip { Input::Skipped } else { Input::Given { value: asked.value.clone(), country: asked.country } };
            let about = About {
                visitor: &visitor,
                view: asked.view,
                page: asked.page.as_str(),
                conversation: Some(&asked.conversation),
                at: now,
            };
            let command = session::Command::Answer(Answer { id: asked.id, turn: asked.turn, card: asked.card, input });
            match engine.step(tx, session.clone(), about, command, Some(asked.id)).await {
                Ok(stepped) => session = stepped,
                Err(Failure::Refused(Refusal::NoConversation)) => {
                    return Err(Failure::Refused(refused(&Refusal::NoConversation)));
                }
                Err(Failure::Refused(refused)) => refusal = Some(refused),
                Err(Failure::Store(error)) => return Err(Failure::Store(error)),
            }
        }
        let sent = PanelSent {
            token: asked.token.reveal(),
            view: asked.view,
            after: asked.after,
            page: asked.page,
            conversation: asked.conversation,
            locale: asked.locale,
            theme: panel::theme(&asked.theme),
            have: if whole { 0 } else { asked.have },
        };
        let mut shown = Shown::read(tx, &engine, site, &visitor, session.id, sent).await?;
        if let Some(refusal) = &refusal {
            shown.standing.problem = Some(in_words(refusal, shown.locale.system()).to_owned());
            if matches!(refusal, Refusal::Invalid(_)) {
                shown.standing.typed = asked.value;
            }
        }
        Ok(Outcome { refusal, shown })
    }
}

fn in_words(refusal: &Refusal, texts: &SystemTexts) -> &'static str {
    match refusal {
        Refusal::Invalid(InvalidInput::Email(_)) => texts.bad_email,
        Refusal::Invalid(InvalidInput::Phone(BadPhone::NotANumber)) => texts.bad_phone,
        Refusal::Invalid(InvalidInput::Phone(BadPhone::TooShort)) => texts.phone_too_short,
        Refusal::Invalid(InvalidInput::Phone(BadPhone::TooLong)) => texts.phone_too_long,
        Refusal::Invalid(InvalidInput::Phone(BadPhone::UnknownCountry)) => texts.bad_country,
        Refusal::Invalid(InvalidInput::NotAChoice) => texts.not_a_choice,
        Refusal::Invalid(InvalidInput::Required) => texts.required,
        Refusal::NotCurrent { .. } | Refusal::NotWaiting => texts.not_current,
        Refusal::NoConversation => texts.failed,
    }
}

async fn by_page(Outcome { refusal, shown }: Outcome, host: String) -> Response {
    let status = refusal.map_or(StatusCode::OK, |refusal| refused(&refusal).code.status());
    render::page(status, shown, host).await
}

fn by_fragments(Outcome { refusal, shown }: &Outcome) -> Response {
    let (said, card) = render::fragments(shown);
    let told = &shown.told;
    let now = json!({ "session": told.session, "cursor": told.cursor, "events": told.events, "said": said, "card": card });
    let Some(refusal) = refusal else { return Json(now).into_response() };
    let mut problem = refused(refusal).with("message", shown.standing.problem.clone().unwrap_or_default());
    match (refusal, now) {
        (Refusal::Invalid(InvalidInput::Phone(BadPhone::UnknownCountry)), _) => problem = problem.field("country"),
        (Refusal::Invalid(_), _) => {}
        // The panel is behind: this brings it up to date, and says so.
        (_, Value::Object(now)) => problem = now.into_iter().fold(problem, |problem, (name, value)| problem.with(&name, value)),
        _ => {}
    }
    problem.into_response()
}
