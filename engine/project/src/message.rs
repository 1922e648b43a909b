//! The words of each problem: what happened, the label at the place, how to mend it.

use crate::problem::{ProblemKind, Thing};

impl ProblemKind {
    /// What happened, in one sentence without a full stop.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::NotAProject { root } => {
                format!("`{root}` is not a project: it has no engine.yml")
            }
            Self::UnreadableFile { path, detail } => format!("cannot read `{path}`: {detail}"),
            Self::FileTooLarge { path, bytes_max } => {
                format!("`{path}` is larger than {}", size(*bytes_max))
            }
            Self::NotUtf8 { path } => format!("`{path}` is not UTF-8 text"),
            Self::TooManyFiles { files_max } => {
                format!("the project has more than {files_max} files")
            }
            Self::YamlSyntax { detail } => format!("this is not valid YAML: {detail}"),
            Self::YamlTooDeep { depth_max } => {
                format!("the YAML is nested more than {depth_max} levels deep")
            }
            Self::YamlTooLarge { nodes_max } => {
                format!("the YAML has more than {nodes_max} values")
            }
            Self::YamlAliases { nodes_max } => {
                format!("YAML aliases expand to more than {nodes_max} values")
            }
            Self::DuplicateKey { key } => format!("key `{key}` is given twice"),
            Self::UnknownKey { key, within, .. } => format!("unknown key `{key}` in {within}"),
            Self::MissingKey { key, within } => format!("{within} lacks the key `{key}`"),
            Self::WrongType { path, expected, found } => {
                format!("{path} should be {expected}, but is {found}")
            }
            Self::InvalidValue { path, expected, .. } => format!("{path} should be {expected}"),
            Self::DuplicateName { thing, name } => {
                format!("there are two {} called `{name}`", thing.plural())
            }
            Self::Unknown { thing, name, within: Some(within), .. } => {
                format!("{within} has no {thing} `{name}`")
            }
            Self::Unknown { thing, name, within: None, .. } => {
                format!("there is no {thing} `{name}`")
            }
            Self::NoTarget { .. } => String::from("no target is chosen"),
            Self::UndefinedVariable { name, .. } => format!("variable `{name}` is not defined"),
            Self::UnknownEnvironmentVariable { name } => {
                format!("environment variable `{name}` is not set")
            }
            Self::SecretOutsideProfiles { name } => {
                format!("environment variable `{name}` is read outside profiles.yml")
            }
            Self::LiteralSecret { key } => format!("`{key}` holds a secret in clear"),
            Self::JinjaSyntax { detail } => format!("this is not valid Jinja: {detail}"),
            Self::JinjaRuntime { detail, .. } => format!("this Jinja expression fails: {detail}"),
            Self::Cycle { path } => {
                format!("models depend on each other in a circle: {}", path.join(" → "))
            }
            Self::ModelWithoutSql { name, .. } => {
                format!("model `{name}` has no file models/{name}.sql")
            }
            Self::RuleWithoutMatch { name } => {
                format!("rule `{name}` does not say which columns it is for")
            }
            Self::RuleWithoutAction { name } => format!("rule `{name}` neither masks nor keeps"),
            Self::RuleWithTwoActions { name } => format!("rule `{name}` both masks and keeps"),
            Self::AmbiguousRules { column, first, second } => {
                format!(
                    "rules `{first}` and `{second}` both claim `{column}`, with equal rank and different effect"
                )
            }
            Self::SelectorSyntax { detail } => format!("this selector cannot be read: {detail}"),
        }
    }

    /// A few words to put at the place.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::YamlTooDeep { .. } => String::from("nested too deep from here"),
            Self::YamlAliases { .. } => String::from("this alias goes beyond the bound"),
            Self::DuplicateKey { .. } | Self::DuplicateName { .. } => String::from("again here"),
            Self::UnknownKey { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            Self::UnknownKey { .. } => String::from("not a key of this mapping"),
            Self::MissingKey { key, .. } => format!("`{key}` belongs here"),
            Self::WrongType { expected, .. } => format!("should be {expected}"),
            Self::InvalidValue { nearest: Some(nearest), .. }
            | Self::Unknown { nearest: Some(nearest), .. }
            | Self::ModelWithoutSql { nearest: Some(nearest), .. }
            | Self::UndefinedVariable { nearest: Some(nearest), .. } => {
                format!("did you mean `{nearest}`?")
            }
            Self::Unknown { thing: Thing::Type, .. } => String::from("no such type"),
            Self::Unknown { .. } => String::from("not declared"),
            Self::UndefinedVariable { .. } => String::from("not defined"),
            Self::UnknownEnvironmentVariable { .. } => String::from("not set"),
            Self::SecretOutsideProfiles { .. } => {
                String::from("only profiles.yml may read the environment")
            }
            Self::LiteralSecret { .. } => String::from("a secret belongs into the environment"),
            Self::Cycle { .. } => String::from("closes the circle"),
            Self::RuleWithoutMatch { .. }
            | Self::RuleWithoutAction { .. }
            | Self::RuleWithTwoActions { .. } => String::from("this rule"),
            Self::AmbiguousRules { .. } => String::from("same rank as the other rule"),
            _ => String::from("here"),
        }
    }

    /// How to mend it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::NotAProject { .. } => String::from(
                "run `engine init` to make a project, or give the folder with --project-dir",
            ),
            Self::UnreadableFile { .. } => {
                String::from("check that the file exists and may be read")
            }
            Self::FileTooLarge { .. } => {
                String::from("split the file; data belongs into another folder, such as data/")
            }
            Self::NotUtf8 { .. } => String::from("save the file as UTF-8"),
            Self::TooManyFiles { .. } => {
                String::from("move files that are not configuration out of the project's folders")
            }
            Self::YamlTooDeep { .. } | Self::YamlTooLarge { .. } => {
                String::from("split the file, or nest it less")
            }
            Self::YamlAliases { .. } => {
                String::from("write the values out instead of repeating aliases")
            }
            Self::DuplicateKey { key } => format!("remove one of the two `{key}`"),
            Self::UnknownKey { valid, .. } => format!("valid keys: {}", listed(valid)),
            Self::WrongType { expected, found, .. }
                if expected.starts_with("text") && SCALARS.contains(found) =>
            {
                String::from("put it in quotes if it is meant as text")
            }
            Self::DuplicateName { thing, .. } => {
                format!("rename one of the two {}", thing.plural())
            }
            Self::Unknown { thing, valid, .. } => declared(*thing, valid),
            Self::NoTarget { valid } => {
                format!(
                    "choose one with --target, or with `default:` in profiles.yml; targets there are: {}",
                    listed(valid)
                )
            }
            Self::UndefinedVariable { name, .. } if name.starts_with("target.") => String::from(
                "define it under `vars:` of the target in profiles.yml, or use var('name', 'default')",
            ),
            Self::UndefinedVariable { valid, .. } if valid.is_empty() => String::from(
                "define it under `vars:` in engine.yml, or give a default: var('name', 'default')",
            ),
            Self::UndefinedVariable { valid, .. } => {
                format!("defined: {}; or give a default: var('name', 'default')", listed(valid))
            }
            Self::UnknownEnvironmentVariable { name } => {
                format!(
                    "set {name} in the environment or in .env, or give a default: env_var('{name}', 'default')"
                )
            }
            Self::SecretOutsideProfiles { .. } => {
                String::from("read it in profiles.yml, or use var(…) for what is no secret")
            }
            Self::LiteralSecret { key } => {
                format!(
                    "write {key}: \"{{{{ env_var('{}') }}}}\" and set the variable, for example in .env",
                    key.to_uppercase()
                )
            }
            other => return other.help_of_models_and_rules(),
        })
    }

    fn help_of_models_and_rules(&self) -> Option<String> {
        Some(match self {
            Self::Cycle { .. } => String::from("take one of these ref() out"),
            Self::JinjaRuntime { help, .. } => return help.clone(),
            Self::SelectorSyntax { .. } => String::from(
                "use a name, a pattern with `*`, or tag:, source:, class:, export: or model:, with `+` before it for what it depends on and after it for what depends on it",
            ),
            Self::ModelWithoutSql { name, .. } => {
                format!("add models/{name}.sql, or remove this entry")
            }
            Self::RuleWithoutMatch { .. } => {
                String::from("give `match` at least one of class, column, type")
            }
            Self::RuleWithoutAction { .. } => {
                String::from("add `mask: <function>`, or `keep: {owner, reason}`")
            }
            Self::RuleWithTwoActions { .. } => String::from("remove `mask` or `keep`"),
            Self::AmbiguousRules { .. } => String::from(
                "make one of them more specific (an exact column beats a pattern, a pattern beats a class), or remove one",
            ),
            _ => return None,
        })
    }
}

/// At most 20 names: a message with hundreds helps nobody.
fn listed(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(20).map(String::as_str).collect();
    match names.len().checked_sub(20) {
        Some(more) if more > 0 => format!("{}, and {more} more", shown.join(", ")),
        _ => shown.join(", "),
    }
}

/// What YAML may read where text was meant.
const SCALARS: [&str; 3] = ["a boolean", "a number", "a whole number"];

/// Bytes in words; bounds are whole mebibytes.
fn size(bytes: u64) -> String {
    match (bytes >> 20, bytes % (1 << 20)) {
        (mebibytes, 0) => format!("{mebibytes} MiB"),
        _ => format!("{bytes} bytes"),
    }
}

fn declared(thing: Thing, valid: &[String]) -> String {
    if thing == Thing::Type {
        return format!("column types there are: {}; p is 1 to 38, s at most p", listed(valid));
    }
    if !valid.is_empty() {
        return format!("{} there are: {}", thing.plural(), listed(valid));
    }
    match thing {
        Thing::Class => String::from("declare it under `classes:`"),
        Thing::Connection => {
            String::from("declare it under `connections:` of the target in profiles.yml")
        }
        Thing::Target => String::from("declare it under `targets:` in profiles.yml"),
        other => format!("there are no {}", other.plural()),
    }
}
