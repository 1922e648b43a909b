//! What can be wrong with a project: one variant per cause, with what a message needs.
//!
//! A problem says what happened ([`ProblemKind::message`]), marks the place with a
//! label ([`ProblemKind::label`]) and says how to mend it ([`ProblemKind::help`]).
//! No variant holds a secret: texts that came from the environment never get here.

use std::fmt;

use crate::location::{Location, SourceMap};

/// What a name was looked up among.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Thing {
    /// A target of `profiles.yml`.
    Target,
    /// A connection of the target.
    Connection,
    /// A source.
    Source,
    /// A table of a source.
    Table,
    /// A column of a table, model or export.
    Column,
    /// A class.
    Class,
    /// A masking rule.
    Rule,
    /// A model.
    Model,
    /// An export.
    Export,
    /// A column type.
    Type,
    /// A retention policy.
    Policy,
    /// A history of an export's rows.
    History,
}

impl Thing {
    /// Several of them, in words.
    #[must_use]
    pub fn plural(self) -> String {
        match self {
            Self::Class => String::from("classes"),
            Self::Policy => String::from("policies"),
            Self::History => String::from("histories"),
            other => format!("{other}s"),
        }
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Target => "target",
            Self::Connection => "connection",
            Self::Source => "source",
            Self::Table => "table",
            Self::Column => "column",
            Self::Class => "class",
            Self::Rule => "rule",
            Self::Model => "model",
            Self::Export => "export",
            Self::Type => "column type",
            Self::Policy => "policy",
            Self::History => "history",
        })
    }
}

/// A cause, with the data of its message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message())]
pub enum ProblemKind {
    /// No `engine.yml` where the project should be.
    NotAProject {
        /// The folder, as given.
        root: String,
    },
    /// A file or folder that cannot be read.
    UnreadableFile {
        /// Path relative to the project.
        path: String,
        /// What the system says.
        detail: String,
    },
    /// A file beyond the size bound.
    FileTooLarge {
        /// Path relative to the project.
        path: String,
        /// The bound.
        bytes_max: u64,
    },
    /// A file that is not UTF-8.
    NotUtf8 {
        /// Path relative to the project.
        path: String,
    },
    /// More files than a project may have.
    TooManyFiles {
        /// The bound.
        files_max: usize,
    },
    /// YAML that cannot be parsed.
    YamlSyntax {
        /// What the parser says; holds no text of the file.
        detail: String,
    },
    /// YAML nested deeper than the bound.
    YamlTooDeep {
        /// The bound.
        depth_max: usize,
    },
    /// YAML with more values than the bound, aliases expanded.
    YamlTooLarge {
        /// The bound.
        nodes_max: usize,
    },
    /// A YAML alias that grows beyond what aliases may add to a file.
    YamlAliases {
        /// The bound.
        nodes_max: usize,
    },
    /// One key twice in a mapping; the first place is related.
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// A key that means nothing here.
    UnknownKey {
        /// The key.
        key: String,
        /// What it stands in, such as `exports[0]`.
        within: String,
        /// The nearest valid key, when one is near.
        nearest: Option<String>,
        /// All valid keys.
        valid: Vec<String>,
    },
    /// A key that must be there.
    MissingKey {
        /// The key.
        key: String,
        /// What it should stand in.
        within: String,
    },
    /// A value of another type than wanted.
    WrongType {
        /// The path of the value.
        path: String,
        /// What is wanted, in words.
        expected: String,
        /// What is there, in words.
        found: &'static str,
    },
    /// A value that is of the right type and still not possible.
    InvalidValue {
        /// The path or name of the setting.
        path: String,
        /// What would be possible, in words.
        expected: String,
        /// The nearest possible value, when one is near.
        nearest: Option<String>,
    },
    /// A name twice; the first place is related.
    DuplicateName {
        /// What has the name.
        thing: Thing,
        /// The name.
        name: String,
    },
    /// A name that is not declared.
    Unknown {
        /// What was looked for.
        thing: Thing,
        /// The name.
        name: String,
        /// What it was looked for in, such as a table's name.
        within: Option<String>,
        /// The nearest declared name, when one is near.
        nearest: Option<String>,
        /// Declared names.
        valid: Vec<String>,
    },
    /// Several targets, and none chosen.
    NoTarget {
        /// Declared targets.
        valid: Vec<String>,
    },
    /// `var('x')` or `{{ x }}` without a value.
    UndefinedVariable {
        /// The variable.
        name: String,
        /// The nearest variable.
        nearest: Option<String>,
        /// The variables that are set.
        valid: Vec<String>,
    },
    /// `env_var('X')` without a value and without a default.
    UnknownEnvironmentVariable {
        /// The variable.
        name: String,
    },
    /// `env_var` in a file other than `profiles.yml`.
    SecretOutsideProfiles {
        /// The variable.
        name: String,
    },
    /// A secret written out in `profiles.yml`.
    LiteralSecret {
        /// The key whose value it is.
        key: String,
    },
    /// Jinja that cannot be parsed.
    JinjaSyntax {
        /// What the parser says.
        detail: String,
    },
    /// Jinja that fails while it is rendered.
    JinjaRuntime {
        /// What the renderer says.
        detail: String,
        /// How to mend it, where more is known.
        help: Option<String>,
    },
    /// Models that depend on themselves.
    Cycle {
        /// The models on the way, the first one again at the end.
        path: Vec<String>,
    },
    /// A described model without an `.sql` file.
    ModelWithoutSql {
        /// The model.
        name: String,
        /// The nearest model that has a file.
        nearest: Option<String>,
    },
    /// A rule that would match everything.
    RuleWithoutMatch {
        /// The rule.
        name: String,
    },
    /// A rule with neither `mask` nor `keep`.
    RuleWithoutAction {
        /// The rule.
        name: String,
    },
    /// A rule with both `mask` and `keep`.
    RuleWithTwoActions {
        /// The rule.
        name: String,
    },
    /// Two rules of equal rank that treat a column differently; the other one is related.
    AmbiguousRules {
        /// The column.
        column: String,
        /// The rule declared first.
        first: String,
        /// The other one.
        second: String,
    },
    /// A selector that cannot be parsed.
    SelectorSyntax {
        /// What is wrong.
        detail: String,
    },
}

/// A cause at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The cause.
    pub kind: ProblemKind,
    /// The place, when there is one in a file.
    pub at: Option<Location>,
    /// Other places and what they have to do with it.
    pub related: Vec<(Location, String)>,
}

impl Problem {
    /// A problem at a place.
    #[must_use]
    pub const fn new(kind: ProblemKind, at: Location) -> Self {
        Self { kind, at: Some(at), related: Vec::new() }
    }

    /// A problem of the project as a whole.
    #[must_use]
    pub const fn everywhere(kind: ProblemKind) -> Self {
        Self { kind, at: None, related: Vec::new() }
    }

    /// Adds another place.
    #[must_use]
    pub fn with_related(mut self, at: Location, label: impl Into<String>) -> Self {
        self.related.push((at, label.into()));
        self
    }
}

/// All problems of a phase, sorted by file and position, with the files to show them in.
#[derive(Clone, Debug)]
pub struct Problems {
    /// At least one.
    pub problems: Vec<Problem>,
    /// What was read.
    pub files: SourceMap,
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            if let Some(at) = problem.at {
                write!(f, "{}: ", self.files.describe(at))?;
            }
            write!(f, "{}", problem.kind)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
