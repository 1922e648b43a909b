//! What a project says of its JSON lines.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::SourceError;
use crate::files::compression::Compression;
use crate::params::invalid;

/// The largest bound on a line that can be asked for: Arrow's string offsets end at 2³¹.
const LINE_BYTES_MAX: usize = 1 << 30;

/// How JSON lines are read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "JsonLines")]
pub(crate) struct JsonlOptions {
    /// How the file is compressed.
    pub(crate) compression: Compression,
    /// Longest line that is read, in bytes; a longer one is an error.
    #[schemars(range(min = 1, max = 1_073_741_824))]
    pub(crate) max_record_bytes: usize,
}

impl Default for JsonlOptions {
    fn default() -> Self {
        Self { compression: Compression::Auto, max_record_bytes: 16 << 20 }
    }
}

impl JsonlOptions {
    /// Checks what the types cannot say.
    pub(crate) fn check(&self) -> Result<(), SourceError> {
        if self.max_record_bytes == 0 || self.max_record_bytes > LINE_BYTES_MAX {
            return Err(invalid("max_record_bytes", "must be between 1 and 1073741824"));
        }
        Ok(())
    }
}
