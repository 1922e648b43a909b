//! What a project without mistakes becomes.

use engine_project::{
    Action, ColumnTest, ColumnType, Destination, Encryption, KeyProvider, LoadOptions, Relation,
    TableTest, Topic, canonical,
};
use serde_json::json;

use crate::folder::{load_edited, load_with};

fn table() -> Relation {
    Relation::Table { source: "crm".to_owned(), table: "customers".to_owned() }
}

#[test]
fn everything_is_resolved() {
    let project = load_with(&[], &LoadOptions::default()).unwrap();
    assert_eq!(project.name.value, "acme");
    assert_eq!(project.target.name.value, "dev");
    assert_eq!(project.target.store.value.reveal(), "file://target/store");
    assert!(
        matches!(&project.target.keys.provider, KeyProvider::Passphrase { env: Some(env) } if env.value == "ENGINE_PASSPHRASE")
    );
    assert_eq!(project.target.execution.memory_bytes, Some(1 << 30));
    assert_eq!(project.target.execution.batch_rows, 8192);
    let connection = &project.target.connections["crm"];
    assert_eq!(
        (connection.kind.value.as_str(), connection.params.reveal_json()),
        ("sqlite", json!({"path": "data/crm.sqlite"}))
    );

    let customers = project.table("crm", "customers").unwrap();
    assert_eq!(customers.read.reveal_json(), json!({"table": "Customer"}));
    assert_eq!(customers.tags, ["raw"]);
    let email = customers.column("email").unwrap();
    assert_eq!(email.column_type.unwrap().value, ColumnType::String);
    let tests: Vec<_> = email.tests.iter().map(|test| test.test.clone()).collect();
    assert_eq!(tests, [ColumnTest::NotNull, ColumnTest::Unique]);

    assert_eq!(
        project.class("pii.email").map(|(name, class)| (name, class.sensitive)),
        Some(("pii", true))
    );
    assert!(
        matches!(&project.rules[0].action, Action::Mask(mask) if mask.function.value == "email")
    );
    assert!(
        matches!(&project.rules[2].action, Action::Keep(keep) if keep.until.unwrap().value.to_string() == "2027-06-30")
    );

    let names: Vec<_> = project.models.iter().map(|model| model.name.value.as_str()).collect();
    assert_eq!(names, ["profile", "summary"]);
    let profile = project.model("profile").unwrap();
    assert_eq!(profile.sql.text, "select * from \"crm\".\"customers\"\nwhere country = 'DE'");
    assert_eq!(profile.depends_on[0].value, table());
    assert!(profile.column("email").unwrap().declassify.is_some());

    let customers = project.export("customers").unwrap();
    assert_eq!(customers.from.value, table());
    assert_eq!(customers.chunk.rows, 500);
    assert!(
        matches!(&customers.tests[0].test, TableTest::KAnonymity { columns, k: 5 } if columns.len() == 2)
    );
    let profiles = project.export("profiles").unwrap();
    assert_eq!(profiles.from.value, Relation::Model { name: "profile".to_owned() });
    assert_eq!((profiles.chunk.rows, profiles.encryption), (1000, Encryption::Modular));
}

#[test]
fn secrets_reach_the_connector_and_nothing_else() {
    let environment = [
        ("STORE", "s3://canary-store"),
        ("DB", "canary-db"),
        ("PASSWORD", "canary-1234"),
        ("PORT", "5432"),
        ("API_KEY", "canary-api-key"),
        ("HOOK_SECRET", "canary-hook-secret"),
    ];
    let options = LoadOptions {
        target: Some("prod".to_owned()),
        environment: environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        ..LoadOptions::default()
    };
    assert!(!format!("{options:?}").contains("canary"));
    let project = load_with(&[], &options).unwrap();
    assert!(project.target.protected);
    assert_eq!(project.target.store.value.reveal(), "s3://canary-store");
    let params = &project.target.connections["crm"].params;
    assert_eq!(
        params.reveal_json(),
        json!({"path": "canary-db", "password": "canary-1234", "port": 5432})
    );
    assert_eq!(params.redacted_json()["port"], json!("[secret]"));
    let shown = format!("{project:?}");
    assert!(!shown.contains("canary") && !shown.contains("5432"));
    let mut artifacts = canonical::policy(&project).to_string();
    artifacts.extend(project.exports.iter().map(|export| canonical::export(export).to_string()));
    artifacts.extend(project.models.iter().map(|model| canonical::model(model).to_string()));
    assert!(!artifacts.contains("canary"));
}

#[test]
fn variables_of_the_command_line_beat_those_of_the_target_and_the_project() {
    let country = |options: &LoadOptions, profiles: &str| {
        let project = load_with(&[("profiles.yml", profiles)], options).unwrap();
        project.vars["country"].clone()
    };
    let plain = "targets: {t: {store: 'file://s', keys: {provider: passphrase}, connections: {crm: {type: x}, uat: {type: x}}}}";
    let with_vars = plain.replace("store:", "vars: {country: FR}, store:");
    let none = LoadOptions::default();
    let some = LoadOptions {
        vars: [("country".to_owned(), "7".to_owned())].into(),
        ..LoadOptions::default()
    };
    assert_eq!(country(&none, plain), json!("DE"));
    assert_eq!(country(&none, &with_vars), json!("FR"));
    assert_eq!(country(&some, &with_vars), json!(7));
}

#[test]
fn style_does_not_change_the_canonical_form_and_meaning_does() {
    let base = load_with(&[], &LoadOptions::default()).unwrap();
    let policy = canonical::policy(&base).to_string();
    let export = canonical::export(base.export("customers").unwrap()).to_string();
    let restyled = "# a comment\nmasking:\n  rules:\n  - keep:\n      reason: 'public register'\n      owner: '@dpo'\n      until: \"2027-06-30\"\n    match: {class: public}\n    name: open\n  - {name: births, match: {class: quasi.birth_date}, params: {per: customer_id, days: 30}, mask: date_shift}\n  - {name: emails, mask: email, match: {class: pii.email}, linkage: customer, params: {keep_domain: false}}\nclasses: {public: {sensitive: false}, quasi: {sensitive: true}, pii: {sensitive: true}, id: {sensitive: true}}\n";
    let again = load_with(&[("policies/masking.yml", restyled)], &LoadOptions::default()).unwrap();
    assert_eq!(canonical::policy(&again).to_string(), policy);
    assert_eq!(canonical::export(again.export("customers").unwrap()).to_string(), export);
    let changed = load_edited("policies/masking.yml", "days: 30", "days: 31").unwrap();
    assert_ne!(canonical::policy(&changed).to_string(), policy);
    let changed = load_edited("exports/customers.yml", "k: 5", "k: 6").unwrap();
    assert_ne!(canonical::export(changed.export("customers").unwrap()).to_string(), export);
}

#[test]
fn sections_may_stand_in_any_folder_and_files_may_be_empty() {
    let project = load_with(
        &[
            ("models/deep/er/classes.yaml", "classes: {extra: {sensitive: false}}\n"),
            ("exports/empty.yml", "# nothing\n"),
            ("lookups/cities.csv", "a\n"),
            ("exports/.hidden.yml", "{"),
        ],
        &LoadOptions::default(),
    )
    .unwrap();
    assert!(project.classes.contains_key("extra"));
    assert_eq!(project.lookups["cities"], "lookups/cities.csv");
}

#[test]
fn parameters_are_found_again_by_path() {
    let project = load_with(&[], &LoadOptions::default()).unwrap();
    let Action::Mask(mask) = &project.rules[1].action else { panic!() };
    let text = &project.files.get(mask.params.at.file).unwrap().text;
    let shown = |at: engine_project::Location| &text[at.start as usize..at.end as usize];
    assert_eq!(shown(mask.params.locate_path("days")), "30");
    assert_eq!(shown(mask.params.locate_path("/per")), "customer_id");
    assert_eq!(shown(mask.params.locate_path("gone")), "{days: 30, per: customer_id}");
    assert_eq!(shown(mask.params.locate_key(&["days"])), "days");
    assert_eq!(shown(mask.params.locate_path("")), "{days: 30, per: customer_id}");
}

/// The profiles with these destinations of `dev`.
fn told(destinations: &str) -> String {
    format!(
        "targets:\n  dev:\n    store: file://target/store\n    \
         keys: {{provider: passphrase, keyring: keyring.json}}\n    connections:\n      \
         crm: {{type: sqlite, path: crm.sqlite}}\n      uat: {{type: sqlite, path: out.sqlite}}\n    \
         events:\n{destinations}"
    )
}

#[test]
fn destinations_of_events_have_defaults() {
    let text = told(
        "      - openlineage: {file: target/a.ndjson}\n      \
         - openlineage: {url: https://a.example.com}\n      \
         - prometheus: {file: b.prom}\n      - pushgateway: {url: http://localhost}\n      \
         - webhook: {url: https://b.example.com, secret: \"{{ env_var('S') }}\"}\n",
    );
    let environment = [("S".to_owned(), "canary".to_owned())].into_iter().collect();
    let options = LoadOptions { environment, ..LoadOptions::default() };
    let project = load_with(&[("profiles.yml", &text)], &options).unwrap();
    let events = &project.target.events;
    assert!(!format!("{events:?}").contains("canary"), "{events:?}");
    let [
        Destination::OpenLineageFile { file },
        Destination::OpenLineage { api_key: None, .. },
        Destination::Prometheus { .. },
        Destination::Pushgateway { job, .. },
        Destination::Webhook { secret, when, .. },
    ] = events.as_slice()
    else {
        panic!("{events:?}");
    };
    assert_eq!((file.value.reveal(), job.as_str()), ("target/a.ndjson", "acme"));
    assert_eq!(
        (secret.value.reveal(), when.as_slice()),
        ("canary", &[Topic::Failed, Topic::Security][..])
    );
}

#[test]
fn destinations_of_events_say_where_to() {
    for (destination, path) in [
        ("openlineage: {}", "openlineage"),
        ("openlineage: {file: a, url: https://b}", "openlineage"),
        ("openlineage: {file: a, api_key: \"{{ env_var('S') }}\"}", "openlineage"),
        ("webhook: {url: https://a}", "lacks the key `secret`"),
        ("webhook: {url: https://a, secret: whsec_abc}", "secret"),
        ("webhoook: {url: https://a}", "webhoook"),
        ("pushgateway: {url: http://localhost, job: \"\"}", "pushgateway.job"),
        ("{}", "a mapping of exactly 1"),
    ] {
        let text = told(&format!("      - {destination}\n"));
        let environment = [("S".to_owned(), "canary".to_owned())].into_iter().collect();
        let options = LoadOptions { environment, ..LoadOptions::default() };
        let problems = load_with(&[("profiles.yml", &text)], &options).unwrap_err();
        let said: Vec<String> =
            problems.problems.iter().map(|problem| problem.kind.message()).collect();
        assert!(said.len() == 1 && said[0].contains(path), "{destination}: {said:?}");
    }
}
