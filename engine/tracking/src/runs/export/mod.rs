//! Records for other systems: a SIEM, Prometheus, OpenLineage.
//!
//! What is written holds what records hold, which is no cell value. The tenant whom an execution was bound to
//! stands in the audit alone, which somebody asks for who can open records: nothing that is sent by itself names it.

mod audit;
mod lineage;
mod notice;
mod prometheus;

pub use audit::{COLUMNS, csv, ndjson};
pub use lineage::{
    ColumnLineage, Dataset, DatasetName, EventType, InputField, LineageEvent, Masking,
    Transformation, TransformationType, run_event,
};
pub use notice::notice;
pub use prometheus::{Gauges, NAMES_MAX, prometheus};
