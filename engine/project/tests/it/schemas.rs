//! The published schemas, against a validator written by others, and against the parser.

use std::path::{Path, PathBuf};

use engine_project::{LoadOptions, ProblemKind, schema};
use serde_json::Value as Json;

use crate::declared_tests::TESTED;
use crate::folder::{BASE, load_with};

fn validator(kind: &str) -> jsonschema::Validator {
    let (_, schema) = schema::all().into_iter().find(|(name, _)| *name == kind).unwrap();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    jsonschema::draft202012::new(&schema).unwrap()
}

/// The files of the base project, and one with every form of a test.
fn files() -> impl Iterator<Item = (&'static str, &'static str)> {
    BASE.into_iter().chain([TESTED]).filter(|(path, _)| path.ends_with(".yml"))
}

fn kind_of(path: &str) -> &'static str {
    match path {
        "engine.yml" => "engine",
        "profiles.yml" => "profiles",
        _ => "project",
    }
}

/// The file as JSON, by the YAML reader of `serde-saphyr` itself.
fn json(text: &str) -> Json {
    serde_saphyr::from_str(text).unwrap()
}

/// Whether the parser finds fault with the shape of a file.
fn shape_fits(path: &str, text: &str) -> bool {
    let Err(problems) = load_with(&[(path, text)], &LoadOptions::default()) else { return true };
    let file = problems.files.find(path);
    !problems.problems.iter().filter(|problem| problem.at.map(|at| at.file) == file).any(|problem| {
        matches!(
            problem.kind,
            ProblemKind::UnknownKey { .. } | ProblemKind::MissingKey { .. } | ProblemKind::WrongType { .. }
        ) || matches!(&problem.kind, ProblemKind::InvalidValue { expected, .. } if expected.contains("at least") || expected.contains("exactly") || expected.contains('`'))
    })
}

#[test]
fn schemas_accept_what_the_parser_accepts() {
    for (path, text) in files() {
        let errors: Vec<String> = validator(kind_of(path))
            .iter_errors(&json(text))
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{path}: {errors:?}");
    }
}

#[test]
fn schema_and_parser_refuse_the_same() {
    let replacements =
        ["1", "x", "true", "[]", "{}", "[1]", "{a: 1}", "\"{{ var('rows') }}\"", "~", "-1", "1.5"];
    let mut compared = 0;
    for (path, text) in files() {
        let validator = validator(kind_of(path));
        // Every `key: value` inside of flow collections and at line ends, replaced by values of all kinds.
        for (start, _) in text.match_indices(": ") {
            let value = &text[start + 2..];
            if value.starts_with(['{', '[', '"']) {
                continue;
            }
            let end = value.find([',', '}', ']', '\n']).unwrap_or(value.len());
            for replacement in replacements {
                let changed = format!("{}: {replacement}{}", &text[..start], &value[end..]);
                let Ok(json) = serde_saphyr::from_str::<Json>(&changed) else { continue };
                let fits = shape_fits(path, &changed);
                // What a template becomes only the parser knows.
                if fits || !replacement.contains("{{") {
                    assert_eq!(validator.is_valid(&json), fits, "{path}: {changed}");
                }
                compared += 1;
            }
        }
    }
    assert!(compared > 300, "{compared}");
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// `schemas/*.json` are what the types say; `ENGINE_REWRITE=1` writes them.
#[test]
#[expect(clippy::disallowed_methods, reason = "the one switch of generated files, and those files")]
fn committed_schemas_are_current() {
    for (kind, schema) in schema::all() {
        let path = repository().join(format!("schemas/{kind}.json"));
        let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
        if std::env::var("ENGINE_REWRITE").is_ok_and(|value| value == "1") {
            crate::folder::write(&path, text.as_bytes());
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == text,
            "schemas/{kind}.json is stale: run the tests with ENGINE_REWRITE=1"
        );
    }
}

#[test]
fn projects_of_the_repository_load() {
    for folder in ["examples/chinook", "project-template", "tests/bench/project"] {
        let result = engine_project::load(&repository().join(folder), &LoadOptions::default());
        assert!(result.is_ok(), "{folder}: {}", result.unwrap_err());
    }
}

#[test]
fn every_key_is_described() {
    for (kind, schema) in schema::all() {
        let mut missing = Vec::new();
        undescribed(&schema, kind, &mut missing);
        assert!(missing.is_empty(), "{missing:?}");
    }
}

fn undescribed(schema: &Json, path: &str, missing: &mut Vec<String>) {
    if let Some(properties) = schema.get("properties").and_then(Json::as_object) {
        for (key, below) in properties {
            if below.get("description").is_none() {
                missing.push(format!("{path}.{key}"));
            }
        }
    }
    let children = schema.as_object().into_iter().flatten().filter(|(_, value)| value.is_object());
    children.for_each(|(key, below)| undescribed(below, &format!("{path}/{key}"), missing));
}
