//! What a query means, as a digest: of its optimised plan, so that the layout of SQL, comments, redundant
//! brackets and the like do not count, and every literal, column and condition does.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, ScalarValue, not_impl_err};
use datafusion::logical_expr::{Expr, LogicalPlan};
use engine_bundle::digest::Digest;

/// The digest of an optimised plan.
///
/// # Errors
/// None is expected: the plan is only walked.
pub fn of_plan(plan: &LogicalPlan) -> Result<Digest> {
    Ok(Digest::of(text(plan)?.as_bytes()))
}

/// Every node before its inputs, with the number of these, its expressions and its schema. What a node's
/// or an expression's own text leaves out, or writes so that two things look alike, is added.
fn text(plan: &LogicalPlan) -> Result<String> {
    let mut text = String::new();
    plan.apply_with_subqueries(|node| {
        text.push_str(&format!("{} {}\n", node.inputs().len(), node.display()));
        match node {
            LogicalPlan::Join(join) => text.push_str(&format!(
                "  {:?} {:?} {:?} {:?}\n",
                join.join_type, join.join_constraint, join.null_equality, join.null_aware
            )),
            LogicalPlan::Unnest(unnest) => text.push_str(&format!("  {:?}\n", unnest.options)),
            _ => {}
        }
        node.apply_expressions(|expression| {
            text.push_str(&format!("  {expression}\n"));
            expression.apply(|part| {
                spell_out(part, &mut text)?;
                Ok(TreeNodeRecursion::Continue)
            })
        })?;
        for field in node.schema().fields() {
            text.push_str(&format!("  {:?}: {}\n", field.name(), field.data_type()));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(text)
}

/// Names and literals, so that none can look like a piece of SQL.
fn spell_out(part: &Expr, text: &mut String) -> Result<()> {
    match part {
        Expr::Column(column) => text.push_str(&format!("  column {:?}\n", column.flat_name())),
        Expr::Alias(alias) => text.push_str(&format!("  alias {:?}\n", alias.name)),
        Expr::Literal(literal, _) => {
            text.push_str(&format!("  {} ", literal.data_type()));
            spell(literal, text)?;
            text.push('\n');
        }
        _ => {}
    }
    Ok(())
}

/// A literal with its borders: text and bytes escaped, lists element by element.
fn spell(literal: &ScalarValue, text: &mut String) -> Result<()> {
    if literal.is_null() {
        text.push_str("null");
    } else if let Some(Some(value)) = literal.try_as_str() {
        text.push_str(&format!("{value:?}"));
    } else if literal.data_type().is_nested() {
        let array = literal.to_array()?;
        let elements: Vec<ArrayRef> = match array.data_type() {
            DataType::Struct(_) => array.as_struct().columns().to_vec(),
            DataType::List(_) => vec![array.as_list::<i32>().value(0)],
            DataType::LargeList(_) => vec![array.as_list::<i64>().value(0)],
            DataType::FixedSizeList(_, _) => vec![array.as_fixed_size_list().value(0)],
            DataType::Map(_, _) => array.as_map().value(0).columns().to_vec(),
            other => return not_impl_err!("a literal of type {other}"),
        };
        for column in elements {
            text.push('[');
            for row in 0..column.len() {
                spell(&ScalarValue::try_from_array(&column, row)?, text)?;
                text.push(',');
            }
            text.push(']');
        }
    } else {
        match literal {
            ScalarValue::Binary(bytes)
            | ScalarValue::LargeBinary(bytes)
            | ScalarValue::BinaryView(bytes)
            | ScalarValue::FixedSizeBinary(_, bytes) => text.push_str(&format!("{bytes:?}")),
            other => text.push_str(&format!("{other:?}")),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow;
    use crate::session::{Limits, session};

    async fn meanings(queries: &[&str]) -> Vec<Digest> {
        let context = session(Limits::default()).unwrap();
        let state = context.state();
        let mut found = Vec::new();
        for query in queries {
            let plan = state.create_logical_plan(query).await.unwrap();
            found.push(of_plan(&flow::optimized(&state, &plan).unwrap()).unwrap());
        }
        found
    }

    #[tokio::test]
    async fn layout_brackets_and_what_the_optimizer_simplifies_do_not_count() {
        let same = meanings(&[
            "select a from (values (1), (2)) as t(a) where a > 1 and a < 5",
            "SELECT a -- note\n FROM (VALUES (1),(2)) AS t(a)\nWHERE ((a > 1) AND (a < 2 + 3))",
            "with t as (select * from (values (1), (2)) as t(a)) select a from t where a > 1 and a < 5 and 1 = 1",
        ])
        .await;
        assert_eq!(same[0], same[1]);
        let with = "select a from (values (1)) as t(a) where exists (select 1 from (values (1)) as u(b) where b = a)";
        let numbered = meanings(&[with, "select 1", with]).await;
        assert_eq!(numbered[0], numbered[2], "names that the optimizer invents are numbered anew");
    }

    #[tokio::test]
    async fn every_literal_counts() {
        let rows =
            |last: u8| format!("select * from (values (1),(2),(3),(4),(5),({last})) as t(a)");
        let bytes = |last: &str| format!("select X'00112233445566778899aabbccddee{last}' as b");
        let queries = [rows(6), rows(7), bytes("00"), bytes("01")];
        let all = meanings(&queries.iter().map(String::as_str).collect::<Vec<_>>()).await;
        assert!(all[0] != all[1] && all[2] != all[3]);
    }

    #[tokio::test]
    async fn what_looks_alike_is_told_apart() {
        let rows = "from (values ('a', 'b')) as t(a__1, a__2)";
        let pairs = [
            ("select a__1 as v", "select a__2 as v"),
            ("select 1 as v where a__1 <> 'q__7'", "select 1 as v where a__1 <> 'q__8'"),
            ("select make_array('a', 'b') as v", "select make_array('a, b') as v"),
            ("select make_array('a', '') as v", "select make_array('a', null) as v"),
            (
                "select 1 as v where a__1 in ('x', 'y', 'z', 'w', 'v')",
                "select 1 as v where a__1 in ('x\"), Utf8(\"y', 'z', 'w', 'v')",
            ),
        ];
        for (left, right) in pairs {
            let place = |query: &str| match query.split_once(" where ") {
                Some((select, condition)) => format!("{select} {rows} where {condition}"),
                None => format!("{query} {rows}"),
            };
            let both = meanings(&[&place(left), &place(right)]).await;
            assert_ne!(both[0], both[1], "{left} - {right}");
        }
        let join = |on: &str| {
            format!(
                "select l.a from (values (1), (null)) as l(a) \
                 join (values (1), (null)) as r(a) on l.a {on} r.a"
            )
        };
        let both = meanings(&[&join("="), &join("is not distinct from")]).await;
        assert_ne!(both[0], both[1], "nulls that are equal");
    }
}
