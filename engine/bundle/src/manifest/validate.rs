//! Whether a manifest agrees with itself.

use std::collections::BTreeSet;

use super::{
    CHUNKS_MAX, COLUMNS_MAX, Chunk, ENTRIES_MAX, FORMAT_VERSION, Manifest, ManifestError,
    TEXT_BYTES_MAX,
};
use crate::layout::{self, Encryption};

pub(super) fn check(manifest: &Manifest) -> Result<(), ManifestError> {
    if manifest.format_version != FORMAT_VERSION {
        return Err(ManifestError::UnknownVersion { found: manifest.format_version });
    }
    check_counts(manifest)?;
    check_texts(manifest)?;
    check_order(manifest)?;
    check_version(manifest)?;
    check_chunks(manifest)?;
    check_sums(manifest)
}

fn check_counts(manifest: &Manifest) -> Result<(), ManifestError> {
    let partitions = manifest.chunks.first().map_or(0, |chunk| chunk.partition.len());
    for (what, count, max) in [
        ("chunks", manifest.chunks.len(), CHUNKS_MAX),
        ("columns", manifest.schema.len(), COLUMNS_MAX),
        ("keys", manifest.keys.len(), ENTRIES_MAX),
        ("tests", manifest.tests.len(), ENTRIES_MAX),
        ("sources", manifest.inputs.sources.len(), ENTRIES_MAX),
        ("partition columns", partitions, COLUMNS_MAX),
    ] {
        if count > max {
            return Err(ManifestError::TooMany { what, max });
        }
    }
    Ok(())
}

fn check_texts(manifest: &Manifest) -> Result<(), ManifestError> {
    text("project name", &manifest.project)?;
    text("target name", &manifest.target)?;
    text("export name", &manifest.export)?;
    text("engine version", &manifest.inputs.engine.version)?;
    optional_text("Git commit", manifest.git_commit.as_deref())?;
    for source in &manifest.inputs.sources {
        text("source name", &source.name)?;
    }
    for column in &manifest.schema {
        text("column name", &column.name)?;
        text("column type", &column.data_type)?;
        optional_text("column class", column.class.as_deref())?;
        optional_text("column mask", column.mask.as_deref())?;
    }
    for test in &manifest.tests {
        text("test name", &test.name)?;
        text("test kind", &test.kind)?;
    }
    Ok(())
}

fn check_order(manifest: &Manifest) -> Result<(), ManifestError> {
    if !manifest.keys.is_sorted_by(|a, b| a < b) {
        return Err(ManifestError::Order { what: "keys" });
    }
    if !manifest.inputs.sources.is_sorted_by(|a, b| a.name < b.name) {
        return Err(ManifestError::Order { what: "sources" });
    }
    let mut names = BTreeSet::new();
    if !manifest.schema.iter().all(|column| names.insert(&column.name)) {
        return Err(ManifestError::DuplicateColumn);
    }
    Ok(())
}

fn check_version(manifest: &Manifest) -> Result<(), ManifestError> {
    let version = manifest.version;
    let expected = match &manifest.predecessor {
        None => Some(1),
        Some(predecessor) if predecessor.version == 0 => None,
        Some(predecessor) => predecessor.version.checked_add(1),
    };
    if expected != Some(version) || version > layout::VERSION_MAX {
        return Err(ManifestError::Predecessor { version });
    }
    Ok(())
}

fn check_chunks(manifest: &Manifest) -> Result<(), ManifestError> {
    let mut ids = BTreeSet::new();
    let first = manifest.chunks.first();
    for chunk in &manifest.chunks {
        if !ids.insert(chunk.id) {
            return Err(ManifestError::DuplicateChunk { id: chunk.id });
        }
        if chunk.file != layout::chunk_name(chunk.id, manifest.encryption) {
            return Err(ManifestError::ChunkFile { id: chunk.id });
        }
        let is_modular = manifest.encryption == Encryption::Modular;
        if chunk.modular.is_some() != is_modular {
            return Err(ManifestError::ChunkKey { id: chunk.id });
        }
        if first.is_some_and(|first| !first.partition.keys().eq(chunk.partition.keys())) {
            return Err(ManifestError::Partition { id: chunk.id });
        }
        check_partition(chunk)?;
    }
    Ok(())
}

fn check_partition(chunk: &Chunk) -> Result<(), ManifestError> {
    for (column, value) in &chunk.partition {
        text("partition column", column)?;
        // The value may be empty: an empty text is not null.
        if value.as_ref().is_some_and(|value| value.len() > TEXT_BYTES_MAX) {
            return Err(ManifestError::Text { what: "partition value" });
        }
    }
    Ok(())
}

fn check_sums(manifest: &Manifest) -> Result<(), ManifestError> {
    // At most 10^6 chunks of 2^64: a u128 cannot overflow.
    let rows: u128 = manifest.chunks.iter().map(|chunk| u128::from(chunk.rows)).sum();
    if rows != u128::from(manifest.rows) {
        return Err(ManifestError::Rows { listed: rows, total: manifest.rows });
    }
    let bytes: u128 = manifest.chunks.iter().map(|chunk| u128::from(chunk.bytes)).sum();
    if bytes != u128::from(manifest.bytes) {
        return Err(ManifestError::Bytes { listed: bytes, total: manifest.bytes });
    }
    Ok(())
}

fn text(what: &'static str, text: &str) -> Result<(), ManifestError> {
    if text.is_empty() || text.len() > TEXT_BYTES_MAX {
        return Err(ManifestError::Text { what });
    }
    Ok(())
}

fn optional_text(what: &'static str, value: Option<&str>) -> Result<(), ManifestError> {
    value.map_or(Ok(()), |value| text(what, value))
}
