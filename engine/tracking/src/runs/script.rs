//! What kind of command was executed, by a word that never changes its meaning.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::retention::RecordClass;

const WORD_BYTES_MAX: usize = 40;

/// Which records an execution belongs to, and so how long they are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// What was read and written, and how it went.
    Execution,
    /// Who decrypted, unmasked, approved or handed out what.
    Security,
    /// What proves that rules were kept: deletions, verifications.
    Compliance,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 3] = [Self::Execution, Self::Security, Self::Compliance];

    /// The word for it in records.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Execution => "execution",
            Self::Security => "security",
            Self::Compliance => "compliance",
        }
    }
}

/// How retention calls it.
impl From<Class> for RecordClass {
    fn from(class: Class) -> Self {
        match class {
            Class::Execution => Self::Executions,
            Class::Security => Self::Security,
            Class::Compliance => Self::Compliance,
        }
    }
}

/// The kind of a command: a lower-case word, `run` or `metadata_decrypt`.
///
/// Open: a record of a later engine, or of a component, may hold a word that this one does not know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScriptType(Cow<'static, str>);

/// Text that is no such word. It is not quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a lower-case word of letters, digits and `_`, of at most {WORD_BYTES_MAX}")]
pub struct WordError;

macro_rules! script_types {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $class:ident;)*) => {
        impl ScriptType {
            $($(#[$doc])* pub const $name: Self = Self(Cow::Borrowed($word));)*

            const KNOWN: &'static [(&'static str, Class)] = &[$(($word, Class::$class)),*];
        }
    };
}

script_types! {
    /// An approval was given.
    APPROVE = "approve", Security;
    /// Rows of a subject were forgotten.
    FORGET = "forget", Compliance;
    /// Keys were handed out.
    KEYS_EXPORT = "keys_export", Security;
    /// A keyring was made.
    KEYS_INIT = "keys_init", Security;
    /// A key has a new version.
    KEYS_ROTATE = "keys_rotate", Security;
    /// An export went into a database.
    LOAD = "load", Execution;
    /// Sealed metadata was opened.
    METADATA_DECRYPT = "metadata_decrypt", Security;
    /// Metadata of sources was read.
    METADATA_EXTRACT = "metadata_extract", Execution;
    /// What changed in sources was opened.
    METADATA_HISTORY = "metadata_history", Security;
    /// A sealed file of metadata was opened, by Git for example.
    METADATA_SHOW = "metadata_show", Security;
    /// SQL over exports, history and records.
    QUERY = "query", Execution;
    /// What was due went.
    RETENTION_APPLY = "retention_apply", Compliance;
    /// What failed was done again.
    RETRY = "retry", Execution;
    /// Exports were made.
    RUN = "run", Execution;
    /// A masked preview.
    SHOW = "show", Execution;
    /// Tests of committed exports.
    TEST = "test", Execution;
    /// Masked values were turned back.
    UNMASK = "unmask", Security;
    /// Manifests, digests and chains were checked.
    VERIFY = "verify", Compliance;
}

impl ScriptType {
    /// The word.
    #[must_use]
    pub fn word(&self) -> &str {
        &self.0
    }

    /// Which records it belongs to; a word that is not known, to those of executions.
    #[must_use]
    pub fn class(&self) -> Class {
        let known = Self::KNOWN.iter().find(|(word, _)| *word == self.0);
        known.map_or(Class::Execution, |(_, class)| *class)
    }
}

impl FromStr for ScriptType {
    type Err = WordError;

    fn from_str(word: &str) -> Result<Self, WordError> {
        if let Some((known, _)) = Self::KNOWN.iter().find(|(known, _)| *known == word) {
            return Ok(Self(Cow::Borrowed(known)));
        }
        let is_inside = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        let begins = word.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
        if !begins || word.len() > WORD_BYTES_MAX || !word.bytes().all(is_inside) {
            return Err(WordError);
        }
        Ok(Self(Cow::Owned(word.to_owned())))
    }
}

impl fmt::Display for ScriptType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl Serialize for ScriptType {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ScriptType {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(Word)
    }
}

struct Word;

impl de::Visitor<'_> for Word {
    type Value = ScriptType;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&WordError, out)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<ScriptType, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_tomorrow_is_read() {
        let later: ScriptType = "profile_columns2".parse().unwrap();
        assert_eq!((later.word(), later.class()), ("profile_columns2", Class::Execution));
    }

    #[test]
    fn what_is_no_word_is_refused() {
        for text in ["", "Run", "run now", "2run", "_run", "rün", &"r".repeat(41)] {
            assert_eq!(text.parse::<ScriptType>(), Err(WordError), "{text}");
        }
    }

    #[test]
    fn known_words_are_sorted_words() {
        assert!(ScriptType::KNOWN.is_sorted_by(|before, after| before.0 < after.0));
        for (word, class) in ScriptType::KNOWN {
            let parsed: ScriptType = word.parse().unwrap();
            assert_eq!((parsed.word(), parsed.class()), (*word, *class));
        }
    }
}
