//! `engine report` in every form it comes in, as golden files: what was done to a bank, told by the real program.
//!
//! Written as what they are: `[time]`, `[day]`, `[id]`, `[duration]`, `[size]`, and `[y]` where a drawing shows one.
//! Everything else is compared: keys and their order, counts, words, elements, columns.

use crate::bank::Bank;
use crate::golden::{assert_golden, settled};
use crate::harness::{KEY_VARIABLE, Project};
use crate::reports::bank;
use crate::terminals::on_terminal;

/// Digits of an id, at least.
const ID_DIGITS: usize = 16;

/// Units of durations, then those of sizes.
const UNITS: [(&str, &str); 8] = [
    (" µs", "[duration]"),
    (" ms", "[duration]"),
    (" s", "[duration]"),
    (" min", "[duration]"),
    (" B", "[size]"),
    (" KiB", "[size]"),
    (" MiB", "[size]"),
    (" GiB", "[size]"),
];

/// Keys of JSON whose numbers are durations; those that end with `_us` are, too.
const DURATIONS: [&str; 3] = ["median", "mad", "mean_deviation"];

/// Columns of the CSV that hold numbers of bytes.
const SIZES: [&str; 2] = ["bytes_written", "bytes_freed"];

/// Letters that draw how something went over time.
const BARS: &str = "▁▂▃▄▅▆▇█";

/// What makes a text of a form the same in every run.
type Steady = fn(&str) -> String;

/// A text with words for what differs from run to run.
fn steady(text: &str) -> String {
    let mut found = String::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let is_inside = |letter: char| letter.is_ascii_alphanumeric() || "-:.,".contains(letter);
        let word = rest.split(|letter| !is_inside(letter)).next().unwrap_or_default();
        let word = word.trim_end_matches(['.', ',', ':']);
        if !letter.is_ascii_alphanumeric() {
            found.push(letter);
            rest = &rest[letter.len_utf8()..];
            continue;
        }
        rest = &rest[word.len()..];
        let has_end = |after: &str| !after.starts_with(|letter: char| letter.is_alphanumeric());
        let unit = UNITS.iter().find(|(unit, _)| rest.strip_prefix(unit).is_some_and(has_end));
        match unit {
            Some((unit, kind)) if is_number(word) => {
                found.push_str(kind);
                rest = &rest[unit.len()..];
            }
            _ => {
                let shown = shown(word, &found);
                found.push_str(&shown);
            }
        }
    }
    // A day and a time apart are a moment.
    found.replace("[day] [time]", "[time]")
}

fn is_number(word: &str) -> bool {
    word.starts_with(|letter: char| letter.is_ascii_digit())
        && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b',')
}

fn shown(word: &str, before: &str) -> String {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let hex = |text: &str| text.len() >= ID_DIGITS && text.bytes().all(|b| b.is_ascii_hexdigit());
    let is_day =
        |text: &str| text.len() == 10 && text.split('-').filter(|part| digits(part)).count() == 3;
    match word.split_once(':') {
        Some(("sha256", digest)) if hex(digest) => return "sha256:[id]".to_owned(),
        _ => {}
    }
    match word {
        _ if hex(word) => "[id]".to_owned(),
        _ if is_day(word) => "[day]".to_owned(),
        _ if word.split_once('T').is_some_and(|(day, _)| is_day(day)) => "[time]".to_owned(),
        _ if word.len() == 8 && word.split(':').filter(|part| digits(part)).count() == 3 => {
            "[time]".to_owned()
        }
        _ if is_number(word) => number(word, key(before)),
        _ => word.to_owned(),
    }
}

/// The key of JSON that a number belongs to; none of another text.
fn key(before: &str) -> Option<&str> {
    let (before, after) = before.rsplit_once("\":")?;
    // The value itself, or one of several in a list.
    let is_value = after.replace("[duration]", "").chars().all(|letter| " \n[,".contains(letter));
    let key = before.trim_end_matches('"').rsplit('"').next()?;
    is_value.then_some(key)
}

fn number(word: &str, key: Option<&str>) -> String {
    match key {
        Some(key) if key.ends_with("_us") || DURATIONS.contains(&key) => "[duration]".to_owned(),
        Some(key) if key.contains("bytes") && word != "0" => "[size]".to_owned(),
        _ => word.to_owned(),
    }
}

/// A listing without the bars of durations, and without the width of columns.
fn steady_text(text: &str) -> String {
    let mut lines = String::new();
    for line in text.lines() {
        let bars = line.trim_end().trim_end_matches(|letter| BARS.contains(letter));
        let has_bars = bars.len() < line.trim_end().len();
        lines.push_str(if has_bars { bars } else { line });
        lines.push_str(if has_bars { "[bars]\n" } else { "\n" });
    }
    settled(&steady(&lines))
}

fn steady_markdown(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let cells = line.split(" | ").map(|cell| {
            let bars = cell.trim_end_matches([' ', '|']);
            let is_bars = !bars.is_empty() && bars.chars().all(|letter| BARS.contains(letter));
            if is_bars { cell.replace(bars, "[bars]") } else { cell.to_owned() }
        });
        format!("{}\n", cells.collect::<Vec<_>>().join(" | "))
    });
    steady(&lines.collect::<String>())
}

/// A page without the heights of what is drawn of durations and sizes, and the scales of these.
fn steady_page(page: &str) -> String {
    let mut lines = String::new();
    let mut is_drawn = false;
    for line in page.lines() {
        if let Some(title) = line.strip_prefix("<figcaption") {
            is_drawn = title.contains("duration") || title.contains("Storage");
        }
        if is_drawn && line.starts_with("<line class=\"grid\"") {
            continue;
        }
        let mut line = line.to_owned();
        if is_drawn {
            for attribute in ["cy=", "y=", "height=", "points="] {
                line = without(&line, attribute);
            }
        }
        // The day below an axis.
        if line.starts_with("<text class=\"x\"") {
            let (start, _) = line.split_once('>').unwrap();
            line = format!("{start}>[day]</text>");
        }
        // How durations went, as a small drawing.
        if line.contains("class=\"spark\"") {
            line = without(&line, "points=");
        }
        lines.push_str(&line);
        lines.push('\n');
    }
    steady(&lines)
}

/// A line with `[y]` for the values of an attribute.
fn without(line: &str, attribute: &str) -> String {
    let start = format!(" {attribute}\"");
    let mut parts = line.split(&start);
    let mut found = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (_, rest) = part.split_once('"').unwrap();
        found.push_str(&format!("{start}[y]\"{rest}"));
    }
    found
}

/// The cells of a line of CSV (RFC 4180).
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut is_quoted = false;
    for letter in line.chars() {
        is_quoted ^= letter == '"';
        match letter {
            ',' if !is_quoted => cells.push(String::new()),
            _ => cells.last_mut().unwrap().push(letter),
        }
    }
    cells
}

fn steady_csv(text: &str) -> String {
    let mut lines = text.lines();
    let head = lines.next().unwrap();
    let names: Vec<String> = cells(head).iter().map(|name| name.replace('"', "")).collect();
    let mut found = format!("{head}\n");
    for line in lines {
        let cells = cells(line);
        assert_eq!(cells.len(), names.len(), "{line}");
        let cells = names.iter().zip(&cells).map(|(name, cell)| match cell.as_str() {
            "\"\"" | "\"0\"" => cell.clone(),
            _ if name == "duration_us" => "\"[duration]\"".to_owned(),
            _ if SIZES.contains(&name.as_str()) => "\"[size]\"".to_owned(),
            _ => steady(cell),
        });
        found.push_str(&format!("{}\n", cells.collect::<Vec<_>>().join(",")));
    }
    found
}

fn steady_metrics(text: &str) -> String {
    let lines = text.lines().map(|line| match line.rsplit_once(' ') {
        Some((series, _)) if line.starts_with('#') => {
            format!("{series}{}\n", &line[series.len()..])
        }
        Some((series, _)) if series.contains("timestamp") => format!("{series} [time]\n"),
        Some((series, _)) if series.contains("duration") => format!("{series} [duration]\n"),
        Some((series, value)) if series.contains("bytes") && value != "0" => {
            format!("{series} [size]\n")
        }
        _ => format!("{line}\n"),
    });
    lines.collect()
}

fn told(name: &str, found: &str) {
    assert_golden(&format!("past/report/{name}"), found);
}

/// Today and the day before: what was done is of today, unless midnight comes between.
const DAYS: [&str; 3] = ["report", "--days", "1"];

/// The same on every terminal, but for the room there is: a report has no colours, whoever asks.
fn on_terminals(project: &Project) {
    for columns in [80, 200] {
        let [plain, coloured] = ["never", "always"].map(|colour| {
            let arguments = [&DAYS[..], &["--color", colour]].concat();
            let shown = on_terminal(project, columns, &arguments).success().stdout;
            let wide = |line: &&str| line.chars().count() > columns as usize;
            assert_eq!(shown.lines().find(wide), None, "wider than {columns}");
            steady_text(&shown)
        });
        told(&format!("terminal_{columns}_plain.txt"), &plain);
        told(&format!("terminal_{columns}_colour.txt"), &coloured);
    }
}

#[test]
fn a_report_is_what_it_was_when_it_was_looked_at() {
    let Bank { project, .. } = bank();
    let forms: [(&str, Steady); 6] = [
        ("html", steady_page),
        ("md", steady_markdown),
        ("json", steady),
        ("csv", steady_csv),
        ("ndjson", steady),
        ("prom", steady_metrics),
    ];
    let files = forms.map(|(form, _)| format!("{form}=report.{form}"));
    let mut arguments = DAYS.to_vec();
    arguments.extend(files.iter().flat_map(|file| ["--report", file]));
    let shown = project.run(&arguments).success().stdout;
    told("piped.txt", &steady_text(&shown));
    for (form, steady) in forms {
        told(&format!("report.{form}"), &steady(&project.read(&format!("report.{form}"))));
    }
    let printed = project.run(&[&DAYS[..], &["--format", "json"]].concat()).success().stdout;
    told("report.json", &steady(&printed));
    on_terminals(&project);
    let operations = project.run(&["history", "--format", "json"]).success().stdout;
    told("history.json", &steady(&operations));
}

/// A key was made today: it is past an age of a second, and close to one of a day.
#[test]
fn keys_that_are_to_be_replaced_are_named_and_stop_nothing() {
    let Bank { project, .. } = Bank::new(7, "");
    project.run(&["run", "--quiet"]).success();
    let ages = |age: &str| {
        let profiles = project.read("profiles.yml");
        let (keys, _) = profiles.split_once(", rotation").unwrap_or((&profiles, ""));
        let keys = keys.split_once(&format!("env: {KEY_VARIABLE}")).unwrap().0;
        let rest = profiles.split_once("connections:").unwrap().1;
        let rotation = format!("env: {KEY_VARIABLE}, rotation: {{max_age: {age}}}}}");
        project.write("profiles.yml", format!("{keys}{rotation}\n    connections:{rest}"));
    };
    let named = "data/default/1, metadata/default/1, masking/default/1, identifiers/default/1, audit/default/1";
    let keys = |project: &Project| {
        let report = project.run(&["report", "--format", "json"]).success().json();
        let check = report["checks"][1].clone();
        let text = |field: &str| check[field].as_str().unwrap().to_owned();
        (text("verdict"), text("words"))
    };
    for (age, verdict, words, plan) in [
        ("1s", "bad", "overdue for rotation: ", "data/default/1  overdue since "),
        ("1d", "warning", "soon due for rotation: ", "masking/default/1  due by "),
    ] {
        ages(age);
        assert_eq!(keys(&project), (verdict.to_owned(), format!("{words}{named}")));
        let metrics = ["report", "--report", "prom=report.prom"];
        project.run(&metrics).success().says("E0711").says("key data/default/1, made on");
        let due = "engine_key_rotation_due_seconds{key=\"data/default/1\"} ";
        assert!(project.read("report.prom").contains(due), "{}", project.read("report.prom"));
        project.run(&["plan"]).success().says("E0711").prints("Keys to rotate").prints(plan);
        project.run(&["run", "--quiet"]).status(0);
    }
    ages("1y");
    assert_eq!(keys(&project).0, "well");
    let ended = project.run(&["plan"]).success();
    assert!(!ended.stderr.contains("E0711") && !ended.stdout.contains("Keys to rotate"), "{ended}");
}

#[test]
fn only_what_differs_is_written_as_what_it_is() {
    for (text, found) in [
        ("5 of 6, 83.3 %, 10.4 KiB in 59 ms.", "5 of 6, 83.3 %, [size] in [duration]."),
        ("2026-11-23 11:02:07 UTC", "[time] UTC"),
        ("\"made\": \"2026-11-23T11:02:07.968860703Z\",", "\"made\": \"[time]\","),
        (
            "\"rows\": 161, \"total_us\": 12, \"bytes\": 0",
            "\"rows\": 161, \"total_us\": [duration], \"bytes\": 0",
        ),
        (
            "\"recent_us\": [\n  7,\n  8\n], \"n\": 3",
            "\"recent_us\": [\n  [duration],\n  [duration]\n], \"n\": 3",
        ),
        ("sha256:0123456789abcdef version 2", "sha256:[id] version 2"),
    ] {
        assert_eq!(steady(text), found);
    }
    assert_eq!(without("<rect y=\"1.0\" x=\"2\"/>", "y="), "<rect y=\"[y]\" x=\"2\"/>");
    assert_eq!(cells("\"a,\"\"b\"\"\",\"\""), ["\"a,\"\"b\"\"\"", "\"\""]);
}
