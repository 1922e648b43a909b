//! What the benchmark of records does through the library: puts many invented operations on record in a store,
//! and measures how long that takes.
//!
//! `records PROJECT COUNT DAYS` prints seconds as JSON. The key of the project's keyring comes from its file.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use engine_runtime::clock;
use engine_runtime::diagnostic::{Failure, Outcome};
use engine_runtime::event::Silent;
use engine_runtime::keys;
use engine_runtime::operation::{self, Scene, Told};
use engine_runtime::request::{Context, PassphraseSource};
use engine_runtime::store;
use engine_runtime::store::new_id;
use engine_runtime::tracking::runs::{
    Execution, Failure as Why, Message, Node, Object, ObjectKind, Privacy, Record, ScriptType,
    State, Status, Volume,
};
use engine_runtime::workspace;
use zeroize::Zeroizing;

/// Operations that are appended at once.
const BATCH: u64 = 1_000;
/// Operations that are recorded one by one.
const SINGLE: usize = 200;

/// The keyring is opened by a file.
struct NoPassphrase;

impl PassphraseSource for NoPassphrase {
    fn passphrase(&self, _: &str) -> Option<Zeroizing<String>> {
        None
    }
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the seconds are what this program is for")]
async fn main() -> Result<(), String> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("usage: records PROJECT COUNT DAYS");
    let root = PathBuf::from(next()?);
    let count: u64 = next()?.parse().map_err(|_| "COUNT is a number")?;
    let days: i64 = next()?.parse().map_err(|_| "DAYS is a number")?;
    let context = Context {
        root,
        target: None,
        vars: BTreeMap::new(),
        environment: [("USER".to_owned(), "ada".to_owned())].into(),
        passphrase: Arc::new(NoPassphrase),
        observer: Arc::new(Silent),
        jobs: None,
        memory_bytes: None,
        batch_rows: None,
    };
    let words = |failure: Failure| {
        let messages = failure.diagnostics.iter().map(|finding| finding.message.clone());
        messages.collect::<Vec<_>>().join("; ")
    };
    println!("{}", measured(&context, count, days).await.map_err(words)?);
    Ok(())
}

async fn measured(context: &Context, count: u64, days: i64) -> Outcome<String> {
    let project = workspace::load(context)?;
    let keys = keys::open(&project, context)?;
    let store = store::open(&project)?;
    let scene = Scene::of(context, &project, &keys, &store)?;
    let from = clock::now() - TimeDelta::days(days);
    let mut appending = 0.0;
    let mut number = 0;
    while number < count {
        let end = count.min(number + BATCH);
        let mut records = Vec::new();
        for number in number..end {
            let part = f64::from(u32::try_from(number).unwrap_or(0)) / count as f64;
            let minutes = (part * days as f64 * 1440.0) as i64;
            records.extend(invented(number, from + TimeDelta::minutes(minutes))?);
        }
        let begun = Instant::now();
        scene.records().append(records).await?;
        appending += begun.elapsed().as_secs_f64();
        number = end;
    }
    let begun = Instant::now();
    scene.records().compact().await?;
    let compacting = begun.elapsed().as_secs_f64();
    let mut single = Vec::new();
    for _ in 0..SINGLE {
        let begun = Instant::now();
        let objects = operation::exports(["customers"]);
        scene.recorded(ScriptType::SHOW, objects, async { Ok(()) }, |()| Told::default()).await?;
        single.push(begun.elapsed().as_secs_f64());
    }
    single.sort_by(f64::total_cmp);
    let at = |percent: usize| single.get(SINGLE * percent / 100).copied().unwrap_or(0.0);
    Ok(format!(
        "{{\"appending\":{appending},\"compacting\":{compacting},\"single_median\":{},\"single_p99\":{}}}",
        at(50),
        at(99)
    ))
}

/// One of three commands, mostly successful, with what each says of itself.
fn invented(number: u64, at: DateTime<Utc>) -> Outcome<[Record; 3]> {
    let script = match number % 3 {
        0 => ScriptType::RUN,
        1 => ScriptType::LOAD,
        _ => ScriptType::QUERY,
    };
    let id = new_id()?.to_string().parse().unwrap_or(engine_runtime::tracking::runs::Hex::ZERO);
    let names = ["dev", "staging", "prod"];
    let name = names.get((number % 7 % 3) as usize).copied().unwrap_or("dev").to_owned();
    let class = script.class();
    let hub = Execution { id, tenant: None, script_name: name, script_type: script, class };
    let export = |name: &str| Object { kind: ObjectKind::Export, name: name.to_owned() };
    let started = Status {
        user: Some(
            ["ada", "grace", "ci"].get((number % 3) as usize).copied().unwrap_or("ci").to_owned(),
        ),
        host: Some("ci-7".to_owned()),
        commit: Some("1f3c9ab6de0b4a8f3c1de2b7a85a95c4dcb21f02".to_owned()),
        ..Status::new(&hub, 0, State::Started, at)
    };
    let duration = 1_000_000 + number * 7_919 % 900_000;
    let failed = number.is_multiple_of(50);
    let node = |name: &str, part: u64| Node {
        name: name.to_owned(),
        duration_us: duration / part,
        rows: 1_000 + number % 100,
    };
    let ended = Status {
        duration_us: Some(duration),
        objects: vec![export("customers"), export("orders")],
        volume: Some(Volume {
            rows_read: 10_000 + number % 1_000,
            rows_masked: 9_000,
            rows_written: 9_000,
            bytes_written: 4_000_000 + number,
            bytes_freed: 0,
        }),
        nodes: vec![node("export.customers", 2), node("export.orders", 3)],
        plan: Some(format!("{:064x}", number % 97)),
        sql: Some(format!("{:064x}", number % 89)),
        privacy: Some(Privacy { masked: 9, kept: 2, ..Privacy::default() }),
        error: failed
            .then(|| Why { code: "E0801".to_owned(), message: Message::redacted("A test failed") }),
        ..Status::new(
            &hub,
            1,
            if failed { State::Failed } else { State::Success },
            at + TimeDelta::microseconds(i64::try_from(duration).unwrap_or(0)),
        )
    };
    Ok([Record::Execution(hub), Record::Status(Box::new(started)), Record::Status(Box::new(ended))])
}
