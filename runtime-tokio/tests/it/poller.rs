//! A client that polls: over the endpoint as a service, so that time can be turned by hand, or over TCP.

use crate::client::{Message, soon};
use crate::server::Server;
use bennu::{Endpoint, ResponseBody};
use http::{Method, Request, Response};
use http_body_util::BodyExt as _;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tower_service::Service;

/// The mount of most tests, with V2.
pub(crate) const LONGPOLL: &str = "/socket/longpoll?vsn=2.0.0";

/// What the type of a batch is called.
pub(crate) const BATCH: &str = "application/x-ndjson";

/// The body of an answer.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) token: Option<String>,
    #[serde(default)]
    pub(crate) messages: Vec<String>,
}

/// One session.
pub(crate) struct Poller {
    endpoint: Endpoint,
    target: &'static str,
    pub(crate) token: String,
    got: VecDeque<Message>,
    last_ref: u64,
}

/// A request without a body or headers.
pub(crate) fn get(target: &str) -> Request<String> {
    Request::get(target).body(String::new()).unwrap()
}

/// Has a request answered; nothing of the answer's body is read.
pub(crate) async fn call(endpoint: &Endpoint, request: Request<String>) -> Response<ResponseBody> {
    match endpoint.clone().call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// Reads a body.
pub(crate) async fn read(body: ResponseBody) -> Vec<u8> {
    match body.collect().await {
        Ok(body) => body.to_bytes().to_vec(),
        Err(never) => match never {},
    }
}

/// Asks for what waits in a session, more than the kernel holds, from a client with small buffers.
pub(crate) async fn asks_for_much(server: &Server) -> TcpStream {
    let poller = Poller::joined(&server.endpoint, "room:much").await;
    server.endpoint.broadcast("room:much", "much", json!({ "x": "x".repeat(900_000) })).unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(8 * 1024).unwrap();
    let mut stream = socket.connect(server.address).await.unwrap();
    stream.write_all(head("GET", &poller.token, "").as_bytes()).await.unwrap();
    stream
}

/// Has a request answered by HTTP 200 with a body.
pub(crate) async fn ask(endpoint: &Endpoint, request: Request<String>) -> Answer {
    let response = call(endpoint, request).await;
    assert_eq!(response.status(), 200);
    serde_json::from_slice(&read(response.into_body()).await).unwrap()
}

impl Poller {
    /// Opens a session at [`LONGPOLL`].
    pub(crate) async fn open(endpoint: &Endpoint) -> Self {
        Self::open_at(endpoint, LONGPOLL).await
    }

    /// Opens a session at another mount.
    pub(crate) async fn open_at(endpoint: &Endpoint, target: &'static str) -> Self {
        let opened = ask(endpoint, get(target)).await;
        assert_eq!((opened.status, &*opened.messages), (410, &[][..]));
        let token = opened.token.expect("an opened session has a token");
        Self { endpoint: endpoint.clone(), target, token, got: VecDeque::new(), last_ref: 0 }
    }

    /// The same with a topic joined.
    pub(crate) async fn joined(endpoint: &Endpoint, topic: &str) -> Self {
        let mut poller = Self::open(endpoint).await;
        let join = poller.send(topic, "phx_join", json!({})).await;
        assert_eq!(poller.reply(&join).await.0, "ok");
        poller
    }

    /// A request of this session.
    pub(crate) fn request(&self, method: Method, body: impl Into<String>) -> Request<String> {
        let request = Request::builder().method(method).uri(self.target);
        request.header("x-phoenix-longpoll-token", &self.token).body(body.into()).unwrap()
    }

    /// Asks once for what there is.
    pub(crate) async fn poll(&self) -> Answer {
        ask(&self.endpoint, self.request(Method::GET, "")).await
    }

    /// Posts one message; returns the status in the answer.
    pub(crate) async fn post(&self, body: impl Into<String>) -> u16 {
        ask(&self.endpoint, self.request(Method::POST, body)).await.status
    }

    /// Posts a batch.
    pub(crate) fn batch(&self, body: impl Into<String>) -> Request<String> {
        let mut request = self.request(Method::POST, body);
        request.headers_mut().insert("content-type", BATCH.parse().unwrap());
        request
    }

    /// A message, and its ref. The join_ref of each topic is 1.
    pub(crate) fn message(&mut self, topic: &str, event: &str, payload: Value) -> (String, String) {
        self.last_ref += 1;
        let msg_ref = self.last_ref.to_string();
        (json!(["1", msg_ref, topic, event, payload]).to_string(), msg_ref)
    }

    /// Sends a message, which has to be taken; returns its ref.
    pub(crate) async fn send(&mut self, topic: &str, event: &str, payload: Value) -> String {
        let (message, msg_ref) = self.message(topic, event, payload);
        assert_eq!(self.post(message).await, 200);
        msg_ref
    }

    /// The next message; waits for it, for two windows at most.
    pub(crate) async fn next(&mut self) -> Message {
        for _ in 0..3 {
            if let Some(message) = self.got.pop_front() {
                return message;
            }
            let answer = self.poll().await;
            assert!(matches!(answer.status, 200 | 204), "{answer:?}");
            self.got.extend(answer.messages.iter().map(|text| Message::parse(text)));
        }
        panic!("nothing came")
    }

    /// The next message, which has to be this event; returns its payload.
    pub(crate) async fn event(&mut self, topic: &str, event: &str) -> Value {
        let message = self.next().await;
        assert_eq!((&*message.topic, &*message.event), (topic, event), "{message:?}");
        message.payload
    }

    /// The next message, which has to be the reply with this ref: its status and response.
    pub(crate) async fn reply(&mut self, msg_ref: &str) -> (String, Value) {
        let message = self.next().await;
        assert_eq!((&message.msg_ref, &*message.event), (&json!(msg_ref), "phx_reply"), "{message:?}");
        let status = message.payload["status"].as_str().expect("a reply has a status").to_owned();
        (status, message.payload["response"].clone())
    }

    /// Sends a message and returns the response, which has to come next.
    pub(crate) async fn call(&mut self, topic: &str, event: &str, payload: Value) -> Value {
        let msg_ref = self.send(topic, event, payload).await;
        let (status, response) = self.reply(&msg_ref).await;
        assert_eq!(status, "ok", "{response}");
        response
    }

    /// A heartbeat, whose answer has to be the next thing that comes.
    pub(crate) async fn heartbeat(&mut self) {
        self.last_ref += 1;
        let msg_ref = self.last_ref.to_string();
        let message = json!([null, msg_ref, "phoenix", "heartbeat", {}]).to_string();
        assert_eq!(self.post(message).await, 200);
        assert_eq!(self.reply(&msg_ref).await.0, "ok");
    }
}

/// What bytes are answered with, over a connection of their own: the status, and the body.
pub(crate) async fn exchange(address: SocketAddr, request: &[u8]) -> (u16, Vec<u8>) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // It may be answered before all of it is read.
    let _ = stream.write_all(request).await;
    answer_of(stream).await
}

/// The status and the body of an answer behind which the connection ends.
pub(crate) async fn answer_of(mut stream: TcpStream) -> (u16, Vec<u8>) {
    soon("the answer to a request", async {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes).await;
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        let Some(end) = end else { panic!("no answer: {:?}", String::from_utf8_lossy(&bytes)) };
        let body = bytes.split_off(end + 4);
        let head = String::from_utf8(bytes).expect("a head is text");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.expect("a head has a status"), body)
    })
    .await
}

/// The head of a request behind whose answer the connection ends.
pub(crate) fn head(method: &str, token: &str, headers: &str) -> String {
    format!(
        "{method} {LONGPOLL} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         x-phoenix-longpoll-token: {token}\r\n{headers}\r\n"
    )
}
