//! One record in its place in a chain, as a line of canonical JSON.
//!
//! ```text
//! {"format_version":1,"chain":{…},"position":7,"prev":"…","seen":[…],"record":{…},"mac":"…"}
//! └────────────────────── what the MAC is of, with a `}` ───────────────────────┘
//! ```

use serde::{Deserialize, Serialize};

use super::{
    super::{hex::Mac, record::Record},
    ChainId, Head, MacOf,
};

/// The version of the format that is written, and the only one that is read.
pub const FORMAT_VERSION: u32 = 1;

/// Parts the MACs of lines from those of other things under the same key.
const DOMAIN: &[u8] = b"engine/runs/line/1\0";

/// Why bytes are no line. They are not quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// Not the JSON of a line.
    #[error("a record's line is malformed at column {column}")]
    Format {
        /// Column, from 1.
        column: usize,
    },
    /// A later version of the format.
    #[error("a record has format version {found}; this engine reads {FORMAT_VERSION}")]
    UnknownVersion {
        /// The version in the line.
        found: u32,
    },
    /// The right content in other bytes than the canonical ones.
    #[error("a record's line is not in canonical form")]
    NotCanonical,
    /// A record of one class in a chain of another.
    #[error("a record is not of its chain's class")]
    Class,
}

/// A record in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    place: Head,
    prev: Mac,
    seen: Vec<Head>,
    record: Record,
}

/// The line without its MAC, in the order of the bytes.
#[derive(Serialize)]
struct Body<'a> {
    format_version: u32,
    chain: ChainId,
    position: u64,
    prev: Mac,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    seen: &'a [Head],
    record: &'a Record,
}

/// The line as it was read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    #[serde(rename = "format_version")]
    _format_version: u32,
    chain: ChainId,
    position: u64,
    prev: Mac,
    #[serde(default)]
    seen: Vec<Head>,
    record: Record,
    mac: Mac,
}

/// The one field that every version of the format has.
#[derive(Deserialize)]
struct Version {
    format_version: u32,
}

impl Line {
    /// The line after `prev` in a chain.
    pub(super) fn new(
        chain: ChainId,
        before: Option<Head>,
        seen: Vec<Head>,
        record: Record,
        mac: &MacOf<'_>,
    ) -> Result<Self, LineError> {
        if record.class() != chain.class {
            return Err(LineError::Class);
        }
        let position = before.map_or(0, |head| head.position).saturating_add(1);
        let prev = before.map_or(Mac::ZERO, |head| head.mac);
        let place = Head { chain, position, mac: Mac::ZERO };
        let mut line = Self { place, prev, seen, record };
        line.place.mac = line.expected(mac)?;
        Ok(line)
    }

    /// Chain, position and MAC.
    #[must_use]
    pub const fn place(&self) -> Head {
        self.place
    }

    /// The MAC of the line before; all zero for the first.
    #[must_use]
    pub const fn prev(&self) -> Mac {
        self.prev
    }

    /// Heads of other chains that the writer knew when it wrote this.
    #[must_use]
    pub fn seen(&self) -> &[Head] {
        &self.seen
    }

    /// The record.
    #[must_use]
    pub const fn record(&self) -> &Record {
        &self.record
    }

    /// Whether the MAC is that of the content.
    #[must_use]
    pub fn is_authentic(&self, mac: &MacOf<'_>) -> bool {
        // Of public data: how long a comparison takes tells nothing about the key.
        self.expected(mac).is_ok_and(|expected| expected == self.place.mac)
    }

    /// Reads a line, with or without its line break. `bytes` are untrusted, and stay so until
    /// [`verify`](super::verify) has seen them.
    ///
    /// # Errors
    /// A [`LineError`] for each way in which they are not a canonical line.
    pub fn parse(bytes: &[u8]) -> Result<Self, LineError> {
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let read: Read = match serde_json::from_slice(bytes) {
            Ok(read) => read,
            Err(error) => return Err(refusal(bytes, &error)),
        };
        let place = Head { chain: read.chain, position: read.position, mac: read.mac };
        let line = Self { place, prev: read.prev, seen: read.seen, record: read.record };
        if line.record.class() != line.place.chain.class {
            return Err(LineError::Class);
        }
        // Also where the version is another one.
        if line.to_bytes()?.strip_suffix(b"\n") != Some(bytes) {
            return Err(refusal_of_form(bytes));
        }
        Ok(line)
    }

    /// The canonical bytes, with a line break.
    ///
    /// # Errors
    /// None that is known: every line has a JSON form.
    pub fn to_bytes(&self) -> Result<Vec<u8>, LineError> {
        let mut bytes = self.body(Vec::with_capacity(1024))?;
        bytes.truncate(bytes.len().saturating_sub(1));
        bytes.extend_from_slice(b",\"mac\":\"");
        bytes.extend_from_slice(self.place.mac.to_string().as_bytes());
        bytes.extend_from_slice(b"\"}\n");
        Ok(bytes)
    }

    fn body(&self, mut bytes: Vec<u8>) -> Result<Vec<u8>, LineError> {
        let body = Body {
            format_version: FORMAT_VERSION,
            chain: self.place.chain,
            position: self.place.position,
            prev: self.prev,
            seen: &self.seen,
            record: &self.record,
        };
        serde_json::to_writer(&mut bytes, &body).map_err(|error| malformed(&error))?;
        Ok(bytes)
    }

    fn expected(&self, mac: &MacOf<'_>) -> Result<Mac, LineError> {
        let mut bytes = Vec::with_capacity(1024);
        bytes.extend_from_slice(DOMAIN);
        Ok(Mac::from(mac(&self.body(bytes)?)))
    }
}

/// The lines of a file, and what is none of them, by its number from 1. Empty lines are passed over.
#[must_use]
pub fn read(bytes: &[u8]) -> (Vec<Line>, Vec<(usize, LineError)>) {
    let mut lines = Vec::new();
    let mut refused = Vec::new();
    for (index, bytes) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if bytes.is_empty() {
            continue;
        }
        match Line::parse(bytes) {
            Ok(line) => lines.push(line),
            Err(error) => refused.push((index.saturating_add(1), error)),
        }
    }
    (lines, refused)
}

fn refusal(bytes: &[u8], error: &serde_json::Error) -> LineError {
    match refusal_of_form(bytes) {
        LineError::NotCanonical => malformed(error),
        other => other,
    }
}

fn refusal_of_form(bytes: &[u8]) -> LineError {
    match serde_json::from_slice::<Version>(bytes) {
        Ok(Version { format_version }) if format_version != FORMAT_VERSION => {
            LineError::UnknownVersion { found: format_version }
        }
        _ => LineError::NotCanonical,
    }
}

fn malformed(error: &serde_json::Error) -> LineError {
    LineError::Format { column: error.column() }
}
