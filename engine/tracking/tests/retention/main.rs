//! Retention against a simulated store, a plain model of what must remain, and its safety properties.

mod cases;
mod model;
mod policies;
mod properties;
mod store;
mod year;
