//! Models: SQL planned over sources and other models, registered as views so that DataFusion inlines
//! them into the plan of whoever reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::catalog::MemorySchemaProvider;
use datafusion::common::TableReference;
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::datasource::empty::EmptyTable;
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::error::DataFusionError;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::sql::parser::{DFParserBuilder, Statement as ParsedStatement};
use datafusion::sql::sqlparser::ast::Statement;
use engine_bundle::digest::Digest;
use engine_project::{Approval, Date, MinGroup, Model, Project, Relation};
use futures::executor::block_on;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::reach::{ModelFlow, Reaches, Released};
use super::tables::reference;
use super::{Binding, MODELS_SCHEMA, groups};
use crate::codes::{policy, sql};
use crate::diagnostic::Diagnostic;
use crate::fault;
use crate::flow::{self, Flow};
use crate::meaning;
use crate::session::read_only;

/// A model that was planned.
#[derive(Debug, Clone)]
pub struct BoundModel {
    /// Its SQL, with the condition that its least size of groups adds.
    pub sql: String,
    /// Its optimised plan as text, over the tables and models it names.
    pub plan: String,
    /// What it means: the digest of that plan.
    pub meaning: Digest,
}

/// Plans the models that are read, in dependency order, and follows what flows into their columns. A
/// model whose dependency failed is not tried.
pub(super) fn register(
    project: &Project,
    reached: &BTreeSet<Relation>,
    reaches: &mut Reaches,
    binding: &Binding<'_>,
) -> Result<BTreeMap<String, BoundModel>, Vec<Diagnostic>> {
    if let Some(catalog) = binding.session.catalog("datafusion") {
        let schema = Arc::new(MemorySchemaProvider::new());
        if catalog.register_schema(MODELS_SCHEMA, schema).is_err() {
            return Err(Vec::new());
        }
    }
    let mut plans = BTreeMap::new();
    let mut findings = Vec::new();
    let mut failed: BTreeSet<&str> = BTreeSet::new();
    let is_reached =
        |model: &&Model| reached.contains(&Relation::Model { name: model.name.value.clone() });
    let mut waiting: Vec<&Model> = project.models.iter().filter(is_reached).collect();
    while !waiting.is_empty() {
        // Those whose models are all there are planned side by side.
        let names: BTreeSet<&str> = waiting.iter().map(|model| model.name.value.as_str()).collect();
        let (ready, later): (Vec<&Model>, Vec<&Model>) =
            waiting.into_iter().partition(|model| !reads_any(model, &names));
        if ready.is_empty() {
            // A circle, which the project was checked for.
            break;
        }
        waiting = later;
        let (blocked, ready): (Vec<&Model>, Vec<&Model>) =
            ready.into_iter().partition(|model| reads_any(model, &failed));
        failed.extend(blocked.iter().map(|model| model.name.value.as_str()));
        let prepared: Vec<_> =
            ready.par_iter().map(|model| block_on(prepare(model, reaches, binding))).collect();
        for (model, prepared) in ready.into_iter().zip(prepared) {
            match prepared.and_then(|prepared| prepared.finish(project, model, reaches, binding)) {
                Ok(bound) => {
                    plans.insert(model.name.value.clone(), bound);
                }
                Err(found) => {
                    failed.insert(&model.name.value);
                    findings.extend(found);
                }
            }
        }
    }
    if failed.is_empty() { Ok(plans) } else { Err(findings) }
}

fn reads_any(model: &Model, names: &BTreeSet<&str>) -> bool {
    model
        .depends_on
        .iter()
        .any(|on| matches!(&on.value, Relation::Model { name } if names.contains(name.as_str())))
}

/// A model that was planned, and is not registered yet.
struct Prepared {
    plan: LogicalPlan,
    optimized: LogicalPlan,
    flow: Flow,
    summaries: BTreeMap<usize, Released>,
    sql: String,
}

/// Plans a model, and follows what flows into its columns.
async fn prepare(
    model: &Model,
    reaches: &Reaches,
    binding: &Binding<'_>,
) -> Result<Prepared, Vec<Diagnostic>> {
    let state = binding.state;
    let at_fault = |error| vec![fault::planning(&error, &model.sql)];
    let statement = query(model, state)?;
    let strangers = strangers(model, state, &statement).map_err(at_fault)?;
    if !strangers.is_empty() {
        return Err(strangers);
    }
    let expired = expired(model, binding.today);
    if !expired.is_empty() {
        return Err(expired);
    }
    let mut plan = state.statement_to_plan(statement.clone()).await.map_err(at_fault)?;
    let mut sql = formatted(&statement);
    let mut summaries = BTreeMap::new();
    if let Some(group) = &model.min_group {
        let no_groups = || vec![not_grouped(model, group)];
        let node = groups::grouping(&plan).ok_or_else(no_groups)?;
        let input = over_models(node.input.as_ref().clone()).map_err(at_fault)?;
        let input = flow::optimized(state, &input).map_err(at_fault)?;
        let input = flow::of_plan(&input, &relation);
        let input: Vec<_> = input.columns.iter().map(|step| reaches.sources(step)).collect();
        if !groups::counts_what_it_says(node, group, &input) {
            return Err(vec![miscounted(model, group)]);
        }
        let safe = groups::summaries(&plan, &input).ok_or_else(no_groups)?;
        let limited = groups::limited(statement, group);
        let limited = limited.ok_or_else(no_groups)?;
        sql = format!("{limited:#}\n");
        let limited = ParsedStatement::Statement(Box::new(limited));
        plan = state.statement_to_plan(limited).await.map_err(at_fault)?;
        let by = words(group);
        let safe = safe.iter().enumerate().filter(|(_, safe)| **safe);
        summaries.extend(safe.map(|(at, _)| (at, Released::new(by.clone(), &group.approval))));
    }
    read_only().verify_plan(&plan).map_err(at_fault)?;
    // Types that do not fit are found by the analyzer; what it makes of the plan is made again
    // when the plan is carried out.
    let leaves = over_models(plan.clone()).map_err(at_fault)?;
    let optimized = flow::optimized(state, &leaves).map_err(at_fault)?;
    let flow = flow::of_plan(&optimized, &relation);
    let findings = described_columns(model, &plan);
    if !findings.is_empty() {
        return Err(findings);
    }
    Ok(Prepared { plan, optimized, flow, summaries, sql })
}

impl Prepared {
    /// Registers the model, and adds what flows into it to `reaches`.
    fn finish(
        self,
        project: &Project,
        model: &Model,
        reaches: &mut Reaches,
        binding: &Binding<'_>,
    ) -> Result<BoundModel, Vec<Diagnostic>> {
        let Self { plan, optimized, flow, summaries, sql } = self;
        let at_fault = |error| vec![fault::planning(&error, &model.sql)];
        let own = ModelFlow { schema: plan.schema().as_arrow(), flow: &flow, summaries };
        reaches.add_model(project, &model.name.value, &own, binding.today);
        let meaning = meaning::of_plan(&optimized).map_err(at_fault)?;
        let view = ViewTable::new(plan, Some(sql.clone()));
        let name = reference(&Relation::Model { name: model.name.value.clone() });
        binding.session.register_table(name, Arc::new(view)).map_err(at_fault)?;
        Ok(BoundModel { sql, plan: optimized.display_indent().to_string(), meaning })
    }
}

/// The table or model that a scan reads.
pub(super) fn relation(name: &TableReference) -> Option<Relation> {
    let table = name.table().to_owned();
    Some(match name.schema()? {
        MODELS_SCHEMA => Relation::Model { name: table },
        source => Relation::Table { source: source.to_owned(), table },
    })
}

/// The plan with models as leaves, so that what a model declassifies can be told from what it does not.
fn over_models(plan: LogicalPlan) -> Result<LogicalPlan, DataFusionError> {
    let leaf = |node: LogicalPlan| match node {
        LogicalPlan::SubqueryAlias(alias) if alias.alias.schema() == Some(MODELS_SCHEMA) => {
            let schema = Arc::new(alias.schema.as_arrow().clone());
            let source = provider_as_source(Arc::new(EmptyTable::new(schema)));
            let scan = LogicalPlanBuilder::scan(alias.alias.clone(), source, None)?.build()?;
            Ok(Transformed::new(scan, true, TreeNodeRecursion::Jump))
        }
        node => Ok(Transformed::no(node)),
    };
    plan.transform_down_with_subqueries(leaf).map(|transformed| transformed.data)
}

/// The statement without comments, in one layout.
fn formatted(statement: &ParsedStatement) -> String {
    match statement {
        ParsedStatement::Statement(statement) => format!("{statement:#}\n"),
        other => format!("{other}\n"),
    }
}

fn words(group: &MinGroup) -> String {
    match &group.of {
        None => format!("groups of at least {} rows", group.size),
        Some(column) => format!("groups of at least {} {}", group.size, column.value),
    }
}

fn not_grouped(model: &Model, group: &MinGroup) -> Diagnostic {
    let message = format!("model `{}` has no groups to be of a least size", model.name.value);
    Diagnostic::new(&policy::MIN_GROUP, message)
        .at(group.approval.at, "asks for groups of a least size")
        .help("make the model one SELECT with GROUP BY or aggregates; what it reads can be another model")
}

fn miscounted(model: &Model, group: &MinGroup) -> Diagnostic {
    let message =
        format!("the groups of model `{}` are not counted by what they hold", model.name.value);
    let (at, label) = match &group.of {
        Some(of) => (of.at, "is not a source's column as it is"),
        None => (group.approval.at, "counts rows, and the model joins or repeats rows"),
    };
    Diagnostic::new(&policy::MIN_GROUP, message)
        .at(at, label)
        .help("name the source's column to be counted once: `of: customer_id`")
}

/// Approvals of the model that no longer hold.
fn expired(model: &Model, today: Date) -> Vec<Diagnostic> {
    let columns = model.columns.iter().filter_map(|column| {
        let what = format!("`{}.{}` was declassified", model.name.value, column.name.value);
        Some((what, column.declassify.as_ref()?))
    });
    let group = model.min_group.as_ref().map(|group| {
        (format!("groups of `{}` were declared safe", model.name.value), &group.approval)
    });
    let expired = columns.chain(group).filter(|(_, approval)| approval.has_expired(today));
    let finding = |(what, approval): (String, &Approval)| {
        let until = approval.until.as_ref()?;
        let message = format!("{what} until {}", until.value);
        Some(
            Diagnostic::new(&policy::KEEP_EXPIRED, message)
                .at(until.at, "this day has passed")
                .help("agree on a new date with its owner, or take it away"),
        )
    };
    expired.filter_map(finding).collect()
}

/// The one query of a model's file.
fn query(model: &Model, state: &SessionState) -> Result<ParsedStatement, Vec<Diagnostic>> {
    let limit = state.config_options().sql_parser.recursion_limit.get();
    let parsed = DFParserBuilder::new(model.sql.text.as_str())
        .with_recursion_limit(limit)
        .build()
        .and_then(|mut parser| parser.parse_statements());
    let statements = parsed.map_err(|error| vec![fault::planning(&error, &model.sql)])?;
    let count = statements.len();
    let mut statements = statements.into_iter();
    let label = match (statements.next(), count) {
        (Some(statement), 1) if is_query(&statement) => return Ok(statement),
        (None, _) => "holds no SQL".to_owned(),
        (Some(_), 1) => "is not a query".to_owned(),
        (Some(_), count) => format!("holds {count} statements"),
    };
    let message = format!("model `{}` is not one query", model.name.value);
    let at = model.sql.locate(0, model.sql.text.len());
    let finding = Diagnostic::new(&sql::SQL_NOT_A_QUERY, message).at(at, label);
    Err(vec![finding.help("write one SELECT, or WITH … SELECT")])
}

fn is_query(statement: &ParsedStatement) -> bool {
    matches!(statement, ParsedStatement::Statement(inner) if matches!(**inner, Statement::Query(_)))
}

/// What is read without `source` or `ref`. Its schema, its changes and its classes would be known to
/// nobody, though the SQL alone could be planned.
fn strangers(
    model: &Model,
    state: &SessionState,
    statement: &ParsedStatement,
) -> Result<Vec<Diagnostic>, DataFusionError> {
    let known: Vec<TableReference> =
        model.depends_on.iter().map(|relation| reference(&relation.value)).collect();
    let named = state.resolve_table_references(statement)?;
    let strange = named.iter().filter(|name| {
        let function =
            name.schema().is_none() && state.table_functions().contains_key(name.table());
        !function && !known.contains(name)
    });
    Ok(strange.map(|name| stranger(model, name)).collect())
}

fn stranger(model: &Model, name: &TableReference) -> Diagnostic {
    let text = &model.sql.text;
    let forms = [name.to_quoted_string(), name.to_string(), name.table().to_owned()];
    let found = forms.iter().find_map(|form| Some((text.find(form.as_str())?, form.len())));
    let (start, len) = found.unwrap_or((0, text.len()));
    let at = model.sql.locate(start, start.saturating_add(len));
    let help = match name.schema() {
        Some(MODELS_SCHEMA) => format!("write {{{{ ref('{}') }}}}", name.table()),
        Some(source) => format!("write {{{{ source('{source}', '{}') }}}}", name.table()),
        None => "read tables with {{ source('name', 'table') }}, and models with {{ ref('name') }}"
            .to_owned(),
    };
    let message = format!("model `{}` reads `{name}` without source() or ref()", model.name.value);
    Diagnostic::new(&sql::SQL_PLAN, message).at(at, "not known by this name").help(help)
}

/// A column that YAML describes must come out of the SQL, or its class would protect nothing.
fn described_columns(model: &Model, plan: &LogicalPlan) -> Vec<Diagnostic> {
    let given: Vec<String> =
        plan.schema().fields().iter().map(|field| field.name().clone()).collect();
    let missing = model.columns.iter().filter(|column| !given.contains(&column.name.value));
    missing
        .map(|column| {
            Diagnostic::new(
                &sql::MODEL_COLUMN,
                format!("model `{}` gives no column `{}`", model.name.value, column.name.value),
            )
            .at(column.name.at, "is not in the SELECT list")
            .help(format!("the model gives: {}", given.join(", ")))
        })
        .collect()
}
