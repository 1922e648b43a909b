//! An operation on record: begun before the first byte is read, ended when all is done.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::Instant;

use engine_bundle::ids::RunId;
use engine_project::Project;
use engine_tracking::runs::{
    Event as SecurityEvent, EventKind, Execution, ExecutionId, Failure as Why, Message, Node,
    Object, ObjectKind, Privacy, Record, ScriptType, State, Status, Volume,
};

use crate::clock;
use crate::codes::{Code, run};
use crate::datasets::Datasets;
use crate::diagnostic::{Diagnostic, Failure, Outcome};
use crate::exit::Exit;
use crate::git;
use crate::keys::Keys;
use crate::outward::Outward;
use crate::records::{Records, host, user};
use crate::request::Context;
use crate::store::{Store, new_id};
use crate::tenant::recordable;

/// What a record says of events that others did not take, by this name.
const UNDELIVERED: &str = "undelivered_events";

/// What an operation works with.
pub struct Scene<'s> {
    context: &'s Context,
    project: &'s Project,
    records: Records<'s>,
    outward: Outward,
    tenant: Option<String>,
}

/// How an operation went, beyond that it came to its end.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// Why it failed all the same: the code of the first cause.
    pub failed: Option<&'static Code>,
    /// How much it moved.
    pub volume: Volume,
    /// What its nodes took.
    pub nodes: Vec<Node>,
    /// What it was about, where that was not known when it began.
    pub objects: Vec<Object>,
    /// The digest of the plan it was held to, or of the definitions of its exports.
    pub plan: Option<String>,
    /// The digest of the compiled SQL of its exports.
    pub sql: Option<String>,
    /// What it published.
    pub privacy: Option<Privacy>,
    /// Who approved what it relied on.
    pub approved_by: Vec<String>,
}

impl<'s> Scene<'s> {
    /// A scene in a store.
    ///
    /// # Errors
    /// The keyring has no key for records, or somebody who is to be told of operations cannot be.
    pub fn of(
        context: &'s Context,
        project: &'s Project,
        keys: &'s Keys,
        store: &'s Store,
    ) -> Outcome<Self> {
        let (records, outward) =
            (Records::of(context, store, keys)?, Outward::of(project, store, keys)?);
        Ok(Self { context, project, records, outward, tenant: None })
    }

    /// The same for what is done for one tenant, where one is given: its records are the tenant's.
    ///
    /// # Errors
    /// The tenant's name cannot stand in a record.
    pub fn bound(self, tenant: Option<&str>) -> Outcome<Self> {
        let tenant = tenant.map(recordable).transpose()?;
        Ok(Self { tenant, ..self })
    }

    /// The records themselves.
    #[must_use]
    pub fn records(&self) -> &Records<'s> {
        &self.records
    }

    /// Who is told of the operation.
    #[must_use]
    pub fn outward(&self) -> &Outward {
        &self.outward
    }

    /// Does `work` as an operation of this kind on these objects, and puts it on record: what cannot be recorded is
    /// not done.
    ///
    /// # Errors
    /// Those of the work, and of writing the records.
    pub async fn recorded<T>(
        &self,
        script: ScriptType,
        objects: Vec<Object>,
        work: impl Future<Output = Outcome<T>>,
        told: impl FnOnce(&T) -> Told,
    ) -> Outcome<T> {
        let begun = self.begin(new_id()?, script, objects).await?;
        let done = work.await;
        let told = done.as_ref().map(told);
        self.end(begun, told.as_ref().map_err(|failure| *failure)).await?;
        done
    }

    /// Puts the start of an operation on record.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub async fn begin(
        &self,
        id: RunId,
        script: ScriptType,
        objects: Vec<Object>,
    ) -> Outcome<Begun> {
        let id: ExecutionId = id
            .to_string()
            .parse()
            .map_err(|_| Diagnostic::new(&run::INTERNAL, "an operation's id cannot be recorded"))?;
        let class = script.class();
        let script_name = self.project.target.name.value.clone();
        // What is sent is not sealed, and a tenant may be a value of the data: others are not told of it.
        let told = Execution { id, tenant: None, script_name, script_type: script, class };
        let execution = Execution { tenant: self.tenant.clone(), ..told.clone() };
        let status = Status {
            user: Some(user(self.context)),
            host: host(self.context),
            commit: git::commit(&self.context.root),
            objects: objects.clone(),
            ..Status::new(&execution, 0, State::Started, clock::now())
        };
        let kind = EventKind::of(&execution.script_type);
        let event = kind.map(|kind| self.event(&execution, kind, objects, BTreeMap::new()));
        let first = Record::Status(Box::new(status.clone()));
        let mut records = vec![Record::Execution(execution.clone()), first];
        // Before it is done: what security has to know of does not wait for its end.
        records.extend(event);
        let datasets = Datasets::of_objects(self.project, &status.objects);
        self.outward.begins(&told, &status, datasets).await;
        self.append(records).await?;
        self.outward.send();
        Ok(Begun { execution, started: clock::instant() })
    }

    /// What security has to know of.
    fn event(
        &self,
        execution: &Execution,
        kind: EventKind,
        objects: Vec<Object>,
        metadata: BTreeMap<String, String>,
    ) -> Record {
        Record::Event(SecurityEvent {
            execution: execution.id,
            tenant: execution.tenant.clone(),
            kind,
            time: clock::now(),
            user: user(self.context),
            host: host(self.context),
            objects,
            metadata,
        })
    }

    /// What security has to know of at the end: whose approvals were relied on, and what refused.
    fn events(&self, execution: &Execution, told: Result<&Told, &Failure>) -> Vec<Record> {
        let event = |kind, key: &str, value: &str| {
            let metadata = [(key.to_owned(), value.to_owned())].into();
            self.event(execution, kind, Vec::new(), metadata)
        };
        match told {
            Ok(told) => {
                let owners = told.approved_by.iter();
                owners.map(|owner| event(EventKind::Approval, "owner", owner)).collect()
            }
            Err(failure) => {
                let codes = failure.diagnostics.iter().map(|finding| finding.code);
                let refused =
                    |code: &&Code| [Exit::GateRefused, Exit::KeyRefused].contains(&code.exit);
                let refused: BTreeSet<&str> = codes.filter(refused).map(|code| code.id).collect();
                refused.into_iter().map(|id| event(EventKind::Refusal, "code", id)).collect()
            }
        }
    }

    /// Puts its end on record.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub async fn end(&self, begun: Begun, told: Result<&Told, &Failure>) -> Outcome<()> {
        let Begun { execution, started } = begun;
        let code = match told {
            Ok(told) => told.failed,
            Err(failure) => {
                Some(failure.diagnostics.first().map_or(&run::INTERNAL, |first| first.code))
            }
        };
        let state = if code.is_some() { State::Failed } else { State::Success };
        let duration = u64::try_from(clock::instant().duration_since(started).as_micros());
        let events = self.events(&execution, told);
        let told = match told {
            Ok(told) => told.clone(),
            Err(failure) => Told { privacy: gates(failure), ..Told::default() },
        };
        let status = Status {
            duration_us: Some(duration.unwrap_or(u64::MAX)),
            volume: Some(told.volume),
            nodes: told.nodes,
            objects: told.objects,
            plan: told.plan,
            sql: told.sql,
            privacy: told.privacy,
            error: code.map(why),
            ..Status::new(&execution, 1, state, clock::now())
        };
        let end = Record::Status(Box::new(status.clone()));
        self.outward.ends(&status).await;
        self.append(std::iter::once(end).chain(events).collect()).await?;
        let undelivered = self.outward.ended(self.context, &self.records, &status).await;
        if undelivered > 0 {
            let metadata = [(UNDELIVERED.to_owned(), undelivered.to_string())].into();
            let status = Status { metadata, ..Status::new(&execution, 2, state, clock::now()) };
            // What is done is on record: that others were not told fails nothing, and neither does this.
            let _ = self.records.append(vec![Record::Status(Box::new(status))]).await;
        }
        Ok(())
    }

    /// Puts records down. Nobody is told of what cannot be.
    async fn append(&self, records: Vec<Record>) -> Outcome<()> {
        if let Err(failure) = self.records.append(records).await {
            self.outward.withdraw().await;
            return Err(failure);
        }
        Ok(())
    }

    /// Closes a run that was begun and never ended: its process is gone.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub async fn close(&self, crashed: &str, by: RunId) -> Outcome<()> {
        let (Ok(id), Ok(by)) = (crashed.parse(), by.to_string().parse()) else { return Ok(()) };
        let script_name = self.project.target.name.value.clone();
        let script_type = ScriptType::RUN;
        let class = script_type.class();
        let execution = Execution { id, tenant: None, script_name, script_type, class };
        let status = Status {
            error: Some(why(&run::INTERRUPTED)),
            closed_by: Some(by),
            ..Status::new(&execution, 1, State::Failed, clock::now())
        };
        self.outward.closes(&execution, &status).await;
        self.append(vec![Record::Status(Box::new(status))]).await?;
        self.outward.send();
        Ok(())
    }
}

/// An operation that was begun.
#[derive(Debug)]
pub struct Begun {
    execution: Execution,
    started: Instant,
}

/// The privacy gates that refused; none where none did.
fn gates(failure: &Failure) -> Option<Privacy> {
    let gates = failure.diagnostics.iter();
    let count = gates.filter(|finding| finding.code.exit == Exit::GateRefused).count() as u64;
    (count > 0).then(|| Privacy { critical: count, ..Privacy::default() })
}

/// The title of a code: its message may quote what somebody typed.
fn why(code: &Code) -> Why {
    Why { code: code.id.to_owned(), message: Message::redacted(code.title) }
}

/// Exports as what an operation is about.
pub fn exports<'n>(names: impl IntoIterator<Item = &'n str>) -> Vec<Object> {
    let object = |name: &str| Object { kind: ObjectKind::Export, name: name.to_owned() };
    names.into_iter().map(object).collect()
}
