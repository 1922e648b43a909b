//! Sealed files through the public interface: what opens, what is refused, and why.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{io::Write, num::NonZeroU32};

use engine_bundle::{
    context::{Context, Kind},
    header::HeaderError,
    key::{KeyId, KeyName, NamedKey, Purpose, SingleKey},
    sealed::{self, PROLOGUE_BYTES, RangeReader, SealedError},
    secret::KeyMaterial,
    stream::StreamError,
};
use proptest::prelude::*;

fn key(purpose: Purpose, byte: u8) -> SingleKey {
    SingleKey {
        id: KeyId { purpose, name: KeyName::default_name(), version: NonZeroU32::MIN },
        material: KeyMaterial::from_slice(&[byte; 32]).unwrap(),
    }
}

fn named(key: &SingleKey) -> NamedKey<'_> {
    NamedKey { id: &key.id, material: &key.material }
}

fn context(object: &str) -> Context {
    Context::named(Kind::Chunk, "acme", "customers", object)
}

fn plaintext(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i * 7 % 251) as u8).collect()
}

fn is_unopenable(result: &Result<Vec<u8>, SealedError>) -> bool {
    matches!(result, Err(SealedError::Stream(StreamError::Unopenable)))
}

#[test]
fn each_fault_has_its_error() {
    let data = key(Purpose::Data, 1);
    let file = sealed::seal(named(&data), &context("1"), b"hello").unwrap();
    let open = |file: &[u8]| sealed::open(&data, &context("1"), file);
    assert_eq!(open(&file).unwrap(), b"hello");

    assert!(matches!(open(b"PAR1"), Err(SealedError::Header(HeaderError::NotSealed))));
    let mut later = file.clone();
    later[5] = 2;
    let later = open(&later);
    assert!(matches!(later, Err(SealedError::Header(HeaderError::UnknownVersion { found: 2 }))));
    let run = Context::named(Kind::RunRecord, "acme", "customers", "1");
    let run = sealed::open(&data, &run, &file);
    assert!(matches!(
        run,
        Err(SealedError::Kind { found: Kind::Chunk, expected: Kind::RunRecord })
    ));
    let mut version = file.clone();
    version[18] = 2;
    assert!(matches!(open(&version), Err(SealedError::KeyMissing { .. })));
    let cut = open(&file[..file.len() - 6]);
    assert!(matches!(cut, Err(SealedError::Stream(StreamError::Truncated))), "{cut:?}");
    let wrong = sealed::open(&key(Purpose::Data, 2), &context("1"), &file);
    assert!(is_unopenable(&wrong));
    for error in [later.unwrap_err(), run.unwrap_err(), cut.unwrap_err(), wrong.unwrap_err()] {
        assert!(!error.hint().is_empty());
    }
}

/// Every byte of the file counts, the header's too.
#[test]
fn every_flipped_bit_is_found() {
    let data = key(Purpose::Data, 1);
    let file = sealed::seal(named(&data), &context("1"), b"hello").unwrap();
    for at in 0..file.len() {
        for bit in 0..8 {
            let mut flipped = file.clone();
            flipped[at] ^= 1 << bit;
            assert!(sealed::open(&data, &context("1"), &flipped).is_err(), "byte {at} bit {bit}");
        }
    }
}

#[test]
fn a_file_opens_in_its_place_only() {
    let data = key(Purpose::Data, 1);
    let file = sealed::seal(named(&data), &context("1"), b"hello").unwrap();
    for elsewhere in [
        context("2"),
        context(""),
        Context::named(Kind::Chunk, "acme", "orders", "1"),
        Context::named(Kind::Chunk, "other", "customers", "1"),
        Context::named(Kind::Chunk, "acme", "customers1", ""),
    ] {
        assert!(is_unopenable(&sealed::open(&data, &elsewhere, &file)), "{elsewhere:?}");
    }
    // A manifest's bytes relabelled as a chunk: the header is authenticated.
    let manifest = Context::named(Kind::Manifest, "acme", "customers", "1");
    let mut relabelled = sealed::seal(named(&data), &manifest, b"hello").unwrap();
    relabelled[6] = Kind::Chunk.number();
    assert!(is_unopenable(&sealed::open(&data, &context("1"), &relabelled)));
}

#[test]
fn a_key_seals_only_what_it_is_for() {
    let masking = key(Purpose::Masking, 1);
    let result = sealed::seal(named(&masking), &context("1"), b"hello");
    assert!(matches!(result, Err(SealedError::Header(HeaderError::Key))));
    assert!(sealed::writer(Vec::new(), named(&masking), &context("1")).is_err());
}

#[test]
fn errors_and_debug_output_hold_no_plaintext() {
    let data = key(Purpose::Data, 1);
    let mut file = sealed::seal(named(&data), &context("1"), b"canary").unwrap();
    let last = file.len() - 1;
    file[last] ^= 1;
    let error = sealed::open(&data, &context("1"), &file).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("canary"));
    assert!(!format!("{data:?}").contains("\u{1}"));
    assert!(format!("{data:?}").contains("[secret]"));
}

/// Writers move between threads, and one reader serves many.
#[test]
fn writers_are_send_and_readers_are_shared() {
    fn is_send<T: Send>(_: &T) {}
    fn is_shared<T: Send + Sync>(_: &T) {}
    let data = key(Purpose::Data, 1);
    is_shared(&data);
    is_send(&sealed::writer(Vec::new(), named(&data), &context("1")).unwrap());
    let file = sealed::seal(named(&data), &context("1"), b"").unwrap();
    is_shared(&RangeReader::new(&data, &context("1"), &file, file.len() as u64).unwrap());
}

fn read_range(keys: &SingleKey, file: &[u8], range: std::ops::Range<u64>) -> Vec<u8> {
    let prologue = &file[..PROLOGUE_BYTES.min(file.len())];
    let reader = RangeReader::new(keys, &context("1"), prologue, file.len() as u64).unwrap();
    let span = reader.span(range).unwrap();
    let bytes = span.ciphertext();
    let bytes = &file[usize::try_from(bytes.start).unwrap()..usize::try_from(bytes.end).unwrap()];
    reader.open(&span, bytes).unwrap().to_vec()
}

#[test]
fn the_shortest_files_have_ranges_too() {
    let data = key(Purpose::Data, 1);
    for length in [0, 1, 20] {
        let file = sealed::seal(named(&data), &context("1"), &plaintext(length)).unwrap();
        assert_eq!(read_range(&data, &file, 0..length as u64), plaintext(length));
    }
}

#[test]
fn a_cut_at_a_segments_border_shows_in_the_last_segment() {
    let data = key(Purpose::Data, 1);
    let file = sealed::seal(named(&data), &context("1"), &plaintext(3 << 20)).unwrap();
    let cut = &file[..19 + 1 + (2 << 20)];
    let cut = &cut[..cut.len() - 1];
    let reader =
        RangeReader::new(&data, &context("1"), &cut[..PROLOGUE_BYTES], cut.len() as u64).unwrap();
    let end = reader.plaintext_len();
    let span = reader.span(end - 8..end).unwrap();
    let bytes = span.ciphertext();
    let bytes = &cut[usize::try_from(bytes.start).unwrap()..usize::try_from(bytes.end).unwrap()];
    let opened = reader.open(&span, bytes);
    assert!(matches!(opened, Err(SealedError::Stream(StreamError::Unopenable))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// What the writer seals opens whole and by ranges, however it was written.
    #[test]
    fn written_files_open(length in 1_usize..(5 << 19), step in 1_usize..(3 << 20), a in any::<u64>(), b in any::<u64>()) {
        let data = key(Purpose::Data, 1);
        let plain = plaintext(length);
        let mut writer = sealed::writer(Vec::new(), named(&data), &context("1")).unwrap();
        for piece in plain.chunks(step.max(997)) {
            writer.write_all(piece).unwrap();
        }
        let file = writer.finish().unwrap();
        prop_assert!(sealed::open(&data, &context("1"), &file).unwrap() == plain);
        let (a, b) = (a % length as u64, b % length as u64);
        let range = a.min(b)..a.max(b);
        let expected = &plain[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()];
        prop_assert!(read_range(&data, &file, range) == expected);
    }

    #[test]
    fn random_bytes_never_open(bytes in prop::collection::vec(any::<u8>(), 0..300), file_len in any::<u64>()) {
        let data = key(Purpose::Data, 1);
        let mut headed = b"ENGS\0\x01\x01\x07default\0\0\0\x01".to_vec();
        headed.extend_from_slice(&bytes);
        for bytes in [&bytes, &headed] {
            prop_assert!(sealed::open(&data, &context("1"), bytes).is_err());
            if let Ok(reader) = RangeReader::new(&data, &context("1"), bytes, file_len) {
                let end = reader.plaintext_len();
                if let Ok(span) = reader.span(end.saturating_sub(10)..end) {
                    prop_assert!(reader.open(&span, bytes).is_err() || span.plaintext_len() == 0);
                }
            }
        }
    }
}
