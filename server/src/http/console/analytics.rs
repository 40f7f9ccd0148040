//! `/console/analytics`: how conversations, pages and agents do, in numbers.

use std::collections::BTreeMap;

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use leptos::prelude::*;
use porchlight_app::console::{
    analytics::{AnalyticsChoice, AnalyticsPage, FigureRow, FigureTable, FunnelPage, FunnelRow, Head, Shown, Tile, Way},
    chart::{Chart, Series, grouped},
};
use porchlight_domain::id::{ConversationId, SiteKey};
use serde::Deserialize;

use super::{
    render,
    session::{Right, SignedIn},
};
use crate::{
    analytics::{
        read::{BadPeriod, CardTotals, Funnel, FunnelCard, Line, Period, all, date_of, funnel, lines, number_of, share},
        tally::{Dimension, Figure, Figures},
    },
    csv::cell,
    http::{
        App,
        body::Query,
        problem::{Code, Problem},
    },
    store::{AgentRow, Command, Failure, Tx},
    visit::Documents,
};

/// How many rows of a table are shown; CSV has them all.
const ROWS_MAX: usize = 100;
/// Times that are often looked at: their days, and what they are called.
const PRESETS: [(i32, &str); 4] = [(7, "7 days"), (30, "30 days"), (90, "90 days"), (365, "12 months")];
/// Up to how many days a chart has a place for each.
const BY_DAY: i64 = 31;
/// Up to how many it has one for each week; beyond, for each month.
const BY_WEEK: i64 = 190;
/// The lines of the chart.
const LINES: [(&str, Figure); 4] = [
    ("Triggered", Figure::Triggered),
    ("Engaged", Figure::Engaged),
    ("Completed", Figure::Completed),
    ("People acquired", Figure::Acquired),
];

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/console/analytics", get(show))
        .route("/console/analytics.csv", get(csv))
        .route("/console/analytics/funnel", get(show_funnel))
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Wanted {
    #[serde(default)]
    site: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    sort: String,
    #[serde(default)]
    by: String,
    #[serde(default)]
    conversation: String,
    #[serde(default)]
    version: String,
}

fn bad(field: &'static str, expected: &str) -> Problem {
    Problem::new(Code::Malformed, format!("{field}: expected {expected}")).field(field)
}

impl From<BadPeriod> for Problem {
    fn from(error: BadPeriod) -> Self {
        Self::new(Code::Malformed, error.to_string()).field(error.field())
    }
}

impl Wanted {
    fn period(&self, now: Timestamp) -> Result<Period, Problem> {
        Ok(Period::read(&self.from, &self.to, now)?)
    }

    /// The version that is asked for; none: all.
    fn version(&self) -> Result<Option<u32>, Problem> {
        if self.version.is_empty() {
            return Ok(None);
        }
        self.version.parse().map(Some).map_err(|_| bad("version", "the number of a version"))
    }

    /// The figure that tables are in the order of; else each has its own.
    fn sort(&self) -> Option<Figure> {
        Figure::ALL.iter().copied().find(|figure| figure.name() == self.sort)
    }
}

/// A cell of a table.
#[derive(Debug, Clone, Copy)]
enum Column {
    /// A figure.
    Of(&'static str, Figure),
    /// A part of a hundred.
    Rate(&'static str, fn(&Figures) -> Option<f64>),
    /// A length of time on average.
    Time(&'static str, fn(&Figures) -> Option<f64>),
}

const OF_CONVERSATIONS: &[Column] = &[
    Column::Of("Triggered", Figure::Triggered),
    Column::Of("Engaged", Figure::Engaged),
    Column::Rate("Engagement", Figures::engagement_rate),
    Column::Of("Completed", Figure::Completed),
    Column::Rate("Completion", Figures::completion_rate),
    Column::Of("Closed", Figure::Closed),
    Column::Of("Acquired", Figure::Acquired),
    Column::Rate("Conversion", Figures::conversion_rate),
    Column::Of("Meetings", Figure::Meetings),
    Column::Of("Chats", Figure::ChatsAnswered),
];
const OF_PAGES: &[Column] = &[
    Column::Of("Triggered", Figure::Triggered),
    Column::Of("Engaged", Figure::Engaged),
    Column::Rate("Engagement", Figures::engagement_rate),
    Column::Of("Completed", Figure::Completed),
    Column::Of("Acquired", Figure::Acquired),
    Column::Rate("Conversion", Figures::conversion_rate),
    Column::Of("Meetings", Figure::Meetings),
    Column::Of("Chats", Figure::ChatsAnswered),
];
const OF_AGENTS: &[Column] = &[
    Column::Of("Chats", Figure::ChatsAnswered),
    Column::Time("Waiting", Figures::mean_wait),
    Column::Time("First answer", Figures::mean_answer),
    Column::Of("Meetings", Figure::Meetings),
    Column::Of("Calls", Figure::CallbacksCompleted),
    Column::Of("Surveys", Figure::Surveys),
    Column::Rate("Rating", rating),
];

fn rating(figures: &Figures) -> Option<f64> {
    figures.mean_rating().map(|rating| rating / 100.0)
}

/// A part of a hundred, in words.
fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// A length of time in milliseconds, in words.
fn lasted(milliseconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "a mean of times, each of which is a number of milliseconds")]
    let seconds = (milliseconds / 1000.0).round() as i64;
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", grouped(seconds / 3600), seconds % 3600 / 60),
    }
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "–".to_owned())
}

impl Column {
    fn write(self, figures: &Figures) -> String {
        match self {
            Self::Of(_, figure) => grouped(figures[figure]),
            Self::Rate(_, rate) => or_dash(rate(figures).map(percent)),
            Self::Time(_, mean) => or_dash(mean(figures).map(lasted)),
        }
    }
}

/// An address with a query.
fn address(path: &str, query: &[(&str, &str)]) -> String {
    let query: Vec<_> = query.iter().filter(|(_, value)| !value.is_empty()).collect();
    format!("{path}?{}", serde_urlencoded::to_string(query).unwrap_or_default())
}

/// The site that is asked for, among those an agent works for; the first, if none is.
fn site_of(agent: &AgentRow, sites: &[SiteKey], asked: &str) -> Result<Option<SiteKey>, Problem> {
    let mut own = sites.iter().filter(|site| agent.serves(site));
    if asked.is_empty() {
        return Ok(own.next().cloned());
    }
    let unknown = || Problem::new(Code::UnknownSite, format!("there is no site with the key {asked:?}")).field("site");
    own.find(|site| site.as_str() == asked).cloned().map(Some).ok_or_else(unknown)
}

/// What is read for the page.
#[derive(Debug, Clone)]
struct Seen {
    all: Figures,
    before: Figures,
    days: BTreeMap<i64, Figures>,
    conversations: Vec<Line>,
    pages: Vec<Line>,
    agents: Vec<Line>,
}

struct Read {
    documents: Documents,
    site: SiteKey,
    period: Period,
}

impl Command for Read {
    type Done = Seen;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Seen, Failure<Problem>> {
        let Self { documents, site, period } = self;
        let (first, before) = period.bounds();
        Ok(Seen {
            all: all(tx, &site, period).await?,
            before: all(tx, &site, period.before()).await?,
            days: tx.figures_by_day(&site, first, before).await?,
            conversations: lines(tx, &documents, &site, Dimension::Conversation, period).await?,
            pages: lines(tx, &documents, &site, Dimension::Page, period).await?,
            agents: lines(tx, &documents, &site, Dimension::Agent, period).await?,
        })
    }
}

struct ReadSites;

impl Command for ReadSites {
    type Done = Vec<SiteKey>;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Vec<SiteKey>, Failure<Problem>> {
        Ok(tx.sites().await?)
    }
}

/// What is looked at on each page of the numbers.
struct Looked {
    site: Option<SiteKey>,
    sites: Vec<String>,
    period: Period,
    counted_to: Option<Timestamp>,
    problem: Option<Problem>,
}

/// Reads which site and time are looked at. What is wrong with the time is told beside the usual one.
async fn look(app: &App, agent: &AgentRow, wanted: &Wanted) -> Result<Looked, Problem> {
    agent.must(Right::SeeAnalytics)?;
    let now = app.engine.outside.now();
    let sites = app.store.look(ReadSites).await?;
    let site = site_of(agent, &sites, &wanted.site)?;
    let (period, problem) = match wanted.period(now) {
        Ok(period) => (period, None),
        Err(problem) => (Wanted::default().period(now)?, Some(problem)),
    };
    let counted_to = app.counter.before_shown().await?;
    let sites = sites.iter().filter(|site| agent.serves(site)).map(ToString::to_string).collect();
    Ok(Looked { site, sites, period, counted_to, problem })
}

impl Looked {
    fn status(&self) -> StatusCode {
        self.problem.as_ref().map_or(StatusCode::OK, |problem| problem.code.status())
    }

    fn choice(&self) -> AnalyticsChoice {
        AnalyticsChoice {
            site: self.site.as_ref().map(ToString::to_string).unwrap_or_default(),
            from: self.period.first.to_string(),
            to: self.period.last.to_string(),
        }
    }

    /// Ways to times that are often looked at.
    fn presets(&self, now: Timestamp, path: &str, more: &[(&str, &str)]) -> Vec<Way> {
        let site = self.choice().site;
        let way = |(days, label): (i32, &str)| {
            let period = Period::until(now, days);
            let (from, to) = (period.first.to_string(), period.last.to_string());
            let mut query = vec![("site", site.as_str())];
            query.extend_from_slice(more);
            query.extend([("from", from.as_str()), ("to", to.as_str())]);
            Way { label: label.to_owned(), href: address(path, &query), here: period == self.period }
        };
        PRESETS.map(way).to_vec()
    }
}

/// A day in words.
fn day(day: Date) -> String {
    day.strftime("%-d %B %Y").to_string()
}

fn in_words(period: Period) -> String {
    let days = match period.days() {
        1 => day(period.first),
        _ => format!("{} to {}", day(period.first), day(period.last)),
    };
    format!("{days}, in days of UTC.")
}

async fn show(
    State(app): State<App>,
    SignedIn { agent, .. }: SignedIn,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let looked = look(&app, &agent, &wanted).await?;
    let shown = match looked.site.clone() {
        Some(site) => {
            let read = Read { documents: app.engine.documents.clone(), site, period: looked.period };
            let seen = app.store.look(read).await?;
            shown(&looked, &seen, wanted.sort())
        }
        None => Shown { period: "There is no site yet.".to_owned(), ..Shown::default() },
    };
    let (status, choice, sites) = (looked.status(), looked.choice(), looked.sites.clone());
    let presets = looked.presets(app.engine.outside.now(), "/console/analytics", &[("sort", wanted.sort.as_str())]);
    let problem = looked.problem.map(|problem| problem.in_words());
    Ok(render::page(status, Some(&agent), ("analytics", "Analytics"), move |_| {
        let (choice, sites, presets, shown, problem) =
            (choice.clone(), sites.clone(), presets.clone(), shown.clone(), problem.clone());
        view! { <AnalyticsPage choice sites presets shown problem/> }
    })
    .await)
}

/// The page's figures, in words.
fn shown(looked: &Looked, seen: &Seen, sort: Option<Figure>) -> Shown {
    let choice = looked.choice();
    let csv = |by: &str| {
        address(
            "/console/analytics.csv",
            &[("by", by), ("site", choice.site.as_str()), ("from", choice.from.as_str()), ("to", choice.to.as_str())],
        )
    };
    let days = looked.period.days();
    let compared = if days == 1 { "the day before".to_owned() } else { format!("the {days} days before") };
    let empty = seen.all.is_empty();
    let table = |title, of, columns: &'static [Column], lines: &[Line], by: &str| {
        table(&choice, (title, of), columns, lines, sort, csv(by))
    };
    Shown {
        period: format!("{} Compared with {compared}.", in_words(looked.period)),
        counted_to: looked.counted_to.map(|until| until.to_zoned(TimeZone::UTC).strftime("%-d %B %Y, %H:%M UTC").to_string()),
        tiles: tiles(&seen.all, &seen.before),
        chart: (!empty).then(|| chart(looked.period, &seen.days)),
        tables: if empty {
            Vec::new()
        } else {
            vec![
                table("Conversations", "Conversation", OF_CONVERSATIONS, &seen.conversations, "conversation"),
                table("Pages", "Page", OF_PAGES, &seen.pages, "page"),
                table("Agents", "Agent", OF_AGENTS, &seen.agents, "agent"),
            ]
        },
        days_csv: csv("day"),
    }
}

/// How a number has changed, in words.
fn change(now: i64, before: i64) -> String {
    match share(now - before, before) {
        None if now == 0 => "as before".to_owned(),
        None => "none before".to_owned(),
        Some(change) if change.abs() < 0.0005 => format!("as before ({})", grouped(before)),
        Some(change) => {
            let sign = if change > 0.0 { "+" } else { "−" };
            format!("{sign}{} on {}", percent(change.abs()), grouped(before))
        }
    }
}

fn tiles(now: &Figures, before: &Figures) -> Vec<Tile> {
    let of = |label, figure: Figure, share: Option<String>| Tile {
        label,
        value: grouped(now[figure]),
        share,
        change: Some(change(now[figure], before[figure])),
    };
    let rate = |rate: Option<f64>, of: &str| rate.map(|rate| format!("{} of {of}", percent(rate)));
    let time = |label, mean: fn(&Figures) -> Option<f64>| Tile {
        label,
        value: or_dash(mean(now).map(lasted)),
        share: None,
        change: mean(before).map(|before| format!("{} before", lasted(before))),
    };
    vec![
        of("Triggered", Figure::Triggered, None),
        of("Engaged", Figure::Engaged, rate(now.engagement_rate(), "triggered")),
        of("Completed", Figure::Completed, rate(now.completion_rate(), "engaged")),
        of("Closed before the end", Figure::Closed, None),
        of("People acquired", Figure::Acquired, rate(now.conversion_rate(), "engaged")),
        of("New contacts", Figure::Contacts, None),
        of("Meetings booked", Figure::Meetings, Some(format!("{} called off", grouped(now[Figure::MeetingsCancelled])))),
        of("Chats asked for", Figure::ChatsRequested, Some(format!("{} missed", grouped(now[Figure::ChatsMissed])))),
        of("Chats answered", Figure::ChatsAnswered, None),
        time("Waiting, on average", Figures::mean_wait),
        time("First answer, on average", Figures::mean_answer),
        of("Surveys", Figure::Surveys, now.mean_rating().map(|rating| format!("rated {rating:.1} of 100"))),
        of("Call backs", Figure::Callbacks, Some(format!("{} made", grouped(now[Figure::CallbacksCompleted])))),
    ]
}

/// The first day of what a day is drawn with, and its label.
fn bucket(days: i64, date: Date) -> (Date, &'static str) {
    if days <= BY_DAY {
        (date, "%-d %b")
    } else if days <= BY_WEEK {
        (date.saturating_sub(i32::from(date.weekday().to_monday_zero_offset()).days()), "%-d %b")
    } else {
        (date.first_of_month(), "%b %Y")
    }
}

fn chart(period: Period, days: &BTreeMap<i64, Figures>) -> Chart {
    let (first, before) = period.bounds();
    let length = period.days();
    let mut sums: Vec<(Date, Figures)> = Vec::new();
    for number in first..before {
        let (begin, _) = bucket(length, date_of(number));
        // The first may have begun before the time.
        let begin = if number_of(begin) < first { period.first } else { begin };
        if sums.last().is_none_or(|(last, _)| *last != begin) {
            sums.push((begin, Figures::default()));
        }
        if let (Some((_, sum)), Some(figures)) = (sums.last_mut(), days.get(&number)) {
            *sum += *figures;
        }
    }
    let (_, form) = bucket(length, period.first);
    let each = if length <= BY_DAY {
        "day"
    } else if length <= BY_WEEK {
        "week"
    } else {
        "month"
    };
    let total = |figure: Figure| sums.iter().map(|(_, figures)| figures[figure]).sum::<i64>();
    let says: Vec<String> = LINES.iter().map(|(name, figure)| format!("{name}: {}", grouped(total(*figure)))).collect();
    Chart {
        title: format!("By {each}"),
        about: format!("Lines for each {each}. {}. The table below has each value.", says.join(", ")),
        labels: sums.iter().map(|(begin, _)| begin.strftime(form).to_string()).collect(),
        series: LINES
            .iter()
            .map(|(name, figure)| Series { name, values: sums.iter().map(|(_, figures)| figures[*figure]).collect() })
            .collect(),
    }
}

fn table(
    choice: &AnalyticsChoice,
    (title, of): (&'static str, &'static str),
    columns: &'static [Column],
    lines: &[Line],
    sort: Option<Figure>,
    csv: String,
) -> FigureTable {
    let figures = || columns.iter().filter_map(|column| if let Column::Of(_, figure) = column { Some(*figure) } else { None });
    // What a table has no column of, it is not in the order of.
    let sort = sort.filter(|sort| figures().any(|figure| figure == *sort)).or_else(|| figures().next());
    let mut lines: Vec<&Line> = lines.iter().collect();
    if let Some(sort) = sort {
        // They come by name, and stay so where they are equal.
        lines.sort_by_key(|line| std::cmp::Reverse(line.figures[sort]));
    }
    let query = [("site", choice.site.as_str()), ("from", choice.from.as_str()), ("to", choice.to.as_str())];
    let with = |path: &str, more: (&str, &str)| {
        let mut query = query.to_vec();
        query.push(more);
        address(path, &query)
    };
    let heads = columns
        .iter()
        .map(|column| match *column {
            Column::Of(label, figure) => {
                Head { label, href: Some(with("/console/analytics", ("sort", figure.name()))), sorted: sort == Some(figure) }
            }
            Column::Rate(label, _) | Column::Time(label, _) => Head { label, href: None, sorted: false },
        })
        .collect();
    let rows = lines
        .iter()
        .take(ROWS_MAX)
        .map(|line| FigureRow {
            name: line.name.clone(),
            href: (title == "Conversations").then(|| with("/console/analytics/funnel", ("conversation", line.value.as_str()))),
            cells: columns.iter().map(|column| column.write(&line.figures)).collect(),
        })
        .collect();
    let hidden = lines.len().saturating_sub(ROWS_MAX);
    let more = (hidden > 0).then(|| format!("The first {ROWS_MAX} of {} are shown; as CSV there are all.", lines.len()));
    FigureTable { title, of, heads, rows, more, csv }
}

// Funnels.

struct ReadFunnel {
    documents: Documents,
    site: SiteKey,
    conversation: ConversationId,
    version: Option<u32>,
    period: Period,
}

impl Command for ReadFunnel {
    type Done = Funnel;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Funnel, Failure<Problem>> {
        let Self { documents, site, conversation, version, period } = self;
        let found = funnel(tx, &documents, &site, &conversation, version, period).await?;
        found.ok_or_else(|| Failure::Refused(no_conversation(conversation.as_str())))
    }
}

fn no_conversation(id: &str) -> Problem {
    Problem::new(Code::UnknownConversation, format!("there is no conversation {id:?}, or not in this version"))
        .field("conversation")
}

async fn read_funnel(app: &App, wanted: &Wanted, looked: &Looked) -> Result<Funnel, Problem> {
    let site = looked.site.clone().ok_or_else(|| no_conversation(&wanted.conversation))?;
    let conversation = wanted.conversation.parse().map_err(|_| no_conversation(&wanted.conversation))?;
    let documents = app.engine.documents.clone();
    Ok(app.store.look(ReadFunnel { documents, site, conversation, version: wanted.version()?, period: looked.period }).await?)
}

/// What a kind of card is called.
fn kind(name: &str) -> &str {
    match name {
        "message" => "Message",
        "question" => "Question",
        "capture" => "Field",
        "document" => "Document",
        "form" => "Form",
        "liveChat" => "Live chat",
        "meeting" => "Meeting",
        "callback" => "Call back",
        "call" => "Call",
        "end" => "End",
        other => other,
    }
}

/// Whether a kind of card waits for the visitor.
fn asks(kind: &str) -> bool {
    !matches!(kind, "message" | "end")
}

fn funnel_rows(funnel: &Funnel) -> Vec<FunnelRow> {
    let most = funnel.most();
    let row = |card: String, says: String, asks: bool, totals: CardTotals| FunnelRow {
        card,
        says,
        reached: totals.reached,
        share: u8::try_from(totals.reached.saturating_mul(100) / most.max(1)).unwrap_or(100).min(100),
        answered: asks.then_some(totals.answered),
        stayed: totals.waiting,
        stayed_share: share(totals.waiting, totals.reached).map(|share| percent(share.min(1.0))).unwrap_or_default(),
    };
    let mut rows: Vec<FunnelRow> = funnel
        .cards
        .iter()
        .map(|FunnelCard { card, kind: name, says, totals }| {
            let says = if says.is_empty() { kind(name).to_owned() } else { format!("{}: {says}", kind(name)) };
            row(card.to_string(), says, asks(name), *totals)
        })
        .collect();
    rows.extend(funnel.removed.map(|totals| row(String::new(), "(removed)".to_owned(), true, totals)));
    rows
}

async fn show_funnel(
    State(app): State<App>,
    SignedIn { agent, .. }: SignedIn,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let looked = look(&app, &agent, &wanted).await?;
    let funnel = read_funnel(&app, &wanted, &looked).await?;
    let (status, choice, period) = (looked.status(), looked.choice(), in_words(looked.period));
    let (id, asked) = (wanted.conversation.clone(), wanted.version.clone());
    let more = [("conversation", id.as_str()), ("version", asked.as_str())];
    let presets = looked.presets(app.engine.outside.now(), "/console/analytics/funnel", &more);
    let query = [("site", choice.site.as_str()), ("from", choice.from.as_str()), ("to", choice.to.as_str())];
    let back = address("/console/analytics", &query);
    let mut table = vec![("by", "funnel")];
    table.extend(query.iter().chain(&more));
    let csv = address("/console/analytics.csv", &table);
    let (rows, version) = (funnel_rows(&funnel), wanted.version()?);
    let conversation = (wanted.conversation, funnel.name);
    let (versions, problem) = (funnel.versions, looked.problem.map(|problem| problem.in_words()));
    Ok(render::page(status, Some(&agent), ("analytics", "Analytics"), move |_| {
        let (choice, conversation, versions) = (choice.clone(), conversation.clone(), versions.clone());
        let (presets, period, rows) = (presets.clone(), period.clone(), rows.clone());
        let (back, csv, problem) = (back.clone(), csv.clone(), problem.clone());
        view! { <FunnelPage choice conversation versions version presets period rows back csv problem/> }
    })
    .await)
}

// CSV.

/// A table as comma-separated values.
struct Table {
    text: String,
}

impl Table {
    fn new(of: &[&str]) -> Self {
        let figures = Figure::ALL.iter().map(|figure| figure.name());
        let means = [
            "engagement_rate",
            "completion_rate",
            "conversion_rate",
            "mean_waiting_ms",
            "mean_answering_ms",
            "mean_rating_percent",
        ];
        let head: Vec<&str> = of.iter().copied().chain(figures).chain(means).collect();
        Self { text: head.join(",") + "\r\n" }
    }

    fn line(&mut self, of: &[&str], figures: &Figures) {
        let mut cells: Vec<String> = of.iter().map(|text| cell(text)).collect();
        cells.extend(Figure::ALL.iter().map(|figure| figures[*figure].to_string()));
        let rates = [figures.engagement_rate(), figures.completion_rate(), figures.conversion_rate()];
        cells.extend(rates.map(|rate| rate.map(|rate| format!("{rate:.4}")).unwrap_or_default()));
        let means = [figures.mean_wait(), figures.mean_answer(), figures.mean_rating()];
        cells.extend(means.map(|mean| mean.map(|mean| format!("{mean:.1}")).unwrap_or_default()));
        self.text += &cells.join(",");
        self.text += "\r\n";
    }
}

fn funnel_csv(funnel: &Funnel) -> String {
    let mut text = "position,card,kind,reached,answered,still_there\r\n".to_owned();
    let mut line = |position: String, card: &str, kind: &str, totals: CardTotals| {
        let numbers = [totals.reached, totals.answered, totals.waiting].map(|number| number.to_string()).join(",");
        text += &format!("{position},{},{kind},{numbers}\r\n", cell(card));
    };
    for (index, FunnelCard { card, kind, totals, .. }) in funnel.cards.iter().enumerate() {
        line((index + 1).to_string(), card.as_str(), kind, *totals);
    }
    if let Some(totals) = funnel.removed {
        line(String::new(), "(removed)", "", totals);
    }
    text
}

async fn csv(
    State(app): State<App>,
    SignedIn { agent, .. }: SignedIn,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let mut looked = look(&app, &agent, &wanted).await?;
    if let Some(problem) = looked.problem.take() {
        return Err(problem);
    }
    let text = match wanted.by.as_str() {
        "funnel" => funnel_csv(&read_funnel(&app, &wanted, &looked).await?),
        by @ ("day" | "conversation" | "page" | "agent") => {
            let site = looked.site.ok_or_else(|| bad("site", "the key of a site"))?;
            let seen = app.store.look(Read { documents: app.engine.documents.clone(), site, period: looked.period }).await?;
            let lines = match by {
                "conversation" => &seen.conversations,
                "page" => &seen.pages,
                _ => &seen.agents,
            };
            let mut table = match by {
                "day" => Table::new(&["day"]),
                "page" => Table::new(&["page"]),
                by => Table::new(&[by, "name"]),
            };
            match by {
                "day" => {
                    let (first, before) = looked.period.bounds();
                    for number in first..before {
                        let figures = seen.days.get(&number).copied().unwrap_or_default();
                        table.line(&[&date_of(number).to_string()], &figures);
                    }
                }
                "page" => lines.iter().for_each(|line| table.line(&[&line.value], &line.figures)),
                _ => lines.iter().for_each(|line| table.line(&[&line.value, &line.name], &line.figures)),
            }
            table.text
        }
        _ => return Err(bad("by", "day, conversation, page, agent or funnel")),
    };
    let named = format!("attachment; filename=\"analytics-{}.csv\"", wanted.by);
    let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, named)];
    Ok((headers, text).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_said_as_people_say_them() {
        for (milliseconds, text) in [
            (0.0, "0 s"),
            (59_400.0, "59 s"),
            (59_500.0, "1 min 00 s"),
            (200_000.0, "3 min 20 s"),
            (3_600_000.0, "1 h 00 min"),
            (7_560_000.0, "2 h 06 min"),
        ] {
            assert_eq!(lasted(milliseconds), text);
        }
    }

    #[test]
    fn a_change_is_said_with_what_was_before() {
        for (now, before, text) in [
            (0, 0, "as before"),
            (3, 0, "none before"),
            (1000, 1000, "as before (1,000)"),
            (15, 10, "+50.0 % on 10"),
            (5, 10, "−50.0 % on 10"),
        ] {
            assert_eq!(change(now, before), text);
        }
    }

    #[test]
    fn a_chart_has_days_weeks_or_months() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let of = |first: &str, last: &str| {
            let period = Period { first: day(first), last: day(last) };
            let figures = Figures::default().and(Figure::Triggered, 1);
            let days = (number_of(period.first)..=number_of(period.last)).map(|number| (number, figures)).collect();
            let chart = chart(period, &days);
            assert_eq!(chart.series[0].values.iter().sum::<i64>(), period.days(), "none is lost");
            (chart.title, chart.labels, chart.series[0].values.clone())
        };
        let (title, labels, _) = of("2026-11-01", "2026-11-30");
        assert_eq!((title.as_str(), labels.len(), labels[0].as_str()), ("By day", 30, "1 Nov"));
        // A Wednesday.
        let (title, labels, values) = of("2026-11-04", "2026-12-31");
        assert_eq!((title.as_str(), labels[0].as_str(), labels[1].as_str()), ("By week", "4 Nov", "9 Nov"));
        assert_eq!((values[0], values[1]), (5, 7));
        let (title, labels, values) = of("2025-11-15", "2026-11-14");
        assert_eq!((title.as_str(), labels.len(), labels[0].as_str()), ("By month", 13, "Nov 2025"));
        assert_eq!((values[0], values[1]), (16, 31));
    }
}
