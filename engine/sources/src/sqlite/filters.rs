//! The part of a filter that SQLite evaluates exactly as DataFusion would.
//!
//! SQLite compares by storage class and affinity, DataFusion by type; they agree only
//! where the column's affinity makes all stored values one class:
//!
//! ```text
//!  any column           IS [NOT] NULL                        exact
//!  INTEGER affinity     = <> < <= > >=, BETWEEN, IN          exact
//!  TEXT affinity        the same, by COLLATE BINARY          inexact: checked again above
//!  AND, OR              of the above                         as exact as their parts
//! ```
//!
//! Everything else stays with DataFusion. Literals are bound, never written into the SQL.
//! A row whose stored value contradicts its column's type is an error only when it passes
//! the filter.

use arrow::datatypes::DataType;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{Between, BinaryExpr, Expr, Operator};
use datafusion::scalar::ScalarValue;
use rusqlite::types::Value;

use super::database::quoted;

/// Entries of an IN list beyond which the list stays with DataFusion; SQLite itself
/// allows 32,766 parameters in a statement.
const LIST_MAX: usize = 1000;

/// What a column's stored values can be compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparable {
    /// Integers: an integer column of INTEGER affinity.
    Integers,
    /// Texts: a string column of TEXT affinity.
    Texts,
    /// Nothing; only nulls can be told.
    Nothing,
}

impl Comparable {
    /// What a column of a table compares as, by declared and delivered type.
    ///
    /// Affinity: Datatypes In SQLite, §3.1, rules 1 and 2.
    pub(crate) fn of(declared: &str, delivered: &DataType) -> Self {
        let declared = declared.to_ascii_uppercase();
        let integer = declared.contains("INT");
        let text = ["CHAR", "CLOB", "TEXT"].iter().any(|part| declared.contains(part));
        if integer && delivered.is_integer() {
            Self::Integers
        } else if text
            && !integer
            && matches!(delivered, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
        {
            Self::Texts
        } else {
            Self::Nothing
        }
    }
}

/// SQL for a filter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Condition {
    /// The SQL, with a `?` per parameter.
    pub(crate) sql: String,
    /// The literals, in order.
    pub(crate) parameters: Vec<Value>,
    /// Whether SQLite keeps exactly the rows DataFusion would keep.
    pub(crate) exact: bool,
}

/// The condition for a filter, or `None` where it has to stay with DataFusion.
///
/// `comparable` says for a column's name what it compares as.
pub(crate) fn condition(
    filter: &Expr,
    comparable: &dyn Fn(&str) -> Option<Comparable>,
) -> Option<Condition> {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            joined("AND", condition(left, comparable)?, condition(right, comparable)?)
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            joined("OR", condition(left, comparable)?, condition(right, comparable)?)
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match (left.as_ref(), right.as_ref()) {
            (Expr::Column(column), Expr::Literal(literal, _)) => {
                comparison(&column.name, *op, literal, comparable)
            }
            (Expr::Literal(literal, _), Expr::Column(column)) => {
                comparison(&column.name, op.swap()?, literal, comparable)
            }
            _ => None,
        },
        Expr::IsNull(inner) => null_test(inner, "IS NULL", comparable),
        Expr::IsNotNull(inner) => null_test(inner, "IS NOT NULL", comparable),
        Expr::Between(Between { expr, negated: false, low, high }) => {
            let (Expr::Column(column), Expr::Literal(low, _), Expr::Literal(high, _)) =
                (expr.as_ref(), low.as_ref(), high.as_ref())
            else {
                return None;
            };
            let low = comparison(&column.name, Operator::GtEq, low, comparable)?;
            let high = comparison(&column.name, Operator::LtEq, high, comparable)?;
            joined("AND", low, high)
        }
        Expr::InList(list) => in_list(list, comparable),
        _ => None,
    }
}

fn joined(operator: &str, left: Condition, right: Condition) -> Option<Condition> {
    let mut parameters = left.parameters;
    parameters.extend(right.parameters);
    (parameters.len() <= LIST_MAX).then(|| Condition {
        sql: format!("({} {operator} {})", left.sql, right.sql),
        parameters,
        exact: left.exact && right.exact,
    })
}

fn null_test(
    inner: &Expr,
    test: &str,
    comparable: &dyn Fn(&str) -> Option<Comparable>,
) -> Option<Condition> {
    let Expr::Column(column) = inner else { return None };
    comparable(&column.name)?;
    let sql = format!("{} {test}", quoted(&column.name));
    Some(Condition { sql, parameters: Vec::new(), exact: true })
}

fn comparison(
    column: &str,
    operator: Operator,
    literal: &ScalarValue,
    comparable: &dyn Fn(&str) -> Option<Comparable>,
) -> Option<Condition> {
    let operator = match operator {
        Operator::Eq => "=",
        Operator::NotEq => "<>",
        Operator::Lt => "<",
        Operator::LtEq => "<=",
        Operator::Gt => ">",
        Operator::GtEq => ">=",
        _ => return None,
    };
    let comparable = comparable(column)?;
    let parameter = parameter(literal, comparable)?;
    Some(Condition {
        sql: format!("{} {operator} ?", compared(column, comparable)),
        parameters: vec![parameter],
        exact: comparable == Comparable::Integers,
    })
}

fn in_list(list: &InList, comparable: &dyn Fn(&str) -> Option<Comparable>) -> Option<Condition> {
    let Expr::Column(column) = list.expr.as_ref() else { return None };
    if list.negated || list.list.is_empty() || list.list.len() > LIST_MAX {
        return None;
    }
    let comparable = comparable(&column.name)?;
    let parameters = list
        .list
        .iter()
        .map(|item| match item {
            Expr::Literal(literal, _) => parameter(literal, comparable),
            _ => None,
        })
        .collect::<Option<Vec<_>>>()?;
    let marks = vec!["?"; parameters.len()].join(", ");
    Some(Condition {
        sql: format!("{} IN ({marks})", compared(&column.name, comparable)),
        parameters,
        exact: comparable == Comparable::Integers,
    })
}

/// The left side: texts by their bytes, whatever collation the column was declared with.
fn compared(column: &str, comparable: Comparable) -> String {
    match comparable {
        Comparable::Texts => format!("{} COLLATE BINARY", quoted(column)),
        Comparable::Integers | Comparable::Nothing => quoted(column),
    }
}

/// The literal as a parameter; null literals stay with DataFusion.
fn parameter(literal: &ScalarValue, comparable: Comparable) -> Option<Value> {
    match comparable {
        Comparable::Integers => {
            let integer = match literal {
                ScalarValue::Int8(Some(value)) => i64::from(*value),
                ScalarValue::Int16(Some(value)) => i64::from(*value),
                ScalarValue::Int32(Some(value)) => i64::from(*value),
                ScalarValue::Int64(Some(value)) => *value,
                ScalarValue::UInt8(Some(value)) => i64::from(*value),
                ScalarValue::UInt16(Some(value)) => i64::from(*value),
                ScalarValue::UInt32(Some(value)) => i64::from(*value),
                ScalarValue::UInt64(Some(value)) => i64::try_from(*value).ok()?,
                _ => return None,
            };
            Some(Value::Integer(integer))
        }
        Comparable::Texts => match literal {
            ScalarValue::Utf8(Some(text))
            | ScalarValue::LargeUtf8(Some(text))
            | ScalarValue::Utf8View(Some(text)) => Some(Value::Text(text.clone())),
            _ => None,
        },
        Comparable::Nothing => None,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::{col, lit};

    use super::*;

    fn made(filter: &Expr) -> Option<(String, usize, bool)> {
        let comparable = |name: &str| match name {
            "n" => Some(Comparable::Integers),
            "t" => Some(Comparable::Texts),
            "d" => Some(Comparable::Nothing),
            _ => None,
        };
        condition(filter, &comparable).map(|made| (made.sql, made.parameters.len(), made.exact))
    }

    #[test]
    fn what_is_pushed_and_how_exactly() {
        let cases = [
            (col("n").gt(lit(5_i64)), Some(("\"n\" > ?", 1, true))),
            (lit(5_i64).gt(col("n")), Some(("\"n\" < ?", 1, true))),
            (col("t").eq(lit("x")), Some(("\"t\" COLLATE BINARY = ?", 1, false))),
            (col("d").is_null(), Some(("\"d\" IS NULL", 0, true))),
            (col("d").eq(lit("2024-01-01")), None),
            (
                col("n").between(lit(1_i64), lit(2_i64)),
                Some(("(\"n\" >= ? AND \"n\" <= ?)", 2, true)),
            ),
            (
                col("n").in_list(vec![lit(1_i64), lit(2_i64)], false),
                Some(("\"n\" IN (?, ?)", 2, true)),
            ),
            (col("n").in_list(vec![lit(1_i64)], true), None),
            (
                col("n").eq(lit(1_i64)).or(col("d").is_not_null()),
                Some(("(\"n\" = ? OR \"d\" IS NOT NULL)", 1, true)),
            ),
            (col("n").eq(lit(1_i64)).or(col("d").eq(lit(1_i64))), None),
            (col("n").eq(lit(ScalarValue::Int64(None))), None),
            (col("n").eq(lit(1.5)), None),
        ];
        for (filter, expected) in cases {
            let expected = expected.map(|(sql, count, exact)| (sql.to_owned(), count, exact));
            assert_eq!(made(&filter), expected, "{filter}");
        }
    }

    #[test]
    fn affinity_decides_what_compares() {
        assert_eq!(Comparable::of("INTEGER", &DataType::Int64), Comparable::Integers);
        assert_eq!(Comparable::of("TEXT", &DataType::Int64), Comparable::Nothing);
        assert_eq!(Comparable::of("NUMERIC", &DataType::Int64), Comparable::Nothing);
        assert_eq!(Comparable::of("NVARCHAR(10)", &DataType::Utf8), Comparable::Texts);
        assert_eq!(Comparable::of("BLOB", &DataType::Utf8), Comparable::Nothing);
        // SQLite's first rule wins: this has INTEGER affinity.
        assert_eq!(Comparable::of("CHARINT", &DataType::Utf8), Comparable::Nothing);
    }
}
