//! What is recorded of an execution, in hub-and-satellite form.
//!
//! ```text
//!  script_execution_h  Execution   once: the business key, tenant, script        never changes
//!           │
//!           ├── script_execution_s  Status   started ─▶ running* ─▶ success | failed
//!           └── Event                        a decryption, an unmasking, an approval
//! ```
//!
//! Records hold no cell value but one, the tenant whom a command was bound to, as it was named: names of
//! the project, digests, counts, codes. They are stored sealed. They hold no floating point number either,
//! so that equal records have equal bytes: durations are microseconds.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use super::{
    hex::ExecutionId,
    instant, plain,
    script::{Class, ScriptType},
};
use crate::retention::Moment;

const MESSAGE_CHARACTERS_MAX: usize = 500;

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Record {
    /// An execution came into being.
    Execution(Execution),
    /// Something is known of it.
    Status(Box<Status>),
    /// Something happened in it that security has to know of.
    Event(Event),
}

impl Record {
    /// The execution it is about.
    #[must_use]
    pub const fn execution(&self) -> ExecutionId {
        match self {
            Self::Execution(execution) => execution.id,
            Self::Status(status) => status.execution,
            Self::Event(event) => event.execution,
        }
    }

    /// Which records it belongs to. An event belongs to those of security, whatever its execution
    /// does: it is kept as long as they are.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Execution(execution) => execution.class,
            Self::Status(status) => status.class,
            Self::Event(_) => Class::Security,
        }
    }
}

/// The hub: what an execution is, whatever becomes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Execution {
    /// The business key.
    pub id: ExecutionId,
    /// The tenant whom it was bound to, as whoever asked named it; absent where it was bound to none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// What was executed, such as the project's target or the export's name.
    pub script_name: String,
    /// The kind of command.
    pub script_type: ScriptType,
    /// Which records it belongs to; [`ScriptType::class`] for most.
    pub class: Class,
}

/// How far an execution is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is on record; nothing has been read.
    Started,
    /// It is at work.
    Running,
    /// It ended, and did what it was to do.
    Success,
    /// It ended otherwise.
    Failed,
}

impl State {
    /// Every state, in the order in which they come.
    pub const ALL: [Self; 4] = [Self::Started, Self::Running, Self::Success, Self::Failed];

    /// The word for it in records.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Running => "running",
            Self::Success => "success",
            Self::Failed => "failed",
        }
    }

    /// Nothing comes after it.
    #[must_use]
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Success | Self::Failed)
    }
}

/// The satellite: what is known of an execution at a time.
///
/// What is absent is not said again: it is as it was in the status before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// Of which execution.
    pub execution: ExecutionId,
    /// The class of that execution, with whose records this one is kept.
    pub class: Class,
    /// Its number within the execution, from 0.
    pub sequence: u32,
    /// How far it is.
    pub status: State,
    /// When, by the clock of the machine.
    #[serde(with = "instant")]
    pub time: Moment,
    /// Since the start, by a clock that does not jump.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_us: Option<u64>,
    /// Who asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// On which machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The Git commit of the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The digest of the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// The digest of the compiled SQL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<String>,
    /// What it reads and writes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<Object>,
    /// How much so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<Volume>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// What its nodes took, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<Node>,
    /// What it published, and what was found wrong with that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy: Option<Privacy>,
    /// The execution that found this one crashed, and wrote its end for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_by: Option<ExecutionId>,
    /// What else is worth knowing: words of the project, never of its data.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

impl Status {
    /// A status that says how far the execution is and nothing else.
    #[must_use]
    pub fn new(execution: &Execution, sequence: u32, status: State, time: Moment) -> Self {
        Self {
            execution: execution.id,
            class: execution.class,
            sequence,
            status,
            time,
            duration_us: None,
            user: None,
            host: None,
            commit: None,
            plan: None,
            sql: None,
            objects: Vec::new(),
            volume: None,
            error: None,
            nodes: Vec::new(),
            privacy: None,
            closed_by: None,
            metadata: BTreeMap::new(),
        }
    }
}

/// A thing of the project that an execution touches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Object {
    /// What it is.
    pub kind: ObjectKind,
    /// Its name in the project.
    pub name: String,
}

/// What kind of thing an [`Object`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// A connection, or a table of one.
    Source,
    /// A model.
    Model,
    /// An export.
    Export,
    /// A history of rows.
    History,
    /// Metadata of a source.
    Metadata,
    /// A key, by name.
    Key,
    /// A column of an export.
    Column,
}

impl ObjectKind {
    /// The word for it in records.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Model => "model",
            Self::Export => "export",
            Self::History => "history",
            Self::Metadata => "metadata",
            Self::Key => "key",
            Self::Column => "column",
        }
    }
}

/// What an execution published, column by column, and what was found wrong with it. Counts alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Privacy {
    /// Columns of its exports that are masked.
    pub masked: u64,
    /// Those that an owner answers for: kept as they are, or declassified.
    pub kept: u64,
    /// Those without a class that are neither.
    pub unclassified: u64,
    /// Those of a class that is not sensitive.
    pub open: u64,
    /// Findings that stopped it: privacy gates that refused.
    pub critical: u64,
    /// Findings that did not: warnings.
    pub other: u64,
}

impl Privacy {
    /// All columns of the exports.
    #[must_use]
    pub const fn columns(&self) -> u64 {
        let known = self.masked.saturating_add(self.kept);
        known.saturating_add(self.unclassified).saturating_add(self.open)
    }
}

/// How much an execution moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    /// Rows that sources or chunks handed to the plans of the execution: counted where they are scanned, after
    /// what a scan itself leaves out, and twice where a plan scans twice.
    pub rows_read: u64,
    /// Rows written by exports of which at least one column is masked.
    pub rows_masked: u64,
    /// Rows that went into the store or a database.
    pub rows_written: u64,
    /// Bytes that the store has more of.
    pub bytes_written: u64,
    /// Bytes that the store has fewer of: what retention took.
    pub bytes_freed: u64,
}

/// Why an execution failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The stable code of the cause.
    pub code: String,
    /// In words.
    pub message: Message,
}

/// Words about a failure: codes and configuration, never data.
///
/// Whoever makes one answers for that: a message of a library may hold a value, and does not belong
/// here. It is one line of at most 500 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Message(String);

impl Message {
    /// A message out of text that holds no data.
    #[must_use]
    pub fn redacted(text: &str) -> Self {
        Self(plain::cut(text, MESSAGE_CHARACTERS_MAX))
    }

    /// The message.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Message {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self::redacted(&String::deserialize(from)?))
    }
}

/// What one node of a plan took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Its name in the project.
    pub name: String,
    /// How long.
    pub duration_us: u64,
    /// Rows that came out of it.
    pub rows: u64,
}

/// Something that security has to know of. It stands by itself, since it outlives the records of its
/// execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// In which execution.
    pub execution: ExecutionId,
    /// Whose data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// What happened.
    pub kind: EventKind,
    /// When.
    #[serde(with = "instant")]
    pub time: Moment,
    /// Who.
    pub user: String,
    /// On which machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// To what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<Object>,
    /// Why, or by whose leave: a ticket, an approval's digest. Never data.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// Something sealed was opened for somebody to read.
    Decryption,
    /// Masked values were turned back.
    Unmasking,
    /// Somebody agreed to a change.
    Approval,
    /// A privacy gate or a missing right held somebody up.
    Refusal,
    /// A key was made, used outside of a run, or handed out.
    KeyUse,
}

impl EventKind {
    /// What security has to know of as soon as a command of this kind begins; none where that is nothing.
    #[must_use]
    pub fn of(script: &ScriptType) -> Option<Self> {
        let is = |one: &ScriptType| script == one;
        if [ScriptType::METADATA_DECRYPT, ScriptType::METADATA_HISTORY, ScriptType::METADATA_SHOW]
            .iter()
            .any(is)
        {
            Some(Self::Decryption)
        } else if [ScriptType::KEYS_INIT, ScriptType::KEYS_EXPORT, ScriptType::KEYS_ROTATE]
            .iter()
            .any(is)
        {
            Some(Self::KeyUse)
        } else {
            is(&ScriptType::UNMASK).then_some(Self::Unmasking)
        }
    }
}

impl EventKind {
    /// Every kind. A summary names one by its place: new ones come last.
    pub const ALL: [Self; 5] =
        [Self::Decryption, Self::Unmasking, Self::Approval, Self::Refusal, Self::KeyUse];

    /// The word for it in records.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Decryption => "decryption",
            Self::Unmasking => "unmasking",
            Self::Approval => "approval",
            Self::Refusal => "refusal",
            Self::KeyUse => "key_use",
        }
    }
}
