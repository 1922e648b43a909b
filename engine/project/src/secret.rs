//! Text that may be a secret: wiped when dropped, never printed, never serialised.

use std::fmt;

use zeroize::Zeroizing;

/// A setting that may hold a secret. `Debug` prints `[secret]`; there is no `Display` and
/// no `Serialize`; [`Setting::reveal`] is the one way to the text, so that every use shows in a review.
#[derive(Clone, PartialEq, Eq)]
pub struct Setting {
    text: Zeroizing<String>,
    secret: bool,
    /// The text is JSON for a number or a boolean, not text.
    typed: bool,
}

impl Setting {
    /// A setting that was written in clear in a file.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: Zeroizing::new(text.into()), secret: false, typed: false }
    }

    /// A setting that came from the environment.
    #[must_use]
    pub fn secret(text: impl Into<String>) -> Self {
        Self { text: Zeroizing::new(text.into()), secret: true, typed: false }
    }

    /// A secret that is a number or a boolean, such as `env_var('PORT') | int`.
    pub(crate) fn secret_scalar(value: &serde_json::Value) -> Self {
        Self::secret_text(&value.to_string(), true)
    }

    /// A secret; `typed` says that the text is JSON for a number or a boolean.
    pub(crate) fn secret_text(text: &str, typed: bool) -> Self {
        Self { text: Zeroizing::new(text.to_owned()), secret: true, typed }
    }

    /// Whether the text is JSON for a number or a boolean.
    pub(crate) const fn is_typed(&self) -> bool {
        self.typed
    }

    /// The value as JSON, in clear.
    pub(crate) fn reveal_json(&self) -> serde_json::Value {
        let typed = self.typed.then(|| serde_json::from_str(&self.text).ok()).flatten();
        typed.unwrap_or_else(|| serde_json::Value::String(self.text.to_string()))
    }

    /// The text itself. Do not put it into a message, a log or a file.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// Whether the environment had a part in the text.
    #[must_use]
    pub const fn is_secret(&self) -> bool {
        self.secret
    }

    /// The text when it is no secret, else `[secret]`.
    #[must_use]
    pub fn shown(&self) -> &str {
        if self.secret { "[secret]" } else { &self.text }
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.shown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        assert_eq!(format!("{:?}", Setting::secret("canary")), "\"[secret]\"");
        assert_eq!(format!("{:?}", Setting::plain("a.csv")), "\"a.csv\"");
    }
}
