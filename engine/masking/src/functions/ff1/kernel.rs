//! The kernel of `ff1`: texts to numbers, many numbers through the permutation, numbers to texts.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, GenericStringArray, OffsetSizeTrait, StringArrayType, StringViewArray,
};
use arrow::datatypes::DataType;

use super::super::otherwise::Misfits;
use crate::alphabet::{Alphabet, Place};
use crate::error::MaskError;
use crate::feistel::{Direction, Lane, Modulus, Permutation, TWEAK_BYTES, permute_wide};
use crate::forms::{Counted, ROWS_TOGETHER, TextBuilder, Unfit};
use crate::key::LinkageKey;

/// Longest number, in numerals: the work grows with the square.
const LENGTH_MAX: usize = 256;

/// Ends each part of what a tweak is made of; no UTF-8 text holds it.
const END: u8 = 0xff;

/// The keyed hash of a row's entity; none where it has none.
pub(super) type Entity = Option<[u8; 32]>;

/// Least number of numerals of a number that at least `least` others are as long as.
pub(super) fn length_min(radix: u32, least: u128) -> usize {
    let enough = |length: &u32| u128::from(radix).pow(*length) >= least;
    // FF1 needs two halves; two to the twentieth is above a million.
    (2..20).find(enough).unwrap_or(20) as usize
}

/// The texts that are permuted, and how.
pub(super) struct Domain {
    pub(super) alphabet: Alphabet,
    pub(super) permutation: Permutation,
    /// Divides by the radix.
    pub(super) by_radix: Modulus,
    pub(super) length_min: usize,
    pub(super) keep_first: usize,
    pub(super) keep_last: usize,
    /// Nothing is kept, passed through or tweaked: every character is a numeral.
    pub(super) simple: bool,
    pub(super) misfits: Misfits,
    /// The column's name, if it is part of the tweak.
    pub(super) name: Option<String>,
    pub(super) key: LinkageKey,
}

/// What is known of the rows besides their values.
struct Rows<'a> {
    entities: Option<&'a [Entity]>,
    direction: Direction,
    unfit: &'a mut Unfit,
}

/// What one row is.
#[derive(Clone, Copy)]
enum Item {
    /// Null or empty.
    Nothing,
    /// The next lane.
    Lane,
    /// The next so many numerals of those that are too long for a lane.
    Wide(usize),
    /// Not of the domain.
    Unfit,
}

/// The values of some rows on their way; kept from batch to batch for its buffers.
#[derive(Default)]
struct Work {
    items: Vec<Item>,
    lanes: Vec<Lane>,
    wide: Vec<u16>,
    tweaks: Vec<u128>,
    numerals: Vec<u16>,
    material: Vec<u8>,
}

impl Domain {
    /// Permutes a plain column of text; with entities, one for each row.
    pub(super) fn permute(
        &self,
        column: &ArrayRef,
        entities: Option<&[Entity]>,
        direction: Direction,
    ) -> Result<Counted, MaskError> {
        let mut unfit = Unfit::default();
        let rows = Rows { entities, direction, unfit: &mut unfit };
        let masked: ArrayRef = match column.data_type() {
            DataType::Utf8 => Arc::new(self.rewrite::<i32, _>(&column.as_string::<i32>(), rows)?),
            DataType::LargeUtf8 => {
                Arc::new(self.rewrite::<i64, _>(&column.as_string::<i64>(), rows)?)
            }
            DataType::Utf8View => {
                let text = self.rewrite::<i32, _>(&column.as_string_view(), rows)?;
                Arc::new(StringViewArray::from(&text))
            }
            found => {
                let expected = DataType::Utf8;
                return Err(MaskError::UnexpectedType { expected, found: found.clone() });
            }
        };
        Ok((masked, unfit.places))
    }

    fn rewrite<'a, O: OffsetSizeTrait, A: StringArrayType<'a>>(
        &self,
        column: &A,
        Rows { entities, direction, unfit }: Rows<'_>,
    ) -> Result<GenericStringArray<O>, MaskError> {
        let mut builder = TextBuilder::with_rows(column.len());
        let mut work = Work::default();
        let value = |row: usize| {
            let value = if column.is_null(row) { "" } else { column.value(row) };
            (value, entities.map(|entities| entities.get(row).copied().flatten()))
        };
        for start in (0..column.len()).step_by(ROWS_TOGETHER) {
            let rows = start..column.len().min(start + ROWS_TOGETHER);
            self.read(rows.clone().map(value), &mut work);
            self.permute_all(&mut work, direction);
            let (mut lanes, mut wide) = (work.lanes.iter(), work.wide.as_slice());
            for (row, item) in rows.zip(&work.items) {
                match item {
                    Item::Nothing => {}
                    Item::Unfit => {
                        unfit.note(row, self.misfits.write(value(row).0, builder.bytes()));
                    }
                    Item::Lane => {
                        if let Some(lane) = lanes.next() {
                            self.spell(lane, &mut work.numerals);
                        }
                        self.write(value(row).0, &work.numerals, builder.bytes());
                    }
                    Item::Wide(length) => {
                        let (numerals, others) = wide.split_at_checked(*length).unwrap_or_default();
                        wide = others;
                        self.write(value(row).0, numerals, builder.bytes());
                    }
                }
                builder.end_row()?;
            }
        }
        builder.finish(unfit.nulls(column.len(), column.nulls()))
    }

    /// Reads the numbers of some rows, and makes their tweaks.
    fn read<'v>(&self, rows: impl Iterator<Item = (&'v str, Option<Entity>)>, work: &mut Work) {
        let mut hashes = self.key.lanes();
        work.items.clear();
        work.lanes.clear();
        work.wide.clear();
        work.tweaks.clear();
        for (value, entity) in rows {
            let item = match value {
                "" => Item::Nothing,
                value => self.read_one(value, entity, work),
            };
            if matches!(item, Item::Lane | Item::Wide(_)) && self.permutation.tweak_bytes() > 0 {
                hashes.push(&work.material);
            }
            work.items.push(item);
        }
        // The first bytes of each hash, at the high end.
        const UNUSED: u32 = u128::BITS - 8 * TWEAK_BYTES as u32;
        work.tweaks.extend(hashes.finish().iter().map(|hash| {
            let first = hash.first_chunk().copied().unwrap_or_default();
            u128::from_be_bytes(first) >> UNUSED << UNUSED
        }));
    }

    /// Reads one value.
    #[inline]
    fn read_one(&self, value: &str, entity: Option<Entity>, work: &mut Work) -> Item {
        work.numerals.clear();
        let fits = if self.simple {
            value.chars().all(|character| match self.alphabet.place(character) {
                Place::Numeral(numeral) => {
                    work.numerals.push(numeral);
                    true
                }
                _ => false,
            })
        } else {
            self.read_parts(value, entity, work)
        };
        let length = work.numerals.len();
        if !fits || !(self.length_min..=LENGTH_MAX).contains(&length) {
            return Item::Unfit;
        }
        if !self.permutation.fits(length) {
            work.wide.extend_from_slice(&work.numerals);
            return Item::Wide(length);
        }
        let (first, second) = work.numerals.split_at(length / 2);
        let radix = u64::from(self.permutation.radix());
        // Halves that fit a lane are below 2^64.
        let number = |half: &[u16]| {
            half.iter().fold(0_u64, |sum, numeral| {
                sum.wrapping_mul(radix).wrapping_add(u64::from(*numeral))
            })
        };
        work.lanes.push(Lane { length, first: number(first), second: number(second), tweak: 0 });
        Item::Lane
    }

    /// Splits a value into numerals and what its tweak is made of: the start that is kept, `END`, the end
    /// that is kept, `END`, the column's name with `END`, the entity's hash. False if it does not fit.
    fn read_parts(&self, value: &str, entity: Option<Entity>, work: &mut Work) -> bool {
        work.material.clear();
        let counted = value.chars().filter(|character| self.counts(*character)).count();
        let Some(last) = counted.checked_sub(self.keep_last) else { return false };
        let counted = value.chars().filter(|character| self.counts(*character));
        for (index, character) in counted.enumerate() {
            if index == last {
                work.material.push(END);
            }
            if index < self.keep_first || index >= last {
                let mut bytes = [0; 4];
                work.material.extend_from_slice(character.encode_utf8(&mut bytes).as_bytes());
            } else if let Place::Numeral(numeral) = self.alphabet.place(character) {
                work.numerals.push(numeral);
            } else {
                return false;
            }
        }
        if self.keep_last == 0 {
            work.material.push(END);
        }
        work.material.push(END);
        if let Some(name) = &self.name {
            work.material.extend_from_slice(name.as_bytes());
            work.material.push(END);
        }
        match entity {
            // Without an entity there is no tweak.
            Some(None) => return false,
            Some(Some(entity)) => work.material.extend_from_slice(&entity),
            None => {}
        }
        last >= self.keep_first
    }

    #[inline]
    fn counts(&self, character: char) -> bool {
        self.alphabet.place(character) != Place::Passed
    }

    fn permute_all(&self, work: &mut Work, direction: Direction) {
        let tweak_bytes = self.permutation.tweak_bytes();
        let mut tweaks = work.tweaks.iter().copied();
        let mut lanes = work.lanes.iter_mut();
        let mut wide = work.wide.as_mut_slice();
        for item in &work.items {
            match item {
                Item::Nothing | Item::Unfit => {}
                Item::Lane => {
                    if let Some(lane) = lanes.next() {
                        lane.tweak = tweaks.next().unwrap_or_default();
                    }
                }
                Item::Wide(length) => {
                    let (numerals, others) =
                        std::mem::take(&mut wide).split_at_mut_checked(*length).unwrap_or_default();
                    wide = others;
                    let tweak = tweaks.next().unwrap_or_default().to_be_bytes();
                    let tweak = tweak.get(..tweak_bytes).unwrap_or_default();
                    let (cipher, radix) = (self.permutation.cipher(), self.permutation.radix());
                    permute_wide(cipher, radix, tweak, numerals, direction);
                }
            }
        }
        self.permutation.permute(&mut work.lanes, direction);
    }

    /// The numerals of a lane.
    #[inline]
    fn spell(&self, lane: &Lane, numerals: &mut Vec<u16>) {
        numerals.clear();
        numerals.resize(lane.length, 0);
        let Some((first, second)) = numerals.split_at_mut_checked(lane.length / 2) else { return };
        for (half, mut number) in [(first, lane.first), (second, lane.second)] {
            for numeral in half.iter_mut().rev() {
                let (rest, last) = self.by_radix.divide(number);
                *numeral = last as u16;
                number = rest;
            }
        }
    }

    /// Appends the value with other numerals in their places.
    #[inline]
    fn write(&self, value: &str, numerals: &[u16], out: &mut Vec<u8>) {
        if self.simple {
            numerals.iter().for_each(|numeral| self.alphabet.write(*numeral, out));
            return;
        }
        let hidden = self.keep_first..self.keep_first + numerals.len();
        let mut numerals = numerals.iter();
        let mut index = 0;
        for character in value.chars() {
            let counts = self.counts(character);
            if counts && hidden.contains(&index) {
                numerals.next().into_iter().for_each(|numeral| self.alphabet.write(*numeral, out));
            } else {
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            index += usize::from(counts);
        }
    }
}
