//! Libraries of others, through the Python that `ENGINE_TEST_PYTHON` names.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::repository;

/// The variable that names the interpreter.
const VARIABLE: &str = "ENGINE_TEST_PYTHON";

/// The interpreter.
#[track_caller]
pub(crate) fn interpreter() -> PathBuf {
    let named = std::env::var_os(VARIABLE).map(PathBuf::from);
    let found = named.filter(|path| path.is_file());
    found.unwrap_or_else(|| {
        panic!(
            "{VARIABLE} must name a Python with the libraries of tests/python/requirements.txt; \
             tests/run sets one up"
        )
    })
}

/// The words of a command that runs a script of the repository.
#[track_caller]
pub(crate) fn words(script: &str, arguments: &[&str]) -> Vec<String> {
    let script = repository::root().join(script);
    let own = [interpreter().display().to_string(), "-B".into(), script.display().to_string()];
    own.into_iter().chain(arguments.iter().map(|&argument| argument.to_owned())).collect()
}

/// stdout of a script that must succeed.
#[track_caller]
pub(crate) fn run(script: &str, arguments: &[&str]) -> String {
    let words = words(script, arguments);
    let output = Command::new(&words[0]).args(&words[1..]).stdin(Stdio::null()).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?} ended with {}: {stderr}", output.status);
    String::from_utf8(output.stdout).unwrap()
}
