//! What the benchmark of history measures: `tests/bench/history` says how.
//!
//! ```text
//! history record EXPORT SATELLITE            the first load of an export, in plain Parquet
//! history load SATELLITE EXPORT [APPENDED]   another load, and what it appends
//! history compare SATELLITE HASHES           the comparison alone: of hashes that are there
//! ```
//!
//! All threads read row groups and hash them. Keys are compared in parts, each behind its lock, so that
//! threads seldom wait for each other.

use std::fs::File;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::{Array, AsArray, FixedSizeBinaryArray, RecordBatch};
use engine_tracking::history::{
    Comparison, CurrentState, HASH_DIFF, HASH_KEY, IS_DELETED, LOAD_DATE, Load, Outcome, Part,
    Recorded, Tally, VERSION, Vault,
};
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

/// The allocator of the engine.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failed = Box<dyn std::error::Error + Send + Sync>;

const THREADS: usize = 2;
const PARTS: u32 = 8;
const ROWS_TOGETHER: usize = 8_192;
const ROWS_OF_A_GROUP: usize = 131_072;
/// When the loads were, in seconds since 1970.
const FIRST: i64 = 1_767_225_600;
const SECOND: i64 = FIRST + 86_400;
const NARROW: [&str; 5] = [HASH_KEY, HASH_DIFF, VERSION, LOAD_DATE, IS_DELETED];

#[expect(clippy::print_stdout, reason = "what was found is what this program is for")]
fn main() -> Result<(), Failed> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let tally = match arguments.as_slice() {
        ["record", export, satellite] => record(export, satellite)?,
        ["load", satellite, export] => load(satellite, export, None)?,
        ["load", satellite, export, appended] => load(satellite, export, Some(appended))?,
        ["compare", satellite, hashes] => compare(satellite, hashes)?,
        _ => return Err("usage: history record|load|compare FILE FILE [FILE]".into()),
    };
    println!(
        "new {} changed {} unchanged {} gone {}",
        tally.new, tally.changed, tally.unchanged, tally.gone
    );
    Ok(())
}

/// Records all rows of an export as new.
fn record(export: &str, satellite: &str) -> Result<Tally, Failed> {
    let run = Run::of(export, FIRST, Some(satellite))?;
    let share = run.export.share()?;
    let parts = Part::all(PARTS).map(|part| CurrentState::new(&run.load, part, share).compare());
    let parts = parts.map(|part| Ok(Mutex::new(part?))).collect::<Result<_, Failed>>()?;
    run.finish(parts)
}

fn load(satellite: &str, export: &str, appended: Option<&str>) -> Result<Tally, Failed> {
    let run = Run::of(export, SECOND, appended)?;
    let parts = recorded(satellite, &run.load)?;
    run.finish(parts)
}

fn compare(satellite: &str, hashes: &str) -> Result<Tally, Failed> {
    let (load, hashes) = (a_load(SECOND), Rows::open(hashes, Some(&[HASH_KEY, HASH_DIFF]))?);
    let parts = recorded(satellite, &load)?;
    hashes.each(|batch| {
        let [keys, diffs] = batch.columns() else { return Err("these are not hashes".into()) };
        probe(&parts, keys.as_fixed_size_binary(), diffs.as_fixed_size_binary()).map(drop)
    })?;
    let tallies = in_threads(parts, |part| Ok(unlocked(part).finish()?.tally()))?;
    Ok(tallies.into_iter().fold(Tally::default(), |sum, tally| sum + tally))
}

/// What rows of the load are, in all parts.
fn probe(
    parts: &[Mutex<Comparison>],
    keys: &FixedSizeBinaryArray,
    diffs: &FixedSizeBinaryArray,
) -> Result<Vec<Outcome>, Failed> {
    let mut outcomes = vec![Outcome::Elsewhere; keys.len()];
    for part in parts {
        locked(part).probe_into(keys, diffs, &mut outcomes)?;
    }
    Ok(outcomes)
}

/// What is recorded of all parts.
fn recorded(satellite: &str, load: &Load) -> Result<Vec<Mutex<Comparison>>, Failed> {
    let satellite = Rows::open(satellite, Some(&NARROW))?;
    let share = satellite.share()?;
    let parts = Part::all(PARTS).map(|part| Mutex::new(CurrentState::new(load, part, share)));
    let parts: Vec<_> = parts.collect();
    satellite.each(|batch| {
        let rows = Recorded::of(&batch)?;
        parts.iter().try_for_each(|part| locked(part).insert(&rows).map_err(Failed::from))
    })?;
    in_threads(parts, |part| Ok(Mutex::new(unlocked(part).compare()?)))
}

/// A load of an export.
struct Run {
    export: Rows,
    vault: Vault,
    load: Load,
    appended: Option<Mutex<ArrowWriter<File>>>,
}

impl Run {
    fn of(export: &str, seconds: i64, appended: Option<&str>) -> Result<Self, Failed> {
        let export = Rows::open(export, None)?;
        let vault = Vault::new("customers", export.metadata.schema(), &["customer_id"], None, &[])?;
        let appended = appended.map(|path| writer(path, &vault)).transpose()?.map(Mutex::new);
        Ok(Self { export, vault, load: a_load(seconds), appended })
    }

    /// Compares all rows, and appends what differs.
    fn finish(self, parts: Vec<Mutex<Comparison>>) -> Result<Tally, Failed> {
        self.export.each(|batch| {
            let hashed = self.vault.hash(&batch)?;
            let outcomes = probe(&parts, &hashed.keys, &hashed.diffs)?;
            let Some(appended) = &self.appended else { return Ok(()) };
            let rows = self.vault.satellite_rows(&batch, &hashed, &outcomes, &self.load)?;
            Ok(locked(appended).write(&rows)?)
        })?;
        let mut tally = Tally::default();
        for findings in in_threads(parts, |part| Ok(unlocked(part).finish()?))? {
            tally = tally + findings.tally();
            for gone in findings.gone(ROWS_TOGETHER) {
                let (keys, versions) = gone?;
                let Some(appended) = &self.appended else { break };
                let rows = self.vault.closing_rows(&keys, &versions, &self.load)?;
                locked(appended).write(&rows)?;
            }
        }
        if let Some(appended) = self.appended {
            unlocked(appended).close()?;
        }
        Ok(self.load.settle(tally)?)
    }
}

fn a_load(seconds: i64) -> Load {
    let date = chrono::DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    Load::new(date, "the benchmark", None)
}

#[expect(clippy::disallowed_methods, reason = "the benchmark writes plain Parquet")]
fn writer(path: &str, vault: &Vault) -> Result<ArrowWriter<File>, Failed> {
    let compression = Compression::ZSTD(ZstdLevel::try_new(3)?);
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_max_row_group_row_count(Some(ROWS_OF_A_GROUP))
        .build();
    let schema = Arc::clone(vault.satellite_schema());
    Ok(ArrowWriter::try_new(File::create(path)?, schema, Some(properties))?)
}

/// The rows of a Parquet file.
struct Rows {
    path: String,
    metadata: ArrowReaderMetadata,
    columns: ProjectionMask,
}

impl Rows {
    fn open(path: &str, columns: Option<&[&str]>) -> Result<Self, Failed> {
        let metadata = ArrowReaderMetadata::load(&open(path)?, ArrowReaderOptions::new())?;
        let schema = metadata.parquet_schema();
        let columns = columns.map_or(ProjectionMask::all(), |columns| {
            ProjectionMask::columns(schema, columns.iter().copied())
        });
        Ok(Self { path: path.to_owned(), metadata, columns })
    }

    /// The rows of a part.
    fn share(&self) -> Result<usize, Failed> {
        let rows = self.metadata.metadata().file_metadata().num_rows();
        Ok(usize::try_from(rows)? / PARTS as usize)
    }

    /// Hands all batches to a function, on all threads.
    fn each(&self, work: impl Fn(RecordBatch) -> Result<(), Failed> + Sync) -> Result<(), Failed> {
        let next = AtomicUsize::new(0);
        let groups = self.metadata.metadata().num_row_groups();
        let worker = || {
            loop {
                let group = next.fetch_add(1, Ordering::Relaxed);
                if group >= groups {
                    return Ok(());
                }
                for batch in self.group(group)? {
                    work(batch?)?;
                }
            }
        };
        let workers = std::iter::repeat_n(worker, THREADS).collect();
        in_threads(workers, |worker| worker()).map(drop)
    }

    fn group(&self, group: usize) -> Result<ParquetRecordBatchReader, Failed> {
        // Opened for each, since clones of a file share their place in it.
        let (file, metadata) = (open(&self.path)?, self.metadata.clone());
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
            .with_projection(self.columns.clone())
            .with_batch_size(ROWS_TOGETHER)
            .with_row_groups(vec![group]);
        Ok(reader.build()?)
    }
}

#[expect(clippy::disallowed_methods, reason = "the benchmark reads plain Parquet")]
fn open(path: &str) -> std::io::Result<File> {
    File::open(path)
}

/// Does something with each item, in order, in as many threads as there are.
fn in_threads<T: Send, U: Send>(
    items: Vec<T>,
    work: impl Fn(T) -> Result<U, Failed> + Sync,
) -> Result<Vec<U>, Failed> {
    let mut done = Vec::with_capacity(items.len());
    let mut items = items.into_iter();
    std::thread::scope(|scope| {
        let work = &work;
        loop {
            let threads: Vec<_> =
                items.by_ref().take(THREADS).map(|item| scope.spawn(move || work(item))).collect();
            if threads.is_empty() {
                return Ok(done);
            }
            for thread in threads {
                let result = thread.join().unwrap_or_else(|_| Err("a thread broke".into()));
                done.push(result?);
            }
        }
    })
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unlocked<T>(of: Mutex<T>) -> T {
    of.into_inner().unwrap_or_else(PoisonError::into_inner)
}
