//! Findings for people, drawn by miette: code, place in the user's file, why, how to mend it.
//!
//! ```text
//!  E0121
//!    × unknown key `form` in exports[0]
//!     ╭─[exports/customers.yml:3:5]
//!   3 │     form: source('crm', 'customers')
//!     ·     ──┬─
//!     ·       ╰── did you mean `from`?
//!     ╰────
//!    help: valid keys: name, from, …
//! ```

use std::fmt;

use engine_runtime::diagnostic::{Diagnostic, Failure, Level};
use engine_runtime::project::{Location, SourceMap};
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, Severity, SourceCode, SourceSpan,
};

use super::excerpt::Excerpt;
use crate::console::Console;

/// All findings, and where to read more.
pub(crate) fn render(failure: &Failure, console: &Console) -> String {
    let theme =
        if console.color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(console.width)
        .with_links(false)
        .with_break_words(false)
        .with_context_lines(1);
    let mut text = String::new();
    for diagnostic in &failure.diagnostics {
        let report = Report::new(diagnostic, failure.files.as_deref());
        // Writing to a String cannot fail; a report that cannot be drawn is still said in words.
        if handler.render_report(&mut text, &report).is_err() {
            text.push_str(&format!("{}: {}\n", diagnostic.code.id, diagnostic.message));
        }
        text.push('\n');
    }
    text.push_str(&footer(failure));
    text
}

/// How many findings there are, and how to read more about them.
fn footer(failure: &Failure) -> String {
    let warning = |finding: &&Diagnostic| finding.level == Level::Warning;
    let warnings = failure.diagnostics.iter().filter(warning).count();
    let errors = failure.diagnostics.len().saturating_sub(warnings);
    let counted = |count: usize, what: &str| match count {
        0 => None,
        1 => Some(format!("1 {what}")),
        _ => Some(format!("{count} {what}s")),
    };
    let findings = [counted(errors, "error"), counted(warnings, "warning")];
    let findings = findings.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let mut codes: Vec<_> = failure.diagnostics.iter().map(|finding| finding.code.id).collect();
    codes.dedup();
    match codes.as_slice() {
        [] => findings,
        [code] => format!("{findings}. `engine explain {code}` tells more about it."),
        [code, ..] => format!("{findings}. `engine explain {code}` tells more about the first."),
    }
}

/// One finding, or one of its places in another file, as miette wants it.
struct Report {
    code: Option<&'static str>,
    severity: Severity,
    message: String,
    help: Option<String>,
    source: Option<Excerpt>,
    labels: Vec<LabeledSpan>,
    elsewhere: Vec<Report>,
}

impl Report {
    fn new(diagnostic: &Diagnostic, files: Option<&SourceMap>) -> Self {
        let mut report = Self {
            code: Some(diagnostic.code.id),
            severity: match diagnostic.level {
                Level::Error => Severity::Error,
                Level::Warning => Severity::Warning,
            },
            message: diagnostic.message.clone(),
            help: diagnostic.help.clone(),
            source: None,
            labels: Vec::new(),
            elsewhere: Vec::new(),
        };
        let Some(files) = files else { return report };
        let home = diagnostic.at.as_ref().map(|(at, _)| at.file);
        let (near, far): (Vec<_>, Vec<_>) =
            diagnostic.related.iter().partition(|(at, _)| Some(at.file) == home);
        if let Some((at, label)) = &diagnostic.at {
            let places: Vec<_> =
                std::iter::once(at).chain(near.iter().map(|(at, _)| at)).map(place).collect();
            report.source = excerpt(at, files, &places);
            report.label(at, label, LabeledSpan::new_primary_with_span);
            for (at, label) in near {
                report.label(at, label, LabeledSpan::new_with_span);
            }
        }
        report.elsewhere = far.iter().map(|(at, label)| Self::of_place(at, label, files)).collect();
        report
    }

    /// A place in another file than the finding's.
    fn of_place(at: &Location, label: &str, files: &SourceMap) -> Self {
        let source = excerpt(at, files, &[place(at)]);
        let span = source.as_ref().map(|excerpt| excerpt.span(place(at)));
        Self {
            code: None,
            severity: Severity::Advice,
            message: label.to_owned(),
            help: None,
            labels: span.map(|span| LabeledSpan::new_with_span(None, span)).into_iter().collect(),
            source,
            elsewhere: Vec::new(),
        }
    }

    fn label(
        &mut self,
        at: &Location,
        words: &str,
        make: fn(Option<String>, SourceSpan) -> LabeledSpan,
    ) {
        if let Some(excerpt) = &self.source {
            self.labels.push(make(Some(words.to_owned()), excerpt.span(place(at))));
        }
    }
}

fn place(at: &Location) -> (usize, usize) {
    (at.start as usize, at.len())
}

fn excerpt(at: &Location, files: &SourceMap, places: &[(usize, usize)]) -> Option<Excerpt> {
    files.get(at.file).map(|file| Excerpt::new(&file.path, &file.text, places))
}

impl fmt::Debug for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Report {}

impl miette::Diagnostic for Report {
    fn code(&self) -> Option<Box<dyn fmt::Display + '_>> {
        self.code.map(|code| Box::new(code) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<Severity> {
        Some(self.severity)
    }

    fn help(&self) -> Option<Box<dyn fmt::Display + '_>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        if self.labels.is_empty() { None } else { Some(Box::new(self.labels.iter().cloned())) }
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        if self.elsewhere.is_empty() {
            return None;
        }
        Some(Box::new(self.elsewhere.iter().map(|report| report as &dyn miette::Diagnostic)))
    }
}

#[cfg(test)]
mod tests {
    use engine_runtime::codes::{config, names};

    use super::*;
    use crate::console::{ColorChoice, Loudness};

    fn plain() -> Console {
        let console = Console::new(ColorChoice::Never, true, Loudness::Normal);
        Console { width: 80, ..console }
    }

    #[test]
    fn a_finding_without_a_place_has_code_words_and_help() {
        let finding = Diagnostic::new(&config::NOT_A_PROJECT, "`x` is not a project").help("mend");
        let text = render(&finding.into(), &plain());
        assert!(text.starts_with("E0101\n"), "{text}");
        assert!(text.contains("× `x` is not a project") && text.contains("help: mend"), "{text}");
        assert!(text.ends_with("1 error. `engine explain E0101` tells more about it."), "{text}");
    }

    #[test]
    fn warnings_are_drawn_and_counted_apart() {
        let finding = |words: &str| Diagnostic::new(&names::UNKNOWN_CLASS, words);
        let findings = vec![finding("first"), finding("second").as_warning()];
        let text = render(&findings.into(), &plain());
        assert!(text.contains("× first") && text.contains("⚠ second"), "{text}");
        assert!(text.contains("1 error, 1 warning. "), "{text}");
    }

    #[test]
    fn all_findings_are_drawn_and_counted() {
        let findings = vec![
            Diagnostic::new(&names::UNKNOWN_CLASS, "first"),
            Diagnostic::new(&names::UNKNOWN_TABLE, "second"),
        ];
        let text = render(&findings.into(), &plain());
        assert!(text.contains("× first") && text.contains("× second"), "{text}");
        let last = "2 errors. `engine explain E0207` tells more about the first.";
        assert!(text.ends_with(last), "{text}");
    }
}
