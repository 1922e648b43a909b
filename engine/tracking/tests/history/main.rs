//! Histories against a plain model, hashes against vectors made elsewhere, and views as they are written.

#[cfg(test)]
mod expiry;
#[cfg(test)]
mod hashes;
#[cfg(test)]
mod loads;
#[cfg(test)]
mod model;
#[cfg(test)]
mod store;
#[cfg(test)]
mod views;
