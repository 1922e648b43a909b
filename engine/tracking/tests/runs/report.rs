//! A report in each of its forms.

use engine_tracking::runs::{
    Class, Failure, Folded, Message, Node, Operation, Record, Scope, ScriptType, State,
    chain::{ChainId, Fault},
    report::{Audit, Coverage, Findings, Health, KeyHealth, Report, Store, Verdict},
    statistics::Window,
};

use crate::{
    golden::compare,
    invented::{decryption, moment, operation, week, writer},
};

const NOW: &str = "2026-11-22T23:59:00Z";

fn window() -> Window {
    Window { since: moment("2026-11-16T00:00:00Z"), now: moment(NOW) }
}

fn well() -> Health {
    Health {
        store: Store::Reachable { latency_us: 12_400 },
        keys: Vec::new(),
        retention_overdue: Some(0),
        audit: None,
        coverage: Vec::new(),
        findings: Vec::new(),
    }
}

fn health() -> Health {
    let key = |name: &str, version, due: Option<&str>| KeyHealth {
        name: name.into(),
        version,
        since: moment("2026-01-10T00:00:00Z"),
        rotation_due: due.map(moment),
    };
    let chain = ChainId { writer: writer(1), class: Class::Execution };
    let coverage =
        |(day, covered)| Coverage { day: format!("2026-11-{day}"), sensitive: 42, covered };
    let findings =
        |(day, critical, other)| Findings { day: format!("2026-11-{day}"), critical, other };
    Health {
        keys: vec![
            key("masking", 3, Some("2026-12-10T00:00:00Z")),
            key("metadata", 1, Some("2027-06-01T00:00:00Z")),
            key("data", 7, None),
        ],
        retention_overdue: Some(2),
        audit: Some(Audit::of(1_204_311, &[Fault::Missing { chain, first: 17, last: 19 }])),
        coverage: [(16, 36), (17, 36), (18, 38), (19, 39), (20, 39), (21, 41), (22, 42)]
            .map(coverage)
            .into(),
        findings: [
            (16, 2, 6),
            (17, 2, 6),
            (18, 1, 5),
            (19, 1, 4),
            (20, 0, 4),
            (21, 0, 2),
            (22, 0, 1),
        ]
        .map(findings)
        .into(),
        ..well()
    }
}

fn folded(operations: Vec<Operation>) -> Folded {
    let times = ["2026-11-15T23:59:59Z", "2026-11-17T09:30:00Z", "2026-11-20T14:12:00Z"];
    let events = times.iter().zip(1..).map(|(time, number)| decryption(number, moment(time)));
    let events = events.filter_map(|record| match record {
        Record::Event(event) => Some(event),
        Record::Execution(_) | Record::Status(_) => None,
    });
    Folded { operations, events: events.collect(), incomplete: 0 }
}

pub(crate) fn report() -> Report {
    Report::new("warehouse", &Scope::All, &folded(week()), window(), health())
}

/// A report in which everything that has a name is called `name`.
fn named(name: &str) -> Report {
    let mut failed = operation(1, name, ScriptType::RUN, moment("2026-11-20T00:00:00Z"));
    failed.status = State::Failed;
    failed.error = Some(Failure { code: name.into(), message: Message::redacted(name) });
    failed.nodes = vec![Node { name: name.into(), duration_us: 1, rows: 1 }];
    let mut live = operation(2, name, ScriptType::LOAD, moment("2026-11-20T00:00:00Z"));
    live.status = State::Running;
    live.user = Some(name.into());
    live.host = Some(name.into());
    let Record::Event(mut event) = decryption(1, moment("2026-11-20T00:00:00Z")) else {
        panic!("no event")
    };
    event.user = name.into();
    event.objects[0].name = name.into();
    let key = KeyHealth { name: name.into(), version: 1, since: moment(NOW), rotation_due: None };
    let day = name.to_owned();
    let health = Health {
        keys: vec![key],
        coverage: vec![Coverage { day: day.clone(), sensitive: 1, covered: 1 }],
        findings: vec![Findings { day, critical: 1, other: 0 }],
        ..well()
    };
    Report::new(
        name,
        &Scope::Tenant(name.into()),
        &Folded { events: vec![event], ..folded(vec![failed, live]) },
        window(),
        health,
    )
}

#[test]
fn the_page_is_what_it_was() {
    compare("report.html", &report().to_html());
}

#[test]
fn the_markdown_is_what_it_was() {
    compare("report.md", &report().to_markdown());
}

#[test]
fn the_text_is_what_it_was() {
    compare("report.txt", &report().to_text(100));
    compare("report_80.txt", &report().to_text(80));
}

#[test]
fn the_document_is_what_it_was() {
    compare("report.json", &report().to_json().unwrap());
}

#[test]
fn the_same_executions_give_the_same_report() {
    let mut backwards = week();
    backwards.reverse();
    let again = Report::new("warehouse", &Scope::All, &folded(backwards), window(), health());
    assert_eq!(again.to_html(), report().to_html());
    assert_eq!(again, report());
}

#[test]
fn events_of_the_window_are_listed_the_newest_first() {
    let times: Vec<_> = report().events.iter().map(|event| event.time.to_rfc3339()).collect();
    assert_eq!(times, ["2026-11-20T14:12:00+00:00", "2026-11-17T09:30:00+00:00"]);
}

#[test]
fn checks_say_what_is_well() {
    let verdicts = |health: &Health| {
        let checks = health.checks(moment(NOW));
        checks.iter().map(|check| check.verdict).collect::<Vec<_>>()
    };
    use Verdict::{Bad, Unknown, Warning, Well};
    assert_eq!(verdicts(&well()), [Well, Unknown, Well, Unknown, Unknown]);
    assert_eq!(verdicts(&health()), [Well, Warning, Warning, Bad, Well]);
    let mut late = health();
    late.store = Store::Unreachable;
    late.keys[1].rotation_due = Some(moment("2026-11-01T00:00:00Z"));
    late.audit = Some(Audit::of(9, &[]));
    late.coverage[6].covered = 41;
    assert_eq!(verdicts(&late), [Bad, Bad, Warning, Well, Bad]);
    let words = |health: &Health| health.checks(moment(NOW))[1].words.clone();
    assert_eq!(words(&health()), "soon due for rotation: masking/3");
    assert_eq!(words(&late), "overdue for rotation: metadata/1");
    late.keys = vec![late.keys[1].clone(); 7];
    assert!(words(&late).ends_with("metadata/1 and 2 more"), "{}", words(&late));
}

#[test]
fn the_page_needs_nothing_else_and_runs_nothing() {
    let page = report().to_html();
    for bad in ["http://", "https://", "<script", "<link", "<img", "<iframe", "@import", "url("] {
        assert!(!page.contains(bad), "{bad}");
    }
    assert!(page.contains("default-src 'none'"));
    assert!(page.contains("prefers-color-scheme: dark"));
}

/// Names of elements in their order, refusing what is not closed as it was opened.
fn elements(page: &str) -> Vec<String> {
    let mut open: Vec<String> = Vec::new();
    let mut found = Vec::new();
    let style_end = page.find("</style>").unwrap();
    let mut rest = page.replacen(&page[page.find("<style>").unwrap() + 7..style_end], "", 1);
    while let Some(at) = rest.find('<') {
        let end = at + rest[at..].find('>').expect("a tag is closed");
        let tag = rest[at + 1..end].to_owned();
        assert!(!tag.contains('<'), "{tag}");
        rest = rest[end + 1..].to_owned();
        let name = tag.trim_matches('/').split([' ', '\n', '/']).next().unwrap().to_owned();
        if tag.starts_with('/') {
            assert_eq!(open.pop().as_deref(), Some(name.as_str()), "closed");
        } else if !tag.ends_with('/') && !["!doctype", "meta"].contains(&name.as_str()) {
            open.push(name.clone());
        }
        found.push(name);
    }
    assert!(open.is_empty(), "{open:?}");
    found
}

#[test]
fn elements_are_closed_as_they_were_opened() {
    let found = elements(&report().to_html());
    let count = |name: &str| found.iter().filter(|found| *found == name).count();
    assert_eq!(count("figure"), 2 * 6);
    // Each table says what it is.
    assert_eq!(count("table"), count("caption"));
    assert_eq!((count("title") > 2, count("h1")), (true, 2));
}

#[test]
fn ids_are_there_once_and_labels_name_one() {
    let page = report().to_html();
    let of = |attribute: &str| {
        let begin = format!(" {attribute}=\"");
        let parts = page.split(begin.as_str()).skip(1);
        parts.map(|rest| rest.split('"').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let ids = of("id");
    let unique: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len(), "{ids:?}");
    for label in of("aria-labelledby") {
        assert!(ids.contains(&label), "{label}");
    }
}

#[test]
fn no_name_becomes_an_element() {
    let hostile = "<script>alert(1)</script>\"'><img src=x onerror=y>&lt;\u{202e}\n";
    let harmless = elements(&named("name").to_html());
    assert_eq!(elements(&named(hostile).to_html()), harmless);
    let page = named(hostile).to_html();
    assert!(page.contains("&lt;script&gt;alert(1)"), "it is shown");
    assert!(!page.contains('\u{202e}'));
}

#[test]
fn no_name_formats_links_or_mentions_in_markdown() {
    let hostile = "@team #12 [x](http://y) www.z.org `c` <b> | **d**\n# e ![f](g) ~~h~~ $i$";
    let text = named(hostile).to_markdown();
    let plain = named("name").to_markdown();
    assert_eq!(text.lines().count(), plain.lines().count());
    let unescaped = |text: &str, mark: char| {
        let places = text.match_indices(mark);
        places.filter(|(at, _)| !text[..*at].ends_with('\\')).count()
    };
    for mark in ['|', '*', '`', '[', '<', '#', '~', '$', '!'] {
        assert_eq!(unescaped(&text, mark), unescaped(&plain, mark), "{mark}");
    }
    for linked in ["@t", "#1", "http://", "www."] {
        assert!(!text.contains(linked), "{linked}");
    }
}

#[test]
fn lines_of_text_are_no_wider_than_the_terminal() {
    let long = "a_very_long_name_of_an_export ".repeat(9);
    for report in [report(), named(&long)] {
        for width in [40, 60, 80, 132] {
            let text = report.to_text(width);
            let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= width, "{widest} of {width}");
        }
    }
    assert_eq!(report().to_text(0), report().to_text(40));
    assert!(!named("\u{1b}[31mred\u{7}").to_text(80).contains(['\u{1b}', '\u{7}']));
}

#[test]
fn a_report_of_nothing_is_a_report() {
    let report = Report::new("warehouse", &Scope::All, &Folded::default(), window(), well());
    let page = report.to_html();
    assert!(page.contains("Nothing was executed."));
    assert!(!page.contains("NaN") && !page.contains("inf"));
    elements(&page);
    assert!(report.to_text(80).contains("Nothing failed."));
    assert!(report.to_markdown().contains("Nothing is at work."));
}

#[test]
fn no_drawing_has_a_place_that_is_no_number() {
    let mut huge = week();
    for operation in &mut huge {
        operation.volume.rows_read = u64::MAX;
        operation.volume.bytes_freed = u64::MAX;
        operation.duration_us = operation.duration_us.map(|_| u64::MAX);
    }
    let one_day = Window { since: moment(NOW), now: moment(NOW) };
    for window in [window(), one_day, Window { since: moment("1990-01-01T00:00:00Z"), ..window() }]
    {
        let page = Report::new("w", &Scope::All, &folded(huge.clone()), window, health()).to_html();
        assert!(!page.contains("NaN") && !page.contains("inf"), "{window:?}");
        assert!(page.len() < 1_000_000, "{}", page.len());
    }
}

/// The colours of the page by name: in the light, and in the dark where they differ.
pub(crate) fn colours(page: &str) -> [std::collections::BTreeMap<String, String>; 2] {
    let style = &page[page.find(":root").unwrap()..page.find("* {").unwrap()];
    let (light, dark) = style.split_once("@media").unwrap();
    [light, dark].map(|part| {
        let parts = part.split(';').filter_map(|one| one.split_once("--")?.1.split_once(": #"));
        parts.map(|(name, colour)| (name.to_owned(), colour.trim().to_owned())).collect()
    })
}

/// WCAG 2.2, relative luminance.
fn luminance(colour: &str) -> f64 {
    let part = |at: usize| {
        let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * part(0) + 0.7152 * part(2) + 0.0722 * part(4)
}

#[test]
fn everything_can_be_read_in_the_light_and_in_the_dark() {
    for colours in colours(&report().to_html()) {
        assert_eq!(colours.len(), 17);
        let contrast = |one: &str, other: &str| {
            let (one, other) = (luminance(&colours[one]), luminance(&colours[other]));
            (one.max(other) + 0.05) / (one.min(other) + 0.05)
        };
        for tone in ["good", "bad", "warning", "accent", "plain", "ink", "muted"] {
            for ground in ["surface", "page"] {
                let ratio = contrast(tone, ground);
                assert!(ratio >= 4.5, "{tone} on {ground}: {ratio:.2}");
            }
        }
        for tone in ["good", "bad", "warning", "accent", "plain"] {
            let ratio = contrast(tone, &format!("{tone}-soft"));
            assert!(ratio >= 4.5, "{tone} badge: {ratio:.2}");
        }
        for bar in ["good-bar", "warning-bar"] {
            let ratio = contrast(bar, "surface");
            assert!(ratio >= 3.0, "{bar}: {ratio:.2}");
        }
    }
}
