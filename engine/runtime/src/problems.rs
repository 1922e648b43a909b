//! Turns what is wrong with a project's text into diagnostics: one code for each kind of problem.
//!
//! ```text
//!  engine_project::Problems { problems, files } ──▶ Failure { diagnostics: code + words, files }
//! ```

use std::sync::Arc;

use engine_project::{Problem, ProblemKind, Problems, Thing};

use crate::codes::{Code, config, names, policy, run, sql, tracking};
use crate::diagnostic::{Diagnostic, Failure, Level};

/// All problems of a phase, in their order, with the files to show them in.
pub fn failure(problems: Problems) -> Failure {
    let diagnostics = problems.problems.into_iter().map(diagnostic).collect();
    Failure { diagnostics, files: Some(Arc::new(problems.files)) }
}

/// One problem as a diagnostic, with the words of `engine-project`.
pub fn diagnostic(problem: Problem) -> Diagnostic {
    Diagnostic {
        level: Level::Error,
        code: code(&problem.kind),
        message: problem.kind.message(),
        at: problem.at.map(|at| (at, problem.kind.label())),
        help: problem.kind.help(),
        related: problem.related,
    }
}

/// The code of a kind of problem. Exhaustive on purpose: a new kind needs a page of its own.
fn code(kind: &ProblemKind) -> &'static Code {
    match kind {
        ProblemKind::NotAProject { .. } => &config::NOT_A_PROJECT,
        ProblemKind::UnreadableFile { .. } => &config::UNREADABLE_FILE,
        ProblemKind::FileTooLarge { .. } => &config::FILE_TOO_LARGE,
        ProblemKind::NotUtf8 { .. } => &config::NOT_UTF8,
        ProblemKind::TooManyFiles { .. } => &config::TOO_MANY_FILES,
        ProblemKind::YamlSyntax { .. } => &config::YAML_SYNTAX,
        ProblemKind::YamlTooDeep { .. } => &config::YAML_TOO_DEEP,
        ProblemKind::YamlTooLarge { .. } => &config::YAML_TOO_LARGE,
        ProblemKind::YamlAliases { .. } => &config::YAML_ALIASES,
        ProblemKind::DuplicateKey { .. } => &config::DUPLICATE_KEY,
        ProblemKind::UnknownKey { .. } => &config::UNKNOWN_KEY,
        ProblemKind::MissingKey { .. } => &config::MISSING_KEY,
        ProblemKind::WrongType { .. } => &config::WRONG_TYPE,
        ProblemKind::InvalidValue { .. } => &config::INVALID_VALUE,
        ProblemKind::SecretOutsideProfiles { .. } => &config::SECRET_OUTSIDE_PROFILES,
        ProblemKind::LiteralSecret { .. } => &config::LITERAL_SECRET,
        ProblemKind::UnknownEnvironmentVariable { .. } => &config::UNKNOWN_ENVIRONMENT_VARIABLE,
        ProblemKind::DuplicateName { .. } => &names::DUPLICATE_NAME,
        ProblemKind::Unknown { thing, .. } => unknown(*thing),
        ProblemKind::NoTarget { .. } => &names::NO_TARGET,
        ProblemKind::UndefinedVariable { .. } => &names::UNDEFINED_VARIABLE,
        ProblemKind::Cycle { .. } => &names::CYCLE,
        ProblemKind::ModelWithoutSql { .. } => &names::MODEL_WITHOUT_SQL,
        ProblemKind::SelectorSyntax { .. } => &names::SELECTOR_SYNTAX,
        ProblemKind::JinjaSyntax { .. } => &sql::JINJA_SYNTAX,
        ProblemKind::JinjaRuntime { .. } => &sql::JINJA_RUNTIME,
        ProblemKind::RuleWithoutMatch { .. } => &policy::RULE_WITHOUT_MATCH,
        ProblemKind::RuleWithoutAction { .. } => &policy::RULE_WITHOUT_ACTION,
        ProblemKind::RuleWithTwoActions { .. } => &policy::RULE_WITH_TWO_ACTIONS,
        ProblemKind::AmbiguousRules { .. } => &policy::RULES_AMBIGUOUS,
    }
}

/// The code for a name that nothing of its kind has.
pub fn unknown(thing: Thing) -> &'static Code {
    match thing {
        Thing::Target => &names::UNKNOWN_TARGET,
        Thing::Connection => &names::UNKNOWN_CONNECTION,
        Thing::Source => &names::UNKNOWN_SOURCE,
        Thing::Table => &names::UNKNOWN_TABLE,
        Thing::Column => &names::UNKNOWN_COLUMN,
        Thing::Class => &names::UNKNOWN_CLASS,
        // Rules have names so that they can be told apart; nothing refers to one.
        Thing::Rule => &run::INTERNAL,
        Thing::Model => &names::UNKNOWN_MODEL,
        Thing::Export => &names::UNKNOWN_EXPORT,
        Thing::Type => &names::UNKNOWN_TYPE,
        Thing::Policy => &tracking::UNKNOWN_POLICY,
        Thing::History => &tracking::UNKNOWN_HISTORY,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use engine_project::LoadOptions;

    use super::*;

    #[test]
    fn a_folder_without_a_project_is_one_finding_with_help() {
        let folder = Path::new("/nonexistent-folder-of-a-test");
        let Err(problems) = engine_project::load(folder, &LoadOptions::default()) else {
            panic!("there is no such project");
        };
        let failure = failure(problems);
        let [finding] = failure.diagnostics.as_slice() else {
            panic!("one finding, not {}", failure.diagnostics.len());
        };
        assert_eq!(finding.code, &config::NOT_A_PROJECT);
        assert!(finding.help.is_some() && failure.files.is_some());
    }
}
