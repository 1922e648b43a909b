//! Ends for executions that have none: their process is gone.

use super::{
    fold::Operation,
    hex::ExecutionId,
    record::{Execution, Failure, Record, State, Status},
};
use crate::retention::Moment;

/// What the end of a crashed execution says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// The execution that found it.
    pub by: ExecutionId,
    /// When.
    pub now: Moment,
    /// The code for it, with words.
    pub error: Failure,
}

/// The records that close executions which have neither an end nor a process.
///
/// `is_alive` is asked of each execution without an end. It should say yes where it cannot know: of
/// another machine's, as long as that reports itself. Two that close the same execution do no harm,
/// and neither does closing one that is alive after all: its own end counts.
///
/// The duration is what it is known to have lasted: from its start to its last status.
#[must_use]
pub fn crashed(
    operations: &[Operation],
    is_alive: &dyn Fn(&Operation) -> bool,
    closing: &Closing,
) -> Vec<Record> {
    let has_no_end = |operation: &&Operation| !operation.status.is_end();
    let gone = operations.iter().filter(has_no_end).filter(|operation| !is_alive(operation));
    gone.filter(|operation| operation.id != closing.by).map(|gone| end(gone, closing)).collect()
}

fn end(operation: &Operation, closing: &Closing) -> Record {
    let hub = Execution {
        id: operation.id,
        tenant: operation.tenant.clone(),
        script_name: operation.script_name.clone(),
        script_type: operation.script_type.clone(),
        class: operation.class,
    };
    let sequence = operation.sequence.saturating_add(1);
    let lasted = operation.updated.signed_duration_since(operation.started).num_microseconds();
    let lasted = lasted.and_then(|lasted| u64::try_from(lasted).ok());
    Record::Status(Box::new(Status {
        duration_us: operation.duration_us.or(lasted),
        error: Some(closing.error.clone()),
        closed_by: Some(closing.by),
        ..Status::new(&hub, sequence, State::Failed, closing.now)
    }))
}
