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

mod canonical;
mod dictionaries;
mod error;
mod forms;
mod function;
mod functions;
mod key;
mod normal;
mod numbers;
mod properties;

pub use error::{BindError, BindErrorKind, MaskError};
pub use function::{BindContext, Doc, Example, Function, Lookups, Mask};
pub use functions::{ALL, find, fitting};
pub use key::{EXAMPLE_MASTER, LinkageKey};
pub use properties::{Preserves, Properties, Uniqueness};
