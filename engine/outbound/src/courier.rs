//! Requests on their way: bounded in time, size and tries, and never to another place than was asked for.

use std::time::Duration;

use reqwest::{Client, StatusCode, redirect};
use tokio::time::sleep;

use crate::receiver::Request;

/// What the sender calls itself.
const USER_AGENT: &str = concat!("engine/", env!("CARGO_PKG_VERSION"));

/// What sending is bounded by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Tries of an event, at least one.
    pub tries: u32,
    /// How long a try may take.
    pub try_time: Duration,
    /// The pause after the first try; it doubles with each.
    pub pause: Duration,
    /// How long all events, with all their tries, may take for a receiver.
    pub whole_time: Duration,
    /// Bytes of an event.
    pub body_bytes_max: usize,
}

/// A receiver that is away for a moment is reached; one that hangs holds a command up for 10 seconds.
impl Default for Limits {
    fn default() -> Self {
        Self {
            tries: 4,
            try_time: Duration::from_secs(5),
            pause: Duration::from_millis(250),
            whole_time: Duration::from_secs(10),
            body_bytes_max: 8 << 20,
        }
    }
}

/// Why an event was not delivered: words of this crate, nothing of what was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No connection: no such host, nobody listens, or its certificate is not trusted.
    #[error("it cannot be reached")]
    Unreachable,
    /// It took too long.
    #[error("it did not answer in time")]
    TimedOut,
    /// It answered with another status than success.
    #[error("it answered with status {0}")]
    Refused(u16),
    /// It named another place, which nobody has agreed to.
    #[error("it answered with status {0}, a redirect, which is not followed")]
    Redirected(u16),
    /// The event is larger than what is sent.
    #[error("the event has more than {0} bytes")]
    TooLarge(usize),
    /// This machine cannot send: its certificates cannot be read.
    #[error("this machine has no certificates that can be used")]
    NoClient,
}

impl Failure {
    /// Whether the event is what was refused, so that others may be taken (RFC 9110, 15.5): any other failure is of
    /// the receiver, or of the way there.
    #[must_use]
    pub const fn is_of_event(self) -> bool {
        matches!(self, Self::TooLarge(_) | Self::Refused(400 | 413 | 415 | 422))
    }

    /// Whether another try may go better (RFC 9110, 15.5 and 15.6; RFC 6585, 4).
    const fn may_pass(self) -> bool {
        match self {
            Self::Unreachable | Self::TimedOut => true,
            Self::Refused(status) => matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504),
            Self::Redirected(_) | Self::TooLarge(_) | Self::NoClient => false,
        }
    }
}

/// Carries requests.
pub(crate) struct Courier {
    client: Client,
    limits: Limits,
}

impl Courier {
    pub(crate) fn new(limits: Limits) -> Result<Self, Failure> {
        let client = Client::builder()
            .user_agent(USER_AGENT)
            .redirect(redirect::Policy::none())
            // What the environment says about proxies is not this crate's to read.
            .no_proxy()
            .connect_timeout(limits.try_time)
            .timeout(limits.try_time)
            .build()
            .map_err(|_| Failure::NoClient)?;
        Ok(Self { client, limits })
    }

    /// Sends a request until it is taken, cannot be, or was tried often enough.
    pub(crate) async fn carry(&self, request: &Request) -> Result<(), Failure> {
        if request.body.len() > self.limits.body_bytes_max {
            return Err(Failure::TooLarge(self.limits.body_bytes_max));
        }
        let mut pause = self.limits.pause;
        for _ in 1..self.limits.tries {
            match self.once(request).await {
                Err(failure) if failure.may_pass() => sleep(pause).await,
                ended => return ended,
            }
            pause = pause.saturating_mul(2);
        }
        self.once(request).await
    }

    async fn once(&self, request: &Request) -> Result<(), Failure> {
        let Request { method, url, headers, body } = request.clone();
        let sent = self.client.request(method, url).headers(headers).body(body).send().await;
        // The answer's body is dropped unread, and with it the connection.
        match sent {
            Ok(answer) => judged(answer.status()),
            Err(error) if error.is_timeout() => Err(Failure::TimedOut),
            Err(_) => Err(Failure::Unreachable),
        }
    }
}

fn judged(status: StatusCode) -> Result<(), Failure> {
    match status {
        status if status.is_success() => Ok(()),
        status if status.is_redirection() => Err(Failure::Redirected(status.as_u16())),
        status => Err(Failure::Refused(status.as_u16())),
    }
}
