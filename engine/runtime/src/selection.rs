//! `--select`: which exports a command works on.

use std::collections::BTreeSet;

use engine_project::select::{Selection, Selector, select};
use engine_project::{Problem, Project};

use crate::codes::run;
use crate::diagnostic::{Diagnostic, Failure, Outcome};
use crate::problems;

/// The names of the exports that the selectors choose; all without selectors.
///
/// # Errors
/// A selector that cannot be read, or that chooses no export.
pub fn exports(project: &Project, texts: &[String]) -> Outcome<BTreeSet<String>> {
    let mut selectors = Vec::with_capacity(texts.len());
    let mut findings = Vec::new();
    for text in texts {
        match Selector::parse(text) {
            Ok(selector) => selectors.push(selector),
            Err(kind) => findings.push(problems::diagnostic(Problem::everywhere(kind))),
        }
    }
    if !findings.is_empty() {
        return Err(findings.into());
    }
    let selection = select(project, &selectors, &[]);
    if selection.exports.is_empty() {
        return Err(nothing(project, &selection));
    }
    Ok(selection.exports.into_iter().collect())
}

fn nothing(project: &Project, selection: &Selection) -> Failure {
    let names: Vec<&str> =
        project.exports.iter().map(|export| export.name.value.as_str()).collect();
    let help = if names.is_empty() {
        "the project declares none; declare one under `exports:`".to_owned()
    } else if selection.is_empty() {
        format!("exports there are: {}", names.join(", "))
    } else {
        "what is selected are tables or models; write `+` after the selector for the exports that are made from them".to_owned()
    };
    Diagnostic::new(&run::NOTHING_SELECTED, "no export is selected").help(help).into()
}
