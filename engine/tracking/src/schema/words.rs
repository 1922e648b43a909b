//! Text out of a catalog, which may hold personal data: shown only where somebody asked for it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A text somebody wrote into a catalog: a default, the literal of a check, a label, a comment.
///
/// A default such as `'ask Anna Meyer'` is data like any other. A catalog is read as `Kept`; what is
/// recorded is the keyed digest, so that a change is still noticed, unless the policy asks for the text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Words {
    /// The text itself.
    Kept(String),
    /// What stands for it: a digest under a key of the caller's.
    Digest(String),
}

impl Words {
    /// The text as a catalog gives it.
    #[must_use]
    pub fn kept(text: impl Into<String>) -> Self {
        Self::Kept(text.into())
    }

    /// The text, where it was kept.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Kept(text) => Some(text),
            Self::Digest(_) => None,
        }
    }

    /// The text, or words that say that it was not kept.
    #[must_use]
    pub fn shown(&self) -> &str {
        self.text().unwrap_or("(not kept)")
    }

    /// Puts the digest in the text's place. A digest stays as it is.
    pub(crate) fn replace(&mut self, digest: &dyn Fn(&str) -> String) {
        if let Self::Kept(text) = self {
            *self = Self::Digest(digest(text));
        }
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept(_) => out.write_str("Kept(…)"),
            Self::Digest(digest) => write!(out, "Digest({digest})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_the_text() {
        assert_eq!(format!("{:?}", Words::kept("Anna Meyer")), "Kept(…)");
        assert_eq!(format!("{:#?}", Some(Words::kept("Anna"))), "Some(\n    Kept(…),\n)");
    }

    #[test]
    fn a_digest_is_not_digested_again() {
        let mut words = Words::kept("a");
        words.replace(&|text| format!("{text}!"));
        words.replace(&|text| format!("{text}!"));
        assert_eq!(words, Words::Digest("a!".to_owned()));
        assert_eq!(words.shown(), "(not kept)");
    }
}
