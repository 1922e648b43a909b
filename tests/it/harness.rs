//! The program from the outside: a project in a folder of its own, commands run on it, and what came back.
//!
//! ```text
//!  Project::of(files) ──▶ folder ─run(["run"])───▶ Ended {status, stdout, stderr}
//!                                └─start(["run"])──▶ Started ──kill()──▶ Ended
//! ```
//!
//! Every project has a folder and an environment of its own, so tests run at once.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::repository;

/// The variable that holds the key of projects made here.
pub(crate) const KEY_VARIABLE: &str = "ENGINE_TEST_KEY";

/// The key of projects made here: 32 bytes in hexadecimal digits. It opens the keyring at once, where a
/// passphrase takes a tenth of a second on purpose.
pub(crate) const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// A project in a folder that is removed with it.
pub(crate) struct Project {
    folder: TempDir,
    environment: Vec<(String, String)>,
}

impl Project {
    /// An empty folder.
    pub(crate) fn empty() -> Self {
        let environment = vec![(KEY_VARIABLE.to_owned(), KEY.to_owned())];
        Self { folder: tempfile::tempdir().unwrap(), environment }
    }

    /// A copy of a folder of the repository, such as `examples/chinook`, without what runs left in it.
    pub(crate) fn copy_of(folder: &str) -> Self {
        let project = Self::empty();
        copy(&repository::root().join(folder), project.root(), &["target"]);
        project
    }

    /// A folder with these files, by path.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let project = Self::empty();
        for (path, text) in files {
            project.write(path, text);
        }
        project
    }

    /// The project's folder.
    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// A file of the project, there or not.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    /// Writes a file, with the folders above it.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// The text of a file.
    pub(crate) fn read(&self, path: &str) -> String {
        let path = self.path(path);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Replaces a text that must occur in a file.
    pub(crate) fn replace(&self, path: &str, old: &str, new: &str) {
        let text = self.read(path);
        assert!(text.contains(old), "{path} does not hold {old:?}");
        self.write(path, text.replace(old, new));
    }

    /// A copy of the whole project, with what runs left in it.
    pub(crate) fn duplicate(&self) -> Self {
        let project = Self::empty();
        copy(self.root(), project.root(), &[]);
        Self { environment: self.environment.clone(), ..project }
    }

    /// Sets a variable for the commands that follow.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.retain(|(set, _)| set != name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// The program with these arguments, about to start in the project's folder. It sees nothing of this
    /// process's environment but `PATH`.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_by(&[], arguments)
    }

    /// The same, started by another program that is given the program's path and arguments.
    fn command_by(&self, starter: &[&str], arguments: &[&str]) -> Command {
        let words = [starter, &[env!("CARGO_BIN_EXE_engine")], arguments].concat();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).current_dir(self.root()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        Ended::new(written(arguments), self.command(arguments).output().unwrap())
    }

    /// Runs the program by way of another.
    pub(crate) fn run_by(&self, starter: &[&str], arguments: &[&str]) -> Ended {
        Ended::new(written(arguments), self.command_by(starter, arguments).output().unwrap())
    }

    /// Starts the program.
    pub(crate) fn start(&self, arguments: &[&str]) -> Started {
        let child = self.command(arguments).spawn().unwrap();
        Started { child, command: written(arguments) }
    }

    /// Makes `@name` an owner, with an SSH key in the project's folder.
    pub(crate) fn own(&self, name: &str) {
        let key = self.path(name);
        let ended = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"])
            .arg(&key)
            .status()
            .unwrap();
        assert!(ended.success(), "ssh-keygen makes a key");
        let public = self.read(&format!("{name}.pub"));
        let mut engine = self.read("engine.yml");
        if !engine.contains("owners:") {
            engine.push_str("\nowners:\n");
        }
        engine.push_str(&format!("  \"@{name}\": [\"{}\"]\n", public.trim()));
        self.write("engine.yml", engine);
    }

    /// Approves a plan as `@name`, whose key [`Project::own`] made.
    pub(crate) fn approve(&self, plan: &str, name: &str) -> Ended {
        self.run(&["approve", plan, "--owner", &format!("@{name}"), "--key", name])
    }

    /// Rows of a query, as JSON objects.
    pub(crate) fn query(&self, sql: &str) -> Vec<Value> {
        self.run(&["query", sql, "--format", "json"]).success().rows()
    }
}

/// A command that runs.
pub(crate) struct Started {
    child: Child,
    command: String,
}

impl Started {
    /// Whether it ended by itself already.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// The process's id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as `kill -9` does, wherever it is.
    pub(crate) fn kill(mut self) -> Ended {
        // It may have ended a moment ago.
        self.child.kill().ok();
        self.wait()
    }

    /// Waits for its end.
    pub(crate) fn wait(self) -> Ended {
        Ended::new(self.command, self.child.wait_with_output().unwrap())
    }
}

/// A command that ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// What was run.
    pub(crate) command: String,
    /// The exit code; `None` when it was killed.
    pub(crate) status: Option<i32>,
    /// The document.
    pub(crate) stdout: String,
    /// Everything else.
    pub(crate) stderr: String,
}

impl Ended {
    fn new(command: String, output: Output) -> Self {
        Self {
            command,
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Fails unless it ended with this exit code.
    #[track_caller]
    pub(crate) fn status(self, expected: i32) -> Self {
        assert_eq!(self.status, Some(expected), "{self}");
        self
    }

    /// Fails unless it succeeded.
    #[track_caller]
    pub(crate) fn success(self) -> Self {
        self.status(0)
    }

    /// Fails unless stderr holds this text, however its lines were broken and framed.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        let words = |text: &str| -> String {
            let words = text.split(|letter: char| letter.is_whitespace() || letter == '│');
            words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
        };
        assert!(words(&self.stderr).contains(&words(text)), "no word of {text:?}\n{self}");
        self
    }

    /// Fails unless stdout holds this text.
    #[track_caller]
    pub(crate) fn prints(self, text: &str) -> Self {
        assert!(self.stdout.contains(text), "no word of {text:?}\n{self}");
        self
    }

    /// The findings on stderr of a command with `--log-format json`: codes and messages.
    #[track_caller]
    pub(crate) fn findings(&self) -> Vec<(String, String)> {
        let lines = self.stderr.lines().map(|line| -> Value {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}\n{self}"))
        });
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        lines
            .filter(|line| line["target"] == "engine::diagnostic")
            .map(|line| (text(&line["code"]), text(&line["message"])))
            .collect()
    }

    /// stdout as one JSON document.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{self}"))
    }

    /// stdout as rows of a query.
    #[track_caller]
    pub(crate) fn rows(&self) -> Vec<Value> {
        match self.json() {
            Value::Array(rows) => rows,
            other => panic!("no rows: {other}\n{self}"),
        }
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { command, status, stdout, stderr } = self;
        write!(formatter, "$ {command}\n{stdout}\n{stderr}\nended with {status:?}")
    }
}

fn written(arguments: &[&str]) -> String {
    format!("engine {}", arguments.join(" "))
}

/// Numbers that are the same in every run of a test: SplitMix64 (Steele, Lea and Flood, 2014).
pub(crate) struct Dice(u64);

impl Dice {
    /// Dice whose throws follow from `seed` alone.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number from 0 to `end`, which it never is.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % end
    }
}

/// Copies a folder with everything in it, but for folders of these names.
pub(crate) fn copy(from: &Path, to: &Path, without: &[&str]) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), target).unwrap();
        } else if !without.iter().any(|name| entry.file_name() == *name) {
            copy(&entry.path(), &target, without);
        }
    }
}

/// Every file below a folder, sorted by path.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}
