//! What a receiver is: who wants which events, and as which requests.

use reqwest::Method;
use reqwest::header::HeaderMap;
use url::Url;
use zeroize::Zeroizing;

use crate::event::Event;

/// Another system that is told of events.
pub trait Receiver: Send + Sync {
    /// What it is and where, as it may be shown.
    fn shown(&self) -> String;

    /// What tells it from every other: its kind and all of its URL. It may be a secret, and is never shown.
    fn place(&self) -> Zeroizing<String>;

    /// The event as this receiver wants it: equal for equal events. None where it wants to know nothing of it.
    fn request(&self, event: &Event) -> Option<Request>;
}

/// A request to be made.
#[derive(Clone)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}
