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
