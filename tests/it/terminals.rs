//! What a person sees on a terminal of 80 and of 200 columns, with and without colour. `script` of
//! util-linux is the terminal; escapes are written `\e`.

use crate::golden::{assert_golden, settled};
use crate::harness::{Ended, Project};

const COLUMNS: [u32; 2] = [80, 200];
const COLOURS: [&str; 2] = ["never", "always"];

/// Chinook, where lines are not redrawn: how often they would be is a matter of time.
fn chinook() -> Project {
    let mut project = Project::copy_of("examples/chinook");
    project.set("NO_COLOR", "1");
    project
}

/// Runs the program on a terminal. What it writes to either stream is in `stdout` then.
pub(crate) fn on_terminal(project: &Project, columns: u32, arguments: &[&str]) -> Ended {
    let script = format!("exec script -qec \"stty rows 40 cols {columns}; exec $*\" /dev/null");
    let mut ended = project.run_by(&["sh", "-c", &script, "sh"], arguments);
    ended.stdout = ended.stdout.replace('\r', "").replace('\u{1b}', "\\e");
    ended
}

/// What is above the table of a run as it is; the table without what differs from run to run.
fn without_sizes(shown: &str) -> String {
    match shown.split_once("\nRun ") {
        Some((above, table)) => format!("{above}\n{}", settled(&format!("Run {table}"))),
        None => shown.to_owned(),
    }
}

/// Compares what is seen in each kind of terminal.
fn for_each_terminal(name: &str, arguments: &[&str], show: impl Fn(u32, &[&str]) -> Ended) {
    for columns in COLUMNS {
        for colour in COLOURS {
            let ended = show(columns, &[arguments, &["--color", colour]].concat());
            assert_eq!(ended.stdout.contains("\\e["), colour == "always", "{ended}");
            let hue = if colour == "always" { "colour" } else { "plain" };
            let golden = format!("terminal/{name}_{columns}_{hue}.txt");
            assert_golden(&golden, &without_sizes(&ended.stdout));
        }
    }
}

/// The same, each time from the start.
fn assert_seen(name: &str, change: fn(&Project), arguments: &[&str], status: i32) {
    for_each_terminal(name, arguments, |columns, arguments| {
        let project = chinook();
        change(&project);
        on_terminal(&project, columns, arguments).status(status)
    });
}

/// Three mistakes, in three files.
fn mistaken(project: &Project) {
    project.replace("exports/people.yml", "from: source('chinook', 'Employee')", "frm: Employee");
    project.replace("policies/masking.yml", "linkage: customer}", "linkge: customer}");
    project.replace("sources/chinook.yml", "connection: chinook", "conection: chinook");
}

#[test]
fn diagnostics() {
    assert_seen("diagnostics", mistaken, &["compile"], 65);
}

#[test]
fn a_run_that_fails() {
    let fails = |project: &Project| project.replace("exports/sales.yml", "k: 5}", "k: 500}");
    let run = ["run", "--jobs", "1", "--select", "genres", "--select", "invoices"];
    assert_seen("run", fails, &run, 4);
}

#[test]
fn a_plan_with_widenings() {
    let project = chinook();
    let customers = ["plan", "--select", "customers"];
    project.run(&[&customers[..], &["--out", "before.json"]].concat()).success();
    let before: serde_json::Value = serde_json::from_str(&project.read("before.json")).unwrap();
    let digest = before["digest"].as_str().unwrap().trim_start_matches("sha256:");
    let rules = "policies/masking.yml";
    project.replace(rules, "mask: phone}", "keep: {owner: \"@sales\", reason: we call them}}");
    project.replace(rules, "{keep: 2}", "{keep: 3}");
    let arguments = [&customers[..], &["--base", "before.json"]].concat();
    for_each_terminal("plan", &arguments, |columns, arguments| {
        let mut ended = on_terminal(&project, columns, arguments).success();
        ended.stdout = ended.stdout.replace(&digest[..12], "[digest]");
        let wide = |line: &&str| line.replace("\\e", "").chars().count() > columns as usize + 24;
        assert_eq!(ended.stdout.lines().find(wide), None, "wider than {columns}");
        ended
    });
}

/// A pipe is no terminal: one layout, whatever reads it, and colours only for those who ask.
#[test]
fn a_plan_that_is_no_terminals() {
    let project = chinook();
    let plain = project.run(&["plan"]).success().stdout;
    assert!(plain.lines().any(|line| line.len() > 120) && !plain.contains('\u{1b}'), "{plain}");
    let coloured = project.run(&["plan", "--color", "always"]).success().stdout;
    assert!(coloured.contains('\u{1b}'), "{coloured}");
}

#[test]
fn a_terminal_is_coloured_unless_it_asks_not_to_be() {
    let mut project = Project::empty();
    let coloured =
        |project: &Project| on_terminal(project, 80, &["plan"]).status(65).stdout.contains("\\e[");
    assert!(coloured(&project));
    for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb"), ("CI", "true")] {
        project.set(name, value);
        assert!(!coloured(&project), "{name}={value}");
        project.set(name, "");
        assert!(coloured(&project), "{name} is empty");
    }
}
