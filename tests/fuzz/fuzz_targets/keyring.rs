//! Any bytes as a keyring. It is not opened: that would only measure the key derivation.
#![no_main]

use engine_bundle::keyring::Keyring;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(keyring) = Keyring::parse(bytes) {
        let _ = (keyring.provider(), keyring.list());
    }
});
