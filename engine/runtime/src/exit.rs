//! Exit codes, documented in one place. A code names a cause; it is never a count.

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Everything asked for was done.
    Ok,
    /// Some exports or tests failed.
    Failed,
    /// `plan --detailed-exitcode`: there are changes.
    Changes,
    /// The selection matched nothing.
    NothingSelected,
    /// A privacy gate refused; nothing was published.
    GateRefused,
    /// The plan no longer matches what it was made from.
    StalePlan,
    /// Another writer committed first, or holds the store.
    Locked,
    /// The command line could not be understood.
    Usage,
    /// The project does not compile.
    DoesNotCompile,
    /// A source or the store cannot be reached or read.
    Unavailable,
    /// A defect of the engine.
    Internal,
    /// A key or a permission was refused.
    KeyRefused,
    /// Stopped by the interrupt signal.
    Interrupted,
}

impl Exit {
    /// Every exit code, in ascending order.
    pub const ALL: &'static [Exit] = &[
        Exit::Ok,
        Exit::Failed,
        Exit::Changes,
        Exit::NothingSelected,
        Exit::GateRefused,
        Exit::StalePlan,
        Exit::Locked,
        Exit::Usage,
        Exit::DoesNotCompile,
        Exit::Unavailable,
        Exit::Internal,
        Exit::KeyRefused,
        Exit::Interrupted,
    ];

    /// The process's exit status.
    pub fn status(self) -> u8 {
        match self {
            Exit::Ok => 0,
            Exit::Failed => 1,
            Exit::Changes => 2,
            Exit::NothingSelected => 3,
            Exit::GateRefused => 4,
            Exit::StalePlan => 5,
            Exit::Locked => 6,
            Exit::Usage => 64,
            Exit::DoesNotCompile => 65,
            Exit::Unavailable => 69,
            Exit::Internal => 70,
            Exit::KeyRefused => 77,
            Exit::Interrupted => 130,
        }
    }

    /// One line for the reference page.
    pub fn meaning(self) -> &'static str {
        match self {
            Exit::Ok => "everything asked for was done",
            Exit::Failed => "some exports or tests failed",
            Exit::Changes => "there are changes (plan --detailed-exitcode)",
            Exit::NothingSelected => "the selection matched nothing",
            Exit::GateRefused => "a privacy gate refused, nothing was published",
            Exit::StalePlan => "the plan is stale",
            Exit::Locked => "another run is at work, or committed first",
            Exit::Usage => "the command line could not be understood",
            Exit::DoesNotCompile => "the project does not compile",
            Exit::Unavailable => "a source or the store is unavailable",
            Exit::Internal => "a defect of the engine",
            Exit::KeyRefused => "a key or a permission was refused",
            Exit::Interrupted => "interrupted by a signal (143 for SIGTERM)",
        }
    }
}
