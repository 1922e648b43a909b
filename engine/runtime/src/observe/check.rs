//! What is watched: the tests of an export, made ready for its columns.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::{DFSchema, DataFusionError, Result};
use datafusion::execution::context::SessionContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use datafusion::logical_expr::Expr;
use datafusion::physical_expr::PhysicalExpr;
use engine_masking::{Absent, DigestKey, has_digest};
use engine_project::{ColumnTest, Declared, Relation, TableTest, identifier};
use serde_json::Value;

use super::digest::Input;
use super::tally::{Disk, Group, Pair, Tally};
use super::watcher::{State, Watcher};

/// What a watch is made for.
pub struct Watching<'a> {
    /// The export's tests.
    pub tests: &'a [Declared<TableTest>],
    /// Its published columns.
    pub schema: SchemaRef,
    /// Those of them that identify a row; all that can be digested when there are none.
    pub key_columns: &'a [String],
    /// The key of its digests.
    pub key: DigestKey,
    /// Where digests go that memory has no room for, sealed.
    pub folder: PathBuf,
}

/// One test, made ready. Columns are positions among the published ones.
pub(super) enum Check {
    /// A condition that rows meet which fail.
    Rows { failing: Arc<dyn PhysicalExpr> },
    /// Digests that must not repeat.
    Unique { columns: Vec<usize> },
    /// Groups of at least this many rows.
    Size { columns: Vec<usize>, least: u64 },
    /// Groups of at least this many different values.
    Spread { columns: Vec<usize>, value: usize, least: u64 },
    /// Values of an input, by its position, that must not be published in a column.
    Leak { input: usize, published: usize },
    /// Values of an input that must stand in another relation.
    Related { input: usize, to: Relation, field: String },
    /// How many rows there are.
    Count { min: Option<u64>, max: Option<u64> },
    /// Seconds since the newest moment of a column.
    Fresh { column: usize, seconds: u64 },
}

/// The tests of one export, and what the streams found that have ended.
pub struct Watch {
    pub(super) checks: Vec<Check>,
    pub(super) inputs: Vec<Input>,
    pub(super) columns: usize,
    pub(super) row_columns: Vec<usize>,
    pub(super) key: DigestKey,
    disk: Arc<Disk>,
    pool: Arc<dyn MemoryPool>,
    ended: Mutex<Vec<Vec<State>>>,
}

impl Watch {
    /// Makes tests ready.
    ///
    /// # Errors
    /// A condition that does not fit the columns, which binding should have found.
    pub fn new(session: &SessionContext, watching: Watching<'_>) -> Result<Self> {
        let Watching { tests, schema, key_columns, key, folder } = watching;
        let mut inputs = Vec::new();
        let mut builder = Builder { session, schema: &schema, inputs: &mut inputs };
        let checks = tests.iter().map(|test| builder.check(&test.test)).collect::<Result<_>>()?;
        let fields = schema.fields().iter().enumerate();
        let digestible = fields.filter(|(_, field)| has_digest(field.data_type()));
        let is_key = |name: &String| key_columns.is_empty() || key_columns.contains(name);
        let row_columns = digestible.filter(|(_, field)| is_key(field.name()));
        Ok(Self {
            checks,
            columns: schema.fields().len(),
            row_columns: row_columns.map(|(position, _)| position).collect(),
            inputs,
            key,
            disk: Arc::new(Disk::new(folder).map_err(DataFusionError::IoError)?),
            pool: Arc::clone(&session.runtime_env().memory_pool),
            ended: Mutex::new(Vec::new()),
        })
    }

    /// The columns whose digests are wanted after the published ones.
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// The key of the digests.
    pub fn key(&self) -> &DigestKey {
        &self.key
    }

    /// How many columns are published: those after them are digests.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Watches one stream.
    pub fn watcher(self: &Arc<Self>) -> Watcher {
        Watcher::new(Arc::clone(self))
    }

    pub(super) fn memory(&self) -> MemoryReservation {
        MemoryConsumer::new("tests of rows").register(&self.pool)
    }

    pub(super) fn groups(&self) -> Tally<Group> {
        Tally::new(Arc::clone(&self.disk), self.memory())
    }

    pub(super) fn pairs(&self) -> Tally<Pair> {
        Tally::new(Arc::clone(&self.disk), self.memory())
    }

    pub(super) fn end(&self, states: Vec<State>) {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).push(states);
    }

    /// What all streams found together, test by test.
    pub(super) fn together(&self) -> io::Result<Vec<State>> {
        let streams =
            std::mem::take(&mut *self.ended.lock().unwrap_or_else(PoisonError::into_inner));
        let mut all: Vec<State> = self.checks.iter().map(|check| State::of(check, self)).collect();
        for states in streams {
            for (all, state) in all.iter_mut().zip(states) {
                all.absorb(state)?;
            }
        }
        Ok(all)
    }
}

struct Builder<'a> {
    session: &'a SessionContext,
    schema: &'a SchemaRef,
    inputs: &'a mut Vec<Input>,
}

impl Builder<'_> {
    fn check(&mut self, test: &TableTest) -> Result<Check> {
        let positions = |columns: &[engine_project::Spanned<String>]| -> Result<Vec<usize>> {
            columns.iter().map(|column| Ok(self.schema.index_of(&column.value)?)).collect()
        };
        Ok(match test {
            TableTest::KAnonymity { columns, k } => {
                Check::Size { columns: positions(columns)?, least: *k }
            }
            TableTest::LDiversity { columns, sensitive, l } => Check::Spread {
                columns: positions(columns)?,
                value: self.schema.index_of(&sensitive.value)?,
                least: *l,
            },
            TableTest::RowCount { min, max } => Check::Count { min: *min, max: *max },
            TableTest::Expression { sql } => self.rows(&sql.value, |holds| !holds)?,
            TableTest::Column { column, test } => self.of_column(&column.value, test)?,
        })
    }

    fn of_column(&mut self, column: &str, test: &ColumnTest) -> Result<Check> {
        let position = self.schema.index_of(column)?;
        Ok(match test {
            ColumnTest::Unique => Check::Unique { columns: vec![position] },
            ColumnTest::Leak => {
                Check::Leak { input: self.input(column, Absent::NullOrEmpty), published: position }
            }
            ColumnTest::Relationships { to, field } => Check::Related {
                input: self.input(column, Absent::Null),
                to: to.clone(),
                field: field.clone(),
            },
            ColumnTest::Freshness { max_age_seconds } => {
                Check::Fresh { column: position, seconds: *max_age_seconds }
            }
            row_by_row => match failing(&identifier(column), row_by_row) {
                // What is no number is within no bounds, and compares as greater than all of them.
                Some(condition)
                    if matches!(row_by_row, ColumnTest::Range { .. })
                        && self.schema.field(position).data_type().is_floating() =>
                {
                    self.rows(&format!("{condition} OR isnan({})", identifier(column)), |fails| {
                        fails
                    })?
                }
                Some(condition) => self.rows(&condition, |fails| fails)?,
                None => Check::Count { min: None, max: None },
            },
        })
    }

    /// The position of an input's digests, asked for once.
    fn input(&mut self, column: &str, absent: Absent) -> usize {
        let input = Input { column: column.to_owned(), absent };
        self.inputs.iter().position(|known| *known == input).unwrap_or_else(|| {
            self.inputs.push(input);
            self.inputs.len().saturating_sub(1)
        })
    }

    /// Rows that fail are those for which `fails` of the condition is true.
    fn rows(&self, condition: &str, fails: fn(Expr) -> Expr) -> Result<Check> {
        let schema = DFSchema::try_from(self.schema.as_ref().clone())?;
        let state = self.session.state();
        let expression = fails(state.create_logical_expr(condition, &schema)?);
        Ok(Check::Rows { failing: state.create_physical_expr(expression, &schema)? })
    }
}

/// The condition that rows meet which fail a test; none for tests that look at more than one row.
fn failing(column: &str, test: &ColumnTest) -> Option<String> {
    Some(match test {
        ColumnTest::NotNull => format!("{column} IS NULL"),
        ColumnTest::AcceptedValues { values } => {
            let list: Vec<String> = values.iter().map(literal).collect();
            format!("{column} NOT IN ({})", list.join(", "))
        }
        ColumnTest::Range { min, max } => {
            let low = min.iter().map(|min| format!("{column} < {}", literal(min)));
            let high = max.iter().map(|max| format!("{column} > {}", literal(max)));
            low.chain(high).collect::<Vec<_>>().join(" OR ")
        }
        ColumnTest::Regex { pattern } => {
            let pattern = pattern.replace('\'', "''");
            format!("NOT regexp_like(CAST({column} AS VARCHAR), '{pattern}')")
        }
        ColumnTest::Unique
        | ColumnTest::Relationships { .. }
        | ColumnTest::Freshness { .. }
        | ColumnTest::Leak => return None,
    })
}

fn literal(value: &Value) -> String {
    match value {
        Value::String(text) => format!("'{}'", text.replace('\'', "''")),
        other => other.to_string(),
    }
}

/// Whether a column's values are moments, so that the newest has an age.
pub fn is_moment(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Date32 | DataType::Timestamp(_, _))
}

/// The columns at these positions; fewer where a batch has fewer, which the caller excludes.
pub(super) fn at(columns: &[ArrayRef], positions: &[usize]) -> Vec<ArrayRef> {
    positions.iter().filter_map(|position| columns.get(*position).cloned()).collect()
}
