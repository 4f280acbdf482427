//! A server without any logic: it reads a scenario from the other side, and answers what is expected.
//!
//! It shows that the runner understands every recorded scenario, and, when told to do one thing wrong, that the
//! runner notices.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::connection::filled;
use super::environment::{Environment, placeholder};
use super::frame_pattern::FramePattern;
use super::hex;
use super::scenario::Scenario;
use super::step::{Connect, HttpExpect, Send, Step, Transport};
use super::websocket::accept;

/// What the mirror does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    None,
    /// The last thing that the scenario expects is not as expected.
    LastExpectation,
}

/// The server's side of one scenario.
pub(super) struct Mirror<'a> {
    listener: TcpListener,
    environment: Environment,
    stop: &'a AtomicBool,
    sockets: BTreeMap<String, TcpStream>,
    /// Names of long-poll sessions.
    sessions: Vec<String>,
    requests: BTreeMap<String, TcpStream>,
    /// Whether the step at hand is to be answered wrongly.
    spoil: bool,
}

impl<'a> Mirror<'a> {
    /// `stop` ends a wait for a connection that never comes.
    pub(super) fn new(
        listener: TcpListener,
        environment: Environment,
        stop: &'a AtomicBool,
    ) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let (sockets, requests) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { listener, environment, stop, sockets, sessions: Vec::new(), requests, spoil: false })
    }

    /// Goes through the steps, and returns itself, so that its connections stay open.
    pub(super) fn reflect(mut self, scenario: &Scenario, flaw: Flaw) -> io::Result<Self> {
        let last = scenario.steps.iter().rposition(is_expectation);
        for (index, step) in scenario.steps.iter().enumerate() {
            self.spoil = flaw == Flaw::LastExpectation && last == Some(index);
            self.step(step)?;
        }
        Ok(self)
    }

    fn step(&mut self, step: &Step) -> io::Result<()> {
        match step {
            Step::Connect(step) => match step.transport {
                Transport::Ws => self.accept_socket(step),
                Transport::Longpoll => {
                    let status = step.status.as_ref().map_or(410, |status| status.as_slice()[0]);
                    self.sessions.push(step.conn.clone());
                    self.answer_json(&json!({"status": self.status(status), "token": "t", "messages": []}))
                }
            },
            Step::Send(step) if self.sessions.contains(&step.conn) => {
                self.answer_json(&json!({"status": 200}))
            }
            Step::Send(step) => {
                let sent = read_frame(self.socket(&step.conn))?;
                assert_eq!(sent, self.sent(step), "the frame that was sent");
                Ok(())
            }
            Step::Expect(step) if self.sessions.contains(&step.conn) => {
                let messages = self.messages(&step.frames);
                self.answer_json(&json!({"status": 200, "token": "t", "messages": messages}))
            }
            Step::Expect(step) => {
                for frame in flat(&step.frames) {
                    let (opcode, data) = self.frame(frame);
                    write_frame(self.socket(&step.conn), opcode, &data)?;
                }
                Ok(())
            }
            Step::ExpectClose(step) => match step.code.as_slice()[0] {
                Some(code) => {
                    let code = self.status(code);
                    write_frame(self.socket(&step.conn), 8, &code.to_be_bytes())
                }
                None if self.spoil => write_frame(self.socket(&step.conn), 8, &[]),
                None => {
                    self.sockets.remove(&step.conn);
                    Ok(())
                }
            },
            Step::ExpectSilence(step) => {
                thread::sleep(Duration::from_millis(step.ms.unwrap_or(150) + 150));
                Ok(())
            }
            Step::Close(step) => {
                let (opcode, _) = read_frame(self.socket(&step.conn))?;
                assert_eq!(opcode, 8, "a close frame");
                Ok(())
            }
            Step::Drop(_) | Step::Sleep(_) => Ok(()),
            Step::Http(step) => {
                let stream = self.accept_request()?.0;
                self.answer(stream, &step.expect, &step.save)
            }
            Step::HttpStart(step) => {
                let stream = self.accept_request()?.0;
                self.requests.insert(step.id.clone().unwrap_or_default(), stream);
                Ok(())
            }
            Step::HttpFinish(step) => {
                let stream = self.requests.remove(&step.id).expect("a request is finished after its start");
                self.answer(stream, &step.expect, &step.save)
            }
        }
    }

    fn accept_socket(&mut self, step: &Connect) -> io::Result<()> {
        let (mut stream, head) = self.accept_request()?;
        let status = step.status.as_ref().map_or(101, |status| status.as_slice()[0]);
        let mut response = format!("HTTP/1.1 {} X\r\n", self.status(status));
        response += &self.headers(&step.expect_headers);
        if status == 101 {
            let key =
                head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap_or_default();
            response += &format!("Sec-WebSocket-Accept: {}\r\n\r\n", accept(key));
        } else {
            let body = step.expect_body.clone().unwrap_or_default();
            response += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
        }
        stream.write_all(response.as_bytes())?;
        self.sockets.insert(step.conn.clone(), stream);
        Ok(())
    }

    fn answer(
        &mut self,
        mut stream: TcpStream,
        expect: &HttpExpect,
        save: &BTreeMap<String, String>,
    ) -> io::Result<()> {
        thread::sleep(Duration::from_millis(expect.min_ms.unwrap_or(0)));
        let body = match (&expect.json, &expect.body) {
            (Some(pattern), _) => {
                let mut body = self.value(pattern);
                if let Some(messages) = &expect.messages {
                    body["messages"] = self.messages(messages);
                }
                for (variable, field) in save {
                    self.environment.save(variable, body[field].clone());
                }
                body.to_string()
            }
            (None, Some(body)) => self.environment.text(body),
            (None, None) => {
                let messages = expect.messages.as_ref().map(|messages| self.messages(messages));
                json!({"messages": messages}).to_string()
            }
        };
        let status = expect.status.as_ref().map_or(200, |status| status.as_slice()[0]);
        let head = format!("HTTP/1.1 {} X\r\n{}", self.status(status), self.headers(&expect.headers));
        // In chunks where there is more than a little: both ways have to be read.
        let body = match body.split_at_checked(20) {
            Some((first, rest)) if !rest.is_empty() => {
                format!(
                    "Transfer-Encoding: chunked\r\n\r\n14\r\n{first}\r\n{:x};x=y\r\n{rest}\r\n0\r\nT: x\r\n\r\n",
                    rest.len()
                )
            }
            Some(_) | None => format!("Content-Length: {}\r\n\r\n{body}", body.len()),
        };
        stream.write_all(format!("{head}{body}").as_bytes())
    }

    fn answer_json(&mut self, body: &Value) -> io::Result<()> {
        let (mut stream, _) = self.accept_request()?;
        stream.write_all(format!("HTTP/1.1 200 OK\r\n\r\n{body}").as_bytes())
    }

    /// Takes the next connection, and reads the request on it to its end.
    fn accept_request(&mut self) -> io::Result<(TcpStream, String)> {
        let mut stream = loop {
            match self.listener.accept() {
                Ok((stream, _)) => break stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock && !self.stop.load(Ordering::Relaxed) => {
                    thread::sleep(Duration::from_millis(1));
                }
                Err(error) => return Err(error),
            }
        };
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(read_bytes::<1>(&mut stream)?[0]);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")?.parse().ok());
        stream.read_exact(&mut vec![0; length.unwrap_or(0)])?;
        Ok((stream, head))
    }

    /// Opcode and data of the frame that a step sends.
    fn sent(&self, step: &Send) -> (u8, Vec<u8>) {
        let filled = |text: &String| filled(text, step.fill.as_ref(), &self.environment);
        if let Some(text) = &step.text {
            return (1, filled(text).into_bytes());
        }
        if let Some(digits) = &step.hex {
            return (2, self.bytes(&filled(digits)));
        }
        let frame = step.frame.as_ref().expect("text, hex or a frame: the scenarios send nothing else");
        match &frame.text {
            Some(text) => (frame.opcode, filled(text).into_bytes()),
            None => (frame.opcode, self.bytes(frame.hex.as_deref().unwrap_or_default())),
        }
    }

    fn socket(&mut self, name: &str) -> &mut TcpStream {
        self.sockets.get_mut(name).expect("a scenario connects before it sends or expects")
    }

    fn headers(&self, expected: &BTreeMap<String, Option<Value>>) -> String {
        let present = expected.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        present.map(|(name, value)| format!("{name}: {}\r\n", self.text(value))).collect()
    }

    fn messages(&self, frames: &[FramePattern]) -> Value {
        flat(frames)
            .map(|frame| Value::from(String::from_utf8(self.frame(frame).1).expect("JSON is UTF-8")))
            .collect()
    }

    fn frame(&self, pattern: &FramePattern) -> (u8, Vec<u8>) {
        let (opcode, mut data) = match pattern {
            FramePattern::Json(pattern) => (1, self.value(pattern).to_string().into_bytes()),
            FramePattern::Text(text) => (1, self.environment.text(text).into_bytes()),
            FramePattern::Hex(digits) => (2, self.bytes(digits)),
            FramePattern::Pong(digits) => (10, self.bytes(digits)),
            FramePattern::Unordered(_) => unreachable!("frames are flat here"),
        };
        if self.spoil && opcode != 1 {
            data.push(0);
        }
        (opcode, data)
    }

    fn bytes(&self, digits: &str) -> Vec<u8> {
        hex::parse(&self.environment.text(digits)).expect("scenarios hold bytes")
    }

    fn text(&self, pattern: &Value) -> String {
        let value = concrete(&self.environment.value(pattern));
        value.as_str().expect("a header is a string").to_owned()
    }

    /// A value that fits a pattern; one item or field too many if it is to be wrong.
    fn value(&self, pattern: &Value) -> Value {
        let mut value = concrete(&self.environment.value(pattern));
        match (&mut value, self.spoil) {
            (Value::Array(items), true) => items.push(json!("one too many")),
            (Value::Object(fields), true) => {
                fields.insert("one too many".to_owned(), Value::Null);
            }
            _ => {}
        }
        value
    }

    fn status(&self, status: u16) -> u16 {
        status + u16::from(self.spoil)
    }
}

fn is_expectation(step: &Step) -> bool {
    matches!(
        step,
        Step::Connect(_) | Step::Expect(_) | Step::ExpectClose(_) | Step::Http(_) | Step::HttpFinish(_)
    )
}

/// The frames, those in any order backwards.
fn flat(frames: &[FramePattern]) -> impl Iterator<Item = &FramePattern> {
    frames.iter().flat_map(|frame| match frame {
        FramePattern::Unordered(frames) => frames.iter().rev().collect(),
        FramePattern::Json(_) | FramePattern::Text(_) | FramePattern::Hex(_) | FramePattern::Pong(_) => {
            vec![frame]
        }
    })
}

/// A value that fits a pattern.
fn concrete(pattern: &Value) -> Value {
    match pattern {
        Value::String(text) => match placeholder(text) {
            Some(("any", None)) => Value::Null,
            Some(("string", None)) => json!("text"),
            Some(("int", None)) => json!(7),
            Some(("phx_ref" | "bind", Some(name))) => json!(format!("ref-{name}")),
            Some(("re", Some(expression))) => json!(matching(expression)),
            _ => pattern.clone(),
        },
        Value::Array(items) => items.iter().map(concrete).collect(),
        Value::Object(fields) => match fields.get("{{set}}") {
            Some(Value::Array(items)) => items.iter().rev().map(concrete).collect(),
            _ => fields
                .iter()
                .map(|(key, value)| (key.replace("{{others}}", "other"), concrete(value)))
                .collect(),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => pattern.clone(),
    }
}

/// A text that matches one of the few kinds of expressions that scenarios use.
fn matching(expression: &str) -> String {
    match expression.split_once('{') {
        Some((repeated, count)) => repeated.repeat(count.trim_end_matches('}').parse().expect("a count")),
        None => expression.replace(".*", "; charset=utf-8"),
    }
}

fn write_frame(stream: &mut TcpStream, opcode: u8, data: &[u8]) -> io::Result<()> {
    let mut bytes = vec![0x80 | opcode];
    match u16::try_from(data.len()) {
        Ok(short @ ..126) => bytes.extend(&short.to_be_bytes()[1..]),
        Ok(medium) => {
            bytes.push(126);
            bytes.extend(medium.to_be_bytes());
        }
        Err(_) => {
            bytes.push(127);
            bytes.extend((data.len() as u64).to_be_bytes());
        }
    }
    bytes.extend(data);
    stream.write_all(&bytes)
}

/// Reads a frame of any shape: its opcode and its data.
fn read_frame(stream: &mut TcpStream) -> io::Result<(u8, Vec<u8>)> {
    let [first, second] = read_bytes(stream)?;
    let length = match second & 0x7f {
        126 => u64::from(u16::from_be_bytes(read_bytes(stream)?)),
        127 => u64::from_be_bytes(read_bytes(stream)?),
        short => u64::from(short),
    };
    let mask = if second & 0x80 == 0 { [0; 4] } else { read_bytes(stream)? };
    let mut data = Vec::new();
    stream.take(length).read_to_end(&mut data)?;
    data.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
    Ok((first & 0x0f, data))
}

fn read_bytes<const N: usize>(stream: &mut TcpStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}
