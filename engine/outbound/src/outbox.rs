//! All receivers, told side by side, each in the order of the events.

use futures::future::join_all;
use tokio::time::timeout;

use crate::courier::{Courier, Failure, Limits};
use crate::event::Event;
use crate::receiver::Receiver;

/// The receivers of a target.
pub struct Outbox {
    receivers: Vec<Box<dyn Receiver>>,
    limits: Limits,
}

/// What became of the events for a receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The receiver, as it may be shown.
    pub to: String,
    /// Why the first event that was not delivered was not; those after it were not tried.
    pub ended: Result<(), Failure>,
}

impl Outbox {
    /// An outbox for these receivers.
    #[must_use]
    pub fn new(receivers: Vec<Box<dyn Receiver>>, limits: Limits) -> Self {
        Self { receivers, limits }
    }

    /// Who is told.
    pub fn receivers(&self) -> impl Iterator<Item = &dyn Receiver> {
        self.receivers.iter().map(AsRef::as_ref)
    }

    /// What sending is bounded by.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        self.limits
    }

    /// What sends events one by one.
    ///
    /// # Errors
    /// This machine cannot send.
    pub fn sender(&self) -> Result<Sender, Failure> {
        Courier::new(self.limits).map(Sender)
    }

    /// Whether nobody is told anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.receivers.is_empty()
    }

    /// Delivers events to whoever wants them; says nothing of those who want none.
    ///
    /// Returns in [`Limits::whole_time`] whatever the receivers do.
    pub async fn deliver(&self, events: &[Event]) -> Vec<Delivery> {
        let told = self.receivers.iter().filter_map(|receiver| {
            let requests: Vec<_> =
                events.iter().filter_map(|event| receiver.request(event)).collect();
            (!requests.is_empty()).then_some((receiver, requests))
        });
        let told: Vec<_> = told.collect();
        if told.is_empty() {
            return Vec::new();
        }
        let courier = &Courier::new(self.limits);
        let each = told.iter().map(|(receiver, requests)| {
            let work = async move {
                let courier = courier.as_ref().map_err(|failure| *failure)?;
                for request in requests {
                    courier.carry(request).await?;
                }
                Ok(())
            };
            async {
                let ended = timeout(self.limits.whole_time, work).await;
                Delivery { to: receiver.shown(), ended: ended.unwrap_or(Err(Failure::TimedOut)) }
            }
        });
        join_all(each).await
    }
}

/// Sends events one by one.
pub struct Sender(Courier);

impl Sender {
    /// Sends an event until it is taken, cannot be, or was tried often enough. One that the receiver wants to know
    /// nothing of is taken.
    ///
    /// # Errors
    /// Why it was not taken.
    pub async fn send(&self, receiver: &dyn Receiver, event: &Event) -> Result<(), Failure> {
        match receiver.request(event) {
            Some(request) => self.0.carry(&request).await,
            None => Ok(()),
        }
    }
}
