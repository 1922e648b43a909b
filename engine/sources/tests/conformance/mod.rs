//! What every connector must hold to, run over all of them in a loop, and the checks that
//! need a whole connection. A module of the unit tests (see `Cargo.toml`).

mod bench;
mod canaries;
mod chinook;
mod files;
mod kinds;
mod loading;
mod pyarrow;
mod reference;
mod s3;
