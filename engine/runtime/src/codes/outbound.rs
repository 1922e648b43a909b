//! E11xx: other systems that are told of operations.
//!
//! ```text
//!  profiles.yml ──E1101──▶ operation ──▶ record ──E1102──▶ receivers
//! ```

use super::Code;
use crate::exit::Exit;

/// Every code of this range, in ascending order.
pub const ALL: &[&Code] = &[&DESTINATION_INVALID, &UNDELIVERED];

/// A destination that cannot be used.
pub static DESTINATION_INVALID: Code = Code {
    id: "E1101",
    title: "A destination of events cannot be used",
    exit: Exit::DoesNotCompile,
    what: "A URL under `events:` of the target is none, is neither `https` nor on this machine, or has a user or \
           a password in it; or a secret or an API key is not of the form that the receiver takes.",
    why: "What is sent in clear can be read and changed on the way, and what is signed with a short secret can be \
          forged. It is said before anything is done, not when somebody waits for the notice.",
    example: "events:\n  - webhook: {url: \"http://hooks.example.com/x\", secret: \"{{ env_var('HOOK_SECRET') }}\"}",
    fix: "Use `https`; `http` is for 127.0.0.1, ::1 and localhost. A webhook's secret is `whsec_` and base64 of 24 to \
          64 bytes: `echo whsec_$(openssl rand -base64 32)`.",
};

/// Events that a destination did not take.
pub static UNDELIVERED: Code = Code {
    id: "E1102",
    title: "Events were not delivered",
    exit: Exit::Unavailable,
    what: "A destination under `events:` of the target could not be reached, did not answer in time, or refused what \
           it was sent, after all tries; or a file could not be written; or what was kept for a destination had to go: \
           it is no longer declared, or more than 1,000 events or 32 MiB were kept for it.",
    why: "The operation went on all the same, and its record in the store is whole: telling others is never a reason \
          to fail. This is a warning, because somebody may wait for what did not come.",
    example: "events:\n  - pushgateway: {url: \"http://127.0.0.1:9091\"}     # where none is running",
    fix: "Bring the destination up. OpenLineage events and webhooks that it did not take are kept in the store, and the \
          next command sends them under the same keys; to another URL they are never sent, and correcting it removes \
          them. Metrics are not kept: the next ones say all of it. `engine history` and `engine report` have all that \
          was not delivered.",
};
