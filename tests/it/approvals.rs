//! Approvals of plans: made and checked by `ssh-keygen`, the program that Git uses, and by the engine.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::harness::{KEY_VARIABLE, Project};

/// A protected target, an owner per column that is kept, and their keys beside the project.
fn project() -> Project {
    let project = Project::copy_of("project-template");
    let keys = "{provider: passphrase, keyring: keyring.json, env: ENGINE_PASSPHRASE}";
    let quick = format!("{{provider: environment, keyring: keyring.json, env: {KEY_VARIABLE}}}");
    project.replace("profiles.yml", keys, &quick);
    project.replace("profiles.yml", "store:", "protected: true\n    store:");
    project.run(&["keys", "init"]).success();
    project.own("data-office");
    project.own("stranger");
    project
}

const RUN: [&str; 3] = ["run", "--plan", "plan.json"];

#[test]
fn a_widening_runs_when_its_owner_has_approved_the_plan() {
    let project = project();
    project.run(&["run"]).says("E0808");
    project.run(&["plan", "--out", "plan.json"]).success();
    project.run(&RUN).status(4).says("E0815").says("@data-office for customers.country");
    let approve = |owner: &str, key: &str| {
        project.run(&["approve", "plan.json", "--owner", owner, "--key", key])
    };
    approve("@data-office", "stranger").status(4).says("E0816");
    approve("@date-office", "data-office").status(64).says("did you mean `@data-office`?");
    // An owner who is not asked for cannot stand in for one who is.
    project.approve("plan.json", "stranger").success();
    project.run(&RUN).status(4).says("E0815");
    project.approve("plan.json", "data-office").success();
    // What the engine took is what OpenSSH takes.
    let message = project.run(&["approve", "plan.json", "--owner", "@data-office"]).success();
    let mut check = Command::new("ssh-keygen")
        .args(["-Y", "check-novalidate", "-n", "engine-plan", "-s"])
        .arg(project.path("plan.json.data-office.sig"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    check.stdin.take().unwrap().write_all(message.stdout.as_bytes()).unwrap();
    assert!(check.wait().unwrap().success(), "ssh-keygen takes the signature");
    project.run(&RUN).success();
    // Given twice, and relied on by the run; what was refused without them.
    let events = project.query("SELECT kind, metadata FROM engine.events ORDER BY kind, metadata");
    let of = |kind: &str| -> Vec<String> {
        let of_kind = events.iter().filter(|event| event["kind"] == kind);
        of_kind.map(|event| event["metadata"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let owners = ["data-office", "data-office", "stranger", "stranger"];
    assert_eq!(of("approval"), owners.map(|owner| format!("{{\"owner\":\"@{owner}\"}}")));
    assert!(of("refusal").contains(&"{\"code\":\"E0815\"}".to_owned()), "{events:?}");
    let report = project.run(&["report", "--format", "json"]).success().json();
    let findings = &report["health"]["findings"][0];
    assert!(findings["critical"].as_u64().unwrap() >= 2, "{findings}");
    let coverage = &report["health"]["coverage"][0];
    assert!(coverage["sensitive"].as_u64().unwrap() > 0, "{coverage}");
    assert_eq!(coverage["sensitive"], coverage["covered"], "{coverage}");
    assert_eq!(report["health"]["keys"].as_array().unwrap().len(), 5, "{report}");
}

#[test]
fn an_approval_is_for_one_plan_and_one_owner() {
    let project = project();
    project.run(&["plan", "--out", "plan.json"]).success();
    project.approve("plan.json", "data-office").success();
    let signature = project.read("plan.json.data-office.sig");
    // Under another owner's name.
    project.write("plan.json.stranger.sig", &signature);
    project.run(&RUN).status(4).says("E0816").says("@stranger");
    std::fs::remove_file(project.path("plan.json.stranger.sig")).unwrap();
    // A change after the approval.
    project.replace("policies/masking.yml", "params: {keep: 2}", "params: {keep: 4}");
    project.run(&RUN).status(5).says("E0807");
    project.run(&["plan", "--out", "plan.json"]).success();
    project.run(&RUN).status(4).says("E0816").says("is no approval of");
    // A bit of the signature.
    project.replace("policies/masking.yml", "params: {keep: 4}", "params: {keep: 2}");
    project.run(&["plan", "--out", "plan.json"]).success();
    let broken = signature.replacen("AAAA", "AAAB", 1);
    project.write("plan.json.data-office.sig", broken);
    project.run(&RUN).status(4).says("E0816");
    project.write("plan.json.data-office.sig", signature);
    project.run(&RUN).success();
    // A manifest says what was readable and why, so that nobody is asked where masks only hide more.
    project.replace("policies/masking.yml", "mask: city}", "mask: redact}");
    project.run(&["plan", "--out", "narrower.json"]).success();
    project.run(&["run", "--plan", "narrower.json"]).success();
    // What is not defined otherwise needs nobody.
    project.run(&["plan", "--out", "same.json"]).success();
    project.run(&["run", "--plan", "same.json"]).success();
}
