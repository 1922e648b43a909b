//! The program `engine`: reads the command line, does one thing, ends with its exit code.

mod console;
mod environment;
mod logs;
mod passphrase;
mod size;

mod options;
mod render;
mod report;

mod invocation;
mod panic;

mod template;

mod commands;

mod app;
#[cfg(test)]
mod reference;

/// Plans are made of many small texts, and rows pass between threads: glibc's allocator costs a quarter of
/// the time of a plan.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    app::main()
}
