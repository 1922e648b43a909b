//! A sorted set of digests, with what was counted of each, in bounded memory.
//!
//! ```text
//!  add ─▶ buffer ── full: sort, fold equal ones ──▶ run on disk, sealed with a key nobody keeps
//!                                                     16 runs of a level ──merge──▶ 1 of the next
//!  finish: runs and buffer, merged in order, each digest once
//! ```
//!
//! Bounds: at most [`BUFFER_ENTRIES`] entries wait in memory, less where the session's memory is short; a
//! level has fewer than [`RUNS_MERGED`] runs, of each of which a merge holds one segment of 1 MiB. A tally
//! has one file, without a name, so nothing is left of it when the process ends, however it ends.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::execution::memory_pool::MemoryReservation;
use engine_bundle::random;
use engine_bundle::secret::KeyMaterial;
use engine_bundle::stream::{SealWriter, SegmentOpener, StreamLayout};

/// Entries that wait in memory, 32 bytes each.
const BUFFER_ENTRIES: usize = 1 << 18;
/// Entries that are always granted.
const BUFFER_ENTRIES_MIN: usize = 1 << 10;
/// Runs of one level that are merged into one of the next.
const RUNS_MERGED: usize = 16;
/// Bytes of a sealed stream's header.
const HEADER_BYTES: usize = 40;

/// What is counted under a digest.
pub(super) trait Entry: Copy + Ord + Send {
    /// Bytes of an entry on disk.
    const BYTES: usize;
    /// Whether `other` is counted under the same digest.
    fn same(&self, other: &Self) -> bool;
    /// Adds what `other` counted.
    fn fold(&mut self, other: &Self);
    /// Appends the entry's bytes.
    fn write(&self, out: &mut Vec<u8>);
    /// An entry from its bytes.
    fn read(bytes: &[u8]) -> Option<Self>;
}

/// Rows of a digest, and the sides it was seen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group {
    pub(super) digest: u128,
    pub(super) rows: u64,
    pub(super) sides: u8,
}

impl Entry for Group {
    const BYTES: usize = 25;

    fn same(&self, other: &Self) -> bool {
        self.digest == other.digest
    }

    fn fold(&mut self, other: &Self) {
        self.rows = self.rows.saturating_add(other.rows);
        self.sides |= other.sides;
    }

    fn write(&self, out: &mut Vec<u8>) {
        // Big endian: bytes sort as entries do.
        out.extend_from_slice(&self.digest.to_be_bytes());
        out.extend_from_slice(&self.rows.to_be_bytes());
        out.push(self.sides);
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (digest, rest) = bytes.split_first_chunk()?;
        let (rows, rest) = rest.split_first_chunk()?;
        Some(Self {
            digest: u128::from_be_bytes(*digest),
            rows: u64::from_be_bytes(*rows),
            sides: *rest.first()?,
        })
    }
}

/// A value that occurs in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pair {
    pub(super) group: u128,
    /// None for a group whose values are absent so far.
    pub(super) value: Option<u128>,
}

impl Entry for Pair {
    const BYTES: usize = 33;

    fn same(&self, other: &Self) -> bool {
        self == other
    }

    fn fold(&mut self, _: &Self) {}

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.group.to_be_bytes());
        out.push(u8::from(self.value.is_some()));
        out.extend_from_slice(&self.value.unwrap_or_default().to_be_bytes());
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (group, rest) = bytes.split_first_chunk()?;
        let (there, rest) = rest.split_first()?;
        let value = u128::from_be_bytes(*rest.first_chunk()?);
        Some(Self { group: u128::from_be_bytes(*group), value: (*there == 1).then_some(value) })
    }
}

/// Where runs lie: a folder, and a key that lives as long as this.
pub(super) struct Disk {
    folder: PathBuf,
    key: KeyMaterial,
}

impl Disk {
    pub(super) fn new(folder: PathBuf) -> io::Result<Self> {
        let key = random::key().map_err(io::Error::other)?;
        Ok(Self { folder, key })
    }

    fn file(&self) -> io::Result<File> {
        std::fs::create_dir_all(&self.folder)?;
        tempfile::tempfile_in(&self.folder)
    }
}

/// Entries in ascending order, each digest once: a range of a tally's file.
struct Run {
    file: Arc<File>,
    start: u64,
    bytes: u64,
}

impl Run {
    /// Writes entries at the end of a file, which only its tally writes to.
    fn write<E: Entry>(
        disk: &Disk,
        file: &Arc<File>,
        entries: impl Iterator<Item = io::Result<E>>,
    ) -> io::Result<Self> {
        let start = (&**file).stream_position()?;
        let mut writer = SealWriter::new(BufWriter::new(&**file), &disk.key, &[])?;
        let mut bytes = Vec::with_capacity(E::BYTES);
        for entry in entries {
            bytes.clear();
            entry?.write(&mut bytes);
            writer.write_all(&bytes)?;
        }
        let mut end = writer.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        let bytes = end.stream_position()?.saturating_sub(start);
        Ok(Self { file: Arc::clone(file), start, bytes })
    }
}

/// Fills `bytes` from a place of a file, and leaves alone where its next write goes.
fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<()> {
    #[cfg(unix)]
    return std::os::unix::fs::FileExt::read_exact_at(file, bytes, at);
    #[cfg(not(unix))]
    return Err(io::Error::from(io::ErrorKind::Unsupported));
}

/// Reads a run, one segment in memory.
struct RunReader {
    run: Run,
    opener: SegmentOpener,
    layout: StreamLayout,
    next: u32,
    plain: Vec<u8>,
    at: usize,
}

impl RunReader {
    fn new(disk: &Disk, run: Run) -> io::Result<Self> {
        let mut header = [0; HEADER_BYTES];
        read_at(&run.file, &mut header, run.start)?;
        let opener = SegmentOpener::new(&disk.key, &[], &header).map_err(io::Error::other)?;
        let layout = StreamLayout::new(0, run.bytes).map_err(io::Error::other)?;
        Ok(Self { run, opener, layout, next: 0, plain: Vec::new(), at: 0 })
    }

    fn entry<E: Entry>(&mut self) -> io::Result<Option<E>> {
        while self.plain.len().saturating_sub(self.at) < E::BYTES {
            if !self.segment()? {
                return Ok(None);
            }
        }
        let end = self.at.saturating_add(E::BYTES);
        let entry = self.plain.get(self.at..end).and_then(E::read);
        self.at = end;
        Ok(entry)
    }

    /// Appends the next segment to what is left of the one before; false at the end.
    fn segment(&mut self) -> io::Result<bool> {
        let Some(segment) = self.layout.segment(self.next) else { return Ok(false) };
        let length = segment.ciphertext.end.saturating_sub(segment.ciphertext.start);
        let mut sealed = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        let start = self.run.start.saturating_add(segment.ciphertext.start);
        read_at(&self.run.file, &mut sealed, start)?;
        let opened = self.opener.open_segment(self.next, segment.place, &sealed);
        self.plain.drain(..self.at.min(self.plain.len()));
        self.at = 0;
        self.plain.extend_from_slice(&opened.map_err(io::Error::other)?);
        self.next = self.next.saturating_add(1);
        Ok(true)
    }
}

/// Runs and a sorted buffer as one ascending sequence, equal digests folded.
struct Merge<E> {
    readers: Vec<RunReader>,
    buffer: std::vec::IntoIter<E>,
    heads: BinaryHeap<Reverse<(E, usize)>>,
}

impl<E: Entry> Merge<E> {
    fn new(disk: &Disk, runs: Vec<Run>, buffer: Vec<E>) -> io::Result<Self> {
        let readers = runs.into_iter().map(|run| RunReader::new(disk, run));
        let readers: Vec<RunReader> = readers.collect::<io::Result<_>>()?;
        let mut merge = Self { readers, buffer: buffer.into_iter(), heads: BinaryHeap::new() };
        for from in 0..=merge.readers.len() {
            merge.advance(from)?;
        }
        Ok(merge)
    }

    /// Takes the next entry of a run, or of the buffer, which comes after all runs.
    fn advance(&mut self, from: usize) -> io::Result<()> {
        let entry = match self.readers.get_mut(from) {
            Some(reader) => reader.entry()?,
            None => self.buffer.next(),
        };
        self.heads.extend(entry.map(|entry| Reverse((entry, from))));
        Ok(())
    }

    fn entry(&mut self) -> io::Result<Option<E>> {
        let Some(Reverse((mut entry, from))) = self.heads.pop() else { return Ok(None) };
        self.advance(from)?;
        while let Some(Reverse((other, _))) = self.heads.peek()
            && other.same(&entry)
        {
            entry.fold(other);
            let Some(Reverse((_, from))) = self.heads.pop() else { break };
            self.advance(from)?;
        }
        Ok(Some(entry))
    }
}

impl<E: Entry> Iterator for Merge<E> {
    type Item = io::Result<E>;

    fn next(&mut self) -> Option<Self::Item> {
        self.entry().transpose()
    }
}

/// The entries so far.
pub(super) struct Tally<E> {
    disk: Arc<Disk>,
    memory: MemoryReservation,
    buffer: Vec<E>,
    /// One file for all runs: what was merged stays in it as garbage until the tally is gone.
    file: Option<Arc<File>>,
    levels: Vec<Vec<Run>>,
}

impl<E: Entry> Tally<E> {
    /// An empty one; what waits in memory counts against `memory`.
    pub(super) fn new(disk: Arc<Disk>, memory: MemoryReservation) -> Self {
        Self { disk, memory, buffer: Vec::new(), file: None, levels: Vec::new() }
    }

    /// Counts an entry.
    ///
    /// # Errors
    /// A run cannot be written.
    pub(super) fn add(&mut self, entry: E) -> io::Result<()> {
        if self.buffer.len() == self.buffer.capacity() {
            self.make_room()?;
        }
        self.buffer.push(entry);
        Ok(())
    }

    /// Counts what another one counted.
    ///
    /// # Errors
    /// A run cannot be written.
    pub(super) fn absorb(&mut self, other: Self) -> io::Result<()> {
        for entry in &other.buffer {
            self.add(*entry)?;
        }
        for (level, runs) in other.levels.into_iter().enumerate() {
            for run in runs {
                self.keep(level, run)?;
            }
        }
        Ok(())
    }

    /// Gives every digest once, in ascending order, with all that was counted of it.
    ///
    /// # Errors
    /// A run cannot be read.
    pub(super) fn finish(mut self, mut each: impl FnMut(E)) -> io::Result<()> {
        self.fold();
        let runs = self.levels.into_iter().flatten().collect();
        for entry in Merge::new(&self.disk, runs, self.buffer)? {
            each(entry?);
        }
        Ok(())
    }

    fn fold(&mut self) {
        self.buffer.sort_unstable();
        self.buffer.dedup_by(|later, earlier| {
            let same = earlier.same(later);
            if same {
                earlier.fold(later);
            }
            same
        });
    }

    fn make_room(&mut self) -> io::Result<()> {
        self.fold();
        let capacity = self.buffer.capacity();
        if self.buffer.len() < capacity / 2 {
            return Ok(());
        }
        let wanted = capacity.saturating_mul(2).max(BUFFER_ENTRIES_MIN);
        let granted = wanted <= BUFFER_ENTRIES
            && (self.memory.try_resize(wanted.saturating_mul(size_of::<E>())).is_ok()
                || wanted == BUFFER_ENTRIES_MIN);
        if granted {
            self.buffer.reserve_exact(wanted.saturating_sub(self.buffer.len()));
            return Ok(());
        }
        let file = self.file()?;
        let run = Run::write(&self.disk, &file, self.buffer.drain(..).map(Ok))?;
        self.keep(0, run)
    }

    fn file(&mut self) -> io::Result<Arc<File>> {
        if let Some(file) = &self.file {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(self.disk.file()?);
        self.file = Some(Arc::clone(&file));
        Ok(file)
    }

    fn keep(&mut self, level: usize, run: Run) -> io::Result<()> {
        while self.levels.len() <= level {
            self.levels.push(Vec::new());
        }
        let Some(runs) = self.levels.get_mut(level) else { return Ok(()) };
        runs.push(run);
        if runs.len() < RUNS_MERGED {
            return Ok(());
        }
        let runs = std::mem::take(runs);
        let file = self.file()?;
        let merging = Merge::<E>::new(&self.disk, runs, Vec::new())?;
        let merged = Run::write(&self.disk, &file, merging)?;
        self.keep(level.saturating_add(1), merged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryConsumer, MemoryPool};
    use std::collections::BTreeMap;

    fn tally<E: Entry>(bytes: usize, disk: &Arc<Disk>) -> Tally<E> {
        let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(bytes));
        Tally::new(Arc::clone(disk), MemoryConsumer::new("test").register(&pool))
    }

    fn disk(folder: &tempfile::TempDir) -> Arc<Disk> {
        Arc::new(Disk::new(folder.path().to_path_buf()).unwrap())
    }

    /// Digests that repeat, in no order.
    fn digests(count: u64, distinct: u64) -> impl Iterator<Item = u128> {
        (0..count).map(move |n| u128::from(n.wrapping_mul(7919) % distinct) << 64)
    }

    #[test]
    fn whatever_goes_to_disk_is_counted_as_in_memory() {
        let folder = tempfile::tempdir().unwrap();
        for (memory, count, distinct) in [(1 << 30, 5_000, 70), (0, 60_000, 30_011), (0, 90, 3)] {
            let disk = disk(&folder);
            let mut expected: BTreeMap<u128, u64> = BTreeMap::new();
            let mut halves = [tally::<Group>(memory, &disk), tally(memory, &disk)];
            for (at, digest) in digests(count, distinct).enumerate() {
                *expected.entry(digest).or_default() += 1;
                halves[at % 2].add(Group { digest, rows: 1, sides: 1 << (at % 2) }).unwrap();
            }
            let [mut all, other] = halves;
            assert_eq!(
                memory == 0 && count > 5_000,
                all.levels.iter().any(|runs| !runs.is_empty())
            );
            assert!(all.levels.iter().all(|runs| runs.len() < RUNS_MERGED));
            all.absorb(other).unwrap();
            let mut found = Vec::new();
            all.finish(|group| found.push((group.digest, group.rows))).unwrap();
            assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn pairs_are_told_apart_and_groups_without_values_stay() {
        let folder = tempfile::tempdir().unwrap();
        let mut pairs = tally::<Pair>(0, &disk(&folder));
        for n in 0..20_000_u128 {
            pairs.add(Pair { group: n % 5, value: (n % 5 != 4).then_some(n % 3) }).unwrap();
        }
        let mut found = Vec::new();
        pairs.finish(|pair| found.push((pair.group, pair.value))).unwrap();
        let values = [Some(0), Some(1), Some(2)];
        let mut expected: Vec<_> =
            (0..4).flat_map(|group| values.map(|value| (group, value))).collect();
        expected.push((4, None));
        assert_eq!(found, expected);
    }

    #[test]
    fn a_run_on_disk_shows_no_digest() {
        let folder = tempfile::tempdir().unwrap();
        let disk = disk(&folder);
        let marked = u128::from_be_bytes(*b"find me if clear");
        let entries = [Group { digest: marked, rows: 1, sides: 0 }];
        let file = Arc::new(disk.file().unwrap());
        let run = Run::write(&disk, &file, entries.into_iter().map(Ok)).unwrap();
        let mut bytes = vec![0; usize::try_from(run.bytes).unwrap()];
        read_at(&file, &mut bytes, 0).unwrap();
        assert_eq!(run.start, 0);
        assert!(!bytes.windows(16).any(|window| window == marked.to_be_bytes()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
