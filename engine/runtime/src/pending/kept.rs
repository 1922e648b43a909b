//! An event as it is kept: JSON inside of a sealed file.

use engine_outbound::{Content, Event as Message, Topic};
use engine_tracking::retention::Moment;
use serde::{Deserialize, Serialize};

use crate::codes::run;
use crate::diagnostic::{Diagnostic, Outcome};

/// The version of the format.
const FORMAT_VERSION: u32 = 1;

/// An event that others are to be told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    format_version: u32,
    key: String,
    /// In seconds since 1970.
    at: i64,
    content: KeptContent,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KeptContent {
    Lineage { body: String },
    Notice { topics: Vec<KeptTopic>, body: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KeptTopic {
    Started,
    Succeeded,
    Failed,
    Security,
}

impl Kept {
    /// An event to keep; none of metrics, which the next ones replace.
    pub(super) fn of(event: &Message) -> Option<Self> {
        let content = match &event.content {
            Content::Lineage(body) => KeptContent::Lineage { body: body.clone() },
            Content::Notice { topics, body } => {
                let topics = topics.iter().map(|topic| match topic {
                    Topic::Started => KeptTopic::Started,
                    Topic::Succeeded => KeptTopic::Succeeded,
                    Topic::Failed => KeptTopic::Failed,
                    Topic::Security => KeptTopic::Security,
                });
                KeptContent::Notice { topics: topics.collect(), body: body.clone() }
            }
            Content::Metrics(_) => return None,
        };
        let Message { key, at, .. } = event;
        Some(Self { format_version: FORMAT_VERSION, key: key.clone(), at: *at, content })
    }

    pub(super) fn to_bytes(&self) -> Outcome<Vec<u8>> {
        let bytes = serde_json::to_vec(self);
        Ok(bytes.map_err(|_| Diagnostic::new(&run::INTERNAL, "an event cannot be written"))?)
    }

    /// What was kept; none where it is of another format.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let kept: Self = serde_json::from_slice(bytes).ok()?;
        Some(kept).filter(|kept| kept.format_version == FORMAT_VERSION)
    }

    /// Bytes that are sent.
    pub(super) fn body_bytes(&self) -> usize {
        match &self.content {
            KeptContent::Lineage { body } | KeptContent::Notice { body, .. } => body.len(),
        }
    }

    /// The event to send now, with the key it has always had. A notice that is late is signed with the time of this
    /// try: receivers refuse signatures that are some minutes old (Standard Webhooks 1.0.0, "Verifying the
    /// timestamp"), and when it happened stands in its body.
    pub(super) fn event(self, now: Moment) -> Message {
        let Self { key, at, content, .. } = self;
        match content {
            KeptContent::Lineage { body } => Message { key, at, content: Content::Lineage(body) },
            KeptContent::Notice { topics, body } => {
                let topics = topics.into_iter().map(|topic| match topic {
                    KeptTopic::Started => Topic::Started,
                    KeptTopic::Succeeded => Topic::Succeeded,
                    KeptTopic::Failed => Topic::Failed,
                    KeptTopic::Security => Topic::Security,
                });
                let content = Content::Notice { topics: topics.collect(), body };
                let late = now.timestamp().saturating_sub(at) > LATE_SECONDS;
                Message { key, at: if late { now.timestamp() } else { at }, content }
            }
        }
    }
}

/// From when on a notice is late: receivers take what is five minutes old, by a clock that may be another.
const LATE_SECONDS: i64 = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_comes_back_as_it_was_kept() {
        let now: Moment = "2026-11-23T00:00:00Z".parse().unwrap();
        let topics = vec![Topic::Failed, Topic::Security];
        let notice = Content::Notice { topics, body: "{\"a\": 1}".to_owned() };
        for content in [notice, Content::Lineage("{}".to_owned())] {
            let event = Message { key: "k".to_owned(), at: now.timestamp() - 9, content };
            let bytes = Kept::of(&event).unwrap().to_bytes().unwrap();
            assert_eq!(Kept::parse(&bytes).unwrap().event(now), event);
        }
        let metrics = Content::Metrics("m 1\n".to_owned());
        assert_eq!(Kept::of(&Message { key: "k".to_owned(), at: 0, content: metrics }), None);
    }

    #[test]
    fn a_late_notice_is_signed_with_the_time_of_its_try() {
        let now: Moment = "2026-11-23T00:00:00Z".parse().unwrap();
        let content = Content::Notice { topics: vec![Topic::Failed], body: String::new() };
        let event = Message { key: "k".to_owned(), at: now.timestamp() - 3_600, content };
        let sent = Kept::of(&event).unwrap().event(now);
        assert_eq!((sent.at, sent.key), (now.timestamp(), event.key));
    }

    #[test]
    fn another_format_is_refused() {
        let event =
            Message { key: "k".to_owned(), at: 0, content: Content::Lineage("{}".to_owned()) };
        let text = String::from_utf8(Kept::of(&event).unwrap().to_bytes().unwrap()).unwrap();
        for bad in [
            text.replace("\"format_version\":1", "\"format_version\":2"),
            text.replace("key", "kex"),
        ] {
            assert_ne!(bad, text);
            assert!(Kept::parse(bad.as_bytes()).is_none(), "{bad}");
        }
    }
}
