//! `iban`: another bank account of the same country.

use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::identifier::{self, Keyed, Prefix, Scheme, part, part_mut, set};
use super::params;
use crate::check_digits::{digit_of, mod_97, number_of, value_of, weighted};
use crate::error::BindError;
use crate::forms::is_text;
use crate::function::{BindContext, Doc, Example, Function, Mask};

/// Countries and the structure of their account numbers: SWIFT, "IBAN Registry", release 101.
/// A part is its length and its class: `n` digits, `a` letters, `c` either. The first is the bank.
const COUNTRIES: &[&str] = &[
    "AD 4n4n12c",
    "AE 3n16n",
    "AL 8n16c",
    "AT 5n11n",
    "AZ 4a20c",
    "BA 3n3n8n2n",
    "BE 3n7n2n",
    "BG 4a4n2n8c",
    "BH 4a14c",
    "BI 5n5n11n2n",
    "BR 8n5n10n1a1c",
    "BY 4c4n16c",
    "CH 5n12c",
    "CR 4n14n",
    "CY 3n5n16c",
    "CZ 4n16n",
    "DE 8n10n",
    "DJ 5n5n11n2n",
    "DK 4n9n1n",
    "DO 4c20n",
    "EE 2n14n",
    "EG 4n4n17n",
    "ES 4n4n1n1n10n",
    "FI 3n11n",
    "FK 2a12n",
    "FO 4n9n1n",
    "FR 5n5n11c2n",
    "GB 4a6n8n",
    "GE 2a16n",
    "GI 4a15c",
    "GL 4n9n1n",
    "GR 3n4n16c",
    "GT 4c20c",
    "HN 4a20n",
    "HR 7n10n",
    "HU 3n4n1n15n1n",
    "IE 4a6n8n",
    "IL 3n3n13n",
    "IQ 4a3n12n",
    "IS 4n2n6n10n",
    "IT 1a5n5n12c",
    "JO 4a4n18c",
    "KW 4a22c",
    "KZ 3n13c",
    "LB 4n20c",
    "LC 4a24c",
    "LI 5n12c",
    "LT 5n11n",
    "LU 3n13c",
    "LV 4a13c",
    "LY 3n3n15n",
    "MC 5n5n11c2n",
    "MD 2c18c",
    "ME 3n13n2n",
    "MK 3n10c2n",
    "MN 4n12n",
    "MR 5n5n11n2n",
    "MT 4a5n18c",
    "MU 4a2n2n12n3n3a",
    "NI 4a20n",
    "NL 4a10n",
    "NO 4n6n1n",
    "OM 3n16c",
    "PK 4a16c",
    "PL 8n16n",
    "PS 4a21c",
    "PT 4n4n11n2n",
    "QA 4a21c",
    "RO 4a16c",
    "RS 3n13n2n",
    "RU 9n5n15c",
    "SA 2n18c",
    "SC 4a2n2n16n3a",
    "SD 2n12n",
    "SE 3n16n1n",
    "SI 5n8n2n",
    "SK 4n6n10n",
    "SM 1a5n5n12c",
    "SO 4n3n12n",
    "ST 4n4n11n2n",
    "SV 4a20n",
    "TL 3n14n2n",
    "TN 2n3n13n2n",
    "TR 5n1n16c",
    "UA 6n19c",
    "VA 3n15n",
    "VG 4a16n",
    "XK 4n10n2n",
    "YE 4a4n18c",
];

/// Draws of an account number for which the country's own check digit must exist.
const DRAWS_MAX: u32 = 16;

/// Another IBAN.
pub(super) struct Iban;

/// Parameters of `iban`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Keeps the bank: the first part of the country's structure.
    #[serde(default)]
    keep_bank: bool,
}

impl Function for Iban {
    fn name(&self) -> &'static str {
        "iban"
    }

    fn doc(&self) -> Doc {
        let example = |params, input, output| Example {
            params,
            input_type: DataType::Utf8,
            input,
            others: &[],
            output,
        };
        Doc {
            summary: "An IBAN becomes another of the same country and structure with right check \
                      digits, written alike: those of ISO 13616, and the country's own in BA, BE, \
                      ES, FR, MC, ME, MK, NO, PT, RS, SI and TL.",
            privacy: "The country remains, how the IBAN is written, where it has letters, and the \
                      bank if it is kept. The account may exist: never pay to it.",
            nulls: identifier::NULLS,
            examples: vec![
                example(
                    "{}",
                    &["DE89 3704 0044 0532 0130 00", "DE89370400440532013000", "DE00 1"],
                    &["DE26 6604 2449 6041 0285 03", "DE26660424496041028503", "YR89 4"],
                ),
                example(
                    r#"{"keep_bank": true}"#,
                    &["GB82 WEST 1234 5698 7654 32"],
                    &["GB22 WEST 7336 9049 5820 95"],
                ),
            ],
        }
    }

    fn params_schema(&self) -> schemars::Schema {
        params::schema::<Params>()
    }

    fn keyed(&self) -> bool {
        true
    }

    fn accepts(&self, input: &DataType) -> bool {
        is_text(input)
    }

    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let Params { keep_bank } = params::parse(self, params, context)?;
        // The country is a prefix, and stays.
        identifier::bound(self, context, Account { keep_bank }, Prefix::Kept)
    }
}

/// Whether an account number has its country's structure, and the check of ISO 13616 is right.
pub(super) fn passes(id: &[u8]) -> bool {
    let (head, account) = id.split_at_checked(4).unwrap_or_default();
    (Account { keep_bank: false }).fits(id) && mod_97(account.iter().chain(head).copied()) == 1
}

struct Account {
    keep_bank: bool,
}

impl Scheme for Account {
    fn fits(&self, id: &[u8]) -> bool {
        let Some((country, mut rest)) = id.split_first_chunk::<2>() else { return false };
        let Some((check, account)) = rest.split_first_chunk::<2>() else { return false };
        if !check.iter().all(u8::is_ascii_digit) {
            return false;
        }
        rest = account;
        for (length, class) in parts(country) {
            let Some((characters, after)) = rest.split_at_checked(length) else { return false };
            let fits = match class {
                b'n' => characters.iter().all(u8::is_ascii_digit),
                b'a' => characters.iter().all(u8::is_ascii_uppercase),
                _ => true,
            };
            if !fits {
                return false;
            }
            rest = after;
        }
        rest.is_empty() && !account.is_empty() && parts(country).next().is_some()
    }

    fn replace(&self, id: &mut [u8], keyed: &mut Keyed<'_>) {
        let Some((country, rest)) = id.split_first_chunk_mut::<2>() else { return };
        let bank = parts(country).next().map_or(0, |(length, _)| length);
        let account = rest.get_mut(2..).unwrap_or_default();
        for _ in 0..DRAWS_MAX {
            keyed.replace(
                account.get_mut(if self.keep_bank { bank } else { 0 }..).unwrap_or_default(),
            );
            if seal_nationally(country, account) {
                return;
            }
        }
    }

    /// ISO 13616-1, section 6: 98 less the remainder with both check digits 0.
    fn seal(&self, id: &mut [u8]) -> bool {
        let (start, account) = (part(id, 0, 2), id.get(4..).unwrap_or_default());
        let check = 98 - mod_97(account.iter().chain(start).chain(b"00").copied());
        // Other pairs of digits leave the remainder 1 as well: 00, 01 and 99 are never given.
        set(id, 2, digit_of(check / 10));
        set(id, 3, digit_of(check));
        true
    }
}

/// Lengths and classes of the parts of a country's account numbers; none of an unknown country.
fn parts(country: &[u8; 2]) -> impl Iterator<Item = (usize, u8)> {
    let found = COUNTRIES.binary_search_by(|entry| part(entry.as_bytes(), 0, 2).cmp(country));
    let entry = found.ok().and_then(|place| COUNTRIES.get(place)).map_or("", |entry| entry);
    let mut rest = entry.as_bytes().iter().skip(3);
    std::iter::from_fn(move || {
        let mut length = 0;
        for byte in rest.by_ref() {
            match byte {
                b'0'..=b'9' => length = length * 10 + value_of(*byte) as usize,
                class => return Some((length, *class)),
            }
        }
        None
    })
}

/// Makes the check digits inside an account number right, where the country has a rule that is
/// the same for all banks. False if there are none for this number.
fn seal_nationally(country: &[u8; 2], account: &mut [u8]) -> bool {
    let length = account.len();
    let (body, check) = match country {
        b"BE" | b"FR" | b"MC" | b"PT" | b"SI" | b"RS" | b"ME" | b"MK" | b"BA" | b"TL" => {
            account.split_at_mut(length.saturating_sub(2))
        }
        b"NO" => account.split_at_mut(length.saturating_sub(1)),
        b"ES" => {
            seal_spanish(account);
            return true;
        }
        _ => return true,
    };
    let number = match country {
        b"BE" => match number_of(body) % 97 {
            0 => 97,
            remainder => remainder as u32,
        },
        b"FR" | b"MC" => 97 - french(body),
        // Modulus 11 with the weights 2 to 7 from the right; a remainder of 1 has no digit.
        b"NO" => match weighted(body, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11 {
            0 => 0,
            1 => return false,
            remainder => 11 - remainder,
        },
        _ => 98 - mod_97(body.iter().copied().chain(*b"00")),
    };
    let mut number = number;
    for digit in check.iter_mut().rev() {
        *digit = digit_of(number);
        number /= 10;
    }
    true
}

/// "Clé RIB": the remainder of bank, branch and account with a zero key; letters count A to I and
/// J to R as 1 to 9, S to Z as 2 to 9.
fn french(body: &[u8]) -> u32 {
    let digits = body.iter().map(|byte| match byte {
        b'A'..=b'I' => byte - b'A' + 1,
        b'J'..=b'R' => byte - b'J' + 1,
        b'S'..=b'Z' => byte - b'S' + 2,
        digit => digit.wrapping_sub(b'0'),
    });
    digits.chain([0, 0]).fold(0, |remainder, digit| (remainder * 10 + u32::from(digit)) % 97)
}

/// "Dígitos de control": of bank and branch, and of the account.
fn seal_spanish(account: &mut [u8]) {
    const WEIGHTS: [u32; 10] = [1, 2, 4, 8, 5, 10, 9, 7, 3, 6];
    let digit = |sum: u32| match 11 - sum % 11 {
        11 => b'0',
        10 => b'1',
        other => digit_of(other),
    };
    let bank = digit(weighted(part(account, 0, 8), WEIGHTS.get(2..).unwrap_or_default()));
    let number = digit(weighted(part(account, 10, 20), &WEIGHTS));
    part_mut(account, 8, 10).copy_from_slice(&[bank, number]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::identifier::tests::{check, check_single_errors, passes};

    /// Examples of the registry.
    const PUBLISHED: &[&str] = &[
        "AD1200012030200359100100",
        "AT611904300234573201",
        "BE68 5390 0754 7034",
        "CH9300762011623852957",
        "DE89 3704 0044 0532 0130 00",
        "ES9121000418450200051332",
        "FI2112345600000785",
        "FR1420041010050500013M02606",
        "GB29NWBK60161331926819",
        "IT60X0542811101000000123456",
        "MT84MALT011000012345MTLCAST001S",
        "NL91ABNA0417164300",
        "NO9386011117947",
        "PT50000201231234567890154",
        "RS35260005601001611379",
        "SI56263300012039086",
    ];

    #[test]
    fn the_registrys_examples() {
        for keep_bank in [false, true] {
            check(Account { keep_bank }, PUBLISHED);
        }
        check_single_errors(&Account { keep_bank: false }, "DE89370400440532013000");
        for wrong in
            ["GB82 WEST 1234 5698 7654 31", "XX89370400440532013000", "DE8937040044053201300", "DE"]
        {
            assert!(!passes(&Account { keep_bank: false }, wrong), "{wrong}");
        }
        assert!(COUNTRIES.is_sorted());
    }

    #[test]
    fn the_countries_own_digits_are_those_of_the_registrys_examples() {
        for text in PUBLISHED {
            let id: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
            let mut account = id[4..].to_vec();
            assert!(seal_nationally(&[id[0], id[1]], &mut account));
            assert_eq!(account, &id[4..], "{text}");
        }
    }
}
