//! Run records by tenant: what was done for one is its own, sealed, told to nobody by itself, and nothing of others
//! is among what it is shown, whatever it asks.

use std::collections::BTreeSet;
use std::fs::File;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::bank::{Bank, HISTORY};
use crate::harness::{Project, files_below};
use crate::outbound::server::Server;

/// The tables, and how many rows of each there are at least for somebody who asked twice.
const TABLES: [(&str, usize); 5] = [
    ("operations", 2),
    ("nodes", 0),
    ("events", 1),
    ("script_execution_h", 2),
    ("script_execution_s", 4),
];

/// What is tried to see records of others. Each would say something if these were looked at.
const CROSSINGS: [&str; 14] = [
    "SELECT tenant, \"user\" FROM engine.operations",
    "SELECT tenant, \"user\" FROM engine.operations WHERE tenant = 'north' OR tenant IS NULL OR TRUE",
    "SELECT tenant FROM \"engine\".\"script_execution_h\"",
    "SELECT tenant, \"user\" FROM datafusion.engine.operations",
    "SELECT tenant, \"user\" FROM engine.script_execution_s",
    "SELECT tenant, \"user\" FROM engine.events",
    "SELECT tenant FROM engine.nodes",
    "SELECT s.tenant, s.\"user\" FROM engine.script_execution_s AS s FULL JOIN engine.script_execution_h AS h \
     ON h.execution <> s.execution",
    "SELECT tenant FROM engine.operations UNION ALL SELECT tenant FROM engine.events",
    "SELECT tenant FROM (SELECT * FROM engine.operations EXCEPT SELECT * FROM engine.operations \
     WHERE tenant = 'south') AS others",
    "WITH operations AS (SELECT * FROM engine.operations) SELECT tenant, \"user\" FROM operations",
    "SELECT tenant FROM engine.operations WHERE 1 / CASE WHEN tenant = 'south' THEN 1 ELSE 0 END = 1",
    "SELECT tenant FROM engine.script_execution_s WHERE CAST(CASE WHEN \"user\" = 'nora' THEN 'x' ELSE '1' END AS INT) = 1",
    "SELECT DISTINCT a.branch AS tenant FROM accounts AS a JOIN engine.operations AS o ON o.tenant <> 'south'",
];

/// A bank with a history whose commands were done for two tenants, and for nobody, each by somebody else.
fn bank() -> Bank {
    let mut bank = Bank::new(23, HISTORY);
    bank.project.set("USER", "zoltan");
    bank.run();
    bank.project.run(&["show", "accounts"]).success();
    for (tenant, user) in [("south", "susan"), ("north", "nora")] {
        bank.project.set("USER", user);
        let run =
            |arguments: &[&str]| bank.project.run(&[arguments, &["--tenant", tenant]].concat());
        run(&["query", "SELECT * FROM accounts"]).success();
        run(&["show", "accounts"]).success();
        let key = format!("SELECT account_id AS id FROM book WHERE branch = '{tenant}' LIMIT 1");
        let key = bank.project.run(&["query", "--format", "json", &key]).success().rows();
        let key = key[0]["id"].as_str().unwrap().to_owned();
        run(&["history", "rows", "book", "--key", &key]).success();
        run(&["load", "accounts", "--to", "copy"]).success();
        // Whose a move is, nothing says: refused, and a matter of security.
        run(&["show", "moves"]).status(4).says("E1024");
    }
    bank.project.set("USER", "zoltan");
    bank
}

fn history(project: &Project, tenant: &[&str]) -> Vec<Value> {
    let asked = [&["history", "--limit", "1000", "--format", "json"], tenant].concat();
    project.run(&asked).success().json().as_array().unwrap().clone()
}

fn ids(operations: &[Value]) -> BTreeSet<String> {
    operations.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

fn rows(project: &Project, tenant: &str, sql: &str) -> Vec<Value> {
    let asked = ["query", "--format", "json", "--tenant", tenant, sql];
    project.run(&asked).success().rows()
}

#[test]
fn what_was_done_for_a_tenant_is_its_own() {
    let Bank { project, .. } = bank();
    let south = history(&project, &["--tenant", "south"]);
    let text = |one: &Value, of: &str| one[of].as_str().unwrap_or("none").to_owned();
    let done: Vec<[String; 3]> = south
        .iter()
        .rev()
        .map(|one| ["tenant", "script_type", "status"].map(|of| text(one, of)))
        .collect();
    let own = |kind: &str, status: &str| ["south", kind, status].map(str::to_owned);
    let ways =
        [("query", "success"), ("show", "success"), ("query", "success"), ("load", "success")];
    let mut expected: Vec<_> = ways.map(|(kind, status)| own(kind, status)).into();
    expected.push(own("show", "failed"));
    assert_eq!(done, expected);
    assert!(south.iter().all(|one| one["user"] == "susan"), "{south:?}");
    // What it read is its own rows, not those that were passed over.
    let accounts = rows(&project, "south", "SELECT count(*) AS n FROM accounts");
    assert_eq!(south[4]["volume"]["rows_read"], accounts[0]["n"]);
    let all = history(&project, &[]);
    let of = |tenant: Value| all.iter().filter(|one| one["tenant"] == tenant).count();
    // The last one asked how many accounts there are.
    assert_eq!((of("south".into()), of("north".into())), (6, 5));
    assert_eq!(of(Value::Null), all.len() - 11);
    assert_eq!(history(&project, &["--tenant", "nobody"]), [] as [Value; 0]);
    let failed = ["--tenant", "north", "--status", "failed"];
    assert_eq!(history(&project, &failed).len(), 1);
    let events =
        project.query("SELECT tenant, kind, metadata FROM engine.events WHERE tenant <> ''");
    let refused: Vec<_> = events.iter().map(|one| (&one["tenant"], &one["kind"])).collect();
    let refusal = |tenant: &str| (Value::from(tenant), Value::from("refusal"));
    let expected = [refusal("south"), refusal("north")];
    assert_eq!(refused, expected.iter().map(|(one, other)| (one, other)).collect::<Vec<_>>());
    assert!(events.iter().all(|one| one["metadata"] == "{\"code\":\"E1024\"}"), "{events:?}");
    project.run(&["verify", "--audit"]).success();
}

#[test]
fn tables_of_records_are_bound_to_a_tenant() {
    let Bank { project, .. } = bank();
    let known = ids(&history(&project, &[]));
    let south = ids(&history(&project, &["--tenant", "south"]));
    for sql in CROSSINGS {
        let found = rows(&project, "south", sql);
        let is_own = |row: &Value| {
            row["tenant"] == "south" && row.get("user").is_none_or(|user| user != "nora")
        };
        assert!(found.iter().all(is_own), "{sql}: {found:?}");
    }
    let executions = |found: Vec<Value>| -> BTreeSet<String> {
        let ids = found.iter().map(|row| row["execution"].as_str().unwrap().to_owned());
        ids.filter(|id| known.contains(id)).collect()
    };
    for (table, count_min) in TABLES {
        let found = rows(&project, "south", &format!("SELECT execution FROM engine.{table}"));
        assert!(found.len() >= count_min, "{table}");
        let named = format!("SELECT execution FROM engine.{table} WHERE tenant = 'south'");
        let found = executions(found);
        assert_eq!(found, executions(project.query(&named)), "{table}");
        assert!(found.is_subset(&south), "{table}");
        let nobody = rows(&project, "nobody", &format!("SELECT tenant FROM engine.{table}"));
        // The question itself is on record.
        assert!(nobody.iter().all(|row| row["tenant"] == "nobody"), "{table}: {nobody:?}");
    }
    assert!(!project.query("SELECT execution FROM engine.nodes").is_empty());
    // How much others did is not to be counted.
    for table in ["script_execution_h", "script_execution_s"] {
        let sql = format!("SELECT count(position) AS n FROM engine.{table}");
        assert_eq!(rows(&project, "south", &sql)[0]["n"], 0, "{table}");
        assert_ne!(project.query(&sql)[0]["n"], 0, "{table}");
    }
    let counted = "SELECT count(*) AS n FROM engine.operations";
    let own = rows(&project, "south", counted)[0]["n"].clone();
    let newest = &history(&project, &["--tenant", "south"])[0];
    assert_eq!(newest["volume"]["rows_read"], own);
    for sql in [
        "EXPLAIN SELECT * FROM engine.operations",
        "EXPLAIN ANALYZE SELECT * FROM engine.script_execution_h",
    ] {
        let asked = ["query", "--tenant", "south", sql];
        project.run(&asked).status(64).says("no query over rows");
    }
    for sql in ["SHOW TABLES", "SELECT * FROM information_schema.tables"] {
        project.run(&["query", "--tenant", "south", sql]).status(64);
    }
}

/// What is written and shown of a report for `south`.
fn reports(project: &Project) -> Vec<(&'static str, String)> {
    let forms = ["html", "md", "json", "csv", "ndjson", "prom"];
    let files = forms.map(|form| format!("{form}=out/report.{form}"));
    let mut arguments = vec!["report", "--tenant", "south"];
    for file in &files {
        arguments.extend(["--report", file]);
    }
    let shown = project.run(&arguments).success().stdout;
    let told = project.run(&["report", "--tenant", "south", "--format", "json"]).success().stdout;
    let written = forms.map(|form| (form, project.read(&format!("out/report.{form}"))));
    written.into_iter().chain([("text", shown), ("stdout", told)]).collect()
}

#[test]
fn a_report_for_a_tenant_tells_of_nothing_else() {
    let Bank { project, .. } = bank();
    let all = ids(&history(&project, &[]));
    let south = ids(&history(&project, &["--tenant", "south"]));
    let reports = reports(&project);
    let said = [&["report"][..], &["history"]].map(|words| {
        let asked = [words, &["--tenant", "south"]].concat();
        project.run(&asked).success().stdout
    });
    let texts = reports.iter().map(|(form, text)| (*form, text));
    for (form, text) in texts.chain(said.iter().map(|text| ("shown", text))) {
        for other in ["north", "nora", "zoltan", "keys_init"]
            .into_iter()
            .chain(all.difference(&south).map(String::as_str))
        {
            assert!(!text.contains(other), "{form}: {other}: {text}");
        }
    }
    let text = |form: &str| &reports.iter().find(|(one, _)| *one == form).unwrap().1;
    let report: Value = serde_json::from_str(text("json")).unwrap();
    assert_eq!(report["tenant"], "south");
    assert_eq!(report["statistics"]["counts"]["total"], 5, "{report}");
    assert_eq!(report["events"].as_array().unwrap().len(), 1, "{report}");
    let health = &report["health"];
    assert_eq!((&health["audit"], &health["store"]), (&Value::Null, &"unknown".into()));
    assert_eq!(
        (&health["keys"], &health["retention_overdue"]),
        (&serde_json::json!([]), &Value::Null)
    );
    // A start and an end of each, and the refusal.
    let lines: Vec<Value> =
        text("ndjson").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 11);
    assert!(lines.iter().all(|line| line["tenant"] == "south" && line["position"].is_null()));
    assert_eq!(text("csv").lines().count(), 12);
    assert!(
        text("prom").contains("engine_operations{type=\"load\",name=\"dev\",status=\"success\"} 1")
    );
    for metric in ["engine_store_up", "engine_audit_chain_faults", "engine_retention_overdue"] {
        assert!(!text("prom").contains(metric), "{metric}");
    }
}

#[test]
fn summaries_tell_a_tenant_what_lines_do() {
    let Bank { project, .. } = bank();
    let records = || {
        let mut files = files_below(&project.path("target/store/runs"));
        files.retain(|file| file.to_string_lossy().ends_with(".enc"));
        files
    };
    let then = SystemTime::now() - Duration::from_secs(40 * 86_400);
    for file in records() {
        File::options().write(true).open(file).unwrap().set_modified(then).unwrap();
    }
    project.run(&["run", "--quiet"]).success();
    let is_summary = |file: &std::path::PathBuf| file.to_string_lossy().ends_with(".summary.enc");
    let summaries: Vec<_> = records().into_iter().filter(is_summary).collect();
    assert!(!summaries.is_empty(), "{:?}", records());
    let told = || {
        let report = ["report", "--tenant", "south", "--format", "json"];
        let mut report = project.run(&report).success().json();
        for moment in ["made", "since"] {
            report.as_object_mut().unwrap().remove(moment);
        }
        (report, history(&project, &["--tenant", "south"]))
    };
    let with = told();
    assert_eq!(with.1.len(), 5);
    for summary in summaries {
        std::fs::remove_file(summary).unwrap();
    }
    assert_eq!(told(), with);
}

#[test]
fn a_tenant_without_a_name_is_refused() {
    let bank = Bank::new(2, HISTORY);
    bank.run();
    let long = "x".repeat(257);
    for tenant in ["", "a\nb", "a\u{1b}[31m", &long] {
        for command in [&["query", "SELECT 1"][..], &["show", "accounts"]] {
            let asked = [command, &["--tenant", tenant]].concat();
            let ended = bank.project.run(&asked).status(4).says("E1024");
            assert!(tenant.is_empty() || !ended.stderr.contains(tenant), "{ended}");
        }
    }
}

#[test]
fn whom_a_command_was_bound_to_is_told_to_nobody() {
    let server = Server::start(&[]);
    let Bank { mut project, .. } = Bank::new(3, HISTORY);
    let url = server.url();
    project.set("HOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let secret = "\"{{ env_var('HOOK_SECRET') }}\"";
    let events = format!(
        "    events:\n      - openlineage: {{file: target/openlineage.ndjson}}\n      \
         - openlineage: {{url: \"{url}\"}}\n      - prometheus: {{file: target/engine.prom}}\n      \
         - pushgateway: {{url: \"{url}\"}}\n      - webhook: {{url: \"{url}/hook\", secret: {secret}, \
         when: [started, succeeded, failed, security]}}\n"
    );
    project.write("profiles.yml", project.read("profiles.yml") + &events);
    project.run(&["run", "--quiet"]).success();
    let before = server.received().len();
    let tenant = "kanarie-mandant-51c0";
    let commands = [
        (&["show", "accounts"][..], 0),
        (&["query", "SELECT * FROM accounts CROSS JOIN engine.operations"], 0),
        (&["history", "rows", "book", "--key", "1"], 3),
        (&["load", "accounts", "--to", "copy"], 0),
        (&["show", "moves"], 4),
    ];
    for (command, ends) in commands {
        let asked = [command, &["--tenant", tenant, "--verbose", "--log-format", "json"]].concat();
        let ended = project.run(&asked).status(ends);
        assert!(!ended.stderr.contains(tenant), "{ended}");
    }
    let received = server.received();
    // Start and end of each as notices and lineage, and metrics.
    assert_eq!(received.len(), before + 5 * commands.len());
    for request in &received {
        let text = format!("{} {:?} {}", request.line, request.headers, request.body);
        assert!(!text.contains(tenant), "{text}");
    }
    for file in files_below(project.root()) {
        assert!(!file.to_string_lossy().contains(tenant), "{}", file.display());
        let bytes = std::fs::read(&file).unwrap();
        let is_there = bytes.windows(tenant.len()).any(|part| part == tenant.as_bytes());
        assert!(!is_there, "{}", file.display());
    }
    assert_eq!(history(&project, &["--tenant", tenant]).len(), commands.len(), "it is on record");
}
