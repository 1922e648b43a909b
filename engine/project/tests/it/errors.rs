//! Every cause: its message, its place and its help.

use engine_project::{LoadOptions, Problems, Project};

use crate::folder::{load_edited, load_with};

/// `place: marked text: message` of each problem.
fn shown(result: Result<Project, Problems>) -> Vec<String> {
    let Problems { problems, files } = result.unwrap_err();
    let line = |problem: &engine_project::Problem| {
        let Some(at) = problem.at else { return problem.kind.message() };
        let text = &files.get(at.file).unwrap().text;
        let marked = text.get(at.start as usize..at.end as usize).unwrap();
        format!("{}: {marked:?}: {}", files.describe(at), problem.kind.message())
    };
    problems.iter().map(line).collect()
}

/// One edit, one problem.
fn one(path: &str, from: &str, to: &str) -> String {
    let mut lines = shown(load_edited(path, from, to));
    assert_eq!(lines.len(), 1, "{lines:#?}");
    lines.remove(0)
}

fn help(result: Result<Project, Problems>) -> String {
    result.unwrap_err().problems[0].kind.help().unwrap_or_default()
}

macro_rules! cases {
    ($($name:ident: $path:literal, $from:literal => $to:literal, $message:literal;)*) => {
        $(#[test]
        fn $name() {
            assert_eq!(one($path, $from, $to), $message);
        })*
    };
}

cases! {
    unknown_key: "exports/customers.yml", "partition_by" => "partition",
        r#"exports/customers.yml:10:5: "partition": unknown key `partition` in exports[customers]"#;
    wrong_type: "policies/masking.yml", "sensitive: false" => "sensitive: no",
        r#"policies/masking.yml:5:23: "no": classes.public.sensitive should be true or false, but is text"#;
    missing_key: "exports/customers.yml", "from: source('crm', 'customers')" => "tags: []",
        r#"exports/customers.yml:7:5: "name: customers": exports[customers] lacks the key `from`"#;
    missing_owner: "policies/masking.yml", "owner: \"@dpo\", " => "",
        r#"policies/masking.yml:11:51: "reason: public register": masking.rules[open].keep lacks the key `owner`"#;
    empty_owner: "policies/masking.yml", "\"@dpo\"" => "''",
        r#"policies/masking.yml:11:58: "''": owner should be given, not empty"#;
    invalid_choice: "exports/customers.yml", "modular" => "moduler",
        r#"exports/customers.yml:16:17: "moduler": exports[profiles].encryption should be `sealed` or `modular`"#;
    out_of_bounds: "engine.yml", "rows: 1000" => "rows: 0",
        r#"engine.yml:7:17: "0": defaults.chunk.rows should be at least 1"#;
    edition: "engine.yml", "2026" => "2025",
        r#"engine.yml:2:10: "2025": edition should be 2026, the one edition this version knows"#;
    identifier: "engine.yml", "acme" => "Acme-1",
        r#"engine.yml:1:7: "Acme-1": the project's name should be 1 to 63 lower case letters, digits and `_`, the first of them a letter"#;
    bad_date: "policies/masking.yml", "2027-06-30" => "2027-06-31",
        r#"policies/masking.yml:11:98: "2027-06-31": until should be a day of the calendar, as YYYY-MM-DD"#;
    duplicate_key: "engine.yml", "edition: 2026" => "edition: 2026\nname: again",
        r#"engine.yml:3:1: "name": key `name` is given twice"#;
    duplicate_export: "exports/customers.yml", "name: profiles" => "name: customers",
        r#"exports/customers.yml:14:11: "customers": there are two exports called `customers`"#;
    duplicate_column: "sources/crm.yml", "class: public}" => "class: public}\n          - {name: email}",
        r#"sources/crm.yml:14:20: "email": there are two columns called `email`"#;
    unknown_source: "exports/customers.yml", "source('crm', 'customers')" => "source('crn', 'customers')",
        r#"exports/customers.yml:8:11: "source('crn', 'customers')": there is no source `crn`"#;
    unknown_table: "models/profile.sql", "'customers'" => "'customer'",
        r#"models/profile.sql:1:18: "source('crm', 'customer')": source `crm` has no table `customer`"#;
    unknown_column: "exports/customers.yml", "partition_by: [country]" => "partition_by: [contry]",
        r#"exports/customers.yml:10:20: "contry": table `crm.customers` has no column `contry`"#;
    unknown_key_column: "sources/crm.yml", "key: [customer_id]" => "key: [id]",
        r#"sources/crm.yml:7:15: "id": table `customers` has no column `id`"#;
    unknown_referenced_table: "sources/crm.yml", "table: employees" => "table: employee",
        r#"sources/crm.yml:15:45: "employee": source `crm` has no table `employee`"#;
    unknown_model: "models/summary.sql", "profile" => "profil",
        r#"models/summary.sql:1:30: "ref('profil')": there is no model `profil`"#;
    unknown_class: "sources/crm.yml", "class: pii.email" => "class: pi.email",
        r#"sources/crm.yml:11:48: "pi.email": there is no class `pi.email`"#;
    unknown_class_of_a_rule: "policies/masking.yml", "{class: public}" => "{class: publik}",
        r#"policies/masking.yml:11:35: "publik": there is no class `publik`"#;
    unknown_connection: "sources/crm.yml", "connection: crm" => "connection: crn",
        r#"sources/crm.yml:3:17: "crn": target `dev` has no connection `crn`"#;
    unknown_load_connection: "exports/customers.yml", "connection: uat" => "connection: uta",
        r#"exports/customers.yml:13:25: "uta": target `dev` has no connection `uta`"#;
    unknown_target: "profiles.yml", "default: dev" => "default: dve",
        r#"profiles.yml:1:10: "dve": there is no target `dve`"#;
    no_target: "profiles.yml", "default: dev\n" => "",
        r#"profiles.yml:1:1: "": no target is chosen"#;
    unknown_type: "sources/crm.yml", "type: date" => "type: datum",
        r#"sources/crm.yml:12:38: "datum": there is no column type `datum`"#;
    unknown_rule_column: "policies/masking.yml", "match: {class: public}" => "match: {column: crm.customers.land}",
        r#"policies/masking.yml:11:36: "crm.customers.land": table `crm.customers` has no column `land`"#;
    unknown_rule_model: "policies/masking.yml", "match: {class: public}" => "match: {column: profil.email}",
        r#"policies/masking.yml:11:36: "profil.email": there is no model `profil`"#;
    undefined_variable: "models/profile.sql", "var('country')" => "var('county')",
        r#"models/profile.sql:2:21: "var('county')": variable `county` is not defined"#;
    undefined_name: "exports/customers.yml", "{{ var('rows') }}" => "{{ rows }}",
        r#"exports/customers.yml:11:23: "rows": variable `rows` is not defined"#;
    unknown_environment_variable: "profiles.yml", "file://target/store" => "\"{{ env_var('STORE') }}\"",
        r#"profiles.yml:4:16: "env_var('STORE')": environment variable `STORE` is not set"#;
    secret_outside_profiles: "exports/customers.yml", "country <> 'TEST'" => "{{ env_var('X') }}",
        r#"exports/customers.yml:9:16: "env_var('X')": environment variable `X` is read outside profiles.yml"#;
    jinja_syntax: "models/summary.sql", "ref('profile')" => "ref('profile'",
        r#"models/summary.sql:1:44: "}": this is not valid Jinja: unexpected `}`, expected `,`"#;
    jinja_runtime: "exports/customers.yml", "{{ var('rows') }}" => "{{ now() }}",
        r#"exports/customers.yml:11:23: "now()": this Jinja expression fails: there is no function `now`"#;
    cycle: "models/profile.sql", "source('crm', 'customers')" => "ref('summary')",
        r#"models/summary.sql:1:30: "ref('profile')": models depend on each other in a circle: profile → summary → profile"#;
    cycle_of_one: "models/profile.sql", "source('crm', 'customers')" => "ref('profile')",
        r#"models/profile.sql:1:18: "ref('profile')": models depend on each other in a circle: profile → profile"#;
    model_without_sql: "exports/customers.yml", "- name: profile\n" => "- name: profil\n",
        r#"exports/customers.yml:2:11: "profil": model `profil` has no file models/profil.sql"#;
    rule_without_match: "policies/masking.yml", "match: {class: public}, " => "",
        r#"policies/masking.yml:11:14: "open": rule `open` does not say which columns it is for"#;
    rule_with_empty_match: "policies/masking.yml", "match: {class: public}" => "match: {}",
        r#"policies/masking.yml:11:14: "open": rule `open` does not say which columns it is for"#;
    rule_without_action: "policies/masking.yml", "mask: email, linkage: customer, params: {keep_domain: false}" => "key: k",
        r#"policies/masking.yml:9:14: "emails": rule `emails` neither masks nor keeps"#;
    rule_with_two_actions: "policies/masking.yml", "match: {class: public}" => "match: {class: public}, mask: token",
        r#"policies/masking.yml:11:14: "open": rule `open` both masks and keeps"#;
    ambiguous_rules: "policies/masking.yml", "- {name: births" => "- {name: also, match: {class: pii.email}, mask: token}\n    - {name: births",
        r#"policies/masking.yml:10:27: "{class: pii.email}": rules `emails` and `also` both claim `crm.customers.email`, with equal rank and different effect"#;
    second_unclassified: "exports/customers.yml", "models:" => "masking: {unclassified: drop}\nmodels:",
        r#"policies/masking.yml:7:17: "deny": key `unclassified` is given twice"#;
    unknown_policy: "exports/customers.yml", "encryption: modular" => "retention: uat",
        r#"exports/customers.yml:16:16: "uat": there is no policy `uat`"#;
    tracked_source_that_is_none: "exports/customers.yml", "models:" => "tracking: {schemas: {sources: [crn]}}\nmodels:",
        r#"exports/customers.yml:1:32: "crn": there is no source `crn`"#;
    unknown_test: "sources/crm.yml", "not_null" => "notnull",
        r#"sources/crm.yml:11:67: "notnull": sources[crm].tables[customers].columns[email].tests[0] should be `not_null`, `unique` or `leak`"#;
    unknown_test_with_arguments: "exports/customers.yml", "k_anonymity" => "k_anonimity",
        r#"exports/customers.yml:12:14: "k_anonimity": unknown key `k_anonimity` in exports[customers].tests[0]"#;
    range_without_bounds: "sources/crm.yml", "[not_null, {unique: {}}]" => "[{range: {}}]",
        r#"sources/crm.yml:11:75: "{}": range should be a mapping with `min`, `max` or both"#;
    literal_secret: "profiles.yml", "path: data/crm.sqlite" => "password: canary",
        r#"profiles.yml:7:27: "password": `password` holds a secret in clear"#;
    bad_memory: "profiles.yml", "memory: 1GiB" => "memory: 1 lot",
        r#"profiles.yml:9:34: "1 lot": execution.memory should be a number of bytes, or a size such as 512MiB or 1GiB"#;
    key_without_variable: "profiles.yml", "provider: passphrase, keyring: keyring.json, env: ENGINE_PASSPHRASE" => "provider: environment",
        r#"profiles.yml:5:11: "{provider: environment}": targets.dev.keys lacks the key `env`"#;
    store_without_scheme: "profiles.yml", "file://target/store" => "target/store",
        r#"profiles.yml:4:12: "target/store": store should be a URL, such as file://target/store or s3://bucket/path"#;
    yaml_syntax: "engine.yml", "name: acme" => "name: [acme",
        r#"engine.yml:2:8: "": this is not valid YAML: illegal placement of ':' indicator"#;
    two_documents: "engine.yml", "edition: 2026" => "edition: 2026\n---\na: 1",
        r#"engine.yml:3:1: "---": this is not valid YAML: a file holds one document only"#;
    foreign_tag: "engine.yml", "acme" => "!python/object acme",
        r#"engine.yml:1:22: "acme": this is not valid YAML: tags other than those of the core schema mean nothing here"#;
}

#[test]
fn names_that_are_near_are_suggested() {
    let cases = [
        (
            "exports/customers.yml",
            "partition_by",
            "partition_bi",
            "valid keys: name, from, description",
        ),
        ("sources/crm.yml", "pii.email", "pi.email", "classes there are: id, pii, public, quasi"),
    ];
    for (path, from, to, expected) in cases {
        let help = help(load_edited(path, from, to));
        assert!(help.starts_with(expected), "{help}");
    }
    let labels = |path, from, to| load_edited(path, from, to).unwrap_err().problems[0].kind.label();
    assert_eq!(
        labels("exports/customers.yml", "partition_by", "partition_bi"),
        "did you mean `partition_by`?"
    );
    assert_eq!(labels("sources/crm.yml", "pii.email", "pi.email"), "did you mean `pii.email`?");
    assert_eq!(labels("exports/customers.yml", "modular", "moduler"), "did you mean `modular`?");
    assert_eq!(labels("models/summary.sql", "'profile'", "'profle'"), "did you mean `profile`?");
}

#[test]
fn all_problems_of_a_step_are_reported_in_order() {
    let lines = shown(load_with(
        &[
            ("engine.yml", "name: acme\nedition: x\nvar: {}\n"),
            ("profiles.yml", "targets: {dev: {store: 1, key: {}}}\n"),
            ("policies/masking.yml", "clases: {}\n"),
        ],
        &LoadOptions::default(),
    ));
    assert_eq!(
        lines,
        [
            r#"engine.yml:2:10: "x": edition should be a whole number, but is text"#,
            r#"engine.yml:3:1: "var": unknown key `var` in engine.yml"#,
            r#"policies/masking.yml:1:1: "clases": unknown key `clases` in a project file"#,
            r#"profiles.yml:1:24: "1": targets.dev.store should be text, but is a whole number"#,
            r#"profiles.yml:1:27: "key": unknown key `key` in targets.dev"#,
        ]
    );
}

#[test]
fn both_places_of_a_duplicate_are_known() {
    let problems =
        load_edited("exports/customers.yml", "name: profiles", "name: customers").unwrap_err();
    let (at, label) = &problems.problems[0].related[0];
    assert_eq!(
        (problems.files.describe(*at).as_str(), label.as_str()),
        ("exports/customers.yml:7:11", "first declared here")
    );
}

#[test]
fn folders_without_a_project_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let problems = engine_project::load(folder.path(), &LoadOptions::default()).unwrap_err();
    assert!(problems.to_string().ends_with("is not a project: it has no engine.yml"), "{problems}");
    crate::folder::write(
        &folder.path().join("engine.yml"),
        b"name: a\nedition: 2026\nprofile: p/q.yml\n",
    );
    let problems = engine_project::load(folder.path(), &LoadOptions::default()).unwrap_err();
    assert_eq!(problems.to_string(), "engine.yml:3:10: cannot read `p/q.yml`: no such file");
    crate::folder::write(&folder.path().join("engine.yml"), b"name: \xff\n");
    let problems = engine_project::load(folder.path(), &LoadOptions::default()).unwrap_err();
    assert_eq!(problems.to_string(), "`engine.yml` is not UTF-8 text");
}

#[test]
fn literal_secrets_are_not_shown() {
    for password in
        ["password: canary", "dsn: \"Server=x;Password=canary\"", "url: pg://u:canary@h/d"]
    {
        let problems = load_edited("profiles.yml", "path: data/crm.sqlite", password).unwrap_err();
        let profiles = problems.files.find("profiles.yml").unwrap();
        assert!(!problems.files.get(profiles).unwrap().text.contains("canary"));
        assert!(!format!("{problems:?}").contains("canary"), "{problems:?}");
    }
}

#[test]
fn secrets_do_not_become_variables_or_names() {
    let options = LoadOptions {
        environment: [("X".to_owned(), "canary".to_owned())].into(),
        ..LoadOptions::default()
    };
    let (_, profiles) =
        crate::folder::BASE.iter().find(|(path, _)| *path == "profiles.yml").unwrap();
    let secret = "\"{{ env_var('X') }}\"";
    for (from, to, message) in [
        (
            "    execution: {jobs: 2, memory: 1GiB}",
            format!("    vars: {{a: {secret}}}"),
            "profiles.yml:9:15: vars should be without env_var: variables are shown in compiled SQL and in plans",
        ),
        (
            "env: ENGINE_PASSPHRASE",
            format!("env: {secret}"),
            "profiles.yml:5:62: this value should be written in clear, not read from the environment",
        ),
        (
            "type: sqlite, path: data",
            format!("type: {secret}, path: data"),
            "profiles.yml:7:7: connections.crm.type should be the name of a connector, in clear",
        ),
        (
            "memory: 1GiB",
            format!("memory: {secret}"),
            "profiles.yml:9:34: execution.memory should be a number of bytes, or a size such as 512MiB or 1GiB",
        ),
    ] {
        let text = profiles.replacen(from, &to, 1);
        let problems = load_with(&[("profiles.yml", &text)], &options).unwrap_err();
        assert_eq!(problems.to_string(), message);
        assert!(!format!("{problems:?}").contains("canary"));
    }
}
