//! Which rows of an export are beyond the border of its policy, chunk by chunk.

use std::collections::BTreeSet;

use engine_bundle::ids::ChunkId;
use engine_bundle::manifest::{Chunk, Manifest};
use engine_tracking::retention::{Moment, Policy};

use super::border::{Age, Border, age};
use super::rewrite::{Counted, Rewriter};
use crate::diagnostic::Outcome;
use crate::fault;
use crate::retention::{Found, RowsDue};
use crate::unseal::arrow_schema;

/// What is due of the rows of the newest snapshot.
pub struct Due {
    /// Which rows go.
    pub border: Box<Border>,
    /// How many of each chunk.
    pub counted: Counted,
}

impl Due {
    /// Whether no row goes.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.counted.values().all(|rows| *rows == 0)
    }
}

/// What is due of the rows of one snapshot; none where every row stays, and also where the age of none can be
/// told, which [`age`] tells apart.
///
/// # Errors
/// A chunk that is missing or was changed.
pub async fn due(
    rewriter: &Rewriter<'_>,
    policy: &Policy,
    manifest: &Manifest,
    now: Moment,
) -> Outcome<Option<Due>> {
    let Age::Border(border) = age_in(policy, manifest, now)? else { return Ok(None) };
    let chunks: Vec<&Chunk> = manifest.chunks.iter().collect();
    let counted = rewriter.count(manifest, &chunks, &border.gone).await?;
    Ok(Some(Due { border, counted }))
}

/// What a policy says of the rows of a snapshot.
///
/// # Errors
/// A column of a type that this version cannot read.
fn age_in(policy: &Policy, manifest: &Manifest, now: Moment) -> Outcome<Age> {
    let schema = arrow_schema(manifest);
    let schema = schema.map_err(|error| fault::running(&error, &manifest.export))?;
    Ok(age(policy, &schema, now))
}

/// Counts the expired rows of every chunk that a snapshot names, and puts them down in the inventory. Gives what
/// is due of the newest snapshot. A snapshot whose rows have no age counts as one that holds expired rows, so that
/// it goes once another follows it.
///
/// # Errors
/// A chunk that is missing or was changed.
pub async fn mark(
    rewriter: &Rewriter<'_>,
    policy: &Policy,
    found: &mut Found,
    now: Moment,
) -> Outcome<(Option<Due>, Option<RowsDue>)> {
    let Some(rule) = &policy.rows else { return Ok((None, None)) };
    let mut said = RowsDue {
        by: rule.by.clone(),
        older_than: rule.older_than.to_string(),
        chunks: 0,
        rows: 0,
        undated: 0,
        has_age: true,
    };
    let there: BTreeSet<String> =
        found.inventory.chunks.iter().map(|chunk| chunk.id.clone()).collect();
    let mut seen: BTreeSet<ChunkId> = BTreeSet::new();
    let mut newest = None;
    // The newest first, since what is due of it is said.
    for (position, stored) in found.manifests.iter().rev().enumerate() {
        let manifest = &stored.manifest;
        let is_new = |chunk: &&Chunk| !seen.contains(&chunk.id);
        // Of a snapshot that is half destroyed, what is left.
        let is_there = |chunk: &&Chunk| there.contains(&chunk.id.to_string());
        let chunks: Vec<&Chunk> = manifest.chunks.iter().filter(is_new).filter(is_there).collect();
        seen.extend(chunks.iter().map(|chunk| chunk.id));
        match age_in(policy, manifest, now)? {
            Age::Kept => {}
            Age::Unknown => {
                said.has_age &= position > 0;
                for chunk in chunks {
                    found.inventory.expire(&chunk.id.to_string(), 0, &policy.name);
                }
            }
            Age::Border(border) => {
                let counted = rewriter.count(manifest, &chunks, &border.gone).await?;
                for (id, rows) in counted.iter().filter(|(_, rows)| **rows > 0) {
                    found.inventory.expire(&id.to_string(), *rows, &policy.name);
                }
                if position == 0 {
                    let undated = rewriter.count(manifest, &chunks, &border.undated).await?;
                    said.undated = undated.values().sum();
                    said.rows = counted.values().sum();
                    said.chunks = counted.values().filter(|rows| **rows > 0).count() as u64;
                    newest = Some(Due { border, counted });
                }
            }
        }
    }
    Ok((newest, Some(said)))
}
