//! `vat`: another VAT number of the same member state.

use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::identifier::{self, Keyed, Prefix, Rule, Scheme};
use super::params;
use super::vat_rules::rule_of;
use crate::error::BindError;
use crate::forms::is_text;
use crate::function::{BindContext, Doc, Example, Function, Mask};

/// Another VAT number.
pub(super) struct Vat;

/// Parameters of `vat`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Whose numbers those without the letters of a country are: `at`, `be`, `de`, `dk`, `ee`, `el`, `fi`, `fr`, `hr`, `it`, `lu`, `nl`, `pl`, `pt`, `se` or `si`. Without it they fail the check.
    country: Option<Country>,
}

/// A member state, by the letters of its VAT numbers.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Country {
    /// Austria.
    At,
    /// Belgium.
    Be,
    /// Germany.
    De,
    /// Denmark.
    Dk,
    /// Estonia.
    Ee,
    /// Greece.
    El,
    /// Finland.
    Fi,
    /// France.
    Fr,
    /// Croatia.
    Hr,
    /// Italy.
    It,
    /// Luxembourg.
    Lu,
    /// Netherlands.
    Nl,
    /// Poland.
    Pl,
    /// Portugal.
    Pt,
    /// Sweden.
    Se,
    /// Slovenia.
    Si,
}

impl Country {
    fn letters(self) -> &'static [u8; 2] {
        match self {
            Self::At => b"AT",
            Self::Be => b"BE",
            Self::De => b"DE",
            Self::Dk => b"DK",
            Self::Ee => b"EE",
            Self::El => b"EL",
            Self::Fi => b"FI",
            Self::Fr => b"FR",
            Self::Hr => b"HR",
            Self::It => b"IT",
            Self::Lu => b"LU",
            Self::Nl => b"NL",
            Self::Pl => b"PL",
            Self::Pt => b"PT",
            Self::Se => b"SE",
            Self::Si => b"SI",
        }
    }
}

impl Function for Vat {
    fn name(&self) -> &'static str {
        "vat"
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
            summary: "A VAT number becomes another of the same member state with right check \
                      digits, written alike.",
            privacy: "The country and how the number is written remain. The number may be \
                      assigned to somebody.",
            nulls: identifier::NULLS,
            examples: vec![
                example(
                    "{}",
                    &[
                        "ATU13585627",
                        "BE0428759497",
                        "DE136695976",
                        "DK 13 58 56 28",
                        "EE 100 931 558",
                        "EL094259216",
                        "FI20774740",
                        "FR40303265045",
                        "HR33392005961",
                        "IT00743110157",
                        "LU15027442",
                        "NL004495445B01",
                        "PL 856-734-62-15",
                        "PT501964843",
                        "SE556188840401",
                        "SI50223054",
                        "DE136695978",
                    ],
                    &[
                        "ATU13934536",
                        "BE0345156880",
                        "DE861794850",
                        "DK 10 12 03 49",
                        "EE 070 406 252",
                        "EL153906957",
                        "FI46981342",
                        "FR64107153751",
                        "HR80149979068",
                        "IT67047800106",
                        "LU48346719",
                        "NL871754277B95",
                        "PL 530-561-49-37",
                        "PT163090769",
                        "SE965414543301",
                        "SI31122779",
                        "MP505237537",
                    ],
                ),
                example(r#"{"country": "de"}"#, &["136,695 976"], &["450,374 181"]),
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
        let other = country.and_then(|country| rule_of(country.letters()));
        // The letters of the country are a prefix, and stay.
        identifier::bound(self, context, Number { other }, Prefix::Kept)
    }
}

/// A number of the member state whose letters it begins with, else of one that is given.
struct Number {
    other: Option<&'static Rule>,
}

impl Number {
    /// The rule, and at which place what it is about begins.
    fn rule(&self, id: &[u8]) -> Option<(&'static Rule, usize)> {
        let own = id.first_chunk::<2>().and_then(rule_of).map(|rule| (rule, 2));
        own.or_else(|| self.other.map(|rule| (rule, 0)))
    }
}

impl Scheme for Number {
    fn fits(&self, id: &[u8]) -> bool {
        self.rule(id).is_some_and(|(rule, start)| (rule.fits)(id.get(start..).unwrap_or_default()))
    }

    fn replace(&self, id: &mut [u8], keyed: &mut Keyed<'_>) {
        if let Some((rule, start)) = self.rule(id) {
            (rule.replace)(id.get_mut(start..).unwrap_or_default(), keyed);
        }
    }

    fn seal(&self, id: &mut [u8]) -> bool {
        self.rule(id)
            .is_some_and(|(rule, start)| (rule.seal)(id.get_mut(start..).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::identifier::tests::{check, passes};

    #[test]
    fn the_letters_of_a_number_tell_its_country() {
        let german = Number { other: rule_of(b"DE") };
        check(german, &["136695976", "136,695 976", "DE 136695976", "atu13585627"]);
        let none = Number { other: None };
        assert!(passes(&none, "DE136695976") && !passes(&none, "136695976"));
        assert!(!passes(&none, "XX136695976") && !passes(&none, "DE136695978"));
    }
}
