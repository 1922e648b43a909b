//! E05xx: sources that cannot be reached or read, data that contradicts what was declared, loads.
//!
//! ```text
//!  profiles.yml ──E0501, E0502, E0523──▶ connection ──E0503…E0507──▶ bytes ──E0508…E0512, E0514──▶ rows
//!  sources/*.yml ──E0513, E0515…E0517, E0521──▶ schema                    loads ◀── E0519, E0522
//! ```

use super::Code;
use crate::exit::Exit;

/// Every code of this range, in ascending order.
pub const ALL: &[&Code] = &[
    &CONNECTOR_UNKNOWN,
    &CONNECTOR_PARAMETER,
    &SOURCE_NOT_FOUND,
    &SOURCE_DENIED,
    &SOURCE_UNAVAILABLE,
    &SOURCE_CHANGED,
    &SOURCE_LOCKED,
    &SOURCE_MALFORMED,
    &SOURCE_ENCODING,
    &SOURCE_FIELDS,
    &SOURCE_RECORD_TOO_LONG,
    &SOURCE_TYPE,
    &SOURCE_DECLARED_TYPE,
    &SOURCE_NULL,
    &SOURCE_COLUMN,
    &SOURCE_COLUMN_TWICE,
    &SOURCE_TABLE,
    &SOURCE_UNSUPPORTED,
    &LOAD_CONSTRAINT,
    &SOURCE_FAILED,
    &TYPES_UNDECLARED,
    &NOT_LOADABLE,
    &STORE_SCHEME,
];

/// Unknown connector.
pub static CONNECTOR_UNKNOWN: Code = Code {
    id: "E0501",
    title: "Unknown connector",
    exit: Exit::DoesNotCompile,
    what: "`type:` of a connection names a connector that this build does not have.",
    why: "Nothing else can read that kind of source.",
    example: "\
connections:
  crm: {type: sqllite, path: data/crm.sqlite}",
    fix: "Use one of the listed connectors.",
};

/// A parameter of a connection or table is wrong.
pub static CONNECTOR_PARAMETER: Code = Code {
    id: "E0502",
    title: "A parameter of a connection or table is wrong",
    exit: Exit::DoesNotCompile,
    what: "A connection in `profiles.yml`, or `read:` of a table, has a parameter that the \
          connector does not know, lacks one that is required, or has a value that is not \
          possible.",
    why: "A misspelt parameter that is ignored leaves its default in force, and the data is read \
          in another way than was meant.",
    example: r#"connections:
  crm: {type: csv, url: "file://data", delimeter: ";"}"#,
    fix: "Use the parameters and values that the message lists.",
};

/// A source is not there.
pub static SOURCE_NOT_FOUND: Code = Code {
    id: "E0503",
    title: "A source is not there",
    exit: Exit::Unavailable,
    what: "A file, folder or database does not exist, or no file matches the pattern of a table.",
    why: "An empty table in its place would replace good data by nothing.",
    example: "\
connections:
  crm: {type: sqlite, path: data/missing.sqlite}",
    fix: "Check the path. Relative paths start at the project's folder. `engine debug` tries every \
          connection.",
};

/// A source may not be read.
pub static SOURCE_DENIED: Code = Code {
    id: "E0504",
    title: "A source may not be read",
    exit: Exit::Unavailable,
    what: "The operating system or the store refuses to let the engine read.",
    why: "The engine reads with the rights of the user who runs it and never asks for more.",
    example: "chmod 000 data/crm.sqlite && engine run",
    fix: "Give the user who runs the engine the right to read, or use a connection with such \
          rights.",
};

/// A source does not answer.
pub static SOURCE_UNAVAILABLE: Code = Code {
    id: "E0505",
    title: "A source does not answer",
    exit: Exit::Unavailable,
    what: "The store or device did not deliver the data. Trying again may help.",
    why: "Half a table is never published.",
    example: r#"connections:
  crm: {type: parquet, url: "file:///mnt/share-that-is-offline"}"#,
    fix: "Check the device or network, then run `engine retry`. `engine debug` tries every \
          connection.",
};

/// A file changed while it was read.
pub static SOURCE_CHANGED: Code = Code {
    id: "E0506",
    title: "A file changed while it was read",
    exit: Exit::Unavailable,
    what: "The size, time or tag of a file is another one than when the read began, or than when a run \
           began that was taken up again.",
    why: "The rows would be a mixture of two states that never existed together.",
    example: "engine run & cp new/customers.csv data/customers.csv",
    fix: "Run again when nobody writes. Replace files by renaming a complete new file over the old \
          one.",
};

/// A database is locked.
pub static SOURCE_LOCKED: Code = Code {
    id: "E0507",
    title: "A database is locked",
    exit: Exit::Unavailable,
    what: "Another process holds the lock of the database for longer than the engine waits.",
    why: "Reading past the lock could give half a transaction.",
    example: "sqlite3 data/crm.sqlite 'BEGIN EXCLUSIVE' '.shell engine run'",
    fix: "Let the other process finish, then run again.",
};

/// A file is damaged or of another kind.
pub static SOURCE_MALFORMED: Code = Code {
    id: "E0508",
    title: "A file is damaged or of another kind",
    exit: Exit::Unavailable,
    what: "A file is not what its connector reads: no Parquet file, a broken compression, a quote \
          that is never closed.",
    why: "What can be read up to the damage is only a part of the table.",
    example: "cp customers.csv data/customers.parquet && engine run     # read by the parquet connector",
    fix: "Check that the connection's `type` and `compression` fit the file, and that the file \
          arrived whole.",
};

/// A file has another encoding.
pub static SOURCE_ENCODING: Code = Code {
    id: "E0509",
    title: "A file has another encoding",
    exit: Exit::Unavailable,
    what: "A file holds bytes that are no text in the declared encoding. The message names the \
          place of the first one.",
    why: "Replacing such bytes changes values, and values that are changed no longer match under a \
          mask.",
    example: "\
tables:
  - name: customers
    read: {encoding: utf-8}     # the file is Latin-1",
    fix: "Declare the encoding of the file: `utf-8`, `utf-16`, `utf-16le`, `utf-16be` or \
          `latin-1`.",
};

/// A record has too many or too few fields.
pub static SOURCE_FIELDS: Code = Code {
    id: "E0510",
    title: "A record has too many or too few fields",
    exit: Exit::Unavailable,
    what: "A record of a delimited file has another number of fields than the table has columns. \
          The message names the file and line.",
    why: "Values would move into columns they do not belong to, under masks that are not theirs.",
    example: r"printf 'id,email\n1,a@example.com,extra\n' > data/customers.csv && engine run",
    fix: "Mend the record, or declare the dialect of the file: `delimiter`, `quote`, `escape`, \
          `row_end`.",
};

/// A record is too long.
pub static SOURCE_RECORD_TOO_LONG: Code = Code {
    id: "E0511",
    title: "A record is too long",
    exit: Exit::Unavailable,
    what: "A record is longer than the bound, often because a quote was opened and never closed.",
    why: "The bound keeps memory small, and finds files that are read with the wrong dialect.",
    example: r#"printf 'id,note\n1,"never closed' > data/notes.csv     # followed by a hundred megabytes"#,
    fix: "Declare the right `quote` and `row_end`, or raise `max_record_bytes`.",
};

/// A value contradicts the declared type.
pub static SOURCE_TYPE: Code = Code {
    id: "E0512",
    title: "A value contradicts the declared type",
    exit: Exit::Failed,
    what: "A value cannot be read as the type that its column is declared with. The message names \
          the place and never the value.",
    why: "A null in its place would hide the error, and a text could not be masked as its class \
          asks.",
    example: "\
columns:
  - {name: birth_date, type: date}     # a record holds 31/12/1999",
    fix: "Mend the data, or declare the column as `string`.",
};

/// The data has another type than declared.
pub static SOURCE_DECLARED_TYPE: Code = Code {
    id: "E0513",
    title: "The data has another type than declared",
    exit: Exit::DoesNotCompile,
    what: "The schema of a file or table gives a column another type than the project does.",
    why: "Masks are chosen by declared types. A mask for another type would not hold.",
    example: "\
columns:
  - {name: customer_id, type: date}     # the Parquet file has int64",
    fix: "Declare the type that the data has, or leave `type` out. Convert it in a model if \
          another type is wanted.",
};

/// A null where none may be.
pub static SOURCE_NULL: Code = Code {
    id: "E0514",
    title: "A null where none may be",
    exit: Exit::Failed,
    what: "A column is declared with `nullable: false`, and a record has no value for it. The \
          message names the place.",
    why: "Recipients rely on the declaration, and a key with nulls joins to nothing.",
    example: r"printf 'id,email\n,a@example.com\n' > data/customers.csv     # id: {nullable: false}",
    fix: "Mend the data, or remove `nullable: false`.",
};

/// A declared column is not in the data.
pub static SOURCE_COLUMN: Code = Code {
    id: "E0515",
    title: "A declared column is not in the data",
    exit: Exit::DoesNotCompile,
    what: "A table declares a column that the file or database table does not have. The message \
          lists the columns there are.",
    why: "The rule that was written for it covers nothing. Probably the column was renamed and \
          stands there uncovered.",
    example: "\
columns:
  - {name: e_mail, type: string, class: pii.email}     # the header says email",
    fix: "Rename the column in `sources/` as the data has it, or remove it.",
};

/// Two columns have the same name.
pub static SOURCE_COLUMN_TWICE: Code = Code {
    id: "E0516",
    title: "Two columns have the same name",
    exit: Exit::Unavailable,
    what: "A file has two columns of one name.",
    why: "A rule for that name could be meant for either of them.",
    example: r"printf 'id,email,email\n1,a@example.com,b@example.com\n' > data/customers.csv",
    fix: "Rename one of them in the file, or read the file with `header: false` and declare the \
          columns in order.",
};

/// A declared table is not in the database.
pub static SOURCE_TABLE: Code = Code {
    id: "E0517",
    title: "A declared table is not in the database",
    exit: Exit::DoesNotCompile,
    what: "A source declares a table that the database does not have. The message lists the tables \
          there are.",
    why: "An empty table in its place would replace good data by nothing.",
    example: "\
tables:
  - {name: costumers}     # the database has customers",
    fix: "Rename the table in `sources/`, or name the table of the database with `read: {table: \
          …}`.",
};

/// A connector cannot do this.
pub static SOURCE_UNSUPPORTED: Code = Code {
    id: "E0518",
    title: "A connector cannot do this",
    exit: Exit::Unavailable,
    what: "The data or the setting asks for something that the connector does not support. The \
          message says what.",
    why: "Leaving it out would give other rows or values than there are.",
    example: "\
columns:
  - {name: tags, type: string}     # the Parquet file has a list",
    fix: "Use a setting, type or connector that the message suggests.",
};

/// A database refused rows.
pub static LOAD_CONSTRAINT: Code = Code {
    id: "E0519",
    title: "A database refused rows",
    exit: Exit::Failed,
    what: "The table that rows are loaded into has a constraint that a row breaks. The load was \
          rolled back as a whole.",
    why: "Half a load is never left behind.",
    example: "load: [{connection: uat, table: customers, mode: append}]     # the rows are there already",
    fix: "Load with `mode: replace`, mend the data, or change the constraint. A mask that maps \
          different keys to one value breaks a primary key too.",
};

/// A read failed.
pub static SOURCE_FAILED: Code = Code {
    id: "E0520",
    title: "A read failed",
    exit: Exit::Unavailable,
    what: "A library that reads or writes this kind of source failed in a way that the engine has \
          no more words for.",
    why: "The library's own text is not shown because it could quote data.",
    example: "truncate -s 100000 data/customers.parquet && engine run",
    fix: "Run `engine debug`, and check the file or database with its own tools. Please report it \
          as a defect if both find nothing wrong.",
};

/// Column types are not declared.
pub static TYPES_UNDECLARED: Code = Code {
    id: "E0521",
    title: "Column types are not declared",
    exit: Exit::DoesNotCompile,
    what: "`engine compile` does not open any source, and a column it needs has no declared type.",
    why: "Compiling is offline so that it can run where no source can be reached. SQL cannot be \
          planned without types.",
    example: "\
tables:
  - {name: customers, columns: [{name: email, class: pii.email}]}     # no type",
    fix: "Add `type:` to the columns that the message lists, or use `engine plan`, which asks the \
          source.",
};

/// A connection cannot be loaded into.
pub static NOT_LOADABLE: Code = Code {
    id: "E0522",
    title: "A connection cannot be loaded into",
    exit: Exit::DoesNotCompile,
    what: "A `load` names a connection whose connector only reads.",
    why: "There is no way to write there that either happens whole or not at all.",
    example: "load: [{connection: csv_files, table: customers}]",
    fix: "Load into a database connection, such as `sqlite`.",
};

/// No reader for this kind of URL.
pub static STORE_SCHEME: Code = Code {
    id: "E0523",
    title: "No reader for this kind of URL",
    exit: Exit::DoesNotCompile,
    what: "The `url` of a connection starts with a scheme that this build cannot read.",
    why: "The engine opens a location only with a client that was made for it.",
    example: r#"connections:
  crm: {type: csv, url: "ftp://files.example.com/crm"}"#,
    fix: "Use a path, a `file://` URL, or `s3://BUCKET/DIRECTORY` with its `store` options.",
};
