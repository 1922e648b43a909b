//! E03xx: templates that cannot be rendered and SQL that cannot be planned.
//!
//! ```text
//!  models/*.sql ──E0301, E0302──▶ SQL ──E0310──▶ statement ──E0312──▶ query ──E0311──▶ plan ──E0314──▶ columns
//!  exports: where: ─────────────▶ expression ──E0313──▶ filter
//! ```

use super::Code;
use crate::exit::Exit;

/// Every code of this range, in ascending order.
pub const ALL: &[&Code] = &[
    &JINJA_SYNTAX,
    &JINJA_RUNTIME,
    &SQL_SYNTAX,
    &SQL_PLAN,
    &SQL_NOT_A_QUERY,
    &FILTER_INVALID,
    &MODEL_COLUMN,
];

/// Not valid Jinja.
pub static JINJA_SYNTAX: Code = Code {
    id: "E0301",
    title: "Not valid Jinja",
    exit: Exit::DoesNotCompile,
    what: "A template in a YAML value or SQL file cannot be parsed.",
    why: "Without its template the value has no meaning. The text as it stands is never used.",
    example: "SELECT * FROM {{ source('crm', 'customers') }",
    fix: "Close what is open at the place shown: `{{ … }}`, `{% … %}`, quotes and brackets.",
};

/// A Jinja expression fails.
pub static JINJA_RUNTIME: Code = Code {
    id: "E0302",
    title: "A Jinja expression fails",
    exit: Exit::DoesNotCompile,
    what: "A template was parsed, and evaluating it fails: an unknown function or filter, an \
          operation on values that do not fit, or too much work.",
    why: "Half a rendered text could be valid SQL with another meaning.",
    example: "SELECT * FROM {{ sauce('crm', 'customers') }}",
    fix: "Use the functions there are: `source`, `ref`, `var`, `target`, and in `profiles.yml` \
          also `env_var`.",
};

/// Not valid SQL.
pub static SQL_SYNTAX: Code = Code {
    id: "E0310",
    title: "Not valid SQL",
    exit: Exit::DoesNotCompile,
    what: "A model's SQL cannot be parsed. The place is shown in the file as it was written, before \
          templates were rendered.",
    why: "A query that is guessed from broken text could give other rows and columns.",
    example: "SELECT customer_id, email FORM {{ source('crm', 'customers') }}",
    fix: "Mend the SQL at the place shown. `target/compiled/` holds the SQL after rendering.",
};

/// SQL that cannot be planned.
pub static SQL_PLAN: Code = Code {
    id: "E0311",
    title: "SQL that cannot be planned",
    exit: Exit::DoesNotCompile,
    what: "The SQL was parsed, and it names a table, column or function that does not exist, reads a \
          table without `source(…)`, or uses values whose types do not fit.",
    why: "Every column of the output must be traced to columns of the sources. That needs a plan \
          in which every name is known.",
    example: "SELECT customer_id, lower(mail) AS email FROM {{ source('crm', 'customers') }}     -- the column is email",
    fix: "Use columns that the tables have, spelt as the source spells them: capital letters count. \
          Read tables with `source(…)` and models with `ref(…)` only.",
};

/// A model is not one query.
pub static SQL_NOT_A_QUERY: Code = Code {
    id: "E0312",
    title: "A model is not one query",
    exit: Exit::DoesNotCompile,
    what: "A model's file holds something other than exactly one query: nothing, several \
          statements, or a statement that changes something.",
    why: "A model describes rows. It must not be able to write, copy or change settings, because \
          that would go past the masks.",
    example: "COPY (SELECT * FROM {{ source('crm', 'customers') }}) TO 'customers.csv'",
    fix: "Write one `SELECT` or `WITH … SELECT`. What is written where belongs into `exports/`.",
};

/// A condition is not valid.
pub static FILTER_INVALID: Code = Code {
    id: "E0313",
    title: "A condition is not valid",
    exit: Exit::DoesNotCompile,
    what: "The text of `where:` is no SQL expression over the columns of the export's source, that of a \
          test's `expression` none over the columns it publishes, or it is not true or false.",
    why: "A filter that is ignored publishes rows that were meant to stay, and a test that is ignored \
          holds nothing back.",
    example: r#"exports:
  - name: customers
    from: source('crm', 'customers')
    where: "contry <> 'TEST'"     # the column is country"#,
    fix: "Write an SQL expression that is true or false for each row, over columns of the table or \
          model, spelt as the source spells them.",
};

/// A described column is not in the model.
pub static MODEL_COLUMN: Code = Code {
    id: "E0314",
    title: "A described column is not in the model",
    exit: Exit::DoesNotCompile,
    what: "The YAML of a model describes a column that the model's SQL does not give.",
    why: "The class written there would cover nothing, and the column it was meant for is probably \
          not covered.",
    example: "\
models:
  - name: customer_profile
    columns: [{name: e_mail, class: pii.email}]     # the SQL gives email",
    fix: "Rename the column in the YAML or in the SQL so that they agree. The message lists the \
          columns that the SQL gives.",
};
