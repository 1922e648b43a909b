//! The committed reference pages are what the program says of itself. `ENGINE_REWRITE=1` rewrites them.

use std::path::PathBuf;

use crate::app;
use crate::environment::Environment;
use crate::render::page;
use engine_runtime::record_tables;

#[test]
fn the_error_reference_is_current() {
    compare("errors.md", &page::reference());
}

#[test]
fn the_command_reference_is_current() {
    let mut program = app::program().term_width(100);
    program.build();
    let mut text = String::from(
        "# Commands\n\n<!-- Generated from engine/cli/src; ENGINE_REWRITE=1 cargo test -p engine-cli rewrites it. -->\n",
    );
    describe(&program, &mut text);
    compare("cli.md", &text);
}

#[test]
fn the_reference_of_record_tables_is_current() {
    let mut text = [
        "# Tables of run records",
        "",
        "<!-- Generated from engine/runtime/src/record_tables.rs; ENGINE_REWRITE=1 cargo test -p engine-cli rewrites it. -->",
        "",
        "`engine query` reads what was recorded as tables: `SELECT * FROM engine.operations`. Records are read only",
        "where a query names one of these tables, and opened with the keyring's key for audit: without it the query",
        "is refused. They hold names of the project, counts, digests and codes, the tenant whom a command was bound to,",
        "and no other value of data. The query itself is among the operations, as `started`. With `--tenant`, each table",
        "holds the rows of that tenant alone, and what was bound to no tenant is in none; `rows_read` of what was bound to",
        "a tenant counts that tenant's rows.",
        "",
    ]
    .join("\n");
    for table in record_tables::tables() {
        let (name, doc) = (table.name, table.doc);
        text.push_str(&format!("\n## {}.{name}\n\n{doc}\n\n", record_tables::SCHEMA));
        text.push_str("| column | type | meaning |\n|---|---|---|\n");
        for [column, kind, meaning] in table.columns {
            text.push_str(&format!("| `{column}` | {kind} | {meaning} |\n"));
        }
    }
    compare("records.md", &text);
}

/// The long help of a command and of those below it. Global options are said once, at the top.
fn describe(command: &clap::Command, text: &mut String) {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name()).to_owned();
    let mut shown = command.clone();
    if name != "engine" {
        let global = |argument: clap::Arg| {
            let hidden = argument.is_global_set();
            argument.hide(hidden)
        };
        shown = shown.mut_args(global);
    }
    text.push_str(&format!("\n## {name}\n\n```text\n{}\n```\n", trimmed(&shown)));
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        describe(below, text);
    }
}

fn trimmed(command: &clap::Command) -> String {
    let help = command.clone().render_long_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    lines.join("\n").trim_end().to_owned()
}

#[expect(clippy::disallowed_methods, reason = "a test that compares committed files")]
fn compare(name: &str, generated: &str) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference");
    let path = folder.join(name);
    if Environment::of_process().get("ENGINE_REWRITE").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(&path, generated).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == generated,
        "docs/reference/{name} is stale: run the tests with ENGINE_REWRITE=1"
    );
}
