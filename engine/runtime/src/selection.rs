//! `--select`: which exports a command works on.

use std::collections::BTreeSet;

use engine_project::select::{Selection, Selector, States, select};
use engine_project::{Problem, Project};

use crate::codes::run;
use crate::diagnostic::{Diagnostic, Failure, Outcome};
use crate::problems;

/// Which exports are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Select {
    /// Selectors; all exports when empty.
    pub include: Vec<String>,
    /// Selectors of exports that are left out.
    pub exclude: Vec<String>,
}

impl Select {
    /// What any of these selectors selects.
    #[must_use]
    pub fn of(include: Vec<String>) -> Self {
        Self { include, exclude: Vec::new() }
    }

    /// Whether what is selected depends on what was there before.
    ///
    /// # Errors
    /// A selector that cannot be read.
    pub fn needs_states(&self) -> Outcome<bool> {
        let (include, exclude) = (parsed(&self.include)?, parsed(&self.exclude)?);
        Ok(include.iter().chain(&exclude).any(Selector::needs_states))
    }

    /// The same selection in words that go on meaning it, whatever changes until they are read again.
    ///
    /// # Errors
    /// A selector that cannot be read.
    pub fn settled(&self, selected: &BTreeSet<String>) -> Outcome<Vec<String>> {
        if self.exclude.is_empty() && !self.needs_states()? {
            return Ok(self.include.clone());
        }
        Ok(selected.iter().map(|name| format!("export:{name}")).collect())
    }
}

/// The names of the exports that are chosen. `states` says what changed; none where nobody looked.
///
/// # Errors
/// A selector that cannot be read or asks for what is not known, or nothing is chosen.
pub fn exports(
    project: &Project,
    chosen: &Select,
    states: Option<&States>,
) -> Outcome<BTreeSet<String>> {
    let (include, exclude) = (parsed(&chosen.include)?, parsed(&chosen.exclude)?);
    if states.is_none() && chosen.needs_states()? {
        let message = "what changed is not known here, so `state:` selects nothing";
        return Err(Diagnostic::new(&run::NOTHING_SELECTED, message)
            .help(
                "use it with `engine plan`, with the keys at hand or with --base, and with `engine run`",
            )
            .into());
    }
    let nobody = States::default();
    let selection = select(project, &include, &exclude, states.unwrap_or(&nobody));
    if selection.exports.is_empty() {
        return Err(nothing(project, &selection));
    }
    Ok(selection.exports.into_iter().collect())
}

fn parsed(texts: &[String]) -> Outcome<Vec<Selector>> {
    let mut selectors = Vec::with_capacity(texts.len());
    let mut findings = Vec::new();
    for text in texts {
        match Selector::parse(text) {
            Ok(selector) => selectors.push(selector),
            Err(kind) => findings.push(problems::diagnostic(Problem::everywhere(kind))),
        }
    }
    if findings.is_empty() { Ok(selectors) } else { Err(findings.into()) }
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
