//! Where the passphrase comes from: a file, then the environment, then `.env`, then a question on the
//! terminal without echo. Never the command line, which other users of the machine can read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use engine_runtime::codes::keys;
use engine_runtime::diagnostic::{Diagnostic, Failure};
use engine_runtime::request::PassphraseSource;
use zeroize::Zeroizing;

/// A passphrase is a line; more than this is another file.
const PASSPHRASE_FILE_BYTES_MAX: u64 = 4096;

/// How often a new passphrase may be typed differently the second time.
const ATTEMPTS: usize = 3;

/// How to ask at the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// For a keyring that exists.
    Open,
    /// For a new keyring: twice, because nothing could tell a slip of the finger later.
    Create,
    /// None: nobody is there to answer, even on a terminal.
    Never,
}

/// The ways to a passphrase, tried in order.
pub(crate) struct Passphrase {
    file: Option<Zeroizing<String>>,
    variables: BTreeMap<String, Zeroizing<String>>,
    question: Question,
    cancelled: Arc<AtomicBool>,
}

impl Passphrase {
    /// Reads the file, if one is given; `variables` are the environment's. `cancelled` is set when the
    /// question is answered with Ctrl-C.
    ///
    /// # Errors
    /// A file that cannot be read or holds no passphrase.
    pub(crate) fn new(
        file: Option<&Path>,
        variables: &BTreeMap<String, String>,
        question: Question,
        cancelled: Arc<AtomicBool>,
    ) -> Result<Self, Failure> {
        let file = file.map(read).transpose()?;
        let secret = |(name, value): (&String, &String)| {
            (!value.is_empty()).then(|| (name.clone(), Zeroizing::new(value.clone())))
        };
        let variables = variables.iter().filter_map(secret).collect();
        Ok(Self { file, variables, question, cancelled })
    }

    fn ask(&self) -> Option<Zeroizing<String>> {
        let nobody = self.question == Question::Never;
        if nobody || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return None;
        }
        if self.question == Question::Open {
            return self.prompt("Passphrase: ");
        }
        for _ in 0..ATTEMPTS {
            let first = self.prompt("New passphrase: ")?;
            let second = self.prompt("The same again: ")?;
            if first == second {
                return Some(first);
            }
            let _ = io::Write::write_all(&mut io::stderr(), b"They differ. ");
        }
        None
    }

    fn prompt(&self, text: &str) -> Option<Zeroizing<String>> {
        match rpassword::prompt_password(text) {
            Ok(answer) => Some(Zeroizing::new(answer)).filter(|answer| !answer.is_empty()),
            Err(error) => {
                if error.kind() == io::ErrorKind::Interrupted {
                    self.cancelled.store(true, Ordering::Relaxed);
                }
                None
            }
        }
    }
}

impl PassphraseSource for Passphrase {
    fn passphrase(&self, variable: &str) -> Option<Zeroizing<String>> {
        let given = self.file.as_ref().or_else(|| self.variables.get(variable));
        given.cloned().or_else(|| self.ask())
    }
}

/// The first line of the file.
#[expect(clippy::disallowed_methods, reason = "this is the file made for reading a passphrase")]
fn read(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let refused = |reason: &str| -> Failure {
        let message = format!("the passphrase file `{}` {reason}", path.display());
        Diagnostic::new(&keys::KEY_FILE, message)
            .help("give the path of a file whose first line is the passphrase")
            .into()
    };
    let mut text = Zeroizing::new(String::new());
    let file = File::open(path)
        .map_err(|error| refused(&format!("cannot be opened: {}", error.kind())))?;
    let read = file
        .take(PASSPHRASE_FILE_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(|error| refused(&format!("cannot be read: {}", error.kind())))?;
    if read as u64 == PASSPHRASE_FILE_BYTES_MAX {
        return Err(refused("is too large to hold a passphrase"));
    }
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(refused("has an empty first line"));
    }
    Ok(Zeroizing::new(line.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        io::Write::write_all(&mut file, text).unwrap();
        file
    }

    fn source(file: Option<&Path>) -> Result<Passphrase, Failure> {
        Passphrase::new(file, &variables(), Question::Open, Arc::default())
    }

    fn variables() -> BTreeMap<String, String> {
        BTreeMap::from([("PASS".to_owned(), "of the environment".to_owned())])
    }

    #[test]
    fn the_file_comes_before_the_environment() {
        let file = file("über allen Gipfeln\r\nsecond line\n".as_bytes());
        let given = source(Some(file.path())).ok().unwrap();
        assert_eq!(given.passphrase("PASS").unwrap().as_str(), "über allen Gipfeln");
        let given = source(None).ok().unwrap();
        assert_eq!(given.passphrase("PASS").unwrap().as_str(), "of the environment");
    }

    #[test]
    fn a_file_that_holds_none_is_refused_without_its_text() {
        let large = vec![b'c'; 5000];
        for text in [&b""[..], b"\ncanary\n", &large, b"canary\xff"] {
            let file = file(text);
            let Err(failure) = source(Some(file.path())) else { panic!("there is none") };
            assert!(!format!("{failure:?}").contains("canary"));
        }
    }
}
