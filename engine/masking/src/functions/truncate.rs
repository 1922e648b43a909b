//! `truncate`: the detail goes, the coarse part stays: dates to their month, postal
//! codes to their first characters, numbers to a multiple.

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, TimeUnit};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation;

use super::params::{self, ENDS_MAX, is_one_grapheme};
use crate::calendar::{
    Period, SECONDS_PER_DAY, first_day, map_ticks, ticks_per_day, ticks_per_second,
};
use crate::error::{BindError, BindErrorKind, MaskError};
use crate::forms::{is_bytewise, is_text, map_text, over_values, repeat};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::numbers::{Number, map_numbers, remainder};
use crate::properties::{Preserves, Properties, Uniqueness};
use crate::zones::Zone;

/// The detail goes.
pub(super) struct Truncate;

/// Parameters of `truncate`: exactly one of `unit`, `keep` and `multiple`, as the column's type
/// asks for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// For dates, timestamps and times of day: what they are cut to, in the column's time zone, or as they
    /// stand if it has none. Where a clock is turned, a day begins with its first moment.
    unit: Option<Unit>,
    /// For text: characters kept at the start, 1 to 1000. A text that has no more is covered
    /// whole.
    keep: Option<u32>,
    /// For text: the character written for each one cut off; nothing if absent.
    fill: Option<String>,
    /// For numbers: the multiple they are cut to, towards zero; above 0.
    multiple: Option<f64>,
}

/// What a date is cut to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Unit {
    /// 1 January of a year 1, 101, 1901, 2001.
    Century,
    /// 1 January of a year 0, 10, 1990, 2000.
    Decade,
    /// 1 January.
    Year,
    /// The first day of the quarter.
    Quarter,
    /// The first day of the month.
    Month,
    /// Monday (ISO 8601).
    Week,
    /// Midnight; timestamps only.
    Day,
    /// The full hour; timestamps and times of day only.
    Hour,
    /// The full minute; timestamps and times of day only.
    Minute,
    /// The full second; timestamps and times of day that are finer only.
    Second,
    /// The full thousandth of a second; as above.
    Millisecond,
    /// The full millionth of a second; as above.
    Microsecond,
}

impl Function for Truncate {
    fn name(&self) -> &'static str {
        "truncate"
    }

    fn doc(&self) -> Doc {
        let example = |params, input_type, input, output| Example {
            params,
            input_type,
            input,
            others: &[],
            output,
        };
        Doc {
            summary: "Dates are cut to a unit, texts to their first characters, numbers to a \
                      multiple.",
            privacy: "The coarse part remains; one that few rows share still singles them out.",
            nulls: "Null stays null, empty stays empty. NaN, infinite numbers, and dates whose \
                    unit begins before the type does become null; infinite dates stay.",
            examples: vec![
                example(
                    r#"{"unit": "month"}"#,
                    DataType::Date32,
                    &["1984-05-17", "1969-12-31"],
                    &["1984-05-01", "1969-12-01"],
                ),
                example(
                    r#"{"unit": "day"}"#,
                    DataType::Timestamp(TimeUnit::Second, Some("+02:00".into())),
                    &["2024-07-01T00:30:00+02:00", "2024-07-01T23:30:00+02:00"],
                    &["2024-07-01T00:00:00+02:00", "2024-07-01T00:00:00+02:00"],
                ),
                example(
                    r#"{"keep": 3, "fill": "0"}"#,
                    DataType::Utf8,
                    &["10117", "SW1A 1AA", "117"],
                    &["10100", "SW100000", "000"],
                ),
                example(r#"{"keep": 2}"#, DataType::Utf8, &["10117", "9"], &["10", ""]),
                example(
                    r#"{"multiple": 1000}"#,
                    DataType::Int64,
                    &["52999", "-1500", "7"],
                    &["52000", "-1000", "0"],
                ),
            ],
        }
    }

    fn params_schema(&self) -> schemars::Schema {
        params::schema::<Params>()
    }

    fn keyed(&self) -> bool {
        false
    }

    fn accepts(&self, input: &DataType) -> bool {
        is_text(input) || has_units(input) || Number::of(input).is_some()
    }

    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let given: Params = params::parse(self, params, context)?;
        let cut = if has_units(context.input) {
            only_parameter(&given, "unit")?;
            date_cut(&given, context.input)?
        } else if let Some(number) = Number::of(context.input) {
            only_parameter(&given, "multiple")?;
            number_cut(&given, number)?
        } else {
            only_parameter(&given, "keep")?;
            text_cut(given)?
        };
        Ok(Box::new(Bound { input: context.input.clone(), cut }))
    }
}

/// Checks that `needed` is given, and no parameter for columns of another type.
fn only_parameter(given: &Params, needed: &str) -> Result<(), BindError> {
    let all = [
        ("unit", "unit", given.unit.is_some()),
        ("keep", "keep", given.keep.is_some()),
        ("fill", "keep", given.fill.is_some()),
        ("multiple", "multiple", given.multiple.is_some()),
    ];
    if let Some((name, ..)) = all.iter().find(|(_, family, is)| *is && *family != needed) {
        let expected = format!("a column of another type; for this one, give `{needed}`");
        return Err(BindError::out_of_range(name, expected));
    }
    if all.iter().any(|(name, _, is)| *is && *name == needed) {
        return Ok(());
    }
    let kind = BindErrorKind::MissingParameter { name: needed.to_owned() };
    Err(BindError::whole(kind).hinted(
        "dates are cut to a `unit`, texts to the characters to `keep`, numbers to a `multiple`",
    ))
}

/// Whether the type's values are cut to units of time.
fn has_units(input: &DataType) -> bool {
    ticks_per_day(input).is_some() || ticks_per_second(input).is_some()
}

fn date_cut(given: &Params, input: &DataType) -> Result<Cut, BindError> {
    let refused = |expected: &str| Err(BindError::out_of_range("unit", expected));
    let per_second = ticks_per_second(input);
    let zone = match Zone::of(input) {
        Some(zone) => Local { zone, ticks_per_second: per_second.unwrap_or(1) },
        None => {
            return refused("a column whose time zone is an offset or a name of the IANA database");
        }
    };
    let unit = given.unit.unwrap_or(Unit::Year);
    let period = match unit {
        Unit::Century => Some(Period::Century),
        Unit::Decade => Some(Period::Decade),
        Unit::Year => Some(Period::Year),
        Unit::Quarter => Some(Period::Quarter),
        Unit::Month => Some(Period::Month),
        Unit::Week => Some(Period::Week),
        _ => None,
    };
    let per_day = ticks_per_day(input);
    match (period, per_day, per_second) {
        (Some(period), Some(ticks_per_day), _) => {
            return Ok(Cut::Period { period, ticks_per_day, zone });
        }
        (None, Some(_), None) => {
            return refused(
                "`century`, `decade`, `year`, `quarter`, `month` or `week`: a date has no time to cut off",
            );
        }
        _ => {}
    }
    let second = per_second.unwrap_or(1);
    let multiple = match unit {
        Unit::Day => per_day.unwrap_or(0),
        Unit::Hour => second.saturating_mul(SECONDS_PER_DAY / 24),
        Unit::Minute => second.saturating_mul(60),
        Unit::Second => second,
        Unit::Millisecond => second / 1_000,
        Unit::Microsecond => second / 1_000_000,
        _ => 0,
    };
    match unit {
        _ if multiple < 2 => {
            refused("a unit longer than the column's own, of a time of day at most `hour`")
        }
        Unit::Day => Ok(Cut::Day { ticks_per_day: multiple, zone }),
        _ => Ok(Cut::Ticks { multiple, zone }),
    }
}

fn number_cut(given: &Params, number: Number) -> Result<Cut, BindError> {
    let multiple = given.multiple.unwrap_or(0.0);
    let units = number.units(multiple).filter(|units| *units >= 1);
    match (number, units) {
        (Number::Float, _) if multiple.is_finite() && multiple > 0.0 => {
            Ok(Cut::FloatMultiple(multiple))
        }
        (Number::Units { .. }, Some(units)) => Ok(Cut::UnitMultiple(units)),
        _ => {
            let expected = "a number above 0, at least one unit of the column's type";
            Err(BindError::out_of_range("multiple", expected))
        }
    }
}

fn text_cut(given: Params) -> Result<Cut, BindError> {
    let keep = given.keep.unwrap_or(0);
    if !(1..=ENDS_MAX).contains(&keep) {
        return Err(BindError::out_of_range("keep", "a number from 1 to 1000"));
    }
    if given.fill.as_deref().is_some_and(|fill| !is_one_grapheme(fill)) {
        return Err(BindError::out_of_range("fill", "one character"));
    }
    Ok(Cut::Text { keep: keep as usize, fill: given.fill })
}

enum Cut {
    Period { period: Period, ticks_per_day: i64, zone: Local },
    Day { ticks_per_day: i64, zone: Local },
    Ticks { multiple: i64, zone: Local },
    UnitMultiple(i128),
    FloatMultiple(f64),
    Text { keep: usize, fill: Option<String> },
}

/// Local time of a column.
#[derive(Clone, Copy)]
struct Local {
    zone: Zone,
    ticks_per_second: i64,
}

impl Local {
    /// Ticks that local time is ahead of UTC.
    #[inline]
    fn offset(self, ticks: i64) -> i64 {
        // At most a day of ticks.
        self.zone.offset(ticks.div_euclid(self.ticks_per_second)) * self.ticks_per_second
    }

    /// Cuts every row in local time, to what may be before the clock was turned.
    fn cut(
        self,
        column: &ArrayRef,
        cut: impl Fn(i64) -> Option<i64>,
    ) -> Result<ArrayRef, MaskError> {
        if self.zone == Zone::Fixed(0) {
            return map_ticks(column, |_, ticks| cut(ticks));
        }
        map_ticks(column, |_, ticks| {
            let local = cut(ticks.checked_add(self.offset(ticks))?)?;
            let offset = self.zone.offset_of_local(local.div_euclid(self.ticks_per_second));
            // A day may begin at a time that no clock showed.
            Some(local.checked_sub(offset * self.ticks_per_second)?.min(ticks))
        })
    }
}

struct Bound {
    input: DataType,
    cut: Cut,
}

#[inline]
fn write_text(value: &str, keep: usize, fill: Option<&str>, out: &mut Vec<u8>) {
    if is_bytewise(value) {
        let kept = if value.len() > keep { keep } else { 0 };
        out.extend_from_slice(value.as_bytes().get(..kept).unwrap_or_default());
        if let Some(fill) = fill {
            repeat(fill, value.len() - kept, out);
        }
        return;
    }
    let cut = value.grapheme_indices(true).nth(keep).map_or(0, |(byte, _)| byte);
    let (kept, rest) = value.split_at_checked(cut).unwrap_or(("", value));
    out.extend_from_slice(kept.as_bytes());
    if let Some(fill) = fill {
        repeat(fill, rest.graphemes(true).count(), out);
    }
}

impl Mask for Bound {
    fn output(&self) -> DataType {
        self.input.clone()
    }

    fn properties(&self) -> Properties {
        let text = matches!(self.cut, Cut::Text { .. });
        let filled = matches!(self.cut, Cut::Text { fill: Some(_), .. });
        Properties {
            deterministic: true,
            reversible: false,
            uniqueness: Uniqueness::Lossy,
            preserves: Preserves {
                length: filled,
                prefix: text,
                order: !text,
                null: true,
                ..Preserves::default()
            },
            may_return_input: !text || filled,
        }
    }

    fn apply(&self, column: &ArrayRef, _others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        over_values(&self.input, column, |values| match &self.cut {
            Cut::Text { keep, fill } => {
                map_text(values, |value, out| write_text(value, *keep, fill.as_deref(), out))
            }
            // Many processors take longer to divide than for all the rest.
            Cut::Period { period, ticks_per_day: 1, zone } => {
                zone.cut(values, |day| first_day(day, *period))
            }
            Cut::Period { period, ticks_per_day, zone } => zone.cut(values, |local| {
                first_day(local.div_euclid(*ticks_per_day), *period)?.checked_mul(*ticks_per_day)
            }),
            Cut::Day { ticks_per_day, zone } => {
                zone.cut(values, |local| local.checked_sub(local.rem_euclid(*ticks_per_day)))
            }
            // Within an hour, the clock that shows a time twice stays the same one.
            Cut::Ticks { multiple, zone } => map_ticks(values, |_, ticks| {
                let local = ticks.checked_add(zone.offset(ticks))?;
                ticks.checked_sub(local.rem_euclid(*multiple))
            }),
            Cut::UnitMultiple(multiple) => map_numbers(
                values,
                |_, value| value.checked_sub(remainder(value, *multiple)?),
                |_, _| None,
            ),
            Cut::FloatMultiple(multiple) => map_numbers(
                values,
                |_, _| None,
                |_, value| Some((value / multiple).trunc() * multiple),
            ),
        })
    }
}
