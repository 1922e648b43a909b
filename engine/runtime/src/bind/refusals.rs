//! Why a column may not leave, or a rule cannot hold: the words, the place, and how to mend it.

use arrow::datatypes::FieldRef;
use engine_masking::{BindError, BindErrorKind};
use engine_project::{Action, Class, Column, Location, Mask, Relation, Rule, nearest};

use super::reach::{Carried, ColumnReach};
use super::subject::Subject;
use crate::codes::{Code, keys, policy};
use crate::diagnostic::Diagnostic;
use crate::flow::{Kind, Origin};
use crate::masks::resolver::ResolveError;
use crate::types::type_name;

/// The mask that leaves a column out.
pub(super) const DROP: &str = "drop";

/// The mask that computes a column from the row.
pub(super) const SQL: &str = "sql";

/// Masks that are no functions of the catalogue.
const BESIDE: [&str; 2] = [DROP, SQL];

/// Functions and keys that rules name and that are not there, whether a rule wins a column or not.
pub(super) fn of_rules(
    rules: &[Rule],
    key: impl Fn(&str) -> Result<(), Vec<String>>,
) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for rule in rules {
        let Action::Mask(mask) = &rule.action else { continue };
        let name = mask.function.value.as_str();
        if engine_masking::find(name).is_none() && !BESIDE.contains(&name) {
            findings.push(unknown_mask(mask));
        }
        let otherwise = mask.when.as_ref().and_then(|when| match when.otherwise.as_deref() {
            Some(Action::Mask(other)) => Some(other),
            _ => None,
        });
        if let Some(other) = otherwise
            && engine_masking::find(&other.function.value).is_none()
        {
            findings.push(unknown_mask(other));
        }
        for wanted in
            [Some(mask), otherwise].into_iter().flatten().filter_map(|one| one.key.as_ref())
        {
            if let Err(held) = key(&wanted.value) {
                findings.push(unknown_key(wanted.at, &wanted.value, &held));
            }
        }
    }
    findings
}

pub(super) fn unknown_mask(mask: &Mask) -> Diagnostic {
    let functions = engine_masking::all().map(engine_masking::Function::name);
    let mut names: Vec<&str> = functions.chain(BESIDE).collect();
    names.sort_unstable();
    let name = &mask.function.value;
    Diagnostic::new(&policy::MASK_UNKNOWN, format!("there is no mask `{name}`"))
        .at(mask.function.at, label(nearest(name, names.iter().copied()), "unknown mask"))
        .help(format!("masks there are: {}", names.join(", ")))
}

pub(super) fn unknown_key(at: Location, wanted: &str, held: &[String]) -> Diagnostic {
    let near = nearest(wanted, held.iter().map(String::as_str));
    Diagnostic::new(&keys::KEY_UNKNOWN, format!("the keyring has no masking key `{wanted}`"))
        .at(at, label(near, "unknown key"))
        .help(format!("masking keys there are: {}", held.join(", ")))
}

fn label(nearest: Option<&str>, otherwise: &str) -> String {
    nearest.map_or_else(|| otherwise.to_owned(), |near| format!("did you mean `{near}`?"))
}

/// A column that is neither masked nor kept, with the rule that would fit it.
pub(super) fn uncovered(subject: &Subject<'_>, field: &FieldRef, class: &Carried) -> Diagnostic {
    let column = format!("{}.{}", subject.from, field.name());
    let declared = declared(subject, field.name());
    let of_model = matches!(subject.from, Relation::Model { .. });
    let name = field.name();
    let own = declared.and_then(|column| column.class.as_ref()).map(|class| &class.value);
    let words = match (class, of_model) {
        (Some(class), true) if own != Some(class) => {
            format!("carries class `{class}`, which has no rule")
        }
        (Some(class), _) => format!("class `{class}` has no rule"),
        (None, true) => format!("`{name}` is made from columns without a class"),
        (None, false) => format!("`{name}` has no class, and no rule names it"),
    };
    let help = match (class, of_model) {
        (None, true) => format!(
            "give {} a class, or the column itself in the model's YAML, for example: \
             {{name: {name}, class: …}}, and have a rule for it",
            unclassified(subject, name)
        ),
        _ => {
            let class = class.as_deref();
            format!("add a rule, for example: {}", suggested_rule(subject, field, class, &column))
        }
    };
    let at = declared.map_or(subject.at, |column| column.name.at);
    Diagnostic::new(
        &policy::COLUMN_UNCOVERED,
        format!("export `{}` would publish `{column}` as it is", subject.export),
    )
    .at(at, words)
    .help(help)
}

/// The source columns without a class that a model's column is made from, in words.
fn unclassified(subject: &Subject<'_>, column: &str) -> String {
    let origins = subject.reach.column(column).and_then(|reach| reach.carries.get(&None));
    let names: Vec<String> =
        origins.into_iter().flatten().map(|origin| format!("`{origin}`")).collect();
    if names.is_empty() { "what it is made from".to_owned() } else { names.join(", ") }
}

fn declared<'a>(subject: &Subject<'a>, name: &str) -> Option<&'a Column> {
    subject.project.columns(subject.from).iter().find(|column| column.name.value == name)
}

/// A column that carries several classes whose rules want different things.
pub(super) fn classes_differ(
    subject: &Subject<'_>,
    field: &FieldRef,
    found: &[(Carried, &Rule)],
) -> Diagnostic {
    let name = field.name();
    let column = format!("{}.{name}", subject.from);
    let shown = |class: &Carried| class.clone().unwrap_or_else(|| "no class".to_owned());
    let classes: Vec<String> =
        found.iter().map(|(class, _)| format!("`{}`", shown(class))).collect();
    let message = format!("`{column}` carries {}, whose rules differ", classes.join(" and "));
    let at = declared(subject, name).map_or(subject.at, |column| column.name.at);
    let mut diagnostic = Diagnostic::new(&policy::CLASSES_DIFFER, message)
        .at(at, "which rule is meant for it?")
        .help(format!(
            "give the column a class of its own in the model's YAML: {{name: {name}, class: …}}"
        ));
    for (class, rule) in found {
        let words = format!("`{}`, for {}", rule.name.value, shown(class));
        diagnostic = diagnostic.related(rule.name.at, words);
    }
    diagnostic
}

/// A column that is kept for what it is declared to be, and shows more than that.
pub(super) fn shows_more(
    subject: &Subject<'_>,
    rule: &Rule,
    reach: &ColumnReach,
    class: &Carried,
) -> Diagnostic {
    let column = format!("{}.{}", subject.from, reach.name);
    let of = class
        .as_ref()
        .map_or_else(|| "columns without a class".to_owned(), |class| format!("class `{class}`"));
    let origins = reach.carries.get(class).into_iter().flatten();
    let how = |origin: &Origin| {
        let kinds: Vec<&str> = reach.sources.on(origin).direct().iter().map(Kind::word).collect();
        format!("{origin} ({})", kinds.join(", "))
    };
    let origins: Vec<String> = origins.map(how).collect();
    let (does, why) = match &rule.action {
        Action::Keep(_) => ("keeps", "keeps it for its class, name or type"),
        Action::Mask(_) => ("shows part of", "masks it for its class, name or type"),
    };
    let message = format!("rule `{}` {does} `{column}`, which shows {of}", rule.name.value);
    let at = declared(subject, &reach.name).map_or(subject.at, |column| column.name.at);
    Diagnostic::new(&policy::SHOWS_MORE, message)
        .at(at, format!("from {}", origins.join(", ")))
        .related(rule.name.at, why)
        .help(
            "mask the column as that class is masked; or let somebody answer for it: a `keep` for this very column, or \
             `declassify: {owner: \"@…\", reason: …}` on it in the model's YAML",
        )
}

fn suggested_rule(
    subject: &Subject<'_>,
    field: &FieldRef,
    class: Option<&str>,
    column: &str,
) -> String {
    let matcher = class
        .map_or_else(|| format!("{{column: {column}}}"), |class| format!("{{class: {class}}}"));
    let word = class.unwrap_or(field.name());
    let name = word.replace('.', "_").to_lowercase();
    let keep = "keep: {owner: \"@…\", reason: …}";
    let known = class.and_then(|class| subject.project.class(class));
    if let Some((_, Class { sensitive: false, .. })) = known {
        return format!("{{name: {name}, match: {matcher}, {keep}}}");
    }
    let mask = suggested_mask(subject, field, word);
    format!("{{name: {name}, match: {matcher}, {mask}}}; or let it through with {keep}")
}

/// A mask that takes the column as it is, with the parameters it cannot do without.
fn suggested_mask(subject: &Subject<'_>, field: &FieldRef, word: &str) -> String {
    let input = field.data_type();
    let takes = |name: &str| engine_masking::find(name).is_some_and(|mask| mask.accepts(input));
    let name = match engine_masking::suggest(word, input) {
        _ if subject.unique.contains_key(field.name()) && takes("token") => "token",
        name => name,
    };
    match (name, subject.key_column()) {
        ("bucket", _) => "mask: bucket, params: {width: 10}".to_owned(),
        ("noise", _) => "mask: noise, params: {ratio: 0.1}".to_owned(),
        ("partial", _) => "mask: partial, params: {keep_last: 4}".to_owned(),
        ("date_shift", Some(key)) => format!("mask: date_shift, params: {{days: 30, per: {key}}}"),
        ("date_shift", None) => "mask: truncate, params: {unit: year}".to_owned(),
        ("truncate", _) if input.is_numeric() => {
            "mask: truncate, params: {multiple: 10}".to_owned()
        }
        ("truncate", _) if input.is_temporal() => "mask: truncate, params: {unit: year}".to_owned(),
        ("truncate", _) => "mask: truncate, params: {keep: 2}".to_owned(),
        // Without quotes YAML would read no text at all.
        ("null", _) => "mask: \"null\"".to_owned(),
        (name, _) => format!("mask: {name}"),
    }
}

/// A mask that cannot be bound to a column.
pub(super) fn unbound(
    subject: &Subject<'_>,
    rule: &Rule,
    mask: &Mask,
    field: &FieldRef,
    error: &ResolveError,
) -> Diagnostic {
    match error {
        ResolveError::Bind(error) => of_binding(subject, mask, field, error),
        other => {
            let message = format!("rule `{}` cannot be bound: {other}", rule.name.value);
            Diagnostic::new(&keys::KEY_UNKNOWN, message).at(rule.name.at, "this rule")
        }
    }
}

/// A code, what happened, the words at the place, and how to mend it.
type Words = (&'static Code, String, String, Option<String>);

fn of_binding(
    subject: &Subject<'_>,
    mask: &Mask,
    field: &FieldRef,
    error: &BindError,
) -> Diagnostic {
    let BindError { path, kind, hint } = error;
    let (code, message, label, help) = words(subject, mask, field, path, kind);
    let at = match **kind {
        BindErrorKind::UnknownParameter { .. } => {
            let keys: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
            mask.params.locate_key(&keys)
        }
        BindErrorKind::MissingParameter { .. } | BindErrorKind::TypeNotAccepted { .. } => {
            mask.function.at
        }
        _ => mask.params.locate_path(path),
    };
    let mut diagnostic = Diagnostic::new(code, message).at(at, label);
    // What depends on the column's type or table holds for this export, and maybe not for others.
    if code == &policy::MASK_TYPE || code == &policy::MASK_COLUMN {
        let column = format!("{}.{}", subject.from, field.name());
        diagnostic = diagnostic.related(subject.at, format!("`{column}` is exported here"));
    }
    match help.or_else(|| hint.clone()) {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

fn words(
    subject: &Subject<'_>,
    mask: &Mask,
    field: &FieldRef,
    path: &str,
    kind: &BindErrorKind,
) -> Words {
    let function = &mask.function.value;
    let parameter = path.trim_start_matches('/').replace('/', ".");
    let not_possible = || format!("parameter `{parameter}` of mask `{function}` is not possible");
    match kind {
        BindErrorKind::UnknownParameter { name, nearest, valid } => (
            &policy::MASK_PARAMETER,
            format!("mask `{function}` has no parameter `{name}`"),
            label(nearest.as_deref(), "unknown parameter"),
            Some(listed("parameters", valid)),
        ),
        BindErrorKind::MissingParameter { name } => (
            &policy::MASK_PARAMETER_MISSING,
            format!("mask `{function}` lacks its parameter `{name}`"),
            format!("needs `{name}`"),
            Some(format!("add it to the rule: params: {{{name}: …}}")),
        ),
        BindErrorKind::TypeNotAccepted { input, fitting, .. } => (
            &policy::MASK_TYPE,
            format!(
                "mask `{function}` does not fit `{}.{}`, whose type is {}",
                subject.from,
                field.name(),
                type_name(input)
            ),
            format!("takes no {} columns", type_name(input)),
            Some(format!("masks that do: {}", fitting.join(", "))),
        ),
        BindErrorKind::UnknownLookup { name, nearest, valid } => (
            &policy::MASK_LOOKUP,
            format!("there is no lookup `{name}`"),
            label(nearest.as_deref(), "unknown lookup"),
            Some(match valid.as_slice() {
                [] => format!("add the file lookups/{name}.csv, one entry a line"),
                valid => listed("lookups", valid),
            }),
        ),
        BindErrorKind::UnknownLocale { name, nearest, valid } => (
            &policy::MASK_LOCALE,
            format!("mask `{function}` has no words for the locale `{name}`"),
            label(nearest.as_deref(), "unknown locale"),
            Some(format!(
                "{}; or set `lookup` to a file of your own words",
                listed("locales", valid)
            )),
        ),
        BindErrorKind::UnknownColumn { name } => no_column(subject, mask, name),
        BindErrorKind::ColumnType { name, found } => (
            &policy::MASK_COLUMN,
            format!(
                "mask `{function}` cannot use column `{name}`, whose type is {}",
                type_name(found)
            ),
            "has no text form to key by".to_owned(),
            Some("name a column of whole numbers or text".to_owned()),
        ),
        BindErrorKind::OutOfRange { expected } => {
            (&policy::MASK_PARAMETER_VALUE, not_possible(), format!("should be {expected}"), None)
        }
        other => {
            let text = other.to_string();
            let (label, help) = match text.rsplit_once(", expected ") {
                Some((found, expected)) => wanted(found, expected),
                None => (text, None),
            };
            (&policy::MASK_PARAMETER_VALUE, not_possible(), label, help)
        }
    }
}

/// What a parameter should be, in a user's words: serde's are those of its types.
fn wanted(found: &str, expected: &str) -> (String, Option<String>) {
    let word = found.strip_prefix("unknown variant `").and_then(|rest| rest.strip_suffix('`'));
    if let Some(word) = word {
        let valid = expected.split('`').skip(1).step_by(2);
        if let Some(near) = nearest(word, valid) {
            return (format!("did you mean `{near}`?"), Some(format!("it is {expected}")));
        }
    }
    let words = match expected {
        "f32" | "f64" => "a number",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        "a boolean" => "true or false",
        "a string" => "text",
        other => other,
    };
    (format!("should be {words}"), None)
}

/// A mask reads a column of the row that the table does not have.
pub(super) fn missing_input(
    subject: &Subject<'_>,
    mask: &Mask,
    field: &FieldRef,
    name: &str,
) -> Diagnostic {
    let (code, message, label, help) = no_column(subject, mask, name);
    let column = format!("{}.{}", subject.from, field.name());
    let named = mask.params.entries().iter().find(|(_, value)| value.as_str() == Some(name));
    let at = named.map_or(mask.function.at, |(_, value)| value.at);
    let diagnostic = Diagnostic::new(code, message)
        .at(at, label)
        .related(subject.at, format!("`{column}` is exported here"));
    match help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

/// A column is made of one that is not published, or is made of published ones itself.
pub(super) fn not_published(
    subject: &Subject<'_>,
    at: Location,
    name: &str,
    names: &[&str],
) -> Diagnostic {
    let message = format!("export `{}` has no published column `{name}` to read", subject.export);
    Diagnostic::new(&policy::MASK_COLUMN, message)
        .at(
            at,
            label(
                nearest(name, names.iter().copied()),
                "not published, or made of such columns itself",
            ),
        )
        .help(format!("published columns there are: {}", names.join(", ")))
}

fn no_column(subject: &Subject<'_>, mask: &Mask, name: &str) -> Words {
    let there: Vec<String> =
        subject.schema.fields().iter().map(|field| field.name().clone()).collect();
    if there.iter().any(|column| column == name) {
        // It is there as it is read; this mask reads columns as they are published.
        return (
            &policy::MASK_COLUMN,
            format!("export `{}` has no published column `{name}` to read", subject.export),
            "left out, or made of published columns itself".to_owned(),
            Some("name a column that the export publishes".to_owned()),
        );
    }
    let near = nearest(name, there.iter().map(String::as_str));
    (
        &policy::MASK_COLUMN,
        format!("`{}` has no column `{name}` for mask `{}`", subject.from, mask.function.value),
        label(near, "unknown column"),
        Some(listed("columns", &there)),
    )
}

fn listed(what: &str, names: &[String]) -> String {
    match names {
        [] => format!("there are no {what}"),
        names => format!("{what} there are: {}", names.join(", ")),
    }
}
