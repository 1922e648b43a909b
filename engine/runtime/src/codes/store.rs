//! E06xx: the store, sealed chunks, and the chain of manifests.
//!
//! ```text
//!  store ──E0601…E0603──▶ manifests ──E0610, E0611, E0615…E0618──▶ chunks ──E0612…E0614
//!                            ▲
//!                            └── E0620: another writer was first
//! ```

use super::Code;
use crate::exit::Exit;

/// Every code of this range, in ascending order.
pub const ALL: &[&Code] = &[
    &STORE_URL,
    &STORE_UNAVAILABLE,
    &STORE_FULL,
    &MANIFEST_TAMPERED,
    &MANIFEST_CHAIN,
    &CHUNK_MISSING,
    &CHUNK_TAMPERED,
    &CHUNK_COUNT,
    &NO_SNAPSHOT,
    &FORMAT_VERSION,
    &ROLLED_BACK,
    &FILE_KEY,
    &WRITER_LOST,
    &STORE_LOCKED,
];

/// The store's URL cannot be used.
pub static STORE_URL: Code = Code {
    id: "E0601",
    title: "The store's URL cannot be used",
    exit: Exit::DoesNotCompile,
    what: "`store:` of the target is a URL of a scheme that this build does not have.",
    why: "Another place than the one that was meant must not receive data.",
    example: r#"targets:
  dev:
    store: "ftp://files.example.com/acme"
    keys: {provider: passphrase}"#,
    fix: "Write a path or a URL such as `file://target/store`. A relative one starts at the project's \
          folder.",
};

/// The store cannot be reached.
pub static STORE_UNAVAILABLE: Code = Code {
    id: "E0602",
    title: "The store cannot be reached",
    exit: Exit::Unavailable,
    what: "Reading from or writing to the store failed. Nothing was committed.",
    why: "A snapshot becomes visible only when all of it is stored.",
    example: "chmod 000 target/store && engine run",
    fix: "Check the location and the rights to it, then run `engine retry`. `engine debug` tries \
          the store.",
};

/// The store is full.
pub static STORE_FULL: Code = Code {
    id: "E0603",
    title: "The store is full",
    exit: Exit::Unavailable,
    what: "The store has no room for another chunk. Nothing was committed, and the snapshot before \
          is untouched.",
    why: "A snapshot becomes visible only when all of it is stored.",
    example: "engine run     # with the store on a full disk",
    fix: "Make room, then run `engine retry`: chunks that are stored already are used again.",
};

/// A manifest cannot be trusted.
pub static MANIFEST_TAMPERED: Code = Code {
    id: "E0610",
    title: "A manifest cannot be trusted",
    exit: Exit::Failed,
    what: "A manifest cannot be opened, or does not say what its place says. It was changed, \
          truncated, moved from elsewhere, or sealed with another key.",
    why: "The manifest names the chunks, their digests and their masks. Without it nothing about \
          the data can be believed.",
    example: "printf x | dd of=target/store/exports/…/manifests/0000000001.json.enc bs=1 seek=99 conv=notrunc",
    fix: "Restore the file from a backup of the store. If the keyring was replaced, restore the \
          keyring.",
};

/// The chain of manifests is broken.
pub static MANIFEST_CHAIN: Code = Code {
    id: "E0611",
    title: "The chain of manifests is broken",
    exit: Exit::Failed,
    what: "A manifest is missing, or does not name the digest of the one before it.",
    why: "Somebody who can write to the store could otherwise take a snapshot out, or put an old \
          one in its place.",
    example: "rm target/store/exports/…/manifests/0000000002.json.enc && engine verify",
    fix: "Restore the store from a backup. If the change was meant, start the export anew in an \
          empty store.",
};

/// A chunk is missing.
pub static CHUNK_MISSING: Code = Code {
    id: "E0612",
    title: "A chunk is missing",
    exit: Exit::Failed,
    what: "A manifest names a chunk that is not in the store.",
    why: "The snapshot would be read with rows missing.",
    example: "rm target/store/exports/…/chunks/….parquet.enc && engine verify",
    fix: "Restore the file from a backup of the store, or run the export again from its source.",
};

/// A chunk cannot be trusted.
pub static CHUNK_TAMPERED: Code = Code {
    id: "E0613",
    title: "A chunk cannot be trusted",
    exit: Exit::Failed,
    what: "A chunk has another digest than its manifest says, or cannot be opened. It was changed, \
          truncated, exchanged with another file, or sealed with another key.",
    why: "Rows that somebody put there would be read as if the engine had masked them.",
    example: "printf x | dd of=target/store/exports/…/chunks/….parquet.enc bs=1 seek=500 conv=notrunc && engine verify",
    fix: "Restore the file from a backup of the store, or run the export again from its source.",
};

/// A chunk has another number of rows.
pub static CHUNK_COUNT: Code = Code {
    id: "E0614",
    title: "A chunk has another number of rows",
    exit: Exit::Failed,
    what: "A chunk can be opened, and holds another number of rows or bytes than its manifest says.",
    why: "Manifest and chunk were not written by the same run, or one of them by a defect of the \
          engine.",
    example: "engine verify customers",
    fix: "Run the export again from its source. Please report it as a defect if nobody touched the \
          store.",
};

/// An export has no snapshot.
pub static NO_SNAPSHOT: Code = Code {
    id: "E0615",
    title: "An export has no snapshot",
    exit: Exit::Unavailable,
    what: "The export is declared, and no run has committed a snapshot of it to this target's \
          store.",
    why: "There is nothing to show, query, verify or load yet.",
    example: "engine show customers     # before the first run",
    fix: "Run `engine run`, and check `--target`.",
};

/// Written by a newer engine.
pub static FORMAT_VERSION: Code = Code {
    id: "E0616",
    title: "Written by a newer engine",
    exit: Exit::Unavailable,
    what: "A file of the store has a format version that this engine does not know.",
    why: "Reading it as an older format could leave out what makes it safe.",
    example: "engine verify     # with an older engine than the one that ran",
    fix: "Use the engine's version that wrote the file, or a newer one.",
};

/// The store is behind.
pub static ROLLED_BACK: Code = Code {
    id: "E0617",
    title: "The store is behind",
    exit: Exit::Failed,
    what: "This project directory has seen a later snapshot of the export than the last one in the \
          store, or a later document of what retention deleted softly.",
    why: "Somebody who can write to the store may have taken the last snapshots away, or the tombstones of \
          deleted ones, or a backup was restored. Building on the old state would hide it.",
    example: "cp -r target/store old && engine run && rm -r target/store && mv old target/store && engine verify",
    fix: "Restore the newer state of the store. If going back was meant, remove the record that \
          the message names.",
};

/// A file was sealed with another key.
pub static FILE_KEY: Code = Code {
    id: "E0618",
    title: "A file was sealed with a key that is not at hand",
    exit: Exit::KeyRefused,
    what: "The header of a chunk or manifest names a key that the keyring does not hold.",
    why: "The file was sealed with a key of another keyring, or with a version that was taken out of \
          this one; or somebody changed the header.",
    example: "engine keys init     # in place of a lost keyring, beside its store\nengine verify",
    fix: "Use the keyring that holds the key. `engine keys list` prints those at hand; \
          `keys/keyring.json` in the store is the one that the last run used.",
};

/// Another run committed first.
pub static WRITER_LOST: Code = Code {
    id: "E0620",
    title: "Another run committed first",
    exit: Exit::Locked,
    what: "Two runs wrote the same export. The other one committed its snapshot first; this one \
          committed nothing and changed nothing.",
    why: "One snapshot follows another. A second one made from the same predecessor would undo the \
          first without anybody deciding so.",
    example: "engine run     # on two machines at once, over a file system that knows no locks",
    fix: "Run `engine plan` again to see what is left to do. Let one job at a time write an \
          export.",
};

/// Another run is at work on the store.
pub static STORE_LOCKED: Code = Code {
    id: "E0621",
    title: "Another run is at work",
    exit: Exit::Locked,
    what: "A run holds the store's lock, and this one was started before it ended.",
    why: "Two runs that publish the same exports would do the same work twice, and only one of them could commit.",
    example: "engine run & engine run     # the second one ends with exit code 6",
    fix: "Wait for the other run and start again. The lock ends with its process, also when that is killed: it never has to be removed.",
};
