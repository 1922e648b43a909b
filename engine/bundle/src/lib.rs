//! Sealed files, manifests and keyring: bytes in, bytes out.
//!
//! ```text
//!  secret, random ─▶ key ─▶ stream ─▶ sealed ─▶ manifest ─▶ chain
//!                     │        (Tink)    (header, context)
//!                     └─▶ keyring   ids ─▶ layout   modular
//! ```
//!
//! What is deliberately absent: files, sockets, clocks, environment, async, Arrow.
//! Callers read and write the bytes; this crate says what they mean and whether
//! they may be believed.

pub mod secret;

pub mod random;

pub mod pae;

pub mod key;

pub mod derive;

pub mod digest;

pub mod ids;

pub mod stream;

pub mod context;

pub mod header;

pub mod sealed;

pub mod modular;

pub mod keyring;

pub mod layout;

pub mod manifest;

pub mod chain;

#[cfg(test)]
mod golden;
