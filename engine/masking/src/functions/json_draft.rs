//! JSON text with holes: written again without what is denied, and filled with what masks give.
//!
//! ```text
//!  {"email": "ada@…", "id": 7, "note": "…"} ──▶ {"email":▢,"id":7} ──▶ {"email":"2hnl…","id":7}
//!                                                        └ the next value of path 0
//! ```

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array};
use arrow::datatypes::DataType;
use serde_json::Value;

use super::json::{Denied, Kind, Path};
use super::json_text::{Document, write_string};
use super::nested::rows_of;
use crate::canonical::for_each;
use crate::error::MaskError;
use crate::forms::{TextBuilder, decode};

/// Text and the end of each value in it.
type Texts = (Vec<u8>, Vec<usize>);

/// The values of one path, of many rows.
struct Gathered {
    values: Typed,
    /// The row of each.
    rows: Vec<u32>,
}

enum Typed {
    Text(TextBuilder<i32>),
    Integer(Vec<i64>),
    Number(Vec<f64>),
    Boolean(Vec<bool>),
}

impl Typed {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Text(TextBuilder::with_rows(0)),
            Kind::Integer => Self::Integer(Vec::new()),
            Kind::Number => Self::Number(Vec::new()),
            Kind::Boolean => Self::Boolean(Vec::new()),
        }
    }

    /// Takes a value if it is of the type; `written` is a number's text.
    fn take(&mut self, value: &Value, written: &str) -> bool {
        fn push<T>(all: &mut Vec<T>, value: Option<T>) -> bool {
            let fits = value.is_some();
            all.extend(value);
            fits
        }
        match self {
            Self::Integer(all) => push(all, value.as_i64()),
            // The nearest number to what is written, which serde_json's own reading need not be.
            Self::Number(all) => {
                push(all, written.parse::<f64>().ok().filter(|number| number.is_finite()))
            }
            Self::Boolean(all) => push(all, value.as_bool()),
            Self::Text(all) => {
                let text = match value {
                    Value::String(text) => text,
                    Value::Number(_) => written,
                    Value::Bool(true) => "true",
                    Value::Bool(false) => "false",
                    _ => return false,
                };
                all.bytes().extend_from_slice(text.as_bytes());
                all.end_row().is_ok()
            }
        }
    }

    fn array(self) -> Result<ArrayRef, MaskError> {
        Ok(match self {
            Self::Text(all) => Arc::new(all.finish(None)?),
            Self::Integer(all) => Arc::new(Int64Array::from(all)),
            Self::Number(all) => Arc::new(Float64Array::from(all)),
            Self::Boolean(all) => Arc::new(BooleanArray::from(all)),
        })
    }
}

/// Where a row ends: in the bytes, and in the holes.
#[derive(Clone, Copy, Default)]
struct End {
    bytes: usize,
    holes: usize,
}

/// Rows of JSON with holes where masked values go.
pub(super) struct Draft<'p> {
    paths: &'p [Path],
    denied: Denied,
    bytes: Vec<u8>,
    /// Place in the bytes, and path.
    holes: Vec<(usize, usize)>,
    gathered: Vec<Gathered>,
    /// None where the row is null.
    rows: Vec<Option<End>>,
    unfit: u64,
}

impl<'p> Draft<'p> {
    pub(super) fn new(paths: &'p [Path], denied: Denied) -> Self {
        let gathered =
            paths.iter().map(|path| Gathered { values: Typed::new(path.kind), rows: Vec::new() });
        Self {
            paths,
            denied,
            bytes: Vec::new(),
            holes: Vec::new(),
            gathered: gathered.collect(),
            rows: Vec::new(),
            unfit: 0,
        }
    }

    /// Adds the row of that number.
    pub(super) fn push(&mut self, number: u32, text: Option<&str>) {
        let is_some = match text {
            None => false,
            Some("") => true,
            Some(text) => match Document::parse(text) {
                Some(document) => self.add(number, &document),
                None => {
                    self.unfit += 1;
                    false
                }
            },
        };
        let end = End { bytes: self.bytes.len(), holes: self.holes.len() };
        self.rows.push(is_some.then_some(end));
    }

    fn add(&mut self, number: u32, document: &Document<'_>) -> bool {
        let mut named: HashMap<usize, usize> = HashMap::new();
        for (index, path) in self.paths.iter().enumerate() {
            for value in path.path.query(&document.value) {
                let first = named.entry(address(value)).or_insert(index);
                let is_kept = self.paths.get(*first).is_some_and(|path| path.inner.is_kept());
                if is_kept && !path.inner.is_kept() {
                    *first = index;
                }
            }
        }
        let start = self.bytes.len();
        let numbers = document.numbers.iter();
        let text = document.text;
        let mut writer = Writer { draft: self, text, number, named, numbers, unfit: false };
        let any = writer.write(&document.value, Inherited::Nothing);
        let unfit = writer.unfit;
        self.unfit += u64::from(unfit);
        if !any {
            self.bytes.truncate(start);
        }
        any
    }

    /// Masks what was gathered, and gives the text of every row to `each`.
    pub(super) fn fill(
        self,
        others: &[ArrayRef],
        mut each: impl FnMut(Option<&[u8]>) -> Result<(), MaskError>,
    ) -> Result<u64, MaskError> {
        let mut counted = self.unfit;
        let mut masked = Vec::with_capacity(self.paths.len());
        for (path, Gathered { values, rows }) in self.paths.iter().zip(self.gathered) {
            let mut values = values.array()?;
            if !values.is_empty() {
                let (filled, count) =
                    path.inner.apply(&values, &rows_of(&values)?, &rows.into(), others)?;
                counted += count;
                values = filled;
            }
            masked.push(Filling { texts: written(&values)?, next: 0 });
        }
        let (mut row, mut holes) = (Vec::new(), self.holes.iter());
        let mut start = End::default();
        for end in self.rows {
            let Some(end) = end else {
                each(None)?;
                continue;
            };
            row.clear();
            for (place, path) in holes.by_ref().take(end.holes - start.holes) {
                row.extend_from_slice(self.bytes.get(start.bytes..*place).unwrap_or_default());
                row.extend_from_slice(masked.get_mut(*path).map_or(b"", Filling::next));
                start.bytes = *place;
            }
            row.extend_from_slice(self.bytes.get(start.bytes..end.bytes).unwrap_or_default());
            start = end;
            each(Some(&row))?;
        }
        Ok(counted)
    }
}

/// What a mask gave for one path.
struct Filling {
    texts: Texts,
    next: usize,
}

impl Filling {
    fn next(&mut self) -> &[u8] {
        let (bytes, ends) = &self.texts;
        let end_of = |place: Option<usize>| place.and_then(|place| ends.get(place)).copied();
        let start = end_of(self.next.checked_sub(1)).unwrap_or_default();
        let end = end_of(Some(self.next)).unwrap_or(start);
        self.next += 1;
        bytes.get(start..end).unwrap_or_default()
    }
}

/// A value's place in memory, which is its name: no two values of a document share one.
fn address(value: &Value) -> usize {
    std::ptr::from_ref(value).addr()
}

/// Values as JSON: numbers and booleans as such, all others as strings; a number that is none is null.
fn written(values: &ArrayRef) -> Result<Texts, MaskError> {
    let plain = decode(values.data_type(), values)?;
    let (mut bytes, mut ends) = (Vec::new(), Vec::with_capacity(plain.len()));
    if plain.data_type() == &DataType::Null {
        for row in 1..=plain.len() {
            bytes.extend_from_slice(b"null");
            ends.push(4 * row);
        }
        return Ok((bytes, ends));
    }
    let raw = plain.data_type().is_numeric() || plain.data_type() == &DataType::Boolean;
    for_each(plain.as_ref(), |_, value| {
        match value {
            None | Some(b"NaN" | b"inf" | b"-inf") if raw || value.is_none() => {
                bytes.extend_from_slice(b"null");
            }
            Some(value) if raw => bytes.extend_from_slice(value),
            value => {
                let text = std::str::from_utf8(value.unwrap_or_default());
                let refused = MaskError::Kernel { operation: "write bytes as JSON" };
                write_string(text.map_err(|_| refused)?, &mut bytes);
            }
        }
        ends.push(bytes.len());
        Ok(())
    })?;
    Ok((bytes, ends))
}

/// What holds for a value that no path names itself.
#[derive(Clone, Copy, PartialEq)]
enum Inherited {
    Nothing,
    Kept,
}

/// Writes one document.
struct Writer<'w, 'p> {
    draft: &'w mut Draft<'p>,
    text: &'w str,
    number: u32,
    /// The path that says what becomes of a value, by its address.
    named: HashMap<usize, usize>,
    numbers: std::slice::Iter<'w, Range<usize>>,
    unfit: bool,
}

impl Writer<'_, '_> {
    /// Writes a value, and says whether it or a value inside is named: else it is denied.
    fn write(&mut self, value: &Value, inherited: Inherited) -> bool {
        let number = match value {
            Value::Number(_) => self.numbers.next().cloned(),
            _ => None,
        };
        let written = number.and_then(|place| self.text.get(place)).unwrap_or_default();
        let mut inherited = inherited;
        if let Some(index) = self.named.get(&address(value)).copied() {
            inherited = Inherited::Nothing;
            if self.draft.paths.get(index).is_some_and(|path| path.inner.is_kept()) {
                inherited = Inherited::Kept;
            } else if value.is_null() {
                self.draft.bytes.extend_from_slice(b"null");
                return true;
            } else if self.gather(index, value, written) {
                return true;
            } else {
                self.unfit = true;
            }
        }
        let start = self.draft.bytes.len();
        let is_named = match value {
            Value::Object(members) => {
                let members = members.iter().map(|(name, member)| (Some(name.as_str()), member));
                self.inside(members, [b'{', b'}'], inherited)
            }
            Value::Array(elements) => {
                self.inside(elements.iter().map(|element| (None, element)), [b'[', b']'], inherited)
            }
            scalar => inherited == Inherited::Kept && self.scalar(scalar, written),
        };
        if !is_named {
            self.draft.bytes.truncate(start);
            self.deny();
        }
        is_named
    }

    fn inside<'v>(
        &mut self,
        parts: impl Iterator<Item = (Option<&'v str>, &'v Value)>,
        [open, close]: [u8; 2],
        inherited: Inherited,
    ) -> bool {
        let mut is_named = inherited == Inherited::Kept;
        self.draft.bytes.push(open);
        let mut first = true;
        for (name, part) in parts {
            let start = self.draft.bytes.len();
            if !first {
                self.draft.bytes.push(b',');
            }
            if let Some(name) = name {
                write_string(name, &mut self.draft.bytes);
                self.draft.bytes.push(b':');
            }
            let is_part_named = self.write(part, inherited);
            is_named |= is_part_named;
            match is_part_named || self.draft.denied != Denied::Remove {
                true => first = false,
                false => self.draft.bytes.truncate(start),
            }
        }
        self.draft.bytes.push(close);
        is_named
    }

    /// Leaves a hole for a value of the path's type.
    fn gather(&mut self, index: usize, value: &Value, written: &str) -> bool {
        let Some(gathered) = self.draft.gathered.get_mut(index) else { return false };
        let fits = gathered.values.take(value, written);
        if fits {
            gathered.rows.push(self.number);
            self.draft.holes.push((self.draft.bytes.len(), index));
        }
        fits
    }

    fn scalar(&mut self, value: &Value, written: &str) -> bool {
        let bytes = &mut self.draft.bytes;
        match value {
            Value::String(text) => write_string(text, bytes),
            Value::Bool(true) => bytes.extend_from_slice(b"true"),
            Value::Bool(false) => bytes.extend_from_slice(b"false"),
            Value::Number(_) => bytes.extend_from_slice(written.as_bytes()),
            _ => bytes.extend_from_slice(b"null"),
        }
        true
    }

    fn deny(&mut self) {
        match self.draft.denied {
            Denied::Remove => {}
            Denied::Redact => self.draft.bytes.extend_from_slice(br#""[redacted]""#),
            Denied::Null => self.draft.bytes.extend_from_slice(b"null"),
        }
    }
}
