//! A small HTTP server on this machine, which answers as it was told and remembers what it was sent.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// What the server does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// Answers with a status.
    Status(u16),
    /// Answers with a redirect to this place.
    Redirect(String),
    /// Answers with a success whose body does not end.
    Endless,
    /// Answers with a success whose head does not end.
    EndlessHead,
    /// Says nothing for this long.
    Silence(Duration),
    /// Closes the connection.
    Close,
}

/// A request that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    /// `POST /path`.
    pub(crate) line: String,
    /// Headers with names in lower case, in their order.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: String,
}

impl Received {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(header, _)| header == name);
        found.map_or("", |(_, value)| value)
    }
}

/// A server; it ends when it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server on a free port. It gives these answers in their order, and success from then on.
    pub(crate) fn start(answers: &[Answer]) -> Self {
        Self::start_on(TcpListener::bind("127.0.0.1:0").unwrap(), answers)
    }

    /// A server that listens where one was looked for before.
    pub(crate) fn start_on(listener: TcpListener, answers: &[Answer]) -> Self {
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let stopped = Arc::new(AtomicBool::new(false));
        let answers = Arc::new(Mutex::new(VecDeque::from(answers.to_vec())));
        let (own, stop) = (Arc::clone(&received), Arc::clone(&stopped));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let (answers, received) = (Arc::clone(&answers), Arc::clone(&own));
                std::thread::spawn(move || serve(&stream.unwrap(), &answers, &received));
            }
        });
        Self { address, received, stopped, thread: Some(thread) }
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was received so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the loop, which then sees that it is over.
        drop(TcpStream::connect(self.address));
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// Answers the requests of one connection, until either side closes it.
fn serve(
    stream: &TcpStream,
    answers: &Mutex<VecDeque<Answer>>,
    received: &Mutex<Vec<Received>>,
) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let request = read(&mut reader)?;
        received.lock().unwrap().push(request);
        let answer = answers.lock().unwrap().pop_front().unwrap_or(Answer::Status(204));
        reply(stream, answer)?;
    }
}

/// Reads a request; none where the connection ends.
fn read(reader: &mut impl BufRead) -> Option<Received> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let line = line.trim_end().strip_suffix(" HTTP/1.1")?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        headers.push((name.to_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    Some(Received { line, headers, body: String::from_utf8(body).unwrap() })
}

/// Answers; none where the connection is over.
fn reply(mut stream: &TcpStream, answer: Answer) -> Option<()> {
    // Where a body or a reason could hold anything, it does.
    let empty = "content-length: 15\r\n\r\ncanary-answered";
    match answer {
        Answer::Status(204) => {
            stream.write_all(b"HTTP/1.1 204 canary-answered\r\n\r\n").ok()?;
        }
        Answer::Status(status) => {
            let text = format!("HTTP/1.1 {status} canary-answered\r\n{empty}");
            stream.write_all(text.as_bytes()).ok()?;
        }
        Answer::Redirect(to) => {
            let text = format!("HTTP/1.1 307 canary-answered\r\nlocation: {to}\r\n{empty}");
            stream.write_all(text.as_bytes()).ok()?;
        }
        Answer::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").ok()?;
            loop {
                stream.write_all(b"10\r\ncanary-answered!\r\n").ok()?;
            }
        }
        Answer::EndlessHead => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n").ok()?;
            loop {
                stream.write_all(b"x: canary-answered\r\n").ok()?;
            }
        }
        Answer::Silence(time) => std::thread::sleep(time),
        Answer::Close => {
            stream.shutdown(std::net::Shutdown::Both).ok()?;
            return None;
        }
    }
    Some(())
}
