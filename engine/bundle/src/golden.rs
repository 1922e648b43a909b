//! Stored files of format version 1: whatever changes here, they open, and are still made.
//!
//! ```text
//!  keyring.json ──passphrase──▶ data key ──▶ manifest.json.enc ──▶ chunk digest
//!                                       └──▶ <chunk id>.parquet.enc ──▶ chunk.parquet
//! ```

use std::{collections::BTreeMap, num::NonZeroU32};

use crate::{
    context::Context,
    digest::Digest,
    ids::{ChunkId, FileId, RunId},
    key::{KeyName, KeySource, NamedKey, Purpose},
    keyring::{Keyring, OpenKeyring, Protection},
    layout::Encryption,
    manifest::{Chunk, Column, EngineBuild, Inputs, Manifest, SourceFingerprint},
    modular,
    random::counter,
    sealed,
    secret::Secret,
};

const KEYRING: &[u8] = include_bytes!("../../../tests/vectors/sealed/v1/keyring.json");
const MANIFEST: &[u8] = include_bytes!("../../../tests/vectors/sealed/v1/manifest.json");
const SEALED_MANIFEST: &[u8] = include_bytes!("../../../tests/vectors/sealed/v1/manifest.json.enc");
const CHUNK: &[u8] = include_bytes!("../../../tests/vectors/sealed/v1/chunk.parquet");
const SEALED_CHUNK: &[u8] =
    include_bytes!("../../../tests/vectors/sealed/v1/00112233445566778899aabbccddeeff.parquet.enc");

const PASSPHRASE: &str = "golden passphrase of version 1";
const PROJECT: &str = "acme";
const EXPORT: &str = "customers";

fn chunk_id() -> ChunkId {
    "00112233445566778899aabbccddeeff".parse().unwrap()
}

fn run_id() -> RunId {
    "018bcfe5680000000000000000000000".parse().unwrap()
}

fn make_keyring() -> (Vec<u8>, OpenKeyring) {
    let protection = Protection::Argon2id { memory_kib: 19 * 1024, passes: 2, lanes: 1 };
    let secret = Secret::from(PASSPHRASE.to_owned());
    Keyring::create_with(protection, &secret, &Keyring::default_keys(), &mut counter()).unwrap()
}

fn data_key(keyring: &OpenKeyring) -> NamedKey<'_> {
    keyring.active(Purpose::Data, &KeyName::default_name()).unwrap()
}

fn make_chunk(keyring: &OpenKeyring) -> Vec<u8> {
    let context = Context::chunk(PROJECT, EXPORT, chunk_id());
    sealed::seal_with(data_key(keyring), &context, CHUNK, &mut counter()).unwrap()
}

fn column(name: &str, data_type: &str, class: &str, mask: Option<&str>) -> Column {
    Column {
        name: name.to_owned(),
        data_type: data_type.to_owned(),
        nullable: true,
        class: Some(class.to_owned()),
        mask: mask.map(str::to_owned),
    }
}

fn make_manifest(keyring: &OpenKeyring, sealed_chunk: &[u8]) -> Manifest {
    Manifest {
        format_version: 1,
        project: PROJECT.to_owned(),
        target: "prod".to_owned(),
        export: EXPORT.to_owned(),
        version: 1,
        run: run_id(),
        git_commit: Some("8a5edab282632443219e051e4ade2d1d5bbc671c".to_owned()),
        inputs: Inputs {
            plan: Digest::of(b"plan"),
            compiled_sql: Digest::of(b"sql"),
            policy: Digest::of(b"policy"),
            engine: EngineBuild { version: "0.1.0".to_owned(), build: Digest::of(b"engine") },
            sources: vec![SourceFingerprint {
                name: "crm.customers".to_owned(),
                digest: Digest::of(b"source"),
            }],
        },
        keys: vec![data_key(keyring).id.clone()],
        encryption: Encryption::Sealed,
        schema: vec![
            column("customer_id", "int64", "id", Some("token(linkage: customer)")),
            column("email", "string", "pii.email", Some("email(linkage: customer)")),
            column("birth_date", "date", "quasi.birth_date", Some("date_shift(days: 30)")),
        ],
        rows: 3,
        bytes: sealed_chunk.len() as u64,
        chunks: vec![Chunk {
            id: chunk_id(),
            file: "00112233445566778899aabbccddeeff.parquet.enc".to_owned(),
            rows: 3,
            bytes: sealed_chunk.len() as u64,
            digest: Digest::of(sealed_chunk),
            partition: BTreeMap::new(),
            modular: None,
        }],
        tests: Vec::new(),
        predecessor: None,
        described: None,
        origin: None,
    }
}

fn make_sealed_manifest(keyring: &OpenKeyring, manifest: &Manifest) -> Vec<u8> {
    let context = Context::manifest(PROJECT, EXPORT, 1);
    let bytes = manifest.to_bytes().unwrap();
    sealed::seal_with(data_key(keyring), &context, &bytes, &mut counter()).unwrap()
}

fn opened() -> OpenKeyring {
    let secret = Secret::from(PASSPHRASE.to_owned());
    Keyring::parse(KEYRING).unwrap().open(&secret).unwrap()
}

#[test]
fn stored_files_open() {
    let keyring = opened();
    let context = Context::manifest(PROJECT, EXPORT, 1);
    let bytes = sealed::open(&keyring, &context, SEALED_MANIFEST).unwrap();
    assert_eq!(bytes, MANIFEST);
    let manifest = Manifest::parse(&bytes).unwrap();
    let chunk = &manifest.chunks[0];
    assert_eq!(chunk.digest, Digest::of(SEALED_CHUNK));
    let context = Context::chunk(PROJECT, EXPORT, chunk.id);
    assert_eq!(sealed::open(&keyring, &context, SEALED_CHUNK).unwrap(), CHUNK);
}

/// The writers still make the stored bytes, given the stored randomness.
#[test]
fn stored_files_are_still_made() {
    let (keyring_bytes, keyring) = make_keyring();
    assert!(keyring_bytes == KEYRING);
    assert!(make_chunk(&keyring) == SEALED_CHUNK);
    let manifest = make_manifest(&keyring, SEALED_CHUNK);
    assert!(manifest.to_bytes().unwrap() == MANIFEST);
    assert!(make_sealed_manifest(&keyring, &manifest) == SEALED_MANIFEST);
}

/// Derived names and keys are part of the format: these values were computed
/// by `tests/vectors/sealed/independent_reader.py`, which uses no code of ours.
#[test]
fn derived_values_are_pinned() {
    let keyring = opened();
    let mut id = data_key(&keyring).id.clone();
    let scope = run_id().to_string();
    let modular = modular::file_key(keyring.find(&id).unwrap(), PROJECT, EXPORT, &scope).unwrap();
    assert_eq!(modular.to_hex().as_str(), MODULAR_KEY);
    id.purpose = Purpose::Identifiers;
    let file_id = FileId::new(keyring.find(&id).unwrap(), PROJECT, EXPORT);
    assert_eq!(file_id.to_string(), FILE_ID);
    id.version = NonZeroU32::MAX;
    assert!(keyring.find(&id).is_none());
}

const MODULAR_KEY: &str = "c27e35f23ea79e1cbbb94b03218c0abe1acbd0222f81b1d9ecfa393c9cc2ca06";
const FILE_ID: &str = "0f93a2d7e54a94a5";

/// Writes the files, once, when a new format version begins; never over existing ones.
#[test]
#[ignore = "writes the stored files of a new format version"]
#[expect(clippy::disallowed_methods, reason = "writes fixtures, outside the product")]
fn write_stored_files() {
    let folder =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/sealed/v1");
    let (keyring_bytes, keyring) = make_keyring();
    let chunk = make_chunk(&keyring);
    let manifest = make_manifest(&keyring, &chunk);
    for (name, bytes) in [
        ("keyring.json".to_owned(), keyring_bytes),
        (format!("{}.parquet.enc", chunk_id()), chunk),
        ("manifest.json".to_owned(), manifest.to_bytes().unwrap()),
        ("manifest.json.enc".to_owned(), make_sealed_manifest(&keyring, &manifest)),
    ] {
        let path = folder.join(name);
        let is_empty = path.metadata().is_ok_and(|file| file.len() == 0);
        assert!(is_empty, "{} is there already", path.display());
        std::fs::write(path, bytes).unwrap();
    }
}
