//! E02xx: names that are used twice, that nothing declares, or that depend on themselves.
//!
//! ```text
//!  E0201        one name, two things
//!  E0202…E0212  a name, nothing of that kind       one code for each kind of thing
//!  E0213        several targets, none chosen
//!  E0220…E0223  variables, models, selectors
//! ```

use super::Code;
use crate::exit::Exit;

/// Every code of this range, in ascending order.
pub const ALL: &[&Code] = &[
    &DUPLICATE_NAME,
    &UNKNOWN_TARGET,
    &UNKNOWN_CONNECTION,
    &UNKNOWN_SOURCE,
    &UNKNOWN_TABLE,
    &UNKNOWN_COLUMN,
    &UNKNOWN_CLASS,
    &UNKNOWN_MODEL,
    &UNKNOWN_EXPORT,
    &UNKNOWN_TYPE,
    &NO_TARGET,
    &UNDEFINED_VARIABLE,
    &CYCLE,
    &MODEL_WITHOUT_SQL,
    &SELECTOR_SYNTAX,
];

/// A name is used twice.
pub static DUPLICATE_NAME: Code = Code {
    id: "E0201",
    title: "A name is used twice",
    exit: Exit::DoesNotCompile,
    what: "Two things of one kind have the same name. Both places are shown.",
    why: "A reference to that name could mean either of them. For rules and classes that decides \
          what is masked.",
    example: r#"exports:
  - {name: customers, from: "source('crm', 'customers')"}
  - {name: customers, from: "source('shop', 'customers')"}"#,
    fix: "Rename one of the two.",
};

/// Unknown target.
pub static UNKNOWN_TARGET: Code = Code {
    id: "E0202",
    title: "Unknown target",
    exit: Exit::DoesNotCompile,
    what: "The target asked for with `--target`, `default:` or `profile:` is not in `profiles.yml`.",
    why: "The target decides where data goes and under which keys. Another target is never used in \
          its place.",
    example: "engine plan --target prodution",
    fix: "Use one of the listed targets, or declare the target under `targets:` in `profiles.yml`.",
};

/// Unknown connection.
pub static UNKNOWN_CONNECTION: Code = Code {
    id: "E0203",
    title: "Unknown connection",
    exit: Exit::DoesNotCompile,
    what: "A source or load names a connection that the target does not have.",
    why: "Without the connection there is nothing to read from or load into.",
    example: "\
sources:
  - name: crm
    connection: crm_prd     # profiles.yml declares crm_prod",
    fix: "Use one of the listed connections, or declare it under `connections:` of the target in \
          `profiles.yml`. Every target needs the connection.",
};

/// Unknown source.
pub static UNKNOWN_SOURCE: Code = Code {
    id: "E0204",
    title: "Unknown source",
    exit: Exit::DoesNotCompile,
    what: "`source('…', '…')` names a source that no file under `sources/` declares.",
    why: "Only declared sources have classes, and columns without classes cannot be judged.",
    example: r#"exports:
  - {name: customers, from: "source('cmr', 'customers')"}"#,
    fix: "Use one of the listed sources, or declare it under `sources:`.",
};

/// Unknown table.
pub static UNKNOWN_TABLE: Code = Code {
    id: "E0205",
    title: "Unknown table",
    exit: Exit::DoesNotCompile,
    what: "The source is declared, and it has no table of this name.",
    why: "Only declared tables have classes, and columns without classes cannot be judged.",
    example: r#"exports:
  - {name: customers, from: "source('crm', 'costumers')"}"#,
    fix: "Use one of the listed tables, or declare the table under `tables:` of the source.",
};

/// Unknown column.
pub static UNKNOWN_COLUMN: Code = Code {
    id: "E0206",
    title: "Unknown column",
    exit: Exit::DoesNotCompile,
    what: "A key, reference, list of columns, partition or test names a column that its table or \
          model does not have.",
    why: "A policy for a column that does not exist protects nothing, and often means that the \
          real column is not covered.",
    example: "\
tables:
  - name: customers
    key: [custmer_id]
    columns: [{name: customer_id, type: int64}]",
    fix: "Use one of the listed columns, or declare the column.",
};

/// Unknown class.
pub static UNKNOWN_CLASS: Code = Code {
    id: "E0207",
    title: "Unknown class",
    exit: Exit::DoesNotCompile,
    what: "A column or rule names a class that is not declared, and neither is a class above it.",
    why: "A column whose class nobody declared would be covered by no rule for its class.",
    example: "\
columns:
  - {name: email, type: string, class: pi.email}     # declared is pii",
    fix: "Use one of the listed classes, or declare the class, or one above it, under `classes:`.",
};

/// Unknown model.
pub static UNKNOWN_MODEL: Code = Code {
    id: "E0209",
    title: "Unknown model",
    exit: Exit::DoesNotCompile,
    what: "`ref('…')` names a model, and there is no file `models/<name>.sql`.",
    why: "The SQL cannot be planned without the model it reads.",
    example: r#"exports:
  - {name: customers, from: "ref('customer_profle')"}"#,
    fix: "Use one of the listed models, or add the file `models/<name>.sql`.",
};

/// Unknown export.
pub static UNKNOWN_EXPORT: Code = Code {
    id: "E0210",
    title: "Unknown export",
    exit: Exit::DoesNotCompile,
    what: "An export is named that no file under `exports/` declares.",
    why: "There is nothing to show, verify or load under that name.",
    example: "engine show costumers",
    fix: "Use one of the listed exports, or declare it under `exports:`.",
};

/// Unknown column type.
pub static UNKNOWN_TYPE: Code = Code {
    id: "E0212",
    title: "Unknown column type",
    exit: Exit::DoesNotCompile,
    what: "A column is declared with a type that the configuration language does not have.",
    why: "Types of databases differ in size and meaning, so the engine has a list of its own and \
          takes no other names.",
    example: "\
columns:
  - {name: email, type: varchar(80)}     # string",
    fix: "Use one of the listed types, such as `string`, `int64`, `decimal(10,2)`, `date` or \
          `timestamp`.",
};

/// No target is chosen.
pub static NO_TARGET: Code = Code {
    id: "E0213",
    title: "No target is chosen",
    exit: Exit::DoesNotCompile,
    what: "`profiles.yml` declares several targets, and neither `--target` nor a default says which \
          one is meant.",
    why: "The target decides where data goes and under which keys. The first one in the file is no \
          better than any other.",
    example: r#"targets:
  dev:  {store: "file://target/store"}
  prod: {store: "file:///srv/store"}"#,
    fix: "Choose one with `--target`, or write `default: dev` at the top of `profiles.yml`.",
};

/// Undefined variable.
pub static UNDEFINED_VARIABLE: Code = Code {
    id: "E0220",
    title: "Undefined variable",
    exit: Exit::DoesNotCompile,
    what: "A template uses a variable that has no value and no default.",
    why: "Other template engines put an empty text in its place. An empty text in a filter selects \
          other rows than its author meant.",
    example: "SELECT * FROM {{ source('crm', 'customers') }} WHERE country = '{{ var('contry') }}'",
    fix: "Define the variable under `vars:` in `engine.yml` or in the target, give it with `--vars \
          name=value`, or write a default: `var('country', 'PT')`.",
};

/// Models depend on each other in a circle.
pub static CYCLE: Code = Code {
    id: "E0221",
    title: "Models depend on each other in a circle",
    exit: Exit::DoesNotCompile,
    what: "Following `ref` from a model leads back to that model. The message prints the way.",
    why: "No model of the circle can be computed before the others.",
    example: "\
-- models/a.sql
SELECT * FROM {{ ref('b') }}
-- models/b.sql
SELECT * FROM {{ ref('a') }}",
    fix: "Take one `ref` out of the circle, often by moving the part that both need into a third \
          model.",
};

/// A described model has no SQL.
pub static MODEL_WITHOUT_SQL: Code = Code {
    id: "E0222",
    title: "A described model has no SQL",
    exit: Exit::DoesNotCompile,
    what: "A `models:` entry describes a model, and there is no file `models/<name>.sql`.",
    why: "The classes and tests written there would hold for nothing, which often means that the \
          file was renamed.",
    example: "\
models:
  - name: customer_profle     # the file is models/customer_profile.sql
    columns: [{name: email, class: pii.email}]",
    fix: "Rename the entry or the file so that they agree, or remove the entry.",
};

/// A selector cannot be read.
pub static SELECTOR_SYNTAX: Code = Code {
    id: "E0223",
    title: "A selector cannot be read",
    exit: Exit::Usage,
    what: "The text given to `--select` is no selector.",
    why: "A selector that is misread could run other exports than were asked for.",
    example: "engine run --select 'colour:red'",
    fix: "Use a name, a pattern with `*`, `tag:`, `source:` or `class:`, with `+` before it or \
          after it for what it depends on and what depends on it.",
};
