//! A snapshot without the rows whose time is over, tested where it must be, committed, and put on record.

use engine_bundle::ids::RunId;
use engine_tracking::retention::{Deletion, Policy, digest_of};

use super::due::Due;
use super::retest::{carried, needs_tests, retested};
use super::rewrite::Rewriter;
use crate::bind::BoundExport;
use crate::clock;
use crate::codes::store;
use crate::diagnostic::{Diagnostic, Outcome};
use crate::rewatch::Rewatch;
use crate::store::Stored;

/// What is needed besides the rows.
pub struct Publishing<'a> {
    /// The policy that wants them gone.
    pub policy: &'a Policy,
    /// Who asked for it.
    pub by: &'a str,
    /// The run or command that does it.
    pub run: RunId,
    /// How tests of the whole are made again.
    pub tested: Option<(&'a Rewatch<'a>, &'a BoundExport)>,
}

impl Publishing<'_> {
    /// The snapshot after `before`, which is the newest, with the tests that only warn.
    ///
    /// # Errors
    /// Another writer was first, a test does not hold for what is left, or the store refuses.
    pub async fn publish(
        &self,
        rewriter: &Rewriter<'_>,
        before: &Stored,
        due: &Due,
    ) -> Outcome<(Stored, Vec<Diagnostic>)> {
        let mut next = rewriter.without(before, &due.border.gone, &due.counted, self.run).await?;
        let mut warnings = Vec::new();
        next.tests = carried(&before.manifest);
        if needs_tests(&before.manifest) {
            let Some((rewatch, export)) = self.tested else {
                return Err(untested(&before.manifest.export).into());
            };
            warnings = retested(rewatch, export, rewriter.file(), &mut next).await?;
        }
        let (export, version) = (next.export.clone(), next.version);
        // On record before it is done, like what is destroyed.
        rewriter.record(&export, &[self.record(due)]).await?;
        match rewriter.commit(next).await? {
            Some(stored) => Ok((stored, warnings)),
            None => Err(lost(version, &export).into()),
        }
    }

    /// The chunks that are written again or left out, and how many rows of them go.
    fn record(&self, due: &Due) -> Deletion {
        let touched = due.counted.iter().filter(|(_, rows)| **rows > 0);
        let names: Vec<String> = touched.clone().map(|(id, _)| id.to_string()).collect();
        Deletion {
            chunks: names.len() as u64,
            rows: touched.map(|(_, rows)| *rows).fold(0, u64::saturating_add),
            digest: digest_of(names.iter().map(String::as_str)),
            ..Deletion::nothing(self.policy, self.by, clock::now())
        }
    }
}

fn lost(version: u64, export: &str) -> Diagnostic {
    let message = format!("another run committed snapshot {version} of `{export}` first");
    Diagnostic::new(&store::WRITER_LOST, message).help("apply again: it begins with what is there")
}

/// A snapshot with tests of groups, of an export that the project no longer has.
fn untested(export: &str) -> Diagnostic {
    let message = format!("rows of `{export}` cannot go: its tests cannot be made on what is left");
    Diagnostic::new(&crate::codes::tracking::RETENTION_INVALID, message)
        .help("let its snapshots go as a whole, with `snapshots: {max_age: …}`")
}
