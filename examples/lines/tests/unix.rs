//! Clients on a Unix socket.
#![cfg(unix)]
// Whatever fails here is a failed test, and the line says enough.
#![allow(missing_docs, clippy::unwrap_used)]

use bennu::{Endpoint, RawJson};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;
use tokio::runtime::Runtime;

/// A server at a path of its own, which lives as long as its runtime.
struct Server {
    runtime: Runtime,
    path: PathBuf,
    endpoint: Endpoint,
}

impl Server {
    fn start(name: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        let path = std::env::temp_dir().join(format!("bennu-lines-{}-{name}", std::process::id()));
        let entered = runtime.enter();
        let listener = lines::listen(&path).unwrap();
        let endpoint = lines::endpoint().build(bennu_tokio::Tokio);
        drop(entered);
        runtime.spawn(lines::serve(listener, endpoint.clone()));
        Self { runtime, path, endpoint }
    }

    fn connect(&self) -> Client {
        let stream = UnixStream::connect(&self.path).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Client { stream: BufReader::new(stream) }
    }

    fn joined(&self) -> Client {
        let mut client = self.connect();
        client.say(&json!(["1", "1", "room:a", "phx_join", {}]).to_string());
        assert_eq!(client.hear()[4]["status"], "ok");
        client
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

struct Client {
    stream: BufReader<UnixStream>,
}

impl Client {
    fn say(&mut self, line: &str) {
        writeln!(self.stream.get_mut(), "{line}").unwrap();
    }

    fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Nothing more comes.
    fn assert_ended(&mut self) {
        let mut line = String::new();
        assert_eq!(self.stream.read_line(&mut line).unwrap_or(0), 0, "{line}");
    }
}

#[test]
fn clients_say_and_hear_messages_line_by_line() {
    let server = Server::start("messages");
    let (mut ann, mut bob) = (server.joined(), server.joined());

    for n in 0..100 {
        ann.say(&json!(["1", n.to_string(), "room:a", "new_msg", { "n": n }]).to_string());
    }

    for n in 0..100 {
        let reply =
            json!(["1", n.to_string(), "room:a", "phx_reply", { "response": { "n": n }, "status": "ok" }]);
        assert_eq!(ann.hear(), reply);
        assert_eq!(bob.hear(), json!([null, null, "room:a", "new_msg", { "n": n }]));
    }
}

#[test]
fn payload_that_was_written_over_several_lines_is_one() {
    let server = Server::start("breaks");
    let mut ann = server.joined();

    let payload = RawJson::parse("{\n  \"body\": \"two\\nlines\"\n}").unwrap();
    server.endpoint.broadcast("room:a", "new_msg", bennu::Payload::from(payload)).unwrap();

    assert_eq!(ann.hear(), json!([null, null, "room:a", "new_msg", { "body": "two\nlines" }]));
}

#[test]
fn line_that_is_no_message_ends_its_client_alone() {
    let server = Server::start("malformed");
    let (mut ann, mut bob) = (server.joined(), server.joined());

    ann.say("no message");

    ann.assert_ended();
    bob.say(&json!([null, "2", "phoenix", "heartbeat", {}]).to_string());
    assert_eq!(bob.hear()[4]["status"], "ok");
}

#[test]
fn line_may_be_as_long_as_a_message_and_no_longer() {
    let server = Server::start("long");
    let mut ann = server.joined();
    let line = |len: usize| {
        let empty = json!(["1", "2", "room:a", "new_msg", { "body": "" }]).to_string();
        empty.replace(r#""body":"""#, &format!(r#""body":"{}""#, "x".repeat(len - empty.len())))
    };

    ann.say(&line(lines::MAX_LINE));
    assert_eq!(ann.hear()[4]["status"], "ok");

    // All of it may not be taken any more.
    let _ = writeln!(ann.stream.get_mut(), "{}", line(lines::MAX_LINE + 1));
    ann.assert_ended();
}

#[test]
fn path_of_an_earlier_run_is_taken_over_and_one_that_is_in_use_is_not() {
    let path = {
        let server = Server::start("again");
        let _entered = server.runtime.enter();
        let in_use = lines::listen(&server.path).unwrap_err();
        assert_eq!(in_use.kind(), std::io::ErrorKind::AddrInUse);
        server.path.clone()
    };

    // It has just been removed: a socket that nobody listens at takes its place.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let server = Server::start("again");
    server.joined();
}

#[test]
fn file_that_is_no_socket_is_left_alone() {
    let path = std::env::temp_dir().join(format!("bennu-lines-{}-file", std::process::id()));
    std::fs::write(&path, "kept").unwrap();
    let runtime = Runtime::new().unwrap();
    let _entered = runtime.enter();

    let refused = lines::listen(&path).unwrap_err();

    assert_eq!(refused.kind(), std::io::ErrorKind::AddrInUse);
    assert_eq!(std::fs::read(&path).unwrap(), b"kept");
    std::fs::remove_file(&path).unwrap();
}
