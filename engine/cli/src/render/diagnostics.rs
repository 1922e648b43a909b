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

use engine_runtime::diagnostic::{Diagnostic, Failure};
use engine_runtime::project::{Location, SourceMap};
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Severity, SourceCode,
};

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

/// How many findings there are, and how to read more about the first cause.
fn footer(failure: &Failure) -> String {
    let count = failure.diagnostics.len();
    let findings = if count == 1 { String::from("1 error") } else { format!("{count} errors") };
    match failure.diagnostics.first() {
        Some(first) => {
            format!("{findings}. `engine explain {}` tells more about it.", first.code.id)
        }
        None => findings,
    }
}

/// One finding, or one of its places in another file, as miette wants it.
struct Report {
    code: Option<&'static str>,
    message: String,
    help: Option<String>,
    source: Option<NamedSource<String>>,
    labels: Vec<LabeledSpan>,
    elsewhere: Vec<Report>,
}

impl Report {
    fn new(diagnostic: &Diagnostic, files: Option<&SourceMap>) -> Self {
        let mut report = Self {
            code: Some(diagnostic.code.id),
            message: diagnostic.message.clone(),
            help: diagnostic.help.clone(),
            source: None,
            labels: Vec::new(),
            elsewhere: Vec::new(),
        };
        let Some(files) = files else { return report };
        let home = diagnostic.at.as_ref().map(|(at, _)| at.file);
        if let Some((at, label)) = &diagnostic.at {
            report.source = source(*at, files);
            report.labels.push(LabeledSpan::new_primary_with_span(Some(label.clone()), span(*at)));
        }
        for (at, label) in &diagnostic.related {
            if Some(at.file) == home {
                report.labels.push(LabeledSpan::new_with_span(Some(label.clone()), span(*at)));
            } else {
                report.elsewhere.push(Self {
                    code: None,
                    message: label.clone(),
                    help: None,
                    source: source(*at, files),
                    labels: vec![LabeledSpan::new_with_span(None, span(*at))],
                    elsewhere: Vec::new(),
                });
            }
        }
        report
    }
}

fn span(at: Location) -> (usize, usize) {
    (at.start as usize, at.len())
}

/// The file's text with control characters overwritten, byte for byte, so that a file cannot drive
/// the terminal and ranges stay right.
fn source(at: Location, files: &SourceMap) -> Option<NamedSource<String>> {
    let file = files.get(at.file)?;
    let mut text = String::with_capacity(file.text.len());
    for character in file.text.chars() {
        if character.is_control() && !matches!(character, '\n' | '\r' | '\t') {
            text.extend(std::iter::repeat_n('?', character.len_utf8()));
        } else {
            text.push(character);
        }
    }
    Some(NamedSource::new(&file.path, text))
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
        Some(if self.code.is_some() { Severity::Error } else { Severity::Advice })
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
    fn all_findings_are_drawn_and_counted() {
        let findings = vec![
            Diagnostic::new(&names::UNKNOWN_CLASS, "first"),
            Diagnostic::new(&names::UNKNOWN_TABLE, "second"),
        ];
        let text = render(&findings.into(), &plain());
        assert!(text.contains("× first") && text.contains("× second"), "{text}");
        assert!(text.contains("2 errors. `engine explain E0207`"), "{text}");
    }
}
