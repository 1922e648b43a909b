//! Properties of comparisons, over schemas made at random.

use proptest::{collection::vec, option, prelude::*, sample::Index as Pick, sample::subsequence};
use serde_json::Value;

use super::*;
use crate::schema::{
    Check, ColumnSchema, DataType, ForeignKey, Generated, Identity, Index, IndexColumn, Key, Part,
    PartitionStrategy, Partitioning, ReferenceAction, Term, Words,
};

fn data_type() -> impl Strategy<Value = DataType> {
    prop_oneof![
        Just(DataType::Int32),
        Just(DataType::Int64),
        Just(DataType::Date),
        option::of(1..3u64).prop_map(|length| DataType::Text { length }),
        (8..10u32, 1..3i32).prop_map(|(precision, scale)| DataType::Decimal {
            precision: Some(precision),
            scale: Some(scale)
        }),
    ]
}

fn words() -> impl Strategy<Value = Words> {
    prop_oneof!["[xy]".prop_map(Words::Kept), "[xy]".prop_map(Words::Digest)]
}

fn column(name: String) -> impl Strategy<Value = ColumnSchema> {
    let computed =
        (any::<bool>(), words()).prop_map(|(stored, expression)| Generated { stored, expression });
    let identity = prop_oneof![Just(Identity::Always), Just(Identity::ByDefault)];
    let rest =
        (option::of("[xy]"), option::of(words()), option::of(computed), option::of(identity));
    (data_type(), any::<bool>(), rest, option::of("[xy]"), option::of(words())).prop_map(
        move |(data_type, nullable, rest, collation, comment)| {
            let (declared, default, generated, identity) = rest;
            let name = name.clone();
            ColumnSchema {
                name,
                data_type,
                declared,
                nullable,
                default,
                generated,
                identity,
                collation,
                comment,
            }
        },
    )
}

fn columns() -> impl Strategy<Value = Vec<ColumnSchema>> {
    let names = subsequence(vec!["a", "b", "c", "d", "e", "f"], 2..6).prop_shuffle();
    names.prop_flat_map(|names| {
        names.into_iter().map(|name| column(name.to_owned())).collect::<Vec<_>>()
    })
}

fn key() -> impl Strategy<Value = Key> {
    (option::of("[xy]"), vec("[a-f]", 1..3)).prop_map(|(name, columns)| Key { name, columns })
}

fn reference() -> impl Strategy<Value = ForeignKey> {
    let actions = prop_oneof![Just(ReferenceAction::Cascade), Just(ReferenceAction::SetNull)];
    (key(), "[t-w]", "[a-f]", actions.clone(), actions).prop_map(
        |(Key { name, columns }, table, to, on_update, on_delete)| ForeignKey {
            name,
            columns,
            table,
            to: vec![to],
            on_update,
            on_delete,
        },
    )
}

fn term() -> impl Strategy<Value = Term> {
    prop_oneof!["[a-f]".prop_map(Term::Column), words().prop_map(Term::Expression)]
}

fn index() -> impl Strategy<Value = Index> {
    let column =
        (term(), any::<bool>()).prop_map(|(term, descending)| IndexColumn { term, descending });
    ("[xy]", any::<bool>(), vec(column, 1..3), option::of(words()), option::of("[xy]")).prop_map(
        |(name, unique, columns, predicate, method)| Index {
            name,
            unique,
            columns,
            predicate,
            method,
        },
    )
}

fn partitioning() -> impl Strategy<Value = Partitioning> {
    let strategy = prop_oneof![Just(PartitionStrategy::List), Just(PartitionStrategy::Hash)];
    let part = ("[xyz]", option::of(words())).prop_map(|(name, bounds)| Part { name, bounds });
    (strategy, vec(term(), 1..3), vec(part, 0..3))
        .prop_map(|(strategy, columns, parts)| Partitioning { strategy, columns, parts })
}

fn table(name: String) -> impl Strategy<Value = TableSchema> {
    let check =
        (option::of("[xy]"), words()).prop_map(|(name, condition)| Check { name, condition });
    let keys = (option::of(key()), vec(key(), 0..3), vec(check, 0..3));
    let rest = (
        vec(reference(), 0..3),
        vec(index(), 0..3),
        option::of(words()),
        option::of(partitioning()),
    );
    (columns(), keys, rest).prop_map(move |(columns, keys, rest)| {
        let (primary_key, unique, checks) = keys;
        let (foreign_keys, indexes, comment, partitions) = rest;
        let name = name.clone();
        TableSchema {
            name,
            columns,
            primary_key,
            unique,
            checks,
            foreign_keys,
            indexes,
            comment,
            partitions,
        }
    })
}

fn schema() -> impl Strategy<Value = SourceSchema> {
    let tables = subsequence(vec!["t", "u", "v", "w"], 1..4).prop_flat_map(|names| {
        names.into_iter().map(|name| table(name.to_owned())).collect::<Vec<_>>()
    });
    let enums = (option::of(vec(words(), 1..3))).prop_map(|labels| {
        labels.into_iter().map(|labels| EnumType { name: "mood".into(), labels }).collect()
    });
    (tables, enums).prop_map(|(tables, enums)| {
        let (source, kind) = ("crm".into(), "sqlite".into());
        sane(SourceSchema { source, kind, tables, enums }.canonical())
    })
}

/// Without keys and references that name what is not there: no database lets them be.
fn sane(mut schema: SourceSchema) -> SourceSchema {
    let whole = schema.clone();
    let has = |table: &str, column: &String| {
        whole.table(table).is_some_and(|table| table.column(column).is_some())
    };
    for table in &mut schema.tables {
        let (name, all) = (table.name.clone(), |of: &str, names: &[String]| {
            names.iter().all(|column| has(of, column))
        });
        let term = |term: &Term| matches!(term, Term::Column(column) if !has(&name, column));
        table.primary_key = table.primary_key.take().filter(|key| all(&name, &key.columns));
        table.unique.retain(|key| all(&name, &key.columns));
        table.foreign_keys.retain(|key| all(&name, &key.columns) && all(&key.table, &key.to));
        table.indexes.retain(|index| !index.columns.iter().any(|column| term(&column.term)));
        table.partitions = table.partitions.take().filter(|by| !by.columns.iter().any(term));
    }
    schema
}

/// Every scalar and list element of a document, as JSON pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                places(value, &format!("{at}/{name}"), found);
            }
        }
        Value::Array(elements) => {
            for (index, value) in elements.iter().enumerate() {
                found.push(format!("{at}/{index}"));
                places(value, &format!("{at}/{index}"), found);
            }
        }
        _ => found.push(at.to_owned()),
    }
}

/// Changes one place: another text, number or truth; an element less.
fn spoil(document: &mut Value, place: &str) {
    match document.pointer_mut(place) {
        Some(Value::String(text)) => text.push('q'),
        Some(Value::Bool(truth)) => *truth = !*truth,
        Some(Value::Number(number)) => {
            let next = number.as_u64().unwrap() + 1;
            document.pointer_mut(place).map(|value| *value = next.into()).unwrap();
        }
        _ => {
            let (list, index) = place.rsplit_once('/').unwrap();
            let list = document.pointer_mut(list).and_then(Value::as_array_mut).unwrap();
            list.remove(index.parse().unwrap());
        }
    }
}

fn mirrored(kind: ChangeKind) -> ChangeKind {
    use ChangeKind as K;
    match kind {
        K::TableAdded => K::TableRemoved,
        K::TableRemoved => K::TableAdded,
        K::ColumnAdded => K::ColumnRemoved,
        K::ColumnRemoved => K::ColumnAdded,
        K::TypeWidened => K::TypeNarrowed,
        K::TypeNarrowed => K::TypeWidened,
        kind => kind,
    }
}

/// Renames a column and whatever speaks of it.
fn rename_column(schema: &mut SourceSchema, table: usize, column: usize) {
    let tables = &mut schema.tables;
    let of = tables.get_mut(table).unwrap();
    let old = std::mem::replace(&mut of.columns.get_mut(column).unwrap().name, "renamed".into());
    let follow = |name: &mut String| {
        if *name == old {
            "renamed".clone_into(name);
        }
    };
    let follow_term = |term: &mut Term| {
        if let Term::Column(name) = term {
            follow(name);
        }
    };
    let keys = of.primary_key.iter_mut().chain(&mut of.unique);
    keys.flat_map(|key| &mut key.columns).for_each(follow);
    of.foreign_keys.iter_mut().flat_map(|key| &mut key.columns).for_each(follow);
    of.indexes
        .iter_mut()
        .flat_map(|index| &mut index.columns)
        .for_each(|column| follow_term(&mut column.term));
    of.partitions.iter_mut().flat_map(|by| &mut by.columns).for_each(follow_term);
    let name = of.name.clone();
    let keys = tables.iter_mut().flat_map(|table| &mut table.foreign_keys);
    keys.filter(|key| key.table == name).flat_map(|key| &mut key.to).for_each(follow);
}

fn rename_table(schema: &mut SourceSchema, table: usize) {
    let tables = &mut schema.tables;
    let old = std::mem::replace(&mut tables.get_mut(table).unwrap().name, "renamed".into());
    let keys = tables.iter_mut().flat_map(|table| &mut table.foreign_keys);
    keys.filter(|key| key.table == old).for_each(|key| key.table = "renamed".into());
}

/// Makes one edit and gives the kind it must be reported as.
fn edit(schema: &mut SourceSchema, which: usize, table: Pick, column: Pick) -> ChangeKind {
    let at = table.index(schema.tables.len());
    let of = schema.tables.get_mut(at).unwrap();
    let column_at = column.index(of.columns.len());
    let one = of.columns.get_mut(column_at).unwrap();
    match which {
        0 => rename_table(schema, at),
        1 => drop(schema.tables.remove(at)),
        2 => schema.tables.push(TableSchema::new("added", Vec::new())),
        3 => rename_column(schema, at, column_at),
        4 => drop(of.columns.remove(column_at)),
        5 => of.columns.insert(column_at, ColumnSchema::new("added", DataType::Uuid)),
        6 => of.columns.rotate_left(1),
        7 => one.data_type = DataType::Json,
        8 => one.declared = Some("respelled".into()),
        9 => one.nullable = !one.nullable,
        10 => one.default = Some(Words::kept("edited")),
        11 => one.collation = Some("edited".into()),
        12 => of.comment = Some(Words::kept("edited")),
        13 => of.primary_key = Some(Key { name: None, columns: vec!["edited".into()] }),
        14 => of.unique.push(Key { name: None, columns: vec!["edited".into()] }),
        _ => of.checks.push(Check { name: None, condition: Words::kept("edited") }),
    }
    use ChangeKind as K;
    let kinds = [
        K::TableRenamed,
        K::TableRemoved,
        K::TableAdded,
        K::ColumnRenamed,
        K::ColumnRemoved,
        K::ColumnAdded,
        K::ColumnMoved,
        K::TypeChanged,
        K::TypeRespelled,
        K::NullabilityChanged,
        K::DefaultChanged,
        K::CollationChanged,
        K::CommentChanged,
        K::KeyChanged,
        K::KeyChanged,
        K::CheckChanged,
    ];
    *kinds.get(which).unwrap()
}

fn kinds(before: &SourceSchema, after: &SourceSchema) -> Vec<ChangeKind> {
    compare(before, after).into_iter().map(|change| change.kind).collect()
}

proptest! {
    #[test]
    fn a_schema_does_not_differ_from_itself(schema in schema()) {
        prop_assert_eq!(compare(&schema, &schema), []);
    }

    #[test]
    fn one_edit_is_one_change(
        before in schema(), which in 0..16usize, table: Pick, column: Pick
    ) {
        let mut after = before.clone();
        let kind = edit(&mut after, which, table, column);
        prop_assert_eq!(kinds(&before, &after), [kind]);
    }

    #[test]
    fn the_reverse_comparison_mirrors_the_kinds(one in schema(), other in schema()) {
        let mut forth = kinds(&one, &other);
        let mut back: Vec<_> = kinds(&other, &one).into_iter().map(mirrored).collect();
        forth.sort();
        back.sort();
        prop_assert_eq!(forth, back);
    }

    #[test]
    fn schemas_that_differ_have_changes(one in schema(), other in schema()) {
        prop_assert_eq!(one == other, compare(&one, &other).is_empty());
    }

    #[test]
    fn no_difference_is_silent(schema in schema(), pick: Pick) {
        let mut document = serde_json::to_value(&schema).unwrap();
        let mut found = Vec::new();
        places(&document, "", &mut found);
        spoil(&mut document, &found[pick.index(found.len())]);
        let Ok(other) = serde_json::from_value::<SourceSchema>(document) else { return Ok(()) };
        let other = other.canonical();
        prop_assert_eq!(schema == other, compare(&schema, &other).is_empty());
        prop_assert_eq!(schema == other, compare(&other, &schema).is_empty());
    }
}
