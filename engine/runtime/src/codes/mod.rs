//! Every error code and its page. A code names one cause and never changes its meaning; a page says
//! what happened, why the engine refuses, an example, and how to mend it.
//!
//! ```text
//! E01xx  configuration files: syntax and shape        config.rs
//! E02xx  names and references                         names.rs
//! E03xx  templates and SQL                            sql.rs
//! E04xx  policy: classes, rules, masks                policy.rs
//! E05xx  sources                                      sources.rs
//! E06xx  store, sealed files, manifests               store.rs
//! E07xx  keys                                         keys.rs
//! E08xx  runs, tests, loads                           run.rs
//! E09xx  commands                                     commands.rs
//! E10xx  tracking and retention                       tracking.rs
//! E11xx  other systems that are told                  outbound.rs
//! ```

pub mod commands;
pub mod config;
pub mod keys;
pub mod names;
pub mod outbound;
pub mod policy;
pub mod run;
pub mod sources;
pub mod sql;
pub mod store;
pub mod tracking;

use crate::exit::Exit;

/// One cause of refusal, with its page.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// Stable identifier, `E` and four digits.
    pub id: &'static str,
    /// A title of a few words.
    pub title: &'static str,
    /// How a command ends when this is its worst cause.
    pub exit: Exit,
    /// What happened.
    pub what: &'static str,
    /// Why the engine refuses rather than going on.
    pub why: &'static str,
    /// An example that gives this error.
    pub example: &'static str,
    /// How to mend it.
    pub fix: &'static str,
}

/// Every code, by range.
const RANGES: &[&[&Code]] = &[
    config::ALL,
    names::ALL,
    sql::ALL,
    policy::ALL,
    sources::ALL,
    store::ALL,
    keys::ALL,
    run::ALL,
    commands::ALL,
    tracking::ALL,
    outbound::ALL,
];

/// Every code in ascending order of its identifier.
pub fn all() -> impl Iterator<Item = &'static Code> {
    RANGES.iter().flat_map(|range| range.iter().copied())
}

/// The code with this identifier, in any letter case.
pub fn find(id: &str) -> Option<&'static Code> {
    all().find(|code| code.id.eq_ignore_ascii_case(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_unique_sorted_and_have_a_full_page() {
        let ids: Vec<&str> = all().map(|code| code.id).collect();
        let mut sorted = ids.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(ids, sorted);
        for code in all() {
            assert!(code.id.len() == 5 && code.id.starts_with('E'), "{}", code.id);
            for part in [code.title, code.what, code.why, code.example, code.fix] {
                assert!(!part.trim().is_empty(), "{} has an empty part", code.id);
            }
        }
    }
}
