//! Manifests and keyrings that somebody changed, moved, removed or brought from elsewhere; wrong keys.

use std::sync::OnceLock;

use crate::harness::{Dice, Ended, KEY_VARIABLE, Project, copy};
use crate::people;
use crate::store::{Files, Store, assert_refused};

/// What a reader may say of a manifest that is not the one that was committed in its place.
const REASONS: &[&str] = &[
    "cannot be opened: it was changed",
    "not a sealed file",
    "sealed in format version",
    "sealed as a",
    "was published for target `prod`",
    "the header names no possible key",
    "sealed with key",
    "the file ends inside its header",
    "the stream is truncated",
    "the stream's header is not one of",
];

fn base() -> &'static Store {
    static BASE: OnceLock<Store> = OnceLock::new();
    BASE.get_or_init(Store::usual)
}

/// Fails unless every command that needs the newest snapshot of an export refuses it.
#[track_caller]
fn assert_untrusted(store: &Store, export: &Files, reasons: &[&str]) {
    let sql = format!("select * from {}", export.export);
    let file = export.manifests[1].as_str();
    let manifests = people::manifests(&store.project);
    for arguments in [
        &["query", &sql][..],
        &["show", export.export],
        &["load", export.export, "--to", "masked"],
        &["run", "--select", export.export],
    ] {
        let ended = store.project.run(&[arguments, &["--log-format", "json"]].concat());
        assert_refused(&ended, &[file], reasons);
    }
    assert_eq!(people::manifests(&store.project), manifests, "something was published");
}

#[test]
fn every_flipped_bit_of_a_manifest_is_reported() {
    let mut dice = Dice::new(3);
    for round in 0..40_u64 {
        let store = base().duplicate();
        let exports = store.exports();
        let files: Vec<&str> =
            exports.iter().flat_map(|export| &export.manifests).map(String::as_str).collect();
        for (index, path) in files.iter().enumerate() {
            let bytes = store.bytes(path).len() as u64;
            let bit = match round {
                // Our header and the stream's, byte by byte; the tag at the end; anywhere.
                0..20 => (round * 4 + index as u64) * 8 + round % 8,
                20..24 => (bytes + 19 - round) * 8,
                _ => dice.below(bytes * 8),
            };
            store.flip(path, bit);
        }
        store.assert_reported(&files, REASONS);
    }
}

#[test]
fn a_manifest_of_a_key_that_is_not_at_hand_is_refused() {
    let store = base().duplicate();
    let path = store.people.manifests[1].as_str();
    // The header names the key, after eight other bytes: `default` becomes `eefault`.
    store.flip(path, 8 * 8);
    for arguments in [["verify", "people"], ["query", "select * from people"]] {
        let ended = store.project.run(&[&arguments[..], &["--log-format", "json"]].concat());
        assert_eq!(ended.findings()[0].0, "E0618", "{ended}");
        assert_refused(&ended.status(77), &[path], &["sealed with key"]);
    }
}

#[test]
fn nothing_is_done_with_a_manifest_that_was_changed() {
    type Change = fn(&[u8]) -> Vec<u8>;
    let changes: [Change; 6] = [
        |_| Vec::new(),
        |whole| whole[..19].to_vec(),
        |whole| whole[..whole.len() - 1].to_vec(),
        |whole| [whole, &[0]].concat(),
        |whole| [whole, whole].concat(),
        |whole| whole.iter().map(|byte| byte ^ 0x10).collect(),
    ];
    for change in changes {
        let store = base().duplicate();
        let path = store.people.manifests[1].as_str();
        store.put(path, &change(&store.bytes(path)));
        assert_untrusted(&store, &store.people, REASONS);
        store.assert_reported(&[path], REASONS);
        store.assert_readable(&store.contacts);
    }
}

#[test]
fn a_manifest_holds_in_its_own_place_only() {
    let [replayed, swapped, crossed, repeated] = [(); 4].map(|()| base().duplicate());
    let [old, new] = &base().people.manifests;
    // An old one as the new one.
    replayed.put(new, &replayed.bytes(old));
    assert_untrusted(&replayed, &replayed.people, REASONS);
    replayed.assert_reported(&[new], REASONS);
    // Both in each other's place.
    swapped.swap(old, new);
    assert_untrusted(&swapped, &swapped.people, REASONS);
    swapped.assert_reported(&[old, new], REASONS);
    // That of another export.
    crossed.put(new, &crossed.bytes(&crossed.contacts.manifests[1]));
    assert_untrusted(&crossed, &crossed.people, REASONS);
    crossed.assert_reported(&[new], REASONS);
    // An old one under a version that does not exist.
    let third = new.replace("0000000002", "0000000003");
    repeated.put(&third, &repeated.bytes(old));
    repeated.assert_reported(&[&third], REASONS);
    repeated.assert_unreadable("people", &[&third], REASONS);
    repeated.project.run(&["run", "--select", "people"]).status(1).says("E0610");
}

#[test]
fn a_foreign_manifest_is_refused() {
    // Of another project or target with the same keys, and of the same with other keys.
    let changes: [fn(&Project); 3] = [
        |project| project.replace("engine.yml", "name: people", "name: peopel"),
        |project| {
            project.replace("profiles.yml", "default: dev", "default: prod");
            project.replace("profiles.yml", "  dev:\n", "  prod:\n");
        },
        |project| {
            std::fs::remove_file(project.path("keyring.json")).unwrap();
            project.run(&["keys", "init"]).success();
        },
    ];
    for change in changes {
        let project = base().project.duplicate();
        std::fs::remove_dir_all(project.path("target")).unwrap();
        change(&project);
        let foreign = Store::of(project);
        let store = base().duplicate();
        let path = store.people.manifests[1].as_str();
        store.put(path, &foreign.bytes(&foreign.people.manifests[1]));
        assert_untrusted(&store, &store.people, REASONS);
        store.assert_reported(&[path], REASONS);
    }
}

#[test]
fn a_missing_manifest_is_noticed_wherever_it_is_missing() {
    // The first: the chain has a hole. The second snapshot is whole, and is read.
    let first = base().duplicate();
    first.remove(&first.people.manifests[0]);
    first.assert_reported(&[&first.people.manifests[0]], &["is missing"]);
    first.assert_readable(&first.people);

    // The last, or all: the store is behind what this folder has seen.
    let last = base().duplicate();
    last.remove(&last.people.manifests[1]);
    let all = last.duplicate();
    all.remove(&all.people.manifests[0]);
    for store in [&last, &all] {
        store.assert_reported(&[&store.people.manifests[1]], &["is missing"]);
        assert_untrusted(store, &store.people, &["is missing"]);
        store.assert_readable(&store.contacts);
    }

    // Whoever means it removes the record, and goes on from there.
    std::fs::remove_file(last.project.path("target/heads.json")).unwrap();
    last.project.run(&["verify"]).success();
    last.project.run(&["run"]).success();
    last.assert_readable(&last.people);
}

#[test]
fn a_store_put_back_to_an_earlier_state_is_noticed() {
    let store = base().duplicate();
    let earlier = store.duplicate();
    people::source(&store.project, 2, 40);
    store.project.run(&["run"]).success();
    std::fs::remove_dir_all(store.project.path("target/store")).unwrap();
    copy(&earlier.project.path("target/store"), &store.project.path("target/store"), &[]);
    let files = store.exports().map(|export| export.manifests[1].replace("2.json", "3.json"));
    store.assert_reported(&[&files[0], &files[1]], &["is missing"]);
    store.project.run(&["query", "select * from people"]).status(1).says("E0617");
    store.project.run(&["run"]).status(1).says("E0617");
}

#[test]
fn every_changed_bit_of_the_keyring_is_refused() {
    let store = base().duplicate();
    let whole = store.bytes("keyring.json");
    let mut dice = Dice::new(4);
    for _ in 0..60 {
        store.flip("keyring.json", dice.below(whole.len() as u64 * 8));
        for arguments in [&["verify"][..], &["query", "select * from people"], &["run"]] {
            let ended = store.project.run(&[arguments, &["--log-format", "json"]].concat());
            assert_eq!(ended.status, Some(77), "{ended}");
            let findings = ended.findings();
            assert!(findings.len() == 1 && findings[0].1.contains("keyring"), "{ended}");
            assert!(ended.stdout.is_empty(), "{ended}");
        }
        store.put("keyring.json", &whole);
    }
    for length in [0, 1, whole.len() / 2, whole.len() - 3] {
        store.put("keyring.json", &whole[..length]);
        store.project.run(&["verify"]).status(77);
    }
    store.put("keyring.json", &whole);
    store.project.run(&["verify"]).success();
}

#[test]
fn the_stores_copy_of_the_keyring_is_verified() {
    const COPY: &str = "target/store/keys/keyring.json";
    let store = base().duplicate();
    let whole = store.bytes(COPY);
    let mut dice = Dice::new(5);
    for _ in 0..20 {
        store.flip(COPY, dice.below(whole.len() as u64 * 8));
        store.assert_reported(&[COPY], &["was changed"]);
        store.put(COPY, &whole);
    }
    store.put(COPY, b"");
    store.assert_reported(&[COPY], &["was changed"]);
    store.remove(COPY);
    store.assert_reported(&[COPY], &["is missing"]);
    // A run puts it there again.
    store.project.run(&["run"]).success();
    assert_eq!(store.bytes(COPY), whole);
    store.project.run(&["verify"]).success();
}

/// Fails unless a command says that the passphrase is wrong, and nothing else.
#[track_caller]
fn assert_says_wrong_passphrase_only(ended: &Ended) {
    assert_eq!(ended.status, Some(77), "{ended}");
    assert!(ended.stdout.is_empty(), "{ended}");
    let lines = ended.stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    let expected =
        ["E0702", "× wrong passphrase", "1 error. `engine explain E0702` tells more about it."];
    assert_eq!(lines.collect::<Vec<_>>(), expected, "{ended}");
}

#[test]
fn a_wrong_passphrase_says_so_and_nothing_else() {
    let mut project = people::project(20, 10);
    std::fs::remove_file(project.path("keyring.json")).unwrap();
    let environment =
        format!("{{provider: environment, keyring: keyring.json, env: {KEY_VARIABLE}}}");
    let passphrase = "{provider: passphrase, keyring: keyring.json, env: ENGINE_PASSPHRASE}";
    project.replace("profiles.yml", &environment, passphrase);
    project.set("ENGINE_PASSPHRASE", "a long and right passphrase");
    project.run(&["keys", "init"]).success();
    project.run(&["run"]).success();
    let before = people::manifests(&project);

    project.set("ENGINE_PASSPHRASE", "a long and wrong passphrase");
    people::source(&project, 1, 20);
    for arguments in [
        &["run"][..],
        &["verify"],
        &["query", "select * from people"],
        &["show", "people"],
        &["keys", "list"],
        &["plan"],
    ] {
        assert_says_wrong_passphrase_only(&project.run(arguments));
    }
    project.write("passphrase.txt", "another wrong passphrase\n");
    project.set("ENGINE_PASSPHRASE", "a long and right passphrase");
    let from_file = project.run(&["verify", "--passphrase-file", "passphrase.txt"]);
    assert_says_wrong_passphrase_only(&from_file);
    assert_eq!(people::manifests(&project), before, "something was published");
    project.run(&["verify"]).success();
}

#[test]
fn a_wrong_key_opens_nothing() {
    let mut project = base().duplicate().project;
    project.set(KEY_VARIABLE, &"ff".repeat(32));
    for arguments in [&["run"][..], &["verify"], &["query", "select * from people"]] {
        let ended = project.run(arguments).status(77).says("does not open this keyring");
        assert!(ended.stdout.is_empty(), "{ended}");
    }
    project.set(KEY_VARIABLE, "too short");
    project.run(&["verify"]).status(77).says("does not hold a 32-byte key");
}
