//! Texts of one batch, written again without what was found in them.
//!
//! ```text
//!  all bytes ─ triggers ─▶ rows with any ─▶ findings ─┬─ none: one copy of all bytes
//!                                                     └─ values by mask ─ masked together ─▶ rows
//! ```

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, GenericStringArray, OffsetSizeTrait, StringArray,
    UInt64Array,
};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Date32Type};
use chrono::{Datelike, NaiveDate};

use super::dates::{Date, Slashes};
use super::findings::{By, Finding, Forms, resolve};
use super::names::{self, Dictionary};
use super::triggers;
use crate::error::MaskError;
use crate::forms::TextBuilder;
use crate::function::Mask;

/// Written where a mask gives nothing, or the value itself.
const REDACTED: &str = "[redacted]";

/// 1970-01-01, in chrono's days.
const EPOCH: i32 = 719_163;

/// A mask for one kind of finding.
pub(super) struct Slot {
    pub(super) mask: Box<dyn Mask>,
    /// Which of the other columns it reads.
    pub(super) inputs: Vec<usize>,
    /// Whether it masks dates, not their text.
    pub(super) dates: bool,
}

/// Finds and replaces.
pub(super) struct Scrubber {
    pub(super) forms: Forms,
    pub(super) slots: Vec<Slot>,
    /// Other columns whose values are looked for, and their masks.
    pub(super) columns: Vec<(usize, usize)>,
    /// Dictionaries, and their masks.
    pub(super) dictionaries: Vec<(Dictionary, usize)>,
}

impl Scrubber {
    /// The texts without what was found in them, in fresh buffers.
    pub(super) fn rewrite<O: OffsetSizeTrait>(
        &self,
        texts: &GenericStringArray<O>,
        others: &[ArrayRef],
    ) -> Result<GenericStringArray<O>, MaskError> {
        let compacted;
        let texts = match hides_bytes(texts) {
            true => {
                compacted = gather::<O>(texts.iter(), texts)?;
                &compacted
            }
            false => texts,
        };
        let mut found = self.by_form(texts);
        if !self.columns.is_empty() || !self.dictionaries.is_empty() {
            found = self.with_names(texts, others, found)?;
        }
        if found.is_empty() {
            return copy(texts);
        }
        let masked = self.masked(texts, others, &found)?;
        replace(texts, &found, &masked)
    }

    /// What is found by its form in all rows.
    fn by_form<O: OffsetSizeTrait>(&self, texts: &GenericStringArray<O>) -> Vec<Finding> {
        let mut found = Vec::new();
        let ends = texts.value_offsets();
        let (Some(first), Some(last)) = (ends.first(), ends.last()) else { return found };
        let bytes = texts.value_data().get(..last.as_usize()).unwrap_or_default();
        let mut rows = ends.iter().skip(1).map(|end| end.as_usize()).enumerate();
        let mut from = first.as_usize();
        while let Some(place) = triggers::next(bytes, from) {
            let Some((row, end)) = rows.find(|(_, end)| *end > place) else { break };
            let text = texts.value(row);
            self.forms.find(row, text, (place + text.len()).saturating_sub(end), &mut found);
            from = end;
        }
        found
    }

    /// The same and what names are found, in the order of rows.
    fn with_names<O: OffsetSizeTrait>(
        &self,
        texts: &GenericStringArray<O>,
        others: &[ArrayRef],
        by_form: Vec<Finding>,
    ) -> Result<Vec<Finding>, MaskError> {
        let columns: Vec<(ArrayRef, usize)> = self
            .columns
            .iter()
            .filter_map(|(input, slot)| Some((others.get(*input)?, *slot)))
            .map(|(column, slot)| Ok((as_text(column)?, slot)))
            .collect::<Result<_, MaskError>>()?;
        let mut by_form = by_form.into_iter().peekable();
        let mut all = Vec::new();
        for (row, text) in texts.iter().enumerate() {
            let begin = all.len();
            all.extend(std::iter::from_fn(|| by_form.next_if(|finding| finding.row == row)));
            let Some(text) = text.filter(|text| !text.is_empty()) else { continue };
            let before = all.len();
            for (column, slot) in &columns {
                let values = column.as_string::<i32>();
                if values.is_valid(row) {
                    names::of_value(text, values.value(row), |place, part| {
                        all.push(Finding { row, place, by: By::Column(*slot, part) });
                    });
                }
            }
            for (dictionary, slot) in &self.dictionaries {
                dictionary.find(text, |place, entry| {
                    all.push(Finding { row, place, by: By::Entry(*slot, entry) });
                });
            }
            if all.len() > before {
                resolve(&mut all, begin);
            }
        }
        Ok(all)
    }

    /// What replaces the findings, by mask, in their order; null where the mask gives nothing.
    fn masked<O: OffsetSizeTrait>(
        &self,
        texts: &GenericStringArray<O>,
        others: &[ArrayRef],
        found: &[Finding],
    ) -> Result<Vec<ArrayRef>, MaskError> {
        let mut of_slots: Vec<Vec<&Finding>> = vec![Vec::new(); self.slots.len()];
        for finding in found {
            if let Some(mine) = finding.by.slot().and_then(|slot| of_slots.get_mut(slot)) {
                mine.push(finding);
            }
        }
        let slots = self.slots.iter().zip(&of_slots).enumerate();
        let masked = slots.map(|(number, (slot, mine))| {
            if mine.is_empty() {
                return Ok(Arc::new(StringArray::new_null(0)) as ArrayRef);
            }
            let rows: UInt64Array = mine.iter().map(|finding| finding.row as u64).collect();
            let inputs = |input: &usize| match others.get(*input) {
                Some(other) => take(other, &rows, None)
                    .map_err(|_| MaskError::Kernel { operation: "take rows" }),
                None => Err(MaskError::UnexpectedInputs { expected: *input, found: others.len() }),
            };
            let inputs = slot.inputs.iter().map(inputs).collect::<Result<Vec<_>, _>>()?;
            let column = self.columns.iter().find(|(_, of)| *of == number);
            let values: ArrayRef = match column.and_then(|(input, _)| others.get(*input)) {
                Some(column) => {
                    let rows = take(column, &rows, None)
                        .map_err(|_| MaskError::Kernel { operation: "take rows" })?;
                    as_text(&rows)?
                }
                None => {
                    Arc::new(mine.iter().map(|f| self.value(texts, f)).collect::<StringArray>())
                }
            };
            slot.apply(&values, &inputs, self.forms.slashes)
        });
        masked.collect()
    }

    /// What the mask of a finding is given, but for columns.
    fn value<'a, O: OffsetSizeTrait>(
        &'a self,
        texts: &'a GenericStringArray<O>,
        finding: &Finding,
    ) -> Option<&'a str> {
        match finding.by {
            By::Entry(slot, entry) => {
                let dictionary = self.dictionaries.iter().find(|(_, of)| *of == slot);
                dictionary.map(|(dictionary, _)| dictionary.entry(entry))
            }
            _ => texts.value(finding.row).get(finding.place.clone()),
        }
    }
}

impl Slot {
    fn apply(
        &self,
        values: &ArrayRef,
        inputs: &[ArrayRef],
        slashes: Slashes,
    ) -> Result<ArrayRef, MaskError> {
        if !self.dates {
            return self.mask.apply(values, inputs);
        }
        let values = values.as_string::<i32>();
        let dates: Vec<Option<Date>> =
            values.iter().map(|text| Date::read(text?, slashes)).collect();
        let days: Date32Array =
            dates.iter().map(|date| Some(date.as_ref()?.date.num_days_from_ce() - EPOCH)).collect();
        let masked = self.mask.apply(&(Arc::new(days) as ArrayRef), inputs)?;
        let masked = masked.as_primitive::<Date32Type>().iter().zip(dates);
        let written = masked.map(|(day, date)| {
            let day = day?.checked_add(EPOCH)?;
            Some(date?.write(NaiveDate::from_num_days_from_ce_opt(day)?))
        });
        Ok(Arc::new(written.collect::<StringArray>()))
    }
}

impl By {
    fn slot(self) -> Option<usize> {
        match self {
            Self::Nothing => None,
            Self::Text(slot) | Self::Column(slot, _) | Self::Entry(slot, _) => Some(slot),
        }
    }
}

/// Whether bytes stand under nulls.
fn hides_bytes<O: OffsetSizeTrait>(texts: &GenericStringArray<O>) -> bool {
    let rows = || texts.value_offsets().array_windows::<2>().enumerate();
    texts.null_count() > 0 && rows().any(|(row, [start, end])| start < end && texts.is_null(row))
}

/// The texts of any form in buffers of their own.
pub(super) fn gather<'a, O: OffsetSizeTrait>(
    values: impl Iterator<Item = Option<&'a str>>,
    of: &dyn Array,
) -> Result<GenericStringArray<O>, MaskError> {
    let mut builder = TextBuilder::<O>::with_rows(of.len());
    for value in values {
        builder.bytes().extend_from_slice(value.unwrap_or_default().as_bytes());
        builder.end_row()?;
    }
    builder.finish(of.nulls().cloned())
}

fn as_text(column: &ArrayRef) -> Result<ArrayRef, MaskError> {
    cast(column, &DataType::Utf8).map_err(|_| MaskError::Kernel { operation: "read names" })
}

/// All rows as they are, in one copy.
fn copy<O: OffsetSizeTrait>(
    texts: &GenericStringArray<O>,
) -> Result<GenericStringArray<O>, MaskError> {
    let ends = texts.value_offsets();
    let (first, last) = (ends.first().copied(), ends.last().copied());
    let (first, last) = (first.unwrap_or_default(), last.unwrap_or_default());
    let bytes = texts.value_data().get(first.as_usize()..last.as_usize()).unwrap_or_default();
    let ends: Vec<O> = ends.iter().map(|end| *end - first).collect();
    let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
    GenericStringArray::try_new(offsets, Buffer::from_vec(bytes.to_vec()), texts.nulls().cloned())
        .map_err(|_| MaskError::Kernel { operation: "assemble masked text" })
}

fn replace<O: OffsetSizeTrait>(
    texts: &GenericStringArray<O>,
    found: &[Finding],
    masked: &[ArrayRef],
) -> Result<GenericStringArray<O>, MaskError> {
    let mut builder = TextBuilder::<O>::with_bytes(texts.len(), texts.value_data().len());
    let mut next = vec![0_usize; masked.len()];
    let mut found = found.iter().peekable();
    for row in 0..texts.len() {
        let text = texts.value(row);
        let mut from = 0;
        while let Some(finding) = found.next_if(|finding| finding.row == row) {
            let out = builder.bytes();
            let kept = text.get(from..finding.place.start).unwrap_or_default();
            out.extend_from_slice(kept.as_bytes());
            out.extend_from_slice(replacement(text, finding, masked, &mut next).as_bytes());
            from = finding.place.end;
        }
        builder.bytes().extend_from_slice(text.get(from..).unwrap_or_default().as_bytes());
        builder.end_row()?;
    }
    builder.finish(texts.nulls().cloned())
}

/// What the mask made of the finding; a fixed text where that is nothing, or what was found.
fn replacement<'a>(
    text: &str,
    finding: &Finding,
    masked: &'a [ArrayRef],
    next: &mut [usize],
) -> &'a str {
    let written = finding.by.slot().and_then(|slot| {
        let (masked, next) = (masked.get(slot)?.as_string_opt::<i32>()?, next.get_mut(slot)?);
        let place = *next;
        *next += 1;
        (place < masked.len() && masked.is_valid(place)).then(|| masked.value(place))
    });
    let written = match (finding.by, written) {
        (By::Column(_, part), Some(written)) => part.of(written),
        (_, written) => written.unwrap_or(REDACTED),
    };
    let found = text.get(finding.place.clone()).unwrap_or_default();
    if written.eq_ignore_ascii_case(found) { REDACTED } else { written }
}
