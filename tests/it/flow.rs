//! What flows where, seen from the outside: lineage, explanations, and groups of a least size.

use crate::golden::{assert_golden, settled};
use crate::harness::Project;

#[test]
fn lineage_goes_up_and_down_and_says_who_answers() {
    let project = Project::copy_of("examples/chinook");
    let asked = [
        ("spent", &["customer_spending.Spent"][..]),
        ("customer_id_down", &["chinook.Customer.CustomerId", "--down"]),
        ("country_visible", &["chinook.Customer.Country", "--why-visible"]),
        ("email_visible", &["chinook.Customer.Email", "--why-visible"]),
    ];
    for (name, arguments) in asked {
        let shown = project.run(&[&["lineage"], arguments].concat()).success().stdout;
        assert_golden(&format!("chinook/lineage/{name}.txt"), &settled(&shown));
    }
    let dot = project.run(&["lineage", "customer_spending.Spent", "--dot"]).success().stdout;
    assert_golden("chinook/lineage/spent.dot", &dot);
    let shown = project.run(&["explain", "customer_spending"]).success().stdout;
    assert_golden("chinook/explain_customer_spending.txt", &settled(&shown));
}

/// Groups below the least size are not there; what summarises the others needs no rule, and what picks a
/// single value of them does.
#[test]
fn small_groups_are_left_out_of_a_model_that_says_so() {
    let project = Project::copy_of("examples/chinook");
    project.write(
        "models/by_country.sql",
        "SELECT Country, count(*) AS customers, sum(Total) AS spent\n\
         FROM {{ source('chinook', 'Customer') }} c\n\
         JOIN {{ source('chinook', 'Invoice') }} i ON i.CustomerId = c.CustomerId\n\
         GROUP BY Country HAVING sum(Total) > 1 ORDER BY Country\n",
    );
    let describe = |extra: &str| {
        project.write(
            "models/by_country.yml",
            format!(
                "models:\n  - name: by_country\n    min_group: {{size: 4, of: CustomerId, owner: \
                 \"@dpo\", reason: four customers}}\n    columns: [{{name: spent}}{extra}]\n\
                 exports:\n  - {{name: by_country, from: ref('by_country')}}\n"
            ),
        );
    };
    describe("");
    // The column belongs to both tables: the SQL has to say which one is counted.
    let sql = project.read("models/by_country.sql");
    assert!(project.run(&["compile"]).stderr.contains("CustomerId"), "ambiguous");
    let within = sql.replace(
        "FROM {{ source('chinook', 'Customer') }} c\n",
        "FROM (SELECT CustomerId AS Customer, Country FROM {{ source('chinook', 'Customer') }}) c\n",
    );
    let within = within.replace("i.CustomerId = c.CustomerId", "i.CustomerId = c.Customer");
    project.write("models/by_country.sql", &within);
    project.run(&["run", "--select", "by_country", "--select", "customers"]).success();
    let rows = project.query("select Country, customers from by_country order by Country");
    let expected = project.query(
        "select Country, count(*) as n from customers group by Country having count(*) >= 4 order \
         by Country",
    );
    let countries = |rows: &[serde_json::Value]| {
        rows.iter().map(|row| row["Country"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(countries(&rows), countries(&expected));
    assert!(rows.len() > 3, "{rows:?}");
    project.run(&["compile"]).success();
    let compiled = project.read("target/compiled/models/by_country.sql");
    assert_golden("chinook/compiled/models/by_country.sql", &compiled);
    // The largest total of a group is somebody's.
    let picked = within.replace("sum(Total) AS spent", "max(Total) AS spent, max(Phone) AS phone");
    let picked = picked.replace("AS Customer, Country", "AS Customer, Country, Phone");
    project.write("models/by_country.sql", &picked);
    describe(", {name: phone, class: figures}");
    let refused = project.run(&["compile"]);
    assert!(refused.stderr.contains("E0421"), "{}", refused.stderr);
}
