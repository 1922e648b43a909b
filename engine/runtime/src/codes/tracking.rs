//! E10xx: what is recorded over time, and how long it is kept.
//!
//! ```text
//!  policy ──E1001──▶ catalogs ──E1002──▶ metadata/ ──E1003, E1004──▶ readers
//!                                           └── commit ──E1006, E1007
//! ```

use super::Code;
use crate::exit::Exit;

/// Every code of this range, in ascending order.
pub const ALL: &[&Code] = &[
    &UNKNOWN_CHANGE,
    &SCHEMA_CHANGED,
    &METADATA_DAMAGED,
    &NOTHING_RECORDED,
    &NOTHING_TRACKED,
    &COMMIT_REFUSED,
    &COMMIT_UNCHECKED,
    &UNKNOWN_POLICY,
    &RETENTION_INVALID,
    &CLOCK_DOUBTED,
    &RECORDS_CHANGED,
    &UNKNOWN_HISTORY,
    &HISTORY_INVALID,
    &HISTORY_REFUSED,
    &NOT_TRACKED,
    &TENANT_REFUSED,
];

/// A policy names a kind of change that does not exist.
pub static UNKNOWN_CHANGE: Code = Code {
    id: "E1001",
    title: "No such kind of change",
    exit: Exit::DoesNotCompile,
    what: "`on_change` of a tracking policy names a kind of change that there is none of.",
    why: "Somebody relies on it: a change that should stop a run would only be warned of.",
    example: "tracking:\n  schemas: {sources: [crm], on_change: {column_droped: fail}}",
    fix: "Use one of the kinds the message lists.",
};

/// A source changed in a way that the policy refuses.
pub static SCHEMA_CHANGED: Code = Code {
    id: "E1002",
    title: "A source's schema changed",
    exit: Exit::GateRefused,
    what: "The catalog of a source differs from what is recorded under `metadata/`, and `on_change` of the \
           policy says `fail` for that kind of change. Nothing was recorded, read or published. As a warning, it \
           is a change that the policy says `warn` for, and it was recorded.",
    why: "A column that is new may hold personal data that no rule was written for, and one that is gone may be \
          what others rely on. Somebody should look before it goes on.",
    example: "tracking:\n  schemas: {sources: [crm], on_change: {column_removed: fail}}\n\n\
              engine run      # after somebody dropped crm.customers.fax",
    fix: "Look at the change, adapt the project, and record it: `engine metadata extract --accept`. Commit \
          `metadata/` with what was adapted.",
};

/// A file of metadata cannot be used.
pub static METADATA_DAMAGED: Code = Code {
    id: "E1003",
    title: "A file of metadata cannot be used",
    exit: Exit::KeyRefused,
    what: "A file under `metadata/` cannot be opened: it was changed, moved, sealed with a key that this keyring \
           has not, or written by a newer engine.",
    why: "What was recorded is what changes are measured by. Taking something else for it would hide them.",
    example: "cp metadata/schemas/0c2f….enc metadata/schemas/77ab….enc\nengine metadata extract",
    fix: "Restore the file from Git, and check that the keyring is the project's own.",
};

/// Nothing is recorded of what was asked for.
pub static NOTHING_RECORDED: Code = Code {
    id: "E1004",
    title: "Nothing is recorded",
    exit: Exit::NothingSelected,
    what: "There is no record of any source, or none of the table that was asked for.",
    why: "An empty answer would look like a table that never changed.",
    example: "engine metadata decrypt --table customres",
    fix: "Record the sources with `engine metadata extract`, or check the table's name.",
};

/// No source's schema is tracked.
pub static NOTHING_TRACKED: Code = Code {
    id: "E1005",
    title: "No schema is tracked",
    exit: Exit::NothingSelected,
    what: "The schemas of sources were to be recorded, and no policy names a source, or not this one.",
    why: "What is recorded, and what a change of it means, is a policy of the project.",
    example: "engine metadata extract      # in a project without `tracking:`",
    fix: "Name sources in a policy: `tracking: {schemas: {sources: [crm]}}`.",
};

/// A commit would have what must not be committed.
pub static COMMIT_REFUSED: Code = Code {
    id: "E1006",
    title: "This must not be committed",
    exit: Exit::GateRefused,
    what: "Git's index holds decrypted metadata, the secrets of a machine, a file of metadata that is not \
           sealed, or what looks like raw data.",
    why: "What is committed once stays in the repository's history and in every clone.",
    example: "git add -f metadata/decrypted\nengine metadata check",
    fix: "Take it out with `git rm --cached`, and add it to `.gitignore`. A small table that may be read by \
          anyone can be let through: `engine metadata check --allow 'data/*.csv'`.",
};

/// A commit cannot be checked.
pub static COMMIT_UNCHECKED: Code = Code {
    id: "E1007",
    title: "The commit cannot be checked",
    exit: Exit::Unavailable,
    what: "The project is in no Git repository, `git` cannot be started, or `--allow` is no pattern.",
    why: "A check that did not look must not pass.",
    example: "engine metadata check      # outside a repository",
    fix: "Run it inside the repository, with `git` on the PATH.",
};

/// An export names a retention policy that does not exist.
pub static UNKNOWN_POLICY: Code = Code {
    id: "E1010",
    title: "No such retention policy",
    exit: Exit::DoesNotCompile,
    what: "`retention:` of an export names a policy that there is none of.",
    why: "Its snapshots would be kept for ever, which is not what somebody wanted.",
    example: "exports:\n  - {name: customers, from: \"source('crm', 'customers')\", retention: utas}",
    fix: "Use the name of a policy under `retention:`, or write one.",
};

/// A retention policy that cannot be meant.
pub static RETENTION_INVALID: Code = Code {
    id: "E1011",
    title: "The retention policy cannot be used",
    exit: Exit::DoesNotCompile,
    what: "A span of time is none, `snapshots` has no limit, a legal hold has no owner or reason, rows are to go by a \
           column that is not published as a date or timestamp, a policy says nothing of what names it, or `cold` is \
           no place for files.",
    why: "Nothing may be deleted, or kept, by a rule that nobody can tell the meaning of.",
    example: "retention:\n  - {name: uat, snapshots: {max_age: 90 days}}",
    fix: "Write spans as `12h`, `90d`, `2w`, `24mo` or `7y`. Name a published column of dates. Give run records a \
          policy with `records`, and schemas one with `snapshots`.",
};

/// The clock contradicts what happened.
pub static CLOCK_DOUBTED: Code = Code {
    id: "E1012",
    title: "The clock cannot be believed",
    exit: Exit::GateRefused,
    what: "By the clock of this machine, something in the store happened in the future, out of order, or so long ago \
           that the store was silent for more than 35 days. Nothing was deleted.",
    why: "A clock that jumped ahead would have everything deleted at once.",
    example: "engine retention apply      # on a machine whose clock is a year ahead",
    fix: "Set the clock. If it is right, and the store was idle: `engine retention apply --trust-clock`.",
};

/// Run records were removed or changed.
pub static RECORDS_CHANGED: Code = Code {
    id: "E1013",
    title: "Run records were removed or changed",
    exit: Exit::Failed,
    what: "A chain of run records in the store has a gap, an end that was cut off, or a line that is not what was \
           written.",
    why: "Each record carries the MAC of the one before it, so that nobody can take away or change what was done \
          without it being seen.",
    example: "rm target/store/runs/…/execution/0000000003.ndjson.enc && engine verify --audit",
    fix: "Restore the files from a copy of the store, and find out who had access to it.",
};

/// Something refers to a history that does not exist.
pub static UNKNOWN_HISTORY: Code = Code {
    id: "E1020",
    title: "No such history",
    exit: Exit::DoesNotCompile,
    what: "A reference of a history, or a command, names a history that there is none of.",
    why: "Links to nothing would be recorded for ever: a history is never rewritten.",
    example: "tracking:\n  history:\n    - name: orders\n      of: export('orders')\n      key: [order_id]\n      \
              references: [{columns: [customer_id], to: custmers}]",
    fix: "Use the name of a history under `tracking: history:`.",
};

/// A history that cannot be laid out.
pub static HISTORY_INVALID: Code = Code {
    id: "E1021",
    title: "The history cannot be kept",
    exit: Exit::DoesNotCompile,
    what: "An export has a column that is called as one that every history has, a column of a type that cannot be \
           compared, or a reference whose columns have other types than the key that they refer to.",
    why: "Rows are recorded for ever under hashes of their columns. What is wrong with them cannot be mended later.",
    example: "tracking:\n  history:\n    - {name: people, of: export('people'), key: [id]}\n\n\
              # and export people publishes a column `version`",
    fix: "Publish the column under another name, or in another type, by a model.",
};

/// A snapshot that was not recorded.
pub static HISTORY_REFUSED: Code = Code {
    id: "E1022",
    title: "The history was not appended to",
    exit: Exit::Failed,
    what: "A snapshot was published, and its rows were not recorded: two of them have one key, a column has another \
           type than before, or the history was begun with another key. Nothing of the snapshot was recorded. As a \
           warning, it is a snapshot that was passed over for a later one.",
    why: "A history says what was known of each key at each moment. With two rows of one key, or keys that mean \
          something else from now on, it would say something that never was.",
    example: "tracking:\n  history:\n    - {name: people, of: export('people'), key: [city]}",
    fix: "Name a key that tells every published row apart, or begin a history under a new name. A snapshot that \
          cannot be recorded is passed over, with a warning, once a later one can.",
};

/// A moment that nothing is known of.
pub static NOT_TRACKED: Code = Code {
    id: "E1023",
    title: "Nothing is known of that moment",
    exit: Exit::Usage,
    what: "A query asks for the state of a moment, and names an export without a history, or a moment before its \
           history began.",
    why: "The newest snapshot, or no rows at all, would be an answer to another question.",
    example: "engine query --as-of 2020-01-01 'SELECT count(*) FROM customers'",
    fix: "Ask for a moment since the history began, or keep a history of the export: `tracking: history:`.",
};

/// A query that is bound to a tenant names what has none.
pub static TENANT_REFUSED: Code = Code {
    id: "E1024",
    title: "The table cannot be bound to a tenant",
    exit: Exit::GateRefused,
    what: "`--tenant` was given, and a table that is named has no tenant column, or its tenant column has no such \
           values, or what was given is no name: empty, longer than 256 characters, or of several lines. Without \
           `--tenant`, one key of a history with tenants was asked for.",
    why: "Rows of other tenants would be in the answer, or a record would not say whose it is.",
    example: "engine query --tenant acme 'SELECT * FROM countries'",
    fix: "Declare the column that says whose a row is: `tenant:` of the export or of its history.",
};
