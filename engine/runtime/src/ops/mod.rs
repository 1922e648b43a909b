//! What the program can do, one file per command: data in, a report out. Nothing here prints, reads
//! the environment or ends the process.

pub mod approve;
mod base;
pub mod compile;
pub mod debug;
pub mod explain;
pub mod history;
pub mod init;
pub mod keys;
pub mod lineage;
pub mod load;
pub mod metadata;
pub mod mutate;
pub mod plan;
pub mod query;
pub mod report;
pub mod retention;
pub mod retry;
pub mod reveal;
pub mod run;
pub mod schema;
pub mod test;
pub mod unmask;
pub mod verify;
