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
use porchlight_app::i18n::SystemTexts;
use porchlight_domain::{
    contact::BadPhone,
    id::{AnswerId, CardId},
    session::{self, Answer, Input, InvalidInput, Refusal},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    admit, refused, render,
    shown::{PanelSent, Shown},
};
use crate::{
    http::{App, body::Forms, page::Caller, problem::Problem},
    store::{Command, Failure, Tx},
    visit::Engine,
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/widget/v1/answers", post(answers))
}

/// What an answer sends besides.
#[derive(Debug, Deserialize)]
struct Answered {
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

type Sent = Result<Forms<PanelSent, Answered>, Problem>;

async fn answers(State(app): State<App>, caller: Caller, headers: HeaderMap, sent: Sent) -> Response {
    let by_script = headers.get_all(header::ACCEPT).iter().any(|value| value.as_bytes().starts_with(b"application/json"));
    let locale = sent.as_ref().map(|Forms(sent, _)| sent.locale()).unwrap_or_default();
    match answer(app, caller, sent, by_script).await {
        Ok((outcome, _)) if by_script => by_fragments(&outcome),
        Ok((outcome, host)) => by_page(outcome, host).await,
        Err(problem) if by_script => problem.with("message", locale.system().failed).into_response(),
        Err(problem) => render::unavailable(problem.code.status(), locale).await,
    }
}

async fn answer(app: App, caller: Caller, sent: Sent, by_script: bool) -> Result<(Outcome, String), Problem> {
    let Forms(mut sent, answered) = sent?;
    app.limits.command(&sent.token)?;
    let host = sent.page.origin();
    if !by_script {
        // A page has the whole transcript.
        sent.have = 0;
    }
    let outcome = app.store.commit(Take { engine: app.engine, caller, sent, answered }).await?;
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
    sent: PanelSent,
    answered: Answered,
}

impl Command for Take {
    type Done = Outcome;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Outcome, Failure<Problem>> {
        let Self { engine, caller, sent, answered } = self;
        let Answered { id, turn, card, value, country, skip } = answered;
        let (visitor, site) = admit(tx, &sent.token, &sent.page, &caller).await?;
        let now = engine.outside.now();
        let mut session = engine.session_at(tx, &visitor, now).await?;
        let mut refusal = None;
        // Sent twice, answered once: the second time only shows what the first led to.
        if !tx.was_answered(visitor.id, &sent.conversation, id).await? {
            let input = if skip { Input::Skipped } else { Input::Given { value: value.clone(), country: country.clone() } };
            let command = session::Command::Answer(Answer { id, turn, card, input });
            match engine.step(tx, session.clone(), sent.about(&visitor, now), command, Some(id)).await {
                Ok(stepped) => session = stepped,
                Err(Failure::Refused(Refusal::NoConversation)) => {
                    return Err(Failure::Refused(refused(&Refusal::NoConversation)));
                }
                Err(Failure::Refused(refused)) => refusal = Some(refused),
                Err(Failure::Store(error)) => return Err(Failure::Store(error)),
            }
        }
        let mut shown = Shown::read(tx, &engine, site, &visitor, session.id, sent).await?;
        if let Some(refusal) = &refusal {
            shown.standing.problem = Some(in_words(refusal, shown.locale.system()).to_owned());
            if matches!(refusal, Refusal::Invalid(_)) {
                shown.standing.typed = value;
                shown.standing.wrong = true;
                if let (Some(asked), Some(country)) = (&mut shown.standing.asked, country) {
                    asked.country = country;
                }
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
