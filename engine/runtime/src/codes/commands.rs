//! E09xx: command lines that are understood and cannot be carried out.
//!
//! ```text
//!  argv ──E0907──▶ verb ──E0901…E0905──▶ document ──E0906──▶ file
//! ```

use super::Code;
use crate::exit::Exit;

/// Every code of this range, in ascending order.
pub const ALL: &[&Code] = &[
    &DIRECTORY_NOT_EMPTY,
    &UNKNOWN_EXAMPLE,
    &UNKNOWN_TOPIC,
    &UNKNOWN_SCHEMA,
    &QUERY_REFUSED,
    &OUTPUT_UNWRITABLE,
    &USAGE,
    &UNKNOWN_BASE,
    &UNKNOWN_OWNER,
];

/// The directory is not empty.
pub static DIRECTORY_NOT_EMPTY: Code = Code {
    id: "E0901",
    title: "The directory is not empty",
    exit: Exit::Usage,
    what: "`engine init` was told to make a project in a directory that holds files.",
    why: "Nothing of yours is ever overwritten.",
    example: "engine init .     # in a folder with files",
    fix: "Name a new or empty directory.",
};

/// Unknown example.
pub static UNKNOWN_EXAMPLE: Code = Code {
    id: "E0902",
    title: "Unknown example",
    exit: Exit::Usage,
    what: "`engine init --example` names an example that this build does not hold.",
    why: "There is nothing to copy.",
    example: "engine init demo --example chinok",
    fix: "Use one of the listed examples.",
};

/// Nothing to explain under this name.
pub static UNKNOWN_TOPIC: Code = Code {
    id: "E0903",
    title: "Nothing to explain under this name",
    exit: Exit::Usage,
    what: "`engine explain` was given something that is neither an error code nor an export, model \
          or table of the project.",
    why: "There is no page for it.",
    example: "engine explain E9999",
    fix: "Give a code such as `E0401`, or the name of an export, a model, or `source.table`.",
};

/// Unknown schema.
pub static UNKNOWN_SCHEMA: Code = Code {
    id: "E0904",
    title: "Unknown schema",
    exit: Exit::Usage,
    what: "`engine schema` was asked for a kind of file that does not exist.",
    why: "Editors that are given the wrong schema mark right files as wrong.",
    example: "engine schema profile",
    fix: "Use one of the listed kinds.",
};

/// Only queries are allowed.
pub static QUERY_REFUSED: Code = Code {
    id: "E0905",
    title: "Only queries are allowed",
    exit: Exit::Usage,
    what: "`engine query` was given SQL that is not exactly one query over committed exports, or one \
          that cannot be planned: an export without a snapshot, an unknown column.",
    why: "The command reads. It must not be able to write files, change settings or read anything \
          but committed exports.",
    example: r#"engine query "COPY customers TO 'customers.csv'""#,
    fix: "Write one `SELECT` or `WITH … SELECT` over the names of exports that have a snapshot.",
};

/// A file cannot be written.
pub static OUTPUT_UNWRITABLE: Code = Code {
    id: "E0906",
    title: "A file cannot be written",
    exit: Exit::Unavailable,
    what: "A result, such as the plan or a compiled file, cannot be written where it belongs.",
    why: "Going on without it would leave an old file that looks like the new one.",
    example: "engine plan --out /missing/plan.json",
    fix: "Check that the folder exists, may be written and has room.",
};

/// The command line is not valid.
pub static USAGE: Code = Code {
    id: "E0907",
    title: "The command line is not valid",
    exit: Exit::Usage,
    what: "An option or argument is unknown, is missing, or has a value that is not possible.",
    why: "Leaving it out would do something other than was asked for.",
    example: "engine run --memory lots",
    fix: "Follow the message. `engine help COMMAND` shows the options with examples.",
};

/// Nothing to compare a plan with.
pub static UNKNOWN_BASE: Code = Code {
    id: "E0908",
    title: "There is nothing of this name to compare a plan with",
    exit: Exit::Usage,
    what: "`engine plan --base` was given what is neither a plan file, nor a target of the project, nor \
          a commit of its Git repository.",
    why: "A plan that is compared with nothing would show no widening where there is one.",
    example: "engine plan --base orgin/main",
    fix: "Name a file that `engine plan --out` wrote, a target of profiles.yml, or a branch, tag or commit \
          that is there: a shallow clone has one commit only.",
};

/// Unknown owner.
pub static UNKNOWN_OWNER: Code = Code {
    id: "E0909",
    title: "Unknown owner",
    exit: Exit::Usage,
    what: "`engine approve` was given an owner that engine.yml does not name.",
    why: "Nobody could check the signature.",
    example: "engine approve plan.json --owner @dop --key ~/.ssh/id_ed25519",
    fix: "Name one of the owners in engine.yml, or add the owner with a public key there, and have that \
          reviewed.",
};
