//! Texts as they were made before: compared, or written anew with `ENGINE_REWRITE=1`.

use std::path::Path;

#[expect(clippy::disallowed_methods, reason = "a test compares files of its own folder")]
pub(crate) fn compare(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/runs/golden").join(name);
    if std::env::var_os("ENGINE_REWRITE").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = golden.lines().zip(text.lines()).position(|(before, now)| before != now);
    assert!(golden == text, "{name} differs, first in line {:?}", differs.map(|line| line + 1));
}
