//! Events out to other systems over HTTP: lineage, metrics, notices.
//!
//! ```text
//!  Event ──▶ Outbox ─┬─ OpenLineage   POST …/api/v1/lineage
//!                    ├─ Pushgateway   PUT  …/metrics/job/…
//!                    └─ Webhook       POST, signed              ──▶ a Delivery for each
//! ```
//!
//! What is deliberately absent: files, the environment, a clock, and what the events are about. An event comes
//! with its text, its time and its key, so that each try of it sends the same bytes. What a receiver answers is
//! never read beyond its status, and never shown: it may hold anything.

// Leaves first: a module uses only modules above it.
mod address;
mod event;
mod receiver;
mod openlineage;
mod pushgateway;
mod webhook;
mod courier;
mod outbox;

pub use address::{Address, AddressError};
pub use courier::{Failure, Limits};
pub use event::{Content, Event, Topic};
pub use openlineage::{ApiKey, ApiKeyError, OpenLineage};
pub use outbox::{Delivery, Outbox, Sender};
pub use pushgateway::Pushgateway;
pub use receiver::{Receiver, Request};
pub use webhook::{SecretError, SigningSecret, Webhook};
