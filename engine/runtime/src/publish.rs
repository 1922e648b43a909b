//! One export from plan to committed snapshot: write, check, commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine_bundle::digest::Digest;
use engine_bundle::ids::{ChunkId, FileId, RunId};
use engine_bundle::key::{KeyId, KeyName, Purpose};
use engine_bundle::layout::{self, Encryption};
use engine_bundle::manifest::{
    Chunk, Column, EngineBuild, FORMAT_VERSION, Inputs, Manifest, ModularKey, Predecessor,
    SourceFingerprint, TestResult,
};
use engine_project::Project;

use crate::bind::{BoundColumn, BoundExport, Treatment};
use crate::codes::{run, store};
use crate::diagnostic::{Diagnostic, Outcome};
use crate::keys::Keys;
use crate::masks::resolver::{Counted, Resolver};
use crate::masks::spec::MaskSpec;
use crate::plan::Described;
use crate::seal::SealedChunk;
use crate::store::{Commit, Store, Stored};
use crate::types::stored_name;

/// What tells this build from others: its version and the versions of its masks' mappings follow from it.
const BUILD: &str = concat!(env!("CARGO_PKG_NAME"), "-", env!("CARGO_PKG_VERSION"));
/// Values a mask must have seen before its rate of unchanged values counts.
const UNCHANGED_VALUES_MIN: u64 = 20;
/// A mask that leaves more than one value in this many unchanged is not a mask.
const UNCHANGED_ONE_IN: u128 = 5;
/// A mask that may give values back changes at least one value in this many.
const CHANGED_ONE_IN: u128 = 20;

/// What a snapshot is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The digest of the export's definition.
    pub definition: Digest,
    /// The fingerprints of what it reads; `None` when one of them cannot be known.
    pub sources: Option<Vec<SourceFingerprint>>,
}

impl Origin {
    /// Whether a snapshot was made from exactly this.
    pub fn made(&self, stored: &Stored) -> bool {
        let inputs = &stored.manifest.inputs;
        self.sources.as_ref() == Some(&inputs.sources) && inputs.plan == self.definition
    }
}

/// What a commit needs besides the chunks.
pub struct Snapshot<'a> {
    /// The store.
    pub store: &'a Store,
    /// The keys.
    pub keys: &'a Keys,
    /// The export.
    pub export: &'a BoundExport,
    /// Its directory.
    pub file: FileId,
    /// The key of its chunks and manifest.
    pub key: KeyId,
    /// The run.
    pub run: RunId,
    /// The project's Git commit.
    pub git_commit: Option<String>,
    /// What it is made from.
    pub origin: &'a Origin,
    /// The snapshot before, be it still there or not.
    pub predecessor: Option<Predecessor>,
    /// What a plan says of the export.
    pub described: Described,
}

impl Snapshot<'_> {
    /// The manifest of a snapshot with these chunks and test results.
    ///
    /// # Errors
    /// A chunk record that cannot be one.
    pub fn manifest(&self, chunks: &[SealedChunk], tests: Vec<TestResult>) -> Outcome<Manifest> {
        let encryption = encryption(self.export.encryption);
        let chunks: Vec<Chunk> =
            chunks.iter().map(|chunk| self.chunk(chunk, encryption)).collect::<Outcome<_>>()?;
        let sum = |of: fn(&Chunk) -> u64| chunks.iter().map(of).fold(0, u64::saturating_add);
        Ok(Manifest {
            format_version: FORMAT_VERSION,
            project: self.store.project().to_owned(),
            target: self.store.target().to_owned(),
            export: self.export.name.clone(),
            version: self.predecessor.map_or(1, |before| before.version.saturating_add(1)),
            run: self.run,
            git_commit: self.git_commit.clone(),
            inputs: Inputs {
                plan: self.origin.definition,
                compiled_sql: Digest::of(self.export.sql.as_bytes()),
                policy: crate::definition::policy_digest(self.export),
                engine: EngineBuild {
                    version: env!("CARGO_PKG_VERSION").to_owned(),
                    build: Digest::of(BUILD.as_bytes()),
                },
                sources: self.origin.sources.clone().unwrap_or_default(),
            },
            keys: self.used_keys(),
            encryption,
            schema: self.export.columns.iter().map(column).collect(),
            rows: sum(|chunk| chunk.rows),
            bytes: sum(|chunk| chunk.bytes),
            chunks,
            tests,
            described: serde_json::to_value(&self.described).ok(),
            origin: None,
            predecessor: self.predecessor,
        })
    }

    fn chunk(&self, sealed: &SealedChunk, encryption: Encryption) -> Outcome<Chunk> {
        chunk_record(sealed, encryption, &self.export.partition_by, (&self.key, self.run))
    }

    fn used_keys(&self) -> Vec<KeyId> {
        let masks = self.export.columns.iter().flat_map(|column| column.treatment.masks());
        let ids = masks.filter_map(|mask| mask.spec.key.as_ref()).filter_map(|key| {
            let name = KeyName::new(key.name.as_str()).ok()?;
            let version = std::num::NonZeroU32::new(key.version)?;
            Some(KeyId { purpose: Purpose::Masking, name, version })
        });
        let mut keys: Vec<KeyId> = ids.chain([self.key.clone()]).collect();
        keys.sort();
        keys.dedup();
        keys
    }

    /// Commits a manifest.
    ///
    /// # Errors
    /// Another run committed this version first, or the store refuses.
    pub async fn commit(&self, manifest: &Manifest) -> Outcome<Digest> {
        match self.store.commit(self.file, manifest, &self.key, self.keys).await? {
            Commit::Done(digest) => Ok(digest),
            Commit::Lost => Err(lost(manifest.version, &self.export.name).into()),
        }
    }
}

/// A chunk as a manifest names it: written by a run, with `key`, and divided by these columns.
///
/// # Errors
/// The record cannot be one.
pub fn chunk_record(
    sealed: &SealedChunk,
    encryption: Encryption,
    partition_by: &[String],
    (key, by): (&KeyId, RunId),
) -> Outcome<Chunk> {
    let malformed = || Diagnostic::new(&run::INTERNAL, "a chunk's record cannot be read");
    let id: ChunkId = sealed.id.parse().map_err(|_| malformed())?;
    let columns = partition_by.iter().cloned();
    Ok(Chunk {
        id,
        file: layout::chunk_name(id, encryption),
        rows: sealed.rows,
        bytes: sealed.bytes,
        digest: sealed.digest.parse().map_err(|_| malformed())?,
        partition: columns.zip(sealed.values.iter().cloned()).collect::<BTreeMap<_, _>>(),
        modular: match encryption {
            Encryption::Sealed => None,
            Encryption::Modular => Some(ModularKey { key: key.clone(), scope: by }),
        },
    })
}

/// The refusal of a commit that another writer won.
#[must_use]
pub fn lost(version: u64, export: &str) -> Diagnostic {
    let message = format!("another run committed snapshot {version} of `{export}` first");
    Diagnostic::new(&store::WRITER_LOST, message)
        .help("its snapshot is complete; run again to publish on top of it")
}

/// The store's word for an export's encryption.
pub fn encryption(configured: engine_project::Encryption) -> Encryption {
    match configured {
        engine_project::Encryption::Sealed => Encryption::Sealed,
        engine_project::Encryption::Modular => Encryption::Modular,
    }
}

fn column(column: &BoundColumn) -> Column {
    let mask = match &column.treatment {
        Treatment::Masked { mask, fork, .. } => {
            let own = format!("{} {}", mask.function, mask.spec.canonical());
            let when = fork.as_ref().map(|fork| format!(" where {}", fork.condition.sql));
            Some(own + &when.unwrap_or_default())
        }
        Treatment::Computed { .. } => Some("sql".to_owned()),
        Treatment::Kept(_) | Treatment::Open(_) => None,
    };
    Column {
        name: column.name.clone(),
        data_type: stored_name(column.output.data_type()),
        nullable: column.output.is_nullable(),
        class: column.class.clone(),
        mask,
    }
}

/// A mask that gave back too much of what it got must not be published.
///
/// # Errors
/// Every such mask.
pub fn check_unchanged(
    resolver: &Arc<Resolver>,
    project: &Project,
    export: &BoundExport,
) -> Outcome<()> {
    let mut findings = Vec::new();
    for Counted { function, spec, values, unchanged, .. } in resolver.counted() {
        let may_return = export.columns.iter().flat_map(|one| one.treatment.masks()).any(|mask| {
            mask.function == function
                && mask.spec.canonical() == spec
                && mask.properties.may_return_input
        });
        if values < UNCHANGED_VALUES_MIN || !is_too_little(values, unchanged, may_return) {
            continue;
        }
        let message = format!(
            "`{}`: mask `{function}` left {unchanged} of {values} values as they were",
            export.name
        );
        let finding = Diagnostic::new(&run::MASK_UNCHANGED, message).help(
            "nothing was published; the columns may hold other data than their class says, or what the mask writes stands there already",
        );
        findings.push(at_rule(finding, project, &spec));
    }
    if findings.is_empty() { Ok(()) } else { Err(findings.into()) }
}

/// What masks were not made for, and masked all the same: a rule may be for another column, or the source worse
/// than somebody thinks.
pub fn irregular(resolver: &Arc<Resolver>, project: &Project, export: &str) -> Vec<Diagnostic> {
    let counted = resolver.counted().into_iter().filter(|counted| counted.irregular > 0);
    let finding = |counted: Counted| {
        let Counted { function, spec, values, irregular, .. } = counted;
        let message = format!(
            "`{export}`: {irregular} of {values} values are not what mask `{function}` is for"
        );
        let finding = Diagnostic::new(&run::MASK_IRREGULAR, message)
            .help("they are masked all the same, by their shape or as the rule's `otherwise` says");
        at_rule(finding, project, &spec)
    };
    counted.map(finding).collect()
}

/// What is counted is counted under what the mask was bound from, which names the rule.
fn at_rule(finding: Diagnostic, project: &Project, spec: &str) -> Diagnostic {
    let rule = serde_json::from_str::<MaskSpec>(spec).map(|spec| spec.rule);
    let rule = rule.ok().and_then(|name| project.rules.iter().find(|rule| rule.name.value == name));
    match rule {
        Some(rule) => finding.at(rule.name.at, "this rule"),
        None => finding,
    }
}

/// Some masks may give back a value that already is what they would write, such as a round number; they
/// are no masks only when that is nearly all they do.
fn is_too_little(values: u64, unchanged: u64, may_return_input: bool) -> bool {
    let (values, unchanged) = (u128::from(values), u128::from(unchanged));
    if may_return_input {
        values.saturating_sub(unchanged) * CHANGED_ONE_IN < values
    } else {
        unchanged * UNCHANGED_ONE_IN > values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_loses_a_commit_is_told() {
        let golden = include_str!("../../../tests/diagnostics/elsewhere/E0620.txt");
        assert_eq!(crate::diagnostic::words(&lost(2, "customers")), golden);
    }

    #[test]
    fn masks_that_may_give_values_back_may_do_so_more_often() {
        assert!(!is_too_little(100, 20, false) && is_too_little(100, 21, false));
        assert!(!is_too_little(100, 95, true) && is_too_little(100, 96, true));
        assert!(
            is_too_little(u64::MAX, u64::MAX, true) && is_too_little(u64::MAX, u64::MAX, false)
        );
    }
}
