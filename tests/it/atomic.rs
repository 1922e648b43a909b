//! A run that is killed leaves the snapshot before it or its own, whole, and the next run needs no help.
//!
//! ```text
//!  edition old ──▶ run ──kill -9──▶ query, verify, database: old or new, row by row
//!                                        └─▶ run ──▶ new
//! ```
//!
//! Moments are spread evenly over a run's duration, and thrown close to what a run does last: its last
//! chunks, its commits, its load.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Dice, Project, Started};
use crate::people;

/// Projects that are killed at the same time, each by a thread of its own.
const LANES: u64 = 4;
/// Kills of one project: together 200.
const KILLS: u64 = 50;
/// Runs started for them at most: some end before they can be killed.
const ROUNDS_MAX: u64 = 4 * KILLS;
/// Rows of the editions: their snapshots have different numbers of chunks.
const ROWS: [usize; 3] = [360, 440, 400];
const CHUNK_ROWS: usize = 60;
/// How often a moment is looked for.
const GLANCE: Duration = Duration::from_millis(1);

/// Every row of all editions, from runs that nobody killed.
struct Expected {
    people: Vec<Vec<Value>>,
    contacts: Vec<Vec<Value>>,
}

/// Which edition is where.
#[derive(Debug, Clone, Copy)]
struct Seen {
    people: usize,
    contacts: usize,
    loaded: usize,
}

/// When to kill.
#[derive(Debug)]
enum Moment {
    /// So long after the start.
    After(Duration),
    /// So long after this many new chunks were stored.
    Chunks(usize, Duration),
    /// So long after this many new manifests were stored.
    Manifests(usize, Duration),
    /// So long after the database was begun to be written.
    Load(Duration),
}

/// What the kills of one project came to.
#[derive(Default)]
struct Tally {
    killed: usize,
    old: usize,
    mixed: usize,
    new: usize,
}

#[test]
fn a_killed_run_leaves_the_old_snapshot_or_the_new_one() {
    let base = people::project(ROWS[0], CHUNK_ROWS);
    let other = base.duplicate();
    base.run(&["run"]).success();
    let mut expected = Expected { people: Vec::new(), contacts: Vec::new() };
    let mut duration = Duration::ZERO;
    for (edition, rows) in ROWS.into_iter().enumerate() {
        people::source(&other, edition as u64, rows);
        let begun = Instant::now();
        other.run(&["run"]).success();
        duration = begun.elapsed();
        expected.people.push(people::rows(&other, "people"));
        expected.contacts.push(people::rows(&other, "contacts"));
        assert_eq!(expected.people[edition].len(), rows);
        assert_eq!(expected.contacts[edition].len(), rows);
    }
    let tallies: Vec<Tally> = thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES)
            .map(|lane| {
                let (project, expected) = (base.duplicate(), &expected);
                scope.spawn(move || kills(&project, lane, duration, expected))
            })
            .collect();
        lanes.into_iter().map(|lane| lane.join().unwrap()).collect()
    });
    let sum = |of: fn(&Tally) -> usize| tallies.iter().map(of).sum::<usize>();
    let (killed, old, mixed, new) =
        (sum(|t| t.killed), sum(|t| t.old), sum(|t| t.mixed), sum(|t| t.new));
    eprintln!("killed {killed}: old {old}, one export of two new {mixed}, new {new}");
    // Kills that all come too early or too late would show nothing.
    assert!(killed == 200 && old >= 20 && mixed >= 5 && new >= 5, "{killed} {old} {mixed} {new}");
}

/// Kills runs of one project, and looks what they leave.
fn kills(project: &Project, lane: u64, duration: Duration, expected: &Expected) -> Tally {
    let mut dice = Dice::new(0x00a7_0e1c + lane);
    let mut tally = Tally::default();
    let mut seen = Seen { people: 0, contacts: 0, loaded: 0 };
    for round in 0..ROUNDS_MAX {
        if tally.killed as u64 == KILLS {
            break;
        }
        let new = (seen.people + 1) % ROWS.len();
        people::source(project, new as u64, ROWS[new]);
        let moment = moment(&mut dice, lane, round, duration);
        let was = (people::chunks(project).len(), people::manifests(project).len());
        let mut run = project.start(&["run"]);
        wait_for(&moment, &mut run, project, was);
        let ended = run.kill();
        let context = format!("lane {lane}, round {round}, {moment:?}, {seen:?}\n{ended}");
        tally.killed += usize::from(ended.status.is_none());
        // One that was not killed in time needed no help after the kill before it.
        assert!(matches!(ended.status, None | Some(0)), "{context}");
        seen = look(project, seen, new, expected, &context);
        match (seen.people == new, seen.contacts == new) {
            (true, true) => tally.new += 1,
            (false, false) => tally.old += 1,
            _ => tally.mixed += 1,
        }
        if round % 5 == 4 {
            project.run(&["verify"]).success();
        }
        if round % 2 == 1 {
            project.run(&["run"]).success();
            seen = look(project, seen, new, expected, &context);
            assert!((seen.people, seen.contacts, seen.loaded) == (new, new, new), "{context}");
        }
    }
    project.run(&["verify"]).success();
    tally
}

/// Which editions are there now: of each place the one that was or the new one, every row of it.
fn look(project: &Project, was: Seen, new: usize, expected: &Expected, context: &str) -> Seen {
    let (people, contacts) = stored(project);
    let loaded = people::loaded(project);
    let which = |rows: &[Value], editions: &[Vec<Value>], old: usize| {
        let found = [new, old].into_iter().find(|edition| rows == editions[*edition]);
        found.unwrap_or_else(|| panic!("{} rows of neither edition: {context}", rows.len()))
    };
    let seen = Seen {
        people: which(&people, &expected.people, was.people),
        contacts: which(&contacts, &expected.contacts, was.contacts),
        loaded: which(&loaded, &expected.people, was.loaded),
    };
    assert!(seen.people == new || seen.loaded != new, "loaded and not committed: {context}");
    seen
}

/// Half of the moments are spread evenly, the others close to what matters.
fn moment(dice: &mut Dice, lane: u64, round: u64, duration: Duration) -> Moment {
    let soon = Duration::from_micros(dice.below(3_000));
    match round % 8 {
        1 => Moment::Chunks(usize::try_from(dice.below(8)).unwrap(), soon),
        3 => Moment::Manifests(1, soon),
        5 => Moment::Load(soon),
        7 => Moment::Manifests(2, soon),
        _ => {
            let step = (round % KILLS / 2 * LANES + lane) * 1_000 + dice.below(1_000);
            let all = KILLS / 2 * LANES * 1_000;
            Moment::After(duration.mul_f64(1.1 * step as f64 / all as f64))
        }
    }
}

fn wait_for(moment: &Moment, run: &mut Started, project: &Project, was: (usize, usize)) {
    let journal = project.path("target/masked.sqlite-journal");
    let soon = match moment {
        Moment::After(time) => {
            thread::sleep(*time);
            return;
        }
        Moment::Chunks(_, soon) | Moment::Manifests(_, soon) | Moment::Load(soon) => *soon,
    };
    let has_come = || match moment {
        Moment::After(_) => true,
        Moment::Chunks(more, _) => people::chunks(project).len() > was.0 + more,
        Moment::Manifests(more, _) => people::manifests(project).len() >= was.1 + more,
        Moment::Load(_) => journal.exists(),
    };
    while !has_come() && !run.has_ended() {
        thread::sleep(GLANCE);
    }
    thread::sleep(soon);
}

/// The rows of both exports, from one query.
fn stored(project: &Project) -> (Vec<Value>, Vec<Value>) {
    let rows = project.query(
        "select 'people' as export, * from people \
         union all select 'contacts', * from contacts order by figure",
    );
    let (people, contacts): (Vec<Value>, Vec<Value>) =
        rows.into_iter().partition(|row| row["export"] == "people");
    (
        people.into_iter().map(without_name).collect(),
        contacts.into_iter().map(without_name).collect(),
    )
}

fn without_name(row: Value) -> Value {
    let Value::Object(mut row) = row else { panic!("no row: {row}") };
    row.remove("export");
    Value::Object(row)
}
