//! `national_id`: another person's number of the same country.

use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::identifier::{self, Prefix, Rule};
use super::national_rules as rules;
use super::params;
use crate::error::BindError;
use crate::forms::is_text;
use crate::function::{BindContext, Doc, Example, Function, Mask};

/// Another national identity number.
pub(super) struct NationalId;

/// Parameters of `national_id`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Whose numbers they are: `be` (NISS), `br` (CPF), `ch` (AHV), `cl` (RUT), `de` (Steuer-ID), `es` (DNI, NIE), `fi` (HETU), `fr` (NIR), `hr` (OIB), `it` (codice fiscale), `nl` (BSN), `no` (fødselsnummer), `pl` (PESEL), `pt` (NIF), `se` (personnummer), `za` (ID number).
    country: Country,
}

/// A country whose numbers have a published check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Country {
    /// Belgium: numéro national.
    Be,
    /// Brazil: CPF.
    Br,
    /// Switzerland: AHV number.
    Ch,
    /// Chile: RUT.
    Cl,
    /// Germany: Steuerliche Identifikationsnummer.
    De,
    /// Spain: DNI and NIE.
    Es,
    /// Finland: henkilötunnus.
    Fi,
    /// France: NIR.
    Fr,
    /// Croatia: OIB.
    Hr,
    /// Italy: codice fiscale.
    It,
    /// Netherlands: BSN.
    Nl,
    /// Norway: fødselsnummer.
    No,
    /// Poland: PESEL.
    Pl,
    /// Portugal: NIF.
    Pt,
    /// Sweden: personnummer.
    Se,
    /// South Africa: ID number.
    Za,
}

impl Country {
    /// All of them; those whose numbers say most about themselves first.
    pub(super) const ALL: [Self; 16] = [
        Self::It,
        Self::Fr,
        Self::Be,
        Self::Ch,
        Self::Fi,
        Self::Es,
        Self::No,
        Self::Br,
        Self::De,
        Self::Za,
        Self::Pl,
        Self::Se,
        Self::Hr,
        Self::Pt,
        Self::Nl,
        Self::Cl,
    ];

    /// Whether few other numbers look like one of these: it has letters, a prefix, or a check of two
    /// digits.
    pub(super) fn is_distinct(self) -> bool {
        matches!(self, Self::It | Self::Fr | Self::Be | Self::Ch | Self::Fi | Self::Es)
    }

    /// Whether they are commonly written with spaces.
    pub(super) fn is_spaced(self) -> bool {
        matches!(self, Self::Be | Self::Ch | Self::De | Self::Fr | Self::No | Self::Pt)
    }

    /// As parameters have it.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Be => "be",
            Self::Br => "br",
            Self::Ch => "ch",
            Self::Cl => "cl",
            Self::De => "de",
            Self::Es => "es",
            Self::Fi => "fi",
            Self::Fr => "fr",
            Self::Hr => "hr",
            Self::It => "it",
            Self::Nl => "nl",
            Self::No => "no",
            Self::Pl => "pl",
            Self::Pt => "pt",
            Self::Se => "se",
            Self::Za => "za",
        }
    }

    pub(super) fn rule(self) -> &'static Rule {
        match self {
            Self::Be => &rules::BE,
            Self::Br => &rules::BR,
            Self::Ch => &rules::CH,
            Self::Cl => &rules::CL,
            Self::De => &rules::DE,
            Self::Es => &rules::ES,
            Self::Fi => &rules::FI,
            Self::Fr => &rules::FR,
            Self::Hr => &rules::HR,
            Self::It => &rules::IT,
            Self::Nl => &rules::NL,
            Self::No => &rules::NO,
            Self::Pl => &rules::PL,
            Self::Pt => &rules::PT,
            Self::Se => &rules::SE,
            Self::Za => &rules::ZA,
        }
    }
}

impl Function for NationalId {
    fn name(&self) -> &'static str {
        "national_id"
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
            summary: "A national identity number becomes another of the same country with right \
                      check characters, written alike.",
            privacy: "The kind of number and how it is written remain. A date of birth or sex in \
                      the number is replaced too, and no longer agrees with other columns. The \
                      number may be assigned to somebody.",
            nulls: identifier::NULLS,
            examples: vec![
                example(
                    r#"{"country": "es"}"#,
                    &["54362315-K", "54362315k", "X-2482300-W", "54362315-L"],
                    &["75037835-J", "75037835j", "Z-4380810-M", "58309359-T"],
                ),
                example(r#"{"country": "be"}"#, &["85.07.30-033 28"], &["15.06.17-244 88"]),
                example(r#"{"country": "br"}"#, &["390.533.447-05"], &["008.584.620-10"]),
                example(r#"{"country": "ch"}"#, &["756.9217.0769.85"], &["756.1433.7354.62"]),
                example(r#"{"country": "cl"}"#, &["12.531.909-2"], &["10.473.707-2"]),
                example(r#"{"country": "de"}"#, &["36 574 261 809"], &["36 518 972 300"]),
                example(r#"{"country": "fi"}"#, &["131052-308T"], &["120184-8698"]),
                example(
                    r#"{"country": "fr"}"#,
                    &["2 95 10 99 126 111 93"],
                    &["2 28 10 90 041 807 41"],
                ),
                example(r#"{"country": "hr"}"#, &["33392005961"], &["87967291149"]),
                example(r#"{"country": "it"}"#, &["RCCMNL83S18D969H"], &["CGPCPB49P49A733P"]),
                example(r#"{"country": "nl"}"#, &["1112.22.333"], &["9570.88.309"]),
                example(r#"{"country": "no"}"#, &["151086 95088"], &["060923 49185"]),
                example(r#"{"country": "pl"}"#, &["44051401359"], &["78071298301"]),
                example(r#"{"country": "pt"}"#, &["501 964 843"], &["136 086 560"]),
                example(r#"{"country": "se"}"#, &["880320-0016"], &["520309-3322"]),
                example(r#"{"country": "za"}"#, &["7503305044089"], &["9402273402080"]),
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
        let Params { country } = params::parse(self, params, context)?;
        identifier::bound(self, context, country.rule(), Prefix::Hidden)
    }
}
