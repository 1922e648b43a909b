//! Cases of changes, by kind: what must be said, and what must not.

use super::*;
use crate::schema::{
    Check, ColumnSchema, DataType, ForeignKey, Generated, Identity, Index, IndexColumn, Key, Part,
    PartitionStrategy, Partitioning, ReferenceAction, Term, Words,
};

fn column(name: &str, data_type: DataType) -> ColumnSchema {
    ColumnSchema::new(name, data_type)
}

fn text() -> DataType {
    DataType::Text { length: None }
}

fn key(columns: &[&str]) -> Key {
    Key { name: None, columns: columns.iter().map(|name| (*name).to_owned()).collect() }
}

fn reference() -> ForeignKey {
    ForeignKey {
        name: None,
        columns: vec!["customer_id".into()],
        table: "customers".into(),
        to: vec!["id".into()],
        on_update: ReferenceAction::NoAction,
        on_delete: ReferenceAction::Cascade,
    }
}

/// customers(id, name, email, birth_date) and orders(id, customer_id, total).
fn schema() -> SourceSchema {
    let mut customers = TableSchema::new(
        "customers",
        vec![
            column("id", DataType::Int64),
            column("name", text()),
            column("email", DataType::Text { length: Some(40) }),
            column("birth_date", DataType::Date),
        ],
    );
    customers.primary_key = Some(key(&["id"]));
    customers.unique = vec![key(&["email"])];
    let total = DataType::Decimal { precision: Some(10), scale: Some(2) };
    let mut orders = TableSchema::new(
        "orders",
        vec![
            column("id", DataType::Int64),
            column("customer_id", DataType::Int64),
            column("total", total),
        ],
    );
    orders.foreign_keys = vec![reference()];
    orders.indexes = vec![Index {
        name: "by_customer".into(),
        unique: false,
        columns: vec![IndexColumn { term: Term::Column("customer_id".into()), descending: true }],
        predicate: None,
        method: None,
    }];
    let mut schema = SourceSchema::new("crm", "sqlite");
    schema.tables = vec![customers, orders];
    schema
}

fn table<'a>(schema: &'a mut SourceSchema, name: &str) -> &'a mut TableSchema {
    schema.tables.iter_mut().find(|table| table.name == name).unwrap()
}

fn at<'a>(schema: &'a mut SourceSchema, column: &str) -> &'a mut ColumnSchema {
    let columns = &mut table(schema, "customers").columns;
    columns.iter_mut().find(|one| one.name == column).unwrap()
}

/// The changes after an edit, one line each.
fn after(edit: impl FnOnce(&mut SourceSchema)) -> Vec<String> {
    let mut edited = schema();
    edit(&mut edited);
    compare(&schema(), &edited).iter().map(line).collect()
}

fn line(change: &Change) -> String {
    let place: Vec<_> = change.table.iter().chain(&change.column).map(String::as_str).collect();
    let or_none = |words: &Option<String>| words.clone().unwrap_or_else(|| "-".to_owned());
    format!(
        "{} {}: {} → {}",
        change.kind,
        place.join("."),
        or_none(&change.before),
        or_none(&change.after)
    )
}

#[test]
fn tables_come_and_go() {
    let added = after(|schema| schema.tables.push(TableSchema::new("logs", Vec::new())));
    assert_eq!(added, ["table_added logs: - → 0 columns"]);
    let removed = after(|schema| schema.tables.retain(|table| table.name != "orders"));
    assert_eq!(removed, ["table_removed orders: 3 columns → -"]);
}

#[test]
fn a_renamed_table_takes_its_references_along_and_still_shows_what_else_changed() {
    let renamed = after(|schema| {
        table(schema, "customers").name = "clients".into();
        let orders = table(schema, "orders");
        orders.foreign_keys = vec![ForeignKey { table: "clients".into(), ..reference() }];
    });
    assert_eq!(renamed, ["table_renamed clients: customers → clients"]);
    let also_changed = after(|schema| {
        let customers = table(schema, "customers");
        customers.name = "clients".into();
        customers.columns.push(column("phone", text()));
        table(schema, "orders").foreign_keys.clear();
    });
    assert_eq!(
        also_changed,
        [
            "table_renamed clients: customers → clients",
            "column_added clients.phone: - → text",
            "reference_changed orders: reference (customer_id) to customers (id), on delete cascade → -",
        ]
    );
}

#[test]
fn no_table_is_called_renamed_where_two_would_fit() {
    let found = after(|schema| {
        let mut copy = table(schema, "customers").clone();
        copy.name = "clients".into();
        table(schema, "customers").name = "people".into();
        schema.tables.push(copy);
    });
    let kinds: Vec<_> = found.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(kinds, ["table_added", "table_removed", "table_added"]);
}

#[test]
fn columns_come_and_go() {
    let added = after(|schema| {
        let mut added = column("vip", DataType::Boolean);
        added.nullable = false;
        added.default = Some(Words::kept("false"));
        table(schema, "customers").columns.push(added);
    });
    assert_eq!(added, ["column_added customers.vip: - → boolean, not null, default false"]);
    let removed = after(|schema| {
        table(schema, "customers").columns.remove(3);
    });
    assert_eq!(removed, ["column_removed customers.birth_date: date → -"]);
}

#[test]
fn a_renamed_column_takes_keys_references_and_indexes_along() {
    let found = after(|schema| {
        at(schema, "id").name = "number".into();
        at(schema, "email").name = "mail".into();
        let customers = table(schema, "customers");
        customers.primary_key = Some(key(&["number"]));
        customers.unique = vec![key(&["mail"])];
        let orders = table(schema, "orders");
        orders.columns.get_mut(1).unwrap().name = "customer".into();
        let columns = vec!["customer".into()];
        orders.foreign_keys =
            vec![ForeignKey { columns, to: vec!["number".into()], ..reference() }];
        let index = orders.indexes.first_mut().unwrap();
        index.columns.first_mut().unwrap().term = Term::Column("customer".into());
    });
    assert_eq!(
        found,
        [
            "column_renamed customers.number: id → number",
            "column_renamed customers.mail: email → mail",
            "column_renamed orders.customer: customer_id → customer",
        ]
    );
}

#[test]
fn a_rename_needs_type_nullability_and_place() {
    let retyped = after(|schema| {
        *at(schema, "birth_date") = column("born", text());
    });
    assert_eq!(
        retyped,
        ["column_removed customers.birth_date: date → -", "column_added customers.born: - → text"]
    );
    let elsewhere = after(|schema| {
        let columns = &mut table(schema, "customers").columns;
        columns.remove(3);
        columns.insert(0, column("born", DataType::Date));
    });
    assert_eq!(
        elsewhere,
        ["column_removed customers.birth_date: date → -", "column_added customers.born: - → date"]
    );
}

#[test]
fn of_several_candidates_only_place_decides() {
    let two = after(|schema| {
        let columns = &mut table(schema, "customers").columns;
        columns.remove(3);
        columns.push(column("born", DataType::Date));
        columns.push(column("since", DataType::Date));
    });
    let kinds: Vec<_> = two.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(kinds, ["column_removed", "column_added", "column_added"]);
    let apart = after(|schema| {
        let columns = &mut table(schema, "customers").columns;
        columns.remove(3);
        columns.push(column("born", DataType::Date));
        columns.insert(0, column("since", DataType::Date));
    });
    assert_eq!(
        apart,
        [
            "column_added customers.since: - → date",
            "column_renamed customers.born: birth_date → born"
        ]
    );
}

#[test]
fn only_the_column_that_moved_is_said_to_have() {
    let found = after(|schema| {
        let columns = &mut table(schema, "customers").columns;
        let last = columns.pop().unwrap();
        columns.insert(0, last);
    });
    assert_eq!(found, ["column_moved customers.birth_date: place 4, after email → place 1"]);
}

#[test]
fn types_are_told_apart_by_what_they_hold() {
    let email = |data_type| after(|schema| at(schema, "email").data_type = data_type);
    let wider = email(DataType::Text { length: Some(80) });
    assert_eq!(wider, ["type_widened customers.email: text(40) → text(80)"]);
    let narrower = email(DataType::Text { length: Some(20) });
    assert_eq!(narrower, ["type_narrowed customers.email: text(40) → text(20)"]);
    let another = email(DataType::Json);
    assert_eq!(another, ["type_changed customers.email: text(40) → json"]);
    let spelled = after(|schema| at(schema, "email").declared = Some("VARCHAR(40)".into()));
    assert_eq!(spelled, ["type_respelled customers.email: - → VARCHAR(40)"]);
}

#[test]
fn properties_of_a_column_are_told_apart() {
    let found = after(|schema| {
        let name = at(schema, "name");
        name.nullable = false;
        name.default = Some(Words::kept("'?'"));
        name.collation = Some("NOCASE".into());
        name.comment = Some(Words::Digest("d1".into()));
        at(schema, "id").identity = Some(Identity::ByDefault);
        at(schema, "birth_date").generated =
            Some(Generated { stored: true, expression: Words::Digest("d2".into()) });
    });
    assert_eq!(
        found,
        [
            "identity_changed customers.id: - → identity, by default",
            "nullability_changed customers.name: nullable → not null",
            "default_changed customers.name: - → '?'",
            "collation_changed customers.name: - → NOCASE",
            "comment_changed customers.name: - → (not kept)",
            "generated_changed customers.birth_date: - → stored: (not kept)",
        ]
    );
}

#[test]
fn constraints_that_changed_show_old_and_new() {
    let found = after(|schema| {
        let customers = table(schema, "customers");
        customers.primary_key = Some(key(&["id", "name"]));
        customers.unique.clear();
        customers.checks = vec![Check { name: None, condition: Words::kept("id > 0") }];
        let orders = table(schema, "orders");
        let on_delete = ReferenceAction::SetNull;
        orders.foreign_keys = vec![ForeignKey { on_delete, ..reference() }];
        let index = orders.indexes.first_mut().unwrap();
        index.columns.first_mut().unwrap().descending = false;
        index.predicate = Some(Words::Digest("d".into()));
    });
    assert_eq!(
        found,
        [
            "key_changed customers: primary key (id) → primary key (id, name)",
            "key_changed customers: unique (email) → -",
            "check_changed customers: - → check: id > 0",
            "reference_changed orders: reference (customer_id) to customers (id), on delete cascade \
             → reference (customer_id) to customers (id), on delete set null",
            "index_changed orders: index by_customer (customer_id desc) \
             → index by_customer (customer_id) where (not kept)",
        ]
    );
}

#[test]
fn enums_partitions_and_the_source_itself_are_watched() {
    let found = after(|schema| {
        schema.kind = "postgres".into();
        let labels = vec![Words::kept("happy"), Words::kept("sad")];
        schema.enums = vec![EnumType { name: "mood".into(), labels }];
        table(schema, "orders").partitions = Some(Partitioning {
            strategy: PartitionStrategy::Range,
            columns: vec![Term::Column("id".into())],
            parts: vec![Part { name: "p1".into(), bounds: None }],
        });
    });
    assert_eq!(
        found,
        [
            "source_changed : crm (sqlite) → crm (postgres)",
            "enum_changed : - → enum mood: happy, sad",
            "partition_changed orders: - → by range (id), 1 part",
        ]
    );
}

#[test]
fn a_digest_shows_that_something_changed_and_not_what() {
    let digested = |default: &str| {
        let mut schema = schema();
        at(&mut schema, "name").default = Some(Words::kept(default));
        schema.without_words(&|text| format!("#{}", text.len()))
    };
    let found = compare(&digested("'Anna'"), &digested("'Bertha'"));
    let lines: Vec<_> = found.iter().map(line).collect();
    assert_eq!(lines, ["default_changed customers.name: (not kept) → (not kept)"]);
}

#[test]
fn tables_that_were_all_renamed_at_once_are_still_known() {
    let named = |prefix: &str| {
        let mut schema = SourceSchema::new("crm", "sqlite");
        let columns = |at: usize| (0..4).map(move |c| column(&format!("c{at}_{c}"), text()));
        let tables =
            (0..30).map(|at| TableSchema::new(format!("{prefix}{at}"), columns(at).collect()));
        schema.tables = tables.collect();
        schema
    };
    let found = compare(&named("old_"), &named("new_"));
    assert_eq!(found.len(), 30);
    assert!(found.iter().all(|change| change.kind == ChangeKind::TableRenamed));
}

#[test]
fn a_lone_column_does_not_make_two_tables_one() {
    let lone = |name: &str| {
        let mut schema = SourceSchema::new("crm", "sqlite");
        schema.tables = vec![TableSchema::new(name, vec![column("id", DataType::Int64)])];
        schema
    };
    let kinds: Vec<_> = compare(&lone("a"), &lone("b")).iter().map(|one| one.kind).collect();
    assert_eq!(kinds, [ChangeKind::TableRemoved, ChangeKind::TableAdded]);
}
