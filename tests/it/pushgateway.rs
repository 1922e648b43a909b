//! Prometheus' own programs, as Debian has them: a Pushgateway on a free port, and promtool.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The variable that names the folder of the programs; where it is not set, they are on the path.
const VARIABLE: &str = "ENGINE_TEST_PROMETHEUS";

/// How long a Pushgateway may take to listen.
const PATIENCE: Duration = Duration::from_secs(20);

/// A Pushgateway; it ends when it is dropped.
pub(crate) struct Gateway {
    child: Child,
    port: u16,
}

impl Gateway {
    /// Starts one.
    #[track_caller]
    pub(crate) fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = program("prometheus-pushgateway")
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{error}: {MISSING}"));
        let gateway = Self { child, port };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < PATIENCE, "the Pushgateway does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        gateway
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What Prometheus would scrape.
    pub(crate) fn scraped(&self) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200 "), "{head}");
        body.to_owned()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // It may have ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// What `promtool check metrics` finds wrong with a text.
#[track_caller]
pub(crate) fn findings(metrics: &str) -> String {
    let mut child = program("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{error}: {MISSING}"));
    child.stdin.take().unwrap().write_all(metrics.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert_eq!(output.status.success(), said.is_empty());
    String::from_utf8(said).unwrap()
}

const MISSING: &str = "ENGINE_TEST_PROMETHEUS must name a folder with prometheus-pushgateway and \
                       promtool; tests/run sets one up";

fn program(name: &str) -> Command {
    let folder = std::env::var_os(VARIABLE).map(PathBuf::from);
    Command::new(folder.map_or_else(|| PathBuf::from(name), |folder| folder.join(name)))
}
