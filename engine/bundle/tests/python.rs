//! Our sealed files, opened by Google's Tink in Python and by the recipients' example.
//!
//! The interpreter is the one that `ENGINE_TEST_PYTHON` names; `tests/run` sets it up.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    num::NonZeroU32,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use engine_bundle::{
    context::Context,
    digest::Digest,
    ids::ChunkId,
    key::{KeyId, KeyName, NamedKey, Purpose},
    sealed,
    secret::KeyMaterial,
    stream,
};

const FIRST: usize = stream::SEGMENT_BYTES - 56;
const NEXT: usize = stream::SEGMENT_BYTES - 16;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[expect(clippy::disallowed_methods, reason = "the one setting of these tests")]
fn python(script: &str) -> Command {
    let python = std::env::var("ENGINE_TEST_PYTHON").expect(
        "set ENGINE_TEST_PYTHON to a Python with tests/python/requirements.txt, or use tests/run",
    );
    let mut command = Command::new(python);
    command.arg(root().join(script));
    command
}

#[expect(clippy::disallowed_methods, reason = "hands files to another program")]
fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn lines(output: &Output) -> Vec<String> {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn tink_opens_our_files_and_refuses_changed_ones() {
    let id = KeyId {
        purpose: Purpose::Data,
        name: KeyName::new("eu.west-1").unwrap(),
        version: NonZeroU32::new(7).unwrap(),
    };
    let material = KeyMaterial::from_slice(&[0x5A; 32]).unwrap();
    let key = NamedKey { id: &id, material: &material };
    let folder = tempfile::tempdir().unwrap();
    let mut command = python("tests/python/open_with_tink.py");
    command.args([material.to_hex().as_str(), "acmé", "customers"]);
    let mut expected = Vec::new();
    let mut add = |file: &[u8], named: ChunkId, digest: Option<Digest>| {
        let path = write(folder.path(), &expected.len().to_string(), file);
        command.arg(format!("{named}={}", path.display()));
        let digest = digest.map(|digest| digest.to_string().replace("sha256:", ""));
        expected.push(digest.unwrap_or_else(|| "refused".to_owned()));
    };
    let sizes = [0, 1, 100, FIRST - 1, FIRST, FIRST + 1, FIRST + NEXT, FIRST + NEXT + 1];
    for length in sizes {
        let chunk = ChunkId::random().unwrap();
        let plain: Vec<u8> = (0..length).map(|i| (i * 7 % 251) as u8).collect();
        let context = Context::chunk("acmé", "customers", chunk);
        let file = sealed::seal(key, &context, &plain).unwrap();
        add(&file, chunk, Some(Digest::of(&plain)));
        add(&file, ChunkId::random().unwrap(), None);
        add(&file[..file.len() - 1], chunk, None);
        let mut flipped = file;
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        add(&flipped, chunk, None);
    }
    let output = command.output().unwrap();
    assert_eq!(lines(&output), expected);
}

/// What `examples/open_with_python/README.md` tells a recipient to do.
#[test]
fn a_recipient_opens_a_chunk() {
    let chunk = "tests/vectors/sealed/v1/00112233445566778899aabbccddeeff.parquet.enc";
    let mut command = python("examples/open_with_python/open_chunk.py");
    command.args([&root().join(chunk).display().to_string(), "acme", "customers"]);
    let folder = tempfile::tempdir().unwrap();
    let hex = "101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f\n";
    let key = write(folder.path(), "key.hex", hex.as_bytes());
    #[expect(clippy::disallowed_methods, reason = "hands a file to another program")]
    let key = std::fs::File::open(key).unwrap();
    let output = command.stdin(Stdio::from(key)).output().unwrap();
    let rows = lines(&output).join("\n");
    assert_eq!(rows.matches("customer_id").count(), 3, "{rows}");
    assert!(rows.contains("'email': 'k3v9@example.org'"), "{rows}");
}
