//! Many values looked for in many bytes at once.
//!
//! ```text
//!  bytes ──two at a time──▶ could one begin here? ──first six──▶ those that do ──▶ the whole value
//! ```

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use crate::harness::files_below;

/// Shorter values occur by chance, and all values share an index by their first bytes.
pub(crate) const BYTES_MIN: usize = 6;

/// Values to look for, each with what it is called in a report.
pub(crate) struct Needles {
    /// Whether any value begins with these two bytes.
    begins: Vec<bool>,
    by_first: HashMap<[u8; BYTES_MIN], Vec<(Vec<u8>, String)>>,
    count: usize,
}

impl Needles {
    /// Values of at least [`BYTES_MIN`] bytes; shorter ones are left out.
    pub(crate) fn new(values: impl IntoIterator<Item = String>) -> Self {
        Self::named(values.into_iter().map(|value| (value.clone().into_bytes(), value)))
    }

    /// Values as bytes, each with its name.
    pub(crate) fn named(values: impl IntoIterator<Item = (Vec<u8>, String)>) -> Self {
        let distinct: BTreeMap<Vec<u8>, String> = values.into_iter().collect();
        let mut needles = Self { begins: vec![false; 1 << 16], by_first: HashMap::new(), count: 0 };
        for (value, name) in distinct {
            let Some(&first) = value.first_chunk::<BYTES_MIN>() else { continue };
            needles.begins[usize::from(u16::from_be_bytes([first[0], first[1]]))] = true;
            needles.by_first.entry(first).or_default().push((value, name));
            needles.count += 1;
        }
        needles
    }

    /// How many are looked for.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The name of one that occurs in the bytes.
    pub(crate) fn found_in(&self, bytes: &[u8]) -> Option<&str> {
        for (at, pair) in bytes.windows(2).enumerate() {
            if !self.begins[usize::from(u16::from_be_bytes([pair[0], pair[1]]))] {
                continue;
            }
            let rest = &bytes[at..];
            let Some(first) = rest.first_chunk::<BYTES_MIN>() else { break };
            let starting = self.by_first.get(first).into_iter().flatten();
            for (value, name) in starting {
                if rest.starts_with(value) {
                    return Some(name);
                }
            }
        }
        None
    }

    /// Fails when one occurs in the bytes.
    #[track_caller]
    pub(crate) fn assert_absent(&self, place: &str, bytes: &[u8]) {
        if let Some(name) = self.found_in(bytes) {
            panic!("{place} holds {name:?}\n{}", String::from_utf8_lossy(bytes));
        }
    }

    /// Fails when one occurs in a file below a folder, or in its name.
    #[track_caller]
    pub(crate) fn assert_absent_below(&self, folder: &Path) {
        for file in files_below(folder) {
            let place = file.display().to_string();
            // A file of a run that goes on may have been renamed or removed since it was listed.
            let Ok(bytes) = std::fs::read(&file) else { continue };
            for searched in [place.as_bytes(), &bytes] {
                if let Some(name) = self.found_in(searched) {
                    panic!("{place} holds {name:?}");
                }
            }
        }
    }
}

#[test]
fn a_value_is_found_wherever_it_stands() {
    let needles = Needles::new(["sommer", "sommerhaus", "a", "winter"].map(str::to_owned));
    assert_eq!(needles.count(), 3);
    assert_eq!(needles.found_in(b"xxsommer"), Some("sommer"));
    assert_eq!(needles.found_in(b"winter"), Some("winter"));
    assert_eq!(needles.found_in(b"somme sommE wintr a"), None);
    assert_eq!(needles.found_in(b""), None);
}
