//! Any bytes as a manifest: what is accepted has exactly one spelling.
#![no_main]

use engine_bundle::manifest::Manifest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(manifest) = Manifest::parse(bytes) {
        assert_eq!(manifest.to_bytes().ok().as_deref(), Some(bytes));
    }
});
