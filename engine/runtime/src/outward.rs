//! Telling other systems of an operation: what it is about when it begins, how it went when it has ended.
//!
//! ```text
//!  begin ──▶ notice ─────────────┐                       webhooks
//!  bound ──▶ START with datasets ┼─▶ in the background    OpenLineage
//!  end   ──▶ notice, COMPLETE or FAIL, metrics ──▶ waited for, within bounds
//! ```
//!
//! Events are kept in the store before they go on record, and removed when they are taken: see `pending`. Metrics are
//! not, since the next ones say all of it. Nothing of this fails an operation: what was not delivered is a warning. What
//! is sent holds names of the project, counts and codes; no value, no SQL, and no tenant: whom a command was bound to
//! stays in sealed records.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::Days;
use engine_outbound::{
    Address, ApiKey, Content, Delivery, Event as Message, Limits, OpenLineage, Outbox, Pushgateway,
    Receiver, SigningSecret, Topic as Subject, Webhook,
};
use engine_project::{Destination, Project, Setting, Spanned, Topic};
use engine_tracking::runs::chain::Line;
use engine_tracking::runs::export::{
    EventType, Gauges, LineageEvent, notice, prometheus, run_event,
};
use engine_tracking::runs::statistics::{Window, statistics};
use engine_tracking::runs::{Class, Execution, Scope, ScriptType, State, Status, fold};
use tokio::task::JoinSet;

use crate::clock;
use crate::codes::outbound as codes;
use crate::datasets::Datasets;
use crate::diagnostic::{Diagnostic, Failure, Outcome};
use crate::event::{Event, Undelivered};
use crate::files;
use crate::keys::Keys;
use crate::pending::Pending;
use crate::records::Records;
use crate::request::Context;
use crate::store::Store;

/// Who says what is said: no registry has this name.
const PRODUCER: &str = concat!("https://engine.invalid/engine/", env!("CARGO_PKG_VERSION"));
/// Days that metrics are about, as in `engine report`.
const DAYS: u64 = 30;

/// Who is told of operations.
pub struct Outward {
    pending: Arc<Pending>,
    destinations: Destinations,
    project: Named,
    told: Mutex<Told>,
}

/// Those that a target names.
struct Destinations {
    outbox: Arc<Outbox>,
    /// Files of OpenLineage events, with how they may be shown.
    lineage_files: Vec<(PathBuf, String)>,
    /// Files of metrics, with how they may be shown.
    metrics_files: Vec<(PathBuf, String)>,
    wants_lineage: bool,
    wants_metrics: bool,
}

/// What events say of the project.
struct Named {
    project: String,
    target: String,
}

/// What was told so far of an operation.
#[derive(Default)]
struct Told {
    started: Option<(Execution, Status)>,
    datasets: Datasets,
    is_start_told: bool,
    /// Lineage that is to be written to the files.
    lines: Vec<String>,
    /// Sending that nobody waits for yet.
    under_way: JoinSet<()>,
    /// What can be told neither now nor later.
    lost: Vec<Undelivered>,
}

/// Looks whether everybody whom a target names can be told.
///
/// # Errors
/// Every one that cannot be used.
pub fn check(project: &Project) -> Outcome<()> {
    Destinations::of(project).map(drop)
}

impl Destinations {
    fn of(project: &Project) -> Outcome<Self> {
        let mut findings = Vec::new();
        let mut receivers = Vec::new();
        let (mut lineage_files, mut metrics_files) = (Vec::new(), Vec::new());
        let (mut wants_lineage, mut wants_metrics) = (false, false);
        let file = |kind: &str, file: &Spanned<Setting>| {
            let path = project.data.join(file.value.reveal());
            (path, format!("{kind} file {}", file.value.shown()))
        };
        for destination in &project.target.events {
            match destination {
                Destination::OpenLineageFile { file: at } => {
                    wants_lineage = true;
                    lineage_files.push(file("openlineage", at));
                    continue;
                }
                Destination::Prometheus { file: at } => {
                    wants_metrics = true;
                    metrics_files.push(file("prometheus", at));
                    continue;
                }
                Destination::OpenLineage { .. } => wants_lineage = true,
                Destination::Pushgateway { .. } => wants_metrics = true,
                Destination::Webhook { .. } => {}
            }
            match receiver(project, destination) {
                Ok(receiver) => receivers.extend(receiver),
                Err(finding) => findings.push(*finding),
            }
        }
        if !findings.is_empty() {
            return Err(Failure::from(findings).in_project(project));
        }
        Ok(Self {
            outbox: Arc::new(Outbox::new(receivers, Limits::default())),
            lineage_files,
            metrics_files,
            wants_lineage,
            wants_metrics,
        })
    }
}

impl Outward {
    /// Those that the target names.
    ///
    /// # Errors
    /// Every one that cannot be used, or a keyring without an identifiers key.
    pub fn of(project: &Project, store: &Store, keys: &Keys) -> Outcome<Self> {
        let destinations = Destinations::of(project)?;
        let pending = Pending::of(store, keys, Arc::clone(&destinations.outbox))?;
        let project = Named {
            project: project.name.value.clone(),
            target: project.target.name.value.clone(),
        };
        Ok(Self { pending: Arc::new(pending), destinations, project, told: Mutex::default() })
    }

    /// Whether lineage is wanted: else nobody needs to say what flows where.
    #[must_use]
    pub fn wants_lineage(&self) -> bool {
        self.destinations.wants_lineage
    }

    /// Keeps what tells that an operation begins, before that is on record. Lineage is told of later where what is
    /// read and written is known only then.
    pub async fn begins(&self, execution: &Execution, status: &Status, datasets: Datasets) {
        let is_known_later =
            [ScriptType::RUN, ScriptType::RETRY, ScriptType::LOAD].contains(&execution.script_type);
        let mut events = vec![self.notice(execution, status, status)];
        {
            let mut told = self.told();
            told.started = Some((execution.clone(), status.clone()));
            if !is_known_later {
                told.datasets = datasets;
                events.extend(self.start(&mut told));
            }
        }
        self.keep(&events).await;
    }

    /// Tells what the operation that began reads and writes.
    pub async fn bound(&self, datasets: Datasets) {
        let event = {
            let mut told = self.told();
            told.datasets = datasets;
            self.start(&mut told)
        };
        self.keep(event.as_slice()).await;
        self.send();
    }

    /// Takes note of what was written of an export.
    pub fn wrote(&self, project: &Project, export: &str, rows: u64, bytes: u64) {
        self.told().datasets.wrote(project, export, rows, bytes);
    }

    /// Keeps what tells that an operation whose process is gone has failed, before that is on record.
    pub async fn closes(&self, execution: &Execution, status: &Status) {
        let mut events = vec![self.notice(execution, status, status)];
        events.extend(self.lineage(&mut self.told(), execution, status, &Datasets::default()));
        self.keep(&events).await;
    }

    /// Keeps what tells how the operation ended, before that is on record.
    pub async fn ends(&self, status: &Status) {
        let mut events = Vec::new();
        {
            let mut told = self.told();
            let Some((execution, started)) = told.started.clone() else { return };
            events.push(self.notice(&execution, &started, status));
            events.extend(self.start(&mut told));
            let datasets = std::mem::take(&mut told.datasets);
            events.extend(self.lineage(&mut told, &execution, status, &datasets));
        }
        self.keep(&events).await;
    }

    /// Tells nobody what could not be put on record.
    pub async fn withdraw(&self) {
        self.told().lines.clear();
        self.pending.withdraw().await;
    }

    /// Sends what is kept, in the background: nobody waits before the first byte is read.
    pub fn send(&self) {
        self.pending.settle();
        let mut told = self.told();
        self.write_lineage(&mut told);
        if self.destinations.outbox.is_empty() {
            return;
        }
        let pending = Arc::clone(&self.pending);
        told.under_way.spawn(async move { drop(pending.send().await) });
    }

    /// Sends what is kept, and metrics, and waits until all is taken or cannot be. Says how many events were not.
    pub async fn ended(&self, context: &Context, records: &Records<'_>, status: &Status) -> usize {
        let mut told = {
            let mut told = self.told();
            self.write_lineage(&mut told);
            std::mem::take(&mut *told)
        };
        let Some((execution, _)) = told.started.take() else { return 0 };
        let metrics = self.metrics(&mut told, records, &execution, status).await;
        while told.under_way.join_next().await.is_some() {}
        let pushed = async {
            let done = self.destinations.outbox.deliver(metrics.as_slice()).await;
            let refused = |one: Delivery| Some((one.to, one.ended.err()?.to_string()));
            done.into_iter().filter_map(refused).collect::<Vec<_>>()
        };
        let (refused, pushed) = futures::join!(self.pending.send(), pushed);
        let mut failures = told.lost;
        failures.extend(pushed.into_iter().map(|(to, why)| Undelivered { to, why }));
        let lost = failures.len();
        failures.extend(refused);
        failures.extend(self.removed().await);
        failures.sort_by(|one, other| (&one.to, &one.why).cmp(&(&other.to, &other.why)));
        failures.dedup();
        if !failures.is_empty() {
            context.observer.notice(&Event::Undelivered { code: codes::UNDELIVERED.id, failures });
        }
        lost.saturating_add(self.pending.left().await)
    }

    /// What was kept for somebody who is no longer declared.
    async fn removed(&self) -> Option<Undelivered> {
        let removed = self.pending.prune().await;
        let to = "a destination that the target no longer has".to_owned();
        let why = format!("events that were kept for it are removed: {removed}");
        (removed > 0).then_some(Undelivered { to, why })
    }

    async fn keep(&self, events: &[Message]) {
        let lost = self.pending.keep(events).await;
        self.told().lost.extend(lost);
    }

    fn write_lineage(&self, told: &mut Told) {
        let text: String = told.lines.drain(..).map(|line| format!("{line}\n")).collect();
        for (path, shown) in self.destinations.lineage_files.iter().filter(|_| !text.is_empty()) {
            if let Err(error) = files::append(path, text.as_bytes()) {
                told.lost.push(unwritten(shown, &error));
            }
        }
    }

    fn told(&self) -> std::sync::MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn notice(&self, execution: &Execution, started: &Status, status: &Status) -> Message {
        let mut topics = vec![match status.status {
            State::Started | State::Running => Subject::Started,
            State::Success => Subject::Succeeded,
            State::Failed => Subject::Failed,
        }];
        topics.extend((execution.class == Class::Security).then_some(Subject::Security));
        let body = notice(&self.project.project, execution, started, status).to_string();
        message(execution, status, Content::Notice { topics, body })
    }

    /// The start, where it was not told.
    fn start(&self, told: &mut Told) -> Option<Message> {
        if told.is_start_told {
            return None;
        }
        told.is_start_told = true;
        let (execution, status) = told.started.clone()?;
        let datasets = told.datasets.clone();
        self.lineage(told, &execution, &status, &datasets)
    }

    /// An OpenLineage event: to be written to the files, and to be sent.
    fn lineage(
        &self,
        told: &mut Told,
        execution: &Execution,
        status: &Status,
        datasets: &Datasets,
    ) -> Option<Message> {
        if !self.destinations.wants_lineage {
            return None;
        }
        let Named { project, target } = &self.project;
        let event = run_event(&LineageEvent {
            event_type: match status.status {
                State::Started | State::Running => EventType::Start,
                State::Success => EventType::Complete,
                State::Failed => EventType::Fail(status.error.clone()),
            },
            time: status.time,
            run: execution.id,
            producer: PRODUCER.to_owned(),
            job_namespace: format!("engine://{project}/{target}"),
            job_name: execution.script_type.word().to_owned(),
            inputs: datasets.inputs.clone(),
            outputs: datasets.outputs.clone(),
        });
        let text = event.to_string();
        if !self.destinations.lineage_files.is_empty() {
            told.lines.push(text.clone());
        }
        Some(message(execution, status, Content::Lineage(text)))
    }

    /// Metrics of the last days: written to the files, and to be sent.
    async fn metrics(
        &self,
        told: &mut Told,
        records: &Records<'_>,
        execution: &Execution,
        status: &Status,
    ) -> Option<Message> {
        if !self.destinations.wants_metrics {
            return None;
        }
        let Ok((lines, faults)) = records.examined().await else {
            let why = "the records that metrics are made from cannot be read".to_owned();
            told.lost.push(Undelivered { to: "metrics".to_owned(), why });
            return None;
        };
        let now = clock::now();
        let since = now.checked_sub_days(Days::new(DAYS)).unwrap_or(now);
        let folded = fold(lines.iter().map(Line::record), &Scope::All);
        let gauges = Gauges {
            now,
            store_is_up: Some(true),
            keys: Vec::new(),
            retention_overdue: None,
            chain_faults: Some(faults.len() as u64),
        };
        let text = prometheus(&statistics(&folded.operations, Window { since, now }), &gauges);
        for (path, shown) in &self.destinations.metrics_files {
            if let Err(error) = files::write(path, text.as_bytes()) {
                told.lost.push(unwritten(shown, &error));
            }
        }
        Some(message(execution, status, Content::Metrics(text)))
    }
}

/// The warning that others were not told.
#[must_use]
pub fn warning(failures: &[Undelivered]) -> Failure {
    let finding = |failure: &Undelivered| {
        let message = format!("events were not delivered to {}: {}", failure.to, failure.why);
        Diagnostic::new(&codes::UNDELIVERED, message)
            .as_warning()
            .help("the operation is not touched by this; see that the destination is up")
    };
    Failure::from(failures.iter().map(finding).collect::<Vec<_>>())
}

/// The key is that of an operation in a state: whatever is sent again of it has the same.
fn message(execution: &Execution, status: &Status, content: Content) -> Message {
    let key = format!("{}-{}", execution.id, status.status.word());
    Message { key, at: status.time.timestamp(), content }
}

fn unwritten(shown: &str, error: &std::io::Error) -> Undelivered {
    Undelivered { to: shown.to_owned(), why: format!("it cannot be written: {}", error.kind()) }
}

/// What is sent to; none for a file.
fn receiver(
    project: &Project,
    destination: &Destination,
) -> Result<Option<Box<dyn Receiver>>, Box<Diagnostic>> {
    let address = |url: &Spanned<Setting>| {
        Address::parse(url.value.reveal()).map_err(|error| refused("URL", url, &error))
    };
    Ok(Some(match destination {
        Destination::OpenLineageFile { .. } | Destination::Prometheus { .. } => return Ok(None),
        Destination::OpenLineage { url, api_key } => {
            let key = api_key.as_ref().map(|key| {
                ApiKey::parse(key.value.reveal()).map_err(|error| refused("API key", key, &error))
            });
            Box::new(OpenLineage::new(address(url)?, key.transpose()?))
        }
        Destination::Pushgateway { url, job } => {
            let labels = [
                ("project", project.name.value.as_str()),
                ("target", project.target.name.value.as_str()),
            ];
            Box::new(Pushgateway::new(address(url)?, job, &labels))
        }
        Destination::Webhook { url, secret, when } => {
            let signing = SigningSecret::parse(secret.value.reveal())
                .map_err(|error| refused("secret", secret, &error))?;
            Box::new(Webhook::new(address(url)?, signing, when.iter().map(subject).collect()))
        }
    }))
}

fn refused(what: &str, setting: &Spanned<Setting>, why: &dyn std::error::Error) -> Box<Diagnostic> {
    let message = format!("the {what} of a destination of events cannot be used: {why}");
    Box::new(
        Diagnostic::new(&codes::DESTINATION_INVALID, message)
            .at(setting.at, "cannot be used")
            .help("`engine explain E1101` says what can"),
    )
}

fn subject(topic: &Topic) -> Subject {
    match topic {
        Topic::Started => Subject::Started,
        Topic::Succeeded => Subject::Succeeded,
        Topic::Failed => Subject::Failed,
        Topic::Security => Subject::Security,
    }
}
