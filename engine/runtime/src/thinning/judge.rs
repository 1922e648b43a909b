//! Which rows of a history's tables go now.

use arrow::array::{AsArray, FixedSizeBinaryArray, RecordBatch};
use arrow::compute::{filter_record_batch, not};
use arrow::datatypes::Schema;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::logical_expr::{Expr, ident, lit};
use engine_tracking::history::{
    Ages, Expired, HASH_DIFF, HASH_KEY, HistoryError, IS_DELETED, LINK_HASH_KEY, LOAD_DATE, Part,
    Recorded as Narrow, Thinned, VERSION, VaultTable, expiry_parts,
};
use engine_tracking::retention::{Moment, Policy};

use super::marks::Marks;
use super::read::{Reading, Rows, placed};
use crate::diagnostic::{Failure, Outcome};
use crate::expiry::{Age, Border, age};
use crate::fault;
use crate::history::{Recorded, is_own, refused};
use crate::session::Limits;
use crate::store::Stored;
use crate::unseal::arrow_schema;

/// The share of the memory limit that rows being judged may take.
const SHARE: u64 = 2;
/// The column of marks beside the satellite's.
const MARKED: &str = "engine_is_expired";
/// The column of rows without a date.
const UNDATED: &str = "engine_is_undated";

/// A history to be judged by its policy.
pub(super) struct Judging<'a> {
    pub(super) reading: Reading<'a>,
    pub(super) recorded: &'a Recorded,
    pub(super) policy: &'a Policy,
    pub(super) now: Moment,
    pub(super) limits: Limits,
}

/// What goes.
pub(super) struct Gone {
    pub(super) satellite: Marks,
    pub(super) hub: Marks,
    pub(super) links: Option<Marks>,
    /// When the first of the versions that stay was superseded.
    pub(super) first_end: Option<i64>,
    /// The border of superseded versions, in microseconds since 1970.
    pub(super) border: Option<i64>,
    /// Versions that have no date to tell their age by, and stay for it.
    pub(super) undated: u64,
}

impl Gone {
    /// The chunks that hold any row that goes.
    pub(super) fn touched(&self, recorded: &Recorded) -> Vec<String> {
        let tables = [
            Some((&recorded.satellite, &self.satellite)),
            Some((&recorded.hub, &self.hub)),
            recorded.links.as_ref().zip(self.links.as_ref()),
        ];
        let touched = tables.into_iter().flatten().flat_map(|(stored, marks)| {
            let chunks = placed(&stored.manifest);
            chunks.filter(|(first, chunk)| marks.count_of(*first, chunk.rows) > 0)
        });
        touched.map(|(_, chunk)| chunk.id.to_string()).collect()
    }
}

/// What a policy says of rows by their age.
pub(super) enum Aged {
    /// Nothing.
    Kept,
    /// No table has the column.
    Unknown,
    /// Rows of this table that meet this go.
    Where(VaultTable, Box<Border>),
}

impl Judging<'_> {
    /// The moment before which versions must have been superseded to go; none where they stay.
    fn border(&self) -> Option<i64> {
        let hold = self.policy.legal_hold.as_ref();
        if hold.is_some_and(|hold| hold.is_in_force(self.now)) {
            return None;
        }
        Some(self.policy.superseded_for?.before(self.now).timestamp_micros())
    }

    /// What the policy says of rows by their age.
    ///
    /// # Errors
    /// A column of a type that this version cannot read.
    pub(super) fn aged(&self) -> Outcome<Aged> {
        let mut aged = Aged::Kept;
        for table in [VaultTable::Satellite, VaultTable::Hub] {
            let Some(stored) = self.recorded.table(table) else { continue };
            let manifest = &stored.manifest;
            let schema = arrow_schema(manifest);
            let schema = schema.map_err(|error| fault::running(&error, &manifest.export))?;
            // The history's own dates say nothing of the age of a row.
            let published = schema.fields().iter().filter(|field| !is_own(field.name()));
            let published = Schema::new(published.cloned().collect::<Vec<_>>());
            match age(self.policy, &published, self.now) {
                Age::Kept => return Ok(Aged::Kept),
                Age::Unknown => aged = Aged::Unknown,
                Age::Border(border) => return Ok(Aged::Where(table, border)),
            }
        }
        Ok(aged)
    }

    /// What goes now; none where nothing does.
    ///
    /// # Errors
    /// A chunk is missing or was changed, or memory does not suffice.
    pub(super) async fn gone(&self) -> Outcome<Option<Gone>> {
        let (border, aged) = (self.border(), self.aged()?);
        let first_end = self.recorded.document.first_end;
        let is_over = border.zip(first_end).is_some_and(|(border, end)| end < border);
        if !is_over && !matches!(aged, Aged::Where(..)) {
            return Ok(None);
        }
        let vault = self.reading.vault;
        let (satellite, hub) = (&self.recorded.satellite, &self.recorded.hub);
        let links = self.recorded.links.as_ref();
        let mut gone = Gone {
            satellite: Marks::none(&satellite.manifest),
            hub: Marks::none(&hub.manifest),
            links: links.map(|links| Marks::none(&links.manifest)),
            first_end: None,
            border,
            undated: 0,
        };
        let bytes_max = self.limits.memory_bytes as u64 / SHARE;
        for part in Part::all(expiry_parts(satellite.manifest.rows, bytes_max)) {
            let (expired, held, undated) = self.part(part, border, &aged).await?;
            // Each part reads all rows.
            gone.undated = undated;
            gone.first_end = gone.first_end.into_iter().chain(expired.first_end()).min();
            if expired.is_nothing() {
                continue;
            }
            expired.positions().iter().for_each(|position| gone.satellite.mark(*position));
            let mut thinned = Thinned::new(vault, &expired);
            let has_links = links.is_some() && expired.thinned() > 0;
            self.hub(&expired, (has_links, &mut thinned), &mut gone.hub).await?;
            if let Some((links, marks)) = links.zip(gone.links.as_mut()) {
                if has_links {
                    self.staying(&gone.satellite, &mut thinned, &held).await?;
                }
                self.links(links, &thinned, marks).await?;
            }
        }
        Ok(Some(gone))
    }

    /// The versions of one part, judged, with the memory they take.
    async fn part(
        &self,
        part: Part,
        border: Option<i64>,
        aged: &Aged,
    ) -> Outcome<(Expired, MemoryReservation, u64)> {
        let held = MemoryConsumer::new("versions of a history that are judged");
        let held = held.register(&self.reading.session.runtime_env().memory_pool);
        let mut ages = Ages::new(part);
        let mut columns: Vec<Expr> =
            [HASH_KEY, HASH_DIFF, VERSION, LOAD_DATE, IS_DELETED].map(ident).into();
        let (marked, undated) = match aged {
            Aged::Where(VaultTable::Satellite, border) => {
                let undated = border.undated.clone().and(ident(IS_DELETED).is_false());
                (border.gone.clone().is_true(), undated)
            }
            _ => (lit(false), lit(false)),
        };
        columns.extend([marked.alias(MARKED), undated.alias(UNDATED)]);
        let mut undated = 0_u64;
        let satellite = &self.recorded.satellite;
        let mut rows = self.rows(VaultTable::Satellite, satellite, columns)?;
        while let Some((first, batch)) = rows.next().await? {
            let flags = |name| batch.column_by_name(name).and_then(|flags| flags.as_boolean_opt());
            undated += flags(UNDATED).map_or(0, |rows| rows.true_count() as u64);
            let marked = flags(MARKED);
            let narrow = Narrow::of(&batch).map_err(|error| self.refused(&error))?;
            let read = ages.insert(&narrow, marked, first);
            read.map_err(|error| self.refused(&error))?;
            self.hold(&held, ages.bytes())?;
        }
        if let Aged::Where(VaultTable::Hub, border) = aged {
            let columns = vec![ident(HASH_KEY), border.gone.clone().is_true().alias(MARKED)];
            let mut rows = self.rows(VaultTable::Hub, &self.recorded.hub, columns)?;
            while let Some((_, batch)) = rows.next().await? {
                let marked = batch.column_by_name(MARKED).and_then(|one| one.as_boolean_opt());
                let Some(marked) = marked else { continue };
                let expired = filter_record_batch(&batch, marked).map_err(HistoryError::from);
                let expired = expired.map_err(|error| self.refused(&error))?;
                let read = keys(&expired).map(|keys| ages.expire(keys)).transpose();
                read.map_err(|error| self.refused(&error))?;
                self.hold(&held, ages.bytes())?;
            }
        }
        Ok((ages.judge(border), held, undated))
    }

    fn hold(&self, held: &MemoryReservation, bytes: u64) -> Outcome<()> {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        let resized = held.try_resize(bytes);
        Ok(resized.map_err(|error| fault::running(&error, &self.reading.layout.name))?)
    }

    /// Marks the keys that go, and reads what links of the others are made of.
    async fn hub(
        &self,
        expired: &Expired,
        (has_links, thinned): (bool, &mut Thinned<'_>),
        marks: &mut Marks,
    ) -> Outcome<()> {
        let columns = std::iter::once(HASH_KEY.to_owned()).chain(thinned.hub_columns());
        let columns = columns.map(ident).collect();
        let mut rows = self.rows(VaultTable::Hub, &self.recorded.hub, columns)?;
        while let Some((first, batch)) = rows.next().await? {
            if let Some(keys) = keys(&batch) {
                marks.mark_all(first, &expired.is_gone(keys));
            }
            if has_links {
                thinned.hub(&batch).map_err(|error| self.refused(&error))?;
            }
        }
        Ok(())
    }

    /// Reads what links are made of in the versions that stay.
    async fn staying(
        &self,
        marks: &Marks,
        thinned: &mut Thinned<'_>,
        held: &MemoryReservation,
    ) -> Outcome<()> {
        let judged = held.size() as u64;
        let own = [HASH_KEY, HASH_DIFF].map(str::to_owned).into_iter();
        let columns = own.chain(thinned.satellite_columns()).map(ident).collect();
        let satellite = &self.recorded.satellite;
        let mut rows = self.rows(VaultTable::Satellite, satellite, columns)?;
        while let Some((first, batch)) = rows.next().await? {
            let stays = not(&marks.of(first, batch.num_rows())).map_err(HistoryError::from);
            let rows = stays.and_then(|stays| Ok(filter_record_batch(&batch, &stays)?));
            let read = rows.and_then(|rows| thinned.version(&rows));
            read.map_err(|error| self.refused(&error))?;
            self.hold(held, judged.saturating_add(thinned.bytes()))?;
        }
        Ok(())
    }

    async fn links(&self, links: &Stored, thinned: &Thinned<'_>, marks: &mut Marks) -> Outcome<()> {
        let columns = [HASH_KEY, LINK_HASH_KEY].map(ident).into();
        let mut rows = self.rows(VaultTable::Links, links, columns)?;
        while let Some((first, batch)) = rows.next().await? {
            let gone = thinned.is_gone(&batch).map_err(|error| self.refused(&error))?;
            marks.mark_all(first, &gone);
        }
        Ok(())
    }

    fn rows<'t>(
        &'t self,
        table: VaultTable,
        stored: &'t Stored,
        columns: Vec<Expr>,
    ) -> Outcome<Rows<'t>> {
        let file = self.reading.shelf.file(&self.reading.layout.name, table)?;
        let manifest = &stored.manifest;
        Ok(self.reading.rows((file, manifest), placed(manifest), columns))
    }

    pub(super) fn refused(&self, error: &HistoryError) -> Failure {
        refused(&self.reading.layout.name, error).into()
    }
}

/// The hash keys of a batch.
fn keys(batch: &RecordBatch) -> Option<&FixedSizeBinaryArray> {
    batch.column_by_name(HASH_KEY)?.as_fixed_size_binary_opt()
}
