//! What becomes of a value that is not of a function's domain.

use arrow::array::ArrayRef;
use schemars::JsonSchema;
use serde::Deserialize;

use super::token::{Token, hex};
use crate::error::{BindError, BindErrorKind, MaskError};
use crate::forms::{Fit, is_text};
use crate::function::{BindContext, Function};
use crate::key::LinkageKey;

/// What is written for a value that is hidden.
const REDACTED: &[u8] = b"[redacted]";

/// Hex digits of a token of 128 bits.
const TOKEN_LENGTH: usize = 32;

/// What becomes of a value that does not fit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Otherwise {
    /// The batch is refused, and the error says how many there are.
    #[default]
    Error,
    /// It becomes null.
    Null,
    /// It becomes `[redacted]`; only in columns of text.
    Redact,
    /// It becomes what `token` makes of it in the same linkage; only in columns of text.
    Token,
}

/// An [`Otherwise`], bound to a column.
#[derive(Debug, Clone)]
pub(super) enum Misfits {
    Error,
    Null,
    Redact,
    Token(LinkageKey),
}

impl Otherwise {
    /// Binds it. Text may stand for a value in columns of text only.
    pub(super) fn bound(self, context: &BindContext<'_>) -> Result<Misfits, BindError> {
        match self {
            Self::Error => Ok(Misfits::Error),
            Self::Null => Ok(Misfits::Null),
            _ if !is_text(context.input) => {
                Err(BindError::out_of_range("otherwise", "`error` or `null` for this column"))
            }
            Self::Redact => Ok(Misfits::Redact),
            Self::Token => (context.keys)(&Token, None).map(Misfits::Token).ok_or_else(|| {
                BindError::whole(BindErrorKind::KeyMissing { function: Token.name() })
            }),
        }
    }
}

impl Misfits {
    /// Whether every value that is masked is of the domain.
    pub(super) fn all_fit(&self) -> bool {
        matches!(self, Self::Error)
    }

    /// Writes what stands for a value that does not fit.
    #[cold]
    pub(super) fn write(&self, value: &str, out: &mut Vec<u8>) -> Fit {
        match self {
            Self::Error | Self::Null => return Fit::Null,
            Self::Redact => out.extend_from_slice(REDACTED),
            Self::Token(key) => hex(key.prf(value.as_bytes()).bytes(), TOKEN_LENGTH, out),
        }
        Fit::Replaced
    }

    /// The masked column and the number of rows that did not fit, unless they are refused.
    pub(super) fn settle(
        &self,
        (masked, unfit): (ArrayRef, u64),
    ) -> Result<(ArrayRef, u64), MaskError> {
        if unfit > 0 && self.all_fit() {
            // A batch has fewer rows than memory has bytes.
            return Err(MaskError::DoesNotFit { count: unfit as usize });
        }
        Ok((masked, unfit))
    }
}
