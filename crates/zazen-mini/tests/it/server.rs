//! An HTTP endpoint that gives the replies it was given, in order, one a connection.
//!
//! It says nothing about the wire formats: see `sse`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

/// What the endpoint does with one request.
pub(crate) enum Reply {
    /// A whole stream of events.
    Stream(String),
    /// A stream that ends in the middle of a chunk.
    Cut(String),
    /// A stream that ends early, but as politely as a whole one.
    Short(String),
    /// A refusal: status, further header lines, body.
    Refusal(u16, &'static str, &'static str),
}

/// One request as it came.
pub(crate) struct Request {
    pub(crate) path: String,
    /// All header lines, in lower case.
    pub(crate) head: String,
    pub(crate) body: Value,
}

pub(crate) struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub(crate) fn start(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        // The thread ends with the test's process, or after the last reply; then
        // the listener is closed, and one request too many is refused.
        thread::spawn(move || {
            for reply in replies {
                let (stream, _) = listener.accept().unwrap();
                seen.lock().unwrap().push(read(&stream));
                write(stream, reply);
            }
        });
        Self { address, requests }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut *self.requests.lock().unwrap())
    }
}

fn read(stream: &TcpStream) -> Request {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(reader.read_line(&mut head).unwrap(), 0, "the request ends in its head");
    }
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let head = head.to_ascii_lowercase();
    let (_, length) = head.split_once("content-length: ").unwrap();
    let mut body = vec![0; length.lines().next().unwrap().parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    Request { path, head, body: serde_json::from_slice(&body).unwrap() }
}

fn write(mut stream: TcpStream, reply: Reply) {
    const STREAM: &str =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n";
    let bytes = match reply {
        Reply::Stream(events) | Reply::Short(events) => format!("{STREAM}\r\n{events}"),
        Reply::Cut(events) => {
            format!("{STREAM}transfer-encoding: chunked\r\n\r\nfffff\r\n{events}")
        }
        Reply::Refusal(status, more, body) => format!(
            "HTTP/1.1 {status} No\r\ncontent-length: {}\r\nconnection: close\r\n{more}\r\n{body}",
            body.len()
        ),
    };
    stream.write_all(bytes.as_bytes()).unwrap();
}
