//! Telling other systems of an operation: what it is about when it begins, how it went when it has ended.
//!
//! ```text
//!  begin ──▶ notice ─────────────┐                       webhooks
//!  bound ──▶ START with datasets ┼─▶ in the background    OpenLineage
//!  end   ──▶ notice, COMPLETE or FAIL, metrics ──▶ waited for, within bounds
//! ```
//!
//! Nothing of this fails an operation: what was not delivered is a warning. What is sent holds names of the
//! project, counts and codes; no value, no SQL, and no tenant: whom a command was bound to stays in sealed records.

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
use crate::records::Records;
use crate::request::Context;

/// Who says what is said: no registry has this name.
const PRODUCER: &str = concat!("https://engine.invalid/engine/", env!("CARGO_PKG_VERSION"));
/// Days that metrics are about, as in `engine report`.
const DAYS: u64 = 30;

/// Who is told of operations.
pub struct Outward {
    outbox: Arc<Outbox>,
    /// Files of OpenLineage events, with how they may be shown.
    lineage_files: Vec<(PathBuf, String)>,
    /// Files of metrics, with how they may be shown.
    metrics_files: Vec<(PathBuf, String)>,
    wants_lineage: bool,
    wants_metrics: bool,
    project: Named,
    told: Mutex<Told>,
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
    under_way: JoinSet<Vec<Delivery>>,
    unwritten: Vec<Undelivered>,
}

impl Outward {
    /// Those that the target names.
    ///
    /// # Errors
    /// Every one that cannot be used.
    pub fn of(project: &Project) -> Outcome<Self> {
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
        let named = Named {
            project: project.name.value.clone(),
            target: project.target.name.value.clone(),
        };
        Ok(Self {
            outbox: Arc::new(Outbox::new(receivers, Limits::default())),
            lineage_files,
            metrics_files,
            wants_lineage,
            wants_metrics,
            project: named,
            told: Mutex::default(),
        })
    }

    /// Whether lineage is wanted: else nobody needs to say what flows where.
    #[must_use]
    pub fn wants_lineage(&self) -> bool {
        self.wants_lineage
    }

    /// Tells that an operation began. Lineage is told of later where what is read and written is known only then.
    pub fn began(&self, execution: &Execution, status: &Status, datasets: Datasets) {
        let event = self.notice(execution, status, status);
        let is_known_later =
            [ScriptType::RUN, ScriptType::RETRY, ScriptType::LOAD].contains(&execution.script_type);
        {
            let mut told = self.told();
            told.started = Some((execution.clone(), status.clone()));
            self.send(&mut told, vec![event]);
        }
        if !is_known_later {
            self.bound(datasets);
        }
    }

    /// Tells what the operation that began reads and writes.
    pub fn bound(&self, datasets: Datasets) {
        let mut told = self.told();
        told.datasets = datasets;
        if let Some(event) = self.start(&mut told) {
            self.send(&mut told, vec![event]);
        }
    }

    /// Takes note of what was written of an export.
    pub fn wrote(&self, project: &Project, export: &str, rows: u64, bytes: u64) {
        self.told().datasets.wrote(project, export, rows, bytes);
    }

    /// Tells that an operation whose process is gone has failed.
    pub fn closed(&self, execution: &Execution, status: &Status) {
        let mut told = self.told();
        let mut events = vec![self.notice(execution, status, status)];
        events.extend(self.lineage(&mut told, execution, status, &Datasets::default()));
        self.send(&mut told, events);
    }

    /// Tells how the operation ended, and waits until that and all before it is delivered, or cannot be.
    pub async fn ended(&self, context: &Context, records: &Records<'_>, status: &Status) {
        let (mut told, started) = {
            let mut told = self.told();
            let started = told.started.take();
            (std::mem::take(&mut *told), started)
        };
        let Some((execution, started)) = started else { return };
        told.started = Some((execution.clone(), started.clone()));
        let mut events = vec![self.notice(&execution, &started, status)];
        events.extend(self.start(&mut told));
        let datasets = std::mem::take(&mut told.datasets);
        events.extend(self.lineage(&mut told, &execution, status, &datasets));
        events.extend(self.metrics(&mut told, records, &execution, status).await);
        let mut deliveries = Vec::new();
        while let Some(done) = told.under_way.join_next().await {
            deliveries.extend(done.unwrap_or_default());
        }
        deliveries.extend(self.outbox.deliver(&events).await);
        let undelivered = deliveries.into_iter().filter_map(|delivery| {
            Some(Undelivered { to: delivery.to, why: delivery.ended.err()?.to_string() })
        });
        let mut failures = told.unwritten;
        failures.extend(undelivered);
        failures.sort_by(|one, other| (&one.to, &one.why).cmp(&(&other.to, &other.why)));
        failures.dedup();
        if !failures.is_empty() {
            context.observer.notice(&Event::Undelivered { code: codes::UNDELIVERED.id, failures });
        }
    }

    fn told(&self) -> std::sync::MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends in the background: nobody waits before the first byte is read.
    fn send(&self, told: &mut Told, events: Vec<Message>) {
        if self.outbox.is_empty() {
            return;
        }
        let outbox = Arc::clone(&self.outbox);
        told.under_way.spawn(async move { outbox.deliver(&events).await });
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

    /// An OpenLineage event: written to the files, and to be sent.
    fn lineage(
        &self,
        told: &mut Told,
        execution: &Execution,
        status: &Status,
        datasets: &Datasets,
    ) -> Option<Message> {
        if !self.wants_lineage {
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
        for (path, shown) in &self.lineage_files {
            if let Err(error) = files::append(path, format!("{text}\n").as_bytes()) {
                told.unwritten.push(unwritten(shown, &error));
            }
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
        if !self.wants_metrics {
            return None;
        }
        let Ok((lines, faults)) = records.examined().await else {
            let why = "the records that metrics are made from cannot be read".to_owned();
            told.unwritten.push(Undelivered { to: "metrics".to_owned(), why });
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
        for (path, shown) in &self.metrics_files {
            if let Err(error) = files::write(path, text.as_bytes()) {
                told.unwritten.push(unwritten(shown, &error));
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
