//! Masks in plans: their words, the keys behind them, and the DataFusion functions they become.

pub mod spec;
pub mod resolver;
mod distinct;
pub mod udf;
pub mod versions;
