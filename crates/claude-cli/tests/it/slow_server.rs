//! A server that says the first word of an answer, and the rest when it is told to.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::Duration,
};

/// The events of an answer up to its first word, `first`.
pub const BEGINNING: &str = r#"event: message_start
data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"first"}}

"#;

const REST: &str = r#"event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" second"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":2}}

event: message_stop
data: {"type":"message_stop"}

"#;

/// How long a test may take to see the first word.
const PATIENCE: Duration = Duration::from_secs(20);

/// Answers one request with a stream.
#[derive(Debug)]
pub struct SlowServer {
    pub base_url: String,
    go_on: Sender<()>,
}

impl SlowServer {
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let (go_on, told) = channel();
        thread::spawn(move || answer(&listener.accept().unwrap().0, &told));
        Self { base_url, go_on }
    }

    /// Lets the server say the rest.
    pub fn go_on(&self) {
        self.go_on.send(()).unwrap();
    }
}

fn answer(mut stream: &TcpStream, told: &Receiver<()>) {
    read_request(&mut BufReader::new(stream));
    stream
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        .unwrap();
    stream.write_all(BEGINNING.as_bytes()).unwrap();
    // A test that fails does not tell: the answer then ends here, and with it the program that waits for it.
    if told.recv_timeout(PATIENCE).is_ok() {
        stream.write_all(REST.as_bytes()).unwrap();
    }
}

fn read_request(reader: &mut impl BufRead) {
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    reader.take(length).read_to_end(&mut Vec::new()).unwrap();
}
