//! The borders of a policy as conditions on published columns.

use arrow::datatypes::{DataType, Schema, TimeUnit};
use chrono::Datelike;
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::{Expr, lit};
use engine_tracking::retention::{CutOff, Moment, Policy, cut_offs};

/// Days from the first of January of the year 1 to that of 1970.
const EPOCH_DAYS: i32 = 719_163;
const NANOS: i128 = 1_000_000_000;

/// What a policy says of rows now.
#[derive(Debug, Clone)]
pub enum Age {
    /// Every row stays: it has no rule for them, or a hold keeps them.
    Kept,
    /// The rows have no such column of dates, so that their age cannot be told.
    Unknown,
    /// Some may go.
    Border(Box<Border>),
}

/// The rows that a policy wants gone.
#[derive(Debug, Clone)]
pub struct Border {
    /// Holds for the rows that go, and for no others: where the column is null it does not hold.
    pub gone: Expr,
    /// Holds for the rows that have no date, and stay for it.
    pub undated: Expr,
}

/// Whether the age of a row can be told by a column of this type.
#[must_use]
pub fn datable(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Date32 | DataType::Date64 | DataType::Timestamp(..))
}

/// What a policy says of rows of this schema at `now`.
#[must_use]
pub fn age(policy: &Policy, schema: &Schema, now: Moment) -> Age {
    let Some(cut_off) = cut_offs(std::slice::from_ref(policy), now).pop() else { return Age::Kept };
    let field = schema.field_with_name(&cut_off.by).ok();
    let moment = field.and_then(|field| first_kept(&cut_off, field.data_type()));
    let Some(moment) = moment else { return Age::Unknown };
    let column = || Expr::Column(Column::from_name(&cut_off.by));
    let (gone, undated) = (column().lt(lit(moment)), column().is_null());
    Age::Border(Box::new(Border { gone, undated }))
}

/// The least value of a type that is not before the border.
fn first_kept(cut_off: &CutOff, data_type: &DataType) -> Option<ScalarValue> {
    let days = cut_off.date().num_days_from_ce().saturating_sub(EPOCH_DAYS);
    match data_type {
        DataType::Date32 => Some(ScalarValue::Date32(Some(days))),
        DataType::Date64 => {
            Some(ScalarValue::Date64(Some(i64::from(days).saturating_mul(86_400_000))))
        }
        DataType::Timestamp(unit, zone) => {
            let zone = zone.clone();
            let count = |per_second: i128| Some(units(cut_off.moment, per_second));
            Some(match unit {
                TimeUnit::Second => ScalarValue::TimestampSecond(count(1), zone),
                TimeUnit::Millisecond => ScalarValue::TimestampMillisecond(count(1_000), zone),
                TimeUnit::Microsecond => ScalarValue::TimestampMicrosecond(count(1_000_000), zone),
                TimeUnit::Nanosecond => ScalarValue::TimestampNanosecond(count(NANOS), zone),
            })
        }
        _ => None,
    }
}

/// A moment in whole units since 1970, rounded up: what is before it in them is before it.
fn units(moment: Moment, per_second: i128) -> i64 {
    let nanos =
        i128::from(moment.timestamp()) * NANOS + i128::from(moment.timestamp_subsec_nanos());
    let per_unit = NANOS / per_second;
    let rounded = nanos.div_euclid(per_unit) + i128::from(nanos.rem_euclid(per_unit) > 0);
    i64::try_from(rounded).unwrap_or(if rounded < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Field;
    use engine_tracking::retention::RowRule;

    use super::*;

    fn condition(data_type: DataType, older_than: &str, now: &str) -> Option<String> {
        let rule = RowRule { older_than: older_than.parse().unwrap(), by: "Ended".to_owned() };
        let policy = Policy { rows: Some(rule), ..Policy::new("p") };
        let schema = Schema::new(vec![Field::new("Ended", data_type, true)]);
        match age(&policy, &schema, now.parse().unwrap()) {
            Age::Border(border) => Some(border.gone.to_string()),
            Age::Unknown => None,
            Age::Kept => panic!("there is a rule, and no hold"),
        }
    }

    #[test]
    fn a_border_is_one_of_the_columns_own_type() {
        let now = "2026-03-31T12:00:00.5Z";
        let of = |data_type, older_than| condition(data_type, older_than, now).unwrap();
        assert_eq!(of(DataType::Date32, "1mo"), r#"Ended < Date32("2026-03-01")"#);
        let timestamp = |unit| DataType::Timestamp(unit, None);
        let seconds = of(timestamp(TimeUnit::Second), "1d");
        assert_eq!(seconds, "Ended < TimestampSecond(1774872001, None)", "rounded up");
        let millis = of(timestamp(TimeUnit::Millisecond), "1d");
        assert_eq!(millis, "Ended < TimestampMillisecond(1774872000500, None)");
        // No nanosecond is as old as that.
        let nanos = of(timestamp(TimeUnit::Nanosecond), "1000y");
        assert_eq!(nanos, format!("Ended < TimestampNanosecond({}, None)", i64::MIN));
    }

    #[test]
    fn what_is_no_date_has_no_border() {
        for data_type in [DataType::Utf8, DataType::Int64, DataType::Time32(TimeUnit::Second)] {
            assert!(!datable(&data_type));
            assert_eq!(condition(data_type, "1y", "2026-03-31T12:00:00Z"), None);
        }
    }
}
