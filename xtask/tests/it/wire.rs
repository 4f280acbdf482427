//! What the client does on the wire.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::mpsc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};
use xtask::conformance::Summary;

use crate::directory::Directory;
use crate::scripted::{play, read_head, serve};

const CONNECT: &str = r#"{"op": "connect", "conn": "a", "path": "/socket/websocket"}"#;

#[test]
fn frame_after_the_last_step_is_a_failure() {
    let (summary, out) = talk(CONNECT, |stream| stream.write_all(b"\x81\x02[]").unwrap());

    assert_eq!(summary.failed, 1);
    assert!(out.contains("after the last step\n    expected silence on a\n    got      text []"), "{out}");
}

#[test]
fn ping_is_answered_and_not_shown() {
    let steps = format!(r#"{CONNECT}, {{"op": "expect", "conn": "a", "frames": [{{"json": 1}}]}}"#);
    let (sender, pongs) = mpsc::channel();

    let (summary, out) = talk(&steps, move |stream| {
        stream.write_all(b"\x89\x01p\x81\x011").unwrap();
        let mut pong = [0; 7];
        stream.read_exact(&mut pong).unwrap();
        sender.send((pong[0], pong[1], pong[6] ^ pong[2])).unwrap();
    });

    assert_eq!(summary.passed, 1, "{out}");
    assert_eq!(pongs.recv().unwrap(), (0x8a, 0x81, b'p'));
}

#[test]
fn message_in_fragments_is_one_message() {
    let steps = format!(r#"{CONNECT}, {{"op": "expect", "conn": "a", "frames": [{{"text": "[1]"}}]}}"#);

    let (summary, out) = talk(&steps, |stream| stream.write_all(b"\x01\x01[\x89\0\0\x011\x80\x01]").unwrap());

    assert_eq!(summary.passed, 1, "{out}");
}

#[test]
fn bytes_that_no_server_may_send_are_failures() {
    let steps = format!(r#"{CONNECT}, {{"op": "expect_silence", "conn": "a", "ms": 2000}}"#);
    for bytes in [&b"\x81\x81aaaa"[..], b"\xc1\0", b"\x80\0", b"\x83\0", b"\x81\x01\xff", b"\x01\0\x81\0"] {
        let (summary, out) = talk(&steps, |stream| stream.write_all(bytes).unwrap());

        assert_eq!(summary.failed, 1, "{bytes:?}: {out}");
    }
}

#[test]
fn end_without_a_close_frame_is_told_from_a_close() {
    let expect_null = format!(r#"{CONNECT}, {{"op": "expect_close", "conn": "a", "code": null}}"#);
    let expect_code = format!(r#"{CONNECT}, {{"op": "expect_close", "conn": "a", "code": [1000, 1005]}}"#);
    let end = |stream: &mut TcpStream| stream.shutdown(std::net::Shutdown::Both).unwrap();
    let close = |stream: &mut TcpStream| stream.write_all(b"\x88\0").unwrap();

    assert_eq!(talk(&expect_null, end).0.passed, 1);
    assert_eq!(talk(&expect_null, close).0.passed, 0);
    assert_eq!(talk(&expect_code, end).0.passed, 0);
    assert_eq!(talk(&expect_code, close).0.passed, 1);
}

#[test]
fn dropped_connection_is_reset() {
    let steps = format!(r#"{CONNECT}, {{"op": "drop", "conn": "a"}}"#);
    let (sender, ends) = mpsc::channel();

    talk(&steps, move |stream| sender.send(stream.read(&mut [0]).map_err(|error| error.kind())).unwrap());

    assert_eq!(ends.recv().unwrap(), Err(ErrorKind::ConnectionReset));
}

#[test]
fn wrong_accept_header_is_a_failure() {
    let directory = Directory::new().with_scenario("1", "", CONNECT);
    let server = serve(|mut stream| {
        read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 101 X\r\nSec-WebSocket-Accept: x\r\n\r\n").unwrap();
    });

    let (summary, _) = play(&directory, server, |_| {});

    assert_eq!(summary.failed, 1);
}

/// Plays steps against a server that accepts the WebSocket, and then does what the script says.
fn talk(steps: &str, script: impl Fn(&mut TcpStream) + Send + 'static) -> (Summary, String) {
    let directory = Directory::new().with_scenario("1", "", steps);
    let mut streams = Vec::new();
    let server = serve(move |mut stream| {
        let head = read_head(&mut stream);
        let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap_or_default();
        let accept = STANDARD.encode(Sha1::digest(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
        let response = format!("HTTP/1.1 101 X\r\nSec-WebSocket-Accept: {accept}\r\n\r\n");
        stream.write_all(response.as_bytes()).expect("the client reads");
        script(&mut stream);
        streams.push(stream);
    });
    play(&directory, server, |_| {})
}
