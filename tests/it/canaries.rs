//! No value and no secret is ever shown or left behind: each way to fail is forced on a project full of
//! canaries, and everything said and written is searched for them.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::harness::files_below;
use crate::planted::{KINDS, Planted, ROWS, WRONG};
use crate::python;

/// The target whose key is in the environment; opening its keyring takes no time.
const RUN: [&str; 3] = ["run", "--target", "fast"];

#[test]
fn what_succeeds_shows_nothing() {
    let planted = Planted::new();
    for arguments in [
        &["debug"][..],
        &["compile"],
        &["plan"],
        &["run"],
        &["keys", "list"],
        &["verify"],
        &["show", "csv"],
        &["query", "select * from sqlite"],
        &["load", "parquet", "--to", "masked"],
        &["run", "--target", "fast", "--verbose", "--log-format", "json"],
    ] {
        let ended = planted.project.run(arguments).success();
        planted.check(&ended);
    }
    let database = rusqlite::Connection::open(planted.masked()).unwrap();
    let sql = "select count(*) from csv join parquet using (account)";
    let joined: i64 = database.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(joined.unsigned_abs(), ROWS);
}

#[test]
fn values_that_contradict_the_declared_type_are_not_shown() {
    for (kind, status, code) in [
        ("csv", 1, "E0512"),
        ("jsonl", 1, "E0512"),
        ("sqlite", 1, "E0512"),
        ("parquet", 65, "E0513"),
        ("arrow", 65, "E0513"),
    ] {
        let planted = Planted::new();
        planted.project.replace("policies/masking.yml", "mask: last_name", "mask: 'null'");
        let declared = format!("sources/{kind}.yml");
        for found in ["int64", "date", "decimal(9,2)", "float64", "bool", "timestamp"] {
            let text = planted.project.read(&declared);
            let (before, rest) = text.split_once("{name: name, type: \"").unwrap();
            let (_, after) = rest.split_once('"').unwrap();
            let text = format!("{before}{{name: name, type: \"{found}\"{after}");
            planted.project.write(&declared, text);
            planted.fails(&[&RUN[..], &["--select", kind]].concat(), status, code);
        }
    }
}

#[test]
fn rows_beside_a_forbidden_null_are_not_shown() {
    for kind in ["csv", "jsonl"] {
        let planted = Planted::new();
        planted.project.replace(
            &format!("sources/{kind}.yml"),
            "{name: note,",
            "{name: note, nullable: false,",
        );
        let file = planted.source(kind);
        let text = std::fs::read_to_string(&file).unwrap();
        let (last, _) = text.match_indices("Singt um").last().unwrap();
        // The value of the last row goes, and with it the marks around it.
        let (before, after) = (&text[..last - 1], text[last..].split_once("nie\"").unwrap().1);
        let null = if kind == "csv" { "" } else { "null" };
        std::fs::write(&file, format!("{before}{null}{after}")).unwrap();
        planted.fails(&[&RUN[..], &["--select", kind]].concat(), 1, "E0514");
    }
}

#[test]
fn damaged_sources_show_nothing_of_themselves() {
    for kind in KINDS {
        let planted = Planted::new();
        planted.project.run(&["run", "--target", "fast", "--select", kind]).success();
        let path = planted.source(kind);
        let whole = std::fs::read(&path).unwrap();
        let middle = whole.len() / 2;
        let spoiled = |with: &[u8]| [&whole[..middle], with, &whole[middle..]].concat();
        let cut = [&whole[..middle], &[0xff; 9000][..]].concat();
        for damaged in [spoiled(b"\xff\xfe\"{,"), spoiled(b"\n\"a\",\"b\"\n"), cut] {
            std::fs::write(&path, damaged).unwrap();
            for format in ["human", "json"] {
                let shown =
                    ["--select", kind, "--format", format, "--log-format", format, "--verbose"];
                let ended = planted.project.run(&[&RUN[..], &shown].concat());
                assert!(matches!(ended.status, Some(1 | 65 | 69)), "{ended}");
                planted.check(&ended);
            }
            let ended = planted.project.run(&["debug", "--target", "fast"]);
            planted.check(&ended);
        }
    }
}

#[test]
fn models_that_fail_on_a_row_do_not_show_it() {
    let planted = Planted::new();
    let expressions = [
        "cast(name as bigint)",
        "cast(email as date)",
        "cast(note as timestamp)",
        "cast(phone as boolean)",
        "cast(name as double)",
        "cast(name as decimal(9, 2))",
        "cast(name as interval)",
        "cast(account as tinyint)",
        "cast(balance as decimal(4, 2))",
        "account / (account - account)",
        "arrow_cast(name, 'Int32')",
        "to_date(name)",
        "to_timestamp(note)",
        "to_hex(cast(email as bigint))",
        "date_trunc(name, seen)",
        "make_date(account, 1, 1)",
        "decode(name, 'hex')",
        "encode(name, note)",
        "regexp_like(name, '(' || note)",
        "chr(account)",
    ];
    let mut exports = String::from("exports:\n");
    let mut models = String::from("models:\n");
    for (number, expression) in expressions.iter().enumerate() {
        let sql = format!("select {expression} as x from {{{{ source('csv', 'people') }}}}");
        planted.project.write(&format!("models/m{number}.sql"), sql);
        models.push_str(&format!("  - {{name: m{number}, columns: [{{name: x, class: pii}}]}}\n"));
        exports.push_str(&format!("  - {{name: e{number}, from: ref('m{number}')}}\n"));
    }
    planted.project.write("models/models.yml", models);
    planted.project.write("exports/people.yml", exports);
    planted.project.write(
        "policies/masking.yml",
        "classes: {pii: {sensitive: true}}\nmasking:\n  rules:\n    \
         - {name: all, match: {class: pii}, mask: 'null'}\n",
    );
    let ended = planted.project.run(&[&RUN[..], &["--format", "json"]].concat()).status(1);
    for (number, done) in ended.json()["exports"].as_array().unwrap().iter().enumerate() {
        assert_eq!(done["status"], "failed", "{}: {ended}", expressions[number]);
    }
    planted.fails(&RUN, 1, "E0802");
}

#[test]
fn a_filter_that_fails_does_not_show_the_row() {
    let planted = Planted::new();
    let from = "from: source('csv', 'people')";
    let filtered = format!("{from}\n    where: \"cast(email as bigint) > 3\"");
    planted.project.replace("exports/people.yml", from, &filtered);
    planted.fails(&[&RUN[..], &["--select", "csv"]].concat(), 1, "E0802");
}

#[test]
fn a_query_that_fails_shows_no_kept_value() {
    let planted = Planted::new();
    planted.project.replace(
        "policies/masking.yml",
        "match: {class: pii.note}, mask: redact",
        "match: {class: pii.note}, keep: {owner: '@tests', reason: to see what a query shows}",
    );
    planted.project.write(
        "exports/people.yml",
        "exports: [{name: kept, from: \"source('csv', 'people')\"}]\n",
    );
    planted.project.run(&RUN).success();
    for failing in [
        "select cast(note as bigint) from kept",
        "select to_date(note) from kept",
        "select regexp_like('a', '(' || note) from kept",
        "select 1 / (length(note) - length(note)) from kept",
    ] {
        planted.fails(&["query", failing, "--target", "fast"], 1, "E08");
    }
    planted.fails(&["query", "select nte from kept", "--target", "fast"], 64, "E0905");
}

#[test]
fn tests_that_fail_show_no_value() {
    let kept = "keep: {owner: '@tests', reason: to see what a failing test shows}";
    for (test, status, code) in [
        ("{k_anonymity: {columns: [note, born], k: 3}}", 4, "E0806"),
        ("{unique: {column: note}}", 1, "E0805"),
        ("{not_null: {column: phone}}", 1, "E0805"),
        ("{accepted_values: {column: note, values: [none]}}", 1, "E0805"),
        ("{range: {column: balance, min: 1, max: 2}}", 1, "E0805"),
    ] {
        let planted = Planted::new();
        planted.project.replace("policies/masking.yml", "mask: redact", kept);
        planted.project.replace("policies/masking.yml", "mask: phone", "mask: 'null'");
        let file = planted.source("csv");
        let rows = std::fs::read_to_string(&file).unwrap();
        let last = rows.lines().last().unwrap();
        std::fs::write(&file, format!("{rows}{last}\n")).unwrap();
        let export = format!(
            "exports:\n  - name: tested\n    from: source('csv', 'people')\n    tests: [{test}]\n"
        );
        planted.project.write("exports/people.yml", export);
        planted.fails(&RUN, status, code);
        planted.fails(&["show", "tested", "--target", "fast"], 69, "E0615");
    }
}

#[test]
fn refused_keys_are_not_shown() {
    let mut planted = Planted::new();
    planted.project.run(&["run"]).success();
    planted.project.set("KANARIE_PASSPHRASE", WRONG);
    for command in [&["run"][..], &["verify"], &["query", "select * from csv"], &["show", "csv"]] {
        planted.fails(command, 77, "E0702");
    }
    planted.project.set("KANARIE_PASSPHRASE", "");
    planted.fails(&["run"], 77, "E0703");
    let file = planted.project.path("data/passphrase");
    std::fs::write(&file, format!("{WRONG}\n")).unwrap();
    planted.fails(&["run", "--passphrase-file", file.to_str().unwrap()], 77, "E0702");
    std::fs::write(&file, format!("\n{WRONG}\n")).unwrap();
    planted.fails(&["run", "--passphrase-file", file.to_str().unwrap()], 77, "E0707");
    for key in [WRONG, "Kanarie", &"ab".repeat(32)] {
        planted.project.set(crate::harness::KEY_VARIABLE, key);
        planted.fails(&RUN, 77, "E0708");
    }
    std::fs::remove_file(planted.project.path("keyring.json")).unwrap();
    planted.fails(&RUN, 77, "E0701");
}

#[test]
fn damaged_chunks_show_nothing() {
    let planted = Planted::new();
    planted.project.run(&RUN).success();
    let mut chunks = files_below(&planted.project.path("target/store/exports"));
    chunks.retain(|file| file.to_string_lossy().contains("/chunks/"));
    assert!(chunks.len() >= KINDS.len() * 4, "{chunks:?}");
    for chunk in chunks {
        let mut bytes = std::fs::read(&chunk).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&chunk, bytes).unwrap();
    }
    let fast = ["--target", "fast"];
    planted.fails(&[&["verify"][..], &fast].concat(), 1, "E0613");
    planted.fails(&[&["show", "csv"][..], &fast].concat(), 1, "E0613");
    planted.fails(&[&["load", "jsonl", "--to", "masked"][..], &fast].concat(), 1, "E0613");
}

#[test]
fn a_full_disk_shows_nothing() {
    for (bytes_max, code) in [(100, "E0602"), (4096, "E0602"), (16384, "E0602"), (100_000, "E0812")]
    {
        let planted = Planted::new();
        let limited = python::words("tests/python/limited.py", &[&bytes_max.to_string()]);
        let starter: Vec<&str> = limited.iter().map(String::as_str).collect();
        for format in ["human", "json"] {
            let shown = ["--format", format, "--log-format", format, "--verbose"];
            let ended = planted.project.run_by(&starter, &[&RUN[..], &shown].concat());
            assert!(ended.status.is_some_and(|status| status > 0), "{ended}");
            assert!(ended.stderr.contains(code), "{code}: {ended}");
            planted.check(&ended);
        }
        // With room again, the next run needs no help.
        planted.project.run(&RUN).success();
    }
}

#[test]
fn too_little_memory_shows_nothing() {
    let planted = Planted::new();
    planted.project.write(
        "models/sorted.sql",
        "select a.note, row_number() over (order by a.note, b.note) as x \
         from {{ source('csv', 'people') }} a cross join {{ source('csv', 'people') }} b",
    );
    planted.project.write(
        "models/sorted.yml",
        "models: [{name: sorted, columns: [{name: note, class: pii.note}, {name: x, class: open, declassify: {owner: me, reason: a rank}}]}]\n",
    );
    planted.project.write("exports/people.yml", "exports: [{name: sorted, from: ref('sorted')}]\n");
    planted.fails(&[&RUN[..], &["--memory", "4MiB"]].concat(), 1, "E0801");
}

#[test]
fn loads_that_fail_show_nothing() {
    let mut planted = Planted::new();
    planted.project.run(&RUN).success();
    let load = |kind| ["load", kind, "--to", "masked", "--target", "fast"];
    let database = rusqlite::Connection::open(planted.masked()).unwrap();
    database.execute_batch("drop table csv; create view csv as select 1 as account").unwrap();
    planted.fails(&load("csv"), 69, "E0518");
    drop(database);
    // Locked by another process: SQLite's locks are lost when their own process reads the file.
    let path = planted.masked().display().to_string();
    let words = python::words("tests/python/lock_database.py", &[&path]);
    let mut holder = Command::new(&words[0])
        .args(&words[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut locked = String::new();
    BufReader::new(holder.stdout.as_mut().unwrap()).read_line(&mut locked).unwrap();
    assert_eq!(locked, "locked\n");
    planted.fails(&load("sqlite"), 69, "E0507");
    drop(holder.stdin.take());
    holder.wait().unwrap();
    // A file of another kind, full of canaries, and a folder.
    planted.project.set("MASKED_PATH", "data/kanarie-ablage-83aa/people.csv");
    planted.fails(&load("sqlite"), 1, "E0812");
    planted.project.set("MASKED_PATH", "data/kanarie-ablage-83aa");
    planted.fails(&load("sqlite"), 1, "E0812");
}

#[test]
fn a_killed_run_leaves_nothing() {
    let planted = Planted::new();
    for wait in [20, 60, 100, 140, 180, 220, 260, 320, 400, 500] {
        let started = planted.project.start(&[&RUN[..], &["--verbose"]].concat());
        std::thread::sleep(Duration::from_millis(wait));
        let ended = started.kill();
        planted.check(&ended);
        // So that the next one has as much to do.
        std::fs::remove_dir_all(planted.project.path("target")).ok();
    }
    planted.project.run(&RUN).success();
}

#[test]
fn settings_of_the_environment_are_not_shown() {
    let gone = "named/kanarie-ablage-83aa";
    for (variable, value, command, code) in [
        ("FILES_URL", gone, "run", "E0503"),
        ("FILES_URL", "kanarie-ablage-83aa://host/path", "run", "E0523"),
        ("FILES_URL", "file://user:kanarie-ablage-83aa@host/path", "run", "E0502"),
        ("DATABASE_PATH", gone, "run", "E0503"),
        ("DATABASE_PATH", "data/kanarie-ablage-83aa/people.csv", "run", "E0508"),
        ("MASKED_PATH", "data/kanarie-ablage-83aa", "debug", "E05"),
        ("STORE_URL", "kanarie-ablage-83aa://host/path", "run", "E0601"),
        ("STORE_URL", "file://data/kanarie-ablage-83aa/people.csv", "run", "E0602"),
        ("KEYRING_PATH", gone, "run", "E0701"),
        ("KEYRING_PATH", "data/kanarie-ablage-83aa/people.csv", "run", "E0704"),
        ("KEYRING_PATH", "data/kanarie-ablage-83aa", "run", "E07"),
    ] {
        let mut planted = Planted::new();
        planted.project.set(variable, value);
        planted.fails_with(&[command], code);
    }
}

#[test]
fn settings_of_the_wrong_kind_are_not_shown() {
    let mut planted = Planted::new();
    planted.project.set("KANARIE", "kanarie-ablage-83aa");
    let original = planted.project.read("profiles.yml");
    for (plain, code) in [
        ("csv: {type: csv,", "csv: {type: \"{{ env_var('KANARIE') }}\","),
        ("csv: {type: csv,", "csv: {type: csv, header: \"{{ env_var('KANARIE') }}\","),
        ("csv: {type: csv,", "csv: {type: csv, encoding: \"{{ env_var('KANARIE') }}\","),
        ("csv: {type: csv,", "csv: {type: csv, delimiter: \"{{ env_var('KANARIE') | int }}\","),
        ("csv: {type: csv,", "csv: {type: csv, hedder: \"{{ env_var('KANARIE') }}\","),
        ("default: dev", "default: \"{{ env_var('KANARIE') }}\""),
        ("    store:", "    execution: {jobs: \"{{ env_var('KANARIE') }}\"}\n    store:"),
        ("    store:", "    execution: {memory: \"{{ env_var('KANARIE') }}\"}\n    store:"),
        ("    store:", "    protected: \"{{ env_var('KANARIE') }}\"\n    store:"),
        ("provider: passphrase", "provider: \"{{ env_var('KANARIE') }}\""),
        ("env: KANARIE_PASSPHRASE", "env: \"{{ env_var('KANARIE') }}\""),
        ("env: KANARIE_PASSPHRASE", "env: \"{{ env_var('KANARIE') | nofilter }}\""),
    ] {
        planted.project.write("profiles.yml", original.replacen(plain, code, 1));
        planted.fails_with(&["run"], "E0");
    }
    planted.project.write("profiles.yml", original);
    planted.project.write(".env", "KANARIE_MEHR=1\nkanarie-ablage-83aa ohne Gleichheitszeichen\n");
    planted.fails_with(&["run"], "E0133");
}
