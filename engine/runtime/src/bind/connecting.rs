//! Errors of sources that are found before a row is read, at the place of the project they belong to.

use engine_project::{Location, Node, nearest};
use engine_sources::{ParameterProblem, SourceError, SourceErrorKind};

use crate::diagnostic::Diagnostic;
use crate::fault;

/// A parameter's error at the parameter, any other at `otherwise`.
pub(super) fn placed(error: &SourceError, params: &Node, otherwise: Location) -> Diagnostic {
    let diagnostic = fault::diagnose(error);
    match error.kind() {
        SourceErrorKind::Parameter { path, problem } => {
            let (message, label, help) = of_parameter(&owner(error), path, problem);
            let at = match problem {
                ParameterProblem::UnknownKey { .. } => {
                    params.locate_key(&path.split('.').collect::<Vec<_>>())
                }
                _ => params.locate_path(path),
            };
            let diagnostic = Diagnostic { message, ..diagnostic }.at(at, label);
            help.map_or(diagnostic.clone(), |help| diagnostic.help(help))
        }
        SourceErrorKind::UnknownKind { kind, valid } => {
            Diagnostic { message: format!("there is no connector `{kind}`"), ..diagnostic }
                .at(otherwise, did_you_mean(kind, valid, "not a connector"))
                .help(format!("connectors there are: {}", valid.join(", ")))
        }
        SourceErrorKind::UnknownScheme { .. } => {
            diagnostic.at(params.locate_path("url"), "not built in")
        }
        kind => diagnostic.at(otherwise, label(kind)),
    }
}

/// A message, the words at the place, and how to mend it.
type Words = (String, String, Option<String>);

fn of_parameter(owner: &str, path: &str, problem: &ParameterProblem) -> Words {
    match problem {
        ParameterProblem::UnknownKey { valid } => (
            format!("{owner} has no parameter `{path}`"),
            did_you_mean(path.rsplit('.').next().unwrap_or(path), valid, "unknown parameter"),
            Some(format!("parameters there are: {}", valid.join(", "))),
        ),
        ParameterProblem::Missing => {
            (format!("{owner} lacks the parameter `{path}`"), format!("needs `{path}`"), None)
        }
        other => {
            (format!("parameter `{path}` of {owner} is not possible"), other.to_string(), None)
        }
    }
}

fn owner(error: &SourceError) -> String {
    match (&error.place().connection, &error.place().table) {
        (_, Some(table)) => format!("`read:` of table `{table}`"),
        (Some(connection), None) => format!("connection `{connection}`"),
        (None, None) => "a connection".to_owned(),
    }
}

fn did_you_mean(name: &str, valid: &[String], otherwise: &str) -> String {
    nearest(name, valid.iter().map(String::as_str))
        .map_or_else(|| otherwise.to_owned(), |near| format!("did you mean `{near}`?"))
}

/// A few words at the declaration that the data does not bear out.
fn label(kind: &SourceErrorKind) -> String {
    match kind {
        SourceErrorKind::DeclaredType { declared, .. } => format!("declared as {declared}"),
        SourceErrorKind::MissingColumn { .. } => "not in the data".to_owned(),
        SourceErrorKind::DuplicateColumn => "twice in the data".to_owned(),
        SourceErrorKind::MissingTable { .. } => "not in the database".to_owned(),
        _ => "declared here".to_owned(),
    }
}
