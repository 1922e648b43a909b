//! Projects in folders: what loads, and what every mistake says.

mod errors;
mod folder;
mod good;
mod hostile;
mod schemas;
