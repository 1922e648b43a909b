//! OpenLineage: a run's events, with the lineage of columns and which of it is masked.
//!
//! Event: OpenLineage 2-0-2. Facets: `columnLineage` 1-2-0, `schema` 1-2-0, `outputStatistics` 1-0-2,
//! `errorMessage` 1-0-1, `jobType` 2-0-4.

use serde_json::{Map, Value, json};

use super::super::{hex::ExecutionId, instant, record::Failure};
use crate::retention::Moment;

const SPEC: &str = "https://openlineage.io/spec";

/// Where in a run an event stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventType {
    /// It began.
    Start,
    /// It succeeded.
    Complete,
    /// It failed, and why.
    Fail(Option<Failure>),
}

/// What an event says, with names in OpenLineage's sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineageEvent {
    /// Where in the run.
    pub event_type: EventType,
    /// When.
    pub time: Moment,
    /// The execution. Its 32 digits become a UUID by their hyphens alone.
    pub run: ExecutionId,
    /// Who says so: a URI of the engine, with its version.
    pub producer: String,
    /// The job's namespace, such as the project.
    pub job_namespace: String,
    /// The job's name within it, such as the export.
    pub job_name: String,
    /// What is read.
    pub inputs: Vec<Dataset>,
    /// What is written.
    pub outputs: Vec<Dataset>,
}

/// The name of a dataset.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DatasetName {
    /// Such as `postgres://host:5432`; credentials have no place in it.
    pub namespace: String,
    /// Such as `database.schema.table`.
    pub name: String,
}

/// A dataset that is read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// Its name.
    pub name: DatasetName,
    /// Its columns with their types, in their order; nothing is said of it where there are none.
    pub columns: Vec<(String, String)>,
    /// Where its columns come from; of outputs only.
    pub lineage: Vec<ColumnLineage>,
    /// What all of its rows depend on: filters, joins, groups; of outputs only.
    pub depends_on: Vec<InputField>,
    /// Rows and bytes written; of outputs only.
    pub written: Option<(u64, u64)>,
}

/// Where a column comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnLineage {
    /// The column.
    pub column: String,
    /// What it is made of.
    pub inputs: Vec<InputField>,
}

/// A column that another is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputField {
    /// Of which dataset.
    pub dataset: DatasetName,
    /// Which.
    pub column: String,
    /// How.
    pub transformations: Vec<Transformation>,
}

/// How a column gets into another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transformation {
    /// With its values or not.
    pub kind: TransformationType,
    /// Such as `IDENTITY`, `TRANSFORMATION`, `AGGREGATION`, or `JOIN`, `FILTER`, `GROUP_BY`.
    pub subtype: String,
    /// Such as the mask's name; never its parameters or its key.
    pub description: String,
    /// Whether it hides the values.
    pub masking: Masking,
}

/// Whether a transformation hides values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Masking {
    /// It does.
    Masked,
    /// They pass through it.
    Clear,
}

/// How values depend on those they come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransformationType {
    /// By value.
    Direct,
    /// By what becomes of the row.
    Indirect,
}

/// An event as OpenLineage has it.
#[must_use]
pub fn run_event(event: &LineageEvent) -> Value {
    let facets = Facets { producer: &event.producer };
    let (event_type, failure) = match &event.event_type {
        EventType::Start => ("START", None),
        EventType::Complete => ("COMPLETE", None),
        EventType::Fail(failure) => ("FAIL", failure.as_ref()),
    };
    let mut run_facets = Map::new();
    if let Some(failure) = failure {
        let message = format!("{}: {}", failure.code, failure.message.text());
        let content = json!({"message": message, "programmingLanguage": "RUST"});
        run_facets
            .insert("errorMessage".into(), facets.of("1-0-1", "ErrorMessageRunFacet", content));
    }
    let job_type = json!({"processingType": "BATCH", "integration": "ENGINE", "jobType": "JOB"});
    let inputs: Vec<Value> = event.inputs.iter().map(|input| facets.input(input)).collect();
    let outputs: Vec<Value> = event.outputs.iter().map(|output| facets.output(output)).collect();
    json!({
        "eventType": event_type,
        "eventTime": instant::text(&event.time),
        "producer": event.producer,
        "schemaURL": format!("{SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"),
        "run": {"runId": uuid(event.run), "facets": run_facets},
        "job": {
            "namespace": event.job_namespace,
            "name": event.job_name,
            "facets": {"jobType": facets.of("2-0-4", "JobTypeJobFacet", job_type)},
        },
        "inputs": inputs,
        "outputs": outputs,
    })
}

fn uuid(id: ExecutionId) -> String {
    let mut text = id.to_string();
    for at in [20, 16, 12, 8] {
        text.insert(at, '-');
    }
    text
}

/// Facets name who made them, and by which schema.
struct Facets<'a> {
    producer: &'a str,
}

impl Facets<'_> {
    fn of(&self, version: &str, name: &str, content: Value) -> Value {
        let mut facet = json!({
            "_producer": self.producer,
            "_schemaURL": format!("{SPEC}/facets/{version}/{name}.json#/$defs/{name}"),
        });
        if let (Value::Object(facet), Value::Object(content)) = (&mut facet, content) {
            facet.extend(content);
        }
        facet
    }

    fn input(&self, dataset: &Dataset) -> Value {
        let DatasetName { namespace, name } = &dataset.name;
        json!({"namespace": namespace, "name": name, "facets": self.schema(dataset)})
    }

    fn output(&self, dataset: &Dataset) -> Value {
        let DatasetName { namespace, name } = &dataset.name;
        let mut facets = self.schema(dataset);
        if !dataset.lineage.is_empty() || !dataset.depends_on.is_empty() {
            let content = column_lineage(dataset);
            let lineage = self.of("1-2-0", "ColumnLineageDatasetFacet", content);
            facets.insert("columnLineage".into(), lineage);
        }
        let mut output = json!({"namespace": namespace, "name": name, "facets": facets});
        if let (Some((rows, bytes)), Value::Object(output)) = (dataset.written, &mut output) {
            let content = json!({"rowCount": rows, "size": bytes});
            let written = self.of("1-0-2", "OutputStatisticsOutputDatasetFacet", content);
            output.insert("outputFacets".into(), json!({"outputStatistics": written}));
        }
        output
    }

    fn schema(&self, dataset: &Dataset) -> Map<String, Value> {
        let columns = dataset.columns.iter();
        let fields: Vec<Value> =
            columns.map(|(name, data_type)| json!({"name": name, "type": data_type})).collect();
        let mut facets = Map::new();
        if !fields.is_empty() {
            let schema = self.of("1-2-0", "SchemaDatasetFacet", json!({"fields": fields}));
            facets.insert("schema".into(), schema);
        }
        facets
    }
}

fn column_lineage(dataset: &Dataset) -> Value {
    let mut fields = Map::new();
    for lineage in &dataset.lineage {
        let inputs: Vec<Value> = lineage.inputs.iter().map(input_field).collect();
        fields.insert(lineage.column.clone(), json!({"inputFields": inputs}));
    }
    let depends_on: Vec<Value> = dataset.depends_on.iter().map(input_field).collect();
    json!({"fields": fields, "dataset": depends_on})
}

fn input_field(field: &InputField) -> Value {
    let DatasetName { namespace, name } = &field.dataset;
    let transformations: Vec<Value> = field.transformations.iter().map(transformation).collect();
    json!({
        "namespace": namespace,
        "name": name,
        "field": field.column,
        "transformations": transformations,
    })
}

fn transformation(transformation: &Transformation) -> Value {
    let kind = match transformation.kind {
        TransformationType::Direct => "DIRECT",
        TransformationType::Indirect => "INDIRECT",
    };
    json!({
        "type": kind,
        "subtype": transformation.subtype,
        "description": transformation.description,
        "masking": transformation.masking == Masking::Masked,
    })
}
