//! Bursts of broadcasts, which are merged on their way, seen by members that do something else meanwhile.

use crate::client::{Client, Got, Message, SOCKET, SOCKET_V1};
use crate::rt::RUNTIME;
use crate::server::Server;
use bennu::prelude::*;
use serde::Deserialize;
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many broadcasts one read brings.
const BURST: u64 = 100;
const BURSTS: u64 = 6;
const TOTAL: u64 = BURST * BURSTS;
const MEMBERS: usize = 50;
const TOPIC: &str = "hall:a";

/// How many broadcasts have begun, and how many have been made.
#[derive(Clone, Default)]
struct Count {
    begun: Arc<AtomicU64>,
    made: Arc<AtomicU64>,
}

impl Count {
    fn begun(&self) -> u64 {
        self.begun.load(Ordering::SeqCst)
    }

    fn made(&self) -> u64 {
        self.made.load(Ordering::SeqCst)
    }
}

struct Counting(Count);

impl Socket for Counting {
    type Assigns = Count;

    async fn connect(&self, _: Params, _: &ConnectInfo) -> Result<Count, Refused> {
        Ok(self.0.clone())
    }
}

/// A channel whose every message to its client says how many broadcasts have been made before it.
struct Hall;

#[derive(Deserialize)]
struct Shout {
    n: u64,
}

impl Channel for Hall {
    type Assigns = Count;

    async fn join(_: &str, _: Payload, _: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
        Ok(Joined::new(Self))
    }

    async fn handle_in(
        &mut self,
        event: &str,
        payload: Payload,
        ctx: &Context<Self>,
    ) -> Result<Reply, Failure> {
        let count = ctx.assigns();
        let made = || json!({ "made": count.made() });
        match event {
            "shout" => {
                let shout: Shout = payload.parse()?;
                count.begun.store(shout.n + 1, Ordering::SeqCst);
                ctx.broadcast("shout", payload);
                count.made.store(shout.n + 1, Ordering::SeqCst);
                return Ok(Reply::ok(made()));
            }
            "ask" => return Ok(Reply::ok(made())),
            "push" => ctx.push("pushed", made()),
            "later" => {
                let (reply, count) = (ctx.reply_ref()?, count.clone());
                ctx.spawn(async move {
                    tokio::task::yield_now().await;
                    reply.send(Reply::ok(json!({ "made": count.made() })));
                });
            }
            other => return Err(Failure::unknown_event(other)),
        }
        Ok(Reply::none())
    }
}

/// What one member has heard since its join.
#[derive(Default)]
struct Heard {
    first: Option<u64>,
    /// The broadcast that has to come next, once one has come.
    next: Option<u64>,
}

impl Heard {
    /// Takes a message in: broadcasts come each once, in order and without a gap, and whatever says how many
    /// have been made comes behind those.
    fn take(&mut self, message: &Message) {
        if message.event == "shout" {
            let n = message.payload["n"].as_u64().expect("a number");
            assert_eq!(n, self.next.unwrap_or(n), "each once, and in order");
            self.first.get_or_insert(n);
            self.next = Some(n + 1);
            return;
        }
        let made = message.payload["made"].as_u64().or_else(|| message.payload["response"]["made"].as_u64());
        if let Some(made) = made {
            assert!(self.next.is_none_or(|next| made <= next), "{made} were made, {:?} comes", self.next);
        }
    }

    /// Whether all the broadcasts up to this one have been heard.
    fn has(&self, end: u64) -> bool {
        self.next.is_some_and(|next| next >= end)
    }
}

/// A member, and what it does while it listens.
struct Member {
    client: Client,
    heard: Heard,
    count: Count,
}

impl Member {
    async fn join(address: SocketAddr, number: usize, count: &Count) -> Self {
        let target = if number.is_multiple_of(7) { SOCKET_V1 } else { SOCKET };
        let mut client = Client::connect_to(address, target).await;
        client.join(TOPIC).await;
        Self { client, heard: Heard::default(), count: count.clone() }
    }

    async fn listen(&mut self) -> Message {
        loop {
            match self.client.next().await {
                Got::Message(message) => {
                    self.heard.take(&message);
                    return message;
                }
                Got::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    async fn listen_until(&mut self, what: impl Fn(&Message) -> bool) -> Message {
        loop {
            let message = self.listen().await;
            if what(&message) {
                return message;
            }
        }
    }

    async fn listen_for_reply(&mut self, msg_ref: String) {
        self.listen_until(|message| message.msg_ref == json!(msg_ref)).await;
    }

    /// Listens to as many more.
    async fn listen_on(&mut self, how_many: u64) {
        let end = (self.heard.next.unwrap_or_else(|| self.count.made()) + how_many).min(TOTAL);
        while !self.heard.has(end) {
            self.listen().await;
        }
    }

    /// Does nothing else.
    async fn stay(mut self) {
        self.listen_on(TOTAL).await;
    }

    async fn ping(mut self) {
        while !self.heard.has(TOTAL) {
            self.client.raw(&[0x89, 0x80, 0, 0, 0, 0]).await;
            let heartbeat = self.client.send_heartbeat().await;
            self.listen_for_reply(heartbeat).await;
            self.listen_on(17).await;
        }
    }

    /// Has the channel push, and reply at once and later.
    async fn ask(mut self) {
        while !self.heard.has(TOTAL) {
            self.client.push(TOPIC, "push", json!({})).await;
            self.listen_until(|message| message.event == "pushed").await;
            let now = self.client.push(TOPIC, "ask", json!({})).await;
            self.listen_for_reply(now).await;
            let later = self.client.push(TOPIC, "later", json!({})).await;
            self.listen_for_reply(later).await;
            self.listen_on(11).await;
        }
    }

    /// Listens to some, which have to begin with the first that has begun behind the reply to the join, at the
    /// latest. Returns whether there is any to come.
    async fn listen_from_the_start(&mut self) -> bool {
        let begun = self.count.begun();
        if begun == TOTAL {
            return false;
        }
        self.listen_on(23).await;
        assert!(self.heard.first.is_some_and(|first| first <= begun), "{begun} had begun");
        true
    }

    /// Leaves and joins again and again: hears all that begins behind the reply to its join, and all that was
    /// made before it leaves.
    async fn leave_and_join(mut self) {
        while self.listen_from_the_start().await {
            let made = self.count.made();
            let leave = self.client.push(TOPIC, "phx_leave", json!({})).await;
            self.listen_for_reply(leave).await;
            assert!(self.heard.has(made), "{made} had been made");

            self.heard = Heard::default();
            let join = self.client.send_join(TOPIC).await;
            self.listen_for_reply(join).await;
            assert_eq!(self.heard.first, None, "nothing between leave and join");
        }
    }

    /// Closes in the midst of it all, is answered, and comes back.
    async fn close(mut self, address: SocketAddr, number: usize) {
        while self.listen_from_the_start().await {
            self.client.raw(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]).await;
            let end = loop {
                match self.client.next().await {
                    Got::Message(message) => self.heard.take(&message),
                    end => break end,
                }
            };
            assert_eq!(end, Got::Closed(Some(1000)));
            let count = self.count.clone();
            self = Self::join(address, number, &count).await;
        }
    }
}

/// Sends bursts, each in one write, and takes its own broadcasts and the answers, which take turns.
async fn publish(mut client: Client) {
    for burst in 0..BURSTS {
        let (mut batch, mut refs) = (Vec::new(), Vec::new());
        for n in burst * BURST..(burst + 1) * BURST {
            let (push, msg_ref) = client.pushed(TOPIC, "shout", json!({ "n": n }));
            batch.extend(push);
            refs.push((n, msg_ref));
        }
        client.raw(&batch).await;
        for (n, msg_ref) in refs {
            assert_eq!(client.event(TOPIC, "shout").await, json!({ "n": n }));
            assert_eq!(client.reply(&msg_ref).await, ("ok".into(), json!({ "made": n + 1 })));
        }
    }
}

async fn burst_on(shards: usize) {
    let count = Count::default();
    let socket = bennu::socket(Counting(count.clone())).channel::<Hall>("hall:*");
    let endpoint = Endpoint::builder().shards(shards).socket("/socket", socket).build(RUNTIME);
    let server = Server::start(endpoint);
    let address = server.address;
    let mut publisher = Client::connect(address).await;
    publisher.join(TOPIC).await;

    let mut tasks = Vec::new();
    for number in 0..MEMBERS {
        let member = Member::join(address, number, &count).await;
        tasks.push(match number % 5 {
            0 => tokio::spawn(member.stay()),
            1 => tokio::spawn(member.ping()),
            2 => tokio::spawn(member.ask()),
            3 => tokio::spawn(member.leave_and_join()),
            _ => tokio::spawn(member.close(address, number)),
        });
    }
    tasks.push(tokio::spawn(publish(publisher)));
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bursts_on_one_shard_are_heard_by_each_member_once_and_in_order() {
    burst_on(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bursts_on_eight_shards_are_heard_by_each_member_once_and_in_order() {
    burst_on(8).await;
}
