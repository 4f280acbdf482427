//! Clients in MessagePack, by a WebSocket of another make, beside one in JSON.
// Whatever fails here is a failed test, and the line says enough.
#![allow(missing_docs, clippy::unwrap_used)]

use bennu::{Endpoint, Payload};
use serde::Serialize;
use serde_json::{Value, json};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use tungstenite::{Message, WebSocket};

/// A server, which lives as long as its runtime.
struct Server {
    runtime: tokio::runtime::Runtime,
    address: SocketAddr,
    endpoint: Endpoint,
}

impl Server {
    fn start() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let _entered = runtime.enter();
        let listener = bennu_tokio::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let address = listener.local_addr().unwrap();
        let endpoint = msgpack::endpoint().build(bennu_tokio::Tokio);
        let served = endpoint.clone();
        runtime.spawn(async move { bennu_tokio::serve(listener, served).await });
        drop(_entered);
        Self { runtime, address, endpoint }
    }

    fn connect(&self, vsn: &str) -> Client {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let target = format!("ws://{}/socket/websocket?vsn={vsn}", self.address);
        let (websocket, _) = tungstenite::client(target, stream).unwrap();
        Client { websocket }
    }
}

struct Client {
    websocket: WebSocket<TcpStream>,
}

impl Client {
    fn say(&mut self, message: impl Serialize) {
        let bytes = rmp_serde::to_vec_named(&message).unwrap();
        self.websocket.send(Message::binary(bytes)).unwrap();
    }

    fn say_json(&mut self, message: Value) {
        self.websocket.send(Message::text(message.to_string())).unwrap();
    }

    fn hear_bytes(&mut self) -> Vec<u8> {
        let message = self.websocket.read().unwrap();
        let Message::Binary(bytes) = message else { panic!("bytes were to come, not {message:?}") };
        bytes.to_vec()
    }

    fn hear(&mut self) -> Value {
        rmp_serde::from_slice(&self.hear_bytes()).unwrap()
    }

    fn hear_json(&mut self) -> Value {
        let message = self.websocket.read().unwrap();
        serde_json::from_str(message.to_text().unwrap()).unwrap()
    }

    fn joined(mut self) -> Self {
        self.say(("1", "1", "room:a", "phx_join", json!({})));
        let reply = json!(["1", "1", "room:a", "phx_reply", { "status": "ok", "response": {} }]);
        assert_eq!(self.hear(), reply);
        self
    }
}

#[test]
fn clients_in_messagepack_and_in_json_are_in_one_room() {
    let server = Server::start();
    let mut packed = server.connect("3.0.0").joined();
    let mut json = server.connect("2.0.0");
    json.say_json(json!(["1", "1", "room:a", "phx_join", {}]));
    assert_eq!(json.hear_json()[4]["status"], "ok");

    packed.say(("1", "2", "room:a", "new_msg", json!({ "body": "hi" })));
    let reply = json!(["1", "2", "room:a", "phx_reply", { "status": "ok", "response": { "body": "hi" } }]);
    assert_eq!(packed.hear(), reply);
    assert_eq!(json.hear_json(), json!([null, null, "room:a", "new_msg", { "body": "hi" }]));

    json.say_json(json!(["1", "2", "room:a", "new_msg", { "n": [1, 2.5, null] }]));
    assert_eq!(packed.hear(), json!([null, null, "room:a", "new_msg", { "n": [1, 2.5, null] }]));

    packed.say(((), "3", "phoenix", "heartbeat", json!({})));
    assert_eq!(packed.hear(), json!([null, "3", "phoenix", "phx_reply", { "status": "ok", "response": {} }]));
    packed.say(("1", "4", "room:a", "phx_leave", json!({})));
    assert_eq!(packed.hear()[3], "phx_reply");
    assert_eq!(packed.hear(), json!(["1", "1", "room:a", "phx_close", {}]));
}

#[test]
fn bytes_are_sent_and_received() {
    let server = Server::start();
    let mut ann = server.connect("3.0.0").joined();
    let mut bob = server.connect("3.0.0").joined();

    // ["1", "2", "room:a", "raw", bytes of 00 ff]
    let push = b"\x95\xa11\xa12\xa6room:a\xa3raw\xc4\x02\x00\xff";
    ann.websocket.send(Message::binary(&push[..])).unwrap();
    let reply = b"\x95\xa11\xa12\xa6room:a\xa9phx_reply\x82\xa6status\xa2ok\xa8response\xc4\x02\x00\xff";
    assert_eq!(ann.hear_bytes(), reply);
    assert_eq!(bob.hear_bytes(), b"\x95\xc0\xc0\xa6room:a\xa3raw\xc4\x02\x00\xff");

    server.endpoint.broadcast("room:a", "raw", Payload::binary(vec![7])).unwrap();
    assert_eq!(ann.hear_bytes(), b"\x95\xc0\xc0\xa6room:a\xa3raw\xc4\x01\x07");
}

#[test]
fn what_is_no_messagepack_ends_its_connection_alone() {
    let server = Server::start();
    let mut ann = server.connect("3.0.0").joined();
    let mut bob = server.connect("3.0.0").joined();

    ann.websocket.send(Message::binary(&b"\xc1"[..])).unwrap();
    let Message::Close(Some(close)) = ann.websocket.read().unwrap() else { panic!("it is closed") };
    assert_eq!(u16::from(close.code), 1011);

    bob.say(("1", "2", "room:a", "new_msg", json!({})));
    assert_eq!(bob.hear()[3], "phx_reply");
    server.runtime.shutdown_background();
}
