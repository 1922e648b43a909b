//! Masking functions: an Arrow column in, a masked column out.
//!
//! ```text
//!  params (JSON) ─┐
//!  column type  ──┼─ Function::bind ─▶ Mask ── apply(column, others) ─▶ masked column
//!  LinkageKey   ──┘   (once, pure)            (per batch, any thread)
//! ```
//!
//! Arrow is all this crate knows. It never sees a file, a clock, an environment
//! or a random source: a bound mask is a pure function of the function's name,
//! its parameters, the column's type and the key, so that equal inputs give equal
//! outputs on every machine. The mapping of every function is a versioned
//! contract ([`Function::abi`]) with published vectors.

// Leaves first: a module uses only modules above it.
mod error;

mod lanes;

mod key;

mod prefixes;

mod properties;

mod function;

mod feistel;

mod alphabet;

mod forms;

mod repeats;

mod canonical;

mod numbers;

mod calendar;

mod zones;

mod normal;

mod check_digits;

mod dictionaries;

mod digest;

mod shuffle;

mod functions;

mod suggest;

mod unchanged;

pub use digest::{Absent, DigestKey, has_digest, row_digests};
pub use error::{BindError, BindErrorKind, MaskError};
pub use function::{BindContext, Collect, Doc, Example, Function, Keys, Lookups, Mask};
pub use functions::{ALL, WHOLE, all, find, fitting};
pub use key::{EXAMPLE_MASTER, LinkageKey};
pub use properties::{Preserves, Properties, Uniqueness};
pub use suggest::suggest;
pub use unchanged::unchanged_rows;
