//! E07xx: the keyring and what opens it.
//!
//! ```text
//!  passphrase │ environment │ file ──E0702, E0703, E0707…E0709──▶ unlocks ──▶ keyring ──E0701, E0704…E0706──▶ keys
//! ```

use super::Code;
use crate::exit::Exit;

/// Every code of this range, in ascending order.
pub const ALL: &[&Code] = &[
    &KEYRING_MISSING,
    &WRONG_PASSPHRASE,
    &NO_PASSPHRASE,
    &KEYRING_MALFORMED,
    &KEY_UNKNOWN,
    &KEYRING_EXISTS,
    &KEY_FILE,
    &KEY_ENVIRONMENT,
    &WEAK_PASSPHRASE,
    &RANDOM,
    &ROTATION_DUE,
    &ROTATION_INVALID,
    &UNMASK_REFUSED,
    &NOT_REVERSIBLE,
];

/// There is no keyring.
pub static KEYRING_MISSING: Code = Code {
    id: "E0701",
    title: "There is no keyring",
    exit: Exit::KeyRefused,
    what: "The target's keyring file does not exist.",
    why: "Nothing can be masked or sealed without keys. A new keyring is not made in passing: it \
          would mask differently and could not open what is stored.",
    example: "rm keyring.json && engine run",
    fix: "Run `engine keys init` for a new project. Otherwise restore the file from where it was \
          kept; it is wrapped and safe to copy.",
};

/// Wrong passphrase.
pub static WRONG_PASSPHRASE: Code = Code {
    id: "E0702",
    title: "Wrong passphrase",
    exit: Exit::KeyRefused,
    what: "The passphrase, key or key file does not open the keyring.",
    why: "The engine cannot tell more, and would not say more if it could.",
    example: "ENGINE_PASSPHRASE=wrong engine run",
    fix: "Give the passphrase the keyring was made with. There is no way around a lost one.",
};

/// No passphrase was given.
pub static NO_PASSPHRASE: Code = Code {
    id: "E0703",
    title: "No passphrase was given",
    exit: Exit::KeyRefused,
    what: "The keyring needs a passphrase, and there is none in a file, the environment or `.env`, \
          and no terminal to ask at.",
    why: "A passphrase on the command line would show up in the list of processes and in the \
          shell's history, so there is no such option.",
    example: "engine run < /dev/null",
    fix: "Use `--passphrase-file`, set the environment variable that `profiles.yml` names, put it \
          into `.env`, or run in a terminal.",
};

/// The keyring cannot be read.
pub static KEYRING_MALFORMED: Code = Code {
    id: "E0704",
    title: "The keyring cannot be read",
    exit: Exit::KeyRefused,
    what: "The keyring file is no keyring, was damaged, or has limits that no keyring of this \
          engine has.",
    why: "Keys are used only when every byte about them was checked.",
    example: "echo '{}' > keyring.json && engine run",
    fix: "Restore the file from where it was kept.",
};

/// A key is not in the keyring.
pub static KEY_UNKNOWN: Code = Code {
    id: "E0705",
    title: "A key is not in the keyring",
    exit: Exit::DoesNotCompile,
    what: "A rule names a masking key that the keyring does not hold, or a file was sealed under a \
          key that it does not hold.",
    why: "Another key would give other pseudonyms than were asked for, or could not open the file.",
    example: "- {name: emails, match: {class: pii.email}, mask: email, key: marketing}",
    fix: "Use one of the keys that `engine keys list` prints, or the keyring that holds the key.",
};

/// There is a keyring already.
pub static KEYRING_EXISTS: Code = Code {
    id: "E0706",
    title: "There is a keyring already",
    exit: Exit::KeyRefused,
    what: "`engine keys init` would overwrite a keyring, or a run the one that lies in the store \
           and was not made with the project's.",
    why: "Everything sealed under its keys could never be opened again.",
    example: "engine keys init && engine keys init",
    fix: "Keep the keyring. Use another path in `profiles.yml` for another one, and another store.",
};

/// A key or passphrase file cannot be used.
pub static KEY_FILE: Code = Code {
    id: "E0707",
    title: "A key or passphrase file cannot be used",
    exit: Exit::KeyRefused,
    what: "The file does not exist, cannot be read, is empty, is too large, or does not hold what \
          it should.",
    why: "A key that was cut off or read wrongly is another key.",
    example: "engine run --passphrase-file missing.txt",
    fix: "Give the path of a file that holds the passphrase on its first line, or, for `provider: \
          file`, 32 bytes.",
};

/// The key in the environment cannot be used.
pub static KEY_ENVIRONMENT: Code = Code {
    id: "E0708",
    title: "The key in the environment cannot be used",
    exit: Exit::KeyRefused,
    what: "The variable that `keys: {provider: environment}` names is not set, or does not hold 32 \
          bytes in hexadecimal or base64.",
    why: "A key that was cut off or read wrongly is another key.",
    example: "ENGINE_KEY=short engine run",
    fix: "Set the variable, in the environment or `.env`, to 64 hexadecimal digits or 44 \
          characters of base64.",
};

/// The passphrase is too weak.
pub static WEAK_PASSPHRASE: Code = Code {
    id: "E0709",
    title: "The passphrase is too weak",
    exit: Exit::KeyRefused,
    what: "The passphrase for a new keyring is shorter than the bound that the message names.",
    why: "Whoever gets a copy of the keyring can try passphrases as fast as their machines allow.",
    example: "printf abc > short.txt && engine keys init --passphrase-file short.txt",
    fix: "Use a longer passphrase, such as five random words.",
};

/// The system gives no random bytes.
pub static RANDOM: Code = Code {
    id: "E0710",
    title: "The system gives no random bytes",
    exit: Exit::KeyRefused,
    what: "The operating system's random source failed.",
    why: "Keys and nonces that can be guessed protect nothing, so there is no substitute.",
    example: "engine keys init     # in a sandbox that forbids getrandom",
    fix: "Allow the engine the system's random source (`getrandom` on Linux).",
};

/// A key is close to the age at which it is replaced, or past it.
pub static ROTATION_DUE: Code = Code {
    id: "E0711",
    title: "A key is due for rotation",
    exit: Exit::KeyRefused,
    what: "A key is older than `rotation: {max_age: …}` under `keys:` of the target says, or will be soon: within the \
           last tenth of that time, and within a week in any case.",
    why: "What one key has sealed grows with every run, and whoever gets hold of the key opens all of it. This is a \
          warning: a run that stopped for it would leave the data older than its keys.",
    example: "keys: {provider: environment, env: ENGINE_KEY, rotation: {max_age: 1y}}     # and a keyring of last year",
    fix: "Give the target another keyring and another store in `profiles.yml`, run `engine keys init` and `engine run`, \
          and keep the old keyring as long as the old store. A new masking key gives new pseudonyms: load everything \
          that was masked with the old one again.",
};

/// An age of keys that cannot be meant.
pub static ROTATION_INVALID: Code = Code {
    id: "E0712",
    title: "The age of keys cannot be used",
    exit: Exit::DoesNotCompile,
    what: "`max_age` under `rotation:` of the target's keys is no span of time.",
    why: "Nobody would be told that a key is too old, which is not what somebody wanted.",
    example: "keys: {provider: environment, env: ENGINE_KEY, rotation: {max_age: 1 year}}",
    fix: "Write it as `90d`, `12mo` or `1y`.",
};

/// Unmasking was asked for in CI.
pub static UNMASK_REFUSED: Code = Code {
    id: "E0713",
    title: "Nothing is unmasked in CI",
    exit: Exit::KeyRefused,
    what: "`engine unmask` was called where the variable `CI` is set, without `--in-ci`.",
    why: "What a pipeline prints is kept in logs that many people read. The attempt is on record.",
    example: "CI=true engine unmask customers --column card",
    fix: "Run it on a machine of your own. `--in-ci` allows it, for a job whose output and logs nobody else reads.",
};

/// A column that cannot be restored.
pub static NOT_REVERSIBLE: Code = Code {
    id: "E0714",
    title: "A column cannot be restored",
    exit: Exit::Usage,
    what: "`engine unmask` was asked for a column that the export does not have, or whose mask is no way back: it is \
           one-way, has a condition, sends values to `otherwise`, or was masked with a column that is not at hand.",
    why: "Only a permutation under a key can be undone, and only by whoever holds the key.",
    example: "engine unmask customers --column email     # masked by `email`",
    fix: "Ask for columns that are masked by a reversible function; the table of masking functions says which are.",
};
