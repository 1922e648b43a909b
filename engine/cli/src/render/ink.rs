//! Documents on a terminal: lines no longer than it is wide, and in colour what must not be overlooked.
//!
//! ```text
//!  width 40:  ! customers.Email  unmasked: email ->     continued lines stand two columns further in
//!               as it is
//! ```

use anstyle::{AnsiColor, Style};
use textwrap::{Options, WordSeparator, WordSplitter};

use crate::console::Paper;

/// How a word is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// As it is.
    Plain,
    /// What others are listed under, and who answers for something.
    Heading,
    /// What can be read that could not before.
    Alarm,
    /// What only helps to find something.
    Quiet,
}

impl Paper {
    /// The text in this ink, where the paper takes colours.
    pub(crate) fn paint(self, ink: Ink, text: &str) -> String {
        let style = match ink {
            Ink::Plain => return text.to_owned(),
            Ink::Heading => Style::new().bold(),
            Ink::Alarm => AnsiColor::Red.on_default().bold(),
            Ink::Quiet => Style::new().dimmed(),
        };
        if self.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// A line this far in, and the lines it continues on where it is longer than the paper is wide. A
    /// word that is too long for a line of its own is left whole.
    pub(crate) fn lines(self, indent: usize, text: &str) -> String {
        let first = " ".repeat(indent);
        let Some(width) = self.width else { return format!("{first}{text}\n") };
        let next = " ".repeat(indent.saturating_add(2));
        let options = Options::new(width)
            .initial_indent(&first)
            .subsequent_indent(&next)
            .break_words(false)
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation);
        textwrap::fill(text, options) + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_continue_further_in_and_colour_takes_no_room() {
        let text = "one two three four";
        let paper = Paper { width: Some(12), color: true };
        let painted = paper.paint(Ink::Alarm, text);
        assert_eq!(paper.lines(2, text), "  one two\n    three\n    four\n");
        assert_eq!(
            paper.lines(2, &painted).lines().map(str::len).max(),
            Some("    four\u{1b}[0m".len().max("\u{1b}[1m\u{1b}[31m  one two".len()))
        );
    }

    #[test]
    fn a_file_gets_each_line_whole_and_plain() {
        let paper = Paper::default();
        let text = "word ".repeat(100);
        assert_eq!(paper.lines(2, &paper.paint(Ink::Alarm, &text)), format!("  {text}\n"));
    }
}
