//! Plans: what they hold a run to, and that equal inputs give equal bytes. And the exit codes around them.

use std::collections::BTreeMap;

use crate::harness::{KEY_VARIABLE, Project, files_below};
use crate::people;

/// The project that `engine init` writes, with a keyring that opens at once.
fn template() -> Project {
    let project = Project::copy_of("project-template");
    let keys = "{provider: passphrase, keyring: keyring.json, env: ENGINE_PASSPHRASE}";
    let quick = format!("{{provider: environment, keyring: keyring.json, env: {KEY_VARIABLE}}}");
    project.replace("profiles.yml", keys, &quick);
    project.run(&["keys", "init"]).success();
    project
}

/// What `plan` and `compile` leave, by path.
fn artifacts(project: &Project) -> BTreeMap<String, Vec<u8>> {
    project.run(&["plan"]).success();
    project.run(&["compile"]).success();
    let folder = project.path("target");
    let files =
        files_below(&folder).into_iter().filter(|file| !file.starts_with(folder.join("store")));
    let artifacts: BTreeMap<_, _> = files
        .map(|file| {
            let name = file.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read(&file).unwrap())
        })
        .collect();
    assert!(artifacts.contains_key("plan.json"), "{:?}", artifacts.keys());
    assert!(artifacts.keys().any(|name| name.starts_with("compiled/")), "{:?}", artifacts.keys());
    artifacts
}

fn assert_same(left: &BTreeMap<String, Vec<u8>>, right: &BTreeMap<String, Vec<u8>>) {
    assert_eq!(left.keys().collect::<Vec<_>>(), right.keys().collect::<Vec<_>>());
    for (name, bytes) in left {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(text(bytes), text(&right[name]), "{name}");
    }
}

#[test]
fn plan_and_compile_are_the_same_each_time_and_everywhere() {
    let project = template();
    let first = artifacts(&project);
    assert_same(&first, &artifacts(&project));
    // In another folder, with another environment and another number of streams.
    let mut moved = project.duplicate();
    std::fs::remove_dir_all(moved.path("target")).unwrap();
    moved.set("TZ", "Pacific/Auckland");
    moved.set("LANG", "tr_TR.UTF-8");
    assert_same(&first, &artifacts(&moved));
    let printed = moved.run(&["plan", "--format", "json"]).success().stdout;
    assert_eq!(printed.as_bytes(), first["plan.json"], "stdout is the file");
}

#[test]
fn comments_style_and_formatting_change_no_plan() {
    let project = template();
    let plan = |project: &Project| project.run(&["plan", "--format", "json"]).success().stdout;
    let before = plan(&project);
    project.replace(
        "policies/masking.yml",
        "- {name: emails, match: {class: pii.email}, mask: email}",
        "# How addresses are masked.\n    - name: \"emails\"\n      mask: 'email'\n      match:\n        class: pii.email",
    );
    project.replace(
        "models/customer_totals.sql",
        "count(*) as orders,",
        "-- how often\n    count( * )   AS orders  ,",
    );
    project.replace("exports/shop.yml", "exports:", "# what is published\n\nexports:");
    assert_eq!(plan(&project), before);
    let change = |path: &str, old: &str, new: &str| {
        let project = project.duplicate();
        project.replace(path, old, new);
        assert_ne!(plan(&project), before, "{path}: {new}");
    };
    change("policies/masking.yml", "params: {keep: 2}", "params: {keep: 3}");
    change("policies/masking.yml", "linkage: customer}", "linkage: client}");
    change("models/customer_totals.sql", "'returned'", "'cancelled'");
    change("exports/shop.yml", "mode: replace", "mode: append");
}

#[test]
fn a_changed_variable_changes_the_export_that_uses_it() {
    let project = Project::copy_of("examples/chinook");
    let plan = |more: &[&str]| {
        project.run(&[&["plan", "--format", "json"], more].concat()).success().json()
    };
    let (before, after) = (plan(&[]), plan(&["--vars", "spending_step=10"]));
    let differ: Vec<&str> = before["exports"]
        .as_array()
        .unwrap()
        .iter()
        .zip(after["exports"].as_array().unwrap())
        .filter(|(left, right)| left["definition"] != right["definition"])
        .map(|(left, _)| left["name"].as_str().unwrap())
        .collect();
    assert_eq!(differ, ["customer_spending"]);
}

#[test]
fn a_run_from_a_plan_refuses_what_the_plan_did_not_say() {
    let project = people::project(50, 20);
    let planned = |project: &Project| {
        project.run(&["plan", "--out", "reviewed.json"]).success();
    };
    planned(&project);
    let stale = |project: &Project, reason: &str| {
        let manifests = people::manifests(project);
        project.run(&["run", "--plan", "reviewed.json"]).status(5).says("E0807").says(reason);
        assert_eq!(people::manifests(project), manifests, "something was published");
    };
    let change = |path: &str, old: &str, new: &str, reason: &str| {
        let project = project.duplicate();
        project.replace(path, old, new);
        stale(&project, reason);
    };
    change(
        "policies/masking.yml",
        "mask: email",
        "mask: redact",
        "export `people` was changed since",
    );
    change("exports/people.yml", "{rows: 20}", "{rows: 21}", "export `people` was changed since");
    change(
        "exports/people.yml",
        "name: contacts",
        "name: contact",
        "it does not have export `contact`",
    );
    let other = project.duplicate();
    other.replace("sources/crm.yml", "- {name: figure, type: int64, class: public}", "");
    stale(&other, "was changed since");

    // The plan is carried out once.
    project.run(&["run", "--plan", "reviewed.json"]).success();
    people::source(&project, 1, 50);
    stale(&project, "export `people` has a new snapshot since");
    planned(&project);
    project.run(&["run", "--plan", "reviewed.json"]).success();
    assert_eq!(people::manifests(&project).len(), 4);

    // A plan that was edited is none of ours.
    planned(&project);
    project.replace("reviewed.json", "\"chunk_rows\": 20", "\"chunk_rows\": 2000");
    project.run(&["run", "--plan", "reviewed.json"]).status(5);
    project.write("reviewed.json", "{}");
    project.run(&["run", "--plan", "reviewed.json"]).status(64).says("E0809").says("is not a plan");
    project.run(&["run", "--plan", "absent.json"]).status(64).says("cannot be read");
}

#[test]
fn a_protected_target_runs_only_from_a_plan() {
    let project = people::project(50, 20);
    project.replace("profiles.yml", "store: file", "protected: true\n    store: file");
    project
        .run(&["run"])
        .status(4)
        .says("E0808")
        .says("target `dev` is protected and runs only from a plan");
    assert!(people::manifests(&project).is_empty() && people::chunks(&project).is_empty());
    project.own("tests");
    project.run(&["plan", "--out", "reviewed.json"]).success();
    project.run(&["run", "--plan", "reviewed.json"]).status(4).says("E0815").says("@tests for");
    project.approve("reviewed.json", "tests").success();
    project.run(&["run", "--plan", "reviewed.json"]).success();
    assert_eq!(people::manifests(&project).len(), 2);
}

#[test]
fn a_run_of_a_plan_is_taken_up_with_the_same_plan() {
    let project = people::project(50, 20);
    project.replace("profiles.yml", "store: file", "protected: true\n    store: file");
    project.own("tests");
    project.run(&["plan", "--out", "reviewed.json"]).success();
    project.approve("reviewed.json", "tests").success();
    // The load fails when both snapshots are there already.
    std::fs::create_dir_all(project.path(people::DATABASE)).unwrap();
    project.run(&["run", "--plan", "reviewed.json"]).status(1).says("E0812");
    std::fs::remove_dir(project.path(people::DATABASE)).unwrap();
    project.run(&["retry"]).status(4).says("E0808");
    project.run(&["retry", "--plan", "reviewed.json"]).success();
    assert_eq!(people::manifests(&project).len(), 2);
    assert!(project.path(people::DATABASE).is_file());
    // The run is through: for another one the plan is stale.
    let again = project.run(&["run", "--plan", "reviewed.json"]);
    again.status(5).says("has a new snapshot since");
}

#[test]
fn a_plan_of_a_selection_runs_just_that() {
    let project = people::project(50, 20);
    project.run(&["plan", "--select", "contacts", "--out", "reviewed.json"]).success();
    project.run(&["run", "--plan", "reviewed.json"]).success();
    assert_eq!(people::manifests(&project).len(), 1);
}

#[test]
fn what_is_not_selected_is_not_opened() {
    let project = people::project(50, 20);
    project.write(
        "sources/broken.yml",
        "sources: [{name: broken, connection: crm, tables: [{name: nowhere, columns: [{name: a, type: string, class: public}]}]}]\n",
    );
    project.write(
        "exports/broken.yml",
        "exports: [{name: broken, from: \"source('broken', 'nowhere')\"}]\n",
    );
    project.run(&["run"]).status(69).says("E0503");
    project.run(&["run", "--select", "contacts"]).success();
    project.run(&["run", "--select", "source:crm+"]).success();
    let nothing = project.run(&["run", "--select", "source:crm"]);
    nothing.status(3).says("write `+` after the selector");
}

#[test]
fn a_plan_holds_for_its_places_only() {
    let changes = [
        ("store: file://target/store", "store: file://target/other"),
        ("url: data", "url: ./data"),
    ];
    for (from, to) in changes {
        let project = people::project(50, 20);
        project.run(&["plan", "--out", "reviewed.json"]).success();
        project.replace("profiles.yml", from, to);
        let ended = project.run(&["run", "--plan", "reviewed.json"]);
        ended.status(5).says("the store or a connection is another one");
        assert!(people::manifests(&project).is_empty());
    }
}

#[test]
fn a_plan_tells_with_its_exit_code_whether_there_is_something_to_do() {
    let project = people::project(50, 20);
    project.run(&["plan", "--detailed-exitcode"]).status(2);
    project.run(&["run"]).success();
    project.run(&["plan", "--detailed-exitcode"]).status(0);
    project.replace("policies/masking.yml", "mask: email", "mask: redact");
    project.run(&["plan", "--detailed-exitcode"]).status(2);
}

#[test]
fn a_selection_that_matches_nothing_has_its_own_exit_code() {
    let project = people::project(50, 20);
    for command in ["run", "plan"] {
        project.run(&[command, "--select", "nobody"]).status(3).says("E0810");
    }
    project.run(&["run", "--select", "contacts"]).success();
    assert_eq!(people::manifests(&project).len(), 1);
}

#[test]
fn a_command_line_that_cannot_be_understood_is_a_usage_error() {
    let project = people::project(10, 10);
    for arguments in [
        &["run", "--jobs", "0"][..],
        &["run", "--nonsense"],
        &["fly"],
        &["query"],
        &["run", "--memory", "lots"],
        &["query", "drop table people"],
        &["query", "select nothing from nowhere"],
    ] {
        let ended = project.run(arguments).status(64);
        assert!(ended.stdout.is_empty() && !ended.stderr.is_empty(), "{ended}");
    }
}

#[test]
fn a_project_that_does_not_compile_says_so_before_it_reads_anything() {
    let change = |path: &str, old: &str, new: &str, code: &str| {
        let project = people::project(10, 10);
        project.replace(path, old, new);
        for command in ["compile", "plan", "run"] {
            project.run(&[command]).status(65).says(code);
        }
        assert!(people::chunks(&project).is_empty(), "{new}");
        assert!(!project.path(people::DATABASE).exists(), "{new}");
    };
    change("exports/people.yml", "name: people", "nam: people", "E0121");
    change("exports/people.yml", "'people')", "'persons')", "E0205");
    change("policies/masking.yml", "mask: email", "mask: e_mail", "E0410");
    change(
        "policies/masking.yml",
        "match: {class: pii.email}",
        "match: {class: public.email}",
        "E0401",
    );
}

/// Compiled SQL gives the rows of the snapshot that was made from it, a model's those of the export that publishes
/// it. Nothing else is answered: no statement with one mask less, and nothing that no run has published.
#[test]
fn compiled_sql_is_answered_as_the_export_was_published() {
    let project = Project::copy_of("examples/chinook");
    project.run(&["compile", "--quiet"]).success();
    let sql_of = |export: &str| project.read(&format!("target/compiled/exports/{export}.sql"));
    project.run(&["query", &sql_of("customers")]).status(69).says("E0615");
    project.run(&["run", "--quiet"]).success();
    for export in ["customers", "customer_spending", "invoices"] {
        let compiled = project.query(&sql_of(export));
        assert_eq!(compiled, project.query(&format!("SELECT * FROM {export}")), "{export}");
    }
    let sql = sql_of("customers");
    let open = sql.replacen("mask_email", "mask_partial", 1);
    project.run(&["query", &open]).status(64).says("E0905");
    let model = project.read("target/compiled/models/customer_spending.sql");
    let published = project.run(&["query", "--format", "json", &model]).success();
    assert_eq!(published.rows(), project.query("SELECT * FROM customer_spending"));
    published.says("as export customer_spending published them");
    project.run(&["query", "SELECT \"Email\" FROM \"chinook\".\"Customer\""]).status(64);
    project.write(
        "models/unpublished.sql",
        "select \"Email\" from {{ source('chinook', 'Customer') }}",
    );
    project.run(&["compile", "--quiet"]).success();
    let unpublished = project.read("target/compiled/models/unpublished.sql");
    project.run(&["query", &unpublished]).status(64).says("no export publishes");
    // A mask that was taken off since shows nothing before a run has published that.
    project.replace("policies/masking.yml", "mask: email}", "keep: {owner: \"@x\", reason: y}}");
    project.run(&["compile", "--quiet"]).success();
    project.run(&["query", &sql_of("customers")]).status(64).says("another definition");
}
