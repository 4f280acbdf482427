//! Serializers of the application's own: what they are asked, and what holds for them all the same.

mod limits;
mod protocol;

use bennu_core::router::Router;
use bennu_core::server::{
    Broadcast, Config, Event, Fanout, Limits, Mount, Outcome, Output, Server, SocketConfig, SocketId,
};
use bennu_core::wire::{DecodeLimits, Decoded, Format, FormatError, Formats, Outgoing, Serializer};
use bennu_core::{Frame, Instant, Kind, Name, Payload, RawJson, Ref, Topic};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const NOW: Instant = Instant::EPOCH;

/// Items with bars between them: `1|2|room:a|echo|{}` from clients, `reply|1|2|room:a|ok|{}` from the server.
#[derive(Default)]
struct Bars {
    encoded: AtomicUsize,
}

impl Format for Bars {
    fn decode(&self, _: Kind, data: &[u8]) -> Result<Decoded, FormatError> {
        let items: Vec<_> = std::str::from_utf8(data)?.splitn(5, '|').collect();
        let [join_ref, msg_ref, topic, event, payload] = items[..] else {
            return Err(FormatError::new("a message has five items"));
        };
        Ok(Decoded {
            join_ref: optional(join_ref)?,
            msg_ref: optional(msg_ref)?,
            topic: topic.to_owned(),
            event: event.to_owned(),
            payload: match payload.strip_prefix("0x") {
                Some(bytes) => Payload::binary(bytes.as_bytes().to_vec()),
                None => RawJson::parse(payload)?.into(),
            },
        })
    }

    fn encode(&self, outgoing: &Outgoing<'_>) -> Result<(Kind, Vec<u8>), FormatError> {
        self.encoded.fetch_add(1, Ordering::Relaxed);
        let line = match *outgoing {
            Outgoing::Push { join_ref, msg_ref, topic, event, payload } => {
                format!("push|{}|{}|{topic}|{event}|{}", text(join_ref), text(msg_ref), text_of(payload))
            }
            Outgoing::Reply { join_ref, msg_ref, topic, status, response } => {
                let topic = topic.as_text().unwrap_or_default();
                format!("reply|{}|{}|{topic}|{status}|{}", text(join_ref), text(msg_ref), text_of(response))
            }
            Outgoing::Broadcast { topic, event, payload } => {
                format!("broadcast|{topic}|{event}|{}", text_of(payload))
            }
        };
        if line.contains("unspeakable") {
            return Err(FormatError::new("there are no words for it"));
        }
        let kind = if line.contains("0x") { Kind::Binary } else { Kind::Text };
        let line = if line.contains("latin") { b"\xe9".to_vec() } else { line.into_bytes() };
        Ok((kind, line))
    }
}

fn optional(text: &str) -> Result<Option<Ref>, FormatError> {
    if text.is_empty() { Ok(None) } else { Ok(Some(Ref::try_text(text)?)) }
}

fn text(value: Option<&Ref>) -> String {
    value.and_then(Ref::as_text).unwrap_or_default().into_owned()
}

fn text_of(payload: &Payload) -> String {
    match payload {
        Payload::Json(json) => json.as_str().to_owned(),
        Payload::Binary(bytes) => format!("0x{}", String::from_utf8_lossy(bytes)),
    }
}

/// A server that knows two formats, and what it has sent to each of its sockets.
struct House {
    server: Server<usize, ()>,
    formats: Formats,
    /// What the first format was asked.
    bars: Arc<Bars>,
    custom: Serializer,
    other: Serializer,
    sockets: Vec<(SocketId, Serializer)>,
    sent: Vec<Vec<String>>,
    fanouts: Vec<Fanout>,
}

impl House {
    fn new() -> Self {
        Self::with(Limits::default())
    }

    fn with(limits: Limits) -> Self {
        let bars = Arc::new(Bars::default());
        let mut formats = Formats::default();
        let custom = formats.add(Arc::clone(&bars) as Arc<dyn Format>);
        let other = formats.add(Arc::new(Bars::default()));
        let mut router = Router::default();
        router.add("room:*", &[]).unwrap();
        let config =
            Config { shard: 0, hash_key: (1, 2), mounts: vec![Mount { router, limits, ..Mount::default() }] };
        let server = Server::new(config).with_formats(formats.clone());
        Self { server, formats, bars, custom, other, sockets: vec![], sent: vec![], fanouts: vec![] }
    }

    fn connect(&mut self, serializer: Serializer) -> usize {
        let handle = self.sockets.len();
        let socket = SocketConfig { handle, serializer, mount: 0, id: None };
        self.sockets.push((self.server.connect(socket, NOW), serializer));
        self.sent.push(Vec::new());
        handle
    }

    /// One that has joined `room:a`; the reply is forgotten.
    fn joined(&mut self, serializer: Serializer) -> usize {
        let peer = self.connect(serializer);
        self.send(
            peer,
            match serializer {
                Serializer::V1 => r#"{"topic":"room:a","event":"phx_join","payload":{},"ref":"1"}"#,
                Serializer::V2 => r#"["1","1","room:a","phx_join",{}]"#,
                Serializer::Custom(_) => "1|1|room:a|phx_join|{}",
            },
        );
        assert_eq!(self.take(peer).len(), 1);
        peer
    }

    fn send(&mut self, peer: usize, line: &str) {
        let (socket, serializer) = self.sockets[peer];
        let mut room = None;
        let message = self
            .formats
            .decode(serializer, Kind::Text, line.as_bytes(), DecodeLimits::default(), &mut room)
            .unwrap();
        self.server.receive(socket, &message, NOW);
        self.settle();
    }

    /// A broadcast that its publisher has encoded for nobody but V2.
    fn broadcast(&mut self, event: &str, payload: Payload) -> Broadcast {
        let broadcast = Broadcast::new(Topic::from("room:a"), event, payload).unwrap();
        self.publish(&broadcast);
        broadcast
    }

    fn publish(&mut self, broadcast: &Broadcast) {
        self.server.broadcast(broadcast, None, NOW);
        self.settle();
    }

    /// Drains the outputs; joins are accepted, and what the client sends is sent back.
    fn settle(&mut self) {
        while let Some(output) = self.server.poll_output() {
            match output {
                Output::Send { to, frame } => self.note(*self.server.handle(to).unwrap(), &frame),
                Output::Fanout(fanout) => {
                    let to: Vec<_> = self.server.recipients(&fanout).map(|(&peer, s)| (peer, s)).collect();
                    for (peer, serializer) in to {
                        if let Some(frame) = fanout.frame(serializer) {
                            self.note(peer, frame);
                        }
                    }
                    self.fanouts.push(fanout);
                }
                Output::Close { to, reason } => {
                    let peer = *self.server.handle(to).unwrap();
                    self.sent[peer].push(format!("close {}", reason.code()));
                }
                Output::Call { socket, call, event } => {
                    let (_, serializer) = self.sockets[*self.server.handle(socket).unwrap()];
                    let outcome = self.answer(serializer, event);
                    self.server.done(call, outcome, NOW);
                }
                Output::Cancel { .. }
                | Output::Ended { .. }
                | Output::Pause { .. }
                | Output::Resume { .. }
                | Output::Interest { .. }
                | Output::Notice { .. } => {}
            }
        }
    }

    fn answer(&self, serializer: Serializer, event: Event<()>) -> Outcome<()> {
        let reply = |join_ref: Option<&Ref>, msg_ref: Option<&Ref>, response: &Payload| {
            let topic = &Name::from("room:a");
            let outgoing = Outgoing::Reply { join_ref, msg_ref, topic, status: "ok", response };
            self.formats.encode(serializer, &outgoing).unwrap()
        };
        match event {
            Event::Join { topic, .. } if &*topic == "room:crash" => Outcome::crashed("as it should"),
            Event::Join { join_ref, msg_ref, .. } => {
                let reply = reply(join_ref.as_ref(), msg_ref.as_ref(), &Payload::empty());
                Outcome::Joined { reply, next: None }
            }
            Event::In { event, .. } if &*event == "crash" => Outcome::crashed("as it should"),
            Event::In { msg_ref, payload, .. } => {
                Outcome::Continue { reply: Some(reply(Some(&Ref::text("1")), msg_ref.as_ref(), &payload)) }
            }
            Event::Out { .. } | Event::Broadcast { .. } | Event::Info(()) | Event::Terminate(_) | _ => {
                Outcome::Continue { reply: None }
            }
        }
    }

    fn note(&mut self, peer: usize, frame: &Frame) {
        self.sent[peer].push(String::from_utf8_lossy(frame.body()).into_owned());
    }

    /// What a peer was sent since it was last asked for.
    fn take(&mut self, peer: usize) -> Vec<String> {
        std::mem::take(&mut self.sent[peer])
    }

    /// How often the first format has been asked to write since this was last asked for.
    fn encoded(&self) -> usize {
        self.bars.encoded.swap(0, Ordering::Relaxed)
    }
}
