//! `/console/surveys`: what surveys said, by agent, team and time.

use std::collections::{BTreeMap, HashMap};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date, tz::TimeZone};
use leptos::prelude::*;
use porchlight_app::console::surveys::{FieldResult, SurveyChoice, SurveyRow, SurveysPage};
use porchlight_domain::{
    conversation::{Body, FieldKind, FormField},
    id::AgentId,
};
use serde::Deserialize;

use super::{
    render,
    session::{Right, SignedIn},
};
use crate::{
    http::{
        App,
        body::Query,
        problem::{Code, Problem},
    },
    store::{AgentRow, Command, Failure, StoreError, SubmissionRecord, SurveyFilter, Tx},
    visit::Engine,
    when::{When, midnight},
};

/// The most surveys that are counted at once.
const COUNTED_MAX: u32 = 20_000;
/// How many are shown one by one.
const SHOWN_MAX: usize = 50;
/// How many different answers of a field are told apart; the rest are one.
const SHARES_MAX: usize = 20;
/// What is looked at if nothing is said.
const USUAL: SignedDuration = SignedDuration::from_hours(30 * 24);

pub(super) fn routes() -> Router<App> {
    Router::new().route("/console/surveys", get(show)).route("/console/surveys.csv", get(csv))
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Wanted {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    agent: String,
    #[serde(default)]
    team: String,
}

/// What is looked at, understood.
#[derive(Debug, Clone)]
struct Choice {
    first: Date,
    last: Date,
    agent: Option<AgentId>,
    team: Option<(String, String)>,
    zone: TimeZone,
}

impl Wanted {
    fn read(&self, agent: &AgentRow, now: Timestamp) -> Result<Choice, Problem> {
        let zone = agent.availability.zone();
        let day = |field: &str, text: &str, usual: Timestamp| -> Result<Date, Problem> {
            if text.is_empty() {
                return Ok(usual.to_zoned(zone.clone()).date());
            }
            let expected = || {
                Problem::new(Code::Malformed, format!("{field}: expected a day such as 2026-11-26, got {text:?}")).field(field)
            };
            text.parse().map_err(|_| expected())
        };
        let first = day("from", &self.from, now.checked_sub(USUAL).unwrap_or(now))?;
        let last = day("to", &self.to, now)?;
        if last < first {
            return Err(Problem::new(Code::Malformed, "to: expected a day that is not before the first").field("to"));
        }
        let bad = |field: &str| Problem::new(Code::Malformed, format!("{field}: expected one of the list")).field(field);
        let chosen = if self.agent.is_empty() { None } else { Some(self.agent.parse().map_err(|_| bad("agent"))?) };
        let team = match self.team.split_once('/') {
            None if self.team.is_empty() => None,
            Some((site, team)) => Some((site.to_owned(), team.to_owned())),
            None => return Err(bad("team")),
        };
        Ok(Choice { first, last, agent: chosen, team, zone })
    }
}

async fn show(
    State(app): State<App>,
    SignedIn { agent, .. }: SignedIn,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    agent.must(Right::SeeChats)?;
    let now = app.engine.outside.now();
    let (choice, problem) = match wanted.read(&agent, now) {
        Ok(choice) => (choice, None),
        Err(problem) => (Wanted::default().read(&agent, now)?, Some(problem)),
    };
    let status = problem.as_ref().map_or(StatusCode::OK, |problem| problem.code.status());
    let problem = problem.map(|problem| problem.in_words());
    let seen = app.store.look(Read { engine: app.engine.clone(), agent: agent.clone(), choice: choice.clone() }).await?;
    let (from, to) = (choice.first.to_string(), choice.last.to_string());
    let query = serde_urlencoded::to_string([("from", &from), ("to", &to), ("agent", &wanted.agent), ("team", &wanted.team)]);
    let link = format!("/console/surveys.csv?{}", query.unwrap_or_default());
    let chosen = SurveyChoice { from, to, agent: wanted.agent, team: wanted.team };
    Ok(render::page(status, Some(&agent), ("surveys", "Surveys"), move |_| {
        let Seen { agents, teams, count, results, rows, .. } = seen.clone();
        let (choice, csv, problem) = (chosen.clone(), link.clone(), problem.clone());
        view! { <SurveysPage choice agents teams count results rows csv problem/> }
    })
    .await)
}

async fn csv(
    State(app): State<App>,
    SignedIn { agent, .. }: SignedIn,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    agent.must(Right::SeeChats)?;
    let choice = wanted.read(&agent, app.engine.outside.now())?;
    let seen = app.store.look(Read { engine: app.engine.clone(), agent, choice }).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"surveys.csv\""),
    ];
    Ok((headers, seen.csv).into_response())
}

#[derive(Debug, Clone, Default)]
struct Seen {
    agents: Vec<(String, String)>,
    teams: Vec<(String, String)>,
    count: usize,
    results: Vec<FieldResult>,
    rows: Vec<SurveyRow>,
    csv: String,
}

struct Read {
    engine: Engine,
    agent: AgentRow,
    choice: Choice,
}

impl Command for Read {
    type Done = Seen;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Seen, Failure<Problem>> {
        let Self { engine, agent, choice } = self;
        let at = |day: Date| midnight(day, &choice.zone);
        let filter = SurveyFilter {
            sites: agent.sites(),
            agent: choice.agent,
            team: choice.team.as_ref().map(|(site, team)| (site.as_str(), team.as_str())),
            from: at(choice.first),
            to: at(choice.last.checked_add(1.day()).unwrap_or(Date::MAX)),
            limit: COUNTED_MAX,
        };
        let records = tx.surveys(&filter).await?;
        let all = tx.agents().await?.into_iter().filter(|other| agent.works_with(other));
        let names: HashMap<AgentId, String> = all.map(|agent| (agent.id, agent.name)).collect();
        let mut agents: Vec<(String, String)> = names.iter().map(|(id, name)| (id.to_string(), name.clone())).collect();
        agents.sort_by(|one, other| one.1.cmp(&other.1));
        let teams = tx.teams().await?.into_iter().filter(|team| agent.serves(&team.site));
        let teams = teams.map(|team| (format!("{}/{}", team.site, team.id), team.name)).collect();
        let mut forms = Forms::default();
        let mut tally: BTreeMap<(String, usize), Tally> = BTreeMap::new();
        let (writes, mut rows) = (When::of("en-GB"), Vec::new());
        let mut table = Table::default();
        for record in &records {
            let fields = forms.of(tx, &engine, record).await?;
            let name = record.agent.and_then(|agent| names.get(&agent)).cloned().unwrap_or_default();
            table.line(record, &name);
            let mut answers = Vec::new();
            for (field, value) in &record.answers {
                let known = fields.iter().position(|known| known.name == *field);
                let label = known.map_or_else(|| field.to_string(), |index| fields[index].label.in_locale("en", "en").to_owned());
                if let Some(index) = known {
                    let key = (format!("{} · {}", record.conversation, record.card), index);
                    tally
                        .entry(key)
                        .or_insert_with(|| Tally::new(field.to_string(), label.clone(), fields[index].field))
                        .add(value);
                }
                answers.push((label, value.clone()));
            }
            if rows.len() < SHOWN_MAX {
                rows.push(SurveyRow {
                    at: writes.day_and_time(record.at, &choice.zone),
                    agent: name,
                    answers,
                    chat: record.chat.map(|chat| chat.to_string()),
                });
            }
        }
        let results = tally.into_iter().filter_map(|((place, _), tally)| tally.result(&place)).collect();
        Ok(Seen { agents, teams, count: records.len(), results, rows, csv: table.text })
    }
}

/// Forms that were looked up.
#[derive(Default)]
struct Forms(HashMap<(String, String, u32, String), Vec<FormField>>);

impl Forms {
    async fn of(&mut self, tx: &mut Tx<'_>, engine: &Engine, record: &SubmissionRecord) -> Result<Vec<FormField>, StoreError> {
        let key = (record.site.to_string(), record.conversation.to_string(), record.version, record.card.to_string());
        if let Some(known) = self.0.get(&key) {
            return Ok(known.clone());
        }
        let document = engine.documents.get(tx, &record.site, &record.conversation, record.version).await?;
        let fields = match document.card(&record.card).map(|card| &card.body) {
            Some(Body::Form(form)) => form.fields.clone(),
            _ => Vec::new(),
        };
        self.0.insert(key, fields.clone());
        Ok(fields)
    }
}

/// The answers to a field, counted.
struct Tally {
    name: String,
    label: String,
    kind: FieldKind,
    counts: BTreeMap<String, usize>,
}

impl Tally {
    fn new(name: String, label: String, kind: FieldKind) -> Self {
        Self { name, label, kind, counts: BTreeMap::new() }
    }

    fn add(&mut self, value: &str) {
        *self.counts.entry(value.to_owned()).or_default() += 1;
    }

    /// The results; of what people write in their own words there are none but how many did.
    fn result(self, place: &str) -> Option<FieldResult> {
        let count: usize = self.counts.values().sum();
        if count == 0 {
            return None;
        }
        let share = |part: usize| u8::try_from((part * 100 + count / 2) / count).unwrap_or(100);
        let mut shares: Vec<(String, usize, u8)> = match self.kind.scale() {
            // Each number of a rating, also those that nobody gave.
            Some((least, most)) => (least..=most)
                .map(|number| {
                    let given = self.counts.get(&number.to_string()).copied().unwrap_or_default();
                    (number.to_string(), given, share(given))
                })
                .collect(),
            None if matches!(self.kind, FieldKind::Choice | FieldKind::CheckBox | FieldKind::Consent) => {
                self.counts.iter().map(|(value, given)| (value.clone(), *given, share(*given))).collect()
            }
            None => Vec::new(),
        };
        if self.kind.scale().is_none() {
            shares.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
            shares.truncate(SHARES_MAX);
        }
        let mean = self.kind.scale().map(|_| {
            let sum: usize = self.counts.iter().filter_map(|(value, given)| Some(value.parse::<usize>().ok()? * given)).sum();
            let hundredths = (sum * 100 + count / 2) / count;
            format!("{}.{:02}", hundredths / 100, hundredths % 100)
        });
        Some(FieldResult { name: format!("{place} · {}", self.name), label: self.label, count, mean, shares })
    }
}

/// Surveys as comma-separated values ([RFC 4180](https://www.rfc-editor.org/rfc/rfc4180)): a line an answer, so that forms with different fields are one table.
struct Table {
    text: String,
}

impl Default for Table {
    fn default() -> Self {
        Self { text: "time,site,conversation,version,card,chat,agent,visitor,field,value\r\n".to_owned() }
    }
}

impl Table {
    fn line(&mut self, record: &SubmissionRecord, agent: &str) {
        for (field, value) in &record.answers {
            let cells = [
                record.at.to_string(),
                record.site.to_string(),
                record.conversation.to_string(),
                record.version.to_string(),
                record.card.to_string(),
                record.chat.map(|chat| chat.to_string()).unwrap_or_default(),
                agent.to_owned(),
                record.visitor.to_string(),
                field.to_string(),
                value.clone(),
            ];
            self.text += &cells.map(|cell| crate::csv::cell(&cell)).join(",");
            self.text += "\r\n";
        }
    }
}
