//! E04xx: columns that no rule covers, and rules and masks that cannot hold.
//!
//! ```text
//!  column ──E0401…E0403──▶ covered by ──▶ rule ──E0404…E0407──▶ mask ──E0410…E0419──▶ bound
//!         ──E0420…E0423──▶ what flows into it
//! ```

use super::Code;
use crate::exit::Exit;

/// Every code of this range, in ascending order.
pub const ALL: &[&Code] = &[
    &COLUMN_UNCOVERED,
    &KEEP_EXPIRED,
    &NOTHING_LEFT,
    &RULE_WITHOUT_MATCH,
    &RULE_WITHOUT_ACTION,
    &RULE_WITH_TWO_ACTIONS,
    &RULES_AMBIGUOUS,
    &MASK_UNKNOWN,
    &MASK_PARAMETER,
    &MASK_PARAMETER_VALUE,
    &MASK_TYPE,
    &MASK_LOSSY_KEY,
    &MASK_LOOKUP,
    &MASK_LOCALE,
    &MASK_COLUMN,
    &LOOKUP_INVALID,
    &MASK_PARAMETER_MISSING,
    &CLASSES_DIFFER,
    &SHOWS_MORE,
    &INDIRECT,
    &MIN_GROUP,
    &COMPUTED_SENSITIVE,
];

/// A column is neither masked nor kept.
pub static COLUMN_UNCOVERED: Code = Code {
    id: "E0401",
    title: "A column is neither masked nor kept",
    exit: Exit::DoesNotCompile,
    what: "An export has columns that no masking rule and no `keep` covers. The message lists all \
          of them, with the rule that would fit each.",
    why: "Nothing leaves by default. A column that somebody adds to a table must be judged by a \
          person before it is published.",
    example: r#"sources:
  - name: crm
    connection: crm
    tables: [{name: customers, columns: [{name: notes, type: string}]}]
exports:
  - {name: customers, from: "source('crm', 'customers')"}     # no rule is for notes"#,
    fix: "Give the column a class that a rule covers, write a rule for it, keep it with an owner \
          and a reason, or leave it out with the export's `columns:`. `masking: {unclassified: \
          drop}` leaves out every such column.",
};

/// An approval has expired.
pub static KEEP_EXPIRED: Code = Code {
    id: "E0402",
    title: "An approval has expired",
    exit: Exit::DoesNotCompile,
    what: "The day in `until:` of a rule's `keep`, of a column's `declassify` or of a model's `min_group` \
          is over.",
    why: "Whoever allowed the exception allowed it up to that day. After it the column is treated \
          as if nothing had been said.",
    example: r#"- name: keep_vat
  match: {column: crm.companies.vat_id}
  keep: {owner: "@dpo", reason: "public register", until: 2020-06-30}"#,
    fix: "Ask the owner to judge the exception again and set a new day, or mask the column.",
};

/// An export has no columns left.
pub static NOTHING_LEFT: Code = Code {
    id: "E0403",
    title: "An export has no columns left",
    exit: Exit::DoesNotCompile,
    what: "`unclassified: drop` leaves out every column of the export.",
    why: "An export without columns is never what was meant; probably the classes are missing.",
    example: r#"masking: {unclassified: drop}
exports:
  - {name: customers, from: "source('crm', 'customers')"}     # no column has a class or rule"#,
    fix: "Give the columns classes that rules cover, or remove the export.",
};

/// A rule matches nothing in particular.
pub static RULE_WITHOUT_MATCH: Code = Code {
    id: "E0404",
    title: "A rule matches nothing in particular",
    exit: Exit::DoesNotCompile,
    what: "A rule's `match` has none of `class`, `column` and `type`.",
    why: "A rule for everything would quietly cover columns that somebody adds later.",
    example: "- {name: all, match: {}, mask: redact}",
    fix: "Give `match` at least one of `class`, `column` and `type`.",
};

/// A rule does nothing.
pub static RULE_WITHOUT_ACTION: Code = Code {
    id: "E0405",
    title: "A rule does nothing",
    exit: Exit::DoesNotCompile,
    what: "A rule has neither `mask` nor `keep`.",
    why: "The rule would win over others and then leave the column as it is.",
    example: "- {name: emails, match: {class: pii.email}}",
    fix: "Add `mask: <function>`, or `keep: {owner: …, reason: …}`.",
};

/// A rule both masks and keeps.
pub static RULE_WITH_TWO_ACTIONS: Code = Code {
    id: "E0406",
    title: "A rule both masks and keeps",
    exit: Exit::DoesNotCompile,
    what: "A rule has `mask` and `keep`.",
    why: "One of the two would have to be ignored.",
    example: r#"- {name: emails, match: {class: pii.email}, mask: email, keep: {owner: "@dpo", reason: test}}"#,
    fix: "Remove one of the two.",
};

/// Two rules contradict each other.
pub static RULES_AMBIGUOUS: Code = Code {
    id: "E0407",
    title: "Two rules contradict each other",
    exit: Exit::DoesNotCompile,
    what: "Two rules of equal rank are for the same column and treat it differently.",
    why: "Which of them holds would depend on the order of files.",
    example: "\
- {name: emails, match: {class: pii.email}, mask: email}
- {name: mails,  match: {class: pii.email}, mask: redact}",
    fix: "Make one of them more specific: an exact column beats a pattern, and a pattern beats a \
          class. Or remove one. `engine explain EXPORT` prints which rule wins for each column.",
};

/// Unknown masking function.
pub static MASK_UNKNOWN: Code = Code {
    id: "E0410",
    title: "Unknown masking function",
    exit: Exit::DoesNotCompile,
    what: "A rule names a masking function that the catalogue does not have.",
    why: "There is no function that could stand in its place: each has its own privacy properties.",
    example: "- {name: emails, match: {class: pii.email}, mask: e_mail}",
    fix: "Use one of the listed functions.",
};

/// Unknown parameter of a masking function.
pub static MASK_PARAMETER: Code = Code {
    id: "E0411",
    title: "Unknown parameter of a masking function",
    exit: Exit::DoesNotCompile,
    what: "`params:` has a key that the function does not have.",
    why: "A misspelt parameter that is ignored leaves its default in force, which may reveal more \
          than was meant.",
    example: "- {name: emails, match: {class: pii.email}, mask: email, params: {keep_domian: false}}",
    fix: "Use one of the listed parameters.",
};

/// A parameter has an impossible value.
pub static MASK_PARAMETER_VALUE: Code = Code {
    id: "E0412",
    title: "A parameter has an impossible value",
    exit: Exit::DoesNotCompile,
    what: "A parameter of a masking function has the wrong type, is outside its limits, or \
          contradicts another parameter.",
    why: "The nearest possible value might protect less than was meant.",
    example: "- {name: births, match: {class: quasi.birth_date}, mask: date_shift, params: {days: 0, per: customer_id}}",
    fix: "Give a value as the message describes it.",
};

/// A mask does not fit the column's type.
pub static MASK_TYPE: Code = Code {
    id: "E0413",
    title: "A mask does not fit the column's type",
    exit: Exit::DoesNotCompile,
    what: "The masking function does not take columns of this type. The message lists the functions \
          that do.",
    why: "Converting the column first would change the type that recipients see.",
    example: "- {name: births, match: {class: quasi.birth_date}, mask: email}     # the column is a date",
    fix: "Use one of the listed functions, or write a rule of its own for columns of this type.",
};

/// A lossy mask on a key.
pub static MASK_LOSSY_KEY: Code = Code {
    id: "E0414",
    title: "A lossy mask on a key",
    exit: Exit::DoesNotCompile,
    what: "The masking function can map different values to the same value, and the column is a key \
          or is tested to be unique.",
    why: "Rows that were different would become one, and references to them would point to the \
          wrong row.",
    example: "\
tables:
  - {name: customers, key: [name], columns: [{name: name, type: string, class: pii.name}]}
masking:
  rules: [{name: names, match: {class: pii.name}, mask: first_name}]",
    fix: "Use a function that keeps different values different, such as `token`, or remove the key \
          or `unique` test if it is not one.",
};

/// Unknown lookup.
pub static MASK_LOOKUP: Code = Code {
    id: "E0415",
    title: "Unknown lookup",
    exit: Exit::DoesNotCompile,
    what: "A rule takes its replacement values from a lookup, and there is no file of that name \
          under `lookups/`.",
    why: "The function has no values to choose from.",
    example: "- {name: cities, match: {class: pii.city}, mask: city, params: {lookup: citys}}",
    fix: "Use one of the listed lookups, or add the file `lookups/<name>.csv`.",
};

/// Unknown locale.
pub static MASK_LOCALE: Code = Code {
    id: "E0416",
    title: "Unknown locale",
    exit: Exit::DoesNotCompile,
    what: "A masking function has no dictionary for the locale.",
    why: "Names of another language would give away that they are replacements, and may not fit \
          what reads them.",
    example: "- {name: names, match: {class: pii.name}, mask: first_name, params: {locale: xx}}",
    fix: "Use one of the listed locales, or a lookup with your own values.",
};

/// A mask needs another column.
pub static MASK_COLUMN: Code = Code {
    id: "E0417",
    title: "A mask needs another column",
    exit: Exit::DoesNotCompile,
    what: "A parameter names another column of the row, and the table has no such column or the \
          column's type cannot be used.",
    why: "The function takes part of its result from that column: a date is shifted per customer, \
          for example.",
    example: "- {name: births, match: {class: quasi.birth_date}, mask: date_shift, params: {days: 30, per: cust_id}}",
    fix: "Name a column that every table the rule matches has, or write one rule for each table.",
};

/// A lookup file cannot be used.
pub static LOOKUP_INVALID: Code = Code {
    id: "E0418",
    title: "A lookup file cannot be used",
    exit: Exit::DoesNotCompile,
    what: "A file under `lookups/` has no entry, is too large, or is not UTF-8 text.",
    why: "A mask that has nothing to choose from is not the mask that was asked for.",
    example: "printf '' > lookups/cities.csv && engine plan",
    fix: "Write one entry on each line, as UTF-8.",
};

/// A masking function lacks a parameter.
pub static MASK_PARAMETER_MISSING: Code = Code {
    id: "E0419",
    title: "A masking function lacks a parameter",
    exit: Exit::DoesNotCompile,
    what: "A parameter that has no default is not given.",
    why: "There is no value that would be right for everybody.",
    example: "- {name: births, match: {class: quasi.birth_date}, mask: date_shift, params: {per: customer_id}}",
    fix: "Add the parameter that the message names under `params:`.",
};

/// A column carries several classes whose rules differ.
pub static CLASSES_DIFFER: Code = Code {
    id: "E0420",
    title: "A column carries several classes whose rules differ",
    exit: Exit::DoesNotCompile,
    what: "A model's column is made from columns of several classes, and the rules for these classes do \
          different things.",
    why: "Whichever rule was taken, another class would be treated as its rule does not say.",
    example: r#"-- models/people.sql: first_name and last_name have a rule each
SELECT first_name || ' ' || last_name AS name FROM {{ source('crm', 'customers') }}"#,
    fix: "Give the column a class of its own in the model's YAML, and a rule for that class.",
};

/// A column shows more than the rule for it was made for.
pub static SHOWS_MORE: Code = Code {
    id: "E0421",
    title: "A column shows more than the rule for it was made for",
    exit: Exit::DoesNotCompile,
    what: "A `keep`, or a mask that leaves part of the value, holds for a model's column by its class, \
          type or a pattern of its name. Values of another class or column flow into it, which are to be \
          masked otherwise.",
    why: "A class that is declared on a model's column says what the column is meant to be. It takes \
          nothing off what it is made from.",
    example: r#"-- models/profile.sql; the class `public` is kept
SELECT email AS country FROM {{ source('crm', 'customers') }}
# models/profile.yml
models: [{name: profile, columns: [{name: country, class: public}]}]"#,
    fix: "Mask the column. Or let somebody answer for it: write a `keep` for exactly this column, or \
          `declassify: {owner: …, reason: …}` on the column of the model.",
};

/// Rows depend on a class that denies it.
pub static INDIRECT: Code = Code {
    id: "E0422",
    title: "Which rows there are depends on a class that must not decide about it",
    exit: Exit::DoesNotCompile,
    what: "A sensitive column decides which rows an export has, as a condition, a join, group or sort \
          key, and its class says `indirect: deny`.",
    why: "Whoever knows the condition learns from a row's presence what the column held, though the \
          column itself is not published.",
    example: r#"classes: {health: {sensitive: true, indirect: deny}}
exports:
  - {name: patients, from: "source('clinic', 'patients')", where: "diagnosis = 'F32'"}"#,
    fix: "Take the column out of the condition or key, declassify the model's column it goes through, or \
          set `indirect: warn` for the class.",
};

/// A least size of groups where there are none.
pub static MIN_GROUP: Code = Code {
    id: "E0423",
    title: "A least size is asked of groups that are not there",
    exit: Exit::DoesNotCompile,
    what: "A model has `min_group`, and its SQL is not one SELECT that groups or aggregates.",
    why: "The engine adds the condition to the outermost SELECT. What does not group has nothing to add \
          it to, and its columns would be called safe without being so.",
    example: r#"-- models/spending.sql, with min_group: {size: 10, …} in its YAML
SELECT country, total FROM {{ source('shop', 'invoices') }}"#,
    fix: "Group in the outermost SELECT; what else the model does can be a model that it reads.",
};

/// A column is computed from a sensitive one.
pub static COMPUTED_SENSITIVE: Code = Code {
    id: "E0424",
    title: "A column is computed from a sensitive one",
    exit: Exit::DoesNotCompile,
    what: "The expression of a rule with `mask: sql` reads a sensitive column, or one without a class, as it \
           is. What it makes of the values would be published, and nobody answers for that.",
    why: "An expression is no mask: `lower(email)` is still the address. The engine does not guess what an \
          expression leaves of a value.",
    example: r#"- name: birth_year
  match: {column: crm.customers.birth_date}
  mask: sql
  params: {expression: "extract(year FROM birth_date)"}"#,
    fix: "Read the column as it is published, with `masked.birth_date`; or have somebody answer for what is \
          shown: `declassify: {owner: \"@dpo\", reason: …}` beside `expression`.",
};
