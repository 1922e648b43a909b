//! Many executions at a glance: what statistics need of each, borrowed from wherever it lies.
//!
//! ```text
//!  Folded   ──┐
//!             ├──▶ Overview ──▶ statistics, report, history
//!  Opened   ──┘    (a hundred thousand without a copy of any text)
//! ```

use super::{
    filter::Filter,
    fold::{Folded, Operation, Scope, event_order},
    hex::ExecutionId,
    record::{Event, Node, Privacy, State, Volume},
    script::ScriptType,
    summary::{Opened, SummaryError},
};
use crate::retention::Moment;

/// What is seen of an execution without opening all that is known of it.
#[derive(Clone, Copy, Debug)]
pub struct Glance<'a> {
    /// The business key.
    pub id: ExecutionId,
    /// The kind of command.
    pub script_type: &'a ScriptType,
    /// What was executed.
    pub script_name: &'a str,
    /// How far it is.
    pub status: State,
    /// The time of its first status.
    pub started: Moment,
    /// The time of its last status.
    pub updated: Moment,
    /// Since the start.
    pub duration_us: Option<u64>,
    /// Who asked for it.
    pub user: Option<&'a str>,
    /// On which machine.
    pub host: Option<&'a str>,
    /// How much it moved.
    pub volume: Volume,
    /// Why it failed: code and message.
    pub error: Option<(&'a str, &'a str)>,
    /// What it published, and what was found wrong with that.
    pub privacy: Option<Privacy>,
    /// Whether another execution closed it.
    pub is_crashed: bool,
    /// Its nodes among all of them: the first and how many.
    pub(super) nodes: (usize, usize),
    /// Where the rest of it is.
    pub(super) place: Place,
}

/// Where an execution lies: in the part that was added as the `part`-th, the `number`-th there, at `at`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub part: usize,
    pub number: usize,
    pub at: usize,
}

/// What one node took.
#[derive(Clone, Copy, Debug)]
pub struct NodeGlance<'a> {
    /// Its name in the project.
    pub name: &'a str,
    /// How long.
    pub duration_us: u64,
    /// Rows that came out of it.
    pub rows: u64,
}

#[derive(Clone, Copy, Debug)]
enum Part<'a> {
    Operations(&'a [Operation]),
    Opened(&'a Opened),
}

/// Executions and events of one scope, out of several parts.
#[derive(Clone, Debug, Default)]
pub struct Overview<'a> {
    parts: Vec<Part<'a>>,
    operations: Vec<Glance<'a>>,
    nodes: Vec<NodeGlance<'a>>,
    events: Vec<Event>,
    incomplete: u64,
}

impl<'a> Overview<'a> {
    /// What was folded for `scope` or for a wider one, at a glance.
    #[must_use]
    pub fn of(folded: &'a Folded, scope: &Scope) -> Self {
        let mut overview = Self::within(&folded.operations, scope);
        let is_inside = |event: &&Event| scope.holds(event.tenant.as_deref());
        overview.events = folded.events.iter().filter(is_inside).cloned().collect();
        // Whose they are cannot be told.
        overview.incomplete = if *scope == Scope::All { folded.incomplete } else { 0 };
        overview
    }

    /// Executions alone.
    #[must_use]
    pub fn of_operations(operations: &'a [Operation]) -> Self {
        Self::within(operations, &Scope::All)
    }

    fn within(operations: &'a [Operation], scope: &Scope) -> Self {
        let mut overview = Self { parts: vec![Part::Operations(operations)], ..Self::default() };
        overview.operations.reserve(operations.len());
        let is_inside =
            |(_, operation): &(usize, &Operation)| scope.holds(operation.tenant.as_deref());
        for (number, operation) in operations.iter().enumerate().filter(is_inside) {
            let first = overview.nodes.len();
            overview.nodes.extend(operation.nodes.iter().map(node));
            let nodes = (first, operation.nodes.len());
            let place = Place { part: 0, number, at: 0 };
            overview.operations.push(glance(operation, nodes, place));
        }
        overview
    }

    /// Adds what a summary holds for `scope`: every execution, and the newest `events_max` events since a moment.
    ///
    /// # Errors
    /// The summary is malformed.
    pub fn add(
        &mut self,
        opened: &'a Opened,
        scope: &Scope,
        since: Moment,
        events_max: usize,
    ) -> Result<(), SummaryError> {
        let part = self.parts.len();
        self.parts.push(Part::Opened(opened));
        self.operations.reserve(opened.operation_count());
        opened.each(|row, number, at| {
            if scope.holds(row.tenant) {
                let first = self.nodes.len();
                self.nodes.extend_from_slice(row.nodes);
                let nodes = (first, row.nodes.len());
                let place = Place { part, number, at };
                self.operations.push(Glance { nodes, place, ..row.glance });
            }
        })?;
        self.events.extend(opened.newest_events(scope, since, events_max)?);
        self.events.sort_by(event_order);
        self.events.dedup();
        Ok(())
    }

    /// The executions, in no particular order.
    #[must_use]
    pub fn operations(&self) -> &[Glance<'a>] {
        &self.operations
    }

    /// The events, the oldest first.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// How many executions were recorded by half.
    #[must_use]
    pub const fn incomplete(&self) -> u64 {
        self.incomplete
    }

    pub(super) fn nodes(&self, glance: &Glance<'a>) -> &[NodeGlance<'a>] {
        let (first, count) = glance.nodes;
        self.nodes.get(first..first.saturating_add(count)).unwrap_or_default()
    }

    /// The executions that a filter lets through, the newest first, at most so many.
    ///
    /// # Errors
    /// A summary is malformed.
    pub fn newest(
        &self,
        filter: &Filter,
        count_max: usize,
    ) -> Result<Vec<Operation>, SummaryError> {
        let may = |glance: &&Glance<'a>| filter.may_match(glance);
        let mut found: Vec<&Glance<'a>> = self.operations.iter().filter(may).collect();
        found.sort_unstable_by_key(|one| std::cmp::Reverse((one.started, one.id)));
        let mut operations = Vec::new();
        for glance in found {
            if operations.len() == count_max {
                break;
            }
            let operation = self.operation(glance)?;
            operations.extend(operation.filter(|operation| filter.matches(operation)));
        }
        Ok(operations)
    }

    fn operation(&self, glance: &Glance<'a>) -> Result<Option<Operation>, SummaryError> {
        match self.parts.get(glance.place.part) {
            Some(Part::Operations(operations)) => Ok(operations.get(glance.place.number).cloned()),
            Some(Part::Opened(opened)) => opened.operation(glance.place).map(Some),
            None => Ok(None),
        }
    }
}

fn node(node: &Node) -> NodeGlance<'_> {
    NodeGlance { name: &node.name, duration_us: node.duration_us, rows: node.rows }
}

fn glance(operation: &Operation, nodes: (usize, usize), place: Place) -> Glance<'_> {
    Glance {
        id: operation.id,
        script_type: &operation.script_type,
        script_name: &operation.script_name,
        status: operation.status,
        started: operation.started,
        updated: operation.updated,
        duration_us: operation.duration_us,
        user: operation.user.as_deref(),
        host: operation.host.as_deref(),
        volume: operation.volume,
        error: operation.error.as_ref().map(|error| (error.code.as_str(), error.message.text())),
        privacy: operation.privacy,
        is_crashed: operation.closed_by.is_some(),
        nodes,
        place,
    }
}
