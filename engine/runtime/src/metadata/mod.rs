//! The folder `metadata/`: what is recorded of sources' schemas, sealed, to be committed.
//!
//! ```text
//!  schemas/<id>.enc             the schema of a source, as JSON
//!  ddl/<id>.enc                 the same as PostgreSQL's DDL
//!  changes/<id>.enc             the log of its changes, newest first
//!  schemas/<id>_20260131.enc    what was put aside when it changed on that day; `_2` the second time
//!  index.enc                    which id is whose
//! ```
//!
//! Ids are keyed: nobody without the keyring can tell whether a source of some name is recorded. A file is
//! bound to its own name, so that one cannot be put in another's place. The schema is written last of a
//! source's files: until then the next extraction finds the same changes again.

mod archives;
mod check;
mod driver;
mod folder;
mod index;

pub use archives::{ArchivesDue, expired, without};
pub use check::{Unwanted, check};
pub use driver::register;
pub use folder::{DECRYPTED, FILE_BYTES_MAX, Folder, Part, document};
pub use index::{Index, Recorded};
