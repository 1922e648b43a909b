//! What happens to each column of an export: the rule that wins, bound to a function and a key, or the
//! reason why the column may not leave.
//!
//! ```text
//!  columns ─rule─▶ masked, kept, open ──────────────▶ published
//!              └─▶ made of published ones (template, sql) ─┘ second
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::{Field, FieldRef};
use engine_masking::Uniqueness;
use engine_project::{Action, Location, Mask, Rule, Unclassified};

use super::applied::{AppliedMask, Others};
use super::decision::{Decided, Judged};
use super::reach::{Carried, ColumnReach};
use super::refusals::{self, DROP, SQL};
use super::subject::Subject;
use super::treatment::{BoundColumn, Computed, Treatment, kept};
use super::{computed, fork};
use crate::codes::policy;
use crate::diagnostic::Diagnostic;
use crate::flow::{Influence, Kind};
use crate::problems;

/// The treatment of every column of `fields`, or every reason why one has none. Dropped columns are
/// left out.
pub(super) fn treat(
    subject: &Subject<'_>,
    fields: &[FieldRef],
) -> Result<Vec<BoundColumn>, Vec<Diagnostic>> {
    let mut columns: Vec<(usize, BoundColumn)> = Vec::new();
    let mut second = Vec::new();
    let mut findings = Vec::new();
    for (place, field) in fields.iter().enumerate() {
        match column(subject, field) {
            Ok(First::Done(bound)) => columns.push((place, *bound)),
            Ok(First::LeftOut) => {}
            Ok(First::Second(waiting)) => second.push((place, waiting)),
            Err(finding) => findings.push(*finding),
        }
    }
    // What could not be bound is missing among the published columns, and would be found missing again.
    if findings.is_empty() {
        let published: Vec<BoundColumn> = columns.iter().map(|(_, one)| one.clone()).collect();
        for (place, waiting) in second {
            match waiting.bind(subject, &published) {
                Ok(bound) => columns.push((place, bound)),
                Err(finding) => findings.push(*finding),
            }
        }
    }
    columns.sort_by_key(|(place, _)| *place);
    let columns = columns.into_iter().map(|(_, column)| column).collect();
    if findings.is_empty() { Ok(columns) } else { Err(findings) }
}

/// A column after it was looked at by itself.
enum First<'a> {
    Done(Box<BoundColumn>),
    LeftOut,
    Second(Box<Waiting<'a>>),
}

/// A column that is made of published ones.
struct Waiting<'a> {
    rule: &'a Rule,
    mask: &'a Mask,
    field: &'a FieldRef,
    class: Carried,
    reach: ColumnReach,
    sensitive: bool,
}

fn column<'a>(subject: &Subject<'a>, field: &'a FieldRef) -> Result<First<'a>, Box<Diagnostic>> {
    // What is not known carries what nobody has classified.
    let unknown = ColumnReach {
        name: field.name().clone(),
        data_type: Some(field.data_type().clone()),
        classes: BTreeSet::from([None]),
        ..ColumnReach::default()
    };
    let reach = subject.reach.column(field.name()).cloned().unwrap_or(unknown);
    let judged = Judged { project: subject.project, relation: subject.from, reach: &reach };
    let (class, treatment, output) = match judged.decided() {
        Decided::Rule(rule, class) => match &rule.action {
            Action::Keep(approval) => {
                (class, Treatment::Kept(kept(subject, rule, approval)?), Arc::clone(field))
            }
            Action::Mask(mask) if mask.function.value == DROP => {
                left_out(mask)?;
                return Ok(First::LeftOut);
            }
            Action::Mask(mask) => {
                let sensitive = judged.is_sensitive(&class);
                match masked(subject, rule, mask, field)? {
                    Some((treatment, output)) => (class, treatment, output),
                    None => {
                        let reach = reach.clone();
                        let waiting = Waiting { rule, mask, field, class, reach, sensitive };
                        return Ok(First::Second(Box::new(waiting)));
                    }
                }
            }
        },
        Decided::Open(released) => (None, Treatment::Open(released), Arc::clone(field)),
        Decided::Uncovered(class) => {
            return match subject.project.unclassified {
                Unclassified::Drop => Ok(First::LeftOut),
                Unclassified::Deny => Err(Box::new(refusals::uncovered(subject, field, &class))),
            };
        }
        Decided::Ambiguous(problem) => return Err(Box::new(problems::diagnostic(*problem))),
        Decided::Differ(found) => {
            return Err(Box::new(refusals::classes_differ(subject, field, &found)));
        }
        Decided::ShowsMore(rule, class) => {
            return Err(Box::new(refusals::shows_more(subject, rule, &reach, &class)));
        }
    };
    let sensitive = !matches!(treatment, Treatment::Open(_)) && judged.is_sensitive(&class);
    Ok(First::Done(Box::new(BoundColumn {
        name: field.name().clone(),
        class,
        reach: reach.clone(),
        sensitive,
        input: Arc::clone(field),
        output,
        treatment,
        unique: subject.unique.contains_key(field.name()),
    })))
}

/// `drop` does one thing, to all rows.
fn left_out(mask: &Mask) -> Result<(), Box<Diagnostic>> {
    let message = |what: &str| format!("mask `drop` {what}");
    if let Some((key, _)) = mask.params.entries().first() {
        let found = Diagnostic::new(&policy::MASK_PARAMETER, message("has no parameters"));
        return Err(Box::new(found.at(key.at, "unknown parameter")));
    }
    no_condition(mask, "a column is left out of every row; use `null` to empty some")
}

fn no_condition(mask: &Mask, why: &str) -> Result<(), Box<Diagnostic>> {
    let Some(when) = &mask.when else { return Ok(()) };
    let message = format!("mask `{}` takes no condition", mask.function.value);
    Err(Box::new(
        Diagnostic::new(&policy::MASK_PARAMETER_VALUE, message).at(when.condition.at, why),
    ))
}

/// A column masked by its rule; none where it is made of published columns.
fn masked(
    subject: &Subject<'_>,
    rule: &Rule,
    mask: &Mask,
    field: &FieldRef,
) -> Result<Option<(Treatment, FieldRef)>, Box<Diagnostic>> {
    if mask.function.value == SQL {
        no_condition(mask, "write it into the expression: CASE WHEN … THEN … ELSE … END")?;
        return Ok(None);
    }
    let applied = AppliedMask::bind(subject, rule, mask, field, &Others::of(subject))?;
    if applied.reads_masked {
        return Ok(None);
    }
    applied_to(subject, rule, mask, field, applied).map(Some)
}

fn applied_to(
    subject: &Subject<'_>,
    rule: &Rule,
    mask: &Mask,
    field: &FieldRef,
    applied: AppliedMask,
) -> Result<(Treatment, FieldRef), Box<Diagnostic>> {
    if engine_masking::WHOLE.iter().any(|function| function.name() == applied.function) {
        no_condition(mask, "its values are dealt out among all rows; `within` keeps groups apart")?;
    }
    let fork = match &mask.when {
        Some(when) => Some(fork::bind(subject, rule, &applied, when, field)?),
        None => None,
    };
    let own = applied.properties;
    let properties = fork.as_ref().map_or(own, |fork| fork.properties(&own));
    check_unique(subject, rule, mask.function.at, field, properties.uniqueness)?;
    let nullable = !properties.preserves.null || field.is_nullable();
    let output = Arc::new(Field::new(field.name(), applied.output.clone(), nullable));
    let treatment = Treatment::Masked {
        rule: rule.name.value.clone(),
        mask: Box::new(applied),
        fork: fork.map(Box::new),
        properties,
    };
    Ok((treatment, output))
}

impl Waiting<'_> {
    fn bind(
        self,
        subject: &Subject<'_>,
        published: &[BoundColumn],
    ) -> Result<BoundColumn, Box<Diagnostic>> {
        let Waiting { rule, mask, field, class, mut reach, sensitive } = self;
        let (treatment, output) = if mask.function.value == SQL {
            let (computed, data_type) = computed::bind(subject, rule, mask, published)?;
            check_unique(subject, rule, mask.function.at, field, Uniqueness::Lossy)?;
            reach = made_of(&computed, subject, published, reach);
            let output = Arc::new(Field::new(field.name(), data_type, true));
            let computed = Box::new(computed);
            (Treatment::Computed { rule: rule.name.value.clone(), computed }, output)
        } else {
            let others =
                Others::new(published.iter().map(|one| (Arc::clone(&one.output), one.sql())));
            let applied = AppliedMask::bind(subject, rule, mask, field, &others)?;
            applied_to(subject, rule, mask, field, applied)?
        };
        Ok(BoundColumn {
            name: field.name().clone(),
            class,
            reach,
            sensitive,
            input: Arc::clone(field),
            output,
            treatment,
            unique: subject.unique.contains_key(field.name()),
        })
    }
}

/// What flows into a computed column: what it reads, in place of the column of its name.
fn made_of(
    computed: &Computed,
    subject: &Subject<'_>,
    published: &[BoundColumn],
    own: ColumnReach,
) -> ColumnReach {
    let raw = computed.raw.iter().filter_map(|name| subject.reach.column(name));
    let masked = published.iter().filter(|one| computed.masked.contains(&one.name));
    let mut made =
        ColumnReach { sources: Influence::default(), exposed: Influence::default(), ..own };
    for reach in raw.chain(masked.map(|one| &one.reach)) {
        made.sources.add(&reach.sources.clone().then(Kind::Computed));
        made.exposed.add(&reach.exposed.clone().then(Kind::Computed));
    }
    made
}

fn check_unique(
    subject: &Subject<'_>,
    rule: &Rule,
    at: Location,
    field: &FieldRef,
    uniqueness: Uniqueness,
) -> Result<(), Box<Diagnostic>> {
    let Some(why) = subject.unique.get(field.name()) else { return Ok(()) };
    if uniqueness != Uniqueness::Lossy {
        return Ok(());
    }
    let column = format!("{}.{}", subject.from, field.name());
    Err(Box::new(
        Diagnostic::new(
            &policy::MASK_LOSSY_KEY,
            format!("rule `{}` may give two values of `{column}` the same mask", rule.name.value),
        )
        .at(at, "may map two values to one")
        .related(subject.at, format!("`{column}` {why}, and is exported here"))
        .help("use a mask that keeps values distinct, such as `token`"),
    ))
}
