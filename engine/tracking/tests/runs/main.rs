//! Records of executions: their chains, what becomes of them, and what is told of them.

#[cfg(test)]
mod browser;
#[cfg(test)]
mod chain;
#[cfg(test)]
mod export;
#[cfg(test)]
mod fold;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod invented;
#[cfg(test)]
mod picture;
#[cfg(test)]
mod privacy;
#[cfg(test)]
mod report;
#[cfg(test)]
mod statistics;
#[cfg(test)]
mod summary;
