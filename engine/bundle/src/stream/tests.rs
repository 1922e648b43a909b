//! Streams made by Google's Tink: see `tests/vectors/tink/make_vectors.py`.

use serde::Deserialize;

use super::*;
use crate::digest::Digest;

const VECTORS: &str = include_str!("../../../../tests/vectors/tink/vectors.json");
const TWO_SEGMENTS: &[u8] = include_bytes!("../../../../tests/vectors/tink/two_segments.bin");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    #[serde(rename = "made_with")]
    _made_with: String,
    #[serde(rename = "plaintext_rule")]
    _plaintext_rule: String,
    key: String,
    associated_data: String,
    good: Vec<Good>,
    refused: Vec<Refused>,
    refused_cuts_of_two_segments: Vec<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Good {
    name: String,
    plaintext_len: usize,
    header: String,
    ciphertext_sha256: String,
    ciphertext: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    name: String,
    ciphertext: String,
    key: String,
    associated_data: String,
}

fn vectors() -> Vectors {
    serde_json::from_str(VECTORS).unwrap()
}

fn bytes(hex: &str) -> Vec<u8> {
    base16ct::lower::decode_vec(hex).unwrap()
}

fn key(hex: &str) -> KeyMaterial {
    KeyMaterial::from_hex(hex.as_bytes()).unwrap()
}

fn plaintext(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i * 7 % 251) as u8).collect()
}

#[test]
fn their_ciphertext_opens_here() {
    let vectors = vectors();
    let (key, ad) = (key(&vectors.key), bytes(&vectors.associated_data));
    let mut opened = 0;
    for good in &vectors.good {
        let Some(ciphertext) = &good.ciphertext else { continue };
        let plain = open_all(&key, &ad, &bytes(ciphertext)).unwrap();
        assert_eq!(plain, plaintext(good.plaintext_len), "{}", good.name);
        opened += 1;
    }
    assert_eq!(opened, 3);
    let length = SEGMENT_BYTES - 55;
    assert!(open_all(&key, &ad, TWO_SEGMENTS).unwrap() == plaintext(length));
}

/// With their salt and nonce prefix, our bytes are theirs, at every border of a segment.
#[test]
fn our_ciphertext_is_theirs_byte_for_byte() {
    let vectors = vectors();
    let (key, ad) = (key(&vectors.key), bytes(&vectors.associated_data));
    assert_eq!(vectors.good.len(), 9);
    for good in &vectors.good {
        let header = bytes(&good.header);
        let mut drawn = &header[1..];
        let mut source = |out: &mut [u8]| {
            let (now, later) = drawn.split_at(out.len());
            out.copy_from_slice(now);
            drawn = later;
            Ok(())
        };
        let mut ours = Vec::new();
        append(&mut ours, &key, &ad, &plaintext(good.plaintext_len), &mut source).unwrap();
        let digest = format!("sha256:{}", good.ciphertext_sha256);
        assert_eq!(Digest::of(&ours).to_string(), digest, "{}", good.name);
    }
}

#[test]
fn what_they_refuse_is_refused_here() {
    let vectors = vectors();
    assert_eq!(vectors.refused.len(), 12);
    for refused in &vectors.refused {
        let (key, ad) = (key(&refused.key), bytes(&refused.associated_data));
        assert!(open_all(&key, &ad, &bytes(&refused.ciphertext)).is_err(), "{}", refused.name);
    }
    let (key, ad) = (key(&vectors.key), bytes(&vectors.associated_data));
    assert_eq!(vectors.refused_cuts_of_two_segments.len(), 3);
    for cut in vectors.refused_cuts_of_two_segments {
        assert!(open_all(&key, &ad, &TWO_SEGMENTS[..cut]).is_err(), "cut at {cut}");
    }
}
