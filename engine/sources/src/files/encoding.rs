//! Bytes of a file to text, strictly: what is malformed is an error with its offset.

use std::io::Read;

use encoding_rs::{Decoder, DecoderResult, UTF_16BE, UTF_16LE};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fetch::read_error;
use crate::error::{SourceError, SourceErrorKind};

/// Bytes read from the file at once.
const READ_BYTES: usize = 64 << 10;

/// How a file's text is encoded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) enum Encoding {
    /// UTF-8; a byte order mark is skipped.
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-16 with a byte order mark that says which.
    #[serde(rename = "utf-16")]
    Utf16,
    /// UTF-16, little endian; a byte order mark is skipped.
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// UTF-16, big endian; a byte order mark is skipped.
    #[serde(rename = "utf-16be")]
    Utf16Be,
    /// ISO 8859-1 itself: bytes 80 to 9F are the control characters U+0080 to U+009F.
    #[serde(rename = "latin-1")]
    Latin1,
}

impl Encoding {
    fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16 => "UTF-16",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
            Self::Latin1 => "ISO 8859-1",
        }
    }
}

/// A file's text, appended piece by piece to a buffer of the caller.
pub(crate) struct TextInput {
    input: Box<dyn Read + Send>,
    encoding: Encoding,
    /// For UTF-16; made at the first piece.
    decoder: Option<Decoder>,
    /// Bytes read and not decoded: at most the start of one character before a read.
    pending: Vec<u8>,
    /// Bytes decoded so far.
    offset: u64,
    started: bool,
    ended: bool,
}

impl TextInput {
    /// The text of these bytes.
    pub(crate) fn new(input: Box<dyn Read + Send>, encoding: Encoding) -> Self {
        Self {
            input,
            encoding,
            decoder: None,
            pending: Vec::new(),
            offset: 0,
            started: false,
            ended: false,
        }
    }

    /// Whether all text has been given out.
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// Appends at least `bytes_min` bytes of text, or what is left.
    ///
    /// # Errors
    /// Failures of the input, and malformed text.
    pub(crate) fn fill(&mut self, text: &mut String, bytes_min: usize) -> Result<(), SourceError> {
        let wanted = text.len().saturating_add(bytes_min.max(1));
        while text.len() < wanted && !self.ended {
            let read = (&mut self.input)
                .take(READ_BYTES as u64)
                .read_to_end(&mut self.pending)
                .map_err(read_error)?;
            self.ended = read == 0;
            if !self.started {
                self.start()?;
                self.started = true;
            }
            self.decode(text)?;
        }
        Ok(())
    }

    /// Skips the byte order mark, and chooses the decoder.
    fn start(&mut self) -> Result<(), SourceError> {
        let (mark, decoder): (&[u8], _) = match (self.encoding, self.pending.get(..2)) {
            (Encoding::Utf8, _) => (b"\xef\xbb\xbf", None),
            (Encoding::Latin1, _) => (b"", None),
            (Encoding::Utf16Le, _) | (Encoding::Utf16, Some(b"\xff\xfe")) => {
                (b"\xff\xfe", Some(UTF_16LE))
            }
            (Encoding::Utf16Be, _) | (Encoding::Utf16, Some(b"\xfe\xff")) => {
                (b"\xfe\xff", Some(UTF_16BE))
            }
            (Encoding::Utf16, _) if self.pending.is_empty() => (b"", Some(UTF_16LE)),
            (Encoding::Utf16, _) => {
                return Err(self
                    .malformed(0)
                    .with_hint("without a byte order mark, say utf-16le or utf-16be"));
            }
        };
        self.decoder = decoder.map(encoding_rs::Encoding::new_decoder_without_bom_handling);
        if self.pending.starts_with(mark) {
            self.taken(mark.len());
        }
        Ok(())
    }

    fn decode(&mut self, text: &mut String) -> Result<(), SourceError> {
        match self.encoding {
            Encoding::Utf8 => self.decode_utf8(text),
            Encoding::Latin1 => {
                text.push_str(&encoding_rs::mem::decode_latin1(&self.pending));
                self.taken(self.pending.len());
                Ok(())
            }
            Encoding::Utf16 | Encoding::Utf16Le | Encoding::Utf16Be => self.decode_utf16(text),
        }
    }

    fn decode_utf8(&mut self, text: &mut String) -> Result<(), SourceError> {
        let valid = match std::str::from_utf8(&self.pending) {
            Ok(all) => {
                text.push_str(all);
                all.len()
            }
            Err(error) => {
                let valid = error.valid_up_to();
                // A character cut off by the end of the piece is completed by the next.
                if error.error_len().is_some() || self.ended {
                    return Err(self.malformed(valid as u64));
                }
                let piece =
                    self.pending.get(..valid).and_then(|piece| std::str::from_utf8(piece).ok());
                text.push_str(piece.unwrap_or_default());
                valid
            }
        };
        self.taken(valid);
        Ok(())
    }

    fn decode_utf16(&mut self, text: &mut String) -> Result<(), SourceError> {
        let Some(decoder) = &mut self.decoder else { return Ok(()) };
        let bytes_max = decoder.max_utf8_buffer_length_without_replacement(self.pending.len());
        text.reserve(bytes_max.unwrap_or(0));
        let (result, read) =
            decoder.decode_to_string_without_replacement(&self.pending, text, self.ended);
        match result {
            DecoderResult::InputEmpty | DecoderResult::OutputFull => {
                self.taken(read);
                Ok(())
            }
            DecoderResult::Malformed(length, after) => {
                // The sequence may have begun in an earlier piece.
                let back = u64::from(length) + u64::from(after);
                let end = self.offset.saturating_add(read as u64);
                Err(self.malformed_at(end.saturating_sub(back)))
            }
        }
    }

    fn taken(&mut self, bytes: usize) {
        self.pending.drain(..bytes.min(self.pending.len()));
        self.offset = self.offset.saturating_add(bytes as u64);
    }

    fn malformed(&self, ahead: u64) -> SourceError {
        self.malformed_at(self.offset.saturating_add(ahead))
    }

    fn malformed_at(&self, offset: u64) -> SourceError {
        SourceErrorKind::Encoding { encoding: self.encoding.name(), offset }.into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives out one byte at a time, the hardest cut there is.
    struct Drip(std::vec::IntoIter<u8>);

    impl Read for Drip {
        fn read(&mut self, target: &mut [u8]) -> std::io::Result<usize> {
            match (target.first_mut(), self.0.next()) {
                (Some(target), Some(byte)) => {
                    *target = byte;
                    Ok(1)
                }
                _ => Ok(0),
            }
        }
    }

    fn decoded(bytes: Vec<u8>, encoding: Encoding) -> Result<String, SourceErrorKind> {
        let read = |input: Box<dyn Read + Send>, step| {
            let mut text = String::new();
            let mut input = TextInput::new(input, encoding);
            while !input.ended() {
                input.fill(&mut text, step).map_err(|error| error.kind().clone())?;
            }
            Ok(text)
        };
        let whole = read(Box::new(std::io::Cursor::new(bytes.clone())), 1 << 20);
        assert_eq!(whole, read(Box::new(Drip(bytes.into_iter())), 1));
        whole
    }

    fn utf16(text: &str, little: bool) -> Vec<u8> {
        let bytes = |unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() };
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn marks_are_skipped_and_malformed_bytes_are_placed() {
        assert_eq!(decoded(b"\xef\xbb\xbfa".to_vec(), Encoding::Utf8), Ok("a".to_owned()));
        assert_eq!(decoded(b"\xff\xfea\0".to_vec(), Encoding::Utf16), Ok("a".to_owned()));
        assert_eq!(decoded(b"\xfe\xff\0a".to_vec(), Encoding::Utf16), Ok("a".to_owned()));
        assert_eq!(decoded(vec![], Encoding::Utf16), Ok(String::new()));
        assert_eq!(decoded(vec![0x80, 0xe4], Encoding::Latin1), Ok("\u{80}ä".to_owned()));
        let at = |encoding, offset| Err(SourceErrorKind::Encoding { encoding, offset });
        assert_eq!(decoded(b"ab\xffc".to_vec(), Encoding::Utf8), at("UTF-8", 2));
        assert_eq!(decoded("aä".as_bytes()[..2].to_vec(), Encoding::Utf8), at("UTF-8", 1));
        assert_eq!(decoded(b"a\0b\0".to_vec(), Encoding::Utf16), at("UTF-16", 0));
        // An unpaired surrogate, and half a unit.
        assert_eq!(decoded(b"a\0\0\xdcb\0".to_vec(), Encoding::Utf16Le), at("UTF-16LE", 2));
        assert_eq!(decoded(b"\0ab".to_vec(), Encoding::Utf16Be), at("UTF-16BE", 2));
    }

    proptest! {
        #[test]
        fn any_text_survives_any_cut(text in "[^\u{feff}]\\PC{0,40}") {
            prop_assert_eq!(decoded(text.clone().into_bytes(), Encoding::Utf8), Ok(text.clone()));
            prop_assert_eq!(decoded(utf16(&text, true), Encoding::Utf16Le), Ok(text.clone()));
            prop_assert_eq!(decoded(utf16(&text, false), Encoding::Utf16Be), Ok(text));
        }
    }
}
