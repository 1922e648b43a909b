//! The project's dictionaries, `lookups/*.csv`: the first field of each record, no header.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use csv_core::{ReadFieldResult, Reader};
use engine_masking::Lookups;
use engine_project::Project;

use crate::codes::policy;
use crate::diagnostic::{Diagnostic, Outcome};
use crate::files;

/// Bytes of one dictionary file.
const LOOKUP_BYTES_MAX: u64 = 64 << 20;

/// Reads every dictionary.
///
/// # Errors
/// Every file that cannot be used.
pub fn read(project: &Project) -> Outcome<Lookups> {
    let mut lookups = BTreeMap::new();
    let mut findings = Vec::new();
    for (name, path) in &project.lookups {
        match entries(&project.root.join(path)) {
            Ok(entries) => {
                lookups.insert(name.clone(), entries);
            }
            Err(words) => findings.push(
                Diagnostic::new(&policy::LOOKUP_INVALID, format!("`{path}` {words}")).help(
                    "write one entry on each line, as UTF-8; of several fields the first counts",
                ),
            ),
        }
    }
    if findings.is_empty() { Ok(lookups) } else { Err(findings.into()) }
}

fn entries(path: &Path) -> Result<Arc<[String]>, &'static str> {
    let bytes = files::read(path, LOOKUP_BYTES_MAX)
        .map_err(|_| "cannot be read, or is longer than 64 MiB")?;
    let text = String::from_utf8(bytes).map_err(|_| "is not UTF-8")?;
    let entries = first_fields(text.trim_start_matches('\u{feff}'));
    if entries.is_empty() { Err("has no entry") } else { Ok(entries.into()) }
}

/// The first field of each record of a CSV text (RFC 4180), without empty ones.
fn first_fields(text: &str) -> Vec<String> {
    let mut reader = Reader::new();
    // No field is longer than the text it is read from.
    let mut field = vec![0; text.len()];
    let mut rest = text.as_bytes();
    let mut entries = Vec::new();
    let (mut is_first, mut length) = (true, 0);
    loop {
        let free = field.get_mut(length..).unwrap_or_default();
        let (result, read, written) = reader.read_field(rest, free);
        rest = rest.get(read..).unwrap_or_default();
        length += written;
        match result {
            ReadFieldResult::InputEmpty => {}
            ReadFieldResult::Field { record_end } => {
                if is_first && length > 0 {
                    let text = field.get(..length).unwrap_or_default();
                    // Fields are cut at ASCII characters: what is left is UTF-8 still.
                    entries.push(String::from_utf8_lossy(text).into_owned());
                }
                (is_first, length) = (record_end, 0);
            }
            ReadFieldResult::OutputFull | ReadFieldResult::End => return entries,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_field_of_each_record_counts() {
        let text = "Ada,1\r\n\n\"Grace \"\"G\"\" Hopper, Dr.\",2\n,3\nZoë\n  x ,\nlast";
        let expected = ["Ada", "Grace \"G\" Hopper, Dr.", "Zoë", "  x ", "last"];
        assert_eq!(first_fields(text), expected);
        assert!(first_fields("").is_empty() && first_fields("\n,\n").is_empty());
    }
}
