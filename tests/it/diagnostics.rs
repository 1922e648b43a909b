//! Every error code, produced by the program itself: each case of `tests/diagnostics/*.md` is run
//! and what it prints on stderr is compared.
//!
//! ````text
//!  # title of the page                  one page for each code, or for a few that belong together
//!  ## title of a case                   a fresh copy of tests/diagnostics/base
//!  ```yaml title="sources/crm.yml"      a file of the project, written over the base's
//!  ```sh                                a script that changes the project and must succeed
//!  ```console                           a command, how it ends, and all of its stderr
//!  $ engine compile
//!  ? 65
//!  E0121 …
//! ````
//!
//! The blocks of a case are carried out in their order. `ENGINE_REWRITE=1` writes what was printed
//! into the pages.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::repository::{assert_none, root, text_files};

/// Codes that no small project can produce, with the test that does.
const ELSEWHERE: &str = "elsewhere.md";
/// What scripts may call: `powerless` runs a command without the rights that root has over files.
const PRELUDE: &str = r#"
powerless() {
    if [ "$(id -u)" = 0 ]; then setpriv --bounding-set=-all -- "$@"; else "$@"; fi
}
"#;

#[test]
fn configuration() {
    check("E01");
}

#[test]
fn names() {
    check("E02");
}

#[test]
fn templates_and_sql() {
    check("E03");
}

#[test]
fn policy() {
    check("E04");
}

#[test]
fn sources() {
    check("E05");
}

#[test]
fn stores() {
    check("E06");
}

#[test]
fn keys() {
    check("E07");
}

#[test]
fn runs() {
    check("E08");
}

#[test]
fn commands() {
    check("E09");
}

#[test]
fn tracking() {
    check("E10");
}

#[test]
fn outbound() {
    check("E11");
}

#[test]
fn several_at_once() {
    check("several");
}

#[test]
fn every_page_is_run() {
    let ranges =
        ["E01", "E02", "E03", "E04", "E05", "E06", "E07", "E08", "E09", "E10", "E11", "several"];
    let unknown = pages("").into_iter().map(|page| page.name);
    let unknown = unknown.filter(|name| !ranges.iter().any(|range| name.starts_with(range)));
    assert_none("a page's name starts with a code or `several`", &unknown.collect::<Vec<_>>());
}

#[test]
fn every_code_is_shown_once() {
    let codes = codes();
    assert!(codes.len() > 100, "only {} codes were found", codes.len());
    let pages = pages("");
    let shown: BTreeSet<&str> = pages.iter().flat_map(Page::codes).collect();
    let elsewhere = elsewhere();
    let mut findings = Vec::new();
    for code in &codes {
        match (shown.contains(code.as_str()), elsewhere.contains_key(code)) {
            (true, false) | (false, true) => {}
            (true, true) => findings.push(format!("{code} is on a page and in {ELSEWHERE}")),
            (false, false) => {
                findings.push(format!("{code} is neither on a page nor in {ELSEWHERE}"));
            }
        }
    }
    for page in &pages {
        let code = page.name.get(..5).filter(|code| codes.contains(*code));
        if code.is_some_and(|code| !page.codes().any(|shown| shown == code)) {
            findings.push(format!("{} does not show its code", page.name));
        }
    }
    for code in elsewhere.keys().filter(|code| !codes.contains(*code)) {
        findings.push(format!("{ELSEWHERE} names {code}, which does not exist"));
    }
    assert_none("every error code has a case that produces it", &findings);
}

#[test]
fn tests_that_stand_elsewhere_exist() {
    let files = text_files();
    let mut findings = Vec::new();
    for (code, (path, test)) in elsewhere() {
        let text = files.iter().find(|file| file.path == path).map_or("", |file| &file.text);
        let declared = format!("fn {test}(");
        let is_test = text.split_once(&declared).is_some_and(|(before, _)| {
            before.trim_end().lines().rev().take(2).any(|line| line.contains("test]"))
        });
        if !is_test {
            findings.push(format!("{code}: there is no test `{test}` in {path}"));
        }
    }
    assert_none("a test that is named for a code exists", &findings);
}

/// Runs the pages whose name starts with `range`, and compares or rewrites them.
fn check(range: &str) {
    let rewrite = std::env::var_os("ENGINE_REWRITE").is_some();
    let pages = pages(range);
    assert!(!pages.is_empty(), "there is no page for {range}");
    let mut findings = Vec::new();
    for page in pages {
        let now = page.run();
        if rewrite {
            std::fs::write(folder().join(&page.name), &now).unwrap();
        } else if now != page.text {
            findings.push(format!(
                "tests/diagnostics/{}\n{}",
                page.name,
                changes(&page.text, &now)
            ));
        }
    }
    let rule =
        "what is printed differs; read it, and take it over with ENGINE_REWRITE=1 if it is right";
    assert_none(rule, &findings);
}

/// A file of `tests/diagnostics`.
struct Page {
    name: String,
    text: String,
}

/// A fenced block: what stands behind the opening fence, and its lines.
struct Block<'t> {
    info: &'t str,
    lines: Vec<&'t str>,
}

impl Page {
    /// The codes that its cases expect.
    fn codes(&self) -> impl Iterator<Item = &str> {
        self.text.lines().filter(|line| is_code(line))
    }

    /// The text of the page with what its commands print now.
    fn run(&self) -> String {
        let mut now = String::new();
        let mut project = None;
        let mut lines = self.text.lines();
        while let Some(line) = lines.next() {
            now.push_str(line);
            now.push('\n');
            if line.starts_with("## ") {
                project = Some(Project::new());
            }
            let Some(info) = line.strip_prefix("```") else { continue };
            let block =
                Block { info, lines: lines.by_ref().take_while(|line| *line != "```").collect() };
            let project = project.as_ref().expect("a block stands in a case");
            for line in project.carry_out(&block) {
                now.push_str(&line);
                now.push('\n');
            }
            now.push_str("```\n");
        }
        now
    }
}

/// A copy of the base in a folder of its own.
struct Project(tempfile::TempDir);

impl Project {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("engine-diagnostics-").tempdir().unwrap();
        copy(&self::folder().join("base"), folder.path());
        Self(folder)
    }

    /// Carries a block out; gives its lines, with what a command printed now.
    fn carry_out(&self, block: &Block<'_>) -> Vec<String> {
        let text: String = block.lines.iter().map(|line| format!("{line}\n")).collect();
        match block.info.split_once(" title=") {
            Some((_, title)) => self.write(title.trim_matches('"'), &text),
            None if block.info == "sh" => {
                let output = self.shell(&format!("set -eu\n{text}"));
                assert!(output.status.success(), "{text}\n{output:?}");
            }
            None if block.info == "console" => return self.command(block),
            None => panic!("a block is a file with a title, `sh` or `console`: {}", block.info),
        }
        block.lines.iter().map(|line| (*line).to_owned()).collect()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn command(&self, block: &Block<'_>) -> Vec<String> {
        let command = block.lines.first().and_then(|line| line.strip_prefix("$ "));
        let command = command.expect("a console block starts with `$ `");
        let output = self.shell(command);
        let status = output.status.code().map_or("a signal".to_owned(), |code| code.to_string());
        let mut lines = vec![format!("$ {command}"), format!("? {status}")];
        let text = String::from_utf8_lossy(&output.stderr);
        lines.extend(
            self.normalised(&text).trim_end().lines().map(|line| line.trim_end().to_owned()),
        );
        lines
    }

    /// Runs a script in the project's folder, with the engine on the path and nothing else in the
    /// environment.
    fn shell(&self, script: &str) -> Output {
        let engine = Path::new(env!("CARGO_BIN_EXE_engine")).parent().unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        Command::new("sh")
            .args(["-c", &format!("{PRELUDE}{script}")])
            .current_dir(&self.0)
            .env_clear()
            .env("PATH", format!("{}:{path}", engine.display()))
            .env("HOME", self.0.path())
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// What is printed, without what differs from run to run: the folder, and random identifiers.
    fn normalised(&self, text: &str) -> String {
        let folder = self.0.path().display().to_string();
        let text = text.replace(&folder, "[PROJECT]");
        let mut normalised = String::new();
        let mut rest = text.as_str();
        while let Some(start) = rest.find(|letter: char| letter.is_ascii_hexdigit()) {
            let (before, from) = rest.split_at(start);
            let end = from.find(|letter: char| !letter.is_ascii_hexdigit()).unwrap_or(from.len());
            let (digits, after) = from.split_at(end);
            normalised.push_str(before);
            normalised.push_str(if !matches!(digits.len(), 16 | 32 | 64) {
                digits
            } else {
                "[ID]"
            });
            rest = after;
        }
        normalised + rest
    }
}

fn folder() -> PathBuf {
    root().join("tests/diagnostics")
}

fn pages(range: &str) -> Vec<Page> {
    let mut pages = Vec::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.ends_with(".md") && name.starts_with(range) && name != ELSEWHERE {
            pages.push(Page { name, text: std::fs::read_to_string(&path).unwrap() });
        }
    }
    pages.sort_by(|left, right| left.name.cmp(&right.name));
    pages
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn is_code(text: &str) -> bool {
    let digits = text.strip_prefix('E').unwrap_or_default();
    digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Every code that the engine declares.
fn codes() -> BTreeSet<String> {
    let files = text_files().into_iter();
    let files = files.filter(|file| file.path.starts_with("engine/runtime/src/codes/"));
    let mut codes = BTreeSet::new();
    for file in files {
        let ids = file.text.lines().filter_map(|line| line.trim().strip_prefix("id: \""));
        codes.extend(ids.filter_map(|id| id.strip_suffix("\",")).map(str::to_owned));
    }
    codes
}

/// The rows `| code | file | test |` of the list, by code.
fn elsewhere() -> BTreeMap<String, (String, String)> {
    let text = std::fs::read_to_string(folder().join(ELSEWHERE)).unwrap();
    let mut tests = BTreeMap::new();
    for line in text.lines() {
        let mut cells = line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`'));
        if let (Some(code), Some(path), Some(test)) = (cells.next(), cells.next(), cells.next())
            && is_code(code)
        {
            let before = tests.insert(code.to_owned(), (path.to_owned(), test.to_owned()));
            assert_eq!(before, None, "{code} stands twice in {ELSEWHERE}");
        }
    }
    tests
}

/// The lines that differ, with the line before the first.
fn changes(before: &str, now: &str) -> String {
    let (before, now): (Vec<_>, Vec<_>) = (before.lines().collect(), now.lines().collect());
    let same = before.iter().zip(&now).take_while(|(before, now)| before == now).count();
    let (before_rest, now_rest) = (&before[same..], &now[same..]);
    let tail = before_rest.iter().rev().zip(now_rest.iter().rev());
    let tail = tail.take_while(|(before, now)| before == now).count();
    let mut text = format!("  line {}:\n", same + 1);
    for line in &before_rest[..before_rest.len() - tail] {
        text.push_str(&format!("- {line}\n"));
    }
    for line in &now_rest[..now_rest.len() - tail] {
        text.push_str(&format!("+ {line}\n"));
    }
    text
}
