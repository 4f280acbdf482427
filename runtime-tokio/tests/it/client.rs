//! A client that sees every frame, and may send any byte.

use bennu_core::websocket::handshake::ClientKey;
use bennu_core::websocket::{CloseReason, Config, Connection, Event, Output};
use bennu_core::{Instant, Kind};
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// How long a test waits for what has to come.
const PATIENCE: Duration = Duration::from_secs(10);

/// The mount of most tests, with V2.
pub(crate) const SOCKET: &str = "/socket/websocket?vsn=2.0.0";
/// The same with V1.
pub(crate) const SOCKET_V1: &str = "/socket/websocket?vsn=1.0.0";

/// Awaits what has to come within the patience of a test.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited {PATIENCE:?} for {what}"),
    }
}

/// Waits until a condition holds.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    soon(what, async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

/// What a server sent, or did.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Got {
    Message(Message),
    /// Text that is no message of V1 or V2.
    Text(String),
    Binary(Vec<u8>),
    Pong(Vec<u8>),
    /// A close frame with this code.
    Closed(Option<u16>),
    /// The stream ended, or was reset, without one.
    Ended,
}

/// A text message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Message {
    pub(crate) join_ref: Value,
    pub(crate) msg_ref: Value,
    pub(crate) topic: String,
    pub(crate) event: String,
    pub(crate) payload: Value,
}

impl Message {
    pub(crate) fn parse(text: &str) -> Self {
        let item = |value: &Value| value.as_str().expect("a name").to_owned();
        let value: Value = serde_json::from_str(text).expect("the server sends JSON");
        if let Some(items) = value.as_array() {
            let [join_ref, msg_ref, topic, event, payload] = &items[..] else { panic!("five: {text}") };
            let (join_ref, msg_ref, payload) = (join_ref.clone(), msg_ref.clone(), payload.clone());
            return Self { join_ref, msg_ref, topic: item(topic), event: item(event), payload };
        }
        Self {
            join_ref: Value::Null,
            msg_ref: value["ref"].clone(),
            topic: item(&value["topic"]),
            event: item(&value["event"]),
            payload: value["payload"].clone(),
        }
    }
}

/// One connection.
pub(crate) struct Client<S = TcpStream> {
    stream: S,
    websocket: Connection,
    version: Version,
    got: VecDeque<Got>,
    joined: HashMap<String, String>,
    last_ref: u64,
}

#[derive(Clone, Copy, PartialEq)]
enum Version {
    V1,
    V2,
}

/// The head of a request for a WebSocket, with further header lines.
pub(crate) fn request(target: &str, headers: &str) -> String {
    let key = ClientKey::new([7; 16]);
    format!(
        "GET {target} HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: {}\r\n{headers}\r\n",
        key.as_str()
    )
}

/// The answer to a request: its status, and the bytes behind its head.
pub(crate) async fn answer(stream: &mut (impl AsyncRead + Unpin)) -> (u16, Vec<u8>) {
    soon("the answer to a request", async {
        let mut bytes = Vec::new();
        loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                let rest = bytes.split_off(end + 4);
                let head = String::from_utf8(bytes).expect("a head is text");
                let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
                return (status.expect("a head has a status"), rest);
            }
            let read = stream.read_buf(&mut bytes).await.expect("the stream lives");
            assert!(read > 0, "the stream ended within a head: {bytes:?}");
        }
    })
    .await
}

/// The status that a request is answered with.
pub(crate) async fn status(address: SocketAddr, request: &str) -> u16 {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    answer(&mut stream).await.0
}

impl Client {
    /// Connects to [`SOCKET`].
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::connect_to(address, SOCKET).await
    }

    pub(crate) async fn connect_to(address: SocketAddr, target: &str) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap(), target).await
    }

    /// Connects with small buffers in the kernel, so that what is not taken soon waits elsewhere.
    pub(crate) async fn connect_narrow(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(8 * 1024).unwrap();
        socket.set_send_buffer_size(8 * 1024).unwrap();
        Self::over(socket.connect(address).await.unwrap(), SOCKET).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// Opens a WebSocket on a stream.
    pub(crate) async fn over(stream: S, target: &str) -> Self {
        let first = request(target, "");
        Self::over_with(stream, target, first.as_bytes()).await
    }

    /// Opens a WebSocket with bytes that begin with the request.
    pub(crate) async fn over_with(mut stream: S, target: &str, first: &[u8]) -> Self {
        soon("a request to be sent", stream.write_all(first)).await.unwrap();
        let (status, rest) = answer(&mut stream).await;
        assert_eq!(status, 101);
        let version = if target.contains("vsn=2") { Version::V2 } else { Version::V1 };
        let config = Config { max_message: 64 << 20, idle_timeout: None, ..Config::default() };
        let websocket = Connection::client(config, 7, Instant::EPOCH);
        let (got, joined) = (VecDeque::new(), HashMap::new());
        let mut client = Self { stream, websocket, version, got, joined, last_ref: 0 };
        client.take_in(rest);
        client
    }

    /// Joins a topic, which has to succeed; returns the response.
    pub(crate) async fn join(&mut self, topic: &str) -> Value {
        let join = self.send_join(topic).await;
        let (status, response) = self.reply(&join).await;
        assert_eq!(status, "ok", "{response}");
        response
    }

    /// Asks to join a topic; returns the ref.
    pub(crate) async fn send_join(&mut self, topic: &str) -> String {
        let join_ref = self.next_ref();
        self.joined.insert(topic.to_owned(), join_ref.clone());
        self.send(&[json!(join_ref), json!(join_ref), json!(topic), json!("phx_join"), json!({})]).await;
        join_ref
    }

    /// Pushes an event to a joined topic; returns the ref.
    pub(crate) async fn push(&mut self, topic: &str, event: &str, payload: Value) -> String {
        let (message, msg_ref) = self.pushed(topic, event, payload);
        self.raw(&message).await;
        msg_ref
    }

    /// Pushes an event and returns the response to it, which has to come next.
    pub(crate) async fn call(&mut self, topic: &str, event: &str, payload: Value) -> Value {
        let msg_ref = self.push(topic, event, payload).await;
        let (status, response) = self.reply(&msg_ref).await;
        assert_eq!(status, "ok", "{response}");
        response
    }

    /// A heartbeat, whose answer has to be the next thing that comes.
    pub(crate) async fn heartbeat(&mut self) {
        let msg_ref = self.send_heartbeat().await;
        let (status, _) = self.reply(&msg_ref).await;
        assert_eq!(status, "ok");
    }

    pub(crate) async fn send_heartbeat(&mut self) -> String {
        let msg_ref = self.next_ref();
        self.send(&[json!(null), json!(msg_ref), json!("phoenix"), json!("heartbeat"), json!({})]).await;
        msg_ref
    }

    /// The bytes of a push, and its ref.
    pub(crate) fn pushed(&mut self, topic: &str, event: &str, payload: Value) -> (Vec<u8>, String) {
        let msg_ref = self.next_ref();
        let join_ref = self.joined.get(topic).cloned();
        let message = [json!(join_ref), json!(msg_ref), json!(topic), json!(event), payload];
        (self.encoded(&message), msg_ref)
    }

    /// A topic has been joined by hand, with this join_ref.
    pub(crate) fn now_joined(&mut self, topic: &str, join_ref: &str) {
        self.joined.insert(topic.to_owned(), join_ref.to_owned());
    }

    fn next_ref(&mut self) -> String {
        self.last_ref += 1;
        self.last_ref.to_string()
    }

    /// Sends a message as it is.
    async fn send(&mut self, message: &[Value; 5]) {
        let bytes = self.encoded(message);
        self.raw(&bytes).await;
    }

    fn encoded(&mut self, message: &[Value; 5]) -> Vec<u8> {
        let [_, msg_ref, topic, event, payload] = message;
        let text = match self.version {
            Version::V2 => json!(message),
            Version::V1 => json!({ "topic": topic, "event": event, "payload": payload, "ref": msg_ref }),
        };
        self.text(&text.to_string())
    }

    /// The frame of a text.
    pub(crate) fn text(&mut self, text: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.websocket.encode(Kind::Text, text.as_bytes(), &mut bytes);
        bytes
    }

    /// The frame of bytes.
    pub(crate) fn binary(&mut self, data: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.websocket.encode(Kind::Binary, data, &mut bytes);
        bytes
    }

    /// Sends bytes as they are.
    pub(crate) async fn raw(&mut self, bytes: &[u8]) {
        soon("bytes to be sent", self.stream.write_all(bytes)).await.unwrap();
    }

    /// The stream itself.
    pub(crate) fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    /// The next thing that comes.
    pub(crate) async fn next(&mut self) -> Got {
        soon("the server", async {
            loop {
                if let Some(got) = self.got.pop_front() {
                    return got;
                }
                let mut bytes = Vec::with_capacity(64 * 1024);
                match self.stream.read_buf(&mut bytes).await {
                    Ok(0) | Err(_) => return Got::Ended,
                    Ok(_) => self.take_in(bytes),
                }
            }
        })
        .await
    }

    fn take_in(&mut self, mut bytes: Vec<u8>) {
        let mut rest = &mut bytes[..];
        loop {
            let received = self.websocket.receive(rest, Instant::EPOCH);
            let consumed = received.consumed;
            match received.event {
                Some(Event::Text(text)) if text.starts_with(['[', '{']) => {
                    self.got.push_back(Got::Message(Message::parse(text)));
                }
                Some(Event::Text(text)) => self.got.push_back(Got::Text(text.to_owned())),
                Some(Event::Binary(data)) => self.got.push_back(Got::Binary(data.to_vec())),
                Some(Event::Pong(payload)) => self.got.push_back(Got::Pong(payload.to_vec())),
                Some(_) => {}
                None => break,
            }
            rest = &mut rest[consumed..];
        }
        while let Some(output) = self.websocket.poll_output() {
            match output {
                Output::Closed(CloseReason::Peer { code }) => self.got.push_back(Got::Closed(code)),
                Output::Closed(reason) => panic!("the server broke a rule: {reason:?}"),
                // The answer to the server's close frame is the business of `closed`.
                Output::Send(_) | Output::End => {}
            }
        }
    }

    /// The next message; anything else is a failure.
    pub(crate) async fn message(&mut self) -> Message {
        match self.next().await {
            Got::Message(message) => message,
            other => panic!("a message was to come, not {other:?}"),
        }
    }

    /// The next message, which has to be this event; returns its payload.
    pub(crate) async fn event(&mut self, topic: &str, event: &str) -> Value {
        let message = self.message().await;
        assert_eq!((&*message.topic, &*message.event), (topic, event), "{message:?}");
        message.payload
    }

    /// The next message, which has to be the reply with this ref: its status and response.
    pub(crate) async fn reply(&mut self, msg_ref: &str) -> (String, Value) {
        let message = self.message().await;
        assert_eq!((&message.msg_ref, &*message.event), (&json!(msg_ref), "phx_reply"), "{message:?}");
        let status = message.payload["status"].as_str().expect("a reply has a status").to_owned();
        (status, message.payload["response"].clone())
    }

    /// The code of the close frame, which has to be the next thing that comes.
    pub(crate) async fn close_code(&mut self) -> u16 {
        let Got::Closed(Some(code)) = self.next().await else { panic!("a close frame was to come") };
        code
    }

    /// The same; it is answered, and then the stream has to end.
    pub(crate) async fn closed(&mut self) -> u16 {
        let code = self.close_code().await;
        // 1000, masked.
        let _ = self.stream.write_all(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]).await;
        assert_eq!(self.next().await, Got::Ended);
        code
    }
}
