//! E01xx: configuration files that cannot be read, parsed, or understood.
//!
//! ```text
//!  bytes ──E0101…E0105──▶ text ──E0110…E0113──▶ YAML ──E0120…E0125──▶ sections
//!                                                 └──E0130…E0133──▶ secrets
//! ```

use super::Code;
use crate::exit::Exit;

/// Every code of this range, in ascending order.
pub const ALL: &[&Code] = &[
    &NOT_A_PROJECT,
    &UNREADABLE_FILE,
    &FILE_TOO_LARGE,
    &NOT_UTF8,
    &TOO_MANY_FILES,
    &YAML_SYNTAX,
    &YAML_TOO_DEEP,
    &YAML_TOO_LARGE,
    &YAML_ALIASES,
    &DUPLICATE_KEY,
    &UNKNOWN_KEY,
    &MISSING_KEY,
    &WRONG_TYPE,
    &INVALID_VALUE,
    &SECRET_OUTSIDE_PROFILES,
    &LITERAL_SECRET,
    &UNKNOWN_ENVIRONMENT_VARIABLE,
    &ENVIRONMENT_FILE,
];

/// Not a project.
pub static NOT_A_PROJECT: Code = Code {
    id: "E0101",
    title: "Not a project",
    exit: Exit::DoesNotCompile,
    what: "The folder has no `engine.yml`, or it is not a folder that can be read.",
    why: "A project is a folder with an `engine.yml`. Searching the folders above could pick up \
          another team's policy, so the engine looks in one place only.",
    example: "engine plan --project-dir /tmp",
    fix: "Give the project's folder with `--project-dir`, or run `engine init` to make a new \
          project.",
};

/// A project file cannot be read.
pub static UNREADABLE_FILE: Code = Code {
    id: "E0102",
    title: "A project file cannot be read",
    exit: Exit::DoesNotCompile,
    what: "A file or folder of the project exists and the operating system refuses to read it.",
    why: "A file that is skipped could hold the rule that masks a column. The engine goes on only \
          when it has seen all of the project.",
    example: "chmod 000 policies/masking.yml && engine plan",
    fix: "Give the user who runs the engine the right to read the file, or move the file out of \
          the project's folders.",
};

/// A project file is too large.
pub static FILE_TOO_LARGE: Code = Code {
    id: "E0103",
    title: "A project file is too large",
    exit: Exit::DoesNotCompile,
    what: "A configuration or SQL file is larger than the bound that the message names.",
    why: "Configuration is text that people write and review. A bound keeps a file put there by \
          mistake, or by somebody hostile, from using up the machine.",
    example: "cp customers.csv sources/customers.yml && engine plan",
    fix: "Split the file, or move data files to a folder that is no configuration, such as \
          `data/`.",
};

/// A project file is not UTF-8.
pub static NOT_UTF8: Code = Code {
    id: "E0104",
    title: "A project file is not UTF-8",
    exit: Exit::DoesNotCompile,
    what: "A configuration or SQL file holds bytes that are no UTF-8 text.",
    why: "Guessing an encoding changes names silently: a rule for a column that was misread would \
          cover nothing.",
    example: r"printf 'name: caf\351\n' > sources/cafe.yml && engine plan",
    fix: "Save the file as UTF-8. Data files may have other encodings: see `encoding` of the csv \
          connector.",
};

/// A project has too many files.
pub static TOO_MANY_FILES: Code = Code {
    id: "E0105",
    title: "A project has too many files",
    exit: Exit::DoesNotCompile,
    what: "The project's folders hold more files than the bound that the message names.",
    why: "The bound keeps a wrong `--project-dir`, such as a home folder with a `models` folder in \
          it, from being read whole.",
    example: "for i in $(seq 100000); do touch models/m$i.sql; done; engine plan",
    fix: "Move files that are no configuration out of the project's folders, or split the project.",
};

/// Not valid YAML.
pub static YAML_SYNTAX: Code = Code {
    id: "E0110",
    title: "Not valid YAML",
    exit: Exit::DoesNotCompile,
    what: "The file cannot be parsed as YAML. The message names the line and column at which the \
          parser gave up.",
    why: "Nothing after that place can be trusted to mean what its author meant.",
    example: "\
exports:
  - name: customers
   from: source('crm', 'customers')     # indented by one space too few",
    fix: "Mend the syntax at the place shown. The cause is often one line above: indentation, a \
          missing quote, or a tab.",
};

/// YAML is nested too deep.
pub static YAML_TOO_DEEP: Code = Code {
    id: "E0111",
    title: "YAML is nested too deep",
    exit: Exit::DoesNotCompile,
    what: "The YAML is nested in more levels than the bound that the message names.",
    why: "No valid configuration needs that depth. Unbounded nesting is a known way to crash a \
          parser.",
    example: "vars: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
    fix: "Nest the values less, or look whether the file was damaged or made by a program.",
};

/// YAML has too many values.
pub static YAML_TOO_LARGE: Code = Code {
    id: "E0112",
    title: "YAML has too many values",
    exit: Exit::DoesNotCompile,
    what: "One file has more values than the bound that the message names, with aliases expanded.",
    why: "The bound keeps the time and memory for reading a project small, whatever the file \
          holds.",
    example: "vars: {zeros: [0, 0, 0, 0, 0, 0, 0, 0]}     # and so on, some hundred thousand times",
    fix: "Split the file. Lists of values for masking belong into `lookups/*.csv`.",
};

/// YAML aliases expand too far.
pub static YAML_ALIASES: Code = Code {
    id: "E0113",
    title: "YAML aliases expand too far",
    exit: Exit::DoesNotCompile,
    what: "Aliases (`*name`) repeat anchored values until the file is many times its own size.",
    why: "A few lines of nested aliases can expand to billions of values. The engine stops at the \
          alias that goes beyond the bound.",
    example: "\
vars:
  a: &a [x, x, x, x, x, x, x, x, x, x]
  b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]
  c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]
  d: [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]",
    fix: "Write the values out, or use a variable under `vars:` and `{{ var('name') }}`.",
};

/// A key is given twice.
pub static DUPLICATE_KEY: Code = Code {
    id: "E0120",
    title: "A key is given twice",
    exit: Exit::DoesNotCompile,
    what: "One mapping has the same key twice. Both places are shown.",
    why: "YAML libraries take the first or the last of the two, silently. For a masking policy \
          neither guess is good enough.",
    example: "\
exports:
  - name: customers
    from: source('crm', 'customers')
    from: source('crm', 'customers_old')",
    fix: "Remove one of the two.",
};

/// Unknown key.
pub static UNKNOWN_KEY: Code = Code {
    id: "E0121",
    title: "Unknown key",
    exit: Exit::DoesNotCompile,
    what: "A mapping has a key that means nothing there. The message lists the valid keys, and the \
          nearest one where one is near.",
    why: "A misspelt key that is ignored is a setting that does not hold: `mask` written as `maks` \
          would let a column through.",
    example: "\
exports:
  - name: customers
    form: source('crm', 'customers')",
    fix: "Use one of the listed keys. The schemas in `schemas/` let an editor complete them.",
};

/// A key is missing.
pub static MISSING_KEY: Code = Code {
    id: "E0123",
    title: "A key is missing",
    exit: Exit::DoesNotCompile,
    what: "A mapping lacks a key that has no default.",
    why: "There is no value that would be right for everybody, and the engine does not guess.",
    example: "\
exports:
  - name: customers",
    fix: "Add the key that the message names.",
};

/// A value has the wrong type.
pub static WRONG_TYPE: Code = Code {
    id: "E0124",
    title: "A value has the wrong type",
    exit: Exit::DoesNotCompile,
    what: "A value is of another type than its key takes: a text where a list is wanted, for \
          example.",
    why: "Reading it as something else could change its meaning: YAML reads `no` and `1.10` as \
          something other than text.",
    example: "\
exports:
  - name: customers
    from: source('crm', 'customers')
    partition_by: country     # should be a list: [country]",
    fix: "Write the value as the message says. Put quotes around texts that look like numbers, \
          dates or yes/no.",
};

/// A value is not possible.
pub static INVALID_VALUE: Code = Code {
    id: "E0125",
    title: "A value is not possible",
    exit: Exit::DoesNotCompile,
    what: "A value is of the right type and still not one the key can take.",
    why: "The engine would have to replace it by another value, which nobody asked for.",
    example: "\
exports:
  - name: customers
    from: source('crm', 'customers')
    encryption: seal     # sealed or modular",
    fix: "Use one of the values that the message names.",
};

/// The environment is read outside profiles.yml.
pub static SECRET_OUTSIDE_PROFILES: Code = Code {
    id: "E0130",
    title: "The environment is read outside profiles.yml",
    exit: Exit::DoesNotCompile,
    what: "`env_var` stands in a file other than `profiles.yml`.",
    why: "Values of the environment may be secrets. Only values in `profiles.yml` are kept out of \
          plans, compiled SQL, logs and manifests.",
    example: r#"# exports/customers.yml
exports:
  - name: customers
    from: source('crm', 'customers')
    where: "region = '{{ env_var('REGION') }}'""#,
    fix: "Read the variable in `profiles.yml`. Use `var('name')` and `--vars name=value` for \
          values that are no secret.",
};

/// A secret stands in the file.
pub static LITERAL_SECRET: Code = Code {
    id: "E0131",
    title: "A secret stands in the file",
    exit: Exit::DoesNotCompile,
    what: "A key that holds a secret has its value written out in `profiles.yml`.",
    why: "`profiles.yml` is committed to Git, and a secret that was committed once has to be \
          replaced.",
    example: r#"connections:
  crm: {type: csv, url: "file://data", password: hunter2}"#,
    fix: "Write `\"{{ env_var('NAME') }}\"` and set the variable in the environment or in `.env`. \
          Replace the secret if the file was committed.",
};

/// An environment variable is not set.
pub static UNKNOWN_ENVIRONMENT_VARIABLE: Code = Code {
    id: "E0132",
    title: "An environment variable is not set",
    exit: Exit::DoesNotCompile,
    what: "`env_var('NAME')` has no default, and the variable is set neither in the environment nor \
          in the project's `.env`.",
    why: "An empty text in its place could mean another database, or no encryption.",
    example: r#"store: "{{ env_var('STORE_URL') }}""#,
    fix: "Set the variable, put it into `.env`, or give a default: `env_var('STORE_URL', \
          'file://target/store')`.",
};

/// The .env file cannot be read.
pub static ENVIRONMENT_FILE: Code = Code {
    id: "E0133",
    title: "The .env file cannot be read",
    exit: Exit::DoesNotCompile,
    what: "The project's `.env` exists, and it cannot be read or an entry of it is not \
          `NAME=value`.",
    why: "A variable that is lost could be the passphrase or the place of the store. The entry is \
          not shown because it may hold a secret.",
    example: "echo 'ENGINE_PASSPHRASE: swordfish' > .env && engine plan",
    fix: "Write one `NAME=value` on each line, with quotes around values that hold spaces or `#`.",
};
