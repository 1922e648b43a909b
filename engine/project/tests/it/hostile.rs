//! Input made to hurt: it ends in an error, in time, and never in a panic.

use std::fmt::Write as _;

use engine_project::{LoadOptions, ProblemKind, Problems, Project};
use proptest::prelude::*;

use crate::folder::{BASE, load_with};

fn kinds(result: Result<Project, Problems>) -> Vec<ProblemKind> {
    result.unwrap_err().problems.into_iter().map(|problem| problem.kind).collect()
}

fn with(text: &str) -> Vec<ProblemKind> {
    kinds(load_with(&[("exports/hostile.yml", text)], &LoadOptions::default()))
}

#[test]
fn depth_is_bounded() {
    assert!(matches!(with(&"[".repeat(100_000))[..], [ProblemKind::YamlTooDeep { depth_max: 64 }]));
    assert!(matches!(with(&"{a: ".repeat(100_000))[..], [ProblemKind::YamlTooDeep { .. }]));
    let mut text = String::new();
    for depth in 0..200 {
        let _ = writeln!(text, "{}a:", " ".repeat(depth));
    }
    assert!(matches!(with(&text)[..], [ProblemKind::YamlTooDeep { .. }]));
}

#[test]
fn aliases_are_bounded() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..20 {
        let below = format!("*a{}", level - 1);
        let _ = writeln!(bomb, "a{level}: &a{level} [{}]", vec![below; 9].join(", "));
    }
    assert!(matches!(with(&bomb)[..], [ProblemKind::YamlAliases { .. }]));
    let mut tower = String::from("a0: &a0 [x]\n");
    for level in 1..100 {
        let _ = writeln!(tower, "a{level}: &a{level} [*a{}]", level - 1);
    }
    assert!(matches!(with(&tower)[..], [ProblemKind::YamlTooDeep { .. }]));
    assert!(matches!(with("a: &a [*a]\n")[..], [ProblemKind::YamlSyntax { .. }]));
}

#[test]
fn size_is_bounded() {
    let text = format!("a: [{}]\n", "1,".repeat(600_000));
    assert!(matches!(with(&text)[..], [ProblemKind::YamlTooLarge { .. }]));
    let text = format!("# {}\n", "x".repeat(5 << 20));
    assert!(matches!(with(&text)[..], [ProblemKind::FileTooLarge { .. }]));
}

#[test]
fn templates_are_bounded() {
    let nested = format!("{{{{ {}1{} }}}}", "(".repeat(5_000), ")".repeat(5_000));
    let sql = kinds(load_with(&[("models/hostile.sql", &nested)], &LoadOptions::default()));
    assert!(matches!(sql[..], [ProblemKind::JinjaSyntax { .. }]), "{sql:?}");
    let text = "{% macro m(n) %}{{ m(n) }}{% endmacro %}{{ m(1) }}";
    let sql = kinds(load_with(&[("models/hostile.sql", text)], &LoadOptions::default()));
    assert!(matches!(sql[..], [ProblemKind::JinjaRuntime { .. }]), "{sql:?}");
    let text = "{{ 'x' * 1000000000 }}";
    let sql = kinds(load_with(&[("models/hostile.sql", text)], &LoadOptions::default()));
    assert!(matches!(sql[..], [ProblemKind::JinjaRuntime { .. }]), "{sql:?}");
}

/// A piece of text that configuration and its enemies are made of.
fn piece() -> impl Strategy<Value = String> {
    let tokens = [
        "a",
        "é",
        "\u{1F600}",
        ":",
        ": ",
        "- ",
        "\n",
        "\n  ",
        "[",
        "]",
        "{",
        "}",
        ",",
        "'",
        "\"",
        "|",
        ">",
        "&a ",
        "*a",
        "!",
        "!!str ",
        "#",
        "{{",
        "}}",
        "{%",
        "%}",
        "var('x')",
        "env_var(",
        "source('crm', 'customers')",
        "exports",
        "name",
        "~",
        "1",
        "-1e9",
        "\\",
        "\t",
        "\r\n",
        "%",
        "---",
        "...",
        "?",
        "<<",
        "\u{feff}",
        "\u{0}",
        "\u{2028}",
        "password: ",
        "://a:b@c",
    ];
    prop::sample::select(tokens.to_vec()).prop_map(str::to_owned)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(pieces in prop::collection::vec(piece(), 0..60), at in 0..BASE.len()) {
        let text = pieces.concat();
        let _ = load_with(&[(BASE[at].0, &text)], &LoadOptions::default());
    }

    #[test]
    fn no_change_makes_it_panic(at in 0..BASE.len(), edits in prop::collection::vec((0.0..1.0f64, 0usize..12, piece()), 1..5)) {
        let (path, text) = BASE[at];
        let mut text: Vec<char> = text.chars().collect();
        for (place, cut, piece) in edits {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in a short text")]
            let start = (place * text.len() as f64) as usize;
            let end = (start + cut).min(text.len());
            text.splice(start..end, piece.chars());
        }
        let text: String = text.into_iter().collect();
        if let Err(problems) = load_with(&[(path, &text)], &LoadOptions::default()) {
            prop_assert!(!problems.problems.is_empty());
            for problem in &problems.problems {
                let _ = (problem.kind.message(), problem.kind.label(), problem.kind.help());
                for at in problem.at.iter().chain(problem.related.iter().map(|(at, _)| at)) {
                    let text = &problems.files.get(at.file).unwrap().text;
                    prop_assert!(text.get(at.start as usize..at.end as usize).is_some(), "{:?} {}", problem, text);
                }
            }
        }
    }
}
