//! Rules of the house that no lint knows: how long files are, how they begin, what they
//! may be called, what they may refer to, and which crate may use which.

use std::path::Path;

use crate::repository::{TextFile, assert_none, metadata, root, text_files};

const FILE_LINES_MAX: usize = 500;

/// What each crate may use of the others. A crate that is not here fails the test.
const CRATES: [(&str, &[&str]); 8] = [
    ("engine-project", &[]),
    ("engine-masking", &[]),
    ("engine-bundle", &[]),
    ("engine-tracking", &[]),
    ("engine-outbound", &[]),
    ("engine-sources", &["engine-tracking"]),
    (
        "engine-runtime",
        &[
            "engine-project",
            "engine-masking",
            "engine-bundle",
            "engine-tracking",
            "engine-outbound",
            "engine-sources",
        ],
    ),
    ("engine-cli", &["engine-runtime"]),
];

fn rust_files() -> impl Iterator<Item = TextFile> {
    text_files().into_iter().filter(TextFile::is_rust)
}

#[test]
fn files_are_short() {
    let mut lengths: Vec<_> =
        rust_files().map(|file| (file.text.lines().count(), file.path)).collect();
    lengths.sort();
    let lines_at = |percent: usize| lengths[(lengths.len() - 1) * percent / 100].0;
    let (median, p90) = (lines_at(50), lines_at(90));
    let long = lengths.iter().filter(|(lines, _)| *lines > FILE_LINES_MAX);
    let findings: Vec<_> = long.map(|(lines, path)| format!("{path}: {lines} lines")).collect();
    let rule = format!("files up to {FILE_LINES_MAX} lines (now: median {median}, p90 {p90})");
    assert_none(&rule, &findings);
}

#[test]
fn files_say_what_they_are_for() {
    let says = |text: &str| {
        let first = text.lines().next().and_then(|line| line.strip_prefix("//! "));
        first.is_some_and(|words| words.len() >= 12 && !words.contains("placeholder"))
    };
    let silent = rust_files().filter(|file| !says(&file.text));
    let findings: Vec<_> = silent.map(|file| file.path).collect();
    assert_none("the first line of a file is a `//!` that says what it is for", &findings);
}

#[test]
fn names_say_something() {
    let empty = ["common", "helper", "helpers", "misc", "util", "utils"];
    let says_nothing = |path: &str| {
        path.split('/').any(|part| empty.contains(&part.split('.').next().unwrap_or_default()))
    };
    let findings: Vec<_> =
        text_files().into_iter().map(|file| file.path).filter(|path| says_nothing(path)).collect();
    assert_none("a file or folder is named after what is in it", &findings);
}

#[test]
fn every_module_is_used() {
    let files: Vec<_> = rust_files().filter(|file| file.path.contains("/src/")).collect();
    let mut findings = Vec::new();
    for file in &files {
        let (folder, name) = file.path.rsplit_once('/').unwrap();
        let (parent, module) = match name {
            "lib.rs" | "main.rs" => continue,
            "mod.rs" => folder.rsplit_once('/').unwrap(),
            _ => (folder, file.stem()),
        };
        let parents = ["mod.rs", "lib.rs", "main.rs"].map(|name| format!("{parent}/{name}"));
        let parents = parents.into_iter().chain([format!("{parent}.rs")]);
        let declared = parents.into_iter().any(|parent| {
            let parent = files.iter().find(|file| file.path == parent);
            parent.is_some_and(|parent| modules(parent).iter().any(|name| name == module))
        });
        if !declared {
            findings.push(format!("{}: no `mod {module};` in {parent}", file.path));
        }
    }
    assert_none("every file is part of its crate", &findings);
}

/// Where the components of a kind are, and what an implementation of one says.
const COMPONENTS: [(&str, &[&str]); 2] = [
    ("engine/masking/src/functions", &["impl Function for ", "impl WordFunction for "]),
    ("engine/sources/src/kinds", &["impl Connector for ", "impl FileKind for "]),
];

#[test]
fn every_component_is_registered() {
    let files: Vec<_> = rust_files().collect();
    let mut findings = Vec::new();
    for (folder, implements) in COMPONENTS {
        let registry = files.iter().find(|file| file.path == format!("{folder}/mod.rs")).unwrap();
        let all = registry.text.split_once("pub const ALL").unwrap().1;
        let (_, all) = all.split_once("];").unwrap().0.split_once('=').unwrap();
        let all = all.trim().trim_start_matches("&[");
        let entries: Vec<_> =
            all.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect();
        if !entries.is_sorted() {
            findings.push(format!("{folder}: ALL is not in alphabetical order"));
        }
        for file in &files {
            let inside = file.path.strip_prefix(folder).and_then(|path| path.strip_prefix('/'));
            let Some(module) = inside.map(|path| path.trim_end_matches(".rs")) else { continue };
            let module = module.split('/').next().unwrap();
            let component = file
                .code()
                .any(|(_, line)| implements.iter().any(|implement| line.contains(implement)));
            let own = format!("&{module}::");
            // Functions that need the whole column have a list of their own.
            let whole = registry.text.contains(&format!("WHOLE: &[&dyn Function] = &[{own}"));
            let registered = whole || entries.iter().any(|entry| entry.starts_with(&own));
            if component && !registered {
                findings.push(format!("{}: not in ALL of {folder}/mod.rs", file.path));
            }
        }
    }
    assert_none("a component is a file and a line in ALL", &findings);
}

#[test]
fn modules_use_those_above_them() {
    let files: Vec<_> = rust_files().collect();
    let mut findings = Vec::new();
    let is_top = |file: &&TextFile| {
        let path = file.path.strip_prefix("engine/").and_then(|path| path.split_once('/'));
        path.is_some_and(|(_, path)| path == "src/lib.rs" || path == "src/main.rs")
    };
    for top in files.iter().filter(is_top) {
        let order = modules(top);
        let folder = top.path.rsplit_once('/').unwrap().0;
        for file in &files {
            let inside = file.path.strip_prefix(folder).and_then(|path| path.strip_prefix('/'));
            let own = inside.map(|path| path.split('/').next().unwrap().trim_end_matches(".rs"));
            let Some(own) = own.and_then(|own| order.iter().position(|name| name == own)) else {
                continue;
            };
            for (line, name) in mentions(file, inside.unwrap()) {
                match order.iter().position(|module| *module == name) {
                    Some(index) if index <= own => {}
                    Some(_) => findings.push(format!(
                        "{}:{line}: `{name}` comes after `{}` in {}",
                        file.path, order[own], top.path
                    )),
                    None => findings.push(format!(
                        "{}:{line}: `crate::{name}` names no module; say which one it is in",
                        file.path
                    )),
                }
            }
        }
    }
    assert_none(
        "a module uses only modules declared above it, so that none form a cycle",
        &findings,
    );
}

/// The `mod name;` lines of a file, in order.
fn modules(file: &TextFile) -> Vec<String> {
    let mut modules = Vec::new();
    for (_, text) in file.code() {
        let words: Vec<_> = text.trim_end_matches(';').split_whitespace().collect();
        if let ([.., "mod", name], true) = (words.as_slice(), text.ends_with(';')) {
            modules.push((*name).to_owned());
        }
    }
    modules
}

/// Names that a file takes from its crate's root: `crate::name`, `crate::{name, …}`, and
/// `super::name` where that is the root.
fn mentions(file: &TextFile, inside: &str) -> Vec<(usize, String)> {
    let depth = inside.matches('/').count() + usize::from(!inside.ends_with("/mod.rs"));
    let supers = "super::".repeat(depth);
    let mut found = Vec::new();
    for (line, text) in file.code() {
        let root = text.match_indices("crate::").map(|(at, root)| at + root.len());
        let above = text.match_indices(&supers).filter(|(at, _)| {
            // `super::super::` holds `super::` twice; only the whole chain leads to the root.
            !text[..*at].ends_with("super::") && !text[at + supers.len()..].starts_with("super::")
        });
        for rest in root.chain(above.map(|(at, _)| at + supers.len())) {
            let rest = &text[rest..];
            let names = match rest.strip_prefix('{') {
                Some(group) => group.trim_end_matches(['}', ';']).split(", ").collect(),
                None => vec![rest],
            };
            for name in names {
                let name = name.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
                if !name.is_empty() && name != "self" && name != "super" {
                    found.push((line, name.to_owned()));
                }
            }
        }
    }
    found
}

#[test]
fn mentions_are_found() {
    let file = |text: &str| TextFile { path: "engine/x/src/a/b.rs".into(), text: text.into() };
    let names = |text: &str, inside: &str| {
        mentions(&file(text), inside).into_iter().map(|(_, name)| name).collect::<Vec<_>>()
    };
    assert_eq!(names("use crate::one::{Two, Three};\n", "a.rs"), ["one"]);
    assert_eq!(names("use crate::{one, two::Three};\n", "a.rs"), ["one", "two"]);
    assert_eq!(names("// use crate::one;\nmod tests {\nuse crate::two;\n", "a.rs"), [""; 0]);
    assert_eq!(names("use super::one;\n", "a.rs"), ["one"]);
    assert_eq!(names("use super::one;\n", "a/mod.rs"), ["one"]);
    assert_eq!(names("use super::one;\nuse super::super::two;\n", "a/b.rs"), ["two"]);
    assert_eq!(names("fn f() -> crate::one::Two {}\n", "a.rs"), ["one"]);
}

#[test]
fn lints_are_waived_with_a_reason_only() {
    let waivers = [concat!("#[", "allow("), concat!("#![", "allow(")];
    let findings = lines_with(|file, line| file.is_rust() && contains_any(line, &waivers));
    assert_none(
        "a waiver is #[expect(lint, reason = \"…\")], so that it goes when it can",
        &findings,
    );
}

#[test]
fn nothing_is_left_for_later() {
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:")];
    let findings = lines_with(|_, line| contains_any(line, &marks));
    assert_none("what is left to do stands in an issue", &findings);
}

#[test]
fn the_repository_stands_alone() {
    let elsewhere = [
        concat!("/wo", "rk/main"),
        concat!("/wo", "rk/shared"),
        concat!("/wo", "rk/."),
        concat!("../sha", "red"),
        concat!(".libr", "ary/"),
        concat!("/tmp/", "brief"),
        concat!("/tmp/", "pyv"),
    ];
    let findings = lines_with(|_, line| contains_any(line, &elsewhere));
    assert_none("no file names a place that only one machine has", &findings);
}

fn contains_any(line: &str, needles: &[&str]) -> bool {
    needles.iter().any(|needle| line.contains(needle))
}

fn lines_with(is_bad: impl Fn(&TextFile, &str) -> bool) -> Vec<String> {
    let mut findings = Vec::new();
    for file in text_files() {
        let lines = file.text.lines().enumerate();
        let bad = lines.filter(|(_, line)| is_bad(&file, line));
        findings.extend(bad.map(|(index, _)| format!("{}:{}", file.path, index + 1)));
    }
    findings
}

#[test]
fn crates_use_only_those_below_them() {
    let metadata = metadata(&["--no-deps"]);
    let packages = metadata["packages"].as_array().unwrap();
    let mut findings = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let Some((_, allowed)) = CRATES.iter().find(|(crate_name, _)| *crate_name == name) else {
            findings.push(format!("{name} is not in this test's list"));
            continue;
        };
        for dependency in package["dependencies"].as_array().unwrap() {
            let other = dependency["name"].as_str().unwrap();
            // Tests of the program may look into any crate; those of a leaf may not.
            let test = dependency["kind"] == "dev" && name == "engine-cli";
            if other.starts_with("engine-") && !allowed.contains(&other) && !test {
                findings.push(format!("{name} uses {other}"));
            }
        }
        let manifest = std::fs::read_to_string(package["manifest_path"].as_str().unwrap()).unwrap();
        if !manifest.contains("[lints]\nworkspace = true") {
            findings.push(format!("{name} does not take the workspace's lints"));
        }
    }
    assert_eq!(packages.len(), CRATES.len(), "a crate of this test's list is gone");
    assert_none("a crate uses only the crates below it", &findings);
}

#[test]
fn the_lock_file_is_committed() {
    assert!(root().join("Cargo.lock").is_file());
    let ignored = std::fs::read_to_string(root().join(".gitignore")).unwrap();
    assert!(!ignored.contains("Cargo.lock"));
}

#[test]
fn editors_find_the_schema_of_every_yaml_file() {
    let mut findings = Vec::new();
    let projects = ["examples/", "project-template/", "tests/bench/project/"];
    for file in text_files() {
        // A hidden file is somebody else's: the engine reads none.
        let ours = projects.iter().any(|folder| file.path.starts_with(folder))
            && !file.path.contains("/.");
        if !ours || !file.path.ends_with(".yml") {
            continue;
        }
        let first = file.text.lines().next().unwrap_or_default();
        let schema = first.strip_prefix("# yaml-language-server: $schema=");
        let path = root().join(&file.path);
        let found = schema.map(|schema| path.parent().unwrap_or(Path::new("")).join(schema));
        if !found.is_some_and(|found| found.is_file()) {
            findings.push(file.path);
        }
    }
    assert_none("the first line of a YAML file names a JSON Schema that exists", &findings);
}
