//! Chunks that somebody changed: `verify` names each with a reason, and no reader gives a row of them.
//!
//! Manifests and keys stand in `forged.rs`.

use std::sync::OnceLock;

use crate::harness::{Dice, Project};
use crate::people;
use crate::store::{CHUNKS, Files, Store};

const CHANGED: &str = "does not have the digest its manifest states: it was changed or swapped";
const LENGTH: &str = "is not of the length its manifest states: it was truncated or extended";
const UNOPENED: &str = "cannot be opened: it was changed";
const SWAPPED: &str = "is another chunk than its name says: it was swapped or renamed";
const MISSING: &str = "is missing";

/// What a reader may say of a chunk with a changed bit, wherever the bit is.
const FLIPPED: &[&str] = &[
    UNOPENED,
    "not a sealed file",
    "sealed in format version",
    "sealed as a",
    "the header names no possible key",
    "sealed with key",
    "the file ends inside its header",
    "the stream's header is not one of",
    "is not an encrypted",
];

fn base() -> &'static Store {
    static BASE: OnceLock<Store> = OnceLock::new();
    BASE.get_or_init(Store::usual)
}

/// A store whose chunks are alike: equal rows, equal lengths. Only what they are bound to differs.
fn alike() -> &'static Store {
    static ALIKE: OnceLock<Store> = OnceLock::new();
    ALIKE.get_or_init(|| {
        let store = Store::of(project_of_equal_rows());
        for files in store.exports() {
            let lengths = files.old.iter().chain(&files.new).map(|path| store.bytes(path).len());
            let lengths: std::collections::BTreeSet<usize> = lengths.collect();
            assert_eq!(lengths.len(), 1, "{}: {lengths:?}", files.export);
        }
        store
    })
}

fn project_of_equal_rows() -> Project {
    let project = people::project(1, 20);
    project.replace("policies/masking.yml", "mask: first_name", "mask: redact");
    project.replace(
        "exports/people.yml",
        "from: source('crm', 'people')\n",
        "from: source('crm', 'people')\n    columns: [first_name, edition]\n",
    );
    project.replace(
        "exports/people.yml",
        "load: [{connection: masked, table: people, mode: replace}]",
        "load: []",
    );
    project
}

#[test]
fn every_flipped_bit_of_a_chunk_is_reported() {
    let mut dice = Dice::new(1);
    for round in 0..8 {
        let store = base().duplicate();
        let mut files = Vec::new();
        for export in store.exports() {
            for (index, path) in export.old.iter().chain(&export.new).enumerate() {
                // The first bytes, the last ones, and anywhere.
                let bit = match round {
                    0 => index as u64 * 5,
                    1 => (store.bytes(path).len() - 1 - index) as u64 * 8 + 3,
                    _ => dice.below(u64::MAX),
                };
                store.flip(path, bit);
                files.push(path.as_str());
            }
        }
        assert_eq!(files.len(), 4 * CHUNKS);
        store.assert_reported(&files, &[CHANGED]);
    }
}

#[test]
fn no_row_of_a_chunk_with_a_flipped_bit_is_read() {
    let store = base().duplicate();
    let mut dice = Dice::new(2);
    let mut unread = 0;
    for round in 0..48 {
        for export in store.exports() {
            let path = &export.new[round % CHUNKS];
            let whole = store.bytes(path);
            let bits = whole.len() as u64 * 8;
            let bit = match round {
                0..16 => round as u64 * 8 + 1,
                16..24 => bits - (round as u64 - 15) * 8,
                _ => dice.below(bits),
            };
            store.flip(path, bit);
            let sql = format!("select * from {}", export.export);
            let ended =
                store.project.run(&["query", &sql, "--log-format", "json", "--format", "json"]);
            if export.export == "contacts" && ended.status == Some(0) {
                // A reader of Parquet does not look at all of a file; what it looks at is right.
                assert!(ended.rows() == export.rows, "bit {bit} changed rows\n{ended}");
                unread += 1;
            } else {
                crate::store::assert_refused(&ended, &[path], &[FLIPPED, &[CHANGED]].concat());
                assert!(ended.stdout.is_empty(), "{ended}");
            }
            store.put(path, &whole);
        }
    }
    store.exports().into_iter().for_each(|export| store.assert_readable(export));
    eprintln!("{unread} bits of modular chunks unread");
    assert!(unread <= 12, "{unread} of 48 bits of modular chunks are looked at by nobody");
}

#[test]
fn truncated_and_extended_chunks_are_refused() {
    type Change = fn(&[u8]) -> Vec<u8>;
    let changes: [Change; 6] = [
        |_| Vec::new(),
        |whole| whole[..1].to_vec(),
        |whole| whole[..whole.len() / 2].to_vec(),
        |whole| whole[..whole.len() - 1].to_vec(),
        |whole| [whole, &[0]].concat(),
        |whole| [whole, whole].concat(),
    ];
    for change in changes {
        let store = base().duplicate();
        for export in store.exports() {
            let path = export.new[3].as_str();
            store.put(path, &change(&store.bytes(path)));
            store.assert_unreadable(export.export, &[path], &[LENGTH]);
        }
        store.assert_reported(&[&store.people.new[3], &store.contacts.new[3]], &[LENGTH]);
    }
}

#[test]
fn chunks_in_each_others_place_are_refused() {
    let store = alike().duplicate();
    for export in store.exports() {
        let (left, right) = (export.new[0].as_str(), export.new[5].as_str());
        store.swap(left, right);
        store.assert_unreadable(export.export, &[left, right], &[UNOPENED, SWAPPED]);
    }
    let [people, contacts] = store.exports();
    let files = [&people.new[0], &people.new[5], &contacts.new[0], &contacts.new[5]];
    store.assert_reported(&files.map(String::as_str), &[CHANGED]);
}

#[test]
fn an_old_chunk_in_place_of_a_new_one_is_refused() {
    let store = alike().duplicate();
    for export in store.exports() {
        let path = export.new[2].as_str();
        store.put(path, &store.bytes(&export.old[2]));
        store.assert_unreadable(export.export, &[path], &[UNOPENED, SWAPPED]);
    }
    store.assert_reported(&[&store.people.new[2], &store.contacts.new[2]], &[CHANGED]);
}

/// The same project, made elsewhere.
fn elsewhere(change: fn(&Project)) -> Store {
    let project = alike().project.duplicate();
    std::fs::remove_dir_all(project.path("target")).unwrap();
    change(&project);
    Store::of(project)
}

#[test]
fn a_foreign_chunk_is_refused() {
    let foreigners = [
        // Another project with the same keys, and the same project with other keys.
        elsewhere(|project| project.replace("engine.yml", "name: people", "name: peopel")),
        elsewhere(|project| {
            std::fs::remove_file(project.path("keyring.json")).unwrap();
            project.run(&["keys", "init"]).success();
        }),
    ];
    for foreign in &foreigners {
        let store = alike().duplicate();
        for (export, others) in store.exports().into_iter().zip(foreign.exports()) {
            let path = export.new[1].as_str();
            store.put(path, &foreign.bytes(&others.new[1]));
            store.assert_unreadable(export.export, &[path], &[UNOPENED, SWAPPED]);
        }
        store.assert_reported(&[&store.people.new[1], &store.contacts.new[1]], &[CHANGED]);
    }
}

#[test]
fn a_plain_parquet_file_is_no_chunk() {
    let store = base().duplicate();
    for export in store.exports() {
        let path = export.new[4].as_str();
        let mut bytes = store.bytes(path);
        let length = bytes.len();
        bytes[..4].copy_from_slice(b"PAR1");
        bytes[length - 4..].copy_from_slice(b"PAR1");
        store.put(path, &bytes);
        store.assert_unreadable(export.export, &[path], FLIPPED);
    }
    store.assert_reported(&[&store.people.new[4], &store.contacts.new[4]], &[CHANGED]);
}

#[test]
fn removed_and_renamed_chunks_are_missed() {
    let removed = base().duplicate();
    let renamed = base().duplicate();
    for export in base().exports() {
        let path = export.new[6].as_str();
        removed.remove(path);
        let other = path.replace(".parquet", "0.parquet").replacen("/chunks/", "/chunks/0", 1);
        renamed.put(&other, &renamed.bytes(path));
        renamed.remove(path);
        for store in [&removed, &renamed] {
            store.assert_unreadable(export.export, &[path], &[MISSING]);
        }
    }
    for store in [&removed, &renamed] {
        store.assert_reported(&[&store.people.new[6], &store.contacts.new[6]], &[MISSING]);
    }
}

#[test]
fn a_chunk_that_no_manifest_names_changes_nothing() {
    let store = base().duplicate();
    for export in store.exports() {
        let path = export.new[0].as_str();
        let id = path.rsplit('/').next().unwrap().split('.').next().unwrap();
        store.put(&path.replace(id, &"0".repeat(id.len())), &store.bytes(path));
        store.assert_readable(export);
    }
    let report = store.project.run(&["verify", "--format", "json"]).success().json();
    assert_eq!(report["exports"][0]["unreferenced"], 1);
    assert_eq!(report["exports"][1]["unreferenced"], 1);
}

#[test]
fn damage_of_an_old_snapshot_is_reported_and_the_new_one_is_read() {
    let store = base().duplicate();
    for export in store.exports() {
        store.flip(&export.old[0], 4_000);
        store.assert_readable(export);
    }
    store.assert_reported(&[&store.people.old[0], &store.contacts.old[0]], &[CHANGED]);
}

/// Bytes of a segment of the sealed stream, and of the file's header: 12, and the key's name.
const SEGMENT: usize = 1 << 20;
const HEADER: usize = 12 + "default".len();

#[test]
fn segments_cannot_be_cut_off_exchanged_or_repeated() {
    let project = people::project(1, 1_000_000);
    people::source(&project, 0, 70_000);
    project.run(&["run", "--select", "people"]).success();
    let path = people::chunks(&project).remove(0);
    let whole = std::fs::read(project.path(&path)).unwrap();
    let segment = |index: usize| {
        // The first one is shorter by the stream's own header, which stands before it.
        let end = (HEADER + (index + 1) * SEGMENT).min(whole.len());
        &whole[if index == 0 { 0 } else { HEADER + index * SEGMENT }..end]
    };
    assert!(whole.len() > HEADER + 2 * SEGMENT + 100_000, "{} bytes", whole.len());
    let last = &whole[HEADER + 2 * SEGMENT..];
    let changes: [(Vec<u8>, &[&str]); 6] = [
        (segment(0).to_vec(), &[LENGTH]),
        ([segment(0), segment(1)].concat(), &[LENGTH]),
        ([segment(0), last].concat(), &[LENGTH]),
        ([segment(0), segment(1), segment(1), last].concat(), &[LENGTH]),
        ([segment(0), segment(1), &segment(1)[..last.len()]].concat(), &[CHANGED, UNOPENED]),
        ([segment(0), last, &segment(1)[last.len()..], last].concat(), &[CHANGED, UNOPENED]),
    ];
    for (bytes, reasons) in changes {
        project.write(&path, &bytes);
        for arguments in [&["verify", "people"][..], &["query", "select * from people"]] {
            let ended = project.run(&[arguments, &["--log-format", "json"]].concat());
            crate::store::assert_refused(&ended, &[&path], reasons);
        }
    }
}

#[test]
fn a_changed_chunk_is_not_loaded() {
    let store = base().duplicate();
    let loaded = people::loaded(&store.project);
    for Files { export, new, .. } in store.exports() {
        // In the middle of a column, where no footer shows it.
        store.flip(&new[7], 8 * 200);
        let arguments = ["load", export, "--to", "masked", "--log-format", "json"];
        let ended = store.project.run(&arguments);
        crate::store::assert_refused(&ended, &[&new[7]], &[FLIPPED, &[CHANGED]].concat());
    }
    assert!(people::loaded(&store.project) == loaded, "the database was changed");
}
