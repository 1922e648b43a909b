//! Schemas of sources in Git: recorded sealed, compared, shown to whoever has the key, accepted by a real
//! PostgreSQL.

use std::path::Path;
use std::process::Command;

use crate::harness::{Project, files_below};
use crate::postgres::Postgres;

/// A word that stands in a default and must not be recorded.
const CANARY: &str = "ask Anna Meyer";

/// Chinook with a policy, in a repository of its own.
fn chinook(policy: &str) -> Project {
    let project = Project::copy_of("examples/chinook");
    project.write("policies/tracking.yml", format!("tracking:\n  schemas: {policy}\n"));
    git(&project, &["init", "--quiet"]);
    project
}

fn git(project: &Project, arguments: &[&str]) -> String {
    let own = ["-c", "user.name=tests", "-c", "user.email=tests@example.org"];
    let output = Command::new("git")
        .args(own)
        .args(arguments)
        .current_dir(project.root())
        .env("PATH", path_with_engine(project))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// `PATH` with the program under its name: the diff driver is found there.
fn path_with_engine(project: &Project) -> String {
    let folder = project.path(".git/bin");
    std::fs::create_dir_all(&folder).unwrap();
    let link = folder.join("engine");
    if !link.exists() {
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_engine"), &link).unwrap();
    }
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())
}

fn commit(project: &Project) {
    git(project, &["add", "--all", "--force", ":!target", ":!metadata/decrypted"]);
    git(project, &["commit", "--quiet", "--message", "state"]);
}

fn alter(project: &Project, sql: &str) {
    let database = rusqlite::Connection::open(project.path("data/chinook.sqlite")).unwrap();
    database.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = OFF").unwrap();
    database.execute_batch(sql).unwrap();
}

/// SQLite changes most of a column by making the table anew.
fn remade(table: &str, columns: &str) -> String {
    format!(
        "PRAGMA legacy_alter_table = ON;
         CREATE TABLE made_anew ({columns}); INSERT INTO made_anew SELECT * FROM {table};
         DROP TABLE {table}; ALTER TABLE made_anew RENAME TO {table};
         PRAGMA legacy_alter_table = OFF;"
    )
}

/// Ten changes by real DDL.
fn ten_changes() -> String {
    [
        "CREATE TABLE Review (TrackId INTEGER NOT NULL REFERENCES Track (TrackId), Stars INTEGER);".to_owned(),
        "DROP TABLE PlaylistTrack;".to_owned(),
        "ALTER TABLE Genre RENAME TO Style;".to_owned(),
        "ALTER TABLE Artist ADD COLUMN Country TEXT;".to_owned(),
        "ALTER TABLE Employee DROP COLUMN Fax;".to_owned(),
        "ALTER TABLE Customer RENAME COLUMN Company TO Employer;".to_owned(),
        "CREATE INDEX MailOfCustomers ON Customer (Email);".to_owned(),
        remade("Album", "AlbumId INTEGER NOT NULL CONSTRAINT PK_Album PRIMARY KEY, Title NVARCHAR(200) NOT NULL, \
             ArtistId INTEGER NOT NULL REFERENCES Artist (ArtistId)")
            + "CREATE INDEX IFK_AlbumArtistId ON Album (ArtistId);",
        remade("Playlist", "PlaylistId INTEGER NOT NULL CONSTRAINT PK_Playlist PRIMARY KEY, Name NVARCHAR(120) NOT NULL"),
        remade("MediaType", &format!("MediaTypeId INTEGER NOT NULL CONSTRAINT PK_MediaType PRIMARY KEY, \
             Name NVARCHAR(120) DEFAULT '{CANARY}'")),
    ]
    .concat()
}

/// The changes an extraction found, in lines.
fn changes(project: &Project, arguments: &[&str]) -> Vec<String> {
    let arguments = [&["metadata", "extract", "--format", "json"], arguments].concat();
    let report = project.run(&arguments).success().json();
    let changes = report["sources"][0]["changes"].as_array().unwrap().iter();
    let text = |value: &serde_json::Value| {
        value.as_str().map(|text| format!(" {text}")).unwrap_or_default()
    };
    let line = |change: &serde_json::Value| {
        let fields = ["table", "column", "before", "after"].map(|field| text(&change[field]));
        format!("{}{}", change["kind"].as_str().unwrap(), fields.concat())
    };
    changes.map(line).collect()
}

/// The files of the folder, relative to the project.
fn recorded(project: &Project) -> Vec<String> {
    let relative =
        |path: std::path::PathBuf| path.strip_prefix(project.root()).unwrap().display().to_string();
    let mut files: Vec<String> =
        files_below(&project.path("metadata")).into_iter().map(relative).collect();
    files.sort();
    files
}

#[test]
fn ten_changes_by_real_ddl_are_seen_as_these_ten() {
    let project = chinook("{sources: [chinook]}");
    project.run(&["metadata", "extract"]).success();
    commit(&project);
    alter(&project, &ten_changes());
    assert_eq!(
        changes(&project, &[]),
        [
            "type_widened Album Title text(160) text(200)",
            "column_added Artist Country text",
            "column_renamed Customer Employer Company Employer",
            "index_changed Customer index MailOfCustomers (Email)",
            "column_removed Employee Fax text(24)",
            "default_changed MediaType Name (not kept)",
            "nullability_changed Playlist Name nullable not null",
            "table_removed PlaylistTrack 2 columns",
            "table_added Review 2 columns",
            "table_renamed Style Genre Style",
        ]
    );
    let files = recorded(&project);
    let archived: Vec<&String> = files.iter().filter(|file| file.contains('_')).collect();
    assert_eq!(archived.len(), 2, "the schema and the DDL as they were: {files:?}");
    commit(&project);
    project.run(&["metadata", "extract"]).success().prints("nothing changed");
    project.run(&["run", "--select", "artists"]).success();
    assert_eq!(git(&project, &["status", "--porcelain"]), "");
    // A second change on one day.
    alter(&project, "ALTER TABLE Artist DROP COLUMN Country;");
    assert_eq!(changes(&project, &[]), ["column_removed Artist Country text"]);
    assert!(recorded(&project).iter().any(|file| file.ends_with("_2.enc")));
    let log = project.run(&["metadata", "history", "--summary"]).success().stdout;
    assert_eq!(log.lines().count(), 3, "{log}");
    let one = project.run(&["metadata", "history", "--table", "Style"]).success().stdout;
    assert!(one.contains("table renamed") && !one.contains("Employee"), "{one}");
}

#[test]
fn the_ddl_is_accepted_by_a_real_postgresql_as_it_is() {
    let project = chinook("{sources: [chinook], values: true}");
    alter(&project, &ten_changes());
    project.run(&["metadata", "extract"]).success();
    project.run(&["metadata", "decrypt"]).success();
    let server = Postgres::start();
    server.load(&project.path("metadata/decrypted/ddl/chinook.sql"));
    let count = |sql: &str| server.psql(sql).trim().parse::<usize>().unwrap();
    assert_eq!(
        count("select count(*) from information_schema.tables where table_schema = 'public'"),
        11
    );
    let references = "select count(*) from pg_constraint where contype = 'f'";
    assert_eq!(
        count(references),
        10,
        "every reference of Chinook but those of the dropped table, and one new"
    );
    let title = "select character_maximum_length from information_schema.columns where column_name = 'Title' and table_name = 'Album'";
    assert_eq!(count(title), 200);
    server.psql("insert into \"MediaType\" (\"MediaTypeId\") values (1)");
    assert_eq!(server.psql("select \"Name\" from \"MediaType\"").trim(), CANARY);
    let refused = server.refuses("insert into \"Playlist\" values (1, null)");
    assert!(refused.contains("not-null"), "{refused}");
}

#[test]
fn texts_of_a_catalog_are_kept_out_unless_they_are_asked_for() {
    for (values, is_there) in [("false", false), ("true", true)] {
        let project = chinook(&format!("{{sources: [chinook], values: {values}}}"));
        project.run(&["metadata", "extract"]).success();
        alter(&project, &ten_changes());
        project.run(&["metadata", "extract"]).success();
        project.run(&["metadata", "decrypt"]).success();
        let texts: String = files_below(&project.path("metadata/decrypted"))
            .iter()
            .map(|file| std::fs::read_to_string(file).unwrap())
            .collect();
        assert_eq!(texts.contains(CANARY), is_there, "values: {values}");
        // A default that changes is noticed without its text.
        alter(
            &project,
            &remade(
                "MediaType",
                "MediaTypeId INTEGER NOT NULL CONSTRAINT PK_MediaType PRIMARY KEY, Name NVARCHAR(120) DEFAULT 'other'",
            ),
        );
        let found = changes(&project, &[]);
        assert!(found.len() == 1 && found[0].starts_with("default_changed"), "{found:?}");
    }
}

/// Two changes that look alike without their texts are two; and texts that were recorded once are not shown when
/// they are no longer asked for.
#[test]
fn changes_of_texts_that_are_not_kept_are_all_logged() {
    let project = chinook("{sources: [chinook], values: true}");
    let default = |text: &str| {
        let columns = format!(
            "MediaTypeId INTEGER NOT NULL PRIMARY KEY, Name NVARCHAR(120) DEFAULT '{text}'"
        );
        alter(&project, &remade("MediaType", &columns));
    };
    default(CANARY);
    project.run(&["metadata", "extract"]).success();
    project.replace("policies/tracking.yml", "values: true", "values: false");
    for text in ["two", "three", "four"] {
        default(text);
        let shown = project.run(&["metadata", "extract"]).success();
        assert!(!format!("{shown}").contains(CANARY), "{shown}");
    }
    let log = project.run(&["metadata", "history"]).success().stdout;
    assert_eq!(log.matches("    default changed").count(), 3, "{log}");
    assert!(!log.contains(CANARY), "{log}");
}

/// A warning is said although the run then fails: it is recorded by then.
#[test]
fn a_change_is_said_although_the_run_fails() {
    let project = chinook("{sources: [chinook]}");
    project.run(&["run", "--select", "employees"]).success();
    alter(&project, "ALTER TABLE Employee DROP COLUMN Fax");
    project.run(&["run", "--select", "employees"]).status(65).says("column removed Employee.Fax");
}

/// What is sealed says nothing: no name of a table or column, and no id that a guess could be tried on.
#[test]
fn the_folder_says_nothing_without_the_key() {
    let project = chinook("{sources: [chinook]}");
    project.run(&["metadata", "extract"]).success();
    for file in files_below(&project.path("metadata")) {
        let bytes = std::fs::read(&file).unwrap();
        let text = format!("{} {}", file.display(), String::from_utf8_lossy(&bytes));
        let inside = text.strip_prefix(&project.root().display().to_string()).unwrap();
        for word in ["Customer", "chinook", "Email", "INTEGER"] {
            assert!(!inside.contains(word), "{word} in {}", file.display());
        }
    }
    project.run(&["metadata", "decrypt"]).success();
    project.run(&["metadata", "clean"]).success().prints("removed");
    assert!(!project.path("metadata/decrypted").exists());
}

#[test]
fn a_refused_change_stops_runs_and_writes_nothing_until_it_is_accepted() {
    let project =
        chinook("{sources: [chinook], on_change: {column_removed: fail, column_added: ignore}}");
    project.run(&["run", "--select", "employees"]).success();
    let before = recorded(&project);
    assert_eq!(before.len(), 4, "a run records too: {before:?}");
    let sealed = |project: &Project| -> Vec<Vec<u8>> {
        recorded(project).iter().map(|file| std::fs::read(project.path(file)).unwrap()).collect()
    };
    let bytes = sealed(&project);
    alter(
        &project,
        "ALTER TABLE Employee DROP COLUMN Fax; ALTER TABLE Artist ADD COLUMN Country TEXT",
    );
    project.run(&["run", "--select", "employees"]).status(4).says("E1002");
    project.run(&["metadata", "extract"]).status(4).says("column removed Employee.Fax");
    assert_eq!(recorded(&project), before);
    assert_eq!(sealed(&project), bytes);
    project.run(&["metadata", "extract", "--accept"]).success().says("E1002");
    project.run(&["metadata", "extract"]).success().prints("nothing changed");
}

/// Killed after any of its files but the last, an extraction finds the same changes again and logs them once.
#[test]
fn an_interrupted_extraction_is_made_up_for() {
    let project = chinook("{sources: [chinook]}");
    project.run(&["metadata", "extract"]).success();
    let schema = recorded(&project).into_iter().find(|file| file.contains("schemas")).unwrap();
    let index = "metadata/index.enc";
    let old = [schema.as_str(), index].map(|file| std::fs::read(project.path(file)).unwrap());
    alter(&project, "ALTER TABLE Artist ADD COLUMN Country TEXT");
    project.run(&["metadata", "extract"]).success();
    let files = recorded(&project);
    project.write(&schema, &old[0]);
    project.write(index, &old[1]);
    assert_eq!(changes(&project, &[]), ["column_added Artist Country text"]);
    assert_eq!(recorded(&project), files, "nothing is put aside twice");
    let log = project.run(&["metadata", "history", "--summary"]).success().stdout;
    assert_eq!(log.lines().count(), 2, "{log}");
}

#[test]
fn a_file_under_another_name_is_refused() {
    let project = chinook("{sources: [chinook]}");
    project.run(&["metadata", "extract"]).success();
    let files = recorded(&project);
    let part = |name: &str| files.iter().find(|file| file.contains(name)).unwrap();
    std::fs::copy(project.path(part("changes/")), project.path(part("schemas/"))).unwrap();
    project.run(&["metadata", "extract"]).status(77).says("E1003");
    project.run(&["metadata", "decrypt"]).status(77).says("E1003");
}

#[test]
fn git_shows_changes_in_clear_to_whoever_has_the_key_and_nothing_to_others() {
    let project = chinook("{sources: [chinook]}");
    project.run(&["metadata", "extract"]).success();
    commit(&project);
    project.run(&["metadata", "diff-driver"]).success();
    alter(&project, "ALTER TABLE Artist ADD COLUMN Country TEXT");
    project.run(&["metadata", "extract"]).success();
    let shown = git(&project, &["diff"]);
    assert!(shown.contains("+    column added  Artist.Country  text"), "{shown}");
    assert!(shown.contains("+          \"name\": \"Country\""), "{shown}");
    commit(&project);
    let log = git(&project, &["log", "-p", "-1", "--", "metadata"]);
    assert!(log.contains("column added  Artist.Country"), "{log}");
    project.write(".env", "ENGINE_PASSPHRASE=another-one-entirely\n");
    let log = git(&project, &["log", "-p", "-1", "--", "metadata"]);
    assert!(!log.contains("Country") && log.contains("metadata/"), "{log}");
}

#[test]
fn a_commit_with_what_must_not_be_in_it_is_refused() {
    let project = chinook("{sources: [chinook]}");
    project.run(&["metadata", "check"]).success();
    project.run(&["metadata", "extract"]).success();
    project.run(&["metadata", "decrypt"]).success();
    project.write("metadata/plain.enc", "{\"tables\": []}");
    project.write("metadata/clear/crm.json", "{\"tables\": []}");
    project.write("notes.bin", std::fs::read(project.path("data/chinook.sqlite")).unwrap());
    project.write("lookups/countries.csv", "code\nDE\n");
    git(&project, &["add", "--all", "--force", ":!target"]);
    let ended = project.run(&["metadata", "check"]).status(4);
    let text = &ended.stderr;
    for path in [
        "metadata/decrypted/index.json",
        "metadata/plain.enc",
        "metadata/clear/crm.json",
        "notes.bin",
        ".env",
        "data/chinook.sqlite",
    ] {
        assert!(text.contains(&format!("`{path}`")), "{path}: {text}");
    }
    for path in ["lookups/countries.csv", "metadata/index.enc", "sources/chinook.yml"] {
        assert!(!text.contains(path), "{path}: {text}");
    }
    git(
        &project,
        &[
            "rm",
            "-r",
            "--cached",
            "--quiet",
            "metadata/decrypted",
            "metadata/plain.enc",
            "metadata/clear",
            "notes.bin",
        ],
    );
    project.run(&["metadata", "check"]).status(4);
    let allowed = ["metadata", "check", "--allow", "data/*.sqlite", "--allow", ".env"];
    project.run(&allowed).success();
    let elsewhere = Project::copy_of("examples/chinook");
    elsewhere.run(&["metadata", "check"]).status(69).says("E1007");
}

#[test]
fn files_have_schemas_too() {
    let project = Project::copy_of("project-template");
    project.write("policies/tracking.yml", "tracking: {schemas: {sources: [shop]}}\n");
    project.write("passphrase", "a passphrase of tests\n");
    let with_key = |arguments: &[&str]| {
        project.run(&[arguments, &["--passphrase-file", "passphrase"]].concat())
    };
    with_key(&["keys", "init"]).success();
    with_key(&["metadata", "extract"]).success().prints("2 tables");
    let data = project.read("data/customers.csv");
    let (header, rows) = data.split_once('\n').unwrap();
    project.write("data/customers.csv", format!("{},more\n{}", header, rows.replace('\n', ",\n")));
    with_key(&["metadata", "extract"]).success().prints("column added customers.more");
    assert!(Path::new(&project.path("metadata/index.enc")).exists());
}

/// A new project inside a clone has the driver at once; its folder stands in the command.
#[test]
fn a_new_project_in_a_clone_has_the_diff_driver() {
    let clone = Project::empty();
    git(&clone, &["init", "--quiet"]);
    clone.run(&["init", "it's mine"]).success();
    let command = git(&clone, &["config", "--get", "diff.engine-metadata.textconv"]);
    let show = "engine --quiet --project-dir 'it'\\''s mine' metadata show \"$1\"";
    assert_eq!(command.trim(), format!("show() {{ {show} 2>/dev/null || true; }}; show"));
    let attributes = clone.read("it's mine/.gitattributes");
    assert!(attributes.contains("diff=engine-metadata"), "{attributes}");
}

/// Archives go by number; the log still tells of the change, and says which archives expired. The record stays.
#[test]
fn archives_go_by_their_policy_and_the_log_says_so() {
    let project = chinook("{sources: [chinook], retention: archives}");
    project.write(
        "policies/retention.yml",
        "retention:\n  - {name: archives, snapshots: {keep: 1}}\n",
    );
    project.run(&["metadata", "extract"]).success();
    for column in ["One", "Two", "Three"] {
        alter(&project, &format!("ALTER TABLE Artist ADD COLUMN {column} TEXT;"));
        project.run(&["metadata", "extract"]).success();
    }
    let archives = || -> Vec<String> {
        let files = files_below(&project.path("metadata"));
        let names =
            files.iter().map(|file| file.file_name().unwrap().to_string_lossy().into_owned());
        names.filter(|name| name.contains('_')).collect()
    };
    assert_eq!(archives().len(), 6, "a schema and its DDL, three times");
    project.run(&["retention", "plan"]).success().prints("schema of chinook: 4 archives");
    assert_eq!(archives().len(), 6, "a plan changes nothing");
    project.run(&["retention", "apply"]).success();
    assert_eq!(archives().len(), 2);
    project.run(&["metadata", "history"]).success().prints("expired");
    project.run(&["metadata", "history"]).success().prints("One");
    project.run(&["retention", "plan"]).success();
    let before = recorded(&project);
    project.run(&["retention", "apply"]).success();
    assert_eq!(recorded(&project), before, "once is enough");
    project.run(&["metadata", "decrypt"]).success();
    project.run(&["metadata", "extract"]).success();
}

#[test]
fn whoever_opens_metadata_is_on_record() {
    let project = chinook("{sources: [chinook]}");
    project.run(&["metadata", "extract"]).success();
    project.run(&["metadata", "history"]).success();
    project.run(&["metadata", "decrypt"]).success();
    let log = recorded(&project).into_iter().find(|file| file.contains("changes")).unwrap();
    project.run(&["metadata", "show", &log]).success().prints("first recorded");
    project.run(&["keys", "export", "--purpose", "metadata", "--to", "metadata.key"]).success();
    let told = project.query(
        "SELECT o.script_type AS command, e.kind AS kind, e.objects AS objects FROM engine.events e \
         JOIN engine.operations o USING (execution) WHERE o.script_type <> 'keys_init' ORDER BY e.time",
    );
    let told: Vec<String> = told
        .iter()
        .map(|event| format!("{} {} {}", event["command"], event["kind"], event["objects"]))
        .collect();
    let shown = log.strip_prefix("metadata/").and_then(|name| name.strip_suffix(".enc")).unwrap();
    let expected = [
        r#""metadata_history" "decryption" ["metadata:chinook"]"#.to_owned(),
        r#""metadata_decrypt" "decryption" ["metadata:chinook"]"#.to_owned(),
        format!(r#""metadata_show" "decryption" ["metadata:{shown}"]"#),
        r#""keys_export" "key_use" ["key:metadata/default/1"]"#.to_owned(),
    ];
    assert_eq!(told, expected);
}
