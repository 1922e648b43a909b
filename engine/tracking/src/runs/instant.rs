//! A moment as RFC 3339 text in UTC, with as many digits as it has.

use std::fmt;

use chrono::SecondsFormat;
use serde::{Deserializer, Serializer, de};

use crate::retention::Moment;

pub(super) fn text(moment: &Moment) -> String {
    moment.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

pub(super) fn serialize<S: Serializer>(moment: &Moment, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&text(moment))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Moment, D::Error> {
    from.deserialize_str(Text)
}

/// The same, or null; written only.
pub(super) mod or_null {
    use serde::{Serialize as _, Serializer};

    use super::{Moment, text};

    pub(in super::super) fn serialize<S: Serializer>(
        moment: &Option<Moment>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        moment.as_ref().map(text).serialize(to)
    }
}

struct Text;

impl de::Visitor<'_> for Text {
    type Value = Moment;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a moment as RFC 3339 text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Moment, E> {
        text.parse().map_err(|_| E::custom("not a moment"))
    }
}
