//! The committed reference page of recorded schemas is what this crate says of itself. `ENGINE_REWRITE=1`
//! rewrites it.

use std::path::PathBuf;

use crate::changes::ChangeKind;
use crate::ddl::MAPPING;

fn page() -> String {
    let mut page = String::from(
        "# Recorded schemas\n\n\
         <!-- Generated from engine/tracking/src; ENGINE_REWRITE=1 cargo test -p engine-tracking rewrites it. -->\n\n\
         What `engine metadata` records of sources, compares, and writes as DDL for PostgreSQL.\n\n\
         ## Kinds of changes\n\n\
         `on_change` of a tracking policy says for each kind `ignore`, `warn` (where nothing is said) or `fail`.\n\n\
         | kind | what it says |\n|---|---|\n",
    );
    for kind in ChangeKind::ALL {
        let (subject, verb) = kind.subject_and_verb();
        page.push_str(&format!("| `{}` | {subject} {verb} |\n", kind.word()));
    }
    page.push_str(
        "\n## Types in PostgreSQL's DDL\n\nDefaults, checks and expressions are written where they surely mean \
         the same, and otherwise as a comment.\n\n\
         | recorded type | PostgreSQL | what is lost |\n|---|---|---|\n",
    );
    for line in MAPPING {
        let lost = line.lost.unwrap_or_default();
        page.push_str(&format!("| `{}` | `{}` | {lost} |\n", line.logical, line.postgres));
    }
    page
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test that compares a committed file")]
fn the_reference_of_recorded_schemas_is_current() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/metadata.md");
    let generated = page();
    if std::env::var_os("ENGINE_REWRITE").is_some() {
        std::fs::write(&path, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == generated, "metadata.md is stale: run with ENGINE_REWRITE=1");
}
