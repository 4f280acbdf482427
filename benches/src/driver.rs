//! The least that the core's server needs around it: outboxes without streams, and handlers that echo.
//!
//! ```text
//!  text ─▶ decode ─▶ Server ─▶ Call ─▶ echo ─▶ encode ─▶ done ─▶ Server ─▶ Outbox
//! ```

use bennu_core::outbox::{Outbox, Written};
use bennu_core::router::Router;
use bennu_core::server::{
    Broadcast, CallId, ChannelId, Config, Event, Limits, Mount, Outcome, Output, Server, SocketConfig,
    SocketId,
};
use bennu_core::wire::Outgoing;
use bennu_core::{Frame, Instant, Payload, Ref, Serializer, Topic};
use std::collections::VecDeque;
use std::hint::black_box;

/// One machine and the peers connected to it; time stands still.
#[derive(Debug)]
pub struct Driver {
    server: Server<usize, ()>,
    peers: Vec<Peer>,
    /// Handlers to run: the peer, and for which of its channels.
    calls: VecDeque<(usize, CallId, Event<()>)>,
}

#[derive(Debug)]
struct Peer {
    socket: SocketId,
    serializer: Serializer,
    outbox: Outbox,
    /// Few, as in life: to compare their ids is faster than to hash one.
    channels: Vec<(ChannelId, Channel)>,
}

/// What a handler knows of its channel.
#[derive(Debug)]
struct Channel {
    topic: Topic,
    join_ref: Option<Ref>,
}

const NOW: Instant = Instant::EPOCH;
/// In bytes; nothing here comes near it.
const OUTBOX: usize = 1 << 20;

impl Driver {
    /// A machine with routes for these patterns.
    ///
    /// # Panics
    /// If one of them is no pattern.
    #[must_use]
    pub fn new(patterns: &[&str]) -> Self {
        let mut router = Router::default();
        for pattern in patterns {
            router.add(pattern, &[]).expect("a pattern of a bench's own making");
        }
        let mounts = vec![Mount { router, limits: Limits::default() }];
        let config = Config { shard: 0, hash_key: (0x6865_726f_6e00, 0x7761_7465_7200), mounts };
        Self { server: Server::new(config), peers: Vec::new(), calls: VecDeque::new() }
    }

    /// Connects one more peer, and returns its number.
    pub fn connect(&mut self, serializer: Serializer) -> usize {
        let handle = self.peers.len();
        let socket = SocketConfig { handle, serializer, mount: 0, id: None };
        let socket = self.server.connect(socket, NOW);
        self.peers.push(Peer { socket, serializer, outbox: Outbox::new(OUTBOX), channels: Vec::new() });
        self.settle();
        handle
    }

    /// Takes a text message from a peer, and runs whatever handlers it causes.
    ///
    /// # Panics
    /// If it is no message.
    pub fn receive(&mut self, peer: usize, text: &str) {
        let Peer { socket, serializer, .. } = self.peers[peer];
        let message = serializer.decode_text(text).expect("a message of a bench's own making");
        self.server.receive(socket, &message, NOW);
        self.settle();
    }

    /// Sends a broadcast into every member's outbox.
    pub fn broadcast(&mut self, broadcast: &Broadcast) {
        self.server.broadcast(broadcast, None, NOW);
        self.drain();
    }

    /// Takes what waits in a peer's outbox as if it were written, and returns how many bytes that were.
    pub fn write(&mut self, peer: usize) -> usize {
        let outbox = &mut self.peers[peer].outbox;
        let mut total = 0;
        while let Some(batch) = outbox.begin() {
            let bytes = batch.slices().map(|slice| black_box(slice).len()).sum();
            total += bytes;
            if outbox.finish(batch, bytes) == Written::Everything {
                break;
            }
        }
        total
    }

    /// What waits in a peer's outbox: frames with their headers, one after the other. It is taken out.
    pub fn take_written(&mut self, peer: usize) -> Vec<u8> {
        let outbox = &mut self.peers[peer].outbox;
        let mut written = Vec::new();
        while let Some(batch) = outbox.begin() {
            let bytes = batch.slices().map(<[u8]>::len).sum();
            written.extend(batch.slices().flatten());
            outbox.finish(batch, bytes);
        }
        written
    }

    /// How many channels there are.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.server.channels()
    }

    fn settle(&mut self) {
        self.drain();
        while let Some((peer, call, event)) = self.calls.pop_front() {
            let outcome = self.peers[peer].handle(call.channel(), event);
            self.server.done(call, outcome, NOW);
            self.drain();
        }
    }

    fn drain(&mut self) {
        let Self { server, peers, calls } = self;
        while let Some(output) = server.poll_output() {
            match output {
                Output::Send { to, frame } => {
                    let &peer = server.handle(to).expect("an output names a socket that is known");
                    peers[peer].outbox.push_owed(frame);
                }
                Output::Fanout(fanout) => {
                    for (&peer, serializer) in server.recipients(&fanout) {
                        if let Some(frame) = fanout.frame(serializer) {
                            peers[peer].outbox.push(frame.clone());
                        }
                    }
                }
                Output::Call { socket, call, event } => {
                    let &peer = server.handle(socket).expect("an output names a socket that is known");
                    calls.push_back((peer, call, event));
                }
                Output::Ended { socket, channel } => {
                    let &peer = server.handle(socket).expect("an output names a socket that is known");
                    peers[peer].channels.retain(|(other, _)| *other != channel);
                }
                // Handlers do not wait here, sockets do not end, and nothing is read or published.
                Output::Cancel { .. }
                | Output::Close { .. }
                | Output::Pause { .. }
                | Output::Resume { .. }
                | Output::Interest { .. }
                | Output::Notice { .. } => {}
            }
        }
    }
}

impl Peer {
    fn handle(&mut self, channel: ChannelId, event: Event<()>) -> Outcome<()> {
        match event {
            Event::Join { topic, join_ref, msg_ref, .. } => {
                let state = Channel { topic, join_ref };
                let reply = self.reply(&state, msg_ref.as_ref(), &Payload::empty());
                self.channels.push((channel, state));
                Outcome::Joined { reply, next: None }
            }
            Event::In { msg_ref, payload, .. } => {
                let state = self.channels.iter().find(|(other, _)| *other == channel);
                let reply = state.map(|(_, state)| self.reply(state, msg_ref.as_ref(), &payload));
                Outcome::Continue { reply }
            }
            // Nothing is intercepted, subscribed to, or to be cleaned up.
            Event::Out { .. } | Event::Broadcast { .. } | Event::Info(()) | Event::Terminate(_) | _ => {
                Outcome::Continue { reply: None }
            }
        }
    }

    fn reply(&self, channel: &Channel, msg_ref: Option<&Ref>, response: &Payload) -> Frame {
        let topic = &(&*channel.topic).into();
        let join_ref = channel.join_ref.as_ref();
        let reply = Outgoing::Reply { join_ref, msg_ref, topic, status: "ok", response };
        self.serializer.encode(&reply).expect("JSON can be encoded for every serializer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;

    #[test]
    fn what_is_sent_comes_back_as_the_response() {
        let mut driver = Driver::new(&["bench:*"]);
        let peer = driver.connect(Serializer::V2);
        driver.receive(peer, r#"["1","1","bench:echo","phx_join",{}]"#);
        driver.write(peer);
        let sample = Sample::chat();

        driver.receive(peer, &sample.text(Serializer::V2));

        let Sample { payload, .. } = sample;
        let reply = format!(r#"["1","7","bench:echo","phx_reply",{{"response":{payload},"status":"ok"}}]"#);
        assert_eq!(driver.take_written(peer)[4..], *reply.as_bytes());
    }

    #[test]
    fn members_get_a_broadcast_until_they_leave() {
        let mut driver = Driver::new(&["bench:*"]);
        let peers = [driver.connect(Serializer::V2), driver.connect(Serializer::V1)];
        driver.receive(peers[0], r#"["1","1","bench:x","phx_join",{}]"#);
        driver.receive(peers[1], r#"{"topic":"bench:x","event":"phx_join","payload":{},"ref":"1"}"#);
        let mut broadcast = Broadcast::new("bench:x".into(), "msg", Payload::empty()).unwrap();
        broadcast.encode(Serializer::V1);
        assert!(peers.iter().all(|&peer| driver.write(peer) > 0));

        driver.broadcast(&broadcast);
        assert!(peers.iter().all(|&peer| driver.write(peer) > 0));

        driver.receive(peers[0], r#"["1","2","bench:x","phx_leave",{}]"#);
        driver.write(peers[0]);
        driver.broadcast(&broadcast);
        assert_eq!(driver.write(peers[0]), 0);
        assert_eq!(driver.channels(), 1);
    }
}
