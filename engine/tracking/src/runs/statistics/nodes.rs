//! Which nodes take the longest.

use std::collections::HashMap;

use serde::Serialize;

use super::{
    super::overview::{Glance, Overview},
    LIST_MAX,
    robust::{median, percentile},
};

/// What a node takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodeStatistics {
    /// Its name in the project.
    pub name: String,
    /// How often it ran.
    pub runs: u64,
    /// The median of its durations.
    pub median_us: u64,
    /// What nine of ten did not exceed.
    pub p90_us: u64,
    /// All of them together.
    pub total_us: u64,
    /// The rows of all of them together.
    pub rows: u64,
}

/// The nodes with the greatest median duration, that first.
pub(super) fn slowest(overview: &Overview<'_>, operations: &[&Glance<'_>]) -> Vec<NodeStatistics> {
    let mut found: HashMap<&str, (Vec<u64>, u64)> = HashMap::new();
    for node in operations.iter().flat_map(|operation| overview.nodes(operation)) {
        let (durations, rows) = found.entry(node.name).or_default();
        durations.push(node.duration_us);
        *rows = rows.saturating_add(node.rows);
    }
    let mut nodes: Vec<NodeStatistics> = found
        .into_iter()
        .map(|(name, (mut durations, rows))| NodeStatistics {
            name: name.to_owned(),
            runs: durations.len() as u64,
            total_us: durations.iter().copied().fold(0, u64::saturating_add),
            median_us: median(&mut durations).unwrap_or(0),
            p90_us: percentile(&mut durations, 90).unwrap_or(0),
            rows,
        })
        .collect();
    nodes.sort_by(|one, other| (other.median_us, &one.name).cmp(&(one.median_us, &other.name)));
    nodes.truncate(LIST_MAX);
    nodes
}
