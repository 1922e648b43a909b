//! A throw-away PostgreSQL: a cluster in a folder of its own, reached by a socket in it and by no network.
//!
//! ```text
//!  test ── stdin, held open ──▶ keeper (sh) ── initdb, postgres ──▶ server ── socket ──▶ psql, engine
//!    └──── ends, however ─────▶ keeper: stops the server, removes the folder
//! ```
//!
//! The keeper notices the end of its input, which the system brings about even for a process that is
//! killed. A signal on the parent's death would not do: on Linux it is sent when the *thread* ends that
//! started the child, and tests run in threads that end. So a server may be kept in a `static` too.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// Where Debian puts each major version, in a folder of its own.
const VERSIONS: &str = "/usr/lib/postgresql";

/// Starts the server, says so, and keeps it until its input ends. It is given the folders of the programs
/// and of the server.
///
/// The server is its child, so that none is left as a zombie where the first process reaps nothing, as in
/// many containers. Nothing is flushed to the disk, since nothing shall be there after a power cut. The
/// time zone is not the machine's.
const KEEPER: &str = r#"
exec 2>&1
# When the tests are gone already, nobody hears that the server is ready.
trap '' PIPE
binaries=$1 folder=$2
export PATH="$binaries:$PATH" PGDATA="$folder/data" TZ=UTC
cd "$folder" || exit

start() {
  initdb --auth=trust --username=postgres --locale=C --encoding=UTF8 --no-sync >initdb.log 2>&1 || return
  postgres -c listen_addresses= -c unix_socket_directories="$folder" -c port=5432 \
    -c fsync=off -c full_page_writes=off </dev/null >server.log 2>&1 &
  server=$!
  tries=600
  until pg_isready --quiet --host="$folder"; do
    # It ended already.
    kill -0 "$server" 2>/dev/null || return
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || { echo 'no connection was accepted within 30 s'; return 1; }
    sleep 0.05
  done
}

if start; then
  echo ready
  read -r _
else
  cat ./*.log
fi
if [ -n "$server" ]; then
  # An immediate shutdown.
  kill -QUIT "$server" 2>/dev/null
  wait "$server"
fi
cd / && rm -rf "$folder"
"#;

/// A server that is stopped and removed with it.
///
/// Whoever reaches [`Postgres::host`] is let in as the superuser `postgres`, without a password; the
/// database has the same name, and the port is 5432.
pub(crate) struct Postgres {
    binaries: PathBuf,
    folder: TempDir,
    keeper: Child,
}

impl Postgres {
    /// A server with an empty database, which accepts connections. It takes about a second, so a test
    /// that needs one starts its own.
    #[track_caller]
    pub(crate) fn start() -> Self {
        let binaries = binaries();
        // Not in TMPDIR: a socket's path has at most 107 bytes, and the server's user must get there.
        let folder =
            tempfile::Builder::new().prefix("engine-postgres-").tempdir_in("/tmp").unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", KEEPER, "keeper"]).arg(&binaries).arg(folder.path());
        clean(&mut command).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        // Ctrl-C at the terminal reaches the tests, and the keeper through the end of its input.
        command.process_group(0);
        if folder.path().metadata().unwrap().uid() == 0 {
            let (user, group) = unprivileged();
            chown(folder.path(), Some(user), Some(group)).unwrap();
            // From root, this drops the other groups as well.
            command.uid(user).gid(group);
        }
        let mut keeper = command.spawn().unwrap();
        let mut said = BufReader::new(keeper.stdout.take().unwrap());
        let mut text = String::new();
        said.read_line(&mut text).unwrap();
        if text != "ready\n" {
            said.read_to_string(&mut text).unwrap();
            panic!("PostgreSQL of {} did not start: {text}", binaries.display());
        }
        Self { binaries, folder, keeper }
    }

    /// The folder of the socket, which clients take for the host.
    pub(crate) fn host(&self) -> &Path {
        self.folder.path()
    }

    /// What SQL gives: rows as lines, columns with `|` between them. Several statements are one transaction.
    #[track_caller]
    pub(crate) fn psql(&self, sql: &str) -> String {
        succeeded(self.client(&["--command", sql]), sql)
    }

    /// Runs a script, statement by statement.
    #[track_caller]
    pub(crate) fn load(&self, script: &Path) {
        let script = script.to_str().unwrap();
        succeeded(self.client(&["--file", script]), script);
    }

    /// What the server says to SQL that must fail.
    #[track_caller]
    pub(crate) fn refuses(&self, sql: &str) -> String {
        let output = self.client(&["--command", sql]);
        assert!(!output.status.success(), "this should have failed: {sql}");
        String::from_utf8(output.stderr).unwrap()
    }

    fn client(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(self.binaries.join("psql"));
        command.args(["--no-psqlrc", "--no-align", "--tuples-only", "--quiet"]);
        command.args(["--set", "ON_ERROR_STOP=1", "--username", "postgres", "--host"]);
        command.arg(self.host()).args(arguments);
        clean(&mut command).stdin(Stdio::null()).output().unwrap()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // This ends the keeper's input first.
        self.keeper.wait().ok();
    }
}

/// Takes the environment away, which has settings of servers and clients, and their language.
fn clean(command: &mut Command) -> &mut Command {
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default())
}

#[track_caller]
fn succeeded(output: Output, what: &str) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}\nended with {}: {stderr}", output.status);
    let mut text = String::from_utf8(output.stdout).unwrap();
    text.truncate(text.strip_suffix('\n').unwrap_or(&text).len());
    text
}

/// The folder of the server's programs: that of `PATH`, or else of Debian's newest version, which is not
/// in `PATH`.
#[track_caller]
fn binaries() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // What is in `PATH` may be links to some of them.
    let named = std::env::split_paths(&path).filter_map(|folder| {
        folder.join("initdb").canonicalize().ok()?.parent().map(Path::to_owned)
    });
    let versions = std::fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    let mut versions: Vec<_> = versions.map(|version| version.path()).collect();
    versions.sort_by_key(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        std::cmp::Reverse(name.parse().unwrap_or(0u32))
    });
    let mut found = named.chain(versions.into_iter().map(|version| version.join("bin")));
    let complete = |folder: &PathBuf| {
        ["initdb", "pg_isready", "postgres", "psql"].iter().all(|name| folder.join(name).is_file())
    };
    found.find(complete).unwrap_or_else(|| {
        panic!(
            "PostgreSQL is neither in PATH nor in {VERSIONS}: install Debian's package `postgresql`; \
             tests/run does when it is root"
        )
    })
}

/// The user and group that run the server instead of root, as which it refuses to run.
#[track_caller]
fn unprivileged() -> (u32, u32) {
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let user = |name: &str| {
        let fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let fields = fields.into_iter().find(|fields| fields.len() > 3 && fields[0] == name)?;
        Some((fields[2].parse().ok()?, fields[3].parse().ok()?))
    };
    user("postgres").or_else(|| user("nobody")).unwrap_or_else(|| {
        panic!("PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody`")
    })
}

#[test]
fn a_server_is_removed_with_its_folder() {
    let server = Postgres::start();
    server.psql("create table people (id int primary key, name text)");
    let script = server.host().join("people.sql");
    std::fs::write(&script, "insert into people values (1, 'Ada'), (2, 'Žofie');\n").unwrap();
    server.load(&script);
    assert_eq!(server.psql("select * from people order by id"), "1|Ada\n2|Žofie");
    let refused = server.refuses("insert into people values (1, 'Eve')");
    assert!(refused.contains("duplicate key"), "{refused}");
    assert_eq!(server.psql("show timezone; show listen_addresses"), "UTC\n");

    let folder = server.host().to_owned();
    let process = std::fs::read_to_string(folder.join("data/postmaster.pid")).unwrap();
    let process = Path::new("/proc").join(process.lines().next().unwrap());
    assert!(process.exists(), "{} is a process", process.display());
    drop(server);
    assert!(!folder.exists(), "{} is still there", folder.display());
    assert!(!process.exists(), "{} still runs", process.display());
}
