//! What clients are sent depends neither on the number of shards nor on what is merged into runs.

#[cfg(all(feature = "metrics", not(bennu_loom)))]
mod told;

use super::*;
use crate::channel::{Channel, Joined};
use crate::peer::Work;
use crate::runtime::still::Still;
use crate::{Context, Endpoint, Failure, JoinContext, Open};
use bennu_core::server::{Event, Outcome};
use bennu_core::wire::Serializer;
use bennu_core::{IntoPayload, Kind, Payload};
use proptest::prelude::*;
use serde_json::json;
use std::collections::{HashMap, VecDeque};

/// Stands for its route: the script does what a handler would do.
struct Scripted<const INTERCEPTING: bool>;

impl<const INTERCEPTING: bool> Channel for Scripted<INTERCEPTING> {
    type Assigns = ();
    const INTERCEPTS: &'static [&'static str] = if INTERCEPTING { &["text"] } else { &[] };

    async fn join(_: &str, _: Payload, _: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
        Ok(Joined::new(Self))
    }

    async fn handle_out(&mut self, _: &str, _: Payload, _: &Context<Self>) -> Result<(), Failure> {
        Ok(())
    }
}

const TOPICS: [&str; 3] = ["plain:a", "plain:b", "intercepting:a"];
const CLIENTS: usize = 6;

/// One step of a script. Clients and topics by their place.
#[derive(Clone, Debug)]
enum Act {
    Join {
        client: usize,
        topic: usize,
    },
    Leave {
        client: usize,
        topic: usize,
    },
    Ask {
        client: usize,
        topic: usize,
    },
    Push {
        client: usize,
        topic: usize,
    },
    Shout {
        client: usize,
        topic: usize,
        what: What,
    },
    TellOthers {
        client: usize,
        topic: usize,
        what: What,
    },
    Publish {
        topic: usize,
        what: What,
    },
    /// One of the client's handlers that wait runs to its end.
    Handle {
        client: usize,
        which: usize,
    },
    /// The client is written so many bytes.
    Write {
        client: usize,
        room: usize,
    },
    Disconnect {
        client: usize,
    },
    /// A batch ends, and another begins.
    NextBatch,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Text,
    LongText,
    Bytes,
}

fn act() -> impl Strategy<Value = Act> {
    let (client, topic) = (0..CLIENTS, prop_oneof![4 => Just(0), 1 => Just(1), 1 => Just(2)]);
    let what = prop_oneof![8 => Just(What::Text), 1 => Just(What::LongText), 2 => Just(What::Bytes)];
    let both = (client.clone(), topic.clone());
    // Few publishers, so that they make several broadcasts in a row.
    let publisher = (prop_oneof![4 => Just(0), 1 => Just(1)], topic.clone(), what.clone());
    prop_oneof![
        4 => both.clone().prop_map(|(client, topic)| Act::Join { client, topic }),
        2 => both.clone().prop_map(|(client, topic)| Act::Leave { client, topic }),
        1 => publisher.clone().prop_map(|(client, topic, _)| Act::Leave { client, topic }),
        2 => publisher.clone().prop_map(|(client, topic, _)| Act::Join { client, topic }),
        1 => both.clone().prop_map(|(client, topic)| Act::Ask { client, topic }),
        1 => both.prop_map(|(client, topic)| Act::Push { client, topic }),
        12 => publisher.clone().prop_map(|(client, topic, what)| Act::Shout { client, topic, what }),
        4 => publisher.prop_map(|(client, topic, what)| Act::TellOthers { client, topic, what }),
        4 => (topic, what).prop_map(|(topic, what)| Act::Publish { topic, what }),
        8 => (client.clone(), 0usize..3).prop_map(|(client, which)| Act::Handle { client, which }),
        2 => (client.clone(), 0usize..300).prop_map(|(client, room)| Act::Write { client, room }),
        1 => client.prop_map(|client| Act::Disconnect { client }),
        1 => Just(Act::NextBatch),
    ]
}

struct Client {
    peer: Arc<Peer>,
    socket: SocketId,
    serializer: Serializer,
    connected: bool,
    /// The channel that was asked for last, by topic.
    channels: [Option<ChannelId>; TOPICS.len()],
    /// The topic of every channel that there ever was.
    topics: HashMap<ChannelId, usize>,
    work: VecDeque<Work>,
    /// What it has been written.
    wire: Vec<u8>,
}

struct Wire {
    bytes: Vec<u8>,
    connected: bool,
}

struct Node {
    endpoint: Endpoint,
    clients: Vec<Client>,
    /// The number of the act.
    n: usize,
}

impl Node {
    fn new(shards: usize) -> Self {
        let socket = crate::socket(Open)
            .channel::<Scripted<false>>("plain:*")
            .channel::<Scripted<true>>("intercepting:*");
        let endpoint = Endpoint::builder().shards(shards).socket("/socket", socket).build(Still::default());
        let connect = |number: usize| {
            let peer = Arc::new(Peer::new(None, usize::MAX));
            let serializer = Serializer::ALL[usize::from(number % 3 != 2)];
            let socket = endpoint.hub().connect(
                &peer,
                Dialect { serializer, transport: Transport::WebSocket },
                0,
                None,
            );
            let channels = [None; TOPICS.len()];
            Client {
                peer,
                socket,
                serializer,
                connected: true,
                channels,
                topics: HashMap::new(),
                work: VecDeque::new(),
                wire: Vec::new(),
            }
        };
        let clients = (0..CLIENTS).map(connect).collect();
        Self { endpoint, clients, n: 0 }
    }

    fn act(&mut self, act: &Act) {
        self.n += 1;
        let hub = Arc::clone(self.endpoint.hub());
        match *act {
            Act::Join { client, topic } => self.receive(client, topic, "phx_join"),
            Act::Leave { client, topic } => self.receive(client, topic, "phx_leave"),
            Act::Ask { client, topic } => self.receive(client, topic, "ask"),
            Act::Push { client, topic } => {
                if let Some(channel) = self.clients[client].channels[topic] {
                    hub.push(channel, self.frame("push"));
                }
            }
            Act::Shout { client, topic, what } => {
                if let Some(channel) = self.clients[client].channels[topic] {
                    hub.broadcast(self.broadcast(topic, what), Sender::Included(channel), Kick::AtEndOfBatch);
                }
            }
            Act::TellOthers { client, topic, what } => {
                if let Some(channel) = self.clients[client].channels[topic] {
                    hub.broadcast(self.broadcast(topic, what), Sender::Excluded(channel), Kick::AtEndOfBatch);
                }
            }
            Act::Publish { topic, what } => {
                hub.broadcast(self.broadcast(topic, what), Sender::Nobody, Kick::Now);
            }
            Act::Handle { client, which } => self.handle(client, which),
            Act::Write { client, room } => self.write(client, room),
            Act::Disconnect { client } => self.disconnect(client),
            Act::NextBatch => hub.begin_batch(),
        }
    }

    /// A frame that says which act has made it.
    fn frame(&self, what: &str) -> Frame {
        Frame::new(Kind::Text, format!("{what} {}", self.n).as_bytes())
    }

    fn broadcast(&self, topic: usize, what: What) -> Broadcast {
        let (event, payload) = match what {
            What::Text => ("text", json!({ "n": self.n }).into_payload()),
            What::LongText => ("text", json!({ "n": self.n, "x": "x".repeat(30_000) }).into_payload()),
            What::Bytes => ("bytes", Ok(Payload::binary(self.n.to_be_bytes().to_vec()))),
        };
        Broadcast::new(Topic::from(TOPICS[topic]), event, payload.unwrap()).unwrap()
    }

    fn receive(&mut self, client: usize, topic: usize, event: &str) {
        let hub = Arc::clone(self.endpoint.hub());
        let n = self.n.to_string();
        let Client { socket, connected, work, .. } = &mut self.clients[client];
        if !*connected {
            return;
        }
        let join_ref = (event == "phx_join").then_some(&n);
        let text = json!([join_ref, n, TOPICS[topic], event, {}]).to_string();
        let message = Serializer::V2.decode(Kind::Text, text.as_bytes()).unwrap();
        let mut shard = hub.shard(socket.shard() as usize);
        shard.server.receive(*socket, &message, Instant::EPOCH);
        hub.drain(&mut shard, Some(Owner { socket: *socket, work, tally: &mut Tally::default() }));
        drop(shard);
        self.note_joins(client);
    }

    /// Notes the channels of the joins that wait to be handled.
    fn note_joins(&mut self, client: usize) {
        let Client { channels, topics, work, .. } = &mut self.clients[client];
        for work in work {
            if let Work::Call { call, event: Event::Join { topic, .. } } = work {
                let at = TOPICS.iter().position(|other| *other == &**topic).unwrap();
                channels[at] = Some(call.channel());
                topics.insert(call.channel(), at);
            }
        }
    }

    fn handle(&mut self, client: usize, which: usize) {
        let hub = Arc::clone(self.endpoint.hub());
        let left = self.clients[client].peer.take_work(Waker::noop()).0;
        self.clients[client].work.extend(left);
        let work = &mut self.clients[client].work;
        // Each of another channel: a channel has one at a time.
        work.retain(|work| matches!(work, Work::Call { .. }));
        let which = which.min(work.len().saturating_sub(1));
        let Some(Work::Call { call, event }) = work.remove(which) else { return };
        let channel = call.channel();
        let outcome = if let Event::Join { .. } = event {
            Outcome::Joined { reply: self.frame("joined"), next: None }
        } else if let Event::In { .. } = event {
            Outcome::Continue { reply: Some(self.frame("reply")) }
        } else {
            if let Event::Out { .. } = event {
                hub.push(channel, self.frame("out"));
            }
            if let Event::Terminate(_) = event {
                let topic = self.clients[client].topics[&channel];
                let farewell = self.broadcast(topic, What::Text);
                hub.broadcast(farewell, Sender::Included(channel), Kick::AtEndOfBatch);
            }
            Outcome::Continue { reply: None }
        };
        let Client { socket, work, .. } = &mut self.clients[client];
        let mut shard = hub.shard(socket.shard() as usize);
        shard.server.done(call, outcome, Instant::EPOCH);
        hub.drain(&mut shard, Some(Owner { socket: *socket, work, tally: &mut Tally::default() }));
        drop(shard);
        self.note_joins(client);
    }

    fn write(&mut self, client: usize, room: usize) {
        let Client { peer, wire, .. } = &mut self.clients[client];
        if let Some(batch) = peer.begin() {
            let bytes: Vec<u8> = batch.slices().flatten().copied().take(room).collect();
            peer.finish(batch, bytes.len());
            wire.extend(bytes);
        }
    }

    fn disconnect(&mut self, client: usize) {
        let hub = Arc::clone(self.endpoint.hub());
        let Client { socket, serializer, connected, work, .. } = &mut self.clients[client];
        if std::mem::take(connected) {
            let dialect = Dialect { serializer: *serializer, transport: Transport::WebSocket };
            hub.disconnect(*socket, dialect, Owner { socket: *socket, work, tally: &mut Tally::default() });
        }
    }

    /// All that each client has been written in the end.
    fn wires(mut self) -> Vec<Wire> {
        self.endpoint.hub().seal();
        for client in 0..CLIENTS {
            while self.clients[client].peer.backlog() > 0 {
                self.write(client, usize::MAX);
            }
        }
        let wire = |client: Client| Wire { bytes: client.wire, connected: client.connected };
        self.clients.into_iter().map(wire).collect()
    }
}

#[test]
fn node_of_many_cores_has_as_many_shards_as_the_index_of_topics_has_room_for() {
    for polled in [false, true] {
        let mut socket = crate::socket(Open);
        if polled {
            socket = socket.longpoll(crate::LongPoll::new());
        }
        let mounts = vec![socket.mount("/socket", &mut crate::format::Register::default())];
        let queue = QueueLimits::default();
        let hub = Hub::start(
            Arc::new(Still::default()),
            4 * 128,
            mounts,
            Door::default(),
            Capacity::default(),
            queue,
            (0, 0),
        );

        assert_eq!(hub.shards.len(), TopicIndex::MAX_SHARDS);
        assert!(hub.merging > 0);
    }
}

#[test]
fn clients_that_poll_have_shards_of_their_own() {
    let socket = crate::socket(Open).longpoll(crate::LongPoll::new());
    let endpoint = Endpoint::builder().shards(8).socket("/socket", socket).build(Still::default());
    let hub = endpoint.hub();
    let connect = |transport| {
        let dialect = Dialect { serializer: Serializer::V2, transport };
        hub.connect(&Arc::new(Peer::new(None, usize::MAX)), dialect, 0, None).shard()
    };

    for _ in 0..20 {
        assert!(connect(Transport::WebSocket) < 8);
        assert!((8..10).contains(&connect(Transport::LongPoll)));
    }
}

#[test]
fn who_finds_no_place_does_not_count_for_how_fast_they_come_be_it_the_sockets_or_the_nodes() {
    let rate = crate::Rate::every(std::time::Duration::from_secs(1)).burst(2);
    for (of_node, of_socket) in [(1, usize::MAX), (usize::MAX, 1)] {
        let socket = crate::socket(Open).max_connections(of_socket).accept_rate(rate);
        let builder = Endpoint::builder().max_connections(of_node).accept_rate(rate);
        let endpoint = builder.socket("/socket", socket).build(Still::default());
        let admit = || Arc::clone(endpoint.hub()).admit(0);

        let slot = admit().unwrap();
        assert_eq!([admit().unwrap_err(), admit().unwrap_err()], [NoPlace::Full; 2]);
        drop(slot);

        drop(admit().unwrap());
        assert_eq!(admit().unwrap_err(), NoPlace::TooFast);
        assert_eq!(admit().unwrap_err(), NoPlace::TooFast, "who comes too fast has taken no place");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn clients_are_sent_the_same_on_one_shard_and_on_eight_merged_and_unmerged(
        joins in prop::collection::vec(0..CLIENTS, 0..6),
        script in prop::collection::vec(act(), 1..120),
    ) {
        let (mut one, mut eight, mut unmerged) = (Node::new(1), Node::new(8), Node::new(1));
        let joins = joins.iter().flat_map(|&client| [Act::Join { client, topic: 0 }, Act::Handle { client, which: 0 }]);

        for act in joins.chain(script) {
            one.act(&act);
            eight.act(&act);
            unmerged.endpoint.hub().begin_batch();
            unmerged.act(&act);
        }

        let unmerged = unmerged.wires();
        for (wires, what) in [(one.wires(), "one shard"), (eight.wires(), "eight shards")] {
            for (client, (wire, unmerged)) in wires.iter().zip(&unmerged).enumerate() {
                // Who has gone may be in a run that goes on: nobody will write that.
                let whole = if unmerged.connected { wire.bytes.len() } else { unmerged.bytes.len() };
                prop_assert_eq!(&wire.bytes[..whole], &unmerged.bytes[..], "client {} on {}", client, what);
            }
        }
    }
}
