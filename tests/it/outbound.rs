//! Other systems are told of operations: what they are sent is what their own programs take, whatever they
//! answer fails nothing, and no value and no secret is among it.

#[path = "../../engine/outbound/tests/delivery/server.rs"]
pub(crate) mod server;

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use self::server::{Answer, Received, Server};
use crate::harness::{Ended, KEY, Project};
use crate::people;
use crate::planted::{NEEDLES, PASSPHRASE, Planted};
use crate::pushgateway::{Gateway, findings};
use crate::python;

/// The secret of webhooks: the one of the specification's examples.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The events in a file.
const FILE: &str = "target/openlineage.ndjson";

/// A project whose target has these destinations.
pub(crate) fn project(destinations: &[&str]) -> Project {
    let mut project = people::project(20, 10);
    project.set("HOOK_SECRET", SECRET);
    told(&project, destinations);
    project
}

pub(crate) fn told(project: &Project, destinations: &[&str]) {
    let mut profiles = project.read("profiles.yml");
    profiles.push_str("    events:\n");
    for destination in destinations {
        profiles.push_str(&format!("      - {destination}\n"));
    }
    project.write("profiles.yml", profiles);
}

pub(crate) fn webhook(url: &str, when: &str) -> String {
    format!(
        "webhook: {{url: \"{url}/hook\", secret: \"{{{{ env_var('HOOK_SECRET') }}}}\", when: [{when}]}}"
    )
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn events(project: &Project) -> Vec<Value> {
    json_lines(&project.read(FILE))
}

/// `run COMPLETE`, for each event.
fn words(events: &[Value]) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    events
        .iter()
        .map(|event| format!("{} {}", text(&event["job"]["name"]), text(&event["eventType"])))
        .collect()
}

/// The warnings, as one text.
pub(crate) fn undelivered(ended: &Ended) -> String {
    let lines = ended.stderr.lines().filter(|line| line.contains("not delivered"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_run_says_what_flows_where() {
    let project = project(&[&format!("openlineage: {{file: {FILE}}}")]);
    project.write(
        "models/grown.sql",
        "select p.person_id, upper(p.email) as email, count(*) as n, max(p.figure) as figure \
         from {{ source('crm', 'people') }} p where p.first_name <> 'literal-canary' \
         group by p.person_id, p.email",
    );
    project.write(
        "exports/grown.yml",
        "exports:\n  - {name: grown, from: ref('grown'), where: \"figure > 98765432101\"}\n",
    );
    project.write(
        "models/grown.yml",
        "models: [{name: grown, columns: [{name: n, class: public}, {name: figure, class: public}]}]\n",
    );
    project.run(&["run"]).success();
    let events = events(&project);
    assert_eq!(words(&events), ["run START", "run COMPLETE"]);
    assert_eq!(events[0]["run"]["runId"], events[1]["run"]["runId"]);
    let named = |dataset: &Value| {
        format!("{} {}", dataset["namespace"].as_str().unwrap(), dataset["name"].as_str().unwrap())
    };
    for event in &events {
        let inputs: Vec<_> = event["inputs"].as_array().unwrap().iter().map(named).collect();
        assert_eq!(inputs, ["engine://people/dev/crm crm.people"]);
        let mut outputs: Vec<_> = event["outputs"].as_array().unwrap().iter().map(named).collect();
        outputs.sort();
        let exports =
            ["contacts", "grown", "people"].map(|name| format!("engine://people/dev {name}"));
        let loaded = "engine://people/dev/masked people".to_owned();
        assert_eq!(outputs, [&exports[..], &[loaded]].concat());
    }
    let output = |event: &Value, name: &str| {
        let outputs = event["outputs"].as_array().unwrap();
        outputs.iter().find(|output| output["name"] == name).unwrap().clone()
    };
    // How a column comes from another: type, subtype, and whether it is masked.
    let how = |export: &str, to: &str, from: &str| -> Vec<(String, bool)> {
        let lineage = &output(&events[1], export)["facets"]["columnLineage"];
        let fields = match to {
            "" => &lineage["dataset"],
            column => &lineage["fields"][column]["inputFields"],
        };
        let of_field = |field: &&Value| field["field"] == from;
        let fields = fields.as_array().unwrap().iter().filter(of_field);
        let steps = fields.flat_map(|field| field["transformations"].as_array().unwrap());
        let step = |step: &Value| {
            let text = |key: &str| step[key].as_str().unwrap().to_owned();
            (format!("{} {}", text("type"), text("subtype")), step["masking"].as_bool().unwrap())
        };
        steps.map(step).collect()
    };
    let one = |what: &str, masked: bool| vec![(what.to_owned(), masked)];
    assert_eq!(how("people", "email", "email"), one("DIRECT TRANSFORMATION", true));
    assert_eq!(how("people", "edition", "edition"), one("DIRECT IDENTITY", false));
    assert_eq!(how("people", "email", "first_name"), []);
    assert_eq!(how("grown", "email", "email")[0], ("DIRECT TRANSFORMATION".to_owned(), true));
    assert_eq!(how("grown", "figure", "figure"), one("DIRECT AGGREGATION", false));
    assert_eq!(how("grown", "", "first_name"), one("INDIRECT FILTER", false));
    assert!(how("grown", "", "person_id").contains(&("INDIRECT GROUP_BY".to_owned(), false)));
    assert!(how("grown", "", "figure").contains(&("INDIRECT FILTER".to_owned(), false)));
    let written =
        |event: &Value| output(event, "people")["outputFacets"]["outputStatistics"].clone();
    assert_eq!(written(&events[1])["rowCount"], 20);
    assert!(written(&events[0]).is_null());
    let text = project.read(FILE);
    for canary in ["literal-canary", "98765432101", "lovelace", "Ada"] {
        assert!(!text.contains(canary), "{canary}: {text}");
    }
}

#[test]
fn the_client_of_openlineage_takes_what_every_command_says() {
    let project = project(&[&format!("openlineage: {{file: {FILE}}}")]);
    project.run(&["run"]).success();
    project.run(&["load", "people", "--to", "masked"]).success();
    project.run(&["show", "people"]).success();
    project.run(&["test"]).success();
    project.run(&["query", "select nothing from people"]).status(64);
    project.replace("sources/crm.yml", "edition, type: int64", "edition, type: date");
    project.run(&["run"]).status(1);
    project.run(&["retry"]).status(1);
    let events = events(&project);
    let ends = [
        ("run", "COMPLETE"),
        ("load", "COMPLETE"),
        ("show", "COMPLETE"),
        ("test", "COMPLETE"),
        ("query", "FAIL"),
        ("run", "FAIL"),
        ("retry", "FAIL"),
    ];
    let expected: Vec<String> = ends
        .iter()
        .flat_map(|(job, end)| [format!("{job} START"), format!("{job} {end}")])
        .collect();
    assert_eq!(words(&events), expected);
    let load = &events[3]["outputs"][0];
    assert_eq!(load["namespace"], "engine://people/dev/masked");
    let fields = &load["facets"]["columnLineage"]["fields"];
    assert_eq!(fields["email"]["inputFields"][0]["namespace"], "engine://people/dev");
    assert_eq!(events[4]["inputs"][0]["name"], "people");
    let error = events[9]["run"]["facets"]["errorMessage"]["message"].as_str().unwrap();
    assert!(error.starts_with("E0905: ") && !error.contains("nothing"), "{error}");
    let path = project.path(FILE).display().to_string();
    let facets = python::run("tests/python/openlineage_events.py", &[&path]);
    let facets: Value = serde_json::from_str(&facets).unwrap();
    assert_eq!(facets.as_object().unwrap().len(), 5, "{facets}");
}

#[test]
fn events_are_sent_until_they_are_taken() {
    let server = Server::start(&[Answer::Status(503), Answer::Close]);
    let url = format!(
        "openlineage: {{url: \"{}/base/\", api_key: \"{{{{ env_var('API_KEY') }}}}\"}}",
        server.url()
    );
    let mut project = project(&[&url, &format!("openlineage: {{file: {FILE}}}")]);
    project.set("API_KEY", "key-canary");
    let ended = project.run(&["run"]).success();
    assert_eq!(undelivered(&ended), "");
    let received = server.received();
    assert_eq!(received.len(), 4, "{received:?}");
    assert_eq!(received[..2], [received[0].clone(), received[0].clone()]);
    assert_eq!(received[2], received[0]);
    let text = project.read(FILE);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines, [received[0].body.as_str(), received[3].body.as_str()]);
    for request in &received {
        assert_eq!(request.line, "POST /base/api/v1/lineage");
        assert_eq!(request.header("authorization"), "Bearer key-canary");
        assert_eq!(request.header("content-type"), "application/json");
    }
    let run = received[0].header("idempotency-key").trim_matches('"').to_owned();
    let (id, state) = run.rsplit_once('-').unwrap();
    assert_eq!((id.len(), state), (32, "started"));
    assert_eq!(received[3].header("idempotency-key"), format!("\"{id}-success\""));
    let shown = [&ended.stdout, &ended.stderr, &text].map(|text| text.contains("key-canary"));
    assert_eq!(shown, [false; 3]);
}

#[test]
fn webhooks_are_verified_by_the_reference_implementation() {
    let server = Server::start(&[Answer::Status(500)]);
    let quiet = Server::start(&[]);
    let all = webhook(&server.url(), "started, succeeded, failed, security");
    let mut project = project(&[&all, &webhook(&quiet.url(), "failed")]);
    project.set("USER", "ada");
    project.run(&["run"]).success();
    project.run(&["query", "select nothing from people"]).status(64);
    let received = server.received();
    let bodies: Vec<Value> =
        received.iter().map(|one| serde_json::from_str(&one.body).unwrap()).collect();
    let kinds: Vec<_> = bodies.iter().map(|body| body["type"].as_str().unwrap()).collect();
    let [started, succeeded, failed] =
        ["operation.started", "operation.succeeded", "operation.failed"];
    assert_eq!(kinds, [started, started, succeeded, started, failed]);
    assert_eq!(received[0], received[1]);
    let (data, error) = (&bodies[2]["data"], &bodies[4]["data"]["error"]);
    assert_eq!(
        (&data["user"], &data["target"], &data["kind"]),
        (&"ada".into(), &"dev".into(), &"run".into())
    );
    assert_eq!(data["volume"]["rows_written"], 40);
    assert_eq!(error["code"], "E0905");
    let wanted: Vec<_> = quiet.received().into_iter().map(|one| one.body).collect();
    assert_eq!(wanted, [received[4].body.clone()]);
    let requests = received.iter().chain(&quiet.received()).map(verifiable).collect::<Vec<_>>();
    project.write("requests.json", Value::from(requests).to_string());
    let path = project.path("requests.json").display().to_string();
    assert_eq!(python::run("tests/python/verify_webhooks.py", &[SECRET, &path]), "6\n");
    // Sealed metadata that is opened is a matter of security, however it ends.
    let ids: Vec<&str> = received.iter().map(|one| one.header("webhook-id")).collect();
    assert!(ids[0] == ids[1] && ids[1] != ids[2] && ids[2] != ids[3], "{ids:?}");
}

/// A request as `[headers, body]`.
fn verifiable(request: &Received) -> Value {
    let headers: serde_json::Map<String, Value> =
        request.headers.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    Value::from(vec![Value::from(headers), request.body.as_str().into()])
}

#[test]
fn opening_sealed_metadata_is_told_to_whoever_watches_security() {
    let server = Server::start(&[]);
    let project = project(&[&webhook(&server.url(), "security")]);
    project.write("policies/tracking.yml", "tracking: {schemas: {sources: [crm]}}\n");
    project.run(&["metadata", "extract"]).success();
    assert_eq!(server.received(), []);
    project.run(&["metadata", "decrypt"]).success();
    let bodies: Vec<Value> =
        server.received().iter().map(|one| serde_json::from_str(&one.body).unwrap()).collect();
    let told: Vec<_> = bodies.iter().map(|body| (&body["type"], &body["data"]["class"])).collect();
    let (started, succeeded) = ("operation.started".into(), "operation.succeeded".into());
    assert_eq!(told, [(&started, &"security".into()), (&succeeded, &"security".into())]);
}

#[test]
fn a_pushgateway_has_what_the_file_has() {
    let gateway = Gateway::start();
    let pushed = format!("pushgateway: {{url: \"{}\", job: nightly/masking}}", gateway.url());
    let project = project(&[&pushed, "prometheus: {file: target/engine.prom}"]);
    project.run(&["run"]).success();
    project.run(&["query", "select nothing from people"]).status(64);
    let ended = project.run(&["show", "people"]).success();
    assert_eq!(undelivered(&ended), "");
    let (file, scraped) = (project.read("target/engine.prom"), gateway.scraped());
    let samples = |text: &str, own: &[&str]| -> Vec<String> {
        let lines = text.lines().filter(|line| line.starts_with("engine_"));
        let mut samples: Vec<String> = lines.map(|line| sample(line, own)).collect();
        samples.sort();
        samples
    };
    let own = ["instance=\"\"", "job=\"nightly/masking\"", "project=\"people\"", "target=\"dev\""];
    assert_eq!(samples(&scraped, &own), samples(&file, &[]));
    let shows = samples(&file, &[]);
    let expected = "engine_operations{name=\"dev\",status=\"failed\",type=\"query\"} 1";
    assert!(shows.iter().any(|line| line == expected), "{shows:?}");
    assert!(shows.len() > 20, "{shows:?}");
    assert_eq!(findings(&file), "");
}

/// A sample with its labels in order, its number as a number, and without labels that must be there.
fn sample(line: &str, own: &[&str]) -> String {
    let (series, value) = line.rsplit_once(' ').unwrap();
    let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
    let mut labels: Vec<&str> =
        labels.trim_end_matches('}').split(',').filter(|label| !label.is_empty()).collect();
    for label in own {
        let before = labels.len();
        labels.retain(|found| found != label);
        assert_eq!(labels.len() + 1, before, "{label} is not in {line}");
    }
    labels.sort_unstable();
    let value: f64 = value.parse().unwrap();
    format!("{name}{{{}}} {value}", labels.join(","))
}

#[test]
fn what_is_answered_fails_nothing_and_is_not_shown() {
    let elsewhere = Server::start(&[]);
    for (answer, why) in [
        (Answer::Status(418), "it answered with status 418"),
        (Answer::Redirect(elsewhere.url()), "a redirect, which is not followed"),
        (Answer::Endless, ""),
        (Answer::EndlessHead, "it cannot be reached"),
        (Answer::Close, "it cannot be reached"),
        (Answer::Silence(Duration::from_secs(30)), "it did not answer in time"),
    ] {
        let server = Server::start(&vec![answer.clone(); 8]);
        let project = project(&[&webhook(&server.url(), "succeeded")]);
        let begun = Instant::now();
        let ended = project.run(&["run"]).success();
        assert!(begun.elapsed() < Duration::from_secs(20), "{answer:?}: {:?}", begun.elapsed());
        assert_eq!(ended.stderr.contains("E1102"), !why.is_empty(), "{ended}");
        let ended = ended.says(why);
        assert!(
            !ended.stderr.contains("canary-answered") && !ended.stderr.contains("/hook"),
            "{ended}"
        );
        let last = project.run(&["history", "--format", "json"]).success().json();
        assert_eq!(last[0]["status"], "success");
    }
    assert_eq!(elsewhere.received(), []);
}

#[test]
fn what_cannot_be_written_fails_nothing() {
    let project = project(&["openlineage: {file: data}", "prometheus: {file: data/people.csv/x}"]);
    let ended = project.run(&["run", "--log-format", "json"]).success();
    let told = ended.findings();
    let codes: Vec<&str> = told.iter().map(|(code, _)| code.as_str()).collect();
    assert_eq!(codes, ["E1102", "E1102"], "{told:?}");
    assert!(told[0].1.contains("openlineage file data: it cannot be written"), "{told:?}");
}

#[test]
fn a_killed_run_is_told_by_the_next_one() {
    let server = Server::start(&[]);
    let project = people::project(20_000, 100);
    told(&project, &[&format!("openlineage: {{url: \"{}\"}}", server.url())]);
    let started = project.start(&["run", "--quiet"]);
    while server.received().is_empty() {
        std::thread::sleep(Duration::from_millis(2));
    }
    started.kill();
    project.run(&["run", "--quiet"]).success();
    let bodies: Vec<String> = server.received().into_iter().map(|one| one.body).collect();
    let events = json_lines(&bodies.join("\n"));
    let of = |run: &Value| {
        let mut words: Vec<String> = words(
            &events
                .iter()
                .filter(|one| one["run"] == *run || one["run"]["runId"] == run["runId"])
                .cloned()
                .collect::<Vec<_>>(),
        );
        words.sort();
        // It was killed once the start was taken: before or after that was noted.
        words.dedup();
        words
    };
    assert_eq!(of(&events[0]["run"]), ["run FAIL", "run START"]);
    assert_eq!(of(&events.last().unwrap()["run"]), ["run COMPLETE", "run START"]);
}

#[test]
fn neither_values_nor_secrets_are_sent_or_shown() {
    let mut planted = Planted::new();
    let server = Server::start(&[]);
    let gone = Server::start(&[]).url();
    let setting = |name: &str| format!("\"{{{{ env_var('{name}') }}}}\"");
    let (url, key, secret) =
        (setting("EVENTS_URL"), setting("EVENTS_KEY"), setting("EVENTS_SECRET"));
    told(
        &planted.project,
        &[
            &format!("openlineage: {{url: {url}, api_key: {key}}}"),
            &format!(
                "webhook: {{url: {url}, secret: {secret}, when: [started, succeeded, failed]}}"
            ),
            &format!("pushgateway: {{url: {url}}}"),
            &format!("openlineage: {{file: {FILE}}}"),
            "prometheus: {file: target/engine.prom}",
        ],
    );
    // The path, the key and the secret are canaries.
    planted.project.set("EVENTS_KEY", PASSPHRASE);
    planted.project.set("EVENTS_SECRET", &format!("whsec_{KEY}"));
    planted.project.set("EVENTS_URL", &format!("{}/kanarie-ablage-83aa", server.url()));
    let fast = ["--target", "fast"];
    for command in [&["run"][..], &["show", "csv"], &["query", "select nope from csv"]] {
        let ended = planted.project.run(&[command, &fast].concat());
        assert_eq!(undelivered(&ended), "");
        planted.check(&ended);
    }
    let received = server.received();
    assert!(received.len() > 10, "{}", received.len());
    for request in &received {
        NEEDLES.assert_absent(
            &request.line.replace("kanarie-ablage-83aa", ""),
            request.body.as_bytes(),
        );
    }
    planted.project.set("EVENTS_URL", &format!("{gone}/kanarie-ablage-83aa?x=kanarie-ablage-83aa"));
    for format in ["human", "json"] {
        let shown = ["show", "csv", "--log-format", format, "--verbose"];
        let ended = planted.project.run(&[&shown[..], &fast].concat()).success();
        assert!(ended.stderr.contains("E1102") && ended.stderr.contains(&gone), "{ended}");
        planted.check(&ended);
    }
    for (name, value) in [
        ("EVENTS_URL", "http://kanarie-ablage-83aa.example/x"),
        ("EVENTS_URL", "https://u:kanarie-ablage-83aa@localhost"),
        ("EVENTS_URL", "kanarie-ablage-83aa"),
        ("EVENTS_KEY", "kanarie-ablage-83aa\u{7f}"),
        ("EVENTS_SECRET", "kanarie-ablage-83aa"),
    ] {
        planted.project.set("EVENTS_URL", &gone);
        planted.project.set("EVENTS_KEY", PASSPHRASE);
        planted.project.set("EVENTS_SECRET", &format!("whsec_{KEY}"));
        planted.project.set(name, value);
        planted.fails(&["run", "--target", "fast"], 65, "E1101");
    }
}

#[test]
fn certificates_must_be_those_the_system_trusts() {
    let mut project = project(&[
        "webhook: {url: \"{{ env_var('HOOK_URL') }}\", secret: \"{{ env_var('HOOK_SECRET') }}\", when: [succeeded]}",
    ]);
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-nodes", "-days", "2", "-subj", "/CN=engine", "-keyout", "key.pem"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-out", "certificate.pem"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1"])
        .current_dir(project.root())
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let files = ["certificate.pem", "key.pem"].map(|name| project.path(name).display().to_string());
    let words = python::words("tests/python/tls_server.py", &files.each_ref().map(String::as_str));
    let mut server = Command::new(&words[0])
        .args(&words[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut printed = BufReader::new(server.stdout.take().unwrap());
    let mut port = String::new();
    printed.read_line(&mut port).unwrap();
    project.set("HOOK_URL", &format!("https://127.0.0.1:{}/hook", port.trim()));
    project.run(&["run"]).success().says("it cannot be reached");
    project.set("SSL_CERT_FILE", &files[0]);
    let ended = project.run(&["run"]).success();
    assert!(!ended.stderr.contains("E1102"), "{ended}");
    drop(server.stdin.take());
    server.wait().unwrap();
    let mut bodies = String::new();
    printed.read_to_string(&mut bodies).unwrap();
    let bodies = json_lines(&bodies);
    // Of the run that could not tell anybody, too.
    assert_eq!(bodies.len(), 2);
    assert!(bodies.iter().all(|body| body["type"] == "operation.succeeded"), "{bodies:?}");
}
