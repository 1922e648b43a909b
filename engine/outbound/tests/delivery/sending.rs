//! Delivery to servers that answer late, wrongly, too much or not at all.

use std::time::{Duration, Instant};

use engine_outbound::{
    Address, ApiKey, Content, Delivery, Event, Failure, Limits, OpenLineage, Outbox, Pushgateway,
    Receiver, SigningSecret, Topic, Webhook,
};

use crate::server::{Answer, Server};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The product's, in a tenth of the time.
fn limits() -> Limits {
    Limits {
        try_time: Duration::from_millis(500),
        pause: Duration::from_millis(10),
        whole_time: Duration::from_secs(1),
        ..Limits::default()
    }
}

/// One of each kind, at the same address.
fn receivers(url: &str) -> Vec<Box<dyn Receiver>> {
    let address = || Address::parse(url).unwrap();
    let topics = vec![Topic::Succeeded, Topic::Failed];
    vec![
        Box::new(OpenLineage::new(address(), Some(ApiKey::parse("canary-key").unwrap()))),
        Box::new(Pushgateway::new(address(), "engine", &[("target", "dev")])),
        Box::new(Webhook::new(address(), SigningSecret::parse(SECRET).unwrap(), topics)),
    ]
}

/// One event of each kind.
fn events() -> Vec<Event> {
    let notice =
        Content::Notice { topics: vec![Topic::Failed], body: r#"{"type":"x"}"#.to_owned() };
    let contents =
        [Content::Lineage("{}".to_owned()), Content::Metrics("m 1\n".to_owned()), notice];
    let event = |content| Event { key: "0123-failed".to_owned(), at: 1_614_265_330, content };
    contents.map(event).to_vec()
}

async fn deliver(receiver: Box<dyn Receiver>) -> Vec<Delivery> {
    Outbox::new(vec![receiver], limits()).deliver(&events()).await
}

#[tokio::test]
async fn each_receiver_is_told_what_is_its_own() {
    let server = Server::start(&[]);
    let done = Outbox::new(receivers(&server.url()), limits()).deliver(&events()).await;
    assert!(done.iter().all(|delivery| delivery.ended.is_ok()), "{done:?}");
    let shown: Vec<_> = done.into_iter().map(|delivery| delivery.to).collect();
    let kinds = ["openlineage", "pushgateway", "webhook"];
    assert_eq!(shown, kinds.map(|kind| format!("{kind} {}", server.url())));
    let mut lines: Vec<_> = server.received().into_iter().map(|one| (one.line, one.body)).collect();
    lines.sort();
    let expected = [
        ("POST /", r#"{"type":"x"}"#),
        ("POST /api/v1/lineage", "{}"),
        ("PUT /metrics/job/engine/target/dev", "m 1\n"),
    ];
    assert_eq!(lines, expected.map(|(line, body)| (line.to_owned(), body.to_owned())));
}

/// A conformance suite: whoever is told, a server that fails twice gets the same bytes three times.
#[tokio::test]
async fn a_server_that_fails_twice_is_told_the_same_again() {
    let url = "http://127.0.0.1:1";
    for kind in 0..receivers(url).len() {
        for failing in
            [[Answer::Status(503), Answer::Status(429)], [Answer::Close, Answer::Status(500)]]
        {
            let server = Server::start(&failing);
            let done = deliver(receivers(&server.url()).remove(kind)).await;
            assert_eq!(done.len(), 1);
            assert_eq!(done[0].ended, Ok(()), "{}", done[0].to);
            let received = server.received();
            assert_eq!(received.len(), 3, "{received:?}");
            assert!(received.iter().all(|one| *one == received[0]), "{received:?}");
        }
    }
}

#[tokio::test]
async fn what_would_not_go_better_is_not_tried_again() {
    for status in [400, 401, 403, 404, 409, 410, 413, 501] {
        let server = Server::start(&[Answer::Status(status)]);
        let done = deliver(receivers(&server.url()).remove(0)).await;
        assert_eq!(done[0].ended, Err(Failure::Refused(status)));
        assert_eq!(server.received().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn tries_are_bounded() {
    let server = Server::start(&vec![Answer::Status(503); 10]);
    let done = deliver(receivers(&server.url()).remove(2)).await;
    assert_eq!(done[0].ended, Err(Failure::Refused(503)));
    assert_eq!(server.received().len(), 4);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = Server::start(&[]);
    let server = Server::start(&[Answer::Redirect(elsewhere.url())]);
    let done = deliver(receivers(&server.url()).remove(0)).await;
    assert_eq!(done[0].ended, Err(Failure::Redirected(307)));
    assert_eq!((server.received().len(), elsewhere.received().len()), (1, 0));
}

#[tokio::test]
async fn a_body_without_end_is_not_read() {
    let server = Server::start(&[Answer::Endless]);
    let begun = Instant::now();
    assert_eq!(deliver(receivers(&server.url()).remove(2)).await[0].ended, Ok(()));
    assert!(begun.elapsed() < limits().try_time, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_head_without_end_is_not_read() {
    let server = Server::start(&vec![Answer::EndlessHead; 10]);
    let done = deliver(receivers(&server.url()).remove(2)).await;
    assert_eq!(done[0].ended, Err(Failure::Unreachable));
}

#[tokio::test]
async fn a_server_that_hangs_holds_nobody_up() {
    let server = Server::start(&vec![Answer::Silence(Duration::from_secs(3)); 10]);
    let awake = Server::start(&[]);
    let mut both = receivers(&server.url());
    both.extend(receivers(&awake.url()));
    let begun = Instant::now();
    let done = Outbox::new(both, limits()).deliver(&events()).await;
    assert!(begun.elapsed() < limits().whole_time * 2, "{:?}", begun.elapsed());
    let ended: Vec<_> = done.into_iter().map(|delivery| delivery.ended).collect();
    assert_eq!(ended[..3], [Err(Failure::TimedOut); 3]);
    assert_eq!(ended[3..], [Ok(()); 3]);
}

#[tokio::test]
async fn nobody_at_home_is_said() {
    let url = Server::start(&[]).url();
    let done = Outbox::new(receivers(&url), limits()).deliver(&events()).await;
    assert_eq!(done.len(), 3);
    assert!(done.iter().all(|one| one.ended == Err(Failure::Unreachable)), "{done:?}");
    assert!(done[0].to.ends_with(&url));
}

#[tokio::test]
async fn what_is_too_large_is_not_sent() {
    let server = Server::start(&[]);
    let bounded = Limits { body_bytes_max: 10, ..limits() };
    let event = |bytes: usize| Event {
        key: "k".to_owned(),
        at: 0,
        content: Content::Metrics("m".repeat(bytes)),
    };
    let outbox = Outbox::new(vec![receivers(&server.url()).remove(1)], bounded);
    let done = outbox.deliver(&[event(10), event(11), event(3)]).await;
    assert_eq!(done[0].ended, Err(Failure::TooLarge(10)));
    // What comes after it would come out of order.
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn who_wants_nothing_is_not_asked() {
    let server = Server::start(&[]);
    let content = Content::Notice { topics: vec![Topic::Started], body: "{}".to_owned() };
    let event = Event { key: "k".to_owned(), at: 0, content };
    let done = Outbox::new(receivers(&server.url()), limits()).deliver(&[event]).await;
    assert_eq!(done, []);
    assert_eq!(server.received(), []);
}

#[tokio::test]
async fn a_key_is_the_same_in_every_header_that_names_it() {
    let server = Server::start(&[]);
    deliver(receivers(&server.url()).remove(2)).await;
    let received = &server.received()[0];
    assert_eq!(received.header("webhook-id"), "0123-failed");
    assert_eq!(received.header("idempotency-key"), "\"0123-failed\"");
    assert_eq!(received.header("webhook-timestamp"), "1614265330");
    assert!(received.header("webhook-signature").starts_with("v1,"));
    assert_eq!(received.header("authorization"), "");
}
