//! A chart of lines, drawn on the server: it needs no script, and prints as it is.
//!
//! Lines are told apart by their dashes, by the marks on them and by the names at their ends, so colour alone says nothing.

use std::fmt::Write;

/// A line of a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// What it shows.
    pub name: &'static str,
    /// Its values, one a place.
    pub values: Vec<i64>,
}

/// A chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// What it is called.
    pub title: String,
    /// What it says, for those who cannot see it.
    pub about: String,
    /// What stands below each place.
    pub labels: Vec<String>,
    /// Its lines, at most four.
    pub series: Vec<Series>,
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 280.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 164.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 30.0;
/// How far names at the ends of lines stand apart at least.
const APART: f64 = 18.0;
/// How many lines across there are at most, without the lowest.
const STEPS: i64 = 4;
/// How many places have their label at most: more would run into each other.
const LABELS: usize = 8;
/// Up to how many places each has a mark.
const MARKED: usize = 62;
/// Dashes of the lines, in the order of the series.
const DASHES: [&str; 4] = ["", "7 4", "2 4", "10 4 2 4"];

/// Text as markup.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A number with its thousands apart.
#[must_use]
pub fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "−" } else { "" });
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// From one line across to the next: 1, 2 or 5 with noughts, so that a few reach the highest value.
fn step(most: i64) -> i64 {
    let mut unit = 1;
    loop {
        for step in [unit, 2 * unit, 5 * unit] {
            if step * STEPS >= most {
                return step;
            }
        }
        unit *= 10;
    }
}

#[expect(clippy::cast_precision_loss, reason = "what is drawn is rounded to a tenth of a pixel")]
fn float(number: i64) -> f64 {
    number as f64
}

/// A place along the chart.
fn across(index: usize, count: usize) -> f64 {
    let part = |number: usize| float(i64::try_from(number).unwrap_or(i64::MAX));
    let width = WIDTH - LEFT - RIGHT;
    if count < 2 { LEFT + width / 2.0 } else { LEFT + width * part(index) / part(count - 1) }
}

/// The mark of a line at a point.
fn mark(to: &mut String, series: usize, x: f64, y: f64) {
    let _ = match series {
        0 => write!(to, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>"),
        1 => write!(to, "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"6\" height=\"6\"/>", x - 3.0, y - 3.0),
        2 => write!(to, "<path d=\"M{x:.1} {:.1}l4 4-4 4-4-4z\"/>", y - 4.0),
        _ => write!(to, "<path d=\"M{x:.1} {:.1}l4 7h-8z\"/>", y - 4.0),
    };
}

/// Moves what stands at heights so that nothing runs into its neighbour, and gives the heights in the same order.
fn apart(heights: &[f64], most: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..heights.len()).collect();
    order.sort_by(|one, other| heights[*one].total_cmp(&heights[*other]));
    let mut places = heights.to_vec();
    let mut free = f64::NEG_INFINITY;
    for index in &order {
        places[*index] = places[*index].max(free);
        free = places[*index] + APART;
    }
    // What was pushed out below is pushed up again.
    let mut free = most;
    for index in order.iter().rev() {
        places[*index] = places[*index].min(free);
        free = places[*index] - APART;
    }
    places
}

impl Chart {
    /// The chart as an SVG image. Its id makes the ids within it.
    #[must_use]
    pub fn svg(&self, id: &str) -> String {
        let most = self.series.iter().flat_map(|series| &series.values).copied().max().unwrap_or_default().max(1);
        let step = step(most);
        let lines = (most + step - 1) / step;
        let bottom = HEIGHT - BOTTOM;
        let height = |value: i64| bottom - (bottom - TOP) * float(value) / float(step * lines);
        let count = self.labels.len();
        let mut svg = format!(
            "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-labelledby=\"{id}-title\" aria-describedby=\"{id}-about\">\
             <title id=\"{id}-title\">{}</title><desc id=\"{id}-about\">{}</desc>",
            escape(&self.title),
            escape(&self.about)
        );
        // Writing to a text cannot fail.
        for line in 0..=lines {
            let y = height(line * step);
            let _ = write!(
                svg,
                "<line class=\"chart-grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text class=\"chart-text\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                WIDTH - RIGHT,
                LEFT - 8.0,
                y + 4.0,
                grouped(line * step)
            );
        }
        let every = count.div_ceil(LABELS).max(1);
        for (index, label) in self.labels.iter().enumerate().step_by(every) {
            let x = across(index, count);
            let _ = write!(
                svg,
                "<line class=\"chart-grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{bottom:.1}\" y2=\"{:.1}\"/>\
                 <text class=\"chart-text\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                bottom + 4.0,
                bottom + 19.0,
                escape(label)
            );
        }
        let ends: Vec<f64> = self.series.iter().map(|series| height(series.values.last().copied().unwrap_or_default())).collect();
        let names = apart(&ends, bottom);
        for (number, series) in self.series.iter().enumerate() {
            let points: Vec<(f64, f64)> =
                series.values.iter().enumerate().map(|(index, value)| (across(index, count), height(*value))).collect();
            let path = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join(" ");
            let dashes = DASHES[number % DASHES.len()];
            let _ = write!(
                svg,
                "<g class=\"chart-series series-{}\"><polyline points=\"{path}\" stroke-dasharray=\"{}\"/>",
                number % DASHES.len() + 1,
                if dashes.is_empty() { "none" } else { dashes }
            );
            let marked = if points.len() <= MARKED { 0 } else { points.len() - 1 };
            for (x, y) in &points[marked..] {
                mark(&mut svg, number, *x, *y);
            }
            // The name has a piece of its line before it, and a thin line from the end of it, since it may have been moved.
            let (from, name) = (WIDTH - RIGHT, names[number]);
            let _ = write!(
                svg,
                "<polyline class=\"chart-leader\" points=\"{:.1},{:.1} {:.1},{name:.1}\"/>\
                 <polyline points=\"{:.1},{name:.1} {:.1},{name:.1}\" stroke-dasharray=\"{}\"/>",
                points.last().map_or(from, |(x, _)| *x) + 5.0,
                ends[number],
                from + 14.0,
                from + 16.0,
                from + 44.0,
                if dashes.is_empty() { "none" } else { dashes }
            );
            mark(&mut svg, number, from + 30.0, name);
            let _ = write!(
                svg,
                "</g><text class=\"chart-name\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                from + 50.0,
                name + 4.0,
                escape(series.name)
            );
        }
        svg + "</svg>"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_thousands_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567"), (-1200, "−1,200")] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn lines_across_are_round_numbers() {
        for (most, expected) in [(1, 1), (4, 1), (5, 2), (9, 5), (20, 5), (21, 10), (1234, 500), (900_000, 500_000)] {
            assert_eq!(step(most), expected, "{most}");
        }
    }

    #[test]
    fn names_do_not_run_into_each_other() {
        let places = apart(&[200.0, 201.0, 250.0, 249.0], 250.0);
        let mut sorted = places.clone();
        sorted.sort_by(f64::total_cmp);
        assert!(sorted.windows(2).all(|pair| pair[1] - pair[0] >= APART - 0.001), "{places:?}");
        assert!(sorted.iter().all(|place| *place <= 250.0));
        assert!(places[0] < places[1] && places[3] < places[2], "the order stays");
    }

    fn chart(values: Vec<i64>) -> Chart {
        let labels = (0..values.len()).map(|day| format!("{day} <Nov>")).collect();
        let series = vec![Series { name: "Triggered", values: values.clone() }, Series { name: "Engaged", values }];
        Chart { title: "By day".to_owned(), about: "Up & down".to_owned(), labels, series }
    }

    #[test]
    fn a_chart_says_what_it_shows() {
        let svg = chart(vec![0, 3, 12]).svg("c");
        for part in [
            "role=\"img\" aria-labelledby=\"c-title\" aria-describedby=\"c-about\"",
            "<title id=\"c-title\">By day</title>",
            "Up &amp; down",
            "0 &lt;Nov&gt;",
            ">Triggered</text>",
            ">15</text>",
            "stroke-dasharray=\"7 4\"",
        ] {
            assert!(svg.contains(part), "{part} is not in {svg}");
        }
        assert!(!svg.contains("style="), "the policy of the page lets no style in");
        assert_eq!(svg.matches("<circle").count(), 4, "one a place, and one before the name");
    }

    #[test]
    fn any_number_of_places_can_be_drawn() {
        for count in [0, 1, 2, 62, 63, 120] {
            let svg = chart(vec![0; count]).svg("c");
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{count}: {svg}");
            assert!(svg.matches("text-anchor=\"middle\"").count() <= LABELS, "{count}");
        }
    }
}
