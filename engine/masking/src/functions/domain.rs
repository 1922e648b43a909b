//! How small the domain of a permutation may be: in a small one, whoever sees enough of it can list it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::params::TEXT_BYTES_MAX;
use crate::error::BindError;

/// Least number of values: NIST SP 800-38G, revision 1 (draft), section 5.1.
const DOMAIN_MIN: u128 = 1_000_000;

/// Least number of values with leave: NIST SP 800-38G (2016), section 5.1.
const DOMAIN_MIN_WITH_LEAVE: u128 = 100;

/// Who answers for a domain of fewer than a million values, and why it must be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SmallDomain {
    /// Who answers for it.
    owner: String,
    /// Why it is needed.
    reason: String,
}

/// The least number of values a domain may have.
pub(super) fn least(leave: Option<&SmallDomain>) -> Result<u128, BindError> {
    let Some(SmallDomain { owner, reason }) = leave else { return Ok(DOMAIN_MIN) };
    let says = |text: &str| !text.trim().is_empty() && text.len() <= TEXT_BYTES_MAX;
    if says(owner) && says(reason) {
        return Ok(DOMAIN_MIN_WITH_LEAVE);
    }
    let expected = "an owner and a reason, each a text of at most 1000 bytes";
    Err(BindError::out_of_range("allow_small_domain", expected))
}
