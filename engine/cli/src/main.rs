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

fn main() -> std::process::ExitCode {
    app::main()
}
