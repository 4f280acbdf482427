//! A server on a loopback port that does to each connection what a test says.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use xtask::conformance::{self, Options, Server, Summary};

use crate::directory::Directory;

/// Starts a server whose script gets each connection, in the order of their arrival.
pub(crate) fn serve(mut script: impl FnMut(TcpStream) + Send + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    thread::spawn(move || listener.incoming().map_while(Result::ok).for_each(&mut script));
    url.parse().expect("it is a URL")
}

/// Reads a request without a body.
pub(crate) fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("the request is whole");
        head.push(byte[0]);
    }
    String::from_utf8(head).expect("the request is text")
}

/// Answers a request with a status and a text.
pub(crate) fn answer(stream: &mut TcpStream, status: u16, body: &str) {
    let response = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(response.as_bytes()).expect("the client reads");
}

/// Plays the scenarios of a directory, and returns the counts and what was printed.
pub(crate) fn play(
    directory: &Directory,
    server: Server,
    change: impl FnOnce(&mut Options),
) -> (Summary, String) {
    let mut options = Options::new(server, vec![directory.path().to_owned()]);
    change(&mut options);
    let mut out = Vec::new();
    let summary = conformance::run(&options, &mut out).expect("the scenarios can be read");
    (summary, String::from_utf8(out).expect("what is printed is text"))
}
