//! Which versions of the masking keys there are, without the keys.

use std::collections::BTreeMap;

use super::spec::KeyRef;

/// The masking keys that rules may name.
#[derive(Debug, Clone, Default)]
pub struct MaskingKeys {
    /// Name to newest version; `None` while no keyring was opened: any name may be right.
    pub versions: Option<BTreeMap<String, u32>>,
}

impl MaskingKeys {
    /// The newest version of the key of this name.
    ///
    /// # Errors
    /// The names there are, when the keyring lacks it.
    pub fn newest(&self, name: &str) -> Result<KeyRef, Vec<String>> {
        let version = match &self.versions {
            None => 1,
            Some(versions) => match versions.get(name) {
                Some(version) => *version,
                None => return Err(versions.keys().cloned().collect()),
            },
        };
        Ok(KeyRef { name: name.to_owned(), version })
    }
}
