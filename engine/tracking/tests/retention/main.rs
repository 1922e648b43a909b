//! Retention against a simulated store, a plain model of what must remain, and its safety properties.

#[cfg(test)]
mod cases;
#[cfg(test)]
mod model;
#[cfg(test)]
mod policies;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod store;
#[cfg(test)]
mod year;
