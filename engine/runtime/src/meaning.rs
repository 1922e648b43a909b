//! What a query means, as a digest: of its optimised plan, so that the layout of SQL, comments, redundant
//! brackets and the like do not count, and every literal, column and condition does.

use std::collections::HashMap;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{Expr, LogicalPlan};
use engine_bundle::digest::Digest;

/// The optimizer numbers the names it invents through the whole session.
const INVENTED: &str = "__";

/// The digest of an optimised plan.
///
/// # Errors
/// None is expected: the plan is only walked.
pub fn of_plan(plan: &LogicalPlan) -> Result<Digest> {
    Ok(Digest::of(numbered_anew(&text(plan)?).as_bytes()))
}

/// Every node before its inputs, with the number of these, its expressions and its schema. A node's own
/// text leaves out what is long.
fn text(plan: &LogicalPlan) -> Result<String> {
    let mut text = String::new();
    plan.apply_with_subqueries(|node| {
        text.push_str(&format!("{} {}\n", node.inputs().len(), node.display()));
        node.apply_expressions(|expression| {
            text.push_str(&format!("  {expression}\n"));
            expression.apply(|part| {
                text.extend(hidden(part));
                Ok(TreeNodeRecursion::Continue)
            })
        })?;
        for field in node.schema().fields() {
            text.push_str(&format!("  {}: {}\n", field.name(), field.data_type()));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(text)
}

/// Of binary literals, an expression's text has the first bytes only.
fn hidden(part: &Expr) -> Option<String> {
    let Expr::Literal(literal, _) = part else { return None };
    match literal {
        ScalarValue::Binary(Some(bytes))
        | ScalarValue::LargeBinary(Some(bytes))
        | ScalarValue::BinaryView(Some(bytes))
        | ScalarValue::FixedSizeBinary(_, Some(bytes)) => Some(format!("  {bytes:?}\n")),
        _ => None,
    }
}

/// Invented names with numbers in the order in which they occur.
fn numbered_anew(text: &str) -> String {
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let mut anew = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(INVENTED) {
        let (before, from) = rest.split_at(start);
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let end = from.find(|letter| !is_part(letter)).unwrap_or(from.len());
        let (name, after) = from.split_at(end);
        let next = numbers.len();
        let number = *numbers.entry(name).or_insert(next);
        let stem = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
        anew.push_str(before);
        if stem.len() == name.len() {
            anew.push_str(name);
        } else {
            anew.push_str(&format!("{stem}{number}"));
        }
        rest = after;
    }
    anew + rest
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
        assert_eq!(numbered[0], numbered[2], "names the optimizer invents are numbered anew");
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
}
