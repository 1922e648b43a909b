//! Who is told of operations.

use crate::location::Spanned;
use crate::secret::Setting;

/// Another system that is told of operations. URLs are not read here.
#[derive(Clone, Debug)]
pub enum Destination {
    /// OpenLineage events over HTTP.
    OpenLineage {
        /// Where they are sent.
        url: Spanned<Setting>,
        /// What the receiver knows the sender by.
        api_key: Option<Spanned<Setting>>,
    },
    /// OpenLineage events, one a line.
    OpenLineageFile {
        /// Path relative to the project.
        file: Spanned<Setting>,
    },
    /// Metrics in Prometheus' text format.
    Prometheus {
        /// Path relative to the project.
        file: Spanned<Setting>,
    },
    /// The same metrics to a Pushgateway.
    Pushgateway {
        /// Where it is.
        url: Spanned<Setting>,
        /// The job they are grouped under; not empty.
        job: String,
    },
    /// Signed notices.
    Webhook {
        /// Where they are sent.
        url: Spanned<Setting>,
        /// What they are signed with.
        secret: Spanned<Setting>,
        /// What they are sent for; at least one.
        when: Vec<Topic>,
    },
}

/// What a notice is sent for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// An operation began.
    Started,
    /// It did what it was to do.
    Succeeded,
    /// It did not.
    Failed,
    /// It is one that security has to know of.
    Security,
}
