//! The program from outside: its one line, its page, its errors.

// Whatever fails here is a failed test, and the line says enough.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

#[test]
fn it_says_where_it_listens_and_serves_the_page_of_every_room() {
    let chat = Chat::start(&page("served", Client::Installed));

    assert!(chat.get("/").starts_with("HTTP/1.1 303 See Other\r\n"));
    assert!(chat.get("/").contains("location: /room/lobby\r\n"));
    assert!(chat.get("/room/any").ends_with("index.html of the test"));
    assert!(chat.get("/room/such%20as/this").ends_with("index.html of the test"));
    assert!(chat.get("/vendor/phoenix.mjs").contains("content-type: text/javascript"));
    assert!(chat.get("/chat.css").contains("content-type: text/css"));
}

#[test]
fn no_other_file_is_served() {
    let chat = Chat::start(&page("no_other", Client::Installed));

    for path in ["/index.html", "/../Cargo.toml", "/%2e%2e/Cargo.toml", "/vendor/other.mjs"] {
        assert!(chat.get(path).starts_with("HTTP/1.1 404 "), "{path}");
    }
}

#[test]
fn a_port_in_use_is_one_line_and_code_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let page = page("in_use", Client::Installed);

    let output = run(&["--port", &port, "--page", page.to_str().unwrap()]);

    assert_failed(&output, 1, "is in use");
}

#[test]
fn a_missing_page_is_one_line_and_code_1() {
    assert_failed(&run(&["--port", "0", "--page", "nowhere"]), 1, "nowhere/index.html");
}

#[test]
fn a_missing_client_is_one_line_that_says_how_to_install_it() {
    let page = page("no_client", Client::Missing);

    let output = run(&["--port", "0", "--page", page.to_str().unwrap()]);

    assert_failed(&output, 1, "npm ci");
}

#[test]
fn an_unknown_argument_is_one_line_and_code_2() {
    assert_failed(&run(&["--prot", "1"]), 2, "--prot");
}

/// The program, running until dropped.
struct Chat {
    process: Child,
    address: String,
}

enum Client {
    Installed,
    Missing,
}

impl Chat {
    fn start(page: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chat"));
        command.args(["--port", "0", "--page"]).arg(page).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();

        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("Bennu chat: http://").and_then(|rest| rest.strip_suffix('/'));
        let address = address.unwrap_or_else(|| panic!("no address in {line:?}")).to_owned();
        Self { process, address }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address).unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        response
    }
}

impl Drop for Chat {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// A page of stand-ins, so that these tests need no npm.
fn page(name: &str, client: Client) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&root).unwrap();
    for entry in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/page")).unwrap() {
        let file = entry.unwrap().file_name();
        if root.join(&file).extension().is_some() {
            fs::write(root.join(&file), format!("{} of the test", file.display())).unwrap();
        }
    }
    if let Client::Installed = client {
        let installed = root.join("node_modules/phoenix/priv/static");
        fs::create_dir_all(&installed).unwrap();
        fs::write(installed.join("phoenix.mjs"), "").unwrap();
    }
    root
}

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_chat")).args(arguments).output().unwrap()
}

fn assert_failed(output: &Output, code: i32, fact: &str) {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains(fact), "{error}");
    assert_eq!(output.stdout, b"");
}
