//! Normalisation of text before it is keyed, so that spellings that mean the same
//! value map alike.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;

/// One step; steps run in the order written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Normal {
    /// Removes white space at both ends.
    Trim,
    /// Maps each character to its Unicode lower case.
    Casefold,
}

/// The text as it is keyed. Costs nothing when there is nothing to do.
#[inline]
pub(crate) fn normalize<'a>(steps: &[Normal], text: &'a str) -> Cow<'a, str> {
    let mut text = Cow::Borrowed(text);
    for step in steps {
        text = match (step, text) {
            (Normal::Trim, Cow::Borrowed(text)) => Cow::Borrowed(text.trim()),
            (Normal::Trim, Cow::Owned(text)) => Cow::Owned(text.trim().to_owned()),
            (Normal::Casefold, text) if text.is_ascii() => {
                match text.bytes().any(|byte| byte.is_ascii_uppercase()) {
                    true => Cow::Owned(text.to_ascii_lowercase()),
                    false => text,
                }
            }
            (Normal::Casefold, text) => {
                // Per character: unlike `str::to_lowercase`, without the rule for a final sigma.
                Cow::Owned(text.chars().flat_map(char::to_lowercase).collect())
            }
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_run_in_order() {
        let both = [Normal::Trim, Normal::Casefold];
        assert_eq!(normalize(&both, "  ÉMILE@X.org\n"), "émile@x.org");
        assert_eq!(normalize(&[Normal::Casefold, Normal::Trim], " ΣΑΣ "), "σασ");
        assert_eq!(normalize(&[], " A "), " A ");
    }
}
