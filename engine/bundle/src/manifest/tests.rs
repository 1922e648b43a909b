//! Tests of manifests: canonical bytes, contradictions, hostile input.

use proptest::prelude::*;

use super::*;

fn chunk(id: u8, rows: u64, bytes: u64) -> Chunk {
    let id: ChunkId = format!("{id:02x}").repeat(16).parse().unwrap();
    Chunk {
        id,
        file: format!("{id}.parquet.enc"),
        rows,
        bytes,
        digest: Digest::of(b"chunk"),
        partition: BTreeMap::from([("country".to_owned(), Some("DE".to_owned()))]),
        modular: None,
    }
}

fn manifest() -> Manifest {
    let digest = Digest::of(b"");
    let key = |purpose: &str| KeyId {
        purpose: purpose.parse().unwrap(),
        name: "default".parse().unwrap(),
        version: std::num::NonZeroU32::MIN,
    };
    Manifest {
        format_version: 1,
        project: "acme".to_owned(),
        target: "prod".to_owned(),
        export: "customers".to_owned(),
        version: 2,
        run: "00".repeat(16).parse().unwrap(),
        git_commit: None,
        inputs: Inputs {
            plan: digest,
            compiled_sql: digest,
            policy: digest,
            engine: EngineBuild { version: "0.1.0".to_owned(), build: digest },
            sources: vec![SourceFingerprint { name: "crm.customers".to_owned(), digest }],
        },
        keys: vec![key("data"), key("masking")],
        encryption: Encryption::Sealed,
        schema: vec![Column {
            name: "email".to_owned(),
            data_type: "string".to_owned(),
            nullable: true,
            class: Some("pii.email".to_owned()),
            mask: Some("email(linkage: customer)".to_owned()),
        }],
        rows: 30,
        bytes: 300,
        chunks: vec![chunk(1, 10, 100), chunk(2, 20, 200)],
        tests: vec![TestResult {
            name: "k".to_owned(),
            kind: "k_anonymity".to_owned(),
            status: TestStatus::Passed,
            failures: 0,
            measured: Some(7),
            handles: Vec::new(),
        }],
        predecessor: Some(Predecessor { version: 1, digest }),
        described: None,
        origin: None,
    }
}

#[test]
fn reads_back_what_it_writes() {
    let bytes = manifest().to_bytes().unwrap();
    assert!(bytes.starts_with(b"{\"format_version\":1,\"project\":\"acme\""));
    assert_eq!(Manifest::parse(&bytes).unwrap(), manifest());
    assert_eq!(manifest().digest().unwrap(), Digest::of(&bytes));
}

#[test]
fn contradictions_are_found() {
    type Change = fn(&mut Manifest);
    type Expected = fn(&ManifestError) -> bool;
    let cases: [(Change, Expected); 15] = [
        (|m| m.rows = 31, |e| matches!(e, ManifestError::Rows { listed: 30, total: 31 })),
        (|m| m.bytes = 0, |e| matches!(e, ManifestError::Bytes { .. })),
        (|m| m.chunks[0].rows = u64::MAX, |e| matches!(e, ManifestError::Rows { .. })),
        (
            |m| m.chunks[1] = chunk(1, 20, 200),
            |e| matches!(e, ManifestError::DuplicateChunk { .. }),
        ),
        (|m| m.chunks[0].file = "../x".into(), |e| matches!(e, ManifestError::ChunkFile { .. })),
        (|m| m.encryption = Encryption::Modular, |e| matches!(e, ManifestError::ChunkFile { .. })),
        (|m| m.chunks[1].partition.clear(), |e| matches!(e, ManifestError::Partition { .. })),
        (|m| m.keys.reverse(), |e| matches!(e, ManifestError::Order { what: "keys" })),
        (|m| m.schema.push(m.schema[0].clone()), |e| *e == ManifestError::DuplicateColumn),
        (|m| m.version = 3, |e| matches!(e, ManifestError::Predecessor { version: 3 })),
        (|m| m.predecessor = None, |e| matches!(e, ManifestError::Predecessor { .. })),
        (|m| m.export.clear(), |e| matches!(e, ManifestError::Text { what: "export name" })),
        (|m| m.project = "x".repeat(70_000), |e| matches!(e, ManifestError::Text { .. })),
        (|m| m.format_version = 2, |e| matches!(e, ManifestError::UnknownVersion { found: 2 })),
        (
            |m| m.tests = vec![m.tests[0].clone(); 10_001],
            |e| matches!(e, ManifestError::TooMany { what: "tests", .. }),
        ),
    ];
    for (index, (change, expected)) in cases.into_iter().enumerate() {
        let mut changed = manifest();
        change(&mut changed);
        let error = changed.to_bytes().unwrap_err();
        assert!(expected(&error), "case {index}: {error}");
    }
}

#[test]
fn modular_chunks_name_their_key() {
    let mut modular = manifest();
    modular.encryption = Encryption::Modular;
    for chunk in &mut modular.chunks {
        chunk.file = format!("{}.parquet", chunk.id);
    }
    assert!(matches!(modular.validate(), Err(ManifestError::ChunkKey { .. })));
    for chunk in &mut modular.chunks {
        chunk.modular = Some(ModularKey { key: modular.keys[0].clone(), scope: modular.run });
    }
    modular.validate().unwrap();
}

#[test]
fn other_spellings_are_refused() {
    let text = String::from_utf8(manifest().to_bytes().unwrap()).unwrap();
    for other in [
        format!("{text}\n"),
        text.replacen(":", ": ", 1),
        text.replacen("acme", "\\u0061cme", 1),
        text.replacen("\"country\":\"DE\"", "\"country\":\"XX\",\"country\":\"DE\"", 1),
        text.replacen("\"rows\":30,\"bytes\":300", "\"bytes\":300,\"rows\":30", 1),
    ] {
        assert_eq!(Manifest::parse(other.as_bytes()), Err(ManifestError::NotCanonical), "{other}");
    }
    let unknown = text.replacen("{", "{\"hunter2\":1,", 1);
    let error = Manifest::parse(unknown.as_bytes()).unwrap_err();
    assert!(matches!(error, ManifestError::Format { .. }), "{error}");
    assert!(!error.to_string().contains("hunter2"));
    let later = text.replacen("\"format_version\":1", "\"format_version\":9,\"new\":0", 1);
    let later = Manifest::parse(later.as_bytes());
    assert_eq!(later, Err(ManifestError::UnknownVersion { found: 9 }));
}

#[test]
fn deep_nesting_is_refused() {
    let deep = format!("{{\"format_version\":{}", "[".repeat(100_000));
    assert!(matches!(Manifest::parse(deep.as_bytes()), Err(ManifestError::Format { .. })));
}

proptest! {
    #[test]
    fn random_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Manifest::parse(&bytes).is_err());
    }

    /// One byte changed anywhere: refused, or a manifest with those very bytes.
    #[test]
    fn parsing_is_exact(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let mut bytes = manifest().to_bytes().unwrap();
        *at.get_mut(&mut bytes) = to;
        if let Ok(parsed) = Manifest::parse(&bytes) {
            prop_assert_eq!(parsed.to_bytes().unwrap(), bytes);
        }
    }
}
