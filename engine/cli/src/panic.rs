//! A panic is a defect. What it says could hold a cell, so only its place in the engine is shown.

use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};

use engine_runtime::codes::run;
use engine_runtime::exit::Exit;

use crate::console::Console;
use crate::logs::LogFormat;
use crate::render::lines::{self, Level};

static PANICKED: AtomicBool = AtomicBool::new(false);

/// Replaces the standard message, which quotes the payload.
pub(crate) fn install(format: LogFormat, console: Console) {
    panic::set_hook(Box::new(move |info| {
        PANICKED.store(true, Ordering::SeqCst);
        let place = info.location().map_or_else(
            || String::from("an unknown place"),
            |at| format!("{}:{}:{}", at.file(), at.line(), at.column()),
        );
        let code = run::INTERNAL.id;
        let text = format!("{code}: a defect of the engine, at {place}. {}", run::INTERNAL.fix);
        console.tell(&match format {
            LogFormat::Human => text,
            LogFormat::Json => lines::message(Level::Error, &text),
        });
    }));
}

/// The exit, or `Internal` when any thread panicked: what it was doing may be missing.
pub(crate) fn exit_after(exit: Exit) -> Exit {
    if PANICKED.load(Ordering::SeqCst) { Exit::Internal } else { exit }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::console::{ColorChoice, Loudness};
    use crate::environment::Environment;

    /// Set in the child only.
    const FORMAT: &str = "ENGINE_TEST_PANIC";

    const CANARY: &str = "kanarie 4711";

    /// The hook is the process's, so it is tried in a process of its own: this test, run once more.
    fn shown_by_child(format: &str) -> String {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "panic::tests::the_child_panics", "--nocapture"])
            .env(FORMAT, format)
            .output()
            .unwrap();
        assert!(output.status.success(), "the child's own checks failed");
        format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    }

    fn refused() -> Result<(), &'static str> {
        Err(CANARY)
    }

    #[test]
    fn the_child_panics() {
        let environment = Environment::of_process();
        let Some(format) = environment.get(FORMAT) else { return };
        let format = if format == "json" { LogFormat::Json } else { LogFormat::Human };
        install(format, Console::new(ColorChoice::Never, true, Loudness::Verbose));
        assert_eq!(exit_after(Exit::Ok), Exit::Ok);
        let thread = std::thread::spawn(|| panic!("the cell holds {CANARY}"));
        assert!(thread.join().is_err());
        let value = panic::catch_unwind(|| refused().expect("a value"));
        assert!(value.is_err());
        assert!(panic::catch_unwind(|| panic::panic_any(CANARY)).is_err());
        // Whatever the command says of itself then: a thread of it panicked.
        assert_eq!(exit_after(Exit::Ok), Exit::Internal);
    }

    #[test]
    fn a_panic_shows_its_place_and_nothing_of_what_it_says() {
        for format in ["human", "json"] {
            let shown = shown_by_child(format);
            assert!(!shown.contains("kanarie") && !shown.contains("4711"), "{shown}");
            assert_eq!(shown.matches(run::INTERNAL.id).count(), 3, "{shown}");
            assert!(shown.contains("src/panic.rs:"), "{shown}");
            if format == "human" {
                let golden = include_str!("../../../tests/diagnostics/elsewhere/E0899.txt");
                assert!(numberless(&shown).contains(&numberless(golden)), "{shown}");
            }
        }
    }

    /// Without the line and column of a panic, which change with the file.
    fn numberless(text: &str) -> String {
        let parts = text.split(|letter: char| letter.is_ascii_digit()).collect::<Vec<_>>();
        parts.join("")
    }
}
