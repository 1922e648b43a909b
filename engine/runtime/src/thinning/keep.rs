//! Retention of one history: what is due, and having it done.

use engine_bundle::ids::RunId;
use engine_tracking::history::VaultTable;
use engine_tracking::retention::{Deletion, Moment, Policy, SnapshotRule, digest_of};

use super::judge::{Aged, Judging};
use super::marks::Marks;
use super::read::Reading;
use super::write::Writing;
use crate::clock;
use crate::diagnostic::Outcome;
use crate::heads::Heads;
use crate::history::{Layout, Recorded, Shelf, same_key};
use crate::keeping::{Applied, At, Keeper};
use crate::records;
use crate::retention::{ExportRetention, HistoryDue};
use crate::session::Limits;
use crate::workspace;

const TABLES: [VaultTable; 3] = [VaultTable::Satellite, VaultTable::Hub, VaultTable::Links];

/// A history whose retention is looked after.
#[derive(Clone, Copy)]
pub struct HistoryKeeper<'a> {
    /// What keeps exports.
    pub keeper: Keeper<'a>,
    /// The history.
    pub layout: &'a Layout,
    /// Its policy; none where it has none any more.
    pub policy: Option<&'a Policy>,
}

impl HistoryKeeper<'_> {
    fn heads(&self) -> Heads {
        let Keeper { context, project, .. } = self.keeper;
        Heads::of(&context.root, &project.target.name.value)
    }

    /// What is due now; none where it has no policy and never had one.
    ///
    /// # Errors
    /// The store cannot be read, or holds what was changed.
    pub async fn foreseen(&self) -> Outcome<Option<ExportRetention>> {
        let heads = self.heads();
        let shelf = Shelf { store: self.keeper.store, keys: self.keeper.keys, heads: &heads };
        let now = clock::now();
        let recorded = match self.policy {
            Some(_) => shelf.recorded(self.layout).await?,
            None => None,
        };
        // Of a history that was begun with another key nothing goes: the next run says why.
        if recorded.as_ref().is_some_and(|one| same_key(self.layout, &one.document).is_err()) {
            return Ok(None);
        }
        let mut report = self.nothing();
        if let (Some(recorded), Some(policy)) = (&recorded, self.policy) {
            report.history = Some(self.thinned(&shelf, recorded, policy, (now, None)).await?);
        }
        for table in TABLES {
            let policy = self.of_table(&shelf, recorded.as_ref(), table).await?;
            let name = self.layout.table(table);
            if let Some(due) = self.keeper.foreseen(&name, policy.as_ref()).await? {
                report.add(&due);
            }
        }
        Ok((self.policy.is_some() || !report.is_nothing()).then_some(report))
    }

    /// Does what is due.
    ///
    /// # Errors
    /// The store cannot be written, or another writer was first.
    pub async fn applied(&self, at: At) -> Outcome<Applied> {
        let heads = self.heads();
        let shelf = Shelf { store: self.keeper.store, keys: self.keeper.keys, heads: &heads };
        let (mut report, mut warnings) = (self.nothing(), Vec::new());
        let mut at = at;
        if let (Some(recorded), Some(policy)) = (self.recorded(&shelf).await?, self.policy) {
            let satellite = self.layout.table(VaultTable::Satellite);
            let doubt = self.keeper.doubted(&satellite, at).await?;
            let run = doubt.is_none().then_some(at.run);
            let due = self.thinned(&shelf, &recorded, policy, (at.rows, run)).await?;
            if let Some(doubt) = doubt.filter(|_| due.versions > 0) {
                return Ok(Applied::Doubted(Box::new(doubt)));
            }
            // Hub and links may be quiet for long while the satellite is not: it answers for the clock.
            at.trust_clock |= run.is_some();
            report.history = Some(due);
        }
        let recorded = self.recorded(&shelf).await?;
        for table in TABLES {
            let policy = self.of_table(&shelf, recorded.as_ref(), table).await?;
            match self.keeper.applied(&self.layout.table(table), policy.as_ref(), at).await? {
                Applied::Done(done, said) => {
                    report.add(&done);
                    warnings.extend(said);
                }
                Applied::Doubted(doubt) => warnings.push(doubt.as_warning()),
            }
        }
        Ok(Applied::Done(Box::new(report), warnings))
    }

    /// Whether nothing can be due, as far as it can be told without reading rows. Rows whose time is over by a
    /// column of theirs are looked for each time.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn is_idle(&self, now: Moment) -> Outcome<bool> {
        let Some(policy) = self.policy else {
            for table in TABLES {
                if !self.keeper.is_known_untouched(&self.layout.table(table))? {
                    return Ok(false);
                }
            }
            return Ok(true);
        };
        let heads = self.heads();
        let shelf = Shelf { store: self.keeper.store, keys: self.keeper.keys, heads: &heads };
        let recorded = self.recorded(&shelf).await?;
        let first_end = recorded.as_ref().and_then(|recorded| recorded.document.first_end);
        let border = policy.superseded_for.map(|span| span.before(now).timestamp_micros());
        let is_over = border.zip(first_end).is_some_and(|(border, end)| end < border);
        if policy.rows.is_some() || is_over {
            return Ok(false);
        }
        for table in TABLES {
            let of_table = self.of_table(&shelf, recorded.as_ref(), table).await?;
            let of_table = of_table.unwrap_or_else(|| policy.clone());
            if !self.keeper.is_idle(&self.layout.table(table), &of_table).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The newest load; none where there is no policy that anything goes by.
    async fn recorded(&self, shelf: &Shelf<'_>) -> Outcome<Option<Recorded>> {
        if self.policy.is_none() {
            return Ok(None);
        }
        let recorded = shelf.recorded(self.layout).await?;
        if let Some(recorded) = &recorded {
            same_key(self.layout, &recorded.document)?;
        }
        Ok(recorded)
    }

    fn nothing(&self) -> ExportRetention {
        ExportRetention::none(&self.layout.name, self.policy)
    }

    /// The policy by which snapshots of a table go: all before the one that the newest satellite names.
    async fn of_table(
        &self,
        shelf: &Shelf<'_>,
        recorded: Option<&Recorded>,
        table: VaultTable,
    ) -> Outcome<Option<Policy>> {
        let Some(policy) = self.policy else { return Ok(None) };
        let mut of_table = Policy { snapshots: None, rows: None, ..policy.clone() };
        let Some(named) = recorded.and_then(|recorded| recorded.table(table)) else {
            return Ok(Some(of_table));
        };
        let newest = shelf.tip(&self.layout.name, table).await?.predecessor();
        let newest = newest.map_or(named.manifest.version, |newest| newest.version);
        let keep = newest.saturating_sub(named.manifest.version).saturating_add(1);
        let keep = u32::try_from(keep).unwrap_or(u32::MAX);
        of_table.snapshots = SnapshotRule::new(Some(keep), None).ok();
        Ok(Some(of_table))
    }

    /// What goes of the rows; with a run, it has them go.
    async fn thinned(
        &self,
        shelf: &Shelf<'_>,
        recorded: &Recorded,
        policy: &Policy,
        (now, run): (Moment, Option<RunId>),
    ) -> Outcome<HistoryDue> {
        let Keeper { context, project, .. } = self.keeper;
        let limits = Limits { jobs: 1, ..workspace::limits(project, context) };
        let (session, vault) = (workspace::new_session(limits)?, recorded.vault(self.layout)?);
        let reading = Reading { session: &session, shelf, layout: self.layout, vault: &vault };
        let judging = Judging { reading, recorded, policy, now, limits };
        let has_age = !matches!(judging.aged()?, Aged::Unknown);
        let mut due = HistoryDue::of(policy, has_age);
        let Some(gone) = judging.gone().await? else { return Ok(due) };
        due.undated = gone.undated;
        let touched = gone.touched(recorded);
        due.versions = gone.satellite.count();
        due.keys = gone.hub.count();
        due.links = gone.links.as_ref().map_or(0, Marks::count);
        due.chunks = touched.len() as u64;
        let Some(run) = run.filter(|_| due.versions > 0) else { return Ok(due) };
        let deletion = self.deletion(policy, &due, &touched);
        let (store, keys) = (self.keeper.store, self.keeper.keys);
        // On record before it is done, like what is destroyed.
        store.record_deletions(&self.layout.name, &[deletion], keys).await?;
        let rows_max = project.export(&self.layout.export).map_or(1, |export| export.chunk.rows);
        Writing { reading, recorded, run, rows_max }.without(&gone).await?;
        Ok(due)
    }

    fn deletion(&self, policy: &Policy, due: &HistoryDue, touched: &[String]) -> Deletion {
        Deletion {
            chunks: due.chunks,
            rows: due.versions.saturating_add(due.keys).saturating_add(due.links),
            digest: digest_of(touched.iter().map(String::as_str)),
            ..Deletion::nothing(policy, &records::user(self.keeper.context), clock::now())
        }
    }
}
