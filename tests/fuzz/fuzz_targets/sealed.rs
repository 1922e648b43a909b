//! Any bytes as a sealed file: header, whole stream, and ranges of it.
#![no_main]

use engine_bundle::context::Context;
use engine_bundle::key::SingleKey;
use engine_bundle::sealed::{self, RangeReader};
use engine_bundle::secret::KeyMaterial;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(header) = sealed::inspect(bytes) else { return };
    let Some(material) = KeyMaterial::from_slice(&[7; 32]) else { return };
    let key = SingleKey { id: header.key().clone(), material };
    let context = Context::manifest("project", "export", 1);
    assert!(sealed::open(&key, &context, bytes).is_err());
    if let Ok(reader) = RangeReader::new(&key, &context, bytes, bytes.len() as u64)
        && let Ok(span) = reader.span(0..reader.plaintext_len())
    {
        let range = span.ciphertext();
        let (start, end) = (range.start as usize, range.end as usize);
        if let Some(part) = bytes.get(start..end).filter(|part| !part.is_empty()) {
            assert!(reader.open(&span, part).is_err());
        }
    }
});
