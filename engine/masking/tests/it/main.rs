//! The contract every masking function keeps, checked on the whole catalogue.

#[cfg(test)]
mod arrays;
#[cfg(test)]
mod bound;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod dates;
#[cfg(test)]
mod dictionaries;
#[cfg(test)]
mod distribution;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod independence;
#[cfg(test)]
mod json;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod nested;
#[cfg(test)]
mod parameters;
#[cfg(test)]
mod parts;
#[cfg(test)]
mod people;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod reversible;
#[cfg(test)]
mod template;
#[cfg(test)]
mod text;
#[cfg(test)]
mod vectors;
