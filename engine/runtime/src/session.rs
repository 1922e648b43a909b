//! The one place that makes DataFusion sessions.
//!
//! Every session has a memory limit and no disk: an operator that would spill fails with an error that
//! says which setting to raise, because DataFusion's spill files are plain Arrow. Clock and random
//! functions are taken out, so that equal inputs give equal outputs, and so is everything that can
//! write or change the session.

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::execution::context::{SQLOptions, SessionContext};
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::Volatility;
use datafusion::prelude::SessionConfig;

/// Declared immutable, and yet its result changes with the library.
const VERSION: &str = "version";

/// Bounds of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Streams that run at once.
    pub jobs: usize,
    /// Bytes that operators which hold rows (joins, sorts, groups) may take together.
    pub memory_bytes: usize,
    /// Rows of a batch.
    pub batch_rows: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { jobs: 2, memory_bytes: 1 << 30, batch_rows: 8192 }
    }
}

/// A session within `limits`.
///
/// # Errors
/// Those of DataFusion's runtime environment; none is expected.
pub fn session(limits: Limits) -> Result<SessionContext> {
    let mut config = SessionConfig::new()
        .with_target_partitions(limits.jobs.max(1))
        .with_batch_size(limits.batch_rows.max(1))
        .with_round_robin_repartition(false)
        .with_information_schema(false)
        .with_create_default_catalog_and_schema(true);
    {
        let options = config.options_mut();
        // A column is written as its source spells it, without quotes around mixed case.
        options.sql_parser.enable_ident_normalization = false;
        options.sql_parser.collect_spans = true;
        options.execution.parquet.pushdown_filters = true;
        // A stream reads the same rows each time, so that a retry can go on inside it.
        options.execution.enable_file_stream_work_stealing = false;
        // Otherwise the bytes that rows take decide how they are sorted, and so in which order those
        // with equal keys come: a column would show in a rank that does not name it.
        options.execution.sort_in_place_threshold_bytes = 0;
    }
    let runtime = RuntimeEnvBuilder::new()
        .with_disk_manager_builder(
            DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled),
        )
        .with_memory_pool(Arc::new(GreedyMemoryPool::new(limits.memory_bytes)))
        .build_arc()?;
    let state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_default_features()
        .build();
    let context = SessionContext::new_with_state(state);
    for name in nondeterministic(&context) {
        context.deregister_udf(&name);
    }
    Ok(context)
}

/// Functions whose result depends on the moment, the session, chance, or the file a row stands in: those
/// that do not declare themselves immutable, under each of their names.
fn nondeterministic(context: &SessionContext) -> Vec<String> {
    let state = context.state();
    let functions = state.scalar_functions().iter();
    functions
        .filter(|(name, function)| {
            function.signature().volatility != Volatility::Immutable || *name == VERSION
        })
        .map(|(name, _)| name.clone())
        .collect()
}

/// What SQL may do: read. No DDL, no DML, no statements that change the session.
pub fn read_only() -> SQLOptions {
    SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_depends_on_the_moment_or_on_chance() {
        let context = session(Limits::default()).unwrap();
        for call in [
            "now()",
            "current_timestamp",
            "current_timestamp()",
            "current_date",
            "today()",
            "current_time",
            "random()",
            "uuid()",
            "version()",
            "input_file_name()",
            "file_row_index()",
        ] {
            assert!(context.sql(&format!("SELECT {call}")).await.is_err(), "{call}");
        }
        context.sql("SELECT upper('a'), date_trunc('day', to_timestamp(0))").await.unwrap();
    }

    #[tokio::test]
    async fn no_file_is_a_table() {
        let context = session(Limits::default()).unwrap();
        for table in
            ["'/etc/passwd'", "\"a.parquet\"", "read_csv('a.csv')", "information_schema.tables"]
        {
            assert!(context.sql(&format!("SELECT * FROM {table}")).await.is_err(), "{table}");
        }
    }
}
