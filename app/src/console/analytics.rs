//! How conversations, pages and agents do, in numbers.

use leptos::prelude::*;

use super::{
    chart::{Chart, grouped},
    pages::ProblemLine,
};

/// What is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnalyticsChoice {
    /// The site's key.
    pub site: String,
    /// The first day, as `YYYY-MM-DD`.
    pub from: String,
    /// The last day.
    pub to: String,
}

/// A way to somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// What it says.
    pub label: String,
    /// Where it leads.
    pub href: String,
    /// Whether one is there.
    pub here: bool,
}

/// A figure that stands for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// What it is.
    pub label: &'static str,
    /// The figure.
    pub value: String,
    /// What it is of something else, if it is.
    pub share: Option<String>,
    /// How it was in the time before.
    pub change: Option<String>,
}

/// The head of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// What is in it.
    pub label: &'static str,
    /// The way to have the rows in its order, if it has one.
    pub href: Option<String>,
    /// Whether they are in its order.
    pub sorted: bool,
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FigureRow {
    /// What it is about.
    pub name: String,
    /// Where there is more about it.
    pub href: Option<String>,
    /// Its cells, one a column.
    pub cells: Vec<String>,
}

/// A table of figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FigureTable {
    /// What it is about.
    pub title: &'static str,
    /// What its rows are about.
    pub of: &'static str,
    /// Its columns after the first.
    pub heads: Vec<Head>,
    /// Its rows.
    pub rows: Vec<FigureRow>,
    /// What is not shown, in words.
    pub more: Option<String>,
    /// Where it is as CSV.
    pub csv: String,
}

/// What is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// The time, in words.
    pub period: String,
    /// Up to when is counted, if not to the end.
    pub counted_to: Option<String>,
    /// The figures of all together.
    pub tiles: Vec<Tile>,
    /// How they went.
    pub chart: Option<Chart>,
    /// The tables.
    pub tables: Vec<FigureTable>,
    /// Where the days are as CSV.
    pub days_csv: String,
}

/// The numbers of a site.
#[component]
pub fn AnalyticsPage(
    /// What is looked at.
    choice: AnalyticsChoice,
    /// The sites that may be looked at.
    sites: Vec<String>,
    /// Times that are often looked at.
    presets: Vec<Way>,
    /// What there is.
    shown: Shown,
    /// What was wrong.
    problem: Option<String>,
) -> impl IntoView {
    let options = sites.iter().map(|site| {
        let (site, selected) = (site.clone(), *site == choice.site);
        view! { <option value=site.clone() selected=selected>{site.clone()}</option> }
    });
    let options = options.collect_view();
    let Shown { period, counted_to, tiles, chart, tables, days_csv } = shown;
    let nothing = chart.is_none();
    view! {
        <div class="analytics">
            <h1>"Analytics"</h1>
            <form class="card quarters" action="/console/analytics">
                <label class="field"><span class="label">"Site"</span><select class="input" name="site">{options}</select></label>
                <label class="field"><span class="label">"From"</span><input class="input" type="date" name="from" value=choice.from/></label>
                <label class="field"><span class="label">"To"</span><input class="input" type="date" name="to" value=choice.to/></label>
                <div class="buttons self-end mb-3"><button class="button-primary" type="submit">"Show"</button></div>
            </form>
            <nav class="buttons mb-3" aria-label="Times"><Ways ways=presets/></nav>
            <ProblemLine problem/>
            <p class="hint mb-3">{period} {counted_to.map(|until| format!(" Counting is not done yet: so far up to {until}."))}</p>
            <dl class="tiles">{tiles.into_iter().map(|tile| view! { <OneTile tile/> }).collect_view()}</dl>
            {nothing.then(|| view! { <p class="empty">"Nothing was counted in this time."</p> })}
            {chart.map(|chart| view! { <ChartCard chart csv=days_csv/> }.into_any())}
            {tables.into_iter().map(|table| view! { <TableCard table/> }.into_any()).collect_view()}
        </div>
    }
}

#[component]
fn Ways(ways: Vec<Way>) -> impl IntoView {
    ways.into_iter()
        .map(|Way { label, href, here }| view! { <a class="button" href=href aria-current=here.then_some("true")>{label}</a> })
        .collect_view()
}

#[component]
fn OneTile(tile: Tile) -> impl IntoView {
    let Tile { label, value, share, change } = tile;
    view! {
        <div class="tile">
            <dt>{label}</dt>
            <dd class="tile-value">{value}</dd>
            {share.map(|share| view! { <dd class="hint">{share}</dd> })}
            {change.map(|change| view! { <dd class="hint">{change}</dd> })}
        </div>
    }
}

/// A chart, and what it shows as a table.
#[component]
fn ChartCard(chart: Chart, csv: String) -> impl IntoView {
    let svg = chart.svg("by-time");
    let Chart { title, labels, series, .. } = chart;
    let heads = series.iter().map(|series| view! { <th scope="col">{series.name}</th> }).collect_view();
    let rows = labels
        .into_iter()
        .enumerate()
        .map(|(index, label)| {
            let cells = series.iter().map(|series| series.values.get(index).copied().unwrap_or_default());
            let cells = cells.map(|value| view! { <td>{grouped(value)}</td> }).collect_view();
            view! { <tr><th scope="row">{label}</th>{cells}</tr> }
        })
        .collect_view();
    view! {
        <section class="card">
            <h2>{title}</h2>
            <div class="wide chart-frame" tabindex="0" role="group" aria-label="Chart" inner_html=svg></div>
            <details class="data">
                <summary class="hint">"The chart as a table"</summary>
                <div class="wide" tabindex="0" role="group" aria-label="The chart as a table">
                    <table class="figures"><thead><tr><th scope="col">"From"</th>{heads}</tr></thead><tbody>{rows}</tbody></table>
                </div>
            </details>
            <p class="hint no-print"><a href=csv>"Each day as CSV"</a></p>
        </section>
    }
}

#[component]
fn TableCard(table: FigureTable) -> impl IntoView {
    let FigureTable { title, of, heads, rows, more, csv } = table;
    let heads = heads
        .into_iter()
        .map(|Head { label, href, sorted }| {
            let label = match href {
                Some(href) => view! { <a href=href>{label}</a> }.into_any(),
                None => label.into_any(),
            };
            view! { <th scope="col" aria-sort=sorted.then_some("descending")>{label}</th> }
        })
        .collect_view();
    let empty = rows.is_empty();
    let rows = rows
        .into_iter()
        .map(|FigureRow { name, href, cells }| {
            let name = match href {
                Some(href) => view! { <a href=href>{name}</a> }.into_any(),
                None => name.into_any(),
            };
            let cells = cells.into_iter().map(|cell| view! { <td>{cell}</td> }).collect_view();
            view! { <tr><th scope="row" dir="auto">{name}</th>{cells}</tr> }
        })
        .collect_view();
    view! {
        <section class="card">
            <h2>{title}</h2>
            {if empty {
                view! { <p class="hint">"Nothing in this time."</p> }.into_any()
            } else {
                view! {
                    <div class="wide" tabindex="0" role="group" aria-label=title>
                        <table class="figures"><thead><tr><th scope="col">{of}</th>{heads}</tr></thead><tbody>{rows}</tbody></table>
                    </div>
                    {more.map(|more| view! { <p class="hint">{more}</p> })}
                    <p class="hint no-print"><a href=csv>"As CSV"</a></p>
                }
                .into_any()
            }}
        </section>
    }
}

/// A card of a conversation, and how visitors came through it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunnelRow {
    /// Its id.
    pub card: String,
    /// What it is and says.
    pub says: String,
    /// How many came to it.
    pub reached: i64,
    /// Which part that is of those who began, of a hundred.
    pub share: u8,
    /// How many answered it; nothing, if it asks nothing.
    pub answered: Option<i64>,
    /// How many stayed there.
    pub stayed: i64,
    /// Which part that is of those who came to it.
    pub stayed_share: String,
}

/// How visitors came through a conversation.
#[component]
pub fn FunnelPage(
    /// What is looked at.
    choice: AnalyticsChoice,
    /// The conversation: its id and its name.
    conversation: (String, String),
    /// Its versions, the newest first.
    versions: Vec<u32>,
    /// The one that is looked at; none: all.
    version: Option<u32>,
    /// Times that are often looked at.
    presets: Vec<Way>,
    /// The time, in words.
    period: String,
    /// The cards.
    rows: Vec<FunnelRow>,
    /// The way back.
    back: String,
    /// Where it is as CSV.
    csv: String,
    /// What was wrong.
    problem: Option<String>,
) -> impl IntoView {
    let (id, name) = conversation;
    let options = versions
        .into_iter()
        .map(|number| {
            let selected = version == Some(number);
            view! { <option value=number.to_string() selected=selected>{number.to_string()}</option> }
        })
        .collect_view();
    let nothing = rows.iter().all(|row| row.reached == 0);
    let rows = rows
        .into_iter()
        .map(|row| {
            let FunnelRow { card, says, reached, share, answered, stayed, stayed_share } = row;
            view! {
                <tr>
                    <th scope="row"><span dir="auto">{says}</span> " " <span class="hint" dir="auto">{card}</span></th>
                    <td>{grouped(reached)}</td>
                    <td class="bar-cell">
                        <meter min="0" max="100" value=share.to_string() aria-label=format!("{share} %")></meter>
                        <span class="hint">{format!("{share} %")}</span>
                    </td>
                    <td>{answered.map_or_else(|| "–".to_owned(), grouped)}</td>
                    <td>{grouped(stayed)} " " <span class="hint">{stayed_share}</span></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="analytics">
            <p class="no-print"><a href=back>"Analytics"</a></p>
            <h1 dir="auto">{name}</h1>
            <form class="card quarters" action="/console/analytics/funnel">
                <input type="hidden" name="site" value=choice.site/>
                <input type="hidden" name="conversation" value=id/>
                <label class="field"><span class="label">"From"</span><input class="input" type="date" name="from" value=choice.from/></label>
                <label class="field"><span class="label">"To"</span><input class="input" type="date" name="to" value=choice.to/></label>
                <label class="field"><span class="label">"Version"</span><select class="input" name="version"><option value="">"All"</option>{options}</select></label>
                <div class="buttons self-end mb-3"><button class="button-primary" type="submit">"Show"</button></div>
            </form>
            <nav class="buttons mb-3" aria-label="Times"><Ways ways=presets/></nav>
            <ProblemLine problem/>
            <section class="card">
                <h2>"How visitors come through its cards"</h2>
                <p class="hint mb-3">
                    {period} " Each visitor counts once a card. Who is still there has neither answered nor gone on; that few reach a card need not mean that many left: a branch that few take is reached by few."
                </p>
                <div class="wide" tabindex="0" role="group" aria-label="Cards">
                    <table class="figures">
                        <thead><tr>
                            <th scope="col">"Card"</th><th scope="col">"Reached"</th><th scope="col">"Of all"</th><th scope="col">"Answered"</th>
                            <th scope="col">"Still there"</th>
                        </tr></thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
                {nothing.then(|| view! { <p class="empty">"Nobody came through it in this time."</p> })}
                <p class="hint no-print"><a href=csv>"As CSV"</a></p>
            </section>
        </div>
    }
}
