//! `debug`: connections, keys and store: what works, what does not, how to mend it.

use engine_sources::SourceErrorKind;
use serde::Serialize;

use crate::bind::connect_all;
use crate::diagnostic::{Diagnostic, Outcome};
use crate::fault;
use crate::keys;
use crate::request::Context;
use crate::store;
use crate::workspace;

/// What was tried.
#[derive(Debug, Clone, Serialize)]
pub struct DebugReport {
    /// The project.
    pub project: String,
    /// The target.
    pub target: String,
    /// Each thing that was tried.
    pub checks: Vec<Check>,
    /// What is wrong.
    #[serde(skip)]
    pub findings: Vec<Diagnostic>,
}

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What: `connection crm`, `keyring`, `store`.
    pub what: String,
    /// Whether it works.
    pub works: bool,
    /// What was found, in a sentence.
    pub found: String,
}

/// Tries everything the target names.
///
/// # Errors
/// The project itself cannot be loaded, or a connection's settings are wrong.
pub async fn debug(context: &Context) -> Outcome<DebugReport> {
    let project = workspace::load(context)?;
    let mut report = DebugReport {
        project: project.name.value.clone(),
        target: project.target.name.value.clone(),
        checks: Vec::new(),
        findings: Vec::new(),
    };
    for (name, connection) in connect_all(&project)? {
        let is_read = project.sources.iter().any(|source| source.connection.value == name);
        let tried = match connection.check().await {
            Err(error) if !is_read && *error.kind() == SourceErrorKind::NotFound => {
                Ok("not there yet; the first load makes it".to_owned())
            }
            tried => tried.map_err(|error| fault::diagnose(&error)),
        };
        report.note(format!("connection {name}"), tried);
    }
    let opened = keys::open(&project, context);
    let counted =
        opened.as_ref().map(|keys| format!("opened, {} keys", keys.keyring().list().len()));
    report.note("keyring".to_owned(), counted.map_err(first));
    let reached = match store::open(&project) {
        Ok(store) => match &opened {
            Ok(keys) => snapshots(&project, &store, keys).await,
            Err(_) => Ok("reached".to_owned()),
        },
        Err(failure) => Err(first(&failure)),
    };
    report.note("store".to_owned(), reached);
    Ok(report)
}

async fn snapshots(
    project: &engine_project::Project,
    store: &store::Store,
    keys: &keys::Keys,
) -> Result<String, Diagnostic> {
    let mut published = 0_usize;
    for export in &project.exports {
        let name = &export.name.value;
        let file = keys.file_id(store.project(), name).map_err(|failure| first(&failure))?;
        let versions = store.versions(file).await.map_err(|failure| first(&failure))?;
        published += usize::from(!versions.is_empty());
    }
    Ok(format!("reached, {published} of {} exports published", project.exports.len()))
}

fn first(failure: &crate::diagnostic::Failure) -> Diagnostic {
    let finding = failure.diagnostics.first().cloned();
    finding
        .unwrap_or_else(|| Diagnostic::new(&crate::codes::run::INTERNAL, "failed without a reason"))
}

impl DebugReport {
    fn note(&mut self, what: String, tried: Result<String, Diagnostic>) {
        let (works, found) = match tried {
            Ok(found) => (true, found),
            Err(finding) => {
                let found = finding.message.clone();
                self.findings.push(finding);
                (false, found)
            }
        };
        self.checks.push(Check { what, works, found });
    }
}
