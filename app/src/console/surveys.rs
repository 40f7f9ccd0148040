//! What surveys said.

use leptos::prelude::*;

use super::pages::ProblemLine;

/// The results of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldResult {
    /// The conversation and the field.
    pub name: String,
    /// What stands above it.
    pub label: String,
    /// How many have answered it.
    pub count: usize,
    /// The mean, if it is a rating.
    pub mean: Option<String>,
    /// How often each was given: what, how often, and which part of a hundred.
    pub shares: Vec<(String, usize, u8)>,
}

/// A survey that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SurveyRow {
    /// When, in words.
    pub at: String,
    /// The agent, if one answered.
    pub agent: String,
    /// What was given: label and value.
    pub answers: Vec<(String, String)>,
    /// The chat it is about.
    pub chat: Option<String>,
}

/// What is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SurveyChoice {
    /// The first day, as `YYYY-MM-DD`.
    pub from: String,
    /// The last day.
    pub to: String,
    /// The agent, by id.
    pub agent: String,
    /// The team, as `site/team`.
    pub team: String,
}

/// The results of surveys.
#[component]
pub fn SurveysPage(
    /// What is looked at.
    choice: SurveyChoice,
    /// The agents: id and name.
    agents: Vec<(String, String)>,
    /// The teams: `site/team` and name.
    teams: Vec<(String, String)>,
    /// How many surveys were given.
    count: usize,
    /// The results, field by field.
    results: Vec<FieldResult>,
    /// The latest surveys.
    rows: Vec<SurveyRow>,
    /// Where they are as CSV.
    csv: String,
    /// What was wrong.
    problem: Option<String>,
) -> impl IntoView {
    let options = |all: Vec<(String, String)>, chosen: String| {
        all.into_iter()
            .map(|(value, name)| {
                let selected = value == chosen;
                view! { <option value=value selected=selected>{name}</option> }
            })
            .collect_view()
    };
    let agents = options(agents, choice.agent.clone());
    let teams = options(teams, choice.team.clone());
    view! {
        <h1>"Surveys"</h1>
        <form class="card thirds" action="/console/surveys">
            <label class="field"><span class="label">"From"</span><input class="input" type="date" name="from" value=choice.from/></label>
            <label class="field"><span class="label">"To"</span><input class="input" type="date" name="to" value=choice.to/></label>
            <label class="field"><span class="label">"Agent"</span><select class="input" name="agent"><option value="">"All"</option>{agents}</select></label>
            <label class="field"><span class="label">"Team"</span><select class="input" name="team"><option value="">"All"</option>{teams}</select></label>
            <div class="buttons self-end mb-3">
                <button class="button-primary" type="submit">"Show"</button>
                <a class="button" href=csv>"As CSV"</a>
            </div>
        </form>
        <ProblemLine problem/>
        <p class="mb-3">{if count == 1 { "1 survey".to_owned() } else { format!("{count} surveys") }}</p>
        {results.into_iter().map(|field| view! { <Results field/> }).collect_view()}
        {(count == 0).then(|| view! { <p class="empty">"No surveys in this time."</p> })}
        {(!rows.is_empty()).then(|| view! { <h2>"The latest"</h2> })}
        <ul class="agent-list">
            {rows.into_iter().map(|row| view! {
                <li class="card">
                    <p class="hint">{row.at} " · " <bdi>{row.agent}</bdi> {row.chat.map(|chat| view! { " · " <a href=format!("/console/chats/{chat}")>"chat"</a> })}</p>
                    <dl class="facts">{row.answers.into_iter().map(|(label, value)| view! { <dt dir="auto">{label}</dt><dd dir="auto" class="said">{value}</dd> }).collect_view()}</dl>
                </li>
            }).collect_view()}
        </ul>
    }
}

#[component]
fn Results(field: FieldResult) -> impl IntoView {
    let FieldResult { name, label, count, mean, shares } = field;
    view! {
        <section class="card">
            <h2 dir="auto">{label} " " <span class="hint">{name}</span></h2>
            <p class="hint">{if count == 1 { "1 answer".to_owned() } else { format!("{count} answers") }}{mean.map(|mean| format!(", {mean} on average"))}</p>
            <table class="shares">
                <thead class="sr-only"><tr><th>"Answer"</th><th>"Share"</th><th>"Count"</th></tr></thead>
                <tbody>
                    {shares.into_iter().map(|(what, count, share)| view! {
                        <tr>
                            <th scope="row" dir="auto">{what}</th>
                            <td class="bar-cell"><meter min="0" max="100" value=share.to_string() aria-label=format!("{share} %")></meter></td>
                            <td>{count} " " <span class="hint">{format!("{share} %")}</span></td>
                        </tr>
                    }).collect_view()}
                </tbody>
            </table>
        </section>
    }
}
