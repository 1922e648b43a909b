//! What surrounds every command: streams, signals, exit codes, and where the passphrase comes from.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::harness::Project;
use crate::people;

/// Joins that nobody waits for the end of.
const ENDLESS: &str = "select count(*) from people a cross join people b cross join people c \
                       cross join people d cross join people e cross join people f";

fn published() -> Project {
    let project = people::project(60, 20);
    project.run(&["run"]).success();
    project
}

#[test]
fn a_signal_ends_a_busy_command_with_its_code() {
    let project = published();
    for (signal, expected) in [("-INT", 130), ("-TERM", 143)] {
        let mut child = project.command(&["query", ENDLESS]).spawn().unwrap();
        std::thread::sleep(Duration::from_secs(2));
        assert!(child.try_wait().unwrap().is_none(), "the query ended by itself");
        let told = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(told.success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(expected));
        assert!(output.stdout.is_empty());
        assert!(String::from_utf8(output.stderr).unwrap().starts_with("E0813\n"));
    }
}

#[test]
fn stdout_holds_the_document_and_nothing_else() {
    let project = people::project(60, 20);
    for command in [&["plan"][..], &["run"], &["run"], &["verify"], &["debug"], &["keys", "list"]] {
        let arguments = [command, &["--format", "json", "--log-format", "json", "-v"]].concat();
        let ended = project.run(&arguments).success();
        assert!(ended.json().is_object(), "{ended}");
        for line in ended.stderr.lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            for key in ["timestamp", "level", "target"] {
                assert!(line[key].is_string(), "{line}");
            }
        }
    }
    let plan = project.run(&["plan", "--format", "json"]).success();
    assert_eq!(plan.stdout, project.read("target/plan.json"));
}

#[test]
fn quiet_says_nothing_unless_something_is_wrong() {
    let project = published();
    let ended = project.run(&["verify", "-q"]).success();
    assert_eq!(ended.stderr, "");
    project.run(&["show", "nobody", "-q"]).status(65).says("there is no export `nobody`");
}

#[test]
fn help_is_a_document_and_a_wrong_option_is_not() {
    let project = Project::empty();
    for arguments in [&["--help"][..], &["run", "--help"], &["help", "keys"], &["--version"]] {
        let ended = project.run(arguments).success();
        assert!(!ended.stdout.is_empty() && ended.stderr.is_empty(), "{ended}");
    }
    project.run(&["rnu"]).status(64).says("E0907 error: unrecognized subcommand 'rnu'");
    for arguments in [&[][..], &["rnu"], &["run", "--jobs", "0"], &["run", "--passphrase", "x"]] {
        let ended = project.run(arguments).status(64);
        assert!(ended.stdout.is_empty() && !ended.stderr.is_empty(), "{ended}");
    }
    project.run(&["explain", "E0101"]).success();
    project.run(&["plan"]).status(65).says("E0101");
}

#[test]
fn a_reader_that_leaves_is_no_error_and_a_full_disk_is_one() {
    let project = published();
    let mut child = project.command(&["schema", "project"]).spawn().unwrap();
    let mut start = [0; 8];
    child.stdout.take().unwrap().read_exact(&mut start).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let full = project.command(&["verify"]).stdout(Stdio::from(full)).output().unwrap();
    assert_eq!(full.status.code(), Some(69));
}

#[test]
fn colour_is_for_terminals_unless_it_is_asked_for() {
    let project = Project::empty();
    let escaped = |arguments: &[&str]| project.run(arguments).status(65).stderr.contains('\u{1b}');
    assert!(!escaped(&["plan"]));
    assert!(escaped(&["plan", "--color", "always"]));
    assert!(!escaped(&["plan", "--color", "never"]));
}

#[test]
fn the_passphrase_comes_from_the_file_then_the_environment_then_dot_env() {
    const RIGHT: &str = "the right one of three";
    let mut project = Project::copy_of("project-template");
    project.write("right", format!("{RIGHT}\nanother line\n"));
    project.write("wrong", "a wrong one of three\n");
    project.run(&["keys", "init", "--passphrase-file", "right"]).success();

    let list = ["keys", "list"];
    project.run(&list).status(77).says("E0703");
    project.write(".env", format!("ENGINE_PASSPHRASE=\"{RIGHT}\"\n"));
    project.run(&list).success();
    project.set("ENGINE_PASSPHRASE", "a wrong one of three");
    let refused = project.run(&list).status(77).says("wrong passphrase");
    assert!(!refused.stderr.contains("of three"), "{refused}");
    project.run(&[&list[..], &["--passphrase-file", "right"]].concat()).success();
    project.set("ENGINE_PASSPHRASE", RIGHT);
    project.run(&list).success();
    project.run(&[&list[..], &["--passphrase-file", "wrong"]].concat()).status(77);
    project.run(&[&list[..], &["--passphrase-file", "none"]].concat()).status(77).says("E0707");
}
