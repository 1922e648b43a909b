//! `verify`: whether the store still holds what was committed. Every manifest of the chain is opened;
//! every chunk of every snapshot is read in full: length, digest, every segment's tag, row count.

use std::collections::BTreeSet;
use std::sync::Arc;

use engine_bundle::chain::{self, ChainFault, Expected, Link};
use engine_bundle::ids::FileId;
use engine_bundle::key::KeySource;
use engine_bundle::layout::{KEYRING, manifest_path};
use engine_bundle::manifest::{Chunk, Manifest};
use engine_bundle::sealed::{PROLOGUE_BYTES, RangeReader};
use engine_project::Project;
use engine_tracking::retention::Tombstones;
use engine_tracking::runs::ScriptType;
use engine_tracking::runs::chain::Fault;
use object_store::ObjectStoreExt;
use serde::Serialize;

use crate::codes::{keys as key_codes, names, store as codes, tracking};
use crate::diagnostic::{Diagnostic, Outcome};
use crate::heads::{Heads, Seen};
use crate::history::all_tables;
use crate::keys::{self, Keys};
use crate::operation::{self, Scene, Told};
use crate::request::Context;
use crate::store::{self, Store};
use crate::tip;
use crate::unseal::{UnsealError, changed, chunk_file};
use crate::workspace;

/// Plaintext bytes that are opened at once.
const WINDOW_BYTES: u64 = 8 << 20;

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct VerifyReport {
    /// The exports, in declared order.
    pub exports: Vec<VerifiedExport>,
    /// What is wrong.
    #[serde(skip)]
    pub findings: Vec<Diagnostic>,
}

/// One export.
#[derive(Debug, Clone, Serialize)]
pub struct VerifiedExport {
    /// Its name.
    pub export: String,
    /// Manifests that were opened.
    pub snapshots: usize,
    /// Chunks that were read in full.
    pub chunks: usize,
    /// Their rows.
    pub rows: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Chunk files that no manifest names: left by interrupted runs, and harmless.
    pub unreferenced: usize,
    /// How many things are wrong.
    pub faults: usize,
}

/// Verifies one export, or table of a history, or all; with `audit` the chains of run records, too.
///
/// # Errors
/// What keeps it from looking: the project, the keys, the store. Faults are in the report.
pub async fn verify(context: &Context, export: Option<&str>, audit: bool) -> Outcome<VerifyReport> {
    let project = workspace::load(context)?;
    let names = chosen(&project, export)?;
    let keys = keys::open(&project, context)?;
    let store = store::open(&project)?;
    let scene = Scene::of(context, &project, &keys, &store)?;
    let objects = operation::exports(names.iter().map(String::as_str));
    let work = async {
        let mut report = verified(context, &project, &keys, &store, &names).await?;
        if audit {
            report.findings.extend(audited(&scene).await?);
        }
        Ok(report)
    };
    let told = |report: &VerifyReport| Told {
        failed: report.findings.first().map(|finding| finding.code),
        ..Told::default()
    };
    scene.recorded(ScriptType::VERIFY, objects, work, told).await
}

/// What is wrong with the chains of run records.
async fn audited(scene: &Scene<'_>) -> Outcome<Vec<Diagnostic>> {
    let finding = |fault: &Fault| {
        Diagnostic::new(&tracking::RECORDS_CHANGED, fault.to_string())
            .help("restore the files from a copy of the store, and find out who had access to it")
    };
    let (lines, faults) = scene.records().examined().await?;
    let mut findings: Vec<Diagnostic> = faults.iter().map(finding).collect();
    if findings.is_empty() {
        let wrong = scene.records().contradicted(&lines).await?;
        findings.extend(wrong.iter().map(|path| {
            let message = format!("{path} says something else than its records");
            Diagnostic::new(&tracking::RECORDS_CHANGED, message)
                .help("remove the file: the next run makes it again from the records")
        }));
    }
    Ok(findings)
}

async fn verified(
    context: &Context,
    project: &Project,
    keys: &Keys,
    store: &Store,
    names: &[String],
) -> Outcome<VerifyReport> {
    let heads = Heads::of(&context.root, &project.target.name.value);
    let mut report = VerifyReport { exports: Vec::new(), findings: Vec::new() };
    for name in names {
        let file = keys.file_id(store.project(), name)?;
        let examination = Examination {
            store,
            keys,
            seen: heads.seen(file),
            source: Arc::new(keys.clone()),
            name,
            file,
        };
        let (verified, findings) = examination.export().await?;
        report.exports.push(verified);
        report.findings.extend(findings);
    }
    if report.exports.iter().any(|export| export.snapshots > 0) {
        report.findings.extend(keyring_copy(store, keys).await);
    }
    Ok(report)
}

/// What is wrong with the keyring that a recipient finds in the store.
async fn keyring_copy(store: &Store, keys: &Keys) -> Option<Diagnostic> {
    match store.published_keyring().await {
        Ok(bytes) if *bytes == *keys.wrapped() => None,
        Ok(_) => {
            let what = "was changed, or is not the project's keyring any more";
            let finding =
                Diagnostic::new(&key_codes::KEYRING_MALFORMED, format!("{KEYRING}: {what}"));
            Some(finding.help("remove it, and `engine run` puts the project's own there"))
        }
        Err(error) => Some(error.diagnostic()),
    }
}

fn chosen(project: &Project, export: Option<&str>) -> Outcome<Vec<String>> {
    let exports = project.exports.iter().map(|export| export.name.value.clone());
    let of_histories = all_tables(project).into_iter().map(|(layout, table)| layout.table(table));
    let all = exports.chain(of_histories);
    match export {
        None => Ok(all.collect()),
        Some(name) if all.clone().any(|one| one == name) => Ok(vec![name.to_owned()]),
        Some(name) => {
            let known: Vec<String> = all.collect();
            Err(Diagnostic::new(&names::UNKNOWN_EXPORT, format!("there is no export `{name}`"))
                .help(format!("the exports are: {}", known.join(", ")))
                .into())
        }
    }
}

/// The examination of one export.
struct Examination<'a> {
    store: &'a Store,
    keys: &'a Keys,
    seen: Seen,
    source: Arc<dyn KeySource + Send + Sync>,
    name: &'a str,
    file: FileId,
}

impl Examination<'_> {
    async fn export(&self) -> Outcome<(VerifiedExport, Vec<Diagnostic>)> {
        let mut findings = Vec::new();
        let mut links = Vec::new();
        let mut verified = VerifiedExport {
            export: self.name.to_owned(),
            snapshots: 0,
            chunks: 0,
            rows: 0,
            bytes: 0,
            unreferenced: 0,
            faults: 0,
        };
        let mut named = BTreeSet::new();
        let (number, tombstones) = self.store.tombstones(self.file, self.name, self.keys).await?;
        if let Err(failure) = self.seen.check_tombstones(self.name, number) {
            findings.extend(failure.diagnostics);
        }
        let destroyed = tip::destroyed(&tombstones);
        for version in self.store.versions(self.file).await? {
            let stored = self.store.manifest(self.file, self.name, version, self.keys).await;
            let stored = match stored {
                Ok(stored) => stored,
                Err(error) => {
                    findings.push(error.diagnostic());
                    continue;
                }
            };
            links.extend(Link::new(version, &stored.manifest).ok());
            // What is being destroyed has no chunks to rely on.
            if destroyed.contains(&version) {
                continue;
            }
            verified.snapshots += 1;
            for chunk in &stored.manifest.chunks {
                if !named.insert(chunk_file(&stored.manifest, self.file, chunk).path().to_string())
                {
                    continue;
                }
                match self.chunk(&stored.manifest, chunk).await {
                    Ok(()) => {
                        verified.chunks += 1;
                        verified.rows = verified.rows.saturating_add(chunk.rows);
                        verified.bytes = verified.bytes.saturating_add(chunk.bytes);
                    }
                    Err(finding) => findings.push(*finding),
                }
            }
        }
        if findings.is_empty() {
            findings.extend(self.chain(&links, &tombstones));
        }
        let files = self.store.chunk_files(self.file).await?;
        verified.unreferenced = files.iter().filter(|(path, _)| !named.contains(path)).count();
        verified.faults = findings.len();
        Ok((verified, findings))
    }

    fn chain(&self, links: &[Link], tombstones: &Tombstones) -> Vec<Diagnostic> {
        let destroyed = tip::destroyed(tombstones);
        let stored: BTreeSet<u64> = links.iter().map(Link::stored_as).collect();
        // Retention lets a beginning of the chain go.
        let forgotten = tombstones.forgotten_to();
        let is_gone = |version: &u64| {
            (*version <= forgotten || destroyed.contains(version)) && !stored.contains(version)
        };
        let oldest = (1..).find(|version| !is_gone(version)).unwrap_or(1);
        // What retention let go is not missing.
        let anchor = self.seen.anchor().filter(|seen| seen.version >= oldest);
        let expected =
            Expected { project: self.store.project(), export: self.name, oldest, anchor };
        let mut faults = chain::verify(links, expected);
        let first = links.iter().find(|link| link.stored_as() == oldest);
        let before = oldest.checked_sub(1).and_then(|gone| tip::digest_of(tombstones, gone));
        if let (Some(first), Some(before)) = (first, before)
            && first.predecessor().is_none_or(|named| named.digest != before)
        {
            faults.push(ChainFault::Broken { version: oldest });
        }
        faults.iter().map(|fault| self.fault(fault)).collect()
    }

    /// A fault of the chain, with the manifest that is missing or not what it should be.
    fn fault(&self, fault: &ChainFault) -> Diagnostic {
        let (version, what) = match fault {
            ChainFault::Missing { from, to } if from == to => (*from, "is missing".to_owned()),
            ChainFault::Missing { from, to } => {
                (*from, format!("is missing, like all after it up to version {to}"))
            }
            ChainFault::RolledBack { newest, known } => {
                (*known, format!("is missing: the store ends with version {newest}"))
            }
            ChainFault::Foreign { stored_as: version }
            | ChainFault::Misplaced { stored_as: version, .. }
            | ChainFault::Replayed { stored_as: version, .. }
            | ChainFault::Broken { version }
            | ChainFault::Replaced { version } => (*version, fault.to_string()),
            // Kinds that this version does not know of.
            _ => (0, fault.to_string()),
        };
        let code = match fault {
            ChainFault::RolledBack { .. } => &codes::ROLLED_BACK,
            _ => &codes::MANIFEST_CHAIN,
        };
        let name = manifest_path(self.file, version).unwrap_or_else(|_| self.name.to_owned());
        Diagnostic::new(code, format!("{name}: {what}"))
            .help("restore the manifests from a copy of the store")
    }

    async fn chunk(&self, manifest: &Manifest, chunk: &Chunk) -> Result<(), Box<Diagnostic>> {
        let described = chunk_file(manifest, self.file, chunk);
        let path = described.path();
        let name = path.to_string();
        let boxed = |error: UnsealError| Box::new(error.diagnostic());
        let objects = self.store.objects();
        changed::check(&**objects, &described, &chunk.digest).await.map_err(boxed)?;
        if chunk.modular.is_none() {
            self.segments(manifest, chunk, &name).await.map_err(boxed)?;
        }
        let footer = described.footer(objects, &self.source).await.map_err(boxed)?;
        let rows = u64::try_from(footer.file_metadata().num_rows()).unwrap_or(u64::MAX);
        counted(&name, rows, chunk.rows)
    }

    /// Opens every segment of a sealed chunk.
    async fn segments(
        &self,
        manifest: &Manifest,
        chunk: &Chunk,
        name: &str,
    ) -> Result<(), UnsealError> {
        let described = chunk_file(manifest, self.file, chunk);
        let (path, objects) = (described.path(), self.store.objects());
        let prologue = objects
            .get_range(&path, 0..chunk.bytes.min(PROLOGUE_BYTES as u64))
            .await
            .map_err(|error| UnsealError::store(name, &error))?;
        let reader = RangeReader::new(self.keys, &described.context(), &prologue, chunk.bytes)
            .map_err(|error| UnsealError::sealed(name, &error))?;
        let mut start = 0;
        while start < reader.plaintext_len() {
            let end = start.saturating_add(WINDOW_BYTES).min(reader.plaintext_len());
            let span =
                reader.span(start..end).map_err(|error| UnsealError::sealed(name, &error))?;
            let bytes = objects
                .get_range(&path, span.ciphertext())
                .await
                .map_err(|error| UnsealError::store(name, &error))?;
            reader.open(&span, &bytes).map_err(|error| UnsealError::sealed(name, &error))?;
            start = end;
        }
        Ok(())
    }
}

/// Refuses a chunk that has another number of rows than its manifest states.
fn counted(name: &str, rows: u64, stated: u64) -> Result<(), Box<Diagnostic>> {
    if rows == stated {
        return Ok(());
    }
    let message = format!("{name}: has {rows} rows, its manifest states {stated}");
    let finding = Diagnostic::new(&codes::CHUNK_COUNT, message);
    Err(Box::new(finding.help("publish the export again with `engine run --force`")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::words;

    #[test]
    fn rows_that_are_not_those_of_the_manifest_are_refused() {
        assert!(counted("chunk", 3, 3).is_ok());
        let finding = counted("chunk", 2, 3).unwrap_err();
        let golden = include_str!("../../../../tests/diagnostics/elsewhere/E0614.txt");
        assert_eq!(words(&finding), golden);
    }
}
