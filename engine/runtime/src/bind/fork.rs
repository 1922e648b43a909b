//! Rules that mask only some rows: `when`, and what happens otherwise.

use arrow::datatypes::{DataType, FieldRef};
use engine_project::{Action, Location, Mask, Node, Rule, Spanned, When};

use super::applied::{AppliedMask, Others};
use super::condition::{Filter, condition};
use super::subject::Subject;
use super::treatment::{Fork, Otherwise, kept};
use crate::codes::{policy, sql};
use crate::diagnostic::Diagnostic;
use crate::fault;
use crate::types::type_name;

/// What happens where nothing is said: to text, and to all else.
const DEFAULT: &str = "redact";
const NULL: &str = "null";

/// The condition of a rule, bound to a column that `mask` masks where it holds.
pub(super) fn bind(
    subject: &Subject<'_>,
    rule: &Rule,
    mask: &AppliedMask,
    when: &When,
    field: &FieldRef,
) -> Result<Fork, Box<Diagnostic>> {
    let what = format!("the condition of rule `{}`", rule.name.value);
    let found = condition(subject, &when.condition, subject.schema, &what)?;
    let meaning = found.meaning(subject.binding.state, subject.schema).map_err(|error| {
        let words = fault::planning_text(&error);
        Box::new(Diagnostic::new(&sql::FILTER_INVALID, &what).at(when.condition.at, words))
    })?;
    let condition = Filter { sql: found.sql, meaning };
    let otherwise = match when.otherwise.as_deref() {
        None => unsaid(subject, rule, mask, field)?,
        Some(Action::Keep(approval)) => {
            same_type(subject, rule, mask, field, field.data_type(), approval.at)?;
            Otherwise::Kept(kept(subject, rule, approval)?)
        }
        Some(Action::Mask(other)) if other.function.value == NULL => Otherwise::Null,
        Some(Action::Mask(other)) => {
            let at = other.function.at;
            if engine_masking::WHOLE.iter().any(|function| function.name() == other.function.value)
            {
                let message = format!("mask `{}` is for all rows or none", other.function.value);
                let words = "what a condition leaves over cannot be dealt out";
                return Err(Box::new(
                    Diagnostic::new(&policy::MASK_PARAMETER_VALUE, message).at(at, words),
                ));
            }
            let other = AppliedMask::bind(subject, rule, other, field, &Others::of(subject))?;
            if other.reads_masked {
                let message = format!("mask `{}` cannot stand in `otherwise`", other.function);
                let words = "is made of columns as they are published";
                return Err(Box::new(
                    Diagnostic::new(&policy::MASK_PARAMETER_VALUE, message).at(at, words),
                ));
            }
            same_type(subject, rule, mask, field, &other.output, at)?;
            Otherwise::Masked(Box::new(other))
        }
    };
    Ok(Fork { condition, columns: found.columns, otherwise })
}

/// Text is redacted; what is no text, or becomes none, is null.
fn unsaid(
    subject: &Subject<'_>,
    rule: &Rule,
    mask: &AppliedMask,
    field: &FieldRef,
) -> Result<Otherwise, Box<Diagnostic>> {
    let takes = |name| engine_masking::find(name).is_some_and(|one| one.accepts(field.data_type()));
    if !takes(DEFAULT) {
        return Ok(Otherwise::Null);
    }
    let at = rule.name.at;
    let function = Spanned::new(DEFAULT.to_owned(), at);
    let redact =
        Mask { function, params: Node::empty_map(at), key: None, linkage: None, when: None };
    let redact = AppliedMask::bind(subject, rule, &redact, field, &Others::of(subject))?;
    let fits = redact.output == mask.output;
    Ok(if fits { Otherwise::Masked(Box::new(redact)) } else { Otherwise::Null })
}

/// Both ways must end in one type.
fn same_type(
    subject: &Subject<'_>,
    rule: &Rule,
    mask: &AppliedMask,
    field: &FieldRef,
    otherwise: &DataType,
    at: Location,
) -> Result<(), Box<Diagnostic>> {
    if *otherwise == mask.output {
        return Ok(());
    }
    let column = format!("{}.{}", subject.from, field.name());
    let message = format!("rule `{}` gives `{column}` two types", rule.name.value);
    let words = format!(
        "gives {}, and `{}` gives {}",
        type_name(otherwise),
        mask.function,
        type_name(&mask.output)
    );
    Err(Box::new(
        Diagnostic::new(&policy::MASK_TYPE, message)
            .at(at, words)
            .related(subject.at, format!("`{column}` is exported here"))
            .help("use masks that give one type, or `otherwise: {mask: \"null\"}`"),
    ))
}
