//! What is drawn over days.

use super::{
    super::{
        super::statistics::{Day, as_float},
        Report,
    },
    Chart, Series, Shape, Tone, Unit,
};

pub(super) fn charts(report: &Report) -> Vec<Chart> {
    let days = &report.statistics.days;
    let chart = |title, shape, unit, series| Chart {
        title,
        shape,
        unit,
        days: days.iter().map(|day| day.day.clone()).collect(),
        series,
    };
    let of = |name, tone, value: fn(&Day) -> Option<f64>| Series {
        name,
        tone,
        values: days.iter().map(value).collect(),
    };
    let mut charts = vec![
        chart(
            "Operations per day",
            Shape::Bars,
            Unit::Count,
            vec![
                of("succeeded", Tone::Good, |day| Some(as_float(day.success))),
                of("failed", Tone::Bad, |day| Some(as_float(day.failed))),
            ],
        ),
        chart(
            "Median duration per day",
            Shape::Lines,
            Unit::Microseconds,
            vec![of("median", Tone::Accent, |day| day.median_us.map(as_float))],
        ),
        chart(
            "Rows per day",
            Shape::Lines,
            Unit::Count,
            vec![
                of("read", Tone::Accent, |day| Some(as_float(day.rows_read))),
                of("masked", Tone::Good, |day| Some(as_float(day.rows_masked))),
            ],
        ),
        chart(
            "Storage growth",
            Shape::Lines,
            Unit::Bytes,
            vec![of("since the first day", Tone::Accent, |day| Some(day.growth_bytes as f64))],
        ),
    ];
    charts.extend(coverage(report));
    charts.extend(findings(report));
    charts
}

fn coverage(report: &Report) -> Option<Chart> {
    let coverage = &report.health.coverage;
    let part = |covered: u64, sensitive: u64| {
        (sensitive > 0).then(|| as_float(covered.min(sensitive)) / as_float(sensitive))
    };
    (!coverage.is_empty()).then(|| Chart {
        title: "Coverage of sensitive columns",
        shape: Shape::Lines,
        unit: Unit::Part,
        days: coverage.iter().map(|day| day.day.clone()).collect(),
        series: vec![Series {
            name: "covered",
            tone: Tone::Good,
            values: coverage.iter().map(|day| part(day.covered, day.sensitive)).collect(),
        }],
    })
}

fn findings(report: &Report) -> Option<Chart> {
    let findings = &report.health.findings;
    (!findings.is_empty()).then(|| Chart {
        title: "Open privacy findings",
        shape: Shape::Bars,
        unit: Unit::Count,
        days: findings.iter().map(|day| day.day.clone()).collect(),
        series: vec![
            Series {
                name: "critical",
                tone: Tone::Bad,
                values: findings.iter().map(|day| Some(as_float(day.critical))).collect(),
            },
            Series {
                name: "other",
                tone: Tone::Warning,
                values: findings.iter().map(|day| Some(as_float(day.other))).collect(),
            },
        ],
    })
}
