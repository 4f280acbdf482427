//! The program from outside: what it tells operators.

// Whatever fails here is a failed test, and the line says enough.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// The program, running until dropped.
struct Program {
    process: Child,
    address: String,
}

impl Program {
    fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_conformance"));
        let mut process = command.args(["--port", "0"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap().to_owned();
        Self { process, address }
    }

    /// The body of an answer, which has to be 200.
    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address).unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        body.to_owned()
    }

    /// A client that has joined a room.
    fn join(&self, topic: &str) -> TcpStream {
        let mut client = TcpStream::connect(&self.address).unwrap();
        write!(
            client,
            "GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            self.address
        )
        .unwrap();
        wait_for(&mut client, "\r\n\r\n");
        let join = json!(["1", "1", topic, "phx_join", {}]).to_string();
        // One text frame, with a mask that changes nothing.
        let head = [0x81, 0x80 | u8::try_from(join.len()).unwrap(), 0, 0, 0, 0];
        client.write_all(&[&head[..], join.as_bytes()].concat()).unwrap();
        wait_for(&mut client, r#""status":"ok""#);
        client
    }
}

/// Reads until this has come.
fn wait_for(stream: &mut TcpStream, what: &str) {
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains(what) {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        read.extend(byte);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[test]
fn sockets_and_channels_can_be_looked_at_over_http() {
    let program = Program::start();
    let client = program.join("room:watched");

    let inspection: Value = serde_json::from_str(&program.get("/inspect")).unwrap();

    let sockets = inspection["sockets"].as_array().unwrap();
    let [socket] = &sockets[..] else { panic!("one is connected: {inspection}") };
    assert_eq!(
        (&socket["path"], &socket["transport"], &socket["vsn"]),
        (&json!("/socket"), &json!("websocket"), &json!("2.0.0"))
    );
    assert_eq!(socket["peer"], json!(client.local_addr().unwrap()));
    assert_eq!(socket["outbox_bytes"], 0);
    let channel = &socket["channels"][0];
    assert_eq!((&channel["topic"], &channel["stage"]), (&json!("room:watched"), &json!("joined")));
}

#[cfg(feature = "metrics")]
#[test]
fn metrics_are_served_as_prometheus_reads_them() {
    let program = Program::start();
    let _client = program.join("room:counted");
    let lines = program.get("/metrics");

    for line in [
        r#"bennu_connections{transport="websocket"} 1"#,
        r#"bennu_joins_total{result="ok"} 1"#,
        "bennu_channels 1",
        r#"bennu_limit_total{limit="channels"} 0"#,
        r#"bennu_handler_seconds_count{handler="join"} 1"#,
        "bennu_outbox_bytes 0",
        "# TYPE bennu_handler_seconds histogram",
        "# TYPE bennu_messages_total counter",
        "# TYPE bennu_topics gauge",
    ] {
        assert!(lines.lines().any(|other| other == line), "{line} is missing:\n{lines}");
    }
    assert!(!lines.contains("room:"), "no label is a client's:\n{lines}");
}
