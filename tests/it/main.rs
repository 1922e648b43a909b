//! Tests of the whole: the repository's own rules, and the program from the outside.
//!
//! One binary, because each one that links the engine costs a link of its own.
#![expect(
    clippy::disallowed_methods,
    reason = "the fences keep the engine's files in place; these tests are outside of it"
)]

#[cfg(test)]
mod repository;

#[cfg(test)]
mod harness;
#[cfg(test)]
mod people;
#[cfg(test)]
mod bank;
#[cfg(test)]
mod store;
#[cfg(test)]
mod styles;
#[cfg(test)]
mod summaries;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod search;
#[cfg(test)]
mod postgres;
#[cfg(test)]
mod pushgateway;
#[cfg(test)]
mod python;
#[cfg(test)]
mod planted;

#[cfg(test)]
mod approvals;
#[cfg(test)]
mod atomic;
#[cfg(test)]
mod canaries;
#[cfg(test)]
mod ci_files;
#[cfg(test)]
mod data_tests;
#[cfg(test)]
mod dependencies;
#[cfg(test)]
mod determinism;
#[cfg(test)]
mod diagnostics;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod exits;

#[cfg(test)]
mod expressions;
#[cfg(test)]
mod flow;
#[cfg(test)]
mod forged;
#[cfg(test)]
mod histories;
#[cfg(test)]
mod history;
#[cfg(test)]
mod interop;
#[cfg(test)]
mod metadata;
#[cfg(test)]
mod mutations;
#[cfg(test)]
mod outbound;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod program;
#[cfg(test)]
mod raw_on_disk;
#[cfg(test)]
mod renames;
#[cfg(test)]
mod report_forms;
#[cfg(test)]
mod reports;
#[cfg(test)]
mod retention;
#[cfg(test)]
mod retention_histories;
#[cfg(test)]
mod retention_rows;
#[cfg(test)]
mod retry;
#[cfg(test)]
mod tamper;
#[cfg(test)]
mod tenant_records;
mod tenants;
#[cfg(test)]
mod terminals;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod undelivered;
#[cfg(test)]
mod unmask;
#[cfg(test)]
mod widening;
#[cfg(test)]
mod writers;
