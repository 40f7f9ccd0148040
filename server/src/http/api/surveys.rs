//! Surveys: what visitors said of a chat.

use axum::{
    Json,
    extract::{Path, State},
};
use jiff::Timestamp;
use porchlight_domain::id::{AgentId, AttributeName, CardId, ChatId, ConversationId, SiteKey, SubmissionId, VisitorId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Authorized,
    command::command,
    parsed,
    problems::Problems,
    told::{self, Part},
};
use crate::{
    http::{App, body::Query, problem::Problem},
    store::{ListFilter, SubmissionRecord},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(list_surveys)).routes(routes!(get_survey))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Only those of this site.
    #[param(value_type = Option<String>)]
    site: Option<SiteKey>,
    /// Only those about chats that this agent answered last.
    #[param(value_type = Option<String>)]
    agent: Option<AgentId>,
    /// Only those of this visitor.
    #[param(value_type = Option<String>)]
    visitor: Option<VisitorId>,
    /// Only those that were given at this time or later.
    #[param(value_type = Option<String>, format = "date-time")]
    from: Option<Timestamp>,
    /// Only those that were given before this time.
    #[param(value_type = Option<String>, format = "date-time")]
    to: Option<Timestamp>,
    /// The `next` of the page before; without it, from the beginning.
    after: Option<String>,
    /// The most in the answer.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
}

/// A survey that was given.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Survey {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    id: SubmissionId,
    /// Its site.
    #[schema(value_type = String)]
    site: SiteKey,
    /// Who gave it.
    #[schema(value_type = String, format = "uuid")]
    visitor: VisitorId,
    /// The conversation that asked.
    #[schema(value_type = String)]
    conversation: ConversationId,
    /// Its version: with the labels of the fields as they were shown.
    version: u32,
    /// The card that asked.
    #[schema(value_type = String)]
    card: CardId,
    /// The chat it is about.
    #[schema(required, value_type = Option<String>, format = "uuid")]
    chat: Option<ChatId>,
    /// Who answered that last.
    #[schema(required, value_type = Option<String>, format = "uuid")]
    agent: Option<AgentId>,
    /// What was given, a field at a time, in the order of the form.
    answers: Vec<SurveyAnswer>,
    /// When.
    #[schema(format = "date-time")]
    submitted_at: String,
}

/// What was given to a field.
#[derive(Debug, Serialize, ToSchema)]
struct SurveyAnswer {
    /// The field's name.
    #[schema(value_type = String)]
    field: AttributeName,
    /// The value.
    value: String,
}

/// A page of surveys.
#[derive(Debug, Serialize, ToSchema)]
struct SurveysPage {
    /// The surveys, in the order in which they were given.
    surveys: Vec<Survey>,
    /// The `after` of the next page, if there may be one.
    #[schema(required)]
    next: Option<String>,
}

impl From<SubmissionRecord> for Survey {
    fn from(record: SubmissionRecord) -> Self {
        Self {
            id: record.id,
            site: record.site,
            visitor: record.visitor,
            conversation: record.conversation,
            version: record.version,
            card: record.card,
            chat: record.chat,
            agent: record.agent,
            answers: record.answers.into_iter().map(|(field, value)| SurveyAnswer { field, value }).collect(),
            submitted_at: told::time(record.at),
        }
    }
}

/// Lists surveys.
#[utoipa::path(
    get, path = "/api/v1/surveys", tag = "surveys", params(Asked),
    responses((status = 200, description = "A page of the surveys.", body = SurveysPage), Problems), security(("key" = ["surveys:read"]))
)]
async fn list_surveys(key: Authorized, State(app): State<App>, Query(asked): Query<Asked>) -> Result<Json<SurveysPage>, Problem> {
    let part = Part {
        site: asked.site,
        after: asked.after.as_deref(),
        limit: asked.limit,
        from: asked.from,
        to: asked.to,
        visitor: asked.visitor,
        agent: asked.agent,
        phases: &[],
    };
    let filter = part.read(&key)?;
    let limit = filter.limit;
    let found = app
        .store
        .look(command!(|tx, filter: ListFilter<SubmissionId>| -> Vec<SubmissionRecord> { Ok(tx.surveys_listed(&filter).await?) }))
        .await?;
    let next = told::next(&found, limit, |record| record.id);
    Ok(Json(SurveysPage { surveys: found.into_iter().map(Survey::from).collect(), next }))
}

/// Gives a survey.
#[utoipa::path(
    get, path = "/api/v1/surveys/{id}", tag = "surveys", params(("id" = String, Path, description = "The survey's id.")),
    responses((status = 200, description = "The survey.", body = Survey), Problems), security(("key" = ["surveys:read"]))
)]
async fn get_survey(key: Authorized, State(app): State<App>, Path(id): Path<String>) -> Result<Json<Survey>, Problem> {
    let id: SubmissionId = parsed(&id, "id")?;
    let found = app.store.look(command!(|tx, id: SubmissionId| -> Option<SubmissionRecord> { Ok(tx.survey(id).await?) })).await?;
    Ok(Json(told::there(found, |record| &record.site, &key, "survey")?.into()))
}
