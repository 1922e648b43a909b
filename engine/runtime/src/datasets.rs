//! Tables and exports as OpenLineage names them, and which columns flow into which, masked or not.
//!
//! ```text
//!  engine://PROJECT/TARGET             EXPORT            an export
//!  engine://PROJECT/TARGET/CONNECTION  SOURCE.TABLE      a source's table
//!  engine://PROJECT/TARGET/CONNECTION  TABLE             a table that is loaded
//! ```
//!
//! Names are those of the project: where a connection leads may be a secret. Types stand beside names; SQL does not,
//! since it has literals.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::LogicalPlan;
use engine_project::{Project, Relation};
use engine_tracking::runs::export::{
    ColumnLineage, Dataset, DatasetName, InputField, Masking, Transformation, TransformationType,
};
use engine_tracking::runs::{Object, ObjectKind};

use crate::bind::{BoundColumn, BoundExport, BoundProject};
use crate::flow::{Influence, Kind, Kinds, Origin};
use crate::types::type_name;

/// What an operation reads and writes.
#[derive(Debug, Clone, Default)]
pub struct Datasets {
    /// What it reads.
    pub inputs: Vec<Dataset>,
    /// What it writes.
    pub outputs: Vec<Dataset>,
}

impl Datasets {
    /// Those of a run of these exports: every table they read, every export, and every table they are loaded into.
    #[must_use]
    pub fn of_run(bound: &BoundProject) -> Self {
        let project = &*bound.project;
        let mut tables: Vec<Relation> =
            bound.exports.iter().flat_map(|export| bound.looks_at(export)).collect();
        tables.sort();
        tables.dedup();
        let inputs = tables.iter().filter_map(|table| input(bound, table)).collect();
        let mut outputs = Vec::new();
        for export in &bound.exports {
            let made = Dataset {
                lineage: export.columns.iter().map(|one| lineage(bound, export, one)).collect(),
                depends_on: rows(bound, export),
                ..described(export_name(project, &export.name), export)
            };
            let loaded = export.loads.iter().map(|load| Dataset {
                name: loaded_name(project, &load.connection.value, &load.table.value),
                ..made.clone()
            });
            let loaded: Vec<Dataset> = loaded.collect();
            outputs.push(made);
            outputs.extend(loaded);
        }
        Self { inputs, outputs }
    }

    /// Those of a load of a snapshot of `export` into tables of a connection, as it is.
    #[must_use]
    pub fn of_load<'t>(
        project: &Project,
        export: &BoundExport,
        connection: &str,
        tables: impl Iterator<Item = &'t str>,
    ) -> Self {
        let from = described(export_name(project, &export.name), export);
        let copied = |(column, _): &(String, String)| ColumnLineage {
            column: column.clone(),
            inputs: vec![InputField {
                dataset: from.name.clone(),
                column: column.clone(),
                transformations: vec![transformation(Kind::Copied, None)],
            }],
        };
        let into = |table: &str| Dataset {
            name: loaded_name(project, connection, table),
            lineage: from.columns.iter().map(copied).collect(),
            ..from.clone()
        };
        Self { outputs: tables.map(into).collect(), inputs: vec![from] }
    }

    /// Those of an operation that reads exports, or catalogs of sources.
    #[must_use]
    pub fn of_objects(project: &Project, objects: &[Object]) -> Self {
        let named = |object: &Object| match object.kind {
            ObjectKind::Export => vec![export_name(project, &object.name)],
            ObjectKind::Source => project.source(&object.name).map_or_else(Vec::new, |source| {
                let table = |table: &str| table_name(project, &object.name, table);
                source.tables.iter().filter_map(|one| table(&one.name.value)).collect()
            }),
            _ => Vec::new(),
        };
        let inputs = objects.iter().flat_map(named).map(bare).collect();
        Self { inputs, outputs: Vec::new() }
    }

    /// Says how much was written of an export.
    pub fn wrote(&mut self, project: &Project, export: &str, rows: u64, bytes: u64) {
        let name = export_name(project, export);
        for output in self.outputs.iter_mut().filter(|output| output.name == name) {
            output.written = Some((rows, bytes));
        }
    }
}

fn bare(name: DatasetName) -> Dataset {
    let (columns, lineage, depends_on) = (Vec::new(), Vec::new(), Vec::new());
    Dataset { name, columns, lineage, depends_on, written: None }
}

/// A dataset with the columns of an export.
fn described(name: DatasetName, export: &BoundExport) -> Dataset {
    let column = |column: &BoundColumn| (column.name.clone(), type_name(column.output.data_type()));
    Dataset { columns: export.columns.iter().map(column).collect(), ..bare(name) }
}

fn input(bound: &BoundProject, relation: &Relation) -> Option<Dataset> {
    let name = relation_name(&bound.project, relation)?;
    let columns = bound.reaches.get(relation).into_iter().flat_map(|reach| &reach.columns);
    let columns = columns.map(|column| {
        (column.name.clone(), column.data_type.as_ref().map(type_name).unwrap_or_default())
    });
    Some(Dataset { columns: columns.collect(), ..bare(name) })
}

fn namespace(project: &Project) -> String {
    format!("engine://{}/{}", project.name.value, project.target.name.value)
}

fn export_name(project: &Project, export: &str) -> DatasetName {
    DatasetName { namespace: namespace(project), name: export.to_owned() }
}

fn loaded_name(project: &Project, connection: &str, table: &str) -> DatasetName {
    DatasetName {
        namespace: format!("{}/{connection}", namespace(project)),
        name: table.to_owned(),
    }
}

fn table_name(project: &Project, source: &str, table: &str) -> Option<DatasetName> {
    let connection = &project.source(source)?.connection.value;
    Some(loaded_name(project, connection, &format!("{source}.{table}")))
}

/// None of a model, which is no dataset: what flows through it is followed to the tables.
fn relation_name(project: &Project, relation: &Relation) -> Option<DatasetName> {
    match relation {
        Relation::Table { source, table } => table_name(project, source, table),
        Relation::Model { .. } => None,
    }
}

fn lineage(bound: &BoundProject, export: &BoundExport, column: &BoundColumn) -> ColumnLineage {
    let mut inputs = fields(bound, &column.reach.sources, mask(column));
    // What else of the row a mask looks at is in its result, masked.
    for other in column.treatment.inputs() {
        let reach = bound.reaches.get(&export.from).and_then(|from| from.column(other));
        let sources = reach.map(|reach| reach.sources.clone().then(Kind::Computed));
        inputs.extend(fields(bound, &sources.unwrap_or_default(), mask(column)));
    }
    ColumnLineage { column: column.name.clone(), inputs: merged(inputs) }
}

/// The name of the mask of a column.
fn mask(column: &BoundColumn) -> Option<&'static str> {
    column.treatment.masks().next().map(|mask| mask.function)
}

/// What decides about the rows of an export: of the relation it is made from, and of its own filter.
fn rows(bound: &BoundProject, export: &BoundExport) -> Vec<InputField> {
    let Some(from) = bound.reaches.get(&export.from) else { return Vec::new() };
    let mut influence = from.sources.clone();
    for name in filtered_by(&export.plan) {
        if let Some(column) = from.column(&name) {
            influence.add(&column.sources.clone().then(Kind::Filter));
        }
    }
    merged(fields(bound, &influence, None))
}

/// The columns that filters of a plan name.
fn filtered_by(plan: &LogicalPlan) -> Vec<String> {
    let mut names = Vec::new();
    // The closure does not fail.
    let _ = plan.apply(|node| {
        if let LogicalPlan::Filter(filter) = node {
            let columns = filter.predicate.column_refs();
            names.extend(columns.into_iter().map(|column| column.name.clone()));
        }
        Ok(TreeNodeRecursion::Continue)
    });
    names.sort();
    names
}

/// An influence as fields of datasets; the number of rows of a table is no field.
fn fields(
    bound: &BoundProject,
    influence: &Influence,
    mask: Option<&'static str>,
) -> Vec<InputField> {
    let field = |(origin, kinds): (&Origin, Kinds)| {
        Some(InputField {
            dataset: relation_name(&bound.project, &origin.relation)?,
            column: origin.column.clone()?,
            transformations: kinds.iter().map(|kind| transformation(kind, mask)).collect(),
        })
    };
    influence.iter().filter_map(field).collect()
}

/// Each field once, with all that becomes of it.
fn merged(fields: Vec<InputField>) -> Vec<InputField> {
    let mut found: Vec<InputField> = Vec::with_capacity(fields.len());
    for field in fields {
        let same = |other: &&mut InputField| {
            other.dataset == field.dataset && other.column == field.column
        };
        let Some(other) = found.iter_mut().find(same) else {
            found.push(field);
            continue;
        };
        for one in field.transformations {
            if !other.transformations.contains(&one) {
                other.transformations.push(one);
            }
        }
    }
    found
}

/// A kind of flow in OpenLineage's words; what carries values is hidden by the mask, where there is one.
fn transformation(kind: Kind, mask: Option<&'static str>) -> Transformation {
    let mask = mask.filter(|_| kind.is_direct());
    let subtype = match kind {
        Kind::Copied if mask.is_none() => "IDENTITY",
        Kind::Copied | Kind::Cast | Kind::Matched | Kind::Computed | Kind::Windowed => {
            "TRANSFORMATION"
        }
        Kind::Aggregated | Kind::Picked => "AGGREGATION",
        Kind::Filter => "FILTER",
        Kind::Join => "JOIN",
        Kind::Group | Kind::Distinct | Kind::Partition => "GROUP_BY",
        Kind::Sort | Kind::Limit => "SORT",
        Kind::Counted | Kind::Unnested | Kind::Condition => "CONDITIONAL",
    };
    let (kind_of, masking) = match (kind.is_direct(), mask) {
        (true, Some(_)) => (TransformationType::Direct, Masking::Masked),
        (true, None) => (TransformationType::Direct, Masking::Clear),
        (false, _) => (TransformationType::Indirect, Masking::Clear),
    };
    let description = match mask {
        Some(mask) => format!("{}, masked by {mask}", kind.word()),
        None => kind.word().to_owned(),
    };
    Transformation { kind: kind_of, subtype: subtype.to_owned(), description, masking }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_carries_values_is_masked() {
        for kind in Kind::ALL {
            let (clear, masked) = (transformation(kind, None), transformation(kind, Some("email")));
            assert_eq!(clear.masking, Masking::Clear, "{kind:?}");
            assert_eq!(masked.masking == Masking::Masked, kind.is_direct(), "{kind:?}");
            assert_eq!(clear.kind == TransformationType::Direct, kind.is_direct(), "{kind:?}");
            // A value that was masked is no identical one.
            assert_ne!(masked.subtype, "IDENTITY", "{kind:?}");
        }
    }

    #[test]
    fn a_field_stands_once_with_all_that_becomes_of_it() {
        let field = |column: &str, kind| InputField {
            dataset: DatasetName { namespace: "n".to_owned(), name: "t".to_owned() },
            column: column.to_owned(),
            transformations: vec![transformation(kind, None)],
        };
        let fields =
            [("a", Kind::Copied), ("b", Kind::Filter), ("a", Kind::Join), ("a", Kind::Copied)];
        let merged = merged(fields.map(|(column, kind)| field(column, kind)).to_vec());
        let found: Vec<(&str, usize)> =
            merged.iter().map(|one| (one.column.as_str(), one.transformations.len())).collect();
        assert_eq!(found, [("a", 2), ("b", 1)]);
    }
}
