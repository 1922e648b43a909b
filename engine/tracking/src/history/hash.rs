//! Hash keys and hash diffs of rows: SHA-256 (FIPS 180-4) of their canonical bytes.
//!
//! ```text
//!  tenant hash key   SHA-256( "…tenant"  ‖ tenant )
//!  hash key          SHA-256( "…key"     ‖ 00, or 01 ‖ tenant ‖ key columns )
//!  link hash key     SHA-256( "…link"    ‖ reference's name ‖ hash key ‖ referenced hash key )
//!  hash diff         SHA-256( "…diff"    ‖ columns, without the nulls at the end )   first 128 bits
//! ```
//!
//! What is written in quotes is the text `engine history v1 ` and the word, filled with zeros to one
//! block of 64 bytes: its compression is done once for all rows. The values are written as
//! `history/encode/mod.rs` says.
//!
//! Hashes are not keyed and hide nothing. They are of exported values, which are masked already; what an
//! export keeps in clear can be guessed from its hash as it can be read beside it.
//!
//! Two different rows share a hash key with a probability of about n² / 2²⁵⁷ among n. A diff is compared
//! only with one other, that of the same key, so 128 bits miss a change once in 2¹²⁸, and save a fifth of
//! a table's memory.

use arrow::array::{Array, ArrayRef, FixedSizeBinaryArray};
use arrow::buffer::Buffer;
use sha2::block_api::compress256;

use super::encode::{Row, Values, length, values};
use super::error::HistoryError;

/// Bytes of a hash key.
pub const KEY_BYTES: usize = 32;
/// Bytes of a hash diff.
pub const DIFF_BYTES: usize = 16;

/// The hash diff of a closing record, which has no values: the hash of nothing known.
pub const NO_DIFF: [u8; DIFF_BYTES] = [0; DIFF_BYTES];

/// Bytes of a block of SHA-256 (FIPS 180-4, section 5.2.1).
const BLOCK_BYTES: usize = 64;

/// The hash before the first block (FIPS 180-4, section 5.3.3).
const START: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// How many rows are encoded together, a column at a time: their bytes stay in the nearest cache.
const ROWS_TOGETHER: usize = 128;

/// The hash keys of business keys: 32 bytes a row, never null.
///
/// `keys` are the key columns in their declared order, as exported; `tenant` is the tenant column, if the
/// history has one. A null is a value that equals other nulls and nothing else.
///
/// # Errors
/// [`HistoryError`] when there is no key column, a type has no encoding, or lengths differ.
pub fn hash_keys(
    tenant: Option<&ArrayRef>,
    keys: &[ArrayRef],
) -> Result<FixedSizeBinaryArray, HistoryError> {
    let first = keys.first().ok_or(HistoryError::NoColumns)?;
    let columns: Vec<&ArrayRef> = tenant.into_iter().chain(keys).collect();
    let prefix = [u8::from(tenant.is_some())];
    Hasher::new("key", &prefix).digest::<KEY_BYTES>(&columns, first.len(), |_| ())
}

/// The hash keys of tenants: 32 bytes a row, never null.
///
/// # Errors
/// [`HistoryError::UnsupportedType`] when the type has no encoding.
pub fn hash_tenants(tenant: &ArrayRef) -> Result<FixedSizeBinaryArray, HistoryError> {
    Hasher::new("tenant", &[]).digest::<KEY_BYTES>(&[tenant], tenant.len(), |_| ())
}

/// The hash diffs of rows: 16 bytes a row, never null.
///
/// `columns` are those of the satellite, in its order, each of `rows` values; there may be none. Nulls at
/// the end do not count, so a column that is added behind the others makes no new version of a row that
/// has nothing in it.
///
/// # Errors
/// [`HistoryError`] when a type has no encoding, or a column another length.
pub fn hash_diffs(columns: &[ArrayRef], rows: usize) -> Result<FixedSizeBinaryArray, HistoryError> {
    let columns: Vec<&ArrayRef> = columns.iter().collect();
    Hasher::new("diff", &[]).digest::<DIFF_BYTES>(&columns, rows, Row::trim)
}

/// The hash keys of links: 32 bytes a row, never null. Both arrays are hash keys, in rows that belong
/// together.
///
/// # Errors
/// [`HistoryError::UnequalLengths`] when the arrays differ in length.
pub fn hash_links(
    reference: &str,
    keys: &ArrayRef,
    referenced: &ArrayRef,
) -> Result<FixedSizeBinaryArray, HistoryError> {
    let mut prefix = Vec::with_capacity(reference.len() + 2);
    length(reference.len(), &mut prefix);
    prefix.extend_from_slice(reference.as_bytes());
    Hasher::new("link", &prefix).digest::<KEY_BYTES>(&[keys, referenced], keys.len(), |_| ())
}

/// Hashes rows of one domain.
struct Hasher<'p> {
    /// The hash after the block that names the domain.
    start: [u32; 8],
    prefix: &'p [u8],
}

impl<'p> Hasher<'p> {
    fn new(domain: &str, prefix: &'p [u8]) -> Self {
        let mut label = [0; BLOCK_BYTES];
        let words = b"engine history v1 ".iter().chain(domain.as_bytes());
        label.iter_mut().zip(words).for_each(|(byte, word)| *byte = *word);
        let mut start = START;
        compress256(&mut start, &[label]);
        Self { start, prefix }
    }

    /// The first `N` bytes of each row's hash.
    fn digest<const N: usize>(
        &self,
        columns: &[&ArrayRef],
        rows: usize,
        end: fn(&mut Row),
    ) -> Result<FixedSizeBinaryArray, HistoryError> {
        if let Some(odd) = columns.iter().find(|column| column.len() != rows) {
            return Err(HistoryError::UnequalLengths { expected: rows, found: odd.len() });
        }
        let columns: Vec<Box<dyn Values + '_>> =
            columns.iter().map(|column| values(column.as_ref())).collect::<Result<_, _>>()?;
        let mut together = vec![Row::default(); ROWS_TOGETHER.min(rows)];
        let mut hashes = vec![[0; N]; rows];
        let mut states = Vec::with_capacity(together.len());
        for (start, hashes) in
            (0..rows).step_by(ROWS_TOGETHER).zip(hashes.chunks_mut(ROWS_TOGETHER))
        {
            let together = together.get_mut(..hashes.len()).unwrap_or_default();
            together.iter_mut().for_each(|row| row.restart(self.prefix));
            for column in &columns {
                column.write_rows(start, together);
            }
            together.iter_mut().for_each(|row| {
                end(row);
                pad(row.bytes_mut());
            });
            self.compress(together, &mut states);
            for (hash, state) in hashes.iter_mut().zip(&states) {
                for (bytes, word) in hash.as_chunks_mut().0.iter_mut().zip(state) {
                    *bytes = word.to_be_bytes();
                }
            }
        }
        let hashes = Buffer::from_vec(hashes.into_flattened());
        Ok(FixedSizeBinaryArray::try_new(N as i32, hashes, None)?)
    }

    /// The hashes of padded rows. The first blocks of all rows come first, then the second ones, …: a
    /// block waits for the one before it in its row, and the processor works on the next row's meanwhile.
    fn compress(&self, rows: &[Row], hashes: &mut Vec<[u32; 8]>) {
        hashes.clear();
        hashes.resize(rows.len(), self.start);
        let mut is_left = true;
        for number in 0.. {
            if !std::mem::take(&mut is_left) {
                break;
            }
            for (row, hash) in rows.iter().zip(hashes.iter_mut()) {
                let blocks = row.whole().as_chunks::<BLOCK_BYTES>().0;
                let Some(block) = blocks.get(number) else { continue };
                compress256(hash, std::slice::from_ref(block));
                is_left |= number + 1 < blocks.len();
            }
        }
    }
}

/// Fills a row behind its domain's block up to whole blocks (FIPS 180-4, section 5.1.1).
fn pad(bytes: &mut Vec<u8>) {
    let bits = (BLOCK_BYTES + bytes.len()) as u64 * 8;
    bytes.push(0x80);
    bytes.resize((bytes.len() + size_of::<u64>()).next_multiple_of(BLOCK_BYTES), 0);
    if let Some(length) = bytes.last_chunk_mut() {
        *length = bits.to_be_bytes();
    }
}
