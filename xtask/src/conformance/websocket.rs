//! A WebSocket client that can also misbehave: it sends whatever a scenario asks for.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::io::ErrorKind;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

use super::event::Event;
use super::failure::Failure;
use super::http::{Head, Request};
use super::server::Server;
use super::stream::{Read, Stream};

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// The client's side of one connection.
#[derive(Debug)]
pub(crate) struct WebSocket {
    stream: Stream,
    events: VecDeque<Event>,
    /// Opcode and bytes so far of a message in fragments.
    fragments: Option<(u8, Vec<u8>)>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// A close frame has been sent.
    Closing,
    /// The stream has ended.
    Ended,
}

/// A frame to send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawFrame<'a> {
    pub(crate) opcode: u8,
    pub(crate) fin: bool,
    pub(crate) masked: bool,
    pub(crate) rsv: u8,
    pub(crate) data: &'a [u8],
}

/// The answer to a handshake.
#[derive(Debug)]
pub(crate) struct Handshake {
    pub(crate) head: Head,
    /// Empty if the connection was accepted.
    pub(crate) body: Vec<u8>,
    /// Present if the status is 101.
    pub(crate) socket: Option<WebSocket>,
}

impl WebSocket {
    /// Asks for a connection. `overlay` changes the headers of the request.
    pub(crate) fn connect(
        server: &Server,
        method: &str,
        target: String,
        overlay: impl FnOnce(Request) -> Request,
        timeout: Duration,
    ) -> Result<Handshake, Failure> {
        let deadline = Instant::now() + timeout;
        let key = STANDARD.encode([random_bytes(), random_bytes()].concat());
        let request = Request::new(method, target, server)
            .with("Upgrade", "websocket")
            .with("Connection", "Upgrade")
            .with("Sec-WebSocket-Key", key.clone())
            .with("Sec-WebSocket-Version", "13");
        let mut stream = Stream::connect(server, timeout)?;
        stream.write(overlay(request).head().as_bytes())?;

        let head = Head::read(&mut stream, deadline)?;
        if head.status != 101 {
            let body = head.read_body(method, &mut stream, deadline)?;
            return Ok(Handshake { head, body, socket: None });
        }
        if head.header("sec-websocket-accept") != Some(accept(&key)) {
            return Err(Failure::new("the header sec-websocket-accept does not answer the key"));
        }
        let socket = Self { stream, events: VecDeque::new(), fragments: None, state: State::Open };
        Ok(Handshake { head, body: Vec::new(), socket: Some(socket) })
    }

    /// Whether neither side has said goodbye.
    pub(crate) fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Waits for the next event; `None` if there is none until the deadline.
    pub(crate) fn next(&mut self, deadline: Instant) -> Result<Option<Event>, Failure> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            if self.read_frame()? {
                continue;
            }
            if self.state == State::Ended {
                return Ok(None);
            }
            match self.stream.fill(deadline)? {
                Read::More => {}
                Read::TimedOut => return Ok(None),
                Read::Ended => {
                    self.state = State::Ended;
                    self.events.push_back(Event::Ended);
                }
            }
        }
    }

    pub(crate) fn send_text(&mut self, text: &str) -> Result<(), Failure> {
        self.send_whole(TEXT, text.as_bytes())
    }

    pub(crate) fn send_binary(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.send_whole(BINARY, bytes)
    }

    /// Sends a close frame; one without a code is empty.
    pub(crate) fn close(&mut self, code: Option<u16>) -> Result<(), Failure> {
        self.state = State::Closing;
        let data = code.map(u16::to_be_bytes);
        self.send_whole(CLOSE, data.as_ref().map_or(&[], |bytes| bytes.as_slice()))
    }

    pub(crate) fn send_frame(&mut self, frame: RawFrame<'_>) -> Result<(), Failure> {
        self.send_bytes(&encode(frame, random_mask()))
    }

    /// Sends bytes outside of any frame.
    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match self.stream.write(bytes) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Err(Failure::new("the server does not read what is sent"))
            }
            // A server that is gone may have said why: that is read, and judged, by what the scenario expects next.
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Tears the stream down.
    pub(crate) fn reset(self) -> Result<(), Failure> {
        Ok(self.stream.reset()?)
    }

    fn send_whole(&mut self, opcode: u8, data: &[u8]) -> Result<(), Failure> {
        self.send_frame(RawFrame { opcode, fin: true, masked: true, rsv: 0, data })
    }

    /// Takes one frame from what was read. False if it is not there as a whole.
    fn read_frame(&mut self) -> Result<bool, Failure> {
        let Some(header) = Header::parse(&self.stream.unread)? else { return Ok(false) };
        if self.stream.unread.len() < header.size + header.length {
            return Ok(false);
        }
        self.stream.take(header.size);
        let data = self.stream.take(header.length);
        self.on_frame(&header, data)?;
        Ok(true)
    }

    fn on_frame(&mut self, header: &Header, data: Vec<u8>) -> Result<(), Failure> {
        match header.opcode {
            0 => {
                let Some((opcode, mut collected)) = self.fragments.take() else {
                    return Err(Failure::new("the server sent a continuation of nothing"));
                };
                collected.extend(data);
                self.on_data(opcode, collected, header.fin)
            }
            TEXT | BINARY if self.fragments.is_some() => {
                Err(Failure::new("the server began a message within another"))
            }
            TEXT | BINARY => self.on_data(header.opcode, data, header.fin),
            CLOSE => self.on_close(&data),
            PING => self.send_whole(PONG, &data),
            PONG => {
                self.events.push_back(Event::Pong(data));
                Ok(())
            }
            opcode => Err(Failure::new(format!("the server sent the reserved opcode {opcode}"))),
        }
    }

    fn on_data(&mut self, opcode: u8, data: Vec<u8>, fin: bool) -> Result<(), Failure> {
        if !fin {
            self.fragments = Some((opcode, data));
            return Ok(());
        }
        if opcode == BINARY {
            self.events.push_back(Event::Binary(data));
            return Ok(());
        }
        let text = String::from_utf8(data).map_err(|error| {
            Failure::new(format!("the server sent a text frame that is not UTF-8: {error}"))
        })?;
        self.events.push_back(Event::Text(text));
        Ok(())
    }

    fn on_close(&mut self, data: &[u8]) -> Result<(), Failure> {
        let (code, reason) = match data.split_first_chunk() {
            Some((code, reason)) => (u16::from_be_bytes(*code), reason),
            None => (1005, data),
        };
        let reason = String::from_utf8_lossy(reason).into_owned();
        self.events.push_back(Event::Close { code, reason });
        if self.state == State::Open {
            self.state = State::Closing;
            let echo = data.get(..2).unwrap_or_default();
            self.send_whole(CLOSE, echo)?;
        }
        Ok(())
    }
}

/// The header of a frame from the server.
#[derive(Debug, PartialEq, Eq)]
struct Header {
    fin: bool,
    opcode: u8,
    /// Of the header itself, in bytes.
    size: usize,
    /// Of the payload, in bytes.
    length: usize,
}

impl Header {
    fn parse(bytes: &[u8]) -> Result<Option<Self>, Failure> {
        let &[first, second, ref rest @ ..] = bytes else { return Ok(None) };
        if second & 0x80 != 0 {
            return Err(Failure::new("the server sent a masked frame"));
        }
        if first & 0x70 != 0 {
            return Err(Failure::new("the server set a reserved bit"));
        }
        let (size, length) = match second {
            126 => (4, rest.first_chunk().map(|bytes| u64::from(u16::from_be_bytes(*bytes)))),
            127 => (10, rest.first_chunk().map(|bytes| u64::from_be_bytes(*bytes))),
            short => (2, Some(u64::from(short))),
        };
        let Some(length) = length else { return Ok(None) };
        let length = usize::try_from(length)
            .map_err(|_| Failure::new(format!("the server sent a frame of {length} bytes")))?;
        Ok(Some(Self { fin: first & 0x80 != 0, opcode: first & 0x0f, size, length }))
    }
}

fn encode(frame: RawFrame<'_>, mask: [u8; 4]) -> Vec<u8> {
    let length = frame.data.len();
    let mask_bit = if frame.masked { 0x80 } else { 0 };
    let mut bytes = vec![u8::from(frame.fin) << 7 | (frame.rsv & 7) << 4 | (frame.opcode & 0x0f)];
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ ..126), _) => bytes.push(mask_bit | short),
        (_, Ok(medium)) => {
            bytes.push(mask_bit | 126);
            bytes.extend(medium.to_be_bytes());
        }
        _ => {
            bytes.push(mask_bit | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    if !frame.masked {
        bytes.extend_from_slice(frame.data);
        return bytes;
    }
    bytes.extend(mask);
    bytes.extend(frame.data.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// What a server has to answer to a key.
pub(super) fn accept(key: &str) -> String {
    STANDARD.encode(Sha1::digest(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11")))
}

/// Unpredictable enough for a test client: the hash keys come from the system.
fn random_bytes() -> [u8; 8] {
    RandomState::new().hash_one("mask").to_ne_bytes()
}

fn random_mask() -> [u8; 4] {
    let [a, b, c, d, ..] = random_bytes();
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_is_the_one_of_the_rfc() {
        assert_eq!(accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn frame_is_masked_and_carries_the_bits_it_was_given() {
        let frame = RawFrame { opcode: 0xb, fin: false, masked: true, rsv: 5, data: &[1, 2, 3, 4, 5] };

        assert_eq!(encode(frame, [0xf0, 0, 0, 0]), [0x5b, 0x85, 0xf0, 0, 0, 0, 0xf1, 2, 3, 4, 0xf5]);
    }

    #[test]
    fn length_takes_the_shortest_form() {
        let header = |length: usize| {
            let data = vec![0; length];
            let frame = RawFrame { opcode: BINARY, fin: true, masked: false, rsv: 0, data: &data };
            let bytes = encode(frame, [0; 4]);
            bytes[..bytes.len() - length].to_vec()
        };

        assert_eq!(header(125), [0x82, 125]);
        assert_eq!(header(126), [0x82, 126, 0, 126]);
        assert_eq!(header(65_535), [0x82, 126, 0xff, 0xff]);
        assert_eq!(header(65_536), [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn header_of_a_server_frame_is_read_in_every_form() {
        let parsed = |bytes: &[u8]| Header::parse(bytes).unwrap().map(|header| (header.size, header.length));

        assert_eq!(parsed(&[0x81]), None);
        assert_eq!(parsed(&[0x81, 5]), Some((2, 5)));
        assert_eq!(parsed(&[0x81, 126, 1]), None);
        assert_eq!(parsed(&[0x81, 126, 1, 0]), Some((4, 256)));
        assert_eq!(parsed(&[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]), Some((10, 65_536)));
    }

    #[test]
    fn masked_frame_and_reserved_bit_from_the_server_are_failures() {
        assert!(Header::parse(&[0x81, 0x80]).is_err());
        assert!(Header::parse(&[0xc1, 0]).is_err());
    }
}
