//! Records folded into executions as they stand now, for one tenant or for all.
//!
//! A status says what is new: what it leaves out stays as it was. They apply in the order of their
//! sequence numbers, whatever order they come in. Where an execution was closed as crashed and goes
//! on to report itself, it knows better: what others wrote for it is then passed over.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashMap},
};

use serde::Serialize;

use super::{
    hex::ExecutionId,
    instant,
    record::{Event, Execution, Failure, Node, Object, Privacy, Record, State, Status, Volume},
    script::{Class, ScriptType},
};
use crate::retention::Moment;

/// Whose records are looked at. There is no way to executions around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everybody's: for whoever runs the store.
    All,
    /// Those of one tenant; what belongs to none is not among them.
    Tenant(String),
}

impl Scope {
    /// Whether things of `tenant` are inside.
    #[must_use]
    pub fn holds(&self, tenant: Option<&str>) -> bool {
        match self {
            Self::All => true,
            Self::Tenant(own) => tenant == Some(own),
        }
    }
}

/// An execution as it stands: hub and satellites in one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Operation {
    /// The business key.
    pub id: ExecutionId,
    /// Whose data.
    pub tenant: Option<String>,
    /// What was executed.
    pub script_name: String,
    /// The kind of command.
    pub script_type: ScriptType,
    /// Which records it belongs to.
    pub class: Class,
    /// How far it is.
    pub status: State,
    /// The number of its last status.
    pub sequence: u32,
    /// The time of its first status.
    #[serde(with = "instant")]
    pub started: Moment,
    /// The time of its last status.
    #[serde(with = "instant")]
    pub updated: Moment,
    /// Since the start; null where none was recorded.
    pub duration_us: Option<u64>,
    /// Who asked for it.
    pub user: Option<String>,
    /// On which machine.
    pub host: Option<String>,
    /// The Git commit of the project.
    pub commit: Option<String>,
    /// The digest of the plan.
    pub plan: Option<String>,
    /// The digest of the compiled SQL.
    pub sql: Option<String>,
    /// What it reads and writes.
    pub objects: Vec<Object>,
    /// How much; all zero where nothing was recorded.
    pub volume: Volume,
    /// Why it failed.
    pub error: Option<Failure>,
    /// What its nodes took.
    pub nodes: Vec<Node>,
    /// What it published; null where it publishes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privacy: Option<Privacy>,
    /// The execution that closed it as crashed.
    pub closed_by: Option<ExecutionId>,
    /// What else is known.
    pub metadata: BTreeMap<String, String>,
}

/// What records amount to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folded {
    /// Executions within the scope, by start and id, the oldest first.
    pub operations: Vec<Operation>,
    /// Events within the scope, by time, the oldest first.
    pub events: Vec<Event>,
    /// Executions with statuses and no hub, or a hub and no status: interrupted while being recorded,
    /// or damaged. None are counted for one tenant: whose they are cannot be told.
    pub incomplete: u64,
}

/// Folds `records`, in any order and with any of them twice.
#[must_use]
pub fn fold<'a>(records: impl IntoIterator<Item = &'a Record>, scope: &Scope) -> Folded {
    // In the order in which they come up, which is mostly that of their starts: little is left to sort.
    let mut found: Vec<Found<'a>> = Vec::new();
    let mut places: HashMap<ExecutionId, usize> = HashMap::new();
    let mut events: Vec<&Event> = Vec::new();
    for record in records {
        if let Record::Event(event) = record {
            events.extend(scope.holds(event.tenant.as_deref()).then_some(event));
            continue;
        }
        let place = *places.entry(record.execution()).or_insert(found.len());
        if place == found.len() {
            found.push(Found::default());
        }
        match (record, found.get_mut(place)) {
            (Record::Execution(hub), Some(found)) => {
                found.hub.get_or_insert(hub);
            }
            (Record::Status(status), Some(found)) => found.statuses.push(status),
            _ => {}
        }
    }
    events.sort_by(|one, other| event_order(one, other));
    events.dedup();
    let mut folded = Folded { events: events.into_iter().cloned().collect(), ..Folded::default() };
    folded.operations.reserve(found.len());
    for found in found {
        match found.hub {
            Some(hub) if !found.statuses.is_empty() && scope.holds(hub.tenant.as_deref()) => {
                folded.operations.extend(operation(hub, found.statuses));
            }
            _ if *scope == Scope::All => folded.incomplete = folded.incomplete.saturating_add(1),
            // Another's, or nobody's.
            _ => {}
        }
    }
    folded.operations.sort_by_key(|operation| (operation.started, operation.id));
    folded
}

/// By time; what else differs decides where that does not, so that the order does not depend on that of lines.
pub(super) fn event_order(one: &Event, other: &Event) -> Ordering {
    let key = |event: &Event| (event.time, event.execution, event.kind);
    let more = |event: &Event| {
        let Event { tenant, user, host, objects, metadata, .. } = event.clone();
        (tenant, user, host, objects, metadata)
    };
    key(one).cmp(&key(other)).then_with(|| more(one).cmp(&more(other)))
}

#[derive(Default)]
struct Found<'a> {
    hub: Option<&'a Execution>,
    statuses: Vec<&'a Status>,
}

fn operation(hub: &Execution, mut statuses: Vec<&Status>) -> Option<Operation> {
    let has_own_end =
        statuses.iter().any(|status| status.status.is_end() && status.closed_by.is_none());
    if has_own_end {
        statuses.retain(|status| status.closed_by.is_none());
    }
    // An end stays an end, whatever arrives with a greater number.
    statuses.sort_by_key(|status| (status.status.is_end(), status.sequence, status.time));
    let first = statuses.first()?;
    let mut operation = Operation {
        id: hub.id,
        tenant: hub.tenant.clone(),
        script_name: hub.script_name.clone(),
        script_type: hub.script_type.clone(),
        class: hub.class,
        status: first.status,
        sequence: first.sequence,
        started: first.time,
        updated: first.time,
        duration_us: None,
        user: None,
        host: None,
        commit: None,
        plan: None,
        sql: None,
        objects: Vec::new(),
        volume: Volume::default(),
        error: None,
        nodes: Vec::new(),
        privacy: None,
        closed_by: None,
        metadata: BTreeMap::new(),
    };
    for status in statuses {
        apply(&mut operation, status);
    }
    Some(operation)
}

fn apply(operation: &mut Operation, status: &Status) {
    fn take<T: Clone>(known: &mut Option<T>, said: Option<&T>) {
        if let Some(said) = said {
            *known = Some(said.clone());
        }
    }
    operation.status = status.status;
    operation.sequence = operation.sequence.max(status.sequence);
    operation.updated = status.time;
    take(&mut operation.duration_us, status.duration_us.as_ref());
    take(&mut operation.user, status.user.as_ref());
    take(&mut operation.host, status.host.as_ref());
    take(&mut operation.commit, status.commit.as_ref());
    take(&mut operation.plan, status.plan.as_ref());
    take(&mut operation.sql, status.sql.as_ref());
    take(&mut operation.error, status.error.as_ref());
    take(&mut operation.closed_by, status.closed_by.as_ref());
    operation.privacy = status.privacy.or(operation.privacy);
    operation.volume = status.volume.unwrap_or(operation.volume);
    for node in &status.nodes {
        match operation.nodes.iter_mut().find(|known| known.name == node.name) {
            Some(known) => known.clone_from(node),
            None => operation.nodes.push(node.clone()),
        }
    }
    if !status.objects.is_empty() {
        operation.objects.clone_from(&status.objects);
    }
    let metadata = status.metadata.iter().map(|(key, value)| (key.clone(), value.clone()));
    operation.metadata.extend(metadata);
}
