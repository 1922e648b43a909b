//! `retry`: takes up the last run where it stopped.

use std::path::PathBuf;

use crate::codes::run as codes;
use crate::diagnostic::{Diagnostic, Outcome};
use crate::journal::{Journal, Line};
use crate::ops::run::{RunRequest, attempt};
use crate::report::RunReport;
use crate::request::Context;
use crate::resume;
use crate::selection::Select;

/// Runs what the last run did not finish. Committed exports stay; chunks of the others that are in the
/// store already are used again where their rows come in the same order. A run of a plan is taken up
/// with the same plan.
///
/// # Errors
/// There is no run to take up, or one of another id or target was asked for; then those of [`crate::ops::run::run`].
pub async fn retry(
    context: &Context,
    run: Option<&str>,
    plan: Option<PathBuf>,
) -> Outcome<RunReport> {
    let journal = Journal::of(&context.root);
    let nothing = |what: String| {
        Diagnostic::new(&codes::NOTHING_TO_RETRY, what).help("start a run with `engine run`")
    };
    let lines = journal.read().map_err(|_| nothing("no run has left a journal here".to_owned()))?;
    let begun = lines.iter().rev().find_map(|line| match line {
        Line::Run { run, attempt, target, exports, .. } => Some((run, *attempt, target, exports)),
        _ => None,
    });
    let (id, attempts, target, exports) =
        begun.ok_or_else(|| nothing("the journal names no run".to_owned()))?;
    if run.is_some_and(|wanted| wanted != id.as_str()) {
        let what = format!("the last run was {id}; only that one can be taken up");
        return Err(Diagnostic::new(&codes::NOTHING_TO_RETRY, what)
            .help("leave `--run` out, or start a new run with `engine run`")
            .into());
    }
    // The run it takes up is that of one target; the default one may be another.
    if context.target.as_ref().is_some_and(|wanted| wanted != target) {
        return Err(nothing(format!("run {id} was of target `{target}`")).into());
    }
    let context = Context { target: Some(target.clone()), ..context.clone() };
    if matches!(lines.last(), Some(Line::End { exit: 0, .. })) {
        return Err(nothing(format!("run {id} finished, nothing is left of it")).into());
    }
    let parsed = id.parse().map_err(|_| nothing("the journal names no run".to_owned()))?;
    let request = RunRequest { select: Select::of(exports.clone()), plan, ..RunRequest::default() };
    let earlier = resume::attempted(&lines);
    attempt(&context, &request, parsed, attempts.saturating_add(1), &earlier).await
}
