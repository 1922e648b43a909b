//! Numbers and texts as few bytes: variable-length integers, and each text once.

use std::collections::HashMap;

use super::{super::hex::Hex, SummaryError};

/// Collects rows, and the texts that they name by number.
#[derive(Default)]
pub(super) struct Sink {
    pub(super) rows: Vec<u8>,
    /// The ids of the rows that have one of their own.
    ids: Vec<u8>,
    texts: Vec<u8>,
    lengths: Vec<usize>,
    known: HashMap<String, u64>,
}

impl Sink {
    /// LEB128: seven bits a byte, the lowest first.
    pub(super) fn number(&mut self, value: u64) {
        push_number(&mut self.rows, value);
    }

    pub(super) fn byte(&mut self, value: u8) {
        self.rows.push(value);
    }

    pub(super) fn fixed(&mut self, value: i64) {
        self.rows.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn id<const N: usize>(&mut self, id: &Hex<N>) {
        self.rows.extend_from_slice(id.bytes());
    }

    pub(super) fn own_id<const N: usize>(&mut self, id: &Hex<N>) {
        self.ids.extend_from_slice(id.bytes());
    }

    pub(super) fn text(&mut self, text: &str) {
        let number = match self.known.get(text) {
            Some(number) => *number,
            None => {
                let number = self.lengths.len() as u64;
                self.known.insert(text.to_owned(), number);
                self.texts.extend_from_slice(text.as_bytes());
                self.lengths.push(text.len());
                number
            }
        };
        self.number(number);
    }

    /// A text or none: a byte says which.
    pub(super) fn optional(&mut self, text: Option<&str>) {
        self.byte(u8::from(text.is_some()));
        if let Some(text) = text {
            self.text(text);
        }
    }

    /// The texts, the ids, the rows.
    pub(super) fn finish(self, out: &mut Vec<u8>) {
        push_number(out, self.lengths.len() as u64);
        for length in self.lengths {
            push_number(out, length as u64);
        }
        push_number(out, self.texts.len() as u64);
        out.extend_from_slice(&self.texts);
        out.extend_from_slice(&self.ids);
        out.extend_from_slice(&self.rows);
    }
}

fn push_number(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads what a [`Sink`] wrote.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Source<'a> {
    pub(super) const fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    pub(super) const fn place(&self) -> usize {
        self.at
    }

    pub(super) const fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    pub(super) fn byte(&mut self) -> Result<u8, SummaryError> {
        let byte = self.bytes.get(self.at).copied().ok_or(SummaryError::Malformed)?;
        self.at += 1;
        Ok(byte)
    }

    pub(super) fn slice(&mut self, count: usize) -> Result<&'a [u8], SummaryError> {
        let end = self.at.checked_add(count).ok_or(SummaryError::Malformed)?;
        let slice = self.bytes.get(self.at..end).ok_or(SummaryError::Malformed)?;
        self.at = end;
        Ok(slice)
    }

    pub(super) fn number(&mut self) -> Result<u64, SummaryError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            value |= part.checked_shl(shift).ok_or(SummaryError::Malformed)?;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(SummaryError::Malformed)
    }

    pub(super) fn count(&mut self) -> Result<usize, SummaryError> {
        usize::try_from(self.number()?).map_err(|_| SummaryError::Malformed)
    }

    pub(super) fn fixed(&mut self) -> Result<i64, SummaryError> {
        let bytes = self.slice(8)?.try_into().map_err(|_| SummaryError::Malformed)?;
        Ok(i64::from_le_bytes(bytes))
    }

    pub(super) fn id<const N: usize>(&mut self) -> Result<Hex<N>, SummaryError> {
        let bytes: [u8; N] = self.slice(N)?.try_into().map_err(|_| SummaryError::Malformed)?;
        Ok(Hex::from(bytes))
    }

    pub(super) fn text<'t>(&mut self, texts: &'t Texts) -> Result<&'t str, SummaryError> {
        texts.get(self.count()?)
    }

    pub(super) fn optional<'t>(
        &mut self,
        texts: &'t Texts,
    ) -> Result<Option<&'t str>, SummaryError> {
        match self.byte()? {
            0 => Ok(None),
            1 => Ok(Some(self.text(texts)?)),
            _ => Err(SummaryError::Malformed),
        }
    }
}

/// The texts that rows name by number.
#[derive(Clone, Debug)]
pub(super) struct Texts {
    all: String,
    /// Where each begins, and where the last ends.
    places: Vec<usize>,
}

impl Texts {
    pub(super) fn read(source: &mut Source<'_>) -> Result<Self, SummaryError> {
        let count = source.count()?;
        let mut places = vec![0_usize];
        for _ in 0..count {
            let length = source.count()?;
            let end = places.last().copied().unwrap_or(0).checked_add(length);
            places.push(end.ok_or(SummaryError::Malformed)?);
        }
        let length = source.count()?;
        let all = std::str::from_utf8(source.slice(length)?);
        let all = all.map_err(|_| SummaryError::Malformed)?.to_owned();
        Ok(Self { all, places })
    }

    pub(super) fn len(&self) -> usize {
        self.places.len().saturating_sub(1)
    }

    pub(super) fn get(&self, number: usize) -> Result<&str, SummaryError> {
        let begin = self.places.get(number);
        let end = self.places.get(number.saturating_add(1));
        let text = begin.zip(end).and_then(|(begin, end)| self.all.get(*begin..*end));
        text.ok_or(SummaryError::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(
            numbers in prop::collection::vec(any::<u64>(), 0..20),
            texts in prop::collection::vec(any::<Option<String>>(), 0..20),
        ) {
            let mut sink = Sink::default();
            for number in &numbers {
                sink.number(*number);
                sink.fixed(*number as i64);
            }
            for text in &texts {
                sink.optional(text.as_deref());
            }
            let mut bytes = Vec::new();
            sink.finish(&mut bytes);
            let mut source = Source::new(&bytes, 0);
            let known = Texts::read(&mut source).unwrap();
            for number in &numbers {
                prop_assert_eq!(source.number().unwrap(), *number);
                prop_assert_eq!(source.fixed().unwrap(), *number as i64);
            }
            for text in &texts {
                prop_assert_eq!(source.optional(&known).unwrap(), text.as_deref());
            }
            prop_assert!(source.is_at_end());
        }

        #[test]
        fn nothing_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut source = Source::new(&bytes, 0);
            if let Ok(texts) = Texts::read(&mut source) {
                while source.optional(&texts).is_ok() && !source.is_at_end() {}
            }
        }
    }
}
