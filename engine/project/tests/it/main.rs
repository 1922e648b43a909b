//! Projects in folders: what loads, and what every mistake says.

#[cfg(test)]
mod declared_tests;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod folder;
#[cfg(test)]
mod good;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod schemas;
#[cfg(test)]
mod select;
