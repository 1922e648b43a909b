//! What a project means, as JSON, for digests: comments, key order, YAML style, file
//! layout, descriptions and tags change nothing. It holds no secret: connections and
//! keys of the target are left out altogether.
//!
//! Keys are sorted. Names of linkage are filled in, so that a default and the same name
//! written out are the same.

use serde_json::{Value as Json, json};

use crate::location::Spanned;
use crate::model::{
    Action, Approval, Column, ColumnTest, Declared, Encryption, Export, LoadMode, Model, Project,
    Rule, Table, TableTest, Unclassified, When,
};

/// Classes, rules and what happens to the rest. Rules are sorted by name: their order
/// decides only between rules of equal effect.
#[must_use]
pub fn policy(project: &Project) -> Json {
    let classes = project.classes.iter().map(|(name, class)| {
        (
            name.clone(),
            json!({
                "sensitive": class.sensitive,
                "indirect": class.indirect.map(|indirect| format!("{indirect:?}").to_lowercase()),
            }),
        )
    });
    let mut rules: Vec<&Rule> = project.rules.iter().collect();
    rules.sort_by(|one, other| one.name.value.cmp(&other.name.value));
    sorted(json!({
        "classes": Json::Object(classes.collect()),
        "unclassified": match project.unclassified {
            Unclassified::Deny => "deny",
            Unclassified::Drop => "drop",
        },
        "rules": rules.into_iter().map(rule).collect::<Vec<_>>(),
    }))
}

/// One rule.
#[must_use]
pub fn rule(rule: &Rule) -> Json {
    sorted(json!({
        "name": rule.name.value,
        "match": {
            "class": rule.matches.class.as_ref().map(|class| &class.value),
            "column": rule.matches.column.as_ref().map(|pattern| pattern.value.as_str()),
            "type": rule.matches.column_type.as_ref().map(|pattern| pattern.value.to_string()),
        },
        "effect": effect(rule),
    }))
}

/// What a rule does to a column, apart from which columns and its name.
#[must_use]
pub fn effect(rule: &Rule) -> Json {
    sorted(action(rule, &rule.action))
}

fn action(rule: &Rule, action: &Action) -> Json {
    match action {
        Action::Mask(mask) => {
            let mut effect = json!({
                "mask": mask.function.value,
                "params": mask.params.redacted_json(),
                "key": mask.key.as_ref().map(|key| &key.value),
                "linkage": mask.linkage.as_ref().map_or(&rule.name.value, |linkage| &linkage.value),
            });
            if let Some(When { condition, otherwise }) = &mask.when {
                effect["when"] = json!(condition.value);
                effect["otherwise"] =
                    otherwise.as_ref().map_or(Json::Null, |action| self::action(rule, action));
            }
            effect
        }
        Action::Keep(approval) => json!({"keep": self::approval(approval)}),
    }
}

/// A source table: how it is read and what is declared of it.
#[must_use]
pub fn table(source: &str, table: &Table) -> Json {
    sorted(json!({
        "source": source,
        "name": table.name.value,
        "read": table.read.redacted_json(),
        "key": texts(&table.key),
        "columns": columns(&table.columns),
        "references": table.references.iter().map(|reference| json!({
            "columns": texts(&reference.columns),
            "table": reference.table.value,
            "to": texts(&reference.to),
        })).collect::<Vec<_>>(),
        "tests": tests(&table.tests, table_test),
    }))
}

/// A model: its rendered SQL and what is declared of it. The SQL is as written; compare
/// plans where formatting must not matter.
#[must_use]
pub fn model(model: &Model) -> Json {
    sorted(json!({
        "name": model.name.value,
        "sql": model.sql.text,
        "columns": columns(&model.columns),
        "min_group": model.min_group.as_ref().map(|group| json!({
            "size": group.size,
            "of": group.of.as_ref().map(|column| &column.value),
            "approval": approval(&group.approval),
        })),
        "depends_on": model.depends_on.iter().map(|relation| relation.value.quoted()).collect::<Vec<_>>(),
        "tests": tests(&model.tests, table_test),
    }))
}

/// An export, without where it is loaded.
#[must_use]
pub fn export(export: &Export) -> Json {
    sorted(json!({
        "name": export.name.value,
        "from": export.from.value.quoted(),
        "where": export.filter.as_ref().map(|filter| &filter.value),
        "columns": export.columns.as_ref().map(|columns| texts(columns)),
        "partition_by": texts(&export.partition_by),
        "chunk_rows": export.chunk.rows,
        "encryption": match export.encryption {
            Encryption::Sealed => "sealed",
            Encryption::Modular => "modular",
        },
        "tests": tests(&export.tests, table_test),
    }))
}

/// Where an export is loaded.
#[must_use]
pub fn loads(export: &Export) -> Json {
    let loads = export.loads.iter().map(|load| {
        json!({
            "connection": load.connection.value,
            "table": load.table.value,
            "mode": match load.mode {
                LoadMode::Replace => "replace",
                LoadMode::Append => "append",
            },
        })
    });
    sorted(loads.collect())
}

fn columns(columns: &[Column]) -> Json {
    let column = |column: &Column| {
        json!({
            "name": column.name.value,
            "type": column.column_type.map(|column_type| column_type.value.to_string()),
            "nullable": column.nullable,
            "class": column.class.as_ref().map(|class| &class.value),
            "tests": tests(&column.tests, column_test),
            "declassify": column.declassify.as_ref().map(approval),
        })
    };
    columns.iter().map(column).collect()
}

fn approval(approval: &Approval) -> Json {
    json!({
        "owner": approval.owner.value,
        "reason": approval.reason.value,
        "until": approval.until.map(|until| until.value.to_string()),
    })
}

fn column_test(test: &ColumnTest) -> Json {
    let arguments = match test {
        ColumnTest::NotNull | ColumnTest::Unique | ColumnTest::Leak => json!({}),
        ColumnTest::AcceptedValues { values } => json!({"values": values}),
        ColumnTest::Relationships { to, field } => json!({"to": to.quoted(), "field": field}),
        ColumnTest::Range { min, max } => json!({"min": min, "max": max}),
        ColumnTest::Regex { pattern } => json!({"pattern": pattern}),
        ColumnTest::Freshness { max_age_seconds } => json!({"max_age_seconds": max_age_seconds}),
    };
    json!({"test": test.name(), "arguments": arguments})
}

fn table_test(test: &TableTest) -> Json {
    let arguments = match test {
        TableTest::Column { column, test } => {
            return json!({"column": column.value, "of": column_test(test)});
        }
        TableTest::KAnonymity { columns, k } => json!({"columns": texts(columns), "k": k}),
        TableTest::LDiversity { columns, sensitive, l } => {
            json!({"columns": texts(columns), "sensitive": sensitive.value, "l": l})
        }
        TableTest::RowCount { min, max } => json!({"min": min, "max": max}),
        TableTest::Expression { sql } => json!({"sql": sql.value}),
    };
    json!({"test": test.name(), "arguments": arguments})
}

fn tests<T>(tests: &[Declared<T>], of: fn(&T) -> Json) -> Json {
    let test = |declared: &Declared<T>| json!({"of": of(&declared.test), "severity": declared.severity.name()});
    tests.iter().map(test).collect()
}

fn texts(names: &[Spanned<String>]) -> Vec<&str> {
    names.iter().map(|name| name.value.as_str()).collect()
}

fn sorted(mut json: Json) -> Json {
    json.sort_all_objects();
    json
}
