//! What is listed.

use super::{
    super::{
        super::{
            record::State,
            script::ScriptType,
            statistics::{Direction, Trend},
        },
        Report, units,
    },
    Align, Cell, Column, Table, Tone,
};

pub(super) fn tables(report: &Report) -> Vec<Table> {
    let mut tables = vec![live(report), scripts(report), anomalies(report), errors(report)];
    tables.extend(codes(report));
    tables.push(events(report));
    tables.push(nodes(report));
    tables.push(keys(report));
    tables.extend(faults(report));
    tables
}

fn live(report: &Report) -> Table {
    let rows = report.statistics.live.iter().map(|live| {
        vec![
            Cell::Code(script(&live.script_type, &live.script_name)),
            badge(live.status),
            Cell::Text(units::moment(live.started)),
            Cell::Text(units::duration(live.elapsed_us)),
            optional(live.user.as_ref()),
            optional(live.host.as_ref()),
        ]
    });
    Table {
        title: "At work",
        caption: "Executions without an end, the newest first",
        columns: columns(&["Script", "Status", "Started", ">Since", "User", "Host"]),
        rows: rows.collect(),
        empty: "Nothing is at work.",
    }
}

fn scripts(report: &Report) -> Table {
    let rows = report.statistics.scripts.iter().map(|one| {
        let usual = one.baseline.map(|baseline| units::duration(baseline.median));
        vec![
            Cell::Code(script(&one.script_type, &one.script_name)),
            Cell::Text(units::count(one.counts.total)),
            Cell::Text(one.success_rate.map_or("–".to_owned(), units::percent)),
            badge(one.last_status),
            Cell::Text(usual.unwrap_or_else(|| "–".to_owned())),
            Cell::Text(one.p90_us.map_or("–".to_owned(), units::duration)),
            trend(one.trend),
            Cell::Spark(one.recent_us.clone()),
        ]
    });
    Table {
        title: "Scripts",
        caption: "How each script does; durations are those of successful executions",
        columns: columns(&[
            "Script", ">Runs", ">Success", "Last", ">Median", ">90 %", "Trend", "Recent",
        ]),
        rows: rows.collect(),
        empty: "Nothing was executed.",
    }
}

fn anomalies(report: &Report) -> Table {
    let rows = report.statistics.anomalies.iter().map(|one| {
        vec![
            Cell::Code(script(&one.script_type, &one.script_name)),
            Cell::Text(units::moment(one.started)),
            Cell::Text(units::duration(one.duration_us)),
            Cell::Text(units::duration(one.usual_us)),
            Cell::Text(format!("{:+.1}", one.score)),
            Cell::Code(one.id.to_string()),
        ]
    });
    Table {
        title: "Anomalies",
        caption: "Durations far from what is usual for the script, by robust z-score",
        columns: columns(&["Script", "Started", ">Took", ">Usually", ">Score", "Execution"]),
        rows: rows.collect(),
        empty: "No duration was unusual.",
    }
}

fn errors(report: &Report) -> Table {
    let rows = report.statistics.errors.iter().map(|one| {
        let message = one.message.as_ref().map_or("", |message| message.text());
        vec![
            Cell::Text(units::moment(one.time)),
            Cell::Code(script(&one.script_type, &one.script_name)),
            one.code.clone().map_or_else(|| Cell::Text("–".to_owned()), Cell::Code),
            Cell::Text(message.to_owned()),
            Cell::Code(one.id.to_string()),
        ]
    });
    Table {
        title: "Recent errors",
        caption: "Failed executions, the newest first",
        columns: columns(&["Time", "Script", "Code", "Message", "Execution"]),
        rows: rows.collect(),
        empty: "Nothing failed.",
    }
}

fn codes(report: &Report) -> Option<Table> {
    let codes = &report.statistics.error_codes;
    let rows = codes.iter().map(|one| {
        let code = one.code.clone().map_or_else(|| Cell::Text("none".to_owned()), Cell::Code);
        vec![code, Cell::Text(units::count(one.count))]
    });
    (codes.len() > 1).then(|| Table {
        title: "Errors by code",
        caption: "How often each cause made something fail",
        columns: columns(&["Code", ">Failures"]),
        rows: rows.collect(),
        empty: "",
    })
}

fn events(report: &Report) -> Table {
    let rows = report.events.iter().map(|event| {
        let objects = event.objects.iter();
        let objects = objects.map(|object| format!("{} {}", object.kind.word(), object.name));
        vec![
            Cell::Text(units::moment(event.time)),
            Cell::Text(event.kind.word().replace('_', " ")),
            Cell::Text(event.user.clone()),
            Cell::Text(objects.collect::<Vec<_>>().join(", ")),
            Cell::Code(event.execution.to_string()),
        ]
    });
    Table {
        title: "Security events",
        caption: "Decryptions, unmaskings, approvals, refusals and uses of keys, the newest first",
        columns: columns(&["Time", "Event", "User", "Of", "Execution"]),
        rows: rows.collect(),
        empty: "There was none.",
    }
}

fn nodes(report: &Report) -> Table {
    let rows = report.statistics.slowest_nodes.iter().map(|node| {
        vec![
            Cell::Code(node.name.clone()),
            Cell::Text(units::count(node.runs)),
            Cell::Text(units::duration(node.median_us)),
            Cell::Text(units::duration(node.p90_us)),
            Cell::Text(units::duration(node.total_us)),
            Cell::Text(units::count(node.rows)),
        ]
    });
    Table {
        title: "Slowest nodes",
        caption: "Nodes with the greatest median duration",
        columns: columns(&["Node", ">Runs", ">Median", ">90 %", ">Total", ">Rows"]),
        rows: rows.collect(),
        empty: "No node was executed.",
    }
}

fn keys(report: &Report) -> Table {
    let rows = report.health.keys.iter().map(|key| {
        let age = report.made.signed_duration_since(key.since).num_days().max(0);
        vec![
            Cell::Code(key.name.clone()),
            Cell::Text(key.version.to_string()),
            Cell::Text(format!("{age} d")),
            Cell::Text(key.rotation_due.map_or("–".to_owned(), units::moment)),
        ]
    });
    Table {
        title: "Keys",
        caption: "Keys in use, and when they have to be rotated",
        columns: columns(&["Key", ">Version", ">Age", "Rotation due"]),
        rows: rows.collect(),
        empty: "No key is known.",
    }
}

fn faults(report: &Report) -> Option<Table> {
    let faults = report.health.audit.as_ref().map(|audit| &audit.faults)?;
    let rows = faults.iter().map(|fault| vec![Cell::Text(fault.to_string())]);
    (!faults.is_empty()).then(|| Table {
        title: "Faults of the audit chain",
        caption: "What is wrong with the chains of records",
        columns: columns(&["Fault"]),
        rows: rows.collect(),
        empty: "",
    })
}

/// Columns by name; `>` in front of those of numbers.
fn columns(names: &[&'static str]) -> Vec<Column> {
    let column = |name: &&'static str| match name.strip_prefix('>') {
        Some(name) => Column { name, align: Align::Right },
        None => Column { name, align: Align::Left },
    };
    names.iter().map(column).collect()
}

fn script(script_type: &ScriptType, name: &str) -> String {
    if name.is_empty() { script_type.to_string() } else { format!("{script_type} {name}") }
}

fn badge(state: State) -> Cell {
    let tone = match state {
        State::Success => Tone::Good,
        State::Failed => Tone::Bad,
        State::Started | State::Running => Tone::Accent,
    };
    Cell::Badge(state.word().to_owned(), tone)
}

fn trend(trend: Option<Trend>) -> Cell {
    let Some(trend) = trend else { return Cell::Text("–".to_owned()) };
    let percent = format!("{:+.0} %", trend.change * 100.0);
    match trend.direction {
        Direction::Slower => Cell::Badge(format!("slower {percent}"), Tone::Warning),
        Direction::Faster => Cell::Badge(format!("faster {percent}"), Tone::Good),
        Direction::Steady => Cell::Text("steady".to_owned()),
    }
}

fn optional(text: Option<&String>) -> Cell {
    Cell::Text(text.map_or("–".to_owned(), Clone::clone))
}
