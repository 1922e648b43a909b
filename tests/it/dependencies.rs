//! What the engine is built from: licences it may be shipped with, and no crate twice
//! without a reason.

use std::collections::{BTreeMap, BTreeSet};

use crate::repository::{assert_none, host, metadata, root};

/// Licences that ask for no more than that they be named.
const LICENSES: [&str; 12] = [
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Zlib",
];

#[test]
fn every_licence_is_permissive() {
    let metadata = metadata(&["--filter-platform", &host()]);
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100, "cargo named {} packages only", packages.len());
    let mut findings = Vec::new();
    for package in packages {
        let (name, version) = (&package["name"], &package["version"]);
        let Some(license) = package["license"].as_str() else {
            findings.push(format!("{name} {version} states no licence"));
            continue;
        };
        if !is_permissive(license) {
            findings.push(format!("{name} {version} is under {license}"));
        }
    }
    assert_none("a dependency's licence is not on the list in this test", &findings);
}

fn is_permissive(license: &str) -> bool {
    // Crates from before SPDX expressions write `MIT/Apache-2.0`.
    let expression = spdx::Expression::parse_mode(license, spdx::ParseMode::LAX).unwrap();
    expression.evaluate(|requirement| {
        let id = requirement.license.id();
        // An exception only ever allows more.
        id.is_some_and(|id| LICENSES.contains(&id.name))
    })
}

#[test]
fn licence_expressions_are_understood() {
    for license in
        ["MIT", "MIT/Apache-2.0", "GPL-3.0-only OR MIT", "Apache-2.0 WITH LLVM-exception"]
    {
        assert!(is_permissive(license), "{license}");
    }
    for license in ["GPL-3.0-only", "MIT AND LGPL-2.1-only", "MPL-2.0"] {
        assert!(!is_permissive(license), "{license}");
    }
}

/// `duplicates.txt` holds a crate and why it is there more than once, a line each.
#[test]
fn no_crate_is_there_twice_without_a_reason() {
    let list = std::fs::read_to_string(root().join("tests/dependencies/duplicates.txt")).unwrap();
    let mut reasons = BTreeMap::new();
    for line in list.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (name, reason) = line.split_once(": ").unwrap_or_else(|| panic!("no reason: {line}"));
        assert!(reasons.insert(name, reason).is_none(), "{name} is listed twice");
    }
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let mut findings = Vec::new();
    for (name, versions) in incompatible(&lock) {
        if reasons.remove(name).is_none() {
            let versions: Vec<_> = versions.into_iter().collect();
            findings.push(format!("{name} is there as {}", versions.join(" and ")));
        }
    }
    findings.extend(reasons.keys().map(|name| format!("{name} is listed and there once only")));
    assert_none("tests/dependencies/duplicates.txt does not say what Cargo.lock says", &findings);
}

/// Crates that are there in more than one incompatible version.
fn incompatible(lock: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut crates: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut name = "";
    for line in lock.lines() {
        if let Some(value) = line.strip_prefix("name = ") {
            name = value.trim_matches('"');
        } else if let Some(value) = line.strip_prefix("version = \"") {
            crates.entry(name).or_default().insert(compatible(value.trim_matches('"')));
        }
    }
    crates.retain(|_, versions| versions.len() > 1);
    crates
}

/// The part of a version that compatible ones share: `1` of 1.2.3, `0.4` of 0.4.5.
fn compatible(version: &str) -> &str {
    let parts = if version.starts_with("0.") { 2 } else { 1 };
    let end = version.match_indices('.').nth(parts - 1).map_or(version.len(), |(at, _)| at);
    version.get(..end).unwrap()
}

#[test]
fn versions_are_told_apart_as_cargo_does() {
    assert_eq!(["1.2.3", "0.4.5", "12.0.1"].map(compatible), ["1", "0.4", "12"]);
    let lock = "name = \"a\"\nversion = \"1.0.0\"\nname = \"a\"\nversion = \"1.5.0\"\n\
                name = \"b\"\nversion = \"0.1.0\"\nname = \"b\"\nversion = \"0.2.0\"\n";
    assert_eq!(incompatible(lock).into_keys().collect::<Vec<_>>(), ["b"]);
}
