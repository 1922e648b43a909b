//! `--select`: which exports a command works on.

use engine_project::Problem;
use engine_project::select::{Selector, select};

use crate::bind::{BoundExport, BoundProject};
use crate::codes::run;
use crate::diagnostic::{Diagnostic, Failure, Outcome};
use crate::problems;

/// The exports that the selectors choose, in declared order; all without selectors.
///
/// # Errors
/// A selector that cannot be read, or that chooses no export.
pub fn exports<'b>(bound: &'b BoundProject, texts: &[String]) -> Outcome<Vec<&'b BoundExport>> {
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
    let selection = select(&bound.project, &selectors, &[]);
    let chosen: Vec<&BoundExport> =
        bound.exports.iter().filter(|export| selection.exports.contains(&export.name)).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = bound.exports.iter().map(|export| export.name.as_str()).collect();
        let help = if names.is_empty() {
            "the project declares none; declare one under `exports:`".to_owned()
        } else {
            format!("exports there are: {}", names.join(", "))
        };
        let finding = Diagnostic::new(&run::NOTHING_SELECTED, "no export is selected").help(help);
        return Err(Failure::from(finding));
    }
    Ok(chosen)
}
