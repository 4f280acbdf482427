//! Serializers of the application's own, on the transports there are.

#[path = "formats/failures.rs"]
mod failures;
#[path = "formats/transports.rs"]
mod transports;

use crate::client::{Client, Got};
use bennu::{Decoded, Format, FormatError, Kind, Outgoing, Payload, RawJson};
use bennu_core::PayloadSlice;
use bennu_core::wire::Serializer;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Where a format is asked for.
const CUSTOM: &str = "/socket/websocket?vsn=3.0.0";

/// V2 behind an exclamation mark; a few events are more than it can bear.
struct Marked {
    /// What it writes.
    kind: Kind,
    broadcasts: AtomicUsize,
}

impl Marked {
    fn writing(kind: Kind) -> Arc<Self> {
        Arc::new(Self { kind, broadcasts: AtomicUsize::new(0) })
    }
}

impl Format for Marked {
    fn decode(&self, _: Kind, data: &[u8]) -> Result<Decoded, FormatError> {
        let text = data.strip_prefix(b"!").ok_or_else(|| FormatError::new("there is no mark"))?;
        let message = Serializer::V2.decode(Kind::Text, text)?;
        assert_ne!(message.event, *"decode_panic");
        let PayloadSlice::Json(payload) = message.payload else { unreachable!("it is text") };
        Ok(Decoded {
            join_ref: message.join_ref,
            msg_ref: message.msg_ref,
            topic: message.topic.as_text().unwrap_or_default().to_owned(),
            event: message.event.as_text().unwrap_or_default().to_owned(),
            payload: RawJson::parse(payload)?.into(),
        })
    }

    fn encode(&self, outgoing: &Outgoing<'_>) -> Result<(Kind, Vec<u8>), FormatError> {
        match outgoing {
            Outgoing::Push { event: "much", .. } => panic!("in encode"),
            Outgoing::Reply { topic, .. } if **topic == *"panic:own" => panic!("in encode"),
            Outgoing::Broadcast { event, .. } => {
                assert_ne!(*event, "broadcast_panic");
                self.broadcasts.fetch_add(1, Ordering::Relaxed);
            }
            _ => {}
        }
        if let Outgoing::Broadcast { payload: Payload::Binary(bytes), .. } = outgoing {
            return Ok((self.kind, [b"!", &**bytes].concat()));
        }
        let frame = Serializer::V2.encode(outgoing)?;
        Ok((self.kind, [b"!", frame.body()].concat()))
    }
}

/// A message in the format.
fn marked(message: Value) -> Vec<u8> {
    format!("!{message}").into_bytes()
}

/// A client that speaks it.
struct Speaker {
    client: Client,
}

impl Speaker {
    async fn connect(address: SocketAddr) -> Self {
        Self { client: Client::connect_to(address, CUSTOM).await }
    }

    async fn joined(address: SocketAddr) -> Self {
        let mut speaker = Self::connect(address).await;
        speaker.say(json!(["1", "1", "room:a", "phx_join", {}])).await;
        assert_eq!(speaker.hear().await[4]["status"], "ok");
        speaker
    }

    async fn say(&mut self, message: Value) {
        let frame = self.client.binary(&marked(message));
        self.client.raw(&frame).await;
    }

    async fn hear(&mut self) -> Value {
        match self.client.next().await {
            Got::Binary(bytes) => serde_json::from_slice(bytes.strip_prefix(b"!").unwrap()).unwrap(),
            other => panic!("a message was to come, not {other:?}"),
        }
    }

    /// It is still there.
    async fn lives(&mut self) {
        self.say(json!([null, "h", "phoenix", "heartbeat", {}])).await;
        let alive = json!([null, "h", "phoenix", "phx_reply", { "response": {}, "status": "ok" }]);
        assert_eq!(self.hear().await, alive);
    }
}
