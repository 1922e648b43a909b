//! How fast files are sealed and opened. Prints; asserts only what any machine must reach.
//!
//! ```sh
//! cargo test --release -p engine-bundle --test speed -- --ignored --nocapture
//! ```

#![expect(clippy::print_stdout, reason = "its output is its purpose")]

use std::{
    io::{self, Write},
    num::NonZeroU32,
    time::Instant,
};

use engine_bundle::{
    context::{Context, Kind},
    digest::DigestWriter,
    key::{KeyId, KeyName, NamedKey, Purpose, SingleKey},
    sealed::{self, RangeReader},
    secret::KeyMaterial,
};

const PIECE: usize = 8 << 20;
const PIECES: usize = 64;

fn report(what: &str, since: Instant) -> f64 {
    let speed = (PIECE * PIECES) as f64 / since.elapsed().as_secs_f64() / 1e9;
    println!("{what}: {speed:.2} GB/s");
    speed
}

#[test]
#[ignore = "measures; meaningful with --release only"]
fn sealing_and_opening() {
    let id =
        KeyId { purpose: Purpose::Data, name: KeyName::default_name(), version: NonZeroU32::MIN };
    let material = KeyMaterial::from_slice(&[1; 32]).unwrap();
    let key = NamedKey { id: &id, material: &material };
    let context = Context::named(Kind::Chunk, "p", "e", "o");
    let piece = vec![7_u8; PIECE];

    let start = Instant::now();
    let mut writer = sealed::writer(io::sink(), key, &context).unwrap();
    (0..PIECES).for_each(|_| writer.write_all(&piece).unwrap());
    writer.finish().unwrap();
    assert!(report("seal", start) > 0.1);

    let start = Instant::now();
    let mut writer = sealed::writer(DigestWriter::new(io::sink()), key, &context).unwrap();
    (0..PIECES).for_each(|_| writer.write_all(&piece).unwrap());
    writer.finish().unwrap();
    assert!(report("seal and digest", start) > 0.1);

    let file = sealed::seal(key, &context, &piece).unwrap();
    let keys = SingleKey { id: id.clone(), material: material.clone() };
    let reader = RangeReader::new(&keys, &context, &file[..200], file.len() as u64).unwrap();
    let span = reader.span(0..PIECE as u64).unwrap();
    let bytes = span.ciphertext();
    let bytes = &file[usize::try_from(bytes.start).unwrap()..usize::try_from(bytes.end).unwrap()];
    let start = Instant::now();
    for _ in 0..PIECES {
        assert_eq!(reader.open(&span, bytes).unwrap().len(), PIECE);
    }
    assert!(report("open", start) > 0.1);
}
