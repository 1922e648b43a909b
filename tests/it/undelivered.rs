//! Events that nobody took are kept, sealed, and sent by the next command: once, in their order, under their key, and
//! to nobody but the one they were meant for.

use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Project, files_below};
use crate::outbound::server::{Answer, Received, Server};
use crate::outbound::{project, undelivered, webhook};

/// A URL at which nobody listens yet.
struct Down(String);

impl Down {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self(listener.local_addr().unwrap().to_string())
    }

    fn url(&self) -> String {
        format!("http://{}", self.0)
    }

    fn up(&self, answers: &[Answer]) -> Server {
        Server::start_on(TcpListener::bind(&self.0).unwrap(), answers)
    }
}

/// Whole files: what a killed command had begun to write has another name.
fn kept(project: &Project) -> Vec<PathBuf> {
    let mut files = files_below(&project.path("target/store/outbox"));
    files.retain(|file| file.to_string_lossy().ends_with(".json.enc"));
    files
}

fn keys(received: &[Received]) -> Vec<String> {
    received.iter().map(|one| one.header("idempotency-key").trim_matches('"').to_owned()).collect()
}

/// `run started`, for each notice.
fn words(received: &[Received]) -> Vec<String> {
    let word = |one: &Received| {
        let body: Value = serde_json::from_str(&one.body).unwrap();
        let event = body["type"].as_str().unwrap().trim_start_matches("operation.").to_owned();
        format!("{} {event}", body["data"]["kind"].as_str().unwrap())
    };
    received.iter().map(word).collect()
}

/// What records say of events that were not taken, the newest operation first.
fn recorded(project: &Project) -> Vec<Value> {
    let operations = project.run(&["history", "--format", "json"]).success().json();
    let of = |one: &Value| one["metadata"]["undelivered_events"].clone();
    operations.as_array().unwrap().iter().map(of).collect()
}

const ALL: &str = "started, succeeded, failed";

#[test]
fn what_nobody_took_is_sent_by_the_next_command_once_and_in_order() {
    let down = Down::new();
    let lineage = format!("openlineage: {{url: \"{}\"}}", down.url());
    let project = project(&[&webhook(&down.url(), ALL), &lineage]);
    let ended = project.run(&["run"]).success();
    let said = "it cannot be reached; 2 events are kept, and sent again by the next command";
    assert_eq!(undelivered(&ended).matches("not delivered").count(), 2, "{ended}");
    ended.says(said);
    let ended = project.run(&["show", "people"]).success();
    ended.says("4 events are kept");
    assert_eq!(kept(&project).len(), 8, "{:?}", kept(&project));
    assert_eq!(recorded(&project)[..2], ["4".into(), "4".into()] as [Value; 2]);
    // In the store, names and codes stand in no clear text.
    for file in kept(&project) {
        let bytes = std::fs::read(&file).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for word in ["operation", "people", "started", "127.0.0.1", "hook"] {
            assert!(!text.contains(word), "{word} in {}", file.display());
        }
    }
    let server = down.up(&[]);
    let ended = project.run(&["test"]).success();
    assert_eq!(undelivered(&ended), "");
    assert!(kept(&project).is_empty(), "{:?}", kept(&project));
    assert_eq!(recorded(&project)[0], Value::Null);
    let received = server.received();
    let (notices, events): (Vec<_>, Vec<_>) =
        received.into_iter().partition(|one| one.line.ends_with("/hook"));
    let told = ["run", "show", "test"]
        .iter()
        .flat_map(|kind| [format!("{kind} started"), format!("{kind} succeeded")]);
    assert_eq!(words(&notices), told.collect::<Vec<_>>());
    assert_eq!(keys(&notices), keys(&events));
    let mut once = keys(&notices);
    once.dedup();
    assert_eq!(once.len(), 6, "{once:?}");
    // Nothing is left to be told.
    project.run(&["show", "people"]).success();
    assert_eq!(server.received().len(), 16);
    project.run(&["verify", "--audit"]).success();
}

#[test]
fn a_killed_command_loses_nothing_of_what_is_on_record() {
    let down = Down::new();
    let project = project(&[&webhook(&down.url(), ALL)]);
    for pause in 0..8 {
        let before = kept(&project).len();
        let started = project.start(&["run", "--quiet", "--force"]);
        while kept(&project).len() == before {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(40 * pause));
        started.kill();
    }
    let server = down.up(&[]);
    project.run(&["run", "--quiet"]).success();
    assert!(kept(&project).is_empty(), "{:?}", kept(&project));
    let received = server.received();
    let told = keys(&received);
    let operations = project.run(&["history", "--format", "json"]).success().json();
    let runs = operations.as_array().unwrap().iter().filter(|one| one["script_type"] == "run");
    let mut count = 0;
    for run in runs {
        let id = run["id"].as_str().unwrap();
        let end = run["status"].as_str().unwrap();
        for state in ["started", end] {
            let times = told.iter().filter(|key| **key == format!("{id}-{state}")).count();
            assert_eq!(times, 1, "{id}-{state}: {told:?}");
        }
        count += 1;
    }
    assert!(count >= 2, "{count} runs came as far as their record");
}

/// Killed after it was sent, and before that was noted: it is sent again under the same key.
#[test]
fn what_may_have_been_taken_is_sent_again_under_the_same_key() {
    let server = Server::start(&[Answer::Silence(Duration::from_secs(30))]);
    let project = project(&[&webhook(&server.url(), ALL)]);
    let started = project.start(&["run", "--quiet"]);
    while server.received().is_empty() {
        std::thread::sleep(Duration::from_millis(2));
    }
    started.kill();
    project.run(&["show", "people"]);
    let received = server.received();
    assert_eq!(received[1].body, received[0].body, "{received:?}");
    assert_eq!(keys(&received)[1], keys(&received)[0]);
    assert!(kept(&project).is_empty(), "{:?}", kept(&project));
}

#[test]
fn nothing_goes_to_another_url_than_it_was_meant_for() {
    let (down, other) = (Down::new(), Server::start(&[]));
    let project = project(&[&webhook(&down.url(), ALL)]);
    project.run(&["run"]).success();
    let old = kept(&project);
    assert_eq!(old.len(), 2);
    let copies: Vec<Vec<u8>> = old.iter().map(|file| std::fs::read(file).unwrap()).collect();
    project.replace("profiles.yml", &down.url(), &other.url());
    project.run(&["show", "people"]).success().says("events that were kept for it are removed: 2");
    assert_eq!(words(&other.received()), ["show started", "show succeeded"]);
    assert!(kept(&project).is_empty(), "{:?}", kept(&project));
    // Somebody who can write to the store moves them to where the other one's lie.
    let silent = Answer::Status(503);
    let away = Down::new();
    project.replace("profiles.yml", &other.url(), &away.url());
    project.run(&["show", "people"]).success();
    let theirs = kept(&project);
    for (file, copy) in theirs.iter().zip(&copies) {
        std::fs::write(file, copy).unwrap();
    }
    let server = away.up(&[silent]);
    project.run(&["show", "people"]).success().says("was changed or cannot be read; 2 events");
    assert_eq!(words(&server.received())[1..], ["show started", "show succeeded"]);
    // Without anybody to be told, nothing stays.
    let profiles = project.read("profiles.yml");
    project.write("profiles.yml", profiles.split_once("    events:").unwrap().0);
    project.run(&["show", "people"]).success();
    assert!(kept(&project).is_empty(), "{:?}", kept(&project));
}

/// What one receiver takes for a mistake is not in the way of what comes after it.
#[test]
fn an_event_that_is_refused_holds_up_no_other() {
    let server = Server::start(&[Answer::Status(422)]);
    let project = project(&[&webhook(&server.url(), ALL)]);
    project.run(&["run"]).success();
    // Refused, told of the end, and tried again before or after that; then all is taken.
    let told = words(&server.received());
    assert!(told.contains(&"run succeeded".to_owned()), "{told:?}");
    project.run(&["show", "people"]).success();
    assert!(kept(&project).is_empty(), "{:?}", kept(&project));
}
