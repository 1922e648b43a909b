//! Prometheus' Pushgateway: metrics of batch jobs, kept until they are scraped.

use base64ct::{Base64UrlUnpadded, Encoding};
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use zeroize::Zeroizing;

use crate::address::Address;
use crate::event::{Content, Event};
use crate::receiver::{Receiver, Request};

/// A Pushgateway, and the group of metrics that is replaced by each push.
#[derive(Debug)]
pub struct Pushgateway {
    address: Address,
    group: Vec<(String, String)>,
}

impl Pushgateway {
    /// A Pushgateway at an address. The group is named by `job` and these labels.
    #[must_use]
    pub fn new(address: Address, job: &str, labels: &[(&str, &str)]) -> Self {
        let labels = std::iter::once(("job", job)).chain(labels.iter().copied());
        let group = labels.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { address, group }
    }
}

impl Receiver for Pushgateway {
    fn shown(&self) -> String {
        format!("pushgateway {}", self.address.shown())
    }

    fn place(&self) -> Zeroizing<String> {
        self.address.place("pushgateway")
    }

    /// PUT replaces the whole group, so a metric that is gone does not stay for ever, and a repetition
    /// changes nothing.
    fn request(&self, event: &Event) -> Option<Request> {
        let Content::Metrics(body) = &event.content else { return None };
        let mut path = vec!["metrics".to_owned()];
        path.extend(self.group.iter().flat_map(|(name, value)| segments(name, value)));
        let url = self.address.below(path.iter().map(String::as_str));
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4"));
        Some(Request { method: Method::PUT, url, headers, body: body.clone() })
    }
}

/// A label in the path. A slash cannot stand there, and nothing neither: such a value is in base64, and `=`
/// is the one for nothing (README of the Pushgateway, "URL").
fn segments(name: &str, value: &str) -> [String; 2] {
    if value.is_empty() {
        return [format!("{name}@base64"), "=".to_owned()];
    }
    if value.contains('/') || matches!(value, "." | "..") {
        return [format!("{name}@base64"), Base64UrlUnpadded::encode_string(value.as_bytes())];
    }
    [name.to_owned(), value.to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_is_in_the_path() {
        let address = Address::parse("http://127.0.0.1:9091/prom").unwrap();
        let gateway = Pushgateway::new(address, "a b", &[("target", "x/y"), ("empty", "")]);
        let event = Event { key: "k".into(), at: 0, content: Content::Metrics("m 1\n".into()) };
        let request = gateway.request(&event).unwrap();
        let path = "/prom/metrics/job/a%20b/target@base64/eC95/empty@base64/=";
        assert_eq!((request.method, request.url.path()), (Method::PUT, path));
    }
}
