//! Tests of the keyring: providers, tampering, bounds, rotation.

use proptest::prelude::*;

use super::*;
use crate::random::counter;

/// The cheapest parameters the bounds allow.
const CHEAP: Protection = Protection::Argon2id { memory_kib: 19 * 1024, passes: 2, lanes: 1 };

fn passphrase() -> Secret {
    Secret::from("correct horse battery".to_owned())
}

fn key_file(byte: u8) -> Secret {
    Secret::new(vec![byte; 32])
}

fn from_file() -> (Vec<u8>, OpenKeyring) {
    Keyring::create(Protection::KeyFile, &key_file(1), &Keyring::default_keys()).unwrap()
}

fn data(version: u32) -> KeyId {
    let version = NonZeroU32::new(version).unwrap();
    KeyId { purpose: Purpose::Data, name: KeyName::default_name(), version }
}

/// The file with one text replaced by another, which must occur.
fn edited(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = std::str::from_utf8(bytes).unwrap();
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1).into_bytes()
}

#[test]
fn each_provider_opens_what_it_made() {
    let hex = Secret::from("ab".repeat(32));
    let base64 = Secret::from("q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=\n".to_owned());
    let pbkdf2 = Protection::Pbkdf2 { iterations: 600_000 };
    for (protection, makes, opens) in [
        (CHEAP, passphrase(), passphrase()),
        (pbkdf2, passphrase(), passphrase()),
        (Protection::Environment, hex, base64),
        (Protection::KeyFile, key_file(0xAB), Secret::from("AB".repeat(32))),
    ] {
        let (bytes, made) = Keyring::create(protection, &makes, &Keyring::default_keys()).unwrap();
        let opened = Keyring::parse(&bytes).unwrap().open(&opens).unwrap();
        assert_eq!(opened.list(), made.list());
        assert_eq!(opened.list().len(), 5);
        for entry in made.list() {
            let (a, b) = (made.export(&entry.id).unwrap(), opened.export(&entry.id).unwrap());
            assert_eq!(a.expose(), b.expose());
        }
        assert_eq!(opened.to_bytes(), bytes);
    }
}

#[test]
fn a_wrong_secret_has_one_error() {
    let (bytes, _) = Keyring::create(CHEAP, &passphrase(), &Keyring::default_keys()).unwrap();
    let long = "x".repeat(100);
    for wrong in ["", "x", "correct horse battery ", "Correct horse battery", &long] {
        let result = Keyring::parse(&bytes).unwrap().open(&Secret::from(wrong.to_owned()));
        assert!(matches!(result, Err(KeyringError::WrongPassphrase)), "{wrong}");
        assert_eq!(result.unwrap_err().to_string(), "wrong passphrase");
    }
    // With a wrong passphrase even a damaged file says nothing more.
    let damaged = edited(&bytes, "\"active\"", "\"retired\"");
    let result = Keyring::parse(&damaged).unwrap().open(&Secret::from("wrong one".to_owned()));
    assert!(matches!(result, Err(KeyringError::WrongPassphrase)));
}

#[test]
fn a_wrong_key_says_where_it_came_from() {
    let (bytes, _) = from_file();
    let open = |secret| Keyring::parse(&bytes).unwrap().open(&secret).unwrap_err();
    assert!(matches!(open(key_file(2)), KeyringError::WrongKey { provider: Provider::KeyFile }));
    for bad in ["", "abc", &"ab".repeat(31), "hunter2 hunter2", &"=".repeat(44)] {
        let error = open(Secret::from(bad.to_owned()));
        assert!(matches!(error, KeyringError::KeyFormat { .. }), "{bad}");
    }
    // Thirty-two characters in an environment variable are a passphrase, not a key.
    let text = Secret::from("a".repeat(32));
    let made = Keyring::create(Protection::Environment, &text, &[]);
    assert!(matches!(made, Err(KeyringError::KeyFormat { provider: Provider::Environment })));
}

#[test]
fn changes_to_the_file_are_found() {
    let (bytes, open) = from_file();
    let mut other = from_file().1;
    other.add_version(Purpose::Data, &KeyName::default_name()).unwrap();
    let open_changed = |bytes: &[u8]| Keyring::parse(bytes).unwrap().open(&key_file(1));
    for (from, to) in [
        ("\"state\": \"active\"", "\"state\": \"retired\""),
        ("\"name\": \"default\"", "\"name\": \"renamed\""),
        ("\"version\": 1", "\"version\": 2"),
        ("\"purpose\": \"audit\"", "\"purpose\": \"data\",\n\"name\": \"x\"\n"),
    ] {
        let changed = edited(&bytes, from, to);
        let Ok(keyring) = Keyring::parse(&changed) else { continue };
        assert!(matches!(keyring.open(&key_file(1)), Err(KeyringError::Tampered)), "{from}");
    }
    // A removed key is found too.
    let mut document = open.document.clone();
    document.keys.pop();
    document.integrity = HexBytes::from(*open.guard.integrity(&open.document).as_bytes());
    assert!(matches!(open_changed(&document.to_bytes()), Err(KeyringError::Tampered)));
    // So is a key wrapped for another place, even under a fresh integrity value.
    let mut document = open.document.clone();
    document.keys[0].name = KeyName::new("renamed").unwrap();
    document.integrity = HexBytes::from(*open.guard.integrity(&document).as_bytes());
    assert!(matches!(open_changed(&document.to_bytes()), Err(KeyringError::Tampered)));
}

#[test]
fn weak_and_endless_parameters_are_refused() {
    let argon2 = |memory_kib, passes, lanes| Protection::Argon2id { memory_kib, passes, lanes };
    for bad in [
        argon2(19 * 1024 - 1, 2, 1),
        argon2(u32::MAX, 2, 1),
        argon2(64 * 1024, 1, 1),
        argon2(64 * 1024, u32::MAX, 1),
        argon2(64 * 1024, 3, 0),
        argon2(64 * 1024, 3, 17),
        Protection::Pbkdf2 { iterations: 599_999 },
        Protection::Pbkdf2 { iterations: u32::MAX },
    ] {
        let made = Keyring::create(bad, &passphrase(), &[]);
        assert!(matches!(made, Err(KeyringError::Parameters { .. })), "{bad:?}");
    }
    let (bytes, _) = Keyring::create(CHEAP, &passphrase(), &[]).unwrap();
    let weak = edited(&bytes, "\"memory_kib\": 19456", "\"memory_kib\": 8");
    assert!(matches!(Keyring::parse(&weak), Err(KeyringError::Parameters { .. })));
    let short = Keyring::create(CHEAP, &Secret::from("1234567".to_owned()), &[]);
    assert!(matches!(short, Err(KeyringError::PassphraseTooShort)));
}

#[test]
fn a_new_version_seals_and_the_old_one_opens() {
    let (_, mut open) = from_file();
    let name = KeyName::default_name();
    let first = open.export(&data(1)).unwrap();
    assert_eq!(open.add_version(Purpose::Data, &name).unwrap(), data(2));
    let reopened = Keyring::parse(&open.to_bytes()).unwrap().open(&key_file(1)).unwrap();
    let active = reopened.active(Purpose::Data, &name).unwrap();
    assert_eq!(*active.id, data(2));
    assert_ne!(active.material.expose(), first.expose());
    assert_eq!(reopened.find(&data(1)).unwrap().expose(), first.expose());
    assert!(reopened.find(&data(3)).is_none());
    let missing = reopened.active(Purpose::Data, &KeyName::new("other").unwrap());
    assert!(matches!(missing, Err(KeyringError::NoActiveKey { .. })));
}

#[test]
fn contradictions_versions_and_sizes_are_refused() {
    let (bytes, mut open) = from_file();
    open.add_version(Purpose::Data, &KeyName::default_name()).unwrap();
    let two = edited(&open.to_bytes(), "\"retired\"", "\"active\"");
    assert!(matches!(Keyring::parse(&two), Err(KeyringError::Contradiction { .. })));
    let same = edited(&open.to_bytes(), "\"version\": 2", "\"version\": 1");
    assert!(matches!(Keyring::parse(&same), Err(KeyringError::Contradiction { .. })));
    let later = edited(&bytes, "\"format_version\": 1", "\"format_version\": 2");
    let later = Keyring::parse(&later);
    assert!(matches!(later, Err(KeyringError::UnknownVersion { found: 2 })));
    let unknown = edited(&bytes, "\"verifier\"", "\"hunter2\": 1, \"verifier\"");
    let error = Keyring::parse(&unknown).unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");
    let large = vec![b' '; FILE_BYTES_MAX + 1];
    assert!(matches!(Keyring::parse(&large), Err(KeyringError::TooLarge)));
}

#[test]
fn debug_output_holds_no_key() {
    let (_, open) = from_file();
    let hex = open.export(&data(1)).unwrap().to_hex();
    let text = format!("{open:?}");
    assert!(text.contains("default") && !text.contains(hex.as_str()));
}

#[test]
fn equal_randomness_makes_equal_files() {
    let make = || {
        let keys = Keyring::default_keys();
        Keyring::create_with(Protection::KeyFile, &key_file(1), &keys, &mut counter()).unwrap().0
    };
    assert_eq!(make(), make());
}

proptest! {
    #[test]
    fn random_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Keyring::parse(&bytes).is_err());
    }

    /// One byte changed anywhere: still refused, or still the same keyring.
    #[test]
    fn one_changed_byte_never_opens_to_something_else(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let (bytes, open) = from_file();
        let mut changed = bytes.clone();
        *at.get_mut(&mut changed) = to;
        if let Ok(opened) = Keyring::parse(&changed).and_then(|ring| ring.open(&key_file(1))) {
            prop_assert_eq!(opened.to_bytes(), open.to_bytes());
        }
    }
}

#[test]
fn a_copy_is_known_by_its_keys() {
    let secret = Secret::from("a passphrase of some length".to_owned());
    let protection = Protection::Argon2id { memory_kib: 19 * 1024, passes: 2, lanes: 1 };
    let make = || Keyring::create(protection, &secret, &Keyring::default_keys()).unwrap();
    let (bytes, mut open) = make();
    let copy = Keyring::parse(&bytes).unwrap();
    assert!(copy.is_copy_of(&open));
    open.add_version(Purpose::Data, &KeyName::default_name()).unwrap();
    assert!(copy.is_copy_of(&open));
    assert!(!Keyring::parse(&open.to_bytes()).unwrap().is_copy_of(&make().1));
}

#[test]
fn the_day_of_a_key_is_noted_once_and_nobody_changes_it() {
    let (_, mut open) = from_file();
    assert!(open.list().iter().all(|entry| entry.since.is_none()));
    open.note_day("2026-11-23");
    open.add_version(Purpose::Data, &KeyName::default_name()).unwrap();
    open.note_day("2027-01-31");
    let bytes = open.to_bytes();
    let opened = Keyring::parse(&bytes).unwrap().open(&key_file(1)).unwrap();
    let since = |id: &KeyId| {
        let entry = opened.list().into_iter().find(|entry| entry.id == *id);
        entry.and_then(|entry| entry.since)
    };
    assert_eq!(since(&data(1)).as_deref(), Some("2026-11-23"));
    assert_eq!(since(&data(2)).as_deref(), Some("2027-01-31"));
    let older = edited(&bytes, "2027-01-31", "2026-01-31");
    let refused = Keyring::parse(&older).unwrap().open(&key_file(1));
    assert!(matches!(refused, Err(KeyringError::Tampered)));
}
