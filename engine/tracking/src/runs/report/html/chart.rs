//! Charts as SVG within the page: axes, bars or lines, and the numbers below for who cannot see them.

use std::fmt::Write as _;

use super::{
    super::{
        super::statistics::as_float,
        view::{Chart, Series, Shape, Unit},
    },
    escaped,
};

const WIDTH: f64 = 520.0;
const HEIGHT: f64 = 200.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 26.0;

/// A chart with its title, what its colours mean, and a table of its numbers.
pub(super) fn figure(chart: &Chart, number: usize) -> String {
    let title = escaped(chart.title);
    let legend: String = chart
        .series
        .iter()
        .map(|one| format!("<li class=\"{}\">{}</li>", one.tone.class(), escaped(one.name)))
        .collect();
    format!(
        "<figure>\n<figcaption id=\"chart-{number}\">{title}</figcaption>\n\
         <ul class=\"legend\">{legend}</ul>\n{}{}</figure>\n",
        drawing(chart, number),
        numbers(chart),
    )
}

/// The newest values as a line without axes.
pub(super) fn spark(values: &[u64]) -> String {
    let greatest = values.iter().copied().max().unwrap_or(0);
    let least = values.iter().copied().min().unwrap_or(0);
    let (range, count) = (as_float((greatest - least).max(1)), as_float(values.len() as u64));
    let mut points = String::new();
    for (index, value) in values.iter().enumerate() {
        let x = 2.0 + 86.0 * as_float(index as u64) / (count - 1.0).max(1.0);
        let y = 20.0 - 16.0 * as_float(value - least) / range;
        let _ = write!(points, "{x:.1},{y:.1} ");
    }
    if values.len() < 2 {
        return "–".to_owned();
    }
    format!(
        "<svg class=\"spark\" viewBox=\"0 0 90 24\" width=\"90\" height=\"24\" role=\"img\" \
         aria-label=\"the newest {} durations\"><polyline points=\"{}\"/></svg>",
        values.len(),
        points.trim_end(),
    )
}

fn drawing(chart: &Chart, number: usize) -> String {
    let scale = Scale::of(chart);
    let mut marks = axis(chart, &scale);
    match chart.shape {
        Shape::Bars => bars(&mut marks, chart, &scale),
        Shape::Lines => {
            for (index, series) in chart.series.iter().enumerate() {
                // Lines that lie upon each other can still be told apart.
                let style = if index == 0 { "" } else { " dashed" };
                line(&mut marks, series, style, chart, &scale);
            }
        }
    }
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-labelledby=\"chart-{number}\">\n\
         {marks}</svg>\n"
    )
}

/// Where values and days are on the drawing.
struct Scale {
    least: f64,
    greatest: f64,
    step: f64,
    days: usize,
}

impl Scale {
    /// From 0 (or below, where there are such values) to the next tick above the greatest value.
    fn of(chart: &Chart) -> Self {
        let tops: Vec<f64> = match chart.shape {
            Shape::Lines => {
                chart.series.iter().flat_map(|one| one.values.iter().flatten()).copied().collect()
            }
            Shape::Bars => (0..chart.days.len()).map(|day| stacked(&chart.series, day)).collect(),
        };
        let greatest = tops.iter().copied().fold(0.0, f64::max);
        let least = tops.iter().copied().fold(0.0, f64::min);
        let greatest = if chart.unit == Unit::Part { 1.0 } else { greatest };
        let step = step(greatest - least, chart.unit);
        Self {
            least: (least / step).floor() * step,
            greatest: (greatest / step).ceil().max(1.0) * step,
            step,
            days: chart.days.len(),
        }
    }

    fn y(&self, value: f64) -> f64 {
        let part = (value - self.least) / (self.greatest - self.least);
        HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)
    }

    /// How wide a day is.
    fn day(&self) -> f64 {
        (WIDTH - LEFT - RIGHT) / as_float(self.days.max(1) as u64)
    }

    /// The middle of a day.
    fn x(&self, day: usize) -> f64 {
        LEFT + self.day() * (as_float(day as u64) + 0.5)
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        let (least, step) = (self.least, self.step);
        let count = ((self.greatest - least) / step).round() as u64;
        (0..=count).map(move |tick| least + step * as_float(tick))
    }
}

/// A round number that fits into `range` four times or less, in the unit its values are shown in.
fn step(range: f64, unit: Unit) -> f64 {
    let shown_in = match unit {
        Unit::Bytes => power_below(range, 1024.0),
        Unit::Microseconds if range >= 7_200e6 => 3_600e6,
        Unit::Microseconds if range >= 120e6 => 60e6,
        Unit::Microseconds | Unit::Count => 1.0,
        Unit::Part => return 0.25,
    };
    let rough = (range / shown_in / 4.0).max(f64::MIN_POSITIVE);
    let magnitude = 10_f64.powf(rough.log10().floor());
    let round = [1.0, 2.0, 5.0, 10.0].into_iter().find(|round| round * magnitude >= rough);
    let step = round.unwrap_or(10.0) * magnitude;
    (step * shown_in).max(1.0)
}

fn power_below(range: f64, base: f64) -> f64 {
    let mut power = 1.0;
    while power * base <= range && power < 1e15 {
        power *= base;
    }
    power
}

fn stacked(series: &[Series], day: usize) -> f64 {
    series.iter().filter_map(|one| one.values.get(day).copied().flatten()).sum()
}

fn axis(chart: &Chart, scale: &Scale) -> String {
    let mut marks = String::new();
    let (right, label_x) = (WIDTH - RIGHT, LEFT - 8.0);
    for tick in scale.ticks() {
        let (y, words) = (scale.y(tick), escaped(&tick_words(chart.unit, tick)));
        let _ = writeln!(
            marks,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"y\" x=\"{label_x}\" y=\"{:.1}\">{words}</text>",
            y + 4.0,
        );
    }
    // As many days as there is room for, the last one among them.
    let every = scale.days.div_ceil(6).max(1);
    let shown = |index: &usize| (scale.days.saturating_sub(1) - index).is_multiple_of(every);
    for (index, day) in chart.days.iter().enumerate().filter(|(index, _)| shown(index)) {
        let _ = writeln!(
            marks,
            "<text class=\"x\" x=\"{:.1}\" y=\"{}\">{}</text>",
            scale.x(index),
            HEIGHT - 8.0,
            escaped(day.get(5..).unwrap_or(day)),
        );
    }
    marks
}

/// Ticks are round, so their words are, too: `30 s`, not `30.0 s`.
fn tick_words(unit: Unit, tick: f64) -> String {
    let words = unit.words(tick);
    match unit {
        Unit::Microseconds if tick == 0.0 => "0".to_owned(),
        Unit::Bytes if tick == 0.0 => "0".to_owned(),
        Unit::Microseconds => {
            words.replace(" min 0 s", " min").replace(" h 0 min", " h").replace(".0 ", " ")
        }
        Unit::Count | Unit::Bytes | Unit::Part => words.replace(".0 ", " "),
    }
}

fn bars(marks: &mut String, chart: &Chart, scale: &Scale) {
    let width = (scale.day() * 0.7).clamp(1.0, 36.0);
    for (index, day) in chart.days.iter().enumerate() {
        let x = scale.x(index) - width / 2.0;
        let mut below = 0.0;
        for series in &chart.series {
            let Some(value) = series.values.get(index).copied().flatten().filter(|v| *v > 0.0)
            else {
                continue;
            };
            let (top, bottom) = (scale.y(below + value), scale.y(below));
            let _ = writeln!(
                marks,
                "<rect class=\"{}\" x=\"{x:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" \
                 height=\"{:.1}\"><title>{}: {} {}</title></rect>",
                series.tone.class(),
                bottom - top,
                escaped(day),
                escaped(&chart.unit.words(value)),
                escaped(series.name),
            );
            below += value;
        }
    }
}

/// A line through the days that have a value, and a dot on each while there are few.
fn line(marks: &mut String, series: &Series, style: &str, chart: &Chart, scale: &Scale) {
    let class = series.tone.class();
    let values = series.values.iter().enumerate();
    let points: Vec<(usize, f64)> =
        values.filter_map(|(index, value)| value.map(|value| (index, value))).collect();
    let path: Vec<String> = points
        .iter()
        .map(|(index, value)| format!("{:.1},{:.1}", scale.x(*index), scale.y(*value)))
        .collect();
    let _ = writeln!(marks, "<polyline class=\"{class}{style}\" points=\"{}\"/>", path.join(" "));
    for (index, value) in points.iter().filter(|_| points.len() <= 62) {
        let day = chart.days.get(*index).map_or("", String::as_str);
        let _ = writeln!(
            marks,
            "<circle class=\"{class}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.5\"><title>{}: {} {}</title></circle>",
            scale.x(*index),
            scale.y(*value),
            escaped(day),
            escaped(&chart.unit.words(*value)),
            escaped(series.name),
        );
    }
}

/// The same as a table, folded away.
fn numbers(chart: &Chart) -> String {
    let head: String = chart
        .series
        .iter()
        .map(|one| format!("<th scope=\"col\" class=\"number\">{}</th>", escaped(one.name)))
        .collect();
    let mut rows = String::new();
    for (index, day) in chart.days.iter().enumerate() {
        let _ = write!(rows, "<tr><th scope=\"row\">{}</th>", escaped(day));
        for series in &chart.series {
            let value = series.values.get(index).copied().flatten();
            let words = value.map_or("–".to_owned(), |value| chart.unit.words(value));
            let _ = write!(rows, "<td class=\"number\">{}</td>", escaped(&words));
        }
        rows.push_str("</tr>\n");
    }
    let title = escaped(chart.title);
    format!(
        "<details><summary>Numbers</summary>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" \
         aria-label=\"{title}\"><table>\n<caption>{title}</caption>\n\
         <thead><tr><th scope=\"col\">Day</th>{head}</tr></thead>\n\
         <tbody>\n{rows}</tbody>\n</table></div></details>\n"
    )
}
